/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses of a guest: what a device, or memory, sees of each width and
 * alignment, of strings, of borders, and of the kinds of memory. Needs KVM.
 */
#include <string.h>

#include "tests/kvm-robot.h"

#define PORT 0x1000u
#define MMIO 0xd0000000u

static const unsigned sizes[] = { 1, 2, 4, 8 };

static uint64_t mask(unsigned size)
{
    return size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1;
}

static uint64_t pattern(unsigned size)
{
    return 0x8877665544332211u & mask(size);
}

/* ---- one instruction, one access ------------------------------------------ */

static IoDevice dev, dev2;

static void port_widths(Robot *r)
{
    unsigned s, offset;

    for (s = 0; s < 3; s++) {
        unsigned size = sizes[s];

        for (offset = 0; offset < 4; offset++) {
            char write[64], read[64];

            g_snprintf(write, sizeof(write), "w %x/%u=%" PRIx64, offset, size,
                       pattern(size));
            g_snprintf(read, sizeof(read), "r %x/%u", offset, size);
            robot_out(r, PORT + offset, size, 0x44332211);
            expect_hex(robot_in(r, PORT + offset, size),
                       content_value(1, offset, size));
            robot_expect(&dev, write, read, NULL);
        }
    }
    /* Nothing answers beyond it. */
    expect_hex(robot_in(r, PORT + 0x20, 4), 0xffffffff);
    robot_out(r, PORT + 0x20, 4, 1);
    expect_hex(robot_unassigned(r), 2);
    robot_expect(&dev, NULL);
}

START_TEST(test_port_widths)
{
    Robot r;

    robot_init(&r);
    io_device_init(&dev, 1, "dev", 0x20);
    memory_region_add_subregion(&r.ports_root, PORT, &dev.mr);
    ck_assert_int_eq(robot_run(&r, port_widths), 0);
    memory_region_del_subregion(&r.ports_root, &dev.mr);
    memory_region_destroy(&dev.mr);
    robot_destroy(&r);
}
END_TEST

static void port_strings(Robot *r)
{
    unsigned s, i;

    for (s = 0; s < 3; s++) {
        unsigned size = sizes[s];
        uint8_t *from = r->host + ROBOT_FREE, *to = from + 0x1000;
        uint8_t wanted[5 * 4];

        content_fill(from, 7, 0, 5 * size);
        memset(to, 0xee, 6 * size);
        robot_do_op(r, 0, .code = ROBOT_OUT_REP, .size = size, .addr = PORT + 4,
                    .value = ROBOT_FREE, .count = 5);
        robot_do_op(r, 0, .code = ROBOT_IN_REP, .size = size, .addr = PORT + 8,
                    .value = ROBOT_FREE + 0x1000, .count = 5);
        memory_lock();
        expect(dev.nr_calls == 10, "%u calls of size %u", dev.nr_calls, size);
        for (i = 0; i < 10; i++) {
            const IoCall *call = &dev.calls[i];

            expect(call->is_write == (i < 5) && call->size == size &&
                   call->addr == (i < 5 ? 4 : 8), "call %u of size %u", i, size);
            expect_hex(call->data, i < 5 ? content_value(7, i * size, size) :
                                           content_value(1, 8, size));
        }
        dev.nr_calls = 0;
        memory_unlock();
        for (i = 0; i < 5; i++) {
            content_fill(wanted + i * size, 1, 8, size);
        }
        expect(memcmp(to, wanted, 5 * size) == 0, "strings of size %u", size);
        expect_hex(to[5 * size], 0xee);
    }
    /* None, and one. */
    robot_do_op(r, 0, .code = ROBOT_OUT_REP, .size = 1, .addr = PORT,
                .value = ROBOT_FREE, .count = 0);
    robot_do_op(r, 0, .code = ROBOT_IN_REP, .size = 2, .addr = PORT,
                .value = ROBOT_FREE, .count = 1);
    robot_expect(&dev, "r 0/2", NULL);
}

START_TEST(test_port_strings)
{
    Robot r;

    robot_init(&r);
    io_device_init(&dev, 1, "dev", 0x20);
    memory_region_add_subregion(&r.ports_root, PORT, &dev.mr);
    ck_assert_int_eq(robot_run(&r, port_strings), 0);
    memory_region_del_subregion(&r.ports_root, &dev.mr);
    memory_region_destroy(&dev.mr);
    robot_destroy(&r);
}
END_TEST

/* More than a page's worth of elements: KVM may hand over several at a time. */
static unsigned long_nr;

static uint64_t long_read(void *opaque, hwaddr addr, unsigned size)
{
    return content_value(3, 2 * long_nr++, 2);
}

static void long_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    expect(size == 2 && data == content_value(4, 2 * long_nr, 2),
           "element %u: 0x%" PRIx64 "/%u", long_nr, data, size);
    long_nr++;
}

static const MemoryRegionOps long_ops = {
    .read = long_read,
    .write = long_write,
};

#define LONG 3000

static void long_strings(Robot *r)
{
    uint8_t *memory = r->host + ROBOT_FREE;
    unsigned i;

    robot_do_op(r, 0, .code = ROBOT_IN_REP, .size = 2, .addr = PORT,
                .value = ROBOT_FREE + 1, .count = LONG);
    for (i = 0; i < 2 * LONG; i++) {
        expect(memory[1 + i] == content_byte(3, i), "byte %u", i);
    }
    memory_lock();
    expect_hex(long_nr, LONG);
    long_nr = 0;
    memory_unlock();
    content_fill(memory + 1, 4, 0, 2 * LONG);
    robot_do_op(r, 0, .code = ROBOT_OUT_REP, .size = 2, .addr = PORT,
                .value = ROBOT_FREE + 1, .count = LONG);
    memory_lock();
    expect_hex(long_nr, LONG);
    memory_unlock();
}

START_TEST(test_long_port_strings)
{
    MemoryRegion mr;
    Robot r;

    robot_init(&r);
    memory_region_init_io(&mr, &long_ops, NULL, "long", 2);
    memory_region_add_subregion(&r.ports_root, PORT, &mr);
    ck_assert_int_eq(robot_run(&r, long_strings), 0);
    memory_region_del_subregion(&r.ports_root, &mr);
    memory_region_destroy(&mr);
    robot_destroy(&r);
}
END_TEST

/* Every width at every offset of the first 8 bytes: one access each. */
static void mmio_widths(Robot *r)
{
    unsigned s, offset;
    char sum[64];

    for (s = 0; s < 4; s++) {
        unsigned size = sizes[s];

        for (offset = 0; offset < 8; offset++) {
            char write[64], read[64];

            g_snprintf(write, sizeof(write), "w %x/%u=%" PRIx64, offset, size,
                       pattern(size));
            g_snprintf(read, sizeof(read), "r %x/%u", offset, size);
            robot_write(r, MMIO + offset, size, 0x8877665544332211);
            expect_hex(robot_read(r, MMIO + offset, size),
                       content_value(1, offset, size));
            robot_expect(&dev, write, read, NULL);
        }
    }
    /* A read, then a write, by one instruction. */
    robot_do_op(r, 0, .code = ROBOT_ADD, .addr = MMIO + 4, .size = 2,
                .value = 3);
    g_snprintf(sum, sizeof(sum), "w 4/2=%" PRIx64,
               (content_value(1, 4, 2) + 3) & 0xffff);
    robot_expect(&dev, "r 4/2", sum, NULL);
    robot_expect_no_unassigned(r);
}

/* Over a border of pages KVM makes two exits, of any length. */
static void mmio_page_borders(Robot *r)
{
    robot_write(r, MMIO + 0xfff, 2, 0x2211);
    robot_expect(&dev, "w fff/1=11", "w 1000/1=22", NULL);
    robot_write(r, MMIO + 0xffe, 4, 0x44332211);
    robot_expect(&dev, "w ffe/2=2211", "w 1000/2=4433", NULL);
    robot_write(r, MMIO + 0xfff, 4, 0x44332211);
    robot_expect(&dev, "w fff/1=11", "w 1000/2=3322", "w 1002/1=44", NULL);
    robot_write(r, MMIO + 0xffd, 8, 0x8877665544332211);
    robot_expect(&dev, "w ffd/1=11", "w ffe/2=3322", "w 1000/4=77665544",
                 "w 1004/1=88", NULL);
    expect_hex(robot_read(r, MMIO + 0xffb, 8), content_value(1, 0xffb, 8));
    robot_expect(&dev, "r ffb/1", "r ffc/4", "r 1000/2", "r 1002/1", NULL);
    robot_expect_no_unassigned(r);
}

/* Two devices, RAM, and nothing, side by side in one page. */
static void mmio_region_borders(Robot *r)
{
    expect_hex(robot_read(r, MMIO + 0x1fffe, 4),
               content_value(1, 0x1fffe, 2) | content_value(2, 0, 2) << 16);
    robot_expect(&dev, "r 1fffe/2", NULL);
    robot_expect(&dev2, "r 0/2", NULL);
    robot_write(r, MMIO + 0x2000e, 4, 0x44332211);
    robot_expect(&dev2, "w e/2=2211", NULL);
    expect_hex(robot_unassigned(r), 1);
    expect_hex(robot_read(r, MMIO + 0x2000c, 8),
               content_value(2, 0xc, 4) | 0xffffffff00000000);
    expect_hex(robot_unassigned(r), 2);
    robot_expect(&dev2, "r c/4", NULL);
}

static void mmio_strings(Robot *r)
{
    uint8_t *to = r->host + ROBOT_FREE;
    uint8_t wanted[12];

    memset(to, 0xee, 16);
    content_fill(wanted, 1, 0x20, 12);
    robot_do_op(r, 0, .code = ROBOT_READ_REP, .size = 4, .addr = MMIO + 0x20,
                .value = ROBOT_FREE, .count = 3);
    robot_expect(&dev, "r 20/4", "r 24/4", "r 28/4", NULL);
    expect(memcmp(to, wanted, 12) == 0 && to[12] == 0xee, "content of movs");
    robot_do_op(r, 0, .code = ROBOT_WRITE_REP, .size = 8, .addr = MMIO + 0x40,
                .value = 0x8877665544332211, .count = 2);
    robot_expect(&dev, "w 40/8=8877665544332211", "w 48/8=8877665544332211",
                 NULL);
}

static void mmio_all(Robot *r)
{
    mmio_widths(r);
    mmio_page_borders(r);
    mmio_strings(r);
    mmio_region_borders(r);
}

START_TEST(test_mmio)
{
    Robot r;

    robot_init(&r);
    io_device_init(&dev, 1, "dev", 0x20000);
    io_device_init(&dev2, 2, "dev2", 0x10);
    memory_region_add_subregion(&r.memory_root, MMIO, &dev.mr);
    memory_region_add_subregion(&r.memory_root, MMIO + 0x20000, &dev2.mr);
    ck_assert_int_eq(robot_run(&r, mmio_all), 0);
    memory_region_del_subregion(&r.memory_root, &dev.mr);
    memory_region_del_subregion(&r.memory_root, &dev2.mr);
    memory_region_destroy(&dev.mr);
    memory_region_destroy(&dev2.mr);
    robot_destroy(&r);
}
END_TEST

/* ---- RAM ------------------------------------------------------------------ */

#define HIGH 0x140000000u /* beyond 4 GiB */

static MemoryRegion ram;

/* The guest orders what the vCPU's thread and this one do; a thread checker sees
 * only that they take the lock one after the other, here. */
static void meet(Robot *r)
{
    robot_out(r, PORT, 1, 0);
    robot_expect(&dev, "w 0/1=0", NULL);
}

/* RAM that covers parts of pages: the ragged ends are served by exits, and the
 * guest sees no difference. */
static void ragged_ram(Robot *r)
{
    const hwaddr at[] = { 0, 0xdf0, 0xdfc, 0xe00, 0x1dfd, 0x1df9, 0x2dfc,
                          0x33f8 };
    unsigned i, s;

    for (i = 0; i < G_N_ELEMENTS(at); i++) {
        for (s = 0; s < 4; s++) {
            const hwaddr addr = HIGH + 0x200 + at[i];
            unsigned size = sizes[s];
            uint8_t bytes[8];
            uint64_t value = 0;

            content_fill(bytes, 5, at[i], 8);
            address_space_write(&r->memory, addr, bytes, 8);
            meet(r);
            expect_hex(robot_read(r, addr, size), content_value(5, at[i], size));
            robot_write(r, addr, size, 0x8877665544332211);
            if (size < 8) {
                expect_hex(robot_read(r, addr + size, 1),
                           content_byte(5, at[i] + size));
            }
            meet(r);
            address_space_read(&r->memory, addr, (uint8_t *)&value, size);
            expect_hex(value, pattern(size));
        }
    }
    robot_expect_no_unassigned(r);
    robot_read(r, HIGH + 0x1ff, 1);
    robot_read(r, HIGH + 0x3600, 1);
    expect_hex(robot_unassigned(r), 2);
}

START_TEST(test_ragged_ram)
{
    Robot r;

    robot_init(&r);
    io_device_init(&dev, 1, "dev", 1);
    memory_region_add_subregion(&r.ports_root, PORT, &dev.mr);
    memory_region_init_ram(&ram, "ragged", 0x3400);
    memory_region_add_subregion(&r.memory_root, HIGH + 0x200, &ram);
    ck_assert_int_eq(robot_run(&r, ragged_ram), 0);
    memory_region_del_subregion(&r.memory_root, &ram);
    memory_region_destroy(&ram);
    memory_region_del_subregion(&r.ports_root, &dev.mr);
    memory_region_destroy(&dev.mr);
    robot_destroy(&r);
}
END_TEST

/* ---- ROM, and memory that is read directly -------------------------------- */

static MemoryRegion rom;

static void read_only(Robot *r)
{
    uint8_t *host = memory_region_get_ram_ptr(&rom);
    unsigned s;

    for (s = 0; s < 4; s++) {
        unsigned size = sizes[s];

        expect_hex(robot_read(r, MMIO + 0x108, size),
                   content_value(6, 0x108, size));
        robot_write(r, MMIO + 0x108, size, pattern(size));
        expect_hex(robot_read(r, MMIO + 0x108, size),
                   content_value(6, 0x108, size));
        expect_hex(host[0x108], content_byte(6, 0x108));
    }
    /* While running, it becomes RAM and ROM again. */
    memory_region_set_readonly(&rom, false);
    robot_write(r, MMIO + 0x108, 4, 0x44332211);
    expect_hex(robot_read(r, MMIO + 0x108, 4), 0x44332211);
    memory_region_set_readonly(&rom, true);
    robot_write(r, MMIO + 0x108, 4, 0);
    expect_hex(robot_read(r, MMIO + 0x108, 4), 0x44332211);
    expect_hex(*(uint32_t *)(host + 0x108), 0x44332211);
}

START_TEST(test_rom)
{
    Robot r;

    robot_init(&r);
    memory_region_init_rom(&rom, "rom", 0x2000);
    content_fill(memory_region_get_ram_ptr(&rom), 6, 0, 0x2000);
    memory_region_add_subregion(&r.memory_root, MMIO, &rom);
    ck_assert_int_eq(robot_run(&r, read_only), 0);
    memory_region_del_subregion(&r.memory_root, &rom);
    memory_region_destroy(&rom);
    robot_destroy(&r);
}
END_TEST

static void rom_device(Robot *r)
{
    unsigned round;

    for (round = 0; round < 3; round++) {
        char write[64];

        /* Reads go to memory, which the device does not see; writes to it. */
        expect_hex(robot_read(r, MMIO + 8, 8), content_value(6, 8, 8));
        robot_expect(&dev, NULL);
        robot_write(r, MMIO + 8, 4, 0x44332211);
        robot_expect(&dev, "w 8/4=44332211", NULL);
        expect_hex(robot_read(r, MMIO + 8, 4), content_value(6, 8, 4));
        robot_expect(&dev, NULL);
        robot_do_op(r, 0, .code = ROBOT_ADD, .addr = MMIO + 16, .size = 1,
                    .value = 1);
        g_snprintf(write, sizeof(write), "w 10/1=%x", content_byte(6, 16) + 1);
        robot_expect(&dev, write, NULL);

        memory_region_rom_device_set_readable(&rom, false);
        expect_hex(robot_read(r, MMIO + 8, 8), content_value(1, 8, 8));
        robot_write(r, MMIO + 8, 1, 0x55);
        robot_expect(&dev, "r 8/8", "w 8/1=55", NULL);

        memory_region_rom_device_set_readable(&rom, true);
    }
    /* Switched under a vCPU that reads all the time: either of the two. */
    robot_post(r, 0, (RobotOp){ .code = ROBOT_HAMMER, .addr = MMIO, .size = 4,
                                .value = content_value(6, 0, 4),
                                .value2 = content_value(1, 0, 4) });
    for (round = 0; round < test_number("FLATVIEW_ROUNDS", 100); round++) {
        memory_region_rom_device_set_readable(&rom, round % 2);
    }
    robot_stop(r, 0, 1000);
    robot_expect_no_unassigned(r);
    memory_lock();
    dev.nr_calls = 0;
    memory_unlock();
}

START_TEST(test_rom_device)
{
    Robot r;

    robot_init(&r);
    io_device_init(&dev, 1, "dev", 16); /* its callbacks are what is wanted */
    memory_region_init_rom_device(&rom, &io_device_ops, &dev, "romd", 0x2000);
    content_fill(memory_region_get_ram_ptr(&rom), 6, 0, 0x2000);
    memory_region_add_subregion(&r.memory_root, MMIO, &rom);
    ck_assert_int_eq(robot_run(&r, rom_device), 0);
    memory_region_del_subregion(&r.memory_root, &rom);
    memory_region_destroy(&rom);
    memory_region_destroy(&dev.mr);
    robot_destroy(&r);
}
END_TEST

ROBOT_MAIN("kvm-access", test_port_widths, test_port_strings,
           test_long_port_strings, test_mmio, test_ragged_ram, test_rom,
           test_rom_device)
