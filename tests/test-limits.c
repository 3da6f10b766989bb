/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ends of things: 2^64 bytes, the byte at 2^64 - 1, windows that would go
 * past it, deep chains of aliases and containers, thousands of siblings.
 */
#include <string.h>

#include "test-util.h"

#define TOP UINT64_MAX
#define DEPTH 1000
#define SIBLINGS 5000

static uint8_t memory[4096] __attribute__((aligned(4096)));

/* ---- 2^64 ------------------------------------------------------------------------ */

START_TEST(test_whole_space)
{
    World w;
    IoDevice dev;
    MemoryRegionSection s;
    uint8_t buf[2];

    world_init(&w);
    io_device_init(&dev, 1, "whole", UINT64_MAX);
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    recorder_expect_map(w.r, "whole 0-ffffffffffffffff @0", NULL);
    memory_lock();
    s = memory_region_find(&w.root, 0, UINT64_MAX);
    expect_hex(s.size, UINT64_MAX);
    expect_hex(s.last_within_address_space, UINT64_MAX);
    s = memory_region_find(&w.root, TOP, 1);
    expect_hex(s.offset_within_region, TOP);
    expect_hex(s.size, 1);
    s = memory_region_find(&w.root, TOP - 1, UINT64_MAX);
    expect_hex(s.size, 2);
    memory_unlock();
    expect_hex(load(&w.as, TOP, 1, MEMTX_OK), content_byte(1, TOP));
    expect_hex(load(&w.as, TOP - 7, 8, MEMTX_OK), content_value(1, TOP - 7, 8));
    dev.nr_calls = 0;
    address_space_read(&w.as, TOP, buf, 2);
    io_expect(&dev, "r ffffffffffffffff/1", "r 0/1", NULL);
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

START_TEST(test_nearly_whole)
{
    World w;
    MemoryRegion a, b;

    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", UINT64_MAX - 1);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 1);
    memory_region_add_subregion(&w.root, 0, &a);
    recorder_expect_map(w.r, "a 0-fffffffffffffffd @0", NULL);
    expect_found(&w.root, TOP - 1, NULL, 0);
    expect_found(&w.root, TOP - 2, &a, TOP - 2);
    memory_region_add_subregion(&w.root, TOP, &b);
    recorder_expect_map(w.r, "a 0-fffffffffffffffd @0",
                        "b ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_set_address(&a, 1);
    recorder_expect_map(w.r, "a 1-fffffffffffffffe @0",
                        "b ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_set_enabled(&b, false);
    memory_region_set_address(&a, 2);
    recorder_expect_map(w.r, "a 2-ffffffffffffffff @0", NULL);
    /* What sticks out over the end is cut, it does not come round. */
    memory_region_set_address(&a, 0x1000);
    recorder_expect_map(w.r, "a 1000-ffffffffffffffff @0", NULL);
    expect_found(&w.root, 0, NULL, 0);
    expect_found(&w.root, TOP, &a, TOP - 0x1000);
    memory_region_set_address(&a, TOP);
    recorder_expect_map(w.r, "a ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
}
END_TEST

START_TEST(test_last_byte_hidden)
{
    World w;
    MemoryRegion whole, last, first;

    world_init(&w);
    memory_region_init_io(&whole, &io_plain_ops, NULL, "whole", UINT64_MAX);
    memory_region_init_io(&last, &io_plain_ops, NULL, "last", 1);
    memory_region_init_io(&first, &io_plain_ops, NULL, "first", 1);
    memory_region_add_subregion_overlap(&w.root, 0, &whole, -1);
    memory_region_add_subregion(&w.root, TOP, &last);
    recorder_expect_map(w.r, "whole 0-fffffffffffffffe @0",
                        "last ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_add_subregion(&w.root, 0, &first);
    recorder_expect_map(w.r, "first 0-0 @0", "whole 1-fffffffffffffffe @1",
                        "last ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_del_subregion(&w.root, &last);
    recorder_expect_map(w.r, "first 0-0 @0", "whole 1-ffffffffffffffff @1", NULL);
    memory_region_del_subregion(&w.root, &first);
    memory_region_del_subregion(&w.root, &whole);
    memory_region_destroy(&whole);
    memory_region_destroy(&last);
    memory_region_destroy(&first);
    world_destroy(&w);
}
END_TEST

START_TEST(test_windows_past_the_end)
{
    World w;
    MemoryRegion io, box, alias, outer;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_init(&box, "box", UINT64_MAX);
    memory_region_init_alias(&alias, "alias", &box, TOP - 0x7f, UINT64_MAX);
    memory_region_init_alias(&outer, "outer", &alias, 0x40, UINT64_MAX);
    memory_region_add_subregion(&box, TOP - 0xff, &io);
    memory_region_add_subregion_overlap(&w.root, 0x1000, &alias, 0);
    recorder_expect_map(w.r, "io 1000-107f @80", NULL);
    memory_region_add_subregion_overlap(&w.root, TOP - 0xf, &outer, 0);
    recorder_expect_map(w.r, "io 1000-107f @80",
                        "io fffffffffffffff0-ffffffffffffffff @c0", NULL);
    memory_region_set_address(&outer, 0x2000);
    recorder_expect_map(w.r, "io 1000-107f @80", "io 2000-203f @c0", NULL);
    /* Two offsets that would wrap together answer nothing. */
    memory_region_set_alias_offset(&outer, 0x80);
    recorder_expect_map(w.r, "io 1000-107f @80", NULL);
    memory_region_set_alias_offset(&outer, TOP);
    recorder_expect_map(w.r, "io 1000-107f @80", NULL);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&w.root, &outer);
    memory_region_del_subregion(&box, &io);
    memory_region_destroy(&outer);
    memory_region_destroy(&alias);
    memory_region_destroy(&box);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

/* The end of the space and its start are no neighbours, even where one region
 * would continue there. */
START_TEST(test_no_merge_around)
{
    World w;
    MemoryRegion io, end, start;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x20);
    memory_region_init_alias(&end, "end", &io, 0, 0x10);
    memory_region_init_alias(&start, "start", &io, 0x10, 0x10);
    memory_region_add_subregion(&w.root, TOP - 0xf, &end);
    memory_region_add_subregion(&w.root, 0, &start);
    recorder_expect_map(w.r, "io 0-f @10",
                        "io fffffffffffffff0-ffffffffffffffff @0", NULL);
    memory_region_del_subregion(&w.root, &end);
    memory_region_del_subregion(&w.root, &start);
    memory_region_destroy(&end);
    memory_region_destroy(&start);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

/* The end of a region and its start are no neighbours either. */
START_TEST(test_no_merge_around_region)
{
    World w;
    IoDevice dev;
    MemoryRegion end, start;
    uint8_t buf[8];

    world_init(&w);
    io_device_init(&dev, 1, "whole", UINT64_MAX);
    memory_region_init_alias(&end, "end", &dev.mr, TOP - 3, 4);
    memory_region_init_alias(&start, "start", &dev.mr, 0, 0x10);
    memory_region_add_subregion(&w.root, 0x1000, &end);
    memory_region_add_subregion(&w.root, 0x1004, &start);
    recorder_expect_map(w.r, "whole 1000-1003 @fffffffffffffffc",
                        "whole 1004-1013 @0", NULL);
    ck_assert_uint_eq(address_space_read(&w.as, 0x1000, buf, 8), MEMTX_OK);
    io_expect(&dev, "r fffffffffffffffc/4", "r 0/4", NULL);
    memory_region_del_subregion(&w.root, &end);
    memory_region_del_subregion(&w.root, &start);
    memory_region_destroy(&end);
    memory_region_destroy(&start);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

/* Nor does a look-up past the end come round. */
START_TEST(test_find_past_the_end)
{
    World w;
    MemoryRegion box, low;
    MemoryRegionSection s;

    world_init(&w);
    memory_region_init(&box, "box", 0x100);
    memory_region_init_io(&low, &io_plain_ops, NULL, "low", 0x100);
    memory_region_add_subregion(&w.root, TOP - 0xf, &box);
    memory_region_add_subregion(&w.root, 0, &low);
    memory_lock();
    s = memory_region_find(&box, 0x10, 1);
    ck_assert_ptr_null(s.mr);
    s = memory_region_find(&box, 0x8, UINT64_MAX);
    ck_assert_ptr_null(s.mr);
    memory_unlock();
    ck_assert(!memory_region_present(&box, 0x20));
    memory_region_del_subregion(&w.root, &box);
    memory_region_del_subregion(&w.root, &low);
    memory_region_destroy(&box);
    memory_region_destroy(&low);
    world_destroy(&w);
}
END_TEST

/* Windows that continue each other are one section, in whatever order they
 * came and whatever came between. */
START_TEST(test_merge_in_any_order)
{
    static const unsigned orders[][4] = {
        { 0, 1, 2, 3 }, { 0, 2, 1, 3 }, { 3, 0, 1, 2 }, { 0, 3, 1, 2 },
        { 1, 3, 0, 2 }, { 2, 1, 0, 3 }, { 2, 3, 1, 0 }, { 3, 2, 1, 0 },
    };
    World w;
    MemoryRegion io, other, window[4];
    unsigned i, k;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x30);
    memory_region_init_io(&other, &io_plain_ops, NULL, "other", 0x10);
    for (i = 0; i < 3; i++) {
        memory_region_init_alias(&window[i], "window", &io, 0x10 * i, 0x10);
    }
    memory_region_init_alias(&window[3], "window", &other, 0, 0x10);
    for (i = 0; i < G_N_ELEMENTS(orders); i++) {
        for (k = 0; k < 4; k++) {
            unsigned n = orders[i][k];

            memory_region_add_subregion(&w.root, 0x100 + 0x10 * n, &window[n]);
        }
        recorder_expect_map(w.r, "io 100-12f @0", "other 130-13f @0", NULL);
        for (k = 0; k < 4; k++) {
            memory_region_del_subregion(&w.root, &window[k]);
        }
    }
    for (k = 0; k < 4; k++) {
        memory_region_destroy(&window[k]);
    }
    memory_region_destroy(&io);
    memory_region_destroy(&other);
    world_destroy(&w);
}
END_TEST

START_TEST(test_nothing_at_all)
{
    World w;
    MemoryRegion empty, box, io;

    world_init(&w);
    memory_region_init_io(&empty, &io_plain_ops, NULL, "empty", 0);
    memory_region_init(&box, "box", 0);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&box, 0, &io);
    memory_region_add_subregion(&w.root, 0, &empty);
    memory_region_add_subregion(&w.root, 0x10, &box);
    recorder_expect_map(w.r, NULL);
    expect_found(&w.root, 0, NULL, 0);
    memory_region_set_address(&empty, TOP);
    recorder_expect_map(w.r, NULL);
    memory_region_set_size(&box, 1);
    recorder_expect_map(w.r, "io 10-10 @0", NULL);
    memory_region_set_size(&w.root, 0);
    recorder_expect_map(w.r, NULL);
    load(&w.as, 0x10, 1, MEMTX_DECODE_ERROR);
    memory_region_set_size(&w.root, 0x11);
    recorder_expect_map(w.r, "io 10-10 @0", NULL);
    memory_region_del_subregion(&w.root, &empty);
    memory_region_del_subregion(&w.root, &box);
    memory_region_del_subregion(&box, &io);
    memory_region_destroy(&empty);
    memory_region_destroy(&box);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

START_TEST(test_doorbell_and_zone_at_the_end)
{
    EventNotifier e;
    World w;
    IoDevice dev;

    ck_assert_int_eq(event_notifier_init(&e, 0), 0);
    world_init(&w);
    io_device_init(&dev, 1, "whole", UINT64_MAX);
    memory_region_add_eventfd(&dev.mr, TOP - 7, 8, false, 0, &e);
    memory_region_add_eventfd(&dev.mr, TOP, 1, false, 0, &e);
    memory_region_add_coalescing(&dev.mr, TOP - 0xff, 0x100);
    EXPECT_ERROR(memory_region_add_eventfd(&dev.mr, TOP, 2, false, 0, &e),
                 "whole", NULL);
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    recorder_expect_doorbells(w.r, "whole fffffffffffffff8/8",
                              "whole ffffffffffffffff/1", NULL);
    recorder_expect_zones(w.r, "whole ffffffffffffff00-ffffffffffffffff", NULL);
    store(&w.as, TOP - 7, 8, 1, MEMTX_OK);
    ck_assert(event_notifier_test_and_clear(&e));
    store(&w.as, TOP, 1, 1, MEMTX_OK);
    ck_assert(event_notifier_test_and_clear(&e));
    io_expect(&dev, NULL);
    memory_region_set_address(&dev.mr, 1);
    recorder_expect_doorbells(w.r, NULL);
    recorder_expect_zones(w.r, "whole ffffffffffffff01-ffffffffffffffff", NULL);
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
    event_notifier_cleanup(&e);
}
END_TEST

/* ---- depth ----------------------------------------------------------------------------- */

START_TEST(test_deep_aliases)
{
    static MemoryRegion alias[DEPTH];
    World w;
    MemoryRegion box, ram;
    unsigned i;

    world_init(&w);
    memory_region_init(&box, "box", 0x10000);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_add_subregion(&box, 2 * DEPTH, &ram);
    for (i = 0; i < DEPTH; i++) {
        memory_region_init_alias(&alias[i], "alias", i ? &alias[i - 1] : &box, 2,
                                 UINT64_MAX);
    }
    memory_region_add_subregion(&w.root, 0x8000, &alias[DEPTH - 1]);
    recorder_expect_map(w.r, "ram 8000-8fff @0", NULL);
    memory_region_set_alias_offset(&alias[DEPTH / 2], 3);
    recorder_expect_map(w.r, "ram 8000-8ffe @1", NULL);
    memory_region_set_readonly(&alias[7], true);
    recorder_expect_map(w.r, "ram 8000-8ffe @1 ro", NULL);
    memory_region_set_enabled(&alias[1], false);
    recorder_expect_map(w.r, NULL);
    memory_region_set_enabled(&alias[1], true);
    /* The longest of cycles is still found. */
    memory_region_del_subregion(&w.root, &alias[DEPTH - 1]);
    EXPECT_ERROR(memory_region_add_subregion(&box, 0, &alias[DEPTH - 1]), "alias",
                 "box");
    for (i = DEPTH; i-- > 0;) {
        memory_region_destroy(&alias[i]);
    }
    memory_region_del_subregion(&box, &ram);
    memory_region_destroy(&ram);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

START_TEST(test_deep_containers)
{
    static MemoryRegion box[DEPTH];
    World w;
    IoDevice dev;
    unsigned i;

    world_init(&w);
    io_device_init(&dev, 1, "dev", 0x10);
    for (i = 0; i < DEPTH; i++) {
        memory_region_init(&box[i], "box", 0x10000);
        memory_region_add_subregion(i ? &box[i - 1] : &w.root, 4, &box[i]);
    }
    memory_region_add_subregion(&box[DEPTH - 1], 0, &dev.mr);
    recorder_expect_map(w.r, "dev fa0-faf @0", NULL);
    expect_hex(load(&w.as, 0xfa4, 4, MEMTX_OK), content_value(1, 4, 4));
    memory_region_set_size(&box[0], 0xfa8 - 4);
    recorder_expect_map(w.r, "dev fa0-fa7 @0", NULL);
    memory_region_del_subregion(&w.root, &box[0]);
    EXPECT_ERROR(memory_region_add_subregion(&box[DEPTH - 1], 0, &box[0]), "box",
                 NULL);
    memory_region_del_subregion(&box[DEPTH - 1], &dev.mr);
    for (i = DEPTH; i-- > 0;) {
        if (i) {
            memory_region_del_subregion(&box[i - 1], &box[i]);
        }
        memory_region_destroy(&box[i]);
    }
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

/* ---- many --------------------------------------------------------------------------------- */

START_TEST(test_many_siblings)
{
    static MemoryRegion io[SIBLINGS];
    static IoDevice dev;
    World w;
    MemoryRegion cover;
    unsigned i;

    world_init(&w);
    dev.id = 1;
    memory_region_init_io(&cover, &io_plain_ops, &dev, "cover",
                          0x1000 * SIBLINGS);
    memory_region_transaction_begin();
    for (i = 0; i < SIBLINGS; i++) {
        memory_region_init_io(&io[i], &io_device_ops, &dev, "io", 0x10);
        memory_region_add_subregion(&w.root, (hwaddr)0x1000 * i + 0x10 * (i & 1),
                                    &io[i]);
    }
    memory_region_transaction_commit();
    ck_assert_uint_eq(w.r->sections->len, SIBLINGS);
    for (i = 0; i < SIBLINGS; i++) {
        hwaddr at = (hwaddr)0x1000 * i + 0x10 * (i & 1);

        expect_found(&w.root, at, &io[i], 0);
        expect_found(&w.root, at + 0xf, &io[i], 0xf);
        expect_found(&w.root, at + 0x10, NULL, 0);
    }
    expect_found(&w.root, (hwaddr)0x1000 * SIBLINGS, NULL, 0);
    /* Behind them all, and over them all. */
    memory_region_add_subregion_overlap(&w.root, 0, &cover, -1);
    for (i = 0; i < SIBLINGS; i += 7) {
        hwaddr at = (hwaddr)0x1000 * i + 0x10 * (i & 1);

        expect_found(&w.root, at, &io[i], 0);
        expect_found(&w.root, at + 0x10, &cover, at + 0x10);
        expect_found(&w.root, at + 0xfef, &cover, at + 0xfef);
    }
    memory_region_del_subregion(&w.root, &cover);
    recorder_clear_log(w.r);
    memory_region_add_subregion_overlap(&w.root, 0, &cover, 1);
    recorder_expect_map(w.r, "cover 0-1387fff @0", NULL);
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &cover);
    for (i = 0; i < SIBLINGS; i++) {
        memory_region_del_subregion(&w.root, &io[i]);
    }
    memory_region_transaction_commit();
    recorder_expect_map(w.r, NULL);
    for (i = 0; i < SIBLINGS; i++) {
        memory_region_destroy(&io[i]);
    }
    memory_region_destroy(&cover);
    world_destroy(&w);
}
END_TEST

/* More regions in a page than bytes in a cache line. */
START_TEST(test_many_in_a_page)
{
    static MemoryRegion io[512];
    static IoDevice dev;
    World w;
    unsigned i;

    world_init(&w);
    dev.id = 1;
    memory_region_transaction_begin();
    for (i = 0; i < G_N_ELEMENTS(io); i++) {
        memory_region_init_io(&io[i], &io_device_ops, &dev, "io", 1 + i % 8);
        memory_region_add_subregion(&w.root, 0x7ffff000 + 8 * i, &io[i]);
    }
    memory_region_transaction_commit();
    for (i = 0; i < G_N_ELEMENTS(io); i++) {
        hwaddr at = 0x7ffff000 + 8 * i;

        load(&w.as, at + i % 8, 1, MEMTX_OK);
        ck_assert_uint_eq(dev.calls[0].addr, i % 8);
        dev.nr_calls = 0;
        if (i % 8 != 7) {
            load(&w.as, at + i % 8 + 1, 1, MEMTX_DECODE_ERROR);
        }
        expect_found(&w.root, at, &io[i], 0);
    }
    for (i = 0; i < G_N_ELEMENTS(io); i++) {
        memory_region_del_subregion(&w.root, &io[i]);
        memory_region_destroy(&io[i]);
    }
    world_destroy(&w);
}
END_TEST

/* Every bit of an address decides somewhere: one region at each power of 2. */
START_TEST(test_every_bit)
{
    MemoryRegion io[64];
    World w;
    unsigned i;

    world_init(&w);
    for (i = 0; i < 64; i++) {
        memory_region_init_io(&io[i], &io_plain_ops, NULL, "io", 1);
        memory_region_add_subregion(&w.root, (hwaddr)1 << i, &io[i]);
    }
    for (i = 0; i < 64; i++) {
        hwaddr at = (hwaddr)1 << i;

        expect_found(&w.root, at, &io[i], 0);
        if (i > 1) {
            expect_found(&w.root, at - 1, NULL, 0);
            expect_found(&w.root, at + 1, NULL, 0);
        }
    }
    for (i = 0; i < 64; i++) {
        memory_region_del_subregion(&w.root, &io[i]);
        memory_region_destroy(&io[i]);
    }
    world_destroy(&w);
}
END_TEST

TEST_MAIN("limits", test_whole_space, test_nearly_whole, test_last_byte_hidden,
          test_windows_past_the_end, test_no_merge_around, test_no_merge_around_region,
          test_find_past_the_end,
          test_merge_in_any_order, test_nothing_at_all,
          test_doorbell_and_zone_at_the_end, test_deep_aliases,
          test_deep_containers, test_many_siblings, test_many_in_a_page,
          test_every_bit)
