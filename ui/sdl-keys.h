/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys as SDL counts them.
 */
#ifndef UI_SDL_KEYS_H
#define UI_SDL_KEYS_H

#include <SDL.h>

/* The number of the key at this place of the keyboard, as in hw/input/input.h; 0: none.
 * Any thread. */
unsigned sdl_key(SDL_Scancode scancode);

#endif
