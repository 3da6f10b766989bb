/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The example of docs/writing-a-device.md of a function on a PCI bus.
 */
#include "tests/pci-world.h"

#define BASE 0xf0000000

static void put(uint64_t addr, uint32_t value)
{
    expect(address_space_write(&machine->memory, addr, (uint8_t *)&value, 4) ==
           MEMTX_OK, "nothing at 0x%" PRIx64, addr);
}

START_TEST(copies)
{
    host_init();
    host_plug("pci-copier,addr=4");
    config_out(0x20, PCI_BASE_ADDRESS_0, BASE, 4);
    config_out(0x20, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    put(0x100, 0x12345678);
    put(BASE, 0x100);
    put(BASE + 4, 0x200);
    expect_hex(memory_in(BASE + 4), 0x200);
    put(BASE + 8, 4);
    expect_hex(memory_in(0x200), 0x12345678);
    expect_hex(memory_in(BASE + 0xc), 1);
    expect_hex(host_wires[0] & 1, 1); /* slot 4, INTA */
    put(BASE + 0xc, 1);
    expect_hex(host_wires[0] & 1, 0);
    host_free();
}
END_TEST

START_TEST(cannot_copy)
{
    PCIDevice *dev;

    host_init();
    dev = host_plug("pci-copier,addr=4");
    config_out(0x20, PCI_BASE_ADDRESS_0, BASE, 4);
    config_out(0x20, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    put(BASE + 8, 4); /* it is no master */
    expect_hex(memory_in(BASE + 0xc), 2);
    expect_hex(host_wires[0] & 1, 1);
    put(BASE + 0xc, 2);
    config_out(0x20, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    put(BASE + 8, 0x1001); /* more than it takes */
    expect_hex(memory_in(BASE + 0xc), 2);
    device_reset(&dev->device);
    expect_hex(host_wires[0] & 1, 0);
    expect_hex(config_in(0x20, PCI_BASE_ADDRESS_0, 4), 0);
    host_free();
}
END_TEST

TEST_MAIN("pci-copier", copies, cannot_copy)
