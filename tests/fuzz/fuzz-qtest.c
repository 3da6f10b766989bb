/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: what comes in is what a client of qtest sends, to a microvm inside
 * this process. The machine keeps its state from one input to the next. After each
 * input it must answer, and have answered each line with one.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hw/core/clock.h"
#include "hw/core/machine.h"
#include "qtest.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Machine *machine;
static int client;
static GByteArray *replies;

static void wrong(const char *what)
{
    fprintf(stderr, "fuzz-qtest: %s; the replies are:\n%.*s\n", what,
            (int)MIN(replies->len, 4096), (char *)replies->data);
    abort();
}

static void must(bool ok, GError **err)
{
    if (!ok) {
        wrong(*err ? (*err)->message : "no machine");
    }
}

static Chardev *open_chardev(const char *id, const char *spec)
{
    GError *err = NULL;
    Chardev *chr = chardev_open(id, spec, &err);

    must(chr, &err);
    return chr;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autofree char *spec = NULL;
    GError *err = NULL;
    Chardev *chr;
    int fds[2];

    replies = g_byte_array_new();
    /* A chardev takes only descriptors that outlive an exec. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0) {
        wrong("no socket");
    }
    client = fds[1];
    clock_virtual_set_manual();
    machine = machine_new(machine_type_find("microvm", NULL));
    machine->ram_size = 16 << 20;
    must(machine_set(machine, "accel", "qtest", &err), &err);
    g_ptr_array_add(machine->serials, open_chardev("serial0", "null"));
    g_ptr_array_add(machine->serials, open_chardev("serial1", "ringbuf"));
    memory_lock();
    must(machine_init(machine, &err), &err);
    must(machine_plug(machine, "isa-debug-exit", &err), &err);
    must(machine_plug(machine, "isa-debugcon", &err), &err);
    must(machine_prepare(machine, &err), &err);
    machine_reset(machine);
    memory_unlock();
    spec = g_strdup_printf("socket,id=qtest,fd=%d", fds[0]);
    chr = chardev_open_opts(spec, &err);
    must(chr, &err);
    must(qtest_new(machine, chr, NULL, &err), &err);
    return 0;
}

/* Take what has been answered. */
static bool hear(void)
{
    static uint8_t buf[65536];
    ssize_t n = recv(client, buf, sizeof(buf), 0);

    if (n == 0) {
        wrong("it hangs up");
    }
    if (n > 0) {
        g_byte_array_append(replies, buf, n);
    }
    return n > 0;
}

static void say(const char *data, size_t size)
{
    while (size) {
        ssize_t n = send(client, data, size, MSG_NOSIGNAL);

        if (n > 0) {
            data += n;
            size -= n;
        }
        g_main_context_iteration(NULL, FALSE);
        hear();
    }
    while (g_main_context_iteration(NULL, FALSE) | hear()) {
    }
}

/* Lines that are replies. */
static size_t replies_count(void)
{
    const char *text = (const char *)replies->data;
    size_t nr = 0, at = 0;

    while (at < replies->len) {
        const char *end = memchr(text + at, '\n', replies->len - at);

        if (!end) {
            wrong("a reply has no end");
        }
        nr += strncmp(text + at, "IRQ ", 4) != 0;
        at = end + 1 - text;
    }
    return nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char last[] = "\nendianness\n";
    size_t lines = 2;

    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    g_byte_array_set_size(replies, 0);
    say((const char *)data, size);
    say(last, strlen(last));
    if (replies_count() != lines) {
        wrong("not one reply to each line");
    }
    if (replies->len < 10 ||
        memcmp(replies->data + replies->len - 10, "OK little\n", 10) != 0) {
        wrong("the last reply is not of the last line");
    }
    return 0;
}
