/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chardev: a byte stream between a device and the outside.
 *
 * Input is read by the main loop and handed to the frontend under the memory
 * lock, never more than the frontend says it can take, so nothing is lost.
 * Output is written at once where the peer takes it; what it does not take is
 * queued up to a bound, beyond which chardev_write() says no and the device
 * holds its data until on_writable is called. Where nobody is connected to
 * hear it, output is taken and dropped.
 *
 * Open and close in the thread of the main loop; the rest from any thread
 * under the memory lock. The main loop is that of the default GMainContext.
 */
#ifndef HW_CORE_CHARDEV_H
#define HW_CORE_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct Chardev Chardev;

/* What the one frontend of a Chardev does; called under the memory lock. A
 * NULL on_writable: the frontend does not hold what is refused. */
typedef struct ChardevFrontend {
    size_t (*can_receive)(void *opaque); /* bytes it can take now */
    void (*receive)(void *opaque, const uint8_t *buf, size_t len);
    void (*on_writable)(void *opaque); /* room again after a refusal */
} ChardevFrontend;

/* Called for the two keys that follow Ctrl-A on a terminal (x ends, c maps). */
typedef void ChardevEscape(char key, void *opaque);

/*
 * Open one of these; @id is for errors and look-ups. NULL with @err naming the
 * path and the cause on failure.
 *
 *   null       takes everything, gives nothing
 *   stdio      standard input and output; a terminal is put into raw mode until
 *              chardev_close(), exit() or a fatal signal. Only one at a time
 *   file:PATH  output to a file, emptied first; no input
 *   pty        a new pseudo-terminal, whose name is printed on standard error
 *   unix:PATH[,server=on|off][,wait=on|off]
 *              a socket: connect to PATH, or listen there, for one peer at a
 *              time and the next one when it has gone; wait (the default) for
 *              the first before returning. "server", "nowait" work, too
 */
Chardev *chardev_open(const char *id, const char *spec, GError **err);

/* Write out what is queued, for a second at most where the peer does not take
 * it, restore the terminal, close. NULL: nothing. */
void chardev_close(Chardev *chr);

const char *chardev_id(const Chardev *chr);

/* Attach the one frontend, which takes what has come in at once. False with
 * @err when there is one already. NULL @chr: nothing to do. */
bool chardev_attach(Chardev *chr, const ChardevFrontend *frontend, void *opaque,
                    GError **err);
void chardev_detach(Chardev *chr);

/* The frontend can take more: look for input again. May call ->receive. */
void chardev_accept_input(Chardev *chr);

/* The most that one chardev_write() may be given, in bytes. */
#define CHARDEV_WRITE_MAX 4096

/* Take all of @len bytes or none; false: full, on_writable will be called.
 * NULL @chr: taken and dropped. */
bool chardev_write(Chardev *chr, const uint8_t *buf, size_t len);

/* Escape keys of stdio, if that is a terminal: Ctrl-A x, Ctrl-A c; Ctrl-A
 * Ctrl-A sends one; any other pair is sent as it is. Without a handler no key
 * is special. */
void chardev_set_escape(Chardev *chr, ChardevEscape *escape, void *opaque);

/* A stream to file @path, which is emptied first, or made. NULL with the cause
 * in errno; ENXIO: a FIFO that nobody reads, which is not waited for. */
FILE *output_stream_open(const char *path);

#endif
