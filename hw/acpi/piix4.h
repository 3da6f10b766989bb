/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a board, and its ACPI tables, must know of the device PIIX4_PM.
 */
#ifndef HW_ACPI_PIIX4_H
#define HW_ACPI_PIIX4_H

/* From the start of the block at the base that firmware sets */
#define PIIX4_PM_EVENT 0x0
#define PIIX4_PM_CONTROL 0x4
#define PIIX4_PM_TIMER 0x8
#define PIIX4_PM_SIZE 0x40

/* Written to the first APM port */
#define PIIX4_ACPI_ENABLE 0xF1
#define PIIX4_ACPI_DISABLE 0xF0

/* First elements of \_S5 and \_S3; that of \_S4 is a property, by default */
#define PIIX4_SLP_TYP_SOFT_OFF 0
#define PIIX4_SLP_TYP_TO_RAM 1
#define PIIX4_SLP_TYP_TO_DISK 2

/* Configuration registers that firmware sets */
#define PIIX4_PMBA 0x40   /* base of the block, 2 bytes; bit 0 reads as 1 */
#define PIIX4_PMREGMISC 0x80 /* bit 0: the block is there */
#define PIIX4_SMBBA 0x90  /* base of the SMBus controller */
#define PIIX4_SMBHSTCFG 0xD2 /* bit 0: it is there */

#ifndef ACPI_COMPILER

#include "hw/pci/pci.h"
#include "sysemu.h"

/* Regions, for the board to map at ports of its own; the other two are where the
 * configuration space says. */
enum { PIIX4_REGION_APM, PIIX4_REGION_GPE, PIIX4_REGION_HOTPLUG };

/* Outputs */
enum { PIIX4_OUT_SCI, PIIX4_OUT_SMI };

/* Press the power button. Under the memory lock. */
void piix4_pm_press_button(PCIDevice *pm);

/* After a reset for it: tell the guest that it has been woken up, and what by. */
void piix4_pm_wake(PCIDevice *pm, WakeupReason reason);

/* Which sleep states the tables are to name: to RAM; to disk, and the number written for
 * it. The guest can ask for them in any case. */
bool piix4_pm_has_s3(const PCIDevice *pm);
bool piix4_pm_has_s4(const PCIDevice *pm);
uint8_t piix4_pm_s4_type(const PCIDevice *pm);

/* The port at which its block is now; 0: nowhere. Under the memory lock. */
uint16_t piix4_pm_port(const PCIDevice *pm);

/* Hot plug behind the bridges that are there now, too: pcihp_add_bridges(). */
void piix4_pm_add_bridges(PCIDevice *pm);

/* The bus that hot plug numbers @n, below PCIHP_BUSES; NULL: none. */
PCIBus *piix4_pm_hotplug_bus(PCIDevice *pm, unsigned n);

#endif
#endif
