/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting a kernel by firmware: what fw_cfg says of it, and an option ROM that starts
 * it. Of the items, those of Linux are what OVMF reads as well. Numbers first, which the
 * ROM's source, linuxboot.S, shares.
 */
#ifndef HW_I386_LINUXBOOT_H
#define HW_I386_LINUXBOOT_H

#define LINUXBOOT_SIZE 1536 /* bytes of the ROM */
#define LINUXBOOT_PNP 0x20  /* where its expansion header is, */
#define LINUXBOOT_PNP_SIZE 32
#define LINUXBOOT_PNP_CHECKSUM 9 /* and the checksum in that */
#define LINUXBOOT_VID_MODE 0x40 /* two bytes: what it puts into Linux's setup header */
#define LINUXBOOT_HEAP_END 0xe000 /* of Linux's setup code, from its start on */
#define LINUXBOOT_MULTIBOOT_MAGIC 0x2badb002
#define LINUXBOOT_PVH_MAGIC 0x336ec578
/* The memory map that the ROM adds behind what describes a start of 32 bits */
#define LINUXBOOT_MAP_ENTRIES 128
#define LINUXBOOT_MAP_SIZE (LINUXBOOT_MAP_ENTRIES * 24 + 32)

#ifndef __ASSEMBLER__

#include "hw/i386/x86-boot.h"
#include "hw/nvram/fw_cfg.h"

#define LINUXBOOT_FILE "genroms/linuxboot.bin"
#define LINUXBOOT_PATH "/rom@" LINUXBOOT_FILE /* as firmware names it in its order */

/*
 * Have firmware start the kernel @path, with what @boot says of a command line and an
 * initramfs or modules, which lie below @boot->ram_end: fills @fw_cfg with the items and
 * the ROM. Its @loader opens the files and need not load anything. False with @err.
 */
bool linuxboot_add(X86Boot *boot, FWCfg *fw_cfg, const char *path, GError **err);

/* linux.c: the same of a bzImage, without the ROM. */
bool linux_give(X86Boot *boot, const LoaderFile *file, FWCfg *fw_cfg, GError **err);

/* The ROM, LINUXBOOT_SIZE bytes with right checksums, to be freed; @vid_mode is for
 * Linux's setup header. */
uint8_t *linuxboot_rom(uint16_t vid_mode);

#endif
#endif
