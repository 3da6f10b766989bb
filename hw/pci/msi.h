/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message signalled interrupts. PCI Local Bus Specification 3.0, chapter 6.8. A
 * message is a write of 4 bytes by the function as a master, so it goes where the
 * memory map says: the board has a region that takes them (PC: at 0xfee00000).
 *
 * Under the memory lock, or before the machine runs.
 */
#ifndef HW_PCI_MSI_H
#define HW_PCI_MSI_H

#include "hw/pci/pci.h"

/* In realize: a capability with @vectors (1, 2, 4, ... 32) at @offset, or 0: where
 * there is room. False with @err: no room. Freed with the function. */
bool msi_add(PCIDevice *dev, unsigned offset, unsigned vectors, bool address64,
             bool per_vector_mask, GError **err);
bool msi_is_enabled(const PCIDevice *dev);
/* While it is enabled: send vector @n, which exists; if it is masked it is pending
 * until it is not. Where the guest gave 2^i vectors, fewer than there are, @n is taken
 * modulo that. */
void msi_notify(PCIDevice *dev, unsigned n);

/* In realize: a capability with @vectors (1 to 2048), whose table is at @table_offset
 * of @table, the region of BAR @table_bar, and whose pending bits at @pba_offset of
 * @pba of BAR @pba_bar, both multiples of 8. The table, of 16 bytes a vector, and the
 * bits, in whole qwords, overlay what these regions show there. False with @err: no
 * room, or they overlap or do not fit. */
bool msix_add(PCIDevice *dev, unsigned vectors, MemoryRegion *table,
              unsigned table_bar, uint32_t table_offset, MemoryRegion *pba,
              unsigned pba_bar, uint32_t pba_offset, GError **err);

/* The same with a BAR of its own, @bar, of 4 KiB or more: the table at its beginning,
 * the bits in the middle, or after a table that reaches beyond. */
bool msix_add_exclusive_bar(PCIDevice *dev, unsigned vectors, unsigned bar,
                            GError **err);
bool msix_is_enabled(const PCIDevice *dev);
/* While it is enabled: as msi_notify(), masked by the vector or for all. */
void msix_notify(PCIDevice *dev, unsigned n);

/* Called by the core of PCI for every function: after a write to configuration space,
 * at reset, and at the end. */
void msi_config_written(PCIDevice *dev, unsigned addr, unsigned size);
void msi_reset(PCIDevice *dev);
void msi_free(PCIDevice *dev);

#endif
