/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's registers and window, on a card of the test's own: each register beside a
 * table, what a write does to the planes beside a model that works bit by bit, and where
 * the map shows memory and where callbacks. FLATVIEW_SEED replays the random parts.
 */
#include <string.h>

#include "hw/display/vga-internal.h"
#include "tests/device-util.h"

#define VRAM_SIZE (1u << 20)
#define BANK_SIZE 0x10000u

typedef struct Card {
    Device dev;
    VGAState vga;
    bool taken; /* somebody is at its ports already */
} Card;

static MemoryRegion memory_root, ports_root;
static AddressSpace memory, ports;
static Card *card;
static VGAState *s;
static GRand *rnd;

/* ---- the card, and its guest ----------------------------------------------------- */

static uint64_t vram_wanted;

static bool card_realize(Device *dev, GError **err)
{
    Card *c = (Card *)dev;

    if (!vga_init(&c->vga, dev, vram_wanted, err)) {
        return false;
    }
    if (!vga_map(&c->vga, &memory_root, &ports_root, err)) {
        vga_cleanup(&c->vga);
        memory_region_destroy(&c->vga.vram);
        return false;
    }
    return true;
}

static void card_unrealize(Device *dev)
{
    vga_cleanup(&((Card *)dev)->vga);
    memory_region_destroy(&((Card *)dev)->vga.vram);
}

static void card_reset(Device *dev)
{
    vga_reset(&((Card *)dev)->vga);
}

static const DeviceType card_type = {
    .name = "card", .size = sizeof(Card), .realize = card_realize,
    .unrealize = card_unrealize, .reset = card_reset,
};

static void world_setup(void)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 1987);

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    rnd = g_rand_new_with_seed(seed);
    memory_region_init(&memory_root, "memory", UINT64_MAX);
    memory_region_init(&ports_root, "ports", 0x10000);
    address_space_init(&memory, &memory_root);
    address_space_init(&ports, &ports_root);
    vram_wanted = VRAM_SIZE;
    card = (Card *)device_new(&card_type, NULL);
    s = &card->vga;
    expect(device_realize(&card->dev, NULL), "not realized");
    device_reset(&card->dev);
}

static void world_free(void)
{
    device_free(&card->dev);
    expect(!memory_region_present(&memory_root, VGA_WINDOW), "the window stays");
    expect(!memory_region_present(&ports_root, 0x3c0), "ports stay");
    address_space_destroy(&memory);
    address_space_destroy(&ports);
    memory_region_destroy(&memory_root);
    memory_region_destroy(&ports_root);
    g_rand_free(rnd);
}

static unsigned below(unsigned n)
{
    return g_rand_int_range(rnd, 0, n);
}

static uint32_t in(unsigned port, unsigned size)
{
    uint32_t value = 0;

    address_space_read(&ports, port, (void *)&value, size);
    return value;
}

static void out(unsigned port, uint32_t value, unsigned size)
{
    address_space_write(&ports, port, (void *)&value, size);
}

static void set(unsigned port, unsigned index, unsigned value)
{
    out(port, index, 1);
    out(port + 1, value, 1);
}

static uint8_t get(unsigned port, unsigned index)
{
    out(port, index, 1);
    return in(port + 1, 1);
}

static void vbe_set(unsigned index, unsigned value)
{
    out(0x1ce, index, 2);
    out(0x1cf, value, 2);
}

static uint64_t peek(unsigned offset, unsigned size)
{
    uint64_t value = 0;

    address_space_read(&memory, VGA_WINDOW + offset, (void *)&value, size);
    return value;
}

static void poke(unsigned offset, uint64_t value, unsigned size)
{
    address_space_write(&memory, VGA_WINDOW + offset, (void *)&value, size);
}

#define SR 0x3c4
#define GR 0x3ce
#define CR 0x3d4
#define COLOUR 0x67 /* of miscellaneous output */

/* ---- registers ------------------------------------------------------------------- */

/* Of a register with an index: which bits of ones stay, and that zero stays zero. */
static void check_bits(unsigned port, const uint8_t *bits, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++) {
        set(port, i, 0xff);
        expect(get(port, i) == bits[i], "0x%x.%x: 0x%x", port, i, get(port, i));
        set(port, i, 0);
        expect(get(port, i) == 0, "0x%x.%x is not cleared", port, i);
    }
}

START_TEST(registers_keep_their_bits)
{
    static const uint8_t sequencer[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff };
    static const uint8_t graphics[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f,
                                          0xff };
    uint8_t crtc[25];

    world_setup();
    out(0x3c2, 0xff, 1);
    expect_hex(in(0x3cc, 1), 0xef);
    check_bits(SR, sequencer, 8);
    check_bits(GR, graphics, 16);
    memset(crtc, 0xff, sizeof(crtc));
    crtc[0x11] = 0x7f; /* bit 7 by itself below */
    for (unsigned i = 0; i < sizeof(crtc); i++) {
        set(CR, i, crtc[i]);
        expect(get(CR, i) == crtc[i], "cr%x", i);
    }
    /* Indexes go round, but those of the CRT controller. */
    set(SR, 0x82, 5);
    expect_hex(get(SR, 2), 5);
    expect_hex(in(SR, 1), 2);
    set(GR, 0xf8, 0x5a);
    expect_hex(get(GR, 8), 0x5a);
    set(CR, 0x98, 0x12);
    expect_hex(get(CR, 0x18), 0xff);
    expect_hex(get(CR, 0x98), 0x12);
    /* What is not there reads 0. */
    expect_hex(in(0x3c3, 1), 0);
    expect_hex(in(0x3cb, 1), 0);
    expect_hex(in(0x3cd, 1), 0);
    expect_hex(in(0x3c2, 1), 0);
    world_free();
}
END_TEST

START_TEST(mono_and_colour)
{
    static const unsigned ports_of[] = { 0x4, 0x5, 0xa };

    world_setup();
    for (unsigned colour = 0; colour < 2; colour++) {
        unsigned here = colour ? 0x3d0 : 0x3b0;
        unsigned there = colour ? 0x3b0 : 0x3d0;

        out(0x3c2, colour, 1);
        set(here + 4, 0x0e, 0x30 + colour);
        set(there + 4, 0x0e, 0xaa);
        expect_hex(get(here + 4, 0x0e), 0x30 + colour);
        for (unsigned i = 0; i < G_N_ELEMENTS(ports_of); i++) {
            expect(in(there + ports_of[i], 1) == 0xff, "port 0x%x", there + ports_of[i]);
        }
        out(here + 0xa, 0xff, 1);
        expect_hex(in(0x3ca, 1), 0x10);
        out(there + 0xa, 0, 1);
        expect_hex(in(0x3ca, 1), 0x10);
        out(here + 0xa, 0, 1);
        expect_hex(in(0x3ca, 1), 0);
    }
    /* There is one CRT controller. */
    expect_hex(get(CR, 0x0e), 0x31);
    /* Between them others may be, and reads go across. */
    for (unsigned port = 0x3b0; port < 0x3e0; port++) {
        bool ours = (port & ~0xfu) == 0x3c0 || (port & 0xf) == 4 || (port & 0xf) == 5 ||
                    (port & 0xf) == 0xa;

        expect(memory_region_present(&ports_root, port) == ours, "port 0x%x", port);
    }
    out(CR, 0x170e, 2);
    expect_hex(in(CR, 2), 0x170e);
    expect_hex(in(0x3d3, 4), 0xff170eff);
    world_free();
}
END_TEST

START_TEST(attributes)
{
    world_setup();
    out(0x3c2, COLOUR, 1);
    in(0x3da, 1);
    for (unsigned i = 0; i < 0x20; i++) {
        uint8_t kept = i < 0x10 ? 0x3f : i == 0x10 ? 0xef : i == 0x11 ? 0xff
                     : i == 0x12 ? 0x3f : i < 0x15 ? 0x0f : 0;

        out(0x3c0, 0xc0 | i, 1);
        expect_hex(in(0x3c0, 1), 0);
        out(0x3c0, 0xff, 1);
        expect_hex(in(0x3c0, 1), i);
        expect(in(0x3c1, 1) == kept, "ar%x: 0x%x", i, in(0x3c1, 1));
    }
    /* A look at the status makes the next write an index again, and in no other way. */
    out(0x3c0, 0x22, 1);
    in(0x3ba, 1);
    out(0x3c0, 0x15, 1);
    expect_hex(s->ar[2], 0x15);
    out(0x3c0, 0x23, 1);
    in(0x3da, 1);
    out(0x3c0, 0x24, 1);
    expect_hex(in(0x3c0, 1), 0);
    out(0x3c0, 0x17, 1);
    expect_hex(in(0x3c0, 1), 0x24);
    expect_hex(s->ar[3], 0x3f);
    expect_hex(s->ar[4], 0x17);
    world_free();
}
END_TEST

START_TEST(protected_crtc)
{
    world_setup();
    out(0x3c2, COLOUR, 1);
    for (unsigned i = 0; i < 8; i++) {
        set(CR, i, 0x44);
    }
    set(CR, 0x11, 0x80);
    for (unsigned i = 0; i < 8; i++) {
        set(CR, i, 0xbb);
        expect_hex(get(CR, i), i == 7 ? 0x54 : 0x44); /* bit 8 of line compare is not */
    }
    set(CR, 8, 0xbb);
    expect_hex(get(CR, 8), 0xbb);
    set(CR, 7, 0);
    expect_hex(get(CR, 7), 0x44);
    set(CR, 0x11, 0x0f);
    set(CR, 0, 0xbb);
    expect_hex(get(CR, 0), 0xbb);
    world_free();
}
END_TEST

START_TEST(dac)
{
    static const uint8_t written[] = { 0x3f, 0x01, 0x20, 0xff, 0x80, 0x00 };

    world_setup();
    expect_hex(in(0x3c6, 1), 0xff);
    out(0x3c6, 0x5a, 1);
    expect_hex(in(0x3c6, 1), 0x5a);
    out(0x3c8, 0xff, 1);
    for (unsigned i = 0; i < sizeof(written); i++) {
        expect_hex(in(0x3c8, 1), i < 3 ? 0xff : 0); /* and on, round the end */
        out(0x3c9, written[i], 1);
    }
    expect_hex(in(0x3c8, 1), 1);
    expect_hex(in(0x3c7, 1), 0);
    out(0x3c7, 0xff, 1);
    expect_hex(in(0x3c7, 1), 3);
    for (unsigned i = 0; i < sizeof(written); i++) {
        expect_hex(in(0x3c9, 1), written[i]);
    }
    expect_hex(in(0x3c8, 1), 1); /* the other address is where it was */
    /* Two of three do nothing, and the next address begins anew. */
    out(0x3c8, 7, 1);
    out(0x3c9, 0x11, 1);
    out(0x3c9, 0x22, 1);
    expect_hex(s->palette[21] | s->palette[22], 0);
    out(0x3c8, 7, 1);
    out(0x3c9, 0x33, 1);
    out(0x3c9, 0x34, 1);
    out(0x3c9, 0x35, 1);
    expect_hex(s->palette[21] << 16 | s->palette[22] << 8 | s->palette[23], 0x333435);
    world_free();
}
END_TEST

/* Whoever waits for a retrace, or its end, sees it. */
START_TEST(retrace)
{
    unsigned port;

    world_setup();
    for (unsigned colour = 0; colour < 2; colour++) {
        out(0x3c2, colour, 1);
        port = colour ? 0x3da : 0x3ba;
        for (unsigned i = 0; i < 8; i++) {
            uint8_t first = in(port, 1);
            uint8_t second = in(port, 1);

            expect((first ^ second) == 9, "0x%x, 0x%x", first, second);
            expect(first == 0 || first == 9, "0x%x", first);
        }
    }
    world_free();
}
END_TEST

/* ---- the window ------------------------------------------------------------------ */

/* What shows @offset of the window. */
static MemoryRegionSection shown_at(unsigned offset)
{
    return memory_region_find(&memory_root, VGA_WINDOW + offset, 1);
}

START_TEST(placements)
{
    static const struct { unsigned first, size; } wanted[] = {
        { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 },
    };

    world_setup();
    for (unsigned i = 0; i < VRAM_SIZE; i++) {
        s->vram_ptr[i] = g_rand_int(rnd);
    }
    for (unsigned n = 0; n < 4; n++) {
        unsigned first = wanted[n].first, last = first + wanted[n].size - 1;

        for (unsigned kind = 0; kind < 4; kind++) {
            bool chain4 = kind >= 2;
            bool direct = kind == 3;

            set(GR, 6, n << 2);
            set(SR, 4, chain4 ? 0x0e : 6);
            set(SR, 2, direct ? 0xf : 0x7);
            for (unsigned offset = 0; offset < VGA_WINDOW_SIZE; offset += 0x555) {
                bool inside = offset >= first && offset <= last;
                bool ram = shown_at(offset).mr == &s->vram;
                unsigned at = chain4 ? offset - first : (offset - first) * 4;
                uint8_t value = peek(offset, 1);

                expect(ram == (inside && direct), "placement %u.%u at 0x%x", n, kind,
                       offset);
                expect(value == (inside ? s->vram_ptr[at] : 0xff),
                       "placement %u.%u at 0x%x: 0x%x", n, kind, offset, value);
            }
        }
    }
    /* Across the edge of the last one but one. */
    set(GR, 6, 2 << 2);
    s->vram_ptr[0] = 0x12;
    s->vram_ptr[0x7fff] = 0x34;
    expect_hex(peek(0x0ffff, 2), 0x12ff);
    expect_hex(peek(0x17fff, 2), 0xff34);
    poke(0x17ffe, 0x99887766, 4);
    expect_hex(s->vram_ptr[0x7fff], 0x77);
    expect_hex(shown_at(0x17fff).mr == &s->vram, true);
    world_free();
}
END_TEST

START_TEST(banks)
{
    world_setup();
    for (unsigned bank = 0; bank < VRAM_SIZE / BANK_SIZE; bank++) {
        s->vram_ptr[bank * BANK_SIZE] = 0x40 + bank;
    }
    set(SR, 4, 0xe);
    for (unsigned direct = 0; direct < 2; direct++) {
        set(SR, 2, direct ? 0xf : 1);
        for (unsigned bank = 0; bank < VRAM_SIZE / BANK_SIZE; bank++) {
            set(GR, 6, 1 << 2);
            vbe_set(VBE_BANK, bank);
            expect_hex(peek(0, 1), 0x40 + bank);
            poke(4, bank, 1);
            expect_hex(s->vram_ptr[bank * BANK_SIZE + 4], bank);
            set(GR, 6, 3 << 2); /* not of this one */
            expect_hex(peek(0x18000, 1), 0x40);
        }
    }
    /* Of planes the bank is one of addresses: beyond the end is nothing. */
    set(SR, 4, 6);
    set(GR, 6, 1 << 2);
    vbe_set(VBE_BANK, 3);
    expect_hex(peek(0, 1), s->vram_ptr[3 * BANK_SIZE * 4]);
    vbe_set(VBE_BANK, 4);
    expect_hex(peek(0, 1), 0xff);
    poke(0, 0x55, 1);
    set(GR, 5, 0x10); /* with two planes in turn, at twice the address */
    vbe_set(VBE_BANK, 7);
    expect_hex(peek(0, 1), s->vram_ptr[7 * BANK_SIZE * 2]);
    vbe_set(VBE_BANK, 8);
    expect_hex(peek(0, 1), 0xff);
    poke(0, 0x55, 1);
    set(GR, 5, 0);
    /* VBE off: from the beginning. */
    vbe_set(VBE_ENABLE, 0);
    expect_hex(peek(0, 1), 0x40);
    world_free();
}
END_TEST

/* ---- planes, bit by bit ---------------------------------------------------------- */

static bool bit(unsigned value, unsigned n)
{
    return value >> n & 1;
}

/* Bit @n that a write of @cpu leaves in @plane, where @old and @latch were. */
static bool model_write(unsigned plane, unsigned n, uint8_t cpu, bool old, bool latch)
{
    unsigned mode = s->gr[5] & 3;
    uint8_t rotated = cpu >> (s->gr[3] & 7) | cpu << (8 - (s->gr[3] & 7));
    bool mask = bit(s->gr[8], n);
    bool value;

    if (!bit(s->sr[2], plane)) {
        return old;
    }
    switch (mode) {
    case 1:
        return latch;
    case 0:
        value = bit(s->gr[1], plane) ? bit(s->gr[0], plane) : bit(rotated, n);
        break;
    case 2:
        value = bit(cpu, plane);
        break;
    default:
        value = bit(s->gr[0], plane);
        mask = mask && bit(rotated, n);
    }
    switch (s->gr[3] >> 3) {
    case 1:
        value = value && latch;
        break;
    case 2:
        value = value || latch;
        break;
    case 3:
        value = value != latch;
        break;
    }
    return mask ? value : latch;
}

/* What a read gives of @latched. */
static uint8_t model_read(const uint8_t *latched)
{
    uint8_t result = 0;

    if (!(s->gr[5] & 8)) {
        return latched[s->gr[4]];
    }
    for (unsigned n = 0; n < 8; n++) {
        bool equal = true;

        for (unsigned plane = 0; plane < 4; plane++) {
            equal = equal && (!bit(s->gr[7], plane) ||
                              bit(latched[plane], n) == bit(s->gr[2], plane));
        }
        result |= equal << n;
    }
    return result;
}

START_TEST(planes)
{
    uint8_t latch[4], wanted[4];

    world_setup();
    set(SR, 4, 6);
    for (unsigned i = 0; i < 1024; i++) {
        s->vram_ptr[i] = g_rand_int(rnd);
    }
    for (unsigned round = 0; round < 50000; round++) {
        unsigned to = below(64), from = below(64);
        uint8_t cpu = g_rand_int(rnd);
        uint8_t read;

        switch (below(10)) {
        case 0:
            set(SR, 2, below(16));
            break;
        case 1:
        case 2:
            set(GR, 5, below(16)); /* write mode, read mode; not odd and even */
            s->gr[5] &= ~4;
            break;
        case 3:
        case 4:
            set(GR, below(5), g_rand_int(rnd));
            break;
        case 5:
            set(GR, 7 + below(2), g_rand_int(rnd));
            break;
        }
        memcpy(latch, s->vram_ptr + from * 4, 4);
        read = peek(from, 1);
        expect(read == model_read(latch), "gr5 0x%x: read 0x%x", s->gr[5], read);
        for (unsigned plane = 0; plane < 4; plane++) {
            wanted[plane] = 0;
            for (unsigned n = 0; n < 8; n++) {
                wanted[plane] |= model_write(plane, n, cpu,
                                             bit(s->vram_ptr[to * 4 + plane], n),
                                             bit(latch[plane], n)) << n;
            }
        }
        poke(to, cpu, 1);
        expect(!memcmp(s->vram_ptr + to * 4, wanted, 4), "round %u: gr5 0x%x gr3 0x%x",
               round, s->gr[5], s->gr[3]);
    }
    /* A wide access is one of each byte, the lowest first. */
    set(SR, 2, 0xf);
    for (unsigned i = 0; i < 9; i++) {
        set(GR, i, 0);
    }
    set(GR, 8, 0xff);
    poke(0x41, 0x8877665544332211, 8);
    for (unsigned i = 0; i < 8; i++) {
        expect_hex(s->vram_ptr[(0x41 + i) * 4 + 3], 0x11 * (i + 1));
    }
    expect_hex(peek(0x41, 8), 0x8877665544332211);
    expect_hex(s->latch, 0x88888888);
    world_free();
}
END_TEST

/* Text: characters in plane 0, attributes in plane 1; fonts meanwhile in plane 2. */
START_TEST(odd_and_even)
{
    world_setup();
    set(SR, 4, 2);
    set(SR, 2, 3);
    set(GR, 5, 0x10);
    set(GR, 6, 0xe);
    poke(0x18000, 0x1f421e41, 4);
    expect_hex(s->vram_ptr[0] << 24 | s->vram_ptr[1] << 16 | s->vram_ptr[4] << 8 |
               s->vram_ptr[5], 0x411e421f);
    expect_hex(peek(0x18001, 2), 0x421e);
    set(SR, 2, 1);
    poke(0x18000, 0x2f612e60, 4);
    expect_hex(peek(0x18000, 4), 0x1f611e60);
    set(GR, 4, 2); /* planes 2 and 3 */
    set(SR, 2, 0xf);
    poke(0x18000, 0xbbaa, 2);
    expect_hex(s->vram_ptr[2] << 8 | s->vram_ptr[3], 0xaabb);
    expect_hex(peek(0x18000, 2), 0xbbaa);
    world_free();
}
END_TEST

/* The picture must learn of each write, and of no other page. */
START_TEST(writes_are_dirty)
{
    static const struct { uint8_t sr4, gr5; } modes[] = {
        { 6, 0 }, { 6, 1 }, { 6, 2 }, { 2, 0x10 }, { 0xe, 0 },
    };

    world_setup();
    memory_region_set_log(&s->vram, true, DIRTY_MEMORY_VGA);
    set(GR, 6, 1 << 2);
    set(GR, 8, 0xff);
    for (unsigned m = 0; m < G_N_ELEMENTS(modes); m++) {
        for (unsigned mask = 0; mask < 16; mask++) {
            bool chain4 = modes[m].sr4 & 8;
            unsigned at = chain4 ? 0x5430 : modes[m].gr5 & 0x10 ? 0xa860 : 0x150c0;

            set(SR, 4, modes[m].sr4);
            set(SR, 2, mask);
            set(GR, 5, modes[m].gr5);
            memory_region_reset_dirty(&s->vram, 0, VRAM_SIZE, DIRTY_MEMORY_VGA);
            poke(0x5430, 0xcc, 1);
            for (unsigned page = 0; page < VRAM_SIZE; page += 4096) {
                bool wanted = page == at / 4096 * 4096 &&
                              (chain4 || modes[m].gr5 & 0x10 ? mask & 1 : mask);

                expect(memory_region_get_dirty(&s->vram, page, 4096, DIRTY_MEMORY_VGA) ==
                           wanted, "mode %u, mask %x, page 0x%x", m, mask, page);
            }
        }
    }
    world_free();
}
END_TEST

/* ---- VBE ------------------------------------------------------------------------- */

static void vbe_mode(unsigned width, unsigned height, unsigned bpp, unsigned flags)
{
    vbe_set(VBE_ENABLE, 0);
    vbe_set(VBE_XRES, width);
    vbe_set(VBE_YRES, height);
    vbe_set(VBE_BPP, bpp);
    vbe_set(VBE_ENABLE, VBE_ENABLED | flags);
}

START_TEST(vbe_registers)
{
    world_setup();
    out(0x3c2, COLOUR, 1);
    expect_hex(in(0x1ce, 2), 0);
    expect_hex(in(0x1cf, 2), VBE_ID_MAX);
    out(0x1ce, VBE_XRES, 2);
    out(0x1d0, 640, 2);
    expect_hex(in(0x1ce, 2), VBE_XRES);
    expect_hex(in(0x1cf, 2), 640);
    expect_hex(in(0x1d0, 2), 640);
    /* Words only. */
    expect_hex(in(0x1ce, 1), 0xff);
    expect_hex(in(0x1ce, 4), 0xffffffff);
    out(0x1ce, VBE_YRES, 1);
    expect_hex(in(0x1ce, 2), VBE_XRES);
    /* The registers of the picture are those of the mode, and stay so. */
    vbe_mode(800, 600, 8, 0);
    for (unsigned round = 0; round < 3; round++) {
        expect_hex(get(CR, 0x01), 800 / 8 - 1);
        expect_hex(get(CR, 0x12), 599 & 0xff);
        expect_hex(get(CR, 0x07) & 0x52, 0x50);
        expect_hex(get(CR, 0x13), 800 / 8);
        expect_hex(get(CR, 0x18), 0xff);
        expect_hex(get(CR, 0x09) & 0xdf, 0x40);
        expect_hex(get(CR, 0x17) & 3, 3);
        expect_hex(get(GR, 5) & 0x60, 0x40);
        expect_hex(get(GR, 6) & 0xd, 5);
        for (unsigned i = 0; i < 25; i++) {
            set(CR, i, round ? 0xff : 0);
            set(GR, i, round ? 0xff : 0);
        }
        if (round) {
            set(CR, 0x11, 0);
        }
    }
    /* And of the next one. */
    vbe_set(VBE_XRES, 320);
    expect_hex(get(CR, 0x01), 320 / 8 - 1);
    vbe_set(VBE_VIRT_WIDTH, 1024);
    expect_hex(get(CR, 0x13), 1024 / 8);
    vbe_mode(640, 400, 4, 0);
    expect_hex(get(GR, 5) & 0x60, 0);
    expect_hex(get(CR, 0x13), 640 / 16);
    world_free();
}
END_TEST

START_TEST(vbe_clears_memory)
{
    unsigned size = 640 * 100 * 2;

    world_setup();
    memset(s->vram_ptr, 0x55, VRAM_SIZE);
    vbe_mode(640, 100, 16, VBE_NOCLEARMEM);
    expect_hex(s->vram_ptr[0], 0x55);
    vbe_set(VBE_ENABLE, VBE_ENABLED); /* it was on */
    expect_hex(s->vram_ptr[0], 0x55);
    memory_region_set_log(&s->vram, true, DIRTY_MEMORY_VGA);
    memory_region_reset_dirty(&s->vram, 0, VRAM_SIZE, DIRTY_MEMORY_VGA);
    vbe_mode(640, 100, 16, 0);
    for (unsigned i = 0; i < size; i++) {
        expect(!s->vram_ptr[i], "byte 0x%x", i);
    }
    expect_hex(s->vram_ptr[size], 0x55);
    expect(memory_region_get_dirty(&s->vram, 0, 1, DIRTY_MEMORY_VGA) &&
           memory_region_get_dirty(&s->vram, size - 1, 1, DIRTY_MEMORY_VGA) &&
           !memory_region_get_dirty(&s->vram, size + 4096, 1, DIRTY_MEMORY_VGA),
           "the picture does not learn of it");
    world_free();
}
END_TEST

START_TEST(vbe_window)
{
    world_setup();
    set(SR, 4, 6); /* no chain-4: a VBE mode is linear all the same, */
    set(SR, 2, 1);
    vbe_mode(64, 64, 32, 0);
    vbe_set(VBE_BANK, 2);
    expect(shown_at(0x1234).mr == &s->vram, "no memory in the window");
    expect_hex(shown_at(0x1234).offset_within_region, 0x21234);
    expect(shown_at(0x10000).mr == &s->window, "beyond the bank");
    poke(0x10, 0x11223344, 4);
    expect_hex(s->vram_ptr[0x20013], 0x11);
    /* but one of 16 colours has planes. */
    vbe_mode(64, 64, 4, 0);
    vbe_set(VBE_BANK, 1);
    expect(shown_at(0).mr == &s->window, "memory in the window");
    set(GR, 8, 0xff);
    poke(0, 0x99, 1);
    expect_hex(s->vram_ptr[0x40000], 0x99);
    expect_hex(s->vram_ptr[0x40001], 0);
    world_free();
}
END_TEST

/* ---- life ------------------------------------------------------------------------ */

START_TEST(reset_is_power_on)
{
    uint8_t before[256], after[256];
    unsigned nr = 0;

    world_setup();
    for (unsigned pass = 0; pass < 2; pass++) {
        uint8_t *to = pass ? after : before;

        nr = 0;
        to[nr++] = in(0x3cc, 1);
        out(0x3c2, 1, 1);
        for (unsigned i = 0; i < 8; i++) {
            to[nr++] = get(SR, i);
        }
        for (unsigned i = 0; i < 16; i++) {
            to[nr++] = get(GR, i);
        }
        for (unsigned i = 0; i < 64; i++) {
            to[nr++] = get(CR, i);
        }
        for (unsigned i = 0; i < VBE_REGS_NR; i++) {
            out(0x1ce, i, 2);
            to[nr++] = in(0x1cf, 2) >> 4;
        }
        to[nr++] = in(0x3c6, 1);
        to[nr++] = in(0x3c8, 1);
        to[nr++] = in(0x3ca, 1);
        to[nr++] = shown_at(0).mr == &s->window;
        to[nr++] = s->palette[100];
        to[nr++] = s->latch;
        to[nr++] = s->bank >> 16;
        if (pass) {
            break;
        }
        s->vram_ptr[0] = 0x77;
        expect_hex(peek(0, 1), 0x77); /* and the latches */
        vbe_mode(64, 64, 8, 0);
        vbe_set(VBE_BANK, 3);
        out(0x3c0, 0x25, 1);
        for (unsigned i = 0; i < 25; i++) {
            set(SR, i, 0xff);
            set(GR, i, 0xff);
            set(CR, i, 0xff);
        }
        out(0x3da, 0xff, 1);
        out(0x3c6, 0, 1);
        memset(s->palette, 0xaa, sizeof(s->palette));
        s->vram_ptr[0] = 0x77;
        device_reset(&card->dev);
        expect_hex(s->vram_ptr[0], 0x77);
    }
    expect(!memcmp(before, after, nr), "something is left");
    world_free();
}
END_TEST

START_TEST(does_not_fit)
{
    GError *err = NULL;
    Device *second = device_new(&card_type, NULL);

    world_setup();
    expect(!device_realize(second, &err), "two at one place");
    expect_error(g_steal_pointer(&err), "card", "0x1ce", "'vbe'", "bochs-display", NULL);
    device_free(second);

    /* One port is enough. */
    device_free(&card->dev);
    for (unsigned port = 0x3b0; port < 0x3e0; port++) {
        bool ours = (port & ~0xfu) == 0x3c0 || (port & 0xf) == 4 || (port & 0xf) == 5 ||
                    (port & 0xf) == 0xa;
        static const MemoryRegionOps none;
        MemoryRegion io;

        memory_region_init_io(&io, &none, NULL, "somebody", 1);
        memory_region_add_subregion(&ports_root, port, &io);
        card = (Card *)device_new(&card_type, NULL);
        expect(device_realize(&card->dev, &err) == !ours, "port 0x%x", port);
        if (ours) {
            g_autofree char *text = g_strdup_printf("0x%x", port);

            expect_error(g_steal_pointer(&err), text, "'somebody'", NULL);
        }
        device_free(&card->dev);
        memory_region_del_subregion(&ports_root, &io);
        memory_region_destroy(&io);
    }

    /* There is not so much. */
    vram_wanted = UINT64_C(1) << 60;
    card = (Card *)device_new(&card_type, NULL);
    expect(!device_realize(&card->dev, &err), "so much memory");
    expect_error(g_steal_pointer(&err), "card", NULL);
    device_free(&card->dev);

    vram_wanted = VRAM_SIZE;
    card = (Card *)device_new(&card_type, NULL);
    expect(device_realize(&card->dev, NULL), "not any more");
    world_free();
}
END_TEST

/* Anything at all: nothing is touched that is not ours, and the map stays in one piece. */
START_TEST(hostile)
{
    static const unsigned hot[] = { 0x3c4, 0x3c5, 0x3ce, 0x3cf, 0x1ce, 0x1d0, 0x3c0, 0x3c9 };
    static const unsigned sizes[] = { 1, 2, 4, 8 };

    world_setup();
    for (unsigned i = 0; i < 150000; i++) {
        unsigned size = sizes[below(3)];
        unsigned port = below(2) ? hot[below(G_N_ELEMENTS(hot))] : 0x3b0 + below(0x30);

        switch (below(6)) {
        case 0:
            in(port, size);
            break;
        case 1:
            out(port, g_rand_int(rnd), size);
            break;
        case 2:
            vbe_set(below(12), below(3) ? g_rand_int(rnd) : below(9));
            break;
        case 3:
            set(below(2) ? SR : GR, below(8), g_rand_int(rnd));
            break;
        case 4:
            peek(below(VGA_WINDOW_SIZE), sizes[below(4)]);
            break;
        default:
            poke(below(VGA_WINDOW_SIZE), g_rand_int(rnd) * 0x100000001ull, sizes[below(4)]);
        }
    }
    world_free();
}
END_TEST

TEST_MAIN("vga", registers_keep_their_bits, mono_and_colour, attributes,
          protected_crtc, dac, retrace, placements, banks, planes, odd_and_even,
          writes_are_dirty, vbe_registers, vbe_clears_memory, vbe_window,
          reset_is_power_on, does_not_fit, hostile)
