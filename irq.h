/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IRQLine: a wire from a device's output to whatever listens to it.
 */
#ifndef IRQ_H
#define IRQ_H

#include <stddef.h>

/* All-zero is a wire that leads nowhere. Copied by value. */
typedef struct IRQLine {
    void (*set)(void *opaque, int n, int level);
    void *opaque;
    int n; /* the input's number at the receiver */
} IRQLine;

/* Drive the wire: 1 asserted, 0 not. Under the memory lock. */
static inline void irq_set(const IRQLine *irq, int level)
{
    if (irq->set) {
        irq->set(irq->opaque, irq->n, level);
    }
}

/* A full cycle, for edge-triggered inputs. */
static inline void irq_pulse(const IRQLine *irq)
{
    irq_set(irq, 1);
    irq_set(irq, 0);
}

#endif
