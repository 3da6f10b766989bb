/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of Bochs' display interface ("dispi"), which VGA and bochs-display have:
 * a frame buffer of any size and depth by a handful of 16-bit registers, and the memory
 * BAR that shows them. Their public description is QEMU's docs/specs/standard-vga.
 *
 * Under the memory lock, or before the machine runs.
 */
#ifndef HW_DISPLAY_BOCHS_VBE_H
#define HW_DISPLAY_BOCHS_VBE_H

#include <pixman.h>

#include "hw/display/edid.h"
#include "memory.h"

enum {
    VBE_ID,
    VBE_XRES,
    VBE_YRES,
    VBE_BPP,
    VBE_ENABLE,
    VBE_BANK,
    VBE_VIRT_WIDTH,
    VBE_VIRT_HEIGHT,
    VBE_X_OFFSET,
    VBE_Y_OFFSET,
    VBE_VIDEO_MEMORY_64K,
    VBE_REGS_NR,
};

#define VBE_ID_MAX 0xb0c5

/* Bits of VBE_ENABLE. */
#define VBE_ENABLED 0x01
#define VBE_GETCAPS 0x02
#define VBE_8BIT_DAC 0x20
#define VBE_LFB_ENABLED 0x40
#define VBE_NOCLEARMEM 0x80

#define VBE_XRES_MAX 16000
#define VBE_YRES_MAX 12000

typedef struct BochsVBE {
    uint16_t index;             /* for an owner with an index port; any value */
    uint16_t regs[VBE_REGS_NR]; /* what is read but for VBE_GETCAPS */
    uint64_t vram_size;         /* bytes, a multiple of 64 KiB; set by the owner before
                                 * the first reset, as what is below */
    /* Registers keep what is written, as bochs-display's do: whether it makes a picture
     * is seen in the mode. Otherwise, VGA: while VBE is on, they are put within limits at
     * every write, so that the mode is always one that VRAM holds. */
    bool keep;
    /* The guest wrote register @index, whose value was @old, and others may have changed
     * with it. NULL: nothing to do. A card clears VRAM here when VBE_ENABLED comes on
     * without VBE_NOCLEARMEM: height * stride bytes of bochs_vbe_mode(), from 0 on. */
    void (*written)(void *opaque, unsigned index, uint16_t old);
    void *opaque;
} BochsVBE;

void bochs_vbe_reset(BochsVBE *s);

/* Any @index: there is nothing past the last register, which reads 0. */
uint16_t bochs_vbe_read(const BochsVBE *s, unsigned index);
void bochs_vbe_write(BochsVBE *s, unsigned index, uint16_t value);

/* A linear frame buffer. */
typedef struct FramebufferMode {
    unsigned width, height, stride;  /* pixels, lines, bytes */
    unsigned bpp;                    /* 4, 8, 15, 16, 24 or 32 */
    uint64_t offset;                 /* bytes from the start of VRAM */
} FramebufferMode;

/* What the registers say is shown: false, VBE is off, or with @keep: they make no
 * picture. With @keep, what lies past the end of VRAM is in it all the same. */
bool bochs_vbe_mode(const BochsVBE *s, FramebufferMode *mode);

/* The memory BAR: 4096 bytes, of which EDID at 0, @ioports (VGA's 0x3c0 to 0x3df as a
 * region, at 0x400; NULL: none), the registers at 0x500, and byte order at 0x600. */
#define BOCHS_MMIO_SIZE 0x1000
#define BOCHS_MMIO_EDID 0x000
#define BOCHS_MMIO_VGA 0x400
#define BOCHS_MMIO_VBE 0x500
#define BOCHS_MMIO_EXTENDED 0x600

typedef struct BochsMMIO {
    MemoryRegion bar, registers, extended, edid_region;
    MemoryRegion *ioports; /* NULL: none */
    bool has_edid;
    uint8_t edid[EDID_SIZE];
    bool big_endian; /* of the frame buffer, as the guest set it */
} BochsMMIO;

/* Make the BAR's regions; @edid NULL: none there, reads are all-ones. @vbe is shown by
 * it, and the strings of @edid are not kept. The BAR itself is @dev's: of its type's name
 * with "-mmio", in lower case, for pci_add_bar(). */
void bochs_mmio_init(BochsMMIO *s, Device *dev, BochsVBE *vbe, const EDIDInfo *edid,
                     MemoryRegion *ioports);

/* Destroy all but the BAR: in unrealize, when it is unmapped. @ioports are taken out of
 * it, and stay the caller's. */
void bochs_mmio_cleanup(BochsMMIO *s);

/* At reset: byte order is the machine's. */
void bochs_mmio_reset(BochsMMIO *s);

/* Tell of another monitor; there was one from the beginning. */
void bochs_mmio_set_edid(BochsMMIO *s, const EDIDInfo *edid);

#endif
