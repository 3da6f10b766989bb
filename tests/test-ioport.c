/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports: the in and out instructions, and port lists with gaps, several widths
 * at one port, neighbours, moves, and mistakes.
 */
#include <string.h>

#include "ioport.h"
#include "memory-internal.h"
#include "test-util.h"

/* ---- a port space, and a device that records what reaches it ------------- */

static MemoryRegion space;
static AddressSpace ports;

static char calls[1024];

static void expect_calls(const char *wanted)
{
    expect(!strcmp(calls, wanted), "calls were '%s', not '%s'", calls, wanted);
    calls[0] = '\0';
}

static void record(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
static void record(const char *fmt, ...)
{
    size_t n = strlen(calls);
    va_list ap;

    va_start(ap, fmt);
    g_vsnprintf(calls + n, sizeof(calls) - n, fmt, ap);
    va_end(ap);
}

#define DEFINE_PORT_CALLBACKS(letter, answer)                                  \
    static uint32_t read_##letter(void *opaque, uint32_t port)                 \
    {                                                                          \
        expect(opaque == &space, "another opaque");                            \
        expect(memory_lock_held(), "without the lock");                        \
        record(#letter "%x ", port);                                           \
        return (answer) + port;                                                \
    }                                                                          \
    static void write_##letter(void *opaque, uint32_t port, uint32_t value)    \
    {                                                                          \
        expect(opaque == &space, "another opaque");                            \
        record(#letter "%x=%x ", port, value);                                 \
    }

DEFINE_PORT_CALLBACKS(b, 0)
DEFINE_PORT_CALLBACKS(w, 0x1000)
DEFINE_PORT_CALLBACKS(l, 0xabcd0000)

static void space_setup(void)
{
    memory_region_init(&space, "ports", IOPORTS);
    address_space_init(&ports, &space);
}

static void space_teardown(void)
{
    address_space_destroy(&ports);
    memory_region_destroy(&space);
}

/* ---- the tests ----------------------------------------------------------- */

START_TEST(instructions)
{
    MemoryRegion ram;
    uint8_t *host;

    space_setup();
    memory_region_init_ram(&ram, "ram", 0x1000);
    memory_region_add_subregion(&space, 0x1000, &ram);
    host = memory_region_get_ram_ptr(&ram);
    cpu_outb(&ports, 0x1000, 0x11);
    cpu_outw(&ports, 0x1001, 0x3322);
    cpu_outl(&ports, 0x1003, 0x77665544);
    expect(!memcmp(host, "\x11\x22\x33\x44\x55\x66\x77", 8), "bytes");
    expect_hex(cpu_inb(&ports, 0x1000), 0x11);
    expect_hex(cpu_inw(&ports, 0x1001), 0x3322);
    expect_hex(cpu_inl(&ports, 0x1003), 0x77665544);

    /* Nobody there; half there; past the last port. */
    expect_hex(cpu_inb(&ports, 0), 0xff);
    expect_hex(cpu_inw(&ports, 0), 0xffff);
    expect_hex(cpu_inl(&ports, 0), 0xffffffff);
    expect_hex(cpu_inl(&ports, 0x0ffe), 0x2211ffff);
    expect_hex(cpu_inl(&ports, 0xffff), 0xffffffff);
    expect_hex(cpu_inw(&ports, 0x11000), 0xffff);
    cpu_outl(&ports, 0xffff, 0);
    cpu_outb(&ports, UINT32_MAX, 0);
    memory_region_del_subregion(&space, &ram);
    memory_region_destroy(&ram);
    space_teardown();
}
END_TEST

/* Like the command block of a disk: bytes everywhere, wider data at the first
 * port; not in order of offsets. */
static const MemoryRegionPortio disk[] = {
    { 1, 7, 1, read_b, write_b },
    { 0, 1, 4, read_l, write_l },
    { 0, 1, 1, read_b, write_b },
    { 0, 1, 2, read_w, write_w },
    PORTIO_END_OF_LIST(),
};

START_TEST(several_widths)
{
    PortioList list;
    Recorder *r;

    space_setup();
    r = recorder_new(&ports, 0, false);
    portio_list_init(&list, disk, &space, "disk");
    recorder_expect_map(r, NULL);
    portio_list_add(&list, &space, 0x1f0);
    recorder_expect_map(r, "disk 1f0-1f7 @1f0", NULL);

    expect_hex(cpu_inb(&ports, 0x1f0), 0xf0);
    expect_hex(cpu_inb(&ports, 0x1f7), 0xf7);
    expect_hex(cpu_inw(&ports, 0x1f0), 0x11f0);
    expect_hex(cpu_inl(&ports, 0x1f0), 0xabcd01f0);
    expect_calls("b1f0 b1f7 w1f0 l1f0 ");
    expect_hex(cpu_inw(&ports, 0x1f2), 0xf3f2);
    expect_hex(cpu_inl(&ports, 0x1f3), 0xf6f5f4f3);
    expect_calls("b1f2 b1f3 b1f3 b1f4 b1f5 b1f6 ");
    expect_hex(cpu_inw(&ports, 0x1ef), 0xf0ff);
    expect_hex(cpu_inw(&ports, 0x1f7), 0xfff7);
    expect_calls("b1f0 b1f7 ");
    cpu_outb(&ports, 0x1f6, 0xa0);
    cpu_outw(&ports, 0x1f0, 0x1234);
    cpu_outl(&ports, 0x1f0, 0x12345678);
    cpu_outw(&ports, 0x1f1, 0xbbaa);
    expect_calls("b1f6=a0 w1f0=1234 l1f0=12345678 b1f1=aa b1f2=bb ");

    portio_list_del(&list);
    recorder_expect_map(r, NULL);
    expect_hex(cpu_inb(&ports, 0x1f0), 0xff);
    portio_list_add(&list, &space, 0x170);
    recorder_expect_map(r, "disk 170-177 @170", NULL);
    expect_hex(cpu_inl(&ports, 0x170), 0xabcd0170);
    expect_calls("l170 ");
    portio_list_destroy(&list); /* while it is added */
    recorder_expect_map(r, NULL);
    recorder_free(r);
    space_teardown();
}
END_TEST

/* Gaps belong to others, who may be there before or come later. */
START_TEST(gaps)
{
    static const MemoryRegionPortio entries[] = {
        { 8, 2, 1, read_b, write_b },
        { 0, 2, 1, read_b, NULL },
        { 2, 1, 1, NULL, write_b },
        { 12, 0, 1, read_b, write_b }, /* no ports at all */
        PORTIO_END_OF_LIST(),
    };
    PortioList list;
    Recorder *r;
    IoDevice dev;

    space_setup();
    r = recorder_new(&ports, 0, false);
    io_device_init(&dev, 1, "gap", 5);
    memory_region_add_subregion(&space, 0x303, &dev.mr);
    portio_list_init(&list, entries, &space, "list");
    portio_list_add(&list, &space, 0x300);
    recorder_expect_map(r, "list 300-302 @300", "gap 303-307 @0",
                        "list 308-309 @308", NULL);
    expect_hex(cpu_inb(&ports, 0x302), 0xff); /* write-only */
    cpu_outb(&ports, 0x301, 1);               /* read-only */
    cpu_outb(&ports, 0x302, 2);
    expect_hex(cpu_inb(&ports, 0x309), 9);
    expect_calls("b302=2 b309 ");
    expect_hex(cpu_inb(&ports, 0x303), content_byte(1, 0));
    io_expect(&dev, "r 0/1", NULL);
    portio_list_destroy(&list);
    memory_region_del_subregion(&space, &dev.mr);
    memory_region_destroy(&dev.mr);
    recorder_free(r);
    space_teardown();
}
END_TEST

/* A wide access at the last port of a list reaches over its end: it stays in
 * one piece where nobody is, and the neighbour keeps its ports. */
START_TEST(wide_last_port)
{
    static const MemoryRegionPortio index_and_data[] = {
        { 0, 1, 2, read_w, write_w },
        { 1, 1, 2, read_w, write_w },
        PORTIO_END_OF_LIST(),
    };
    PortioList list;
    Recorder *r;
    IoDevice dev;

    space_setup();
    r = recorder_new(&ports, 0, false);
    portio_list_init(&list, index_and_data, &space, "vbe");
    portio_list_add(&list, &space, 0x1ce);
    recorder_expect_map(r, "vbe 1ce-1d0 @1ce", NULL);
    expect_hex(cpu_inw(&ports, 0x1ce), 0x11ce);
    expect_hex(cpu_inw(&ports, 0x1cf), 0x11cf);
    cpu_outw(&ports, 0x1cf, 0xbeef);
    expect_calls("w1ce w1cf w1cf=beef ");
    expect_hex(cpu_inb(&ports, 0x1d0), 0xff);

    io_device_init(&dev, 1, "neighbour", 1); /* no overlap is reported */
    memory_region_add_subregion(&space, 0x1d0, &dev.mr);
    recorder_expect_map(r, "vbe 1ce-1cf @1ce", "neighbour 1d0-1d0 @0", NULL);
    expect_hex(cpu_inb(&ports, 0x1d0), content_byte(1, 0));
    io_expect(&dev, "r 0/1", NULL);

    portio_list_del(&list);
    portio_list_add(&list, &space, 0xfffe); /* the reach is cut off */
    recorder_expect_map(r, "neighbour 1d0-1d0 @0", "vbe fffe-ffff @fffe",
                        NULL);
    calls[0] = '\0';
    expect_hex(cpu_inw(&ports, 0xfffe), 0x0ffe);
    expect_calls("wfffe ");
    portio_list_destroy(&list);
    memory_region_del_subregion(&space, &dev.mr);
    memory_region_destroy(&dev.mr);
    recorder_free(r);
    space_teardown();
}
END_TEST

START_TEST(empty_list)
{
    static const MemoryRegionPortio none[] = { PORTIO_END_OF_LIST() };
    PortioList list;

    space_setup();
    portio_list_init(&list, none, NULL, "none");
    portio_list_del(&list); /* not added: nothing to do */
    portio_list_add(&list, &space, 0);
    expect_hex(cpu_inb(&ports, 0), 0xff);
    portio_list_destroy(&list);
    space_teardown();
}
END_TEST

START_TEST(mistakes)
{
    PortioList list, other;

    space_setup();
    portio_list_init(&list, disk, &space, "disk");
    EXPECT_ERROR(portio_list_add(&list, &space, 0xfff9), "disk", "ports");
    EXPECT_ERROR(portio_list_add(&list, &space, UINT32_MAX), "disk", "ports");
    expect_hex(cpu_inb(&ports, 0xfff9), 0xff);
    portio_list_add(&list, &space, 0xfff8);
    expect_hex(cpu_inb(&ports, 0xffff), 0xff);
    expect_hex(cpu_inb(&ports, 0xfffe), 0xfe);
    expect_calls("bffff bfffe ");
    EXPECT_ERROR(portio_list_add(&list, &space, 0x100), "disk", "ports");
    expect_hex(cpu_inb(&ports, 0x101), 0xff);
    EXPECT_ERROR(portio_list_add(&list, &space, 0xfff9), "disk", "ports");
    expect_hex(cpu_inb(&ports, 0xfffd), 0xfd);
    expect_calls("bfffd ");

    /* Two lists at the same ports. */
    portio_list_init(&other, disk, &space, "other");
    EXPECT_ERROR(portio_list_add(&other, &space, 0xfff1), "disk", "other");
    portio_list_destroy(&list);
    portio_list_destroy(&other);
    space_teardown();
}
END_TEST

/* From its own callback, or inside a transaction, a list can be moved. */
static PortioList moving;
static uint32_t moving_to;

static void write_move(void *opaque, uint32_t port, uint32_t value)
{
    portio_list_del(&moving);
    portio_list_add(&moving, &space, moving_to);
}

START_TEST(moves_itself)
{
    static const MemoryRegionPortio entries[] = {
        { 0, 8, 1, read_b, write_move },
        { 0, 1, 2, NULL, write_w },
        PORTIO_END_OF_LIST(),
    };
    Recorder *r;

    space_setup();
    r = recorder_new(&ports, 0, false);
    portio_list_init(&moving, entries, &space, "moving");
    portio_list_add(&moving, &space, 0x100);
    moving_to = 0x200;
    cpu_outb(&ports, 0x100, 0);
    recorder_expect_map(r, "moving 200-207 @200", NULL);
    expect_hex(cpu_inb(&ports, 0x203), 3);

    /* In the first half of an access: the second is not there any more. */
    moving_to = 0x300;
    cpu_outw(&ports, 0x202, 0);
    recorder_expect_map(r, "moving 300-307 @300", NULL);

    memory_region_transaction_begin();
    portio_list_del(&moving);
    portio_list_add(&moving, &space, 0x400);
    portio_list_del(&moving);
    portio_list_add(&moving, &space, 0x500);
    memory_region_transaction_commit();
    recorder_expect_map(r, "moving 500-507 @500", NULL);
    calls[0] = '\0';
    cpu_outw(&ports, 0x500, 0x1234);
    expect_calls("w500=1234 ");
    portio_list_destroy(&moving);
    recorder_free(r);
    space_teardown();
}
END_TEST

TEST_MAIN("ioport", instructions, several_widths, gaps, wide_last_port,
          empty_list, mistakes, moves_itself)
