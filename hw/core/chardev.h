/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chardev: a byte stream between a device and the outside.
 *
 * Input is read by the main loop and handed to the frontend under the memory
 * lock, never more than the frontend says it can take, so nothing is lost.
 * Output is written at once where the peer takes it; what it does not take is
 * queued up to a bound, beyond which chardev_can_write() says no and the
 * device holds its data until on_writable is called.
 */
#ifndef HW_CORE_CHARDEV_H
#define HW_CORE_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Chardev Chardev;

/* What the one frontend of a Chardev does; called under the memory lock. */
typedef struct ChardevFrontend {
    size_t (*can_receive)(void *opaque); /* bytes it can take now */
    void (*receive)(void *opaque, const uint8_t *buf, size_t len);
    void (*on_writable)(void *opaque); /* room again after a refusal */
} ChardevFrontend;

/* Called for the two keys that follow Ctrl-A on a terminal (x ends, c maps). */
typedef void ChardevEscape(char key, void *opaque);

/* Open "stdio", "null", "file:PATH", "unix:PATH[,server=on|off][,wait=on|off]",
 * "pty". @id: for errors and look-ups. NULL with @err set on failure. */
Chardev *chardev_open(const char *id, const char *spec, GError **err);

/* Flush what can be flushed at once, restore the terminal, close. */
void chardev_close(Chardev *chr);

const char *chardev_id(const Chardev *chr);

/* Attach the frontend; NULL detaches. */
void chardev_set_frontend(Chardev *chr, const ChardevFrontend *frontend,
                          void *opaque);

/* The frontend can take more: look for input again. */
void chardev_accept_input(Chardev *chr);

/* Take all of @len bytes or none; false: full, on_writable will be called.
 * NULL @chr: taken and dropped. */
bool chardev_write(Chardev *chr, const uint8_t *buf, size_t len);

/* Escape keys of stdio: Ctrl-A x, Ctrl-A c; Ctrl-A Ctrl-A sends one. */
void chardev_set_escape(Chardev *chr, ChardevEscape *escape, void *opaque);

#endif
