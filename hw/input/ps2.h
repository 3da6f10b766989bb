/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 keyboard and a PS/2 mouse, as the controller sees them: bytes go to one, and
 * bytes wait in it until they are taken. What a user does comes by hw/input/input.h.
 *
 * A part of the controller's state, not devices of their own. All under the memory
 * lock.
 */
#ifndef HW_INPUT_PS2_H
#define HW_INPUT_PS2_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/input/input.h"

#define PS2_QUEUE_SIZE 16

/* What waits to be taken: answers to commands go first. */
typedef struct PS2Out {
    uint8_t answers[PS2_QUEUE_SIZE]; /* more than these are dropped */
    unsigned answers_nr;
    uint8_t queue[PS2_QUEUE_SIZE];
    unsigned queue_nr;
    uint8_t last; /* taken */
} PS2Out;

typedef struct PS2Keyboard {
    PS2Out out;
    void (*changed)(void *opaque); /* a byte may wait */
    void *opaque;
    InputHandler input;
    uint8_t command;   /* that waits for its parameter; 0: none */
    uint8_t leds, rate;
    uint8_t scan_set;  /* 1 to 3 */
    bool scanning;
    bool down[0x100];  /* keys, by KEY_ number, as far as the guest was told */
    uint8_t key_types[0x90]; /* of set 3, by its codes: PS2_KEY_ bits */
} PS2Keyboard;

#define PS2_KEY_REPEATS 1  /* it is sent again while it is down */
#define PS2_KEY_RELEASES 2 /* and at the end */

typedef struct PS2Mouse {
    PS2Out out;
    void (*changed)(void *opaque);
    void *opaque;
    InputHandler input;
    uint8_t command;   /* that waits for its parameter; 0: none */
    uint8_t id;        /* 0, 3: with a wheel, 4: and five buttons */
    uint8_t rates[3];  /* those set last; the newest is the first */
    uint8_t resolution;
    bool double_scale, enabled, remote, wrap;
    uint8_t buttons, reported; /* as in the first byte; 4th and 5th: 0x08, 0x10 */
    int dx, dy, wheel; /* not reported yet; as in InputEvent */
} PS2Mouse;

/* Ready for what a user does, from now on until the end. */
void ps2_keyboard_init(PS2Keyboard *kbd, void (*changed)(void *opaque), void *opaque);
void ps2_keyboard_end(PS2Keyboard *kbd);
void ps2_mouse_init(PS2Mouse *mouse, void (*changed)(void *opaque), void *opaque);
void ps2_mouse_end(PS2Mouse *mouse);

/* As after power-on. */
void ps2_keyboard_reset(PS2Keyboard *kbd);
void ps2_mouse_reset(PS2Mouse *mouse);

/* A byte to the device; ->changed may be called. */
void ps2_keyboard_write(PS2Keyboard *kbd, uint8_t byte);
void ps2_mouse_write(PS2Mouse *mouse, uint8_t byte);

/* Whether a byte waits, and take it; where none does, the last again. ->changed is
 * not called. */
bool ps2_has_byte(const PS2Out *out);
uint8_t ps2_keyboard_read(PS2Keyboard *kbd);
uint8_t ps2_mouse_read(PS2Mouse *mouse);

/* The code of set 1 for one of set 2, without what tells of a release: what a
 * controller that translates makes of it. */
uint8_t ps2_set1(uint8_t set2);

/* ---- for the two devices ------------------------------------------------------------- */

void ps2_answer(PS2Out *out, uint8_t byte);
/* Queue all @nr of them, or none. */
bool ps2_queue(PS2Out *out, const uint8_t *bytes, unsigned nr);
uint8_t ps2_take(PS2Out *out);

#endif
