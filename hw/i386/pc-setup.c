/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state in which firmware leaves a PC, for kernels that start without it: the chips'
 * registers, with the values that SeaBIOS gives them on this board, and resources of PCI
 * functions (PCI Local Bus Specification 3.0, 6.2; PCI-to-PCI Bridge Architecture
 * Specification 1.2, 3.2.5).
 */
#include <string.h>

#include "hw/acpi/piix4.h"
#include "hw/i386/pc-boot.h"
#include "hw/i386/pc-map.h"
#include "hw/pci-host/i440fx.h"
#include "hw/isa/piix3.h"

#define MIB (1024 * 1024ull)
#define KIB 1024ull
#define GIB (1024 * MIB)

/* Of the keyboard controller: its configuration is the byte after the command. */
#define I8042_WRITE_CONFIG 0x60
#define I8042_CONFIG 0x61 /* codes translated to set 1; interrupt 1; no mouse yet */

#define PAM_REGISTERS 7
#define PAM_ALL_RAM 0x33     /* both segments: reads and writes */
#define PAM0_ALL_RAM 0x30    /* the first has one, from 960 KiB on */

#define MEMORY_BASE (3 * GIB) /* or above RAM */
#define MEMORY_LIMIT (PC_PCI_HOLE_END + 1ull)
#define PORTS_BASE 0xc000
#define PORTS_LIMIT 0x10000

/* What bridges pass on comes in such pieces. */
#define BRIDGE_MEMORY_ALIGN MIB
#define BRIDGE_PORTS_ALIGN (4 * KIB)

/* For functions that come behind a bridge later: guests do not move its windows. */
#define SPARE_MEMORY (2 * MIB)
#define SPARE_PORTS BRIDGE_PORTS_ALIGN
#define SPARE_PORTS_LIMIT 0xe000 /* what is above is for functions that are there */

/* Where PIRQA to PIRQD lead. */
static const uint8_t pirq_irqs[PCI_PINS] = { 10, 10, 11, 11 };

static void put(PCIDevice *dev, unsigned addr, uint32_t value, unsigned size)
{
    const PCIInfo *info = dev->device.type->pci;

    (info->config_write ? info->config_write : pci_config_write)(dev, addr, value, size);
}

/* ---- chips ----------------------------------------------------------------------- */

void pc_setup_chips(PCMachine *s)
{
    put(s->i440fx, I440FX_PAM, PAM0_ALL_RAM, 1);
    for (unsigned i = 1; i < PAM_REGISTERS; i++) {
        put(s->i440fx, I440FX_PAM + i, PAM_ALL_RAM, 1);
    }
    for (unsigned i = 0; i < PCI_PINS; i++) {
        put(s->piix3, PIIX3_PIRQ_ROUTES + i, pirq_irqs[i], 1);
    }
    if (!s->machine.kvm) { /* where KVM has the registers it is told otherwise */
        address_space_stw(&s->machine.ports, PC_ELCR_PORT, PC_PCI_IRQS,
                          MEMTXATTRS_UNSPECIFIED, NULL);
    }
    if (s->i8042_dev) {
        address_space_stb(&s->machine.ports, PC_I8042_COMMAND_PORT, I8042_WRITE_CONFIG,
                          MEMTXATTRS_UNSPECIFIED, NULL);
        address_space_stb(&s->machine.ports, PC_I8042_DATA_PORT, I8042_CONFIG,
                          MEMTXATTRS_UNSPECIFIED, NULL);
    }
    if (s->pm) {
        put(s->pm, PIIX4_PMBA, PC_PM_PORT | 1, 4);
        put(s->pm, PIIX4_PMREGMISC, 1, 1);
        put(s->pm, PIIX4_SMBBA, PC_SMBUS_PORT | 1, 4);
        put(s->pm, PIIX4_SMBHSTCFG, 0x09, 1);
    }
}

void pc_reset_keeping_shadow(PCMachine *s)
{
    uint8_t pam[PAM_REGISTERS];

    memcpy(pam, s->i440fx->config + I440FX_PAM, sizeof(pam));
    machine_reset(&s->machine);
    for (unsigned i = 0; s->waking && i < PAM_REGISTERS; i++) {
        put(s->i440fx, I440FX_PAM + i, pam[i], 1);
    }
}

/* ---- PCI ------------------------------------------------------------------------- */

/* Addresses that are free. */
typedef struct Range {
    uint64_t next, limit;
} Range;

typedef struct Resources {
    Range ports, memory;
    Range high; /* above 4 GiB, for what has 64 bits and nothing else free */
    unsigned buses; /* the highest number that is taken */
} Resources;

static uint64_t round_up(uint64_t n, uint64_t align)
{
    return (n + align - 1) & ~(align - 1);
}

/* UINT64_MAX: there are no @size bytes left. */
static uint64_t take(Range *range, uint64_t size)
{
    uint64_t addr = round_up(range->next, size);

    if (addr < range->next || addr > range->limit || size > range->limit - addr) {
        return UINT64_MAX;
    }
    range->next = addr + size;
    return addr;
}

static unsigned bar_register(const PCIDevice *dev, unsigned n)
{
    if (n < PCI_ROM_SLOT) {
        return PCI_BASE_ADDRESS_0 + 4 * n;
    }
    return dev->device.type->pci->bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
}

/* Give BAR @n its address. False: there is no room. */
static bool place_bar(Resources *r, PCIDevice *dev, unsigned n)
{
    const PCIBar *bar = &dev->bars[n];
    bool ports = bar->type & PCI_BASE_ADDRESS_SPACE_IO;
    bool wide = !ports && (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64);
    uint64_t addr = take(ports ? &r->ports : &r->memory, bar->size);

    if (addr == UINT64_MAX && wide) {
        addr = take(&r->high, bar->size);
    }
    if (addr == UINT64_MAX) {
        return false;
    }
    put(dev, bar_register(dev, n), addr, 4);
    if (wide) {
        put(dev, bar_register(dev, n) + 4, addr >> 32, 4);
    }
    return true;
}

typedef struct BarOf {
    PCIDevice *dev;
    unsigned n;
} BarOf;

static void collect_bars(PCIDevice *dev, void *opaque)
{
    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        if (dev->bars[n].mr) {
            g_array_append_vals(opaque, &(BarOf){ dev, n }, 1);
        }
    }
}

/* The largest first: then none leaves a gap. */
static int compare_bars(const void *a, const void *b)
{
    const BarOf *x = a, *y = b;
    uint64_t size = x->dev->bars[x->n].size, other = y->dev->bars[y->n].size;

    return size < other ? 1 : size > other ? -1 : 0;
}

/* The interrupt of the function's pin, through the bridges before it. */
static uint8_t interrupt_line(PCIDevice *dev)
{
    unsigned pin = dev->config[PCI_INTERRUPT_PIN] - 1;

    for (;;) {
        const PCIBus *bus = dev->bus;

        pin = bus->ops && bus->ops->map_irq ? bus->ops->map_irq(bus->opaque, dev, pin)
                                            : (PCI_SLOT(dev->devfn) + pin) % PCI_PINS;
        if (!bus->parent) {
            return pirq_irqs[pin];
        }
        dev = bus->parent;
    }
}

static void set_interrupt_line(PCIDevice *dev, void *opaque)
{
    if (dev->config[PCI_INTERRUPT_PIN] - 1u < PCI_PINS) {
        put(dev, PCI_INTERRUPT_LINE, interrupt_line(dev), 1);
    }
}

static void setup_bus(Resources *r, PCIBus *bus);

static void spare(Resources *r, uint64_t first_port)
{
    if (r->memory.limit - r->memory.next >= SPARE_MEMORY) {
        r->memory.next += SPARE_MEMORY;
    }
    if (r->ports.next == first_port && first_port + SPARE_PORTS <= SPARE_PORTS_LIMIT) {
        r->ports.next += SPARE_PORTS;
    }
}

/* The bus behind the bridge gets what comes next, and the bridge passes on as much. */
static void setup_bridge(PCIDevice *bridge, void *opaque)
{
    Resources *r = opaque;
    PCIBus *bus = pci_bridge_bus(bridge);
    Resources inner;
    uint64_t memory, ports;

    if (!bus || r->buses == 0xff) {
        return;
    }
    memory = round_up(r->memory.next, BRIDGE_MEMORY_ALIGN);
    ports = round_up(r->ports.next, BRIDGE_PORTS_ALIGN);
    inner = (Resources){ .ports = { MIN(ports, r->ports.limit), r->ports.limit },
                         .memory = { MIN(memory, r->memory.limit), r->memory.limit },
                         .buses = r->buses + 1 };
    put(bridge, PCI_PRIMARY_BUS, pci_bus_number(bridge->bus), 1);
    put(bridge, PCI_SECONDARY_BUS, inner.buses, 1);
    put(bridge, PCI_SUBORDINATE_BUS, 0xff, 1);
    setup_bus(&inner, bus);
    if (bus->hotplug) {
        spare(&inner, ports);
    }
    put(bridge, PCI_SUBORDINATE_BUS, inner.buses, 1);
    r->buses = inner.buses;

    /* A limit below the base passes nothing on. */
    if (inner.memory.next > memory) {
        inner.memory.next = round_up(inner.memory.next, BRIDGE_MEMORY_ALIGN);
        r->memory.next = inner.memory.next;
    } else {
        memory = BRIDGE_MEMORY_ALIGN;
        inner.memory.next = memory;
    }
    put(bridge, PCI_MEMORY_BASE, memory >> 16, 2);
    put(bridge, PCI_MEMORY_LIMIT, (inner.memory.next - 1) >> 16, 2);
    if (inner.ports.next > ports) {
        inner.ports.next = round_up(inner.ports.next, BRIDGE_PORTS_ALIGN);
        r->ports.next = inner.ports.next;
    } else {
        ports = BRIDGE_PORTS_ALIGN;
        inner.ports.next = ports;
    }
    put(bridge, PCI_IO_BASE, ports >> 8, 1);
    put(bridge, PCI_IO_LIMIT, (inner.ports.next - 1) >> 8, 1);
    put(bridge, PCI_PREF_MEMORY_BASE, BRIDGE_MEMORY_ALIGN >> 16, 2);
    put(bridge, PCI_PREF_MEMORY_LIMIT, 0, 2);
}

/* Let the function answer, but not where one of its BARs is not placed. */
static void enable(PCIDevice *dev, void *opaque)
{
    uint16_t command = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;

    for (unsigned n = 0; n < PCI_ROM_SLOT; n++) {
        const PCIBar *bar = &dev->bars[n];
        uint32_t value = pci_get_long(dev->config + bar_register(dev, n));
        uint32_t above = 0;

        if (!bar->mr) {
            continue;
        }
        if (bar->type & PCI_BASE_ADDRESS_SPACE_IO) {
            if (!(value & PCI_BASE_ADDRESS_IO_MASK)) {
                command &= ~PCI_COMMAND_IO;
            }
            continue;
        }
        if (bar->type & PCI_BASE_ADDRESS_MEM_TYPE_64) {
            above = pci_get_long(dev->config + bar_register(dev, n) + 4);
        }
        if (!(value & PCI_BASE_ADDRESS_MEM_MASK) && !above) {
            command &= ~PCI_COMMAND_MEMORY;
        }
    }
    put(dev, PCI_COMMAND, pci_get_word(dev->config + PCI_COMMAND) | command |
        (pci_bridge_bus(dev) ? PCI_COMMAND_MASTER : 0), 2);
}

static void setup_bus(Resources *r, PCIBus *bus)
{
    g_autoptr(GArray) bars = g_array_new(FALSE, FALSE, sizeof(BarOf));

    pci_bus_foreach(bus, collect_bars, bars);
    g_array_sort(bars, compare_bars);
    for (unsigned i = 0; i < bars->len; i++) {
        const BarOf *bar = &g_array_index(bars, BarOf, i);

        place_bar(r, bar->dev, bar->n);
    }
    pci_bus_foreach(bus, setup_bridge, r);
    pci_bus_foreach(bus, set_interrupt_line, NULL);
    pci_bus_foreach(bus, enable, NULL);
}

void pc_setup_pci(PCMachine *s)
{
    Resources r = {
        .ports = { PORTS_BASE, PORTS_LIMIT },
        .memory = { MAX(MEMORY_BASE, s->lomem_size), MEMORY_LIMIT },
    };
    uint64_t last;

    pc_get_high_hole(s, &r.high.next, &last);
    r.high.limit = last ? last + 1 : 0;
    if (s->machine.pci) {
        setup_bus(&r, s->machine.pci);
    }
    if (s->pm) { /* its interrupt is not a PIRQ */
        put(s->pm, PCI_INTERRUPT_LINE, PC_SCI_IRQ, 1);
    }
}
