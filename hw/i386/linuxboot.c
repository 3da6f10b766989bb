/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a kernel by firmware: the items of fw_cfg, and the option ROM, whose code is
 * linuxboot.S. See linuxboot.h.
 */
#include "hw/i386/linuxboot.h"

#include <string.h>

static const uint8_t code[LINUXBOOT_SIZE] = {
#include "hw/i386/linuxboot.rom.h"
};

/* Have @len bytes add up to 0, by that at @at. */
static void set_checksum(uint8_t *bytes, unsigned len, unsigned at)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < len; i++) {
        sum += bytes[i];
    }
    bytes[at] -= sum;
}

uint8_t *linuxboot_rom(uint16_t vid_mode)
{
    uint8_t *rom = g_memdup2(code, sizeof(code));

    memcpy(rom + LINUXBOOT_VID_MODE, &vid_mode, sizeof(vid_mode));
    set_checksum(rom + LINUXBOOT_PNP, LINUXBOOT_PNP_SIZE, LINUXBOOT_PNP_CHECKSUM);
    set_checksum(rom, LINUXBOOT_SIZE, LINUXBOOT_SIZE - 1);
    return rom;
}

/* What the loader would put from @first to @last, as three items. */
static bool give_image(X86Boot *boot, FWCfg *fw_cfg, hwaddr first, hwaddr last,
                       unsigned addr_key, unsigned size_key, unsigned data_key,
                       GError **err)
{
    hwaddr base;
    LoaderFile *file = loader_image(boot->loader, first, last, &base, err);

    if (!file) {
        return false;
    }
    fw_cfg_add_u32(fw_cfg, addr_key, base);
    fw_cfg_add_u32(fw_cfg, size_key, file->size);
    fw_cfg_add_fd(fw_cfg, data_key, file->fd, 0, file->size);
    return true;
}

/* A kernel of 32 bits: in place of an initramfs, which is part of the kernel's image, is
 * what describes the start. */
static bool give_image_32(X86Boot *boot, FWCfg *fw_cfg, GError **err)
{
    bool pvh = boot->protocol == X86_BOOT_PVH;
    hwaddr info = pvh ? BOOT_START_INFO_ADDR : BOOT_MULTIBOOT_ADDR;
    hwaddr info_last = info + (pvh ? TARGET_PAGE_SIZE : BOOT_MULTIBOOT_MAX) - 1;

    fw_cfg_add_u32(fw_cfg, FW_CFG_KERNEL_ENTRY, boot->entry);
    return give_image(boot, fw_cfg, BOOT_HIGH_ADDR, UINT64_MAX, FW_CFG_KERNEL_ADDR,
                      FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, err) &&
           give_image(boot, fw_cfg, info, info_last, FW_CFG_INITRD_ADDR,
                      FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, err);
}

bool linuxboot_add(X86Boot *boot, FWCfg *fw_cfg, const char *path, GError **err)
{
    LoaderFile *file = loader_open(boot->loader, path, "kernel", err);
    g_autofree uint8_t *rom = NULL;

    if (!file) {
        return false;
    }
    if (linux_probe(file)) {
        if (!linux_give(boot, file, fw_cfg, err)) {
            return false;
        }
    } else {
        boot->together = true;
        if (!x86_boot_load_kernel(boot, path, err) ||
            !give_image_32(boot, fw_cfg, err)) {
            return false;
        }
    }
    if (boot->protocol != X86_BOOT_MULTIBOOT) {
        fw_cfg_add_u32(fw_cfg, FW_CFG_CMDLINE_ADDR, BOOT_CMDLINE_ADDR);
        fw_cfg_add_u32(fw_cfg, FW_CFG_CMDLINE_SIZE, strlen(boot->cmdline) + 1);
        fw_cfg_add_string(fw_cfg, FW_CFG_CMDLINE_DATA, boot->cmdline);
    }
    rom = linuxboot_rom(boot->vid_mode);
    return fw_cfg_add_file(fw_cfg, LINUXBOOT_FILE, rom, LINUXBOOT_SIZE, err);
}
