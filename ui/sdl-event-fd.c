/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where SDL's events come from, which SDL itself does not tell: the connection to an X
 * server. A file of its own, as Xlib.h has types of the same names as ours.
 */
#include "ui/sdl-internal.h"

#include <SDL_syswm.h>

int sdl_event_fd(SDL_Window *window)
{
#ifdef SDL_VIDEO_DRIVER_X11
    SDL_SysWMinfo info;

    SDL_VERSION(&info.version);
    if (SDL_GetWindowWMInfo(window, &info) && info.subsystem == SDL_SYSWM_X11) {
        return ConnectionNumber(info.info.x11.display);
    }
#endif
    return -1;
}
