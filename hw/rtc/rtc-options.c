/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The argument of -rtc. Dates are those of ISO 8601, without a zone: UTC.
 */
#include "hw/rtc/rtc-options.h"

#include <string.h>
#include <time.h>

#include "opts.h"

const char rtc_options_help[] =
    "base=utc|localtime|DATETIME,clock=host|rt|vm,driftfix=none";

#define US_PER_S 1000000

/* "2006-06-17T16:01:21" or "2006-06-17" to seconds since 1970. */
static bool parse_date(const char *text, int64_t *seconds)
{
    struct tm tm = { 0 }, normal;
    const char *end = strptime(text, "%Y-%m-%d", &tm);

    if (end && *end == 'T') {
        end = strptime(end, "T%H:%M:%S", &tm);
    }
    if (!end || *end || tm.tm_year < 0 || tm.tm_sec > 59) {
        return false;
    }
    normal = tm;
    *seconds = timegm(&normal);
    return normal.tm_mday == tm.tm_mday; /* not the 30th of February */
}

static bool set_base(RTCSettings *s, const char *value, GError **err)
{
    time_t now = time(NULL);
    struct tm tm;

    s->dated = false;
    s->offset_us = 0;
    if (strcmp(value, "utc") == 0) {
        return true;
    }
    if (strcmp(value, "localtime") == 0) {
        s->offset_us = (int64_t)localtime_r(&now, &tm)->tm_gmtoff * US_PER_S;
        return true;
    }
    s->dated = parse_date(value, &s->date);
    if (!s->dated) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "base=%s: neither utc nor localtime nor a date such as"
                    " 2006-06-17T16:01:21 or 2006-06-17, from 1900 on", value);
    }
    return s->dated;
}

static bool set_clock(RTCSettings *s, const char *value, GError **err)
{
    if (strcmp(value, "host") == 0) {
        s->clock = RTC_CLOCK_HOST;
    } else if (strcmp(value, "rt") == 0) {
        s->clock = RTC_CLOCK_RT;
    } else if (strcmp(value, "vm") == 0) {
        s->clock = RTC_CLOCK_VM;
    } else {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "clock=%s: it follows host (the time of day), rt (a clock"
                    " that nobody sets) or vm (one that stands with the machine)",
                    value);
        return false;
    }
    return true;
}

static bool set_driftfix(RTCSettings *s, const char *value, GError **err)
{
    if (strcmp(value, "none") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "driftfix=%s: ticks that the guest misses are not made up"
                    " for; leave it out, or say driftfix=none", value);
        return false;
    }
    return true;
}

static const struct {
    const char *name;
    bool (*set)(RTCSettings *s, const char *value, GError **err);
} keys[] = {
    { "base", set_base },
    { "clock", set_clock },
    { "driftfix", set_driftfix },
};

static bool set_key(RTCSettings *s, const Opt *opt, unsigned *seen,
                    GError **err)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].name, opt->key) != 0) {
            continue;
        }
        if (!opt->value) {
            g_set_error(err, FLATVIEW_ERROR, 0, "'%s' needs a value: %s",
                        opt->key, rtc_options_help);
            return false;
        }
        if (*seen & 1u << i) {
            g_set_error(err, FLATVIEW_ERROR, 0, "'%s' is given twice", opt->key);
            return false;
        }
        *seen |= 1u << i;
        return keys[i].set(s, opt->value, err);
    }
    g_set_error(err, FLATVIEW_ERROR, 0, "there is no '%s'; there is %s",
                opt->key, rtc_options_help);
    return false;
}

bool rtc_options_parse(const char *text, RTCSettings *settings, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(text, NULL);
    RTCSettings s = *settings;
    unsigned seen = 0, i;

    for (i = 0; i < opts->len; i++) {
        if (!set_key(&s, opts->pdata[i], &seen, err)) {
            return false;
        }
    }
    *settings = s;
    return true;
}
