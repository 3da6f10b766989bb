/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timer: one deadline on the virtual clock (hw/core/clock.h), met by the main
 * loop (of the default GMainContext) with the memory lock held. It is never
 * early, and as late as the host wakes the main loop, which may have others to
 * serve; exact where the clock is moved by hand. It waits while the machine is
 * stopped: what is to happen in the host's time, such as looking for a peer, is
 * a GSource instead.
 *
 * All functions under the memory lock, or before the machine runs.
 */
#ifndef HW_CORE_TIMER_H
#define HW_CORE_TIMER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Timer {
    void (*fire)(void *opaque);
    void *opaque;
    /* Private to timer.c: */
    GSequenceIter *place; /* NULL: not armed */
    int64_t deadline_ns;
    uint64_t order; /* among equal deadlines: as they were armed */
} Timer;

/* Not armed. @fire may arm it again. */
void timer_init(Timer *timer, void (*fire)(void *opaque), void *opaque);

/* Cancels, too; @timer may be all-zero. */
void timer_cleanup(Timer *timer);

/* Fire once, in @delay_us microseconds; replaces an earlier deadline. One that
 * is over, or 0, is met by the main loop's next round. */
void timer_arm(Timer *timer, int64_t delay_us);

/* Fire once, at @deadline_ns of clock_virtual_ns(). */
void timer_arm_ns(Timer *timer, int64_t deadline_ns);

void timer_cancel(Timer *timer);
bool timer_is_armed(const Timer *timer);

#endif
