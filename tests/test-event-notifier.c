/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EventNotifier: signals add up to one, from any thread, and failures are told.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "event-notifier.h"
#include "test-util.h"

static bool readable(const EventNotifier *e)
{
    struct pollfd p = { event_notifier_get_fd(e), POLLIN, 0 };

    return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

START_TEST(signal_and_clear)
{
    EventNotifier e;

    expect(event_notifier_init(&e, 0) == 0, "init");
    expect(event_notifier_get_fd(&e) == e.fd && e.fd >= 0, "descriptor");
    expect(fcntl(e.fd, F_GETFD) & FD_CLOEXEC, "inherited by programs");
    expect(!readable(&e), "signalled at the start");
    expect(event_notifier_test_and_clear(&e) == 0, "signalled at the start");
    expect(event_notifier_set(&e) == 0 && event_notifier_set(&e) == 0, "set");
    expect(readable(&e), "not signalled");
    expect(event_notifier_test_and_clear(&e) == 1, "not signalled");
    expect(event_notifier_test_and_clear(&e) == 0, "signalled twice");
    event_notifier_cleanup(&e);
    expect(e.fd == -1, "not closed");
    event_notifier_cleanup(&e);
    expect(event_notifier_set(&e) == -EBADF, "set after cleanup");
    expect(event_notifier_test_and_clear(&e) == 0, "clear after cleanup");
}
END_TEST

START_TEST(active_from_the_start)
{
    EventNotifier e;

    expect(event_notifier_init(&e, 1) == 0, "init");
    expect(event_notifier_test_and_clear(&e) == 1, "not signalled");
    expect(event_notifier_test_and_clear(&e) == 0, "signalled twice");
    event_notifier_cleanup(&e);
}
END_TEST

/* A counter that can take no more is signalled all the same. */
START_TEST(full_counter)
{
    EventNotifier e;
    uint64_t most = UINT64_MAX - 1;

    expect(event_notifier_init(&e, 0) == 0, "init");
    expect(write(e.fd, &most, sizeof(most)) == sizeof(most), "fill");
    expect(event_notifier_set(&e) == 0, "set");
    expect(event_notifier_test_and_clear(&e) == 1, "not signalled");
    expect(event_notifier_test_and_clear(&e) == 0, "signalled twice");
    event_notifier_cleanup(&e);
}
END_TEST

/* An adopted descriptor that blocks must not hold us up. */
START_TEST(adopted)
{
    EventNotifier e;
    int fd = eventfd(0, 0);

    event_notifier_init_fd(&e, fd);
    expect(event_notifier_get_fd(&e) == fd, "another descriptor");
    expect(event_notifier_test_and_clear(&e) == 0, "signalled");
    expect(event_notifier_set(&e) == 0, "set");
    expect(event_notifier_test_and_clear(&e) == 1, "not signalled");
    event_notifier_cleanup(&e);
    expect(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "left open");
}
END_TEST

START_TEST(no_descriptors)
{
    struct rlimit limit, none;
    EventNotifier e;

    expect(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    none = limit;
    none.rlim_cur = 0;
    expect(!setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
    expect(event_notifier_init(&e, 0) == -EMFILE, "no failure");
    expect(e.fd == -1, "a descriptor");
    event_notifier_cleanup(&e);
    setrlimit(RLIMIT_NOFILE, &limit);
}
END_TEST

static void *signaller(void *opaque)
{
    event_notifier_set(opaque);
    return NULL;
}

START_TEST(from_another_thread)
{
    EventNotifier e;
    pthread_t thread;
    struct pollfd p;

    expect(event_notifier_init(&e, 0) == 0, "init");
    expect(!pthread_create(&thread, NULL, signaller, &e), "thread");
    p = (struct pollfd){ e.fd, POLLIN, 0 };
    expect(poll(&p, 1, -1) == 1, "poll");
    expect(event_notifier_test_and_clear(&e) == 1, "not signalled");
    pthread_join(thread, NULL);
    event_notifier_cleanup(&e);
}
END_TEST

TEST_MAIN("event-notifier", signal_and_clear, active_from_the_start,
          full_counter, adopted, no_descriptors, from_another_thread)
