/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access to one I/O region: refusals, old kinds of callbacks, doorbells,
 * re-entry and flushing. Sizes and alignments are tested in test-access.c.
 */
#include <string.h>

#include "memory-internal.h"
#include "test-util.h"

static const MemTxAttrs some_attrs = { .requester_id = 0x1234 };

/* ---- who may ------------------------------------------------------------- */

static bool accepts_called;

static bool accept_even_bytes(void *opaque, hwaddr addr, unsigned size,
                              bool is_write)
{
    accepts_called = true;
    return size == 1 && (is_write ? addr % 4 == 0 : addr % 2 == 0);
}

START_TEST(accepts_has_the_last_word)
{
    IoDevice dev;
    MemoryRegionOps ops = { .read = io_plain_ops.read,
                            .write = io_plain_ops.write };
    uint64_t image = 0;

    ops.valid.accepts = accept_even_bytes;
    ops.valid.max_access_size = 2;
    io_device_init(&dev, 1, "dev", 16);
    dev.mr.ops = &ops;
    memory_lock();
    expect(memory_region_dispatch_read(&dev.mr, 2, &image, 1, some_attrs) ==
               MEMTX_OK, "read at 2");
    expect(memory_region_dispatch_write(&dev.mr, 4, 7, 1, some_attrs) ==
               MEMTX_OK, "write at 4");
    io_expect(&dev, "r 2/1", "w 4/1=7", NULL);
    expect(memory_region_dispatch_read(&dev.mr, 3, &image, 1, some_attrs) ==
               MEMTX_ACCESS_ERROR, "read at 3");
    expect_hex(image, 0xff);
    expect(memory_region_dispatch_read(&dev.mr, 2, &image, 2, some_attrs) ==
               MEMTX_ACCESS_ERROR, "read of 2");
    expect_hex(image, 0xffff);
    expect(memory_region_dispatch_write(&dev.mr, 2, 7, 1, some_attrs) ==
               MEMTX_ACCESS_ERROR, "write at 2");
    accepts_called = false;
    expect(memory_region_dispatch_read(&dev.mr, 4, &image, 4, some_attrs) ==
               MEMTX_DECODE_ERROR, "too wide");
    expect_hex(image, 0xffffffff);
    expect(!accepts_called, "asked although the size is refused");
    io_expect(&dev, NULL);
    memory_unlock();
    memory_region_destroy(&dev.mr);
}
END_TEST

/* A device's own result gets through; a failed piece reads as all-ones. */
static MemTxResult fail_second(void *opaque, hwaddr addr, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    *data = 0x11111111;
    return addr == 4 ? MEMTX_ERROR : MEMTX_OK;
}

static MemTxResult fail_first(void *opaque, hwaddr addr, uint64_t *data,
                              unsigned size, MemTxAttrs attrs)
{
    *data = 0x22222222;
    return addr == 0 ? MEMTX_ERROR : MEMTX_OK;
}

static MemTxResult refuse_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    return addr ? MEMTX_ERROR : MEMTX_ACCESS_ERROR;
}

START_TEST(results)
{
    static const MemoryRegionOps ops = {
        .read_with_attrs = fail_second,
        .write_with_attrs = refuse_write,
    };
    static const MemoryRegionOps first = { .read_with_attrs = fail_first };
    MemoryRegion mr;
    uint64_t image;

    memory_region_init_io(&mr, &first, NULL, "mr", 16);
    memory_lock();
    expect(memory_region_dispatch_read(&mr, 0, &image, 8, some_attrs) ==
               MEMTX_ERROR, "first half");
    expect_hex(image, 0x22222222ffffffff);
    mr.ops = &ops;
    expect(memory_region_dispatch_read(&mr, 0, &image, 8, some_attrs) ==
               MEMTX_ERROR, "half");
    expect_hex(image, 0xffffffff11111111);
    expect(memory_region_dispatch_read(&mr, 4, &image, 2, some_attrs) ==
               MEMTX_ERROR, "whole");
    expect_hex(image, 0xffff);
    expect(memory_region_dispatch_write(&mr, 0, 0, 8, some_attrs) ==
               (MEMTX_ERROR | MEMTX_ACCESS_ERROR), "both, or-ed");
    memory_unlock();
    memory_region_destroy(&mr);
}
END_TEST

/* ---- callbacks that are not there ---------------------------------------- */

static uint32_t old_calls[8];
static unsigned old_calls_nr;

static uint32_t old_readb(void *opaque, hwaddr addr)
{
    old_calls[old_calls_nr++] = 0x100 + (uint32_t)addr;
    return 0xffffff00 + (uint32_t)addr;
}

static uint32_t old_readl(void *opaque, hwaddr addr)
{
    old_calls[old_calls_nr++] = 0x400 + (uint32_t)addr;
    return 0x44332200 + (uint32_t)addr;
}

static void old_writew(void *opaque, hwaddr addr, uint32_t value)
{
    expect(value <= 0xffff, "bits above the value");
    old_calls[old_calls_nr++] = 0x20000000 + ((uint32_t)addr << 16) + value;
}

START_TEST(missing_callbacks)
{
    static const MemoryRegionOps none;
    const MemoryRegionOps read_only = { .read = io_plain_ops.read };
    const MemoryRegionOps *all[] = { &none, &read_only };
    IoDevice dev;
    uint64_t image;

    io_device_init(&dev, 1, "dev", 16);
    memory_lock();
    for (unsigned i = 0; i < 2; i++) {
        dev.mr.ops = all[i];
        expect(memory_region_dispatch_write(&dev.mr, 0, 1, 4, some_attrs) ==
                   MEMTX_DECODE_ERROR, "write");
        expect(memory_region_dispatch_write(&dev.mr, 0, 1, 8, some_attrs) ==
                   MEMTX_DECODE_ERROR, "split write");
    }
    io_expect(&dev, NULL);
    dev.mr.ops = &none;
    for (unsigned size = 1; size <= 8; size *= 2) {
        image = 0;
        expect(memory_region_dispatch_read(&dev.mr, 0, &image, size,
                                           some_attrs) == MEMTX_DECODE_ERROR,
               "read");
        expect_hex(image, UINT64_MAX >> (64 - 8 * size));
    }
    memory_unlock();
    memory_region_destroy(&dev.mr);
}
END_TEST

START_TEST(old_mmio)
{
    static const MemoryRegionOps ops = {
        .old_mmio = {
            .read = { old_readb, NULL, old_readl },
            .write = { NULL, old_writew, NULL },
        },
    };
    static const MemoryRegionOps big = {
        .endianness = DEVICE_BIG_ENDIAN,
        .old_mmio = { .read = { old_readb, NULL, old_readl } },
    };
    MemoryRegion mr;
    uint64_t image;

    memory_region_init_io(&mr, &ops, NULL, "mr", 16);
    memory_lock();
    old_calls_nr = 0;
    expect(!memory_region_dispatch_read(&mr, 3, &image, 1, some_attrs), "byte");
    expect_hex(image, 3);
    expect(!memory_region_dispatch_read(&mr, 4, &image, 4, some_attrs), "long");
    expect_hex(image, 0x44332204);
    expect(memory_region_dispatch_read(&mr, 4, &image, 2, some_attrs) ==
               MEMTX_DECODE_ERROR, "no such function");
    expect_hex(image, 0xffff);
    expect(!memory_region_dispatch_read(&mr, 8, &image, 8, some_attrs), "quad");
    expect_hex(image, 0x4433220c44332208);
    expect(old_calls_nr == 4 && old_calls[0] == 0x103 && old_calls[1] == 0x404 &&
           old_calls[2] == 0x408 && old_calls[3] == 0x40c, "reads");

    old_calls_nr = 0;
    expect(!memory_region_dispatch_write(&mr, 2, 0xbeef, 2, some_attrs),
           "word");
    expect(memory_region_dispatch_write(&mr, 4, 1, 4, some_attrs) ==
               MEMTX_DECODE_ERROR, "no such function");
    expect(memory_region_dispatch_write(&mr, 4, 1, 1, some_attrs) ==
               MEMTX_DECODE_ERROR, "no such function");
    expect(old_calls_nr == 1 && old_calls[0] == 0x2002beef, "writes");

    mr.ops = &big;
    expect(!memory_region_dispatch_read(&mr, 4, &image, 4, some_attrs), "long");
    expect_hex(image, 0x04223344);
    expect(memory_region_dispatch_write(&mr, 4, 1, 4, some_attrs) ==
               MEMTX_DECODE_ERROR, "no write at all");
    memory_unlock();
    memory_region_destroy(&mr);
}
END_TEST

/* old_mmio has no 8-byte functions, whatever impl says. */
START_TEST(old_mmio_is_4_wide)
{
    static const MemoryRegionOps ops = {
        .impl = { .min_access_size = 8, .max_access_size = 8 },
        .old_mmio = { .read = { old_readb, NULL, old_readl } },
    };
    MemoryRegion mr;
    uint64_t image;

    memory_region_init_io(&mr, &ops, NULL, "mr", 16);
    memory_lock();
    expect(!memory_region_dispatch_read(&mr, 8, &image, 8, some_attrs), "quad");
    expect_hex(image, 0x4433220c44332208);
    expect(!memory_region_dispatch_read(&mr, 6, &image, 2, some_attrs), "word");
    expect_hex(image, 0x4433);
    memory_unlock();
    memory_region_destroy(&mr);
}
END_TEST

static uint32_t port_read(void *opaque, uint32_t port)
{
    old_calls[old_calls_nr++] = port;
    return 0xa0b0c0d0 + port;
}

static void port_write(void *opaque, uint32_t port, uint32_t value)
{
    old_calls[old_calls_nr++] = port << 16 | (value & 0xffff);
}

START_TEST(old_portio)
{
    static const MemoryRegionPortio ports[] = {
        { 0, 4, 1, port_read, port_write },
        { 0, 1, 4, port_read, NULL },
        { 6, 1, 2, NULL, port_write },
        { 8, 2, 2, port_read, port_write },
        PORTIO_END_OF_LIST(),
    };
    MemoryRegionOps ops = { .old_portio = ports };
    MemoryRegion mr;
    uint64_t image;

    ops.valid.unaligned = true;
    memory_region_init_io(&mr, &ops, NULL, "ports", 16);
    memory_lock();
    old_calls_nr = 0;
    expect(!memory_region_dispatch_read(&mr, 0, &image, 4, some_attrs), "4@0");
    expect_hex(image, 0xa0b0c0d0);
    expect(!memory_region_dispatch_read(&mr, 0, &image, 2, some_attrs), "2@0");
    expect_hex(image, 0xd1d0); /* two bytes */
    expect(!memory_region_dispatch_read(&mr, 8, &image, 2, some_attrs), "2@8");
    expect_hex(image, 0xc0d8);
    expect(old_calls_nr == 4 && old_calls[1] == 0 && old_calls[2] == 1 &&
           old_calls[3] == 8, "calls");

    /* Partly answered: the rest is all-ones and an error is told. */
    expect(memory_region_dispatch_read(&mr, 1, &image, 4, some_attrs) ==
               MEMTX_DECODE_ERROR, "4@1");
    expect_hex(image, 0xffd3d2d1);
    expect(memory_region_dispatch_read(&mr, 6, &image, 2, some_attrs) ==
               MEMTX_DECODE_ERROR, "write-only");
    expect_hex(image, 0xffff);

    /* Two 2-byte ports next to each other, the first of them unaligned to 4. */
    old_calls_nr = 0;
    expect(!memory_region_dispatch_write(&mr, 6, 0x22221111, 4, some_attrs),
           "4@6");
    expect(old_calls_nr == 2 && old_calls[0] == 0x00061111 &&
           old_calls[1] == 0x00082222, "two writes");
    expect(memory_region_dispatch_write(&mr, 8, 0, 1, some_attrs) ==
               MEMTX_DECODE_ERROR, "half a port");

    /* An 8-byte access is refused in halves, too. */
    old_calls_nr = 0;
    expect(memory_region_dispatch_read(&mr, 0, &image, 8, some_attrs) ==
               MEMTX_DECODE_ERROR, "8@0");
    expect_hex(image, 0xffffffffa0b0c0d0);
    memory_unlock();
    memory_region_destroy(&mr);
}
END_TEST

static unsigned warnings;
static char warning_text[256];

static void count_warning(const gchar *domain, GLogLevelFlags level,
                          const gchar *message, gpointer opaque)
{
    warnings++;
    g_strlcpy(warning_text, message, sizeof(warning_text));
}

START_TEST(reservation)
{
    MemoryRegion mr;
    uint64_t image = 0;
    GLogFunc previous = g_log_set_default_handler(count_warning, NULL);

    memory_region_init_reservation(&mr, "lapic-page", 4096);
    memory_lock();
    expect(memory_region_dispatch_write(&mr, 0x300, 1, 4, some_attrs) ==
               MEMTX_DECODE_ERROR, "write");
    expect(warnings == 1 && strstr(warning_text, "'lapic-page'") &&
           strstr(warning_text, "write at offset 0x300"), "%s", warning_text);
    expect(memory_region_dispatch_read(&mr, 0, &image, 4, some_attrs) ==
               MEMTX_DECODE_ERROR, "read");
    expect_hex(image, 0xffffffff);
    expect(warnings == 1, "told twice");
    memory_unlock();
    memory_region_destroy(&mr);
    g_log_set_default_handler(previous, NULL);
}
END_TEST

START_TEST(rom_device)
{
    IoDevice dev = { .id = 3 };
    uint64_t image;

    memory_region_init_rom_device(&dev.mr, &io_plain_ops, &dev, "flash", 4096);
    memory_lock();
    expect(!memory_region_dispatch_write(&dev.mr, 8, 0x1234, 2, some_attrs),
           "command");
    memory_region_rom_device_set_readable(&dev.mr, false);
    expect(!memory_region_dispatch_read(&dev.mr, 4, &image, 4, some_attrs),
           "status");
    expect_hex(image, content_value(3, 4, 4));
    io_expect(&dev, "w 8/2=1234", "r 4/4", NULL);
    memory_unlock();
    memory_region_destroy(&dev.mr);
}
END_TEST

/* ---- doorbells ----------------------------------------------------------- */

static void expect_rung(EventNotifier *e, bool rung)
{
    expect(event_notifier_test_and_clear(e) == rung, rung ? "not rung"
                                                          : "rung");
}

START_TEST(doorbells)
{
    MemoryRegionOps ops = { .read = io_plain_ops.read,
                            .write = io_plain_ops.write };
    EventNotifier any, word, four;
    IoDevice dev;

    ops.valid.max_access_size = 4;
    io_device_init(&dev, 1, "dev", 64);
    dev.mr.ops = &ops;
    expect(!event_notifier_init(&any, 0) && !event_notifier_init(&word, 0) &&
           !event_notifier_init(&four, 0), "notifiers");
    memory_region_add_eventfd(&dev.mr, 0, 0, false, 0, &any);
    memory_region_add_eventfd(&dev.mr, 8, 2, false, 0, &word);
    memory_region_add_eventfd(&dev.mr, 16, 4, true, 0x11223344, &four);

    memory_lock();
    for (unsigned size = 1; size <= 8; size *= 2) { /* 8: not even valid */
        expect(!memory_region_dispatch_write(&dev.mr, 0, 5, size, some_attrs),
               "result");
        expect_rung(&any, true);
    }
    io_expect(&dev, NULL);

    expect(!memory_region_dispatch_write(&dev.mr, 8, 5, 2, some_attrs), "2");
    expect_rung(&word, true);
    io_expect(&dev, NULL);
    memory_region_dispatch_write(&dev.mr, 8, 5, 4, some_attrs);
    memory_region_dispatch_write(&dev.mr, 8, 5, 1, some_attrs);
    memory_region_dispatch_write(&dev.mr, 10, 5, 2, some_attrs);
    memory_region_dispatch_write(&dev.mr, 7, 5, 1, some_attrs);
    expect_rung(&word, false);
    io_expect(&dev, "w 8/4=5", "w 8/1=5", "w a/2=5", "w 7/1=5", NULL);

    memory_region_dispatch_write(&dev.mr, 16, 0x11223344, 4, some_attrs);
    expect_rung(&four, true);
    memory_region_dispatch_write(&dev.mr, 16, 0x11223345, 4, some_attrs);
    memory_region_dispatch_write(&dev.mr, 16, 0x3344, 2, some_attrs);
    expect_rung(&four, false);
    io_expect(&dev, "w 10/4=11223345", "w 10/2=3344", NULL);

    /* The value is compared as the device sees it. */
    ops.endianness = DEVICE_BIG_ENDIAN;
    memory_region_dispatch_write(&dev.mr, 16, 0x44332211, 4, some_attrs);
    expect_rung(&four, true);
    memory_unlock();

    memory_region_del_eventfd(&dev.mr, 0, 0, false, 0, &any);
    memory_region_del_eventfd(&dev.mr, 8, 2, false, 0, &word);
    memory_region_del_eventfd(&dev.mr, 16, 4, true, 0x11223344, &four);
    memory_lock();
    memory_region_dispatch_write(&dev.mr, 0, 5, 1, some_attrs);
    memory_unlock();
    expect_rung(&any, false);
    io_expect(&dev, "w 0/1=5", NULL);
    event_notifier_cleanup(&any);
    event_notifier_cleanup(&word);
    event_notifier_cleanup(&four);
    memory_region_destroy(&dev.mr);
}
END_TEST

/* ---- re-entry ------------------------------------------------------------ */

typedef struct Nested {
    MemoryRegion *target;
    hwaddr addr;
    bool is_write;
    MemTxResult result;
    uint64_t image;
    unsigned depth;
} Nested;

static void nested_hook(IoDevice *dev, const IoCall *call)
{
    Nested *n = dev->hook_opaque;

    expect(memory_region_in_callback(&dev->mr), "not inside");
    expect(++n->depth < 10, "endless");
    n->image = 0;
    if (n->is_write) {
        n->result = memory_region_dispatch_write(n->target, n->addr, 1, 4,
                                                 some_attrs);
    } else {
        n->result = memory_region_dispatch_read(n->target, n->addr, &n->image,
                                                4, some_attrs);
    }
}

START_TEST(reentry)
{
    MemoryReentrancyGuard shared;
    IoDevice a, b, c;
    Nested to_a = { .target = &a.mr }, to_b = { .target = &b.mr };
    uint64_t image;

    io_device_init(&a, 1, "a", 64);
    io_device_init(&b, 2, "b", 64);
    io_device_init(&c, 3, "c", 64);
    a.hook = b.hook = nested_hook;
    memory_lock();
    expect(!memory_region_in_callback(&a.mr), "inside without a call");

    /* To itself, both ways. */
    a.hook_opaque = &to_a;
    expect(!memory_region_dispatch_read(&a.mr, 0, &image, 4, some_attrs),
           "outer");
    expect(to_a.result == MEMTX_ACCESS_ERROR && to_a.image == 0xffffffff,
           "result %u", to_a.result);
    io_expect(&a, "r 0/4", NULL);
    to_a.is_write = true;
    expect(!memory_region_dispatch_write(&a.mr, 4, 9, 4, some_attrs), "outer");
    expect(to_a.result == MEMTX_ACCESS_ERROR, "result %u", to_a.result);
    io_expect(&a, "w 4/4=9", NULL);

    /* Round two corners. */
    a.hook_opaque = &to_b;
    b.hook_opaque = &to_a;
    to_a.result = to_b.result = 99;
    expect(!memory_region_dispatch_read(&a.mr, 0, &image, 4, some_attrs),
           "outer");
    expect(to_b.result == MEMTX_OK && to_a.result == MEMTX_ACCESS_ERROR,
           "results %u %u", to_b.result, to_a.result);
    io_expect(&a, "r 0/4", NULL);
    io_expect(&b, "r 0/4", NULL);
    expect(!memory_region_in_callback(&a.mr) &&
           !memory_region_in_callback(&b.mr), "left inside");

    /* Two regions of one device. */
    a.hook_opaque = &(Nested){ .target = &c.mr };
    expect(!memory_region_dispatch_read(&a.mr, 0, &image, 4, some_attrs), "a");
    io_expect(&c, "r 0/4", NULL);
    memory_region_set_guard(&a.mr, &shared);
    memory_region_set_guard(&c.mr, &shared);
    expect(!memory_region_dispatch_read(&a.mr, 0, &image, 4, some_attrs), "a");
    io_expect(&c, NULL);

    /* A doorbell calls nobody, so it may ring from the inside. */
    EventNotifier e;

    event_notifier_init(&e, 0);
    memory_region_add_eventfd(&c.mr, 8, 4, false, 0, &e);
    a.hook_opaque = &(Nested){ .target = &c.mr, .addr = 8, .is_write = true };
    memory_region_dispatch_read(&a.mr, 0, &image, 4, some_attrs);
    expect_rung(&e, true);
    memory_region_del_eventfd(&c.mr, 8, 4, false, 0, &e);
    event_notifier_cleanup(&e);
    memory_unlock();
    memory_region_destroy(&a.mr);
    memory_region_destroy(&b.mr);
    memory_region_destroy(&c.mr);
}
END_TEST

static void shrink_hook(IoDevice *dev, const IoCall *call)
{
    memory_region_set_size(&dev->mr, 4);
}

/* A region that shrinks while an access to it is split. */
START_TEST(shrinks_in_callback)
{
    MemoryRegionOps ops = { .read = io_plain_ops.read,
                            .write = io_plain_ops.write };
    IoDevice dev;
    uint64_t image;

    io_device_init(&dev, 1, "dev", 8);
    dev.mr.ops = &ops;
    dev.hook = shrink_hook;
    memory_lock();
    expect(memory_region_dispatch_read(&dev.mr, 0, &image, 8, some_attrs) ==
               MEMTX_DECODE_ERROR, "read");
    expect_hex(image, 0xffffffff00000000 | content_value(1, 0, 4));
    io_expect(&dev, "r 0/4", NULL);
    memory_region_set_size(&dev.mr, 8);
    expect(memory_region_dispatch_write(&dev.mr, 0, 0x22222222, 8, some_attrs)
               == MEMTX_DECODE_ERROR, "write");
    io_expect(&dev, "w 0/4=22222222", NULL);
    memory_unlock();
    memory_region_destroy(&dev.mr);
}
END_TEST

/* ---- flushing ------------------------------------------------------------ */

/* Loads from address 0 of the space. */
static void load_hook(IoDevice *dev, const IoCall *call)
{
    load(dev->hook_opaque, 0, 4, MEMTX_OK);
}

START_TEST(flushing)
{
    MemoryRegion root;
    AddressSpace as;
    IoDevice a, b;
    Recorder *r;

    memory_region_init(&root, "root", 4096);
    address_space_init(&as, &root);
    r = recorder_new(NULL, 0, false);
    io_device_init(&a, 1, "a", 64);
    io_device_init(&b, 2, "b", 64);
    memory_region_add_subregion(&root, 0, &a.mr);
    memory_region_add_subregion(&root, 64, &b.mr);
    r->flushes = 0;
    load(&as, 0, 4, MEMTX_OK);
    expect(r->flushes == 0, "flushed unasked");
    memory_region_set_flush_coalesced(&a.mr);
    load(&as, 0, 4, MEMTX_OK);
    expect(r->flushes == 1, "%u flushes before a read", r->flushes);
    store(&as, 0, 4, 0, MEMTX_OK);
    expect(r->flushes == 2, "%u flushes before a write", r->flushes);

    /* From inside another access: that one's thread flushed already. */
    b.hook = load_hook;
    b.hook_opaque = &as;
    load(&as, 64, 4, MEMTX_OK);
    expect(r->flushes == 2, "flushed in the middle of a callback");
    memory_region_clear_flush_coalesced(&a.mr);
    r->flushes = 0;
    load(&as, 0, 4, MEMTX_OK);
    expect(r->flushes == 0, "flushed after it was switched off");
    memory_region_del_subregion(&root, &a.mr);
    memory_region_del_subregion(&root, &b.mr);
    recorder_free(r);
    address_space_destroy(&as);
    memory_region_destroy(&a.mr);
    memory_region_destroy(&b.mr);
    memory_region_destroy(&root);
}
END_TEST

TEST_MAIN("access-rules", accepts_has_the_last_word, results,
          missing_callbacks, old_mmio, old_mmio_is_4_wide, old_portio,
          reservation, rom_device, doorbells, reentry, shrinks_in_callback,
          flushing)
