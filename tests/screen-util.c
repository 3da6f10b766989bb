/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See screen-util.h.
 */
#include "tests/screen-util.h"

#include "tests/test-util.h"

/* ---- the device --------------------------------------------------------------------- */

static void screen_refresh(void *opaque)
{
    TestScreen *s = opaque;
    pixman_box32_t *boxes;
    int nr;

    expect(memory_lock_held(), "a callback without the lock");
    s->refreshes++;
    s->refreshing = true;
    if (s->all) {
        console_changed(s->con, 0, 0, CONSOLE_SIZE_MAX, CONSOLE_SIZE_MAX);
    }
    boxes = pixman_region32_rectangles(&s->drawn, &nr);
    for (int i = 0; i < nr && !s->all; i++) {
        console_changed(s->con, boxes[i].x1, boxes[i].y1, boxes[i].x2 - boxes[i].x1,
                        boxes[i].y2 - boxes[i].y1);
    }
    s->all = false;
    s->refreshing = false;
    pixman_region32_fini(&s->drawn);
    pixman_region32_init(&s->drawn);
}

static void screen_invalidate(void *opaque)
{
    TestScreen *s = opaque;

    expect(memory_lock_held(), "a callback without the lock");
    expect(!s->refreshing, "a call in the middle of another");
    s->invalidations++;
    s->all = true;
}

static void screen_watch(void *opaque, bool watched)
{
    TestScreen *s = opaque;

    expect(memory_lock_held(), "a callback without the lock");
    expect(!s->refreshing, "a call in the middle of another");
    expect(s->watched != watched, "watched twice, or not at all: %d", watched);
    s->watched = watched;
    s->watches++;
}

static bool screen_text(void *opaque, ConsoleText *text)
{
    TestScreen *s = opaque;

    *text = (ConsoleText){ .columns = 1, .rows = 1, .cells = &s->cell };
    return s->has_text;
}

static void screen_suggest_size(void *opaque, unsigned width, unsigned height)
{
    TestScreen *s = opaque;

    s->width = width;
    s->height = height;
}

static const ConsoleOps screen_ops = {
    .refresh = screen_refresh,
    .invalidate = screen_invalidate,
    .watch = screen_watch,
    .text = screen_text,
    .suggest_size = screen_suggest_size,
};

static bool screen_realize(Device *dev, GError **err)
{
    TestScreen *s = (TestScreen *)dev;

    pixman_region32_init(&s->drawn);
    s->con = console_new(dev, s->head, &screen_ops, s);
    return true;
}

static void screen_unrealize(Device *dev)
{
    TestScreen *s = (TestScreen *)dev;

    console_free(s->con);
    pixman_region32_fini(&s->drawn);
    if (s->image) {
        pixman_image_unref(s->image);
    }
}

static const Property screen_properties[] = {
    { "head", PROP_UINT32, offsetof(TestScreen, head), "0", "its number", 0 },
    { 0 },
};

const DeviceType test_screen_type = {
    .name = "test-screen",
    .description = "a screen that a test draws",
    .size = sizeof(TestScreen),
    .properties = screen_properties,
    .realize = screen_realize,
    .unrealize = screen_unrealize,
};

TestScreen *test_screen_new(const char *id, unsigned head)
{
    Device *dev = device_new(&test_screen_type, id);
    g_autofree char *number = g_strdup_printf("%u", head);
    GError *err = NULL;

    expect(device_set(dev, "head", number, &err), "%s", err->message);
    memory_lock();
    expect(device_realize(dev, &err), "%s", err->message);
    if (id) {
        object_add(&dev->object, "/machine/peripheral", id);
    }
    memory_unlock();
    return (TestScreen *)dev;
}

void test_screen_free(TestScreen *s)
{
    memory_lock();
    object_remove(&s->dev.object);
    device_free(&s->dev);
    memory_unlock();
}

void test_screen_show(TestScreen *s, pixman_format_code_t format, unsigned width,
                      unsigned height)
{
    pixman_image_t *old = s->image;

    memory_lock();
    s->image = pixman_image_create_bits(format, width, height, NULL, 0);
    expect(s->image, "no picture of %ux%u", width, height);
    pixman_region32_fini(&s->drawn);
    pixman_region32_init(&s->drawn);
    console_set_image(s->con, s->image);
    if (old) {
        expect(pixman_image_unref(old), "the console still has the picture before");
    }
    memory_unlock();
}

void test_screen_draw(TestScreen *s, int x, int y, unsigned width, unsigned height,
                      uint32_t rgb)
{
    pixman_color_t color = {
        .red = (rgb >> 16 & 0xff) * 0x101,
        .green = (rgb >> 8 & 0xff) * 0x101,
        .blue = (rgb & 0xff) * 0x101,
        .alpha = 0xffff,
    };
    pixman_rectangle16_t where = { x, y, width, height };

    expect(x >= 0 && x + width <= (unsigned)pixman_image_get_width(s->image) && y >= 0 &&
               y + height <= (unsigned)pixman_image_get_height(s->image),
           "drawn outside of the screen");
    memory_lock();
    pixman_image_fill_rectangles(PIXMAN_OP_SRC, s->image, &color, 1, &where);
    pixman_region32_union_rect(&s->drawn, &s->drawn, x, y, width, height);
    memory_unlock();
}

/* ---- the viewer --------------------------------------------------------------------- */

static void call_hook(TestViewer *v, bool image)
{
    expect(memory_lock_held(), "a callback without the lock");
    if (v->hook) {
        v->hook(v, image);
    }
}

static void viewer_image(void *opaque, pixman_image_t *image)
{
    TestViewer *v = opaque;

    v->images++;
    if (v->copy) {
        pixman_image_unref(v->copy);
    }
    v->image = image;
    v->copy = image ? pixman_image_create_bits(PIXMAN_x8r8g8b8,
                                               pixman_image_get_width(image),
                                               pixman_image_get_height(image), NULL, 0)
                    : NULL;
    call_hook(v, true);
}

static void viewer_changed(void *opaque, int x, int y, int width, int height)
{
    TestViewer *v = opaque;

    v->changes++;
    v->last = (pixman_box32_t){ x, y, x + width, y + height };
    expect(x >= 0 && y >= 0 && width > 0 && height > 0 &&
               x + width <= pixman_image_get_width(v->image) &&
               y + height <= pixman_image_get_height(v->image),
           "changed: %d,%d %dx%d", x, y, width, height);
    image_convert(v->copy, v->image, x, y, width, height);
    call_hook(v, false);
}

static void viewer_refreshed(void *opaque)
{
    TestViewer *v = opaque;

    v->refreshes++;
    call_hook(v, false);
}

static const ViewerOps viewer_ops = {
    .image = viewer_image,
    .changed = viewer_changed,
    .refreshed = viewer_refreshed,
};

void test_viewer_init(TestViewer *v)
{
    *v = (TestViewer){ .viewer = { .ops = &viewer_ops, .opaque = v } };
}

void test_viewer_cleanup(TestViewer *v)
{
    memory_lock();
    viewer_detach(&v->viewer);
    memory_unlock();
    if (v->copy) {
        pixman_image_unref(v->copy);
    }
    v->copy = NULL;
}

void test_viewer_check(const TestViewer *v)
{
    int width = pixman_image_get_width(v->image);
    int height = pixman_image_get_height(v->image);
    pixman_image_t *whole = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height,
                                                     NULL, 0);

    image_convert(whole, v->image, 0, 0, width, height);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            expect(image_pixel(whole, x, y) == image_pixel(v->copy, x, y),
                   "pixel %d,%d is %06x on the screen, %06x where it is seen", x, y,
                   image_pixel(whole, x, y), image_pixel(v->copy, x, y));
        }
    }
    pixman_image_unref(whole);
}

uint32_t image_pixel(pixman_image_t *image, int x, int y)
{
    const uint8_t *line = (const uint8_t *)pixman_image_get_data(image) +
                          (ptrdiff_t)y * pixman_image_get_stride(image);

    return ((const uint32_t *)line)[x] & 0xffffff;
}
