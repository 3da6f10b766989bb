/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX3's function 0, the ISA bridge, for boards. See piix3.c.
 */
#ifndef HW_ISA_PIIX3_H
#define HW_ISA_PIIX3_H

#include "hw/pci/pci-host.h"

#define PIIX3_PIRQ_ROUTES 0x60 /* four registers: PIRQA to PIRQD */
#define PIIX3_PIRQ_OFF 0x80
#define PIIX3_IRQS 16

/* Regions, to be mapped at 0x4d0 where nobody else has them: the edge and level
 * registers. Inputs: PIRQA to PIRQD. */

/* Where PIRQs go that are routed to ISA's interrupt @n. Before the machine runs. */
void piix3_connect_irq(PCIDevice *piix3, unsigned n, IRQLine irq);

/* Have the reset control register answer at the ports of @host, which outlives it. */
void piix3_connect_host(PCIDevice *piix3, PCIHost *host);

#endif
