/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC client: its thread, and its screen of libvncserver. See ui/vnc.h.
 *
 * The first part of the protocol, until a client has proved who it is, is spoken here:
 * the library keeps what it offers for that in a list for the whole process, so that a
 * server without a password could let a client into one that has one.
 *
 * Specification: RFC 6143, The Remote Framebuffer Protocol; the pseudo-encodings -257
 * (pointer motion change) and -258 (extended key event) as the RFB community wiki,
 * rfbproto.rst, has them.
 */
#include "ui/vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rfb/rfb.h>
#include <rfb/rfbregion.h>

#include "hw/input/input.h"
#include "memory.h"

#define NAME "flatview"
#define ANSWER_MS 180000    /* for each step before it is let in: a person may type */
#define STALL_MS 600000     /* how long it may leave an update, once it is */
#define CHALLENGE_SIZE 16
#define RELATIVE_ZERO 0x7fff /* pointer motion change: no motion */

enum { SECURITY_NONE = 1, SECURITY_VNC = 2 };
enum { ENCODING_MOTION = -257, ENCODING_KEYS = -258 };
enum { DESKTOP_SIZE_FORWARDED = 4 }; /* extended desktop size: somebody else decides */
enum { MESSAGE_QEMU = 255, QEMU_KEY = 0 };

typedef struct Service {
    VncClient *client;
    rfbScreenInfoPtr screen;
    rfbClientPtr rfb;
    VncShadow *shadow;
    int known_width, known_height; /* the size of the picture, as the client was told */
    Keyboard *keyboard;
    /* Where the pointer was, and its buttons as the protocol has them. */
    bool has_position;
    int x, y;
    unsigned buttons;
    /* What the client offers, and has not been told of yet. */
    bool motion, tell_motion, tell_keys;
} Service;

/* ---- the library ------------------------------------------------------------------------ */

/* What the screen of every client is a copy of. rfbGetScreen() initialises a mutex of the
 * whole library, in which clients' threads may be. */
static rfbScreenInfoPtr model;

static void log_nothing(const char *format, ...)
{
}

static Service *service_of(rfbClientPtr rfb)
{
    return rfb->screen->screenData;
}

/* Pixels are 0xffRRGGBB; the library has other ideas. */
static void set_format(rfbPixelFormat *format)
{
    format->redShift = 16;
    format->greenShift = 8;
    format->blueShift = 0;
    format->depth = 24;
}

static rfbBool on_pseudo_encoding(rfbClientPtr rfb, void **data, int encoding)
{
    Service *s = service_of(rfb);

    if (encoding == ENCODING_MOTION) {
        s->tell_motion = true;
    } else if (encoding == ENCODING_KEYS) {
        s->tell_keys = true;
    } else {
        return FALSE;
    }
    return TRUE;
}

/* The extended key event: a symbol, and the key in the numbers of an XT. */
static rfbBool on_message(rfbClientPtr rfb, void *data, const rfbClientToServerMsg *msg)
{
    struct {
        uint8_t kind;
        uint8_t down[2];
        uint8_t symbol[4];
        uint8_t number[4];
    } key;
    Service *s = service_of(rfb);
    uint32_t symbol, number;
    bool down;

    G_STATIC_ASSERT(sizeof(key) == 11);
    if (msg->type != MESSAGE_QEMU || rfbReadExact(rfb, (char *)&key, sizeof(key)) <= 0 ||
        key.kind != QEMU_KEY) {
        return FALSE;
    }
    down = key.down[0] || key.down[1];
    memcpy(&symbol, key.symbol, sizeof(symbol));
    memcpy(&number, key.number, sizeof(number));
    symbol = g_ntohl(symbol);
    number = g_ntohl(number);
    memory_lock();
    if (key_from_xt(number)) {
        keyboard_key(s->keyboard, key_from_xt(number), down);
    } else {
        keyboard_keysym(s->keyboard, symbol, down);
    }
    memory_unlock();
    return TRUE;
}

static int encodings[] = { ENCODING_MOTION, ENCODING_KEYS, 0 };

static rfbProtocolExtension extension = {
    .pseudoEncodings = encodings,
    .enablePseudoEncoding = on_pseudo_encoding,
    .handleMessage = on_message,
};

static void on_key(rfbBool down, rfbKeySym symbol, rfbClientPtr rfb)
{
    memory_lock();
    keyboard_keysym(service_of(rfb)->keyboard, symbol, down);
    memory_unlock();
}

static const struct {
    unsigned button, code;
    int wheel;
} buttons[] = {
    { 1 << 0, BTN_LEFT, 0 },
    { 1 << 1, BTN_MIDDLE, 0 },
    { 1 << 2, BTN_RIGHT, 0 },
    { 1 << 3, 0, -1 },
    { 1 << 4, 0, 1 },
};

/* The memory lock. */
static void send_buttons(Service *s, unsigned now)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(buttons); i++) {
        bool down = now & buttons[i].button;

        if (down == !!(s->buttons & buttons[i].button)) {
            continue;
        }
        if (buttons[i].code) {
            input_send_key(buttons[i].code, down);
        } else if (down) {
            input_send_motion(0, 0, buttons[i].wheel);
        }
    }
    s->buttons = now;
}

static void on_pointer(int now, int x, int y, rfbClientPtr rfb)
{
    Service *s = service_of(rfb);
    int dx = s->motion ? x - RELATIVE_ZERO : s->has_position ? x - s->x : 0;
    int dy = s->motion ? y - RELATIVE_ZERO : s->has_position ? y - s->y : 0;

    s->has_position = !s->motion;
    s->x = x;
    s->y = y;
    memory_lock();
    if (dx || dy) {
        input_send_motion(dx, dy, 0);
    }
    send_buttons(s, now);
    memory_unlock();
}

void vnc_text_unref(VncText *text)
{
    if (text && --text->refs == 0) {
        g_free(text);
    }
}

/* A text was cut: it is for all others. */
static void on_cut(char *text, int len, rfbClientPtr rfb)
{
    VncClient *from = service_of(rfb)->client;
    VncDisplay *d = from->display;
    VncText *cut = g_malloc(sizeof(*cut) + len);

    cut->refs = 1;
    cut->len = len;
    memcpy(cut->text, text, len);
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->clients->len; i++) {
        VncClient *to = d->clients->pdata[i];

        if (to != from && to->state == VNC_SERVED) {
            vnc_text_unref(to->cut);
            to->cut = cut;
            cut->refs++;
            event_notifier_set(&to->wake);
        }
    }
    vnc_text_unref(cut);
    pthread_mutex_unlock(&d->lock);
}

static int on_desktop_size(int width, int height, int screens,
                           rfbExtDesktopScreen *layout, rfbClientPtr rfb)
{
    VncClient *c = service_of(rfb)->client;

    pthread_mutex_lock(&c->display->lock);
    c->wants_width = width;
    c->wants_height = height;
    pthread_mutex_unlock(&c->display->lock);
    vnc_display_kick(c->display);
    return DESKTOP_SIZE_FORWARDED;
}

bool vnc_library_init(void)
{
    uint8_t block[CHALLENGE_SIZE] = { 0 };

    if (model) {
        return true;
    }
    rfbLog = rfbErr = log_nothing;
    model = rfbGetScreen(NULL, NULL, 64, 64, 8, 3, 4);
    if (!model) {
        return false;
    }
    set_format(&model->serverFormat);
    model->desktopName = NAME;
    model->cursor = NULL; /* or it is drawn into the picture */
    model->alwaysShared = TRUE; /* who is shared is decided before */
    model->deferUpdateTime = 0;
    model->deferPtrUpdateTime = 0;
    model->maxClientWait = STALL_MS;
    model->maxRectsPerUpdate = 512;
    model->kbdAddEvent = on_key;
    model->ptrAddEvent = on_pointer;
    model->setXCutText = on_cut;
    model->setDesktopSizeHook = on_desktop_size;
    rfbRegisterProtocolExtension(&extension);
    /* The library of ciphers below it makes itself ready, in one thread. */
    rfbEncryptBytes(block, (char *)"ready");
    return true;
}

/* Have the client told of the size, if it can be: it may have changed before the client
 * said that. */
static void tell_size(Service *s)
{
    if (s->rfb->useNewFBSize && (s->known_width != s->shadow->width ||
                                 s->known_height != s->shadow->height)) {
        s->rfb->newFBSizePending = TRUE;
        s->known_width = s->shadow->width;
        s->known_height = s->shadow->height;
        /* With its size a client's picture goes. */
        rfbMarkRectAsModified(s->screen, 0, 0, s->known_width, s->known_height);
    }
}

/* The client has @shadow, a reference that is taken over, to show from now on. */
static void set_shadow(Service *s, VncShadow *shadow)
{
    rfbNewFramebuffer(s->screen, (char *)shadow->pixels, shadow->width, shadow->height,
                      8, 3, 4);
    set_format(&s->screen->serverFormat);
    s->screen->setTranslateFunction(s->rfb);
    vnc_shadow_unref(s->shadow);
    s->shadow = shadow;
    tell_size(s);
}

/* ---- who it is -------------------------------------------------------------------------- */

bool vnc_password_check(const char *password, const uint8_t *challenge,
                        const uint8_t *response)
{
    uint8_t wanted[CHALLENGE_SIZE];
    unsigned differs = 0;

    memcpy(wanted, challenge, sizeof(wanted));
    rfbEncryptBytes(wanted, (char *)password);
    if (memcmp(wanted, challenge, sizeof(wanted)) == 0) {
        return false; /* a weak key, which the cipher refuses without a word */
    }
    for (unsigned i = 0; i < sizeof(wanted); i++) {
        differs |= wanted[i] ^ response[i];
    }
    return differs == 0;
}

static bool receive(Service *s, void *data, int len)
{
    return rfbReadExactTimeout(s->rfb, data, len, ANSWER_MS) > 0;
}

static bool send_bytes(Service *s, const void *data, int len)
{
    return rfbWriteExact(s->rfb, data, len) > 0;
}

static bool send_number(Service *s, uint32_t number)
{
    number = g_htonl(number);
    return send_bytes(s, &number, sizeof(number));
}

/* The kind of proof that the server wants, which the client agrees to. */
static bool agree_on_security(Service *s, unsigned minor, uint8_t security)
{
    uint8_t offer[] = { 1, security }, chosen;

    if (minor < 7) {
        return send_number(s, security);
    }
    return send_bytes(s, offer, sizeof(offer)) && receive(s, &chosen, 1) &&
           chosen == security;
}

static bool is_secret_known(Service *s, bool *known)
{
    VncDisplay *d = s->client->display;
    uint8_t challenge[CHALLENGE_SIZE], response[CHALLENGE_SIZE];

    if (getrandom(challenge, sizeof(challenge), 0) != sizeof(challenge) ||
        !send_bytes(s, challenge, sizeof(challenge)) ||
        !receive(s, response, sizeof(response))) {
        return false;
    }
    pthread_mutex_lock(&d->lock);
    *known = d->secret && g_get_real_time() / G_USEC_PER_SEC < d->expires &&
             vnc_password_check(d->secret, challenge, response);
    pthread_mutex_unlock(&d->lock);
    return true;
}

/* From the version to what comes before ClientInit, RFC 6143, 7.1. */
static bool shake_hands(Service *s)
{
    static const char reason[] = "Authentication failed";
    uint8_t security = s->client->display->password ? SECURITY_VNC : SECURITY_NONE;
    unsigned major, minor;
    char version[] = "RFB 003.008\n";
    bool known = true;

    if (!send_bytes(s, version, sizeof(version) - 1) || !receive(s, version, sizeof(version) - 1) ||
        sscanf(version, "RFB %3u.%3u\n", &major, &minor) != 2 || major != 3 ||
        !agree_on_security(s, minor, security) ||
        (security == SECURITY_VNC && !is_secret_known(s, &known))) {
        return false;
    }
    s->rfb->protocolMajorVersion = major;
    s->rfb->protocolMinorVersion = minor;
    if ((security == SECURITY_VNC || minor >= 8) && !send_number(s, !known)) {
        return false;
    }
    if (!known && minor >= 8 && send_number(s, strlen(reason))) {
        send_bytes(s, reason, strlen(reason));
    }
    return known;
}

/* Have the main loop let it in. */
static bool ask(Service *s)
{
    VncClient *c = s->client;
    VncDisplay *d = c->display;
    struct pollfd wake = { .fd = event_notifier_get_fd(&c->wake), .events = POLLIN };
    VncShadow *shadow = NULL;
    uint8_t shared;

    if (!receive(s, &shared, 1)) {
        return false;
    }
    pthread_mutex_lock(&d->lock);
    c->wants_shared = shared;
    c->state = VNC_ASKING;
    pthread_mutex_unlock(&d->lock);
    vnc_display_kick(d);
    for (bool waiting = true; waiting;) {
        poll(&wake, 1, -1);
        event_notifier_test_and_clear(&c->wake);
        pthread_mutex_lock(&d->lock);
        waiting = c->state == VNC_ASKING && !c->leave;
        if (c->state == VNC_SERVED && !c->leave) {
            shadow = g_steal_pointer(&c->shadow);
        }
        pthread_mutex_unlock(&d->lock);
    }
    if (!shadow) {
        return false;
    }
    set_shadow(s, shadow);
    s->known_width = shadow->width; /* by ServerInit, which is next */
    s->known_height = shadow->height;
    return true;
}

/* ---- serving ------------------------------------------------------------------------------ */

/* Messages of the protocol, and of those beside it what is offered here. The library knows
 * more: files, chats, and pictures of another scale, over one that may change its size. */
static bool is_message_known(uint8_t type)
{
    switch (type) {
    case rfbSetPixelFormat:
    case rfbSetEncodings:
    case rfbFramebufferUpdateRequest:
    case rfbKeyEvent:
    case rfbPointerEvent:
    case rfbClientCutText:
    case rfbSetDesktopSize:
    case MESSAGE_QEMU:
        return true;
    default:
        return false;
    }
}

/* RFC 6143, 7.4. The library would take pixels of 24 bits, too, and read them as if they
 * were 32, past their end. */
static bool is_format_good(const rfbPixelFormat *format)
{
    unsigned bits = format->bitsPerPixel;

    return (bits == 8 || bits == 16 || bits == 32) &&
           (!format->trueColour ||
            (format->redMax && format->greenMax && format->blueMax &&
             format->redShift < bits && format->greenShift < bits &&
             format->blueShift < bits));
}

/* A request for an update. The library would take a rectangle of no pixels, or beyond the
 * picture, for one to be sent, and divide by its width. */
static void serve_request(Service *s)
{
    rfbFramebufferUpdateRequestMsg msg;
    int x, y, right, bottom;
    sraRegionPtr region;

    if (rfbReadExact(s->rfb, (char *)&msg, sz_rfbFramebufferUpdateRequestMsg) <= 0) {
        rfbCloseClient(s->rfb);
        return;
    }
    x = g_ntohs(msg.x);
    y = g_ntohs(msg.y);
    right = MIN(x + g_ntohs(msg.w), s->screen->width);
    bottom = MIN(y + g_ntohs(msg.h), s->screen->height);
    if (x >= right || y >= bottom) {
        return;
    }
    region = sraRgnCreateRect(x, y, right, bottom);
    sraRgnOr(s->rfb->requestedRegion, region);
    if (!msg.incremental) {
        sraRgnOr(s->rfb->modifiedRegion, region);
        s->rfb->newFBSizePending |= s->rfb->useExtDesktopSize;
    }
    sraRgnDestroy(region);
}

static void serve_message(Service *s)
{
    uint8_t type = rfbSetEncodings;

    if (recv(s->rfb->sock, &type, 1, MSG_PEEK | MSG_DONTWAIT) == 1 &&
        !is_message_known(type)) {
        rfbCloseClient(s->rfb);
        return;
    }
    if (type == rfbFramebufferUpdateRequest) {
        serve_request(s);
        return;
    }
    if (type == rfbSetEncodings) {
        s->motion = false; /* unless it is among them again */
    }
    rfbProcessClientMessage(s->rfb);
    if (type == rfbSetPixelFormat && !is_format_good(&s->rfb->format)) {
        rfbCloseClient(s->rfb);
        return;
    }
    if (type == rfbSetEncodings) {
        /* An extended size is also how a client learns that it may suggest one. */
        s->rfb->newFBSizePending |= s->rfb->useExtDesktopSize;
        tell_size(s);
    }
}

/* An update of one rectangle without pixels, which says yes to a pseudo-encoding. */
static bool send_pseudo(Service *s, int32_t encoding)
{
    struct {
        uint8_t type, padding;
        uint16_t rectangles, x, y, width, height;
        uint32_t encoding;
    } __attribute__((packed)) update = {
        .type = rfbFramebufferUpdate,
        .rectangles = g_htons(1),
        .encoding = g_htonl((uint32_t)encoding),
    };

    return send_bytes(s, &update, sizeof(update));
}

/* A reference that is taken over; NULL: nothing to send. */
static bool send_cut(Service *s, VncText *cut)
{
    const uint8_t head[] = { rfbServerCutText, 0, 0, 0 };
    VncDisplay *d = s->client->display;
    bool ok = !cut || (send_bytes(s, head, sizeof(head)) && send_number(s, cut->len) &&
                       (cut->len == 0 || send_bytes(s, cut->text, cut->len)));

    pthread_mutex_lock(&d->lock);
    vnc_text_unref(cut);
    pthread_mutex_unlock(&d->lock);
    return ok;
}

static void mark_changed(Service *s, pixman_region32_t *dirty)
{
    int n;
    pixman_box32_t *boxes = pixman_region32_rectangles(dirty, &n);

    if (n > s->screen->maxRectsPerUpdate) {
        boxes = pixman_region32_extents(dirty);
        n = 1;
    }
    for (int i = 0; i < n; i++) {
        rfbMarkRectAsModified(s->screen, boxes[i].x1, boxes[i].y1, boxes[i].x2,
                              boxes[i].y2);
    }
}

/* What others have left for it. */
static bool take_news(Service *s)
{
    VncClient *c = s->client;
    pixman_region32_t dirty;
    VncShadow *shadow;
    VncText *cut;
    bool ok;

    event_notifier_test_and_clear(&c->wake);
    pthread_mutex_lock(&c->display->lock);
    shadow = g_steal_pointer(&c->shadow);
    cut = g_steal_pointer(&c->cut);
    dirty = c->dirty;
    pixman_region32_init(&c->dirty);
    ok = !c->leave;
    pthread_mutex_unlock(&c->display->lock);

    if (shadow) {
        set_shadow(s, shadow);
    }
    mark_changed(s, &dirty);
    pixman_region32_fini(&dirty);
    return send_cut(s, cut) && ok;
}

/* What the client has asked for, or is to know. */
static bool answer(Service *s)
{
    if (s->tell_keys) {
        s->tell_keys = false;
        if (!send_pseudo(s, ENCODING_KEYS)) {
            return false;
        }
    }
    if (s->tell_motion) {
        s->tell_motion = false;
        s->motion = true;
        if (!send_pseudo(s, ENCODING_MOTION)) {
            return false;
        }
    }
    s->rfb->cursorWasChanged = FALSE; /* there is none, and the client keeps its own */
    rfbUpdateClient(s->rfb);
    return true;
}

static void serve(Service *s)
{
    struct pollfd fds[] = {
        { .fd = s->rfb->sock, .events = POLLIN },
        { .fd = event_notifier_get_fd(&s->client->wake), .events = POLLIN },
    };

    while (s->rfb->sock != RFB_INVALID_SOCKET) {
        if (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno != EINTR) {
            return;
        }
        if (!take_news(s)) {
            return;
        }
        if (fds[0].revents) {
            serve_message(s);
        }
        if (s->rfb->sock != RFB_INVALID_SOCKET && !answer(s)) {
            return;
        }
    }
}

/* The library takes a client that begins with HTTP or TLS for a WebSocket, a way for any
 * page in a browser to come here, and never frees what it needs for that. So it is shown
 * a client that is none, and gets the connection afterwards, under the same number. */
static bool service_init(Service *s)
{
    static const char no_http[] = "RFB ";
    int pair[2];
    bool ok;

    s->screen = malloc(sizeof(*s->screen)); /* the library frees it */
    if (!s->screen) {
        return false;
    }
    *s->screen = *model;
    pthread_mutex_init(&s->screen->cursorMutex, NULL);
    s->screen->screenData = s;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
        return false;
    }
    /* It selects: beyond that descriptor it writes past its sets. */
    ok = pair[0] < FD_SETSIZE && write(pair[1], no_http, strlen(no_http)) > 0;
    if (ok) {
        s->rfb = rfbNewClient(s->screen, pair[0]);
        ok = s->rfb && dup3(s->client->socket, pair[0], O_CLOEXEC) >= 0;
    } else {
        close(pair[0]);
    }
    close(pair[1]);
    return ok;
}

static void service_finish(Service *s)
{
    if (s->keyboard) {
        memory_lock();
        send_buttons(s, 0);
        keyboard_free(s->keyboard);
        memory_unlock();
    }
    if (s->rfb) {
        free(s->rfb->extensions); /* the one above; the library leaves it */
        s->rfb->extensions = NULL;
        rfbClientConnectionGone(s->rfb);
    }
    if (s->screen) {
        rfbScreenCleanup(s->screen);
    }
    vnc_shadow_unref(s->shadow);
}

void *vnc_client_run(void *client)
{
    VncClient *c = client;
    VncDisplay *d = c->display;
    Service s = { .client = c };

    if (service_init(&s) && shake_hands(&s) && ask(&s)) {
        s.keyboard = keyboard_new(d->display.keyboard, NULL);
        if (s.keyboard) {
            s.rfb->state = RFB_INITIALISATION_SHARED; /* ClientInit has been read */
            rfbProcessClientMessage(s.rfb);
            serve(&s);
        }
    }
    service_finish(&s);
    pthread_mutex_lock(&d->lock);
    c->state = VNC_GONE;
    pthread_mutex_unlock(&d->lock);
    vnc_display_kick(d);
    return NULL;
}
