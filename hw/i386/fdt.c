/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device tree of a board, from its table. Devicetree specification 0.4;
 * bindings of the interrupt controllers: intel,ce4100-ioapic and -lapic.
 *
 * Ports are children of an ISA bus: a first cell of 1 in `reg` says "I/O port".
 */
#include "hw/i386/fdt.h"
#include "target-i386/topology.h"

#include <assert.h>
#include <libfdt.h>
#include <string.h>

#define PHANDLE_IOAPIC 1
#define EDGE_RISING 0
#define ISA_IO 1
#define HIMEM_BASE 0x100000000ull

/* Tree under construction: a failure sticks, and is a bug (the size below). */
typedef struct Tree {
    void *fdt;
    int failed;
} Tree;

#define TREE(t, call)                    \
    do {                                 \
        int tree_result = (call);        \
                                         \
        if (tree_result < 0) {           \
            (t)->failed = tree_result;   \
        }                                \
    } while (0)

static void begin(Tree *t, const char *name)
{
    TREE(t, fdt_begin_node(t->fdt, name));
}

static void begin_at(Tree *t, const char *name, uint64_t address)
{
    g_autofree char *full = g_strdup_printf("%s@%" PRIx64, name, address);

    begin(t, full);
}

static void end(Tree *t)
{
    TREE(t, fdt_end_node(t->fdt));
}

static void put_string(Tree *t, const char *name, const char *value)
{
    TREE(t, fdt_property_string(t->fdt, name, value));
}

static void put_u32(Tree *t, const char *name, uint32_t value)
{
    TREE(t, fdt_property_u32(t->fdt, name, value));
}

static void put_u64(Tree *t, const char *name, uint64_t value)
{
    TREE(t, fdt_property_u64(t->fdt, name, value));
}

static void put_flag(Tree *t, const char *name)
{
    TREE(t, fdt_property(t->fdt, name, NULL, 0));
}

static void put_cells(Tree *t, const char *name, const GArray *cells)
{
    TREE(t, fdt_property(t->fdt, name, cells->data, cells->len * 4));
}

static void put_bus_cells(Tree *t, unsigned address, unsigned size)
{
    put_u32(t, "#address-cells", address);
    put_u32(t, "#size-cells", size);
}

static void add_cell(GArray *cells, uint32_t value)
{
    uint32_t cell = cpu_to_fdt32(value);

    g_array_append_val(cells, cell);
}

/* Address and size as the bus of @space has them. */
static void add_range(GArray *cells, BoardSpace space, uint64_t base,
                      uint64_t size)
{
    if (space == BOARD_PORTS) {
        add_cell(cells, ISA_IO);
        add_cell(cells, base);
        add_cell(cells, size);
    } else {
        add_cell(cells, base >> 32);
        add_cell(cells, base);
        add_cell(cells, size >> 32);
        add_cell(cells, size);
    }
}

static GArray *cells_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

static void add_chosen(Tree *t, const FDTConfig *config)
{
    const Machine *machine = config->machine;
    unsigned i;

    begin(t, "chosen");
    if (machine->append) {
        put_string(t, "bootargs", machine->append);
    }
    if (config->initrd_size) {
        put_u64(t, "linux,initrd-start", config->initrd_addr);
        put_u64(t, "linux,initrd-end",
                config->initrd_addr + config->initrd_size);
    }
    for (i = 0; i < config->table_nr; i++) {
        const BoardEntry *e = &config->table[i];

        if (e->serial == 0 && e->node && board_has(machine, e)) {
            g_autofree char *path =
                g_strdup_printf("/isa/%s@%" PRIx64, e->node, e->base);

            put_string(t, "stdout-path", path);
        }
    }
    end(t);
}

static void add_memory(Tree *t, const FDTConfig *config)
{
    g_autoptr(GArray) reg = cells_new();
    unsigned i;

    add_range(reg, BOARD_MEMORY, 0, config->lomem);
    if (config->himem) {
        add_range(reg, BOARD_MEMORY, HIMEM_BASE, config->himem);
    }
    begin_at(t, "memory", 0);
    put_string(t, "device_type", "memory");
    put_cells(t, "reg", reg);
    end(t);

    begin(t, "reserved-memory");
    put_bus_cells(t, 2, 2);
    put_flag(t, "ranges");
    for (i = 0; i < config->e820->nr; i++) {
        const E820Entry *e = &config->e820->entries[i];
        g_autoptr(GArray) range = cells_new();

        if (e->type == E820_RESERVED) {
            add_range(range, BOARD_MEMORY, e->addr, e->size);
            begin_at(t, "reserved", e->addr);
            put_cells(t, "reg", range);
            put_flag(t, "no-map");
            end(t);
        }
    }
    end(t);
}

static void add_cpus(Tree *t, const FDTConfig *config)
{
    unsigned i;

    begin(t, "cpus");
    put_bus_cells(t, 1, 0);
    for (i = 0; i < config->machine->cpus; i++) {
        uint32_t id = x86_apic_id(&config->machine->topology, i);

        begin_at(t, "cpu", id);
        put_string(t, "device_type", "cpu");
        put_string(t, "compatible", "intel,x86-64");
        put_u32(t, "reg", id);
        end(t);
    }
    end(t);
}

static void put_interrupt(Tree *t, int irq)
{
    g_autoptr(GArray) cells = cells_new();

    add_cell(cells, irq);
    add_cell(cells, EDGE_RISING);
    put_cells(t, "interrupts", cells);
}

/* Entry @i of the table and what belongs to it. */
static void add_entry(Tree *t, const FDTConfig *config, unsigned i)
{
    const BoardEntry *e = &config->table[i];
    g_autoptr(GArray) reg = cells_new();

    begin_at(t, e->node, e->base);
    put_string(t, "compatible", e->compatible);
    do {
        add_range(reg, e->space, config->table[i].base, config->table[i].size);
        i++;
    } while (i < config->table_nr && config->table[i].more);
    put_cells(t, "reg", reg);
    if (e->irq >= 0) {
        put_interrupt(t, e->irq);
    }
    if (strcmp(e->node, "interrupt-controller") == 0) {
        put_flag(t, "interrupt-controller");
        put_u32(t, "#address-cells", 0);
        put_u32(t, "#interrupt-cells", 2);
        put_u32(t, "phandle", PHANDLE_IOAPIC);
    }
    end(t);
}

/* Where region @mr is in the space of @root; false where it is not. */
static bool find_region(MemoryRegion *root, const MemoryRegion *mr,
                        hwaddr *base, hwaddr *size)
{
    hwaddr addr = 0;
    hwaddr last = memory_region_size(root) - 1;

    for (;;) {
        MemoryRegionSection s = memory_region_find(root, addr, last - addr + 1);

        if (!s.mr) {
            return false;
        }
        if (s.mr == mr) {
            *base = s.offset_within_address_space;
            *size = s.size;
            return true;
        }
        if (s.last_within_address_space >= last) {
            return false;
        }
        addr = s.last_within_address_space + 1;
    }
}

/* A device that the user added, if it has its first region in @space. */
static void add_device(Tree *t, const FDTConfig *config, const Device *dev,
                       BoardSpace space)
{
    Machine *machine = (Machine *)config->machine;
    MemoryRegion *root = space == BOARD_PORTS ? &machine->ports_root
                                              : &machine->memory_root;
    g_autofree char *compatible =
        dev->type->compatible ? g_strdup(dev->type->compatible)
                              : g_strconcat("flatview,", dev->type->name, NULL);
    g_autoptr(GArray) reg = cells_new();
    hwaddr first = 0;
    unsigned i;

    for (i = 0; i < dev->regions_nr; i++) {
        hwaddr base, size;

        if (find_region(root, dev->regions[i], &base, &size)) {
            first = reg->len ? first : base;
            add_range(reg, space, base, size);
        }
    }
    if (reg->len) {
        begin_at(t, dev->type->name, first);
        put_string(t, "compatible", compatible);
        put_cells(t, "reg", reg);
        if (dev->irqs[0].opaque && dev->irqs[0].opaque == machine->interrupts) {
            put_interrupt(t, dev->irqs[0].n);
        }
        end(t);
    }
}

static void add_space(Tree *t, const FDTConfig *config, BoardSpace space)
{
    const Machine *machine = config->machine;
    unsigned i;

    for (i = 0; i < config->table_nr; i++) {
        const BoardEntry *e = &config->table[i];

        if (e->space == space && e->node && board_has(machine, e)) {
            add_entry(t, config, i);
        }
    }
    memory_lock();
    for (i = config->devices_nr; i < machine->devices->len; i++) {
        add_device(t, config, machine->devices->pdata[i], space);
    }
    memory_unlock();
}

void *board_fdt_build(const FDTConfig *config, uint32_t *size)
{
    const Machine *machine = config->machine;
    g_autofree char *compatible = g_strdup_printf("flatview,%s",
                                                  machine->type->name);
    g_autofree char *model = g_strdup_printf("flatview %s",
                                             machine->type->name);
    size_t max = 16384 + machine->cpus * 128u + machine->devices->len * 256u +
                 (machine->append ? strlen(machine->append) : 0);
    Tree t = { .fdt = g_malloc0(max) };

    TREE(&t, fdt_create(t.fdt, max));
    TREE(&t, fdt_finish_reservemap(t.fdt));
    begin(&t, "");
    put_bus_cells(&t, 2, 2);
    put_string(&t, "compatible", compatible);
    put_string(&t, "model", model);
    put_u32(&t, "interrupt-parent", PHANDLE_IOAPIC);
    add_chosen(&t, config);
    add_memory(&t, config);
    add_cpus(&t, config);
    begin(&t, "soc");
    put_string(&t, "compatible", "simple-bus");
    put_bus_cells(&t, 2, 2);
    put_flag(&t, "ranges");
    add_space(&t, config, BOARD_MEMORY);
    end(&t);
    begin(&t, "isa");
    put_string(&t, "compatible", "isa");
    put_bus_cells(&t, 2, 1);
    add_space(&t, config, BOARD_PORTS);
    end(&t);
    end(&t);
    TREE(&t, fdt_finish(t.fdt));
    assert(t.failed == 0);
    *size = fdt_totalsize(t.fdt);
    return t.fdt;
}
