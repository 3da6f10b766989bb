/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the memory core share, and nobody else includes.
 *
 *   memory.c    the graph               --- asks ram.c for memory
 *      |  places regions by memory-index.c
 *      |  tells what changed to
 *   memory-topology.c  transactions, commits, life of address spaces
 *      |  has the views brought up to date by
 *   memory-map.c       where a change is seen, and what it changes there
 *      |  has the part drawn by memory-render.c, and tells
 *   memory-listener.c  what changed
 *
 *   flatview.c  ordered ranges          ram.c  RAM blocks, dirty bitmaps
 *      |  is looked up by                  |
 *   exec.c      address_space_rw/ld/st; exec-map.c: map/unmap
 *      |  for a range without memory calls
 *   access.c    one access to one I/O region
 */
#ifndef MEMORY_INTERNAL_H
#define MEMORY_INTERNAL_H

#include "flatview.h"
#include "memory.h"

/* ---- memory-index.c: the subregions of a region by address ------------------------ */

/* The last address of @mr in its parent, when placed at @offset there. An empty
 * region gives @offset. */
static inline hwaddr region_last_at(const MemoryRegion *mr, hwaddr offset)
{
    unsigned __int128 last = (unsigned __int128)offset + mr->size -
                             (mr->size != 0);

    return last >> 64 ? HWADDR_MAX : (hwaddr)last;
}

/* Put @sub into the index of @parent for what @sub->enabled says, or take it
 * out; addr, size, enabled, priority and link.order are those of its time in
 * the index. Under the memory lock. O(log n). */
void region_index_insert(MemoryRegion *parent, MemoryRegion *sub);
void region_index_remove(MemoryRegion *parent, MemoryRegion *sub);

/* Append to @hits those of the subregions of @parent that are @enabled or not,
 * are not empty and touch @first to @last of the parent, by ascending address.
 * O(log n + hits). */
void region_index_touching(const MemoryRegion *parent, bool enabled,
                           hwaddr first, hwaddr last, GPtrArray *hits);

/* All subregions, by address, among equals the topmost first; free it. */
GPtrArray *region_subregions(const MemoryRegion *parent);

static inline bool region_has_subregions(const MemoryRegion *mr)
{
    return mr->subregions[0] || mr->subregions[1];
}

/* Whether @a is drawn over @b, its sibling. */
static inline bool region_is_above(const MemoryRegion *a, const MemoryRegion *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : a->link.order > b->link.order;
}

/* ---- access.c --------------------------------------------------------------------- */

/*
 * One access of @size (1, 2, 4, 8) bytes, @addr bytes into @mr, inside the
 * region, under the memory lock where the region's callbacks run under that; a
 * lock of its own is taken. Values are images of memory: the byte at the lowest
 * address is the least significant one, whatever the device's byte order.
 * Checks, splits, widens, matches doorbells, and guards against re-entry. Where
 * an access is split, all pieces are tried, their results are or-ed, and the
 * bytes of a piece that failed read as all-ones.
 */
MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *image, unsigned size,
                                        MemTxAttrs attrs);
MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t image, unsigned size,
                                         MemTxAttrs attrs);

/* Work out @mr->direct, once @mr->ops is what it stays. */
void memory_region_init_access(MemoryRegion *mr);

/* A size as callers give it: UINT64_MAX stands for 2^64. */
static inline unsigned __int128 size_from_u64(uint64_t size)
{
    return size == UINT64_MAX ? (unsigned __int128)1 << 64 : size;
}

/* Change the size of a region that accesses may look at, without the lock. */
void memory_region_store_size(MemoryRegion *mr, unsigned __int128 size);

/* The widest single access, a power of two up to @len and 8, that @mr takes at
 * @addr: for cutting blocks. At least 1. */
unsigned memory_region_access_width(const MemoryRegion *mr, hwaddr addr,
                                    hwaddr len);

/* Whether this thread is inside a callback of @mr itself, not of another region
 * with its guard. */
bool memory_region_in_callback(const MemoryRegion *mr);

/* Wait until no other thread is on its way into, or inside, a callback of @mr,
 * which no view shows any more. For regions with a lock of their own or with
 * none. */
void memory_region_quiesce(const MemoryRegion *mr);

/* Whether this thread is inside a callback that runs under a device's own
 * lock. */
bool memory_device_lock_held(void);

/* ---- ram.c --------------------------------------------------------------------------- */

/* Memory behind one region. Counted references: the region's own, and one for
 * each address_space_map() of it. */
struct RAMBlock {
    uint8_t *host;
    uint8_t log_mask; /* clients its region logs for (1 << client); atomic */
    bool shared;
    int fd;            /* -1 without */
    ram_addr_t offset; /* among all RAM; page aligned */
    uint64_t size;     /* as asked for */
    uint64_t mapped;   /* bytes to unmap; 0 when the caller owns the memory */
    uint64_t page_size; /* of the backing */
    /* One bit a page and client, sparse until written; set by any thread. NULL
     * for a client that does not exist. */
    uint64_t *dirty[DIRTY_MEMORY_NUM];
    gint refs; /* far from what every write looks at: DMA changes it */
};

/* Each returns a block with one reference, or NULL with @err set. */
RAMBlock *ram_block_new(uint64_t size, GError **err);
RAMBlock *ram_block_new_ptr(uint64_t size, void *ptr, GError **err);
RAMBlock *ram_block_new_fd(uint64_t size, uint32_t ram_flags, int fd,
                           uint64_t offset, GError **err);
RAMBlock *ram_block_new_file(uint64_t size, uint64_t align, uint32_t ram_flags,
                             const char *path, GError **err);

void ram_block_ref(RAMBlock *block);
void ram_block_unref(RAMBlock *block);

/* Whether @client is one; reported, with the name of @mr, if not. */
bool memory_client_check(const MemoryRegion *mr, unsigned client);

/* Mark @len bytes from @offset for each client in @mask (1 << client). Any
 * thread, no lock. Does not write to a bit that is set already. */
void ram_block_mark_dirty(RAMBlock *block, uint64_t offset, uint64_t len,
                          unsigned mask);

/* Clients (1 << client) for which writes to all RAM are recorded; atomic. */
extern unsigned memory_global_dirty_mask;

/* After more clients are recorded for: wait until whoever asked before what to
 * record is done writing, so that whoever copies the memory now sees what will
 * not be marked. Under the memory lock, outside any read side. */
void ram_wait_for_writers(void);

/* The clients for which a write to @block is to be recorded now. */
static inline unsigned ram_block_dirty_clients(const RAMBlock *block)
{
    return __atomic_load_n(&block->log_mask, __ATOMIC_RELAXED) |
           __atomic_load_n(&memory_global_dirty_mask, __ATOMIC_RELAXED);
}

/* ---- memory.c ------------------------------------------------------------------- */

typedef struct MemoryEventfd {
    hwaddr addr;
    unsigned size;
    bool match_data;
    uint64_t data;
    EventNotifier *e;
} MemoryEventfd;

/* The doorbells of a region, by address. Never changes: another replaces it,
 * and it is retired, as accesses look at it in a read side. */
typedef struct MemoryEventfds {
    unsigned nr;
    MemoryEventfd e[];
} MemoryEventfds;

/* Bytes @offset to @offset + @size - 1 of a region may be put off. */
typedef struct CoalescedRange {
    hwaddr offset;
    unsigned __int128 size;
} CoalescedRange;

/* Report a programming error, in memory.c; see memory_set_error_handler(). */
void memory_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What listeners were told of @mr's doorbells and zones becomes what is now. */
void memory_region_doorbells_told(MemoryRegion *mr);

/* Whether @alias is among the last aliases->bypassed of its target's list; see
 * memory-map.c. Under the memory lock. O(1). */
void alias_set_bypassed(MemoryRegion *alias, bool bypassed);

/* ---- memory-render.c ------------------------------------------------------------- */

/* Append what @root shows from @first to @last. False, with @out incomplete,
 * where its aliases multiply so much that this would take more than
 * RENDER_STEPS_MAX steps, or it is nested deeper than the stack has room for.
 * Under the memory lock. */
bool memory_region_render(MemoryRegion *root, hwaddr first, hwaddr last,
                          FlatRanges *out);

#define RENDER_STEPS_MAX (1u << 24) /* regions looked at, each time counted */

/* ---- memory-map.c: under the memory lock -------------------------------------------- */

typedef struct Interval {
    hwaddr first;
    hwaddr last;
} Interval;

/* A doorbell, and a put-off zone, where a view shows it. */
typedef struct FlatDoorbell {
    hwaddr addr; /* in the address space */
    MemoryRegion *mr;
    MemoryEventfd fd; /* as in the region */
    bool readonly;
} FlatDoorbell;

typedef struct FlatZone {
    hwaddr first; /* in the address space */
    hwaddr last;
    FlatRange range; /* that it lies in */
} FlatZone;

/* What a commit did to one view, or to one address space that has changed its
 * view. Each list is ordered by address. */
typedef struct ViewChanges {
    FlatView *view;
    FlatRanges *deleted;
    FlatRanges *added;
    FlatRanges *log_started; /* ranges that stay, as they are now */
    FlatRanges *log_stopped;
    FlatRanges *relogged; /* the same, with any change of the dirty mask */
    GArray *old_bells, *new_bells; /* FlatDoorbell, where something changed */
    GArray *old_zones, *new_zones; /* FlatZone */
} ViewChanges;

typedef struct SpaceChanges {
    AddressSpace *as;
    const ViewChanges *changes;
} SpaceChanges;

/* In a transaction: what @mr shows from @first to @last of its own addresses is
 * about to change, or has changed. Call it before and after where the place,
 * size or visibility of @mr itself changes. */
void memory_topology_changed(MemoryRegion *mr, hwaddr first, hwaddr last);

/* The same for all of @mr. */
void memory_topology_changed_all(MemoryRegion *mr);

/* In a transaction, after the above: @mr has another size, so spaces that show
 * it by way of an alias may need another view. */
void memory_region_resized(MemoryRegion *mr);

/* @mr has one more alias: what it shows may be seen there, too. */
void memory_region_aliased(MemoryRegion *mr);

/* In a transaction: the doorbells or coalesced ranges of @mr that touch @first
 * to @last changed; told_eventfds and told_coalesced are still the old ones. */
void memory_doorbells_changed(MemoryRegion *mr, hwaddr first, hwaddr last);

/* @mr is about to be destroyed: forget what is pending about it. */
void memory_map_forget(MemoryRegion *mr);

/* @as has a root, and shows nothing yet; a commit is to come. Or it is to
 * go. */
void memory_map_attach(AddressSpace *as);
void memory_map_detach(AddressSpace *as);

/* Whether @as has come to have listeners, or to have none. */
void memory_map_follow(AddressSpace *as, bool followed);

/* Whether there is anything for a commit to do. */
bool memory_map_pending(void);

/* Bring all views up to date and publish them. Returns the SpaceChanges of the
 * followed spaces concerned, oldest first; valid until memory_map_settle(),
 * which is to be called once they have been told. */
const GArray *memory_map_update(void);
void memory_map_settle(void);

/* Call @fn for each range of a present view that shows a part of the bytes
 * @first to @last of @mr, view by view, by address. @fn may ask for the same,
 * but must not change the map. */
typedef void ShownFn(FlatView *view, const FlatRange *range, void *opaque);
void memory_region_for_each_shown(MemoryRegion *mr, hwaddr first, hwaddr last,
                                  ShownFn *fn, void *opaque);

/* ---- memory-topology.c: under the memory lock ---------------------------- */

/* In a transaction: its outermost commit is to return only when no access uses
 * any more what was taken away from a region (a doorbell). */
void memory_wait_for_readers_at_commit(void);

/* Call @fn for each address space, oldest first. */
void memory_for_each_address_space(void (*fn)(AddressSpace *as, void *opaque),
                                   void *opaque);

/* ---- memory-listener.c: under the memory lock ------------------------------------------ */

/* The doorbells and zones that @range shows, as listeners know them (@told) or
 * as they are now, appended. Doorbells: only those that touch @first to
 * @last. */
void flat_range_collect_bells(const FlatRange *range, bool told, hwaddr first,
                              hwaddr last, GArray *bells);
void flat_range_collect_zones(const FlatRange *range, bool told, GArray *zones);

/* Call begin, or commit, of all listeners. */
void memory_listeners_begin(void);
void memory_listeners_commit(void);

/* Tell of @changes, SpaceChanges, oldest space first. */
void memory_listeners_announce(const GArray *changes);

/* @as is new, with its root and serial set; or is to go: its listeners are told
 * that nothing is there any more, between begin and commit. */
void memory_listeners_attach(AddressSpace *as);
void memory_listeners_detach(AddressSpace *as);

/* @range of @as as listeners see it; @as NULL: of a map nobody sees. */
MemoryRegionSection memory_section(AddressSpace *as, MemoryRegion *root,
                                   const FlatRange *range);

/* A client cleared dirty bits of @mr: tell log_clear of each view of it. */
void memory_region_log_clear(MemoryRegion *mr, hwaddr offset, hwaddr size);

#endif
