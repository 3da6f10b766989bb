/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointer movements on their way into the machine. Whoever makes them (a
 * monitor, a display) calls the functions that send; a device that shows them to the
 * guest is a handler.
 *
 * Keys and buttons have the numbers of Linux: KEY_A, KEY_F1, BTN_LEFT and so on of
 * <linux/input-event-codes.h>. A guest may take its time: what it has not read waits
 * in a queue for each handler, in which movements are added up. Only where that is
 * full is something refused, and never the release of a key whose press was taken.
 *
 * All functions under the memory lock, or before the machine runs.
 */
#ifndef HW_INPUT_INPUT_H
#define HW_INPUT_INPUT_H

#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdbool.h>

#define INPUT_QUEUE_MAX 1024 /* events that wait for one handler */
#define INPUT_CODES_NR 0x300 /* KEY_ and BTN_ numbers are below */

typedef enum InputKind {
    INPUT_KEYBOARD,
    INPUT_POINTER,
    INPUT_KINDS_NR,
} InputKind;

typedef struct InputEvent {
    enum {
        INPUT_KEY,    /* or a pointer's button */
        INPUT_MOTION,
        INPUT_LOST,   /* here, presses were refused: nobody had read */
    } type;
    unsigned code; /* KEY_ or BTN_ */
    bool down;     /* again while it is down: it repeats */
    int dx, dy;    /* right and down are positive */
    int wheel;     /* steps, towards the user positive */
} InputEvent;

typedef struct InputHandler {
    InputKind kind;
    /* Whether @event can be called with whatever comes next. */
    bool (*ready)(void *opaque);
    void (*event)(void *opaque, const InputEvent *event);
    /* Whether what is done while something is down wakes a guest that sleeps; NULL:
     * whatever is done does. */
    bool (*wakes)(void *opaque);
    void *opaque;
    const char *name; /* what a user calls it; NULL: nothing */
    /* Private to input.c: */
    unsigned index;
    GQueue waiting; /* InputEvent *; after INPUT_LOST nothing was refused yet */
    bool down[INPUT_CODES_NR]; /* with all that waits; a device may look */
    unsigned down_nr;
    unsigned locks;        /* INPUT_LOCK_ bits */
    bool has_lamps;        /* the guest tells of them */
} InputHandler;

/* A keyboard's lamps, as its guest sees them. */
#define INPUT_LOCK_SCROLL 0x1u
#define INPUT_LOCK_NUM 0x2u
#define INPUT_LOCK_CAPS 0x4u

/* ---- for devices ------------------------------------------------------------------ */

/* From now on @handler, which is all-zero but for its public fields, gets what is of
 * its kind, and those before it nothing. */
void input_attach(InputHandler *handler);

/* It gets nothing any more; what waits for it is dropped. */
void input_detach(InputHandler *handler);

/* @handler is ready, perhaps: give it what waits. */
void input_feed(InputHandler *handler);

/* Forget what waits: at a reset, and where the guest says so. */
void input_drop(InputHandler *handler);

/* The guest has set the lamps to these INPUT_LOCK_ bits. */
void input_set_lamps(InputHandler *handler, unsigned lamps);

/* A reset: the lamps are off, and nobody knows whether the guest will set them. */
void input_reset_lamps(InputHandler *handler);

/* Call @heard whenever somebody sends something, NULL: nothing. There is one. For
 * screens, which may change soon. */
void input_set_watcher(void (*heard)(void));

/* ---- for whoever sends ------------------------------------------------------------- */

/* Press or release. False: no device takes it, there is no such number, or it was
 * refused because too much waits already. A release of what is not pressed is
 * nothing, and true. */
bool input_send_key(unsigned code, bool down);

/* Move the pointer, turn its wheel. False as above. */
bool input_send_motion(int dx, int dy, int wheel);

/* Whether KEY_CAPSLOCK, KEY_NUMLOCK or KEY_SCROLLLOCK is on for the guest: as it has set
 * the lamps, or where it sets none, after every other press of that key. */
bool input_is_locked(unsigned code);

/* Whether a key or button is down: its press was taken last. */
bool input_is_down(unsigned code);

/* Whether anything takes what is of @kind. */
bool input_has_handler(InputKind kind);

/* Call @fn for each handler of @kind, in the order attached. @index: its number, which
 * no other handler of this machine has had; @current: it is the one that gets what
 * comes. */
typedef void InputVisitor(const InputHandler *handler, unsigned index, bool current,
                          void *opaque);
void input_foreach(InputKind kind, InputVisitor *fn, void *opaque);

/* From now on the handler of @kind and @index gets what comes, once the keys or buttons
 * of the one before are released. False: there is none. */
bool input_choose(InputKind kind, unsigned index);

/* Release what is pressed: whoever pressed it has gone. */
void input_release_all(void);

#endif
