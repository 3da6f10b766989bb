/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worked example: VGA and PCI windows of a PC with 4 GiB. See docs/memory.txt. */
#include "memory.h"

#define MIB 0x100000ull
#define GIB 0x40000000ull

static MemoryRegion memory, ram, lomem, himem, pci, hole, vga_window;
static MemoryRegion vga_area, bank0, bank1, vram, mmio;
static const MemoryRegionOps mmio_ops;

int main(void)
{
    static AddressSpace as;

    memory_region_init(&memory, "memory", UINT64_MAX);

    /* One block of RAM, shown in two places. */
    memory_region_init_ram(&ram, "ram", 4 * GIB);
    memory_region_init_alias(&lomem, "lomem", &ram, 0, 3584 * MIB);
    memory_region_init_alias(&himem, "himem", &ram, 3584 * MIB, 512 * MIB);
    memory_region_add_subregion(&memory, 0, &lomem);
    memory_region_add_subregion(&memory, 4 * GIB, &himem);

    /* What is on the PCI bus, and the two places where the CPU sees it. */
    memory_region_init(&pci, "pci", 4 * GIB);
    memory_region_init_alias(&hole, "pci-hole", &pci, 3584 * MIB, 512 * MIB);
    memory_region_init_alias(&vga_window, "vga-window", &pci, 0xa0000, 0x20000);
    memory_region_add_subregion(&memory, 3584 * MIB, &hole);
    memory_region_add_subregion_overlap(&memory, 0xa0000, &vga_window, 1);

    /* The display adapter: two BARs, and the old window with two banks. */
    memory_region_init_ram(&vram, "vram", 16 * MIB);
    memory_region_init_io(&mmio, &mmio_ops, NULL, "mmio", 4096);
    memory_region_init(&vga_area, "vga-area", 0x20000);
    memory_region_init_alias(&bank0, "bank0", &vram, 0x10000, 0x8000);
    memory_region_init_alias(&bank1, "bank1", &vram, 0x48000, 0x8000);
    memory_region_add_subregion(&vga_area, 0x0000, &bank0);
    memory_region_add_subregion(&vga_area, 0x8000, &bank1);
    memory_region_add_subregion(&pci, 0xa0000, &vga_area);
    memory_region_add_subregion(&pci, 0xe1000000, &vram);
    memory_region_add_subregion(&pci, 0xe2000000, &mmio);

    address_space_init(&as, &memory);
    mtree_info_flags(fprintf, stdout, MTREE_TREE | MTREE_FLAT);

    printf("The guest moves the BAR of the video memory out of the hole:\n\n");
    memory_region_set_address(&vram, 0x20000000);
    mtree_info_flags(fprintf, stdout, MTREE_FLAT);
    return 0;
}
