/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of the screen: a frame buffer of 1920x1080 pixels of 32 bits in VRAM, and a
 * viewer that keeps a copy of it.
 *
 * Frames: one line in a hundred is written between two refreshes. What the dirty log
 * costs is the refresh with a viewer that does nothing; what conversion costs comes on
 * top of it.
 *
 * In a guest: how fast it writes the frame buffer while it is watched, beside how fast
 * it does while it is not; and what an unchanged screen costs the main loop.
 */
#include <unistd.h>

#include "hw/display/framebuffer.h"
#include "tests/bench/bench.h"
#include "tests/kvm-robot.h"

#define WIDTH 1920
#define HEIGHT 1080
#define STRIDE (WIDTH * 4)
#define FRAME (HEIGHT * STRIDE)
#define VRAM_SIZE (16u << 20)
#define CHANGED_LINES (HEIGHT / 100)
#define FRAMES 200 /* in a run */

/* ---- a screen ----------------------------------------------------------------------- */

typedef struct Screen {
    MemoryRegion vram;
    Framebuffer fb;
    Viewer viewer;
    pixman_image_t *shown, *copy; /* copy: NULL, nothing is converted */
    uint64_t lines;     /* that the viewer was told of */
    unsigned refreshes;
} Screen;

static void screen_refresh(void *opaque)
{
    framebuffer_refresh(opaque);
}

static void screen_invalidate(void *opaque)
{
    framebuffer_invalidate(opaque);
}

static void screen_watch(void *opaque, bool watched)
{
    memory_region_set_log(((Framebuffer *)opaque)->mr, watched, DIRTY_MEMORY_VGA);
}

static const ConsoleOps screen_ops = {
    .refresh = screen_refresh,
    .invalidate = screen_invalidate,
    .watch = screen_watch,
};

static void viewer_image(void *opaque, pixman_image_t *image)
{
    ((Screen *)opaque)->shown = image;
}

static void viewer_changed(void *opaque, int x, int y, int width, int height)
{
    Screen *s = opaque;

    s->lines += height;
    if (s->copy) {
        image_convert(s->copy, s->shown, x, y, width, height);
    }
}

static void viewer_refreshed(void *opaque)
{
    ((Screen *)opaque)->refreshes++;
}

static const ViewerOps viewer_ops = {
    .image = viewer_image,
    .changed = viewer_changed,
    .refreshed = viewer_refreshed,
};

/* VRAM in @root at @addr, and its console; nobody looks yet. */
static void screen_init(Screen *s, MemoryRegion *root, hwaddr addr)
{
    *s = (Screen){ .viewer = { .ops = &viewer_ops, .opaque = s } };
    memory_region_init_ram(&s->vram, "vram", VRAM_SIZE);
    memory_region_add_subregion(root, addr, &s->vram);
    memory_lock();
    s->fb.console = console_new(NULL, 0, &screen_ops, &s->fb);
    framebuffer_set(&s->fb, &s->vram, 0, WIDTH, HEIGHT, STRIDE, PIXMAN_x8r8g8b8, NULL);
    memory_unlock();
}

static void screen_watch_it(Screen *s, bool watch)
{
    memory_lock();
    if (watch) {
        viewer_attach(&s->viewer, s->fb.console);
    } else {
        viewer_detach(&s->viewer);
    }
    memory_unlock();
}

static void screen_destroy(Screen *s, MemoryRegion *root)
{
    screen_watch_it(s, false);
    memory_lock();
    console_free(s->fb.console);
    memory_unlock();
    memory_region_del_subregion(root, &s->vram);
    memory_region_destroy(&s->vram);
    if (s->copy) {
        pixman_image_unref(s->copy);
    }
}

/* ---- frames ------------------------------------------------------------------------- */

/* Lines that lie apart; none twice. */
static void write_lines(Screen *s, unsigned frame)
{
    uint8_t *vram = memory_region_get_ram_ptr(&s->vram);

    for (unsigned i = 0; i < CHANGED_LINES; i++) {
        hwaddr line = (hwaddr)(i * 100 + frame % 100) * STRIDE;

        memset(vram + line, frame, STRIDE);
        memory_region_set_dirty(&s->vram, line, STRIDE);
    }
}

/* @format: of the viewer's copy; 0: it keeps none. */
static void bench_frames(GArray *figures, Figure f, bool write,
                         pixman_format_code_t format)
{
    MemoryRegion root;
    AddressSpace as;
    Samples samples = { 0 };
    Screen s;

    if (!bench_wanted(f.key)) {
        return;
    }
    f.unit = "us";
    memory_region_init(&root, "root", UINT64_MAX);
    address_space_init(&as, &root);
    screen_init(&s, &root, 0xe0000000);
    if (format) {
        s.copy = pixman_image_create_bits(format, WIDTH, HEIGHT, NULL, 0);
    }
    screen_watch_it(&s, true);
    memory_lock();
    console_refresh(s.fb.console);
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        uint64_t ns = 0;

        s.lines = 0;
        samples_start(&samples);
        for (unsigned frame = 0; frame < FRAMES; frame++) {
            uint64_t start = bench_thread_time();

            if (write) {
                write_lines(&s, frame);
            }
            /* What the guest would do is not to be counted. */
            ns += bench_thread_time() - start;
            console_refresh(s.fb.console);
        }
        samples_stop(&samples, FRAMES);
        samples.thread[run] -= (double)ns / FRAMES;
        samples.wall[run] -= (double)ns / FRAMES;
        /* A page has parts of up to three lines. */
        if (write ? s.lines < FRAMES * CHANGED_LINES ||
                        s.lines > FRAMES * CHANGED_LINES * 3
                  : s.lines != 0) {
            bench_wrong(&f, "%" PRIu64 " lines have changed", s.lines);
        }
    }
    memory_unlock();
    figure_set_samples(&f, &samples);
    g_array_append_val(figures, f);
    screen_destroy(&s, &root);
    address_space_destroy(&as);
    memory_region_destroy(&root);
}

/* ---- a guest ------------------------------------------------------------------------ */

#define VRAM 0xd0000000u
#define PAIRS 7  /* of a run that is watched and one that is not */
#define FILL_US 300000 /* the least */
#define IDLE_S 1

static Screen guest_screen;
static Figure writes = {
    .key = "display_guest_writes", .unit = "x", .target = 1 / 0.95,
    .text = "a guest fills the frame: watched / not",
};
static Figure idle = {
    .key = "display_idle", .unit = "%", .target = 0.1,
    .text = "a watched screen that does not change: CPU",
};

/* Nanoseconds that a thread of ours has run: what a busy machine does is not in it. */
static double thread_ns(int tid)
{
    g_autofree char *path = g_strdup_printf("/proc/self/task/%d/schedstat", tid);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        bench_wrong(&writes, "cannot read %s", path);
    }
    return g_ascii_strtod(text, NULL);
}

typedef struct Taken {
    double thread, wall; /* ns for each time that the frame buffer was filled */
} Taken;

/* The guest fills the frame buffer again and again, for as long as many refreshes take. */
static Taken guest_fill(Robot *r, uint64_t value)
{
    int tid = cpu_thread_id(cpus_get(0));
    double thread = thread_ns(tid);
    gint64 start = g_get_monotonic_time();
    unsigned fills = 0;

    do {
        for (unsigned i = 0; i < fills / 2 + 1; i++) {
            robot_post(r, 0, (RobotOp){ .code = ROBOT_WRITE_REP, .size = 8, .addr = VRAM,
                                        .count = FRAME / 8, .value = value + fills });
        }
        robot_wait(r, 0);
        fills += fills / 2 + 1;
    } while (g_get_monotonic_time() - start < FILL_US);
    return (Taken){ (thread_ns(tid) - thread) / fills,
                    (g_get_monotonic_time() - start) * 1e3 / fills };
}

static void measure_writes(Robot *r)
{
    double thread[PAIRS], wall[PAIRS];

    guest_fill(r, 0);
    for (unsigned pair = 0; pair < PAIRS; pair++) {
        Taken off = guest_fill(r, pair), on;

        guest_screen.refreshes = 0;
        guest_screen.lines = 0;
        screen_watch_it(&guest_screen, true);
        guest_fill(r, pair); /* until it is as it stays */
        on = guest_fill(r, ~(uint64_t)pair);
        screen_watch_it(&guest_screen, false);
        if (!guest_screen.refreshes || guest_screen.lines < HEIGHT) {
            bench_wrong(&writes, "%u refreshes, of %" PRIu64 " lines",
                        guest_screen.refreshes, guest_screen.lines);
        }
        thread[pair] = on.thread / off.thread;
        wall[pair] = on.wall / off.wall;
    }
    figure_set(&writes, wall, PAIRS);
    writes.wall = writes.median;
    figure_set(&writes, thread, PAIRS);
}

/* What the main loop's thread does. */
static void measure_idle(Robot *r)
{
    double percent[BENCH_RUNS];

    screen_watch_it(&guest_screen, true);
    g_usleep(G_USEC_PER_SEC / 5);
    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        double thread = thread_ns(getpid());
        gint64 wall = g_get_monotonic_time();

        guest_screen.lines = 0;
        g_usleep(IDLE_S * G_USEC_PER_SEC);
        percent[run] = (thread_ns(getpid()) - thread) /
                       ((g_get_monotonic_time() - wall) * 1e3) * 100;
        if (guest_screen.lines) {
            bench_wrong(&idle, "%" PRIu64 " lines have changed", guest_screen.lines);
        }
    }
    screen_watch_it(&guest_screen, false);
    figure_set(&idle, percent, BENCH_RUNS);
}

static void guest_script(Robot *r)
{
    if (bench_wanted(writes.key)) {
        measure_writes(r);
    }
    if (bench_wanted(idle.key)) {
        measure_idle(r);
    }
}

static void measure_guest(void)
{
    Robot r;

    robot_init(&r);
    screen_init(&guest_screen, &r.memory_root, VRAM);
    guest_screen.copy = pixman_image_create_bits(PIXMAN_x8r8g8b8, WIDTH, HEIGHT, NULL, 0);
    robot_run(&r, guest_script);
    screen_destroy(&guest_screen, &r.memory_root);
    robot_destroy(&r);
}

void bench_display(GArray *figures)
{
    GError *err = NULL;

    bench_frames(figures, (Figure){ .key = "display_frame_unchanged",
                 .text = "1920x1080x32: frame, nothing changed" }, false,
                 PIXMAN_x8r8g8b8);
    bench_frames(figures, (Figure){ .key = "display_frame_log",
                 .text = "... 1% of lines changed, dirty log only" }, true, 0);
    bench_frames(figures, (Figure){ .key = "display_frame_copy",
                 .text = "... and copied" }, true, PIXMAN_x8r8g8b8);
    bench_frames(figures, (Figure){ .key = "display_frame_convert",
                 .text = "... and converted to 16 bits" }, true, PIXMAN_r5g6b5);
    if (!bench_wanted(writes.key) && !bench_wanted(idle.key)) {
        return;
    }
    if (kvm_available(&err)) {
        measure_guest();
    } else {
        writes.skip = idle.skip = err->message;
    }
    if (bench_wanted(writes.key)) {
        g_array_append_val(figures, writes);
    }
    if (bench_wanted(idle.key)) {
        g_array_append_val(figures, idle);
    }
}
