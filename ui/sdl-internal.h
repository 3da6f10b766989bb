/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the display "sdl" share.
 */
#ifndef UI_SDL_INTERNAL_H
#define UI_SDL_INTERNAL_H

#include <SDL.h>

/* The number of the key at this place of the keyboard, as in hw/input/input.h; 0: none.
 * Any thread. */
unsigned sdl_key(SDL_Scancode scancode);

/* The descriptor on which events for @window arrive, SDL's own; -1: nobody knows, and SDL
 * is to be asked again and again. The main loop's thread. */
int sdl_event_fd(SDL_Window *window);

#endif
