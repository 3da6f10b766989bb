/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the bytes that a terminal sends to keys: text in UTF-8, control characters, and
 * the sequences of ECMA-48 that xterm, the console of Linux and those like them make.
 */
#ifndef UI_CURSES_KEYS_H
#define UI_CURSES_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "ui/keys.h"

/* As xterm counts them in its sequences, from 1. */
#define TERMINAL_SHIFT 1u
#define TERMINAL_ALT 2u
#define TERMINAL_CTRL 4u

typedef struct TerminalKey {
    uint32_t keysym;    /* of X11; 0: none, what was there means nothing to us */
    unsigned modifiers; /* TERMINAL_*, beyond those that make the symbol */
} TerminalKey;

/* Take the first key from the @len bytes at @bytes. Returns how many bytes it had; 0: it
 * is not complete. With @last, nothing follows soon: what is there is all of it, and an
 * ESC is the key. @len is not 0. */
size_t terminal_key(const uint8_t *bytes, size_t len, bool last, TerminalKey *key);

/* Press and release it: a terminal does not tell how long it is down. Under the memory
 * lock. */
void terminal_key_type(Keyboard *kbd, const TerminalKey *key);

#endif
