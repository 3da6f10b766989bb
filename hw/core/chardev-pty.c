/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character device pty: a pseudo-terminal. Its peer is whoever has the other
 * end open.
 */
#include "hw/core/chardev-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define RETRY_MS 250 /* between looks for a peer: nothing wakes us */

typedef struct ChardevPty {
    ChardevFd fd;
    char name[64];
    int master; /* -1: none */
    Watch retry;
} ChardevPty;

/* Nobody has the other end open, and nothing will say when somebody has. */
static void pty_hung_up(ChardevFd *fd)
{
    ChardevPty *s = (ChardevPty *)fd;

    watch_set(&fd->in, -1, 0);
    watch_set(&fd->out, -1, 0);
    fd->in_fd = fd->out_fd = -1;
    watch_after(&s->retry, RETRY_MS);
    chardev_closed(&fd->chr);
}

static void pty_retry(void *opaque, GIOCondition cond)
{
    ChardevPty *s = opaque;

    if ((chardev_fd_events(s->master, 0) & POLLHUP) ||
        !chardev_is_ready(&s->fd.chr)) {
        watch_after(&s->retry, RETRY_MS);
    } else {
        chardev_fd_opened(&s->fd, s->master);
    }
}

static bool pty_open(Chardev *chr, GHashTable *settings, bool wait,
                     GError **err)
{
    ChardevPty *s = (ChardevPty *)chr;
    struct termios t;
    int slave;

    chardev_fd_init(&s->fd);
    s->fd.hung_up = pty_hung_up;
    watch_init(&s->retry, pty_retry, s);
    s->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (s->master < 0 || grantpt(s->master) < 0 || unlockpt(s->master) < 0 ||
        ptsname_r(s->master, s->name, sizeof(s->name))) {
        return chardev_open_failed(chr, "cannot make", "a pseudo-terminal",
                                   err);
    }
    /* Raw, so that the guest's output is not echoed back to it. Closing this
     * one also makes the kernel report from now on whether others are open. */
    slave = open(s->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        return chardev_open_failed(chr, "cannot open", s->name, err);
    }
    tcgetattr(slave, &t);
    cfmakeraw(&t);
    tcsetattr(slave, TCSANOW, &t);
    close(slave);
    g_printerr("chardev '%s' is %s\n", chr->id, s->name);
    watch_after(&s->retry, RETRY_MS);
    return true;
}

static void pty_close(Chardev *chr)
{
    ChardevPty *s = (ChardevPty *)chr;

    watch_cleanup(&s->retry);
    chardev_fd_close(&s->fd);
    if (s->master >= 0 && !chr->connected) {
        close(s->master);
    }
}

static char *pty_filename(const Chardev *chr)
{
    return g_strdup_printf("pty:%s", ((const ChardevPty *)chr)->name);
}

const ChardevBackend chardev_pty = {
    CHARDEV_NAME("pty"),
    .description = "a new pseudo-terminal",
    .size = sizeof(ChardevPty),
    .open = pty_open,
    .close = pty_close,
    .write = chardev_fd_write,
    .update = chardev_fd_update,
    .filename = pty_filename,
};
