/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The graph of memory regions: construction, life, the tree, and what each
 * region asks of the listeners. Whatever changes in it is told to memory-map.c,
 * which finds out what that means for the address spaces.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "memory-internal.h"
#include "rcu.h"

/* ---- programming errors ---------------------------------------------------------- */

static MemoryErrorHandler *error_handler;
static void *error_opaque;

void memory_set_error_handler(MemoryErrorHandler *handler, void *opaque)
{
    error_handler = handler;
    error_opaque = opaque;
}

void memory_error(const char *fmt, ...)
{
    va_list ap;
    char *message;

    va_start(ap, fmt);
    message = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (!error_handler) {
        fprintf(stderr, "memory: %s\n", message);
        abort();
    }
    error_handler(message, error_opaque);
    g_free(message);
}

/* ---- construction ------------------------------------------------------------------ */

static void region_init(MemoryRegion *mr, MemoryRegionKind kind,
                        const char *name, uint64_t size)
{
    memset(mr, 0, sizeof(*mr));
    mr->kind = kind;
    mr->name = g_strdup(name ? name : "");
    mr->size = size_from_u64(size);
    mr->enabled = true;
    mr->guard = &mr->own_guard;
}

void memory_region_init(MemoryRegion *mr, const char *name, uint64_t size)
{
    region_init(mr, MEMORY_REGION_CONTAINER, name, size);
}

static void region_set_ops(MemoryRegion *mr, const MemoryRegionOps *ops,
                           void *opaque)
{
    static const MemoryRegionOps no_ops;

    mr->ops = ops ? ops : &no_ops;
    mr->opaque = opaque;
    memory_region_init_access(mr);
}

void memory_region_init_io(MemoryRegion *mr, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size)
{
    region_init(mr, MEMORY_REGION_IO, name, size);
    region_set_ops(mr, ops, opaque);
}

/* Make @mr a region of @kind over @block, or nothing if that is NULL. */
static bool region_init_block(MemoryRegion *mr, MemoryRegionKind kind,
                              const char *name, uint64_t size, RAMBlock *block)
{
    if (!block) {
        memset(mr, 0, sizeof(*mr));
        return false;
    }
    region_init(mr, kind, name, size);
    mr->ram_block = block;
    return true;
}

/* The allocations whose callers cannot be told of a failure: *@err is set
 * where @block is NULL. */
static RAMBlock *block_or_exit(RAMBlock *block, const char *name,
                               GError *const *err)
{
    if (!block) {
        fprintf(stderr, "memory region '%s': %s\n", name, (*err)->message);
        exit(1);
    }
    return block;
}

bool memory_region_try_init_ram(MemoryRegion *mr, const char *name,
                                uint64_t size, GError **err)
{
    return region_init_block(mr, MEMORY_REGION_RAM, name, size,
                             ram_block_new(size, err));
}

void memory_region_init_ram(MemoryRegion *mr, const char *name, uint64_t size)
{
    GError *err = NULL;

    region_init_block(mr, MEMORY_REGION_RAM, name, size,
                      block_or_exit(ram_block_new(size, &err), name, &err));
}

void memory_region_init_ram_ptr(MemoryRegion *mr, const char *name,
                                uint64_t size, void *ptr)
{
    GError *err = NULL;
    RAMBlock *block = ram_block_new_ptr(size, ptr, &err);

    region_init_block(mr, MEMORY_REGION_RAM, name, size,
                      block_or_exit(block, name, &err));
}

bool memory_region_init_ram_from_file(MemoryRegion *mr, const char *name,
                                      uint64_t size, uint64_t align,
                                      uint32_t ram_flags, const char *path,
                                      GError **err)
{
    return region_init_block(
        mr, MEMORY_REGION_RAM, name, size,
        ram_block_new_file(size, align, ram_flags, path, err));
}

bool memory_region_init_ram_from_fd(MemoryRegion *mr, const char *name,
                                    uint64_t size, uint32_t ram_flags, int fd,
                                    uint64_t offset, GError **err)
{
    return region_init_block(
        mr, MEMORY_REGION_RAM, name, size,
        ram_block_new_fd(size, ram_flags, fd, offset, err));
}

void memory_region_init_rom(MemoryRegion *mr, const char *name, uint64_t size)
{
    memory_region_init_ram(mr, name, size);
    mr->readonly = true;
}

/* Put @alias, wherever it was, into place @i of its target's list. */
static void alias_list_put(MemoryRegion *alias, unsigned i)
{
    alias->alias->aliases->pdata[i] = alias;
    alias->alias_index = i;
}

/* Exchange the aliases in places @i and @j of @list. */
static void alias_list_swap(GPtrArray *list, unsigned i, unsigned j)
{
    MemoryRegion *a = list->pdata[i], *b = list->pdata[j];

    alias_list_put(a, j);
    alias_list_put(b, i);
}

/* Add @alias to its target's list, before those that are bypassed. */
static void alias_list_add(MemoryRegion *alias)
{
    MemoryRegion *orig = alias->alias;
    unsigned last;

    if (!orig->aliases) {
        orig->aliases = g_ptr_array_new();
    }
    last = orig->aliases->len;
    g_ptr_array_add(orig->aliases, alias);
    alias->alias_index = last;
    alias_list_swap(orig->aliases, last, last - orig->bypassed);
    memory_region_aliased(orig);
}

void alias_set_bypassed(MemoryRegion *alias, bool bypassed)
{
    MemoryRegion *orig = alias->alias;
    unsigned border = orig->aliases->len - orig->bypassed;

    if ((alias->alias_index >= border) == bypassed) {
        return;
    }
    if (bypassed) {
        alias_list_swap(orig->aliases, alias->alias_index, border - 1);
        orig->bypassed++;
    } else {
        alias_list_swap(orig->aliases, alias->alias_index, border);
        orig->bypassed--;
    }
}

static void alias_list_remove(MemoryRegion *alias)
{
    MemoryRegion *orig = alias->alias;
    unsigned last = orig->aliases->len - 1;

    alias_set_bypassed(alias, true); /* the last ones may change places */
    alias_list_swap(orig->aliases, alias->alias_index, last);
    g_ptr_array_set_size(orig->aliases, last);
    orig->bypassed--;
    if (!last) {
        g_clear_pointer(&orig->aliases, g_ptr_array_unref);
    }
}

void memory_region_init_alias(MemoryRegion *mr, const char *name,
                              MemoryRegion *orig, hwaddr offset, uint64_t size)
{
    if (orig == mr) {
        memory_error("alias '%s' of region '%s': a region cannot be an alias "
                     "of itself", name, orig->name ? orig->name : "");
        return;
    }
    memory_lock();
    region_init(mr, MEMORY_REGION_ALIAS, name, size);
    mr->alias = orig;
    mr->alias_offset = offset;
    alias_list_add(mr);
    memory_unlock();
}

static void rom_device_init(MemoryRegion *mr, const MemoryRegionOps *ops, void *opaque,
                            const char *name, uint64_t size, RAMBlock *block)
{
    region_init_block(mr, MEMORY_REGION_ROM_DEVICE, name, size, block);
    region_set_ops(mr, ops, opaque);
    mr->romd_mode = true;
}

void memory_region_init_rom_device(MemoryRegion *mr,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size)
{
    GError *err = NULL;

    rom_device_init(mr, ops, opaque, name, size,
                    block_or_exit(ram_block_new(size, &err), name, &err));
}

void memory_region_init_rom_device_ptr(MemoryRegion *mr,
                                       const MemoryRegionOps *ops, void *opaque,
                                       const char *name, uint64_t size, void *ptr)
{
    GError *err = NULL;

    rom_device_init(mr, ops, opaque, name, size,
                    block_or_exit(ram_block_new_ptr(size, ptr, &err), name, &err));
}

void memory_region_init_reservation(MemoryRegion *mr, const char *name,
                                    uint64_t size)
{
    region_init(mr, MEMORY_REGION_RESERVATION, name, size);
}

void memory_region_set_guard(MemoryRegion *mr, MemoryReentrancyGuard *guard)
{
    mr->guard = guard;
}

static void set_locking(MemoryRegion *mr, MemoryRegionLocking locking,
                        pthread_mutex_t *lock)
{
    if (mr->visible) {
        memory_error("region '%s' has been visible: what its callbacks lock "
                     "cannot change any more", mr->name);
        return;
    }
    mr->locking = locking;
    mr->lock = lock;
}

void memory_region_set_lock(MemoryRegion *mr, pthread_mutex_t *lock)
{
    set_locking(mr, MEMORY_LOCKING_OWN, lock);
}

void memory_region_clear_global_locking(MemoryRegion *mr)
{
    set_locking(mr, MEMORY_LOCKING_NONE, NULL);
}

/* ---- life ---------------------------------------------------------------------------- */

/* Why @mr must not be destroyed now; reported. */
static bool region_in_use(MemoryRegion *mr)
{
    if (mr->parent) {
        memory_error("region '%s' destroyed while it is a subregion of '%s'",
                     mr->name, mr->parent->name);
    } else if (region_has_subregions(mr)) {
        MemoryRegion *sub = mr->subregions[!mr->subregions[0]];

        memory_error("region '%s' destroyed while '%s' is a subregion of it",
                     mr->name, sub->name);
    } else if (mr->aliases) {
        MemoryRegion *alias = g_ptr_array_index(mr->aliases, 0);

        memory_error("region '%s' destroyed while '%s' is an alias of it",
                     mr->name, alias->name);
    } else if (mr->spaces) {
        memory_error("region '%s' destroyed while it is the root of an "
                     "address space", mr->name);
    } else if (memory_region_in_callback(mr)) {
        memory_error("region '%s' destroyed from its own callback", mr->name);
    } else if (mr->shown || mr->view) {
        memory_error("region '%s' destroyed in the transaction that removes "
                     "it: commit first", mr->name);
    } else {
        return false;
    }
    return true;
}

void memory_region_destroy(MemoryRegion *mr)
{
    memory_lock();
    if (region_in_use(mr)) {
        memory_unlock();
        return;
    }
    if (mr->visible) {
        rcu_reclaim(); /* no reader sees the region any more */
    }
    if (mr->locking != MEMORY_LOCKING_GLOBAL) {
        memory_unlock(); /* a callback without a lock may want it to end */
        memory_region_quiesce(mr);
        memory_lock();
    }
    memory_map_forget(mr);
    if (mr->alias) {
        alias_list_remove(mr);
    }
    if (mr->ram_block) {
        ram_block_unref(mr->ram_block);
    }
    g_clear_pointer(&mr->coalesced, g_array_unref);
    g_clear_pointer(&mr->told_coalesced, g_array_unref);
    if (mr->told_eventfds != mr->eventfds) {
        g_free(mr->told_eventfds);
    }
    g_free(mr->eventfds);
    g_free(mr->name);
    memset(mr, 0, sizeof(*mr));
    memory_unlock();
}

/* ---- queries --------------------------------------------------------------------------- */

uint64_t memory_region_size(MemoryRegion *mr)
{
    return mr->size >> 64 ? UINT64_MAX : (uint64_t)mr->size;
}

const char *memory_region_name(MemoryRegion *mr)
{
    return mr->name;
}

bool memory_region_is_ram(MemoryRegion *mr)
{
    return mr->kind == MEMORY_REGION_RAM;
}

bool memory_region_is_rom(MemoryRegion *mr)
{
    return mr->kind == MEMORY_REGION_RAM && mr->readonly;
}

bool memory_region_is_romd(MemoryRegion *mr)
{
    return mr->kind == MEMORY_REGION_ROM_DEVICE && mr->romd_mode;
}

enum device_endian memory_region_endianness(MemoryRegion *mr)
{
    return mr->ops ? mr->ops->endianness : DEVICE_NATIVE_ENDIAN;
}

/* The region whose memory @mr shows, and where in it @mr starts. */
static MemoryRegion *resolve_alias(MemoryRegion *mr, hwaddr *offset)
{
    for (*offset = 0; mr->alias; mr = mr->alias) {
        *offset += mr->alias_offset;
    }
    return mr;
}

bool memory_region_is_logging(MemoryRegion *mr)
{
    hwaddr offset;

    return resolve_alias(mr, &offset)->dirty_log_mask;
}

void *memory_region_get_ram_ptr(MemoryRegion *mr)
{
    hwaddr offset;

    mr = resolve_alias(mr, &offset);
    return mr->ram_block ? mr->ram_block->host + offset : NULL;
}

ram_addr_t memory_region_get_ram_addr(MemoryRegion *mr)
{
    hwaddr offset;

    mr = resolve_alias(mr, &offset);
    return mr->ram_block ? mr->ram_block->offset + offset : RAM_ADDR_INVALID;
}

int memory_region_get_fd(MemoryRegion *mr)
{
    hwaddr offset;

    mr = resolve_alias(mr, &offset);
    return mr->ram_block ? mr->ram_block->fd : -1;
}

hwaddr memory_region_section_addr(MemoryRegionSection *section, hwaddr addr)
{
    return addr - section->offset_within_address_space +
           section->offset_within_region;
}

/* ---- the tree ---------------------------------------------------------------------------- */

/* A search through the graph in one direction, one step at a time. */
typedef struct Search {
    MemoryRegion *target;
    bool found;
    GHashTable *seen;   /* regions met, the one it started from among them */
    GPtrArray *regions; /* the same, in the order they were met */
    guint at;           /* the one whose neighbours are met now */
    guint next_alias;   /* upwards: those of its aliases before were met */
    GPtrArray *subs;    /* downwards: subtrees of subregions yet to be met */
} Search;

static void search_meet(Search *s, MemoryRegion *mr)
{
    s->found |= mr == s->target;
    if (g_hash_table_add(s->seen, mr)) {
        g_ptr_array_add(s->regions, mr);
    }
}

static void search_begin(Search *s, MemoryRegion *from, MemoryRegion *target)
{
    *s = (Search){
        .target = target,
        .seen = g_hash_table_new(NULL, NULL),
        .regions = g_ptr_array_new(),
        .subs = g_ptr_array_new(),
    };
    search_meet(s, from);
}

static void search_end(Search *s)
{
    g_hash_table_destroy(s->seen);
    g_ptr_array_unref(s->regions);
    g_ptr_array_unref(s->subs);
}

/* Put off meeting the subregions in @tree. */
static void search_later(Search *s, MemoryRegion *tree)
{
    if (tree) {
        g_ptr_array_add(s->subs, tree);
    }
}

/* One step through what regions show; false if there is nothing left. */
static bool search_down(Search *s)
{
    MemoryRegion *mr;

    if (s->subs->len) {
        mr = g_ptr_array_remove_index_fast(s->subs, s->subs->len - 1);
        search_later(s, mr->link.left);
        search_later(s, mr->link.right);
        search_meet(s, mr);
        return true;
    }
    if (s->at == s->regions->len) {
        return false;
    }
    mr = g_ptr_array_index(s->regions, s->at++);
    search_later(s, mr->subregions[false]);
    search_later(s, mr->subregions[true]);
    if (mr->alias) {
        search_meet(s, mr->alias);
    }
    return true;
}

/* One step through what shows regions; false if there is nothing left. */
static bool search_up(Search *s)
{
    MemoryRegion *mr;

    if (s->at == s->regions->len) {
        return false;
    }
    mr = g_ptr_array_index(s->regions, s->at);
    if (!s->next_alias && mr->parent) {
        search_meet(s, mr->parent);
    }
    if (mr->aliases && s->next_alias < mr->aliases->len) {
        search_meet(s, g_ptr_array_index(mr->aliases, s->next_alias++));
    } else {
        s->at++;
        s->next_alias = 0;
    }
    return true;
}

/* Whether @mr is @sub or anything that it shows, by subregions and aliases.
 * Searched from both ends by turns, as either may have very much behind it. */
static bool makes_cycle(MemoryRegion *mr, MemoryRegion *sub)
{
    Search down, up;
    bool found;

    if (mr == sub) {
        return true;
    }
    if ((!sub->alias && !region_has_subregions(sub)) ||
        (!mr->parent && !mr->aliases)) {
        return false;
    }
    search_begin(&down, sub, mr);
    search_begin(&up, mr, sub);
    while (!down.found && !up.found && search_down(&down) && search_up(&up)) {
    }
    found = down.found || up.found;
    search_end(&down);
    search_end(&up);
    return found;
}

/* The plain subregion of @mr that @sub would overlap at @offset, or NULL. */
static MemoryRegion *find_overlapped(MemoryRegion *mr, hwaddr offset,
                                     MemoryRegion *sub)
{
    static GPtrArray *hits; /* empty between calls */
    MemoryRegion *other = NULL;

    if (!sub->size || !region_has_subregions(mr)) {
        return NULL;
    }
    if (!hits) {
        hits = g_ptr_array_new();
    }
    for (int enabled = true; enabled >= false; enabled--) {
        region_index_touching(mr, enabled, offset, region_last_at(sub, offset),
                              hits);
    }
    for (guint i = 0; i < hits->len && !other; i++) {
        MemoryRegion *hit = g_ptr_array_index(hits, i);

        other = hit->may_overlap ? NULL : hit;
    }
    g_ptr_array_set_size(hits, 0);
    return other;
}

/* Whether @sub may be placed in @mr; reported if not. */
static bool may_add(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                    bool may_overlap)
{
    MemoryRegion *other;

    if (sub->parent) {
        memory_error("region '%s' added to '%s' while it is a subregion of "
                     "'%s'", sub->name, mr->name, sub->parent->name);
        return false;
    }
    if (makes_cycle(mr, sub)) {
        memory_error("region '%s' added to '%s', which it contains or shows "
                     "itself", sub->name, mr->name);
        return false;
    }
    if (!may_overlap && (other = find_overlapped(mr, offset, sub))) {
        memory_error("region '%s' (%016" PRIx64 "-%016" PRIx64 ") added to "
                     "'%s' overlaps '%s' (%016" PRIx64 "-%016" PRIx64 "): use "
                     "memory_region_add_subregion_overlap() and a priority",
                     sub->name, offset, region_last_at(sub, offset), mr->name,
                     other->name, other->addr,
                     region_last_at(other, other->addr));
        return false;
    }
    return true;
}

static void add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                          bool may_overlap, int priority)
{
    static uint64_t order; /* the last one given */

    memory_region_transaction_begin();
    if (may_add(mr, offset, sub, may_overlap)) {
        sub->parent = mr;
        sub->addr = offset;
        sub->may_overlap = may_overlap;
        sub->priority = priority;
        sub->link.order = ++order;
        region_index_insert(mr, sub);
        memory_topology_changed_all(sub);
    }
    memory_region_transaction_commit();
}

void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset,
                                 MemoryRegion *sub)
{
    add_subregion(mr, offset, sub, false, 0);
}

void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                         MemoryRegion *sub, int priority)
{
    add_subregion(mr, offset, sub, true, priority);
}

void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub)
{
    memory_region_transaction_begin();
    if (sub->parent != mr) {
        memory_error("region '%s' removed from '%s', of which it is no "
                     "subregion", sub->name, mr->name);
    } else {
        memory_topology_changed_all(sub);
        region_index_remove(mr, sub);
        sub->parent = NULL;
    }
    memory_region_transaction_commit();
}

/* In a transaction: set @field of @mr, on which its place depends. */
#define SET_PLACE(mr, field, value)                                            \
    do {                                                                       \
        if ((mr)->parent) {                                                    \
            region_index_remove((mr)->parent, mr);                             \
        }                                                                      \
        (mr)->field = (value);                                                 \
        if ((mr)->parent) {                                                    \
            region_index_insert((mr)->parent, mr);                             \
        }                                                                      \
    } while (0)

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    memory_region_transaction_begin();
    if (mr->enabled != enabled) {
        /* While it is disabled this damages nothing: one of the two does. */
        memory_topology_changed_all(mr);
        SET_PLACE(mr, enabled, enabled);
        if (mr->alias) {
            alias_set_bypassed(mr, !enabled);
        }
        memory_topology_changed_all(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    memory_region_transaction_begin();
    if (mr->addr != addr) {
        memory_topology_changed_all(mr);
        SET_PLACE(mr, addr, addr);
        memory_topology_changed_all(mr);
    }
    memory_region_transaction_commit();
}

/* Set @field of @mr, which decides what is shown in its place. */
#define SET_AND_UPDATE(mr, field, value)                                       \
    do {                                                                       \
        memory_region_transaction_begin();                                     \
        if ((mr)->field != (value)) {                                          \
            (mr)->field = (value);                                             \
            memory_topology_changed_all(mr);                                   \
        }                                                                      \
        memory_region_transaction_commit();                                    \
    } while (0)

void memory_region_set_readonly(MemoryRegion *mr, bool readonly)
{
    SET_AND_UPDATE(mr, readonly, readonly);
}

void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset)
{
    if (!mr->alias) {
        memory_error("region '%s' is no alias: its window cannot move",
                     mr->name);
        return;
    }
    SET_AND_UPDATE(mr, alias_offset, offset);
}

void memory_region_set_size(MemoryRegion *mr, uint64_t size)
{
    unsigned __int128 new_size = size_from_u64(size);

    if (mr->ram_block && new_size > mr->ram_block->size) {
        memory_error("region '%s' resized to %" PRIu64 " bytes, more than the "
                     "%" PRIu64 " it was made with", mr->name, size,
                     mr->ram_block->size);
        return;
    }
    memory_region_transaction_begin();
    if (mr->size != new_size) {
        unsigned __int128 lower = MIN(mr->size, new_size);
        hwaddr last = (hwaddr)(MAX(mr->size, new_size) - 1);

        /* Said while the region is as large as to have what comes or goes. */
        if (new_size == lower) {
            memory_topology_changed(mr, (hwaddr)lower, last);
        }
        if (mr->parent) {
            region_index_remove(mr->parent, mr);
        }
        memory_region_store_size(mr, new_size);
        if (mr->parent) {
            region_index_insert(mr->parent, mr);
        }
        if (new_size != lower) {
            memory_topology_changed(mr, (hwaddr)lower, last);
        }
        memory_region_resized(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_rom_device_set_readable(MemoryRegion *mr, bool readable)
{
    if (mr->kind != MEMORY_REGION_ROM_DEVICE) {
        memory_error("region '%s' is no ROM device: it cannot be set readable",
                     mr->name);
        return;
    }
    SET_AND_UPDATE(mr, romd_mode, readable);
}

/* ---- dirty logging -------------------------------------------------------------------------- */

void memory_region_set_log(MemoryRegion *mr, bool log, unsigned client)
{
    uint8_t bit = 1u << client;
    hwaddr offset;

    if (!memory_client_check(mr, client)) {
        return;
    }
    memory_region_transaction_begin();
    mr = resolve_alias(mr, &offset);
    if (!!(mr->dirty_log_mask & bit) != log) {
        mr->dirty_log_mask ^= bit;
        if (mr->ram_block) {
            __atomic_store_n(&mr->ram_block->log_mask, mr->dirty_log_mask,
                             __ATOMIC_RELAXED);
            if (log) {
                ram_wait_for_writers();
            }
        }
        memory_topology_changed_all(mr);
    }
    memory_region_transaction_commit();
}
