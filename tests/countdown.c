/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-countdown: the example of docs/writing-a-device.md. It counts down when
 * told to, and interrupts at zero.
 */
#include "hw/core/device.h"

/* Registers, 4 bytes each. */
#define REG_COUNT 0x0  /* read: what is left; write: start from here */
#define REG_STEP 0x4   /* write: count down by one */
#define REG_STATUS 0x8 /* STATUS_ bits; write: clear those that are 1 */
#define REGS_SIZE 0xc

#define STATUS_ZERO 0x1 /* the count reached zero; drives the interrupt */

typedef struct Countdown {
    Device dev;      /* first, always */
    uint32_t iobase; /* properties */
    uint32_t limit;
    uint32_t count;  /* registers */
    uint32_t status;
} Countdown;

static void countdown_update_irq(Countdown *s)
{
    device_set_irq(&s->dev, 0, s->status & STATUS_ZERO);
}

static uint64_t countdown_read(void *opaque, hwaddr addr, unsigned size)
{
    Countdown *s = opaque;

    switch (addr) {
    case REG_COUNT:
        return s->count;
    case REG_STATUS:
        return s->status;
    default:
        return 0;
    }
}

static void countdown_write(void *opaque, hwaddr addr, uint64_t data,
                            unsigned size)
{
    Countdown *s = opaque;

    switch (addr) {
    case REG_COUNT:
        s->count = MIN(data, s->limit);
        break;
    case REG_STEP:
        if (s->count > 0 && --s->count == 0) {
            s->status |= STATUS_ZERO;
        }
        break;
    case REG_STATUS:
        s->status &= ~data;
        break;
    }
    countdown_update_irq(s);
}

static const MemoryRegionOps countdown_ops = {
    .read = countdown_read,
    .write = countdown_write,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

static void countdown_reset(Device *dev)
{
    Countdown *s = (Countdown *)dev;

    s->count = 0;
    s->status = 0;
    countdown_update_irq(s);
}

static const Property countdown_properties[] = {
    { "iobase", PROP_UINT32, offsetof(Countdown, iobase), "0x220",
      "the first port", .max = 0xffff },
    { "limit", PROP_UINT32, offsetof(Countdown, limit), "1000",
      "the largest count", 0 },
    { 0 },
};

const DeviceType isa_countdown_type = {
    .name = "isa-countdown",
    .description = "counts down and interrupts at zero",
    .size = sizeof(Countdown),
    .properties = countdown_properties,
    .user_creatable = true,
    .ops = &countdown_ops,
    .ops_size = REGS_SIZE,
    .reset = countdown_reset,
    .plug = device_plug_iobase,
};
