/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire of gdb's remote serial protocol. Specification: "Debugging with
 * GDB", appendix "GDB Remote Serial Protocol", sections "Overview" and "Packet
 * Acknowledgment".
 *
 * A client can cost no more memory than the buffers in GDBWire: input is not
 * taken while they are full, and no packet is looked at while an answer is on
 * its way out.
 */
#include "gdbstub-wire.h"

#include <string.h>

#include "memory.h"

#define INTERRUPT 0x03

void gdb_wire_init(GDBWire *wire, Chardev *chr)
{
    memset(wire, 0, sizeof(*wire));
    wire->chr = chr;
    wire->frame = g_string_new(NULL);
    wire->out = g_string_new(NULL);
}

void gdb_wire_free(GDBWire *wire)
{
    g_string_free(wire->frame, TRUE);
    g_string_free(wire->out, TRUE);
}

void gdb_wire_reset(GDBWire *wire)
{
    wire->no_ack = false;
    wire->raw_start = wire->raw_end = 0;
    wire->state = WIRE_BETWEEN;
    g_string_truncate(wire->frame, 0);
    g_string_truncate(wire->out, 0);
    wire->unacknowledged = false;
}

/* ---- input ---------------------------------------------------------------- */

size_t gdb_wire_room(const GDBWire *wire)
{
    return sizeof(wire->raw) - (wire->raw_end - wire->raw_start);
}

void gdb_wire_take(GDBWire *wire, const uint8_t *buf, size_t len)
{
    memmove(wire->raw, wire->raw + wire->raw_start,
            wire->raw_end - wire->raw_start);
    wire->raw_end -= wire->raw_start;
    wire->raw_start = 0;
    len = MIN(len, sizeof(wire->raw) - wire->raw_end);
    memcpy(wire->raw + wire->raw_end, buf, len);
    wire->raw_end += len;
}

bool gdb_wire_has_input(const GDBWire *wire)
{
    return wire->raw_start < wire->raw_end;
}

static void start_packet(GDBWire *wire)
{
    wire->state = WIRE_DATA;
    wire->sum = 0;
    wire->too_long = false;
    wire->packet_len = 0;
}

static void add_to_packet(GDBWire *wire, char c)
{
    if (wire->packet_len == GDB_PACKET_MAX) {
        wire->too_long = true;
        return;
    }
    wire->packet[wire->packet_len++] = c;
}

static void queue_byte(GDBWire *wire, char c)
{
    g_string_append_c(wire->out, c);
}

/* The packet is complete; @sum is what the client says of it. Without
 * acknowledgements a damaged one would never come again: it gets an answer. */
static GDBWireInput end_packet(GDBWire *wire, int sum)
{
    wire->state = WIRE_BETWEEN;
    wire->packet[wire->packet_len] = 0;
    if (!wire->no_ack) {
        queue_byte(wire, sum == wire->sum ? '+' : '-');
        if (sum != wire->sum) {
            return GDB_WIRE_NOTHING;
        }
    }
    wire->unacknowledged = false; /* who asks has given the last answer up */
    return wire->too_long || sum != wire->sum ? GDB_WIRE_BAD : GDB_WIRE_PACKET;
}

static GDBWireInput between_packets(GDBWire *wire, uint8_t byte)
{
    switch (byte) {
    case '$':
        start_packet(wire);
        break;
    case '+':
        wire->unacknowledged = false;
        break;
    case '-':
        if (wire->unacknowledged) {
            g_string_append_len(wire->out, wire->frame->str, wire->frame->len);
        }
        break;
    case INTERRUPT:
        return GDB_WIRE_INTERRUPT;
    }
    return GDB_WIRE_NOTHING;
}

static GDBWireInput look_at(GDBWire *wire, uint8_t byte)
{
    int low;

    switch (wire->state) {
    case WIRE_BETWEEN:
        return between_packets(wire, byte);
    case WIRE_DATA:
        if (byte == '$') {
            start_packet(wire); /* the end of the one before was lost */
            break;
        }
        if (byte == '#') {
            wire->state = WIRE_SUM_HIGH;
            break;
        }
        wire->sum += byte;
        if (byte == '}') {
            wire->state = WIRE_ESCAPED;
        } else {
            add_to_packet(wire, byte);
        }
        break;
    case WIRE_ESCAPED:
        wire->sum += byte;
        wire->state = WIRE_DATA;
        add_to_packet(wire, byte ^ 0x20);
        break;
    case WIRE_SUM_HIGH:
        wire->sum_high = byte;
        wire->state = WIRE_SUM_LOW;
        break;
    case WIRE_SUM_LOW:
        low = g_ascii_xdigit_value(byte);
        if (low < 0 || g_ascii_xdigit_value(wire->sum_high) < 0) {
            return end_packet(wire, -1);
        }
        return end_packet(wire, g_ascii_xdigit_value(wire->sum_high) << 4 | low);
    }
    return GDB_WIRE_NOTHING;
}

GDBWireInput gdb_wire_next(GDBWire *wire)
{
    GDBWireInput input = GDB_WIRE_NOTHING;

    /* What must be sent first ends the look, so that "-" cannot pile up. */
    while (input == GDB_WIRE_NOTHING && gdb_wire_has_input(wire) &&
           !wire->out->len) {
        input = look_at(wire, wire->raw[wire->raw_start++]);
    }
    return input;
}

/* ---- output ---------------------------------------------------------------- */

void gdb_wire_send(GDBWire *wire, const char *data, size_t len)
{
    uint8_t sum = 0;
    size_t i;

    g_string_assign(wire->frame, "$");
    for (i = 0; i < len; i++) {
        if (strchr("$#}*", data[i]) && data[i]) {
            g_string_append_c(wire->frame, '}');
            g_string_append_c(wire->frame, data[i] ^ 0x20);
        } else {
            g_string_append_c(wire->frame, data[i]);
        }
    }
    for (i = 1; i < wire->frame->len; i++) {
        sum += (uint8_t)wire->frame->str[i];
    }
    g_string_append_printf(wire->frame, "#%02x", sum);
    g_string_append_len(wire->out, wire->frame->str, wire->frame->len);
    wire->unacknowledged = !wire->no_ack;
}

bool gdb_wire_flush(GDBWire *wire)
{
    size_t sent = 0;

    memory_lock();
    while (sent < wire->out->len) {
        size_t n = MIN(wire->out->len - sent, CHARDEV_WRITE_MAX);

        if (!chardev_write(wire->chr, (const uint8_t *)wire->out->str + sent,
                           n)) {
            break;
        }
        sent += n;
    }
    memory_unlock();
    g_string_erase(wire->out, 0, sent);
    return !wire->out->len;
}

bool gdb_wire_is_idle(const GDBWire *wire)
{
    return !wire->out->len && !wire->unacknowledged;
}

/* ---- hex digits --------------------------------------------------------------- */

void gdb_hex_append(GString *to, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    size_t i;

    for (i = 0; i < len; i++) {
        g_string_append_c(to, digits[bytes[i] >> 4]);
        g_string_append_c(to, digits[bytes[i] & 15]);
    }
}

ssize_t gdb_hex_bytes(const char **text, uint8_t *buf, size_t max)
{
    size_t n = 0;

    while (g_ascii_isxdigit(**text)) {
        if (n == max || !g_ascii_isxdigit((*text)[1])) {
            return -1;
        }
        buf[n++] = g_ascii_xdigit_value((*text)[0]) << 4 |
                   g_ascii_xdigit_value((*text)[1]);
        *text += 2;
    }
    return n;
}

bool gdb_hex_number(const char **text, uint64_t *value)
{
    const char *start = *text;

    *value = 0;
    while (g_ascii_isxdigit(**text)) {
        if (*value >> 60) {
            return false;
        }
        *value = *value << 4 | g_ascii_xdigit_value(**text);
        (*text)++;
    }
    return *text > start;
}
