/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI's fixed hardware and its block of general-purpose events: see fixed.h. ACPI
 * specification 6.4, chapters 4.8.3 and 4.8.4.
 *
 * Registers are of bytes to the core, which cuts wider accesses in pieces: a status
 * bit is cleared by writing it, so a piece that is not written must not be seen.
 */
#include "hw/acpi/fixed.h"

#include <assert.h>

#include "hw/core/clock.h"
#include "sysemu.h"

#define NS_PER_S 1000000000ll
#define HALF_PERIOD ((ACPI_PM_TIMER_MASK + 1) / 2) /* ticks */

/* What can be enabled. The real-time clock's event comes only to wake from sleep: it has
 * an interrupt of its own otherwise. */
#define EVENTS                                                                    \
    (ACPI_PM1_TIMER | ACPI_PM1_GLOBAL | ACPI_PM1_POWER_BUTTON | ACPI_PM1_RTC)
#define BUS_MASTER_RELOAD 0x0002
#define CONTROL_KEPT                                                              \
    (ACPI_PM1_SCI_EN | BUS_MASTER_RELOAD |                                        \
     ACPI_PM1_SLP_TYP_MASK << ACPI_PM1_SLP_TYP_SHIFT)

/* ---- the timer --------------------------------------------------------------- */

static int64_t ticks_now(void)
{
    return (__int128)clock_virtual_ns() * ACPI_PM_TIMER_HZ / NS_PER_S;
}

/* The first moment at which the timer shows @ticks. */
static int64_t ticks_to_ns(int64_t ticks)
{
    return ((__int128)ticks * NS_PER_S + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;
}

/* Let the status have what the timer has done. */
static void notice_overflow(ACPIFixed *s)
{
    if (ticks_now() >= s->overflow) {
        s->pm1_status |= ACPI_PM1_TIMER;
    }
}

static void expect_overflow(ACPIFixed *s)
{
    s->overflow = (ticks_now() / HALF_PERIOD + 1) * HALF_PERIOD;
}

static void update(ACPIFixed *s)
{
    notice_overflow(s);
    if ((s->pm1_enable & ACPI_PM1_TIMER) && !(s->pm1_status & ACPI_PM1_TIMER)) {
        timer_arm_ns(&s->timer, ticks_to_ns(s->overflow));
    } else {
        timer_cancel(&s->timer);
    }
    s->sci_changed(s->opaque);
}

static void timer_fired(void *opaque)
{
    update(opaque);
}

static uint64_t counter_read(void *opaque, hwaddr addr, unsigned size)
{
    return ticks_now() & ACPI_PM_TIMER_MASK;
}

static void counter_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
}

static const MemoryRegionOps counter_ops = {
    .read = counter_read,
    .write = counter_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

/* ---- registers ---------------------------------------------------------------- */

static uint8_t get_byte(uint16_t reg, unsigned n)
{
    return reg >> (8 * n);
}

/* @reg with its byte @n as written. */
static uint16_t put_byte(uint16_t reg, unsigned n, uint8_t byte)
{
    return (reg & ~(0xff << (8 * n))) | byte << (8 * n);
}

static uint64_t event_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIFixed *s = opaque;

    notice_overflow(s);
    return get_byte(addr < 2 ? s->pm1_status : s->pm1_enable, addr % 2);
}

static void event_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ACPIFixed *s = opaque;

    notice_overflow(s);
    if (addr >= 2) {
        s->pm1_enable = put_byte(s->pm1_enable, addr % 2, data) & EVENTS;
        vm_set_rtc_wakes(s->pm1_enable & ACPI_PM1_RTC);
    } else {
        s->pm1_status &= ~(data << (8 * addr));
        if (!(s->pm1_status & ACPI_PM1_TIMER)) {
            expect_overflow(s);
        }
    }
    update(s);
}

static const MemoryRegionOps event_ops = {
    .read = event_read,
    .write = event_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static uint64_t control_read(void *opaque, hwaddr addr, unsigned size)
{
    return get_byte(((ACPIFixed *)opaque)->pm1_control, addr);
}

static void control_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ACPIFixed *s = opaque;
    uint16_t written = put_byte(s->pm1_control, addr, data);

    s->pm1_control = written & CONTROL_KEPT;
    update(s);
    if (written & ACPI_PM1_SLP_EN) {
        s->sleep(s->opaque,
                 written >> ACPI_PM1_SLP_TYP_SHIFT & ACPI_PM1_SLP_TYP_MASK);
    }
}

static const MemoryRegionOps control_ops = {
    .read = control_read,
    .write = control_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static uint64_t gpe_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIFixed *s = opaque;

    return get_byte(addr < 2 ? s->gpe_status : s->gpe_enable, addr % 2);
}

static void gpe_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ACPIFixed *s = opaque;

    if (addr >= 2) {
        s->gpe_enable = put_byte(s->gpe_enable, addr % 2, data);
    } else {
        s->gpe_status &= ~(data << (8 * addr));
    }
    update(s);
}

static const MemoryRegionOps gpe_ops = {
    .read = gpe_read,
    .write = gpe_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

/* ---- for the chipset ------------------------------------------------------------ */

void acpi_fixed_init(ACPIFixed *s)
{
    timer_init(&s->timer, timer_fired, s);
    memory_region_init_io(&s->event, &event_ops, s, "acpi-evt",
                          ACPI_PM1_EVENT_SIZE);
    memory_region_init_io(&s->control, &control_ops, s, "acpi-cnt",
                          ACPI_PM1_CONTROL_SIZE);
    memory_region_init_io(&s->counter, &counter_ops, s, "acpi-tmr",
                          ACPI_PM_TIMER_SIZE);
    memory_region_init_io(&s->gpe, &gpe_ops, s, "acpi-gpe0", ACPI_GPE_SIZE);
}

void acpi_fixed_reset(ACPIFixed *s)
{
    s->pm1_status = s->pm1_enable = s->pm1_control = 0;
    s->gpe_status = s->gpe_enable = 0;
    vm_set_rtc_wakes(false);
    expect_overflow(s);
    update(s);
}

void acpi_fixed_cleanup(ACPIFixed *s)
{
    timer_cleanup(&s->timer);
}

bool acpi_fixed_sci(ACPIFixed *s)
{
    notice_overflow(s);
    return (s->pm1_control & ACPI_PM1_SCI_EN) &&
           ((s->pm1_status & s->pm1_enable) || (s->gpe_status & s->gpe_enable));
}

void acpi_fixed_event(ACPIFixed *s, uint16_t bits)
{
    s->pm1_status |= bits;
    update(s);
}

void acpi_fixed_gpe(ACPIFixed *s, unsigned n)
{
    assert(n < 16);
    s->gpe_status |= 1u << n;
    update(s);
}

void acpi_fixed_set_sci_en(ACPIFixed *s, bool on)
{
    s->pm1_control = (s->pm1_control & ~ACPI_PM1_SCI_EN) | (on ? ACPI_PM1_SCI_EN : 0);
    update(s);
}
