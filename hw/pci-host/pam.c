/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programmable attribute map; see pam.h. Each segment has a window for each of its
 * states, and the one it is in is enabled:
 *
 *   PCI              an alias of the bus's memory
 *   read RAM         an alias of "pam-shadow", a ROM device over the RAM itself: reads
 *                    are direct, a write is passed on to the bus
 *   write RAM        an alias of "pam-reverse", where what is read is the bus's and what
 *                    is written goes to RAM
 *   RAM              nothing: RAM is below
 *
 * So guests run at full speed from ROM and RAM in every state, and only what cannot be
 * had that way, a write that goes where reads do not, is a callback.
 */
#include "hw/pci-host/pam.h"

#include <assert.h>

#define SEGMENT_SIZE 0x4000 /* but for the first, which is at the end */
#define SEGMENT0_BASE 0xf0000

hwaddr pam_segment_base(unsigned n)
{
    return n == 0 ? SEGMENT0_BASE : PAM_BASE + (n - 1) * SEGMENT_SIZE;
}

uint64_t pam_segment_size(unsigned n)
{
    return n == 0 ? PAM_BASE + PAM_SIZE - SEGMENT0_BASE : SEGMENT_SIZE;
}

/* ---- where accesses go ------------------------------------------------------------- */

static MemTxResult pass_on(AddressSpace *as, hwaddr addr, uint64_t *data,
                           unsigned size, MemTxAttrs attrs, bool is_write)
{
    uint64_t image = GUINT64_TO_LE(*data);
    MemTxResult result = address_space_rw_attrs(as, PAM_BASE + addr, attrs, &image,
                                                size, is_write);

    *data = GUINT64_FROM_LE(image);
    return result;
}

static MemTxResult pci_read(void *opaque, hwaddr addr, uint64_t *data, unsigned size,
                            MemTxAttrs attrs)
{
    *data = 0;
    return pass_on(&((PAM *)opaque)->pci, addr, data, size, attrs, false);
}

static MemTxResult pci_write(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                             MemTxAttrs attrs)
{
    return pass_on(&((PAM *)opaque)->pci, addr, &data, size, attrs, true);
}

static MemTxResult ram_write(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                             MemTxAttrs attrs)
{
    return pass_on(&((PAM *)opaque)->ram, addr, &data, size, attrs, true);
}

#define ANY_WIDTH                                                                 \
    .endianness = DEVICE_LITTLE_ENDIAN, .valid.unaligned = true,                  \
    .impl.max_access_size = 8, .impl.unaligned = true

static const MemoryRegionOps shadow_ops = {
    .write_with_attrs = pci_write,
    ANY_WIDTH,
};

static const MemoryRegionOps reverse_ops = {
    .read_with_attrs = pci_read,
    .write_with_attrs = ram_write,
    ANY_WIDTH,
};

static MemTxResult rom_write(void *opaque, hwaddr addr, uint64_t data, unsigned size,
                             MemTxAttrs attrs)
{
    PAMRom *rom = opaque;

    return ram_write(rom->pam, rom->addr - PAM_BASE + addr, data, size, attrs);
}

static const MemoryRegionOps rom_ops = {
    .write_with_attrs = rom_write,
    ANY_WIDTH,
};

/* ---- windows ------------------------------------------------------------------------ */

void pam_set(PAM *pam, unsigned n, unsigned bits)
{
    memory_region_transaction_begin();
    for (unsigned state = 0; state < PAM_STATES - 1; state++) {
        memory_region_set_enabled(&pam->segments[n].windows[state], state == bits);
    }
    memory_region_transaction_commit();
}

static void add_window(PAM *pam, unsigned n, unsigned state, const char *name,
                       MemoryRegion *target, hwaddr offset)
{
    MemoryRegion *mr = &pam->segments[n].windows[state];
    hwaddr base = pam_segment_base(n);

    memory_region_init_alias(mr, name, target, base - offset, pam_segment_size(n));
    memory_region_set_enabled(mr, state == 0);
    memory_region_add_subregion_overlap(pam->memory, base, mr, 1);
}

void pam_init(PAM *pam, MemoryRegion *memory, MemoryRegion *ram, MemoryRegion *pci)
{
    char *host = memory_region_get_ram_ptr(ram);

    pam->memory = memory;
    address_space_init_named(&pam->pci, pci, "pci");
    address_space_init_named(&pam->ram, ram, "ram");
    memory_region_init_rom_device_ptr(&pam->shadow, &shadow_ops, pam, "pam-shadow",
                                      PAM_SIZE, host + PAM_BASE);
    memory_region_init(&pam->reverse, "pam-reverse", PAM_SIZE);
    memory_region_init_io(&pam->reverse_io, &reverse_ops, pam, "pam-reverse-io",
                          PAM_SIZE);
    memory_region_add_subregion(&pam->reverse, 0, &pam->reverse_io);
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        add_window(pam, n, 0, "pam-pci", pci, 0);
        add_window(pam, n, PAM_READ_RAM, "pam-shadow", &pam->shadow, PAM_BASE);
        add_window(pam, n, PAM_WRITE_RAM, "pam-reverse", &pam->reverse, PAM_BASE);
    }
}

void pam_add_rom(PAM *pam, hwaddr addr, uint64_t size, void *host)
{
    PAMRom *rom = &pam->roms[pam->roms_nr];

    assert(pam->roms_nr < PAM_ROMS_MAX);
    assert(addr >= PAM_BASE && addr + size <= PAM_BASE + PAM_SIZE);
    pam->roms_nr++;
    rom->pam = pam;
    rom->addr = addr;
    memory_region_init_rom_device_ptr(&rom->mr, &rom_ops, rom, "pam-reverse-rom", size,
                                      host);
    memory_region_add_subregion_overlap(&pam->reverse, addr - PAM_BASE, &rom->mr, 1);
}

static void remove_region(MemoryRegion *parent, MemoryRegion *mr)
{
    memory_region_del_subregion(parent, mr);
    memory_region_destroy(mr);
}

void pam_finish(PAM *pam)
{
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        for (unsigned state = 0; state < PAM_STATES - 1; state++) {
            remove_region(pam->memory, &pam->segments[n].windows[state]);
        }
    }
    while (pam->roms_nr) {
        remove_region(&pam->reverse, &pam->roms[--pam->roms_nr].mr);
    }
    remove_region(&pam->reverse, &pam->reverse_io);
    memory_region_destroy(&pam->reverse);
    memory_region_destroy(&pam->shadow);
    address_space_destroy(&pam->ram);
    address_space_destroy(&pam->pci);
}
