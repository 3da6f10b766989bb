/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core of PCI, on a bus whose host is the test.
 */
#include "hw/core/machine.h"
#include "hw/pci/pci-host.h"
#include "tests/device-util.h"

/* ---- a function of everything ------------------------------------------------------ */

typedef struct Func {
    PCIDevice dev;
    MemoryRegion bars[PCI_BARS];
} Func;

static uint64_t bar_read(void *opaque, hwaddr addr, unsigned size)
{
    return (uintptr_t)opaque + addr;
}

static void bar_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
}

static const MemoryRegionOps bar_ops = { .read = bar_read, .write = bar_write };

static bool func_realize(PCIDevice *dev, GError **err)
{
    Func *f = (Func *)dev;

    dev->config[PCI_INTERRUPT_PIN] = 1;
    memory_region_init_io(&f->bars[0], &bar_ops, (void *)0x10, "mem32", 0x1000);
    pci_add_bar(dev, 0, 0, &f->bars[0]);
    memory_region_init_io(&f->bars[1], &bar_ops, (void *)0x20, "io", 0x20);
    pci_add_bar(dev, 1, PCI_BASE_ADDRESS_SPACE_IO, &f->bars[1]);
    return true;
}

static const Property func_properties[] = { PCI_DEVICE_PROPERTIES, { 0 } };

static const DeviceType func_type = {
    .name = "func", .description = "a function", .size = sizeof(Func),
    .properties = func_properties, .user_creatable = true, .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1234, .device_id = 0x5678,
                             .class_code = 0x00ff00, .revision = 3,
                             .realize = func_realize },
};

static PCIBus root;
static MemoryRegion pci_memory;
static int wires[PCI_PINS];

static void set_wire(void *opaque, unsigned wire, bool level)
{
    wires[wire] = level;
}

static const PCIBusOps bus_ops = { .set_irq = set_wire };

START_TEST(smoke)
{
    Device *dev;
    uint32_t v;

    test_machine_init();
    memory_region_init(&pci_memory, "pci", UINT64_MAX);
    memory_region_init(&test_machine.memory_root, "memory", UINT64_MAX);
    memory_region_add_subregion_overlap(&test_machine.memory_root, 0, &pci_memory, -1);
    address_space_init(&test_machine.memory, &test_machine.memory_root);
    pci_bus_init(&root, "pci.0", NULL, &bus_ops, NULL, &pci_memory, &test_machine.ports_root, &test_machine.memory_root);
    test_machine.pci = &root;
    dev = test_device_of(&func_type, NULL, "addr", "3", NULL);
    pci_host_write(&root, 0, 0x18, PCI_BASE_ADDRESS_0, UINT32_MAX, 4);
    expect_hex(pci_host_read(&root, 0, 0x18, PCI_BASE_ADDRESS_0, 4), 0xfffff000);
    pci_host_write(&root, 0, 0x18, PCI_BASE_ADDRESS_0, 0xf0000000, 4);
    pci_host_write(&root, 0, 0x18, PCI_COMMAND, 7, 2);
    address_space_read(&test_machine.memory, 0xf0000004, (void *)&v, 4);
    expect_hex(v, 0x14);
    expect_hex(pci_dma_read((PCIDevice *)dev, 0xf0000008, &v, 4), 0);
    expect_hex(v, 0x18);
    pci_set_irq((PCIDevice *)dev, true);
    expect_hex(wires[3], 1);
    test_machine_free();
}
END_TEST

TEST_MAIN("pci", smoke)
