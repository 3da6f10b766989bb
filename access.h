/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What exec.c has inline of access.c: which callbacks a thread is inside of,
 * and whether an access is one plain call; and what it shares with exec-map.c:
 * where an access goes straight to memory. For these three files alone.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "memory-internal.h"

#define unlikely(x) __builtin_expect(!!(x), 0)
#define likely(x) __builtin_expect(!!(x), 1)

/* Devices inside each other's callbacks, at most. */
#define ACCESS_DEPTH_MAX 32

/*
 * The callbacks that a thread is on its way into, or inside of: the first
 * @depth of @frame, outermost first. Only the thread writes here, and whoever
 * destroys a region reads depth and frame; see memory_region_quiesce().
 */
typedef struct AccessThread {
    int depth;             /* -1: nobody can see this thread yet */
    pthread_mutex_t *held; /* the device's own lock that it took; NULL: none */
    MemoryRegion *frame[ACCESS_DEPTH_MAX];
    struct AccessThread *next, **link; /* of all threads */
} AccessThread;

extern __thread AccessThread access_thread;

/* How many threads are seen; for tests. */
unsigned access_threads_count(void);

/* Go into the first callback of a thread that is seen. What it does in there is
 * seen by whoever sees it out again, or in another one: hence both in order. */
static inline void access_enter_first(AccessThread *thread, MemoryRegion *mr)
{
    __atomic_store_n(&thread->frame[0], mr, __ATOMIC_RELEASE);
    __atomic_store_n(&thread->depth, 1, __ATOMIC_RELEASE);
}

static inline void access_leave_first(AccessThread *thread)
{
    __atomic_store_n(&thread->depth, 0, __ATOMIC_RELEASE);
}

/*
 * Go into @mr, in the read side that found it or under the memory lock. False
 * if that must not be: its device is inside already, too many are, or it wants
 * a lock that cannot be had under the one that is held. Otherwise, outside the
 * read side, one of the next two, which go out of it again; under the memory
 * lock, where that is the region's.
 */
bool memory_region_enter(MemoryRegion *mr);
MemTxResult memory_region_read_entered(MemoryRegion *mr, hwaddr addr,
                                       uint64_t *image, unsigned size,
                                       MemTxAttrs attrs);
MemTxResult memory_region_write_entered(MemoryRegion *mr, hwaddr addr,
                                        uint64_t image, unsigned size,
                                        MemTxAttrs attrs);

/* Check, split and widen one access, inside of @mr and under its lock. */
MemTxResult memory_region_read_checked(MemoryRegion *mr, hwaddr addr,
                                       uint64_t *image, unsigned size,
                                       MemTxAttrs attrs);
MemTxResult memory_region_write_checked(MemoryRegion *mr, hwaddr addr,
                                        uint64_t image, unsigned size,
                                        MemTxAttrs attrs);

/* Ring the doorbell of @mr that this write matches, if any. In a read side, or
 * under the memory lock. */
bool memory_region_ring(const MemoryRegion *mr, hwaddr addr, uint64_t image,
                        unsigned size);

/* Whether put-off writes have to be delivered before an access to @mr. */
static inline bool memory_region_wants_flush(const MemoryRegion *mr)
{
    /* Only the outermost access: whatever brought the thread here did it, and
     * a write delivered now could find its device busy. */
    return unlikely(__atomic_load_n(&mr->flush_coalesced, __ATOMIC_RELAXED)) &&
           access_thread.depth <= 0;
}

/* The size of a region, in halves: it may be changed meanwhile. What is seen
 * between is a size with the end of one of the two, or none. */
typedef uint64_t __attribute__((may_alias)) RegionSizeHalf;
#define SIZE_HALF_LOW (G_BYTE_ORDER != G_LITTLE_ENDIAN)

static inline uint64_t region_size_low(const MemoryRegion *mr)
{
    return __atomic_load_n((const RegionSizeHalf *)&mr->size + SIZE_HALF_LOW,
                           __ATOMIC_RELAXED);
}

static inline uint64_t region_size_high(const MemoryRegion *mr)
{
    return __atomic_load_n((const RegionSizeHalf *)&mr->size + !SIZE_HALF_LOW,
                           __ATOMIC_RELAXED);
}

/* MemoryRegion.direct: in the lower half, sizes (1, 2, 4, 8) of aligned reads
 * that are one plain callback, whose value is the image, and in the upper half
 * those of writes. The others need a closer look. */
#define DIRECT_WRITE_SHIFT 4

/* Whether the access of @size bytes at @addr of @mr is direct; @direct is what
 * the size is in MemoryRegion.direct. Inside the region is not asked where the
 * access starts below the first 2^64 bytes and cannot cross them. */
static inline bool access_is_direct(const MemoryRegion *mr, unsigned direct,
                                    hwaddr addr, unsigned size)
{
    return likely(mr->direct & direct) && likely(!(addr & (size - 1))) &&
           likely((addr | (size - 1)) < region_size_low(mr));
}

/* Whether reads, or writes, of what @range shows need no callback. */
static inline bool range_reads_memory(const FlatRange *range)
{
    return range->host;
}

static inline bool range_writes_memory(const FlatRange *range)
{
    return range->host && !range->readonly && !range->romd;
}

/* The bytes from @addr to the end of [.., @last], at most @len. */
static inline hwaddr piece_length(hwaddr addr, hwaddr last, hwaddr len)
{
    return last - addr < len - 1 ? last - addr + 1 : len;
}

/* The last address that shows nothing from @addr on, which shows nothing. */
static inline hwaddr gap_last(const FlatNode *root, hwaddr addr)
{
    const FlatRange *next = flat_node_find(root, addr);

    return next ? next->first - 1 : HWADDR_MAX;
}

#endif
