/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioapic: where the interrupts of all devices arrive. KVM serves the chip, and
 * the two 8259A that share its first inputs, in the kernel; here are its inputs
 * and its place in memory. Without KVM (-accel qtest) they lead nowhere but to a
 * test that listens. Intel 82093AA data sheet.
 */
#include "hw/i386/ioapic.h"
#include "target-i386/cpu.h"

#include <assert.h>

typedef struct IOAPIC {
    Device dev;
    MemoryRegion page;
    IRQLine outputs[IOAPIC_INPUTS];
} IOAPIC;

void ioapic_connect(Device *ioapic, unsigned n, IRQLine irq)
{
    assert(n < IOAPIC_INPUTS);
    ((IOAPIC *)ioapic)->outputs[n] = irq;
}

static void ioapic_set_input(Device *dev, unsigned n, bool level)
{
    irq_set(&((IOAPIC *)dev)->outputs[n], level);
}

static bool ioapic_realize(Device *dev, GError **err)
{
    IOAPIC *s = (IOAPIC *)dev;

    memory_region_init_reservation(&s->page, "ioapic", X86_IOAPIC_SIZE);
    device_add_region(dev, &s->page);
    return true;
}

const DeviceType ioapic_type = {
    .name = "ioapic",
    .description = "inputs of the interrupt controllers",
    .size = sizeof(IOAPIC),
    .realize = ioapic_realize,
    .inputs_nr = IOAPIC_INPUTS,
    .set_input = ioapic_set_input,
};
