/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA: state that its registers (vga.c), memory (vga-memory.c) and picture
 * (vga-draw.c, vga-text.c) share. Registers as in IBM's "PS/2 Hardware Interface
 * Technical Reference: Video Subsystems"; VBE: bochs-vbe.h.
 *
 * Video memory holds the byte at offset n of plane p at n * 4 + p, so chain-4 modes, in
 * which the planes follow each other byte by byte, and VBE's are linear in it.
 *
 * Under the memory lock, or before the machine runs.
 */
#ifndef HW_DISPLAY_VGA_INTERNAL_H
#define HW_DISPLAY_VGA_INTERNAL_H

#include "hw/display/bochs-vbe.h"
#include "hw/display/framebuffer.h"

#define VGA_WINDOW 0xa0000 /* the legacy window, */
#define VGA_WINDOW_SIZE 0x20000
#define VGA_PORTS 0x3b0 /* to 0x3df */
#define VGA_PORTS_SIZE 0x30

#define VGA_SR_NR 8
#define VGA_GR_NR 16
#define VGA_AR_NR 21
#define VGA_CR_NR 256 /* of which 25 are known */

typedef struct VGADrawing VGADrawing; /* vga-draw.c's own */
typedef struct VGAState VGAState;

/* What a mode makes of the window. */
typedef struct VGAWindow {
    hwaddr first, size; /* which part of it shows VRAM; the rest nothing */
    hwaddr offset;      /* of what the first byte shows: bytes in chain-4 modes,
                         * otherwise of a plane */
    bool chain4;        /* VRAM is linear in it, the map mask says which planes */
    bool direct;        /* and all of them: it can be an alias */
} VGAWindow;

#define VGA_PORT_WINDOWS 5

struct VGAState {
    Device *dev;
    MemoryRegion vram;
    uint8_t *vram_ptr;  /* its bytes */
    uint64_t vram_size; /* a power of two */

    /* The window: I/O below, an alias of VRAM on top where the mode lets it be one. */
    MemoryRegion window, window_alias;
    VGAWindow shown;
    uint32_t bank;      /* VBE's, in bytes */
    /* All ports; those of them that the bus shows, and that the memory BAR does. */
    MemoryRegion ports, port_windows[VGA_PORT_WINDOWS], mmio_ports;
    MemoryRegion vbe_ports;
    MemoryRegion *memory_root, *ports_root; /* where they are mapped; NULL: not */

    uint8_t misc;     /* miscellaneous output, read at 0x3cc */
    uint8_t feature;  /* feature control */
    uint8_t status[2];
    uint8_t sr_index, sr[VGA_SR_NR];
    uint8_t gr_index, gr[VGA_GR_NR];
    uint8_t ar_index, ar[VGA_AR_NR]; /* bit 5 of the index: the picture is on */
    bool ar_flip_flop;  /* the next write to 0x3c0 is data */
    uint8_t cr_index, cr[VGA_CR_NR];
    uint32_t latch;     /* a byte of each plane, plane 0 lowest */

    uint8_t dac_state;  /* read at 0x3c7: 0 written, 3 read */
    uint8_t dac_sub, dac_read, dac_write;
    uint8_t dac_mask;
    uint8_t dac_cache[3];
    uint8_t palette[256 * 3]; /* red, green, blue, of 6 bits, or 8 with VBE_8BIT_DAC */

    BochsVBE vbe;
    BochsMMIO mmio;
    Console *console;
    Framebuffer fb;      /* in the modes that are linear */
    VGADrawing *drawing;

    /* The card's, to be set before vga_init(): a viewer would like this size. NULL: the
     * guest cannot be told. */
    void (*suggest_size)(VGAState *s, unsigned width, unsigned height);
};

/* ---- vga.c: registers --------------------------------------------------------------- */

/* What a function or card calls: @vram_size is a power of two from 1 MiB to 512 MiB.
 * False with @err, nothing left. */
bool vga_init(VGAState *s, Device *dev, uint64_t vram_size, GError **err);

/* Takes it off the bus, too. All but the region vram, which may be a BAR: whoever owns it
 * destroys that one afterwards. */
void vga_cleanup(VGAState *s);
void vga_reset(VGAState *s);

/* Accesses to the ports, as their absolute numbers. */
uint8_t vga_port_read(VGAState *s, unsigned port);
void vga_port_write(VGAState *s, unsigned port, uint8_t value);

/* ---- vga-memory.c: the window ------------------------------------------------------- */

/* After VRAM was made. */
void vga_memory_init(VGAState *s);
void vga_memory_cleanup(VGAState *s);

/* Show the window, and the ports, in these: the bus's. False with @err: another device has
 * one of the ports. */
bool vga_map(VGAState *s, MemoryRegion *memory, MemoryRegion *ports, GError **err);
void vga_unmap(VGAState *s); /* it is not mapped: nothing */

/* A register that decides what the window shows may have changed (sr[4], sr[2], gr[5],
 * gr[6], VBE's bank and enable): place and kind of the window follow. */
void vga_memory_update(VGAState *s);

/* An access of one byte at @addr of the window (0 to 0x1ffff), as the modes have it.
 * Writes mark VRAM dirty. */
uint8_t vga_memory_read(VGAState *s, hwaddr addr);
void vga_memory_write(VGAState *s, hwaddr addr, uint8_t value);

/* ---- vga-draw.c: the picture -------------------------------------------------------- */

bool vga_draw_init(VGAState *s, GError **err); /* makes the console */
void vga_draw_cleanup(VGAState *s);

/* A register that decides what is seen has changed: @all of the picture, or nothing
 * that the next refresh does not find by itself (palette, start address, size, mode
 * and fonts it compares with what it drew last). */
void vga_draw_invalidate(VGAState *s);

/* ---- vga-text.c --------------------------------------------------------------------- */

/* Draw text into the picture, the cells that have changed; used by vga-draw.c. */
void vga_text_refresh(VGAState *s);
bool vga_text_cells(VGAState *s, ConsoleText *text);

#endif
