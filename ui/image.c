/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images: conversion, and as files; see ui/console.h.
 *
 * Formats: PNG (ISO/IEC 15948) by libpng, PPM (netpbm's "P6"). Both are of 8 bits for
 * each colour.
 */
#include "ui/console.h"

#include <errno.h>
#include <png.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/chardev.h"

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

/* ---- lines of red, green, blue ------------------------------------------------------ */

#define STRIP_LINES 16 /* converted at a time */

typedef struct Strips {
    pixman_image_t *image, *strip;
    unsigned width, height;
    int first, nr; /* the lines in the strip */
} Strips;

static void strips_init(Strips *s, pixman_image_t *image)
{
    unsigned width = pixman_image_get_width(image);
    unsigned stride = (width * 3 + 3) / 4 * 4;

    *s = (Strips){
        .image = image,
        .width = width,
        .height = pixman_image_get_height(image),
    };
    s->strip = pixman_image_create_bits(PIXMAN_b8g8r8, width, STRIP_LINES,
                                        g_malloc(stride * STRIP_LINES), stride);
}

static void strips_free(Strips *s)
{
    g_free(pixman_image_get_data(s->strip));
    pixman_image_unref(s->strip);
}

/* Line @y, width * 3 bytes, until the next call; called with each in turn. */
static const uint8_t *strips_line(Strips *s, int y)
{
    if (y >= s->first + s->nr) {
        s->first = y;
        s->nr = MIN(STRIP_LINES, (int)s->height - y);
        pixman_image_composite32(PIXMAN_OP_SRC, s->image, NULL, s->strip, 0, y, 0, 0, 0,
                                 0, s->width, s->nr);
    }
    return (const uint8_t *)pixman_image_get_data(s->strip) +
           (size_t)(y - s->first) * pixman_image_get_stride(s->strip);
}

/* ---- PPM ---------------------------------------------------------------------------- */

/* 0 or an errno. */
static int write_ppm(Strips *strips, int fd)
{
    g_autofree char *head = g_strdup_printf("P6\n%u %u\n255\n", strips->width,
                                            strips->height);
    int error = output_write(fd, head, strlen(head));

    for (unsigned y = 0; y < strips->height && !error; y++) {
        error = output_write(fd, strips_line(strips, y), strips->width * 3);
    }
    return error;
}

/* ---- PNG ---------------------------------------------------------------------------- */

typedef struct PNGFile {
    int fd;
    int error; /* errno */
} PNGFile;

static void png_file_write(png_structp png, png_bytep data, size_t len)
{
    PNGFile *file = png_get_io_ptr(png);

    file->error = output_write(file->fd, data, len);
    if (file->error) {
        png_error(png, "write");
    }
}

static void png_file_flush(png_structp png)
{
}

/* The library's own errors are of images that it cannot hold in memory. */
static void png_fail(png_structp png, png_const_charp message)
{
    PNGFile *file = png_get_error_ptr(png);

    if (!file->error) {
        file->error = ENOMEM;
    }
    png_longjmp(png, 1);
}

static void png_warn(png_structp png, png_const_charp message)
{
}

/* A screen is mostly of one colour, and somebody waits for the file. */
#define COMPRESSION 1

/* What fails comes back to here: nothing is to be freed on the way. */
static void png_try(png_structp png, png_infop info, Strips *strips)
{
    if (setjmp(png_jmpbuf(png))) {
        return;
    }
    png_set_compression_level(png, COMPRESSION);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_UP);
    png_set_IHDR(png, info, strips->width, strips->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (unsigned y = 0; y < strips->height; y++) {
        png_write_row(png, strips_line(strips, y));
    }
    png_write_end(png, info);
}

static int write_png(Strips *strips, int fd)
{
    PNGFile file = { .fd = fd };
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &file, png_fail,
                                              png_warn);
    png_infop info = png ? png_create_info_struct(png) : NULL;

    if (!info) {
        png_destroy_write_struct(&png, NULL);
        return ENOMEM;
    }
    png_set_write_fn(png, &file, png_file_write, png_file_flush);
    png_try(png, info, strips);
    png_destroy_write_struct(&png, &info);
    return file.error;
}

/* ---- files -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*write)(Strips *strips, int fd);
} formats[] = {
    { "ppm", write_ppm },
    { "png", write_png },
};

/* The strips to @fd, the file @path. 0 or an errno. */
static int write_and_close(int fd, const char *path, Strips *strips,
                           int (*write)(Strips *strips, int fd))
{
    struct stat st;
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    int error = write(strips, fd);

    if (close(fd) != 0 && !error) {
        error = errno;
    }
    if (error && regular) {
        unlink(path);
    }
    return error;
}

bool image_write(pixman_image_t *image, const char *path, const char *format,
                 GError **err)
{
    unsigned i = 0;
    Strips strips;
    int fd, error;

    while (strcmp(formats[i].name, format) != 0) {
        if (++i == G_N_ELEMENTS(formats)) {
            g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                        "no image format '%s': there are ppm and png", format);
            return false;
        }
    }
    fd = output_open(path, false);
    if (fd < 0) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                    "failed to open file '%s': %s", path, output_stream_error(errno));
        return false;
    }
    strips_init(&strips, image);
    error = write_and_close(fd, path, &strips, formats[i].write);
    strips_free(&strips);
    if (error) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                    "failed to write file '%s': %s", path, output_stream_error(error));
    }
    return !error;
}
