/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rendering: the graph below a region as flat ranges. Each region draws its
 * own backing, and over it its subregions, from the bottommost up; everything
 * is clipped to a window that shrinks on the way down.
 */
#include "memory-internal.h"

/* A window onto a region: its addresses @first to @last, which are shown
 * @delta (modulo 2^64) further up in the address space. Never empty. */
typedef struct Window {
    hwaddr first;
    hwaddr last;
    hwaddr delta;
    bool readonly;
} Window;

static void render(MemoryRegion *mr, Window w, FlatRanges *out);

/* What @mr shows by itself, without its subregions. */
static void render_backing(MemoryRegion *mr, Window w, FlatRanges *out)
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
        if (w.first > HWADDR_MAX - mr->alias_offset) {
            return; /* behind the end of any region */
        }
        w.first += mr->alias_offset;
        w.last = w.last > HWADDR_MAX - mr->alias_offset
                     ? HWADDR_MAX : w.last + mr->alias_offset;
        w.delta -= mr->alias_offset;
        render(mr->alias, w, out);
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
    mr->visible = true;
    flat_ranges_append(out, &range);
}

/* The window that @w, onto the parent, gives onto @sub; false if none. */
static bool window_onto(Window *w, const MemoryRegion *sub)
{
    unsigned __int128 end = (unsigned __int128)sub->addr + sub->size;

    if (!sub->size || sub->addr > w->last || end <= w->first) {
        return false;
    }
    w->first = MAX(w->first, sub->addr) - sub->addr;
    w->last = (end > w->last ? w->last : (hwaddr)(end - 1)) - sub->addr;
    w->delta += sub->addr;
    return true;
}

/* Subregions @lo to @hi - 1, bottommost first. Halving keeps the work at
 * O(n log n) for any order and overlap. */
static void render_subregions(MemoryRegion *mr, unsigned lo, unsigned hi,
                              Window w, FlatRanges *out)
{
    if (hi - lo == 1) {
        MemoryRegion *sub = g_ptr_array_index(mr->subregions, lo);

        if (sub->enabled && window_onto(&w, sub)) {
            render(sub, w, out);
        }
        return;
    }

    unsigned start = out->len, half = lo + (hi - lo) / 2, mid;

    render_subregions(mr, lo, half, w, out);
    mid = out->len;
    render_subregions(mr, half, hi, w, out);
    flat_ranges_overlay(out, start, mid);
}

/* Append what @w shows of the enabled region @mr. */
static void render(MemoryRegion *mr, Window w, FlatRanges *out)
{
    if (!mr->enabled || w.first >= mr->size) {
        return;
    }
    if (w.last >= mr->size) {
        w.last = (hwaddr)(mr->size - 1);
    }
    w.readonly |= mr->readonly;

    unsigned start = out->len, mid;

    render_backing(mr, w, out);
    mid = out->len;
    if (mr->subregions && mr->subregions->len) {
        render_subregions(mr, 0, mr->subregions->len, w, out);
        flat_ranges_overlay(out, start, mid);
    }
}

void memory_region_render(MemoryRegion *root, FlatRanges *out)
{
    render(root, (Window){ .last = HWADDR_MAX }, out);
}
