/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VGA shows, beside a model that works out each pixel alone from the registers, and
 * what a viewer is told: a picture that is only renewed where something was told to have
 * changed is always the right one, and what has not changed is not told.
 *
 * There is no device: the test fills in the registers and the memory.
 * FLATVIEW_SEED replays the random parts.
 */
#include "hw/display/vga-internal.h"

#include "hw/core/clock.h"
#include "memory-listener.h"
#include "tests/test-util.h"
#include "tests/vga-model.h"
#include "tests/vga-modes.h"

#define VRAM_SIZE (1u << 20)

static VGAState *s;
static uint8_t *vram;
static GRand *rnd;
static Viewer viewer;

/* ---- the viewer ------------------------------------------------------------------------- */

static pixman_image_t *source; /* the console's */
static pixman_image_t *seen;   /* renewed where it was told to have changed */
static uint8_t *told;          /* for each pixel: since forget_told() */
static unsigned rectangles;

static unsigned width(void)
{
    return pixman_image_get_width(seen);
}

static unsigned height(void)
{
    return pixman_image_get_height(seen);
}

static void viewer_free_picture(void)
{
    if (seen) {
        pixman_image_unref(seen);
        g_free(told);
        seen = NULL;
    }
}

static void viewer_image(void *opaque, pixman_image_t *image)
{
    viewer_free_picture();
    source = image;
    if (image) {
        seen = pixman_image_create_bits(PIXMAN_x8r8g8b8, pixman_image_get_width(image),
                                        pixman_image_get_height(image), NULL, 0);
        told = g_malloc0(width() * height());
    }
}

static void viewer_changed(void *opaque, int x, int y, int w, int h)
{
    expect(x >= 0 && y >= 0 && w > 0 && h > 0 && (unsigned)(x + w) <= width() &&
           (unsigned)(y + h) <= height(), "%dx%d at %d,%d", w, h, x, y);
    rectangles++;
    image_convert(seen, source, x, y, w, h);
    for (int line = y; line < y + h; line++) {
        memset(told + line * width() + x, 1, w);
    }
}

static const ViewerOps viewer_ops = { .image = viewer_image, .changed = viewer_changed };

static void forget_told(void)
{
    memset(told, 0, width() * height());
    rectangles = 0;
}

static uint32_t seen_pixel(unsigned x, unsigned y)
{
    return pixman_image_get_data(seen)[y * width() + x] & 0xffffff;
}

/* A refresh as the timer does it. */
static void refresh(void)
{
    console_refresh(s->console);
}

/* ---- the world -------------------------------------------------------------------------- */

static void world_setup(void)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 1987);

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    rnd = g_rand_new_with_seed(seed);
    clock_virtual_set_manual();
    s = g_new0(VGAState, 1);
    s->vram_size = s->vbe.vram_size = VRAM_SIZE;
    memory_region_init_ram(&s->vram, "vram", VRAM_SIZE);
    vram = s->vram_ptr = memory_region_get_ram_ptr(&s->vram);
    s->dac_mask = 0xff;
    bochs_vbe_reset(&s->vbe);
    model_set_vga(s);
    expect(vga_draw_init(s, NULL), "no console");
    viewer = (Viewer){ .ops = &viewer_ops };
    viewer_attach(&viewer, s->console);
}

static void world_free(void)
{
    viewer_detach(&viewer);
    viewer_free_picture();
    vga_draw_cleanup(s);
    memory_region_destroy(&s->vram);
    g_free(s);
    g_rand_free(rnd);
}

static unsigned below(unsigned n)
{
    return g_rand_int_range(rnd, 0, n);
}

static void poke(uint32_t addr, uint8_t value)
{
    vram[addr % VRAM_SIZE] = value;
    memory_region_set_dirty(&s->vram, addr % VRAM_SIZE, 1);
}

static void vram_random(void)
{
    for (unsigned i = 0; i < VRAM_SIZE; i += 4) {
        uint32_t value = g_rand_int(rnd);

        memcpy(vram + i, &value, 4);
    }
    memory_region_set_dirty(&s->vram, 0, VRAM_SIZE);
}

static void dac_random(void)
{
    for (unsigned i = 0; i < sizeof(s->palette); i++) {
        s->palette[i] = below(256);
    }
}

static void set_mode(const VGAModeTable *mode)
{
    memcpy(s->sr, mode->sr, sizeof(mode->sr));
    memcpy(s->gr, mode->gr, sizeof(mode->gr));
    memcpy(s->ar, mode->ar, sizeof(mode->ar));
    memcpy(s->cr, mode->cr, sizeof(mode->cr));
    s->ar_index = 0x20;
    s->cr[0xa] |= 0x20; /* a cursor is for the test of cursors */
}

static const VGAModeTable *find_mode(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(vga_modes); i++) {
        if (g_str_equal(vga_modes[i].name, name)) {
            return &vga_modes[i];
        }
    }
    test_fail("no mode %s", name);
}

static void vbe_set(unsigned w, unsigned h, unsigned bpp, unsigned virtual_width)
{
    bochs_vbe_write(&s->vbe, VBE_ENABLE, 0);
    bochs_vbe_write(&s->vbe, VBE_XRES, w);
    bochs_vbe_write(&s->vbe, VBE_YRES, h);
    bochs_vbe_write(&s->vbe, VBE_BPP, bpp);
    bochs_vbe_write(&s->vbe, VBE_ENABLE, VBE_ENABLED);
    bochs_vbe_write(&s->vbe, VBE_VIRT_WIDTH, virtual_width);
    /* What a VGA does to its other registers then. */
    s->ar_index = 0x20;
    s->gr[6] |= 1;
    s->gr[5] = bpp == 4 ? 0 : 0x40;
    s->sr[1] &= ~8;
    s->cr[9] = 0;
    s->cr[0x17] |= 3;
}

/* ---- beside the model ------------------------------------------------------------------- */

/* The viewer sees what the model says. */
static void expect_seen(const char *what)
{
    unsigned w, h;

    model_size(&w, &h);
    expect(width() == w && height() == h, "%s: %ux%u, not %ux%u", what, width(), height(),
           w, h);
    for (unsigned y = 0; y < h; y++) {
        for (unsigned x = 0; x < w; x++) {
            expect(seen_pixel(x, y) == model_pixel(x, y), "%s: %06x at %u,%u, not %06x", what,
                   seen_pixel(x, y), x, y, model_pixel(x, y));
        }
    }
}

static bool pixel_changed(pixman_image_t *before, unsigned x, unsigned y)
{
    return (pixman_image_get_data(before)[y * width() + x] & 0xffffff) != seen_pixel(x, y);
}

/* Where a line of graphics was told, its first and its last pixel have changed. */
static void expect_ends(const char *what, pixman_image_t *before)
{
    for (unsigned y = 0; y < height(); y++) {
        const uint8_t *line = told + y * width(), *first = memchr(line, 1, width());

        if (first) {
            const uint8_t *last = memrchr(line, 1, width());

            expect(pixel_changed(before, first - line, y) &&
                   pixel_changed(before, last - line, y),
                   "%s: told of line %u from %d to %d", what, y, (int)(first - line),
                   (int)(last - line));
        }
    }
}

/* Refresh; what the viewer sees is right, and where lines (@cell_height is 1), or cells of
 * text, have not changed, it was not told so. */
static void expect_exact(const char *what, unsigned cell_width, unsigned cell_height)
{
    pixman_image_t *before = pixman_image_create_bits(PIXMAN_x8r8g8b8, width(), height(),
                                                      NULL, 0);

    image_convert(before, seen, 0, 0, width(), height());
    forget_told();
    refresh();
    expect_seen(what);
    for (unsigned top = 0; top < height(); top += cell_height) {
        for (unsigned left = 0; left < width(); left += cell_width) {
            bool changed = false, said = false;

            for (unsigned y = top; y < MIN(height(), top + cell_height); y++) {
                for (unsigned x = left; x < MIN(width(), left + cell_width); x++) {
                    changed |= pixel_changed(before, x, y);
                    said |= told[y * width() + x];
                }
            }
            expect(changed || !said, "%s: told of %u,%u, which is as it was", what, left, top);
        }
    }
    if (cell_height == 1) {
        expect_ends(what, before);
    }
    pixman_image_unref(before);
}

/* ---- tests ------------------------------------------------------------------------------------ */

START_TEST(every_mode)
{
    world_setup();
    for (unsigned i = 0; i < G_N_ELEMENTS(vga_modes); i++) {
        const VGAModeTable *mode = &vga_modes[i];
        bool text = !(mode->gr[6] & 1);

        set_mode(mode);
        vram_random();
        dac_random();
        refresh();
        expect_seen(mode->name);
        for (unsigned n = 0; n < 10; n++) {
            /* Seen or not: the window of the mode is no more than 64 KiB of a plane. */
            poke(below(0x10000 * 4), below(256));
            expect_exact(mode->name, text ? model_glyph_dots() * (model_half_clock() ? 2 : 1) : width(),
                         text ? model_glyph_lines() : 1);
        }
        forget_told();
        refresh();
        expect(rectangles == 0, "%s: told of nothing", mode->name);
    }
    world_free();
}
END_TEST

/* Registers that move the picture, in every mode. */
START_TEST(moved)
{
    world_setup();
    for (unsigned n = 0; n < 120; n++) {
        const VGAModeTable *mode = &vga_modes[n % G_N_ELEMENTS(vga_modes)];
        bool text = !(mode->gr[6] & 1);
        unsigned split;

        set_mode(mode);
        vram_random();
        dac_random();
        s->cr[0xc] = below(256);
        s->cr[0xd] = below(256);
        s->cr[0x13] = below(256);
        s->cr[8] = below(4) << 5 | (text ? below(32) : 0);
        s->ar[0x10] ^= below(2) << 7 | below(2) << 5 | below(2) << 3 | below(2) << 2;
        s->ar[0x13] = below(model_glyph_dots());
        s->ar[0x14] = below(16);
        s->ar[0x12] = below(16);
        s->sr[3] = below(64);
        s->cr[9] = (s->cr[9] & 0x5f) | below(2) << 7;
        s->dac_mask = below(2) ? 0xff : below(256);
        s->vbe.regs[VBE_ENABLE] = below(2) ? VBE_8BIT_DAC : 0;
        if (!text) {
            s->cr[9] = (s->cr[9] & 0xe0) | below(4);
            s->cr[0x17] = below(4) | below(2) << 6;
            s->sr[1] ^= below(2) << 3;
        }
        s->cr[7] |= below(2) << 6; /* 512 lines more */
        split = below(4) ? below(model_lines()) : 1023;
        s->cr[0x18] = split;
        s->cr[7] = (s->cr[7] & ~0x10) | (split >> 8 & 1) << 4;
        s->cr[9] = (s->cr[9] & ~0x40) | (split >> 9 & 1) << 6;
        refresh();
        expect_seen(mode->name);
    }
    world_free();
}
END_TEST

/* What only some combinations show. */
START_TEST(splits)
{
    world_setup();
    vram_random();
    dac_random();
    /* The same bytes on each line, but moved by other dots. */
    set_mode(find_mode("640x480 in 16 colours"));
    s->cr[0x13] = 0;
    s->cr[0x18] = 100;
    s->cr[7] &= ~0x10;
    s->cr[9] &= ~0x40;
    s->ar[0x13] = 3;
    s->ar[0x10] |= 0x20;
    refresh();
    expect_seen("panning above the split");
    /* A row of text that the split cuts: its cells change above it only. */
    set_mode(find_mode("text 80x25"));
    s->cr[0x18] = 100;
    s->cr[7] &= ~0x10;
    s->cr[9] &= ~0x40;
    s->cr[0xc] = 0x10;
    refresh();
    expect_seen("text above the split");
    for (unsigned n = 0; n < 80; n++) {
        poke((0x1000 + 6 * 80 + n) * 4, below(256));
    }
    refresh();
    expect_seen("the row at the split");
    for (unsigned n = 0; n < 80; n++) {
        poke(n * 4, below(256));
    }
    refresh();
    expect_seen("the row below it");
    world_free();
}
END_TEST

/* One register at a time, while the rest of the picture stays: each is found. */
START_TEST(register_by_register)
{
    static const struct { uint8_t cr, ar, ones; } registers[] = {
        { .cr = 0x0c, .ones = 0x10 }, { .cr = 0x0d, .ones = 1 }, { .cr = 0x13, .ones = 4 },
        { .cr = 0x18, .ones = 0x60 }, { .cr = 0x09, .ones = 0x80 }, { .cr = 8, .ones = 0x20 },
        { .cr = 0x12, .ones = 0x10 }, { .cr = 1, .ones = 1 }, { .cr = 7, .ones = 2 },
        { .ar = 3, .ones = 0xf }, { .ar = 0x10, .ones = 0x80 }, { .ar = 0x12, .ones = 4 },
        { .ar = 0x13, .ones = 1 }, { .ar = 0x14, .ones = 4 },
    };
    char what[80];

    world_setup();
    for (unsigned i = 0; i < G_N_ELEMENTS(vga_modes); i++) {
        set_mode(&vga_modes[i]);
        s->cr[7] &= ~0x10; /* so that a split can be */
        s->cr[9] &= ~0x40;
        vram_random();
        dac_random();
        refresh();
        for (unsigned n = 0; n < G_N_ELEMENTS(registers); n++) {
            uint8_t *reg = registers[n].cr ? &s->cr[registers[n].cr]
                                           : &s->ar[registers[n].ar];

            *reg ^= registers[n].ones;
            refresh();
            g_snprintf(what, sizeof(what), "%s, %s %x", vga_modes[i].name,
                       registers[n].cr ? "CRTC" : "attribute",
                       registers[n].cr ? registers[n].cr : registers[n].ar);
            expect_seen(what);
        }
        s->sr[3] ^= 0x11;
        s->palette[3 * s->ar[1] + 1] ^= 0x3f;
        refresh();
        expect_seen(vga_modes[i].name);
        s->dac_mask = 0x3e;
        refresh();
        expect_seen(vga_modes[i].name);
        s->dac_mask = 0xff;
    }
    world_free();
}
END_TEST

START_TEST(cursor_and_blink)
{
    int64_t now = 0;

    world_setup();
    for (unsigned i = 0; i < 4; i++) {
        set_mode(&vga_modes[i]);
        vram_random();
        dac_random();
        s->cr[0xa] &= ~0x20;
        for (unsigned n = 0; n < 40; n++) {
            now += BLINK_NS / 2;
            clock_virtual_advance_to(now);
            s->cr[0xa] = below(8) ? below(32) : 0x20 | below(32);
            s->cr[0xb] = below(32);
            s->cr[0xe] = below(9);
            s->cr[0xf] = below(256);
            s->ar[0x10] ^= n % 16 ? 0 : 8;
            refresh();
            expect_seen(vga_modes[i].name);
        }
        /* Half a period on, nothing else has changed: the cursor alone is told. */
        s->ar[0x10] &= ~8;
        s->cr[0xa] = 0;
        s->cr[0xb] = 3;
        s->cr[0xe] = s->cr[0xf] = 0;
        poke(0, 'A');
        poke(1, 0x17);
        s->ar[1] = 1;
        s->ar[7] = 7;
        s->ar[0x10] &= ~0x80;
        s->ar[0x14] = 0;
        memset(s->palette + 3 * 1, 1, 3);
        memset(s->palette + 3 * 7, 0x3f, 3);
        refresh();
        now += BLINK_NS;
        clock_virtual_advance_to(now);
        expect_exact("the cursor", model_glyph_dots() * (model_half_clock() ? 2 : 1), model_glyph_lines());
        expect_hex(rectangles, 1);
    }
    /* Who looks for a moment sees all there is. */
    clock_virtual_advance_to(BLINK_NS * (now / BLINK_NS / 4 * 4 + 7));
    s->ar[0x10] |= 8;
    vram[0] = 0xdb;
    vram[1] = 0x87;
    refresh();
    expect_seen("hidden");
    viewer_pause(&viewer, true);
    image_convert(seen, console_refresh(s->console), 0, 0, width(), height());
    viewer_pause(&viewer, false);
    expect(seen_pixel(0, 0) == model_colour_16(7), "%06x, the cursor is hidden in a picture",
           seen_pixel(0, 0));
    world_free();
}
END_TEST

START_TEST(fonts)
{
    world_setup();
    set_mode(find_mode("text 80x25"));
    s->sr[3] = 0x04; /* set 0, and set 1 for attributes with bit 3 */
    dac_random();
    for (unsigned cell = 0; cell < 2000; cell++) {
        poke(cell * 4, cell % 256);
        poke(cell * 4 + 1, cell / 256 == 3 ? 0x1e : 0x17);
    }
    refresh();
    expect_seen("empty fonts");
    /* A line of 'A', which 8 cells show, one of them from the other set. */
    poke((0 * 0x4000 + 'A' * 32 + 5) * 4 + 2, 0xff);
    expect_exact("a character", 9, 16);
    expect_hex(rectangles, 7);
    poke((1 * 0x4000 + 'A' * 32 + 5) * 4 + 2, 0x81);
    expect_exact("a bright one", 9, 16);
    expect_hex(rectangles, 1);
    /* Below the last line that is seen. */
    poke(('A' * 32 + 16) * 4 + 2, 0xff);
    expect_exact("what is not seen", 9, 16);
    world_free();
}
END_TEST

START_TEST(vbe)
{
    static const uint8_t depths[] = { 4, 8, 15, 16, 24, 32 };

    world_setup();
    set_mode(find_mode("320x200 in 256 colours"));
    for (unsigned n = 0; n < 120; n++) {
        unsigned bpp = depths[n % G_N_ELEMENTS(depths)];
        g_autofree char *what = NULL;

        vram_random();
        dac_random();
        vbe_set(8 + below(400), 1 + below(300), bpp, below(500));
        bochs_vbe_write(&s->vbe, VBE_X_OFFSET, below(2) ? below(100) : 0);
        bochs_vbe_write(&s->vbe, VBE_Y_OFFSET, below(100));
        s->vbe.regs[VBE_ENABLE] |= below(2) ? VBE_8BIT_DAC : 0;
        s->ar[0x12] = below(16);
        s->sr[1] = below(2) << 3; /* the clock of VBE is its own */
        s->mmio.big_endian = n >= 60;
        what = g_strdup_printf("%ux%ux%u", s->vbe.regs[VBE_XRES], s->vbe.regs[VBE_YRES], bpp);
        refresh();
        expect_seen(what);
        /* A write is seen, and few lines but its own are told. */
        for (unsigned i = 0; i < 5; i++) {
            forget_told();
            poke(below(VRAM_SIZE), below(256));
            refresh();
            expect_seen(what);
            expect(rectangles <= 2, "%s: %u rectangles", what, rectangles);
        }
        forget_told();
        refresh();
        expect(rectangles == 0, "%s: told of nothing", what);
        s->palette[below(768)] ^= 0x3f;
        refresh();
        expect_seen(what);
    }
    world_free();
}
END_TEST

/* Frame buffers that pixman cannot show: registers as no guest can set them, should
 * limits be others. */
START_TEST(vbe_copied)
{
    static const struct { unsigned width, virtual_width, x, y; uint8_t bpp; } cases[] = {
        { 56, 63, 0, 0, 8 },       /* lines that are no whole words */
        { 40, 41, 0, 0, 24 },
        { 64, 64, 0, VRAM_SIZE / 64 - 10, 8 },       /* goes on at the beginning */
        { 64, 64, 32, VRAM_SIZE / 256 - 10, 32 },    /* within a line */
        { 64, 64, 32, VRAM_SIZE / 128 - 10, 15 },
        { 64, 64, 32, VRAM_SIZE / 32 - 10, 4 },
    };

    world_setup();
    set_mode(find_mode("320x200 in 256 colours"));
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *what = NULL;
        uint32_t end;

        vram_random();
        dac_random();
        vbe_set(64, 64, cases[i].bpp, 64);
        s->vbe.regs[VBE_XRES] = cases[i].width;
        s->vbe.regs[VBE_VIRT_WIDTH] = cases[i].virtual_width;
        s->vbe.regs[VBE_X_OFFSET] = cases[i].x;
        s->vbe.regs[VBE_Y_OFFSET] = cases[i].y;
        refresh();
        what = g_strdup_printf("copy %u", i);
        expect_seen(what);
        end = cases[i].x ? 0 : cases[i].y ? 640 : VRAM_SIZE;
        for (unsigned n = 0; n < 20; n++) {
            /* Not the fourth byte of four, which 32 bits do not show. */
            poke(end + below(32) * 4 + below(3) - (n % 2 ? 0 : 128), below(256));
            expect_exact(what, width(), 1);
        }
        poke(0, vram[0] ^ 0xff);
        expect_exact("the beginning", width(), 1);
    }
    world_free();
}
END_TEST

START_TEST(blank)
{
    world_setup();
    for (unsigned i = 0; i < G_N_ELEMENTS(vga_modes); i++) {
        unsigned w, h;

        set_mode(&vga_modes[i]);
        vram_random();
        refresh();
        w = width();
        h = height();
        s->ar_index = 0;
        refresh();
        expect(width() == w && height() == h, "%ux%u", width(), height());
        expect_seen("blank");
        forget_told();
        refresh();
        expect(rectangles == 0, "told of black again");
        s->ar_index = 0x20;
        refresh();
        expect_seen("again");
    }
    vbe_set(320, 200, 32, 320);
    refresh();
    expect_seen("VBE");
    s->ar_index = 0;
    refresh();
    expect_seen("VBE, blank");
    world_free();
}
END_TEST

/* Registers on their way from one mode to another: what was there stays, and what comes
 * is right. */
START_TEST(transient)
{
    world_setup();
    set_mode(find_mode("320x200 in 256 colours"));
    vram_random();
    dac_random();
    refresh();
    s->gr[6] = 0x0e; /* text of the same size, but of 200 rows at first */
    s->cr[1] = 0x4f;
    s->sr[1] = 1;
    s->cr[9] = 0x40;
    forget_told();
    refresh();
    expect(rectangles == 0, "cells too many to be meant were drawn");
    s->cr[9] = 0x4f;
    refresh();
    expect_seen("text at last");
    vbe_set(640, 400, 15, 640); /* another format */
    refresh();
    expect_seen("VBE of the same size");
    bochs_vbe_write(&s->vbe, VBE_ENABLE, 0);
    set_mode(find_mode("320x200 in 256 colours"));
    refresh();
    expect_seen("bytes of the same size");
    set_mode(find_mode("text 80x50"));
    refresh();
    expect_seen("text of the same size");
    forget_told();
    s->ar[3] ^= 1;
    refresh();
    expect_seen("another colour");
    expect_hex(rectangles, 1);
    set_mode(find_mode("320x200 in 256 colours"));
    refresh();
    set_mode(find_mode("text 80x50"));
    s->ar[3] ^= 1;
    refresh();
    expect_seen("the same text");
    s->cr[1] = 0;
    s->cr[7] = 0;
    s->cr[9] = 0x4f;
    s->cr[0x12] = 15;
    refresh();
    expect(width() == 640 && height() == 400, "one cell is %ux%u", width(), height());
    world_free();
}
END_TEST

/* What nobody told of, as nobody looked. */
START_TEST(nobody_looks)
{
    pixman_image_t *image;

    world_setup();
    set_mode(find_mode("text 80x25"));
    vram_random();
    dac_random();
    refresh();
    viewer_pause(&viewer, true);
    expect(!memory_region_is_logging(&s->vram), "logged for nobody");
    memset(vram, 0x5a, 0x4000); /* not logged */
    image = console_refresh(s->console);
    image_convert(seen, image, 0, 0, width(), height());
    expect_seen("a look");
    memset(vram, 0xc3, 0x4000);
    image_convert(seen, console_refresh(s->console), 0, 0, width(), height());
    expect_seen("another look");
    memset(vram, 0xa5, 0x4000);
    viewer_pause(&viewer, false);
    expect(memory_region_is_logging(&s->vram), "not logged for who looks");
    forget_told();
    refresh();
    expect_seen("looking again");
    viewer_pause(&viewer, true);
    viewer_pause(&viewer, false);
    forget_told();
    refresh();
    expect(!memchr(told, 0, width() * height()), "not all is new to who looks again");
    world_free();
}
END_TEST

static void deliver(MemoryListener *listener)
{
    poke(0x400, vram[0x400] ^ 0xff);
}

/* Writes that KVM put off are in the picture. */
START_TEST(put_off)
{
    MemoryListener listener = { .flush_coalesced = deliver };
    MemoryRegion root;
    AddressSpace as;

    world_setup();
    memory_region_init(&root, "root", UINT64_MAX);
    address_space_init(&as, &root);
    memory_listener_register(&listener, &as);
    set_mode(find_mode("320x200 in 256 colours"));
    vram_random();
    dac_random();
    refresh();
    expect_seen("at first");
    expect_exact("put off", width(), 1);
    expect_hex(rectangles, 1);
    memory_listener_unregister(&listener);
    address_space_destroy(&as);
    memory_region_destroy(&root);
    world_free();
}
END_TEST

START_TEST(as_characters)
{
    ConsoleText text;

    world_setup();
    expect(!console_text(s->console, &text), "text where there is nothing");
    set_mode(find_mode("text 80x50"));
    s->ar[0x13] = 0;
    vram_random();
    s->cr[0xc] = 1;
    s->cr[0xe] = 1;
    s->cr[0xf] = 83;
    s->cr[0xa] = 6;
    expect(console_text(s->console, &text), "no text");
    expect(text.columns == 80 && text.rows == 50, "%ux%u", text.columns, text.rows);
    expect(text.cursor && text.cursor_column == 3 && text.cursor_row == 1, "cursor at %u,%u",
           text.cursor_column, text.cursor_row);
    for (unsigned i = 0; i < 80 * 50; i++) {
        expect_hex(text.cells[i].character, model_plane(0, 256 + i));
        expect_hex(text.cells[i].attribute, model_plane(1, 256 + i));
    }
    s->cr[0xb] = 5;
    expect(console_text(s->console, &text) && !text.cursor, "a cursor without a line");
    s->cr[0x18] = 79; /* of row 10 on, it starts at 0 */
    s->cr[7] &= ~0x10;
    s->cr[9] &= ~0x40;
    expect(console_text(s->console, &text), "no text");
    for (unsigned i = 0; i < 80 * 50; i++) {
        expect_hex(text.cells[i].character, model_plane(0, i < 800 ? 256 + i : i - 800));
    }
    s->gr[6] |= 1;
    expect(!console_text(s->console, &text), "text in graphics");
    s->gr[6] &= ~1;
    s->ar_index = 0;
    expect(!console_text(s->console, &text), "text where the screen is off");
    world_free();
}
END_TEST

static unsigned wide, high;

static void note_size(VGAState *vga, unsigned w, unsigned h)
{
    wide = w;
    high = h;
}

START_TEST(size_suggested)
{
    world_setup();
    console_suggest_size(s->console, 800, 600); /* nobody to be told */
    s->suggest_size = note_size;
    console_suggest_size(s->console, 1024, 768);
    expect(wide == 1024 && high == 768, "%ux%u", wide, high);
    world_free();
}
END_TEST

/* Any register has any value. */
START_TEST(hostile)
{
    world_setup();
    for (unsigned n = 0; n < 3000; n++) {
        uint8_t *regs[] = { s->sr, s->gr, s->ar, s->cr };
        static const unsigned nr[] = { 5, 9, 21, 25 };
        unsigned kind = below(4);
        unsigned w, h;

        if (n % 60 == 0) {
            set_mode(&vga_modes[below(G_N_ELEMENTS(vga_modes))]);
            s->vbe.regs[VBE_ENABLE] = 0;
            vram_random();
        }
        regs[kind][below(nr[kind])] = below(256);
        poke(below(VRAM_SIZE), below(256));
        if (below(16) == 0) {
            s->ar_index ^= 0x20;
        }
        if (below(16) == 0) {
            bochs_vbe_write(&s->vbe, below(VBE_REGS_NR), below(1000));
        }
        s->mmio.big_endian = below(2);
        refresh();
        model_size(&w, &h);
        expect(width() <= CONSOLE_SIZE_MAX && height() <= CONSOLE_SIZE_MAX, "%ux%u", width(),
               height());
    }
    world_free();
}
END_TEST

TEST_MAIN("vga-draw", every_mode, moved, splits, register_by_register, cursor_and_blink, fonts,
          vbe, vbe_copied, blank, transient, nobody_looks, put_off, as_characters,
          size_suggested, hostile)
