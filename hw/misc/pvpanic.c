/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pvpanic: a port by which a guest says that it has panicked. The interface is
 * the one that Linux's driver for "QEMU0001" and libvirt's <panic model='isa'>
 * know: a read gives the events there are, a write reports those whose bits are
 * set.
 */
#include "hw/core/device.h"
#include "sysemu.h"

#define PANICKED 0x1    /* the guest has panicked */
#define CRASHLOADED 0x2 /* it has, and deals with it itself: a crash kernel */

typedef struct PVPanic {
    Device dev;
    uint32_t ioport;
    uint8_t events; /* those that the guest is told of, and may report */
} PVPanic;

static uint64_t pvpanic_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((PVPanic *)opaque)->events;
}

static void pvpanic_write(void *opaque, hwaddr addr, uint64_t data,
                          unsigned size)
{
    PVPanic *s = opaque;

    if (data & s->events & PANICKED) {
        vm_request_panic();
    } else if (data & s->events & CRASHLOADED) {
        vm_event_send(&(VMEvent){ .kind = VM_EVENT_GUEST_CRASHLOADED,
                                  .action = "run" });
    }
}

static const MemoryRegionOps pvpanic_ops = {
    .read = pvpanic_read,
    .write = pvpanic_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static const Property pvpanic_properties[] = {
    { "ioport", PROP_UINT32, offsetof(PVPanic, ioport), "0x505",
      "the port", .max = 0xffff },
    { "events", PROP_UINT8, offsetof(PVPanic, events), "3",
      "bits of what can be reported: 1 a panic, 2 a crash kernel", .max = 3 },
    { 0 },
};

const DeviceType pvpanic_type = {
    .name = "pvpanic",
    .description = "hears from the guest that it has panicked",
    .size = sizeof(PVPanic),
    .properties = pvpanic_properties,
    .user_creatable = true,
    .hotpluggable = true,
    .ops = &pvpanic_ops,
    .ops_size = 1,
    .plug = device_plug_iobase,
};
