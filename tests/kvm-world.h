/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small world over the stand-in for KVM: memory, ports, and an accelerator
 * that follows them.
 */
#ifndef TESTS_KVM_WORLD_H
#define TESTS_KVM_WORLD_H

#include "tests/kvm-fake.h"

extern FakeKVM fake;
extern KVMState *kvm;
extern MemoryRegion root, ports_root; /* of 2^64 and 2^16 bytes */
extern AddressSpace memory, ports;

/* Everything but the attachment. */
void world_make(const KVMOptions *options);

/* The same with room for @max_slots slots, and no options. */
void world_make_slots(unsigned max_slots);

/* With @cpus vCPUs; false and @err set if KVM refuses something. */
bool world_try_attach(unsigned cpus, GError **err);
void world_attach(unsigned cpus);

/* The graph must be without what the test put into it. */
void world_free(void);

/* RAM in @mr at @addr of the memory. */
void add_ram(MemoryRegion *mr, const char *name, hwaddr addr, uint64_t size);

/* Out of the memory, and destroyed. */
void drop(MemoryRegion *mr);

#endif
