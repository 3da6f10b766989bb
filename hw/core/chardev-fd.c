/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What character devices on file descriptors share: two streams, watched by the
 * main loop only while there is something to do with them.
 */
#include "hw/core/chardev-internal.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX 32768
#define FLUSH_MS 1000 /* how long closing waits for a slow peer */

/* ---- sources of the main loop -------------------------------------------------- */

typedef struct WatchSource {
    GSource base;
    Watch *watch;
} WatchSource;

static gboolean watch_dispatch(GSource *source, GSourceFunc callback,
                               gpointer opaque)
{
    Watch *watch = ((WatchSource *)source)->watch;
    GIOCondition cond;
    int64_t time;

    memory_lock();
    /* Another thread may have changed meanwhile what is watched. */
    if (!g_source_is_destroyed(source)) {
        time = g_source_get_ready_time(source);
        cond = watch->tag ? g_source_query_unix_fd(source, watch->tag) : 0;
        if (time >= 0 && time <= g_source_get_time(source)) {
            g_source_set_ready_time(source, -1);
            watch->ready(watch->opaque, 0);
        } else if (cond) {
            watch->ready(watch->opaque, cond);
        }
    }
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_funcs = { .dispatch = watch_dispatch };

void watch_init(Watch *watch, void (*ready)(void *opaque, GIOCondition cond),
                void *opaque)
{
    watch->source = g_source_new(&watch_funcs, sizeof(WatchSource));
    watch->ready = ready;
    watch->opaque = opaque;
    ((WatchSource *)watch->source)->watch = watch;
    /* Otherwise the main loop takes the descriptor out while it calls us, and
     * wakes itself up to put it back. */
    g_source_set_can_recurse(watch->source, TRUE);
    g_source_attach(watch->source, NULL);
}

void watch_cleanup(Watch *watch)
{
    if (watch->source) {
        g_source_destroy(watch->source);
        g_clear_pointer(&watch->source, g_source_unref);
        watch->tag = NULL;
    }
}

void watch_set(Watch *watch, int fd, GIOCondition cond)
{
    if (watch->tag && (cond == 0 || fd != watch->fd)) {
        g_source_remove_unix_fd(watch->source, watch->tag);
        watch->tag = NULL;
    }
    if (cond == 0) {
        return;
    }
    if (!watch->tag) {
        watch->tag = g_source_add_unix_fd(watch->source, fd, cond);
    } else if (watch->cond != cond) {
        g_source_modify_unix_fd(watch->source, watch->tag, cond);
    }
    watch->fd = fd;
    watch->cond = cond;
}

void watch_after(Watch *watch, int ms)
{
    g_source_set_ready_time(watch->source,
                            ms < 0 ? -1 : g_get_monotonic_time() +
                                          ms * INT64_C(1000));
}

/* ---- output ---------------------------------------------------------------------- */

short chardev_fd_events(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

size_t chardev_fd_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    ChardevFd *s = (ChardevFd *)chr;
    size_t done = 0;

    if (s->out_fd < 0) {
        return len;
    }
    while (done < len) {
        ssize_t n;

        if (s->out_blocks && !chardev_fd_events(s->out_fd, POLLOUT)) {
            break;
        }
        n = write(s->out_fd, buf + done, len - done);
        if (n > 0) {
            done += n;
        } else if (n == 0 || errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            if (errno != EPIPE && !s->hung_up && !s->reported) {
                s->reported = true;
                g_printerr("chardev '%s': cannot write to %s: %s; output is "
                           "lost\n", chr->id, s->out_path, g_strerror(errno));
            }
            return len;
        }
    }
    return done;
}

static void on_output(void *opaque, GIOCondition cond)
{
    chardev_output(opaque);
}

/* ---- input --------------------------------------------------------------------- */

static void input_ended(ChardevFd *s)
{
    if (!s->hung_up) {
        watch_set(&s->in, -1, 0);
        close(s->in_fd);
        s->in_fd = -1;
        chardev_input_ended(&s->chr);
    } else if (!(s->may_listen || chardev_answers(&s->chr)) ||
               (chardev_fd_events(s->in_fd, 0) & (POLLHUP | POLLERR))) {
        s->hung_up(s);
    } else {
        s->half_closed = true;
        chardev_input_ended(&s->chr);
    }
}

/* Read once. False: there is no more, for now or for ever. */
static bool input_read(ChardevFd *s, size_t room)
{
    uint8_t buf[READ_MAX];
    ssize_t n = read(s->in_fd, buf, MIN(room, sizeof(buf)));

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    if (n <= 0) {
        input_ended(s);
        return false;
    }
    chardev_input(&s->chr, buf, n);
    return s->in_fd >= 0;
}

/* Watch for what can be dealt with, and for nothing that would spin. With @lazy
 * input for which there is no room is waited for: mostly there is room again
 * before it comes. */
static void input_watch(ChardevFd *s, bool lazy)
{
    GIOCondition cond = 0;

    if (s->in_fd >= 0) {
        if (!s->half_closed &&
            ((lazy && s->in.tag && (s->in.cond & G_IO_IN)) ||
             chardev_input_room(&s->chr))) {
            cond = G_IO_IN | G_IO_HUP | G_IO_ERR;
        } else if (s->hung_up) {
            cond = G_IO_HUP | G_IO_ERR;
        }
    }
    watch_set(&s->in, s->in_fd, cond);
}

static void on_input(void *opaque, GIOCondition cond)
{
    ChardevFd *s = opaque;
    size_t room;

    if (s->reading) {
        return; /* a frontend runs the main loop, and has what we read */
    }
    s->reading = true;
    room = chardev_input_room(&s->chr);
    if (room && !s->half_closed) {
        input_read(s, room);
    } else if (s->hung_up && (cond & (G_IO_HUP | G_IO_ERR))) {
        /* The peer has gone: what it sent is kept here, the next may come. */
        while (s->in_fd >= 0 && input_read(s, CHARDEV_TYPED_MAX)) {
        }
    }
    s->reading = false;
    if (room == 0) {
        input_watch(s, false);
    }
    chardev_fd_update(&s->chr);
}

void chardev_fd_update(Chardev *chr)
{
    ChardevFd *s = (ChardevFd *)chr;

    if (s->in.source) {
        input_watch(s, true);
        watch_set(&s->out, s->out_fd,
                  s->out_fd >= 0 && queue_len(&chr->queue) ? G_IO_OUT : 0);
    }
}

/* ---- life ---------------------------------------------------------------------- */

void chardev_fd_init(ChardevFd *s)
{
    s->in_fd = s->out_fd = -1;
    watch_init(&s->in, on_input, s);
    watch_init(&s->out, on_output, s);
}

void chardev_fd_opened(ChardevFd *s, int fd)
{
    s->in_fd = s->out_fd = fd;
    s->half_closed = false;
    chardev_opened(&s->chr);
}

static void output_flush(ChardevFd *s)
{
    ByteQueue *queue = &s->chr.queue;

    while (s->out_fd >= 0 && queue_len(queue)) {
        struct pollfd p = { .fd = s->out_fd, .events = POLLOUT };
        size_t done;

        if (poll(&p, 1, FLUSH_MS) <= 0) {
            break;
        }
        done = chardev_fd_write(&s->chr, queue_data(queue), queue_len(queue));
        queue_take(queue, done);
        if (done == 0) {
            break;
        }
    }
}

void chardev_fd_close(ChardevFd *s)
{
    output_flush(s);
    watch_cleanup(&s->in);
    watch_cleanup(&s->out);
    if (s->out_fd >= 0 && s->out_fd != s->in_fd) {
        close(s->out_fd);
    }
    if (s->in_fd >= 0) {
        close(s->in_fd);
    }
    s->in_fd = s->out_fd = -1;
}

/* Non-blocking also keeps a FIFO without a reader from hanging us. */
int output_open(const char *path, bool append)
{
    return open(path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC) |
                O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
}

#define READER_PATIENCE_MS 1000 /* for whoever reads a FIFO */

int output_write(int fd, const void *buf, size_t len)
{
    const char *from = buf;

    while (len) {
        struct pollfd reader = { .fd = fd, .events = POLLOUT };
        ssize_t n = write(fd, from, len);

        if (n >= 0) {
            from += n;
            len -= n;
        } else if (errno == EAGAIN) {
            if (poll(&reader, 1, READER_PATIENCE_MS) == 0) {
                return ETIMEDOUT;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

const char *output_stream_error(int error)
{
    return error == ENXIO ? "it is a FIFO that nobody reads" : g_strerror(error);
}

FILE *output_stream_open(const char *path)
{
    int fd = output_open(path, false);

    if (fd < 0) {
        return NULL;
    }
    fcntl(fd, F_SETFL, 0);
    return fdopen(fd, "w");
}
