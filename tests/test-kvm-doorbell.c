/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes of a guest that do not wake the vCPU's thread: coalesced ones and
 * doorbells. That KVM takes them is shown by holding the memory lock: were they
 * served by an exit, they would not be done before it is released. Needs KVM.
 */
#include <linux/kvm.h>
#include <string.h>

#include "kvm-internal.h"
#include "tests/kvm-robot.h"

#define PORT 0x1000u
#define MMIO 0xd0000000u
#define MOVED 0xd0100000u

static IoDevice dev, port;

/* A machine with a device at MMIO and one at PORT. */
static void with_devices(void (*script)(Robot *r))
{
    Robot r;

    robot_init(&r);
    io_device_init(&dev, 1, "dev", 0x1000);
    io_device_init(&port, 2, "port", 0x100);
    memory_region_add_subregion(&r.memory_root, MMIO, &dev.mr);
    memory_region_add_subregion(&r.ports_root, PORT, &port.mr);
    ck_assert_int_eq(robot_run(&r, script), 0);
    memory_region_del_subregion(&r.memory_root, &dev.mr);
    memory_region_del_subregion(&r.ports_root, &port.mr);
    memory_region_destroy(&dev.mr);
    memory_region_destroy(&port.mr);
    robot_destroy(&r);
}

static unsigned calls_of(IoDevice *device)
{
    unsigned nr;

    memory_lock();
    nr = device->nr_calls;
    memory_unlock();
    return nr;
}

static bool lacks(Robot *r, long capability, const char *name)
{
    if (kvm_extension(r->kvm, capability) > 0) {
        return false;
    }
    printf("SKIP: this host's KVM lacks %s\n", name);
    return true;
}

/* ---- coalesced writes ----------------------------------------------------- */

/* What is put off comes in order, and before what is not put off. */
static void coalesced_order(Robot *r)
{
    if (lacks(r, KVM_CAP_COALESCED_MMIO, "KVM_CAP_COALESCED_MMIO")) {
        return;
    }
    memory_region_add_coalescing(&dev.mr, 0x100, 0x100);
    memory_lock();
    robot_write(r, MMIO + 0x100, 4, 0x44332211);
    robot_write(r, MMIO + 0x1ff, 1, 0x66);
    robot_write(r, MMIO + 0x104, 2, 0x7788);
    robot_write(r, MMIO + 0x108, 8, 0x8877665544332211);
    expect(dev.nr_calls == 0, "%u writes were not put off", dev.nr_calls);
    robot_post(r, 0, (RobotOp){ .code = ROBOT_READ, .addr = MMIO, .size = 4 });
    memory_unlock();
    expect_hex(robot_wait(r, 0).result, content_value(1, 0, 4));
    robot_expect(&dev, "w 100/4=44332211", "w 1ff/1=66", "w 104/2=7788",
                 "w 108/8=8877665544332211", "r 0/4", NULL);

    /* An exit of another kind delivers them, too. */
    memory_lock();
    robot_write(r, MMIO + 0x100, 4, 1);
    robot_write(r, MMIO + 0x100, 4, 2);
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = PORT, .size = 1 });
    memory_unlock();
    robot_wait(r, 0);
    robot_expect(&dev, "w 100/4=1", "w 100/4=2", NULL);
    robot_expect(&port, "w 0/1=0", NULL);

    /* A read of the zone itself. */
    robot_write(r, MMIO + 0x100, 4, 3);
    robot_read(r, MMIO + 0x100, 1);
    robot_expect(&dev, "w 100/4=3", "r 100/1", NULL);
    robot_expect_no_unassigned(r);
}

START_TEST(test_coalesced_order)
{
    with_devices(coalesced_order);
}
END_TEST

/* The guest does nothing more: the timer delivers. */
static void coalesced_timer(Robot *r)
{
    unsigned i;

    if (lacks(r, KVM_CAP_COALESCED_MMIO, "KVM_CAP_COALESCED_MMIO")) {
        return;
    }
    memory_region_set_coalescing(&dev.mr);
    for (i = 0; i < 3; i++) {
        memory_lock();
        robot_write(r, MMIO + 8 * i, 4, i);
        expect_hex(dev.nr_calls, 0);
        memory_unlock();
        robot_until(calls_of(&dev));
        memory_lock();
        expect(dev.nr_calls == 1 && dev.calls[0].addr == 8 * i &&
               dev.calls[0].data == i, "what the timer delivered");
        dev.nr_calls = 0;
        memory_unlock();
    }
}

START_TEST(test_coalesced_timer)
{
    with_devices(coalesced_timer);
}
END_TEST

/* An access by the host itself comes after what the guest wrote before. */
static void coalesced_host(Robot *r)
{
    if (lacks(r, KVM_CAP_COALESCED_MMIO, "KVM_CAP_COALESCED_MMIO")) {
        return;
    }
    memory_region_add_coalescing(&dev.mr, 0x100, 0x100);
    memory_lock();
    robot_write(r, MMIO + 0x100, 4, 1);
    robot_write(r, MMIO + 0x180, 4, 2);
    expect_hex(address_space_ldub(&r->memory, MMIO, (MemTxAttrs){ 0 }, NULL),
               content_value(1, 0, 1));
    io_expect(&dev, "w 100/4=1", "w 180/4=2", "r 0/1", NULL);
    memory_unlock();
}

START_TEST(test_coalesced_host)
{
    with_devices(coalesced_host);
}
END_TEST

/* Ports and memory share one order. */
static char order[64];

static void note_call(IoDevice *device, const IoCall *call)
{
    g_snprintf(order + strlen(order), sizeof(order) - strlen(order), " %s%s%x",
               device == &dev ? "memory" : "port", call->is_write ? "=" : "?",
               (unsigned)call->data & 0xff);
}

static void coalesced_ports(Robot *r)
{
    unsigned i;

    if (lacks(r, KVM_CAP_COALESCED_PIO, "KVM_CAP_COALESCED_PIO")) {
        return;
    }
    memory_region_set_coalescing(&dev.mr);
    memory_region_add_coalescing(&port.mr, 0x10, 0x10);
    dev.hook = port.hook = note_call;
    for (i = 0; i < 3; i++) {
        unsigned size = 1 << i;

        memory_lock();
        order[0] = '\0';
        robot_write(r, MMIO, size, 1);
        robot_out(r, PORT + 0x10, size, 2);
        robot_write(r, MMIO, size, 3);
        robot_out(r, PORT + 0x1c, size, 4);
        expect(!order[0], "not put off:%s", order);
        memory_unlock();
        robot_out(r, PORT, size, 5);
        memory_lock();
        ck_assert_str_eq(order, " memory=1 port=2 memory=3 port=4 port=5");
        dev.nr_calls = port.nr_calls = 0;
        memory_unlock();
    }
}

START_TEST(test_coalesced_ports)
{
    with_devices(coalesced_ports);
}
END_TEST

/* More than the ring holds at a time: none is lost, and the order is kept. */
static unsigned flood_nr;

static void flood_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    expect(addr == flood_nr * 4 % 0x1000 && size == 4, "write %u is to 0x%"
           PRIx64, flood_nr, addr);
    flood_nr++;
}

static uint64_t flood_read(void *opaque, hwaddr addr, unsigned size)
{
    return flood_nr;
}

static const MemoryRegionOps flood_ops = {
    .read = flood_read,
    .write = flood_write,
};

static void flood(Robot *r)
{
    unsigned i;

    for (i = 0; i < 5; i++) {
        robot_post(r, 0, (RobotOp){ .code = ROBOT_WRITE_REP, .addr = MMIO,
                                    .size = 4, .value = i, .count = 0x400 });
    }
    expect_hex(robot_read(r, MMIO + 0x1000, 4), 5 * 0x400);
}

START_TEST(test_coalesced_flood)
{
    MemoryRegion mr;
    Robot r;

    robot_init(&r);
    memory_region_init_io(&mr, &flood_ops, NULL, "flood", 0x1004);
    memory_region_add_coalescing(&mr, 0, 0x1000);
    memory_region_add_subregion(&r.memory_root, MMIO, &mr);
    ck_assert_int_eq(robot_run(&r, flood), 0);
    memory_region_del_subregion(&r.memory_root, &mr);
    memory_region_destroy(&mr);
    robot_destroy(&r);
}
END_TEST

/* The zone follows its region, and ends when it is cleared. */
static void coalesced_moves(Robot *r)
{
    if (lacks(r, KVM_CAP_COALESCED_MMIO, "KVM_CAP_COALESCED_MMIO")) {
        return;
    }
    memory_region_add_coalescing(&dev.mr, 0x100, 0x100);
    memory_region_set_address(&dev.mr, MOVED);
    memory_lock();
    robot_write(r, MOVED + 0x100, 4, 1);
    expect_hex(dev.nr_calls, 0);
    memory_unlock();
    robot_read(r, MOVED, 4);
    robot_expect(&dev, "w 100/4=1", "r 0/4", NULL);
    robot_expect_no_unassigned(r);
    robot_write(r, MMIO + 0x100, 4, 1);
    expect_hex(robot_unassigned(r), 1);

    memory_region_clear_coalescing(&dev.mr);
    robot_write(r, MOVED + 0x100, 4, 2); /* done means seen */
    robot_expect(&dev, "w 100/4=2", NULL);
}

START_TEST(test_coalesced_moves)
{
    with_devices(coalesced_moves);
}
END_TEST

/* ---- doorbells ------------------------------------------------------------ */

static EventNotifier bell;

static bool rang(void)
{
    return event_notifier_test_and_clear(&bell);
}

/* A write of @value to @addr of @device rings, in the kernel if @fast, and the
 * device sees nothing. */
static void expect_rings(Robot *r, bool is_port, unsigned addr, unsigned size,
                         uint64_t value, bool fast)
{
    if (fast) {
        memory_lock();
    }
    if (is_port) {
        robot_out(r, PORT + addr, size, value);
    } else {
        robot_write(r, MMIO + addr, size, value);
    }
    expect(rang(), "no bell for 0x%" PRIx64 "/%u to %s0x%x", value, size,
           is_port ? "port " : "", addr);
    if (fast) {
        memory_unlock();
    }
    robot_expect(is_port ? &port : &dev, NULL);
}

/* It does not, and the device does see it. */
static void expect_passes(Robot *r, bool is_port, unsigned addr, unsigned size,
                          uint64_t value)
{
    char text[64];

    g_snprintf(text, sizeof(text), "w %x/%u=%" PRIx64, addr, size, value);
    if (is_port) {
        robot_out(r, PORT + addr, size, value);
        robot_expect(&port, text, NULL);
    } else {
        robot_write(r, MMIO + addr, size, value);
        robot_expect(&dev, text, NULL);
    }
    expect(!rang(), "a bell for %s", text);
}

static void try_doorbell(Robot *r, bool is_port, unsigned size, bool match)
{
    MemoryRegion *mr = is_port ? &port.mr : &dev.mr;
    const unsigned max = is_port ? 4 : 8;
    const uint64_t data = match ? 0x88776655443322f1 : 0;
    const bool any_in_kernel =
        kvm_extension(r->kvm, KVM_CAP_IOEVENTFD_ANY_LENGTH) > 0;
    const bool fast = size || (!match && any_in_kernel);
    uint64_t value;
    unsigned s;

    for (s = 1; s <= max; s *= 2) {
        uint64_t kept = s == 8 ? UINT64_MAX : (1ull << 8 * s) - 1;

        value = data & kept;
        if (size && s != size) {
            continue;
        }
        memory_region_add_eventfd(mr, 0x20, size, match, value, &bell);
        expect_rings(r, is_port, 0x20, s, value, fast);
        if (match) {
            expect_passes(r, is_port, 0x20, s, value ^ 1);
            expect_passes(r, is_port, 0x20, s, value ^ 1ull << (8 * s - 1));
            expect_rings(r, is_port, 0x20, s, value, fast);
        } else {
            expect_rings(r, is_port, 0x20, s, 0x12345678abcdefull & kept, fast);
        }
        expect_passes(r, is_port, 0x20 + s, s, value);
        expect_passes(r, is_port, 0x20 - s, s, value);
        if (size) {
            expect_passes(r, is_port, 0x20, s == 1 ? 2 : s / 2, 0x11);
        }
        memory_region_del_eventfd(mr, 0x20, size, match, value, &bell);
        expect_passes(r, is_port, 0x20, s, value);
    }
}

static void doorbells(Robot *r)
{
    unsigned size, match;

    if (lacks(r, KVM_CAP_IOEVENTFD, "KVM_CAP_IOEVENTFD")) {
        return;
    }
    for (match = 0; match < 2; match++) {
        try_doorbell(r, false, 0, match);
        try_doorbell(r, true, 0, match);
        for (size = 1; size <= 8; size *= 2) {
            try_doorbell(r, false, size, match);
            if (size <= 4) {
                try_doorbell(r, true, size, match);
            }
        }
    }
    robot_expect_no_unassigned(r);
}

START_TEST(test_doorbells)
{
    ck_assert_int_eq(event_notifier_init(&bell, 0), 0);
    with_devices(doorbells);
    event_notifier_cleanup(&bell);
}
END_TEST

/* Several at one address, told apart by their data. */
static void many_doorbells(Robot *r)
{
    EventNotifier bells[8];
    unsigned i, j;

    for (i = 0; i < 8; i++) {
        expect_hex(event_notifier_init(&bells[i], 0), 0);
        memory_region_add_eventfd(&dev.mr, 0x50, 2, true, i, &bells[i]);
    }
    memory_lock();
    for (i = 0; i < 8; i++) {
        robot_write(r, MMIO + 0x50, 2, i);
        for (j = 0; j < 8; j++) {
            expect(event_notifier_test_and_clear(&bells[j]) == (i == j),
                   "bell %u after a write of %u", j, i);
        }
    }
    memory_unlock();
    robot_expect(&dev, NULL);
    robot_write(r, MMIO + 0x50, 2, 8);
    robot_expect(&dev, "w 50/2=8", NULL);

    /* They go where the region goes. */
    memory_region_set_address(&dev.mr, MOVED);
    memory_lock();
    robot_write(r, MOVED + 0x50, 2, 5);
    expect(event_notifier_test_and_clear(&bells[5]), "moved");
    memory_unlock();
    robot_expect_no_unassigned(r);
    robot_write(r, MMIO + 0x50, 2, 5);
    expect(!event_notifier_test_and_clear(&bells[5]), "left behind");
    expect_hex(robot_unassigned(r), 1);
    memory_region_set_enabled(&dev.mr, false);
    robot_write(r, MOVED + 0x50, 2, 5);
    expect(!event_notifier_test_and_clear(&bells[5]), "disabled");
    expect_hex(robot_unassigned(r), 2);
    for (i = 0; i < 8; i++) {
        memory_region_del_eventfd(&dev.mr, 0x50, 2, true, i, &bells[i]);
        event_notifier_cleanup(&bells[i]);
    }
}

START_TEST(test_many_doorbells)
{
    with_devices(many_doorbells);
}
END_TEST

ROBOT_MAIN("kvm-doorbell", test_coalesced_order, test_coalesced_timer,
           test_coalesced_host, test_coalesced_ports, test_coalesced_flood,
           test_coalesced_moves, test_doorbells, test_many_doorbells)
