/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of gdb's remote serial protocol for tests; see gdb-client.h.
 */
#include "tests/gdb/gdb-client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void gdb_client_open(GDBClient *c, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    *c = (GDBClient){ .packet = g_string_new(NULL) };
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ge(c->fd, 0);
    while (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        expect(errno == ENOENT || errno == ECONNREFUSED, "connect: %s",
               strerror(errno));
        g_usleep(1000);
    }
}

void gdb_client_close(GDBClient *c)
{
    close(c->fd);
    g_string_free(c->packet, TRUE);
}

void gdb_client_raw(GDBClient *c, const void *data, size_t len)
{
    const char *bytes = data;

    while (len) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);

        expect(n > 0, "send: %s", strerror(errno));
        bytes += n;
        len -= n;
    }
}

int gdb_client_byte(GDBClient *c)
{
    uint8_t byte;

    return recv(c->fd, &byte, 1, 0) == 1 ? byte : -1;
}

void gdb_client_send(GDBClient *c, const char *data, size_t len)
{
    g_autoptr(GString) frame = g_string_new("$");
    uint8_t sum = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        char byte = data[i];

        if (byte == '$' || byte == '#' || byte == '}' || byte == '*') {
            g_string_append_c(frame, '}');
            byte ^= 0x20;
        }
        g_string_append_c(frame, byte);
    }
    for (i = 1; i < frame->len; i++) {
        sum += frame->str[i];
    }
    g_string_append_printf(frame, "#%02x", sum);
    gdb_client_raw(c, frame->str, frame->len);
    if (!c->no_ack) {
        ck_assert_int_eq(gdb_client_byte(c), '+');
    }
}

const char *gdb_client_receive(GDBClient *c)
{
    char sum_text[3] = "";
    uint8_t sum = 0;
    int byte = gdb_client_byte(c);

    if (byte < 0) {
        return NULL;
    }
    ck_assert_int_eq(byte, '$');
    g_string_truncate(c->packet, 0);
    while ((byte = gdb_client_byte(c)) != '#') {
        ck_assert_int_ge(byte, 0);
        sum += byte;
        if (byte == '}') {
            byte = gdb_client_byte(c);
            sum += byte;
            byte ^= 0x20;
        }
        g_string_append_c(c->packet, byte);
    }
    sum_text[0] = gdb_client_byte(c);
    sum_text[1] = gdb_client_byte(c);
    ck_assert_uint_eq(g_ascii_strtoull(sum_text, NULL, 16), sum);
    if (!c->no_ack) {
        gdb_client_raw(c, "+", 1);
    }
    return c->packet->str;
}

const char *gdb_client_ask(GDBClient *c, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    const char *answer;
    va_list args;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    gdb_client_send(c, text, strlen(text));
    answer = gdb_client_receive(c);
    expect(answer, "the connection was closed instead of an answer to %s", text);
    return answer;
}
