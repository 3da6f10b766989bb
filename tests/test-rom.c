/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is only read, and devices that are memory to those who read them.
 */
#include <string.h>

#include "test-util.h"

#define PAGE TARGET_PAGE_SIZE

static uint8_t memory[16 * 4096] __attribute__((aligned(4096)));

START_TEST(test_readonly)
{
    World w;
    MemoryRegion ram;

    world_init(&w);
    memset(memory, 0, sizeof(memory));
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_add_subregion(&w.root, 0, &ram);
    store(&w.as, 0x10, 4, 0x11111111, MEMTX_OK);
    memory_region_set_readonly(&ram, true);
    ck_assert(memory_region_is_rom(&ram));
    ck_assert(memory_region_is_ram(&ram));
    recorder_expect_map(w.r, "ram 0-fff @0 ro", NULL);
    store(&w.as, 0x10, 4, 0x22222222, MEMTX_ACCESS_ERROR);
    expect_hex(load(&w.as, 0x10, 4, MEMTX_OK), 0x11111111);
    memory_region_set_readonly(&ram, false);
    recorder_expect_map(w.r, "ram 0-fff @0", NULL);
    store(&w.as, 0x10, 4, 0x33333333, MEMTX_OK);
    expect_hex(load(&w.as, 0x10, 4, MEMTX_OK), 0x33333333);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

START_TEST(test_readonly_accumulates)
{
    World w;
    MemoryRegion ram, box, alias, alias_alias;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_alias(&alias, "alias", &box, 0, 0x1000);
    memory_region_init_alias(&alias_alias, "alias-alias", &alias, 0, 0x1000);
    memory_region_add_subregion(&box, 0, &ram);
    memory_region_add_subregion(&w.root, 0, &box);
    memory_region_add_subregion(&w.root, 0x10000, &alias);
    memory_region_add_subregion(&w.root, 0x20000, &alias_alias);
    recorder_expect_map(w.r, "ram 0-fff @0", "ram 10000-10fff @0",
                        "ram 20000-20fff @0", NULL);
    memory_region_set_readonly(&alias_alias, true);
    recorder_expect_map(w.r, "ram 0-fff @0", "ram 10000-10fff @0",
                        "ram 20000-20fff @0 ro", NULL);
    memory_region_set_readonly(&alias_alias, false);
    memory_region_set_readonly(&alias, true);
    recorder_expect_map(w.r, "ram 0-fff @0", "ram 10000-10fff @0 ro",
                        "ram 20000-20fff @0 ro", NULL);
    memory_region_set_readonly(&alias, false);
    memory_region_set_readonly(&box, true);
    recorder_expect_map(w.r, "ram 0-fff @0 ro", "ram 10000-10fff @0 ro",
                        "ram 20000-20fff @0 ro", NULL);
    store(&w.as, 0x20000, 1, 1, MEMTX_ACCESS_ERROR);
    memory_region_set_readonly(&w.root, true);
    memory_region_set_readonly(&box, false);
    recorder_expect_map(w.r, "ram 0-fff @0 ro", "ram 10000-10fff @0 ro",
                        "ram 20000-20fff @0 ro", NULL);
    memory_region_set_readonly(&w.root, false);
    recorder_expect_map(w.r, "ram 0-fff @0", "ram 10000-10fff @0",
                        "ram 20000-20fff @0", NULL);
    memory_region_del_subregion(&w.root, &alias_alias);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&w.root, &box);
    memory_region_del_subregion(&box, &ram);
    memory_region_destroy(&alias_alias);
    memory_region_destroy(&alias);
    memory_region_destroy(&box);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* Callbacks see writes all the same, and their section says nothing. */
START_TEST(test_readonly_io)
{
    World w;
    IoDevice dev;

    world_init(&w);
    io_device_init(&dev, 1, "dev", 0x10);
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    memory_region_set_readonly(&w.root, true);
    memory_region_set_readonly(&dev.mr, true);
    recorder_expect_map(w.r, "dev 0-f @0", NULL);
    store(&w.as, 4, 2, 0x1234, MEMTX_OK);
    io_expect(&dev, "w 4/2=1234", NULL);
    memory_region_set_readonly(&w.root, false);
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

START_TEST(test_rom_device)
{
    World w;
    IoDevice dev = { .id = 5 };
    MemoryRegion romd;
    uint8_t *p;

    world_init(&w);
    memory_region_init_rom_device(&romd, &io_device_ops, &dev, "romd", 0x1000);
    p = memory_region_get_ram_ptr(&romd);
    content_fill(p, 9, 0, 0x1000);
    memory_region_add_subregion(&w.root, 0x1000, &romd);
    expect_hex(load(&w.as, 0x1008, 8, MEMTX_OK), content_value(9, 8, 8));
    io_expect(&dev, NULL);
    store(&w.as, 0x1008, 2, 0xabcd, MEMTX_OK);
    io_expect(&dev, "w 8/2=abcd", NULL);
    expect_hex(load(&w.as, 0x1008, 8, MEMTX_OK), content_value(9, 8, 8));

    memory_region_rom_device_set_readable(&romd, false);
    ck_assert(!memory_region_is_romd(&romd));
    expect_hex(load(&w.as, 0x1008, 4, MEMTX_OK), content_value(5, 8, 4));
    store(&w.as, 0x1ffc, 4, 0x55, MEMTX_OK);
    io_expect(&dev, "r 8/4", "w ffc/4=55", NULL);

    memory_region_rom_device_set_readable(&romd, true);
    ck_assert(memory_region_is_romd(&romd));
    expect_hex(load(&w.as, 0x1008, 8, MEMTX_OK), content_value(9, 8, 8));
    io_expect(&dev, NULL);

    /* The device changes its own memory. */
    p[8] = 0x77;
    ck_assert_uint_eq(load(&w.as, 0x1008, 1, MEMTX_OK), 0x77);
    memory_region_del_subregion(&w.root, &romd);
    memory_region_destroy(&romd);
    world_destroy(&w);
}
END_TEST

/* Over memory that is another region's, which stays when it goes. */
START_TEST(test_rom_device_over_ram)
{
    World w;
    IoDevice dev = { .id = 5 };
    MemoryRegion ram, romd;
    uint8_t *p;

    world_init(&w);
    memory_region_init_ram(&ram, "ram", 0x3000);
    p = memory_region_get_ram_ptr(&ram);
    memory_region_init_rom_device_ptr(&romd, &io_device_ops, &dev, "romd", 0x1000,
                                      p + 0x1000);
    ck_assert(memory_region_is_romd(&romd) && !memory_region_is_ram(&romd));
    ck_assert_ptr_eq(memory_region_get_ram_ptr(&romd), p + 0x1000);
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_add_subregion(&w.root, 0x8000, &romd);
    store(&w.as, 0x1008, 8, 0x1122334455667788, MEMTX_OK);
    expect_hex(load(&w.as, 0x8008, 8, MEMTX_OK), 0x1122334455667788);
    store(&w.as, 0x8008, 4, 0, MEMTX_OK);
    io_expect(&dev, "w 8/4=0", NULL);
    expect_hex(load(&w.as, 0x1008, 8, MEMTX_OK), 0x1122334455667788);
    memory_region_rom_device_set_readable(&romd, false);
    expect_hex(load(&w.as, 0x8008, 4, MEMTX_OK), content_value(5, 8, 4));
    memory_region_del_subregion(&w.root, &romd);
    memory_region_destroy(&romd);
    expect_hex(load(&w.as, 0x1008, 8, MEMTX_OK), 0x1122334455667788);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* A change of mode is a change that listeners hear of. */
START_TEST(test_rom_device_listener)
{
    World w;
    IoDevice dev = { .id = 5 };
    MemoryRegion romd;

    world_init(&w);
    memory_region_init_rom_device(&romd, &io_device_ops, &dev, "romd", 0x1000);
    memory_region_add_subregion(&w.root, 0, &romd);
    recorder_expect_log(w.r, "begin", "add romd 0-fff @0", "commit", NULL);
    memory_region_rom_device_set_readable(&romd, false);
    recorder_expect_log(w.r, "begin", "del romd 0-fff @0", "add romd 0-fff @0",
                        "commit", NULL);
    memory_region_rom_device_set_readable(&romd, true);
    recorder_expect_log(w.r, "begin", "del romd 0-fff @0", "add romd 0-fff @0",
                        "commit", NULL);
    memory_region_del_subregion(&w.root, &romd);
    memory_region_destroy(&romd);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("rom", test_readonly, test_readonly_accumulates, test_readonly_io,
          test_rom_device, test_rom_device_over_ram, test_rom_device_listener)
