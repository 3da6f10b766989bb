/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state while the guest sleeps: who wakes it, and what other requests lead to;
 * over a stand-in for KVM, and for a machine whose CPUs do not run.
 */
#include "tests/run-story.h"

static void suspend(void)
{
    vm_request_suspend();
}

static void wakeup(void)
{
    vm_request_wakeup(WAKEUP_OTHER);
}

static void wakeup_by_clock(void)
{
    vm_request_wakeup(WAKEUP_RTC);
}

static void clock_may(void)
{
    vm_set_rtc_wakes(true);
}

static void clock_may_not(void)
{
    vm_set_rtc_wakes(false);
}

static void user_wakes(void)
{
    GError *err = NULL;

    expect(vm_wakeup(&err), "not woken: %s", err ? err->message : "");
    is_running();
    ck_assert_int_eq(told.woken_by, WAKEUP_OTHER);
    expect_runs(0);
    expect_runs(1);
}

static void nobody_sleeps(void)
{
    GError *err = NULL;

    expect(!vm_wakeup(&err), "woken");
    ck_assert_str_eq(err->message,
                     "Unable to wake up: guest is not in suspended state");
    g_clear_error(&err);
}

static void was_asleep(void)
{
    is_running();
    ck_assert_uint_eq(told.sleeps, 1);
    ck_assert_uint_eq(told.wakes, 1);
    ck_assert_uint_eq(told.resets, 0);
    expect_runs(0);
    expect_runs(1);
}

static void was_not_asleep(void)
{
    ck_assert_uint_eq(told.sleeps, 0);
    ck_assert_uint_eq(told.wakes, 0);
}

static void by_clock(void)
{
    ck_assert_int_eq(told.woken_by, WAKEUP_RTC);
}

static void suspend_and_wake(void)
{
    suspend();
    wakeup();
}

static void suspend_and_reset(void)
{
    suspend();
    reset();
}

static void wake_and_reset(void)
{
    wakeup();
    reset();
}

/* Before the request is served, the user has stopped it. */
static void suspend_and_stop(void)
{
    suspend();
    stop();
}

static void suspend_wake_and_stop(void)
{
    suspend_and_wake();
    stop();
}

/* What the last step asked for while it was served is served, too. */
static void wait_a_round(void)
{
}

/* Of two that wake it, the second finds it awake. */
static void wake_twice_and_suspend(void)
{
    wakeup();
    expect(vm_wakeup(NULL), "not woken");
    suspend();
}

static void cont_to_sleep(void)
{
    unsigned before = entries(0) + entries(1);

    expect(vm_start(NULL), "it does not start");
    g_usleep(1000);
    expect(entries(0) + entries(1) == before, "it goes on before it sleeps");
}

static void cont_sleeping(void)
{
    expect(vm_start(NULL), "refused");
    is_suspended();
}

static void stop_sleeping(void)
{
    stop();
    is_suspended();
}

static void fail_sleeping(void)
{
    vm_stop(RUN_STATE_INTERNAL_ERROR);
    is_internal_error();
}

START_TEST(sleep_and_wake)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND WAKEUP SHUTDOWN(host-qmp-quit) ",
         nobody_sleeps, suspend, is_suspended, time_goes, suspend, is_suspended,
         cont_sleeping, stop_sleeping, time_goes, user_wakes, was_asleep,
         nobody_sleeps, time_goes, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND POWERDOWN WAKEUP SUSPEND SHUTDOWN(host-qmp-quit) ",
         wakeup, is_running, suspend, is_suspended, powerdown, is_suspended,
         wakeup, was_asleep, suspend, is_suspended, quit);
    TELL(plain, EXIT_GUEST_OFF, "RESUME SUSPEND WAKEUP SHUTDOWN(host-qmp-quit) ",
         suspend_and_wake, was_asleep, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND WAKEUP SUSPEND SHUTDOWN(host-qmp-quit) ",
         suspend, is_suspended, wake_twice_and_suspend, is_suspended, quit);
    told.wakes_at_once = true;
    TELL(plain, EXIT_GUEST_OFF, "RESUME SUSPEND WAKEUP SHUTDOWN(host-qmp-quit) ",
         suspend, wait_a_round, was_asleep, quit);
    told.wakes_at_once = false;
}
END_TEST

START_TEST(sleep_and_clock)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND WAKEUP SHUTDOWN(host-qmp-quit) ",
         suspend, wakeup_by_clock, is_suspended, clock_may, is_suspended,
         wakeup_by_clock, was_asleep, by_clock, quit);
    /* Not as the last one left it. */
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND SHUTDOWN(host-qmp-quit) ",
         suspend, wakeup_by_clock, is_suspended, clock_may, clock_may_not,
         wakeup_by_clock, is_suspended, quit);
}
END_TEST

START_TEST(sleep_and_reset)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND RESET(host-qmp-system-reset) RESUME "
         "SHUTDOWN(host-qmp-quit) ",
         suspend, is_suspended, reset, is_prelaunch, time_stands, nobody_sleeps, cont,
         was_reset, is_running, time_goes, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME RESET(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         suspend_and_reset, was_reset, is_running, was_not_asleep, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND RESET(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         suspend, wake_and_reset, was_reset, is_prelaunch, quit);
    TELL(ending, EXIT_GUEST_OFF, "RESUME SUSPEND SHUTDOWN(host-qmp-system-reset) ",
         suspend, is_suspended, reset);
    TELL(staying_always, EXIT_GUEST_OFF,
         "RESUME SUSPEND SHUTDOWN(host-qmp-system-reset) SHUTDOWN(host-qmp-quit) ",
         suspend, reset, is_shutdown, time_stands, cont_refused, nobody_sleeps, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME SUSPEND SHUTDOWN(host-qmp-quit) ",
         suspend, fail_sleeping, time_stands, cont_refused, quit);
}
END_TEST

START_TEST(sleep_of_a_stopped_one)
{
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/paused RESUME SUSPEND WAKEUP SHUTDOWN(host-qmp-quit) ",
         suspend_and_stop, is_paused, is_paused, time_stands, cont_to_sleep,
         is_suspended, user_wakes, was_asleep, quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/paused RESUME SUSPEND WAKEUP SHUTDOWN(host-qmp-quit) ",
         suspend_wake_and_stop, is_paused, was_not_asleep, cont_to_sleep, was_asleep,
         quit);
    TELL(plain, EXIT_GUEST_OFF,
         "RESUME STOP/paused RESET(host-qmp-system-reset) RESUME "
         "SHUTDOWN(host-qmp-quit) ",
         suspend_and_stop, is_paused, reset, is_prelaunch, cont, is_running,
         was_not_asleep, quit);
}
END_TEST

TEST_MAIN("runstate-sleep", sleep_and_wake, sleep_and_clock, sleep_and_reset,
          sleep_of_a_stopped_one)
