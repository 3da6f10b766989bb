/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's side of the robot; see kvm-robot.h.
 */
#include "tests/kvm-robot.h"

#include <string.h>
#include <unistd.h>

#include "target-i386/cpu.h"

/* The program itself, so that a test is one file that runs anywhere. */
__asm__(".section .rodata\n"
        ".balign 8\n"
        "robot_image: .incbin \"tests/guest/robot.bin\"\n"
        "robot_image_end: .byte 0\n"
        ".previous\n");
extern const char robot_image[], robot_image_end[];

#define APIC_ICR_LOW (X86_LAPIC_BASE + 0x300)
#define APIC_ICR_HIGH (X86_LAPIC_BASE + 0x310)
#define ICR_INIT 0x4500    /* INIT, assert */
#define ICR_STARTUP 0x4600 /* start-up, assert; the page is the vector */

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_ACQUIRE)
#define STORE(variable, value) \
    __atomic_store_n(&(variable), value, __ATOMIC_RELEASE)

static RobotMailbox *mailbox_of(Robot *r, unsigned cpu)
{
    return (RobotMailbox *)(r->host + ROBOT_MAILBOXES + cpu * 4096);
}

/* ---- the machine -------------------------------------------------------------- */

static void unassigned(AddressSpace *as, hwaddr addr, unsigned size,
                       bool is_write, void *opaque)
{
    Robot *r = opaque;

    __atomic_store_n(&r->unassigned_addr, addr, __ATOMIC_RELAXED);
    __atomic_add_fetch(&r->unassigned, 1, __ATOMIC_RELEASE);
}

static void load_image(Robot *r)
{
    memcpy(r->host + ROBOT_BASE, robot_image, robot_image_end - robot_image);
    memset(r->host + ROBOT_MAILBOXES, 0, ROBOT_CPUS_MAX * 4096);
}

void robot_init(Robot *r)
{
    memset(r, 0, sizeof(*r));
    r->cpus = 1;
    memory_region_init(&r->memory_root, "memory", UINT64_MAX);
    memory_region_init(&r->ports_root, "ports", 0x10000);
    memory_region_init_ram(&r->ram, "robot-ram", ROBOT_RAM_SIZE);
    memory_region_add_subregion(&r->memory_root, 0, &r->ram);
    address_space_init(&r->memory, &r->memory_root);
    address_space_init(&r->ports, &r->ports_root);
    r->host = memory_region_get_ram_ptr(&r->ram);
    load_image(r);
    memory_set_unassigned_handler(unassigned, r);
}

void robot_destroy(Robot *r)
{
    address_space_destroy(&r->ports);
    address_space_destroy(&r->memory);
    memory_region_del_subregion(&r->memory_root, &r->ram);
    memory_region_destroy(&r->ram);
    memory_region_destroy(&r->ports_root);
    memory_region_destroy(&r->memory_root);
    memory_set_unassigned_handler(NULL, NULL);
}

static void reset_hook(CPUState *cpu, void *opaque)
{
    x86_cpu_set_real(cpu, ROBOT_BASE >> 4, 0);
}

static void reset_machine(void *opaque)
{
    Robot *r = opaque;

    load_image(r);
    __atomic_add_fetch(&r->resets, 1, __ATOMIC_RELEASE);
}

static void *script_thread(void *opaque)
{
    Robot *r = opaque;

    robot_until(vm_is_running());
    r->script(r);
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 0);
    return NULL;
}

int robot_run(Robot *r, void (*script)(Robot *r))
{
    GError *err = NULL;
    GThread *thread;
    int status;

    alarm(4 * ROBOT_TIMEOUT_S); /* whatever hangs */
    r->script = script;
    r->kvm = kvm_new(&r->options, &err);
    expect(r->kvm, "kvm_new: %s", err->message);
    expect(cpus_create(r->kvm, r->cpus, &r->memory, &r->ports, &err),
           "cpus_create: %s", err->message);
    cpus_get(0)->reset_hook = reset_hook;
    expect(kvm_attach(r->kvm, &r->memory, &r->ports, &err), "kvm_attach: %s",
           err->message);
    if (r->set_up) {
        r->set_up(r);
    }
    expect(cpus_start(&err), "cpus_start: %s", err->message);
    thread = g_thread_new("script", script_thread, r);
    status = vm_main_loop(&(RunOptions){ .no_reboot = r->no_reboot },
                          &(RunMachine){ .reset = reset_machine, .opaque = r });
    g_thread_join(thread);
    cpus_destroy();
    kvm_free(r->kvm);
    r->kvm = NULL;
    return status;
}

void robot_test(void (*script)(Robot *r))
{
    Robot r;

    robot_init(&r);
    ck_assert_int_eq(robot_run(&r, script), 0);
    robot_destroy(&r);
}

/* ---- operations ------------------------------------------------------------------ */

/* A look at what a vCPU says, for conditions that it is to make true. */
static RobotMailbox *healthy_mailbox(Robot *r, unsigned cpu)
{
    RobotMailbox *mailbox = mailbox_of(r, cpu);
    unsigned fault = LOAD(mailbox->fault);

    expect(!fault, "vCPU %u: exception %u at 0x%llx", cpu, fault & 0xff,
           mailbox->fault_rip);
    return mailbox;
}

void robot_wait_alive(Robot *r, unsigned cpu)
{
    robot_until(LOAD(healthy_mailbox(r, cpu)->alive));
}

void robot_start_cpu(Robot *r, unsigned cpu)
{
    robot_write(r, APIC_ICR_HIGH, 4, cpu << 24);
    robot_write(r, APIC_ICR_LOW, 4, ICR_INIT);
    robot_write(r, APIC_ICR_HIGH, 4, cpu << 24);
    robot_write(r, APIC_ICR_LOW, 4, ICR_STARTUP | ROBOT_BASE >> 12);
    robot_wait_alive(r, cpu);
}

void robot_post(Robot *r, unsigned cpu, RobotOp op)
{
    RobotMailbox *mailbox = mailbox_of(r, cpu);
    unsigned posted = mailbox->posted;

    robot_until(posted - LOAD(healthy_mailbox(r, cpu)->done) < ROBOT_OPS);
    if (op.code == ROBOT_HAMMER || op.code == ROBOT_COUNT_UP) {
        robot_wait(r, cpu);
        STORE(mailbox->progress, 0);
    }
    /* The lock orders it with a reset that the operation leads to, which a
     * thread checker cannot see go through the guest. */
    memory_lock();
    mailbox->ops[posted % ROBOT_OPS] = op;
    STORE(mailbox->posted, posted + 1);
    memory_unlock();
}

RobotOp robot_wait(Robot *r, unsigned cpu)
{
    RobotMailbox *mailbox = mailbox_of(r, cpu);
    unsigned posted = mailbox->posted;

    robot_until(LOAD(healthy_mailbox(r, cpu)->done) == posted);
    return mailbox->ops[(posted - 1) % ROBOT_OPS];
}

uint64_t robot_do(Robot *r, unsigned cpu, RobotOp op)
{
    robot_post(r, cpu, op);
    return robot_wait(r, cpu).result;
}

bool robot_pending(Robot *r, unsigned cpu)
{
    RobotMailbox *mailbox = healthy_mailbox(r, cpu);

    return LOAD(mailbox->done) != mailbox->posted;
}

uint64_t robot_read(Robot *r, hwaddr addr, unsigned size)
{
    return robot_do_op(r, 0, .code = ROBOT_READ, .addr = addr, .size = size);
}

void robot_write(Robot *r, hwaddr addr, unsigned size, uint64_t value)
{
    robot_do_op(r, 0, .code = ROBOT_WRITE, .addr = addr, .size = size,
                .value = value);
}

uint64_t robot_in(Robot *r, unsigned port, unsigned size)
{
    return robot_do_op(r, 0, .code = ROBOT_IN, .addr = port, .size = size);
}

void robot_out(Robot *r, unsigned port, unsigned size, uint32_t value)
{
    robot_do_op(r, 0, .code = ROBOT_OUT, .addr = port, .size = size,
                .value = value);
}

RobotOp robot_stop(Robot *r, unsigned cpu, unsigned rounds)
{
    RobotMailbox *mailbox = mailbox_of(r, cpu);
    RobotOp op;

    robot_until(LOAD(healthy_mailbox(r, cpu)->progress) >= rounds);
    STORE(mailbox->stop, 1);
    op = robot_wait(r, cpu);
    STORE(mailbox->stop, 0);
    expect(op.result == 0, "vCPU %u: %llu of %u rounds met an illegal value,"
           " the last 0x%llx", cpu, op.result, mailbox->progress, mailbox->bad);
    return op;
}

unsigned robot_irqs(Robot *r, unsigned cpu, unsigned vector)
{
    return LOAD(healthy_mailbox(r, cpu)->irqs[vector]);
}

unsigned robot_progress(Robot *r, unsigned cpu)
{
    return LOAD(healthy_mailbox(r, cpu)->progress);
}

unsigned robot_unassigned(Robot *r)
{
    return LOAD(r->unassigned);
}

void robot_expect_no_unassigned(Robot *r)
{
    unsigned nr = robot_unassigned(r);

    expect(nr == 0, "%u accesses that nothing answered, the last to 0x%" PRIx64,
           nr, __atomic_load_n(&r->unassigned_addr, __ATOMIC_RELAXED));
}

int robot_main(const char *name, const TTest *const *tests, unsigned nr)
{
    GError *err = NULL;

    if (!kvm_available(&err)) {
        printf("SKIP: %s\n", err->message);
        g_error_free(err);
        return 77;
    }
    return test_run(name, tests, nr);
}
