/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The built-in guest: says hello on the first serial port, tells how much
 * memory it found below 3 GiB, and switches the machine off.
 */
#include "tests/guest/board.h"

#define LINE_STATUS (MICROVM_COM1_PORT + 5)
#define THR_EMPTY 0x20
#define STACK 0x7000
#define MIB_LIMIT 3072 /* where the board's RAM below 4 GiB ends at the latest */

    .code16
    start_at start
start:
    enter_protected_mode
    mov     $STACK, %esp
    mov     $hello_text, %esi
    call    print

    /* There is memory at MiB %ebx, and none at MiB %ebp. */
    mov     $0, %ebx
    mov     $MIB_LIMIT, %ebp
1:  lea     (%ebx, %ebp), %ecx
    shr     %ecx
    cmp     %ebx, %ecx
    je      2f
    mov     %ecx, %edi
    shl     $20, %edi
    movl    $0x55aa1234, (%edi)
    cmpl    $0x55aa1234, (%edi)
    cmove   %ecx, %ebx
    cmovne  %ecx, %ebp
    jmp     1b
2:  mov     %ebp, %eax
    call    print_number
    mov     $memory_text, %esi
    call    print
    power_off

/* The text at %esi, up to a zero. */
print:
    lodsb
    test    %al, %al
    jz      1f
    call    print_char
    jmp     print
1:  ret

/* The character in %al. */
print_char:
    mov     %al, %ah
    mov     $LINE_STATUS, %dx
1:  in      %dx, %al
    test    $THR_EMPTY, %al
    jz      1b
    mov     %ah, %al
    mov     $MICROVM_COM1_PORT, %dx
    out     %al, %dx
    ret

/* %eax in decimal. */
print_number:
    xor     %edx, %edx
    mov     $10, %ecx
    div     %ecx
    push    %edx
    test    %eax, %eax
    jz      1f
    call    print_number
1:  pop     %eax
    add     $'0', %al
    jmp     print_char

hello_text:
    .asciz  "Hello! I am the guest that flatview brings along.\r\nI see "
memory_text:
    .asciz  " MiB of memory below 3 GiB. Switching off.\r\n"
