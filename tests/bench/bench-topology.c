/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of changes of the map, while a listener follows it: in maps of many
 * regions, and with many devices that each see the system through a space of
 * their own. The classic way, tests/baseline.h, does the same in the same run.
 */
#include "memory-internal.h"
#include "rcu.h"
#include "tests/baseline.h"
#include "tests/bench/bench.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* ---- a map of many regions ---------------------------------------------------------- */

/* 4 KiB devices, one every 8 KiB, so that none continues another; between the
 * two halves there is room for a BAR. */
typedef struct Map {
    MemoryRegion root, *regions;
    unsigned nr;
    uint32_t reg;
    AddressSpace as;
    Follower follower;
    Figure *figure; /* that it is for */
} Map;

#define STRIDE 8192u
#define ROOM (256 * MIB)

static hwaddr room_base(const Map *map)
{
    return (hwaddr)(map->nr / 2) * STRIDE / MIB * MIB + MIB;
}

static hwaddr region_base(const Map *map, unsigned i)
{
    return i < map->nr / 2
               ? (hwaddr)i * STRIDE
               : room_base(map) + ROOM + (hwaddr)(i - map->nr / 2) * STRIDE;
}

static void map_make(Map *map, Figure *figure, unsigned nr)
{
    *map = (Map) { .regions = g_new0(MemoryRegion, nr), .nr = nr,
                   .figure = figure };
    memory_region_init(&map->root, "root", UINT64_MAX);
    address_space_init(&map->as, &map->root);
    follower_start(&map->follower, &map->as);
}

static void map_add(Map *map, unsigned i)
{
    memory_region_init_io(&map->regions[i], &bench_reg_ops, &map->reg, "device",
                          4096);
    memory_region_add_subregion(&map->root, region_base(map, i),
                                &map->regions[i]);
}

/* All regions, in one commit. */
static void map_fill(Map *map)
{
    memory_region_transaction_begin();
    for (unsigned i = 0; i < map->nr; i++) {
        map_add(map, i);
    }
    memory_region_transaction_commit();
    follower_check(&map->follower, map->figure, map->nr);
}

static void map_free(Map *map)
{
    follower_stop(&map->follower);
    follower_check(&map->follower, map->figure, 0);
    memory_region_transaction_begin();
    for (unsigned i = 0; i < map->nr; i++) {
        memory_region_del_subregion(&map->root, &map->regions[i]);
    }
    memory_region_transaction_commit();
    for (unsigned i = 0; i < map->nr; i++) {
        memory_region_destroy(&map->regions[i]);
    }
    address_space_destroy(&map->as);
    memory_region_destroy(&map->root);
    g_free(map->regions);
}

/* One change, the @i-th in a row. */
typedef void Change(Map *map, unsigned i);

/* The classic way must find the change that the listener heard of. */
static void check_baseline(const Map *map, const Baseline *b)
{
    unsigned nr;

    baseline_ranges(b, &nr);
    follower_check(&map->follower, map->figure, nr);
}

/* The time of @change alone is a sample; then, at most as often as @runs, that
 * of as many changes with the classic way after each, less @change itself. */
static void map_measure(Map *map, Change *change, unsigned per_run)
{
    unsigned size = map->nr;
    unsigned runs = size > 100000 ? 3 : size > 10000 ? 5 : BENCH_RUNS;
    unsigned commits = 2 * MAX(1, 5000 / size);
    Figure *f = map->figure, baseline = { .unit = f->unit };
    Samples s = { 0 };
    Baseline *b;

    for (unsigned run = 0; run < BENCH_RUNS + 1; run++) {
        samples_start(&s);
        for (unsigned i = 0; i < per_run; i++) {
            change(map, i);
        }
        samples_stop(&s, per_run);
        if (!run) { /* warms up */
            s.nr = 0;
        }
    }
    figure_set_samples(f, &s);

    s.nr = 0;
    b = baseline_new(&map->root, &map->as);
    baseline_commit(b);
    for (unsigned run = 0; run < runs + 1; run++) {
        samples_start(&s);
        for (unsigned i = 0; i < commits; i++) {
            change(map, i);
            baseline_commit(b);
        }
        samples_stop(&s, commits);
        check_baseline(map, b);
        if (!run) {
            s.nr = 0;
        }
    }
    figure_set_samples(&baseline, &s);
    f->baseline = baseline.median - f->median;
    f->baseline_runs = runs;
    baseline_free(b);
}

/* ---- one region goes and comes -------------------------------------------------------- */

static void change_toggle(Map *map, unsigned i)
{
    memory_region_set_enabled(&map->regions[map->nr / 2], i & 1);
    follower_check(&map->follower, map->figure, map->nr - !(i & 1));
}

static void bench_toggle(GArray *figures, Figure f, unsigned nr)
{
    Map map;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "us";
    map_make(&map, &f, nr);
    map_fill(&map);
    map_measure(&map, change_toggle, 2000);
    map_free(&map);
    g_array_append_val(figures, f);
}

/* Another region each time, so that little of what a change looks at is in the
 * cache; then the bytes that a range takes in a tree with such a past. */
static void bench_toggle_random(GArray *figures, Figure f, unsigned nr)
{
    enum { TOGGLES = 20000 };
    unsigned shown = nr;
    Samples s = { 0 };
    uint64_t seed = 1;
    Map map;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "us";
    map_make(&map, &f, nr);
    map_fill(&map);
    for (unsigned run = 0; run < BENCH_RUNS + 1; run++) {
        samples_start(&s);
        for (unsigned i = 0; i < TOGGLES; i++) {
            MemoryRegion *mr = &map.regions[bench_random(&seed) % nr];

            shown += mr->enabled ? -1 : 1;
            memory_region_set_enabled(mr, !mr->enabled);
            follower_check(&map.follower, &f, shown);
        }
        samples_stop(&s, TOGGLES);
        if (!run) {
            s.nr = 0;
        }
    }
    figure_set_samples(&f, &s);
    map_free(&map);
    g_array_append_val(figures, f);
}

/* ---- a BAR moves ------------------------------------------------------------------------ */

static MemoryRegion bar;

/* Over free places, each 16 MiB, so that one range goes and another comes. */
static void change_move(Map *map, unsigned i)
{
    hwaddr to = room_base(map) + (i * 5 + 1) % 16 * (16 * MIB);

    memory_region_set_address(&bar, to);
    if (map->follower.added_at != to) {
        bench_wrong(map->figure, "the listener missed a move");
    }
}

static void bench_move(GArray *figures, Figure f, unsigned nr)
{
    Map map;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "us";
    memory_region_init_ram(&bar, "bar", 16 * MIB);
    map_make(&map, &f, nr);
    map_fill(&map);
    memory_region_add_subregion(&map.root, room_base(&map), &bar);
    map_measure(&map, change_move, 2000);
    follower_check(&map.follower, &f, nr + 1);
    memory_region_del_subregion(&map.root, &bar);
    map_free(&map);
    memory_region_destroy(&bar);
    g_array_append_val(figures, f);
}

/* ---- a map is built ----------------------------------------------------------------------- */

/* One commit for each region. @b: the classic way after each, or NULL. */
static void build(Map *map, Baseline *b)
{
    for (unsigned i = 0; i < map->nr; i++) {
        map_add(map, i);
        follower_check(&map->follower, map->figure, i + 1);
        if (b) {
            baseline_commit(b);
        }
    }
}

static void bench_build(GArray *figures, Figure f, unsigned nr, bool classic)
{
    Figure baseline = { .unit = "ms" };
    Samples s[2] = { 0 };
    Map map;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "ms";
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        for (unsigned with = 0; with < 1u + classic; with++) {
            Baseline *b = NULL;

            map_make(&map, &f, nr);
            if (with) {
                b = baseline_new(&map.root, &map.as);
            }
            samples_start(&s[with]);
            build(&map, b);
            samples_stop(&s[with], 1);
            if (with) {
                check_baseline(&map, b);
                baseline_free(b);
            }
            map_free(&map);
        }
    }
    figure_set_samples(&f, &s[0]);
    if (classic) {
        figure_set_samples(&baseline, &s[1]);
        f.baseline = baseline.median - f.median;
        f.baseline_runs = BENCH_RUNS;
    }
    g_array_append_val(figures, f);
}

/* ---- devices that are masters -------------------------------------------------------------- */

/*
 * The registers of a device are a BAR; its queues another, with a page for
 * interrupts over its middle. It sees the system through an alias that is the
 * one thing in its own root, as a bus-master enable bit wants it.
 */
typedef struct PciDevice {
    MemoryRegion bar[2], msix, master, window;
    AddressSpace as;
} PciDevice;

typedef struct Pci {
    MemoryRegion system, ram, pci, hole;
    AddressSpace as;
    uint32_t reg;
    unsigned nr;
    PciDevice *device;
    Follower follower;
    size_t bytes;  /* of all views, before there are devices */
    Baseline **b;  /* of the system, and of each device; NULL: none */
} Pci;

enum { BAR_BYTES = 16384, MSIX_AT = 8192, PCI_RANGES = 4 };
#define HOLE_BASE (3 * GIB)
#define PCI_BAR(i, j) (HOLE_BASE + ((i) * 2 + (j)) * (hwaddr)(2 * BAR_BYTES))

/* What views take, when nothing waits to be freed. */
static size_t views_bytes(void)
{
    size_t bytes;

    memory_lock();
    rcu_reclaim();
    bytes = flatview_live_bytes();
    memory_unlock();
    return bytes;
}

static void pci_device_make(Pci *pci, unsigned i)
{
    PciDevice *d = &pci->device[i];

    for (unsigned j = 0; j < 2; j++) {
        memory_region_init_io(&d->bar[j], &bench_reg_ops, &pci->reg, "bar",
                              BAR_BYTES);
        memory_region_set_enabled(&d->bar[j], false);
        memory_region_add_subregion(&pci->pci, PCI_BAR(i, j), &d->bar[j]);
    }
    memory_region_init_io(&d->msix, &bench_reg_ops, &pci->reg, "msix", 4096);
    memory_region_add_subregion_overlap(&d->bar[1], MSIX_AT, &d->msix, 1);
    memory_region_init(&d->master, "bus master", UINT64_MAX);
    memory_region_init_alias(&d->window, "bus master window", &pci->system, 0,
                             UINT64_MAX);
    memory_region_set_enabled(&d->window, false);
    memory_region_add_subregion(&d->master, 0, &d->window);
    address_space_init(&d->as, &d->master);
}

static void pci_make(Pci *pci, unsigned nr)
{
    *pci = (Pci) { .nr = nr, .device = g_new0(PciDevice, nr) };
    memory_region_init(&pci->system, "system", UINT64_MAX);
    memory_region_init_ram(&pci->ram, "ram", 3 * GIB);
    memory_region_add_subregion(&pci->system, 0, &pci->ram);
    memory_region_init(&pci->pci, "pci", UINT64_MAX);
    memory_region_init_alias(&pci->hole, "pci hole", &pci->pci, HOLE_BASE, GIB);
    memory_region_add_subregion(&pci->system, HOLE_BASE, &pci->hole);
    address_space_init(&pci->as, &pci->system);
    follower_start(&pci->follower, &pci->as);
    pci->bytes = views_bytes();
    memory_region_transaction_begin();
    for (unsigned i = 0; i < nr; i++) {
        pci_device_make(pci, i);
    }
    memory_region_transaction_commit();
}

static void pci_baselines_make(Pci *pci)
{
    pci->b = g_new(Baseline *, pci->nr + 1);
    for (unsigned i = 0; i < pci->nr; i++) {
        pci->b[i] = baseline_new(&pci->device[i].master, &pci->device[i].as);
    }
    pci->b[pci->nr] = baseline_new(&pci->system, &pci->as);
    for (unsigned i = 0; i <= pci->nr; i++) {
        baseline_commit(pci->b[i]);
    }
}

static void pci_baselines_free(Pci *pci)
{
    for (unsigned i = 0; pci->b && i <= pci->nr; i++) {
        baseline_free(pci->b[i]);
    }
    g_free(pci->b);
}

/* As a guest does: decoding and mastering switched on together, device by
 * device. */
static void pci_enable_all(Pci *pci, const Figure *f)
{
    for (unsigned i = 0; i < pci->nr; i++) {
        PciDevice *d = &pci->device[i];

        memory_region_transaction_begin();
        memory_region_set_enabled(&d->bar[0], true);
        memory_region_set_enabled(&d->bar[1], true);
        memory_region_set_enabled(&d->window, true);
        memory_region_transaction_commit();
        follower_check(&pci->follower, f, 1 + PCI_RANGES * (i + 1));
        for (unsigned j = 0; pci->b && j <= pci->nr; j++) {
            baseline_commit(pci->b[j]);
        }
    }
}

static uint32_t load(AddressSpace *as, hwaddr addr, MemTxResult *result)
{
    return address_space_ldl(as, addr, MEMTXATTRS_UNSPECIFIED, result);
}

/* Each device sees RAM and the registers of its neighbours, or nothing. */
static void pci_check(Pci *pci, const Figure *f, bool enabled)
{
    uint32_t word = 0x600d600d;
    MemTxResult r[3];

    address_space_write(&pci->as, MIB, (uint8_t *)&word, sizeof(word));
    for (unsigned i = 0; i < pci->nr; i++) {
        AddressSpace *as = &pci->device[i].as;
        unsigned neighbour = (i + 1) % pci->nr, nr;
        uint32_t ram = load(as, MIB, &r[0]);
        uint32_t reg = load(as, PCI_BAR(neighbour, 0) + 4, &r[1]);
        uint32_t msix = load(as, PCI_BAR(neighbour, 1) + MSIX_AT + 12, &r[2]);

        if (enabled ? ram != word || reg != 4 || msix != 12
                    : !r[0] || !r[1] || !r[2]) {
            bench_wrong(f, "device %u sees %#x, %#x, %#x", i, ram, reg, msix);
        }
        if (pci->b) {
            baseline_ranges(pci->b[i], &nr);
            follower_check(&pci->follower, f, nr);
        }
    }
}

static void pci_free(Pci *pci)
{
    follower_stop(&pci->follower);
    for (unsigned i = 0; i < pci->nr; i++) {
        PciDevice *d = &pci->device[i];

        address_space_destroy(&d->as);
        memory_region_transaction_begin();
        memory_region_del_subregion(&d->master, &d->window);
        memory_region_del_subregion(&d->bar[1], &d->msix);
        memory_region_del_subregion(&pci->pci, &d->bar[0]);
        memory_region_del_subregion(&pci->pci, &d->bar[1]);
        memory_region_transaction_commit();
        memory_region_destroy(&d->window);
        memory_region_destroy(&d->master);
        memory_region_destroy(&d->msix);
        memory_region_destroy(&d->bar[0]);
        memory_region_destroy(&d->bar[1]);
    }
    address_space_destroy(&pci->as);
    memory_region_del_subregion(&pci->system, &pci->hole);
    memory_region_del_subregion(&pci->system, &pci->ram);
    memory_region_destroy(&pci->hole);
    memory_region_destroy(&pci->pci);
    memory_region_destroy(&pci->ram);
    memory_region_destroy(&pci->system);
    g_free(pci->device);
}

/* @bytes: of the views, a device; NULL where only the time is wanted. The
 * classic way, if asked for, does with @classic devices. */
static void bench_pci(GArray *figures, Figure f, Figure *bytes, unsigned nr,
                      bool classic)
{
    enum { CLASSIC_RUNS = 3 };
    Figure baseline = { .unit = "ms" };
    double sizes[BENCH_RUNS];
    Samples s[2] = { 0 };
    Pci pci;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "ms";
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        pci_make(&pci, nr);
        pci_check(&pci, &f, false);
        samples_start(&s[0]);
        pci_enable_all(&pci, &f);
        samples_stop(&s[0], 1);
        pci_check(&pci, &f, true);
        sizes[run] = (double)(views_bytes() - pci.bytes) / nr;
        pci_free(&pci);
    }
    figure_set_samples(&f, &s[0]);
    for (unsigned run = 0; classic && run < CLASSIC_RUNS; run++) {
        pci_make(&pci, nr);
        pci_baselines_make(&pci);
        samples_start(&s[1]);
        pci_enable_all(&pci, &f);
        samples_stop(&s[1], 1);
        pci_check(&pci, &f, true);
        if (bytes) {
            size_t sum = 0;

            for (unsigned i = 0; i <= nr; i++) {
                sum += baseline_bytes(pci.b[i]);
            }
            bytes->baseline = (double)sum / nr;
            bytes->baseline_runs = 1;
        }
        pci_baselines_free(&pci);
        pci_free(&pci);
    }
    if (classic) {
        figure_set_samples(&baseline, &s[1]);
        f.baseline = baseline.median - f.median;
        f.baseline_runs = CLASSIC_RUNS;
    }
    g_array_append_val(figures, f);
    if (bytes) {
        figure_set(bytes, sizes, BENCH_RUNS);
        g_array_append_val(figures, *bytes);
    }
}

/* ---- memory ------------------------------------------------------------------------------------ */

/* Bytes a range, of a tree that was filled in order, or that has also seen
 * @toggles of a random region each. */
static void bench_range_bytes(GArray *figures, Figure f, unsigned nr,
                              unsigned toggles)
{
    size_t before = views_bytes();
    uint64_t seed = 1;
    double size;
    Baseline *b;
    Map map;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "B";
    map_make(&map, &f, nr);
    map_fill(&map);
    for (unsigned i = 0; i < toggles; i++) {
        MemoryRegion *mr = &map.regions[bench_random(&seed) % nr];

        memory_region_set_enabled(mr, !mr->enabled);
    }
    size = (double)(views_bytes() - before) / map.follower.sections;
    figure_set(&f, &size, 1);
    b = baseline_new(&map.root, &map.as);
    baseline_commit(b);
    check_baseline(&map, b);
    f.baseline = (double)baseline_bytes(b) / map.follower.sections;
    f.baseline_runs = 1;
    baseline_free(b);
    map_free(&map);
    g_array_append_val(figures, f);
}

/* ---- all of them --------------------------------------------------------------------------------- */

void bench_topology(GArray *figures)
{
    bench_toggle(figures, (Figure) {
        .key = "toggle_10", .target = 2, .peer = "19 us",
        .text = "toggle one region of 10" }, 10);
    bench_toggle(figures, (Figure) {
        .key = "toggle_100",
        .text = "toggle one region of 100" }, 100);
    bench_toggle(figures, (Figure) {
        .key = "toggle_1000", .target = 3, .peer = "440 us",
        .text = "toggle one region of 1,000" }, 1000);
    bench_toggle(figures, (Figure) {
        .key = "toggle_10000", .target_times = 500,
        .peer = "fails; 11,400 us at 4,000",
        .text = "toggle one region of 10,000" }, 10000);
    bench_toggle(figures, (Figure) {
        .key = "toggle_100000", .target = 5, .peer = "fails",
        .text = "toggle one region of 100,000" }, 100000);
    bench_toggle(figures, (Figure) {
        .key = "toggle_1000000", .target = 7, .peer = "fails",
        .text = "toggle one region of 1,000,000" }, 1000000);
    bench_toggle_random(figures, (Figure) {
        .key = "toggle_any_1000000", .peer = "fails",
        .text = "  another each time" }, 1000000);
    bench_move(figures, (Figure) {
        .key = "move_bar", .target = 6, .peer = "fails",
        .text = "move a RAM BAR of 16 MiB among 100,000" }, 100000);
    bench_build(figures, (Figure) {
        .key = "build_100000", .target = 500, .peer = "fails; quadratic",
        .text = "build a map of 100,000, a commit each" }, 100000, false);
    bench_build(figures, (Figure) {
        .key = "build_2000",
        .text = "  the same of 2,000, as is the baseline" }, 2000, true);
    bench_pci(figures, (Figure) {
        .key = "pci_enable_1000", .target = 20, .peer = "quadratic",
        .text = "enable 1,000 devices, a commit each" },
        &(Figure) {
        .key = "pci_bytes_1000", .unit = "B", .target = 1024,
        .text = "  memory of all views, a device" }, 1000, false);
    bench_pci(figures, (Figure) {
        .key = "pci_enable_100",
        .text = "  the same of 100, as is the baseline" },
        &(Figure) {
        .key = "pci_bytes_100", .unit = "B",
        .text = "  memory of all views, a device of the 100" }, 100, true);
    bench_range_bytes(figures, (Figure) {
        .key = "range_bytes", .target = 160,
        .text = "memory of a flat range, 100,000 in order" }, 100000, 0);
    bench_range_bytes(figures, (Figure) {
        .key = "range_bytes_toggled", .target = 160,
        .text = "  after 300,000 random toggles" }, 100000, 300000);
}
