/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of what a VGA shows, for its test: slow, and without anything that
 * vga-draw.c does for speed. Of one VGA at a time.
 */
#ifndef VGA_MODEL_H
#define VGA_MODEL_H

#include "hw/display/vga-internal.h"

#define BLINK_NS (1000000000ll * 16 / 60) /* half a period of the cursor */

/* The functions below are about this one, which is the caller's. */
void model_set_vga(const VGAState *vga);

/* The byte of plane @p at @offset, which wraps. */
uint8_t model_plane(unsigned p, uint32_t offset);

/* What number @n of 16 becomes by attribute registers and DAC; xRGB. */
uint32_t model_colour_16(unsigned n);

/* Lines of the picture, of a double-scanned one each twice. */
unsigned model_lines(void);

/* Every pixel is two wide. */
bool model_half_clock(void);

/* Of a character of text: pixels across, and lines. */
unsigned model_glyph_dots(void);
unsigned model_glyph_lines(void);

/* The colour of a pixel within model_size(); xRGB. */
uint32_t model_pixel(unsigned x, unsigned y);

/* The size of the picture. */
void model_size(unsigned *w, unsigned *h);

#endif
