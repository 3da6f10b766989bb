/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VGA that is looked at while guests write to it: what is told to have changed is
 * exactly that, nothing is ever missed, and whatever the registers say the guest runs on.
 * The robot (kvm-robot.h) has a VGA beside its RAM. Needs KVM.
 */
#include <string.h>

#include "hw/display/vga-internal.h"
#include "tests/kvm-robot.h"
#include "tests/vga-modes.h"

#define LINEAR 0xe0000000u /* all of VRAM */
#define VRAM_SIZE 0x400000u
#define PAGE TARGET_PAGE_SIZE

#define VBE_WIDTH 640
#define VBE_HEIGHT 400

typedef struct TestVGA {
    Device dev;
    VGAState vga;
} TestVGA;

static const DeviceType type = {
    .name = "test-vga", .description = "a VGA on no bus", .size = sizeof(TestVGA),
};

static VGAState *vga;

/* ---- who looks ------------------------------------------------------------------- */

/* What a viewer has of the picture, by what it was told alone; and what it was told.
 * In the main loop. */
static pixman_image_t *source, *mirror;
static pixman_region32_t told;

static void on_image(void *opaque, pixman_image_t *image)
{
    source = image;
    g_clear_pointer(&mirror, pixman_image_unref);
    if (image) {
        mirror = pixman_image_create_bits(PIXMAN_x8r8g8b8, pixman_image_get_width(image),
                                          pixman_image_get_height(image), NULL, 0);
        expect(mirror, "no memory");
    }
}

static void on_changed(void *opaque, int x, int y, int width, int height)
{
    expect(x >= 0 && y >= 0 && width > 0 && height > 0 &&
               x + width <= pixman_image_get_width(mirror) &&
               y + height <= pixman_image_get_height(mirror),
           "%d, %d, %dx%d is not in the picture", x, y, width, height);
    image_convert(mirror, source, x, y, width, height);
    pixman_region32_union_rect(&told, &told, x, y, width, height);
}

static const ViewerOps viewer_ops = { .image = on_image, .changed = on_changed };
static Viewer viewer = { .ops = &viewer_ops };

static uint32_t *pixel_of(pixman_image_t *image, unsigned x, unsigned y)
{
    return pixman_image_get_data(image) + y * pixman_image_get_stride(image) / 4 + x;
}

/* ---- from the script's thread to the main loop ------------------------------------- */

typedef struct Call {
    void (*fn)(void);
    GMutex lock;
    GCond cond;
    bool done;
} Call;

static gboolean carry_out(gpointer opaque)
{
    Call *call = opaque;

    memory_lock();
    call->fn();
    memory_unlock();
    g_mutex_lock(&call->lock);
    call->done = true;
    g_cond_signal(&call->cond);
    g_mutex_unlock(&call->lock);
    return G_SOURCE_REMOVE;
}

/* Have @fn called there, under the memory lock. */
static void in_main_loop(void (*fn)(void))
{
    Call call = { .fn = fn };

    g_mutex_init(&call.lock);
    g_cond_init(&call.cond);
    g_idle_add_full(G_PRIORITY_HIGH, carry_out, &call, NULL);
    g_mutex_lock(&call.lock);
    while (!call.done) {
        g_cond_wait(&call.cond, &call.lock);
    }
    g_mutex_unlock(&call.lock);
    g_cond_clear(&call.cond);
    g_mutex_clear(&call.lock);
}

static void refresh(void)
{
    console_refresh(vga->console);
}

static void forget(void)
{
    pixman_region32_fini(&told);
    pixman_region32_init(&told);
}

static void refresh_and_forget(void)
{
    refresh();
    forget();
}

/* The whole picture anew is what was put together of changes. */
static void compare_with_all(void)
{
    pixman_image_t *was;
    unsigned width, height;

    refresh();
    was = mirror;
    width = pixman_image_get_width(was);
    height = pixman_image_get_height(was);
    mirror = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height, NULL, 0);
    viewer_pause(&viewer, true);
    viewer_pause(&viewer, false);
    refresh();
    expect(pixman_image_get_width(mirror) == (int)width &&
               pixman_image_get_height(mirror) == (int)height, "another picture");
    for (unsigned y = 0; y < height; y++) {
        for (unsigned x = 0; x < width; x++) {
            uint32_t now = *pixel_of(mirror, x, y) & 0xffffff;
            uint32_t old = *pixel_of(was, x, y) & 0xffffff;

            expect(now == old, "at %u, %u is %06x, of which nobody was told: %06x", x, y,
                   now, old);
        }
    }
    pixman_image_unref(was);
    forget();
}

/* ---- the machine ------------------------------------------------------------------- */

static TestVGA *card;

static void watch(Robot *r)
{
    memory_lock();
    viewer_attach(&viewer, vga->console);
    memory_unlock();
}

static void with_vga(void (*script)(Robot *r), unsigned cpus)
{
    GError *err = NULL;
    Robot r;

    robot_init(&r);
    r.cpus = cpus;
    r.set_up = watch;
    card = (TestVGA *)device_new(&type, NULL);
    vga = &card->vga;
    expect(vga_init(vga, &card->dev, VRAM_SIZE, &err), "%s", err->message);
    memory_region_add_subregion(&r.memory_root, LINEAR, &vga->vram);
    expect(vga_map(vga, &r.memory_root, &r.ports_root, &err), "%s", err->message);
    vga_reset(vga);
    pixman_region32_init(&told);
    ck_assert_int_eq(robot_run(&r, script), 0);
    viewer_detach(&viewer);
    pixman_region32_fini(&told);
    g_clear_pointer(&mirror, pixman_image_unref);
    memory_region_del_subregion(&r.memory_root, &vga->vram);
    vga_cleanup(vga);
    memory_region_destroy(&vga->vram);
    device_free(&card->dev);
    robot_destroy(&r);
}

static void set_indexed(Robot *r, unsigned port, unsigned index, unsigned value)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = port, .size = 2,
                                .value = value << 8 | index });
}

static void out(Robot *r, unsigned port, unsigned value)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = port, .size = 1,
                                .value = value });
}

static void set_vbe(Robot *r, unsigned index, unsigned value)
{
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = 0x1ce, .size = 2,
                                .value = index });
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = 0x1cf, .size = 2,
                                .value = value });
}

/* Entry @i of the DAC, and what is seen of it. */
static uint32_t dac_colour(unsigned i)
{
    return (i & 0x3e) << 18 | (i >> 1 & 0x3e) << 10 | (i >> 2 & 0x3e) << 2;
}

static void set_dac(Robot *r)
{
    out(r, 0x3c6, 0xff);
    out(r, 0x3c8, 0);
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned shift = 18; shift < 24; shift -= 8) {
            out(r, 0x3c9, dac_colour(i) >> shift & 0x3f);
        }
    }
}

static void set_vga(Robot *r, const char *name)
{
    const VGAModeTable *mode = vga_modes;

    while (strcmp(mode->name, name) != 0) {
        mode++;
        expect(mode < vga_modes + G_N_ELEMENTS(vga_modes), "no mode \"%s\"", name);
    }
    set_vbe(r, VBE_BANK, 0);
    set_vbe(r, VBE_ENABLE, 0);
    out(r, 0x3c2, 0x67);
    for (unsigned i = 0; i < 5; i++) {
        set_indexed(r, 0x3c4, i, mode->sr[i]);
    }
    set_indexed(r, 0x3d4, 0x11, 0);
    for (unsigned i = 0; i < 25; i++) {
        set_indexed(r, 0x3d4, i, i == 0x0a ? 0x20 : mode->cr[i]); /* no cursor */
    }
    for (unsigned i = 0; i < 9; i++) {
        set_indexed(r, 0x3ce, i, mode->gr[i]);
    }
    robot_in(r, 0x3da, 1);
    for (unsigned i = 0; i < 21; i++) {
        out(r, 0x3c0, i);
        out(r, 0x3c0, i == 0x10 ? mode->ar[i] & ~8 : mode->ar[i]); /* no blinking */
    }
    out(r, 0x3c0, 0x20);
    set_dac(r);
    robot_wait(r, 0);
}

static void set_vbe_mode(Robot *r, unsigned bpp)
{
    set_vga(r, "320x200 in 256 colours"); /* the picture is on */
    set_vbe(r, VBE_XRES, VBE_WIDTH);
    set_vbe(r, VBE_YRES, VBE_HEIGHT);
    set_vbe(r, VBE_BPP, bpp);
    set_vbe(r, VBE_ENABLE, VBE_ENABLED | VBE_LFB_ENABLED);
    set_vbe(r, VBE_VIRT_WIDTH, VBE_WIDTH);
    set_vbe(r, VBE_X_OFFSET, 0);
    set_vbe(r, VBE_Y_OFFSET, 0);
    set_vbe(r, VBE_BANK, 0);
    robot_wait(r, 0);
}

/* ---- exactly what changed ------------------------------------------------------ */

static GRand *chance;

static unsigned below(unsigned n)
{
    return g_rand_int_range(chance, 0, n);
}

/* A single pixel, cell or piece of one, written: where that is seen, and no more. */
typedef struct Written {
    int x, y, width, height;
} Written;

typedef Written WriteOne(Robot *r);

/* A different byte, which is read first. */
static void change(Robot *r, hwaddr addr, uint8_t bits)
{
    robot_write(r, addr, 1, robot_read(r, addr, 1) ^ bits);
}

static Written write_cell(Robot *r)
{
    unsigned column = below(80), row = below(25);

    change(r, 0xb8000 + (row * 80 + column) * 2 + below(2), 1 + below(255));
    return (Written){ column * 9, row * 16, 9, 16 };
}

static Written write_cga(Robot *r)
{
    unsigned x = below(320), y = below(200);

    change(r, 0xb8000 + (y & 1) * 0x2000 + y / 2 * 80 + x / 4,
           (1 + below(3)) << (6 - x % 4 * 2));
    return (Written){ x * 2, y * 2, 2, 2 };
}

static Written write_planes(Robot *r)
{
    unsigned x = below(640), y = below(480);
    hwaddr addr = VGA_WINDOW + y * 80 + x / 8;

    set_indexed(r, 0x3ce, 8, 0x80 >> x % 8);
    set_indexed(r, 0x3ce, 3, 0x18); /* exclusive or with what is read */
    set_indexed(r, 0x3c4, 2, 1 + below(15));
    robot_read(r, addr, 1);
    robot_write(r, addr, 1, 0xff);
    return (Written){ x, y, 1, 1 };
}

static Written write_chained(Robot *r)
{
    unsigned x = below(320), y = below(200);

    change(r, VGA_WINDOW + y * 320 + x, 1 + below(255));
    return (Written){ x * 2, y * 2, 2, 2 };
}

static Written write_unchained(Robot *r)
{
    unsigned x = below(320), y = below(240);

    set_indexed(r, 0x3c4, 2, 1 << x % 4);
    set_indexed(r, 0x3ce, 4, x % 4);
    change(r, VGA_WINDOW + y * 80 + x / 4, 1 + below(255));
    return (Written){ x * 2, y * 2, 2, 2 };
}

/* All lines that have something of the page. */
static Written page_lines(unsigned offset, unsigned line)
{
    unsigned page = offset / PAGE * PAGE;
    int first = page / line, last = MIN((page + PAGE - 1) / line, VBE_HEIGHT - 1);

    return (Written){ 0, first, VBE_WIDTH, last - first + 1 };
}

static Written write_bank(Robot *r)
{
    unsigned offset = below(VBE_WIDTH * VBE_HEIGHT);

    set_vbe(r, VBE_BANK, offset >> 16);
    change(r, VGA_WINDOW + (offset & 0xffff), 1 + below(255));
    return page_lines(offset, VBE_WIDTH);
}

static Written write_linear16(Robot *r)
{
    unsigned offset = below(VBE_WIDTH * VBE_HEIGHT) * 2;

    change(r, LINEAR + offset, 1 + below(255));
    return page_lines(offset, VBE_WIDTH * 2);
}

static Written write_linear32(Robot *r)
{
    unsigned offset = below(VBE_WIDTH * VBE_HEIGHT) * 4;

    change(r, LINEAR + offset + below(3), 1 + below(255));
    return page_lines(offset, VBE_WIDTH * 4);
}

static const struct {
    const char *name; /* NULL: VBE's, of */
    unsigned bpp;
    WriteOne *write;
    bool all_told; /* what is told is all of what was written, else no more than that */
} exact_modes[] = {
    { "text 80x25", 0, write_cell, false }, /* a shape may be like another */
    { "CGA, 320x200 in 4 colours", 0, write_cga, true },
    { "640x480 in 16 colours", 0, write_planes, true },
    { "320x200 in 256 colours", 0, write_chained, true },
    { "320x240 in 256 colours, planes apart", 0, write_unchained, true },
    { NULL, 8, write_bank, true },
    { NULL, 16, write_linear16, true },
    { NULL, 32, write_linear32, true },
};

/* Text that is seen, in shapes that differ in every line. */
static void fill(void)
{
    for (unsigned i = 0; i < 256 * 32; i++) {
        uint8_t *group = vga->vram_ptr + i * 4;

        group[0] = i;
        group[1] = 0x1e;
        group[2] = content_byte(7, i);
    }
    memory_region_set_dirty(&vga->vram, 0, 256 * 32 * 4);
}

static void exact(Robot *r)
{
    for (unsigned m = 0; m < G_N_ELEMENTS(exact_modes); m++) {
        const char *name = exact_modes[m].name;

        if (name) {
            set_vga(r, name);
        } else {
            set_vbe_mode(r, exact_modes[m].bpp);
        }
        in_main_loop(fill);
        in_main_loop(refresh_and_forget);
        for (unsigned i = 0; i < 60; i++) {
            Written w = exact_modes[m].write(r);
            pixman_region32_t wanted;

            in_main_loop(refresh);
            memory_lock();
            pixman_region32_init_rect(&wanted, w.x, w.y, w.width, w.height);
            if (!exact_modes[m].all_told) {
                pixman_region32_intersect(&wanted, &wanted, &told);
            }
            expect(pixman_region32_equal(&wanted, &told) ||
                       (!exact_modes[m].all_told && !pixman_region32_not_empty(&told)),
                   "%s, %u bits: %d, %d to %d, %d was told, not %d, %d, %dx%d",
                   name ? name : "VBE", exact_modes[m].bpp, told.extents.x1,
                   told.extents.y1, told.extents.x2, told.extents.y2, w.x, w.y, w.width,
                   w.height);
            pixman_region32_fini(&wanted);
            forget();
            memory_unlock();
        }
        in_main_loop(compare_with_all);
    }
}

START_TEST(exactly_what_changed)
{
    chance = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 6));
    with_vga(exact, 1);
    g_rand_free(chance);
}
END_TEST

/* ---- nothing is missed ----------------------------------------------------------- */

static bool storming; /* refreshes come one after the other; under the memory lock */

static gboolean storm(gpointer opaque)
{
    bool on;

    memory_lock();
    refresh();
    on = storming;
    memory_unlock();
    return on ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void storm_begin(void)
{
    storming = true;
    g_idle_add(storm, NULL);
}

static void storm_end(void)
{
    storming = false;
    refresh();
}

/* Places that a burst writes to, each some bytes after the one before; what is then seen
 * at the first of its pixels. VCPU 1 writes to places between all the time. */
typedef struct Burst {
    const char *name; /* NULL: VBE's */
    hwaddr base;
    unsigned size, stride, count;
    unsigned line, wide, high; /* bytes of a line; of a place, how large it is seen */
    unsigned place;            /* bytes of a place */
    hwaddr busy;
} Burst;

static const Burst bursts[] = {
    { NULL, LINEAR, 4, 1028, 980, VBE_WIDTH * 4, 1, 1, 4, LINEAR + 512 },
    { "320x200 in 256 colours", VGA_WINDOW, 1, 67, 950, 320, 2, 2, 1, VGA_WINDOW + 32 },
    { "640x480 in 16 colours", VGA_WINDOW, 1, 39, 980, 80, 8, 1, 1, VGA_WINDOW + 20 },
    { "text 80x25", 0xb8000, 2, 14, 280, 160, 9, 16, 2, 0xb8000 + 6 },
};

static const Burst *burst;
static unsigned burst_value;

static uint32_t burst_colour(void)
{
    static const uint8_t colours[16] = { 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a,
                                         0x3b, 0x3c, 0x3d, 0x3e, 0x3f };

    if (!burst->name) {
        return burst_value;
    }
    return dac_colour(burst->wide == 2 ? burst_value & 0xff : colours[burst_value & 15]);
}

static void clear(void)
{
    memset(vga->vram_ptr, 0, VRAM_SIZE);
    memory_region_set_dirty(&vga->vram, 0, VRAM_SIZE);
}

static void check_burst(void)
{
    refresh();
    for (unsigned i = 0; i < burst->count; i++) {
        unsigned offset = i * burst->stride;
        unsigned x = offset % burst->line / burst->place * burst->wide;
        unsigned y = offset / burst->line * burst->high;
        uint32_t seen = *pixel_of(mirror, x, y) & 0xffffff;

        expect(seen == burst_colour(), "%s: at %u, %u is %06x, not %06x",
               burst->name ? burst->name : "VBE", x, y, seen, burst_colour());
    }
    forget();
}

/* What vCPU 1 reads back is no matter: set/reset writes something else. */
static void busy_end(Robot *r)
{
    RobotMailbox *mailbox = (RobotMailbox *)(r->host + ROBOT_MAILBOXES + 4096);

    expect(robot_progress(r, 1) > 10, "it was not busy");
    __atomic_store_n(&mailbox->stop, 1, __ATOMIC_RELEASE);
    robot_wait(r, 1);
    __atomic_store_n(&mailbox->stop, 0, __ATOMIC_RELEASE);
}

static void never_missed(Robot *r)
{
    robot_start_cpu(r, 1);
    for (unsigned m = 0; m < G_N_ELEMENTS(bursts); m++) {
        bool planes, text;

        burst = &bursts[m];
        if (burst->name) {
            set_vga(r, burst->name);
        } else {
            set_vbe_mode(r, 32);
        }
        planes = burst->wide == 8;
        text = burst->place == 2;
        in_main_loop(clear); /* shapes, too: what is seen of text is its background */
        robot_post(r, 1, (RobotOp){ .code = ROBOT_COUNT_UP, .addr = burst->busy,
                                    .size = 4, .count = ROBOT_RUN_ALWAYS });
        in_main_loop(storm_begin);
        for (unsigned i = 1; i <= 25; i++) {
            uint64_t value = burst_value = text || planes ? i & 15 : i * 0x010307;

            if (planes) { /* all 8 pixels by set/reset */
                set_indexed(r, 0x3ce, 0, burst_value);
                set_indexed(r, 0x3ce, 1, 0x0f);
            } else if (text) {
                value = burst_value << 12;
            }
            robot_do_op(r, 0, .code = ROBOT_STRIDE, .addr = burst->base,
                        .size = burst->size, .value = value, .value2 = burst->stride,
                        .count = burst->count);
            in_main_loop(check_burst);
        }
        in_main_loop(storm_end);
        busy_end(r);
        in_main_loop(compare_with_all);
    }
}

START_TEST(nothing_is_missed)
{
    with_vga(never_missed, 2);
}
END_TEST

/* ---- whatever registers say ------------------------------------------------------- */

static unsigned some_number(void)
{
    static const uint16_t numbers[] = { 0, 1, 4, 7, 8, 15, 16, 24, 32, 320, 640, 1024,
                                        2560, VBE_YRES_MAX, VBE_XRES_MAX, 0x7fff, 0x8000,
                                        0xfff8, 0xffff };

    return below(2) ? numbers[below(G_N_ELEMENTS(numbers))] : below(0x10000);
}

static void write_by_chance(Robot *r)
{
    switch (below(7)) {
    case 0:
        out(r, VGA_PORTS + below(VGA_PORTS_SIZE), below(256));
        break;
    case 1:
        set_indexed(r, 0x3d4, below(0x20), below(256));
        break;
    case 2:
        set_indexed(r, below(2) ? 0x3c4 : 0x3ce, below(10), below(256));
        break;
    case 3:
        robot_in(r, 0x3da, 1);
        out(r, 0x3c0, below(0x40));
        out(r, 0x3c0, below(256));
        break;
    case 4:
        set_vbe(r, below(VBE_REGS_NR + 2), some_number());
        set_vbe(r, VBE_ENABLE, below(256));
        break;
    case 5:
        robot_write(r, VGA_WINDOW + below(VGA_WINDOW_SIZE - 3), 4, some_number());
        robot_read(r, VGA_WINDOW + below(VGA_WINDOW_SIZE - 3), 4);
        break;
    case 6:
        robot_write(r, LINEAR + below(VRAM_SIZE - 3), 4, some_number());
        break;
    }
}

/* The screen is at the last bytes of VRAM, or past them. */
static void past_the_end(Robot *r)
{
    static const unsigned depths[] = { 4, 8, 15, 16, 24, 32 };

    set_vbe_mode(r, 32);
    for (unsigned i = 0; i < 60; i++) {
        set_vbe(r, VBE_ENABLE, 0);
        set_vbe(r, VBE_BPP, depths[below(G_N_ELEMENTS(depths))]);
        set_vbe(r, VBE_ENABLE, VBE_ENABLED | VBE_LFB_ENABLED);
        set_vbe(r, VBE_VIRT_WIDTH, VBE_WIDTH + 8 * below(1000));
        set_vbe(r, VBE_X_OFFSET, some_number());
        set_vbe(r, VBE_Y_OFFSET, some_number());
        if (below(2)) {
            set_vbe(r, VBE_XRES, some_number());
            set_vbe(r, VBE_YRES, some_number());
        }
        robot_write(r, LINEAR + VRAM_SIZE - 4 - 4 * below(4000), 4, i);
    }
}

static void absurd(Robot *r)
{
    for (unsigned round = 0; round < 8; round++) {
        in_main_loop(storm_begin);
        for (unsigned i = 0; i < 400; i++) {
            write_by_chance(r);
        }
        past_the_end(r);
        robot_wait(r, 0);
        in_main_loop(storm_end);
        in_main_loop(compare_with_all);

        /* And all is well again. */
        set_vbe_mode(r, 32);
        burst = &bursts[0];
        burst_value = round + 1;
        robot_do_op(r, 0, .code = ROBOT_STRIDE, .addr = burst->base, .size = burst->size,
                    .value = burst_value, .value2 = burst->stride, .count = burst->count);
        in_main_loop(check_burst);
    }
}

START_TEST(absurd_registers)
{
    chance = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 7));
    with_vga(absurd, 1);
    g_rand_free(chance);
}
END_TEST

ROBOT_MAIN("kvm-redraw", exactly_what_changed, nothing_is_missed, absurd_registers)
