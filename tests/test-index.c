/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of subregions against a plain list, by chance; and that its trees
 * stay flat whatever the order of insertions and addresses. Regions are filled
 * in by hand: no graph, no lock, nothing but the index is used.
 *
 * FLATVIEW_SEED replays one sequence.
 */
#include <string.h>

#include "memory-internal.h"
#include "random-graph.h"
#include "test-util.h"

#define WHOLE ((unsigned __int128)1 << 64)

static uint64_t orders; /* the last one given */

static void put_in(MemoryRegion *parent, MemoryRegion *sub)
{
    sub->parent = parent;
    region_index_insert(parent, sub);
}

static void take_out(MemoryRegion *parent, MemoryRegion *sub)
{
    region_index_remove(parent, sub);
    sub->parent = NULL;
}

/* Among siblings: by address, the topmost first. */
static int compare_places(const void *va, const void *vb)
{
    const MemoryRegion *a = *(MemoryRegion *const *)va;
    const MemoryRegion *b = *(MemoryRegion *const *)vb;

    if (a->addr != b->addr) {
        return a->addr < b->addr ? -1 : 1;
    }
    return a == b ? 0 : region_is_above(a, b) ? -1 : 1;
}

/* ---- the shape of a tree ----------------------------------------------------- */

/* Levels of @tree; each region's last_below must be right. */
static unsigned check_tree(const MemoryRegion *tree, unsigned *nr)
{
    hwaddr last;
    unsigned left, right;

    if (!tree) {
        return 0;
    }
    ++*nr;
    left = check_tree(tree->link.left, nr);
    right = check_tree(tree->link.right, nr);
    last = region_last_at(tree, tree->addr);
    if (tree->link.left) {
        last = MAX(last, tree->link.left->link.last_below);
    }
    if (tree->link.right) {
        last = MAX(last, tree->link.right->link.last_below);
    }
    expect_hex(tree->link.last_below, last);
    return 1 + MAX(left, right);
}

/* The trees of @parent have @nr regions together, and are flat. A tree of 2^n
 * regions that chance has balanced is about 3n levels deep; the limit is one
 * that it does not reach in all our lives. */
static void check_shape(const MemoryRegion *parent, unsigned nr)
{
    unsigned found = 0, limit = 16, depth;

    for (unsigned n = nr; n; n /= 2) {
        limit += 4;
    }
    for (int enabled = 0; enabled < 2; enabled++) {
        depth = check_tree(parent->subregions[enabled], &found);
        expect(depth <= limit, "%u regions are %u levels deep", nr, depth);
    }
    expect(found == nr, "%u regions of %u are in the index", found, nr);
}

/* ---- against a list ------------------------------------------------------------ */

#define SUBS 200

static MemoryRegion parent, subs[SUBS];

/* An address or a size with neighbours near by, or at either end. */
static hwaddr some_place(hwaddr spread)
{
    switch (below(8)) {
    case 0:
        return HWADDR_MAX - below(4);
    case 1:
        return any_number();
    case 2:
        return 0;
    default:
        return below(spread);
    }
}

static unsigned __int128 some_length(hwaddr spread)
{
    switch (below(12)) {
    case 0:
        return 0;
    case 1:
        return WHOLE;
    case 2:
        return any_number();
    default:
        return 1 + below(spread / 8 + 1);
    }
}

/* The regions in the index, by place. */
static GPtrArray *listed(void)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned i = 0; i < SUBS; i++) {
        if (subs[i].parent) {
            g_ptr_array_add(list, &subs[i]);
        }
    }
    g_ptr_array_sort(list, compare_places);
    return list;
}

static void expect_same(const char *what, const GPtrArray *got,
                        const GPtrArray *wanted)
{
    expect(got->len == wanted->len, "%s: %u and not %u", what, got->len,
           wanted->len);
    for (guint i = 0; i < got->len; i++) {
        expect(got->pdata[i] == wanted->pdata[i], "%s: number %u is another",
               what, i);
    }
}

/* A query of @first to @last, worked out with 128 bits. */
static void check_query(const GPtrArray *list, bool enabled, hwaddr first,
                        hwaddr last)
{
    GPtrArray *hits = g_ptr_array_new(), *wanted = g_ptr_array_new();
    MemoryRegion before;

    g_ptr_array_add(hits, &before); /* hits are appended */
    g_ptr_array_add(wanted, &before);
    for (guint i = 0; i < list->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(list, i);

        if (mr->enabled == enabled && mr->addr <= last &&
            mr->addr + mr->size > first && mr->size) {
            g_ptr_array_add(wanted, mr);
        }
    }
    region_index_touching(&parent, enabled, first, last, hits);
    expect_same("hits", hits, wanted);
    g_ptr_array_unref(hits);
    g_ptr_array_unref(wanted);
}

static void check_against_list(hwaddr spread)
{
    GPtrArray *list = listed(), *all = region_subregions(&parent);

    check_shape(&parent, list->len);
    expect_same("subregions", all, list);
    expect(region_has_subregions(&parent) == (list->len > 0),
           "%u subregions, but has_subregions is wrong", list->len);
    for (unsigned i = 0; i < 8; i++) {
        hwaddr a = some_place(spread), b = some_place(spread);

        check_query(list, one_in(2), MIN(a, b), MAX(a, b));
        check_query(list, one_in(2), a, a);
    }
    check_query(list, false, 0, HWADDR_MAX);
    check_query(list, true, 0, HWADDR_MAX);
    g_ptr_array_unref(list);
    g_ptr_array_unref(all);
}

static void change(MemoryRegion *mr, hwaddr spread)
{
    bool was_in = mr->parent;

    if (was_in) {
        take_out(&parent, mr);
        expect(!mr->link.left && !mr->link.right, "links stay behind");
    }
    switch (was_in ? below(5) : 4) {
    case 0:
        mr->enabled = !mr->enabled;
        break;
    case 1:
        mr->addr = some_place(spread);
        break;
    case 2:
        mr->size = some_length(spread);
        break;
    case 3:
        return;
    default: /* taken out and added anew */
        mr->addr = some_place(spread);
        mr->size = some_length(spread);
        mr->enabled = !one_in(3);
        mr->priority = (int)below(3) - 1;
        mr->link.order = ++orders;
    }
    put_in(&parent, mr);
}

static void sequence(uint64_t seed)
{
    unsigned nr, steps;
    hwaddr spread;

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
             seed);
    chance_seed(seed);
    memset(&parent, 0, sizeof(parent));
    memset(subs, 0, sizeof(subs));
    spread = (hwaddr)1 << (1 + below(16));
    nr = 1 + below(one_in(2) ? 8 : SUBS);
    for (steps = below(3 * nr); steps; steps--) {
        change(&subs[below(nr)], spread);
        if (nr <= 8 || one_in(nr / 8)) {
            check_against_list(spread);
        }
    }
    for (unsigned i = 0; i < SUBS; i++) {
        if (subs[i].parent) {
            take_out(&parent, &subs[i]);
        }
    }
    check_against_list(spread);
}

START_TEST(by_chance)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 0);

    if (seed) {
        sequence(seed);
        return;
    }
    for (seed = 1; seed <= test_number("FLATVIEW_SEQUENCES", 2000); seed++) {
        sequence(seed);
    }
}
END_TEST

/* ---- the order of what lies at one address ----------------------------------------- */

START_TEST(topmost_first)
{
    MemoryRegion a = { .size = 1, .addr = 16, .link.order = 1 };
    MemoryRegion b = { .size = 1, .addr = 16, .link.order = 2,
                       .enabled = true };
    MemoryRegion c = { .size = 1, .addr = 16, .link.order = 3, .priority = -1 };
    MemoryRegion d = { .size = 1, .addr = 16, .link.order = 4, .enabled = true,
                       .priority = 1 };
    MemoryRegion e = { .size = 0, .addr = 16, .link.order = 5 };
    MemoryRegion *wanted[] = { &d, &e, &b, &a, &c };
    MemoryRegion top = { 0 };
    GPtrArray *all;

    put_in(&top, &a);
    put_in(&top, &b);
    put_in(&top, &c);
    put_in(&top, &d);
    put_in(&top, &e);
    all = region_subregions(&top);
    expect(all->len == G_N_ELEMENTS(wanted), "%u subregions", all->len);
    for (guint i = 0; i < all->len; i++) {
        expect(all->pdata[i] == wanted[i], "number %u is another", i);
    }
    g_ptr_array_set_size(all, 0);
    region_index_touching(&top, false, 16, 16, all);
    expect(all->len == 2 && all->pdata[0] == &a && all->pdata[1] == &c,
           "hits among equals");
    g_ptr_array_unref(all);
}
END_TEST

/* ---- orders that make a plain tree a list -------------------------------------------- */

#define MANY 100000

/* Where region @i, just given its order, goes: each of them undoes some way of
 * balancing. */
typedef hwaddr PlaceFn(unsigned i);

static hwaddr ascending(unsigned i)
{
    return (hwaddr)i * 16;
}

static hwaddr descending(unsigned i)
{
    return (hwaddr)(MANY - i) * 16;
}

static hwaddr from_outside(unsigned i)
{
    return i % 2 ? (hwaddr)i * 16 : (hwaddr)(4 * MANY - i) * 16;
}

static hwaddr all_the_same(unsigned i)
{
    return 4096;
}

static hwaddr in_bit_order(unsigned i)
{
    hwaddr addr = 0;

    for (unsigned bit = 0; bit < 32; bit++) {
        addr |= (hwaddr)(i >> bit & 1) << (40 - bit);
    }
    return addr;
}

/* What a guest would choose that knew the ranks: those there would be without a
 * secret. */
static hwaddr by_rank(unsigned i)
{
    uint64_t x = orders * 0x9e3779b97f4a7c15u;

    return (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
}

static void many(MemoryRegion *mrs, PlaceFn *place)
{
    MemoryRegion top = { 0 };
    GPtrArray *hits = g_ptr_array_new();

    memset(mrs, 0, MANY * sizeof(*mrs));
    for (unsigned i = 0; i < MANY; i++) {
        mrs[i].link.order = ++orders;
        mrs[i].addr = place(i);
        mrs[i].size = place == by_rank ? 1 : 16;
        mrs[i].enabled = true;
        put_in(&top, &mrs[i]);
    }
    check_shape(&top, MANY);
    region_index_touching(&top, true, mrs[7].addr, mrs[7].addr, hits);
    expect(hits->len == (place == all_the_same ? MANY : 1), "%u hits",
           hits->len);
    for (unsigned i = 0; i < MANY; i += 2) {
        take_out(&top, &mrs[i]);
    }
    check_shape(&top, MANY / 2);
    for (unsigned i = 0; i < MANY; i += 2) {
        put_in(&top, &mrs[i]);
    }
    check_shape(&top, MANY);
    for (unsigned i = MANY; i--;) {
        take_out(&top, &mrs[i]);
    }
    expect(!region_has_subregions(&top), "something is left");
    g_ptr_array_unref(hits);
}

START_TEST(stays_flat)
{
    static PlaceFn *const places[] = {
        ascending, descending, from_outside, all_the_same, in_bit_order,
        by_rank,
    };
    MemoryRegion *mrs = g_new(MemoryRegion, MANY);

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        snprintf(test_context, sizeof(test_context), "order %u: ", i);
        many(mrs, places[i]);
    }
    g_free(mrs);
}
END_TEST

/* Make all of @tree say that it touches whatever is asked for. */
static unsigned make_lie(MemoryRegion *tree)
{
    if (!tree) {
        return 0;
    }
    tree->addr = 0;
    tree->size = WHOLE;
    return 1 + make_lie(tree->link.left) + make_lie(tree->link.right);
}

/* The same for what a query of @first to @last can rule out unseen. */
static unsigned make_outside_lie(MemoryRegion *tree, hwaddr first, hwaddr last)
{
    if (!tree) {
        return 0;
    }
    if (tree->link.last_below < first) {
        return make_lie(tree);
    }
    return make_outside_lie(tree->link.left, first, last) +
           (tree->addr > last
                ? make_lie(tree->link.right)
                : make_outside_lie(tree->link.right, first, last));
}

/* A query looks at few regions, even where one reaches over all others. */
START_TEST(few_are_looked_at)
{
    MemoryRegion *mrs = g_new0(MemoryRegion, MANY + 1), top = { 0 };
    GPtrArray *hits = g_ptr_array_new();
    const hwaddr middle = MANY / 2 * 16;
    unsigned unseen;

    for (unsigned i = 0; i <= MANY; i++) {
        bool over_all = i == MANY;

        mrs[i].addr = over_all ? 0 : (hwaddr)i * 16;
        mrs[i].size = over_all ? WHOLE : 16;
        mrs[i].enabled = true;
        mrs[i].link.order = ++orders;
        put_in(&top, &mrs[i]);
    }
    unseen = make_outside_lie(top.subregions[true], middle, middle);
    expect(unseen > MANY - 200, "only %u are ruled out", unseen);
    region_index_touching(&top, true, middle, middle, hits);
    expect(hits->len == 2 && hits->pdata[0] == &mrs[MANY] &&
           hits->pdata[1] == &mrs[MANY / 2], "%u hits", hits->len);
    g_ptr_array_unref(hits);
    g_free(mrs);
}
END_TEST

TEST_MAIN("index", by_chance, topmost_first, stays_flat, few_are_looked_at)
