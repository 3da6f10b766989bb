/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mc146818rtc, by a clock that moves only when the test says so.
 */
#include "hw/rtc/mc146818.h"
#include "tests/device-util.h"

#include <time.h>

#define INDEX 0x70
#define S 1000000 /* microseconds */

static const int ports[] = { INDEX };
static int64_t clock_us;

static int64_t test_clock(void *opaque)
{
    return *(int64_t *)opaque;
}

static uint8_t get(unsigned reg)
{
    port_out(INDEX, reg, 1);
    return port_in(INDEX + 1, 1);
}

static void set(unsigned reg, uint8_t value)
{
    port_out(INDEX, reg, 1);
    port_out(INDEX + 1, value, 1);
}

/* Seconds since 1970. */
static int64_t date(int year, int month, int day, int hour, int min, int sec)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1,
                     .tm_mday = day, .tm_hour = hour, .tm_min = min,
                     .tm_sec = sec };

    return timegm(&tm);
}

static Device *start_at(int64_t seconds)
{
    Device *dev;

    test_machine_init();
    clock_us = seconds * S;
    dev = test_device("mc146818rtc", ports, NULL);
    mc146818_set_clock(dev, test_clock, &clock_us);
    return dev;
}

/* Registers, as hexadecimal digits: century to second, and the weekday. */
#define expect_time(wanted)                                                    \
    do {                                                                       \
        char shown_[32];                                                       \
        g_snprintf(shown_, sizeof(shown_),                                     \
                   "%02x%02x-%02x-%02x %02x:%02x:%02x %02x", get(0x32),        \
                   get(9), get(8), get(7), get(4), get(2), get(0), get(6));    \
        ck_assert_str_eq(shown_, wanted);                                      \
    } while (0)

static void set_time(int century, int year, int month, int day, int hour,
                     int min, int sec)
{
    set(0x32, century);
    set(9, year);
    set(8, month);
    set(7, day);
    set(4, hour);
    set(2, min);
    set(0, sec);
}

START_TEST(formats)
{
    start_at(date(2031, 12, 29, 23, 58, 57));
    expect_hex(get(0xa), 0x26);
    expect_hex(get(0xb), 0x02);
    expect_hex(get(0xc), 0x00);
    expect_hex(get(0xd), 0x80);
    expect_time("2031-12-29 23:58:57 02"); /* a Monday */
    set(0xb, 0x06);
    expect_time("141f-0c-1d 17:3a:39 02");
    set(0xb, 0x04);
    expect_time("141f-0c-1d 8b:3a:39 02");
    set(0xb, 0x00);
    expect_time("2031-12-29 91:58:57 02");
    test_machine_free();
}
END_TEST

START_TEST(twelve_hours)
{
    static const uint8_t bcd[24] = {
        0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 0x09, 0x10, 0x11, 0x92, 0x81, 0x82, 0x83,
        0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91,
    };

    start_at(date(2026, 1, 1, 0, 0, 0));
    set(0xb, 0x00);
    for (unsigned hour = 0; hour < 24; hour++) {
        clock_us = date(2026, 1, 1, hour, 30, 0) * S;
        expect_hex(get(4), bcd[hour]);
        /* And back: setting it gives the hour. */
        set(4, bcd[hour]);
        set(0xb, 0x06);
        expect_hex(get(4), hour);
        set(0xb, 0x00);
    }
    test_machine_free();
}
END_TEST

START_TEST(it_runs)
{
    start_at(date(1999, 12, 31, 23, 59, 59));
    expect_time("1999-12-31 23:59:59 06");
    clock_us += S;
    expect_time("2000-01-01 00:00:00 07");
    clock_us += 59LL * 86400 * S;
    expect_time("2000-02-29 00:00:00 03"); /* a leap year */
    clock_us += 86400LL * S;
    expect_time("2000-03-01 00:00:00 04");
    clock_us = -1;
    expect_time("1969-12-31 23:59:59 04");
    test_machine_free();
}
END_TEST

/* Setting as the data sheet says: under SET, which stops the time. */
START_TEST(setting)
{
    start_at(date(2026, 5, 4, 3, 2, 1));
    clock_us += 300000;
    set(0xb, 0x82);
    clock_us += 5 * S;
    expect_time("2026-05-04 03:02:01 02");
    set_time(0x19, 0x87, 0x11, 0x30, 0x22, 0x59, 0x58);
    clock_us += 7 * S;
    expect_hex(get(0), 0x58);
    set(0xb, 0x02);
    expect_time("1987-11-30 22:59:58 02");
    clock_us += 699999; /* the fraction went on */
    expect_hex(get(0), 0x58);
    clock_us += 1;
    expect_time("1987-11-30 22:59:59 02");
    clock_us += S;
    expect_time("1987-11-30 23:00:00 02");
    test_machine_free();
}
END_TEST

/* As Linux does it: with the divider in reset, the update is in 500 ms. */
START_TEST(setting_with_divider)
{
    start_at(date(2026, 5, 4, 3, 2, 1));
    clock_us += 900000;
    set(0xb, 0x82);
    set(0xa, 0x76);
    set_time(0x20, 0x40, 0x01, 0x02, 0x03, 0x04, 0x05);
    clock_us += 3 * S;
    set(0xb, 0x02);
    clock_us += 3 * S;
    expect_time("2040-01-02 03:04:05 02");
    expect_hex(get(0xa), 0x76);
    set(0xa, 0x26);
    clock_us += 499999;
    expect_hex(get(0), 0x05);
    clock_us += 1;
    expect_time("2040-01-02 03:04:06 02");
    test_machine_free();
}
END_TEST

START_TEST(setting_while_it_runs)
{
    start_at(date(2026, 5, 4, 3, 2, 1));
    set(2, 0x44);
    expect_time("2026-05-04 03:44:01 02");
    set(9, 0x30);
    expect_time("2030-05-04 03:44:01 07");
    clock_us += S;
    expect_time("2030-05-04 03:44:02 07");
    test_machine_free();
}
END_TEST

START_TEST(update_in_progress)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    expect_hex(get(0xa), 0x26);
    clock_us += S - 245;
    expect_hex(get(0xa), 0x26);
    clock_us += 1;
    expect_hex(get(0xa), 0xa6);
    expect_hex(get(0), 0x00);
    clock_us += 243;
    expect_hex(get(0xa), 0xa6);
    clock_us += 1;
    expect_hex(get(0xa), 0x26);
    expect_hex(get(0), 0x01);
    clock_us += S - 1;
    set(0xb, 0x82);
    expect_hex(get(0xa), 0x26);
    set(0xa, 0xff);
    expect_hex(get(0xa), 0x7f);
    test_machine_free();
}
END_TEST

/* ---- interrupts ------------------------------------------------------------------- */

/* Flags come without being enabled, by themselves, and go when read. */
START_TEST(flags_are_polled)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    set(0xa, 0x26); /* 1,024 Hz */
    set(1, 0x02);
    set(3, 0xff);
    set(5, 0xc0);
    expect_hex(get(0xc), 0x00);
    clock_us += 976;
    expect_hex(get(0xc), 0x00);
    clock_us += 1;
    expect_hex(get(0xc), 0x40);
    expect_hex(get(0xc), 0x00);
    clock_us += S;
    expect_hex(get(0xc), 0x50);
    clock_us += S;
    expect_hex(get(0xc), 0x70);
    clock_us += S;
    expect_hex(get(0xc), 0x50);
    clock_us += 60 * S;
    expect_hex(get(0xc), 0x70);
    test_loop();
    expect(!test_wire.rises, "an interrupt that nobody enabled");
    test_machine_free();
}
END_TEST

START_TEST(periodic_rates)
{
    static const unsigned rates[16] = {
        0, 256, 128, 8192, 4096, 2048, 1024, 512,
        256, 128, 64, 32, 16, 8, 4, 2,
    };

    for (unsigned select = 0; select < 16; select++) {
        unsigned seen = 0;

        start_at(date(2026, 1, 1, 0, 0, 0));
        set(0xa, 0x20 | select);
        for (unsigned us = 0; us < S; us += 50) {
            clock_us += 50;
            seen += get(0xc) >> 6 & 1;
        }
        expect(seen == rates[select], "select %u: %u", select, seen);
        test_machine_free();
    }
}
END_TEST

/* Whether the main loop has a timer armed. */
static bool timer_pending(void)
{
    GMainContext *context = g_main_context_default();
    GPollFD fds[16];
    int timeout, priority;

    g_main_context_acquire(context);
    g_main_context_prepare(context, &priority);
    g_main_context_query(context, priority, &timeout, fds, G_N_ELEMENTS(fds));
    g_main_context_release(context);
    return timeout >= 0;
}

static void interrupt_after(uint8_t enable, int64_t us, uint8_t flags)
{
    expect(!timer_pending(), "a timer for nothing");
    set(0xb, 0x02 | enable);
    expect(timer_pending(), "nothing will wake us for 0x%x", enable);
    clock_us += us - 1;
    expect_hex(get(0xc) & enable, 0);
    expect(!test_wire.rises, "too early");
    clock_us += 1;
    test_loop_until(test_wire.level);
    expect(test_wire.rises == 1, "once");
    expect(!timer_pending(), "a timer although the flag is set");
    expect_hex(get(0xc), 0x80 | flags);
    expect(!test_wire.level, "acknowledged");
    expect(timer_pending(), "not armed again");
    set(0xb, 0x02);
    expect(!timer_pending(), "armed although disabled");
}

/* The wake-ups are real ones, but short: the clock stands while they come. */
START_TEST(periodic_interrupt)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    interrupt_after(0x40, 977, 0x40);
    test_machine_free();
}
END_TEST

START_TEST(update_interrupt)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    set(0xa, 0x20);
    clock_us += S - 2000;
    get(0xc);
    interrupt_after(0x10, 2000, 0x10);
    test_machine_free();
}
END_TEST

START_TEST(alarm_interrupt)
{
    start_at(date(2026, 1, 1, 11, 59, 59));
    set(0xa, 0x20);
    set(1, 0x00);
    set(3, 0x00);
    set(5, 0x12);
    clock_us += S - 2000;
    get(0xc);
    interrupt_after(0x20, 2000, 0x30);
    test_machine_free();
}
END_TEST

typedef struct AlarmCase {
    uint8_t hour, min, sec, b;
    const char *when; /* the first time after 09:58:00; NULL: never */
} AlarmCase;

static void alarm_start(const AlarmCase *c)
{
    start_at(date(2026, 1, 1, 9, 58, 0));
    set(0xb, c->b);
    set(5, c->hour);
    set(3, c->min);
    set(1, c->sec);
    get(0xc);
}

/* Whether one jump of the clock by @seconds passes the alarm. */
static bool alarm_within(const AlarmCase *c, int64_t seconds)
{
    bool flag;

    alarm_start(c);
    clock_us += seconds * S;
    flag = get(0xc) & 0x20;
    test_machine_free();
    return flag;
}

/* The alarm against a clock stepped second by second, and at once. */
START_TEST(alarm_matrix)
{
    static const AlarmCase cases[] = {
        { 0xc0, 0xc0, 0xc0, 0x02, "09:58:01" },
        { 0xff, 0xff, 0x30, 0x02, "09:58:30" },
        { 0xff, 0x59, 0xff, 0x02, "09:59:00" },
        { 0xff, 0x00, 0x00, 0x02, "10:00:00" },
        { 0x09, 0x58, 0x00, 0x02, "09:58:00" }, /* tomorrow */
        { 0x09, 0x57, 0x59, 0x02, "09:57:59" },
        { 0x23, 0xff, 0xff, 0x02, "23:00:00" },
        { 0x24, 0x00, 0x00, 0x02, NULL },
        { 0x10, 0x60, 0x00, 0x02, NULL },
        { 0x10, 0x00, 0x7f, 0x02, NULL },
        { 0x0a, 0x00, 0x01, 0x06, "10:00:01" }, /* binary */
        { 0x81, 0x02, 0x03, 0x00, "13:02:03" }, /* 12 hours */
        { 0x92, 0x00, 0x00, 0x00, "12:00:00" },
        { 0x12, 0x00, 0x00, 0x00, "00:00:00" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t start = date(2026, 1, 1, 9, 58, 0), t, at;
        char shown[16] = "";

        alarm_start(&cases[i]);
        for (t = 1; t <= 2 * 86400; t++) {
            clock_us += S;
            if (get(0xc) & 0x20) {
                at = (start + t) % 86400;
                g_snprintf(shown, sizeof(shown), "%02d:%02d:%02d",
                           (int)(at / 3600), (int)(at / 60 % 60),
                           (int)(at % 60));
                break;
            }
        }
        expect(g_strcmp0(*shown ? shown : NULL, cases[i].when) == 0,
               "case %u: at '%s'", i, shown);
        test_machine_free();
        expect(!alarm_within(&cases[i], t - 1), "case %u: too early", i);
        expect(alarm_within(&cases[i], t) == !!cases[i].when, "case %u: jumped "
               "over", i);
    }
}
END_TEST

START_TEST(set_holds_updates)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    set(0xa, 0x20);
    set(0xb, 0x92);
    expect_hex(get(0xb), 0x82); /* SET clears the enable of updates */
    set(0xb, 0xa2);
    expect(!timer_pending(), "an alarm although the time stands");
    clock_us += 10 * S;
    expect_hex(get(0xc), 0x00);
    set(0xb, 0x02);
    expect_hex(get(0xc), 0x00);
    clock_us += S;
    expect_hex(get(0xc) & 0x10, 0x10);
    test_machine_free();
}
END_TEST

START_TEST(enabled_with_flag_set)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    clock_us += S;
    set(0xb, 0x12);
    expect(test_wire.level, "a flag that is set already");
    set(0xb, 0x02);
    expect(!test_wire.level, "disabled again");
    expect_hex(get(0xc) & 0x90, 0x10);
    test_machine_free();
}
END_TEST

/* ---- the rest ---------------------------------------------------------------------------- */

START_TEST(memory)
{
    Device *dev = start_at(date(2026, 1, 1, 0, 0, 0));

    for (unsigned i = 14; i < 128; i++) {
        if (i != 0x32) {
            expect_hex(get(i), 0);
            mc146818_set_cmos(dev, i, i ^ 0x5a);
        }
    }
    device_reset(dev);
    for (unsigned i = 14; i < 128; i++) {
        if (i != 0x32) {
            expect_hex(get(i), i ^ 0x5a);
            set(i | 0x80, i); /* bit 7 is not part of the index */
            expect_hex(get(i), i);
        }
    }
    expect_time("2026-01-01 00:00:00 05");
    expect_hex(port_in(INDEX, 1), 0xff);
    set(0xd, 0);
    expect_hex(get(0xd), 0x80);
    set(0xc, 0xff);
    expect_hex(get(0xc), 0);
    test_machine_free();
}
END_TEST

START_TEST(reset_keeps_time)
{
    Device *dev = start_at(date(2026, 1, 1, 0, 0, 0));

    set_time(0x20, 0x50, 0x02, 0x03, 0x04, 0x05, 0x06);
    set(0xb, 0x7f);
    clock_us += S;
    get(0);
    device_reset(dev);
    expect_hex(get(0xb), 0x07);
    expect_hex(get(0xc), 0);
    expect(!test_wire.level && !timer_pending(), "an interrupt");
    set(0xb, 0x02);
    expect_time("2050-02-03 04:05:07 05");
    test_machine_free();
}
END_TEST

START_TEST(widths)
{
    start_at(date(2026, 1, 1, 0, 0, 7));
    port_out(INDEX, 0x4030, 2); /* index and data in one */
    expect_hex(get(0x30), 0x40);
    port_out(INDEX, 0, 1);
    expect_hex(port_in(INDEX, 2), 0x07ff);
    test_machine_free();
}
END_TEST

/* A clock of the host that is set back, or far ahead, does no harm. */
START_TEST(host_clock_jumps)
{
    start_at(date(2026, 1, 1, 0, 0, 10));
    get(0xc);
    clock_us -= 5 * S;
    expect_hex(get(0xc), 0);
    expect_time("2026-01-01 00:00:05 05");
    clock_us += S;
    expect_hex(get(0xc) & 0x10, 0x10);
    clock_us += 400LL * 365 * 86400 * S;
    expect_hex(get(0xc), 0x70);
    test_machine_free();
}
END_TEST

START_TEST(hostile)
{
    GRand *rand = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 4711));
    Device *dev = start_at(date(2026, 1, 1, 0, 0, 0));

    for (unsigned i = 0; i < 200000; i++) {
        uint32_t value = g_rand_int(rand);

        port_access(INDEX + g_rand_int_range(rand, 0, 2), &value,
                    1 << g_rand_int_range(rand, 0, 3), g_rand_boolean(rand));
        if (i % 64 == 0) {
            clock_us += g_rand_int_range(rand, -S, 100 * S);
            test_loop();
        }
    }
    set(0xa, 0x26);
    set(0xb, 0x82);
    set_time(0x20, 0x26, 0x01, 0x02, 0x03, 0x04, 0x05);
    set(0xb, 0x02);
    device_reset(dev);
    expect_time("2026-01-02 03:04:05 06");
    g_rand_free(rand);
    test_machine_free();
}
END_TEST

/* Without a clock of the test's it is the host's. */
START_TEST(host_time)
{
    time_t before = time(NULL), after;
    int64_t shown;

    test_machine_init();
    test_device("mc146818rtc", ports, NULL);
    set(0xb, 0x06); /* binary, */
    set(0xb, 0x86); /* and stopped */
    shown = date(get(0x32) * 100 + get(9), get(8), get(7), get(4), get(2),
                 get(0));
    after = time(NULL);
    expect(shown >= before && shown <= after, "%lld shown at %lld",
           (long long)shown, (long long)after);
    test_machine_free();
}
END_TEST

TEST_MAIN("rtc", formats, twelve_hours, it_runs, setting, setting_with_divider,
          setting_while_it_runs, update_in_progress, flags_are_polled,
          periodic_rates, periodic_interrupt, update_interrupt, alarm_interrupt,
          alarm_matrix, set_holds_updates, enabled_with_flag_set, memory,
          reset_keeps_time, widths, host_clock_jumps, hostile, host_time)
