/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of gdb's remote serial protocol for tests, written after the same
 * text as the stub, not after the stub. It blocks: call it beside the main loop
 * or for another process. A test that waits for what never comes ends by Check's
 * timeout.
 */
#ifndef TESTS_GDB_CLIENT_H
#define TESTS_GDB_CLIENT_H

#include "tests/test-util.h"

typedef struct GDBClient {
    int fd;
    bool no_ack;
    GString *packet; /* the last one received, unescaped */
} GDBClient;

/* Connect to the socket at @path, which may not be there yet. */
void gdb_client_open(GDBClient *c, const char *path);
void gdb_client_close(GDBClient *c);

/* Bytes as they are. */
void gdb_client_raw(GDBClient *c, const void *data, size_t len);

/* The next byte, or -1 at the end. */
int gdb_client_byte(GDBClient *c);

/* Send a packet, and take its acknowledgement. */
void gdb_client_send(GDBClient *c, const char *data, size_t len);

/* The next packet, acknowledged; its checksum must be right. Valid until the next
 * call. NULL: the connection was closed. */
const char *gdb_client_receive(GDBClient *c);

/* Both: the answer to a packet of text. */
const char *gdb_client_ask(GDBClient *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The answer must be exactly @answer. */
#define gdb_client_expect(c, answer, ...)                                      \
    ck_assert_str_eq(gdb_client_ask(c, __VA_ARGS__), answer)

#endif
