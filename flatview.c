/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flat view as a data structure: ordered, disjoint ranges, how two layers
 * of them become one, and how long a published view lives. Knows no graph.
 */
#include <string.h>

#include "memory-internal.h"
#include "rcu.h"

#ifdef RCU_TSAN
char memory_rcu_token;
#endif

/* Retired views are freed this many at a time, or sooner when they are large:
 * a wait for readers is shared between them. */
#define RETIRED_MAX 64
#define RETIRED_BYTES_MAX (1024 * 1024)

/* Under the memory lock. */
static struct {
    FlatView *retired;
    unsigned retired_nr;
    size_t retired_bytes;
    unsigned live_nr;
    size_t live_bytes;
} views;

static size_t flatview_bytes(const FlatView *view)
{
    return sizeof(*view) + (view->nr + 1) * sizeof(*view->ranges) +
           view->nodes_len * sizeof(*view->nodes);
}

bool flat_range_equal(const FlatRange *a, const FlatRange *b)
{
    return a->first == b->first && a->last == b->last && a->mr == b->mr &&
           a->offset == b->offset && a->readonly == b->readonly &&
           a->romd == b->romd;
}

/* Whether @b goes on, in the address space and in the region, where @a ends. */
static bool flat_range_continues(const FlatRange *a, const FlatRange *b)
{
    return a->mr == b->mr && a->last < b->first && a->last + 1 == b->first &&
           a->offset < b->offset &&
           b->offset - a->offset == b->first - a->first &&
           a->readonly == b->readonly && a->romd == b->romd &&
           a->dirty_log_mask == b->dirty_log_mask;
}

/* Drop everything of @range before @first. */
static void flat_range_cut_front(FlatRange *range, hwaddr first)
{
    hwaddr n = first - range->first;

    range->first = first;
    range->offset += n;
    if (range->host) {
        range->host += n;
    }
}

void flat_ranges_append(FlatRanges *list, const FlatRange *range)
{
    if (list->len) {
        FlatRange *last = &g_array_index(list, FlatRange, list->len - 1);

        if (flat_range_continues(last, range)) {
            last->last = range->last;
            return;
        }
    }
    g_array_append_val(list, *range);
}

/* Append what @bottom (@n ranges) shows where @top (@m ranges) has nothing,
 * and @top, in order. */
static void overlay_into(FlatRanges *out, const FlatRange *bottom, unsigned n,
                         const FlatRange *top, unsigned m)
{
    for (unsigned i = 0, j = 0; i < n || j < m;) {
        if (i == n || (j < m && top[j].last < bottom[i].first)) {
            flat_ranges_append(out, &top[j++]);
            continue;
        }

        FlatRange rest = bottom[i++];
        bool hidden = false;

        while (j < m && top[j].first <= rest.last) {
            if (rest.first < top[j].first) {
                FlatRange piece = rest;

                piece.last = top[j].first - 1;
                flat_ranges_append(out, &piece);
            }
            if (top[j].last >= rest.last) {
                hidden = true; /* and may hide more of the bottom */
                break;
            }
            if (top[j].last >= rest.first) {
                flat_range_cut_front(&rest, top[j].last + 1);
            }
            flat_ranges_append(out, &top[j++]);
        }
        if (!hidden) {
            flat_ranges_append(out, &rest);
        }
    }
}

void flat_ranges_overlay(FlatRanges *list, unsigned start, unsigned mid)
{
    FlatRange *ranges = (FlatRange *)list->data;

    if (start == mid || mid == list->len) {
        return;
    }
    /* The usual case: siblings that do not overlap, placed in order. */
    if (ranges[mid - 1].last < ranges[mid].first) {
        if (flat_range_continues(&ranges[mid - 1], &ranges[mid])) {
            ranges[mid - 1].last = ranges[mid].last;
            g_array_remove_index(list, mid);
        }
        return;
    }

    FlatRanges *merged = g_array_sized_new(FALSE, FALSE, sizeof(FlatRange),
                                           list->len - start);

    overlay_into(merged, ranges + start, mid - start, ranges + mid,
                 list->len - mid);
    g_array_set_size(list, start);
    g_array_append_vals(list, merged->data, merged->len);
    g_array_free(merged, TRUE);
}

FlatView *flatview_new(const FlatRanges *list)
{
    FlatView *view = g_new0(FlatView, 1);

    view->nr = list->len;
    view->ranges = g_new(FlatRange, view->nr + 1);
    if (view->nr) {
        memcpy(view->ranges, list->data, view->nr * sizeof(FlatRange));
    }
    view->ranges[view->nr] = (FlatRange){ .first = HWADDR_MAX,
                                          .last = HWADDR_MAX };
    flatview_build_dispatch(view);
    views.live_nr++;
    views.live_bytes += flatview_bytes(view);
    return view;
}

static void flatview_free(FlatView *view)
{
    views.live_nr--;
    views.live_bytes -= flatview_bytes(view);
    g_free(view->ranges);
    g_free(view->nodes);
    g_free(view);
}

void flatview_reclaim(void)
{
    FlatView *view = views.retired;

    if (!view) {
        return;
    }
    memory_rcu_synchronize();
    views.retired = NULL;
    views.retired_nr = 0;
    views.retired_bytes = 0;
    while (view) {
        FlatView *next = view->next_retired;

        flatview_free(view);
        view = next;
    }
}

void flatview_retire(FlatView *view)
{
    view->next_retired = views.retired;
    views.retired = view;
    views.retired_bytes += flatview_bytes(view);
    if (++views.retired_nr >= RETIRED_MAX ||
        views.retired_bytes >= RETIRED_BYTES_MAX) {
        flatview_reclaim();
    }
}

unsigned flatview_live_count(void)
{
    return views.live_nr;
}

size_t flatview_live_bytes(void)
{
    return views.live_bytes;
}

unsigned flatview_find(const FlatView *view, hwaddr addr)
{
    unsigned lo = 0, hi = view->nr;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (view->ranges[mid].last < addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}
