/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The graph of memory regions: construction, life, the tree, and what each
 * region asks of the listeners. memory-render.c flattens it, memory-topology.c
 * tells them.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "memory-internal.h"

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

static unsigned __int128 size_from_u64(uint64_t size)
{
    return size == UINT64_MAX ? (unsigned __int128)1 << 64 : size;
}

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

static const MemoryRegionOps no_ops;

void memory_region_init_io(MemoryRegion *mr, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size)
{
    region_init(mr, MEMORY_REGION_IO, name, size);
    mr->ops = ops ? ops : &no_ops;
    mr->opaque = opaque;
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
    if (!orig->aliases) {
        orig->aliases = g_ptr_array_new();
    }
    g_ptr_array_add(orig->aliases, mr);
    memory_unlock();
}

void memory_region_init_rom_device(MemoryRegion *mr,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size)
{
    GError *err = NULL;

    region_init_block(mr, MEMORY_REGION_ROM_DEVICE, name, size,
                      block_or_exit(ram_block_new(size, &err), name, &err));
    mr->ops = ops ? ops : &no_ops;
    mr->opaque = opaque;
    mr->romd_mode = true;
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

/* ---- life ---------------------------------------------------------------------------- */

/* Why @mr must not be destroyed now; reported. */
static bool region_in_use(MemoryRegion *mr)
{
    if (mr->parent) {
        memory_error("region '%s' destroyed while it is a subregion of '%s'",
                     mr->name, mr->parent->name);
    } else if (mr->subregions && mr->subregions->len) {
        MemoryRegion *sub = g_ptr_array_index(mr->subregions, 0);

        memory_error("region '%s' destroyed while '%s' is a subregion of it",
                     mr->name, sub->name);
    } else if (mr->aliases && mr->aliases->len) {
        MemoryRegion *alias = g_ptr_array_index(mr->aliases, 0);

        memory_error("region '%s' destroyed while '%s' is an alias of it",
                     mr->name, alias->name);
    } else if (mr->roots) {
        memory_error("region '%s' destroyed while it is the root of an "
                     "address space", mr->name);
    } else if (memory_region_in_callback(mr)) {
        memory_error("region '%s' destroyed from its own callback", mr->name);
    } else if (memory_region_awaits_commit(mr)) {
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
        flatview_reclaim(); /* no reader sees the region any more */
    }
    if (mr->alias && mr->alias->aliases) {
        g_ptr_array_remove_fast(mr->alias->aliases, mr);
    }
    if (mr->ram_block) {
        ram_block_unref(mr->ram_block);
    }
    g_clear_pointer(&mr->subregions, g_ptr_array_unref);
    g_clear_pointer(&mr->aliases, g_ptr_array_unref);
    g_clear_pointer(&mr->coalesced, g_array_unref);
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

/* Whether @target is @from or anything below it, through subregions and
 * aliases. @seen, made at need, keeps shared parts from being walked twice. */
static bool region_reaches(MemoryRegion *from, MemoryRegion *target,
                           GHashTable **seen)
{
    if (from == target) {
        return true;
    }
    if (!from->alias && !(from->subregions && from->subregions->len)) {
        return false;
    }
    if (!*seen) {
        *seen = g_hash_table_new(NULL, NULL);
    }
    if (!g_hash_table_add(*seen, from)) {
        return false;
    }
    if (from->alias && region_reaches(from->alias, target, seen)) {
        return true;
    }
    for (unsigned i = 0; from->subregions && i < from->subregions->len; i++) {
        if (region_reaches(g_ptr_array_index(from->subregions, i), target,
                           seen)) {
            return true;
        }
    }
    return false;
}

static bool makes_cycle(MemoryRegion *mr, MemoryRegion *sub)
{
    GHashTable *seen = NULL;
    bool cycle = region_reaches(sub, mr, &seen);

    g_clear_pointer(&seen, g_hash_table_destroy);
    return cycle;
}

/* The last address of @mr in its parent, when placed at @offset there. */
static hwaddr last_in_parent(const MemoryRegion *mr, hwaddr offset)
{
    unsigned __int128 last = (unsigned __int128)offset + mr->size - 1;

    return last >> 64 ? HWADDR_MAX : (hwaddr)last;
}

/* The plain subregion of @mr that @sub would overlap at @offset, or NULL. */
static MemoryRegion *find_overlapped(MemoryRegion *mr, hwaddr offset,
                                     MemoryRegion *sub)
{
    if (!sub->size || !mr->subregions) {
        return NULL;
    }

    hwaddr last = last_in_parent(sub, offset);

    for (unsigned i = 0; i < mr->subregions->len; i++) {
        MemoryRegion *other = g_ptr_array_index(mr->subregions, i);

        if (!other->may_overlap && other->size && offset <=
            last_in_parent(other, other->addr) && other->addr <= last) {
            return other;
        }
    }
    return NULL;
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
                     sub->name, offset, last_in_parent(sub, offset), mr->name,
                     other->name, other->addr,
                     last_in_parent(other, other->addr));
        return false;
    }
    return true;
}

/* Put @sub above its equals, below what has a higher priority. */
static void insert_subregion(MemoryRegion *mr, MemoryRegion *sub)
{
    unsigned lo = 0, hi;

    if (!mr->subregions) {
        mr->subregions = g_ptr_array_new();
    }
    for (hi = mr->subregions->len; lo < hi;) {
        unsigned mid = lo + (hi - lo) / 2;
        MemoryRegion *other = g_ptr_array_index(mr->subregions, mid);

        if (other->priority <= sub->priority) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    g_ptr_array_insert(mr->subregions, lo, sub);
}

static void add_subregion(MemoryRegion *mr, hwaddr offset, MemoryRegion *sub,
                          bool may_overlap, int priority)
{
    memory_region_transaction_begin();
    if (may_add(mr, offset, sub, may_overlap)) {
        sub->parent = mr;
        sub->addr = offset;
        sub->may_overlap = may_overlap;
        sub->priority = priority;
        insert_subregion(mr, sub);
        memory_topology_changed(sub);
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
        memory_topology_changed(sub);
        g_ptr_array_remove(mr->subregions, sub);
        sub->parent = NULL;
    }
    memory_region_transaction_commit();
}

/* Set @field of @mr, and have the views follow if that makes a difference. */
#define SET_AND_UPDATE(mr, field, value)                                       \
    do {                                                                       \
        memory_region_transaction_begin();                                     \
        if ((mr)->field != (value)) {                                          \
            memory_topology_changed(mr);                                       \
            (mr)->field = (value);                                             \
            memory_topology_changed(mr);                                       \
        }                                                                      \
        memory_region_transaction_commit();                                    \
    } while (0)

void memory_region_set_enabled(MemoryRegion *mr, bool enabled)
{
    SET_AND_UPDATE(mr, enabled, enabled);
}

void memory_region_set_address(MemoryRegion *mr, hwaddr addr)
{
    SET_AND_UPDATE(mr, addr, addr);
}

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
    SET_AND_UPDATE(mr, size, new_size);
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

    if (client >= DIRTY_MEMORY_NUM) {
        memory_error("region '%s': there is no dirty memory client %u",
                     mr->name, client);
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
        memory_topology_changed(mr);
    }
    memory_region_transaction_commit();
}

/* ---- coalescing ------------------------------------------------------------------------------- */

void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset,
                                  uint64_t size)
{
    CoalescedRange range = { .offset = offset, .size = size_from_u64(size) };

    memory_region_transaction_begin();
    if (!mr->coalesced) {
        mr->coalesced = g_array_new(FALSE, FALSE, sizeof(CoalescedRange));
    }
    g_array_append_val(mr->coalesced, range);
    mr->flush_coalesced = true;
    memory_doorbells_changed(mr);
    memory_region_transaction_commit();
}

void memory_region_clear_coalescing(MemoryRegion *mr)
{
    memory_region_transaction_begin();
    memory_flush_coalesced();
    mr->flush_coalesced = false;
    if (mr->coalesced) {
        g_clear_pointer(&mr->coalesced, g_array_unref);
        memory_doorbells_changed(mr);
    }
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
    mr->flush_coalesced = true;
    memory_unlock();
}

void memory_region_clear_flush_coalesced(MemoryRegion *mr)
{
    memory_lock();
    memory_flush_coalesced();
    if (!mr->coalesced) {
        mr->flush_coalesced = false;
    }
    memory_unlock();
}

/* ---- doorbells ---------------------------------------------------------------------------------- */

static int find_eventfd(const MemoryRegion *mr, const MemoryEventfd *wanted)
{
    for (unsigned i = 0; i < mr->eventfd_nb; i++) {
        const MemoryEventfd *have = &mr->eventfds[i];

        if (have->addr == wanted->addr && have->size == wanted->size &&
            have->match_data == wanted->match_data &&
            have->data == wanted->data && have->e == wanted->e) {
            return i;
        }
    }
    return -1;
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

    memory_region_transaction_begin();
    if (find_eventfd(mr, &fd) >= 0) {
        memory_error("region '%s': doorbell at %#" PRIx64 " added twice",
                     mr->name, addr);
    } else if (eventfd_valid(mr, &fd)) {
        mr->eventfds = g_renew(MemoryEventfd, mr->eventfds, mr->eventfd_nb + 1);
        mr->eventfds[mr->eventfd_nb++] = fd;
        memory_doorbells_changed(mr);
    }
    memory_region_transaction_commit();
}

void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e)
{
    MemoryEventfd fd = { addr, size, match_data, match_data ? data : 0, e };
    int i;

    memory_region_transaction_begin();
    i = find_eventfd(mr, &fd);
    if (i < 0) {
        memory_error("region '%s': no doorbell at %#" PRIx64 " to remove",
                     mr->name, addr);
    } else {
        mr->eventfds[i] = mr->eventfds[--mr->eventfd_nb];
        memory_doorbells_changed(mr);
    }
    memory_region_transaction_commit();
}
