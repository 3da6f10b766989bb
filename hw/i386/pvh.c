/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF kernel with a PVH entry point. System V ABI, chapter 5 (notes), and Xen
 * docs/misc/pvh.pandoc with public/arch-x86/hvm/start_info.h.
 */
#include <elf.h>
#include <string.h>

#include "hw/i386/elf-kernel.h"

#define NOTE_NAME "Xen"
#define NOTE_PHYS32_ENTRY 18
#define NOTES_MAX 0x10000 /* bytes of notes that are looked through */

#define START_MAGIC 0x336ec578
#define START_VERSION 1

typedef struct StartInfo {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
} StartInfo;

typedef struct StartModule {
    uint64_t paddr;
    uint64_t size;
    uint64_t cmdline_paddr;
    uint64_t reserved;
} StartModule;

typedef struct StartMemory {
    uint64_t addr;
    uint64_t size;
    uint32_t type; /* as in the e820 map */
    uint32_t reserved;
} StartMemory;

/* What lies at BOOT_START_INFO_ADDR. */
typedef struct StartPage {
    StartInfo info;
    StartModule initrd;
    StartMemory memory[E820_MAX];
} StartPage;

bool pvh_probe(const LoaderFile *file)
{
    uint8_t magic[SELFMAG];

    return loader_file_read(file, 0, magic, sizeof(magic), "e_ident", NULL) &&
           memcmp(magic, ELFMAG, SELFMAG) == 0;
}

/* Look through one note segment. 1: found, 0: not there, -1 with @err. */
static int find_entry(const LoaderFile *file, const ElfSegment *s,
                      uint64_t *entry, GError **err)
{
    g_autofree uint8_t *notes = NULL;
    uint64_t align = s->align == 8 ? 8 : 4;
    uint64_t pos = 0;

    if (s->filesz > NOTES_MAX) {
        loader_file_error(file, err, "field p_filesz: %" PRIu64 " bytes of "
                          "notes are more than %u", s->filesz, NOTES_MAX);
        return -1;
    }
    notes = g_malloc(s->filesz);
    if (!loader_file_read(file, s->offset, notes, s->filesz, "the notes",
                          err)) {
        return -1;
    }
    while (s->filesz - pos >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        uint64_t name, desc, next;

        memcpy(&note, notes + pos, sizeof(note));
        name = pos + sizeof(note);
        desc = (name + note.n_namesz + align - 1) & ~(align - 1);
        next = (desc + note.n_descsz + align - 1) & ~(align - 1);
        if (name + note.n_namesz > s->filesz ||
            desc + note.n_descsz > s->filesz) {
            loader_file_error(file, err, "a note at offset %" PRIu64
                              " reaches beyond its segment",
                              s->offset + pos);
            return -1;
        }
        if (note.n_type == NOTE_PHYS32_ENTRY &&
            note.n_namesz == sizeof(NOTE_NAME) &&
            memcmp(notes + name, NOTE_NAME, sizeof(NOTE_NAME)) == 0) {
            if (note.n_descsz != 4 && note.n_descsz != 8) {
                loader_file_error(file, err, "field n_descsz of the PVH entry "
                                  "note: %u is neither 4 nor 8",
                                  note.n_descsz);
                return -1;
            }
            *entry = 0;
            memcpy(entry, notes + desc, note.n_descsz);
            return 1;
        }
        pos = MIN(next, s->filesz);
    }
    return 0;
}

static void add_start_info(const X86Boot *boot)
{
    StartPage page = { 0 };
    unsigned i;

    page.info.magic = START_MAGIC;
    page.info.version = START_VERSION;
    page.info.cmdline_paddr = BOOT_CMDLINE_ADDR;
    page.info.rsdp_paddr = boot->rsdp_addr;
    page.info.memmap_paddr = BOOT_START_INFO_ADDR + offsetof(StartPage, memory);
    page.info.memmap_entries = boot->e820.nr;
    if (boot->initrd_size) {
        page.info.nr_modules = 1;
        page.info.modlist_paddr =
            BOOT_START_INFO_ADDR + offsetof(StartPage, initrd);
        page.initrd.paddr = boot->initrd_addr;
        page.initrd.size = boot->initrd_size;
    }
    for (i = 0; i < boot->e820.nr; i++) {
        const E820Entry *e = &boot->e820.entries[i];

        page.memory[i] = (StartMemory){ e->addr, e->size, e->type, 0 };
    }
    loader_add_data(boot->loader, &page, sizeof(page), BOOT_START_INFO_ADDR);
}

bool pvh_load(X86Boot *boot, const LoaderFile *file, GError **err)
{
    g_autoptr(GArray) segments = elf_read_segments(file, NULL, err);
    uint64_t end = BOOT_HIGH_ADDR;
    uint64_t entry = 0;
    int found = 0;
    unsigned i;

    if (!segments) {
        return false;
    }
    for (i = 0; i < segments->len; i++) {
        const ElfSegment *s = &g_array_index(segments, ElfSegment, i);

        if (s->type == PT_NOTE && found == 0) {
            found = find_entry(file, s, &entry, err);
            if (found < 0) {
                return false;
            }
        } else if (s->type == PT_LOAD &&
                   !elf_load_segment(boot, file, s, &end, err)) {
            return false;
        }
    }
    if (!found) {
        return loader_file_error(file, err,
                                 "no PVH entry point (ELF note \"Xen\", type "
                                 "%u): not a kernel that can start this way",
                                 NOTE_PHYS32_ENTRY);
    }
    if (entry < BOOT_HIGH_ADDR || entry >= end) {
        return loader_file_error(file, err, "the PVH entry point 0x%" PRIx64
                                 " is not in what the file loads", entry);
    }
    end = (end + TARGET_PAGE_SIZE - 1) & TARGET_PAGE_MASK;
    if (!x86_boot_load_cmdline(boot, file, BOOT_CMDLINE_MAX - 1,
                               "the space for it", err) ||
        !x86_boot_load_initrd(boot, end, boot->ram_end,
                              "end of low memory (-m)", err)) {
        return false;
    }
    add_start_info(boot);
    boot->protocol = X86_BOOT_PVH;
    boot->entry = entry;
    return true;
}
