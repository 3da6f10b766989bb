/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ports of PCI configuration mechanism #1: an address, and the data there.
 * PCI Local Bus Specification 3.0, chapter 3.2.2.3.2; widths of accesses: Intel
 * 82441FX datasheet, chapters 3.1.1 and 3.1.2.
 */
#include "hw/pci/pci-host.h"

#define ADDRESS_ENABLE UINT32_C(0x80000000)
#define ADDRESS_WRITABLE UINT32_C(0x80fffffc)
#define RESET_CONTROL 1 /* the byte of CONFIG_ADDRESS's four where that is */

static uint64_t address_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHost *host = opaque;

    if (size == PCI_HOST_REGION_SIZE) {
        return host->address;
    }
    if (addr == RESET_CONTROL && host->reset_control_read) {
        return host->reset_control_read(host->reset_control_opaque) |
               (size > 1 ? 0xff00 : 0);
    }
    return UINT64_MAX;
}

static void address_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCIHost *host = opaque;

    if (size == PCI_HOST_REGION_SIZE) {
        host->address = data & ADDRESS_WRITABLE;
    } else if (addr == RESET_CONTROL && host->reset_control_write) {
        host->reset_control_write(host->reset_control_opaque, data);
    }
}

static const MemoryRegionOps address_ops = {
    .read = address_read,
    .write = address_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.unaligned = true,
};

static uint64_t data_read(void *opaque, hwaddr addr, unsigned size)
{
    const PCIHost *host = opaque;

    if (!(host->address & ADDRESS_ENABLE)) {
        return UINT64_MAX;
    }
    return pci_host_read(host->root, host->address >> 16 & 0xff,
                         host->address >> 8 & 0xff, (host->address & 0xfc) + addr,
                         size);
}

static void data_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    const PCIHost *host = opaque;

    if (host->address & ADDRESS_ENABLE) {
        pci_host_write(host->root, host->address >> 16 & 0xff,
                       host->address >> 8 & 0xff, (host->address & 0xfc) + addr,
                       data, size);
    }
}

static const MemoryRegionOps data_ops = {
    .read = data_read,
    .write = data_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.unaligned = true,
};

void pci_host_init(PCIHost *host, PCIBus *root)
{
    host->root = root;
    memory_region_init_io(&host->address_region, &address_ops, host, "pci-conf-idx",
                          PCI_HOST_REGION_SIZE);
    memory_region_init_io(&host->data_region, &data_ops, host, "pci-conf-data",
                          PCI_HOST_REGION_SIZE);
}
