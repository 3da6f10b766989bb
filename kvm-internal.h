/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the accelerator share, with cpus.c and target-<arch>:
 *
 *   kvm-all.c        opening, VM, vCPUs, interrupt wires, refusals
 *   kvm-slots.c      memory slots that follow the flat view
 *   kvm-dirty.c      which pages the guest wrote: bitmaps and rings
 *   kvm-doorbell.c   coalesced zones, ioeventfd, irqfd
 *   kvm-run.c        entering the guest, and what its exits mean
 *   target-<arch>/   registers, CPU model, chips: the kvm_arch_ functions
 *
 * Everything here is under the memory lock unless it says otherwise.
 */
#ifndef KVM_INTERNAL_H
#define KVM_INTERNAL_H

#include <sys/types.h>

#include "cpu-debug.h"
#include "cpus.h"
#include "kvm.h"

struct kvm_coalesced_mmio_ring;
struct kvm_dirty_gfn;
struct kvm_run;

/* The only way to the kernel, so that a test can stand in for it. Negative
 * results are -errno; @map gives NULL on failure. */
typedef struct KVMCalls {
    int (*open)(void *opaque, const char *path);
    int (*ioctl)(void *opaque, int fd, unsigned long request, void *arg);
    void *(*map)(void *opaque, int fd, size_t size, off_t offset);
    void (*unmap)(void *opaque, void *memory, size_t size);
    void (*close)(void *opaque, int fd);
} KVMCalls;

/* What vCPUs see in one mode, as KVM's slots map it. */
typedef struct KVMSpace {
    KVMState *kvm;
    unsigned id;      /* KVM's number: 0, or 1 in system management mode */
    AddressSpace *as; /* NULL: not attached */
    MemoryListener listener;

    GPtrArray *slots;    /* KVMSlot *, owned, by address; disjoint */
    GPtrArray *by_id;    /* the same, by id; NULL where free */
    GArray *free_ids;    /* unsigned */
    GPtrArray *added;    /* KVMSlot * of this commit, owned */
    GPtrArray *deleted;  /* KVMSlot * of this commit, still in @slots */
    GArray *log_changes; /* of this commit, in order */
    bool log_global;
} KVMSpace;

/* Guest memory that KVM maps: the whole pages of one section. */
typedef struct KVMSlot {
    KVMSpace *space;
    hwaddr first; /* guest address; page aligned */
    uint64_t size;
    uint8_t *host;
    MemoryRegion *mr;
    hwaddr offset; /* of @first in @mr */
    unsigned id; /* in its space */
    bool readonly;
    bool log_wanted; /* somebody follows this section's writes */
    bool logging;    /* KVM does */
    bool present;    /* KVM knows the slot */
    bool doomed;     /* to be deleted by this commit */
    /* One bit a page, where KVM keeps bitmaps: handed to the core, but not yet
     * watched again. NULL: none. */
    uint64_t *dirty;
} KVMSlot;

struct KVMState {
    const KVMCalls *calls;
    void *calls_opaque;
    int fd, vm_fd;
    size_t run_size;
    unsigned max_cpus;
    bool irqchip;
    bool tsc_deadline;
    bool has_smm;
    CPUTopology topology; /* all 0: one socket of single cores */
    struct KVMArch *arch; /* private to target-<arch> */

    /* What was refused first; later refusals pause the machine. */
    char *refusal;
    bool started;
    bool closing; /* the VM goes away as a whole: nothing is undone one by one */

    KVMSpace memory, smm;
    AddressSpace *ports; /* NULL until attached */
    MemoryListener ports_listener;

    /* kvm-slots.c */
    unsigned max_slots; /* of each space */
    bool readonly_memory;

    /* kvm-dirty.c */
    bool manual_clear;       /* bits stay until KVM_CLEAR_DIRTY_LOG */
    unsigned dirty_ring_size; /* entries; 0: bitmaps */

    /* kvm-doorbell.c */
    bool coalesced_mmio, coalesced_pio, ioeventfd, ioeventfd_any_size;
    unsigned ring_page; /* of the coalesced ring in a vCPU's map */
    struct kvm_coalesced_mmio_ring *ring; /* vCPU 0's; NULL: none yet */
    unsigned zones;
    unsigned drain_timer; /* GSource id; 0: none */
    unsigned drain_ms;    /* how long it waits */
    bool draining;
    GArray *zones_refused, *doorbells_refused; /* served by exits */
    bool told_zone, told_doorbell;
};

static inline KVMSpace *kvm_space_of(MemoryListener *listener)
{
    return (KVMSpace *)((char *)listener - offsetof(KVMSpace, listener));
}

/* A vCPU's side of KVM. */
struct KVMCPU {
    int fd;
    struct kvm_run *run;
    bool fresh;  /* as KVM made it: in the architecture's reset state */
    bool halted; /* without in-kernel chips: nothing wakes it */
    bool smi;    /* atomic: to be told KVM before it runs */
    struct kvm_dirty_gfn *dirty_ring; /* NULL: none */
    unsigned dirty_next;
    /* target-<arch>/debug.c; vCPUs stopped, or the vCPU's own thread */
    CPUDebug debug;
    CPUStop debug_stop; /* .kind NONE: did not stop for the debugger */
};

/* ---- kvm-all.c ----------------------------------------------------------- */

/* kvm_new() over other calls than the kernel's own; @opaque is passed on. */
KVMState *kvm_new_calls(const KVMCalls *calls, void *opaque,
                        const KVMOptions *options, GError **err);

/* Results of 0 and more, or -errno. EINTR is retried, but for a vCPU's. Any
 * thread, no lock. */
int kvm_ioctl(KVMState *kvm, unsigned long request, void *arg);
int kvm_vm_ioctl(KVMState *kvm, unsigned long request, void *arg);
int kvm_vcpu_ioctl(CPUState *cpu, unsigned long request, void *arg);

/* What KVM_CHECK_EXTENSION says of the VM; 0 on failure. */
int kvm_extension(KVMState *kvm, long capability);

/* KVM refused something that cannot be returned to a caller: keep the message
 * for kvm_check(), or pause the machine. Any thread, no lock. */
void kvm_refused(KVMState *kvm, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* From now on refusals pause the machine. */
void kvm_set_started(KVMState *kvm);

/* Make and free KVM's side of @cpu. */
bool kvm_cpu_init(CPUState *cpu, GError **err);
void kvm_cpu_destroy(CPUState *cpu);

/* Whether a VM can have @n vCPUs, and tell them apart; if not, @err. */
bool kvm_check_cpus(KVMState *kvm, unsigned n, GError **err);

/* ---- kvm-slots.c --------------------------------------------------------- */

void kvm_space_init(KVMState *kvm, KVMSpace *space, unsigned id);
void kvm_space_free(KVMSpace *space);
void kvm_slots_listen(MemoryListener *listener);

/* KVM's number of a slot, with that of its space. */
unsigned kvm_slot_number(const KVMSlot *slot);

/* Tell KVM the slot's present flags and place; @size 0 deletes. 0 or -errno. */
int kvm_slot_set(KVMSlot *slot, uint64_t size);

/* Index of the first slot that ends at @addr or behind it. */
unsigned kvm_slots_find(const KVMSpace *space, hwaddr addr);

/* Make what KVM logs of @slot equal what is wanted. */
void kvm_slot_update_logging(KVMSlot *slot);

/* ---- kvm-dirty.c --------------------------------------------------------- */

bool kvm_dirty_init(KVMState *kvm, unsigned ring_size, GError **err);
void kvm_dirty_listen(MemoryListener *listener);

/* Hand what the guest wrote in @slot to the core. */
void kvm_slot_collect_dirty(KVMSlot *slot);

/* Move what is in the vCPUs' rings to the slots' bitmaps. */
void kvm_dirty_ring_reap(KVMState *kvm);

bool kvm_dirty_ring_map(CPUState *cpu, GError **err);
void kvm_dirty_ring_unmap(CPUState *cpu);

/* ---- kvm-doorbell.c ------------------------------------------------------ */

void kvm_doorbell_init(KVMState *kvm);
void kvm_doorbell_free(KVMState *kvm);
void kvm_doorbell_listen_memory(MemoryListener *listener);
void kvm_doorbell_listen_ports(MemoryListener *listener);

/* Deliver writes that KVM put off. */
void kvm_coalesced_drain(KVMState *kvm);

/* Whether there may be any; no lock. */
bool kvm_coalesced_pending(KVMState *kvm);

/* ---- kvm-run.c: no lock -------------------------------------------------- */

/* Let the guest run until an exit: 0, or -errno; -EINTR after a kick. Whatever
 * an earlier exit left to finish in the vCPU is finished first. */
int kvm_cpu_run(CPUState *cpu);

/* Have kvm_cpu_run() return at once, now and until it has returned. */
void kvm_cpu_exit_request(CPUState *cpu);

/* Do what the exit of a kvm_cpu_run() that returned @result asks for. */
void kvm_cpu_handle_exit(CPUState *cpu, int result);

/* Whether the vCPU has nothing to do until a reset. */
bool kvm_cpu_is_halted(CPUState *cpu);

/* Whether it was in system management mode when it left the guest, and what it sees
 * in the mode that it was in. The vCPU is stopped, or it is its own thread. */
bool kvm_cpu_in_smm(CPUState *cpu);
AddressSpace *kvm_cpu_memory(CPUState *cpu);

/* ---- target-<arch>/: vCPUs stopped, or called from the vCPU's own thread - */

/* Parse @cpu_model, and make the chips that must exist before any vCPU. */
bool kvm_arch_init(KVMState *kvm, const KVMOptions *options, GError **err);
void kvm_arch_free(KVMState *kvm);

/* The arch_id of vCPU @index, and how many of these the machine can tell apart. */
unsigned kvm_arch_cpu_id(KVMState *kvm, unsigned index);
unsigned kvm_arch_cpu_ids(KVMState *kvm);

/* Give the new vCPU its CPU model. 0 or -errno. */
int kvm_arch_init_cpu(CPUState *cpu);

/* Into the architecture's reset state: all chips, one vCPU. */
void kvm_arch_reset_vm(KVMState *kvm);
void kvm_arch_reset_cpu(CPUState *cpu);

/* KVM_EXIT_DEBUG: the debugger's, or the guest's own business. */
void kvm_arch_handle_debug(CPUState *cpu);

/* KVM could not emulate an instruction: whether it is one that the debugger put
 * there, and the machine stops for it as for a trap. */
bool kvm_arch_is_debugger_trap(CPUState *cpu);

/* The same for an exit by I/O: then it is not to be done. */
bool kvm_arch_is_debugger_port(CPUState *cpu);

#endif
