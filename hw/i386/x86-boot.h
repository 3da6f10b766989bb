/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a kernel without firmware: what its loaders share, and which low
 * memory they use for what they tell the kernel.
 */
#ifndef HW_I386_X86_BOOT_H
#define HW_I386_X86_BOOT_H

#include "cpus.h"
#include "hw/core/loader.h"
#include "hw/core/machine.h"
#include "hw/i386/e820.h"

#define BOOT_GDT_ADDR 0x500
#define BOOT_START_INFO_ADDR 0x6000 /* PVH: one page */
#define BOOT_PARAMS_ADDR 0x7000     /* Linux: one page */
#define BOOT_PAGE_TABLES_ADDR 0x9000 /* six pages: 4 GiB one to one */
#define BOOT_MULTIBOOT_ADDR 0x10000 /* multiboot: what EBX points to, and texts */
#define BOOT_MULTIBOOT_MAX 0x70000
#define BOOT_CMDLINE_ADDR 0x20000
#define BOOT_CMDLINE_MAX 0x10000 /* bytes, with the final zero */
#define BOOT_SETUP_DATA_ADDR 0x40000 /* the device tree and its header */
#define BOOT_SETUP_DATA_MAX 0x40000
#define BOOT_DEVICE_TREE_MAX (BOOT_SETUP_DATA_MAX - 16u)
#define BOOT_LOW_END 0x9fc00 /* then 1 KiB where an extended BIOS area starts */
#define BOOT_ACPI_ADDR 0xe0000
#define BOOT_ACPI_MAX 0x1fff0
#define BOOT_RESTART_ADDR 0xffff0 /* F000:FFF0, where a PC's firmware starts */
#define BOOT_HIGH_ADDR 0x100000 /* kernels go here or above */

/* One start of one kernel. The board fills in the first part, a loader, which
 * adds to @loader, the second. */
typedef struct X86Boot {
    Loader *loader;
    uint64_t ram_end; /* of the RAM below 4 GiB that starts at 0 */
    E820 e820;
    const char *cmdline; /* "" for none */
    const char *initrd;  /* path, or NULL; of multiboot: modules, as -initrd has them */
    uint64_t rsdp_addr;
    bool device_tree; /* there will be one: see linux_load_device_tree() */
    bool together; /* an initramfs goes right behind the kernel */

    enum {
        X86_BOOT_LINUX64, /* Linux's boot protocol, its 64-bit entry, */
        X86_BOOT_LINUX32, /* and that of 32 bits */
        X86_BOOT_PVH,
        X86_BOOT_MULTIBOOT,
    } protocol;
    uint64_t entry;
    const LoaderFile *initrd_file; /* NULL: none, or modules */
    uint64_t initrd_addr, initrd_size; /* size 0: none */
    uint32_t info_size; /* multiboot: bytes at BOOT_MULTIBOOT_ADDR */
    uint16_t vid_mode;  /* Linux: its setup header's field */
} X86Boot;

/* Load @path, of whichever kind it is. False and @err where it is neither, or
 * does not fit. */
bool x86_boot_load_kernel(X86Boot *boot, const char *path, GError **err);

/* Open the initramfs, if there is one, and place it as high as possible below
 * @limit (its first byte that must stay free) and the end of RAM, but not below
 * @floor, or just there. @limit_name names the limit in errors. */
bool x86_boot_load_initrd(X86Boot *boot, uint64_t floor, uint64_t limit,
                          const char *limit_name, GError **err);

/* Place the command line of at most @max bytes (without the final zero), which
 * @field of @file asks for. */
bool x86_boot_load_cmdline(X86Boot *boot, const LoaderFile *file, uint64_t max,
                           const char *field, GError **err);

/* A reset hook for vCPU 0; @opaque is the X86Boot. */
void x86_boot_reset_cpu(CPUState *cpu, void *opaque);

/* linux.c: a bzImage. Probing looks at a magic number only. */
bool linux_probe(const LoaderFile *file);
bool linux_load(X86Boot *boot, const LoaderFile *file, GError **err);

/* Give the kernel that linux_load() placed the device tree @fdt; ->device_tree was set. */
void linux_load_device_tree(X86Boot *boot, const void *fdt, uint32_t size);

/* multiboot.c: an image with a multiboot header in its first 8 KiB. */
bool multiboot_probe(const LoaderFile *file);
bool multiboot_load(X86Boot *boot, const LoaderFile *file, GError **err);

/* pvh.c: an ELF file with a Xen PVH entry point. */
bool pvh_probe(const LoaderFile *file);
bool pvh_load(X86Boot *boot, const LoaderFile *file, GError **err);

#endif
