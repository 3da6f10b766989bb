/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles: see ui/console.h.
 *
 * Lists are walked from the end: whoever is called may then take itself or others out,
 * and nobody is left out for it.
 */
#include "ui/console.h"

#include <assert.h>

#include "hw/input/input.h"
#include "memory.h"

#define FIRST_WIDTH 640
#define FIRST_HEIGHT 480

struct Console {
    Device *dev; /* NULL in tests */
    unsigned head, index;
    const ConsoleOps *ops;
    void *opaque;
    char *label;
    pixman_image_t *image;
    GPtrArray *viewers; /* Viewer * */
    unsigned lookers;   /* viewers that are not paused */
    bool watched;       /* what the device was told last */
    bool refreshing;
};

typedef struct Listener {
    ConsoleAdded *added;
    void *opaque;
} Listener;

static GPtrArray *consoles;  /* Console *, NULL where one has gone; NULL: none yet */
static GPtrArray *listeners; /* Listener *; NULL: none yet */
static GSource *timer;       /* armed while a console is watched; NULL: none yet */
static bool has_changed;     /* some picture, since the timer looked */
static unsigned quiet;       /* rounds of the timer without a change */

/* ---- the picture -------------------------------------------------------------------- */

static void free_line(pixman_image_t *image, void *line)
{
    g_free(line);
}

/* All of its lines are the same one in memory: a guest that sets a large mode, and shows
 * nothing in it, is not to cost a gigabyte. */
static pixman_image_t *black_image(int width, int height)
{
    uint32_t *line = g_new0(uint32_t, width);
    pixman_image_t *image = pixman_image_create_bits(PIXMAN_x8r8g8b8, width, height,
                                                     line, 0);

    if (!image) {
        g_error("no memory for a picture of %dx%d", width, height);
    }
    pixman_image_set_destroy_function(image, free_line, line);
    return image;
}

/* One that has yet to hear of the image hears that all of it has changed then. */
static void tell_changed(Viewer *viewer, int x, int y, int width, int height)
{
    if (!viewer->paused && viewer->ops->changed &&
        viewer->image == viewer->console->image) {
        viewer->ops->changed(viewer->opaque, x, y, width, height);
    }
}

static void tell_all_changed(Viewer *viewer)
{
    pixman_image_t *image = viewer->console->image;

    tell_changed(viewer, 0, 0, pixman_image_get_width(image),
                 pixman_image_get_height(image));
}

static void tell_image(Viewer *viewer)
{
    viewer->image = viewer->console->image;
    viewer->ops->image(viewer->opaque, viewer->console->image);
    if (viewer->console) {
        tell_all_changed(viewer);
    }
}

void console_set_image(Console *con, pixman_image_t *image)
{
    pixman_image_t *old = con->image;

    has_changed = true;
    if (image) {
        assert(pixman_image_get_width(image) <= CONSOLE_SIZE_MAX &&
               pixman_image_get_height(image) <= CONSOLE_SIZE_MAX);
        con->image = pixman_image_ref(image);
    } else {
        con->image = black_image(pixman_image_get_width(old),
                                 pixman_image_get_height(old));
    }
    for (unsigned i = con->viewers->len; i-- > 0;) {
        if (i < con->viewers->len) {
            tell_image(con->viewers->pdata[i]);
        }
    }
    pixman_image_unref(old);
}

void console_changed(Console *con, int x, int y, int width, int height)
{
    int64_t right = MIN((int64_t)x + width, pixman_image_get_width(con->image));
    int64_t bottom = MIN((int64_t)y + height, pixman_image_get_height(con->image));

    x = MAX(x, 0);
    y = MAX(y, 0);
    if (x >= right || y >= bottom) {
        return;
    }
    has_changed = true;
    for (unsigned i = con->viewers->len; i-- > 0;) {
        if (i < con->viewers->len) {
            tell_changed(con->viewers->pdata[i], x, y, right - x, bottom - y);
        }
    }
}

bool console_watched(const Console *con)
{
    return con->lookers > 0;
}

/* ---- refreshing --------------------------------------------------------------------- */

static gboolean refresh_all(GSource *source, GSourceFunc callback, gpointer opaque);

/* No later than in one period, and on with short ones. */
static void refresh_soon(void)
{
    int64_t soon = g_get_monotonic_time() + CONSOLE_REFRESH_MS * 1000;
    int64_t due = g_source_get_ready_time(timer);

    quiet = 0;
    if (due < 0 || due > soon) {
        g_source_set_ready_time(timer, soon);
    }
}

/* Somebody uses the machine, and waits for what the guest shows. */
static void hear_input(void)
{
    if (g_source_get_ready_time(timer) >= 0) {
        refresh_soon();
    }
}

static void make_timer(void)
{
    static GSourceFuncs funcs = { .dispatch = refresh_all };

    timer = g_source_new(&funcs, sizeof(GSource));
    g_source_set_name(timer, "consoles");
    g_source_attach(timer, NULL);
    input_set_watcher(hear_input);
}

/* Tell the device whether somebody looks, but not from a viewer's callback in the middle
 * of its refresh. */
static void update_watch(Console *con)
{
    bool watched = con->lookers > 0;

    if (con->refreshing || con->watched == watched) {
        return;
    }
    con->watched = watched;
    if (con->ops->watch) {
        con->ops->watch(con->opaque, watched);
    }
    if (watched) {
        /* Nobody has recorded what changed before. */
        con->ops->invalidate(con->opaque);
        if (!timer) {
            make_timer();
        }
        refresh_soon();
    }
}

static void refresh(Console *con)
{
    con->refreshing = true;
    con->ops->refresh(con->opaque);
    for (unsigned i = con->viewers->len; i-- > 0;) {
        Viewer *viewer = i < con->viewers->len ? con->viewers->pdata[i] : NULL;

        if (viewer && !viewer->paused && viewer->ops->refreshed) {
            viewer->ops->refreshed(viewer->opaque);
        }
    }
    con->refreshing = false;
    update_watch(con);
}

static gboolean refresh_all(GSource *source, GSourceFunc callback, gpointer opaque)
{
    bool watched = false;
    gint64 begun, now, period;

    memory_lock();
    begun = g_get_monotonic_time();
    g_source_set_ready_time(timer, -1);
    for (unsigned i = 0; i < consoles_nr(); i++) {
        Console *con = console_by_index(i);

        if (con && con->watched) {
            refresh(con);
            watched |= con->watched;
        }
    }
    quiet = has_changed ? 0 : quiet + 1;
    has_changed = false;
    if (watched) {
        now = g_get_monotonic_time();
        period = (quiet < CONSOLE_QUIET ? CONSOLE_REFRESH_MS : CONSOLE_IDLE_MS) * 1000;
        /* However much a guest gives it to do, it has the lock half of the time at most. */
        g_source_set_ready_time(timer, now + MAX(period, now - begun));
    }
    memory_unlock();
    return G_SOURCE_CONTINUE;
}

pixman_image_t *console_refresh(Console *con)
{
    if (!con->watched) {
        con->ops->invalidate(con->opaque);
    }
    refresh(con);
    return con->image;
}

/* ---- viewers ------------------------------------------------------------------------ */

static void add_looker(Console *con)
{
    con->lookers++;
    update_watch(con);
}

static void remove_looker(Console *con)
{
    con->lookers--;
    update_watch(con);
}

void viewer_attach(Viewer *viewer, Console *con)
{
    assert(!viewer->console);
    viewer->console = con;
    g_ptr_array_add(con->viewers, viewer);
    if (!viewer->paused) {
        add_looker(con);
    }
    tell_image(viewer);
}

void viewer_detach(Viewer *viewer)
{
    Console *con = viewer->console;

    if (!con) {
        return;
    }
    g_ptr_array_remove(con->viewers, viewer);
    viewer->console = NULL;
    if (!viewer->paused) {
        remove_looker(con);
    }
}

void viewer_pause(Viewer *viewer, bool paused)
{
    if (viewer->paused == paused) {
        return;
    }
    viewer->paused = paused;
    if (!viewer->console) {
        return;
    }
    if (paused) {
        remove_looker(viewer->console);
    } else {
        add_looker(viewer->console);
        tell_all_changed(viewer);
    }
}

/* ---- which there are ---------------------------------------------------------------- */

unsigned consoles_nr(void)
{
    return consoles ? consoles->len : 0;
}

Console *console_by_index(unsigned index)
{
    return index < consoles_nr() ? consoles->pdata[index] : NULL;
}

unsigned console_index(const Console *con)
{
    return con->index;
}

const char *console_label(const Console *con)
{
    return con->label;
}

static char *make_label(const Device *dev, unsigned head)
{
    g_autoptr(GString) label = g_string_new(dev ? dev->type->name : "console");

    if (dev && dev->id) {
        g_string_append_printf(label, " %s", dev->id);
    }
    if (head) {
        g_string_append_printf(label, " head %u", head);
    }
    return g_strdup(label->str);
}

Console *console_new(Device *dev, unsigned head, const ConsoleOps *ops, void *opaque)
{
    Console *con = g_new0(Console, 1);

    if (!consoles) {
        consoles = g_ptr_array_new();
    }
    con->dev = dev;
    con->head = head;
    con->index = consoles->len;
    con->ops = ops;
    con->opaque = opaque;
    con->label = make_label(dev, head);
    con->image = black_image(FIRST_WIDTH, FIRST_HEIGHT);
    con->viewers = g_ptr_array_new();
    g_ptr_array_add(consoles, con);

    for (unsigned i = listeners ? listeners->len : 0; i-- > 0;) {
        if (i < listeners->len) {
            Listener *listener = listeners->pdata[i];

            listener->added(con, listener->opaque);
        }
    }
    return con;
}

void console_free(Console *con)
{
    if (!con) {
        return;
    }
    /* None finds it any more: a viewer looks for another one now. */
    consoles->pdata[con->index] = NULL;
    while (consoles->len && !consoles->pdata[consoles->len - 1]) {
        g_ptr_array_set_size(consoles, consoles->len - 1);
    }
    while (con->viewers->len) {
        Viewer *viewer = con->viewers->pdata[con->viewers->len - 1];

        viewer_detach(viewer);
        viewer->ops->image(viewer->opaque, NULL);
    }
    g_ptr_array_unref(con->viewers);
    pixman_image_unref(con->image);
    g_free(con->label);
    g_free(con);
}

/* "0 (VGA), 1 (bochs-display b)"; to be freed. */
static char *list_consoles(void)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < consoles_nr(); i++) {
        if (console_by_index(i)) {
            g_string_append_printf(list, "%s%u (%s)", list->len ? ", " : "", i,
                                   console_label(console_by_index(i)));
        }
    }
    return g_strdup(list->len ? list->str : "none");
}

Console *console_find(const char *device, unsigned head, GError **err)
{
    Object *obj = object_resolve(device, NULL);
    Device *dev = obj ? object_device(obj) : NULL;
    g_autofree char *list = NULL;

    if (!dev) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                    "Device '%s' not found", device);
        return NULL;
    }
    for (unsigned i = 0; i < consoles_nr(); i++) {
        Console *con = console_by_index(i);

        if (con && con->dev == dev && con->head == head) {
            return con;
        }
    }
    list = list_consoles();
    g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                "device '%s' has no console of head %u; consoles: %s", device, head,
                list);
    return NULL;
}

Console *console_default(GError **err)
{
    for (unsigned i = 0; i < consoles_nr(); i++) {
        if (console_by_index(i)) {
            return console_by_index(i);
        }
    }
    g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                "the machine has no screen: -vga std or -device bochs-display adds one");
    return NULL;
}

void console_listen(ConsoleAdded *added, void *opaque)
{
    Listener *listener = g_new(Listener, 1);

    if (!listeners) {
        listeners = g_ptr_array_new_with_free_func(g_free);
    }
    *listener = (Listener){ added, opaque };
    g_ptr_array_add(listeners, listener);
}

void console_unlisten(ConsoleAdded *added, void *opaque)
{
    for (unsigned i = 0; listeners && i < listeners->len; i++) {
        Listener *listener = listeners->pdata[i];

        if (listener->added == added && listener->opaque == opaque) {
            g_ptr_array_remove_index(listeners, i);
            return;
        }
    }
}

/* ---- what devices may offer beside a picture ---------------------------------------- */

bool console_text(Console *con, ConsoleText *text)
{
    return con->ops->text && con->ops->text(con->opaque, text);
}

void console_suggest_size(Console *con, unsigned width, unsigned height)
{
    if (con->ops->suggest_size && width && height && width <= CONSOLE_SIZE_MAX &&
        height <= CONSOLE_SIZE_MAX) {
        con->ops->suggest_size(con->opaque, width, height);
    }
}
