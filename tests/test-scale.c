/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is large: a million ranges, a million commits beside a reader, graphs
 * made so that there are very many ways through them.
 */
#include <time.h>

#include "field.h"
#include "rcu.h"

/* ---- a million --------------------------------------------------------------------------------------- */

/* A thousand windows onto a thousand regions, and one region over them. */
START_TEST(million_ranges)
{
    unsigned windows_nr = CHECKED ? 50 : 1000, nr = 1000;
    uint64_t ranges = (uint64_t)windows_nr * nr;
    hwaddr window_size = (hwaddr)nr * PITCH;
    MemoryRegion *windows = g_new0(MemoryRegion, windows_nr);
    MemoryRegion root, dot;
    AddressSpace as;
    BaselineListener *l;
    Field f;
    size_t bytes;

    field_init(&f, nr);
    address_space_destroy(&f.as);
    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init_io(&dot, &io_plain_ops, NULL, "dot", 1);
    memory_region_set_enabled(&dot, false);
    memory_region_transaction_begin();
    address_space_init(&as, &root);
    memory_region_add_subregion_overlap(&root, window_size / 2 + WIDTH, &dot, 1);
    for (unsigned i = 0; i < windows_nr; i++) {
        memory_region_init_alias(&windows[i], "window", &f.root, 0,
                                 window_size);
        memory_region_add_subregion(&root, i * window_size, &windows[i]);
    }
    memory_region_transaction_commit();
    ck_assert_uint_eq(as.view->nr, ranges);
    bytes = live_bytes();
    expect(bytes / ranges <= 160, "%zu bytes a range", bytes / (size_t)ranges);

    for (uint64_t i = 0; i < ranges; i += 997) {
        const FlatRange *r;

        r = flat_node_lookup(address_space_root(&as), i * PITCH + WIDTH - 1);
        ck_assert_ptr_eq(r->mr, &f.io[i % nr]);
        ck_assert_ptr_null(flat_node_lookup(address_space_root(&as),
                                            i * PITCH + WIDTH));
    }
    l = baseline_listener_new();
    l->listener.region_add = NULL; /* the million that there are */
    memory_listener_register(&l->listener, &as);
    for (unsigned i = 0; i < 1000; i++) {
        memory_region_set_enabled(&dot, true);
        ck_assert_ptr_eq(flat_node_lookup(address_space_root(&as),
                                          window_size / 2 + WIDTH)->mr, &dot);
        memory_region_set_enabled(&dot, false);
        ck_assert_uint_eq(l->events->len, i + 1);
    }
    g_array_set_size(l->events, 0);
    memory_region_set_enabled(&f.io[500], false);
    ck_assert_uint_eq(l->events->len, windows_nr);
    memory_region_set_enabled(&f.io[500], true);
    ck_assert_uint_eq(as.view->nr, ranges);
    bytes = live_bytes();
    expect(bytes / ranges <= 160, "%zu bytes a range", bytes / (size_t)ranges);
    l->listener.region_del = NULL;
    unfollow(l);

    address_space_destroy(&as);
    for (unsigned i = 0; i < windows_nr; i++) {
        memory_region_del_subregion(&root, &windows[i]);
        memory_region_destroy(&windows[i]);
    }
    memory_region_del_subregion(&root, &dot);
    memory_region_destroy(&dot);
    memory_region_destroy(&root);
    address_space_init(&f.as, &f.root);
    field_destroy(&f);
    g_free(windows);
    expect_nothing_left();
}
END_TEST

/* ---- graphs made to be expensive ----------------------------------------------------------------------- */

#define LEVELS_MAX 40

/* Containers, each with two aliases of the one below: 2^n paths to the bottom. */
typedef struct Tower {
    unsigned levels;
    MemoryRegion bottom, dot;
    MemoryRegion level[LEVELS_MAX];
    MemoryRegion alias[LEVELS_MAX][2];
    AddressSpace as;
} Tower;

typedef enum Layout { SIDE_BY_SIDE, SAME_PLACE } Layout;

/* The bottom has @size bytes, and in it, at its start, a region of @dot. */
static void tower_init(Tower *t, unsigned levels, Layout layout, uint64_t size,
                       uint64_t dot)
{
    MemoryRegion *below = &t->bottom;

    t->levels = levels;
    memory_region_init(&t->bottom, "bottom", size);
    memory_region_init_io(&t->dot, &io_plain_ops, NULL, "dot", MAX(dot, 1));
    if (dot) {
        memory_region_add_subregion(&t->bottom, 0, &t->dot);
    }
    for (unsigned i = 0; i < levels; i++) {
        uint64_t step = layout == SIDE_BY_SIDE ? size : 0;

        memory_region_init(&t->level[i], i + 1 == levels ? "tower" : "level",
                           size + step);
        for (unsigned k = 0; k < 2; k++) {
            memory_region_init_alias(&t->alias[i][k], "way", below, 0, size);
            memory_region_add_subregion_overlap(&t->level[i], k * step,
                                                &t->alias[i][k], 0);
        }
        size += step;
        below = &t->level[i];
    }
}

/* The space, if any, is gone. */
static void tower_destroy(Tower *t)
{
    for (unsigned i = t->levels; i-- > 0;) {
        for (unsigned k = 0; k < 2; k++) {
            memory_region_del_subregion(&t->level[i], &t->alias[i][k]);
            memory_region_destroy(&t->alias[i][k]);
        }
        memory_region_destroy(&t->level[i]);
    }
    if (t->dot.parent) {
        memory_region_del_subregion(&t->bottom, &t->dot);
    }
    memory_region_destroy(&t->dot);
    memory_region_destroy(&t->bottom);
    expect_nothing_left();
}

static MemoryRegion *tower_top(Tower *t)
{
    return &t->level[t->levels - 1];
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* No step of these tests may take longer, on any machine. */
static double deadline;

static void expect_in_time(const char *what)
{
    double now = cpu_seconds();

    expect(now < deadline, "%s took %.1f s", what,
           now - deadline + (CHECKED ? 60 : 6));
    deadline = now + (CHECKED ? 60 : 6);
}

static void start_clock(void)
{
    deadline = cpu_seconds() + (CHECKED ? 60 : 6);
}

#define MANY_LEVELS (CHECKED ? 13 : 20)

START_TEST(tower_side_by_side)
{
    Tower *t = g_new0(Tower, 1);
    size_t nr = (size_t)1 << MANY_LEVELS;

    start_clock();
    tower_init(t, MANY_LEVELS, SIDE_BY_SIDE, 0x10, 8);
    address_space_init(&t->as, tower_top(t));
    expect_in_time("showing the tower");
    ck_assert_uint_eq(t->as.view->nr, nr);
    ck_assert_ptr_eq(flat_node_lookup(address_space_root(&t->as),
                                      (nr - 1) * 0x10 + 7)->mr, &t->dot);
    memory_region_set_enabled(&t->dot, false);
    expect_in_time("a change at the bottom");
    ck_assert_uint_eq(t->as.view->nr, 0);
    memory_region_set_enabled(&t->dot, true);
    expect_in_time("a change back");
    memory_region_set_enabled(&t->alias[MANY_LEVELS / 2][1], false);
    expect_in_time("a change half-way");
    ck_assert_uint_eq(t->as.view->nr, nr / 2);
    address_space_destroy(&t->as);
    tower_destroy(t);
    expect_in_time("the end");
    g_free(t);
}
END_TEST

/* On the same place, seen through and not. */
START_TEST(tower_on_the_same_place)
{
    for (unsigned full = 0; full < 2; full++) {
        Tower *t = g_new0(Tower, 1);

        start_clock();
        tower_init(t, MANY_LEVELS, SAME_PLACE, 0x10, full ? 0x10 : 8);
        address_space_init(&t->as, tower_top(t));
        expect_in_time("showing the tower");
        ck_assert_uint_eq(t->as.view->nr, 1);
        for (unsigned i = 0; i < 6; i++) {
            memory_region_set_enabled(&t->dot, i & 1);
            expect_in_time("a change at the bottom");
            ck_assert_uint_eq(t->as.view->nr, i & 1);
        }
        address_space_destroy(&t->as);
        tower_destroy(t);
        g_free(t);
    }
}
END_TEST

START_TEST(tower_of_nothing)
{
    for (unsigned layout = SIDE_BY_SIDE; layout <= SAME_PLACE; layout++) {
        Tower *t = g_new0(Tower, 1);

        start_clock();
        tower_init(t, MANY_LEVELS, layout, 0x10, 0);
        address_space_init(&t->as, tower_top(t));
        expect_in_time("showing nothing");
        ck_assert_uint_eq(t->as.view->nr, 0);
        memory_region_set_size(&t->bottom, 8);
        expect_in_time("a change at the bottom");
        ck_assert_uint_eq(t->as.view->nr, 0);
        address_space_destroy(&t->as);
        tower_destroy(t);
        g_free(t);
    }
}
END_TEST

/* 2^40 paths: refused with the name of the root, for as long as it is so. Other
 * spaces do not suffer. */
START_TEST(tower_too_high)
{
    for (unsigned layout = SIDE_BY_SIDE; layout <= SAME_PLACE; layout++) {
        Tower *t = g_new0(Tower, 1);
        BaselineListener *l;
        Baseline *b;
        World w;

        start_clock();
        world_init(&w);
        tower_init(t, LEVELS_MAX, layout, 0x10, 8);
        memory_region_add_subregion(&w.root, 0, &t->bottom);
        expect_in_time("showing the bottom");
        EXPECT_ERROR(address_space_init(&t->as, tower_top(t)), "tower", NULL);
        expect_in_time("refusing the tower");
        ck_assert_ptr_null(flat_node_find(address_space_root(&t->as), 0));
        l = follow(&t->as);
        memory_region_set_enabled(&t->alias[0][1], false); /* told once */
        expect_in_time("refusing it again");
        expect_heard(l, NULL);
        recorder_expect_map(w.r, "dot 0-7 @0", NULL);

        /* 2^4 paths are left. */
        memory_region_transaction_begin();
        for (unsigned i = 0; i < LEVELS_MAX - 4; i++) {
            memory_region_set_enabled(&t->alias[i][1], false);
        }
        memory_region_transaction_commit();
        expect_in_time("making it sane");
        b = baseline_new(tower_top(t), &t->as);
        expect_baseline(b);
        ck_assert_uint_eq(t->as.view->nr, layout == SIDE_BY_SIDE ? 16 : 1);
        ck_assert_uint_eq(l->events->len, t->as.view->nr);
        memory_region_set_enabled(&t->dot, false);
        expect_baseline(b);
        memory_region_set_enabled(&t->dot, true);
        expect_baseline(b);
        expect_in_time("changes of what is sane");

        /* Too many again: what was shown is withdrawn. */
        g_array_set_size(l->events, 0);
        memory_region_transaction_begin();
        for (unsigned i = 0; i < LEVELS_MAX - 4; i++) {
            memory_region_set_enabled(&t->alias[i][1], true);
        }
        EXPECT_ERROR(memory_region_transaction_commit(), "tower", NULL);
        expect_in_time("refusing it once more");
        ck_assert_ptr_null(flat_node_find(address_space_root(&t->as), 0));
        ck_assert_uint_eq(l->events->len, layout == SIDE_BY_SIDE ? 16 : 1);
        g_array_set_size(l->events, 0);

        baseline_free(b);
        unfollow(l);
        address_space_destroy(&t->as);
        memory_region_del_subregion(&w.root, &t->bottom);
        world_destroy(&w);
        tower_destroy(t);
        expect_in_time("the end");
        g_free(t);
    }
}
END_TEST

/* What is beside such a tower goes with it, and comes back. */
START_TEST(tower_beside_others)
{
    Tower *t = g_new0(Tower, 1);
    MemoryRegion root, io, onto;
    BaselineListener *l;
    AddressSpace as;

    start_clock();
    tower_init(t, LEVELS_MAX, SIDE_BY_SIDE, 0x10, 8);
    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&root, (hwaddr)1 << 60, &io);
    memory_region_init_alias(&onto, "onto", tower_top(t), 0, UINT64_MAX);
    address_space_init(&as, &root);
    l = follow(&as);

    EXPECT_ERROR(memory_region_add_subregion_overlap(&root, 0, &onto, -1),
                 "root", NULL);
    expect_heard(l, "del io 1000000000000000-100000000000000f @0", NULL);
    memory_region_set_size(&io, 0x20); /* told once */
    expect_heard(l, NULL);
    ck_assert_uint_eq(as.view->nr, 0);
    memory_region_set_size(&onto, 0x20); /* two of all its paths */
    expect_heard(l, "add dot 0-7 @0", "add dot 10-17 @0",
                 "add io 1000000000000000-100000000000001f @0", NULL);
    EXPECT_ERROR(memory_region_set_size(&onto, UINT64_MAX), "root", NULL);
    g_array_set_size(l->events, 0);
    memory_region_del_subregion(&root, &onto);
    expect_heard(l, "add io 1000000000000000-100000000000001f @0", NULL);
    expect_in_time("all of it");

    unfollow(l);
    address_space_destroy(&as);
    memory_region_destroy(&onto);
    memory_region_del_subregion(&root, &io);
    memory_region_destroy(&io);
    memory_region_destroy(&root);
    tower_destroy(t);
    g_free(t);
}
END_TEST

#define NEST_DEPTH 1900

typedef struct Nest {
    MemoryRegion container[NEST_DEPTH], wide[NEST_DEPTH];
} Nest;

/* Few regions to look at, but all that is shown lies over something else again
 * and again: that is too much as well, and takes no longer to find out. */
START_TEST(tower_in_a_nest)
{
    const unsigned levels = CHECKED ? 13 : 18;
    Tower *t = g_new0(Tower, 1);
    Nest *n = g_new0(Nest, 1);
    MemoryRegion *in, onto;
    uint64_t size = 0x10ull << levels;

    start_clock();
    tower_init(t, levels, SIDE_BY_SIDE, 0x10, 8);
    memory_region_init_alias(&onto, "onto", tower_top(t), 0, size);
    in = &onto;
    for (unsigned i = 0; i < NEST_DEPTH; i++) {
        memory_region_init(&n->container[i], "nest", size);
        memory_region_init_io(&n->wide[i], &io_plain_ops, NULL, "wide",
                              size / 2);
        memory_region_add_subregion_overlap(&n->container[i], 0, in, 1);
        memory_region_add_subregion_overlap(&n->container[i], size / 4,
                                            &n->wide[i], 0);
        in = &n->container[i];
    }
    expect_in_time("building the nest");
    if (CHECKED) {
        address_space_init(&t->as, in);
    } else {
        EXPECT_ERROR(address_space_init(&t->as, in), "nest", NULL);
    }
    expect_in_time("looking into the nest");
    address_space_destroy(&t->as);
    for (unsigned i = NEST_DEPTH; i-- > 0;) {
        in = i ? &n->container[i - 1] : &onto;
        memory_region_del_subregion(&n->container[i], in);
        memory_region_del_subregion(&n->container[i], &n->wide[i]);
        memory_region_destroy(&n->wide[i]);
        memory_region_destroy(&n->container[i]);
    }
    memory_region_destroy(&onto);
    tower_destroy(t);
    g_free(n);
    g_free(t);
}
END_TEST

#define STAIRS 1900
#define SIBLINGS 16

/* One container in another, each among others that overlap: that is refused
 * before the stack of a vCPU is used up. */
static void *stairs_shown(void *opaque)
{
    MemoryRegion *top = opaque;
    AddressSpace as;

    EXPECT_ERROR(address_space_init(&as, top), "stairs", NULL);
    ck_assert_ptr_null(flat_node_find(address_space_root(&as), 0));
    address_space_destroy(&as);
    return NULL;
}

START_TEST(stairs)
{
    MemoryRegion *step = g_new0(MemoryRegion, STAIRS * SIBLINGS);
    MemoryRegion *in = NULL;
    pthread_attr_t attr;
    pthread_t thread;

    for (unsigned i = 0; i < STAIRS * SIBLINGS; i++) {
        MemoryRegion *up = &step[i / SIBLINGS * SIBLINGS];

        if (i % SIBLINGS) {
            memory_region_init_io(&step[i], &io_plain_ops, NULL, "flat", 8 + i);
        } else {
            memory_region_init(&step[i], "stairs", 0x100000);
            if (in) {
                memory_region_add_subregion_overlap(up, 0, in, 1);
            }
            in = up;
            continue;
        }
        memory_region_add_subregion_overlap(up, 0, &step[i], 0);
    }
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (CHECKED ? 16 : 1) * 0x140000);
    ck_assert_int_eq(pthread_create(&thread, &attr, stairs_shown, in), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    for (unsigned i = STAIRS * SIBLINGS; i-- > 0;) {
        if (step[i].parent) {
            memory_region_del_subregion(step[i].parent, &step[i]);
        }
    }
    for (unsigned i = 0; i < STAIRS * SIBLINGS; i++) {
        memory_region_destroy(&step[i]);
    }
    g_free(step);
    expect_nothing_left();
}
END_TEST

/* A few changes among much that is hidden cost the same together as alone. */
START_TEST(hidden_by_many)
{
    enum { HIDDEN = 100000, DOTS = 200 };
    MemoryRegion root, cover, *dot = g_new(MemoryRegion, DOTS);
    MemoryRegion *hidden = g_new(MemoryRegion, HIDDEN);
    AddressSpace as;
    double start;

    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init_io(&cover, &io_plain_ops, NULL, "cover", 1ull << 40);
    memory_region_add_subregion_overlap(&root, 0, &cover, 1);
    for (unsigned i = 0; i < HIDDEN; i++) {
        memory_region_init_io(&hidden[i], &io_plain_ops, NULL, "hidden", 8);
        memory_region_add_subregion_overlap(&root, i * 16, &hidden[i], 0);
    }
    for (unsigned i = 0; i < DOTS; i++) {
        memory_region_init_io(&dot[i], &io_plain_ops, NULL, "dot", 8);
        memory_region_add_subregion_overlap(&root, (1ull << 40) + i * 16,
                                            &dot[i], 0);
    }
    address_space_init(&as, &root);
    ck_assert_uint_eq(as.view->nr, DOTS + 1);
    start = cpu_seconds();
    for (unsigned k = 0; k < 100; k++) {
        memory_region_transaction_begin();
        for (unsigned i = 0; i < DOTS; i++) {
            memory_region_set_enabled(&dot[i], k % 2);
        }
        memory_region_transaction_commit();
        ck_assert_uint_eq(as.view->nr, k % 2 ? DOTS + 1 : 1);
    }
    expect(cpu_seconds() - start < (CHECKED ? 5 : 0.5), "100 commits took %f s",
           cpu_seconds() - start);
    address_space_destroy(&as);
    for (unsigned i = 0; i < HIDDEN; i++) {
        memory_region_del_subregion(&root, &hidden[i]);
        memory_region_destroy(&hidden[i]);
    }
    for (unsigned i = 0; i < DOTS; i++) {
        memory_region_del_subregion(&root, &dot[i]);
        memory_region_destroy(&dot[i]);
    }
    memory_region_del_subregion(&root, &cover);
    memory_region_destroy(&cover);
    memory_region_destroy(&root);
    g_free(hidden);
    g_free(dot);
    expect_nothing_left();
}
END_TEST

/* ---- a million commits --------------------------------------------------------------------------------- */

typedef struct Looker {
    Field *f;
    bool done; /* atomic */
    uint64_t looks;
} Looker;

static void *looker_run(void *opaque)
{
    Looker *k = opaque;
    const Field *f = k->f;
    unsigned i = 0;

    while (!__atomic_load_n(&k->done, __ATOMIC_RELAXED)) {
        const FlatNode *root;
        const FlatRange *r;

        i = (i + 7) % f->nr;
        memory_rcu_enter();
        root = address_space_root(&f->as);
        r = flat_node_find(root, (hwaddr)i * PITCH);
        expect(r && r->mr == &f->io[i] && r->first % PITCH <= 1 && !r->offset &&
                   r->last - r->first == WIDTH - 1,
               "a look-up of region %u found something else", i);
        memory_rcu_exit();
        k->looks++;
    }
    return NULL;
}

/* Regions that move to and fro while a thread looks at them all the time: what
 * is replaced does not pile up. */
START_TEST(million_commits)
{
    uint64_t commits = test_number("FLATVIEW_COMMITS", CHECKED ? 50000 : 1000000);
    Looker looker = { 0 };
    pthread_t thread;
    unsigned views;
    size_t bytes;
    Field f;

    field_init(&f, 1000);
    bytes = live_bytes();
    views = flatview_live_count();
    looker.f = &f;
    ck_assert_int_eq(pthread_create(&thread, NULL, looker_run, &looker), 0);
    for (uint64_t i = 0; i < commits; i++) {
        unsigned k = (unsigned)(i * 7919 % f.nr);

        memory_region_set_address(&f.io[k], (hwaddr)k * PITCH + !(f.io[k].addr %
                                                                  PITCH));
        if (i % 64 == 0) {
            memory_lock();
            expect(flatview_live_count() == views, "%u views",
                   flatview_live_count());
            expect(rcu_retired_count() <= 1024 &&
                       rcu_retired_bytes() <= (2 << 20),
                   "%u blocks, %zu bytes wait for readers", rcu_retired_count(),
                   rcu_retired_bytes());
            /* The tree may lose up to half of what its nodes are filled with. */
            expect(flatview_live_bytes() - rcu_retired_bytes() <= 2 * bytes + 4096,
                   "%zu bytes, %zu at first",
                   flatview_live_bytes() - rcu_retired_bytes(), bytes);
            memory_unlock();
        }
    }
    __atomic_store_n(&looker.done, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    ck_assert_uint_gt(looker.looks, 0);
    field_destroy(&f);
    expect_nothing_left();
}
END_TEST

TEST_MAIN("scale", million_ranges, tower_side_by_side, tower_on_the_same_place,
          tower_of_nothing, tower_too_high, tower_beside_others,
          tower_in_a_nest, stairs, hidden_by_many, million_commits)
