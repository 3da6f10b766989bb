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

/* Whether vCPUs have a system management mode, in which they see another memory. */
bool kvm_has_smm(KVMState *kvm);

/* Follow @memory as what vCPUs see in that mode. It must outlive @kvm. Before vCPUs
 * run; false with @err if KVM has no such mode, or refuses a slot. */
bool kvm_attach_smm(KVMState *kvm, AddressSpace *memory, GError **err);

/* A wire whose rise has vCPU 0 enter that mode before its next instruction. Any
 * thread, any lock. Leads nowhere where KVM has no such mode. */
IRQLine kvm_smi_line(KVMState *kvm);

/* False with @err if KVM refused something since kvm_new(): the first refusal.
 * Changes of the map cannot return errors, so what is refused before vCPUs run
 * is kept for here; cpus_start() asks. Later refusals pause the machine. */
bool kvm_check(KVMState *kvm, GError **err);

/* After the vCPUs are gone. NULL: nothing. */
void kvm_free(KVMState *kvm);

/* Input @gsi of the in-kernel chips, as a wire. */
IRQLine kvm_irq_line(KVMState *kvm, int gsi);

/* Deliver a message signalled interrupt: the 32 bits @data written to @addr by a
 * device. Whether a vCPU took it; no other address or data is an error. Any
 * thread, no lock. */
bool kvm_send_msi(KVMState *kvm, uint64_t addr, uint32_t data);

/* Lead inputs of the in-kernel chips as on a PC, where an ACPI override says that
 * interrupt 0 is input 2 of the I/O APIC: GSI 0 to input 0 of the PIC and input 2
 * of the I/O APIC, GSI 2 (an HPET's) to the latter as well, 1 and 3 to 15 to that
 * input of both, 16 to 23 to the I/O APIC's. The fall of either of 0 and 2 ends a
 * level of the other. Without this each of 0 to 15 leads to that input of both.
 * Before vCPUs run. False with @err if KVM refuses; nothing to do without in-kernel
 * chips. */
bool kvm_route_pc_timer(KVMState *kvm, GError **err);

/* Have the in-kernel PICs take @irqs (bits 0 to 15) for interrupts of levels, as far as
 * these can be, and the others for those of edges; a reset undoes it. While vCPUs are
 * stopped; nothing without in-kernel chips. */
void kvm_set_level_irqs(KVMState *kvm, uint16_t irqs);

/* Whether channel 0 of the in-kernel timer chip raises GSI 0: it does after a
 * reset; not while an HPET replaces it. Either change starts the counts of all its
 * channels anew. Under the memory lock; nothing without in-kernel chips. */
void kvm_pit_enable(KVMState *kvm, bool on);

/* Whether ticks of the in-kernel timer chip that a guest does not take in time come
 * later, one after the other, as they do at first; otherwise they are lost. Once the
 * machine is made; nothing without in-kernel chips. False with @err: KVM refuses. */
bool kvm_pit_set_reinject(KVMState *kvm, bool on, GError **err);

/* Let the kernel raise @gsi whenever @e is signalled; @resample, if not NULL,
 * is signalled when the guest acknowledged a level interrupt. 0 or -errno. */
int kvm_add_irqfd(KVMState *kvm, EventNotifier *e, EventNotifier *resample,
                  int gsi);
int kvm_remove_irqfd(KVMState *kvm, EventNotifier *e, int gsi);

#endif
