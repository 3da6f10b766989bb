/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device whose callbacks run under its own lock; see docs/locking.md. */
#include <pthread.h>
#include <stdio.h>

#include "memory.h"

/* Adds up what is written to register 0; register 4 has it fetch an address. */
typedef struct Adder {
    MemoryRegion mr;
    pthread_mutex_t lock; /* of what follows */
    AddressSpace *as;
    uint64_t sum;
} Adder;

static uint64_t adder_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((Adder *)opaque)->sum;
}

static void adder_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Adder *adder = opaque;
    MemTxResult result;

    if (addr == 0) {
        adder->sum += data;
        return;
    }
    adder->sum = address_space_ldl(adder->as, data, MEMTXATTRS_UNSPECIFIED,
                                   &result);
    printf("fetch from 0x%04x: %s\n", (unsigned)data,
           result == MEMTX_OK ? "done" : "refused");
}

static const MemoryRegionOps adder_ops = {
    .read = adder_read,
    .write = adder_write,
};

static void adder_init(Adder *adder, const char *name, AddressSpace *as)
{
    adder->as = as;
    pthread_mutex_init(&adder->lock, NULL);
    memory_region_init_io(&adder->mr, &adder_ops, adder, name, 8);
    memory_region_set_lock(&adder->mr, &adder->lock);
}

/* Outside a callback: a timer, say. */
static void adder_reset(Adder *adder)
{
    pthread_mutex_lock(&adder->lock);
    adder->sum = 0;
    pthread_mutex_unlock(&adder->lock);
}

static AddressSpace as;

static void *vcpu(void *opaque)
{
    for (int i = 0; i < 1000; i++) {
        address_space_stl(&as, 0x1000, 1, MEMTXATTRS_UNSPECIFIED, NULL);
        address_space_stl(&as, 0x2000, 2, MEMTXATTRS_UNSPECIFIED, NULL);
    }
    return NULL;
}

int main(void)
{
    static MemoryRegion bus, ram;
    static Adder a, b;
    pthread_t threads[2];

    memory_region_init(&bus, "bus", 0x10000);
    memory_region_init_ram(&ram, "ram", 0x1000);
    adder_init(&a, "a", &as);
    adder_init(&b, "b", &as);
    memory_region_add_subregion(&bus, 0, &ram);
    memory_region_add_subregion(&bus, 0x1000, &a.mr);
    memory_region_add_subregion(&bus, 0x2000, &b.mr);
    address_space_init(&as, &bus);

    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, vcpu, NULL);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("a: %u, b: %u\n",
           address_space_ldl(&as, 0x1000, MEMTXATTRS_UNSPECIFIED, NULL),
           address_space_ldl(&as, 0x2000, MEMTXATTRS_UNSPECIFIED, NULL));

    address_space_stl(&as, 0x1004, 0x10, MEMTXATTRS_UNSPECIFIED, NULL);
    address_space_stl(&as, 0x1004, 0x2000, MEMTXATTRS_UNSPECIFIED, NULL);

    adder_reset(&a);
    memory_region_del_subregion(&bus, &a.mr);
    memory_region_destroy(&a.mr); /* waits for callbacks; without a's lock */
    pthread_mutex_destroy(&a.lock);
    return 0;
}
