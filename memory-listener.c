/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners: who follows which address space, and what each of them is told.
 */
#include <string.h>

#include "memory-internal.h"

unsigned memory_global_dirty_mask;

/* Under the memory lock. */
static struct {
    GPtrArray *listeners; /* MemoryListener, lowest priority first */
    unsigned global_log_depth;
} state;

static unsigned listeners_nr(void)
{
    return state.listeners ? state.listeners->len : 0;
}

static MemoryListener *listener_at(unsigned i)
{
    return g_ptr_array_index(state.listeners, i);
}

/* Call @callback of every listener of address space @as that has one; forward
 * is the order of additions. */
#define CALL_FORWARD(as, callback, ...)                                        \
    for (unsigned i_ = 0; i_ < (as)->listeners->len; i_++) {                   \
        MemoryListener *l_ = g_ptr_array_index((as)->listeners, i_);           \
        if (l_->callback) {                                                    \
            l_->callback(l_, ##__VA_ARGS__);                                   \
        }                                                                      \
    }

#define CALL_REVERSE(as, callback, ...)                                        \
    for (unsigned i_ = (as)->listeners->len; i_-- > 0;) {                      \
        MemoryListener *l_ = g_ptr_array_index((as)->listeners, i_);           \
        if (l_->callback) {                                                    \
            l_->callback(l_, ##__VA_ARGS__);                                   \
        }                                                                      \
    }

/* The same for callbacks that do not concern one address space. */
#define CALL_ALL(callback)                                                     \
    for (unsigned i_ = 0; i_ < listeners_nr(); i_++) {                         \
        if (listener_at(i_)->callback) {                                       \
            listener_at(i_)->callback(listener_at(i_));                        \
        }                                                                      \
    }

void memory_listeners_begin(void)
{
    CALL_ALL(begin);
}

void memory_listeners_commit(void)
{
    CALL_ALL(commit);
}

void memory_flush_coalesced(void)
{
    CALL_ALL(flush_coalesced);
}

static uint64_t span(hwaddr first, hwaddr last)
{
    return last - first == UINT64_MAX ? UINT64_MAX : last - first + 1;
}

MemoryRegionSection memory_section(AddressSpace *as, MemoryRegion *root,
                                   const FlatRange *range)
{
    return (MemoryRegionSection){
        .mr = range->mr,
        .address_space = root,
        .offset_within_region = range->offset,
        .size = span(range->first, range->last),
        .offset_within_address_space = range->first,
        .readonly = range->readonly,
        .last_within_address_space = range->last,
        .as = as,
    };
}

static MemoryRegionSection section_of(AddressSpace *as, const FlatRange *range)
{
    return memory_section(as, as->root, range);
}

/* ---- doorbells and zones --------------------------------------------------- */

void flat_range_collect_bells(const FlatRange *range, bool told, hwaddr first,
                              hwaddr last, GArray *bells)
{
    const MemoryEventfds *fds = told ? range->mr->told_eventfds
                                     : range->mr->eventfds;
    hwaddr end = range->offset + (range->last - range->first);
    hwaddr up = range->first - range->offset;
    unsigned lo = 0, hi = fds ? fds->nr : 0;
    hwaddr from;

    if (!fds || range->last < first || range->first > last) {
        return;
    }
    /* A doorbell of 8 bytes may start 7 before @first. */
    from = MAX(first, range->first) - up;
    from = from - range->offset < 7 ? range->offset : from - 7;
    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (fds->e[mid].addr < from) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < fds->nr && fds->e[lo].addr <= end; lo++) {
        unsigned len = fds->e[lo].size ? fds->e[lo].size : 1;
        FlatDoorbell bell = {
            .addr = fds->e[lo].addr + up,
            .mr = range->mr,
            .fd = fds->e[lo],
            .readonly = range->readonly,
        };

        if (bell.addr > last) {
            break;
        }
        /* It counts where the range shows all of it. */
        if (end - bell.fd.addr >= len - 1 && bell.addr + (len - 1) >= first) {
            g_array_append_val(bells, bell);
        }
    }
}

void flat_range_collect_zones(const FlatRange *range, bool told, GArray *zones)
{
    const GArray *list = told ? range->mr->told_coalesced
                              : range->mr->coalesced;
    unsigned __int128 end =
        (unsigned __int128)range->offset + (range->last - range->first) + 1;

    for (unsigned i = 0; list && i < list->len; i++) {
        const CoalescedRange *c = &g_array_index(list, CoalescedRange, i);
        hwaddr first = MAX(c->offset, range->offset);
        unsigned __int128 behind = MIN(c->offset + c->size, end);

        if (first < behind) {
            FlatZone zone = {
                .first = range->first + (first - range->offset),
                .last = range->first + ((hwaddr)(behind - 1) - range->offset),
                .range = *range,
            };

            g_array_append_val(zones, zone);
        }
    }
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))
#define RETURN_IF_DIFFERENT(field)                                             \
    if (a->field != b->field) {                                                \
        return COMPARE(a->field, b->field);                                    \
    }

static int bell_compare(const void *va, const void *vb)
{
    const FlatDoorbell *a = va, *b = vb;

    RETURN_IF_DIFFERENT(addr);
    RETURN_IF_DIFFERENT(fd.size);
    RETURN_IF_DIFFERENT(fd.match_data);
    RETURN_IF_DIFFERENT(fd.data);
    RETURN_IF_DIFFERENT(fd.e);
    RETURN_IF_DIFFERENT(mr);
    return COMPARE(a->fd.addr, b->fd.addr);
}

static hwaddr zone_offset(const FlatZone *zone)
{
    return zone->range.offset + (zone->first - zone->range.first);
}

static int zone_compare(const void *va, const void *vb)
{
    const FlatZone *a = va, *b = vb;

    RETURN_IF_DIFFERENT(first);
    RETURN_IF_DIFFERENT(last);
    RETURN_IF_DIFFERENT(range.mr);
    return COMPARE(zone_offset(a), zone_offset(b));
}

typedef enum Pass { PASS_DELETE, PASS_ADD } Pass;

static void announce_bell(AddressSpace *as, const FlatDoorbell *bell, Pass pass)
{
    const MemoryEventfd *fd = &bell->fd;
    MemoryRegionSection s = {
        .mr = bell->mr,
        .address_space = as->root,
        .offset_within_region = fd->addr,
        .size = fd->size,
        .offset_within_address_space = bell->addr,
        .readonly = bell->readonly,
        .last_within_address_space = bell->addr + (fd->size ? fd->size - 1 : 0),
        .as = as,
    };

    if (pass == PASS_DELETE) {
        CALL_REVERSE(as, eventfd_del, &s, fd->match_data, fd->data, fd->e);
    } else {
        CALL_FORWARD(as, eventfd_add, &s, fd->match_data, fd->data, fd->e);
    }
}

static void announce_zone(AddressSpace *as, const FlatZone *zone, Pass pass)
{
    MemoryRegionSection s = section_of(as, &zone->range);

    if (pass == PASS_DELETE) {
        CALL_REVERSE(as, coalesced_mmio_del, &s, zone->first,
                     span(zone->first, zone->last));
    } else {
        CALL_FORWARD(as, coalesced_mmio_add, &s, zone->first,
                     span(zone->first, zone->last));
    }
}

/* Keep in @mine and @other, which get sorted, only what one of them has and the
 * other has not; with @once, equals are one. */
static void difference(GArray *mine, GArray *other, unsigned size,
                       int (*compare)(const void *a, const void *b),
                       bool once)
{
    char *a = mine->data, *b = other->data;
    unsigned i = 0, j = 0, mine_nr = 0, other_nr = 0;

    g_array_sort(mine, compare);
    g_array_sort(other, compare);
    while (i < mine->len || j < other->len) {
        int c = i == mine->len ? 1
                : j == other->len ? -1 : compare(a + i * size, b + j * size);
        unsigned from_i = i, from_j = j;

        if (c <= 0) {
            do {
                i++;
            } while (once && i < mine->len &&
                     !compare(a + from_i * size, a + i * size));
        }
        if (c >= 0) {
            do {
                j++;
            } while (once && j < other->len &&
                     !compare(b + from_j * size, b + j * size));
        }
        if (c < 0) {
            memmove(a + mine_nr++ * size, a + from_i * size, size);
        } else if (c > 0) {
            memmove(b + other_nr++ * size, b + from_j * size, size);
        }
    }
    g_array_set_size(mine, mine_nr);
    g_array_set_size(other, other_nr);
}

static void announce_bells(AddressSpace *as, const GArray *bells, Pass pass)
{
    for (unsigned i = 0; i < bells->len; i++) {
        announce_bell(as, &g_array_index(bells, FlatDoorbell, i), pass);
    }
}

static void announce_zones(AddressSpace *as, const GArray *zones, Pass pass)
{
    for (unsigned i = 0; i < zones->len; i++) {
        announce_zone(as, &g_array_index(zones, FlatZone, i), pass);
    }
}

/* ---- ranges ------------------------------------------------------------------ */

static void announce_deleted(AddressSpace *as, const FlatRange *range)
{
    MemoryRegionSection s = section_of(as, range);

    if (range->dirty_log_mask) {
        CALL_REVERSE(as, log_stop, &s);
    }
    CALL_REVERSE(as, region_del, &s);
}

static void announce_added(AddressSpace *as, const FlatRange *range)
{
    MemoryRegionSection s = section_of(as, range);

    CALL_FORWARD(as, region_add, &s);
    if (range->dirty_log_mask) {
        CALL_FORWARD(as, log_start, &s);
    }
}

static void announce_log_stopped(AddressSpace *as, const FlatRange *range)
{
    MemoryRegionSection s = section_of(as, range);

    CALL_REVERSE(as, log_stop, &s);
}

static void announce_log_started(AddressSpace *as, const FlatRange *range)
{
    MemoryRegionSection s = section_of(as, range);

    CALL_FORWARD(as, log_start, &s);
}

typedef void AnnounceFn(AddressSpace *as, const FlatRange *range);

/* Two lists in one order of addresses. */
static void announce_both(AddressSpace *as, const FlatRanges *a,
                          AnnounceFn *announce_a, const FlatRanges *b,
                          AnnounceFn *announce_b)
{
    unsigned i = 0, j = 0;

    while (i < a->len || j < b->len) {
        const FlatRange *x = &g_array_index(a, FlatRange, i);
        const FlatRange *y = &g_array_index(b, FlatRange, j);

        if (j == b->len || (i < a->len && x->first < y->first)) {
            announce_a(as, x);
            i++;
        } else {
            announce_b(as, y);
            j++;
        }
    }
}

/* Doorbells and zones go before the ranges they lie in, and come after them. */
static void announce(AddressSpace *as, const ViewChanges *c, Pass pass)
{
    if (pass == PASS_DELETE) {
        announce_bells(as, c->old_bells, pass);
        announce_zones(as, c->old_zones, pass);
        announce_both(as, c->deleted, announce_deleted, c->log_stopped,
                      announce_log_stopped);
    } else {
        announce_both(as, c->added, announce_added, c->log_started,
                      announce_log_started);
        announce_zones(as, c->new_zones, pass);
        announce_bells(as, c->new_bells, pass);
    }
}

static bool nop_wanted(void)
{
    for (unsigned i = 0; i < listeners_nr(); i++) {
        if (listener_at(i)->region_nop) {
            return true;
        }
    }
    return false;
}

/* Whether the range number *@next of @list is @range; if so, go on. */
static bool list_steps_over(const FlatRanges *list, unsigned *next,
                            const FlatRange *range)
{
    if (*next < list->len &&
        g_array_index(list, FlatRange, *next).first == range->first) {
        ++*next;
        return true;
    }
    return false;
}

/* The additions to @as among what stays there, which whoever asks hears of as
 * well. @c NULL: everything stays. */
static void announce_whole(AddressSpace *as, const ViewChanges *c)
{
    const FlatNode *root = address_space_root(as);
    unsigned added = 0, started = 0;

    for (const FlatRange *r = flat_node_find(root, 0); r;
         r = flat_node_next(root, r)) {
        if (c && list_steps_over(c->added, &added, r)) {
            announce_added(as, r);
            continue;
        }

        MemoryRegionSection s = section_of(as, r);

        CALL_FORWARD(as, region_nop, &s);
        if (c && list_steps_over(c->log_started, &started, r)) {
            announce_log_started(as, r);
        }
    }
    if (c) {
        announce_zones(as, c->new_zones, PASS_ADD);
        announce_bells(as, c->new_bells, PASS_ADD);
    }
}

typedef struct Walk {
    const GArray *changes;
    unsigned next;
} Walk;

static void announce_next_whole(AddressSpace *as, void *opaque)
{
    Walk *walk = opaque;
    const ViewChanges *c = NULL;

    if (walk->next < walk->changes->len) {
        const SpaceChanges *at = &g_array_index(walk->changes, SpaceChanges,
                                                walk->next);

        if (at->as == as) {
            c = at->changes;
            walk->next++;
        }
    }
    announce_whole(as, c);
}

/* Spaces that share a view share the lists; to do this again changes
 * nothing. */
static void prepare(const ViewChanges *c)
{
    if (c->old_bells->len || c->new_bells->len) {
        difference(c->old_bells, c->new_bells, sizeof(FlatDoorbell),
                   bell_compare, true);
    }
    if (c->old_zones->len || c->new_zones->len) {
        difference(c->old_zones, c->new_zones, sizeof(FlatZone), zone_compare,
                   false);
    }
}

void memory_listeners_announce(const GArray *changes)
{
    Walk walk = { .changes = changes };

    for (unsigned i = 0; i < changes->len; i++) {
        const SpaceChanges *at = &g_array_index(changes, SpaceChanges, i);

        prepare(at->changes);
        announce(at->as, at->changes, PASS_DELETE);
    }
    if (nop_wanted()) {
        memory_for_each_address_space(announce_next_whole, &walk);
        return;
    }
    for (unsigned i = 0; i < changes->len; i++) {
        const SpaceChanges *at = &g_array_index(changes, SpaceChanges, i);

        announce(at->as, at->changes, PASS_ADD);
    }
}

/* ---- dirty logging ------------------------------------------------------------- */

static void sync_shown(FlatView *view, const FlatRange *range, void *opaque)
{
    for (unsigned i = 0; i < view->followed->len; i++) {
        AddressSpace *as = g_ptr_array_index(view->followed, i);
        MemoryRegionSection s = section_of(as, range);

        CALL_FORWARD(as, log_sync, &s);
    }
}

void memory_region_sync_dirty_bitmap(MemoryRegion *mr)
{
    memory_lock();
    while (mr->alias) {
        mr = mr->alias;
    }
    memory_region_for_each_shown(mr, 0, HWADDR_MAX, sync_shown, NULL);
    memory_unlock();
}

static void sync_space(AddressSpace *as, void *opaque)
{
    const FlatNode *root = address_space_root(as);
    const FlatRange *r;

    if (as->root != opaque || !as->listeners->len) {
        return;
    }
    for (r = flat_node_find(root, 0); r; r = flat_node_next(root, r)) {
        if (r->mr->ram_block) {
            MemoryRegionSection s = section_of(as, r);

            CALL_FORWARD(as, log_sync, &s);
        }
    }
}

void memory_global_sync_dirty_bitmap(MemoryRegion *address_space)
{
    memory_lock();
    memory_for_each_address_space(sync_space, address_space);
    memory_unlock();
}

/* Tell of what @range shows of the region's bytes in @opaque. */
static void clear_shown(FlatView *view, const FlatRange *range, void *opaque)
{
    const Interval *bytes = opaque;
    hwaddr end = range->offset + (range->last - range->first);
    hwaddr up = range->first - range->offset;
    FlatRange part = flat_range_part(range,
                                     MAX(bytes->first, range->offset) + up,
                                     MIN(bytes->last, end) + up);

    for (unsigned i = 0; i < view->followed->len; i++) {
        AddressSpace *as = g_ptr_array_index(view->followed, i);
        MemoryRegionSection s = section_of(as, &part);

        CALL_FORWARD(as, log_clear, &s);
    }
}

void memory_region_log_clear(MemoryRegion *mr, hwaddr offset, hwaddr size)
{
    Interval bytes = { offset, offset + (size - 1) };
    bool wanted = false;

    if (!size) {
        return;
    }
    memory_lock();
    for (unsigned i = 0; i < listeners_nr() && !wanted; i++) {
        wanted = listener_at(i)->log_clear;
    }
    if (wanted) {
        memory_region_for_each_shown(mr, bytes.first, bytes.last, clear_shown,
                                     &bytes);
    }
    memory_unlock();
}

void memory_global_dirty_log_start(void)
{
    memory_lock();
    if (!state.global_log_depth++) {
        __atomic_store_n(&memory_global_dirty_mask,
                         1u << DIRTY_MEMORY_MIGRATION, __ATOMIC_RELAXED);
        ram_wait_for_writers();
        CALL_ALL(log_global_start);
    }
    memory_unlock();
}

void memory_global_dirty_log_stop(void)
{
    memory_lock();
    if (!state.global_log_depth) {
        memory_error("memory_global_dirty_log_stop() without a start");
    } else if (!--state.global_log_depth) {
        for (unsigned i = listeners_nr(); i-- > 0;) {
            if (listener_at(i)->log_global_stop) {
                listener_at(i)->log_global_stop(listener_at(i));
            }
        }
        __atomic_store_n(&memory_global_dirty_mask, 0, __ATOMIC_RELAXED);
    }
    memory_unlock();
}

/* ---- who follows what ------------------------------------------------------------ */

static bool listener_follows(const MemoryListener *l, const AddressSpace *as)
{
    return !l->address_space_filter || l->address_space_filter == as;
}

/* Everything in @as, as added or as deleted. */
static void replay(AddressSpace *as, Pass pass)
{
    GArray *bells = g_array_new(FALSE, FALSE, sizeof(FlatDoorbell));
    GArray *zones = g_array_new(FALSE, FALSE, sizeof(FlatZone));
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(FlatRange));
    GArray *none = g_array_new(FALSE, FALSE, sizeof(FlatRange));
    const FlatNode *root = address_space_root(as);
    ViewChanges c = {
        .added = ranges, .deleted = ranges,
        .log_started = none, .log_stopped = none,
        .old_bells = bells, .new_bells = bells,
        .old_zones = zones, .new_zones = zones,
    };

    for (const FlatRange *r = flat_node_find(root, 0); r;
         r = flat_node_next(root, r)) {
        g_array_append_val(ranges, *r);
        flat_range_collect_bells(r, true, 0, HWADDR_MAX, bells);
        flat_range_collect_zones(r, true, zones);
    }
    g_array_sort(bells, bell_compare);
    g_array_sort(zones, zone_compare);
    announce(as, &c, pass);
    g_array_unref(bells);
    g_array_unref(zones);
    g_array_unref(ranges);
    g_array_unref(none);
}

typedef struct Replay {
    MemoryListener *listener;
    Pass pass;
} Replay;

/* Have one listener alone hear of @as. */
static void replay_space(AddressSpace *as, void *opaque)
{
    const Replay *r = opaque;
    GPtrArray *all = as->listeners;

    if (listener_follows(r->listener, as)) {
        as->listeners = g_ptr_array_new();
        g_ptr_array_add(as->listeners, r->listener);
        replay(as, r->pass);
        g_ptr_array_unref(as->listeners);
        as->listeners = all;
    }
}

static void replay_to(MemoryListener *l, Pass pass)
{
    Replay r = { l, pass };

    if (l->begin) {
        l->begin(l);
    }
    if (pass == PASS_ADD && state.global_log_depth && l->log_global_start) {
        l->log_global_start(l);
    }
    memory_for_each_address_space(replay_space, &r);
    if (pass == PASS_DELETE && state.global_log_depth && l->log_global_stop) {
        l->log_global_stop(l);
    }
    if (l->commit) {
        l->commit(l);
    }
}

/* Behind those of lower or the same priority. */
static void list_insert(GPtrArray *list, MemoryListener *l)
{
    unsigned i = list->len;

    while (i && ((MemoryListener *)g_ptr_array_index(list, i - 1))->priority >
                    l->priority) {
        i--;
    }
    g_ptr_array_insert(list, (int)i, l);
}

static void space_add_listener(AddressSpace *as, void *opaque)
{
    MemoryListener *l = opaque;

    if (listener_follows(l, as)) {
        if (!as->listeners->len) {
            memory_map_follow(as, true);
        }
        list_insert(as->listeners, l);
    }
}

static void space_remove_listener(AddressSpace *as, void *opaque)
{
    if (g_ptr_array_remove(as->listeners, opaque) && !as->listeners->len) {
        memory_map_follow(as, false);
    }
}

void memory_listeners_attach(AddressSpace *as)
{
    as->listeners = g_ptr_array_new();
    for (unsigned i = 0; i < listeners_nr(); i++) {
        if (listener_follows(listener_at(i), as)) {
            g_ptr_array_add(as->listeners, listener_at(i));
        }
    }
}

static void announce_unchanged(AddressSpace *as, void *opaque)
{
    announce_whole(as, NULL);
}

void memory_listeners_detach(AddressSpace *as)
{
    CALL_ALL(begin);
    if (as->listeners->len) {
        replay(as, PASS_DELETE);
    }
    if (nop_wanted()) {
        memory_for_each_address_space(announce_unchanged, NULL);
    }
    CALL_ALL(commit);
}

void memory_listener_register(MemoryListener *listener, AddressSpace *filter)
{
    memory_lock();
    if (!state.listeners) {
        state.listeners = g_ptr_array_new();
    }
    if (g_ptr_array_find(state.listeners, listener, NULL)) {
        memory_error("memory listener %p registered twice", (void *)listener);
        memory_unlock();
        return;
    }
    listener->address_space_filter = filter;
    replay_to(listener, PASS_ADD);
    list_insert(state.listeners, listener);
    memory_for_each_address_space(space_add_listener, listener);
    memory_unlock();
}

void memory_listener_unregister(MemoryListener *listener)
{
    memory_lock();
    if (!state.listeners || !g_ptr_array_remove(state.listeners, listener)) {
        memory_error("memory listener %p unregistered, but not registered",
                     (void *)listener);
        memory_unlock();
        return;
    }
    memory_for_each_address_space(space_remove_listener, listener);
    replay_to(listener, PASS_DELETE);
    if (!state.listeners->len) {
        g_clear_pointer(&state.listeners, g_ptr_array_unref);
    }
    memory_unlock();
}
