/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one flat view to the next: transactions, comparing the new view with
 * the old one, and telling the listeners.
 */
#include <pthread.h>
#include <string.h>

#include "memory-internal.h"

/* ---- the memory lock ------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread unsigned lock_depth;

void memory_lock(void)
{
    if (!lock_depth++) {
        pthread_mutex_lock(&lock);
    }
}

bool memory_trylock(void)
{
    if (!lock_depth && pthread_mutex_trylock(&lock)) {
        return false;
    }
    lock_depth++;
    return true;
}

void memory_unlock(void)
{
    if (!lock_depth) {
        memory_error("memory_unlock() without a memory_lock()");
        return;
    }
    if (!--lock_depth) {
        pthread_mutex_unlock(&lock);
    }
}

bool memory_lock_held(void)
{
    return lock_depth;
}

/* ---- state, under the memory lock ----------------------------------------------------- */

unsigned memory_global_dirty_mask;

static struct {
    GPtrArray *spaces;    /* AddressSpace, oldest first */
    GPtrArray *listeners; /* MemoryListener, lowest priority first */
    unsigned transaction_depth;
    bool topology_pending;
    bool doorbells_pending;
    unsigned global_log_depth;
    FlatRanges *scratch; /* reused from commit to commit */
} topo;

static unsigned spaces_nr(void)
{
    return topo.spaces ? topo.spaces->len : 0;
}

static AddressSpace *space_at(unsigned i)
{
    return g_ptr_array_index(topo.spaces, i);
}

static unsigned listeners_nr(void)
{
    return topo.listeners ? topo.listeners->len : 0;
}

static MemoryListener *listener_at(unsigned i)
{
    return g_ptr_array_index(topo.listeners, i);
}

static bool listener_follows(const MemoryListener *l, const AddressSpace *as)
{
    return !l->address_space_filter || l->address_space_filter == as;
}

/* Call @callback of every listener of address space @as that has one; forward
 * is the order of additions. */
#define CALL_FORWARD(as, callback, ...)                                        \
    for (unsigned i_ = 0; i_ < listeners_nr(); i_++) {                         \
        MemoryListener *l_ = listener_at(i_);                                  \
        if (l_->callback && listener_follows(l_, as)) {                        \
            l_->callback(l_, ##__VA_ARGS__);                                   \
        }                                                                      \
    }

#define CALL_REVERSE(as, callback, ...)                                        \
    for (unsigned i_ = listeners_nr(); i_-- > 0;) {                            \
        MemoryListener *l_ = listener_at(i_);                                  \
        if (l_->callback && listener_follows(l_, as)) {                        \
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

void memory_flush_coalesced(void)
{
    CALL_ALL(flush_coalesced);
}

void memory_for_each_address_space(void (*fn)(AddressSpace *as, void *opaque),
                                   void *opaque)
{
    for (unsigned i = 0; i < spaces_nr(); i++) {
        fn(space_at(i), opaque);
    }
}

static uint64_t span(hwaddr first, hwaddr last)
{
    return last - first == UINT64_MAX ? UINT64_MAX : last - first + 1;
}

/* @range of @as as listeners see it; @as NULL: of a map nobody sees. */
static MemoryRegionSection section_of(AddressSpace *as, MemoryRegion *root,
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

/* The part of @range between @first and @last, which lie in it. */
static MemoryRegionSection section_part(AddressSpace *as, MemoryRegion *root,
                                        const FlatRange *range, hwaddr first,
                                        hwaddr last)
{
    FlatRange part = *range;

    part.offset += first - range->first;
    part.first = first;
    part.last = last;
    return section_of(as, root, &part);
}

/* The flat map of @root, in the scratch list. */
static FlatRanges *render_root(MemoryRegion *root)
{
    if (!topo.scratch) {
        topo.scratch = g_array_new(FALSE, FALSE, sizeof(FlatRange));
    }
    g_array_set_size(topo.scratch, 0);
    memory_region_render(root, topo.scratch);
    return topo.scratch;
}

/* ---- what a view says of doorbells and coalescing ------------------------------------------ */

/* A doorbell or a zone in an address space. */
typedef struct FlatDoorbell {
    MemoryRegionSection section;
    MemoryEventfd fd; /* its address in the address space */
} FlatDoorbell;

typedef struct FlatZone {
    MemoryRegionSection section;
    hwaddr first;
    hwaddr last;
} FlatZone;

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))
#define RETURN_IF_DIFFERENT(field)                                             \
    if (a->field != b->field) {                                                \
        return COMPARE(a->field, b->field);                                    \
    }

static int doorbell_compare(const void *va, const void *vb)
{
    const FlatDoorbell *a = va, *b = vb;

    RETURN_IF_DIFFERENT(fd.addr);
    RETURN_IF_DIFFERENT(fd.size);
    RETURN_IF_DIFFERENT(fd.match_data);
    RETURN_IF_DIFFERENT(fd.data);
    RETURN_IF_DIFFERENT(fd.e);
    RETURN_IF_DIFFERENT(section.mr);
    return COMPARE(a->section.offset_within_region,
                   b->section.offset_within_region);
}

static int zone_compare(const void *va, const void *vb)
{
    const FlatZone *a = va, *b = vb;

    RETURN_IF_DIFFERENT(first);
    RETURN_IF_DIFFERENT(last);
    RETURN_IF_DIFFERENT(section.mr);
    return COMPARE(a->section.offset_within_region,
                   b->section.offset_within_region);
}

/* A doorbell counts where a range shows all of it. */
static void collect_doorbells(AddressSpace *as, const FlatRange *range,
                              GArray *out)
{
    const MemoryRegion *mr = range->mr;
    hwaddr end = range->offset + (range->last - range->first);

    for (unsigned i = 0; i < mr->eventfd_nb; i++) {
        FlatDoorbell bell = { .fd = mr->eventfds[i] };
        hwaddr addr = bell.fd.addr;
        unsigned len = bell.fd.size ? bell.fd.size : 1;

        if (addr < range->offset || addr > end || end - addr < len - 1) {
            continue;
        }
        bell.fd.addr = range->first + (addr - range->offset);
        bell.section = section_part(as, as->root, range, bell.fd.addr,
                                    bell.fd.addr + len - 1);
        bell.section.size = bell.fd.size;
        g_array_append_val(out, bell);
    }
}

static void collect_zones(AddressSpace *as, const FlatRange *range,
                          GArray *out)
{
    const GArray *list = range->mr->coalesced;
    unsigned __int128 end =
        (unsigned __int128)range->offset + (range->last - range->first) + 1;

    for (unsigned i = 0; list && i < list->len; i++) {
        const CoalescedRange *c = &g_array_index(list, CoalescedRange, i);
        unsigned __int128 c_end = c->offset + c->size;
        hwaddr first = MAX(c->offset, range->offset);
        unsigned __int128 first_behind = MIN(c_end, end);

        if (first >= first_behind) {
            continue;
        }

        FlatZone zone = {
            .section = section_of(as, as->root, range),
            .first = range->first + (first - range->offset),
            .last = range->first +
                    ((hwaddr)(first_behind - 1) - range->offset),
        };

        g_array_append_val(out, zone);
    }
}

/* ---- commits ---------------------------------------------------------------------------------- */

/* What a commit does to one address space. */
typedef struct SpaceUpdate {
    AddressSpace *as;
    FlatView *old; /* to be retired; NULL when the view stays */
    GArray *old_doorbells, *new_doorbells;
    GArray *old_zones, *new_zones;
} SpaceUpdate;

typedef enum Pass { PASS_DELETE, PASS_ADD } Pass;

/* An unchanged range: logging may have started or stopped. */
static void announce_unchanged(AddressSpace *as, const FlatRange *old,
                               const FlatRange *new, Pass pass, bool nop)
{
    bool was_logging = old->dirty_log_mask, logging = new->dirty_log_mask;

    if (!nop && was_logging == logging) {
        return;
    }

    MemoryRegionSection s = section_of(as, as->root, new);

    if (pass == PASS_DELETE) {
        if (was_logging && !logging) {
            CALL_REVERSE(as, log_stop, &s);
        }
        return;
    }
    CALL_FORWARD(as, region_nop, &s);
    if (!was_logging && logging) {
        CALL_FORWARD(as, log_start, &s);
    }
}

static void announce_deleted(AddressSpace *as, const FlatRange *range)
{
    MemoryRegionSection s = section_of(as, as->root, range);

    if (range->dirty_log_mask) {
        CALL_REVERSE(as, log_stop, &s);
    }
    CALL_REVERSE(as, region_del, &s);
}

static void announce_added(AddressSpace *as, const FlatRange *range)
{
    MemoryRegionSection s = section_of(as, as->root, range);

    CALL_FORWARD(as, region_add, &s);
    if (range->dirty_log_mask) {
        CALL_FORWARD(as, log_start, &s);
    }
}

/* One pass over the difference between two views of @as, which may be one: a
 * listener that asks for what stays hears it at every commit. */
static void announce_ranges(AddressSpace *as, const FlatView *old,
                            const FlatView *new, Pass pass)
{
    unsigned i = 0, j = 0;
    bool nop = false;

    for (unsigned k = 0; k < listeners_nr(); k++) {
        nop |= listener_at(k)->region_nop && listener_follows(listener_at(k), as);
    }
    if (old == new && (!nop || pass == PASS_DELETE)) {
        return;
    }
    while (i < old->nr || j < new->nr) {
        const FlatRange *a = &old->ranges[i], *b = &new->ranges[j];

        if (i < old->nr && j < new->nr && flat_range_equal(a, b)) {
            announce_unchanged(as, a, b, pass, nop);
            i++;
            j++;
        } else if (j == new->nr || (i < old->nr && a->first <= b->first)) {
            if (pass == PASS_DELETE) {
                announce_deleted(as, a);
            }
            i++;
        } else {
            if (pass == PASS_ADD) {
                announce_added(as, b);
            }
            j++;
        }
    }
}

static void announce_doorbell(AddressSpace *as, FlatDoorbell *bell, Pass pass)
{
    MemoryEventfd *fd = &bell->fd;

    if (pass == PASS_DELETE) {
        CALL_REVERSE(as, eventfd_del, &bell->section, fd->match_data, fd->data,
                     fd->e);
    } else {
        CALL_FORWARD(as, eventfd_add, &bell->section, fd->match_data, fd->data,
                     fd->e);
    }
}

static void announce_zone(AddressSpace *as, FlatZone *zone, Pass pass)
{
    if (pass == PASS_DELETE) {
        CALL_REVERSE(as, coalesced_mmio_del, &zone->section, zone->first,
                     span(zone->first, zone->last));
    } else {
        CALL_FORWARD(as, coalesced_mmio_add, &zone->section, zone->first,
                     span(zone->first, zone->last));
    }
}

/* Call @announce for what one of two sorted lists has and the other has not:
 * in the old one for deletions, in the new one for additions. Either may be
 * NULL. */
#define DIFF_SORTED(type, compare, announce, as, old, new, pass)               \
    do {                                                                       \
        GArray *mine_ = (pass) == PASS_DELETE ? (old) : (new);                 \
        GArray *other_ = (pass) == PASS_DELETE ? (new) : (old);                \
        unsigned mine_nr_ = mine_ ? mine_->len : 0;                            \
        unsigned other_nr_ = other_ ? other_->len : 0;                         \
        for (unsigned m_ = 0, o_ = 0; m_ < mine_nr_; m_++) {                   \
            type *item_ = &g_array_index(mine_, type, m_);                     \
            int c_ = -1;                                                       \
            while (o_ < other_nr_ &&                                           \
                   (c_ = compare(&g_array_index(other_, type, o_), item_)) < 0) { \
                o_++;                                                          \
            }                                                                  \
            if (o_ < other_nr_ && c_ == 0) {                                   \
                o_++;                                                          \
            } else {                                                           \
                announce(as, item_, pass);                                     \
            }                                                                  \
        }                                                                      \
    } while (0)

/* Announce one pass of @u, whose new view is @new. Doorbells and zones go
 * before the ranges they lie in, and come after them. */
static void announce(const SpaceUpdate *u, const FlatView *new, Pass pass)
{
    AddressSpace *as = u->as;
    const FlatView *old = u->old ? u->old : new;

    if (pass == PASS_ADD) {
        announce_ranges(as, old, new, pass);
        DIFF_SORTED(FlatZone, zone_compare, announce_zone, as, u->old_zones,
                    u->new_zones, pass);
    }
    DIFF_SORTED(FlatDoorbell, doorbell_compare, announce_doorbell, as,
                u->old_doorbells, u->new_doorbells, pass);
    if (pass == PASS_DELETE) {
        DIFF_SORTED(FlatZone, zone_compare, announce_zone, as, u->old_zones,
                    u->new_zones, pass);
        announce_ranges(as, old, new, pass);
    }
}

/* Whether the ranges rendered are those of @view, logging included. */
static bool view_equals(const FlatView *view, const FlatRanges *list)
{
    if (view->nr != list->len) {
        return false;
    }
    for (unsigned i = 0; i < view->nr; i++) {
        const FlatRange *a = &view->ranges[i];
        const FlatRange *b = &g_array_index(list, FlatRange, i);

        if (!flat_range_equal(a, b) ||
            a->dirty_log_mask != b->dirty_log_mask) {
            return false;
        }
    }
    return true;
}

/* Work out what @as's view says of doorbells and zones now. */
static void update_doorbells(SpaceUpdate *u, const FlatView *view)
{
    AddressSpace *as = u->as;
    GArray *bells = g_array_new(FALSE, FALSE, sizeof(FlatDoorbell));
    GArray *zones = g_array_new(FALSE, FALSE, sizeof(FlatZone));

    for (unsigned i = 0; i < view->nr; i++) {
        collect_doorbells(as, &view->ranges[i], bells);
        collect_zones(as, &view->ranges[i], zones);
    }
    g_array_sort(bells, doorbell_compare);
    g_array_sort(zones, zone_compare);
    u->old_doorbells = as->eventfds;
    u->old_zones = as->coalesced;
    as->eventfds = u->new_doorbells = bells;
    as->coalesced = u->new_zones = zones;
}

/* Publish the present map of u->as. */
static void publish(SpaceUpdate *u)
{
    AddressSpace *as = u->as;
    FlatView *view = as->view;

    if (topo.topology_pending) {
        FlatRanges *list = render_root(as->root);

        if (!view_equals(view, list)) {
            u->old = view;
            view = flatview_new(list);
            __atomic_store_n(&as->view, view, __ATOMIC_RELEASE);
        }
    }
    if (u->old || topo.doorbells_pending) {
        update_doorbells(u, view);
    }
}

static void space_update_finish(SpaceUpdate *u)
{
    if (u->old) {
        flatview_retire(u->old);
    }
    if (u->new_doorbells) {
        g_array_unref(u->old_doorbells);
        g_array_unref(u->old_zones);
    }
}

/* Make everything pending visible, and tell the listeners. */
static void commit(void)
{
    unsigned n = spaces_nr();
    SpaceUpdate *updates = g_new0(SpaceUpdate, n);

    CALL_ALL(begin);
    for (unsigned i = 0; i < n; i++) {
        updates[i].as = space_at(i);
        publish(&updates[i]);
    }
    topo.topology_pending = false;
    topo.doorbells_pending = false;
    for (unsigned i = 0; i < n; i++) {
        announce(&updates[i], updates[i].as->view, PASS_DELETE);
    }
    for (unsigned i = 0; i < n; i++) {
        announce(&updates[i], updates[i].as->view, PASS_ADD);
    }
    CALL_ALL(commit);
    for (unsigned i = 0; i < n; i++) {
        space_update_finish(&updates[i]);
    }
    g_free(updates);
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
    if (topo.transaction_depth == 1 &&
        (topo.topology_pending || topo.doorbells_pending)) {
        commit();
    }
    topo.transaction_depth--;
    memory_unlock();
}

/* Whether some address space may show @mr. An alias of a region on the way up
 * counts as one that does. */
static bool region_may_be_shown(const MemoryRegion *mr)
{
    for (; mr; mr = mr->parent) {
        if (mr->roots || (mr->aliases && mr->aliases->len)) {
            return true;
        }
        if (!mr->enabled) {
            return false;
        }
    }
    return false;
}

void memory_topology_changed(MemoryRegion *mr)
{
    if (region_may_be_shown(mr)) {
        topo.topology_pending = true;
    }
}

void memory_doorbells_changed(MemoryRegion *mr)
{
    /* What is hidden now may be back when an outer transaction ends, in a view
     * that is no other than the old one. */
    if (topo.transaction_depth > 1 || region_may_be_shown(mr)) {
        topo.doorbells_pending = true;
    }
}

bool memory_region_awaits_commit(MemoryRegion *mr)
{
    if (!mr->visible || !topo.topology_pending) {
        return false;
    }
    for (unsigned i = 0; i < spaces_nr(); i++) {
        const FlatView *view = space_at(i)->view;

        for (unsigned j = 0; j < view->nr; j++) {
            if (view->ranges[j].mr == mr) {
                return true;
            }
        }
    }
    return false;
}

/* ---- address spaces ------------------------------------------------------------------------------ */

void address_space_init_named(AddressSpace *as, MemoryRegion *root,
                              const char *name)
{
    static const FlatRange none[1];
    FlatRanges empty = { .data = (char *)none, .len = 0 };

    memory_region_transaction_begin();
    memset(as, 0, sizeof(*as));
    as->root = root;
    root->roots++;
    as->name = g_strdup(name ? name : root->name);
    as->view = flatview_new(&empty);
    as->eventfds = g_array_new(FALSE, FALSE, sizeof(FlatDoorbell));
    as->coalesced = g_array_new(FALSE, FALSE, sizeof(FlatZone));
    if (!topo.spaces) {
        topo.spaces = g_ptr_array_new();
    }
    g_ptr_array_add(topo.spaces, as);
    topo.topology_pending = true;
    memory_region_transaction_commit();
}

void address_space_init(AddressSpace *as, MemoryRegion *root)
{
    address_space_init_named(as, root, NULL);
}

void address_space_destroy(AddressSpace *as)
{
    static const FlatRange none[1];
    FlatRanges empty = { .data = (char *)none, .len = 0 };
    SpaceUpdate u = { .as = as };

    memory_lock();
    memory_flush_coalesced();
    CALL_ALL(begin);
    u.old = as->view;
    as->view = flatview_new(&empty);
    update_doorbells(&u, as->view);
    announce(&u, as->view, PASS_DELETE);
    for (unsigned i = 0; i < spaces_nr(); i++) {
        AddressSpace *other = space_at(i);

        if (other != as) {
            announce_ranges(other, other->view, other->view, PASS_ADD);
        }
    }
    CALL_ALL(commit);
    flatview_retire(as->view);
    space_update_finish(&u);
    g_array_unref(as->eventfds);
    g_array_unref(as->coalesced);
    as->root->roots--;
    g_free(as->name);
    g_ptr_array_remove(topo.spaces, as);
    if (!topo.spaces->len) {
        g_clear_pointer(&topo.spaces, g_ptr_array_unref);
        g_clear_pointer(&topo.scratch, g_array_unref);
    }
    flatview_reclaim();
    memset(as, 0, sizeof(*as));
    memory_unlock();
}

MemoryRegionSection memory_region_find(MemoryRegion *address_space, hwaddr addr,
                                       uint64_t size)
{
    MemoryRegionSection found = { 0 };
    MemoryRegion *root = address_space;
    unsigned __int128 first = addr, last;
    AddressSpace *as = NULL;
    FlatView *view;
    unsigned i;

    memory_lock();
    for (; root->parent && !root->roots; root = root->parent) {
        first += root->addr;
    }
    last = first + (size == UINT64_MAX ? UINT64_MAX : size ? size - 1 : 0);
    if (first >> 64) {
        memory_unlock();
        return found;
    }
    last = MIN(last, HWADDR_MAX);
    for (i = 0; i < spaces_nr() && !as; i++) {
        as = space_at(i)->root == root ? space_at(i) : NULL;
    }
    view = as ? as->view : flatview_new(render_root(root));
    i = flatview_find(view, first);
    if (i < view->nr && view->ranges[i].first <= last) {
        const FlatRange *range = &view->ranges[i];

        found = section_part(as, root, range, MAX((hwaddr)first, range->first),
                             MIN((hwaddr)last, range->last));
    }
    if (!as) {
        flatview_retire(view);
    }
    memory_unlock();
    return found;
}

bool memory_region_present(MemoryRegion *container, hwaddr addr)
{
    MemoryRegion *mr = memory_region_find(container, addr, 1).mr;

    return mr && mr != container;
}

/* ---- dirty logging ---------------------------------------------------------------------------------- */

/* Call @fn for each range that shows a part of @mr, or any RAM when NULL. */
static void for_each_shown(AddressSpace *as, MemoryRegion *mr,
                           void (*fn)(AddressSpace *as, const FlatRange *range,
                                      const FlatRange *part),
                           const FlatRange *part)
{
    const FlatView *view = as->view;

    for (unsigned i = 0; i < view->nr; i++) {
        if (mr ? view->ranges[i].mr == mr : !!view->ranges[i].mr->ram_block) {
            fn(as, &view->ranges[i], part);
        }
    }
}

static void sync_range(AddressSpace *as, const FlatRange *range,
                       const FlatRange *unused)
{
    MemoryRegionSection s = section_of(as, as->root, range);

    (void)unused;
    CALL_FORWARD(as, log_sync, &s);
}

/* Tell of what @range shows of the region's bytes part->first to part->last. */
static void clear_range(AddressSpace *as, const FlatRange *range,
                        const FlatRange *part)
{
    hwaddr end = range->offset + (range->last - range->first);
    hwaddr first = MAX(part->first, range->offset);
    hwaddr last = MIN(part->last, end);

    if (first <= last) {
        hwaddr up = range->first - range->offset;
        MemoryRegionSection s = section_part(as, as->root, range, first + up,
                                             last + up);

        CALL_FORWARD(as, log_clear, &s);
    }
}

void memory_region_sync_dirty_bitmap(MemoryRegion *mr)
{
    memory_lock();
    while (mr->alias) {
        mr = mr->alias;
    }
    for (unsigned i = 0; i < spaces_nr(); i++) {
        for_each_shown(space_at(i), mr, sync_range, NULL);
    }
    memory_unlock();
}

void memory_global_sync_dirty_bitmap(MemoryRegion *address_space)
{
    memory_lock();
    for (unsigned i = 0; i < spaces_nr(); i++) {
        if (space_at(i)->root == address_space) {
            for_each_shown(space_at(i), NULL, sync_range, NULL);
        }
    }
    memory_unlock();
}

void memory_region_log_clear(MemoryRegion *mr, hwaddr offset, hwaddr size)
{
    FlatRange part = { .first = offset, .last = offset + (size - 1) };
    bool wanted = false;

    if (!size) {
        return;
    }
    memory_lock();
    for (unsigned i = 0; i < listeners_nr() && !wanted; i++) {
        wanted = listener_at(i)->log_clear;
    }
    for (unsigned i = 0; wanted && i < spaces_nr(); i++) {
        for_each_shown(space_at(i), mr, clear_range, &part);
    }
    memory_unlock();
}

void memory_global_dirty_log_start(void)
{
    memory_lock();
    if (!topo.global_log_depth++) {
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
    if (!topo.global_log_depth) {
        memory_error("memory_global_dirty_log_stop() without a start");
    } else if (!--topo.global_log_depth) {
        for (unsigned i = listeners_nr(); i-- > 0;) {
            if (listener_at(i)->log_global_stop) {
                listener_at(i)->log_global_stop(listener_at(i));
            }
        }
        __atomic_store_n(&memory_global_dirty_mask, 0, __ATOMIC_RELAXED);
    }
    memory_unlock();
}

/* ---- listeners ------------------------------------------------------------------------------------------ */

/* Announce everything in @as as added, or as deleted. */
static void replay(AddressSpace *as, Pass pass)
{
    static FlatRange none = { .first = HWADDR_MAX, .last = HWADDR_MAX };
    FlatView empty = { .ranges = &none };
    SpaceUpdate u = { .as = as };

    if (pass == PASS_ADD) {
        u.old = &empty;
        u.new_doorbells = as->eventfds;
        u.new_zones = as->coalesced;
        announce(&u, as->view, pass);
    } else {
        u.old = as->view;
        u.old_doorbells = as->eventfds;
        u.old_zones = as->coalesced;
        announce(&u, &empty, pass);
    }
}

/* Have @l alone hear of the present map: the announcers see a list of one. */
static void replay_to(MemoryListener *l, Pass pass)
{
    GPtrArray *all = topo.listeners;

    topo.listeners = g_ptr_array_new();
    g_ptr_array_add(topo.listeners, l);
    CALL_ALL(begin);
    if (pass == PASS_ADD && topo.global_log_depth) {
        CALL_ALL(log_global_start);
    }
    for (unsigned i = 0; i < spaces_nr(); i++) {
        if (listener_follows(l, space_at(i))) {
            replay(space_at(i), pass);
        }
    }
    if (pass == PASS_DELETE && topo.global_log_depth) {
        CALL_ALL(log_global_stop);
    }
    CALL_ALL(commit);
    g_ptr_array_unref(topo.listeners);
    topo.listeners = all;
}

void memory_listener_register(MemoryListener *listener, AddressSpace *filter)
{
    unsigned i;

    memory_lock();
    if (!topo.listeners) {
        topo.listeners = g_ptr_array_new();
    }
    if (g_ptr_array_find(topo.listeners, listener, NULL)) {
        memory_error("memory listener %p registered twice", (void *)listener);
        memory_unlock();
        return;
    }
    listener->address_space_filter = filter;
    for (i = topo.listeners->len;
         i && listener_at(i - 1)->priority > listener->priority; i--) {
    }
    replay_to(listener, PASS_ADD);
    g_ptr_array_insert(topo.listeners, i, listener);
    memory_unlock();
}

void memory_listener_unregister(MemoryListener *listener)
{
    memory_lock();
    if (!topo.listeners ||
        !g_ptr_array_remove(topo.listeners, listener)) {
        memory_error("memory listener %p unregistered, but not registered",
                     (void *)listener);
        memory_unlock();
        return;
    }
    replay_to(listener, PASS_DELETE);
    if (!topo.listeners->len) {
        g_clear_pointer(&topo.listeners, g_ptr_array_unref);
    }
    memory_unlock();
}
