/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acpi-pm: power-off, reset and the power button of a hardware-reduced ACPI
 * platform. ACPI specification 6.4, 4.8.3.6 (reset register), 4.8.3.7 (sleep
 * registers) and 5.6.9 (interrupt-signaled events).
 *
 * There is no sleep state but S5, so nothing ever wakes and WAK_STS stays 0. The
 * event status is a register of our own, which the board's DSDT reads; output 0
 * is up while a bit of it is set.
 */
#include "hw/acpi/pm.h"
#include "hw/acpi/button.h"
#include "sysemu.h"

/* SLEEP_CONTROL_REG */
#define SLP_TYP_SHIFT 2
#define SLP_TYP_MASK 0x7
#define SLP_EN 0x20 /* reads as 0 */

typedef struct ACPIPM {
    Device dev;
    uint8_t slp_typ;
    uint8_t events;
} ACPIPM;

static void set_events(ACPIPM *s, uint8_t events)
{
    s->events = events;
    device_set_irq(&s->dev, 0, events);
}

static uint64_t acpi_pm_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPM *s = opaque;

    switch (addr) {
    case ACPI_PM_SLEEP_CONTROL:
        return s->slp_typ << SLP_TYP_SHIFT;
    case ACPI_PM_EVENT:
        return s->events;
    default:
        return 0;
    }
}

static void acpi_pm_write(void *opaque, hwaddr addr, uint64_t data,
                          unsigned size)
{
    ACPIPM *s = opaque;

    if (addr == ACPI_PM_SLEEP_CONTROL) {
        s->slp_typ = data >> SLP_TYP_SHIFT & SLP_TYP_MASK;
        if ((data & SLP_EN) && s->slp_typ == ACPI_PM_SLP_TYP_S5) {
            vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
        }
    } else if (addr == ACPI_PM_RESET && data == ACPI_PM_RESET_VALUE) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    } else if (addr == ACPI_PM_EVENT) {
        set_events(s, s->events & ~data);
    }
}

static const MemoryRegionOps acpi_pm_ops = {
    .read = acpi_pm_read,
    .write = acpi_pm_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

void acpi_pm_press_button(Device *dev)
{
    ACPIPM *s = (ACPIPM *)dev;

    set_events(s, s->events | ACPI_PM_EVENT_BUTTON);
}

static void acpi_pm_reset(Device *dev)
{
    ACPIPM *s = (ACPIPM *)dev;

    s->slp_typ = 0;
    set_events(s, 0);
}

const DeviceType acpi_pm_type = {
    .name = "acpi-pm",
    .description = "ACPI power-off, reset and power button",
    .size = sizeof(ACPIPM),
    .ops = &acpi_pm_ops,
    .ops_size = ACPI_PM_SIZE,
    .reset = acpi_pm_reset,
};
