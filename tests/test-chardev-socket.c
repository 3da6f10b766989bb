/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices on sockets: TCP, sockets that were passed, clients that
 * connect again, and peers that mean no good. Where UNIX sockets are as good as
 * any, test-chardev.c has it.
 */
#include "tests/chardev-util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- peers --------------------------------------------------------------------- */

static int tcp_socket(int family, uint16_t port, bool server)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port),
                               .sin6_addr = in6addr_loopback };
    struct sockaddr *addr = family == AF_INET ? (void *)&a : (void *)&a6;
    socklen_t len = family == AF_INET ? sizeof(a) : sizeof(a6);
    int fd = socket(family, SOCK_STREAM, 0);
    int ret = server ? bind(fd, addr, len) || listen(fd, 1)
                     : connect(fd, addr, len);

    if (ret != 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in6 a; /* the port is at the same place in both */
    socklen_t len = sizeof(a);

    expect(getsockname(fd, (struct sockaddr *)&a, &len) == 0, "getsockname");
    return ntohs(a.sin6_port);
}

/* The port of a server: the last number in its name. */
static uint16_t server_port(Chardev *chr)
{
    g_autofree char *name = chardev_filename(chr);
    char *colon = strrchr(name, ':');

    expect(g_str_has_prefix(name, "disconnected:tcp:") && colon, "%s", name);
    return atoi(colon + 1);
}

static void expect_name(Chardev *chr, const char *wanted)
{
    g_autofree char *name = chardev_filename(chr);

    ck_assert_str_eq(name, wanted);
}

/* What comes over @fd is @wanted, in the end. */
static void peer_expect(int fd, const char *wanted)
{
    GString *got = g_string_new(NULL);
    char buf[256];

    while (got->len < strlen(wanted)) {
        ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

        expect(n > 0 || (n < 0 && errno == EAGAIN), "gone after '%s'", got->str);
        g_string_append_len(got, buf, MAX(n, 0));
        test_loop();
    }
    ck_assert_str_eq(got->str, wanted);
    g_string_free(got, TRUE);
}

static void peer_send(int fd, const char *text)
{
    expect(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "write");
}

/* Both ways between @chr and @fd. */
static void talk(Chardev *chr, int fd)
{
    g_byte_array_set_size(sink.got, 0);
    peer_send(fd, "from the peer");
    test_loop_until(sink.got->len == 13);
    sink_expect("from the peer");
    expect(say(chr, "to the peer"), "full");
    peer_expect(fd, "to the peer");
}

static void silence_stderr(void)
{
    int fd = open("/dev/null", O_WRONLY);

    dup2(fd, 2);
    close(fd);
}

/* ---- TCP ----------------------------------------------------------------------- */

static void serve_tcp(const char *spec, int family)
{
    Chardev *chr = open_with_sink(spec, 10000);
    uint16_t port = server_port(chr);
    g_autofree char *start = g_strdup_printf(
        family == AF_INET ? "tcp:127.0.0.1:%u,server=on <-> 127.0.0.1:"
                          : "tcp:[::1]:%u,server=on <-> [::1]:", port);

    for (unsigned i = 0; i < 3; i++) {
        int fd = tcp_socket(family, port, false);
        g_autofree char *name = NULL;

        expect(fd >= 0, "%s: no connection", spec);
        test_loop_until(chardev_is_connected(chr));
        name = chardev_filename(chr);
        expect(g_str_has_prefix(name, start), "%s", name);
        talk(chr, fd);
        close(fd);
        test_loop_until(!chardev_is_connected(chr));
        expect_idle();
    }
    ck_assert_str_eq(sink.events->str, "OCOCOC");
    close_with_sink(chr);
    expect(tcp_socket(family, port, false) < 0, "it still listens");
}

START_TEST(tcp_server)
{
    int probe = tcp_socket(AF_INET6, 0, true);

    silence_stderr();
    serve_tcp("tcp:127.0.0.1:0,server=on,wait=off", AF_INET);
    serve_tcp("tcp::0,server,nowait", AF_INET);
    serve_tcp("tcp:localhost:0,server=on,wait=off,ipv4", AF_INET);
    if (probe >= 0) {
        serve_tcp("tcp:[::1]:0,server=on,wait=off", AF_INET6);
        serve_tcp("tcp::0,server=on,wait=off", AF_INET6);
        close(probe);
    }
}
END_TEST

START_TEST(tcp_client)
{
    int listener = tcp_socket(AF_INET, 0, true), fd;
    g_autofree char *spec =
        g_strdup_printf("tcp:127.0.0.1:%u,nodelay=on", port_of(listener));
    Chardev *chr = open_with_sink(spec, 100);

    fd = accept(listener, NULL, NULL);
    talk(chr, fd);
    close(fd);
    test_loop_until(!chardev_is_connected(chr));
    expect(say(chr, "to nobody"), "full");
    expect_idle();
    close_with_sink(chr);
    close(listener);
}
END_TEST

START_TEST(tcp_refused)
{
    int fd = tcp_socket(AF_INET, 0, true);
    g_autofree char *spec = g_strdup_printf("tcp:127.0.0.1:%u", port_of(fd));
    g_autofree char *server = g_strconcat(spec, ",server=on,wait=off", NULL);
    GError *err = NULL;

    expect(!chardev_open("c0", server, &err), "the port is taken");
    expect_error(err, "chardev 'c0': cannot listen on 127.0.0.1:",
                 "Address already in use", NULL);
    close(fd);
    err = NULL;
    expect(!chardev_open("c0", spec, &err), "nobody is there");
    expect_error(err, "chardev 'c0': cannot connect to 127.0.0.1:",
                 "Connection refused", NULL);
    err = NULL;
    expect(!chardev_open("c0", "tcp:no such host:1", &err), "no such host");
    expect_error(err, "chardev 'c0': cannot find no such host:1", NULL);
    expect(!chardev_find("c0"), "it is there although it failed");
}
END_TEST

/* The first free port from the one that is asked for. */
START_TEST(tcp_to)
{
    int taken = tcp_socket(AF_INET, 0, true);
    unsigned port = port_of(taken);
    g_autofree char *text = g_strdup_printf(
        "socket,id=c0,host=127.0.0.1,port=%u,to=%u,server=on,wait=off", port,
        MIN(port + 50, 65535));
    GError *err = NULL;
    Chardev *chr;
    int fd;

    silence_stderr();
    chr = chardev_open_opts(text, &err);
    expect(chr, "%s", err->message);
    expect(server_port(chr) > port, "port %u", server_port(chr));
    fd = tcp_socket(AF_INET, server_port(chr), false);
    expect(fd >= 0, "no connection");
    close(fd);
    chardev_close(chr);
    close(taken);
}
END_TEST

/* ---- sockets that were passed -------------------------------------------------- */

START_TEST(passed_connected)
{
    int fds[2];
    g_autofree char *text = NULL;
    Chardev *chr;
    GError *err = NULL;

    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    text = g_strdup_printf("socket,id=mon,fd=%d", fds[0]);
    chr = chardev_open_opts(text, &err);
    expect(chr, "%s", err->message);
    expect(fcntl(fds[0], F_GETFD) == FD_CLOEXEC, "children would have it");
    sink_init(1000);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "attach");
    ck_assert_str_eq(sink.events->str, "O");
    talk(chr, fds[1]);

    /* It is somebody's now. */
    g_free(text);
    text = g_strdup_printf("socket,id=other,fd=%d", fds[0]);
    expect(!chardev_open_opts(text, &err), "twice");
    expect_error(err, "chardev 'other'", "not passed", NULL);
    close(fds[1]);
    test_loop();
    ck_assert_str_eq(sink.events->str, "OC");
    close_with_sink(chr);
    expect(fcntl(fds[0], F_GETFD) < 0, "it stays open");
}
END_TEST

START_TEST(passed_listening)
{
    g_autofree char *path = path_of("passed");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    g_autofree char *text = NULL;
    Chardev *chr;

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
           listen(listener, 1) == 0, "listen");
    text = g_strdup_printf("socket,id=c0,fd=%d,wait=off", listener);
    chr = chardev_open_opts(text, NULL);
    expect(chr, "not opened");
    sink_init(1000);
    expect(chardev_attach(chr, &sink_frontend, &sink, NULL), "attach");
    for (unsigned i = 0; i < 3; i++) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        expect(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0,
               "connect");
        test_loop_until(chardev_is_connected(chr));
        talk(chr, fd);
        close(fd);
        test_loop();
    }
    close_with_sink(chr);
    expect(access(path, F_OK) == 0, "it was not ours to remove");
}
END_TEST

START_TEST(passed_wrong)
{
    int fds[2], udp = socket(AF_INET, SOCK_DGRAM, 0), pipes[2];
    struct {
        int fd;
        const char *more, *word;
    } cases[] = {
        { 0, "", "no stream socket" },    { 0, "", "no stream socket" },
        { 9999, "", "not passed" },       { 0, ",server=on", "does not listen" },
        { 0, ",reconnect=1", "reconnect" }, { 0, ",path=/x", "one of" },
    };

    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 && pipe(pipes) == 0,
           "descriptors");
    cases[0].fd = udp;
    cases[1].fd = pipes[0];
    cases[3].fd = cases[4].fd = cases[5].fd = fds[0];
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strdup_printf("socket,id=c0,fd=%d%s",
                                                cases[i].fd, cases[i].more);
        GError *err = NULL;

        expect(!chardev_open_opts(text, &err), "%s", text);
        expect_error(err, "chardev 'c0'", cases[i].word, NULL);
        expect(cases[i].fd == 9999 || fcntl(cases[i].fd, F_GETFD) == 0,
               "it took what it refused");
    }
    for (unsigned i = 0; i < 2; i++) {
        GError *err = NULL;

        expect(!chardev_open_opts(i ? "socket,id=c0,fd=x" : "socket,id=c0,fd=-1",
                                  &err), "fd");
        expect_error(err, "number of a descriptor", NULL);
    }
}
END_TEST

/* ---- clients that connect again ------------------------------------------------ */

static int unix_listener(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    unlink(path);
    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
           listen(fd, 1) == 0, "listen");
    return fd;
}

START_TEST(reconnect)
{
    g_autofree char *path = path_of("later");
    g_autofree char *spec = g_strdup_printf("unix:%s,reconnect=1", path);
    g_autofree char *away = g_strdup_printf("disconnected:unix:%s", path);
    Chardev *chr = open_with_sink(spec, 1000); /* although nobody is there */
    int listener, fd;

    expect_name(chr, away);
    expect(say(chr, "to nobody"), "full");
    expect_idle();
    listener = unix_listener(path);
    for (unsigned i = 0; i < 2; i++) {
        test_loop_until(chardev_is_connected(chr));
        expect_name(chr, away + strlen("disconnected:"));
        fd = accept(listener, NULL, NULL);
        talk(chr, fd);
        close(fd);
        test_loop();
        expect_idle(); /* not at once */
        expect(!chardev_is_connected(chr), "connected");
    }
    ck_assert_str_eq(sink.events->str, "OCOC");
    close_with_sink(chr);
    close(listener);
}
END_TEST

/* Not before all of the last peer has been received. */
START_TEST(reconnect_unread)
{
    g_autofree char *path = path_of("later");
    g_autofree char *spec = g_strdup_printf("unix:%s,reconnect=1", path);
    int listener = unix_listener(path), fd;
    Chardev *chr = open_with_sink(spec, 0);
    int64_t end;

    test_loop_until(chardev_is_connected(chr));
    fd = accept(listener, NULL, NULL);
    peer_send(fd, "unread");
    close(fd);
    end = g_get_monotonic_time() + 1500000;
    while (g_get_monotonic_time() < end) {
        test_loop();
        g_usleep(10000);
    }
    expect(!chardev_is_connected(chr), "connected");
    ck_assert_str_eq(sink.events->str, "O");
    sink_more(chr, 1000);
    sink_expect("unread");
    test_loop_until(chardev_is_connected(chr));
    ck_assert_str_eq(sink.events->str, "OCO");
    close_with_sink(chr);
    close(listener);
}
END_TEST

/* One of two that goes leaves nothing that keeps the next peer away. */
START_TEST(leaving_with_input_unread)
{
    g_autofree char *path = path_of("socket");
    g_autofree char *spec = g_strdup_printf("mon:unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 1);
    Sink other = { .got = g_byte_array_new(), .room = 100,
                   .events = g_string_new(NULL) };
    int fd = unix_dial(path);

    expect(chardev_attach(chr, &sink_frontend, &other, NULL), "attach");
    test_loop_until(chardev_is_connected(chr));
    sink.room = 0;
    peer_send(fd, "unread");
    close(fd);
    test_loop_until(!chardev_is_connected(chr));
    fd = unix_dial(path);
    expect_idle();
    expect(!chardev_is_connected(chr), "two at once");
    chardev_detach(chr, &sink);
    test_loop_until(chardev_is_connected(chr));
    peer_send(fd, "next");
    test_loop_until(other.got->len == 4);
    ck_assert_str_eq(other.events->str, "OCiO");
    close(fd);
    close_with_sink(chr);
    g_byte_array_free(other.got, TRUE);
    g_string_free(other.events, TRUE);
}
END_TEST

/* What chardev_disconnect() is for: the peer goes, the queue with it. */
START_TEST(disconnect)
{
    g_autofree char *path = path_of("socket");
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 5);
    int fd;

    chardev_disconnect(chr); /* nobody is there */
    chardev_disconnect(NULL);
    fd = unix_dial(path);
    test_loop();
    peer_send(fd, "more than it takes");
    test_loop();
    while (say(chr, "0123456789")) {
    }
    memory_lock();
    chardev_disconnect(chr);
    memory_unlock();
    expect(!chardev_is_connected(chr) && sink.writable == 1, "still there");
    ck_assert_str_eq(sink.events->str, "OC");
    sink_more(chr, 1000);
    sink_expect("more ");
    close(fd);
    fd = unix_dial(path);
    test_loop();
    ck_assert_str_eq(sink.events->str, "OCO");
    talk(chr, fd);
    close(fd);
    close_with_sink(chr);
}
END_TEST

/* ---- frontends that do it while they are called -------------------------------- */

static Chardev *hostile;
static enum { DISCONNECT, DETACH, REATTACH, WRITE } hostile_act;
static unsigned hostile_calls;

static void hostile_do(void);

static void hostile_receive(void *opaque, const uint8_t *buf, size_t len)
{
    uint8_t before = buf[len - 1];

    hostile_do();
    expect_hex(buf[len - 1], before); /* it is ours until we return */
}

static size_t hostile_room(void *opaque)
{
    return 3;
}

static void hostile_event(void *opaque, ChardevEvent event)
{
    if (event != CHARDEV_CLOSED) {
        hostile_do();
    }
}

static const ChardevFrontend hostile_frontend = {
    .can_receive = hostile_room,
    .receive = hostile_receive,
    .event = hostile_event,
};

static void hostile_do(void)
{
    hostile_calls++;
    switch (hostile_act) {
    case DISCONNECT:
        chardev_disconnect(hostile);
        break;
    case DETACH:
        chardev_detach(hostile, &hostile);
        break;
    case REATTACH:
        chardev_detach(hostile, &hostile);
        if (hostile_calls < 50) {
            chardev_attach(hostile, &hostile_frontend, &hostile, NULL);
        }
        break;
    case WRITE:
        say(hostile, "an answer");
        chardev_accept_input(hostile);
        break;
    }
}

START_TEST(from_callbacks)
{
    for (hostile_act = DISCONNECT; hostile_act <= WRITE; hostile_act++) {
        for (unsigned opened = 0; opened < 2; opened++) {
            g_autofree char *path = path_of("socket");
            g_autofree char *spec =
                g_strdup_printf("unix:%s,server=on,wait=off", path);
            int fd;

            hostile = chardev_open("c0", spec, NULL);
            hostile_calls = 0;
            fd = unix_dial(path);
            if (opened) {
                test_loop();
            }
            expect(chardev_attach(hostile, &hostile_frontend, &hostile, NULL),
                   "attach");
            (void)!write(fd, "0123456789", 10);
            expect_idle();
            close(fd);
            expect_idle();
            expect(hostile_calls, "nothing happened");
            chardev_close(hostile);
        }
    }
}
END_TEST

/* ---- peers that mean no good --------------------------------------------------- */

START_TEST(storm)
{
    g_autofree char *path = path_of("socket");
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, SIZE_MAX / 2);
    unsigned opened = 0, closed = 0;

    for (unsigned i = 0; i < 3000; i++) {
        int fd = unix_dial(path);

        switch (i % 4) {
        case 0:
            break;
        case 1:
            (void)!write(fd, "x", 1);
            break;
        case 2:
            shutdown(fd, SHUT_RDWR);
            break;
        case 3:
            shutdown(fd, SHUT_WR);
            g_main_context_iteration(NULL, FALSE);
            break;
        }
        close(fd);
        g_main_context_iteration(NULL, FALSE);
        say(chr, "hello?");
    }
    test_loop_until(!chardev_is_connected(chr) &&
                    !g_main_context_pending(NULL));
    for (const char *p = sink.events->str; *p; p++) {
        opened += *p == 'O';
        closed += *p == 'C';
        expect(opened - closed <= 1, "two at once");
    }
    expect(opened == closed && opened, "%u came, %u went", opened, closed);
    expect(sink.got->len == 750, "%u bytes", sink.got->len);
    close_with_sink(chr);
}
END_TEST

/* A client that sends for ever is read as the frontend takes it, and no more. */
START_TEST(endless)
{
    g_autofree char *path = path_of("socket");
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 1000);
    int fd = unix_dial(path);
    char block[4096] = { 0 };
    unsigned sent = 0;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    test_loop();
    for (unsigned i = 0; i < 1000; i++) {
        ssize_t n = write(fd, block, sizeof(block));

        sent += MAX(n, 0);
        test_loop();
    }
    expect(sink.got->len == 1000, "%u", sink.got->len);
    expect(sent < 1000 * 1000, "%u bytes are held somewhere", sent);
    expect_idle();
    close(fd);
    close_with_sink(chr);
}
END_TEST

/* Out of descriptors: who comes waits until there are some again. */
START_TEST(no_descriptors)
{
    g_autofree char *path = path_of("socket");
    g_autofree char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    Chardev *chr = open_with_sink(spec, 1000);
    struct rlimit before, few;
    int fd = unix_dial(path);

    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = 3;
    expect(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit");
    expect_idle();
    expect(!chardev_is_connected(chr), "connected");
    expect(!chardev_open("c1", spec, NULL) && !chardev_open("c1", "pty", NULL),
           "opened without descriptors");
    expect(setrlimit(RLIMIT_NOFILE, &before) == 0, "setrlimit");
    test_loop_until(chardev_is_connected(chr));
    talk(chr, fd);
    close(fd);
    close_with_sink(chr);
}
END_TEST

/* A TCP peer that breaks off with data under way both ways. */
START_TEST(reset)
{
    const struct linger hard = { .l_onoff = 1 };
    Chardev *chr;
    int fd;

    silence_stderr();
    chr = open_with_sink("tcp:127.0.0.1:0,server=on,wait=off", 10);
    for (unsigned i = 0; i < 5; i++) {
        sink.room = 10;
        fd = tcp_socket(AF_INET, server_port(chr), false);
        expect(fd >= 0, "no connection");
        test_loop_until(chardev_is_connected(chr));
        peer_send(fd, "more than it has room for now");
        while (say(chr, "0123456789")) {
        }
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close(fd);
        test_loop_until(!chardev_is_connected(chr));
        sink_more(chr, 1000); /* what had arrived, if anything */
        expect_idle();
        expect(g_str_has_suffix(sink.events->str, "C"), "%s", sink.events->str);
    }
    close_with_sink(chr);
}
END_TEST

TEST_MAIN("chardev-socket", tcp_server, tcp_client, tcp_refused, tcp_to,
          passed_connected, passed_listening, passed_wrong, reconnect,
          reconnect_unread, leaving_with_input_unread, disconnect, from_callbacks, storm, endless, no_descriptors, reset)
