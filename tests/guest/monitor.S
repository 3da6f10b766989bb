/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A -bios image for tests of monitors: says "R" on the first serial port, then
 * counts in memory for ever, and says "N" at the first non-maskable interrupt.
 * Long mode; the first 2 MiB of memory are at address 0 and again at 0x200000.
 */
#include "tests/guest/board.h"

#define COUNT 0x500  /* 4 bytes */
#define MARKER 0x510 /* "flatview" */
#define IDT 0x600
#define NMI_VECTOR 2
#define STACK 0x7000
#define LEVEL4 0x8000
#define LEVEL3 0x9000
#define LEVEL2 0xa000
#define TABLE 0x03    /* present, writable */
#define PAGE_2M 0x83  /* the same, 2 MiB */
#define CR4_PAE 0x20
#define CR0_PG 0x80000000
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100

    .code16
    start_at start
start:
    enter_protected_mode
    movl    $0x74616c66, MARKER
    movl    $0x77656976, MARKER + 4
    movl    $0, COUNT

    movl    $LEVEL3 + TABLE, LEVEL4
    movl    $LEVEL2 + TABLE, LEVEL3
    movl    $PAGE_2M, LEVEL2
    movl    $PAGE_2M, LEVEL2 + 8
    mov     $LEVEL4, %eax
    mov     %eax, %cr3
    mov     $CR4_PAE, %eax
    mov     %eax, %cr4
    mov     $MSR_EFER, %ecx
    mov     $EFER_LME, %eax
    xor     %edx, %edx
    wrmsr
    mov     %cr0, %eax
    or      $CR0_PG, %eax
    mov     %eax, %cr0
    lgdtl   long_gdt_pointer
    ljmpl   $8, $long_mode

    .balign 8
long_gdt:
    .quad   0
    .quad   0x00af9b000000ffff /* 64-bit code */
long_gdt_pointer:
    .word   . - long_gdt - 1
    .long   long_gdt

    .code64
long_mode:
    mov     $STACK, %esp
    mov     $nmi, %eax /* an interrupt gate */
    mov     %ax, IDT + NMI_VECTOR * 16
    shr     $16, %eax
    mov     %ax, IDT + NMI_VECTOR * 16 + 6
    movl    $0x8, IDT + NMI_VECTOR * 16 + 2
    movb    $0x8e, IDT + NMI_VECTOR * 16 + 5
    movq    $0, IDT + NMI_VECTOR * 16 + 8
    lidt    vectors

    mov     $'R', %al
say:
    mov     $MICROVM_COM1_PORT, %dx
    out     %al, %dx
1:  incl    COUNT
    jmp     1b

/* Does not return, so that no other one is let in before the next reset. */
nmi:
    mov     $STACK, %esp
    mov     $'N', %al
    jmp     say

vectors:
    .word   (NMI_VECTOR + 1) * 16 - 1
    .quad   IDT
