/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state of the machine, what is asked of it, and the main loop.
 *
 * Anybody may ask. The main loop then stops every vCPU and does what was asked
 * for; from the request on no vCPU enters the guest, so that who asks from
 * inside one goes no further.
 *
 * While the machine does not run, the run state holds one cpus_stop() of its
 * own, beside those of whoever only looks at the vCPUs for a moment.
 *
 * run.mutex is a leaf, but for that of cpus.c. Events are sent without it.
 */
#include "sysemu.h"

#include <pthread.h>

#include "cpus.h"
#include "hw/core/clock.h"
#include "hw/core/device.h"

static struct {
    RunState state; /* atomic; changed by the main loop's thread */

    pthread_mutex_t mutex; /* of what follows */
    bool request;          /* atomic; any of: */
    bool shutdown;
    ShutdownCause shutdown_cause;
    int status;
    bool reset;
    ShutdownCause reset_cause;
    bool stop;
    RunState stop_state;
    char *pause_message;
    bool panic;
    bool powerdown;
    bool suspend;
    bool wakeup;
    WakeupReason wakeup_reason;
    bool rtc_wakes;

    /* The main loop's thread only, but for no_shutdown */
    RunOptions options; /* no_shutdown: mutex */
    const RunMachine *machine; /* in vm_main_loop() */
    int failure_status; /* instead of success, until it runs again */
} run = {
    .state = RUN_STATE_PRELAUNCH,
    .mutex = PTHREAD_MUTEX_INITIALIZER,
};

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define STORE(variable, value) \
    __atomic_store_n(&(variable), value, __ATOMIC_SEQ_CST)

const char *run_state_name(RunState state)
{
    static const char *const names[] = {
        [RUN_STATE_PRELAUNCH] = "prelaunch",
        [RUN_STATE_RUNNING] = "running",
        [RUN_STATE_PAUSED] = "paused",
        [RUN_STATE_DEBUG] = "debug",
        [RUN_STATE_SUSPENDED] = "suspended",
        [RUN_STATE_SHUTDOWN] = "shutdown",
        [RUN_STATE_INTERNAL_ERROR] = "internal-error",
        [RUN_STATE_GUEST_PANICKED] = "guest-panicked",
    };

    return names[state];
}

RunState vm_run_state(void)
{
    return LOAD(run.state);
}

bool vm_is_running(void)
{
    return LOAD(run.state) == RUN_STATE_RUNNING;
}

static void send(VMEvent event)
{
    vm_event_send(&event);
}

/* ---- requests: any thread --------------------------------------------------- */

static void lock(void)
{
    pthread_mutex_lock(&run.mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&run.mutex);
}

/* Under the mutex. */
static void request_made(void)
{
    STORE(run.request, true);
    cpus_hold_back(true);
    g_main_context_wakeup(NULL);
}

/* Whether -no-shutdown makes a stop of this end. A status of its own is meant
 * to be seen by whoever started the program. */
static bool only_stops(ShutdownCause cause, int status)
{
    if (!run.options.no_shutdown) {
        return false;
    }
    switch (cause) {
    case SHUTDOWN_CAUSE_GUEST_SHUTDOWN:
    case SHUTDOWN_CAUSE_GUEST_RESET:
    case SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET:
        return status == EXIT_GUEST_OFF;
    case SHUTDOWN_CAUSE_HOST_ERROR:
        return status == EXIT_KVM_INTERNAL;
    default:
        return false;
    }
}

void vm_request_shutdown(ShutdownCause cause, int status)
{
    lock();
    if (!run.shutdown || (only_stops(run.shutdown_cause, run.status) &&
                          !only_stops(cause, status))) {
        run.shutdown = true;
        run.shutdown_cause = cause;
        run.status = status;
        g_debug("shutdown: %s", shutdown_cause_name(cause));
        request_made();
    }
    unlock();
}

bool vm_shutdown_requested(void)
{
    bool requested;

    lock();
    requested = run.shutdown && !only_stops(run.shutdown_cause, run.status);
    unlock();
    return requested;
}

void vm_request_reset(ShutdownCause cause)
{
    lock();
    if (!run.reset) {
        run.reset = true;
        run.reset_cause = cause;
        g_debug("reset: %s", shutdown_cause_name(cause));
        request_made();
    }
    unlock();
}

void vm_request_pause(const char *message)
{
    lock();
    if (!run.pause_message && LOAD(run.state) != RUN_STATE_INTERNAL_ERROR) {
        run.pause_message = g_strdup(message);
        request_made();
    }
    unlock();
}

void vm_request_stop(RunState state)
{
    lock();
    if (!run.stop) {
        run.stop = true;
        run.stop_state = state;
        request_made();
    }
    unlock();
}

void vm_request_panic(void)
{
    lock();
    run.panic = true;
    request_made();
    unlock();
}

void vm_request_powerdown(void)
{
    lock();
    run.powerdown = true;
    request_made();
    unlock();
}

void vm_request_suspend(void)
{
    lock();
    if (LOAD(run.state) != RUN_STATE_SUSPENDED) {
        run.suspend = true;
        request_made();
    }
    unlock();
}

void vm_request_wakeup(WakeupReason reason)
{
    lock();
    if (!run.wakeup && (run.suspend || LOAD(run.state) == RUN_STATE_SUSPENDED) &&
        (reason != WAKEUP_RTC || run.rtc_wakes)) {
        run.wakeup = true;
        run.wakeup_reason = reason;
        g_debug("wakeup: %s", reason == WAKEUP_RTC ? "clock" : "other");
        request_made();
    }
    unlock();
}

void vm_set_rtc_wakes(bool wakes)
{
    lock();
    run.rtc_wakes = wakes;
    unlock();
}

/* ---- stop and go: the main loop's thread -------------------------------------- */

static bool needs_reset(RunState state)
{
    return state == RUN_STATE_SHUTDOWN || state == RUN_STATE_INTERNAL_ERROR;
}

static bool is_failure(RunState state)
{
    return needs_reset(state) || state == RUN_STATE_GUEST_PANICKED;
}

static void clock_enable(bool enable)
{
    memory_lock();
    clock_virtual_enable(enable);
    memory_unlock();
}

void vm_stop(RunState state)
{
    if (!vm_is_running()) {
        if (is_failure(state)) {
            clock_enable(false); /* it goes on in sleep */
            STORE(run.state, state);
        }
        return;
    }
    cpus_stop();
    clock_enable(false);
    STORE(run.state, state);
    send((VMEvent){ .kind = VM_EVENT_STOP });
}

bool vm_start(GError **err)
{
    if (vm_is_running() || LOAD(run.state) == RUN_STATE_SUSPENDED) {
        return true;
    }
    if (needs_reset(LOAD(run.state))) {
        g_set_error_literal(err, FLATVIEW_ERROR, 0,
                            "Resetting the Virtual Machine is required");
        return false;
    }
    run.failure_status = EXIT_GUEST_OFF;
    STORE(run.state, RUN_STATE_RUNNING);
    send((VMEvent){ .kind = VM_EVENT_RESUME });
    clock_enable(true);
    lock();
    if (run.suspend) {
        request_made(); /* before the guest does anything else */
    }
    unlock();
    cpus_go_on();
    return true;
}

/* ---- what was asked for: every vCPU stopped ----------------------------------- */

static void serve_pause(const char *message)
{
    g_printerr("flatview: %s\nflatview: the machine is paused; end it with"
               " SIGINT or SIGTERM, or Ctrl-A x on its terminal\n", message);
    run.failure_status = EXIT_USAGE;
    vm_stop(RUN_STATE_INTERNAL_ERROR);
}

static void serve_panic(void)
{
    bool stay = run.options.no_shutdown;

    send((VMEvent){ .kind = VM_EVENT_GUEST_PANICKED,
                    .action = stay ? "pause" : "poweroff" });
    vm_stop(RUN_STATE_GUEST_PANICKED);
    if (!stay) {
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_PANIC, EXIT_GUEST_OFF);
    }
}

/* One of what the machine can do; NULL: it cannot. */
static void call(void (*fn)(void *opaque))
{
    memory_lock();
    if (fn) {
        fn(run.machine->opaque);
    }
    memory_unlock();
}

static void serve_powerdown(void)
{
    send((VMEvent){ .kind = VM_EVENT_POWERDOWN });
    call(run.machine->power_button);
}

/* The virtual clock goes on: what wakes the guest may need it. */
static void serve_suspend(void)
{
    cpus_stop();
    call(run.machine->suspend);
    lock();
    STORE(run.state, RUN_STATE_SUSPENDED);
    run.suspend = false; /* no sooner: what wakes it is taken at any time */
    unlock();
    send((VMEvent){ .kind = VM_EVENT_SUSPEND });
}

static void serve_wakeup(WakeupReason reason)
{
    memory_lock();
    if (run.machine->wakeup) {
        run.machine->wakeup(run.machine->opaque, reason);
    }
    cpus_reset();
    memory_unlock();
    lock();
    STORE(run.state, RUN_STATE_RUNNING);
    run.wakeup = false; /* of this sleep */
    unlock();
    send((VMEvent){ .kind = VM_EVENT_WAKEUP });
    cpus_go_on();
}

bool vm_wakeup(GError **err)
{
    if (LOAD(run.state) != RUN_STATE_SUSPENDED) {
        g_set_error_literal(err, FLATVIEW_ERROR, 0,
                            "Unable to wake up: guest is not in suspended state");
        return false;
    }
    serve_wakeup(WAKEUP_OTHER);
    return true;
}

static void serve_reset(ShutdownCause cause)
{
    memory_lock();
    call(run.machine->reset);
    cpus_reset();
    memory_unlock();
    if (!vm_is_running()) {
        clock_enable(false); /* it goes on in sleep */
        STORE(run.state, RUN_STATE_PRELAUNCH);
    }
    send((VMEvent){ .kind = VM_EVENT_RESET, .cause = cause });
}

/* False: the end. */
static bool serve_shutdown(ShutdownCause cause, int status, bool ends)
{
    bool failure = cause == SHUTDOWN_CAUSE_HOST_ERROR;

    if (ends || !failure) {
        send((VMEvent){ .kind = VM_EVENT_SHUTDOWN, .cause = cause });
    }
    if (!ends) {
        run.failure_status = status;
        vm_stop(failure ? RUN_STATE_INTERNAL_ERROR : RUN_STATE_SHUTDOWN);
    }
    return !ends;
}

/* Do all that was asked for by now. False: the end, for which run.shutdown
 * stays. */
static bool serve_requests(void)
{
    g_autofree char *message = NULL;
    bool reset, stop, panic, powerdown, suspend, wakeup, shutdown, ends;
    ShutdownCause reset_cause, shutdown_cause;
    WakeupReason wakeup_reason;
    RunState stop_state;
    int status;

    lock();
    if (run.reset && run.options.no_reboot) {
        run.reset = false;
        if (!run.shutdown) {
            run.shutdown = true;
            run.shutdown_cause = run.reset_cause;
            run.status = EXIT_GUEST_OFF;
        }
    }
    STORE(run.request, false);
    cpus_hold_back(false);
    message = g_steal_pointer(&run.pause_message);
    reset = run.reset;
    reset_cause = run.reset_cause;
    stop = run.stop;
    stop_state = run.stop_state;
    panic = run.panic;
    powerdown = run.powerdown;
    suspend = run.suspend && vm_is_running() && !reset;
    wakeup = run.wakeup;
    wakeup_reason = run.wakeup_reason;
    shutdown = run.shutdown;
    shutdown_cause = run.shutdown_cause;
    status = run.status;
    ends = shutdown && !only_stops(shutdown_cause, status);
    run.reset = run.stop = run.panic = run.powerdown = false;
    run.suspend = run.suspend && !reset;
    run.wakeup = run.suspend && !suspend && run.wakeup; /* it sleeps, and wakes, later */
    run.shutdown = ends;
    unlock();

    if (powerdown) {
        serve_powerdown();
    }
    if (suspend) {
        serve_suspend();
    }
    if (panic) {
        serve_panic();
    }
    if (stop) {
        vm_stop(stop_state);
    }
    if (ends && message) {
        serve_pause(message); /* a failure is no success because of the end */
    }
    if (shutdown && !serve_shutdown(shutdown_cause, status, ends)) {
        return false;
    }
    /* What led to a reset is over by it; what failed since then is not. */
    if (reset) {
        serve_reset(reset_cause);
    }
    if (wakeup && LOAD(run.state) == RUN_STATE_SUSPENDED) {
        serve_wakeup(wakeup_reason);
    }
    if (message) {
        serve_pause(message);
    }
    return true;
}

/* ---- the main loop ------------------------------------------------------------- */

/* As before the first run; the vCPUs are at rest. Returns the exit status. */
static int end_run(void)
{
    RunState state = LOAD(run.state);
    int status;

    if (state != RUN_STATE_RUNNING) {
        cpus_go_on(); /* one stop is left: the run state's own */
    }
    clock_enable(false);
    STORE(run.state, RUN_STATE_PRELAUNCH);
    lock();
    status = run.status;
    run.shutdown = run.reset = run.stop = run.panic = run.powerdown = false;
    run.suspend = run.wakeup = run.rtc_wakes = false;
    run.machine = NULL;
    run.options = (RunOptions){ 0 };
    STORE(run.request, false);
    cpus_hold_back(false);
    g_clear_pointer(&run.pause_message, g_free);
    unlock();
    if (status == EXIT_GUEST_OFF) {
        status = run.failure_status;
    }
    run.failure_status = EXIT_GUEST_OFF;
    return status;
}

int vm_main_loop(const RunOptions *options, const RunMachine *machine)
{
    bool going_on = true;

    lock();
    run.options = *options;
    unlock();
    run.machine = machine;
    if (options->start_paused) {
        clock_enable(false);
    } else {
        vm_start(NULL);
    }
    while (going_on) {
        /* Once at least: a guest that asks again and again, such as one that
         * resets itself at once, keeps nobody else waiting. */
        do {
            g_main_context_iteration(NULL, !LOAD(run.request));
        } while (!LOAD(run.request));
        cpus_stop();
        going_on = serve_requests();
        if (going_on) {
            cpus_go_on();
        }
    }
    return end_run();
}
