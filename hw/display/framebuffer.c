/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A linear frame buffer in guest memory, shown on a console. See framebuffer.h.
 */
#include "hw/display/framebuffer.h"

/* Pixman finds a line by a multiplication of ints: past that it reads anywhere. */
#define PIXMAN_BYTES_MAX INT_MAX

/* The bytes from the first pixel to the last, both included. */
static uint64_t frame_size(unsigned height, unsigned stride, unsigned line)
{
    return (uint64_t)stride * (height - 1) + line;
}

static DirtyBitmapSnapshot *take_dirty(const Framebuffer *fb)
{
    return memory_region_snapshot_and_clear_dirty(
        fb->mr, fb->offset, frame_size(fb->height, fb->stride, fb->line),
        DIRTY_MEMORY_VGA);
}

void framebuffer_clear(Framebuffer *fb)
{
    fb->mr = NULL;
    console_set_image(fb->console, NULL);
}

bool framebuffer_set(Framebuffer *fb, MemoryRegion *mr, hwaddr offset, unsigned width,
                     unsigned height, unsigned stride, pixman_format_code_t format,
                     const pixman_indexed_t *palette)
{
    unsigned bpp = PIXMAN_FORMAT_BPP(format);
    unsigned line = width * bpp / 8, unit = bpp == 32 ? 4 : bpp == 16 ? 2 : 1;
    uint64_t size = memory_region_size(mr);
    pixman_image_t *image;

    if (!width || !height || width > CONSOLE_SIZE_MAX || height > CONSOLE_SIZE_MAX ||
        offset % unit || stride % 4 || (uint64_t)stride * height > PIXMAN_BYTES_MAX ||
        offset > size || frame_size(height, stride, line) > size - offset) {
        framebuffer_clear(fb);
        return false;
    }
    image = pixman_image_create_bits_no_clear(
        format, width, height,
        (uint32_t *)((uint8_t *)memory_region_get_ram_ptr(mr) + offset), stride);
    if (!image) {
        framebuffer_clear(fb);
        return false;
    }
    if (palette) {
        pixman_image_set_indexed(image, palette);
    }
    fb->mr = mr;
    fb->offset = offset;
    fb->width = width;
    fb->height = height;
    fb->stride = stride;
    fb->line = line;
    fb->all = false;
    fb->busy = 0;
    g_free(take_dirty(fb)); /* all of it is new */
    console_set_image(fb->console, image);
    pixman_image_unref(image);
    return true;
}

void framebuffer_invalidate(Framebuffer *fb)
{
    fb->all = true;
    fb->busy = 0;
}

/* Tell of the lines in the log, or of all; how many. */
static unsigned tell_lines(Framebuffer *fb, const DirtyBitmapSnapshot *snap)
{
    unsigned y = 0, told = 0;

    while (y < fb->height && (snap || fb->all)) {
        unsigned first = y;

        while (y < fb->height &&
               (fb->all ||
                memory_region_snapshot_get_dirty(
                    fb->mr, snap, fb->offset + (uint64_t)fb->stride * y, fb->line))) {
            y++;
        }
        if (y > first) {
            console_changed(fb->console, 0, first, fb->width, y - first);
            told += y - first;
        } else {
            y++;
        }
    }
    return told;
}

void framebuffer_refresh(Framebuffer *fb)
{
    DirtyBitmapSnapshot *snap;
    unsigned told;

    if (!fb->mr) {
        return;
    }
    if (fb->busy >= FRAMEBUFFER_BUSY && fb->busy % FRAMEBUFFER_BUSY) {
        /* What is written now stays in the log until the next look. */
        fb->busy++;
        fb->all = false;
        console_changed(fb->console, 0, 0, fb->width, fb->height);
        return;
    }
    snap = take_dirty(fb);
    told = tell_lines(fb, snap);
    fb->busy = !fb->all && told == fb->height &&
                       frame_size(fb->height, fb->stride, fb->line) >= FRAMEBUFFER_LARGE
                   ? fb->busy + 1
                   : 0;
    fb->all = false;
    g_free(snap);
}
