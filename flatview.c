/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flat view as a data structure: ordered, disjoint ranges, how two layers
 * of them become one, and the tree that a view keeps them in. Knows no graph.
 */
#include <assert.h>
#include <string.h>

#include "memory-internal.h"
#include "rcu.h"

/* ---- lists of ranges ------------------------------------------------------------- */

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

FlatRange flat_range_part(const FlatRange *range, hwaddr first, hwaddr last)
{
    FlatRange part = *range;

    flat_range_cut_front(&part, first);
    part.last = last;
    return part;
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
                FlatRange piece = flat_range_part(&rest, rest.first,
                                                  top[j].first - 1);

                flat_ranges_append(out, &piece);
            }
            if (top[j].last >= rest.last) {
                hidden = true; /* and may hide more of the bottom */
                break;
            }
            flat_range_cut_front(&rest, top[j].last + 1);
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

/* ---- nodes --------------------------------------------------------------------- */

/*
 * Every node but the root has NR_MIN entries at least. So N ranges, more than
 * one leaf takes, need at most N / 7 leaves and, above them, N / 7^2 + N / 7^3
 * + ... < N / 42 inner nodes and a root: 864 / 7 + 264 / 42 < 130 bytes a
 * range, with any history. Built in order nearly all nodes are full: 864 / 15 +
 * 264 / (15 * 14) < 59 bytes. The allocator adds at most 16 bytes a node.
 */
#define NR_MIN (FLAT_FANOUT / 2)

G_STATIC_ASSERT(sizeof(FlatLeaf) / NR_MIN +
                sizeof(FlatInner) / (NR_MIN * (NR_MIN - 1)) + 1 < 160);

/* Entries follow the node; see node_entry(). */
G_STATIC_ASSERT(offsetof(FlatInner, child) == sizeof(FlatNode));
G_STATIC_ASSERT(offsetof(FlatLeaf, range) == sizeof(FlatNode));

/* Under the memory lock. */
static struct {
    unsigned views; /* not retired */
    size_t bytes;   /* of these and their nodes */
} live;

static FlatInner *node_inner(FlatNode *node)
{
    return (FlatInner *)node;
}

static FlatLeaf *node_leaf(FlatNode *node)
{
    return (FlatLeaf *)node;
}

static size_t node_bytes(const FlatNode *node)
{
    return node->height ? sizeof(FlatInner) : sizeof(FlatLeaf);
}

static size_t node_entry_bytes(const FlatNode *node)
{
    return node->height ? sizeof(FlatNode *) : sizeof(FlatRange);
}

static void *node_entry(const FlatNode *node, unsigned i)
{
    return (char *)(node + 1) + i * node_entry_bytes(node);
}

/*
 * A commit needs about as many nodes as it replaces, so those of the last ones
 * are kept: the allocator took half of a commit's time. An address sanitizer is
 * to see them freed.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SPARE_MAX 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPARE_MAX 0
#endif
#endif
#ifndef SPARE_MAX
#define SPARE_MAX RCU_BATCH /* of leaves, and of inner nodes: 280 KiB at most */
#endif

static struct {
    FlatNode *first; /* linked by @replaced */
    unsigned nr;
} spares[2]; /* leaves, inner nodes */

static FlatNode *node_alloc(bool inner)
{
    size_t size = inner ? sizeof(FlatInner) : sizeof(FlatLeaf);
    FlatNode *node = spares[inner].first;

    live.bytes += size;
    if (!node) {
        return g_malloc(size);
    }
    spares[inner].first = node->replaced;
    spares[inner].nr--;
    return node;
}

static void node_free(void *block)
{
    FlatNode *node = block;
    bool inner = node->height;

    if (spares[inner].nr == SPARE_MAX) {
        g_free(node);
        return;
    }
    node->replaced = spares[inner].first;
    spares[inner].first = node;
    spares[inner].nr++;
}

static FlatNode *node_new(FlatView *view, unsigned height)
{
    FlatNode *node = node_alloc(height);

    node->version = view->version;
    node->nr = 0;
    node->height = (uint16_t)height;
    for (unsigned i = 0; i <= FLAT_FANOUT; i++) {
        node->last[i] = HWADDR_MAX;
    }
    return node;
}

/* @node is no part of the coming version. */
static void node_drop(FlatView *view, FlatNode *node)
{
    if (node->version == view->version) {
        live.bytes -= node_bytes(node);
        node_free(node);
    } else {
        node->replaced = view->replaced;
        view->replaced = node;
    }
}

/* No version that stays has @node, but readers may still look at it. */
static void node_retire(FlatNode *node)
{
    size_t size = node_bytes(node);

    live.bytes -= size;
    rcu_retire_to(node, size, node_free);
}

/* Have the node at @slot be one that may be changed, and return it. */
static FlatNode *node_touch(FlatView *view, FlatNode **slot)
{
    FlatNode *old = *slot, *node;

    if (old->version == view->version) {
        return old;
    }
    node = node_alloc(old->height);
    memcpy(node, old, sizeof(*old) + old->nr * node_entry_bytes(old));
    node->version = view->version;
    node_drop(view, old);
    *slot = node;
    return node;
}

/* Copy @nr entries from place @j of @from to place @i of @to, of the same
 * height. They may overlap. */
static void node_move(FlatNode *to, unsigned i, const FlatNode *from,
                      unsigned j, unsigned nr)
{
    memmove(node_entry(to, i), node_entry(from, j),
            nr * node_entry_bytes(to));
    memmove(&to->last[i], &from->last[j], nr * sizeof(to->last[0]));
}

static void node_truncate(FlatNode *node, unsigned nr)
{
    while (node->nr > nr) {
        node->last[--node->nr] = HWADDR_MAX;
    }
}

/* Make room for an entry at place @i. */
static void node_open(FlatNode *node, unsigned i)
{
    node_move(node, i + 1, node, i, node->nr - i);
    node->nr++;
}

/* Take out the entry at place @i. */
static void node_close(FlatNode *node, unsigned i)
{
    node_move(node, i, node, i + 1, node->nr - i - 1);
    node_truncate(node, node->nr - 1);
}

/* ---- pairs of nodes -------------------------------------------------------------- */

/* In all of these @inner may be changed; its children i and i + 1 are the
 * pair. */

/* Deal the entries of the pair so that the left one has @nr. */
static void pair_deal(FlatView *view, FlatInner *inner, unsigned i, unsigned nr)
{
    FlatNode *left = node_touch(view, &inner->child[i]);
    FlatNode *right = node_touch(view, &inner->child[i + 1]);

    if (nr < left->nr) {
        unsigned n = left->nr - nr;

        node_move(right, n, right, 0, right->nr);
        node_move(right, 0, left, nr, n);
        right->nr = (uint16_t)(right->nr + n);
        node_truncate(left, nr);
    } else {
        unsigned n = nr - left->nr;

        node_move(left, left->nr, right, 0, n);
        left->nr = (uint16_t)nr;
        node_move(right, 0, right, n, right->nr - n);
        node_truncate(right, right->nr - n);
    }
    inner->node.last[i] = left->last[nr - 1];
}

/* Make a pair of child @i. @inner has room for it. */
static void pair_split(FlatView *view, FlatInner *inner, unsigned i)
{
    FlatNode *right = node_new(view, inner->node.height - 1u);

    node_open(&inner->node, i + 1);
    inner->child[i + 1] = right;
    inner->node.last[i + 1] = inner->node.last[i];
    pair_deal(view, inner, i, FLAT_FANOUT - NR_MIN);
}

/* Make one child of the pair. */
static void pair_merge(FlatView *view, FlatInner *inner, unsigned i)
{
    FlatNode *left = node_touch(view, &inner->child[i]);
    FlatNode *right = inner->child[i + 1];

    node_move(left, left->nr, right, 0, right->nr);
    left->nr += right->nr;
    inner->node.last[i] = inner->node.last[i + 1];
    node_close(&inner->node, i + 1);
    node_drop(view, right);
}

/* Child @i is full: make room below for a range that ends at @last. What is
 * appended goes on filling the neighbour, so that nodes become full where
 * ranges come in order; elsewhere more will come between. */
static void make_room(FlatView *view, FlatInner *inner, unsigned i, hwaddr last)
{
    if (i && last > inner->node.last[i] &&
        inner->child[i - 1]->nr < FLAT_FANOUT) {
        pair_deal(view, inner, i - 1, FLAT_FANOUT);
    } else {
        pair_split(view, inner, i);
    }
}

/* Child @i is as small as may be: have it lose an entry without harm. Two that
 * would be full together stay two, or the next range would part them again. */
static void make_spare(FlatView *view, FlatInner *inner, unsigned i)
{
    unsigned left = i ? i - 1 : 0;
    unsigned nr = inner->child[left]->nr + inner->child[left + 1]->nr;

    if (nr <= 2 * NR_MIN) {
        pair_merge(view, inner, left);
    } else {
        pair_deal(view, inner, left, left == i ? nr - nr / 2 : nr / 2);
    }
}

/* ---- a view ---------------------------------------------------------------------- */

FlatView *flatview_new(MemoryRegion *region)
{
    FlatView *view = g_new0(FlatView, 1);

    live.views++;
    live.bytes += sizeof(*view);
    view->region = region;
    view->next = view->root = node_new(view, 0);
    view->version = 1;
    return view;
}

/* The child of @inner for a range that ends at @last: the last one for those
 * behind all others. */
static unsigned inner_place(const FlatInner *inner, hwaddr last)
{
    return MIN(flat_node_search(&inner->node, last), inner->node.nr - 1u);
}

/* All the way down nodes are made ready for what may happen below, so nothing
 * is left to do on a way back. */
void flatview_insert(FlatView *view, const FlatRange *range)
{
    FlatNode *node = node_touch(view, &view->next);
    unsigned i;

    if (node->nr == FLAT_FANOUT) {
        FlatNode *top = node_new(view, node->height + 1u);

        node_inner(top)->child[0] = node;
        top->last[0] = node->last[FLAT_FANOUT - 1];
        top->nr = 1;
        view->next = node = top;
    }
    while (node->height) {
        FlatInner *inner = node_inner(node);

        i = inner_place(inner, range->last);
        if (inner->child[i]->nr == FLAT_FANOUT) {
            make_room(view, inner, i, range->last);
            i = inner_place(inner, range->last);
        }
        node->last[i] = MAX(node->last[i], range->last);
        node = node_touch(view, &inner->child[i]);
    }
    i = flat_node_search(node, range->last);
    node_open(node, i);
    node->last[i] = range->last;
    node_leaf(node)->range[i] = *range;
    view->nr++;
    range->mr->shown++;
    range->mr->visible = true;
}

/* The last range of a leaf, which ended at @last, is gone: correct the nodes on
 * the way to it, all of which may be changed. */
static void lower_last(FlatNode *node, hwaddr last, hwaddr new_last)
{
    while (node->height) {
        unsigned i = flat_node_search(node, last);

        if (node->last[i] == last) {
            node->last[i] = new_last;
        }
        node = node_inner(node)->child[i];
    }
}

void flatview_remove(FlatView *view, hwaddr first)
{
    FlatNode *node = node_touch(view, &view->next);
    unsigned i = flat_node_search(node, first);
    FlatRange gone;

    assert(i < node->nr);
    while (node->height) {
        FlatInner *inner = node_inner(node);

        if (inner->child[i]->nr == NR_MIN) {
            make_spare(view, inner, i);
            i = flat_node_search(node, first);
        }
        node = node_touch(view, &inner->child[i]);
        i = flat_node_search(node, first);
    }
    assert(node_leaf(node)->range[i].first == first);
    gone = node_leaf(node)->range[i];
    node_close(node, i);
    if (i && i == node->nr) {
        lower_last(view->next, gone.last, node->last[i - 1]);
    }
    node = view->next;
    if (node->height && node->nr == 1) {
        view->next = node_inner(node)->child[0];
        node_drop(view, node);
    }
    view->nr--;
    gone.mr->shown--;
}

void flatview_set_log_mask(FlatView *view, hwaddr first, uint8_t mask)
{
    FlatNode *node = node_touch(view, &view->next);
    unsigned i = flat_node_search(node, first);

    assert(i < node->nr);
    while (node->height) {
        node = node_touch(view, &node_inner(node)->child[i]);
        i = flat_node_search(node, first);
    }
    assert(node_leaf(node)->range[i].first == first);
    node_leaf(node)->range[i].dirty_log_mask = mask;
}

void flatview_publish(FlatView *view)
{
    if (view->next == view->root) {
        return;
    }
    __atomic_store_n(&view->root, view->next, __ATOMIC_RELEASE);
    view->version++;
    while (view->replaced) {
        FlatNode *node = view->replaced;

        view->replaced = node->replaced;
        node_retire(node);
    }
}

static void retire_tree(FlatNode *node)
{
    for (unsigned i = 0; i < node->nr; i++) {
        if (node->height) {
            retire_tree(node_inner(node)->child[i]);
        } else {
            node_leaf(node)->range[i].mr->shown--;
        }
    }
    node_retire(node);
}

void flatview_retire(FlatView *view)
{
    flatview_publish(view);
    retire_tree(view->root);
    live.views--;
    live.bytes -= sizeof(*view);
    rcu_retire(view, sizeof(*view));
}

unsigned flatview_live_count(void)
{
    return live.views;
}

size_t flatview_live_bytes(void)
{
    return live.bytes + rcu_retired_bytes();
}

/* ---- a view in words --------------------------------------------------------------- */

static void tree_sum(const FlatNode *node, FlatTreeSum *sum)
{
    sum->nodes++;
    sum->bytes += node_bytes(node);
    if (!node->height) {
        sum->ranges += node->nr;
        return;
    }
    for (unsigned i = 0; i < node->nr; i++) {
        tree_sum(((const FlatInner *)node)->child[i], sum);
    }
}

FlatTreeSum flatview_tree_sum(const FlatView *view)
{
    FlatTreeSum sum = { 0 };

    tree_sum(view->root, &sum);
    return sum;
}

static void print_inner(const FlatNode *node, unsigned depth,
                        fprintf_function print, void *f)
{
    if (!node->height) {
        return;
    }
    print(f, "  %*s%016" PRIx64 "-%016" PRIx64 ": %u %s\n", (int)depth * 2, "",
          flat_node_find(node, 0)->first, node->last[node->nr - 1],
          (unsigned)node->nr, node->height == 1 ? "leaves" : "nodes");
    for (unsigned i = 0; i < node->nr; i++) {
        print_inner(((const FlatInner *)node)->child[i], depth + 1, print, f);
    }
}

void flatview_print_dispatch(const FlatView *view, fprintf_function print,
                             void *f)
{
    FlatTreeSum sum = flatview_tree_sum(view);

    print(f, "  %zu ranges, %zu nodes of up to %u entries, height %u, "
          "%zu bytes\n", sum.ranges, sum.nodes, FLAT_FANOUT,
          (unsigned)view->root->height, sum.bytes);
    print_inner(view->root, 1, print, f);
}
