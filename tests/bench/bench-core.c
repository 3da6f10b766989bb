/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of accesses through the map of a small PC: by one thread, by two at
 * once, and of a block too large for any cache.
 */
#include <string.h>
#include <sys/mman.h>

#include "ioport.h"
#include "memory.h"
#include "tests/bench/bench.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* ---- a machine to measure -------------------------------------------------------- */

enum { DEVICES = 8, PORT_DEVICES = 16, LOCKINGS = 3 };

/* Two devices share no line of the cache, as when each is allocated. */
typedef struct Device {
    MemoryRegion mr;
    pthread_mutex_t lock;
    uint32_t reg;
} __attribute__((aligned(128))) Device;

typedef struct Pc {
    Device device[LOCKINGS][DEVICES], port_device[PORT_DEVICES], vga, apic;
    MemoryRegion memory, ports, ram, lomem, himem, bios;
    AddressSpace memory_space, port_space;
} Pc;

#define RAM_BASE (16 * MIB)
#define VGA_BASE 0xa0000u
#define BIOS_BASE 0xe0000u
#define APIC_BASE 0xfee00000u
#define PORT_BASE 0x300u

static hwaddr device_base(unsigned locking, unsigned i)
{
    return 0xfe000000u + locking * MIB + i * 65536;
}

static void device_init(Device *device, const char *name, uint64_t size)
{
    memory_region_init_io(&device->mr, &bench_reg_ops, &device->reg, name,
                          size);
    pthread_mutex_init(&device->lock, NULL);
}

static void pc_make(Pc *pc)
{
    memory_region_transaction_begin();
    memory_region_init(&pc->memory, "memory", UINT64_MAX);
    memory_region_init_ram(&pc->ram, "ram", 4 * GIB);
    memory_region_init_alias(&pc->lomem, "lomem", &pc->ram, 0, 3 * GIB);
    memory_region_init_alias(&pc->himem, "himem", &pc->ram, 3 * GIB, GIB);
    memory_region_init_rom(&pc->bios, "bios", 128 * 1024);
    device_init(&pc->vga, "vga", 128 * 1024);
    device_init(&pc->apic, "apic", 4096);
    memory_region_add_subregion(&pc->memory, 0, &pc->lomem);
    memory_region_add_subregion(&pc->memory, 4 * GIB, &pc->himem);
    memory_region_add_subregion_overlap(&pc->memory, VGA_BASE, &pc->vga.mr, 1);
    memory_region_add_subregion_overlap(&pc->memory, BIOS_BASE, &pc->bios, 1);
    memory_region_add_subregion(&pc->memory, APIC_BASE, &pc->apic.mr);
    for (unsigned locking = 0; locking < LOCKINGS; locking++) {
        for (unsigned i = 0; i < DEVICES; i++) {
            Device *device = &pc->device[locking][i];

            device_init(device, "device", 4096);
            if (locking == MEMORY_LOCKING_OWN) {
                memory_region_set_lock(&device->mr, &device->lock);
            } else if (locking == MEMORY_LOCKING_NONE) {
                memory_region_clear_global_locking(&device->mr);
            }
            memory_region_add_subregion(&pc->memory, device_base(locking, i),
                                        &device->mr);
        }
    }
    memory_region_init(&pc->ports, "ports", IOPORTS);
    for (unsigned i = 0; i < PORT_DEVICES; i++) {
        device_init(&pc->port_device[i], "ports", 8);
        memory_region_add_subregion(&pc->ports, PORT_BASE + i * 16,
                                    &pc->port_device[i].mr);
    }
    memory_region_transaction_commit();
    address_space_init(&pc->memory_space, &pc->memory);
    address_space_init(&pc->port_space, &pc->ports);
}

static void device_free(MemoryRegion *parent, Device *device)
{
    memory_region_del_subregion(parent, &device->mr);
    memory_region_destroy(&device->mr);
    pthread_mutex_destroy(&device->lock);
}

static void pc_free(Pc *pc)
{
    MemoryRegion *others[] = { &pc->lomem, &pc->himem, &pc->bios };

    address_space_destroy(&pc->memory_space);
    address_space_destroy(&pc->port_space);
    for (unsigned locking = 0; locking < LOCKINGS; locking++) {
        for (unsigned i = 0; i < DEVICES; i++) {
            device_free(&pc->memory, &pc->device[locking][i]);
        }
    }
    for (unsigned i = 0; i < PORT_DEVICES; i++) {
        device_free(&pc->ports, &pc->port_device[i]);
    }
    device_free(&pc->memory, &pc->vga);
    device_free(&pc->memory, &pc->apic);
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        memory_region_del_subregion(&pc->memory, others[i]);
        memory_region_destroy(others[i]);
    }
    memory_region_destroy(&pc->ram);
    memory_region_destroy(&pc->memory);
    memory_region_destroy(&pc->ports);
}

/* ---- accesses ----------------------------------------------------------------------- */

/* Where a loop makes its accesses: one or all of some devices, from @base on. */
typedef struct Place {
    AddressSpace *as;
    hwaddr base;
    unsigned devices; /* a power of two */
} Place;

typedef void AccessLoop(Place at, unsigned n);

/* Addresses walk through 64 KiB of RAM, which stays in the cache. */
#define RAM_ADDRESS(i) (at.base + ((i) * 68u & 0xfffcu))
#define DEVICE_ADDRESS(i) \
    (at.base + ((i) & (at.devices - 1)) * 65536u + ((i) * 4u & 0xffcu))
#define PORT_ADDRESS(i) (PORT_BASE + (i) % PORT_DEVICES * 16u + ((i) & 7u))

static void loop_ldl(Place at, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        address_space_ldl(at.as, RAM_ADDRESS(i), MEMTXATTRS_UNSPECIFIED, NULL);
    }
}

static void loop_ram_read(Place at, unsigned n)
{
    uint32_t value;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(at.as, RAM_ADDRESS(i), (uint8_t *)&value,
                         sizeof(value), false);
    }
}

static void loop_ram_write(Place at, unsigned n)
{
    uint32_t value = 1;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(at.as, RAM_ADDRESS(i), (uint8_t *)&value,
                         sizeof(value), true);
    }
}

static void loop_mmio_read(Place at, unsigned n)
{
    uint32_t value;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(at.as, DEVICE_ADDRESS(i), (uint8_t *)&value,
                         sizeof(value), false);
    }
}

static void loop_mmio_write(Place at, unsigned n)
{
    uint32_t value = 1;

    for (unsigned i = 0; i < n; i++) {
        address_space_rw(at.as, DEVICE_ADDRESS(i), (uint8_t *)&value,
                         sizeof(value), true);
    }
}

static void loop_port_read(Place at, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        cpu_inb(at.as, PORT_ADDRESS(i));
    }
}

enum { ACCESSES = 1000 * 1000 };

static void bench_access(GArray *figures, Figure f, AccessLoop *loop, Place at)
{
    Samples s = { 0 };

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "ns";
    loop(at, ACCESSES / 10); /* warm up */
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        samples_start(&s);
        loop(at, ACCESSES);
        samples_stop(&s, ACCESSES);
    }
    figure_set_samples(&f, &s);
    g_array_append_val(figures, f);
}

/* What is measured does what it should: each kind of access gets where it is
 * meant to go. */
static void check_accesses(Pc *pc, uint32_t value)
{
    Figure f = { .key = "accesses" };
    AddressSpace *as = &pc->memory_space;
    uint32_t got;

    address_space_rw(as, RAM_BASE + 4, (uint8_t *)&value, 4, true);
    address_space_rw(as, RAM_BASE + 4, (uint8_t *)&got, 4, false);
    if (got != value || address_space_ldl(as, RAM_BASE + 4,
                                          MEMTXATTRS_UNSPECIFIED,
                                          NULL) != value) {
        bench_wrong(&f, "RAM reads %#x where %#x was written", got, value);
    }
    for (unsigned locking = 0; locking < LOCKINGS; locking++) {
        for (unsigned i = 0; i < DEVICES; i++) {
            hwaddr base = device_base(locking, i);

            value++;
            address_space_rw(as, base, (uint8_t *)&value, 4, true);
            address_space_rw(as, base + 8, (uint8_t *)&got, 4, false);
            if (pc->device[locking][i].reg != value || got != value + 8) {
                bench_wrong(&f, "the device at %#" PRIx64 " reads %#x where "
                            "%#x was written", base, got, value);
            }
        }
    }
    pc->port_device[3].reg = value;
    if (cpu_inb(&pc->port_space, PORT_BASE + 3 * 16 + 2) !=
        (uint8_t)(value + 2)) {
        bench_wrong(&f, "a port reads wrong");
    }
}

static void bench_one_thread(GArray *figures, Pc *pc)
{
    Place ram = { &pc->memory_space, RAM_BASE, 1 };
    Place device[LOCKINGS], ports = { &pc->port_space, PORT_BASE, 1 };

    for (unsigned i = 0; i < LOCKINGS; i++) {
        device[i] = (Place) { &pc->memory_space, device_base(i, 0), DEVICES };
    }
    bench_access(figures, (Figure) {
        .key = "ram_load", .target = 6, .peer = "24-29 ns",
        .text = "RAM load, 4 bytes (address_space_ldl)" }, loop_ldl, ram);
    bench_access(figures, (Figure) {
        .key = "ram_rw_read", .target = 10, .peer = "28-32 ns",
        .text = "RAM read, 4 bytes (address_space_rw)" }, loop_ram_read, ram);
    bench_access(figures, (Figure) {
        .key = "ram_rw_write", .target = 10, .peer = "28-32 ns",
        .text = "RAM write, 4 bytes (address_space_rw)" }, loop_ram_write, ram);
    bench_access(figures, (Figure) {
        .key = "mmio_read_lockfree", .target = 12, .peer = "34-47 ns",
        .text = "MMIO read, 4 bytes, no lock" },
        loop_mmio_read, device[MEMORY_LOCKING_NONE]);
    bench_access(figures, (Figure) {
        .key = "mmio_write_lockfree", .target = 12, .peer = "34-47 ns",
        .text = "MMIO write, 4 bytes, no lock" },
        loop_mmio_write, device[MEMORY_LOCKING_NONE]);
    bench_access(figures, (Figure) {
        .key = "mmio_read_own", .target = 12, .peer = "34-47 ns",
        .text = "MMIO read, 4 bytes, the device's lock" },
        loop_mmio_read, device[MEMORY_LOCKING_OWN]);
    bench_access(figures, (Figure) {
        .key = "mmio_write_own", .target = 12, .peer = "34-47 ns",
        .text = "MMIO write, 4 bytes, the device's lock" },
        loop_mmio_write, device[MEMORY_LOCKING_OWN]);
    bench_access(figures, (Figure) {
        .key = "mmio_read_global", .target = 12, .peer = "34-47 ns",
        .text = "MMIO read, 4 bytes, the memory lock" },
        loop_mmio_read, device[MEMORY_LOCKING_GLOBAL]);
    bench_access(figures, (Figure) {
        .key = "mmio_write_global", .target = 12, .peer = "34-47 ns",
        .text = "MMIO write, 4 bytes, the memory lock" },
        loop_mmio_write, device[MEMORY_LOCKING_GLOBAL]);
    bench_access(figures, (Figure) {
        .key = "port_read",
        .text = "port read, 1 byte (cpu_inb), the memory lock" },
        loop_port_read, ports);
}

/* ---- two threads at once --------------------------------------------------------------- */

typedef struct Runner {
    pthread_t thread;
    pthread_barrier_t *barrier;
    unsigned index;
    AccessLoop *loop;
    Place at;
    Samples samples;
} Runner;

/* Stay on a processor of one's own, the @index-th of those there are: otherwise
 * two threads that soon end may well share one, and not meet at all. */
static void take_processor(unsigned index)
{
    cpu_set_t all, one;

    if (sched_getaffinity(0, sizeof(all), &all)) {
        return;
    }
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &all) && !index--) {
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof(one), &one);
            return;
        }
    }
}

static void *runner_main(void *opaque)
{
    Runner *runner = opaque;

    take_processor(runner->index);
    runner->loop(runner->at, ACCESSES / 10);
    pthread_barrier_wait(runner->barrier);
    samples_start(&runner->samples);
    runner->loop(runner->at, ACCESSES);
    samples_stop(&runner->samples, ACCESSES);
    return NULL;
}

static void runners_run(Runner *runners, unsigned nr)
{
    pthread_barrier_t barrier;

    pthread_barrier_init(&barrier, NULL, nr);
    for (unsigned i = 0; i < nr; i++) {
        runners[i].samples.nr = 0;
        runners[i].barrier = &barrier;
        runners[i].index = i;
        if (pthread_create(&runners[i].thread, NULL, runner_main,
                           &runners[i])) {
            bench_wrong(&(Figure) { .key = "threads" }, "no thread to be had");
        }
    }
    for (unsigned i = 0; i < nr; i++) {
        pthread_join(runners[i].thread, NULL);
    }
    pthread_barrier_destroy(&barrier);
}

/* How much longer the slower of two threads takes than one alone. */
static void bench_two_threads(GArray *figures, Figure f, AccessLoop *loop,
                              Place first, Place second)
{
    double thread[BENCH_RUNS], wall[BENCH_RUNS];

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "x";
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        Runner runners[2] = { { .loop = loop, .at = first },
                              { .loop = loop, .at = second } };
        Samples one;

        runners_run(runners, 1);
        one = runners[0].samples;
        runners_run(runners, 2);
        thread[run] = MAX(runners[0].samples.thread[0],
                          runners[1].samples.thread[0]) / one.thread[0];
        wall[run] = MAX(runners[0].samples.wall[0],
                        runners[1].samples.wall[0]) / one.wall[0];
    }
    figure_set(&f, wall, BENCH_RUNS);
    f.wall = f.median;
    figure_set(&f, thread, BENCH_RUNS);
    g_array_append_val(figures, f);
}

/* The same with nothing of ours in it: what the machine itself takes for two
 * threads. */
static void loop_nothing(Place at, unsigned n)
{
    for (unsigned i = 0; i < 8 * n; i++) {
        __asm__ volatile("" : : "r"(RAM_ADDRESS(i)));
    }
}

static void bench_threads(GArray *figures, Pc *pc)
{
    Place ram[2], none[2], own[2], global[2];

    for (unsigned i = 0; i < 2; i++) {
        AddressSpace *as = &pc->memory_space;

        ram[i] = (Place) { as, RAM_BASE + i * MIB, 1 };
        none[i] = (Place) { as, device_base(MEMORY_LOCKING_NONE, i), 1 };
        own[i] = (Place) { as, device_base(MEMORY_LOCKING_OWN, i), 1 };
        global[i] = (Place) { as, device_base(MEMORY_LOCKING_GLOBAL, i), 1 };
    }
    bench_two_threads(figures, (Figure) {
        .key = "threads_nothing",
        .text = "two threads at once/one: nothing shared" },
        loop_nothing, ram[0], ram[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_ram_load", .target = 1.1,
        .text = "two threads at once/one: RAM load" },
        loop_ldl, ram[0], ram[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_ram_rw_read", .target = 1.1,
        .text = "two threads at once/one: RAM read" },
        loop_ram_read, ram[0], ram[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_ram_rw_write", .target = 1.1,
        .text = "two threads at once/one: RAM write" },
        loop_ram_write, ram[0], ram[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_mmio_read_lockfree", .target = 1.1,
        .text = "two threads at once/one: MMIO read, no lock" },
        loop_mmio_read, none[0], none[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_mmio_write_lockfree", .target = 1.1,
        .text = "two threads at once/one: MMIO write, no lock" },
        loop_mmio_write, none[0], none[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_mmio_read_own", .target = 1.1,
        .text = "two threads at once/one: MMIO read, own lock" },
        loop_mmio_read, own[0], own[1]);
    bench_two_threads(figures, (Figure) {
        .key = "threads_mmio_write_own", .target = 1.1,
        .text = "two threads at once/one: MMIO write, own lock" },
        loop_mmio_write, own[0], own[1]);
    /* No target: this one waits. It shows what the others are spared. */
    bench_two_threads(figures, (Figure) {
        .key = "threads_mmio_read_global",
        .text = "two threads at once/one: MMIO read, mem. lock" },
        loop_mmio_read, global[0], global[1]);
}

/* ---- a block ------------------------------------------------------------------------------ */

/* A gibibyte in two calls, as the buffer and the RAM are both in memory. */
#define BULK_BYTES (512 * MIB)
#define BULK_TIMES 2

static void bench_bulk(GArray *figures, Figure f, Pc *pc, bool is_write)
{
    uint8_t *host = (uint8_t *)memory_region_get_ram_ptr(&pc->ram) + RAM_BASE;
    uint8_t *buf, *to, *from;
    double ratios[BENCH_RUNS];
    Samples s[2];

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "x";
    buf = mmap(NULL, BULK_BYTES, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buf == MAP_FAILED) {
        bench_wrong(&f, "no memory");
    }
    to = is_write ? host : buf;
    from = is_write ? buf : host;
    memset(from, 0x5a, BULK_BYTES);
    memset(to, 0xa5, BULK_BYTES);
    address_space_rw(&pc->memory_space, RAM_BASE, buf, BULK_BYTES, is_write);
    if (memcmp(to, from, BULK_BYTES)) {
        bench_wrong(&f, "the copy differs");
    }
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        s[0].nr = s[1].nr = 0;
        for (unsigned turn = 0; turn < 2; turn++) {
            unsigned bare = (run ^ turn) & 1;

            samples_start(&s[bare]);
            for (unsigned i = 0; i < BULK_TIMES; i++) {
                if (bare) {
                    memcpy(to, from, BULK_BYTES);
                    __asm__ volatile("" : : : "memory");
                } else {
                    address_space_rw(&pc->memory_space, RAM_BASE, buf,
                                     BULK_BYTES, is_write);
                }
            }
            samples_stop(&s[bare], 1);
        }
        ratios[run] = s[0].thread[0] / s[1].thread[0];
    }
    figure_set(&f, ratios, BENCH_RUNS);
    g_array_append_val(figures, f);
    munmap(buf, BULK_BYTES);
}

void bench_core(GArray *figures)
{
    Pc *pc = g_aligned_alloc0(1, sizeof(Pc), 128);

    pc_make(pc);
    check_accesses(pc, 0x12345678); /* a thread's first is a special case */
    check_accesses(pc, 0x2468ace0);
    bench_one_thread(figures, pc);
    bench_threads(figures, pc);
    bench_bulk(figures, (Figure) {
        .key = "bulk_read", .target = 1.05,
        .text = "read of 1 GiB (address_space_rw)/memcpy" }, pc, false);
    bench_bulk(figures, (Figure) {
        .key = "bulk_write", .target = 1.05,
        .text = "write of 1 GiB (address_space_rw)/memcpy" }, pc, true);
    pc_free(pc);
    g_aligned_free(pc);
}
