/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices, the side of the frontends: each is told in order that a
 * peer is there, what it sent, and that it has gone. What a callback does to the
 * Chardev is allowed at any time, so every step is decided from the present
 * state, and ends with at most one call.
 */
#include "hw/core/chardev-internal.h"
#include "memory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- a queue of bytes ------------------------------------------------------------ */

void queue_append(ByteQueue *q, const uint8_t *buf, size_t len)
{
    if (!q->bytes) {
        q->bytes = g_byte_array_new();
    }
    if (q->start) {
        g_byte_array_remove_range(q->bytes, 0, q->start);
        q->start = 0;
    }
    g_byte_array_append(q->bytes, buf, len);
}

void queue_take(ByteQueue *q, size_t len)
{
    if (!q->bytes) {
        return;
    }
    q->start += len;
    if (q->start == q->bytes->len) {
        g_byte_array_set_size(q->bytes, 0);
        q->start = 0;
    }
}

static void queue_limit(ByteQueue *q, size_t max)
{
    if (queue_len(q) > max) {
        g_byte_array_set_size(q->bytes, q->start + max);
    }
}

void queue_free(ByteQueue *q)
{
    g_clear_pointer(&q->bytes, g_byte_array_unref);
    q->start = 0;
}

/* ---- what a frontend is told --------------------------------------------------- */

void chardev_slot_event(ChardevSlot *slot, ChardevEvent event)
{
    if (slot->frontend && slot->frontend->event) {
        slot->frontend->event(slot->opaque, event);
    }
}

/* Hand over input. False: there is none, or no room. */
static bool slot_receive(ChardevSlot *slot)
{
    const ChardevFrontend *frontend = slot->frontend;
    size_t room = queue_len(&slot->pending)
                      ? frontend->can_receive(slot->opaque) : 0;
    size_t len = MIN(room, queue_len(&slot->pending));
    const uint8_t *buf;

    if (len == 0 || slot->frontend != frontend) {
        return false;
    }
    buf = queue_data(&slot->pending);
    queue_take(&slot->pending, len);
    frontend->receive(slot->opaque, buf, len);
    return true;
}

/* Tell one thing. False: there is nothing to tell. */
static bool slot_step(Chardev *chr, ChardevSlot *slot)
{
    bool empty;

    if (!slot->frontend) {
        return false;
    }
    if (!slot->open && (chr->connected || slot->lags)) {
        slot->open = true;
        chardev_slot_event(slot, CHARDEV_OPENED);
        return true;
    }
    if (slot_receive(slot)) {
        return true;
    }
    empty = queue_len(&slot->pending) == 0;
    if (empty && slot->ended) {
        slot->ended = false;
        chardev_slot_event(slot, CHARDEV_INPUT_ENDED);
        return true;
    }
    if (slot->open && slot->frontend &&
        (slot->lags ? empty || slot->frontend->is_line : !chr->connected)) {
        slot->open = slot->lags = slot->ended = false;
        chardev_slot_event(slot, CHARDEV_CLOSED);
        return true;
    }
    return false;
}

void chardev_slot_update(Chardev *chr, ChardevSlot *slot)
{
    while (slot_step(chr, slot)) {
    }
}

static void slots_update(Chardev *chr)
{
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        chardev_slot_update(chr, &chr->slots[i]);
    }
}

static void backend_update(Chardev *chr)
{
    if (chr->backend->update) {
        chr->backend->update(chr);
    }
}

bool chardev_is_ready(const Chardev *chr)
{
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        const ChardevSlot *slot = &chr->slots[i];

        if (slot->lags || (slot->frontend && !slot->frontend->is_line &&
                           slot->frontend->can_receive(slot->opaque) == 0)) {
            return false;
        }
    }
    return true;
}

/* ---- peers --------------------------------------------------------------------- */

void chardev_opened(Chardev *chr)
{
    chr->connected = true;
    slots_update(chr);
    backend_update(chr);
}

void chardev_closed(Chardev *chr)
{
    chr->connected = false;
    chr->key_prefix = false;
    queue_take(&chr->queue, queue_len(&chr->queue));
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        ChardevSlot *slot = &chr->slots[i];

        if (slot->frontend && slot->frontend->is_line) {
            /* One peer after the other could fill the memory. */
            queue_limit(&slot->pending, CHARDEV_TYPED_MAX);
        }
        slot->lags = queue_len(&slot->pending) != 0;
    }
    chardev_output(chr);
    slots_update(chr);
    backend_update(chr);
}

void chardev_input_ended(Chardev *chr)
{
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        chr->slots[i].ended = chr->slots[i].frontend ||
                              chr->focus == &chr->slots[i];
    }
    slots_update(chr);
}

bool chardev_answers(const Chardev *chr)
{
    return !chr->mux && chr->focus->frontend && chr->focus->frontend->answers;
}

void chardev_disconnect(Chardev *chr)
{
    if (chr && chr->backend->disconnect && chr->connected) {
        chardev_drop_input(chr);
        chr->backend->disconnect(chr);
    }
}

/* ---- input --------------------------------------------------------------------- */

size_t chardev_input_room(const Chardev *chr)
{
    const ChardevSlot *slot = chr->focus;
    size_t pending = queue_len(&slot->pending);

    /* Keys work whatever the frontends do, so they are read ahead. */
    if (chr->keys) {
        return CHARDEV_TYPED_MAX - MIN(CHARDEV_TYPED_MAX, pending);
    }
    return slot->frontend && !pending
               ? slot->frontend->can_receive(slot->opaque) : 0;
}

void chardev_input(Chardev *chr, const uint8_t *buf, size_t len)
{
    if (chr->keys) {
        chardev_input_keys(chr, buf, len);
    } else {
        queue_append(&chr->focus->pending, buf, len);
        chardev_slot_update(chr, chr->focus);
    }
}

void chardev_drop_input(Chardev *chr)
{
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        ChardevSlot *slot = &chr->slots[i];

        queue_take(&slot->pending, queue_len(&slot->pending));
        slot->ended = false;
    }
}

void chardev_send_break(Chardev *chr)
{
    chardev_slot_event(chr->focus, CHARDEV_BREAK);
}

void chardev_accept_input(Chardev *chr)
{
    if (chr) {
        slots_update(chr);
        backend_update(chr);
    }
}

/* ---- output -------------------------------------------------------------------- */

static void output_log(Chardev *chr, const uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = write(chr->log_fd, buf, len);

        if (n > 0) {
            buf += n;
            len -= n;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else {
            g_printerr("chardev '%s': cannot write to %s: %s; nothing more is "
                       "logged\n", chr->id, chr->logfile, g_strerror(errno));
            close(chr->log_fd);
            chr->log_fd = -1;
            return;
        }
    }
}

static void output_allow(Chardev *chr)
{
    if (!chr->refused) {
        return;
    }
    chr->refused = false;
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        ChardevSlot *slot = &chr->slots[i];

        if (slot->frontend && slot->frontend->on_writable) {
            slot->frontend->on_writable(slot->opaque);
        }
    }
}

void chardev_output(Chardev *chr)
{
    if (queue_len(&chr->queue)) {
        queue_take(&chr->queue,
                   chr->backend->write(chr, queue_data(&chr->queue),
                                       queue_len(&chr->queue)));
    }
    if (queue_len(&chr->queue) == 0) {
        output_allow(chr);
        backend_update(chr);
    }
}

bool chardev_write(Chardev *chr, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    assert(len <= CHARDEV_WRITE_MAX);
    if (!chr) {
        return true;
    }
    if (queue_len(&chr->queue) + len > CHARDEV_QUEUE_MAX) {
        chr->refused = true;
        return false;
    }
    if (chr->log_fd >= 0) {
        output_log(chr, buf, len);
    }
    if (!chr->connected) {
        return true;
    }
    if (queue_len(&chr->queue) == 0) {
        done = chr->backend->write(chr, buf, len);
    }
    if (done < len) {
        queue_append(&chr->queue, buf + done, len - done);
        backend_update(chr);
    }
    return true;
}

static void on_soon(void *opaque, GIOCondition cond)
{
    Chardev *chr = opaque;

    /* Where the queue is full, its end will call. */
    chr->refused = true;
    if (queue_len(&chr->queue) == 0) {
        output_allow(chr);
    }
}

void chardev_write_soon(Chardev *chr)
{
    if (!chr->soon.source) {
        watch_init(&chr->soon, on_soon, chr);
    }
    watch_after(&chr->soon, 0);
}

/* ---- frontends come and go ----------------------------------------------------- */

bool chardev_has_frontend(const Chardev *chr)
{
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        if (chr->slots[i].frontend) {
            return true;
        }
    }
    return false;
}

bool chardev_has_focus(const Chardev *chr, const void *opaque)
{
    return chr->focus->frontend && chr->focus->opaque == opaque;
}

bool chardev_is_connected(const Chardev *chr)
{
    return chr->connected;
}

bool chardev_is_terminal(const Chardev *chr)
{
    return chr->is_terminal;
}

/* The slot for one more frontend, or NULL. What came in before the first one
 * waits where the focus is. */
static ChardevSlot *slot_free(Chardev *chr)
{
    if (!chr->focus->frontend) {
        return chr->focus;
    }
    for (unsigned i = 0; chr->mux && i < CHARDEV_FRONTENDS_MAX; i++) {
        if (!chr->slots[i].frontend) {
            return &chr->slots[i];
        }
    }
    return NULL;
}

bool chardev_attach(Chardev *chr, const ChardevFrontend *frontend, void *opaque,
                    GError **err)
{
    ChardevSlot *slot;

    if (!chr) {
        return true;
    }
    memory_lock();
    slot = slot_free(chr);
    if (!slot) {
        memory_unlock();
        g_set_error(err, FLATVIEW_ERROR, 0,
                    chr->mux ? "chardev '%s' has as many users as it can have"
                             : "chardev '%s' is in use by another device; with "
                               "mux=on, or as mon:..., it could be shared",
                    chr->id);
        return false;
    }
    slot->frontend = frontend;
    slot->opaque = opaque;
    chardev_slot_update(chr, slot);
    backend_update(chr);
    memory_unlock();
    return true;
}

void chardev_detach(Chardev *chr, void *opaque)
{
    ChardevSlot *next;

    if (!chr) {
        return;
    }
    memory_lock();
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        ChardevSlot *slot = &chr->slots[i];

        if (!slot->frontend || slot->opaque != opaque) {
            continue;
        }
        slot->frontend = NULL;
        slot->open = false;
        next = chardev_next_slot(chr, slot);
        if (next != slot) { /* others stay: what was for this one is for nobody */
            queue_take(&slot->pending, queue_len(&slot->pending));
            slot->lags = slot->ended = false;
            if (chr->focus == slot) {
                chr->focus = next;
                chardev_slot_event(next, CHARDEV_FOCUS_IN);
            }
        }
        break;
    }
    if (!chardev_has_frontend(chr)) {
        chr->refused = false;
    }
    backend_update(chr);
    memory_unlock();
}

const char *chardev_id(const Chardev *chr)
{
    return chr->id;
}

void chardev_hold(Chardev *chr)
{
    if (chr) {
        chr->holds++;
    }
}

void chardev_release(Chardev *chr)
{
    if (chr) {
        assert(chr->holds);
        chr->holds--;
    }
}
