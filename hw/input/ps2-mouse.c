/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 mouse. See the IBM PS/2 Hardware Interface Technical Reference, "Mouse",
 * and for the wheel and five buttons Microsoft's IntelliMouse protocols: a guest that
 * sets certain sample rates one after the other gets longer reports.
 *
 * A report is made when the last one was taken, so a guest sets the pace, and neither
 * rate nor resolution changes anything. Movement adds up until then; a button waits
 * until the guest has seen the one before.
 */
#include <string.h>

#include "hw/input/ps2.h"

#define CMD_SCALE_1 0xe6
#define CMD_SCALE_2 0xe7
#define CMD_RESOLUTION 0xe8
#define CMD_STATUS 0xe9
#define CMD_STREAM 0xea
#define CMD_READ 0xeb
#define CMD_UNWRAP 0xec
#define CMD_WRAP 0xee
#define CMD_REMOTE 0xf0
#define CMD_IDENTIFY 0xf2
#define CMD_RATE 0xf3
#define CMD_ENABLE 0xf4
#define CMD_DISABLE 0xf5
#define CMD_DEFAULTS 0xf6
#define CMD_RESEND 0xfe
#define CMD_RESET 0xff

#define ACK 0xfa
#define RESEND 0xfe
#define TEST_PASSED 0xaa

#define ID_PLAIN 0
#define ID_WHEEL 3
#define ID_BUTTONS 4

/* Buttons as the first byte of a report has them, and as here those of the fourth */
#define BUTTON_LEFT 0x01
#define BUTTON_RIGHT 0x02
#define BUTTON_MIDDLE 0x04
#define BUTTONS_3 0x07
#define BUTTON_4TH 0x08
#define BUTTON_5TH 0x10

/* First byte of a report */
#define REPORT_ALWAYS 0x08
#define REPORT_X_NEGATIVE 0x10
#define REPORT_Y_NEGATIVE 0x20
#define REPORT_EXTRA_SHIFT 1 /* 4th and 5th button in the fourth byte */

/* First byte of a status */
#define STATUS_REMOTE 0x40
#define STATUS_ENABLED 0x20
#define STATUS_DOUBLE_SCALE 0x10
#define STATUS_LEFT 0x04
#define STATUS_MIDDLE 0x02
#define STATUS_RIGHT 0x01

#define MOVE_MAX 127 /* of a report, which has room for 8 bits and a sign */
#define WHEEL_MAX 7

/* ---- reports --------------------------------------------------------------------------- */

/* As much of *@left as a report can have, which is taken from it. */
static int take_part(int *left, int max)
{
    int part = CLAMP(*left, -max, max);

    *left -= part;
    return part;
}

/* Slow movements are slower with 2:1, fast ones faster. */
static int scaled(int counts)
{
    static const int slow[] = { 0, 1, 1, 3, 6, 9 };
    unsigned size = ABS(counts);
    int result = size < G_N_ELEMENTS(slow) ? slow[size] : 2 * (int)size;

    return counts < 0 ? -result : result;
}

static void mouse_queue_report(PS2Mouse *mouse, bool scale)
{
    int max = scale ? MOVE_MAX / 2 : MOVE_MAX;
    int dx = take_part(&mouse->dx, max), dy = take_part(&mouse->dy, max);
    int wheel = take_part(&mouse->wheel, WHEEL_MAX);
    uint8_t report[4];

    if (scale) {
        dx = scaled(dx);
        dy = scaled(dy);
    }
    dy = -dy; /* up is positive here */
    report[0] = REPORT_ALWAYS | (mouse->buttons & BUTTONS_3) |
                (dx < 0 ? REPORT_X_NEGATIVE : 0) | (dy < 0 ? REPORT_Y_NEGATIVE : 0);
    report[1] = dx;
    report[2] = dy;
    report[3] = wheel;
    if (mouse->id == ID_BUTTONS) {
        report[3] = (wheel & 0x0f) |
                    (mouse->buttons & ~BUTTONS_3) << REPORT_EXTRA_SHIFT;
    }
    ps2_queue(&mouse->out, report, mouse->id == ID_PLAIN ? 3 : 4);
    mouse->reported = mouse->buttons;
}

static uint8_t visible_buttons(const PS2Mouse *mouse)
{
    return mouse->id == ID_BUTTONS ? 0xff : BUTTONS_3;
}

/* Whether there is something that the guest does not know. */
static bool mouse_has_news(const PS2Mouse *mouse)
{
    return mouse->dx || mouse->dy || (mouse->wheel && mouse->id != ID_PLAIN) ||
           ((mouse->buttons ^ mouse->reported) & visible_buttons(mouse));
}

static bool mouse_streams(const PS2Mouse *mouse)
{
    return mouse->enabled && !mouse->remote && !mouse->wrap;
}

static void mouse_stream(PS2Mouse *mouse)
{
    if (mouse_streams(mouse) && mouse->out.queue_nr == 0 && mouse_has_news(mouse)) {
        mouse_queue_report(mouse, mouse->double_scale);
    }
}

/* ---- what a user does -------------------------------------------------------------------- */

/* Not while a report is under way: what comes next may be a button. */
static bool mouse_ready(void *opaque)
{
    const PS2Mouse *mouse = opaque;

    return !mouse_streams(mouse) || mouse->out.queue_nr == 0;
}

static bool mouse_wakes(void *opaque)
{
    return ((PS2Mouse *)opaque)->enabled;
}

static uint8_t button_of(unsigned code)
{
    switch (code) {
    case BTN_LEFT:
        return BUTTON_LEFT;
    case BTN_RIGHT:
        return BUTTON_RIGHT;
    case BTN_MIDDLE:
        return BUTTON_MIDDLE;
    case BTN_SIDE:
        return BUTTON_4TH;
    case BTN_EXTRA:
        return BUTTON_5TH;
    default:
        return 0;
    }
}

static void mouse_event(void *opaque, const InputEvent *event)
{
    PS2Mouse *mouse = opaque;
    uint8_t button = button_of(event->code);

    if (event->type == INPUT_KEY) {
        mouse->buttons &= ~button;
        mouse->buttons |= event->down ? button : 0;
    } else if (event->type == INPUT_MOTION &&
               (mouse_streams(mouse) || mouse->remote)) {
        /* A guest that never asks finds no more than what an overflow would give. */
        mouse->dx = CLAMP(mouse->dx + event->dx, -0x10000, 0x10000);
        mouse->dy = CLAMP(mouse->dy + event->dy, -0x10000, 0x10000);
        mouse->wheel = CLAMP(mouse->wheel + event->wheel, -0x10000, 0x10000);
    }
    mouse_stream(mouse);
    mouse->changed(mouse->opaque);
}

/* ---- commands ------------------------------------------------------------------------------ */

/* Movement from before is of no interest, and half a report neither. */
static void mouse_clear(PS2Mouse *mouse)
{
    mouse->out.queue_nr = 0;
    mouse->dx = mouse->dy = mouse->wheel = 0;
    mouse->reported = mouse->buttons;
}

static void mouse_set_defaults(PS2Mouse *mouse)
{
    mouse->rates[0] = 100;
    mouse->rates[1] = mouse->rates[2] = 0;
    mouse->resolution = 2;
    mouse->double_scale = mouse->enabled = mouse->remote = false;
    mouse_clear(mouse);
}

static void mouse_set_rate(PS2Mouse *mouse, uint8_t rate)
{
    uint8_t *rates = mouse->rates;

    rates[2] = rates[1];
    rates[1] = rates[0];
    rates[0] = rate;
    if (rates[2] == 200 && rates[1] == 100 && rate == 80) {
        mouse->id = ID_WHEEL;
    } else if (rates[2] == 200 && rates[1] == 200 && rate == 80) {
        mouse->id = ID_BUTTONS;
    }
}

static void mouse_answer_status(PS2Mouse *mouse)
{
    ps2_answer(&mouse->out, (mouse->remote ? STATUS_REMOTE : 0) |
               (mouse->enabled ? STATUS_ENABLED : 0) |
               (mouse->double_scale ? STATUS_DOUBLE_SCALE : 0) |
               (mouse->buttons & BUTTON_LEFT ? STATUS_LEFT : 0) |
               (mouse->buttons & BUTTON_MIDDLE ? STATUS_MIDDLE : 0) |
               (mouse->buttons & BUTTON_RIGHT ? STATUS_RIGHT : 0));
    ps2_answer(&mouse->out, mouse->resolution);
    ps2_answer(&mouse->out, mouse->rates[0]);
}

static bool is_acknowledged(uint8_t command)
{
    switch (command) {
    case CMD_SCALE_1 ... CMD_UNWRAP:
    case CMD_WRAP:
    case CMD_REMOTE:
    case CMD_IDENTIFY ... CMD_DEFAULTS:
    case CMD_RESET:
        return true;
    default:
        return false;
    }
}

static void mouse_command(PS2Mouse *mouse, uint8_t command)
{
    PS2Out *out = &mouse->out;

    if (!is_acknowledged(command)) {
        ps2_answer(out, command == CMD_RESEND ? out->last : RESEND);
        return;
    }
    ps2_answer(out, ACK);
    switch (command) {
    case CMD_SCALE_1:
    case CMD_SCALE_2:
        mouse->double_scale = command == CMD_SCALE_2;
        break;
    case CMD_RESOLUTION:
    case CMD_RATE:
        mouse->command = command;
        break;
    case CMD_STATUS:
        mouse_answer_status(mouse);
        break;
    case CMD_STREAM:
    case CMD_REMOTE:
        mouse->remote = command == CMD_REMOTE;
        mouse_clear(mouse);
        break;
    case CMD_READ:
        out->queue_nr = 0;
        mouse_queue_report(mouse, false);
        break;
    case CMD_UNWRAP:
        break;
    case CMD_WRAP:
        mouse->wrap = true;
        mouse_clear(mouse);
        break;
    case CMD_IDENTIFY:
        ps2_answer(out, mouse->id);
        break;
    case CMD_ENABLE:
    case CMD_DISABLE:
        mouse->enabled = command == CMD_ENABLE;
        mouse_clear(mouse);
        break;
    case CMD_DEFAULTS:
        mouse_set_defaults(mouse);
        break;
    case CMD_RESET:
        mouse->id = ID_PLAIN;
        mouse_set_defaults(mouse);
        ps2_answer(out, TEST_PASSED);
        ps2_answer(out, mouse->id);
        break;
    }
}

static void mouse_parameter(PS2Mouse *mouse, uint8_t byte)
{
    static const char rates[] = { 10, 20, 40, 60, 80, 100, (char)200 };
    bool ok = mouse->command == CMD_RATE
                  ? memchr(rates, byte, sizeof(rates)) != NULL
                  : byte <= 3;

    if (ok && mouse->command == CMD_RATE) {
        mouse_set_rate(mouse, byte);
    } else if (ok) {
        mouse->resolution = byte;
    }
    mouse->command = 0;
    ps2_answer(&mouse->out, ok ? ACK : RESEND);
}

/* The guest would take the rest of a report for something else: it gets all of
 * another one. */
static void mouse_abort_report(PS2Mouse *mouse)
{
    unsigned left = mouse->out.queue_nr;

    if (left && left != (mouse->id == ID_PLAIN ? 3 : 4)) {
        mouse->out.queue_nr = 0;
        mouse->reported = ~mouse->buttons;
    }
}

void ps2_mouse_write(PS2Mouse *mouse, uint8_t byte)
{
    mouse_abort_report(mouse);
    if (mouse->wrap && byte != CMD_UNWRAP && byte != CMD_RESET) {
        ps2_answer(&mouse->out, byte);
    } else if (mouse->command) {
        mouse_parameter(mouse, byte);
    } else {
        mouse->wrap = false;
        mouse_command(mouse, byte);
        mouse_stream(mouse);
    }
    input_feed(&mouse->input);
    mouse->changed(mouse->opaque);
}

uint8_t ps2_mouse_read(PS2Mouse *mouse)
{
    uint8_t byte = ps2_take(&mouse->out);

    mouse_stream(mouse);
    return byte;
}

/* ---- life -------------------------------------------------------------------------------------- */

void ps2_mouse_reset(PS2Mouse *mouse)
{
    mouse->out = (PS2Out){ .answers_nr = 0 };
    mouse->command = 0;
    mouse->id = ID_PLAIN;
    mouse->wrap = false;
    mouse_set_defaults(mouse);
    input_drop(&mouse->input);
    mouse->buttons = mouse->reported = 0;
}

void ps2_mouse_init(PS2Mouse *mouse, void (*changed)(void *opaque), void *opaque)
{
    *mouse = (PS2Mouse){
        .changed = changed,
        .opaque = opaque,
        .input = { .kind = INPUT_POINTER, .ready = mouse_ready, .event = mouse_event,
                   .wakes = mouse_wakes,
                   .opaque = mouse, .name = "QEMU PS/2 Mouse" },
    };
    input_attach(&mouse->input);
}

void ps2_mouse_end(PS2Mouse *mouse)
{
    input_detach(&mouse->input);
}
