/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the inputs of the ioapic lead: the board says.
 */
#ifndef HW_I386_IOAPIC_H
#define HW_I386_IOAPIC_H

#include "hw/core/device.h"

#define IOAPIC_INPUTS 24

/* Input @n of @ioapic goes on to @irq. */
void ioapic_connect(Device *ioapic, unsigned n, IRQLine irq);

#endif
