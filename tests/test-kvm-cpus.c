/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several vCPUs, and interrupts through the in-kernel chips: from wires, from
 * descriptors, from the timer, and from each other. Needs KVM.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "kvm-internal.h"
#include "target-i386/cpu.h"
#include "tests/kvm-robot.h"

#define MMIO 0xd0000000u

#define APIC(offset) (X86_LAPIC_BASE + (offset))
#define APIC_SPURIOUS APIC(0xf0)
#define APIC_ICR_LOW APIC(0x300)
#define APIC_ICR_HIGH APIC(0x310)
#define APIC_LINT0 APIC(0x350)
#define APIC_ON 0x13f      /* enabled, spurious vector 0x3f */
#define APIC_EXTINT 0x700  /* LINT0: the PICs' output */
#define ICR_INIT 0x4500
#define ICR_STARTUP (0x4600 | ROBOT_BASE >> 12)
#define ICR_FIXED 0x4000
#define ICR_OTHERS 0xc0000 /* all but the sender */

#define PIC0 0x20
#define PIC1 0xa0
#define PIT_COUNTER0 0x40
#define PIT_CONTROL 0x43

#define IOAPIC_SELECT X86_IOAPIC_BASE
#define IOAPIC_WINDOW (X86_IOAPIC_BASE + 0x10)
#define IOAPIC_ENTRY(pin) (0x10 + 2 * (pin))
#define IOAPIC_LEVEL 0x8000
#define IOAPIC_MASKED 0x10000

static void machine(unsigned cpus, void (*script)(Robot *r))
{
    Robot r;

    robot_init(&r);
    r.cpus = cpus;
    ck_assert_int_eq(robot_run(&r, script), 0);
    robot_destroy(&r);
}

static void wire(Robot *r, int gsi, int level)
{
    IRQLine irq = kvm_irq_line(r->kvm, gsi);

    memory_lock();
    irq_set(&irq, level);
    memory_unlock();
}

static void pulse(Robot *r, int gsi)
{
    wire(r, gsi, 1);
    wire(r, gsi, 0);
}

/* Both PICs at vectors 0x20 and 0x28, with all but @mask's inputs masked. */
static void set_up_pics(Robot *r, unsigned mask)
{
    robot_out(r, PIC0, 1, 0x11);
    robot_out(r, PIC0 + 1, 1, 0x20);
    robot_out(r, PIC0 + 1, 1, 4);
    robot_out(r, PIC0 + 1, 1, 1);
    robot_out(r, PIC1, 1, 0x11);
    robot_out(r, PIC1 + 1, 1, 0x28);
    robot_out(r, PIC1 + 1, 1, 2);
    robot_out(r, PIC1 + 1, 1, 1);
    robot_out(r, PIC0 + 1, 1, ~(mask | 4) & 0xff);
    robot_out(r, PIC1 + 1, 1, ~(mask >> 8) & 0xff);
    robot_write(r, APIC_SPURIOUS, 4, APIC_ON);
    robot_write(r, APIC_LINT0, 4, APIC_EXTINT);
}

static void route(Robot *r, unsigned pin, unsigned cpu, uint32_t entry)
{
    robot_write(r, IOAPIC_SELECT, 4, IOAPIC_ENTRY(pin) + 1);
    robot_write(r, IOAPIC_WINDOW, 4, cpu << 24);
    robot_write(r, IOAPIC_SELECT, 4, IOAPIC_ENTRY(pin));
    robot_write(r, IOAPIC_WINDOW, 4, entry);
}

/* ---- starting ------------------------------------------------------------- */

static unsigned alive(Robot *r, unsigned cpu)
{
    RobotMailbox *mailbox =
        (RobotMailbox *)(r->host + ROBOT_MAILBOXES + cpu * 4096);

    return __atomic_load_n(&mailbox->alive, __ATOMIC_ACQUIRE);
}

/* Each is started, is who it should be, and does what it is told. */
static void all_work(Robot *r)
{
    unsigned cpu;

    for (cpu = 0; cpu < r->cpus; cpu++) {
        robot_wait_alive(r, cpu);
        expect_hex(alive(r, cpu), 1);
        expect_hex(robot_do_op(r, cpu, .code = ROBOT_READ, .size = 4,
                               .addr = APIC(0x20)), cpu << 24);
        robot_post(r, cpu, (RobotOp){ .code = ROBOT_COUNT_UP, .size = 4,
                                      .addr = ROBOT_FREE + 8 * cpu,
                                      .count = 1000 });
    }
    for (cpu = 0; cpu < r->cpus; cpu++) {
        expect_hex(robot_wait(r, cpu).result, 0);
        expect_hex(*(uint32_t *)(r->host + ROBOT_FREE + 8 * cpu), 1000);
    }
}

static void start_last_first(Robot *r)
{
    unsigned cpu;

    robot_wait_alive(r, 0);
    for (cpu = r->cpus - 1; cpu > 0; cpu--) {
        expect_hex(alive(r, cpu), 0);
        robot_start_cpu(r, cpu);
    }
    all_work(r);
}

static void start_first_first(Robot *r)
{
    unsigned cpu;

    robot_wait_alive(r, 0);
    for (cpu = 1; cpu < r->cpus; cpu++) {
        expect_hex(alive(r, cpu), 0);
        robot_start_cpu(r, cpu);
    }
    all_work(r);
}

static void start_all_at_once(Robot *r)
{
    robot_write(r, APIC_ICR_LOW, 4, ICR_OTHERS | ICR_INIT);
    robot_write(r, APIC_ICR_LOW, 4, ICR_OTHERS | ICR_STARTUP);
    all_work(r);
}

START_TEST(test_start_2)
{
    machine(2, start_first_first);
}
END_TEST

START_TEST(test_start_4)
{
    machine(4, start_first_first);
}
END_TEST

START_TEST(test_start_last_first)
{
    machine(4, start_last_first);
}
END_TEST

START_TEST(test_start_all_at_once)
{
    machine(4, start_all_at_once);
}
END_TEST

/* INIT stops one that runs; it starts anew. */
static void start_again(Robot *r)
{
    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    robot_post(r, 1, (RobotOp){ .code = ROBOT_HAMMER, .size = 4,
                                .addr = ROBOT_FREE });
    robot_until(robot_progress(r, 1) > 10);
    robot_write(r, APIC_ICR_HIGH, 4, 1 << 24);
    robot_write(r, APIC_ICR_LOW, 4, ICR_INIT);
    robot_write(r, APIC_ICR_LOW, 4, ICR_STARTUP);
    robot_until(alive(r, 1) == 2);
    robot_stop(r, 1, 0); /* it has found the operation that it was at */
}

START_TEST(test_start_again)
{
    machine(2, start_again);
}
END_TEST

/* ---- interrupts from wires ------------------------------------------------ */

/* Through the PICs, to a vCPU that runs, and to one that halts. */
static void pics(Robot *r)
{
    unsigned i;

    set_up_pics(r, 1 << 5 | 1 << 10);
    robot_do_op(r, 0, .code = ROBOT_STI);
    for (i = 1; i <= 20; i++) {
        pulse(r, 5);
        robot_until(robot_irqs(r, 0, 0x25) == i);
        pulse(r, 10);
        robot_until(robot_irqs(r, 0, 0x2a) == i);
    }
    /* Masked, it waits. */
    pulse(r, 3);
    robot_do_op(r, 0, .code = ROBOT_READ, .size = 4, .addr = ROBOT_FREE);
    expect_hex(robot_irqs(r, 0, 0x23), 0);
    robot_do_op(r, 0, .code = ROBOT_CLI);
    pulse(r, 5);
    robot_do_op(r, 0, .code = ROBOT_READ, .size = 4, .addr = ROBOT_FREE);
    expect_hex(robot_irqs(r, 0, 0x25), 20);
    robot_do_op(r, 0, .code = ROBOT_STI);
    robot_until(robot_irqs(r, 0, 0x25) == 21);
    robot_do_op(r, 0, .code = ROBOT_CLI);

    for (i = 22; i < 40; i++) {
        robot_post(r, 0, (RobotOp){ .code = ROBOT_WAIT_IRQ, .value = 0x25,
                                    .count = i });
        if (i % 2) {
            g_usleep(500); /* mostly, it halts by then */
        }
        pulse(r, 5);
        robot_wait(r, 0);
        expect_hex(robot_irqs(r, 0, 0x25), i);
    }
}

START_TEST(test_pics)
{
    machine(1, pics);
}
END_TEST

/* Through the IOAPIC, to the vCPU that its entry names; level-triggered ones
 * come again for as long as the wire is up. */
static void ioapic(Robot *r)
{
    unsigned i, cpu, level;

    set_up_pics(r, 0);
    robot_start_cpu(r, 1);
    robot_start_cpu(r, 2);
    for (cpu = 1; cpu < 3; cpu++) {
        robot_do_op(r, cpu, .code = ROBOT_WRITE, .size = 4,
                    .addr = APIC_SPURIOUS, .value = APIC_ON);
        robot_do_op(r, cpu, .code = ROBOT_STI);
    }
    route(r, 5, 1, 0x31);
    route(r, 20, 2, 0x32);
    for (i = 1; i <= 20; i++) {
        pulse(r, 5);
        robot_until(robot_irqs(r, 1, 0x31) == i);
        pulse(r, 20);
        robot_until(robot_irqs(r, 2, 0x32) == i);
    }
    expect_hex(robot_irqs(r, 0, 0x31) + robot_irqs(r, 2, 0x31), 0);
    expect_hex(robot_irqs(r, 0, 0x32) + robot_irqs(r, 1, 0x32), 0);

    route(r, 11, 1, IOAPIC_LEVEL | 0x33);
    wire(r, 11, 1);
    robot_until(robot_irqs(r, 1, 0x33) >= 3);
    wire(r, 11, 0);
    i = robot_irqs(r, 1, 0x31);
    pulse(r, 5); /* behind it: what was pending has come */
    robot_until(robot_irqs(r, 1, 0x31) == i + 1);
    level = robot_irqs(r, 1, 0x33);
    pulse(r, 5);
    robot_until(robot_irqs(r, 1, 0x31) == i + 2);
    expect_hex(robot_irqs(r, 1, 0x33), level);

    /* Masked, it does not come, and those behind it do. */
    route(r, 5, 1, IOAPIC_MASKED | 0x31);
    pulse(r, 5);
    route(r, 20, 1, 0x30);
    pulse(r, 20);
    robot_until(robot_irqs(r, 1, 0x30) == 1);
    expect_hex(robot_irqs(r, 1, 0x31), i + 2);
}

START_TEST(test_ioapic)
{
    machine(3, ioapic);
}
END_TEST

/* From one vCPU to the others. */
static void between(Robot *r)
{
    unsigned cpu, i;

    robot_wait_alive(r, 0);
    for (cpu = 0; cpu < 4; cpu++) {
        if (cpu) {
            robot_start_cpu(r, cpu);
        }
        robot_do_op(r, cpu, .code = ROBOT_WRITE, .size = 4,
                    .addr = APIC_SPURIOUS, .value = APIC_ON);
        if (cpu) {
            robot_do_op(r, cpu, .code = ROBOT_STI);
        }
    }
    for (i = 1; i <= 10; i++) {
        for (cpu = 1; cpu < 4; cpu++) {
            robot_write(r, APIC_ICR_HIGH, 4, cpu << 24);
            robot_write(r, APIC_ICR_LOW, 4, ICR_FIXED | (0x33 + cpu));
            robot_until(robot_irqs(r, cpu, 0x33 + cpu) == i);
        }
        robot_write(r, APIC_ICR_LOW, 4, ICR_OTHERS | ICR_FIXED | 0x38);
        for (cpu = 1; cpu < 4; cpu++) {
            robot_until(robot_irqs(r, cpu, 0x38) == i);
        }
    }
    expect_hex(robot_irqs(r, 0, 0x38), 0);
}

START_TEST(test_between)
{
    machine(4, between);
}
END_TEST

/* The in-kernel timer, once. */
static void pit(Robot *r)
{
    set_up_pics(r, 1);
    robot_out(r, PIT_CONTROL, 1, 0x30); /* counter 0, both bytes, one shot */
    robot_out(r, PIT_COUNTER0, 1, 0xe8);
    robot_out(r, PIT_COUNTER0, 1, 0x03);
    robot_do_op(r, 0, .code = ROBOT_WAIT_IRQ, .value = 0x20, .count = 1);
    expect_hex(robot_irqs(r, 0, 0x20), 1);
}

START_TEST(test_pit)
{
    machine(1, pit);
}
END_TEST

/* ---- interrupts from descriptors ------------------------------------------ */

static void irqfd(Robot *r)
{
    EventNotifier e;
    unsigned i;

    set_up_pics(r, 1 << 6 | 1 << 7);
    robot_do_op(r, 0, .code = ROBOT_STI);
    expect_hex(event_notifier_init(&e, 0), 0);
    expect_hex(kvm_add_irqfd(r->kvm, &e, NULL, 6), 0);
    for (i = 1; i <= 20; i++) {
        event_notifier_set(&e);
        robot_until(robot_irqs(r, 0, 0x26) == i);
    }
    expect_hex(kvm_remove_irqfd(r->kvm, &e, 6), 0);
    event_notifier_set(&e);
    pulse(r, 7);
    robot_until(robot_irqs(r, 0, 0x27) == 1);
    expect_hex(robot_irqs(r, 0, 0x26), 20);
    expect(event_notifier_test_and_clear(&e), "nobody took it");
    expect_hex(kvm_add_irqfd(r->kvm, &e, NULL, 6), 0);
    expect(kvm_add_irqfd(r->kvm, &e, NULL, 7) == -EBUSY, "twice");
    expect_hex(kvm_remove_irqfd(r->kvm, &e, 6), 0);
    event_notifier_cleanup(&e);
    expect(kvm_add_irqfd(r->kvm, &e, NULL, 6) == -EBADF, "no descriptor");
}

START_TEST(test_irqfd)
{
    machine(1, irqfd);
}
END_TEST

/* Level-triggered: up until the guest has acknowledged, which we are told. */
static void resample(Robot *r)
{
    EventNotifier e, acknowledged;
    unsigned i;

    set_up_pics(r, 0);
    route(r, 11, 0, IOAPIC_LEVEL | 0x33);
    robot_do_op(r, 0, .code = ROBOT_STI);
    expect_hex(event_notifier_init(&e, 0), 0);
    expect_hex(event_notifier_init(&acknowledged, 0), 0);
    expect_hex(kvm_add_irqfd(r->kvm, &e, &acknowledged, 11), 0);
    for (i = 1; i <= 20; i++) {
        event_notifier_set(&e);
        robot_until(event_notifier_test_and_clear(&acknowledged));
        robot_until(robot_irqs(r, 0, 0x33) == i);
    }
    expect_hex(kvm_remove_irqfd(r->kvm, &e, 11), 0);
    event_notifier_cleanup(&e);
    event_notifier_cleanup(&acknowledged);
}

START_TEST(test_resample)
{
    machine(1, resample);
}
END_TEST

/* A doorbell that is an interrupt: the kernel alone, while the memory lock is
 * held against us. */
static void doorbell_to_irqfd(Robot *r)
{
    IoDevice dev;
    EventNotifier e;
    unsigned i;

    set_up_pics(r, 1 << 6);
    robot_do_op(r, 0, .code = ROBOT_STI);
    io_device_init(&dev, 1, "dev", 0x1000);
    memory_region_add_subregion(&r->memory_root, MMIO, &dev.mr);
    expect_hex(event_notifier_init(&e, 0), 0);
    memory_region_add_eventfd(&dev.mr, 0x10, 4, false, 0, &e);
    expect_hex(kvm_add_irqfd(r->kvm, &e, NULL, 6), 0);
    memory_lock();
    for (i = 1; i <= 20; i++) {
        robot_write(r, MMIO + 0x10, 4, i);
        robot_until(robot_irqs(r, 0, 0x26) == i);
    }
    io_expect(&dev, NULL);
    memory_unlock();
    expect_hex(kvm_remove_irqfd(r->kvm, &e, 6), 0);
    memory_region_del_eventfd(&dev.mr, 0x10, 4, false, 0, &e);
    memory_region_del_subregion(&r->memory_root, &dev.mr);
    memory_region_destroy(&dev.mr);
    event_notifier_cleanup(&e);
}

START_TEST(test_doorbell_to_irqfd)
{
    machine(1, doorbell_to_irqfd);
}
END_TEST

ROBOT_MAIN("kvm-cpus", test_start_2, test_start_4, test_start_last_first,
           test_start_all_at_once, test_start_again, test_pics, test_ioapic,
           test_between, test_pit, test_irqfd, test_resample,
           test_doorbell_to_irqfd)
