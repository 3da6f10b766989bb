/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server over a console whose guest is the test: what clients see, what comes of
 * their keys, pointers and texts, who is let in, and where it listens.
 */
#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rfb/rfb.h>

#include "tests/vnc-client.h"

static GError *err;
static VncDisplay *server;
static char *path;

/* A server at @path with these settings, and a picture. */
static void begin(const char *settings)
{
    g_autofree char *text = NULL;

    vnc_world_init(200, 100);
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

static Client *served(void)
{
    return client_open(path);
}

/* ---- the picture ----------------------------------------------------------------------------- */

START_TEST(picture)
{
    Client *c;

    begin("");
    c = served();
    ck_assert_str_eq(c->name, "flatview");
    expect(c->width == 200 && c->height == 100, "%dx%d", c->width, c->height);
    client_request(c, false);
    expect(client_receive(c), "a picture");
    expect(client_is_current(c), "the picture");

    /* All sides of tiles, one after the other. */
    for (unsigned i = 0; i < 100; i++) {
        vnc_world_scribble(i * 2, i, 1 + i % 37 % (200 - i * 2), 1 + i % 5 % (100 - i));
        client_follow(c);
    }
    client_close(c);
    end();
}
END_TEST

/* What is told as changed and is not is not sent; of the rest no more than its tiles. */
START_TEST(changes)
{
    Client *c;

    begin("");
    c = served();
    client_follow(c);
    client_request(c, true);
    memory_lock();
    console_changed(vnc_world.console, 0, 0, 200, 100);
    memory_unlock();
    for (unsigned before = vnc_world.refreshes; vnc_world.refreshes < before + 4;) {
        run_a_while();
    }
    c->updates = c->area = 0;
    vnc_world.pixels[50 * 200 + 100] ^= 0xffffff;
    memory_lock();
    console_changed(vnc_world.console, 0, 0, 200, 100);
    memory_unlock();
    expect(client_receive(c), "a change");
    expect(client_is_current(c), "the change");
    expect(c->updates == 1 && c->area <= 16 * 16, "%u updates, %" PRIu64 " pixels",
           c->updates, c->area);
    client_close(c);
    end();
}
END_TEST

/* Every depth that pixman knows arrives as what it means. */
START_TEST(formats)
{
    static const pixman_format_code_t formats[] = {
        PIXMAN_x1r5g5b5, PIXMAN_r5g6b5, PIXMAN_r8g8b8, PIXMAN_x8r8g8b8,
    };
    Client *c;

    begin("");
    c = served();
    for (unsigned i = 0; i < G_N_ELEMENTS(formats); i++) {
        pixman_image_t *image = pixman_image_create_bits(formats[i], 200, 100, NULL, 0);

        vnc_world_scribble(0, 0, 200, 100);
        image_convert(image, vnc_world.image, 0, 0, 200, 100);
        image_convert(vnc_world.image, image, 0, 0, 200, 100);
        memory_lock();
        console_set_image(vnc_world.console, image);
        memory_unlock();
        client_follow(c);
        memory_lock();
        console_set_image(vnc_world.console, vnc_world.image);
        memory_unlock();
        pixman_image_unref(image);
    }
    client_close(c);
    end();
}
END_TEST

START_TEST(resizes)
{
    static const int sizes[][2] = {
        { 320, 200 }, { 720, 400 }, { 1, 1 }, { 640, 480 }, { 17, 333 }, { 200, 100 },
    };
    Client *c, *old;

    begin("");
    c = served();
    old = served(); /* does not know of sizes */
    client_encodings(c, 2, 0, -223);
    client_follow(c);
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        client_request(c, true); /* waits */
        client_request(old, true);
        vnc_world_resize(sizes[i][0], sizes[i][1]);
        client_follow(c);
        expect(client_receive(old), "what fits into the old size");
        expect(old->width == 200 && old->height == 100, "it is the same");
    }
    client_follow(old);
    client_close(c);
    client_close(old);
    end();
}
END_TEST

/* A viewer's window has another size; it is for the guest to follow. */
START_TEST(wanted_size)
{
    Client *c;

    begin("");
    c = served();
    client_encodings(c, 2, 0, -308);
    client_request(c, true);
    while (!c->sizes) {
        expect(client_receive(c), "the size there is");
    }
    c->sizes = 0;
    client_want_size(c, 800, 600);
    client_request(c, true);
    while (!c->sizes) {
        expect(client_receive(c), "an answer");
    }
    expect(c->size_reason == 1 && c->size_status == 4, "reason %u, status %u",
           c->size_reason, c->size_status);
    run_until(vnc_world.wants_width == 800 && vnc_world.wants_height == 600);
    vnc_world_resize(800, 600);
    client_follow(c);
    expect(c->size_reason == 0 && c->size_status == 0, "it has done so");
    client_want_size(c, 0, 600);
    client_want_size(c, 65535, 65535);
    client_want_size(c, 640, 480);
    /* A client that leaves an update is not listened to: take what is under way. */
    vnc_world_scribble(0, 0, 1, 1);
    client_follow(c);
    run_until(vnc_world.wants_width == 640);
    client_close(c);
    end();
}
END_TEST

START_TEST(large_picture)
{
    Client *c;

    begin("");
    vnc_world_resize(CONSOLE_SIZE_MAX, 2);
    c = served();
    expect(c->width == VNC_SIZE_MAX && c->height == 2, "%dx%d", c->width, c->height);
    client_request(c, false);
    expect(client_receive(c), "a line that the library can take");
    for (int x = 0; x < c->width; x++) {
        expect(((c->pixels[x] ^ vnc_world.pixels[x]) & 0xffffff) == 0, "at %d", x);
    }
    client_close(c);
    end();
}
END_TEST

/* Nobody looks: nothing is done. */
START_TEST(nobody)
{
    Client *c, *half;

    begin("");
    expect(!vnc_world.watched && !server->shadow, "no client");
    half = client_dial(path);
    client_version(half, 8);
    for (unsigned i = 0; i < 100; i++) {
        run_a_while();
    }
    expect(!vnc_world.watched, "one who is not let in yet");
    c = served();
    expect(vnc_world.watched, "a client");
    client_close(c);
    run_until(!vnc_world.watched);
    expect(!server->shadow, "and no memory for it");
    client_close(half);
    run_until(server->clients->len == 0);
    ck_assert_str_eq(vnc_world.events->str, "ccidd");
    end();
}
END_TEST

/* What the console showed while nobody looked is not what the first one sees. */
START_TEST(first_picture)
{
    Client *c;

    begin("");
    c = served();
    client_follow(c);
    client_close(c);
    run_until(!vnc_world.watched);
    vnc_world.drawn_late = 0x123456;
    c = client_dial(path);
    expect(client_prove(c, 8, NULL), "no password");
    client_put(c, "\1", 1);
    while (!vnc_world.watched) {
        g_main_context_iteration(NULL, TRUE);
    }
    expect(!vnc_world.drawn_late, "it is drawn before anything is sent");
    client_close(c);
    c = served();
    client_request(c, false);
    expect(client_receive(c) && client_is_current(c), "what is there now");
    client_close(c);
    end();
}
END_TEST

static void no_refresh(void *opaque)
{
}

static const ConsoleOps idle_ops = { .refresh = no_refresh, .invalidate = no_refresh };

START_TEST(no_console)
{
    Console *second;
    Client *c;

    begin("");
    c = served();
    client_encodings(c, 2, 0, -223);
    client_follow(c);

    /* The one it shows goes, and there is another one. */
    memory_lock();
    second = console_new(NULL, 0, &idle_ops, NULL);
    console_free(vnc_world.console);
    memory_unlock();
    client_request(c, true);
    while (c->width != 640) {
        expect(client_receive(c), "a size");
        client_request(c, true);
    }
    memory_lock();
    console_free(second);
    memory_unlock();
    expect(!server->viewer.console, "none is left");
    memory_lock();
    vnc_world.console = console_new(NULL, 0, &idle_ops, NULL);
    memory_unlock();
    expect(server->viewer.console == vnc_world.console, "a new one");
    vnc_world_resize(30, 40);
    client_follow(c);
    client_close(c);
    end();
}
END_TEST

/* ---- keys, pointer, texts ---------------------------------------------------------------------- */

/* Whatever was sent before has been seen to when this comes back. */
static void settle(Client *c)
{
    vnc_world.pixels[0] ^= 0xffffff;
    memory_lock();
    console_changed(vnc_world.console, 0, 0, 1, 1);
    memory_unlock();
    client_follow(c);
}

static void expect_input(const char *wanted)
{
    memory_lock();
    ck_assert_str_eq(vnc_world.input->str, wanted);
    g_string_truncate(vnc_world.input, 0);
    memory_unlock();
}

static void extended_key(Client *c, unsigned down, uint32_t symbol, unsigned number)
{
    const uint8_t msg[12] = {
        255, 0, 0, down, symbol >> 24, symbol >> 16, symbol >> 8, symbol, 0, 0, 0, number,
    };

    client_put(c, msg, sizeof(msg));
}

START_TEST(keys)
{
    Client *c;

    begin("");
    c = served();
    client_key(c, true, 'a');
    client_key(c, false, 'a');
    settle(c);
    expect_input("+30 -30 ");
    client_key(c, true, 0xffe1); /* Shift */
    client_key(c, true, 'A');
    client_key(c, false, 'A');
    client_key(c, false, 0xffe1);
    settle(c);
    expect_input("+42 +30 -30 -42 ");
    client_key(c, true, 0x12345678); /* no such symbol */
    client_key(c, false, 0x12345678);
    settle(c);
    expect_input("");

    client_encodings(c, 2, 0, -258);
    while (!c->said_keys) {
        expect(client_receive(c), "an answer");
    }
    extended_key(c, 1, 'y', 0x2c); /* the key beside Shift, whatever its symbol */
    extended_key(c, 0, 'y', 0x2c);
    extended_key(c, 1, 0xff53, 0xcd); /* Right, after 0xe0 */
    extended_key(c, 0, 0xff53, 0xcd);
    extended_key(c, 1, 'b', 0); /* the client does not know */
    extended_key(c, 0, 'b', 0);
    settle(c);
    expect_input("+44 -44 +106 -106 +48 -48 ");

    /* It goes with keys and buttons down. */
    client_key(c, true, 'x');
    client_pointer(c, 1, 5, 5);
    settle(c);
    expect_input("+45 +272 ");
    client_close(c);
    run_until(server->clients->len == 0);
    expect_input("-272 -45 ");
    end();
}
END_TEST

START_TEST(pointer)
{
    Client *c;

    begin("");
    c = served();
    client_pointer(c, 0, 10, 20); /* where it comes in */
    client_pointer(c, 0, 13, 18);
    client_pointer(c, 7, 13, 18);
    client_pointer(c, 2, 12, 18);
    client_pointer(c, 0, 12, 18);
    client_pointer(c, 8, 12, 18);
    client_pointer(c, 0, 12, 18);
    client_pointer(c, 16, 12, 18);
    client_pointer(c, 0, 12, 18);
    settle(c);
    expect_input("m3,-2,0 +272 +274 +273 m-1,0,0 -272 -273 -274 m0,0,-1 m0,0,1 ");

    client_encodings(c, 2, 0, -257);
    while (!c->said_motion) {
        expect(client_receive(c), "an answer");
    }
    client_pointer(c, 0, 0x7fff + 5, 0x7fff - 6);
    client_pointer(c, 1, 0x7fff, 0x7fff);
    client_pointer(c, 0, 0x7fff, 0x7fff);
    settle(c);
    expect_input("m5,-6,0 +272 -272 ");
    client_encodings(c, 1, 0); /* and no more */
    client_pointer(c, 0, 50, 50);
    client_pointer(c, 0, 51, 52);
    settle(c);
    expect_input("m1,2,0 ");
    client_close(c);
    end();
}
END_TEST

START_TEST(texts)
{
    g_autofree char *large = g_strnfill(1 << 20, 'L');
    Client *a, *b, *other;

    begin("");
    a = served();
    b = served();
    other = client_dial(path); /* is not let in yet */
    client_version(other, 8);
    client_cut(a, "cut \xe4nd pasted", 14);
    while (!b->cut->len) {
        expect(client_receive(b), "a text");
    }
    ck_assert_str_eq(b->cut->str, "cut \xe4nd pasted");
    client_cut(b, large, 1 << 20);
    while (!a->cut->len) {
        expect(client_receive(a), "a large text");
    }
    expect(a->cut->len == 1 << 20 && strcmp(a->cut->str, large) == 0, "the large text");
    client_cut(b, "", 0);
    while (a->cut->len) {
        expect(client_receive(a), "no text");
    }
    settle(a);
    settle(b);
    expect(b->cut->len == 14, "its own does not come back");
    client_close(a);
    client_close(b);
    client_close(other);
    end();
}
END_TEST

/* ---- who is let in --------------------------------------------------------------------------------- */

/* Whether @password opens the server. */
static bool opens(const char *password, unsigned minor)
{
    Client *c = client_dial(path);
    bool proved = client_prove(c, minor, password);

    if (proved) {
        expect(client_start(c, true), "it is in");
    } else {
        client_expect_end(c);
    }
    client_close(c);
    return proved;
}

static void set_password(const char *password)
{
    expect(display_module.set_password(&server->display, password, &err), "%s",
           err ? err->message : "?");
}

START_TEST(passwords)
{
    const int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    Client *c;
    VncDisplay *open;
    g_autofree char *beside = g_build_filename(test_folder(), "open", NULL);
    g_autofree char *text = g_strconcat("unix:", beside, NULL);
    uint8_t answer[16], one = 1;

    begin(",password=on");
    expect(!opens("x", 8), "there is none yet");
    set_password("sesame");
    for (unsigned minor = 3; minor <= 8; minor++) {
        expect(opens("sesame", minor), "the password, 3.%u", minor);
        expect(!opens("sesamE", minor), "another one, 3.%u", minor);
    }
    expect(opens("sesame", 889), "a version of tomorrow");
    expect(!opens("sesame2", 8), "a longer one");
    set_password("eight letters and more");
    expect(opens("eight le", 8), "eight letters");
    expect(!opens("eight l", 8), "seven");

    display_module.expire_password(&server->display, now - 1, NULL);
    expect(!opens("eight le", 8), "it was good yesterday");
    display_module.expire_password(&server->display, now + 1000, NULL);
    expect(opens("eight le", 8), "still");
    display_module.expire_password(&server->display, INT64_MAX, NULL);
    expect(opens("eight le", 8), "for ever");

    /* The library cannot make a cipher of this one, and leaves the challenge as it is. */
    set_password("");
    expect(!opens("", 8), "no password");
    c = client_dial(path);
    client_version(c, 8);
    expect(client_get(c, answer, 2), "an offer");
    client_put(c, &answer[1], 1);
    expect(client_get(c, answer, 16), "a challenge");
    client_put(c, answer, 16);
    expect(client_get_number(c) == 1, "a mirror is no key");
    client_close(c);

    /* A server that asks for nothing, in the same process, opens no other. */
    open = server_open(text, &err);
    expect(open, "%s", err ? err->message : "?");
    c = client_open(beside);
    client_close(c);
    c = client_dial(path);
    client_version(c, 8);
    expect(client_get(c, answer, 2) && answer[1] == 2, "an offer");
    client_put(c, &one, 1);
    client_expect_end(c);
    client_close(c);
    expect(!display_module.set_password(&open->display, "x", &err), "it asks for none");
    expect_error(err, "password=on", NULL);
    server_close(open);
    end();
}
END_TEST

static unsigned served_nr(void)
{
    unsigned nr = 0;

    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < server->clients->len; i++) {
        nr += ((VncClient *)server->clients->pdata[i])->state == VNC_SERVED;
    }
    pthread_mutex_unlock(&server->lock);
    return nr;
}

/* One that wants to be alone, or not; NULL: it is sent away. */
static Client *one_more(bool shared)
{
    Client *c = client_dial(path);

    expect(client_prove(c, 8, NULL), "no password");
    if (client_start(c, shared)) {
        return c;
    }
    client_close(c);
    return NULL;
}

START_TEST(sharing)
{
    Client *a, *b, *alone;

    begin("");
    a = one_more(true);
    b = one_more(true);
    settle(a);
    settle(b);
    alone = one_more(false);
    expect(alone, "it may be alone");
    client_expect_end(a);
    client_expect_end(b);
    settle(alone);
    expect(!one_more(true), "and stays so");
    settle(alone);
    client_close(a);
    a = one_more(false);
    client_expect_end(alone);
    client_close(a);
    client_close(b);
    client_close(alone);
    end();

    begin(",share=force-shared");
    a = one_more(true);
    expect(!one_more(false), "nobody is alone here");
    b = one_more(true);
    settle(a);
    settle(b);
    client_close(a);
    client_close(b);
    end();

    begin(",share=ignore");
    a = one_more(false);
    b = one_more(false);
    alone = one_more(true);
    settle(a);
    settle(b);
    expect(served_nr() == 3, "whatever they want");
    client_close(a);
    client_close(b);
    client_close(alone);
    end();
}
END_TEST

/* ---- where it is ---------------------------------------------------------------------------------------- */

static void refused(const char *text, const char *word)
{
    expect(!server_open(text, &err), "%s is taken", text);
    expect_error(err, word, NULL);
    err = NULL;
}

START_TEST(places)
{
    g_autofree char *file = g_build_filename(test_folder(), "file", NULL);
    g_autofree char *unix_file = g_strconcat("unix:", file, NULL);
    g_autofree char *far = g_strnfill(200, 'x');
    g_autofree char *unix_far = g_strconcat("unix:/", far, NULL);
    g_autofree char *taken = NULL;

    begin("");
    refused("", "place");
    refused("localhost", "'localhost'");
    refused("localhost:", "'localhost:'");
    refused("localhost:x", "HOST:DISPLAY");
    refused("localhost:-1", "HOST:DISPLAY");
    refused("localhost:59636", "beyond the last");
    refused("localhost:1,share=all", "share=all");
    refused("localhost:1,display=nosuch", "nosuch");
    refused("localhost:1,ipv4=off,ipv6=off", "ipv4=off");
    refused("no.such.host.example.invalid:1", "no.such.host");
    refused("localhost:1,to=x", "'to'");
    refused("localhost:1,nosuch=x", "nosuch");
    refused(unix_far, "bytes long");
    refused("unix:/no/such/folder/socket", "/no/such/folder/socket");
    expect(g_file_set_contents(file, "", 0, NULL), "a file");
    refused(unix_file, "not a socket");
    taken = g_strconcat("unix:", path, NULL);
    refused(taken, "in use");
    refused("unix:/no/such/viewer,reverse=on", "/no/such/viewer");
    end();
}
END_TEST

START_TEST(keyboards)
{
    VncDisplay *d = g_malloc0(display_module.size);

    vnc_world_init(10, 10);
    properties_init(display_module.properties, d);
    d->display.keyboard = "nosuch";
    d->address = g_strdup("none");
    expect(!display_module.open(&d->display, &err), "no such layout");
    expect_error(err, "nosuch", NULL);
    properties_clear(display_module.properties, d);
    g_free(d);
    vnc_world_end();
}
END_TEST

/* A killed program's socket is in nobody's way; ours goes with the server. */
START_TEST(sockets)
{
    g_autofree char *stale = g_build_filename(test_folder(), "stale", NULL);
    g_autofree char *text = g_strconcat("unix:", stale, NULL);
    struct stat st;

    begin("");
    server_close(server);
    expect(lstat(path, &st) < 0, "%s is left", path);
    for (unsigned i = 0; i < 2; i++) {
        server = server_open(text, &err);
        expect(server, "%s", err ? err->message : "?");
        if (i == 0) {
            g_clear_pointer(&server->socket_path, g_free);
            server_close(server);
            expect(lstat(stale, &st) == 0, "%s is left", stale);
        }
    }
    end();
}
END_TEST

START_TEST(ports)
{
    VncDisplay *second;
    DisplayInfo *a, *b;
    DisplayClient *end_a, *end_b;

    vnc_world_init(10, 10);
    server = server_open("127.0.0.1:20000,to=20100", &err);
    expect(server, "%s", err ? err->message : "?");
    a = display_module.info(&server->display);
    expect(a->servers->len == 1 && a->clients->len == 0, "one place");
    end_a = a->servers->pdata[0];
    ck_assert_str_eq(end_a->host, "127.0.0.1");
    ck_assert_str_eq(end_a->family, "ipv4");
    second = server_open("127.0.0.1:20000,to=20100", &err);
    expect(second, "%s", err ? err->message : "?");
    b = display_module.info(&second->display);
    end_b = b->servers->pdata[0];
    expect(atoi(end_a->service) >= 25900 && atoi(end_b->service) > atoi(end_a->service),
           "ports %s and %s", end_a->service, end_b->service);
    server_close(second);
    {
        g_autofree char *same = g_strdup_printf("127.0.0.1:%d",
                                                atoi(end_a->service) - 5900);

        refused(same, "to=N");
    }
    display_info_free(a);
    display_info_free(b);
    server_close(server);
    server = server_open("none", &err);
    expect(server && server->listeners->len == 0, "nowhere");
    path = NULL;
    end();
}
END_TEST

/* The server calls a viewer that listens. */
START_TEST(reverse)
{
    g_autofree char *viewer = g_build_filename(test_folder(), "viewer", NULL);
    g_autofree char *text = g_strconcat("unix:", viewer, ",reverse=on", NULL);
    g_autofree char *tcp = NULL;
    struct sockaddr_in in = { .sin_family = AF_INET };
    socklen_t len = sizeof(in);
    GSocketAddress *address = g_unix_socket_address_new(viewer);
    int fd, tcp_fd;
    Client *c;

    vnc_world_init(20, 20);
    path = NULL;
    {
        struct sockaddr_storage native;

        expect(g_socket_address_to_native(address, &native, sizeof(native), NULL), "it");
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        expect(bind(fd, (struct sockaddr *)&native,
                    g_socket_address_get_native_size(address)) == 0 &&
                   listen(fd, 1) == 0, "a viewer: %s", strerror(errno));
        g_object_unref(address);
    }
    server = server_open(text, &err);
    expect(server, "%s", err ? err->message : "?");
    c = client_of(accept(fd, NULL, NULL));
    expect(client_prove(c, 8, NULL) && client_start(c, true), "the other way round");
    client_follow(c);
    client_close(c);
    close(fd);
    server_close(server);

    tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    expect(bind(tcp_fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
               listen(tcp_fd, 1) == 0 &&
               getsockname(tcp_fd, (struct sockaddr *)&in, &len) == 0, "a port");
    tcp = g_strdup_printf("127.0.0.1:%u,reverse=on", ntohs(in.sin_port));
    server = server_open(tcp, &err);
    expect(server, "%s", err ? err->message : "?");
    c = client_of(accept(tcp_fd, NULL, NULL));
    expect(client_prove(c, 3, NULL) && client_start(c, false), "by TCP");
    client_follow(c);
    client_close(c);
    close(tcp_fd);
    end();
}
END_TEST

START_TEST(information)
{
    DisplayInfo *info;
    DisplayClient *place;
    Client *c;

    begin(",password=on");
    info = display_module.info(&server->display);
    ck_assert_str_eq(info->auth, "vnc");
    place = info->servers->pdata[0];
    ck_assert_str_eq(place->service, path);
    ck_assert_str_eq(place->family, "unix");
    ck_assert_str_eq(place->host, "");
    display_info_free(info);
    c = client_dial(path);
    run_until(server->clients->len == 1);
    info = display_module.info(&server->display);
    expect(info->clients->len == 1, "a client");
    display_info_free(info);
    client_close(c);
    end();
}
END_TEST

TEST_MAIN("vnc", picture, changes, formats, resizes, wanted_size, large_picture, nobody,
          first_picture, no_console, keys, pointer, texts, passwords, sharing, places,
          keyboards, sockets, ports, reverse, information)
