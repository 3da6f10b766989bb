/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The region graph: construction and life, placing and moving, what hides
 * what, aliases, transactions, queries. Read-only memory is in tests/test-rom.c,
 * programming errors are in tests/test-errors.c.
 */
#include <string.h>

#include "test-util.h"

#define PAGE TARGET_PAGE_SIZE

static uint8_t memory[16 * 4096] __attribute__((aligned(4096)));

/* ---- construction ------------------------------------------------------------- */

START_TEST(test_kinds)
{
    MemoryRegion container, io, ram, ram_ptr, rom, romd, reservation, alias;

    memory_region_init(&container, "container", 0x12345);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 3);
    memory_region_init_ram(&ram, "ram", 2 * PAGE);
    memory_region_init_ram_ptr(&ram_ptr, "ram-ptr", 100, memory + 7);
    memory_region_init_rom(&rom, "rom", PAGE);
    memory_region_init_rom_device(&romd, &io_plain_ops, NULL, "romd", PAGE);
    memory_region_init_reservation(&reservation, "reservation", UINT64_MAX - 1);
    memory_region_init_alias(&alias, "alias", &ram, 0x800, UINT64_MAX);

    expect_hex(memory_region_size(&container), 0x12345);
    expect_hex(memory_region_size(&io), 3);
    expect_hex(memory_region_size(&ram), 2 * PAGE);
    expect_hex(memory_region_size(&ram_ptr), 100);
    expect_hex(memory_region_size(&rom), PAGE);
    expect_hex(memory_region_size(&romd), PAGE);
    expect_hex(memory_region_size(&reservation), UINT64_MAX - 1);
    expect_hex(memory_region_size(&alias), UINT64_MAX);

    ck_assert_str_eq(memory_region_name(&container), "container");
    ck_assert_str_eq(memory_region_name(&reservation), "reservation");
    ck_assert_str_eq(memory_region_name(&alias), "alias");

    ck_assert(!memory_region_is_ram(&container));
    ck_assert(!memory_region_is_ram(&io));
    ck_assert(memory_region_is_ram(&ram));
    ck_assert(memory_region_is_ram(&ram_ptr));
    ck_assert(memory_region_is_ram(&rom));
    ck_assert(!memory_region_is_ram(&reservation));
    ck_assert(!memory_region_is_rom(&ram));
    ck_assert(!memory_region_is_rom(&container));
    ck_assert(memory_region_is_rom(&rom));
    ck_assert(!memory_region_is_romd(&ram));
    ck_assert(!memory_region_is_romd(&rom));
    ck_assert(memory_region_is_romd(&romd));
    ck_assert(!memory_region_is_rom(&romd));
    ck_assert(memory_region_endianness(&io) == io_plain_ops.endianness);
    ck_assert(memory_region_endianness(&ram) == DEVICE_NATIVE_ENDIAN);

    ck_assert_ptr_null(memory_region_get_ram_ptr(&container));
    ck_assert_ptr_null(memory_region_get_ram_ptr(&io));
    ck_assert_ptr_null(memory_region_get_ram_ptr(&reservation));
    ck_assert_ptr_nonnull(memory_region_get_ram_ptr(&ram));
    ck_assert_ptr_nonnull(memory_region_get_ram_ptr(&romd));
    ck_assert_ptr_eq(memory_region_get_ram_ptr(&ram_ptr), memory + 7);
    ck_assert_ptr_eq(memory_region_get_ram_ptr(&alias),
                     (uint8_t *)memory_region_get_ram_ptr(&ram) + 0x800);
    expect_hex(memory_region_get_ram_addr(&container), RAM_ADDR_INVALID);
    expect_hex(memory_region_get_ram_addr(&io), RAM_ADDR_INVALID);
    expect_hex(memory_region_get_ram_addr(&alias),
               memory_region_get_ram_addr(&ram) + 0x800);
    ck_assert_int_eq(memory_region_get_fd(&io), -1);
    ck_assert_int_eq(memory_region_get_fd(&ram_ptr), -1);

    memory_region_destroy(&alias);
    memory_region_destroy(&reservation);
    memory_region_destroy(&romd);
    memory_region_destroy(&rom);
    memory_region_destroy(&ram_ptr);
    memory_region_destroy(&ram);
    memory_region_destroy(&io);
    memory_region_destroy(&container);
}
END_TEST

START_TEST(test_name_is_copied)
{
    char name[] = "first";
    MemoryRegion mr;

    memory_region_init(&mr, name, 1);
    strcpy(name, "other");
    ck_assert_str_eq(memory_region_name(&mr), "first");
    memory_region_destroy(&mr);
}
END_TEST

START_TEST(test_ram_is_zeroed_and_apart)
{
    MemoryRegion a, b;
    ram_addr_t at_a, at_b;
    uint8_t *p;
    unsigned i;

    memory_region_init_ram(&a, "a", 3 * PAGE);
    memory_region_init_ram(&b, "b", PAGE);
    p = memory_region_get_ram_ptr(&a);
    for (i = 0; i < 3 * PAGE; i++) {
        expect(p[i] == 0, "byte %u is %02x", i, p[i]);
    }
    at_a = memory_region_get_ram_addr(&a);
    at_b = memory_region_get_ram_addr(&b);
    expect(at_a + 3 * PAGE <= at_b || at_b + PAGE <= at_a, "RAM overlaps");
    memory_region_destroy(&a);
    memory_region_destroy(&b);
}
END_TEST

START_TEST(test_try_init_ram)
{
    GError *err = NULL;
    MemoryRegion mr;

    ck_assert(memory_region_try_init_ram(&mr, "ok", PAGE, &err));
    ck_assert_ptr_null(err);
    ck_assert(memory_region_is_ram(&mr));
    memory_region_destroy(&mr);

    ck_assert(!memory_region_try_init_ram(&mr, "huge", UINT64_MAX - PAGE, &err));
    ck_assert_ptr_nonnull(err);
    ck_assert(strlen(err->message) > 0);
    g_clear_error(&err);
}
END_TEST

START_TEST(test_again_after_destroy)
{
    World w;
    MemoryRegion mr;
    unsigned i;

    world_init(&w);
    for (i = 0; i < 200; i++) {
        IoDevice dev;

        io_device_init(&dev, i, "device", 0x10);
        memory_region_add_subregion(&w.root, 0x100, &dev.mr);
        expect_hex(load(&w.as, 0x104, 4, MEMTX_OK), content_value(i, 4, 4));
        memory_region_del_subregion(&w.root, &dev.mr);
        memory_region_destroy(&dev.mr);

        memory_region_init_ram_ptr(&mr, "ram", PAGE, memory);
        memory_region_add_subregion(&w.root, 0x100, &mr);
        store(&w.as, 0x104, 4, i, MEMTX_OK);
        memory_region_del_subregion(&w.root, &mr);
        memory_region_destroy(&mr);
        ck_assert_uint_eq(memory[4], i);
    }
    world_destroy(&w);
}
END_TEST

/* ---- placing ---------------------------------------------------------------------- */

START_TEST(test_container_is_transparent)
{
    World w;
    MemoryRegion box, below, inside;

    world_init(&w);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_io(&below, &io_plain_ops, NULL, "below", 0x1000);
    memory_region_init_io(&inside, &io_plain_ops, NULL, "inside", 0x100);
    memory_region_add_subregion(&w.root, 0x1000, &below);
    memory_region_add_subregion_overlap(&w.root, 0x1000, &box, 1);
    recorder_expect_map(w.r, "below 1000-1fff @0", NULL);
    memory_region_add_subregion(&box, 0x200, &inside);
    recorder_expect_map(w.r, "below 1000-11ff @0", "inside 1200-12ff @0",
                        "below 1300-1fff @300", NULL);
    memory_region_del_subregion(&box, &inside);
    recorder_expect_map(w.r, "below 1000-1fff @0", NULL);
    memory_region_del_subregion(&w.root, &box);
    memory_region_del_subregion(&w.root, &below);
    recorder_expect_map(w.r, NULL);
    memory_region_destroy(&inside);
    memory_region_destroy(&below);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

START_TEST(test_backing_shows_through_gaps)
{
    World w;
    MemoryRegion ram, io, dev, hole, romd;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x1000);
    memory_region_init_io(&dev, &io_plain_ops, NULL, "dev", 0x10);
    memory_region_init(&hole, "hole", 0x10);
    memory_region_init_rom_device(&romd, &io_plain_ops, NULL, "romd", 0x1000);

    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_add_subregion(&ram, 0x100, &dev);
    memory_region_add_subregion(&ram, 0x200, &hole);
    recorder_expect_map(w.r, "ram 0-ff @0", "dev 100-10f @0", "ram 110-fff @110",
                        NULL);
    memory_region_del_subregion(&ram, &dev);
    memory_region_add_subregion(&w.root, 0x2000, &io);
    memory_region_add_subregion(&io, 0xff8, &dev);
    recorder_expect_map(w.r, "ram 0-fff @0", "io 2000-2ff7 @0",
                        "dev 2ff8-2fff @0", NULL);
    memory_region_del_subregion(&io, &dev);
    memory_region_add_subregion(&w.root, 0x4000, &romd);
    memory_region_add_subregion(&romd, 0, &dev);
    recorder_expect_map(w.r, "ram 0-fff @0", "io 2000-2fff @0",
                        "dev 4000-400f @0", "romd 4010-4fff @10", NULL);

    memory_region_del_subregion(&romd, &dev);
    memory_region_del_subregion(&ram, &hole);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_del_subregion(&w.root, &io);
    memory_region_del_subregion(&w.root, &romd);
    memory_region_destroy(&ram);
    memory_region_destroy(&io);
    memory_region_destroy(&dev);
    memory_region_destroy(&hole);
    memory_region_destroy(&romd);
    world_destroy(&w);
}
END_TEST

START_TEST(test_priorities)
{
    World w;
    MemoryRegion plain, low, high, equal;

    world_init(&w);
    memory_region_init_io(&plain, &io_plain_ops, NULL, "plain", 0x100);
    memory_region_init_io(&low, &io_plain_ops, NULL, "low", 0x200);
    memory_region_init_io(&high, &io_plain_ops, NULL, "high", 0x40);
    memory_region_init_io(&equal, &io_plain_ops, NULL, "equal", 0x80);

    memory_region_add_subregion_overlap(&w.root, 0x20, &high, 1);
    memory_region_add_subregion(&w.root, 0, &plain);
    memory_region_add_subregion_overlap(&w.root, 0, &low, INT_MIN);
    recorder_expect_map(w.r, "plain 0-1f @0", "high 20-5f @0",
                        "plain 60-ff @60", "low 100-1ff @100", NULL);
    /* Among equals the last added is on top, the one of priority 0 as well. */
    memory_region_add_subregion_overlap(&w.root, 0x40, &equal, 0);
    recorder_expect_map(w.r, "plain 0-1f @0", "high 20-5f @0",
                        "equal 60-bf @20", "plain c0-ff @c0",
                        "low 100-1ff @100", NULL);
    memory_region_del_subregion(&w.root, &plain);
    memory_region_add_subregion(&w.root, 0, &plain);
    recorder_expect_map(w.r, "plain 0-1f @0", "high 20-5f @0",
                        "plain 60-ff @60", "low 100-1ff @100", NULL);
    /* What was hidden comes back when the region on top goes away. */
    memory_region_del_subregion(&w.root, &high);
    recorder_expect_map(w.r, "plain 0-ff @0", "low 100-1ff @100", NULL);
    memory_region_add_subregion_overlap(&w.root, 0x20, &high, INT_MAX);
    memory_region_del_subregion(&w.root, &low);
    memory_region_add_subregion_overlap(&w.root, 0, &low, -1);
    recorder_expect_map(w.r, "plain 0-1f @0", "high 20-5f @0",
                        "plain 60-ff @60", "low 100-1ff @100", NULL);

    memory_region_del_subregion(&w.root, &plain);
    memory_region_del_subregion(&w.root, &low);
    memory_region_del_subregion(&w.root, &high);
    memory_region_del_subregion(&w.root, &equal);
    memory_region_destroy(&plain);
    memory_region_destroy(&low);
    memory_region_destroy(&high);
    memory_region_destroy(&equal);
    world_destroy(&w);
}
END_TEST

/* A priority counts among siblings only. */
START_TEST(test_priority_is_local)
{
    World w;
    MemoryRegion box_a, box_b, a, b;

    world_init(&w);
    memory_region_init(&box_a, "box-a", 0x100);
    memory_region_init(&box_b, "box-b", 0x100);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 0x80);
    memory_region_add_subregion_overlap(&box_a, 0, &a, 1000);
    memory_region_add_subregion_overlap(&box_b, 0, &b, -1000);
    memory_region_add_subregion_overlap(&w.root, 0, &box_b, 2);
    memory_region_add_subregion_overlap(&w.root, 0, &box_a, 1);
    recorder_expect_map(w.r, "b 0-7f @0", "a 80-ff @80", NULL);
    memory_region_del_subregion(&w.root, &box_a);
    memory_region_del_subregion(&w.root, &box_b);
    memory_region_del_subregion(&box_a, &a);
    memory_region_del_subregion(&box_b, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&box_a);
    memory_region_destroy(&box_b);
    world_destroy(&w);
}
END_TEST

START_TEST(test_clipped_to_parent)
{
    World w;
    MemoryRegion outer, inner, io;

    world_init(&w);
    memory_region_init(&outer, "outer", 0x100);
    memory_region_init(&inner, "inner", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x1000);
    memory_region_add_subregion(&w.root, 0x10000, &outer);
    memory_region_add_subregion(&outer, 0xf0, &inner);
    memory_region_add_subregion(&inner, 0x8, &io);
    recorder_expect_map(w.r, "io 100f8-100ff @0", NULL);
    memory_region_set_address(&io, 0x10);
    recorder_expect_map(w.r, NULL);
    memory_region_set_address(&io, 0xf);
    recorder_expect_map(w.r, "io 100ff-100ff @0", NULL);
    memory_region_del_subregion(&inner, &io);
    memory_region_del_subregion(&outer, &inner);
    memory_region_del_subregion(&w.root, &outer);
    memory_region_destroy(&io);
    memory_region_destroy(&inner);
    memory_region_destroy(&outer);
    world_destroy(&w);
}
END_TEST

/* ---- enabling, moving, resizing ---------------------------------------------------- */

START_TEST(test_disabled_hides_nothing)
{
    World w;
    MemoryRegion below, box, above;

    world_init(&w);
    memory_region_init_io(&below, &io_plain_ops, NULL, "below", 0x100);
    memory_region_init(&box, "box", 0x100);
    memory_region_init_io(&above, &io_plain_ops, NULL, "above", 0x100);
    memory_region_add_subregion(&w.root, 0, &below);
    memory_region_add_subregion_overlap(&w.root, 0, &box, 1);
    memory_region_add_subregion(&box, 0, &above);
    recorder_expect_map(w.r, "above 0-ff @0", NULL);
    memory_region_set_enabled(&above, false);
    recorder_expect_map(w.r, "below 0-ff @0", NULL);
    memory_region_set_enabled(&above, true);
    memory_region_set_enabled(&box, false);
    recorder_expect_map(w.r, "below 0-ff @0", NULL);
    memory_region_set_enabled(&above, false);
    memory_region_set_enabled(&box, true);
    recorder_expect_map(w.r, "below 0-ff @0", NULL);
    memory_region_set_enabled(&above, true);
    recorder_expect_map(w.r, "above 0-ff @0", NULL);
    memory_region_set_enabled(&w.root, false);
    recorder_expect_map(w.r, NULL);
    ck_assert_uint_eq(load(&w.as, 0, 1, MEMTX_DECODE_ERROR), 0xff);
    memory_region_set_enabled(&w.root, true);
    recorder_expect_map(w.r, "above 0-ff @0", NULL);
    memory_region_del_subregion(&box, &above);
    memory_region_del_subregion(&w.root, &box);
    memory_region_del_subregion(&w.root, &below);
    memory_region_destroy(&above);
    memory_region_destroy(&box);
    memory_region_destroy(&below);
    world_destroy(&w);
}
END_TEST

/* RAM that is disabled takes its subregions with it. */
START_TEST(test_disabled_backing)
{
    World w;
    MemoryRegion ram, dev;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init_io(&dev, &io_plain_ops, NULL, "dev", 0x10);
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_add_subregion(&ram, 0, &dev);
    memory_region_set_enabled(&ram, false);
    recorder_expect_map(w.r, NULL);
    memory_region_set_enabled(&ram, true);
    recorder_expect_map(w.r, "dev 0-f @0", "ram 10-fff @10", NULL);
    memory_region_del_subregion(&ram, &dev);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&dev);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

START_TEST(test_move)
{
    World w;
    MemoryRegion a, b;

    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 0x100);
    memory_region_add_subregion_overlap(&w.root, 0, &a, 0);
    memory_region_add_subregion_overlap(&w.root, 0x1000, &b, 0);
    memory_region_set_address(&a, 0x1080);
    /* Order among equals stays: b was added last. */
    recorder_expect_map(w.r, "b 1000-10ff @0", "a 1100-117f @80", NULL);
    memory_region_set_address(&b, 0);
    recorder_expect_map(w.r, "b 0-ff @0", "a 1080-117f @0", NULL);
    memory_region_set_address(&b, 0x10c0);
    recorder_expect_map(w.r, "a 1080-10bf @0", "b 10c0-11bf @0", NULL);
    memory_region_set_address(&b, UINT64_MAX);
    recorder_expect_map(w.r, "a 1080-117f @0",
                        "b ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
}
END_TEST

/* A guest moves its BARs where it likes: no error even over a plain sibling. */
START_TEST(test_move_over_plain)
{
    World w;
    MemoryRegion a, b;

    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 0x100);
    memory_region_add_subregion(&w.root, 0, &a);
    memory_region_add_subregion(&w.root, 0x1000, &b);
    memory_region_set_address(&a, 0x1080);
    recorder_expect_map(w.r, "b 1000-10ff @0", "a 1100-117f @80", NULL);
    memory_region_set_size(&b, 0x20);
    memory_region_set_address(&a, 0x1000);
    recorder_expect_map(w.r, "b 1000-101f @0", "a 1020-10ff @20", NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
}
END_TEST

START_TEST(test_resize)
{
    World w;
    MemoryRegion box, io, ram, alias, reservation;

    world_init(&w);
    memory_region_init(&box, "box", 0x2000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init_alias(&alias, "alias", &box, 0, 0x4000);
    memory_region_init_reservation(&reservation, "reservation", 0x10);
    memory_region_add_subregion(&box, 0, &io);
    memory_region_add_subregion(&box, 0x1000, &ram);
    memory_region_add_subregion(&box, 0x800, &reservation);
    memory_region_add_subregion(&w.root, 0x10000, &alias);
    recorder_expect_map(w.r, "io 10000-100ff @0", "reservation 10800-1080f @0",
                        "ram 11000-11fff @0", NULL);
    memory_region_set_size(&ram, 0x123);
    memory_region_set_size(&io, 1);
    memory_region_set_size(&reservation, 0x800);
    recorder_expect_map(w.r, "io 10000-10000 @0", "reservation 10800-10fff @0",
                        "ram 11000-11122 @0", NULL);
    expect_hex(memory_region_size(&ram), 0x123);
    memory_region_set_size(&ram, 0x1000);
    memory_region_set_size(&box, 0x1800);
    recorder_expect_map(w.r, "io 10000-10000 @0", "reservation 10800-10fff @0",
                        "ram 11000-117ff @0", NULL);
    memory_region_set_size(&alias, 0x1100);
    recorder_expect_map(w.r, "io 10000-10000 @0", "reservation 10800-10fff @0",
                        "ram 11000-110ff @0", NULL);
    memory_region_set_size(&alias, 0);
    recorder_expect_map(w.r, NULL);
    memory_region_set_size(&alias, UINT64_MAX);
    memory_region_set_size(&box, UINT64_MAX);
    memory_region_set_size(&reservation, 0);
    memory_region_set_size(&io, 0x1001);
    recorder_expect_map(w.r, "io 10000-10fff @0", "ram 11000-11fff @0", NULL);
    expect_hex(memory_region_size(&box), UINT64_MAX);

    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&box, &io);
    memory_region_del_subregion(&box, &ram);
    memory_region_del_subregion(&box, &reservation);
    memory_region_destroy(&alias);
    memory_region_destroy(&box);
    memory_region_destroy(&io);
    memory_region_destroy(&ram);
    memory_region_destroy(&reservation);
    world_destroy(&w);
}
END_TEST

/* ---- aliases ----------------------------------------------------------------------- */

START_TEST(test_alias_window)
{
    World w;
    MemoryRegion io, alias;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x1000);
    memory_region_init_alias(&alias, "alias", &io, 0x200, 0x100);
    memory_region_add_subregion(&w.root, 0x50, &alias);
    recorder_expect_map(w.r, "io 50-14f @200", NULL);
    memory_region_set_alias_offset(&alias, 0xf80);
    /* Behind the target's end nothing answers. */
    recorder_expect_map(w.r, "io 50-cf @f80", NULL);
    memory_region_set_alias_offset(&alias, 0x1000);
    recorder_expect_map(w.r, NULL);
    memory_region_set_alias_offset(&alias, UINT64_MAX);
    recorder_expect_map(w.r, NULL);
    memory_region_set_alias_offset(&alias, 0xfff);
    recorder_expect_map(w.r, "io 50-50 @fff", NULL);
    /* The target itself appears beside its window. */
    memory_region_add_subregion(&w.root, 0x10000, &io);
    recorder_expect_map(w.r, "io 50-50 @fff", "io 10000-10fff @0", NULL);
    /* A window does not care where its target sits. */
    memory_region_set_address(&io, 0x20000);
    recorder_expect_map(w.r, "io 50-50 @fff", "io 20000-20fff @0", NULL);
    memory_region_set_enabled(&io, false);
    recorder_expect_map(w.r, NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_destroy(&alias);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

START_TEST(test_alias_is_transparent)
{
    World w;
    MemoryRegion below, box, dev, alias;

    world_init(&w);
    memory_region_init_io(&below, &io_plain_ops, NULL, "below", 0x1000);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_io(&dev, &io_plain_ops, NULL, "dev", 0x10);
    memory_region_init_alias(&alias, "alias", &box, 0x100, 0x200);
    memory_region_add_subregion(&w.root, 0, &below);
    memory_region_add_subregion(&box, 0x1f8, &dev);
    memory_region_add_subregion_overlap(&w.root, 0x400, &alias, 1);
    recorder_expect_map(w.r, "below 0-4f7 @0", "dev 4f8-507 @0",
                        "below 508-fff @508", NULL);
    memory_region_set_address(&dev, 0x2f8);
    recorder_expect_map(w.r, "below 0-5f7 @0", "dev 5f8-5ff @0",
                        "below 600-fff @600", NULL);
    memory_region_set_address(&dev, 0xf8);
    recorder_expect_map(w.r, "below 0-3ff @0", "dev 400-407 @8",
                        "below 408-fff @408", NULL);
    memory_region_set_enabled(&alias, false);
    recorder_expect_map(w.r, "below 0-fff @0", NULL);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&w.root, &below);
    memory_region_del_subregion(&box, &dev);
    memory_region_destroy(&alias);
    memory_region_destroy(&box);
    memory_region_destroy(&dev);
    memory_region_destroy(&below);
    world_destroy(&w);
}
END_TEST

START_TEST(test_alias_of_alias)
{
    World w;
    MemoryRegion ram, first, second, third;

    world_init(&w);
    content_fill(memory, 1, 0, sizeof(memory));
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_init_alias(&first, "first", &ram, 0x1000, 0x2000);
    memory_region_init_alias(&second, "second", &first, 0x800, 0x4000);
    memory_region_init_alias(&third, "third", &second, 0x10, 0x20);
    memory_region_add_subregion(&w.root, 0x10000, &second);
    memory_region_add_subregion(&w.root, 0, &third);
    recorder_expect_map(w.r, "ram 0-1f @1810", "ram 10000-117ff @1800", NULL);
    expect_hex(load(&w.as, 0x1c, 4, MEMTX_OK), content_value(1, 0x182c, 4));
    memory_region_set_alias_offset(&first, 0);
    recorder_expect_map(w.r, "ram 0-1f @810", "ram 10000-117ff @800", NULL);
    memory_region_set_size(&first, 0x818);
    recorder_expect_map(w.r, "ram 0-7 @810", "ram 10000-10017 @800", NULL);
    ck_assert_ptr_eq(memory_region_get_ram_ptr(&third), memory + 0x810);
    memory_region_del_subregion(&w.root, &second);
    memory_region_del_subregion(&w.root, &third);
    memory_region_destroy(&third);
    memory_region_destroy(&second);
    memory_region_destroy(&first);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* Two windows that continue each other are one section. */
START_TEST(test_alias_merges)
{
    World w;
    MemoryRegion ram, low, high;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_init_alias(&low, "low", &ram, 0, 0x1000);
    memory_region_init_alias(&high, "high", &ram, 0x1000, 0x1000);
    memory_region_add_subregion(&w.root, 0x8000, &low);
    memory_region_add_subregion(&w.root, 0x9000, &high);
    recorder_expect_map(w.r, "ram 8000-9fff @0", NULL);
    memory_region_set_readonly(&high, true);
    recorder_expect_map(w.r, "ram 8000-8fff @0", "ram 9000-9fff @1000 ro", NULL);
    memory_region_set_readonly(&low, true);
    recorder_expect_map(w.r, "ram 8000-9fff @0 ro", NULL);
    memory_region_set_alias_offset(&high, 0x1001);
    recorder_expect_map(w.r, "ram 8000-8fff @0 ro", "ram 9000-9fff @1001 ro",
                        NULL);
    memory_region_del_subregion(&w.root, &low);
    memory_region_del_subregion(&w.root, &high);
    memory_region_destroy(&low);
    memory_region_destroy(&high);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* ---- transactions -------------------------------------------------------------------------- */

START_TEST(test_transactions)
{
    World w;
    MemoryRegion a, b;

    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 0x100);

    memory_region_transaction_begin();
    ck_assert(memory_lock_held());
    memory_region_add_subregion(&w.root, 0, &a);
    memory_region_transaction_begin();
    memory_region_add_subregion(&w.root, 0x100, &b);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, NULL);
    recorder_expect_map(w.r, NULL);
    ck_assert_uint_eq(load(&w.as, 0, 1, MEMTX_DECODE_ERROR), 0xff);
    memory_region_transaction_commit();
    ck_assert(!memory_lock_held());
    recorder_expect_log(w.r, "begin", "add a 0-ff @0", "add b 100-1ff @0",
                        "commit", NULL);

    /* Swapped at once. */
    memory_region_transaction_begin();
    memory_region_set_address(&a, 0x100);
    memory_region_set_address(&b, 0);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, "begin", "del a 0-ff @0", "del b 100-1ff @0",
                        "add b 0-ff @0", "add a 100-1ff @0", "commit", NULL);

    /* Undone again: nothing happened that a listener need hear of. */
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &a);
    memory_region_add_subregion(&w.root, 0x100, &a);
    memory_region_transaction_commit();
    recorder_expect_map(w.r, "b 0-ff @0", "a 100-1ff @0", NULL);

    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
}
END_TEST

/* Gone for good within the transaction that made it. */
START_TEST(test_transaction_never_visible)
{
    World w;
    MemoryRegion a;

    world_init(&w);
    memory_region_transaction_begin();
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    memory_region_add_subregion(&w.root, 0, &a);
    memory_region_del_subregion(&w.root, &a);
    memory_region_destroy(&a);
    memory_region_transaction_commit();
    recorder_expect_map(w.r, NULL);
    world_destroy(&w);
}
END_TEST

/* ---- queries -------------------------------------------------------------------------------- */

START_TEST(test_find)
{
    World w;
    MemoryRegion box, a, b, lone;
    MemoryRegionSection s;

    world_init(&w);
    memory_region_init(&box, "box", 0x10000);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    memory_region_init_ram_ptr(&b, "b", 0x1000, memory);
    memory_region_init(&lone, "lone", 0x1000);
    memory_region_add_subregion(&w.root, 0x100000, &box);
    memory_region_add_subregion(&box, 0x100, &a);
    memory_region_add_subregion(&box, 0x1000, &b);
    memory_region_set_readonly(&b, true);

    memory_lock();
    s = memory_region_find(&w.root, 0x100000, 0x10000);
    ck_assert_ptr_eq(s.mr, &a);
    ck_assert_ptr_eq(s.address_space, &w.root);
    ck_assert_ptr_eq(s.as, &w.as);
    expect_hex(s.offset_within_region, 0);
    expect_hex(s.offset_within_address_space, 0x100100);
    expect_hex(s.size, 0x100);
    expect_hex(s.last_within_address_space, 0x1001ff);
    ck_assert(!s.readonly);

    /* Clipped to what was asked for. */
    s = memory_region_find(&w.root, 0x100180, 0x10);
    ck_assert_ptr_eq(s.mr, &a);
    expect_hex(s.offset_within_region, 0x80);
    expect_hex(s.offset_within_address_space, 0x100180);
    expect_hex(s.size, 0x10);
    expect_hex(memory_region_section_addr(&s, 0x100185), 0x85);

    s = memory_region_find(&w.root, 0x1001ff, UINT64_MAX);
    ck_assert_ptr_eq(s.mr, &a);
    expect_hex(s.size, 1);
    s = memory_region_find(&w.root, 0x100200, UINT64_MAX);
    ck_assert_ptr_eq(s.mr, &b);
    expect_hex(s.size, 0x1000);
    ck_assert(s.readonly);

    /* Size 0 stands for one byte. */
    s = memory_region_find(&w.root, 0x1000ff, 0);
    ck_assert_ptr_null(s.mr);
    expect_hex(s.size, 0);
    s = memory_region_find(&w.root, 0x100100, 0);
    ck_assert_ptr_eq(s.mr, &a);
    expect_hex(s.size, 1);

    s = memory_region_find(&w.root, 0x1000, 0xff100);
    ck_assert_ptr_null(s.mr);
    s = memory_region_find(&w.root, 0x1000, 0xff101);
    ck_assert_ptr_eq(s.mr, &a);
    s = memory_region_find(&w.root, UINT64_MAX, UINT64_MAX);
    ck_assert_ptr_null(s.mr);

    /* Relative to the region asked; the answer is in the address space's terms. */
    s = memory_region_find(&box, 0x180, 0x10);
    ck_assert_ptr_eq(s.mr, &a);
    ck_assert_ptr_eq(s.address_space, &w.root);
    expect_hex(s.offset_within_region, 0x80);
    expect_hex(s.offset_within_address_space, 0x100180);

    /* Of a region that no address space shows. */
    memory_region_del_subregion(&w.root, &box);
    memory_region_add_subregion(&lone, 0x10, &box);
    s = memory_region_find(&lone, 0, 0x1000);
    ck_assert_ptr_eq(s.mr, &a);
    ck_assert_ptr_null(s.as);
    expect_hex(s.offset_within_address_space, 0x110);
    memory_unlock();

    memory_region_del_subregion(&lone, &box);
    memory_region_del_subregion(&box, &a);
    memory_region_del_subregion(&box, &b);
    memory_region_destroy(&lone);
    memory_region_destroy(&box);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
}
END_TEST

START_TEST(test_present)
{
    World w;
    MemoryRegion box, a, ram;

    world_init(&w);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x100);
    ck_assert(!memory_region_present(&box, 0x100));
    memory_region_add_subregion(&box, 0x100, &a);
    ck_assert(!memory_region_present(&box, 0xff));
    ck_assert(memory_region_present(&box, 0x100));
    ck_assert(memory_region_present(&box, 0x1ff));
    ck_assert(!memory_region_present(&box, 0x200));
    memory_region_add_subregion(&w.root, 0x100000, &box);
    ck_assert(!memory_region_present(&box, 0xff));
    ck_assert(memory_region_present(&box, 0x100));
    ck_assert(!memory_region_present(&w.root, 0x100));
    ck_assert(memory_region_present(&w.root, 0x100100));
    memory_region_set_enabled(&a, false);
    ck_assert(!memory_region_present(&w.root, 0x100100));
    ck_assert(!memory_region_present(&box, 0x100));
    memory_region_set_enabled(&a, true);
    memory_region_del_subregion(&w.root, &box);
    memory_region_del_subregion(&box, &a);
    /* A container's own backing does not count. */
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_add_subregion(&ram, 0x100, &a);
    ck_assert(!memory_region_present(&ram, 0xff));
    ck_assert(memory_region_present(&ram, 0x100));
    memory_region_add_subregion(&w.root, 0, &ram);
    ck_assert(!memory_region_present(&ram, 0xff));
    ck_assert(memory_region_present(&w.root, 0xff));
    memory_region_del_subregion(&w.root, &ram);
    memory_region_del_subregion(&ram, &a);
    memory_region_destroy(&ram);
    memory_region_destroy(&box);
    memory_region_destroy(&a);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("memory", test_kinds, test_name_is_copied,
          test_ram_is_zeroed_and_apart, test_try_init_ram,
          test_again_after_destroy, test_container_is_transparent,
          test_backing_shows_through_gaps, test_priorities,
          test_priority_is_local, test_clipped_to_parent,
          test_disabled_hides_nothing, test_disabled_backing, test_move,
          test_move_over_plain, test_resize, test_alias_window,
          test_alias_is_transparent, test_alias_of_alias, test_alias_merges,
          test_transactions, test_transaction_never_visible, test_find,
          test_present)
