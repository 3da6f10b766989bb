/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bridges on the board pc: edu behind two of them, as firmware and a driver would use
 * it. What windows let through, address by address, is in tests/test-pci-bridge.c.
 */
#include <string.h>

#include "tests/qtest/qpci.h"

#define MMIO 0xf0100000u
#define RAM 0x100000u
#define MS 1000000ll

/* Registers of edu */
#define ID 0x00
#define INVERT 0x04
#define RAISE 0x60
#define ACK 0x64

static QVM *vm;
static QPCI outer, inner, edu;

/* pci.0 - 4: outer - 5: inner - 6: edu */
static void start(void)
{
    vm = qvm_start("-M pc -m 16 -nodefaults "
                   "-device pci-bridge,id=outer,addr=4,chassis_nr=1 "
                   "-device pci-bridge,id=inner,bus=outer,addr=5,chassis_nr=2 "
                   "-device edu,bus=inner,addr=6");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
}

static void set_up(void)
{
    QPCIBar bar;

    outer = qpci_function(vm, 0, 4, 0);
    qpci_set_bridge(&outer, 1, MMIO, 0x200000, 0x1000, 0x1000);
    qpci_write(&outer, PCI_SUBORDINATE_BUS, 2, 1);
    inner = qpci_function(vm, 1, 5, 0);
    qpci_set_bridge(&inner, 2, MMIO, 0x100000, 0x1000, 0x1000);
    edu = qpci_function(vm, 2, 6, 0);
    bar = qpci_bar(&edu, 0);
    qpci_map(&edu, &bar, MMIO);
    qpci_enable(&edu, PCI_COMMAND_MASTER);
}

START_TEST(found)
{
    start();
    expect(!qpci_is_there(vm, 1, 5, 0), "without a number of its bus");
    set_up();
    expect_hex(qpci_read(&edu, PCI_VENDOR_ID, 4), 0x11e81234);
    expect_hex(qvm_load(vm, MMIO + ID, 4), 0x010000ed);
    expect(!qpci_is_there(vm, 1, 6, 0) && !qpci_is_there(vm, 2, 5, 0) &&
           !qpci_is_there(vm, 3, 6, 0), "too many");
    qpci_write(&outer, PCI_SUBORDINATE_BUS, 1, 1);
    expect(!qpci_is_there(vm, 2, 6, 0), "beyond the last bus");
    qpci_write(&outer, PCI_SUBORDINATE_BUS, 2, 1);
    /* Other numbers. */
    qpci_write(&outer, PCI_SUBORDINATE_BUS, 0x80, 1);
    qpci_write(&inner, PCI_SECONDARY_BUS, 0x80, 1);
    qpci_write(&inner, PCI_SUBORDINATE_BUS, 0x80, 1);
    expect(qpci_is_there(vm, 0x80, 6, 0) && !qpci_is_there(vm, 2, 6, 0), "number 0x80");
    qvm_end(vm);
}
END_TEST

START_TEST(memory)
{
    start();
    set_up();
    qvm_store(vm, MMIO + INVERT, 0x1234, 4);
    expect_hex(qvm_load(vm, MMIO + INVERT, 4), ~0x1234u);
    qpci_disable(&outer, PCI_COMMAND_MEMORY);
    expect(qvm_load(vm, MMIO + ID, 4) != 0x010000ed, "through a closed bridge");
    qpci_enable(&outer, PCI_COMMAND_MEMORY);
    qpci_disable(&inner, PCI_COMMAND_MEMORY);
    expect(qvm_load(vm, MMIO + ID, 4) != 0x010000ed, "through a closed bridge");
    qpci_enable(&inner, PCI_COMMAND_MEMORY);
    expect_hex(qvm_load(vm, MMIO + INVERT, 4), ~0x1234u);
    /* The windows of video memory lead where VGA's bit says. */
    qpci_write(&outer, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_VGA, 2);
    expect_hex(qvm_load(vm, MMIO + ID, 4), 0x010000ed);
    qvm_end(vm);
}
END_TEST

START_TEST(masters)
{
    start();
    set_up();
    qpci_write(&edu, 0x44, RAM, 4); /* MSI */
    qpci_write(&edu, 0x4c, 0x4321, 2);
    qpci_write(&edu, 0x42, 1, 2);
    for (unsigned i = 0; i < 4; i++) {
        qvm_store(vm, RAM, 0, 4);
        (i & 1 ? qpci_enable : qpci_disable)(&outer, PCI_COMMAND_MASTER);
        (i & 2 ? qpci_enable : qpci_disable)(&inner, PCI_COMMAND_MASTER);
        qvm_store(vm, MMIO + RAISE, 1, 4);
        expect_hex(qvm_load(vm, RAM, 4), i == 3 ? 0x4321 : 0);
    }
    qvm_end(vm);
}
END_TEST

/* INTA of slot 6 is pin (0 + 6) % 4 of the inner bridge, that pin (2 + 5) % 4 of the
 * outer one; pin 3 of slot 4 leads to PIRQ (3 + 4 - 1) % 4, which is C. */
START_TEST(interrupts)
{
    QPCI piix3;

    start();
    set_up();
    piix3 = qpci_function(vm, 0, 1, 0);
    qpci_write(&piix3, 0x60, 0x0b0a0905, 4);
    for (unsigned i = 0; i < 2; i++) {
        qvm_store(vm, MMIO + RAISE, 1, 4);
        expect(qvm_irq(vm, 0xa) && !qvm_irq(vm, 5) && !qvm_irq(vm, 9) &&
               !qvm_irq(vm, 0xb), "not PIRQC alone");
        qvm_store(vm, MMIO + ACK, 1, 4);
        expect(!qvm_irq(vm, 0xa), "not lowered");
    }
    /* What is reset by its bus lets go of the wire. */
    qvm_store(vm, MMIO + RAISE, 1, 4);
    expect(qvm_irq(vm, 0xa), "no interrupt");
    qpci_write(&outer, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    expect(!qvm_irq(vm, 0xa), "after the reset");
    expect(!qpci_is_there(vm, 2, 6, 0), "the inner bridge has a number");
    qpci_write(&outer, PCI_BRIDGE_CONTROL, 0, 2);
    set_up();
    expect_hex(qvm_load(vm, MMIO + ID, 4), 0x010000ed);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-bridge", found, memory, masters, interrupts)
