/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mc146818rtc: the real-time clock of a PC and its CMOS memory. See the
 * Motorola MC146818A data sheet; the century at 0x32 is the IBM PC's, and at 0x37 the
 * same byte that of the PS/2, as with QEMU.
 *
 * Nothing ticks. The time is that of a clock (-rtc clock=) plus an offset, which
 * the guest changes by setting its time, and what has happened meanwhile is
 * worked out when the guest looks. Only an interrupt that the guest has enabled,
 * and whose flag is not set yet, arms a timer; ticks that come while the guest has
 * not looked yet are one. Daylight saving (DSE) and the square-wave output are
 * not there.
 *
 * While the machine is stopped, the host's clocks go on and timers do not: when
 * it runs again, what has happened is worked out at once.
 *
 * Region 0 is the index and data ports, output 0 the interrupt.
 */
#include "hw/rtc/mc146818.h"

#include <assert.h>
#include <time.h>

#include "hw/core/clock.h"
#include "hw/core/machine.h"
#include "hw/core/timer.h"
#include "sysemu.h"

enum {
    REG_SECONDS,
    REG_SECONDS_ALARM,
    REG_MINUTES,
    REG_MINUTES_ALARM,
    REG_HOURS,
    REG_HOURS_ALARM,
    REG_WEEKDAY,
    REG_DAY,
    REG_MONTH,
    REG_YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
    REG_FIRST_FREE,
};

#define CENTURY_PS2 0x37

#define A_UIP 0x80       /* an update is near: do not read the time */
#define A_DIV_RESET 0x60 /* both set: the divider is held in reset */
#define A_RATE 0x0f
#define A_DEFAULT 0x26   /* 32,768 Hz crystal, 1,024 Hz rate */

#define B_SET 0x80 /* no updates */
#define B_PIE 0x40 /* interrupts: periodic, */
#define B_AIE 0x20 /* alarm, */
#define B_UIE 0x10 /* update ended; the flags in C have the same places */
#define B_SQWE 0x08
#define B_BINARY 0x04
#define B_24H 0x02
#define B_INTERRUPTS (B_PIE | B_AIE | B_UIE)

#define C_IRQF 0x80
#define D_VRT 0x80 /* the battery is good */

#define HOUR_PM 0x80
#define ALARM_ANY 0xc0 /* both set: matches always */

#define NS_PER_US 1000
#define NS_PER_S 1000000000ll
#define S_PER_DAY 86400
#define UIP_NS 244140 /* 8 periods of the crystal */

/* Nanoseconds since 1970 UTC; in 64 bits they end in 2262, and a guest may set
 * its clock to 9999. */
typedef __int128 Time;

typedef struct RTC {
    Device dev;
    int64_t (*now)(void *opaque); /* us since 1970; NULL: the virtual clock */
    void *now_opaque;
    Time base;    /* what the guest's time is at 0 of that clock, */
    Time offset;  /* but for what the guest has set */
    Time checked; /* guest's time up to which REG_C is right */
    Timer timer;
    GSource *resumed; /* ready when the machine runs again */
    uint8_t index;
    uint8_t cmos[MC146818_CMOS_SIZE];
} RTC;

static Time rtc_clock(const RTC *s)
{
    return s->now ? (Time)s->now(s->now_opaque) * NS_PER_US
                  : clock_virtual_ns();
}

static Time rtc_now(const RTC *s)
{
    return rtc_clock(s) + s->base + s->offset;
}

/* Whole seconds, rounded down also before 1970. */
static int64_t seconds_of(Time time)
{
    return time / NS_PER_S - (time % NS_PER_S < 0);
}

static int64_t fraction_of(Time time)
{
    return time - (Time)seconds_of(time) * NS_PER_S;
}

static int64_t day_second(int64_t seconds)
{
    return (seconds % S_PER_DAY + S_PER_DAY) % S_PER_DAY;
}

static bool rtc_divider_reset(const RTC *s)
{
    return (s->cmos[REG_A] & A_DIV_RESET) == A_DIV_RESET;
}

static bool rtc_halted(const RTC *s)
{
    return (s->cmos[REG_B] & B_SET) || rtc_divider_reset(s);
}

/* ---- the time in registers ------------------------------------------------------- */

static uint8_t rtc_encode(const RTC *s, unsigned value)
{
    return s->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10;
}

static unsigned rtc_decode(const RTC *s, uint8_t reg)
{
    return s->cmos[REG_B] & B_BINARY ? reg : (reg >> 4) * 10 + (reg & 0xf);
}

static uint8_t rtc_encode_hour(const RTC *s, unsigned hour)
{
    if (s->cmos[REG_B] & B_24H) {
        return rtc_encode(s, hour);
    }
    return rtc_encode(s, hour % 12 ? hour % 12 : 12) |
           (hour >= 12 ? HOUR_PM : 0);
}

static unsigned rtc_decode_hour(const RTC *s, uint8_t reg)
{
    if (s->cmos[REG_B] & B_24H) {
        return rtc_decode(s, reg);
    }
    return rtc_decode(s, reg & ~HOUR_PM) % 12 + (reg & HOUR_PM ? 12 : 0);
}

/* Bring the time registers up to date. */
static void rtc_latch(RTC *s)
{
    time_t seconds = seconds_of(rtc_now(s));
    struct tm tm;

    if (rtc_halted(s) || !gmtime_r(&seconds, &tm)) {
        return;
    }
    s->cmos[REG_SECONDS] = rtc_encode(s, tm.tm_sec);
    s->cmos[REG_MINUTES] = rtc_encode(s, tm.tm_min);
    s->cmos[REG_HOURS] = rtc_encode_hour(s, tm.tm_hour);
    s->cmos[REG_WEEKDAY] = rtc_encode(s, tm.tm_wday + 1);
    s->cmos[REG_DAY] = rtc_encode(s, tm.tm_mday);
    s->cmos[REG_MONTH] = rtc_encode(s, tm.tm_mon + 1);
    s->cmos[REG_YEAR] = rtc_encode(s, (tm.tm_year + 1900) % 100);
    s->cmos[MC146818_CENTURY] = rtc_encode(s, (tm.tm_year + 1900) / 100);
}

/* The registers hold the time, @fraction nanoseconds into that second. */
static void rtc_set_time(RTC *s, int64_t fraction)
{
    struct tm tm = {
        .tm_sec = rtc_decode(s, s->cmos[REG_SECONDS]),
        .tm_min = rtc_decode(s, s->cmos[REG_MINUTES]),
        .tm_hour = rtc_decode_hour(s, s->cmos[REG_HOURS]),
        .tm_mday = rtc_decode(s, s->cmos[REG_DAY]),
        .tm_mon = (int)rtc_decode(s, s->cmos[REG_MONTH]) - 1,
        .tm_year = (int)rtc_decode(s, s->cmos[REG_YEAR]) - 1900 +
                   (int)rtc_decode(s, s->cmos[MC146818_CENTURY]) * 100,
    };
    Time time = (Time)timegm(&tm) * NS_PER_S + fraction;
    g_autofree char *path = object_path(&s->dev.object);

    s->offset = time - rtc_clock(s) - s->base;
    s->checked = time;
    vm_event_send(&(VMEvent){
        .kind = VM_EVENT_RTC_CHANGE,
        .offset = seconds_of(s->offset + NS_PER_S / 2),
        .path = path,
    });
}

/* ---- what happens in time ----------------------------------------------------------- */

/* Periodic interrupts in a second; 0: none. */
static unsigned rtc_rate(const RTC *s)
{
    unsigned select = s->cmos[REG_A] & A_RATE;

    if (select == 0 || rtc_divider_reset(s)) {
        return 0;
    }
    return 32768 >> ((select < 3 ? select + 7 : select) - 1);
}

static bool alarm_matches(uint8_t reg, unsigned wanted, unsigned value)
{
    return (reg & ALARM_ANY) == ALARM_ANY || wanted == value;
}

/* Whether no value below @end matches. */
static bool alarm_never(uint8_t reg, unsigned wanted, unsigned end)
{
    return (reg & ALARM_ANY) != ALARM_ANY && wanted >= end;
}

/* Seconds from @seconds to the next alarm, at least 1; 0: there is none. */
static int64_t rtc_alarm_delay(const RTC *s, int64_t seconds)
{
    const uint8_t *cmos = s->cmos;
    unsigned sec = rtc_decode(s, cmos[REG_SECONDS_ALARM]);
    unsigned min = rtc_decode(s, cmos[REG_MINUTES_ALARM]);
    unsigned hour = rtc_decode_hour(s, cmos[REG_HOURS_ALARM]);
    int64_t start = day_second(seconds);
    int64_t t = start + 1;

    /* So that one that cannot come is not looked for in each second of a day. */
    if (alarm_never(cmos[REG_SECONDS_ALARM], sec, 60) ||
        alarm_never(cmos[REG_MINUTES_ALARM], min, 60) ||
        alarm_never(cmos[REG_HOURS_ALARM], hour, 24)) {
        return 0;
    }
    while (t <= start + S_PER_DAY) {
        if (!alarm_matches(cmos[REG_HOURS_ALARM], hour, t / 3600 % 24)) {
            t += 3600 - t % 3600;
        } else if (!alarm_matches(cmos[REG_MINUTES_ALARM], min, t / 60 % 60)) {
            t += 60 - t % 60;
        } else if (!alarm_matches(cmos[REG_SECONDS_ALARM], sec, t % 60)) {
            t++;
        } else {
            return t - start;
        }
    }
    return 0;
}

/* Periods of a clock of @rate that have ended by @time. */
static int64_t rate_periods(Time time, unsigned rate)
{
    return seconds_of(time) * rate + fraction_of(time) * rate / NS_PER_S;
}

/* Set the flags of what has happened since they were last looked at. */
static void rtc_advance(RTC *s)
{
    Time now = rtc_now(s), before = s->checked;
    int64_t seconds = seconds_of(now) - seconds_of(before);
    unsigned rate = rtc_rate(s);
    int64_t alarm;

    s->checked = now;
    if (now <= before) {
        return; /* the host's clock was set back */
    }
    if (rate && rate_periods(now, rate) != rate_periods(before, rate)) {
        s->cmos[REG_C] |= B_PIE;
    }
    if (seconds && !rtc_halted(s)) {
        s->cmos[REG_C] |= B_UIE;
        alarm = rtc_alarm_delay(s, seconds_of(before));
        if (alarm && alarm <= seconds) {
            s->cmos[REG_C] |= B_AIE;
            if (s->cmos[REG_B] & B_AIE) {
                vm_request_wakeup(WAKEUP_RTC);
            }
        }
    }
}

/* Nanoseconds to the next event of @interrupts, or -1. */
static int64_t rtc_next_event(RTC *s, uint8_t interrupts)
{
    int64_t fraction = fraction_of(s->checked);
    int64_t next = INT64_MAX, alarm;
    unsigned rate = rtc_rate(s);

    if ((interrupts & B_PIE) && rate) {
        int64_t period = fraction * rate / NS_PER_S + 1;

        next = (period * NS_PER_S + rate - 1) / rate - fraction;
    }
    if ((interrupts & B_UIE) && !rtc_halted(s)) {
        next = MIN(next, NS_PER_S - fraction);
    }
    if ((interrupts & B_AIE) && !rtc_halted(s)) {
        alarm = rtc_alarm_delay(s, seconds_of(s->checked));
        if (alarm) {
            next = MIN(next, alarm * NS_PER_S - fraction);
        }
    }
    return next == INT64_MAX ? -1 : next;
}

/* Drive the interrupt, and be woken for the next one. */
static void rtc_update(RTC *s)
{
    uint8_t enabled = s->cmos[REG_B] & B_INTERRUPTS;
    int64_t next = rtc_next_event(s, enabled & ~s->cmos[REG_C]);

    device_set_irq(&s->dev, 0, enabled & s->cmos[REG_C]);
    if (next >= 0) {
        timer_arm_ns(&s->timer, clock_virtual_ns() + next);
    } else {
        timer_cancel(&s->timer);
    }
}

static void rtc_timer(void *opaque)
{
    RTC *s = opaque;

    rtc_advance(s);
    rtc_update(s);
}

/* ---- registers ------------------------------------------------------------------------ */

static bool is_time(unsigned index)
{
    switch (index) {
    case REG_SECONDS:
    case REG_MINUTES:
    case REG_HOURS:
    case REG_WEEKDAY ... REG_YEAR:
    case MC146818_CENTURY:
        return true;
    default:
        return false;
    }
}

/* Write A or B: time may stop or start to run. */
static void rtc_write_control(RTC *s, unsigned reg, uint8_t value)
{
    bool was_halted = rtc_halted(s), was_reset = rtc_divider_reset(s);

    rtc_latch(s);
    s->cmos[reg] = value;
    if (s->cmos[REG_B] & B_SET) {
        s->cmos[REG_B] &= ~B_UIE;
    }
    if (was_halted && !rtc_halted(s)) {
        /* A divider that starts afresh makes its first update in 500 ms. */
        rtc_set_time(s, was_reset ? NS_PER_S / 2 : fraction_of(s->checked));
    }
}

static void rtc_write(RTC *s, unsigned index, uint8_t value)
{
    rtc_advance(s);
    switch (index) {
    case REG_A:
        rtc_write_control(s, REG_A, value & ~A_UIP);
        break;
    case REG_B:
        rtc_write_control(s, REG_B, value);
        break;
    case REG_C:
    case REG_D:
        break;
    default:
        if (is_time(index) && !rtc_halted(s)) {
            rtc_latch(s);
            s->cmos[index] = value;
            rtc_set_time(s, fraction_of(s->checked));
        } else {
            s->cmos[index] = value;
        }
        break;
    }
    rtc_update(s);
}

static uint8_t rtc_read_c(RTC *s)
{
    uint8_t flags;

    rtc_advance(s);
    flags = s->cmos[REG_C];
    s->cmos[REG_C] = 0;
    rtc_update(s);
    return flags | (flags & s->cmos[REG_B] & B_INTERRUPTS ? C_IRQF : 0);
}

static uint8_t rtc_read(RTC *s, unsigned index)
{
    switch (index) {
    case REG_A:
        return s->cmos[REG_A] |
               (!rtc_halted(s) &&
                fraction_of(rtc_now(s)) >= NS_PER_S - UIP_NS ? A_UIP : 0);
    case REG_C:
        return rtc_read_c(s);
    case REG_D:
        return D_VRT;
    default:
        if (is_time(index)) {
            rtc_latch(s);
        }
        return s->cmos[index];
    }
}

/* The register that the index port selects. */
static unsigned rtc_selected(const RTC *s)
{
    return s->index == CENTURY_PS2 ? MC146818_CENTURY : s->index;
}

static uint64_t rtc_port_read(void *opaque, hwaddr addr, unsigned size)
{
    RTC *s = opaque;

    return addr == 0 ? 0xff : rtc_read(s, rtc_selected(s));
}

static void rtc_port_write(void *opaque, hwaddr addr, uint64_t data,
                           unsigned size)
{
    RTC *s = opaque;

    if (addr == 0) {
        s->index = data % MC146818_CMOS_SIZE; /* bit 7 masks NMIs elsewhere */
    } else {
        rtc_write(s, rtc_selected(s), data);
    }
}

static const MemoryRegionOps rtc_ops = {
    .read = rtc_port_read,
    .write = rtc_port_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

/* ---- life ------------------------------------------------------------------------------- */

void mc146818_set_cmos(Device *dev, unsigned index, uint8_t value)
{
    assert(index >= REG_FIRST_FREE && index < MC146818_CMOS_SIZE &&
           index != MC146818_CENTURY && index != CENTURY_PS2);
    ((RTC *)dev)->cmos[index] = value;
}

void mc146818_set_clock(Device *dev, int64_t (*now)(void *opaque),
                        void *opaque)
{
    RTC *s = (RTC *)dev;

    s->now = now;
    s->now_opaque = opaque;
    s->base = 0;
    s->checked = rtc_now(s);
}

static int64_t host_now(void *opaque)
{
    return g_get_real_time();
}

static int64_t host_monotonic_now(void *opaque)
{
    return g_get_monotonic_time();
}

/* The clock that the user has chosen; it shows @start now, but for the host's,
 * which needs no start. */
static void rtc_choose_clock(RTC *s, const RTCSettings *settings)
{
    Time start = (Time)g_get_real_time() * NS_PER_US;

    start = settings->dated ? (Time)settings->date * NS_PER_S
                            : start + (Time)settings->offset_us * NS_PER_US;
    switch (settings->clock) {
    case RTC_CLOCK_HOST:
        s->now = host_now;
        break;
    case RTC_CLOCK_RT:
        s->now = host_monotonic_now;
        break;
    case RTC_CLOCK_VM:
        /* Whole seconds: a machine moved by hand is the same each time. */
        start = (Time)seconds_of(start) * NS_PER_S;
        break;
    }
    s->base = start - rtc_clock(s);
    s->checked = start;
}

/* ---- a machine that was stopped --------------------------------------------------- */

typedef struct ResumedSource {
    GSource base;
    RTC *rtc;
} ResumedSource;

static gboolean rtc_resumed(GSource *source, GSourceFunc callback,
                            gpointer opaque)
{
    memory_lock();
    if (!g_source_is_destroyed(source)) {
        g_source_set_ready_time(source, -1);
        rtc_timer(((ResumedSource *)source)->rtc);
    }
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

static void rtc_event(const VMEvent *event, void *opaque)
{
    RTC *s = opaque;

    if (event->kind == VM_EVENT_RESUME) {
        g_source_set_ready_time(s->resumed, 0);
    }
}

static bool rtc_realize(Device *dev, GError **err)
{
    static GSourceFuncs resumed_funcs = { .dispatch = rtc_resumed };
    static const RTCSettings host_time = { .clock = RTC_CLOCK_HOST };
    RTC *s = (RTC *)dev;

    timer_init(&s->timer, rtc_timer, s);
    s->cmos[REG_A] = A_DEFAULT;
    s->cmos[REG_B] = B_24H;
    rtc_choose_clock(s, dev->machine ? &dev->machine->rtc : &host_time);
    s->resumed = g_source_new(&resumed_funcs, sizeof(ResumedSource));
    ((ResumedSource *)s->resumed)->rtc = s;
    g_source_attach(s->resumed, NULL);
    vm_event_listen(rtc_event, s);
    return true;
}

static void rtc_unrealize(Device *dev)
{
    RTC *s = (RTC *)dev;

    vm_event_unlisten(rtc_event, s);
    g_source_destroy(s->resumed);
    g_source_unref(s->resumed);
    timer_cleanup(&s->timer);
}

/* The battery keeps the time and the memory; interrupts are off. */
static void rtc_reset(Device *dev)
{
    RTC *s = (RTC *)dev;

    rtc_advance(s);
    s->cmos[REG_B] &= ~(B_INTERRUPTS | B_SQWE);
    s->cmos[REG_C] = 0;
    s->index = 0;
    rtc_update(s);
}

const DeviceType mc146818rtc_type = {
    .name = "mc146818rtc",
    .description = "real-time clock and CMOS memory",
    .size = sizeof(RTC),
    .ops = &rtc_ops,
    .ops_size = 2,
    .realize = rtc_realize,
    .unrealize = rtc_unrealize,
    .reset = rtc_reset,
};
