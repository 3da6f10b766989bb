/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC asks of KVM, seen by a guest: who its processors are, the timer behind
 * input 2 of the I/O APIC or silenced by an HPET, and message signalled interrupts.
 * Needs KVM.
 */
#include "kvm-internal.h"
#include "target-i386/cpu.h"
#include "target-i386/topology.h"
#include "tests/kvm-robot.h"

#define APIC(offset) (X86_LAPIC_BASE + (offset))
#define APIC_ID APIC(0x20)
#define APIC_SPURIOUS APIC(0xf0)
#define APIC_LINT0 APIC(0x350)
#define APIC_ON 0x13f     /* enabled, spurious vector 0x3f */
#define APIC_EXTINT 0x700 /* LINT0: the PICs' output */

#define PIC0 0x20
#define PIC1 0xa0
#define PIT_COUNTER0 0x40
#define PIT_CONTROL 0x43

#define IOAPIC_SELECT X86_IOAPIC_BASE
#define IOAPIC_WINDOW (X86_IOAPIC_BASE + 0x10)

static void route(Robot *r, unsigned pin, uint32_t entry)
{
    robot_write(r, IOAPIC_SELECT, 4, 0x10 + 2 * pin);
    robot_write(r, IOAPIC_WINDOW, 4, entry);
}

static void pulse(Robot *r, int gsi)
{
    IRQLine irq = kvm_irq_line(r->kvm, gsi);

    memory_lock();
    irq_pulse(&irq);
    memory_unlock();
}

/* All inputs of the PICs masked. */
static void apic_on(Robot *r)
{
    robot_out(r, PIC0 + 1, 1, 0xff);
    robot_out(r, PIC1 + 1, 1, 0xff);
    robot_write(r, APIC_SPURIOUS, 4, APIC_ON);
}

/* ---- who they are -------------------------------------------------------- */

static const struct {
    CPUTopology t;
    unsigned cpus;
} topologies[] = {
    { { 1, 1, 3, 2 }, 6 }, { { 2, 1, 3, 1 }, 6 }, { { 1, 2, 1, 2 }, 4 },
};
static const CPUTopology *topology;

static RobotOp cpuid(Robot *r, unsigned cpu, uint32_t leaf, uint32_t subleaf)
{
    robot_post(r, cpu, (RobotOp){ .code = ROBOT_CPUID, .addr = leaf,
                                  .value = subleaf });
    return robot_wait(r, cpu);
}

static void identities(Robot *r)
{
    X86APICFields at = x86_apic_fields(topology);
    unsigned socket = topology->dies * topology->cores * topology->threads;
    unsigned i;

    for (i = 0; i < r->cpus; i++) {
        unsigned id = x86_apic_id(topology, i);
        RobotOp got;

        if (i) {
            robot_start_cpu(r, id);
        }
        expect_hex(robot_do_op(r, id, .code = ROBOT_READ, .size = 4, .addr = APIC_ID),
                   id << 24);
        got = cpuid(r, id, 1, 0);
        expect_hex(got.value >> 48, id << 8 | socket);
        if ((uint32_t)cpuid(r, id, 0, 0).value < 0xb) {
            continue;
        }
        got = cpuid(r, id, 0xb, 0);
        expect_hex(got.value, (uint64_t)topology->threads << 32 | at.core);
        expect_hex(got.result, (uint64_t)id << 32 | 0x100);
        got = cpuid(r, id, 0xb, 1);
        expect_hex(got.value, (uint64_t)socket << 32 | at.socket);
        expect_hex(got.result, (uint64_t)id << 32 | 0x201);
        got = cpuid(r, id, 0xb, 2);
        expect_hex(got.value, 0);
        expect_hex(got.result & 0xff00, 0);
    }
}

START_TEST(test_identities)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(topologies); i++) {
        Robot r;

        topology = &topologies[i].t;
        robot_init(&r);
        r.cpus = topologies[i].cpus;
        r.options.dies = topology->dies;
        r.options.cores = topology->cores;
        r.options.threads = topology->threads;
        ck_assert_int_eq(robot_run(&r, identities), 0);
        robot_destroy(&r);
    }
}
END_TEST

/* ---- interrupts ---------------------------------------------------------- */

static void route_timer(Robot *r)
{
    GError *err = NULL;

    expect(kvm_route_pc_timer(r->kvm, &err), "%s", err ? err->message : "");
}

static void pc_test(void (*script)(Robot *r))
{
    Robot r;

    robot_init(&r);
    r.set_up = route_timer;
    ck_assert_int_eq(robot_run(&r, script), 0);
    robot_destroy(&r);
}

static void start_timer(Robot *r)
{
    robot_out(r, PIT_CONTROL, 1, 0x30); /* counter 0, both bytes, one shot */
    robot_out(r, PIT_COUNTER0, 1, 0xe8);
    robot_out(r, PIT_COUNTER0, 1, 0x03);
}

/* The vCPU polls meanwhile: nothing need wake it. */
static void wait_irq(Robot *r, unsigned vector, unsigned count)
{
    robot_do_op(r, 0, .code = ROBOT_STI);
    robot_until(robot_irqs(r, 0, vector) >= count);
    robot_do_op(r, 0, .code = ROBOT_CLI);
    ck_assert_uint_eq(robot_irqs(r, 0, vector), count);
}

static void timer_by_ioapic(Robot *r)
{
    unsigned gsi;

    apic_on(r);
    route(r, 0, 0x30);
    route(r, 2, 0x32);
    start_timer(r);
    wait_irq(r, 0x32, 1);
    pulse(r, 0);
    wait_irq(r, 0x32, 2);
    /* An HPET's timer, whose only route is this one. */
    pulse(r, 2);
    wait_irq(r, 0x32, 3);
    /* Nothing else leads there, or to input 0. */
    route(r, 23, 0x33);
    for (gsi = 1; gsi < 24; gsi++) {
        if (gsi != 2) {
            pulse(r, gsi);
        }
    }
    wait_irq(r, 0x33, 1);
    pulse(r, 0);
    wait_irq(r, 0x32, 4);
    ck_assert_uint_eq(robot_irqs(r, 0, 0x30), 0);
}

START_TEST(test_timer_by_ioapic)
{
    pc_test(timer_by_ioapic);
}
END_TEST

static void timer_by_pic(Robot *r)
{
    robot_out(r, PIC0, 1, 0x11);
    robot_out(r, PIC0 + 1, 1, 0x20);
    robot_out(r, PIC0 + 1, 1, 4);
    robot_out(r, PIC0 + 1, 1, 1);
    apic_on(r);
    robot_out(r, PIC0 + 1, 1, 0xfe);
    robot_write(r, APIC_LINT0, 4, APIC_EXTINT);
    start_timer(r);
    wait_irq(r, 0x20, 1);
    pulse(r, 0);
    wait_irq(r, 0x20, 2);
}

START_TEST(test_timer_by_pic)
{
    pc_test(timer_by_pic);
}
END_TEST

/* Silenced, the timer still counts; others may raise its interrupt. */
static void timer_replaced(Robot *r)
{
    apic_on(r);
    route(r, 2, 0x32);
    memory_lock();
    kvm_pit_enable(r->kvm, false);
    memory_unlock();
    start_timer(r);
    g_usleep(20000);
    pulse(r, 0);
    wait_irq(r, 0x32, 1);
    g_usleep(20000);
    pulse(r, 0);
    wait_irq(r, 0x32, 2);
    memory_lock();
    kvm_pit_enable(r->kvm, true);
    memory_unlock();
    wait_irq(r, 0x32, 3);
}

START_TEST(test_timer_replaced)
{
    pc_test(timer_replaced);
}
END_TEST

static void messages(Robot *r)
{
    unsigned i;

    apic_on(r);
    for (i = 1; i <= 10; i++) {
        ck_assert(kvm_send_msi(r->kvm, 0xfee00000, 0x35));
        wait_irq(r, 0x35, i);
    }
    /* To a processor that there is not, of a kind that there is not, and to where
     * no processor is. */
    ck_assert(!kvm_send_msi(r->kvm, 0xfee07000, 0x35));
    kvm_send_msi(r->kvm, 0xfee00000, 0x0335);
    kvm_send_msi(r->kvm, 0x1234567800000004, 0xffffffff);
    ck_assert(kvm_send_msi(r->kvm, 0xfee00000, 0x36));
    wait_irq(r, 0x36, 1);
    ck_assert(kvm_check(r->kvm, NULL) && vm_is_running());
}

START_TEST(test_messages)
{
    pc_test(messages);
}
END_TEST

ROBOT_MAIN("kvm-guest-pc", test_identities, test_timer_by_ioapic, test_timer_by_pic,
           test_timer_replaced, test_messages)
