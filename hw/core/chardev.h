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
 * Open, attach, detach and close in the thread of the main loop; the rest from
 * any thread under the memory lock. The main loop is that of the default
 * GMainContext.
 *
 * Every open Chardev is known by its id, which is unique, and is an object of
 * type "chardev-KIND" at /chardevs/ID.
 */
#ifndef HW_CORE_CHARDEV_H
#define HW_CORE_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hw/core/object.h"

typedef struct Chardev Chardev;

typedef enum ChardevEvent {
    CHARDEV_OPENED, /* a peer is there: also at attach, when it already is */
    CHARDEV_CLOSED, /* it has gone; what it sent has been received */
    CHARDEV_BREAK,  /* a break condition: Ctrl-A b */
    CHARDEV_INPUT_ENDED, /* it sends no more, but may listen still; of TCP, see
                          * answers below */
    CHARDEV_FOCUS_IN,    /* of several frontends, the user turned to this one */
    CHARDEV_FOCUS_OUT,   /* and away from it */
} ChardevEvent;

/* What the one frontend of a Chardev does; called under the memory lock. Each
 * function may call those below, but for chardev_close(). A NULL on_writable:
 * the frontend does not hold what is refused. */
typedef struct ChardevFrontend {
    size_t (*can_receive)(void *opaque); /* bytes it can take now */
    void (*receive)(void *opaque, const uint8_t *buf, size_t len);
    void (*on_writable)(void *opaque); /* room again after a refusal */
    void (*event)(void *opaque, ChardevEvent event); /* NULL: does not care */
    /* A line that stays the same whoever is at its other end: the next peer is
     * let in although input of the last one still waits; of that, peers that have
     * gone leave a megabyte at most. Otherwise only when it has been received, and
     * CHARDEV_CLOSED, and there is room again. */
    bool is_line;
    /* After CHARDEV_INPUT_ENDED it calls chardev_disconnect() when the peer has
     * all that it asked for. A TCP peer that sends no more may have gone, and
     * without this goes at once; so it does where frontends may share it. */
    bool answers;
} ChardevFrontend;

/*
 * Open one as after -serial, -monitor, -qmp, -qtest, -gdb. NULL with @err naming
 * the path and the cause on failure.
 *
 *   null       takes everything, gives nothing
 *   stdio      standard input and output; a terminal is put into raw mode until
 *              chardev_close(), exit() or a fatal signal. Only one at a time
 *   file:PATH  output to a file, emptied first; no input
 *   pty        a new pseudo-terminal, whose name is printed on standard error
 *   unix:PATH[,server=on|off][,wait=on|off][,reconnect=SECONDS]
 *              also "unix:path=PATH"; a socket: connect to PATH, or listen there,
 *              for one peer at a time and the next one when it has gone; wait (the
 *              default) for the first before returning. "server", "nowait" and the
 *              rest of the old forms work, too
 *   tcp:HOST:PORT[,server=on|off][,wait=on|off][,nodelay=on][,reconnect=SECONDS]
 *              the same over TCP, IPv4 and IPv6; PORT 0 with server: any that
 *              is free, which is printed on standard error
 *   ringbuf[,size=N]
 *              keeps the last N bytes of output (a power of two, 65536)
 *   chardev:ID the one of that id, opened before; @id is not used
 *   mon:SPEC   SPEC with several frontends; see chardev_set_mux()
 */
Chardev *chardev_open(const char *id, const char *spec, GError **err);

/*
 * The same as after -chardev: "BACKEND,id=ID,KEY=VALUE...", with the keys
 *
 *   null, pty, testdev: none;  stdio: signal=on|off
 *   socket: path=PATH | host=HOST,port=PORT[,ipv4=on|off,ipv6=on|off,to=PORT,
 *           nodelay=on] | fd=N; server=, wait=, reconnect=, telnet=off only
 *   file: path=PATH[,append=on][,input-path=PATH];  ringbuf: size=N
 *   any: mux=on, logfile=PATH[,logappend=on]
 */
Chardev *chardev_open_opts(const char *text, GError **err);

/* The same from a table of keys and values (char *), without "id": for
 * chardev-add, which does not wait for a connection. */
Chardev *chardev_open_settings(const char *id, const char *backend,
                               GHashTable *settings, GError **err);

/* For help: one line for each backend. */
void chardev_print_backends(FILE *out);

/* The keys of one: false with @err where there is no such backend. */
bool chardev_print_keys(const char *backend, FILE *out, GError **err);

/* The names of the backends; ends with NULL. */
const char *const *chardev_backends(void);

/* Append what one of any backend has as an object, but "type", to @out, of
 * ObjectProperty. */
void chardev_type_list(GArray *out);

/* The one of that id, or NULL. */
Chardev *chardev_find(const char *id);

/* All of them in the order of opening, to be freed with g_ptr_array_unref(). */
GPtrArray *chardev_list(void);

/* What it is in words: "unix:/tmp/s,server=on", "disconnected:tcp:h:1", "pty",
 * "stdio", as query-chardev shows it; to be freed. */
char *chardev_filename(const Chardev *chr);

bool chardev_has_frontend(const Chardev *chr);

/* Whether input goes to the frontend with @opaque. */
bool chardev_has_focus(const Chardev *chr, const void *opaque);

bool chardev_is_connected(const Chardev *chr); /* somebody hears what is written */

/* Several frontends may be attached; those after the first by chardev_attach()
 * of the same @chr. One, at first the first, has the focus and gets the input,
 * all may write. On a terminal, and with @always also elsewhere, these keys are
 * commands: Ctrl-A c gives the focus to the next one, Ctrl-A x ends the program,
 * Ctrl-A b sends a break, Ctrl-A h lists these, Ctrl-A Ctrl-A sends one; any
 * other pair is sent as it is. Elsewhere without @always: nothing. */
void chardev_set_mux(Chardev *chr, bool always);

bool chardev_is_mux(const Chardev *chr); /* that was called, or mux=on given */

/* Whether standard input is a terminal that this one reads: for line editing. */
bool chardev_is_terminal(const Chardev *chr);

/* Have the frontend that has the focus see a break condition. */
void chardev_send_break(Chardev *chr);

/* Of a ringbuf: take up to @len of the oldest bytes out, or put some in as if a
 * frontend had written them. -errno where it is no ringbuf. */
ssize_t chardev_ringbuf_read(Chardev *chr, uint8_t *buf, size_t len);
ssize_t chardev_ringbuf_write(Chardev *chr, const uint8_t *buf, size_t len);

/* chardev_close(), unless something uses it: then false with @err. */
bool chardev_remove(const char *id, GError **err);

/* Something uses it although it is no frontend (yet): a device's property names
 * it. Released as often as held, before chardev_close(). NULL: nothing. */
void chardev_hold(Chardev *chr);
void chardev_release(Chardev *chr);

/* All of them, at the end. */
void chardev_close_all(void);

/* Write out what is queued, for a second at most where the peer does not take
 * it, restore the terminal, close. NULL: nothing. */
void chardev_close(Chardev *chr);

const char *chardev_id(const Chardev *chr);

/* Attach the one frontend, which takes what has come in at once. False with
 * @err when there is one already. NULL @chr: nothing to do. */
bool chardev_attach(Chardev *chr, const ChardevFrontend *frontend, void *opaque,
                    GError **err);

/* @opaque: which of several. */
void chardev_detach(Chardev *chr, void *opaque);

/* Have the peer of a socket go: what it sends is of no use. Any output queued is
 * dropped, a server listens again. Nothing for other kinds. */
void chardev_disconnect(Chardev *chr);

/* The frontend can take more: look for input again. May call ->receive. */
void chardev_accept_input(Chardev *chr);

/* The most that one chardev_write() may be given, in bytes. */
#define CHARDEV_WRITE_MAX 4096

/* Take all of @len bytes or none; false: full, on_writable will be called.
 * NULL @chr: taken and dropped. */
bool chardev_write(Chardev *chr, const uint8_t *buf, size_t len);

/* Have on_writable called as soon as the main loop comes to it: for a frontend
 * that collects small writes. It is the host's time, not the machine's. */
void chardev_write_soon(Chardev *chr);

/* A stream to file @path, which is emptied first, or made. NULL with the cause
 * in errno; ENXIO: a FIFO that nobody reads, which is not waited for. */
FILE *output_stream_open(const char *path);

/* The same as a descriptor that does not block; with @append it is not emptied. -1 with
 * errno. */
int output_open(const char *path, bool append);

/* All of @buf to it. 0, or an errno; ETIMEDOUT: whoever reads the FIFO takes nothing for
 * a second. */
int output_write(int fd, const void *buf, size_t len);

/* What that errno, or one of writing to it, means. */
const char *output_stream_error(int error);

#endif
