/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An option ROM for a PC's firmware: fetches a kernel and what belongs to it from
 * fw_cfg and starts it. For firmware it is one more device to boot from. PCI Firmware
 * Specification 3.0, 5.2 (ROM's header); Plug and Play BIOS Specification 1.0A,
 * appendix B (expansion header, boot entry vector); Linux Documentation/arch/x86/boot.rst
 * (16-bit start); Multiboot 0.6.96, 3.2 and 3.3; Xen docs/misc/pvh.pandoc; fw_cfg's
 * items as in hw/nvram/fw_cfg.h.
 *
 * hw/i386/linuxboot.c says what is in the items. It fills in the video mode and both
 * checksums.
 */
#include "hw/i386/linuxboot.h"

/* Keys of fw_cfg, its ports, and its DMA */
#define KEY_ID 0x01
#define KEY_ENTRY 0x10
#define ID_DMA 0x02
#define SELECTOR 0x510
#define DATA 0x511
#define DMA_HIGH 0x514
#define DMA_LOW 0x518
#define DMA_READ_SELECT 0x0a /* the key is in the upper half */
#define DMA_ERROR 0x01

/* What is ours in the first 64 KiB: a stack up to here, and variables above. */
#define STACK 0x7b00
#define ROM_SEGMENT 0x7b00
#define HAS_DMA 0x7b04
#define ENTRY 0x7b08
#define MAP 0x7b0c      /* where the memory map is, */
#define MAP_SIZE 0x7b10 /* its size in bytes, */
#define MEM_LOWER 0x7b14
/* Of each group, the address and the size */
#define PLACES 0x7b20
#define SETUP (PLACES + 0)
#define INITRD (PLACES + 8)
#define CMDLINE (PLACES + 16)
#define KERNEL (PLACES + 24)
#define DESCRIPTOR 0x7b40 /* of a DMA transfer */
#define GDTR 0x7b50
#define GDT 0x7b60

#define CODE32 0x08 /* selectors; the first two have the ROM at 0 */
#define CODE16 0x10
#define FLAT_CODE 0x18
#define FLAT_DATA 0x20
#define DATA16 0x28

/* In the setup header of Linux, from the start of the setup code on */
#define VID_MODE 0x1fa
#define TYPE_OF_LOADER 0x210
#define LOADFLAGS 0x211
#define CAN_USE_HEAP 0x80
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define HEAP_END_PTR 0x224
#define CMD_LINE_PTR 0x228
#define LOADER_UNDEFINED 0xff

#define SMAP 0x534d4150
#define UPPER_BASE 0x100000
#define MAP_STRIDE 24
#define MAP_MAX (LINUXBOOT_MAP_ENTRIES * MAP_STRIDE)

    .code16
    .text
rom:
    .word   0xaa55
    .byte   LINUXBOOT_SIZE / 512
    jmp     init
    .org    0x1a
    .word   expansion

    .org    LINUXBOOT_PNP
expansion:
    .ascii  "$PnP"
    .byte   1, LINUXBOOT_PNP_SIZE / 16 /* revision, size */
    .word   0                         /* no other header */
    .byte   0, 0                      /* the checksum */
    .long   0                         /* device */
    .word   maker, name
    .byte   2, 0x80, 0                /* mass storage, other */
    .byte   0x04                      /* something to boot from */
    .word   0, 0                      /* no other vectors */
    .word   boot
    .word   0, 0

    .org    LINUXBOOT_VID_MODE
vid_mode:
    .word   0 /* filled in */

maker:
    .asciz  "flatview"
name:
    .asciz  "kernel of -kernel"

/* What firmware calls first: there is something to boot from. */
init:
    mov     $0x20, %ax
    lret

/* ---- the way --------------------------------------------------------------------- */

boot:
    cli
    cld
    xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %es
    mov     %ax, %ss
    mov     $STACK, %esp
    mov     %cs, ROM_SEGMENT
    sti
    mov     $0x2401, %ax /* address line 20 on */
    int     $0x15
    call    make_gdt
    call    to_32

    .code32
    call    fetch
    call    to_16

    .code16
    cmpl    $0, ENTRY
    je      start_linux
    call    ask_for_memory
    call    to_32

    .code32
    call    tell_memory
    mov     INITRD, %ebx
    mov     $LINUXBOOT_MULTIBOOT_MAGIC, %eax
    mov     ENTRY, %ecx
    push    $FLAT_CODE
    push    %ecx
    lret

    .code16
start_linux:
    mov     SETUP, %eax
    shr     $4, %eax
    mov     %ax, %es
    mov     %cs:vid_mode, %cx
    mov     %cx, %es:VID_MODE
    movb    $LOADER_UNDEFINED, %es:TYPE_OF_LOADER
    orb     $CAN_USE_HEAP, %es:LOADFLAGS
    movw    $LINUXBOOT_HEAP_END - 0x200, %es:HEAP_END_PTR
    mov     CMDLINE, %ecx
    mov     %ecx, %es:CMD_LINE_PTR
    mov     INITRD, %ecx
    mov     %ecx, %es:RAMDISK_IMAGE
    mov     INITRD + 4, %ecx
    mov     %ecx, %es:RAMDISK_SIZE
    cli
    mov     %ax, %ds
    mov     %ax, %fs
    mov     %ax, %gs
    mov     %ax, %ss
    mov     $LINUXBOOT_HEAP_END, %esp
    add     $0x20, %ax
    push    %ax
    push    $0
    lret

/* There is no way on: firmware tries what comes next. */
fail:
    mov     $failed_text, %si
1:  mov     %cs:(%si), %al
    inc     %si
    test    %al, %al
    jz      2f
    mov     $0x0e, %ah
    mov     $7, %bx
    int     $0x10
    jmp     1b
2:  int     $0x18
    hlt
    jmp     2b
failed_text:
    .asciz  "The kernel cannot be read from fw_cfg.\r\n"

/* ---- modes ------------------------------------------------------------------------- */

make_gdt:
    mov     $gdt, %si
    mov     $GDT, %di
    mov     $(gdt_end - gdt), %cx
    rep movsb %cs:(%si), %es:(%di)
    movzwl  ROM_SEGMENT, %eax
    shl     $4, %eax
    mov     %ax, GDT + CODE32 + 2
    mov     %ax, GDT + CODE16 + 2
    shr     $16, %eax
    mov     %al, GDT + CODE32 + 4
    mov     %al, GDT + CODE16 + 4
    movw    $(gdt_end - gdt - 1), GDTR
    movl    $GDT, GDTR + 2
    ret

    .balign 8
gdt:
    .quad   0
    .quad   0x00409b000000ffff /* CODE32 */
    .quad   0x00009b000000ffff /* CODE16 */
    .quad   0x00cf9b000000ffff /* FLAT_CODE */
    .quad   0x00cf93000000ffff /* FLAT_DATA */
    .quad   0x000093000000ffff /* DATA16 */
gdt_end:

/* Called in real mode; returns in 32-bit protected mode with flat data and stack,
 * interrupts off. */
to_32:
    cli
    pop     %bx
    lgdtl   GDTR
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmp    $CODE32, $1f

    .code32
1:  mov     $FLAT_DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %fs
    mov     %eax, %gs
    mov     %eax, %ss
    movzwl  %sp, %esp
    movzwl  %bx, %ebx
    jmp     *%ebx

/* Called there; returns in real mode, interrupts on. */
to_16:
    pop     %ebx
    ljmp    $CODE16, $1f

    .code16
1:  mov     $DATA16, %ax
    mov     %ax, %ds
    mov     %ax, %es
    mov     %ax, %fs
    mov     %ax, %gs
    mov     %ax, %ss
    mov     %cr0, %eax
    and     $~1, %al
    mov     %eax, %cr0
    xor     %ax, %ax
    mov     %ax, %ds
    mov     %ax, %es
    mov     %ax, %fs
    mov     %ax, %gs
    mov     %ax, %ss
    push    ROM_SEGMENT
    push    $2f
    lret
2:  sti
    jmp     *%bx

/* ---- from fw_cfg ------------------------------------------------------------------- */

    .code32
/* All of it, to where it says that it belongs. Leaves by fail if that goes wrong. */
fetch:
    mov     $KEY_ID, %eax
    call    read_number
    and     $ID_DMA, %eax
    mov     %eax, HAS_DMA
    mov     $KEY_ENTRY, %eax
    call    read_number
    mov     %eax, ENTRY
    mov     $groups, %esi
    mov     $PLACES, %ebp
1:  movzbl  %cs:(%esi), %eax
    call    read_number
    mov     %eax, (%ebp)
    movzbl  %cs:1(%esi), %eax
    call    read_number
    mov     %eax, 4(%ebp)
    movzbl  %cs:2(%esi), %eax
    call    read_data
    add     $3, %esi
    add     $8, %ebp
    cmp     $groups_end, %esi
    jne     1b
    ret

/* Keys of the address, the size and the data; in the order of PLACES. The kernel is
 * last: it may be a large one, and the rest would be in vain. */
groups:
    .byte   0x16, 0x17, 0x18
    .byte   0x0a, 0x0b, 0x12
    .byte   0x13, 0x14, 0x15
    .byte   0x07, 0x08, 0x11
groups_end:

/* %eax: the number that is item %eax, four bytes. Changes %ecx, %edx. */
read_number:
    mov     $SELECTOR, %edx
    out     %ax, %dx
    inc     %edx
    xor     %eax, %eax
    mov     $4, %ecx
1:  in      %dx, %al
    ror     $8, %eax
    loop    1b
    ret

/* Item %eax to (%ebp), 4(%ebp) bytes. */
read_data:
    mov     (%ebp), %edi
    mov     4(%ebp), %ecx
    test    %ecx, %ecx
    jz      2f
    cmpl    $0, HAS_DMA
    je      3f
    shl     $16, %eax
    or      $DMA_READ_SELECT, %eax
    bswap   %eax
    mov     %eax, DESCRIPTOR
    bswap   %ecx
    mov     %ecx, DESCRIPTOR + 4
    movl    $0, DESCRIPTOR + 8
    bswap   %edi
    mov     %edi, DESCRIPTOR + 12
    mov     $DMA_HIGH, %edx
    xor     %eax, %eax
    out     %eax, %dx
    mov     $DMA_LOW, %edx
    mov     $DESCRIPTOR, %eax
    bswap   %eax
    out     %eax, %dx
1:  pause
    mov     DESCRIPTOR, %eax
    bswap   %eax
    test    $DMA_ERROR, %al
    jnz     4f
    test    %eax, %eax
    jnz     1b
2:  ret
3:  mov     $SELECTOR, %edx
    out     %ax, %dx
    mov     $DATA, %edx
    rep insb
    ret
4:  call    to_16
    .code16
    jmp     fail

/* ---- the memory map of 32-bit kernels ------------------------------------------------ */

/* Firmware knows it, and is asked in real mode. It goes behind what describes the start,
 * in the form of either protocol: entries of five words with one before, the size of
 * them (multiboot), or one behind that is 0 (PVH). */
ask_for_memory:
    mov     INITRD, %eax
    shr     $4, %eax
    mov     %ax, %es
    mov     $20, %esi
    cmpl    $LINUXBOOT_PVH_MAGIC, %es:0
    jne     1f
    xor     %esi, %esi
1:  mov     INITRD, %eax
    add     INITRD + 4, %eax
    add     $15, %eax
    and     $~15, %al
    mov     %eax, MAP
    shr     $4, %eax
    mov     %ax, %es
    xor     %di, %di
    xor     %ebx, %ebx
2:  mov     %esi, %es:(%di)
    movl    $0, %es:MAP_STRIDE(%di)
    add     $4, %di
    mov     $0xe820, %eax
    mov     $SMAP, %edx
    mov     $20, %ecx
    push    %esi
    push    %di
    int     $0x15
    pop     %di
    pop     %esi
    lea     -4(%di), %di
    jc      3f
    cmp     $SMAP, %eax
    jne     3f
    add     $MAP_STRIDE, %di
    cmp     $MAP_MAX, %di
    jae     3f
    test    %ebx, %ebx
    jnz     2b
3:  movzwl  %di, %edi
    mov     %edi, MAP_SIZE
    int     $0x12
    movzwl  %ax, %eax
    mov     %eax, MEM_LOWER
    ret

    .code32
tell_memory:
    mov     INITRD, %ebx
    mov     MAP, %edx
    mov     MAP_SIZE, %eax
    cmpl    $LINUXBOOT_PVH_MAGIC, (%ebx)
    je      1f
    mov     %eax, 44(%ebx) /* mmap_length, mmap_addr */
    mov     %edx, 48(%ebx)
    mov     MEM_LOWER, %ecx
    mov     %ecx, 4(%ebx)
    add     %edx, %eax
2:  cmp     %eax, %edx /* upper memory is what begins at 1 MiB */
    jae     4f
    cmpl    $UPPER_BASE, 4(%edx)
    jne     3f
    cmpl    $0, 8(%edx)
    jne     3f
    mov     12(%edx), %ecx
    shr     $10, %ecx
    mov     %ecx, 8(%ebx)
3:  add     $MAP_STRIDE, %edx
    jmp     2b
4:  ret
1:  add     $4, %edx
    mov     %edx, 40(%ebx) /* memmap_paddr, memmap_entries */
    xor     %edx, %edx
    mov     $MAP_STRIDE, %ecx
    div     %ecx
    mov     %eax, 48(%ebx)
    ret

    .org    LINUXBOOT_SIZE
