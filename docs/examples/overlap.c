/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Priorities: who answers where windows overlap. See docs/memory.txt. */
#include "memory.h"

static const MemoryRegionOps ops;

static void show(MemoryRegion *root, hwaddr addr)
{
    MemoryRegionSection s = memory_region_find(root, addr, 1);

    printf("%04x: %s\n", (unsigned)addr,
           s.mr ? memory_region_name(s.mr) : "-");
}

int main(void)
{
    static MemoryRegion a, b, c, d, e;

    memory_region_init(&a, "A", 0x8000);
    memory_region_init(&b, "B", 0x4000);
    memory_region_init_io(&c, &ops, NULL, "C", 0x6000);
    memory_region_init_io(&d, &ops, NULL, "D", 0x1000);
    memory_region_init_io(&e, &ops, NULL, "E", 0x1000);

    memory_region_add_subregion_overlap(&a, 0x0000, &c, 1);
    memory_region_add_subregion_overlap(&a, 0x2000, &b, 2);
    memory_region_add_subregion(&b, 0x0000, &d);
    memory_region_add_subregion(&b, 0x2000, &e);

    for (hwaddr addr = 0; addr < 0x8000; addr += 0x1000) {
        show(&a, addr);
    }

    memory_region_set_enabled(&d, false); /* hides nothing any more */
    show(&a, 0x2000);
    return 0;
}
