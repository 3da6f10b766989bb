/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address_space_map and _unmap: how far a pointer reaches, bounce buffers and
 * their bound, map clients, memory that is held while its region goes away.
 */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "test-util.h"

#define BOUNCE ADDRESS_SPACE_BOUNCE_MAX

static uint8_t memory[8 * 4096] __attribute__((aligned(4096)));

/* Map @wanted bytes; the length there is must be @len. */
static uint8_t *map(AddressSpace *as, hwaddr addr, hwaddr wanted, hwaddr len,
                    bool is_write)
{
    hwaddr got = wanted;
    uint8_t *p = address_space_map(as, addr, &got, is_write);

    expect(got == len, "0x%" PRIx64 " bytes of 0x%" PRIx64 " at 0x%" PRIx64
           " mapped, not 0x%" PRIx64, got, wanted, addr, len);
    expect(!p == !len, "pointer %p with length 0x%" PRIx64, (void *)p, len);
    return p;
}

/* ---- RAM ------------------------------------------------------------------------ */

START_TEST(test_ram)
{
    World w;
    MemoryRegion ram;
    uint8_t *p;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x2000, memory);
    memory_region_add_subregion(&w.root, 0x1000, &ram);
    p = map(&w.as, 0x1010, 0x100, 0x100, true);
    ck_assert_ptr_eq(p, memory + 0x10);
    address_space_unmap(&w.as, p, 0x100, true, 0x100);
    p = map(&w.as, 0x1010, 0x10000, 0x1ff0, false);
    ck_assert_ptr_eq(p, memory + 0x10);
    address_space_unmap(&w.as, p, 0x1ff0, false, 0);
    p = map(&w.as, 0x2fff, UINT64_MAX, 1, false);
    ck_assert_ptr_eq(p, memory + 0x1fff);
    address_space_unmap(&w.as, p, 1, false, 1);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* As much contiguous RAM as there is: what readers need not tell apart. */
START_TEST(test_contiguous)
{
    World w;
    MemoryRegion ram, low, high;
    uint8_t *p;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_init_alias(&low, "low", &ram, 0, 0x1000);
    memory_region_init_alias(&high, "high", &ram, 0x1000, 0x1000);
    memory_region_add_subregion(&w.root, 0, &low);
    memory_region_add_subregion(&w.root, 0x1000, &high);
    p = map(&w.as, 0x800, 0x10000, 0x1800, true);
    address_space_unmap(&w.as, p, 0x1800, true, 0);

    memory_region_set_readonly(&high, true);
    p = map(&w.as, 0x800, 0x10000, 0x1800, false);
    ck_assert_ptr_eq(p, memory + 0x800);
    address_space_unmap(&w.as, p, 0x1800, false, 0);
    p = map(&w.as, 0x800, 0x10000, 0x800, true);
    ck_assert_ptr_eq(p, memory + 0x800);
    address_space_unmap(&w.as, p, 0x800, true, 0);

    memory_region_set_alias_offset(&high, 0x2000);
    p = map(&w.as, 0x800, 0x10000, 0x800, false);
    address_space_unmap(&w.as, p, 0x800, false, 0);
    /* The next byte of memory at another address. */
    memory_region_set_alias_offset(&high, 0x1000);
    memory_region_set_address(&high, 0x1001);
    p = map(&w.as, 0x800, 0x10000, 0x800, false);
    address_space_unmap(&w.as, p, 0x800, false, 0);
    memory_region_del_subregion(&w.root, &low);
    memory_region_del_subregion(&w.root, &high);
    memory_region_destroy(&low);
    memory_region_destroy(&high);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

START_TEST(test_end_of_space)
{
    World w;
    MemoryRegion low, high;
    uint8_t *p;

    world_init(&w);
    memory_region_init_ram_ptr(&low, "low", 0x1000, memory + 0x1000);
    memory_region_init_ram_ptr(&high, "high", 0x1000, memory);
    memory_region_add_subregion(&w.root, 0, &low);
    memory_region_add_subregion(&w.root, -(hwaddr)0x1000, &high);
    p = map(&w.as, -(hwaddr)0x10, 0x100, 0x10, true);
    ck_assert_ptr_eq(p, memory + 0xff0);
    address_space_unmap(&w.as, p, 0x10, true, 0x10);
    p = map(&w.as, UINT64_MAX, UINT64_MAX, 1, false);
    address_space_unmap(&w.as, p, 1, false, 1);
    memory_region_del_subregion(&w.root, &low);
    memory_region_del_subregion(&w.root, &high);
    memory_region_destroy(&low);
    memory_region_destroy(&high);
    world_destroy(&w);
}
END_TEST

/* A mapping marks what was written, for the clients that log. */
START_TEST(test_dirty)
{
    World w;
    MemoryRegion ram;
    uint8_t *p;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_add_subregion(&w.root, 0, &ram);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    memory_region_reset_dirty(&ram, 0, 0x4000, DIRTY_MEMORY_VGA);
    p = map(&w.as, 0x1800, 0x2000, 0x2000, true);
    address_space_unmap(&w.as, p, 0x2000, true, 0x801);
    ck_assert(!memory_region_get_dirty(&ram, 0, 0x1000, DIRTY_MEMORY_VGA));
    ck_assert(memory_region_get_dirty(&ram, 0x1000, 0x1000, DIRTY_MEMORY_VGA));
    ck_assert(memory_region_get_dirty(&ram, 0x2000, 0x1000, DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&ram, 0x3000, 0x1000, DIRTY_MEMORY_VGA));
    memory_region_reset_dirty(&ram, 0, 0x4000, DIRTY_MEMORY_VGA);
    p = map(&w.as, 0, 0x1000, 0x1000, true);
    address_space_unmap(&w.as, p, 0x1000, true, UINT64_MAX);
    ck_assert(memory_region_get_dirty(&ram, 0, 0x1000, DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&ram, 0x1000, 0x3000, DIRTY_MEMORY_VGA));
    memory_region_reset_dirty(&ram, 0, 0x4000, DIRTY_MEMORY_VGA);
    p = map(&w.as, 0, 0x4000, 0x4000, false);
    address_space_unmap(&w.as, p, 0x4000, false, 0x4000);
    p = map(&w.as, 0, 0x4000, 0x4000, true);
    address_space_unmap(&w.as, p, 0x4000, true, 0);
    ck_assert(!memory_region_get_dirty(&ram, 0, 0x4000, DIRTY_MEMORY_VGA));
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* What was given back before writes are recorded is seen by who starts that: for
 * the thread sanitizer, as nothing else tells the one of the other. */
typedef struct Writer {
    AddressSpace *as;
    int done, seen; /* atomic, and order nothing */
} Writer;

static void *write_mapped(void *opaque)
{
    Writer *writer = opaque;
    uint8_t *p = map(writer->as, 0, 0x100, 0x100, true);

    p[0x10] = 0x5a;
    address_space_unmap(writer->as, p, 0x100, true, 0x100);
    __atomic_store_n(&writer->done, 1, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&writer->seen, __ATOMIC_RELAXED)) {
        sched_yield(); /* a thread that ends takes locks */
    }
    return NULL;
}

START_TEST(test_log_start_sees)
{
    World w;
    MemoryRegion ram;
    pthread_t thread;
    Writer writer = { .as = &w.as };
    uint8_t value;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_add_subregion(&w.root, 0, &ram);
    pthread_create(&thread, NULL, write_mapped, &writer);
    while (!__atomic_load_n(&writer.done, __ATOMIC_RELAXED)) {
        sched_yield();
    }
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    value = memory[0x10];
    __atomic_store_n(&writer.seen, 1, __ATOMIC_RELAXED);
    ck_assert_uint_eq(value, 0x5a);
    pthread_join(thread, NULL);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* The memory outlives its region while it is held. */
START_TEST(test_held)
{
    World w;
    MemoryRegion ram;
    uint8_t *p, *q;

    world_init(&w);
    memory_region_init_ram(&ram, "ram", 0x4000);
    memory_region_add_subregion(&w.root, 0, &ram);
    memset(memory_region_get_ram_ptr(&ram), 0x3c, 0x4000);
    p = map(&w.as, 0x1000, 0x1000, 0x1000, true);
    q = map(&w.as, 0x1800, 0x1000, 0x1000, false);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    ck_assert_uint_eq(p[0xfff], 0x3c);
    memset(p, 0x4d, 0x1000);
    ck_assert_uint_eq(q[0], 0x4d);
    address_space_unmap(&w.as, p, 0x1000, true, 0x1000);
    ck_assert_uint_eq(q[0x7ff], 0x4d);
    ck_assert_uint_eq(q[0x800], 0x3c);
    address_space_unmap(&w.as, q, 0x1000, false, 0x1000);
    world_destroy(&w);
}
END_TEST

/* Two regions over the same memory of the caller's: unmapping what was mapped
 * through one must leave the other alone. */
START_TEST(test_shared_memory)
{
    World w;
    MemoryRegion first, second;
    uint8_t *p;
    unsigned i;

    world_init(&w);
    memory_region_init_ram_ptr(&first, "first", 0x2000, memory);
    memory_region_init_ram_ptr(&second, "second", 0x2000, memory);
    memory_region_add_subregion(&w.root, 0, &first);
    memory_region_add_subregion(&w.root, 0x10000, &second);
    content_fill(memory, 1, 0, 0x2000);
    for (i = 0; i < 4; i++) {
        p = map(&w.as, 0x10100, 0x10, 0x10, true);
        ck_assert_ptr_eq(p, memory + 0x100);
        address_space_unmap(&w.as, p, 0x10, true, 0);
        p = map(&w.as, 0x100, 0x10, 0x10, false);
        address_space_unmap(&w.as, p, 0x10, false, 0);
        p = map(&w.as, 0x100, 0x10, 0x10, false);
        address_space_unmap(&w.as, p, 0x10, false, 0);
    }
    expect_hex(load(&w.as, 0x100, 4, MEMTX_OK), content_value(1, 0x100, 4));
    p = map(&w.as, 0x100, 0x10, 0x10, true);
    memory_region_del_subregion(&w.root, &first);
    memory_region_destroy(&first);
    address_space_unmap(&w.as, p, 0x10, true, 0);
    expect_hex(load(&w.as, 0x10100, 4, MEMTX_OK), content_value(1, 0x100, 4));
    ck_assert_ptr_eq(memory_region_get_ram_ptr(&second), memory);
    memory_region_del_subregion(&w.root, &second);
    memory_region_destroy(&second);
    world_destroy(&w);
}
END_TEST

/* Two regions that share a part of the caller's memory, both mapped at the same
 * host address, through two address spaces: each unmap ends the map that its
 * own address space made, and marks the pages of that region. */
START_TEST(test_partly_shared_memory)
{
    World w, v;
    MemoryRegion first, second;
    uint8_t *p, *q;

    world_init(&w);
    world_init(&v);
    memory_region_init_ram_ptr(&first, "first", 0x2000, memory);
    memory_region_init_ram_ptr(&second, "second", 0x2000, memory + 0x1000);
    memory_region_set_log(&first, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&second, true, DIRTY_MEMORY_VGA);
    memory_region_add_subregion(&w.root, 0, &first);
    memory_region_add_subregion(&v.root, 0, &second);
    p = map(&w.as, 0x1000, 0x10, 0x10, true);
    q = map(&v.as, 0, 0x10, 0x10, true);
    ck_assert_ptr_eq(p, q);
    address_space_unmap(&w.as, p, 0x10, true, 0x10);
    ck_assert(memory_region_get_dirty(&first, 0x1000, 1, DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&second, 0, 0x2000, DIRTY_MEMORY_VGA));
    memory_region_del_subregion(&v.root, &second);
    memory_region_destroy(&second); /* the map of it keeps its block */
    address_space_unmap(&v.as, q, 0x10, true, 0x10);
    ck_assert(!memory_region_get_dirty(&first, 0, 0x1000, DIRTY_MEMORY_VGA));
    memory_region_del_subregion(&w.root, &first);
    memory_region_destroy(&first);
    world_destroy(&v);
    world_destroy(&w);
}
END_TEST

/* ---- bounce buffers ------------------------------------------------------------------ */

START_TEST(test_bounce)
{
    World w;
    IoDevice dev;
    MemoryRegion rom;
    uint8_t *p;

    world_init(&w);
    io_device_init(&dev, 3, "dev", 0x100);
    memory_region_init_rom(&rom, "rom", 0x1000);
    content_fill(memory_region_get_ram_ptr(&rom), 4, 0, 0x1000);
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    memory_region_add_subregion(&w.root, 0x1000, &rom);

    /* Read when mapped, to the region's end at most. */
    p = map(&w.as, 0xf0, 0x1000, 0x10, false);
    io_expect(&dev, "r f0/8", "r f8/8", NULL);
    ck_assert_uint_eq(p[0], content_byte(3, 0xf0));
    ck_assert_uint_eq(p[15], content_byte(3, 0xff));
    address_space_unmap(&w.as, p, 0x10, false, 0x10);
    io_expect(&dev, NULL);

    /* Written when unmapped, as much as was used. */
    p = map(&w.as, 0x20, 0x10, 0x10, true);
    io_expect(&dev, NULL);
    memset(p, 0x5e, 0x10);
    address_space_unmap(&w.as, p, 0x10, true, 0xa);
    io_expect(&dev, "w 20/8=5e5e5e5e5e5e5e5e", "w 28/2=5e5e", NULL);
    p = map(&w.as, 0x20, 0x10, 0x10, true);
    address_space_unmap(&w.as, p, 0x10, true, 0);
    io_expect(&dev, NULL);
    /* More cannot have been used than there is. */
    p = map(&w.as, 0xf8, 0x100, 8, true);
    memset(p, 1, 8);
    address_space_unmap(&w.as, p, 8, true, UINT64_MAX);
    io_expect(&dev, "w f8/8=101010101010101", NULL);

    /* ROM is mapped for reading, and bounced for writing. */
    p = map(&w.as, 0x1000, 0x100, 0x100, false);
    ck_assert_ptr_eq(p, memory_region_get_ram_ptr(&rom));
    address_space_unmap(&w.as, p, 0x100, false, 0);
    p = map(&w.as, 0x1000, 0x100, 0x100, true);
    ck_assert_ptr_ne(p, memory_region_get_ram_ptr(&rom));
    memset(p, 0, 0x100);
    address_space_unmap(&w.as, p, 0x100, true, 0x100);
    expect_hex(load(&w.as, 0x1000, 8, MEMTX_OK), content_value(4, 0, 8));

    /* Where nothing is, all-ones, up to what comes next. */
    p = map(&w.as, 0xff0, 0x100, 0x10, false);
    ck_assert_uint_eq(p[0], 0xff);
    ck_assert_uint_eq(p[0xf], 0xff);
    address_space_unmap(&w.as, p, 0x10, false, 0x10);

    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_del_subregion(&w.root, &rom);
    memory_region_destroy(&dev.mr);
    memory_region_destroy(&rom);
    world_destroy(&w);
}
END_TEST

START_TEST(test_bounce_romd)
{
    World w;
    IoDevice dev = { .id = 5 };
    MemoryRegion romd;
    uint8_t *p;

    world_init(&w);
    memory_region_init_rom_device(&romd, &io_device_ops, &dev, "romd", 0x100);
    content_fill(memory_region_get_ram_ptr(&romd), 6, 0, 0x100);
    memory_region_add_subregion(&w.root, 0, &romd);
    p = map(&w.as, 0x10, 8, 8, false);
    ck_assert_ptr_eq(p, (uint8_t *)memory_region_get_ram_ptr(&romd) + 0x10);
    address_space_unmap(&w.as, p, 8, false, 8);
    p = map(&w.as, 0x10, 8, 8, true);
    memset(p, 7, 8);
    address_space_unmap(&w.as, p, 8, true, 8);
    io_expect(&dev, "w 10/8=707070707070707", NULL);
    memory_region_rom_device_set_readable(&romd, false);
    p = map(&w.as, 0x10, 8, 8, false);
    ck_assert_uint_eq(p[1], content_byte(5, 0x11));
    address_space_unmap(&w.as, p, 8, false, 8);
    io_expect(&dev, "r 10/8", NULL);
    memory_region_del_subregion(&w.root, &romd);
    memory_region_destroy(&romd);
    world_destroy(&w);
}
END_TEST

START_TEST(test_bounce_bound)
{
    World w, v;
    IoDevice dev;
    uint8_t *p, *q, *r;

    world_init(&w);
    world_init(&v);
    io_device_init(&dev, 3, "dev", 0x100000);
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    /* One cannot have more than there is, ... */
    p = map(&w.as, 0, 0x100000, BOUNCE, true);
    map(&w.as, 0, 1, 0, true);
    map(&w.as, 0, 1, 0, false);
    ck_assert_uint_eq(dev.nr_calls, 0);
    /* ... but each address space has its own, ... */
    r = map(&v.as, 0, 0x100000, BOUNCE, true);
    address_space_unmap(&v.as, r, BOUNCE, true, 0);
    map(&w.as, 0, 1, 0, true);
    /* ... and what is given back can be had again. */
    address_space_unmap(&w.as, p, BOUNCE, true, 0);
    p = map(&w.as, 0, 0x1000, 0x1000, true);
    q = map(&w.as, 0, 0x100000, BOUNCE - 0x1000, true);
    map(&w.as, 0, 1, 0, true);
    address_space_unmap(&w.as, p, 0x1000, true, 0);
    p = map(&w.as, 0x40000, 0x2000, 0x1000, true);
    address_space_unmap(&w.as, q, BOUNCE - 0x1000, true, 0);
    address_space_unmap(&w.as, p, 0x1000, true, 0);
    p = map(&w.as, 0, 0x100000, BOUNCE, true);
    address_space_unmap(&w.as, p, BOUNCE, true, 0);
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
    world_destroy(&v);
}
END_TEST

/* RAM needs no buffer, whatever is in use. */
START_TEST(test_ram_beside_bounce)
{
    World w;
    MemoryRegion ram;
    uint8_t *p, *q;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_add_subregion(&w.root, 0x100000, &ram);
    p = map(&w.as, 0, 0x100000, BOUNCE, true);
    q = map(&w.as, 0x100000, 0x1000, 0x1000, true);
    ck_assert_ptr_eq(q, memory);
    address_space_unmap(&w.as, q, 0x1000, true, 0x1000);
    address_space_unmap(&w.as, p, BOUNCE, true, 0);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

/* ---- map clients -------------------------------------------------------------------------- */

typedef struct Client {
    AddressSpace *as;
    unsigned called;
    bool again; /* register again in the callback */
    bool locked;
} Client;

static void on_buffer(void *opaque)
{
    Client *client = opaque;

    client->called++;
    client->locked |= memory_lock_held();
    if (client->again) {
        hwaddr len = 1;
        void *p = address_space_map(client->as, 0, &len, true);

        client->again = false;
        expect(p, "no buffer when told of one");
        cpu_register_map_client(client, on_buffer);
        address_space_unmap(client->as, p, len, true, 0);
    }
}

START_TEST(test_map_clients)
{
    World w;
    Client a = { .as = &w.as }, b = { .as = &w.as };
    void *handle;
    uint8_t *p, *q;

    world_init(&w);
    /* At once where none is in use. */
    cpu_register_map_client(&a, on_buffer);
    ck_assert_uint_eq(a.called, 1);

    p = map(&w.as, 0, 0x1000, 0x1000, true);
    q = map(&w.as, 0, 0x100000, BOUNCE - 0x1000, true);
    cpu_register_map_client(&a, on_buffer);
    handle = cpu_register_map_client(&b, on_buffer);
    ck_assert_uint_eq(a.called, 1);
    ck_assert_uint_eq(b.called, 0);
    cpu_unregister_map_client(handle);
    address_space_unmap(&w.as, p, 0x1000, true, 0);
    ck_assert_uint_eq(a.called, 2);
    ck_assert_uint_eq(b.called, 0);
    ck_assert(!a.locked);
    /* Once, not for each buffer. */
    address_space_unmap(&w.as, q, BOUNCE - 0x1000, true, 0);
    ck_assert_uint_eq(a.called, 2);

    /* A client may map, and wait again, when it is called. */
    a.again = true;
    p = map(&w.as, 0, 0x100000, BOUNCE, true);
    cpu_register_map_client(&a, on_buffer);
    cpu_register_map_client(&b, on_buffer);
    address_space_unmap(&w.as, p, BOUNCE, true, 0);
    ck_assert_uint_eq(a.called, 4);
    ck_assert_uint_eq(b.called, 1);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("map", test_ram, test_contiguous, test_end_of_space, test_dirty,
          test_log_start_sees, test_held, test_shared_memory, test_partly_shared_memory,
          test_bounce, test_bounce_romd,
          test_bounce_bound, test_ram_beside_bounce, test_map_clients)
