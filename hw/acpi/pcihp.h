/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug on PCI buses by way of ACPI: registers that the board's tables read, and
 * a general-purpose event that says that there is something in them. The interface
 * is the established one of docs/specs/acpi_pci_hotplug in QEMU.
 *
 * Also read by the ACPI compiler, up to the C part.
 */
#ifndef HW_ACPI_PCIHP_H
#define HW_ACPI_PCIHP_H

/* Registers of 4 bytes, accessed whole; a bit for each slot of the selected bus. */
#define PCIHP_UP 0x00        /* something has come; reading clears */
#define PCIHP_DOWN 0x04      /* to be given up */
#define PCIHP_EJECT 0x08     /* written: given up; read: those still there */
#define PCIHP_REMOVABLE 0x0C /* what is there can be given up */
#define PCIHP_SELECT 0x10    /* of which bus: 0 is the root */
#define PCIHP_SIZE 0x18

#define PCIHP_BUSES 16 /* at most; ACPI tables of a start without firmware have room */

#ifndef ACPI_COMPILER

#include "hw/pci/pci.h"

/* One of the buses. */
typedef struct PCIHotplugBus {
    struct PCIHotplug *hotplug;
    PCIBus *bus; /* NULL: there is none of this number, or none any more */
    uint32_t up, down, ejecting; /* slots */
} PCIHotplugBus;

typedef struct PCIHotplug {
    /* Set before pcihp_init(): tell the guest to look. */
    void (*notify)(void *opaque);
    void *opaque;

    PCIHotplugBus buses[PCIHP_BUSES]; /* by number */
    unsigned buses_nr; /* numbers given */
    uint32_t select;
    GSource *source; /* takes out what is ejecting; NULL: nothing */
    MemoryRegion mr;
} PCIHotplug;

/* Serve @root, and make the region "acpi-pci-hotplug", which the caller maps and
 * destroys. */
void pcihp_init(PCIHotplug *s, PCIBus *root);
void pcihp_cleanup(PCIHotplug *s);

/* Serve the buses behind bridges that are there now, too, as many as there are numbers:
 * a bridge before those behind it, otherwise in the order of devfn. Once. */
void pcihp_add_bridges(PCIHotplug *s);

/* The guest that was asked is gone, so what it was asked for goes at once. Every
 * vCPU is at rest. */
void pcihp_reset(PCIHotplug *s);

#endif
#endif
