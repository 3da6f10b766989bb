/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture of a VGA, in graphics; text is vga-text.c's. Registers as in IBM's "PS/2
 * Hardware Interface Technical Reference: Video Subsystems"; VBE: bochs-vbe.h.
 *
 * A frame buffer of VBE is shown as it lies in VRAM (framebuffer.h). Where pixman cannot
 * do that, as its lines wrap, repeat or split, they are copied as they are. Pixels of 15
 * bits, and of 16 with the high byte first, are widened with zeros as QEMU does it, which
 * pixman does otherwise. Anything else becomes a picture of bytes, each the number of a colour in the DAC: dots of planes
 * are put together, and colours are left to whoever looks. Of a picture that is drawn
 * the lines of dirty pages are drawn again, and what differs from what was there is told.
 *
 * Sizes are those that QEMU shows: dots that are shown twice as wide, and lines twice,
 * are there twice, and there is no border.
 */
#include "hw/display/vga-draw.h"

#include <assert.h>
#include <string.h>

#define MISC_GRAPHICS 0x01        /* gr[6] */
#define MODE_SHIFT(gr5) ((gr5) >> 5 & 3)
#define SHIFT_PLANES 0
#define SHIFT_PAIRS 1
#define CLOCKING_HALF 0x08        /* sr[1]: the dot clock */
#define PICTURE_ON 0x20           /* ar_index */
#define CR_MODE_SCAN0 0x01        /* cr[0x17]: address bit 13 is the CRTC's, */
#define CR_MODE_SCAN1 0x02        /* bit 14, too: not those of the row scan */
#define CR_MODE_BYTE 0x40
#define ATTR_MODE_SPLIT_PAN 0x20  /* ar[0x10]: no panning below the split */
#define ATTR_MODE_COLOURS16 0x80  /* colours come in sets of 16, not of 64 */

#define GROUP_BYTES 4 /* a byte of each plane: */
#define GROUP_DOTS 8

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

/* ---- the DAC ------------------------------------------------------------------------ */

/* Of 6 bits, the lowest one fills up the rest: as QEMU has it. */
static uint8_t component_8bit(uint8_t value, bool of_8bit)
{
    if (of_8bit) {
        return value;
    }
    return (value & 0x3f) << 2 | (value & 1) << 1 | (value & 1);
}

/* True: a colour is another than it was. */
static bool palette_update(VGAState *s)
{
    uint32_t *colours = s->drawing->palette.rgba;
    bool of_8bit = s->vbe.regs[VBE_ENABLE] & VBE_8BIT_DAC;
    bool changed = false;

    for (unsigned i = 0; i < 256; i++) {
        const uint8_t *dac = s->palette + 3 * (i & s->dac_mask);
        uint32_t colour = 0xff000000u | component_8bit(dac[0], of_8bit) << 16 |
                          component_8bit(dac[1], of_8bit) << 8 |
                          component_8bit(dac[2], of_8bit);

        changed |= colours[i] != colour;
        colours[i] = colour;
    }
    return changed;
}

void vga_colours(const VGAState *s, uint8_t colours[16])
{
    for (unsigned i = 0; i < 16; i++) {
        if (s->ar[0x10] & ATTR_MODE_COLOURS16) {
            colours[i] = (s->ar[0x14] & 0xf) << 4 | (s->ar[i] & 0xf);
        } else {
            colours[i] = (s->ar[0x14] & 0xc) << 4 | (s->ar[i] & 0x3f);
        }
    }
}

/* ---- the picture -------------------------------------------------------------------- */

bool vga_picture(VGAState *s, pixman_format_code_t format, unsigned width, unsigned height)
{
    VGADrawing *d = s->drawing;

    if (d->image && pixman_image_get_format(d->image) == format &&
        pixman_image_get_width(d->image) == (int)width &&
        pixman_image_get_height(d->image) == (int)height) {
        return false;
    }
    if (d->image) {
        pixman_image_unref(d->image); /* the console has its own reference */
    }
    d->image = pixman_image_create_bits(format, width, height, NULL, 0);
    if (!d->image) {
        g_error("no memory for a picture of %ux%u", width, height);
    }
    if (format == PIXMAN_c8) {
        pixman_image_set_indexed(d->image, &d->palette);
    }
    return true;
}

void vga_picture_show(VGAState *s)
{
    console_set_image(s->console, s->drawing->image);
}

static void picture_drop(VGADrawing *d)
{
    if (d->image) {
        pixman_image_unref(d->image);
        d->image = NULL;
    }
}

/* ---- modes -------------------------------------------------------------------------- */

uint64_t vga_start(const VGAState *s)
{
    unsigned byte_pan = s->cr[8] >> 5 & 3;

    return ((s->cr[0xc] << 8 | s->cr[0xd]) + byte_pan) * GROUP_BYTES;
}

unsigned vga_stride(const VGAState *s)
{
    return s->cr[0x13] * 2 * GROUP_BYTES;
}

unsigned vga_split(const VGAState *s)
{
    return s->cr[0x18] | (s->cr[7] & 0x10) << 4 | (s->cr[9] & 0x40) << 3;
}

/* Row scans, and what they do to addresses. */
static void mode_scans(const VGAState *s, VGAMode *mode)
{
    unsigned bank = s->cr[0x17] & CR_MODE_BYTE ? 0x8000 : 0x4000;

    mode->scans = (s->cr[9] & 0x1f) + 1;
    mode->scan_lines = s->cr[9] & 0x80 ? 2 : 1;
    mode->bank[0] = s->cr[0x17] & CR_MODE_SCAN0 ? 0 : bank;
    mode->bank[1] = s->cr[0x17] & CR_MODE_SCAN1 ? 0 : 2 * bank;
}

/* Modes of the VGA itself, and that of VBE with 4 bits. */
static void mode_dots(const VGAState *s, VGAMode *mode, const FramebufferMode *vbe)
{
    unsigned shift = MODE_SHIFT(s->gr[5]);
    unsigned dots;

    if (vbe) {
        dots = vbe->width;
        mode->height = vbe->height;
        mode->start = vbe->offset & ~(uint64_t)(GROUP_BYTES - 1);
        mode->stride = vbe->stride;
        mode->split = UINT16_MAX;
    } else {
        dots = (s->cr[1] + 1) * GROUP_DOTS;
        mode->height = (s->cr[0x12] | (s->cr[7] & 0x02) << 7 | (s->cr[7] & 0x40) << 3) + 1;
        mode->start = vga_start(s);
        mode->stride = vga_stride(s);
        mode->split = vga_split(s);
        /* A dot of 256 colours is two of the clock wide. */
        mode->pan = s->ar[0x13] & (shift > SHIFT_PAIRS ? 6 : 7);
    }
    mode->kind = shift == SHIFT_PLANES ? VGA_PLANES
               : shift == SHIFT_PAIRS ? VGA_PAIRS : VGA_BYTES;
    mode->format = PIXMAN_c8;
    mode->dot_width = mode->kind != VGA_BYTES && !vbe && s->sr[1] & CLOCKING_HALF ? 2 : 1;
    mode->width = dots * mode->dot_width;
    mode->line_bytes = DIV_ROUND_UP(dots + mode->pan, GROUP_DOTS) * GROUP_BYTES;
    mode->split_pan = s->ar[0x10] & ATTR_MODE_SPLIT_PAN ? 0 : mode->pan;
    if (mode->kind != VGA_BYTES) {
        mode->planes = s->ar[0x12] & 0xf;
        vga_colours(s, mode->colours);
    }
}

static void mode_linear(const VGAState *s, VGAMode *mode, const FramebufferMode *vbe)
{
    bool big = s->mmio.big_endian;
    unsigned bytes = (vbe->bpp + 7) / 8;

    mode->kind = VGA_LINEAR;
    switch (vbe->bpp) {
    case 8:
        mode->format = PIXMAN_c8;
        break;
    case 16:
        if (!big) {
            mode->format = PIXMAN_r5g6b5;
            break;
        }
        /* fall through */
    case 15:
        mode->format = PIXMAN_x8r8g8b8;
        mode->word_bits = vbe->bpp;
        mode->swapped = big;
        break;
    case 24:
        mode->format = big ? PIXMAN_b8g8r8 : PIXMAN_r8g8b8;
        break;
    default:
        mode->format = big ? PIXMAN_b8g8r8x8 : PIXMAN_x8r8g8b8;
        break;
    }
    mode->width = vbe->width;
    mode->height = vbe->height;
    mode->start = vbe->offset & ~(uint64_t)(GROUP_BYTES - 1);
    mode->stride = vbe->stride;
    mode->line_bytes = vbe->width * bytes;
    mode->split = UINT16_MAX;
    mode->dot_width = 1;
}

static void mode_read(const VGAState *s, VGAMode *mode)
{
    FramebufferMode vbe;
    bool is_vbe = bochs_vbe_mode(&s->vbe, &vbe);

    memset(mode, 0, sizeof(*mode));
    if (!(s->ar_index & PICTURE_ON)) {
        mode->kind = VGA_BLANK;
    } else if (!(s->gr[6] & MISC_GRAPHICS)) {
        mode->kind = VGA_TEXT;
    } else {
        if (is_vbe && vbe.bpp >= 8 && MODE_SHIFT(s->gr[5]) > SHIFT_PAIRS) {
            mode_linear(s, mode, &vbe);
        } else {
            mode_dots(s, mode, is_vbe ? &vbe : NULL);
        }
        mode_scans(s, mode);
    }
}

/* ---- one line ------------------------------------------------------------------------ */

/* The bits of @byte as bytes of 0 and 1, the highest bit first in memory. */
static uint64_t spread(uint8_t byte)
{
    return GUINT64_TO_LE(byte * UINT64_C(0x8040201008040201) >> 7 &
                         UINT64_C(0x0101010101010101));
}

/* The dots of a group, as numbers in the DAC. */
static void group_dots(const VGAMode *mode, const uint8_t bytes[GROUP_BYTES],
                       uint8_t dots[GROUP_DOTS])
{
    uint8_t plane[4];

    for (unsigned p = 0; p < 4; p++) {
        plane[p] = mode->planes >> p & 1 ? bytes[p] : 0;
    }
    if (mode->kind == VGA_BYTES) {
        for (unsigned i = 0; i < GROUP_DOTS; i++) {
            dots[i] = bytes[i / 2];
        }
    } else if (mode->kind == VGA_PLANES) {
        uint64_t all = spread(plane[0]) | spread(plane[1]) << 1 | spread(plane[2]) << 2 |
                       spread(plane[3]) << 3;

        memcpy(dots, &all, GROUP_DOTS);
        for (unsigned i = 0; i < GROUP_DOTS; i++) {
            dots[i] = mode->colours[dots[i]];
        }
    } else {
        for (unsigned i = 0; i < GROUP_DOTS; i++) {
            unsigned p = i / 4, bit = 6 - i % 4 * 2;

            dots[i] = mode->colours[(plane[p] >> bit & 3) | (plane[p + 2] >> bit & 3) << 2];
        }
    }
}

/* Words of 5, 5 or 6, and 5 bits to pixels of 8 bits each. */
static void words_widen(const VGAMode *mode, const uint8_t *bytes, uint32_t *pixels)
{
    unsigned green = mode->word_bits - 10;

    for (unsigned i = 0; i < mode->line_bytes; i += 2) {
        unsigned word = bytes[i + !mode->swapped] << 8 | bytes[i + mode->swapped];

        *pixels++ = (word >> (5 + green) & 0x1f) << 19 |
                    (word >> 5 & ((1 << green) - 1)) << (16 - green) | (word & 0x1f) << 3;
    }
}

/* Bytes of VRAM, which wraps. */
static void vram_copy(const VGAState *s, uint8_t *to, uint64_t addr, unsigned len)
{
    while (len) {
        uint64_t from = addr & (s->vram_size - 1);
        unsigned part = MIN(len, s->vram_size - from);

        memcpy(to, s->vram_ptr + from, part);
        to += part;
        addr += part;
        len -= part;
    }
}

/* The pixels of a line at @addr, of which the first @pan dots are not seen; @line has
 * room for all dots of @bytes, which has room for those of VRAM. Where they are. */
static const uint8_t *line_draw(const VGAState *s, const VGAMode *mode, uint64_t addr,
                                unsigned pan, uint8_t *bytes, uint8_t *line)
{
    uint8_t *to = line;

    vram_copy(s, bytes, addr, mode->line_bytes);
    if (mode->word_bits) {
        words_widen(mode, bytes, (uint32_t *)line);
        return line;
    }
    if (mode->kind == VGA_LINEAR) {
        return bytes;
    }
    for (unsigned i = 0; i < mode->line_bytes; i += GROUP_BYTES) {
        uint8_t dots[GROUP_DOTS];

        group_dots(mode, bytes + i, dots);
        for (unsigned dot = 0; dot < GROUP_DOTS; dot++) {
            for (unsigned n = 0; n < mode->dot_width; n++) {
                *to++ = dots[dot];
            }
        }
    }
    return line + pan * mode->dot_width;
}

/* ---- all lines ------------------------------------------------------------------------ */

/* A rectangle that has changed and was not told yet, as the next line may go with it. */
typedef struct Change {
    unsigned x, y, width, height; /* height 0: none */
} Change;

static void change_tell(VGAState *s, Change *change)
{
    if (change->height) {
        console_changed(s->console, change->x, change->y, change->width, change->height);
        change->height = 0;
    }
}

/* Put the pixels of line @y into the picture. */
static void line_put(VGAState *s, const VGAMode *mode, unsigned y, const uint8_t *line,
                     Change *change)
{
    pixman_image_t *image = s->drawing->image;
    uint8_t *to = (uint8_t *)pixman_image_get_data(image) +
                  (size_t)y * pixman_image_get_stride(image);
    unsigned pixel = PIXMAN_FORMAT_BPP(mode->format) / 8;
    unsigned first = 0, end = mode->width * pixel;

    if (memcmp(to, line, end) == 0) {
        return;
    }
    while (to[first] == line[first]) {
        first++;
    }
    while (to[end - 1] == line[end - 1]) {
        end--;
    }
    memcpy(to + first, line + first, end - first);
    first /= pixel;
    end = DIV_ROUND_UP(end, pixel);
    if (change->height && (change->x != first || change->width != end - first ||
                           change->y + change->height != y)) {
        change_tell(s, change);
    }
    if (!change->height) {
        *change = (Change){ .x = first, .y = y, .width = end - first };
    }
    change->height++;
}

static bool line_is_dirty(VGAState *s, const VGAMode *mode, DirtyBitmapSnapshot *snap,
                          uint64_t addr)
{
    uint64_t first = addr & (s->vram_size - 1);

    return memory_region_snapshot_get_dirty(&s->vram, snap, first,
                                            MIN(mode->line_bytes, s->vram_size - first)) ||
           (first + mode->line_bytes > s->vram_size &&
            memory_region_snapshot_get_dirty(&s->vram, snap, 0,
                                             first + mode->line_bytes - s->vram_size));
}

/* The address that line @y is drawn from. Lines above the split start at the start
 * address, those below at 0 with a new row. */
static uint64_t line_address(const VGAMode *mode, unsigned y)
{
    bool below = y > mode->split;
    unsigned line = below ? y - mode->split - 1 : y;
    unsigned scan = line / mode->scan_lines;
    uint64_t addr = (below ? 0 : mode->start) + (uint64_t)(scan / mode->scans) * mode->stride;

    scan %= mode->scans;
    for (unsigned i = 0; i < 2; i++) {
        if (mode->bank[i]) {
            addr = (addr & ~(uint64_t)mode->bank[i]) | (scan >> i & 1) * mode->bank[i];
        }
    }
    return addr;
}

/* Draw the lines that are dirty in @snap, or @all. */
static void lines_draw(VGAState *s, const VGAMode *mode, DirtyBitmapSnapshot *snap, bool all)
{
    g_autofree uint8_t *bytes = g_malloc(mode->line_bytes);
    g_autofree uint8_t *dots = g_malloc((size_t)mode->line_bytes * 2 * mode->dot_width);
    const uint8_t *line = NULL;
    uint64_t last = UINT64_MAX; /* the address of the line above */
    unsigned last_pan = 0;
    Change change = { 0 };

    for (unsigned y = 0; y < mode->height; y++) {
        uint64_t addr = line_address(mode, y);
        unsigned pan = y > mode->split ? mode->split_pan : mode->pan;

        if (addr != last || pan != last_pan) {
            last = addr;
            last_pan = pan;
            line = all || line_is_dirty(s, mode, snap, addr)
                 ? line_draw(s, mode, addr, pan, bytes, dots) : NULL;
        }
        if (line) {
            line_put(s, mode, y, line, &change);
        }
    }
    change_tell(s, &change);
}

/* ---- refresh -------------------------------------------------------------------------- */

/* Whether pixman can show it as it lies in VRAM. */
static bool mode_is_plain(const VGAState *s, const VGAMode *mode)
{
    return mode->kind == VGA_LINEAR && !mode->word_bits && mode->scans * mode->scan_lines == 1 &&
           !mode->bank[0] && !mode->bank[1] && mode->stride % 4 == 0 &&
           mode->start + (uint64_t)mode->stride * (mode->height - 1) + mode->line_bytes <=
           s->vram_size;
}

static void graphics_refresh(VGAState *s, const VGAMode *mode)
{
    VGADrawing *d = s->drawing;
    bool other = memcmp(mode, &d->mode, sizeof(*mode)) != 0;
    bool all = d->all || other;
    DirtyBitmapSnapshot *snap;

    if (mode_is_plain(s, mode)) {
        if (other) {
            framebuffer_set(&s->fb, &s->vram, mode->start, mode->width, mode->height,
                            mode->stride, mode->format,
                            mode->format == PIXMAN_c8 ? &d->palette : NULL);
            picture_drop(d);
        }
        framebuffer_refresh(&s->fb);
        return;
    }
    snap = memory_region_snapshot_and_clear_dirty(&s->vram, 0, s->vram_size,
                                                  DIRTY_MEMORY_VGA);
    if (vga_picture(s, mode->format, mode->width, mode->height)) {
        lines_draw(s, mode, NULL, true);
        vga_picture_show(s);
    } else if (all || snap) {
        lines_draw(s, mode, snap, all);
    }
    g_free(snap);
}

static void blank_refresh(VGAState *s)
{
    if (s->drawing->mode.kind != VGA_BLANK) {
        picture_drop(s->drawing);
        console_set_image(s->console, NULL);
    }
}

static void vga_refresh(void *opaque)
{
    VGAState *s = opaque;
    VGADrawing *d = s->drawing;
    bool recoloured;
    VGAMode mode;

    memory_flush_coalesced(); /* what was written to the window and is yet to come */
    recoloured = palette_update(s);
    mode_read(s, &mode);
    switch (mode.kind) {
    case VGA_BLANK:
        blank_refresh(s);
        break;
    case VGA_TEXT:
        vga_text_refresh(s);
        break;
    default:
        graphics_refresh(s, &mode);
        break;
    }
    if (d->tell_all || (recoloured && (mode.kind == VGA_TEXT || mode.format == PIXMAN_c8))) {
        console_changed(s->console, 0, 0, CONSOLE_SIZE_MAX, CONSOLE_SIZE_MAX);
    }
    d->mode = mode;
    d->all = d->tell_all = false;
}

/* ---- the console ------------------------------------------------------------------------ */

void vga_draw_invalidate(VGAState *s)
{
    s->drawing->all = true;
}

static void vga_invalidate(void *opaque)
{
    VGAState *s = opaque;

    s->drawing->all = s->drawing->tell_all = true;
}

static void vga_watch(void *opaque, bool watched)
{
    VGAState *s = opaque;

    s->drawing->watched = watched;
    memory_region_set_log(&s->vram, watched, DIRTY_MEMORY_VGA);
}

static bool vga_text(void *opaque, ConsoleText *text)
{
    return vga_text_cells(opaque, text);
}

static void vga_suggest_size(void *opaque, unsigned width, unsigned height)
{
    VGAState *s = opaque;

    if (s->suggest_size) {
        s->suggest_size(s, width, height);
    }
}

static const ConsoleOps vga_console_ops = {
    .refresh = vga_refresh,
    .invalidate = vga_invalidate,
    .watch = vga_watch,
    .text = vga_text,
    .suggest_size = vga_suggest_size,
};

bool vga_draw_init(VGAState *s, GError **err)
{
    s->drawing = g_new0(VGADrawing, 1);
    s->drawing->palette.color = true;
    s->drawing->text = vga_text_new();
    s->drawing->all = true;
    s->console = console_new(s->dev, 0, &vga_console_ops, s);
    s->fb.console = s->console;
    return true;
}

void vga_draw_cleanup(VGAState *s)
{
    console_free(s->console);
    s->console = NULL;
    picture_drop(s->drawing);
    vga_text_free(s->drawing->text);
    g_free(s->drawing);
    s->drawing = NULL;
}
