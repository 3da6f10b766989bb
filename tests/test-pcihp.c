/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hot plug by ACPI's registers where the test says when the main loop comes to what the
 * guest gave up: after the write, after a reset, after the end.
 */
#include "hw/acpi/pcihp.h"
#include "tests/pci-world.h"

#define REGISTERS 0x80000000u /* in memory, where functions reach them, too */
#define COPIER 0xf0000000u    /* where the test has its BAR */
#define FROM (COPIER + 0x0)   /* its registers */
#define TO (COPIER + 0x4)
#define LENGTH (COPIER + 0x8)
#define STATUS (COPIER + 0xc)
#define DONE 1

static PCIHotplug hotplug;
static unsigned events;

static void count(void *opaque)
{
    events++;
}

static void start(void)
{
    host_init();
    hotplug = (PCIHotplug){ .notify = count };
    events = 0;
    pcihp_init(&hotplug, &host_bus);
    memory_region_add_subregion(&machine->memory_root, REGISTERS, &hotplug.mr);
    host_prepare();
}

static void finish(void)
{
    memory_region_del_subregion(&machine->memory_root, &hotplug.mr);
    memory_region_destroy(&hotplug.mr);
    pcihp_cleanup(&hotplug);
    host_free();
}

static void out(uint64_t addr, uint32_t value)
{
    address_space_stl(&machine->memory, addr, value, MEMTXATTRS_UNSPECIFIED, NULL);
}

static void main_loop(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}

static bool is_there(unsigned slot)
{
    return config_in(PCI_DEVFN(slot, 0), 0, 4) != UINT32_MAX;
}

/* Not in the write itself, and once. */
START_TEST(later)
{
    start();
    host_plug("func,addr=3");
    host_plug("func,addr=4");
    expect_hex(events, 2);
    out(REGISTERS + PCIHP_EJECT, 1u << 3);
    out(REGISTERS + PCIHP_EJECT, 1u << 3 | 1u << 9);
    expect(is_there(3), "gone under the guest's hands");
    expect_hex(memory_in(REGISTERS + PCIHP_EJECT), 1u << 3);
    main_loop();
    expect(!is_there(3) && is_there(4), "the wrong one");
    expect_hex(memory_in(REGISTERS + PCIHP_EJECT), 0);
    host_plug("func,addr=3");
    main_loop();
    expect(is_there(3), "given up before it came");
    finish();
}
END_TEST

/* A reset does not wait for the main loop, which then finds nothing to do. */
START_TEST(reset)
{
    start();
    host_plug("func,addr=3");
    out(REGISTERS + PCIHP_EJECT, 1u << 3);
    pcihp_reset(&hotplug);
    expect(!is_there(3), "it was given up before the reset");
    expect_hex(memory_in(REGISTERS + PCIHP_EJECT), 0);
    host_plug("func,addr=3");
    main_loop();
    expect(is_there(3), "given up before it came");
    finish();
}
END_TEST

START_TEST(end)
{
    start();
    host_plug("func,addr=3");
    out(REGISTERS + PCIHP_EJECT, 1u << 3);
    finish();
    expect(!g_main_context_pending(NULL), "a slot of no machine is to be taken out");
}
END_TEST

/* By DMA, while its own callback runs. */
START_TEST(by_itself)
{
    start();
    host_plug("pci-copier,addr=5");
    config_out(PCI_DEVFN(5, 0), PCI_BASE_ADDRESS_0, COPIER, 4);
    config_out(PCI_DEVFN(5, 0), PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    out(0x100, 1u << 5);
    out(FROM, 0x100);
    out(TO, REGISTERS + PCIHP_EJECT);
    out(LENGTH, 4);
    expect_hex(memory_in(STATUS), DONE);
    expect(is_there(5), "gone in its own callback");
    main_loop();
    expect(!is_there(5), "it has given itself up");
    expect_hex(memory_in(STATUS), UINT32_MAX);
    finish();
}
END_TEST

TEST_MAIN("pcihp", later, reset, end, by_itself)
