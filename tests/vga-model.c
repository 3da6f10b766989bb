/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VGA shows, each pixel worked out alone from the registers; see vga-model.h.
 */
#include "tests/vga-model.h"

#include "hw/core/clock.h"

static const VGAState *s;

void model_set_vga(const VGAState *vga)
{
    s = vga;
}

uint8_t model_plane(unsigned p, uint32_t offset)
{
    return s->vram_ptr[(offset * 4 + p) % s->vram_size];
}

static unsigned to_8bit(unsigned value)
{
    unsigned low = value & 1;

    return s->vbe.regs[VBE_ENABLE] & VBE_8BIT_DAC ? value
         : (value & 0x3f) * 4 + low * 3;
}

static uint32_t dac_colour(unsigned n)
{
    const uint8_t *rgb = s->palette + (n & s->dac_mask) * 3;

    return to_8bit(rgb[0]) << 16 | to_8bit(rgb[1]) << 8 | to_8bit(rgb[2]);
}

uint32_t model_colour_16(unsigned n)
{
    if (s->ar[0x10] & 0x80) {
        return dac_colour((s->ar[n] & 0xf) | (s->ar[0x14] & 0xf) << 4);
    }
    return dac_colour((s->ar[n] & 0x3f) | (s->ar[0x14] & 0xc) << 4);
}

static unsigned model_split(void)
{
    return s->cr[0x18] + ((s->cr[7] & 0x10) ? 0x100 : 0) + ((s->cr[9] & 0x40) ? 0x200 : 0);
}

unsigned model_lines(void)
{
    return 1 + s->cr[0x12] + ((s->cr[7] & 2) ? 0x100 : 0) + ((s->cr[7] & 0x40) ? 0x200 : 0);
}

static unsigned model_start(void)
{
    return s->cr[0xc] * 256 + s->cr[0xd] + (s->cr[8] >> 5 & 3);
}

bool model_half_clock(void)
{
    return s->sr[1] & 8;
}

unsigned model_glyph_dots(void)
{
    return s->sr[1] & 9 ? 8 : 9;
}

unsigned model_glyph_lines(void)
{
    return s->cr[9] % 32 + 1;
}

static unsigned scan_lines(void)
{
    return s->cr[9] & 0x80 ? 2 : 1;
}

/* Of each second of time, in which half: 0 is the first. */
static bool model_hidden(unsigned slowness)
{
    return clock_virtual_ns() / (BLINK_NS * slowness) % 2;
}

static uint32_t text_pixel(unsigned x, unsigned y)
{
    unsigned dots = model_glyph_dots(), lines = model_glyph_lines();
    bool lower = y > model_split();
    unsigned pan = s->ar[0x13] & 0xf, line, cell, dot, character, attribute, set, bits;
    bool lit;

    pan = dots == 9 ? (MIN(pan, 8) + 1) % 9 : pan > 7 ? 0 : pan;
    pan = lower && s->ar[0x10] & 0x20 ? 0 : pan;
    line = (lower ? y - model_split() - 1 : y) / scan_lines();
    line += lower ? 0 : s->cr[8] % 32 % lines;
    x = x / (model_half_clock() ? 2 : 1) + pan;
    cell = (lower ? 0 : model_start()) + line / lines * s->cr[0x13] * 2 + x / dots;
    dot = x % dots;
    character = model_plane(0, cell);
    attribute = model_plane(1, cell);
    set = attribute & 8 ? (s->sr[3] >> 2 & 3) : (s->sr[3] & 3);
    set = set * 0x4000 + (s->sr[3] & (attribute & 8 ? 0x20 : 0x10) ? 0x2000 : 0);
    bits = model_plane(2, set + character * 32 + line % lines);
    if (dot < 8) {
        lit = bits & 0x80 >> dot;
    } else {
        lit = s->ar[0x10] & 4 && character >= 0xb0 && character <= 0xdf && bits & 1;
    }
    if (s->ar[0x10] & 8 && attribute & 0x80 && model_hidden(2)) {
        lit = false;
    }
    if (!(s->cr[0xa] & 0x20) && cell == s->cr[0xe] * 256u + s->cr[0xf] &&
        line % lines >= s->cr[0xa] % 32 && line % lines <= s->cr[0xb] % 32 &&
        !model_hidden(1)) {
        if (s->ar[0x10] & 8 && attribute & 0x80 && model_hidden(2)) {
            attribute = (attribute & 0xf0) | (attribute >> 4 & 7);
        }
        lit = true;
    }
    return model_colour_16(lit ? attribute & 0xf : attribute >> 4 & (s->ar[0x10] & 8 ? 7 : 15));
}

static uint32_t dots_pixel(unsigned x, unsigned y)
{
    bool lower = y > model_split();
    unsigned scan = (lower ? y - model_split() - 1 : y) / scan_lines();
    unsigned kind = s->gr[5] >> 5 & 3;
    unsigned pan = lower && s->ar[0x10] & 0x20 ? 0 : s->ar[0x13] & 7;
    unsigned bank = s->cr[0x17] & 0x40 ? 0x2000 : 0x1000;
    unsigned addr, bit, colour = 0;

    if (kind < 2 && model_half_clock()) {
        x /= 2;
    }
    x += kind >= 2 ? pan & 6 : pan;
    addr = (lower ? 0 : model_start()) + scan / model_glyph_lines() * s->cr[0x13] * 2;
    scan %= model_glyph_lines();
    if (!(s->cr[0x17] & 1)) {
        addr = scan & 1 ? addr | bank : addr & ~bank;
    }
    if (!(s->cr[0x17] & 2)) {
        addr = scan & 2 ? addr | bank * 2 : addr & ~(bank * 2);
    }
    addr += x / 8;
    bit = 7 - x % 8;
    if (kind >= 2) {
        return dac_colour(model_plane(x / 2 % 4, addr));
    }
    for (unsigned p = 0; p < 4; p++) {
        unsigned byte = s->ar[0x12] >> p & 1 ? model_plane(p, addr) : 0;

        if (kind == 0) {
            colour |= (byte >> bit & 1) << p;
        } else if (p % 2 == x / 4 % 2) {
            colour |= (byte >> (6 - x % 4 * 2) & 3) << p / 2 * 2;
        }
    }
    return model_colour_16(colour);
}

static uint32_t vbe_pixel(unsigned x, unsigned y)
{
    unsigned bpp = s->vbe.regs[VBE_BPP];
    unsigned bits = bpp == 15 ? 16 : bpp;
    unsigned stride = s->vbe.regs[VBE_VIRT_WIDTH] * bits / 8;
    unsigned addr = (s->vbe.regs[VBE_X_OFFSET] * bits / 8 +
                     s->vbe.regs[VBE_Y_OFFSET] * stride) / 4 * 4 + y * stride;
    unsigned colour = 0, low, high;

    if (bpp == 4) {
        for (unsigned p = 0; p < 4; p++) {
            colour |= (s->ar[0x12] >> p & 1 & model_plane(p, addr / 4 + x / 8) >> (7 - x % 8)) << p;
        }
        return model_colour_16(colour);
    }
    addr += x * bits / 8;
    for (unsigned i = 0; i < bits / 8; i++) {
        unsigned byte = s->vram_ptr[(addr + (s->mmio.big_endian ? bits / 8 - 1 - i : i)) % s->vram_size];

        colour |= byte << 8 * i;
    }
    if (bpp == 8) {
        return dac_colour(colour);
    } else if (bpp >= 24) {
        return colour & 0xffffff;
    }
    low = colour & 31;
    high = bpp == 15 ? colour >> 10 & 31 : colour >> 11 & 31;
    colour = bpp == 15 ? colour >> 4 & 62 : colour >> 5 & 63;
    if (bpp == 16 && !s->mmio.big_endian) {
        /* The highest bits again fill up the lowest ones. */
        return (high << 3 | high >> 2) << 16 | (colour << 2 | colour >> 4) << 8 |
               (low << 3 | low >> 2);
    }
    return high << 19 | colour << 10 | low << 3;
}

uint32_t model_pixel(unsigned x, unsigned y)
{
    return !(s->ar_index & 0x20) ? 0
         : !(s->gr[6] & 1) ? text_pixel(x, y)
         : s->vbe.regs[VBE_ENABLE] & 1 ? vbe_pixel(x, y)
         : dots_pixel(x, y);
}

void model_size(unsigned *w, unsigned *h)
{
    if (s->vbe.regs[VBE_ENABLE] & 1 && s->gr[6] & 1) {
        *w = s->vbe.regs[VBE_XRES];
        *h = s->vbe.regs[VBE_YRES];
        return;
    }
    *h = model_lines();
    *w = (s->cr[1] + 1) * (s->gr[6] & 1 ? 8 : model_glyph_dots());
    if (model_half_clock() && (!(s->gr[6] & 1) || (s->gr[5] >> 5 & 3) < 2)) {
        *w *= 2;
    }
    if (!(s->gr[6] & 1)) {
        *h -= *h % (model_glyph_lines() * scan_lines());
    }
}
