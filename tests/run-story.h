/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stories about the run state: steps in the main loop, and the events they lead to; over
 * a stand-in for KVM, and for a machine whose CPUs do not run.
 */
#ifndef TESTS_RUN_STORY_H
#define TESTS_RUN_STORY_H

#include "sysemu.h"
#include "tests/kvm-world.h"

/* What happens at one point of a story, in the main loop. */
typedef void Step(void);

/* The story that is told. */
typedef struct Told {
    bool without_kvm;
    GString *events; /* those that came, each with a blank */
    unsigned resets, presses, sleeps, wakes; /* of the machine */
    WakeupReason woken_by;
    /* Set by a test: somebody does something while it goes to sleep; asks for another
     * reset while it is reset. */
    bool wakes_at_once, resets_at_once;
} Told;

extern Told told;

/* Tell it, with or without KVM; the exit status, and the events in @wanted. */
void tell(bool no_kvm, const RunOptions *options, Step *const *story, unsigned nr,
          int status, const char *wanted);

#define TELL_ONE(no_kvm, options, status, events, ...)                           \
    do {                                                                         \
        Step *const story_[] = { __VA_ARGS__ };                                  \
        tell(no_kvm, &options, story_, G_N_ELEMENTS(story_),        \
             status, events);                                                    \
    } while (0)

/* The steps are the same for both kinds of machines. */
#define TELL(options, status, events, ...)                     \
    do {                                                       \
        TELL_ONE(false, options, status, events, __VA_ARGS__); \
        TELL_ONE(true, options, status, events, __VA_ARGS__);  \
    } while (0)

extern const RunOptions plain, paused, ending, staying, staying_always;

/* How often vCPU @cpu was entered. */
unsigned entries(unsigned cpu);

void expect_at_rest(void);          /* no vCPU runs */
void expect_runs(unsigned cpu);     /* it does; nothing without KVM */

/* The guest of a story that has no other. */
int busy_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run);

/* Steps */
Step stop, cont, cont_refused;
Step is_prelaunch, is_running, is_paused, is_debug, is_suspended, is_shutdown,
     is_internal_error, is_panicked;
Step quit, power_off, reset, guest_reset, panic, powerdown;
Step was_reset, was_pressed;
Step debug_stop, fails, kvm_fails;
Step time_stands, time_goes;

#endif
