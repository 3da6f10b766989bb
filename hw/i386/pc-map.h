/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are on the board pc. Read by C and by the ACPI compiler, so there is
 * nothing here but plain numbers. Those of the chips are from Intel's datasheets of the
 * 82441FX and the 82371AB; those of hot plug, panics and fw_cfg are established by
 * QEMU's pc, and guests and firmware know them.
 */
#ifndef HW_I386_PC_MAP_H
#define HW_I386_PC_MAP_H

/* Memory */
#define PC_OPTION_ROM_BASE 0xC0000
#define PC_OPTION_ROM_SIZE 0x20000
#define PC_SMBIOS_ADDR 0xF0000 /* where no firmware puts them elsewhere */
#define PC_BIOS_LOW_SIZE 0x20000 /* at most; its end is at 1 MiB */
#define PC_LOMEM_MAX 0xE0000000  /* RAM below 4 GiB where all fits there, */
#define PC_LOMEM_SPLIT 0xC0000000 /* and where it does not */
#define PC_IOAPIC_BASE 0xFEC00000
#define PC_HPET_BASE 0xFED00000
#define PC_HPET_SIZE 0x400
#define PC_MSI_BASE 0xFEE00000
#define PC_MSI_SIZE 0x100000
#define PC_PCI_HOLE_END 0xFEBFFFFF /* last byte that ACPI gives to PCI */

/* Ports, and inputs of the interrupt controllers */
#define PC_PIC0_PORT 0x20
#define PC_PIC1_PORT 0xA0
#define PC_PIT_PORT 0x40
#define PC_PIT_IRQ 0
#define PC_SPEAKER_PORT 0x61
#define PC_I8042_DATA_PORT 0x60
#define PC_I8042_COMMAND_PORT 0x64
#define PC_KEYBOARD_IRQ 1
#define PC_MOUSE_IRQ 12
#define PC_RTC_PORT 0x70
#define PC_RTC_IRQ 8
#define PC_PORT92 0x92
#define PC_APM_PORT 0xB2
#define PC_COM1_PORT 0x3F8
#define PC_COM1_IRQ 4
#define PC_COM2_PORT 0x2F8
#define PC_COM2_IRQ 3
#define PC_COM3_PORT 0x3E8
#define PC_COM3_IRQ 4
#define PC_COM4_PORT 0x2E8
#define PC_COM4_IRQ 3
#define PC_ELCR_PORT 0x4D0
#define PC_PVPANIC_PORT 0x505
#define PC_FW_CFG_PORT 0x510
#define PC_FW_CFG_DMA_PORT 0x514
#define PC_PM_PORT 0x600    /* where firmware puts PIIX4's power management, */
#define PC_SMBUS_PORT 0x700 /* and its SMBus */
#define PC_SCI_IRQ 9
#define PC_PCI_CONFIG_ADDRESS 0xCF8
#define PC_RESET_CONTROL 0xCF9
#define PC_PCI_CONFIG_DATA 0xCFC
#define PC_PCI_HOTPLUG_PORT 0xAE00
#define PC_PCI_HOTPLUG_SIZE 0x18
#define PC_GPE0_PORT 0xAFE0
#define PC_GPE0_SIZE 4
#define PC_GPE_PCI_HOTPLUG 1 /* the event's number */

/* Functions of the root bus that are part of the board, as (slot << 3) | function */
#define PC_I440FX_DEVFN 0x00
#define PC_PIIX3_DEVFN 0x08
#define PC_PIIX4_PM_DEVFN 0x0B

/* Bits of DEVS in the DSDT: which of the devices that may be absent are there */
#define PC_HAS_COM1 0x01
#define PC_HAS_COM2 0x02
#define PC_HAS_COM3 0x04
#define PC_HAS_COM4 0x08
#define PC_HAS_PVPANIC 0x10
#define PC_HAS_I8042 0x20
#define PC_HAS_HPET 0x40

/* The clock's memory: why the processor starts; this value says to firmware that it is
 * to wake the guest. */
#define PC_CMOS_SHUTDOWN 0x0F
#define PC_CMOS_SHUTDOWN_WAKE 0xFE

/* PIIX3: configuration registers of the routes of PIRQA to PIRQD */
#define PC_PIRQ_ROUTES 0x60

#endif
