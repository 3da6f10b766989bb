/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text on a VGA: a character and an attribute in planes 0 and 1, fonts of 32 bytes for
 * each character in plane 2. Registers as in IBM's "PS/2 Hardware Interface Technical
 * Reference: Video Subsystems".
 *
 * What each cell shows, with colours, blinking and the cursor worked out, is compared
 * with what it showed last, and so is each character of the fonts: only cells that look
 * otherwise are drawn.
 */
#include "hw/display/vga-draw.h"

#include <string.h>

#include "hw/core/clock.h"

#define CLOCKING_8_DOTS 0x01  /* sr[1] */
#define CLOCKING_HALF 0x08
#define CURSOR_OFF 0x20       /* cr[0xa] */
#define SCAN_MASK 0x1f
#define DOUBLE_SCAN 0x80      /* cr[9] */
#define ATTR_LINE_GRAPHICS 0x04 /* ar[0x10] */
#define ATTR_BLINK 0x08
#define ATTR_SPLIT_PAN 0x20

#define CHARACTERS 256
#define GLYPH_LINES 32
#define CELL_BYTES 4          /* in VRAM: a byte of each plane */
#define FONT_BYTES (CHARACTERS * GLYPH_LINES * CELL_BYTES)
/* Line graphics of code page 437: of 9 dots, the last one is as the eighth. */
#define LINES_FIRST 0xb0
#define LINES_LAST 0xdf

/* More cells than this are registers on their way from one mode to another: the picture
 * stays as it is. */
#define CELLS_MAX (160 * 100)

/* The cursor is seen for 16 frames of 60 Hz, then hidden for 16; characters half as
 * often. */
#define BLINK_NS (1000000000ll * 16 / 60)

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))

/* A part of the screen with rows of its own: all, or above and below the split. */
typedef struct TextPart {
    unsigned top, bottom;    /* lines of the picture, the last one excluded */
    unsigned row_scan;       /* lines of its first row that are not seen */
    unsigned pan;            /* dots of each row that are not seen */
} TextPart;

/* All that decides where cells are and how they look, but for what is in them; all zero
 * before it is filled in, so that two compare as memory. */
typedef struct TextLayout {
    unsigned columns, rows;  /* of the picture */
    unsigned glyph_dots, glyph_lines;
    unsigned dot_width, line_height; /* pixels of a dot, of a line of a glyph */
    bool line_graphics;
    unsigned cursor_first, cursor_last; /* lines of a glyph; first > last: none */
    unsigned parts_nr;
    TextPart parts[2];
    uint32_t fonts[2];       /* where they begin in VRAM: for attributes without bit 3, */
    uint8_t colours[16];     /* and with it; numbers in the DAC */
} TextLayout;

/* What decides what is in the cells, but for VRAM; compared in the same way. */
typedef struct TextView {
    uint64_t start;          /* of the first row above the split */
    unsigned stride;
    bool blinks;             /* attributes with bit 7, which is no colour then, */
    bool hidden;             /* and are not to be seen now */
    uint64_t cursor;         /* its cell; UINT64_MAX: not to be seen now */
} TextView;

/* What a cell shows. */
#define SHOWN_CHARACTER(shown) ((shown) & 0xff)
#define SHOWN_FOREGROUND(shown) ((shown) >> 8 & 0xf)
#define SHOWN_BACKGROUND(shown) ((shown) >> 12 & 0xf)
#define SHOWN_FONT(shown) ((shown) >> 16 & 1)
#define SHOWN_CURSOR 0x20000u

struct VGAText {
    TextLayout layout;       /* drawn last; all zero: no picture of text */
    TextView view;
    uint8_t fonts[2][CHARACTERS][GLYPH_LINES];
    bool glyph_changed[2][CHARACTERS];
    GArray *shown;           /* uint32_t, of each cell in the order they are drawn */
    ConsoleCell *cells;      /* what vga_text_cells() gave last */
};

VGAText *vga_text_new(void)
{
    VGAText *t = g_new0(VGAText, 1);

    t->shown = g_array_new(false, true, sizeof(uint32_t));
    return t;
}

void vga_text_free(VGAText *t)
{
    g_array_unref(t->shown);
    g_free(t->cells);
    g_free(t);
}

/* ---- what the registers say ----------------------------------------------------------- */

static unsigned text_lines(const VGAState *s)
{
    return (s->cr[0x12] | (s->cr[7] & 0x02) << 7 | (s->cr[7] & 0x40) << 3) + 1;
}

static unsigned text_pan(const VGAState *s, unsigned glyph_dots)
{
    unsigned pan = s->ar[0x13] & 0xf;

    if (glyph_dots == 9) { /* 8 means none, 0 means one */
        return pan > 7 ? 0 : pan + 1;
    }
    return pan > 7 ? 0 : pan;
}

/* Where the character sets begin in VRAM. */
static void font_addresses(const VGAState *s, uint32_t addr[2])
{
    unsigned sets = s->sr[3];
    unsigned set[2] = { (sets & 3) << 1 | (sets >> 4 & 1),
                        (sets >> 1 & 6) | (sets >> 5 & 1) };

    for (unsigned i = 0; i < 2; i++) {
        /* Sets 0 to 3 are 16 KiB apart, 4 to 7 lie between them. */
        addr[i] = ((set[i] >> 1) * 0x4000 + (set[i] & 1) * 0x2000) * CELL_BYTES;
    }
}

/* False: nothing that could be shown. */
static bool text_layout(const VGAState *s, TextLayout *l)
{
    unsigned row_height, height, split;
    TextPart *part = l->parts;

    memset(l, 0, sizeof(*l));
    l->glyph_lines = (s->cr[9] & SCAN_MASK) + 1;
    l->line_height = s->cr[9] & DOUBLE_SCAN ? 2 : 1;
    l->dot_width = s->sr[1] & CLOCKING_HALF ? 2 : 1;
    /* Nine dots of twice the width would not give a size that anybody expects. */
    l->glyph_dots = s->sr[1] & (CLOCKING_8_DOTS | CLOCKING_HALF) ? 8 : 9;
    l->columns = s->cr[1] + 1;
    row_height = l->glyph_lines * l->line_height;
    l->rows = text_lines(s) / row_height;
    if (l->columns * l->rows <= 1 || l->columns * l->rows > CELLS_MAX) {
        return false;
    }
    font_addresses(s, l->fonts);
    l->line_graphics = s->ar[0x10] & ATTR_LINE_GRAPHICS;
    vga_colours(s, l->colours);
    l->cursor_first = s->cr[0xa] & SCAN_MASK;
    l->cursor_last = s->cr[0xb] & SCAN_MASK;

    height = l->rows * row_height;
    split = vga_split(s) + 1;
    *part = (TextPart){ .bottom = MIN(split, height),
                        .row_scan = (s->cr[8] & SCAN_MASK) % l->glyph_lines * l->line_height,
                        .pan = text_pan(s, l->glyph_dots) };
    l->parts_nr = 1;
    if (split < height) {
        part[1] = (TextPart){ .top = split, .bottom = height,
                              .pan = s->ar[0x10] & ATTR_SPLIT_PAN ? 0 : part->pan };
        l->parts_nr = 2;
    }
    return true;
}

/* Rows of which something is seen in @part. */
static unsigned part_rows(const TextLayout *l, const TextPart *part)
{
    return DIV_ROUND_UP(part->bottom - part->top + part->row_scan,
                        l->glyph_lines * l->line_height);
}

static unsigned part_columns(const TextLayout *l, const TextPart *part)
{
    return l->columns + (part->pan > 0);
}

/* Blinking is seen by those who look all the time; a picture of a moment shows all. */
static bool blink_hidden(const VGAState *s, unsigned periods)
{
    return s->drawing->watched && clock_virtual_ns() / BLINK_NS / periods & 1;
}

static void text_view(const VGAState *s, const TextLayout *l, TextView *view)
{
    memset(view, 0, sizeof(*view));
    view->start = vga_start(s);
    view->stride = vga_stride(s);
    view->blinks = s->ar[0x10] & ATTR_BLINK;
    view->hidden = view->blinks && blink_hidden(s, 2);
    view->cursor = UINT64_MAX;
    if (!(s->cr[0xa] & CURSOR_OFF) && l->cursor_first <= l->cursor_last &&
        !blink_hidden(s, 1)) {
        view->cursor = (s->cr[0xe] << 8 | s->cr[0xf]) * CELL_BYTES;
    }
}

/* ---- fonts ---------------------------------------------------------------------------- */

/* Look at the fonts, and mark the characters that have changed. */
static void fonts_update(VGAState *s)
{
    VGAText *t = s->drawing->text;
    const uint32_t *addr = t->layout.fonts;

    for (unsigned font = 0; font < 2; font++) {
        for (unsigned ch = 0; ch < CHARACTERS; ch++) {
            uint8_t *glyph = t->fonts[font][ch];
            bool changed = false;

            for (unsigned i = 0; i < t->layout.glyph_lines; i++) {
                uint8_t bits = vga_byte(s, addr[font] +
                                           (ch * GLYPH_LINES + i) * CELL_BYTES + 2);

                changed |= glyph[i] != bits;
                glyph[i] = bits;
            }
            t->glyph_changed[font][ch] = changed;
        }
    }
}

/* ---- cells ---------------------------------------------------------------------------- */

static uint32_t cell_shown(const VGAState *s, uint64_t addr)
{
    const TextView *view = &s->drawing->text->view;
    uint8_t character = vga_byte(s, addr);
    uint8_t attribute = vga_byte(s, addr + 1);
    unsigned foreground = attribute & 0xf, background = attribute >> 4;
    unsigned font = attribute >> 3 & 1;

    if (view->blinks) {
        background &= 7;
        if (attribute & 0x80 && view->hidden) {
            foreground = background;
        }
    }
    return character | foreground << 8 | background << 12 | font << 16 |
           (addr == view->cursor ? SHOWN_CURSOR : 0);
}

/* A line of the glyph: @width dots, the leftmost in the highest bit. */
static unsigned glyph_line(const VGAText *t, uint32_t shown, unsigned line)
{
    const TextLayout *l = &t->layout;
    unsigned character = SHOWN_CHARACTER(shown);
    unsigned bits = t->fonts[SHOWN_FONT(shown)][character][line];

    if (shown & SHOWN_CURSOR && line >= l->cursor_first && line <= l->cursor_last) {
        return (1u << l->glyph_dots) - 1;
    }
    if (l->glyph_dots == 9) {
        bool joined = l->line_graphics && character >= LINES_FIRST && character <= LINES_LAST;

        return bits << 1 | (joined && bits & 1);
    }
    return bits;
}

/* Draw the cell whose left top corner would be at @x, @y, and tell of it if it was to be
 * seen before. */
static void cell_draw(VGAState *s, const TextPart *part, int x, int y, uint32_t shown,
                      bool tell)
{
    const VGAText *t = s->drawing->text;
    const TextLayout *l = &t->layout;
    pixman_image_t *image = s->drawing->image;
    uint8_t *pixels = (uint8_t *)pixman_image_get_data(image);
    unsigned stride = pixman_image_get_stride(image);
    uint8_t colours[2] = { l->colours[SHOWN_BACKGROUND(shown)],
                           l->colours[SHOWN_FOREGROUND(shown)] };
    int width = l->glyph_dots * l->dot_width, height = l->glyph_lines * l->line_height;
    int left = MAX(x, 0), right = MIN(x + width, pixman_image_get_width(image));
    int top = MAX(y, 0), bottom = MIN(y + height, (int)part->bottom);

    for (int line = top; line < bottom; line++) {
        unsigned bits = glyph_line(t, shown, (line - y) / l->line_height);
        uint8_t *to = pixels + (size_t)line * stride;

        for (int i = left; i < right; i++) {
            unsigned dot = (i - x) / l->dot_width;

            to[i] = colours[bits >> (l->glyph_dots - 1 - dot) & 1];
        }
    }
    if (tell) {
        console_changed(s->console, left, top, right - left, bottom - top);
    }
}

/* Draw the cells that show something else than they did, or are to be drawn @anew. */
static void cells_draw(VGAState *s, bool anew)
{
    VGAText *t = s->drawing->text;
    const TextLayout *l = &t->layout;
    unsigned row_height = l->glyph_lines * l->line_height;
    uint32_t *shown = (uint32_t *)t->shown->data;

    for (unsigned p = 0; p < l->parts_nr; p++) {
        const TextPart *part = &l->parts[p];
        uint64_t row_addr = p == 0 ? t->view.start : 0;
        int y = (int)part->top - (int)part->row_scan;

        for (unsigned row = 0; row < part_rows(l, part); row++, y += row_height) {
            int x = -(int)(part->pan * l->dot_width);
            uint64_t addr = row_addr;

            for (unsigned column = 0; column < part_columns(l, part); column++, shown++) {
                uint32_t now = cell_shown(s, addr);

                if (anew || now != *shown ||
                    t->glyph_changed[SHOWN_FONT(now)][SHOWN_CHARACTER(now)]) {
                    *shown = now;
                    cell_draw(s, part, x, y, now, !anew);
                }
                x += l->glyph_dots * l->dot_width;
                addr += CELL_BYTES;
            }
            row_addr += t->view.stride;
        }
    }
}

static void layout_set(VGAText *t, const TextLayout *layout)
{
    unsigned cells = 0;

    t->layout = *layout;
    for (unsigned p = 0; p < layout->parts_nr; p++) {
        cells += part_rows(layout, &layout->parts[p]) *
                 part_columns(layout, &layout->parts[p]);
    }
    g_array_set_size(t->shown, cells);
}

void vga_text_refresh(VGAState *s)
{
    VGADrawing *d = s->drawing;
    VGAText *t = d->text;
    DirtyBitmapSnapshot *snap;
    TextLayout layout;
    TextView view;
    bool anew, other;

    if (d->mode.kind != VGA_TEXT) {
        memset(&t->layout, 0, sizeof(t->layout));
    }
    if (!text_layout(s, &layout)) {
        return;
    }
    text_view(s, &layout, &view);
    snap = memory_region_snapshot_and_clear_dirty(&s->vram, 0, s->vram_size,
                                                  DIRTY_MEMORY_VGA);
    other = vga_picture(s, PIXMAN_c8, layout.columns * layout.glyph_dots * layout.dot_width,
                        layout.rows * layout.glyph_lines * layout.line_height);
    anew = other || memcmp(&layout, &t->layout, sizeof(layout)) != 0;
    if (anew) {
        layout_set(t, &layout);
    }
    if (anew || d->all || snap || memcmp(&view, &t->view, sizeof(view)) != 0) {
        t->view = view;
        fonts_update(s);
        cells_draw(s, anew);
    }
    if (other) {
        vga_picture_show(s);
    } else if (anew) {
        console_changed(s->console, 0, 0, CONSOLE_SIZE_MAX, CONSOLE_SIZE_MAX);
    }
    g_free(snap);
}

/* ---- text as characters ------------------------------------------------------------------ */

bool vga_text_cells(VGAState *s, ConsoleText *text)
{
    VGAText *t = s->drawing->text;
    TextLayout l;
    TextView view;

    if (s->gr[6] & 1 || !(s->ar_index & 0x20) || !text_layout(s, &l) ||
        l.columns > CONSOLE_COLUMNS_MAX || l.rows > CONSOLE_ROWS_MAX) {
        return false;
    }
    text_view(s, &l, &view);
    t->cells = g_renew(ConsoleCell, t->cells, l.rows * l.columns);
    *text = (ConsoleText){ .columns = l.columns, .rows = l.rows, .cells = t->cells };
    for (unsigned row = 0; row < l.rows; row++) {
        unsigned line = row * l.glyph_lines * l.line_height;
        const TextPart *below = l.parts_nr > 1 && line >= l.parts[1].top ? &l.parts[1] : NULL;
        unsigned part_row = below ? (line - below->top) / (l.glyph_lines * l.line_height) : row;
        uint64_t addr = (below ? 0 : view.start) + (uint64_t)part_row * view.stride;

        for (unsigned column = 0; column < l.columns; column++, addr += CELL_BYTES) {
            t->cells[row * l.columns + column] =
                (ConsoleCell){ vga_byte(s, addr), vga_byte(s, addr + 1) };
            if (addr == view.cursor) {
                text->cursor = true;
                text->cursor_column = column;
                text->cursor_row = row;
            }
        }
    }
    return true;
}
