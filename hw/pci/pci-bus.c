/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI buses: which function is where, how configuration accesses find it, and the
 * interrupt wires. PCI Local Bus Specification 3.0, chapters 2.2.6 and 3.2.2.3;
 * PCI-to-PCI Bridge Architecture Specification 1.2, chapters 3.1 and 9.1.
 */
#include "hw/pci/pci-internal.h"

#include <assert.h>
#include <string.h>

#include "hw/pci/msi.h"

void pci_bus_init(PCIBus *bus, const char *name, PCIDevice *parent,
                  const PCIBusOps *ops, void *opaque, MemoryRegion *memory,
                  MemoryRegion *io, MemoryRegion *dma)
{
    memset(bus, 0, sizeof(*bus));
    bus->object.type = "PCI";
    bus->name = g_strdup(name);
    bus->parent = parent;
    bus->memory = memory;
    bus->io = io;
    bus->dma = dma;
    bus->ops = ops;
    bus->opaque = opaque;
    if (parent) {
        parent->secondary = bus;
    }
}

void pci_bus_cleanup(PCIBus *bus)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFNS; devfn++) {
        assert(!bus->devices[devfn]);
    }
    if (bus->parent) {
        bus->parent->secondary = NULL;
    }
    object_remove(&bus->object);
    g_clear_pointer(&bus->name, g_free);
}

unsigned pci_bus_number(const PCIBus *bus)
{
    return bus->parent ? bus->parent->config[PCI_SECONDARY_BUS] : 0;
}

PCIBus *pci_bridge_bus(PCIDevice *dev)
{
    return dev->secondary;
}

void pci_bus_foreach(PCIBus *bus, void (*fn)(PCIDevice *dev, void *opaque),
                     void *opaque)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFNS; devfn++) {
        if (bus->devices[devfn]) {
            fn(bus->devices[devfn], opaque);
        }
    }
}

/* ---- by name ------------------------------------------------------------------- */

/* Also appends the names of those that are not it to @others. */
static PCIBus *find_named(PCIBus *bus, const char *name, GString *others)
{
    PCIBus *found = strcmp(bus->name, name) == 0 ? bus : NULL;

    g_string_append_printf(others, "%s%s", others->len ? ", " : "", bus->name);
    for (unsigned devfn = 0; devfn < PCI_DEVFNS && !found; devfn++) {
        if (bus->devices[devfn] && bus->devices[devfn]->secondary) {
            found = find_named(bus->devices[devfn]->secondary, name, others);
        }
    }
    return found;
}

PCIBus *pci_bus_find(PCIBus *root, const char *name, GError **err)
{
    g_autoptr(GString) others = g_string_new(NULL);
    PCIBus *bus = name ? find_named(root, name, others) : root;

    if (!bus) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Bus '%s' not found: there is %s", name,
                    others->str);
    }
    return bus;
}

/* ---- configuration accesses ----------------------------------------------------- */

/* While this bit is set, nobody behind the bridge answers. */
static bool holds_in_reset(const PCIDevice *bridge)
{
    return pci_get_word(bridge->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET;
}

/* Down the bridges whose registers, which the guest wrote, let @number through. Where
 * two do, it is the first one's. */
static PCIBus *find_numbered(PCIBus *bus, unsigned number)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFNS; devfn++) {
        PCIDevice *dev = bus->devices[devfn];
        unsigned first;

        if (!dev || !dev->secondary || holds_in_reset(dev)) {
            continue;
        }
        first = dev->config[PCI_SECONDARY_BUS];
        if (number == first) {
            return dev->secondary;
        }
        if (number > first && number <= dev->config[PCI_SUBORDINATE_BUS]) {
            return find_numbered(dev->secondary, number);
        }
    }
    return NULL;
}

PCIDevice *pci_find_function(PCIBus *root, unsigned number, unsigned devfn)
{
    PCIBus *bus = number ? find_numbered(root, number) : root;
    PCIDevice *dev = bus && devfn < PCI_DEVFNS ? bus->devices[devfn] : NULL;

    /* What comes while the machine runs is there once its slot is complete. */
    if (dev && dev->device.hotplugged && !bus->devices[devfn - PCI_FUNC(devfn)]) {
        return NULL;
    }
    return dev;
}

/* The widest piece at @addr that is aligned and no longer than @left. */
static unsigned piece_size(unsigned addr, unsigned left)
{
    return addr % 4 == 0 && left >= 4 ? 4 : addr % 2 == 0 && left >= 2 ? 2 : 1;
}

static uint32_t ones(unsigned size)
{
    return UINT32_MAX >> (32 - 8 * size);
}

static uint32_t read_piece(PCIDevice *dev, unsigned addr, unsigned size)
{
    const PCIInfo *info = dev->device.type->pci;

    if (addr >= PCI_CONFIG_SIZE) {
        return ones(size);
    }
    return (info->config_read ? info->config_read(dev, addr, size)
                              : pci_config_read(dev, addr, size)) & ones(size);
}

uint32_t pci_host_read(PCIBus *root, unsigned number, unsigned devfn, unsigned addr,
                       unsigned size)
{
    PCIDevice *dev = pci_find_function(root, number, devfn);
    uint32_t value = 0;

    for (unsigned at = 0, piece; dev && at < size; at += piece) {
        piece = piece_size(addr + at, size - at);
        value |= read_piece(dev, addr + at, piece) << (8 * at);
    }
    return dev ? value : ones(size);
}

void pci_host_write(PCIBus *root, unsigned number, unsigned devfn, unsigned addr,
                    uint32_t value, unsigned size)
{
    PCIDevice *dev = pci_find_function(root, number, devfn);

    for (unsigned at = 0, piece; dev && at < size; at += piece) {
        const PCIInfo *info = dev->device.type->pci;

        piece = piece_size(addr + at, size - at);
        if (addr + at >= PCI_CONFIG_SIZE) {
            return;
        }
        (info->config_write ? info->config_write : pci_config_write)(
            dev, addr + at, (value >> (8 * at)) & ones(piece), piece);
    }
}

/* ---- interrupt wires ------------------------------------------------------------ */

static void bus_set_pin(PCIBus *bus, const PCIDevice *dev, unsigned pin, bool level)
{
    unsigned wire = bus->ops && bus->ops->map_irq
                        ? bus->ops->map_irq(bus->opaque, dev, pin)
                        : (PCI_SLOT(dev->devfn) + pin) % PCI_PINS;

    assert(wire < PCI_PINS);
    if (level ? bus->irq_counts[wire]++ : --bus->irq_counts[wire]) {
        return; /* others hold it */
    }
    if (bus->ops && bus->ops->set_irq) {
        bus->ops->set_irq(bus->opaque, wire, level);
    } else if (bus->parent) {
        bus_set_pin(bus->parent->bus, bus->parent, wire, level);
    }
}

void pci_update_irq(PCIDevice *dev)
{
    bool disabled = pci_get_word(dev->config + PCI_COMMAND) &
                    PCI_COMMAND_INTX_DISABLE;
    bool level;

    /* A driver that goes from messages back to the pin has dealt with what came before,
     * or will hear of it anew. */
    if (msi_is_enabled(dev) || msix_is_enabled(dev)) {
        dev->intx_level = false;
    }
    level = dev->intx_level && !disabled;
    if (dev->intx_level) {
        dev->config[PCI_STATUS] |= PCI_STATUS_INTERRUPT;
    } else {
        dev->config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT;
    }
    if (dev->intx_asserted != level) {
        dev->intx_asserted = level;
        bus_set_pin(dev->bus, dev, dev->config[PCI_INTERRUPT_PIN] - 1, level);
    }
}

void pci_set_irq(PCIDevice *dev, bool level)
{
    unsigned pin = dev->config[PCI_INTERRUPT_PIN];

    assert(pin >= 1 && pin <= PCI_PINS);
    dev->intx_level = level;
    pci_update_irq(dev);
}
