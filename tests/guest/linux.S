/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bzImage that prints on the first serial port by which of its three entries it was
 * started, in what state, and what it was told; then it writes to the port of
 * isa-debug-exit. Linux Documentation/arch/x86/boot.rst.
 */
#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define THR_EMPTY 0x20
#define EXIT_PORT 0x501
#define FLAG_IF 0x200

/* In the setup header, and in boot_params */
#define VID_MODE 0x1fa
#define VERSION 0x206
#define TYPE_OF_LOADER 0x210
#define LOADFLAGS 0x211
#define CODE32_START 0x214
#define RAMDISK_IMAGE 0x218
#define RAMDISK_SIZE 0x21c
#define HEAP_END_PTR 0x224
#define CMD_LINE_PTR 0x228
#define PREF_ADDRESS 0x258
#define E820_ENTRIES 0x1e8

#define WAY_16 0x16161616 /* in %ebp, from the setup code to the entry of 32 bits */

.macro say text
    push    %esi
    mov     $\text, %esi
    call    print
    pop     %esi
.endm

.macro tell text, value
    push    \value
    say     \text
    pop     %eax
    call    print_number
    call    print_end
.endm

    .section .setup, "ax"
    .code16
setup:
    .org    0x1f1
    .byte   1                   /* setup_sects */
    .word   0
    .long   (loaded_end - code + 15) / 16
    .word   0, 0x1234, 0, 0xaa55 /* ram_size, vid_mode, root_dev, boot_flag */
    .byte   0xeb, header_end - 1f
1:  .ascii  "HdrS"
    .word   0x20c
    .long   0
    .word   0x1000, 0
    .byte   0, 1                /* type_of_loader, loadflags */
    .word   0x8000
    .long   0x100000, 0, 0, 0
    .word   0
    .byte   0, 0
    .long   0, 0x7fffffff       /* cmd_line_ptr, initrd_addr_max */
    .long   0x100000            /* kernel_alignment */
    .byte   0, 20               /* not relocatable */
    .word   XLOADFLAGS
    .long   2047, 0
    .quad   0
    .long   0, 0
    .quad   0, 0x100000         /* setup_data, pref_address */
    .long   0x4000, 0           /* init_size, handover_offset */
header_end:
    /* Selectors relative to the setup code's, the stack pointer, and flags. */
    mov     %ss, %cx
    mov     %sp, %dx
    pushfl
    pop     %eax
    push    %ds
    push    $1f
    mov     %cs, %bx
    lretw
1:  mov     %ds, %di
    sub     %di, %bx
    sub     %di, %cx
    mov     %bx, saved
    mov     %cx, saved + 2
    mov     %es, %bx
    sub     %di, %bx
    mov     %bx, saved + 4
    mov     %fs, %bx
    sub     %di, %bx
    mov     %bx, saved + 6
    mov     %gs, %bx
    sub     %di, %bx
    mov     %bx, saved + 8
    mov     %dx, saved + 10
    and     $FLAG_IF, %eax
    mov     %eax, saved + 12

    movzwl  %di, %esi
    shl     $4, %esi
    lea     setup_gdt(%esi), %eax
    mov     %eax, setup_gdtr + 2
    lea     saved(%esi), %ebx
    mov     $WAY_16, %ebp
    cli
    lgdtl   setup_gdtr
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    mov     $0x18, %cx
    mov     %cx, %ds
    mov     %cx, %es
    mov     %cx, %ss
    ljmpl   $0x10, $code

    .balign 8
setup_gdt:
    .quad   0, 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
setup_gdtr:
    .word   31
    .long   0
saved:
    .skip   16
    .org    0x400

/* ---- the entries of 32 and 64 bits --------------------------------------------------- */

    .text
    .code32
code:
    mov     %ebp, zeros
    or      %edi, zeros
    cmp     $WAY_16, %ebp
    je      1f
    or      %ebx, zeros
1:  mov     %cr0, %eax
    mov     %eax, control
    mov     $stack_end, %esp
    pushfl
    andl    $FLAG_IF, (%esp)
    popl    flags
    sgdtl   table
    mov     %cs, selectors
    mov     %ds, selectors + 2
    mov     %es, selectors + 4
    mov     %ss, selectors + 6
    cmp     $WAY_16, %ebp
    jne     tell_32
    say     way_16_text
    mov     (%ebx), %eax
    call    print_number
    mov     4(%ebx), %eax
    call    print_number
    mov     8(%ebx), %eax
    call    print_number
    mov     12(%ebx), %eax
    call    print_number
    call    print_end
    jmp     tell

    .org    0x200
    .code64
    mov     %cs, selectors
    mov     %ds, selectors + 2
    mov     %es, selectors + 4
    mov     %ss, selectors + 6
    sgdt    table
    mov     %cr0, %rax
    mov     %eax, control
    mov     $stack_end, %esp
    pushfq
    pop     %rax
    and     $FLAG_IF, %eax
    mov     %eax, flags
    lgdt    gdtr
    pushq   $0x08
    pushq   $1f
    lretq
    .code32
1:  mov     %cr0, %eax
    and     $0x7fffffff, %eax
    mov     %eax, %cr0
    mov     $0x18, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    say     way_64_text
    jmp     tell_state
tell_32:
    say     way_32_text
tell_state:
    mov     selectors, %eax
    call    print_number
    mov     selectors + 4, %eax
    call    print_number
    mov     control, %eax
    call    print_number
    mov     flags, %eax
    call    print_number
    mov     zeros, %eax
    call    print_number
    mov     table + 2, %ebx
    mov     0x10(%ebx), %eax
    call    print_number
    mov     0x14(%ebx), %eax
    call    print_number
    mov     0x18(%ebx), %eax
    call    print_number
    mov     0x1c(%ebx), %eax
    call    print_number
    call    print_end

/* What is at %esi: the setup header, and around it boot_params or the file's. */
tell:
    mov     %esi, %ebp
    tell    vid_mode_text, VID_MODE(%ebp)
    tell    version_text, VERSION(%ebp)
    tell    loader_text, TYPE_OF_LOADER(%ebp)
    tell    code32_text, CODE32_START(%ebp)
    tell    heap_text, HEAP_END_PTR(%ebp)
    tell    pref_text, PREF_ADDRESS(%ebp)
    movzbl  E820_ENTRIES(%ebp), %eax
    tell    entries_text, %eax
    tell    initrd_at_text, RAMDISK_IMAGE(%ebp)
    say     cmdline_text
    mov     CMD_LINE_PTR(%ebp), %esi
    call    print
    call    print_end
    say     initrd_text
    mov     RAMDISK_IMAGE(%ebp), %esi
    mov     RAMDISK_SIZE(%ebp), %edi
1:  sub     $1, %edi
    js      2f
    lodsb
    call    print_char
    jmp     1b
2:  call    print_end
    tell    bss_text, bss
    mov     $EXIT_PORT, %edx
    xor     %eax, %eax
    out     %al, %dx
3:  cli
    hlt
    jmp     3b

/* The text at %esi, up to a zero. */
print:
    lodsb
    test    %al, %al
    jz      1f
    call    print_char
    jmp     print
1:  ret

print_end:
    mov     $'\n', %al

/* The character in %al. Changes %ecx, %edx. */
print_char:
    mov     %al, %cl
    mov     $LINE_STATUS, %edx
1:  in      %dx, %al
    test    $THR_EMPTY, %al
    jz      1b
    mov     %cl, %al
    mov     $COM1, %edx
    out     %al, %dx
    ret

/* Eight hexadecimal digits of %eax, and a space. */
print_number:
    push    %ebx
    push    %edi
    mov     %eax, %ebx
    mov     $8, %edi
1:  rol     $4, %ebx
    mov     %ebx, %eax
    and     $0xf, %eax
    mov     digits(%eax), %al
    call    print_char
    dec     %edi
    jnz     1b
    pop     %edi
    pop     %ebx
    mov     $' ', %al
    jmp     print_char

digits:
    .ascii  "0123456789abcdef"
way_16_text:
    .asciz  "way 16 "
way_32_text:
    .asciz  "way 32 "
way_64_text:
    .asciz  "way 64 "
vid_mode_text:
    .asciz  "vid_mode "
version_text:
    .asciz  "version "
loader_text:
    .asciz  "type_of_loader, loadflags "
code32_text:
    .asciz  "code32_start "
heap_text:
    .asciz  "heap_end_ptr "
pref_text:
    .asciz  "pref_address "
entries_text:
    .asciz  "e820_entries "
initrd_at_text:
    .asciz  "ramdisk_image "
cmdline_text:
    .asciz  "cmdline "
initrd_text:
    .asciz  "initrd "
bss_text:
    .asciz  "bss "
    .balign 8
gdt:
    .quad   0, 0x00cf9b000000ffff, 0, 0x00cf93000000ffff
gdtr:
    .word   31
    .quad   gdt
selectors:
    .skip   8
control:
    .long   0
flags:
    .long   0
zeros:
    .long   0
table:
    .skip   10
    .balign 16
loaded_end:

    .bss
bss:
    .skip   4096
stack_end:
