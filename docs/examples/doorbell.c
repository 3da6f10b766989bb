/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A doorbell: a write that wakes a thread instead of calling us. See docs/memory.txt. */
#include "memory.h"

static void queue_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    printf("  callback: 0x%x = %u\n", (unsigned)addr, (unsigned)data);
}

static const MemoryRegionOps queue_ops = { .write = queue_write };

int main(void)
{
    static MemoryRegion root, queues;
    static AddressSpace as;
    EventNotifier kick;

    memory_region_init(&root, "root", 0x1000);
    memory_region_init_io(&queues, &queue_ops, NULL, "queues", 0x100);
    memory_region_add_subregion(&root, 0, &queues);
    address_space_init(&as, &root);

    if (event_notifier_init(&kick, 0) < 0) {
        return 1;
    }
    /* A write of 2 bytes with the value 1 at offset 0x50, and no other. */
    memory_region_add_eventfd(&queues, 0x50, 2, true, 1, &kick);

    for (unsigned value = 0; value < 3; value++) {
        printf("write %u\n", value);
        address_space_stw(&as, 0x50, value, MEMTXATTRS_UNSPECIFIED, NULL);
        if (event_notifier_test_and_clear(&kick)) {
            printf("  rung\n");
        }
    }
    memory_region_del_eventfd(&queues, 0x50, 2, true, 1, &kick);
    event_notifier_cleanup(&kick);
    return 0;
}
