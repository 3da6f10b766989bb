/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a board asks of the device acpi-pm.
 */
#ifndef HW_ACPI_BUTTON_H
#define HW_ACPI_BUTTON_H

#include "hw/core/device.h"

/* Press the power button: the guest is told, and does what it is set up to do.
 * Under the memory lock. */
void acpi_pm_press_button(Device *dev);

#endif
