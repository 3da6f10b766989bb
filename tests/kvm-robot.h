/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests in a guest: a machine of RAM and the regions that a test adds, whose
 * vCPUs run the robot (tests/guest/robot.h). The test is a script, in a thread
 * of its own beside the main loop, that tells the vCPUs what to do, changes
 * the map under them, and looks at what came of it.
 */
#ifndef TESTS_KVM_ROBOT_H
#define TESTS_KVM_ROBOT_H

#include "cpus.h"
#include "kvm.h"
#include "sysemu.h"
#include "tests/guest/robot.h"
#include "tests/test-util.h"

#define ROBOT_RAM_SIZE 0x400000 /* at 0 */

typedef struct Robot {
    /* A test may change these between robot_init() and robot_run(): */
    KVMOptions options;
    unsigned cpus;
    bool no_reboot;
    void (*set_up)(struct Robot *r); /* KVM is there, and vCPUs do not run yet */

    MemoryRegion memory_root, ports_root;
    AddressSpace memory, ports;
    MemoryRegion ram;
    uint8_t *host; /* of RAM */
    KVMState *kvm; /* while it runs */
    unsigned resets;

    void (*script)(struct Robot *r);
    unsigned unassigned; /* atomic; and the last: */
    hwaddr unassigned_addr;
} Robot;

/* RAM with the robot in it, two address spaces, one vCPU. */
void robot_init(Robot *r);
void robot_destroy(Robot *r);

/* Make a VM, run @script beside the main loop, and take all down when the
 * machine ends, which the end of @script asks for. The exit status. */
int robot_run(Robot *r, void (*script)(Robot *r));

/* The three in one; the status must be 0. */
void robot_test(void (*script)(Robot *r));

/* What follows is for scripts. A guest that does not answer within
 * ROBOT_TIMEOUT_S, or meets an exception, is a failure. */
#define ROBOT_TIMEOUT_S 120

/* Which vCPU is meant is said by its APIC id, which has gaps where options.cores or
 * such is no power of two. */

/* Whether vCPU @cpu has said that it polls; waits until it does. */
void robot_wait_alive(Robot *r, unsigned cpu);

/* Start vCPU @cpu by INIT and start-up interrupts, and wait until it polls. */
void robot_start_cpu(Robot *r, unsigned cpu);

/* Post an operation, and wait until all that were posted are done: the result
 * of the last. */
void robot_post(Robot *r, unsigned cpu, RobotOp op);
RobotOp robot_wait(Robot *r, unsigned cpu);
uint64_t robot_do(Robot *r, unsigned cpu, RobotOp op);
bool robot_pending(Robot *r, unsigned cpu); /* some are not done yet */

#define robot_do_op(r, cpu, ...) robot_do(r, cpu, (RobotOp){ __VA_ARGS__ })

/* By vCPU 0: */
uint64_t robot_read(Robot *r, hwaddr addr, unsigned size);
void robot_write(Robot *r, hwaddr addr, unsigned size, uint64_t value);
uint64_t robot_in(Robot *r, unsigned port, unsigned size);
void robot_out(Robot *r, unsigned port, unsigned size, uint32_t value);

/* End HAMMER and COUNT_UP operations of @cpu; waits for @rounds of them first. */
RobotOp robot_stop(Robot *r, unsigned cpu, unsigned rounds);

/* How many interrupts of @vector vCPU @cpu has seen; how many rounds done. */
unsigned robot_irqs(Robot *r, unsigned cpu, unsigned vector);
unsigned robot_progress(Robot *r, unsigned cpu);

/* Sleep until @condition holds. */
#define robot_until(condition)                                                 \
    do {                                                                       \
        gint64 end_ = g_get_monotonic_time() +                                 \
                      ROBOT_TIMEOUT_S * G_TIME_SPAN_SECOND;                    \
        while (!(condition)) {                                                 \
            expect(g_get_monotonic_time() < end_, "waited too long for %s",    \
                   #condition);                                                \
            g_usleep(50);                                                      \
        }                                                                      \
    } while (0)

/* The calls that @dev has seen; see io_expect(). */
#define robot_expect(dev, ...)                                                 \
    do {                                                                       \
        memory_lock();                                                         \
        io_expect(dev, __VA_ARGS__);                                           \
        memory_unlock();                                                       \
    } while (0)

/* How many accesses nothing has answered; none so far, or the test fails. */
unsigned robot_unassigned(Robot *r);
void robot_expect_no_unassigned(Robot *r);

/* main() of a program that needs /dev/kvm. */
#define ROBOT_MAIN(name, ...)                                                  \
    int main(void)                                                             \
    {                                                                          \
        const TTest *const tests[] = { __VA_ARGS__ };                          \
        return robot_main(name, tests, G_N_ELEMENTS(tests));                   \
    }
int robot_main(const char *name, const TTest *const *tests, unsigned nr);

#endif
