/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory.c keeps of the graph: the lists of aliases, the doorbells in
 * order; that a search for cycles costs no more than the smaller side of it;
 * and what must not be destroyed yet, or changed any more.
 *
 * FLATVIEW_SEED replays one sequence.
 */
#include "memory-internal.h"
#include "random-graph.h"
#include "test-util.h"

static void by_chance(void (*sequence)(void), unsigned nr)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 0);
    uint64_t first = seed ? seed : 1, last = seed ? seed : nr;

    for (seed = first; seed <= last; seed++) {
        snprintf(test_context, sizeof(test_context),
                 "FLATVIEW_SEED=%" PRIu64 ": ", seed);
        chance_seed(seed);
        sequence();
    }
}

/* ---- aliases of one region ------------------------------------------------- */

#define ALIASES 12

static void check_aliases(const MemoryRegion *target,
                          const MemoryRegion *aliases, const bool *bypassed)
{
    unsigned nr = target->aliases ? target->aliases->len : 0;
    unsigned found = 0, found_bypassed = 0;

    for (unsigned i = 0; i < ALIASES; i++) {
        const MemoryRegion *mr = &aliases[i];

        if (!mr->alias) {
            continue;
        }
        found++;
        found_bypassed += bypassed[i];
        expect(mr->alias_index < nr &&
               target->aliases->pdata[mr->alias_index] == mr,
               "alias %u is not in its place", i);
        expect((mr->alias_index >= nr - target->bypassed) == bypassed[i],
               "alias %u is on the wrong side", i);
    }
    expect(found == nr, "%u aliases of %u are listed", nr, found);
    expect(found_bypassed == target->bypassed, "%u of %u bypassed",
           target->bypassed, found_bypassed);
}

static void aliases_sequence(void)
{
    MemoryRegion target, aliases[ALIASES] = { 0 };
    bool bypassed[ALIASES] = { 0 };

    memory_region_init(&target, "target", 16);
    for (unsigned steps = 0; steps < 60; steps++) {
        unsigned i = below(ALIASES);

        if (!aliases[i].alias) {
            memory_region_init_alias(&aliases[i], "alias", &target, 0, 16);
        } else if (one_in(3)) {
            memory_region_destroy(&aliases[i]);
            bypassed[i] = false;
        } else {
            bypassed[i] = one_in(2);
            alias_set_bypassed(&aliases[i], bypassed[i]);
        }
        check_aliases(&target, aliases, bypassed);
    }
    for (unsigned i = 0; i < ALIASES; i++) {
        if (aliases[i].alias) {
            memory_region_destroy(&aliases[i]);
        }
    }
    expect(!target.aliases && !target.bypassed, "aliases are left");
    memory_region_destroy(&target);
}

START_TEST(aliases_listed)
{
    by_chance(aliases_sequence, 2000);
}
END_TEST

/* ---- cycles ------------------------------------------------------------------- */

#define MANY 100000

/* More levels than a stack holds, of containers and of aliases. */
START_TEST(deep_cycles)
{
    MemoryRegion *inside = g_new(MemoryRegion, MANY);
    MemoryRegion *aliases = g_new(MemoryRegion, MANY), other;

    for (unsigned i = 0; i < MANY; i++) {
        memory_region_init(&inside[i], i ? "inner" : "outermost", 16);
        if (i) {
            memory_region_add_subregion(&inside[i - 1], 0, &inside[i]);
        }
    }
    EXPECT_ERROR(memory_region_add_subregion(&inside[MANY - 1], 0, &inside[0]),
                 "inner", "outermost");
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_init_alias(&aliases[i], "alias",
                                 i ? &aliases[i - 1] : &inside[0], 0, 16);
    }
    EXPECT_ERROR(memory_region_add_subregion(&inside[MANY - 1], 0,
                                             &aliases[MANY - 1]),
                 "inner", "alias");
    memory_region_init(&other, "other", 16);
    memory_region_add_subregion(&other, 0, &aliases[MANY - 1]);
    memory_region_del_subregion(&other, &aliases[MANY - 1]);
    memory_region_destroy(&other);
    for (unsigned i = MANY; i--;) {
        memory_region_destroy(&aliases[i]);
    }
    for (unsigned i = MANY; i--;) {
        if (i) {
            memory_region_del_subregion(&inside[i - 1], &inside[i]);
        }
        memory_region_destroy(&inside[i]);
    }
    g_free(aliases);
    g_free(inside);
}
END_TEST

/* A region found downwards, whichever of its siblings it is under, while what is
 * above it is too much to be searched first. */
START_TEST(cycles_found_below)
{
    MemoryRegion top, inside[7], leaf, *aliases = g_new(MemoryRegion, MANY);

    memory_region_init(&top, "top", 0x1000);
    memory_region_init(&leaf, "leaf", 1);
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_init_alias(&aliases[i], "alias", &leaf, 0, 1);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        memory_region_init(&inside[i], "inside", 1);
        memory_region_add_subregion(&top, i, &inside[i]);
        memory_region_set_enabled(&inside[i], i % 4);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        memory_region_add_subregion(&inside[i], 0, &leaf);
        EXPECT_ERROR(memory_region_add_subregion(&leaf, 0, &top), "leaf",
                     "top");
        memory_region_del_subregion(&inside[i], &leaf);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        memory_region_del_subregion(&top, &inside[i]);
        memory_region_destroy(&inside[i]);
    }
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_destroy(&aliases[i]);
    }
    memory_region_destroy(&leaf);
    memory_region_destroy(&top);
    g_free(aliases);
}
END_TEST

/* Very many regions on either side of what is joined so often that to look at
 * them all each time would take many minutes. */
START_TEST(cheap_cycles)
{
    MemoryRegion *subs = g_new(MemoryRegion, MANY);
    MemoryRegion *aliases = g_new(MemoryRegion, MANY);
    MemoryRegion large, middle, top, leaf, small;

    memory_region_init(&large, "large", UINT64_MAX);
    memory_region_init(&middle, "middle", 16);
    memory_region_init(&top, "top", 16);
    memory_region_init(&small, "small", 16);
    memory_region_init(&leaf, "leaf", 16);
    memory_region_add_subregion(&top, 0, &middle);
    memory_region_add_subregion(&small, 0, &leaf);
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_init(&subs[i], "sub", 4);
        memory_region_add_subregion(&large, i * 4, &subs[i]);
        memory_region_init_alias(&aliases[i], "alias", &top, 0, 4);
    }
    EXPECT_ERROR(memory_region_add_subregion(&subs[MANY / 2], 0, &large),
                 "sub", "large");
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_add_subregion(&subs[i], 0, &small); /* few above */
        memory_region_del_subregion(&subs[i], &small);
        memory_region_add_subregion(&middle, 0, &small); /* few below */
        memory_region_del_subregion(&middle, &small);
    }
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_destroy(&aliases[i]);
    }
    for (unsigned i = 0; i < MANY; i++) { /* a parent above, many below */
        memory_region_add_subregion(&middle, 0, &large);
        memory_region_del_subregion(&middle, &large);
    }
    for (unsigned i = 0; i < MANY; i++) {
        memory_region_del_subregion(&large, &subs[i]);
        memory_region_destroy(&subs[i]);
    }
    memory_region_del_subregion(&top, &middle);
    memory_region_del_subregion(&small, &leaf);
    memory_region_destroy(&leaf);
    memory_region_destroy(&small);
    memory_region_destroy(&middle);
    memory_region_destroy(&top);
    memory_region_destroy(&large);
    g_free(aliases);
    g_free(subs);
}
END_TEST

/* ---- doorbells ------------------------------------------------------------------ */

#define BELLS 24

static bool bell_before(const MemoryEventfd *a, const MemoryEventfd *b)
{
    return a->addr != b->addr               ? a->addr < b->addr
           : a->size != b->size             ? a->size < b->size
           : a->match_data != b->match_data ? a->match_data < b->match_data
           : a->data != b->data             ? a->data < b->data
                                            : a->e < b->e;
}

/* The doorbells of @mr are those that are @in, in order. */
static void check_bells(const MemoryRegion *mr, const MemoryEventfd *bells,
                        const bool *in)
{
    unsigned nr = mr->eventfds ? mr->eventfds->nr : 0, wanted = 0;

    for (unsigned i = 0; i < BELLS; i++) {
        unsigned found = 0;

        for (unsigned k = 0; k < nr; k++) {
            const MemoryEventfd *e = &mr->eventfds->e[k];

            found += !bell_before(e, &bells[i]) && !bell_before(&bells[i], e);
        }
        expect(found == in[i], "doorbell %u is there %u times", i, found);
        wanted += in[i];
    }
    expect(nr == wanted, "%u doorbells, not %u", nr, wanted);
    expect(nr || !mr->eventfds, "an empty list");
    for (unsigned k = 1; k < nr; k++) {
        expect(bell_before(&mr->eventfds->e[k - 1], &mr->eventfds->e[k]),
               "doorbell %u is out of order", k);
    }
}

static void bells_sequence(void)
{
    EventNotifier notifiers[2] = { 0 }; /* never rung */
    MemoryEventfd bells[BELLS];
    bool in[BELLS] = { 0 }, open = false;
    IoDevice dev;
    World w;

    world_init(&w);
    io_device_init(&dev, 1, "dev", 64);
    for (unsigned i = 0; i < BELLS; i++) {
        bells[i] = (MemoryEventfd){
            .addr = below(3) * 8,
            .size = below(2) * 4,
            .match_data = i & 1,
            .data = i & 1 ? i / 4 : 0,
            .e = &notifiers[i / 2 & 1],
        };
        for (unsigned k = 0; k < i; k++) {
            if (!bell_before(&bells[i], &bells[k]) &&
                !bell_before(&bells[k], &bells[i])) {
                bells[i].addr = 32 + i; /* no two are the same */
                bells[i].size = 1;
            }
        }
    }
    for (unsigned steps = 0; steps < 60; steps++) {
        unsigned i = below(BELLS);
        MemoryEventfd *b = &bells[i];

        if (one_in(8)) {
            open = !open;
            open ? memory_region_transaction_begin()
                 : memory_region_transaction_commit();
        } else if (one_in(12) && dev.mr.parent) {
            memory_region_del_subregion(&w.root, &dev.mr);
        } else if (one_in(6) && !dev.mr.parent) {
            memory_region_add_subregion(&w.root, 0x1000, &dev.mr);
        } else {
            (in[i] ? memory_region_del_eventfd : memory_region_add_eventfd)(
                &dev.mr, b->addr, b->size, b->match_data, b->data, b->e);
            in[i] = !in[i];
        }
        check_bells(&dev.mr, bells, in);
        expect(open || dev.mr.told_eventfds == dev.mr.eventfds,
               "listeners were told of other doorbells");
    }
    if (open) {
        memory_region_transaction_commit();
    }
    if (dev.mr.parent) {
        memory_region_del_subregion(&w.root, &dev.mr);
    }
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}

START_TEST(doorbells_sorted)
{
    by_chance(bells_sequence, 300);
}
END_TEST

/* ---- too early, too late --------------------------------------------------------- */

/* A region whose view a space still looks at, through an alias that is gone. */
START_TEST(looked_at_until_commit)
{
    MemoryRegion bus, root, whole;
    AddressSpace system, master;
    IoDevice dev;

    memory_region_init(&bus, "bus", 0x1000);
    memory_region_init(&root, "root", 0x1000);
    memory_region_init_alias(&whole, "whole", &bus, 0, 0x1000);
    io_device_init(&dev, 1, "dev", 0x10);
    memory_region_add_subregion(&bus, 0x100, &dev.mr);
    memory_region_add_subregion(&root, 0, &whole);
    address_space_init(&system, &bus);
    address_space_init(&master, &root);
    expect_found(&root, 0x108, &dev.mr, 8);
    EXPECT_ERROR(memory_region_destroy(&bus), "bus", NULL);
    memory_region_transaction_begin();
    address_space_destroy(&system);
    memory_region_del_subregion(&root, &whole);
    memory_region_destroy(&whole);
    memory_region_del_subregion(&bus, &dev.mr);
    EXPECT_ERROR(memory_region_destroy(&dev.mr), "dev", "commit first");
    EXPECT_ERROR(memory_region_destroy(&bus), "bus", "commit first");
    memory_region_transaction_commit();
    memory_region_destroy(&dev.mr);
    memory_region_destroy(&bus);
    load(&master, 0x108, 4, MEMTX_DECODE_ERROR);
    address_space_destroy(&master);
    memory_region_destroy(&root);
}
END_TEST

/* An alias of a whole region shows no more when the region grows. */
START_TEST(grown_behind_alias)
{
    MemoryRegion bus, root, whole;
    AddressSpace system, master;
    IoDevice dev;

    memory_region_init(&bus, "bus", 0x1000);
    memory_region_init(&root, "root", 0x4000);
    memory_region_init_alias(&whole, "whole", &bus, 0, 0x1000);
    io_device_init(&dev, 1, "dev", 0x1000);
    memory_region_add_subregion(&bus, 0x800, &dev.mr);
    memory_region_add_subregion(&root, 0, &whole);
    address_space_init(&system, &bus);
    address_space_init(&master, &root);
    memory_region_set_size(&bus, 0x2000);
    expect_found(&bus, 0x1000, &dev.mr, 0x800);
    load(&system, 0x1000, 4, MEMTX_OK);
    load(&master, 0xffc, 4, MEMTX_OK);
    load(&master, 0x1000, 4, MEMTX_DECODE_ERROR);
    memory_region_set_size(&bus, 0xc00);
    load(&system, 0xc00, 4, MEMTX_DECODE_ERROR);
    load(&master, 0xbfc, 4, MEMTX_OK);
    load(&master, 0xc00, 4, MEMTX_DECODE_ERROR);
    address_space_destroy(&master);
    address_space_destroy(&system);
    memory_region_del_subregion(&root, &whole);
    memory_region_del_subregion(&bus, &dev.mr);
    memory_region_destroy(&whole);
    memory_region_destroy(&dev.mr);
    memory_region_destroy(&bus);
    memory_region_destroy(&root);
}
END_TEST

START_TEST(locking_before_visible)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    IoDevice dev;
    World w;

    world_init(&w);
    io_device_init(&dev, 1, "dev", 0x10);
    memory_region_set_lock(&dev.mr, &lock);
    memory_region_clear_global_locking(&dev.mr);
    expect(dev.mr.locking == MEMORY_LOCKING_NONE && !dev.mr.lock, "no lock");
    memory_region_set_lock(&dev.mr, &lock);
    expect(dev.mr.locking == MEMORY_LOCKING_OWN && dev.mr.lock == &lock,
           "the device's lock");
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    EXPECT_ERROR(memory_region_clear_global_locking(&dev.mr), "dev", NULL);
    EXPECT_ERROR(memory_region_set_lock(&dev.mr, &lock), "dev", NULL);
    expect(dev.mr.locking == MEMORY_LOCKING_OWN && dev.mr.lock == &lock,
           "the device's lock stays");
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("graph", aliases_listed, deep_cycles, cycles_found_below,
          cheap_cycles, doorbells_sorted, looked_at_until_commit,
          grown_behind_alias, locking_before_visible)
