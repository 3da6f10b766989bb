/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of control from outside: how long a client waits for the answer to a
 * line of qtest and to a QMP command, here and with the QEMU that is installed, in
 * turns; and what a QMP socket adds to the start of a VM.
 *
 * Environment, as make sets it: FLATVIEW (the program), BUILD_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define TRIPS 2000   /* round trips of a sample */
#define RUNS 31      /* samples of each program */
#define WAIT_MS 10000
#define ARGS_MAX 40

extern char **environ;

/* Something asked again and again on one connection. */
typedef struct Question {
    int fd;
    const char *skip;
    double us[RUNS];
} Question;

/* A program with qtest and QMP, connected. */
typedef struct Peer {
    pid_t pid;
    Question readl, query;
} Peer;

static double wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static const char *reason(const char *what, int error)
{
    char text[512];

    snprintf(text, sizeof(text), "%s: %s", what, g_strerror(error));
    return g_intern_string(text);
}

/* ---- processes -------------------------------------------------------------------- */

/* Start @argv silently. 0: it could not be. */
static pid_t spawn(char **argv)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int error;

    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; fd++) {
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    error = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return error ? 0 : pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

static int listen_at(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    unlink(path);
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, 1) < 0) {
        fprintf(stderr, "bench: %s: %s\n", path, g_strerror(errno));
        exit(1);
    }
    return fd;
}

/* The connection to @server, which is closed; -1: none comes. */
static int accept_at(int server, const char *path)
{
    struct pollfd p = { .fd = server, .events = POLLIN };
    int fd = poll(&p, 1, WAIT_MS) == 1
                 ? accept4(server, NULL, NULL, SOCK_CLOEXEC)
                 : -1;

    close(server);
    unlink(path);
    return fd;
}

/* ---- lines ---------------------------------------------------------------------------- */

/* Send @line and take one line, into @buf. False: there was none. */
static bool round_trip(int fd, const char *line, size_t len, char *buf,
                       size_t size)
{
    size_t got = 0;

    if (len && send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len) {
        return false;
    }
    while (got == 0 || buf[got - 1] != '\n') {
        ssize_t n = recv(fd, buf + got, size - 1 - got, 0);

        if (n <= 0) {
            return false;
        }
        got += n;
    }
    buf[got] = '\0';
    return true;
}

static void peer_start(Peer *peer, char **argv, const char *folder)
{
    g_autofree char *qtest = g_build_filename(folder, "qtest", NULL);
    g_autofree char *qmp = g_build_filename(folder, "qmp", NULL);
    g_autofree char *qtest_spec = g_strconcat("unix:", qtest, NULL);
    g_autofree char *qmp_spec = g_strconcat("unix:", qmp, NULL);
    static const char negotiate[] = "{\"execute\":\"qmp_capabilities\"}\n";
    char *args[ARGS_MAX] = { NULL };
    char buf[4096];
    int qtest_server, qmp_server;
    unsigned n = 0;

    peer->readl.fd = peer->query.fd = -1;
    if (!argv[0]) {
        peer->readl.skip = peer->query.skip = "not installed";
        return;
    }
    while (argv[n]) {
        args[n] = argv[n];
        n++;
    }
    args[n++] = (char *)"-qtest";
    args[n++] = qtest_spec;
    args[n++] = (char *)"-qtest-log";
    args[n++] = (char *)"/dev/null";
    args[n++] = (char *)"-qmp";
    args[n++] = qmp_spec;
    qtest_server = listen_at(qtest);
    qmp_server = listen_at(qmp);
    peer->pid = spawn(args);
    if (peer->pid) {
        peer->readl.fd = accept_at(qtest_server, qtest);
        peer->query.fd = accept_at(qmp_server, qmp);
    }
    if (peer->readl.fd < 0) {
        peer->readl.skip = "the program does not connect";
    }
    if (peer->query.fd < 0 ||
        !round_trip(peer->query.fd, NULL, 0, buf, sizeof(buf)) ||
        !round_trip(peer->query.fd, negotiate, strlen(negotiate), buf,
                    sizeof(buf))) {
        peer->query.skip = "the program does not greet";
    }
}

static void peer_end(Peer *peer)
{
    if (peer->pid) {
        kill(peer->pid, SIGTERM);
        wait_for(peer->pid);
    }
    close(peer->readl.fd);
    close(peer->query.fd);
}

/* Set sample @run to the mean of many round trips; each reply must start with
 * @wanted. */
static void ask(Question *q, unsigned run, const char *line, const char *wanted,
                unsigned trips)
{
    size_t len = strlen(line);
    double start = wall_us();
    char buf[4096];

    for (unsigned i = 0; i < trips && !q->skip; i++) {
        if (!round_trip(q->fd, line, len, buf, sizeof(buf)) ||
            !g_str_has_prefix(buf, wanted)) {
            q->skip = "the program gives no such answer";
        }
    }
    q->us[run] = (wall_us() - start) / trips;
}

static void add_trip(GArray *figures, Figure f, const Question *q)
{
    double sorted[RUNS];

    f.unit = "us";
    f.skip = q->skip;
    if (!f.skip) {
        memcpy(sorted, q->us, sizeof(sorted));
        figure_set(&f, sorted, RUNS);
    }
    g_array_append_val(figures, f);
}

/* @a to @b, sample by sample: what disturbs the one disturbs the other, too. */
static void add_ratio(GArray *figures, Figure f, const Question *a,
                      const Question *b)
{
    double ratios[RUNS];

    f.unit = "x";
    f.skip = a->skip ? a->skip : b->skip;
    if (!f.skip) {
        for (unsigned i = 0; i < RUNS; i++) {
            ratios[i] = a->us[i] / b->us[i];
        }
        figure_set(&f, ratios, RUNS);
    }
    g_array_append_val(figures, f);
}

/* Ask both, in turns. @together: they and we are on one processor, where what
 * counts is what a command costs; else each is where the kernel puts it, and most
 * of the time is what idle processors take to wake up. */
static void measure_trips(Peer *here, Peer *there, char *own,
                          const char *folder, bool together)
{
    static const char readl[] = "readl 0x1000\n";
    static const char query[] = "{\"execute\":\"query-status\"}\n";
    char *qemu = g_find_program_in_path("qemu-system-x86_64");
    char *own_argv[] = { own, "-M", "microvm", "-accel", "qtest", "-nodefaults",
                         "-display", "none", "-m", "128M", NULL };
    /* Its module for -accel qtest is not in every package; lines are carried out
     * the same way whatever the CPUs, which do not run, are made of. */
    char *qemu_argv[] = { qemu, "-M", "microvm", "-accel", "tcg", "-S",
                          "-nodefaults", "-no-user-config", "-display", "none",
                          "-m", "128M", NULL };
    cpu_set_t before, one;

    sched_getaffinity(0, sizeof(before), &before);
    if (together) {
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        sched_setaffinity(0, sizeof(one), &one);
    }
    peer_start(here, own_argv, folder);
    peer_start(there, qemu_argv, folder);
    for (unsigned i = 0; i < RUNS; i++) {
        for (unsigned k = 0; k < 2; k++) {
            Peer *peer = (i + k) % 2 ? here : there;

            ask(&peer->readl, i, readl, "OK 0x", TRIPS);
            ask(&peer->query, i, query, "{\"return\"", TRIPS / 10);
        }
    }
    peer_end(here);
    peer_end(there);
    sched_setaffinity(0, sizeof(before), &before);
    g_free(qemu);
}

static void bench_trips(GArray *figures, char *own, const char *folder)
{
    Peer here = { 0 }, there = { 0 }, here_apart = { 0 }, there_apart = { 0 };

    measure_trips(&here, &there, own, folder, true);
    measure_trips(&here_apart, &there_apart, own, folder, false);

    add_trip(figures, (Figure) {
        .key = "qtest_readl", .target = 20,
        .text = "qtest: readl, there and back" }, &here.readl);
    add_trip(figures, (Figure) {
        .key = "qtest_readl_qemu",
        .text = "  the same in the QEMU installed here" }, &there.readl);
    add_ratio(figures, (Figure) {
        .key = "qtest_readl_ratio", .target = 1,
        .text = "  here, of what it takes there" },
        &here.readl, &there.readl);
    add_trip(figures, (Figure) {
        .key = "qtest_readl_apart",
        .text = "  between processors that sleep" }, &here_apart.readl);
    add_trip(figures, (Figure) {
        .key = "qtest_readl_apart_qemu",
        .text = "  the same in the QEMU installed here" },
        &there_apart.readl);
    add_trip(figures, (Figure) {
        .key = "qmp_query_status", .target = 200,
        .text = "QMP: query-status, there and back" }, &here.query);
    add_trip(figures, (Figure) {
        .key = "qmp_query_status_qemu",
        .text = "  the same in the QEMU installed here" }, &there.query);
    add_ratio(figures, (Figure) {
        .key = "qmp_query_status_ratio",
        .text = "  here, of what it takes there" },
        &here.query, &there.query);
    add_trip(figures, (Figure) {
        .key = "qmp_query_status_apart", .target = 200,
        .text = "  between processors that sleep" }, &here_apart.query);
    add_trip(figures, (Figure) {
        .key = "qmp_query_status_apart_qemu",
        .text = "  the same in the QEMU installed here" },
        &there_apart.query);
}

/* ---- what QMP adds to a start ------------------------------------------------------------- */

/* Milliseconds until the guest, which exits at once, has gone. */
static double start_to_end(char **argv, const char **skip)
{
    double start = wall_us();
    pid_t pid = spawn(argv);
    int status = pid ? wait_for(pid) : -1;

    if (status != 0) {
        *skip = "the program or its guest does not end well";
    }
    return (wall_us() - start) / 1e3;
}

static void bench_qmp_start(GArray *figures, char *own, const char *folder)
{
    const char *build = getenv("BUILD_PATH");
    g_autofree char *image = g_build_filename(build ? build : ".",
                                              "tests/guest/exit-at-once.bin",
                                              NULL);
    g_autofree char *path = g_build_filename(folder, "start", NULL);
    g_autofree char *spec = g_strconcat("unix:", path, ",server,nowait", NULL);
    char *without[] = { own, "-nodefaults", "-display", "none", "-m", "128M",
                        "-bios", image, NULL };
    char *with[] = { own, "-nodefaults", "-display", "none", "-m", "128M",
                     "-bios", image, "-qmp", spec, NULL };
    double ms[2][BENCH_STARTS], added[BENCH_STARTS];
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    const char *skip = kvm < 0 ? reason("/dev/kvm", errno) : NULL;
    Figure f[3] = {
        { .key = "start_without_qmp", .unit = "ms",
          .text = "start to end, without QMP" },
        { .key = "start_with_qmp", .unit = "ms",
          .text = "start to end, with a QMP socket" },
        { .key = "start_qmp_adds", .unit = "ms", .target = 1,
          .text = "  QMP adds" },
    };

    if (kvm >= 0) {
        close(kvm);
    }
    for (unsigned run = 0; run < BENCH_STARTS && !skip; run++) {
        for (unsigned k = 0; k < 2; k++) {
            unsigned which = (run + k) % 2;

            ms[which][run] = start_to_end(which ? with : without, &skip);
        }
        added[run] = ms[1][run] - ms[0][run];
    }
    for (unsigned i = 0; i < 3; i++) {
        f[i].skip = skip;
        if (!skip) {
            figure_set(&f[i], i < 2 ? ms[i] : added, BENCH_STARTS);
        }
        g_array_append_val(figures, f[i]);
    }
    unlink(path);
}

void bench_control(GArray *figures)
{
    const char *build = getenv("BUILD_PATH");
    g_autofree char *own =
        getenv("FLATVIEW")
            ? g_strdup(getenv("FLATVIEW"))
            : g_build_filename(build ? build : ".", "flatview-x86_64", NULL);
    char *folder = g_dir_make_tmp("bench-XXXXXX", NULL);

    if (!folder) {
        fprintf(stderr, "bench: cannot make a temporary folder\n");
        exit(1);
    }
    if (bench_wanted("qtest_readl") || bench_wanted("qmp_query_status")) {
        bench_trips(figures, own, folder);
    }
    if (bench_wanted("start_with_qmp") || bench_wanted("start_qmp_adds")) {
        bench_qmp_start(figures, own, folder);
    }
    rmdir(folder);
    g_free(folder);
}
