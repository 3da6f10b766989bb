/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a vCPU is among the others, as its APIC id tells: the numbers of its socket,
 * die, core and thread, side by side, each in as many bits as the largest one needs.
 * Intel SDM volume 3, 9.9.1. Knows no KVM, so that what describes the machine to the
 * guest can ask, too.
 */
#ifndef TARGET_I386_TOPOLOGY_H
#define TARGET_I386_TOPOLOGY_H

#include "cpus.h"

/* The largest: 255 is everybody. */
#define X86_APIC_ID_MAX 254

/* Of the bits of an APIC id, where the number of the core, the die and the socket
 * begin; that of the thread begins at 0. */
typedef struct X86APICFields {
    unsigned core, die, socket;
} X86APICFields;

X86APICFields x86_apic_fields(const CPUTopology *topology);

/* The APIC id of vCPU @index: threads of a core are neighbours, then come the cores
 * of a die, the dies of a socket, and sockets. Grows with @index; has gaps where a
 * number is no power of two. */
unsigned x86_apic_id(const CPUTopology *topology, unsigned index);

#endif
