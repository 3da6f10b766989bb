/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 keyboard. See the IBM PS/2 Hardware Interface Technical Reference,
 * "Keyboards (101- and 102-Key)", and for keys that it does not have, Microsoft's
 * Keyboard Scan Code Specification.
 *
 * It does not repeat keys by itself: whoever sends them does. Its 16 bytes have the
 * queue of input.c behind them, which waits until there is room for any key; where
 * that one was full, too, the guest finds the code of an overrun.
 */
#include <string.h>

#include "hw/input/ps2.h"

#define CMD_LEDS 0xed
#define CMD_ECHO 0xee
#define CMD_SCAN_SET 0xf0
#define CMD_IDENTIFY 0xf2
#define CMD_RATE 0xf3
#define CMD_ENABLE 0xf4
#define CMD_DISABLE 0xf5
#define CMD_DEFAULTS 0xf6
#define CMD_ALL_REPEAT 0xf7
#define CMD_ALL_RELEASE 0xf8
#define CMD_ALL_MAKE 0xf9
#define CMD_ALL_BOTH 0xfa
#define CMD_KEY_REPEAT 0xfb /* then codes of set 3 */
#define CMD_KEY_RELEASE 0xfc
#define CMD_KEY_MAKE 0xfd
#define CMD_RESEND 0xfe
#define CMD_RESET 0xff

#define ACK 0xfa
#define RESEND 0xfe
#define TEST_PASSED 0xaa

#define OVERRUN 0x00 /* in sets 2 and 3; set 1 has it translated */
#define RELEASE 0xf0
#define EXTENDED 0xe0
#define LONGEST 8    /* bytes of a key: Pause */
#define RATE_DEFAULT 0x2b /* 10.9 a second after 500 ms */

/* Set 2 by KEY_ numbers; E: after 0xe0. */
#define E 0x100
static const uint16_t set2[0x100] = {
    [KEY_ESC] = 0x76, [KEY_1] = 0x16, [KEY_2] = 0x1e, [KEY_3] = 0x26,
    [KEY_4] = 0x25, [KEY_5] = 0x2e, [KEY_6] = 0x36, [KEY_7] = 0x3d,
    [KEY_8] = 0x3e, [KEY_9] = 0x46, [KEY_0] = 0x45, [KEY_MINUS] = 0x4e,
    [KEY_EQUAL] = 0x55, [KEY_BACKSPACE] = 0x66, [KEY_TAB] = 0x0d,
    [KEY_Q] = 0x15, [KEY_W] = 0x1d, [KEY_E] = 0x24, [KEY_R] = 0x2d,
    [KEY_T] = 0x2c, [KEY_Y] = 0x35, [KEY_U] = 0x3c, [KEY_I] = 0x43,
    [KEY_O] = 0x44, [KEY_P] = 0x4d, [KEY_LEFTBRACE] = 0x54,
    [KEY_RIGHTBRACE] = 0x5b, [KEY_ENTER] = 0x5a, [KEY_LEFTCTRL] = 0x14,
    [KEY_A] = 0x1c, [KEY_S] = 0x1b, [KEY_D] = 0x23, [KEY_F] = 0x2b,
    [KEY_G] = 0x34, [KEY_H] = 0x33, [KEY_J] = 0x3b, [KEY_K] = 0x42,
    [KEY_L] = 0x4b, [KEY_SEMICOLON] = 0x4c, [KEY_APOSTROPHE] = 0x52,
    [KEY_GRAVE] = 0x0e, [KEY_LEFTSHIFT] = 0x12, [KEY_BACKSLASH] = 0x5d,
    [KEY_Z] = 0x1a, [KEY_X] = 0x22, [KEY_C] = 0x21, [KEY_V] = 0x2a,
    [KEY_B] = 0x32, [KEY_N] = 0x31, [KEY_M] = 0x3a, [KEY_COMMA] = 0x41,
    [KEY_DOT] = 0x49, [KEY_SLASH] = 0x4a, [KEY_RIGHTSHIFT] = 0x59,
    [KEY_KPASTERISK] = 0x7c, [KEY_LEFTALT] = 0x11, [KEY_SPACE] = 0x29,
    [KEY_CAPSLOCK] = 0x58, [KEY_F1] = 0x05, [KEY_F2] = 0x06, [KEY_F3] = 0x04,
    [KEY_F4] = 0x0c, [KEY_F5] = 0x03, [KEY_F6] = 0x0b, [KEY_F7] = 0x83,
    [KEY_F8] = 0x0a, [KEY_F9] = 0x01, [KEY_F10] = 0x09, [KEY_NUMLOCK] = 0x77,
    [KEY_SCROLLLOCK] = 0x7e, [KEY_KP7] = 0x6c, [KEY_KP8] = 0x75,
    [KEY_KP9] = 0x7d, [KEY_KPMINUS] = 0x7b, [KEY_KP4] = 0x6b, [KEY_KP5] = 0x73,
    [KEY_KP6] = 0x74, [KEY_KPPLUS] = 0x79, [KEY_KP1] = 0x69, [KEY_KP2] = 0x72,
    [KEY_KP3] = 0x7a, [KEY_KP0] = 0x70, [KEY_KPDOT] = 0x71, [KEY_102ND] = 0x61,
    [KEY_F11] = 0x78, [KEY_F12] = 0x07, [KEY_RO] = 0x51,
    [KEY_KATAKANA] = 0x63, [KEY_HIRAGANA] = 0x62, [KEY_HENKAN] = 0x64,
    [KEY_KATAKANAHIRAGANA] = 0x13, [KEY_MUHENKAN] = 0x67,
    [KEY_KPJPCOMMA] = 0x27, [KEY_KPENTER] = E | 0x5a,
    [KEY_RIGHTCTRL] = E | 0x14, [KEY_KPSLASH] = E | 0x4a,
    [KEY_RIGHTALT] = E | 0x11, [KEY_HOME] = E | 0x6c, [KEY_UP] = E | 0x75,
    [KEY_PAGEUP] = E | 0x7d, [KEY_LEFT] = E | 0x6b, [KEY_RIGHT] = E | 0x74,
    [KEY_END] = E | 0x69, [KEY_DOWN] = E | 0x72, [KEY_PAGEDOWN] = E | 0x7a,
    [KEY_INSERT] = E | 0x70, [KEY_DELETE] = E | 0x71, [KEY_MUTE] = E | 0x23,
    [KEY_VOLUMEDOWN] = E | 0x21, [KEY_VOLUMEUP] = E | 0x32,
    [KEY_POWER] = E | 0x37, [KEY_KPEQUAL] = 0x0f, [KEY_KPCOMMA] = 0x6d,
    [KEY_YEN] = 0x6a, [KEY_LEFTMETA] = E | 0x1f, [KEY_RIGHTMETA] = E | 0x27,
    [KEY_COMPOSE] = E | 0x2f, [KEY_STOP] = E | 0x28, [KEY_CALC] = E | 0x2b,
    [KEY_SLEEP] = E | 0x3f, [KEY_WAKEUP] = E | 0x5e, [KEY_MAIL] = E | 0x48,
    [KEY_BOOKMARKS] = E | 0x18, [KEY_COMPUTER] = E | 0x40, [KEY_BACK] = E | 0x38,
    [KEY_FORWARD] = E | 0x30, [KEY_NEXTSONG] = E | 0x4d,
    [KEY_PLAYPAUSE] = E | 0x34, [KEY_PREVIOUSSONG] = E | 0x15,
    [KEY_STOPCD] = E | 0x3b, [KEY_HOMEPAGE] = E | 0x3a, [KEY_REFRESH] = E | 0x20,
    [KEY_F13] = 0x08, [KEY_F14] = 0x10, [KEY_F15] = 0x18, [KEY_F16] = 0x20,
    [KEY_F17] = 0x28, [KEY_F18] = 0x30, [KEY_F19] = 0x38, [KEY_F20] = 0x40,
    [KEY_F21] = 0x48, [KEY_F22] = 0x50, [KEY_F23] = 0x57, [KEY_F24] = 0x5f,
    [KEY_SEARCH] = E | 0x10, [KEY_MEDIA] = E | 0x50,
};
#undef E

static const uint8_t set3[0x100] = {
    [KEY_ESC] = 0x08, [KEY_1] = 0x16, [KEY_2] = 0x1e, [KEY_3] = 0x26,
    [KEY_4] = 0x25, [KEY_5] = 0x2e, [KEY_6] = 0x36, [KEY_7] = 0x3d,
    [KEY_8] = 0x3e, [KEY_9] = 0x46, [KEY_0] = 0x45, [KEY_MINUS] = 0x4e,
    [KEY_EQUAL] = 0x55, [KEY_BACKSPACE] = 0x66, [KEY_TAB] = 0x0d,
    [KEY_Q] = 0x15, [KEY_W] = 0x1d, [KEY_E] = 0x24, [KEY_R] = 0x2d,
    [KEY_T] = 0x2c, [KEY_Y] = 0x35, [KEY_U] = 0x3c, [KEY_I] = 0x43,
    [KEY_O] = 0x44, [KEY_P] = 0x4d, [KEY_LEFTBRACE] = 0x54,
    [KEY_RIGHTBRACE] = 0x5b, [KEY_ENTER] = 0x5a, [KEY_LEFTCTRL] = 0x11,
    [KEY_A] = 0x1c, [KEY_S] = 0x1b, [KEY_D] = 0x23, [KEY_F] = 0x2b,
    [KEY_G] = 0x34, [KEY_H] = 0x33, [KEY_J] = 0x3b, [KEY_K] = 0x42,
    [KEY_L] = 0x4b, [KEY_SEMICOLON] = 0x4c, [KEY_APOSTROPHE] = 0x52,
    [KEY_GRAVE] = 0x0e, [KEY_LEFTSHIFT] = 0x12, [KEY_BACKSLASH] = 0x5c,
    [KEY_Z] = 0x1a, [KEY_X] = 0x22, [KEY_C] = 0x21, [KEY_V] = 0x2a,
    [KEY_B] = 0x32, [KEY_N] = 0x31, [KEY_M] = 0x3a, [KEY_COMMA] = 0x41,
    [KEY_DOT] = 0x49, [KEY_SLASH] = 0x4a, [KEY_RIGHTSHIFT] = 0x59,
    [KEY_KPASTERISK] = 0x7e, [KEY_LEFTALT] = 0x19, [KEY_SPACE] = 0x29,
    [KEY_CAPSLOCK] = 0x14, [KEY_F1] = 0x07, [KEY_F2] = 0x0f, [KEY_F3] = 0x17,
    [KEY_F4] = 0x1f, [KEY_F5] = 0x27, [KEY_F6] = 0x2f, [KEY_F7] = 0x37,
    [KEY_F8] = 0x3f, [KEY_F9] = 0x47, [KEY_F10] = 0x4f, [KEY_NUMLOCK] = 0x76,
    [KEY_SCROLLLOCK] = 0x5f, [KEY_KP7] = 0x6c, [KEY_KP8] = 0x75,
    [KEY_KP9] = 0x7d, [KEY_KPMINUS] = 0x84, [KEY_KP4] = 0x6b, [KEY_KP5] = 0x73,
    [KEY_KP6] = 0x74, [KEY_KPPLUS] = 0x7c, [KEY_KP1] = 0x69, [KEY_KP2] = 0x72,
    [KEY_KP3] = 0x7a, [KEY_KP0] = 0x70, [KEY_KPDOT] = 0x71, [KEY_102ND] = 0x13,
    [KEY_F11] = 0x56, [KEY_F12] = 0x5e, [KEY_KPENTER] = 0x79,
    [KEY_RIGHTCTRL] = 0x58, [KEY_KPSLASH] = 0x77, [KEY_SYSRQ] = 0x57,
    [KEY_RIGHTALT] = 0x39, [KEY_HOME] = 0x6e, [KEY_UP] = 0x63,
    [KEY_PAGEUP] = 0x6f, [KEY_LEFT] = 0x61, [KEY_RIGHT] = 0x6a,
    [KEY_END] = 0x65, [KEY_DOWN] = 0x60, [KEY_PAGEDOWN] = 0x6d,
    [KEY_INSERT] = 0x67, [KEY_DELETE] = 0x64, [KEY_PAUSE] = 0x62,
    [KEY_LEFTMETA] = 0x8b, [KEY_RIGHTMETA] = 0x8c, [KEY_COMPOSE] = 0x8d,
};

/* What a controller that translates makes of 0 to 0x84; all else stays. */
static const uint8_t translation[] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58,
    0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a,
    0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c,
    0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
    0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60,
    0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e,
    0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
    0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
    0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
    0x80, 0x81, 0x82, 0x41, 0x54,
};

uint8_t ps2_set1(uint8_t set2)
{
    return set2 < sizeof(translation) ? translation[set2] : set2;
}

/* ---- keys ------------------------------------------------------------------------- */

/* Queue @nr bytes, which are of set 2, in the set that the guest has chosen. */
static void kbd_queue(PS2Keyboard *kbd, const uint8_t *bytes, unsigned nr)
{
    uint8_t out[LONGEST];
    unsigned out_nr = 0;
    uint8_t release = 0;

    if (kbd->scan_set != 1) {
        ps2_queue(&kbd->out, bytes, nr);
        return;
    }
    for (unsigned i = 0; i < nr; i++) {
        if (bytes[i] == RELEASE) {
            release = 0x80;
        } else {
            out[out_nr++] = ps2_set1(bytes[i]) | release;
            release = 0;
        }
    }
    ps2_queue(&kbd->out, out, out_nr);
}

#define QUEUE(kbd, ...)                                                        \
    kbd_queue(kbd, (const uint8_t[]){ __VA_ARGS__ },                           \
              sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Either of a pair. */
static bool kbd_is_down(const PS2Keyboard *kbd, unsigned left, unsigned right)
{
    return kbd->down[left] || kbd->down[right];
}

/* Pause has no release: all comes at once. Together with Ctrl it is Break. */
static void kbd_pause(PS2Keyboard *kbd, bool down)
{
    if (!down) {
        return;
    }
    if (kbd_is_down(kbd, KEY_LEFTCTRL, KEY_RIGHTCTRL)) {
        QUEUE(kbd, 0xe0, 0x7e, 0xe0, RELEASE, 0x7e);
    } else {
        QUEUE(kbd, 0xe1, 0x14, 0x77, 0xe1, RELEASE, 0x14, RELEASE, 0x77);
    }
}

/* Print Screen was Shift and the keypad's asterisk once, and SysRq with Alt. */
static void kbd_print(PS2Keyboard *kbd, bool down, bool repeats)
{
    bool plain = kbd_is_down(kbd, KEY_LEFTCTRL, KEY_RIGHTCTRL) ||
                 kbd_is_down(kbd, KEY_LEFTSHIFT, KEY_RIGHTSHIFT) || repeats;

    if (kbd_is_down(kbd, KEY_LEFTALT, KEY_RIGHTALT)) {
        if (down) {
            QUEUE(kbd, 0x84);
        } else {
            QUEUE(kbd, RELEASE, 0x84);
        }
    } else if (down && plain) {
        QUEUE(kbd, 0xe0, 0x7c);
    } else if (down) {
        QUEUE(kbd, 0xe0, 0x12, 0xe0, 0x7c);
    } else if (plain) {
        QUEUE(kbd, 0xe0, RELEASE, 0x7c);
    } else {
        QUEUE(kbd, 0xe0, RELEASE, 0x7c, 0xe0, RELEASE, 0x12);
    }
}

static void kbd_key_set3(PS2Keyboard *kbd, unsigned code, bool down, bool repeats)
{
    uint8_t key = set3[code];
    uint8_t type = kbd->key_types[key];

    if (!key || (repeats && !(type & PS2_KEY_REPEATS))) {
        return;
    }
    if (down) {
        QUEUE(kbd, key);
    } else if (type & PS2_KEY_RELEASES) {
        QUEUE(kbd, RELEASE, key);
    }
}

static void kbd_key_set2(PS2Keyboard *kbd, unsigned code, bool down, bool repeats)
{
    uint8_t key = set2[code];
    bool extended = set2[code] & 0x100;

    if (code == KEY_PAUSE) {
        kbd_pause(kbd, down && !repeats);
    } else if (code == KEY_SYSRQ) {
        kbd_print(kbd, down, repeats);
    } else if (key && extended && down) {
        QUEUE(kbd, EXTENDED, key);
    } else if (key && extended) {
        QUEUE(kbd, EXTENDED, RELEASE, key);
    } else if (key && down) {
        QUEUE(kbd, key);
    } else if (key) {
        QUEUE(kbd, RELEASE, key);
    }
}

static bool kbd_ready(void *opaque)
{
    const PS2Keyboard *kbd = opaque;

    return PS2_QUEUE_SIZE - kbd->out.queue_nr >= LONGEST;
}

static void kbd_event(void *opaque, const InputEvent *event)
{
    PS2Keyboard *kbd = opaque;
    unsigned code = event->code;
    bool repeats;

    if (event->type == INPUT_LOST) {
        if (kbd->scanning) {
            QUEUE(kbd, OVERRUN);
        }
    } else if (code < G_N_ELEMENTS(kbd->down)) {
        repeats = event->down && kbd->down[code];
        kbd->down[code] = event->down;
        if (kbd->scanning && kbd->scan_set == 3) {
            kbd_key_set3(kbd, code, event->down, repeats);
        } else if (kbd->scanning) {
            kbd_key_set2(kbd, code, event->down, repeats);
        }
    }
    kbd->changed(kbd->opaque);
}

/* ---- commands ----------------------------------------------------------------------- */

static void kbd_set_all_types(PS2Keyboard *kbd, uint8_t type)
{
    memset(kbd->key_types, type, sizeof(kbd->key_types));
}

/* Where a user may wait for the release, it is told; where nobody keeps a key down,
 * it does not repeat either. */
static void kbd_default_types(PS2Keyboard *kbd)
{
    static const uint8_t releases[] = { KEY_CAPSLOCK, KEY_LEFTSHIFT, KEY_RIGHTSHIFT,
                                        KEY_LEFTCTRL, KEY_LEFTALT };
    static const uint8_t once[] = {
        KEY_ESC, KEY_F1, KEY_F2, KEY_F3, KEY_F4, KEY_F5, KEY_F6, KEY_F7, KEY_F8,
        KEY_F9, KEY_F10, KEY_F11, KEY_F12, KEY_SYSRQ, KEY_SCROLLLOCK, KEY_PAUSE,
        KEY_RIGHTCTRL, KEY_RIGHTALT, KEY_INSERT, KEY_HOME, KEY_END, KEY_PAGEUP,
        KEY_PAGEDOWN, KEY_NUMLOCK, KEY_KP0, KEY_KP1, KEY_KP2, KEY_KP3, KEY_KP4,
        KEY_KP5, KEY_KP6, KEY_KP7, KEY_KP8, KEY_KP9, KEY_KPDOT, KEY_KPENTER,
        KEY_KPSLASH, KEY_KPASTERISK, KEY_KPMINUS, KEY_LEFTMETA, KEY_RIGHTMETA,
        KEY_COMPOSE,
    };

    kbd_set_all_types(kbd, PS2_KEY_REPEATS);
    for (unsigned i = 0; i < sizeof(releases); i++) {
        kbd->key_types[set3[releases[i]]] = PS2_KEY_RELEASES;
    }
    for (unsigned i = 0; i < sizeof(once); i++) {
        kbd->key_types[set3[once[i]]] = 0;
    }
}

/* What waits is the user's of before, releases among it; what is held now stays so. */
static void kbd_clear(PS2Keyboard *kbd)
{
    kbd->out.queue_nr = 0;
    input_drop(&kbd->input);
    memcpy(kbd->down, kbd->input.down, sizeof(kbd->down));
}

static void kbd_set_defaults(PS2Keyboard *kbd)
{
    kbd->scan_set = 2;
    kbd->rate = RATE_DEFAULT;
    kbd_default_types(kbd);
    kbd_clear(kbd);
}

static uint8_t types_of(uint8_t command)
{
    switch (command) {
    case CMD_ALL_REPEAT:
    case CMD_KEY_REPEAT:
        return PS2_KEY_REPEATS;
    case CMD_ALL_RELEASE:
    case CMD_KEY_RELEASE:
        return PS2_KEY_RELEASES;
    case CMD_ALL_BOTH:
        return PS2_KEY_REPEATS | PS2_KEY_RELEASES;
    default:
        return 0;
    }
}

static void kbd_command(PS2Keyboard *kbd, uint8_t command)
{
    PS2Out *out = &kbd->out;

    switch (command) {
    case CMD_ECHO:
        ps2_answer(out, CMD_ECHO);
        return;
    case CMD_RESEND:
        ps2_answer(out, out->last);
        return;
    case CMD_LEDS:
    case CMD_SCAN_SET:
    case CMD_RATE:
    case CMD_KEY_REPEAT ... CMD_KEY_MAKE:
        kbd->command = command;
        break;
    case CMD_IDENTIFY:
        ps2_answer(out, ACK);
        ps2_answer(out, 0xab);
        ps2_answer(out, 0x83);
        return;
    case CMD_ENABLE:
        kbd_clear(kbd);
        kbd->scanning = true;
        break;
    case CMD_DISABLE:
        kbd_set_defaults(kbd);
        kbd->scanning = false;
        break;
    case CMD_DEFAULTS:
        kbd_set_defaults(kbd);
        break;
    case CMD_ALL_REPEAT ... CMD_ALL_BOTH:
        kbd_set_all_types(kbd, types_of(command));
        break;
    case CMD_RESET:
        kbd_set_defaults(kbd);
        kbd->leds = 0;
        input_reset_lamps(&kbd->input);
        kbd->scanning = true;
        ps2_answer(out, ACK);
        ps2_answer(out, TEST_PASSED);
        return;
    default:
        ps2_answer(out, RESEND);
        return;
    }
    ps2_answer(out, ACK);
}

/* False: @byte is none, but the next command. */
static bool kbd_parameter(PS2Keyboard *kbd, uint8_t byte)
{
    uint8_t command = kbd->command;

    kbd->command = 0;
    switch (command) {
    case CMD_LEDS:
        kbd->leds = byte;
        input_set_lamps(&kbd->input, byte); /* which has the same bits */
        break;
    case CMD_RATE:
        kbd->rate = byte;
        break;
    case CMD_SCAN_SET:
        if (byte > 3) {
            ps2_answer(&kbd->out, RESEND);
            return true;
        }
        if (byte == 0) {
            ps2_answer(&kbd->out, ACK);
            ps2_answer(&kbd->out, kbd->scan_set);
            return true;
        }
        kbd_clear(kbd);
        kbd->scan_set = byte;
        break;
    default: /* of the keys' types: any number of them */
        if (byte >= sizeof(kbd->key_types)) {
            return false;
        }
        kbd->command = command;
        kbd->key_types[byte] = types_of(command);
        break;
    }
    ps2_answer(&kbd->out, ACK);
    return true;
}

void ps2_keyboard_write(PS2Keyboard *kbd, uint8_t byte)
{
    if (!kbd->command || !kbd_parameter(kbd, byte)) {
        kbd_command(kbd, byte);
    }
    kbd->changed(kbd->opaque);
}

uint8_t ps2_keyboard_read(PS2Keyboard *kbd)
{
    return ps2_take(&kbd->out);
}

/* ---- life ----------------------------------------------------------------------------- */

void ps2_keyboard_reset(PS2Keyboard *kbd)
{
    kbd->out = (PS2Out){ .answers_nr = 0 };
    kbd->command = kbd->leds = 0;
    input_reset_lamps(&kbd->input);
    kbd->scanning = true;
    kbd_set_defaults(kbd);
}

void ps2_keyboard_init(PS2Keyboard *kbd, void (*changed)(void *opaque), void *opaque)
{
    *kbd = (PS2Keyboard){
        .changed = changed,
        .opaque = opaque,
        .input = { .kind = INPUT_KEYBOARD, .ready = kbd_ready, .event = kbd_event,
                   .opaque = kbd, .name = "QEMU PS/2 Keyboard" },
    };
    input_attach(&kbd->input);
}

void ps2_keyboard_end(PS2Keyboard *kbd)
{
    input_detach(&kbd->input);
}
