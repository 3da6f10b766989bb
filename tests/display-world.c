/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for tests of displays; see display-world.h.
 */
#include "tests/display-world.h"

#include <string.h>

#include "hw/input/input.h"
#include "opts.h"

unsigned world_shutdowns;
ShutdownCause world_cause;
bool world_stopped;

/* In place of the run state's, by the linker's --wrap. */
void __wrap_vm_request_shutdown(ShutdownCause cause, int status);
bool __wrap_vm_is_running(void);

void __wrap_vm_request_shutdown(ShutdownCause cause, int status)
{
    expect(status == EXIT_GUEST_OFF, "status %d", status);
    world_shutdowns++;
    world_cause = cause;
}

bool __wrap_vm_is_running(void)
{
    return !world_stopped;
}

/* ---- screens --------------------------------------------------------------------- */

static unsigned refreshes; /* of any screen that is watched */

static void screen_refresh(void *opaque)
{
    TestScreen *s = opaque;

    refreshes++;
    if (s->width) {
        console_changed(s->console, s->x, s->y, s->width, s->height);
        s->width = 0;
    }
}

static void screen_invalidate(void *opaque)
{
    TestScreen *s = opaque;

    screen_changed(s, 0, 0, pixman_image_get_width(s->image),
                   pixman_image_get_height(s->image));
}

static void screen_watch(void *opaque, bool watched)
{
    ((TestScreen *)opaque)->watched = watched;
}

static bool screen_text(void *opaque, ConsoleText *text)
{
    TestScreen *s = opaque;

    *text = s->text;
    text->cells = s->cells;
    return text->columns != 0;
}

static void screen_suggest_size(void *opaque, unsigned width, unsigned height)
{
    TestScreen *s = opaque;

    s->suggested_width = width;
    s->suggested_height = height;
}

static const ConsoleOps screen_ops = {
    .refresh = screen_refresh,
    .invalidate = screen_invalidate,
    .watch = screen_watch,
    .text = screen_text,
    .suggest_size = screen_suggest_size,
};

void screen_resize(TestScreen *s, pixman_format_code_t format, int width, int height)
{
    pixman_image_t *old = s->image;
    uint32_t *words;
    size_t nr;

    s->image = pixman_image_create_bits(format, width, height, NULL, 0);
    words = pixman_image_get_data(s->image);
    nr = (size_t)pixman_image_get_stride(s->image) * height / 4;
    for (size_t i = 0; i < nr; i++) {
        words[i] = g_random_int();
    }
    memory_lock();
    console_set_image(s->console, s->image);
    memory_unlock();
    if (old) {
        pixman_image_unref(old);
    }
}

TestScreen *screen_new(int width, int height)
{
    TestScreen *s = g_new0(TestScreen, 1);

    memory_lock();
    s->image = pixman_image_create_bits(PIXMAN_x8r8g8b8, 1, 1, NULL, 0);
    s->console = console_new(NULL, 0, &screen_ops, s);
    screen_resize(s, PIXMAN_x8r8g8b8, width, height);
    memory_unlock();
    return s;
}

void screen_free(TestScreen *s)
{
    memory_lock();
    console_free(s->console);
    memory_unlock();
    pixman_image_unref(s->image);
    g_free(s);
}

uint32_t screen_pixel(TestScreen *s, int x, int y)
{
    uint32_t colour;
    pixman_image_t *one = pixman_image_create_bits(PIXMAN_x8r8g8b8, 1, 1, &colour, 4);

    pixman_image_composite32(PIXMAN_OP_SRC, s->image, NULL, one, x, y, 0, 0, 0, 0, 1, 1);
    pixman_image_unref(one);
    return colour & 0xffffff;
}

void screen_draw(TestScreen *s, int x, int y, uint32_t colour)
{
    uint32_t *line = pixman_image_get_data(s->image) +
                     (size_t)y * pixman_image_get_stride(s->image) / 4;

    line[x] = colour;
}

void screen_changed(TestScreen *s, int x, int y, int width, int height)
{
    s->x = x;
    s->y = y;
    s->width = width;
    s->height = height;
}

/* ---- keyboard and pointer -------------------------------------------------------- */

static GString *told;

static bool always_ready(void *opaque)
{
    return true;
}

static void input_event(void *opaque, const InputEvent *event)
{
    if (told->len) {
        g_string_append_c(told, ' ');
    }
    if (event->type == INPUT_KEY) {
        g_string_append_printf(told, "%c%u", event->down ? '+' : '-', event->code);
    } else {
        g_string_append_printf(told, "%d,%d,%d", event->dx, event->dy, event->wheel);
    }
}

static InputHandler handlers[] = {
    { .kind = INPUT_KEYBOARD, .ready = always_ready, .event = input_event },
    { .kind = INPUT_POINTER, .ready = always_ready, .event = input_event },
};

void input_expect(const char *wanted)
{
    expect(strcmp(told->str, wanted) == 0, "the devices were told '%s', not '%s'",
           told->str, wanted);
    g_string_truncate(told, 0);
}

void input_await(const char *wanted)
{
    world_until(told->len >= strlen(wanted));
    input_expect(wanted);
}

/* ---- the whole ------------------------------------------------------------------- */

void world_begin(void)
{
    told = g_string_new(NULL);
    memory_lock();
    for (unsigned i = 0; i < G_N_ELEMENTS(handlers); i++) {
        input_attach(&handlers[i]);
    }
    memory_unlock();
}

void world_end(void)
{
    memory_lock();
    for (unsigned i = 0; i < G_N_ELEMENTS(handlers); i++) {
        input_detach(&handlers[i]);
    }
    memory_unlock();
    g_string_free(told, TRUE);
}

static void display_free(Display *display)
{
    properties_clear(display_module.properties, display);
    g_free(display);
}

static Display *display_of(const char *properties)
{
    g_autoptr(GPtrArray) opts = opts_parse(properties, NULL);
    Display *display = g_malloc0(display_module.size);
    GError *err = NULL;

    display->type = &display_module;
    properties_init(display_module.properties, display);
    for (unsigned i = 0; i < opts->len; i++) {
        const Opt *opt = opts->pdata[i];

        expect(property_set(display_module.properties, display, NULL, "display", opt->key,
                            opt->value, &err), "%s", err->message);
    }
    return display;
}

Display *world_display(const char *properties)
{
    Display *display = display_of(properties);
    GError *err = NULL;

    expect(display_module.open(display, &err), "%s", err ? err->message : "no message");
    return display;
}

void world_refused(const char *properties, const char *words)
{
    Display *display = display_of(properties);
    GError *err = NULL;

    expect(!display_module.open(display, &err), "it opens, without '%s'", words);
    expect(err && strstr(err->message, words), "'%s' does not say '%s'",
           err ? err->message : "", words);
    g_error_free(err);
    display_free(display);
}

void world_close(Display *display)
{
    display_module.close(display);
    display_free(display);
}

void world_refresh(void)
{
    unsigned from = refreshes;

    world_until(refreshes - from >= 2);
    while (g_main_context_iteration(NULL, FALSE)) {
    }
}
