/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display "sdl" over SDL's own stand-in for a window system, "dummy": what a window
 * shows, pixel for pixel, and what becomes of events that the test sends.
 */
#include <SDL.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/display-world.h"
#include "ui/sdl-internal.h"

/* ---- what the display asks SDL for may fail -------------------------------------- */

static bool no_renderer, no_texture;

SDL_Renderer *__real_SDL_CreateRenderer(SDL_Window *window, int index, Uint32 flags);
SDL_Renderer *__wrap_SDL_CreateRenderer(SDL_Window *window, int index, Uint32 flags);
SDL_Texture *__real_SDL_CreateTexture(SDL_Renderer *renderer, Uint32 format, int access,
                                      int width, int height);
SDL_Texture *__wrap_SDL_CreateTexture(SDL_Renderer *renderer, Uint32 format, int access,
                                      int width, int height);

SDL_Renderer *__wrap_SDL_CreateRenderer(SDL_Window *window, int index, Uint32 flags)
{
    if (no_renderer) {
        SDL_SetError("no renderer today");
        return NULL;
    }
    return __real_SDL_CreateRenderer(window, index, flags);
}

SDL_Texture *__wrap_SDL_CreateTexture(SDL_Renderer *renderer, Uint32 format, int access,
                                      int width, int height)
{
    if (no_texture) {
        SDL_SetError("no texture today");
        return NULL;
    }
    return __real_SDL_CreateTexture(renderer, format, access, width, height);
}

/* ---- windows and events ---------------------------------------------------------- */

/* The @n-th window there ever was, from 1; NULL: it has gone. */
static SDL_Window *window(unsigned n)
{
    return SDL_GetWindowFromID(n);
}

/* Send an event, and let the display have it. */
static void event(SDL_Event *e)
{
    expect(SDL_PushEvent(e) == 1, "%s", SDL_GetError());
    world_until(SDL_PeepEvents(NULL, 1, SDL_PEEKEVENT, SDL_FIRSTEVENT, SDL_LASTEVENT) == 0);
    g_main_context_iteration(NULL, FALSE);
}

static void window_event(unsigned n, unsigned type, int data1, int data2)
{
    event(&(SDL_Event){ .window = { .type = SDL_WINDOWEVENT, .windowID = n, .event = type,
                                    .data1 = data1, .data2 = data2 } });
}

static void key(SDL_Scancode scancode, bool down, unsigned mod)
{
    event(&(SDL_Event){ .key = { .type = down ? SDL_KEYDOWN : SDL_KEYUP, .windowID = 1,
                                 .state = down ? SDL_PRESSED : SDL_RELEASED,
                                 .keysym = { .scancode = scancode, .mod = mod } } });
}

static void button(unsigned number, bool down)
{
    event(&(SDL_Event){ .button = { .type = down ? SDL_MOUSEBUTTONDOWN : SDL_MOUSEBUTTONUP,
                                    .windowID = 1, .button = number,
                                    .state = down ? SDL_PRESSED : SDL_RELEASED } });
}

static void motion(int dx, int dy)
{
    event(&(SDL_Event){ .motion = { .type = SDL_MOUSEMOTION, .windowID = 1, .xrel = dx,
                                    .yrel = dy } });
}

static void wheel(int y)
{
    event(&(SDL_Event){ .wheel = { .type = SDL_MOUSEWHEEL, .windowID = 1, .y = y } });
}

#define HOT (KMOD_LCTRL | KMOD_LALT)

/* A hot key, and what else the user's fingers do for it. */
static void hot_key(SDL_Scancode scancode)
{
    key(SDL_SCANCODE_LCTRL, true, KMOD_LCTRL);
    key(SDL_SCANCODE_LALT, true, HOT);
    input_expect("+29 +56");
    key(scancode, true, HOT);
    key(scancode, true, HOT); /* it repeats */
    key(scancode, false, HOT);
    key(SDL_SCANCODE_LALT, false, KMOD_LCTRL);
    key(SDL_SCANCODE_LCTRL, false, 0);
}

/* What window @n shows; freed. */
static uint32_t *pixels_of(unsigned n, int *width, int *height)
{
    SDL_Renderer *renderer = SDL_GetRenderer(window(n));
    uint32_t *pixels;

    SDL_GetWindowSize(window(n), width, height);
    pixels = g_new(uint32_t, *width * *height);
    SDL_RenderSetLogicalSize(renderer, 0, 0); /* the window's own pixels */
    expect(SDL_RenderReadPixels(renderer, &(SDL_Rect){ 0, 0, *width, *height },
                                SDL_PIXELFORMAT_RGB888, pixels, *width * 4) == 0,
           "%s", SDL_GetError());
    return pixels;
}

/* Window @n is as large as the screen, and shows it, but for one pixel that has
 * @instead; x < 0: without exception. */
static void expect_shown(unsigned n, TestScreen *s, int x, int y, uint32_t instead)
{
    int width, height;
    g_autofree uint32_t *pixels = NULL;

    world_refresh();
    pixels = pixels_of(n, &width, &height);
    expect(width == pixman_image_get_width(s->image) &&
           height == pixman_image_get_height(s->image), "the window has %dx%d", width,
           height);
    for (int i = 0; i < width * height; i++) {
        int px = i % width, py = i / width;
        uint32_t wanted = px == x && py == y ? instead : screen_pixel(s, px, py);

        expect((pixels[i] & 0xffffff) == wanted, "at %d,%d is 0x%06x, not 0x%06x", px, py,
               pixels[i] & 0xffffff, wanted);
    }
}

static void begin(void)
{
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    setenv("SDL_RENDER_DRIVER", "software", 1);
    world_begin();
}

/* ---- the picture ----------------------------------------------------------------- */

START_TEST(shows_the_screen)
{
    TestScreen *s;
    Display *d;
    uint32_t before;

    begin();
    s = screen_new(200, 100);
    d = world_display("");
    expect(s->watched, "nobody looks");
    expect_shown(1, s, -1, 0, 0);

    /* What is told of is shown, and no more. */
    before = screen_pixel(s, 7, 8);
    screen_draw(s, 7, 8, ~before);
    for (int x = 20; x < 60; x++) {
        screen_draw(s, x, 30, x * 0x010203);
    }
    screen_changed(s, 20, 30, 40, 1);
    expect_shown(1, s, 7, 8, before);
    screen_changed(s, 7, 8, 1, 1);
    expect_shown(1, s, -1, 0, 0);

    /* Many small pieces at once. */
    for (unsigned i = 0; i < 200; i++) {
        int x = g_random_int_range(0, 200), y = g_random_int_range(0, 100);

        screen_draw(s, x, y, g_random_int());
        memory_lock();
        console_changed(s->console, x, y, 1, 1);
        memory_unlock();
    }
    expect_shown(1, s, -1, 0, 0);
    world_close(d);
    expect(!s->watched, "somebody still looks");
    screen_free(s);
    world_end();
}
END_TEST

START_TEST(follows_the_screen)
{
    static const pixman_format_code_t formats[] = {
        PIXMAN_r5g6b5, PIXMAN_x1r5g5b5, PIXMAN_r8g8b8, PIXMAN_x8r8g8b8,
    };
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(1, 1);
    d = world_display("");
    expect_shown(1, s, -1, 0, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        screen_resize(s, formats[i], 300 + 8 * i, 200 + i);
        expect_shown(1, s, -1, 0, 0);
        screen_resize(s, formats[i], 300 + 8 * i, 200 + i); /* only another content */
        expect_shown(1, s, -1, 0, 0);
    }
    expect(!s->suggested_width, "our own size was suggested to the guest");
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

/* A window of another size shows all of the picture, in its proportions. */
START_TEST(scales)
{
    TestScreen *s;
    Display *d;
    int width, height;
    uint32_t *pixels;

    begin();
    s = screen_new(100, 100);
    for (int i = 0; i < 100 * 100; i++) {
        screen_draw(s, i % 100, i / 100, i % 100 < 50 ? 0xff0000 : 0x0000ff);
    }
    screen_changed(s, 0, 0, 100, 100);
    d = world_display("");
    world_refresh();
    SDL_SetWindowSize(window(1), 400, 200);
    window_event(1, SDL_WINDOWEVENT_RESIZED, 400, 200);
    expect(s->suggested_width == 400 && s->suggested_height == 200, "suggested: %ux%u",
           s->suggested_width, s->suggested_height);
    window_event(1, SDL_WINDOWEVENT_EXPOSED, 0, 0);
    world_refresh();
    pixels = pixels_of(1, &width, &height);
    expect(width == 400 && height == 200, "the window has %dx%d", width, height);
    expect_hex(pixels[100 * 400 + 50] & 0xffffff, 0);
    expect_hex(pixels[100 * 400 + 150] & 0xffffff, 0xff0000);
    expect_hex(pixels[100 * 400 + 250] & 0xffffff, 0x0000ff);
    expect_hex(pixels[100 * 400 + 350] & 0xffffff, 0);
    g_free(pixels);
    hot_key(SDL_SCANCODE_U);
    SDL_GetWindowSize(window(1), &width, &height);
    expect(width == 100 && height == 100, "Ctrl-Alt-U made it %dx%d", width, height);
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

START_TEST(no_room_for_a_picture)
{
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(64, 48);
    d = world_display("");
    world_refresh();
    no_texture = true;
    screen_resize(s, PIXMAN_x8r8g8b8, 80, 40);
    world_refresh();
    no_texture = false;
    screen_changed(s, 0, 0, 80, 40);
    world_refresh(); /* of what is not there */
    screen_resize(s, PIXMAN_x8r8g8b8, 64, 32);
    expect_shown(1, s, -1, 0, 0);
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

START_TEST(textures_that_are_lost)
{
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(64, 48);
    d = world_display("");
    expect_shown(1, s, -1, 0, 0);
    event(&(SDL_Event){ .type = SDL_RENDER_DEVICE_RESET });
    expect_shown(1, s, -1, 0, 0);
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

/* ---- keyboard and pointer -------------------------------------------------------- */

START_TEST(keys_by_place)
{
    static const struct {
        SDL_Scancode scancode;
        unsigned code;
    } some[] = {
        { SDL_SCANCODE_A, KEY_A }, { SDL_SCANCODE_Z, KEY_Z }, { SDL_SCANCODE_0, KEY_0 },
        { SDL_SCANCODE_1, KEY_1 }, { SDL_SCANCODE_RETURN, KEY_ENTER },
        { SDL_SCANCODE_F12, KEY_F12 }, { SDL_SCANCODE_KP_5, KEY_KP5 },
        { SDL_SCANCODE_UP, KEY_UP }, { SDL_SCANCODE_RALT, KEY_RIGHTALT },
        { SDL_SCANCODE_PRINTSCREEN, KEY_SYSRQ }, { SDL_SCANCODE_NONUSBACKSLASH, KEY_102ND },
        { SDL_SCANCODE_APPLICATION, KEY_COMPOSE }, { SDL_SCANCODE_UNKNOWN, 0 },
        { SDL_NUM_SCANCODES, 0 }, { (SDL_Scancode)-1, 0 },
    };
    bool seen[0x300] = { false };
    unsigned keys = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(some); i++) {
        expect(sdl_key(some[i].scancode) == some[i].code, "scan code %d is key %u",
               some[i].scancode, sdl_key(some[i].scancode));
    }
    for (unsigned i = 0; i < SDL_NUM_SCANCODES; i++) {
        unsigned code = sdl_key(i);

        /* Some keyboards have these twice, or elsewhere. */
        if (code && i != SDL_SCANCODE_NONUSHASH && i != SDL_SCANCODE_AUDIOMUTE &&
            i != SDL_SCANCODE_AC_STOP) {
            expect(!seen[code], "key %u is there twice, also as scan code %u", code, i);
            seen[code] = true;
            keys++;
        }
    }
    expect(keys > 130, "%u keys only", keys);
}
END_TEST

START_TEST(keys_and_focus)
{
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(64, 48);
    d = world_display("");
    key(SDL_SCANCODE_A, true, 0);
    key(SDL_SCANCODE_A, true, 0);
    key(SDL_SCANCODE_A, false, 0);
    input_expect("+30 +30 -30");
    key(SDL_SCANCODE_LSHIFT, true, KMOD_LSHIFT);
    key(SDL_SCANCODE_UNKNOWN, true, 0);
    input_expect("+42");
    window_event(1, SDL_WINDOWEVENT_FOCUS_LOST, 0, 0);
    input_expect("-42");
    key(SDL_SCANCODE_LSHIFT, false, 0);
    input_expect("");
    key(SDL_SCANCODE_B, true, 0);
    world_close(d);
    input_expect("+48 -48");
    screen_free(s);
    world_end();
}
END_TEST

START_TEST(grab_by_key)
{
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(64, 48);
    d = world_display("");
    motion(5, 6);
    wheel(1);
    button(SDL_BUTTON_RIGHT, true);
    button(SDL_BUTTON_RIGHT, false);
    input_expect("");

    hot_key(SDL_SCANCODE_G);
    input_expect("-29 -56");
    world_refresh();
    expect(SDL_GetRelativeMouseMode(), "the pointer is not grabbed");
    expect(SDL_GetWindowFlags(window(1)) & SDL_WINDOW_INPUT_GRABBED, "the window is not grabbed");
    expect(strstr(SDL_GetWindowTitle(window(1)), "press Ctrl-Alt-G to release"),
           "the title is '%s'", SDL_GetWindowTitle(window(1)));
    motion(5, -6);
    wheel(1);
    button(SDL_BUTTON_RIGHT, true);
    button(SDL_BUTTON_X2, true);
    button(32, true);
    button(0, true);
    input_expect("5,-6,0 0,0,-1 +273 +276");
    hot_key(SDL_SCANCODE_G);
    input_expect("-273 -276 -29 -56");
    world_refresh();
    expect(!SDL_GetRelativeMouseMode(), "the pointer is still grabbed");
    expect(strcmp(SDL_GetWindowTitle(window(1)), "flatview") == 0, "the title is '%s'",
           SDL_GetWindowTitle(window(1)));
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

START_TEST(grab_by_click)
{
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(64, 48);
    d = world_display("grab-mod=rctrl");
    button(SDL_BUTTON_LEFT, true);
    button(SDL_BUTTON_LEFT, false);
    input_expect("");
    button(SDL_BUTTON_LEFT, true);
    button(SDL_BUTTON_MIDDLE, true);
    input_expect("+272 +274");
    window_event(1, SDL_WINDOWEVENT_FOCUS_LOST, 0, 0);
    input_expect("-272 -274");
    expect(!SDL_GetRelativeMouseMode(), "the pointer is still grabbed");
    /* Other hot keys than by default. */
    key(SDL_SCANCODE_G, true, HOT);
    input_expect("+34");
    key(SDL_SCANCODE_G, false, HOT);
    key(SDL_SCANCODE_G, true, KMOD_RCTRL);
    input_expect("-34");
    expect(SDL_GetRelativeMouseMode(), "the pointer is not grabbed");
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

START_TEST(full_screen)
{
    TestScreen *s;
    Display *d;
    uint32_t *pixels;
    int width, height;

    begin();
    s = screen_new(64, 48);
    for (int i = 0; i < 64 * 48; i++) {
        screen_draw(s, i % 64, i / 64, i % 64 < 32 ? 0xff0000 : 0x0000ff);
    }
    d = world_display("full-screen=on");
    expect(SDL_GetWindowFlags(window(1)) & SDL_WINDOW_FULLSCREEN, "no full screen");
    expect(SDL_GetRelativeMouseMode(), "the pointer is not grabbed");
    world_refresh();
    pixels = pixels_of(1, &width, &height);
    expect(width >= 640 && height >= 480, "the screen has %dx%d", width, height);
    expect_hex(pixels[height / 2 * width + width / 4] & 0xffffff, 0xff0000);
    expect_hex(pixels[height / 2 * width + width * 3 / 4] & 0xffffff, 0x0000ff);
    g_free(pixels);
    hot_key(SDL_SCANCODE_F);
    input_expect("-29 -56");
    expect(!(SDL_GetWindowFlags(window(1)) & SDL_WINDOW_FULLSCREEN), "full screen");
    expect(!SDL_GetRelativeMouseMode(), "the pointer is grabbed");
    expect_shown(1, s, -1, 0, 0);
    hot_key(SDL_SCANCODE_F);
    expect(SDL_GetWindowFlags(window(1)) & SDL_WINDOW_FULLSCREEN, "no full screen");
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

/* ---- windows that come and go ---------------------------------------------------- */

START_TEST(closing)
{
    TestScreen *a, *b;
    Display *d;

    begin();
    a = screen_new(64, 48);
    b = screen_new(32, 24);
    d = world_display("");
    expect_shown(1, a, -1, 0, 0);
    expect_shown(2, b, -1, 0, 0);
    expect(strcmp(SDL_GetWindowTitle(window(2)), "flatview: console") == 0,
           "the title is '%s'", SDL_GetWindowTitle(window(2)));
    window_event(1, SDL_WINDOWEVENT_CLOSE, 0, 0);
    world_refresh();
    expect(world_shutdowns == 0 && !a->watched && b->watched, "not only hidden");
    window_event(2, SDL_WINDOWEVENT_CLOSE, 0, 0);
    expect(world_shutdowns == 1 && world_cause == SHUTDOWN_CAUSE_HOST_UI, "no end");
    hot_key(SDL_SCANCODE_1);
    world_refresh();
    expect(a->watched, "not shown again");
    expect_shown(1, a, -1, 0, 0);
    input_expect("-29 -56");
    hot_key(SDL_SCANCODE_2);
    input_expect("-29 -56");
    world_refresh();
    expect(!b->watched, "not hidden");
    hot_key(SDL_SCANCODE_1);
    input_expect("-29 -56");
    world_refresh();
    expect(a->watched, "the last window is hidden: nobody could bring it back");
    hot_key(SDL_SCANCODE_9); /* there is none */
    world_close(d);

    d = world_display("window-close=off");
    event(&(SDL_Event){ .type = SDL_QUIT });
    expect(world_shutdowns == 1, "the end");
    world_close(d);
    screen_free(b);
    screen_free(a);
    world_end();
}
END_TEST

START_TEST(screens_come_and_go)
{
    TestScreen *a, *b;
    Display *d;

    begin();
    a = screen_new(64, 48);
    d = world_display("");
    b = screen_new(32, 24);
    world_until(window(2));
    expect_shown(2, b, -1, 0, 0);
    screen_free(a);
    world_until(!window(1));
    expect_shown(2, b, -1, 0, 0);
    no_renderer = true;
    a = screen_new(64, 48);
    world_refresh(); /* there is a message, and no window */
    no_renderer = false;
    expect_shown(2, b, -1, 0, 0);
    world_close(d);
    screen_free(b);
    screen_free(a);
    world_end();
}
END_TEST

START_TEST(a_stopped_machine)
{
    TestScreen *s;
    Display *d;

    begin();
    s = screen_new(64, 48);
    d = world_display("");
    world_stopped = true;
    world_refresh();
    expect(strcmp(SDL_GetWindowTitle(window(1)), "flatview [stopped]") == 0,
           "the title is '%s'", SDL_GetWindowTitle(window(1)));
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

/* Nothing is left behind: afterwards it opens. */
START_TEST(refusals)
{
    TestScreen *s;
    Display *d;

    begin();
    world_refused("", "the machine has no screen: -vga std");
    s = screen_new(64, 48);
    world_refused("grab-mod=shift",
                  "'shift' is not lctrl-lalt, lshift-lctrl-lalt or rctrl");
    world_refused("display=nobody", "Device 'nobody' not found");
    no_renderer = true;
    world_refused("", "cannot make a window: no renderer today");
    no_renderer = false;
    setenv("SDL_VIDEODRIVER", "of another planet", 1);
    world_refused("", "found by DISPLAY or WAYLAND_DISPLAY");
    if (access("/dev/dri", F_OK) < 0) { /* nowhere at all for a window */
        unsetenv("SDL_VIDEODRIVER");
        unsetenv("DISPLAY");
        unsetenv("WAYLAND_DISPLAY");
        world_refused("", "found by DISPLAY or WAYLAND_DISPLAY");
    }
    setenv("SDL_VIDEODRIVER", "dummy", 1);
    d = world_display("");
    world_refused("", "there is such a display already");
    expect_shown(1, s, -1, 0, 0);
    world_close(d);
    screen_free(s);
    world_end();
}
END_TEST

TEST_MAIN("display-sdl", shows_the_screen, follows_the_screen, scales, no_room_for_a_picture,
          textures_that_are_lost, keys_by_place, keys_and_focus, grab_by_key, grab_by_click,
          full_screen, closing, screens_come_and_go, a_stopped_machine, refusals)
