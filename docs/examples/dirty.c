/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages of a frame buffer were written. See docs/memory.txt. */
#include "memory.h"

#define SIZE 0x10000

static void redraw(MemoryRegion *vram)
{
    memory_region_sync_dirty_bitmap(vram); /* what KVM has seen, too */
    for (hwaddr page = 0; page < SIZE; page += TARGET_PAGE_SIZE) {
        if (memory_region_test_and_clear_dirty(vram, page, TARGET_PAGE_SIZE,
                                               DIRTY_MEMORY_VGA)) {
            printf("  redraw 0x%04x\n", (unsigned)page);
        }
    }
}

int main(void)
{
    static MemoryRegion root, vram;
    static AddressSpace as;

    memory_region_init(&root, "root", 0x100000);
    memory_region_init_ram(&vram, "vram", SIZE);
    memory_region_add_subregion(&root, 0xa0000, &vram);
    address_space_init(&as, &root);
    memory_region_set_log(&vram, true, DIRTY_MEMORY_VGA);

    address_space_write(&as, 0xa0ffe, (const uint8_t *)"wide", 4);
    address_space_stl(&as, 0xa5000, 1, MEMTXATTRS_UNSPECIFIED, NULL);
    printf("first look\n");
    redraw(&vram);
    printf("second look\n");
    redraw(&vram);
    return 0;
}
