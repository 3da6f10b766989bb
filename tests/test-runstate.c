/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state: what each request leads to, in every state, and which events
 * tell of it; over a stand-in for KVM, and for a machine whose CPUs do not run.
 */
#include <unistd.h>

#include "cpu-debug.h"
#include "hw/core/clock.h"
#include "sysemu.h"
#include "tests/run-story.h"

/* ---- stop and go --------------------------------------------------------------------- */

START_TEST(stop_and_cont)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/paused RESUME SHUTDOWN(host-qmp-quit) ",
         is_running, stop, is_paused, stop, is_paused, cont, cont, is_running,
         quit);
}
END_TEST

START_TEST(paused_at_the_start)
{
    TELL(paused, EXIT_GUEST_OFF,
         "RESET(host-qmp-system-reset) RESUME STOP/paused "
         "SHUTDOWN(host-qmp-quit) ",
         is_prelaunch, stop, is_prelaunch, reset, was_reset, is_prelaunch, cont,
         is_running, stop, quit);
}
END_TEST

START_TEST(stop_requests)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/debug RESUME STOP/paused SHUTDOWN(host-qmp-quit) ",
         debug_stop, is_debug, debug_stop, stop, is_debug, cont, stop, debug_stop,
         is_paused, quit);
}
END_TEST

/* ---- reset ------------------------------------------------------------------------------ */

START_TEST(reset_while_running)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME RESET(guest-reset) SHUTDOWN(host-qmp-quit) ",
         guest_reset, was_reset, is_running, quit);
}
END_TEST

START_TEST(reset_while_stopped)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/paused RESET(host-qmp-system-reset) RESUME "
         "SHUTDOWN(host-qmp-quit) ",
         stop, reset, was_reset, is_prelaunch, cont, quit);
}
END_TEST

static void reset_twice(void)
{
    reset();
    guest_reset(); /* it has been asked for */
}

static void reset_and_quit(void)
{
    reset();
    quit();
}

START_TEST(one_reset_for_two)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME RESET(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         reset_twice, was_reset, reset_and_quit);
}
END_TEST

/* A guest that resets itself as soon as it runs keeps nobody else waiting. */

static void resets_again(void)
{
    told.resets_at_once = true;
    reset();
}

static void resets_no_more(void)
{
    told.resets_at_once = false;
}

START_TEST(reset_again_and_again)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME RESET(host-qmp-system-reset) RESET(guest-reset) "
         "SHUTDOWN(host-qmp-quit) ",
         resets_again, resets_no_more, quit);
}
END_TEST

START_TEST(no_reboot)
{
    TELL(ending, EXIT_GUEST_OFF,
         "RESUME SHUTDOWN(guest-reset) ", guest_reset);
}
END_TEST

/* ---- the end ------------------------------------------------------------------------------ */

static void second_end(void)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_SIGNAL, 7);
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_UI, 8);
    expect(vm_shutdown_requested(), "it was");
}

START_TEST(ends)
{
    TELL(plain, EXIT_GUEST_OFF, "RESUME SHUTDOWN(guest-shutdown) ",
         power_off);
    TELL(plain, 7, "RESUME SHUTDOWN(host-signal) ", second_end);
    TELL(paused, EXIT_GUEST_OFF,
         "SHUTDOWN(host-qmp-quit) ", quit);
    TELL(plain, EXIT_KVM_INTERNAL, "RESUME SHUTDOWN(host-error) ",
         kvm_fails);
}
END_TEST

START_TEST(no_shutdown)
{
    TELL(staying, EXIT_GUEST_OFF,
         "RESUME SHUTDOWN(guest-shutdown) STOP/shutdown "
         "SHUTDOWN(guest-shutdown) RESET(host-qmp-system-reset) RESUME "
         "SHUTDOWN(host-qmp-quit) ",
         power_off, is_shutdown, cont_refused, stop, is_shutdown, power_off,
         is_shutdown, reset, is_prelaunch, cont, quit);
    TELL(staying, EXIT_GUEST_OFF, /* what was told is not told again */
         "RESUME SHUTDOWN(guest-shutdown) STOP/shutdown "
         "RESET(host-qmp-system-reset) RESUME SHUTDOWN(host-qmp-quit) ",
         power_off, is_shutdown, reset, is_prelaunch, cont, quit);
}
END_TEST

START_TEST(no_shutdown_no_reboot)
{
    TELL(staying_always, EXIT_GUEST_OFF,
         "RESUME SHUTDOWN(host-qmp-system-reset) STOP/shutdown "
         "SHUTDOWN(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         reset, is_shutdown, cont_refused, reset, is_shutdown, quit);
}
END_TEST

/* What whoever started the program is to learn, or has asked for, ends it. */
static void test_ends_it(void)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 7);
}

static void power_off_and_signal(void)
{
    power_off();
    expect(!vm_shutdown_requested(), "that is no end");
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_SIGNAL, EXIT_GUEST_OFF);
    expect(vm_shutdown_requested(), "that is one");
    power_off();
}

START_TEST(no_shutdown_ends)
{
    TELL(staying, 7, "RESUME SHUTDOWN(guest-shutdown) ",
         test_ends_it);
    TELL(staying, EXIT_GUEST_OFF,
         "RESUME SHUTDOWN(host-signal) ", power_off_and_signal);
}
END_TEST

/* ---- failures -------------------------------------------------------------------------------- */

START_TEST(failures)
{
    g_autofree char *messages = NULL;

    fake_messages_begin();
    TELL(plain, EXIT_USAGE,
         "RESUME STOP/internal-error SHUTDOWN(host-qmp-quit) ",
         fails, is_internal_error, cont_refused, stop, debug_stop,
         is_internal_error, fails, quit);
    messages = fake_messages_end();
    ck_assert_ptr_nonnull(strstr(messages, "flatview: a reason\n"));
    ck_assert_ptr_null(strstr(messages, "another"));
    /* Once, with KVM and without. */
    g_auto(GStrv) parts = g_strsplit(messages, "flatview: a reason\n", 0);

    ck_assert_uint_eq(g_strv_length(parts), 3);
}
END_TEST

/* A reset helps; the status is that of a failure until it runs. */
START_TEST(failures_and_resets)
{
    fake_messages_begin();
    TELL(plain, EXIT_USAGE,
         "RESUME STOP/paused RESET(host-qmp-system-reset) "
         "SHUTDOWN(host-qmp-quit) ",
         stop, fails, is_internal_error, reset, is_prelaunch, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/internal-error RESET(host-qmp-system-reset) RESUME "
         "SHUTDOWN(host-qmp-quit) ",
         fails, reset, cont, is_running, quit);
    g_free(fake_messages_end());
}
END_TEST

START_TEST(failures_kept)
{
    TELL(staying, EXIT_KVM_INTERNAL,
         "RESUME STOP/internal-error SHUTDOWN(host-qmp-quit) ",
         kvm_fails, is_internal_error, cont_refused, quit);
}
END_TEST

START_TEST(panics)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME GUEST_PANICKED(poweroff) STOP/guest-panicked "
         "SHUTDOWN(guest-panic) ",
         panic);
    TELL(staying, EXIT_GUEST_OFF,
         "RESUME GUEST_PANICKED(pause) STOP/guest-panicked RESUME "
         "GUEST_PANICKED(pause) STOP/guest-panicked "
         "RESET(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         panic, is_panicked, stop, is_panicked, cont, panic, reset,
         is_prelaunch, quit);
}
END_TEST

START_TEST(power_button_pressed)
{
    TELL(plain, EXIT_GUEST_OFF, "RESUME POWERDOWN SHUTDOWN(host-qmp-quit) ",
         powerdown, was_pressed, is_running, quit);
    TELL(paused, EXIT_GUEST_OFF,
         "POWERDOWN SHUTDOWN(host-qmp-quit) ",
         powerdown, was_pressed, is_prelaunch, quit);
}
END_TEST

/* ---- the vCPUs ---------------------------------------------------------------------------------- */

/* Stopped to be looked at: nobody hears of it, and time goes on. */
static void look(void)
{
    int64_t before;

    cpus_stop();
    cpus_stop();
    expect_at_rest();
    expect(vm_is_running(), "it does not run");
    before = clock_virtual_ns();
    while (clock_virtual_ns() == before) {
    }
    cpus_go_on();
    expect_at_rest();
    cpus_go_on();
    expect_runs(0);
    cpus_stop();
    stop(); /* one in the other */
    cpus_go_on();
    expect_at_rest();
    cpus_stop();
    expect(vm_start(NULL), "it starts");
    expect_at_rest();
    cpus_go_on();
    expect_runs(1);
}

START_TEST(looked_at)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/paused RESUME SHUTDOWN(host-qmp-quit) ", look, quit);
}
END_TEST

static void hold(void)
{
    unsigned before;

    cpus_stop();
    cpus_get(1)->held = true;
    before = entries(1);
    cpus_go_on();
    expect_runs(0);
    cpus_stop();
    cpus_go_on();
    expect_runs(0);
    ck_assert_uint_eq(entries(1), before);
    cpus_stop();
    cpus_get(1)->held = false;
    cpus_go_on();
    expect_runs(1);
}

static void hold_to_the_end(void)
{
    cpus_stop();
    cpus_get(0)->held = true;
    cpus_go_on();
    quit();
}

START_TEST(held)
{
    TELL(plain, EXIT_GUEST_OFF, "RESUME SHUTDOWN(host-qmp-quit) ", hold,
         hold_to_the_end);
}
END_TEST

static void thread_ids(void)
{
    int first = cpu_thread_id(cpus_get(0)), second = cpu_thread_id(cpus_get(1));
    g_autofree char *path = g_strdup_printf("/proc/self/task/%d", first);

    expect(g_file_test(path, G_FILE_TEST_IS_DIR), "no %s", path);
    if (told.without_kvm) {
        expect(first == getpid() && second == getpid(), "%d, %d", first, second);
    } else {
        expect(first != second && first != getpid() && second != getpid(),
               "%d, %d", first, second);
    }
}

START_TEST(threads_have_ids)
{
    TELL(paused, EXIT_GUEST_OFF,
         "SHUTDOWN(host-qmp-quit) ", thread_ids, quit);
}
END_TEST

static void inject_nmi(void)
{
    GError *err = NULL;

    if (told.without_kvm) {
        expect(!cpu_inject_nmi(cpus_get(1), &err), "it took it");
        ck_assert_str_eq(err->message,
                         "vCPU 1 does not run: it takes no interrupts");
        g_error_free(err);
        return;
    }
    expect(cpu_inject_nmi(cpus_get(1), &err), "%s", err ? err->message : "");
    ck_assert_uint_eq(fake.cpus[1].nmis, 1);
    ck_assert_uint_eq(fake.cpus[0].nmis, 0);
    expect_runs(1);
    fake.fail_request = KVM_NMI;
    fake.fail_errno = EINVAL;
    expect(!cpu_inject_nmi(cpus_get(1), &err), "it took it");
    ck_assert_str_eq(err->message, "KVM_NMI of vCPU 1: Invalid argument");
    g_error_free(err);
    expect_runs(1);
}

START_TEST(nmi)
{
    TELL(plain, EXIT_GUEST_OFF, "RESUME SHUTDOWN(host-qmp-quit) ",
         inject_nmi, quit);
}
END_TEST

/* ---- time ----------------------------------------------------------------------------------------- */

START_TEST(virtual_time)
{
    TELL(paused, EXIT_GUEST_OFF,
         "RESET(host-qmp-system-reset) RESUME STOP/paused RESUME "
         "RESET(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         time_stands, reset, time_stands, cont, time_goes, stop, time_stands,
         cont, time_goes, reset, time_goes, quit);
}
END_TEST

/* ---- requests from vCPUs and threads ----------------------------------------------------------------- */

static unsigned asked_at; /* entries of vCPU 0 when it asked; 0: not yet */

/* The main loop goes on when it sees asked_at: the request is made by then. */
static int asking_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    if (cpu == 0 && !__atomic_load_n(&asked_at, __ATOMIC_SEQ_CST)) {
        vm_request_stop(RUN_STATE_DEBUG);
        __atomic_store_n(&asked_at, entries(0), __ATOMIC_SEQ_CST);
    }
    return -EAGAIN;
}

static void wait_asked(void)
{
    while (!__atomic_load_n(&asked_at, __ATOMIC_SEQ_CST)) {
        sched_yield();
    }
}

static void no_further(void)
{
    ck_assert_uint_eq(entries(0), asked_at);
    is_debug();
}

static void use_asking_guest(void)
{
    cpus_stop();
    fake.guest = asking_guest;
    cpus_go_on();
}

START_TEST(a_vcpu_asks)
{
    TELL_ONE(false, plain, EXIT_GUEST_OFF,
             "RESUME STOP/debug RESUME SHUTDOWN(host-qmp-quit) ",
             use_asking_guest, wait_asked, no_further, cont, quit);
}
END_TEST

#define NAGGING_THREADS 3
#define NAGS 200

static unsigned nagging;

static void *nag_thread(void *opaque)
{
    unsigned seed = GPOINTER_TO_UINT(opaque);

    for (unsigned i = 0; i < NAGS; i++) {
        switch ((i * 7 + seed) % 8) {
        case 0:
            vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
            break;
        case 1:
            vm_request_stop(RUN_STATE_PAUSED);
            break;
        case 2:
            vm_request_powerdown();
            break;
        case 3:
            vm_request_panic();
            break;
        case 4:
            power_off(); /* only stops it */
            break;
        case 5:
            vm_request_suspend();
            break;
        case 6:
            vm_request_wakeup(WAKEUP_OTHER);
            break;
        default:
            memory_lock();
            cpus_pause_all();
            cpus_resume_all();
            memory_unlock();
        }
        if (vm_is_running() != (vm_run_state() == RUN_STATE_RUNNING)) {
            sched_yield(); /* it changed in between */
        }
        if (i % 8 == seed % 8) {
            g_usleep(100);
        }
    }
    __atomic_sub_fetch(&nagging, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Stops and starts alternate, and so do sleep and waking up. */
static void check_alternation(const VMEvent *e, void *opaque)
{
    bool *stopped = opaque;
    bool stops = e->kind == VM_EVENT_STOP || e->kind == VM_EVENT_SUSPEND;

    if (stops || e->kind == VM_EVENT_RESUME || e->kind == VM_EVENT_WAKEUP) {
        expect(*stopped != stops, "twice the same");
        *stopped = stops;
    }
}

static gboolean keep_going(void *opaque)
{
    cpus_stop();
    cpus_go_on();
    if (!vm_start(NULL)) {
        reset();
    }
    vm_request_wakeup(WAKEUP_OTHER);
    if (!__atomic_load_n(&nagging, __ATOMIC_SEQ_CST)) {
        quit();
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

START_TEST(threads_ask)
{
    GThread *threads[NAGGING_THREADS];
    bool stopped = true;
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    fake.guest = busy_guest;
    world_attach(3);
    ck_assert(cpus_start(&err));
    g_main_context_default();
    vm_event_listen(check_alternation, &stopped);
    nagging = NAGGING_THREADS;
    for (unsigned i = 0; i < NAGGING_THREADS; i++) {
        threads[i] = g_thread_new("nag", nag_thread, GUINT_TO_POINTER(i));
    }
    g_idle_add(keep_going, NULL);
    ck_assert_int_eq(vm_main_loop(&(RunOptions){ .no_shutdown = true },
                                  &(RunMachine){ 0 }), EXIT_GUEST_OFF);
    for (unsigned i = 0; i < NAGGING_THREADS; i++) {
        g_thread_join(threads[i]);
    }
    vm_event_unlisten(check_alternation, &stopped);
    world_free();
}
END_TEST

/* ---- names and listeners -------------------------------------------------------------------------- */

START_TEST(names)
{
    ck_assert_str_eq(run_state_name(RUN_STATE_DEBUG), "debug");
    ck_assert_str_eq(shutdown_cause_name(SHUTDOWN_CAUSE_NONE), "none");
    ck_assert_str_eq(shutdown_cause_name(SHUTDOWN_CAUSE_HOST_UI), "host-ui");
    ck_assert_str_eq(shutdown_cause_name(SHUTDOWN_CAUSE_SUBSYSTEM_RESET),
                     "subsystem-reset");
    for (ShutdownCause c = 0; c <= SHUTDOWN_CAUSE_SUBSYSTEM_RESET; c++) {
        expect(shutdown_cause_is_guest(c) ==
                   g_str_has_prefix(shutdown_cause_name(c), "guest-"),
               "%s", shutdown_cause_name(c));
    }
}
END_TEST

static void hear(const VMEvent *event, void *opaque)
{
    g_string_append_printf(told.events, "%s%" PRId64 " ", (char *)opaque,
                           event->offset);
}

static void tell_listeners(int64_t number)
{
    vm_event_send(&(VMEvent){ .kind = VM_EVENT_RTC_CHANGE, .offset = number });
}

START_TEST(listeners)
{
    char a[] = "a", b[] = "b", c[] = "c";

    told.events = g_string_new(NULL);
    tell_listeners(0);
    vm_event_unlisten(hear, a); /* it does not: nothing */
    vm_event_listen(hear, a);
    vm_event_listen(hear, b);
    vm_event_listen(hear, c);
    tell_listeners(1);
    vm_event_unlisten(hear, a);
    tell_listeners(2);
    vm_event_listen(hear, a);
    tell_listeners(3);
    vm_event_unlisten(hear, b);
    vm_event_unlisten(hear, c);
    vm_event_unlisten(hear, a);
    tell_listeners(4);
    ck_assert_str_eq(told.events->str, "a1 b1 c1 b2 c2 b3 c3 a3 ");
    g_string_free(told.events, TRUE);
}
END_TEST

TEST_MAIN("runstate", stop_and_cont, paused_at_the_start, stop_requests,
          reset_while_running, reset_while_stopped, one_reset_for_two,
          reset_again_and_again, no_reboot,
          ends, no_shutdown, no_shutdown_no_reboot, no_shutdown_ends, failures,
          failures_and_resets, failures_kept, panics, power_button_pressed,
          looked_at, held, threads_have_ids, nmi, virtual_time,
          a_vcpu_asks, threads_ask, names, listeners)
