/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBIOS tables of the board pc, in prepare.
 */
#ifndef HW_I386_PC_SMBIOS_H
#define HW_I386_PC_SMBIOS_H

#include "hw/i386/pc.h"

/* As files of fw_cfg, for firmware, which adds what it is itself. False with @err: what
 * -smbios says is wrong, or a name is taken. */
bool pc_smbios_add_files(PCMachine *s, GError **err);

/* Where there is no firmware: have the loader put them where guests look for them. False
 * with @err: what -smbios says has no room there. */
bool pc_smbios_load(PCMachine *s, GError **err);

#endif
