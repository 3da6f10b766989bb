/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keyboard and mouse at the controller: what each command answers, the codes of keys
 * in three sets, reports of movement, and what happens where the guest does not read.
 */
#include "tests/device-util.h"

#include <string.h>

#include "hw/input/ps2.h"

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64
#define OBF 0x01
#define AUX 0x20

#define in(port) port_in(port, 1)
#define out(port, value) port_out(port, value, 1)

static const int ports[] = { DATA, COMMAND };
static Device *i8042;
static bool wires[3]; /* keyboard, mouse, A20 */
static unsigned rises[3];

static void wire_changed(void *opaque, int n, int level)
{
    expect(n < 3 && wires[n] != level, "output %d", n);
    wires[n] = level;
    rises[n] += level;
}

static void start(void)
{
    test_machine_init();
    memset(wires, 0, sizeof(wires));
    memset(rises, 0, sizeof(rises));
    i8042 = test_device("i8042", ports, "keyboard", "on", "mouse", "on", NULL);
    wires[2] = true;
    device_intercept(i8042, true, (IRQLine){ wire_changed, NULL, 0 });
}

static void command(uint8_t cmd)
{
    out(COMMAND, cmd);
}

static void command_with(uint8_t cmd, uint8_t byte)
{
    command(cmd);
    out(DATA, byte);
}

static void to_mouse(uint8_t byte)
{
    command_with(0xd4, byte);
}

/* All that waits, as hexadecimal; bytes of the mouse after a colon. */
static const char *all(void)
{
    static char text[4096];
    unsigned len = 0, status;

    text[0] = '\0';
    while ((status = in(STATUS)) & OBF) {
        expect(len < sizeof(text) - 8, "no end");
        len += g_snprintf(text + len, sizeof(text) - len, "%s%s%02x",
                          len ? " " : "", status & AUX ? ":" : "", in(DATA));
    }
    return text;
}

#define expect_all(wanted) ck_assert_str_eq(all(), wanted)

/* Send a byte to the device; all its answers are @wanted. */
#define kbd(byte, wanted)      \
    do {                       \
        out(DATA, byte);       \
        expect_all(wanted);    \
    } while (0)
#define mouse(byte, wanted)    \
    do {                       \
        to_mouse(byte);        \
        expect_all(wanted);    \
    } while (0)

static void key(unsigned code, bool down)
{
    expect(input_send_key(code, down), "key %u", code);
}

/* Press and release. */
#define type(code, pressed, released)  \
    do {                               \
        key(code, true);               \
        expect_all(pressed);           \
        key(code, false);              \
        expect_all(released);          \
    } while (0)

/* ---- the controller ------------------------------------------------------------------ */

START_TEST(controller)
{
    start();
    expect_hex(in(STATUS), 0x18);
    command(0x20);
    expect_all("03");
    command(0xaa);
    expect_all("55");
    command(0xab);
    expect_all("00");
    command(0xa9);
    expect_all("00");
    command(0xd0);
    expect_all("cf");
    /* The A20 gate, by two commands and by the output port. */
    command(0xdd);
    expect(!wires[2], "open");
    command(0xd0);
    expect_all("cd");
    command(0xdf);
    expect(wires[2], "shut");
    command_with(0xd1, 0x01);
    expect(!wires[2], "open");
    command_with(0xd1, 0xff);
    command(0xd0);
    expect_all("cf");
    expect(wires[2] && requests.resets == 0, "shut, or a reset");
    command_with(0xd1, 0xfe);
    expect(requests.resets == 1, "no reset");
    command(0xdf); /* which does not ask again */
    expect(requests.resets == 1, "another reset");
    /* Bytes as if from the devices. */
    command_with(0xd2, 0x1c);
    expect(wires[0], "no interrupt");
    expect_all("1c");
    command_with(0xd3, 0x1c);
    expect(wires[1] && !wires[0], "no interrupt");
    expect_all(":1c");
    device_reset(i8042);
    command(0xd0);
    expect_all("cf");
    test_machine_free();
}
END_TEST

/* Who writes to a device opens its port; one that is shut keeps its bytes. */
START_TEST(ports_shut)
{
    start();
    command(0xad);
    command(0xa7);
    key(KEY_A, true);
    expect_all("");
    to_mouse(0xf2);
    expect_all(":fa :00");
    command(0x20);
    expect_all("13");
    command(0xae);
    expect_all("1c");
    command(0xad);
    kbd(0xee, "ee");
    command(0x20);
    expect_all("03");
    to_mouse(0xf4);
    expect_all(":fa");
    command(0xa7);
    input_send_motion(1, 0, 0);
    expect_all("");
    command_with(0x60, 0x03); /* the configuration opens it, too */
    expect_all(":08 :01 :00");
    test_machine_free();
}
END_TEST

/* An answer of the controller does not replace a device's byte. */
START_TEST(answers_wait)
{
    start();
    out(DATA, 0xf2);
    command(0xd0);
    command(0x20); /* but another answer */
    expect_all("fa 03 ab 83");
    out(DATA, 0xee);
    command(0xd0); /* which tells of the byte */
    expect_all("ee df");
    to_mouse(0xea);
    command(0xd0);
    expect_all(":fa ef");
    test_machine_free();
}
END_TEST

/* Each byte is an edge, and nothing where it is not wanted. */
START_TEST(interrupts)
{
    start();
    out(DATA, 0xf2);
    expect(wires[0] && rises[0] == 1, "no interrupt");
    for (unsigned i = 0; i < 3; i++) {
        expect(wires[0] && rises[0] == i + 1, "byte %u", i);
        in(DATA);
    }
    expect(!wires[0] && rises[0] == 3 && rises[1] == 0, "after the last");
    to_mouse(0xff);
    for (unsigned i = 0; i < 3; i++) {
        expect(wires[1] && rises[1] == i + 1, "byte %u", i);
        in(DATA);
    }
    expect(!wires[1] && rises[0] == 3 && rises[1] == 3, "after the last");
    command_with(0x60, 0x00);
    kbd(0xf4, "fa");
    mouse(0xf4, ":fa");
    expect(rises[0] == 3 && rises[1] == 3, "though disabled");
    to_mouse(0xf5);
    command_with(0x60, 0x02);
    expect(wires[1], "enabled with a byte waiting");
    test_machine_free();
}
END_TEST

/* ---- the keyboard --------------------------------------------------------------------- */

START_TEST(keyboard_commands)
{
    start();
    kbd(0xed, "fa");
    kbd(0x07, "fa");
    kbd(0xee, "ee");
    kbd(0xf2, "fa ab 83");
    kbd(0xf3, "fa");
    kbd(0x20, "fa");
    kbd(0xf0, "fa");
    kbd(0x00, "fa 02");
    kbd(0xf0, "fa");
    kbd(0x04, "fe");
    kbd(0xf0, "fa");
    kbd(0x01, "fa");
    kbd(0xf0, "fa");
    kbd(0x00, "fa 01");
    kbd(0xf6, "fa"); /* defaults: set 2 */
    kbd(0xf0, "fa");
    kbd(0x00, "fa 02");
    kbd(0xfe, "02"); /* the last byte again */
    kbd(0xef, "fe"); /* no such command */
    kbd(0x10, "fe");
    kbd(0xff, "fa aa");
    /* Scanning off and on. */
    kbd(0xf5, "fa");
    type(KEY_A, "", "");
    kbd(0xf4, "fa");
    type(KEY_A, "1c", "f0 1c");
    kbd(0xf5, "fa");
    kbd(0xff, "fa aa");
    type(KEY_A, "1c", "f0 1c");
    test_machine_free();
}
END_TEST

START_TEST(scan_set_2)
{
    start();
    type(KEY_Q, "15", "f0 15");
    type(KEY_F7, "83", "f0 83");
    type(KEY_UP, "e0 75", "e0 f0 75");
    type(KEY_KP8, "75", "f0 75");
    type(KEY_RIGHTALT, "e0 11", "e0 f0 11");
    type(KEY_PAUSE, "e1 14 77 e1 f0 14 f0 77", "");
    type(KEY_SYSRQ, "e0 12 e0 7c", "e0 f0 7c e0 f0 12");
    type(KEY_MICMUTE, "", ""); /* this keyboard does not have it */
    key(KEY_LEFTCTRL, true);
    expect_all("14");
    type(KEY_PAUSE, "e0 7e e0 f0 7e", "");
    type(KEY_SYSRQ, "e0 7c", "e0 f0 7c");
    key(KEY_LEFTCTRL, false);
    key(KEY_RIGHTALT, true);
    expect_all("f0 14 e0 11");
    type(KEY_SYSRQ, "84", "f0 84");
    key(KEY_RIGHTALT, false);
    expect_all("e0 f0 11");
    /* It repeats as often as it is sent. */
    key(KEY_X, true);
    key(KEY_X, true);
    expect_all("22 22");
    key(KEY_X, false);
    key(KEY_X, false); /* it is up */
    expect_all("f0 22");
    test_machine_free();
}
END_TEST

/* Set 1, once by the keyboard itself and once by the controller. */
/* What is held stays held where the guest clears the keyboard, a reset of it too. */
START_TEST(held_keys)
{
    static const uint8_t clear[] = { 0xf4, 0xf5, 0xf6, 0xff };

    for (unsigned i = 0; i < sizeof(clear); i++) {
        start();
        key(KEY_RIGHTCTRL, true);
        expect_all("e0 14");
        key(KEY_A, true);
        key(KEY_A, false); /* which is lost */
        out(DATA, clear[i]);
        all();
        out(DATA, 0xf4);
        all();
        key(KEY_SYSRQ, true); /* with Ctrl */
        expect_all("e0 7c");
        key(KEY_RIGHTCTRL, false);
        expect_all("e0 f0 14");
        key(KEY_SYSRQ, false);
        expect_all("e0 f0 7c e0 f0 12");
        key(KEY_LEFTSHIFT, true);
        key(KEY_LEFTSHIFT, false); /* both wait */
        out(DATA, 0xf4);
        all();
        key(KEY_SYSRQ, true);
        expect_all("e0 12 e0 7c");
        input_release_all();
        test_machine_free();
    }
}
END_TEST

/* A release that no longer comes is not forgotten, nor does one answer wait for another. */
START_TEST(lost_release)
{
    start();
    key(KEY_LEFTSHIFT, true);
    for (unsigned i = 0; i < 20; i++) {
        key(KEY_A, i % 2 == 0);
    }
    key(KEY_LEFTSHIFT, false); /* waits for the guest */
    out(DATA, 0xf4);
    all();
    key(KEY_SYSRQ, true);
    expect_all("e0 12 e0 7c");
    key(KEY_SYSRQ, false);
    all();
    command_with(0xd2, 0x11);
    command_with(0xd2, 0x22);
    expect_all("22");
    kbd(0xf0, "fa");
    kbd(0x03, "fa");
    key(KEY_KPSLASH, true);
    expect_all("77");
    test_machine_free();
}
END_TEST

START_TEST(scan_set_1)
{
    for (unsigned translated = 0; translated < 2; translated++) {
        start();
        if (translated) {
            command_with(0x60, 0x43);
            kbd(0xf2, "fa ab 41");
            kbd(0xf0, "fa");
            kbd(0x00, "fa 41");
        } else {
            kbd(0xf0, "fa");
            kbd(0x01, "fa");
        }
        type(KEY_ESC, "01", "81");
        type(KEY_F7, "41", "c1");
        type(KEY_F12, "58", "d8");
        type(KEY_102ND, "56", "d6");
        type(KEY_UP, "e0 48", "e0 c8");
        type(KEY_PAUSE, "e1 1d 45 e1 9d c5", "");
        type(KEY_SYSRQ, "e0 2a e0 37", "e0 b7 e0 aa");
        /* Up to F10 and the keypad, Linux has these very numbers. */
        for (unsigned code = KEY_ESC; code <= KEY_KPDOT; code++) {
            char pressed[8], released[8];

            g_snprintf(pressed, sizeof(pressed), "%02x", code);
            g_snprintf(released, sizeof(released), "%02x", code | 0x80);
            type(code, pressed, released);
        }
        test_machine_free();
    }
}
END_TEST

START_TEST(scan_set_3)
{
    start();
    kbd(0xf0, "fa");
    kbd(0x03, "fa");
    key(KEY_A, true); /* repeats, and has no release */
    key(KEY_A, true);
    key(KEY_A, false);
    expect_all("1c 1c");
    key(KEY_LEFTCTRL, true);
    key(KEY_LEFTCTRL, true);
    key(KEY_LEFTCTRL, false);
    expect_all("11 f0 11");
    key(KEY_F1, true);
    key(KEY_F1, true);
    key(KEY_F1, false);
    expect_all("07");
    type(KEY_UP, "63", "");
    type(KEY_PAUSE, "62", "");
    type(KEY_SYSRQ, "57", "");
    kbd(0xfa, "fa"); /* all of it */
    key(KEY_F1, true);
    key(KEY_F1, true);
    key(KEY_F1, false);
    expect_all("07 07 f0 07");
    kbd(0xf8, "fa");
    key(KEY_A, true);
    key(KEY_A, true);
    key(KEY_A, false);
    expect_all("1c f0 1c");
    kbd(0xf7, "fa");
    type(KEY_A, "1c", "");
    kbd(0xf9, "fa");
    type(KEY_A, "1c", "");
    kbd(0xfc, "fa"); /* these two, until the next command */
    kbd(0x1c, "fa");
    kbd(0x32, "fa");
    kbd(0xee, "ee");
    type(KEY_A, "1c", "f0 1c");
    type(KEY_B, "32", "f0 32");
    type(KEY_C, "21", "");
    kbd(0xff, "fa aa");
    type(KEY_F1, "05", "f0 05");
    test_machine_free();
}
END_TEST

/* ---- a guest that does not read ------------------------------------------------------------ */

/* What does not fit into 16 bytes waits, in order, and nothing is lost. */
START_TEST(slow_guest)
{
    GString *wanted = g_string_new(NULL);

    start();
    for (unsigned i = 0; i < 100; i++) {
        unsigned code = i % 2 ? KEY_A : KEY_UP;

        key(code, true);
        key(code, false);
        g_string_append(wanted, i % 2 ? "1c f0 1c " : "e0 75 e0 f0 75 ");
    }
    g_string_truncate(wanted, wanted->len - 1);
    expect_all(wanted->str);
    /* Commands are answered in between, and those that clear do. */
    for (unsigned i = 0; i < 100; i++) {
        key(KEY_A, true);
        key(KEY_A, false);
    }
    out(DATA, 0xee);
    in(DATA);
    expect_hex(in(DATA), 0xee);
    out(DATA, 0xf4);
    in(DATA); /* one is in the controller */
    expect_all("fa");
    g_string_free(wanted, TRUE);
    test_machine_free();
}
END_TEST

START_TEST(no_guest)
{
    unsigned taken = 0, overruns = 0, downs = 0, ups = 0;
    uint8_t byte, last = 0;

    start();
    while (input_send_key(KEY_A + taken % 9, true)) {
        expect(++taken < 5000, "no end");
    }
    expect(!input_send_key(KEY_SPACE, true), "there was room");
    for (unsigned i = 0; i < 9; i++) { /* every key comes up */
        expect(input_send_key(KEY_A + i, false), "a release");
    }
    expect(taken > 1000, "%u", taken);
    input_release_all();
    while (in(STATUS) & OBF) {
        byte = in(DATA);
        overruns += byte == 0x00;
        ups += byte == 0xf0;
        downs += byte != 0xf0 && byte != 0x00 && last != 0xf0;
        last = byte;
    }
    expect(downs == taken && ups == 9 && overruns == 1, "%u of %u, %u up, %u overruns",
           downs, taken, ups, overruns);
    type(KEY_A, "1c", "f0 1c");
    expect(!input_send_key(0, true) && !input_send_key(INPUT_CODES_NR, true), "number");
    test_machine_free();
    expect(!input_send_key(KEY_A, true) && !input_send_motion(1, 1, 0), "no device");
}
END_TEST

static bool never(void *opaque)
{
    return false;
}

/* What waits has an end, with room for the release of each key that is down. */
START_TEST(queue_of_events)
{
    InputHandler handler = { .kind = INPUT_KEYBOARD, .ready = never };
    InputHandler pointer = { .kind = INPUT_POINTER, .ready = never };
    const InputEvent *last;
    unsigned n;

    input_attach(&handler);
    input_attach(&pointer);
    for (unsigned code = 1; code <= 100; code++) {
        expect(input_send_key(code, true), "press %u", code);
    }
    for (n = 0; n < INPUT_QUEUE_MAX - 201; n++) {
        expect(input_send_key(KEY_SPACE, true), "repeat %u", n);
    }
    /* Room for one more, but not for its release, and then for a note of that. */
    expect(!input_send_key(200, true), "a press");
    expect(!input_send_key(KEY_SPACE, true), "a repeat");
    for (unsigned code = 1; code <= 100; code++) {
        expect(input_send_key(code, false), "release %u", code);
        expect(!input_send_key(200, true), "another press");
    }
    expect(handler.down_nr == 0, "%u are down", handler.down_nr);
    expect(handler.waiting.length <= INPUT_QUEUE_MAX + 101, "%u wait",
           handler.waiting.length);
    for (unsigned i = 0; i < 5; i++) {
        expect(input_send_motion(INT32_MAX, INT32_MIN, -1), "motion");
    }
    last = g_queue_peek_tail(&pointer.waiting);
    expect(pointer.waiting.length == 1 && last->dx == 0x10000 &&
           last->dy == -0x10000 && last->wheel == -5, "%d, %d, %d", last->dx, last->dy,
           last->wheel);
    while (input_send_key(BTN_LEFT, true)) {
    }
    expect(!input_send_motion(1, 1, 1), "motion, though it is full");
    expect(input_send_key(BTN_LEFT, false), "release");
    input_detach(&handler);
    input_detach(&pointer);
    expect(handler.waiting.length == 0 && !input_send_key(KEY_A, true), "detached");
}
END_TEST

/* The queue of the keyboard alone: all of a key or nothing. */
START_TEST(queue_of_16)
{
    PS2Out out = { .answers_nr = 0 };

    expect(ps2_queue(&out, (const uint8_t[14]){ 1 }, 14), "14");
    expect(!ps2_queue(&out, (const uint8_t[3]){ 2, 3, 4 }, 3), "17");
    expect(ps2_queue(&out, (const uint8_t[2]){ 2, 3 }, 2), "16");
    for (unsigned i = 0; i < 20; i++) {
        ps2_answer(&out, i);
    }
    for (unsigned i = 0; i < 16; i++) {
        expect_hex(ps2_take(&out), i);
    }
    expect_hex(ps2_take(&out), 1);
    for (unsigned i = 1; i < 14; i++) {
        expect_hex(ps2_take(&out), 0);
    }
    expect_hex(ps2_take(&out), 2);
    expect_hex(ps2_take(&out), 3);
    expect(!ps2_has_byte(&out), "more");
    expect_hex(ps2_take(&out), 3);
}
END_TEST

/* ---- the mouse ------------------------------------------------------------------------------ */

static void knock(uint8_t a, uint8_t b, uint8_t c)
{
    const uint8_t rates[] = { a, b, c };

    for (unsigned i = 0; i < 3; i++) {
        mouse(0xf3, ":fa");
        mouse(rates[i], ":fa");
    }
}

START_TEST(mouse_commands)
{
    start();
    mouse(0xff, ":fa :aa :00");
    mouse(0xf2, ":fa :00");
    mouse(0xe9, ":fa :00 :02 :64");
    mouse(0xe7, ":fa");
    mouse(0xe8, ":fa");
    mouse(0x03, ":fa");
    mouse(0xf4, ":fa");
    mouse(0xf0, ":fa");
    mouse(0xf3, ":fa");
    mouse(0x50, ":fa");
    mouse(0xe9, ":fa :70 :03 :50");
    mouse(0xe6, ":fa");
    mouse(0xea, ":fa");
    mouse(0xe9, ":fa :20 :03 :50");
    mouse(0xe8, ":fa");
    mouse(0x09, ":fe");
    mouse(0xf3, ":fa");
    mouse(0x07, ":fe");
    mouse(0xe1, ":fe");
    mouse(0xfe, ":fe");
    mouse(0xf6, ":fa");
    mouse(0xe9, ":fa :00 :02 :64");
    /* Wrap: all comes back, until told otherwise. */
    mouse(0xee, ":fa");
    mouse(0x33, ":33");
    mouse(0xf2, ":f2");
    mouse(0xec, ":fa");
    mouse(0xf2, ":fa :00");
    mouse(0xee, ":fa");
    mouse(0xff, ":fa :aa :00");
    mouse(0xf2, ":fa :00");
    test_machine_free();
}
END_TEST

START_TEST(mouse_reports)
{
    start();
    input_send_motion(5, 5, 0); /* nobody asked yet */
    expect_all("");
    mouse(0xf4, ":fa");
    input_send_motion(3, 4, 0);
    expect_all(":28 :03 :fc");
    input_send_motion(-3, -4, 0);
    expect_all(":18 :fd :04");
    input_send_motion(0, 0, 1); /* a wheel that it does not have */
    expect_all("");
    key(BTN_LEFT, true);
    expect_all(":09 :00 :00");
    key(BTN_RIGHT, true);
    expect_all(":0b :00 :00");
    key(BTN_MIDDLE, true);
    expect_all(":0f :00 :00");
    mouse(0xe9, ":fa :27 :02 :64");
    key(BTN_LEFT, false);
    expect_all(":0e :00 :00");
    key(BTN_SIDE, true);
    expect_all("");
    input_release_all();
    expect_all(":0c :00 :00 :08 :00 :00");
    /* What is more than a report holds is in the next one. */
    input_send_motion(260, -300, 0);
    expect_all(":08 :7f :7f :08 :7f :7f :08 :06 :2e");
    input_send_motion(-128, 129, 0);
    expect_all(":38 :81 :81 :38 :ff :fe");
    /* Twice as fast, but for the slowest. */
    mouse(0xe7, ":fa");
    input_send_motion(2, -10, 0);
    expect_all(":08 :01 :14");
    input_send_motion(-5, 0, 0);
    expect_all(":18 :f7 :00");
    input_send_motion(100, 0, 0);
    expect_all(":08 :7e :00 :08 :4a :00");
    mouse(0xf5, ":fa");
    input_send_motion(1, 1, 0);
    expect_all("");
    test_machine_free();
}
END_TEST

START_TEST(mouse_remote)
{
    start();
    mouse(0xf0, ":fa");
    input_send_motion(3, 0, 0);
    input_send_motion(4, -1, 0);
    key(BTN_LEFT, true);
    expect_all("");
    mouse(0xeb, ":fa :09 :07 :01");
    mouse(0xeb, ":fa :09 :00 :00");
    mouse(0xea, ":fa");
    mouse(0xeb, ":fa :09 :00 :00"); /* in stream mode, too */
    test_machine_free();
}
END_TEST

START_TEST(wheel_and_five_buttons)
{
    start();
    knock(200, 100, 80);
    mouse(0xf2, ":fa :03");
    mouse(0xf4, ":fa");
    input_send_motion(1, 0, 1);
    expect_all(":08 :01 :00 :01");
    input_send_motion(0, 0, -1);
    expect_all(":08 :00 :00 :ff");
    input_send_motion(0, 0, 9);
    expect_all(":08 :00 :00 :07 :08 :00 :00 :02");
    key(BTN_SIDE, true);
    key(BTN_SIDE, false);
    expect_all("");
    knock(200, 200, 80);
    mouse(0xf2, ":fa :04");
    key(BTN_SIDE, true);
    expect_all(":08 :00 :00 :10");
    key(BTN_EXTRA, true);
    expect_all(":08 :00 :00 :30");
    input_send_motion(0, 0, -1);
    expect_all(":08 :00 :00 :3f");
    mouse(0xff, ":fa :aa :00");
    test_machine_free();
}
END_TEST

/* Movement adds up, clicks do not: each is seen, in its place. */
/* Without the wheel first. */
START_TEST(five_buttons_at_once)
{
    start();
    knock(200, 200, 80);
    mouse(0xf2, ":fa :04");
    mouse(0xff, ":fa :aa :00");
    knock(200, 100, 80);
    knock(200, 200, 80);
    mouse(0xf2, ":fa :04");
    knock(200, 100, 80); /* and back */
    mouse(0xf2, ":fa :03");
    test_machine_free();
}
END_TEST

START_TEST(slow_guest_and_mouse)
{
    start();
    mouse(0xf4, ":fa");
    input_send_motion(1, 0, 0); /* reported at once; the rest waits */
    for (unsigned i = 0; i < 50; i++) {
        input_send_motion(1, 1, 0);
    }
    key(BTN_LEFT, true);
    key(BTN_LEFT, false);
    input_send_motion(-1, 0, 0);
    input_send_motion(-1, 0, 0);
    expect_all(":08 :01 :00 :28 :32 :ce :09 :00 :00 :08 :00 :00 :18 :fe :00");
    /* A command in the midst of a report: that is sent anew as a whole. */
    key(BTN_LEFT, true);
    in(DATA); /* the next one is in the controller already */
    to_mouse(0xf2);
    expect_all(":00 :fa :00 :09 :00 :00");
    test_machine_free();
}
END_TEST

/* Presses that nobody reads end somewhere; movement has no end. */
START_TEST(no_guest_and_mouse)
{
    unsigned taken = 0;

    start();
    mouse(0xf4, ":fa");
    while (input_send_key(BTN_LEFT, true) && input_send_key(BTN_LEFT, false)) {
        expect(++taken < 5000, "no end");
        input_send_motion(INT32_MAX, INT32_MIN, INT32_MAX);
    }
    expect(taken > 300, "%u", taken);
    device_reset(i8042);
    expect_all("");
    mouse(0xf4, ":fa");
    input_send_motion(1, 0, 0);
    expect_all(":08 :01 :00");
    test_machine_free();
}
END_TEST

START_TEST(hostile)
{
    GRand *rand = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 4711));

    start();
    for (unsigned i = 0; i < 200000; i++) {
        unsigned port = g_rand_boolean(rand) ? DATA : STATUS;

        switch (g_rand_int_range(rand, 0, 8)) {
        case 0:
            input_send_key(g_rand_int_range(rand, 0, INPUT_CODES_NR), g_rand_boolean(rand));
            break;
        case 1:
            input_send_motion(g_rand_int(rand), g_rand_int(rand), g_rand_int(rand));
            break;
        case 2:
            to_mouse(g_rand_int_range(rand, 0xe0, 0x100));
            break;
        case 3:
        case 4:
            out(port, g_rand_int(rand) & 0xff);
            break;
        default:
            in(port);
            break;
        }
        expect(!(in(STATUS) & 0x02), "it keeps the guest waiting");
    }
    device_reset(i8042);
    input_release_all();
    all();
    kbd(0xff, "fa aa");
    mouse(0xff, ":fa :aa :00");
    g_rand_free(rand);
    test_machine_free();
}
END_TEST

TEST_MAIN("ps2", controller, ports_shut, answers_wait, interrupts, keyboard_commands,
          scan_set_2, held_keys, lost_release, scan_set_1, scan_set_3, slow_guest,
          no_guest, queue_of_events, queue_of_16, mouse_commands, mouse_reports, mouse_remote,
          wheel_and_five_buttons, five_buttons_at_once, slow_guest_and_mouse,
          no_guest_and_mouse, hostile)
