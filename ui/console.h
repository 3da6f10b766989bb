/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: the pictures that display devices make, and who looks at them.
 *
 * A device has a Console for each of its heads. Its picture is a pixman image: the
 * guest's memory itself where pixman knows the format, or one that the device draws.
 * A Viewer (a window, a VNC server, a file) looks at one console. While anybody does,
 * the console is refreshed some 33 times a second: the device looks at what has changed
 * (by the dirty log, which is on only then), and tells of the rectangles that have.
 * What nobody looks at costs nothing, and what does not change for a while is looked at
 * less often, until it changes or somebody types.
 *
 * All functions in the main loop, or before the machine runs, under the memory lock, as
 * are all callbacks. A guest writes at any time: what a viewer reads of an image may be
 * older or newer from one pixel to the next, but is told of again if it was older.
 */
#ifndef UI_CONSOLE_H
#define UI_CONSOLE_H

#include <pixman.h>

#include "hw/core/device.h"

typedef struct Console Console;
typedef struct Viewer Viewer;

#define CONSOLE_REFRESH_MS 30
#define CONSOLE_IDLE_MS 100 /* after so many times in a row without any change: */
#define CONSOLE_QUIET 5
#define CONSOLE_SIZE_MAX 16384 /* pixels, width or height */

/* Text mode as characters; for viewers without pixels. */
typedef struct ConsoleCell {
    uint8_t character;  /* in code page 437 */
    uint8_t attribute;  /* as a VGA has it: background << 4 | foreground */
} ConsoleCell;

#define CONSOLE_COLUMNS_MAX 256
#define CONSOLE_ROWS_MAX 256

typedef struct ConsoleText {
    unsigned columns, rows;
    bool cursor;          /* it is seen, at: */
    unsigned cursor_column, cursor_row;
    const ConsoleCell *cells; /* rows * columns; the device's, until the next call */
} ConsoleText;

typedef struct ConsoleOps {
    /* Look at what has changed since the last call. Tell it with console_set_image()
     * and console_changed(). */
    void (*refresh)(void *opaque);
    /* All that is seen counts as changed at the next refresh. */
    void (*invalidate)(void *opaque);
    /* The first viewer comes, the last one has gone: dirty logging on, off. */
    void (*watch)(void *opaque, bool watched);
    /* The screen as text; false: it shows no text now. NULL: never. */
    bool (*text)(void *opaque, ConsoleText *text);
    /* A viewer's window has this size now, and the guest may like to follow (EDID).
     * NULL: it cannot. */
    void (*suggest_size)(void *opaque, unsigned width, unsigned height);
} ConsoleOps;

/* ---- for devices ------------------------------------------------------------------ */

/* A console for head @head of @dev; freed with console_free(). It has the next number
 * (from 0), and a black picture of 640x480. */
Console *console_new(Device *dev, unsigned head, const ConsoleOps *ops, void *opaque);

/* Viewers hear of it first; the image they have is not used any more afterwards. NULL:
 * nothing. */
void console_free(Console *con);

/* From now on the picture is @image, of which the console takes a reference; all of it
 * counts as changed. The pixels behind the image before it may go once this returns.
 * At most CONSOLE_SIZE_MAX each way. NULL: a black picture of the size it has. */
void console_set_image(Console *con, pixman_image_t *image);

/* The rectangle, which is clipped to the picture, has changed. */
void console_changed(Console *con, int x, int y, int width, int height);

/* Whether anybody looks at it. */
bool console_watched(const Console *con);

/* ---- for viewers ------------------------------------------------------------------- */

typedef struct ViewerOps {
    /* The picture is another one, perhaps of another size or format; told first when the
     * viewer is attached. Unless it is paused, changed() follows for all of it. What it is drawn from may go with the next such call. NULL: the
     * console has gone, and the viewer is detached. */
    void (*image)(void *opaque, pixman_image_t *image);
    /* These pixels of the image have changed; NULL: nothing to do. */
    void (*changed)(void *opaque, int x, int y, int width, int height);
    /* A refresh is over; NULL: nothing to do. */
    void (*refreshed)(void *opaque);
} ViewerOps;

/* The fields are the viewer's to set before viewer_attach(), which keeps the address. */
struct Viewer {
    const ViewerOps *ops;
    void *opaque;
    /* Private to console.c: */
    Console *console;
    const pixman_image_t *image; /* that it was told of; may have gone */
    bool paused;
};

void viewer_attach(Viewer *viewer, Console *con);
void viewer_detach(Viewer *viewer); /* it is not attached: nothing */

/* Whether it wants to hear of changes. A paused one does not count as looking; when it
 * looks again, all has changed. For a window that is hidden, a server without clients. */
void viewer_pause(Viewer *viewer, bool paused);

/* ---- for all ------------------------------------------------------------------------ */

/* The console of that number, in the order they were made; NULL: none. */
Console *console_by_index(unsigned index);
unsigned console_index(const Console *con);
unsigned consoles_nr(void); /* one more than the highest number in use */

/* That of @device, the id or path of a device, and @head. NULL with @err that says what
 * there is. */
Console *console_find(const char *device, unsigned head, GError **err);

/* The first one: what a viewer shows if nobody says otherwise. NULL with @err: there is
 * none. */
Console *console_default(GError **err);

/* "VGA", or what else the device is called, with its id and head where they tell
 * consoles apart; valid as long as the console. */
const char *console_label(const Console *con);

/* Refresh it now, also where nobody looks; its picture, which is the console's. */
pixman_image_t *console_refresh(Console *con);

/* As in ConsoleOps. False: no text. */
bool console_text(Console *con, ConsoleText *text);

/* As in ConsoleOps; refused silently above CONSOLE_SIZE_MAX. */
void console_suggest_size(Console *con, unsigned width, unsigned height);

/* Viewers that want to know of consoles that come and go while the machine runs:
 * @added is called at console_new(). */
typedef void ConsoleAdded(Console *con, void *opaque);
void console_listen(ConsoleAdded *added, void *opaque);
void console_unlisten(ConsoleAdded *added, void *opaque);

/* ---- images ------------------------------------------------------------------------- */

/* A copy of the rectangle of @from, in any format pixman has, to the same place of @to:
 * the one conversion there is. Clipped to both. */
void image_convert(pixman_image_t *to, pixman_image_t *from, int x, int y, int width,
                   int height);

/* Write @image to the file @path, which is made or replaced. @format: "png" or "ppm".
 * False with @err, and no file is left that is not whole. No lock: @image is the
 * caller's own. */
bool image_write(pixman_image_t *image, const char *path, const char *format,
                 GError **err);

#endif
