/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-bridge: its registers, and what passes it: addresses, interrupts, masters,
 * configuration accesses and resets, against a model that says of one address whether
 * it does. FLATVIEW_SEED replays a random sequence, FLATVIEW_STEPS says how long.
 */
#include <string.h>
#include <time.h>

#include "tests/pci-world.h"

#define SLOT PCI_DEVFN(2, 0)

#define IO 1
#define MEMORY 2
#define MASTER 4
#define ISA 0x04
#define VGA 0x08
#define VGA16 0x10

/* ---- what is behind: something at every address -------------------------------- */

static uint64_t behind_read(void *opaque, hwaddr addr, unsigned size)
{
    return content_value((uintptr_t)opaque, addr, size);
}

static const MemoryRegionOps behind_ops = {
    .read = behind_read,
    .impl.min_access_size = 4, .impl.max_access_size = 4,
};

#define MEMORY_ID 1
#define PORTS_ID 2

static MemoryRegion behind_memory, behind_ports;
static PCIDevice *bridge;

/* A bridge in slot 2, with that behind it. */
static void start(void)
{
    PCIBus *bus;

    host_init();
    bridge = host_plug("pci-bridge,id=br,addr=2,chassis_nr=1");
    bus = pci_bridge_bus(bridge);
    memory_region_init_io(&behind_memory, &behind_ops, (void *)MEMORY_ID, "behind",
                          UINT64_MAX);
    memory_region_init_io(&behind_ports, &behind_ops, (void *)PORTS_ID, "behind-io",
                          0x10000);
    memory_region_add_subregion(bus->memory, 0, &behind_memory);
    memory_region_add_subregion(bus->io, 0, &behind_ports);
}

static void finish(void)
{
    PCIBus *bus = pci_bridge_bus(bridge);

    memory_region_del_subregion(bus->memory, &behind_memory);
    memory_region_del_subregion(bus->io, &behind_ports);
    memory_region_destroy(&behind_memory);
    memory_region_destroy(&behind_ports);
    host_free();
}

/* ---- the model ----------------------------------------------------------------- */

static uint32_t reg(unsigned offset, unsigned size)
{
    return config_in(SLOT, offset, size);
}

static void set_reg(unsigned offset, uint32_t value, unsigned size)
{
    config_out(SLOT, offset, value, size);
}

static bool passes_port(unsigned port)
{
    unsigned control = reg(PCI_BRIDGE_CONTROL, 2);
    bool vga = (port & 0x3ff) >= 0x3b0 && (port & 0x3ff) <= 0x3df &&
               ((port & 0x3ff) <= 0x3bb || (port & 0x3ff) >= 0x3c0);

    if (!(reg(PCI_COMMAND, 2) & IO)) {
        return false;
    }
    if ((control & VGA) && vga && (!(control & VGA16) || port < 0x400)) {
        return true;
    }
    return port >> 12 >= reg(PCI_IO_BASE, 1) >> 4 &&
           port >> 12 <= reg(PCI_IO_LIMIT, 1) >> 4 &&
           (!(control & ISA) || (port & 0x300) == 0);
}

static bool passes_memory(uint64_t addr)
{
    uint64_t first = (uint64_t)reg(PCI_PREF_BASE_UPPER32, 4) << 12 |
                     reg(PCI_PREF_MEMORY_BASE, 2) >> 4;
    uint64_t last = (uint64_t)reg(PCI_PREF_LIMIT_UPPER32, 4) << 12 |
                    reg(PCI_PREF_MEMORY_LIMIT, 2) >> 4;
    uint64_t mib = addr >> 20;

    if (!(reg(PCI_COMMAND, 2) & MEMORY)) {
        return false;
    }
    if ((reg(PCI_BRIDGE_CONTROL, 2) & VGA) && addr >= 0xa0000 && addr <= 0xbffff) {
        return true;
    }
    return (mib >= first && mib <= last) ||
           (mib >= reg(PCI_MEMORY_BASE, 2) >> 4 && mib <= reg(PCI_MEMORY_LIMIT, 2) >> 4);
}

static void check_port(unsigned port)
{
    uint32_t value = ports_in(port);

    expect(value == (passes_port(port) ? content_value(PORTS_ID, port, 4) : UINT32_MAX),
           "port 0x%x: 0x%x; I/O 0x%x to 0x%x, control 0x%x", port, value,
           reg(PCI_IO_BASE, 1), reg(PCI_IO_LIMIT, 1), reg(PCI_BRIDGE_CONTROL, 2));
}

static void check_ports(void)
{
    static const uint16_t edges[] = { 0x000, 0x0fc, 0x100, 0x3ac, 0x3b0, 0x3b8,
                                      0x3bc, 0x3c0, 0x3dc, 0x3e0, 0x3fc };

    for (unsigned block = 0; block < 0x10000; block += 0x400) {
        for (unsigned i = 0; i < G_N_ELEMENTS(edges); i++) {
            check_port(block + edges[i]);
        }
    }
}

/* The low memory is RAM, on top of everything. */
static void check_address(uint64_t addr)
{
    uint32_t value;

    if (addr < HOST_RAM_SIZE || addr > UINT64_MAX - 4) {
        return;
    }
    value = memory_in(addr);
    expect(value == (passes_memory(addr) ? content_value(MEMORY_ID, addr, 4)
                                         : UINT32_MAX),
           "0x%" PRIx64 ": 0x%x; memory 0x%x to 0x%x, prefetchable 0x%x%04x to "
           "0x%x%04x", addr, value, reg(PCI_MEMORY_BASE, 2), reg(PCI_MEMORY_LIMIT, 2),
           reg(PCI_PREF_BASE_UPPER32, 4), reg(PCI_PREF_MEMORY_BASE, 2),
           reg(PCI_PREF_LIMIT_UPPER32, 4), reg(PCI_PREF_MEMORY_LIMIT, 2));
}

static void check_around(uint64_t addr)
{
    check_address(addr - 4);
    check_address(addr);
}

static void check_memory(void)
{
    uint64_t upper = (uint64_t)reg(PCI_PREF_BASE_UPPER32, 4) << 32;
    uint64_t limit_upper = (uint64_t)reg(PCI_PREF_LIMIT_UPPER32, 4) << 32;

    check_around(HOST_RAM_SIZE);
    check_around(0xa0000);
    check_around(0xc0000);
    check_around(0x100000);
    check_around(UINT64_C(1) << 32);
    check_around(UINT64_C(1) << 63);
    check_around(UINT64_MAX - 7);
    check_around((uint64_t)(reg(PCI_MEMORY_BASE, 2) & 0xfff0) << 16);
    check_around(((uint64_t)(reg(PCI_MEMORY_LIMIT, 2) & 0xfff0) << 16) + 0x100000);
    check_around(upper | (uint64_t)(reg(PCI_PREF_MEMORY_BASE, 2) & 0xfff0) << 16);
    check_around((limit_upper |
                  (uint64_t)(reg(PCI_PREF_MEMORY_LIMIT, 2) & 0xfff0) << 16) + 0x100000);
}

/* ---- registers ----------------------------------------------------------------- */

START_TEST(registers)
{
    static const struct {
        unsigned at;
        uint32_t reset, writable;
    } table[] = {
        { 0x00, 0x00011b36, 0 },          { 0x04, 0x00b00000, 0x00000547 },
        { 0x08, 0x06040000, 0 },          { 0x0c, 0x00010000, 0x000000ff },
        { 0x10, 0, 0 },                   { 0x14, 0, 0 },
        { 0x18, 0, 0xffffffff },          { 0x1c, 0x00a00000, 0x0000f0f0 },
        { 0x20, 0, 0xfff0fff0 },          { 0x24, 0x00010001, 0xfff0fff0 },
        { 0x28, 0, 0xffffffff },          { 0x2c, 0, 0xffffffff },
        { 0x30, 0, 0 },                   { 0x34, 0x40, 0 },
        { 0x38, 0, 0 },                   { 0x3c, 0, 0x0bff00ff },
        { 0x40, 0x07200004, 0xff000000 }, { 0x44, 0, 0 },
    };

    host_init();
    host_plug("pci-bridge,addr=2,chassis_nr=7,msi=on,shpc=off");
    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        uint32_t old = reg(table[i].at, 4);

        expect_hex(old, table[i].reset);
        set_reg(table[i].at, UINT32_MAX, 4);
        expect_hex(reg(table[i].at, 4), old | table[i].writable);
        set_reg(table[i].at, 0, 4);
        expect_hex(reg(table[i].at, 4), old & ~table[i].writable);
    }
    host_free();
}
END_TEST

START_TEST(settings)
{
    host_init();
    host_refuse("pci-bridge", "chassis_nr", "> 0", NULL);
    host_refuse("pci-bridge,chassis_nr=256", "chassis_nr", NULL);
    host_refuse("pci-bridge,chassis_nr=1,shpc=on", "shpc", "off", NULL);
    host_refuse("pci-bridge,chassis_nr=1,msi=maybe", "msi", "maybe", "auto", NULL);
    host_refuse("pci-bridge,chassis_nr=1,id=pci.0", "pci.0", "another id", NULL);
    host_refuse("pci-bridge,chassis_nr=1,bus=br", "br", "pci.0", NULL);
    host_plug("pci-bridge,chassis_nr=1,msi=off");
    host_plug("pci-bridge,chassis_nr=2,msi=auto,bus=pci.1");
    host_plug("pci-bridge,chassis_nr=3,id=br,bus=pci.2");
    host_plug("func,bus=br");
    expect(object_resolve("/machine/peripheral/br/br", NULL), "not in the tree");
    host_refuse("pci-bridge,chassis_nr=4,id=pci.2", "pci.2", NULL);
    host_free();
}
END_TEST

/* ---- windows ------------------------------------------------------------------- */

/* Every base, limit and way of decoding. */
START_TEST(ports)
{
    start();
    set_reg(PCI_COMMAND, IO, 2);
    for (unsigned control = 0; control < 8; control++) {
        set_reg(PCI_BRIDGE_CONTROL, control << 2, 2);
        for (unsigned i = 0; i < 0x100; i++) {
            set_reg(PCI_IO_BASE, (i & 0xf) << 4 | (i & 0xf0) << 8, 2);
            check_ports();
        }
    }
    set_reg(PCI_COMMAND, MEMORY | MASTER, 2);
    check_ports();
    expect_hex(ports_in(0), UINT32_MAX);
    finish();
}
END_TEST

START_TEST(memory)
{
    static const uint16_t places[] = { 0, 0x10, 0x7ff0, 0x8000, 0x8010, 0xffe0, 0xfff0 };
    static const uint32_t uppers[] = { 0, 1, 0x7fffffff, 0x80000000, UINT32_MAX };
    const unsigned n = G_N_ELEMENTS(places), u = G_N_ELEMENTS(uppers);

    start();
    for (unsigned command = 0; command <= MEMORY; command += MEMORY) {
        for (unsigned control = 0; control <= VGA; control += VGA) {
            set_reg(PCI_COMMAND, command, 2);
            set_reg(PCI_BRIDGE_CONTROL, control, 2);
            for (unsigned i = 0; i < n * n * u * u; i++) {
                uint16_t base = places[i % n], limit = places[i / n % n];

                set_reg(PCI_MEMORY_BASE, limit, 2);
                set_reg(PCI_MEMORY_LIMIT, places[i % 5], 2);
                set_reg(PCI_PREF_MEMORY_BASE, base, 2);
                set_reg(PCI_PREF_MEMORY_LIMIT, limit, 2);
                set_reg(PCI_PREF_BASE_UPPER32, uppers[i / n / n % u], 4);
                set_reg(PCI_PREF_LIMIT_UPPER32, uppers[i / n / n / u], 4);
                check_memory();
            }
        }
    }
    finish();
}
END_TEST

/* The whole space, and a reset that closes everything. */
START_TEST(all_and_nothing)
{
    start();
    set_reg(PCI_PREF_MEMORY_LIMIT, 0xfff0, 2);
    set_reg(PCI_PREF_LIMIT_UPPER32, UINT32_MAX, 4);
    set_reg(PCI_COMMAND, IO | MEMORY, 2);
    check_memory();
    expect_hex(memory_in(UINT64_MAX - 3), content_value(MEMORY_ID, UINT64_MAX - 3, 4));
    expect_hex(ports_in(0xffc), content_value(PORTS_ID, 0xffc, 4));
    device_reset(&bridge->device);
    expect_hex(memory_in(UINT64_MAX - 3), UINT32_MAX);
    expect_hex(memory_in(HOST_RAM_SIZE), UINT32_MAX);
    expect_hex(ports_in(0), UINT32_MAX);
    set_reg(PCI_COMMAND, IO | MEMORY, 2);
    check_memory();
    check_ports();
    finish();
}
END_TEST

/* A write of any bytes of any registers. */
START_TEST(by_chance)
{
    uint64_t steps = test_number("FLATVIEW_STEPS", 3000);
    uint64_t seed = test_number("FLATVIEW_SEED", time(NULL));
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    start();
    for (uint64_t i = 0; i < steps; i++) {
        unsigned addr = g_rand_int_range(rand, 0, 0x48);
        unsigned size = g_rand_int_range(rand, 1, 5);
        uint32_t mask = g_rand_boolean(rand) ? 0xf0f0f0f0 : UINT32_MAX;
        uint32_t value = g_rand_int(rand) & mask;

        set_reg(addr, value, size);
        if (i % 8 == 0) {
            set_reg(PCI_COMMAND, IO | MEMORY, 2);
        }
        check_memory();
        check_around((uint64_t)g_rand_int(rand) << (g_rand_int(rand) % 33) & ~3ull);
        if (i % 16 == 0) {
            check_ports();
        }
        if (i % 64 == 0) {
            device_reset(&bridge->device);
        }
    }
    finish();
}
END_TEST

/* ---- bridges behind bridges ---------------------------------------------------- */

#define BAR_SIZE 0x1000

/* pci.0 - 2: a - 5: b - 3: func; numbers 1 and 2. */
static PCIDevice *a, *b, *func;

static void plug_nested(void)
{
    host_init();
    a = host_plug("pci-bridge,id=a,addr=2,chassis_nr=1");
    b = host_plug("pci-bridge,id=b,addr=5,bus=a,chassis_nr=2");
    func_recipe.bars[0].size = BAR_SIZE;
    func_recipe.bars[1] = (FuncBar){ 0x100, PCI_BASE_ADDRESS_SPACE_IO };
    func_recipe.pin = 1;
    func = host_plug("func,addr=3,bus=b");
    config_out(SLOT, PCI_PRIMARY_BUS, 0x00020100, 4);
    pci_host_write(&host_bus, 1, PCI_DEVFN(5, 0), PCI_PRIMARY_BUS, 0x00020201, 4);
}

static void b_out(unsigned addr, uint32_t value, unsigned size)
{
    pci_host_write(&host_bus, 1, PCI_DEVFN(5, 0), addr, value, size);
}

static void func_out(unsigned addr, uint32_t value, unsigned size)
{
    pci_host_write(&host_bus, 2, PCI_DEVFN(3, 0), addr, value, size);
}

START_TEST(nested_windows)
{
    uint32_t value;

    plug_nested();
    value = bar_value(func->devfn, 0, 8);
    expect_hex(pci_host_read(&host_bus, 2, PCI_DEVFN(3, 0), 0, 4), 0x56781234);
    expect_hex(pci_host_read(&host_bus, 2, PCI_DEVFN(4, 0), 0, 4), UINT32_MAX);
    expect_hex(pci_host_read(&host_bus, 3, PCI_DEVFN(3, 0), 0, 4), UINT32_MAX);
    func_out(PCI_BASE_ADDRESS_0, 0xf0200000, 4);
    func_out(PCI_BASE_ADDRESS_1, 0xc100, 4);
    func_out(PCI_COMMAND, IO | MEMORY, 2);
    b_out(PCI_MEMORY_BASE, 0xf020f020, 4);
    b_out(PCI_IO_BASE, 0xc0c0, 2);
    set_reg(PCI_MEMORY_BASE, 0xf040f000, 4);
    set_reg(PCI_IO_BASE, 0xd0c0, 2);
    for (unsigned i = 0; i < 4; i++) {
        set_reg(PCI_COMMAND, i & 1 ? IO | MEMORY : 0, 2);
        b_out(PCI_COMMAND, i & 2 ? IO | MEMORY : 0, 2);
        expect_hex(memory_in(0xf0200008), i == 3 ? value : UINT32_MAX);
        expect_hex(ports_in(0xc108), i == 3 ? bar_value(func->devfn, 1, 8) : UINT32_MAX);
    }
    /* Outside the inner window, then the outer. */
    func_out(PCI_BASE_ADDRESS_0, 0xf0100000, 4);
    expect_hex(memory_in(0xf0100008), UINT32_MAX);
    b_out(PCI_MEMORY_BASE, 0xf010f010, 4);
    expect_hex(memory_in(0xf0100008), value);
    set_reg(PCI_MEMORY_BASE, 0xf040f020, 4);
    expect_hex(memory_in(0xf0100008), UINT32_MAX);
    host_free();
}
END_TEST

#define CHAIN 24

/* Each lets everything through in every way: memory of both kinds, VGA, ports. */
START_TEST(chain)
{
    host_init();
    for (unsigned n = 0; n < CHAIN; n++) {
        g_autofree char *text =
            n ? g_strdup_printf("pci-bridge,id=c%u,bus=c%u,addr=1,chassis_nr=1", n, n - 1)
              : g_strdup("pci-bridge,id=c0,addr=1,chassis_nr=1");

        host_plug(text);
    }
    func_recipe.bars[0].size = BAR_SIZE;
    func_recipe.bars[1] = (FuncBar){ 0x100, PCI_BASE_ADDRESS_SPACE_IO };
    func = host_plug("func,addr=1,bus=c23");
    for (unsigned n = 0; n < CHAIN; n++) {
        unsigned devfn = PCI_DEVFN(1, 0);

        pci_host_write(&host_bus, n, devfn, PCI_PRIMARY_BUS, 0xff0000 | (n + 1) << 8 | n, 4);
        pci_host_write(&host_bus, n, devfn, PCI_MEMORY_BASE, 0xfff00000, 4);
        pci_host_write(&host_bus, n, devfn, PCI_PREF_MEMORY_BASE, 0xfff00000, 4);
        pci_host_write(&host_bus, n, devfn, PCI_PREF_LIMIT_UPPER32, UINT32_MAX, 4);
        pci_host_write(&host_bus, n, devfn, PCI_IO_BASE, 0xf000, 2);
        pci_host_write(&host_bus, n, devfn, PCI_BRIDGE_CONTROL, VGA | n % 2 * ISA, 2);
        pci_host_write(&host_bus, n, devfn, PCI_COMMAND, IO | MEMORY, 2);
    }
    pci_host_write(&host_bus, CHAIN, PCI_DEVFN(1, 0), PCI_BASE_ADDRESS_0, 0xf0200000, 4);
    pci_host_write(&host_bus, CHAIN, PCI_DEVFN(1, 0), PCI_BASE_ADDRESS_1, 0xc000, 4);
    pci_host_write(&host_bus, CHAIN, PCI_DEVFN(1, 0), PCI_COMMAND, IO | MEMORY, 2);
    expect_hex(memory_in(0xf0200008), bar_value(func->devfn, 0, 8));
    expect_hex(ports_in(0xc008), bar_value(func->devfn, 1, 8));
    host_free();
}
END_TEST

START_TEST(masters)
{
    uint32_t word;

    plug_nested();
    func_out(PCI_BASE_ADDRESS_0, 0xf0200000, 4);
    b_out(PCI_MEMORY_BASE, 0xf020f020, 4);
    set_reg(PCI_MEMORY_BASE, 0xf020f020, 4);
    for (unsigned i = 0; i < 8; i++) {
        set_reg(PCI_COMMAND, MEMORY | (i & 1 ? MASTER : 0), 2);
        b_out(PCI_COMMAND, MEMORY | (i & 2 ? MASTER : 0), 2);
        func_out(PCI_COMMAND, MEMORY | (i & 4 ? MASTER : 0), 2);
        expect((pci_dma_read(func, 0x1000, &word, 4) == MEMTX_OK) == (i == 7),
               "masters 0x%x", i);
        /* It finds what is behind its own bridge, too. */
        expect((pci_dma_read(func, 0xf0200000, &word, 4) == MEMTX_OK) == (i == 7),
               "masters 0x%x", i);
    }
    host_free();
}
END_TEST

START_TEST(interrupts)
{
    plug_nested();
    for (unsigned slot = 4; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            g_autofree char *text = g_strdup_printf("func,bus=b,addr=%x", slot);
            unsigned wire = (slot + pin + 5 + 2) % 4;
            PCIDevice *dev;

            func_recipe.pin = pin + 1;
            dev = host_plug(text);
            pci_set_irq(dev, true);
            expect_hex(host_wires[wire] & 1, 1);
            /* Shared: one of two is enough. */
            pci_set_irq(func, true);
            pci_set_irq(func, false);
            expect_hex(host_wires[wire] & 1, 1);
            pci_set_irq(dev, false);
            expect_hex(host_wires[wire] & 1, 0);
            pci_set_irq(dev, true);
            machine_remove_device(machine, &dev->device);
            expect_hex(host_wires[wire] & 1, 0);
        }
    }
    host_free();
}
END_TEST

START_TEST(bus_reset)
{
    Func *f;

    plug_nested();
    f = (Func *)func;
    func_out(PCI_BASE_ADDRESS_0, 0xf0200000, 4);
    b_out(PCI_MEMORY_BASE, 0xf020f020, 4);
    set_reg(PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    expect_hex(f->resets, 1);
    expect_hex(pci_get_long(func->config + PCI_BASE_ADDRESS_0), 0);
    expect_hex(pci_get_long(b->config + PCI_MEMORY_BASE), 0);
    expect_hex(pci_get_long(b->config + PCI_PRIMARY_BUS), 0);
    expect_hex(pci_get_long(a->config + PCI_PRIMARY_BUS), 0x00020100);
    /* Nobody behind it answers meanwhile. */
    expect(!pci_find_function(&host_bus, 1, b->devfn), "found while held in reset");
    set_reg(PCI_BRIDGE_CONTROL, 0, 2);
    expect(pci_find_function(&host_bus, 1, b->devfn) == b, "not found");
    set_reg(PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    expect_hex(f->resets, 2);
    /* Once for each time that it is set. */
    set_reg(PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET | VGA, 2);
    set_reg(PCI_BRIDGE_CONTROL, VGA, 2);
    expect_hex(f->resets, 2);
    set_reg(PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 1);
    expect_hex(f->resets, 3);
    host_free();
}
END_TEST

/* With open windows, and all that is behind. */
START_TEST(goes_away)
{
    plug_nested();
    host_prepare();
    set_reg(PCI_BRIDGE_CONTROL, VGA, 2);
    set_reg(PCI_IO_BASE, 0xf0f0, 2);
    set_reg(PCI_COMMAND, IO | MEMORY | MASTER, 2);
    func_out(PCI_COMMAND, MASTER, 2);
    memory_lock();
    pci_device_unplug(a);
    memory_unlock();
    expect_hex(host_unrealized, 1);
    expect_hex(config_in(SLOT, 0, 4), UINT32_MAX);
    expect(!pci_bus_find(&host_bus, "b", NULL), "still there");
    host_free();
}
END_TEST

TEST_MAIN("pci-bridge", registers, settings, ports, memory, all_and_nothing, by_chance,
          nested_windows, chain, masters, interrupts, bus_reset, goes_away)
