/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual clock and its timers: moved by hand, in the host's time, and while
 * the machine is stopped.
 */
#include <errno.h>

#include "hw/core/clock.h"
#include "hw/core/timer.h"
#include "memory.h"
#include "tests/test-util.h"

#define US 1000ll
#define NEVER INT64_MAX

/* A timer, and when it fired. */
typedef struct Probe {
    Timer timer;
    unsigned fires;
    int64_t at;      /* the clock, the last time */
    unsigned rank;   /* how many fired before, the last time */
    int64_t again;   /* ns to the next time; 0: none */
    Timer *victim;   /* cancelled meanwhile; NULL: none */
} Probe;

static Probe probe[4];
static unsigned all_fires;

static void probe_fire(void *opaque)
{
    Probe *p = opaque;

    ck_assert(memory_lock_held());
    expect(!timer_is_armed(&p->timer), "armed while it fires");
    p->fires++;
    p->at = clock_virtual_ns();
    p->rank = all_fires++;
    if (p->again) {
        timer_arm_ns(&p->timer, p->at + p->again);
    }
    if (p->victim) {
        timer_cancel(p->victim);
    }
}

static void probes_init(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(probe); i++) {
        timer_init(&probe[i].timer, probe_fire, &probe[i]);
    }
}

static void probes_cleanup(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(probe); i++) {
        timer_cleanup(&probe[i].timer);
    }
    expect(clock_virtual_deadline_ns() == NEVER, "one is left");
}

static void manual(void)
{
    clock_virtual_set_manual();
    probes_init();
    expect(clock_virtual_ns() == 0, "it starts at %" PRId64, clock_virtual_ns());
}

static bool advance(int64_t ns)
{
    bool whole;

    memory_lock();
    whole = clock_virtual_advance_to(ns);
    memory_unlock();
    return whole;
}

static void loop(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

#define expect_ns(value, wanted)                                          \
    do {                                                                  \
        int64_t got_ = value;                                             \
        expect(got_ == (wanted), #value " is %" PRId64 ", not " #wanted,  \
               got_);                                                     \
    } while (0)

/* ---- by hand ------------------------------------------------------------------- */

/* By deadline, and those of the same as they were armed; each sees its time. */
START_TEST(order)
{
    manual();
    expect_ns(clock_virtual_deadline_ns(), NEVER);
    timer_arm_ns(&probe[0].timer, 30);
    timer_arm_ns(&probe[1].timer, 10);
    timer_arm_ns(&probe[2].timer, 20);
    timer_arm_ns(&probe[3].timer, 10);
    expect_ns(clock_virtual_deadline_ns(), 10);
    ck_assert(advance(9));
    ck_assert_uint_eq(all_fires, 0);
    expect_ns(clock_virtual_ns(), 9);
    ck_assert(advance(25));
    ck_assert_uint_eq(all_fires, 3);
    expect(probe[1].rank == 0 && probe[1].at == 10, "first");
    expect(probe[3].rank == 1 && probe[3].at == 10, "second");
    expect(probe[2].rank == 2 && probe[2].at == 20, "third");
    expect(!timer_is_armed(&probe[1].timer) && timer_is_armed(&probe[0].timer),
           "armed");
    expect_ns(clock_virtual_ns(), 25);
    expect_ns(clock_virtual_deadline_ns(), 30);
    ck_assert(advance(30)); /* to the very time */
    expect_ns(probe[0].at, 30);
    probes_cleanup();
}
END_TEST

START_TEST(microseconds)
{
    manual();
    advance(5);
    timer_arm(&probe[0].timer, 3);
    expect_ns(clock_virtual_deadline_ns(), 3 * US + 5);
    timer_arm(&probe[0].timer, 2); /* replaces it */
    expect_ns(clock_virtual_deadline_ns(), 2 * US + 5);
    timer_arm(&probe[0].timer, 4);
    expect_ns(clock_virtual_deadline_ns(), 4 * US + 5);
    advance(100 * US);
    ck_assert_uint_eq(probe[0].fires, 1);
    expect_ns(probe[0].at, 4 * US + 5);
    probes_cleanup();
}
END_TEST

START_TEST(rearming)
{
    manual();
    probe[0].again = 7;
    probe[1].again = 10;
    timer_arm_ns(&probe[0].timer, 7);
    timer_arm_ns(&probe[1].timer, 10);
    ck_assert(advance(70));
    ck_assert_uint_eq(probe[0].fires, 10);
    ck_assert_uint_eq(probe[1].fires, 7);
    expect_ns(probe[0].at, 70);
    expect_ns(probe[1].at, 70);
    expect_ns(clock_virtual_deadline_ns(), 77);
    probes_cleanup();
}
END_TEST

START_TEST(cancelling)
{
    static Timer zero;

    manual();
    timer_cancel(&probe[0].timer); /* not armed: nothing */
    timer_cleanup(&zero);
    timer_arm_ns(&probe[0].timer, 10);
    timer_arm_ns(&probe[1].timer, 20);
    timer_cancel(&probe[0].timer);
    expect(!timer_is_armed(&probe[0].timer), "armed");
    expect_ns(clock_virtual_deadline_ns(), 20);
    timer_arm_ns(&probe[2].timer, 20); /* both due, the first takes it away */
    probe[1].victim = &probe[2].timer;
    advance(30);
    ck_assert_uint_eq(probe[0].fires + probe[2].fires, 0);
    ck_assert_uint_eq(probe[1].fires, 1);
    probes_cleanup();
}
END_TEST

/* A deadline that is over is met without moving the clock back. */
START_TEST(the_past)
{
    manual();
    advance(100);
    timer_arm_ns(&probe[0].timer, 40);
    ck_assert(advance(50));
    expect_ns(clock_virtual_ns(), 100);
    expect_ns(probe[0].at, 100);
    ck_assert(advance(99));
    expect_ns(clock_virtual_ns(), 100);
    clock_virtual_enable(true); /* by hand means by hand */
    clock_virtual_enable(false);
    expect_ns(clock_virtual_ns(), 100);
    ck_assert(advance(INT64_MAX / 4));
    expect_ns(clock_virtual_ns(), INT64_MAX / 4);
    probes_cleanup();
}
END_TEST

static unsigned spins;

static void spin(void *opaque)
{
    spins++;
    timer_arm(opaque, 0);
}

START_TEST(bound)
{
    Timer timer;

    manual();
    timer_init(&timer, spin, &timer);
    timer_arm_ns(&timer, 10);
    timer_arm_ns(&probe[0].timer, 11);
    expect(!advance(20), "it says that it is done");
    ck_assert_uint_eq(spins, CLOCK_FIRES_MAX);
    expect_ns(clock_virtual_ns(), 10);
    ck_assert_uint_eq(probe[0].fires, 0);
    /* What the main loop does in one round is bounded, too. */
    g_main_context_iteration(NULL, FALSE);
    ck_assert_uint_eq(spins, CLOCK_FIRES_MAX + 1);
    timer_cleanup(&timer);
    ck_assert(advance(20));
    expect_ns(probe[0].at, 11);
    probes_cleanup();
}
END_TEST

/* What is due at once needs no step. */
START_TEST(due_at_once)
{
    manual();
    advance(10);
    timer_arm(&probe[0].timer, 0);
    timer_arm_ns(&probe[1].timer, 11);
    ck_assert_uint_eq(all_fires, 0);
    loop();
    expect_ns(probe[0].at, 10);
    ck_assert_uint_eq(probe[0].fires, 1);
    ck_assert_uint_eq(probe[1].fires, 0);
    probes_cleanup();
}
END_TEST

/* ---- in the host's time ----------------------------------------------------------- */

static void wait_fires(Probe *p, unsigned n)
{
    while (p->fires < n) {
        g_main_context_iteration(NULL, TRUE);
    }
}

START_TEST(never_early)
{
    int64_t before;

    probes_init();
    before = clock_virtual_ns();
    timer_arm_ns(&probe[0].timer, before + 3000 * US + 1);
    timer_arm(&probe[1].timer, 3000);
    timer_arm_ns(&probe[2].timer, before + 1500 * US); /* a new first */
    wait_fires(&probe[2], 1);
    wait_fires(&probe[0], 1);
    wait_fires(&probe[1], 1);
    expect(probe[2].at >= before + 1500 * US, "the third is early");
    expect(probe[0].at >= before + 3000 * US + 1, "the first is early");
    expect(probe[1].at >= before + 3000 * US, "the second is early");
    expect(probe[2].rank == 0, "the third comes first");
    probe[3].again = US / 4;
    timer_arm(&probe[3].timer, 0);
    wait_fires(&probe[3], 10);
    probes_cleanup();
}
END_TEST

/* The main loop waits for the kernel's timer, not for so many milliseconds of its own. */
START_TEST(exact)
{
    GMainContext *context = g_main_context_default();
    GPollFD fds[16];
    int timeout, priority;

    probes_init();
    timer_arm_ns(&probe[0].timer, clock_virtual_ns() + 3600 * 1000 * (1000 * US));
    g_main_context_acquire(context);
    g_main_context_prepare(context, &priority);
    g_main_context_query(context, G_MAXINT, &timeout, fds, G_N_ELEMENTS(fds));
    g_main_context_release(context);
    expect(timeout < 0, "it waits for %d ms", timeout);
    timer_arm_ns(&probe[1].timer, clock_virtual_ns() + 100 * US);
    wait_fires(&probe[1], 1);
    /* That it was woken for something does not wake it again. */
    expect(!g_main_context_iteration(NULL, FALSE), "woken twice");
    probes_cleanup();
}
END_TEST

/* Where the kernel gives none. */
static bool refuse_timerfd;

int __real_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_create(int clock, int flags)
{
    if (refuse_timerfd) {
        errno = EMFILE;
        return -1;
    }
    return __real_timerfd_create(clock, flags);
}

START_TEST(no_timer_of_the_kernel)
{
    int64_t before = clock_virtual_ns();

    refuse_timerfd = true;
    probes_init();
    timer_arm_ns(&probe[0].timer, before + 1500 * US);
    timer_arm_ns(&probe[1].timer, before + 500 * US);
    timer_arm_ns(&probe[2].timer, before - 1);
    wait_fires(&probe[0], 1);
    expect(probe[2].rank == 0 && probe[1].rank == 1, "out of order");
    expect(probe[0].at >= before + 1500 * US, "early");
    expect(probe[1].at >= before + 500 * US, "early");
    expect(!g_main_context_iteration(NULL, FALSE), "it does not rest");
    probes_cleanup();
}
END_TEST

/* It stands, nothing fires, and it goes on from there. */
START_TEST(stopped)
{
    int64_t before;

    probes_init();
    timer_arm(&probe[0].timer, 1000);
    clock_virtual_enable(false);
    before = clock_virtual_ns();
    timer_arm(&probe[1].timer, 0);
    g_usleep(5000);
    loop();
    ck_assert_uint_eq(all_fires, 0);
    expect_ns(clock_virtual_ns(), before);
    clock_virtual_enable(false); /* it stands already */
    expect_ns(clock_virtual_ns(), before);
    expect_ns(clock_virtual_deadline_ns(), before);
    clock_virtual_enable(true);
    wait_fires(&probe[0], 1);
    wait_fires(&probe[1], 1);
    expect(probe[1].rank == 0 && probe[1].at >= before, "the one that was due");
    probes_cleanup();
}
END_TEST

/* Stopped by what the main loop comes to before the timers, in the same round. */
static gboolean stop_clock(void *opaque)
{
    memory_lock();
    clock_virtual_enable(false);
    memory_unlock();
    return G_SOURCE_REMOVE;
}

START_TEST(stopped_before_timers)
{
    GSource *source = g_timeout_source_new(0);

    probes_init();
    g_source_set_callback(source, stop_clock, NULL, NULL);
    g_source_attach(source, NULL); /* before that of the timers, which are new */
    timer_arm(&probe[0].timer, 0);
    g_usleep(1000);
    loop();
    ck_assert_uint_eq(all_fires, 0);
    clock_virtual_enable(true);
    wait_fires(&probe[0], 1);
    g_source_unref(source);
    probes_cleanup();
}
END_TEST

/* The main loop sleeps; another thread's timer wakes it up. */
static void *arm_from_thread(void *opaque)
{
    memory_lock();
    timer_arm(&probe[0].timer, 100);
    memory_unlock();
    return NULL;
}

START_TEST(from_a_thread)
{
    GThread *thread;

    probes_init();
    g_main_context_default();
    timer_arm(&probe[1].timer, 3600ll * 1000 * 1000);
    for (unsigned i = 1; i <= 20; i++) {
        thread = g_thread_new("arm", arm_from_thread, NULL);
        wait_fires(&probe[0], i);
        g_thread_join(thread);
    }
    ck_assert_uint_eq(probe[1].fires, 0);
    probes_cleanup();
}
END_TEST

static unsigned reads_done;

static void *read_clock(void *opaque)
{
    int64_t last = clock_virtual_ns();

    for (unsigned i = 0; i < 20000; i++) {
        int64_t now = clock_virtual_ns();

        expect(now >= last, "back from %" PRId64 " to %" PRId64, last, now);
        last = now;
    }
    __atomic_add_fetch(&reads_done, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* Read without a lock while it stops and runs, it never goes back. */
START_TEST(monotonic)
{
    GThread *threads[2];

    for (unsigned i = 0; i < 2; i++) {
        threads[i] = g_thread_new("read", read_clock, NULL);
    }
    while (__atomic_load_n(&reads_done, __ATOMIC_ACQUIRE) < 2) {
        memory_lock();
        clock_virtual_enable(false);
        clock_virtual_enable(true);
        memory_unlock();
    }
    for (unsigned i = 0; i < 2; i++) {
        g_thread_join(threads[i]);
    }
}
END_TEST

TEST_MAIN("clock", order, microseconds, rearming, cancelling, the_past, bound,
          due_at_once, never_early, exact, no_timer_of_the_kernel, stopped,
          stopped_before_timers, from_a_thread, monotonic)
