/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * APIC ids; see topology.h.
 */
#include "target-i386/topology.h"

/* Bits that tell @n things apart. */
static unsigned bits_of(unsigned n)
{
    unsigned bits = 0;

    while (bits < 31 && 1u << bits < n) {
        bits++;
    }
    return bits;
}

X86APICFields x86_apic_fields(const CPUTopology *t)
{
    unsigned core = bits_of(t->threads);
    unsigned die = core + bits_of(t->cores);

    return (X86APICFields){ core, die, die + bits_of(t->dies) };
}

unsigned x86_apic_id(const CPUTopology *t, unsigned index)
{
    X86APICFields at = x86_apic_fields(t);
    unsigned core = index / MAX(t->threads, 1);
    unsigned die = core / MAX(t->cores, 1);
    unsigned socket = die / MAX(t->dies, 1);

    if (!t->cores) {
        return index;
    }
    return index % MAX(t->threads, 1) | core % t->cores << at.core |
           die % MAX(t->dies, 1) << at.die | socket << at.socket;
}
