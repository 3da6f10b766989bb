/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timer: one deadline, met by the main loop (of the default GMainContext) with
 * the memory lock held. It is never early, and late by a millisecond or more.
 * All functions under the memory lock, or before the machine runs.
 */
#ifndef HW_CORE_TIMER_H
#define HW_CORE_TIMER_H

#include <glib.h>
#include <stdbool.h>

typedef struct Timer {
    GSource *source;
    void (*fire)(void *opaque);
    void *opaque;
} Timer;

/* Not armed. @fire may arm it again. */
void timer_init(Timer *timer, void (*fire)(void *opaque), void *opaque);

/* Cancels, too; @timer may be all-zero. */
void timer_cleanup(Timer *timer);

/* Fire once, in @delay_us microseconds; replaces an earlier deadline. */
void timer_arm(Timer *timer, int64_t delay_us);

void timer_cancel(Timer *timer);
bool timer_is_armed(const Timer *timer);

#endif
