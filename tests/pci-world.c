/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI bus whose host is the test; see pci-world.h.
 */
#include "tests/pci-world.h"

#include <stdarg.h>
#include <string.h>

FuncRecipe func_recipe;
Machine *machine;
PCIBus host_bus;
MemoryRegion host_memory;
unsigned host_wires[PCI_PINS];
unsigned host_unrealized;

static MemoryRegion ram;

/* ---- functions ------------------------------------------------------------------ */

uint32_t bar_value(unsigned devfn, unsigned n, unsigned offset)
{
    return 0x80000000 | n << 24 | devfn << 16 | (offset & 0xfffc);
}

static uint64_t bar_read(void *opaque, hwaddr addr, unsigned size)
{
    const FuncRegion *region = opaque;

    return bar_value(region->func->dev.devfn, region->n, addr);
}

static void bar_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Func *f = ((FuncRegion *)opaque)->func;

    f->fetched = pci_dma_read(&f->dev, data, &(uint32_t){ 0 }, 4);
}

static const MemoryRegionOps bar_ops = {
    .read = bar_read, .write = bar_write,
    .impl.min_access_size = 4, .impl.max_access_size = 4,
};

static bool func_realize(PCIDevice *dev, GError **err)
{
    Func *f = (Func *)dev;

    dev->config[PCI_INTERRUPT_PIN] = func_recipe.pin;
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const FuncBar *bar = &func_recipe.bars[n];
        g_autofree char *name = g_strdup_printf("bar%u", n);

        if (bar->size) {
            f->bars[n].func = f;
            f->bars[n].n = n;
            memory_region_init_io(&f->bars[n].mr, &bar_ops, &f->bars[n], name,
                                  bar->size);
            pci_add_bar(dev, n, bar->type, &f->bars[n].mr);
        }
    }
    if (func_recipe.more) {
        func_recipe.more(dev);
    }
    if (func_recipe.fails) {
        g_set_error(err, FLATVIEW_ERROR, 0, "bad luck");
        return false;
    }
    return true;
}

static void func_unrealize(PCIDevice *dev)
{
    host_unrealized++;
    expect(!dev->bus->devices[dev->devfn], "still on its bus");
    for (unsigned n = 0; n < PCI_BARS; n++) {
        expect(dev->bars[n].addr == PCI_BAR_UNMAPPED, "still mapped");
    }
}

static void func_reset(PCIDevice *dev)
{
    ((Func *)dev)->resets++;
    expect(!dev->intx_level, "its pin");
}

static const Property properties[] = { PCI_DEVICE_PROPERTIES, { 0 } };

#define FUNC_INFO                                                                  \
    .class_code = 0x0c0330, .revision = 0x42, .realize = func_realize,             \
    .unrealize = func_unrealize, .reset = func_reset

static const DeviceType func_type = {
    .name = "func", .description = "a function", .size = sizeof(Func),
    .properties = properties, .user_creatable = true, .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1234, .device_id = 0x5678, FUNC_INFO },
};

static const DeviceType other_type = {
    .name = "other-func", .description = "another", .size = sizeof(Func),
    .properties = properties, .user_creatable = true, .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1111, .device_id = 0x2222,
                             .subsystem_vendor_id = 0x3333, .subsystem_id = 0x4444,
                             .romfile = "/nonexistent/default.rom", FUNC_INFO },
};

static const DeviceType fixed_type = {
    .name = "fixed-func", .description = "one that stays", .size = sizeof(Func),
    .properties = properties, .user_creatable = true, PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1234, .device_id = 0x9abc, FUNC_INFO },
};

/* ---- a bridge without windows --------------------------------------------------- */

typedef struct Bridge {
    PCIDevice dev;
    PCIBus bus;
    MemoryRegion memory, io;
} Bridge;

static bool bridge_realize(PCIDevice *dev, GError **err)
{
    Bridge *b = (Bridge *)dev;

    memory_region_init(&b->memory, "behind", UINT64_MAX);
    memory_region_init(&b->io, "behind-io", 0x10000);
    pci_bus_init(&b->bus, dev->device.id ? dev->device.id : "nameless", dev, NULL, NULL,
                 &b->memory, &b->io, dev->bus->dma);
    b->bus.hotplug = dev->bus->hotplug;
    b->bus.hotplug_opaque = dev->bus->hotplug_opaque;
    memset(dev->wmask + PCI_PRIMARY_BUS, 0xff, 3);
    dev->config[PCI_INTERRUPT_PIN] = 1;
    return true;
}

static void bridge_unrealize(PCIDevice *dev)
{
    Bridge *b = (Bridge *)dev;

    host_unrealized += 100;
    pci_bus_cleanup(&b->bus);
    memory_region_destroy(&b->memory);
    memory_region_destroy(&b->io);
}

static const DeviceType bridge_type = {
    .name = "test-bridge", .description = "a bridge", .size = sizeof(Bridge),
    .properties = properties, .user_creatable = true, .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1234, .device_id = 0x0001,
                             .class_code = 0x060400, .bridge = true,
                             .realize = bridge_realize,
                             .unrealize = bridge_unrealize },
};

extern const DeviceType pci_bridge_type, pci_copier_type;

const DeviceType *const device_types[] = {
    &func_type, &other_type, &fixed_type, &bridge_type, &pci_bridge_type,
    &pci_copier_type, NULL,
};

/* ---- the machine ---------------------------------------------------------------- */

static void set_wire(void *opaque, unsigned wire, bool level)
{
    expect((host_wires[wire] & 1) != level, "wire %u twice the same", wire);
    host_wires[wire] = (host_wires[wire] & ~1u) + 16 + level;
}

static const PCIBusOps bus_ops = { .set_irq = set_wire };

void host_init(void)
{
    GError *err = NULL;

    memset(&func_recipe, 0, sizeof(func_recipe));
    memset(host_wires, 0, sizeof(host_wires));
    host_unrealized = 0;
    machine = machine_new(machine_type_find("none", NULL));
    expect(machine_init(machine, &err), "%s", err->message);
    memory_region_init(&host_memory, "pci", UINT64_MAX);
    memory_region_init_ram(&ram, "low ram", HOST_RAM_SIZE);
    memory_region_add_subregion(&machine->memory_root, 0, &ram);
    memory_region_add_subregion_overlap(&machine->memory_root, 0, &host_memory, -1);
    pci_bus_init(&host_bus, "pci.0", NULL, &bus_ops, NULL, &host_memory,
                 &machine->ports_root, &machine->memory_root);
    object_add(&host_bus.object, "/machine/host", "pci.0");
    machine->pci = &host_bus;
}

void host_prepare(void)
{
    GError *err = NULL;

    expect(machine_prepare(machine, &err), "%s", err->message);
    machine_reset(machine);
}

/* What a board's finish does, while the root of memory is there still. */
void host_free(void)
{
    for (unsigned i = machine->devices->len; i-- > 0;) {
        device_free(g_ptr_array_remove_index(machine->devices, i));
    }
    pci_bus_cleanup(&host_bus);
    expect(!host_bus.object.parent, "the bus is in the tree still");
    memory_region_del_subregion(&machine->memory_root, &host_memory);
    memory_region_del_subregion(&machine->memory_root, &ram);
    memory_region_destroy(&host_memory);
    memory_region_destroy(&ram);
    machine_free(machine);
}

PCIDevice *host_plug(const char *text)
{
    GError *err = NULL;

    expect(machine_plug(machine, text, &err), "%s: %s", text, err->message);
    return device_pci(machine->devices->pdata[machine->devices->len - 1]);
}

void host_refuse(const char *text, const char *first, ...)
{
    unsigned before = machine->devices->len;
    GError *err = NULL;
    va_list args;

    expect(!machine_plug(machine, text, &err), "%s: accepted", text);
    va_start(args, first);
    for (const char *word = first; word; word = va_arg(args, const char *)) {
        expect(strstr(err->message, word), "no '%s' in: %s", word, err->message);
    }
    va_end(args);
    expect(machine->devices->len == before, "it is there all the same");
    g_error_free(err);
}

uint32_t config_in(unsigned devfn, unsigned addr, unsigned size)
{
    return pci_host_read(&host_bus, 0, devfn, addr, size);
}

void config_out(unsigned devfn, unsigned addr, uint32_t value, unsigned size)
{
    pci_host_write(&host_bus, 0, devfn, addr, value, size);
}

static uint32_t in(AddressSpace *as, uint64_t addr)
{
    uint32_t value = 0;

    address_space_read(as, addr, (uint8_t *)&value, 4);
    return value;
}

uint32_t memory_in(uint64_t addr)
{
    return in(&machine->memory, addr);
}

uint32_t ports_in(uint64_t addr)
{
    return in(&machine->ports, addr);
}
