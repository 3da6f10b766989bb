/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dirty pages: the bitmaps of RAM blocks against a plain array of flags, the
 * ends of ranges, aliases, what listeners hear of a clear, the memory that the
 * bitmaps take, and several threads that write while another collects.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory-internal.h"
#include "test-util.h"

#define PAGE TARGET_PAGE_SIZE
#define CLIENTS 3

static const unsigned clients[CLIENTS] = { DIRTY_MEMORY_VGA, DIRTY_MEMORY_CODE,
                                           DIRTY_MEMORY_MIGRATION };

static MemoryRegion ram;

static void ram_setup(uint64_t size)
{
    GError *err = NULL;

    expect(memory_region_try_init_ram(&ram, "ram", size, &err), "%s",
           err->message);
}

/* Exactly pages @first to @end - 1 of the @pages are dirty for @client. */
static void expect_dirty(uint64_t pages, uint64_t first, uint64_t end,
                         unsigned client)
{
    for (uint64_t i = 0; i < pages; i++) {
        bool dirty = memory_region_get_dirty(&ram, i * PAGE, 1, client);

        expect(dirty == (i >= first && i < end), "page %" PRIu64 " of client %u"
               " is %s", i, client, dirty ? "dirty" : "clean");
    }
}

START_TEST(ranges)
{
    ram_setup(200 * PAGE);
    for (unsigned i = 0; i < CLIENTS; i++) {
        expect_dirty(200, 0, 0, clients[i]);
    }
    /* A byte on either side of a border; whole words; nothing. */
    memory_region_set_dirty(&ram, 64 * PAGE - 1, 2);
    for (unsigned i = 0; i < CLIENTS; i++) {
        expect_dirty(200, 63, 65, clients[i]);
    }
    expect(!memory_region_get_dirty(&ram, 0, 63 * PAGE, 0), "below");
    expect(memory_region_get_dirty(&ram, 0, 63 * PAGE + 1, 0), "first byte");
    expect(memory_region_get_dirty(&ram, 65 * PAGE - 1, 1, 0), "last byte");
    expect(!memory_region_get_dirty(&ram, 65 * PAGE, 500 * PAGE, 0), "above");
    expect(!memory_region_get_dirty(&ram, 63 * PAGE, 0, 0), "no bytes");

    memory_region_reset_dirty(&ram, 63 * PAGE, 1, DIRTY_MEMORY_VGA);
    expect_dirty(200, 64, 65, DIRTY_MEMORY_VGA);
    expect_dirty(200, 63, 65, DIRTY_MEMORY_CODE);
    expect(memory_region_test_and_clear_dirty(&ram, 0, UINT64_MAX,
                                              DIRTY_MEMORY_CODE), "was dirty");
    expect(!memory_region_test_and_clear_dirty(&ram, 0, UINT64_MAX,
                                               DIRTY_MEMORY_CODE), "is dirty");
    expect_dirty(200, 0, 0, DIRTY_MEMORY_CODE);
    expect_dirty(200, 63, 65, DIRTY_MEMORY_MIGRATION);

    memory_region_set_dirty(&ram, 0, UINT64_MAX);
    expect_dirty(200, 0, 200, DIRTY_MEMORY_CODE);
    memory_region_reset_dirty(&ram, 64 * PAGE, 64 * PAGE, DIRTY_MEMORY_CODE);
    expect(memory_region_get_dirty(&ram, 63 * PAGE, PAGE, 1) &&
           !memory_region_get_dirty(&ram, 64 * PAGE, 64 * PAGE, 1) &&
           memory_region_get_dirty(&ram, 128 * PAGE, 1, 1), "a word");

    /* Ranges outside, and past 2^64. */
    memory_region_reset_dirty(&ram, 0, UINT64_MAX, DIRTY_MEMORY_CODE);
    memory_region_set_dirty(&ram, 200 * PAGE, PAGE);
    memory_region_set_dirty(&ram, UINT64_MAX, UINT64_MAX);
    expect_dirty(200, 0, 0, DIRTY_MEMORY_CODE);
    expect(!memory_region_get_dirty(&ram, 200 * PAGE, UINT64_MAX, 0), "behind");
    memory_region_destroy(&ram);
}
END_TEST

/* A size that is no multiple of a page, nor of 64 pages. */
START_TEST(ragged_end)
{
    ram_setup(65 * PAGE + 7);
    memory_region_set_dirty(&ram, 65 * PAGE + 6, 100);
    expect_dirty(66, 65, 66, DIRTY_MEMORY_VGA);
    expect(!memory_region_get_dirty(&ram, 65 * PAGE + 7, 1, DIRTY_MEMORY_VGA),
           "behind the end");
    expect(memory_region_test_and_clear_dirty(&ram, 65 * PAGE, PAGE,
                                              DIRTY_MEMORY_VGA), "clear");
    expect_dirty(66, 0, 0, DIRTY_MEMORY_VGA);
    memory_region_destroy(&ram);
}
END_TEST

START_TEST(through_aliases)
{
    MemoryRegion outer, inner, container, none;

    ram_setup(100 * PAGE);
    memory_region_init_alias(&inner, "inner", &ram, 10 * PAGE, 50 * PAGE);
    memory_region_init_alias(&outer, "outer", &inner, 20 * PAGE, UINT64_MAX);
    memory_region_set_dirty(&outer, 0, 1);
    expect_dirty(100, 30, 31, DIRTY_MEMORY_VGA);
    expect(memory_region_get_dirty(&outer, PAGE - 1, 1, DIRTY_MEMORY_VGA) &&
           !memory_region_get_dirty(&outer, PAGE, UINT64_MAX,
                                    DIRTY_MEMORY_VGA), "through two");
    memory_region_set_dirty(&outer, 0, UINT64_MAX); /* clipped to inner */
    expect_dirty(100, 30, 60, DIRTY_MEMORY_CODE);
    expect(memory_region_test_and_clear_dirty(&outer, 29 * PAGE, UINT64_MAX,
                                              DIRTY_MEMORY_CODE), "last page");
    expect_dirty(100, 30, 59, DIRTY_MEMORY_CODE);
    memory_region_set_alias_offset(&outer, UINT64_MAX);
    memory_region_set_dirty(&outer, 1, 1); /* wraps: shows nothing */
    expect_dirty(100, 30, 59, DIRTY_MEMORY_CODE);

    memory_region_init(&container, "container", PAGE);
    memory_region_init_alias(&none, "none", &container, 0, PAGE);
    memory_region_set_dirty(&none, 0, PAGE);
    expect(!memory_region_get_dirty(&none, 0, PAGE, 0) &&
           !memory_region_test_and_clear_dirty(&container, 0, PAGE, 0),
           "no memory");
    memory_region_destroy(&none);
    memory_region_destroy(&container);
    memory_region_destroy(&outer);
    memory_region_destroy(&inner);
    memory_region_destroy(&ram);
}
END_TEST

START_TEST(no_such_client)
{
    bool dirty = true;

    ram_setup(PAGE);
    memory_region_set_dirty(&ram, 0, PAGE);
    EXPECT_ERROR(dirty = memory_region_get_dirty(&ram, 0, PAGE, 4), "ram",
                 "client 4");
    expect(!dirty, "dirty");
    EXPECT_ERROR(dirty = memory_region_test_and_clear_dirty(&ram, 0, PAGE, 64),
                 "ram", "client 64");
    EXPECT_ERROR(memory_region_reset_dirty(&ram, 0, PAGE, UINT_MAX), "ram",
                 "client 4294967295");
    EXPECT_ERROR(dirty = memory_region_get_dirty(&ram, 0, PAGE, 2), "ram",
                 "client 2");
    expect(!dirty && !ram.ram_block->dirty[2], "a client between the others");
    EXPECT_ERROR(dirty = memory_region_snapshot_and_clear_dirty(&ram, 0, PAGE, 64),
                 "ram", "client 64");
    expect(!dirty, "a snapshot");
    ram_block_mark_dirty(ram.ram_block, 0, 1, UINT_MAX);
    memory_region_destroy(&ram);
}
END_TEST

/* Random operations beside a plain array. */
#define MODEL_PAGES 300

static bool model[DIRTY_MEMORY_NUM][MODEL_PAGES];

/* A snapshot of a range with pages @first to @end - 1 has what the model has of them, and
 * nothing of what is around; then they are clean. */
static void check_snapshot(uint64_t addr, uint64_t len, uint64_t first, uint64_t end,
                           unsigned client, bool dirty)
{
    DirtyBitmapSnapshot *snap =
        memory_region_snapshot_and_clear_dirty(&ram, addr, len, client);

    expect((snap != NULL) == dirty, "a snapshot of 0x%" PRIx64 ", 0x%" PRIx64, addr, len);
    for (uint64_t i = 0; i < MODEL_PAGES; i++) {
        bool want = i >= first && i < end && model[client][i];

        expect(memory_region_snapshot_get_dirty(&ram, snap, i * PAGE, 1) == want,
               "page %" PRIu64 " of the snapshot", i);
        if (i >= first && i < end) {
            model[client][i] = false;
        }
    }
    expect(memory_region_snapshot_get_dirty(&ram, snap, 0, UINT64_MAX) == dirty, "all");
    g_free(snap);
}

START_TEST(random_operations)
{
    uint64_t seed = test_number("FLATVIEW_SEED", (uint64_t)g_get_real_time());
    GRand *rand = g_rand_new_with_seed((guint32)seed);
    uint64_t size = MODEL_PAGES * PAGE - 100;

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64
               ": ", seed);
    ram_setup(size);
    ram.ram_block->log_mask = 1 << DIRTY_MEMORY_CODE | 1 << DIRTY_MEMORY_VGA;
    for (unsigned step = 0; step < 50000; step++) {
        uint64_t addr = g_rand_int(rand) % (size + PAGE);
        uint64_t len = g_rand_int(rand) % (g_rand_boolean(rand) ? size
                                                                : 3 * PAGE);
        unsigned client = clients[g_rand_int(rand) % CLIENTS];
        unsigned mask = g_rand_int(rand) % 16;
        uint64_t first = addr / PAGE, end;
        uint64_t bitmap[8];
        bool dirty = false;

        if (addr >= size || !len) {
            first = end = 0;
        } else {
            end = (MIN(addr + len, size) + PAGE - 1) / PAGE;
        }
        for (uint64_t i = first; i < end; i++) {
            dirty |= model[client][i];
        }
        switch (g_rand_int(rand) % 6) {
        case 0:
            ram_block_mark_dirty(ram.ram_block, addr, len, mask);
            for (uint64_t i = first; i < end; i++) {
                for (unsigned c = 0; c < CLIENTS; c++) {
                    model[clients[c]][i] |= mask >> clients[c] & 1;
                }
            }
            break;
        case 1:
            expect(memory_region_get_dirty(&ram, addr, len, client) == dirty,
                   "step %u: get", step);
            break;
        case 2:
        case 3:
            expect(memory_region_test_and_clear_dirty(&ram, addr, len, client)
                       == dirty, "step %u: test and clear", step);
            for (uint64_t i = first; i < end; i++) {
                model[client][i] = false;
            }
            break;
        case 4:
            for (unsigned i = 0; i < 8; i++) {
                bitmap[i] = g_rand_boolean(rand)
                                ? (uint64_t)g_rand_int(rand) << 32 |
                                      g_rand_int(rand)
                                : g_rand_boolean(rand) ? UINT64_MAX : 0;
            }
            first = addr / PAGE;
            end = MIN(first + len / PAGE, MODEL_PAGES);
            memory_region_merge_dirty(&ram, first * PAGE, bitmap, len / PAGE);
            for (uint64_t i = first; i < end; i++) {
                bool set = bitmap[(i - first) / 64] >> ((i - first) % 64) & 1;

                model[DIRTY_MEMORY_VGA][i] |= set;
                model[DIRTY_MEMORY_CODE][i] |= set;
            }
            break;
        case 5:
            check_snapshot(addr, len, first, end, client, dirty);
            break;
        }
        for (unsigned c = 0; step % 64 == 0 && c < CLIENTS; c++) {
            for (unsigned i = 0; i < MODEL_PAGES; i++) {
                expect(memory_region_get_dirty(&ram, i * PAGE, 1, clients[c]) ==
                           model[clients[c]][i],
                       "step %u: page %u of client %u", step, i, clients[c]);
            }
        }
    }
    memory_region_destroy(&ram);
    g_rand_free(rand);
    test_context[0] = '\0';
}
END_TEST

/* What is set outside the pages that a bitmap is about is ignored. */
START_TEST(merge_ends)
{
    static const uint64_t ones[3] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };

    ram_setup(100 * PAGE);
    ram.ram_block->log_mask = 1 << DIRTY_MEMORY_VGA;
    memory_region_merge_dirty(&ram, 3 * PAGE, ones, 5);
    expect_dirty(100, 3, 8, DIRTY_MEMORY_VGA);
    expect_dirty(100, 0, 0, DIRTY_MEMORY_MIGRATION);
    memory_region_merge_dirty(&ram, 3 * PAGE, ones, 64);
    expect_dirty(100, 3, 67, DIRTY_MEMORY_VGA);
    memory_region_merge_dirty(&ram, 90 * PAGE, ones, UINT64_MAX);
    expect(memory_region_get_dirty(&ram, 99 * PAGE, PAGE, 0), "last page");
    memory_region_merge_dirty(&ram, 0, ones, 0);
    expect(!memory_region_get_dirty(&ram, 0, 3 * PAGE, 0), "no pages");
    ram.ram_block->log_mask = 0;
    memory_region_merge_dirty(&ram, 0, ones, 3);
    expect(!memory_region_get_dirty(&ram, 0, 3 * PAGE, 0), "not logging");
    memory_region_destroy(&ram);
}
END_TEST

/* Every place of a bitmap in words beside every place of its first page, with
 * all bits, one bit, and every length; and what is read of it ends with it. */
START_TEST(merge_shifts)
{
    const long host_page = sysconf(_SC_PAGESIZE);
    uint8_t *area = mmap(NULL, (size_t)(2 * host_page), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    expect(area != MAP_FAILED && !mprotect(area + host_page, (size_t)host_page,
                                           PROT_NONE), "a page that ends");
    ram_setup(400 * PAGE);
    ram.ram_block->log_mask = 1 << DIRTY_MEMORY_VGA;
    for (unsigned first = 0; first < 130; first++) {
        for (unsigned pages = 1; pages < 200; pages += first % 7 + 1) {
            unsigned words = (pages + 63) / 64;
            uint64_t *bitmap = (uint64_t *)(area + host_page) - words;
            unsigned one = (first * 31 + pages * 17) % pages;

            memset(bitmap, 0xff, words * sizeof(uint64_t));
            memory_region_merge_dirty(&ram, first * PAGE, bitmap, pages);
            expect(!first || !memory_region_get_dirty(&ram, 0, first * PAGE, 0),
                   "%u pages from %u: below", pages, first);
            for (unsigned i = first; i < first + pages; i++) {
                expect(memory_region_test_and_clear_dirty(&ram, i * PAGE, 1, 0),
                       "%u pages from %u: page %u", pages, first, i);
            }
            expect(!memory_region_test_and_clear_dirty(&ram, 0, 400 * PAGE, 0),
                   "%u pages from %u: above", pages, first);

            memset(bitmap, 0, words * sizeof(uint64_t));
            bitmap[one / 64] = (uint64_t)1 << one % 64;
            memory_region_merge_dirty(&ram, first * PAGE, bitmap, pages);
            expect(memory_region_test_and_clear_dirty(
                       &ram, (first + one) * PAGE, 1, 0) &&
                       !memory_region_get_dirty(&ram, 0, 400 * PAGE, 0),
                   "%u pages from %u: only page %u", pages, first, one);
        }
    }
    /* Through a window that begins and ends in the middle of pages. */
    MemoryRegion window;
    uint64_t *bitmap = (uint64_t *)(area + host_page) - 1;

    memory_region_init_alias(&window, "window", &ram, 10 * PAGE + 5,
                             64 * PAGE - 5);
    *bitmap = 1 | (uint64_t)1 << 5 | (uint64_t)1 << 63;
    memory_region_merge_dirty(&window, 0, bitmap, 64);
    for (unsigned i = 0; i < 400; i++) {
        expect(memory_region_get_dirty(&ram, i * PAGE, 1, 0) ==
                   (i == 10 || i == 11 || i == 15 || i == 16 || i == 73),
               "page %u through a window", i);
    }
    memory_region_destroy(&window);
    memory_region_destroy(&ram);
    munmap(area, (size_t)(2 * host_page));
}
END_TEST

/* Bytes of memory that the mapping around @address really has. */
static uint64_t resident(const void *address)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    uint64_t first, end, kib;
    bool inside = false;

    expect(g_file_get_contents("/proc/self/smaps", &text, NULL, NULL), "smaps");
    lines = g_strsplit(text, "\n", 0);
    for (unsigned i = 0; lines[i]; i++) {
        if (sscanf(lines[i], "%" SCNx64 "-%" SCNx64 " ", &first, &end) == 2) {
            inside = (uintptr_t)address >= first && (uintptr_t)address < end;
        } else if (inside &&
                   sscanf(lines[i], "Rss: %" SCNu64 " kB", &kib) == 1) {
            return kib * 1024;
        }
    }
    expect(false, "no mapping around %p", address);
    return 0;
}

/* What nobody marks takes no memory, however often it is asked for; one mark
 * takes a page of the host, for its client alone. */
START_TEST(memory_of_bitmaps)
{
    const uint64_t size = test_number("FLATVIEW_SPARSE_SIZE",
                                      (uint64_t)1 << 36);
    const uint64_t host_page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t pages = size / PAGE;
    g_autofree uint64_t *clean = g_new0(uint64_t, pages / 64);
    uint64_t before;
    void *bits;

    ram_setup(size);
    bits = ram.ram_block->dirty[DIRTY_MEMORY_VGA];
    before = resident(bits);
    ram.ram_block->log_mask = 1 << DIRTY_MEMORY_VGA;
    for (unsigned i = 0; i < CLIENTS; i++) {
        expect(!memory_region_get_dirty(&ram, 0, size, clients[i]) &&
                   !memory_region_test_and_clear_dirty(&ram, 0, size,
                                                       clients[i]), "dirty");
    }
    memory_region_merge_dirty(&ram, 0, clean, pages);
    ram_block_mark_dirty(ram.ram_block, 0, size, 0);
    expect(resident(bits) == before, "%" PRIu64 " bytes for nothing",
           resident(bits) - before);
    for (unsigned i = 1; i <= 3; i++) {
        ram_block_mark_dirty(ram.ram_block, size / 4 * i, 1,
                             1 << DIRTY_MEMORY_VGA);
        expect(resident(bits) == before + i * host_page, "%" PRIu64
               " bytes for %u pages", resident(bits) - before, i);
    }
    /* All of it: a bit a page and client. */
    memory_region_set_dirty(&ram, 0, size);
    expect(resident(bits) - before <= CLIENTS * pages / 8 + host_page,
           "%" PRIu64 " bytes for %" PRIu64 " pages", resident(bits) - before,
           pages);
    memory_region_destroy(&ram);
}
END_TEST

/* A clear is told to who follows the region, if it cleared anything. */
START_TEST(listeners_hear_of_clears)
{
    MemoryRegion root;
    AddressSpace as;
    Recorder *r;

    ram_setup(100 * PAGE);
    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_add_subregion(&root, 0x10000000, &ram);
    address_space_init(&as, &root);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    r = recorder_new(&as, 0, true);
    recorder_clear_log(r);

    memory_region_reset_dirty(&ram, 0, 100 * PAGE, DIRTY_MEMORY_VGA);
    recorder_expect_log(r, NULL);
    address_space_write(&as, 0x10000000 + 7 * PAGE - 1, (uint8_t *)"xy", 2);
    memory_region_reset_dirty(&ram, 0, 100 * PAGE, DIRTY_MEMORY_MIGRATION);
    memory_region_reset_dirty(&ram, 0, 6 * PAGE, DIRTY_MEMORY_VGA);
    recorder_expect_log(r, NULL);
    expect(memory_region_test_and_clear_dirty(&ram, 7 * PAGE, 93 * PAGE,
                                              DIRTY_MEMORY_VGA), "page 7");
    recorder_expect_log(r, "log_clear ram 10007000-10007fff @7000", NULL);
    expect(memory_region_test_and_clear_dirty(&ram, 0, 100 * PAGE,
                                              DIRTY_MEMORY_VGA), "page 6");
    recorder_expect_log(r, "log_clear ram 10006000-10006fff @6000", NULL);

    recorder_free(r);
    memory_region_del_subregion(&root, &ram);
    address_space_destroy(&as);
    memory_region_destroy(&ram);
    memory_region_destroy(&root);
}
END_TEST

/* ---- threads ------------------------------------------------------------- */

#define WRITERS 3
#define ROUNDS 20000
#define OWN_ROUNDS 100000

typedef struct Writer {
    pthread_t thread;
    unsigned id;
    uint32_t *counters; /* one in each page */
    unsigned lost;
    unsigned risen;
} Writer;

static pthread_barrier_t barrier;

/* Mark and clear a page of its own, whose bit shares a word with the others'. */
static void *own_page_run(void *opaque)
{
    Writer *w = opaque;
    hwaddr addr = w->id * PAGE;

    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < OWN_ROUNDS; i++) {
        ram_block_mark_dirty(ram.ram_block, addr, 1, 1 << DIRTY_MEMORY_CODE);
        w->lost += !memory_region_test_and_clear_dirty(&ram, addr, 1,
                                                       DIRTY_MEMORY_CODE);
        w->risen += memory_region_get_dirty(&ram, addr, 1, DIRTY_MEMORY_CODE);
    }
    return NULL;
}

/* No thread undoes what another does to the same word. */
START_TEST(threads_share_words)
{
    Writer writers[WRITERS];

    ram_setup(WRITERS * PAGE);
    pthread_barrier_init(&barrier, NULL, WRITERS);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (Writer){ .id = i };
        expect(!pthread_create(&writers[i].thread, NULL, own_page_run,
                               &writers[i]), "thread");
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        expect(!writers[i].lost && !writers[i].risen, "writer %u: %u marks "
               "were lost, %u came back", i, writers[i].lost,
               writers[i].risen);
    }
    pthread_barrier_destroy(&barrier);
    memory_region_destroy(&ram);
}
END_TEST

/* Count in pages of one word of the bitmap that all writers share. */
static void *writer_run(void *opaque)
{
    Writer *w = opaque;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned page = (i * 7 + w->id * 5) % 16 * WRITERS + w->id;
        uint32_t *counter = w->counters + page * (PAGE / 4);

        __atomic_store_n(counter, i + 1, __ATOMIC_RELAXED);
        ram_block_mark_dirty(ram.ram_block, page * PAGE, 4,
                             1 << DIRTY_MEMORY_MIGRATION);
    }
    return NULL;
}

/* A copy that follows the dirty bits ends up equal: no mark is ever lost. */
START_TEST(threads)
{
    const unsigned pages = 16 * WRITERS;
    uint32_t copy[16 * WRITERS] = { 0 };
    Writer writers[WRITERS];
    uint32_t *counters;
    unsigned running = WRITERS;

    ram_setup(pages * PAGE);
    counters = memory_region_get_ram_ptr(&ram);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (Writer){ .id = i, .counters = counters };
        expect(!pthread_create(&writers[i].thread, NULL, writer_run,
                               &writers[i]), "thread");
    }
    for (unsigned round = 0;; round++) {
        DirtyBitmapSnapshot *snap = round % 2
            ? memory_region_snapshot_and_clear_dirty(&ram, 0, pages * PAGE,
                                                     DIRTY_MEMORY_MIGRATION)
            : NULL;

        for (unsigned i = 0; i < pages; i++) {
            if (round % 2
                ? memory_region_snapshot_get_dirty(&ram, snap, i * PAGE, PAGE)
                : memory_region_test_and_clear_dirty(&ram, i * PAGE, PAGE,
                                                     DIRTY_MEMORY_MIGRATION)) {
                copy[i] = __atomic_load_n(counters + i * (PAGE / 4),
                                          __ATOMIC_RELAXED);
            }
        }
        g_free(snap);
        if (!running && round % 2) {
            break;
        }
        if (running && !pthread_tryjoin_np(writers[running - 1].thread, NULL)) {
            running--;
        }
    }
    for (unsigned i = 0; i < pages; i++) {
        expect(copy[i] == counters[i * (PAGE / 4)],
               "page %u: %u was copied, not %u", i, copy[i],
               counters[i * (PAGE / 4)]);
    }
    memory_region_destroy(&ram);
}
END_TEST

TEST_MAIN("ram-dirty", ranges, ragged_end, through_aliases, no_such_client,
          random_operations, merge_ends, merge_shifts, memory_of_bitmaps,
          listeners_hear_of_clears,
          threads_share_words, threads)
