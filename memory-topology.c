/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the graph becomes visible: transactions, the life of address spaces; and
 * what is found in them.
 */
#include <pthread.h>
#include <string.h>

#include "memory-internal.h"
#include "rcu.h"

/* ---- transactions -------------------------------------------------------- */

/* Under the memory lock. */
static struct {
    GPtrArray *spaces; /* AddressSpace, oldest first */
    uint64_t serial;   /* of the next one */
    unsigned transaction_depth;
    bool wait_for_readers; /* at the outermost commit */
} topo;

void memory_wait_for_readers_at_commit(void)
{
    topo.wait_for_readers = true;
}

/* Make everything pending visible, and tell the listeners. */
static void commit(void)
{
    memory_listeners_begin();
    memory_listeners_announce(memory_map_update());
    memory_listeners_commit();
    memory_map_settle();
}

void memory_region_transaction_begin(void)
{
    memory_lock();
    if (!topo.transaction_depth) {
        /* Writes put off so far were made under the present map. */
        memory_flush_coalesced();
    }
    topo.transaction_depth++;
}

void memory_region_transaction_commit(void)
{
    if (!memory_lock_held() || !topo.transaction_depth) {
        memory_error("memory_region_transaction_commit() without a begin");
        return;
    }
    if (topo.transaction_depth == 1) {
        if (memory_map_pending()) {
            commit();
        }
        if (topo.wait_for_readers) {
            topo.wait_for_readers = false;
            memory_rcu_synchronize();
        }
    }
    topo.transaction_depth--;
    memory_unlock();
}

/* ---- address spaces ------------------------------------------------------ */

void memory_for_each_address_space(void (*fn)(AddressSpace *as, void *opaque),
                                   void *opaque)
{
    for (unsigned i = 0; topo.spaces && i < topo.spaces->len; i++) {
        fn(g_ptr_array_index(topo.spaces, i), opaque);
    }
}

void address_space_init_named(AddressSpace *as, MemoryRegion *root,
                              const char *name)
{
    memory_region_transaction_begin();
    memset(as, 0, sizeof(*as));
    as->root = root;
    as->name = g_strdup(name ? name : root->name);
    as->serial = topo.serial++;
    if (!topo.spaces) {
        topo.spaces = g_ptr_array_new();
    }
    g_ptr_array_add(topo.spaces, as);
    memory_listeners_attach(as);
    memory_map_attach(as);
    memory_region_transaction_commit();
}

void address_space_init(AddressSpace *as, MemoryRegion *root)
{
    address_space_init_named(as, root, NULL);
}

void address_space_destroy(AddressSpace *as)
{
    memory_lock();
    memory_flush_coalesced();
    g_ptr_array_remove(topo.spaces, as);
    if (!topo.spaces->len) {
        g_clear_pointer(&topo.spaces, g_ptr_array_unref);
    }
    memory_listeners_detach(as);
    memory_map_detach(as);
    g_ptr_array_unref(as->listeners);
    g_free(as->name);
    rcu_reclaim();
    memset(as, 0, sizeof(*as));
    memory_unlock();
}

/* ---- what is where ------------------------------------------------------- */

MemoryRegionSection memory_region_find(MemoryRegion *address_space, hwaddr addr,
                                       uint64_t size)
{
    MemoryRegionSection found = { 0 };
    MemoryRegion *root = address_space;
    unsigned __int128 first = addr, last;
    const FlatRange *range = NULL;
    FlatRanges *list = NULL;

    memory_lock();
    for (; root->parent && !root->spaces; root = root->parent) {
        first += root->addr;
    }
    last = first + (size == UINT64_MAX ? UINT64_MAX : size ? size - 1 : 0);
    last = MIN(last, HWADDR_MAX);
    if (first >> 64) {
        memory_unlock();
        return found;
    }
    if (root->spaces) {
        range = flat_node_find(address_space_root(root->spaces), first);
    } else {
        list = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        memory_region_render(root, first, last, list);
        range = list->len ? &g_array_index(list, FlatRange, 0) : NULL;
    }
    if (range && range->first <= last) {
        FlatRange part = flat_range_part(range,
                                         MAX((hwaddr)first, range->first),
                                         MIN((hwaddr)last, range->last));

        found = memory_section(root->spaces, root, &part);
    }
    g_clear_pointer(&list, g_array_unref);
    memory_unlock();
    return found;
}

bool memory_region_present(MemoryRegion *container, hwaddr addr)
{
    MemoryRegion *mr = memory_region_find(container, addr, 1).mr;

    return mr && mr != container;
}
