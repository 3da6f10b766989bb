/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A -bios image that works the first serial port by interrupts alone: says
 * "ready", sends back what it receives, and switches the machine off after a
 * 'q'. Real mode. What is to be sent is never more than fits the buffer.
 */
#include "tests/guest/board.h"

#define UART MICROVM_COM1_PORT
#define IER (UART + 1)
#define IIR (UART + 2)
#define FCR (UART + 2)
#define LCR (UART + 3)
#define MCR (UART + 4)
#define LSR (UART + 5)
#define IER_RECEIVED 1
#define IER_SENT 2
#define LSR_DATA 0x01
#define LSR_IDLE 0x40

#define PIC MICROVM_PIC0_PORT
#define VECTORS 8
#define STACK 0x7000
#define BUFFER_SEGMENT 0x1000 /* what is to be sent, from 0 on */

/* In memory, of segment 0: */
#define FILLED 0x500 /* end of what was put into the buffer */
#define SENT 0x502   /* end of what was sent of it */
#define QUIT 0x504

    .code16
    start_at start
start:
    cli
    cld
    xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %ss
    mov     $STACK, %sp
    mov     %ax, FILLED
    mov     %ax, SENT
    mov     %ax, QUIT
    mov     $BUFFER_SEGMENT, %ax
    mov     %ax, %es

    movw    $interrupt - 0xf0000, (VECTORS + MICROVM_COM1_IRQ) * 4
    movw    $0xf000, (VECTORS + MICROVM_COM1_IRQ) * 4 + 2
    mov     $0x11, %al /* PIC: a cascade, edge-triggered */
    out     %al, $PIC
    mov     $VECTORS, %al
    out     %al, $PIC + 1
    mov     $4, %al
    out     %al, $PIC + 1
    mov     $1, %al
    out     %al, $PIC + 1
    mov     $~(1 << MICROVM_COM1_IRQ) & 0xff, %al
    out     %al, $PIC + 1

    mov     $LCR, %dx /* 8 bits, no parity */
    mov     $3, %al
    out     %al, %dx
    mov     $FCR, %dx /* FIFOs on, empty, 14 bytes before an interrupt */
    mov     $0xc7, %al
    out     %al, %dx
    mov     $MCR, %dx /* DTR, RTS, OUT2 */
    mov     $0x0b, %al
    out     %al, %dx
    mov     $IER, %dx
    mov     $IER_RECEIVED, %al
    out     %al, %dx

    mov     $ready_text - 0xf0000, %si
1:  mov     %cs:(%si), %al
    inc     %si
    test    %al, %al
    jz      2f
    call    put
    jmp     1b

    /* Everything else happens in interrupts. */
2:  sti
    hlt
    cli
    cmpw    $0, QUIT
    je      2b
    mov     SENT, %ax
    cmp     %ax, FILLED
    jne     2b
    mov     $LSR, %dx
3:  in      %dx, %al
    test    $LSR_IDLE, %al
    jz      3b
    power_off

/* Have %al sent. Interrupts are off. Changes %dx, %di. */
put:
    mov     FILLED, %di
    mov     %al, %es:(%di)
    incw    FILLED
    mov     $IER, %dx
    mov     $IER_RECEIVED | IER_SENT, %al
    out     %al, %dx
    ret

interrupt:
    push    %ax
    push    %dx
    push    %di
next:
    mov     $IIR, %dx
    in      %dx, %al
    test    $1, %al
    jnz     none
    and     $0x0e, %al
    cmp     $0x02, %al
    je      sent

    /* Received: as long as there is something. */
1:  mov     $LSR, %dx
    in      %dx, %al
    test    $LSR_DATA, %al
    jz      next
    mov     $UART, %dx
    in      %dx, %al
    cmp     $'q', %al
    jne     2f
    incw    QUIT
2:  call    put
    jmp     1b

sent:
    mov     SENT, %di
    cmp     %di, FILLED
    je      3f
    mov     %es:(%di), %al
    incw    SENT
    mov     $UART, %dx
    out     %al, %dx
    jmp     next
3:  mov     $IER, %dx
    mov     $IER_RECEIVED, %al
    out     %al, %dx
    jmp     next

none:
    mov     $0x20, %al
    out     %al, $PIC
    pop     %di
    pop     %dx
    pop     %ax
    iret

ready_text:
    .asciz  "ready\r\n"
