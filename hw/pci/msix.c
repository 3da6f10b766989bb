/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message signalled interrupts: the capability MSI-X, its table and its pending bits.
 * PCI Local Bus Specification 3.0, chapter 6.8.2. Both lie on top of a BAR's region;
 * while MSI-X is disabled the table can be written and nothing is sent.
 */
#include "hw/pci/msix.h"

#include <assert.h>
#include <string.h>

#include "hw/pci/msi.h"

#define MAX_VECTORS (PCI_MSIX_FLAGS_QSIZE + 1)
#define CAPABILITY_SIZE 12
#define EXCLUSIVE_BAR_SIZE 4096 /* at least */

/* The table and the bits are on top of everything else in the BAR. */
#define OVERLAY_PRIORITY 1

typedef struct MSIXState {
    unsigned at; /* offset of the capability */
    unsigned vectors;
    uint8_t *table;   /* as the guest sees it */
    uint8_t *pending; /* likewise */
    MemoryRegion table_mr, pending_mr;
    MemoryRegion *table_container, *pending_container;
    PCIBar *exclusive; /* the BAR of own_bar; NULL: the function's */
    MemoryRegion own_bar;
} MSIXState;

/* ---- messages ------------------------------------------------------------------ */

static uint16_t flags(const PCIDevice *dev)
{
    return pci_get_word(dev->config + dev->msix->at + PCI_MSIX_FLAGS);
}

bool msix_is_enabled(const PCIDevice *dev)
{
    return dev->msix && (flags(dev) & PCI_MSIX_FLAGS_ENABLE);
}

static uint8_t *entry(const PCIDevice *dev, unsigned n)
{
    return dev->msix->table + n * PCI_MSIX_ENTRY_SIZE;
}

static bool is_masked(const PCIDevice *dev, unsigned n)
{
    return (flags(dev) & PCI_MSIX_FLAGS_MASKALL) ||
           (pci_get_long(entry(dev, n) + PCI_MSIX_ENTRY_VECTOR_CTRL) &
            PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static void send(PCIDevice *dev, unsigned n)
{
    const uint8_t *e = entry(dev, n);
    uint64_t address = pci_get_long(e + PCI_MSIX_ENTRY_LOWER_ADDR) |
                       (uint64_t)pci_get_long(e + PCI_MSIX_ENTRY_UPPER_ADDR) << 32;
    uint8_t message[4];

    pci_set_long(message, pci_get_long(e + PCI_MSIX_ENTRY_DATA));
    pci_dma_write(dev, address, message, sizeof(message));
}

void msix_notify(PCIDevice *dev, unsigned n)
{
    assert(dev->msix && n < dev->msix->vectors);
    if (!msix_is_enabled(dev)) {
        return;
    }
    if (is_masked(dev, n)) {
        dev->msix->pending[n / 8] |= 1u << n % 8;
    } else {
        send(dev, n);
    }
}

static void send_if_pending(PCIDevice *dev, unsigned n)
{
    uint8_t *byte = &dev->msix->pending[n / 8], bit = 1u << n % 8;

    if ((*byte & bit) && msix_is_enabled(dev) && !is_masked(dev, n)) {
        *byte &= ~bit;
        send(dev, n);
    }
}

/* ---- what the guest sees in the BAR -------------------------------------------- */

static uint64_t table_read(void *opaque, hwaddr addr, unsigned size)
{
    return pci_get_long(((PCIDevice *)opaque)->msix->table + addr);
}

static void table_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCIDevice *dev = opaque;

    pci_set_long(dev->msix->table + addr, data);
    send_if_pending(dev, addr / PCI_MSIX_ENTRY_SIZE);
}

static uint64_t pending_read(void *opaque, hwaddr addr, unsigned size)
{
    return pci_get_long(((PCIDevice *)opaque)->msix->pending + addr);
}

static void pending_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
}

/* Dwords and qwords, as the specification wants it; the vector control, the last of
 * an entry, is then written last. */
#define WIDTHS                                                                      \
    .endianness = DEVICE_LITTLE_ENDIAN, .valid.min_access_size = 4,                 \
    .valid.max_access_size = 8, .impl.min_access_size = 4, .impl.max_access_size = 4

static const MemoryRegionOps table_ops = {
    .read = table_read,
    .write = table_write,
    WIDTHS,
};

static const MemoryRegionOps pending_ops = {
    .read = pending_read,
    .write = pending_write,
    WIDTHS,
};

/* ---- life ---------------------------------------------------------------------- */

static uint32_t table_size(unsigned vectors)
{
    return vectors * PCI_MSIX_ENTRY_SIZE;
}

/* In whole qwords. */
static uint32_t pending_size(unsigned vectors)
{
    return (vectors + 63) / 64 * 8;
}

static bool fits(MemoryRegion *mr, uint32_t offset, uint32_t size)
{
    return (uint64_t)offset + size <= memory_region_size(mr);
}

static bool check_places(unsigned vectors, MemoryRegion *table, uint32_t table_offset,
                         MemoryRegion *pba, uint32_t pba_offset, GError **err)
{
    uint32_t size = table_size(vectors), bits = pending_size(vectors);

    if (!fits(table, table_offset, size) || !fits(pba, pba_offset, bits)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "the MSI-X table at 0x%x of '%s' and the pending bits at 0x%x of "
                    "'%s' for %u vectors do not fit in there", table_offset,
                    memory_region_name(table), pba_offset, memory_region_name(pba),
                    vectors);
        return false;
    }
    if (table == pba && table_offset < pba_offset + bits &&
        pba_offset < table_offset + size) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "the MSI-X table of %u vectors at 0x%x and the pending bits at "
                    "0x%x of '%s' overlap", vectors, table_offset, pba_offset,
                    memory_region_name(table));
        return false;
    }
    return true;
}

static void overlay(PCIDevice *dev, MemoryRegion *mr, const MemoryRegionOps *ops,
                    const char *name, uint32_t size, MemoryRegion *container,
                    uint32_t offset)
{
    memory_region_init_io(mr, ops, dev, name, size);
    device_own_region(&dev->device, mr);
    memory_region_add_subregion_overlap(container, offset, mr, OVERLAY_PRIORITY);
}

/* Owns @msix where it succeeds. */
static bool add(PCIDevice *dev, MSIXState *msix, unsigned vectors, MemoryRegion *table,
                unsigned table_bar, uint32_t table_offset, MemoryRegion *pba,
                unsigned pba_bar, uint32_t pba_offset, GError **err)
{
    uint8_t *config;
    unsigned at;

    assert(vectors && vectors <= MAX_VECTORS && !dev->msix);
    assert(table_offset % 8 == 0 && pba_offset % 8 == 0);
    if (!check_places(vectors, table, table_offset, pba, pba_offset, err)) {
        return false;
    }
    at = pci_add_capability(dev, PCI_CAP_ID_MSIX, 0, CAPABILITY_SIZE, err);
    if (!at) {
        return false;
    }
    config = dev->config + at;
    pci_set_word(config + PCI_MSIX_FLAGS, vectors - 1);
    pci_set_long(config + PCI_MSIX_TABLE, table_offset | table_bar);
    pci_set_long(config + PCI_MSIX_PBA, pba_offset | pba_bar);
    pci_set_word(dev->wmask + at + PCI_MSIX_FLAGS,
                 PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);

    dev->msix = msix;
    msix->at = at;
    msix->vectors = vectors;
    msix->table = g_malloc0(table_size(vectors));
    msix->pending = g_malloc0(pending_size(vectors));
    msix->table_container = table;
    msix->pending_container = pba;
    overlay(dev, &msix->table_mr, &table_ops, "msix-table", table_size(vectors), table,
            table_offset);
    overlay(dev, &msix->pending_mr, &pending_ops, "msix-pba", pending_size(vectors),
            pba, pba_offset);
    msix_reset(dev);
    return true;
}

bool msix_add(PCIDevice *dev, unsigned vectors, MemoryRegion *table,
              unsigned table_bar, uint32_t table_offset, MemoryRegion *pba,
              unsigned pba_bar, uint32_t pba_offset, GError **err)
{
    MSIXState *msix = g_new0(MSIXState, 1);
    bool ok = add(dev, msix, vectors, table, table_bar, table_offset, pba, pba_bar,
                  pba_offset, err);

    if (!ok) {
        g_free(msix);
    }
    return ok;
}

static uint64_t power_of_two_from(uint64_t size)
{
    uint64_t power = EXCLUSIVE_BAR_SIZE;

    while (power < size) {
        power *= 2;
    }
    return power;
}

bool msix_add_exclusive_bar(PCIDevice *dev, unsigned vectors, unsigned bar,
                            GError **err)
{
    /* The pending bits are in the second half, or after the table. */
    uint32_t pba_offset = MAX(table_size(vectors), EXCLUSIVE_BAR_SIZE / 2);
    uint64_t size = power_of_two_from(pba_offset + pending_size(vectors));
    g_autofree char *name = g_strdup_printf("%s-msix", dev->device.type->name);
    MSIXState *msix = g_new0(MSIXState, 1);

    memory_region_init(&msix->own_bar, name, size);
    if (!add(dev, msix, vectors, &msix->own_bar, bar, 0, &msix->own_bar, bar,
             pba_offset, err)) {
        memory_region_destroy(&msix->own_bar);
        g_free(msix);
        return false;
    }
    pci_add_bar(dev, bar, PCI_BASE_ADDRESS_SPACE_MEMORY, &msix->own_bar);
    msix->exclusive = &dev->bars[bar];
    return true;
}

static void overlay_remove(MemoryRegion *container, MemoryRegion *mr)
{
    memory_region_del_subregion(container, mr);
    memory_region_destroy(mr);
}

void msix_free(PCIDevice *dev)
{
    MSIXState *msix = dev->msix;

    overlay_remove(msix->table_container, &msix->table_mr);
    overlay_remove(msix->pending_container, &msix->pending_mr);
    if (msix->exclusive) {
        msix->exclusive->mr = NULL;
        memory_region_destroy(&msix->own_bar);
    }
    g_free(msix->table);
    g_free(msix->pending);
    g_free(msix);
    dev->msix = NULL;
}

void msix_config_written(PCIDevice *dev, unsigned addr, unsigned size)
{
    unsigned reg = dev->msix->at + PCI_MSIX_FLAGS;

    if (addr >= reg + 2 || reg >= addr + size) {
        return;
    }
    for (unsigned n = 0; n < dev->msix->vectors; n++) {
        send_if_pending(dev, n);
    }
}

void msix_reset(PCIDevice *dev)
{
    MSIXState *msix = dev->msix;

    memset(msix->table, 0, table_size(msix->vectors));
    memset(msix->pending, 0, pending_size(msix->vectors));
    for (unsigned n = 0; n < msix->vectors; n++) {
        pci_set_long(entry(dev, n) + PCI_MSIX_ENTRY_VECTOR_CTRL,
                     PCI_MSIX_ENTRY_CTRL_MASKBIT);
    }
}
