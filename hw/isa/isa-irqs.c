/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-irqs: the interrupt wires of a board, in front of its interrupt controllers. A
 * wire is up while anybody holds it up: COM1 and COM3, or a device of ISA and a route
 * of PCI. The device that is at an input itself (device_irq_in()) is one of them;
 * one that a user adds goes there.
 */
#include "hw/isa/isa-irqs.h"

#include <assert.h>

typedef struct ISAIrqs {
    Device dev;
    uint16_t levels[ISA_IRQS]; /* bit 0: the input; then those that share it */
    uint8_t sharers[ISA_IRQS];
    IRQLine outputs[ISA_IRQS];
} ISAIrqs;

static void set_level(ISAIrqs *s, unsigned n, unsigned sharer, bool level)
{
    bool before = s->levels[n];

    s->levels[n] &= ~(1u << sharer);
    s->levels[n] |= level << sharer;
    if (before != !!s->levels[n]) {
        irq_set(&s->outputs[n], !before);
    }
}

static void isa_irqs_set_input(Device *dev, unsigned n, bool level)
{
    set_level((ISAIrqs *)dev, n, 0, level);
}

/* @n: the wire, and in the higher bits which of its sharers. */
static void set_shared(void *opaque, int n, int level)
{
    set_level(opaque, n % ISA_IRQS, n / ISA_IRQS, level);
}

void isa_irqs_connect(Device *irqs, unsigned n, IRQLine out)
{
    assert(n < ISA_IRQS);
    ((ISAIrqs *)irqs)->outputs[n] = out;
}

IRQLine isa_irqs_share(Device *irqs, unsigned n)
{
    ISAIrqs *s = (ISAIrqs *)irqs;

    assert(n < ISA_IRQS && s->sharers[n] < ISA_IRQ_SHARERS);
    s->sharers[n]++;
    return (IRQLine){ set_shared, s, s->sharers[n] * ISA_IRQS + n };
}

const DeviceType isa_irqs_type = {
    .name = "isa-irqs",
    .description = "interrupt wires that devices share",
    .size = sizeof(ISAIrqs),
    .inputs_nr = ISA_IRQS,
    .set_input = isa_irqs_set_input,
};
