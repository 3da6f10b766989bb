/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rendering: a part of what a region shows, as flat ranges. Each region draws
 * its subregions, the topmost first, and under them its own backing; everything
 * is clipped to a window that shrinks on the way down. What is hidden as a
 * whole is not looked at.
 */
#include <stdlib.h>

#include "memory-internal.h"

/* What a container and a halving of its subregions take of the stack, in units
 * of some 100 bytes; and all together may take, whoever commits: vCPUs have the
 * least room, see cpus.c. */
#define DEPTH_OF_CONTAINER 3
#define DEPTH_OF_HALVING 1
#define DEPTH_MAX 10000

/* Ranges put aside and back in the time of one step: in deep nests of what
 * overlaps, that is most of the work. */
#define LIFTS_PER_STEP 4

/* The painter's memory is kept for the next time if it drew no more ranges. */
#define KEEP_MAX 10000

/* A window onto a region: its addresses @first to @last, which are shown
 * @delta (modulo 2^64) further up in the address space. Never empty. */
typedef struct Window {
    hwaddr first;
    hwaddr last;
    hwaddr delta;
    bool readonly;
} Window;

/* One at a time, under the memory lock. Kept from use to use. */
static struct {
    FlatRanges *out;
    FlatRanges *above; /* parts that wait for what is to be drawn under them */
    GPtrArray *hits;   /* subregions to draw, level by level */
    unsigned steps;
    unsigned depth;
} painter;

static void draw(MemoryRegion *mr, Window w);

static bool too_much(void)
{
    if (painter.depth > DEPTH_MAX) {
        painter.steps = RENDER_STEPS_MAX + 1;
    }
    return painter.steps > RENDER_STEPS_MAX;
}

/* ---- layers -------------------------------------------------------------- */

/* Shrink @w to what the ranges from @start on leave of it; false if nothing. */
static bool window_uncovered(Window *w, unsigned start)
{
    hwaddr first = w->first + w->delta, last = w->last + w->delta;
    const FlatRange *ranges = (const FlatRange *)painter.out->data;
    unsigned end = painter.out->len;

    for (; start < end && ranges[start].first <= first; start++) {
        if (ranges[start].last >= last) {
            return false;
        }
        first = ranges[start].last + 1;
    }
    for (; start < end && ranges[end - 1].last >= last; end--) {
        last = ranges[end - 1].first - 1;
    }
    w->first = first - w->delta;
    w->last = last - w->delta;
    return true;
}

/* Take away the ranges from @start on, to be put over what is drawn next. */
static unsigned layer_lift(unsigned start)
{
    unsigned place = painter.above->len, nr = painter.out->len - start;

    painter.steps += nr / LIFTS_PER_STEP;
    g_array_append_vals(painter.above,
                        &g_array_index(painter.out, FlatRange, start), nr);
    g_array_set_size(painter.out, start);
    return place;
}

/* Put what was lifted over what has been drawn from @start on. */
static void layer_lower(unsigned start, unsigned place)
{
    unsigned mid = painter.out->len;

    if (too_much()) {
        return;
    }
    g_array_append_vals(painter.out,
                        &g_array_index(painter.above, FlatRange, place),
                        painter.above->len - place);
    g_array_set_size(painter.above, place);
    flat_ranges_overlay(painter.out, start, mid);
}

/* ---- one region ---------------------------------------------------------- */

/* The window that @w, onto the alias @mr, gives onto its target. */
static bool window_through(Window *w, const MemoryRegion *mr)
{
    if (w->first > HWADDR_MAX - mr->alias_offset) {
        return false; /* behind the end of any region */
    }
    w->first += mr->alias_offset;
    w->last = w->last > HWADDR_MAX - mr->alias_offset
                  ? HWADDR_MAX : w->last + mr->alias_offset;
    w->delta -= mr->alias_offset;
    return true;
}

/* What @mr shows by itself, without its subregions. */
static void draw_backing(MemoryRegion *mr, Window w)
{
    FlatRange range = {
        .first = w.first + w.delta,
        .last = w.last + w.delta,
        .offset = w.first,
        .mr = mr,
        .readonly = w.readonly && mr->kind == MEMORY_REGION_RAM,
        .dirty_log_mask = mr->dirty_log_mask,
    };

    switch ((MemoryRegionKind)mr->kind) {
    case MEMORY_REGION_CONTAINER:
        return;
    case MEMORY_REGION_ALIAS:
        if (window_through(&w, mr)) {
            draw(mr->alias, w);
        }
        return;
    case MEMORY_REGION_RAM:
        range.host = mr->ram_block->host + w.first;
        break;
    case MEMORY_REGION_ROM_DEVICE:
        range.romd = mr->romd_mode;
        if (range.romd) {
            range.host = mr->ram_block->host + w.first;
        }
        break;
    case MEMORY_REGION_IO:
    case MEMORY_REGION_RESERVATION:
        break;
    }
    g_array_append_val(painter.out, range);
}

/* ---- subregions ---------------------------------------------------------- */

static MemoryRegion *hit_at(unsigned i)
{
    return g_ptr_array_index(painter.hits, i);
}

/* Draw the subregion @sub, which touches @w, a window onto its parent. */
static void draw_subregion(MemoryRegion *sub, Window w)
{
    hwaddr last = region_last_at(sub, sub->addr);

    w.first = MAX(w.first, sub->addr) - sub->addr;
    w.last = MIN(w.last, last) - sub->addr;
    w.delta += sub->addr;
    draw(sub, w);
}

/* Hits @lo to @hi - 1, topmost first. Halving keeps the work at O(n log n) for
 * any order and overlap. */
static void draw_layers(unsigned lo, unsigned hi, Window w)
{
    unsigned start = painter.out->len, half = lo + (hi - lo) / 2, place;

    if (hi - lo == 1) {
        MemoryRegion *sub = hit_at(lo);

        if (sub->addr <= w.last && region_last_at(sub, sub->addr) >= w.first) {
            draw_subregion(sub, w);
        }
        return;
    }
    painter.depth += DEPTH_OF_HALVING;
    draw_layers(lo, half, w);
    if (!too_much() && window_uncovered(&w, start)) {
        place = layer_lift(start);
        draw_layers(half, hi, w);
        layer_lower(start, place);
    }
    painter.depth -= DEPTH_OF_HALVING;
}

static int compare_layers(const void *va, const void *vb)
{
    const MemoryRegion *a = *(MemoryRegion *const *)va;
    const MemoryRegion *b = *(MemoryRegion *const *)vb;

    return region_is_above(a, b) ? -1 : 1;
}

/* Whether no two of the hits from @base on, in order of address, overlap. */
static bool hits_apart(unsigned base)
{
    for (unsigned i = base + 1; i < painter.hits->len; i++) {
        const MemoryRegion *before = hit_at(i - 1);

        if (region_last_at(before, before->addr) >= hit_at(i)->addr) {
            return false;
        }
    }
    return true;
}

static void draw_subregions(MemoryRegion *mr, Window w)
{
    unsigned base = painter.hits->len, end;

    region_index_touching(mr, true, w.first, w.last, painter.hits);
    end = painter.hits->len;
    painter.steps += end - base;
    if (hits_apart(base)) {
        for (unsigned i = base; i < end; i++) {
            draw_subregion(hit_at(i), w);
        }
    } else {
        qsort(&painter.hits->pdata[base], end - base, sizeof(void *),
              compare_layers);
        draw_layers(base, end, w);
    }
    g_ptr_array_set_size(painter.hits, (int)base);
}

/* Append what @w shows of @mr. */
static void draw(MemoryRegion *mr, Window w)
{
    unsigned start = painter.out->len, place;

    for (;;) {
        painter.steps++;
        if (!mr->enabled || w.first >= mr->size || too_much()) {
            return;
        }
        if (w.last >= mr->size) {
            w.last = (hwaddr)(mr->size - 1);
        }
        w.readonly |= mr->readonly;
        if (mr->subregions[true]) {
            break;
        }
        if (!mr->alias) {
            draw_backing(mr, w);
            return;
        }
        if (!window_through(&w, mr)) {
            return;
        }
        mr = mr->alias; /* a chain of aliases takes no stack */
    }
    painter.depth += DEPTH_OF_CONTAINER;
    draw_subregions(mr, w);
    if (mr->kind != MEMORY_REGION_CONTAINER && !too_much() &&
        window_uncovered(&w, start)) {
        place = layer_lift(start);
        draw_backing(mr, w);
        layer_lower(start, place);
    }
    painter.depth -= DEPTH_OF_CONTAINER;
}

bool memory_region_render(MemoryRegion *root, hwaddr first, hwaddr last,
                          FlatRanges *out)
{
    if (!painter.out) {
        painter.out = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        painter.above = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        painter.hits = g_ptr_array_new();
    }
    painter.steps = 0;
    g_array_set_size(painter.out, 0);
    g_array_set_size(painter.above, 0); /* some is left where it was too much */
    draw(root, (Window){ .first = first, .last = last });
    for (unsigned i = 0; i < painter.out->len; i++) {
        flat_ranges_append(out, &g_array_index(painter.out, FlatRange, i));
    }
    if (painter.out->len > KEEP_MAX) {
        g_clear_pointer(&painter.out, g_array_unref);
        g_clear_pointer(&painter.above, g_array_unref);
        g_clear_pointer(&painter.hits, g_ptr_array_unref);
    }
    return painter.steps <= RENDER_STEPS_MAX;
}
