/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF files as kernels; see elf-kernel.h. System V ABI, chapters 4 and 5.
 */
#include "hw/i386/elf-kernel.h"

#include <elf.h>

#define SEGMENTS_MAX 128

/* Check what both classes of header have, and how the program headers lie. */
static bool check_header(const LoaderFile *file, const uint8_t *ident,
                         unsigned machine, unsigned phentsize, unsigned phnum,
                         unsigned want_phentsize, GError **err)
{
    if (ident[EI_DATA] != ELFDATA2LSB) {
        return loader_file_error(file, err, "field EI_DATA: %u is not little "
                                 "endian", ident[EI_DATA]);
    }
    if (machine != EM_386 && machine != EM_X86_64) {
        return loader_file_error(file, err, "field e_machine: %u is neither "
                                 "i386 (3) nor x86-64 (62)", machine);
    }
    if (phentsize != want_phentsize) {
        return loader_file_error(file, err, "field e_phentsize: %u is not %u",
                                 phentsize, want_phentsize);
    }
    if (phnum == 0 || phnum > SEGMENTS_MAX) {
        return loader_file_error(file, err, "field e_phnum: %u program headers "
                                 "are not 1 to %u", phnum, SEGMENTS_MAX);
    }
    return true;
}

/* Kernels are linked for where their page tables will show them: the entry point is
 * then an address of that kind, too. */
static uint64_t physical(const GArray *segments, uint64_t vaddr)
{
    for (unsigned i = 0; i < segments->len; i++) {
        const ElfSegment *s = &g_array_index(segments, ElfSegment, i);

        if (s->type == PT_LOAD && vaddr >= s->vaddr && vaddr - s->vaddr < s->memsz) {
            return vaddr - s->vaddr + s->paddr;
        }
    }
    return vaddr;
}

GArray *elf_read_segments(const LoaderFile *file, uint64_t *entry, GError **err)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(ElfSegment));
    uint8_t ident[EI_NIDENT];
    uint64_t phoff, start;
    unsigned i, phnum;
    bool wide;

    if (!loader_file_read(file, 0, ident, sizeof(ident), "e_ident", err)) {
        return NULL;
    }
    if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64) {
        loader_file_error(file, err, "field EI_CLASS: %u is neither 1 (32-bit) "
                          "nor 2 (64-bit)", ident[EI_CLASS]);
        return NULL;
    }
    wide = ident[EI_CLASS] == ELFCLASS64;
    if (wide) {
        Elf64_Ehdr e;

        if (!loader_file_read(file, 0, &e, sizeof(e), "the ELF header", err) ||
            !check_header(file, ident, e.e_machine, e.e_phentsize, e.e_phnum,
                          sizeof(Elf64_Phdr), err)) {
            return NULL;
        }
        start = e.e_entry;
        phoff = e.e_phoff;
        phnum = e.e_phnum;
    } else {
        Elf32_Ehdr e;

        if (!loader_file_read(file, 0, &e, sizeof(e), "the ELF header", err) ||
            !check_header(file, ident, e.e_machine, e.e_phentsize, e.e_phnum,
                          sizeof(Elf32_Phdr), err)) {
            return NULL;
        }
        start = e.e_entry;
        phoff = e.e_phoff;
        phnum = e.e_phnum;
    }
    for (i = 0; i < phnum; i++) {
        ElfSegment s;

        if (wide) {
            Elf64_Phdr p;

            if (!loader_file_read(file, phoff + i * sizeof(p), &p, sizeof(p),
                                  "e_phoff", err)) {
                return NULL;
            }
            s = (ElfSegment){ p.p_type,   p.p_offset, p.p_vaddr, p.p_paddr,
                              p.p_filesz, p.p_memsz,  p.p_align };
        } else {
            Elf32_Phdr p;

            if (!loader_file_read(file, phoff + i * sizeof(p), &p, sizeof(p),
                                  "e_phoff", err)) {
                return NULL;
            }
            s = (ElfSegment){ p.p_type,   p.p_offset, p.p_vaddr, p.p_paddr,
                              p.p_filesz, p.p_memsz,  p.p_align };
        }
        g_array_append_val(segments, s);
    }
    if (entry) {
        *entry = physical(segments, start);
    }
    return g_steal_pointer(&segments);
}

bool elf_load_segment(X86Boot *boot, const LoaderFile *file, const ElfSegment *s,
                      uint64_t *end, GError **err)
{
    if (s->filesz > s->memsz) {
        return loader_file_error(file, err, "field p_filesz: 0x%" PRIx64
                                 " is more than p_memsz, 0x%" PRIx64,
                                 s->filesz, s->memsz);
    }
    if (s->offset > file->size || s->filesz > file->size - s->offset) {
        return loader_file_error(file, err, "truncated: field p_filesz needs "
                                 "%" PRIu64 " bytes at offset %" PRIu64
                                 ", the file has %" PRIu64, s->filesz,
                                 s->offset, file->size);
    }
    if (s->paddr < BOOT_HIGH_ADDR || s->paddr > boot->ram_end ||
        s->memsz > boot->ram_end - s->paddr) {
        return loader_file_error(file, err, "field p_memsz: 0x%" PRIx64
                                 " bytes at p_paddr 0x%" PRIx64 " do not fit "
                                 "between 0x%x and the end of low memory at "
                                 "0x%" PRIx64, s->memsz, s->paddr,
                                 BOOT_HIGH_ADDR, boot->ram_end);
    }
    loader_add_file(boot->loader, file, s->offset, s->filesz, s->paddr);
    loader_add_zero(boot->loader, s->memsz - s->filesz, s->paddr + s->filesz);
    *end = MAX(*end, s->paddr + s->memsz);
    return true;
}
