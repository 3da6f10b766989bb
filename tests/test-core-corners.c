/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where rules of the memory API meet: put-off writes that change the map,
 * listeners of several spaces, dirty logs through aliases and beside writers,
 * port lists that do not fit.
 */
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "ioport.h"
#include "memory-internal.h"
#include "rcu.h"
#include "test-util.h"

/* ---- listeners of several spaces ------------------------------------------------ */

/* Whoever asks for what stays hears the whole map of its space at each commit,
 * whatever the commit was about: it may build a map of its own from that. */
START_TEST(nop_at_every_commit)
{
    World w;
    MemoryRegion root, io, other;
    AddressSpace as, third;
    EventNotifier bell;

    world_init(&w);
    event_notifier_init(&bell, 0);
    memory_region_init(&root, "other root", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_init_io(&other, &io_plain_ops, NULL, "other", 0x10);
    memory_region_add_subregion(&w.root, 0x100, &io);
    address_space_init(&as, &root);
    recorder_hear_nop(w.r);
    recorder_clear_log(w.r);

    memory_region_add_subregion(&root, 0, &other);
    recorder_expect_log(w.r, "begin", "nop io 100-10f @0", "commit", NULL);
    memory_region_add_eventfd(&other, 0, 4, false, 0, &bell);
    recorder_expect_log(w.r, "begin", "nop io 100-10f @0", "commit", NULL);
    memory_region_add_eventfd(&io, 0, 4, false, 0, &bell);
    recorder_expect_log(w.r, "begin", "nop io 100-10f @0", "eventfd_add io 100/4",
                        "commit", NULL);
    address_space_init(&third, &root);
    recorder_expect_log(w.r, "begin", "nop io 100-10f @0", "commit", NULL);
    address_space_destroy(&third);
    recorder_expect_log(w.r, "begin", "nop io 100-10f @0", "commit", NULL);

    address_space_destroy(&as);
    memory_region_del_subregion(&root, &other);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&other);
    memory_region_destroy(&io);
    memory_region_destroy(&root);
    event_notifier_cleanup(&bell);
    world_destroy(&w);
}
END_TEST

/* The root of one space that is also a part of another: looked up from, it is
 * asked what its own space shows, which the other may hide. */
START_TEST(find_in_the_nearest_space)
{
    World w;
    MemoryRegion inner, io, cover;
    AddressSpace as;
    MemoryRegionSection s;

    world_init(&w);
    memory_region_init(&inner, "inner", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_init_io(&cover, &io_plain_ops, NULL, "cover", 0x1000);
    memory_region_add_subregion(&inner, 0x20, &io);
    memory_region_add_subregion(&w.root, 0x4000, &inner);
    memory_region_add_subregion_overlap(&w.root, 0x4000, &cover, 1);
    ck_assert_ptr_eq(memory_region_find(&inner, 0x20, 1).mr, &cover);

    address_space_init(&as, &inner);
    s = memory_region_find(&inner, 0x20, 1);
    ck_assert_ptr_eq(s.mr, &io);
    ck_assert_ptr_eq(s.as, &as);
    expect_hex(s.offset_within_address_space, 0x20);
    ck_assert_ptr_eq(memory_region_find(&w.root, 0x4020, 1).mr, &cover);

    address_space_destroy(&as);
    memory_region_del_subregion(&w.root, &cover);
    memory_region_del_subregion(&w.root, &inner);
    memory_region_del_subregion(&inner, &io);
    memory_region_destroy(&cover);
    memory_region_destroy(&io);
    memory_region_destroy(&inner);
    world_destroy(&w);
}
END_TEST

/* ---- put-off writes that change the map ------------------------------------------ */

/* A ring of one write, as an accelerator would keep it. */
typedef struct PutOff {
    MemoryListener listener;
    AddressSpace *as;
    hwaddr addr;
    bool pending;
} PutOff;

static void put_off_flush(MemoryListener *listener)
{
    PutOff *p = (PutOff *)listener;

    if (p->pending) {
        p->pending = false;
        store(p->as, p->addr, 4, 1, MEMTX_OK);
    }
}

typedef struct Unplug {
    MemoryRegion *parent;
    IoDevice *dev;
} Unplug;

static void unplug_hook(IoDevice *dev, const IoCall *call)
{
    Unplug *u = dev->hook_opaque;

    memory_region_del_subregion(u->parent, &u->dev->mr);
    memory_region_destroy(&u->dev->mr);
    g_free(u->dev);
}

/* The access is made on the map that the put-off writes leave. */
START_TEST(flush_unplugs_the_region)
{
    World w;
    IoDevice control, below, *above;
    PutOff put_off = { .listener.flush_coalesced = put_off_flush };

    world_init(&w);
    io_device_init(&control, 1, "control", 0x10);
    io_device_init(&below, 2, "below", 0x20);
    memory_region_add_subregion(&w.root, 0x100, &control.mr);
    memory_region_add_subregion(&w.root, 0x200, &below.mr);
    memory_region_set_coalescing(&control.mr);
    put_off.as = &w.as;
    put_off.addr = 0x100;
    memory_listener_register(&put_off.listener, &w.as);

    for (unsigned is_write = 0; is_write < 2; is_write++) {
        above = g_new0(IoDevice, 1);
        io_device_init(above, 3, "above", 0x10);
        above->dead = true;
        memory_region_set_flush_coalesced(&above->mr);
        memory_region_add_subregion_overlap(&w.root, 0x208, &above->mr, 1);
        control.hook = unplug_hook;
        control.hook_opaque = &(Unplug){ &w.root, above };
        put_off.pending = true;
        if (is_write) {
            store(&w.as, 0x20c, 4, 0x12345678, MEMTX_OK);
            io_expect(&below, "w c/4=12345678", NULL);
        } else {
            expect_hex(load(&w.as, 0x20c, 4, MEMTX_OK), content_value(2, 0xc, 4));
            io_expect(&below, "r c/4", NULL);
        }
        io_expect(&control, "w 0/4=1", NULL);
    }

    memory_listener_unregister(&put_off.listener);
    memory_region_del_subregion(&w.root, &control.mr);
    memory_region_del_subregion(&w.root, &below.mr);
    memory_region_destroy(&control.mr);
    memory_region_destroy(&below.mr);
    world_destroy(&w);
}
END_TEST

/* The whole region is coalesced, whatever its size is by then. */
START_TEST(zone_of_a_region_that_grows)
{
    World w;
    MemoryRegion io;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_set_coalescing(&io);
    memory_region_add_subregion(&w.root, UINT64_MAX - 0xff, &io);
    recorder_expect_zones(w.r, "io ffffffffffffff00-ffffffffffffff0f", NULL);
    memory_region_set_size(&io, 0x100);
    recorder_expect_zones(w.r, "io ffffffffffffff00-ffffffffffffffff", NULL);
    memory_region_set_size(&io, 8);
    recorder_expect_zones(w.r, "io ffffffffffffff00-ffffffffffffff07", NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

/* ---- dirty logging ---------------------------------------------------------------- */

/* A client may know a region by an alias of an alias only. */
START_TEST(log_through_aliases)
{
    World w;
    MemoryRegion ram, inner, outer;

    world_init(&w);
    memory_region_init_ram(&ram, "ram", 4 * TARGET_PAGE_SIZE);
    memory_region_init_alias(&inner, "inner", &ram, TARGET_PAGE_SIZE,
                             2 * TARGET_PAGE_SIZE);
    memory_region_init_alias(&outer, "outer", &inner, TARGET_PAGE_SIZE,
                             TARGET_PAGE_SIZE);
    memory_region_add_subregion(&w.root, 0x10000, &outer);
    recorder_clear_log(w.r);

    memory_region_set_log(&outer, true, DIRTY_MEMORY_VGA);
    recorder_expect_log(w.r, "begin", "log_start ram 10000-10fff @2000", "commit",
                        NULL);
    ck_assert(memory_region_is_logging(&outer) &&
              memory_region_is_logging(&inner) && memory_region_is_logging(&ram));
    store(&w.as, 0x10010, 1, 5, MEMTX_OK);
    ck_assert(memory_region_get_dirty(&outer, 0, 1, DIRTY_MEMORY_VGA));
    ck_assert(memory_region_get_dirty(&ram, 2 * TARGET_PAGE_SIZE, 1,
                                      DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&ram, 0, 2 * TARGET_PAGE_SIZE,
                                       DIRTY_MEMORY_VGA));
    memory_region_sync_dirty_bitmap(&outer);
    recorder_expect_log(w.r, "log_sync ram 10000-10fff @2000", NULL);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
    recorder_expect_log(w.r, "begin", "log_stop ram 10000-10fff @2000", "commit",
                        NULL);
    ck_assert(!memory_region_is_logging(&outer));

    memory_region_del_subregion(&w.root, &outer);
    memory_region_destroy(&outer);
    memory_region_destroy(&inner);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* A thread that has asked what to record, and has not yet written. */
typedef struct SlowWriter {
    sem_t inside;
    bool left; /* atomic */
} SlowWriter;

static void *slow_writer(void *opaque)
{
    SlowWriter *s = opaque;

    memory_rcu_enter();
    sem_post(&s->inside);
    usleep(20000); /* gives a start that does not wait the time to return */
    __atomic_store_n(&s->left, true, __ATOMIC_SEQ_CST);
    memory_rcu_exit();
    return NULL;
}

/* When logging is on, no write that goes unrecorded is still to come. */
START_TEST(log_start_waits_for_writers)
{
    MemoryRegion ram;

    memory_region_init_ram(&ram, "ram", TARGET_PAGE_SIZE);
    for (unsigned global = 0; global < 2; global++) {
        SlowWriter s = { .left = false };
        pthread_t thread;

        sem_init(&s.inside, 0, 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, slow_writer, &s), 0);
        sem_wait(&s.inside);
        if (global) {
            memory_global_dirty_log_start();
        } else {
            memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
        }
        expect(__atomic_load_n(&s.left, __ATOMIC_SEQ_CST),
               "logging is on while a writer may not know it");
        pthread_join(thread, NULL);
        sem_destroy(&s.inside);
    }
    memory_global_dirty_log_stop();
    memory_region_destroy(&ram);
}
END_TEST

/* When a doorbell was taken out, nobody is about to ring it: it may be closed.
 * So it is for one that came and went in one transaction, and out of sight. */
START_TEST(doorbell_removal_waits_for_readers)
{
    World w;
    MemoryRegion io;
    EventNotifier bell;

    world_init(&w);
    event_notifier_init(&bell, 0);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_add_subregion(&w.root, 0, &io);
    for (unsigned way = 0; way < 3; way++) {
        SlowWriter s = { .left = false };
        pthread_t thread;

        sem_init(&s.inside, 0, 0);
        if (way == 2) {
            memory_region_set_enabled(&io, false);
        }
        if (way) {
            memory_region_add_eventfd(&io, 0, 4, false, 0, &bell);
        }
        memory_region_transaction_begin();
        if (!way) {
            memory_region_add_eventfd(&io, 0, 4, false, 0, &bell);
        }
        ck_assert_int_eq(pthread_create(&thread, NULL, slow_writer, &s), 0);
        sem_wait(&s.inside);
        memory_region_del_eventfd(&io, 0, 4, false, 0, &bell);
        memory_region_transaction_commit();
        expect(__atomic_load_n(&s.left, __ATOMIC_SEQ_CST),
               "way %u: removed while somebody may ring it", way);
        pthread_join(thread, NULL);
        sem_destroy(&s.inside);
    }
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    event_notifier_cleanup(&bell);
    world_destroy(&w);
}
END_TEST

/* ---- how long views live ------------------------------------------------------------ */

/* Commits, look-ups beside all spaces, spaces that come and go: however many,
 * views are those that are shown, and only so much waits for readers. */
START_TEST(views_do_not_pile_up)
{
    World w;
    MemoryRegion io, lone;
    AddressSpace as;
    unsigned views, most = 0;
    size_t bytes, most_bytes = 0;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "io", 0x10);
    memory_region_init_ram(&lone, "lone", TARGET_PAGE_SIZE);
    memory_region_add_subregion(&w.root, 0, &io);
    memory_lock();
    rcu_reclaim();
    views = flatview_live_count();
    bytes = flatview_live_bytes();
    for (unsigned i = 0; i < 2000; i++) {
        memory_region_set_address(&io, i);
        ck_assert_ptr_eq(memory_region_find(&lone, 8, 1).mr, &lone);
        ck_assert_uint_eq(flatview_live_count(), views);
        most = MAX(most, rcu_retired_count());
        most_bytes = MAX(most_bytes, flatview_live_bytes());
        if (i % 100 == 0) {
            address_space_init(&as, &lone);
            ck_assert_uint_eq(flatview_live_count(), views + 1);
            address_space_destroy(&as);
            ck_assert_uint_eq(flatview_live_count(), views);
            ck_assert_uint_eq(rcu_retired_count(), 0);
            expect(flatview_live_bytes() == bytes, "%zu bytes, not %zu",
                   flatview_live_bytes(), bytes);
        }
        recorder_clear_log(w.r);
    }
    ck_assert_uint_gt(most, 0);
    ck_assert_uint_le(most, RCU_BATCH);
    ck_assert_uint_le(most_bytes, bytes + (1 << 20));
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io); /* no reader may see it: nothing is kept */
    ck_assert_uint_eq(rcu_retired_count(), 0);
    memory_unlock();
    memory_region_destroy(&lone);
    world_destroy(&w);
    ck_assert_uint_eq(flatview_live_count(), 0);
    ck_assert_uint_eq(flatview_live_bytes(), 0);
}
END_TEST

/* ---- port lists ------------------------------------------------------------------- */

static uint32_t port_read(void *opaque, uint32_t port)
{
    return port & 0xff;
}

/* A list that meets another's ports half-way is not added at all. */
START_TEST(refused_port_list)
{
    static const MemoryRegionPortio two[] = {
        { .offset = 0, .len = 4, .size = 1, .read = port_read },
        { .offset = 8, .len = 4, .size = 1, .read = port_read },
        PORTIO_END_OF_LIST(),
    };
    World w;
    PortioList list;
    MemoryRegion taken;

    world_init(&w);
    memory_region_init_io(&taken, &io_plain_ops, NULL, "taken", 4);
    memory_region_add_subregion(&w.root, 0x6a, &taken);
    portio_list_init(&list, two, NULL, "list");
    recorder_clear_log(w.r);

    EXPECT_ERROR(portio_list_add(&list, &w.root, 0x60), "list", "taken");
    recorder_expect_map(w.r, "taken 6a-6d @0", NULL);
    portio_list_del(&list); /* nothing to take out, and no error */
    portio_list_add(&list, &w.root, 0x70);
    recorder_expect_map(w.r, "taken 6a-6d @0", "list 70-73 @70",
                        "list 78-7b @78", NULL);
    ck_assert_uint_eq(cpu_inb(&w.as, 0x79), 0x79);

    portio_list_destroy(&list);
    memory_region_del_subregion(&w.root, &taken);
    memory_region_destroy(&taken);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("core-corners", nop_at_every_commit, find_in_the_nearest_space,
          flush_unplugs_the_region,
          zone_of_a_region_that_grows, log_through_aliases,
          log_start_waits_for_writers, doorbell_removal_waits_for_readers,
          views_do_not_pile_up, refused_port_list)
