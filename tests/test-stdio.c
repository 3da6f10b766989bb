/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices on standard input and output: pipes, files, terminals, and
 * streams that are not there.
 */
#include "tests/chardev-util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Put @in and @out in place of standard input and output. */
static void set_stdio(int in, int out)
{
    if (in >= 0) {
        dup2(in, 0);
    } else {
        close(0);
    }
    if (out >= 0) {
        dup2(out, 1);
    } else {
        close(1);
    }
}

START_TEST(stdio_pipes)
{
    int in[2], out[2];
    Chardev *chr;
    GError *err = NULL;
    char buf[100];

    expect(pipe(in) == 0 && pipe(out) == 0, "pipe");
    set_stdio(in[0], out[1]);
    close(in[0]);
    close(out[1]);
    chr = open_with_sink("stdio", 4);
    expect(!chardev_open("c1", "stdio", &err), "twice");
    expect_error(err, "'c1'", "stdio", "'c0'", NULL);
    expect(!(fcntl(0, F_GETFL) & O_NONBLOCK) &&
           !(fcntl(1, F_GETFL) & O_NONBLOCK), "others see non-blocking mode");
    expect(write(in[1], "\001xabcdef", 8) == 8, "write");
    test_loop();
    sink_expect("\001xab");
    expect_idle();
    close(in[1]); /* the end of file is behind what is not read */
    expect_idle();
    sink_more(chr, 100);
    test_loop();
    sink_expect("\001xabcdef");
    expect_idle();
    expect(say(chr, "out"), "full");
    expect(read(out[0], buf, sizeof(buf)) == 3, "out");
    close(out[0]);
    for (unsigned i = 0; i < 100000; i++) {
        expect(say(chr, "into the void"), "full");
    }
    close_with_sink(chr);
    /* It is free for another. */
    chardev_close(chardev_open("c1", "stdio", NULL));
}
END_TEST

START_TEST(stdio_full_pipe)
{
    int out[2];
    Chardev *chr;
    char buf[65536];
    size_t sent = 0, got = 0;

    expect(pipe(out) == 0, "pipe");
    set_stdio(open("/dev/null", O_RDONLY), out[1]);
    close(out[1]);
    chr = open_with_sink("stdio", 4);
    test_loop();
    while (say(chr, "0123456789")) {
        sent += 10;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    while (got < sent) {
        ssize_t n = read(out[0], buf, sizeof(buf));

        got += MAX(n, 0);
        test_loop();
    }
    expect(got == sent && sink.writable == 1, "%zu of %zu", got, sent);
    close_with_sink(chr);
}
END_TEST

/* Every odd thing standard input may be; none may spin, block or end us. */
START_TEST(stdio_odd)
{
    char *path = path_of("input");
    int socket_in[2];

    test_loop(); /* the main loop's own descriptors must not become 0 and 1 */
    expect(g_file_set_contents(path, "content", -1, NULL), "set");
    for (unsigned i = 0; i < 6; i++) {
        int fd = -1;
        Chardev *chr;

        switch (i) {
        case 1:
            fd = open("/dev/null", O_RDWR);
            break;
        case 2:
            fd = open(path, O_RDONLY);
            break;
        case 3:
            fd = open("/", O_RDONLY);
            break;
        case 4:
            expect(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_in) == 0, "pair");
            expect(write(socket_in[1], "content", 7) == 7, "write");
            fd = socket_in[0];
            break;
        case 5:
            fd = open("/dev/full", O_WRONLY); /* not open for reading */
            break;
        }
        set_stdio(fd, i == 0 ? -1 : open("/dev/null", O_WRONLY));
        chr = open_with_sink("stdio", 5);
        test_loop();
        sink_expect(i == 2 || i == 4 ? "conte" : "");
        expect_idle();
        sink_more(chr, 100);
        expect_idle();
        sink_expect(i == 2 || i == 4 ? "content" : "");
        if (i == 4) {
            close(socket_in[1]);
            expect_idle();
        }
        expect(say(chr, "output"), "full");
        close_with_sink(chr);
    }
    g_free(path);
}
END_TEST

/* A process that has a terminal: our end, and the process's on 0 and 1. */
static int terminal(int *slave)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    expect(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0,
           "no pseudo-terminal");
    *slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    expect(*slave >= 0, "no terminal");
    return master;
}

START_TEST(escape_keys)
{
    int slave, master = terminal(&slave);
    struct termios during;
    Chardev *chr;

    set_stdio(slave, slave);
    chr = open_with_sink("stdio", 0);
    expect(chardev_is_terminal(chr), "no terminal");
    tcgetattr(slave, &during);
    expect(!(during.c_lflag & (ICANON | ECHO | ISIG)), "not raw");
    expect(during.c_oflag & OPOST, "our own messages are not translated");
    expect(!(fcntl(0, F_GETFL) & O_NONBLOCK), "others see non-blocking mode");
    chardev_set_mux(chr, false);
    /* They work although the guest takes nothing. */
    expect(write(master, "ab\001bcd\001\001e\001z\001", 12) == 12, "write");
    test_loop_until(sink.breaks == 1);
    expect(write(master, "x\003", 2) == 2, "write");
    test_loop_until(requests.shutdowns == 1);
    expect(requests.status == EXIT_GUEST_OFF, "status %d", requests.status);
    sink_expect("");
    sink_more(chr, 4);
    sink_expect("abcd");
    sink_more(chr, 100);
    sink_expect("abcd\001e\001z\003");
    close(master);
    expect_idle();
    close_with_sink(chr);
    memset(&requests, 0, sizeof(requests));
}
END_TEST

/* Where nobody asked for them, no key is special, nor is it off a terminal. */
START_TEST(no_escape_keys)
{
    int slave, master = terminal(&slave), in[2];
    Chardev *chr;

    set_stdio(slave, slave);
    chr = open_with_sink("stdio", 100);
    expect(write(master, "\001x\001c", 4) == 4, "write");
    test_loop_until(sink.got->len == 4);
    sink_expect("\001x\001c");
    close(master);
    close_with_sink(chr);

    expect(pipe(in) == 0, "pipe");
    set_stdio(in[0], open("/dev/null", O_WRONLY));
    chr = open_with_sink("stdio", 100);
    expect(!chardev_is_terminal(chr), "a terminal");
    chardev_set_mux(chr, false);
    expect(write(in[1], "\001x\001c", 4) == 4, "write");
    test_loop();
    sink_expect("\001x\001c");
    expect(requests.shutdowns == 0, "it ends");
    close_with_sink(chr);
}
END_TEST

static bool is_raw(int fd)
{
    struct termios t;

    expect(tcgetattr(fd, &t) == 0, "tcgetattr");
    return !(t.c_lflag & (ICANON | ECHO));
}

/* However the program ends, the terminal is as before. */
START_TEST(terminal_restored)
{
    static const int signals[] = { 0, -1, SIGTERM, SIGINT, SIGHUP, SIGQUIT,
                                   SIGABRT };

    for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++) {
        int slave, master = terminal(&slave), status, ready[2];
        char byte;
        pid_t child;

        expect(!is_raw(slave), "raw from the start");
        expect(pipe(ready) == 0, "pipe");
        child = fork();
        if (child == 0) {
            Chardev *chr;

            for (unsigned s = 0; s < G_N_ELEMENTS(signals); s++) {
                signal(MAX(signals[s], 1), SIG_DFL); /* Check has handlers */
            }
            set_stdio(slave, slave);
            chr = chardev_open("c0", "stdio", NULL);
            if (signals[i] == 0) {
                chardev_close(chr);
                _exit(0);
            } else if (signals[i] < 0) {
                exit(0);
            }
            (void)!write(ready[1], "r", 1);
            for (;;) {
                pause();
            }
        }
        if (signals[i] > 0) {
            expect(read(ready[0], &byte, 1) == 1, "child");
            expect(is_raw(slave), "not raw");
            kill(child, signals[i]);
        }
        waitpid(child, &status, 0);
        expect(signals[i] > 0 ? WIFSIGNALED(status) &&
               WTERMSIG(status) == signals[i] : WIFEXITED(status),
               "it ends with 0x%x", status);
        expect(!is_raw(slave), "still raw after %d", signals[i]);
        close(master);
        close(slave);
        close(ready[0]);
        close(ready[1]);
    }
}
END_TEST

TEST_MAIN("stdio", stdio_pipes, stdio_full_pipe, stdio_odd, escape_keys,
          no_escape_keys, terminal_restored)
