/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug on a PCI bus by way of ACPI: registers that the board's DSDT reads, and
 * a general-purpose event that says that there is something in them. The interface
 * is the established one of docs/specs/acpi_pci_hotplug in QEMU.
 *
 * Also read by the ACPI compiler, up to the C part.
 */
#ifndef HW_ACPI_PCIHP_H
#define HW_ACPI_PCIHP_H

/* Registers of 4 bytes, accessed whole; a bit for each slot. */
#define PCIHP_UP 0x00        /* something has come; reading clears */
#define PCIHP_DOWN 0x04      /* to be given up */
#define PCIHP_EJECT 0x08     /* written: given up; read: those still there */
#define PCIHP_REMOVABLE 0x0C /* what is there can be given up */
#define PCIHP_SELECT 0x10    /* of which bus; there is 0 */
#define PCIHP_SIZE 0x18

#ifndef ACPI_COMPILER

#include "hw/pci/pci.h"

typedef struct PCIHotplug {
    /* Set before pcihp_init(): tell the guest to look. */
    void (*notify)(void *opaque);
    void *opaque;

    PCIBus *bus;
    uint32_t up, down, ejecting; /* slots */
    uint32_t select;
    GSource *source; /* takes out what is @ejecting; NULL: nothing */
    MemoryRegion mr;
} PCIHotplug;

/* Serve @bus, and make the region "acpi-pci-hotplug", which the caller maps and
 * destroys. */
void pcihp_init(PCIHotplug *s, PCIBus *bus);
void pcihp_cleanup(PCIHotplug *s);

/* The guest that was asked is gone, so what it was asked for goes at once. Every
 * vCPU is at rest. */
void pcihp_reset(PCIHotplug *s);

#endif
#endif
