/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-debug-exit: lets a test guest end the program. Writing v gives the exit
 * status (v << 1) | 1, of which the host keeps the low 8 bits: always odd, so
 * never that of an ordinary end. Reads give 0.
 */
#include "hw/core/device.h"
#include "sysemu.h"

typedef struct DebugExit {
    Device dev;
    MemoryRegion ports;
    uint32_t iobase;
    uint32_t iosize;
} DebugExit;

static uint64_t debug_exit_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void debug_exit_write(void *opaque, hwaddr addr, uint64_t data,
                             unsigned size)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
                        ((data << 1) | 1) & 0xff);
}

static const MemoryRegionOps debug_exit_ops = {
    .read = debug_exit_read,
    .write = debug_exit_write,
    .valid.unaligned = true,
    .impl.unaligned = true,
};

static bool debug_exit_realize(Device *dev, GError **err)
{
    DebugExit *s = (DebugExit *)dev;

    if (s->iosize == 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'iosize' must be 1 to 4");
        return false;
    }
    memory_region_init_io(&s->ports, &debug_exit_ops, s, "isa-debug-exit",
                          s->iosize);
    device_add_region(dev, &s->ports);
    return true;
}

static const Property debug_exit_properties[] = {
    { "iobase", PROP_UINT32, offsetof(DebugExit, iobase), "0x501",
      "the first port", .max = 0xffff },
    { "iosize", PROP_UINT32, offsetof(DebugExit, iosize), "2",
      "how many ports, and bytes of a write", .max = 4 },
    { 0 },
};

const DeviceType isa_debug_exit_type = {
    .name = "isa-debug-exit",
    .description = "ends the program with a status the guest chooses",
    .size = sizeof(DebugExit),
    .properties = debug_exit_properties,
    .user_creatable = true,
    .hotpluggable = true,
    .realize = debug_exit_realize,
    .plug = device_plug_iobase,
};
