/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A listener, with and without a transaction. See docs/memory.txt. */
#include "memory.h"

static void print_section(const char *what, MemoryRegionSection *s)
{
    printf("  %s %s at 0x%04x, %u bytes\n", what, memory_region_name(s->mr),
           (unsigned)s->offset_within_address_space, (unsigned)s->size);
}

static void on_add(MemoryListener *listener, MemoryRegionSection *s)
{
    print_section("add", s);
}

static void on_del(MemoryListener *listener, MemoryRegionSection *s)
{
    print_section("del", s);
}

static void on_commit(MemoryListener *listener)
{
    printf("  commit\n");
}

int main(void)
{
    static MemoryListener listener = {
        .region_add = on_add,
        .region_del = on_del,
        .commit = on_commit,
    };
    static MemoryRegion root, ram, rom;
    static AddressSpace as;

    memory_region_init(&root, "root", 0x10000);
    memory_region_init_ram(&ram, "ram", 0x8000);
    memory_region_init_rom(&rom, "rom", 0x1000);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root);

    printf("register\n");
    memory_listener_register(&listener, &as);
    printf("lay the ROM over the RAM\n");
    memory_region_add_subregion_overlap(&root, 0x1000, &rom, 1);

    printf("move it and hide the rest, as one change\n");
    memory_region_transaction_begin();
    memory_region_set_address(&rom, 0x2000);
    memory_region_set_size(&ram, 0x2000);
    memory_region_transaction_commit();

    printf("unregister\n");
    memory_listener_unregister(&listener);
    return 0;
}
