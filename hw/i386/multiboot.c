/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A multiboot image with its modules. Multiboot Specification 0.6.96: 3.1 (header),
 * 3.3 (boot information).
 */
#include <elf.h>
#include <string.h>

#include "hw/i386/elf-kernel.h"

#define SEARCHED 8192 /* bytes in which the header lies */
#define HEADER_MAGIC 0x1badb002u
#define HEADER_WORDS 8 /* as far as the address fields go */

/* Bits of the field flags. The lower half is what the image requires. */
#define PAGE_ALIGN 0x00000001   /* of modules, which ours always are */
#define MEMORY_INFO 0x00000002  /* is always there */
#define VIDEO_MODE 0x00000004   /* wished for; there is none, which it finds out */
#define KNOWN_REQUIREMENTS (PAGE_ALIGN | MEMORY_INFO | VIDEO_MODE)
#define REQUIREMENTS 0x0000ffff
#define ADDRESS_FIELDS 0x00010000

/* Bits of the flags in the information */
#define INFO_MEMORY 0x001
#define INFO_CMDLINE 0x004
#define INFO_MODULES 0x008
#define INFO_MEMORY_MAP 0x040
#define INFO_LOADER_NAME 0x200

#define LOADER_NAME "flatview"
#define BASE_MEMORY_MAX 640 /* KiB below 1 MiB */

/* The header, where the file has it. */
typedef struct Header {
    uint64_t offset;
    uint32_t flags;
    /* Of ADDRESS_FIELDS: */
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
} Header;

typedef struct Info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper; /* KiB */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr;
    uint32_t config_table;
    uint32_t boot_loader_name;
    uint32_t apm_table;
    uint32_t video[11];
} Info;

typedef struct Module {
    uint32_t start, end; /* end: the first byte behind it */
    uint32_t string;
    uint32_t reserved;
} Module;

typedef struct __attribute__((packed)) MemoryEntry {
    uint32_t size; /* of what follows */
    uint64_t addr, len;
    uint32_t type; /* as in the e820 map */
} MemoryEntry;

/* Fill @h from the first header with a right checksum; false: there is none. */
static bool find_header(const LoaderFile *file, Header *h)
{
    g_autofree uint8_t *start = g_malloc0(SEARCHED + HEADER_WORDS * 4);
    uint64_t len = MIN(file->size, SEARCHED);
    uint32_t word[HEADER_WORDS];
    uint64_t at;

    if (!loader_file_read(file, 0, start, len, "the multiboot header", NULL)) {
        return false;
    }
    for (at = 0; at + 12 <= len; at += 4) {
        memcpy(word, start + at, sizeof(word));
        if (word[0] == HEADER_MAGIC && word[0] + word[1] + word[2] == 0) {
            *h = (Header){ at, word[1], word[3], word[4], word[5], word[6], word[7] };
            return true;
        }
    }
    return false;
}

bool multiboot_probe(const LoaderFile *file)
{
    Header h;

    return find_header(file, &h);
}

/* ---- the image ------------------------------------------------------------------- */

static bool entry_error(const LoaderFile *file, uint64_t entry, GError **err)
{
    return loader_file_error(file, err, "the entry point 0x%" PRIx64
                             " is not in what the file loads", entry);
}

/* Where the header says itself what lies where, whatever kind of file it is in. */
static bool load_by_addresses(X86Boot *boot, const LoaderFile *file, const Header *h,
                              uint64_t *end, GError **err)
{
    uint64_t offset, there, size, bss = 0;

    if (h->offset + HEADER_WORDS * 4 > MIN(file->size, SEARCHED)) {
        return loader_file_error(file, err, "truncated: the multiboot header at offset "
                                 "%" PRIu64 " has address fields (flags, bit 16) beyond "
                                 "the file's end or its first %u bytes", h->offset,
                                 SEARCHED);
    }
    if (h->header_addr < h->load_addr ||
        h->header_addr - h->load_addr > h->offset) {
        return loader_file_error(file, err, "field load_addr: 0x%x is not in the file, "
                                 "which has header_addr 0x%x at offset %" PRIu64,
                                 h->load_addr, h->header_addr, h->offset);
    }
    offset = h->offset - (h->header_addr - h->load_addr);
    there = file->size - offset;
    size = h->load_end_addr ? (uint64_t)h->load_end_addr - h->load_addr : there;
    if (h->load_end_addr && h->load_end_addr < h->load_addr) {
        return loader_file_error(file, err, "field load_end_addr: 0x%x is below "
                                 "load_addr, 0x%x", h->load_end_addr, h->load_addr);
    }
    if (size > there) {
        return loader_file_error(file, err, "truncated: field load_end_addr needs "
                                 "%" PRIu64 " bytes at offset %" PRIu64
                                 ", the file has %" PRIu64, size, offset, file->size);
    }
    if (h->bss_end_addr) {
        if (h->bss_end_addr < h->load_addr + size) {
            return loader_file_error(file, err, "field bss_end_addr: 0x%x is below the "
                                     "end of what is loaded, 0x%" PRIx64,
                                     h->bss_end_addr, h->load_addr + size);
        }
        bss = h->bss_end_addr - (h->load_addr + size);
    }
    if (h->load_addr < BOOT_HIGH_ADDR || h->load_addr > boot->ram_end ||
        size + bss > boot->ram_end - h->load_addr) {
        return loader_file_error(file, err, "field load_addr: 0x%" PRIx64 " bytes at "
                                 "0x%x do not fit between 0x%x and the end of low "
                                 "memory at 0x%" PRIx64, size + bss, h->load_addr,
                                 BOOT_HIGH_ADDR, boot->ram_end);
    }
    loader_add_file(boot->loader, file, offset, size, h->load_addr);
    loader_add_zero(boot->loader, bss, h->load_addr + size);
    boot->entry = h->entry_addr;
    *end = h->load_addr + size + bss;
    return (boot->entry >= h->load_addr && boot->entry < *end) ||
           entry_error(file, boot->entry, err);
}

static bool load_elf(X86Boot *boot, const LoaderFile *file, uint64_t *end, GError **err)
{
    g_autoptr(GArray) segments = NULL;
    bool loads_entry = false;
    unsigned i;

    if (!pvh_probe(file)) {
        return loader_file_error(file, err, "its multiboot header has no address fields "
                                 "(flags, bit 16), and it is no ELF file");
    }
    segments = elf_read_segments(file, &boot->entry, err);
    if (!segments) {
        return false;
    }
    for (i = 0; i < segments->len; i++) {
        const ElfSegment *s = &g_array_index(segments, ElfSegment, i);

        if (s->type != PT_LOAD) {
            continue;
        }
        if (!elf_load_segment(boot, file, s, end, err)) {
            return false;
        }
        loads_entry |= boot->entry >= s->paddr && boot->entry - s->paddr < s->memsz;
    }
    return loads_entry || entry_error(file, boot->entry, err);
}

/* ---- what it is told ------------------------------------------------------------- */

/* Append to what will lie at BOOT_MULTIBOOT_ADDR; returns the guest's address. */
static uint32_t append(GByteArray *info, const void *data, size_t len)
{
    static const uint8_t padding[4];
    uint32_t addr = BOOT_MULTIBOOT_ADDR + info->len;

    g_byte_array_append(info, data, len);
    g_byte_array_append(info, padding, -info->len % 4);
    return addr;
}

static uint32_t append_text(GByteArray *info, const char *text)
{
    return append(info, text, strlen(text) + 1);
}

/* "FILE ARGUMENTS,FILE ARGUMENTS": cut at commas, of which two stand for one. */
static GPtrArray *cut_modules(const char *text)
{
    GPtrArray *modules = g_ptr_array_new_with_free_func(g_free);
    GString *one = g_string_new(NULL);

    for (;; text++) {
        if (*text == ',' && text[1] == ',') {
            g_string_append_c(one, *text++);
        } else if (*text && *text != ',') {
            g_string_append_c(one, *text);
        } else {
            g_ptr_array_add(modules, g_strdup(g_strchug(one->str)));
            g_string_truncate(one, 0);
            if (!*text) {
                g_string_free(one, TRUE);
                return modules;
            }
        }
    }
}

/* Place the files behind the image, which ends at @end, each on a page of its own. */
static bool load_modules(X86Boot *boot, GByteArray *bytes, Info *info, uint64_t end,
                         GError **err)
{
    g_autoptr(GPtrArray) names = cut_modules(boot->initrd);
    g_autofree Module *modules = g_new0(Module, names->len);
    unsigned i;

    for (i = 0; i < names->len; i++) {
        const char *text = names->pdata[i];
        g_autofree char *path = g_strndup(text, strcspn(text, " "));
        LoaderFile *file;

        if (!*path) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "-initrd '%s': module %u has no file name; a comma in a name "
                        "is written twice", boot->initrd, i + 1);
            return false;
        }
        file = loader_open(boot->loader, path, "module", err);
        if (!file) {
            return false;
        }
        end = (end + TARGET_PAGE_SIZE - 1) & TARGET_PAGE_MASK;
        if (end > boot->ram_end || file->size > boot->ram_end - end) {
            return loader_file_error(file, err, "its %" PRIu64 " bytes do not fit "
                                     "between what is before it, up to 0x%" PRIx64
                                     ", and the end of low memory (-m) at 0x%" PRIx64,
                                     file->size, end, boot->ram_end);
        }
        loader_add_file(boot->loader, file, 0, file->size, end);
        modules[i].start = end;
        end += file->size;
        modules[i].end = end;
        modules[i].string = append_text(bytes, text);
    }
    info->mods_count = names->len;
    info->mods_addr = append(bytes, modules, names->len * sizeof(*modules));
    return true;
}

static void describe_memory(const X86Boot *boot, GByteArray *bytes, Info *info)
{
    MemoryEntry map[E820_MAX];
    unsigned i;

    for (i = 0; i < boot->e820.nr; i++) {
        const E820Entry *e = &boot->e820.entries[i];

        map[i] = (MemoryEntry){ sizeof(map[i]) - sizeof(map[i].size), e->addr, e->size,
                                e->type };
        if (e->type == E820_RAM && e->addr == 0) {
            info->mem_lower = MIN(e->size >> 10, BASE_MEMORY_MAX);
        } else if (e->type == E820_RAM && e->addr == BOOT_HIGH_ADDR) {
            info->mem_upper = e->size >> 10;
        }
    }
    info->mmap_length = boot->e820.nr * sizeof(map[0]);
    info->mmap_addr = append(bytes, map, info->mmap_length);
}

static bool add_info(X86Boot *boot, const LoaderFile *file, uint64_t end, GError **err)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree char *cmdline =
        g_strconcat(file->path, *boot->cmdline ? " " : "", boot->cmdline, NULL);
    Info info = { .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MEMORY_MAP |
                           INFO_LOADER_NAME };

    append(bytes, &info, sizeof(info)); /* room for it */
    info.cmdline = append_text(bytes, cmdline);
    info.boot_loader_name = append_text(bytes, LOADER_NAME);
    describe_memory(boot, bytes, &info);
    if (boot->initrd && !load_modules(boot, bytes, &info, end, err)) {
        return false;
    }
    if (bytes->len > BOOT_MULTIBOOT_MAX) {
        return loader_file_error(file, err, "the command line (-append) and the names and "
                                 "arguments of modules (-initrd) are too long: %u bytes "
                                 "with what goes with them, %u is the most", bytes->len,
                                 BOOT_MULTIBOOT_MAX);
    }
    memcpy(bytes->data, &info, sizeof(info));
    loader_add_data(boot->loader, bytes->data, bytes->len, BOOT_MULTIBOOT_ADDR);
    boot->info_size = bytes->len;
    return true;
}

bool multiboot_load(X86Boot *boot, const LoaderFile *file, GError **err)
{
    uint64_t end = BOOT_HIGH_ADDR;
    Header h;
    bool ok;

    if (!find_header(file, &h)) {
        return loader_file_error(file, err, "its multiboot header is gone");
    }
    if (h.flags & REQUIREMENTS & ~KNOWN_REQUIREMENTS) {
        return loader_file_error(file, err, "field flags: 0x%08x requires what is not "
                                 "known, bits 0x%04x", h.flags,
                                 h.flags & REQUIREMENTS & ~KNOWN_REQUIREMENTS);
    }
    ok = h.flags & ADDRESS_FIELDS ? load_by_addresses(boot, file, &h, &end, err)
                                  : load_elf(boot, file, &end, err);
    if (!ok) {
        return false;
    }
    boot->protocol = X86_BOOT_MULTIBOOT;
    return add_info(boot, file, end, err);
}
