/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map as a PC's firmware tells it; see e820.h.
 */
#include "hw/i386/e820.h"

#include <assert.h>

void e820_add(E820 *map, uint64_t addr, uint64_t size, uint32_t type)
{
    unsigned i;

    if (size == 0) {
        return;
    }
    assert(map->nr < E820_MAX);
    for (i = map->nr; i > 0 && map->entries[i - 1].addr > addr; i--) {
        map->entries[i] = map->entries[i - 1];
    }
    map->entries[i] = (E820Entry){ addr, size, type };
    map->nr++;
}
