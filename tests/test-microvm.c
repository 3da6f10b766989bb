/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board microvm, without a CPU: its map range by range, and what it puts
 * into memory for a kernel to find.
 */
#include <elf.h>
#include <glib/gstdio.h>
#include <libfdt.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/machine.h"
#include "hw/core/memory-backend.h"
#include "hw/i386/microvm-map.h"
#include "tests/kernel-image.h"
#include "tests/test-util.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static char *dir;
static Machine *machine;
static GError *err;

/* A machine that the test may change before board_init(). */
static void board_new(uint64_t ram_size)
{
    dir = g_dir_make_tmp("flatview-microvm-XXXXXX", NULL);
    machine = machine_new(machine_type_find("microvm", NULL));
    machine->ram_size = ram_size;
}

static void board_add_serial(const char *id, const char *spec)
{
    Chardev *chr = spec ? chardev_open(id, spec, NULL) : NULL;

    g_ptr_array_add(machine->serials, chr);
}

static void board_init(void)
{
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
}

static void board_prepare(void)
{
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
}

static void board_free(void)
{
    g_autofree char *file = g_build_filename(dir, "file", NULL);
    g_autofree char *dtb = g_build_filename(dir, "dtb", NULL);

    machine_free(machine);
    chardev_close_all();
    unlink(file);
    unlink(dtb);
    rmdir(dir);
    g_free(dir);
    g_clear_error(&err);
}

static char *write_file(const void *data, size_t len)
{
    char *path = g_build_filename(dir, "file", NULL);

    expect(g_file_set_contents(path, data, len, NULL), "no file %s", path);
    return path;
}

static uint64_t guest(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    expect(address_space_read(&machine->memory, addr, (uint8_t *)&value,
                              size) == MEMTX_OK,
           "no memory at 0x%" PRIx64, addr);
    return value;
}

static void expect_failure(bool ok, const char *word1, const char *word2)
{
    expect(!ok, "accepted, where '%s' was to be said", word1);
    expect(strstr(err->message, word1) && strstr(err->message, word2),
           "'%s' lacks '%s' or '%s'", err->message, word1, word2);
    g_clear_error(&err);
}

/* ---- the map ------------------------------------------------------------------ */

typedef struct Range {
    hwaddr first, last;
    const char *name;
    hwaddr offset;
} Range;

/* The flat map of @root is exactly @ranges, ended by one without a name. */
static void expect_map(MemoryRegion *root, const Range *ranges)
{
    uint64_t size = memory_region_size(root);
    hwaddr end = size == UINT64_MAX ? UINT64_MAX : size - 1;
    hwaddr addr = 0;

    memory_lock();
    for (; ranges->name; ranges++) {
        MemoryRegionSection s =
            memory_region_find(root, addr, end - addr + (end != UINT64_MAX));

        expect(s.mr, "%s is missing", ranges->name);
        expect(s.offset_within_address_space == ranges->first &&
                   s.last_within_address_space == ranges->last &&
                   s.offset_within_region == ranges->offset &&
                   strcmp(memory_region_name(s.mr), ranges->name) == 0,
               "%" PRIx64 "-%" PRIx64 " %s @%" PRIx64 ", not %" PRIx64
               "-%" PRIx64 " %s @%" PRIx64, s.offset_within_address_space,
               s.last_within_address_space, memory_region_name(s.mr),
               s.offset_within_region, ranges->first, ranges->last,
               ranges->name, ranges->offset);
        addr = s.last_within_address_space + 1;
    }
    if (addr && addr <= end) {
        MemoryRegionSection s =
            memory_region_find(root, addr, end - addr + (end != UINT64_MAX));

        expect(!s.mr, "%s at %" PRIx64 " is one too many",
               memory_region_name(s.mr), s.offset_within_address_space);
    }
    memory_unlock();
}

#define CHIPS                                          \
    { 0xfec00000, 0xfec00fff, "ioapic", 0 },           \
    { 0xfee00000, 0xfee00fff, "lapic", 0 },            \
    { 0xfeffc000, 0xfeffffff, "kvm-pages", 0 }

static void expect_memory(uint64_t ram_size, const Range *ranges)
{
    board_new(ram_size);
    board_init();
    expect_map(&machine->memory_root, ranges);
    board_free();
}

START_TEST(memory_map)
{
    expect_memory(MIB, (Range[]){ { 0, MIB - 1, "ram", 0 }, CHIPS, { 0 } });
    expect_memory(256 * MIB,
                  (Range[]){ { 0, 256 * MIB - 1, "ram", 0 }, CHIPS, { 0 } });
    expect_memory(3 * GIB,
                  (Range[]){ { 0, 3 * GIB - 1, "ram", 0 }, CHIPS, { 0 } });
    expect_memory(3 * GIB + 4 * KIB,
                  (Range[]){ { 0, 3 * GIB - 1, "ram", 0 }, CHIPS,
                             { 4 * GIB, 4 * GIB + 4 * KIB - 1, "ram", 3 * GIB },
                             { 0 } });
    expect_memory(6 * GIB,
                  (Range[]){ { 0, 3 * GIB - 1, "ram", 0 }, CHIPS,
                             { 4 * GIB, 7 * GIB - 1, "ram", 3 * GIB },
                             { 0 } });
}
END_TEST

#define PORTS_BELOW_SERIALS                            \
    { 0x20, 0x21, "pic0", 0 },                         \
    { 0x40, 0x43, "pit", 0 },                          \
    { 0x60, 0x60, "i8042-data", 0 },                   \
    { 0x61, 0x61, "speaker", 0 },                      \
    { 0x64, 0x64, "i8042-command", 0 },                \
    { 0x70, 0x71, "mc146818rtc", 0 },                  \
    { 0xa0, 0xa1, "pic1", 0 }

START_TEST(port_map)
{
    board_new(MIB);
    board_init();
    expect_map(&machine->ports_root,
               (Range[]){ PORTS_BELOW_SERIALS, { 0x4d0, 0x4d1, "elcr", 0 },
                          { 0x600, 0x603, "acpi-pm", 0 }, { 0 } });
    board_free();

    /* The second one is left out: the third keeps its number. */
    board_new(MIB);
    board_add_serial("a", "null");
    board_add_serial("b", NULL);
    board_add_serial("c", "null");
    board_add_serial("d", "null");
    board_init();
    expect_map(&machine->ports_root,
               (Range[]){ PORTS_BELOW_SERIALS,
                          { 0x2e8, 0x2ef, "isa-serial", 0 },
                          { 0x3e8, 0x3ef, "isa-serial", 0 },
                          { 0x3f8, 0x3ff, "isa-serial", 0 },
                          { 0x4d0, 0x4d1, "elcr", 0 },
                          { 0x600, 0x603, "acpi-pm", 0 }, { 0 } });
    board_free();
}
END_TEST

/* An image of @size bytes shows at the end of 4 GiB, and its last 128 KiB at
 * the end of 1 MiB. */
static void try_bios(uint64_t size, const Range *ranges)
{
    g_autofree uint8_t *image = g_malloc(size);

    content_fill(image, 3, 0, size);
    board_new(2 * MIB);
    machine->bios = write_file(image, size);
    board_init();
    expect_map(&machine->memory_root, ranges);
    board_prepare();
    expect_hex(guest(4 * GIB - 16, 8), content_value(3, size - 16, 8));
    expect_hex(guest(MIB - 16, 8), content_value(3, size - 16, 8));
    expect_hex(guest(4 * GIB - size, 8), content_value(3, 0, 8));
    expect_hex(address_space_write(&machine->memory, 4 * GIB - 16,
                                   (const uint8_t *)"x", 1),
               MEMTX_ACCESS_ERROR);
    board_free();
}

START_TEST(bios)
{
    try_bios(16, (Range[]){ { 0, MIB - 4 * KIB - 1, "ram", 0 },
                            { MIB - 4 * KIB, MIB - 1, "bios", 0 },
                            { MIB, 2 * MIB - 1, "ram", MIB }, CHIPS,
                            { 4 * GIB - 4 * KIB, 4 * GIB - 1, "bios", 0 },
                            { 0 } });
    try_bios(256 * KIB,
             (Range[]){ { 0, MIB - 128 * KIB - 1, "ram", 0 },
                        { MIB - 128 * KIB, MIB - 1, "bios", 128 * KIB },
                        { MIB, 2 * MIB - 1, "ram", MIB }, CHIPS,
                        { 4 * GIB - 256 * KIB, 4 * GIB - 1, "bios", 0 },
                        { 0 } });
    try_bios(16 * MIB,
             (Range[]){ { 0, MIB - 128 * KIB - 1, "ram", 0 },
                        { MIB - 128 * KIB, MIB - 1, "bios",
                          16 * MIB - 128 * KIB },
                        { MIB, 2 * MIB - 1, "ram", MIB }, CHIPS,
                        { 4 * GIB - 16 * MIB, 4 * GIB - 1, "bios", 0 },
                        { 0 } });
}
END_TEST

START_TEST(refusals)
{
    board_new(MIB - 4 * KIB);
    expect_failure(machine_init(machine, &err), "-m", "1 MiB");
    board_free();

    board_new(1ull << 53);
    expect_failure(machine_init(machine, &err), "RAM",
                   "8589934592 MiB");
    board_free();

    board_new(MIB);
    machine->cpus = 65;
    expect_failure(machine_init(machine, &err), "1 to 64", "65");
    board_free();

    board_new(MIB);
    machine->cpus = 0;
    expect_failure(machine_init(machine, &err), "1 to 64", "0");
    board_free();

    board_new(MIB);
    for (int i = 0; i < 5; i++) {
        board_add_serial("x", "null");
    }
    expect_failure(machine_init(machine, &err), "-serial", "5");
    board_free();

    board_new(MIB);
    machine->bios = write_file("", 0);
    expect_failure(machine_init(machine, &err), "firmware", "empty");
    board_free();

    board_new(MIB);
    machine->bios = write_file("x", 1);
    expect(truncate(machine->bios, 16 * MIB + 1) == 0, "truncate");
    expect_failure(machine_init(machine, &err), "firmware", "16777216");
    board_free();

    /* Where no CPU runs there need not be anything to run. */
    board_new(MIB);
    board_init();
    board_prepare();
    machine->kvm = (KVMState *)machine; /* there is one: nothing looks into it */
    expect_failure(machine_prepare(machine, &err), "-kernel", "-bios");
    machine->kvm = NULL;
    board_free();

    board_new(MIB);
    machine->mem_path = g_strdup("/nonexistent/file");
    expect_failure(machine_init(machine, &err), "/nonexistent/file", "RAM");
    board_free();
}
END_TEST

/* ---- what a kernel finds ----------------------------------------------------------- */

static void expect_e820(const uint64_t (*ranges)[3], unsigned nr)
{
    unsigned i;

    expect_hex(guest(0x71e8, 1), nr);
    for (i = 0; i < nr; i++) {
        expect_hex(guest(0x72d0 + 20 * i, 8), ranges[i][0]);
        expect_hex(guest(0x72d8 + 20 * i, 8), ranges[i][1]);
        expect_hex(guest(0x72e0 + 20 * i, 4), ranges[i][2]);
    }
}

static void board_with_kernel(uint64_t ram_size)
{
    g_autofree uint8_t *image = bzimage_new();

    board_new(ram_size);
    machine->kernel = write_file(image, BZIMAGE_SIZE);
}

START_TEST(memory_as_told)
{
    static const uint64_t small[][3] = {
        { 0, 0x9fc00, 1 },
        { 0x9fc00, 0x60400, 2 },
        { MIB, 255 * MIB, 1 },
        { 0xfeffc000, 0x4000, 2 },
    };
    static const uint64_t large[][3] = {
        { 0, 0x9fc00, 1 },
        { 0x9fc00, 0x60400, 2 },
        { MIB, 3 * GIB - MIB, 1 },
        { 0xfeffc000, 0x4000, 2 },
        { 4 * GIB, 3 * GIB, 1 },
    };

    board_with_kernel(256 * MIB);
    board_init();
    board_prepare();
    expect_e820(small, G_N_ELEMENTS(small));
    board_free();

    board_with_kernel(6 * GIB);
    board_init();
    board_prepare();
    expect_e820(large, G_N_ELEMENTS(large));
    board_free();
}
END_TEST

/* The root pointer is where boot_params says; the DSDT says which serial ports
 * there are; a reset puts back what the guest overwrote. */
START_TEST(tables_and_reset)
{
    uint64_t rsdp, xsdt, fadt, dsdt;
    unsigned i;

    board_with_kernel(64 * MIB);
    machine->cpus = 3;
    machine->append = g_strdup("quiet");
    board_add_serial("a", NULL);
    board_add_serial("b", "null");
    board_init();
    board_prepare();
    for (i = 0; i < 3; i++) {
        rsdp = guest(0x7070, 8);
        expect_hex(rsdp, 0xe0000);
        expect_hex(guest(rsdp, 8), 0x2052545020445352);
        xsdt = guest(rsdp + 24, 8);
        fadt = guest(xsdt + 36, 8);
        dsdt = guest(fadt + 140, 8);
        expect_hex(guest(dsdt + 36, 8), 0x0c5356454408 | 0x02ull << 48);
        expect_hex(guest(0x20000, 6), 0x7465697571);
        /* At F000:FFF0: mov $0x602, %dx; mov $0x42, %al; out %al, %dx */
        expect_hex(guest(0xffff0, 6), 0xee42b00602ba);
        expect_hex(guest(0x1000000, 8), content_value(1, 0, 8));
        machine_reset(machine);
        if (i > 0) {
            continue;
        }
        /* The first reset is the one before the start: nothing to put back. */
        memset(memory_region_get_ram_ptr(&machine->ram), 0xaa, 64 * MIB);
        expect_hex(guest(rsdp, 8), 0xaaaaaaaaaaaaaaaa);
        machine_reset(machine);
    }
    board_free();
}
END_TEST

/* The smallest kernel for PVH: one note, and zeros that are in no file. */
static char *write_elf(void)
{
    struct {
        Elf64_Ehdr e;
        Elf64_Phdr p[2];
        uint32_t note[5];
    } image = {
        .e = { .e_ident = ELFMAG, .e_machine = EM_X86_64,
               .e_phoff = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
               .e_phnum = 2 },
        .p = { { .p_type = PT_LOAD, .p_paddr = 2 * MIB, .p_filesz = 64,
                 .p_memsz = 64 * KIB },
               { .p_type = PT_NOTE, .p_filesz = sizeof(image.note),
                 .p_offset = sizeof(image.e) + sizeof(image.p), .p_align = 4 } },
        .note = { 4, 4, 18, 0x6e6558 /* "Xen" */, 2 * MIB },
    };

    image.e.e_ident[EI_CLASS] = ELFCLASS64;
    image.e.e_ident[EI_DATA] = ELFDATA2LSB;
    return write_file(&image, sizeof(image));
}

/* RAM that a user set up may hold anything: what a kernel finds is the same. */
START_TEST(used_memory)
{
    uint8_t *host;

    expect(user_object_add("memory-backend-ram,id=m0,size=64M", &err), "m0");
    host = memory_region_get_ram_ptr(&((MemoryBackend *)user_object_find(
        "m0", "memory-backend", &err))->mr);
    memset(host, 0xaa, 64 * MIB);
    board_new(64 * MIB);
    machine->kernel = write_elf();
    expect(machine_set(machine, "memory-backend", "m0", &err), "set");
    board_init();
    board_prepare();
    expect_hex(guest(2 * MIB, 4), 0x464c457f); /* from the file */
    expect_hex(guest(2 * MIB + 64, 8), 0);
    expect_hex(guest(2 * MIB + 64 * KIB - 8, 8), 0);
    expect_hex(guest(2 * MIB + 64 * KIB, 8), 0xaaaaaaaaaaaaaaaa);
    board_free();
    user_objects_free();
}
END_TEST

/* The device tree that the kernel gets has the numbers of the board. */
START_TEST(device_tree)
{
    static const struct {
        const char *path;
        uint32_t reg[9];
        unsigned reg_nr;
        int irq;
    } nodes[] = {
        { "/memory@0", { 0, 0, 0, 0xc0000000, 1, 0, 0, 0xc0000000 }, 8, -1 },
        { "/reserved-memory/reserved@9fc00", { 0, 0x9fc00, 0, 0x60400 }, 4, -1 },
        { "/reserved-memory/reserved@feffc000", { 0, 0xfeffc000, 0, 0x4000 },
          4, -1 },
        { "/cpus/cpu@0", { 0 }, 1, -1 },
        { "/cpus/cpu@b", { 11 }, 1, -1 },
        { "/soc/interrupt-controller@fec00000", { 0, 0xfec00000, 0, 0x1000 }, 4,
          -1 },
        { "/soc/lapic@fee00000", { 0, 0xfee00000, 0, 0x1000 }, 4, -1 },
        { "/isa/pic@20", { 1, 0x20, 2, 1, 0xa0, 2, 1, 0x4d0, 2 }, 9, -1 },
        { "/isa/timer@40", { 1, 0x40, 4 }, 3, 0 },
        { "/isa/speaker@61", { 1, 0x61, 1 }, 3, -1 },
        { "/isa/keyboard@60", { 1, 0x60, 1, 1, 0x64, 1 }, 6, 1 },
        { "/isa/rtc@70", { 1, 0x70, 2 }, 3, 8 },
        { "/isa/serial@3f8", { 1, 0x3f8, 8 }, 3, 4 },
        { "/isa/serial@2f8", { 1, 0x2f8, 8 }, 3, 3 },
        { "/isa/serial@3e8", { 1, 0x3e8, 8 }, 3, 5 },
        { "/isa/serial@2e8", { 1, 0x2e8, 8 }, 3, 7 },
        { "/isa/power@600", { 1, 0x600, 4 }, 3, 9 },
        { "/isa/isa-debug-exit@501", { 1, 0x501, 2 }, 3, -1 },
        { "/isa/isa-serial@300", { 1, 0x300, 8 }, 3, 10 },
    };
    g_autofree char *path = NULL;
    g_autofree char *fdt = NULL;
    Device *dev;
    unsigned i, n;
    int len;

    board_with_kernel(6 * GIB);
    machine->cpus = 12;
    for (i = 0; i < 4; i++) {
        g_autofree char *id = g_strdup_printf("s%u", i);

        board_add_serial(id, "null");
    }
    path = g_build_filename(dir, "dtb", NULL);
    expect(machine_set(machine, "dumpdtb", path, &err), "dumpdtb");
    board_init();
    dev = machine_add_device(machine, "isa-debug-exit", NULL, &err);
    expect(dev && dev->type->plug(dev, machine, &err), "isa-debug-exit");
    expect(machine_plug(machine, "isa-serial,iobase=0x300,irq=10", &err), "UART");
    board_prepare();
    expect(g_file_get_contents(path, &fdt, NULL, NULL), "no %s", path);
    expect(fdt_node_check_compatible(fdt, fdt_path_offset(fdt,
                                                          "/isa/isa-serial@300"),
                                     "ns16550a") == 0, "a UART of a user's own");
    for (i = 0; i < G_N_ELEMENTS(nodes); i++) {
        int node = fdt_path_offset(fdt, nodes[i].path);
        const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);
        const fdt32_t *irq;

        expect(node >= 0 && reg, "no %s", nodes[i].path);
        expect(len == (int)nodes[i].reg_nr * 4, "%s: reg of %d bytes",
               nodes[i].path, len);
        for (n = 0; n < nodes[i].reg_nr; n++) {
            expect(fdt32_to_cpu(reg[n]) == nodes[i].reg[n],
                   "%s: cell %u is 0x%x, not 0x%x", nodes[i].path, n,
                   fdt32_to_cpu(reg[n]), nodes[i].reg[n]);
        }
        irq = fdt_getprop(fdt, node, "interrupts", &len);
        expect((nodes[i].irq < 0) == !irq, "%s: interrupts", nodes[i].path);
        expect(!irq || fdt32_to_cpu(*irq) == (uint32_t)nodes[i].irq,
               "%s: interrupt %u", nodes[i].path, irq ? fdt32_to_cpu(*irq) : 0);
    }
    expect(fdt_path_offset(fdt, "/cpus/cpu@c") < 0, "a CPU too many");
    board_free();

    /* And without dumpdtb it is in setup_data. */
    board_with_kernel(64 * MIB);
    board_init();
    board_prepare();
    expect_hex(guest(guest(0x7250, 8) + 8, 4), 2);
    expect_hex(guest(guest(0x7250, 8) + 16, 4), 0xedfe0dd0);
    board_free();
}
END_TEST

/* Making and freeing a board leaves nothing behind: the next one is the same. */
START_TEST(many_lives)
{
    unsigned i;

    for (i = 0; i < 20; i++) {
        board_with_kernel(64 * MIB);
        board_add_serial("a", "null");
        board_init();
        board_prepare();
        machine_reset(machine);
        board_free();
    }
}
END_TEST

TEST_MAIN("microvm", memory_map, port_map, bios, refusals, memory_as_told,
          tables_and_reset, used_memory, device_tree, many_lives)
