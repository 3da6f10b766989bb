/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys struck as a person does it: one after the other, each held for a while.
 *
 * All functions under the memory lock.
 */
#ifndef HW_INPUT_KEY_SEQUENCE_H
#define HW_INPUT_KEY_SEQUENCE_H

#include <glib.h>
#include <stdbool.h>

#define KEY_HOLD_MS 10 /* unless somebody says otherwise */

#define KEY_SEQUENCE_MAX 1024 /* presses and releases that wait */

/* Press @codes in their order, release them in the opposite one; after each press and
 * release @hold_ms of the virtual clock pass before the next one, also before the first
 * one of the next call. 0 among @codes is no key, but takes its time. False with @err:
 * too much waits already; nothing is pressed then. */
bool key_sequence_send(const unsigned *codes, unsigned nr, unsigned hold_ms, GError **err);

#endif
