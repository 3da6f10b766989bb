/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the ACPI tables must say about the device acpi-pm: byte registers of
 * region 0, as offsets, and the values that do something.
 */
#ifndef HW_ACPI_PM_H
#define HW_ACPI_PM_H

#define ACPI_PM_SLEEP_CONTROL 0 /* FADT SLEEP_CONTROL_REG */
#define ACPI_PM_SLEEP_STATUS 1  /* FADT SLEEP_STATUS_REG */
#define ACPI_PM_RESET 2         /* FADT RESET_REG */
#define ACPI_PM_EVENT 3         /* event status, for the DSDT */
#define ACPI_PM_SIZE 4

#define ACPI_PM_SLP_TYP_S5 5     /* first element of \_S5 */
#define ACPI_PM_RESET_VALUE 0x42 /* FADT RESET_VALUE */

/* Bits of the event status: set by what happens, cleared by writing 1 */
#define ACPI_PM_EVENT_BUTTON 0x01 /* the power button was pressed */

#endif
