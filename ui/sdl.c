/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display "sdl": a window for each console, by SDL 2 (its wiki is the documentation:
 * https://wiki.libsdl.org/SDL2).
 *
 * What a console tells, under the memory lock, is converted at once into a picture of the
 * window's own. What takes a window system's time, uploading and showing what has
 * changed, is done afterwards without the lock, so that no vCPU waits for it.
 *
 * SDL has one state for the whole program, so there is one such display. All in the main
 * loop's thread.
 */
#include <SDL.h>
#include <glib-unix.h>
#include <string.h>

#include "hw/core/machine.h"
#include "hw/input/input.h"
#include "sysemu.h"
#include "ui/console.h"
#include "ui/display.h"
#include "ui/sdl-internal.h"

/* How often SDL is asked for events where it offers nothing to wait for: */
#define POLL_MS 10       /* while somebody types or moves the pointer, and */
#define POLL_IDLE_MS 30  /* otherwise, that is from then on: */
#define ACTIVE_US 1000000
#define POLL_RARELY_MS 1000 /* where it does */

#define DAMAGE_MAX 64 /* more rectangles than that are taken as one */

#define FORMAT PIXMAN_x8r8g8b8
#define SDL_FORMAT SDL_PIXELFORMAT_RGB888 /* the same, as SDL calls it */

typedef struct SDLDisplay {
    Display display; /* first, always */
    char *device;    /* properties */
    uint32_t head;
    bool full_screen, window_close;
    char *grab_mod;

    unsigned grab_keys;       /* KMOD_*: all of them are down for a hot key */
    const char *grab_title;   /* the same for a person */
    SDL_Scancode hot;         /* the hot key that is down */
    Keyboard *keyboard;
    GPtrArray *windows;       /* Window *, owned */
    struct Window *grabbed;   /* has keyboard and pointer for itself; NULL: none */
    bool added;               /* a console has come */
    gint64 active;            /* when the last key or movement came */
    guint poll_source, serve_source, event_source; /* 0: none */
} SDLDisplay;

typedef struct Window {
    SDLDisplay *display;
    Console *console;  /* NULL: has gone */
    Viewer viewer;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture;     /* of the size of @picture; NULL: still to be made */
    pixman_image_t *image;    /* the console's */
    pixman_image_t *picture;  /* FORMAT; NULL: no memory for one */
    pixman_region32_t damage; /* what of @picture is not on the texture */
    bool exposed;             /* the texture is not in the window */
    bool resized;             /* the window is not of the size of @picture yet */
    char *title;
    unsigned buttons;         /* held down, by SDL_BUTTON() */
} Window;

/* ---- the picture: called by the console, under the memory lock ------------------- */

static void damage_all(Window *w)
{
    pixman_region32_fini(&w->damage);
    if (w->picture) {
        pixman_region32_init_rect(&w->damage, 0, 0, pixman_image_get_width(w->picture),
                                  pixman_image_get_height(w->picture));
    } else {
        pixman_region32_init(&w->damage);
    }
}

static void drop_picture(Window *w)
{
    g_clear_pointer(&w->picture, pixman_image_unref);
    damage_all(w);
}

static void window_image(void *opaque, pixman_image_t *image)
{
    Window *w = opaque;
    int width, height;

    g_clear_pointer(&w->image, pixman_image_unref);
    if (!image) {
        w->console = NULL;
        return;
    }
    w->image = pixman_image_ref(image);
    width = pixman_image_get_width(image);
    height = pixman_image_get_height(image);
    if (w->picture && pixman_image_get_width(w->picture) == width &&
        pixman_image_get_height(w->picture) == height) {
        return;
    }
    drop_picture(w);
    w->picture = pixman_image_create_bits(FORMAT, width, height, NULL, 0);
    w->resized = true;
}

static void window_changed(void *opaque, int x, int y, int width, int height)
{
    Window *w = opaque;

    if (!w->picture) {
        return;
    }
    image_convert(w->picture, w->image, x, y, width, height);
    pixman_region32_union_rect(&w->damage, &w->damage, x, y, width, height);
    if (pixman_region32_n_rects(&w->damage) > DAMAGE_MAX) {
        pixman_box32_t all = *pixman_region32_extents(&w->damage);

        pixman_region32_fini(&w->damage);
        pixman_region32_init_with_extents(&w->damage, &all);
    }
}

static gboolean serve_now(gpointer opaque);

static void serve_soon(SDLDisplay *s)
{
    if (!s->serve_source) {
        s->serve_source = g_idle_add_full(G_PRIORITY_DEFAULT, serve_now, s, NULL);
    }
}

static void window_refreshed(void *opaque)
{
    Window *w = opaque;

    if (pixman_region32_not_empty(&w->damage)) {
        serve_soon(w->display);
    }
}

static const ViewerOps window_viewer_ops = {
    .image = window_image,
    .changed = window_changed,
    .refreshed = window_refreshed,
};

/* ---- the picture into the window ------------------------------------------------- */

static bool is_full_screen(const Window *w)
{
    return SDL_GetWindowFlags(w->window) & SDL_WINDOW_FULLSCREEN;
}

/* Make the window as large as the picture, as far as the screen allows. */
static void window_fit(Window *w)
{
    int width, height;
    SDL_Rect usable;

    if (!w->picture || is_full_screen(w) ||
        SDL_GetWindowFlags(w->window) & SDL_WINDOW_MAXIMIZED) {
        return;
    }
    width = pixman_image_get_width(w->picture);
    height = pixman_image_get_height(w->picture);
    if (SDL_GetDisplayUsableBounds(SDL_GetWindowDisplayIndex(w->window), &usable) == 0) {
        double scale = MIN(1, MIN((double)usable.w / width, (double)usable.h / height));

        width = MAX(1, width * scale);
        height = MAX(1, height * scale);
    }
    SDL_SetWindowSize(w->window, width, height);
}

/* A texture for the picture. SDL brings it to the window's size, in its proportions. */
static void make_texture(Window *w)
{
    int width = pixman_image_get_width(w->picture);
    int height = pixman_image_get_height(w->picture);

    w->texture = SDL_CreateTexture(w->renderer, SDL_FORMAT, SDL_TEXTUREACCESS_STREAMING,
                                   width, height);
    SDL_RenderSetLogicalSize(w->renderer, width, height);
    if (!w->texture) {
        g_printerr("flatview: -display sdl: cannot show a picture of %dx%d: %s\n", width,
                   height, SDL_GetError());
        drop_picture(w); /* until there is another one */
        return;
    }
    damage_all(w);
}

static void upload(Window *w)
{
    int rects_nr;
    pixman_box32_t *boxes = pixman_region32_rectangles(&w->damage, &rects_nr);
    int stride = pixman_image_get_stride(w->picture);
    const char *pixels = (const char *)pixman_image_get_data(w->picture);

    for (int i = 0; i < rects_nr; i++) {
        const pixman_box32_t *box = &boxes[i];
        SDL_Rect rect = { box->x1, box->y1, box->x2 - box->x1, box->y2 - box->y1 };

        SDL_UpdateTexture(w->texture, &rect,
                          pixels + (size_t)box->y1 * stride + (size_t)box->x1 * 4,
                          stride);
    }
    pixman_region32_clear(&w->damage);
}

/* Whether it is on the user's screen. */
static bool is_seen(const Window *w)
{
    return !(SDL_GetWindowFlags(w->window) & (SDL_WINDOW_HIDDEN | SDL_WINDOW_MINIMIZED));
}

/* False: there was nothing to show. */
static bool window_present(Window *w)
{
    if (!is_seen(w)) {
        return false;
    }
    if (w->resized) {
        w->resized = false;
        w->exposed = true;
        g_clear_pointer(&w->texture, SDL_DestroyTexture);
        window_fit(w);
    }
    if (w->picture && !w->texture) {
        make_texture(w);
    }
    if (!w->exposed && !pixman_region32_not_empty(&w->damage)) {
        return false;
    }
    w->exposed = false;
    SDL_RenderClear(w->renderer);
    if (w->texture) {
        upload(w);
        SDL_RenderCopy(w->renderer, w->texture, NULL, NULL);
    }
    SDL_RenderPresent(w->renderer);
    return true;
}

/* ---- the life of a window -------------------------------------------------------- */

/* "flatview", and what tells machines and windows apart; to be freed. */
static char *make_title(const Window *w)
{
    Machine *machine = (Machine *)object_resolve("/machine", NULL);
    g_autoptr(GString) title = g_string_new("flatview");

    if (machine && machine->name) {
        g_string_append_printf(title, " (%s)", machine->name);
    }
    memory_lock();
    if (w->display->windows->len > 1 && w->console) {
        g_string_append_printf(title, ": %s", console_label(w->console));
    }
    memory_unlock();
    if (!vm_is_running() && vm_run_state() != RUN_STATE_SUSPENDED) {
        g_string_append(title, " [stopped]");
    }
    if (w->display->grabbed == w) {
        g_string_append_printf(title, " - press %s-G to release keyboard and pointer",
                               w->display->grab_title);
    }
    return g_strdup(title->str);
}

static void window_name(Window *w)
{
    char *title = make_title(w);

    if (g_strcmp0(title, w->title) != 0) {
        SDL_SetWindowTitle(w->window, title);
        g_free(w->title);
        w->title = title;
    } else {
        g_free(title);
    }
}

static void window_free(gpointer data)
{
    Window *w = data;

    memory_lock();
    viewer_detach(&w->viewer);
    memory_unlock();
    g_clear_pointer(&w->image, pixman_image_unref);
    drop_picture(w);
    pixman_region32_fini(&w->damage);
    g_clear_pointer(&w->texture, SDL_DestroyTexture);
    g_clear_pointer(&w->renderer, SDL_DestroyRenderer);
    g_clear_pointer(&w->window, SDL_DestroyWindow);
    g_free(w->title);
    g_free(w);
}

/* A window that looks at @con. Under the memory lock. False with @err. */
static bool window_new(SDLDisplay *s, Console *con, GError **err)
{
    Window *w = g_new0(Window, 1);

    w->display = s;
    w->console = con;
    w->viewer.ops = &window_viewer_ops;
    w->viewer.opaque = w;
    pixman_region32_init(&w->damage);
    w->window = SDL_CreateWindow("flatview", SDL_WINDOWPOS_UNDEFINED,
                                 SDL_WINDOWPOS_UNDEFINED, 640, 480, SDL_WINDOW_RESIZABLE);
    w->renderer = w->window ? SDL_CreateRenderer(w->window, -1, 0) : NULL;
    if (!w->renderer) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot make a window: %s", SDL_GetError());
        window_free(w);
        return false;
    }
    g_ptr_array_add(s->windows, w);
    viewer_attach(&w->viewer, con);
    return true;
}

static Window *window_of_console(SDLDisplay *s, const Console *con)
{
    for (unsigned i = 0; i < s->windows->len; i++) {
        Window *w = s->windows->pdata[i];

        if (w->console == con) {
            return w;
        }
    }
    return NULL;
}

static Window *window_of_id(SDLDisplay *s, Uint32 id)
{
    for (unsigned i = 0; i < s->windows->len; i++) {
        Window *w = s->windows->pdata[i];

        if (SDL_GetWindowID(w->window) == id) {
            return w;
        }
    }
    return NULL;
}

/* A window for each console that has none. Under the memory lock. False with @err. */
static bool add_windows(SDLDisplay *s, GError **err)
{
    for (unsigned i = 0; i < consoles_nr(); i++) {
        Console *con = console_by_index(i);

        if (con && !window_of_console(s, con) && !window_new(s, con, err)) {
            return false;
        }
    }
    return true;
}

/* ---- keyboard and pointer -------------------------------------------------------- */

static void send_button(Window *w, unsigned button, bool down)
{
    static const unsigned codes[] = {
        [SDL_BUTTON_LEFT] = BTN_LEFT,     [SDL_BUTTON_MIDDLE] = BTN_MIDDLE,
        [SDL_BUTTON_RIGHT] = BTN_RIGHT,   [SDL_BUTTON_X1] = BTN_SIDE,
        [SDL_BUTTON_X2] = BTN_EXTRA,
    };

    if (button == 0 || button >= G_N_ELEMENTS(codes)) {
        return;
    }
    w->buttons &= ~SDL_BUTTON(button);
    if (down) {
        w->buttons |= SDL_BUTTON(button);
    }
    memory_lock();
    input_send_key(codes[button], down);
    memory_unlock();
}

static void release_keys(SDLDisplay *s)
{
    memory_lock();
    keyboard_release_all(s->keyboard);
    memory_unlock();
}

/* Give @w keyboard and pointer for itself, which the window system's own keys do not
 * leave; NULL: nobody. */
static void set_grab(SDLDisplay *s, Window *w)
{
    Window *old = s->grabbed;
    unsigned button;

    if (old == w) {
        return;
    }
    if (old) {
        for (button = SDL_BUTTON_LEFT; old->buttons; button++) {
            if (old->buttons & SDL_BUTTON(button)) {
                send_button(old, button, false);
            }
        }
        SDL_SetWindowGrab(old->window, SDL_FALSE);
    }
    SDL_SetRelativeMouseMode(w ? SDL_TRUE : SDL_FALSE);
    if (w) {
        SDL_SetWindowGrab(w->window, SDL_TRUE);
    }
    s->grabbed = w;
}

static void toggle_full_screen(SDLDisplay *s, Window *w)
{
    bool on = !is_full_screen(w);

    SDL_SetWindowFullscreen(w->window, on ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    set_grab(s, on ? w : NULL);
    if (!on) {
        window_fit(w);
    }
}

static bool other_window_seen(SDLDisplay *s, const Window *w)
{
    for (unsigned i = 0; i < s->windows->len; i++) {
        if (s->windows->pdata[i] != w && is_seen(s->windows->pdata[i])) {
            return true;
        }
    }
    return false;
}

/* The last one stays: without a window there is nowhere to type. */
static void toggle_window(SDLDisplay *s, unsigned index)
{
    Console *con;
    Window *w;

    memory_lock();
    con = console_by_index(index);
    memory_unlock();
    w = con ? window_of_console(s, con) : NULL;
    if (!w) {
        return;
    }
    if (is_seen(w)) {
        if (other_window_seen(s, w)) {
            set_grab(s, NULL);
            SDL_HideWindow(w->window);
        }
    } else {
        SDL_ShowWindow(w->window);
        SDL_RaiseWindow(w->window);
    }
}

/* What a key means together with those of the grab. False: nothing. */
static bool hot_key(SDLDisplay *s, Window *w, SDL_Scancode scancode)
{
    switch (scancode) {
    case SDL_SCANCODE_G:
        set_grab(s, s->grabbed ? NULL : w);
        return true;
    case SDL_SCANCODE_F:
        toggle_full_screen(s, w);
        return true;
    case SDL_SCANCODE_U:
        window_fit(w);
        return true;
    default:
        if (scancode >= SDL_SCANCODE_1 && scancode <= SDL_SCANCODE_9) {
            toggle_window(s, scancode - SDL_SCANCODE_1);
            return true;
        }
        return false;
    }
}

static void on_key(SDLDisplay *s, Window *w, const SDL_KeyboardEvent *event)
{
    bool down = event->state == SDL_PRESSED;
    SDL_Scancode scancode = event->keysym.scancode;
    unsigned code = sdl_key(scancode);

    if (scancode == s->hot) { /* still, or not any more */
        s->hot = down ? scancode : SDL_SCANCODE_UNKNOWN;
        return;
    }
    if (down && (event->keysym.mod & s->grab_keys) == s->grab_keys &&
        hot_key(s, w, scancode)) {
        s->hot = scancode;
        release_keys(s); /* the guest is not to see half of it */
        return;
    }
    if (code) {
        memory_lock();
        keyboard_key(s->keyboard, code, down);
        memory_unlock();
    }
}

static void on_button(SDLDisplay *s, Window *w, const SDL_MouseButtonEvent *event)
{
    bool down = event->state == SDL_PRESSED;

    if (s->grabbed == w) {
        send_button(w, event->button, down);
    } else if (down && event->button == SDL_BUTTON_LEFT) {
        set_grab(s, w);
    }
}

static void on_motion(SDLDisplay *s, int dx, int dy, int wheel)
{
    if (s->grabbed) {
        memory_lock();
        input_send_motion(dx, dy, wheel);
        memory_unlock();
    }
}

/* ---- what else happens to a window ----------------------------------------------- */

static void pause_viewer(Window *w, bool paused)
{
    memory_lock();
    viewer_pause(&w->viewer, paused);
    memory_unlock();
}

static void on_close(SDLDisplay *s, Window *w)
{
    if (!s->window_close) {
        return;
    }
    if (w && other_window_seen(s, w)) {
        SDL_HideWindow(w->window);
    } else {
        vm_request_shutdown(SHUTDOWN_CAUSE_HOST_UI, EXIT_GUEST_OFF);
    }
}

/* By hand: a size that the program itself asked for is the picture's. */
static void on_resized(Window *w, int width, int height)
{
    if (w->console && width > 0 && height > 0 &&
        !(w->picture && pixman_image_get_width(w->picture) == width &&
          pixman_image_get_height(w->picture) == height)) {
        memory_lock();
        console_suggest_size(w->console, width, height);
        memory_unlock();
    }
}

static void on_window_event(SDLDisplay *s, Window *w, const SDL_WindowEvent *event)
{
    switch (event->event) {
    case SDL_WINDOWEVENT_SHOWN:
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_MAXIMIZED:
    case SDL_WINDOWEVENT_HIDDEN:
    case SDL_WINDOWEVENT_MINIMIZED:
        pause_viewer(w, !is_seen(w));
        w->exposed = true;
        break;
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SIZE_CHANGED:
        w->exposed = true;
        break;
    case SDL_WINDOWEVENT_RESIZED:
        on_resized(w, event->data1, event->data2);
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        set_grab(s, NULL);
        release_keys(s);
        s->hot = SDL_SCANCODE_UNKNOWN;
        break;
    case SDL_WINDOWEVENT_CLOSE:
        on_close(s, w);
        break;
    }
}

static void reset_textures(SDLDisplay *s)
{
    for (unsigned i = 0; i < s->windows->len; i++) {
        Window *w = s->windows->pdata[i];

        g_clear_pointer(&w->texture, SDL_DestroyTexture);
        w->exposed = true;
    }
}

static void on_event(SDLDisplay *s, const SDL_Event *event)
{
    Window *w;

    switch (event->type) {
    case SDL_QUIT:
        on_close(s, NULL);
        break;
    case SDL_WINDOWEVENT:
        w = window_of_id(s, event->window.windowID);
        if (w) {
            on_window_event(s, w, &event->window);
        }
        break;
    case SDL_KEYDOWN:
    case SDL_KEYUP:
        w = window_of_id(s, event->key.windowID);
        if (w) {
            on_key(s, w, &event->key);
        }
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        w = window_of_id(s, event->button.windowID);
        if (w) {
            on_button(s, w, &event->button);
        }
        break;
    case SDL_MOUSEMOTION:
        on_motion(s, event->motion.xrel, event->motion.yrel, 0);
        break;
    case SDL_MOUSEWHEEL: /* SDL counts those away from the user */
        on_motion(s, 0, 0, -event->wheel.y);
        break;
    case SDL_RENDER_TARGETS_RESET:
    case SDL_RENDER_DEVICE_RESET:
        reset_textures(s);
        break;
    }
}

/* ---- the display ----------------------------------------------------------------- */

/* Windows whose console has gone. */
static void remove_windows(SDLDisplay *s)
{
    for (unsigned i = s->windows->len; i-- > 0;) {
        Window *w = s->windows->pdata[i];

        if (!w->console) {
            if (s->grabbed == w) {
                set_grab(s, NULL);
            }
            g_ptr_array_remove_index(s->windows, i);
        }
    }
}

static bool is_input(const SDL_Event *event)
{
    return event->type >= SDL_KEYDOWN && event->type <= SDL_MOUSEWHEEL;
}

/* Consoles that have come while the machine runs. */
static void show_new_consoles(SDLDisplay *s)
{
    GError *err = NULL;
    bool done;

    s->added = false;
    memory_lock();
    done = add_windows(s, &err);
    memory_unlock();
    if (!done) {
        g_printerr("flatview: -display sdl: %s\n", err->message);
        g_error_free(err);
    }
}

static void serve(SDLDisplay *s)
{
    SDL_Event event;
    unsigned i;

    while (SDL_PollEvent(&event)) {
        if (is_input(&event)) {
            s->active = g_get_monotonic_time();
        }
        on_event(s, &event);
    }
    remove_windows(s);
    if (s->added) {
        show_new_consoles(s);
    }
    for (i = 0; i < s->windows->len; i++) {
        window_name(s->windows->pdata[i]);
        if (window_present(s->windows->pdata[i])) {
            /* Events that arrived meanwhile are where no descriptor tells of them. */
            serve_soon(s);
        }
    }
}

static gboolean serve_now(gpointer opaque)
{
    SDLDisplay *s = opaque;

    s->serve_source = 0;
    serve(s);
    return G_SOURCE_REMOVE;
}

static gboolean poll_events(gpointer opaque)
{
    SDLDisplay *s = opaque;
    bool active;

    serve(s);
    active = s->active && g_get_monotonic_time() - s->active < ACTIVE_US;
    s->poll_source = g_timeout_add(s->event_source ? POLL_RARELY_MS
                                   : active ? POLL_MS : POLL_IDLE_MS, poll_events, s);
    return G_SOURCE_REMOVE;
}

static gboolean events_arrived(gint fd, GIOCondition condition, gpointer opaque)
{
    SDLDisplay *s = opaque;

    serve(s);
    if (condition & (G_IO_HUP | G_IO_ERR)) {
        s->event_source = 0;
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

/* The connection of one window is that of all. */
static void wait_for_events(SDLDisplay *s)
{
    Window *w = s->windows->pdata[0];
    int fd = sdl_event_fd(w->window);

    if (fd >= 0) {
        s->event_source = g_unix_fd_add(fd, G_IO_IN, events_arrived, s);
    }
}

static void console_added(Console *con, void *opaque)
{
    SDLDisplay *s = opaque;

    s->added = !s->device; /* which waits: the console is not complete yet */
}

static bool parse_grab(SDLDisplay *s, GError **err)
{
    static const struct {
        const char *name, *title;
        unsigned keys;
    } known[] = {
        { "lctrl-lalt", "Ctrl-Alt", KMOD_LCTRL | KMOD_LALT },
        { "lshift-lctrl-lalt", "Ctrl-Alt-Shift", KMOD_LSHIFT | KMOD_LCTRL | KMOD_LALT },
        { "rctrl", "right Ctrl", KMOD_RCTRL },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++) {
        if (strcmp(s->grab_mod, known[i].name) == 0) {
            s->grab_keys = known[i].keys;
            s->grab_title = known[i].title;
            return true;
        }
    }
    g_set_error(err, FLATVIEW_ERROR, 0,
                "grab-mod '%s' is not lctrl-lalt, lshift-lctrl-lalt or rctrl",
                s->grab_mod);
    return false;
}

/* Where there is no screen SDL may take a driver whose windows nobody sees, which is of
 * use only to who asks for it. */
static bool is_invisible(void)
{
    return !SDL_GetHint(SDL_HINT_VIDEODRIVER) &&
           g_strcmp0(SDL_GetCurrentVideoDriver(), "offscreen") == 0;
}

static bool start_sdl(GError **err)
{
    if (SDL_WasInit(SDL_INIT_VIDEO)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "there is such a display already; it shows all consoles");
        return false;
    }
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1"); /* they are the main loop's */
    SDL_SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    SDL_SetHint(SDL_HINT_VIDEO_MINIMIZE_ON_FOCUS_LOSS, "0");
    SDL_SetHint(SDL_HINT_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR, "0");
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    SDL_SetHint(SDL_HINT_MOUSE_FOCUS_CLICKTHROUGH, "1");
    if (SDL_Init(SDL_INIT_VIDEO) < 0 || is_invisible()) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "cannot open a window system: %s; it is found by DISPLAY or "
                    "WAYLAND_DISPLAY in the environment, and -vnc needs none",
                    SDL_WasInit(SDL_INIT_VIDEO) ? "there is none" : SDL_GetError());
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
        return false;
    }
    SDL_StopTextInput(); /* keys are the guest's, not an input method's */
    return true;
}

static void stop(guint *source)
{
    if (*source) {
        g_source_remove(*source);
        *source = 0;
    }
}

static void sdl_close(Display *display)
{
    SDLDisplay *s = (SDLDisplay *)display;

    stop(&s->poll_source);
    stop(&s->event_source);
    memory_lock();
    console_unlisten(console_added, s);
    keyboard_free(s->keyboard);
    memory_unlock();
    s->keyboard = NULL;
    g_clear_pointer(&s->windows, g_ptr_array_unref);
    stop(&s->serve_source);
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
}

static bool open_windows(SDLDisplay *s, GError **err)
{
    Console *con;
    bool done = false;

    memory_lock();
    con = s->device ? console_find(s->device, s->head, err) : console_default(err);
    if (con) {
        done = s->device ? window_new(s, con, err) : add_windows(s, err);
    }
    console_listen(console_added, s);
    memory_unlock();
    return done;
}

static bool sdl_open(Display *display, GError **err)
{
    SDLDisplay *s = (SDLDisplay *)display;

    if (!parse_grab(s, err) || !start_sdl(err)) {
        return false;
    }
    s->windows = g_ptr_array_new_with_free_func(window_free);
    s->keyboard = keyboard_new(display->keyboard, err);
    if (!s->keyboard || !open_windows(s, err)) {
        sdl_close(display);
        return false;
    }
    if (s->full_screen) {
        toggle_full_screen(s, s->windows->pdata[0]);
    }
    wait_for_events(s);
    poll_events(s);
    return true;
}

static const Property sdl_properties[] = {
    { "display", PROP_STRING, offsetof(SDLDisplay, device), NULL,
      "the id of the one device that is shown; all are if there is none", 0 },
    { "head", PROP_UINT32, offsetof(SDLDisplay, head), "0",
      "which of its screens", 0 },
    { "full-screen", PROP_BOOL, offsetof(SDLDisplay, full_screen), "off",
      "begin with the whole screen", 0 },
    { "window-close", PROP_BOOL, offsetof(SDLDisplay, window_close), "on",
      "closing the last window ends the machine", 0 },
    { "grab-mod", PROP_STRING, offsetof(SDLDisplay, grab_mod), "lctrl-lalt",
      "keys that make another one a hot key: lctrl-lalt, lshift-lctrl-lalt, rctrl", 0 },
    { 0 },
};

const DisplayType display_module = {
    .name = "sdl",
    .description = "a window for each screen",
    .size = sizeof(SDLDisplay),
    .properties = sdl_properties,
    .open = sdl_open,
    .close = sdl_close,
};
