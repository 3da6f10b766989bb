/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bochs-display: a PCI display of nothing but a linear frame buffer, which Bochs'
 * registers describe; no VGA. Its interface is public: QEMU's docs/specs/standard-vga;
 * Linux's driver is bochs.
 *
 * BAR 0 is the video memory, BAR 2 the registers (bochs-vbe.h). The guest may write any
 * number to any register at any time, so what they say is looked at when the picture is
 * refreshed, and what makes no picture is black.
 */
#include <string.h>

#include "hw/display/bochs-vbe.h"
#include "hw/display/framebuffer.h"
#include "hw/pci/pci.h"

#define VRAM_MIN (4 * 1024 * 1024ull)
#define VRAM_MAX (256 * 1024 * 1024ull)

typedef struct BochsDisplay {
    PCIDevice dev;
    uint64_t vram_size; /* properties */
    bool edid;
    EDIDInfo edid_info;
    MemoryRegion vram;
    BochsVBE vbe;
    BochsMMIO mmio;
    Framebuffer fb;
    FramebufferMode shown; /* width 0: none, it is black */
    bool shown_big_endian;
} BochsDisplay;

/* ---- the picture ----------------------------------------------------------------- */

/* 0: pixman has no such format. */
static pixman_format_code_t pixel_format(unsigned bpp, bool big_endian)
{
    switch (bpp) {
    case 15:
        return big_endian ? 0 : PIXMAN_x1r5g5b5;
    case 16:
        return big_endian ? 0 : PIXMAN_r5g6b5;
    case 24:
        return big_endian ? PIXMAN_b8g8r8 : PIXMAN_r8g8b8;
    case 32:
        return big_endian ? PIXMAN_b8g8r8x8 : PIXMAN_x8r8g8b8;
    default:
        return 0;
    }
}

static void update_mode(BochsDisplay *s)
{
    FramebufferMode mode = { 0 };
    bool big_endian = s->mmio.big_endian;
    pixman_format_code_t format = bochs_vbe_mode(&s->vbe, &mode)
                                      ? pixel_format(mode.bpp, big_endian) : 0;

    if (!format) {
        mode = (FramebufferMode){ 0 };
    }
    if (memcmp(&mode, &s->shown, sizeof(mode)) == 0 &&
        big_endian == s->shown_big_endian) {
        return;
    }
    s->shown = mode;
    s->shown_big_endian = big_endian;
    if (format) {
        framebuffer_set(&s->fb, &s->vram, mode.offset, mode.width, mode.height,
                        mode.stride, format, NULL);
    } else {
        framebuffer_clear(&s->fb);
    }
}

static void display_refresh(void *opaque)
{
    BochsDisplay *s = opaque;

    update_mode(s);
    framebuffer_refresh(&s->fb);
}

static void display_invalidate(void *opaque)
{
    framebuffer_invalidate(&((BochsDisplay *)opaque)->fb);
}

static void display_watch(void *opaque, bool watched)
{
    memory_region_set_log(&((BochsDisplay *)opaque)->vram, watched, DIRTY_MEMORY_VGA);
}

/* The guest sees it when it looks at the EDID again. */
static void display_suggest_size(void *opaque, unsigned width, unsigned height)
{
    BochsDisplay *s = opaque;
    EDIDInfo info = s->edid_info;

    info.width = width;
    info.height = height;
    bochs_mmio_set_edid(&s->mmio, &info);
}

static const ConsoleOps display_ops = {
    .refresh = display_refresh,
    .invalidate = display_invalidate,
    .watch = display_watch,
    .suggest_size = display_suggest_size,
};

/* ---- life ------------------------------------------------------------------------ */

static bool display_realize(PCIDevice *dev, GError **err)
{
    BochsDisplay *s = (BochsDisplay *)dev;
    g_autofree char *name = g_strdup_printf("%s:%s/bochs-display-vram", dev->bus_name,
                                            dev->addr_text);
    uint64_t size = VRAM_MIN;

    if (s->vram_size < VRAM_MIN || s->vram_size > VRAM_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'vgamem': video memory too %s: "
                    "it must be from 4M to 256M",
                    s->vram_size < VRAM_MIN ? "small" : "big");
        return false;
    }
    while (size < s->vram_size) {
        size *= 2;
    }
    if (!memory_region_try_init_ram(&s->vram, name, size, err)) {
        g_prefix_error(err, "property 'vgamem': ");
        return false;
    }
    pci_add_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_PREFETCH,
                &s->vram);
    s->vbe.vram_size = size;
    s->vbe.keep = true;
    bochs_mmio_init(&s->mmio, &dev->device, &s->vbe, s->edid ? &s->edid_info : NULL,
                    NULL);
    pci_add_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio.bar);
    s->fb.console = console_new(&dev->device, 0, &display_ops, s);
    return true;
}

static void display_unrealize(PCIDevice *dev)
{
    BochsDisplay *s = (BochsDisplay *)dev;

    console_free(s->fb.console);
    bochs_mmio_cleanup(&s->mmio);
}

static void display_reset(PCIDevice *dev)
{
    BochsDisplay *s = (BochsDisplay *)dev;

    bochs_vbe_reset(&s->vbe);
    bochs_mmio_reset(&s->mmio);
}

static const Property display_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { "vgamem", PROP_SIZE, offsetof(BochsDisplay, vram_size), "16M",
      "video memory, from 4M to 256M", 0 },
    EDID_PROPERTIES(BochsDisplay),
    { 0 },
};

const DeviceType bochs_display_type = {
    .name = "bochs-display",
    .description = "display of a linear frame buffer, without VGA",
    .size = sizeof(BochsDisplay),
    .properties = display_properties,
    .user_creatable = true,
    .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1234, .device_id = 0x1111,
                             .class_code = 0x038000, .revision = 2,
                             .romfile = "vgabios-bochs-display.bin",
                             .realize = display_realize,
                             .unrealize = display_unrealize, .reset = display_reset },
};
