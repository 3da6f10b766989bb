/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The KVM accelerator. Follows address spaces as a listener: nothing in the
 * memory core knows of it.
 */
#ifndef KVM_H
#define KVM_H

#include "irq.h"
#include "memory.h"

typedef struct KVMState KVMState;

/* Settings of -accel kvm,... and -cpu; all-zero are the defaults. */
typedef struct KVMOptions {
    unsigned dirty_ring_size; /* entries per vCPU, a power of two; 0: bitmap */
    bool no_irqchip;          /* do not create the in-kernel chips and PIT */
    const char *cpu_model;    /* as after -cpu; NULL: host. Not kept */
    /* How vCPUs are grouped, as CPUID tells it and APIC ids are given; all zero: one
     * socket of single cores. */
    unsigned dies, cores, threads; /* of a socket, of a die, of a core */
} KVMOptions;

/* Domain of the errors of kvm-*.c, cpus.c and target-<arch>. Code 0. */
#define KVM_ERROR kvm_error_quark()
GQuark kvm_error_quark(void);

/* Whether /dev/kvm can be used; if not, @err says why and the way out. */
bool kvm_available(GError **err);

/* Open KVM, make a VM and its interrupt chips, check the CPU model. NULL with
 * @err on failure. */
KVMState *kvm_new(const KVMOptions *options, GError **err);

/* Follow @memory (slots, coalesced MMIO, doorbells, dirty log) and @ports
 * (coalesced PIO, doorbells). Both must outlive @kvm. */
bool kvm_attach(KVMState *kvm, AddressSpace *memory, AddressSpace *ports,
                GError **err);

/* False with @err if KVM refused something since kvm_new(): the first refusal.
 * Changes of the map cannot return errors, so what is refused before vCPUs run
 * is kept for here; cpus_start() asks. Later refusals pause the machine. */
bool kvm_check(KVMState *kvm, GError **err);

/* After the vCPUs are gone. NULL: nothing. */
void kvm_free(KVMState *kvm);

/* Input @gsi of the in-kernel chips, as a wire. */
IRQLine kvm_irq_line(KVMState *kvm, int gsi);

/* Let the kernel raise @gsi whenever @e is signalled; @resample, if not NULL,
 * is signalled when the guest acknowledged a level interrupt. 0 or -errno. */
int kvm_add_irqfd(KVMState *kvm, EventNotifier *e, EventNotifier *resample,
                  int gsi);
int kvm_remove_irqfd(KVMState *kvm, EventNotifier *e, int gsi);

#endif
