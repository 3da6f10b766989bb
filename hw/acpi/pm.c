/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acpi-pm: power-off and reset of a hardware-reduced ACPI platform. ACPI
 * specification 6.4, 4.8.3.6 (reset register) and 4.8.3.7 (sleep registers).
 *
 * There is no sleep state but S5, so nothing ever wakes and WAK_STS stays 0.
 */
#include "hw/acpi/pm.h"
#include "hw/core/device.h"
#include "sysemu.h"

/* SLEEP_CONTROL_REG */
#define SLP_TYP_SHIFT 2
#define SLP_TYP_MASK 0x7
#define SLP_EN 0x20 /* reads as 0 */

typedef struct ACPIPM {
    Device dev;
    uint8_t slp_typ;
} ACPIPM;

static uint64_t acpi_pm_read(void *opaque, hwaddr addr, unsigned size)
{
    ACPIPM *s = opaque;

    return addr == ACPI_PM_SLEEP_CONTROL ? s->slp_typ << SLP_TYP_SHIFT : 0;
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
    }
}

static const MemoryRegionOps acpi_pm_ops = {
    .read = acpi_pm_read,
    .write = acpi_pm_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static void acpi_pm_reset(Device *dev)
{
    ((ACPIPM *)dev)->slp_typ = 0;
}

const DeviceType acpi_pm_type = {
    .name = "acpi-pm",
    .description = "ACPI power-off and reset registers",
    .size = sizeof(ACPIPM),
    .ops = &acpi_pm_ops,
    .ops_size = ACPI_PM_SIZE,
    .reset = acpi_pm_reset,
};
