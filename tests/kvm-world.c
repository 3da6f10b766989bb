/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small world over the stand-in for KVM; see kvm-world.h.
 */
#include "tests/kvm-world.h"

FakeKVM fake;
KVMState *kvm;
MemoryRegion root, ports_root;
AddressSpace memory, ports;

static void make(const KVMOptions *options)
{
    GError *err = NULL;

    kvm = fake_kvm_new(&fake, options, &err);
    expect(kvm, "kvm_new: %s", err->message);
    memory_region_init(&root, "memory", UINT64_MAX);
    memory_region_init(&ports_root, "ports", 0x10000);
    address_space_init(&memory, &root);
    address_space_init(&ports, &ports_root);
}

void world_make(const KVMOptions *options)
{
    fake_init(&fake);
    make(options);
}

void world_make_slots(unsigned max_slots)
{
    fake_init(&fake);
    fake.max_slots = max_slots;
    make(&(KVMOptions){ 0 });
}

bool world_try_attach(unsigned cpus, GError **err)
{
    return (!cpus || cpus_create(kvm, cpus, &memory, &ports, err)) &&
           kvm_attach(kvm, &memory, &ports, err);
}

void world_attach(unsigned cpus)
{
    GError *err = NULL;

    expect(world_try_attach(cpus, &err), "attach: %s", err->message);
}

void world_free(void)
{
    cpus_destroy();
    kvm_free(kvm);
    address_space_destroy(&ports);
    address_space_destroy(&memory);
    memory_region_destroy(&ports_root);
    memory_region_destroy(&root);
    fake_destroy(&fake);
}

void add_ram(MemoryRegion *mr, const char *name, hwaddr addr, uint64_t size)
{
    memory_region_init_ram(mr, name, size);
    memory_region_add_subregion_overlap(&root, addr, mr, 0);
}

void drop(MemoryRegion *mr)
{
    memory_region_del_subregion(&root, mr);
    memory_region_destroy(mr);
}
