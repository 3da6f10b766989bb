/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture as VNC clients have it, so that they are sent no more than what differs:
 * a dirty page of a guest is several lines, of which it often wrote a few pixels.
 */
#include "ui/vnc.h"

#include <string.h>

#define TILE 16 /* pixels each way: what is compared, and sent, together */

static void shadow_free(VncShadow *shadow)
{
    g_clear_pointer(&shadow->shown, pixman_image_unref);
    g_clear_pointer(&shadow->fresh, pixman_image_unref);
    g_free(shadow);
}

VncShadow *vnc_shadow_new(int width, int height)
{
    VncShadow *shadow = g_new0(VncShadow, 1);

    shadow->refs = 1;
    shadow->width = MIN(width, VNC_SIZE_MAX);
    shadow->height = MIN(height, VNC_SIZE_MAX);
    shadow->shown = pixman_image_create_bits(PIXMAN_a8r8g8b8, shadow->width,
                                             shadow->height, NULL, 0);
    shadow->fresh = pixman_image_create_bits(PIXMAN_a8r8g8b8, shadow->width,
                                             shadow->height, NULL, 0);
    if (!shadow->shown || !shadow->fresh) {
        shadow_free(shadow);
        return NULL;
    }
    shadow->pixels = pixman_image_get_data(shadow->shown);
    return shadow;
}

VncShadow *vnc_shadow_ref(VncShadow *shadow)
{
    __atomic_add_fetch(&shadow->refs, 1, __ATOMIC_RELAXED);
    return shadow;
}

void vnc_shadow_unref(VncShadow *shadow)
{
    if (shadow && __atomic_sub_fetch(&shadow->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        shadow_free(shadow);
    }
}

/* Whether lines of a tile differ; *@from, *@to: the first, and the one after the last. */
static bool tile_differs(const VncShadow *shadow, int x, int y, int width, int height,
                         int *from, int *to)
{
    const uint32_t *shown = shadow->pixels + (size_t)y * shadow->width + x;
    const uint32_t *fresh = pixman_image_get_data(shadow->fresh) +
                            (size_t)y * shadow->width + x;
    bool differs = false;

    for (int line = y; line < y + height; line++) {
        if (memcmp(shown, fresh, width * sizeof(*shown)) != 0) {
            *from = differs ? *from : line;
            *to = line + 1;
            differs = true;
        }
        shown += shadow->width;
        fresh += shadow->width;
    }
    return differs;
}

/* Let clients have a box of what is fresh. */
static void show_box(VncShadow *shadow, const pixman_box32_t *box, GArray *boxes)
{
    if (box->x2 > box->x1) {
        image_convert(shadow->shown, shadow->fresh, box->x1, box->y1, box->x2 - box->x1,
                      box->y2 - box->y1);
        g_array_append_val(boxes, *box);
    }
}

/* What differs of a row of tiles; neighbours make one box. */
static void show_band(VncShadow *shadow, int x, int y, int width, int height,
                      GArray *boxes)
{
    pixman_box32_t box = { 0 };

    for (int left = x, right; left < x + width; left = right) {
        int from, to;

        right = MIN((left / TILE + 1) * TILE, x + width);
        if (!tile_differs(shadow, left, y, right - left, height, &from, &to)) {
            continue;
        }
        if (box.x2 == left && box.x2 > box.x1) {
            box.y1 = MIN(box.y1, from);
            box.y2 = MAX(box.y2, to);
        } else {
            show_box(shadow, &box, boxes);
            box = (pixman_box32_t){ .x1 = left, .y1 = from, .y2 = to };
        }
        box.x2 = right;
    }
    show_box(shadow, &box, boxes);
}

void vnc_shadow_update(VncShadow *shadow, pixman_image_t *image, int x, int y, int width,
                       int height, pixman_region32_t *changed)
{
    g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, sizeof(pixman_box32_t));
    int right = MIN(x + width, shadow->width), bottom = MIN(y + height, shadow->height);
    pixman_region32_t found;

    x = MAX(x, 0);
    y = MAX(y, 0);
    if (x >= right || y >= bottom) {
        return;
    }
    for (int next; y < bottom; y = next) {
        next = MIN((y / TILE + 1) * TILE, bottom);
        image_convert(shadow->fresh, image, x, y, right - x, next - y);
        show_band(shadow, x, y, right - x, next - y, boxes);
    }
    pixman_region32_init_rects(&found, (pixman_box32_t *)(void *)boxes->data,
                               boxes->len);
    pixman_region32_union(changed, changed, &found);
    pixman_region32_fini(&found);
}
