/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of a standard VGA, and what VBE (bochs-vbe.h) makes of them. Specification:
 * IBM "PS/2 Hardware Interface Technical Reference: Video Subsystems". Which bits are kept,
 * and the rest that it leaves open, is as in QEMU's VGA, but for the mask of the DAC,
 * which that one lacks.
 *
 * The beam is not followed: guests wait for a retrace to begin or to end, so each look at
 * the status register finds that it has. In a VBE mode the registers that describe the
 * picture say what that mode is, whatever the guest writes there, so that what reads them
 * finds sense in them.
 */
#include <string.h>

#include "hw/display/vga-internal.h"

/* Ports; those of the CRT controller and the status register are at 0x3b0, too. */
#define PORT_MONO 0x3b0
#define PORT_COLOUR 0x3d0
#define PORT_CR_INDEX 0x3d4
#define PORT_CR_DATA 0x3d5
#define PORT_STATUS1 0x3da /* written: feature control */
#define PORT_AR 0x3c0
#define PORT_AR_DATA 0x3c1
#define PORT_STATUS0 0x3c2 /* written: miscellaneous output */
#define PORT_SR_INDEX 0x3c4
#define PORT_SR_DATA 0x3c5
#define PORT_DAC_MASK 0x3c6
#define PORT_DAC_READ 0x3c7
#define PORT_DAC_WRITE 0x3c8
#define PORT_DAC_DATA 0x3c9
#define PORT_FEATURE 0x3ca
#define PORT_MISC 0x3cc
#define PORT_GR_INDEX 0x3ce
#define PORT_GR_DATA 0x3cf

#define MMIO_FIRST 0x3c0 /* to 0x3df: what the memory BAR shows */
#define MMIO_SIZE 0x20

#define VBE_PORTS 0x1ce /* index, then data, and again */
#define VBE_PORTS_SIZE 4

#define MISC_COLOUR 0x01
#define MISC_KEPT 0xef
#define FEATURE_KEPT 0x10
#define STATUS1_RETRACE 0x09 /* vertical, and: the beam is off */
#define AR_INDEX 0x1f
#define AR_INDEX_KEPT 0x3f
#define DAC_READ 3
#define DAC_WRITE 0

/* Which bits of a register are kept. */
static const uint8_t sr_kept[VGA_SR_NR] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff };
static const uint8_t gr_kept[VGA_GR_NR] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f,
                                            0xff };
static const uint8_t ar_kept[VGA_AR_NR] = {
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
    0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

/* CRT controller */
#define CR_DISPLAY_END 0x01
#define CR_OVERFLOW 0x07
#define CR_OVERFLOW_LINE_COMPARE 0x10
#define CR_OVERFLOW_END_8 0x02
#define CR_OVERFLOW_END_9 0x40
#define CR_MAX_SCAN 0x09
#define CR_MAX_SCAN_LINE_COMPARE 0x40
#define CR_MAX_SCAN_REPEAT 0x9f /* lines are shown more than once */
#define CR_PROTECT 0x11
#define CR_PROTECTED 0x80 /* registers 0 to 7 are */
#define CR_VERTICAL_END 0x12
#define CR_OFFSET 0x13
#define CR_MODE 0x17
#define CR_MODE_LINEAR 0x03
#define CR_LINE_COMPARE 0x18

#define GR_MODE 5
#define GR_MODE_SHIFT 0x60
#define GR_MODE_256_COLOURS 0x40
#define GR_MISC 6
#define GR_MISC_GRAPHICS 0x01
#define GR_MISC_PLACEMENT 0x0c
#define GR_MISC_64K 0x04
#define PLANAR_BPP 4

/* ---- VBE ------------------------------------------------------------------------- */

/* The registers describe the VBE mode, if there is one; then the window follows. */
static void registers_changed(VGAState *s)
{
    FramebufferMode mode;

    if (bochs_vbe_mode(&s->vbe, &mode)) {
        unsigned end = mode.height - 1;

        s->gr[GR_MODE] = (s->gr[GR_MODE] & ~GR_MODE_SHIFT) |
                         (mode.bpp == PLANAR_BPP ? 0 : GR_MODE_256_COLOURS);
        s->gr[GR_MISC] = (s->gr[GR_MISC] & ~GR_MISC_PLACEMENT) | GR_MISC_GRAPHICS |
                         GR_MISC_64K;
        s->cr[CR_DISPLAY_END] = mode.width / 8 - 1;
        s->cr[CR_OFFSET] = mode.stride / 8;
        s->cr[CR_VERTICAL_END] = end;
        s->cr[CR_LINE_COMPARE] = 0xff;
        s->cr[CR_OVERFLOW] &= ~(CR_OVERFLOW_END_8 | CR_OVERFLOW_END_9);
        s->cr[CR_OVERFLOW] |= (end & 0x100 ? CR_OVERFLOW_END_8 : 0) |
                              (end & 0x200 ? CR_OVERFLOW_END_9 : 0) |
                              CR_OVERFLOW_LINE_COMPARE;
        s->cr[CR_MAX_SCAN] &= ~CR_MAX_SCAN_REPEAT;
        s->cr[CR_MAX_SCAN] |= CR_MAX_SCAN_LINE_COMPARE;
        s->cr[CR_MODE] |= CR_MODE_LINEAR;
    }
    vga_memory_update(s);
}

static void vram_clear(VGAState *s)
{
    FramebufferMode mode;
    uint64_t size;

    if (bochs_vbe_mode(&s->vbe, &mode)) {
        size = MIN((uint64_t)mode.height * mode.stride, s->vram_size);
        memset(s->vram_ptr, 0, size);
        memory_region_set_dirty(&s->vram, 0, size);
    }
}

static void vbe_written(void *opaque, unsigned index, uint16_t old)
{
    VGAState *s = opaque;
    uint16_t value = s->vbe.regs[index];

    if (index == VBE_BANK) {
        s->bank = (uint32_t)value << 16;
    } else if (index == VBE_ENABLE) {
        if (!(value & ~old & VBE_ENABLED)) {
            s->bank = 0;
        } else if (!(value & VBE_NOCLEARMEM)) {
            vram_clear(s);
        }
        vga_draw_invalidate(s);
    }
    registers_changed(s);
}

/* ---- ports ----------------------------------------------------------------------- */

static void ar_write(VGAState *s, uint8_t value)
{
    unsigned index = s->ar_index & AR_INDEX;

    if (!s->ar_flip_flop) {
        s->ar_index = value & AR_INDEX_KEPT;
    } else if (index < VGA_AR_NR) {
        s->ar[index] = value & ar_kept[index];
    }
    s->ar_flip_flop = !s->ar_flip_flop;
}

static void cr_write(VGAState *s, uint8_t value)
{
    unsigned index = s->cr_index;

    if (index <= CR_OVERFLOW && s->cr[CR_PROTECT] & CR_PROTECTED) {
        if (index != CR_OVERFLOW) {
            return;
        }
        value = (s->cr[index] & ~CR_OVERFLOW_LINE_COMPARE) |
                (value & CR_OVERFLOW_LINE_COMPARE);
    }
    s->cr[index] = value;
    registers_changed(s);
}

static void dac_write(VGAState *s, uint8_t value)
{
    s->dac_cache[s->dac_sub++] = value;
    if (s->dac_sub == sizeof(s->dac_cache)) {
        memcpy(s->palette + s->dac_write * 3, s->dac_cache, sizeof(s->dac_cache));
        s->dac_sub = 0;
        s->dac_write++;
    }
}

static uint8_t dac_read(VGAState *s)
{
    uint8_t value = s->palette[s->dac_read * 3 + s->dac_sub++];

    if (s->dac_sub == sizeof(s->dac_cache)) {
        s->dac_sub = 0;
        s->dac_read++;
    }
    return value;
}

/* Whether the ports at 0x3b0, or at 0x3d0, are this one's now. They do the same: @port is
 * then that at 0x3d0. */
static bool is_decoded(const VGAState *s, unsigned *port)
{
    unsigned base = s->misc & MISC_COLOUR ? PORT_COLOUR : PORT_MONO;

    if ((*port & ~0xfu) == PORT_AR) {
        return true;
    }
    if ((*port & ~0xfu) != base) {
        return false;
    }
    *port = PORT_COLOUR | (*port & 0xf);
    return true;
}

uint8_t vga_port_read(VGAState *s, unsigned port)
{
    if (!is_decoded(s, &port)) {
        return 0xff;
    }
    switch (port) {
    case PORT_AR:
        return s->ar_flip_flop ? 0 : s->ar_index;
    case PORT_AR_DATA:
        return (s->ar_index & AR_INDEX) < VGA_AR_NR ? s->ar[s->ar_index & AR_INDEX] : 0;
    case PORT_STATUS0:
        return s->status[0];
    case PORT_SR_INDEX:
        return s->sr_index;
    case PORT_SR_DATA:
        return s->sr[s->sr_index];
    case PORT_DAC_MASK:
        return s->dac_mask;
    case PORT_DAC_READ:
        return s->dac_state;
    case PORT_DAC_WRITE:
        return s->dac_write;
    case PORT_DAC_DATA:
        return dac_read(s);
    case PORT_FEATURE:
        return s->feature;
    case PORT_MISC:
        return s->misc;
    case PORT_GR_INDEX:
        return s->gr_index;
    case PORT_GR_DATA:
        return s->gr[s->gr_index];
    case PORT_CR_INDEX:
        return s->cr_index;
    case PORT_CR_DATA:
        return s->cr[s->cr_index];
    case PORT_STATUS1:
        s->status[1] ^= STATUS1_RETRACE;
        s->ar_flip_flop = false;
        return s->status[1];
    }
    return 0;
}

void vga_port_write(VGAState *s, unsigned port, uint8_t value)
{
    if (!is_decoded(s, &port)) {
        return;
    }
    switch (port) {
    case PORT_AR:
        ar_write(s, value);
        break;
    case PORT_STATUS0:
        s->misc = value & MISC_KEPT;
        break;
    case PORT_SR_INDEX:
        s->sr_index = value & (VGA_SR_NR - 1);
        break;
    case PORT_SR_DATA:
        s->sr[s->sr_index] = value & sr_kept[s->sr_index];
        vga_memory_update(s);
        break;
    case PORT_DAC_MASK:
        s->dac_mask = value;
        break;
    case PORT_DAC_READ:
        s->dac_read = value;
        s->dac_sub = 0;
        s->dac_state = DAC_READ;
        break;
    case PORT_DAC_WRITE:
        s->dac_write = value;
        s->dac_sub = 0;
        s->dac_state = DAC_WRITE;
        break;
    case PORT_DAC_DATA:
        dac_write(s, value);
        break;
    case PORT_GR_INDEX:
        s->gr_index = value & (VGA_GR_NR - 1);
        break;
    case PORT_GR_DATA:
        s->gr[s->gr_index] = value & gr_kept[s->gr_index];
        registers_changed(s);
        break;
    case PORT_CR_INDEX:
        s->cr_index = value;
        break;
    case PORT_CR_DATA:
        cr_write(s, value);
        break;
    case PORT_STATUS1:
        s->feature = value & FEATURE_KEPT;
        break;
    }
}

static uint64_t ports_read(void *opaque, hwaddr addr, unsigned size)
{
    return vga_port_read(opaque, VGA_PORTS + addr);
}

static void ports_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    vga_port_write(opaque, VGA_PORTS + addr, data);
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .write = ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static uint64_t vbe_ports_read(void *opaque, hwaddr addr, unsigned size)
{
    const VGAState *s = opaque;

    return addr == 0 ? s->vbe.index : bochs_vbe_read(&s->vbe, s->vbe.index);
}

static void vbe_ports_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    VGAState *s = opaque;

    if (addr == 0) {
        s->vbe.index = data;
    } else {
        bochs_vbe_write(&s->vbe, s->vbe.index, data);
    }
}

/* Words, at odd addresses too. */
static const MemoryRegionOps vbe_ports_ops = {
    .read = vbe_ports_read,
    .write = vbe_ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 2,
    .valid.max_access_size = 2,
    .valid.unaligned = true,
    .impl.min_access_size = 2,
    .impl.max_access_size = 2,
    .impl.unaligned = true,
};

/* ---- life ------------------------------------------------------------------------ */

/* What the bus shows of the ports: between these may be others. */
static const struct { uint16_t port; uint8_t nr; } port_parts[VGA_PORT_WINDOWS] = {
    { 0x3b4, 2 }, { 0x3ba, 1 }, { 0x3c0, 16 }, { 0x3d4, 2 }, { 0x3da, 1 },
};

static bool is_free(MemoryRegion *ports, unsigned port, unsigned nr, GError **err)
{
    MemoryRegionSection taken = memory_region_find(ports, port, nr);

    if (taken.mr) {
        g_set_error(err, FLATVIEW_ERROR, 0, "port 0x%x is already taken by '%s'; there is "
                    "one VGA at most on a bus, and another screen is a bochs-display",
                    (unsigned)taken.offset_within_address_space,
                    memory_region_name(taken.mr));
        return false;
    }
    return true;
}

bool vga_map(VGAState *s, MemoryRegion *memory, MemoryRegion *ports, GError **err)
{
    if (!is_free(ports, VBE_PORTS, VBE_PORTS_SIZE, err)) {
        return false;
    }
    for (unsigned i = 0; i < VGA_PORT_WINDOWS; i++) {
        if (!is_free(ports, port_parts[i].port, port_parts[i].nr, err)) {
            return false;
        }
    }
    memory_region_transaction_begin();
    s->memory_root = memory;
    s->ports_root = ports;
    memory_region_add_subregion_overlap(memory, VGA_WINDOW, &s->window, 1);
    memory_region_add_subregion(ports, VBE_PORTS, &s->vbe_ports);
    for (unsigned i = 0; i < VGA_PORT_WINDOWS; i++) {
        memory_region_add_subregion(ports, port_parts[i].port, &s->port_windows[i]);
    }
    memory_region_transaction_commit();
    return true;
}

void vga_unmap(VGAState *s)
{
    if (!s->ports_root) {
        return;
    }
    memory_region_transaction_begin();
    for (unsigned i = 0; i < VGA_PORT_WINDOWS; i++) {
        memory_region_del_subregion(s->ports_root, &s->port_windows[i]);
    }
    memory_region_del_subregion(s->ports_root, &s->vbe_ports);
    memory_region_del_subregion(s->memory_root, &s->window);
    memory_region_transaction_commit();
    s->ports_root = s->memory_root = NULL;
}

static void ports_init(VGAState *s)
{
    memory_region_init_io(&s->ports, &ports_ops, s, "vga", VGA_PORTS_SIZE);
    device_own_region(s->dev, &s->ports);
    /* Writes to the window come before those that change what it is. */
    memory_region_set_flush_coalesced(&s->ports);
    for (unsigned i = 0; i < VGA_PORT_WINDOWS; i++) {
        memory_region_init_alias(&s->port_windows[i], "vga", &s->ports,
                                 port_parts[i].port - VGA_PORTS, port_parts[i].nr);
    }
    memory_region_init_alias(&s->mmio_ports, "vga ioports remapped", &s->ports,
                             MMIO_FIRST - VGA_PORTS, MMIO_SIZE);
    memory_region_init_io(&s->vbe_ports, &vbe_ports_ops, s, "vbe", VBE_PORTS_SIZE);
    device_own_region(s->dev, &s->vbe_ports);
    memory_region_set_flush_coalesced(&s->vbe_ports);
}

static void ports_cleanup(VGAState *s)
{
    for (unsigned i = 0; i < VGA_PORT_WINDOWS; i++) {
        memory_region_destroy(&s->port_windows[i]);
    }
    memory_region_destroy(&s->mmio_ports);
    memory_region_destroy(&s->ports);
    memory_region_destroy(&s->vbe_ports);
}

bool vga_init(VGAState *s, Device *dev, uint64_t vram_size, GError **err)
{
    s->dev = dev;
    s->vram_size = vram_size;
    if (!memory_region_try_init_ram(&s->vram, "vga.vram", vram_size, err)) {
        return false;
    }
    s->vram_ptr = memory_region_get_ram_ptr(&s->vram);
    s->vbe.vram_size = vram_size;
    s->vbe.written = vbe_written;
    s->vbe.opaque = s;
    vga_memory_init(s);
    ports_init(s);
    if (!vga_draw_init(s, err)) {
        ports_cleanup(s);
        vga_memory_cleanup(s);
        memory_region_destroy(&s->vram);
        return false;
    }
    return true;
}

void vga_cleanup(VGAState *s)
{
    vga_unmap(s);
    vga_draw_cleanup(s);
    ports_cleanup(s);
    vga_memory_cleanup(s);
}

void vga_reset(VGAState *s)
{
    bochs_vbe_reset(&s->vbe);
    s->bank = 0;
    s->misc = s->feature = 0;
    memset(s->status, 0, sizeof(s->status));
    s->sr_index = s->gr_index = s->ar_index = s->cr_index = 0;
    memset(s->sr, 0, sizeof(s->sr));
    memset(s->gr, 0, sizeof(s->gr));
    memset(s->ar, 0, sizeof(s->ar));
    memset(s->cr, 0, sizeof(s->cr));
    s->ar_flip_flop = false;
    s->latch = 0;
    s->dac_state = s->dac_sub = s->dac_read = s->dac_write = 0;
    s->dac_mask = 0xff;
    memset(s->dac_cache, 0, sizeof(s->dac_cache));
    memset(s->palette, 0, sizeof(s->palette));
    vga_memory_update(s);
    vga_draw_invalidate(s);
}
