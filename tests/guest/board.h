/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests of the board microvm share: its registers, how they start, and
 * how to switch it off. For the assembler.
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

/* At the reset vector: go on at @label, in the segment 0xf000. */
.macro start_at label
    .section .reset, "ax"
    .global reset_vector
reset_vector:
    .byte   0xea /* a far jump; assemblers differ in how to say it */
    .word   \label - 0xf0000, 0xf000
    .text
.endm

/* From real mode to 32-bit protected mode, flat, interrupts off. */
.macro enter_protected_mode
    cli
    lgdtl   %cs:gdt_pointer - 0xf0000
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmpl   $8, $protected_mode
    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff /* flat code */
    .quad   0x00cf93000000ffff /* flat data */
gdt_pointer:
    .word   . - gdt - 1
    .long   gdt
    .code32
protected_mode:
    mov     $16, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
.endm

#endif
