/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A -bios image that resets the machine in each way there is, counting its
 * starts in memory, and says on the first serial port which start this is:
 * "1" (then the ACPI register), "2" (the keyboard controller), "3" (a triple
 * fault), "4", and off.
 */
#include "tests/guest/board.h"

#define COUNT 0x500
#define I8042_RESET 0xfe

    .code16
    start_at start
start:
    cli
    xor     %ax, %ax
    mov     %ax, %ds
    incw    COUNT
    mov     COUNT, %bx
    lea     '0'(%bx), %ax
    mov     $MICROVM_COM1_PORT, %dx
    out     %al, %dx
    cmp     $1, %bx
    je      acpi
    cmp     $2, %bx
    je      keyboard
    cmp     $3, %bx
    je      triple_fault
    power_off

acpi:
    reset_board

keyboard:
    mov     $I8042_RESET, %al
    out     %al, $MICROVM_I8042_COMMAND_PORT
1:  hlt
    jmp     1b

triple_fault:
    enter_protected_mode
    lidtl   no_vectors
    ud2

no_vectors:
    .word   0
    .long   0
