/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iothread: a thread with an event loop of its own, for devices that a user
 * gives one.
 */
#ifndef HW_CORE_IOTHREAD_H
#define HW_CORE_IOTHREAD_H

#include "hw/core/user-object.h"

/* Its loop: sources attached there are called in the thread, under no lock.
 * Whoever attaches any holds user_object_ref(), and has destroyed them before
 * user_object_unref(). */
GMainContext *iothread_context(UserObject *iothread);

#endif
