/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of its own on libmemory-core.a. See docs/memory.txt. */
#include "memory.h"

static void lamp_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    printf("lamp: 0x%02x\n", (unsigned)data);
}

static const MemoryRegionOps lamp_ops = { .write = lamp_write };

int main(void)
{
    static MemoryRegion bus, ram, lamp;
    static AddressSpace as;

    memory_region_init(&bus, "bus", 0x100000000);
    memory_region_init_ram(&ram, "ram", 0x10000);
    memory_region_init_io(&lamp, &lamp_ops, NULL, "lamp", 4);
    memory_region_add_subregion(&bus, 0, &ram);
    memory_region_add_subregion(&bus, 0xf0000000, &lamp);
    address_space_init(&as, &bus);

    address_space_write(&as, 0x1000, (const uint8_t *)"hello", 6);
    address_space_stb(&as, 0xf0000000, 0x2a, MEMTXATTRS_UNSPECIFIED, NULL);
    printf("ram: %s\n", (char *)memory_region_get_ram_ptr(&ram) + 0x1000);
    return 0;
}
