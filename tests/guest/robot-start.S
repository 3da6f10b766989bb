/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The robot's way from real mode to long mode, the same for each vCPU, and its
 * interrupt gates. Intel SDM volume 3, 9.8.5 (to long mode), 6.14 (gates).
 */
#include "tests/guest/robot.h"

#define CODE64 0x08
#define DATA 0x10
#define CODE32 0x18
#define CR0_PE 0x1
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define PAGE_TABLE 0x3 /* present, writable */
#define PAGE_2M 0x83

    .section .start, "ax"
    .code16
    .global robot_start
robot_start:
    cli
    .byte   0xea /* a far jump, to have segment 0 */
    .word   1f, 0
1:  xor     %ax, %ax
    mov     %ax, %ds
    lgdtl   gdt_pointer
    mov     %cr0, %eax
    or      $CR0_PE, %al
    mov     %eax, %cr0
    ljmpl   $CODE32, $1f

    .code32
1:  mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     %cr4, %eax
    or      $CR4_PAE, %eax
    mov     %eax, %cr4
    mov     $pml4, %eax
    mov     %eax, %cr3
    mov     $MSR_EFER, %ecx
    rdmsr
    or      $EFER_LME, %eax
    wrmsr
    mov     %cr0, %eax
    or      $CR0_PG, %eax
    mov     %eax, %cr0
    ljmpl   $CODE64, $1f

    .code64
1:  mov     $1, %eax
    cpuid
    shr     $24, %ebx /* the initial APIC ID numbers the vCPU */
    mov     %ebx, %edi
    lea     1(%rbx), %esp
    shl     $12, %esp
    add     $ROBOT_STACKS, %esp
    lidt    idt_pointer
    call    robot_main

/*
 * Each gate leaves its vector on the stack and goes to one handler. That goes
 * back without IRET, which KVM's emulator does not know in long mode: where a
 * host runs all code through it, interrupts must work, too.
 */
    .balign 8
gates:
    .set    vector, 0
    .rept   ROBOT_VECTORS
    .balign 8
    push    $vector
    jmp     common
    .set    vector, vector + 1
    .endr

/* On the stack: vector, RIP, CS, RFLAGS, RSP, SS; behind the vector of some
 * exceptions an error code, but from these there is no way back. */
common:
    push    %rax
    push    %rbx
    push    %rcx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    mov     80(%rsp), %edi
    mov     88(%rsp), %rsi
    cld
    call    robot_trap
    mov     112(%rsp), %rbx /* RSP, for what POPF and RET are to find */
    sub     $16, %rbx
    mov     88(%rsp), %rax
    mov     %rax, 8(%rbx)
    mov     104(%rsp), %rax
    mov     %rax, (%rbx)
    mov     %rbx, 88(%rsp)
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rdx
    pop     %rcx
    pop     %rbx
    pop     %rax
    mov     8(%rsp), %rsp
    popfq
    ret

    .section .tables, "aw"
    .balign 8
gdt:
    .quad   0
    .quad   0x00af9b000000ffff /* 64-bit code */
    .quad   0x00cf93000000ffff /* data */
    .quad   0x00cf9b000000ffff /* 32-bit code */
gdt_pointer:
    .word   . - gdt - 1
    .long   gdt
    .balign 8
    .global idt_pointer
idt_pointer:
    .word   ROBOT_VECTORS * 16 - 1
    .quad   idt

    .balign 16
idt:
    .set    vector, 0
    .rept   ROBOT_VECTORS
    .word   gates + vector * 8 /* all of the robot is below 64 KiB */
    .word   CODE64
    .word   0x8e00 /* interrupt gate */
    .word   0
    .quad   0
    .set    vector, vector + 1
    .endr

    .balign 4096
pml4:
    .quad   pdpt + PAGE_TABLE
    .fill   511, 8, 0
pdpt:
    .set    n, 0
    .rept   ROBOT_MAPPED >> 30
    .quad   pds + n * 4096 + PAGE_TABLE
    .set    n, n + 1
    .endr
    .fill   512 - (ROBOT_MAPPED >> 30), 8, 0
pds:
    .set    n, 0
    .rept   ROBOT_MAPPED >> 21
    .quad   (n << 21) + PAGE_2M
    .set    n, n + 1
    .endr
