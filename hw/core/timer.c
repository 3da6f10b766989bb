/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers as sources of the main loop, woken from any thread.
 */
#include "hw/core/timer.h"
#include "memory.h"

typedef struct TimerSource {
    GSource base;
    Timer *timer;
} TimerSource;

static gboolean timer_dispatch(GSource *source, GSourceFunc callback,
                               gpointer opaque)
{
    int64_t ready;

    memory_lock();
    /* Another thread may have moved or removed the deadline meanwhile. */
    ready = g_source_get_ready_time(source);
    if (!g_source_is_destroyed(source) && ready >= 0 &&
        ready <= g_source_get_time(source)) {
        Timer *timer = ((TimerSource *)source)->timer;

        g_source_set_ready_time(source, -1);
        timer->fire(timer->opaque);
    }
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

void timer_init(Timer *timer, void (*fire)(void *opaque), void *opaque)
{
    timer->source = g_source_new(&timer_funcs, sizeof(TimerSource));
    timer->fire = fire;
    timer->opaque = opaque;
    ((TimerSource *)timer->source)->timer = timer;
    g_source_attach(timer->source, NULL);
}

void timer_cleanup(Timer *timer)
{
    if (timer->source) {
        g_source_destroy(timer->source);
        g_clear_pointer(&timer->source, g_source_unref);
    }
}

void timer_arm(Timer *timer, int64_t delay_us)
{
    g_source_set_ready_time(timer->source, g_get_monotonic_time() + delay_us);
}

void timer_cancel(Timer *timer)
{
    g_source_set_ready_time(timer->source, -1);
}

bool timer_is_armed(const Timer *timer)
{
    return g_source_get_ready_time(timer->source) >= 0;
}
