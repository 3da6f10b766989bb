/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and numbers of keys. A key is its Linux number (KEY_A; hw/input/input.h) all
 * through the program; here is how monitors and viewers call it. Any thread, no lock.
 */
#ifndef UI_KEYS_H
#define UI_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The number of the key that QMP calls @name (QKeyCode: "a", "ret", "kp_add"), 0: none;
 * and back, NULL: it has none. */
unsigned key_from_name(const char *name);
const char *key_name(unsigned code);

/* All names, in the order of QMP's schema; ends with NULL. */
extern const char *const key_names[];

/* The key of @number as QMP and VNC's extended key event count: scan codes of set 1,
 * with 0x80 added for those after 0xe0. 0: none. And back, 0: none. */
unsigned key_from_xt(unsigned number);
unsigned key_to_xt(unsigned code);

/* A keyboard layout, for viewers that tell of characters (X11 keysyms), not keys. */
typedef struct Keymap Keymap;

/* @layout as XKB names it: "us", "de", "fr", "de(nodeadkeys)"; also "en-us", "de-ch" and
 * so on. NULL: "us". NULL with @err: there is none, or XKB's data is missing. */
Keymap *keymap_new(const char *layout, GError **err);
void keymap_free(Keymap *map);

/* What must be down for a symbol. */
#define KEYMAP_SHIFT 1u
#define KEYMAP_ALTGR 2u

/* The key that makes @keysym, and which of KEYMAP_* it takes; 0: no key does. */
unsigned keymap_find(const Keymap *map, uint32_t keysym, unsigned *modifiers);

/* A viewer's keyboard: which keys it holds down, so that all are released when it goes,
 * and modifiers that a symbol needs are pressed with it. */
typedef struct Keyboard Keyboard;
Keyboard *keyboard_new(const char *layout, GError **err);
void keyboard_free(Keyboard *kbd); /* releases; under the memory lock */

/* A key, or a symbol, goes down or up. Under the memory lock. */
void keyboard_key(Keyboard *kbd, unsigned code, bool down);
void keyboard_keysym(Keyboard *kbd, uint32_t keysym, bool down);
void keyboard_release_all(Keyboard *kbd); /* it has lost the focus */

#endif
