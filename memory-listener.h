/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners: who wants to hear what address spaces show, and of every change of
 * it. Part of memory.h, whose rules hold here too.
 */
#ifndef MEMORY_LISTENER_H
#define MEMORY_LISTENER_H

#include "memory.h"

/*
 * Callbacks that follow the flat map of one address space, or of all. Any may
 * be NULL. They run under the memory lock, inside the outermost commit, and
 * must not change the graph or the listeners. Within one commit, for all
 * address spaces: begin; every deletion (eventfd, coalesced, log_stop, region),
 * highest priority first; every addition (region, log_start, coalesced,
 * eventfd), lowest priority first; commit. Each addition is matched by exactly
 * one deletion of an equal section, doorbell or zone; these two stay where only
 * the section around them changes. Adjacent pieces of equal attributes arrive
 * as one.
 */
struct MemoryListener {
    void (*begin)(MemoryListener *listener);
    void (*commit)(MemoryListener *listener);
    void (*region_add)(MemoryListener *listener, MemoryRegionSection *section);
    void (*region_del)(MemoryListener *listener, MemoryRegionSection *section);
    /* A section that a commit left alone; asking for these costs the listener
     * the whole map at every commit. */
    void (*region_nop)(MemoryListener *listener, MemoryRegionSection *section);
    /* The first client starts, the last one stops, following a section. */
    void (*log_start)(MemoryListener *listener, MemoryRegionSection *section);
    void (*log_stop)(MemoryListener *listener, MemoryRegionSection *section);
    /* Deliver what is known to be written: call memory_region_merge_dirty(). */
    void (*log_sync)(MemoryListener *listener, MemoryRegionSection *section);
    /* A client cleared its bits for the section: watch these pages again. */
    void (*log_clear)(MemoryListener *listener, MemoryRegionSection *section);
    void (*log_global_start)(MemoryListener *listener);
    void (*log_global_stop)(MemoryListener *listener);
    /* The section is the doorbell itself; its size is the width (0: any). */
    void (*eventfd_add)(MemoryListener *listener, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e);
    void (*eventfd_del)(MemoryListener *listener, MemoryRegionSection *section,
                        bool match_data, uint64_t data, EventNotifier *e);
    /* @addr, @len: the zone in the address space, within the section. */
    void (*coalesced_mmio_add)(MemoryListener *listener,
                               MemoryRegionSection *section, hwaddr addr,
                               hwaddr len);
    void (*coalesced_mmio_del)(MemoryListener *listener,
                               MemoryRegionSection *section, hwaddr addr,
                               hwaddr len);
    /* Deliver writes that were put off (coalesced) before returning; but from
     * the first whose region memory_region_is_busy(), keep them for later. */
    void (*flush_coalesced)(MemoryListener *listener);
    unsigned priority; /* lower: earlier for additions, later for deletions */
    /* Set by memory_listener_register(): */
    AddressSpace *address_space_filter;
};

/* Follow @filter, or every address space when NULL; replays the present map,
 * between begin and commit. Registering twice is a programming error. */
void memory_listener_register(MemoryListener *listener, AddressSpace *filter);

/* Withdraws the present map from the listener, between begin and commit; it may
 * be freed then. */
void memory_listener_unregister(MemoryListener *listener);

#endif
