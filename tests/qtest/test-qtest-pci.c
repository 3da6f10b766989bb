/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI on the board pc: what firmware and drivers do, and what they should not.
 */
#include <string.h>
#include <time.h>

#include "tests/qtest/qpci.h"

#define EDU_ID 0x010000ed
#define NOTHING 0xffffffffu
#define MEM_BASE 0xf0000000u

static QVM *vm;

/* ---- who is there --------------------------------------------------------------- */

START_TEST(functions_of_the_board)
{
    static const struct {
        unsigned slot, function;
        uint32_t id, class, header;
    } want[] = {
        { 0, 0, 0x12378086, 0x0600, 0x00 }, { 1, 0, 0x70008086, 0x0601, 0x80 },
        { 1, 3, 0x71138086, 0x0680, 0x00 },
    };
    unsigned found = 0;

    vm = qvm_start("-M pc -m 16 -nodefaults");
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        QPCI f = qpci_function(vm, 0, want[i].slot, want[i].function);

        expect_hex(qpci_read(&f, PCI_VENDOR_ID, 4), want[i].id);
        expect_hex(qpci_read(&f, PCI_CLASS_DEVICE, 2), want[i].class);
        expect_hex(qpci_read(&f, PCI_HEADER_TYPE, 1), want[i].header);
        expect_hex(qpci_read(&f, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    }
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned function = 0; function < 8; function++) {
            found += qpci_is_there(vm, 0, slot, function);
        }
    }
    expect(found == G_N_ELEMENTS(want), "%u functions", found);
    for (unsigned bus = 1; bus < 256; bus++) {
        expect(!qpci_is_there(vm, bus, 0, 0), "bus %u", bus);
    }
    qvm_end(vm);
}
END_TEST

START_TEST(address_and_data)
{
    vm = qvm_start("-M pc -m 16 -nodefaults");
    expect_hex(qvm_in(vm, 0xcf8, 4), 0);
    expect_hex(qvm_in(vm, 0xcfc, 4), NOTHING); /* not enabled */
    qvm_out(vm, 0xcf8, 0x80000000, 4);
    expect_hex(qvm_in(vm, 0xcf8, 4), 0x80000000);
    expect_hex(qvm_in(vm, 0xcfc, 4), 0x12378086);
    expect_hex(qvm_in(vm, 0xcfc, 2), 0x8086);
    expect_hex(qvm_in(vm, 0xcfd, 2), 0x3780);
    expect_hex(qvm_in(vm, 0xcfe, 2), 0x1237);
    expect_hex(qvm_in(vm, 0xcfc, 1), 0x86);
    expect_hex(qvm_in(vm, 0xcff, 1), 0x12);
    qvm_out(vm, 0xcf8, 0, 1); /* only a whole dword is the address */
    qvm_out(vm, 0xcfa, 0, 2);
    expect_hex(qvm_in(vm, 0xcf8, 4), 0x80000000);
    expect_hex(qvm_in(vm, 0xcf8, 1), 0xff);
    qvm_out(vm, 0xcf8, 0, 4);
    expect_hex(qvm_in(vm, 0xcfc, 2), 0xffff);
    /* Reset makes it 0 again. */
    qvm_out(vm, 0xcf8, 0x80000000, 4);
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_hex(qvm_in(vm, 0xcf8, 4), 0);
    qvm_end(vm);
}
END_TEST

/* ---- base address registers ----------------------------------------------------- */

START_TEST(bars)
{
    QPCI edu, dev;
    QPCIBar bar, ports, none;

    vm = qvm_start("-M pc -m 16 -nodefaults -device edu,addr=5 "
                   "-device pci-testdev,addr=6");
    edu = qpci_function(vm, 0, 5, 0);
    bar = qpci_bar(&edu, 0);
    expect(bar.size == 0x100000 && !bar.io && !bar.wide && !bar.prefetch, "BAR 0");
    for (unsigned n = 1; n <= QPCI_ROM; n++) {
        none = qpci_bar(&edu, n);
        expect(none.size == 0, "BAR %u", n);
    }
    expect_hex(qvm_load(vm, MEM_BASE, 4), NOTHING);
    qpci_map(&edu, &bar, MEM_BASE);
    expect_hex(qvm_load(vm, MEM_BASE, 4), EDU_ID);
    qvm_store(vm, MEM_BASE + 4, 0x12345678, 4);
    expect_hex(qvm_load(vm, MEM_BASE + 4, 4), (uint32_t)~0x12345678);
    qpci_map(&edu, &bar, 0xc0000000);
    expect_hex(qvm_load(vm, MEM_BASE, 4), NOTHING);
    expect_hex(qvm_load(vm, 0xc0000000, 4), EDU_ID);
    qpci_disable(&edu, PCI_COMMAND_MEMORY);
    expect_hex(qvm_load(vm, 0xc0000000, 4), NOTHING);
    qpci_enable(&edu, PCI_COMMAND_MEMORY);
    /* Below RAM nothing of it is seen, and RAM is as it was. */
    qvm_store(vm, 0x100000, 0x11223344, 4);
    qpci_map(&edu, &bar, 0x100000);
    expect_hex(qvm_load(vm, 0x100000, 4), 0x11223344);
    qpci_map(&edu, &bar, 16 << 20);
    expect_hex(qvm_load(vm, 16 << 20, 4), EDU_ID);

    dev = qpci_function(vm, 0, 6, 0);
    ports = qpci_bar(&dev, 1);
    expect(ports.size == 256 && ports.io, "BAR 1");
    qpci_map(&dev, &ports, 0xc000);
    qvm_out(vm, 0xc000, 0, 1); /* its first test */
    expect_hex(qvm_in(vm, 0xc001, 1), 1); /* says the width of its writes */
    qpci_map(&dev, &ports, 0xd000);
    expect_hex(qvm_in(vm, 0xc001, 1), 0xff);
    expect_hex(qvm_in(vm, 0xd001, 1), 1);
    qpci_disable(&dev, PCI_COMMAND_IO);
    expect_hex(qvm_in(vm, 0xd001, 1), 0xff);
    qvm_end(vm);
}
END_TEST

START_TEST(bar_of_64_bits)
{
    QPCI dev;
    QPCIBar bar;

    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-testdev,addr=6,membar=8G");
    dev = qpci_function(vm, 0, 6, 0);
    bar = qpci_bar(&dev, 2);
    expect(bar.size == UINT64_C(8) << 30 && bar.wide && bar.prefetch, "BAR 2");
    qpci_map(&dev, &bar, UINT64_C(16) << 30);
    g_autofree char *map = qvm_hmp(vm, "info mtree");
    expect(strstr(map, "0000000400000000-00000005ffffffff"), "%s", map);
    qvm_end(vm);
}
END_TEST

/* The file of the ROM: the signature, and then zeros. */
START_TEST(rom)
{
    g_autofree char *path = g_strdup("/tmp/flatview-rom-XXXXXX");
    int fd = g_mkstemp(path);
    QPCI edu;
    QPCIBar bar;

    expect(fd >= 0 && write(fd, "\x55\xaa\x08rom", 6) == 6 && ftruncate(fd, 5000) == 0,
           "%s", path);
    close(fd);
    vm = qvm_start("-M pc -m 16 -nodefaults -device edu,addr=5,romfile=%s", path);
    unlink(path);
    edu = qpci_function(vm, 0, 5, 0);
    bar = qpci_bar(&edu, QPCI_ROM);
    expect_hex(bar.size, 8192);
    qpci_map(&edu, &bar, MEM_BASE);
    expect_hex(qvm_load(vm, MEM_BASE, 4), 0x7208aa55);
    qvm_store(vm, MEM_BASE, 0, 4);
    expect_hex(qvm_load(vm, MEM_BASE, 4), 0x7208aa55);
    expect_hex(qvm_load(vm, MEM_BASE + 8188, 4), 0);
    expect_hex(qvm_load(vm, MEM_BASE + 8192, 4), NOTHING);
    qpci_write(&edu, PCI_ROM_ADDRESS, MEM_BASE, 4); /* not enabled */
    expect_hex(qvm_load(vm, MEM_BASE, 4), NOTHING);
    qvm_end(vm);
}
END_TEST

/* ---- bridges, capabilities, interrupts ------------------------------------------ */

START_TEST(behind_a_bridge)
{
    QPCI bridge, edu;
    QPCIBar bar;

    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-bridge,addr=4,id=b,chassis_nr=1 "
                   "-device edu,bus=b,addr=1f.0");
    bridge = qpci_function(vm, 0, 4, 0);
    expect(!qpci_is_there(vm, 1, 0x1f, 0), "before its bus has a number");
    qpci_set_bridge(&bridge, 1, MEM_BASE, 0x200000, 0xc000, 0x1000);
    edu = qpci_function(vm, 1, 0x1f, 0);
    bar = qpci_bar(&edu, 0);
    qpci_map(&edu, &bar, MEM_BASE + 0x100000);
    expect_hex(qvm_load(vm, MEM_BASE + 0x100000, 4), EDU_ID);
    qpci_map(&edu, &bar, MEM_BASE + 0x200000); /* outside the window */
    expect_hex(qvm_load(vm, MEM_BASE + 0x200000, 4), NOTHING);
    qpci_set_bridge(&bridge, 0xff, MEM_BASE + 0x200000, 0x100000, 0xc000, 0x1000);
    expect_hex(qvm_load(vm, MEM_BASE + 0x200000, 4), EDU_ID);
    expect(!qpci_is_there(vm, 1, 0x1f, 0) && qpci_is_there(vm, 0xff, 0x1f, 0),
           "its new number");
    g_autofree char *info = qvm_hmp(vm, "info pci");
    expect(strstr(info, "  Bus 255, device  31, function 0:") &&
           strstr(info, "BAR0: 32 bit memory at 0xf0200000 [0xf02fffff].") &&
           strstr(info, "memory range [0xf0200000, 0xf02fffff]"), "%s", info);
    qvm_end(vm);
}
END_TEST

START_TEST(master_and_pin)
{
    QPCI edu;
    QPCIBar bar;

    vm = qvm_start("-M pc -m 16 -nodefaults -device edu,id=e,addr=5");
    edu = qpci_function(vm, 0, 5, 0);
    expect(qpci_find_capability(&edu, PCI_CAP_ID_MSI), "no MSI");
    expect_hex(qpci_find_capability(&edu, PCI_CAP_ID_MSIX), 0);
    expect_hex(qpci_read(&edu, PCI_INTERRUPT_PIN, 1), 1);
    bar = qpci_bar(&edu, 0);
    qpci_map(&edu, &bar, MEM_BASE);
    qvm_store(vm, MEM_BASE + 0x60, 1, 4); /* its interrupt */
    expect_hex(qpci_read(&edu, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
               PCI_STATUS_INTERRUPT);
    qvm_store(vm, MEM_BASE + 0x64, 1, 4);
    expect_hex(qpci_read(&edu, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 0);
    qvm_end(vm);
}
END_TEST

START_TEST(places_and_errors)
{
    static const struct {
        const char *device, *error;
    } wrong[] = {
        { "'driver':'edu','addr':'1'", "PCI: slot 1 function 0 not available for edu, in "
                                       "use by PIIX3" },
        { "'driver':'edu','addr':'0.1'", "PCI: single function device can't be populated "
                                         "in function 0.1" },
        { "'driver':'edu','addr':'20'", "Property 'edu.addr' doesn't take value '20'" },
        { "'driver':'edu','bus':'x'", "Bus 'x' not found: there is pci.0" },
        { "'driver':'pvpanic','bus':'pci.0'", "Bus 'pci.0' not found: device 'pvpanic' "
                                              "is on none" },
        { "'driver':'edu','romfile':'/nonexistent/rom'", "failed to find romfile" },
        { "'driver':'edu','addr':'6.1'", "single function" },
    };

    vm = qvm_start("-M pc -m 16 -nodefaults -device edu,id=first,addr=6");
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *reply = qvm_qmp(
            vm, "{'execute':'device_add','arguments':{%s}}", wrong[i].device);

        expect(strstr(reply, wrong[i].error), "%s: %s", wrong[i].device, reply);
    }
    qvm_qmp_ok(vm, "{'execute':'device_add','arguments':{'driver':'edu','id':'e2',"
                   "'bus':'pci.0','addr':'0x7'}}");
    expect(qpci_is_there(vm, 0, 7, 0), "e2");
    qvm_end(vm);
}
END_TEST

/* ---- a guest that does anything ------------------------------------------------- */

static uint64_t seed;

static uint32_t dice(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 32;
}

START_TEST(hostile)
{
    static const uint8_t slots[] = { 0, 1, 4, 5, 6, 7 };
    unsigned steps = test_number("FLATVIEW_STEPS", 20000);

    seed = test_number("FLATVIEW_SEED", time(NULL));
    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-bridge,addr=4,id=b,chassis_nr=1 "
                   "-device edu,addr=5 -device pci-testdev,addr=6,membar=1G "
                   "-device pci-bridge,addr=7,id=c,chassis_nr=2 "
                   "-device edu,bus=b,addr=5 -device pci-testdev,bus=c,addr=6");
    for (unsigned n = 0; n < steps; n++) {
        QPCI f = { vm, dice() % 4 ? 0 : dice(),
                   slots[dice() % sizeof(slots)] << 3 | (dice() % 4 ? 0 : 3) };
        unsigned size = 1 << dice() % 3;
        unsigned addr = dice() % (dice() % 3 ? 0x60 : 256) & -size;
        uint32_t value = dice() % 3 ? dice() : dice() % 2 ? UINT32_MAX : 0;

        if (dice() % 4 == 0) {
            addr = PCI_COMMAND;
            value = dice() & 7;
        }
        if (dice() % 8) {
            qpci_write(&f, addr, value, size);
        } else {
            qpci_read(&f, addr, size);
        }
        if (n % 500 == 0) {
            g_free(qvm_qmp(vm, "{'execute':'query-pci'}"));
        }
    }
    expect(qvm_is_alive(vm), "it has ended");
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_hex(qvm_load(vm, 0x100000, 4), 0);
    g_autofree char *errors = qvm_errors(vm);
    expect(errors[0] == 0, "it says: %s", errors);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-pci", functions_of_the_board, address_and_data, bars, bar_of_64_bits,
          rom, behind_a_bridge, master_and_pin, places_and_errors, hostile)
