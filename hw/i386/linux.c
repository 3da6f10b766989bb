/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux bzImage, started at its 64-bit entry (protocol 2.12 and later) or that of 32
 * bits (2.10), or given to firmware, whose option ROM starts its 16-bit setup code
 * (2.02). Linux Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#include <string.h>

#include "hw/i386/linuxboot.h"
#include "target-i386/cpu.h"

/* Offsets in the file and, for the setup header, also in boot_params */
#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
#define VID_MODE 0x1fa
#define BOOT_FLAG 0x1fe
#define JUMP 0x200
#define HEADER 0x202
#define VERSION 0x206
#define TYPE_OF_LOADER 0x210
#define LOADFLAGS 0x211
#define CODE32_START 0x214
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define CMD_LINE_PTR 0x228
#define INITRD_ADDR_MAX 0x22c
#define KERNEL_ALIGNMENT 0x230
#define RELOCATABLE_KERNEL 0x234
#define XLOADFLAGS 0x236
#define CMDLINE_SIZE 0x238
#define SETUP_DATA 0x250
#define PREF_ADDRESS 0x258
#define INIT_SIZE 0x260
#define HEADER_MIN_END 0x264
#define HEADER_MAX_END 0x290 /* boot_params has other things there */

/* Offsets in boot_params alone */
#define ACPI_RSDP_ADDR 0x70
#define E820_ENTRIES 0x1e8
#define E820_TABLE 0x2d0
#define E820_ENTRY_SIZE 20
#define BOOT_PARAMS_SIZE 4096

#define BOOT_FLAG_MAGIC 0xaa55
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define VERSION_MIN_16 0x202    /* the first with a command line that can be anywhere, */
#define VERSION_INITRD_MAX 0x203 /* with initrd_addr_max, */
#define VERSION_SYSSIZE 0x204    /* whose syssize can be trusted, */
#define VERSION_CMDLINE_SIZE 0x206 /* with cmdline_size, */
#define VERSION_INIT_SIZE 0x20a /* with pref_address and init_size, */
#define VERSION_64 0x20c        /* with xloadflags */
#define LOADED_HIGH 0x01
#define XLF_KERNEL_64 0x01
#define LOADER_UNDEFINED 0xff
#define SETUP_SECTS_DEFAULT 4
#define ENTRY_64 0x200 /* from the start of the protected-mode code; of 32 bits: 0 */

/* Where the option ROM puts it; more setup code leaves no room for a stack. */
#define SETUP_ADDR 0x10000
#define SETUP_SECTS_MAX 64
/* Of older versions, which do not say */
#define CMDLINE_SIZE_OLD 255
#define INITRD_LIMIT_OLD 0x38000000

/* An entry of the list at setup_data; offset 0 is the next one's address */
#define SETUP_DATA_TYPE 8
#define SETUP_DATA_LEN 12
#define SETUP_DATA_HEADER 16
#define SETUP_DTB 2

/* The fields of interest of one file's setup header. */
typedef struct LinuxHeader {
    uint8_t raw[HEADER_MAX_END];
    unsigned version;
    uint64_t code_offset; /* of the protected-mode code in the file */
    uint64_t code_size;
    uint64_t init_size; /* bytes that it needs from where it runs */
    uint64_t addr; /* where the code goes */
} LinuxHeader;

static uint64_t get(const uint8_t *raw, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, raw + offset, size);
    return value;
}

static void put(uint8_t *raw, unsigned offset, uint64_t value, unsigned size)
{
    memcpy(raw + offset, &value, size);
}

bool linux_probe(const LoaderFile *file)
{
    uint8_t magic[4];

    return loader_file_read(file, HEADER, magic, sizeof(magic), "header",
                            NULL) &&
           get(magic, 0, 4) == HEADER_MAGIC;
}

/* Check what every start needs; the protocol is @version_min or later. */
static bool header_read(LinuxHeader *h, const LoaderFile *file, unsigned version_min,
                        GError **err)
{
    unsigned sects;
    uint64_t there;

    memset(h, 0, sizeof(*h));
    if (!loader_file_read(file, 0, h->raw,
                          CLAMP(file->size, HEADER_MIN_END, HEADER_MAX_END),
                          "the setup header", err)) {
        return false;
    }
    if (get(h->raw, BOOT_FLAG, 2) != BOOT_FLAG_MAGIC) {
        return loader_file_error(file, err,
                                 "field boot_flag is 0x%04x, not 0x%04x",
                                 (unsigned)get(h->raw, BOOT_FLAG, 2),
                                 BOOT_FLAG_MAGIC);
    }
    h->version = get(h->raw, VERSION, 2);
    if (h->version < version_min) {
        return loader_file_error(file, err,
                                 "field version: boot protocol %u.%02u is too "
                                 "old, at least %u.%02u is needed%s", h->version >> 8,
                                 h->version & 0xff, version_min >> 8,
                                 version_min & 0xff,
                                 h->version < VERSION_MIN_16 ? "" : "; firmware can "
                                 "start it (-M pc -bios bios-256k.bin)");
    }
    if (!(h->raw[LOADFLAGS] & LOADED_HIGH)) {
        return loader_file_error(file, err,
                                 "field loadflags: LOADED_HIGH is not set, "
                                 "this is a zImage");
    }
    sects = h->raw[SETUP_SECTS] ? h->raw[SETUP_SECTS] : SETUP_SECTS_DEFAULT;
    h->code_offset = (sects + 1) * 512;
    /* Before that, its 16 bits say nothing: the code is the rest of the file, as it is in
     * GRUB's images that pass for kernels. */
    h->code_size = h->version >= VERSION_SYSSIZE ? get(h->raw, SYSSIZE, 4) * 16 :
                   file->size < h->code_offset ? 0 : file->size - h->code_offset;
    if (h->code_size <= ENTRY_64) {
        return loader_file_error(file, err,
                                 "field syssize: %" PRIu64 " bytes are too few "
                                 "to hold the entry point at %u", h->code_size,
                                 ENTRY_64);
    }
    /* syssize is rounded up to 16 bytes; the file need not be. */
    if (file->size < h->code_offset ||
        file->size - h->code_offset + 15 < h->code_size) {
        return loader_file_error(
            file, err,
            "truncated: field syssize needs %" PRIu64 " bytes at offset "
            "%" PRIu64 ", the file has %" PRIu64, h->code_size, h->code_offset,
            file->size);
    }
    there = file->size - h->code_offset;
    h->code_size = MIN(h->code_size, there);
    h->init_size = h->code_size;
    if (h->version >= VERSION_INIT_SIZE) {
        uint64_t align = get(h->raw, KERNEL_ALIGNMENT, 4);

        h->init_size = MAX(get(h->raw, INIT_SIZE, 4), h->code_size);
        if (h->raw[RELOCATABLE_KERNEL] && (align == 0 || (align & (align - 1)))) {
            return loader_file_error(file, err,
                                     "field kernel_alignment: 0x%" PRIx64
                                     " is not a power of two", align);
        }
    }
    return true;
}

/* Where code that is loaded at 1 MiB, or where it asks to be, runs in the end: it moves
 * itself there. */
static uint64_t runtime_start(const LinuxHeader *h)
{
    uint64_t align = get(h->raw, KERNEL_ALIGNMENT, 4);
    uint64_t start = MIN(get(h->raw, PREF_ADDRESS, 8), UINT32_MAX);

    if (h->version < VERSION_INIT_SIZE) {
        return BOOT_HIGH_ADDR;
    }
    start = MAX(start, BOOT_HIGH_ADDR);
    return h->raw[RELOCATABLE_KERNEL] ? (start + align - 1) & ~(align - 1) : start;
}

/* The first address that is free behind a kernel of which @size bytes are loaded. */
static uint64_t kernel_end(const LinuxHeader *h, uint64_t size)
{
    return MAX(h->addr + size, runtime_start(h) + h->init_size);
}

/* Place the code: where it asks to be, or at 1 MiB if it moves itself there. */
static bool header_place(LinuxHeader *h, const X86Boot *boot, const LoaderFile *file,
                         GError **err)
{
    uint64_t start = runtime_start(h);
    uint64_t pref = get(h->raw, PREF_ADDRESS, 8);

    if (!h->raw[RELOCATABLE_KERNEL] && pref && pref < BOOT_HIGH_ADDR) {
        return loader_file_error(file, err,
                                 "field pref_address: 0x%" PRIx64
                                 " is below 0x%x", pref, BOOT_HIGH_ADDR);
    }
    h->addr = h->raw[RELOCATABLE_KERNEL] ? start : BOOT_HIGH_ADDR;
    if (kernel_end(h, h->code_size) > boot->ram_end) {
        return loader_file_error(
            file, err,
            "field init_size: 0x%" PRIx64 " bytes at 0x%" PRIx64
            " do not fit below the end of low memory at 0x%" PRIx64
            "; give the guest more memory (-m)", h->init_size, start, boot->ram_end);
    }
    return true;
}

/* ---- options that are for boot loaders, too ---------------------------------------- */

#define SPACES " \t\n\v\f\r"

/* The text behind @name, "vga=" say, where a word of the command line begins with it;
 * NULL: none behind @from does. */
static const char *find_option(const char *cmdline, const char *from, const char *name)
{
    while ((from = strstr(from, name))) {
        if (from == cmdline || strchr(SPACES, from[-1])) {
            return from + strlen(name);
        }
        from++;
    }
    return NULL;
}

/* What the kernel's setup code does about the screen: as its header says, or vga=. */
static bool find_vid_mode(X86Boot *boot, const LinuxHeader *h, GError **err)
{
    static const struct {
        const char *name;
        uint16_t mode;
    } names[] = { { "normal", 0xffff }, { "ext", 0xfffe }, { "ask", 0xfffd } };
    const char *text = boot->cmdline;

    boot->vid_mode = get(h->raw, VID_MODE, 2);
    while ((text = find_option(boot->cmdline, text, "vga="))) {
        g_autofree char *word = g_strndup(text, strcspn(text, SPACES));
        char *end;
        uint64_t mode = g_ascii_strtoull(word, &end, 0);
        unsigned i;

        for (i = 0; i < G_N_ELEMENTS(names) && strcmp(word, names[i].name); i++) {
        }
        if (i < G_N_ELEMENTS(names)) {
            boot->vid_mode = names[i].mode;
        } else if (g_ascii_isdigit(*word) && !*end && mode <= UINT16_MAX) {
            boot->vid_mode = mode;
        } else {
            g_set_error(err, FLATVIEW_ERROR, 0, "-append: 'vga=%s' is no video mode: "
                        "normal, ext, ask, or a number up to 0xffff", word);
            return false;
        }
    }
    return true;
}

/* mem=: what an initramfs lies below; the lowest of several, as the kernel takes it. */
static uint64_t mem_limit(const char *cmdline)
{
    const char *text = cmdline;
    uint64_t limit = UINT64_MAX;

    while ((text = find_option(cmdline, text, "mem="))) {
        static const char units[] = "KMGTPE";
        char *end;
        uint64_t size = g_ascii_strtoull(text, &end, 0);
        const char *unit = *end ? strchr(units, g_ascii_toupper(*end)) : NULL;
        unsigned shift = unit ? 10 * (unit - units + 1) : 0;

        if (g_ascii_isdigit(*text) && size && size <= UINT64_MAX >> shift) {
            limit = MIN(limit, size << shift);
        }
    }
    return limit;
}

/* Load what goes with the kernel: its command line, and behind @end an initramfs. */
static bool load_rest(X86Boot *boot, const LinuxHeader *h, const LoaderFile *file,
                      uint64_t end, GError **err)
{
    uint64_t cmdline_max = CMDLINE_SIZE_OLD, limit = INITRD_LIMIT_OLD;
    const char *limit_name = "kernel's initrd_addr_max";
    uint64_t mem = mem_limit(boot->cmdline);

    if (h->version >= VERSION_CMDLINE_SIZE) {
        cmdline_max = MIN(get(h->raw, CMDLINE_SIZE, 4), BOOT_CMDLINE_MAX - 1);
    }
    if (h->version >= VERSION_INITRD_MAX) {
        limit = get(h->raw, INITRD_ADDR_MAX, 4) + 1;
    }
    if (mem < limit) {
        limit = mem;
        limit_name = "end of memory by mem= (-append)";
    }
    return find_vid_mode(boot, h, err) &&
           x86_boot_load_cmdline(boot, file, cmdline_max, "field cmdline_size", err) &&
           x86_boot_load_initrd(boot, end, limit, limit_name, err);
}

/* ---- without firmware -------------------------------------------------------------- */

/* The first 4 GiB one to one, in pages of 2 MiB: the code may move itself, and
 * looks at what is described to it, before it has tables of its own. */
static void add_page_tables(Loader *loader)
{
    enum { ENTRIES = 512, GIB = 4, TABLES = 2 + GIB };
    enum { PRESENT_WRITABLE = 0x3, LARGE = 0x80 };
    g_autofree uint64_t *table = g_new0(uint64_t, TABLES * ENTRIES);
    uint64_t addr = BOOT_PAGE_TABLES_ADDR;
    unsigned i;

    table[0] = (addr + 4096) | PRESENT_WRITABLE;
    for (i = 0; i < GIB; i++) {
        table[ENTRIES + i] = (addr + (2 + i) * 4096) | PRESENT_WRITABLE;
    }
    for (i = 0; i < GIB * ENTRIES; i++) {
        table[2 * ENTRIES + i] = (uint64_t)i << 21 | LARGE | PRESENT_WRITABLE;
    }
    loader_add_data(loader, table, TABLES * ENTRIES * sizeof(*table), addr);
}

static void add_boot_params(const X86Boot *boot, const LinuxHeader *h)
{
    g_autofree uint8_t *params = g_malloc0(BOOT_PARAMS_SIZE);
    unsigned end = JUMP + 2 + h->raw[JUMP + 1]; /* a jump over the header */
    unsigned i;

    memcpy(params + SETUP_SECTS, h->raw + SETUP_SECTS,
           MIN(end, HEADER_MAX_END) - SETUP_SECTS);
    put(params, VID_MODE, boot->vid_mode, 2);
    params[TYPE_OF_LOADER] = LOADER_UNDEFINED;
    put(params, CODE32_START, h->addr, 4);
    put(params, CMD_LINE_PTR, BOOT_CMDLINE_ADDR, 4);
    put(params, RAMDISK_IMAGE, boot->initrd_addr, 4);
    put(params, RAMDISK_SIZE, boot->initrd_size, 4);
    put(params, SETUP_DATA, boot->device_tree ? BOOT_SETUP_DATA_ADDR : 0, 8);
    put(params, ACPI_RSDP_ADDR, boot->rsdp_addr, 8);
    params[E820_ENTRIES] = boot->e820.nr;
    for (i = 0; i < boot->e820.nr; i++) {
        const E820Entry *e = &boot->e820.entries[i];
        unsigned offset = E820_TABLE + i * E820_ENTRY_SIZE;

        put(params, offset, e->addr, 8);
        put(params, offset + 8, e->size, 8);
        put(params, offset + 16, e->type, 4);
    }
    loader_add_data(boot->loader, params, BOOT_PARAMS_SIZE, BOOT_PARAMS_ADDR);
}

void linux_load_device_tree(X86Boot *boot, const void *fdt, uint32_t size)
{
    uint8_t header[SETUP_DATA_HEADER] = { 0 };

    put(header, SETUP_DATA_TYPE, SETUP_DTB, 4);
    put(header, SETUP_DATA_LEN, size, 4);
    loader_add_data(boot->loader, header, sizeof(header), BOOT_SETUP_DATA_ADDR);
    loader_add_data(boot->loader, fdt, size,
                    BOOT_SETUP_DATA_ADDR + sizeof(header));
}

bool linux_load(X86Boot *boot, const LoaderFile *file, GError **err)
{
    LinuxHeader h;
    bool wide;

    if (!header_read(&h, file, VERSION_INIT_SIZE, err) ||
        !header_place(&h, boot, file, err) ||
        !load_rest(boot, &h, file, kernel_end(&h, h.code_size), err)) {
        return false;
    }
    loader_add_file(boot->loader, file, h.code_offset, h.code_size, h.addr);
    add_boot_params(boot, &h);
    wide = h.version >= VERSION_64 && (get(h.raw, XLOADFLAGS, 2) & XLF_KERNEL_64);
    if (wide) {
        add_page_tables(boot->loader);
        boot->entry = h.addr + ENTRY_64;
        boot->protocol = X86_BOOT_LINUX64;
    } else {
        boot->entry = h.addr;
        boot->protocol = X86_BOOT_LINUX32;
    }
    loader_add_data(boot->loader, wide ? x86_boot_gdt64 : x86_boot_gdt32,
                    X86_BOOT_GDT_SIZE, BOOT_GDT_ADDR);
    return true;
}

/* ---- by firmware ------------------------------------------------------------------- */

static void give_piece(FWCfg *fw_cfg, unsigned addr_key, unsigned size_key,
                       unsigned data_key, const LoaderFile *file, uint64_t offset,
                       uint32_t size, uint32_t addr)
{
    fw_cfg_add_u32(fw_cfg, addr_key, addr);
    fw_cfg_add_u32(fw_cfg, size_key, size);
    fw_cfg_add_fd(fw_cfg, data_key, file->fd, offset, size);
}

/* The files' bytes are given as they are: OVMF checks signatures over them. What the
 * setup code has to be told goes into its header by the option ROM. */
bool linux_give(X86Boot *boot, const LoaderFile *file, FWCfg *fw_cfg, GError **err)
{
    LinuxHeader h;
    uint64_t rest;

    if (!header_read(&h, file, VERSION_MIN_16, err)) {
        return false;
    }
    if (h.code_offset > (SETUP_SECTS_MAX + 1) * 512) {
        return loader_file_error(file, err, "field setup_sects: %u sectors are more "
                                 "than %u", h.raw[SETUP_SECTS], SETUP_SECTS_MAX);
    }
    rest = file->size - h.code_offset;
    if (boot->ram_end < BOOT_HIGH_ADDR || rest > boot->ram_end - BOOT_HIGH_ADDR) {
        return loader_file_error(file, err, "its %" PRIu64 " bytes do not fit between "
                                 "0x%x and the end of low memory at 0x%" PRIx64
                                 "; give the guest more memory (-m)", rest,
                                 BOOT_HIGH_ADDR, boot->ram_end);
    }
    h.addr = BOOT_HIGH_ADDR;
    if (!load_rest(boot, &h, file, kernel_end(&h, rest), err)) {
        return false;
    }
    give_piece(fw_cfg, FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, file, 0,
               h.code_offset, SETUP_ADDR);
    give_piece(fw_cfg, FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, file,
               h.code_offset, rest, BOOT_HIGH_ADDR);
    if (boot->initrd_file) {
        give_piece(fw_cfg, FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA,
                   boot->initrd_file, 0, boot->initrd_size, boot->initrd_addr);
    }
    return true;
}
