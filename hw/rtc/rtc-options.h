/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The argument of -rtc.
 */
#ifndef HW_RTC_RTC_OPTIONS_H
#define HW_RTC_RTC_OPTIONS_H

#include "hw/core/machine.h"

/* What may be given, for the option's help: the keys and their values. */
extern const char rtc_options_help[];

/* "base=utc|localtime|DATETIME,clock=host|rt|vm,driftfix=none", each once or not at
 * all, into @settings; what is not given stays as it is there. False with @err,
 * and @settings as they were. */
bool rtc_options_parse(const char *text, RTCSettings *settings, GError **err);

#endif
