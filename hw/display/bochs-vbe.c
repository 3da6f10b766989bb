/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bochs' display interface: its registers, the picture that they say, and the memory BAR
 * that shows them. See bochs-vbe.h.
 */
#include "hw/display/bochs-vbe.h"

#include <string.h>

#define VBE_ID_MIN 0xb0c0
#define BPP_MAX 32
#define BANK_SIZE 0x10000

/* The region of byte order: its size, and the order, by one of two patterns. */
#define EXTENDED_SIZE 8
#define EXTENDED_REG_SIZE 0
#define EXTENDED_REG_ORDER 4
#define ORDER_BIG 0xbebebebe
#define ORDER_LITTLE 0x1e1e1e1e

/* ---- registers ------------------------------------------------------------------- */

void bochs_vbe_reset(BochsVBE *s)
{
    s->index = 0;
    memset(s->regs, 0, sizeof(s->regs));
    s->regs[VBE_ID] = VBE_ID_MAX;
    s->regs[VBE_VIDEO_MEMORY_64K] = s->vram_size / BANK_SIZE;
}

uint16_t bochs_vbe_read(const BochsVBE *s, unsigned index)
{
    if (!s->keep && s->regs[VBE_ENABLE] & VBE_GETCAPS) {
        switch (index) {
        case VBE_XRES:
            return VBE_XRES_MAX;
        case VBE_YRES:
            return VBE_YRES_MAX;
        case VBE_BPP:
            return BPP_MAX;
        }
    }
    return index < VBE_REGS_NR ? s->regs[index] : 0;
}

/* Bits of memory that a pixel takes; 0: there is no such depth. */
static unsigned pixel_bits(unsigned bpp)
{
    switch (bpp) {
    case 15:
        return 16;
    case 4:
    case 8:
    case 16:
    case 24:
    case 32:
        return bpp;
    default:
        return 0;
    }
}

static uint64_t line_bytes(const BochsVBE *s)
{
    uint64_t width = MAX(s->regs[VBE_XRES], s->regs[VBE_VIRT_WIDTH]);

    return width * pixel_bits(s->regs[VBE_BPP]) / 8;
}

static uint64_t start_offset(const BochsVBE *s)
{
    return (uint64_t)s->regs[VBE_X_OFFSET] * pixel_bits(s->regs[VBE_BPP]) / 8 +
           s->regs[VBE_Y_OFFSET] * line_bytes(s);
}

static bool lies_within(const BochsVBE *s)
{
    return start_offset(s) + s->regs[VBE_YRES] * line_bytes(s) <= s->vram_size;
}

/* Put the mode within what VRAM can show. */
static void limit_mode(BochsVBE *s)
{
    uint16_t *regs = s->regs;
    uint64_t lines;

    if (!pixel_bits(regs[VBE_BPP])) {
        regs[VBE_BPP] = 8;
    }
    regs[VBE_XRES] = CLAMP(regs[VBE_XRES] & ~7, 8, VBE_XRES_MAX);
    regs[VBE_VIRT_WIDTH] = CLAMP(regs[VBE_VIRT_WIDTH] & ~7, regs[VBE_XRES], VBE_XRES_MAX);
    lines = s->vram_size / line_bytes(s);
    regs[VBE_YRES] = CLAMP(regs[VBE_YRES], 1, MIN(lines, VBE_YRES_MAX));
    regs[VBE_VIRT_HEIGHT] = lines;
    regs[VBE_X_OFFSET] = MIN(regs[VBE_X_OFFSET], VBE_XRES_MAX);
    regs[VBE_Y_OFFSET] = MIN(regs[VBE_Y_OFFSET], VBE_YRES_MAX);
    if (!lies_within(s)) {
        regs[VBE_Y_OFFSET] = 0;
    }
    if (!lies_within(s)) {
        regs[VBE_X_OFFSET] = 0;
    }
}

static void write_limited(BochsVBE *s, unsigned index, uint16_t value)
{
    uint16_t *regs = s->regs;

    switch (index) {
    case VBE_ID:
        if (value >= VBE_ID_MIN && value <= VBE_ID_MAX) {
            regs[index] = value;
        }
        return;
    case VBE_BANK:
        regs[index] = value & (s->vram_size / BANK_SIZE - 1);
        return;
    case VBE_VIRT_HEIGHT:
        return;
    case VBE_ENABLE:
        if (value & VBE_ENABLED && !(regs[index] & VBE_ENABLED)) {
            regs[VBE_VIRT_WIDTH] = regs[VBE_XRES];
            regs[VBE_X_OFFSET] = regs[VBE_Y_OFFSET] = 0;
        }
        /* fall through */
    default:
        regs[index] = value;
    }
    if (regs[VBE_ENABLE] & VBE_ENABLED) {
        limit_mode(s);
    }
}

void bochs_vbe_write(BochsVBE *s, unsigned index, uint16_t value)
{
    uint16_t old;

    if (index >= VBE_VIDEO_MEMORY_64K) {
        return;
    }
    old = s->regs[index];
    if (!s->keep) {
        write_limited(s, index, value);
    } else if (index != VBE_ID) {
        s->regs[index] = value;
    }
    if (s->written) {
        s->written(s->opaque, index, old);
    }
}

bool bochs_vbe_mode(const BochsVBE *s, FramebufferMode *mode)
{
    const uint16_t *regs = s->regs;

    if (!(regs[VBE_ENABLE] & VBE_ENABLED) || !pixel_bits(regs[VBE_BPP])) {
        return false;
    }
    *mode = (FramebufferMode){
        .width = regs[VBE_XRES],
        .height = regs[VBE_YRES],
        .stride = line_bytes(s),
        .bpp = regs[VBE_BPP],
        .offset = start_offset(s),
    };
    return true;
}

/* ---- the memory BAR -------------------------------------------------------------- */

static uint64_t registers_read(void *opaque, hwaddr addr, unsigned size)
{
    return bochs_vbe_read(opaque, addr / 2);
}

static void registers_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    bochs_vbe_write(opaque, addr / 2, data);
}

static const MemoryRegionOps registers_ops = {
    .read = registers_read,
    .write = registers_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl.min_access_size = 2,
    .impl.max_access_size = 2,
};

static uint64_t extended_read(void *opaque, hwaddr addr, unsigned size)
{
    const BochsMMIO *s = opaque;

    return addr == EXTENDED_REG_SIZE ? EXTENDED_SIZE
         : s->big_endian             ? ORDER_BIG
                                     : ORDER_LITTLE;
}

static void extended_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    BochsMMIO *s = opaque;

    if (addr == EXTENDED_REG_ORDER && (data == ORDER_BIG || data == ORDER_LITTLE)) {
        s->big_endian = data == ORDER_BIG;
    }
}

static const MemoryRegionOps extended_ops = {
    .read = extended_read,
    .write = extended_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

static uint64_t edid_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((BochsMMIO *)opaque)->edid[addr];
}

static const MemoryRegionOps edid_ops = {
    .read = edid_read,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static void add_part(BochsMMIO *s, Device *dev, MemoryRegion *mr, hwaddr addr)
{
    device_own_region(dev, mr);
    memory_region_add_subregion(&s->bar, addr, mr);
}

static void remove_part(BochsMMIO *s, MemoryRegion *mr)
{
    memory_region_del_subregion(&s->bar, mr);
    memory_region_destroy(mr);
}

void bochs_mmio_init(BochsMMIO *s, Device *dev, BochsVBE *vbe, const EDIDInfo *edid,
                     MemoryRegion *ioports)
{
    g_autofree char *type = g_ascii_strdown(dev->type->name, -1);
    g_autofree char *name = g_strconcat(type, "-mmio", NULL);

    memory_region_init(&s->bar, name, BOCHS_MMIO_SIZE);
    memory_region_init_io(&s->registers, &registers_ops, vbe, "bochs dispi interface",
                          VBE_REGS_NR * 2);
    add_part(s, dev, &s->registers, BOCHS_MMIO_VBE);
    memory_region_init_io(&s->extended, &extended_ops, s, "extended registers",
                          EXTENDED_SIZE);
    add_part(s, dev, &s->extended, BOCHS_MMIO_EXTENDED);
    s->has_edid = edid;
    if (edid) {
        edid_make(s->edid, edid);
        memory_region_init_io(&s->edid_region, &edid_ops, s, "edid", EDID_SIZE);
        add_part(s, dev, &s->edid_region, BOCHS_MMIO_EDID);
    }
    s->ioports = ioports;
    if (ioports) {
        memory_region_add_subregion(&s->bar, BOCHS_MMIO_VGA, ioports);
    }
}

void bochs_mmio_cleanup(BochsMMIO *s)
{
    remove_part(s, &s->registers);
    remove_part(s, &s->extended);
    if (s->has_edid) {
        remove_part(s, &s->edid_region);
    }
    if (s->ioports) {
        memory_region_del_subregion(&s->bar, s->ioports);
    }
}

void bochs_mmio_reset(BochsMMIO *s)
{
    s->big_endian = false;
}

void bochs_mmio_set_edid(BochsMMIO *s, const EDIDInfo *edid)
{
    edid_make(s->edid, edid);
}
