/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EventNotifier: a wake-up between threads, or between the kernel and us, over
 * one eventfd(2). All functions may be called from any thread.
 */
#ifndef EVENT_NOTIFIER_H
#define EVENT_NOTIFIER_H

#include <stdbool.h>

typedef struct EventNotifier {
    int fd; /* -1 when not initialised */
} EventNotifier;

/* Create the descriptor (close-on-exec, non-blocking); @active: already
 * signalled. Returns 0 or -errno; on failure @e is safe to clean up. */
int event_notifier_init(EventNotifier *e, int active);

/* Adopt @fd, which the caller opened; event_notifier_cleanup() closes it. */
void event_notifier_init_fd(EventNotifier *e, int fd);

/* Close the descriptor. Nothing must wait on it any more. Idempotent. */
void event_notifier_cleanup(EventNotifier *e);

/* The descriptor, for poll(2) and for the kernel; owned by @e. */
int event_notifier_get_fd(const EventNotifier *e);

/* Signal. Returns 0 or -errno; an already signalled notifier stays so. */
int event_notifier_set(EventNotifier *e);

/* Return whether @e was signalled, and unsignal it. */
int event_notifier_test_and_clear(EventNotifier *e);

#endif
