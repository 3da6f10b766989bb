/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire of gdb's remote serial protocol: from bytes to packets of bounded
 * size and back, checksums, acknowledgements. All in the main loop's thread.
 */
#ifndef GDBSTUB_WIRE_H
#define GDBSTUB_WIRE_H

#include "hw/core/chardev.h"

/* The most that a packet from the client, or one answer, may hold. */
#define GDB_PACKET_MAX 0x4000

typedef enum GDBWireInput {
    GDB_WIRE_NOTHING,
    GDB_WIRE_PACKET,    /* ->packet holds ->packet_len bytes and a final NUL */
    GDB_WIRE_BAD,       /* one too long, or damaged: an error is the answer */
    GDB_WIRE_INTERRUPT, /* Ctrl-C */
} GDBWireInput;

typedef enum GDBWireState {
    WIRE_BETWEEN, /* packets */
    WIRE_DATA,
    WIRE_ESCAPED,
    WIRE_SUM_HIGH,
    WIRE_SUM_LOW,
} GDBWireState;

typedef struct GDBWire {
    Chardev *chr;
    bool no_ack; /* acknowledgements are switched off */

    /* Input: what has not been looked at, and the packet that it makes. */
    uint8_t raw[4096];
    size_t raw_start, raw_end;
    GDBWireState state;
    uint8_t sum, sum_high;
    bool too_long;
    char packet[GDB_PACKET_MAX + 1];
    size_t packet_len;

    /* Output: the last packet, framed, for sending it again, too. */
    GString *frame;
    GString *out; /* not yet taken by @chr */
    bool unacknowledged;
} GDBWire;

void gdb_wire_init(GDBWire *wire, Chardev *chr);
void gdb_wire_free(GDBWire *wire);

/* As for a new client. */
void gdb_wire_reset(GDBWire *wire);

/* Bytes that it can take, and taking them: for a ChardevFrontend. */
size_t gdb_wire_room(const GDBWire *wire);
void gdb_wire_take(GDBWire *wire, const uint8_t *buf, size_t len);

bool gdb_wire_has_input(const GDBWire *wire);

/* The next thing that the client has sent. Not before the answer to the last
 * one has gone: see gdb_wire_flush(). */
GDBWireInput gdb_wire_next(GDBWire *wire);

/* Send a packet. What is special in it is escaped. */
void gdb_wire_send(GDBWire *wire, const char *data, size_t len);

/* Have the character device take what is queued; false: some is left. */
bool gdb_wire_flush(GDBWire *wire);

/* Whether another packet may be sent that nothing was asked for. */
bool gdb_wire_is_idle(const GDBWire *wire);

/* Append @len bytes in hex digits. */
void gdb_hex_append(GString *to, const void *data, size_t len);

/* The bytes that the hex digits up to the first other character stand for, at
 * most @max: how many, or -1 where their number is odd, or too big. *@text is
 * moved behind them. */
ssize_t gdb_hex_bytes(const char **text, uint8_t *buf, size_t max);

/* A number in hex digits. False where there is none, or it has more than 64
 * bits. */
bool gdb_hex_number(const char **text, uint64_t *value);

#endif
