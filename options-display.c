/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options about what a person sees and types; see options-display.h.
 */
#include "options-display.h"

#include <string.h>

#include "opts.h"
#include "ui/display.h"

/* A display as it was asked for. Strings are owned. */
typedef struct DisplaySetting {
    const char *option; /* "-vnc"; NULL: nobody asked */
    char *text;         /* as display_open() takes it */
} DisplaySetting;

static const char *const vga_names[] = { "std", "none", NULL };

static void display_setting_free(void *opaque)
{
    DisplaySetting *d = opaque;

    g_free(d->text);
    g_free(d);
}

static void add_display(Settings *s, const char *option, char *text)
{
    DisplaySetting *d = g_new(DisplaySetting, 1);

    *d = (DisplaySetting){ option, text };
    g_ptr_array_add(s->displays, d);
}

static void remove_displays(Settings *s, const char *option)
{
    for (unsigned i = s->displays->len; i-- > 0;) {
        const DisplaySetting *d = s->displays->pdata[i];

        if (g_strcmp0(d->option, option) == 0) {
            g_ptr_array_remove_index(s->displays, i);
        }
    }
}

/* Whether display @name is among those asked for. */
static bool has_display(const Settings *s, const char *name)
{
    size_t len = strlen(name);

    for (unsigned i = 0; i < s->displays->len; i++) {
        const DisplaySetting *d = s->displays->pdata[i];

        if (strncmp(d->text, name, len) == 0 && (!d->text[len] || d->text[len] == ',')) {
            return true;
        }
    }
    return false;
}

bool option_set_vga(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        printf("std   a VGA with VESA BIOS extensions, as -device VGA\n"
               "none  no display card\n");
        s->done = true;
        return true;
    }
    if (!g_strv_contains(vga_names, value)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "no display card is called '%s' here; there are 'std' and 'none', "
                    "and others by -device: 'bochs-display', 'ramfb'", value);
        return false;
    }
    g_free(s->vga);
    s->vga = g_strdup(value);
    return true;
}

bool option_set_display(Settings *s, const char *value, GError **err)
{
    g_auto(GStrv) parts = g_strsplit(value, ",", 2);
    const char *name = parts[0];

    if (strcmp(value, "help") == 0) {
        display_print_types(stdout);
        printf("none                   nobody sees the screen\n");
        s->done = true;
        return true;
    }
    if (parts[1] && strcmp(parts[1], "help") == 0) {
        s->done = true;
        return display_print_properties(name, stdout, err);
    }
    if (g_str_has_prefix(value, "vnc=")) {
        return option_add_vnc(s, value + strlen("vnc="), err);
    }
    s->display_chosen = true;
    remove_displays(s, "-display");
    if (strcmp(value, "none") != 0) {
        add_display(s, "-display", g_strdup(value));
    }
    return true;
}

bool option_add_vnc(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        s->done = true;
        return display_print_properties("vnc", stdout, err);
    }
    s->display_chosen = true;
    if (strcmp(value, "none") == 0) {
        remove_displays(s, "-vnc");
    } else {
        add_display(s, "-vnc", g_strconcat("vnc,", value, NULL));
    }
    return true;
}

/* A window, if there is somewhere to open it. */
static bool window_wanted(const Settings *s)
{
    return !s->display_chosen && !s->nographic && !s->nodefaults && !s->daemonize &&
           !s->qtest && s->vga && strcmp(s->vga, "none") != 0 &&
           (g_getenv("DISPLAY") || g_getenv("WAYLAND_DISPLAY")) &&
           display_available("sdl");
}

/* Whether -device makes a VGA: the board's own would be in its place. What is wrong with
 * a -device is told when it is plugged. */
static bool has_vga_device(const Settings *s)
{
    for (unsigned i = 0; i < s->devices->len; i++) {
        g_autofree char *driver = NULL, *id = NULL;
        g_autoptr(GHashTable) settings =
            opts_to_settings(s->devices->pdata[i], "driver", &driver, &id, NULL);

        if (settings && driver && strcmp(driver, "VGA") == 0) {
            return true;
        }
    }
    return false;
}

bool settings_finish_displays(Settings *s, Machine *machine, GError **err)
{
    if (s->vga && strcmp(s->vga, "none") != 0 && !machine->type->has_vga) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-vga %s: machine '%s' has no bus for a display card; machine 'pc' "
                    "has", s->vga, machine->type->name);
        return false;
    }
    if (!s->vga && machine->type->has_vga && !s->nodefaults && !s->nographic &&
        !has_vga_device(s)) {
        s->vga = g_strdup("std");
    }
    if (s->nographic) {
        if (s->displays->len) {
            const DisplaySetting *d = s->displays->pdata[0];

            g_set_error(err, FLATVIEW_ERROR, 0,
                        "-nographic and %s exclude each other: leave out one",
                        d->option);
            return false;
        }
    } else if (window_wanted(s)) {
        add_display(s, NULL, g_strdup("sdl"));
    }
    if (has_display(s, "curses") && s->daemonize) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-display curses: a process in the background has no terminal; "
                    "leave out -daemonize");
        return false;
    }
    s->terminal_taken = has_display(s, "curses");
    machine->headless = !s->displays->len;
    machine->vga = g_strdup(s->vga);
    return true;
}

bool settings_open_displays(const Settings *s, GError **err)
{
    for (unsigned i = 0; i < s->displays->len; i++) {
        const DisplaySetting *d = s->displays->pdata[i];

        if (!display_open(d->text, s->keyboard, err)) {
            if (d->option) {
                g_prefix_error(err, "%s: ", d->option);
                return false;
            }
            /* Nobody asked for it: the machine is of use without. */
            fprintf(stderr, "warning: no window: %s\n", (*err)->message);
            g_clear_error(err);
        }
    }
    return true;
}

void settings_init_displays(Settings *s)
{
    s->displays = g_ptr_array_new_with_free_func(display_setting_free);
}

void settings_clear_displays(Settings *s)
{
    g_ptr_array_free(s->displays, TRUE);
    g_free(s->vga);
}
