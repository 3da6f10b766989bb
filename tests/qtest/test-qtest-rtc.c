/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time clock of microvm through qtest: its time follows a clock that
 * only the test moves, and so do alarms and the other interrupts.
 */
#include "tests/qtest/qvm.h"

#include <string.h>
#include <time.h>

#define INDEX 0x70
#define DATA 0x71
#define RTC_IRQ 8
#define S 1000000000ll /* nanoseconds */
#define MS 1000000ll
#define US 1000ll

#define irq() qvm_irq(vm, RTC_IRQ)

static QVM *vm;

static uint8_t get(unsigned reg)
{
    qvm_out(vm, INDEX, reg, 1);
    return qvm_in(vm, DATA, 1);
}

static void set(unsigned reg, uint8_t value)
{
    qvm_out(vm, INDEX, value << 8 | reg, 2);
}

/* A machine whose clock shows @base when the virtual clock shows 0; no periodic
 * flag disturbs. */
static void start_at(const char *base)
{
    vm = qvm_start("-nodefaults -m 16 -rtc base=%s,clock=vm", base);
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    set(0xa, 0x20);
    get(0xc);
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

static void set_alarm(uint8_t hour, uint8_t min, uint8_t sec)
{
    set(5, hour);
    set(3, min);
    set(1, sec);
}

/* ---- registers ---------------------------------------------------------------------- */

START_TEST(after_reset)
{
    vm = qvm_start("-nodefaults -m 16 -rtc base=2026-01-02T03:04:05,clock=vm");
    expect_hex(get(0xa), 0x26);
    expect_hex(get(0xb), 0x02);
    expect_hex(get(0xc) & 0xbf, 0x00);
    expect_hex(get(0xd), 0x80);
    expect_time("2026-01-02 03:04:05 06");
    expect_hex(qvm_in(vm, INDEX, 1), 0xff);
    qvm_out(vm, INDEX, 0x0d, 1);
    expect_hex(qvm_in(vm, INDEX, 2), 0x80ff);
    expect_hex(qvm_in(vm, INDEX, 4), 0xffff80ff);
    expect_hex(qvm_in(vm, INDEX - 1, 2), 0xffff);
    expect_hex(qvm_in(vm, DATA, 2), 0xff80);
    expect_hex(qvm_in(vm, DATA, 4), 0xffffff80);
    expect_hex(qvm_in(vm, INDEX - 1, 4), 0xff80ffff);
    expect_hex(qvm_in(vm, INDEX - 2, 4), 0x80ffffff);
    qvm_end(vm);
}
END_TEST

/* The memory beyond the clock: every byte, by each width of write. */
START_TEST(memory)
{
    start_at("2026-01-02T03:04:05");
    for (unsigned reg = 14; reg < 128; reg++) {
        if (reg != 0x32 && reg != 0x37) {
            set(reg, content_byte(1, reg));
        }
    }
    for (unsigned reg = 14; reg < 128; reg++) {
        if (reg != 0x32 && reg != 0x37) {
            expect_hex(get(reg), content_byte(1, reg));
            expect_hex(get(reg | 0x80), content_byte(1, reg));
        }
    }
    qvm_out(vm, INDEX - 1, 0x33, 1);
    qvm_out(vm, INDEX - 1, 0x5a402200, 4); /* index 0x22, 0x40, nobody */
    expect_hex(get(0x22), 0x40);
    qvm_out(vm, INDEX, 0x12345523, 4);
    expect_hex(get(0x23), 0x55);
    qvm_out(vm, INDEX, 0x24, 1);
    qvm_out(vm, DATA, 0x7766, 2);
    expect_hex(get(0x24), 0x66);
    /* C and D cannot be written, UIP neither. */
    set(0xc, 0xff);
    set(0xd, 0x00);
    set(0xa, 0xa0);
    expect_hex(get(0xc), 0);
    expect_hex(get(0xd), 0x80);
    expect_hex(get(0xa), 0x20);
    /* A reset keeps what the battery keeps, and ends interrupts. */
    set(0xb, 0x7a);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(get(0xb) == 0x02);
    expect_hex(get(0x23), 0x55);
    expect_time("2026-01-02 03:04:05 06");
    qvm_end(vm);
}
END_TEST

/* ---- the time -------------------------------------------------------------------------- */

START_TEST(formats)
{
    start_at("2031-12-29T23:58:57");
    expect_time("2031-12-29 23:58:57 02"); /* a Monday */
    set(0xb, 0x06);
    expect_time("141f-0c-1d 17:3a:39 02");
    set(0xb, 0x04);
    expect_time("141f-0c-1d 8b:3a:39 02");
    set(0xb, 0x00);
    expect_time("2031-12-29 91:58:57 02");
    set(0xb, 0x02);
    qvm_clock_step(vm, 3 * S);
    expect_time("2031-12-29 23:59:00 02");
    qvm_clock_step(vm, 60 * S);
    expect_time("2031-12-30 00:00:00 03");
    qvm_clock_step(vm, 2 * 86400 * S);
    expect_time("2032-01-01 00:00:00 05");
    qvm_clock_step(vm, 59 * 86400 * S + 86399 * S);
    expect_time("2032-02-29 23:59:59 01");
    qvm_clock_step(vm, 999 * MS);
    expect_time("2032-02-29 23:59:59 01");
    qvm_clock_step(vm, MS);
    expect_time("2032-03-01 00:00:00 02");
    qvm_end(vm);
}
END_TEST

START_TEST(twelve_hours)
{
    static const uint8_t bcd[24] = {
        0x12, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 0x09, 0x10, 0x11, 0x92, 0x81, 0x82, 0x83,
        0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x90, 0x91,
    };

    start_at("2026-01-01T00:30:00");
    set(0xb, 0x00);
    for (unsigned hour = 0; hour < 24; hour++) {
        expect_hex(get(4), bcd[hour]);
        set(4, bcd[hour]); /* and back */
        set(0xb, 0x06);
        expect_hex(get(4), hour);
        set(0xb, 0x00);
        qvm_clock_step(vm, 3600 * S);
    }
    expect_time("2026-01-02 12:30:00 06");
    qvm_end(vm);
}
END_TEST

START_TEST(setting)
{
    start_at("2026-01-01T00:00:00");
    set(0xb, 0x82); /* SET: the time stands */
    set_time(0x20, 0x38, 0x01, 0x19, 0x03, 0x14, 0x07);
    qvm_clock_step(vm, 5 * S);
    expect_time("2038-01-19 03:14:07 05");
    set(0xb, 0x02);
    qvm_clock_step(vm, S);
    expect_hex(get(0), 0x08);
    qvm_clock_step(vm, 24 * 3600 * S);
    expect_time("2038-01-20 03:14:08 04"); /* the weekday is the date's */
    /* While it runs, each register counts at once. */
    set(4, 0x23);
    expect_time("2038-01-20 23:14:08 04");
    /* A divider that is held stops it, and starts it half a second on. */
    set(0xa, 0x60);
    qvm_clock_step(vm, 10 * S);
    expect_time("2038-01-20 23:14:08 04");
    set(0xa, 0x20);
    qvm_clock_step(vm, 499 * MS);
    expect_hex(get(0), 0x08);
    qvm_clock_step(vm, MS);
    expect_hex(get(0), 0x09);
    qvm_end(vm);
}
END_TEST

/* The host's clock, or one set by the user that runs along. */
START_TEST(time_of_the_host)
{
    time_t before = g_get_real_time() / G_USEC_PER_SEC;
    struct tm tm = { 0 };
    time_t shown, after;

    vm = qvm_start("-nodefaults -m 16");
    set(0xb, 0x06);
    do {
        before = g_get_real_time() / G_USEC_PER_SEC;
        tm.tm_sec = get(0);
        tm.tm_min = get(2);
        tm.tm_hour = get(4);
        tm.tm_mday = get(7);
        tm.tm_mon = get(8) - 1;
        tm.tm_year = get(9) + get(0x32) * 100 - 1900;
        after = g_get_real_time() / G_USEC_PER_SEC;
    } while (after != before);
    shown = timegm(&tm);
    expect(shown >= before - 1 && shown <= after + 1, "%ld, not %ld", (long)shown,
           (long)after);
    qvm_end(vm);
}
END_TEST

/* ---- interrupts --------------------------------------------------------------------------- */

START_TEST(periodic)
{
    start_at("2026-01-01T00:00:00");
    set(0xb, 0x42);
    for (unsigned select = 1; select < 16; select++) {
        unsigned rate = 32768 >> ((select < 3 ? select + 7 : select) - 1);
        int64_t first, last;

        set(0xa, 0x20 | select);
        get(0xc);
        first = last = qvm_clock_next(vm);
        expect(irq(), "no interrupt at rate %u", rate);
        for (unsigned i = 0; i < 16; i++) {
            expect_hex(get(0xc) & 0xc0, 0xc0);
            expect(!irq(), "it stays");
            last = qvm_clock_next(vm);
            expect(irq(), "no interrupt at rate %u", rate);
        }
        /* The clock's own grain is a microsecond. */
        expect(ABS(last - first - 16 * S / rate) <= 2 * US,
               "16 periods of %u Hz took %" PRId64 " ns", rate, last - first);
    }
    set(0xa, 0x20);
    get(0xc);
    qvm_clock_step(vm, 5 * S);
    expect(!irq(), "at no rate");
    expect_hex(get(0xc), 0x10); /* updates leave their flag */
    qvm_end(vm);
}
END_TEST

START_TEST(update_ended)
{
    start_at("2026-01-01T00:00:00");
    set(0xb, 0x12);
    for (unsigned i = 1; i < 10; i++) {
        expect_hex(qvm_clock_next(vm), i * S);
        expect(irq(), "no interrupt");
        expect_hex(get(0), i);
        expect_hex(get(0xc), 0x90);
        expect(!irq(), "it stays");
        expect_hex(get(0xc), 0);
    }
    set(0xb, 0x92); /* SET takes UIE away */
    expect_hex(get(0xb), 0x82);
    qvm_clock_step(vm, 5 * S);
    expect(!irq(), "though halted");
    qvm_end(vm);
}
END_TEST

START_TEST(update_in_progress)
{
    start_at("2026-01-01T00:00:00");
    expect_hex(get(0xa), 0x20);
    qvm_clock_step(vm, S - 244141); /* 8 periods of 32,768 Hz, and 1 ns */
    expect_hex(get(0xa), 0x20);
    qvm_clock_step(vm, 1);
    expect_hex(get(0xa), 0xa0);
    expect_hex(get(0), 0x00);
    qvm_clock_step(vm, 243140);
    expect_hex(get(0xa), 0xa0);
    qvm_clock_step(vm, US);
    expect_hex(get(0xa), 0x20);
    expect_hex(get(0), 0x01);
    set(0xb, 0x82);
    qvm_clock_step(vm, S - 100 * US);
    expect_hex(get(0xa), 0x20); /* none is near */
    qvm_end(vm);
}
END_TEST

/* The alarm comes @seconds after now, and not before. */
static void expect_alarm(int64_t seconds)
{
    get(0xc);
    qvm_clock_step(vm, seconds * S - US);
    expect(!irq(), "an early alarm");
    qvm_clock_step(vm, US);
    expect(irq(), "no alarm");
    expect_hex(get(0xc), 0xb0);
    expect(!irq(), "it stays");
}

START_TEST(alarms)
{
    start_at("2026-01-01T12:00:00");
    set_alarm(0x12, 0x00, 0x10);
    set(0xb, 0x22);
    expect_alarm(10);
    expect_alarm(86400);
    set_alarm(0xc0, 0x30, 0x00); /* at half past each hour */
    expect_alarm(30 * 60 - 10);
    expect_alarm(3600);
    set_alarm(0xff, 0xc5, 0x15); /* in each minute */
    expect_alarm(15);
    expect_alarm(60);
    set_alarm(0xc0, 0xc0, 0xc0); /* in each second */
    expect_alarm(1);
    expect_alarm(1);
    set_alarm(0x13, 0xc0, 0x00); /* in each minute of one hour */
    get(0xc);
    set(0xb, 0x82);
    set_time(0x20, 0x26, 0x05, 0x05, 0x13, 0x58, 0x30);
    set(0xb, 0x22);
    expect_alarm(30);
    expect_alarm(24 * 3600 - 59 * 60);
    qvm_end(vm);
}
END_TEST

START_TEST(alarm_formats)
{
    start_at("2026-01-01T20:00:00");
    set(0xb, 0x26); /* binary */
    set_alarm(20, 0, 59);
    expect_alarm(59);
    set(0xb, 0x20); /* twelve hours */
    set_alarm(0x88, 0x01, 0x00);
    expect_alarm(1);
    set_alarm(0x12, 0x00, 0x00); /* midnight */
    expect_alarm(4 * 3600 - 60);
    set(0xb, 0x24);
    set_alarm(0x80 | 12, 0, 0); /* noon */
    expect_alarm(12 * 3600);
    set_alarm(99, 99, 99); /* never */
    get(0xc);
    qvm_clock_step(vm, 3 * 86400 * S);
    expect(!irq(), "at no time");
    expect_hex(get(0xc), 0x10);
    qvm_end(vm);
}
END_TEST

/* Enabling an interrupt whose flag is set raises it at once. */
START_TEST(flag_first)
{
    start_at("2026-01-01T12:00:00");
    qvm_clock_step(vm, 2 * S);
    expect(!irq(), "none is enabled");
    set(0xb, 0x12);
    expect(irq(), "the flag was set");
    set(0xb, 0x02);
    expect(!irq(), "none is enabled");
    expect_hex(get(0xc), 0x10);
    qvm_end(vm);
}
END_TEST

/* A guest that sets its clock makes an event with the distance. */
START_TEST(change_event)
{
    g_autofree char *event = NULL;

    start_at("2026-01-01T12:00:00");
    set(4, 0x13);
    event = qvm_event(vm, "RTC_CHANGE");
    expect(strstr(event, "\"offset\""), "%s", event);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-rtc", after_reset, memory, formats, twelve_hours, setting,
          time_of_the_host, periodic, update_ended, update_in_progress, alarms,
          alarm_formats, flag_first, change_event)
