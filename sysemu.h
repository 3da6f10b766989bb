/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state of the machine: who may ask it to stop, go on, reset or end,
 * and what then happens. Requests come from any thread under any lock and are
 * carried out by the main loop; runstate.c has both.
 */
#ifndef SYSEMU_H
#define SYSEMU_H

#include <glib.h>
#include <stdbool.h>

#include "vm-event.h"

/* Exit statuses of the program, documented in the man page. */
enum {
    EXIT_GUEST_OFF = 0,       /* power-off, or reset with -no-reboot */
    EXIT_USAGE = 1,           /* options, files, the host refused something */
    EXIT_KVM_INTERNAL = 2,    /* KVM could not run the guest further */
};

/* The names that clients see are those of the QEMU Machine Protocol's
 * RunState: run_state_name(). */
typedef enum RunState {
    RUN_STATE_PRELAUNCH,      /* has not run since it was made or reset: -S */
    RUN_STATE_RUNNING,
    RUN_STATE_PAUSED,         /* by a user */
    RUN_STATE_DEBUG,          /* by a debugger: breakpoint, step */
    RUN_STATE_SUSPENDED,      /* asleep by its own wish; time and devices go on */
    RUN_STATE_SHUTDOWN,       /* powered off, kept by -no-shutdown */
    RUN_STATE_INTERNAL_ERROR, /* something failed; a reset helps, "cont" not */
    RUN_STATE_GUEST_PANICKED, /* by itself; it may be let go on */
} RunState;

const char *run_state_name(RunState state);
RunState vm_run_state(void);

/* Whether vCPUs run: RUN_STATE_RUNNING. */
bool vm_is_running(void);

/* ---- requests: any thread, any lock ---------------------------------------- */

/* End the program with @status, once vCPUs have stopped. The first request
 * wins. With -no-shutdown what is the guest's or KVM's doing only stops the
 * machine, in RUN_STATE_SHUTDOWN or RUN_STATE_INTERNAL_ERROR: a power-off, but not
 * with a status of its own, a reset under -no-reboot, and EXIT_KVM_INTERNAL. After
 * a failure from which the machine has not run again, the status is never that of
 * success. */
void vm_request_shutdown(ShutdownCause cause, int status);

/* Whether that was asked for, and will end it. For waiting in the main loop before it
 * runs the machine. */
bool vm_shutdown_requested(void);

/* Reset every device and vCPU, or end as for power-off under -no-reboot. A
 * machine that does not run is then in RUN_STATE_PRELAUNCH. */
void vm_request_reset(ShutdownCause cause);

/* Pause with a message for the user: what failed, and why. It stays so, in
 * RUN_STATE_INTERNAL_ERROR, until it is reset or ended. */
void vm_request_pause(const char *message);

/* Stop in @state, see vm_stop(). Returns at once; a vCPU that asks goes no
 * further. The first request wins. */
void vm_request_stop(RunState state);

/* The guest says that it has panicked: an event, and the end, or
 * RUN_STATE_GUEST_PANICKED with -no-shutdown. */
void vm_request_panic(void);

/* Press the power button: an event, and machine_power_button(). */
void vm_request_powerdown(void);

/* The guest goes to sleep, keeping its RAM: vCPUs rest in RUN_STATE_SUSPENDED until
 * something wakes it, or a reset. Of a machine that a user has stopped meanwhile, once
 * that goes on. */
void vm_request_suspend(void);

typedef enum WakeupReason {
    WAKEUP_OTHER, /* a user, a key; the guest is told of the power button */
    WAKEUP_RTC,   /* the alarm of its clock */
} WakeupReason;

/* Something has happened that wakes it where it sleeps, or is about to, perhaps only once
 * a user lets it go on. */
void vm_request_wakeup(WakeupReason reason);

/* Whether the clock may: the guest says so. At first it may not. */
void vm_set_rtc_wakes(bool wakes);

/* ---- the main loop's thread, no lock held ------------------------------------ */

/* Bring every vCPU to rest between two instructions, and the virtual clock to
 * a stand, before this returns. Where the machine is stopped already there is no
 * event, and only a failure or RUN_STATE_SHUTDOWN replaces the state it is in; so it is
 * where the guest sleeps. */
void vm_stop(RunState state);

/* Let it run; nothing where it does, or sleeps. False with @err in RUN_STATE_SHUTDOWN and
 * RUN_STATE_INTERNAL_ERROR, which only a reset or the end leads out of: "Resetting the
 * Virtual Machine is required". */
bool vm_start(GError **err);

/* Wake it, for a user: when this returns, it runs. False with @err: it does not sleep. */
bool vm_wakeup(GError **err);

/* Settings of the run, before it starts. */
typedef struct RunOptions {
    bool start_paused; /* -S */
    bool no_reboot;
    bool no_shutdown;
} RunOptions;

/* What the run does to the machine, each under the memory lock; NULL: nothing. */
typedef struct RunMachine {
    void (*reset)(void *opaque); /* every vCPU stopped; they are reset next */
    void (*power_button)(void *opaque); /* vm_request_powerdown() */
    void (*suspend)(void *opaque); /* it goes to sleep */
    /* It wakes up: as reset, but RAM stays as it is, and firmware is told. */
    void (*wakeup)(void *opaque, WakeupReason reason);
    void *opaque;
} RunMachine;

/* Let the machine run, and the main loop until a shutdown. Returns the exit status. */
int vm_main_loop(const RunOptions *options, const RunMachine *machine);

#endif
