/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The character device stdio: standard input and output, pipes and files too. A
 * terminal is in raw mode meanwhile, so that every key reaches the guest.
 */
#include "hw/core/chardev-internal.h"
#include "hw/core/terminal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct ChardevStdio {
    ChardevFd fd;
    bool signals;
} ChardevStdio;

/* There is one standard input and output. */
static Chardev *stdio_user;

/*
 * A descriptor of our own for standard stream @fd, or -1 if that is closed.
 * Non-blocking mode belongs to the open file, which other processes share (the
 * shell its terminal), so the file is opened anew where that can be done.
 */
static int stream_open(int fd, bool *blocks)
{
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
    char path[32];
    struct stat st;
    int own = -1;

    if (fstat(fd, &st) < 0) {
        return -1;
    }
    if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        own = open(path, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    *blocks = own < 0 && !S_ISREG(st.st_mode);
    return own >= 0 ? own : fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static bool stdio_open(Chardev *chr, GHashTable *settings, bool wait,
                       GError **err)
{
    ChardevStdio *s = (ChardevStdio *)chr;
    bool in_blocks;
    int ret;

    chardev_fd_init(&s->fd);
    s->fd.out_path = "standard output";
    if (stdio_user) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': stdio is in use by chardev '%s' already; "
                    "send one elsewhere, such as to null or a file", chr->id,
                    chardev_id(stdio_user));
        return false;
    }
    if (isatty(STDIN_FILENO)) {
        ret = terminal_make_raw(STDIN_FILENO, s->signals);
        if (ret < 0) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "chardev '%s': cannot put the terminal into raw mode: "
                        "%s", chr->id, g_strerror(-ret));
            return false;
        }
        chr->is_terminal = true;
    }
    stdio_user = chr;
    s->fd.in_fd = stream_open(STDIN_FILENO, &in_blocks);
    s->fd.out_fd = stream_open(STDOUT_FILENO, &s->fd.out_blocks);
    chardev_opened(chr);
    return true;
}

static void stdio_close(Chardev *chr)
{
    chardev_fd_close((ChardevFd *)chr);
    if (stdio_user == chr) {
        terminal_restore();
        stdio_user = NULL;
    }
}

static const Property stdio_properties[] = {
    { "signal", PROP_BOOL, offsetof(ChardevStdio, signals), "off",
      "Ctrl-C ends the program instead of reaching the guest", 0 },
    { 0 },
};

const ChardevBackend chardev_stdio = {
    CHARDEV_NAME("stdio"),
    .description = "standard input and output",
    .size = sizeof(ChardevStdio),
    .properties = stdio_properties,
    .open = stdio_open,
    .close = stdio_close,
    .write = chardev_fd_write,
    .update = chardev_fd_update,
};
