/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF files as kernels: what loaders of them share. System V ABI, chapters 4 and 5.
 */
#ifndef HW_I386_ELF_KERNEL_H
#define HW_I386_ELF_KERNEL_H

#include "hw/i386/x86-boot.h"

/* A program header of either class. */
typedef struct ElfSegment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
} ElfSegment;

/* The program headers, of ElfSegment; NULL with @err where the file is no ELF file for
 * x86. *@entry, if not NULL: the physical address of the header's entry point. */
GArray *elf_read_segments(const LoaderFile *file, uint64_t *entry, GError **err);

/* Place one segment of type PT_LOAD, in low memory but not below 1 MiB; *@end becomes
 * the highest address used so far. False with @err where it does not fit. */
bool elf_load_segment(X86Boot *boot, const LoaderFile *file, const ElfSegment *segment,
                      uint64_t *end, GError **err);

#endif
