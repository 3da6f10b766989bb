/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug of PCI functions by way of ACPI: see pcihp.h. A slot comes and goes as a
 * whole, as guests see it.
 *
 * The guest gives a slot up by writing to EJECT. What is in it has callbacks that may
 * be running in other vCPUs, and may be what this write came through; so it is the
 * main loop that takes it out, and until then EJECT reads as what is still there.
 */
#include "hw/acpi/pcihp.h"

#include "memory.h"

static uint32_t slot_bit(const PCIDevice *dev)
{
    return UINT32_C(1) << PCI_SLOT(dev->devfn);
}

static PCIDevice *slot_function(const PCIHotplug *s, unsigned slot,
                                unsigned function)
{
    return s->bus->devices[PCI_DEVFN(slot, function)];
}

/* A function in @slot; NULL: it is empty. */
static PCIDevice *slot_any(const PCIHotplug *s, unsigned slot)
{
    for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
        if (slot_function(s, slot, function)) {
            return slot_function(s, slot, function);
        }
    }
    return NULL;
}

static bool slot_stays(const PCIHotplug *s, unsigned slot)
{
    for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
        PCIDevice *dev = slot_function(s, slot, function);

        if (dev && !device_is_hotpluggable(&dev->device)) {
            return true;
        }
    }
    return false;
}

static uint32_t removable(const PCIHotplug *s)
{
    uint32_t mask = 0;

    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        mask |= (uint32_t)!slot_stays(s, slot) << slot;
    }
    return mask;
}

/* ---- taking out --------------------------------------------------------------- */

/* None of them stays: that was looked at when they were asked for. */
static void take_out(PCIHotplug *s, uint32_t slots)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        PCIDevice *dev = slots >> slot & 1 ? slot_any(s, slot) : NULL;

        if (dev) {
            pci_device_unplug(dev);
        }
    }
}

static void drop_source(PCIHotplug *s)
{
    if (s->source) {
        g_source_destroy(s->source);
        g_source_unref(s->source);
        s->source = NULL;
    }
}

static gboolean eject_slots(void *opaque)
{
    PCIHotplug *s = opaque;

    memory_lock();
    take_out(s, s->ejecting);
    s->ejecting = 0;
    drop_source(s);
    memory_unlock();
    return G_SOURCE_REMOVE;
}

static void eject(PCIHotplug *s, uint32_t slots)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        if ((slots >> slot & 1) && slot_any(s, slot) && !slot_stays(s, slot)) {
            s->ejecting |= UINT32_C(1) << slot;
        }
    }
    if (s->ejecting && !s->source) {
        s->source = g_idle_source_new();
        g_source_set_priority(s->source, G_PRIORITY_DEFAULT);
        g_source_set_callback(s->source, eject_slots, s, NULL);
        g_source_attach(s->source, NULL);
    }
}

/* ---- registers ------------------------------------------------------------------ */

static uint64_t pcihp_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHotplug *s = opaque;
    uint32_t value;

    if (addr == PCIHP_SELECT) {
        return s->select;
    }
    if (s->select != 0) {
        return 0;
    }
    switch (addr) {
    case PCIHP_UP:
        value = s->up;
        s->up = 0;
        return value;
    case PCIHP_DOWN:
        return s->down;
    case PCIHP_EJECT:
        return s->ejecting;
    case PCIHP_REMOVABLE:
        return removable(s);
    default:
        return 0;
    }
}

static void pcihp_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCIHotplug *s = opaque;

    if (addr == PCIHP_SELECT) {
        s->select = data;
    } else if (addr == PCIHP_EJECT && s->select == 0) {
        eject(s, data);
    }
}

/* Reading a part of UP would clear the rest unseen. */
static const MemoryRegionOps pcihp_ops = {
    .read = pcihp_read,
    .write = pcihp_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
};

/* ---- what the bus tells ----------------------------------------------------------- */

/* Others than function 0 come before it, and the guest finds them with it. */
static void pcihp_plugged(void *opaque, PCIDevice *dev)
{
    PCIHotplug *s = opaque;

    if (slot_function(s, PCI_SLOT(dev->devfn), 0)) {
        s->up |= slot_bit(dev);
        s->notify(s->opaque);
    }
}

static bool pcihp_unplug_request(void *opaque, PCIDevice *dev, GError **err)
{
    PCIHotplug *s = opaque;

    s->down |= slot_bit(dev);
    s->notify(s->opaque);
    return true;
}

static void pcihp_unplugged(void *opaque, PCIDevice *dev)
{
    PCIHotplug *s = opaque;

    s->up &= ~slot_bit(dev);
    s->down &= ~slot_bit(dev);
}

static const PCIHotplugOps pcihp_bus_ops = {
    .plugged = pcihp_plugged,
    .unplug_request = pcihp_unplug_request,
    .unplugged = pcihp_unplugged,
};

void pcihp_init(PCIHotplug *s, PCIBus *bus)
{
    s->bus = bus;
    memory_region_init_io(&s->mr, &pcihp_ops, s, "acpi-pci-hotplug", PCIHP_SIZE);
    bus->hotplug = &pcihp_bus_ops;
    bus->hotplug_opaque = s;
}

void pcihp_cleanup(PCIHotplug *s)
{
    drop_source(s);
    s->bus->hotplug = NULL;
}

void pcihp_reset(PCIHotplug *s)
{
    drop_source(s);
    take_out(s, s->down | s->ejecting);
    s->up = s->down = s->ejecting = s->select = 0;
}
