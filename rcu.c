/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What readers may still hold. To wait for them costs far more than a commit,
 * so many blocks share one wait.
 */
#include <glib.h>

#include "memory-internal.h"
#include "rcu.h"

#ifdef RCU_TSAN
char memory_rcu_token;
#endif

#define BATCH_BYTES (1024 * 1024)

/* Under the memory lock. A table of its own: readers may still look at any
 * word of a block, so no list can go through them. */
static struct {
    struct {
        void *block;
        void (*free)(void *block);
    } entry[RCU_BATCH];
    unsigned nr;
    size_t bytes;
} retired;

void rcu_reclaim(void)
{
    if (!retired.nr) {
        return;
    }
    memory_rcu_synchronize();
    while (retired.nr) {
        retired.nr--;
        retired.entry[retired.nr].free(retired.entry[retired.nr].block);
    }
    retired.bytes = 0;
}

void rcu_retire_to(void *block, size_t size, void (*free)(void *block))
{
    retired.entry[retired.nr].block = block;
    retired.entry[retired.nr++].free = free;
    retired.bytes += size;
    if (retired.nr == RCU_BATCH || retired.bytes >= BATCH_BYTES) {
        rcu_reclaim();
    }
}

void rcu_retire(void *block, size_t size)
{
    rcu_retire_to(block, size, g_free);
}

unsigned rcu_retired_count(void)
{
    return retired.nr;
}

size_t rcu_retired_bytes(void)
{
    return retired.bytes;
}
