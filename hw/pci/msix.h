/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What msi.c, which the core of PCI calls, passes on to msix.c. Functions on a bus
 * include msi.h. Each of a function that has MSI-X, under the memory lock.
 */
#ifndef HW_PCI_MSIX_H
#define HW_PCI_MSIX_H

#include "hw/pci/pci.h"

/* @size bytes at @addr of configuration space were written. */
void msix_config_written(PCIDevice *dev, unsigned addr, unsigned size);

/* The table as it is after a reset; configuration space is, already. */
void msix_reset(PCIDevice *dev);

/* No BAR is mapped any more. */
void msix_free(PCIDevice *dev);

#endif
