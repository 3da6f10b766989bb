/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * port92: system control port A of the PS/2: a fast reset, and a fast gate of address
 * line 20. The gate is remembered and always open, as no processor that KVM runs has
 * one. Intel 82371SB datasheet, chapter 3.2.7.2.
 */
#include "hw/core/device.h"
#include "sysemu.h"

#define FAST_INIT 0x01 /* a rise resets, and a reset makes it 0 */

typedef struct Port92 {
    Device dev;
    uint8_t value;
} Port92;

static uint64_t port92_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((Port92 *)opaque)->value;
}

static void port92_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ((Port92 *)opaque)->value = data;
    if (data & FAST_INIT) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

static const MemoryRegionOps port92_ops = {
    .read = port92_read,
    .write = port92_write,
    .impl.max_access_size = 1,
};

static void port92_reset(Device *dev)
{
    ((Port92 *)dev)->value = 0;
}

const DeviceType port92_type = {
    .name = "port92",
    .description = "fast reset and address line 20",
    .size = sizeof(Port92),
    .ops = &port92_ops,
    .ops_size = 1,
    .reset = port92_reset,
};
