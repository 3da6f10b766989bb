/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of the memory core: accesses through the map of a small PC, and
 * changes of a map of many regions while a listener follows it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ioport.h"
#include "memory.h"
#include "tests/bench/bench.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* ---- a machine to measure -------------------------------------------------------- */

enum { DEVICES = 8, PORT_DEVICES = 16 };

typedef struct Pc {
    MemoryRegion memory, ports, ram, lomem, himem, bios, vga, apic;
    MemoryRegion device[DEVICES], port_device[PORT_DEVICES];
    AddressSpace memory_space, port_space;
    uint32_t reg;
} Pc;

static uint64_t reg_read(void *opaque, hwaddr addr, unsigned size)
{
    Pc *pc = opaque;

    return pc->reg + addr;
}

static void reg_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Pc *pc = opaque;

    pc->reg = data;
}

static const MemoryRegionOps reg_ops = {
    .read = reg_read,
    .write = reg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

#define DEVICE_BASE 0xfe000000u
#define PORT_BASE 0x300u

static void pc_make(Pc *pc)
{
    memory_region_transaction_begin();
    memory_region_init(&pc->memory, "memory", UINT64_MAX);
    memory_region_init_ram(&pc->ram, "ram", 4 * GIB);
    memory_region_init_alias(&pc->lomem, "lomem", &pc->ram, 0, 3 * GIB);
    memory_region_init_alias(&pc->himem, "himem", &pc->ram, 3 * GIB, GIB);
    memory_region_init_rom(&pc->bios, "bios", 128 * 1024);
    memory_region_init_io(&pc->vga, &reg_ops, pc, "vga", 128 * 1024);
    memory_region_init_io(&pc->apic, &reg_ops, pc, "apic", 4096);
    memory_region_add_subregion(&pc->memory, 0, &pc->lomem);
    memory_region_add_subregion(&pc->memory, 4 * GIB, &pc->himem);
    memory_region_add_subregion_overlap(&pc->memory, 0xa0000, &pc->vga, 1);
    memory_region_add_subregion_overlap(&pc->memory, 0xe0000, &pc->bios, 1);
    memory_region_add_subregion(&pc->memory, 0xfee00000, &pc->apic);
    for (unsigned i = 0; i < DEVICES; i++) {
        memory_region_init_io(&pc->device[i], &reg_ops, pc, "device", 4096);
        memory_region_add_subregion(&pc->memory, DEVICE_BASE + i * 65536,
                                    &pc->device[i]);
    }
    memory_region_init(&pc->ports, "ports", IOPORTS);
    for (unsigned i = 0; i < PORT_DEVICES; i++) {
        memory_region_init_io(&pc->port_device[i], &reg_ops, pc, "ports", 8);
        memory_region_add_subregion(&pc->ports, PORT_BASE + i * 16,
                                    &pc->port_device[i]);
    }
    memory_region_transaction_commit();
    address_space_init(&pc->memory_space, &pc->memory);
    address_space_init(&pc->port_space, &pc->ports);
}

static void pc_free(Pc *pc)
{
    address_space_destroy(&pc->memory_space);
    address_space_destroy(&pc->port_space);
    for (unsigned i = 0; i < DEVICES; i++) {
        memory_region_del_subregion(&pc->memory, &pc->device[i]);
        memory_region_destroy(&pc->device[i]);
    }
    for (unsigned i = 0; i < PORT_DEVICES; i++) {
        memory_region_del_subregion(&pc->ports, &pc->port_device[i]);
        memory_region_destroy(&pc->port_device[i]);
    }

    MemoryRegion *others[] = { &pc->lomem, &pc->himem, &pc->bios, &pc->vga,
                               &pc->apic };

    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        memory_region_del_subregion(&pc->memory, others[i]);
        memory_region_destroy(others[i]);
    }
    memory_region_destroy(&pc->ram);
    memory_region_destroy(&pc->memory);
    memory_region_destroy(&pc->ports);
}

/* ---- accesses ----------------------------------------------------------------------- */

typedef void AccessLoop(Pc *pc, unsigned n);

/* Addresses walk through 64 KiB of RAM, which stays in the cache. */
#define RAM_ADDRESS(i) (16 * MIB + ((i) * 68u & 0xfffcu))
#define DEVICE_ADDRESS(i) \
    (DEVICE_BASE + (i) % DEVICES * 65536u + ((i) * 4u & 0xffcu))
#define PORT_ADDRESS(i) (PORT_BASE + (i) % PORT_DEVICES * 16u + ((i) & 7u))

static void loop_ldl(Pc *pc, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        address_space_ldl(&pc->memory_space, RAM_ADDRESS(i),
                          MEMTXATTRS_UNSPECIFIED, NULL);
    }
}

static void loop_rw_read(Pc *pc, unsigned n)
{
    uint32_t value;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(&pc->memory_space, RAM_ADDRESS(i), (uint8_t *)&value,
                         sizeof(value), false);
    }
}

static void loop_rw_write(Pc *pc, unsigned n)
{
    uint32_t value = 1;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(&pc->memory_space, RAM_ADDRESS(i), (uint8_t *)&value,
                         sizeof(value), true);
    }
}

static void loop_mmio_read(Pc *pc, unsigned n)
{
    uint32_t value;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(&pc->memory_space, DEVICE_ADDRESS(i),
                         (uint8_t *)&value, sizeof(value), false);
    }
}

static void loop_mmio_write(Pc *pc, unsigned n)
{
    uint32_t value = 1;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(&pc->memory_space, DEVICE_ADDRESS(i),
                         (uint8_t *)&value, sizeof(value), true);
    }
}

static void loop_port_read(Pc *pc, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        cpu_inb(&pc->port_space, PORT_ADDRESS(i));
    }
}

static void bench_access(GArray *figures, Pc *pc, Figure f, AccessLoop *loop)
{
    enum { ACCESSES = 2 * 1000 * 1000 };
    double samples[BENCH_RUNS];

    loop(pc, ACCESSES / 10); /* warm up */
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        uint64_t start = bench_thread_time();

        loop(pc, ACCESSES);
        samples[run] = (double)(bench_thread_time() - start) / ACCESSES;
    }
    figure_set(&f, samples, BENCH_RUNS);
    g_array_append_val(figures, f);
}

/* ---- changes -------------------------------------------------------------------------- */

typedef struct Follower {
    MemoryListener listener;
    unsigned sections;
} Follower;

static void follower_add(MemoryListener *listener, MemoryRegionSection *section)
{
    ((Follower *)listener)->sections++;
}

static void follower_del(MemoryListener *listener, MemoryRegionSection *section)
{
    ((Follower *)listener)->sections--;
}

/* Switch one of @nr regions off and on again, each time one commit. */
static void bench_toggle(GArray *figures, Figure f, unsigned nr)
{
    Follower follower = {
        .listener = { .region_add = follower_add, .region_del = follower_del },
    };
    MemoryRegion *regions = g_new0(MemoryRegion, nr), root;
    unsigned toggles = 2 * (20 + 20000 / nr);
    double samples[BENCH_RUNS];
    AddressSpace as;
    Pc pc = { 0 };

    memory_region_init(&root, "root", UINT64_MAX);
    address_space_init(&as, &root);
    memory_listener_register(&follower.listener, &as);
    memory_region_transaction_begin();
    for (unsigned i = 0; i < nr; i++) {
        memory_region_init_io(&regions[i], &reg_ops, &pc, "device", 4096);
        memory_region_add_subregion(&root, (hwaddr)i * 8192, &regions[i]);
    }
    memory_region_transaction_commit();

    MemoryRegion *toggled = &regions[nr / 2];

    for (unsigned run = 0; run < BENCH_RUNS + 1; run++) {
        uint64_t start = bench_thread_time();

        for (unsigned i = 0; i < toggles; i++) {
            memory_region_set_enabled(toggled, i & 1);
            if (follower.sections != nr - !(i & 1)) {
                fprintf(stderr, "bench: the listener knows %u regions of %u\n",
                        follower.sections, nr);
                exit(1);
            }
        }
        if (run) { /* the first warms up */
            samples[run - 1] = (double)(bench_thread_time() - start) / toggles / 1e3;
        }
    }
    figure_set(&f, samples, BENCH_RUNS);
    g_array_append_val(figures, f);

    memory_listener_unregister(&follower.listener);
    address_space_destroy(&as);
    for (unsigned i = 0; i < nr; i++) {
        memory_region_del_subregion(&root, &regions[i]);
        memory_region_destroy(&regions[i]);
    }
    memory_region_destroy(&root);
    g_free(regions);
}

void bench_core(GArray *figures)
{
    Pc *pc = g_new0(Pc, 1);

    pc_make(pc);
    bench_access(figures, pc, (Figure) {
        .key = "ram_load", .unit = "ns", .peer = "24-29 ns",
        .text = "RAM load, 4 bytes (address_space_ldl)" }, loop_ldl);
    bench_access(figures, pc, (Figure) {
        .key = "ram_rw_read", .unit = "ns", .peer = "28-32 ns",
        .text = "RAM read, 4 bytes (address_space_rw)" }, loop_rw_read);
    bench_access(figures, pc, (Figure) {
        .key = "ram_rw_write", .unit = "ns", .peer = "28-32 ns",
        .text = "RAM write, 4 bytes (address_space_rw)" }, loop_rw_write);
    bench_access(figures, pc, (Figure) {
        .key = "mmio_read", .unit = "ns", .peer = "34-47 ns",
        .text = "MMIO read, 4 bytes (address_space_rw)" }, loop_mmio_read);
    bench_access(figures, pc, (Figure) {
        .key = "mmio_write", .unit = "ns", .peer = "34-47 ns",
        .text = "MMIO write, 4 bytes (address_space_rw)" }, loop_mmio_write);
    bench_access(figures, pc, (Figure) {
        .key = "port_read", .unit = "ns",
        .text = "port read, 1 byte (cpu_inb)" }, loop_port_read);
    pc_free(pc);
    g_free(pc);

    bench_toggle(figures, (Figure) {
        .key = "toggle_10", .unit = "us", .peer = "19 us",
        .text = "toggle one region of 10" }, 10);
    bench_toggle(figures, (Figure) {
        .key = "toggle_100", .unit = "us",
        .text = "toggle one region of 100" }, 100);
    bench_toggle(figures, (Figure) {
        .key = "toggle_1000", .unit = "us", .peer = "440 us",
        .text = "toggle one region of 1,000" }, 1000);
    bench_toggle(figures, (Figure) {
        .key = "toggle_4000", .unit = "us", .peer = "11,400 us",
        .text = "toggle one region of 4,000" }, 4000);
    bench_toggle(figures, (Figure) {
        .key = "toggle_10000", .unit = "us",
        .peer = "an assertion fails above 4,095",
        .text = "toggle one region of 10,000" }, 10000);
}
