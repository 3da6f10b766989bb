/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subregions of a region by address: two search trees inside the regions
 * themselves, one of those that are disabled and one of those that are enabled.
 *
 * A tree is ordered by address, among equals the topmost first, and from each
 * region down knows how far anything reaches, so that a look-up leaves out what
 * ends too early. It is a treap: each region also has a rank that looks random,
 * and lies above all lower ranks. So its shape does not depend on the order of
 * insertions and on addresses, which guests choose; and as ranks depend on a
 * secret, guests cannot choose addresses that make it deep either.
 */
#include <sys/random.h>

#include "memory-internal.h"

static uint64_t rank_secret;

/* No two regions of a tree have one rank: each step can be undone. */
static uint64_t rank(const MemoryRegion *mr)
{
    uint64_t x = (mr->link.order ^ rank_secret) * 0x9e3779b97f4a7c15u;

    return (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
}

static void make_secret(void)
{
    if (!rank_secret &&
        getrandom(&rank_secret, sizeof(rank_secret), 0) <= 0) {
        rank_secret = (uint64_t)g_get_real_time();
    }
}

/* Whether @a comes before @b. */
static bool comes_before(const MemoryRegion *a, const MemoryRegion *b)
{
    return a->addr != b->addr ? a->addr < b->addr : region_is_above(a, b);
}

static void update_last_below(MemoryRegion *mr)
{
    const MemoryRegion *left = mr->link.left, *right = mr->link.right;
    hwaddr last = region_last_at(mr, mr->addr);

    if (left && left->link.last_below > last) {
        last = left->link.last_below;
    }
    if (right && right->link.last_below > last) {
        last = right->link.last_below;
    }
    mr->link.last_below = last;
}

/* What of @tree comes before @mr, and what behind it. The recursions here and
 * below are as deep as the tree, which is O(log n). */
static void split(MemoryRegion *tree, const MemoryRegion *mr,
                  MemoryRegion **before, MemoryRegion **behind)
{
    if (!tree) {
        *before = *behind = NULL;
        return;
    }
    if (comes_before(tree, mr)) {
        *before = tree;
        split(tree->link.right, mr, &tree->link.right, behind);
    } else {
        *behind = tree;
        split(tree->link.left, mr, before, &tree->link.left);
    }
    update_last_below(tree);
}

/* One tree of two, all of @a before all of @b. */
static MemoryRegion *join(MemoryRegion *a, MemoryRegion *b)
{
    MemoryRegion *top;

    if (!a || !b) {
        return a ? a : b;
    }
    if (rank(a) > rank(b)) {
        top = a;
        a->link.right = join(a->link.right, b);
    } else {
        top = b;
        b->link.left = join(a, b->link.left);
    }
    update_last_below(top);
    return top;
}

void region_index_insert(MemoryRegion *parent, MemoryRegion *sub)
{
    MemoryRegion **at = &parent->subregions[sub->enabled];
    hwaddr last = region_last_at(sub, sub->addr);
    uint64_t sub_rank;

    make_secret();
    sub_rank = rank(sub);
    while (*at && rank(*at) > sub_rank) {
        MemoryRegionLink *link = &(*at)->link;
        bool right = comes_before(*at, sub);

        if (link->last_below < last) {
            link->last_below = last;
        }
        at = right ? &link->right : &link->left;
    }
    split(*at, sub, &sub->link.left, &sub->link.right);
    update_last_below(sub);
    *at = sub;
}

/* Take @sub out of @tree, which may have reached so far for its sake. */
static MemoryRegion *remove_furthest(MemoryRegion *tree, MemoryRegion *sub)
{
    if (tree == sub) {
        return join(sub->link.left, sub->link.right);
    }
    if (comes_before(tree, sub)) {
        tree->link.right = remove_furthest(tree->link.right, sub);
    } else {
        tree->link.left = remove_furthest(tree->link.left, sub);
    }
    update_last_below(tree);
    return tree;
}

void region_index_remove(MemoryRegion *parent, MemoryRegion *sub)
{
    MemoryRegion **at = &parent->subregions[sub->enabled];
    hwaddr last = region_last_at(sub, sub->addr);

    /* Where something else reaches further, nothing changes but below. */
    while (*at != sub && (*at)->link.last_below != last) {
        MemoryRegionLink *link = &(*at)->link;

        at = comes_before(*at, sub) ? &link->right : &link->left;
    }
    *at = remove_furthest(*at, sub);
    sub->link.left = sub->link.right = NULL;
}

static void collect_touching(MemoryRegion *tree, hwaddr first, hwaddr last,
                             GPtrArray *hits)
{
    /* A loop for one of the two sides: most calls end at once otherwise. */
    for (; tree && tree->link.last_below >= first; tree = tree->link.right) {
        collect_touching(tree->link.left, first, last, hits);
        if (tree->addr > last) {
            return;
        }
        if (tree->size && region_last_at(tree, tree->addr) >= first) {
            g_ptr_array_add(hits, tree);
        }
    }
}

void region_index_touching(const MemoryRegion *parent, bool enabled,
                           hwaddr first, hwaddr last, GPtrArray *hits)
{
    collect_touching(parent->subregions[enabled], first, last, hits);
}

static void collect_all(MemoryRegion *tree, GPtrArray *all)
{
    for (; tree; tree = tree->link.right) {
        collect_all(tree->link.left, all);
        g_ptr_array_add(all, tree);
    }
}

GPtrArray *region_subregions(const MemoryRegion *parent)
{
    GPtrArray *all = g_ptr_array_new(), *merged;
    guint nr_disabled, i = 0, j;

    collect_all(parent->subregions[false], all);
    nr_disabled = j = all->len;
    collect_all(parent->subregions[true], all);
    if (!nr_disabled || nr_disabled == all->len) {
        return all;
    }
    merged = g_ptr_array_sized_new(all->len);
    while (merged->len < all->len) {
        bool disabled = j == all->len ||
                        (i < nr_disabled && comes_before(all->pdata[i],
                                                         all->pdata[j]));

        g_ptr_array_add(merged, all->pdata[disabled ? i++ : j++]);
    }
    g_ptr_array_unref(all);
    return merged;
}
