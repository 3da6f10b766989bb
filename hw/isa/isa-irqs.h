/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interrupt wires of a board, each of which several devices can drive: the OR of
 * them all goes on. See isa-irqs.c.
 */
#ifndef HW_ISA_ISA_IRQS_H
#define HW_ISA_ISA_IRQS_H

#include "hw/core/device.h"

#define ISA_IRQS 24     /* ISA's 16, and as many as an I/O APIC has */
#define ISA_IRQ_SHARERS 8 /* on top of the one at the input itself */

/* Wire @n of @irqs goes on to @out. */
void isa_irqs_connect(Device *irqs, unsigned n, IRQLine out);

/* One more that drives wire @n, beside device_irq_in() and those given before; at
 * most ISA_IRQ_SHARERS of a wire. For boards, while they are made. */
IRQLine isa_irqs_share(Device *irqs, unsigned n);

#endif
