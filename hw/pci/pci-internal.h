/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the PCI core share, and nobody else includes:
 *
 *   pci.c         a function's life: its place, header, memory as a master; hot plug
 *   pci-config.c  its configuration space: registers, BARs, capabilities
 *   pci-bus.c     buses: who is where, and the interrupt wires
 *   pci-rom.c     expansion ROMs
 */
#ifndef HW_PCI_PCI_INTERNAL_H
#define HW_PCI_PCI_INTERNAL_H

#include "hw/pci/pci.h"

/* Fill in the header of a new function. */
void pci_config_init(PCIDevice *dev);

/* What config[] is now is what a reset brings back. */
void pci_config_seal(PCIDevice *dev);
void pci_config_reset(PCIDevice *dev);

/* Take every BAR out of the map; destroy their regions. */
void pci_bars_unmap(PCIDevice *dev);
void pci_bars_destroy(PCIDevice *dev);

/* Let the wire on the bus have what the pin and the command register say. */
void pci_update_irq(PCIDevice *dev);

/* Make the BAR of the expansion ROM, if the user or the type names one. False with
 * @err that names the file. */
bool pci_add_rom(PCIDevice *dev, GError **err);

#endif
