/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug of PCI functions by way of ACPI: see pcihp.h. A slot comes and goes as a
 * whole, as guests see it. A bus that goes with its bridge leaves its number unused:
 * the guest's tables are not told of another.
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

static PCIDevice *slot_function(const PCIHotplugBus *b, unsigned slot,
                                unsigned function)
{
    return b->bus->devices[PCI_DEVFN(slot, function)];
}

/* A function in @slot; NULL: it is empty. */
static PCIDevice *slot_any(const PCIHotplugBus *b, unsigned slot)
{
    for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
        if (slot_function(b, slot, function)) {
            return slot_function(b, slot, function);
        }
    }
    return NULL;
}

static bool slot_stays(const PCIHotplugBus *b, unsigned slot)
{
    for (unsigned function = 0; function < PCI_FUNCTIONS; function++) {
        PCIDevice *dev = slot_function(b, slot, function);

        if (dev && !device_is_hotpluggable(&dev->device)) {
            return true;
        }
    }
    return false;
}

static uint32_t removable(const PCIHotplugBus *b)
{
    uint32_t mask = 0;

    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        mask |= (uint32_t)!slot_stays(b, slot) << slot;
    }
    return mask;
}

/* ---- taking out --------------------------------------------------------------- */

/* None of them stays: that was looked at when they were asked for. */
static void take_out(PCIHotplugBus *b, uint32_t slots)
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        PCIDevice *dev = slots >> slot & 1 ? slot_any(b, slot) : NULL;

        if (dev) {
            pci_device_unplug(dev);
        }
    }
}

/* Other buses may go with what is taken out, and what they have is then no more. */
static void take_out_all(PCIHotplug *s, bool asked)
{
    for (unsigned n = 0; n < s->buses_nr; n++) {
        PCIHotplugBus *b = &s->buses[n];

        if (b->bus) {
            take_out(b, b->ejecting | (asked ? b->down : 0));
            b->ejecting = 0;
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
    take_out_all(s, false);
    drop_source(s);
    memory_unlock();
    return G_SOURCE_REMOVE;
}

static void eject(PCIHotplugBus *b, uint32_t slots)
{
    PCIHotplug *s = b->hotplug;

    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        if ((slots >> slot & 1) && slot_any(b, slot) && !slot_stays(b, slot)) {
            b->ejecting |= UINT32_C(1) << slot;
        }
    }
    if (b->ejecting && !s->source) {
        s->source = g_idle_source_new();
        g_source_set_priority(s->source, G_PRIORITY_DEFAULT);
        g_source_set_callback(s->source, eject_slots, s, NULL);
        g_source_attach(s->source, NULL);
    }
}

/* ---- registers ------------------------------------------------------------------ */

/* NULL: there is no such bus. */
static PCIHotplugBus *selected(PCIHotplug *s)
{
    bool there = s->select < s->buses_nr && s->buses[s->select].bus;

    return there ? &s->buses[s->select] : NULL;
}

static uint64_t pcihp_read(void *opaque, hwaddr addr, unsigned size)
{
    PCIHotplug *s = opaque;
    PCIHotplugBus *b = selected(s);
    uint32_t value;

    if (addr == PCIHP_SELECT) {
        return s->select;
    }
    if (!b) {
        return 0;
    }
    switch (addr) {
    case PCIHP_UP:
        value = b->up;
        b->up = 0;
        return value;
    case PCIHP_DOWN:
        return b->down;
    case PCIHP_EJECT:
        return b->ejecting;
    case PCIHP_REMOVABLE:
        return removable(b);
    default:
        return 0;
    }
}

static void pcihp_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCIHotplug *s = opaque;

    if (addr == PCIHP_SELECT) {
        s->select = data;
    } else if (addr == PCIHP_EJECT && selected(s)) {
        eject(selected(s), data);
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

/* ---- what buses tell -------------------------------------------------------------- */

/* A guest that looks before function 0 has come finds nothing, and is told again. */
static void pcihp_plugged(void *opaque, PCIDevice *dev)
{
    PCIHotplugBus *b = opaque;

    b->up |= slot_bit(dev);
    b->hotplug->notify(b->hotplug->opaque);
}

static bool pcihp_unplug_request(void *opaque, PCIDevice *dev, GError **err)
{
    PCIHotplugBus *b = opaque;

    b->down |= slot_bit(dev);
    b->hotplug->notify(b->hotplug->opaque);
    return true;
}

static void forget_bus(PCIHotplugBus *b)
{
    b->bus->hotplug = NULL;
    b->bus = NULL;
    b->up = b->down = b->ejecting = 0;
}

static void pcihp_unplugged(void *opaque, PCIDevice *dev)
{
    PCIHotplugBus *b = opaque;

    b->up &= ~slot_bit(dev);
    b->down &= ~slot_bit(dev);
    if (dev->secondary && dev->secondary->hotplug) {
        forget_bus(dev->secondary->hotplug_opaque);
    }
}

static const PCIHotplugOps pcihp_bus_ops = {
    .plugged = pcihp_plugged,
    .unplug_request = pcihp_unplug_request,
    .unplugged = pcihp_unplugged,
};

/* ---- life ------------------------------------------------------------------------- */

static void serve_bus(PCIHotplug *s, PCIBus *bus)
{
    PCIHotplugBus *b = &s->buses[s->buses_nr++];

    *b = (PCIHotplugBus){ .hotplug = s, .bus = bus };
    bus->hotplug = &pcihp_bus_ops;
    bus->hotplug_opaque = b;
}

static void serve_bridge(PCIDevice *dev, void *opaque)
{
    PCIHotplug *s = opaque;

    if (dev->secondary && s->buses_nr < PCIHP_BUSES) {
        serve_bus(s, dev->secondary);
        pci_bus_foreach(dev->secondary, serve_bridge, s);
    }
}

void pcihp_init(PCIHotplug *s, PCIBus *root)
{
    memory_region_init_io(&s->mr, &pcihp_ops, s, "acpi-pci-hotplug", PCIHP_SIZE);
    serve_bus(s, root);
}

void pcihp_add_bridges(PCIHotplug *s)
{
    pci_bus_foreach(s->buses[0].bus, serve_bridge, s);
}

void pcihp_cleanup(PCIHotplug *s)
{
    drop_source(s);
    for (unsigned n = 0; n < s->buses_nr; n++) {
        if (s->buses[n].bus) {
            forget_bus(&s->buses[n]);
        }
    }
}

void pcihp_reset(PCIHotplug *s)
{
    drop_source(s);
    take_out_all(s, true);
    for (unsigned n = 0; n < s->buses_nr; n++) {
        s->buses[n].up = s->buses[n].down = 0;
    }
    s->select = 0;
}
