/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A -bios image that switches the machine off in its first instructions: for
 * measuring what a start and an end cost.
 */
#include "tests/guest/board.h"

    .code16
    .section .reset, "ax"
    .global reset_vector
reset_vector:
    power_off
