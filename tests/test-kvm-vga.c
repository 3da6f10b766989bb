/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that uses the VGA's window: memory where the mode makes it that, writes that KVM
 * puts off elsewhere, and what must have been done before what. Needs KVM.
 * FLATVIEW_SEED replays the random part.
 */
#include <linux/kvm.h>
#include <string.h>

#include "hw/display/vga-internal.h"
#include "kvm-internal.h"
#include "tests/kvm-robot.h"

#define VRAM_SIZE (1u << 20)
#define LFB 0xe0000000u
#define PAGE 4096u
#define SR 0x3c4
#define GR 0x3ce
#define STEPS 6000

typedef struct Card {
    Device dev;
    VGAState vga;
} Card;

static bool card_realize(Device *dev, GError **err)
{
    return vga_init(&((Card *)dev)->vga, dev, VRAM_SIZE, err);
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

static VGAState *s;

static Card *card_new(void)
{
    Card *card = (Card *)device_new(&card_type, NULL);

    expect(device_realize(&card->dev, NULL), "not realized");
    device_reset(&card->dev);
    return card;
}

/* A machine with the card, video memory at LFB. */
static void with_card(void (*script)(Robot *r))
{
    Card *card;
    Robot r;

    robot_init(&r);
    card = card_new();
    s = &card->vga;
    expect(vga_map(s, &r.memory_root, &r.ports_root, NULL), "not mapped");
    memory_region_add_subregion(&r.memory_root, LFB, &s->vram);
    ck_assert_int_eq(robot_run(&r, script), 0);
    memory_region_del_subregion(&r.memory_root, &s->vram);
    device_free(&card->dev);
    robot_destroy(&r);
}

static void set(Robot *r, unsigned port, unsigned index, unsigned value)
{
    robot_out(r, port, 2, value << 8 | index);
}

/* 16 colours, all planes written. */
static void planar(Robot *r)
{
    set(r, SR, 4, 6);
    set(r, SR, 2, 0xf);
    set(r, GR, 6, 5);
    set(r, GR, 8, 0xff);
}

static void linear(Robot *r)
{
    planar(r);
    set(r, SR, 4, 0xe);
}

/* ---- put off, and done in time --------------------------------------------------- */

static void expect_planes(unsigned at, uint32_t wanted)
{
    uint32_t value;

    memory_lock(); /* whoever hands over what was put off has it */
    memcpy(&value, s->vram_ptr + 4 * at, sizeof(value));
    memory_unlock();
    expect(value == wanted, "planes at 0x%x: 0x%08x, not 0x%08x", at, value, wanted);
}

static void writes_are_put_off(Robot *r)
{
    if (kvm_extension(r->kvm, KVM_CAP_COALESCED_MMIO) <= 0) {
        printf("SKIP: this host's KVM lacks KVM_CAP_COALESCED_MMIO\n");
        return;
    }
    planar(r);
    /* While the lock is held an exit that needs it would not come back. */
    memory_lock();
    robot_write(r, VGA_WINDOW + 0x100, 1, 0x11);
    robot_write(r, VGA_WINDOW + 0x101, 4, 0x55443322);
    expect_planes(0x100, 0);
    /* A register that changes what they do comes after them. */
    robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = SR, .size = 2, .value = 0x102 });
    memory_unlock();
    robot_wait(r, 0);
    for (unsigned i = 0; i < 5; i++) {
        expect_planes(0x100 + i, 0x11111111 * (i + 1));
    }
    /* So does a read. */
    robot_write(r, VGA_WINDOW + 0x100, 1, 0xaa);
    expect_hex(robot_read(r, VGA_WINDOW + 0x100, 1), 0xaa);
    expect_planes(0x100, 0x111111aa);
    /* And one of memory, where the window becomes that. */
    robot_write(r, VGA_WINDOW + 0x40, 1, 0xbb);
    set(r, SR, 4, 0xe);
    set(r, SR, 2, 0xf);
    expect_hex(robot_read(r, VGA_WINDOW + 0x100, 4), 0xbb);
    robot_expect_no_unassigned(r);
}

START_TEST(put_off)
{
    with_card(writes_are_put_off);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------- */

/* Nothing leaves the guest. */
static void window_is_memory(Robot *r)
{
    linear(r);
    memory_lock();
    for (unsigned i = 0; i < 0x10000; i += 0x1234) {
        robot_write(r, VGA_WINDOW + i, 4, 0x1000000 + i);
        expect_hex(robot_read(r, VGA_WINDOW + i, 4), 0x1000000 + i);
        expect_hex(robot_read(r, LFB + i, 4), 0x1000000 + i);
    }
    memory_unlock();
    for (unsigned bank = 0; bank < VRAM_SIZE >> 16; bank++) {
        robot_out(r, 0x1ce, 2, VBE_BANK);
        robot_out(r, 0x1cf, 2, bank);
        memory_lock();
        robot_write(r, VGA_WINDOW + 0xfffc, 4, 0xb000 + bank);
        expect_hex(robot_read(r, LFB + (bank << 16) + 0xfffc, 4), 0xb000 + bank);
        memory_unlock();
    }
    robot_expect_no_unassigned(r);
}

START_TEST(memory)
{
    with_card(window_is_memory);
}
END_TEST

/* ---- what the picture learns ----------------------------------------------------- */

static void expect_dirty(const char *what, unsigned page)
{
    DirtyBitmapSnapshot *snapshot;

    memory_lock();
    memory_region_transaction_begin(); /* what was put off is done */
    memory_region_transaction_commit();
    snapshot = memory_region_snapshot_and_clear_dirty(&s->vram, 0, VRAM_SIZE,
                                                      DIRTY_MEMORY_VGA);
    for (unsigned i = 0; i < VRAM_SIZE / PAGE; i++) {
        expect(memory_region_snapshot_get_dirty(&s->vram, snapshot, i * PAGE, PAGE) ==
                   (i == page), "%s: page %u", what, i);
    }
    memory_unlock();
    g_free(snapshot);
}

static void each_way_is_dirty(Robot *r)
{
    memory_lock();
    memory_region_set_log(&s->vram, true, DIRTY_MEMORY_VGA);
    memory_region_reset_dirty(&s->vram, 0, VRAM_SIZE, DIRTY_MEMORY_VGA);
    memory_unlock();
    linear(r);
    robot_write(r, VGA_WINDOW + 3 * PAGE, 1, 1);
    expect_dirty("window", 3);
    robot_write(r, LFB + 200 * PAGE, 1, 1);
    expect_dirty("frame buffer", 200);
    robot_out(r, 0x1ce, 2, VBE_BANK);
    robot_out(r, 0x1cf, 2, 2);
    robot_write(r, VGA_WINDOW + 5 * PAGE, 1, 1);
    expect_dirty("bank", 37);
    robot_write(r, VGA_WINDOW + 5 * PAGE, 1, 1);
    robot_out(r, 0x1cf, 2, 0); /* moved before anybody looked */
    expect_dirty("bank, moved", 37);
    planar(r);
    robot_write(r, VGA_WINDOW + 3 * PAGE, 1, 1);
    expect_dirty("planes", 12);
}

START_TEST(dirty)
{
    with_card(each_way_is_dirty);
}
END_TEST

/* ---- beside a card without a guest ----------------------------------------------- */

/* Whatever the guest does by way of KVM ends as the same accesses, one after the other. */
static void same_as_calls(Robot *r)
{
    static const unsigned sizes[] = { 1, 2, 4 };
    uint64_t seed = test_number("FLATVIEW_SEED", 1987);
    GRand *rnd = g_rand_new_with_seed(seed);
    Card *other;
    VGAState *o;

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    memory_lock();
    other = card_new();
    memory_unlock();
    o = &other->vga;
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned kind = g_rand_int_range(rnd, 0, 20);
        unsigned size = sizes[g_rand_int_range(rnd, 0, 3)];
        unsigned value = g_rand_int(rnd);
        unsigned addr = g_rand_int(rnd) % (value & 1 ? 64 : VGA_WINDOW_SIZE - 3);

        if (kind < 4) {
            bool sequencer = kind < 2;
            unsigned index = sequencer ? 2 + 2 * (value & 1) : addr % 9;
            unsigned data = value >> 8 & 0xff;

            data = sequencer && value & 0x10000 ? 0xf : data;
            set(r, sequencer ? SR : GR, index, data);
            memory_lock();
            vga_port_write(o, sequencer ? SR : GR, index);
            vga_port_write(o, (sequencer ? SR : GR) + 1, data);
            memory_unlock();
        } else if (kind < 8) {
            uint32_t wanted = 0;

            memory_lock();
            for (unsigned i = 0; i < size; i++) {
                wanted |= (uint32_t)vga_memory_read(o, addr + i) << (8 * i);
            }
            memory_unlock();
            expect_hex(robot_read(r, VGA_WINDOW + addr, size), wanted);
        } else {
            robot_write(r, VGA_WINDOW + addr, size, value);
            memory_lock();
            for (unsigned i = 0; i < size; i++) {
                vga_memory_write(o, addr + i, value >> (8 * i));
            }
            memory_unlock();
        }
    }
    robot_in(r, 0x3cc, 1); /* all is done */
    memory_lock();
    expect(!memcmp(s->vram_ptr, o->vram_ptr, VRAM_SIZE), "video memory differs");
    expect(!memcmp(s->gr, o->gr, sizeof(s->gr)) && !memcmp(s->sr, o->sr, sizeof(s->sr)) &&
           s->latch == o->latch, "registers differ");
    device_free(&other->dev);
    memory_unlock();
    g_rand_free(rnd);
    robot_expect_no_unassigned(r);
}

START_TEST(random_program)
{
    with_card(same_as_calls);
}
END_TEST

ROBOT_MAIN("kvm-vga", put_off, memory, dirty, random_program)
