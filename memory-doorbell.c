/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a region lets an accelerator do by itself: put writes off (coalescing), and
 * ring (doorbells). Listeners are told by memory-listener.c, and access.c rings for
 * whoever is no accelerator.
 */

#include "memory-internal.h"
#include "rcu.h"

/* ---- coalescing ------------------------------------------------------------------------------- */

/* Accesses look at it without the memory lock. */
static void set_flush(MemoryRegion *mr, bool flush)
{
    __atomic_store_n(&mr->flush_coalesced, flush, __ATOMIC_RELAXED);
}

/* In a transaction: @range of @mr, whose list says so already, came or went. */
static void coalesced_range_changed(MemoryRegion *mr,
                                    const CoalescedRange *range)
{
    unsigned __int128 last = range->offset + range->size - 1;

    if (range->size) {
        memory_doorbells_changed(mr, range->offset,
                                 (hwaddr)MIN(last, HWADDR_MAX));
    }
}

void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset,
                                  uint64_t size)
{
    CoalescedRange range = { .offset = offset, .size = size_from_u64(size) };
    GArray *old, *new;

    memory_region_transaction_begin();
    old = mr->coalesced;
    new = g_array_new(FALSE, FALSE, sizeof(CoalescedRange));
    if (old) {
        g_array_append_vals(new, old->data, old->len);
    }
    g_array_append_val(new, range);
    mr->coalesced = new;
    set_flush(mr, true);
    coalesced_range_changed(mr, &range);
    g_clear_pointer(&old, g_array_unref);
    memory_region_transaction_commit();
}

void memory_region_clear_coalescing(MemoryRegion *mr)
{
    GArray *old;

    memory_region_transaction_begin();
    memory_flush_coalesced();
    set_flush(mr, false);
    old = mr->coalesced;
    mr->coalesced = NULL;
    for (guint i = 0; old && i < old->len; i++) {
        coalesced_range_changed(mr, &g_array_index(old, CoalescedRange, i));
    }
    g_clear_pointer(&old, g_array_unref);
    memory_region_transaction_commit();
}

void memory_region_set_coalescing(MemoryRegion *mr)
{
    memory_region_transaction_begin();
    memory_region_clear_coalescing(mr);
    memory_region_add_coalescing(mr, 0, UINT64_MAX); /* whatever its size */
    memory_region_transaction_commit();
}

void memory_region_set_flush_coalesced(MemoryRegion *mr)
{
    memory_lock();
    set_flush(mr, true);
    memory_unlock();
}

void memory_region_clear_flush_coalesced(MemoryRegion *mr)
{
    memory_lock();
    memory_flush_coalesced();
    if (!mr->coalesced) {
        set_flush(mr, false);
    }
    memory_unlock();
}

/* ---- doorbells ---------------------------------------------------------------------------------- */

#define RETURN_IF_DIFFERENT(x, y)                                              \
    if ((x) != (y)) {                                                          \
        return (x) < (y) ? -1 : 1;                                             \
    }

static int eventfd_compare(const MemoryEventfd *a, const MemoryEventfd *b)
{
    RETURN_IF_DIFFERENT(a->addr, b->addr);
    RETURN_IF_DIFFERENT(a->size, b->size);
    RETURN_IF_DIFFERENT(a->match_data, b->match_data);
    RETURN_IF_DIFFERENT(a->data, b->data);
    RETURN_IF_DIFFERENT(a->e, b->e);
    return 0;
}

/* How many doorbells of @mr come before @fd, and whether it is one of them. */
static unsigned find_eventfd(const MemoryRegion *mr, const MemoryEventfd *fd,
                             bool *found)
{
    const MemoryEventfds *list = mr->eventfds;
    unsigned lo = 0, hi = list ? list->nr : 0;

    *found = false;
    while (lo < hi && !*found) {
        unsigned mid = lo + (hi - lo) / 2;
        int c = eventfd_compare(&list->e[mid], fd);

        *found = !c;
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return hi;
}

static size_t eventfds_bytes(unsigned nr)
{
    return sizeof(MemoryEventfds) + nr * sizeof(MemoryEventfd);
}

static void eventfds_retire(MemoryEventfds *list)
{
    if (list) {
        rcu_retire(list, eventfds_bytes(list->nr));
    }
}

/* In a transaction: give @mr another list of doorbells, which is the old one
 * with @fd put before index @i, or, if not @adding, without the one there. */
static void replace_eventfds(MemoryRegion *mr, unsigned i,
                             const MemoryEventfd *fd, bool adding)
{
    MemoryEventfds *old = mr->eventfds, *new = NULL;
    unsigned old_nr = old ? old->nr : 0, nr = adding ? old_nr + 1 : old_nr - 1;

    if (nr) {
        new = g_malloc(eventfds_bytes(nr));
        new->nr = nr;
        for (unsigned k = 0; k < nr; k++) {
            new->e[k] = k < i     ? old->e[k]
                        : !adding ? old->e[k + 1]
                        : k == i  ? *fd
                                  : old->e[k - 1];
        }
    }
    __atomic_store_n(&mr->eventfds, new, __ATOMIC_RELEASE);
    if (old != mr->told_eventfds) {
        eventfds_retire(old);
    }
    if (!adding) {
        memory_wait_for_readers_at_commit();
    }
    memory_doorbells_changed(mr, fd->addr,
                             fd->addr + (fd->size ? fd->size : 1) - 1);
}

void memory_region_doorbells_told(MemoryRegion *mr)
{
    if (mr->told_eventfds != mr->eventfds) {
        eventfds_retire(mr->told_eventfds);
        mr->told_eventfds = mr->eventfds;
    }
    g_clear_pointer(&mr->told_coalesced, g_array_unref);
    mr->told_coalesced = mr->coalesced ? g_array_ref(mr->coalesced) : NULL;
}

static bool eventfd_valid(const MemoryRegion *mr, const MemoryEventfd *fd)
{
    unsigned size = fd->size ? fd->size : 1;

    if ((size & (size - 1)) || size > 8 ||
        (unsigned __int128)fd->addr + size > mr->size) {
        memory_error("region '%s': no doorbell of %u bytes at %#" PRIx64,
                     mr->name, fd->size, fd->addr);
        return false;
    }
    return true;
}

void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    MemoryEventfd fd = { addr, size, match_data, match_data ? data : 0, e };

    unsigned i;
    bool found;

    memory_region_transaction_begin();
    i = find_eventfd(mr, &fd, &found);
    if (found) {
        memory_error("region '%s': doorbell at %#" PRIx64 " added twice",
                     mr->name, addr);
    } else if (eventfd_valid(mr, &fd)) {
        replace_eventfds(mr, i, &fd, true);
    }
    memory_region_transaction_commit();
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    MemoryEventfd fd = { addr, size, match_data, match_data ? data : 0, e };
    unsigned i;
    bool found;

    memory_region_transaction_begin();
    i = find_eventfd(mr, &fd, &found);
    if (found) {
        replace_eventfds(mr, i, &fd, false);
    } else {
        memory_error("region '%s': no doorbell at %#" PRIx64 " to remove",
                     mr->name, addr);
    }
    memory_region_transaction_commit();
}
