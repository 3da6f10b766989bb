/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VGA: a standard VGA with Bochs' display interface on the PCI bus. Identity, BARs and
 * properties are those of QEMU's docs/specs/standard-vga: BAR 0 is video memory, BAR 2 has
 * the registers and EDID. The legacy window and ports are there whatever the command
 * register says, since firmware looks for them so.
 */
#include "hw/display/vga-internal.h"
#include "hw/pci/pci.h"

#define VRAM_MB_MAX 512
#define MIB 0x100000ull

typedef struct VGAPCI {
    PCIDevice dev; /* first, always */
    /* Properties */
    uint32_t vram_mb;
    bool mmio;
    bool edid;
    EDIDInfo edid_info;

    VGAState vga;
} VGAPCI;

static VGAPCI *vga_pci(VGAState *s)
{
    return (VGAPCI *)((char *)s - offsetof(VGAPCI, vga));
}

static void suggest_size(VGAState *vga, unsigned width, unsigned height)
{
    VGAPCI *s = vga_pci(vga);
    EDIDInfo info = s->edid_info;

    if (s->mmio && s->edid && width && height) {
        info.width = width;
        info.height = height;
        bochs_mmio_set_edid(&vga->mmio, &info);
    }
}

static uint64_t vram_size(const VGAPCI *s)
{
    uint64_t size = MIB;

    while (size < s->vram_mb * MIB) {
        size *= 2;
    }
    return size;
}

static void vga_pci_unrealize(PCIDevice *dev)
{
    VGAPCI *s = (VGAPCI *)dev;

    if (s->mmio) {
        bochs_mmio_cleanup(&s->vga.mmio);
    }
    vga_cleanup(&s->vga);
}

static bool vga_pci_realize(PCIDevice *dev, GError **err)
{
    VGAPCI *s = (VGAPCI *)dev;
    VGAState *vga = &s->vga;

    if (!s->vram_mb) {
        g_set_error(err, FLATVIEW_ERROR, 0, "vgamem_mb=0: video memory has 1 to %d MiB",
                    VRAM_MB_MAX);
        return false;
    }
    vga->suggest_size = suggest_size;
    if (!vga_init(vga, &dev->device, vram_size(s), err)) {
        return false;
    }
    pci_add_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_PREFETCH,
                &vga->vram);
    if (s->mmio) {
        bochs_mmio_init(&vga->mmio, &dev->device, &vga->vbe,
                        s->edid ? &s->edid_info : NULL, &vga->mmio_ports);
        memory_region_set_flush_coalesced(&vga->mmio.registers);
        pci_add_bar(dev, 2, PCI_BASE_ADDRESS_SPACE_MEMORY, &vga->mmio.bar);
    }
    if (!vga_map(vga, dev->bus->memory, dev->bus->io, err)) {
        vga_pci_unrealize(dev);
        return false;
    }
    return true;
}

static void vga_pci_reset(PCIDevice *dev)
{
    VGAPCI *s = (VGAPCI *)dev;

    vga_reset(&s->vga);
    bochs_mmio_reset(&s->vga.mmio);
}

static const Property vga_pci_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { "vgamem_mb", PROP_UINT32, offsetof(VGAPCI, vram_mb), "16",
      "video memory in MiB, rounded up to a power of two", VRAM_MB_MAX },
    { "mmio", PROP_BOOL, offsetof(VGAPCI, mmio), "on",
      "registers and EDID in memory, too: BAR 2", 0 },
    EDID_PROPERTIES(VGAPCI),
    { 0 },
};

const DeviceType vga_pci_type = {
    .name = "VGA",
    .description = "standard VGA with Bochs' display interface",
    .size = sizeof(VGAPCI),
    .properties = vga_pci_properties,
    .user_creatable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){
        .vendor_id = 0x1234, .device_id = 0x1111, .class_code = 0x030000, .revision = 2,
        .romfile = "vgabios-stdvga.bin",
        .realize = vga_pci_realize, .unrealize = vga_pci_unrealize, .reset = vga_pci_reset,
    },
};
