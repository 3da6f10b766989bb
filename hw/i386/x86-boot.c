/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a kernel without firmware; see x86-boot.h.
 */
#include "hw/i386/x86-boot.h"

#include <string.h>

#include "target-i386/cpu.h"

bool x86_boot_load_kernel(X86Boot *boot, const char *path, GError **err)
{
    LoaderFile *file = loader_open(boot->loader, path, "kernel", err);

    if (!file) {
        return false;
    }
    if (linux_probe(file)) {
        return linux_load(boot, file, err);
    }
    if (multiboot_probe(file)) { /* such a file may have a PVH entry, too */
        return multiboot_load(boot, file, err);
    }
    if (pvh_probe(file)) {
        return pvh_load(boot, file, err);
    }
    return loader_file_error(
        file, err,
        "neither a Linux bzImage (field header: no \"HdrS\" at offset 514) nor "
        "an ELF file (field e_ident: no \"\\177ELF\" at offset 0) nor multiboot "
        "(field magic: no 0x1badb002 with its checksum in the first 8 KiB)");
}

bool x86_boot_load_initrd(X86Boot *boot, uint64_t floor, uint64_t limit,
                          const char *limit_name, GError **err)
{
    LoaderFile *file;

    if (!boot->initrd) {
        return true;
    }
    file = loader_open(boot->loader, boot->initrd, "initramfs", err);
    if (!file) {
        return false;
    }
    if (limit > boot->ram_end) {
        limit = boot->ram_end;
        limit_name = "end of low memory (-m)";
    }
    if (limit < floor || file->size > limit - floor) {
        return loader_file_error(
            file, err,
            "its size of %" PRIu64 " bytes does not fit between the kernel's "
            "end at 0x%" PRIx64 " and the %s at 0x%" PRIx64, file->size, floor,
            limit_name, limit);
    }
    boot->initrd_addr = (limit - file->size) & TARGET_PAGE_MASK;
    if (boot->together || boot->initrd_addr < floor) {
        boot->initrd_addr = floor;
    }
    boot->initrd_size = file->size;
    boot->initrd_file = file;
    loader_add_file(boot->loader, file, 0, file->size, boot->initrd_addr);
    return true;
}

bool x86_boot_load_cmdline(X86Boot *boot, const LoaderFile *file, uint64_t max,
                           const char *field, GError **err)
{
    size_t len = strlen(boot->cmdline);

    if (len > max) {
        return loader_file_error(file, err,
                                 "the command line (-append) has %zu bytes, "
                                 "%s allows %" PRIu64, len, field, max);
    }
    loader_add_data(boot->loader, boot->cmdline, len + 1, BOOT_CMDLINE_ADDR);
    return true;
}

void x86_boot_reset_cpu(CPUState *cpu, void *opaque)
{
    X86Boot *boot = opaque;

    switch (boot->protocol) {
    case X86_BOOT_LINUX64:
        x86_cpu_set_linux64(cpu, boot->entry, BOOT_PARAMS_ADDR,
                            BOOT_PAGE_TABLES_ADDR, BOOT_GDT_ADDR);
        break;
    case X86_BOOT_LINUX32:
        x86_cpu_set_linux32(cpu, boot->entry, BOOT_PARAMS_ADDR, BOOT_GDT_ADDR);
        break;
    case X86_BOOT_PVH:
        x86_cpu_set_pvh(cpu, boot->entry, BOOT_START_INFO_ADDR);
        break;
    case X86_BOOT_MULTIBOOT:
        x86_cpu_set_multiboot(cpu, boot->entry, BOOT_MULTIBOOT_ADDR);
        break;
    }
}
