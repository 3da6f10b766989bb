/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programmable attribute map of Intel's host bridges: for each of 13 segments
 * between 768 KiB and 1 MiB, whether reads and whether writes go to RAM or to the PCI
 * bus. Intel 82441FX datasheet, chapter 3.2.11.
 *
 * Under the memory lock, or before the machine runs.
 */
#ifndef HW_PCI_HOST_PAM_H
#define HW_PCI_HOST_PAM_H

#include "memory.h"

#define PAM_BASE 0xc0000
#define PAM_SIZE 0x40000
#define PAM_SEGMENTS 13
#define PAM_ROMS_MAX 4

/* The two bits of a segment. Neither: all goes to PCI. */
#define PAM_READ_RAM 1
#define PAM_WRITE_RAM 2
#define PAM_STATES 4

typedef struct PAMSegment {
    /* For each state but RAM; the one that is enabled hides it. */
    MemoryRegion windows[PAM_STATES - 1];
} PAMSegment;

/* ROM that the bus shows in segments. */
typedef struct PAMRom {
    MemoryRegion mr;
    struct PAM *pam;
    hwaddr addr;
} PAMRom;

typedef struct PAM {
    MemoryRegion *memory; /* where the windows are */
    AddressSpace pci, ram; /* where accesses go that cannot be direct */
    /* Reads are those of RAM, writes go to PCI. */
    MemoryRegion shadow;
    /* Writes go to RAM, reads to PCI: */
    MemoryRegion reverse;  /* container of the two */
    MemoryRegion reverse_io; /* whatever answers there; through a callback */
    PAMRom roms[PAM_ROMS_MAX]; /* where that is ROM: direct */
    unsigned roms_nr;
    PAMSegment segments[PAM_SEGMENTS];
} PAM;

/* Segment @n's first address and size. */
hwaddr pam_segment_base(unsigned n);
uint64_t pam_segment_size(unsigned n);

/* Windows on top of @memory, which shows @ram, of 1 MiB or more, from 0 on; @pci is the
 * bus's memory. They outlive @pam, which is all zero before. All segments are PCI. */
void pam_init(PAM *pam, MemoryRegion *memory, MemoryRegion *ram, MemoryRegion *pci);
void pam_finish(PAM *pam);

/* What the bus shows at @addr are @size bytes of ROM at @host, which outlives @pam: so
 * code there can be run while it writes a copy of itself to the RAM below. At most
 * PAM_ROMS_MAX times. Such ROM is read in place of a BAR that lies over it. */
void pam_add_rom(PAM *pam, hwaddr addr, uint64_t size, void *host);

/* Segment @n from now on: PAM_ bits. */
void pam_set(PAM *pam, unsigned n, unsigned bits);

#endif
