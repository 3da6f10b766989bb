/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a guest ends: faults, halts, what KVM cannot run, requests of devices; and
 * vCPUs that are held. Needs KVM.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/kvm-robot.h"

#define PORT 0x1000u
#define MMIO 0xd0000000u

static void nothing_more(Robot *r)
{
    robot_until(!vm_is_running());
}

/* ---- triple fault --------------------------------------------------------- */

static unsigned resets(Robot *r)
{
    return __atomic_load_n(&r->resets, __ATOMIC_ACQUIRE);
}

/* It resets the machine: each vCPU, whoever it was. */
static void triple_faults(Robot *r)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        robot_wait_alive(r, 0);
        robot_start_cpu(r, 1);
        expect_hex(robot_do_op(r, 1, .code = ROBOT_READ, .size = 4,
                               .addr = ROBOT_FREE), i);
        robot_write(r, ROBOT_FREE, 4, i + 1); /* memory survives a reset */
        robot_post(r, i % 2, (RobotOp){ .code = ROBOT_TRIPLE_FAULT });
        robot_until(resets(r) == i + 1);
    }
    robot_wait_alive(r, 0);
}

START_TEST(test_triple_fault)
{
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    ck_assert_int_eq(robot_run(&r, triple_faults), 0);
    robot_destroy(&r);
}
END_TEST

static void triple_fault_ends(Robot *r)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_TRIPLE_FAULT });
    nothing_more(r);
}

START_TEST(test_triple_fault_no_reboot)
{
    Robot r;

    robot_init(&r);
    r.no_reboot = true;
    ck_assert_int_eq(robot_run(&r, triple_fault_ends), EXIT_GUEST_OFF);
    ck_assert_uint_eq(r.resets, 0);
    robot_destroy(&r);
}
END_TEST

/* ---- HLT ------------------------------------------------------------------ */

/* Halted for ever, a vCPU can still be stopped, reset, and ended. */
static void halts(Robot *r)
{
    unsigned i;

    for (i = 0; i < 3; i++) {
        robot_wait_alive(r, 0);
        robot_post(r, 0, (RobotOp){ .code = ROBOT_HALT });
        g_usleep(1000); /* mostly, it halts by then */
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        robot_until(resets(r) == i + 1);
    }
    robot_wait_alive(r, 0);
    robot_write(r, ROBOT_FREE, 4, 1);
    robot_post(r, 0, (RobotOp){ .code = ROBOT_HALT });
}

START_TEST(test_halt)
{
    Robot r;

    robot_init(&r);
    ck_assert_int_eq(robot_run(&r, halts), 0);
    robot_destroy(&r);
}
END_TEST

START_TEST(test_halt_without_chips)
{
    Robot r;

    robot_init(&r);
    r.options.no_irqchip = true;
    ck_assert_int_eq(robot_run(&r, halts), 0);
    robot_destroy(&r);
}
END_TEST

/* ---- what KVM cannot run -------------------------------------------------- */

static void cannot_emulate(Robot *r)
{
    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1); /* which goes on, until it is stopped */
    robot_post(r, 0, (RobotOp){ .code = ROBOT_CANNOT_EMULATE, .addr = MMIO });
    nothing_more(r);
}

static IoDevice dev;

/* What it prints: why, the registers, and the bytes of the instruction. */
START_TEST(test_cannot_emulate)
{
    char path[] = "/tmp/test-kvm-exits-XXXXXX";
    int fd = mkstemp(path);
    int old = dup(2);
    g_autofree char *text = NULL;
    const char *rip;
    unsigned long long at, code;
    int status;
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    io_device_init(&dev, 1, "dev", 0x1000);
    memory_region_add_subregion(&r.memory_root, MMIO, &dev.mr);
    dup2(fd, 2);
    status = robot_run(&r, cannot_emulate);
    dup2(old, 2);
    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    unlink(path);
    close(fd);
    close(old);
    expect(status == EXIT_KVM_INTERNAL, "status %d, and: %s", status, text);
    expect(strstr(text, "vCPU 0 cannot go on"), "what: %s", text);
    expect(strstr(text, "could not emulate this instruction"), "why: %s", text);
    rip = strstr(text, "rip ");
    expect(rip && sscanf(rip, "rip %llx", &at) == 1 && at >= ROBOT_BASE &&
           at < ROBOT_MAILBOXES, "where: %s", text);
    expect(strstr(text, "rsi 00000000d0000000"), "registers: %s", text);
    rip = strstr(text, "code at ");
    expect(rip && sscanf(rip, "code at %llx", &code) == 1 && code == at,
           "which code: %s", text);
    expect(strstr(rip, ": f0 48 0f c7 0e "), "the code: %s", text);
    memory_region_del_subregion(&r.memory_root, &dev.mr);
    memory_region_destroy(&dev.mr);
    robot_destroy(&r);
}
END_TEST

/* ---- requests ------------------------------------------------------------- */

#define STATUS 37

static void port_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    if (data == STATUS) {
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, STATUS);
    } else {
        vm_request_pause("a test asks for it");
    }
}

static const MemoryRegionOps port_ops = { .write = port_write };

static int run_with_port(Robot *r, void (*script)(Robot *r))
{
    MemoryRegion port;
    int status;

    robot_init(r);
    memory_region_init_io(&port, &port_ops, NULL, "port", 4);
    memory_region_add_subregion(&r->ports_root, PORT, &port);
    status = robot_run(r, script);
    memory_region_del_subregion(&r->ports_root, &port);
    memory_region_destroy(&port);
    return status;
}

/* The guest gets no further than the access that asked for the end. */
static void asks_for_the_end(Robot *r)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = PORT, .size = 4,
                                .value = STATUS });
    robot_post(r, 0, (RobotOp){ .code = ROBOT_WRITE, .addr = ROBOT_FREE,
                                .size = 4, .value = 1 });
    nothing_more(r);
}

START_TEST(test_shutdown)
{
    Robot r;

    ck_assert_int_eq(run_with_port(&r, asks_for_the_end), STATUS);
    expect_hex(*(uint32_t *)(r.host + ROBOT_FREE), 0);
    robot_destroy(&r);
}
END_TEST

/* Paused because of a failure, it does not run, not even when it is reset; it
 * can be ended. */
static void asks_for_a_pause(Robot *r)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = PORT, .size = 4 });
    robot_post(r, 0, (RobotOp){ .code = ROBOT_WRITE, .addr = ROBOT_FREE,
                                .size = 4, .value = 1 });
    nothing_more(r);
    expect_hex(vm_run_state(), RUN_STATE_INTERNAL_ERROR);
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    robot_until(resets(r) == 1);
    g_usleep(20000); /* it would mostly be seen to run by then */
    expect(!vm_is_running(), "it runs");
}

START_TEST(test_pause)
{
    Robot r;

    ck_assert_int_eq(run_with_port(&r, asks_for_a_pause), EXIT_USAGE);
    expect_hex(*(uint32_t *)(r.host + ROBOT_FREE), 0);
    ck_assert_uint_eq(r.resets, 1);
    robot_destroy(&r);
}
END_TEST

/* ---- held outside the guest ----------------------------------------------- */

static void held(Robot *r)
{
    unsigned i, cpu, progress[2];

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    for (cpu = 0; cpu < 2; cpu++) {
        robot_post(r, cpu, (RobotOp){ .code = ROBOT_HAMMER, .size = 4,
                                      .addr = ROBOT_FREE });
        robot_until(robot_progress(r, cpu) > 10);
    }
    for (i = 0; i < test_number("FLATVIEW_ROUNDS", 200); i++) {
        memory_lock();
        cpus_pause_all();
        cpus_pause_all();
        cpus_resume_all();
        for (cpu = 0; cpu < 2; cpu++) {
            progress[cpu] = robot_progress(r, cpu);
        }
        if (i % 20 == 0) {
            g_usleep(2000); /* mostly, it would be seen to run */
        }
        for (cpu = 0; cpu < 2; cpu++) {
            expect_hex(robot_progress(r, cpu), progress[cpu]);
        }
        cpus_resume_all();
        memory_unlock();
        if (i % 20 == 0) {
            for (cpu = 0; cpu < 2; cpu++) {
                robot_until(robot_progress(r, cpu) != progress[cpu]);
            }
        }
    }
    robot_stop(r, 0, 0);
    robot_stop(r, 1, 0);
}

START_TEST(test_held)
{
    Robot r;

    robot_init(&r);
    r.cpus = 2;
    ck_assert_int_eq(robot_run(&r, held), 0);
    robot_destroy(&r);
}
END_TEST

ROBOT_MAIN("kvm-exits", test_triple_fault, test_triple_fault_no_reboot,
           test_halt, test_halt_without_chips, test_cannot_emulate,
           test_shutdown, test_pause, test_held)
