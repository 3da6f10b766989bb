/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest that draws (screen.c) and the test that looks at its screen
 * (tests/test-kvm-screen.c) share: how it is told what to do, and what it then draws.
 *
 * The guest says SCREEN_READY on the first serial port, and then carries out a line at
 * a time: a letter and numbers in hexadecimal, each after one space. When it has done
 * so it says SCREEN_DONE; what it cannot do, SCREEN_CANNOT.
 *
 *   d MODE SEED        show a mode of ScreenMode with the picture of that seed
 *   j SEED COUNT       write by chance into registers and video memory
 *   w SIZE ADDR VALUE  write to memory
 *   o SIZE PORT VALUE  write to a port
 */
#ifndef TESTS_GUEST_SCREEN_H
#define TESTS_GUEST_SCREEN_H

#include <stdint.h>

#define SCREEN_READY "ready\n"
#define SCREEN_DONE "done\n"
#define SCREEN_CANNOT "cannot\n"

typedef enum ScreenMode {
    SCREEN_TEXT80,      /* 80x25, of 9x16 dots */
    SCREEN_TEXT80_8,    /* 80x25, of 8x16 dots */
    SCREEN_TEXT80_50,   /* 80x50, of 9x8 dots */
    SCREEN_TEXT40,      /* 40x25 */
    SCREEN_CGA4,        /* 320x200, 4 colours: mode 4 */
    SCREEN_CGA2,        /* 640x200, 2 colours: mode 6 */
    SCREEN_EGA_LOW,     /* 320x200, 16 colours: mode 0x0d */
    SCREEN_EGA_HIGH,    /* 640x350, 16 colours: mode 0x10 */
    SCREEN_VGA16,       /* 640x480, 16 colours: mode 0x12 */
    SCREEN_VGA256,      /* 320x200, 256 colours: mode 0x13 */
    SCREEN_MODE_X,      /* 320x240, 256 colours in planes */
    SCREEN_VBE8,        /* through banks of the window; the others are linear */
    SCREEN_VBE15,
    SCREEN_VBE16,
    SCREEN_VBE24,
    SCREEN_VBE32,
    SCREEN_VBE32_MOVED, /* a part of a larger picture; registers by memory */
    SCREEN_BOCHS,       /* bochs-display */
    SCREEN_BOCHS_MOVED,
    SCREEN_RAMFB32,
    SCREEN_RAMFB24,
    SCREEN_MODES,
} ScreenMode;

/* Pixels of VBE's modes, and of those after them; of the larger picture; and where the
 * part that is shown begins. */
#define SCREEN_WIDTH 320
#define SCREEN_HEIGHT 256
#define SCREEN_VIRT_WIDTH 400
#define SCREEN_X 24
#define SCREEN_Y 40

/* Colour @component, 0 to 2, of entry @i of the DAC: 6 bits. */
static inline uint8_t screen_dac(unsigned seed, unsigned i, unsigned component)
{
    static const uint8_t factors[] = { 5, 11, 23 };

    return (i * factors[component] + (i >> 4) + seed * (component + 1)) & 63;
}

/* A pixel of a mode with a palette: the bits that it has. */
#define SCREEN_INDEX_LINES 64 /* then the same again */
static inline uint32_t screen_index(unsigned seed, unsigned x, unsigned y)
{
    y %= SCREEN_INDEX_LINES;
    return (x ^ y * 3) + (x >> 4) * (y >> 3) + seed;
}

/* A pixel of a mode without: the bits that it has. */
static inline uint32_t screen_colour(unsigned seed, unsigned x, unsigned y)
{
    return x * 0x000305 + y * 0x010901 + seed * 0x123457;
}

/* Line @line of a character's shape: the leftmost dot is the highest bit. */
static inline uint8_t screen_font(unsigned seed, unsigned character, unsigned line)
{
    return (character * 37 + seed) >> (line & 3) ^ line * 29 ^ character << (line & 1);
}

static inline uint8_t screen_character(unsigned seed, unsigned column, unsigned row)
{
    return column * 7 + row * 83 + seed;
}

static inline uint8_t screen_attribute(unsigned seed, unsigned column, unsigned row)
{
    return column * 13 + row * 5 + (seed >> 1);
}

/* In 16 colours, the lowest 32 lines are not of the pattern: pieces of this width, each
 * drawn in another way. In each, at x, y from its upper left corner: */
#define SCREEN_PIECE_HEIGHT 32
#define SCREEN_PIECE_WIDTH 64
enum {
    SCREEN_PIECE_FILL,   /* the seed's colour by set/reset */
    SCREEN_PIECE_MASK,   /* of the pattern, every second pixel the colour 9: mode 2 */
    SCREEN_PIECE_XOR,    /* the pattern, exclusive or with 5 */
    SCREEN_PIECE_COPY,   /* what is at 0, 0 of the screen, by the latches: mode 1 */
    SCREEN_PIECE_MODE3,  /* of the pattern, pixels in x & 3 the colour 6: mode 3 */
    SCREEN_PIECES,
};

#endif
