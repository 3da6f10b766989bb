/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a board and the tests set in the device mc146818rtc.
 */
#ifndef HW_RTC_MC146818_H
#define HW_RTC_MC146818_H

#include "hw/core/device.h"

#define MC146818_CENTURY 0x32 /* index of the century, for FADT CENTURY */
#define MC146818_CMOS_SIZE 128

/* Set byte @index of the memory beyond the clock's registers (from 14 on, but
 * not the century, which is at 0x37, too): what the guest finds there, e.g. the size
 * of RAM. */
void mc146818_set_cmos(Device *dev, unsigned index, uint8_t value);

/* Take the time, microseconds since 1970 UTC, from @now instead of the host's
 * clock. Before the guest runs. */
void mc146818_set_clock(Device *dev, int64_t (*now)(void *opaque),
                        void *opaque);

#endif
