/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices of every kind, with peers that come, go, stall and lie.
 */
#include "tests/chardev-util.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* ---- what can be asked for -------------------------------------------------------------- */

START_TEST(bad_specs)
{
    static const struct {
        const char *spec, *word;
    } cases[] = {
        { "", "c0" },
        { "nul", "did you mean 'null'" },
        { "stdoi", "did you mean 'stdio'" },
        { "STDIO", "did you mean 'stdio'" },
        { "vc", "file:PATH" },
        { "file:", "file:" },
        { "unix:", "unix:" },
        { "unix:,server=on", "unix:" },
        { "file:/nonexistent/log", "/nonexistent/log: No such file" },
        { "file:/", "Is a directory" },
        { "unix:/nonexistent/s", "/nonexistent/s: No such file" },
        { "unix:/nonexistent/s,server=on", "/nonexistent/s: No such file" },
        { "unix:/tmp/s,server=maybe", "'server' cannot be 'maybe'" },
        { "unix:/tmp/s,sever=on", "did you mean 'server'" },
        { "unix:/dev/null", "/dev/null: Connection refused" },
        { "unix:/dev/null,server=on", "/dev/null exists and is not a socket" },
    };
    char *long_path;

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *err = NULL;

        expect(!chardev_open("c0", cases[i].spec, &err), "'%s' opens",
               cases[i].spec);
        expect_error(err, "chardev 'c0'", cases[i].word, NULL);
    }
    for (unsigned len = 107; len <= 109; len++) {
        GError *err = NULL;

        long_path = g_strnfill(len, 'x');
        memcpy(long_path, "unix:/no/", 9);
        expect(!chardev_open("c0", long_path, &err), "length %u opens", len);
        expect_error(err, "/no/xxx", "No such file", NULL);
        g_free(long_path);
    }
    long_path = g_strnfill(1000, 'x');
    memcpy(long_path, "unix:", 5);
    GError *err = NULL;
    expect(!chardev_open("c0", long_path, &err), "995 bytes");
    expect_error(err, "995", "107", NULL);
    g_free(long_path);
}
END_TEST

START_TEST(null)
{
    Chardev *chr = open_with_sink("null", 10);

    for (unsigned i = 0; i < 10000; i++) {
        expect(say(chr, "gone"), "null is full");
    }
    expect_idle();
    sink_expect("");
    expect(chardev_write(NULL, NULL, 0) && chardev_write(NULL,
           (const uint8_t *)"x", 1), "none at all");
    chardev_accept_input(NULL);
    chardev_detach(NULL, NULL);
    expect(chardev_attach(NULL, &sink_frontend, &sink, NULL), "none at all");
    chardev_close(NULL);
    ck_assert_str_eq(chardev_id(chr), "c0");
    close_with_sink(chr);
}
END_TEST

START_TEST(file)
{
    char *path = path_of("log"), *spec = g_strconcat("file:", path, NULL);
    Chardev *chr;

    expect(g_file_set_contents(path, "what was there before", -1, NULL), "set");
    chr = open_with_sink(spec, 10);
    expect(say(chr, "one\n") && say(chr, "two\n"), "full");
    expect_file(path, "one\ntwo\n");
    expect_idle();
    close_with_sink(chr);
    expect_file(path, "one\ntwo\n");
    g_free(path);
    g_free(spec);
}
END_TEST

/* Run @body with standard error in a string. */
static char *stderr_of(void (*body)(void *opaque), void *opaque)
{
    char *path = path_of("stderr"), *text;
    int saved = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    dup2(fd, 2);
    body(opaque);
    dup2(saved, 2);
    close(fd);
    close(saved);
    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    g_free(path);
    return text;
}

static void write_to_full(void *opaque)
{
    Chardev *chr = open_with_sink("file:/dev/full", 0);

    for (unsigned i = 0; i < 100; i++) {
        expect(say(chr, "x"), "refused for ever");
    }
    close_with_sink(chr);
}

START_TEST(disk_full)
{
    char *text = stderr_of(write_to_full, NULL);

    ck_assert_str_eq(text, "chardev 'c0': cannot write to /dev/full: No space "
                     "left on device; output is lost\n");
    g_free(text);
}
END_TEST

/* ---- output that is not taken -------------------------------------------------------------- */

static int fifo_open(char **spec)
{
    char *path = path_of("fifo");
    int fd;

    unlink(path);
    expect(mkfifo(path, 0600) == 0, "mkfifo");
    fd = open(path, O_RDONLY | O_NONBLOCK);
    fcntl(fd, F_SETPIPE_SZ, 4096);
    *spec = g_strconcat("file:", path, NULL);
    g_free(path);
    return fd;
}

START_TEST(bounded_queue)
{
    char *spec, block[1001], buf[8192];
    int fd = fifo_open(&spec);
    Chardev *chr = open_with_sink(spec, 0);
    unsigned taken = 0;
    ssize_t n, got = 0;

    memset(block, 'b', 1000);
    block[1000] = '\0';
    while (say(chr, block)) {
        expect(++taken < 100, "no bound");
    }
    /* A pipe of 4,096 and a queue of as many. */
    expect(taken == 8, "%u blocks", taken);
    expect(!say(chr, block) && sink.writable == 0, "before there is room");
    test_loop();
    expect(sink.writable == 0, "before there is room");
    n = read(fd, buf, sizeof(buf));
    expect(n == 4000, "%zd", n); /* a pipe takes none of what fits in part */
    got += n;
    test_loop_until(sink.writable);
    expect(sink.writable == 1, "told %u times", sink.writable);
    expect_idle();
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        got += n;
    }
    expect(got == 8000, "%zd bytes", got);
    expect(say(chr, block), "still full");
    n = read(fd, buf, sizeof(buf));
    expect(n == 1000 && sink.writable == 1, "at once");
    close_with_sink(chr);
    close(fd);
    g_free(spec);
}
END_TEST

/* The largest write that is allowed is taken when there is nothing before it. */
START_TEST(largest_write)
{
    char *spec;
    uint8_t block[CHARDEV_WRITE_MAX] = { 0 };
    int fd = fifo_open(&spec);
    Chardev *chr = open_with_sink(spec, 0);

    expect(chardev_write(chr, block, sizeof(block)), "the first");
    expect(chardev_write(chr, block, sizeof(block)), "queued");
    expect(!chardev_write(chr, block, 1), "one more");
    close(fd); /* nobody reads: it is dropped, and we are told there is room */
    test_loop_until(sink.writable);
    expect(chardev_write(chr, block, sizeof(block)), "to nobody");
    expect_idle();
    close_with_sink(chr);
    g_free(spec);
}
END_TEST

/* Closing writes out what a reader still takes. */
START_TEST(flush_at_close)
{
    char *spec, buf[8192];
    int fd = fifo_open(&spec);
    Chardev *chr = open_with_sink(spec, 0);
    size_t sent = 0, got = 0;
    ssize_t n;

    while (say(chr, "0123456789")) {
        sent += 10;
    }
    n = read(fd, buf, sizeof(buf));
    got += MAX(n, 0);
    close_with_sink(chr);
    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        got += n;
    }
    expect(got == sent, "%zu of %zu", got, sent);
    close(fd);
    g_free(spec);
}
END_TEST

/* ---- sockets --------------------------------------------------------------------------------- */

static void client_expect(int fd, const char *wanted)
{
    char buf[4096];
    size_t got = 0;

    while (got < strlen(wanted)) {
        ssize_t n = recv(fd, buf + got, sizeof(buf) - got, 0);

        expect(n > 0 || (n < 0 && errno == EAGAIN), "gone");
        got += MAX(n, 0);
        test_loop();
    }
    expect(memcmp(buf, wanted, got) == 0 && got == strlen(wanted),
           "'%.*s', not '%s'", (int)got, buf, wanted);
}

START_TEST(server)
{
    char *path = path_of("socket");
    char *spec = g_strconcat(path, ",server=on,wait=off", NULL);
    char *full = g_strconcat("unix:", spec, NULL);
    Chardev *chr = open_with_sink(full, 1000);
    struct stat st;
    int fd, second;

    expect(say(chr, "to nobody"), "held for nobody");
    for (unsigned round = 0; round < 5; round++) {
        fd = unix_dial(path);
        test_loop();
        expect(say(chr, "hello"), "full");
        client_expect(fd, "hello");
        expect(write(fd, "from client", 11) == 11, "write");
        /* One at a time: another waits until the first has gone. */
        second = unix_dial(path);
        expect(write(second, "second", 6) == 6, "write");
        test_loop();
        sink_expect("from client");
        close(fd);
        test_loop_until(sink.got->len == 17);
        sink_expect("from clientsecond");
        expect(say(chr, "bye"), "full");
        client_expect(second, "bye");
        close(second);
        test_loop();
        g_byte_array_set_size(sink.got, 0);
        sink_more(chr, 1000);
        expect_idle();
    }
    close_with_sink(chr);
    expect(stat(path, &st) < 0, "the socket is left behind");
    g_free(path);
    g_free(spec);
    g_free(full);
}
END_TEST

/* On a line, what a peer sent before it went is kept, and the next one may come. */
START_TEST(gone_with_input_unread)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server,nowait", path);
    Chardev *chr = open_with_sink(spec, 0);
    int fd = unix_dial(path);

    chardev_detach(chr, &sink);
    expect(chardev_attach(chr, &sink_line_frontend, &sink, NULL), "attach");
    test_loop();
    expect(write(fd, "unread", 6) == 6, "write");
    expect_idle(); /* although there is something to read */
    close(fd);
    fd = unix_dial(path);
    test_loop();
    expect(say(chr, "next"), "full");
    client_expect(fd, "next");
    expect(write(fd, "!", 1) == 1, "write");
    expect_idle();
    sink_more(chr, 3);
    sink_expect("unr");
    sink_more(chr, 100);
    test_loop();
    sink_expect("unread!");
    ck_assert_str_eq(sink.events->str, "OCO");
    close(fd);
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

/* Peers that come, leave much and go do not fill the memory. */
START_TEST(many_with_input_unread)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server,nowait", path);
    Chardev *chr = open_with_sink(spec, 0);
    static uint8_t piece[65536];
    size_t sent = 0;

    chardev_detach(chr, &sink);
    expect(chardev_attach(chr, &sink_line_frontend, &sink, NULL), "attach");
    memset(piece, 'x', sizeof(piece));
    while (sent < 16 << 20) {
        int fd = unix_dial(path);
        ssize_t n;

        while ((n = send(fd, piece, sizeof(piece), MSG_DONTWAIT)) > 0) {
            sent += n;
        }
        test_loop_until(chardev_is_connected(chr));
        close(fd);
        test_loop_until(!chardev_is_connected(chr));
    }
    sink_more(chr, 32 << 20);
    test_loop();
    expect(sink.got->len >= 1 << 20 && sink.got->len <= 2 << 20, "%u bytes are kept",
           sink.got->len);
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

/* Others are told of each peer in order: the next one is let in when all of the
 * last one was received. */
START_TEST(one_after_the_other)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server,nowait", path);
    Chardev *chr = open_with_sink(spec, 1);
    int fd = unix_dial(path);

    test_loop();
    sink.room = 0;
    expect(write(fd, "first", 5) == 5, "write");
    close(fd);
    fd = unix_dial(path);
    expect(write(fd, "second", 6) == 6, "write");
    expect_idle();
    expect(say(chr, "to nobody"), "full");
    expect(!chardev_is_connected(chr), "connected");
    ck_assert_str_eq(sink.events->str, "O");
    sink_more(chr, 3);
    expect_idle();
    ck_assert_str_eq(sink.events->str, "O");
    sink_more(chr, 2);
    expect_idle(); /* there is no room */
    sink_expect("first");
    ck_assert_str_eq(sink.events->str, "OC");
    sink_more(chr, 100);
    test_loop_until(sink.got->len == 11);
    ck_assert_str_eq(sink.events->str, "OCO");
    expect(chardev_is_connected(chr), "not connected");
    shutdown(fd, SHUT_WR);
    test_loop();
    ck_assert_str_eq(sink.events->str, "OCOE");
    expect(say(chr, "heard"), "full");
    client_expect(fd, "heard");
    close(fd);
    test_loop();
    ck_assert_str_eq(sink.events->str, "OCOEC");
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

/* Nor is a peer forgotten that went before anybody was there. */
START_TEST(before_anybody)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server,nowait", path);
    Chardev *chr = chardev_open("c0", spec, NULL);
    int fd = unix_dial(path);

    test_loop();
    expect(write(fd, "first", 5) == 5, "write");
    close(fd);
    fd = unix_dial(path);
    expect(write(fd, "second", 6) == 6, "write");
    expect_idle();
    expect(!chardev_is_connected(chr), "two at once");
    sink_init(100);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "attach");
    sink_expect("first");
    ck_assert_str_eq(sink.events->str, "OC");
    test_loop_until(sink.got->len == 11);
    ck_assert_str_eq(sink.events->str, "OCO");
    close(fd);
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

/* A peer that has sent all it will may still listen. */
START_TEST(half_closed)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 100);
    int fd = unix_dial(path);

    test_loop();
    expect(write(fd, "last", 4) == 4, "write");
    shutdown(fd, SHUT_WR);
    test_loop();
    sink_expect("last");
    expect_idle();
    expect(say(chr, "still here"), "full");
    client_expect(fd, "still here");
    close(fd);
    test_loop();
    fd = unix_dial(path);
    test_loop();
    expect(say(chr, "new"), "full");
    client_expect(fd, "new");
    close(fd);
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

START_TEST(full_socket_reset)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 100);
    int fd = unix_dial(path);

    test_loop();
    while (say(chr, "0123456789abcdef")) {
    }
    close(fd);
    test_loop_until(sink.writable);
    expect(say(chr, "to nobody"), "full");
    fd = unix_dial(path);
    test_loop();
    expect(say(chr, "fresh"), "full");
    client_expect(fd, "fresh"); /* nothing of what was for the other */
    close(fd);
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

START_TEST(path_in_use)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 0);
    GError *err = NULL;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd;

    expect(!chardev_open("c1", spec, &err), "twice");
    expect_error(err, "chardev 'c1'", path, "in use by another program", NULL);
    test_loop();
    expect(access(path, F_OK) == 0, "the loser removed it");
    close_with_sink(chr);

    /* Left behind by a program that was killed. */
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    close(fd);
    err = NULL;
    chr = chardev_open("c0", spec, &err);
    expect(chr, "%s", err->message);
    chardev_close(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

static void open_waiting(void *opaque)
{
    Chardev *chr = open_with_sink(opaque, 100);

    test_loop_until(sink.got->len == 2);
    sink_expect("hi");
    close_with_sink(chr);
}

START_TEST(server_waits)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server=on", path), *text, *wanted;
    pid_t child = fork();

    if (child == 0) {
        struct sockaddr_un addr = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
        while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
            usleep(1000);
        }
        _exit(write(fd, "hi", 2) != 2);
    }
    text = stderr_of(open_waiting, spec);
    wanted = g_strdup_printf("chardev 'c0' waits for a connection to %s\n",
                             path);
    ck_assert_str_eq(text, wanted);
    waitpid(child, NULL, 0);
    g_free(text);
    g_free(wanted);
    g_free(path);
    g_free(spec);
}
END_TEST

static gboolean ask_to_end(gpointer opaque)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 0);
    return G_SOURCE_REMOVE;
}

static void open_in_vain(void *opaque)
{
    GError *err = NULL;

    g_idle_add(ask_to_end, NULL);
    expect(!chardev_open("c0", opaque, &err), "opened");
    expect_error(err, "chardev 'c0'", "ended before a connection", NULL);
}

/* Waiting can be given up. */
START_TEST(server_waits_in_vain)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server=on", path);

    g_free(stderr_of(open_in_vain, spec));
    expect(access(path, F_OK) < 0, "the socket stays");
    memset(&requests, 0, sizeof(requests));
    g_free(path);
    g_free(spec);
}
END_TEST

/* Connect as a client; the peer speaks, and leaves. */
START_TEST(client)
{
    char *path = path_of("listener"), *spec = g_strconcat("unix:", path, NULL);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    Chardev *chr;

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
           listen(listener, 1) == 0, "listen");
    chr = open_with_sink(spec, 100);
    fd = accept(listener, NULL, NULL);
    expect(write(fd, "abc", 3) == 3, "write");
    expect(say(chr, "xyz"), "full");
    test_loop();
    sink_expect("abc");
    client_expect(fd, "xyz");
    close(fd);
    test_loop();
    for (unsigned i = 0; i < 100000; i++) {
        expect(say(chr, "into the void"), "full");
    }
    expect_idle();
    close_with_sink(chr);
    expect(access(path, F_OK) == 0, "a client removed the server's socket");
    close(listener);
    g_free(path);
    g_free(spec);
}
END_TEST

START_TEST(one_frontend)
{
    Chardev *chr = open_with_sink("null", 0);
    GError *err = NULL;

    expect(!chardev_attach(chr, &sink_frontend, &sink, &err), "two");
    expect_error(err, "chardev 'c0'", "in use by another device", NULL);
    chardev_detach(chr, &sink);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "after the first");
    close_with_sink(chr);
}
END_TEST

/* ---- pseudo-terminals --------------------------------------------------------------------- */

static Chardev *pty;

static void pty_open(void *opaque)
{
    pty = open_with_sink("pty", 1000);
}

START_TEST(pty_users)
{
    char *text = stderr_of(pty_open, NULL), *name;
    struct termios t;
    char buf[16];
    int fd;

    expect(g_str_has_prefix(text, "chardev 'c0' is /dev/"), "%s", text);
    name = g_strchomp(strstr(text, "/dev/"));
    for (unsigned i = 0; i < 100000; i++) {
        expect(say(pty, "to nobody"), "held for nobody");
    }
    expect_idle();
    for (unsigned round = 0; round < 3; round++) {
        fd = open(name, O_RDWR | O_NOCTTY);
        expect(fd >= 0, "%s: %s", name, strerror(errno));
        expect(tcgetattr(fd, &t) == 0 && !(t.c_lflag & (ECHO | ICANON)) &&
               !(t.c_oflag & OPOST), "not raw");
        expect(write(fd, "in\n", 3) == 3, "write");
        test_loop_until(sink.got->len == 3);
        sink_expect("in\n");
        expect(say(pty, "out"), "full");
        expect(read(fd, buf, sizeof(buf)) == 3 && !memcmp(buf, "out", 3),
               "out");
        expect(write(fd, "last", 4) == 4, "write");
        close(fd);
        test_loop_until(sink.got->len == 7);
        sink_expect("in\nlast");
        test_loop();
        g_byte_array_set_size(sink.got, 0);
        sink_more(pty, 1000);
        expect_idle();
    }
    /* A user who stops reading holds the guest, and leaving frees it. */
    fd = open(name, O_RDWR | O_NOCTTY);
    expect(write(fd, "x", 1) == 1, "write");
    test_loop_until(sink.got->len == 1);
    sink_more(pty, 0); /* nothing watches for input now */
    while (say(pty, "0123456789")) {
    }
    close(fd);
    test_loop_until(sink.writable);
    for (unsigned i = 0; i < 100000; i++) {
        expect(say(pty, "to nobody"), "held for nobody");
    }
    close_with_sink(pty);
    g_free(text);
}
END_TEST

/* ---- from other threads ------------------------------------------------------------------------ */

#define THREAD_BYTES 3000

static gpointer guest(gpointer chr)
{
    unsigned sent = 0, got = 0;

    while (sent < THREAD_BYTES || got < THREAD_BYTES) {
        uint8_t byte = sent;

        memory_lock();
        if (sent < THREAD_BYTES && chardev_write(chr, &byte, 1)) {
            sent++;
        }
        sink.room = 16;
        chardev_accept_input(chr);
        got = sink.got->len;
        memory_unlock();
    }
    return NULL;
}

static unsigned sink_len(void)
{
    unsigned len;

    memory_lock();
    len = sink.got->len;
    memory_unlock();
    return len;
}

/* A vCPU writes and takes input while the main loop serves the peer. */
START_TEST(threads)
{
    char *path = path_of("socket");
    char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 16);
    int fd = unix_dial(path);
    GThread *thread;
    unsigned got = 0, sent = 0;
    uint8_t buf[512];

    test_loop();
    thread = g_thread_new("vcpu", guest, chr);
    while (got < THREAD_BYTES || sent < THREAD_BYTES || sink_len() < THREAD_BYTES) {
        ssize_t n = recv(fd, buf, sizeof(buf), 0);

        for (ssize_t i = 0; i < n; i++) {
            expect_hex(buf[i], got++ & 0xff);
        }
        buf[0] = sent;
        if (sent < THREAD_BYTES && write(fd, buf, 1) == 1) {
            sent++;
        }
        g_main_context_iteration(NULL, FALSE);
    }
    g_thread_join(thread);
    for (unsigned i = 0; i < THREAD_BYTES; i++) {
        expect_hex(sink.got->data[i], i & 0xff);
    }
    close(fd);
    close_with_sink(chr);
    g_free(path);
    g_free(spec);
}
END_TEST

TEST_MAIN("chardev", bad_specs, null, file, disk_full, bounded_queue,
          largest_write, flush_at_close, server, gone_with_input_unread,
          many_with_input_unread,
          one_after_the_other, before_anybody, half_closed, full_socket_reset, path_in_use, server_waits,
          server_waits_in_vain, client, one_frontend, pty_users, threads)
