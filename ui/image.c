/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: see ui/console.h.
 */
#include "ui/console.h"

void image_convert(pixman_image_t *to, pixman_image_t *from, int x, int y, int width,
                   int height)
{
    int64_t right = MIN((int64_t)x + width, MIN(pixman_image_get_width(to),
                                                pixman_image_get_width(from)));
    int64_t bottom = MIN((int64_t)y + height, MIN(pixman_image_get_height(to),
                                                  pixman_image_get_height(from)));

    x = MAX(x, 0);
    y = MAX(y, 0);
    if (x < right && y < bottom) {
        pixman_image_composite32(PIXMAN_OP_SRC, from, NULL, to, x, y, 0, 0, x, y,
                                 right - x, bottom - y);
    }
}
