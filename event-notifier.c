/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EventNotifier over eventfd(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "event-notifier.h"

int event_notifier_init(EventNotifier *e, int active)
{
    e->fd = eventfd(active ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
    return e->fd < 0 ? -errno : 0;
}

void event_notifier_init_fd(EventNotifier *e, int fd)
{
    int flags = fcntl(fd, F_GETFL);

    /* A blocking descriptor would make test_and_clear wait for a signal. */
    if (flags >= 0 && !(flags & O_NONBLOCK)) {
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    e->fd = fd;
}

void event_notifier_cleanup(EventNotifier *e)
{
    if (e->fd >= 0) {
        close(e->fd);
    }
    e->fd = -1;
}

int event_notifier_get_fd(const EventNotifier *e)
{
    return e->fd;
}

int event_notifier_set(EventNotifier *e)
{
    static const uint64_t one = 1;
    ssize_t n;

    do {
        n = write(e->fd, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);

    /* A full counter is as signalled as can be. */
    return n < 0 && errno != EAGAIN ? -errno : 0;
}

int event_notifier_test_and_clear(EventNotifier *e)
{
    uint64_t count;
    ssize_t n;

    do {
        n = read(e->fd, &count, sizeof(count));
    } while (n < 0 && errno == EINTR);
    return n == sizeof(count);
}
