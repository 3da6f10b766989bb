/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See tests/vnc-client.h.
 */
#include "tests/vnc-client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <rfb/rfb.h>

#include "opts.h"
#include "vm-event.h"

VncWorld vnc_world;

/* ---- the machine --------------------------------------------------------------------------- */

static void on_refresh(void *opaque)
{
    vnc_world.refreshes++;
    if (vnc_world.drawn_late) {
        vnc_world_fill(0, 0, vnc_world.width, vnc_world.height, vnc_world.drawn_late);
        vnc_world.drawn_late = 0;
    }
}

static void on_invalidate(void *opaque)
{
}

static void on_watch(void *opaque, bool watched)
{
    vnc_world.watched = watched;
}

static void on_suggest_size(void *opaque, unsigned width, unsigned height)
{
    vnc_world.wants_width = width;
    vnc_world.wants_height = height;
}

static const ConsoleOps console_ops = {
    .suggest_size = on_suggest_size,
    .refresh = on_refresh,
    .invalidate = on_invalidate,
    .watch = on_watch,
};

static bool always_ready(void *opaque)
{
    return true;
}

static void on_input(void *opaque, const InputEvent *event)
{
    if (event->type == INPUT_KEY) {
        g_string_append_printf(vnc_world.input, "%c%u ", event->down ? '+' : '-',
                               event->code);
    } else {
        g_string_append_printf(vnc_world.input, "m%d,%d,%d ", event->dx, event->dy,
                               event->wheel);
    }
}

static InputHandler handlers[INPUT_KINDS_NR];

static void on_event(const VMEvent *event, void *opaque)
{
    static const char letters[] = {
        [VM_EVENT_VNC_CONNECTED] = 'c',
        [VM_EVENT_VNC_INITIALIZED] = 'i',
        [VM_EVENT_VNC_DISCONNECTED] = 'd',
    };

    expect(event->kind < sizeof(letters) && letters[event->kind], "event %d",
           event->kind);
    expect(event->server->family && event->client->family && event->auth, "its facts");
    g_string_append_c(vnc_world.events, letters[event->kind]);
}

void vnc_world_resize(int width, int height)
{
    pixman_image_t *image = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height,
                                                     NULL, 0);

    expect(image, "a picture of %dx%d", width, height);
    vnc_world.width = width;
    vnc_world.height = height;
    vnc_world.pixels = pixman_image_get_data(image);
    memory_lock();
    console_set_image(vnc_world.console, image);
    if (vnc_world.image) {
        pixman_image_unref(vnc_world.image);
    }
    vnc_world.image = image;
    memory_unlock();
    vnc_world_scribble(0, 0, width, height);
}

void vnc_world_init(int width, int height)
{
    memset(&vnc_world, 0, sizeof(vnc_world));
    vnc_world.input = g_string_new(NULL);
    vnc_world.events = g_string_new(NULL);
    vm_event_listen(on_event, NULL);
    memory_lock();
    for (InputKind kind = 0; kind < INPUT_KINDS_NR; kind++) {
        handlers[kind] = (InputHandler){
            .kind = kind, .ready = always_ready, .event = on_input,
        };
        input_attach(&handlers[kind]);
    }
    vnc_world.console = console_new(NULL, 0, &console_ops, NULL);
    memory_unlock();
    vnc_world_resize(width, height);
}

void vnc_world_end(void)
{
    memory_lock();
    console_free(vnc_world.console);
    for (InputKind kind = 0; kind < INPUT_KINDS_NR; kind++) {
        input_detach(&handlers[kind]);
    }
    memory_unlock();
    pixman_image_unref(vnc_world.image);
    vm_event_unlisten(on_event, NULL);
    g_string_free(vnc_world.input, TRUE);
    g_string_free(vnc_world.events, TRUE);
}

void vnc_world_fill(int x, int y, int width, int height, uint32_t pixel)
{
    for (int line = y; line < y + height; line++) {
        for (int column = x; column < x + width; column++) {
            vnc_world.pixels[line * vnc_world.width + column] = pixel;
        }
    }
    memory_lock();
    console_changed(vnc_world.console, x, y, width, height);
    memory_unlock();
}

void vnc_world_scribble(int x, int y, int width, int height)
{
    static uint64_t seed = 1;

    for (int line = y; line < y + height; line++) {
        for (int column = x; column < x + width; column++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            vnc_world.pixels[line * vnc_world.width + column] = seed >> 33;
        }
    }
    memory_lock();
    console_changed(vnc_world.console, x, y, width, height);
    memory_unlock();
}

void run_a_while(void)
{
    poll(NULL, 0, 1);
    test_loop();
}

VncDisplay *server_open(const char *text, GError **err)
{
    VncDisplay *d = g_malloc0(display_module.size);

    d->display.type = &display_module;
    d->display.id = g_strdup("default");
    properties_init(display_module.properties, d);
    if (!opts_set(text, display_module.implied, display_module.properties, d, "vnc",
                  err) ||
        !display_module.open(&d->display, err)) {
        properties_clear(display_module.properties, d);
        g_free(d->display.id);
        g_free(d);
        return NULL;
    }
    return d;
}

void server_close(VncDisplay *d)
{
    display_module.close(&d->display);
    properties_clear(display_module.properties, d);
    g_free(d->display.id);
    g_free(d);
}

/* ---- the client's connection ------------------------------------------------------------------ */

Client *client_of(int fd)
{
    Client *c = g_new0(Client, 1);

    c->fd = fd;
    c->cut = g_string_new(NULL);
    return c;
}

Client *client_dial(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "%s: %s",
           path, strerror(errno));
    return client_of(fd);
}

void client_close(Client *c)
{
    if (c) {
        close(c->fd);
        g_string_free(c->cut, TRUE);
        g_free(c->pixels);
        g_free(c->name);
        g_free(c);
    }
}

bool client_get(Client *c, void *buf, size_t len)
{
    struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
    char *p = buf;

    for (int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; len;) {
        ssize_t n;

        test_loop();
        expect(g_get_monotonic_time() < end, "the server does not answer");
        if (poll(&pfd, 1, 1) != 1) {
            continue;
        }
        n = read(c->fd, p, len);
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= n;
    }
    return true;
}

void client_put(Client *c, const void *buf, size_t len)
{
    struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };
    const char *p = buf;

    for (int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC; len;) {
        ssize_t n;

        test_loop();
        expect(g_get_monotonic_time() < end, "the server does not listen");
        if (poll(&pfd, 1, 1) != 1) {
            continue;
        }
        n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            continue;
        }
        if (n <= 0) {
            return; /* what the server thinks of it is seen by reading */
        }
        p += n;
        len -= n;
    }
}

uint32_t client_get_number(Client *c)
{
    uint32_t number = 0;

    expect(client_get(c, &number, sizeof(number)), "a number");
    return g_ntohl(number);
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = value >> 8;
    p[1] = value;
}

static unsigned get16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

/* ---- the first steps ---------------------------------------------------------------------------- */

void client_version(Client *c, unsigned minor)
{
    char version[13] = "";
    g_autofree char *ours = g_strdup_printf("RFB 003.%03u\n", minor);

    expect(client_get(c, version, 12), "a version");
    ck_assert_str_eq(version, "RFB 003.008\n");
    client_put(c, ours, 12);
}

bool client_prove(Client *c, unsigned minor, const char *password)
{
    uint8_t wanted = password ? 2 : 1, offer[2], challenge[16];
    char reason[100] = "";
    uint32_t result;

    client_version(c, minor);
    if (minor < 7) {
        expect_hex(client_get_number(c), wanted);
    } else {
        expect(client_get(c, offer, 2), "what it offers");
        expect(offer[0] == 1 && offer[1] == wanted, "it offers %u", offer[1]);
        client_put(c, &wanted, 1);
    }
    if (password) {
        expect(client_get(c, challenge, sizeof(challenge)), "a challenge");
        rfbEncryptBytes(challenge, (char *)password);
        client_put(c, challenge, sizeof(challenge));
    }
    if (!password && minor < 8) {
        return true;
    }
    result = client_get_number(c);
    if (result && minor >= 8) {
        uint32_t len = client_get_number(c);

        expect(len < sizeof(reason) && client_get(c, reason, len), "why not");
        ck_assert_str_eq(reason, "Authentication failed");
    }
    return result == 0;
}

bool client_start(Client *c, bool shared)
{
    uint8_t flag = shared, head[24];
    uint32_t len;

    client_put(c, &flag, 1);
    if (!client_get(c, head, sizeof(head))) {
        return false;
    }
    c->width = get16(head);
    c->height = get16(head + 2);
    c->pixels = g_new0(uint32_t, c->width * c->height);
    expect(head[4] == 32 && head[5] == 24 && head[14] == 16 && head[15] == 8 &&
               head[16] == 0, "0xRRGGBB");
    len = get16(head + 20) << 16 | get16(head + 22);
    c->name = g_malloc0(len + 1);
    expect(client_get(c, c->name, len), "a name");
    return true;
}

Client *client_open(const char *path)
{
    Client *c = client_dial(path);

    expect(client_prove(c, 8, NULL), "it asks for nothing");
    expect(client_start(c, true), "it lets a client in");
    return c;
}

/* ---- messages -------------------------------------------------------------------------------------- */

void client_encodings(Client *c, unsigned nr, ...)
{
    g_autofree uint8_t *msg = g_malloc0(4 + 4 * nr);
    va_list args;

    msg[0] = 2;
    put16(msg + 2, nr);
    va_start(args, nr);
    for (unsigned i = 0; i < nr; i++) {
        put32(msg + 4 + 4 * i, va_arg(args, int));
    }
    va_end(args);
    client_put(c, msg, 4 + 4 * nr);
}

void client_request(Client *c, bool incremental)
{
    uint8_t msg[10] = { 3, incremental };

    put16(msg + 6, c->width);
    put16(msg + 8, c->height);
    client_put(c, msg, sizeof(msg));
}

void client_key(Client *c, bool down, uint32_t symbol)
{
    uint8_t msg[8] = { 4, down };

    put32(msg + 4, symbol);
    client_put(c, msg, sizeof(msg));
}

void client_pointer(Client *c, unsigned buttons, unsigned x, unsigned y)
{
    uint8_t msg[6] = { 5, buttons };

    put16(msg + 2, x);
    put16(msg + 4, y);
    client_put(c, msg, sizeof(msg));
}

void client_want_size(Client *c, unsigned width, unsigned height)
{
    uint8_t msg[8 + 16] = { 251, [6] = 1 };

    put16(msg + 2, width);
    put16(msg + 4, height);
    put16(msg + 16, width);
    put16(msg + 18, height);
    client_put(c, msg, sizeof(msg));
}

void client_cut(Client *c, const char *text, uint32_t len)
{
    uint8_t msg[8] = { 6 };

    put32(msg + 4, len);
    client_put(c, msg, sizeof(msg));
    client_put(c, text, len);
}

static void resize(Client *c, int width, int height)
{
    g_free(c->pixels);
    c->pixels = g_new0(uint32_t, width * height);
    c->width = width;
    c->height = height;
}

static bool receive_rectangle(Client *c, bool *pixels)
{
    uint8_t head[12];
    int x, y, width, height;

    if (!client_get(c, head, sizeof(head))) {
        return false;
    }
    x = get16(head);
    y = get16(head + 2);
    width = get16(head + 4);
    height = get16(head + 6);
    switch ((int32_t)(get16(head + 8) << 16 | get16(head + 10))) {
    case 0:
        expect(x + width <= c->width && y + height <= c->height,
               "%dx%d at %d,%d of %dx%d", width, height, x, y, c->width, c->height);
        for (int line = y; line < y + height; line++) {
            if (!client_get(c, c->pixels + line * c->width + x, width * 4)) {
                return false;
            }
        }
        *pixels = true;
        c->area += width * height;
        return true;
    case -223:
        resize(c, width, height);
        return true;
    case -308: {
        uint8_t screens[4 + 16];

        if (width != c->width || height != c->height) {
            resize(c, width, height);
        }
        expect(client_get(c, screens, sizeof(screens)) && screens[0] == 1, "a screen");
        c->size_reason = x;
        c->size_status = y;
        c->sizes++;
        return true;
    }
    case -257:
        expect(x == 0, "the pointer moves by differences");
        c->said_motion = true;
        return true;
    case -258:
        c->said_keys = true;
        return true;
    default:
        test_fail("encoding %d", (int32_t)(get16(head + 8) << 16 | get16(head + 10)));
    }
}

static bool receive_update(Client *c)
{
    uint8_t head[3];
    bool pixels = false;

    if (!client_get(c, head, sizeof(head))) {
        return false;
    }
    for (unsigned i = 0; i < get16(head + 1); i++) {
        if (!receive_rectangle(c, &pixels)) {
            return false;
        }
    }
    c->updates += pixels;
    return true;
}

static bool receive_cut(Client *c)
{
    uint8_t head[7];
    uint32_t len;

    if (!client_get(c, head, sizeof(head))) {
        return false;
    }
    len = get16(head + 3) << 16 | get16(head + 5);
    g_string_set_size(c->cut, len);
    return client_get(c, c->cut->str, len);
}

bool client_receive(Client *c)
{
    uint8_t type;

    if (!client_get(c, &type, 1)) {
        return false;
    }
    expect(type == 0 || type == 3, "message %u", type);
    return type == 0 ? receive_update(c) : receive_cut(c);
}

bool client_is_current(const Client *c)
{
    if (c->width != vnc_world.width || c->height != vnc_world.height) {
        return false;
    }
    for (int i = 0; i < c->width * c->height; i++) {
        if ((c->pixels[i] ^ vnc_world.pixels[i]) & 0xffffff) {
            return false;
        }
    }
    return true;
}

void client_follow(Client *c)
{
    while (!client_is_current(c)) {
        client_request(c, true);
        expect(client_receive(c), "the server has hung up");
    }
}

void client_expect_end(Client *c)
{
    char byte;

    expect(!client_get(c, &byte, 1), "the server says 0x%02x", (uint8_t)byte);
}
