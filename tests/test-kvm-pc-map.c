/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU on the board pc: what it reads, writes and runs where PAM, SMRAM, BARs and
 * flash decide, each step against a table, with the flat view beside it. Needs KVM.
 */
#include <string.h>
#include <unistd.h>

#include "hw/i386/pc.h"
#include "tests/kvm-robot.h"

#define KIB 1024u
#define MIB (1024u * KIB)

#define PAM 0x59
#define SMRAM 0x72
#define SLOT4 0x20
#define BAR0 0x10
#define COMMAND 0x04
#define MMIO 0x6f696d6d /* "mmio", at 0x10 of pci-testdev's BAR when test 0 is on */

static Machine *machine;
static PCMachine *pc;
static MemoryRegion all_memory, all_ports; /* the board's, in the robot's spaces */
static char *file; /* firmware, or flash */

/* ---- the world ------------------------------------------------------------------- */

static GError *err;

/* The board in place of the robot's own RAM, with @image as firmware or flash. */
static void world_new(Robot *r, const void *image, size_t size, bool flash,
                      const char *device)
{
    int fd = g_file_open_tmp("flatview-kvm-pc-XXXXXX", &file, NULL);
    uint8_t *own = r->host;

    expect(fd >= 0, "no file");
    close(fd);
    expect(g_file_set_contents(file, image, size, NULL), "%s", file);
    machine = machine_new(machine_type_find("pc", NULL));
    pc = (PCMachine *)machine;
    machine->ram_size = 16 * MIB;
    if (flash) {
        FlashSetting *setting = g_new0(FlashSetting, 1);

        setting->unit = -1;
        setting->file = g_strdup(file);
        g_ptr_array_add(machine->flash, setting);
    } else {
        machine->bios = g_strdup(file);
    }
    expect(machine_init(machine, &err) &&
               (!device || machine_plug(machine, device, &err)) &&
               machine_prepare(machine, &err),
           "%s", err ? err->message : "?");
    memory_lock();
    machine_reset(machine);
    memory_unlock();

    memory_region_del_subregion(&r->memory_root, &r->ram);
    memory_region_init_alias(&all_memory, "board", &machine->memory_root, 0,
                             UINT64_MAX);
    memory_region_add_subregion(&r->memory_root, 0, &all_memory);
    memory_region_init_alias(&all_ports, "board-ports", &machine->ports_root, 0,
                             0x10000);
    memory_region_add_subregion(&r->ports_root, 0, &all_ports);
    r->host = memory_region_get_ram_ptr(&machine->ram);
    memcpy(r->host + ROBOT_BASE, own + ROBOT_BASE, ROBOT_FREE - ROBOT_BASE);
}

static void world_free(Robot *r)
{
    memory_region_del_subregion(&r->memory_root, &all_memory);
    memory_region_destroy(&all_memory);
    memory_region_del_subregion(&r->ports_root, &all_ports);
    memory_region_destroy(&all_ports);
    memory_region_add_subregion(&r->memory_root, 0, &r->ram);
    machine_free(machine);
    unlink(file);
    g_clear_pointer(&file, g_free);
}

static void world_test_cpus(const void *image, size_t size, bool flash,
                            const char *device, unsigned cpus, void (*script)(Robot *r))
{
    Robot r;

    robot_init(&r);
    r.cpus = cpus;
    world_new(&r, image, size, flash, device);
    ck_assert_int_eq(robot_run(&r, script), 0);
    world_free(&r);
    robot_destroy(&r);
}

static void world_test(const void *image, size_t size, bool flash, const char *device,
                       void (*script)(Robot *r))
{
    world_test_cpus(image, size, flash, device, 1, script);
}

static void config_set(Robot *r, unsigned devfn, unsigned reg, uint32_t value,
                       unsigned size)
{
    robot_out(r, 0xcf8, 4, 0x80000000 | devfn << 8 | (reg & 0xfc));
    robot_out(r, 0xcfc + reg % 4, size, value);
}

static uint32_t config_get(Robot *r, unsigned devfn, unsigned reg, unsigned size)
{
    robot_out(r, 0xcf8, 4, 0x80000000 | devfn << 8 | (reg & 0xfc));
    return robot_in(r, 0xcfc + reg % 4, size);
}

/* ---- the flat view ----------------------------------------------------------------- */

static int append(void *opaque, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

static int append(void *opaque, const char *fmt, ...)
{
    va_list list;

    va_start(list, fmt);
    g_string_append_vprintf(opaque, fmt, list);
    va_end(list);
    return 0;
}

/* `info mtree -f` has exactly these lines for what begins from @first on, and before
 * @end; each is "FIRST-LAST TYPE NAME OFFSET". */
static void expect_flat(hwaddr first, hwaddr end, const char *const *lines)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *at;

    mtree_info_flags((fprintf_function)append, text, MTREE_FLAT);
    at = strstr(text->str, "flat-view: memory\n");
    expect(at, "no view of memory in\n%s", text->str);
    at = strchr(at, '\n') + 1;
    for (; *at == ' '; at = strchr(at, '\n') + 1) {
        uint64_t from, to, offset;
        char type[16], name[64];
        g_autofree char *line = NULL;

        expect(sscanf(at, " %" SCNx64 "-%" SCNx64 " (%15[^)]): %63s @%" SCNx64, &from,
                      &to, type, name, &offset) == 5, "'%.80s'", at);
        if (from < first || from >= end) {
            continue;
        }
        line = g_strdup_printf("%" PRIx64 "-%" PRIx64 " %s %s %" PRIx64, from, to,
                               type, name, offset);
        expect(*lines && strcmp(line, *lines) == 0, "'%s', not '%s', in\n%s", line,
               *lines ? *lines : "the end", text->str);
        lines++;
    }
    expect(!*lines, "'%s' is missing in\n%s", *lines, text->str);
}

#define FLAT(first, end, ...)                                                       \
    expect_flat(first, end, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- PAM --------------------------------------------------------------------------- */

/* Firmware: recognisable bytes, and at each 16 KiB code that returns a number. */
#define BIOS_SIZE (256 * KIB)
#define BIOS_ID 5
#define CODE_SIZE 6

static uint8_t bios[BIOS_SIZE];

static void put_code(uint8_t *to, uint32_t value)
{
    to[0] = 0xb8; /* mov $value, %eax */
    memcpy(to + 1, &value, 4);
    to[5] = 0xc3; /* ret */
}

static void make_bios(void)
{
    content_fill(bios, BIOS_ID, 0, BIOS_SIZE);
    for (unsigned at = 0; at < BIOS_SIZE; at += 16 * KIB) {
        put_code(bios + at, 0x80000000 | at);
    }
}

static hwaddr segment_base(unsigned n)
{
    return n == 0 ? 0xf0000 : 0xc0000 + (n - 1) * 0x4000;
}

static void set_state(Robot *r, unsigned n, unsigned state)
{
    unsigned reg = PAM + (n + 1) / 2;
    unsigned shift = (n + 1) % 2 * 4;
    uint8_t value = config_get(r, 0, reg, 1);

    config_set(r, 0, reg, (value & ~(3u << shift)) | state << shift, 1);
}

/* What the view says of segment @n alone in @state. */
static void expect_segment(unsigned n, unsigned state)
{
    hwaddr base = segment_base(n);
    hwaddr last = base + (n ? 0x3fff : 0xffff);
    bool low = base < 0xe0000;
    g_autofree char *shadow = g_strdup_printf("%" PRIx64 "-%" PRIx64 " romd pam-shadow "
                                              "%" PRIx64, base, last, base - 0xc0000);
    g_autofree char *reverse = g_strdup_printf(
        "%" PRIx64 "-%" PRIx64 " romd pam-reverse-rom %" PRIx64, base, last,
        base - (low ? 0xc0000 : 0xe0000));

    switch (state) {
    case 1:
        FLAT(base, last + 1, shadow);
        break;
    case 2:
        FLAT(base, last + 1, reverse);
        break;
    default: /* what is on either side may be the same */
        memory_lock();
        for (hwaddr addr = base; addr < last; addr += 0x1000) {
            MemoryRegionSection s = memory_region_find(machine->memory.root, addr, 1);
            const char *name = memory_region_name(s.mr);

            expect(strcmp(name, state == 3 ? "ram" : low ? "pc.rom" : "pc.bios") == 0,
                   "'%s' at 0x%" PRIx64 " in state %u", name, addr, state);
        }
        memory_unlock();
        break;
    }
}

/* Every state of every segment; in each, a read, a write and a run. */
static void pam_script(Robot *r)
{
    robot_wait_alive(r, 0);
    for (unsigned n = 0; n < 13; n++) {
        hwaddr base = segment_base(n);
        uint8_t *ram = r->host + base;
        uint64_t rom = base < 0xe0000 ? 0
                     : content_value(BIOS_ID, base + BIOS_SIZE + 0x100 - MIB, 8);

        put_code(ram, 0x40000000 | base);
        content_fill(ram + 0x100, n, 0, 16);
        for (unsigned state = 0; state < 4; state++) {
            uint64_t before, value = 0x1122334455667700 + state;

            set_state(r, n, state);
            expect_segment(n, state);
            before = __atomic_load_n((uint64_t *)(ram + 0x100), __ATOMIC_ACQUIRE);
            expect_hex(robot_read(r, base + 0x100, 8), state & 1 ? before : rom);
            robot_write(r, base + 0x100, 8, value);
            expect_hex(__atomic_load_n((uint64_t *)(ram + 0x100), __ATOMIC_ACQUIRE),
                       state & 2 ? value : before);
            expect_hex(robot_read(r, base + 0x100, 8),
                       !(state & 1) ? rom : state & 2 ? value : before);
            if (state & 1) {
                expect_hex(robot_do_op(r, 0, .code = ROBOT_CALL, .addr = base),
                           0x40000000 | base);
            } else if (base >= 0xe0000) {
                expect_hex(robot_do_op(r, 0, .code = ROBOT_CALL, .addr = base),
                           0x80000000 | (base + BIOS_SIZE - MIB));
            }
        }
        set_state(r, n, 0);
    }
    robot_expect_no_unassigned(r);
}

START_TEST(pam)
{
    make_bios();
    world_test(bios, BIOS_SIZE, false, NULL, pam_script);
}
END_TEST

/* What firmware does: copies itself onto itself, then protects the copy. */
static void shadow_script(Robot *r)
{
    robot_wait_alive(r, 0);
    FLAT(0xa0000, 0x100000, "c0000-dffff rom pc.rom 0", "e0000-fffff rom pc.bios 20000");
    config_set(r, 0, PAM, 0x20, 1); /* reads PCI, writes RAM: the last 64 KiB */
    FLAT(0xa0000, 0x100000, "c0000-dffff rom pc.rom 0", "e0000-effff rom pc.bios 20000",
         "f0000-fffff romd pam-reverse-rom 10000");
    robot_do_op(r, 0, .code = ROBOT_READ_REP, .size = 8, .addr = 0xf0000,
                .value = 0xf0000, .count = 64 * KIB / 8);
    config_set(r, 0, PAM, 0x10, 1);
    FLAT(0xa0000, 0x100000, "c0000-dffff rom pc.rom 0", "e0000-effff rom pc.bios 20000",
         "f0000-fffff romd pam-shadow 30000");
    expect(memcmp(r->host + 0xf0000, bios + BIOS_SIZE - 64 * KIB, 64 * KIB) == 0,
           "the copy is not one");
    robot_write(r, 0xf0000, 4, 0);
    expect_hex(robot_do_op(r, 0, .code = ROBOT_CALL, .addr = 0xf0000),
               0x80000000 | (BIOS_SIZE - 64 * KIB));
    config_set(r, 0, PAM, 0x30, 1);
    FLAT(0, 0x100000, "0-bffff ram ram 0", "c0000-dffff rom pc.rom 0",
         "e0000-effff rom pc.bios 20000", "f0000-ffffff ram ram f0000");
    robot_write(r, 0xf0001, 4, 0x12345678);
    expect_hex(robot_do_op(r, 0, .code = ROBOT_CALL, .addr = 0xf0000), 0x12345678);
    robot_expect_no_unassigned(r);
}

START_TEST(shadow)
{
    make_bios();
    world_test(bios, BIOS_SIZE, false, NULL, shadow_script);
}
END_TEST

/* ---- BARs, SMRAM ------------------------------------------------------------------- */

/* Where the BAR of 4 KiB is put, and what is then read 0x10 bytes into that place. */
static const struct {
    uint32_t addr;
    bool shown;
    const char *flat[2];
} places[] = {
    { 0xfea00000, true, { "fea00000-fea00fff i/o pci-testdev-mmio 0" } },
    { 0x01000000, true, { "1000000-1000fff i/o pci-testdev-mmio 0" } },
    { 0x00fff000, false, { NULL } },
    { 0x000a0000, true, { "a0000-a0fff i/o pci-testdev-mmio 0" } },
    { 0x000bf000, true, { "bf000-bffff i/o pci-testdev-mmio 0" } },
    { 0x0009f000, false, { NULL } },
    { 0x000d0000, true, { "d0000-d0fff i/o pci-testdev-mmio 0" } },
    { 0xfec01000, true, { "fec01000-fec01fff i/o pci-testdev-mmio 0" } },
    { 0xfed00000, true, { "fed00400-fed00fff i/o pci-testdev-mmio 400" } },
    { 0xc0000000, true, { "c0000000-c0000fff i/o pci-testdev-mmio 0" } },
};

static void bar_at(Robot *r, uint32_t addr)
{
    config_set(r, SLOT4, BAR0, addr, 4);
    config_set(r, SLOT4, COMMAND, 2, 2);
}

static void start_testdev(Robot *r)
{
    bar_at(r, 0xfea00000);
    robot_write(r, 0xfea00000, 1, 0);
    expect_hex(robot_read(r, 0xfea00010, 4), MMIO);
}

static void bar_script(Robot *r)
{
    robot_wait_alive(r, 0);
    start_testdev(r);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
            uint32_t addr = places[i].addr;

            bar_at(r, addr);
            if (places[i].flat[0]) {
                hwaddr from = strtoul(places[i].flat[0], NULL, 16);

                FLAT(from, from + 1, places[i].flat[0]);
            }
            if (addr != 0xfed00000) {
                expect((robot_read(r, addr + 0x10, 4) == MMIO) == places[i].shown,
                       "0x%x", addr);
            }
            config_set(r, SLOT4, COMMAND, 0, 2);
            if (addr != 0xfed00000 && addr < 0xf0000000) {
                expect(robot_read(r, addr + 0x10, 4) != MMIO, "still at 0x%x", addr);
            }
        }
    }
}

START_TEST(bars)
{
    make_bios();
    world_test(bios, BIOS_SIZE, false, "pci-testdev,addr=4", bar_script);
}
END_TEST

static void smram_script(Robot *r)
{
    static const struct {
        uint8_t write, read;
        bool ram;
    } steps[] = {
        { 0x02, 0x02, false }, { 0x42, 0x42, true },  { 0x02, 0x02, false },
        { 0x48, 0x4a, true },  { 0x08, 0x0a, false }, { 0x68, 0x6a, true },
        { 0x5a, 0x1a, false }, { 0x4a, 0x1a, false }, { 0x00, 0x1a, false },
        { 0x20, 0x3a, false },
    };
    uint32_t value = 0x10203040;

    robot_wait_alive(r, 0);
    start_testdev(r);
    bar_at(r, 0xa0000);
    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        config_set(r, 0, SMRAM, steps[i].write, 1);
        expect_hex(config_get(r, 0, SMRAM, 1), steps[i].read);
        if (steps[i].ram) {
            FLAT(0, 0xc0000, "0-bffff ram ram 0");
            robot_write(r, 0xa0010, 4, ++value);
            expect_hex(robot_read(r, 0xa0010, 4), value);
        } else {
            FLAT(0, 0xc0000, "0-9ffff ram ram 0",
                 "a0000-a0fff i/o pci-testdev-mmio 0", "a1000-bffff ram ram a1000");
            expect_hex(robot_read(r, 0xa0010, 4), MMIO);
        }
        expect_hex(*(uint32_t *)(r->host + 0xa0010),
                   i == 0 ? 0 : value);
    }
    robot_expect_no_unassigned(r);
}

START_TEST(smram)
{
    make_bios();
    world_test(bios, BIOS_SIZE, false, "pci-testdev,addr=4", smram_script);
}
END_TEST

/* ---- flash ------------------------------------------------------------------------- */

#define FLASH 0xfffe0000u
#define FLASH_SIZE (128 * KIB)

static void flash_script(Robot *r)
{
    uint64_t content = content_value(BIOS_ID, 0x100, 8);

    robot_wait_alive(r, 0);
    FLAT(FLASH, FLASH + 1, "fffe0000-ffffffff romd system.flash0 0");
    expect_hex(robot_read(r, FLASH + 0x100, 8), content);
    expect_hex(robot_read(r, 0xe0100, 8), content);
    expect_hex(robot_do_op(r, 0, .code = ROBOT_CALL, .addr = FLASH),
               0x80000000);

    robot_write(r, FLASH, 1, 0x70); /* what is read now is the status */
    FLAT(FLASH, FLASH + 1, "fffe0000-ffffffff i/o system.flash0 0");
    expect_hex(robot_read(r, FLASH + 0x100, 1), 0x80);
    robot_write(r, FLASH, 1, 0xff);
    FLAT(FLASH, FLASH + 1, "fffe0000-ffffffff romd system.flash0 0");
    expect_hex(robot_read(r, FLASH + 0x100, 8), content);

    robot_write(r, FLASH + 0x100, 1, 0x40); /* program a byte: bits become 0 */
    robot_write(r, FLASH + 0x100, 1, 0x0f);
    FLAT(FLASH, FLASH + 1, "fffe0000-ffffffff i/o system.flash0 0");
    robot_write(r, FLASH, 1, 0xff);
    expect_hex(robot_read(r, FLASH + 0x100, 8), content & ~0xf0ull);
    expect_hex(robot_read(r, 0xe0100, 8), content & ~0xf0ull);

    config_set(r, 0, 0x5e, 0x02, 1); /* 0xe0000: reads PCI, writes RAM */
    robot_write(r, 0xe0100, 8, 0x55);
    expect_hex(robot_read(r, 0xe0100, 8), content & ~0xf0ull);
    expect_hex(*(uint64_t *)(r->host + 0xe0100), 0x55);
    robot_expect_no_unassigned(r);
}

START_TEST(flash)
{
    make_bios();
    world_test(bios, FLASH_SIZE, true, NULL, flash_script);
}
END_TEST

/* ---- several vCPUs ------------------------------------------------------------------- */

#define CHANGES 300
#define VALUES 0x48000 /* in RAM: what is written to registers */
#define COUNTER (2 * MIB)

/* Two vCPUs change the map at once, each its own byte of 0x58, SMRAM's register or the
 * flash's mode, while a third counts in RAM that is one piece with what changes. */
static void together_script(Robot *r)
{
    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    robot_start_cpu(r, 2);
    robot_post(r, 2, (RobotOp){ .code = ROBOT_COUNT_UP, .size = 8, .addr = COUNTER,
                                .count = ROBOT_RUN_ALWAYS });
    for (unsigned i = 0; i < CHANGES; i++) {
        r->host[VALUES + i] = 0x11 * (i * 7 % 4);
        r->host[VALUES + CHANGES + i] = 0x11 * (i * 5 % 3);
    }
    robot_out(r, 0xcf8, 4, 0x80000058);
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT_REP, .size = 1, .addr = 0xcfe,
                                .value = VALUES, .count = CHANGES });
    robot_post(r, 1, (RobotOp){ .code = ROBOT_OUT_REP, .size = 1, .addr = 0xcff,
                                .value = VALUES + CHANGES, .count = CHANGES });
    robot_wait(r, 0);
    robot_wait(r, 1);
    expect_hex(config_get(r, 0, 0x58, 4), 0x11 * ((CHANGES - 1) * 7 % 4) << 16 |
               0x11u * ((CHANGES - 1) * 5 % 3) << 24);
    robot_out(r, 0xcf8, 4, 0x80000070);
    for (unsigned i = 0; i < CHANGES; i++) {
        r->host[VALUES + i] = i % 2 ? 0x4a : 0x0a;
    }
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT_REP, .size = 1, .addr = 0xcfe,
                                .value = VALUES, .count = CHANGES });
    for (unsigned i = 0; i < CHANGES / 4; i++) {
        robot_do_op(r, 1, .code = ROBOT_WRITE, .size = 1, .addr = FLASH,
                    .value = i % 2 ? 0xff : 0x70);
    }
    robot_do_op(r, 1, .code = ROBOT_WRITE, .size = 1, .addr = FLASH, .value = 0xff);
    robot_wait(r, 0);
    expect_hex(config_get(r, 0, SMRAM, 1), 0x4a);
    FLAT(FLASH, FLASH + 1, "fffe0000-ffffffff romd system.flash0 0");
    expect_hex(robot_stop(r, 2, 100).result, 0);
    robot_expect_no_unassigned(r);
}

START_TEST(together)
{
    make_bios();
    world_test_cpus(bios, FLASH_SIZE, true, NULL, 3, together_script);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { pam, shadow, bars, smram, flash, together };

    return robot_main("kvm-pc-map", tests, G_N_ELEMENTS(tests));
}
