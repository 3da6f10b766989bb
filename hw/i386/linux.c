/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux bzImage, started at its 64-bit entry, or given to firmware, whose option ROM
 * starts its 16-bit setup code. Linux Documentation/arch/x86/boot.rst (protocol 2.12
 * and later, or 2.02) and zero-page.rst.
 */
#include <string.h>

#include "hw/i386/linuxboot.h"
#include "target-i386/cpu.h"

/* Offsets in the file and, for the setup header, also in boot_params */
#define SETUP_SECTS 0x1f1
#define SYSSIZE 0x1f4
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

/* Offsets in boot_params alone */
#define ACPI_RSDP_ADDR 0x70
#define E820_ENTRIES 0x1e8
#define E820_TABLE 0x2d0
#define E820_ENTRY_SIZE 20
#define BOOT_PARAMS_SIZE 4096

#define BOOT_FLAG_MAGIC 0xaa55
#define HEADER_MAGIC 0x53726448 /* "HdrS" */
#define VERSION_MIN 0x20c       /* the first with xloadflags */
#define VERSION_MIN_16 0x202    /* with a command line that can be anywhere */
#define VERSION_INITRD_MAX 0x203 /* the first with initrd_addr_max, */
#define VERSION_SYSSIZE 0x204    /* whose syssize can be trusted, */
#define VERSION_CMDLINE_SIZE 0x206 /* with cmdline_size, */
#define VERSION_INIT_SIZE 0x20a /* with pref_address and init_size */
#define LOADED_HIGH 0x01
#define XLF_KERNEL_64 0x01
#define LOADER_UNDEFINED 0xff
#define SETUP_SECTS_DEFAULT 4
#define ENTRY_64 0x200 /* from the start of the protected-mode code */

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
    uint8_t raw[HEADER_MIN_END];
    unsigned version;
    uint64_t code_offset; /* of the protected-mode code in the file */
    uint64_t code_size;
    uint64_t init_size;
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

    if (!loader_file_read(file, 0, h->raw, sizeof(h->raw), "the setup header",
                          err)) {
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
                                 "old, at least %u.%02u is needed", h->version >> 8,
                                 h->version & 0xff, version_min >> 8,
                                 version_min & 0xff);
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
        h->init_size = MAX(get(h->raw, INIT_SIZE, 4), h->code_size);
    }
    return true;
}

static bool header_has_64(const LinuxHeader *h, const LoaderFile *file, GError **err)
{
    return (get(h->raw, XLOADFLAGS, 2) & XLF_KERNEL_64) ||
           loader_file_error(file, err, "field xloadflags: no 64-bit entry point, "
                             "this is a 32-bit kernel");
}

/* Where the kernel asks to be, or as low as possible if that is beyond memory
 * and it can move. */
static bool header_place(LinuxHeader *h, const X86Boot *boot,
                         const LoaderFile *file, GError **err)
{
    uint64_t align = get(h->raw, KERNEL_ALIGNMENT, 4);
    uint64_t pref = get(h->raw, PREF_ADDRESS, 8);

    h->addr = pref;
    if (h->raw[RELOCATABLE_KERNEL] &&
        (pref < BOOT_HIGH_ADDR || pref > boot->ram_end ||
         h->init_size > boot->ram_end - pref)) {
        if (align == 0 || (align & (align - 1))) {
            return loader_file_error(file, err,
                                     "field kernel_alignment: 0x%" PRIx64
                                     " is not a power of two", align);
        }
        h->addr = (BOOT_HIGH_ADDR + align - 1) & ~(align - 1);
    }
    if (h->addr < BOOT_HIGH_ADDR) {
        return loader_file_error(file, err,
                                 "field pref_address: 0x%" PRIx64
                                 " is below 0x%x", h->addr, BOOT_HIGH_ADDR);
    }
    if (h->addr > boot->ram_end || h->init_size > boot->ram_end - h->addr) {
        return loader_file_error(
            file, err,
            "field init_size: 0x%" PRIx64 " bytes at 0x%" PRIx64
            " do not fit below the end of low memory at 0x%" PRIx64
            "; give the guest more memory (-m)", h->init_size, h->addr,
            boot->ram_end);
    }
    return true;
}

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
           MIN(end, sizeof(h->raw)) - SETUP_SECTS);
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
    uint64_t cmdline_max, initrd_limit;

    if (!header_read(&h, file, VERSION_MIN, err) || !header_has_64(&h, file, err) ||
        !header_place(&h, boot, file, err)) {
        return false;
    }
    cmdline_max = MIN(get(h.raw, CMDLINE_SIZE, 4), BOOT_CMDLINE_MAX - 1);
    initrd_limit = get(h.raw, INITRD_ADDR_MAX, 4) + 1;
    if (!x86_boot_load_cmdline(boot, file, cmdline_max, "field cmdline_size",
                               err) ||
        !x86_boot_load_initrd(boot, h.addr + h.init_size, initrd_limit,
                              "kernel's initrd_addr_max", err)) {
        return false;
    }
    loader_add_file(boot->loader, file, h.code_offset, h.code_size, h.addr);
    add_page_tables(boot->loader);
    loader_add_data(boot->loader, x86_boot_gdt, sizeof(x86_boot_gdt),
                    BOOT_GDT_ADDR);
    add_boot_params(boot, &h);
    boot->entry = h.addr + ENTRY_64;
    return true;
}

/* The first address that an initramfs cannot take. */
static uint64_t kernel_end(const LinuxHeader *h)
{
    uint64_t end = BOOT_HIGH_ADDR + h->init_size;

    /* From where it is loaded it moves itself to where it wants to be. */
    if (h->version >= VERSION_INIT_SIZE) {
        uint64_t pref = get(h->raw, PREF_ADDRESS, 8);

        end = MAX(end, MIN(pref, UINT32_MAX) + h->init_size);
    }
    return end;
}

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
    uint64_t cmdline_max = CMDLINE_SIZE_OLD, initrd_limit = INITRD_LIMIT_OLD;
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
    if (h.version >= VERSION_CMDLINE_SIZE) {
        cmdline_max = MIN(get(h.raw, CMDLINE_SIZE, 4), BOOT_CMDLINE_MAX - 1);
    }
    if (h.version >= VERSION_INITRD_MAX) {
        initrd_limit = get(h.raw, INITRD_ADDR_MAX, 4) + 1;
    }
    if (!x86_boot_load_cmdline(boot, file, cmdline_max, "field cmdline_size", err) ||
        !x86_boot_load_initrd(boot, MAX(kernel_end(&h), BOOT_HIGH_ADDR + rest),
                              initrd_limit, "kernel's initrd_addr_max", err)) {
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
