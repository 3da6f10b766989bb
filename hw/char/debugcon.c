/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa-debugcon: the Bochs debug console. Each byte written to the port is sent, or
 * dropped where the peer has no room; what is read, 0xe9, tells software it is there. */
#include "hw/core/chardev.h"
#include "hw/core/device.h"

typedef struct DebugCon {
    Device dev;
    Chardev *chr;
    uint16_t iobase;
    uint8_t readback;
} DebugCon;

static uint64_t debugcon_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((DebugCon *)opaque)->readback;
}

static void debugcon_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    chardev_write(((DebugCon *)opaque)->chr, &(uint8_t){ data }, 1);
}

static const Property debugcon_properties[] = {
    { "chardev", PROP_CHARDEV, offsetof(DebugCon, chr), NULL, "where bytes go", 0 },
    { "iobase", PROP_UINT16, offsetof(DebugCon, iobase), "0xe9", "the port", 0 },
    { "readback", PROP_UINT8, offsetof(DebugCon, readback), "0xe9", "what is read", 0 },
    { 0 },
};

const DeviceType isa_debugcon_type = {
    .name = "isa-debugcon", .description = "debug console port",
    .user_creatable = true, .hotpluggable = true,
    .size = sizeof(DebugCon), .properties = debugcon_properties,
    .ops = &(const MemoryRegionOps){ debugcon_read, debugcon_write,
                                     .impl.max_access_size = 1 },
    .ops_size = 1, .plug = device_plug_iobase,
};
