/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of the board pc: RAM on both sides of the hole below 4 GiB, and the PCI
 * bus's memory, which shows wherever RAM and the chips at fixed places do not. The
 * ROMs are on the bus, as on a PC: what the guest sees of them below 1 MiB is for the
 * host bridge to say (hw/pci-host/i440fx.c).
 */
#include "hw/i386/pc.h"

#include <cpuid.h>

#include "hw/i386/pc-map.h"
#include "hw/pci-host/i440fx.h"
#include "target-i386/cpu.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define RAM_MIN (1 * MIB)
#define HIMEM_BASE (4 * GIB)
#define ADDRESS_BITS_MIN 36 /* of a processor that does not say how many it has */
#define BIOS_END (4 * GIB)
/* What lies between here and the end is free. */
#define BIOS_MAX (BIOS_END - X86_KVM_RESERVED_BASE - X86_KVM_RESERVED_SIZE)

/* ---- RAM ------------------------------------------------------------------------- */

/* Where RAM below 4 GiB ends at the latest. */
static uint64_t lomem_max(const PCMachine *s)
{
    uint64_t max = s->max_ram_below_4g ? s->max_ram_below_4g : PC_LOMEM_MAX;

    /* Where there is RAM on both sides, pages of 1 GiB fit. */
    return s->machine.ram_size >= max ? MIN(max, PC_LOMEM_SPLIT) : max;
}

/* The processor's number of physical address bits; 0: it does not say. */
static unsigned address_bits(void)
{
    unsigned eax = 0, ebx, ecx, edx;

    return __get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx) ? eax & 0xff : 0;
}

bool pc_check_ram(PCMachine *s, GError **err)
{
    uint64_t size = s->machine.ram_size, end;
    unsigned bits = address_bits();

    if (s->max_ram_below_4g &&
        (s->max_ram_below_4g < RAM_MIN || s->max_ram_below_4g > PC_LOMEM_MAX ||
         s->max_ram_below_4g % TARGET_PAGE_SIZE)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-machine: machine 'pc': property 'max-ram-below-4g' must be "
                    "1M to 3584M, a multiple of 4K");
        return false;
    }
    if (size < RAM_MIN) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-m: machine 'pc' has at least 1 MiB of memory");
        return false;
    }
    s->lomem_size = MIN(size, lomem_max(s));
    s->himem_size = size - s->lomem_size;
    end = s->himem_size ? HIMEM_BASE + s->himem_size : s->lomem_size;
    if (bits && bits < 64 && (end - 1) >> bits) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-m: %" PRIu64 " MiB of memory reach beyond the %u address "
                    "bits of this processor", size >> 20, bits);
        return false;
    }
    return true;
}

void pc_get_high_hole(const PCMachine *s, uint64_t *first, uint64_t *last)
{
    unsigned bits = address_bits();

    bits = bits ? MIN(bits, 63) : ADDRESS_BITS_MIN;
    *first = (HIMEM_BASE + s->himem_size + GIB - 1) / GIB * GIB;
    *last = (1ull << bits) - 1;
    if (*first > *last) {
        *first = *last = 0;
    }
}

void pc_map_ram(PCMachine *s)
{
    Machine *m = &s->machine;

    memory_region_init_alias(&s->lomem, "lomem", &m->ram, 0, s->lomem_size);
    memory_region_add_subregion(&m->memory_root, 0, &s->lomem);
    if (s->himem_size) {
        memory_region_init_alias(&s->himem, "himem", &m->ram, s->lomem_size,
                                 s->himem_size);
        memory_region_add_subregion(&m->memory_root, HIMEM_BASE, &s->himem);
    }
    memory_region_init(&s->pci_memory, "pci", UINT64_MAX);
    memory_region_add_subregion_overlap(&m->memory_root, 0, &s->pci_memory, -1);
    memory_region_init(&s->smram, "smram", HIMEM_BASE);
    if (s->has_smm) {
        memory_region_init(&s->smm_root, "smm-memory", UINT64_MAX);
        memory_region_init_alias(&s->smm_rest, "memory", &m->memory_root, 0,
                                 UINT64_MAX);
        memory_region_add_subregion(&s->smm_root, 0, &s->smm_rest);
        memory_region_add_subregion_overlap(&s->smm_root, 0, &s->smram, 1);
        address_space_init(&s->smm_memory, &s->smm_root);
        m->smm_memory = &s->smm_memory;
    }
}

/* ---- ROM ------------------------------------------------------------------------- */

void pc_map_option_rom(PCMachine *s)
{
    memory_region_init_rom(&s->option_rom, "pc.rom", PC_OPTION_ROM_SIZE);
    memory_region_add_subregion_overlap(&s->pci_memory, PC_OPTION_ROM_BASE,
                                        &s->option_rom, 1);
    i440fx_add_rom(s->i440fx, PC_OPTION_ROM_BASE, PC_OPTION_ROM_SIZE,
                   memory_region_get_ram_ptr(&s->option_rom));
}

/* The image ends where the address space of a 32-bit CPU does. */
bool pc_map_bios(PCMachine *s, const char *path, GError **err)
{
    LoaderFile *file = loader_open(s->loader, path, "firmware", err);
    uint64_t size, low;
    uint8_t *host;

    if (!file) {
        return false;
    }
    if (file->size > BIOS_MAX) {
        return loader_file_error(file, err, "its size of %" PRIu64 " bytes is "
                                 "more than the %llu that fit below 4 GiB",
                                 file->size, BIOS_MAX);
    }
    size = (file->size + TARGET_PAGE_SIZE - 1) & TARGET_PAGE_MASK;
    low = MIN(size, PC_BIOS_LOW_SIZE);
    memory_region_init_rom(&s->bios, "pc.bios", size);
    memory_region_add_subregion(&s->pci_memory, BIOS_END - size, &s->bios);
    memory_region_init_alias(&s->bios_low, "isa-bios", &s->bios, size - low, low);
    memory_region_add_subregion_overlap(&s->pci_memory, MIB - low, &s->bios_low, 1);
    host = memory_region_get_ram_ptr(&s->bios);
    pc_map_option_rom(s);
    i440fx_add_rom(s->i440fx, MIB - low, low, host + size - low);
    return loader_file_read(file, 0, host + size - file->size, file->size,
                            "the image", err);
}

/* ---- the end --------------------------------------------------------------------- */

static void remove_region(MemoryRegion *parent, MemoryRegion *mr)
{
    if (memory_region_name(mr)) {
        memory_region_del_subregion(parent, mr);
        memory_region_destroy(mr);
    }
}

void pc_unmap_memory(PCMachine *s)
{
    MemoryRegion *root = &s->machine.memory_root;

    if (!memory_region_name(&s->lomem)) {
        return;
    }
    remove_region(&s->pci_memory, &s->bios_low);
    remove_region(&s->pci_memory, &s->bios);
    remove_region(&s->pci_memory, &s->option_rom);
    if (s->has_smm) {
        s->machine.smm_memory = NULL;
        address_space_destroy(&s->smm_memory);
        memory_region_del_subregion(&s->smm_root, &s->smram);
        remove_region(&s->smm_root, &s->smm_rest);
        memory_region_destroy(&s->smm_root);
    }
    memory_region_destroy(&s->smram);
    remove_region(root, &s->pci_memory);
    remove_region(root, &s->himem);
    remove_region(root, &s->lomem);
}
