/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM, ROM, a ROM device, and a read-only window. See docs/memory.txt. */
#include "memory.h"

static void flash_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    printf("  flash command 0x%02x\n", (unsigned)data);
    /* While a command runs, reads give the status instead of the content. */
    memory_region_rom_device_set_readable(opaque, data == 0xff);
}

static uint64_t flash_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0x80; /* ready */
}

static const MemoryRegionOps flash_ops = {
    .read = flash_read,
    .write = flash_write,
};

static void poke(AddressSpace *as, const char *where, hwaddr addr, uint8_t v)
{
    MemTxResult result;
    uint8_t now;

    address_space_stb(as, addr, v, MEMTXATTRS_UNSPECIFIED, &result);
    now = address_space_ldub(as, addr, MEMTXATTRS_UNSPECIFIED, NULL);
    printf("%s: wrote 0x%02x, %s, reads 0x%02x\n", where, v,
           result == MEMTX_OK ? "ok" : "refused", now);
}

int main(void)
{
    static MemoryRegion root, ram, rom, flash, window;
    static AddressSpace as;

    memory_region_init(&root, "root", 0x10000);
    memory_region_init_ram(&ram, "ram", 0x1000);
    memory_region_init_rom(&rom, "rom", 0x1000);
    memory_region_init_rom_device(&flash, &flash_ops, &flash, "flash", 0x1000);
    memory_region_init_alias(&window, "ram, read-only", &ram, 0, 0x1000);
    memory_region_set_readonly(&window, true);
    memory_region_add_subregion(&root, 0x0000, &ram);
    memory_region_add_subregion(&root, 0x1000, &rom);
    memory_region_add_subregion(&root, 0x2000, &flash);
    memory_region_add_subregion(&root, 0x3000, &window);
    address_space_init(&as, &root);

    address_space_write_rom(&as, 0x1000, "\x55", 1); /* as a loader does */
    address_space_write_rom(&as, 0x2000, "\x66", 1);
    poke(&as, "ram   ", 0x0000, 0x11);
    poke(&as, "rom   ", 0x1000, 0x12);
    poke(&as, "flash ", 0x2000, 0x70);
    poke(&as, "flash ", 0x2000, 0xff);
    poke(&as, "window", 0x3000, 0x14);
    return 0;
}
