/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for the kernel's KVM under kvm-*.c: it keeps slots, zones,
 * doorbells and dirty pages by the kernel's own rules, refuses what the kernel
 * would refuse, fails any call on demand, and runs "guests" that are functions
 * of the test. Needs no /dev/kvm.
 */
#ifndef TESTS_KVM_FAKE_H
#define TESTS_KVM_FAKE_H

#include <linux/kvm.h>
#include <pthread.h>

#include "kvm-internal.h"
#include "tests/test-util.h"

#define FAKE_CPUS_MAX 8
#define FAKE_RING_ENTRIES 1024
#define FAKE_SPACES 2 /* the second: of system management mode */
#define FAKE_RUN_SMM 1 /* kvm_run.flags: the vCPU is in it */
#define FAKE_GSIS 24
#define FAKE_CHIPS 3
#define FAKE_MSRS 96

typedef struct FakeSlot {
    bool present, readonly, logging;
    hwaddr first;
    uint64_t size;
    uint8_t *host;
    uint64_t *dirty; /* while it logs */
} FakeSlot;

typedef struct FakeDoorbell {
    uint32_t flags; /* KVM_IOEVENTFD_FLAG_PIO, _DATAMATCH */
    hwaddr addr;
    uint32_t len;
    uint64_t datamatch;
    int fd;
} FakeDoorbell;

typedef struct FakeKVM FakeKVM;

/* What a vCPU's guest does in one KVM_RUN: fill in @run and return 0, or return
 * -errno, or FAKE_IDLE to stay in the guest until a kick. No lock is held. */
typedef int FakeGuest(FakeKVM *fake, unsigned cpu, struct kvm_run *run);
#define FAKE_IDLE 1

typedef struct FakeCPU {
    bool made;
    unsigned id;
    struct kvm_run *run; /* three pages: run, port data, coalesced ring */
    struct kvm_dirty_gfn *ring;
    unsigned ring_next, ring_reset;
    bool in_run;      /* atomic */
    unsigned entries; /* atomic: KVM_RUNs that got into the guest */
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    struct kvm_debugregs debugregs;
    struct kvm_guest_debug debug; /* what was set last, but for injections */
    uint32_t debug_controls; /* all that were ever set */
    uint64_t step_rip;            /* where it was then */
    uint32_t injected;            /* KVM_GUESTDBG_INJECT_ of the last that had any */
    struct kvm_msr_entry msrs[FAKE_MSRS]; /* as set last */
    unsigned nr_msrs;
    bool vmx; /* it has virtual machines of its own, until FEATURE_CONTROL is 0 */
    /* A guest that leaves by an output: the next KVM_RUN, even one that only
     * comes back, goes on behind it, unless rip is elsewhere by then. */
    uint64_t output_rip;
    unsigned output_len; /* of the instruction; 0: none */
    bool output_done;    /* it went on so, and the guest has not run since */
    uint32_t mp_state;
    unsigned nmis, smis;
    uint32_t lapic_id; /* the register as set last */
    struct kvm_vcpu_events events;
    unsigned nr_cpuid;
    struct kvm_cpuid_entry2 *cpuid;
} FakeCPU;

struct FakeKVM {
    /* Set by the test, after fake_init(): */
    unsigned max_slots;
    unsigned max_ids; /* of vCPUs, from 0 */
    long missing[8]; /* capabilities that it does not have; 0: none */
    bool amd;        /* its processors are AMD's, not Intel's */
    FakeGuest *guest;
    void *guest_opaque;
    unsigned fail_at;  /* the call, counted from 1, that fails; 0: none */
    int fail_errno;
    unsigned long fail_request; /* or every one of these fails */
    int fail_open;              /* errno */
    unsigned fail_map_at;       /* the mapping, counted from 1, that fails */

    pthread_mutex_t mutex;
    FakeSlot *slots; /* max_slots of each space */
    bool manual_clear;
    unsigned dirty_ring; /* entries; 0: none */
    GArray *zones;       /* struct kvm_coalesced_mmio_zone */
    GArray *doorbells;   /* FakeDoorbell */
    FakeCPU cpus[FAKE_CPUS_MAX];
    int irq_levels[FAKE_GSIS];
    uint32_t routes[FAKE_GSIS][FAKE_CHIPS]; /* a bit for each pin */
    struct kvm_msi msi; /* the last */
    struct kvm_pit_state2 pit;
    unsigned pit_sets;
    struct kvm_pic_state pics[2]; /* as set */
    struct kvm_reinject_control pit_late; /* the last */
    int open_fds;        /* opened and not closed */
    int maps;            /* mapped and not unmapped */
    unsigned map_calls;
    unsigned calls;      /* but for KVM_RUN */
    unsigned long failed_request; /* what fail_at hit */
    unsigned slot_calls, slot_deletes, dirty_fetches, dirty_clears, ring_resets;
    unsigned doorbell_calls, zone_calls;
    bool hole; /* a slot was deleted, and fake_commit_over() not yet called */
    unsigned entries_at_hole;
    unsigned intrusions; /* vCPUs that were in the guest then */
};

extern const KVMCalls fake_calls;

void fake_init(FakeKVM *fake);

/* Everything was closed and unmapped, or the test fails. */
void fake_destroy(FakeKVM *fake);

KVMState *fake_kvm_new(FakeKVM *fake, const KVMOptions *options, GError **err);

/* What is deleted and added from here on belongs to another commit. */
void fake_commit_over(FakeKVM *fake);

/* The slot that maps @addr, or NULL. */
FakeSlot *fake_slot_at(FakeKVM *fake, hwaddr addr);

/* The same of what vCPUs see in system management mode. */
FakeSlot *fake_smm_slot_at(FakeKVM *fake, hwaddr addr);

/* How many slots there are, of both spaces. */
unsigned fake_slots_present(FakeKVM *fake);

/* The guest, in the mode that kvm_run says, writes @size bytes, 1 to 8: into RAM
 * (and the dirty log), or into the coalesced ring, or to a doorbell. False: that
 * needs an exit. */
bool fake_guest_write(FakeKVM *fake, unsigned cpu, bool port, hwaddr addr,
                      uint64_t value, unsigned size);

/* What g_printerr() printed since the last look; free it. Between begin and
 * end nothing reaches the terminal. */
void fake_messages_begin(void);
char *fake_messages_end(void);

#endif
