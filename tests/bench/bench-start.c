/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures of whole processes: how long a guest takes that exits with its first
 * instructions, from the start of the process to its end, and how much memory
 * the process had at its peak. Beside it, in turns: a program that makes the
 * same calls to KVM and nothing else, and QEMU where it is installed.
 *
 * Environment, as make sets it: FLATVIEW (the program), BUILD_PATH.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

extern char **environ;

/* A program, the status it ends with when the guest ran, and its figures. */
typedef struct Contender {
    char *argv[20];
    int status;
    const char *skip;
    double ms[BENCH_STARTS];
    double mib;
} Contender;

/* A text that lives as long as the program. */
G_GNUC_PRINTF(1, 2)
static const char *reason(const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return g_intern_string(text);
}

static int exit_status(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
                                  : 128 + WTERMSIG(wait_status);
}

/* ---- time ----------------------------------------------------------------------- */

static double wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Run @c, silently; milliseconds from before its start until it was gone. */
static double run_timed(Contender *c)
{
    posix_spawn_file_actions_t actions;
    double start, ms;
    int status, error;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < 3; fd++) {
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    start = wall_ms();
    error = posix_spawn(&pid, c->argv[0], &actions, NULL, c->argv, environ);
    if (!error) {
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
    }
    ms = wall_ms() - start;
    posix_spawn_file_actions_destroy(&actions);
    if (error) {
        c->skip = reason("%s: %s", c->argv[0], g_strerror(error));
    } else if (exit_status(status) != c->status) {
        c->skip = reason("%s ended with status %d, not %d", c->argv[0],
                         exit_status(status), c->status);
    }
    return ms;
}

/* ---- memory ---------------------------------------------------------------------- */

static double peak_mib(pid_t pid)
{
    char path[64], line[256];
    double kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        sscanf(line, "VmHWM: %lf", &kib);
    }
    if (f) {
        fclose(f);
    }
    return kib / 1024;
}

/* Run @c again, halt it when it is about to end, and ask for its peak: what
 * wait4() would say is no less than what this process had at the fork. */
static void run_traced(Contender *c)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        for (int fd = 0; fd < 3; fd++) {
            dup2(null, fd);
        }
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(c->argv[0], c->argv);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        int sig = WSTOPSIG(status);

        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
            c->mib = peak_mib(pid);
        }
        if (sig == SIGTRAP) { /* of the exec, or of the exit */
            ptrace(PTRACE_SETOPTIONS, pid, NULL,
                   (void *)(PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
            sig = 0;
        }
        ptrace(PTRACE_CONT, pid, NULL, (void *)(long)sig);
    }
}

/* ---- who takes part ----------------------------------------------------------------- */

static const char *build_path(void)
{
    const char *path = getenv("BUILD_PATH");

    return path ? path : ".";
}

static const char *kvm_missing(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return reason("/dev/kvm: %s", g_strerror(errno));
    }
    close(fd);
    return NULL;
}

/* An image of 64 KiB for QEMU and the board pc: out to a debug-exit device at the
 * reset vector. Returns the path of a new file. */
static char *make_qemu_image(void)
{
    static const uint8_t reset_vector[16] = {
        0xb0, 0x00, /* mov $0, %al */
        0xe6, 0xf4, /* out %al, $0xf4 */
        0xf4,       /* hlt */
    };
    uint8_t image[65536] = { 0 };
    char *path = NULL;
    int fd = g_file_open_tmp("bench-XXXXXX", &path, NULL);

    memcpy(image + sizeof(image) - sizeof(reset_vector), reset_vector,
           sizeof(reset_vector));
    if (fd < 0 || write(fd, image, sizeof(image)) != sizeof(image)) {
        fprintf(stderr, "bench: cannot write a temporary file\n");
        exit(1);
    }
    close(fd);
    return path;
}

enum { BARE, FLATVIEW, PC, QEMU, CONTENDERS };

/* The median of @c's samples, or why there are none. */
static void add_times(GArray *figures, Figure f, Contender *c)
{
    f.unit = "ms";
    f.skip = c->skip;
    if (!c->skip) {
        double samples[BENCH_STARTS];

        memcpy(samples, c->ms, sizeof(samples));
        figure_set(&f, samples, BENCH_STARTS);
    }
    g_array_append_val(figures, f);
}

/* How much longer @a took than @b, which ran right before or after it. */
static void add_difference(GArray *figures, Figure f, Contender *a,
                           Contender *b)
{
    f.unit = "ms";
    f.skip = a->skip ? a->skip : b->skip;
    if (!f.skip) {
        double samples[BENCH_STARTS];

        for (unsigned i = 0; i < BENCH_STARTS; i++) {
            samples[i] = a->ms[i] - b->ms[i];
        }
        figure_set(&f, samples, BENCH_STARTS);
    }
    g_array_append_val(figures, f);
}

static void add_memory(GArray *figures, Figure f, Contender *c)
{
    f.unit = "MiB";
    f.skip = c->skip;
    if (!c->skip && !c->mib) {
        f.skip = "processes cannot be traced here";
    }
    f.median = f.least = f.most = c->mib;
    g_array_append_val(figures, f);
}

void bench_start(GArray *figures)
{
    char *image = g_build_filename(build_path(),
                                   "tests/guest/exit-at-once.bin", NULL);
    char *bare = g_build_filename(build_path(), "tests/bench/bare-kvm", NULL);
    char *own = getenv("FLATVIEW")
                    ? g_strdup(getenv("FLATVIEW"))
                    : g_build_filename(build_path(), "flatview-x86_64", NULL);
    char *qemu = g_find_program_in_path("qemu-system-x86_64");
    char *qemu_image = make_qemu_image();
    Contender c[CONTENDERS] = {
        [BARE] = { .argv = { bare, image } },
        [FLATVIEW] = { .argv = { own, "-nodefaults", "-display", "none", "-m",
                                 "128M", "-bios", image } },
        [PC] = { .argv = { own, "-M", "pc", "-nodefaults", "-display", "none",
                           "-m", "128M", "-bios", qemu_image, "-device",
                           "isa-debug-exit,iobase=0xf4,iosize=1" },
                 .status = 1 },
        [QEMU] = { .argv = { qemu, "-M", "microvm", "-accel", "kvm",
                             "-nodefaults", "-no-user-config", "-display",
                             "none", "-m", "128M", "-bios", qemu_image,
                             "-device",
                             "isa-debug-exit,iobase=0xf4,iosize=1" },
                   .status = 1,
                   .skip = qemu ? NULL : "no qemu-system-x86_64 installed" },
    };
    const char *no_kvm = kvm_missing();

    for (unsigned i = 0; i < CONTENDERS; i++) {
        c[i].skip = no_kvm ? no_kvm : c[i].skip;
        if (!c[i].skip) {
            run_timed(&c[i]); /* warm up: libraries and files into memory */
        }
    }
    /* How long the kernel takes to end a VM depends on what ran just before, so
     * each follows each of the others, and starts a turn, equally often. */
    for (unsigned run = 0; run < BENCH_STARTS; run++) {
        for (unsigned i = 0; i < CONTENDERS; i++) {
            unsigned place = run % 2 ? i : CONTENDERS - 1 - i;
            Contender *next = &c[(place + run / 2) % CONTENDERS];

            if (!next->skip) {
                next->ms[run] = run_timed(next);
            }
        }
    }
    for (unsigned i = 0; i < CONTENDERS; i++) {
        if (!c[i].skip) {
            run_traced(&c[i]);
        }
    }

    add_times(figures, (Figure) {
        .key = "start_floor",
        .text = "start to end, the bare KVM calls" }, &c[BARE]);
    add_times(figures, (Figure) {
        .key = "start", .peer = "30-50 ms",
        .text = "start to end, flatview-x86_64" }, &c[FLATVIEW]);
    add_difference(figures, (Figure) {
        .key = "start_above_floor",
        .text = "  more than the bare calls" }, &c[FLATVIEW], &c[BARE]);
    add_times(figures, (Figure) {
        .key = "start_pc",
        .text = "the same on the board pc" }, &c[PC]);
    add_difference(figures, (Figure) {
        .key = "start_pc_more", .target = 2,
        .text = "  more than on the board microvm" }, &c[PC], &c[FLATVIEW]);
    add_times(figures, (Figure) {
        .key = "start_qemu",
        .text = "start to end, the QEMU installed here" }, &c[QEMU]);
    add_memory(figures, (Figure) {
        .key = "peak_floor",
        .text = "peak memory, the bare KVM calls" }, &c[BARE]);
    add_memory(figures, (Figure) {
        .key = "peak", .peer = "37 MB",
        .text = "peak memory, flatview-x86_64" }, &c[FLATVIEW]);
    add_memory(figures, (Figure) {
        .key = "peak_pc", .text = "the same on the board pc" }, &c[PC]);
    add_memory(figures, (Figure) {
        .key = "peak_qemu",
        .text = "peak memory, the QEMU installed here" }, &c[QEMU]);

    unlink(qemu_image);
    g_free(qemu_image);
    g_free(qemu);
    g_free(own);
    g_free(bare);
    g_free(image);
}
