/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The classic way to flatten a graph and tell what changed; see baseline.h.
 */
#include "baseline.h"

#include <assert.h>
#include <string.h>

/* One version of the map. */
typedef struct View {
    FlatRange *ranges; /* ascending; one more at the end has no region */
    unsigned nr;
    uint32_t root; /* page descriptors, see below */
    uint32_t *nodes;
    size_t nodes_len; /* words in use */
    GArray *doorbells, *zones;
} View;

struct Baseline {
    MemoryRegion *root;
    AddressSpace *as;
    View *view;
    GArray *deletions, *additions; /* BaselineEvent */
    unsigned unchanged;
    FlatRanges *list; /* scratch, from commit to commit */
    GPtrArray *subs;
};

/* ---- lists of ranges --------------------------------------------------------------- */

static bool ranges_equal(const FlatRange *a, const FlatRange *b)
{
    return a->first == b->first && a->last == b->last && a->mr == b->mr &&
           a->offset == b->offset && a->readonly == b->readonly &&
           a->romd == b->romd;
}

/* Whether @b goes on, in the address space and in the region, where @a ends. */
static bool range_continues(const FlatRange *a, const FlatRange *b)
{
    return a->mr == b->mr && a->last < b->first && a->last + 1 == b->first &&
           a->offset < b->offset &&
           b->offset - a->offset == b->first - a->first &&
           a->readonly == b->readonly && a->romd == b->romd &&
           a->dirty_log_mask == b->dirty_log_mask;
}

static void list_append(FlatRanges *list, const FlatRange *range)
{
    if (list->len) {
        FlatRange *last = &g_array_index(list, FlatRange, list->len - 1);

        if (range_continues(last, range)) {
            last->last = range->last;
            return;
        }
    }
    g_array_append_val(list, *range);
}

static void cut_front(FlatRange *range, hwaddr first)
{
    hwaddr n = first - range->first;

    range->first = first;
    range->offset += n;
    if (range->host) {
        range->host += n;
    }
}

/* Append @top (@m ranges), and what @bottom (@n ranges) shows beside it. */
static void overlay_into(FlatRanges *out, const FlatRange *bottom, unsigned n,
                         const FlatRange *top, unsigned m)
{
    for (unsigned i = 0, j = 0; i < n || j < m;) {
        if (i == n || (j < m && top[j].last < bottom[i].first)) {
            list_append(out, &top[j++]);
            continue;
        }

        FlatRange rest = bottom[i++];
        bool hidden = false;

        while (j < m && top[j].first <= rest.last) {
            if (rest.first < top[j].first) {
                FlatRange piece = rest;

                piece.last = top[j].first - 1;
                list_append(out, &piece);
            }
            if (top[j].last >= rest.last) {
                hidden = true; /* and may hide more of the bottom */
                break;
            }
            if (top[j].last >= rest.first) {
                cut_front(&rest, top[j].last + 1);
            }
            list_append(out, &top[j++]);
        }
        if (!hidden) {
            list_append(out, &rest);
        }
    }
}

/* From @start the list holds what is below up to @mid, and what is above it. */
static void list_overlay(FlatRanges *list, unsigned start, unsigned mid)
{
    FlatRange *ranges = (FlatRange *)list->data;

    if (start == mid || mid == list->len) {
        return;
    }
    if (ranges[mid - 1].last < ranges[mid].first) {
        if (range_continues(&ranges[mid - 1], &ranges[mid])) {
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

/* ---- rendering ------------------------------------------------------------------------ */

/* A window onto a region: its addresses @first to @last, which are shown
 * @delta (modulo 2^64) further up in the address space. Never empty. */
typedef struct Window {
    hwaddr first;
    hwaddr last;
    hwaddr delta;
    bool readonly;
} Window;

static void render(Baseline *b, MemoryRegion *mr, Window w);

/* What @mr shows by itself, without its subregions. */
static void render_backing(Baseline *b, MemoryRegion *mr, Window w)
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
        render(b, mr->alias, w);
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
    list_append(b->list, &range);
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

/* Append the subregions from @mr down in the index that @w may show. */
static void gather(Baseline *b, MemoryRegion *mr, const Window *w)
{
    for (; mr; mr = mr->link.right) {
        assert(mr->enabled);
        gather(b, mr->link.left, w);
        if (mr->addr > w->last) {
            return;
        }
        if (mr->size && (unsigned __int128)mr->addr + mr->size > w->first) {
            g_ptr_array_add(b->subs, mr);
        }
    }
}

static int compare_height(const void *va, const void *vb)
{
    const MemoryRegion *x = *(MemoryRegion *const *)va;
    const MemoryRegion *y = *(MemoryRegion *const *)vb;

    return region_is_above(x, y) ? 1 : -1;
}

/* The subregions @lo to @hi - 1 of b->subs, bottommost first. Halving keeps
 * the work at O(n log n) for any order and overlap. */
static void render_layers(Baseline *b, unsigned lo, unsigned hi, Window w)
{
    if (hi - lo == 1) {
        MemoryRegion *sub = g_ptr_array_index(b->subs, lo);

        if (window_onto(&w, sub)) {
            render(b, sub, w);
        }
        return;
    }

    unsigned start = b->list->len, half = lo + (hi - lo) / 2, mid;

    render_layers(b, lo, half, w);
    mid = b->list->len;
    render_layers(b, half, hi, w);
    list_overlay(b->list, start, mid);
}

/* By address; only those that overlap need to be put in the order of height. */
static void render_subregions(Baseline *b, MemoryRegion *mr, Window w)
{
    unsigned base = b->list->len, start = b->subs->len, end, next, mid;

    gather(b, mr->subregions[true], &w);
    end = b->subs->len;
    for (unsigned i = start; i < end; i = next) {
        MemoryRegion *sub = g_ptr_array_index(b->subs, i);
        hwaddr first = sub->addr, last = region_last_at(sub, sub->addr);

        for (next = i + 1; next < end; next++) {
            sub = g_ptr_array_index(b->subs, next);
            assert(sub->addr >= first);
            if (sub->addr > last) {
                break;
            }
            first = sub->addr;
            last = MAX(last, region_last_at(sub, sub->addr));
        }
        if (next - i > 1) {
            qsort(b->subs->pdata + i, next - i, sizeof(gpointer),
                  compare_height);
        }
        mid = b->list->len;
        render_layers(b, i, next, w);
        list_overlay(b->list, base, mid);
    }
    g_ptr_array_set_size(b->subs, start);
}

/* Append what @w shows of @mr. */
static void render(Baseline *b, MemoryRegion *mr, Window w)
{
    if (!mr->enabled || w.first >= mr->size) {
        return;
    }
    if (w.last >= mr->size) {
        w.last = (hwaddr)(mr->size - 1);
    }
    w.readonly |= mr->readonly;

    unsigned start = b->list->len, mid;

    render_backing(b, mr, w);
    mid = b->list->len;
    if (mr->subregions[true]) {
        render_subregions(b, mr, w);
        list_overlay(b->list, start, mid);
    }
}

/* ---- page descriptors ----------------------------------------------------------------- */

/*
 * A descriptor is a 32-bit word for a block of addresses. It is the index of
 * the first of at most SCAN_MAX ranges that the block shows, or, with DESC_NODE
 * set, the position of a node that has one descriptor for each of the 64 equal
 * parts of the smallest block around those ranges. Blocks go down to single
 * bytes; levels that hold one part only are left out.
 */
#define DESC_NODE (1u << 31)
#define NODE_BITS 6
#define NODE_SIZE (1u << NODE_BITS)
#define NODE_WORDS (1 + NODE_SIZE) /* the shift of its parts, and descriptors */
#define SCAN_MAX 4

/* The descriptor of a block, addresses @first to @last, that shows a part of
 * the ranges @lo to @hi - 1 and of no others. */
static uint32_t build_descriptor(const FlatRange *ranges, GArray *words,
                                 unsigned lo, unsigned hi, hwaddr first,
                                 hwaddr last)
{
    if (hi - lo <= SCAN_MAX) {
        return lo;
    }

    unsigned shift = 0;
    size_t node = words->len;

    first = MAX(first, ranges[lo].first);
    last = MIN(last, ranges[hi - 1].last);
    while (shift + NODE_BITS < 64 &&
           first >> (shift + NODE_BITS) != last >> (shift + NODE_BITS)) {
        shift += NODE_BITS;
    }
    g_array_set_size(words, node + NODE_WORDS);
    g_array_index(words, uint32_t, node) = shift;

    hwaddr part_mask = ((hwaddr)1 << shift) - 1;
    hwaddr block = shift + NODE_BITS < 64
                       ? first & ~(((hwaddr)1 << (shift + NODE_BITS)) - 1)
                       : 0;

    for (unsigned i = 0; i < NODE_SIZE; i++) {
        hwaddr part_first = block | (hwaddr)i << shift;
        hwaddr part_last = part_first | part_mask;
        unsigned end;

        if (shift + NODE_BITS > 64 && i >> (64 - shift)) {
            break; /* behind 2^64: no look-up comes here */
        }
        while (lo < hi && ranges[lo].last < part_first) {
            lo++;
        }
        for (end = lo; end < hi && ranges[end].first <= part_last;) {
            end++;
        }

        uint32_t desc = build_descriptor(ranges, words, lo, end, part_first,
                                         part_last);

        g_array_index(words, uint32_t, node + 1 + i) = desc;
    }
    return DESC_NODE | (uint32_t)node;
}

const FlatRange *baseline_lookup(const Baseline *b, hwaddr addr)
{
    const View *view = b->view;
    uint32_t desc = view->root;

    while (desc & DESC_NODE) {
        const uint32_t *node = view->nodes + (desc & ~DESC_NODE);

        desc = node[1 + ((addr >> node[0]) & (NODE_SIZE - 1))];
    }

    const FlatRange *range = view->ranges + desc;

    for (unsigned i = 0; i < SCAN_MAX; i++, range++) {
        if (addr <= range->last) {
            return addr >= range->first && range->mr ? range : NULL;
        }
    }
    return NULL;
}

/* ---- doorbells and zones --------------------------------------------------------------- */

static uint64_t span(hwaddr first, hwaddr last)
{
    return last - first == UINT64_MAX ? UINT64_MAX : last - first + 1;
}

static MemoryRegionSection section_of(const Baseline *b, const FlatRange *range)
{
    return (MemoryRegionSection){
        .mr = range->mr,
        .address_space = b->root,
        .offset_within_region = range->offset,
        .size = span(range->first, range->last),
        .offset_within_address_space = range->first,
        .readonly = range->readonly,
        .last_within_address_space = range->last,
        .as = b->as,
    };
}

#define COMPARE(x, y) (((x) > (y)) - ((x) < (y)))
#define RETURN_IF_DIFFERENT(x, y)                                              \
    do {                                                                       \
        if ((x) != (y)) {                                                      \
            return COMPARE(x, y);                                              \
        }                                                                      \
    } while (0)

static int compare_doorbells(const void *va, const void *vb)
{
    const BaselineEvent *x = va, *y = vb;
    const MemoryRegionSection *s = &x->section, *t = &y->section;

    RETURN_IF_DIFFERENT(s->offset_within_address_space,
                        t->offset_within_address_space);
    RETURN_IF_DIFFERENT(s->size, t->size);
    RETURN_IF_DIFFERENT(x->match_data, y->match_data);
    RETURN_IF_DIFFERENT(x->data, y->data);
    RETURN_IF_DIFFERENT(x->e, y->e);
    RETURN_IF_DIFFERENT(s->mr, t->mr);
    return COMPARE(s->offset_within_region, t->offset_within_region);
}

/* Where the first byte of a zone is in its region. */
static hwaddr zone_offset(const BaselineEvent *zone)
{
    return zone->section.offset_within_region +
           (zone->addr - zone->section.offset_within_address_space);
}

static int compare_zones(const void *va, const void *vb)
{
    const BaselineEvent *x = va, *y = vb;

    RETURN_IF_DIFFERENT(x->addr, y->addr);
    RETURN_IF_DIFFERENT(x->len, y->len);
    RETURN_IF_DIFFERENT(x->section.mr, y->section.mr);
    return COMPARE(zone_offset(x), zone_offset(y));
}

/* A doorbell counts where a range shows all of it. */
static void collect_doorbells(const Baseline *b, const FlatRange *range,
                              GArray *out)
{
    const MemoryEventfds *list = range->mr->eventfds;
    hwaddr end = range->offset + (range->last - range->first);

    for (unsigned i = 0; list && i < list->nr; i++) {
        const MemoryEventfd *fd = &list->e[i];
        unsigned len = fd->size ? fd->size : 1;
        FlatRange part = *range;
        BaselineEvent bell = {
            .match_data = fd->match_data,
            .data = fd->data,
            .e = fd->e,
        };

        if (fd->addr < range->offset || fd->addr > end ||
            end - fd->addr < len - 1) {
            continue;
        }
        part.first += fd->addr - range->offset;
        part.last = part.first + (len - 1);
        part.offset = fd->addr;
        bell.section = section_of(b, &part);
        bell.section.size = fd->size;
        g_array_append_val(out, bell);
    }
}

static void collect_zones(const Baseline *b, const FlatRange *range, GArray *out)
{
    const GArray *list = range->mr->coalesced;
    unsigned __int128 end =
        (unsigned __int128)range->offset + (range->last - range->first) + 1;

    for (unsigned i = 0; list && i < list->len; i++) {
        const CoalescedRange *c = &g_array_index(list, CoalescedRange, i);
        hwaddr first = MAX(c->offset, range->offset);
        unsigned __int128 behind = MIN(c->offset + c->size, end);

        if (first >= behind) {
            continue;
        }

        BaselineEvent zone = {
            .section = section_of(b, range),
            .addr = range->first + (first - range->offset),
            .len = span(first, (hwaddr)(behind - 1)),
        };

        g_array_append_val(out, zone);
    }
}

/* ---- versions --------------------------------------------------------------------------- */

/* A version that shows the ranges in b->list. */
static View *view_new(const Baseline *b)
{
    View *view = g_new0(View, 1);
    GArray *words = g_array_new(FALSE, FALSE, sizeof(uint32_t));

    view->nr = b->list->len;
    view->ranges = g_new(FlatRange, view->nr + 1);
    if (view->nr) {
        memcpy(view->ranges, b->list->data, view->nr * sizeof(FlatRange));
    }
    view->ranges[view->nr] = (FlatRange){ .first = HWADDR_MAX,
                                          .last = HWADDR_MAX };
    view->root = build_descriptor(view->ranges, words, 0, view->nr, 0,
                                  HWADDR_MAX);
    view->nodes_len = words->len;
    view->nodes = g_memdup2(words->data, words->len * sizeof(uint32_t));
    g_array_free(words, TRUE);
    return view;
}

static void view_drop_doorbells(View *view)
{
    g_clear_pointer(&view->doorbells, g_array_unref);
    g_clear_pointer(&view->zones, g_array_unref);
}

static void view_free(View *view)
{
    view_drop_doorbells(view);
    g_free(view->ranges);
    g_free(view->nodes);
    g_free(view);
}

/* Whether @view shows the ranges in b->list, logging included. */
static bool view_is_rendered(const View *view, const Baseline *b)
{
    if (view->nr != b->list->len) {
        return false;
    }
    for (unsigned i = 0; i < view->nr; i++) {
        const FlatRange *x = &view->ranges[i];
        const FlatRange *y = &g_array_index(b->list, FlatRange, i);

        if (!ranges_equal(x, y) || x->host != y->host ||
            x->dirty_log_mask != y->dirty_log_mask) {
            return false;
        }
    }
    return true;
}

static void view_collect(const Baseline *b, View *view)
{
    view->doorbells = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    view->zones = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    for (unsigned i = 0; i < view->nr; i++) {
        collect_doorbells(b, &view->ranges[i], view->doorbells);
        collect_zones(b, &view->ranges[i], view->zones);
    }
    g_array_sort(view->doorbells, compare_doorbells);
    g_array_sort(view->zones, compare_zones);
}

/* ---- what is told -------------------------------------------------------------------------- */

static void tell_range(const Baseline *b, BaselineEventType type,
                       const FlatRange *range, GArray *out)
{
    BaselineEvent event = { .type = type, .section = section_of(b, range) };

    g_array_append_val(out, event);
}

/* One pass over the difference between two versions, of deletions or of
 * additions. Returns how many ranges they have in common. */
static unsigned tell_ranges(const Baseline *b, const View *old, const View *new,
                            bool deletions, GArray *out)
{
    unsigned i = 0, j = 0, unchanged = 0;

    while (i < old->nr || j < new->nr) {
        const FlatRange *x = &old->ranges[i], *y = &new->ranges[j];

        if (i < old->nr && j < new->nr && ranges_equal(x, y)) {
            if (deletions && x->dirty_log_mask && !y->dirty_log_mask) {
                tell_range(b, BASELINE_LOG_STOP, y, out);
            } else if (!deletions && !x->dirty_log_mask && y->dirty_log_mask) {
                tell_range(b, BASELINE_LOG_START, y, out);
            }
            unchanged++;
            i++;
            j++;
        } else if (j == new->nr || (i < old->nr && x->first <= y->first)) {
            if (deletions) {
                if (x->dirty_log_mask) {
                    tell_range(b, BASELINE_LOG_STOP, x, out);
                }
                tell_range(b, BASELINE_REGION_DEL, x, out);
            }
            i++;
        } else {
            if (!deletions) {
                tell_range(b, BASELINE_REGION_ADD, y, out);
                if (y->dirty_log_mask) {
                    tell_range(b, BASELINE_LOG_START, y, out);
                }
            }
            j++;
        }
    }
    return unchanged;
}

/* Tell, as @type, what the sorted list @mine has and @other has not. */
static void tell_sorted(BaselineEventType type, const GArray *mine,
                        const GArray *other,
                        int (*compare)(const void *, const void *), GArray *out)
{
    for (unsigned m = 0, o = 0; m < mine->len; m++) {
        BaselineEvent event = g_array_index(mine, BaselineEvent, m);
        int c = -1;

        while (o < other->len &&
               (c = compare(&g_array_index(other, BaselineEvent, o),
                            &event)) < 0) {
            o++;
        }
        if (o < other->len && c == 0) {
            o++;
            continue;
        }
        event.type = type;
        g_array_append_val(out, event);
    }
}

/* Doorbells and zones go before the ranges they lie in, and come after them. */
static void tell_deletions(const Baseline *b, const View *old, const View *new,
                           GArray *out)
{
    tell_sorted(BASELINE_EVENTFD_DEL, old->doorbells, new->doorbells,
                compare_doorbells, out);
    tell_sorted(BASELINE_COALESCED_DEL, old->zones, new->zones, compare_zones,
                out);
    tell_ranges(b, old, new, true, out);
}

static unsigned tell_additions(const Baseline *b, const View *old,
                               const View *new, GArray *out)
{
    unsigned unchanged = tell_ranges(b, old, new, false, out);

    tell_sorted(BASELINE_COALESCED_ADD, new->zones, old->zones, compare_zones,
                out);
    tell_sorted(BASELINE_EVENTFD_ADD, new->doorbells, old->doorbells,
                compare_doorbells, out);
    return unchanged;
}

/* ---- commits --------------------------------------------------------------------------------- */

Baseline *baseline_new(MemoryRegion *root, AddressSpace *as)
{
    Baseline *b = g_new0(Baseline, 1);

    b->root = root;
    b->as = as;
    b->list = g_array_new(FALSE, FALSE, sizeof(FlatRange));
    b->subs = g_ptr_array_new();
    b->deletions = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    b->additions = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    b->view = view_new(b);
    view_collect(b, b->view);
    return b;
}

void baseline_free(Baseline *b)
{
    view_free(b->view);
    g_array_unref(b->deletions);
    g_array_unref(b->additions);
    g_array_unref(b->list);
    g_ptr_array_unref(b->subs);
    g_free(b);
}

/* Show what is in b->list. */
static void update(Baseline *b)
{
    View *old = b->view, *view = old;
    View before = *old;

    g_array_set_size(b->deletions, 0);
    g_array_set_size(b->additions, 0);
    if (!view_is_rendered(old, b)) {
        view = view_new(b);
    } else {
        old->doorbells = old->zones = NULL;
    }
    view_collect(b, view);
    tell_deletions(b, &before, view, b->deletions);
    b->unchanged = tell_additions(b, &before, view, b->additions);
    if (view != old) {
        view_free(old);
        b->view = view;
    } else {
        view_drop_doorbells(&before);
    }
}

void baseline_commit(Baseline *b)
{
    g_array_set_size(b->list, 0);
    render(b, b->root, (Window){ .last = HWADDR_MAX });
    update(b);
}

void baseline_withdraw(Baseline *b)
{
    g_array_set_size(b->list, 0);
    update(b);
}

const GArray *baseline_deletions(const Baseline *b)
{
    return b->deletions;
}

const GArray *baseline_additions(const Baseline *b)
{
    return b->additions;
}

unsigned baseline_unchanged(const Baseline *b)
{
    return b->unchanged;
}

void baseline_replay(const Baseline *b, bool deletions, GArray *out)
{
    static FlatRange none = { .first = HWADDR_MAX, .last = HWADDR_MAX };
    View empty = {
        .ranges = &none,
        .doorbells = g_array_new(FALSE, FALSE, sizeof(BaselineEvent)),
        .zones = g_array_new(FALSE, FALSE, sizeof(BaselineEvent)),
    };

    if (deletions) {
        tell_deletions(b, b->view, &empty, out);
    } else {
        tell_additions(b, &empty, b->view, out);
    }
    view_drop_doorbells(&empty);
}

const FlatRange *baseline_ranges(const Baseline *b, unsigned *nr)
{
    *nr = b->view->nr;
    return b->view->ranges;
}

size_t baseline_bytes(const Baseline *b)
{
    return sizeof(View) + (b->view->nr + 1) * sizeof(FlatRange) +
           b->view->nodes_len * sizeof(uint32_t);
}

/* ---- the core's view beside it --------------------------------------------------------------- */

/* Whether the nodes from @node down have the form that look-ups rely on. */
static bool tree_is_sound(const FlatNode *node, bool is_root)
{
    unsigned least = is_root ? node->height ? 2 : 0 : FLAT_FANOUT / 2;

    if (node->nr < least || node->nr > FLAT_FANOUT) {
        return false;
    }
    for (unsigned i = node->nr; i <= FLAT_FANOUT; i++) {
        if (node->last[i] != HWADDR_MAX) {
            return false;
        }
    }
    for (unsigned i = 0; i < node->nr; i++) {
        const FlatNode *child;

        if (!node->height) {
            if (node->last[i] != ((const FlatLeaf *)node)->range[i].last) {
                return false;
            }
            continue;
        }
        child = ((const FlatInner *)node)->child[i];
        if (child->height + 1 != node->height || !tree_is_sound(child, false) ||
            child->last[child->nr - 1] != node->last[i]) {
            return false;
        }
    }
    return true;
}

static char *range_text(const FlatRange *r)
{
    return r ? g_strdup_printf("%" PRIx64 "-%" PRIx64 " %s @%" PRIx64
                               "%s%s mask %u", r->first, r->last, r->mr->name,
                               r->offset, r->readonly ? " ro" : "",
                               r->romd ? " romd" : "", r->dirty_log_mask)
             : g_strdup("nothing");
}

char *baseline_difference(const Baseline *b)
{
    const FlatView *view = b->as->view;
    const FlatNode *root = address_space_root(b->as);
    const FlatRange *have = flat_node_find(root, 0);

    for (unsigned i = 0; i < b->view->nr || have; i++) {
        const FlatRange *want = i < b->view->nr ? &b->view->ranges[i] : NULL;

        if (!have || !want || !ranges_equal(have, want) ||
            have->host != want->host ||
            have->dirty_log_mask != want->dirty_log_mask) {
            char *h = range_text(have), *w = range_text(want);
            char *text = g_strdup_printf("range %u of %s is %s, not %s", i,
                                         b->as->name, h, w);

            g_free(h);
            g_free(w);
            return text;
        }
        have = flat_node_next(root, have);
    }
    if (view->nr != b->view->nr) {
        return g_strdup_printf("%s: the view counts %zu ranges, not %u",
                               b->as->name, view->nr, b->view->nr);
    }
    if (view->region && view->next != root) {
        return g_strdup_printf("%s: a version is not published", b->as->name);
    }
    return tree_is_sound(root, true)
               ? NULL : g_strdup_printf("%s: a tree out of form", b->as->name);
}

/* ---- events -------------------------------------------------------------------------------------- */

bool baseline_event_equal(const BaselineEvent *a, const BaselineEvent *b)
{
    const MemoryRegionSection *s = &a->section, *t = &b->section;

    return a->type == b->type && s->mr == t->mr && s->as == t->as &&
           s->address_space == t->address_space &&
           s->offset_within_region == t->offset_within_region &&
           s->size == t->size &&
           s->offset_within_address_space == t->offset_within_address_space &&
           s->last_within_address_space == t->last_within_address_space &&
           s->readonly == t->readonly && a->match_data == b->match_data &&
           a->data == b->data && a->e == b->e && a->addr == b->addr &&
           a->len == b->len;
}

char *baseline_event_text(const BaselineEvent *event)
{
    static const char *const names[] = {
        "add", "del", "log_start", "log_stop", "eventfd_add", "eventfd_del",
        "coalesced_add", "coalesced_del",
    };
    const MemoryRegionSection *s = &event->section;

    return g_strdup_printf(
        "%s %s in %s: %" PRIx64 "-%" PRIx64 " /%" PRIx64 " @%" PRIx64
        "%s match %d data %" PRIx64 " zone %" PRIx64 "+%" PRIx64,
        names[event->type], s->mr->name, s->as ? s->as->name : "no space",
        s->offset_within_address_space, s->last_within_address_space, s->size,
        s->offset_within_region, s->readonly ? " ro" : "", event->match_data,
        event->data, event->addr, event->len);
}

/* ---- a listener ------------------------------------------------------------------------------------ */

static void listener_begin(MemoryListener *listener)
{
    ((BaselineListener *)listener)->begins++;
}

static void listener_commit(MemoryListener *listener)
{
    ((BaselineListener *)listener)->commits++;
}

static void listener_nop(MemoryListener *listener, MemoryRegionSection *s)
{
    ((BaselineListener *)listener)->nops++;
}

static void listener_hear(MemoryListener *listener, BaselineEvent event,
                          const MemoryRegionSection *s)
{
    event.section = *s;
    g_array_append_val(((BaselineListener *)listener)->events, event);
}

#define HEAR_SECTION(name, type_)                                              \
    static void listener_##name(MemoryListener *listener,                      \
                                MemoryRegionSection *s)                        \
    {                                                                          \
        listener_hear(listener, (BaselineEvent){ .type = type_ }, s);          \
    }

#define HEAR_EVENTFD(name, type_)                                              \
    static void listener_##name(MemoryListener *listener,                      \
                                MemoryRegionSection *s, bool match_data,       \
                                uint64_t data, EventNotifier *e)               \
    {                                                                          \
        listener_hear(listener,                                                \
                      (BaselineEvent){ .type = type_,                          \
                                       .match_data = match_data,               \
                                       .data = data,                           \
                                       .e = e }, s);                           \
    }

#define HEAR_ZONE(name, type_)                                                 \
    static void listener_##name(MemoryListener *listener,                      \
                                MemoryRegionSection *s, hwaddr addr,           \
                                hwaddr len)                                    \
    {                                                                          \
        listener_hear(listener, (BaselineEvent){ .type = type_,                \
                                                 .addr = addr,                 \
                                                 .len = len }, s);             \
    }

HEAR_SECTION(region_add, BASELINE_REGION_ADD)
HEAR_SECTION(region_del, BASELINE_REGION_DEL)
HEAR_SECTION(log_start, BASELINE_LOG_START)
HEAR_SECTION(log_stop, BASELINE_LOG_STOP)
HEAR_EVENTFD(eventfd_add, BASELINE_EVENTFD_ADD)
HEAR_EVENTFD(eventfd_del, BASELINE_EVENTFD_DEL)
HEAR_ZONE(coalesced_add, BASELINE_COALESCED_ADD)
HEAR_ZONE(coalesced_del, BASELINE_COALESCED_DEL)

BaselineListener *baseline_listener_new(void)
{
    BaselineListener *l = g_new0(BaselineListener, 1);

    l->listener = (MemoryListener){
        .begin = listener_begin,
        .commit = listener_commit,
        .region_add = listener_region_add,
        .region_del = listener_region_del,
        .log_start = listener_log_start,
        .log_stop = listener_log_stop,
        .eventfd_add = listener_eventfd_add,
        .eventfd_del = listener_eventfd_del,
        .coalesced_mmio_add = listener_coalesced_add,
        .coalesced_mmio_del = listener_coalesced_del,
    };
    l->events = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    return l;
}

void baseline_listener_free(BaselineListener *l)
{
    g_array_unref(l->events);
    g_free(l);
}

void baseline_listener_hear_nop(BaselineListener *l)
{
    l->listener.region_nop = listener_nop;
}
