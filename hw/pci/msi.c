/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message signalled interrupts: the capability MSI. PCI Local Bus Specification 3.0,
 * chapter 6.8.1. All its state is in the function's configuration space. MSI-X is in
 * msix.c.
 */
#include "hw/pci/msi.h"

#include <assert.h>

#include "hw/pci/msix.h"

#define MAX_VECTORS 32

typedef struct MSIState {
    unsigned at;      /* offset of the capability */
    unsigned size;
    unsigned vectors; /* that it is capable of */
    bool address64, masks;
} MSIState;

/* What is where depends on the width of the address. */
static uint8_t *data_reg(const PCIDevice *dev)
{
    return (uint8_t *)dev->config + dev->msi->at +
           (dev->msi->address64 ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32);
}

static unsigned mask_offset(const MSIState *msi)
{
    return msi->at + (msi->address64 ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32);
}

static uint8_t *pending_reg(PCIDevice *dev)
{
    return dev->config + dev->msi->at +
           (dev->msi->address64 ? PCI_MSI_PENDING_64 : PCI_MSI_PENDING_32);
}

static uint8_t *flags_reg(const PCIDevice *dev)
{
    return (uint8_t *)dev->config + dev->msi->at + PCI_MSI_FLAGS;
}

static unsigned log2_of(unsigned power)
{
    return __builtin_ctz(power);
}

bool msi_add(PCIDevice *dev, unsigned offset, unsigned vectors, bool address64,
             bool per_vector_mask, GError **err)
{
    unsigned size = per_vector_mask ? (address64 ? 24 : 20) : (address64 ? 14 : 10);
    unsigned at = pci_add_capability(dev, PCI_CAP_ID_MSI, offset, size, err);
    MSIState *msi;

    assert(vectors && vectors <= MAX_VECTORS && !(vectors & (vectors - 1)));
    assert(!dev->msi);
    if (!at) {
        return false;
    }
    dev->msi = msi = g_new0(MSIState, 1);
    *msi = (MSIState){ at, size, vectors, address64, per_vector_mask };
    pci_set_word(flags_reg(dev), log2_of(vectors) << 1 |
                                     (address64 ? PCI_MSI_FLAGS_64BIT : 0) |
                                     (per_vector_mask ? PCI_MSI_FLAGS_MASKBIT : 0));
    pci_set_word(dev->wmask + at + PCI_MSI_FLAGS,
                 PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    pci_set_long(dev->wmask + at + PCI_MSI_ADDRESS_LO, ~3u);
    if (address64) {
        pci_set_long(dev->wmask + at + PCI_MSI_ADDRESS_HI, UINT32_MAX);
    }
    pci_set_word(dev->wmask + (data_reg(dev) - dev->config), UINT16_MAX);
    if (per_vector_mask) {
        pci_set_long(dev->wmask + mask_offset(msi),
                     UINT32_MAX >> (MAX_VECTORS - vectors));
    }
    return true;
}

bool msi_is_enabled(const PCIDevice *dev)
{
    return dev->msi && (pci_get_word(flags_reg(dev)) & PCI_MSI_FLAGS_ENABLE);
}

/* How many vectors the guest gave, as a power of two. */
static unsigned granted_log2(const PCIDevice *dev)
{
    return (pci_get_word(flags_reg(dev)) & PCI_MSI_FLAGS_QSIZE) >> 4;
}

static void send(PCIDevice *dev, unsigned n)
{
    const uint8_t *address = dev->config + dev->msi->at + PCI_MSI_ADDRESS_LO;
    unsigned low_bits = (1u << granted_log2(dev)) - 1;
    uint8_t message[4] = { 0 };
    uint64_t to = pci_get_long(address);

    if (dev->msi->address64) {
        to |= (uint64_t)pci_get_long(dev->config + dev->msi->at +
                                     PCI_MSI_ADDRESS_HI) << 32;
    }
    pci_set_word(message, (pci_get_word(data_reg(dev)) & ~low_bits) | n);
    pci_dma_write(dev, to, message, sizeof(message));
}

void msi_notify(PCIDevice *dev, unsigned n)
{
    uint8_t *pending;

    assert(dev->msi && n < dev->msi->vectors);
    if (!msi_is_enabled(dev)) {
        return;
    }
    /* Where the guest gave fewer, several share one. */
    n &= (1u << granted_log2(dev)) - 1;
    if (dev->msi->masks &&
        (pci_get_long(dev->config + mask_offset(dev->msi)) & 1u << n)) {
        pending = pending_reg(dev);
        pci_set_long(pending, pci_get_long(pending) | 1u << n);
        return;
    }
    send(dev, n);
}

static void send_pending(PCIDevice *dev)
{
    uint8_t *pending = pending_reg(dev);

    for (unsigned n = 0; n < 1u << granted_log2(dev); n++) {
        uint32_t mask = pci_get_long(dev->config + mask_offset(dev->msi));

        if (pci_get_long(pending) & ~mask & 1u << n) {
            pci_set_long(pending, pci_get_long(pending) & ~(1u << n));
            send(dev, n);
        }
    }
}

static void msi_written(PCIDevice *dev)
{
    uint8_t *flags = flags_reg(dev);
    unsigned most = log2_of(dev->msi->vectors);

    if (!msi_is_enabled(dev)) {
        return;
    }
    /* A guest cannot give more than there are. */
    if (granted_log2(dev) > most) {
        pci_set_word(flags, (pci_get_word(flags) & ~PCI_MSI_FLAGS_QSIZE) | most << 4);
    }
    if (dev->msi->masks) {
        send_pending(dev);
    }
}

void msi_config_written(PCIDevice *dev, unsigned addr, unsigned size)
{
    const MSIState *msi = dev->msi;

    if (msi && addr < msi->at + msi->size && msi->at < addr + size) {
        msi_written(dev);
    }
    if (dev->msix) {
        msix_config_written(dev, addr, size);
    }
}

void msi_reset(PCIDevice *dev)
{
    if (dev->msix) {
        msix_reset(dev);
    }
}

void msi_free(PCIDevice *dev)
{
    g_clear_pointer(&dev->msi, g_free);
    if (dev->msix) {
        msix_free(dev);
    }
}
