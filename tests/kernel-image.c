/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A made-up bzImage; see kernel-image.h.
 */
#include "tests/kernel-image.h"

#include <string.h>

#include "tests/test-util.h"

void image_put(void *image, size_t offset, uint64_t value, unsigned size)
{
    memcpy((uint8_t *)image + offset, &value, size);
}

uint8_t *bzimage_new(void)
{
    uint8_t *image = g_malloc0(BZIMAGE_SIZE);

    image_put(image, 0x1f1, BZIMAGE_SETUP_SIZE / 512 - 1, 1);
    image_put(image, 0x1f4, BZIMAGE_CODE_SIZE / 16, 4);
    image_put(image, 0x1fe, 0xaa55, 2);
    image_put(image, 0x200, 0x6aeb, 2);
    memcpy(image + 0x202, "HdrS", 4);
    image_put(image, 0x206, 0x20f, 2);
    image_put(image, 0x211, 0x01, 1);
    image_put(image, 0x22c, 0x7fffffff, 4);
    image_put(image, 0x230, 0x200000, 4);
    image_put(image, 0x234, 1, 1);
    image_put(image, 0x236, 0x3f, 2);
    image_put(image, 0x238, 2047, 4);
    image_put(image, 0x258, 0x1000000, 8);
    image_put(image, 0x260, 0x100000, 4);
    content_fill(image + BZIMAGE_SETUP_SIZE, 1, 0, BZIMAGE_CODE_SIZE);
    return image;
}
