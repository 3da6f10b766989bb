/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions and buses: where a function is put, who finds it, the ports of a host
 * bridge, and coming and going while the machine runs.
 */
#include <pthread.h>
#include <string.h>

#include "hw/pci/pci-host.h"
#include "tests/pci-world.h"
#include "vm-event.h"

#define NOTHING 0xffffffffu

/* ---- a place -------------------------------------------------------------------- */

START_TEST(places)
{
    host_init();
    expect_hex(host_plug("func,addr=1")->devfn, 0x08);
    expect_hex(host_plug("func")->devfn, 0x00);
    expect_hex(host_plug("func")->devfn, 0x10);
    expect_hex(host_plug("func,addr=0x1f.0x7")->devfn, 0xff);
    expect_hex(host_plug("func,addr=3.1")->devfn, 0x19); /* 0 may come later, */
    expect_hex(host_plug("func")->devfn, 0x20); /* and is nobody else's */
    expect_hex(host_plug("func,addr=3.0,multifunction=on")->devfn, 0x18);
    expect_hex(host_plug("func,addr=03.2,bus=pci.0")->devfn, 0x1a);
    host_free();
}
END_TEST

START_TEST(places_refused)
{
    static const char *const wrong[] = {
        "20", "1f.8", "3.", ".1", "3.1.1", "zz", "-1", "3 ", " 3", "0x", "3.x", "",
        "123456789012345678901", "3.-1", "+3",
    };

    host_init();
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *text = g_strdup_printf("func,addr=%s", wrong[i]);
        g_autofree char *value = g_strdup_printf("take value '%s'", wrong[i]);

        host_refuse(text, "Property 'func.addr' doesn't", value, NULL);
    }
    host_plug("func,addr=3,id=there");
    host_plug("func,addr=4.1");
    host_refuse("other-func,addr=3,romfile=", "device 'other-func'",
                "PCI: slot 3 function 0 not available for other-func, in use by "
                "func,id=there", NULL);
    host_refuse("func,addr=4.1", "PCI: slot 4 function 1 not available for func, in "
                "use by func", NULL);
    host_refuse("func,addr=3.7", "PCI: single function device can't be populated in "
                "function 3.7", NULL);
    host_refuse("func,addr=4.0", "PCI: 4.0 indicates single function, but 4.1 is "
                "already populated", NULL);
    host_refuse("func,bus=nowhere", "Bus 'nowhere' not found", "pci.0", NULL);
    for (unsigned slot = 0; slot < PCI_SLOTS - 2; slot++) {
        host_plug("func");
    }
    host_refuse("func", "PCI: no slot/function available for func, all in use",
                "'pci.0'", NULL);
    host_free();
}
END_TEST

START_TEST(no_bus)
{
    host_init();
    machine->pci = NULL;
    host_refuse("func", "No 'PCI' bus found for device 'func'", NULL);
    host_free();
}
END_TEST

START_TEST(realize_fails)
{
    host_init();
    func_recipe.bars[0].size = 0x100;
    func_recipe.fails = true;
    host_refuse("func,addr=3", "device 'func': bad luck", NULL);
    expect(!host_bus.devices[0x18] && !host_unrealized, "it left something behind");
    func_recipe.fails = false;
    host_plug("func,addr=3");
    host_free();
    expect_hex(host_unrealized, 1);
}
END_TEST

/* ---- buses ---------------------------------------------------------------------- */

static void count(PCIDevice *dev, void *opaque)
{
    unsigned *last = opaque;

    expect(dev->devfn >= *last, "not in order");
    *last = dev->devfn + 1;
}

START_TEST(buses_by_name)
{
    PCIDevice *b1, *b2;
    GError *err = NULL;
    unsigned last = 0;

    host_init();
    host_plug("func,addr=1f");
    b1 = host_plug("test-bridge,id=b1,addr=2");
    b2 = host_plug("test-bridge,id=b2,addr=2,bus=b1");
    expect(pci_bus_find(&host_bus, NULL, &err) == &host_bus, "the root");
    expect(pci_bus_find(&host_bus, "pci.0", &err) == &host_bus, "pci.0");
    expect(pci_bus_find(&host_bus, "b2", &err) == pci_bridge_bus(b2), "b2");
    expect(!pci_bus_find(&host_bus, "b3", &err), "b3");
    expect(strcmp(err->message, "Bus 'b3' not found: there is pci.0, b1, b2") == 0,
           "%s", err->message);
    g_clear_error(&err);
    expect_hex(host_plug("func,bus=b2,addr=5")->devfn, 0x28);
    expect(pci_bridge_bus(b2)->devices[0x28], "behind b2");
    expect(!pci_bridge_bus(host_bus.devices[0xf8]), "a function is no bridge");
    pci_bus_foreach(&host_bus, count, &last);
    expect_hex(last, 0xf9);
    /* In the tree of objects, */
    expect(object_resolve("/machine/peripheral/b1/b1", NULL) ==
           &pci_bridge_bus(b1)->object, "its bus");
    expect(object_resolve("/machine/host/pci.0", NULL) == &host_bus.object, "root");
    host_free();
    /* and out of it. */
    expect(!object_resolve("/machine", NULL), "/machine");
}
END_TEST

START_TEST(buses_by_number)
{
    PCIDevice *b1, *b2, *b3, *at;

    host_init();
    b1 = host_plug("test-bridge,id=b1,addr=1");
    b2 = host_plug("test-bridge,id=b2,addr=2,bus=b1");
    b3 = host_plug("test-bridge,id=b3,addr=3");
    at = host_plug("func,bus=b2,addr=4");
    host_plug("func,bus=b3,addr=4");
    expect(!pci_find_function(&host_bus, 1, 0x10), "bridges before they are told");
    config_out(0x08, PCI_PRIMARY_BUS, 0x040100, 4); /* 1 to 4 */
    pci_host_write(&host_bus, 1, 0x10, PCI_PRIMARY_BUS, 0x030201, 4); /* 2 to 3 */
    config_out(0x18, PCI_PRIMARY_BUS, 0x050500, 4);
    expect(pci_find_function(&host_bus, 1, 0x10) == b2, "1:2.0");
    expect(pci_find_function(&host_bus, 2, 0x20) == at, "2:4.0");
    expect(pci_find_function(&host_bus, 5, 0x20), "5:4.0");
    expect(!pci_find_function(&host_bus, 3, 0x20), "3 is nobody's");
    expect(!pci_find_function(&host_bus, 4, 0x20), "4 is nobody's");
    expect(!pci_find_function(&host_bus, 6, 0x20), "6 is nobody's");
    expect(pci_bus_number(&host_bus) == 0 && pci_bus_number(at->bus) == 2 &&
           pci_bus_number(pci_bridge_bus(b3)) == 5, "numbers");
    expect_hex(pci_host_read(&host_bus, 2, 0x20, 0, 4), 0x56781234);
    expect_hex(pci_host_read(&host_bus, 2, 0x28, 0, 4), NOTHING);
    /* Two bridges of the same number: the first one's, though nothing is there. One
     * that begins at a higher number lets nothing through, wherever it ends; and the
     * highest number that it lets through is looked for behind it. */
    config_out(0x18, PCI_PRIMARY_BUS, 0x020200, 4);
    expect(pci_find_function(&host_bus, 2, 0x20) == at, "the first bridge's");
    config_out(0x08, PCI_PRIMARY_BUS, 0x020100, 4);
    expect(pci_find_function(&host_bus, 2, 0x20) == at, "the subordinate bus");
    config_out(0x08, PCI_PRIMARY_BUS, 0x040300, 4);
    expect(pci_find_function(&host_bus, 2, 0x20) == b3->secondary->devices[0x20],
           "past a bridge that begins higher");
    /* Whatever is in the registers of the three. */
    for (unsigned i = 0; i < 20000; i++) {
        b1->config[PCI_SECONDARY_BUS] = i * 7;
        b1->config[PCI_SUBORDINATE_BUS] = i * 11 >> 3;
        b2->config[PCI_SECONDARY_BUS] = i * 13;
        b2->config[PCI_SUBORDINATE_BUS] = i * 17 >> 5;
        b3->config[PCI_SECONDARY_BUS] = i * 3;
        b3->config[PCI_SUBORDINATE_BUS] = i;
        for (unsigned number = 0; number < 256; number += 15) {
            pci_find_function(&host_bus, number, 0x20);
        }
        expect(pci_find_function(&host_bus, 0, 0x08) == b1, "bus 0 is the root");
    }
    host_free();
}
END_TEST

/* ---- the host's ports ----------------------------------------------------------- */

static unsigned port_get(unsigned port, unsigned size)
{
    uint32_t value = 0;

    address_space_read(&machine->ports, port, (uint8_t *)&value, size);
    return value;
}

static void port_put(unsigned port, uint32_t value, unsigned size)
{
    address_space_write(&machine->ports, port, (uint8_t *)&value, size);
}

static uint8_t reset_control;

static uint8_t reset_read(void *opaque)
{
    return *(uint8_t *)opaque;
}

static void reset_write(void *opaque, uint8_t value)
{
    *(uint8_t *)opaque = value;
}

static PCIHost host;

static void host_ports_init(void)
{
    host_init();
    memset(&host, 0, sizeof(host));
    pci_host_init(&host, &host_bus);
    memory_region_add_subregion(&machine->ports_root, 0xcf8, &host.address_region);
    memory_region_add_subregion(&machine->ports_root, 0xcfc, &host.data_region);
}

static void host_ports_free(void)
{
    memory_region_del_subregion(&machine->ports_root, &host.address_region);
    memory_region_del_subregion(&machine->ports_root, &host.data_region);
    memory_region_destroy(&host.address_region);
    memory_region_destroy(&host.data_region);
    host_free();
}

START_TEST(config_address)
{
    host_ports_init();
    expect_hex(port_get(0xcf8, 4), 0);
    port_put(0xcf8, NOTHING, 4);
    expect_hex(port_get(0xcf8, 4), 0x80fffffc);
    port_put(0xcf8, 0x80001844, 4);
    /* Narrower ones do not reach it. */
    for (unsigned byte = 0; byte < 4; byte++) {
        port_put(0xcf8 + byte, 0, 1);
        expect_hex(port_get(0xcf8 + byte, 1), 0xff);
        if (byte < 3) {
            port_put(0xcf8 + byte, 0, 2);
            expect_hex(port_get(0xcf8 + byte, 2), 0xffff);
        }
    }
    expect_hex(port_get(0xcf8, 4), 0x80001844);
    /* The reset control register is past it. */
    host.reset_control_opaque = &reset_control;
    host.reset_control_read = reset_read;
    host.reset_control_write = reset_write;
    port_put(0xcf9, 0x02, 1);
    expect_hex(reset_control, 0x02);
    expect_hex(port_get(0xcf9, 1), 0x02);
    expect_hex(port_get(0xcf9, 2), 0xff02);
    port_put(0xcf9, 0x1104, 2);
    expect_hex(reset_control, 0x04);
    port_put(0xcf8, 0x8000ffff, 4);
    port_put(0xcf8, 0xffff, 2);
    port_put(0xcfa, 0xffff, 2);
    port_put(0xcfb, 0xff, 1);
    expect_hex(reset_control, 0x04);
    expect_hex(port_get(0xcf8, 1), 0xff);
    expect_hex(port_get(0xcfa, 2), 0xffff);
    expect_hex(port_get(0xcf8, 4), 0x8000fffc);
    host_ports_free();
}
END_TEST

START_TEST(config_data)
{
    PCIDevice *dev, *bridge, *behind;

    host_ports_init();
    dev = host_plug("func,addr=3.1");
    bridge = host_plug("test-bridge,id=b,addr=4");
    behind = host_plug("func,bus=b,addr=5");
    bridge->config[PCI_SECONDARY_BUS] = bridge->config[PCI_SUBORDINATE_BUS] = 9;
    for (unsigned i = 0; i < 8; i++) {
        dev->config[0x40 + i] = 0x10 + i;
        dev->wmask[0x40 + i] = 0xff;
        behind->config[0x40 + i] = 0xa0 + i;
    }
    port_put(0xcf8, 0x80001940, 4);
    expect_hex(port_get(0xcfc, 4), 0x13121110);
    for (unsigned byte = 0; byte < 4; byte++) {
        expect_hex(port_get(0xcfc + byte, 1), 0x10 + byte);
    }
    for (unsigned byte = 0; byte < 3; byte++) {
        expect_hex(port_get(0xcfc + byte, 2), 0x1110 + byte * 0x101);
    }
    port_put(0xcfd, 0x55, 1);
    expect_hex(port_get(0xcfc, 4), 0x13125510);
    port_put(0xcfe, 0x7766, 2);
    expect_hex(port_get(0xcfc, 4), 0x77665510);
    port_put(0xcfd, 0x9988, 2);
    expect_hex(port_get(0xcfc, 4), 0x77998810);
    port_put(0xcfc, 0x04030201, 4);
    expect_hex(port_get(0xcfc, 4), 0x04030201);
    expect_hex(pci_get_long(dev->config + 0x44), 0x17161514);
    port_put(0xcf8, 0x80092840, 4); /* behind the bridge */
    expect_hex(port_get(0xcfc, 4), 0xa3a2a1a0);
    port_put(0xcf8, 0x80082840, 4); /* no such bus */
    expect_hex(port_get(0xcfc, 4), NOTHING);
    expect_hex(port_get(0xcfe, 1), 0xff);
    port_put(0xcf8, 0x00001940, 4); /* not enabled */
    expect_hex(port_get(0xcfc, 4), NOTHING);
    port_put(0xcfc, 0, 4);
    expect_hex(pci_get_long(dev->config + 0x40), 0x04030201);
    host_ports_free();
}
END_TEST

/* ---- hot plug ------------------------------------------------------------------- */

static GString *calls;

static void note(const char *what, const PCIDevice *dev)
{
    g_string_append_printf(calls, "%s %x.%x ", what, PCI_SLOT(dev->devfn),
                           PCI_FUNC(dev->devfn));
}

static void plugged(void *opaque, PCIDevice *dev)
{
    expect(opaque == &calls && dev->bus->devices[dev->devfn] == dev, "plugged");
    note("plugged", dev);
}

static bool may_be_asked;

static bool unplug_request(void *opaque, PCIDevice *dev, GError **err)
{
    note("asked", dev);
    if (!may_be_asked) {
        g_set_error(err, FLATVIEW_ERROR, 0, "the guest sleeps");
    }
    return may_be_asked;
}

static void unplugged(void *opaque, PCIDevice *dev)
{
    expect(dev->bus->devices[dev->devfn] == dev, "it has gone already");
    note("unplugged", dev);
}

static const PCIHotplugOps hotplug_ops = { plugged, unplug_request, unplugged };

static void on_event(const VMEvent *event, void *opaque)
{
    if (event->kind == VM_EVENT_DEVICE_DELETED) {
        g_string_append_printf(calls, "deleted %s ",
                               event->device ? event->device : event->path);
    }
}

static void hotplug_init(void)
{
    host_init();
    host_bus.hotplug = &hotplug_ops;
    host_bus.hotplug_opaque = &calls;
    calls = g_string_new(NULL);
    may_be_asked = true;
    vm_event_listen(on_event, NULL);
}

static void hotplug_free(void)
{
    vm_event_unlisten(on_event, NULL);
    host_free();
    g_string_free(calls, TRUE);
}

static void expect_calls(const char *want)
{
    expect(strcmp(calls->str, want) == 0, "'%s', not '%s'", calls->str, want);
    g_string_truncate(calls, 0);
}

static void unplug(const char *id)
{
    GError *err = NULL;

    expect(machine_unplug(machine, id, &err), "%s", err->message);
}

static void unplug_refused(const char *id, const char *first, const char *second)
{
    GError *err = NULL;

    expect(!machine_unplug(machine, id, &err), "%s goes", id);
    expect(strstr(err->message, first) && strstr(err->message, second), "%s",
           err->message);
    g_error_free(err);
}

START_TEST(in_and_out)
{
    PCIDevice *dev;

    hotplug_init();
    host_plug("func,id=first,addr=1");
    host_prepare();
    expect_calls(""); /* what was there from the start is no news */
    func_recipe.bars[0].size = 0x1000;
    dev = host_plug("func,id=late,addr=2");
    expect_calls("plugged 2.0 ");
    expect_hex(((Func *)dev)->resets, 1);
    config_out(0x10, PCI_BASE_ADDRESS_0, 0xf0000000, 4);
    config_out(0x10, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    unplug("late");
    expect_calls("asked 2.0 ");
    expect(config_in(0x10, 0, 4) != NOTHING, "it has gone");
    unplug("late"); /* once more: the guest may have missed it */
    expect_calls("asked 2.0 ");
    expect_hex(memory_in(0xf0000000), bar_value(0x10, 0, 0));
    pci_device_unplug(dev);
    expect_calls("unplugged 2.0 deleted late ");
    expect_hex(memory_in(0xf0000000), NOTHING);
    expect_hex(config_in(0x10, 0, 4), NOTHING);
    expect_hex(host_unrealized, 1);
    expect(!object_resolve("/machine/peripheral/late", NULL), "in the tree");
    host_plug("func,id=late,addr=2");
    expect_calls("plugged 2.0 ");
    unplug("first"); /* this can go, too */
    pci_device_unplug(host_bus.devices[0x08]);
    expect_calls("asked 1.0 unplugged 1.0 deleted first ");
    hotplug_free();
}
END_TEST

START_TEST(cannot_come_or_go)
{
    hotplug_init();
    host_plug("func,id=there,addr=1");
    host_plug("fixed-func,id=fixed,addr=3,multifunction=on");
    host_plug("func,id=beside,addr=3.1");
    host_prepare();
    unplug_refused("fixed", "'fixed-func'", "does not support hotplugging");
    unplug_refused("beside", "shares slot 3", "'fixed-func'");
    expect_calls("");
    host_refuse("fixed-func", "does not support hotplugging", NULL);
    /* Nobody who looks at function 0 would find it. */
    host_plug("func,id=multi,addr=5,multifunction=on");
    expect_calls("plugged 5.0 ");
    host_refuse("func,addr=5.1", "PCI: slot 5 function 0 already occupied by func, "
                "new func func cannot be exposed to guest", NULL);
    may_be_asked = false;
    unplug_refused("there", "the guest sleeps", "");
    expect_calls("asked 1.0 ");
    host_bus.hotplug = NULL;
    unplug_refused("there", "Bus 'pci.0' does not support hotplugging", "");
    host_refuse("func", "Bus 'pci.0' does not support hotplugging", NULL);
    expect_calls("");
    hotplug_free();
}
END_TEST

START_TEST(slots_go_whole)
{
    hotplug_init();
    host_prepare();
    host_plug("func,id=f3,addr=2.3");
    host_plug("func,addr=2.1");
    host_plug("func,id=f0,addr=2.0,multifunction=on");
    expect_calls("plugged 2.3 plugged 2.1 plugged 2.0 ");
    unplug("f3");
    expect_calls("asked 2.3 ");
    pci_device_unplug(host_bus.devices[0x13]);
    expect_calls("unplugged 2.0 deleted f0 unplugged 2.1 "
                 "deleted /machine/peripheral-anon/device[0] unplugged 2.3 "
                 "deleted f3 ");
    for (unsigned devfn = 0x10; devfn < 0x18; devfn++) {
        expect(!host_bus.devices[devfn], "%x", devfn);
    }
    hotplug_free();
}
END_TEST

START_TEST(what_is_behind_goes_first)
{
    PCIDevice *dev;

    hotplug_init();
    host_plug("test-bridge,id=b1,addr=1");
    host_plug("test-bridge,id=b2,addr=2,bus=b1");
    func_recipe.pin = 1;
    dev = host_plug("func,id=deep,bus=b2,addr=3");
    host_plug("fixed-func,id=near,bus=b1,addr=4");
    host_prepare();
    dev->bus->hotplug = NULL; /* nobody there to be told */
    pci_set_irq(dev, true);
    expect_hex(host_wires[(3 + 2 + 1) % 4], 17);
    host_plug("func,id=late,bus=b1,addr=5");
    host_refuse("func,bus=b2", "Bus 'b2' does not support hotplugging", NULL);
    g_string_truncate(calls, 0);
    pci_device_unplug(host_bus.devices[0x08]);
    expect_calls("deleted deep unplugged 2.0 deleted b2 unplugged 4.0 deleted near "
                 "unplugged 5.0 deleted late unplugged 1.0 deleted b1 ");
    expect_hex(host_wires[(3 + 2 + 1) % 4], 32);
    expect_hex(machine->devices->len, 0);
    expect_hex(host_unrealized, 203);
    hotplug_free();
}
END_TEST

/* What a vCPU reads meanwhile is the function's, or nobody's. */
static void *reader(void *stop)
{
    while (!__atomic_load_n((bool *)stop, __ATOMIC_RELAXED)) {
        uint32_t value = memory_in(0xf0000000);

        expect(value == NOTHING || value == bar_value(0x10, 0, 0), "it reads 0x%x",
               value);
    }
    return NULL;
}

START_TEST(while_others_access_it)
{
    pthread_t thread;
    bool stop = false;

    hotplug_init();
    host_prepare();
    func_recipe.bars[0].size = 0x1000;
    expect(pthread_create(&thread, NULL, reader, &stop) == 0, "a thread");
    for (unsigned i = 0; i < 300; i++) {
        PCIDevice *dev = host_plug("func,addr=2");

        memory_lock();
        config_out(0x10, PCI_BASE_ADDRESS_0, 0xf0000000, 4);
        config_out(0x10, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
        memory_unlock();
        if (i % 4 == 0) {
            memory_lock();
            config_out(0x10, PCI_BASE_ADDRESS_0, 0xf0001000, 4);
            memory_unlock();
        }
        memory_lock();
        pci_device_unplug(dev);
        memory_unlock();
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    hotplug_free();
}
END_TEST

START_TEST(the_end_of_the_machine)
{
    hotplug_init();
    host_plug("test-bridge,id=b1,addr=1");
    host_plug("func,bus=b1,addr=2");
    host_prepare();
    vm_event_unlisten(on_event, NULL);
    host_free(); /* in the reverse order */
    expect_calls("unplugged 2.0 unplugged 1.0 ");
    g_string_free(calls, TRUE);
}
END_TEST

TEST_MAIN("pci-bus", places, places_refused, no_bus, realize_fails, buses_by_name,
          buses_by_number, config_address, config_data, in_and_out,
          cannot_come_or_go, slots_go_whole, what_is_behind_goes_first,
          while_others_access_it, the_end_of_the_machine)
