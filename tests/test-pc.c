/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board pc without a CPU: its map range by range for each size of RAM; every state
 * of every PAM segment, over a bus that shows ROM, RAM, registers and nothing, against
 * a model; system management RAM; interrupt wires that are shared; resets.
 */
#include <string.h>
#include <unistd.h>

#include "hw/i386/pc-map.h"
#include "hw/i386/pc.h"
#include "hw/isa/isa-irqs.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"
#include "tests/test-util.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define CONFIG(devfn, reg) (0x80000000u | (devfn) << 8 | ((reg) & ~3u))
#define ELCR 0x4d0
#define RESET_CONTROL 0xcf9

static char *dir;
static Machine *machine;
static PCMachine *pc;
static GError *err;

static void board_new(uint64_t ram_size)
{
    dir = g_dir_make_tmp("flatview-pc-XXXXXX", NULL);
    machine = machine_new(machine_type_find("pc", NULL));
    machine->ram_size = ram_size;
    pc = (PCMachine *)machine;
}

/* A firmware image of @size recognisable bytes. */
static void board_add_bios(size_t size)
{
    g_autofree char *image = g_malloc(size);

    machine->bios = g_build_filename(dir, "bios", NULL);
    content_fill(image, 9, 0, size);
    expect(g_file_set_contents(machine->bios, image, size, NULL), "no file");
}

static void board_add_serial(const char *id)
{
    g_ptr_array_add(machine->serials, id ? chardev_open(id, "null", NULL) : NULL);
}

static void board_reset(void)
{
    memory_lock();
    machine_reset(machine);
    memory_unlock();
}

static void board_init(void)
{
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
    board_reset();
}

static void board_free(void)
{
    g_autofree char *bios = g_build_filename(dir, "bios", NULL);

    machine_free(machine);
    chardev_close_all();
    unlink(bios);
    rmdir(dir);
    g_free(dir);
    g_clear_error(&err);
}

static uint32_t in(unsigned port, unsigned size)
{
    uint32_t value = 0;

    address_space_read(&machine->ports, port, (uint8_t *)&value, size);
    return value;
}

static void out(unsigned port, uint32_t value, unsigned size)
{
    address_space_write(&machine->ports, port, (uint8_t *)&value, size);
}

static uint32_t config_get(unsigned devfn, unsigned reg, unsigned size)
{
    out(0xcf8, CONFIG(devfn, reg), 4);
    return in(0xcfc + reg % 4, size);
}

static void config_set(unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
    out(0xcf8, CONFIG(devfn, reg), 4);
    out(0xcfc + reg % 4, value, size);
}

static uint64_t guest(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    address_space_read(&machine->memory, addr, (uint8_t *)&value, size);
    return value;
}

/* ---- the map --------------------------------------------------------------------- */

typedef struct Range {
    hwaddr first, last;
    const char *name;
    hwaddr offset;
} Range;

/* The flat map of @as is exactly @ranges, ended by one without a name. */
static void expect_map(AddressSpace *as, const Range *ranges)
{
    hwaddr addr = 0;

    memory_lock();
    for (; ranges->name; ranges++) {
        MemoryRegionSection s = memory_region_find(as->root, addr, UINT64_MAX - addr);

        expect(s.mr, "%s is missing", ranges->name);
        expect(s.offset_within_address_space == ranges->first &&
                   s.last_within_address_space == ranges->last &&
                   s.offset_within_region == ranges->offset &&
                   strcmp(memory_region_name(s.mr), ranges->name) == 0,
               "%" PRIx64 "-%" PRIx64 " %s @%" PRIx64 ", not %" PRIx64
               "-%" PRIx64 " %s @%" PRIx64, s.offset_within_address_space,
               s.last_within_address_space, memory_region_name(s.mr),
               s.offset_within_region, ranges->first, ranges->last, ranges->name,
               ranges->offset);
        addr = s.last_within_address_space + 1;
    }
    if (addr) {
        MemoryRegionSection s = memory_region_find(as->root, addr, UINT64_MAX - addr);

        expect(!s.mr, "%s at %" PRIx64 " is one too many", memory_region_name(s.mr),
               s.offset_within_address_space);
    }
    memory_unlock();
}

#define CHIPS                                          \
    { 0xfec00000, 0xfec00fff, "ioapic", 0 },           \
    { 0xfed00000, 0xfed003ff, "hpet", 0 },             \
    { 0xfee00000, 0xfeefffff, "apic-msi", 0 },         \
    { 0xfeffc000, 0xfeffffff, "kvm-pages", 0 }
#define BIOS_256K                                      \
    CHIPS, { 0xfffc0000, 0xffffffff, "pc.bios", 0 }
#define ROMS                                           \
    { 0, 0xbffff, "ram", 0 },                          \
    { 0xc0000, 0xdffff, "pc.rom", 0 },                 \
    { 0xe0000, 0xfffff, "pc.bios", 0x20000 }

static void expect_memory(uint64_t ram_size, const char *max_below_4g,
                          const Range *ranges)
{
    board_new(ram_size);
    board_add_bios(256 * KIB);
    expect(!max_below_4g ||
               machine_set(machine, "max-ram-below-4g", max_below_4g, &err),
           "%s", err ? err->message : "?");
    board_init();
    expect_map(&machine->memory, ranges);
    expect_map(&pc->smm_memory, ranges);
    board_free();
}

START_TEST(memory_map)
{
    expect_memory(MIB, NULL, (const Range[]){ ROMS, BIOS_256K, { 0 } });
    expect_memory(3583 * MIB, NULL, (const Range[]){
        ROMS, { MIB, 3583 * MIB - 1, "ram", MIB }, BIOS_256K, { 0 } });
    expect_memory(3584 * MIB, NULL, (const Range[]){
        ROMS, { MIB, 3 * GIB - 1, "ram", MIB }, BIOS_256K,
        { 4 * GIB, 4 * GIB + 512 * MIB - 1, "ram", 3 * GIB }, { 0 } });
    expect_memory(6 * GIB, NULL, (const Range[]){
        ROMS, { MIB, 3 * GIB - 1, "ram", MIB }, BIOS_256K,
        { 4 * GIB, 7 * GIB - 1, "ram", 3 * GIB }, { 0 } });
    expect_memory(6 * GIB, "1G", (const Range[]){
        ROMS, { MIB, GIB - 1, "ram", MIB }, BIOS_256K,
        { 4 * GIB, 9 * GIB - 1, "ram", GIB }, { 0 } });
    expect_memory(2 * GIB, "2G", (const Range[]){
        ROMS, { MIB, 2 * GIB - 1, "ram", MIB }, BIOS_256K, { 0 } });
    expect_memory(3400 * MIB, "3400M", (const Range[]){
        ROMS, { MIB, 3 * GIB - 1, "ram", MIB }, BIOS_256K,
        { 4 * GIB, 4 * GIB + 328 * MIB - 1, "ram", 3 * GIB }, { 0 } });
}
END_TEST

/* Images of other sizes: the end of each is where a processor starts. */
START_TEST(firmware_sizes)
{
    static const struct {
        size_t size;
        hwaddr high, low;
    } images[] = {
        { 1, 0xfffff000, 0xff000 },
        { 64 * KIB, 0xffff0000, 0xf0000 },
        { 128 * KIB, 0xfffe0000, 0xe0000 },
        { 4 * MIB, 0xffc00000, 0xe0000 },
        { 16 * MIB, 0xff000000, 0xe0000 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(images); i++) {
        size_t size = images[i].size;
        MemoryRegionSection s;

        board_new(16 * MIB);
        board_add_bios(size);
        board_init();
        expect_hex(guest(0xffffffff, 1), content_byte(9, size - 1));
        expect_hex(guest(0xfffff, 1), content_byte(9, size - 1));
        expect_hex(guest(images[i].low, 1), size == 1 ? 0 :
                   content_byte(9, size - (MIB - images[i].low)));
        memory_lock();
        s = memory_region_find(machine->memory.root, images[i].high, 1);
        expect(strcmp(memory_region_name(s.mr), "pc.bios") == 0 &&
               s.offset_within_region == 0, "'%s' is there",
               memory_region_name(s.mr));
        memory_unlock();
        board_free();
    }
}
END_TEST

static void expect_failure(bool ok, const char *word1, const char *word2)
{
    expect(!ok, "accepted, where '%s' was to be said", word1);
    expect(strstr(err->message, word1) && strstr(err->message, word2),
           "'%s' lacks '%s' or '%s'", err->message, word1, word2);
    g_clear_error(&err);
}

START_TEST(refused)
{
    static const char *const sizes[] = { "1023K", "3585M", "1025K" };

    board_new(MIB - 4 * KIB);
    expect_failure(machine_init(machine, &err), "-m", "1 MiB");
    board_free();

    board_new(1ull << 56);
    machine->mem_path = g_strdup("/nonexistent/file");
    expect(!machine_init(machine, &err), "accepted");
    g_clear_error(&err);
    board_free();

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        board_new(16 * MIB);
        expect(machine_set(machine, "max-ram-below-4g", sizes[i], &err), "%s",
               sizes[i]);
        expect_failure(machine_init(machine, &err), "max-ram-below-4g", "3584M");
        board_free();
    }

    board_new(16 * MIB);
    expect(machine_set(machine, "smm", "perhaps", &err), "smm");
    expect_failure(machine_init(machine, &err), "smm", "'perhaps'");
    board_free();

    board_new(16 * MIB);
    for (int i = 0; i < 5; i++) {
        board_add_serial("x");
    }
    expect_failure(machine_init(machine, &err), "-serial", "5");
    board_free();

    board_new(16 * MIB);
    board_add_bios(16 * MIB + 1);
    expect_failure(machine_init(machine, &err), "firmware", "16777216");
    board_free();

    board_new(16 * MIB);
    machine->cpus = 256;
    expect_failure(machine_init(machine, &err), "1 to 255", "256");
    board_free();

    board_new(16 * MIB);
    machine->dumpdtb = g_strdup("/nonexistent/dtb");
    expect(machine_init(machine, &err), "init");
    expect_failure(machine_prepare(machine, &err), "dumpdtb", "microvm");
    g_clear_pointer(&machine->dumpdtb, g_free);
    board_free();
}
END_TEST

/* ---- PAM ------------------------------------------------------------------------- */

/* What the bus shows there: the option ROM, but for RAM and registers on top of it;
 * nothing; and 64 KiB of firmware. */
#define BUS_RAM 0xc8000
#define BUS_IO 0xd0000
#define BUS_SIZE 0x8000
#define NOTHING 0xe0000
#define BIOS 0xf0000
#define PAM_FIRST 0xc0000
#define PAM_END 0x100000

enum { RAM_ID = 1, BUS_RAM_ID, BUS_IO_ID, BIOS_ID = 9, OPTION_ROM_ID };

static MemoryRegion bus_ram;
static IoDevice bus_io;

/* The model: what both sides hold, and each segment's bits. */
static uint8_t model_ram[PAM_END], model_bus_ram[BUS_SIZE];
static unsigned model_bits[13];

static unsigned segment_of(hwaddr addr)
{
    return addr >= 0xf0000 ? 0 : 1 + (addr - PAM_FIRST) / 0x4000;
}

static uint8_t model_read(hwaddr addr)
{
    unsigned bits = model_bits[segment_of(addr)];

    if (bits & 1) {
        return model_ram[addr];
    }
    if (addr >= BIOS) {
        return content_byte(BIOS_ID, addr - BIOS);
    }
    if (addr >= NOTHING) {
        return bits & 2 ? 0xff : model_ram[addr]; /* nothing hides nothing */
    }
    if (addr >= BUS_RAM && addr < BUS_RAM + BUS_SIZE && !(bits & 2)) {
        return model_bus_ram[addr - BUS_RAM];
    }
    if (addr >= BUS_IO && addr < BUS_IO + BUS_SIZE && !(bits & 2)) {
        return content_byte(BUS_IO_ID, addr - BUS_IO);
    }
    return content_byte(OPTION_ROM_ID, addr - PAM_FIRST);
}

static void model_write(hwaddr addr, uint8_t value)
{
    unsigned bits = model_bits[segment_of(addr)];

    if (bits & 2) {
        model_ram[addr] = value;
    } else if (addr >= BUS_RAM && addr < BUS_RAM + BUS_SIZE) {
        model_bus_ram[addr - BUS_RAM] = value;
    } else if (!bits && addr >= NOTHING && addr < BIOS) {
        model_ram[addr] = value;
    }
}

static void pam_world_new(void)
{
    uint8_t *ram;

    board_new(2 * MIB);
    board_add_bios(64 * KIB);
    board_init();
    ram = memory_region_get_ram_ptr(&machine->ram);
    content_fill(ram, RAM_ID, 0, PAM_END);
    memcpy(model_ram, ram, PAM_END);
    content_fill(memory_region_get_ram_ptr(&pc->option_rom), OPTION_ROM_ID, 0,
                 PC_OPTION_ROM_SIZE);
    memory_region_init_ram(&bus_ram, "bus-ram", BUS_SIZE);
    content_fill(memory_region_get_ram_ptr(&bus_ram), BUS_RAM_ID, 0, BUS_SIZE);
    memcpy(model_bus_ram, memory_region_get_ram_ptr(&bus_ram), BUS_SIZE);
    memory_region_add_subregion_overlap(&pc->pci_memory, BUS_RAM, &bus_ram, 5);
    io_device_init(&bus_io, BUS_IO_ID, "bus-io", BUS_SIZE);
    memory_region_add_subregion_overlap(&pc->pci_memory, BUS_IO, &bus_io.mr, 5);
    memset(model_bits, 0, sizeof(model_bits));
}

static void pam_world_free(void)
{
    memory_region_del_subregion(&pc->pci_memory, &bus_ram);
    memory_region_destroy(&bus_ram);
    memory_region_del_subregion(&pc->pci_memory, &bus_io.mr);
    memory_region_destroy(&bus_io.mr);
    board_free();
}

/* Registers of configuration space as the model's bits want them. */
static uint32_t pam_register(unsigned reg)
{
    unsigned i = reg - I440FX_PAM;

    return i == 0 ? model_bits[0] << 4
                  : model_bits[2 * i - 1] | model_bits[2 * i] << 4;
}

static void pam_write(unsigned segment, unsigned bits)
{
    unsigned reg = I440FX_PAM + (segment + 1) / 2;

    model_bits[segment] = bits;
    config_set(0, reg, pam_register(reg), 1);
}

static void expect_write(hwaddr addr, uint64_t value, unsigned size)
{
    unsigned bits = model_bits[segment_of(addr)];
    bool to_io = addr >= BUS_IO && addr < BUS_IO + BUS_SIZE && !(bits & 2);

    value &= UINT64_MAX >> (64 - 8 * size);
    bus_io.nr_calls = 0;
    address_space_write(&machine->memory, addr, (uint8_t *)&value, size);
    expect(bus_io.nr_calls == to_io, "%u calls of the registers for 0x%" PRIx64
           " in state %u", bus_io.nr_calls, addr, bits);
    if (to_io) {
        expect(bus_io.calls[0].is_write && bus_io.calls[0].size == size,
               "no write of %u", size);
        expect_hex(bus_io.calls[0].addr, addr - BUS_IO);
        expect_hex(bus_io.calls[0].data, value);
    }
    for (unsigned i = 0; i < size; i++) {
        model_write(addr + i, value >> (8 * i));
    }
}

static void expect_read(hwaddr addr, unsigned size)
{
    uint8_t bytes[64];

    address_space_read(&machine->memory, addr, bytes, size);
    for (unsigned i = 0; i < size; i++) {
        expect(bytes[i] == model_read(addr + i), "0x%" PRIx64 " in state %u: %02x, "
               "not %02x", addr + i, model_bits[segment_of(addr + i)], bytes[i],
               model_read(addr + i));
    }
}

/* Every byte that both sides hold. */
static void expect_memories(void)
{
    uint8_t *ram = memory_region_get_ram_ptr(&machine->ram);
    uint8_t *rom = memory_region_get_ram_ptr(&pc->option_rom);
    uint8_t *bios = memory_region_get_ram_ptr(&pc->bios);

    for (hwaddr i = 0; i < PAM_END; i++) {
        expect(ram[i] == model_ram[i], "RAM at 0x%" PRIx64 ": %02x, not %02x", i,
               ram[i], model_ram[i]);
    }
    expect(memcmp(memory_region_get_ram_ptr(&bus_ram), model_bus_ram,
                  BUS_SIZE) == 0, "the bus's RAM differs");
    for (unsigned i = 0; i < PC_OPTION_ROM_SIZE; i++) {
        expect(rom[i] == content_byte(OPTION_ROM_ID, i), "ROM changed at %x", i);
    }
    for (unsigned i = 0; i < 64 * KIB; i++) {
        expect(bios[i] == content_byte(BIOS_ID, i), "firmware changed at %x", i);
    }
}

START_TEST(every_pam_state)
{
    static const unsigned order[] = { 0, 1, 0, 2, 0, 3, 1, 2, 1, 3, 2, 3, 0 };

    pam_world_new();
    for (unsigned segment = 0; segment < 13; segment++) {
        hwaddr base = segment == 0 ? 0xf0000 : PAM_FIRST + (segment - 1) * 0x4000;
        hwaddr size = segment == 0 ? 0x10000 : 0x4000;

        for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
            pam_write(segment, order[i]);
            for (unsigned n = 1; n <= 8; n *= 2) {
                uint64_t value = 0x1122334455667788ull * (i + segment + n);

                expect_write(base, value, n);
                expect_write(base + size - n, value, n);
                expect_read(base, n);
                expect_read(base + 8, n);
                expect_read(base + size - n, n);
                expect_read(base + size / 2 - 1, n);
            }
            /* The neighbours are as they were. */
            if (base > PAM_FIRST) {
                expect_read(base - 8, 16);
            }
            if (base + size < PAM_END) {
                expect_read(base + size - 8, 16);
            }
        }
    }
    expect_memories();
    pam_world_free();
}
END_TEST

START_TEST(pam_by_chance)
{
    uint64_t steps = test_number("FLATVIEW_STEPS", 20000);
    uint64_t seed = test_number("FLATVIEW_SEED", 20110705);
    g_autoptr(GRand) rnd = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    pam_world_new();
    for (uint64_t step = 0; step < steps; step++) {
        unsigned size = 1 << g_rand_int_range(rnd, 0, 4);
        hwaddr addr = g_rand_int_range(rnd, PAM_FIRST, PAM_END) & -size;
        unsigned segment = g_rand_int_range(rnd, 0, 13);

        switch (g_rand_int_range(rnd, 0, 5)) {
        case 0:
            pam_write(segment, g_rand_int_range(rnd, 0, 4));
            break;
        case 1: /* four registers at once */
            for (unsigned n = 7; n < 13; n++) {
                model_bits[n] = g_rand_int_range(rnd, 0, 4);
            }
            config_set(0, 0x5c, (pam_register(0x5c) & 0x0f) |
                       pam_register(0x5d) << 8 | pam_register(0x5e) << 16 |
                       (uint32_t)pam_register(0x5f) << 24 | 0x88ccccc8 |
                       (config_get(0, 0x5c, 1) & 0x30), 4);
            break;
        case 2:
            expect_write(addr, (uint64_t)g_rand_int(rnd) << 32 | g_rand_int(rnd),
                         size);
            break;
        case 3:
            expect_read(addr, size);
            break;
        case 4: /* across segments */
            expect_read(MIN(addr, PAM_END - 64), 64);
            break;
        }
    }
    expect_memories();
    /* A reset: all is PCI again, RAM keeps what it holds. */
    board_reset();
    memset(model_bits, 0, sizeof(model_bits));
    for (hwaddr addr = PAM_FIRST; addr < PAM_END; addr += 0x800) {
        expect_read(addr, 8);
    }
    expect_memories();
    pam_world_free();
    test_context[0] = 0;
}
END_TEST

/* ---- system management RAM ------------------------------------------------------------- */

#define SMRAM 0xa0000
#define SMRAM_LAST 0xbffff

/* What shows there, to all and to a processor in that mode: RAM, or the bus. */
static void expect_smram(bool ram, bool smm_ram)
{
    uint32_t all = guest(SMRAM_LAST - 3, 4), smm = 0;

    address_space_read(&pc->smm_memory, SMRAM_LAST - 3, (uint8_t *)&smm, 4);
    expect_hex(all, content_value(ram ? RAM_ID : BUS_IO_ID, 0x1fffc, 4));
    expect_hex(smm, content_value(smm_ram ? RAM_ID : BUS_IO_ID, 0x1fffc, 4));
    expect_hex(guest(SMRAM - 1, 1), 0);
}

static void smram_world_new(void)
{
    board_new(2 * MIB);
    board_init();
    content_fill((uint8_t *)memory_region_get_ram_ptr(&machine->ram) + SMRAM, RAM_ID, 0,
                 0x20000);
    io_device_init(&bus_io, BUS_IO_ID, "screen", 0x20000);
    memory_region_add_subregion(&pc->pci_memory, SMRAM, &bus_io.mr);
}

static void smram_world_free(void)
{
    memory_region_del_subregion(&pc->pci_memory, &bus_io.mr);
    memory_region_destroy(&bus_io.mr);
    board_free();
}

START_TEST(smram)
{
    smram_world_new();
    expect_hex(config_get(0, I440FX_SMRAM, 1), 0x02);
    expect_smram(false, false);
    for (unsigned value = 0; value < 256; value++) {
        if (value & I440FX_SMRAM_LOCK) {
            continue;
        }
        config_set(0, I440FX_SMRAM, value, 1);
        expect_hex(config_get(0, I440FX_SMRAM, 1), (value & 0x68) | 0x02);
        expect_smram(value & 0x40, value & 0x48);
    }
    /* Open, and locked in one write: it is closed, enabled, and stays so. */
    config_set(0, I440FX_SMRAM, 0x58, 1);
    expect_hex(config_get(0, I440FX_SMRAM, 1), 0x1a);
    expect_smram(false, true);
    for (unsigned value = 0; value < 256; value++) {
        config_set(0, I440FX_SMRAM, value, 1);
        expect_hex(config_get(0, I440FX_SMRAM, 1), 0x1a | (value & 0x20));
        expect_smram(false, true);
    }
    board_reset();
    expect_hex(config_get(0, I440FX_SMRAM, 1), 0x02);
    expect_smram(false, false);
    /* Open, then locked by a write of four bytes. */
    config_set(0, I440FX_SMRAM, 0x48, 1);
    expect_smram(true, true);
    config_set(0, 0x70, 0x00520000, 4);
    expect_hex(config_get(0, I440FX_SMRAM, 1), 0x12);
    expect_smram(false, false);
    board_reset();
    config_set(0, I440FX_SMRAM, 0x08, 1);
    expect_smram(false, true);
    smram_world_free();
}
END_TEST

/* ---- holes ------------------------------------------------------------------------------- */

/* What is on the bus shows wherever RAM and chips do not, and only there. */
START_TEST(holes)
{
    static const struct {
        hwaddr addr;
        bool shown;
    } places[] = {
        { 0x200000, false }, { 3 * GIB - 0x1000, false }, { 3 * GIB, true },
        { 0xe0000000, true }, { 0xfebff000, true }, { 0xfec00000, false },
        { 0xfec01000, true }, { 0xfee00000, false }, { 0xfef00000, true },
        { 0xfffff000, false }, { 4 * GIB, false }, { 5 * GIB - 0x1000, false },
        { 5 * GIB, true }, { 1ull << 40, true }, { UINT64_MAX - 0xfff, true },
    };

    board_new(4 * GIB);
    board_add_bios(64 * KIB);
    board_init();
    io_device_init(&bus_io, BUS_IO_ID, "bar", 0x1000);
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        memory_region_add_subregion_overlap(&pc->pci_memory, places[i].addr,
                                            &bus_io.mr, -1);
        bus_io.nr_calls = 0;
        /* An access to a reservation would be reported. */
        if (places[i].addr != 0xfec00000) {
            guest(places[i].addr, 4);
            expect(bus_io.nr_calls == places[i].shown, "0x%" PRIx64 " is %sshown",
                   places[i].addr, places[i].shown ? "not " : "");
        }
        memory_region_del_subregion(&pc->pci_memory, &bus_io.mr);
    }
    memory_region_destroy(&bus_io.mr);
    board_free();
}
END_TEST

/* ---- interrupts ------------------------------------------------------------------------ */

static unsigned irq_levels, irq_rises[ISA_IRQS];

static void irq_tap(void *opaque, int n, int level)
{
    irq_rises[n] += level;
    irq_levels = (irq_levels & ~(1u << n)) | (unsigned)level << n;
}

static void interrupts_new(void)
{
    board_new(2 * MIB);
    board_init();
    irq_levels = 0;
    memset(irq_rises, 0, sizeof(irq_rises));
    expect(device_intercept(pc->ioapic, false, (IRQLine){ irq_tap, NULL, 0 }), "tap");
}

static void pirq(unsigned n, bool level)
{
    IRQLine line = device_irq_in(&pc->piix3->device, n);

    memory_lock();
    irq_set(&line, level);
    memory_unlock();
}

START_TEST(pirq_routes)
{
    interrupts_new();
    for (unsigned n = 0; n < 4; n++) {
        expect_hex(config_get(8, 0x60 + n, 1), 0x80);
        pirq(n, true);
        expect_hex(irq_levels, 0);
        for (unsigned route = 0; route < 256; route++) {
            unsigned irq = route & 0xf;
            bool off = (route & 0x80) || irq < 3 || irq == 8 || irq == 13;

            config_set(8, 0x60 + n, route, 1);
            expect_hex(config_get(8, 0x60 + n, 1), route & 0x8f);
            expect_hex(irq_levels, off ? 0 : 1u << irq);
        }
        config_set(8, 0x60 + n, 0x80, 1);
        pirq(n, false);
    }
    /* Two on one interrupt hold it until both are down. */
    config_set(8, 0x60, 0x0b0b0a0a, 4);
    memset(irq_rises, 0, sizeof(irq_rises));
    pirq(0, true);
    pirq(1, true);
    pirq(0, false);
    expect_hex(irq_levels, 1 << 10);
    pirq(2, true);
    expect_hex(irq_levels, 3 << 10);
    pirq(1, false);
    expect_hex(irq_levels, 1 << 11);
    expect(irq_rises[10] == 1 && irq_rises[11] == 1, "more than one rise");
    /* A reset takes the routes away. */
    board_reset();
    expect_hex(irq_levels, 0);
    board_free();
}
END_TEST

START_TEST(shared_wires)
{
    IRQLine own, first, second;

    interrupts_new();
    own = device_irq_in(pc->irqs, 5);
    first = isa_irqs_share(pc->irqs, 5);
    second = isa_irqs_share(pc->irqs, 5);
    for (unsigned held = 0, i = 0; i < 64; i++) {
        const IRQLine *lines[] = { &own, &first, &second };
        unsigned n = i * 7 % 3;

        held ^= 1u << n;
        irq_set(lines[n], held >> n & 1);
        expect_hex(irq_levels, held ? 1 << 5 : 0);
    }
    board_free();

    /* The serial ports that have one interrupt between them. */
    board_new(2 * MIB);
    board_add_serial("a");
    board_add_serial("b");
    board_add_serial("c");
    board_add_serial(NULL);
    board_init();
    irq_levels = 0;
    expect(device_intercept(pc->ioapic, false, (IRQLine){ irq_tap, NULL, 0 }), "tap");
    for (unsigned i = 0; i < 2; i++) {
        out(i ? 0x3ec : 0x3fc, 0x08, 1); /* OUT2 */
        out(i ? 0x3e9 : 0x3f9, 0x02, 1); /* transmitter is empty */
        expect_hex(irq_levels, 1 << 4);
    }
    out(0x3f9, 0, 1);
    expect_hex(irq_levels, 1 << 4);
    out(0x3e9, 0, 1);
    expect_hex(irq_levels, 0);
    expect_hex(in(0x2ef, 1), 0xff);
    board_free();
}
END_TEST

/* ---- ports -------------------------------------------------------------------------------- */

/* That they reset is tests/qtest/test-qtest-i440fx's. */
START_TEST(control_ports)
{
    board_new(2 * MIB);
    board_init();
    expect_hex(in(RESET_CONTROL, 1), 0);
    out(RESET_CONTROL, 0xfb, 1);
    expect_hex(in(RESET_CONTROL, 1), 0x02);
    out(0xcf8, 0x80000000, 4); /* an address, no command */
    expect_hex(in(RESET_CONTROL, 1), 0x02);
    expect_hex(in(0xcf8, 4), 0x80000000);
    out(0x92, 0x02, 1);
    expect_hex(in(0x92, 1), 0x02);
    out(ELCR, 0xffff, 2);
    expect_hex(in(ELCR, 1), 0xf8);
    expect_hex(in(ELCR + 1, 1), 0xde);
    board_reset();
    expect_hex(in(RESET_CONTROL, 1), 0);
    expect_hex(in(0xcf8, 4), 0);
    expect_hex(in(0x92, 1), 0);
    expect_hex(in(ELCR, 2), 0);
    board_free();
}
END_TEST

/* Messages without anybody to take them are counted. */
START_TEST(messages)
{
    uint32_t data = 0x4041, narrow = 1;

    board_new(2 * MIB);
    board_init();
    address_space_write(&machine->memory, 0xfee01000, (uint8_t *)&data, 4);
    address_space_write(&machine->memory, 0xfee02000, (uint8_t *)&narrow, 2);
    expect_hex(guest(0xfee00000, 4), 1);
    expect_hex(guest(0xfee00004, 4), 0x4041);
    expect_hex(guest(0xfee00008, 4), 0x1000);
    board_reset();
    expect_hex(guest(0xfee00000, 4), 0);
    board_free();
}
END_TEST

TEST_MAIN("pc", memory_map, firmware_sizes, refused, every_pam_state, pam_by_chance,
          smram, holes, pirq_routes, shared_wires, control_ports, messages)
