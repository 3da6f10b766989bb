/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Raw mode of the terminal, and the ways out of it.
 */
#include "hw/core/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* File-static because exit handlers and signal handlers get no argument. */
static struct termios saved;
static int terminal_fd;
static volatile sig_atomic_t raw;

void terminal_restore(void)
{
    sigset_t block, before;

    if (!raw) {
        return;
    }
    raw = 0;
    /* In the background, tcsetattr() would stop the process instead. */
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    sigprocmask(SIG_BLOCK, &block, &before);
    tcsetattr(terminal_fd, TCSANOW, &saved);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void on_fatal_signal(int sig)
{
    int saved_errno = errno;

    terminal_restore();
    raise(sig); /* SA_RESETHAND: now with its default effect */
    errno = saved_errno;
}

/* Whoever handles a signal already is left to it, and to exit(). */
static void catch_fatal_signals(void)
{
    static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT,
                                 SIGBUS, SIGFPE, SIGSEGV, SIGTERM };
    struct sigaction catch = { .sa_handler = on_fatal_signal,
                               .sa_flags = SA_RESETHAND };

    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        struct sigaction present;

        if (sigaction(fatal[i], NULL, &present) == 0 &&
            present.sa_handler == SIG_DFL) {
            sigaction(fatal[i], &catch, NULL);
        }
    }
}

int terminal_make_raw(int fd, bool signals)
{
    static bool at_exit;
    struct termios t;

    if (raw) {
        return -EBUSY;
    }
    if (tcgetattr(fd, &saved) < 0) {
        return -errno;
    }
    t = saved;
    cfmakeraw(&t);
    t.c_oflag |= OPOST;
    if (signals) {
        t.c_lflag |= ISIG;
    }
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    if (!at_exit) {
        at_exit = true;
        atexit(terminal_restore);
    }
    terminal_fd = fd;
    raw = 1;
    catch_fatal_signals();
    if (tcsetattr(fd, TCSANOW, &t) < 0) {
        raw = 0;
        return -errno;
    }
    return 0;
}
