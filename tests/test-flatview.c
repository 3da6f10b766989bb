/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A view as a tree of ranges: against a plain table, its shape, how long its
 * versions live, and what it costs; and what waits for readers. FLATVIEW_SEED
 * replays one random sequence; FLATVIEW_RANGES and FLATVIEW_COMMITS change how
 * large the large ones are.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#include "memory-internal.h"
#include "rcu.h"
#include "test-util.h"

#define SEEDS 40
#define RANGES 1000000
#define COMMITS 1000000
#define FILL_MIN (FLAT_FANOUT / 2)

/* The regions of the ranges: no more than their counters matter here. */
static MemoryRegion regions[4];

static void expect_nothing_lives(void)
{
    rcu_reclaim();
    ck_assert_uint_eq(flatview_live_count(), 0);
    ck_assert_uint_eq(flatview_live_bytes(), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        ck_assert_uint_eq(regions[i].shown, 0);
    }
}

static FlatRange range_at(hwaddr first, hwaddr last)
{
    return (FlatRange){
        .first = first,
        .last = last,
        .offset = first ^ last,
        .mr = &regions[first % 4],
        .readonly = first & 1,
        .dirty_log_mask = 1 + first % 7,
    };
}

static bool same_range(const FlatRange *a, const FlatRange *b)
{
    return flat_range_equal(a, b) && a->dirty_log_mask == b->dirty_log_mask;
}

static hwaddr insert(FlatView *view, hwaddr first, hwaddr last)
{
    FlatRange range = range_at(first, last);

    flatview_insert(view, &range);
    return first;
}

/* ---- the shape of a tree --------------------------------------------------------- */

typedef struct Shape {
    size_t ranges;
    size_t bytes; /* of the nodes */
    const FlatRange *previous;
} Shape;

/* Check all that holds for a version; @node has to be of @height. */
static void check_node(const FlatNode *node, bool is_root, unsigned height,
                       Shape *shape)
{
    ck_assert_uint_eq(node->height, height);
    ck_assert_uint_le(node->nr, FLAT_FANOUT);
    expect(is_root ? !height || node->nr >= 2 : node->nr >= FILL_MIN,
           "%u entries at height %u%s", (unsigned)node->nr, height,
           is_root ? ", in the root" : "");
    for (unsigned i = node->nr; i <= FLAT_FANOUT; i++) {
        expect_hex(node->last[i], HWADDR_MAX);
    }
    shape->bytes += height ? sizeof(FlatInner) : sizeof(FlatLeaf);
    for (unsigned i = 0; i < node->nr; i++) {
        if (height) {
            check_node(((const FlatInner *)node)->child[i], false, height - 1,
                       shape);
        } else {
            const FlatRange *range = &((const FlatLeaf *)node)->range[i];

            expect(range->first <= range->last, "ends before it starts");
            expect(!shape->previous || shape->previous->last < range->first,
                   "ranges overlap, or are in no order");
            shape->previous = range;
            shape->ranges++;
        }
        expect_hex(node->last[i], shape->previous->last);
    }
}

static Shape check_tree(const FlatView *view)
{
    const FlatNode *root = flatview_root(view);
    Shape shape = { 0 };

    check_node(root, true, root->height, &shape);
    return shape;
}

/* The same for the only view, with nothing unpublished. */
static Shape check_view(const FlatView *view)
{
    Shape shape = check_tree(view);

    ck_assert_ptr_eq(view->next, view->root);
    ck_assert_uint_eq(shape.ranges, view->nr);
    ck_assert_uint_eq(flatview_live_count(), 1);
    ck_assert_uint_eq(flatview_live_bytes(), sizeof(*view) + shape.bytes +
                                                 rcu_retired_bytes());
    return shape;
}

/* ---- against a table ------------------------------------------------------------- */

/* The space is cut into equal slots; each shows one range or nothing. */
typedef struct Table {
    unsigned bits; /* 1 << bits slots */
    bool *shown;
    uint8_t *mask; /* the dirty mask, for the log */
    size_t nr;
    GRand *rand;
} Table;

/* In some slots the range reaches to an end or both, in some it is one byte. */
static FlatRange slot_range(const Table *t, unsigned slot)
{
    unsigned shift = 64 - t->bits;
    hwaddr size = (hwaddr)1 << shift, first = (hwaddr)slot << shift;
    FlatRange range;

    switch (slot * 2654435761u >> 29) {
    case 0:
        range = range_at(first + size / 2, first + size - 1);
        break;
    case 1:
        range = range_at(first, first);
        break;
    case 2:
        range = range_at(first + size - 1, first + size - 1);
        break;
    case 3:
        range = range_at(first + 1, first + size - 2);
        break;
    default:
        range = range_at(first, first + size - 1);
        break;
    }
    if (slot == 0) {
        range = range_at(0, 0xfff);
    } else if (slot == (1u << t->bits) - 1) {
        range = range_at(HWADDR_MAX, HWADDR_MAX);
    }
    range.dirty_log_mask = t->mask[slot];
    return range;
}

/* What the table says of the first range at or behind @addr. */
static bool table_find(const Table *t, hwaddr addr, FlatRange *range)
{
    for (unsigned slot = addr >> (64 - t->bits); slot >> t->bits == 0; slot++) {
        if (t->shown[slot]) {
            *range = slot_range(t, slot);
            if (range->last >= addr) {
                return true;
            }
        }
    }
    return false;
}

static void check_lookup(const Table *t, const FlatNode *root, hwaddr addr)
{
    const FlatRange *found = flat_node_find(root, addr);
    const FlatRange *answers = flat_node_lookup(root, addr);
    FlatRange wanted;

    if (!table_find(t, addr, &wanted)) {
        expect(!found && !answers, "0x%" PRIx64 ": found what is not there",
               addr);
        return;
    }
    expect(found && same_range(found, &wanted),
           "0x%" PRIx64 ": did not find 0x%" PRIx64, addr, wanted.first);
    ck_assert_ptr_eq(answers, wanted.first <= addr ? found : NULL);
}

static void check_lookups(const Table *t, const FlatNode *root, unsigned slot)
{
    FlatRange range = slot_range(t, slot);

    check_lookup(t, root, range.first - 1); /* may be the highest of all */
    check_lookup(t, root, range.first);
    check_lookup(t, root, range.first + (range.last - range.first) / 2);
    check_lookup(t, root, range.last);
    check_lookup(t, root, range.last + 1); /* may be 0 */
}

/* Every range of @root, walked by look-ups, against the table. */
static void check_content(const Table *t, const FlatNode *root)
{
    const FlatRange *at = flat_node_find(root, 0);

    for (unsigned slot = 0; slot < 1u << t->bits; slot++) {
        if (t->shown[slot]) {
            FlatRange wanted = slot_range(t, slot);

            expect(at && same_range(at, &wanted), "slot %u is wrong", slot);
            at = flat_node_next(root, at);
        }
    }
    expect(!at, "more ranges than there should be");
}

static unsigned random_slot(const Table *t)
{
    unsigned slots = 1u << t->bits;

    switch (g_rand_int_range(t->rand, 0, 16)) {
    case 0:
        return 0;
    case 1:
        return slots - 1;
    default:
        return (unsigned)g_rand_int_range(t->rand, 0, (gint32)slots);
    }
}

/* One change of the coming version: more often one that brings it nearer to
 * @wanted ranges. */
static void random_change(Table *t, FlatView *view, size_t wanted)
{
    unsigned slot = random_slot(t);

    for (unsigned i = 0; i < 3 && t->shown[slot] == (t->nr < wanted); i++) {
        slot = random_slot(t);
    }
    if (t->shown[slot] && g_rand_int_range(t->rand, 0, 8) == 0) {
        t->mask[slot] = (uint8_t)g_rand_int_range(t->rand, 0, 16);
        flatview_set_log_mask(view, slot_range(t, slot).first, t->mask[slot]);
        return;
    }

    FlatRange range = slot_range(t, slot);

    if (t->shown[slot]) {
        flatview_remove(view, range.first);
        t->nr--;
    } else {
        flatview_insert(view, &range);
        t->nr++;
    }
    t->shown[slot] = !t->shown[slot];
}

static void random_sequence(uint64_t seed)
{
    Table t = { .rand = g_rand_new_with_seed((guint32)seed) };
    FlatView *view = flatview_new(NULL);
    unsigned most, steps = 400;

    g_snprintf(test_context, sizeof(test_context),
               "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    t.bits = (unsigned)g_rand_int_range(t.rand, 1, 13);
    t.shown = g_new0(bool, 1u << t.bits);
    t.mask = g_new0(uint8_t, 1u << t.bits);
    most = 1u << g_rand_int_range(t.rand, 0, 10); /* changes in a version */
    for (unsigned i = 0; i < steps; i++) {
        /* Grow and shrink some times, to nothing and to nearly all. */
        size_t wanted = i / (steps / 8) % 2 ? 0 : 1u << t.bits;
        unsigned changes = (unsigned)g_rand_int_range(t.rand, 0,
                                                      (gint32)most + 1);

        for (unsigned j = 0; j < changes; j++) {
            random_change(&t, view, wanted);
        }
        flatview_publish(view);
        check_view(view);
        ck_assert_uint_eq(view->nr, t.nr);
        check_content(&t, view->root);
        for (unsigned j = 0; j < 8; j++) {
            check_lookups(&t, view->root, random_slot(&t));
        }
    }
    flatview_retire(view);
    expect_nothing_lives();
    g_free(t.shown);
    g_free(t.mask);
    g_rand_free(t.rand);
    test_context[0] = '\0';
}

START_TEST(random_changes)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 0);

    if (seed) {
        random_sequence(seed);
        return;
    }
    for (seed = 1; seed <= SEEDS; seed++) {
        random_sequence(seed);
    }
}
END_TEST

/* ---- the ends ---------------------------------------------------------------------- */

START_TEST(empty_view)
{
    FlatView *view = flatview_new(&regions[0]);
    const FlatNode *root = view->root;

    ck_assert_ptr_eq(view->region, &regions[0]);
    ck_assert_uint_eq(root->nr, 0);
    ck_assert_uint_eq(root->height, 0);
    ck_assert_ptr_null(flat_node_find(root, 0));
    ck_assert_ptr_null(flat_node_find(root, HWADDR_MAX));
    ck_assert_ptr_null(flat_node_lookup(root, HWADDR_MAX));
    flatview_publish(view); /* changes nothing */
    ck_assert_ptr_eq(view->root, root);
    ck_assert_uint_eq(rcu_retired_count(), 0);
    check_view(view);
    flatview_retire(view);
    expect_nothing_lives();
}
END_TEST

START_TEST(ends_of_the_space)
{
    FlatView *view = flatview_new(NULL);

    insert(view, 0, HWADDR_MAX);
    flatview_publish(view);
    check_view(view);
    ck_assert_ptr_nonnull(flat_node_lookup(view->root, 0));
    ck_assert_ptr_nonnull(flat_node_lookup(view->root, HWADDR_MAX));
    ck_assert_ptr_null(flat_node_next(view->root,
                                      flat_node_find(view->root, 7)));
    flatview_remove(view, 0);
    insert(view, HWADDR_MAX, HWADDR_MAX);
    insert(view, 0, 0);
    flatview_publish(view);
    check_view(view);
    expect_hex(flat_node_lookup(view->root, HWADDR_MAX)->first, HWADDR_MAX);
    expect_hex(flat_node_lookup(view->root, 0)->last, 0);
    ck_assert_ptr_null(flat_node_lookup(view->root, 1));
    ck_assert_ptr_null(flat_node_lookup(view->root, HWADDR_MAX - 1));
    expect_hex(flat_node_find(view->root, 1)->first, HWADDR_MAX);
    flatview_remove(view, HWADDR_MAX);
    flatview_publish(view);
    check_view(view);
    ck_assert_ptr_null(flat_node_find(view->root, 1));
    flatview_retire(view);
    expect_nothing_lives();
}
END_TEST

/* What a view shows is known at its regions, before it is published. */
START_TEST(regions_know)
{
    FlatView *view = flatview_new(NULL), *other = flatview_new(NULL);

    memset(regions, 0, sizeof(regions));
    insert(view, 4, 4);
    insert(view, 8, 8);
    insert(other, 4, 4);
    ck_assert_uint_eq(regions[0].shown, 3);
    expect(regions[0].visible && !regions[1].visible, "the wrong is visible");
    flatview_remove(view, 4);
    ck_assert_uint_eq(regions[0].shown, 2);
    flatview_publish(view);
    flatview_publish(other);
    flatview_retire(other); /* with what it shows */
    ck_assert_uint_eq(regions[0].shown, 1);
    flatview_remove(view, 8);
    ck_assert_uint_eq(regions[0].shown, 0);
    expect(regions[0].visible, "a reader may still hold it");
    flatview_retire(view); /* with a change that was not published */
    expect_nothing_lives();
}
END_TEST

/* ---- versions ---------------------------------------------------------------------- */

/* The content of a version, in words. */
static char *version_text(const FlatNode *node)
{
    const FlatRange *r;
    GString *s = g_string_new(NULL);

    for (r = flat_node_find(node, 0); r; r = flat_node_next(node, r)) {
        g_string_append_printf(s, "%" PRIx64 "-%" PRIx64 " %x\n", r->first,
                               r->last, r->dirty_log_mask);
    }
    return g_string_free(s, FALSE);
}

/* A version stays as it was for as long as a reader holds it, whatever becomes
 * of the view. */
START_TEST(old_versions_stay)
{
    for (unsigned n = 1; n <= 3000; n = n * 3 + 1) {
        struct {
            const FlatNode *root;
            char *text;
        } old[64];
        unsigned nr = 0;
        FlatView *view = flatview_new(NULL);

        for (unsigned i = 0; i < n; i++) {
            insert(view, i * 16, i * 16 + 11);
        }
        flatview_publish(view);
        rcu_reclaim();
        memory_rcu_enter();
        while (nr < G_N_ELEMENTS(old) && rcu_retired_count() < RCU_BATCH / 2) {
            unsigned i = nr * 7919 % n;

            old[nr].root = flatview_root(view);
            old[nr].text = version_text(old[nr].root);
            nr++;
            if (flat_node_lookup(view->next, i * 16)) {
                flatview_remove(view, i * 16);
            } else {
                insert(view, i * 16, i * 16 + 11);
            }
            for (i = 0; i < n; i += n / 2 + 1) {
                insert(view, i * 16 + 12, i * 16 + 12); /* for a while only */
                flatview_set_log_mask(view, i * 16 + 12, 15);
                flatview_remove(view, i * 16 + 12);
            }
            ck_assert_ptr_eq(flatview_root(view), old[nr - 1].root);
            flatview_publish(view);
            check_tree(view);
        }
        expect(nr > 3, "too few versions");
        for (unsigned i = 0; i < nr; i++) {
            char *text = version_text(old[i].root);

            expect(!strcmp(text, old[i].text), "version %u of %u has become\n%s"
                   "and was\n%s", i, n, text, old[i].text);
            g_free(text);
            g_free(old[i].text);
        }
        memory_rcu_exit();
        flatview_retire(view);
        expect_nothing_lives();
    }
}
END_TEST

/* The mask of a range is part of the version, too. */
START_TEST(log_mask)
{
    FlatView *view = flatview_new(NULL);
    const FlatNode *before;

    for (unsigned i = 0; i < 500; i++) {
        insert(view, i * 16, i * 16 + 15);
    }
    flatview_publish(view);
    rcu_reclaim();
    before = view->root;
    flatview_set_log_mask(view, 100 * 16, 0x80);
    ck_assert_ptr_eq(view->root, before);
    flatview_publish(view);
    ck_assert_uint_eq(flat_node_lookup(view->root, 1600)->dirty_log_mask, 0x80);
    ck_assert_uint_ne(flat_node_lookup(before, 1600)->dirty_log_mask, 0x80);
    ck_assert_uint_eq(rcu_retired_count(), view->root->height + 1u);
    check_view(view);
    flatview_retire(view);
    expect_nothing_lives();
}
END_TEST

/* A step replaces the nodes on one way, and at most one beside each but the
 * root. What was made since the last publication is changed in place. */
START_TEST(cost_of_a_step)
{
    FlatView *view = flatview_new(NULL);
    GRand *rand = g_rand_new_with_seed(1);
    bool shown[5000] = { false };

    for (unsigned i = 0; i < 40000; i++) {
        unsigned slot = (unsigned)g_rand_int_range(rand, 0, 5000);
        unsigned height = view->root->height;

        rcu_reclaim();
        if (shown[slot]) {
            flatview_remove(view, slot * 16);
        } else {
            insert(view, slot * 16, slot * 16);
        }
        shown[slot] = !shown[slot];
        ck_assert_uint_eq(rcu_retired_count(), 0);
        flatview_publish(view);
        height = MAX(height, view->root->height);
        expect(rcu_retired_count() <= 2 * height + 1,
               "%u nodes of height %u replaced", rcu_retired_count(), height);
    }
    rcu_reclaim();
    for (unsigned i = 0; i < 10000; i++) {
        insert(view, 0x100000 + i, 0x100000 + i);
    }
    for (unsigned i = 0; i < 10000; i++) {
        flatview_remove(view, 0x100000 + i);
    }
    flatview_publish(view);
    expect(rcu_retired_count() <= 2 * view->root->height + 2u,
           "%u nodes replaced for nothing", rcu_retired_count());
    check_view(view);
    flatview_retire(view);
    expect_nothing_lives();
    g_rand_free(rand);
}
END_TEST

/* One range that comes and goes settles: a step then replaces one way and no
 * more, but for rare cases. */
START_TEST(toggles_settle)
{
    GRand *rand = g_rand_new_with_seed(5);
    unsigned steps = 0, more = 0;

    for (unsigned n = 100; n < 4000; n += 300) {
        FlatView *view = flatview_new(NULL);
        bool shown[4000] = { false };

        for (unsigned i = 0; i < 20000; i++) {
            unsigned slot = (unsigned)g_rand_int_range(rand, 0, 4000);
            bool show = g_rand_int_range(rand, 0, 4000) < (gint32)n;

            if (show && !shown[slot]) {
                insert(view, slot * 16, slot * 16 + 3);
            } else if (!show && shown[slot]) {
                flatview_remove(view, slot * 16);
            }
            shown[slot] = show;
        }
        flatview_publish(view);
        for (unsigned slot = 0; slot < 4000; slot++) {
            for (unsigned i = 0; i < 10; i++) {
                rcu_reclaim();
                if (shown[slot]) {
                    flatview_remove(view, slot * 16);
                } else {
                    insert(view, slot * 16, slot * 16 + 3);
                }
                shown[slot] = !shown[slot];
                flatview_publish(view);
                if (i >= 4) {
                    steps++;
                    more += rcu_retired_count() > view->root->height + 1u;
                }
            }
        }
        flatview_retire(view);
    }
    expect(more * 1000 < steps, "%u of %u steps replaced more", more, steps);
    expect_nothing_lives();
    g_rand_free(rand);
}
END_TEST

/* ---- readers ----------------------------------------------------------------------- */

#define READER_RANGES 1000
#define READER_COMMITS 3000

typedef struct Readers {
    FlatView *view;
    int stop;   /* atomic */
    int failed; /* atomic */
} Readers;

/* Not test_fail(): Check's functions are for the main thread. */
static void *reader_thread(void *opaque)
{
    Readers *readers = opaque;

    while (!__atomic_load_n(&readers->stop, __ATOMIC_RELAXED)) {
        const FlatNode *root;
        const FlatRange *r;
        unsigned nr = 0;
        hwaddr sum = 0;

        memory_rcu_enter();
        root = flatview_root(readers->view);
        for (r = flat_node_find(root, 0); r; r = flat_node_next(root, r)) {
            nr++;
            sum += r->offset;
        }
        memory_rcu_exit();
        if (nr != READER_RANGES || sum) {
            fprintf(stderr, "%u ranges, sum 0x%" PRIx64 "\n", nr, sum);
            __atomic_store_n(&readers->failed, 1, __ATOMIC_RELAXED);
        }
    }
    return NULL;
}

/* Each version has as many ranges as any other, and their offsets are nothing
 * in all: each commit moves two, and what one's offset gains the other's
 * loses. */
START_TEST(readers_see_one_version)
{
    Readers readers = { .view = flatview_new(NULL) };
    FlatView *view = readers.view;
    GRand *rand = g_rand_new_with_seed(7);
    unsigned commits = (unsigned)test_number("FLATVIEW_COMMITS",
                                             READER_COMMITS);
    bool shown[2 * READER_RANGES] = { false };
    pthread_t threads[2];

    for (unsigned i = 0; i < READER_RANGES; i++) {
        FlatRange range = { .first = i * 16, .last = i * 16, .mr = regions };

        flatview_insert(view, &range);
        shown[i] = true;
    }
    flatview_publish(view);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, reader_thread,
                                        &readers), 0);
    }
    for (unsigned i = 0; i < MIN(commits, READER_COMMITS); i++) {
        FlatRange moved[2];
        unsigned from, to;

        for (unsigned j = 0; j < 2; j++) {
            do {
                from = (unsigned)g_rand_int_range(rand, 0, 2 * READER_RANGES);
            } while (!shown[from]);
            moved[j] = *flat_node_lookup(view->next, from * 16);
            flatview_remove(view, from * 16);
            shown[from] = false;
        }
        moved[0].offset += i;
        moved[1].offset -= i;
        for (unsigned j = 0; j < 2; j++) {
            do {
                to = (unsigned)g_rand_int_range(rand, 0, 2 * READER_RANGES);
            } while (shown[to]);
            moved[j].first = moved[j].last = to * 16;
            flatview_insert(view, &moved[j]);
            shown[to] = true;
        }
        flatview_publish(view);
    }
    __atomic_store_n(&readers.stop, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    expect(!readers.failed, "a reader saw two versions in one");
    check_view(view);
    flatview_retire(view);
    expect_nothing_lives();
    g_rand_free(rand);
}
END_TEST

/* ---- size -------------------------------------------------------------------------- */

static void expect_bytes_a_range(const FlatView *view, double most,
                                 const char *how)
{
    Shape shape = check_view(view);
    double bytes = (double)shape.bytes / (double)shape.ranges;

    expect(bytes <= most, "%s: %.1f bytes a range", how, bytes);
}

/* Bytes that the program has from the allocator; 0 where it cannot tell. */
static size_t allocated_bytes(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    return mallinfo2().uordblks;
#else
    return 0;
#endif
}

/* The bound of flatview.c: with the least fill everywhere, and a root. */
#define WORST_BYTES 130.

START_TEST(many_ranges)
{
    unsigned n = (unsigned)test_number("FLATVIEW_RANGES", RANGES), left = n;
    size_t before = allocated_bytes();
    FlatView *view = flatview_new(NULL);

    for (unsigned i = 0; i < n; i++) {
        insert(view, (hwaddr)i << 12, (hwaddr)i << 12 | 0xfff);
    }
    flatview_publish(view);
    rcu_reclaim();
    expect_bytes_a_range(view, 60, "built in order");
    for (unsigned i = 0; i < n; i += n / 1000 + 1) {
        const FlatRange *r = flat_node_lookup(view->root, (hwaddr)i << 12 | 7);

        expect(r && r->first == (hwaddr)i << 12, "range %u is lost", i);
    }
    ck_assert_ptr_null(flat_node_lookup(view->root, (hwaddr)n << 12));

    /* As thin as it can be: all leaves lose the same, down to the least. */
    for (unsigned k = 0; k < 8; k++) {
        for (unsigned i = k; i < n; i += FLAT_FANOUT) {
            flatview_remove(view, (hwaddr)i << 12);
            left--;
        }
        flatview_publish(view);
        ck_assert_uint_eq(view->nr, left);
        expect_bytes_a_range(view, WORST_BYTES, "thinned");
    }
    for (unsigned i = 0; i < n; i++) {
        if (i % FLAT_FANOUT >= 8) {
            flatview_remove(view, (hwaddr)i << 12);
        }
    }
    flatview_publish(view);
    ck_assert_uint_eq(view->nr, 0);
    ck_assert_uint_eq(view->root->height, 0);
    check_view(view);
    flatview_retire(view);
    expect_nothing_lives();
    expect(allocated_bytes() <= before + (400 << 10), "%zu bytes are kept",
           allocated_bytes() - before);
}
END_TEST

/* Downwards, and in a scattered order; then out again in another. */
START_TEST(orders)
{
    unsigned n = (unsigned)test_number("FLATVIEW_RANGES", RANGES) / 5;
    uint64_t stride[] = { n - 1, 7919, 104729 };

    for (unsigned k = 0; k < G_N_ELEMENTS(stride); k++) {
        FlatView *view = flatview_new(NULL);
        bool *gone = g_new0(bool, n);

        for (unsigned i = 0, at = n - 1; i < n; i++) {
            insert(view, (hwaddr)at << 4, (hwaddr)at << 4);
            at = (unsigned)((at + stride[k]) % n);
        }
        flatview_publish(view);
        rcu_reclaim();
        ck_assert_uint_eq(view->nr, n);
        expect_bytes_a_range(view, WORST_BYTES, "built in another order");
        for (unsigned i = 0; i < n - 20; i++) {
            unsigned at = (unsigned)(i * stride[(k + 1) % 3] % n);

            expect(!gone[at], "%u is no stride for %u", at, n);
            gone[at] = true;
            flatview_remove(view, (hwaddr)at << 4);
            if (i % (n / 8) == 0) {
                flatview_publish(view);
                expect_bytes_a_range(view, WORST_BYTES, "half empty");
            }
        }
        flatview_publish(view);
        check_view(view);
        flatview_retire(view);
        expect_nothing_lives();
        g_free(gone);
    }
}
END_TEST

/* A million commits leave no more behind than one batch. */
START_TEST(many_commits)
{
    unsigned commits = (unsigned)test_number("FLATVIEW_COMMITS", COMMITS);
    FlatView *view = flatview_new(NULL);
    size_t most = 0;

    for (unsigned i = 0; i < 1000; i++) {
        insert(view, i * 16, i * 16 + 15);
    }
    flatview_publish(view);
    for (unsigned i = 0; i < commits; i++) {
        hwaddr first = i / 2 * 7919 % 1000 * 16;

        if (i % 2) {
            insert(view, first, first + 15);
        } else {
            flatview_remove(view, first);
        }
        flatview_publish(view);
        most = MAX(most, flatview_live_bytes());
    }
    expect(most <= 1000 * (size_t)WORST_BYTES + RCU_BATCH * sizeof(FlatLeaf) +
                       sizeof(*view) + 2 * sizeof(FlatInner),
           "%zu bytes at one time", most);
    check_view(view);
    flatview_retire(view);
    expect_nothing_lives();
}
END_TEST

/* ---- rcu.c ------------------------------------------------------------------------- */

START_TEST(batches)
{
    for (unsigned i = 1; i < RCU_BATCH; i++) {
        rcu_retire(g_malloc(i), i);
        ck_assert_uint_eq(rcu_retired_count(), i);
        ck_assert_uint_eq(rcu_retired_bytes(), i * (i + 1) / 2);
    }
    rcu_retire(g_malloc(1), 1);
    ck_assert_uint_eq(rcu_retired_count(), 0);
    ck_assert_uint_eq(rcu_retired_bytes(), 0);
    rcu_retire(g_malloc(1 << 19), 1 << 19);
    ck_assert_uint_eq(rcu_retired_count(), 1);
    rcu_retire(g_malloc(1 << 19), 1 << 19);
    ck_assert_uint_eq(rcu_retired_count(), 0);
    rcu_retire(g_malloc(1), 1);
    rcu_reclaim();
    ck_assert_uint_eq(rcu_retired_count(), 0);
    rcu_reclaim();
    expect_nothing_lives();
}
END_TEST

typedef struct Holder {
    int inside; /* atomic: 1 in the read side */
    int freed;  /* atomic */
    int early;
} Holder;

static Holder holder;

static void holder_free(void *block)
{
    g_free(block);
    __atomic_store_n(&holder.freed, 1, __ATOMIC_SEQ_CST);
}

static void *holder_thread(void *opaque)
{
    memory_rcu_enter();
    __atomic_store_n(&holder.inside, 1, __ATOMIC_SEQ_CST);
    g_usleep(50000);
    holder.early = __atomic_load_n(&holder.freed, __ATOMIC_SEQ_CST);
    memory_rcu_exit();
    return NULL;
}

START_TEST(readers_are_waited_for)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, holder_thread, NULL), 0);
    while (!__atomic_load_n(&holder.inside, __ATOMIC_SEQ_CST)) {
        g_usleep(100);
    }
    rcu_retire_to(g_malloc(8), 8, holder_free);
    rcu_reclaim();
    ck_assert_int_eq(holder.freed, 1);
    pthread_join(thread, NULL);
    ck_assert_int_eq(holder.early, 0);
}
END_TEST

/* ---- in words ------------------------------------------------------------------------ */

static int print_to_string(FILE *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf((GString *)f, fmt, ap);
    va_end(ap);
    return 0;
}

static void expect_dispatch(const FlatView *view, const char *wanted)
{
    GString *s = g_string_new(NULL);

    flatview_print_dispatch(view, print_to_string, s);
    expect(!strcmp(s->str, wanted), "printed\n%s", s->str);
    g_string_free(s, TRUE);
}

START_TEST(dispatch_in_words)
{
    FlatView *view = flatview_new(NULL);

    expect_dispatch(view, "  0 ranges, 1 nodes of up to 15 entries, height 0, "
                          "864 bytes\n");
    for (unsigned i = 0; i < 31; i++) {
        insert(view, 0x1000 + i * 0x1000, 0x1000 + i * 0x1000 + 0xff);
        if (i == 15) {
            flatview_publish(view);
        }
    }
    expect_dispatch(view, /* what is published */
                    "  16 ranges, 3 nodes of up to 15 entries, height 1, "
                    "1992 bytes\n"
                    "    0000000000001000-00000000000100ff: 2 leaves\n");
    for (unsigned i = 31; i < 15 * 15 + 1; i++) {
        insert(view, 0x1000 + i * 0x1000, 0x1000 + i * 0x1000 + 0xff);
    }
    flatview_publish(view);
    expect_dispatch(view,
                    "  226 ranges, 19 nodes of up to 15 entries, height 2, "
                    "14616 bytes\n"
                    "    0000000000001000-00000000000e20ff: 2 nodes\n"
                    "      0000000000001000-00000000000780ff: 8 leaves\n"
                    "      0000000000079000-00000000000e20ff: 8 leaves\n");
    flatview_retire(view);
    expect_nothing_lives();
}
END_TEST

TEST_MAIN("flatview", empty_view, ends_of_the_space, regions_know,
          random_changes, old_versions_stay, log_mask, cost_of_a_step,
          toggles_settle, readers_see_one_version, many_ranges, orders,
          many_commits, batches, readers_are_waited_for, dispatch_in_words)
