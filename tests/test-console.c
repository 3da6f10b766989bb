/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: what viewers are told, when devices are asked, which console is found; and
 * screendump.
 */
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>

#include "hw/input/input.h"
#include "monitor/monitor.h"
#include "monitor/qapi.h"
#include "tests/device-util.h"
#include "tests/screen-util.h"

static void attach(TestViewer *v, Console *con)
{
    memory_lock();
    viewer_attach(&v->viewer, con);
    memory_unlock();
}

static void detach(TestViewer *v)
{
    memory_lock();
    viewer_detach(&v->viewer);
    memory_unlock();
}

static void pause_viewer(TestViewer *v, bool paused)
{
    memory_lock();
    viewer_pause(&v->viewer, paused);
    memory_unlock();
}

static void refresh(TestScreen *s)
{
    memory_lock();
    console_refresh(s->con);
    memory_unlock();
}

/* ---- who is told what --------------------------------------------------------------- */

START_TEST(first_picture)
{
    TestScreen *s = test_screen_new(NULL, 0);
    pixman_image_t *image;

    memory_lock();
    image = console_refresh(s->con);
    memory_unlock();
    ck_assert_int_eq(pixman_image_get_width(image), 640);
    ck_assert_int_eq(pixman_image_get_height(image), 480);
    expect_hex(image_pixel(image, 0, 0) | image_pixel(image, 639, 479), 0);
    test_screen_free(s);
}
END_TEST

/* Told of the image, and that all of it has changed; then of what does. */
START_TEST(told)
{
    TestScreen *s = test_screen_new(NULL, 0);
    TestViewer v, later;

    test_viewer_init(&v);
    test_viewer_init(&later);
    test_screen_show(s, PIXMAN_r5g6b5, 100, 50);
    test_screen_draw(s, 10, 10, 5, 5, 0x123456);
    attach(&v, s->con);
    ck_assert_uint_eq(v.images, 1);
    ck_assert_uint_eq(v.changes, 1);
    expect(v.last.x1 == 0 && v.last.y1 == 0 && v.last.x2 == 100 && v.last.y2 == 50, "all");
    test_viewer_check(&v);

    /* Nobody recorded what changed before. */
    refresh(s);
    ck_assert_uint_eq(v.changes, 2);
    ck_assert_uint_eq(v.refreshes, 1);
    expect(v.last.x2 == 100 && v.last.y2 == 50, "all again");

    test_screen_draw(s, 3, 4, 5, 6, 0xffffff);
    refresh(s);
    ck_assert_uint_eq(v.changes, 3);
    expect(v.last.x1 == 3 && v.last.y1 == 4 && v.last.x2 == 8 && v.last.y2 == 10, "part");
    test_viewer_check(&v);
    refresh(s);
    ck_assert_uint_eq(v.changes, 3);
    ck_assert_uint_eq(v.refreshes, 3);

    attach(&later, s->con);
    test_viewer_check(&later);
    ck_assert_uint_eq(v.images, 1);

    test_screen_show(s, PIXMAN_x8r8g8b8, 30, 40);
    ck_assert_uint_eq(v.images, 2);
    ck_assert_uint_eq(later.images, 2);
    expect(v.last.x2 == 30 && v.last.y2 == 40, "all of the next");

    memory_lock();
    console_set_image(s->con, NULL);
    memory_unlock();
    ck_assert_int_eq(pixman_image_get_width(v.image), 30);
    ck_assert_int_eq(pixman_image_get_height(v.image), 40);
    expect_hex(image_pixel(v.copy, 29, 39), 0);
    test_viewer_check(&v);

    detach(&v);
    detach(&v);
    ck_assert_uint_eq(v.images, 3);
    test_viewer_cleanup(&v);
    test_viewer_cleanup(&later);
    test_screen_free(s);
}
END_TEST

START_TEST(clipped)
{
    static const struct {
        int x, y, width, height;
        pixman_box32_t told; /* empty: nobody is */
    } cases[] = {
        { 0, 0, 20, 10, { 0, 0, 20, 10 } },
        { -5, -5, 6, 7, { 0, 0, 1, 2 } },
        { 19, 9, 100, 100, { 19, 9, 20, 10 } },
        { 20, 0, 1, 1, { 0, 0, 0, 0 } },
        { 0, 10, 1, 1, { 0, 0, 0, 0 } },
        { -5, 0, 5, 1, { 0, 0, 0, 0 } },
        { 3, 3, 0, 5, { 0, 0, 0, 0 } },
        { 3, 3, 5, -1, { 0, 0, 0, 0 } },
        { 1, 2, INT_MAX, INT_MAX, { 1, 2, 20, 10 } },
        { INT_MIN, INT_MIN, INT_MAX, INT_MAX, { 0, 0, 0, 0 } },
        { INT_MAX, INT_MAX, INT_MAX, INT_MAX, { 0, 0, 0, 0 } },
        { INT_MIN, 0, INT_MIN, 1, { 0, 0, 0, 0 } },
    };
    TestScreen *s = test_screen_new(NULL, 0);
    TestViewer v;

    test_viewer_init(&v);
    test_screen_show(s, PIXMAN_x8r8g8b8, 20, 10);
    attach(&v, s->con);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const pixman_box32_t *told = &cases[i].told;
        unsigned before = v.changes;

        memory_lock();
        console_changed(s->con, cases[i].x, cases[i].y, cases[i].width,
                        cases[i].height);
        memory_unlock();
        ck_assert_uint_eq(v.changes - before, told->x2 > 0);
        expect(!told->x2 || memcmp(&v.last, told, sizeof(*told)) == 0, "case %u", i);
    }
    test_viewer_cleanup(&v);
    test_screen_free(s);
}
END_TEST

/* ---- watching ----------------------------------------------------------------------- */

START_TEST(watching)
{
    TestScreen *s = test_screen_new(NULL, 0);
    TestViewer a, b;

    test_viewer_init(&a);
    test_viewer_init(&b);
    pause_viewer(&b, true);
    expect(!console_watched(s->con) && s->watches == 0, "nobody is there");
    attach(&b, s->con);
    ck_assert_uint_eq(b.images, 1);
    ck_assert_uint_eq(b.changes, 0);
    expect(!console_watched(s->con) && s->watches == 0, "a paused one does not look");
    attach(&a, s->con);
    expect(console_watched(s->con) && s->watched, "one looks");
    pause_viewer(&b, false);
    pause_viewer(&b, false);
    ck_assert_uint_eq(b.changes, 1);
    ck_assert_uint_eq(s->watches, 1);
    ck_assert_uint_eq(s->invalidations, 1);
    pause_viewer(&a, true);
    expect(s->watched, "the other still looks");
    refresh(s);
    ck_assert_uint_eq(a.refreshes, 0);
    ck_assert_uint_eq(b.refreshes, 1);

    /* A paused one hears of a new image: that before may go. */
    pause_viewer(&b, true);
    expect(!s->watched && !console_watched(s->con), "all are paused");
    test_screen_show(s, PIXMAN_x8r8g8b8, 20, 10);
    ck_assert_uint_eq(b.images, 2);
    ck_assert_uint_eq(b.changes, 2);
    test_screen_draw(s, 1, 1, 2, 2, 0xabcdef);

    pause_viewer(&b, false);
    ck_assert_uint_eq(s->invalidations, 2);
    refresh(s);
    test_viewer_check(&b);
    detach(&b);
    expect(!s->watched, "only a paused one is left");
    detach(&a);
    ck_assert_uint_eq(s->watches, 4);
    test_viewer_cleanup(&a);
    test_viewer_cleanup(&b);
    test_screen_free(s);
}
END_TEST

static gboolean set_flag(gpointer opaque)
{
    *(bool *)opaque = true;
    return G_SOURCE_REMOVE;
}

/* Let the main loop run for some periods. */
static void loop_for(unsigned ms)
{
    bool over = false;

    g_timeout_add(ms, set_flag, &over);
    test_loop_until(over);
}

/* The main loop refreshes what is watched, and nothing else. */
START_TEST(timer)
{
    TestScreen *s = test_screen_new(NULL, 0), *other = test_screen_new(NULL, 1);
    TestViewer v, w;

    test_viewer_init(&v);
    test_viewer_init(&w);
    attach(&v, s->con);
    test_loop_until(s->refreshes >= 3);
    ck_assert_uint_eq(other->refreshes, 0);
    attach(&w, other->con);
    test_loop_until(other->refreshes >= 3);
    detach(&v);
    s->refreshes = 0;
    other->refreshes = 0;
    test_loop_until(other->refreshes >= 3);
    ck_assert_uint_eq(s->refreshes, 0);
    detach(&w);
    other->refreshes = 0;
    loop_for(5 * CONSOLE_REFRESH_MS);
    ck_assert_uint_eq(s->refreshes + other->refreshes, 0);

    /* And again; also where the timer has not noticed that nobody looked. */
    attach(&v, s->con);
    detach(&v);
    attach(&v, s->con);
    test_loop_until(s->refreshes >= 3);
    test_viewer_cleanup(&v);
    test_viewer_cleanup(&w);
    test_screen_free(other);
    test_screen_free(s);
    loop_for(2 * CONSOLE_REFRESH_MS);
}
END_TEST

static gint64 shortest_gap; /* of two refreshes, in microseconds */
static gint64 last_refresh;
static unsigned refreshes;

static void time_gap(TestViewer *v, bool image)
{
    gint64 now = g_get_monotonic_time();

    if (v->refreshes == refreshes) {
        return; /* a change, not the end of a refresh */
    }
    refreshes = v->refreshes;
    shortest_gap = MIN(shortest_gap, now - last_refresh);
    last_refresh = now;
}

static void expect_slow(TestScreen *s)
{
    /* However slow this machine is: they may not be more. */
    s->refreshes = 0;
    loop_for((CONSOLE_QUIET + 2) * CONSOLE_REFRESH_MS + 5 * CONSOLE_IDLE_MS);
    expect(s->refreshes <= CONSOLE_QUIET + 2 + 6, "%u refreshes", s->refreshes);
    s->refreshes = 0;
    loop_for(5 * CONSOLE_IDLE_MS);
    expect(s->refreshes <= 6, "%u refreshes of what does not change", s->refreshes);
}

/* However slow: at some time one follows the other quickly. */
static void expect_fast(bool again(void *opaque), void *opaque)
{
    shortest_gap = G_MAXINT64;
    while (shortest_gap > CONSOLE_IDLE_MS * 1000 / 2) {
        expect(again(opaque), "again");
        g_main_context_iteration(NULL, TRUE);
    }
}

static bool draw_again(void *opaque)
{
    test_screen_draw(opaque, 0, 0, 1, 1, 0);
    return true;
}

static bool show_again(void *opaque)
{
    test_screen_show(opaque, PIXMAN_x8r8g8b8, 5, 5);
    return true;
}

static bool type_again(void *opaque)
{
    memory_lock();
    input_send_key(KEY_A, true);
    memory_unlock();
    return true;
}

static bool move_again(void *opaque)
{
    memory_lock();
    input_send_motion(1, 1, 0);
    memory_unlock();
    return true;
}

/* A picture that takes long, and changes again at once. */
#define LONG_MS (3 * CONSOLE_REFRESH_MS)

static gint64 taken; /* us */

static void take_long(TestViewer *v, bool image)
{
    g_usleep(LONG_MS * 1000);
    taken += LONG_MS * 1000;
}

static gboolean draw_soon(gpointer opaque)
{
    return draw_again(opaque);
}

/* A guest may see to it that a refresh takes long: others have the lock as long as that. */
START_TEST(long_refreshes)
{
    TestScreen *s = test_screen_new(NULL, 0);
    TestViewer v;
    gint64 begun;
    guint draws;

    test_viewer_init(&v);
    test_screen_show(s, PIXMAN_x8r8g8b8, 5, 5);
    attach(&v, s->con);
    v.hook = take_long;
    taken = 0;
    draws = g_timeout_add(5, draw_soon, s);
    begun = g_get_monotonic_time();
    loop_for(10 * LONG_MS);
    g_source_remove(draws);
    expect(taken >= 2 * LONG_MS * 1000, "they are not long");
    expect(2 * taken <= g_get_monotonic_time() - begun + 4 * LONG_MS * 1000,
           "%" G_GINT64_FORMAT " us", taken);
    detach(&v);
    test_viewer_cleanup(&v);
    test_screen_free(s);
}
END_TEST

/* What does not change is looked at less often, until it does or somebody types. */
START_TEST(idle)
{
    bool (*const calls[])(void *opaque) = {
        draw_again, show_again, type_again, move_again,
    };
    TestScreen *s = test_screen_new(NULL, 0);
    TestViewer v;

    memory_lock();
    input_send_key(KEY_A, true); /* nobody has looked yet */
    memory_unlock();
    test_viewer_init(&v);
    v.hook = time_gap;
    test_screen_show(s, PIXMAN_x8r8g8b8, 5, 5);
    attach(&v, s->con);
    expect_slow(s);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++) {
        expect_fast(calls[i], s);
        expect_slow(s);
    }
    detach(&v);
    type_again(NULL);
    s->refreshes = 0;
    loop_for(3 * CONSOLE_IDLE_MS);
    ck_assert_uint_eq(s->refreshes, 0);
    test_viewer_cleanup(&v);
    test_screen_free(s);
}
END_TEST

/* A look where nobody else does: all of it, and the dirty log stays off. */
START_TEST(one_look)
{
    TestScreen *s = test_screen_new(NULL, 0);

    refresh(s);
    ck_assert_uint_eq(s->invalidations, 1);
    ck_assert_uint_eq(s->refreshes, 1);
    ck_assert_uint_eq(s->watches, 0);
    test_screen_free(s);
}
END_TEST

/* ---- callbacks that change who is there --------------------------------------------- */

#define CROWD 8

static TestViewer crowd[CROWD];
static Console *crowd_screen;
static GRand *rand_source;
static unsigned depth;

/* Take some viewers out, put them back, or pause them. */
static void stir(TestViewer *v, bool image)
{
    if (depth || g_rand_int_range(rand_source, 0, 2)) {
        return;
    }
    depth++;
    for (unsigned i = g_rand_int_range(rand_source, 0, 4); i-- > 0;) {
        TestViewer *victim = &crowd[g_rand_int_range(rand_source, 0, CROWD)];

        if (!victim->viewer.console) {
            viewer_attach(&victim->viewer, crowd_screen);
        } else if (g_rand_int_range(rand_source, 0, 2)) {
            viewer_detach(&victim->viewer);
        } else {
            viewer_pause(&victim->viewer, !victim->viewer.paused);
        }
    }
    depth--;
}

/* Whoever is there before and after a change has seen it. */
START_TEST(stirred)
{
    TestScreen *s = test_screen_new(NULL, 0);

    rand_source = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 1));
    test_screen_show(s, PIXMAN_x8r8g8b8, 16, 16);
    crowd_screen = s->con;
    for (unsigned i = 0; i < CROWD; i++) {
        test_viewer_init(&crowd[i]);
        crowd[i].hook = stir;
    }
    for (unsigned round = 0; round < 2000; round++) {
        bool looked[CROWD];

        for (unsigned i = 0; i < CROWD; i++) {
            if (!crowd[i].viewer.console && g_rand_int_range(rand_source, 0, 3) == 0) {
                depth++;
                attach(&crowd[i], s->con);
                depth--;
            }
            looked[i] = crowd[i].viewer.console && !crowd[i].viewer.paused;
        }
        if (round % 5 == 0) {
            test_screen_show(s, PIXMAN_x8r8g8b8, g_rand_int_range(rand_source, 2, 20),
                             16);
        }
        test_screen_draw(s, g_rand_int_range(rand_source, 0,
                                             pixman_image_get_width(s->image) - 1),
                         g_rand_int_range(rand_source, 0, 15), 2, 2,
                         g_rand_int(rand_source) & 0xffffff);
        refresh(s);
        for (unsigned i = 0; i < CROWD; i++) {
            if (looked[i] && crowd[i].viewer.console && !crowd[i].viewer.paused &&
                crowd[i].image == s->image) {
                snprintf(test_context, sizeof(test_context), "round %u, viewer %u: ",
                         round, i);
                test_viewer_check(&crowd[i]);
            }
        }
    }
    for (unsigned i = 0; i < CROWD; i++) {
        crowd[i].hook = NULL;
        test_viewer_cleanup(&crowd[i]);
    }
    expect(!s->watched, "all have gone");
    g_rand_free(rand_source);
    test_screen_free(s);
}
END_TEST

static void move_on(TestViewer *v, bool image)
{
    if (image && !v->image) {
        expect(!v->viewer.console, "still attached");
        viewer_attach(&v->viewer, v->hook_opaque);
    }
}

/* A console goes: its viewers hear of it, and may look at another one. */
START_TEST(console_goes)
{
    TestScreen *s = test_screen_new(NULL, 0), *other = test_screen_new(NULL, 1);
    TestViewer v, paused, moves;

    test_viewer_init(&v);
    test_viewer_init(&paused);
    test_viewer_init(&moves);
    moves.hook = move_on;
    moves.hook_opaque = other->con;
    pause_viewer(&paused, true);
    attach(&v, s->con);
    attach(&moves, s->con);
    attach(&paused, s->con);
    test_screen_free(s);
    expect(!v.image && !v.viewer.console, "told");
    expect(!paused.image && !paused.viewer.console, "the paused one, too");
    expect(moves.viewer.console == other->con && other->watched, "at another one");
    expect(console_by_index(0) == NULL && console_by_index(1) == other->con, "numbers");
    test_viewer_cleanup(&v);
    test_viewer_cleanup(&paused);
    test_viewer_cleanup(&moves);
    test_screen_free(other);
    memory_lock();
    console_free(NULL);
    memory_unlock();
}
END_TEST

/* ---- which there are ---------------------------------------------------------------- */

static void find_fails(const char *device, unsigned head, const char *message, int code)
{
    GError *err = NULL;

    memory_lock();
    expect(!console_find(device, head, &err), "%s is found", device);
    memory_unlock();
    ck_assert_str_eq(err->message, message);
    ck_assert_int_eq(err->code, code);
    g_error_free(err);
}

START_TEST(finding)
{
    TestScreen *a, *b, *c;
    GError *err = NULL;

    ck_assert_uint_eq(consoles_nr(), 0);
    expect(!console_by_index(0), "there is none");
    expect(!console_default(&err), "none at all");
    expect_error(err, "no screen", "-vga std", NULL);

    a = test_screen_new(NULL, 0);
    b = test_screen_new("b", 0);
    c = test_screen_new("c", 2);
    ck_assert_uint_eq(consoles_nr(), 3);
    ck_assert_uint_eq(console_index(c->con), 2);
    expect(console_by_index(1) == b->con && !console_by_index(3), "by number");
    expect(console_default(NULL) == a->con, "the first");
    ck_assert_str_eq(console_label(a->con), "test-screen");
    ck_assert_str_eq(console_label(b->con), "test-screen b");
    ck_assert_str_eq(console_label(c->con), "test-screen c head 2");
    expect(console_find("b", 0, NULL) == b->con, "by id");
    expect(console_find("/machine/peripheral/c", 2, NULL) == c->con, "by path");
    find_fails("d", 0, "Device 'd' not found", FLATVIEW_ERROR_NOT_FOUND);
    find_fails("/machine", 0, "Device '/machine' not found", FLATVIEW_ERROR_NOT_FOUND);
    find_fails("c", 0, "device 'c' has no console of head 0; consoles: 0 (test-screen), "
               "1 (test-screen b), 2 (test-screen c head 2)", FLATVIEW_ERROR_GENERIC);

    /* Numbers stay while their console does; the last ones are given again. */
    test_screen_free(a);
    ck_assert_uint_eq(consoles_nr(), 3);
    expect(console_default(NULL) == b->con && console_index(b->con) == 1, "the next");
    test_screen_free(c);
    ck_assert_uint_eq(consoles_nr(), 2);
    test_screen_free(b);
    ck_assert_uint_eq(consoles_nr(), 0);
}
END_TEST

static Console *heard[8];
static unsigned heard_nr;

static void hear(Console *con, void *opaque)
{
    expect(opaque == heard, "its opaque");
    expect(console_by_index(console_index(con)) == con, "it is there already");
    heard[heard_nr++] = con;
}

static void hear_once(Console *con, void *opaque)
{
    heard[heard_nr++] = con;
    console_unlisten(hear_once, opaque);
}

START_TEST(listening)
{
    TestScreen *a, *b, *c;

    memory_lock();
    console_listen(hear, heard);
    console_listen(hear_once, NULL);
    memory_unlock();
    a = test_screen_new(NULL, 0);
    ck_assert_uint_eq(heard_nr, 2);
    b = test_screen_new(NULL, 1);
    ck_assert_uint_eq(heard_nr, 3);
    expect(heard[0] == a->con && heard[1] == a->con && heard[2] == b->con, "which");
    memory_lock();
    console_unlisten(hear, NULL); /* of another opaque */
    console_unlisten(hear, heard);
    console_unlisten(hear, heard);
    memory_unlock();
    c = test_screen_new(NULL, 2);
    ck_assert_uint_eq(heard_nr, 3);
    test_screen_free(c);
    test_screen_free(b);
    test_screen_free(a);
}
END_TEST

static void refresh_nothing(void *opaque)
{
}

START_TEST(what_devices_offer)
{
    static const ConsoleOps least = { .refresh = refresh_nothing,
                                      .invalidate = refresh_nothing };
    TestScreen *s = test_screen_new(NULL, 0);
    ConsoleText text;
    TestViewer v;
    Console *con;

    s->cell = (ConsoleCell){ 'x', 7 };
    expect(!console_text(s->con, &text), "it shows no text");
    s->has_text = true;
    expect(console_text(s->con, &text) && text.cells->character == 'x', "text");

    console_suggest_size(s->con, 800, 600);
    expect(s->width == 800 && s->height == 600, "suggested");
    console_suggest_size(s->con, CONSOLE_SIZE_MAX + 1, 100);
    console_suggest_size(s->con, 100, CONSOLE_SIZE_MAX + 1);
    console_suggest_size(s->con, 0, 100);
    console_suggest_size(s->con, 100, 0);
    expect(s->width == 800 && s->height == 600, "refused");
    console_suggest_size(s->con, CONSOLE_SIZE_MAX, 1);
    expect(s->width == CONSOLE_SIZE_MAX && s->height == 1, "the largest");
    test_screen_free(s);

    memory_lock();
    con = console_new(NULL, 0, &least, NULL);
    expect(!console_text(con, &text), "none ever");
    console_suggest_size(con, 800, 600);
    test_viewer_init(&v);
    viewer_attach(&v.viewer, con);
    viewer_detach(&v.viewer);
    console_free(con);
    memory_unlock();
    test_viewer_cleanup(&v);
}
END_TEST

/* A picture as large as can be costs no memory while it is black. */
START_TEST(large_black)
{
    TestScreen *s = test_screen_new(NULL, 0);
    uint32_t line[CONSOLE_SIZE_MAX];
    pixman_image_t *image, *black;

    memory_lock();
    image = pixman_image_create_bits(PIXMAN_x8r8g8b8, CONSOLE_SIZE_MAX,
                                     CONSOLE_SIZE_MAX, line, 0);
    console_set_image(s->con, image);
    pixman_image_unref(image);
    console_set_image(s->con, NULL);
    black = console_refresh(s->con);
    memory_unlock();
    ck_assert_int_eq(pixman_image_get_width(black), CONSOLE_SIZE_MAX);
    ck_assert_int_eq(pixman_image_get_height(black), CONSOLE_SIZE_MAX);
    ck_assert_int_eq(pixman_image_get_stride(black), 0);
    expect_hex(image_pixel(black, CONSOLE_SIZE_MAX - 1, CONSOLE_SIZE_MAX - 1), 0);
    test_screen_free(s);
}
END_TEST

/* ---- screendump --------------------------------------------------------------------- */

/* The pixel at @x, @y of a PPM. */
static uint32_t ppm_pixel(const char *path, int x, int y)
{
    g_autofree char *data = NULL;
    unsigned width, height;
    const uint8_t *rgb;
    int head;

    expect(g_file_get_contents(path, &data, NULL, NULL), "%s is not there", path);
    expect(sscanf(data, "P6 %u %u 255%n", &width, &height, &head) == 2, "no PPM");
    rgb = (uint8_t *)data + head + 1 + (y * width + x) * 3;
    return rgb[0] << 16 | rgb[1] << 8 | rgb[2];
}

START_TEST(screendump)
{
    TestScreen *a = test_screen_new(NULL, 0), *b = test_screen_new("b", 1);
    g_autofree char *path = g_build_filename(test_folder(), "a picture", NULL);
    const struct {
        const char *before, *after; /* the file's name */
        uint32_t rgb;               /* at 3, 4 */
        const char *output;
    } cases[] = {
        { "", "", 0xff0000, "" },
        { "-f ppm", "b 1", 0x00ff00, "" },
        { "", "-f ppm b 1", 0x00ff00, "" },
        { "", "b -f ppm", 0, "Error: device 'b' has no console of head 0; consoles: 0 "
          "(test-screen), 1 (test-screen b head 1)\r\n" },
    };

    test_screen_show(a, PIXMAN_x8r8g8b8, 10, 10);
    test_screen_draw(a, 3, 4, 1, 1, 0xff0000);
    test_screen_show(b, PIXMAN_r5g6b5, 10, 10);
    test_screen_draw(b, 3, 4, 1, 1, 0x00ff00);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = g_strdup_printf("screendump %s \"%s\" %s",
                                                cases[i].before, path, cases[i].after);
        g_autofree char *output = hmp_run(line, 0);

        ck_assert_str_eq(output, cases[i].output);
        expect(g_file_test(path, G_FILE_TEST_EXISTS) == !*output, "%s: the file", line);
        if (!*output) {
            expect_hex(ppm_pixel(path, 3, 4), cases[i].rgb);
            expect_hex(ppm_pixel(path, 4, 4), 0);
            g_unlink(path);
        }
    }
    test_screen_free(a);
    test_screen_free(b);
}
END_TEST

static bool no_memory; /* for a picture */

pixman_image_t *__real_pixman_image_create_bits(pixman_format_code_t format, int width,
                                                int height, uint32_t *bits, int stride);
pixman_image_t *__wrap_pixman_image_create_bits(pixman_format_code_t format, int width,
                                                int height, uint32_t *bits, int stride);

pixman_image_t *__wrap_pixman_image_create_bits(pixman_format_code_t format, int width,
                                                int height, uint32_t *bits, int stride)
{
    return no_memory && !bits
               ? NULL
               : __real_pixman_image_create_bits(format, width, height, bits, stride);
}

START_TEST(screendump_without_memory)
{
    TestScreen *s = test_screen_new(NULL, 0);
    g_autofree char *path = g_build_filename(test_folder(), "f", NULL);
    g_autofree char *command = g_strdup_printf("screendump %s", path);
    g_autofree char *output = NULL;

    no_memory = true;
    output = hmp_run(command, 0);
    no_memory = false;
    ck_assert_str_eq(output, "Error: no memory for a copy of the picture, 640x480\r\n");
    expect(!g_file_test(path, G_FILE_TEST_EXISTS), "a file");
    test_screen_free(s);
}
END_TEST

TEST_MAIN("console", first_picture, told, clipped, watching, timer, idle, long_refreshes, one_look, stirred,
          console_goes, finding, listening, what_devices_offer, large_black, screendump,
          screendump_without_memory)
