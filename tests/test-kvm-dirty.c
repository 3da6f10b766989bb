/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages a guest wrote are the pages that are dirty: no more, no fewer; with
 * KVM's bitmaps and with its rings, and whatever happens to the map meanwhile.
 * Needs KVM.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tests/kvm-robot.h"

#define MMIO 0xd0000000u
#define MOVED 0xd4000000u
#define PAGE TARGET_PAGE_SIZE
#define PAGES 2048u
#define VGA DIRTY_MEMORY_VGA
#define MIGRATION DIRTY_MEMORY_MIGRATION
#define RING 1024u /* the least that every host takes; fewer than PAGES */

static MemoryRegion mr;
static uint8_t *host;
static bool wanted[PAGES];

/* A machine with a region of PAGES pages at MMIO. */
static void with_region(void (*script)(Robot *r), unsigned cpus,
                        unsigned ring_size)
{
    Robot r;

    robot_init(&r);
    r.cpus = cpus;
    r.options.dirty_ring_size = ring_size;
    memory_region_init_ram(&mr, "logged", PAGES * PAGE);
    host = memory_region_get_ram_ptr(&mr);
    memory_region_add_subregion(&r.memory_root, MMIO, &mr);
    ck_assert_int_eq(robot_run(&r, script), 0);
    memory_region_del_subregion(&r.memory_root, &mr);
    memory_region_destroy(&mr);
    robot_destroy(&r);
}

/* Whether this host can; says so if not. */
static bool have_ring(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int size = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_LOG_RING);

    close(fd);
    if (size < (int)(RING * sizeof(struct kvm_dirty_gfn))) {
        printf("SKIP: this host's KVM lacks KVM_CAP_DIRTY_LOG_RING\n");
        return false;
    }
    return true;
}

/* Each test once with bitmaps, once with rings. */
#define DIRTY_TEST(name, cpus)                                                 \
    START_TEST(test_bitmap_##name)                                             \
    {                                                                          \
        with_region(name, cpus, 0);                                            \
    }                                                                          \
    END_TEST                                                                   \
    START_TEST(test_ring_##name)                                               \
    {                                                                          \
        if (have_ring()) {                                                     \
            with_region(name, cpus, RING);                                     \
        }                                                                      \
    }                                                                          \
    END_TEST

static void expect_dirty(unsigned client, const char *when)
{
    unsigned page;

    memory_region_sync_dirty_bitmap(&mr);
    for (page = 0; page < PAGES; page++) {
        bool dirty = memory_region_get_dirty(&mr, page * PAGE, PAGE, client);

        expect(dirty == wanted[page], "%s: page %u is %s for client %u", when,
               page, dirty ? "dirty" : "clean", client);
    }
}

static void expect_clean(unsigned client, const char *when)
{
    bool keep[PAGES];

    memcpy(keep, wanted, sizeof(keep));
    memset(wanted, 0, sizeof(wanted));
    expect_dirty(client, when);
    memcpy(wanted, keep, sizeof(keep));
}

/* Nothing is dirty any more. */
static void clean(unsigned client)
{
    memory_region_sync_dirty_bitmap(&mr);
    memory_region_reset_dirty(&mr, 0, PAGES * PAGE, client);
    memset(wanted, 0, sizeof(wanted));
}

static void write_page(Robot *r, hwaddr base, unsigned page, unsigned offset,
                       unsigned size)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_WRITE, .size = size,
                                .addr = base + page * PAGE + offset,
                                .value = page });
    wanted[page] = true;
    wanted[page + (offset + size > PAGE)] = true;
}

/* Some pages, by all widths, over borders, and by strings. */
static void write_some(Robot *r, hwaddr base, unsigned seed)
{
    unsigned i;

    for (i = 0; i < 100; i++) {
        unsigned size = 1 << i % 4;

        seed = seed * 1103515245 + 12345;
        write_page(r, base, seed / 65536 % (PAGES - 1), seed % PAGE, size);
    }
    robot_post(r, 0, (RobotOp){ .code = ROBOT_WRITE_REP, .size = 8,
                                .addr = base + 70 * PAGE + 4088, .count = 514 });
    wanted[70] = wanted[71] = wanted[72] = true;
    robot_wait(r, 0);
}

/* ---- what is dirty -------------------------------------------------------- */

static void exact(Robot *r)
{
    unsigned round;

    memory_region_set_log(&mr, true, VGA);
    robot_read(r, MMIO, 8);
    expect_dirty(VGA, "before any write");
    for (round = 0; round < 4; round++) {
        write_some(r, MMIO, round);
        robot_do_op(r, 0, .code = ROBOT_READ_REP, .size = 1, .value = ROBOT_FREE,
                    .addr = MMIO + 5 * PAGE, .count = 2 * PAGE);
        expect_dirty(VGA, "after writes");
        expect_dirty(VGA, "a second look");
        clean(VGA);
        expect_dirty(VGA, "cleared");
    }
    /* The ends, one at a time. */
    write_page(r, MMIO, 0, 0, 1);
    robot_wait(r, 0);
    expect_dirty(VGA, "the first byte");
    write_page(r, MMIO, PAGES - 1, PAGE - 1, 1);
    robot_wait(r, 0);
    expect_dirty(VGA, "the last byte");
    /* A read, then a write, by one instruction. */
    robot_do_op(r, 0, .code = ROBOT_ADD, .size = 4, .addr = MMIO + 9 * PAGE,
                .value = 1);
    wanted[9] = true;
    expect_dirty(VGA, "an addition");
    robot_expect_no_unassigned(r);
}

DIRTY_TEST(exact, 1)

/* Cleared in part, what is left stays, and what is cleared is watched again. */
static void partial(Robot *r)
{
    const unsigned first = 60, nr = 70; /* ragged, in words of 64 */
    unsigned page;

    memory_region_set_log(&mr, true, VGA);
    robot_do_op(r, 0, .code = ROBOT_STRIDE, .addr = MMIO, .size = 4,
                .value2 = PAGE, .count = 200);
    memset(wanted, true, 200);
    expect_dirty(VGA, "200 pages");
    memory_region_reset_dirty(&mr, first * PAGE, nr * PAGE, VGA);
    memset(wanted + first, false, nr);
    expect_dirty(VGA, "less the cleared");
    write_page(r, MMIO, first, 0, 1);
    write_page(r, MMIO, first + nr - 1, 0, 1);
    write_page(r, MMIO, first + nr, 0, 1);
    robot_wait(r, 0);
    expect_dirty(VGA, "written again");
    for (page = 0; page < PAGES; page += 3) {
        bool was = memory_region_test_and_clear_dirty(&mr, page * PAGE, PAGE,
                                                      VGA);

        expect(was == wanted[page], "page %u", page);
        wanted[page] = false;
    }
    expect_dirty(VGA, "less every third");
    write_page(r, MMIO, 63, 0, 1);
    write_page(r, MMIO, 64, 0, 1);
    robot_wait(r, 0);
    expect_dirty(VGA, "two of them again");
}

DIRTY_TEST(partial, 1)

/* Clients do not see each other clear. */
static void two_clients(Robot *r)
{
    bool first[PAGES];

    memory_region_set_log(&mr, true, VGA);
    memory_region_set_log(&mr, true, MIGRATION);
    write_some(r, MMIO, 1);
    expect_dirty(VGA, "vga");
    memcpy(first, wanted, sizeof(first));
    clean(VGA);
    expect_dirty(VGA, "vga cleared");
    memcpy(wanted, first, sizeof(first));
    expect_dirty(MIGRATION, "migration keeps");
    /* Written again: dirty again for the one, still for the other. */
    memset(wanted, 0, sizeof(wanted));
    write_page(r, MMIO, 70, 0, 4);
    write_page(r, MMIO, 3, 0, 4);
    robot_wait(r, 0);
    expect_dirty(VGA, "vga again");
    memcpy(wanted, first, sizeof(first));
    wanted[3] = wanted[70] = true;
    expect_dirty(MIGRATION, "migration has all");
    clean(MIGRATION);
    expect_dirty(MIGRATION, "migration cleared");
    wanted[3] = wanted[70] = true;
    expect_dirty(VGA, "vga keeps");

    /* One leaves; the other's log goes on. */
    clean(VGA);
    memory_region_set_log(&mr, false, MIGRATION);
    write_some(r, MMIO, 2);
    expect_dirty(VGA, "alone");
    expect_clean(MIGRATION, "not logging");
}

DIRTY_TEST(two_clients, 1)

/* Off, nothing is recorded; on again, what comes from then on. */
static void on_off(Robot *r)
{
    unsigned round;

    for (round = 0; round < 3; round++) {
        write_some(r, MMIO, round);
        expect_clean(VGA, "off");
        memory_region_set_log(&mr, true, VGA);
        memset(wanted, 0, sizeof(wanted));
        expect_dirty(VGA, "just on");
        write_some(r, MMIO, round + 10);
        expect_dirty(VGA, "on");
        clean(VGA);
        memory_region_set_log(&mr, false, VGA);
    }
}

DIRTY_TEST(on_off, 1)

/* More than a ring holds, with nobody looking: the guest goes on, and all of it
 * is there. */
static void overflow(Robot *r)
{
    unsigned i;

    memory_region_set_log(&mr, true, VGA);
    for (i = 0; i < 3; i++) {
        robot_do_op(r, 0, .code = ROBOT_STRIDE, .size = 1, .addr = MMIO + PAGE,
                    .value2 = PAGE, .count = PAGES - 2);
        memset(wanted + 1, true, PAGES - 2);
        expect_dirty(VGA, "all but two");
        clean(VGA);
    }
}

DIRTY_TEST(overflow, 1)

/* ---- the map changes ------------------------------------------------------ */

/* Written before, between and after, and looked at only in the end. */
static void remapped(Robot *r)
{
    MemoryRegion *root = &r->memory_root;

    memory_region_set_log(&mr, true, VGA);
    write_some(r, MMIO, 1);
    memory_region_set_address(&mr, MOVED);
    write_some(r, MOVED, 2);
    memory_region_set_enabled(&mr, false);
    memory_region_set_enabled(&mr, true);
    write_some(r, MOVED, 3);
    memory_region_del_subregion(root, &mr);
    memory_region_add_subregion(root, MMIO, &mr);
    write_some(r, MMIO, 4);
    memory_region_set_address(&mr, MOVED);
    expect_dirty(VGA, "after moves");
    robot_expect_no_unassigned(r);
    clean(VGA);
    expect_dirty(VGA, "cleared");
    write_some(r, MOVED, 5);
    memory_region_set_readonly(&mr, true);
    robot_write(r, MOVED + 500 * PAGE, 4, 1); /* dropped */
    memory_region_set_readonly(&mr, false);
    expect_dirty(VGA, "after read-only");
    clean(VGA);

    /* It goes away with bits that nobody has asked for. */
    write_some(r, MOVED, 6);
    memory_region_del_subregion(root, &mr);
    expect_dirty(VGA, "unmapped");
    memory_region_add_subregion(root, MMIO, &mr);
}

DIRTY_TEST(remapped, 1)

/* Something on top splits its slot in three, and goes. */
static void split(Robot *r)
{
    MemoryRegion top;

    memory_region_init_ram(&top, "top", 16 * PAGE);
    memory_region_set_log(&mr, true, VGA);
    write_some(r, MMIO, 1);
    memory_region_add_subregion_overlap(&r->memory_root, MMIO + 500 * PAGE, &top,
                                        1);
    robot_do_op(r, 0, .code = ROBOT_STRIDE, .addr = MMIO + 495 * PAGE,
                .size = 2, .value2 = PAGE, .count = 25);
    memset(wanted + 495, true, 5);
    memset(wanted + 516, true, 4);
    memory_region_del_subregion(&r->memory_root, &top);
    memory_region_destroy(&top);
    expect_dirty(VGA, "under a lid");
    clean(VGA);
    write_page(r, MMIO, 505, 0, 1);
    robot_wait(r, 0);
    expect_dirty(VGA, "without it");
}

DIRTY_TEST(split, 1)

/* Two places show it: what is written through either is dirty. */
static void alias(Robot *r)
{
    MemoryRegion window;

    memory_region_init_alias(&window, "window", &mr, 100 * PAGE, 200 * PAGE);
    memory_region_add_subregion(&r->memory_root, MOVED, &window);
    memory_region_set_log(&mr, true, VGA);
    write_page(r, MMIO, 150, 0, 4);
    write_page(r, MOVED - 100 * PAGE, 160, 0, 4);
    write_page(r, MOVED - 100 * PAGE, 100, 0, 4);
    write_page(r, MOVED - 100 * PAGE, 299, PAGE - 4, 4);
    robot_wait(r, 0);
    expect_dirty(VGA, "through both");
    clean(VGA);
    expect_dirty(VGA, "cleared");
    write_page(r, MOVED - 100 * PAGE, 150, 0, 4);
    write_page(r, MMIO, 160, 0, 4);
    robot_wait(r, 0);
    expect_dirty(VGA, "through both again");
    memory_region_del_subregion(&r->memory_root, &window);
    memory_region_destroy(&window);
}

DIRTY_TEST(alias, 1)

/* ---- all RAM -------------------------------------------------------------- */

static void global(Robot *r)
{
    write_some(r, MMIO, 1);
    memset(wanted, 0, sizeof(wanted));
    memory_global_dirty_log_start();
    clean(MIGRATION);
    write_some(r, MMIO, 2);
    memory_region_set_address(&mr, MOVED);
    write_some(r, MOVED, 3);
    memory_global_sync_dirty_bitmap(&r->memory_root);
    expect_dirty(MIGRATION, "all RAM is logged");
    expect_clean(VGA, "not asked for");
    expect(memory_region_get_dirty(&r->ram, ROBOT_MAILBOXES, PAGE, MIGRATION),
           "the mailbox is written");
    expect(!memory_region_get_dirty(&r->ram, ROBOT_FREE + 8 * PAGE, PAGE,
                                    MIGRATION), "a page that is not");
    clean(MIGRATION);
    memory_global_dirty_log_stop();
    write_some(r, MOVED, 4);
    expect_clean(MIGRATION, "no more");
}

DIRTY_TEST(global, 1)

/* ---- under load: a copy, as migration makes one --------------------------- */

static uint8_t *copy;

static void copy_dirty(void)
{
    unsigned page;

    memory_region_sync_dirty_bitmap(&mr);
    for (page = 0; page < PAGES; page++) {
        if (memory_region_test_and_clear_dirty(&mr, page * PAGE, PAGE,
                                               MIGRATION)) {
            memcpy(copy + page * PAGE, host + page * PAGE, PAGE);
        }
    }
}

/* Two vCPUs write while pages are copied, and while a lid on page 0, which they
 * leave out, comes and goes, so that the slot under them is replaced. In the end
 * the copy is equal: no write went unseen. */
static void converge(Robot *r)
{
    const unsigned rounds = test_number("FLATVIEW_ROUNDS", 8);
    const hwaddr offset[2] = { 0x8, 0x900 };
    MemoryRegion lid;
    bool closed = false;
    unsigned round, i;

    copy = g_malloc0(PAGES * PAGE);
    memory_region_init_ram(&lid, "lid", PAGE);
    memory_region_add_subregion_overlap(&r->memory_root, MMIO, &lid, 1);
    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    memory_region_set_log(&mr, true, MIGRATION);
    for (round = 1; round <= rounds; round++) {
        for (i = 0; i < 2; i++) {
            robot_post(r, i, (RobotOp){ .code = ROBOT_STRIDE, .size = 8,
                                        .addr = MMIO + PAGE + offset[i],
                                        .value = round * 2 + i, .value2 = PAGE,
                                        .count = PAGES - 1 });
        }
        while (robot_pending(r, 0) || robot_pending(r, 1)) {
            memory_region_set_enabled(&lid, closed);
            closed = !closed;
            copy_dirty();
        }
    }
    copy_dirty();
    for (i = 1; i < PAGES; i++) {
        expect(memcmp(copy + i * PAGE, host + i * PAGE, PAGE) == 0,
               "a write to page %u was not seen", i);
        expect_hex(*(uint64_t *)(copy + i * PAGE + offset[0]), rounds * 2);
        expect_hex(*(uint64_t *)(copy + i * PAGE + offset[1]), rounds * 2 + 1);
    }
    robot_expect_no_unassigned(r);
    memory_region_del_subregion(&r->memory_root, &lid);
    memory_region_destroy(&lid);
    g_free(copy);
}

DIRTY_TEST(converge, 2)

ROBOT_MAIN("kvm-dirty", test_bitmap_exact, test_ring_exact, test_bitmap_partial,
           test_ring_partial, test_bitmap_two_clients, test_ring_two_clients,
           test_bitmap_on_off, test_ring_on_off, test_bitmap_overflow,
           test_ring_overflow, test_bitmap_remapped, test_ring_remapped,
           test_bitmap_split, test_ring_split, test_bitmap_alias,
           test_ring_alias, test_bitmap_global, test_ring_global,
           test_bitmap_converge, test_ring_converge)
