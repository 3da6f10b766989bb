/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the display in tests/ui-probe.c.
 */
#ifndef UI_PROBE_H
#define UI_PROBE_H

#include "ui/display.h"

typedef struct Probe {
    Display display;
    char *log; /* a file that lines are added to; NULL or "refuse": it does not open */
    uint8_t number;
} Probe;

#endif
