/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options about what firmware finds: -boot, -fw_cfg, -option-rom, -drive, -pflash,
 * -smbios. For options.c.
 */
#ifndef OPTIONS_BOOT_H
#define OPTIONS_BOOT_H

#include "options.h"

extern const Property boot_properties[], fw_cfg_properties[], option_rom_properties[],
                      drive_properties[];

/* Take one in, as those of the table in options.c do. */
bool option_set_boot(Settings *s, const char *value, GError **err);
bool option_add_fw_cfg(Settings *s, const char *value, GError **err);
bool option_add_option_rom(Settings *s, const char *value, GError **err);
bool option_add_drive(Settings *s, const char *value, GError **err);
bool option_add_pflash(Settings *s, const char *value, GError **err);
bool option_add_smbios(Settings *s, const char *value, GError **err);

void settings_init_boot(Settings *s); /* nothing set */
void settings_clear_boot(Settings *s);

#endif
