/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of consoles and displays share: a device whose screen the test draws, and a
 * viewer that keeps a copy of what it is told of.
 */
#ifndef SCREEN_UTIL_H
#define SCREEN_UTIL_H

#include "hw/core/device.h"
#include "ui/console.h"

/* A device with one console, whose number of head is the test's to choose. */
typedef struct TestScreen {
    Device dev;
    uint32_t head;        /* property "head" */
    Console *con;
    pixman_image_t *image; /* what it shows; NULL: nothing was shown yet */
    pixman_region32_t drawn; /* since the last refresh */
    bool watched;
    bool all;             /* counts as drawn */
    bool refreshing;
    bool has_text;
    ConsoleCell cell;     /* the text: one cell */
    unsigned refreshes, invalidations, watches; /* calls */
    unsigned width, height; /* suggested last */
} TestScreen;

extern const DeviceType test_screen_type; /* "test-screen" */

/* One with an id ("/machine/peripheral/ID") or without one (NULL). */
TestScreen *test_screen_new(const char *id, unsigned head);
void test_screen_free(TestScreen *screen);

/* Another picture, black. */
void test_screen_show(TestScreen *screen, pixman_format_code_t format, unsigned width,
                      unsigned height);

/* Fill a rectangle within it, which the next refresh tells of. */
void test_screen_draw(TestScreen *screen, int x, int y, unsigned width, unsigned height,
                      uint32_t rgb);

typedef struct TestViewer {
    Viewer viewer;
    pixman_image_t *image; /* the console's; NULL: it has gone */
    pixman_image_t *copy;  /* x8r8g8b8 */
    unsigned images, changes, refreshes; /* calls */
    pixman_box32_t last; /* the last change */
    void (*hook)(struct TestViewer *viewer, bool image); /* NULL; in each call */
    void *hook_opaque;
} TestViewer;

void test_viewer_init(TestViewer *viewer); /* not attached */
void test_viewer_cleanup(TestViewer *viewer); /* detaches, too */

/* The copy is what the console shows, pixel for pixel. */
void test_viewer_check(const TestViewer *viewer);

/* A pixel of @image, x8r8g8b8, without its upper byte. */
uint32_t image_pixel(pixman_image_t *image, int x, int y);

#endif
