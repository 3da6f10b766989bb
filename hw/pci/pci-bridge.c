/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-bridge: a PCI-to-PCI bridge. PCI-to-PCI Bridge Architecture Specification 1.2:
 * registers in chapter 3.2, windows in chapter 4, VGA in 12.1; the slot numbering
 * capability in chapter 13. Identity and reset values are those of QEMU's pci-bridge
 * without its hot plug controller.
 *
 * What is behind it has containers of its own, of memory and of ports. Windows are
 * aliases of these in the containers of the bus before it. A master behind it sees
 * what the bridge sees as a master.
 */
#include <string.h>

#include "hw/core/machine.h"
#include "hw/pci/pci.h"

#define PORTS 0x10000u
#define WINDOW_PRIORITY 1 /* that of BARs: beside a bridge, they are its equals */

/* Bits of the bridge control register that linux/pci_regs.h has no name for. */
#define CONTROL_VGA_16BIT 0x0010
#define CONTROL_TIMER_STATUS 0x0400 /* 1 clears it */
#define CONTROL_WRITABLE 0x0bff

#define STATUS (PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK)
#define SECONDARY_STATUS_CLEARABLE 0xf900
#define SLOT_ID_SIZE 4

/* Of a register: bits 31 to 20 of an address. */
#define MIB_BITS 0xfff0

#define VGA_MEMORY 0xa0000u
#define VGA_MEMORY_SIZE 0x20000u

/* Ports are decoded in the same way in each KiB, in parts that begin at: */
#define PORT_BLOCK 0x400u
static const uint16_t port_parts[] = { 0x000, 0x100, 0x3b0, 0x3bc, 0x3c0, 0x3e0 };
#define VGA_LOW 0x3b0 /* as far as 0x3bb */
#define VGA_HIGH 0x3c0 /* as far as 0x3df */

/* No more of them than blocks, times the runs of parts in one. */
#define PORT_WINDOWS (PORTS / PORT_BLOCK * 3)

/* Addresses that a window passes on, to the same addresses; none unless it is open. */
typedef struct Range {
    uint64_t first, last;
    bool open;
} Range;

typedef struct Window {
    MemoryRegion mr;
    Range shown;
} Window;

typedef struct PCIBridge {
    PCIDevice dev;
    /* Properties */
    uint8_t chassis;
    char *msi;
    bool shpc;

    PCIBus bus;
    MemoryRegion memory, ports;           /* of the bus */
    Window memory_window, vga_window;
    Window prefetch_windows[2];           /* below the memory window, and above it */
    Window *port_windows[PORT_WINDOWS];   /* as many as were ever needed */
} PCIBridge;

/* ---- windows ------------------------------------------------------------------- */

static void window_init(Window *w, const char *name, MemoryRegion *target)
{
    memory_region_init_alias(&w->mr, name, target, 0, memory_region_size(target));
    w->shown.open = false;
}

static void window_show(Window *w, MemoryRegion *parent, Range range)
{
    uint64_t size = range.last - range.first + 1;

    if (w->shown.open) {
        memory_region_del_subregion(parent, &w->mr);
    }
    if (range.open) {
        memory_region_set_alias_offset(&w->mr, range.first);
        memory_region_set_size(&w->mr, size ? size : UINT64_MAX);
        memory_region_add_subregion_overlap(parent, range.first, &w->mr,
                                            WINDOW_PRIORITY);
    }
    w->shown = range;
}

static Range make_range(uint64_t first, uint64_t last, bool open)
{
    return (Range){ first, last, open && first <= last };
}

static bool overlap(Range a, Range b)
{
    return a.open && b.open && a.first <= b.last && b.first <= a.last;
}

static void window_update(Window *w, MemoryRegion *parent, Range range)
{
    if (range.open != w->shown.open ||
        (range.open && (range.first != w->shown.first || range.last != w->shown.last))) {
        window_show(w, parent, range);
    }
}

static void window_finish(Window *w, MemoryRegion *parent)
{
    window_update(w, parent, (Range){ 0 });
    memory_region_destroy(&w->mr);
}

static bool has_command(const PCIBridge *s, uint16_t bit)
{
    return pci_get_word(s->dev.config + PCI_COMMAND) & bit;
}

static bool has_control(const PCIBridge *s, uint16_t bit)
{
    return pci_get_word(s->dev.config + PCI_BRIDGE_CONTROL) & bit;
}

static uint64_t mib_address(const uint8_t *reg)
{
    return (uint64_t)(pci_get_word(reg) & MIB_BITS) << 16;
}

/* No two windows show the same address: in a chain of bridges each would double how
 * often the map's painter comes to what is at the end of it. */
static void update_memory(PCIBridge *s)
{
    const uint8_t *config = s->dev.config;
    bool open = has_command(s, PCI_COMMAND_MEMORY);
    MemoryRegion *parent = s->dev.bus->memory;
    Range memory = make_range(mib_address(config + PCI_MEMORY_BASE),
                              mib_address(config + PCI_MEMORY_LIMIT) | 0xfffff, open);
    Range prefetch =
        make_range((uint64_t)pci_get_long(config + PCI_PREF_BASE_UPPER32) << 32 |
                       mib_address(config + PCI_PREF_MEMORY_BASE),
                   (uint64_t)pci_get_long(config + PCI_PREF_LIMIT_UPPER32) << 32 |
                       mib_address(config + PCI_PREF_MEMORY_LIMIT) | 0xfffff,
                   open);
    Range vga = make_range(VGA_MEMORY, VGA_MEMORY + VGA_MEMORY_SIZE - 1,
                           open && has_control(s, PCI_BRIDGE_CTL_VGA));
    Range below = prefetch, above = { 0 };

    if (overlap(memory, prefetch)) {
        below = make_range(prefetch.first, memory.first - 1,
                           prefetch.first < memory.first);
        above = make_range(memory.last + 1, prefetch.last, memory.last < prefetch.last);
    }
    /* The others are of whole MiB: it is in them as a whole, or not at all. */
    vga.open = vga.open && !overlap(vga, memory) && !overlap(vga, prefetch);
    window_update(&s->memory_window, parent, memory);
    window_update(&s->prefetch_windows[0], parent, below);
    window_update(&s->prefetch_windows[1], parent, above);
    window_update(&s->vga_window, parent, vga);
}

/* Whether the part of a block that begins at @port is passed on. */
static bool passes_port(const PCIBridge *s, unsigned port)
{
    unsigned base = (s->dev.config[PCI_IO_BASE] & PCI_IO_RANGE_MASK) << 8;
    unsigned limit = (s->dev.config[PCI_IO_LIMIT] & PCI_IO_RANGE_MASK) << 8 | 0xfff;
    unsigned part = port % PORT_BLOCK;

    if (has_control(s, PCI_BRIDGE_CTL_VGA) && (part == VGA_LOW || part == VGA_HIGH) &&
        (port < PORT_BLOCK || !has_control(s, CONTROL_VGA_16BIT))) {
        return true;
    }
    /* ISA devices decode 10 bits of an address: all but the first 256 ports of a block
     * are theirs. */
    return port >= base && port <= limit &&
           (part == 0 || !has_control(s, PCI_BRIDGE_CTL_ISA));
}

static void show_ports(PCIBridge *s, unsigned n, Range range)
{
    Window **w = &s->port_windows[n];

    if (!*w && range.open) {
        *w = g_new0(Window, 1);
        window_init(*w, "pci_bridge_io", &s->ports);
    }
    if (*w) {
        window_update(*w, s->dev.bus->io, range);
    }
}

static void update_ports(PCIBridge *s)
{
    unsigned parts = PORTS / PORT_BLOCK * G_N_ELEMENTS(port_parts), n = 0;
    Range run = { 0 };

    for (unsigned i = 0; i <= parts; i++) {
        unsigned port = i / G_N_ELEMENTS(port_parts) * PORT_BLOCK +
                        port_parts[i % G_N_ELEMENTS(port_parts)];
        bool passes = i < parts && has_command(s, PCI_COMMAND_IO) &&
                      passes_port(s, port);

        if (passes && !run.open) {
            run = (Range){ .first = port, .open = true };
        } else if (!passes && run.open) {
            run.last = port - 1;
            show_ports(s, n++, run);
            run.open = false;
        }
    }
    for (; n < PORT_WINDOWS; n++) {
        show_ports(s, n, run);
    }
}

static void update_windows(PCIBridge *s)
{
    memory_region_transaction_begin();
    update_memory(s);
    update_ports(s);
    memory_region_transaction_commit();
}

/* ---- registers ----------------------------------------------------------------- */

static void reset_bus(PCIBus *bus);

static void reset_function(PCIDevice *dev, void *opaque)
{
    device_reset(&dev->device);
    if (dev->secondary) {
        reset_bus(dev->secondary);
    }
}

static void reset_bus(PCIBus *bus)
{
    pci_bus_foreach(bus, reset_function, NULL);
}

static bool touches(unsigned addr, unsigned size, unsigned first, unsigned end)
{
    return addr < end && first < addr + size;
}

static void bridge_config_write(PCIDevice *dev, unsigned addr, uint32_t value,
                                unsigned size)
{
    PCIBridge *s = (PCIBridge *)dev;
    bool was_reset = has_control(s, PCI_BRIDGE_CTL_BUS_RESET);

    pci_config_write(dev, addr, value, size);
    if (touches(addr, size, PCI_COMMAND, PCI_COMMAND + 2) ||
        touches(addr, size, PCI_IO_BASE, PCI_IO_BASE_UPPER16) ||
        touches(addr, size, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CONTROL + 2)) {
        update_windows(s);
    }
    if (!was_reset && has_control(s, PCI_BRIDGE_CTL_BUS_RESET)) {
        reset_bus(&s->bus);
    }
}

static void bridge_reset(PCIDevice *dev)
{
    update_windows((PCIBridge *)dev);
}

static bool init_registers(PCIBridge *s, GError **err)
{
    uint8_t *config = s->dev.config, *wmask = s->dev.wmask;
    unsigned slot_id = pci_add_capability(&s->dev, PCI_CAP_ID_SLOTID, 0, SLOT_ID_SIZE,
                                          err);

    if (!slot_id) {
        return false;
    }
    config[slot_id + PCI_SID_ESR] = PCI_SID_ESR_FIC;
    config[slot_id + PCI_SID_CHASSIS_NR] = s->chassis;
    wmask[slot_id + PCI_SID_CHASSIS_NR] = 0xff;

    pci_set_word(config + PCI_STATUS, pci_get_word(config + PCI_STATUS) | STATUS);
    pci_set_word(config + PCI_SEC_STATUS, STATUS);
    pci_set_word(s->dev.w1cmask + PCI_SEC_STATUS, SECONDARY_STATUS_CLEARABLE);
    memset(wmask + PCI_PRIMARY_BUS, 0xff, 4); /* buses, latency timer */
    wmask[PCI_IO_BASE] = wmask[PCI_IO_LIMIT] = (uint8_t)PCI_IO_RANGE_MASK;
    pci_set_word(wmask + PCI_MEMORY_BASE, MIB_BITS);
    pci_set_word(wmask + PCI_MEMORY_LIMIT, MIB_BITS);
    config[PCI_PREF_MEMORY_BASE] = PCI_PREF_RANGE_TYPE_64;
    config[PCI_PREF_MEMORY_LIMIT] = PCI_PREF_RANGE_TYPE_64;
    pci_set_word(wmask + PCI_PREF_MEMORY_BASE, MIB_BITS);
    pci_set_word(wmask + PCI_PREF_MEMORY_LIMIT, MIB_BITS);
    pci_set_long(wmask + PCI_PREF_BASE_UPPER32, UINT32_MAX);
    pci_set_long(wmask + PCI_PREF_LIMIT_UPPER32, UINT32_MAX);
    pci_set_word(wmask + PCI_BRIDGE_CONTROL, CONTROL_WRITABLE);
    pci_set_word(s->dev.w1cmask + PCI_BRIDGE_CONTROL, CONTROL_TIMER_STATUS);
    return true;
}

/* ---- life ---------------------------------------------------------------------- */

static bool check_properties(const PCIBridge *s, GError **err)
{
    if (!s->chassis) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Bridge chassis not specified. Each bridge is required to be "
                    "assigned a unique chassis id > 0: chassis_nr=1 to 255");
    } else if (s->shpc) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "property 'shpc' must be off: a bridge has no hot plug controller "
                    "of its own here");
    } else if (strcmp(s->msi, "on") != 0 && strcmp(s->msi, "off") != 0 &&
               strcmp(s->msi, "auto") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Parameter 'msi' does not accept value '%s': it is on, off or auto",
                    s->msi);
    } else {
        return true;
    }
    return false;
}

static bool is_taken(const PCIBridge *s, const char *name)
{
    g_autoptr(GError) err = NULL;

    return pci_bus_find(s->dev.device.machine->pci, name, &err);
}

/* That of its bus: the bridge's id, or one that is free. To be freed; NULL with @err. */
static char *choose_name(const PCIBridge *s, GError **err)
{
    const char *id = s->dev.device.id;
    char *name = g_strdup(id);

    for (unsigned n = 1; !id && (!name || is_taken(s, name)); n++) {
        g_free(name);
        name = g_strdup_printf("pci.%u", n);
    }
    if (id && is_taken(s, id)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "its id '%s' names the bus behind it, and there is one of that name; "
                    "choose another id", id);
        g_clear_pointer(&name, g_free);
    }
    return name;
}

static bool bridge_realize(PCIDevice *dev, GError **err)
{
    PCIBridge *s = (PCIBridge *)dev;
    g_autofree char *name = NULL;

    if (!check_properties(s, err) || !(name = choose_name(s, err)) ||
        !init_registers(s, err)) {
        return false;
    }
    memory_region_init(&s->memory, "pci_bridge_pci", UINT64_MAX);
    memory_region_init(&s->ports, "pci_bridge_io", PORTS);
    window_init(&s->memory_window, "pci_bridge_mem", &s->memory);
    window_init(&s->prefetch_windows[0], "pci_bridge_pref_mem", &s->memory);
    window_init(&s->prefetch_windows[1], "pci_bridge_pref_mem", &s->memory);
    window_init(&s->vga_window, "pci_bridge_vga_mem", &s->memory);
    pci_bus_init(&s->bus, name, dev, NULL, NULL, &s->memory, &s->ports, &dev->dma_root);
    return true;
}

static void bridge_unrealize(PCIDevice *dev)
{
    PCIBridge *s = (PCIBridge *)dev;

    pci_bus_cleanup(&s->bus);
    window_finish(&s->memory_window, dev->bus->memory);
    window_finish(&s->prefetch_windows[0], dev->bus->memory);
    window_finish(&s->prefetch_windows[1], dev->bus->memory);
    window_finish(&s->vga_window, dev->bus->memory);
    for (unsigned n = 0; n < PORT_WINDOWS && s->port_windows[n]; n++) {
        window_finish(s->port_windows[n], dev->bus->io);
        g_free(s->port_windows[n]);
    }
    memory_region_destroy(&s->memory);
    memory_region_destroy(&s->ports);
}

static const Property bridge_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { "chassis_nr", PROP_UINT8, offsetof(PCIBridge, chassis), "0",
      "the number of its chassis, from 1", 0 },
    { "msi", PROP_STRING, offsetof(PCIBridge, msi), "auto",
      "on, off, auto: all the same while it has no interrupt of its own", 0 },
    { "shpc", PROP_BOOL, offsetof(PCIBridge, shpc), "off",
      "a hot plug controller of its own: there is none", 0 },
    { 0 },
};

const DeviceType pci_bridge_type = {
    .name = "pci-bridge",
    .description = "PCI-to-PCI bridge; the bus behind it has its id",
    .size = sizeof(PCIBridge),
    .properties = bridge_properties,
    .user_creatable = true,
    .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1b36, .device_id = 0x0001,
                             .class_code = 0x060400, .bridge = true,
                             .realize = bridge_realize, .unrealize = bridge_unrealize,
                             .reset = bridge_reset,
                             .config_write = bridge_config_write },
};
