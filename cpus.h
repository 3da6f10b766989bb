/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs: one thread each, and the locking they follow (see cpus.c).
 */
#ifndef CPUS_H
#define CPUS_H

#include "memory.h"

typedef struct CPUState CPUState;
typedef struct KVMState KVMState;

/* One vCPU. */
struct CPUState {
    unsigned index;
    KVMState *kvm;
    AddressSpace *memory; /* its own view: may differ from the machine's */
    AddressSpace *ports;
    /* Reset values beyond the architecture's: called, vCPU stopped, after each
     * reset; sets registers with the functions of target-<arch>/cpu.h. NULL:
     * the architecture's reset state. */
    void (*reset_hook)(CPUState *cpu, void *opaque);
    void *reset_opaque;

    /* The rest is private to cpus.c, kvm-all.c and target-<arch>. */
    struct CPUPrivate *priv;
};

/* Make @n vCPUs over @memory and @ports. They do not run yet. */
bool cpus_create(KVMState *kvm, unsigned n, AddressSpace *memory,
                 AddressSpace *ports, GError **err);
unsigned cpus_count(void);
CPUState *cpus_get(unsigned index);

/* Start the threads; vCPUs that wait for a start-up message do so. */
bool cpus_start(GError **err);

/* Run the main loop until a shutdown; @reset_machine is called, with every
 * vCPU stopped, for a reset. Returns the exit status. */
int cpus_main_loop(void (*reset_machine)(void *opaque), void *opaque,
                   bool no_reboot);

/* Stop every vCPU outside the guest until cpus_resume_all(); nests. Called
 * under the memory lock, also by a vCPU thread inside a callback. */
void cpus_pause_all(void);
void cpus_resume_all(void);

/* End the threads and free. */
void cpus_destroy(void);

#endif
