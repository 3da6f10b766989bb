/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A multiboot image that draws known pictures in the modes of VGA, VBE, bochs-display
 * and ramfb, by their registers alone; screen.h says how it is told to. Values of
 * registers: IBM's "PS/2 Hardware Interface Technical Reference: Video Subsystems",
 * parameter tables of the BIOS modes; VBE: docs/specs/standard-vga of QEMU.
 *
 * 32-bit protected mode, no interrupts.
 */
#include <stdbool.h>

#include "tests/guest/screen.h"

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define LINE_DATA 0x01
#define LINE_EMPTY 0x20

#define VGA_ATTRIBUTE 0x3c0
#define VGA_MISC 0x3c2
#define VGA_SEQUENCER 0x3c4
#define VGA_DAC_MASK 0x3c6
#define VGA_DAC_WRITE 0x3c8
#define VGA_GRAPHICS 0x3ce
#define VGA_CRTC 0x3d4
#define VGA_STATUS 0x3da
#define VBE_INDEX 0x1ce

#define WINDOW 0xa0000u
#define CGA_WINDOW 0xb8000u
#define PAGES 0x800000u /* RAM to draw in, before it goes to planes */
#define RAMFB 0x1000000u

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;

__asm__(".section .start, \"ax\"\n"
        "header:\n"
        "    .long 0x1badb002, 0x00010003, -(0x1badb002 + 0x00010003)\n"
        "    .long header, header, 0, end, start\n"
        "start:\n"
        "    cli\n"
        "    cld\n"
        "    mov $stack_end, %esp\n"
        "    call run\n"
        ".bss\n"
        "    .balign 16\n"
        "    .skip 8192\n"
        "stack_end:\n"
        ".text\n");

/* ---- ports and memory ---------------------------------------------------------- */

static void outb(unsigned port, u8 value)
{
    __asm__ volatile("outb %0, %w1" : : "a"(value), "Nd"(port));
}

static void outw(unsigned port, u16 value)
{
    __asm__ volatile("outw %0, %w1" : : "a"(value), "Nd"(port));
}

static void outl(unsigned port, u32 value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

static u8 inb(unsigned port)
{
    u8 value;

    __asm__ volatile("inb %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static u32 inl(unsigned port)
{
    u32 value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static volatile u8 *at8(u32 addr)
{
    return (volatile u8 *)addr;
}

static volatile u16 *at16(u32 addr)
{
    return (volatile u16 *)addr;
}

static volatile u32 *at32(u32 addr)
{
    return (volatile u32 *)addr;
}

/* @bytes, a multiple of 4. */
static void copy(u32 to, u32 from, u32 bytes)
{
    bytes /= 4;
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

/* ---- the line ------------------------------------------------------------------ */

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(inb(LINE_STATUS) & LINE_EMPTY)) {
        }
        outb(COM1, *text);
    }
}

static char read_char(void)
{
    while (!(inb(LINE_STATUS) & LINE_DATA)) {
        __asm__ volatile("pause");
    }
    return inb(COM1);
}

/* The letter, and up to @nr numbers; the others are 0. */
static char read_line(u32 *numbers, unsigned nr)
{
    char letter = read_char(), c;
    int n = -1;

    for (unsigned i = 0; i < nr; i++) {
        numbers[i] = 0;
    }
    while ((c = read_char()) != '\n') {
        if (c == ' ') {
            n++;
        } else if (n >= 0 && (unsigned)n < nr) {
            numbers[n] = numbers[n] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
        }
    }
    return letter;
}

/* ---- what there is ------------------------------------------------------------- */

static u32 vga_vram, vga_mmio, bochs_vram, bochs_mmio; /* 0: none */
static u16 ramfb_file;

static void point_at(unsigned slot, unsigned reg)
{
    outl(0xcf8, 0x80000000 | slot << 11 | reg);
}

static u32 config(unsigned slot, unsigned reg)
{
    point_at(slot, reg);
    return inl(0xcfc);
}

/* Where firmware has put the BAR at @reg, or else to @place. */
static u32 bar(unsigned slot, unsigned reg, u32 place)
{
    u32 addr = config(slot, reg) & ~0xfu;

    if (!addr) {
        outl(0xcfc, addr = place);
    }
    return addr;
}

static void enable(unsigned slot)
{
    point_at(slot, 4);
    outl(0xcfc, 3);
}

static void find_functions(void)
{
    for (unsigned slot = 0; slot < 32; slot++) {
        if (config(slot, 0) != 0x11111234) {
            continue;
        }
        switch (config(slot, 8) >> 16) {
        case 0x0300:
            vga_vram = bar(slot, 0x10, 0xd0000000);
            vga_mmio = bar(slot, 0x18, 0xdfff0000);
            break;
        case 0x0380:
            bochs_vram = bar(slot, 0x10, 0xe0000000);
            bochs_mmio = bar(slot, 0x18, 0xefff0000);
            break;
        }
        enable(slot);
    }
}

#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA 0x511
#define FW_CFG_DMA 0x514
#define FW_CFG_DIRECTORY 0x19
#define FW_CFG_DMA_SELECT 0x08
#define FW_CFG_DMA_WRITE 0x10

static u32 big32(u32 value)
{
    return __builtin_bswap32(value);
}

static u32 fw_cfg_read32(void)
{
    u32 value = 0;

    for (unsigned i = 0; i < 4; i++) {
        value = value << 8 | inb(FW_CFG_DATA);
    }
    return value;
}

static void find_ramfb(void)
{
    static const char wanted[] = "etc/ramfb";
    u32 files;

    outw(FW_CFG_SELECTOR, FW_CFG_DIRECTORY);
    files = fw_cfg_read32();
    while (files--) {
        u16 selector;
        bool same = true;

        fw_cfg_read32(); /* its size */
        selector = fw_cfg_read32() >> 16;
        for (unsigned i = 0; i < 56; i++) {
            char c = inb(FW_CFG_DATA);

            same &= i >= sizeof(wanted) || c == wanted[i];
        }
        if (same) {
            ramfb_file = selector;
        }
    }
}

/* ---- VGA's registers ----------------------------------------------------------- */

typedef struct Registers {
    u8 misc;
    u8 sequencer[5];
    u8 crtc[25];
    u8 graphics[9];
    u8 attribute[21];
} Registers;

/* What several modes share. CRTC register 10 hides the cursor. */
#define COLOURS16                                                                    \
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07,                                  \
    0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f
#define COLOURS_ALL                                                                  \
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,                                  \
    0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f
#define TEXT_GRAPHICS { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff }
#define PLANAR_GRAPHICS { 0, 0, 0, 0, 0, 0x00, 0x05, 0x0f, 0xff }
#define BYTE_GRAPHICS { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff }

static const Registers modes[] = {
    [SCREEN_TEXT80] = {
        0x67, { 3, 0x00, 3, 0, 0x02 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x20, 0x0e,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
        TEXT_GRAPHICS, { COLOURS16, 0x04, 0, 0x0f, 0x08, 0 },
    },
    [SCREEN_TEXT80_8] = {
        0x63, { 3, 0x01, 3, 0, 0x02 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x20, 0x0e,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
        TEXT_GRAPHICS, { COLOURS16, 0x00, 0, 0x0f, 0x00, 0 },
    },
    [SCREEN_TEXT80_50] = {
        0x67, { 3, 0x00, 3, 0, 0x02 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x47, 0x20, 0x07,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
        TEXT_GRAPHICS, { COLOURS16, 0x00, 0, 0x0f, 0x08, 0 },
    },
    [SCREEN_TEXT40] = {
        0x67, { 3, 0x08, 3, 0, 0x02 },
        { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0x00, 0x4f, 0x20, 0x0e,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
        TEXT_GRAPHICS, { COLOURS16, 0x04, 0, 0x0f, 0x08, 0 },
    },
    [SCREEN_CGA4] = {
        0x63, { 3, 0x09, 3, 0, 0x02 },
        { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x20, 0x00,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xa2, 0xff },
        { 0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff },
        { COLOURS16, 0x01, 0, 0x03, 0, 0 },
    },
    [SCREEN_CGA2] = {
        0x63, { 3, 0x01, 1, 0, 0x06 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0xc1, 0x20, 0x00,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x00, 0x96, 0xb9, 0xc2, 0xff },
        { 0, 0, 0, 0, 0, 0x00, 0x0d, 0x0f, 0xff },
        { COLOURS16, 0x01, 0, 0x01, 0, 0 },
    },
    [SCREEN_EGA_LOW] = {
        0x63, { 3, 0x09, 0x0f, 0, 0x06 },
        { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0x00, 0xc0, 0x20, 0x00,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0x00, 0x96, 0xb9, 0xe3, 0xff },
        PLANAR_GRAPHICS, { COLOURS16, 0x01, 0, 0x0f, 0, 0 },
    },
    [SCREEN_EGA_HIGH] = {
        0xa3, { 3, 0x01, 0x0f, 0, 0x06 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x40, 0x20, 0x00,
          0, 0, 0, 0, 0x83, 0x85, 0x5d, 0x28, 0x0f, 0x63, 0xba, 0xe3, 0xff },
        PLANAR_GRAPHICS, { COLOURS16, 0x01, 0, 0x0f, 0, 0 },
    },
    [SCREEN_VGA16] = {
        0xe3, { 3, 0x01, 0x0f, 0, 0x06 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0x00, 0x40, 0x20, 0x00,
          0, 0, 0, 0, 0xea, 0x8c, 0xdf, 0x28, 0x00, 0xe7, 0x04, 0xe3, 0xff },
        PLANAR_GRAPHICS, { COLOURS16, 0x01, 0, 0x0f, 0, 0 },
    },
    [SCREEN_VGA256] = {
        0x63, { 3, 0x01, 0x0f, 0, 0x0e },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0x00, 0x41, 0x20, 0x00,
          0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
        BYTE_GRAPHICS, { COLOURS_ALL, 0x41, 0, 0x0f, 0, 0 },
    },
    [SCREEN_MODE_X] = {
        0xe3, { 3, 0x01, 0x0f, 0, 0x06 },
        { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0d, 0x3e, 0x00, 0x41, 0x20, 0x00,
          0, 0, 0, 0, 0xea, 0xac, 0xdf, 0x28, 0x00, 0xe7, 0x06, 0xe3, 0xff },
        BYTE_GRAPHICS, { COLOURS_ALL, 0x41, 0, 0x0f, 0, 0 },
    },
};

static void set_indexed(unsigned port, u8 index, u8 value)
{
    outb(port, index);
    outb(port + 1, value);
}

static void set_dac(unsigned seed)
{
    outb(VGA_DAC_MASK, 0xff);
    outb(VGA_DAC_WRITE, 0);
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned component = 0; component < 3; component++) {
            outb(VGA_DAC_WRITE + 1, screen_dac(seed, i, component));
        }
    }
}

/* @picture: the attribute controller lets it be seen. */
static void set_registers(const Registers *r, bool picture)
{
    outb(VGA_MISC, r->misc);
    outb(VGA_STATUS, 0); /* feature control */
    set_indexed(VGA_SEQUENCER, 0, 1);
    for (unsigned i = 1; i < 5; i++) {
        set_indexed(VGA_SEQUENCER, i, r->sequencer[i]);
    }
    set_indexed(VGA_SEQUENCER, 0, r->sequencer[0]);
    set_indexed(VGA_CRTC, 0x11, 0); /* 0 to 7 can be written */
    for (unsigned i = 0; i < 25; i++) {
        set_indexed(VGA_CRTC, i, r->crtc[i]);
    }
    for (unsigned i = 0; i < 9; i++) {
        set_indexed(VGA_GRAPHICS, i, r->graphics[i]);
    }
    inb(VGA_STATUS);
    for (unsigned i = 0; i < 21; i++) {
        outb(VGA_ATTRIBUTE, i);
        outb(VGA_ATTRIBUTE, r->attribute[i]);
    }
    outb(VGA_ATTRIBUTE, picture ? 0x20 : 0);
}

/* ---- VBE's --------------------------------------------------------------------- */

enum { ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET, Y_OFFSET };
#define ENABLED 0x01
#define LINEAR 0x40

/* By ports, or where the registers are in memory. */
static void set_vbe(u32 mmio, unsigned index, u16 value)
{
    if (mmio) {
        *at16(mmio + 0x500 + index * 2) = value;
    } else {
        outw(VBE_INDEX, index);
        outw(VBE_INDEX + 1, value);
    }
}

static void set_vbe_mode(u32 mmio, unsigned bpp, u16 enable, bool moved)
{
    set_vbe(mmio, ENABLE, 0);
    set_vbe(mmio, XRES, SCREEN_WIDTH);
    set_vbe(mmio, YRES, SCREEN_HEIGHT);
    set_vbe(mmio, BPP, bpp);
    set_vbe(mmio, BANK, 0);
    set_vbe(mmio, ENABLE, ENABLED | enable);
    set_vbe(mmio, VIRT_WIDTH, moved ? SCREEN_VIRT_WIDTH : SCREEN_WIDTH);
    set_vbe(mmio, X_OFFSET, moved ? SCREEN_X : 0);
    set_vbe(mmio, Y_OFFSET, moved ? SCREEN_Y : 0);
}

/* ---- pictures ------------------------------------------------------------------ */

static void draw_text(unsigned seed, unsigned columns, unsigned rows, unsigned lines)
{
    /* Plane 2 alone, byte by byte. */
    set_indexed(VGA_SEQUENCER, 2, 0x04);
    set_indexed(VGA_SEQUENCER, 4, 0x06);
    set_indexed(VGA_GRAPHICS, 5, 0x00);
    set_indexed(VGA_GRAPHICS, 6, 0x04);
    for (unsigned character = 0; character < 256; character++) {
        for (unsigned line = 0; line < lines; line++) {
            *at8(PAGES + character * 32 + line) = screen_font(seed, character, line);
        }
    }
    copy(WINDOW, PAGES, 256 * 32);
    set_indexed(VGA_SEQUENCER, 2, 0x03);
    set_indexed(VGA_SEQUENCER, 4, 0x02);
    set_indexed(VGA_GRAPHICS, 5, 0x10);
    set_indexed(VGA_GRAPHICS, 6, 0x0e);
    for (unsigned row = 0; row < rows; row++) {
        for (unsigned column = 0; column < columns; column++) {
            *at16(CGA_WINDOW + (row * columns + column) * 2) =
                screen_character(seed, column, row) |
                screen_attribute(seed, column, row) << 8;
        }
    }
}

/* Even lines, then odd lines 8 KiB further on; a byte is 8 / @bits pixels. */
static void draw_cga(unsigned seed, unsigned width, unsigned bits)
{
    unsigned pitch = width * bits / 8;

    for (unsigned y = 0; y < 200; y++) {
        for (unsigned n = 0; n < pitch; n++) {
            u8 byte = 0;

            for (unsigned x = n * 8 / bits; x < (n + 1) * 8 / bits; x++) {
                byte = byte << bits |
                       (screen_index(seed, x, y) & ((1 << bits) - 1));
            }
            *at8(PAGES + (y & 1) * 0x2000 + y / 2 * pitch + n) = byte;
        }
    }
    copy(CGA_WINDOW, PAGES, 0x4000);
}

/* The pieces; see screen.h. Each byte of the window is 8 pixels. */
static void draw_pieces(unsigned seed, unsigned width, unsigned height)
{
    unsigned pitch = width / 8;

    for (unsigned piece = 0; piece < SCREEN_PIECES; piece++) {
        set_indexed(VGA_GRAPHICS, 0, seed & 15);
        set_indexed(VGA_GRAPHICS, 1, piece == SCREEN_PIECE_FILL ? 0x0f : 0);
        set_indexed(VGA_GRAPHICS, 3, piece == SCREEN_PIECE_XOR ? 0x18 : 0);
        set_indexed(VGA_GRAPHICS, 5, piece == SCREEN_PIECE_MASK ? 2 :
                                     piece == SCREEN_PIECE_COPY ? 1 :
                                     piece == SCREEN_PIECE_MODE3 ? 3 : 0);
        set_indexed(VGA_GRAPHICS, 8, piece == SCREEN_PIECE_MASK ? 0x55 : 0xff);
        if (piece == SCREEN_PIECE_MODE3) {
            set_indexed(VGA_GRAPHICS, 0, 6);
        }
        set_indexed(VGA_SEQUENCER, 2, piece == SCREEN_PIECE_XOR ? 5 : 0x0f);
        for (unsigned y = 0; y < SCREEN_PIECE_HEIGHT; y++) {
            for (unsigned n = 0; n < SCREEN_PIECE_WIDTH / 8; n++) {
                u32 to = WINDOW + (height - SCREEN_PIECE_HEIGHT + y) * pitch +
                         piece * SCREEN_PIECE_WIDTH / 8 + n;
                u32 from = piece == SCREEN_PIECE_COPY ? WINDOW + y * pitch + n : to;

                (void)*at8(from); /* to the latches */
                *at8(to) = piece == SCREEN_PIECE_MASK ? 9 :
                           piece == SCREEN_PIECE_MODE3 ? 0x33 : 0xff;
            }
        }
    }
}

/* To the window @height lines of @pitch bytes, which repeat as the pattern does. */
static void copy_lines(u32 from, unsigned pitch, unsigned height)
{
    for (unsigned y = 0; y < height; y += SCREEN_INDEX_LINES) {
        unsigned lines = height - y < SCREEN_INDEX_LINES ? height - y :
                                                           SCREEN_INDEX_LINES;

        copy(WINDOW + y * pitch, from, lines * pitch);
    }
}

static void draw_planar(unsigned seed, unsigned width, unsigned height)
{
    unsigned pitch = width / 8, size = pitch * SCREEN_INDEX_LINES;

    for (unsigned y = 0; y < SCREEN_INDEX_LINES; y++) {
        for (unsigned n = 0; n < pitch; n++) {
            u8 bytes[4] = { 0 };

            for (unsigned x = n * 8; x < n * 8 + 8; x++) {
                u32 colour = screen_index(seed, x, y);

                bytes[0] = bytes[0] << 1 | (colour & 1);
                bytes[1] = bytes[1] << 1 | (colour >> 1 & 1);
                bytes[2] = bytes[2] << 1 | (colour >> 2 & 1);
                bytes[3] = bytes[3] << 1 | (colour >> 3 & 1);
            }
            for (unsigned plane = 0; plane < 4; plane++) {
                *at8(PAGES + plane * size + y * pitch + n) = bytes[plane];
            }
        }
    }
    for (unsigned plane = 0; plane < 4; plane++) {
        set_indexed(VGA_SEQUENCER, 2, 1 << plane);
        copy_lines(PAGES + plane * size, pitch, height);
    }
    draw_pieces(seed, width, height);
}

static void draw_mode_x(unsigned seed)
{
    unsigned size = 80 * SCREEN_INDEX_LINES;

    for (unsigned y = 0; y < SCREEN_INDEX_LINES; y++) {
        for (unsigned x = 0; x < 320; x++) {
            *at8(PAGES + (x & 3) * size + y * 80 + x / 4) = screen_index(seed, x, y);
        }
    }
    for (unsigned plane = 0; plane < 4; plane++) {
        set_indexed(VGA_SEQUENCER, 2, 1 << plane);
        copy_lines(PAGES + plane * size, 80, 240);
    }
}

static void draw_vga256(unsigned seed)
{
    for (unsigned y = 0; y < SCREEN_INDEX_LINES; y++) {
        for (unsigned x = 0; x < 320; x++) {
            *at8(PAGES + y * 320 + x) = screen_index(seed, x, y);
        }
    }
    copy_lines(PAGES, 320, 200);
}

static void draw_banks(unsigned seed)
{
    unsigned bank = ~0u;

    for (unsigned y = 0; y < SCREEN_HEIGHT; y++) {
        for (unsigned x = 0; x < SCREEN_WIDTH; x++) {
            unsigned offset = y * SCREEN_WIDTH + x;

            if (offset >> 16 != bank) {
                bank = offset >> 16;
                set_vbe(0, BANK, bank);
            }
            *at8(WINDOW + (offset & 0xffff)) = screen_index(seed, x, y);
        }
    }
}

/* Lines of @bytes per pixel, @pitch bytes apart. */
static void draw_linear(unsigned seed, u32 addr, unsigned pitch, unsigned height,
                        unsigned bytes)
{
    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < pitch / bytes; x++) {
            u32 to = addr + y * pitch + x * bytes, colour = screen_colour(seed, x, y);

            switch (bytes) {
            case 2:
                *at16(to) = colour;
                break;
            case 3:
                *at8(to) = colour;
                *at16(to + 1) = colour >> 8;
                break;
            default:
                *at32(to) = colour & 0xffffff;
            }
        }
    }
}

static bool draw_vga(unsigned mode, unsigned seed)
{
    if (!vga_vram) {
        return false;
    }
    set_vbe(0, ENABLE, 0);
    set_vbe(0, BANK, 0);
    set_registers(&modes[mode], false);
    set_dac(seed);
    switch (mode) {
    case SCREEN_TEXT80:
    case SCREEN_TEXT80_8:
        draw_text(seed, 80, 25, 16);
        break;
    case SCREEN_TEXT80_50:
        draw_text(seed, 80, 50, 8);
        break;
    case SCREEN_TEXT40:
        draw_text(seed, 40, 25, 16);
        break;
    case SCREEN_CGA4:
        draw_cga(seed, 320, 2);
        break;
    case SCREEN_CGA2:
        draw_cga(seed, 640, 1);
        break;
    case SCREEN_EGA_LOW:
        draw_planar(seed, 320, 200);
        break;
    case SCREEN_EGA_HIGH:
        draw_planar(seed, 640, 350);
        break;
    case SCREEN_VGA16:
        draw_planar(seed, 640, 480);
        break;
    case SCREEN_VGA256:
        draw_vga256(seed);
        break;
    case SCREEN_MODE_X:
        draw_mode_x(seed);
        break;
    }
    set_registers(&modes[mode], true);
    return true;
}

static bool draw_vbe(unsigned mode, unsigned seed)
{
    static const u8 bits[] = { 8, 15, 16, 24, 32, 32 };
    unsigned bpp = bits[mode - SCREEN_VBE8];
    bool moved = mode == SCREEN_VBE32_MOVED, banks = mode == SCREEN_VBE8;

    if (!vga_vram) {
        return false;
    }
    set_registers(&modes[SCREEN_VGA256], true);
    set_dac(seed);
    set_vbe_mode(moved ? vga_mmio : 0, bpp, banks ? 0 : LINEAR, moved);
    if (banks) {
        draw_banks(seed);
    } else {
        unsigned bytes = (bpp + 7) / 8;

        draw_linear(seed, vga_vram,
                    (moved ? SCREEN_VIRT_WIDTH : SCREEN_WIDTH) * bytes,
                    SCREEN_HEIGHT + (moved ? SCREEN_Y : 0), bytes);
    }
    return true;
}

static bool draw_bochs(unsigned seed, bool moved)
{
    if (!bochs_vram) {
        return false;
    }
    set_vbe_mode(bochs_mmio, 32, LINEAR, moved);
    draw_linear(seed, bochs_vram, (moved ? SCREEN_VIRT_WIDTH : SCREEN_WIDTH) * 4,
                SCREEN_HEIGHT + (moved ? SCREEN_Y : 0), 4);
    return true;
}

static bool draw_ramfb(unsigned seed, unsigned bytes)
{
    struct {
        u32 addr_high, addr_low, fourcc, flags, width, height, stride;
    } settings = {
        0, big32(RAMFB), big32(bytes == 4 ? 0x34325258 : 0x34324752), 0,
        big32(SCREEN_WIDTH), big32(SCREEN_HEIGHT), big32(SCREEN_WIDTH * bytes),
    };
    volatile struct {
        u32 control, length, addr_high, addr_low;
    } transfer = {
        big32((u32)ramfb_file << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_WRITE),
        big32(sizeof(settings)), 0, big32((u32)&settings),
    };

    if (!ramfb_file) {
        return false;
    }
    draw_linear(seed, RAMFB, SCREEN_WIDTH * bytes, SCREEN_HEIGHT, bytes);
    __asm__ volatile("" : : "r"(&settings) : "memory");
    outl(FW_CFG_DMA, 0);
    outl(FW_CFG_DMA + 4, big32((u32)&transfer));
    while (transfer.control & ~big32(1)) {
    }
    return !transfer.control;
}

static bool draw(unsigned mode, unsigned seed)
{
    if (mode < ELEMENTS(modes)) {
        return draw_vga(mode, seed);
    }
    switch (mode) {
    case SCREEN_VBE8 ... SCREEN_VBE32_MOVED:
        return draw_vbe(mode, seed);
    case SCREEN_BOCHS:
    case SCREEN_BOCHS_MOVED:
        return draw_bochs(seed, mode == SCREEN_BOCHS_MOVED);
    case SCREEN_RAMFB32:
        return draw_ramfb(seed, 4);
    case SCREEN_RAMFB24:
        return draw_ramfb(seed, 3);
    }
    return false;
}

/* ---- chance -------------------------------------------------------------------- */

static u32 state;

static u32 chance(u32 below)
{
    state = state * 1103515245 + 12345;
    return (state >> 8) % below;
}

/* Sizes that mean something, and any. */
static u16 some_number(void)
{
    static const u16 numbers[] = { 0, 1, 7, 8, 15, 16, 24, 32, 320, 640, 1024, 1280,
                                   2560, 0x7fff, 0x8000, 0xfffe, 0xffff };

    return chance(2) ? numbers[chance(ELEMENTS(numbers))] : chance(0x10000);
}

static void junk(u32 count)
{
    while (count--) {
        u32 mmio = chance(2) ? bochs_mmio : vga_mmio;
        u32 vram = chance(2) ? bochs_vram : vga_vram;

        switch (chance(8)) {
        case 0:
            outb(0x3b0 + chance(0x30), chance(256));
            break;
        case 1:
            set_indexed(VGA_CRTC, chance(0x20), chance(256));
            break;
        case 2:
            set_indexed(chance(2) ? VGA_SEQUENCER : VGA_GRAPHICS, chance(10),
                        chance(256));
            break;
        case 3:
            inb(VGA_STATUS);
            outb(VGA_ATTRIBUTE, chance(0x40));
            outb(VGA_ATTRIBUTE, chance(256));
            break;
        case 4:
            set_vbe(0, chance(12), some_number());
            set_vbe(0, ENABLE, chance(256));
            break;
        case 5:
            if (mmio) {
                set_vbe(mmio, chance(12), some_number());
                *at32(mmio + chance(0x400) * 4) = chance(0x1000000);
                set_vbe(mmio, ENABLE, chance(256));
            }
            break;
        case 6:
            *at32(WINDOW + chance(0x8000) * 4) = chance(0x1000000);
            (void)*at16(WINDOW + chance(0x10000) * 2);
            break;
        case 7:
            if (vram) {
                *at32(vram + chance(0x100000) * 4) = chance(0x1000000);
            }
            break;
        }
    }
}

static bool poke(const u32 *numbers, bool port)
{
    switch (numbers[0] << 1 | port) {
    case 1 << 1:
        *at8(numbers[1]) = numbers[2];
        return true;
    case 2 << 1:
        *at16(numbers[1]) = numbers[2];
        return true;
    case 4 << 1:
        *at32(numbers[1]) = numbers[2];
        return true;
    case 1 << 1 | 1:
        outb(numbers[1], numbers[2]);
        return true;
    case 2 << 1 | 1:
        outw(numbers[1], numbers[2]);
        return true;
    case 4 << 1 | 1:
        outl(numbers[1], numbers[2]);
        return true;
    }
    return false;
}

__attribute__((used)) static void run(void)
{
    find_functions();
    find_ramfb();
    print(SCREEN_READY);
    for (;;) {
        u32 numbers[3];
        bool done = false;

        switch (read_line(numbers, 3)) {
        case 'd':
            done = draw(numbers[0], numbers[1]);
            break;
        case 'j':
            state = numbers[0];
            junk(numbers[1]);
            done = true;
            break;
        case 'w':
            done = poke(numbers, false);
            break;
        case 'o':
            done = poke(numbers, true);
            break;
        }
        print(done ? SCREEN_DONE : SCREEN_CANNOT);
    }
}
