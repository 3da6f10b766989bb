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

/* Settings of -accel kvm,...; all-zero are the defaults. */
typedef struct KVMOptions {
    unsigned dirty_ring_size; /* entries per vCPU, a power of two; 0: bitmap */
    bool no_irqchip;          /* do not create the in-kernel chips and PIT */
} KVMOptions;

/* Whether /dev/kvm can be used; if not, @err says why and the way out. */
bool kvm_available(GError **err);

/* Open KVM, make a VM, and its interrupt chips. NULL with @err on failure. */
KVMState *kvm_new(const KVMOptions *options, GError **err);

/* Follow @memory (slots, coalesced MMIO, doorbells, dirty log) and @ports
 * (coalesced PIO, doorbells). */
bool kvm_attach(KVMState *kvm, AddressSpace *memory, AddressSpace *ports,
                GError **err);

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
