/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program is started, used and ended as the client libraries of this field do
 * it: QEMU's libqtest (C), its qemu.machine (Python), and the crate qtest (Rust).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/device-util.h"

#define WAIT_MS 50000

static pid_t pid;

/* ---- sockets and lines --------------------------------------------------------------- */

static char *socket_path(const char *name)
{
    return g_build_filename(test_folder(), name, NULL);
}

static int listen_at(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(PF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    unlink(path);
    expect(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    expect(listen(fd, 1) == 0, "listen");
    return fd;
}

static int accept_at(int server)
{
    struct pollfd p = { .fd = server, .events = POLLIN };
    int fd;

    expect(poll(&p, 1, WAIT_MS) == 1, "nobody connects");
    fd = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    close(server);
    return fd;
}

static void say_line(int fd, const char *line)
{
    g_autofree char *text = g_strconcat(line, "\n", NULL);

    expect(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text),
           "send: %s", g_strerror(errno));
}

/* A line, a character at a time, to be freed. */
static char *hear_line(int fd)
{
    GString *line = g_string_new(NULL);
    char c;

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        expect(poll(&p, 1, WAIT_MS) == 1, "after '%s' nothing comes", line->str);
        expect(recv(fd, &c, 1, 0) == 1, "after '%s' it hangs up", line->str);
        if (c == '\n') {
            return g_strchomp(g_string_free(line, FALSE));
        }
        g_string_append_c(line, c);
    }
}

static void expect_line(int fd, const char *start)
{
    g_autofree char *line = hear_line(fd);

    expect(g_str_has_prefix(line, start), "'%s' comes, not '%s'", line, start);
}

static void ask(int fd, const char *line, const char *start)
{
    say_line(fd, line);
    expect_line(fd, start);
}

/* ---- the process ------------------------------------------------------------------------ */

static void run_argv(const char *const *argv, int inherited)
{
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, 0);
        dup2(null, 1);
        if (inherited >= 0) {
            fcntl(inherited, F_SETFD, 0);
        }
        execv(argv[0], (char **)argv);
        _exit(127);
    }
}

/* The status it ends with. */
static int wait_end(void)
{
    int status;

    for (unsigned i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
        expect(i < WAIT_MS / 10, "it does not end");
        g_usleep(10000);
    }
    return status;
}

/* The name under which clients know the program: they take the architecture from
 * what is behind its last '-', and insist on "-system-". To be freed. */
static char *system_name(void)
{
    const char *program = g_getenv("FLATVIEW");
    g_autofree char *folder = g_path_get_dirname(program ? program : "./x");
    char *name = g_build_filename(folder, "flatview-system-x86_64", NULL);

    expect(access(name, X_OK) == 0, "there is no %s", name);
    ck_assert_str_eq(strrchr(name, '-') + 1, "x86_64");
    return name;
}

/* ---- libqtest ------------------------------------------------------------------------------ */

/* Both sockets listen, a shell becomes the program, qtest is accepted before QMP;
 * the end is SIGTERM with both connections open. */
static void libqtest_session(const char *more, bool handshake)
{
    g_autofree char *qtest = socket_path("q.sock"), *qmp = socket_path("q.qmp");
    g_autofree char *name = system_name();
    g_autofree char *command = g_strdup_printf(
        "exec %s -qtest unix:%s -qtest-log /dev/null "
        "-chardev socket,path=%s,id=char0 -mon chardev=char0,mode=control "
        "-display none %s -accel qtest", name, qtest, qmp, more);
    const char *const argv[] = { "/bin/sh", "-c", command, NULL };
    int server = listen_at(qtest), qmp_server = listen_at(qmp);
    int fd, qmp_fd;

    run_argv(argv, -1);
    fd = accept_at(server);
    qmp_fd = accept_at(qmp_server);
    unlink(qtest);
    unlink(qmp);
    ask(fd, "endianness", "OK little");
    if (handshake) {
        expect_line(qmp_fd, "{\"QMP\":");
        ask(qmp_fd, "{\"execute\": \"qmp_capabilities\"}", "{\"return\": {}");
        ask(qmp_fd, "{ \"execute\": \"query-status\", \"id\": 1 }", "{\"return\":");
    }
    ask(fd, "inb 0x0", "OK 0x");
    ask(fd, "readl 0x1000", "OK 0x0000000000000000");
    ask(fd, "clock_step 100", "OK 100");
    ask(fd, "b64write 0x1000 0x4 AAECAw==", "OK");
    ask(fd, "b64read 0x1000 0x4", "OK AAECAw==");
    ask(fd, "memset 0x1000 0x4 0x5a", "OK");
    ask(fd, "write 0x1004 0x2 0xa5a5", "OK");
    ask(fd, "read 0x1000 0x6", "OK 0x5a5a5a5aa5a5");
    kill(pid, SIGTERM);
    expect(wait_end() == 0, "it does not end well");
    close(fd);
    close(qmp_fd);
}

START_TEST(libqtest)
{
    libqtest_session("-machine microvm -m 16", true);
    libqtest_session("-audio none -M microvm -nodefaults", true);
    libqtest_session("-audio none -machine microvm,accel=qtest -serial null", false);
}
END_TEST

/* With a serial port of its own connection. */
START_TEST(libqtest_with_serial)
{
    g_autofree char *path = socket_path("s");
    g_autofree char *qtest = socket_path("q"), *qmp = socket_path("m");
    g_autofree char *name = system_name();
    g_autofree char *command = g_strdup_printf(
        "exec %s -qtest unix:%s -qtest-log /dev/fd/2 "
        "-chardev socket,path=%s,id=char0 -mon chardev=char0,mode=control "
        "-display none -audio none -chardev socket,id=s0,path=%s "
        "-serial chardev:s0  -accel qtest 2>/dev/null", name, qtest, qmp, path);
    const char *const argv[] = { "/bin/sh", "-c", command, NULL };
    int server = listen_at(qtest), qmp_server = listen_at(qmp);
    int serial_server = listen_at(path);
    int fd, qmp_fd, serial_fd;
    char c = 0;

    run_argv(argv, -1);
    fd = accept_at(server);
    qmp_fd = accept_at(qmp_server);
    serial_fd = accept_at(serial_server);
    ask(fd, "outb 0x3f8 0x41", "OK");
    expect(recv(serial_fd, &c, 1, 0) == 1 && c == 'A', "no character");
    kill(pid, SIGTERM);
    expect(wait_end() == 0, "it does not end well");
    close(fd);
    close(qmp_fd);
    close(serial_fd);
}
END_TEST

/* The test program dies: nobody is left behind. */
START_TEST(connections_close)
{
    g_autofree char *qtest = socket_path("q"), *qmp = socket_path("m");
    g_autofree char *name = system_name();
    g_autofree char *qtest_arg = g_strconcat("unix:", qtest, NULL);
    g_autofree char *qmp_arg = g_strconcat("socket,id=c,path=", qmp, NULL);
    const char *const argv[] = {
        name, "-qtest", qtest_arg, "-chardev", qmp_arg, "-mon",
        "chardev=c,mode=control", "-display", "none", "-accel", "qtest", NULL,
    };
    int server = listen_at(qtest), qmp_server = listen_at(qmp);
    int fd, qmp_fd;

    run_argv(argv, -1);
    fd = accept_at(server);
    qmp_fd = accept_at(qmp_server);
    ask(fd, "endianness", "OK little");
    close(fd);
    expect_line(qmp_fd, "{\"QMP\":"); /* it lives as long as it is not told */
    ask(qmp_fd, "{\"execute\":\"qmp_capabilities\"}", "{\"return\": {}");
    close(qmp_fd);
    g_usleep(100000);
    expect(waitpid(pid, NULL, WNOHANG) == 0, "it ended with its connections");
    kill(pid, SIGTERM);
    expect(wait_end() == 0, "it does not end well");
}
END_TEST

/* ---- Python's qemu.machine ------------------------------------------------------------------ */

/* QMP first, over a socket pair or a path, then qtest; the end is "quit". */
static void python_session(bool pair)
{
    g_autofree char *qtest = socket_path("p-qtest.sock");
    g_autofree char *qmp = socket_path("p.sock");
    g_autofree char *name = system_name();
    g_autofree char *qtest_arg = g_strconcat("unix:path=", qtest, NULL);
    g_autofree char *mon = NULL;
    const char *argv[] = {
        name, "-display", "none", "-vga", "none", "-chardev", NULL, "-mon",
        "chardev=mon,mode=control", "-machine", "microvm", "-qtest", qtest_arg,
        "-accel", "qtest", "-m", "16", "-nodefaults", NULL,
    };
    int server = listen_at(qtest), qmp_server = -1, fd, qmp_fd, fds[2];
    g_autofree char *line = NULL;

    if (pair) {
        expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0,
               "socketpair");
        mon = g_strdup_printf("socket,id=mon,fd=%d", fds[0]);
    } else {
        qmp_server = listen_at(qmp);
        mon = g_strdup_printf("socket,id=mon,path=%s", qmp);
    }
    argv[6] = mon;
    run_argv(argv, pair ? fds[0] : -1);
    if (pair) {
        close(fds[0]);
        qmp_fd = fds[1];
    } else {
        qmp_fd = accept_at(qmp_server);
    }
    expect_line(qmp_fd, "{\"QMP\":");
    ask(qmp_fd, "{\"execute\": \"qmp_capabilities\", \"id\": \"__qmp#00000\"}",
        "{\"return\": {}");
    fd = accept_at(server);
    ask(fd, "endianness", "OK little");
    ask(fd, "writel 0x100 0x12345678", "OK");
    ask(fd, "readl 0x100", "OK 0x0000000012345678");
    say_line(qmp_fd, "{\"execute\": \"quit\", \"id\": \"__qmp#00001\"}");
    do {
        g_free(line);
        line = hear_line(qmp_fd);
    } while (!strstr(line, "\"return\""));
    shutdown(qmp_fd, SHUT_RDWR);
    close(qmp_fd);
    expect(wait_end() == 0, "it does not end well");
    close(fd);
    unlink(qtest);
}

START_TEST(python_machine)
{
    python_session(true);
    python_session(false);
}
END_TEST

/* ---- Rust's qtest: it listens over TCP, and reads replies with their newline ---------------------- */

START_TEST(over_tcp)
{
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(addr);
    g_autofree char *name = system_name();
    g_autofree char *qtest_arg = NULL;
    const char *argv[] = { name, "-qtest", NULL, "-display", "none", "-machine",
                           "none", "-accel", "qtest", NULL };
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd;

    expect(bind(server, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
           listen(server, 1) == 0 &&
           getsockname(server, (struct sockaddr *)&addr, &len) == 0, "listen");
    qtest_arg = g_strdup_printf("tcp:127.0.0.1:%u", ntohs(addr.sin_port));
    argv[2] = qtest_arg;
    run_argv(argv, -1);
    fd = accept_at(server);
    ask(fd, "endianness", "OK little");
    ask(fd, "inb 0x70", "OK 0x00ff");
    kill(pid, SIGTERM);
    expect(wait_end() == 0, "it does not end well");
    close(fd);
}
END_TEST

TEST_MAIN("clients", libqtest, libqtest_with_serial, connections_close,
          python_machine, over_tcp)
