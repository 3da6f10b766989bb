/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-pit: the interval timer of a PC, and port 0x61 with the gate and the output
 * of its channel 2. See the Intel 82C54 data sheet (order number 231244), and the
 * IBM PC AT Technical Reference, "System Board", for the port.
 *
 * For machines in which KVM serves none. Nothing ticks: a channel is brought up to
 * date when somebody looks, over any number of ticks in a few steps, and only the
 * next event of channel 0 arms a timer. Within a tick, first the counter moves, then
 * the guest is served.
 *
 * Region 0 is the timer's four ports, region 1 port 0x61. Output 0 is that of
 * channel 0. Input 0 keeps output 0 low while it is high: an HPET has taken over.
 */
#include "hw/core/clock.h"
#include "hw/core/device.h"
#include "hw/core/timer.h"

#define PIT_HZ 1193182
#define NS_PER_S 1000000000

#define CHANNELS 3
#define PORT_CONTROL 3

/* Control word */
#define CONTROL_CHANNEL_SHIFT 6
#define CONTROL_READ_BACK 3 /* instead of a channel */
#define CONTROL_RW_SHIFT 4
#define CONTROL_MODE_SHIFT 1
#define CONTROL_BCD 0x01

/* How a count is read and written; 0 in a control word: latch it */
#define RW_LATCH 0
#define RW_LOW 1
#define RW_HIGH 2
#define RW_BOTH 3

/* Read-back command, each bit active low but for the channels' */
#define READ_BACK_NO_COUNT 0x20
#define READ_BACK_NO_STATUS 0x10
#define READ_BACK_CHANNEL0 0x02

/* Status byte; below are the bits of the control word */
#define STATUS_OUT 0x80
#define STATUS_NULL 0x40

/* Port 0x61 */
#define PORT61_GATE 0x01
#define PORT61_SPEAKER 0x02
#define PORT61_WRITABLE (PORT61_GATE | PORT61_SPEAKER)
#define PORT61_REFRESH 0x10 /* toggles with each refresh of memory, every 15 us */
#define PORT61_OUT2 0x20
#define REFRESH_NS 15085

#define NEVER UINT64_MAX

typedef struct Channel {
    uint8_t mode; /* 0 to 5 */
    uint8_t rw;   /* RW_ */
    bool bcd;
    bool gate;
    bool out;
    bool null;     /* reload holds a count that was not loaded yet */
    bool load;     /* it will be, at the next tick */
    bool counting; /* a count was loaded since the control word */
    bool armed;    /* modes 4 and 5: zero is still to come */
    bool odd;      /* mode 3: the count that was loaded */
    bool written;  /* a whole count since the control word */
    uint32_t reload; /* 1 to 65536, or 10000 */
    uint32_t count;  /* less than that; decimal digits are not packed here */
    bool second_write, second_read; /* the high byte comes next */
    uint8_t low;       /* byte that was written first */
    uint16_t latch;    /* as the guest reads it */
    uint8_t latched;   /* bytes of it to be read still */
    uint8_t status;
    bool status_latched;
} Channel;

typedef struct PIT {
    Device dev;
    MemoryRegion ports;
    MemoryRegion port61;
    Timer timer;
    uint64_t ticks; /* up to which the channels are right */
    bool off;       /* input 0 */
    bool speaker;   /* bit 1 of port 0x61 */
    Channel channels[CHANNELS];
} PIT;

/* ---- time -------------------------------------------------------------------- */

static uint64_t ticks_at(int64_t ns)
{
    return (unsigned __int128)ns * PIT_HZ / NS_PER_S;
}

/* When that tick begins; the clock's end, if it is later. */
static int64_t tick_start_ns(uint64_t tick)
{
    unsigned __int128 ns =
        ((unsigned __int128)tick * NS_PER_S + PIT_HZ - 1) / PIT_HZ;

    return MIN(ns, CLOCK_NS_MAX);
}

/* ---- a channel --------------------------------------------------------------- */

static uint32_t channel_base(const Channel *c)
{
    return c->bcd ? 10000 : 65536;
}

/* How far the counter is from zero: zero itself is as far as it can be. */
static uint32_t channel_left(const Channel *c)
{
    return c->count ? c->count : channel_base(c);
}

static bool channel_is_stopped(const Channel *c)
{
    return !c->counting || (!c->gate && c->mode != 1 && c->mode != 5);
}

/* A rate or a square wave of one tick, which the chip cannot do: the output stays. */
static bool channel_is_stuck(const Channel *c)
{
    return (c->mode == 2 || c->mode == 3) && c->out && !c->null &&
           c->reload == 1;
}

/* How many ticks only move the counter, before one does more; NEVER: all. */
static uint64_t channel_quiet_ticks(const Channel *c)
{
    bool strobe = (c->mode == 4 || c->mode == 5) && !c->out;

    if (c->load || strobe) {
        return 0;
    }
    if (channel_is_stopped(c) || channel_is_stuck(c)) {
        return NEVER;
    }
    switch (c->mode) {
    case 0:
    case 1:
        return c->out ? NEVER : channel_left(c) - 1;
    case 2:
        return c->count == 1 ? 0 : channel_left(c) - 2;
    case 3:
        return c->odd && c->out ? c->count / 2 : channel_left(c) / 2 - 1;
    default:
        return c->armed ? channel_left(c) - 1 : NEVER;
    }
}

/* Move the counter on by @ticks, in which nothing else happens. */
static void channel_count(Channel *c, uint64_t ticks)
{
    uint32_t base = channel_base(c);

    if (!channel_is_stopped(c) && !channel_is_stuck(c)) {
        uint32_t by = (c->mode == 3 ? 2 : 1) * (ticks % base) % base;

        c->count = (c->count + base - by) % base;
    }
}

static void channel_load(Channel *c)
{
    c->count = c->reload % channel_base(c);
    c->odd = c->mode == 3 && (c->count & 1);
    c->count -= c->odd;
    c->null = c->load = false;
    c->counting = c->armed = true;
}

/* The tick in which more happens than counting. */
static void channel_event(Channel *c)
{
    if (c->load) {
        channel_load(c);
        c->out = c->mode != 0 && c->mode != 1;
        return;
    }
    switch (c->mode) {
    case 0:
    case 1:
        channel_count(c, 1);
        c->out = true;
        break;
    case 2:
        if (c->count == 1) {
            channel_load(c);
            c->out = true;
        } else {
            channel_count(c, 1);
            c->out = false;
        }
        break;
    case 3:
        c->out = !c->out;
        channel_load(c);
        break;
    default:
        channel_count(c, 1);
        c->out = !c->out; /* low for this one tick, or high again after it */
        c->armed = false;
        break;
    }
}

/* Ticks from one beginning of a period to the next; 0: it is not at one, or not
 * periodic. */
static uint64_t channel_period(const Channel *c)
{
    bool start = c->out && !c->load && !c->null &&
                 c->count + c->odd == c->reload % channel_base(c);

    return (c->mode == 2 || c->mode == 3) && start && !channel_is_stopped(c) &&
                   !channel_is_stuck(c)
               ? c->reload
               : 0;
}

/* Let @ticks pass. Returns whether the output rose meanwhile. */
static bool channel_run(Channel *c, uint64_t ticks)
{
    bool rose = false;

    while (ticks) {
        uint64_t period = channel_period(c);
        uint64_t quiet = MIN(ticks, channel_quiet_ticks(c));
        bool out = c->out;

        if (period && ticks >= period) {
            ticks %= period;
            rose = true;
            continue;
        }
        channel_count(c, quiet);
        ticks -= quiet;
        if (ticks) {
            channel_event(c);
            ticks--;
            rose = rose || (c->out && !out);
        }
    }
    return rose;
}

static void channel_set_gate(Channel *c, bool gate)
{
    bool rises = gate && !c->gate;

    c->gate = gate;
    if (!gate && (c->mode == 2 || c->mode == 3)) {
        c->out = true;
    }
    if (rises && c->written && c->mode != 0 && c->mode != 4) {
        c->load = true;
    }
}

/* ---- the guest's side of a channel -------------------------------------------- */

static uint16_t channel_shown(const Channel *c)
{
    unsigned n = c->count;

    return c->bcd ? n / 1000 << 12 | n / 100 % 10 << 8 | n / 10 % 10 << 4 | n % 10
                  : n;
}

static uint8_t channel_status(const Channel *c)
{
    return (c->out ? STATUS_OUT : 0) | (c->null ? STATUS_NULL : 0) |
           c->rw << CONTROL_RW_SHIFT | c->mode << CONTROL_MODE_SHIFT |
           (c->bcd ? CONTROL_BCD : 0);
}

static void channel_latch_count(Channel *c)
{
    if (!c->latched) {
        c->latch = channel_shown(c);
        c->latched = c->rw == RW_BOTH ? 2 : 1;
    }
}

static void channel_latch_status(Channel *c)
{
    if (!c->status_latched) {
        c->status = channel_status(c);
        c->status_latched = true;
    }
}

static void channel_control(Channel *c, uint8_t word)
{
    unsigned mode = word >> CONTROL_MODE_SHIFT & 7;

    c->mode = mode > 5 ? mode - 4 : mode;
    c->rw = word >> CONTROL_RW_SHIFT & 3;
    c->bcd = word & CONTROL_BCD;
    c->out = c->mode != 0;
    c->null = true;
    c->load = c->counting = c->armed = c->written = false;
    c->second_write = c->second_read = c->status_latched = false;
    c->latched = 0;
    c->count %= channel_base(c);
}

static void channel_set_reload(Channel *c, uint16_t value)
{
    uint32_t n = value;

    if (c->bcd) {
        n = ((value >> 12) * 1000 + (value >> 8 & 0xf) * 100 +
             (value >> 4 & 0xf) * 10 + (value & 0xf)) % 10000;
    }
    c->reload = n ? n : channel_base(c);
    c->null = c->written = true;
    if (c->mode == 0) {
        c->out = false;
    }
    if (c->mode == 0 || c->mode == 4 ||
        (!c->counting && (c->mode == 2 || c->mode == 3))) {
        c->load = true;
    }
}

static void channel_write(Channel *c, uint8_t byte)
{
    if (c->rw != RW_BOTH) {
        channel_set_reload(c, c->rw == RW_HIGH ? byte << 8 : byte);
    } else if (c->second_write) {
        c->second_write = false;
        channel_set_reload(c, byte << 8 | c->low);
    } else {
        c->second_write = true;
        c->low = byte;
        if (c->mode == 0) { /* waits for the other half */
            c->out = c->counting = c->load = false;
        }
    }
}

static uint8_t channel_read(Channel *c)
{
    uint16_t count = channel_shown(c);
    bool high = c->rw == RW_HIGH;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    if (c->latched) {
        count = c->latch;
        high = high || (c->rw == RW_BOTH && c->latched == 1);
        c->latched--;
    } else if (c->rw == RW_BOTH) {
        high = c->second_read;
        c->second_read = !c->second_read;
    }
    return high ? count >> 8 : count;
}

/* ---- the device --------------------------------------------------------------- */

/* Drive output 0, with an edge where it @rose in between, and be woken for what
 * comes next. */
static void pit_update(PIT *s, bool rose)
{
    const Channel *c = &s->channels[0];
    uint64_t quiet = s->off ? NEVER : channel_quiet_ticks(c);

    if (rose && !s->off) {
        device_set_irq(&s->dev, 0, false);
        device_set_irq(&s->dev, 0, true);
    }
    device_set_irq(&s->dev, 0, c->out && !s->off);
    if (quiet == NEVER) {
        timer_cancel(&s->timer);
    } else {
        timer_arm_ns(&s->timer, tick_start_ns(s->ticks + quiet + 1));
    }
}

/* Bring all up to date. */
static void pit_sync(PIT *s)
{
    uint64_t now = ticks_at(clock_virtual_ns());
    uint64_t ticks = now > s->ticks ? now - s->ticks : 0;
    bool rose = channel_run(&s->channels[0], ticks);

    channel_run(&s->channels[1], ticks);
    channel_run(&s->channels[2], ticks);
    s->ticks = now;
    pit_update(s, rose);
}

static void pit_timer(void *opaque)
{
    pit_sync(opaque);
}

static void pit_read_back(PIT *s, uint8_t word)
{
    for (unsigned n = 0; n < CHANNELS; n++) {
        if (!(word & READ_BACK_CHANNEL0 << n)) {
            continue;
        }
        if (!(word & READ_BACK_NO_COUNT)) {
            channel_latch_count(&s->channels[n]);
        }
        if (!(word & READ_BACK_NO_STATUS)) {
            channel_latch_status(&s->channels[n]);
        }
    }
}

static void pit_control(PIT *s, uint8_t word)
{
    unsigned n = word >> CONTROL_CHANNEL_SHIFT;

    if (n == CONTROL_READ_BACK) {
        pit_read_back(s, word);
    } else if ((word >> CONTROL_RW_SHIFT & 3) == RW_LATCH) {
        channel_latch_count(&s->channels[n]);
    } else {
        channel_control(&s->channels[n], word);
    }
}

static uint64_t pit_read(void *opaque, hwaddr addr, unsigned size)
{
    PIT *s = opaque;

    pit_sync(s);
    return addr == PORT_CONTROL ? 0 : channel_read(&s->channels[addr]);
}

static void pit_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PIT *s = opaque;

    pit_sync(s);
    if (addr == PORT_CONTROL) {
        pit_control(s, data);
    } else {
        channel_write(&s->channels[addr], data);
    }
    pit_update(s, false);
}

static uint64_t port61_read(void *opaque, hwaddr addr, unsigned size)
{
    PIT *s = opaque;

    pit_sync(s);
    return (s->channels[2].gate ? PORT61_GATE : 0) |
           (s->speaker ? PORT61_SPEAKER : 0) |
           (clock_virtual_ns() / REFRESH_NS & 1 ? PORT61_REFRESH : 0) |
           (s->channels[2].out ? PORT61_OUT2 : 0);
}

static void port61_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PIT *s = opaque;

    pit_sync(s);
    s->speaker = data & PORT61_SPEAKER;
    channel_set_gate(&s->channels[2], data & PORT61_GATE);
}

static const MemoryRegionOps pit_ops = {
    .read = pit_read,
    .write = pit_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static const MemoryRegionOps port61_ops = {
    .read = port61_read,
    .write = port61_write,
    .impl.max_access_size = 1,
};

static void pit_set_input(Device *dev, unsigned n, bool level)
{
    PIT *s = (PIT *)dev;

    pit_sync(s);
    s->off = level;
    pit_update(s, false);
}

static bool pit_realize(Device *dev, GError **err)
{
    PIT *s = (PIT *)dev;

    memory_region_init_io(&s->ports, &pit_ops, s, "pit", CHANNELS + 1);
    device_add_region(dev, &s->ports);
    memory_region_init_io(&s->port61, &port61_ops, s, "port61", 1);
    device_add_region(dev, &s->port61);
    timer_init(&s->timer, pit_timer, s);
    return true;
}

static void pit_unrealize(Device *dev)
{
    timer_cleanup(&((PIT *)dev)->timer);
}

/* The data sheet leaves the state after power-on open; a PC's users expect square
 * waves of the longest period. */
static void pit_reset(Device *dev)
{
    PIT *s = (PIT *)dev;

    s->ticks = ticks_at(clock_virtual_ns());
    s->speaker = false;
    for (unsigned n = 0; n < CHANNELS; n++) {
        Channel *c = &s->channels[n];

        *c = (Channel){ .gate = n != 2, .reload = 65536, .written = true };
        c->mode = 3;
        c->rw = RW_BOTH;
        c->out = true;
        channel_load(c);
    }
    pit_update(s, false);
}

const DeviceType isa_pit_type = {
    .name = "isa-pit",
    .description = "8254 interval timer, and port 0x61",
    .size = sizeof(PIT),
    .realize = pit_realize,
    .unrealize = pit_unrealize,
    .reset = pit_reset,
    .inputs_nr = 1,
    .set_input = pit_set_input,
};
