/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointer movements on their way into the machine: who gets them, and the
 * queue before each. It keeps as much room as there are keys down, so that their
 * releases always find a place.
 */
#include "hw/input/input.h"

#include "sysemu.h"

/* The first of each kind is the one that gets what comes. The memory lock. */
static GSList *handlers[INPUT_KINDS_NR];
static unsigned last_index; /* of all kinds; from 1 again once there is none */

static void (*watcher)(void);

void input_set_watcher(void (*heard)(void))
{
    watcher = heard;
}

static void tell_watcher(void)
{
    if (watcher) {
        watcher();
    }
}

static InputHandler *handler_of(InputKind kind)
{
    return handlers[kind] ? handlers[kind]->data : NULL;
}

void input_attach(InputHandler *handler)
{
    bool any = false;

    for (unsigned kind = 0; kind < INPUT_KINDS_NR; kind++) {
        any = any || handlers[kind];
    }
    last_index = any ? last_index + 1 : 1;
    handler->index = last_index;
    g_queue_init(&handler->waiting);
    handlers[handler->kind] = g_slist_prepend(handlers[handler->kind], handler);
}

void input_detach(InputHandler *handler)
{
    input_drop(handler);
    handlers[handler->kind] = g_slist_remove(handlers[handler->kind], handler);
}

void input_drop(InputHandler *handler)
{
    g_queue_clear_full(&handler->waiting, g_free);
}

void input_feed(InputHandler *handler)
{
    InputEvent *event;

    while (!g_queue_is_empty(&handler->waiting) &&
           handler->ready(handler->opaque)) {
        event = g_queue_pop_head(&handler->waiting);
        handler->event(handler->opaque, event);
        g_free(event);
    }
}

static void push(InputHandler *handler, const InputEvent *event)
{
    g_queue_push_tail(&handler->waiting, g_memdup2(event, sizeof(*event)));
}

/* Whether there is room for @nr more, and still for each key's release. */
static bool has_room(const InputHandler *handler, unsigned nr)
{
    return handler->waiting.length + handler->down_nr + nr <= INPUT_QUEUE_MAX;
}

/* Tell once that something is missing; there is always room for that. */
static void push_lost(InputHandler *handler)
{
    InputEvent *last = g_queue_peek_tail(&handler->waiting);

    if (!last || last->type != INPUT_LOST) {
        push(handler, &(InputEvent){ .type = INPUT_LOST });
    }
}

static InputKind kind_of(unsigned code)
{
    return code >= BTN_MOUSE && code < BTN_JOYSTICK ? INPUT_POINTER
                                                    : INPUT_KEYBOARD;
}

static unsigned lock_of(unsigned code)
{
    switch (code) {
    case KEY_SCROLLLOCK:
        return INPUT_LOCK_SCROLL;
    case KEY_NUMLOCK:
        return INPUT_LOCK_NUM;
    case KEY_CAPSLOCK:
        return INPUT_LOCK_CAPS;
    default:
        return 0;
    }
}

void input_set_lamps(InputHandler *handler, unsigned lamps)
{
    handler->locks = lamps;
    handler->has_lamps = true;
}

void input_reset_lamps(InputHandler *handler)
{
    handler->locks = 0;
    handler->has_lamps = false;
}

bool input_is_locked(unsigned code)
{
    const InputHandler *handler = handler_of(INPUT_KEYBOARD);

    return handler && (handler->locks & lock_of(code));
}

static bool send_to(InputHandler *handler, unsigned code, bool down)
{
    bool was_down = handler->down[code];

    if (!down && !was_down) {
        return true;
    }
    /* A press takes room for itself and for its release. */
    if (down && !has_room(handler, was_down ? 1 : 2)) {
        push_lost(handler);
        return false;
    }
    if (down && !was_down && !handler->has_lamps) {
        handler->locks ^= lock_of(code);
    }
    handler->down[code] = down;
    handler->down_nr += down - was_down;
    push(handler, &(InputEvent){ .type = INPUT_KEY, .code = code, .down = down });
    input_feed(handler);
    return true;
}

/* What a user does may wake a guest that sleeps. */
static void wake(const InputHandler *handler)
{
    if (!handler->wakes || (handler->down_nr && handler->wakes(handler->opaque))) {
        vm_request_wakeup(WAKEUP_OTHER);
    }
}

bool input_send_key(unsigned code, bool down)
{
    InputHandler *handler;
    bool sent;

    tell_watcher();
    if (code == KEY_RESERVED || code >= INPUT_CODES_NR) {
        return false;
    }
    handler = handler_of(kind_of(code));
    if (!handler) {
        return false;
    }
    sent = send_to(handler, code, down);
    wake(handler);
    return sent;
}

/* Farther than this no pointer goes at a time. */
static int add(int a, int b)
{
    return CLAMP((long long)a + b, -0x10000, 0x10000);
}

bool input_send_motion(int dx, int dy, int wheel)
{
    InputHandler *handler = handler_of(INPUT_POINTER);
    InputEvent *last = handler ? g_queue_peek_tail(&handler->waiting) : NULL;

    tell_watcher();
    if (handler) {
        wake(handler);
    }
    if (last && last->type == INPUT_MOTION) {
        last->dx = add(last->dx, dx);
        last->dy = add(last->dy, dy);
        last->wheel = add(last->wheel, wheel);
        return true;
    }
    if (!handler || !has_room(handler, 1)) {
        return false;
    }
    push(handler, &(InputEvent){
        .type = INPUT_MOTION,
        .dx = add(0, dx),
        .dy = add(0, dy),
        .wheel = add(0, wheel),
    });
    input_feed(handler);
    return true;
}

static void release_all_of(InputHandler *handler)
{
    for (unsigned code = 0; handler && code < INPUT_CODES_NR; code++) {
        if (handler->down[code]) {
            send_to(handler, code, false);
        }
    }
}

void input_release_all(void)
{
    for (unsigned kind = 0; kind < INPUT_KINDS_NR; kind++) {
        release_all_of(handler_of(kind));
    }
}

/* ---- which there are --------------------------------------------------------------- */

bool input_is_down(unsigned code)
{
    const InputHandler *handler =
        code < INPUT_CODES_NR ? handler_of(kind_of(code)) : NULL;

    return handler && handler->down[code];
}

bool input_has_handler(InputKind kind)
{
    return handlers[kind];
}

static int compare_indices(gconstpointer a, gconstpointer b)
{
    const InputHandler *first = a, *second = b;

    return first->index < second->index ? -1 : 1;
}

void input_foreach(InputKind kind, InputVisitor *fn, void *opaque)
{
    g_autoptr(GSList) sorted = g_slist_sort(g_slist_copy(handlers[kind]), compare_indices);

    for (GSList *link = sorted; link; link = link->next) {
        const InputHandler *handler = link->data;

        fn(handler, handler->index, handler == handler_of(kind), opaque);
    }
}

bool input_choose(InputKind kind, unsigned index)
{
    for (GSList *link = handlers[kind]; link; link = link->next) {
        InputHandler *handler = link->data;

        if (handler->index == index) {
            if (handler != handler_of(kind)) {
                release_all_of(handler_of(kind));
            }
            handlers[kind] = g_slist_remove_link(handlers[kind], link);
            handlers[kind] = g_slist_concat(link, handlers[kind]);
            return true;
        }
    }
    return false;
}
