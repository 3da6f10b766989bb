/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of character devices share: a frontend that takes what it is
 * allowed to, and shorthands.
 */
#ifndef CHARDEV_UTIL_H
#define CHARDEV_UTIL_H

#include "tests/device-util.h"

typedef struct Sink {
    GByteArray *got;
    size_t room;       /* bytes it can take now */
    unsigned writable; /* calls of on_writable */
    GString *events;   /* those of before, one letter each: O, C, B, E, i, o */
    unsigned breaks;
} Sink;

extern Sink sink;
extern const ChardevFrontend sink_frontend; /* its opaque: &sink */
extern const ChardevFrontend sink_line_frontend; /* the same on a line */

/* A new sink, and its end. */
void sink_init(size_t room);
void sink_free(void);

/* Connect to the UNIX socket at @path, in non-blocking mode. */
int unix_dial(const char *path);

/* Open @spec as "c0" with a new sink on it. */
Chardev *open_with_sink(const char *spec, size_t room);
void close_with_sink(Chardev *chr);

/* Give the sink room for @room bytes, and say so. */
void sink_more(Chardev *chr, size_t room);

/* Exactly this has come in. */
void sink_expect(const char *text);

/* Write all of @text; false: refused. */
bool say(Chardev *chr, const char *text);

/* Nothing is left that the main loop would do again and again. */
void expect_idle(void);

/* The name of a temporary file, to be freed. */
char *path_of(const char *name);

void expect_file(const char *path, const char *wanted);

#endif
