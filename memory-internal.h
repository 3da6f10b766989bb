/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the memory core share (memory.c, flatview.c, mtree.c,
 * exec.c, ram.c, access.c), and nobody else includes.
 *
 *   memory.c    the graph               --- asks ram.c for memory
 *      |  tells what changed to
 *   memory-topology.c  transactions, diff, listeners
 *      |  has drawn by memory-render.c
 *   flatview.c  ordered ranges          ram.c  RAM blocks, dirty bitmaps
 *      |  is indexed by                    |
 *   exec.c      page descriptors, address_space_rw/map/ld/st
 *      |  for a range without memory calls
 *   access.c    one access to one I/O region
 */
#ifndef MEMORY_INTERNAL_H
#define MEMORY_INTERNAL_H

#include "memory.h"

/* ---- flatview.c: an immutable map -------------------------------------------- */

/* Addresses @first to @last show @mr from @offset on. Never empty. */
typedef struct FlatRange {
    hwaddr first;
    hwaddr last;
    hwaddr offset;
    MemoryRegion *mr;
    uint8_t *host; /* of @first, where reads go straight to memory */
    bool readonly;
    bool romd;              /* ROM device in its readable mode */
    uint8_t dirty_log_mask; /* of the region, when rendered */
} FlatRange;

/* An ordered, disjoint list of ranges, while it is being made. */
typedef GArray FlatRanges;

/* One address space's map. Immutable once published; readers hold a read side. */
struct FlatView {
    FlatRange *ranges; /* ascending; one more at the end has no region */
    unsigned nr;
    uint32_t root;   /* page descriptors: see exec.c */
    uint32_t *nodes;
    size_t nodes_len; /* words in use */
    FlatView *next_retired;
};

/* Append @range; a neighbour that continues the last one is merged with it. */
void flat_ranges_append(FlatRanges *list, const FlatRange *range);

/* From @start the list holds a part up to @mid and a part behind it, each
 * ordered and disjoint: replace both by one that shows the second part where
 * it has something and the first elsewhere. */
void flat_ranges_overlay(FlatRanges *list, unsigned start, unsigned mid);

/* Whether two ranges differ in nothing but the dirty mask. */
bool flat_range_equal(const FlatRange *a, const FlatRange *b);

/* A view of a copy of @list, with its page descriptors. */
FlatView *flatview_new(const FlatRanges *list);

/* Free @view after the readers that may hold it have left; may wait for them
 * and for others before it. Under the memory lock. */
void flatview_retire(FlatView *view);

/* Have no reader left that may see a view other than the present ones: waits
 * for them, and frees what was retired. Free of cost when nothing was retired
 * since the last call. Under the memory lock, outside any read side. */
void flatview_reclaim(void);

/* Views that exist, published or retired, and the bytes they take. */
unsigned flatview_live_count(void);
size_t flatview_live_bytes(void);

/* Index of the first range that ends at @addr or behind it; view->nr if none. */
unsigned flatview_find(const FlatView *view, hwaddr addr);

/* ---- exec.c --------------------------------------------------------------------- */

/* Make (into root and nodes) and print the page descriptors of @view. */
void flatview_build_dispatch(FlatView *view);
void flatview_print_dispatch(const FlatView *view, fprintf_function print,
                             void *f);

/* The range that answers @addr, or NULL. In a read side or under the lock. */
const FlatRange *flatview_lookup(const FlatView *view, hwaddr addr);

/* ---- access.c --------------------------------------------------------------------- */

/*
 * One access of @size (1, 2, 4, 8) bytes, @addr bytes into @mr, inside the
 * region, under the memory lock. Values are images of memory: the byte at the
 * lowest address is the least significant one, whatever the device's byte
 * order. Checks, splits, widens, matches doorbells, and guards against
 * re-entry. Where an access is split, all pieces are tried, their results are
 * or-ed, and the bytes of a piece that failed read as all-ones.
 */
MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *image, unsigned size,
                                        MemTxAttrs attrs);
MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t image, unsigned size,
                                         MemTxAttrs attrs);

/* Before an access to @mr, under the memory lock: flush coalesced writes if the
 * region asks for it (not from inside another access). True if so: what they
 * did may have changed the map, and @mr may be gone. */
bool memory_region_flush(const MemoryRegion *mr);

/* The widest single access, a power of two up to @len and 8, that @mr takes at
 * @addr: for cutting blocks. At least 1. */
unsigned memory_region_access_width(const MemoryRegion *mr, hwaddr addr,
                                    hwaddr len);

/* Whether this thread is inside a callback of @mr (not of its guard's others). */
bool memory_region_in_callback(const MemoryRegion *mr);

/* ---- ram.c --------------------------------------------------------------------------- */

/* Memory behind one region. Counted references: the region's own, and one for
 * each address_space_map() of it. */
struct RAMBlock {
    uint8_t *host;
    ram_addr_t offset; /* among all RAM; page aligned */
    uint64_t size;     /* as asked for */
    uint64_t mapped;   /* bytes to unmap; 0 when the caller owns the memory */
    uint64_t page_size; /* of the backing */
    int fd;            /* -1 without */
    bool shared;
    uint8_t log_mask; /* clients its region logs for (1 << client); atomic */
    gint refs;
    /* One bit a page and client, sparse until written; set by any thread. */
    uint64_t *dirty[DIRTY_MEMORY_NUM];
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

/* ---- memory.c, memory-render.c, memory-topology.c ------------------------ */

struct MemoryEventfd {
    hwaddr addr;
    unsigned size;
    bool match_data;
    uint64_t data;
    EventNotifier *e;
};

/* Bytes @offset to @offset + @size - 1 of a region may be put off. */
typedef struct CoalescedRange {
    hwaddr offset;
    unsigned __int128 size;
} CoalescedRange;

/* Report a programming error, in memory.c; see memory_set_error_handler(). */
void memory_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* In memory-render.c: append what @root shows. Under the memory lock. */
void memory_region_render(MemoryRegion *root, FlatRanges *out);

/* In memory-topology.c, all but the first under the memory lock: */

/* Take the memory lock if that needs no wait; false if it does. */
bool memory_trylock(void);

/* In a transaction: what @mr shows is about to change, or has changed. */
void memory_topology_changed(MemoryRegion *mr);

/* In a transaction: the doorbells or coalesced ranges of @mr have changed. */
void memory_doorbells_changed(MemoryRegion *mr);

/* Whether a published view still shows @mr and a commit is to come. */
bool memory_region_awaits_commit(MemoryRegion *mr);

/* Ask every listener to deliver put-off writes. Under the memory lock. */
void memory_flush_coalesced(void);

/* A client cleared dirty bits of @mr: tell log_clear of each view of it. */
void memory_region_log_clear(MemoryRegion *mr, hwaddr offset, hwaddr size);

/* Call @fn for each address space, oldest first. Under the memory lock. */
void memory_for_each_address_space(void (*fn)(AddressSpace *as, void *opaque),
                                   void *opaque);

/* The present view, under the memory lock or in a read side. */
static inline FlatView *address_space_view(AddressSpace *as)
{
    return __atomic_load_n(&as->view, __ATOMIC_ACQUIRE);
}

#endif
