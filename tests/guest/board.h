/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests of the board microvm share: its registers, and how to switch it
 * off. For the assembler.
 */
#ifndef TESTS_GUEST_BOARD_H
#define TESTS_GUEST_BOARD_H

#include "hw/acpi/pm.h"
#include "hw/i386/microvm-map.h"

#define SLEEP_PORT (MICROVM_ACPI_PM_PORT + ACPI_PM_SLEEP_CONTROL)
#define SLEEP_OFF (0x20 | ACPI_PM_SLP_TYP_S5 << 2) /* SLP_EN, SLP_TYP */
#define RESET_PORT (MICROVM_ACPI_PM_PORT + ACPI_PM_RESET)

/* Both leave nothing to come back to, but the machine stops a little later. */
.macro power_off
    mov     $SLEEP_PORT, %dx
    mov     $SLEEP_OFF, %al
    out     %al, %dx
1:  cli
    hlt
    jmp     1b
.endm

.macro reset_board
    mov     $RESET_PORT, %dx
    mov     $ACPI_PM_RESET_VALUE, %al
    out     %al, %dx
1:  cli
    hlt
    jmp     1b
.endm

#endif
