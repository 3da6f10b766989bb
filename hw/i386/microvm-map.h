/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are on the board microvm. Read by C and by the ACPI compiler,
 * so there is nothing here but plain numbers.
 */
#ifndef HW_I386_MICROVM_MAP_H
#define HW_I386_MICROVM_MAP_H

/* Ports, and inputs of the interrupt controllers */
#define MICROVM_PIC0_PORT 0x20
#define MICROVM_PIC1_PORT 0xA0
#define MICROVM_ELCR_PORT 0x4D0
#define MICROVM_PIT_PORT 0x40
#define MICROVM_PIT_IRQ 0
#define MICROVM_SPEAKER_PORT 0x61
#define MICROVM_I8042_DATA_PORT 0x60
#define MICROVM_I8042_COMMAND_PORT 0x64
#define MICROVM_I8042_IRQ 1
#define MICROVM_RTC_PORT 0x70
#define MICROVM_RTC_IRQ 8
#define MICROVM_COM1_PORT 0x3F8
#define MICROVM_COM1_IRQ 4
#define MICROVM_COM2_PORT 0x2F8
#define MICROVM_COM2_IRQ 3
/* Edge-triggered inputs cannot be shared: not 4 and 3 again. */
#define MICROVM_COM3_PORT 0x3E8
#define MICROVM_COM3_IRQ 5
#define MICROVM_COM4_PORT 0x2E8
#define MICROVM_COM4_IRQ 7
#define MICROVM_ACPI_PM_PORT 0x600
#define MICROVM_ACPI_PM_IRQ 9
#define MICROVM_PVPANIC_PORT 0x505 /* of -device pvpanic, if it is there */

/* Bits of DEVS in the DSDT: which of the devices that may be absent are there */
#define MICROVM_HAS_COM1 0x01
#define MICROVM_HAS_COM2 0x02
#define MICROVM_HAS_COM3 0x04
#define MICROVM_HAS_COM4 0x08
#define MICROVM_HAS_PVPANIC 0x10

#endif
