/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bochs' registers of both kinds, the picture that they say, and the BAR that shows
 * them. FLATVIEW_SEED replays what is written by chance, FLATVIEW_STEPS says how much.
 * That they are those of QEMU is for test-compare-display.sh.
 */
#include <string.h>

#include "hw/display/bochs-vbe.h"
#include "tests/device-util.h"

#define MIB (1024 * 1024ull)

static BochsVBE vbe;
static unsigned calls, last_index, last_old;

static void written(void *opaque, unsigned index, uint16_t old)
{
    calls++;
    last_index = index;
    last_old = old;
}

static void start(uint64_t vram_size, bool keep)
{
    vbe = (BochsVBE){ .vram_size = vram_size, .keep = keep, .written = written };
    bochs_vbe_reset(&vbe);
    calls = 0;
}

static void set(unsigned index, uint16_t value)
{
    bochs_vbe_write(&vbe, index, value);
}

static void set_mode(unsigned width, unsigned height, unsigned bpp)
{
    set(VBE_ENABLE, 0);
    set(VBE_XRES, width);
    set(VBE_YRES, height);
    set(VBE_BPP, bpp);
    set(VBE_ENABLE, VBE_ENABLED | VBE_LFB_ENABLED);
}

static void expect_register(unsigned index, uint16_t value)
{
    expect(bochs_vbe_read(&vbe, index) == value, "register %u is %u, not %u", index,
           bochs_vbe_read(&vbe, index), value);
}

static void expect_mode(unsigned width, unsigned height, unsigned stride, uint64_t offset)
{
    FramebufferMode mode;

    expect(bochs_vbe_mode(&vbe, &mode), "no mode");
    expect(mode.width == width && mode.height == height && mode.stride == stride &&
               mode.offset == offset,
           "%ux%u, %u bytes apart, from %u on", mode.width, mode.height, mode.stride,
           (unsigned)mode.offset);
}

START_TEST(reset_state)
{
    FramebufferMode mode;

    start(16 * MIB, false);
    for (unsigned i = 1; i < VBE_VIDEO_MEMORY_64K; i++) {
        expect_register(i, 0);
    }
    expect_register(VBE_ID, 0xb0c5);
    expect_register(VBE_VIDEO_MEMORY_64K, 256);
    expect_register(VBE_REGS_NR, 0);
    expect_register(0xffff, 0);
    expect(!bochs_vbe_mode(&vbe, &mode), "a mode at reset");
    set_mode(640, 480, 32);
    vbe.index = 7;
    bochs_vbe_reset(&vbe);
    expect_register(VBE_XRES, 0);
    expect_register(VBE_ENABLE, 0);
    expect_hex(vbe.index, 0);
}
END_TEST

START_TEST(modes_of_vga)
{
    start(16 * MIB, false);
    set_mode(640, 480, 32);
    expect_mode(640, 480, 2560, 0);
    expect_register(VBE_VIRT_WIDTH, 640);
    expect_register(VBE_VIRT_HEIGHT, 6553);
    set_mode(800, 600, 15);
    expect_mode(800, 600, 1600, 0);
    set_mode(800, 600, 24);
    expect_mode(800, 600, 2400, 0);
    set_mode(800, 600, 4);
    expect_mode(800, 600, 400, 0);
    set_mode(1024, 768, 8);
    set(VBE_VIRT_WIDTH, 2048);
    expect_register(VBE_VIRT_HEIGHT, 8192);
    set(VBE_X_OFFSET, 33);
    set(VBE_Y_OFFSET, 100);
    expect_mode(1024, 768, 2048, 100 * 2048 + 33);

    /* What is not possible. */
    set_mode(641, 481, 33);
    expect_register(VBE_BPP, 8);
    expect_mode(640, 481, 640, 0);
    set_mode(0, 0, 0);
    expect_mode(8, 1, 8, 0);
    set_mode(65535, 65535, 32);
    expect_mode(16000, 262, 64000, 0);
    set(VBE_X_OFFSET, 65535);
    expect_register(VBE_X_OFFSET, 0);
    set_mode(640, 480, 32);
    set(VBE_X_OFFSET, 65535);
    expect_register(VBE_X_OFFSET, 16000);
    set(VBE_Y_OFFSET, 6073);
    expect_register(VBE_Y_OFFSET, 0);
    set(VBE_X_OFFSET, 0);
    set(VBE_Y_OFFSET, 6073);
    expect_mode(640, 480, 2560, 6073 * 2560);
    set(VBE_Y_OFFSET, 6074);
    expect_mode(640, 480, 2560, 0);
    set(VBE_VIRT_WIDTH, 100);
    expect_register(VBE_VIRT_WIDTH, 640);
}
END_TEST

START_TEST(writes_of_vga)
{
    start(16 * MIB, false);
    set(VBE_ID, 0xb0c0);
    expect_register(VBE_ID, 0xb0c0);
    set(VBE_ID, 0xb0bf);
    set(VBE_ID, 0xb0c6);
    expect_register(VBE_ID, 0xb0c0);
    set(VBE_BANK, 300);
    expect_register(VBE_BANK, 44);
    set(VBE_XRES, 641); /* while it is off anything is kept */
    expect_register(VBE_XRES, 641);
    set(VBE_VIRT_HEIGHT, 7);
    expect_register(VBE_VIRT_HEIGHT, 0);

    set(VBE_ENABLE, VBE_GETCAPS);
    expect_register(VBE_XRES, VBE_XRES_MAX);
    expect_register(VBE_YRES, VBE_YRES_MAX);
    expect_register(VBE_BPP, 32);
    set(VBE_ENABLE, 0);
    expect_register(VBE_XRES, 641);

    set_mode(640, 480, 32);
    set(VBE_Y_OFFSET, 10);
    calls = 0;
    set(VBE_ENABLE, VBE_ENABLED | VBE_8BIT_DAC); /* it was on */
    expect_hex(calls, 1);
    expect_hex(last_index, VBE_ENABLE);
    expect_hex(last_old, VBE_ENABLED | VBE_LFB_ENABLED);
    expect_register(VBE_Y_OFFSET, 10);
    set(VBE_ENABLE, 0);
    set(VBE_ENABLE, VBE_ENABLED);
    expect_register(VBE_Y_OFFSET, 0);
    calls = 0;
    set(VBE_VIDEO_MEMORY_64K, 1);
    set(VBE_REGS_NR, 1);
    set(0xffff, 1);
    expect_hex(calls, 0);
    expect_register(VBE_VIDEO_MEMORY_64K, 256);
}
END_TEST

START_TEST(kept)
{
    FramebufferMode mode;

    start(16 * MIB, true);
    set(VBE_ID, 0xb0c0);
    expect_register(VBE_ID, 0xb0c5);
    set_mode(643, 65535, 16);
    expect_mode(643, 65535, 1286, 0);
    set(VBE_VIRT_WIDTH, 100); /* less than is seen */
    expect_mode(643, 65535, 1286, 0);
    set(VBE_VIRT_WIDTH, 1000);
    set(VBE_VIRT_HEIGHT, 9);
    expect_register(VBE_VIRT_HEIGHT, 9);
    set(VBE_X_OFFSET, 5);
    set(VBE_Y_OFFSET, 65535);
    expect_mode(643, 65535, 2000, 65535 * 2000 + 10);
    set(VBE_BANK, 65535);
    expect_register(VBE_BANK, 65535);
    set(VBE_BPP, 33);
    expect(!bochs_vbe_mode(&vbe, &mode), "33 bits");
    set(VBE_BPP, 32);
    set(VBE_ENABLE, VBE_GETCAPS | VBE_LFB_ENABLED);
    expect_register(VBE_XRES, 643);
    expect(!bochs_vbe_mode(&vbe, &mode), "it is off");
}
END_TEST

static uint16_t random_value(GRand *rand)
{
    static const uint16_t values[] = { 0, 1, 4, 8, 15, 16, 24, 32, 0x41, 640, 1024 };

    return g_rand_boolean(rand) ? g_rand_int(rand)
                                : values[g_rand_int_range(rand, 0, G_N_ELEMENTS(values))];
}

/* Whatever is written, VGA's picture lies within its memory. */
START_TEST(never_outside)
{
    unsigned seed = test_number("FLATVIEW_SEED", 1);
    unsigned steps = test_number("FLATVIEW_STEPS", 500000);
    GRand *rand = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    for (unsigned i = 0; i < steps; i++) {
        FramebufferMode mode;

        if (i % 1000 == 0) {
            start(MIB << g_rand_int_range(rand, 0, 10), false);
        }
        set(g_rand_int_range(rand, 0, VBE_REGS_NR + 2), random_value(rand));
        if (!bochs_vbe_mode(&vbe, &mode)) {
            continue;
        }
        expect(mode.width && mode.height && mode.width <= VBE_XRES_MAX &&
                   mode.height <= VBE_YRES_MAX && mode.stride * 8 >= mode.width * 4 &&
                   mode.offset + (uint64_t)mode.height * mode.stride <= vbe.vram_size,
               "step %u: %ux%u, %u bytes apart, from %u on of %u", i, mode.width,
               mode.height, mode.stride, (unsigned)mode.offset, (unsigned)vbe.vram_size);
    }
    g_rand_free(rand);
}
END_TEST

/* ---- the BAR --------------------------------------------------------------------- */

static BochsMMIO mmio;
static MemoryRegion memory, vga_ports;
static AddressSpace as;
static Device device;

static uint64_t ports_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0xc0 + addr;
}

static const MemoryRegionOps ports_ops = {
    .read = ports_read,
    .impl.max_access_size = 1,
};

static void bar_start(const EDIDInfo *edid, MemoryRegion *ioports)
{
    static const DeviceType type = { .name = "Some-Card", .size = sizeof(Device) };

    start(16 * MIB, true);
    device = (Device){ .type = &type };
    memory_region_init(&memory, "memory", 0x10000);
    address_space_init(&as, &memory);
    bochs_mmio_init(&mmio, &device, &vbe, edid, ioports);
    memory_region_add_subregion(&memory, 0x1000, &mmio.bar);
}

static void bar_end(void)
{
    address_space_destroy(&as);
    memory_region_del_subregion(&memory, &mmio.bar);
    bochs_mmio_cleanup(&mmio);
    memory_region_destroy(&mmio.bar);
    memory_region_destroy(&memory);
}

static uint64_t in(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    address_space_rw(&as, 0x1000 + addr, (uint8_t *)&value, size, false);
    return value;
}

static void out(hwaddr addr, uint64_t value, unsigned size)
{
    address_space_rw(&as, 0x1000 + addr, (uint8_t *)&value, size, true);
}

START_TEST(bar_registers)
{
    bar_start(NULL, NULL);
    ck_assert_str_eq(memory_region_name(&mmio.bar), "some-card-mmio");
    expect_hex(memory_region_size(&mmio.bar), 0x1000);
    expect_hex(in(0x500, 2), 0xb0c5);
    expect_hex(in(0x514, 2), 256);
    expect_hex(in(0x516, 2), 0xffff);
    out(0x502, 800, 2);
    out(0x504, 0x00200258, 4); /* two at a time */
    expect_register(VBE_XRES, 800);
    expect_register(VBE_YRES, 600);
    expect_register(VBE_BPP, 32);
    expect_hex(in(0x500, 8), 0x002002580320b0c5);
    expect_hex(in(0x503, 1), 3);
    /* Nothing else is there. */
    expect_hex(in(0, 4), 0xffffffff);
    expect_hex(in(0x400, 4), 0xffffffff);
    expect_hex(in(0xffc, 4), 0xffffffff);
    bar_end();
}
END_TEST

START_TEST(bar_byte_order)
{
    bar_start(NULL, NULL);
    expect_hex(in(0x600, 4), 8);
    expect_hex(in(0x604, 4), 0x1e1e1e1e);
    expect(!mmio.big_endian, "big-endian at reset");
    out(0x604, 0xbebebebe, 4);
    expect(mmio.big_endian, "not switched");
    expect_hex(in(0x604, 4), 0xbebebebe);
    out(0x604, 0, 4);
    out(0x600, 0x1e1e1e1e, 4);
    out(0x604, 0x1e, 1);
    expect(mmio.big_endian, "switched by what is no order");
    out(0x604, 0x1e1e1e1e, 4);
    expect(!mmio.big_endian, "not switched back");
    out(0x604, 0xbebebebe, 4);
    bochs_mmio_reset(&mmio);
    expect(!mmio.big_endian, "big-endian after reset");
    bar_end();
}
END_TEST

START_TEST(bar_edid)
{
    EDIDInfo info = { .width = 1920, .height = 1080 };
    uint8_t wanted[EDID_SIZE];

    memory_region_init_io(&vga_ports, &ports_ops, NULL, "ports", 0x20);
    bar_start(&info, &vga_ports);
    edid_make(wanted, &info);
    for (unsigned i = 0; i < EDID_SIZE; i++) {
        expect_hex(in(i, 1), wanted[i]);
    }
    expect_hex(in(0, 8), 0x00ffffffffffff00);
    expect_hex(in(35, 2), wanted[35] | wanted[36] << 8);
    out(0, 0x55, 1);
    expect_hex(in(0, 1), 0);
    info.width = 800;
    bochs_mmio_set_edid(&mmio, &info);
    expect_hex(in(56, 1), 800 & 0xff);
    expect_hex(in(0x400, 1), 0xc0);
    expect_hex(in(0x41f, 1), 0xdf);
    expect_hex(in(0x420, 1), 0xff);
    bar_end();
    memory_region_destroy(&vga_ports);
}
END_TEST

TEST_MAIN("bochs-vbe", reset_state, modes_of_vga, writes_of_vga, kept, never_outside,
          bar_registers, bar_byte_order, bar_edid)
