/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frontend for tests of character devices.
 */
#include "tests/chardev-util.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

Sink sink;

static size_t sink_room(void *opaque)
{
    return ((Sink *)opaque)->room;
}

static void sink_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Sink *s = opaque;

    expect(len > 0 && len <= s->room, "%zu bytes where %zu fit", len, s->room);
    s->room -= len;
    g_byte_array_append(s->got, buf, len);
}

static void sink_writable(void *opaque)
{
    ((Sink *)opaque)->writable++;
}

static void sink_event(void *opaque, ChardevEvent event)
{
    static const char letters[] = {
        [CHARDEV_OPENED] = 'O',      [CHARDEV_CLOSED] = 'C',
        [CHARDEV_BREAK] = 'B',       [CHARDEV_INPUT_ENDED] = 'E',
        [CHARDEV_FOCUS_IN] = 'i',    [CHARDEV_FOCUS_OUT] = 'o',
    };
    Sink *s = opaque;

    s->breaks += event == CHARDEV_BREAK;
    g_string_append_c(s->events, letters[event]);
}

const ChardevFrontend sink_frontend = {
    .can_receive = sink_room,
    .receive = sink_receive,
    .on_writable = sink_writable,
    .event = sink_event,
};

const ChardevFrontend sink_line_frontend = {
    .can_receive = sink_room,
    .receive = sink_receive,
    .on_writable = sink_writable,
    .event = sink_event,
    .is_line = true,
};

void sink_init(size_t room)
{
    sink = (Sink){ .got = g_byte_array_new(), .room = room,
                   .events = g_string_new(NULL) };
}

void sink_free(void)
{
    g_byte_array_free(sink.got, TRUE);
    g_string_free(sink.events, TRUE);
}

void sink_more(Chardev *chr, size_t room)
{
    sink.room = room;
    memory_lock();
    chardev_accept_input(chr);
    memory_unlock();
}

void sink_expect(const char *text)
{
    expect(sink.got->len == strlen(text) &&
           (!*text || memcmp(sink.got->data, text, sink.got->len) == 0),
           "'%.*s' came in, not '%s'", (int)sink.got->len,
           (char *)sink.got->data, text);
}

int unix_dial(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        expect(errno == EAGAIN, "connect: %s", g_strerror(errno));
        g_main_context_iteration(NULL, FALSE); /* too many wait there */
    }
    return fd;
}

Chardev *open_with_sink(const char *spec, size_t room)
{
    GError *err = NULL;
    Chardev *chr = chardev_open("c0", spec, &err);

    expect(chr, "%s", err->message);
    sink_init(room);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "attach");
    return chr;
}

void close_with_sink(Chardev *chr)
{
    chardev_close(chr);
    sink_free();
}

bool say(Chardev *chr, const char *text)
{
    bool ok;

    memory_lock();
    ok = chardev_write(chr, (const uint8_t *)text, strlen(text));
    memory_unlock();
    return ok;
}

char *path_of(const char *name)
{
    return g_build_filename(test_folder(), name, NULL);
}

void expect_idle(void)
{
    unsigned rounds = 0;

    while (g_main_context_iteration(NULL, FALSE)) {
        expect(++rounds < 100, "the main loop spins");
    }
}

void expect_file(const char *path, const char *wanted)
{
    char *text;

    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    ck_assert_str_eq(text, wanted);
    g_free(text);
}
