/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bochs-display and ramfb on the board pc without a CPU, and a viewer: what the guest
 * writes is what is seen, and whatever it asks for, nothing else is. FLATVIEW_SEED
 * replays what is asked for by chance, FLATVIEW_STEPS says how often.
 */
#include <endian.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/machine.h"
#include "hw/display/bochs-vbe.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"
#include "tests/device-util.h"
#include "tests/screen-util.h"
#include "ui/console.h"

#define MIB (1024 * 1024ull)
#define RAM_SIZE (16 * MIB)
#define VRAM 0xe0000000u
#define MMIO 0xf0000000u
#define ROM 0xf1000000u
#define SLOT 5
#define VRAM_SIZE (4 * MIB)

static Machine *machine;
static const char *backend; /* id of the object that is its RAM; NULL: none */
static TestViewer viewer;
static Console *con;
static GError *err;

/* A board with what @devices (parted by spaces) says, looked at. */
static void start(const char *devices)
{
    g_auto(GStrv) list = g_strsplit(devices, " ", -1);

    machine = machine_new(machine_type_find("pc", NULL));
    machine->memory_backend = g_strdup(backend);
    machine->ram_size = RAM_SIZE;
    expect(machine_init(machine, &err), "%s", err->message);
    for (unsigned i = 0; list[i]; i++) {
        expect(machine_plug(machine, list[i], &err), "%s", err->message);
    }
    expect(machine_prepare(machine, &err), "%s", err->message);
    memory_lock();
    machine_reset(machine);
    con = console_by_index(0);
    test_viewer_init(&viewer);
    viewer_attach(&viewer.viewer, con);
    console_refresh(con);
}

static void end(void)
{
    test_viewer_cleanup(&viewer);
    memory_unlock();
    machine_free(machine);
    expect(consoles_nr() == 0, "a console is left");
}

static void put(hwaddr addr, uint64_t value, unsigned size)
{
    address_space_write(&machine->memory, addr, (uint8_t *)&value, size);
}

static uint64_t get(hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    address_space_read(&machine->memory, addr, (uint8_t *)&value, size);
    return value;
}

static void out(unsigned port, uint32_t value, unsigned size)
{
    address_space_write(&machine->ports, port, (uint8_t *)&value, size);
}

static uint32_t config(unsigned slot, unsigned reg)
{
    uint32_t value = 0;

    out(0xcf8, 0x80000000u | slot << 11 | reg, 4);
    address_space_read(&machine->ports, 0xcfc, (uint8_t *)&value, 4);
    return value;
}

static void set_config(unsigned slot, unsigned reg, uint32_t value)
{
    out(0xcf8, 0x80000000u | slot << 11 | reg, 4);
    out(0xcfc, value, 4);
}

/* @size bytes at @addr, which are never all zero or the same. */
static void fill(hwaddr addr, uint64_t size)
{
    g_autofree uint8_t *bytes = g_malloc(size);

    content_fill(bytes, 5, addr, size);
    address_space_rw_attrs(&machine->memory, addr, MEMTXATTRS_UNSPECIFIED, bytes, size,
                           true);
}

static void refresh(void)
{
    viewer.images = viewer.changes = 0;
    console_refresh(con);
}

/* What a refresh shows has this size, and its pixels, of @size bytes, @stride apart, are
 * those at @addr; as the first and the last show. */
static void expect_screen(unsigned width, unsigned height, hwaddr addr, unsigned stride,
                          unsigned size)
{
    hwaddr last = addr + (hwaddr)stride * (height - 1) + (width - 1) * size;

    refresh();
    expect(pixman_image_get_width(viewer.copy) == (int)width &&
               pixman_image_get_height(viewer.copy) == (int)height,
           "%dx%d", pixman_image_get_width(viewer.copy),
           pixman_image_get_height(viewer.copy));
    expect_hex(image_pixel(viewer.copy, 0, 0), get(addr, 4) & 0xffffff);
    expect_hex(image_pixel(viewer.copy, width - 1, height - 1),
               get(last, 1) | get(last + 1, 1) << 8 | get(last + 2, 1) << 16);
}

static bool is_black(void)
{
    int width = pixman_image_get_width(viewer.copy);
    int height = pixman_image_get_height(viewer.copy);

    for (int i = 0; i < 100; i++) {
        if (image_pixel(viewer.copy, i * 7919 % width, i * 104729 % height)) {
            return false;
        }
    }
    return true;
}

static void expect_black(void)
{
    refresh();
    expect(is_black(), "not black");
}

/* ---- bochs-display --------------------------------------------------------------- */

static void set(unsigned index, uint16_t value)
{
    put(MMIO + BOCHS_MMIO_VBE + 2 * index, value, 2);
}

static void set_mode(unsigned width, unsigned height, unsigned bpp, unsigned virtual)
{
    set(VBE_XRES, width);
    set(VBE_YRES, height);
    set(VBE_BPP, bpp);
    set(VBE_VIRT_WIDTH, virtual);
    set(VBE_X_OFFSET, 0);
    set(VBE_Y_OFFSET, 0);
    set(VBE_ENABLE, VBE_ENABLED | VBE_LFB_ENABLED);
}

static void map_display(unsigned slot)
{
    set_config(slot, PCI_BASE_ADDRESS_0, VRAM);
    set_config(slot, PCI_BASE_ADDRESS_2, MMIO);
    set_config(slot, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

static void start_display(const char *devices)
{
    start(devices);
    map_display(SLOT);
    fill(VRAM, VRAM_SIZE);
}

START_TEST(display_function)
{
    start("bochs-display,addr=5,vgamem=5M");
    expect_hex(config(SLOT, PCI_VENDOR_ID), 0x11111234);
    expect_hex(config(SLOT, PCI_CLASS_REVISION), 0x03800002);
    set_config(SLOT, PCI_BASE_ADDRESS_0, UINT32_MAX);
    set_config(SLOT, PCI_BASE_ADDRESS_2, UINT32_MAX);
    expect_hex(config(SLOT, PCI_BASE_ADDRESS_0), 0xff800008); /* 8 MiB */
    expect_hex(config(SLOT, PCI_BASE_ADDRESS_2), 0xfffff000);
    map_display(SLOT);
    set_config(SLOT, PCI_ROM_ADDRESS, ROM | 1);
    expect_hex(get(ROM, 2), 0xaa55);
    expect_hex(get(MMIO + BOCHS_MMIO_VBE, 2), 0xb0c5);
    expect_hex(get(MMIO + BOCHS_MMIO_VBE + 2 * VBE_VIDEO_MEMORY_64K, 2), 128);
    expect_hex(get(MMIO, 8), 0x00ffffffffffff00);
    expect_hex(get(MMIO + BOCHS_MMIO_VGA, 4), 0xffffffff);
    console_suggest_size(con, 1600, 900);
    expect_hex(get(MMIO + 54 + 2, 1), 1600 & 0xff);
    end();
    start("bochs-display,addr=5,edid=off");
    map_display(SLOT);
    expect_hex(get(MMIO, 8), UINT64_MAX);
    console_suggest_size(con, 1600, 900);
    end();
}
END_TEST

START_TEST(display_modes)
{
    start_display("bochs-display,addr=5,vgamem=4M");
    expect_black();
    set_mode(640, 480, 32, 0);
    expect_screen(640, 480, VRAM, 2560, 4);
    set_mode(640, 480, 24, 1024);
    expect_screen(640, 480, VRAM, 3072, 3);
    set(VBE_X_OFFSET, 33);
    set(VBE_Y_OFFSET, 100);
    expect_screen(640, 480, VRAM + 100 * 3072 + 33 * 3, 3072, 3);

    /* Of 16 bits only whether it is there: tests of pixman are not for here. */
    set_mode(640, 480, 16, 0);
    refresh();
    expect_hex(viewer.images, 1);
    expect(!is_black(), "black");
    set_mode(640, 480, 15, 0);
    refresh();
    expect(viewer.images == 1 && !is_black(), "black");

    set_mode(640, 480, 32, 0);
    refresh();
    put(MMIO + BOCHS_MMIO_EXTENDED + 4, 0xbebebebe, 4);
    refresh();
    expect_hex(image_pixel(viewer.copy, 0, 0),
               __builtin_bswap32((uint32_t)get(VRAM, 4)) & 0xffffff);
    set_mode(640, 480, 16, 0); /* nobody knows such pixels */
    expect_black();
    machine_reset(machine);
    expect_black();
    map_display(SLOT);
    set_mode(640, 480, 32, 0);
    expect_screen(640, 480, VRAM, 2560, 4); /* and the order is the usual one */

    /* Off: black, of the size it had. */
    set(VBE_ENABLE, VBE_LFB_ENABLED);
    expect_black();
    expect(pixman_image_get_height(viewer.copy) == 480, "size");
    refresh();
    expect_hex(viewer.images, 0);
    end();
}
END_TEST

START_TEST(display_bounds)
{
    start_display("bochs-display,addr=5,vgamem=4M");
    set_mode(1024, 1024, 32, 0);
    expect_screen(1024, 1024, VRAM, 4096, 4); /* to the last byte */
    set(VBE_Y_OFFSET, 1);
    expect_black();
    set(VBE_Y_OFFSET, 0);
    expect_screen(1024, 1024, VRAM, 4096, 4);
    set(VBE_XRES, 1025);
    expect_black();
    set_mode(1024, 512, 32, 0);
    set(VBE_Y_OFFSET, 512);
    expect_screen(1024, 512, VRAM + 512 * 4096, 4096, 4);
    set(VBE_X_OFFSET, 1);
    expect_black();
    set_mode(643, 200, 24, 0); /* lines of an odd length */
    expect_black();
    set_mode(0, 0, 32, 0);
    expect_black();
    set_mode(1, 1, 32, 0);
    expect_screen(1, 1, VRAM, 4, 4);
    set_mode(65535, 65535, 32, 65535);
    set(VBE_X_OFFSET, 65535);
    set(VBE_Y_OFFSET, 65535);
    expect_black();
    end();
}
END_TEST

START_TEST(display_changes)
{
    start_display("bochs-display,addr=5,vgamem=4M");
    set_mode(512, 512, 32, 0); /* two lines a page */
    expect_screen(512, 512, VRAM, 2048, 4);
    refresh();
    expect_hex(viewer.changes, 0);
    put(VRAM + 2048 * 100 + 40, 0x123456, 4);
    refresh();
    expect(viewer.changes == 1 && viewer.last.y1 == 100 && viewer.last.y2 == 102,
           "lines from %d to %d", viewer.last.y1, viewer.last.y2);
    test_viewer_check(&viewer);
    expect_hex(image_pixel(viewer.copy, 10, 100), 0x123456);
    put(VRAM + 2048 * 512, 0, 4); /* behind it */
    set(VBE_BANK, 5);               /* seen in no picture */
    refresh();
    expect(viewer.changes == 0 && viewer.images == 0, "a change");

    viewer_pause(&viewer.viewer, true);
    put(VRAM, 0x654321, 4);
    viewer_pause(&viewer.viewer, false);
    refresh();
    expect_hex(image_pixel(viewer.copy, 0, 0), 0x654321);
    test_viewer_check(&viewer);
    end();
}
END_TEST

/* It goes while it is looked at; another one stays. */
START_TEST(display_unplugged)
{
    PCIDevice *dev;

    start_display("bochs-display,addr=5,vgamem=4M,id=a "
                  "bochs-display,addr=6,vgamem=4M,id=b");
    set_mode(640, 480, 32, 0);
    expect_screen(640, 480, VRAM, 2560, 4);
    ck_assert_str_eq(console_label(con), "bochs-display a");
    expect(console_find("b", 0, NULL) == console_by_index(1), "not b's");
    dev = machine->pci->devices[PCI_DEVFN(SLOT, 0)];
    pci_device_unplug(dev);
    expect(!viewer.image && !viewer.viewer.console, "the viewer looks at what is gone");
    expect(!console_by_index(0), "the console is there");
    con = console_by_index(1);
    viewer_attach(&viewer.viewer, con);
    map_display(6);
    fill(VRAM, VRAM_SIZE);
    set_mode(800, 600, 32, 0);
    expect_screen(800, 600, VRAM, 3200, 4);
    end();
}
END_TEST

START_TEST(display_by_chance)
{
    static const uint16_t values[] = { 0, 1, 8, 15, 16, 24, 32, 0x41, 64, 640, 1024 };
    unsigned seed = test_number("FLATVIEW_SEED", 1);
    unsigned steps = test_number("FLATVIEW_STEPS", 3000);
    GRand *rand = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start_display("bochs-display,addr=5,vgamem=4M");
    for (unsigned i = 0; i < steps; i++) {
        unsigned index = g_rand_int_range(rand, 0, VBE_REGS_NR + 1);

        set(index, g_rand_int_range(rand, 0, 4) ? values[g_rand_int_range(rand, 0, 11)]
                                                : g_rand_int(rand));
        if (index == VBE_ENABLE) {
            set(VBE_ENABLE, 0x41);
            put(MMIO + BOCHS_MMIO_EXTENDED + 4, g_rand_boolean(rand) ? 0xbebebebe
                                                                       : 0x1e1e1e1e, 4);
        }
        put(VRAM + g_rand_int_range(rand, 0, VRAM_SIZE - 4), i, 4);
        if (i % 3 == 0) {
            refresh();
        }
    }
    end();
    g_rand_free(rand);
}
END_TEST

/* ---- ramfb ----------------------------------------------------------------------- */

#define REQUEST 0x1000
#define BUFFER 0x2000
#define PICTURE 0x400000

static uint32_t dma(uint32_t control, uint32_t size)
{
    put(REQUEST, htobe32(control), 4);
    put(REQUEST + 4, htobe32(size), 4);
    put(REQUEST + 8, htobe64(BUFFER), 8);
    out(FW_CFG_DMA_PORT, 0, 4);
    out(FW_CFG_DMA_PORT + 4, htobe32(REQUEST), 4);
    return be32toh(get(REQUEST, 4));
}

static uint16_t file_key(const char *name, uint32_t *size)
{
    uint32_t count;

    dma(FW_CFG_FILE_DIR << 16 | 8 | 2, 4);
    count = be32toh(get(BUFFER, 4));
    for (unsigned i = 0; i < count; i++) {
        char there[56];

        dma(2, 64);
        address_space_read(&machine->memory, BUFFER + 8, (uint8_t *)there, sizeof(there));
        if (strcmp(there, name) == 0) {
            *size = be32toh(get(BUFFER, 4));
            return be16toh(get(BUFFER + 4, 2));
        }
    }
    test_fail("no file %s", name);
}

static void set_ramfb(uint64_t addr, const char *format, uint32_t width, uint32_t height,
                      uint32_t stride)
{
    uint32_t size;
    uint16_t key = file_key("etc/ramfb", &size);

    expect_hex(size, 28);
    put(BUFFER, htobe64(addr), 8);
    for (unsigned i = 0; i < 4; i++) {
        put(BUFFER + 8 + i, format[3 - i], 1);
    }
    put(BUFFER + 12, 0, 4);
    put(BUFFER + 16, htobe32(width), 4);
    put(BUFFER + 20, htobe32(height), 4);
    put(BUFFER + 24, htobe32(stride), 4);
    expect_hex(dma(key << 16 | 8 | 16, 28), 0);
}

START_TEST(ramfb_modes)
{
    uint32_t size;

    start("ramfb");
    expect_black();
    file_key("vgaroms/vgabios-ramfb.bin", &size);
    expect(size > 0x1000 && size % 512 == 0, "no option ROM");
    fill(PICTURE, 4 * MIB);
    set_ramfb(PICTURE, "XR24", 640, 480, 0);
    expect_screen(640, 480, PICTURE, 2560, 4);
    set_ramfb(PICTURE + 8, "AR24", 1024, 768, 8192);
    expect_screen(1024, 768, PICTURE + 8, 8192, 4);
    set_ramfb(PICTURE, "RG24", 640, 480, 0);
    expect_screen(640, 480, PICTURE, 1920, 3);
    set_ramfb(PICTURE, "XB24", 640, 480, 0);
    refresh();
    expect_hex(image_pixel(viewer.copy, 0, 0),
               __builtin_bswap32((uint32_t)get(PICTURE, 4)) >> 8);
    set_ramfb(PICTURE, "RG16", 640, 480, 0);
    refresh();
    expect(viewer.images == 1 && !is_black(), "black");

    set_ramfb(PICTURE, "XR24", 640, 480, 0);
    refresh();
    machine_reset(machine);
    expect_black();
    set_ramfb(PICTURE, "XR24", 640, 480, 0);
    expect_screen(640, 480, PICTURE, 2560, 4);

    /* Part of the file is written: it is looked at as a whole. */
    put(BUFFER, htobe64(PICTURE + 16), 8);
    dma(file_key("etc/ramfb", &size) << 16 | 8 | 4, 0);
    put(BUFFER, htobe64(PICTURE + 16), 8);
    dma(16, 8);
    expect_screen(640, 480, PICTURE + 16, 2560, 4);
    end();
}
END_TEST

START_TEST(ramfb_bounds)
{
    static const struct {
        uint64_t addr;
        const char *format;
        uint32_t width, height, stride;
    } no[] = {
        { RAM_SIZE - 2560 * 480 + 4, "XR24", 640, 480, 0 },
        { RAM_SIZE, "XR24", 640, 480, 0 },
        { 0xfee00000, "XR24", 16, 16, 0 },
        { 0xfffff000, "XR24", 640, 480, 0 }, /* ROM */
        { 1ull << 40, "XR24", 640, 480, 0 },
        { -4096ull, "XR24", 640, 480, 0 },
        { -4096ull, "XR24", 16, 16, 0 },
        { 0x90000, "XR24", 320, 240, 0 }, /* over a ROM */
        { VRAM, "XR24", 64, 64, 0 },      /* a card's memory */
        { PICTURE, "XR24", 0, 480, 0 },
        { PICTURE, "XR24", 640, 0, 0 },
        { PICTURE, "XR24", 16385, 1, 0 },
        { PICTURE, "XR24", 1, 16385, 0 },
        { PICTURE, "XR24", 0x40000001, 1, 0 },
        { PICTURE, "XR24", 0xffffffff, 0xffffffff, 0xffffffff },
        { PICTURE, "XR24", 16384, 16384, 0 },
        { PICTURE, "XR24", 640, 480, 0xfffffffc },
        { PICTURE, "XR24", 640, 480, 0x80000000 },
        { PICTURE, "XR24", 640, 480, 2561 },
        { PICTURE, "XR24", 640, 480, 2556 },
        { PICTURE, "XR24", 16384, 16384, 4 },
        { PICTURE, "RG24", 641, 480, 0 },
        { PICTURE + 2, "XR24", 640, 480, 0 },
        { PICTURE, "NV12", 640, 480, 0 },
        { PICTURE, "\0\0\0\0", 640, 480, 0 },
    };

    start("ramfb bochs-display,addr=5,vgamem=4M");
    map_display(SLOT);
    fill(PICTURE, 4 * MIB);
    fill(VRAM, MIB);
    fill(0x90000, 0x10000);
    for (unsigned i = 0; i < G_N_ELEMENTS(no); i++) {
        set_ramfb(PICTURE, "XR24", 640, 480, 0);
        expect_screen(640, 480, PICTURE, 2560, 4);
        expect(memory_region_is_logging(&machine->ram), "not logged");
        set_ramfb(no[i].addr, no[i].format, no[i].width, no[i].height, no[i].stride);
        refresh();
        expect(is_black(), "%u is shown", i);
        expect(!memory_region_is_logging(&machine->ram), "%u: logged for nothing", i);
    }
    set_ramfb(RAM_SIZE - 2560 * 480, "XR24", 640, 480, 0);
    fill(RAM_SIZE - 2560 * 480, 2560 * 480);
    expect_screen(640, 480, RAM_SIZE - 2560 * 480, 2560, 4);
    set_ramfb(0x90000, "XR24", 128, 128, 0); /* up to it */
    expect_screen(128, 128, 0x90000, 512, 4);
    end();
}
END_TEST

/* RAM from 0xc0000 to 0xeffff is seen there; or not. */
static void set_pam(bool ram)
{
    for (unsigned reg = 0x5a; reg <= 0x5f; reg++) {
        out(0xcf8, 0x80000000u | (reg & ~3u), 4);
        out(0xcfc + reg % 4, ram ? 0x33 : 0, 1);
    }
}

/* What is shown stays what it was when the map changes. */
START_TEST(ramfb_remapped)
{
    start("ramfb");
    set_pam(true);
    fill(0xc0000, 0x20000);
    set_ramfb(0xe8000, "XR24", 128, 128, 0); /* partly RAM */
    expect_black();
    set_ramfb(0xc0000, "XR24", 128, 256, 0); /* of several of the bridge's registers */
    expect_screen(128, 256, 0xc0000, 512, 4);
    set_pam(false);
    refresh();
    expect(viewer.images == 0 && !is_black(), "not shown any more");
    set_ramfb(0xc0000, "XR24", 128, 256, 0);
    expect_black();
    end();
}
END_TEST

/* RAM that the user made. */
START_TEST(ramfb_backend)
{
    expect(user_object_add("memory-backend-ram,id=m,size=16M", &err), "%s", err->message);
    backend = "m";
    start("ramfb");
    fill(PICTURE, 4 * MIB);
    set_ramfb(PICTURE, "XR24", 512, 512, 0);
    expect_screen(512, 512, PICTURE, 2048, 4);
    put(PICTURE + 2048 * 11, 0xabcdef, 4);
    refresh();
    expect(viewer.changes == 1 && viewer.last.y1 == 10 && viewer.last.y2 == 12,
           "lines from %d to %d", viewer.last.y1, viewer.last.y2);
    end();
    backend = NULL;
    user_objects_free();
}
END_TEST

/* Who copies the first picture misses nothing from then on. */
static void expect_logging(TestViewer *v, bool image)
{
    expect(!image || !v->image || pixman_image_get_width(v->image) != 512 ||
               memory_region_is_logging(&machine->ram), "a picture without a log");
}

START_TEST(ramfb_watched)
{
    start("ramfb");
    viewer.hook = expect_logging;
    fill(PICTURE, 4 * MIB);
    expect(!memory_region_is_logging(&machine->ram), "logged before there is a picture");
    set_ramfb(PICTURE, "XR24", 512, 512, 0);
    expect_screen(512, 512, PICTURE, 2048, 4);
    expect(memory_region_is_logging(&machine->ram), "not logged");
    refresh();
    expect_hex(viewer.changes, 0);
    put(PICTURE + 2048 * 11 + 4, 0xabcdef, 4);
    put(PICTURE - 4, 0, 4);
    put(PICTURE + 2048 * 512, 0, 4);
    refresh();
    expect(viewer.changes == 1 && viewer.last.y1 == 10 && viewer.last.y2 == 12,
           "lines from %d to %d", viewer.last.y1, viewer.last.y2);
    test_viewer_check(&viewer);

    viewer_pause(&viewer.viewer, true);
    expect(!memory_region_is_logging(&machine->ram), "logged while nobody looks");
    set_ramfb(PICTURE + 4096, "XR24", 256, 256, 0);
    console_refresh(con); /* for a screendump, say */
    expect(!memory_region_is_logging(&machine->ram), "logged for one look");
    put(PICTURE + 4096, 0x112233, 4);
    viewer_pause(&viewer.viewer, false);
    expect(memory_region_is_logging(&machine->ram), "not logged");
    expect_screen(256, 256, PICTURE + 4096, 1024, 4);
    test_viewer_check(&viewer);
    end();
    start("ramfb"); /* the machine goes while it is looked at */
    set_ramfb(PICTURE, "XR24", 512, 512, 0);
    refresh();
    machine_free(machine);
    memory_unlock();
    expect(!viewer.image, "the viewer looks at what is gone");
    test_viewer_cleanup(&viewer);
}
END_TEST

START_TEST(ramfb_by_chance)
{
    static const char *const formats[] = { "XR24", "RG24", "RG16", "XR30", "BX24" };
    unsigned seed = test_number("FLATVIEW_SEED", 1);
    unsigned steps = test_number("FLATVIEW_STEPS", 300);
    GRand *rand = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start("ramfb");
    for (unsigned i = 0; i < steps; i++) {
        bool wild = g_rand_boolean(rand);

        set_ramfb(g_rand_int_range(rand, 0, RAM_SIZE) * (wild ? 0x40001ull : 1) & ~3ull,
                  formats[g_rand_int_range(rand, 0, 5)],
                  wild ? g_rand_int(rand) : g_rand_int(rand) % 2000,
                  wild ? g_rand_int(rand) : g_rand_int(rand) % 1000,
                  wild ? g_rand_int(rand) : g_rand_int(rand) % 2000 * 4);
        put(g_rand_int_range(rand, 0x100000, RAM_SIZE - 8), i, 8);
        refresh();
    }
    end();
    g_rand_free(rand);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------- */

static void refused(const char *type, const char *plug, const char *word)
{
    machine = machine_new(machine_type_find(type, NULL));
    machine->ram_size = RAM_SIZE;
    expect(machine_init(machine, &err), "%s", err->message);
    expect(!machine_plug(machine, plug, &err), "%s is not refused", plug);
    expect(strstr(err->message, word), "not '%s' in: %s", word, err->message);
    g_clear_error(&err);
    expect(consoles_nr() == 0, "a console is left");
    machine_free(machine);
}

START_TEST(refusals)
{
    g_autofree char *large = g_build_filename(test_folder(), "rom", NULL);
    g_autofree char *option = g_strdup_printf("ramfb,romfile=%s", large);

    refused("pc", "bochs-display,vgamem=3M", "video memory too small");
    refused("pc", "bochs-display,vgamem=257M", "video memory too big");
    refused("pc", "bochs-display,romfile=no-such-rom",
            "\"no-such-rom\" (romfile= for none)");
    refused("pc", "bochs-display,xres=16001", "16000");
    refused("pc", "ramfb,romfile=no-such-rom", "\"no-such-rom\" (romfile= for none)");
    ck_assert(g_file_set_contents(large, "", 0, NULL));
    ck_assert(truncate(large, 0x20001) == 0);
    refused("pc", option, "128 KiB");
    refused("pc", "ramfb,romfile=/dev/zero", "no regular file");
    ck_assert(unlink(large) == 0 && mkfifo(large, 0600) == 0);
    refused("pc", option, "no regular file");
    ck_assert(unlink(large) == 0);
    refused("microvm", "ramfb", "no fw_cfg");

    machine = machine_new(machine_type_find("pc", NULL));
    machine->ram_size = RAM_SIZE;
    expect(machine_init(machine, &err), "%s", err->message);
    expect(machine_plug(machine, "ramfb,romfile=", &err), "%s", err->message);
    expect(!machine_plug(machine, "ramfb", &err), "two of them");
    expect_error(g_steal_pointer(&err), "etc/ramfb", "only one", NULL);
    machine_free(machine);
}
END_TEST

TEST_MAIN("display-devices", display_function, display_modes, display_bounds,
          display_changes, display_unplugged, display_by_chance, ramfb_modes,
          ramfb_bounds, ramfb_remapped, ramfb_backend, ramfb_watched, ramfb_by_chance,
          refusals)
