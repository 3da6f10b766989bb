/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC server: a display whose viewers are elsewhere. This is the main loop's side:
 * who is let in, what has changed on the console, passwords; see ui/vnc.h.
 *
 * Specification: RFC 6143, The Remote Framebuffer Protocol; options and what monitors
 * are told are QEMU's (its manual, option -vnc).
 */
#include "ui/vnc.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"
#include "vm-event.h"

#define CLIENTS_MAX 256
#define LEAVING_MAX 64 /* and so many that have been told to go */
#define STACK_SIZE (1 << 20)
#define NO_SCREEN_WIDTH 640
#define NO_SCREEN_HEIGHT 480

/* ---- clients ---------------------------------------------------------------------------- */

static void tell_event(VMEventKind kind, const VncClient *c)
{
    vm_event_send(&(VMEvent){
        .kind = kind,
        .server = c->here,
        .client = c->there,
        .auth = c->display->password ? "vnc" : "none",
    });
}

/* Have it end, wherever it waits; the lock. */
static void client_leave(VncClient *c)
{
    c->leave = true;
    shutdown(c->socket, SHUT_RDWR);
    event_notifier_set(&c->wake);
}

static void client_free(VncClient *c)
{
    pthread_mutex_lock(&c->display->lock);
    vnc_text_unref(c->cut);
    pthread_mutex_unlock(&c->display->lock);
    close(c->socket);
    event_notifier_cleanup(&c->wake);
    vnc_shadow_unref(c->shadow);
    pixman_region32_fini(&c->dirty);
    display_client_free(c->here);
    display_client_free(c->there);
    g_free(c);
}

/* Its thread, which is not for signals: those are the main loop's. */
static int client_start(VncClient *c)
{
    sigset_t all, old;
    pthread_attr_t attr;
    int error;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&c->thread, &attr, vnc_client_run, c);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (!error) {
        pthread_setname_np(c->thread, "VNC client");
    }
    return error;
}

/* Whether there is room for one more: whoever has not said yet who it is makes some. */
static bool make_room(VncDisplay *d)
{
    VncClient *oldest = NULL;
    unsigned nr = 0;

    for (unsigned i = 0; i < d->clients->len; i++) {
        VncClient *c = d->clients->pdata[i];

        nr += !c->leave;
        if (!oldest && !c->leave && c->state == VNC_CONNECTING) {
            oldest = c;
        }
    }
    if (d->clients->len >= CLIENTS_MAX + LEAVING_MAX) {
        return false;
    }
    if (nr >= CLIENTS_MAX && oldest) {
        client_leave(oldest);
        nr--;
    }
    return nr < CLIENTS_MAX;
}

void vnc_display_add_client(VncDisplay *d, int fd)
{
    const int on = 1;
    VncClient *c = g_new0(VncClient, 1);
    bool started;

    c->display = d;
    c->socket = fd;
    if (event_notifier_init(&c->wake, 0) < 0) {
        close(fd);
        g_free(c);
        return;
    }
    /* Of a UNIX socket neither means anything. */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c->here = vnc_end_of(fd, false);
    c->there = vnc_end_of(fd, true);
    pixman_region32_init(&c->dirty);

    pthread_mutex_lock(&d->lock);
    started = make_room(d) && client_start(c) == 0;
    if (started) {
        g_ptr_array_add(d->clients, c);
    }
    pthread_mutex_unlock(&d->lock);
    if (started) {
        tell_event(VM_EVENT_VNC_CONNECTED, c);
    } else {
        client_free(c);
    }
}

/* The password from now on; NULL: none. */
static void set_secret(VncDisplay *d, const char *secret)
{
    pthread_mutex_lock(&d->lock);
    if (d->secret) {
        explicit_bzero(d->secret, strlen(d->secret));
    }
    g_free(d->secret);
    d->secret = g_strdup(secret);
    pthread_mutex_unlock(&d->lock);
}

/* ---- the picture ------------------------------------------------------------------------ */

/* From now on clients see a picture of that size, black at first. The lock is not held. */
static void set_size(VncDisplay *d, int width, int height)
{
    VncShadow *old = d->shadow, *shadow;

    if (old && old->width == MIN(width, VNC_SIZE_MAX) &&
        old->height == MIN(height, VNC_SIZE_MAX)) {
        return;
    }
    shadow = vnc_shadow_new(width, height);
    if (!shadow) {
        d->image = NULL; /* they see the old one, until the guest wants less */
        return;
    }
    pixman_region32_clear(&d->changed);
    pthread_mutex_lock(&d->lock);
    d->shadow = shadow;
    for (unsigned i = 0; i < d->clients->len; i++) {
        VncClient *c = d->clients->pdata[i];

        if (c->state == VNC_SERVED) {
            vnc_shadow_unref(c->shadow);
            c->shadow = vnc_shadow_ref(shadow);
            pixman_region32_clear(&c->dirty);
            event_notifier_set(&c->wake);
        }
    }
    pthread_mutex_unlock(&d->lock);
    vnc_shadow_unref(old);
}

static void fit_size(VncDisplay *d)
{
    if (d->image) {
        set_size(d, pixman_image_get_width(d->image), pixman_image_get_height(d->image));
    } else {
        set_size(d, NO_SCREEN_WIDTH, NO_SCREEN_HEIGHT);
    }
}

static void find_console(VncDisplay *d);

static void on_image(void *opaque, pixman_image_t *image)
{
    VncDisplay *d = opaque;

    d->image = image;
    if (d->shadow) {
        fit_size(d);
    }
    if (!image) {
        find_console(d);
    }
}

static void on_changed(void *opaque, int x, int y, int width, int height)
{
    VncDisplay *d = opaque;

    if (d->image && d->shadow) {
        vnc_shadow_update(d->shadow, d->image, x, y, width, height, &d->changed);
    }
}

static void on_refreshed(void *opaque)
{
    VncDisplay *d = opaque;

    if (!pixman_region32_not_empty(&d->changed)) {
        return;
    }
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->clients->len; i++) {
        VncClient *c = d->clients->pdata[i];

        if (c->state == VNC_SERVED) {
            pixman_region32_union(&c->dirty, &c->dirty, &d->changed);
            event_notifier_set(&c->wake);
        }
    }
    pthread_mutex_unlock(&d->lock);
    pixman_region32_clear(&d->changed);
}

static const ViewerOps viewer_ops = {
    .image = on_image,
    .changed = on_changed,
    .refreshed = on_refreshed,
};

/* Look at the console that the user has named, or the first one, if it is there. */
static void find_console(VncDisplay *d)
{
    Console *con = d->device ? console_find(d->device, d->head, NULL)
                             : console_default(NULL);

    if (con && !d->viewer.console) {
        viewer_attach(&d->viewer, con);
    }
}

static void on_console_added(Console *con, void *opaque)
{
    find_console(opaque);
}

/* Look at the console, or not: nobody is there. */
static void watch(VncDisplay *d, bool on)
{
    memory_lock();
    if (on && !d->shadow) {
        fit_size(d);
        viewer_pause(&d->viewer, false);
        if (d->viewer.console) {
            console_refresh(d->viewer.console); /* the first picture is no old one */
        }
        pixman_region32_clear(&d->changed);
    }
    if (!on) {
        viewer_pause(&d->viewer, true);
        pthread_mutex_lock(&d->lock);
        g_clear_pointer(&d->shadow, vnc_shadow_unref);
        pthread_mutex_unlock(&d->lock);
        pixman_region32_clear(&d->changed);
    }
    memory_unlock();
}

/* ---- what clients' threads ask of the main loop ------------------------------------------- */

/* Whether @c may come in beside those who are there; whom it wants to be without goes.
 * The lock. */
static bool may_share(VncDisplay *d, VncClient *c)
{
    bool alone = true;

    if (d->share == VNC_SHARE_IGNORE) {
        return true;
    }
    if (d->share == VNC_SHARE_FORCE_SHARED) {
        return c->wants_shared;
    }
    for (unsigned i = 0; i < d->clients->len; i++) {
        VncClient *other = d->clients->pdata[i];

        if (other == c || other->state != VNC_SERVED || other->leave) {
            continue;
        }
        if (!c->wants_shared) {
            client_leave(other);
        } else if (!other->wants_shared) {
            alone = false;
        }
    }
    return alone;
}

/* Let it in, or have it go. */
static void client_admit(VncDisplay *d, VncClient *c)
{
    bool admitted;

    watch(d, true);
    pthread_mutex_lock(&d->lock);
    admitted = !c->leave && d->shadow && may_share(d, c);
    if (admitted) {
        c->shadow = vnc_shadow_ref(d->shadow);
        c->state = VNC_SERVED;
        event_notifier_set(&c->wake);
    } else {
        client_leave(c);
    }
    pthread_mutex_unlock(&d->lock);
    if (admitted) {
        tell_event(VM_EVENT_VNC_INITIALIZED, c);
    }
}

static void client_remove(VncDisplay *d, VncClient *c)
{
    pthread_join(c->thread, NULL);
    pthread_mutex_lock(&d->lock);
    g_ptr_array_remove(d->clients, c);
    pthread_mutex_unlock(&d->lock);
    tell_event(VM_EVENT_VNC_DISCONNECTED, c);
    client_free(c);
}

static void suggest_size(VncDisplay *d, unsigned width, unsigned height)
{
    memory_lock();
    if (d->viewer.console) {
        console_suggest_size(d->viewer.console, width, height);
    }
    memory_unlock();
}

static void look_at_client(VncDisplay *d, VncClient *c)
{
    unsigned width, height;
    VncState state;

    pthread_mutex_lock(&d->lock);
    state = c->state;
    width = c->wants_width;
    height = c->wants_height;
    c->wants_width = c->wants_height = 0;
    pthread_mutex_unlock(&d->lock);

    if (width && height) {
        suggest_size(d, width, height);
    }
    if (state == VNC_ASKING) {
        client_admit(d, c);
    } else if (state == VNC_GONE) {
        client_remove(d, c);
    }
}

static bool is_anybody_served(VncDisplay *d)
{
    bool served = false;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->clients->len; i++) {
        served |= ((VncClient *)d->clients->pdata[i])->state == VNC_SERVED;
    }
    pthread_mutex_unlock(&d->lock);
    return served;
}

/* Ready when it was kicked. */
typedef struct WorkSource {
    GSource source;
    VncDisplay *display;
} WorkSource;

static gboolean on_work(GSource *source, GSourceFunc callback, gpointer opaque)
{
    VncDisplay *d = ((WorkSource *)source)->display;

    g_source_set_ready_time(source, -1);
    for (unsigned i = d->clients->len; i-- > 0;) {
        look_at_client(d, d->clients->pdata[i]);
    }
    if (!is_anybody_served(d)) {
        watch(d, false);
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs work_source = {
    .dispatch = on_work,
};

void vnc_display_kick(VncDisplay *d)
{
    g_source_set_ready_time(d->work, 0);
}

/* ---- the display ------------------------------------------------------------------------ */

static const char *const share_names[] = {
    [VNC_SHARE_ALLOW_EXCLUSIVE] = "allow-exclusive",
    [VNC_SHARE_FORCE_SHARED] = "force-shared",
    [VNC_SHARE_IGNORE] = "ignore",
    NULL,
};

static bool check_settings(VncDisplay *d, GError **err)
{
    Keyboard *keyboard;

    for (d->share = 0; share_names[d->share]; d->share++) {
        if (strcmp(share_names[d->share], d->share_name) == 0) {
            break;
        }
    }
    if (!share_names[d->share]) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "share=%s is none of allow-exclusive, force-shared, ignore",
                    d->share_name);
        return false;
    }
    if (!d->address) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "it needs a place: HOST:DISPLAY such as localhost:1, or unix:PATH");
        return false;
    }
    if (d->device && !console_find(d->device, d->head, err)) {
        return false;
    }
    if (!vnc_library_init()) {
        g_set_error(err, FLATVIEW_ERROR, 0, "no memory for libvncserver");
        return false;
    }
    /* Each client has one of its own, which then is no surprise. */
    keyboard = keyboard_new(d->display.keyboard, err);
    if (keyboard) {
        keyboard_free(keyboard);
    }
    return keyboard != NULL;
}

static void vnc_init(VncDisplay *d)
{
    pthread_mutex_init(&d->lock, NULL);
    d->expires = INT64_MAX;
    d->clients = g_ptr_array_new();
    d->listeners = vnc_listeners_new();
    pixman_region32_init(&d->changed);
    d->work = g_source_new(&work_source, sizeof(WorkSource));
    ((WorkSource *)d->work)->display = d;
    g_source_set_ready_time(d->work, -1);
    g_source_attach(d->work, NULL);
    d->viewer.ops = &viewer_ops;
    d->viewer.opaque = d;
    memory_lock();
    viewer_pause(&d->viewer, true);
    console_listen(on_console_added, d);
    find_console(d);
    memory_unlock();
}

static void vnc_close(Display *display)
{
    VncDisplay *d = (VncDisplay *)display;

    vnc_unlisten(d);
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->clients->len; i++) {
        client_leave(d->clients->pdata[i]);
    }
    pthread_mutex_unlock(&d->lock);
    while (d->clients->len) {
        client_remove(d, d->clients->pdata[0]);
    }
    memory_lock();
    console_unlisten(on_console_added, d);
    viewer_detach(&d->viewer);
    memory_unlock();
    g_source_destroy(d->work);
    g_source_unref(d->work);
    vnc_shadow_unref(d->shadow);
    pixman_region32_fini(&d->changed);
    g_ptr_array_unref(d->listeners);
    g_ptr_array_unref(d->clients);
    set_secret(d, NULL);
    pthread_mutex_destroy(&d->lock);
}

static bool vnc_open(Display *display, GError **err)
{
    VncDisplay *d = (VncDisplay *)display;
    bool ok;

    memory_lock();
    ok = check_settings(d, err);
    memory_unlock();
    if (!ok) {
        return false;
    }
    vnc_init(d);
    if (!vnc_listen(d, err)) {
        vnc_close(display);
        return false;
    }
    return true;
}

static bool vnc_set_password(Display *display, const char *password, GError **err)
{
    VncDisplay *d = (VncDisplay *)display;

    if (!d->password) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "VNC server '%s' asks for no password: -vnc %s,password=on has it do "
                    "so", display->id, d->address);
        return false;
    }
    set_secret(d, password);
    return true;
}

static bool vnc_expire_password(Display *display, int64_t when, GError **err)
{
    VncDisplay *d = (VncDisplay *)display;

    pthread_mutex_lock(&d->lock);
    d->expires = when;
    pthread_mutex_unlock(&d->lock);
    return true;
}

static DisplayClient *copy_end(const DisplayClient *end)
{
    DisplayClient *copy = g_new0(DisplayClient, 1);

    copy->host = g_strdup(end->host);
    copy->service = g_strdup(end->service);
    copy->family = g_strdup(end->family);
    return copy;
}

static DisplayInfo *vnc_info(Display *display)
{
    VncDisplay *d = (VncDisplay *)display;
    DisplayInfo *info = g_new0(DisplayInfo, 1);
    GDestroyNotify end_free = (GDestroyNotify)display_client_free;

    info->id = g_strdup(display->id);
    info->auth = d->password ? "vnc" : "none";
    info->servers = g_ptr_array_new_with_free_func(end_free);
    info->clients = g_ptr_array_new_with_free_func(end_free);
    for (unsigned i = 0; i < d->listeners->len; i++) {
        VncListener *l = d->listeners->pdata[i];

        g_ptr_array_add(info->servers, copy_end(l->where));
    }
    for (unsigned i = 0; i < d->clients->len; i++) {
        VncClient *c = d->clients->pdata[i];

        g_ptr_array_add(info->clients, copy_end(c->there));
    }
    return info;
}

static const Property properties[] = {
    { "vnc", PROP_STRING, offsetof(VncDisplay, address), NULL,
      "HOST:DISPLAY, TCP port 5900 + DISPLAY; unix:PATH; none", 0 },
    { "to", PROP_UINT16, offsetof(VncDisplay, to), NULL,
      "the first free display up to this one", 0 },
    { "share", PROP_STRING, offsetof(VncDisplay, share_name), "allow-exclusive",
      "whether a client may be alone: allow-exclusive, force-shared, ignore", 0 },
    { "password", PROP_BOOL, offsetof(VncDisplay, password), NULL,
      "ask for the password that set_password sets; nobody gets in before", 0 },
    { "display", PROP_STRING, offsetof(VncDisplay, device), NULL,
      "id or path of the display device to show", 0 },
    { "head", PROP_UINT32, offsetof(VncDisplay, head), NULL, "which screen of that", 0 },
    { "reverse", PROP_BOOL, offsetof(VncDisplay, reverse), NULL,
      "connect to a viewer that listens at HOST, TCP port DISPLAY, or PATH", 0 },
    { "ipv4", PROP_BOOL, offsetof(VncDisplay, ipv4), "on", "use IPv4 addresses", 0 },
    { "ipv6", PROP_BOOL, offsetof(VncDisplay, ipv6), "on", "use IPv6 addresses", 0 },
    { 0 },
};

const DisplayType display_module = {
    .name = "vnc",
    .description = "a server for VNC viewers",
    .size = sizeof(VncDisplay),
    .properties = properties,
    .implied = "vnc",
    .open = vnc_open,
    .close = vnc_close,
    .set_password = vnc_set_password,
    .expire_password = vnc_expire_password,
    .info = vnc_info,
};
