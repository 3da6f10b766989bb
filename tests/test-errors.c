/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programming errors: each is found at the call, reported with the names of
 * the regions, and has no effect.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-util.h"

static uint8_t memory[4096] __attribute__((aligned(4096)));

/* ---- where a region may go ------------------------------------------------------ */

START_TEST(test_second_parent)
{
    World w;
    MemoryRegion box, io;

    world_init(&w);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "device", 0x100);
    memory_region_add_subregion(&w.root, 0x10000, &box);
    memory_region_add_subregion(&box, 0, &io);
    recorder_clear_log(w.r);

    EXPECT_ERROR(memory_region_add_subregion(&w.root, 0, &io), "device", "box");
    EXPECT_ERROR(memory_region_add_subregion_overlap(&w.root, 0, &io, 5),
                 "device", "root");
    EXPECT_ERROR(memory_region_add_subregion_overlap(&box, 0x200, &io, 5),
                 "device", "box");
    recorder_expect_log(w.r, NULL);
    recorder_expect_map(w.r, "device 10000-100ff @0", NULL);
    /* Its place and priority are what they were. */
    memory_region_set_enabled(&box, false);
    memory_region_set_enabled(&box, true);
    recorder_expect_map(w.r, "device 10000-100ff @0", NULL);

    memory_region_del_subregion(&box, &io);
    memory_region_del_subregion(&w.root, &box);
    memory_region_destroy(&io);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

START_TEST(test_cycle_of_containers)
{
    World w;
    MemoryRegion a, b, c;

    world_init(&w);
    memory_region_init(&a, "ring-a", 0x1000);
    memory_region_init(&b, "ring-b", 0x1000);
    memory_region_init(&c, "ring-c", 0x1000);
    EXPECT_ERROR(memory_region_add_subregion(&a, 0, &a), "ring-a", NULL);
    memory_region_add_subregion(&a, 0, &b);
    EXPECT_ERROR(memory_region_add_subregion(&b, 0, &a), "ring-a", "ring-b");
    memory_region_add_subregion(&b, 0, &c);
    EXPECT_ERROR(memory_region_add_subregion(&c, 0, &a), "ring-a", "ring-c");
    memory_region_add_subregion(&w.root, 0, &a);
    recorder_expect_map(w.r, NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&a, &b);
    /* The other way round is right now. */
    memory_region_add_subregion(&c, 0, &a);
    memory_region_del_subregion(&c, &a);
    memory_region_del_subregion(&b, &c);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&c);
    world_destroy(&w);
}
END_TEST

START_TEST(test_cycle_of_aliases)
{
    World w;
    MemoryRegion box, inner, first, second;

    world_init(&w);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init(&inner, "inner", 0x1000);
    memory_region_init_alias(&first, "first", &box, 0, 0x1000);
    memory_region_init_alias(&second, "second", &first, 0, 0x1000);
    memory_region_add_subregion(&box, 0, &inner);
    EXPECT_ERROR(memory_region_add_subregion(&box, 0, &first), "first", "box");
    EXPECT_ERROR(memory_region_add_subregion_overlap(&box, 0, &second, 1),
                 "second", "box");
    EXPECT_ERROR(memory_region_add_subregion(&inner, 0, &second), "second",
                 "inner");
    /* Cut off, the same is no cycle. */
    memory_region_del_subregion(&box, &inner);
    memory_region_add_subregion(&inner, 0, &second);
    EXPECT_ERROR(memory_region_add_subregion(&box, 0, &inner), "inner", "box");
    memory_region_del_subregion(&inner, &second);
    memory_region_destroy(&second);
    memory_region_destroy(&first);
    memory_region_destroy(&inner);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

START_TEST(test_alias_of_itself)
{
    MemoryRegion a;

    memory_region_init(&a, "self", 0x1000);
    EXPECT_ERROR(memory_region_init_alias(&a, "window", &a, 0, 0x1000), "window",
                 "self");
    ck_assert_str_eq(memory_region_name(&a), "self");
    memory_region_destroy(&a);
}
END_TEST

/* What was not begun cannot be ended, and trying does no harm. */
START_TEST(test_end_without_begin)
{
    EXPECT_ERROR(memory_unlock(), "memory_lock()", NULL);
    ck_assert(!memory_lock_held());
    EXPECT_ERROR(memory_region_transaction_commit(), "without a begin", NULL);
    memory_lock();
    EXPECT_ERROR(memory_region_transaction_commit(), "without a begin", NULL);
    ck_assert(memory_lock_held());
    memory_unlock();
    ck_assert(!memory_lock_held());
}
END_TEST

START_TEST(test_overlap)
{
    World w;
    MemoryRegion a, b;

    world_init(&w);
    memory_region_init_io(&a, &io_plain_ops, NULL, "first", 0x100);
    memory_region_init_io(&b, &io_plain_ops, NULL, "second", 0x100);
    memory_region_add_subregion(&w.root, 0x1000, &a);
    recorder_clear_log(w.r);
    EXPECT_ERROR(memory_region_add_subregion(&w.root, 0x10ff, &b), "first",
                 "second");
    EXPECT_ERROR(memory_region_add_subregion(&w.root, 0xf01, &b), "first",
                 "second");
    /* The message tells both ranges. */
    EXPECT_ERROR(memory_region_add_subregion(&w.root, 0x1080, &b), "1000",
                 "10ff");
    EXPECT_ERROR(memory_region_add_subregion(&w.root, 0x1080, &b), "1080",
                 "117f");
    recorder_expect_log(w.r, NULL);
    memory_region_add_subregion(&w.root, 0x1100, &b);
    memory_region_del_subregion(&w.root, &b);
    memory_region_add_subregion(&w.root, 0xf00, &b);
    memory_region_del_subregion(&w.root, &b);
    /* One that may overlap is no obstacle, and meets none. */
    memory_region_add_subregion_overlap(&w.root, 0x1080, &b, 0);
    memory_region_del_subregion(&w.root, &a);
    memory_region_add_subregion(&w.root, 0x1000, &a);
    recorder_expect_map(w.r, "first 1000-10ff @0", "second 1100-117f @80", NULL);
    memory_region_del_subregion(&w.root, &a);
    memory_region_del_subregion(&w.root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    world_destroy(&w);
}
END_TEST

START_TEST(test_overlap_at_the_end)
{
    World w;
    MemoryRegion whole, last;

    world_init(&w);
    memory_region_init_io(&whole, &io_plain_ops, NULL, "whole", UINT64_MAX);
    memory_region_init_io(&last, &io_plain_ops, NULL, "last", 1);
    memory_region_add_subregion(&w.root, 0, &whole);
    EXPECT_ERROR(memory_region_add_subregion(&w.root, UINT64_MAX, &last),
                 "whole", "last");
    memory_region_del_subregion(&w.root, &whole);
    memory_region_add_subregion(&w.root, UINT64_MAX, &last);
    EXPECT_ERROR(memory_region_add_subregion(&w.root, 0, &whole), "whole",
                 "last");
    memory_region_set_size(&whole, UINT64_MAX - 1);
    memory_region_add_subregion(&w.root, 1, &whole);
    recorder_expect_map(w.r, "whole 1-fffffffffffffffe @0",
                        "last ffffffffffffffff-ffffffffffffffff @0", NULL);
    memory_region_del_subregion(&w.root, &whole);
    memory_region_del_subregion(&w.root, &last);
    memory_region_destroy(&whole);
    memory_region_destroy(&last);
    world_destroy(&w);
}
END_TEST

START_TEST(test_not_a_subregion)
{
    World w;
    MemoryRegion box, io;

    world_init(&w);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "device", 0x100);
    EXPECT_ERROR(memory_region_del_subregion(&box, &io), "device", "box");
    memory_region_add_subregion(&w.root, 0, &io);
    EXPECT_ERROR(memory_region_del_subregion(&box, &io), "device", "box");
    recorder_expect_map(w.r, "device 0-ff @0", NULL);
    memory_region_del_subregion(&w.root, &io);
    EXPECT_ERROR(memory_region_del_subregion(&w.root, &io), "device", "root");
    memory_region_destroy(&io);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

/* ---- destroying what is in use ------------------------------------------------------- */

START_TEST(test_destroy_in_use)
{
    World w;
    MemoryRegion box, io, alias;

    world_init(&w);
    memory_region_init(&box, "box", 0x1000);
    memory_region_init_io(&io, &io_plain_ops, NULL, "device", 0x100);
    memory_region_init_alias(&alias, "window", &io, 0, 0x100);
    memory_region_add_subregion(&box, 0, &io);
    EXPECT_ERROR(memory_region_destroy(&io), "device", "box");
    EXPECT_ERROR(memory_region_destroy(&box), "box", "device");
    memory_region_del_subregion(&box, &io);
    EXPECT_ERROR(memory_region_destroy(&io), "device", "window");
    memory_region_add_subregion(&w.root, 0, &io);
    recorder_expect_map(w.r, "device 0-ff @0", NULL);
    EXPECT_ERROR(memory_region_destroy(&w.root), "root", NULL);
    memory_region_del_subregion(&w.root, &io);
    EXPECT_ERROR(memory_region_destroy(&w.root), "root", NULL);
    memory_region_destroy(&alias);
    memory_region_destroy(&io);
    memory_region_destroy(&box);
    world_destroy(&w);
}
END_TEST

static void destroy_itself(IoDevice *dev, const IoCall *call)
{
    MemoryRegion *root = dev->hook_opaque;

    memory_region_del_subregion(root, &dev->mr);
    EXPECT_ERROR(memory_region_destroy(&dev->mr), "suicide", NULL);
    memory_region_add_subregion(root, 0, &dev->mr);
}

START_TEST(test_destroy_from_callback)
{
    World w;
    IoDevice dev;

    world_init(&w);
    io_device_init(&dev, 1, "suicide", 0x100);
    dev.hook = destroy_itself;
    dev.hook_opaque = &w.root;
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    store(&w.as, 0, 4, 1, MEMTX_OK);
    dev.hook = NULL;
    expect_hex(load(&w.as, 0, 4, MEMTX_OK), content_value(1, 0, 4));
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

/* A callback may remove and destroy another device's region. */
static void destroy_other(IoDevice *dev, const IoCall *call)
{
    IoDevice *other = dev->hook_opaque;

    if (other->dead) {
        return;
    }
    memory_region_del_subregion(other->hook_opaque, &other->mr);
    memory_region_destroy(&other->mr);
    other->dead = true;
}

START_TEST(test_destroy_other_from_callback)
{
    World w;
    IoDevice dev, other;

    world_init(&w);
    io_device_init(&dev, 1, "dev", 0x100);
    io_device_init(&other, 2, "other", 0x100);
    dev.hook = destroy_other;
    dev.hook_opaque = &other;
    other.hook_opaque = &w.root;
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    memory_region_add_subregion(&w.root, 0x100, &other.mr);
    store(&w.as, 0, 4, 1, MEMTX_OK);
    ck_assert(other.dead);
    load(&w.as, 0x100, 4, MEMTX_DECODE_ERROR);
    recorder_expect_map(w.r, "dev 0-ff @0", NULL);
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

START_TEST(test_destroy_before_commit)
{
    World w;
    MemoryRegion io;

    world_init(&w);
    memory_region_init_io(&io, &io_plain_ops, NULL, "device", 0x100);
    memory_region_add_subregion(&w.root, 0, &io);
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &io);
    EXPECT_ERROR(memory_region_destroy(&io), "device", NULL);
    memory_region_transaction_commit();
    recorder_expect_map(w.r, NULL);
    memory_region_destroy(&io);
    world_destroy(&w);
}
END_TEST

/* ---- the rest --------------------------------------------------------------------------- */

START_TEST(test_wrong_kind)
{
    MemoryRegion io, ram;

    memory_region_init_io(&io, &io_plain_ops, NULL, "device", 0x100);
    memory_region_init_ram_ptr(&ram, "ram", 0x800, memory);
    EXPECT_ERROR(memory_region_set_alias_offset(&io, 4), "device", NULL);
    EXPECT_ERROR(memory_region_rom_device_set_readable(&io, true), "device",
                 NULL);
    EXPECT_ERROR(memory_region_set_size(&ram, 0x801), "ram", NULL);
    EXPECT_ERROR(memory_region_set_size(&ram, UINT64_MAX), "ram", NULL);
    expect_hex(memory_region_size(&ram), 0x800);
    EXPECT_ERROR(memory_region_set_log(&ram, true, DIRTY_MEMORY_NUM), "ram",
                 NULL);
    ck_assert(!memory_region_is_logging(&ram));
    memory_region_destroy(&io);
    memory_region_destroy(&ram);
}
END_TEST

START_TEST(test_doorbells)
{
    EventNotifier e, other;
    World w;
    MemoryRegion io;

    world_init(&w);
    ck_assert_int_eq(event_notifier_init(&e, 0), 0);
    ck_assert_int_eq(event_notifier_init(&other, 0), 0);
    memory_region_init_io(&io, &io_plain_ops, NULL, "device", 0x100);
    memory_region_add_subregion(&w.root, 0x1000, &io);
    memory_region_add_eventfd(&io, 8, 4, true, 5, &e);
    recorder_clear_log(w.r);
    EXPECT_ERROR(memory_region_add_eventfd(&io, 8, 4, true, 5, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_del_eventfd(&io, 8, 4, true, 6, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_del_eventfd(&io, 8, 4, false, 5, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_del_eventfd(&io, 8, 2, true, 5, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_del_eventfd(&io, 9, 4, true, 5, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_del_eventfd(&io, 8, 4, true, 5, &other), "device",
                 NULL);
    EXPECT_ERROR(memory_region_add_eventfd(&io, 8, 3, false, 0, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_add_eventfd(&io, 0xfd, 4, false, 0, &e), "device",
                 NULL);
    EXPECT_ERROR(memory_region_add_eventfd(&io, 0x100, 0, false, 0, &e),
                 "device", NULL);
    recorder_expect_log(w.r, NULL);
    recorder_expect_doorbells(w.r, "device 1008/4=5", NULL);
    memory_region_del_eventfd(&io, 8, 4, true, 5, &e);
    recorder_expect_doorbells(w.r, NULL);
    memory_region_del_subregion(&w.root, &io);
    memory_region_destroy(&io);
    event_notifier_cleanup(&e);
    event_notifier_cleanup(&other);
    world_destroy(&w);
}
END_TEST

START_TEST(test_unbalanced)
{
    World w;

    EXPECT_ERROR(memory_region_transaction_commit(), NULL, NULL);
    ck_assert(!memory_lock_held());
    memory_lock();
    EXPECT_ERROR(memory_region_transaction_commit(), NULL, NULL);
    ck_assert(memory_lock_held());
    memory_unlock();
    EXPECT_ERROR(memory_global_dirty_log_stop(), NULL, NULL);

    world_init(&w);
    EXPECT_ERROR(memory_listener_register(&w.r->listener, NULL), NULL, NULL);
    ck_assert_ptr_eq(w.r->listener.address_space_filter, &w.as);
    recorder_expect_log(w.r, NULL);
    memory_listener_unregister(&w.r->listener);
    recorder_clear_log(w.r);
    EXPECT_ERROR(memory_listener_unregister(&w.r->listener), NULL, NULL);
    recorder_expect_log(w.r, NULL);
    memory_listener_register(&w.r->listener, &w.as);
    world_destroy(&w);
}
END_TEST

START_TEST(test_unmap_of_what_is_not_mapped)
{
    World w;
    int nothing;

    world_init(&w);
    EXPECT_ERROR(address_space_unmap(&w.as, &nothing, 4, true, 4), NULL, NULL);
    world_destroy(&w);
}
END_TEST

/* Without a handler the message goes to stderr and the program ends. */
START_TEST(test_default_handler)
{
    char text[200] = "";
    int out[2], status;
    ssize_t n;
    pid_t pid;

    ck_assert_int_eq(pipe(out), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        MemoryRegion mr;

        dup2(out[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        memory_region_init(&mr, "lonely", 1);
        memory_region_add_subregion(&mr, 0, &mr);
        _exit(0);
    }
    close(out[1]);
    n = read(out[0], text, sizeof(text) - 1);
    ck_assert_int_gt(n, 0);
    close(out[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "status %#x", (unsigned)status);
    ck_assert_ptr_nonnull(strstr(text, "lonely"));
}
END_TEST

TEST_MAIN("errors", test_default_handler, test_second_parent, test_cycle_of_containers,
          test_cycle_of_aliases, test_alias_of_itself,
          test_end_without_begin, test_overlap,
          test_overlap_at_the_end, test_not_a_subregion, test_destroy_in_use,
          test_destroy_from_callback, test_destroy_other_from_callback,
          test_destroy_before_commit, test_wrong_kind, test_doorbells,
          test_unbalanced, test_unmap_of_what_is_not_mapped)
