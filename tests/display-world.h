/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of displays share: consoles whose device is the test, a keyboard and a
 * pointer that write down what they are told, and the display that the test is linked
 * with. No machine: what a display asks of it is counted.
 */
#ifndef DISPLAY_WORLD_H
#define DISPLAY_WORLD_H

#include "sysemu.h"
#include "tests/test-util.h"
#include "ui/console.h"
#include "ui/display.h"

/* A screen. */
typedef struct TestScreen {
    Console *console;
    pixman_image_t *image; /* x8r8g8b8, at first full of colours by chance */
    bool watched;
    unsigned suggested_width, suggested_height; /* by a viewer; 0: not yet */
    /* It shows text if @columns is not 0. */
    ConsoleText text;
    ConsoleCell cells[CONSOLE_ROWS_MAX * CONSOLE_COLUMNS_MAX];
    /* The rectangle that the next refresh tells of; width 0: none. */
    int x, y, width, height;
} TestScreen;

TestScreen *screen_new(int width, int height);
void screen_free(TestScreen *screen);

/* Another picture, in the format; the content is by chance. */
void screen_resize(TestScreen *screen, pixman_format_code_t format, int width, int height);

/* The colour of a pixel, in x8r8g8b8, without x; and back, for that format only. */
uint32_t screen_pixel(TestScreen *screen, int x, int y);
void screen_draw(TestScreen *screen, int x, int y, uint32_t colour);

/* Let the next refresh tell of it. */
void screen_changed(TestScreen *screen, int x, int y, int width, int height);

/* What keyboard and pointer were told since the last look: "+30", "-30" for KEY_A down
 * and up, "3,-4,1" for a movement and the wheel, parted by blanks. */
void input_expect(const char *wanted);

/* The same, once as much has arrived. */
void input_await(const char *wanted);

/* How often the end was asked for; the cause of the last. */
extern unsigned world_shutdowns;
extern ShutdownCause world_cause;
extern bool world_stopped; /* vm_is_running() is false */

/* Once before all else in a test, and at its end. */
void world_begin(void);
void world_end(void);

/* Open the display with properties ("NAME=VALUE,..."). world_display() must succeed;
 * world_refused() must fail, with the words in its message. */
Display *world_display(const char *properties);
void world_refused(const char *properties, const char *words);
void world_close(Display *display);

/* Run the main loop until that holds; a test that waits in vain is ended by its runner. */
#define world_until(condition)                    \
    do {                                          \
        while (!(condition)) {                    \
            g_main_context_iteration(NULL, TRUE); \
        }                                         \
    } while (0)

/* Run it until consoles have been refreshed twice. */
void world_refresh(void);

#endif
