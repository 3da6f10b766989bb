/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs: one thread each, and the locking they follow (see cpus.c).
 */
#ifndef CPUS_H
#define CPUS_H

#include "memory.h"

typedef struct CPUState CPUState;
typedef struct KVMState KVMState;

/* How vCPUs are grouped. The product is their number. */
typedef struct CPUTopology {
    unsigned sockets, dies, cores, threads; /* each of the one before; all 0: one
                                             * socket of single cores */
} CPUTopology;

/* One vCPU. */
struct CPUState {
    unsigned index;
    unsigned arch_id; /* its number among the processors, which may have gaps: x86:
                       * of its local APIC */
    KVMState *kvm;
    AddressSpace *memory; /* its own view: may differ from the machine's */
    AddressSpace *ports;
    /* Reset values beyond the architecture's: called, every vCPU stopped and in
     * the architecture's reset state, at the start and after each reset; sets
     * registers with the functions of target-<arch>/cpu.h. NULL: nothing; then
     * vCPU 0 starts where the architecture says and the others wait. */
    void (*reset_hook)(CPUState *cpu, void *opaque);
    void *reset_opaque;

    /* The debugger keeps it at rest while the machine runs. Set while every
     * vCPU is stopped. */
    bool held;

    struct CPUThread *thread; /* private to cpus.c */
    struct KVMCPU *accel;     /* private to kvm-*.c and target-<arch> */
};

/* Make @n vCPUs over @memory and @ports. They do not run yet; with @kvm NULL
 * (-accel qtest) they never will, and have no threads. On failure there are
 * none. */
bool cpus_create(KVMState *kvm, unsigned n, AddressSpace *memory,
                 AddressSpace *ports, GError **err);
unsigned cpus_count(void);
CPUState *cpus_get(unsigned index);

/* Put every vCPU into its reset state and give it a thread of its own; they run
 * from vm_start() on. False with @err also if KVM refused something earlier; see
 * kvm_check(). */
bool cpus_start(GError **err);

/* The host's number of its thread, as ps shows it; the program's own where the
 * vCPU has no thread. */
int cpu_thread_id(const CPUState *cpu);

/* Bring every vCPU to rest between two instructions; then its registers can be
 * read and written. Only the main loop's thread, without the memory lock; nests,
 * so that a monitor may look at a machine that runs: no event, no change of
 * vm_run_state(). */
void cpus_stop(void);

/* Undo one cpus_stop(). */
void cpus_go_on(void);

/* From a request to the run state until it is served: no vCPU begins another
 * instruction once it has finished what it is at, also after cpus_go_on(). Waits
 * for nothing. Any thread, any lock. */
void cpus_hold_back(bool hold);

/* Have @cpu look, before its next instruction, at what was stored for it. Any
 * thread, any lock. */
void cpu_kick(CPUState *cpu);

/* Every vCPU, which are stopped, and what belongs to them, into the reset state.
 * Under the memory lock. */
void cpus_reset(void);

/* Stop every vCPU outside the guest until cpus_resume_all(); nests. Called
 * under the memory lock, also by a vCPU thread inside a callback. A vCPU that
 * waits for a lock counts as outside: it will not enter the guest before. */
void cpus_pause_all(void);
void cpus_resume_all(void);

/* End the threads and free. Nothing when there are no vCPUs. */
void cpus_destroy(void);

#endif
