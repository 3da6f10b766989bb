/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit costs what it changes: what listeners hear of it, what of the map is
 * made anew, and what is shared between versions and between address spaces.
 */
#include <malloc.h>
#include <semaphore.h>

#include "field.h"
#include "rcu.h"

/* ---- a reader that stays ---------------------------------------------------------------- */

/* A thread inside a read side, for which old versions are kept. */
typedef struct Holder {
    pthread_t thread;
    sem_t inside, leave;
} Holder;

static void *holder_run(void *opaque)
{
    Holder *h = opaque;

    memory_rcu_enter();
    sem_post(&h->inside);
    sem_wait(&h->leave);
    memory_rcu_exit();
    return NULL;
}

/* Nothing waits for readers any more: the commits to come are few enough not to
 * wait for this one. */
static void holder_enter(Holder *h)
{
    memory_lock();
    rcu_reclaim();
    memory_unlock();
    sem_init(&h->inside, 0, 0);
    sem_init(&h->leave, 0, 0);
    ck_assert_int_eq(pthread_create(&h->thread, NULL, holder_run, h), 0);
    sem_wait(&h->inside);
}

static void holder_leave(Holder *h)
{
    sem_post(&h->leave);
    pthread_join(h->thread, NULL);
    sem_destroy(&h->inside);
    sem_destroy(&h->leave);
}

static void nodes_collect(const FlatNode *node, GHashTable *nodes)
{
    g_hash_table_add(nodes, (void *)node);
    for (unsigned i = 0; node->height && i < node->nr; i++) {
        nodes_collect(((const FlatInner *)node)->child[i], nodes);
    }
}

/* How many nodes from @node down are not among @old. */
static unsigned nodes_not_in(const FlatNode *node, GHashTable *old)
{
    unsigned nr = 0;

    if (g_hash_table_contains(old, node)) {
        return 0; /* nor is anything below it: it never changes */
    }
    for (unsigned i = 0; node->height && i < node->nr; i++) {
        nr += nodes_not_in(((const FlatInner *)node)->child[i], old);
    }
    return nr + 1;
}

/* Bytes in use; always 0 where a sanitizer does the allocations. */
static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* ---- one among many ----------------------------------------------------------------------- */

/* Of a map of 10,000, a change of one region makes a path anew and tells of this
 * one; what was shown before stays as it was for who still looks at it. */
START_TEST(one_among_many)
{
    BaselineListener *l;
    Field f;

    field_init(&f, 10000);
    l = follow(&f.as);
    for (unsigned i = 0; i < f.nr; i += i < 40 ? 1 : 499) {
        for (unsigned on = 0; on < 2; on++) {
            GHashTable *nodes = g_hash_table_new(NULL, NULL);
            hwaddr addr = (hwaddr)i * PITCH;
            const FlatNode *old, *new;
            size_t bytes;
            Holder h;

            holder_enter(&h);
            old = address_space_root(&f.as);
            nodes_collect(old, nodes);
            ck_assert_uint_gt(g_hash_table_size(nodes), 10000 / FLAT_FANOUT);
            memory_lock();
            bytes = flatview_live_bytes();
            memory_region_set_enabled(&f.io[i], on);
            bytes = flatview_live_bytes() - bytes;
            memory_unlock();
            new = address_space_root(&f.as);

            ck_assert_uint_eq(l->events->len, 1);
            BaselineEvent *e = &g_array_index(l->events, BaselineEvent, 0);

            expect(e->type == (on ? BASELINE_REGION_ADD : BASELINE_REGION_DEL) &&
                       e->section.mr == &f.io[i] &&
                       e->section.offset_within_address_space == addr,
                   "%u: wrong event", i);
            g_array_set_size(l->events, 0);
            expect(nodes_not_in(new, nodes) <= 2u * old->height + 2,
                   "%u: %u of %u nodes are new", i, nodes_not_in(new, nodes),
                   g_hash_table_size(nodes));
            expect(bytes <= 4096, "%u: the commit took %zu bytes", i, bytes);
            ck_assert((flat_node_lookup(old, addr) != NULL) == !on);
            ck_assert((flat_node_lookup(new, addr) != NULL) == on);
            ck_assert_ptr_eq(flat_node_lookup(old, 77 * 499 % 9973 * PITCH)->mr,
                             &f.io[77 * 499 % 9973]);
            holder_leave(&h);
            g_hash_table_destroy(nodes);
        }
    }
    unfollow(l);
    field_destroy(&f);
    expect_nothing_left();
}
END_TEST

/* Doorbells and zones of one region among many: nothing else is told of. */
START_TEST(doorbell_among_many)
{
    BaselineListener *l;
    const FlatNode *root;
    EventNotifier bell;
    Field f;

    field_init(&f, 10000);
    event_notifier_init(&bell, 0);
    memory_region_add_eventfd(&f.io[4999], 0x20, 2, false, 0, &bell);
    memory_region_add_coalescing(&f.io[4999], 0x20, 2);
    l = follow(&f.as);
    root = address_space_root(&f.as);

    memory_region_add_eventfd(&f.io[5000], 0x10, 4, false, 0, &bell);
    expect_heard(l, "bell_add io 1388010/4", NULL);
    memory_region_add_eventfd(&f.io[5000], 0x18, 0, false, 0, &bell);
    expect_heard(l, "bell_add io 1388018/0", NULL);
    memory_region_add_coalescing(&f.io[5000], 0x40, 0x10);
    expect_heard(l, "zone_add io 1388040-138804f", NULL);
    memory_region_transaction_begin();
    memory_region_del_eventfd(&f.io[5000], 0x18, 0, false, 0, &bell);
    memory_region_add_eventfd(&f.io[5000], 0x18, 0, false, 0, &bell);
    memory_region_clear_coalescing(&f.io[5000]);
    memory_region_add_coalescing(&f.io[5000], 0x40, 0x10);
    memory_region_transaction_commit();
    expect_heard(l, NULL);
    ck_assert_ptr_eq(address_space_root(&f.as), root);
    memory_region_set_enabled(&f.io[5000], false);
    expect_heard(l, "bell_del io 1388010/4", "bell_del io 1388018/0",
                 "zone_del io 1388040-138804f", "del io 1388000-13880ff @0",
                 NULL);
    memory_region_clear_coalescing(&f.io[5000]);
    memory_region_del_eventfd(&f.io[5000], 0x18, 0, false, 0, &bell);
    expect_heard(l, NULL);
    memory_region_set_enabled(&f.io[5000], true);
    expect_heard(l, "add io 1388000-13880ff @0", "bell_add io 1388010/4", NULL);
    memory_region_del_eventfd(&f.io[5000], 0x10, 4, false, 0, &bell);
    expect_heard(l, "bell_del io 1388010/4", NULL);

    unfollow(l);
    memory_region_del_eventfd(&f.io[4999], 0x20, 2, false, 0, &bell);
    field_destroy(&f);
    event_notifier_cleanup(&bell);
}
END_TEST

/* What nobody can see, or what is as before at the end, is no change. */
START_TEST(no_change)
{
    BaselineListener *l;
    const FlatNode *root;
    MemoryRegion cover, other;
    Field f;

    field_init(&f, 1000);
    memory_region_init_io(&cover, &io_plain_ops, NULL, "cover", 10 * PITCH);
    memory_region_add_subregion_overlap(&f.root, 500 * PITCH, &cover, 1);
    memory_region_init_io(&other, &io_plain_ops, NULL, "other", WIDTH);
    l = follow(&f.as);
    root = address_space_root(&f.as);

    memory_region_set_enabled(&f.io[503], false);
    memory_region_set_enabled(&f.io[503], true);
    memory_region_set_address(&f.io[503], 504 * PITCH);
    memory_region_set_address(&f.io[503], 503 * PITCH);
    memory_region_set_size(&f.io[503], 3 * PITCH);
    memory_region_set_size(&f.io[503], WIDTH);
    memory_region_add_subregion_overlap(&f.root, 505 * PITCH, &other, 0);
    memory_region_del_subregion(&f.root, &other);
    expect_heard(l, NULL);
    ck_assert_ptr_eq(address_space_root(&f.as), root);

    memory_region_transaction_begin();
    memory_region_set_enabled(&cover, false);
    memory_region_set_enabled(&f.io[7], false);
    memory_region_set_address(&f.io[8], 0x123456789);
    memory_region_add_subregion_overlap(&f.root, 9 * PITCH, &other, 5);
    memory_region_set_size(&f.root, 20 * PITCH);
    memory_region_set_size(&f.root, UINT64_MAX);
    memory_region_del_subregion(&f.root, &other);
    memory_region_set_address(&f.io[8], 8 * PITCH);
    memory_region_set_enabled(&f.io[7], true);
    memory_region_set_enabled(&cover, true);
    memory_region_transaction_commit();
    expect_heard(l, NULL);
    ck_assert_ptr_eq(address_space_root(&f.as), root);

    unfollow(l);
    memory_region_del_subregion(&f.root, &cover);
    memory_region_destroy(&cover);
    memory_region_destroy(&other);
    field_destroy(&f);
}
END_TEST

/* A listener that asks for what stays gets exactly that, any other nothing. */
static GArray *nops; /* MemoryRegion * */

static void hear_nop(MemoryListener *listener, MemoryRegionSection *s)
{
    g_array_append_val(nops, s->mr);
    ck_assert_uint_eq(s->size, WIDTH);
}

START_TEST(nop)
{
    BaselineListener *plain, *l = baseline_listener_new();
    Field f;

    nops = g_array_new(FALSE, FALSE, sizeof(MemoryRegion *));
    l->listener.region_nop = hear_nop;
    field_init(&f, 100);
    plain = follow(&f.as);
    memory_listener_register(&l->listener, &f.as);
    g_array_set_size(l->events, 0);
    ck_assert_uint_eq(nops->len, 0);

    memory_region_transaction_begin();
    memory_region_set_enabled(&f.io[31], false);
    memory_region_set_address(&f.io[60], 200 * PITCH);
    memory_region_transaction_commit();
    expect_heard(l, "del io 1f000-1f0ff @0", "del io 3c000-3c0ff @0",
                 "add io c8000-c80ff @0", NULL);
    expect_heard(plain, "del io 1f000-1f0ff @0", "del io 3c000-3c0ff @0",
                 "add io c8000-c80ff @0", NULL);
    ck_assert_uint_eq(nops->len, 98);
    for (unsigned i = 0, k = 0; i < f.nr; i++) {
        if (i != 31 && i != 60) {
            ck_assert_ptr_eq(g_array_index(nops, MemoryRegion *, k++), &f.io[i]);
        }
    }
    unfollow(plain);
    unfollow(l);
    field_destroy(&f);
    g_array_unref(nops);
}
END_TEST

/* ---- where what changed meets what stays ------------------------------------------------------ */

/* Lives as long as the program. */
static const char *line(const char *what, const char *section)
{
    char *text = g_strconcat(what, " ", section, NULL);
    const char *kept = g_intern_string(text);

    g_free(text);
    return kept;
}

/* Three windows side by side at @addr, of one region that they show in order. */
static void check_windows(hwaddr addr)
{
    MemoryRegion io, window[3];
    BaselineListener *l;
    Baseline *b;
    World w;
    char all[64], part[3][64], lower[64], upper[64];

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 3 * PITCH);
    b = baseline_new(&w.root, &w.as);
    for (unsigned i = 0; i < 3; i++) {
        memory_region_init_alias(&window[i], "window", &io, i * PITCH, PITCH);
        memory_region_add_subregion(&w.root, addr + i * PITCH, &window[i]);
        expect_baseline(b);
        snprintf(part[i], sizeof(part[i]), "io %" PRIx64 "-%" PRIx64 " @%x",
                 addr + i * PITCH, addr + i * PITCH + (PITCH - 1), i * PITCH);
    }
    snprintf(all, sizeof(all), "io %" PRIx64 "-%" PRIx64 " @0", addr,
             addr + (3 * PITCH - 1));
    snprintf(lower, sizeof(lower), "io %" PRIx64 "-%" PRIx64 " @0", addr,
             addr + (2 * PITCH - 1));
    snprintf(upper, sizeof(upper), "io %" PRIx64 "-%" PRIx64 " @1000",
             addr + PITCH, addr + (3 * PITCH - 1));
    l = follow(&w.as);

    memory_region_set_enabled(&window[1], false);
    expect_heard(l, line("del", all), line("add", part[0]),
                 line("add", part[2]), NULL);
    memory_region_set_enabled(&window[1], true);
    expect_heard(l, line("del", part[0]), line("del", part[2]),
                 line("add", all), NULL);
    memory_region_set_enabled(&window[0], false);
    expect_heard(l, line("del", all), line("add", upper), NULL);
    memory_region_set_enabled(&window[0], true);
    expect_heard(l, line("del", upper), line("add", all), NULL);
    memory_region_set_enabled(&window[2], false);
    expect_heard(l, line("del", all), line("add", lower), NULL);
    memory_region_set_enabled(&window[2], true);
    expect_heard(l, line("del", lower), line("add", all), NULL);

    /* Changes that overlap, and some that come to nothing, are one. */
    memory_region_transaction_begin();
    memory_region_set_enabled(&window[0], false);
    memory_region_set_enabled(&window[1], false);
    memory_region_set_size(&window[0], 2 * PITCH);
    memory_region_set_enabled(&window[0], true);
    memory_region_set_size(&window[1], PITCH / 2);
    memory_region_set_enabled(&window[1], true);
    memory_region_transaction_commit();
    expect_heard(l, NULL);
    expect_baseline(b);
    memory_region_transaction_begin();
    memory_region_set_size(&window[0], PITCH);
    memory_region_set_alias_offset(&window[1], 0);
    memory_region_set_size(&window[1], PITCH);
    memory_region_set_enabled(&window[2], false);
    memory_region_set_alias_offset(&window[2], PITCH);
    memory_region_set_enabled(&window[2], true);
    memory_region_transaction_commit();
    expect_baseline(b);
    expect(l->events->len == 3, "%u events", l->events->len);
    g_array_set_size(l->events, 0);

    unfollow(l);
    baseline_free(b);
    for (unsigned i = 0; i < 3; i++) {
        memory_region_del_subregion(&w.root, &window[i]);
        memory_region_destroy(&window[i]);
    }
    memory_region_destroy(&io);
    world_destroy(&w);
}

START_TEST(windows)
{
    check_windows(0);
    check_windows(0x7fff000);
    check_windows(-(hwaddr)3 * PITCH); /* up to the last byte */
}
END_TEST

/* The last byte and the first do not meet. */
START_TEST(windows_around_the_end)
{
    MemoryRegion io, first, last;
    World w;
    Baseline *b;

    world_init(&w);
    b = baseline_new(&w.root, &w.as);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 2);
    memory_region_init_alias(&last, "last", &io, 0, 1);
    memory_region_init_alias(&first, "first", &io, 1, 1);
    memory_region_add_subregion(&w.root, HWADDR_MAX, &last);
    memory_region_add_subregion(&w.root, 0, &first);
    recorder_expect_map(w.r, "io 0-0 @1", "io ffffffffffffffff-ffffffffffffffff @0",
                        NULL);
    expect_baseline(b);
    memory_region_set_address(&first, 1);
    expect_baseline(b);
    memory_region_set_address(&last, 0);
    recorder_expect_map(w.r, "io 0-1 @0", NULL);
    expect_baseline(b);
    memory_region_set_address(&first, HWADDR_MAX);
    memory_region_set_address(&last, HWADDR_MAX - 1);
    recorder_expect_map(w.r, "io fffffffffffffffe-ffffffffffffffff @0", NULL);
    expect_baseline(b);
    baseline_free(b);
    memory_region_del_subregion(&w.root, &first);
    memory_region_del_subregion(&w.root, &last);
    memory_region_destroy(&first);
    memory_region_destroy(&last);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

/* What a commit that changes very much needs for that is not kept. */
START_TEST(big_commit)
{
    size_t before, after;
    Field f;

    field_init(&f, 100000);
    memory_region_set_enabled(&f.io[7], false);
    before = heap_bytes() - live_bytes();
    memory_region_transaction_begin();
    for (unsigned i = 0; i < f.nr; i++) {
        memory_region_set_enabled(&f.io[i], false);
    }
    memory_region_transaction_commit();
    memory_region_set_enabled(&f.root, false);
    memory_region_transaction_begin();
    for (unsigned i = 0; i < f.nr; i++) {
        memory_region_set_enabled(&f.io[i], true);
    }
    memory_region_transaction_commit();
    memory_region_set_enabled(&f.root, true);
    ck_assert_uint_eq(f.as.view->nr, f.nr);
    after = heap_bytes() - live_bytes();
    expect(after <= before + 1024 * 1024, "%zu bytes are kept", after - before);
    field_destroy(&f);
    expect_nothing_left();
}
END_TEST

/* ---- shared views --------------------------------------------------------------------------------- */

/* A device that sees all of system memory while it is a bus master. */
typedef struct Master {
    MemoryRegion root, alias;
    AddressSpace as;
    Baseline *baseline;
} Master;

static void master_init(Master *m, MemoryRegion *target)
{
    memory_region_init(&m->root, "master", UINT64_MAX);
    memory_region_init_alias(&m->alias, "all", target, 0, UINT64_MAX);
    memory_region_set_enabled(&m->alias, false);
    memory_region_add_subregion(&m->root, 0, &m->alias);
    address_space_init(&m->as, &m->root);
    m->baseline = baseline_new(&m->root, &m->as);
}

static void master_destroy(Master *m)
{
    baseline_free(m->baseline);
    address_space_destroy(&m->as);
    memory_region_del_subregion(&m->root, &m->alias);
    memory_region_destroy(&m->alias);
    memory_region_destroy(&m->root);
}

/* A thousand masters of one map have one view between them. */
START_TEST(many_masters)
{
    unsigned nr = 1000, views;
    Master *masters = g_new0(Master, nr);
    BaselineListener *l, *other;
    size_t before, bytes;
    GArray *wanted = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    Field f;

    field_init(&f, 1000);
    bytes = live_bytes();
    views = flatview_live_count();
    memory_region_transaction_begin();
    for (unsigned i = 0; i < nr; i++) {
        master_init(&masters[i], &f.root);
    }
    memory_region_transaction_commit();
    l = follow(&masters[500].as);
    other = follow(&masters[501].as);
    before = live_bytes();
    expect(before - bytes < nr * 1280, "%zu bytes for a master's own view",
           (before - bytes) / nr);

    for (unsigned i = 0; i < nr; i++) {
        size_t now;

        memory_region_set_enabled(&masters[i].alias, true);
        ck_assert_ptr_eq(masters[i].as.view, f.as.view);
        now = live_bytes();
        expect(now <= before, "master %u took %zu bytes", i, now - before);
        before = now;
        baseline_commit(masters[i].baseline);
        if (i == 500) {
            baseline_replay(masters[i].baseline, false, wanted);
            ck_assert_uint_eq(wanted->len, f.nr);
            ck_assert_uint_eq(l->events->len, f.nr);
            for (unsigned k = 0; k < f.nr; k++) {
                ck_assert(baseline_event_equal(
                    &g_array_index(wanted, BaselineEvent, k),
                    &g_array_index(l->events, BaselineEvent, k)));
            }
            ck_assert_uint_eq(other->events->len, 0);
        }
    }
    expect(live_bytes() == bytes, "%zu bytes, not %zu", live_bytes(), bytes);
    ck_assert_uint_eq(flatview_live_count(), views);

    /* One change for all of them; those who are followed tell of it. */
    g_array_set_size(l->events, 0);
    g_array_set_size(other->events, 0);
    memory_region_set_enabled(&f.io[3], false);
    expect_heard(l, "del io 3000-30ff @0", NULL);
    expect_heard(other, "del io 3000-30ff @0", NULL);
    memory_region_set_enabled(&f.io[3], true);
    expect_heard(l, "add io 3000-30ff @0", NULL);
    ck_assert_ptr_eq(masters[7].as.view, f.as.view);

    memory_region_set_enabled(&masters[500].alias, false);
    ck_assert_uint_eq(l->events->len, f.nr);
    expect(g_array_index(l->events, BaselineEvent, 0).type ==
               BASELINE_REGION_DEL, "no deletion");
    ck_assert_ptr_ne(masters[500].as.view, f.as.view);
    ck_assert(!flat_node_find(address_space_root(&masters[500].as), 0));

    unfollow(l);
    unfollow(other);
    for (unsigned i = 0; i < nr; i++) {
        master_destroy(&masters[i]);
    }
    field_destroy(&f);
    g_array_unref(wanted);
    g_free(masters);
    expect_nothing_left();
}
END_TEST

/* Three masters of one map, of which the first is changed, and a space more on
 * the root of that one. */
typedef struct Desk {
    Field f;
    Master m[3];
    AddressSpace second;
    MemoryRegion extra, holder, mirror, inner;
    AddressSpace beside; /* shows @holder */
    AddressSpace through; /* shows the first one's alias, while there */
    Baseline *field_baseline, *second_baseline, *beside_baseline;
    Baseline *through_baseline;
} Desk;

static Desk desk;

static void desk_check(void)
{
    expect_baseline(desk.field_baseline);
    expect_baseline(desk.second_baseline);
    expect_baseline(desk.beside_baseline);
    if (desk.through_baseline) {
        expect_baseline(desk.through_baseline);
    }
    for (unsigned i = 0; i < 3; i++) {
        expect_baseline(desk.m[i].baseline);
    }
}

static void change_alias_offset(bool on)
{
    memory_region_set_alias_offset(&desk.m[0].alias, on ? PITCH : 0);
}

static void change_alias_size(bool on)
{
    memory_region_set_size(&desk.m[0].alias, on ? 10 * PITCH : UINT64_MAX);
}

static void change_alias_address(bool on)
{
    memory_region_set_address(&desk.m[0].alias, on ? 1 : 0);
}

static void change_alias_readonly(bool on)
{
    memory_region_set_readonly(&desk.m[0].alias, on);
}

static void change_alias_enabled(bool on)
{
    memory_region_set_enabled(&desk.m[0].alias, !on);
}

static void change_root_readonly(bool on)
{
    memory_region_set_readonly(&desk.m[0].root, on);
}

static void change_root_size(bool on)
{
    memory_region_set_size(&desk.m[0].root, on ? 5 * PITCH + 1 : UINT64_MAX);
}

static void change_root_enabled(bool on)
{
    memory_region_set_enabled(&desk.m[0].root, !on);
}

static void change_second_subregion(bool on)
{
    if (on) {
        memory_region_add_subregion_overlap(&desk.m[0].root, 0x80, &desk.extra,
                                            -1);
    } else {
        memory_region_del_subregion(&desk.m[0].root, &desk.extra);
    }
}

/* The alias has something of its own, over what it shows. */
static void change_alias_inside(bool on)
{
    if (on) {
        memory_region_add_subregion(&desk.m[0].alias, 2 * PITCH + 0x20,
                                    &desk.inner);
    } else {
        memory_region_del_subregion(&desk.m[0].alias, &desk.inner);
    }
}

static void change_parent(bool on)
{
    if (on) {
        memory_region_add_subregion_overlap(&desk.holder, PITCH,
                                            &desk.m[0].root, 3);
    } else {
        memory_region_del_subregion(&desk.holder, &desk.m[0].root);
    }
}

static void change_mirror(bool on)
{
    memory_region_set_enabled(&desk.mirror, on);
}

/* An alias made, and gone again. */
static void late_alias(bool on, MemoryRegion *late, MemoryRegion *target,
                       hwaddr addr)
{
    if (on) {
        memory_region_init_alias(late, "late", target, 0, UINT64_MAX);
        memory_region_add_subregion_overlap(&desk.holder, addr, late, 4);
    } else {
        memory_region_del_subregion(&desk.holder, late);
        memory_region_destroy(late);
    }
}

static void change_root_aliased(bool on)
{
    static MemoryRegion late;

    late_alias(on, &late, &desk.m[0].root, 0x40);
}

static void change_alias_aliased(bool on)
{
    static MemoryRegion late;

    late_alias(on, &late, &desk.m[0].alias, 0x4800);
}

static void change_alias_shown(bool on)
{
    if (on) {
        address_space_init(&desk.through, &desk.m[0].alias);
        desk.through_baseline = baseline_new(&desk.m[0].alias, &desk.through);
    } else {
        address_space_destroy(&desk.through);
        g_clear_pointer(&desk.through_baseline, baseline_free);
    }
}

static void change_target_size(bool on)
{
    memory_region_set_size(&desk.f.root, on ? 7 * PITCH : UINT64_MAX);
}

static void change_target_enabled(bool on)
{
    memory_region_set_enabled(&desk.f.root, !on);
}

static void change_target_readonly(bool on)
{
    memory_region_set_readonly(&desk.f.root, on);
}

typedef void DeskChange(bool on);

static DeskChange *const desk_changes[] = {
    change_alias_offset,  change_alias_size,    change_alias_address,
    change_alias_readonly, change_alias_enabled, change_root_readonly,
    change_root_size,     change_root_enabled,  change_second_subregion,
    change_parent,        change_mirror,        change_root_aliased,
    change_alias_aliased, change_alias_shown,   change_target_size,
    change_target_enabled, change_target_readonly, change_alias_inside,
};

static void desk_init(void)
{
    Desk *d = &desk;

    field_init(&d->f, 20);
    d->field_baseline = baseline_new(&d->f.root, &d->f.as);
    for (unsigned i = 0; i < 3; i++) {
        master_init(&d->m[i], &d->f.root);
        memory_region_set_enabled(&d->m[i].alias, true);
    }
    address_space_init(&d->second, &d->m[0].root);
    d->second_baseline = baseline_new(&d->m[0].root, &d->second);
    memory_region_init_ram(&d->extra, "extra", 0x1000);
    memory_region_init_io(&d->inner, &io_plain_ops, NULL, "inner", 0x40);
    memory_region_init(&d->holder, "holder", UINT64_MAX);
    memory_region_init_alias(&d->mirror, "mirror", &d->m[1].root, PITCH / 2,
                             8 * PITCH);
    memory_region_set_enabled(&d->mirror, false);
    memory_region_add_subregion(&d->holder, 0, &d->mirror);
    address_space_init(&d->beside, &d->holder);
    d->beside_baseline = baseline_new(&d->holder, &d->beside);
}

static void desk_destroy(void)
{
    Desk *d = &desk;

    address_space_destroy(&d->beside);
    address_space_destroy(&d->second);
    baseline_free(d->beside_baseline);
    baseline_free(d->second_baseline);
    baseline_free(d->field_baseline);
    memory_region_del_subregion(&d->holder, &d->mirror);
    memory_region_destroy(&d->mirror);
    memory_region_destroy(&d->holder);
    for (unsigned i = 0; i < 3; i++) {
        master_destroy(&d->m[i]);
    }
    memory_region_destroy(&d->extra);
    memory_region_destroy(&d->inner);
    field_destroy(&d->f);
    expect_nothing_left();
}

/* Something else happens below, and is seen everywhere. */
static void desk_stir(void)
{
    memory_region_set_enabled(&desk.f.io[3], false);
    desk_check();
    memory_region_set_address(&desk.f.io[4], 4 * PITCH + 0x10);
    memory_region_set_enabled(&desk.f.io[3], true);
    desk_check();
    memory_region_set_address(&desk.f.io[4], 4 * PITCH);
    desk_check();
}

/* Each way to show no longer simply all, alone, and together with each other, in
 * one commit and in two, and back again. */
START_TEST(not_quite_masters)
{
    desk_init();
    desk_check();
    desk_stir();
    for (unsigned i = 0; i < G_N_ELEMENTS(desk_changes); i++) {
        for (unsigned k = 0; k < G_N_ELEMENTS(desk_changes); k++) {
            for (unsigned how = 0; how < 2; how++) {
                bool both = i != k;

                snprintf(test_context, sizeof(test_context),
                         "change %u, then %u, %s: ", i, k,
                         how ? "in a transaction" : "one by one");
                if (how) {
                    memory_region_transaction_begin();
                }
                desk_changes[i](true);
                if (!how) {
                    desk_check();
                    desk_stir();
                }
                if (both) {
                    desk_changes[k](true);
                }
                if (how) {
                    memory_region_set_enabled(&desk.f.io[9], false);
                    memory_region_transaction_commit();
                }
                desk_check();
                desk_stir();
                if (how) {
                    memory_region_transaction_begin();
                }
                desk_changes[i](false);
                if (!how) {
                    desk_check();
                    desk_stir();
                }
                if (both) {
                    desk_changes[k](false);
                }
                memory_region_set_enabled(&desk.f.io[9], true);
                if (how) {
                    memory_region_transaction_commit();
                }
                desk_check();
                desk_stir();
                ck_assert_ptr_eq(desk.m[2].as.view, desk.f.as.view);
            }
        }
    }
    test_context[0] = 0;
    desk_destroy();
}
END_TEST

/* While someone else looks at the root by another way, it can have a view of its
 * own; then alone again, it need not. */
START_TEST(shared_again)
{
    desk_init();
    ck_assert_ptr_eq(desk.m[1].as.view, desk.f.as.view);
    ck_assert_ptr_eq(desk.second.view, desk.m[0].as.view);
    for (unsigned i = 0; i < G_N_ELEMENTS(desk_changes); i++) {
        desk_changes[i](true);
        desk_check();
        desk_changes[i](false);
        desk_check();
        expect(desk.m[1].as.view == desk.f.as.view &&
                   desk.m[0].as.view == desk.f.as.view,
               "after change %u the view is not shared again", i);
    }
    desk_destroy();
}
END_TEST

TEST_MAIN("incremental", one_among_many, doorbell_among_many, no_change, nop,
          windows, windows_around_the_end, big_commit, many_masters, not_quite_masters,
          shared_again)
