/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices on file descriptors: two streams, watched by the main
 * loop only while there is something to do with them.
 */
#include "hw/core/chardev.h"
#include "hw/core/device.h"
#include "hw/core/terminal.h"
#include "hw/core/timer.h"
#include "sysemu.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define QUEUE_MAX CHARDEV_WRITE_MAX /* bytes of output held here */
#define TYPED_MAX (1 << 20)  /* bytes a user may type or paste ahead */
#define FLUSH_MS 1000        /* how long closing waits for a slow peer */
#define RETRY_US 250000      /* between looks for a peer, where none wakes us */
#define KEY_ESCAPE 0x01      /* Ctrl-A */

/* A source of the main loop, and what it waits for. */
typedef struct Watch {
    GSource *source; /* NULL: none */
    GIOCondition cond;
} Watch;

/* All under the memory lock. */
struct Chardev {
    char *id;
    char *path;      /* for errors; of a socket also for removal */
    int in_fd;       /* -1: no input, or no more */
    int out_fd;      /* -1: output is dropped; of a peer, the same as in_fd */
    int listen_fd;   /* of a server; a pty's own end; -1 otherwise */
    bool is_pty;
    bool is_stdio;
    bool is_socket;
    bool out_blocks; /* out_fd is not in non-blocking mode: ask before */
    bool half_closed; /* the peer of a socket sends no more */
    bool refused;    /* on_writable is owed */
    bool reported;   /* an output error was told */

    Watch in, out, listen;
    Timer retry; /* look again for a peer */
    GByteArray *pending; /* input read, not yet taken by the frontend */
    GByteArray *queue;   /* output taken, not yet written */

    const ChardevFrontend *frontend; /* NULL: none */
    void *opaque;
    ChardevEscape *escape;
    void *escape_opaque;
    bool escape_prefix; /* the last key was Ctrl-A */
};

static void chardev_update_input(Chardev *chr);
static void server_listen(Chardev *chr);

/* ---- sources of the main loop -------------------------------------------------- */

/* Watch @fd for @cond, or not at all for 0. */
static void watch_set(Chardev *chr, Watch *watch, int fd, GIOCondition cond,
                      GUnixFDSourceFunc callback)
{
    if (watch->source ? watch->cond == cond : cond == 0) {
        return;
    }
    if (watch->source) {
        g_source_destroy(watch->source);
        g_clear_pointer(&watch->source, g_source_unref);
    }
    watch->cond = cond;
    if (cond) {
        watch->source = g_unix_fd_source_new(fd, cond);
        g_source_set_callback(watch->source, G_SOURCE_FUNC(callback), chr,
                              NULL);
        g_source_attach(watch->source, NULL);
    }
}

/* A callback starts: another thread may have removed its source meanwhile. */
static bool callback_enter(void)
{
    memory_lock();
    if (g_source_is_destroyed(g_main_current_source())) {
        memory_unlock();
        return false;
    }
    return true;
}

/* The events of @events that are present on @fd now, and errors. */
static short fd_events(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

/* ---- output ---------------------------------------------------------------------- */

/* Write what is taken at once. Returns the bytes done with: those that cannot
 * be written at all are done with, too. */
static size_t output_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n;

        if (chr->out_blocks && !fd_events(chr->out_fd, POLLOUT)) {
            break;
        }
        n = write(chr->out_fd, buf + done, len - done);
        if (n > 0) {
            done += n;
        } else if (n == 0 || errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            if (errno != EPIPE && errno != ECONNRESET && !chr->is_pty &&
                !chr->reported) {
                chr->reported = true;
                g_printerr("chardev '%s': cannot write to %s: %s; output is "
                           "lost\n", chr->id, chr->path, g_strerror(errno));
            }
            return len;
        }
    }
    return done;
}

static void output_allow(Chardev *chr)
{
    if (chr->refused) {
        chr->refused = false;
        if (chr->frontend && chr->frontend->on_writable) {
            chr->frontend->on_writable(chr->opaque);
        }
    }
}

static void output_drop(Chardev *chr)
{
    watch_set(chr, &chr->out, -1, 0, NULL);
    g_byte_array_set_size(chr->queue, 0);
    output_allow(chr);
}

static void pty_hung_up(Chardev *chr);

static gboolean on_output(gint fd, GIOCondition cond, gpointer opaque)
{
    Chardev *chr = opaque;
    size_t done;

    if (!callback_enter()) {
        return G_SOURCE_REMOVE;
    }
    if (chr->is_pty && (cond & G_IO_HUP)) {
        pty_hung_up(chr);
    } else {
        done = output_write(chr, chr->queue->data, chr->queue->len);
        g_byte_array_remove_range(chr->queue, 0, done);
        if (chr->queue->len == 0) {
            output_drop(chr);
        }
    }
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

bool chardev_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    assert(len <= CHARDEV_WRITE_MAX);
    if (!chr || chr->out_fd < 0) {
        return true;
    }
    if (chr->queue->len + len > QUEUE_MAX) {
        chr->refused = true;
        return false;
    }
    if (chr->queue->len == 0) {
        done = output_write(chr, buf, len);
    }
    if (done < len) {
        g_byte_array_append(chr->queue, buf + done, len - done);
        watch_set(chr, &chr->out, chr->out_fd, G_IO_OUT, on_output);
    }
    return true;
}

/* ---- peers that come and go -------------------------------------------------------- */

static void socket_hung_up(Chardev *chr)
{
    watch_set(chr, &chr->in, -1, 0, NULL);
    close(chr->in_fd);
    chr->in_fd = chr->out_fd = -1;
    chr->half_closed = false;
    output_drop(chr);
    if (chr->listen_fd >= 0) {
        server_listen(chr);
    }
}

static void peer_adopt(Chardev *chr, int fd)
{
    chr->in_fd = chr->out_fd = fd;
    chardev_update_input(chr);
}

static gboolean on_connect(gint listen_fd, GIOCondition cond, gpointer opaque)
{
    Chardev *chr = opaque;
    int fd;

    if (!callback_enter()) {
        return G_SOURCE_REMOVE;
    }
    fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        watch_set(chr, &chr->listen, -1, 0, NULL);
        peer_adopt(chr, fd);
    } else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        /* Out of descriptors: the peer still waits, so this would spin. */
        watch_set(chr, &chr->listen, -1, 0, NULL);
        timer_arm(&chr->retry, RETRY_US);
    }
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

static void server_listen(Chardev *chr)
{
    watch_set(chr, &chr->listen, chr->listen_fd, G_IO_IN, on_connect);
}

/* Nobody has the other end open, and nothing will say when somebody has. */
static void pty_hung_up(Chardev *chr)
{
    watch_set(chr, &chr->in, -1, 0, NULL);
    chr->in_fd = chr->out_fd = -1;
    output_drop(chr);
    timer_arm(&chr->retry, RETRY_US);
}

static void on_retry(void *opaque)
{
    Chardev *chr = opaque;

    if (!chr->is_pty) {
        server_listen(chr);
    } else if (fd_events(chr->listen_fd, 0) & POLLHUP) {
        timer_arm(&chr->retry, RETRY_US);
    } else {
        peer_adopt(chr, chr->listen_fd);
    }
}

/* ---- input ------------------------------------------------------------------------- */

static size_t frontend_room(Chardev *chr)
{
    return chr->frontend ? chr->frontend->can_receive(chr->opaque) : 0;
}

static void input_deliver(Chardev *chr)
{
    size_t room;

    while (chr->pending->len && (room = frontend_room(chr)) > 0) {
        uint8_t chunk[256];
        size_t n = MIN(MIN(room, chr->pending->len), sizeof(chunk));

        memcpy(chunk, chr->pending->data, n);
        g_byte_array_remove_range(chr->pending, 0, n);
        chr->frontend->receive(chr->opaque, chunk, n);
    }
}

static void input_key(Chardev *chr, uint8_t key)
{
    bool prefixed = chr->escape_prefix;

    chr->escape_prefix = false;
    if (!prefixed && key == KEY_ESCAPE) {
        chr->escape_prefix = true;
    } else if (prefixed && (key == 'x' || key == 'c')) {
        chr->escape(key, chr->escape_opaque);
    } else {
        if (prefixed && key != KEY_ESCAPE) {
            g_byte_array_append(chr->pending, &(uint8_t){ KEY_ESCAPE }, 1);
        }
        g_byte_array_append(chr->pending, &key, 1);
    }
}

/* The bytes worth reading now. A terminal is read ahead of the guest, so that
 * the escape keys work whatever the guest does. */
static size_t input_room(Chardev *chr)
{
    if (chr->escape) {
        return TYPED_MAX - MIN(TYPED_MAX, chr->pending->len);
    }
    return chr->pending->len ? 0 : frontend_room(chr);
}

static void input_ended(Chardev *chr)
{
    if (chr->is_pty) {
        pty_hung_up(chr);
    } else if (!chr->is_socket) {
        watch_set(chr, &chr->in, -1, 0, NULL);
        close(chr->in_fd);
        chr->in_fd = -1;
    } else if (fd_events(chr->in_fd, 0) & (POLLHUP | POLLERR)) {
        socket_hung_up(chr);
    } else {
        chr->half_closed = true; /* it may still listen */
    }
}

/* Read once. False: there is no more, for now or for ever. */
static bool input_read(Chardev *chr, size_t room)
{
    uint8_t buf[4096];
    ssize_t n = read(chr->in_fd, buf, MIN(room, sizeof(buf)));

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (n <= 0) {
        input_ended(chr);
        return false;
    }
    if (chr->escape) {
        for (ssize_t i = 0; i < n; i++) {
            input_key(chr, buf[i]);
        }
    } else {
        g_byte_array_append(chr->pending, buf, n);
    }
    input_deliver(chr);
    return true;
}

static gboolean on_input(gint fd, GIOCondition cond, gpointer opaque)
{
    Chardev *chr = opaque;
    size_t room;

    if (!callback_enter()) {
        return G_SOURCE_REMOVE;
    }
    room = input_room(chr);
    if (room && !chr->half_closed) {
        input_read(chr, room);
    } else if (chr->is_socket && (cond & (G_IO_HUP | G_IO_ERR))) {
        /* The peer has gone: what it sent is kept here, the next may come. */
        while (input_read(chr, TYPED_MAX)) {
        }
    }
    chardev_update_input(chr);
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

/* Watch for what can be dealt with, and for nothing that would spin. */
static void chardev_update_input(Chardev *chr)
{
    GIOCondition cond = 0;

    if (chr->in_fd >= 0) {
        if (!chr->half_closed && input_room(chr)) {
            cond = G_IO_IN | G_IO_HUP | G_IO_ERR;
        } else if (chr->is_socket) {
            cond = G_IO_HUP | G_IO_ERR;
        }
    }
    watch_set(chr, &chr->in, chr->in_fd, cond, on_input);
}

void chardev_accept_input(Chardev *chr)
{
    if (chr) {
        input_deliver(chr);
        chardev_update_input(chr);
    }
}

/* ---- opening ------------------------------------------------------------------------ */

static bool open_failed(Chardev *chr, const char *what, GError **err)
{
    g_set_error(err, FLATVIEW_ERROR, 0, "chardev '%s': %s %s: %s", chr->id,
                what, chr->path, g_strerror(errno));
    return false;
}

/* Non-blocking also keeps a FIFO without a reader from hanging us. */
static int output_open(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK |
                O_NOCTTY, 0666);
}

static bool file_open(Chardev *chr, const char *path, GError **err)
{
    chr->path = g_strdup(path);
    chr->out_fd = output_open(path);
    return chr->out_fd >= 0 || open_failed(chr, "cannot open", err);
}

FILE *output_stream_open(const char *path)
{
    int fd = output_open(path);

    if (fd < 0) {
        return NULL;
    }
    fcntl(fd, F_SETFL, 0);
    return fdopen(fd, "w");
}

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

static Chardev *stdio_user;

static bool stdio_open(Chardev *chr, GError **err)
{
    bool in_blocks;
    int ret;

    chr->path = g_strdup("standard output");
    if (stdio_user) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': stdio is in use by chardev '%s' already; "
                    "send one elsewhere, such as to null or a file", chr->id,
                    stdio_user->id);
        return false;
    }
    if (isatty(STDIN_FILENO)) {
        ret = terminal_make_raw(STDIN_FILENO);
        if (ret < 0) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "chardev '%s': cannot put the terminal into raw mode: "
                        "%s", chr->id, g_strerror(-ret));
            return false;
        }
    }
    stdio_user = chr;
    chr->is_stdio = true;
    chr->in_fd = stream_open(STDIN_FILENO, &in_blocks);
    chr->out_fd = stream_open(STDOUT_FILENO, &chr->out_blocks);
    return true;
}

static bool pty_open(Chardev *chr, GError **err)
{
    char name[64];
    struct termios t;
    int master, slave;

    chr->path = g_strdup("a pseudo-terminal");
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (master < 0) {
        return open_failed(chr, "cannot make", err);
    }
    chr->is_pty = true;
    chr->listen_fd = master;
    if (grantpt(master) < 0 || unlockpt(master) < 0 ||
        ptsname_r(master, name, sizeof(name))) {
        return open_failed(chr, "cannot make", err);
    }
    g_free(chr->path);
    chr->path = g_strdup(name);
    /* Raw, so that the guest's output is not echoed back to it. Closing this
     * one also makes the kernel report from now on whether others are open. */
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) {
        return open_failed(chr, "cannot open", err);
    }
    tcgetattr(slave, &t);
    cfmakeraw(&t);
    tcsetattr(slave, TCSANOW, &t);
    close(slave);
    g_printerr("chardev '%s' is %s\n", chr->id, name);
    timer_arm(&chr->retry, RETRY_US);
    return true;
}

typedef struct UnixOptions {
    bool server;
    bool wait;
} UnixOptions;

static const Property unix_options[] = {
    { "server", PROP_BOOL, offsetof(UnixOptions, server), "off", NULL, 0 },
    { "wait", PROP_BOOL, offsetof(UnixOptions, wait), "on", NULL, 0 },
    { 0 },
};

static bool unix_parse(Chardev *chr, char **words, UnixOptions *options,
                       GError **err)
{
    char *what = g_strdup_printf("chardev '%s'", chr->id);
    bool ok = true;

    properties_init(unix_options, options);
    for (; ok && *words; words++) {
        char *value = strchr(*words, '=');
        const char *name = *words;

        if (value) {
            *value++ = '\0';
        } else if (strcmp(name, "nowait") == 0) {
            name = "wait";
            value = "off";
        }
        ok = property_set(unix_options, options, NULL, what, name, value, err);
    }
    g_free(what);
    return ok;
}

/* A socket that nobody listens on any more is what a killed program left. */
static bool unix_remove_stale(Chardev *chr, const struct sockaddr_un *addr,
                              GError **err)
{
    struct stat st;
    int fd, ret;

    if (lstat(chr->path, &st) < 0) {
        return true; /* bind() will tell */
    }
    if (!S_ISSOCK(st.st_mode)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': %s exists and is not a socket", chr->id,
                    chr->path);
        return false;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ret = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)addr,
                                sizeof(*addr));
    if (fd >= 0) {
        close(fd);
    }
    if (ret == 0 || errno != ECONNREFUSED) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': %s is in use by another program", chr->id,
                    chr->path);
        return false;
    }
    unlink(chr->path);
    return true;
}

static bool unix_serve(Chardev *chr, int fd, const struct sockaddr_un *addr,
                       bool wait, GError **err)
{
    if (!unix_remove_stale(chr, addr, err)) {
        return false;
    }
    if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0) {
        return open_failed(chr, "cannot make socket", err);
    }
    chr->listen_fd = fd;
    if (listen(fd, 1) < 0) {
        return open_failed(chr, "cannot listen on", err);
    }
    server_listen(chr);
    if (wait) {
        g_printerr("chardev '%s' waits for a connection to %s\n", chr->id,
                   chr->path);
    }
    /* In the main loop, where the keys and signals that end us arrive. */
    while (wait && chr->in_fd < 0) {
        if (vm_shutdown_requested()) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "chardev '%s': ended before a connection to %s came",
                        chr->id, chr->path);
            return false;
        }
        g_main_context_iteration(NULL, TRUE);
    }
    return true;
}

static bool unix_open_path(Chardev *chr, char **words, GError **err)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    UnixOptions options;
    int fd;

    chr->path = g_strdup(words[0]);
    if (!unix_parse(chr, words + 1, &options, err)) {
        return false;
    }
    if (strlen(chr->path) >= sizeof(addr.sun_path)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': %s is %zu bytes long; a socket's path has "
                    "%zu at most", chr->id, chr->path, strlen(chr->path),
                    sizeof(addr.sun_path) - 1);
        return false;
    }
    strcpy(addr.sun_path, chr->path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return open_failed(chr, "cannot make a socket for", err);
    }
    chr->is_socket = true;
    if (options.server) {
        if (!unix_serve(chr, fd, &addr, options.wait, err)) {
            if (chr->listen_fd < 0) {
                close(fd);
            }
            return false;
        }
        return true;
    }
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
        open_failed(chr, "cannot connect to", err);
        close(fd);
        return false;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    peer_adopt(chr, fd);
    return true;
}

static bool unix_open(Chardev *chr, const char *text, GError **err)
{
    char **words = g_strsplit(text, ",", -1);
    bool ok = words[0] && unix_open_path(chr, words, err);

    g_strfreev(words);
    return ok;
}

static bool spec_open(Chardev *chr, const char *spec, GError **err)
{
    static const char *const names[] = { "null", "stdio", "file:PATH", "pty",
                                         "unix:PATH", NULL };
    const char *nearest;

    if (strcmp(spec, "null") == 0) {
        return true;
    } else if (strcmp(spec, "stdio") == 0) {
        return stdio_open(chr, err);
    } else if (strcmp(spec, "pty") == 0) {
        return pty_open(chr, err);
    } else if (g_str_has_prefix(spec, "file:") && spec[5]) {
        return file_open(chr, spec + 5, err);
    } else if (g_str_has_prefix(spec, "unix:") && spec[5] && spec[5] != ',') {
        return unix_open(chr, spec + 5, err);
    }
    nearest = nearest_name(spec, names);
    g_set_error(err, FLATVIEW_ERROR, 0,
                "chardev '%s': there is no kind '%s'; %s%s%s", chr->id, spec,
                nearest ? "did you mean '" : "it can be null, stdio, "
                          "file:PATH, pty, unix:PATH[,server=on][,wait=off]",
                nearest ? nearest : "", nearest ? "'?" : "");
    return false;
}

Chardev *chardev_open(const char *id, const char *spec, GError **err)
{
    Chardev *chr = g_new0(Chardev, 1);

    signal(SIGPIPE, SIG_IGN); /* a peer that goes is an EPIPE */
    chr->id = g_strdup(id);
    chr->in_fd = chr->out_fd = chr->listen_fd = -1;
    chr->pending = g_byte_array_new();
    chr->queue = g_byte_array_new();
    timer_init(&chr->retry, on_retry, chr);
    if (!spec_open(chr, spec, err)) {
        chardev_close(chr);
        return NULL;
    }
    return chr;
}

/* ---- the rest of the life -------------------------------------------------------------- */

static void output_flush(Chardev *chr)
{
    while (chr->out_fd >= 0 && chr->queue->len) {
        struct pollfd p = { .fd = chr->out_fd, .events = POLLOUT };
        size_t done;

        if (poll(&p, 1, FLUSH_MS) <= 0) {
            break;
        }
        done = output_write(chr, chr->queue->data, chr->queue->len);
        g_byte_array_remove_range(chr->queue, 0, done);
        if (done == 0) {
            break;
        }
    }
}

void chardev_close(Chardev *chr)
{
    if (!chr) {
        return;
    }
    memory_lock();
    chr->frontend = NULL;
    output_flush(chr);
    watch_set(chr, &chr->in, -1, 0, NULL);
    watch_set(chr, &chr->out, -1, 0, NULL);
    watch_set(chr, &chr->listen, -1, 0, NULL);
    timer_cleanup(&chr->retry);
    if (chr->is_pty) {
        chr->in_fd = chr->out_fd = -1; /* both are the master's */
    }
    if (chr->out_fd >= 0 && chr->out_fd != chr->in_fd) {
        close(chr->out_fd);
    }
    if (chr->in_fd >= 0) {
        close(chr->in_fd);
    }
    if (chr->listen_fd >= 0) {
        close(chr->listen_fd);
        if (chr->is_socket) {
            unlink(chr->path);
        }
    }
    if (chr->is_stdio) {
        terminal_restore();
        stdio_user = NULL;
    }
    memory_unlock();
    g_byte_array_free(chr->pending, TRUE);
    g_byte_array_free(chr->queue, TRUE);
    g_free(chr->path);
    g_free(chr->id);
    g_free(chr);
}

const char *chardev_id(const Chardev *chr)
{
    return chr->id;
}

bool chardev_attach(Chardev *chr, const ChardevFrontend *frontend, void *opaque,
                    GError **err)
{
    if (!chr) {
        return true;
    }
    if (chr->frontend) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s' is in use by another device", chr->id);
        return false;
    }
    memory_lock();
    chr->frontend = frontend;
    chr->opaque = opaque;
    chardev_accept_input(chr);
    memory_unlock();
    return true;
}

void chardev_detach(Chardev *chr)
{
    if (chr) {
        memory_lock();
        chr->frontend = NULL;
        chr->refused = false;
        chardev_update_input(chr);
        memory_unlock();
    }
}

void chardev_set_escape(Chardev *chr, ChardevEscape *escape, void *opaque)
{
    if (chr->is_stdio && isatty(STDIN_FILENO)) {
        memory_lock();
        chr->escape = escape;
        chr->escape_opaque = opaque;
        chardev_update_input(chr);
        memory_unlock();
    }
}
