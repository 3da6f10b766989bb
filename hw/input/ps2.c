/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What PS/2 devices share: the bytes that wait in one.
 */
#include "hw/input/ps2.h"

#include <string.h>

bool ps2_has_byte(const PS2Out *out)
{
    return out->answers_nr || out->queue_nr;
}

void ps2_answer(PS2Out *out, uint8_t byte)
{
    if (out->answers_nr < PS2_QUEUE_SIZE) {
        out->answers[out->answers_nr++] = byte;
    }
}

bool ps2_queue(PS2Out *out, const uint8_t *bytes, unsigned nr)
{
    if (nr > PS2_QUEUE_SIZE - out->queue_nr) {
        return false;
    }
    memcpy(out->queue + out->queue_nr, bytes, nr);
    out->queue_nr += nr;
    return true;
}

static uint8_t take_first(uint8_t *bytes, unsigned *nr)
{
    uint8_t first = bytes[0];

    memmove(bytes, bytes + 1, --*nr);
    return first;
}

uint8_t ps2_take(PS2Out *out)
{
    if (out->answers_nr) {
        out->last = take_first(out->answers, &out->answers_nr);
    } else if (out->queue_nr) {
        out->last = take_first(out->queue, &out->queue_nr);
    }
    return out->last;
}
