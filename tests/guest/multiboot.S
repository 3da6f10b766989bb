/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A multiboot image that prints on the first serial port what it was told: registers,
 * command line, modules with their content, memory map; and some of a PC's chips. It
 * then spoils what was loaded and resets the machine, and prints it all again; then it
 * writes to the port of isa-debug-exit.
 */
#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define THR_EMPTY 0x20
#define EXIT_PORT 0x501
#define KEYBOARD_COMMAND 0x64
#define PULSE_RESET 0xfe
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define ELCR 0x4d0

#define MAGIC 0x1badb002
#define FLAGS 0x00010003
#define LOAD 0x100000
#define SEEN 0x800000  /* nothing is loaded there: it survives a reset */
#define SEEN_VALUE 0x5ee45ee4

#define CMDLINE 16
#define MODS_COUNT 20
#define MODS_ADDR 24
#define MMAP_LENGTH 44
#define MMAP_ADDR 48
#define LOADER_NAME 64

    .code32
    .text
header:
    .long   MAGIC, FLAGS, -(MAGIC + FLAGS)
    .long   LOAD, LOAD, LOAD + (loaded_end - header), LOAD + (end - header)
    .long   LOAD + (start - header)

.macro say text
    mov     $\text, %esi
    call    print
.endm

.macro tell text, value
    push    \value
    say     \text
    pop     %eax
    call    print_number
    call    print_end
.endm

start:
    cld
    mov     $stack_end, %esp
    mov     %ebx, %ebp
    tell    magic_text, %eax
    tell    zeros_text, zeros
    movl    $1, zeros
    tell    flags_text, (%ebp)

    /* Memory below and above 1 MiB, KiB */
    tell    lower_text, 4(%ebp)
    tell    upper_text, 8(%ebp)
    say     cmdline_text
    mov     CMDLINE(%ebp), %esi
    call    print
    call    print_end
    say     loader_text
    mov     LOADER_NAME(%ebp), %esi
    call    print
    call    print_end

    /* Each module: its string, and its content, of which the last byte ends a line;
     * then that is spoilt. */
    mov     MODS_ADDR(%ebp), %ebx
    mov     MODS_COUNT(%ebp), %edi
1:  sub     $1, %edi
    js      3f
    say     module_text
    mov     8(%ebx), %esi
    call    print
    say     colon_text
    mov     (%ebx), %esi
2:  cmp     4(%ebx), %esi
    je      4f
    mov     (%esi), %al
    movb    $'?', (%esi)
    inc     %esi
    call    print_char
    jmp     2b
4:  add     $16, %ebx
    jmp     1b

3:  mov     MMAP_ADDR(%ebp), %ebx
    mov     MMAP_LENGTH(%ebp), %edi
    add     %ebx, %edi
5:  cmp     %edi, %ebx
    jae     6f
    say     map_text
    mov     8(%ebx), %eax
    call    print_number
    mov     4(%ebx), %eax
    call    print_number
    mov     $' ', %al
    call    print_char
    mov     16(%ebx), %eax
    call    print_number
    mov     12(%ebx), %eax
    call    print_number
    mov     $' ', %al
    call    print_char
    mov     20(%ebx), %eax
    call    print_number
    call    print_end
    add     (%ebx), %ebx
    add     $4, %ebx
    jmp     5b

    /* PIIX3's routes, which interrupts are of levels, PIIX4's bases, PAM */
6:  say     chips_text
    mov     $0x80000860, %eax
    call    print_config
    xor     %eax, %eax
    mov     $ELCR + 1, %edx
    in      %dx, %al
    mov     %al, %ah
    dec     %edx
    in      %dx, %al
    call    print_number
    mov     $' ', %al
    call    print_char
    mov     $0x80000b40, %eax
    call    print_config
    mov     $0x80000b90, %eax
    call    print_config
    mov     $0x80000058, %eax
    call    print_config
    mov     $0x8000005c, %eax
    call    print_config
    call    print_end

    cmpl    $SEEN_VALUE, SEEN
    movl    $SEEN_VALUE, SEEN
    je      7f
    say     reset_text
    movl    $0, magic_text
    mov     $PULSE_RESET, %al
    out     %al, $KEYBOARD_COMMAND
    jmp     8f
7:  mov     $EXIT_PORT, %edx
    xor     %eax, %eax
    out     %al, %dx
8:  cli
    hlt
    jmp     8b

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

/* Eight hexadecimal digits of %eax. */
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
    ret

/* The configuration register at %eax, and a space. */
print_config:
    mov     $CONFIG_ADDRESS, %edx
    out     %eax, %dx
    mov     $CONFIG_DATA, %edx
    in      %dx, %eax
    call    print_number
    mov     $' ', %al
    jmp     print_char

digits:
    .ascii  "0123456789abcdef"
magic_text:
    .asciz  "magic "
zeros_text:
    .asciz  "zeros "
flags_text:
    .asciz  "flags "
lower_text:
    .asciz  "lower "
upper_text:
    .asciz  "upper "
cmdline_text:
    .asciz  "cmdline "
loader_text:
    .asciz  "loader "
module_text:
    .asciz  "module "
colon_text:
    .asciz  ": "
map_text:
    .asciz  "map "
chips_text:
    .asciz  "chips "
reset_text:
    .asciz  "reset\n"
    .balign 16
loaded_end:

    .bss
zeros:
    .skip   4
    .skip   4096
stack_end:
end:
