/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worked example of the contract, range by range: 4 GiB of RAM through
 * lomem and himem, a PCI bus seen through the PCI hole and, above all that,
 * through a window at 0xa0000; behind it a VGA area of two banks of a VRAM
 * that is also a BAR; a BAR that moves.
 *
 *   system (2^64)
 *     0          lomem      RAM from 0, 0xe0000000 bytes
 *     0xe0000000 pci-hole   PCI from 0xe0000000, 0x20000000 bytes
 *     2^32       himem      RAM from 0xe0000000, 0x20000000 bytes
 *     0xa0000    vga-window PCI from 0xa0000, 0x20000 bytes, priority 1
 *   pci (2^32)
 *     0xa0000    vga-area   0x20000 bytes, priority 1: bank 1, bank 2 (aliases
 *                           of VRAM, 0x8000 bytes each, at 0 and 0x8000)
 *     0xe1000000 vram       0x1000000 bytes
 *     0xe2000000 vga-mmio   0x10000 bytes
 */
#include "test-util.h"

#define GIB ((uint64_t)1 << 30)
#define HOLE ((hwaddr)0xe0000000)
#define HOLE_SIZE (4 * GIB - HOLE)

typedef struct Board {
    MemoryRegion system, ram, lomem, himem, pci, pci_hole, vga_window;
    MemoryRegion vga_area, bank1, bank2, vram;
    IoDevice mmio;
    AddressSpace as;
    Recorder *r;
} Board;

static void board_init(Board *b)
{
    memory_region_init(&b->system, "system", UINT64_MAX);
    memory_region_init_ram(&b->ram, "ram", 4 * GIB);
    memory_region_init_alias(&b->lomem, "lomem", &b->ram, 0, HOLE);
    memory_region_init_alias(&b->himem, "himem", &b->ram, HOLE, HOLE_SIZE);
    memory_region_init(&b->pci, "pci", 4 * GIB);
    memory_region_init_alias(&b->pci_hole, "pci-hole", &b->pci, HOLE, HOLE_SIZE);
    memory_region_init_alias(&b->vga_window, "vga-window", &b->pci, 0xa0000,
                             0x20000);
    memory_region_init_ram(&b->vram, "vram", 0x1000000);
    memory_region_init(&b->vga_area, "vga-area", 0x20000);
    memory_region_init_alias(&b->bank1, "bank-1", &b->vram, 0x10000, 0x8000);
    memory_region_init_alias(&b->bank2, "bank-2", &b->vram, 0x40000, 0x8000);
    io_device_init(&b->mmio, 7, "vga-mmio", 0x10000);

    address_space_init(&b->as, &b->system);
    b->r = recorder_new(&b->as, 0, true);

    memory_region_transaction_begin();
    memory_region_add_subregion(&b->system, 0, &b->lomem);
    memory_region_add_subregion(&b->system, 4 * GIB, &b->himem);
    memory_region_add_subregion(&b->system, HOLE, &b->pci_hole);
    memory_region_add_subregion_overlap(&b->system, 0xa0000, &b->vga_window, 1);
    memory_region_add_subregion_overlap(&b->pci, 0xa0000, &b->vga_area, 1);
    memory_region_add_subregion(&b->vga_area, 0, &b->bank1);
    memory_region_add_subregion(&b->vga_area, 0x8000, &b->bank2);
    memory_region_add_subregion_overlap(&b->pci, 0xe1000000, &b->vram, 0);
    memory_region_add_subregion_overlap(&b->pci, 0xe2000000, &b->mmio.mr, 0);
    memory_region_transaction_commit();
}

static void board_destroy(Board *b)
{
    recorder_free(b->r);
    memory_region_del_subregion(&b->system, &b->lomem);
    memory_region_del_subregion(&b->system, &b->himem);
    memory_region_del_subregion(&b->system, &b->pci_hole);
    memory_region_del_subregion(&b->system, &b->vga_window);
    memory_region_del_subregion(&b->pci, &b->vga_area);
    memory_region_del_subregion(&b->vga_area, &b->bank1);
    memory_region_del_subregion(&b->vga_area, &b->bank2);
    memory_region_del_subregion(&b->pci, &b->vram);
    memory_region_del_subregion(&b->pci, &b->mmio.mr);
    address_space_destroy(&b->as);
    memory_region_destroy(&b->bank1);
    memory_region_destroy(&b->bank2);
    memory_region_destroy(&b->vram);
    memory_region_destroy(&b->mmio.mr);
    memory_region_destroy(&b->vga_area);
    memory_region_destroy(&b->vga_window);
    memory_region_destroy(&b->pci_hole);
    memory_region_destroy(&b->pci);
    memory_region_destroy(&b->lomem);
    memory_region_destroy(&b->himem);
    memory_region_destroy(&b->ram);
    memory_region_destroy(&b->system);
}

#define EXPECT_FIRST_MAP(b)                                                    \
    recorder_expect_map((b)->r, "ram 0-9ffff @0", "vram a0000-a7fff @10000",   \
                        "vram a8000-affff @40000", "ram b0000-dfffffff @b0000", \
                        "vram e1000000-e1ffffff @0",                           \
                        "vga-mmio e2000000-e200ffff @0",                       \
                        "ram 100000000-11fffffff @e0000000", NULL)

START_TEST(test_map)
{
    Board b;

    board_init(&b);
    EXPECT_FIRST_MAP(&b);

    /* The ends of each range, as accesses find them. */
    expect_found(&b.system, 0x9ffff, &b.ram, 0x9ffff);
    expect_found(&b.system, 0xa0000, &b.vram, 0x10000);
    expect_found(&b.system, 0xa7fff, &b.vram, 0x17fff);
    expect_found(&b.system, 0xa8000, &b.vram, 0x40000);
    expect_found(&b.system, 0xaffff, &b.vram, 0x47fff);
    expect_found(&b.system, 0xb0000, &b.ram, 0xb0000);
    expect_found(&b.system, 0xdfffffff, &b.ram, 0xdfffffff);
    expect_found(&b.system, 0xe0000000, NULL, 0);
    expect_found(&b.system, 0xe0ffffff, NULL, 0);
    expect_found(&b.system, 0xe1000000, &b.vram, 0);
    expect_found(&b.system, 0xe1ffffff, &b.vram, 0xffffff);
    expect_found(&b.system, 0xe2000000, &b.mmio.mr, 0);
    expect_found(&b.system, 0xe200ffff, &b.mmio.mr, 0xffff);
    expect_found(&b.system, 0xe2010000, NULL, 0);
    expect_found(&b.system, 0xffffffff, NULL, 0);
    expect_found(&b.system, 0x100000000, &b.ram, 0xe0000000);
    expect_found(&b.system, 0x11fffffff, &b.ram, 0xffffffff);
    expect_found(&b.system, 0x120000000, NULL, 0);
    board_destroy(&b);
}
END_TEST

START_TEST(test_same_memory)
{
    Board b;

    board_init(&b);
    /* Through the bank, and through the BAR. */
    store(&b.as, 0xa0010, 4, 0x11223344, MEMTX_OK);
    store(&b.as, 0xa8010, 4, 0x55667788, MEMTX_OK);
    expect_hex(load(&b.as, 0xe1010010, 4, MEMTX_OK), 0x11223344);
    expect_hex(load(&b.as, 0xe1040010, 4, MEMTX_OK), 0x55667788);
    /* Across the banks' border. */
    store(&b.as, 0xa7ffe, 4, 0xaabbccdd, MEMTX_OK);
    expect_hex(load(&b.as, 0xe1017ffe, 2, MEMTX_OK), 0xccdd);
    expect_hex(load(&b.as, 0xe1040000, 2, MEMTX_OK), 0xaabb);
    /* The RAM behind the window was not touched. */
    expect_hex(load(&b.as, 0xb0000, 4, MEMTX_OK), 0);
    memory_region_set_enabled(&b.vga_window, false);
    expect_hex(load(&b.as, 0xa0010, 4, MEMTX_OK), 0);
    expect_hex(load(&b.as, 0xa7ffe, 4, MEMTX_OK), 0);
    /* The last RAM below the hole and the first above are neighbours. */
    store(&b.as, 0xdffffff8, 8, 0x0102030405060708, MEMTX_OK);
    store(&b.as, 0x100000000, 8, 0x1112131415161718, MEMTX_OK);
    expect_hex(*((uint8_t *)memory_region_get_ram_ptr(&b.ram) + 0xdffffff8), 8);
    expect_hex(*((uint8_t *)memory_region_get_ram_ptr(&b.ram) + 0xe0000000),
               0x18);
    board_destroy(&b);
}
END_TEST

START_TEST(test_bank_switch)
{
    Board b;

    board_init(&b);
    recorder_clear_log(b.r);
    memory_region_set_alias_offset(&b.bank1, 0x20000);
    recorder_expect_log(b.r, "begin", "del vram a0000-a7fff @10000",
                        "add vram a0000-a7fff @20000", "commit", NULL);

    /* Both banks at once; where they continue each other they are one. */
    memory_region_transaction_begin();
    memory_region_set_alias_offset(&b.bank1, 0);
    memory_region_set_alias_offset(&b.bank2, 0x8000);
    memory_region_transaction_commit();
    recorder_expect_log(b.r, "begin", "del vram a0000-a7fff @20000",
                        "del vram a8000-affff @40000",
                        "add vram a0000-affff @0", "commit", NULL);
    memory_region_set_alias_offset(&b.bank2, 0xff8000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @0",
                        "vram a8000-affff @ff8000", "ram b0000-dfffffff @b0000",
                        "vram e1000000-e1ffffff @0",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    /* Half outside the VRAM: RAM shows through there. */
    memory_region_set_alias_offset(&b.bank2, 0xffc000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @0",
                        "vram a8000-abfff @ffc000", "ram ac000-dfffffff @ac000",
                        "vram e1000000-e1ffffff @0",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    board_destroy(&b);
}
END_TEST

START_TEST(test_window_disabled)
{
    Board b;

    board_init(&b);
    recorder_clear_log(b.r);
    memory_region_set_enabled(&b.vga_window, false);
    recorder_expect_log(b.r, "begin", "del ram 0-9ffff @0",
                        "del vram a0000-a7fff @10000",
                        "del vram a8000-affff @40000",
                        "del ram b0000-dfffffff @b0000",
                        "add ram 0-dfffffff @0", "commit", NULL);
    recorder_expect_map(b.r, "ram 0-dfffffff @0", "vram e1000000-e1ffffff @0",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    memory_region_set_enabled(&b.vga_window, true);
    EXPECT_FIRST_MAP(&b);
    memory_region_set_enabled(&b.bank1, false);
    recorder_expect_map(b.r, "ram 0-a7fff @0", "vram a8000-affff @40000",
                        "ram b0000-dfffffff @b0000", "vram e1000000-e1ffffff @0",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    memory_region_set_enabled(&b.bank1, true);
    memory_region_set_enabled(&b.vga_area, false);
    recorder_expect_map(b.r, "ram 0-dfffffff @0", "vram e1000000-e1ffffff @0",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    memory_region_set_enabled(&b.vga_area, true);
    EXPECT_FIRST_MAP(&b);
    board_destroy(&b);
}
END_TEST

START_TEST(test_bar_moves)
{
    Board b;

    board_init(&b);
    /* Outside the hole it disappears; its banks stay. */
    memory_region_set_address(&b.vram, 0xd0000000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @10000",
                        "vram a8000-affff @40000", "ram b0000-dfffffff @b0000",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    expect_found(&b.system, 0xd0000000, &b.ram, 0xd0000000);
    /* Half in it, it is cut. */
    memory_region_set_address(&b.vram, 0xdf800000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @10000",
                        "vram a8000-affff @40000", "ram b0000-dfffffff @b0000",
                        "vram e0000000-e07fffff @800000",
                        "vga-mmio e2000000-e200ffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    /* At the bus's end, too. */
    memory_region_set_address(&b.vram, 0xff800000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @10000",
                        "vram a8000-affff @40000", "ram b0000-dfffffff @b0000",
                        "vga-mmio e2000000-e200ffff @0",
                        "vram ff800000-ffffffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    /* The registers over the VRAM, added later: on top. */
    memory_region_set_address(&b.vram, 0xe1000000);
    memory_region_set_address(&b.mmio.mr, 0xe1800000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @10000",
                        "vram a8000-affff @40000", "ram b0000-dfffffff @b0000",
                        "vram e1000000-e17fffff @0",
                        "vga-mmio e1800000-e180ffff @0",
                        "vram e1810000-e1ffffff @810000",
                        "ram 100000000-11fffffff @e0000000", NULL);
    /* Under the window a BAR has priority 0, the VGA area 1. */
    memory_region_set_address(&b.mmio.mr, 0xaf000);
    recorder_expect_map(b.r, "ram 0-9ffff @0", "vram a0000-a7fff @10000",
                        "vram a8000-affff @40000",
                        "vga-mmio b0000-befff @1000",
                        "ram bf000-dfffffff @bf000",
                        "vram e1000000-e1ffffff @0",
                        "ram 100000000-11fffffff @e0000000", NULL);
    expect_hex(load(&b.as, 0xb0004, 4, MEMTX_OK), content_value(7, 0x1004, 4));
    board_destroy(&b);
}
END_TEST

TEST_MAIN("vga-example", test_map, test_same_memory, test_bank_switch,
          test_window_disabled, test_bar_moves)
