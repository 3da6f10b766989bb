/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the VNC server share: a console whose guest is the test, a server
 * inside the test, and a client that speaks the protocol (RFC 6143) step by step, the
 * good ones and the bad ones. While the client waits, the main loop runs.
 */
#ifndef VNC_CLIENT_H
#define VNC_CLIENT_H

#include "hw/input/input.h"
#include "tests/device-util.h"
#include "ui/vnc.h"

/* ---- the machine ------------------------------------------------------------------------ */

/* A console of that size, and a keyboard and a mouse that note what comes. */
typedef struct VncWorld {
    Console *console;
    pixman_image_t *image;
    uint32_t *pixels;
    int width, height;
    bool watched;
    unsigned refreshes;
    uint32_t drawn_late; /* at the next refresh, all pixels are this; 0: nothing */
    unsigned wants_width, wants_height; /* what a viewer has suggested */
    GString *input;  /* "+30 -30 m1,-2,0 ": keys and buttons down and up, motion */
    GString *events; /* "c", "i", "d": connected, initialized, disconnected */
} VncWorld;

extern VncWorld vnc_world;

void vnc_world_init(int width, int height);
void vnc_world_end(void);

/* Another picture, of random pixels. */
void vnc_world_resize(int width, int height);

void vnc_world_fill(int x, int y, int width, int height, uint32_t pixel);

/* Random pixels; and the console is told of them. */
void vnc_world_scribble(int x, int y, int width, int height);

/* A server: @text as after -vnc; NULL with @err. */
VncDisplay *server_open(const char *text, GError **err);
void server_close(VncDisplay *d);

/* Run the main loop until @condition; fails after a long time. */
#define run_until(condition)                                                     \
    do {                                                                         \
        for (int64_t end_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;        \
             !(condition);) {                                                    \
            expect(g_get_monotonic_time() < end_, "never: %s", #condition);      \
            run_a_while();                                                       \
        }                                                                        \
    } while (0)

/* A millisecond of it. */
void run_a_while(void);

/* ---- the client --------------------------------------------------------------------------- */

typedef struct Client {
    int fd;
    int width, height;
    uint32_t *pixels;    /* as the server says it is */
    char *name;
    bool said_keys, said_motion; /* the server takes that */
    unsigned sizes, size_reason, size_status; /* of the extended desktop size */
    GString *cut;        /* the last text it got */
    unsigned updates;    /* with pixels */
    uint64_t area;       /* pixels in them */
} Client;

/* Connect to the socket at @path; the first steps are up to the test. */
Client *client_dial(const char *path);
Client *client_of(int fd);
void client_close(Client *c); /* NULL: nothing */

/* All of it; false: the connection has ended. */
bool client_get(Client *c, void *buf, size_t len);
void client_put(Client *c, const void *buf, size_t len);
uint32_t client_get_number(Client *c);

/* The server's version, and ours, 3.@minor. */
void client_version(Client *c, unsigned minor);

/* Up to the result, with @password (NULL: none is asked for): whether it is let in. */
bool client_prove(Client *c, unsigned minor, const char *password);

/* ClientInit; whether the server answers. */
bool client_start(Client *c, bool shared);

/* All this. Fails if the server does. */
Client *client_open(const char *path);

void client_encodings(Client *c, unsigned nr, ...);
void client_request(Client *c, bool incremental);
void client_key(Client *c, bool down, uint32_t symbol);
void client_pointer(Client *c, unsigned buttons, unsigned x, unsigned y);
void client_want_size(Client *c, unsigned width, unsigned height);
void client_cut(Client *c, const char *text, uint32_t len);

/* Take the next message; false: the end. */
bool client_receive(Client *c);

/* Ask, and receive, until its picture is that of the world. */
void client_follow(Client *c);
bool client_is_current(const Client *c);

/* The server hangs up. */
void client_expect_end(Client *c);

#endif
