/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners: what they hear, in which order, and that everything added is
 * withdrawn. The recorder of test-util.c checks balance, order within a commit
 * and overlap in each of its callbacks.
 */
#include <string.h>

#include "test-util.h"

static uint8_t memory[8 * 4096] __attribute__((aligned(4096)));
static EventNotifier bell, bell2;

static void bells_init(void)
{
    ck_assert_int_eq(event_notifier_init(&bell, 0), 0);
    ck_assert_int_eq(event_notifier_init(&bell2, 0), 0);
}

static void bells_cleanup(void)
{
    event_notifier_cleanup(&bell);
    event_notifier_cleanup(&bell2);
}

/* ---- order -------------------------------------------------------------------- */

START_TEST(test_priority_order)
{
    World w;
    MemoryRegion io;
    Recorder *first, *last, *middle;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    last = recorder_new_beside(w.r, &w.as, 9, "last: ");
    first = recorder_new_beside(w.r, NULL, 3, "first: ");
    middle = recorder_new_beside(w.r, &w.as, 5, "middle: ");
    w.r->tag = "zero: ";
    recorder_clear_log(w.r);
    memory_region_add_subregion(&w.root, 0, &io);
    recorder_expect_log(w.r, "zero: begin", "first: begin", "middle: begin",
                        "last: begin", "zero: add io 0-f @0",
                        "first: add io 0-f @0", "middle: add io 0-f @0",
                        "last: add io 0-f @0", "zero: commit", "first: commit",
                        "middle: commit", "last: commit", NULL);
    memory_region_del_subregion(&w.root, &io);
    recorder_expect_log(w.r, "zero: begin", "first: begin", "middle: begin",
                        "last: begin", "last: del io 0-f @0",
                        "middle: del io 0-f @0", "first: del io 0-f @0",
                        "zero: del io 0-f @0", "zero: commit", "first: commit",
                        "middle: commit", "last: commit", NULL);
    recorder_free(middle);
    recorder_free(first);
    recorder_free(last);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

START_TEST(test_priority_order_of_attributes)
{
    World w;
    MemoryRegion ram, io;
    Recorder *late;

    bells_init();
    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    late = recorder_new_beside(w.r, &w.as, 1, "late: ");
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    memory_region_add_eventfd(&io, 4, 4, false, 0, &bell);
    memory_region_set_coalescing(&io);
    memory_region_transaction_begin();
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    recorder_clear_log(w.r);
    memory_region_transaction_commit();
    recorder_expect_log(
        w.r, "begin", "late: begin", "add ram 0-fff @0", "late: add ram 0-fff @0",
        "log_start ram 0-fff @0", "late: log_start ram 0-fff @0",
        "add io 1000-100f @0", "late: add io 1000-100f @0",
        "coalesced_add io 1000-100f", "late: coalesced_add io 1000-100f",
        "eventfd_add io 1004/4", "late: eventfd_add io 1004/4", "commit",
        "late: commit", NULL);
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &ram);
    memory_region_del_subregion(&w.root, &io);
    memory_region_transaction_commit();
    recorder_expect_log(
        w.r, "begin", "late: begin", "late: eventfd_del io 1004/4",
        "eventfd_del io 1004/4", "late: coalesced_del io 1000-100f",
        "coalesced_del io 1000-100f", "late: log_stop ram 0-fff @0",
        "log_stop ram 0-fff @0", "late: del ram 0-fff @0", "del ram 0-fff @0",
        "late: del io 1000-100f @0", "del io 1000-100f @0", "commit",
        "late: commit", NULL);
    recorder_free(late);
    memory_region_destroy(&ram);
    memory_region_destroy(&io);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* Deletions of all spaces come before additions of any. */
START_TEST(test_order_across_spaces)
{
    World w, v;
    MemoryRegion io;
    Recorder *all;

    world_init(&w);
    world_init(&v);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    all = recorder_new(NULL, 0, true);
    memory_region_add_subregion(&w.root, 0, &io);
    recorder_clear_log(all);
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &io);
    memory_region_add_subregion(&v.root, 0x20, &io);
    memory_region_transaction_commit();
    recorder_expect_log(all, "begin", "del io 0-f @0", "add io 20-2f @0",
                        "commit", NULL);
    memory_region_transaction_begin();
    memory_region_del_subregion(&v.root, &io);
    memory_region_add_subregion(&w.root, 0x30, &io);
    memory_region_transaction_commit();
    recorder_expect_log(all, "begin", "del io 20-2f @0", "add io 30-3f @0",
                        "commit", NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    recorder_free(all);
    world_destroy(&w);
    world_destroy(&v);
}
END_TEST

START_TEST(test_filter)
{
    World w, v;
    MemoryRegion io;
    Recorder *all;

    world_init(&w);
    world_init(&v);
    all = recorder_new(NULL, 0, false);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&w.root, 0, &io);
    recorder_expect_map(w.r, "io 0-f @0", NULL);
    recorder_expect_map(v.r, NULL);
    ck_assert_uint_eq(all->sections->len, 1);
    memory_region_del_subregion(&w.root, &io);
    memory_region_add_subregion(&v.root, 0, &io);
    recorder_expect_map(w.r, NULL);
    recorder_expect_map(v.r, "io 0-f @0", NULL);
    ck_assert_uint_eq(all->sections->len, 1);
    memory_region_del_subregion(&v.root, &io);
    memory_region_destroy(&io);
    recorder_free(all);
    world_destroy(&w);
    world_destroy(&v);
}
END_TEST

/* ---- replay and withdrawal ----------------------------------------------------------- */

START_TEST(test_replay)
{
    World w;
    MemoryRegion ram, io;
    Recorder *r;

    bells_init();
    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&w.root, 0x2000, &ram);
    memory_region_add_subregion(&w.root, 0x100, &io);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_CODE);
    memory_region_add_eventfd(&io, 2, 2, true, 0x77, &bell);
    memory_region_add_coalescing(&io, 8, 4);
    memory_global_dirty_log_start();
    r = recorder_new(&w.as, 0, true);
    recorder_expect_log(r, "begin", "log_global_start", "add io 100-10f @0",
                        "add ram 2000-2fff @0", "log_start ram 2000-2fff @0",
                        "coalesced_add io 108-10b", "eventfd_add io 102/2=77",
                        "commit", NULL);
    memory_listener_unregister(&r->listener);
    recorder_expect_log(r, "begin", "eventfd_del io 102/2=77",
                        "coalesced_del io 108-10b", "del io 100-10f @0",
                        "log_stop ram 2000-2fff @0", "del ram 2000-2fff @0",
                        "log_global_stop", "commit", NULL);
    /* Unregistered, it hears no more; registered again, everything again. */
    memory_region_set_enabled(&io, false);
    recorder_expect_log(r, NULL);
    memory_listener_register(&r->listener, &w.as);
    recorder_expect_map(r, "ram 2000-2fff @0 log", NULL);
    recorder_free(r);
    memory_global_dirty_log_stop();

    memory_region_del_subregion(&w.root, &ram);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&ram);
    memory_region_destroy(&io);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* Others hear nothing of a newcomer. */
START_TEST(test_replay_is_private)
{
    World w;
    MemoryRegion io;
    Recorder *r;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&w.root, 0, &io);
    recorder_clear_log(w.r);
    r = recorder_new(&w.as, 0, false);
    recorder_free(r);
    recorder_expect_log(w.r, NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

START_TEST(test_space_comes_and_goes)
{
    MemoryRegion root, io;
    AddressSpace as;
    Recorder *all = recorder_new(NULL, 0, true);

    bells_init();
    recorder_clear_log(all);
    memory_region_init(&root, "root", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_eventfd(&io, 0, 0, false, 0, &bell);
    memory_region_set_coalescing(&io);
    memory_region_add_subregion(&root, 0, &io);
    recorder_clear_log(all);
    address_space_init(&as, &root);
    recorder_expect_log(all, "begin", "add io 0-f @0", "coalesced_add io 0-f",
                        "eventfd_add io 0/0", "commit", NULL);
    address_space_destroy(&as);
    recorder_expect_log(all, "begin", "eventfd_del io 0/0",
                        "coalesced_del io 0-f", "del io 0-f @0", "commit", NULL);
    memory_region_del_subregion(&root, &io);
    memory_region_destroy(&io);
    memory_region_destroy(&root);
    recorder_free(all);
    bells_cleanup();
}
END_TEST

/* Callbacks are optional, all of them. */
START_TEST(test_no_callbacks)
{
    MemoryListener nothing = { .priority = 1 };
    World w;
    MemoryRegion io, ram;

    bells_init();
    world_init(&w);
    memory_listener_register(&nothing, NULL);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_add_subregion(&w.root, 0, &io);
    memory_region_add_subregion(&w.root, 0x1000, &ram);
    memory_region_add_eventfd(&io, 0, 0, false, 0, &bell);
    memory_region_set_coalescing(&io);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    memory_region_sync_dirty_bitmap(&ram);
    memory_global_dirty_log_start();
    memory_global_sync_dirty_bitmap(&w.root);
    memory_region_test_and_clear_dirty(&ram, 0, 0x1000, DIRTY_MEMORY_VGA);
    memory_global_dirty_log_stop();
    memory_region_del_subregion(&w.root, &io);
    memory_region_del_subregion(&w.root, &ram);
    memory_listener_unregister(&nothing);
    memory_region_destroy(&io);
    memory_region_destroy(&ram);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* ---- what a commit says ---------------------------------------------------------------- */

START_TEST(test_only_differences)
{
    World w;
    MemoryRegion a, b, c;

    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x10);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 0x10);
    memory_region_init_io(&c, &io_plain_ops, NULL, "c", 0x10);
    memory_region_add_subregion(&w.root, 0, &a);
    memory_region_add_subregion(&w.root, 0x10, &b);
    recorder_clear_log(w.r);
    memory_region_add_subregion(&w.root, 0x20, &c);
    recorder_expect_log(w.r, "begin", "add c 20-2f @0", "commit", NULL);
    recorder_hear_nop(w.r);
    memory_region_set_enabled(&b, false);
    recorder_expect_log(w.r, "begin", "del b 10-1f @0", "nop a 0-f @0",
                        "nop c 20-2f @0", "commit", NULL);
    memory_region_set_size(&c, 0x8);
    recorder_expect_log(w.r, "begin", "del c 20-2f @0", "nop a 0-f @0",
                        "add c 20-27 @0", "commit", NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_del_subregion(&w.root, &c);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&c);
    world_destroy(&w);
}
END_TEST

/* What nobody can see, nobody hears of. */
START_TEST(test_silence)
{
    World w;
    MemoryRegion box, io;
    unsigned commits;

    world_init(&w);
    memory_region_init(&box, "box", 0x100);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    recorder_clear_log(w.r);
    memory_region_add_subregion(&box, 0, &io);
    memory_region_set_enabled(&io, false);
    memory_region_set_enabled(&io, true);
    memory_region_set_address(&io, 0x20);
    recorder_expect_log(w.r, NULL);
    memory_region_add_subregion(&w.root, 0, &box);
    recorder_clear_log(w.r);
    commits = w.r->commits;
    memory_region_set_address(&io, 0x20);
    memory_region_set_enabled(&io, true);
    memory_region_transaction_begin();
    memory_region_transaction_commit();
    recorder_expect_log(w.r, NULL);
    ck_assert_uint_eq(w.r->commits, commits);
    memory_region_del_subregion(&box, &io);
    memory_region_del_subregion(&w.root, &box);
    memory_region_destroy(&io);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

/* ---- logging ------------------------------------------------------------------------------- */

START_TEST(test_log_while_visible)
{
    World w;
    MemoryRegion ram;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_add_subregion(&w.root, 0, &ram);
    recorder_clear_log(w.r);
    /* The first client starts, the last one stops. */
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    ck_assert(memory_region_is_logging(&ram));
    recorder_expect_log(w.r, "begin", "log_start ram 0-3fff @0", "commit", NULL);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_CODE);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
    ck_assert(memory_region_is_logging(&ram));
    recorder_expect_map(w.r, "ram 0-3fff @0 log", NULL);
    recorder_clear_log(w.r);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_CODE);
    ck_assert(!memory_region_is_logging(&ram));
    recorder_expect_log(w.r, "begin", "log_stop ram 0-3fff @0", "commit", NULL);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_CODE);
    recorder_expect_log(w.r, NULL);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

START_TEST(test_log_before_and_after)
{
    World w;
    MemoryRegion ram, alias;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_init_alias(&alias, "alias", &ram, 0x1000, 0x1000);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    recorder_clear_log(w.r);
    memory_region_add_subregion(&w.root, 0, &ram);
    recorder_expect_log(w.r, "begin", "add ram 0-3fff @0",
                        "log_start ram 0-3fff @0", "commit", NULL);
    /* A window on it is logged as well. */
    memory_region_add_subregion(&w.root, 0x10000, &alias);
    recorder_expect_map(w.r, "ram 0-3fff @0 log", "ram 10000-10fff @1000 log",
                        NULL);
    memory_region_del_subregion(&w.root, &ram);
    recorder_expect_map(w.r, "ram 10000-10fff @1000 log", NULL);
    recorder_clear_log(w.r);
    /* Moved: stopped at the old place before it is started at the new. */
    memory_region_set_address(&alias, 0x20000);
    recorder_expect_log(w.r, "begin", "log_stop ram 10000-10fff @1000",
                        "del ram 10000-10fff @1000", "add ram 20000-20fff @1000",
                        "log_start ram 20000-20fff @1000", "commit", NULL);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
    recorder_clear_log(w.r);
    memory_region_add_subregion(&w.root, 0, &ram);
    recorder_expect_log(w.r, "begin", "add ram 0-3fff @0", "commit", NULL);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&alias);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

START_TEST(test_global_log)
{
    World w;
    Recorder *early;

    world_init(&w);
    early = recorder_new_beside(w.r, NULL, 1, "second: ");
    recorder_clear_log(w.r);
    memory_global_dirty_log_start();
    recorder_expect_log(w.r, "log_global_start", "second: log_global_start",
                        NULL);
    /* Nests. */
    memory_global_dirty_log_start();
    memory_global_dirty_log_stop();
    recorder_expect_log(w.r, NULL);
    memory_global_dirty_log_stop();
    recorder_expect_log(w.r, "second: log_global_stop", "log_global_stop", NULL);
    recorder_free(early);
    world_destroy(&w);
}
END_TEST

START_TEST(test_log_sync_and_clear)
{
    World w;
    MemoryRegion ram, other, alias, io;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_init_ram_ptr(&other, "other", 0x1000, memory + 0x4000);
    memory_region_init_alias(&alias, "alias", &ram, 0x1000, 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x1000);
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_add_subregion(&w.root, 0x8000, &other);
    memory_region_add_subregion(&w.root, 0x10000, &alias);
    memory_region_add_subregion(&w.root, 0x20000, &io);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    recorder_clear_log(w.r);
    memory_region_sync_dirty_bitmap(&ram);
    recorder_expect_log(w.r, "log_sync ram 0-3fff @0",
                        "log_sync ram 10000-10fff @1000", NULL);
    memory_global_sync_dirty_bitmap(&w.root);
    recorder_expect_log(w.r, "log_sync ram 0-3fff @0",
                        "log_sync other 8000-8fff @0",
                        "log_sync ram 10000-10fff @1000", NULL);
    memory_region_set_dirty(&ram, 0x1800, 1);
    recorder_clear_log(w.r);
    memory_region_reset_dirty(&ram, 0x1000, 0x2000, DIRTY_MEMORY_VGA);
    /* Only where there was something to clear. */
    recorder_expect_log(w.r, "log_clear ram 1000-1fff @1000",
                        "log_clear ram 10000-10fff @1000", NULL);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_del_subregion(&w.root, &other);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&alias);
    memory_region_destroy(&ram);
    memory_region_destroy(&other);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

static MemoryRegion nested_ram[2];
static unsigned nested_syncs, nested_clears;

static void nested_log_sync(MemoryListener *l, MemoryRegionSection *s)
{
    nested_syncs++;
    if (s->mr == &nested_ram[0]) {
        memory_region_sync_dirty_bitmap(&nested_ram[1]);
        memory_region_set_dirty(&nested_ram[1], 0, 1);
        memory_region_reset_dirty(&nested_ram[1], 0, 1, DIRTY_MEMORY_VGA);
    }
}

static void nested_log_clear(MemoryListener *l, MemoryRegionSection *s)
{
    nested_clears++;
}

/* Who collects what was written may ask for more to be collected and cleared. */
START_TEST(test_sync_in_sync)
{
    MemoryListener l = { .log_sync = nested_log_sync,
                         .log_clear = nested_log_clear };
    MemoryRegion alias[20];
    World w;

    world_init(&w);
    for (unsigned i = 0; i < 2; i++) {
        memory_region_init_ram_ptr(&nested_ram[i], "ram", 0x4000,
                                   memory + i * 0x4000);
        memory_region_add_subregion(&w.root, i * 0x4000, &nested_ram[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(alias); i++) {
        memory_region_init_alias(&alias[i], "alias", &nested_ram[0], 0, 0x1000);
        memory_region_add_subregion(&w.root, 0x10000 + i * 0x1000, &alias[i]);
    }
    memory_listener_register(&l, &w.as);
    memory_region_sync_dirty_bitmap(&nested_ram[0]);
    ck_assert_uint_eq(nested_syncs, 2 * 21);
    ck_assert_uint_eq(nested_clears, 21);
    memory_listener_unregister(&l);
    for (unsigned i = 0; i < G_N_ELEMENTS(alias); i++) {
        memory_region_del_subregion(&w.root, &alias[i]);
        memory_region_destroy(&alias[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        memory_region_del_subregion(&w.root, &nested_ram[i]);
        memory_region_destroy(&nested_ram[i]);
    }
    world_destroy(&w);
}
END_TEST

/* ---- doorbells --------------------------------------------------------------------------------- */

START_TEST(test_doorbell_before_while_after)
{
    World w;
    MemoryRegion io;

    bells_init();
    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_add_eventfd(&io, 0x10, 2, false, 99, &bell);
    recorder_expect_log(w.r, NULL);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    recorder_expect_doorbells(w.r, "io 1010/2", NULL);
    recorder_clear_log(w.r);
    memory_region_add_eventfd(&io, 0x10, 4, true, 7, &bell2);
    recorder_expect_log(w.r, "begin", "eventfd_add io 1010/4=7", "commit", NULL);
    memory_region_transaction_begin();
    memory_region_del_eventfd(&io, 0x10, 2, false, 99, &bell);
    memory_region_add_eventfd(&io, 0x20, 8, false, 0, &bell);
    recorder_expect_log(w.r, NULL);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, "begin", "eventfd_del io 1010/2",
                        "eventfd_add io 1020/8", "commit", NULL);
    memory_region_set_address(&io, 0x2000);
    recorder_expect_doorbells(w.r, "io 2010/4=7", "io 2020/8", NULL);
    memory_region_set_enabled(&io, false);
    recorder_expect_doorbells(w.r, NULL);
    recorder_clear_log(w.r);
    memory_region_del_eventfd(&io, 0x20, 8, false, 0, &bell);
    recorder_expect_log(w.r, NULL);
    memory_region_set_enabled(&io, true);
    recorder_expect_doorbells(w.r, "io 2010/4=7", NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* Hidden, changed and shown again in one transaction: the map is the same, the
 * doorbells and zones are not. */
START_TEST(test_doorbell_while_briefly_hidden)
{
    World w;
    MemoryRegion io;

    bells_init();
    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_add_eventfd(&io, 0x10, 2, false, 0, &bell);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    recorder_clear_log(w.r);
    memory_region_transaction_begin();
    memory_region_set_enabled(&io, false);
    memory_region_add_eventfd(&io, 0x20, 4, false, 0, &bell);
    memory_region_del_eventfd(&io, 0x10, 2, false, 0, &bell);
    memory_region_add_coalescing(&io, 0x40, 8);
    memory_region_set_enabled(&io, true);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, "begin", "eventfd_del io 1010/2",
                        "coalesced_add io 1040-1047", "eventfd_add io 1020/4",
                        "commit", NULL);
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &io);
    memory_region_del_eventfd(&io, 0x20, 4, false, 0, &bell);
    memory_region_clear_coalescing(&io);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, "begin", "eventfd_del io 1020/4",
                        "coalesced_del io 1040-1047", "commit", NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

START_TEST(test_doorbell_many_windows)
{
    World w;
    MemoryRegion io, alias, cover;

    bells_init();
    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_init_io(&cover, &io_plain_ops, NULL, "cover", 2);
    memory_region_init_alias(&alias, "alias", &io, 0x10, 0x10);
    memory_region_add_eventfd(&io, 0x10, 4, false, 0, &bell);
    memory_region_add_eventfd(&io, 0x1c, 4, false, 0, &bell);
    memory_region_add_eventfd(&io, 0x1e, 4, false, 0, &bell);
    memory_region_add_eventfd(&io, 0x20, 0, false, 0, &bell);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    memory_region_add_subregion(&w.root, 0x2000, &alias);
    /* One cut by the window's end cannot be reached there. */
    recorder_expect_doorbells(w.r, "io 1010/4", "io 101c/4", "io 101e/4",
                              "io 1020/0", "io 2000/4", "io 200c/4", NULL);
    /* Nor one that is partly hidden. */
    memory_region_add_subregion_overlap(&w.root, 0x101a, &cover, 1);
    recorder_expect_doorbells(w.r, "io 1010/4", "io 101c/4", "io 101e/4",
                              "io 1020/0", "io 2000/4", "io 200c/4", NULL);
    memory_region_set_address(&cover, 0x101b);
    recorder_expect_doorbells(w.r, "io 1010/4", "io 101e/4", "io 1020/0",
                              "io 2000/4", "io 200c/4", NULL);
    memory_region_set_address(&cover, 0x101f);
    recorder_expect_doorbells(w.r, "io 1010/4", "io 2000/4", "io 200c/4", NULL);
    memory_region_set_alias_offset(&alias, 0x1d);
    recorder_expect_doorbells(w.r, "io 1010/4", "io 2001/4", "io 2003/0", NULL);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&w.root, &cover);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&alias);
    memory_region_destroy(&cover);
    memory_region_destroy(&io);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* Several at one address; each change is of one of them. */
START_TEST(test_doorbell_of_other_data)
{
    World w;
    MemoryRegion io;

    bells_init();
    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&w.root, 0, &io);
    memory_region_add_eventfd(&io, 4, 4, true, 1, &bell);
    memory_region_add_eventfd(&io, 4, 4, true, 2, &bell);
    memory_region_add_eventfd(&io, 4, 4, false, 0, &bell);
    memory_region_add_eventfd(&io, 4, 4, true, 3, &bell2);
    recorder_expect_doorbells(w.r, "io 4/4", "io 4/4=1", "io 4/4=2", "io 4/4=3",
                              NULL);
    recorder_clear_log(w.r);
    memory_region_transaction_begin();
    memory_region_del_eventfd(&io, 4, 4, true, 2, &bell);
    memory_region_add_eventfd(&io, 4, 4, true, 5, &bell);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, "begin", "eventfd_del io 4/4=2",
                        "eventfd_add io 4/4=5", "commit", NULL);
    memory_region_transaction_begin();
    memory_region_del_eventfd(&io, 4, 4, true, 3, &bell2);
    memory_region_add_eventfd(&io, 4, 4, true, 3, &bell);
    memory_region_transaction_commit();
    recorder_expect_log(w.r, "begin", "eventfd_del io 4/4=3",
                        "eventfd_add io 4/4=3", "commit", NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* Taken over by another region at the same place: one goes, one comes. */
START_TEST(test_doorbell_replaced)
{
    World w;
    MemoryRegion a, b;

    bells_init();
    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "a", 0x10);
    memory_region_init_io(&b, &io_plain_ops, NULL, "b", 0x10);
    memory_region_add_eventfd(&a, 0, 4, true, 1, &bell);
    memory_region_add_eventfd(&b, 0, 4, true, 1, &bell);
    memory_region_add_subregion(&w.root, 0, &a);
    recorder_clear_log(w.r);
    memory_region_add_subregion_overlap(&w.root, 0, &b, 1);
    recorder_expect_log(w.r, "begin", "eventfd_del a 0/4=1", "del a 0-f @0",
                        "add b 0-f @0", "eventfd_add b 0/4=1", "commit", NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* Without an accelerator the core matches writes itself. */
START_TEST(test_doorbell_rings)
{
    World w;
    IoDevice dev;

    bells_init();
    world_init(&w);
    io_device_init(&dev, 1, "dev", 0x100);
    memory_region_add_eventfd(&dev.mr, 0x10, 4, true, 0x12345678, &bell);
    memory_region_add_eventfd(&dev.mr, 0x20, 0, false, 0, &bell2);
    memory_region_add_subregion(&w.root, 0x1000, &dev.mr);
    store(&w.as, 0x1010, 4, 0x12345678, MEMTX_OK);
    ck_assert(event_notifier_test_and_clear(&bell));
    io_expect(&dev, NULL);
    store(&w.as, 0x1010, 4, 0x12345679, MEMTX_OK);
    store(&w.as, 0x1010, 2, 0x5678, MEMTX_OK);
    store(&w.as, 0x1010, 8, 0x12345678, MEMTX_OK);
    store(&w.as, 0x100f, 4, 0x12345678, MEMTX_OK);
    load(&w.as, 0x1010, 4, MEMTX_OK);
    ck_assert(!event_notifier_test_and_clear(&bell));
    io_expect(&dev, "w 10/4=12345679", "w 10/2=5678", "w 10/8=12345678",
              "w f/4=12345678", "r 10/4", NULL);
    store(&w.as, 0x1020, 1, 1, MEMTX_OK);
    ck_assert(event_notifier_test_and_clear(&bell2));
    store(&w.as, 0x1020, 8, 1, MEMTX_OK);
    ck_assert(event_notifier_test_and_clear(&bell2));
    io_expect(&dev, NULL);
    memory_region_del_eventfd(&dev.mr, 0x20, 0, false, 0, &bell2);
    store(&w.as, 0x1020, 1, 1, MEMTX_OK);
    ck_assert(!event_notifier_test_and_clear(&bell2));
    io_expect(&dev, "w 20/1=1", NULL);
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
    bells_cleanup();
}
END_TEST

/* ---- coalescing ----------------------------------------------------------------------------------- */

START_TEST(test_zone_before_while_after)
{
    World w;
    MemoryRegion io;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_add_coalescing(&io, 0x10, 0x10);
    recorder_expect_log(w.r, NULL);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    recorder_expect_zones(w.r, "io 1010-101f", NULL);
    recorder_clear_log(w.r);
    memory_region_add_coalescing(&io, 0x80, 0x80);
    recorder_expect_log(w.r, "begin", "coalesced_add io 1080-10ff", "commit",
                        NULL);
    memory_region_set_coalescing(&io);
    recorder_expect_zones(w.r, "io 1000-10ff", NULL);
    memory_region_clear_coalescing(&io);
    recorder_expect_zones(w.r, NULL);
    memory_region_set_enabled(&io, false);
    memory_region_set_coalescing(&io);
    recorder_expect_zones(w.r, NULL);
    memory_region_set_enabled(&io, true);
    recorder_expect_zones(w.r, "io 1000-10ff", NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

START_TEST(test_zone_is_cut)
{
    World w;
    MemoryRegion io, alias, cover;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x100);
    memory_region_init_io(&cover, &io_plain_ops, NULL, "cover", 0x10);
    memory_region_init_alias(&alias, "alias", &io, 0x40, 0x20);
    memory_region_add_coalescing(&io, 0x20, 0x30);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    memory_region_add_subregion(&w.root, 0x2000, &alias);
    recorder_expect_zones(w.r, "io 1020-104f", "io 2000-200f", NULL);
    memory_region_add_subregion_overlap(&w.root, 0x1028, &cover, 1);
    recorder_expect_zones(w.r, "io 1020-1027", "io 1038-104f", "io 2000-200f",
                          NULL);
    memory_region_set_address(&cover, 0x1050);
    recorder_expect_zones(w.r, "io 1020-104f", "io 2000-200f", NULL);
    memory_region_set_address(&cover, 0x1018);
    recorder_expect_zones(w.r, "io 1028-104f", "io 2000-200f", NULL);
    memory_region_del_subregion(&w.root, &alias);
    memory_region_del_subregion(&w.root, &cover);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&alias);
    memory_region_destroy(&cover);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

/* The rule: put-off writes are delivered before any access to the region. */
START_TEST(test_flush)
{
    World w;
    IoDevice flushing, plain;

    world_init(&w);
    io_device_init(&flushing, 1, "flushing", 0x10);
    io_device_init(&plain, 2, "plain", 0x10);
    memory_region_add_subregion(&w.root, 0, &flushing.mr);
    memory_region_add_subregion(&w.root, 0x10, &plain.mr);
    memory_region_set_flush_coalesced(&flushing.mr);
    w.r->flushes = 0;
    load(&w.as, 0x10, 4, MEMTX_OK);
    ck_assert_uint_eq(w.r->flushes, 0);
    load(&w.as, 0, 4, MEMTX_OK);
    ck_assert_uint_eq(w.r->flushes, 1);
    store(&w.as, 0, 4, 0, MEMTX_OK);
    ck_assert_uint_eq(w.r->flushes, 2);
    memory_region_clear_flush_coalesced(&flushing.mr);
    w.r->flushes = 0;
    load(&w.as, 0, 4, MEMTX_OK);
    ck_assert_uint_eq(w.r->flushes, 0);

    /* Coalescing sets the rule on the region; clearing ends both, after
     * delivering what was put off. */
    memory_region_set_coalescing(&plain.mr);
    w.r->flushes = 0;
    load(&w.as, 0x10, 4, MEMTX_OK);
    ck_assert_uint_eq(w.r->flushes, 1);
    memory_region_clear_coalescing(&plain.mr);
    ck_assert_uint_ge(w.r->flushes, 2);
    w.r->flushes = 0;
    load(&w.as, 0x10, 4, MEMTX_OK);
    ck_assert_uint_eq(w.r->flushes, 0);

    /* What was put off was meant for the map before a change of it. */
    memory_region_transaction_begin();
    ck_assert_uint_eq(w.r->flushes, 1);
    memory_region_set_address(&plain.mr, 0x20);
    memory_region_transaction_commit();
    ck_assert_uint_eq(w.r->flushes, 1);

    memory_region_del_subregion(&w.root, &flushing.mr);
    memory_region_del_subregion(&w.root, &plain.mr);
    memory_region_destroy(&flushing.mr);
    memory_region_destroy(&plain.mr);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("listener", test_priority_order, test_priority_order_of_attributes,
          test_order_across_spaces, test_filter, test_replay,
          test_replay_is_private, test_space_comes_and_goes, test_no_callbacks,
          test_only_differences, test_silence, test_log_while_visible,
          test_log_before_and_after, test_global_log, test_log_sync_and_clear,
          test_sync_in_sync, test_doorbell_before_while_after,
          test_doorbell_while_briefly_hidden, test_doorbell_many_windows,
          test_doorbell_of_other_data, test_doorbell_replaced, test_doorbell_rings,
          test_zone_before_while_after, test_zone_is_cut, test_flush)
