/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The i440FX host bridge: "i440FX-pcihost", which has the root bus and its ports, and
 * "i440FX", its function 0.0, which says where RAM and where PCI is seen. See i440fx.c.
 */
#ifndef HW_PCI_HOST_I440FX_H
#define HW_PCI_HOST_I440FX_H

#include "hw/pci/pci-host.h"

#define I440FX_PAM 0x59   /* seven bytes; PAM0's upper half is the BIOS at 960 KiB */
#define I440FX_SMRAM 0x72
#define I440FX_SMRAM_OPEN 0x40   /* D_OPEN: RAM shows in every mode */
#define I440FX_SMRAM_CLOSED 0x20 /* D_CLS */
#define I440FX_SMRAM_LOCK 0x10   /* D_LCK: as it is until a reset */
#define I440FX_SMRAM_ENABLE 0x08 /* G_SMRAME: RAM shows in system management mode */
#define I440FX_SMRAM_BASE 0x02   /* C_BASE_SEG: at 0xa0000, always */

/* What the bridge is between. All outlive it. */
typedef struct I440FXSpaces {
    MemoryRegion *memory; /* what the processor sees; shows @ram from 0 on */
    MemoryRegion *ram;    /* 1 MiB or more */
    MemoryRegion *pci;    /* the bus's memory, */
    MemoryRegion *ports;  /* and its ports */
    MemoryRegion *smram;  /* what the processor sees on top in system management mode */
} I440FXSpaces;

/* Before realize. Outputs 0 to 3 of @host are the interrupt wires PIRQA to PIRQD. */
void i440fx_host_set_spaces(Device *host, const I440FXSpaces *spaces);

/* Of a realized host: its root bus, and its ports for the ISA bridge's register. */
PCIBus *i440fx_host_bus(Device *host);
PCIHost *i440fx_host_ports(Device *host);

/* How much room for wide BARs above RAM the user asks for, at least. Under the memory
 * lock, or before the machine runs. */
uint64_t i440fx_host_hole64_size(const Device *host);

/* See pam_add_rom(). */
void i440fx_add_rom(PCIDevice *i440fx, hwaddr addr, uint64_t size, void *host);

#endif
