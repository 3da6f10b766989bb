/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the board pc.
 */
#ifndef HW_I386_PC_ACPI_H
#define HW_I386_PC_ACPI_H

#include "hw/i386/acpi-loader.h"
#include "hw/i386/pc.h"

/* In prepare, when all devices are known: the tables as files, to be cleared. */
void pc_acpi_build(const PCMachine *s, ACPIFiles *files);

/* The same as files of fw_cfg, for firmware; made again where it has put the fixed
 * registers elsewhere before it reads them. False with @err: a name is taken. */
bool pc_acpi_add_files(PCMachine *s, GError **err);

/* Where there is no firmware: have the loader put them where guests look for the root
 * pointer, and tell s->boot where that is. */
void pc_acpi_load(PCMachine *s);

/* What the guest has put into the FACS that pc_acpi_load() made: the address in real mode
 * where it is woken up, below 1 MiB; 0: none. */
uint32_t pc_acpi_waking_vector(PCMachine *s);

/* Append the AML of slots behind bridges where there is hot plug by @pm (PIIX4_PM), and
 * of its event, which tells of all slots. */
void pc_acpi_append_slots(GByteArray *out, PCIDevice *pm);

#endif
