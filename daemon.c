/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the background; see daemon.h.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/core/device.h"

static int ready_fd = -1; /* the parent waits for a byte from it */
static char *pidfile;     /* absolute: daemon_ready() changes the directory */
static int pidfile_fd = -1;

static bool failed(const char *what, GError **err)
{
    g_set_error(err, FLATVIEW_ERROR, 0, "-daemonize: cannot %s: %s", what,
                g_strerror(errno));
    return false;
}

/* Wait for the byte; without one, the child's status is ours. Exits at once, so
 * that nothing of the child's is undone here. */
static void G_GNUC_NORETURN parent_wait(pid_t child, int fd)
{
    char byte;
    ssize_t n;
    int status;

    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    if (n == 1) {
        _exit(EXIT_SUCCESS);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool daemon_start(GError **err)
{
    pid_t parent = getpid(), child;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        return failed("make a pipe", err);
    }
    child = fork();
    if (child < 0) {
        close(fds[0]);
        close(fds[1]);
        return failed("start a process", err);
    }
    if (child > 0) {
        close(fds[1]);
        parent_wait(child, fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    setsid();
    /* Whoever interrupts the command before it has returned wants no machine,
     * which may be waiting for a connection. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    return true;
}

void daemon_ready(void)
{
    int null;

    if (ready_fd < 0) {
        return;
    }
    prctl(PR_SET_PDEATHSIG, 0);
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        close(null);
    }
    /* A file system that we stand on could not be unmounted. */
    if (chdir("/") < 0 || write(ready_fd, "", 1) != 1) {
        g_debug("nobody waits: %s", g_strerror(errno));
    }
    close(ready_fd);
    ready_fd = -1;
}

/* Whether @st is still what is at @path. */
static bool is_at(const char *path, const struct stat *st)
{
    struct stat now;

    return stat(path, &now) == 0 && now.st_dev == st->st_dev &&
           now.st_ino == st->st_ino;
}

bool pidfile_write(const char *path, GError **err)
{
    g_autofree char *text = g_strdup_printf("%ld\n", (long)getpid());
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct stat st;
    int fd;

again:
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);
    if (fd < 0 || fstat(fd, &st) < 0) {
        goto fail;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        goto fail;
    }
    if (fcntl(fd, F_SETLK, &lock) < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-pidfile %s: another process that runs keeps this file; "
                    "choose another, or end that one", path);
        close(fd);
        return false;
    }
    if (!is_at(path, &st)) { /* who kept it has just removed it */
        close(fd);
        goto again;
    }
    if (ftruncate(fd, 0) < 0 ||
        write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        goto fail;
    }
    pidfile_fd = fd;
    pidfile = g_canonicalize_filename(path, NULL);
    return true;

fail:
    g_set_error(err, FLATVIEW_ERROR, 0, "-pidfile: cannot write '%s': %s",
                path, g_strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return false;
}

void pidfile_remove(void)
{
    if (pidfile) {
        unlink(pidfile);
        close(pidfile_fd);
        g_clear_pointer(&pidfile, g_free);
        pidfile_fd = -1;
    }
}
