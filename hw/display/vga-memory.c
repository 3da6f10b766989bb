/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's legacy window, 128 KiB at 0xa0000: where a mode puts VRAM in it, and what an
 * access does to the planes. Specification: IBM "PS/2 Hardware Interface Technical
 * Reference: Video Subsystems", graphics controller and sequencer; VBE's bank: bochs-vbe.h.
 *
 * Three ways lead to memory. Chain-4: the low bits of an address choose the plane, so VRAM
 * is linear. Odd/even, as text has it: bit 0 chooses between two planes. Otherwise all
 * planes at once, through the latches and the graphics controller's arithmetic. As QEMU has
 * it, which is the VGA that today's guests know: that arithmetic is in the third way only,
 * and odd/even addresses follow each other in a plane without gaps.
 *
 * Where every byte of a chain-4 window is plain memory, an alias of VRAM hides the
 * registers. Elsewhere each write is a call, which KVM may put off: there is nothing to
 * answer, and whoever could see what it did, by reads of the window, by registers or on the
 * screen, has them done first. Only who reads the same bytes by BAR 0 may be too early.
 */
#include <string.h>

#include "hw/display/vga-internal.h"

/* Sequencer */
#define SR_MAP_MASK 2
#define SR_MEMORY_MODE 4
#define SR_MEMORY_CHAIN4 0x08
#define ALL_PLANES 0x0f

/* Graphics controller */
#define GR_SET_RESET 0
#define GR_ENABLE_SET_RESET 1
#define GR_COLOUR_COMPARE 2
#define GR_ROTATE 3 /* and, from bit 3, the function */
#define GR_READ_MAP 4
#define GR_MODE 5
#define GR_MODE_WRITE 0x03
#define GR_MODE_READ_COMPARE 0x08
#define GR_MODE_ODD_EVEN 0x10
#define GR_MISC 6 /* from bit 2: where the window is */
#define GR_COLOUR_CARE 7
#define GR_BIT_MASK 8

#define PLANAR_BPP 4

/* ---- where the window is, and what it shows -------------------------------------- */

static const struct { hwaddr first, size; } placements[] = {
    { 0x00000, 0x20000 }, { 0x00000, 0x10000 }, { 0x10000, 0x08000 }, { 0x18000, 0x08000 },
};
#define PLACEMENT_BANKED 1 /* the one that VBE's bank moves */

static VGAWindow window_of(const VGAState *s)
{
    unsigned placement = s->gr[GR_MISC] >> 2 & 3;
    bool vbe = (s->vbe.regs[VBE_ENABLE] & VBE_ENABLED) &&
               s->vbe.regs[VBE_BPP] != PLANAR_BPP;
    VGAWindow window = {
        .first = placements[placement].first,
        .size = placements[placement].size,
        .offset = placement == PLACEMENT_BANKED ? s->bank & (s->vram_size - 1) : 0,
        .chain4 = vbe || s->sr[SR_MEMORY_MODE] & SR_MEMORY_CHAIN4,
    };

    window.direct = vbe || (window.chain4 && s->sr[SR_MAP_MASK] == ALL_PLANES);
    return window;
}

void vga_memory_update(VGAState *s)
{
    VGAWindow window = window_of(s);
    bool moved = window.first != s->shown.first || window.size != s->shown.size ||
                 window.offset != s->shown.offset || window.direct != s->shown.direct;

    s->shown = window;
    if (!moved) {
        return;
    }
    memory_region_transaction_begin();
    memory_region_set_enabled(&s->window_alias, window.direct);
    memory_region_set_size(&s->window_alias, window.size);
    memory_region_set_address(&s->window_alias, window.first);
    memory_region_set_alias_offset(&s->window_alias, window.direct ? window.offset : 0);
    memory_region_transaction_commit();
}

/* ---- planes ---------------------------------------------------------------------- */

/* Four bytes of the same value; of bits, the first for plane 0: all-ones where it is set. */
static uint32_t each_plane(uint8_t value)
{
    return value * 0x01010101u;
}

static uint32_t planes(unsigned bits)
{
    return (bits & 1 ? 0x000000ffu : 0) | (bits & 2 ? 0x0000ff00u : 0) |
           (bits & 4 ? 0x00ff0000u : 0) | (bits & 8 ? 0xff000000u : 0);
}

static uint32_t planes_get(const VGAState *s, uint64_t at)
{
    uint32_t value;

    memcpy(&value, s->vram_ptr + at, sizeof(value));
    return GUINT32_FROM_LE(value);
}

static void planes_set(VGAState *s, uint64_t at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(s->vram_ptr + at, &value, sizeof(value));
    memory_region_set_dirty(&s->vram, at, sizeof(value));
}

/* Where a byte of the window is in VRAM, if bit 0 of its address chooses the plane. */
static uint64_t odd_even_at(const VGAState *s, uint64_t addr)
{
    return (addr & ~1ull) * 2 + (s->gr[GR_READ_MAP] & 2) + (addr & 1);
}

static uint8_t rotate(const VGAState *s, uint8_t value)
{
    unsigned by = s->gr[GR_ROTATE] & 7;

    return value >> by | value << (8 - by);
}

/* What the graphics controller makes of @value and the latches in write mode 0, 2 or 3. */
static uint32_t write_mode(const VGAState *s, unsigned mode, uint8_t value)
{
    uint32_t set_reset = planes(s->gr[GR_SET_RESET]);
    uint32_t enabled = planes(s->gr[GR_ENABLE_SET_RESET]);
    uint32_t mask = each_plane(s->gr[GR_BIT_MASK]);
    uint32_t result;

    if (mode == 0) {
        result = (each_plane(rotate(s, value)) & ~enabled) | (set_reset & enabled);
    } else if (mode == 2) {
        result = planes(value);
    } else {
        result = set_reset;
        mask &= each_plane(rotate(s, value));
    }
    switch (s->gr[GR_ROTATE] >> 3 & 3) {
    case 1:
        result &= s->latch;
        break;
    case 2:
        result |= s->latch;
        break;
    case 3:
        result ^= s->latch;
        break;
    }
    return (result & mask) | (s->latch & ~mask);
}

/* Read mode 1: bits of pixels that have the colour, as far as that is cared for. */
static uint8_t compare_colour(const VGAState *s)
{
    uint32_t differ = (s->latch ^ planes(s->gr[GR_COLOUR_COMPARE])) &
                      planes(s->gr[GR_COLOUR_CARE]);

    differ |= differ >> 16;
    return ~(differ | differ >> 8);
}

/* ---- accesses -------------------------------------------------------------------- */

/* Whether the window shows @addr, which then is that of VRAM or its planes. */
static bool is_shown(const VGAState *s, hwaddr *addr)
{
    if (*addr - s->shown.first >= s->shown.size) {
        return false;
    }
    *addr = *addr - s->shown.first + s->shown.offset;
    return true;
}

uint8_t vga_memory_read(VGAState *s, hwaddr addr)
{
    if (!is_shown(s, &addr)) {
        return 0xff;
    }
    if (s->shown.chain4) {
        return s->vram_ptr[addr];
    }
    if (s->gr[GR_MODE] & GR_MODE_ODD_EVEN) {
        addr = odd_even_at(s, addr);
        return addr < s->vram_size ? s->vram_ptr[addr] : 0xff;
    }
    if (addr * 4 >= s->vram_size) {
        return 0xff;
    }
    s->latch = planes_get(s, addr * 4);
    return s->gr[GR_MODE] & GR_MODE_READ_COMPARE ? compare_colour(s)
                                                 : s->latch >> 8 * s->gr[GR_READ_MAP];
}

/* One byte, if the map mask has its plane. */
static void write_plane(VGAState *s, uint64_t at, uint8_t value)
{
    if (at < s->vram_size && s->sr[SR_MAP_MASK] & 1 << (at & 3)) {
        s->vram_ptr[at] = value;
        memory_region_set_dirty(&s->vram, at, 1);
    }
}

void vga_memory_write(VGAState *s, hwaddr addr, uint8_t value)
{
    unsigned mode = s->gr[GR_MODE] & GR_MODE_WRITE;
    uint32_t mask = planes(s->sr[SR_MAP_MASK]);
    uint32_t result;

    if (!is_shown(s, &addr)) {
        return;
    }
    if (s->shown.chain4) {
        write_plane(s, addr, value);
    } else if (s->gr[GR_MODE] & GR_MODE_ODD_EVEN) {
        write_plane(s, odd_even_at(s, addr), value);
    } else if (addr * 4 < s->vram_size && mask) {
        result = mode == 1 ? s->latch : write_mode(s, mode, value);
        planes_set(s, addr * 4, (planes_get(s, addr * 4) & ~mask) | (result & mask));
    }
}

static uint64_t window_read(void *opaque, hwaddr addr, unsigned size)
{
    return vga_memory_read(opaque, addr);
}

static void window_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    vga_memory_write(opaque, addr, data);
}

static const MemoryRegionOps window_ops = {
    .read = window_read,
    .write = window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

void vga_memory_init(VGAState *s)
{
    memory_region_init_io(&s->window, &window_ops, s, "vga-lowmem", VGA_WINDOW_SIZE);
    device_own_region(s->dev, &s->window);
    memory_region_set_coalescing(&s->window);
    memory_region_init_alias(&s->window_alias, "vga.window", &s->vram, 0, VGA_WINDOW_SIZE);
    memory_region_set_enabled(&s->window_alias, false);
    memory_region_add_subregion(&s->window, 0, &s->window_alias);
    s->shown = (VGAWindow){ .size = VGA_WINDOW_SIZE };
}

void vga_memory_cleanup(VGAState *s)
{
    memory_region_del_subregion(&s->window, &s->window_alias);
    memory_region_destroy(&s->window_alias);
    memory_region_destroy(&s->window);
}
