/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A made-up bzImage for tests: valid for a loader, nothing to run.
 */
#ifndef TESTS_KERNEL_IMAGE_H
#define TESTS_KERNEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define BZIMAGE_SETUP_SIZE (2 * 512)
#define BZIMAGE_CODE_SIZE 0x3000
#define BZIMAGE_SIZE (BZIMAGE_SETUP_SIZE + BZIMAGE_CODE_SIZE)

/* Protocol 2.15, relocatable, wants to be at 16 MiB with 1 MiB around; its code
 * is content of id 1 (test-util.h). BZIMAGE_SIZE bytes, for g_free(). */
uint8_t *bzimage_new(void);

/* Put a little-endian number of @size bytes at @offset. */
void image_put(void *image, size_t offset, uint64_t value, unsigned size);

#endif
