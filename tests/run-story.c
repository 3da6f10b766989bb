/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stories about the run state: see run-story.h.
 */
#include "tests/run-story.h"

#include "hw/core/clock.h"

Told told;
static Step *const *steps;
static unsigned steps_nr;

static void note(const VMEvent *e, void *opaque)
{
    GString *out = opaque;

    switch (e->kind) {
    case VM_EVENT_STOP:
        g_string_append_printf(out, "STOP/%s ", run_state_name(vm_run_state()));
        break;
    case VM_EVENT_RESUME:
        expect(vm_is_running(), "RESUME of a machine that does not run");
        g_string_append(out, "RESUME ");
        break;
    case VM_EVENT_RESET:
        g_string_append_printf(out, "RESET(%s) ", shutdown_cause_name(e->cause));
        break;
    case VM_EVENT_SHUTDOWN:
        g_string_append_printf(out, "SHUTDOWN(%s) ",
                               shutdown_cause_name(e->cause));
        break;
    case VM_EVENT_POWERDOWN:
        g_string_append(out, "POWERDOWN ");
        break;
    case VM_EVENT_SUSPEND:
        expect(vm_run_state() == RUN_STATE_SUSPENDED, "SUSPEND of one that is not");
        g_string_append(out, "SUSPEND ");
        break;
    case VM_EVENT_WAKEUP:
        expect(vm_is_running(), "WAKEUP of one that does not run");
        g_string_append(out, "WAKEUP ");
        break;
    case VM_EVENT_GUEST_PANICKED:
        g_string_append_printf(out, "GUEST_PANICKED(%s) ", e->action);
        break;
    default:
        expect(false, "event %u", e->kind);
    }
}

static bool inside(unsigned cpu)
{
    return __atomic_load_n(&fake.cpus[cpu].in_run, __ATOMIC_SEQ_CST);
}

unsigned entries(unsigned cpu)
{
    return __atomic_load_n(&fake.cpus[cpu].entries, __ATOMIC_SEQ_CST);
}

void expect_at_rest(void)
{
    unsigned before = entries(0) + entries(1);

    g_usleep(1000); /* mostly, it would be seen to run */
    expect(!inside(0) && !inside(1) && entries(0) + entries(1) == before,
           "a vCPU runs");
}

void expect_runs(unsigned cpu)
{
    unsigned before = entries(cpu);

    while (!told.without_kvm && entries(cpu) == before) {
        sched_yield();
    }
}

int busy_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    sched_yield();
    return -EAGAIN;
}

static void reset_machine(void *opaque)
{
    ck_assert(memory_lock_held());
    ck_assert_ptr_eq(opaque, &told.resets);
    expect_at_rest();
    told.resets++;
    if (told.resets_at_once) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static void power_button(void *opaque)
{
    ck_assert(memory_lock_held());
    ck_assert_ptr_eq(opaque, &told.resets);
    told.presses++;
}

static void go_to_sleep(void *opaque)
{
    ck_assert(memory_lock_held());
    ck_assert_ptr_eq(opaque, &told.resets);
    expect_at_rest();
    told.sleeps++;
    if (told.wakes_at_once) {
        vm_request_wakeup(WAKEUP_OTHER);
    }
}

static void wake_up(void *opaque, WakeupReason reason)
{
    ck_assert(memory_lock_held());
    ck_assert_ptr_eq(opaque, &told.resets);
    expect_at_rest();
    told.woken_by = reason;
    told.wakes++;
}

static const RunMachine world_machine = {
    .reset = reset_machine, .power_button = power_button,
    .suspend = go_to_sleep, .wakeup = wake_up, .opaque = &told.resets,
};

/* One at a time: what it asks for is served before the next. */
static gboolean next_step(void *opaque)
{
    unsigned *at = opaque;

    steps[(*at)++]();
    return *at < steps_nr ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void tell(bool no_kvm, const RunOptions *options, Step *const *story, unsigned nr,
          int status, const char *wanted)
{
    GError *err = NULL;
    unsigned at = 0;
    int got;

    told.without_kvm = no_kvm;
    steps = story;
    steps_nr = nr;
    told.resets = told.presses = told.sleeps = told.wakes = 0;
    told.events = g_string_new(NULL);
    world_make(&(KVMOptions){ 0 });
    fake.guest = fake.guest ? fake.guest : busy_guest;
    if (no_kvm) {
        expect(cpus_create(NULL, 2, &memory, &ports, &err), "cpus_create");
    } else {
        world_attach(2);
    }
    expect(cpus_start(&err), "cpus_start: %s", err ? err->message : "");
    vm_event_listen(note, told.events);
    g_idle_add(next_step, &at);
    got = vm_main_loop(options, &world_machine);
    vm_event_unlisten(note, told.events);
    ck_assert_str_eq(told.events->str, wanted);
    expect(got == status, "status %d, not %d", got, status);
    ck_assert_uint_eq(at, nr);
    expect_at_rest();
    expect(vm_run_state() == RUN_STATE_PRELAUNCH && !vm_shutdown_requested(),
           "it is not as before");
    world_free();
    g_string_free(told.events, TRUE);
}

const RunOptions plain, paused = { .start_paused = true },
                 ending = { .no_reboot = true },
                 staying = { .no_shutdown = true },
                 staying_always = { .no_shutdown = true,
                                    .no_reboot = true };

/* ---- steps ------------------------------------------------------------------------- */

void stop(void)
{
    vm_stop(RUN_STATE_PAUSED);
    expect_at_rest();
}

void cont(void)
{
    GError *err = NULL;

    expect(vm_start(&err), "it does not start: %s", err ? err->message : "");
    expect_runs(0);
    expect_runs(1);
}

void cont_refused(void)
{
    GError *err = NULL;

    expect(!vm_start(&err), "it starts");
    ck_assert_str_eq(err->message, "Resetting the Virtual Machine is required");
    g_clear_error(&err);
    expect(!vm_start(NULL), "it starts");
    expect_at_rest();
}

#define STATE_STEP(name, state)                              \
    void name(void)                                          \
    {                                                        \
        ck_assert_str_eq(run_state_name(vm_run_state()),     \
                         run_state_name(state));             \
        expect(vm_is_running() == (state == RUN_STATE_RUNNING), "running"); \
        if (state != RUN_STATE_RUNNING) {                    \
            expect_at_rest();                                \
        }                                                    \
    }
STATE_STEP(is_prelaunch, RUN_STATE_PRELAUNCH)
STATE_STEP(is_running, RUN_STATE_RUNNING)
STATE_STEP(is_paused, RUN_STATE_PAUSED)
STATE_STEP(is_debug, RUN_STATE_DEBUG)
STATE_STEP(is_suspended, RUN_STATE_SUSPENDED)
STATE_STEP(is_shutdown, RUN_STATE_SHUTDOWN)
STATE_STEP(is_internal_error, RUN_STATE_INTERNAL_ERROR)
STATE_STEP(is_panicked, RUN_STATE_GUEST_PANICKED)

void quit(void)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_QMP_QUIT, EXIT_GUEST_OFF);
}

void power_off(void)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
}

void reset(void)
{
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
}

void guest_reset(void)
{
    vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
}

void panic(void)
{
    vm_request_panic();
}

void powerdown(void)
{
    vm_request_powerdown();
}

void was_reset(void)
{
    ck_assert_uint_eq(told.resets, 1);
}

void was_pressed(void)
{
    ck_assert_uint_eq(told.presses, 1);
}

void debug_stop(void)
{
    vm_request_stop(RUN_STATE_DEBUG);
    vm_request_stop(RUN_STATE_PAUSED); /* too late */
}

void fails(void)
{
    vm_request_pause("a reason");
    vm_request_pause("another");
}

void kvm_fails(void)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_ERROR, EXIT_KVM_INTERNAL);
}

/* ---- time ------------------------------------------------------------------------- */

void time_stands(void)
{
    int64_t before = clock_virtual_ns();

    g_usleep(100);
    expect(clock_virtual_ns() == before, "it goes on");
}

void time_goes(void)
{
    int64_t before = clock_virtual_ns();

    while (clock_virtual_ns() == before) {
    }
}
