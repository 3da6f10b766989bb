/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function's life: where it is put, what it reaches as a master, how it goes,
 * alone or with its slot. PCI Local Bus Specification 3.0, chapter 6; addresses and
 * messages are in the form that QEMU has established for -device.
 */
#include "hw/pci/pci-internal.h"

#include <stdlib.h>

#include "hw/core/machine.h"
#include "hw/pci/msi.h"

PCIDevice *device_pci(Device *dev)
{
    return dev->type->pci ? (PCIDevice *)dev : NULL;
}

/* ---- a place on a bus ----------------------------------------------------------- */

static const char *type_name(const PCIDevice *dev)
{
    return dev->device.type->name;
}

static char *title(const PCIDevice *dev)
{
    return dev->device.id ? g_strdup_printf("%s,id=%s", type_name(dev), dev->device.id)
                          : g_strdup(type_name(dev));
}

/* One hexadecimal number below @limit at *@text, which goes past it. */
static bool parse_number(const char **text, unsigned limit, unsigned *number)
{
    char *end;
    unsigned long value;

    if (!g_ascii_isxdigit(**text)) {
        return false;
    }
    value = strtoul(*text, &end, 16);
    *text = end;
    *number = value;
    return value < limit;
}

static bool parse_addr(const PCIDevice *dev, unsigned *devfn, GError **err)
{
    const char *text = dev->addr_text;
    unsigned slot, function = 0;
    bool ok = parse_number(&text, PCI_SLOTS, &slot);

    if (ok && *text == '.') {
        text++;
        ok = parse_number(&text, PCI_FUNCTIONS, &function);
    }
    if (!ok || *text) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Property '%s.addr' doesn't take value '%s': it is SLOT or "
                    "SLOT.FUNCTION, in hexadecimal, at most 1f.7", type_name(dev),
                    dev->addr_text);
        return false;
    }
    *devfn = PCI_DEVFN(slot, function);
    return true;
}

static PCIDevice *slot_first(const PCIBus *bus, unsigned slot)
{
    for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
        if (bus->devices[PCI_DEVFN(slot, function)]) {
            return bus->devices[PCI_DEVFN(slot, function)];
        }
    }
    return NULL;
}

static bool find_free_slot(const PCIDevice *dev, unsigned *devfn, GError **err)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        if (!slot_first(dev->bus, slot)) {
            *devfn = PCI_DEVFN(slot, 0);
            return true;
        }
    }
    g_set_error(err, FLATVIEW_ERROR, 0,
                "PCI: no slot/function available for %s, all in use or reserved: "
                "bus '%s' has %d slots", type_name(dev), dev->bus->name, PCI_SLOTS);
    return false;
}

/* Guests look at function 0 first, and at others only where it says there are. */
static bool check_slot(const PCIDevice *dev, unsigned devfn, GError **err)
{
    PCIDevice *const *slot = &dev->bus->devices[PCI_DEVFN(PCI_SLOT(devfn), 0)];
    unsigned function = PCI_FUNC(devfn);

    if (slot[function]) {
        g_autofree char *there = title(slot[function]);

        g_set_error(err, FLATVIEW_ERROR, 0,
                    "PCI: slot %d function %d not available for %s, in use by %s",
                    PCI_SLOT(devfn), function, type_name(dev), there);
        return false;
    }
    if (function && slot[0] && !slot[0]->multifunction) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "PCI: single function device can't be populated in function "
                    "%x.%x: %x.0 needs multifunction=on", PCI_SLOT(devfn), function,
                    PCI_SLOT(devfn));
        return false;
    }
    if (function && slot[0] && dev->device.hotplugged) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "PCI: slot %d function 0 already occupied by %s, new func %s "
                    "cannot be exposed to guest: add function 0 last",
                    PCI_SLOT(devfn), type_name(slot[0]), type_name(dev));
        return false;
    }
    for (function = 1; PCI_FUNC(devfn) == 0 && !dev->multifunction &&
                       function < PCI_FUNCTIONS; function++) {
        if (slot[function]) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "PCI: %x.0 indicates single function, but %x.%x is already "
                        "populated: it needs multifunction=on", PCI_SLOT(devfn),
                        PCI_SLOT(devfn), function);
            return false;
        }
    }
    return true;
}

static bool find_bus(PCIDevice *dev, GError **err)
{
    Machine *machine = dev->device.machine;

    if (!machine || !machine->pci) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "No 'PCI' bus found for device '%s': this machine has none",
                    type_name(dev));
        return false;
    }
    dev->bus = pci_bus_find(machine->pci, dev->bus_name, err);
    if (dev->bus && dev->device.hotplugged && !dev->bus->hotplug) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Bus '%s' does not support hotplugging",
                    dev->bus->name);
        return false;
    }
    return dev->bus;
}

/* ---- as a master ---------------------------------------------------------------- */

static void dma_init(PCIDevice *dev)
{
    memory_region_init(&dev->dma_root, "bus master container", UINT64_MAX);
    memory_region_init_alias(&dev->dma_window, "bus master", dev->bus->dma, 0,
                             UINT64_MAX);
    memory_region_set_enabled(&dev->dma_window, false);
    memory_region_add_subregion(&dev->dma_root, 0, &dev->dma_window);
    address_space_init_named(&dev->dma, &dev->dma_root, type_name(dev));
}

static void dma_finish(PCIDevice *dev)
{
    address_space_destroy(&dev->dma);
    memory_region_del_subregion(&dev->dma_root, &dev->dma_window);
    memory_region_destroy(&dev->dma_window);
    memory_region_destroy(&dev->dma_root);
}

static MemTxResult dma_rw(PCIDevice *dev, uint64_t addr, void *buf, uint64_t len,
                          bool is_write)
{
    MemTxAttrs attrs = {
        .requester_id = pci_bus_number(dev->bus) << 8 | dev->devfn,
    };

    return address_space_rw_attrs(&dev->dma, addr, attrs, buf, len, is_write);
}

MemTxResult pci_dma_read(PCIDevice *dev, uint64_t addr, void *buf, uint64_t len)
{
    return dma_rw(dev, addr, buf, len, false);
}

MemTxResult pci_dma_write(PCIDevice *dev, uint64_t addr, const void *buf,
                          uint64_t len)
{
    return dma_rw(dev, addr, (void *)buf, len, true);
}

/* ---- life ----------------------------------------------------------------------- */

/* For who looks at the properties. */
static void note_place(PCIDevice *dev)
{
    g_free(dev->addr_text);
    g_free(dev->bus_name);
    dev->addr_text =
        g_strdup_printf("%02x.%x", PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn));
    dev->bus_name = g_strdup(dev->bus->name);
}

/* Off the bus: nobody finds it, calls it or hears of it any more. */
static void leave_bus(PCIDevice *dev)
{
    dev->intx_level = false;
    pci_update_irq(dev);
    pci_bars_unmap(dev);
    dev->bus->devices[dev->devfn] = NULL;
}

static void free_parts(PCIDevice *dev)
{
    msi_free(dev);
    pci_bars_destroy(dev);
    dma_finish(dev);
}

bool pci_device_realize(Device *device, GError **err)
{
    PCIDevice *dev = (PCIDevice *)device;
    const PCIInfo *info = device->type->pci;
    unsigned devfn;
    bool realized;

    if (!find_bus(dev, err) ||
        !(dev->addr_text ? parse_addr(dev, &devfn, err)
                         : find_free_slot(dev, &devfn, err)) ||
        !check_slot(dev, devfn, err)) {
        return false;
    }
    dev->devfn = devfn;
    dev->bus->devices[devfn] = dev;
    note_place(dev);
    pci_config_init(dev);
    dma_init(dev);
    realized = !info->realize || info->realize(dev, err);
    if (realized && pci_add_rom(dev, err)) {
        pci_config_seal(dev);
        return true;
    }
    leave_bus(dev);
    if (realized && info->unrealize) {
        info->unrealize(dev);
    }
    free_parts(dev);
    return false;
}

void pci_device_unrealize(Device *device)
{
    PCIDevice *dev = (PCIDevice *)device;
    const PCIHotplugOps *hotplug = dev->bus->hotplug;

    if (hotplug && hotplug->unplugged) {
        hotplug->unplugged(dev->bus->hotplug_opaque, dev);
    }
    leave_bus(dev);
    if (device->type->pci->unrealize) {
        device->type->pci->unrealize(dev);
    }
    free_parts(dev);
}

void pci_device_reset(Device *device)
{
    PCIDevice *dev = (PCIDevice *)device;

    pci_config_reset(dev);
    msi_reset(dev);
    if (device->type->pci->reset) {
        device->type->pci->reset(dev);
    }
}

/* ---- hot plug ------------------------------------------------------------------- */

bool pci_device_plug(Device *device, Machine *machine, GError **err)
{
    PCIDevice *dev = (PCIDevice *)device;
    const PCIHotplugOps *hotplug = dev->bus->hotplug;

    if (dev->secondary && device->object.parent) {
        g_autofree char *path = object_path(&device->object);

        object_add(&dev->secondary->object, path, dev->secondary->name);
    }
    if (device->hotplugged && hotplug->plugged) {
        hotplug->plugged(dev->bus->hotplug_opaque, dev);
    }
    return true;
}

bool pci_device_unplug_request(Device *device, GError **err)
{
    PCIDevice *dev = (PCIDevice *)device;
    PCIBus *bus = dev->bus;

    if (!bus->hotplug) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Bus '%s' does not support hotplugging",
                    bus->name);
        return false;
    }
    for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
        PCIDevice *other =
            bus->devices[PCI_DEVFN(PCI_SLOT(dev->devfn), function)];

        if (other && !device_is_hotpluggable(&other->device)) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "Device '%s' cannot be unplugged: it shares slot %d with "
                        "'%s', which stays", type_name(dev), PCI_SLOT(dev->devfn),
                        type_name(other));
            return false;
        }
    }
    return bus->hotplug->unplug_request(bus->hotplug_opaque, dev, err);
}

static void unplug_function(PCIDevice *dev)
{
    for (unsigned slot = 0; dev->secondary && slot < PCI_SLOTS; slot++) {
        PCIDevice *behind = slot_first(dev->secondary, slot);

        if (behind) {
            pci_device_unplug(behind);
        }
    }
    machine_unplug_finish(dev->device.machine, &dev->device);
}

void pci_device_unplug(PCIDevice *dev)
{
    PCIBus *bus = dev->bus;
    unsigned slot = PCI_SLOT(dev->devfn);

    while ((dev = slot_first(bus, slot))) {
        unplug_function(dev);
    }
}
