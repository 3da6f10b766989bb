/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI as the guest has set it up: buses, functions, where their BARs are.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, PCI.
 */
#include "monitor/qmp-types.h"

#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "monitor/monitor.h"

/* ---- declarations --------------------------------------------------------------- */

static const QType function_info;
static const QType function_list = { .kind = Q_ARRAY, .element = &function_info };

static const QMember range_members[] = {
    { "base", &q_int, false, "Its first address." },
    { "limit", &q_int, false, "Its last one." },
    { 0 },
};

static const QType range_info = {
    .kind = Q_OBJECT, .name = "PciMemoryRange", .members = range_members,
    .doc = "What a bridge lets through to the bus behind it; a last address below "
           "the first: nothing.",
};

static const QMember bus_members[] = {
    { "number", &q_int, false, "Of the bus that the bridge is on." },
    { "secondary", &q_int, false, "Of the one behind it." },
    { "subordinate", &q_int, false, "The highest behind it." },
    { "io_range", &range_info, false, "Ports." },
    { "memory_range", &range_info, false, "Memory." },
    { "prefetchable_range", &range_info, false, "Memory whose reads have no effect." },
    { 0 },
};

static const QType bus_info = {
    .kind = Q_OBJECT, .name = "PciBusInfo", .members = bus_members,
    .doc = "The registers of a bridge.",
};

static const QMember bridge_members[] = {
    { "bus", &bus_info, false, "Its registers." },
    { "devices", &function_list, true,
      "The functions behind it; missing until the guest has given the bus a number." },
    { 0 },
};

static const QType bridge_info = {
    .kind = Q_OBJECT, .name = "PciBridgeInfo", .members = bridge_members,
    .doc = "A bridge, and what is behind it.",
};

static const QMember class_members[] = {
    { "desc", &q_string, true, "The class in words." },
    { "class", &q_int, false, "Class and subclass, 16 bits." },
    { 0 },
};

static const QType class_info = {
    .kind = Q_OBJECT, .name = "PciDeviceClass", .members = class_members,
    .doc = "What a function is for.",
};

static const QMember id_members[] = {
    { "device", &q_int, false, "The model, of the vendor's choice." },
    { "vendor", &q_int, false, "The vendor's number." },
    { "subsystem", &q_int, true, "The model of what it is a part of." },
    { "subsystem-vendor", &q_int, true, "The vendor of that." },
    { 0 },
};

static const QType id_info = {
    .kind = Q_OBJECT, .name = "PciDeviceId", .members = id_members,
    .doc = "By what drivers know a function.",
};

static const QMember region_members[] = {
    { "bar", &q_int, false, "The number of the register; 6: the expansion ROM." },
    { "type", &q_string, false, "\"io\" or \"memory\"." },
    { "address", &q_int, false, "Where it is mapped; -1: nowhere." },
    { "size", &q_int, false, "Bytes." },
    { "prefetch", &q_bool, true, "Reads have no effect; memory only." },
    { "mem_type_64", &q_bool, true, "The address has 64 bits; memory only." },
    { 0 },
};

static const QType region_info = {
    .kind = Q_OBJECT, .name = "PciMemoryRegion", .members = region_members,
    .doc = "A base address register.",
};

static const QType region_list = { .kind = Q_ARRAY, .element = &region_info };

static const QMember function_members[] = {
    { "bus", &q_int, false, "The number of its bus." },
    { "slot", &q_int, false, "Its slot there." },
    { "function", &q_int, false, "Its number in the slot." },
    { "class_info", &class_info, false, "What it is for." },
    { "id", &id_info, false, "What it is." },
    { "irq", &q_int, true, "What the guest has noted as its interrupt; missing: it has "
                           "no pin." },
    { "irq_pin", &q_int, false, "Its interrupt pin, 1 to 4; 0: none." },
    { "qdev_id", &q_string, false, "Its id, or empty." },
    { "pci_bridge", &bridge_info, true, "It is a bridge." },
    { "regions", &region_list, false, "Its BARs." },
    { 0 },
};

static const QType function_info = {
    .kind = Q_OBJECT, .name = "PciDeviceInfo", .members = function_members,
    .doc = "A function.",
};

static const QMember root_members[] = {
    { "bus", &q_int, false, "Its number." },
    { "devices", &function_list, false, "The functions on it." },
    { 0 },
};

static const QType root_info = {
    .kind = Q_OBJECT, .name = "PciInfo", .members = root_members,
    .doc = "A bus that no bridge leads to.",
};

static const QType root_list = { .kind = Q_ARRAY, .element = &root_info };

/* ---- what is there -------------------------------------------------------------- */

/* Names that clients know; PCI Code and ID Assignment Specification 1.11. */
const char *qmp_pci_class_name(unsigned class)
{
    static const struct {
        uint16_t class;
        const char *name;
    } names[] = {
        { 0x0001, "VGA controller" }, { 0x0100, "SCSI controller" },
        { 0x0101, "IDE controller" }, { 0x0106, "SATA controller" },
        { 0x0180, "Storage controller" }, { 0x0200, "Ethernet controller" },
        { 0x0280, "Network controller" }, { 0x0300, "VGA controller" },
        { 0x0380, "Display controller" }, { 0x0401, "Audio controller" },
        { 0x0403, "Audio controller" }, { 0x0500, "RAM controller" },
        { 0x0580, "Memory controller" }, { 0x0600, "Host bridge" },
        { 0x0601, "ISA bridge" }, { 0x0604, "PCI bridge" }, { 0x0680, "Bridge" },
        { 0x0700, "Serial port" }, { 0x0c03, "USB controller" }, { 0x0c05, "SMBus" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i].class == class) {
            return names[i].name;
        }
    }
    return NULL;
}

static JsonObject *class_of(const PCIDevice *dev)
{
    JsonObject *info = json_object_new();
    unsigned class = pci_get_word(dev->config + PCI_CLASS_DEVICE);
    const char *name = qmp_pci_class_name(class);

    if (name) {
        json_object_set_string_member(info, "desc", name);
    }
    json_object_set_int_member(info, "class", class);
    return info;
}

static JsonObject *id_of(const PCIDevice *dev)
{
    JsonObject *info = json_object_new();
    const uint8_t *config = dev->config;

    json_object_set_int_member(info, "device", pci_get_word(config + PCI_DEVICE_ID));
    json_object_set_int_member(info, "vendor", pci_get_word(config + PCI_VENDOR_ID));
    if (!dev->device.type->pci->bridge) {
        json_object_set_int_member(info, "subsystem",
                                   pci_get_word(config + PCI_SUBSYSTEM_ID));
        json_object_set_int_member(info, "subsystem-vendor",
                                   pci_get_word(config + PCI_SUBSYSTEM_VENDOR_ID));
    }
    return info;
}

static JsonArray *regions_of(const PCIDevice *dev)
{
    JsonArray *array = json_array_new();

    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        const PCIBar *bar = &dev->bars[n];
        bool io = bar->type & PCI_BASE_ADDRESS_SPACE_IO;
        JsonObject *info;

        if (!bar->mr) {
            continue;
        }
        info = json_object_new();
        json_object_set_int_member(info, "bar", n);
        json_object_set_string_member(info, "type", io ? "io" : "memory");
        json_object_set_int_member(info, "address", bar->addr);
        json_object_set_int_member(info, "size", bar->size);
        if (!io) {
            json_object_set_boolean_member(
                info, "prefetch", (bar->type & PCI_BASE_ADDRESS_MEM_PREFETCH) != 0);
            json_object_set_boolean_member(
                info, "mem_type_64", (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64) != 0);
        }
        json_array_add_object_element(array, info);
    }
    return array;
}

/* Where a window of a bridge begins, or the last block of it. The lowest bits of the
 * register say whether another has the upper half; @upper 0: it has none. */
static uint64_t io_window(const PCIDevice *dev, unsigned reg, unsigned upper)
{
    uint64_t addr = (dev->config[reg] & PCI_IO_RANGE_MASK & 0xff) << 8;

    if ((dev->config[reg] & PCI_IO_RANGE_TYPE_MASK) == PCI_IO_RANGE_TYPE_32) {
        addr |= (uint64_t)pci_get_word(dev->config + upper) << 16;
    }
    return addr;
}

static uint64_t memory_window(const PCIDevice *dev, unsigned reg, unsigned upper)
{
    unsigned value = pci_get_word(dev->config + reg);
    uint64_t addr = (uint64_t)(value & PCI_MEMORY_RANGE_MASK & 0xffff) << 16;

    if (upper && (value & PCI_PREF_RANGE_TYPE_MASK) == PCI_PREF_RANGE_TYPE_64) {
        addr |= (uint64_t)pci_get_long(dev->config + upper) << 32;
    }
    return addr;
}

static void add_range(JsonObject *to, const char *name, uint64_t base, uint64_t limit)
{
    JsonObject *range = json_object_new();

    json_object_set_int_member(range, "base", base);
    json_object_set_int_member(range, "limit", limit);
    json_object_set_object_member(to, name, range);
}

static JsonArray *functions_on(PCIBus *bus);

static JsonObject *bridge_of(const PCIDevice *dev)
{
    JsonObject *info = json_object_new(), *bus = json_object_new();
    const uint8_t *config = dev->config;

    json_object_set_int_member(bus, "number", config[PCI_PRIMARY_BUS]);
    json_object_set_int_member(bus, "secondary", config[PCI_SECONDARY_BUS]);
    json_object_set_int_member(bus, "subordinate", config[PCI_SUBORDINATE_BUS]);
    add_range(bus, "io_range", io_window(dev, PCI_IO_BASE, PCI_IO_BASE_UPPER16),
              io_window(dev, PCI_IO_LIMIT, PCI_IO_LIMIT_UPPER16) | 0xfff);
    add_range(bus, "memory_range", memory_window(dev, PCI_MEMORY_BASE, 0),
              memory_window(dev, PCI_MEMORY_LIMIT, 0) | 0xfffff);
    add_range(bus, "prefetchable_range",
              memory_window(dev, PCI_PREF_MEMORY_BASE, PCI_PREF_BASE_UPPER32),
              memory_window(dev, PCI_PREF_MEMORY_LIMIT, PCI_PREF_LIMIT_UPPER32) |
                  0xfffff);
    json_object_set_object_member(info, "bus", bus);
    if (config[PCI_SECONDARY_BUS] && dev->secondary) {
        json_object_set_array_member(info, "devices", functions_on(dev->secondary));
    }
    return info;
}

static void add_function(PCIDevice *dev, void *array)
{
    JsonObject *info = json_object_new();
    unsigned pin = dev->config[PCI_INTERRUPT_PIN];

    json_object_set_int_member(info, "bus", pci_bus_number(dev->bus));
    json_object_set_int_member(info, "slot", PCI_SLOT(dev->devfn));
    json_object_set_int_member(info, "function", PCI_FUNC(dev->devfn));
    json_object_set_object_member(info, "class_info", class_of(dev));
    json_object_set_object_member(info, "id", id_of(dev));
    if (pin) {
        json_object_set_int_member(info, "irq", dev->config[PCI_INTERRUPT_LINE]);
    }
    json_object_set_int_member(info, "irq_pin", pin);
    json_object_set_string_member(info, "qdev_id",
                                  dev->device.id ? dev->device.id : "");
    if (dev->device.type->pci->bridge) {
        json_object_set_object_member(info, "pci_bridge", bridge_of(dev));
    }
    json_object_set_array_member(info, "regions", regions_of(dev));
    json_array_add_object_element(array, info);
}

static JsonArray *functions_on(PCIBus *bus)
{
    JsonArray *array = json_array_new();

    pci_bus_foreach(bus, add_function, array);
    return array;
}

static bool run_pci(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    PCIBus *root = monitor_machine()->pci;
    JsonArray *array = json_array_new();

    if (root) {
        JsonObject *info = json_object_new();

        memory_lock();
        json_object_set_int_member(info, "bus", pci_bus_number(root));
        json_object_set_array_member(info, "devices", functions_on(root));
        memory_unlock();
        json_array_add_object_element(array, info);
    }
    *result = qmp_array(array);
    return true;
}

const QMPCommand qmp_pci_commands[] = {
    { .name = "query-pci", .run = run_pci, .result = &root_list,
      .doc = "Buses of PCI, and the functions on them and behind their bridges, as the "
             "guest has set them up. A machine without PCI has none." },
    { 0 },
};
