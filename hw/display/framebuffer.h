/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A linear frame buffer in guest memory, shown on a console: the picture is the memory
 * itself, and the dirty log says which lines have changed.
 *
 * Under the memory lock.
 */
#ifndef HW_DISPLAY_FRAMEBUFFER_H
#define HW_DISPLAY_FRAMEBUFFER_H

#include "memory.h"
#include "ui/console.h"

typedef struct Framebuffer {
    Console *console; /* set by the owner before use */
    /* Private: */
    MemoryRegion *mr; /* RAM; NULL: nothing is shown */
    hwaddr offset;
    unsigned width, height; /* pixels, lines */
    unsigned stride, line;  /* bytes to the next line, bytes that are seen of one */
    bool all;               /* the next refresh tells of all */
    unsigned busy;          /* refreshes in a row that found all lines written */
} Framebuffer;

/* Show @height lines of @width pixels of @mr from @offset on, @stride bytes apart, as
 * @format. @palette: of PIXMAN_c8, the owner's, else NULL. False, and nothing is shown
 * (black): it has no line, is larger than CONSOLE_SIZE_MAX, does not lie within @mr, or
 * pixman cannot use it (the offset is a multiple of a pixel of 2 or 4 bytes, the stride
 * of 4, and all lines together have less than 2 GiB). The owner turns the dirty log of
 * @mr on while the console is watched, before this, and off. */
bool framebuffer_set(Framebuffer *fb, MemoryRegion *mr, hwaddr offset, unsigned width,
                     unsigned height, unsigned stride, pixman_format_code_t format,
                     const pixman_indexed_t *palette);

/* Show it no more: the picture is black. */
void framebuffer_clear(Framebuffer *fb);

/* Tell the console of lines written since the last call, and of no others but those that
 * share a page with them. Writes from now on are found the next time.
 *
 * Each look at the dirty log costs the guest a fault for each page that it writes next.
 * So when FRAMEBUFFER_BUSY looks in a row have found every line of a large one written,
 * only one refresh in FRAMEBUFFER_BUSY looks, and the others tell of all, until a look
 * finds a line that was not. */
#define FRAMEBUFFER_BUSY 8
#define FRAMEBUFFER_LARGE (1u << 20) /* bytes */
void framebuffer_refresh(Framebuffer *fb);

/* The next refresh tells of all. */
void framebuffer_invalidate(Framebuffer *fb);

#endif
