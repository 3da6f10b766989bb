/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: what comes in is what a client sends to a control monitor, of a
 * microvm inside this process. After each input the monitor must answer a valid
 * message. The machine is a new one now and then, so that what inputs add to it
 * does not pile up. `make fuzz` builds and runs it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "tests/qmp/qmp-world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed);

#define INPUTS_PER_MACHINE 1000

static Machine *machine; /* NULL: a new one is due */
static Chardev *chr;
static Monitor *mon;
static int client; /* the other end of chr */
static GString *output;

static void wrong(const char *what)
{
    fprintf(stderr, "fuzz-qmp: %s\n", what);
    abort();
}

/* Take what the monitor says. */
static void receive(void)
{
    char buf[65536];
    ssize_t n;

    while ((n = recv(client, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
        g_string_append_len(output, buf, n);
    }
    if (n == 0) {
        wrong("the monitor has closed the connection");
    }
    /* What was long ago is of no use. */
    if (output->len > 1 << 20) {
        g_string_erase(output, 0, output->len - 4096);
    }
}

static void send_bytes(const void *data, size_t size)
{
    const char *p = data;

    while (size) {
        ssize_t n = send(client, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            p += n;
            size -= n;
        } else {
            g_main_context_iteration(NULL, FALSE);
            receive();
        }
    }
}

/* Have @request answered with @reply. */
static void ask(const char *request, const char *reply)
{
    send_bytes(request, strlen(request));
    for (;;) {
        receive();
        if (strstr(output->str, reply)) {
            break;
        }
        g_main_context_iteration(NULL, TRUE);
    }
    g_string_truncate(output, 0);
}

static void world_begin(void)
{
    GError *err = NULL;
    char spec[64];
    int fds[2];

    if (!output) {
        output = g_string_new(NULL);
    }
    machine = qmp_world_new();
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) {
        wrong("no sockets");
    }
    client = fds[0];
    snprintf(spec, sizeof(spec), "socket,id=fuzz-client,fd=%d", fds[1]);
    chr = chardev_open_opts(spec, &err);
    mon = chr ? monitor_new(chr, MONITOR_CONTROL, false, &err) : NULL;
    if (!mon) {
        wrong(err->message);
    }
    ask("{'execute':'qmp_capabilities','arguments':{'enable':['oob']},'id':1}",
        "{\"return\": {}, \"id\": 1}\r\n");
}

static void world_end(void)
{
    monitor_free(mon);
    chardev_close(chr);
    close(client);
    qmp_world_free(machine);
    machine = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned inputs;
    char request[80], reply[80];

    if (!machine) {
        world_begin();
    }
    inputs++;
    send_bytes(data, size);
    snprintf(request, sizeof(request), "\xff{'execute':'query-name','id':'alive %u'}",
             inputs);
    snprintf(reply, sizeof(reply), "{\"return\": {}, \"id\": \"alive %u\"}\r\n",
             inputs);
    ask(request, reply);
    if (inputs % INPUTS_PER_MACHINE == 0) {
        world_end();
    }
    return 0;
}

/* Now and then begin with a valid message, in place of a corpus in files. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed)
{
    unsigned nr = 0, choice = seed % 1000;
    const char *message;
    size_t at, len;

    while (qmp_corpus[nr]) {
        nr++;
    }
    message = qmp_corpus[seed / 1000 % nr];
    len = strlen(message);
    if (choice < 100 || size < 2) {
        at = 0; /* in place of what there is */
    } else if (choice < 200) {
        at = size; /* behind it */
    } else {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    if (at + len > max_size) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    memcpy(data + at, message, len);
    return choice % 2 ? at + len : LLVMFuzzerMutate(data, at + len, max_size);
}
