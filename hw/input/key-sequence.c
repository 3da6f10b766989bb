/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys struck as a person does it: a queue of presses and releases, and the timer that
 * takes from it.
 */
#include "hw/input/key-sequence.h"

#include "hw/core/device.h"
#include "hw/core/timer.h"
#include "hw/input/input.h"

typedef struct Stroke {
    unsigned code;
    bool down;
    unsigned hold_ms;
} Stroke;

/* The memory lock. The timer is armed for as long as the last stroke is held. */
static GQueue strokes = G_QUEUE_INIT; /* Stroke * */
static Timer timer;

static void send_next(void *opaque)
{
    Stroke *stroke = g_queue_pop_head(&strokes);

    if (stroke) {
        input_send_key(stroke->code, stroke->down);
        timer_arm(&timer, stroke->hold_ms * 1000ll);
        g_free(stroke);
    }
}

static void push(unsigned code, bool down, unsigned hold_ms)
{
    Stroke stroke = { .code = code, .down = down, .hold_ms = hold_ms };

    g_queue_push_tail(&strokes, g_memdup2(&stroke, sizeof(stroke)));
}

bool key_sequence_send(const unsigned *codes, unsigned nr, unsigned hold_ms, GError **err)
{
    if (2ull * nr + strokes.length > KEY_SEQUENCE_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0, "too many keys: %u presses and releases wait "
                    "already, of %u that can", strokes.length, KEY_SEQUENCE_MAX);
        return false;
    }
    for (unsigned i = 0; i < nr; i++) {
        push(codes[i], true, hold_ms);
    }
    for (unsigned i = nr; i-- > 0;) {
        push(codes[i], false, hold_ms);
    }
    if (!timer.fire) {
        timer_init(&timer, send_next, NULL);
    }
    if (!timer_is_armed(&timer)) {
        send_next(NULL);
    }
    return true;
}
