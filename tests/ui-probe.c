/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A display that writes down what it is asked, for tests/test-displays.c; it uses
 * nothing of the program.
 */
#include <stdio.h>
#include <string.h>

#include "tests/ui-probe.h"

static bool probe_open(Display *display, GError **err)
{
    Probe *probe = (Probe *)display;

    if (!probe->log || strcmp(probe->log, "refuse") == 0) {
        g_set_error(err, g_quark_from_static_string("probe"), 0, "it is told to refuse");
        return false;
    }
    return true;
}

static void probe_close(Display *display)
{
    Probe *probe = (Probe *)display;
    FILE *log = fopen(probe->log, "a");

    if (log) {
        fprintf(log, "close %s\n", display->id);
        fclose(log);
    }
}

static const Property properties[] = {
    { "log", PROP_STRING, offsetof(Probe, log), NULL, "a file, or \"refuse\"", 0 },
    { "number", PROP_UINT8, offsetof(Probe, number), "7", "a number up to 9", 9 },
    { 0 },
};

const DisplayType display_module = {
    .name = "probe",
    .description = "writes down what it is asked",
    .size = sizeof(Probe),
    .properties = properties,
    .implied = "log",
    .open = probe_open,
    .close = probe_close,
};
