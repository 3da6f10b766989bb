/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options about what a person sees: -vga, -display, -vnc; what these, -k and
 * -nographic come to.
 * For options.c.
 */
#ifndef OPTIONS_DISPLAY_H
#define OPTIONS_DISPLAY_H

#include "options.h"

/* Take one in, as those of the table in options.c do. */
bool option_set_vga(Settings *s, const char *value, GError **err);
bool option_set_display(Settings *s, const char *value, GError **err);
bool option_add_vnc(Settings *s, const char *value, GError **err);

/* After all options: the display that nobody asked for, where a window can be opened
 * and @machine has a screen to show; what a display takes away from others. Whether
 * there is a VGA. False with @err: options that exclude each other. */
bool settings_finish_displays(Settings *s, Machine *machine, GError **err);

/* Open what was asked for. False with @err naming the option. */
bool settings_open_displays(const Settings *s, GError **err);

void settings_init_displays(Settings *s); /* nothing set */
void settings_clear_displays(Settings *s);

#endif
