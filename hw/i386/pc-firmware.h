/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the board pc does for firmware: where its image comes from, and what it reads
 * in fw_cfg.
 */
#ifndef HW_I386_PC_FIRMWARE_H
#define HW_I386_PC_FIRMWARE_H

#include "hw/i386/pc.h"

/* In init, when there are RAM and the host bridge: map flash, or the image of -bios, or
 * SeaBIOS if there is nothing else to start. False with @err: a file cannot be read, or
 * does not fit. Sets s->firmware. */
bool pc_add_firmware(PCMachine *s, GError **err);

/* In init: make s->fw_cfg, with nothing in it yet. */
bool pc_add_fw_cfg(PCMachine *s, GError **err);

/* In prepare, when all devices and the kernel are known: what firmware wants to know
 * about the machine. False with @err. */
bool pc_fill_fw_cfg(PCMachine *s, GError **err);

/* After that: have firmware start from @path before all else. It is as firmware names
 * what it finds: "/rom@genroms/NAME" for a ROM that is a file of fw_cfg. */
void pc_boot_first(PCMachine *s, const char *path);

/* When all files of the board are there: those of -fw_cfg. False with @err: one cannot
 * be read, or its name is taken. */
bool pc_add_user_files(PCMachine *s, GError **err);

#endif
