/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a PC reaches configuration space: configuration mechanism #1 of the PCI Local
 * Bus Specification 3.0, chapter 3.2.2.3.2, as the 82441FX does it. A host bridge
 * embeds a PCIHost and shows its two regions at ports 0xcf8 and 0xcfc.
 *
 * Under the memory lock, or before the machine runs.
 */
#ifndef HW_PCI_PCI_HOST_H
#define HW_PCI_PCI_HOST_H

#include "hw/pci/pci.h"

#define PCI_HOST_REGION_SIZE 4

typedef struct PCIHost {
    PCIBus *root;
    uint32_t address; /* CONFIG_ADDRESS; the host bridge's reset makes it 0 */
    /* CONFIG_ADDRESS takes accesses of 4 bytes only; narrower ones go past it to the
     * bus. The one device there is the reset control register of the ISA bridge, at
     * the second byte. A region for it on top would cut the wide accesses in pieces,
     * so its bridge sets these instead. NULL: nothing is there; reads are all-ones. */
    uint8_t (*reset_control_read)(void *opaque);
    void (*reset_control_write)(void *opaque, uint8_t value);
    void *reset_control_opaque;
    MemoryRegion address_region, data_region; /* 4 bytes each */
} PCIHost;

/* Make the two regions, which the caller publishes or destroys itself. All else is
 * zero before. */
void pci_host_init(PCIHost *host, PCIBus *root);

#endif
