/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server and clients that are many, that stall, that say what makes no sense, or
 * go in the middle of it. Whatever they do, another one goes on seeing the screen.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/vnc-client.h"

#define MANY 100
#define CLIENTS_MAX 256 /* of ui/vnc.c */

static GError *err;
static VncDisplay *server;
static char *path;

static void begin(int width, int height, const char *settings)
{
    g_autofree char *text = NULL;

    vnc_world_init(width, height);
    path = g_build_filename(test_folder(), "vnc", NULL);
    text = g_strconcat("unix:", path, settings, NULL);
    server = server_open(text, &err);
    expect(server, "%s", err ? err->message : "?");
}

static void end(void)
{
    server_close(server);
    vnc_world_end();
    g_free(path);
}

/* They connect together: the server takes a moment for each. */
static void open_clients(Client **list, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        list[i] = client_dial(path);
        test_loop();
    }
    for (unsigned i = 0; i < nr; i++) {
        expect(client_prove(list[i], 8, NULL) && client_start(list[i], true),
               "client %u", i);
    }
}

/* The server still does all that it is for. */
static void expect_service(Client *good)
{
    vnc_world_scribble(vnc_world.width / 3, vnc_world.height / 3, 5, 5);
    client_follow(good);
}

START_TEST(hundred)
{
    Client *list[MANY];

    begin(64, 48, "");
    open_clients(list, MANY);
    for (unsigned round = 0; round < 5; round++) {
        vnc_world_scribble(round * 10, round * 5, 20, 20);
        for (unsigned i = 0; i < MANY; i++) {
            client_follow(list[i]);
        }
    }
    vnc_world_resize(80, 30); /* before they say that they take a size */
    for (unsigned i = 0; i < MANY; i++) {
        client_encodings(list[i], 2, 0, -223);
        client_follow(list[i]);
    }
    for (unsigned i = 0; i < MANY; i += 2) {
        client_close(list[i]);
    }
    run_until(server->clients->len == MANY / 2);
    for (unsigned i = 1; i < MANY; i += 2) {
        expect_service(list[i]);
    }
    for (unsigned i = 1; i < MANY; i += 2) {
        client_close(list[i]);
    }
    run_until(server->clients->len == 0);
    expect(!vnc_world.watched, "nobody looks");
    end();
}
END_TEST

/* Whether the server has sent as much as the connection takes. */
static bool is_full(const Client *c)
{
    int before, after;

    ioctl(c->fd, FIONREAD, &before);
    for (unsigned i = 0; i < 20; i++) {
        run_a_while();
    }
    ioctl(c->fd, FIONREAD, &after);
    return before == after && after > 10000;
}

START_TEST(stalled)
{
    Client *good, *bad;

    begin(1920, 1080, "");
    good = client_open(path);
    client_encodings(good, 2, 0, -223);
    bad = client_open(path);
    client_encodings(bad, 2, 0, -223);
    client_follow(good);
    client_request(bad, false);
    run_until(is_full(bad));

    expect_service(good);
    vnc_world_resize(640, 480); /* of what is being sent */
    client_follow(good);
    vnc_world_resize(1024, 768);
    client_follow(good);
    expect(good->width == 1024, "the size");

    /* It wakes up: all that it was sent makes sense. */
    client_follow(bad);
    expect(bad->width == 1024, "the size");

    /* And the server can end while it stalls. */
    client_request(bad, false);
    run_until(is_full(bad));
    end();
    client_close(bad);
    client_close(good);
}
END_TEST

/* The first steps, cut off at every byte: gone there, or silent until the end. */
START_TEST(unfinished)
{
    static const char steps[] = "RFB 003.008\n\1\1\3";
    Client *silent[sizeof(steps)], *gone[sizeof(steps)], *good;

    begin(50, 50, "");
    good = client_open(path);
    for (unsigned i = 0; i < sizeof(steps); i++) {
        silent[i] = client_dial(path);
        gone[i] = client_dial(path);
        client_put(silent[i], steps, i);
        client_put(gone[i], steps, i);
    }
    for (unsigned i = 0; i < sizeof(steps); i++) {
        client_close(gone[i]);
    }
    run_until(server->clients->len == 1 + sizeof(steps));
    expect_service(good);
    end();
    for (unsigned i = 0; i < sizeof(steps); i++) {
        client_close(silent[i]);
    }
    client_close(good);
}
END_TEST

/* Other things than a version. */
START_TEST(strangers)
{
    static const char *const hellos[] = {
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Origin: http://h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\xfc\x03\x03",
        "<policy-file-request/>",
        "RFB 004.001\n", "RFB 3.8\n\n\n\n\n", "HELO example\r\n", "RFB 00x.008\n",
    };
    char buf[4096];
    Client *good;

    begin(50, 50, "");
    good = client_open(path);
    for (unsigned i = 0; i < G_N_ELEMENTS(hellos); i++) {
        Client *c = client_dial(path);

        client_put(c, hellos[i], strlen(hellos[i]));
        shutdown(c->fd, SHUT_WR);
        while (client_get(c, buf, 1)) {
        }
        client_close(c);
    }
    run_until(server->clients->len == 1);
    expect_service(good);
    client_close(good);
    end();
}
END_TEST

/* Each message that there is not; and those with lengths beyond all. */
START_TEST(messages)
{
    static const uint8_t known[] = { 0, 2, 3, 4, 5, 6, 251, 255 };
    static const struct {
        uint8_t bytes[20];
        unsigned len;
    } bad[] = {
        /* bits, depth, order, true colour, most of each, where each begins */
        { { 0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16 }, 20 },
        { { 0, 0, 0, 0, 0, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16 }, 20 },
        { { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 0, 0, 255, 0, 8, 16 }, 20 },
        { { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 32 }, 20 },
        { { 6, 0, 0, 0, 0x00, 0x10, 0x00, 0x01 }, 8 }, /* a text of 1 MB and a byte */
        { { 6, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff }, 8 },
        { { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 8 }, /* in the extended form */
        { { 255, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 }, /* sound, not offered */
        { { 255, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12 },
    };
    Client *list[256] = { NULL }, *good;

    begin(50, 50, "");
    good = client_open(path);
    for (unsigned batch = 0; batch < 256; batch += 64) {
        open_clients(list, 64);
        for (unsigned i = 0; i < 64; i++) {
            uint8_t msg[20] = { batch + i };

            if (!memchr(known, msg[0], sizeof(known))) {
                client_put(list[i], msg, sizeof(msg));
                client_expect_end(list[i]);
            }
            client_close(list[i]);
        }
    }
    open_clients(list, G_N_ELEMENTS(bad));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        client_encodings(list[i], 1, 0);
        if (bad[i].bytes[0] == 255) {
            client_encodings(list[i], 2, 0, -258);
            expect(client_receive(list[i]) && list[i]->said_keys, "an answer");
        }
        client_put(list[i], bad[i].bytes, bad[i].len);
        client_expect_end(list[i]);
        client_close(list[i]);
    }
    run_until(server->clients->len == 1);
    expect_service(good);
    client_close(good);
    end();
}
END_TEST

/* Rectangles of no pixels, inside the picture, at its edge and beyond, in encodings that
 * divide by their size. */
START_TEST(nothing_wanted)
{
    static const uint8_t rectangles[][8] = {
        { 0, 0, 0, 0, 0, 0, 0, 10 }, { 0, 0, 0, 0, 0, 10, 0, 0 }, { 0 },
        { 0, 5, 0, 5, 0, 0, 0, 5 }, { 0, 50, 0, 0, 0, 10, 0, 10 },
        { 0, 0, 0, 50, 0, 10, 0, 10 }, { 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 10 },
        { 0, 50, 0, 0, 0xff, 0xff, 0xff, 0xff },
    };
    Client *c;

    begin(50, 50, "");
    c = client_open(path);
    for (unsigned encoding = 0; encoding <= 17; encoding++) {
        client_encodings(c, 1, encoding);
        for (unsigned i = 0; i < 2 * G_N_ELEMENTS(rectangles); i++) {
            uint8_t msg[10] = { 3, i & 1 };

            memcpy(msg + 2, rectangles[i / 2], 8);
            client_put(c, msg, sizeof(msg));
        }
        client_encodings(c, 1, 0);
        expect_service(c);
    }
    client_close(c);
    end();
}
END_TEST

/* Messages of the right form with random content: pixel formats, encodings, rectangles
 * beyond the picture, whose size changes all the while. Then bytes of any kind. */
static void put_random(Client *c, GRand *rand)
{
    static const struct {
        uint8_t type, len;
    } kinds[] = { { 0, 20 }, { 2, 36 }, { 3, 10 }, { 4, 8 }, { 5, 6 }, { 6, 16 },
                  { 251, 24 }, { 255, 12 } };
    static const int8_t encodings[] = { 0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 16, 17, -32, -26,
                                        -17, -1 };
    unsigned kind = g_rand_int_range(rand, 0, G_N_ELEMENTS(kinds));
    uint8_t msg[64];
    struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };

    for (unsigned i = 0; i < sizeof(msg); i++) {
        msg[i] = g_rand_int_range(rand, 0, 4) ? g_rand_int_range(rand, 0, 256) : 0;
    }
    if (g_rand_int_range(rand, 0, 50)) {
        msg[0] = kinds[kind].type;
    }
    if (msg[0] == 0 && g_rand_boolean(rand)) {
        msg[4] = 8 << g_rand_int_range(rand, 0, 3); /* bits of a pixel */
        msg[7] &= 1;
    } else if (msg[0] == 2) {
        msg[2] = 0;
        msg[3] = 8;
        for (unsigned i = 0; i < 8; i++) {
            int8_t encoding = encodings[g_rand_int_range(rand, 0,
                                                         G_N_ELEMENTS(encodings))];

            memset(msg + 4 + 4 * i, encoding < 0 ? 0xff : 0, 3);
            msg[7 + 4 * i] = encoding;
        }
    } else if (msg[0] == 3 && g_rand_boolean(rand)) {
        msg[2] = msg[4] = msg[6] = msg[8] = 0;
        msg[7] = g_rand_int_range(rand, 0, 4) ? msg[7] : 0;
    } else if (msg[0] == 6) {
        msg[4] = msg[5] = msg[6] = 0;
        msg[7] = 8;
    } else if (msg[0] == 251) {
        msg[6] = 1;
    }
    if (poll(&pfd, 1, 0) == 1) {
        send(c->fd, msg, kinds[kind].len, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void drop_input(Client *c)
{
    char buf[65536];

    while (recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
    }
}

START_TEST(random_messages)
{
    uint64_t seed = test_number("FLATVIEW_SEED", g_get_real_time());
    GRand *rand = g_rand_new_with_seed(seed);
    Client *list[40], *good;

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    begin(200, 150, "");
    good = client_open(path);
    client_encodings(good, 2, 0, -223);
    open_clients(list, G_N_ELEMENTS(list));
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(list); i++) {
            put_random(list[i], rand);
            if (i % 3) {
                drop_input(list[i]);
            }
        }
        if (round % 10 == 0) {
            vnc_world_resize(g_rand_int_range(rand, 1, 300),
                             g_rand_int_range(rand, 1, 200));
        }
        vnc_world_scribble(0, 0, vnc_world.width, vnc_world.height / 2);
        run_a_while();
    }
    client_follow(good);
    expect_service(good);
    end();
    for (unsigned i = 0; i < G_N_ELEMENTS(list); i++) {
        client_close(list[i]);
    }
    client_close(good);
    g_rand_free(rand);
}
END_TEST

/* ---- limits -------------------------------------------------------------------------------- */

static void allow_descriptors(unsigned nr)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = nr;
    if (limit.rlim_max < nr || setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        fprintf(stderr, "no more than %lu descriptors here\n",
                (unsigned long)limit.rlim_max);
        _exit(0);
    }
}

/* Our end is out of the server's way: a descriptor that the library cannot select. */
static Client *dial_high(void)
{
    Client *c = client_dial(path);
    int high = fcntl(c->fd, F_DUPFD_CLOEXEC, 2048);

    expect(high >= 0, "a high descriptor: %s", strerror(errno));
    close(c->fd);
    c->fd = high;
    test_loop();
    return c;
}

START_TEST(too_many)
{
    Client *list[CLIENTS_MAX], *c;
    char version[1];

    allow_descriptors(4096);
    begin(20, 20, "");
    list[0] = dial_high();
    expect(client_prove(list[0], 8, NULL) && client_start(list[0], true), "the first");
    for (unsigned i = 1; i < CLIENTS_MAX; i++) {
        list[i] = dial_high();
    }
    run_until(server->clients->len == CLIENTS_MAX);

    /* The first that has not said who it is makes room; never one that is served. */
    c = dial_high();
    while (client_get(list[1], version, 1)) {
    }
    expect(client_prove(c, 8, NULL) && client_start(c, true), "one more");
    client_follow(c);
    expect_service(list[0]);
    for (unsigned i = 2; i < CLIENTS_MAX; i++) {
        expect(client_prove(list[i], 8, NULL) && client_start(list[i], true),
               "client %u", i);
    }
    run_until(server->clients->len == CLIENTS_MAX);
    client_close(list[1]);
    list[1] = dial_high();
    client_expect_end(list[1]);
    expect_service(c);
    client_close(c);
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        client_close(list[i]);
    }
    end();
}
END_TEST

START_TEST(high_descriptors)
{
    GArray *fill = g_array_new(FALSE, FALSE, sizeof(int));
    Client *good, *c;
    int fd;

    allow_descriptors(4096);
    begin(20, 20, "");
    good = client_open(path);
    do {
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        expect(fd >= 0, "/dev/null");
        g_array_append_val(fill, fd);
    } while (fd < FD_SETSIZE);
    c = client_dial(path);
    client_expect_end(c);
    client_close(c);
    for (unsigned i = 0; i < fill->len; i++) {
        close(g_array_index(fill, int, i));
    }
    expect_service(good);
    c = client_open(path);
    expect_service(c);
    client_close(c);
    client_close(good);
    g_array_unref(fill);
    end();
}
END_TEST

/* No descriptor for a client: it waits, and the main loop does, too. */
START_TEST(no_descriptors)
{
    Client *good, *c;
    int next;

    begin(20, 20, "");
    good = client_open(path);
    c = client_dial(path);
    next = fcntl(0, F_DUPFD, 0);
    close(next);
    allow_descriptors(next);
    run_until(server->again);
    for (unsigned i = 0; i < 20; i++) {
        expect(!g_main_context_pending(NULL) || server->again, "it tries and tries");
        run_a_while();
    }
    expect_service(good);
    allow_descriptors(1024);
    expect(client_prove(c, 8, NULL) && client_start(c, true), "now there is");
    expect_service(c);
    client_close(c);
    client_close(good);
    end();
}
END_TEST

TEST_MAIN("vnc-clients", hundred, stalled, unfinished, strangers, messages,
          nothing_wanted, random_messages, too_many, high_descriptors, no_descriptors)
