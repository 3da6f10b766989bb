/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a commit costs, over a stand-in for KVM: the calls that its difference
 * needs, and no other. And doorbells and put-off writes: those that KVM does
 * not take are served by exits, and those in its ring reach their devices in
 * order, each under its lock, without anybody waiting for good.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kvm-world.h"

#define PAGE TARGET_PAGE_SIZE

/* ---- what a commit costs ------------------------------------------------- */

START_TEST(test_logging_switches_in_place)
{
    MemoryRegion ram;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0, 16 * PAGE);
    world_attach(0);
    ck_assert_uint_eq(fake.slot_calls, 1);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    ck_assert_uint_eq(fake.slot_calls, 2);
    ck_assert(fake_slot_at(&fake, 0)->logging);
    /* The second client changes nothing. */
    memory_region_set_log(&ram, true, DIRTY_MEMORY_CODE);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
    ck_assert_uint_eq(fake.slot_calls, 2);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_CODE);
    ck_assert_uint_eq(fake.slot_calls, 3);
    ck_assert(!fake_slot_at(&fake, 0)->logging);
    memory_global_dirty_log_start();
    ck_assert(fake_slot_at(&fake, 0)->logging);
    memory_global_dirty_log_stop();
    ck_assert(!fake_slot_at(&fake, 0)->logging);
    ck_assert_uint_eq(fake.slot_deletes, 0);
    drop(&ram);
    ck_assert_uint_eq(fake.slot_deletes, 1);
    world_free();
}
END_TEST

START_TEST(test_only_what_changed_is_touched)
{
    MemoryRegion ram[8];
    MemoryRegion on_top;
    unsigned before;
    unsigned i;

    world_make(&(KVMOptions){ 0 });
    for (i = 0; i < 8; i++) {
        g_autofree char *name = g_strdup_printf("ram-%u", i);

        add_ram(&ram[i], name, i * 0x100000, 16 * PAGE);
    }
    world_attach(0);
    ck_assert_uint_eq(fake.slot_calls, 8);
    /* Away and back in one commit: nothing. */
    memory_region_transaction_begin();
    memory_region_set_enabled(&ram[3], false);
    memory_region_set_enabled(&ram[3], true);
    memory_region_set_address(&ram[4], 0x40000000);
    memory_region_set_address(&ram[4], 4 * 0x100000);
    memory_region_transaction_commit();
    ck_assert_uint_eq(fake.slot_calls, 8);
    /* One slot is split in two: one deletion, two additions. */
    memory_region_init_reservation(&on_top, "on-top", PAGE);
    memory_region_add_subregion_overlap(&root, 2 * PAGE, &on_top, 1);
    ck_assert_uint_eq(fake.slot_calls, 11);
    ck_assert_uint_eq(fake_slot_at(&fake, 0)->size, 2 * PAGE);
    ck_assert_ptr_null(fake_slot_at(&fake, 2 * PAGE));
    ck_assert_uint_eq(fake_slot_at(&fake, 3 * PAGE)->size, 13 * PAGE);
    drop(&on_top);
    ck_assert_uint_eq(fake_slot_at(&fake, 0)->size, 16 * PAGE);
    /* A section changes, but not its whole pages. */
    memory_region_init_reservation(&on_top, "on-top", PAGE);
    memory_region_add_subregion_overlap(&root, 15 * PAGE + 0x800, &on_top, 1);
    ck_assert_uint_eq(fake_slot_at(&fake, 0)->size, 15 * PAGE);
    before = fake.slot_calls;
    memory_region_set_address(&on_top, 15 * PAGE + 0x400);
    ck_assert_uint_eq(fake.slot_calls, before);
    ck_assert_uint_eq(fake_slot_at(&fake, 0)->size, 15 * PAGE);
    drop(&on_top);
    for (i = 0; i < 8; i++) {
        drop(&ram[i]);
    }
    ck_assert_uint_eq(fake_slots_present(&fake), 0);
    world_free();
}
END_TEST

/* All calls since the last look: so many for slots, so many for doorbells, so
 * many for zones, and none but these; a logged slot is fetched when it goes. */
static void expect_calls_at(const char *file, int line, unsigned slots,
                            unsigned doorbells, unsigned zones)
{
    static unsigned seen[4];
    unsigned now[] = { fake.slot_calls, fake.doorbell_calls, fake.zone_calls,
                       fake.calls - fake.dirty_fetches };
    unsigned wanted[] = { slots, doorbells, zones, slots + doorbells + zones };
    unsigned i;

    for (i = 0; file && i < 4; i++) {
        expect(now[i] - seen[i] == wanted[i], "%s:%d: %u calls for %s, not %u",
               file, line, now[i] - seen[i],
               ((const char *[]){ "slots", "doorbells", "zones", "all" })[i],
               wanted[i]);
    }
    memcpy(seen, now, sizeof(seen));
}

#define expect_calls(slots, doorbells, zones)                                  \
    expect_calls_at(__FILE__, __LINE__, slots, doorbells, zones)
#define forget_calls() expect_calls_at(NULL, 0, 0, 0, 0)

/* Among I/O regions, containers and aliases of them: nothing. */
START_TEST(test_calls_for_io)
{
    MemoryRegion ram, bus, window;
    IoDevice dev[3];
    unsigned i;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0, 16 * PAGE);
    memory_region_init(&bus, "bus", 0x100000);
    memory_region_add_subregion_overlap(&root, 0x100000, &bus, 1);
    for (i = 0; i < 3; i++) {
        io_device_init(&dev[i], i, "dev", PAGE);
        memory_region_add_subregion_overlap(&bus, i * PAGE, &dev[i].mr, i);
    }
    memory_region_init_alias(&window, "window", &bus, 0, 2 * PAGE);
    world_attach(0);
    forget_calls();
    for (i = 0; i < 3; i++) {
        memory_region_set_enabled(&dev[i].mr, false);
        memory_region_set_enabled(&dev[i].mr, true);
        memory_region_set_address(&dev[i].mr, PAGE / 2);
        memory_region_set_readonly(&dev[i].mr, true);
        memory_region_set_readonly(&dev[i].mr, false);
    }
    memory_region_set_address(&bus, 16 * PAGE); /* right behind the RAM */
    memory_region_set_size(&bus, 0x80000);
    memory_region_add_subregion(&root, 0x40000000, &window);
    memory_region_set_alias_offset(&window, PAGE);
    memory_region_del_subregion(&root, &window);
    memory_region_set_enabled(&bus, false);
    expect_calls(0, 0, 0);
    memory_region_destroy(&window);
    for (i = 0; i < 3; i++) {
        memory_region_del_subregion(&bus, &dev[i].mr);
        memory_region_destroy(&dev[i].mr);
    }
    drop(&bus);
    expect_calls(0, 0, 0);
    drop(&ram);
    expect_calls(1, 0, 0);
    world_free();
}
END_TEST

static const MemoryRegionOps no_ops;

START_TEST(test_calls_for_ram)
{
    MemoryRegion ram, bar, more, rom, romd, lid, window[2];
    unsigned i;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0, 64 * PAGE);
    add_ram(&bar, "bar", 0x1000000, 16 * PAGE);
    world_attach(0);
    forget_calls();

    memory_region_set_address(&bar, 0x2000000);
    expect_calls(2, 0, 0);
    memory_region_set_log(&bar, true, DIRTY_MEMORY_VGA);
    expect_calls(1, 0, 0);
    memory_region_set_log(&bar, true, DIRTY_MEMORY_MIGRATION);
    memory_region_set_log(&bar, false, DIRTY_MEMORY_VGA);
    expect_calls(0, 0, 0);
    memory_region_set_log(&bar, false, DIRTY_MEMORY_MIGRATION);
    expect_calls(1, 0, 0);
    memory_region_transaction_begin();
    memory_region_set_log(&bar, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&bar, false, DIRTY_MEMORY_VGA);
    memory_region_transaction_commit();
    expect_calls(0, 0, 0);

    /* It comes logged: in one call. */
    memory_region_init_ram(&more, "more", PAGE);
    memory_region_set_log(&more, true, DIRTY_MEMORY_VGA);
    memory_region_add_subregion(&root, 0x3000000, &more);
    expect_calls(1, 0, 0);
    memory_region_transaction_begin();
    memory_region_set_log(&more, false, DIRTY_MEMORY_VGA);
    memory_region_set_address(&more, 0x3001000);
    memory_region_transaction_commit();
    memory_region_set_enabled(&more, false);
    /* The first was fetched before it went. */
    ck_assert_uint_eq(fake.dirty_fetches, 1);
    expect_calls(3, 0, 0);
    memory_region_set_enabled(&more, true);
    expect_calls(1, 0, 0);
    drop(&more);
    expect_calls(1, 0, 0);

    /* Hidden and shown, by itself and by what lies on top. */
    memory_region_init_reservation(&lid, "lid", 8 * PAGE);
    memory_region_transaction_begin();
    memory_region_set_enabled(&bar, false);
    memory_region_set_enabled(&bar, true);
    memory_region_add_subregion_overlap(&root, 8 * PAGE, &lid, 1);
    memory_region_set_address(&bar, 0x5000000);
    memory_region_set_address(&bar, 0x2000000);
    memory_region_del_subregion(&root, &lid);
    memory_region_transaction_commit();
    expect_calls(0, 0, 0);
    /* Only the slot under the lid is split and joined. */
    memory_region_add_subregion_overlap(&root, 8 * PAGE, &lid, 1);
    expect_calls(3, 0, 0);
    memory_region_set_address(&lid, 16 * PAGE);
    expect_calls(4, 0, 0);
    drop(&lid);
    expect_calls(3, 0, 0);

    /* KVM cannot turn a slot to read-only, or back: deleted, made again. */
    memory_region_init_rom(&rom, "rom", 4 * PAGE);
    memory_region_add_subregion(&root, 0x4000000, &rom);
    expect_calls(1, 0, 0);
    memory_region_set_readonly(&rom, false);
    expect_calls(2, 0, 0);
    memory_region_set_readonly(&rom, true);
    expect_calls(2, 0, 0);
    memory_region_transaction_begin();
    memory_region_set_readonly(&rom, false);
    memory_region_set_readonly(&rom, true);
    memory_region_transaction_commit();
    memory_region_set_log(&rom, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&rom, false, DIRTY_MEMORY_VGA);
    expect_calls(0, 0, 0);
    drop(&rom);
    expect_calls(1, 0, 0);
    memory_region_init_rom_device(&romd, &no_ops, NULL, "romd", 4 * PAGE);
    memory_region_add_subregion(&root, 0x4000000, &romd);
    expect_calls(1, 0, 0);
    memory_region_rom_device_set_readable(&romd, false);
    expect_calls(1, 0, 0);
    memory_region_rom_device_set_readable(&romd, true);
    expect_calls(1, 0, 0);
    drop(&romd);
    expect_calls(1, 0, 0);

    /* A slot for each place where it is seen, and a call for each. */
    for (i = 0; i < 2; i++) {
        memory_region_init_alias(&window[i], "window", &bar, i * PAGE,
                                 8 * PAGE);
        memory_region_add_subregion(&root, 0x6000000 + i * 0x100000,
                                    &window[i]);
        expect_calls(1, 0, 0);
    }
    memory_region_set_log(&bar, true, DIRTY_MEMORY_VGA);
    expect_calls(3, 0, 0);
    memory_region_set_log(&bar, false, DIRTY_MEMORY_VGA);
    expect_calls(3, 0, 0);
    memory_region_set_alias_offset(&window[1], 0);
    expect_calls(2, 0, 0);
    drop(&window[0]);
    drop(&window[1]);
    expect_calls(2, 0, 0);
    memory_global_dirty_log_start();
    expect_calls(2, 0, 0);
    memory_region_set_log(&bar, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&bar, false, DIRTY_MEMORY_VGA);
    expect_calls(0, 0, 0);
    memory_global_dirty_log_stop();
    expect_calls(2, 0, 0);
    drop(&bar);
    drop(&ram);
    expect_calls(2, 0, 0);
    world_free();
}
END_TEST

START_TEST(test_calls_for_doorbells_and_zones)
{
    MemoryRegion ram;
    IoDevice dev[3];
    EventNotifier bells[4];
    unsigned i;

    world_make(&(KVMOptions){ 0 });
    for (i = 0; i < 4; i++) {
        event_notifier_init(&bells[i], 0);
    }
    add_ram(&ram, "ram", 0, 16 * PAGE);
    for (i = 0; i < 3; i++) {
        io_device_init(&dev[i], i, "dev", PAGE);
        memory_region_add_subregion(&root, 0x100000 + i * PAGE, &dev[i].mr);
    }
    world_attach(0);
    forget_calls();

    memory_region_add_eventfd(&dev[1].mr, 8, 4, true, 1, &bells[0]);
    expect_calls(0, 1, 0);
    memory_region_add_eventfd(&dev[1].mr, 8, 4, true, 2, &bells[1]);
    expect_calls(0, 1, 0);
    memory_region_add_eventfd(&dev[2].mr, 8, 0, false, 0, &bells[2]);
    expect_calls(0, 1, 0);
    memory_region_add_coalescing(&dev[1].mr, 0x100, 0x100);
    expect_calls(0, 0, 1);
    memory_region_add_coalescing(&dev[1].mr, 0x800, 0x100);
    expect_calls(0, 0, 1);
    memory_region_set_coalescing(&dev[0].mr);
    expect_calls(0, 0, 1);

    /* Nothing for what comes and goes in one step. */
    memory_region_transaction_begin();
    memory_region_add_eventfd(&dev[0].mr, 8, 4, true, 1, &bells[3]);
    memory_region_del_eventfd(&dev[0].mr, 8, 4, true, 1, &bells[3]);
    memory_region_del_eventfd(&dev[1].mr, 8, 4, true, 2, &bells[1]);
    memory_region_add_eventfd(&dev[1].mr, 8, 4, true, 2, &bells[1]);
    memory_region_set_enabled(&dev[1].mr, false);
    memory_region_set_enabled(&dev[1].mr, true);
    memory_region_clear_coalescing(&dev[0].mr);
    memory_region_set_coalescing(&dev[0].mr);
    memory_region_transaction_commit();
    expect_calls(0, 0, 0);

    /* Only what moves. Neighbours come, go and change, and so does RAM. */
    memory_region_set_enabled(&dev[0].mr, false);
    expect_calls(0, 0, 1);
    memory_region_set_enabled(&dev[0].mr, true);
    expect_calls(0, 0, 1);
    memory_region_set_address(&dev[2].mr, 0x200000);
    expect_calls(0, 2, 0);
    memory_region_set_address(&dev[1].mr, 0x300000);
    expect_calls(0, 4, 4);
    memory_region_set_address(&ram, 0x400000);
    expect_calls(2, 0, 0);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
    expect_calls(2, 0, 0);

    memory_region_del_eventfd(&dev[1].mr, 8, 4, true, 1, &bells[0]);
    expect_calls(0, 1, 0);
    memory_region_clear_coalescing(&dev[0].mr);
    expect_calls(0, 0, 1);
    memory_region_clear_coalescing(&dev[1].mr);
    expect_calls(0, 0, 2);
    memory_region_del_eventfd(&dev[1].mr, 8, 4, true, 2, &bells[1]);
    memory_region_del_eventfd(&dev[2].mr, 8, 0, false, 0, &bells[2]);
    expect_calls(0, 2, 0);
    for (i = 0; i < 3; i++) {
        drop(&dev[i].mr);
    }
    expect_calls(0, 0, 0);
    drop(&ram);
    for (i = 0; i < 4; i++) {
        event_notifier_cleanup(&bells[i]);
    }
    world_free();
}
END_TEST

#define MANY_SLOTS 1000

/* Slots that differ from what they were. */
static unsigned slots_changed(const FakeSlot *before)
{
    unsigned count = 0;
    unsigned i;

    for (i = 0; i < fake.max_slots; i++) {
        const FakeSlot *a = &before[i];
        const FakeSlot *b = &fake.slots[i];

        count += a->present != b->present ||
                 (a->present &&
                  (a->readonly != b->readonly || a->logging != b->logging ||
                   a->first != b->first || a->size != b->size ||
                   a->host != b->host || a->dirty != b->dirty));
    }
    return count;
}

/* Many slots: a change of one touches that one. */
START_TEST(test_calls_among_many)
{
    g_autofree MemoryRegion *ram = g_new(MemoryRegion, MANY_SLOTS);
    g_autofree FakeSlot *before = NULL;
    unsigned i;

    world_make_slots(MANY_SLOTS);
    memory_region_transaction_begin();
    for (i = 0; i < MANY_SLOTS; i++) {
        add_ram(&ram[i], "ram", (hwaddr)i * 0x100000, 2 * PAGE);
    }
    memory_region_transaction_commit();
    forget_calls();
    world_attach(0);
    expect_calls(MANY_SLOTS, 0, 0);
    for (i = 0; i < MANY_SLOTS; i += 37) {
        before = g_memdup2(fake.slots, sizeof(FakeSlot) * fake.max_slots);
        memory_region_set_log(&ram[i], true, DIRTY_MEMORY_VGA);
        expect_calls(1, 0, 0);
        ck_assert_uint_eq(slots_changed(before), 1);
        memory_region_set_log(&ram[i], false, DIRTY_MEMORY_VGA);
        ck_assert_uint_eq(slots_changed(before), 0);
        /* To another end of the map, with the number that came free. */
        memory_region_set_address(&ram[i], (hwaddr)(MANY_SLOTS - i) * 0x100000 +
                                           0x80000);
        expect_calls(3, 0, 0);
        ck_assert_uint_eq(slots_changed(before), 1);
        memory_region_set_address(&ram[i], (hwaddr)i * 0x100000);
        ck_assert_uint_eq(slots_changed(before), 0);
        memory_region_set_enabled(&ram[i], false);
        expect_calls(3, 0, 0);
        ck_assert_uint_eq(slots_changed(before), 1);
        memory_region_set_enabled(&ram[i], true);
        expect_calls(1, 0, 0);
        g_clear_pointer(&before, g_free);
    }
    ck_assert(kvm_check(kvm, NULL));
    memory_region_transaction_begin();
    for (i = 0; i < MANY_SLOTS; i++) {
        memory_region_del_subregion(&root, &ram[i]);
    }
    memory_region_transaction_commit();
    expect_calls(MANY_SLOTS, 0, 0);
    ck_assert_uint_eq(fake_slots_present(&fake), 0);
    for (i = 0; i < MANY_SLOTS; i++) {
        memory_region_destroy(&ram[i]);
    }
    world_free();
}
END_TEST

/* ---- doorbells and zones that KVM does not take -------------------------- */

START_TEST(test_refused_doorbell_is_served_by_exits)
{
    g_autofree char *messages = NULL;
    EventNotifier bell_here;
    IoDevice dev;

    world_make(&(KVMOptions){ 0 });
    event_notifier_init(&bell_here, 0);
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_add_subregion(&root, 0, &dev.mr);
    world_attach(0);
    fake.fail_request = KVM_IOEVENTFD;
    fake.fail_errno = ENOSPC;
    fake_messages_begin();
    memory_region_add_eventfd(&dev.mr, 8, 4, true, 7, &bell_here);
    memory_region_add_eventfd(&dev.mr, 16, 4, false, 0, &bell_here);
    fake.fail_request = KVM_REGISTER_COALESCED_MMIO;
    memory_region_set_coalescing(&dev.mr);
    messages = fake_messages_end();
    ck_assert_str_eq(
        messages,
        "flatview: KVM refuses a doorbell of region 'dev' at 0x8 (No space left"
        " on device); it exits instead, as will any others it refuses\n"
        "flatview: KVM refuses to coalesce writes to region 'dev' at 0x0 (No"
        " space left on device); they exit one by one, as will any others it"
        " refuses\n");
    ck_assert(kvm_check(kvm, NULL));
    fake.fail_request = 0;
    address_space_write(&memory, 8, (uint8_t[4]){ 7 }, 4);
    ck_assert(event_notifier_test_and_clear(&bell_here));
    io_expect(&dev, NULL);
    /* Nothing is taken back from KVM that it does not have. */
    memory_region_del_eventfd(&dev.mr, 8, 4, true, 7, &bell_here);
    memory_region_del_eventfd(&dev.mr, 16, 4, false, 0, &bell_here);
    memory_region_clear_coalescing(&dev.mr);
    ck_assert(kvm_check(kvm, NULL));
    drop(&dev.mr);
    event_notifier_cleanup(&bell_here);
    world_free();
}
END_TEST

/* What the other vCPU writes while this one's access changes the map. */
static void change_map(IoDevice *dev, const IoCall *call)
{
    if (dev->nr_calls == 1) {
        ck_assert(fake_guest_write(&fake, 0, false, 0x1008, 2, 4));
        ck_assert(fake_guest_write(&fake, 0, false, 8, 3, 4));
        ck_assert(fake_guest_write(&fake, 0, false, 0x100c, 4, 4));
        memory_region_set_enabled(dev->hook_opaque, false);
    }
}

/* The device cannot take it yet; then it gets it, and in order. */
START_TEST(test_put_off_write_waits_for_its_device)
{
    IoDevice dev, other;
    MemoryRegion ram;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0x10000, PAGE);
    io_device_init(&dev, 1, "dev", PAGE);
    io_device_init(&other, 2, "other", PAGE);
    memory_region_set_coalescing(&dev.mr);
    memory_region_set_coalescing(&other.mr);
    memory_region_add_subregion(&root, 0, &dev.mr);
    memory_region_add_subregion(&root, 0x1000, &other.mr);
    dev.hook = change_map;
    dev.hook_opaque = &ram;
    world_attach(1);
    address_space_write(&memory, 4, (uint8_t[4]){ 1 }, 4);
    io_expect(&dev, "w 4/4=1", NULL);
    io_expect(&other, "w 8/4=2", NULL);
    dev.hook = NULL;
    address_space_write(&memory, 0, (uint8_t[4]){ 5 }, 4);
    io_expect(&dev, "w 8/4=3", "w 0/4=5", NULL);
    io_expect(&other, "w c/4=4", NULL);
    drop(&ram);
    drop(&other.mr);
    drop(&dev.mr);
    world_free();
}
END_TEST

/* The same between a device with its own lock and this one. */
static void put_off_and_change_map(IoDevice *dev, const IoCall *call)
{
    ck_assert(fake_guest_write(&fake, 0, false, 0xc, 0xcc, 4));
    ck_assert(fake_guest_write(&fake, 0, false, 0x1004, 2, 4));
    memory_region_set_enabled(dev->hook_opaque, false);
}

static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned inside; /* atomic: callbacks of the device with that lock */
static GString *own_writes;

static void own_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ck_assert_int_eq(pthread_mutex_trylock(&own_lock), EBUSY);
    ck_assert_uint_eq(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST), 1);
    if (addr == 0) { /* until a drain waits, more or less */
        ck_assert(!memory_lock_held());
        g_usleep(20000);
    } else {
        ck_assert(memory_lock_held());
    }
    g_string_append_printf(own_writes, "%x=%x ", (unsigned)addr,
                           (unsigned)data);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
}

static const MemoryRegionOps own_ops = { .write = own_write };

static void *write_directly(void *opaque)
{
    address_space_write(&memory, 0, (uint8_t[4]){ 0xaa }, 4);
    return NULL;
}

/* A drain waits for who is inside, who does not wait for the drain; and it may
 * come from the callback of a device under the memory lock. */
START_TEST(test_put_off_write_takes_the_devices_lock)
{
    MemoryRegion ram, dev;
    IoDevice other;
    pthread_t thread;

    world_make(&(KVMOptions){ 0 });
    add_ram(&ram, "ram", 0x10000, PAGE);
    own_writes = g_string_new(NULL);
    memory_region_init_io(&dev, &own_ops, NULL, "dev", PAGE);
    memory_region_set_lock(&dev, &own_lock);
    memory_region_add_coalescing(&dev, 8, 8);
    io_device_init(&other, 2, "other", PAGE);
    other.hook_opaque = &ram;
    memory_region_set_coalescing(&other.mr);
    memory_region_add_subregion(&root, 0, &dev);
    memory_region_add_subregion(&root, 0x1000, &other.mr);
    world_attach(1);

    pthread_create(&thread, NULL, write_directly, NULL);
    while (!__atomic_load_n(&inside, __ATOMIC_SEQ_CST)) {
        g_usleep(10);
    }
    ck_assert(fake_guest_write(&fake, 0, false, 8, 0xbb, 4));
    memory_lock();
    kvm_coalesced_drain(kvm);
    memory_unlock();
    pthread_join(thread, NULL);
    ck_assert_str_eq(own_writes->str, "0=aa 8=bb ");
    ck_assert(!kvm_coalesced_pending(kvm));

    /* Its put-off writes reach the one device at once; its own waits. */
    other.hook = put_off_and_change_map;
    address_space_write(&memory, 0x1000, (uint8_t[4]){ 1 }, 4);
    ck_assert_str_eq(own_writes->str, "0=aa 8=bb c=cc ");
    io_expect(&other, "w 0/4=1", NULL);
    ck_assert(kvm_coalesced_pending(kvm));
    other.hook = NULL;
    address_space_read(&memory, 0x1000, (uint8_t[4]){ 0 }, 4);
    io_expect(&other, "w 4/4=2", "r 0/4", NULL);
    drop(&other.mr);
    drop(&dev);
    drop(&ram);
    g_string_free(own_writes, TRUE);
    world_free();
}
END_TEST

/* Each put-off write brings another. */
static void write_on(IoDevice *dev, const IoCall *call)
{
    if (dev->nr_calls < 100) {
        ck_assert(fake_guest_write(&fake, 0, false, 8, dev->nr_calls, 4));
    }
}

/* The lock is not kept for as long as guests go on. */
START_TEST(test_drain_ends)
{
    IoDevice dev;

    world_make(&(KVMOptions){ 0 });
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_set_coalescing(&dev.mr);
    memory_region_add_subregion(&root, 0, &dev.mr);
    world_attach(1);
    dev.hook = write_on;
    ck_assert(fake_guest_write(&fake, 0, false, 0, 0xaa, 4));
    ck_assert(fake_guest_write(&fake, 0, false, 4, 0xbb, 4));
    memory_lock();
    kvm_coalesced_drain(kvm);
    io_expect(&dev, "w 0/4=aa", "w 4/4=bb", NULL);
    ck_assert(kvm_coalesced_pending(kvm));
    dev.hook = NULL;
    kvm_coalesced_drain(kvm);
    io_expect(&dev, "w 8/4=1", "w 8/4=2", NULL);
    ck_assert(!kvm_coalesced_pending(kvm));
    memory_unlock();
    drop(&dev.mr);
    world_free();
}
END_TEST

/* Number @i of 2,000 doorbells, four to an address, in no order. */
static void many_bells(MemoryRegion *mr, bool add, unsigned i, EventNotifier *e)
{
    unsigned nr = i * 1237 % 2000;

    (add ? memory_region_add_eventfd : memory_region_del_eventfd)(
        mr, nr / 4 * 8, 4, nr % 4 > 0, nr % 4 > 1 ? nr % 4 : 0, e);
}

/* None that KVM has is taken for one of the many that it does not. */
START_TEST(test_many_refused)
{
    g_autofree char *messages = NULL;
    EventNotifier bell_here;
    IoDevice dev;
    unsigned i;

    world_make(&(KVMOptions){ 0 });
    event_notifier_init(&bell_here, 0);
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_add_subregion(&root, 0, &dev.mr);
    world_attach(0);
    fake.fail_errno = ENOSPC;
    fake_messages_begin();
    for (i = 0; i < 2000; i++) {
        fake.fail_request = i % 5 ? KVM_IOEVENTFD : 0;
        many_bells(&dev.mr, true, i, &bell_here);
    }
    messages = fake_messages_end();
    fake.fail_request = 0;
    ck_assert_uint_eq(fake.doorbells->len, 400);
    forget_calls();
    for (i = 2000; i-- > 0;) {
        many_bells(&dev.mr, false, i, &bell_here);
    }
    expect_calls(0, 400, 0);
    ck_assert_uint_eq(fake.doorbells->len, 0);
    ck_assert(kvm_check(kvm, NULL));
    drop(&dev.mr);
    event_notifier_cleanup(&bell_here);
    world_free();
}
END_TEST

START_TEST(test_big_endian_doorbell)
{
    const MemoryRegionOps ops = {
        .read_with_attrs = io_device_ops.read_with_attrs,
        .write_with_attrs = io_device_ops.write_with_attrs,
        .endianness = DEVICE_BIG_ENDIAN,
    };
    EventNotifier bell_here;
    IoDevice dev;

    world_make(&(KVMOptions){ 0 });
    event_notifier_init(&bell_here, 0);
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_destroy(&dev.mr);
    memory_region_init_io(&dev.mr, &ops, &dev, "dev", PAGE);
    memory_region_add_subregion(&root, 0, &dev.mr);
    memory_region_add_eventfd(&dev.mr, 8, 2, true, 0x1234, &bell_here);
    world_attach(0);
    /* By KVM and by the core: the same write rings it. */
    ck_assert(!fake_guest_write(&fake, 0, false, 8, 0x1234, 2));
    ck_assert(fake_guest_write(&fake, 0, false, 8, 0x3412, 2));
    ck_assert(event_notifier_test_and_clear(&bell_here));
    address_space_write(&memory, 8, (uint8_t[2]){ 0x12, 0x34 }, 2);
    ck_assert(event_notifier_test_and_clear(&bell_here));
    memory_region_del_eventfd(&dev.mr, 8, 2, true, 0x1234, &bell_here);
    ck_assert_uint_eq(fake.doorbells->len, 0);
    /* Of any width: no bytes to swap for KVM; the core compares. */
    memory_region_add_eventfd(&dev.mr, 8, 0, true, 0x12345678, &bell_here);
    address_space_write(&memory, 8, (uint8_t[4]){ 0x12, 0x34, 0x56, 0x78 }, 4);
    ck_assert(event_notifier_test_and_clear(&bell_here));
    memory_region_del_eventfd(&dev.mr, 8, 0, true, 0x12345678, &bell_here);
    drop(&dev.mr);
    event_notifier_cleanup(&bell_here);
    world_free();
}
END_TEST

TEST_MAIN("kvm-calls", test_logging_switches_in_place,
          test_only_what_changed_is_touched, test_calls_for_io,
          test_calls_for_ram, test_calls_for_doorbells_and_zones,
          test_calls_among_many, test_refused_doorbell_is_served_by_exits,
          test_put_off_write_waits_for_its_device,
          test_put_off_write_takes_the_devices_lock, test_drain_ends,
          test_many_refused, test_big_endian_doorbell)
