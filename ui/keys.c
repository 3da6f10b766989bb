/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and numbers of keys, in one table in the order of QMP's schema.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, QKeyCode; scan codes of set 1 in
 * Microsoft's Keyboard Scan Code Specification, and for keys that it does not have,
 * those that Linux has for its own numbers.
 */
#include "ui/keys.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define E 0x80 /* after 0xe0 */

#define NAMED_KEYS(K) \
    K("unmapped", KEY_RESERVED, 0) K("shift", KEY_LEFTSHIFT, 0x2a) \
    K("shift_r", KEY_RIGHTSHIFT, 0x36) K("alt", KEY_LEFTALT, 0x38) \
    K("alt_r", KEY_RIGHTALT, E | 0x38) K("ctrl", KEY_LEFTCTRL, 0x1d) \
    K("ctrl_r", KEY_RIGHTCTRL, E | 0x1d) K("menu", KEY_MENU, E | 0x1e) \
    K("esc", KEY_ESC, 0x01) K("1", KEY_1, 0x02) K("2", KEY_2, 0x03) \
    K("3", KEY_3, 0x04) K("4", KEY_4, 0x05) K("5", KEY_5, 0x06) K("6", KEY_6, 0x07) \
    K("7", KEY_7, 0x08) K("8", KEY_8, 0x09) K("9", KEY_9, 0x0a) K("0", KEY_0, 0x0b) \
    K("minus", KEY_MINUS, 0x0c) K("equal", KEY_EQUAL, 0x0d) \
    K("backspace", KEY_BACKSPACE, 0x0e) K("tab", KEY_TAB, 0x0f) K("q", KEY_Q, 0x10) \
    K("w", KEY_W, 0x11) K("e", KEY_E, 0x12) K("r", KEY_R, 0x13) K("t", KEY_T, 0x14) \
    K("y", KEY_Y, 0x15) K("u", KEY_U, 0x16) K("i", KEY_I, 0x17) K("o", KEY_O, 0x18) \
    K("p", KEY_P, 0x19) K("bracket_left", KEY_LEFTBRACE, 0x1a) \
    K("bracket_right", KEY_RIGHTBRACE, 0x1b) K("ret", KEY_ENTER, 0x1c) \
    K("a", KEY_A, 0x1e) K("s", KEY_S, 0x1f) K("d", KEY_D, 0x20) K("f", KEY_F, 0x21) \
    K("g", KEY_G, 0x22) K("h", KEY_H, 0x23) K("j", KEY_J, 0x24) K("k", KEY_K, 0x25) \
    K("l", KEY_L, 0x26) K("semicolon", KEY_SEMICOLON, 0x27) \
    K("apostrophe", KEY_APOSTROPHE, 0x28) K("grave_accent", KEY_GRAVE, 0x29) \
    K("backslash", KEY_BACKSLASH, 0x2b) K("z", KEY_Z, 0x2c) K("x", KEY_X, 0x2d) \
    K("c", KEY_C, 0x2e) K("v", KEY_V, 0x2f) K("b", KEY_B, 0x30) K("n", KEY_N, 0x31) \
    K("m", KEY_M, 0x32) K("comma", KEY_COMMA, 0x33) K("dot", KEY_DOT, 0x34) \
    K("slash", KEY_SLASH, 0x35) K("asterisk", KEY_KPASTERISK, 0x37) \
    K("spc", KEY_SPACE, 0x39) K("caps_lock", KEY_CAPSLOCK, 0x3a) K("f1", KEY_F1, 0x3b) \
    K("f2", KEY_F2, 0x3c) K("f3", KEY_F3, 0x3d) K("f4", KEY_F4, 0x3e) \
    K("f5", KEY_F5, 0x3f) K("f6", KEY_F6, 0x40) K("f7", KEY_F7, 0x41) \
    K("f8", KEY_F8, 0x42) K("f9", KEY_F9, 0x43) K("f10", KEY_F10, 0x44) \
    K("num_lock", KEY_NUMLOCK, 0x45) K("scroll_lock", KEY_SCROLLLOCK, 0x46) \
    K("kp_divide", KEY_KPSLASH, E | 0x35) K("kp_multiply", KEY_KPASTERISK, 0x37) \
    K("kp_subtract", KEY_KPMINUS, 0x4a) K("kp_add", KEY_KPPLUS, 0x4e) \
    K("kp_enter", KEY_KPENTER, E | 0x1c) K("kp_decimal", KEY_KPDOT, 0x53) \
    K("sysrq", KEY_SYSRQ, 0x54) K("kp_0", KEY_KP0, 0x52) K("kp_1", KEY_KP1, 0x4f) \
    K("kp_2", KEY_KP2, 0x50) K("kp_3", KEY_KP3, 0x51) K("kp_4", KEY_KP4, 0x4b) \
    K("kp_5", KEY_KP5, 0x4c) K("kp_6", KEY_KP6, 0x4d) K("kp_7", KEY_KP7, 0x47) \
    K("kp_8", KEY_KP8, 0x48) K("kp_9", KEY_KP9, 0x49) K("less", KEY_102ND, 0x56) \
    K("f11", KEY_F11, 0x57) K("f12", KEY_F12, 0x58) K("print", KEY_SYSRQ, E | 0x37) \
    K("home", KEY_HOME, E | 0x47) K("pgup", KEY_PAGEUP, E | 0x49) \
    K("pgdn", KEY_PAGEDOWN, E | 0x51) K("end", KEY_END, E | 0x4f) \
    K("left", KEY_LEFT, E | 0x4b) K("up", KEY_UP, E | 0x48) \
    K("down", KEY_DOWN, E | 0x50) K("right", KEY_RIGHT, E | 0x4d) \
    K("insert", KEY_INSERT, E | 0x52) K("delete", KEY_DELETE, E | 0x53) \
    K("stop", KEY_STOP, E | 0x68) K("again", KEY_AGAIN, E | 0x05) \
    K("props", KEY_PROPS, E | 0x06) K("undo", KEY_UNDO, E | 0x07) \
    K("front", KEY_FRONT, E | 0x0c) K("copy", KEY_COPY, E | 0x78) \
    K("open", KEY_OPEN, 0x64) K("paste", KEY_PASTE, 0x65) \
    K("find", KEY_FIND, E | 0x41) K("cut", KEY_CUT, E | 0x3c) \
    K("lf", KEY_LINEFEED, 0x5b) K("help", KEY_HELP, E | 0x75) \
    K("meta_l", KEY_LEFTMETA, E | 0x5b) K("meta_r", KEY_RIGHTMETA, E | 0x5c) \
    K("compose", KEY_COMPOSE, E | 0x5d) K("pause", KEY_PAUSE, E | 0x46) \
    K("ro", KEY_RO, 0x73) K("hiragana", KEY_HIRAGANA, 0x77) \
    K("henkan", KEY_HENKAN, 0x79) K("yen", KEY_YEN, 0x7d) \
    K("muhenkan", KEY_MUHENKAN, 0x7b) \
    K("katakanahiragana", KEY_KATAKANAHIRAGANA, 0x70) K("kp_comma", KEY_KPCOMMA, 0x7e) \
    K("kp_equals", KEY_KPEQUAL, 0x59) K("power", KEY_POWER, E | 0x5e) \
    K("sleep", KEY_SLEEP, E | 0x5f) K("wake", KEY_WAKEUP, E | 0x63) \
    K("audionext", KEY_NEXTSONG, E | 0x19) K("audioprev", KEY_PREVIOUSSONG, E | 0x10) \
    K("audiostop", KEY_STOPCD, E | 0x24) K("audioplay", KEY_PLAYPAUSE, E | 0x22) \
    K("audiomute", KEY_MUTE, E | 0x20) K("volumeup", KEY_VOLUMEUP, E | 0x30) \
    K("volumedown", KEY_VOLUMEDOWN, E | 0x2e) K("mediaselect", KEY_MEDIA, E | 0x6d) \
    K("mail", KEY_MAIL, E | 0x6c) K("calculator", KEY_CALC, E | 0x21) \
    K("computer", KEY_COMPUTER, E | 0x6b) K("ac_home", KEY_HOMEPAGE, E | 0x32) \
    K("ac_back", KEY_BACK, E | 0x6a) K("ac_forward", KEY_FORWARD, E | 0x69) \
    K("ac_refresh", KEY_REFRESH, E | 0x67) K("ac_bookmarks", KEY_BOOKMARKS, E | 0x66) \
    K("lang1", KEY_HANGEUL, 0x72) K("lang2", KEY_HANJA, 0x71)

/* No names, but numbers. */
#define OTHER_KEYS(K) \
    K(NULL, KEY_F13, 0x5d) K(NULL, KEY_F14, 0x5e) K(NULL, KEY_F15, 0x5f) \
    K(NULL, KEY_F16, 0x55) K(NULL, KEY_F17, E | 0x03) K(NULL, KEY_F18, E | 0x77) \
    K(NULL, KEY_F19, E | 0x04) K(NULL, KEY_F20, 0x5a) K(NULL, KEY_F21, 0x74) \
    K(NULL, KEY_F22, E | 0x79) K(NULL, KEY_F23, 0x6d) K(NULL, KEY_F24, 0x6f) \
    K(NULL, KEY_ZENKAKUHANKAKU, 0x76) K(NULL, KEY_KATAKANA, 0x78) \
    K(NULL, KEY_KPJPCOMMA, 0x5c) K(NULL, KEY_SEARCH, E | 0x65)

typedef struct Key {
    const char *name;
    uint8_t code;
    uint8_t xt;
} Key;

#define AS_KEY(name, code, xt) { name, code, xt },
#define AS_NAME(name, code, xt) name,

static const Key keys[] = { NAMED_KEYS(AS_KEY) OTHER_KEYS(AS_KEY) };
const char *const key_names[] = { NAMED_KEYS(AS_NAME) NULL };

/* Two keys have two entries each: asterisk is kp_multiply, and sysrq what print is with
 * Alt. The later name, and number, is the one that they are told by. */
static const Key *key_of_code(unsigned code)
{
    const Key *key = &keys[G_N_ELEMENTS(keys)];

    while (code != KEY_RESERVED && key-- > keys) {
        if (key->code == code) {
            return key;
        }
    }
    return NULL;
}

unsigned key_from_name(const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(keys) && keys[i].name; i++) {
        if (!strcmp(keys[i].name, name)) {
            return keys[i].code;
        }
    }
    return 0;
}

const char *key_name(unsigned code)
{
    const Key *key = key_of_code(code);

    return key ? key->name : NULL;
}

unsigned key_from_xt(unsigned number)
{
    for (unsigned i = 0; number && i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].xt == number) {
            return keys[i].code;
        }
    }
    return 0;
}

unsigned key_to_xt(unsigned code)
{
    const Key *key = key_of_code(code);

    return key ? key->xt : 0;
}
