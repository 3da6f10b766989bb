/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware on the board pc: from the start of the process to the moment when
 * SeaBIOS, on the serial port, offers its boot menu. In turns with QEMU's board of
 * that name, where it is installed, with the same image on the same KVM.
 *
 * Environment, as make sets it: FLATVIEW (the program), BUILD_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

extern char **environ;

#define IMAGE "/usr/share/seabios/bios-256k.bin"
#define PROMPT "Press ESC for boot menu"
#define TIMEOUT_MS 60000
#define RUNS BENCH_RUNS

typedef struct Monitor {
    char *argv[20];
    const char *skip;
    double ms[RUNS];
} Monitor;

static double wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Start @m with its standard output in *@out. */
static int start(Monitor *m, pid_t *pid, int *out)
{
    posix_spawn_file_actions_t actions;
    int ends[2], error;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        return errno;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_RDWR, 0);
    error = posix_spawn(pid, m->argv[0], &actions, NULL, m->argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *out = ends[0];
    if (error) {
        close(ends[0]);
    }
    return error;
}

/* Read @fd until it has said PROMPT; false: it ended, or time was up. */
static bool wait_prompt(int fd, double deadline)
{
    g_autoptr(GString) said = g_string_new(NULL);

    while (!strstr(said->str, PROMPT)) {
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        char buf[4096];
        ssize_t n;

        if (wall_ms() > deadline || poll(&pfd, 1, 1000) < 0) {
            return false;
        }
        if (pfd.revents) {
            n = read(fd, buf, sizeof(buf));
            if (n <= 0) {
                return false;
            }
            for (ssize_t i = 0; i < n; i++) {
                g_string_append_c(said, buf[i] ? buf[i] : ' ');
            }
        }
    }
    return true;
}

static double run(Monitor *m)
{
    double begin = wall_ms(), ms = 0;
    pid_t pid;
    int out = -1, error = start(m, &pid, &out);

    if (error) {
        m->skip = g_strerror(error);
        return 0;
    }
    if (wait_prompt(out, begin + TIMEOUT_MS)) {
        ms = wall_ms() - begin;
    } else {
        m->skip = "the prompt for the boot menu did not appear";
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    close(out);
    return ms;
}

static const char *missing(void)
{
    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        return "/dev/kvm cannot be used";
    }
    return access(IMAGE, R_OK) < 0 ? "no " IMAGE ": Debian package seabios" : NULL;
}

static void add(GArray *figures, Figure f, Monitor *m)
{
    f.unit = "ms";
    f.skip = m->skip;
    if (!f.skip) {
        figure_set(&f, m->ms, RUNS);
    }
    g_array_append_val(figures, f);
}

void bench_firmware(GArray *figures)
{
    g_autofree char *own = g_strdup(g_getenv("FLATVIEW"));
    g_autofree char *qemu = g_find_program_in_path("qemu-system-x86_64");
    Monitor monitors[] = {
        { .argv = { own ? own : "./flatview-x86_64", "-M", "pc,graphics=off",
                    "-bios", IMAGE, "-m", "128M", "-nodefaults", "-display", "none",
                    "-serial", "stdio", "-boot", "menu=on" } },
        { .argv = { qemu, "-M", "pc,graphics=off,accel=kvm", "-bios", IMAGE, "-m",
                    "128M", "-nodefaults", "-no-user-config", "-display", "none",
                    "-vga", "none", "-serial", "stdio", "-boot", "menu=on" },
          .skip = qemu ? NULL : "no qemu-system-x86_64 installed" },
    };
    const char *no = missing();

    for (unsigned i = 0; i < G_N_ELEMENTS(monitors); i++) {
        monitors[i].skip = no ? no : monitors[i].skip;
        if (!monitors[i].skip) {
            run(&monitors[i]); /* warm up: files into memory */
        }
    }
    for (unsigned n = 0; n < RUNS; n++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(monitors); i++) {
            Monitor *m = &monitors[n % 2 ? i : 1 - i];

            if (!m->skip) {
                m->ms[n] = run(m);
            }
        }
    }
    add(figures, (Figure){ .key = "firmware_menu",
                           .text = "SeaBIOS to its boot menu, flatview's pc" },
        &monitors[0]);
    add(figures, (Figure){ .key = "firmware_menu_qemu",
                           .text = "the same, the QEMU installed here" },
        &monitors[1]);
}
