/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: conversion of each format against one by hand, and files against what was
 * written.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <png.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/device-util.h"
#include "tests/screen-util.h"

static GRand *rand_source;

static void start(void)
{
    rand_source = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 1));
}

static void stop(void)
{
    g_rand_free(rand_source);
}

static uint8_t *line_of(pixman_image_t *image, int y)
{
    return (uint8_t *)pixman_image_get_data(image) +
           (ptrdiff_t)y * pixman_image_get_stride(image);
}

static pixman_image_t *random_image(pixman_format_code_t format, int width, int height)
{
    pixman_image_t *image = pixman_image_create_bits(format, width, height, NULL, 0);

    expect(image, "no image of %dx%d", width, height);
    for (int y = 0; y < height; y++) {
        for (int i = 0; i < pixman_image_get_stride(image); i++) {
            line_of(image, y)[i] = g_rand_int(rand_source);
        }
    }
    return image;
}

/* ---- conversion --------------------------------------------------------------------- */

static pixman_indexed_t palette = { .color = true };

/* What a DAC makes of @n bits: the upper ones again below. */
static unsigned widen(unsigned value, unsigned n)
{
    return (value << (8 - n) | value >> (2 * n - 8)) & 0xff;
}

static uint32_t pixel_by_hand(pixman_image_t *image, int x, int y)
{
    const uint8_t *line = line_of(image, y);
    unsigned v = line[2 * x] | line[2 * x + 1] << 8; /* of 16 bits */

    switch (pixman_image_get_format(image)) {
    case PIXMAN_c8:
        return palette.rgba[line[x]] & 0xffffff;
    case PIXMAN_x1r5g5b5:
        return widen(v >> 10 & 31, 5) << 16 | widen(v >> 5 & 31, 5) << 8 |
               widen(v & 31, 5);
    case PIXMAN_r5g6b5:
        return widen(v >> 11 & 31, 5) << 16 | widen(v >> 5 & 63, 6) << 8 |
               widen(v & 31, 5);
    case PIXMAN_r8g8b8:
        return line[3 * x] | line[3 * x + 1] << 8 | line[3 * x + 2] << 16;
    default:
        return line[4 * x] | line[4 * x + 1] << 8 | line[4 * x + 2] << 16;
    }
}

static bool inside(int64_t at, int64_t from, int64_t len)
{
    return at >= from && at < from + len;
}

START_TEST(conversion)
{
    static const pixman_format_code_t formats[] = {
        PIXMAN_c8, PIXMAN_x1r5g5b5, PIXMAN_r5g6b5, PIXMAN_r8g8b8, PIXMAN_x8r8g8b8,
    };
    static const int rectangles[][4] = {
        { 0, 0, 40, 30 }, { 3, 5, 7, 9 }, { -4, -5, 10, 12 }, { 30, 20, 100, 100 },
        { 0, 0, INT_MAX, INT_MAX }, { 5, 5, INT_MAX, INT_MAX }, { 40, 0, 5, 5 },
        { INT_MIN, INT_MIN, INT_MAX, INT_MAX }, { 2, 2, 0, 3 }, { 2, 2, 3, -3 },
        { INT_MAX, INT_MAX, INT_MAX, INT_MAX },
    };

    start();
    for (unsigned i = 0; i < 256; i++) {
        palette.rgba[i] = g_rand_int(rand_source) | 0xff000000;
    }
    for (unsigned f = 0; f < G_N_ELEMENTS(formats); f++) {
        for (unsigned r = 0; r < G_N_ELEMENTS(rectangles); r++) {
            const int *rect = rectangles[r];
            pixman_image_t *from = random_image(formats[f], 37, 29);
            pixman_image_t *to = random_image(PIXMAN_x8r8g8b8, 41, 23);
            pixman_image_t *before = random_image(PIXMAN_x8r8g8b8, 41, 23);

            pixman_image_set_indexed(from, &palette);
            memcpy(line_of(before, 0), line_of(to, 0),
                   23 * pixman_image_get_stride(to));
            image_convert(to, from, rect[0], rect[1], rect[2], rect[3]);
            for (int y = 0; y < 23; y++) {
                for (int x = 0; x < 41; x++) {
                    bool told = x < 37 && inside(x, rect[0], rect[2]) &&
                                inside(y, rect[1], rect[3]);
                    uint32_t want = told ? pixel_by_hand(from, x, y)
                                         : image_pixel(before, x, y);

                    expect(image_pixel(to, x, y) == want,
                           "format %u, rectangle %u: pixel %d,%d is %06x, not %06x", f,
                           r, x, y, image_pixel(to, x, y), want);
                }
            }
            pixman_image_unref(from);
            pixman_image_unref(to);
            pixman_image_unref(before);
        }
    }
    stop();
}
END_TEST

/* ---- files -------------------------------------------------------------------------- */

/* Red, green, blue of each pixel of the PPM or PNG, to be freed. */
static uint8_t *read_ppm(const char *path, unsigned *width, unsigned *height)
{
    g_autofree char *data = NULL;
    gsize len;
    int head;

    expect(g_file_get_contents(path, &data, &len, NULL), "%s is not there", path);
    expect(sscanf(data, "P6\n%u %u\n255%n", width, height, &head) == 2 &&
               data[head] == '\n', "no PPM");
    ck_assert_uint_eq(len, head + 1 + *width * *height * 3);
    return g_memdup2(data + head + 1, *width * *height * 3);
}

static uint8_t *read_png(const char *path, unsigned *width, unsigned *height)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    uint8_t *rgb;

    expect(png_image_begin_read_from_file(&image, path), "%s", image.message);
    ck_assert_uint_eq(image.format, PNG_FORMAT_RGB);
    rgb = g_malloc(PNG_IMAGE_SIZE(image));
    expect(png_image_finish_read(&image, NULL, rgb, 0, NULL), "%s", image.message);
    *width = image.width;
    *height = image.height;
    return rgb;
}

static void write_and_compare(pixman_image_t *image, const char *format)
{
    g_autofree char *path = g_build_filename(test_folder(), "picture", NULL);
    int image_width = pixman_image_get_width(image);
    int image_height = pixman_image_get_height(image);
    g_autofree uint8_t *rgb = NULL;
    unsigned width, height;
    GError *err = NULL;

    expect(image_write(image, path, format, &err), "%s", err->message);
    rgb = (strcmp(format, "png") == 0 ? read_png : read_ppm)(path, &width, &height);
    ck_assert_uint_eq(width, image_width);
    ck_assert_uint_eq(height, image_height);
    for (int y = 0; y < image_height; y++) {
        for (int x = 0; x < image_width; x++) {
            const uint8_t *p = rgb + ((size_t)y * width + x) * 3;
            uint32_t pixel = p[0] << 16 | p[1] << 8 | p[2];

            expect(pixel == pixel_by_hand(image, x, y),
                   "%s of %ux%u: pixel %d,%d is %06x, not %06x", format, width, height,
                   x, y, pixel, pixel_by_hand(image, x, y));
        }
    }
}

START_TEST(files)
{
    /* Each after the one before: a longer file is replaced, too. */
    static const int sizes[][2] = { { 640, 480 }, { 1, 1 }, { 3, 2 }, { 5, 16 },
                                    { 7, 17 }, { 2, 32 }, { CONSOLE_SIZE_MAX, 1 },
                                    { 1, CONSOLE_SIZE_MAX } };

    start();
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        pixman_image_t *image = random_image(PIXMAN_x8r8g8b8, sizes[i][0], sizes[i][1]);
        pixman_image_t *small = random_image(PIXMAN_r5g6b5, sizes[i][0], sizes[i][1]);

        write_and_compare(image, "ppm");
        write_and_compare(image, "png");
        write_and_compare(small, "png");
        write_and_compare(small, "ppm");
        pixman_image_unref(image);
        pixman_image_unref(small);
    }
    stop();
}
END_TEST

static void write_fails(pixman_image_t *image, const char *path, const char *format,
                        const char *why)
{
    GError *err = NULL;

    expect(!image_write(image, path, format, &err), "%s is written to %s", format, path);
    expect_error(err, why, path, NULL);
}

START_TEST(failures)
{
    static const char *const formats[] = { "ppm", "png" };
    g_autofree char *folder = g_strdup(test_folder());
    g_autofree char *nowhere = g_build_filename(folder, "no", "such", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autofree char *file = g_build_filename(folder, "file", NULL);
    /* A link: whoever may remove devices must not, even by mistake. */
    g_autofree char *full = g_build_filename(folder, "full", NULL);
    struct rlimit small = { 10000, 10000 };
    pixman_image_t *image;
    struct stat st;
    GError *err = NULL;
    int reader;

    start();
    image = random_image(PIXMAN_x8r8g8b8, 200, 200);
    expect(!image_write(image, file, "gif", &err), "a GIF");
    expect_error(err, "'gif'", "ppm", "png", NULL);
    expect(!g_file_test(file, G_FILE_TEST_EXISTS), "a file of no format");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink("/dev/full", full), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        write_fails(image, nowhere, formats[i], "No such file");
        write_fails(image, folder, formats[i], "Is a directory");
        write_fails(image, full, formats[i], "No space left");
        ck_assert_int_eq(stat(full, &st), 0); /* it is a device, and stays */
        write_fails(image, fifo, formats[i], "FIFO that nobody reads");
        /* Somebody has it open, and reads nothing: that is not waited for long. */
        reader = open(fifo, O_RDONLY | O_NONBLOCK);
        write_fails(image, fifo, formats[i], "timed out");
        close(reader);
        ck_assert_int_eq(stat(fifo, &st), 0);
    }
    /* A file that cannot be whole does not stay. */
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        write_fails(image, file, formats[i], "too large");
        expect(stat(file, &st) < 0, "a part of a %s stays", formats[i]);
    }
    pixman_image_unref(image);
    stop();
}
END_TEST

TEST_MAIN("image", conversion, files, failures)
