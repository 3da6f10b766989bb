/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vga-draw.c and vga-text.c share: the picture that they draw, and what they drew
 * last. Nobody else includes it.
 */
#ifndef HW_DISPLAY_VGA_DRAW_H
#define HW_DISPLAY_VGA_DRAW_H

#include "hw/display/vga-internal.h"

typedef struct VGAText VGAText; /* vga-text.c's own */

typedef enum VGAKind {
    VGA_NOTHING,  /* not looked at yet */
    VGA_BLANK,
    VGA_TEXT,
    VGA_PLANES,   /* 16 colours: a bit of each plane */
    VGA_PAIRS,    /* 4 colours as a CGA has them: two bits that follow each other */
    VGA_BYTES,    /* 256 colours */
    VGA_LINEAR,   /* VBE with 8 bits or more */
} VGAKind;

/* What the registers say of a picture in graphics; all zero before it is filled in, so
 * that two compare as memory. Addresses are bytes in VRAM. */
typedef struct VGAMode {
    VGAKind kind;
    pixman_format_code_t format;
    unsigned word_bits;      /* LINEAR: 15 or 16, in two bytes that are to be widened; 0: */
    bool swapped;            /* as they lie there; of words, the high byte is first */
    unsigned width, height;  /* of the picture */
    uint64_t start;          /* of the first line */
    unsigned stride;         /* from one row of bytes to the next */
    unsigned line_bytes;     /* of them, those that are seen */
    unsigned scans;          /* row scans of each row of bytes, and for how many lines */
    unsigned scan_lines;     /* of the picture each is shown */
    unsigned split;          /* the line after which it goes on at address 0 */
    uint32_t bank[2];        /* address bits that bits 0 and 1 of the row scan replace */
    unsigned pan, split_pan; /* dots cut off at the left: above the split, below */
    unsigned dot_width;      /* each dot is so many pixels wide, 1 or 2 */
    uint8_t planes;          /* that count */
    uint8_t colours[16];     /* PLANES, PAIRS: numbers in the DAC */
} VGAMode;

struct VGADrawing {
    bool watched;
    bool all;                /* look at everything, whatever is dirty, */
    bool tell_all;           /* and tell of everything */
    VGAMode mode;            /* drawn last; of text the kind only */
    pixman_image_t *image;   /* ours; NULL: it is VRAM itself, by s->fb, or black */
    pixman_indexed_t palette; /* of PIXMAN_c8: the DAC as it was last */
    VGAText *text;
};

/* ---- vga-draw.c ------------------------------------------------------------------- */

/* Make the picture one of ours, of that size. True: it is a new one, which
 * vga_picture_show() shows once it is drawn; false: it is that already. An image in
 * PIXMAN_c8 has the DAC as its palette. */
bool vga_picture(VGAState *s, pixman_format_code_t format, unsigned width,
                 unsigned height);
void vga_picture_show(VGAState *s);

/* The DAC's number for each of the 16 colours of text and planes. */
void vga_colours(const VGAState *s, uint8_t colours[16]);

/* The byte at @addr, which wraps at the end of VRAM. */
static inline uint8_t vga_byte(const VGAState *s, uint64_t addr)
{
    return s->vram_ptr[addr & (s->vram_size - 1)];
}

/* Where the CRTC starts, its step from row to row, in bytes of VRAM; and the line after
 * which it starts over at 0. */
uint64_t vga_start(const VGAState *s);
unsigned vga_stride(const VGAState *s);
unsigned vga_split(const VGAState *s);

/* ---- vga-text.c -------------------------------------------------------------------- */

VGAText *vga_text_new(void);
void vga_text_free(VGAText *text);

#endif
