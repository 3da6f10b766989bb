/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the bytes that a terminal sends to keys; see curses-keys.h. Sequences: ECMA-48,
 * 5.4, and "XTerm Control Sequences", the chapters PC-Style Function Keys and VT220-Style
 * Function Keys; console_codes(4) for those of Linux's.
 */
#include "ui/curses-keys.h"

#include <linux/input-event-codes.h>
#include <xkbcommon/xkbcommon.h>

#define ESC 0x1b
#define DEL 0x7f
#define SEQUENCE_MAX 32 /* a longer one is none */

/* After ESC [ or ESC O, the last byte of a sequence. */
static uint32_t key_of_letter(uint8_t letter)
{
    switch (letter) {
    case 'A': return XKB_KEY_Up;
    case 'B': return XKB_KEY_Down;
    case 'C': return XKB_KEY_Right;
    case 'D': return XKB_KEY_Left;
    case 'E': return XKB_KEY_Begin;
    case 'F': return XKB_KEY_End;
    case 'H': return XKB_KEY_Home;
    case 'M': return XKB_KEY_KP_Enter; /* of the keypad, after ESC O, as those below */
    case 'P': return XKB_KEY_F1;
    case 'Q': return XKB_KEY_F2;
    case 'R': return XKB_KEY_F3;
    case 'S': return XKB_KEY_F4;
    case 'Z': return XKB_KEY_Tab; /* with shift */
    case 'j': return XKB_KEY_KP_Multiply;
    case 'k': return XKB_KEY_KP_Add;
    case 'm': return XKB_KEY_KP_Subtract;
    case 'o': return XKB_KEY_KP_Divide;
    default: return 0;
    }
}

/* The number before a "~". */
static uint32_t key_of_number(unsigned number)
{
    static const uint32_t keys[] = {
        [1] = XKB_KEY_Home, XKB_KEY_Insert, XKB_KEY_Delete, XKB_KEY_End, XKB_KEY_Prior,
        XKB_KEY_Next, XKB_KEY_Home, XKB_KEY_End,
        [11] = XKB_KEY_F1, XKB_KEY_F2, XKB_KEY_F3, XKB_KEY_F4, XKB_KEY_F5,
        [17] = XKB_KEY_F6, XKB_KEY_F7, XKB_KEY_F8, XKB_KEY_F9, XKB_KEY_F10,
        [23] = XKB_KEY_F11, XKB_KEY_F12,
        [25] = XKB_KEY_F13, XKB_KEY_F14, [28] = XKB_KEY_F15, XKB_KEY_F16,
        [31] = XKB_KEY_F17, XKB_KEY_F18, XKB_KEY_F19, XKB_KEY_F20,
    };

    return number < G_N_ELEMENTS(keys) ? keys[number] : 0;
}

/* ESC [ NUMBER ; 1 + MODIFIERS LAST, both numbers perhaps missing. */
static size_t control_sequence(const uint8_t *bytes, size_t len, TerminalKey *key)
{
    unsigned numbers[2] = { 0, 0 };
    unsigned n = 0;
    size_t i;

    if (len > 3 && bytes[2] == '[') { /* Linux's console: ESC [ [ A to E */
        if (bytes[3] >= 'A' && bytes[3] <= 'E') {
            key->keysym = XKB_KEY_F1 + bytes[3] - 'A';
        }
        return 4;
    }
    if (len == 3 && bytes[2] == '[') {
        return 0;
    }
    for (i = 2; i < len && i < SEQUENCE_MAX; i++) {
        uint8_t c = bytes[i];

        if (c >= '0' && c <= '9') {
            numbers[n] = MIN(numbers[n] * 10 + c - '0', 1000);
        } else if (c == ';') {
            n = 1;
        } else if (c >= 0x40 && c <= 0x7e) {
            key->keysym = c == '~' ? key_of_number(numbers[0]) : key_of_letter(c);
            key->modifiers = numbers[1] > 1 && numbers[1] <= 8 ? numbers[1] - 1 : 0;
            if (c == 'Z') {
                key->modifiers |= TERMINAL_SHIFT;
            }
            return i + 1;
        } else if (c < 0x20 || c > 0x7e) { /* it is none: that byte begins anew */
            return i;
        }
    }
    return i < SEQUENCE_MAX ? 0 : i;
}

/* A character that is none of a text. */
static void control_character(uint8_t c, TerminalKey *key)
{
    switch (c) {
    case '\t':
        key->keysym = XKB_KEY_Tab;
        break;
    case '\r':
        key->keysym = XKB_KEY_Return;
        break;
    case '\b':
    case DEL:
        key->keysym = XKB_KEY_BackSpace;
        break;
    case ESC:
        key->keysym = XKB_KEY_Escape;
        break;
    default: /* Ctrl with a letter, or what follows those */
        key->keysym = c == 0 ? ' ' : c <= 26 ? c - 1 + 'a' : c - 1 + 'A';
        key->modifiers = TERMINAL_CTRL;
        break;
    }
}

/* One character of UTF-8. */
static size_t text_character(const uint8_t *bytes, size_t len, bool last,
                             TerminalKey *key)
{
    gunichar c = g_utf8_get_char_validated((const char *)bytes, len);

    if (c == (gunichar)-2 && !last) {
        return 0;
    }
    if (c >= (gunichar)-2) {
        return 1;
    }
    key->keysym = xkb_utf32_to_keysym(c);
    return g_unichar_to_utf8(c, NULL);
}

static size_t plain_key(const uint8_t *bytes, size_t len, bool last, TerminalKey *key)
{
    if (bytes[0] >= 0x20 && bytes[0] != DEL) {
        return text_character(bytes, len, last, key);
    }
    control_character(bytes[0], key);
    return 1;
}

size_t terminal_key(const uint8_t *bytes, size_t len, bool last, TerminalKey *key)
{
    size_t taken;

    *key = (TerminalKey){ 0 };
    if (bytes[0] != ESC) {
        return plain_key(bytes, len, last, key);
    }
    if (len == 1 && !last) {
        return 0;
    }
    if (len == 1 || bytes[1] == ESC) { /* the key; perhaps another one follows */
        control_character(ESC, key);
        return 1;
    }
    if (bytes[1] == '[' && (len > 2 || !last)) {
        taken = control_sequence(bytes, len, key);
        return taken || !last ? taken : len;
    }
    if (bytes[1] == 'O' && (len > 2 || !last)) {
        key->keysym = len > 2 ? key_of_letter(bytes[2]) : 0;
        return len > 2 ? 3 : 0;
    }
    /* A terminal's Alt is ESC before the key. */
    taken = plain_key(bytes + 1, len - 1, last, key);
    key->modifiers |= TERMINAL_ALT;
    return taken ? taken + 1 : 0;
}

void terminal_key_type(Keyboard *kbd, const TerminalKey *key)
{
    static const struct {
        unsigned bit, code;
    } modifiers[] = {
        { TERMINAL_CTRL, KEY_LEFTCTRL },
        { TERMINAL_ALT, KEY_LEFTALT },
        { TERMINAL_SHIFT, KEY_LEFTSHIFT },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(modifiers); i++) {
        if (key->modifiers & modifiers[i].bit) {
            keyboard_key(kbd, modifiers[i].code, true);
        }
    }
    keyboard_keysym(kbd, key->keysym, true);
    keyboard_keysym(kbd, key->keysym, false);
    for (i = G_N_ELEMENTS(modifiers); i-- > 0;) {
        if (key->modifiers & modifiers[i].bit) {
            keyboard_key(kbd, modifiers[i].code, false);
        }
    }
}
