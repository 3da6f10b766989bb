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
    /* Reset values beyond the architecture's: called, every vCPU stopped and in
     * the architecture's reset state, at the start and after each reset; sets
     * registers with the functions of target-<arch>/cpu.h. NULL: nothing; then
     * vCPU 0 starts where the architecture says and the others wait. */
    void (*reset_hook)(CPUState *cpu, void *opaque);
    void *reset_opaque;

    struct CPUThread *thread; /* private to cpus.c */
    struct KVMCPU *accel;     /* private to kvm-*.c and target-<arch> */
};

/* Make @n vCPUs over @memory and @ports. They do not run yet. On failure there
 * are none. */
bool cpus_create(KVMState *kvm, unsigned n, AddressSpace *memory,
                 AddressSpace *ports, GError **err);
unsigned cpus_count(void);
CPUState *cpus_get(unsigned index);

/* Put every vCPU into its reset state and let it run in a thread of its own.
 * False with @err also if KVM refused something earlier; see kvm_check(). */
bool cpus_start(GError **err);

/* Run the main loop until a shutdown; @reset_machine is called, with every
 * vCPU stopped, under the memory lock, for a reset. Returns the exit status. */
int cpus_main_loop(void (*reset_machine)(void *opaque), void *opaque,
                   bool no_reboot);

/* Stop every vCPU outside the guest until cpus_resume_all(); nests. Called
 * under the memory lock, also by a vCPU thread inside a callback. A vCPU that
 * waits for a lock counts as outside: it will not enter the guest before. */
void cpus_pause_all(void);
void cpus_resume_all(void);

/* End the threads and free. Nothing when there are no vCPUs. */
void cpus_destroy(void);

#endif
