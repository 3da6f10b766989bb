/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A linear frame buffer: the picture is what is in memory, and of what is written exactly
 * the lines are told of that share a page with it. FLATVIEW_SEED replays what is written
 * by chance, FLATVIEW_STEPS says how often.
 */
#include <string.h>

#include "hw/display/framebuffer.h"
#include "tests/test-util.h"

#define MIB (1024 * 1024ull)
#define SIZE (4 * MIB)
#define LINES_MAX CONSOLE_SIZE_MAX

static Framebuffer fb;
static Viewer viewer;
static MemoryRegion root, ram;
static AddressSpace as;
static uint8_t *bytes;

/* What the viewer heard since seen_clear(). */
static struct {
    unsigned images;
    pixman_image_t *image;
    unsigned lines[LINES_MAX]; /* how often each has changed */
    unsigned changes;
} seen;

static void seen_clear(void)
{
    pixman_image_t *image = seen.image;

    memset(&seen, 0, sizeof(seen));
    seen.image = image;
}

static void seen_image(void *opaque, pixman_image_t *image)
{
    seen.images++;
    seen.image = image;
}

static void seen_changed(void *opaque, int x, int y, int width, int height)
{
    expect(x == 0 && width == pixman_image_get_width(seen.image), "columns %d, %d", x,
           width);
    seen.changes++;
    for (int i = 0; i < height; i++) {
        seen.lines[y + i]++;
    }
}

static const ViewerOps seen_ops = { .image = seen_image, .changed = seen_changed };

static void refresh(void *opaque)
{
    framebuffer_refresh(&fb);
}

static void invalidate(void *opaque)
{
    framebuffer_invalidate(&fb);
}

static void watch(void *opaque, bool watched)
{
    memory_region_set_log(&ram, watched, DIRTY_MEMORY_VGA);
}

static const ConsoleOps ops = { .refresh = refresh, .invalidate = invalidate,
                                .watch = watch };

/* RAM at 0, and a viewer of the console. */
static void start(void)
{
    memory_lock();
    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", SIZE);
    memory_region_add_subregion(&root, 0, &ram);
    address_space_init(&as, &root);
    bytes = memory_region_get_ram_ptr(&ram);
    fb = (Framebuffer){ .console = console_new(NULL, 0, &ops, NULL) };
    viewer = (Viewer){ .ops = &seen_ops };
    viewer_attach(&viewer, fb.console);
    console_refresh(fb.console);
    seen_clear();
}

static void end(void)
{
    viewer_detach(&viewer);
    console_free(fb.console);
    address_space_destroy(&as);
    memory_region_del_subregion(&root, &ram);
    memory_region_destroy(&ram);
    memory_region_destroy(&root);
    memory_unlock();
}

static bool set(hwaddr offset, unsigned width, unsigned height, unsigned stride,
                pixman_format_code_t format)
{
    return framebuffer_set(&fb, &ram, offset, width, height, stride, format, NULL);
}

/* The guest writes a byte. */
static void poke(hwaddr addr, uint8_t value)
{
    address_space_stb(&as, addr, value, MEMTXATTRS_UNSPECIFIED, NULL);
}

static unsigned lines_seen(void)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < LINES_MAX; i++) {
        nr += seen.lines[i] != 0;
    }
    return nr;
}

/* Pixel as red, green, blue. */
static uint32_t pixel(int x, int y)
{
    uint32_t value = 0;
    pixman_image_t *to = pixman_image_create_bits(PIXMAN_x8r8g8b8, 1, 1, &value, 4);

    pixman_image_composite32(PIXMAN_OP_SRC, seen.image, NULL, to, x, y, 0, 0, 0, 0, 1, 1);
    pixman_image_unref(to);
    return value & 0xffffff;
}

START_TEST(formats)
{
    static pixman_indexed_t palette;

    start();
    for (unsigned i = 0; i < 16; i++) {
        bytes[0x1000 + i] = 0x10 * i + 3;
    }
    ck_assert(set(0x1000, 640, 480, 2560, PIXMAN_x8r8g8b8));
    expect_hex(seen.images, 1);
    expect_hex(seen.lines[0], 1);
    expect_hex(seen.lines[479], 1);
    expect(pixman_image_get_width(seen.image) == 640 &&
               pixman_image_get_height(seen.image) == 480, "size");
    expect_hex(pixel(1, 0), 0x635343);
    ck_assert(set(0x1000, 640, 480, 1920, PIXMAN_r8g8b8));
    expect_hex(pixel(1, 0), 0x534333);
    ck_assert(set(0x1003, 640, 480, 1920, PIXMAN_r8g8b8)); /* one to the right */
    expect_hex(pixel(0, 0), 0x534333);
    ck_assert(set(0x1002, 640, 480, 1280, PIXMAN_r5g6b5));
    expect_hex(pixel(0, 0), 0x316518); /* of 0x3323 */
    ck_assert(set(0x1002, 640, 480, 1280, PIXMAN_x1r5g5b5));
    expect_hex(pixel(0, 0), 0x63ce18);
    palette.rgba[0x43] = 0x123456;
    ck_assert(framebuffer_set(&fb, &ram, 0x1001, 640, 480, 640, PIXMAN_c8, &palette));
    expect_hex(pixel(3, 0), 0x123456);
    end();
}
END_TEST

START_TEST(bounds)
{
    start();
    /* Up to the last byte. */
    ck_assert(set(SIZE - 4, 1, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(set(0, 1024, 1024, 4096, PIXMAN_x8r8g8b8));
    ck_assert(set(2048, 512, 1024, 4096, PIXMAN_x8r8g8b8)); /* the last line is short */
    ck_assert(set(0, 16384, 1, 0, PIXMAN_x8r8g8b8));
    ck_assert(set(0, 8, 16384, 0, PIXMAN_x8r8g8b8));
    ck_assert(set(SIZE - 3, 1, 1, 4, PIXMAN_r8g8b8));
    ck_assert(!set(SIZE - 2, 1, 1, 4, PIXMAN_r8g8b8));
    ck_assert(set(0, 8, 16384, 0, PIXMAN_x8r8g8b8));
    seen_clear();
    ck_assert(!set(2052, 512, 1024, 4096, PIXMAN_x8r8g8b8));
    /* Then it is black, and of the size it had. */
    expect_hex(seen.images, 1);
    expect(pixman_image_get_height(seen.image) == 16384 && !fb.mr, "not black");
    ck_assert(!set(SIZE, 1, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(SIZE + 4, 1, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(-(uint64_t)4, 1, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 0, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 1, 0, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 16385, 1, 0, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 1, 16385, 0, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 0x40000001, 1, 0, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 1, 1, 0x80000000, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 1, 2, 0x80000000, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 1, 2, 0xfffffffc, PIXMAN_x8r8g8b8));
    ck_assert(!set(0, 16384, 16384, 0xfffffffc, PIXMAN_x8r8g8b8));
    /* What pixman cannot read. */
    ck_assert(!set(1, 1, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(2, 1, 1, 4, PIXMAN_x8r8g8b8));
    ck_assert(!set(1, 1, 1, 4, PIXMAN_r5g6b5));
    ck_assert(!set(0, 1, 1, 2, PIXMAN_r5g6b5));
    ck_assert(!set(0, 1, 1, 3, PIXMAN_r8g8b8));
    framebuffer_refresh(&fb); /* of nothing */
    framebuffer_clear(&fb);
    end();
}
END_TEST

/* Where pixman would lose its way: lines that are 2 GiB apart. */
START_TEST(far_apart)
{
    static MemoryRegion large;

    start();
    memory_region_init_ram(&large, "large", 4096 * MIB);
    *((uint8_t *)memory_region_get_ram_ptr(&large) + 2046 * MIB) = 0xff;
    ck_assert(framebuffer_set(&fb, &large, 0, 1, 2047, MIB, PIXMAN_r8g8b8, NULL));
    expect_hex(pixel(0, 2046), 0x0000ff);
    ck_assert(!framebuffer_set(&fb, &large, 0, 1, 2048, MIB, PIXMAN_r8g8b8, NULL));
    ck_assert(!framebuffer_set(&fb, &large, 0, 1, 16384, 256 * 1024, PIXMAN_r8g8b8, NULL));
    ck_assert(!fb.mr);
    memory_region_destroy(&large);
    end();
}
END_TEST

START_TEST(changes)
{
    start();
    /* 100 lines of 1 KiB, 4 a page, from the middle of one. */
    poke(0x1800, 1);
    ck_assert(set(0x1800, 256, 100, 1024, PIXMAN_x8r8g8b8));
    seen_clear();
    framebuffer_refresh(&fb); /* all of it was new: what was written before is no more */
    expect_hex(seen.changes, 0);

    poke(0x17ff, 1); /* in the page of the first two lines, though before them */
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 1);
    expect(lines_seen() == 2 && seen.lines[0] == 1 && seen.lines[1] == 1, "lines");
    seen_clear();
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 0);

    poke(0xffc, 1); /* before it */
    poke(0x1a800 + 0x1000, 1); /* behind it */
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 0);

    poke(0x2000, 1);
    poke(0x3fff, 1);
    poke(0x6000, 1);
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 2); /* neighbours in one */
    expect(lines_seen() == 12 && seen.lines[2] && seen.lines[9] && !seen.lines[10] &&
               seen.lines[18] && seen.lines[21], "lines");

    seen_clear();
    framebuffer_invalidate(&fb);
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 1);
    expect_hex(lines_seen(), 100);
    seen_clear();
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 0);

    framebuffer_clear(&fb);
    seen_clear();
    poke(0x2000, 1);
    framebuffer_refresh(&fb);
    framebuffer_invalidate(&fb);
    framebuffer_refresh(&fb);
    expect_hex(seen.changes, 0);
    end();
}
END_TEST

/* Who looks again sees all, though nobody recorded what was written meanwhile. */
START_TEST(unwatched)
{
    start();
    ck_assert(set(0, 256, 100, 1024, PIXMAN_x8r8g8b8));
    viewer_pause(&viewer, true);
    expect(!memory_region_is_logging(&ram), "logged while nobody looks");
    poke(0x2000, 1);
    seen_clear();
    viewer_pause(&viewer, false);
    expect(memory_region_is_logging(&ram), "not logged");
    seen_clear();
    framebuffer_refresh(&fb);
    expect_hex(lines_seen(), 100);
    end();
}
END_TEST

/* Writes anywhere, in any mode: the lines told of are those that share a page with
 * one. */
START_TEST(by_chance)
{
    unsigned seed = test_number("FLATVIEW_SEED", 1);
    unsigned steps = test_number("FLATVIEW_STEPS", 2000);
    GRand *rand = g_rand_new_with_seed(seed);
    unsigned width = 0, height = 0, stride = 0;
    hwaddr offset = 0;

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start();
    for (unsigned i = 0; i < steps; i++) {
        unsigned writes = g_rand_int_range(rand, 0, 6);
        bool written[SIZE / 4096 + 1] = { false };

        if (i % 20 == 0) {
            width = g_rand_int_range(rand, 1, 1025);
            height = g_rand_int_range(rand, 1, 1025);
            stride = 4 * g_rand_int_range(rand, g_rand_boolean(rand) ? width : 0, 1025);
            offset = SIZE - (uint64_t)stride * (height - 1) - 4 * width;
            offset = 4 * g_rand_int_range(rand, 0, offset / 4 + 1);
            ck_assert(set(offset, width, height, stride, PIXMAN_x8r8g8b8));
        }
        seen_clear();
        for (; writes; writes--) {
            hwaddr addr = g_rand_int_range(rand, 0, SIZE);

            poke(addr, i);
            written[addr / 4096] = true;
        }
        framebuffer_refresh(&fb);
        for (unsigned y = 0; y < height; y++) {
            hwaddr line = offset + (uint64_t)y * stride, last = line + 4 * width - 1;
            unsigned wanted = 0;

            for (hwaddr page = line / 4096; page <= last / 4096; page++) {
                wanted |= written[page];
            }
            expect(seen.lines[y] == wanted, "step %u: line %u is told %u times", i, y,
                   seen.lines[y]);
        }
    }
    end();
    g_rand_free(rand);
}
END_TEST

static void write_lines(unsigned nr)
{
    for (unsigned y = 0; y < nr; y++) {
        poke(y * 2560, y);
    }
}

/* Refresh, and how many lines that tells of. */
static unsigned refreshed(void)
{
    seen_clear();
    console_refresh(fb.console);
    return lines_seen();
}

/* All of it is written between any two looks: most of them are left out, until one
 * finds that it is so no more. */
START_TEST(busy)
{
    start();
    expect(set(0, 640, 480, 2560, PIXMAN_x8r8g8b8), "set");
    for (unsigned i = 0; i < FRAMEBUFFER_BUSY; i++) {
        write_lines(480);
        ck_assert_uint_eq(refreshed(), 480);
    }
    /* This one looks. */
    write_lines(480);
    ck_assert_uint_eq(refreshed(), 480);
    for (unsigned i = 1; i < FRAMEBUFFER_BUSY; i++) {
        ck_assert_uint_eq(refreshed(), 480);
    }
    /* So does this, and nobody has written since. */
    ck_assert_uint_eq(refreshed(), 0);
    poke(100 * 2560, 1);
    expect(refreshed() <= 3 && seen.lines[100], "one line");

    /* What is written while nobody looks is in the log, and looked for again soon. */
    for (unsigned i = 0; i <= FRAMEBUFFER_BUSY; i++) {
        write_lines(480);
        refreshed();
    }
    for (unsigned i = 1; i < FRAMEBUFFER_BUSY; i++) {
        ck_assert_uint_eq(refreshed(), 480);
    }
    poke(200 * 2560, 1);
    expect(refreshed() <= 3 && seen.lines[200], "written before the look");
    ck_assert_uint_eq(refreshed(), 0);

    /* Nearly all of it is not all. */
    for (unsigned i = 0; i < 3 * FRAMEBUFFER_BUSY; i++) {
        write_lines(470);
        expect(refreshed() < 480, "all");
    }
    ck_assert_uint_eq(refreshed(), 0);

    /* Another picture begins anew, and so does who asks for all. */
    for (unsigned i = 0; i < FRAMEBUFFER_BUSY + 3; i++) {
        write_lines(480);
        refreshed();
    }
    expect(set(0, 640, 470, 2560, PIXMAN_x8r8g8b8), "set");
    ck_assert_uint_eq(refreshed(), 0);
    for (unsigned i = 0; i < FRAMEBUFFER_BUSY + 3; i++) {
        write_lines(470);
        refreshed();
    }
    framebuffer_invalidate(&fb);
    ck_assert_uint_eq(refreshed(), 470);
    ck_assert_uint_eq(refreshed(), 0);

    /* A small one is looked at each time. */
    expect(set(0, 640, 400, 2560, PIXMAN_x8r8g8b8), "set");
    for (unsigned i = 0; i < 3 * FRAMEBUFFER_BUSY; i++) {
        write_lines(400);
        ck_assert_uint_eq(refreshed(), 400);
    }
    ck_assert_uint_eq(refreshed(), 0);
    end();
}
END_TEST

TEST_MAIN("framebuffer", formats, bounds, far_apart, changes, unwatched, by_chance, busy)
