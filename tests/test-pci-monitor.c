/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * query-pci and info pci: functions with every kind of BAR, bridges and what is behind
 * them, before and after a guest has set them up.
 */
#include <string.h>

#include "monitor/monitor.h"
#include "monitor/qapi.h"
#include "tests/pci-world.h"

/* Compare what info pci prints with @want, whose lines end as those of C. */
static void expect_info(const char *want)
{
    g_autofree char *raw = hmp_run("info pci", 0);
    g_auto(GStrv) lines = g_strsplit(raw, "\r\n", 0);
    g_autofree char *text = g_strjoinv("\n", lines);

    expect(strcmp(text, want) == 0, "it prints\n%s\nand not\n%s", text, want);
}

/* What query-pci returns, as JSON with ' for ". */
static void expect_query(const char *want)
{
    g_autoptr(JsonNode) result = NULL;
    g_autofree char *text = NULL;
    JsonObject *args = json_object_new();
    GError *err = NULL;

    expect(qmp_command_find("query-pci")->run(&(QMPCall){ NULL }, args, &result, &err),
           "query-pci");
    json_object_unref(args);
    text = json_to_string(result, FALSE);
    g_strdelimit(text, "\"", '\'');
    expect(strcmp(text, want) == 0, "it returns\n%s\nand not\n%s", text, want);
}

START_TEST(empty)
{
    host_init();
    monitor_set_machine(machine);
    expect_info("");
    expect_query("[{'bus':0,'devices':[]}]");
    machine->pci = NULL;
    expect_info("");
    expect_query("[]");
    host_free();
}
END_TEST

static void plug_all(void)
{
    host_init();
    monitor_set_machine(machine);
    func_recipe.bars[0] = (FuncBar){ 0x1000, 0 };
    func_recipe.bars[1] = (FuncBar){ 0x20, PCI_BASE_ADDRESS_SPACE_IO };
    func_recipe.bars[4] = (FuncBar){ UINT64_C(1) << 33, PCI_BASE_ADDRESS_MEM_TYPE_64 |
                                                        PCI_BASE_ADDRESS_MEM_PREFETCH };
    func_recipe.pin = 3;
    host_plug("func,addr=2,id=f");
    host_plug("test-bridge,addr=3,id=b");
    memset(&func_recipe, 0, sizeof(func_recipe));
    host_plug("other-func,bus=b,addr=1f.7,romfile=");
}

START_TEST(not_set_up)
{
    plug_all();
    expect_info("  Bus  0, device   2, function 0:\n"
                "    USB controller: PCI device 1234:5678\n"
                "      PCI subsystem 1af4:1100\n"
                "      IRQ 0, pin C\n"
                "      BAR0: 32 bit memory at 0xffffffffffffffff [0x00000ffe].\n"
                "      BAR1: I/O at 0xffffffffffffffff [0x001e].\n"
                "      BAR4: 64 bit prefetchable memory at 0xffffffffffffffff "
                "[0x1fffffffe].\n"
                "      id \"f\"\n"
                "  Bus  0, device   3, function 0:\n"
                "    PCI bridge: PCI device 1234:0001\n"
                "      IRQ 0, pin A\n"
                "      BUS 0.\n"
                "      secondary bus 0.\n"
                "      subordinate bus 0.\n"
                "      IO range [0x0000, 0x0fff]\n"
                "      memory range [0x00000000, 0x000fffff]\n"
                "      prefetchable memory range [0x00000000, 0x000fffff]\n"
                "      id \"b\"\n");
    host_free();
}
END_TEST

static void set_up(void)
{
    uint8_t *bridge = host_bus.devices[0x18]->config;

    config_out(0x10, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 2);
    config_out(0x10, PCI_BASE_ADDRESS_0, 0xfebf0000, 4);
    config_out(0x10, PCI_BASE_ADDRESS_1, 0xc000, 4);
    config_out(0x10, PCI_BASE_ADDRESS_5, 0x12, 4);
    config_out(0x10, PCI_INTERRUPT_LINE, 11, 1);
    config_out(0x18, PCI_PRIMARY_BUS, 0x070500, 4);
    bridge[PCI_IO_BASE] = 0xc1; /* of 32 bits */
    bridge[PCI_IO_LIMIT] = 0xd1;
    pci_set_word(bridge + PCI_IO_BASE_UPPER16, 0x12);
    pci_set_word(bridge + PCI_IO_LIMIT_UPPER16, 0x34);
    pci_set_word(bridge + PCI_MEMORY_BASE, 0xfe80);
    pci_set_word(bridge + PCI_MEMORY_LIMIT, 0xfe9f);
    pci_set_word(bridge + PCI_PREF_MEMORY_BASE, 0xfff1); /* of 64 */
    pci_set_word(bridge + PCI_PREF_MEMORY_LIMIT, 0x0001);
    pci_set_long(bridge + PCI_PREF_BASE_UPPER32, 0x80000000);
    pci_set_long(bridge + PCI_PREF_LIMIT_UPPER32, 0x1);
}

START_TEST(set_up_by_a_guest)
{
    plug_all();
    set_up();
    expect_info("  Bus  0, device   2, function 0:\n"
                "    USB controller: PCI device 1234:5678\n"
                "      PCI subsystem 1af4:1100\n"
                "      IRQ 11, pin C\n"
                "      BAR0: 32 bit memory at 0xfebf0000 [0xfebf0fff].\n"
                "      BAR1: I/O at 0xc000 [0xc01f].\n"
                "      BAR4: 64 bit prefetchable memory at 0x1200000000 "
                "[0x13ffffffff].\n"
                "      id \"f\"\n"
                "  Bus  0, device   3, function 0:\n"
                "    PCI bridge: PCI device 1234:0001\n"
                "      IRQ 0, pin A\n"
                "      BUS 0.\n"
                "      secondary bus 5.\n"
                "      subordinate bus 7.\n"
                "      IO range [0x12c000, 0x34dfff]\n"
                "      memory range [0xfe800000, 0xfe9fffff]\n"
                "      prefetchable memory range [0x80000000fff00000, 0x1000fffff]\n"
                "      id \"b\"\n"
                "  Bus  5, device  31, function 7:\n"
                "    USB controller: PCI device 1111:2222\n"
                "      PCI subsystem 3333:4444\n"
                "      id \"\"\n");
    host_free();
}
END_TEST

START_TEST(query)
{
    plug_all();
    set_up();
    expect_query(
        "[{'bus':0,'devices':[{'bus':0,'slot':2,'function':0,"
        "'class_info':{'desc':'USB controller','class':3075},"
        "'id':{'device':22136,'vendor':4660,'subsystem':4352,'subsystem-vendor':6900},"
        "'irq':11,'irq_pin':3,'qdev_id':'f','regions':["
        "{'bar':0,'type':'memory','address':4273930240,'size':4096,'prefetch':false,"
        "'mem_type_64':false},"
        "{'bar':1,'type':'io','address':49152,'size':32},"
        "{'bar':4,'type':'memory','address':77309411328,'size':8589934592,"
        "'prefetch':true,'mem_type_64':true}]},"
        "{'bus':0,'slot':3,'function':0,"
        "'class_info':{'desc':'PCI bridge','class':1540},"
        "'id':{'device':1,'vendor':4660},"
        "'irq':0,'irq_pin':1,'qdev_id':'b','pci_bridge':{"
        "'bus':{'number':0,'secondary':5,'subordinate':7,"
        "'io_range':{'base':1228800,'limit':3465215},"
        "'memory_range':{'base':4269801472,'limit':4271898623},"
        "'prefetchable_range':{'base':-9223372032560857088,'limit':4296015871}},"
        "'devices':[{'bus':5,'slot':31,'function':7,"
        "'class_info':{'desc':'USB controller','class':3075},"
        "'id':{'device':8738,'vendor':4369,'subsystem':17476,'subsystem-vendor':13107},"
        "'irq_pin':0,'qdev_id':'','regions':[]}]},'regions':[]}]}]");
    /* Not where nothing is mapped, nor of a class without a name. */
    config_out(0x10, PCI_COMMAND, 0, 2);
    host_bus.devices[0x10]->config[PCI_CLASS_DEVICE] = 0xff;
    g_autofree char *text = hmp_run("info pci", 0);
    expect(strstr(text, "    Class 3327: PCI device 1234:5678\r\n") &&
           strstr(text, "BAR1: I/O at 0xffffffffffffffff [0x001e]."), "%s", text);
    host_free();
}
END_TEST

static const DeviceType host_type = { .name = "host", .size = sizeof(Device) };

START_TEST(tree_of_devices)
{
    static const char *const lines[] = {
        "  dev: host, id \"\"\r\n",
        "    bus: pci.0\r\n      type PCI\r\n      dev: func, id \"f\"\r\n",
        "        addr = \"02.0\"\r\n        bus = \"pci.0\"\r\n",
        "        class USB controller, addr 00:02.0, pci id 1234:5678 (sub 1af4:1100)\r\n"
        "        bar 0: mem at 0xfebf0000 [0xfebf0fff]\r\n"
        "        bar 1: i/o at 0xc000 [0xc01f]\r\n"
        "        bar 4: mem at 0x1200000000 [0x13ffffffff]\r\n"
        "      dev: test-bridge, id \"b\"\r\n",
        "        class PCI bridge, addr 00:03.0, pci id 1234:0001 (sub 0000:0000)\r\n"
        "        bus: b\r\n          type PCI\r\n          dev: other-func, id \"\"\r\n",
        "            addr = \"1f.7\"\r\n            bus = \"b\"\r\n",
        "            class USB controller, addr 05:1f.7, pci id 1111:2222 (sub "
        "3333:4444)\r\n",
    };
    g_autofree char *text = NULL;
    const char *at;
    Device *host;

    plug_all();
    set_up();
    text = hmp_run("info qtree", 0);
    /* Without a device that is the host there is no place for the bus. */
    expect(strcmp(text, "bus: main-system-bus\r\n  type System\r\n") == 0, "%s", text);
    host = device_new(&host_type, NULL);
    object_remove(&host_bus.object);
    expect(device_realize(host, NULL), "host");
    object_add(&host->object, "/machine", "bridge");
    object_add(&host_bus.object, "/machine/bridge", "pci.0");
    g_ptr_array_insert(machine->devices, 0, host);
    g_free(text);
    text = hmp_run("info qtree", 0);
    at = text;
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        at = strstr(at, lines[i]);
        expect(at, "'%s' is not in its place in\n%s", lines[i], text);
    }
    g_ptr_array_remove_index(machine->devices, 0);
    object_remove(&host->object); /* and the bus that is below */
    expect(!host_bus.object.parent, "the bus is in the tree still");
    device_free(host);
    host_free();
}
END_TEST

TEST_MAIN("pci-monitor", empty, not_set_up, set_up_by_a_guest, query, tree_of_devices)
