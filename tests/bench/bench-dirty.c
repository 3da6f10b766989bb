/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of the dirty log: 4 GiB of RAM whose writes a listener knows, as an
 * accelerator would.
 */
#include "hwaddr.h"
#include "memory.h"
#include "tests/bench/bench.h"

#define RAM_BYTES ((uint64_t)4 << 30)
#define PAGES (RAM_BYTES / TARGET_PAGE_SIZE)
#define DIRTY_EVERY 1000
#define DIRTY_PAGES ((PAGES + DIRTY_EVERY - 1) / DIRTY_EVERY)
#define PART_BYTES 65536u

typedef struct Logger {
    MemoryListener listener;
    uint64_t *written; /* one bit a page */
    unsigned cleared;  /* calls of log_clear */
} Logger;

static void logger_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    Logger *logger = (Logger *)listener;

    memory_region_merge_dirty(section->mr, section->offset_within_region,
                              logger->written, PAGES);
}

static void logger_clear(MemoryListener *listener, MemoryRegionSection *section)
{
    ((Logger *)listener)->cleared++;
}

static void check_page(const Figure *f, MemoryRegion *ram, uint64_t page,
                       bool dirty)
{
    if (memory_region_get_dirty(ram, page * TARGET_PAGE_SIZE, TARGET_PAGE_SIZE,
                                DIRTY_MEMORY_MIGRATION) != dirty) {
        bench_wrong(f, "page %" PRIu64 " should%s be dirty", page,
                    dirty ? "" : " not");
    }
}

/* Collect what the listener knows, and clear all of it in parts of @part. */
static void bench_sync_clear(GArray *figures, Figure f, Logger *logger,
                             MemoryRegion *root, MemoryRegion *ram,
                             uint64_t part)
{
    Samples s = { 0 };

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "ms";
    memory_region_reset_dirty(ram, 0, RAM_BYTES, DIRTY_MEMORY_MIGRATION);
    for (unsigned run = 0; run < BENCH_RUNS + 1; run++) {
        uint64_t dirty = 0;

        check_page(&f, ram, DIRTY_EVERY, false);
        logger->cleared = 0;
        samples_start(&s);
        memory_global_sync_dirty_bitmap(root);
        for (uint64_t at = 0; at < RAM_BYTES; at += part) {
            dirty += memory_region_test_and_clear_dirty(ram, at, part,
                                                        DIRTY_MEMORY_MIGRATION);
        }
        samples_stop(&s, 1);
        /* Parts are smaller than the distance of two dirty pages, or all. */
        if (dirty != (part < RAM_BYTES ? DIRTY_PAGES : 1) || !logger->cleared) {
            bench_wrong(&f, "%" PRIu64 " parts of %" PRIu64 " bytes were "
                        "dirty, %u told to the listener", dirty, part,
                        logger->cleared);
        }
        if (memory_region_get_dirty(ram, 0, RAM_BYTES,
                                    DIRTY_MEMORY_MIGRATION)) {
            bench_wrong(&f, "a page is dirty after all were cleared");
        }
        if (!run) { /* the first pays for the bitmaps */
            s.nr = 0;
        }
    }
    figure_set_samples(&f, &s);
    g_array_append_val(figures, f);

    memory_global_sync_dirty_bitmap(root);
    for (uint64_t page = 0; page < PAGES; page += 37 * DIRTY_EVERY) {
        check_page(&f, ram, page, true);
        check_page(&f, ram, page + 1, false);
    }
}

void bench_dirty(GArray *figures)
{
    Logger logger = {
        .listener = { .log_sync = logger_sync, .log_clear = logger_clear },
        .written = g_new0(uint64_t, PAGES / 64),
    };
    MemoryRegion root, ram;
    AddressSpace as;

    for (uint64_t page = 0; page < PAGES; page += DIRTY_EVERY) {
        logger.written[page / 64] |= (uint64_t)1 << page % 64;
    }
    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", RAM_BYTES);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root);
    memory_listener_register(&logger.listener, &as);
    memory_global_dirty_log_start();

    bench_sync_clear(figures, (Figure) {
        .key = "dirty_sync_clear", .target = 2,
        .text = "dirty log of 4 GiB, 1 page in 1,000" },
        &logger, &root, &ram, RAM_BYTES);
    bench_sync_clear(figures, (Figure) {
        .key = "dirty_sync_clear_parts",
        .text = "  cleared in 65,536 parts of 64 KiB" },
        &logger, &root, &ram, PART_BYTES);

    memory_global_dirty_log_stop();
    memory_listener_unregister(&logger.listener);
    address_space_destroy(&as);
    memory_region_del_subregion(&root, &ram);
    memory_region_destroy(&ram);
    memory_region_destroy(&root);
    g_free(logger.written);
}
