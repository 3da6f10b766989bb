/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual clock, and its timers: a list in the order of deadlines, and one
 * source of the main loop, which is woken for the first by the kernel's timer: to the
 * nanosecond that the host can do, where the main loop itself counts milliseconds.
 *
 * Locks: the memory lock for timers, and a leaf for the clock.
 */
#include "hw/core/timer.h"

#include <pthread.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "hw/core/clock.h"
#include "memory.h"

#define NS_PER_S 1000000000ll
#define NS_PER_US 1000

/* For what waits on the host's clock: its first nanosecond has passed. */
#define AT_ONCE 1
#define NEVER INT64_MAX

static struct {
    pthread_mutex_t mutex;
    bool made;
    bool runs;
    int64_t ns; /* where it stands; while it runs, what to add to the host's */
} vclock = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* The memory lock */
static struct {
    bool manual;
    GSequence *armed; /* Timer *; NULL: none yet */
    GSource *source;
    int fd;         /* the kernel's timer; negative: there is none, and the source itself
                     * is less exact */
    int64_t ready;  /* what it is set to */
    uint64_t order; /* of the next to be armed */
} timers;

/* ---- the clock -------------------------------------------------------------- */

static int64_t host_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void clock_lock(void)
{
    pthread_mutex_lock(&vclock.mutex);
    if (!vclock.made) {
        vclock.made = vclock.runs = true;
        vclock.ns = -host_ns();
    }
}

static void clock_unlock(void)
{
    pthread_mutex_unlock(&vclock.mutex);
}

int64_t clock_virtual_ns(void)
{
    int64_t ns;

    clock_lock();
    ns = vclock.ns + (vclock.runs ? host_ns() : 0);
    clock_unlock();
    return ns;
}

/* Only who has the memory lock changes it. */
static bool clock_runs(void)
{
    bool runs;

    clock_lock();
    runs = vclock.runs;
    clock_unlock();
    return runs;
}

static void clock_stand_at(int64_t ns)
{
    clock_lock();
    vclock.runs = false;
    vclock.ns = ns;
    clock_unlock();
}

/* ---- the first deadline -------------------------------------------------------- */

static Timer *timer_first(void)
{
    GSequenceIter *first;

    if (!timers.armed || g_sequence_is_empty(timers.armed)) {
        return NULL;
    }
    first = g_sequence_get_begin_iter(timers.armed);
    return g_sequence_get(first);
}

/* When the main loop has something to do, on the host's clock; NEVER: not as things are. */
static int64_t ready_ns(void)
{
    Timer *first = timer_first();
    int64_t deadline, ready;

    if (!first) {
        return NEVER;
    }
    deadline = MIN(first->deadline_ns, CLOCK_NS_MAX);
    clock_lock();
    if (vclock.runs) {
        ready = deadline - vclock.ns;
    } else {
        ready = timers.manual && deadline <= vclock.ns ? AT_ONCE : NEVER;
    }
    clock_unlock();
    return MAX(ready, AT_ONCE);
}

static void source_update(void)
{
    int64_t ready = timers.source ? ready_ns() : timers.ready;

    if (ready == timers.ready) {
        return;
    }
    timers.ready = ready;
    if (timers.fd < 0) {
        g_source_set_ready_time(timers.source,
                                ready == NEVER ? -1 : ready / NS_PER_US + 1);
    } else {
        struct itimerspec spec = { 0 }; /* never */

        if (ready != NEVER) {
            spec.it_value = (struct timespec){ ready / NS_PER_S, ready % NS_PER_S };
        }
        timerfd_settime(timers.fd, TFD_TIMER_ABSTIME, &spec, NULL);
    }
}

void clock_virtual_enable(bool run)
{
    if (timers.manual) {
        return;
    }
    clock_lock();
    if (run != vclock.runs) {
        vclock.ns += run ? -host_ns() : host_ns();
        vclock.runs = run;
    }
    clock_unlock();
    source_update();
}

void clock_virtual_set_manual(void)
{
    timers.manual = true;
    vclock.made = true;
    clock_stand_at(0);
}

int64_t clock_virtual_deadline_ns(void)
{
    Timer *first = timer_first();

    return first ? first->deadline_ns : INT64_MAX;
}

/* ---- meeting deadlines ---------------------------------------------------------- */

static void timer_fire(Timer *timer)
{
    g_sequence_remove(timer->place);
    timer->place = NULL;
    timer->fire(timer->opaque);
}

bool clock_virtual_advance_to(int64_t ns)
{
    unsigned fires = 0;
    Timer *first;
    bool whole = true;

    while (whole && (first = timer_first()) && first->deadline_ns <= ns) {
        clock_stand_at(MAX(first->deadline_ns, clock_virtual_ns()));
        timer_fire(first);
        whole = ++fires < CLOCK_FIRES_MAX;
    }
    if (whole) {
        clock_stand_at(MAX(ns, clock_virtual_ns()));
    }
    source_update();
    return whole;
}

/* Those that are due by now: one that is armed again waits for the next round,
 * even if for no time. Another thread may have changed all since it was woken. */
static gboolean timers_dispatch(GSource *source, GSourceFunc callback,
                                gpointer opaque)
{
    int64_t now;
    uint64_t end, times;
    Timer *first;

    memory_lock();
    timers.ready = 0; /* it has gone off: neither a time nor NEVER */
    if (timers.fd >= 0) {
        /* Nothing to read: somebody has set it anew since. The list says what is due. */
        ssize_t got = read(timers.fd, &times, sizeof(times));

        (void)got;
    }
    now = clock_virtual_ns();
    end = timers.order;
    while ((clock_runs() || timers.manual) && (first = timer_first()) &&
           first->deadline_ns <= now && first->order < end) {
        timer_fire(first);
    }
    source_update();
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timers_dispatch };

static void source_make(void)
{
    timers.source = g_source_new(&timer_funcs, sizeof(GSource));
    timers.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (timers.fd >= 0) {
        g_source_add_unix_fd(timers.source, timers.fd, G_IO_IN);
    }
    g_source_attach(timers.source, NULL);
}

/* ---- timers ---------------------------------------------------------------------- */

static int timer_compare(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const Timer *x = a, *y = b;

    if (x->deadline_ns != y->deadline_ns) {
        return x->deadline_ns < y->deadline_ns ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

void timer_init(Timer *timer, void (*fire)(void *opaque), void *opaque)
{
    *timer = (Timer){ .fire = fire, .opaque = opaque };
}

void timer_cleanup(Timer *timer)
{
    timer_cancel(timer);
}

void timer_arm_ns(Timer *timer, int64_t deadline_ns)
{
    Timer *first = timer_first();

    if (!timers.armed) {
        timers.armed = g_sequence_new(NULL);
        source_make();
    }
    if (timer->place) {
        g_sequence_remove(timer->place);
    }
    timer->deadline_ns = deadline_ns;
    timer->order = timers.order++;
    timer->place = g_sequence_insert_sorted(timers.armed, timer, timer_compare,
                                            NULL);
    if (first == timer || timer_first() == timer) {
        source_update();
    }
}

void timer_arm(Timer *timer, int64_t delay_us)
{
    timer_arm_ns(timer, clock_virtual_ns() + delay_us * NS_PER_US);
}

void timer_cancel(Timer *timer)
{
    if (timer->place) {
        bool first = timer_first() == timer;

        g_sequence_remove(timer->place);
        timer->place = NULL;
        if (first) {
            source_update();
        }
    }
}

bool timer_is_armed(const Timer *timer)
{
    return timer->place != NULL;
}
