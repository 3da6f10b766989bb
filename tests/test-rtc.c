/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mc146818rtc, by a clock that moves only when the test says so; and -rtc.
 */
#include "hw/core/clock.h"
#include "hw/rtc/mc146818.h"
#include "hw/rtc/rtc-options.h"
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

static bool timer_pending(void)
{
    return clock_virtual_deadline_ns() != INT64_MAX;
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
        if (i != 0x32 && i != 0x37) {
            expect_hex(get(i), 0);
            mc146818_set_cmos(dev, i, i ^ 0x5a);
        }
    }
    device_reset(dev);
    for (unsigned i = 14; i < 128; i++) {
        if (i != 0x32 && i != 0x37) {
            expect_hex(get(i), i ^ 0x5a);
            set(i | 0x80, i); /* bit 7 is not part of the index */
            expect_hex(get(i), i);
        }
    }
    expect_time("2026-01-01 00:00:00 05");
    expect_hex(get(0x37), 0x20); /* the century, once more */
    set(0x37, 0x19);
    expect_time("1926-01-01 00:00:00 06");
    set(0x32, 0x20);
    expect_hex(get(0xb7), 0x20);
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
    time_t before = g_get_real_time() / G_USEC_PER_SEC, after;
    int64_t shown;

    test_machine_init();
    test_device("mc146818rtc", ports, NULL);
    set(0xb, 0x06); /* binary, */
    set(0xb, 0x86); /* and stopped */
    shown = date(get(0x32) * 100 + get(9), get(8), get(7), get(4), get(2),
                 get(0));
    after = g_get_real_time() / G_USEC_PER_SEC;
    expect(shown >= before && shown <= after, "%lld shown at %lld",
           (long long)shown, (long long)after);
    test_machine_free();
}
END_TEST

/* ---- the virtual clock, moved by hand -------------------------------------------- */

#define NS 1000000000ll

/* The time of @dated when the clock is at 0. */
static void start_virtual(int64_t dated)
{
    clock_virtual_set_manual();
    test_machine_init();
    test_machine.rtc.clock = RTC_CLOCK_VM;
    test_machine.rtc.dated = true;
    test_machine.rtc.date = dated;
    test_device("mc146818rtc", ports, NULL);
}

static void to(int64_t ns)
{
    memory_lock();
    expect(clock_virtual_advance_to(ns), "it does not end");
    memory_unlock();
}

/* The interrupt comes at @ns, not one before. */
static void interrupt_at(int64_t ns, uint8_t flags)
{
    unsigned rises = test_wire.rises;

    expect(clock_virtual_deadline_ns() == ns, "it waits for %" PRId64
           ", not %" PRId64, clock_virtual_deadline_ns(), ns);
    to(ns - 1);
    expect(!test_wire.level, "early");
    to(ns);
    expect(test_wire.level && test_wire.rises == rises + 1, "not there");
    expect_hex(get(0xc), flags);
    expect(!test_wire.level, "acknowledged");
}

START_TEST(virtual_clock)
{
    start_virtual(date(2030, 2, 28, 23, 59, 58));
    expect_time("2030-02-28 23:59:58 05");
    to(NS - 1);
    expect_time("2030-02-28 23:59:58 05");
    to(NS);
    expect_time("2030-02-28 23:59:59 05");
    to(2 * NS);
    expect_time("2030-03-01 00:00:00 06");
    test_machine_free();
}
END_TEST

/* Nothing is armed for what is not enabled. */
START_TEST(virtual_alarm)
{
    start_virtual(date(2030, 1, 1, 10, 0, 0));
    set(0xa, 0x20);
    set(1, 0x30);
    set(3, 0x02);
    set(5, 0xc0);
    expect(clock_virtual_deadline_ns() == INT64_MAX, "armed");
    to(17);
    set(0xb, 0x22);
    interrupt_at(150 * NS, 0xb0);
    interrupt_at((3600 + 150) * NS, 0xb0);
    set(0xb, 0x02);
    expect(clock_virtual_deadline_ns() == INT64_MAX, "armed");
    test_machine_free();
}
END_TEST

START_TEST(virtual_update)
{
    start_virtual(date(2030, 1, 1, 10, 0, 0));
    set(0xa, 0x20);
    to(NS / 3);
    set(0xb, 0x12);
    interrupt_at(NS, 0x90);
    interrupt_at(2 * NS, 0x90);
    to(3 * NS - 244140 - 1);
    expect_hex(get(0xa), 0x20);
    to(3 * NS - 244140);
    expect_hex(get(0xa), 0xa0);
    test_machine_free();
}
END_TEST

/* Every rate, at the very nanosecond in which a period is full. */
START_TEST(virtual_rates)
{
    static const unsigned rates[16] = {
        0, 256, 128, 8192, 4096, 2048, 1024, 512,
        256, 128, 64, 32, 16, 8, 4, 2,
    };
    int64_t base = 0;

    start_virtual(date(2030, 1, 1, 0, 0, 0));
    for (unsigned select = 1; select < 16; select++) {
        int64_t rate = rates[select];

        set(0xa, 0x20 | select);
        get(0xc);
        set(0xb, 0x42);
        for (int64_t period = 1; period <= 20; period++) {
            interrupt_at(base + (period * NS + rate - 1) / rate,
                         0xc0 | (period % rate == 0 ? 0x10 : 0));
        }
        set(0xb, 0x02);
        base += 20 * NS;
        to(base);
        get(0xc);
    }
    test_machine_free();
}
END_TEST

/* None is lost, at the fastest, by a guest that takes note of each. */
START_TEST(virtual_ticks)
{
    unsigned ticks = 0;

    start_virtual(date(2030, 1, 1, 0, 0, 0));
    set(0xa, 0x23); /* 8,192 Hz */
    set(0xb, 0x42);
    for (int64_t ns = 0; ns <= 3 * NS; ns += 50000) {
        to(ns);
        ticks += test_wire.level;
        get(0xc);
    }
    ck_assert_uint_eq(ticks, 3 * 8192);
    ck_assert_uint_eq(test_wire.rises, 3 * 8192);
    test_machine_free();
}
END_TEST

/* ---- what it follows -------------------------------------------------------------- */

static int64_t shown_time(void)
{
    set(0xb, 0x86); /* binary, and stopped */
    return date(get(0x32) * 100 + get(9), get(8), get(7), get(4), get(2),
                get(0));
}

static void expect_between(int64_t before, int64_t offset)
{
    int64_t shown, after;

    set(0xb, 0x06);
    shown = shown_time() - offset;
    after = g_get_real_time() / G_USEC_PER_SEC;
    expect(shown >= before && shown <= after, "%" PRId64 " at %" PRId64, shown,
           after);
}

/* Each clock starts with what was asked for, and goes on. */
START_TEST(starts)
{
    for (unsigned clock = RTC_CLOCK_HOST; clock <= RTC_CLOCK_VM; clock++) {
        int64_t before = g_get_real_time() / G_USEC_PER_SEC;

        test_machine_init();
        test_machine.rtc.clock = clock;
        test_machine.rtc.offset_us = 3600ll * S;
        test_device("mc146818rtc", ports, NULL);
        expect_between(before, 3600);
        test_machine_free();

        before = g_get_real_time() / G_USEC_PER_SEC;
        test_machine_init();
        test_machine.rtc.clock = clock;
        test_machine.rtc.dated = true;
        test_machine.rtc.date = date(9999, 12, 31, 0, 0, 0);
        test_device("mc146818rtc", ports, NULL);
        expect_between(before, date(9999, 12, 31, 0, 0, 0) - before);
        test_machine_free();
    }
}
END_TEST

static void stop_clock(bool stop)
{
    memory_lock();
    clock_virtual_enable(!stop);
    memory_unlock();
}

/* The host's clocks go on while the machine is stopped: an interrupt that was to
 * come meanwhile comes when it runs again. */
START_TEST(stopped_machine)
{
    start_at(date(2026, 1, 1, 0, 0, 0));
    set(0xa, 0x20);
    set(0xb, 0x12);
    stop_clock(true);
    clock_us += 5 * S;
    test_loop();
    expect(!test_wire.rises, "while it is stopped");
    stop_clock(false);
    vm_event_send(&(VMEvent){ .kind = VM_EVENT_STOP });
    test_loop();
    expect(!test_wire.rises, "it was not told yet");
    vm_event_send(&(VMEvent){ .kind = VM_EVENT_RESUME });
    test_loop();
    expect(test_wire.level, "no interrupt");
    test_machine_free();
}
END_TEST

/* ---- events ------------------------------------------------------------------------ */

static GString *changes;

static void note_change(const VMEvent *event, void *opaque)
{
    if (event->kind == VM_EVENT_RTC_CHANGE) {
        g_string_append_printf(changes, "%" PRId64 " ", event->offset);
        expect(event->path, "no path");
    }
}

START_TEST(changes_are_told)
{
    changes = g_string_new(NULL);
    start_at(date(2026, 1, 1, 0, 0, 0));
    vm_event_listen(note_change, NULL);
    clock_us += S / 4;
    set(0xb, 0x82);
    set_time(0x20, 0x26, 0x01, 0x01, 0x01, 0x00, 0x00);
    ck_assert_str_eq(changes->str, "");
    set(0xb, 0x02);
    ck_assert_str_eq(changes->str, "3600 ");
    set(0, 0x59); /* while it runs */
    ck_assert_str_eq(changes->str, "3600 3659 ");
    set(1, 0x59); /* an alarm is not the time */
    get(0);
    ck_assert_str_eq(changes->str, "3600 3659 ");
    set(4, 0x00);
    set(2, 0x00);
    set(0, 0x00);
    set(9, 0x25);
    g_string_truncate(changes, 0);
    set(9, 0x26);
    ck_assert_str_eq(changes->str, "0 ");
    vm_event_unlisten(note_change, NULL);
    test_machine_free();
    g_string_free(changes, TRUE);
}
END_TEST

/* ---- -rtc ----------------------------------------------------------------------------- */

START_TEST(options)
{
    static const struct {
        const char *text;
        bool dated;
        int clock;
        int64_t date;
    } good[] = {
        { "", false, RTC_CLOCK_HOST, 0 },
        { "base=utc", false, RTC_CLOCK_HOST, 0 },
        { "clock=host", false, RTC_CLOCK_HOST, 0 },
        { "clock=rt,driftfix=none", false, RTC_CLOCK_RT, 0 },
        { "base=2006-06-17T16:01:21,clock=vm", true, RTC_CLOCK_VM, 1150560081 },
        { "base=2006-06-17", true, RTC_CLOCK_HOST, 1150502400 },
        { "base=1969-12-31T23:59:59", true, RTC_CLOCK_HOST, -1 },
        { "base=2024-02-29", true, RTC_CLOCK_HOST, 1709164800 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        RTCSettings s = { 0 };
        GError *err = NULL;

        expect(rtc_options_parse(good[i].text, &s, &err), "%s: %s",
               good[i].text, err ? err->message : "");
        expect(s.dated == good[i].dated && (int)s.clock == good[i].clock &&
                   (!s.dated || s.date == good[i].date) && s.offset_us == 0,
               "%s gives %d, %d, %" PRId64, good[i].text, s.dated, s.clock,
               s.date);
    }
}
END_TEST

START_TEST(option_localtime)
{
    RTCSettings s = { .dated = true };

    g_setenv("TZ", "XYZ-5:30", TRUE);
    tzset();
    expect(rtc_options_parse("base=localtime", &s, NULL), "localtime");
    expect(!s.dated && s.offset_us == (5 * 3600 + 1800ll) * S, "%" PRId64,
           s.offset_us);
    expect(rtc_options_parse("base=utc", &s, NULL) && s.offset_us == 0, "utc");
}
END_TEST

START_TEST(wrong_options)
{
    static const struct {
        const char *text, *word;
    } wrong[] = {
        { "base=soon", "base=soon: neither utc nor localtime nor a date" },
        { "base=", "2006-06-17T16:01:21" },
        { "base=2006-06-17T", "2006-06-17" },
        { "base=2006-06-17T16:01", "2006-06-17" },
        { "base=2006-06-17T16:01:21Z", "2006-06-17" },
        { "base=2006-06-17T24:00:00", "2006-06-17" },
        { "base=2006-06-17T16:01:60", "2006-06-17" },
        { "base=2006-13-01", "2006-06-17" },
        { "base=2023-02-29", "2006-06-17" },
        { "base=2023-04-31", "2006-06-17" },
        { "base=1899-12-31", "from 1900 on" },
        { "clock=sun", "clock=sun: it follows host" },
        { "driftfix=slew", "say driftfix=none" },
        { "base", "'base' needs a value" },
        { "clock=vm,clock=vm", "'clock' is given twice" },
        { "utc", "there is no 'utc'; there is base=" },
        { "base=utc,zone=1", "there is no 'zone'" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        RTCSettings s = { .clock = RTC_CLOCK_RT, .offset_us = 5 };
        GError *err = NULL;

        expect(!rtc_options_parse(wrong[i].text, &s, &err), "%s is taken",
               wrong[i].text);
        expect(s.clock == RTC_CLOCK_RT && s.offset_us == 5 && !s.dated,
               "%s leaves something behind", wrong[i].text);
        expect_error(err, wrong[i].word, NULL);
    }
}
END_TEST

TEST_MAIN("rtc", formats, twelve_hours, it_runs, setting, setting_with_divider,
          setting_while_it_runs, update_in_progress, flags_are_polled,
          periodic_rates, periodic_interrupt, update_interrupt, alarm_interrupt,
          alarm_matrix, set_holds_updates, enabled_with_flag_set, memory,
          reset_keeps_time, widths, host_clock_jumps, hostile, host_time,
          virtual_clock, virtual_alarm, virtual_update, virtual_rates,
          virtual_ticks, starts, stopped_machine, changes_are_told, options,
          option_localtime, wrong_options)
