/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of the machine's devices: nanoseconds since it was made, standing
 * still while the machine is stopped. Timers (hw/core/timer.h) follow it.
 *
 * In a machine whose CPUs do not run (-accel qtest) it is moved by hand.
 */
#ifndef HW_CORE_CLOCK_H
#define HW_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Now. Any thread, no lock. */
int64_t clock_virtual_ns(void);

/* Let it run, or stand still; it runs at first. Under the memory lock. Nothing
 * where it is moved by hand. */
void clock_virtual_enable(bool run);

/* From now on it stands, but for clock_virtual_advance_to(). Before timers are
 * made. */
void clock_virtual_set_manual(void);

/* The earliest deadline of a timer; INT64_MAX: none is armed. Under the memory
 * lock. */
int64_t clock_virtual_deadline_ns(void);

/* Moved by hand: fire every timer due by @ns, each with the clock at its
 * deadline, then leave it at @ns. Nothing where that is in the past. A timer that
 * arms itself again and again without end is the caller's to fear: what one
 * call fires is bounded by CLOCK_FIRES_MAX, after which it returns false with
 * the clock where it has come to. Under the memory lock. */
bool clock_virtual_advance_to(int64_t ns);

#define CLOCK_FIRES_MAX 10000000u

/* The last moment that it can show, 146 years after the first. */
#define CLOCK_NS_MAX (INT64_MAX / 2)

#endif
