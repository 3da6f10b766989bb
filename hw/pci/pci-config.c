/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A function's configuration space: the header's registers, base address registers
 * and the mapping they ask for, capabilities. PCI Local Bus Specification 3.0,
 * chapter 6; for bridges, PCI-to-PCI Bridge Architecture Specification 1.2, chapter 3.
 */
#include "hw/pci/pci-internal.h"

#include <assert.h>
#include <string.h>

#include "hw/pci/msi.h"

/* BARs lie on top of what the bus shows by itself. */
#define BAR_PRIORITY 1

#define COMMAND_WRITABLE                                                           \
    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | \
     PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)
#define STATUS_CLEARABLE                                                           \
    (PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT |                             \
     PCI_STATUS_REC_TARGET_ABORT | PCI_STATUS_REC_MASTER_ABORT |                   \
     PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY)

/* Where nobody names a subsystem: established by QEMU, and what guests expect. */
#define DEFAULT_SUBSYSTEM_VENDOR 0x1af4
#define DEFAULT_SUBSYSTEM 0x1100

uint16_t pci_get_word(const uint8_t *config)
{
    return config[0] | config[1] << 8;
}

uint32_t pci_get_long(const uint8_t *config)
{
    return pci_get_word(config) | (uint32_t)pci_get_word(config + 2) << 16;
}

void pci_set_word(uint8_t *config, uint16_t value)
{
    config[0] = value;
    config[1] = value >> 8;
}

void pci_set_long(uint8_t *config, uint32_t value)
{
    pci_set_word(config, value);
    pci_set_word(config + 2, value >> 16);
}

/* ---- the header --------------------------------------------------------------- */

static bool is_bridge(const PCIDevice *dev)
{
    return dev->device.type->pci->bridge;
}

void pci_config_init(PCIDevice *dev)
{
    const PCIInfo *info = dev->device.type->pci;
    bool named = info->subsystem_vendor_id || info->subsystem_id;
    uint8_t *config = dev->config;

    pci_set_word(config + PCI_VENDOR_ID, info->vendor_id);
    pci_set_word(config + PCI_DEVICE_ID, info->device_id);
    pci_set_long(config + PCI_CLASS_REVISION,
                 info->class_code << 8 | info->revision);
    config[PCI_HEADER_TYPE] = (info->bridge ? PCI_HEADER_TYPE_BRIDGE
                                            : PCI_HEADER_TYPE_NORMAL) |
                              (dev->multifunction ? 0x80 : 0);
    if (!info->bridge) {
        pci_set_word(config + PCI_SUBSYSTEM_VENDOR_ID,
                     named ? info->subsystem_vendor_id : DEFAULT_SUBSYSTEM_VENDOR);
        pci_set_word(config + PCI_SUBSYSTEM_ID,
                     named ? info->subsystem_id : DEFAULT_SUBSYSTEM);
    }
    pci_set_word(dev->wmask + PCI_COMMAND, COMMAND_WRITABLE);
    pci_set_word(dev->w1cmask + PCI_STATUS, STATUS_CLEARABLE);
    dev->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
    dev->wmask[PCI_INTERRUPT_LINE] = 0xff;
    memset(dev->used, 0xff, PCI_STD_HEADER_SIZEOF);
    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        dev->bars[n].addr = PCI_BAR_UNMAPPED;
    }
}

void pci_config_seal(PCIDevice *dev)
{
    memcpy(dev->reset_values, dev->config, PCI_CONFIG_SIZE);
}

void pci_config_reset(PCIDevice *dev)
{
    memcpy(dev->config, dev->reset_values, PCI_CONFIG_SIZE);
    dev->intx_level = false;
    pci_update_irq(dev);
    pci_update_mappings(dev);
}

/* ---- base address registers ---------------------------------------------------- */

/* Offset of the register of BAR @n. */
static unsigned bar_offset(const PCIDevice *dev, unsigned n)
{
    if (n < PCI_BARS) {
        return PCI_BASE_ADDRESS_0 + 4 * n;
    }
    return is_bridge(dev) ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
}

static unsigned bars_nr(const PCIDevice *dev)
{
    return is_bridge(dev) ? 2 : PCI_BARS;
}

static bool bar_is_io(const PCIBar *bar)
{
    return bar->type & PCI_BASE_ADDRESS_SPACE_IO;
}

static bool bar_is_64(const PCIBar *bar)
{
    return !bar_is_io(bar) && (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
}

void pci_add_bar(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *mr)
{
    PCIBar *bar = &dev->bars[n];
    unsigned offset = bar_offset(dev, n);
    uint64_t size = memory_region_size(mr), mask = ~(size - 1);

    assert(n < bars_nr(dev) || n == PCI_ROM_SLOT);
    assert(!bar->mr && size && (size & (size - 1)) == 0);
    assert(n == 0 || n == PCI_ROM_SLOT || !bar[-1].mr || !bar_is_64(&bar[-1]));
    *bar = (PCIBar){ mr, type, size, PCI_BAR_UNMAPPED };
    assert(size >= (bar_is_io(bar) ? 4 : 16));
    device_own_region(&dev->device, mr);
    pci_set_long(dev->config + offset, type);
    pci_set_long(dev->wmask + offset, mask);
    if (bar_is_64(bar)) {
        assert(n + 1 < bars_nr(dev) && !bar[1].mr);
        pci_set_long(dev->wmask + offset + 4, mask >> 32);
    } else {
        assert(size <= UINT32_C(1) << 31);
    }
    if (n == PCI_ROM_SLOT) {
        dev->wmask[offset] |= PCI_ROM_ADDRESS_ENABLE;
    }
}

/* Where the registers want BAR @n. What the guest writes to learn the size is a place
 * for none: 0, and what reaches the last byte that can be addressed. */
static uint64_t bar_wanted(const PCIDevice *dev, unsigned n)
{
    const PCIBar *bar = &dev->bars[n];
    const uint8_t *reg = dev->config + bar_offset(dev, n);
    uint16_t command = pci_get_word(dev->config + PCI_COMMAND);
    uint64_t addr = pci_get_long(reg), last, limit = UINT32_MAX;

    if (!(command & (bar_is_io(bar) ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) ||
        (n == PCI_ROM_SLOT && !(addr & PCI_ROM_ADDRESS_ENABLE))) {
        return PCI_BAR_UNMAPPED;
    }
    if (bar_is_64(bar)) {
        addr |= (uint64_t)pci_get_long(reg + 4) << 32;
        limit = UINT64_MAX;
    } else if (bar_is_io(bar)) {
        limit = UINT16_MAX + 1;
    }
    addr &= ~(bar->size - 1);
    last = addr + (bar->size - 1);
    return addr && last < limit ? addr : PCI_BAR_UNMAPPED;
}

static void bar_move(PCIDevice *dev, PCIBar *bar, uint64_t addr)
{
    MemoryRegion *space = bar_is_io(bar) ? dev->bus->io : dev->bus->memory;

    if (bar->addr == addr) {
        return;
    }
    memory_region_transaction_begin();
    if (bar->addr != PCI_BAR_UNMAPPED) {
        memory_region_del_subregion(space, bar->mr);
    }
    if (addr != PCI_BAR_UNMAPPED) {
        memory_region_add_subregion_overlap(space, addr, bar->mr, BAR_PRIORITY);
    }
    bar->addr = addr;
    memory_region_transaction_commit();
}

void pci_update_mappings(PCIDevice *dev)
{
    memory_region_transaction_begin();
    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        if (dev->bars[n].mr) {
            bar_move(dev, &dev->bars[n], bar_wanted(dev, n));
        }
    }
    memory_region_set_enabled(&dev->dma_window,
                              pci_get_word(dev->config + PCI_COMMAND) &
                                  PCI_COMMAND_MASTER);
    memory_region_transaction_commit();
}

void pci_bars_unmap(PCIDevice *dev)
{
    memory_region_transaction_begin();
    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        bar_move(dev, &dev->bars[n], PCI_BAR_UNMAPPED);
    }
    memory_region_transaction_commit();
}

void pci_bars_destroy(PCIDevice *dev)
{
    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        if (dev->bars[n].mr) {
            memory_region_destroy(dev->bars[n].mr);
            dev->bars[n].mr = NULL;
        }
    }
}

/* ---- capabilities --------------------------------------------------------------- */

static bool is_free(const PCIDevice *dev, unsigned offset, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        if (dev->used[offset + i]) {
            return false;
        }
    }
    return true;
}

/* The lowest free place of @size bytes; 0: none. */
static unsigned find_room(const PCIDevice *dev, unsigned size)
{
    for (unsigned at = PCI_STD_HEADER_SIZEOF; at + size <= PCI_CONFIG_SIZE; at += 4) {
        if (is_free(dev, at, size)) {
            return at;
        }
    }
    return 0;
}

unsigned pci_add_capability(PCIDevice *dev, uint8_t id, unsigned offset,
                            unsigned size, GError **err)
{
    unsigned at = offset ? offset : find_room(dev, size);

    assert(size >= 2 && offset % 4 == 0);
    if (!at || at + size > PCI_CONFIG_SIZE || !is_free(dev, at, size)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "no room for the %u bytes of capability 0x%02x in its "
                    "configuration space%s", size, id,
                    offset ? " where it has to be" : "");
        return 0;
    }
    memset(dev->config + at, 0, size);
    memset(dev->wmask + at, 0, size);
    memset(dev->used + at, 0xff, size);
    dev->config[at + PCI_CAP_LIST_ID] = id;
    dev->config[at + PCI_CAP_LIST_NEXT] = dev->config[PCI_CAPABILITY_LIST];
    dev->config[PCI_CAPABILITY_LIST] = at;
    dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    return at;
}

unsigned pci_find_capability(const PCIDevice *dev, uint8_t id)
{
    unsigned at = dev->config[PCI_CAPABILITY_LIST];

    while (at && dev->config[at + PCI_CAP_LIST_ID] != id) {
        at = dev->config[at + PCI_CAP_LIST_NEXT];
    }
    return at;
}

/* ---- accesses ------------------------------------------------------------------- */

uint32_t pci_config_read(PCIDevice *dev, unsigned addr, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint32_t)dev->config[addr + i] << (8 * i);
    }
    return value;
}

static bool touches(unsigned addr, unsigned size, unsigned reg, unsigned reg_size)
{
    return addr < reg + reg_size && reg < addr + size;
}

void pci_config_write(PCIDevice *dev, unsigned addr, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = value >> (8 * i), *to = &dev->config[addr + i];
        uint8_t mask = dev->wmask[addr + i];

        *to = (*to & ~mask) | (byte & mask);
        *to &= ~(byte & dev->w1cmask[addr + i]);
    }
    if (touches(addr, size, PCI_COMMAND, 2) ||
        touches(addr, size, PCI_BASE_ADDRESS_0, 4 * bars_nr(dev)) ||
        touches(addr, size, bar_offset(dev, PCI_ROM_SLOT), 4)) {
        pci_update_mappings(dev);
    }
    msi_config_written(dev, addr, size);
    pci_update_irq(dev);
}
