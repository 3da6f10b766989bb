/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bus master with a view of its own, and direct access to memory. See docs/memory.txt. */
#include <string.h>

#include "memory.h"

int main(void)
{
    static MemoryRegion system, ram, dma_view, window;
    static AddressSpace cpu, dma;
    uint8_t byte;
    hwaddr len;
    char *p;

    /* The CPU sees RAM at 0; the DMA controller sees the first 4 KiB of it,
     * at 0x8000, and nothing else. */
    memory_region_init(&system, "system", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", 0x10000);
    memory_region_add_subregion(&system, 0, &ram);
    address_space_init(&cpu, &system);

    memory_region_init(&dma_view, "dma-view", UINT64_MAX);
    memory_region_init_alias(&window, "window", &ram, 0, 0x1000);
    memory_region_add_subregion(&dma_view, 0x8000, &window);
    address_space_init(&dma, &dma_view);

    /* Direct access: as much as there is in one piece. */
    len = 0x2000;
    p = address_space_map(&dma, 0x8800, &len, true);
    printf("mapped 0x%x of 0x2000 bytes\n", (unsigned)len);
    strcpy(p, "by DMA");
    address_space_unmap(&dma, p, len, true, 7);
    printf("the CPU reads: %s\n",
           (char *)memory_region_get_ram_ptr(&ram) + 0x800);

    /* What is not there. */
    if (address_space_read(&dma, 0x100, &byte, 1) & MEMTX_DECODE_ERROR) {
        printf("nothing at 0x100: 0x%02x\n", byte);
    }
    return 0;
}
