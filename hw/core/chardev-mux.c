/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several frontends on one character device, and the keys of its user.
 */
#include "hw/core/chardev-internal.h"
#include "memory.h"
#include "sysemu.h"

#include <string.h>

#define KEY_ESCAPE 0x01 /* Ctrl-A */

static const char help[] =
    "\r\n"
    "Ctrl-A c       turn to the next of the console, the monitor, ...\r\n"
    "Ctrl-A x       end the program\r\n"
    "Ctrl-A b       send a break\r\n"
    "Ctrl-A h       print this\r\n"
    "Ctrl-A Ctrl-A  send Ctrl-A\r\n";

ChardevSlot *chardev_next_slot(Chardev *chr, ChardevSlot *slot)
{
    unsigned i = slot - chr->slots;

    for (unsigned n = 1; n < CHARDEV_FRONTENDS_MAX; n++) {
        ChardevSlot *next = &chr->slots[(i + n) % CHARDEV_FRONTENDS_MAX];

        if (next->frontend) {
            return next;
        }
    }
    return slot;
}

static void focus_next(Chardev *chr)
{
    ChardevSlot *before = chr->focus;

    chr->focus = chardev_next_slot(chr, before);
    if (chr->focus != before) {
        chardev_slot_event(before, CHARDEV_FOCUS_OUT);
        chardev_slot_event(chr->focus, CHARDEV_FOCUS_IN);
    }
}

/* True: it was a command. */
static bool key_command(Chardev *chr, uint8_t key)
{
    switch (key) {
    case 'c':
        focus_next(chr);
        return true;
    case 'x':
        vm_request_shutdown(SHUTDOWN_CAUSE_HOST_UI, EXIT_GUEST_OFF);
        return true;
    case 'b':
        /* Behind what was typed before it, as far as that is taken. */
        chardev_slot_update(chr, chr->focus);
        chardev_slot_event(chr->focus, CHARDEV_BREAK);
        return true;
    case 'h':
    case '?':
        chardev_write(chr, (const uint8_t *)help, strlen(help));
        return true;
    }
    return false;
}

void chardev_input_keys(Chardev *chr, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool prefixed = chr->key_prefix;

        chr->key_prefix = !prefixed && buf[i] == KEY_ESCAPE;
        if (chr->key_prefix || (prefixed && key_command(chr, buf[i]))) {
            continue;
        }
        if (prefixed && buf[i] != KEY_ESCAPE) {
            queue_append(&chr->focus->pending, &(uint8_t){ KEY_ESCAPE }, 1);
        }
        queue_append(&chr->focus->pending, &buf[i], 1);
    }
    chardev_accept_input(chr);
}

void chardev_set_mux(Chardev *chr, bool always)
{
    memory_lock();
    chr->mux = chr->keys = chr->mux || always || chr->is_terminal;
    chardev_accept_input(chr);
    memory_unlock();
}

bool chardev_is_mux(const Chardev *chr)
{
    return chr->mux;
}
