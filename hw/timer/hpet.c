/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hpet: a High Precision Event Timer with three timers. See IA-PC HPET
 * Specification 1.0a; chapter 2.3 has the registers.
 *
 * Nothing ticks: the counter is worked out from the virtual clock, and so is what
 * has matched it since somebody last looked; only an interrupt that is enabled arms a
 * timer. Where the specification leaves it open: a timer that is set to what the
 * counter shows at that moment matches it; in periodic mode a write with the
 * accumulator bit (Tn_VAL_SET_CNF) sets the period, too. And where it does not: a timer
 * that is set to what the counter has just shown matches, too, as with QEMU. A guest
 * that is interrupted between reading the counter and setting a timer, which on a real
 * machine takes no time, would otherwise wait for the counter's next round.
 *
 * hpet.h says what the wires are.
 */
#include "hw/timer/hpet.h"

#include "hw/core/clock.h"
#include "hw/core/machine.h"
#include "hw/core/timer.h"

#define TIMERS 3
#define TICK_NS 10
#define PERIOD_FS (TICK_NS * 1000000ull)
#define HPET_SIZE 0x400

#define REG_CAPABILITIES 0x000
#define REG_CONFIG 0x010
#define REG_STATUS 0x020 /* a bit for each timer; write 1: clear */
#define REG_COUNTER 0x0f0
#define REG_TIMER 0x100 /* those of the first, */
#define REG_TIMER_STEP 0x20
#define REG_TIMER_CONFIG 0x00 /* in each: */
#define REG_TIMER_COMPARATOR 0x08
#define REG_TIMER_FSB 0x10 /* message: data, and address in the high half */

#define CONFIG_ENABLE 0x1 /* the counter runs, interrupts happen */
#define CONFIG_LEGACY 0x2
#define CONFIG_MASK 0x3

#define TN_LEVEL 0x0002
#define TN_INTERRUPT 0x0004
#define TN_PERIODIC 0x0008
#define TN_CAN_PERIODIC 0x0010
#define TN_CAN_64 0x0020
#define TN_SET_VALUE 0x0040 /* the next write is to the comparator itself */
#define TN_32 0x0100
#define TN_ROUTE_SHIFT 9
#define TN_ROUTE 0x3e00
#define TN_FSB 0x4000
#define TN_CAN_FSB 0x8000
#define TN_ROUTES_SHIFT 32 /* wires to which the interrupt can go, a bit each */

#define JUST_TICKS (1ull << 31) /* so long ago the counter has just shown something */

#define LEGACY_PIT_WIRE 0
#define LEGACY_RTC_WIRE 8

typedef struct HPETTimer {
    uint64_t config;
    uint64_t comparator;
    uint64_t period;
    uint64_t fsb;
    uint64_t next; /* the first value of the counter that was not compared yet */
} HPETTimer;

typedef struct HPET {
    Device dev;
    bool msi;       /* properties */
    uint32_t routes;
    Timer timer;
    bool rtc;       /* input 0 */
    uint64_t config;
    uint64_t status;
    uint64_t counter; /* what it showed at @since_ns; where it stands */
    int64_t since_ns; /* while it runs */
    HPETTimer timers[TIMERS];
} HPET;

/* ---- the counter ---------------------------------------------------------------- */

static bool hpet_runs(const HPET *s)
{
    return s->config & CONFIG_ENABLE;
}

static uint64_t hpet_counter(const HPET *s)
{
    return hpet_runs(s) ? s->counter + (clock_virtual_ns() - s->since_ns) / TICK_NS
                        : s->counter;
}

static uint64_t timer_mask(const HPETTimer *t)
{
    return t->config & TN_32 ? UINT32_MAX : UINT64_MAX;
}

/* ---- interrupts ------------------------------------------------------------------ */

static bool hpet_is_legacy(const HPET *s)
{
    return (s->config & CONFIG_MASK) == (CONFIG_ENABLE | CONFIG_LEGACY);
}

/* The wire of timer @n, or -1. */
static int hpet_wire(const HPET *s, unsigned n)
{
    unsigned route = (s->timers[n].config & TN_ROUTE) >> TN_ROUTE_SHIFT;

    if (s->timers[n].config & TN_FSB) {
        return -1;
    }
    if (hpet_is_legacy(s) && n < 2) {
        return n == 0 ? LEGACY_PIT_WIRE : LEGACY_RTC_WIRE;
    }
    return s->routes >> route & 1 ? (int)route : -1;
}

static bool timer_interrupts(const HPET *s, unsigned n)
{
    return hpet_runs(s) && (s->timers[n].config & TN_INTERRUPT);
}

static void hpet_drive_wires(HPET *s)
{
    uint32_t high = s->rtc && !hpet_is_legacy(s) ? 1u << LEGACY_RTC_WIRE : 0;
    unsigned n;

    for (n = 0; n < TIMERS; n++) {
        int wire = hpet_wire(s, n);

        if (wire >= 0 && timer_interrupts(s, n) && (s->status >> n & 1)) {
            high |= 1u << wire;
        }
    }
    for (n = 0; n < HPET_WIRES_NR; n++) {
        device_set_irq(&s->dev, n, high >> n & 1);
    }
}

/* Timer @n has matched the counter. */
static void hpet_match(HPET *s, unsigned n)
{
    HPETTimer *t = &s->timers[n];
    int wire = hpet_wire(s, n);
    bool level = (t->config & TN_LEVEL) && !(t->config & TN_FSB);

    if (level) {
        s->status |= 1u << n;
    } else if (timer_interrupts(s, n)) {
        if (t->config & TN_FSB) {
            address_space_stl(&s->dev.machine->memory, t->fsb >> 32, t->fsb,
                              MEMTXATTRS_UNSPECIFIED, NULL);
        } else if (wire >= 0) {
            device_set_irq(&s->dev, wire, true);
        }
    }
    /* What was only an edge ends here. */
    hpet_drive_wires(s);
}

/* Compare timer @n with all that the counter has shown up to @now. */
static void hpet_compare(HPET *s, unsigned n, uint64_t now)
{
    HPETTimer *t = &s->timers[n];
    uint64_t mask = timer_mask(t), period = t->period & mask;
    uint64_t ahead = (t->comparator - t->next) & mask;
    uint64_t passed = now - t->next;

    if ((int64_t)passed < 0) {
        return;
    }
    t->next = now + 1;
    if (ahead > passed) {
        return;
    }
    if ((t->config & TN_PERIODIC) && period) {
        t->comparator += ((passed - ahead) / period + 1) * period;
        t->comparator &= mask;
    }
    hpet_match(s, n);
}

/* Be woken for the next interrupt. */
static void hpet_arm(HPET *s)
{
    int64_t first = INT64_MAX;
    unsigned n;

    for (n = 0; n < TIMERS; n++) {
        const HPETTimer *t = &s->timers[n];
        uint64_t ahead = (t->comparator - t->next) & timer_mask(t);
        uint64_t ticks = t->next - s->counter;

        if (timer_interrupts(s, n) && !(s->status >> n & 1) &&
            ahead < CLOCK_NS_MAX / TICK_NS / 2 &&
            ticks < CLOCK_NS_MAX / TICK_NS / 2) {
            first = MIN(first, s->since_ns + (int64_t)(ticks + ahead) * TICK_NS);
        }
    }
    if (first == INT64_MAX) {
        timer_cancel(&s->timer);
    } else {
        timer_arm_ns(&s->timer, first);
    }
}

/* Bring all up to date. */
static void hpet_sync(HPET *s)
{
    uint64_t now = hpet_counter(s);

    for (unsigned n = 0; hpet_runs(s) && n < TIMERS; n++) {
        hpet_compare(s, n, now);
    }
}

static void hpet_update(HPET *s)
{
    hpet_sync(s);
    hpet_drive_wires(s);
    hpet_arm(s);
}

static void hpet_timer(void *opaque)
{
    hpet_update(opaque);
}

/* ---- registers -------------------------------------------------------------------- */

static void hpet_write_config(HPET *s, uint64_t value)
{
    bool ran = hpet_runs(s), was_legacy = hpet_is_legacy(s);

    s->counter = hpet_counter(s);
    s->since_ns = clock_virtual_ns();
    s->config = value & CONFIG_MASK;
    for (unsigned n = 0; !ran && n < TIMERS; n++) {
        s->timers[n].next = s->counter;
    }
    if (hpet_is_legacy(s) != was_legacy) {
        /* Whoever has the wires next finds them low. */
        device_set_irq(&s->dev, LEGACY_PIT_WIRE, false);
        device_set_irq(&s->dev, HPET_OUT_PIT_OFF, hpet_is_legacy(s));
    }
}

static void timer_write_config(HPET *s, unsigned n, uint64_t value)
{
    HPETTimer *t = &s->timers[n];
    uint64_t writable = TN_LEVEL | TN_INTERRUPT | TN_PERIODIC | TN_32;

    if (value & TN_PERIODIC) {
        writable |= TN_SET_VALUE;
    }
    if (s->msi) {
        writable |= TN_FSB;
    }
    /* One that is not there reads back as it was. */
    if (s->routes >> ((value & TN_ROUTE) >> TN_ROUTE_SHIFT) & 1) {
        writable |= TN_ROUTE;
    }
    t->config = (t->config & ~writable) | (value & writable);
    if (!(t->config & TN_PERIODIC)) {
        t->config &= ~(uint64_t)TN_SET_VALUE;
    }
    if (!(t->config & TN_LEVEL)) {
        s->status &= ~(1u << n);
    }
    t->comparator &= timer_mask(t);
}

/* Those of its bits that @bits has set. */
static void timer_write_comparator(HPET *s, unsigned n, uint64_t value, uint64_t bits)
{
    HPETTimer *t = &s->timers[n];
    uint64_t now = hpet_counter(s), passed;

    bits &= timer_mask(t);
    if (t->config & TN_PERIODIC) {
        t->period = (t->period & ~bits) | (value & bits);
    }
    if (!(t->config & TN_PERIODIC) || (t->config & TN_SET_VALUE)) {
        t->comparator = (t->comparator & ~bits) | (value & bits);
        t->next = now;
    }
    /* The period is still to come after a first time: it says where to go on. */
    passed = (now - t->comparator) & timer_mask(t);
    if (passed < JUST_TICKS && !(t->config & TN_SET_VALUE)) {
        t->next = now - passed;
    }
    t->config &= ~(uint64_t)TN_SET_VALUE;
}

static uint64_t timer_read(const HPET *s, unsigned n, unsigned reg)
{
    switch (reg) {
    case REG_TIMER_CONFIG:
        return s->timers[n].config;
    case REG_TIMER_COMPARATOR:
        return s->timers[n].comparator;
    case REG_TIMER_FSB:
        return s->timers[n].fsb;
    default:
        return 0;
    }
}

/* Whether @addr is a register of a timer, and then of which. */
static bool timer_at(hwaddr addr, unsigned *n)
{
    *n = (addr - REG_TIMER) / REG_TIMER_STEP;
    return addr >= REG_TIMER && *n < TIMERS;
}

static uint64_t hpet_read(void *opaque, hwaddr addr, unsigned size)
{
    HPET *s = opaque;
    uint64_t value;
    unsigned n;

    hpet_update(s);
    if (timer_at(addr, &n)) {
        value = timer_read(s, n, addr % REG_TIMER_STEP & ~7u);
    } else {
        switch (addr & ~7u) {
        case REG_CAPABILITIES:
            value = PERIOD_FS << 32 | HPET_BLOCK_ID;
            break;
        case REG_CONFIG:
            value = s->config;
            break;
        case REG_STATUS:
            value = s->status;
            break;
        case REG_COUNTER:
            value = hpet_counter(s);
            break;
        default:
            value = 0;
            break;
        }
    }
    return value >> (addr & 4) * 8;
}

static void timer_write(HPET *s, unsigned n, unsigned reg, uint64_t value,
                        uint64_t bits)
{
    HPETTimer *t = &s->timers[n];

    switch (reg) {
    case REG_TIMER_CONFIG:
        timer_write_config(s, n, (t->config & ~bits) | value);
        break;
    case REG_TIMER_COMPARATOR:
        timer_write_comparator(s, n, value, bits);
        break;
    case REG_TIMER_FSB:
        t->fsb = (t->fsb & ~bits) | value;
        break;
    }
}

static void hpet_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    HPET *s = opaque;
    unsigned shift = (addr & 4) * 8, n;
    uint64_t bits = (size == 8 ? UINT64_MAX : UINT32_MAX) << shift;
    uint64_t value = data << shift & bits;

    hpet_sync(s);
    if (timer_at(addr, &n)) {
        timer_write(s, n, addr % REG_TIMER_STEP & ~7u, value, bits);
    } else {
        switch (addr & ~7u) {
        case REG_CONFIG:
            hpet_write_config(s, (s->config & ~bits) | value);
            break;
        case REG_STATUS:
            s->status &= ~value;
            break;
        case REG_COUNTER:
            if (!hpet_runs(s)) {
                s->counter = (s->counter & ~bits) | value;
            }
            break;
        }
    }
    hpet_update(s);
}

static const MemoryRegionOps hpet_ops = {
    .read = hpet_read,
    .write = hpet_write,
    .valid.min_access_size = 4,
    .valid.max_access_size = 8,
    .impl.min_access_size = 4,
    .impl.max_access_size = 8,
};

/* ---- life -------------------------------------------------------------------------- */

static void hpet_set_input(Device *dev, unsigned n, bool level)
{
    HPET *s = (HPET *)dev;

    s->rtc = level;
    hpet_drive_wires(s);
}

static bool hpet_realize(Device *dev, GError **err)
{
    HPET *s = (HPET *)dev;

    if (s->routes == 0 || s->routes >> HPET_WIRES_NR) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'hpet-intcap' must have bits "
                    "between 0 and %u set, one at least", HPET_WIRES_NR - 1);
        return false;
    }
    timer_init(&s->timer, hpet_timer, s);
    return true;
}

static void hpet_unrealize(Device *dev)
{
    timer_cleanup(&((HPET *)dev)->timer);
}

static void hpet_reset(Device *dev)
{
    HPET *s = (HPET *)dev;

    hpet_write_config(s, 0);
    s->counter = s->status = 0;
    for (unsigned n = 0; n < TIMERS; n++) {
        s->timers[n] = (HPETTimer){
            .config = TN_CAN_PERIODIC | TN_CAN_64 | (s->msi ? TN_CAN_FSB : 0) |
                      (uint64_t)s->routes << TN_ROUTES_SHIFT,
            .comparator = UINT64_MAX,
        };
    }
    hpet_update(s);
}

static const Property hpet_properties[] = {
    { "msi", PROP_BOOL, offsetof(HPET, msi), "off",
      "timers can send messages", 0 },
    { "hpet-intcap", PROP_UINT32, offsetof(HPET, routes), "0x4",
      "interrupts to which timers can be routed, a bit each", 0 },
    { 0 },
};

const DeviceType hpet_type = {
    .name = "hpet",
    .description = "high precision event timer",
    .size = sizeof(HPET),
    .properties = hpet_properties,
    .ops = &hpet_ops,
    .ops_size = HPET_SIZE,
    .realize = hpet_realize,
    .unrealize = hpet_unrealize,
    .reset = hpet_reset,
    .inputs_nr = 1,
    .set_input = hpet_set_input,
};
