/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One guest access to one I/O region: is it allowed, which callbacks make it
 * up, whose doorbell does it ring, does a device reach itself.
 *
 * Everything is done on images: integers whose least significant byte is the
 * one at the lowest address. What a callback takes or returns becomes an image
 * by swapping its bytes if the device is big-endian; from there on, widening,
 * splitting and unaligned accesses only move bytes to their positions.
 *
 * The order of events: put-off writes are flushed and the map is looked at
 * again (both in exec.c), a doorbell takes a write, the guard and the order of
 * locks refuse entry, the region's lock is taken, the region's valid rules
 * refuse what they must, and the callbacks run.
 *
 * Who may be inside. A region whose callbacks run under the memory lock cannot
 * be destroyed while somebody is: that takes the memory lock. For any other, a
 * thread that finds it writes down in its own AccessThread that it is going in
 * before it leaves the read side. Whoever destroys the region has waited for
 * readers after it left the map, so all that found it have written this down,
 * and are then waited for here, too.
 */
#include <time.h>

#include "access.h"
#include "rcu.h"

#define ACCESS_MAX 8u /* bytes of the widest access */

/* ---- images -------------------------------------------------------------- */

static inline uint64_t all_ones(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

/* From the device's value to the image, and back. */
static inline uint64_t swap_for(const MemoryRegionOps *ops, uint64_t value,
                                unsigned size)
{
    if (unlikely(ops->endianness == DEVICE_BIG_ENDIAN)) {
        return __builtin_bswap64(value) >> (64 - 8 * size);
    }
    return value & all_ones(size);
}

/* ---- who is inside ------------------------------------------------------- */

__thread AccessThread access_thread = { .depth = -1 };

/* The list of all threads; a leaf lock. */
static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;
static AccessThread *threads;

static pthread_key_t thread_key; /* has threads taken off the list */
static pthread_once_t thread_key_once = PTHREAD_ONCE_INIT;

static void thread_forget(void *opaque)
{
    AccessThread *thread = opaque;

    pthread_mutex_lock(&threads_lock);
    *thread->link = thread->next;
    if (thread->next) {
        thread->next->link = thread->link;
    }
    pthread_mutex_unlock(&threads_lock);
    thread->depth = -1;
}

static void thread_key_create(void)
{
    if (pthread_key_create(&thread_key, thread_forget)) {
        g_error("no thread key is left for the memory core");
    }
}

/* Let others see this thread. */
static void thread_register(AccessThread *thread)
{
    pthread_once(&thread_key_once, thread_key_create);
    if (pthread_setspecific(thread_key, thread)) {
        g_error("no memory for a thread's key");
    }
    pthread_mutex_lock(&threads_lock);
    thread->depth = 0;
    thread->next = threads;
    thread->link = &threads;
    if (threads) {
        threads->link = &thread->next;
    }
    threads = thread;
    pthread_mutex_unlock(&threads_lock);
}

unsigned access_threads_count(void)
{
    unsigned nr = 0;

    pthread_mutex_lock(&threads_lock);
    for (const AccessThread *t = threads; t; t = t->next) {
        nr++;
    }
    pthread_mutex_unlock(&threads_lock);
    return nr;
}

bool memory_region_in_callback(const MemoryRegion *mr)
{
    for (int i = 0; i < access_thread.depth; i++) {
        if (access_thread.frame[i] == mr) {
            return true;
        }
    }
    return false;
}

bool memory_region_is_busy(const MemoryRegion *mr)
{
    for (int i = 0; i < access_thread.depth; i++) {
        if (access_thread.frame[i]->guard == mr->guard) {
            return true;
        }
    }
    return false;
}

bool memory_device_lock_held(void)
{
    return access_thread.held;
}

/*
 * Under a device's own lock another own lock, or the memory lock, might be
 * waited for by somebody who waits for the first. A guest can have its devices
 * reach each other, so it is refused always, not just where it would hang.
 */
static bool locks_in_order(const AccessThread *thread, const MemoryRegion *mr)
{
    switch ((MemoryRegionLocking)mr->locking) {
    case MEMORY_LOCKING_GLOBAL:
        return !thread->held;
    case MEMORY_LOCKING_OWN:
        return !thread->held || thread->held == mr->lock;
    case MEMORY_LOCKING_NONE:
        break;
    }
    return true;
}

bool memory_region_enter(MemoryRegion *mr)
{
    AccessThread *thread = &access_thread;

    if (unlikely(thread->depth < 0)) {
        thread_register(thread);
    }
    if (likely(!thread->depth)) {
        access_enter_first(thread, mr);
        return true;
    }
    if (thread->depth == ACCESS_DEPTH_MAX || !locks_in_order(thread, mr) ||
        memory_region_is_busy(mr)) {
        return false;
    }
    __atomic_store_n(&thread->frame[thread->depth], mr, __ATOMIC_RELEASE);
    __atomic_store_n(&thread->depth, thread->depth + 1, __ATOMIC_RELEASE);
    return true;
}

static inline void access_leave(void)
{
    __atomic_store_n(&access_thread.depth, access_thread.depth - 1,
                     __ATOMIC_RELEASE);
}

/* Take the lock of @mr if it has one and this thread does not hold it for an
 * outer frame; whether it did. */
static inline bool access_lock(const MemoryRegion *mr)
{
    if (mr->locking != MEMORY_LOCKING_OWN || access_thread.held) {
        return false;
    }
    pthread_mutex_lock(mr->lock);
    access_thread.held = mr->lock;
    return true;
}

static inline void access_unlock(bool locked)
{
    if (locked) {
        pthread_mutex_t *lock = access_thread.held;

        access_thread.held = NULL;
        pthread_mutex_unlock(lock);
    }
}

/* Whether another thread is inside of @mr. */
static bool region_occupied(const MemoryRegion *mr)
{
    bool occupied = false;

    pthread_mutex_lock(&threads_lock);
    for (AccessThread *t = threads; t && !occupied; t = t->next) {
        int depth = __atomic_load_n(&t->depth, __ATOMIC_ACQUIRE);

        for (int i = 0; t != &access_thread && i < depth; i++) {
            occupied |= __atomic_load_n(&t->frame[i], __ATOMIC_ACQUIRE) == mr;
        }
    }
    pthread_mutex_unlock(&threads_lock);
    return occupied;
}

void memory_region_quiesce(const MemoryRegion *mr)
{
    for (unsigned tries = 0; region_occupied(mr); tries++) {
        if (tries < 64) {
            sched_yield();
        } else {
            nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000 }, NULL);
        }
    }
}

/* ---- what the guest may do ----------------------------------------------- */

/* Whether the @size bytes at @addr are inside the region as it is now. */
static inline bool access_inside(const MemoryRegion *mr, hwaddr addr,
                                 unsigned size)
{
    unsigned __int128 end = (unsigned __int128)region_size_high(mr) << 64 |
                            region_size_low(mr);

    return (unsigned __int128)addr + size <= end;
}

void memory_region_store_size(MemoryRegion *mr, unsigned __int128 size)
{
    RegionSizeHalf *half = (RegionSizeHalf *)&mr->size;

    __atomic_store_n(half + SIZE_HALF_LOW, (uint64_t)size, __ATOMIC_RELAXED);
    __atomic_store_n(half + !SIZE_HALF_LOW, (uint64_t)(size >> 64),
                     __ATOMIC_RELAXED);
}

/* Nobody serves a region without ops; for a reservation that is our bug. */
static MemTxResult access_unserved(MemoryRegion *mr, hwaddr addr, bool is_write)
{
    if (mr->kind == MEMORY_REGION_RESERVATION &&
        !__atomic_exchange_n(&mr->reported, true, __ATOMIC_RELAXED)) {
        g_warning("region '%s' is reserved for another component, but a %s at "
                  "offset 0x%" PRIx64 " reached it here; further ones are not "
                  "reported", mr->name, is_write ? "write" : "read", addr);
    }
    return MEMTX_DECODE_ERROR;
}

static inline MemTxResult access_check(MemoryRegion *mr, hwaddr addr,
                                       unsigned size, bool is_write)
{
    const MemoryRegionOps *ops = mr->ops;

    if (unlikely(!ops)) {
        return access_unserved(mr, addr, is_write);
    }
    if (unlikely(!access_inside(mr, addr, size)) ||
        unlikely(size < ops->valid.min_access_size) ||
        (ops->valid.max_access_size && size > ops->valid.max_access_size) ||
        ((addr & (size - 1)) && !ops->valid.unaligned)) {
        return MEMTX_DECODE_ERROR;
    }
    if (unlikely(ops->valid.accepts != NULL) &&
        !ops->valid.accepts(mr->opaque, addr, size, is_write)) {
        return MEMTX_ACCESS_ERROR;
    }
    return MEMTX_OK;
}

unsigned memory_region_access_width(const MemoryRegion *mr, hwaddr addr,
                                    hwaddr len)
{
    unsigned width = ACCESS_MAX;
    unsigned max = mr->ops ? mr->ops->valid.max_access_size : 0;

    while (width > 1 &&
           (width > len || (addr & (width - 1)) || (max && width > max))) {
        width /= 2;
    }
    return width;
}

/* ---- one callback -------------------------------------------------------- */

static inline unsigned size_index(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

static bool has_old_mmio(const MemoryRegionOps *ops, bool is_write)
{
    const MemoryRegionMmio *m = &ops->old_mmio;

    return is_write ? m->write[0] || m->write[1] || m->write[2]
                    : m->read[0] || m->read[1] || m->read[2];
}

/* The callback of @size bytes that reads at @addr; all-ones where it fails. */
static MemTxResult call_read(const MemoryRegion *mr, hwaddr addr,
                             uint64_t *image, unsigned size, MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    MemTxResult result = MEMTX_OK;
    uint64_t value = 0;

    if (ops->read_with_attrs) {
        result = ops->read_with_attrs(mr->opaque, addr, &value, size, attrs);
    } else if (likely(ops->read != NULL)) {
        value = ops->read(mr->opaque, addr, size);
    } else if (size <= 4 && ops->old_mmio.read[size_index(size)]) {
        value = ops->old_mmio.read[size_index(size)](mr->opaque, addr);
    } else {
        result = MEMTX_DECODE_ERROR;
    }
    *image = likely(result == MEMTX_OK) ? swap_for(ops, value, size)
                                        : all_ones(size);
    return result;
}

static MemTxResult call_write(const MemoryRegion *mr, hwaddr addr,
                              uint64_t image, unsigned size, MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    uint64_t value = swap_for(ops, image, size);

    if (ops->write_with_attrs) {
        return ops->write_with_attrs(mr->opaque, addr, value, size, attrs);
    }
    if (likely(ops->write != NULL)) {
        ops->write(mr->opaque, addr, value, size);
        return MEMTX_OK;
    }
    if (size <= 4 && ops->old_mmio.write[size_index(size)]) {
        ops->old_mmio.write[size_index(size)](mr->opaque, addr,
                                              (uint32_t)value);
        return MEMTX_OK;
    }
    return MEMTX_DECODE_ERROR;
}

/* ---- port lists ---------------------------------------------------------- */

static const MemoryRegionPortio *portio_find(const MemoryRegionOps *ops,
                                             hwaddr addr, unsigned size,
                                             bool is_write)
{
    for (const MemoryRegionPortio *p = ops->old_portio; p->size; p++) {
        if (p->size == size && addr >= p->offset && addr - p->offset < p->len &&
            (is_write ? p->write != NULL : p->read != NULL)) {
            return p;
        }
    }
    return NULL;
}

/* An access that no entry has the width of is made of its two halves. */
static MemTxResult portio_read(const MemoryRegion *mr, hwaddr addr,
                               uint64_t *image, unsigned size)
{
    const MemoryRegionPortio *p = portio_find(mr->ops, addr, size, false);
    unsigned half = size / 2;
    uint64_t low, high;
    MemTxResult result;

    if (p) {
        *image = swap_for(mr->ops, p->read(mr->opaque, (uint32_t)addr), size);
        return MEMTX_OK;
    }
    if (!half) {
        *image = all_ones(1);
        return MEMTX_DECODE_ERROR;
    }
    result = portio_read(mr, addr, &low, half);
    result |= portio_read(mr, addr + half, &high, half);
    *image = low | high << (8 * half);
    return result;
}

static MemTxResult portio_write(const MemoryRegion *mr, hwaddr addr,
                                uint64_t image, unsigned size)
{
    const MemoryRegionPortio *p = portio_find(mr->ops, addr, size, true);
    unsigned half = size / 2;
    MemTxResult result;

    if (p) {
        p->write(mr->opaque, (uint32_t)addr,
                 (uint32_t)swap_for(mr->ops, image, size));
        return MEMTX_OK;
    }
    if (!half) {
        return MEMTX_DECODE_ERROR;
    }
    result = portio_write(mr, addr, image & all_ones(half), half);
    result |= portio_write(mr, addr + half, image >> (8 * half), half);
    return result;
}

/* ---- what the callbacks implement ---------------------------------------- */

/* Widths of callbacks: powers of two, min <= max. */
typedef struct Widths {
    unsigned min;
    unsigned max;
} Widths;

/*
 * The bounds of @ops with defaults. Bounds that are no powers of two shrink
 * to the nearest width inside them; where they exclude each other, the
 * narrowest width is believed (a device of 8-byte registers says min 8).
 */
static Widths access_widths(const MemoryRegionOps *ops, bool old_mmio)
{
    unsigned limit = old_mmio ? 4 : ACCESS_MAX;
    unsigned max = ops->impl.max_access_size ? ops->impl.max_access_size : 4;
    Widths w = { 1, limit };

    while (w.min < ops->impl.min_access_size && w.min < limit) {
        w.min *= 2;
    }
    while (w.max > max && w.max > w.min) {
        w.max /= 2;
    }
    return w;
}

/*
 * The callback that covers the byte at @pos and as much as it can of the
 * @left bytes from there. In order of preference:
 *
 * 1. exactly what is left, cut down to the widest power of two that is within
 *    impl.max and, without impl.unaligned, to which @pos is aligned;
 * 2. where that is narrower than impl.min, the aligned window of impl.min
 *    bytes around @pos (the caller drops, or zeroes, the rest of it);
 * 3. where the window crosses the end of the region, the widest aligned one
 *    below impl.min that does not: narrower than the device asked for, but
 *    never past its end.
 *
 * Pieces made one after the other are disjoint and ascend: a window is only
 * entered in its middle by the first piece, or where a wider window that
 * starts lower crosses the end, and then that one crossed it before.
 */
static unsigned access_piece(const MemoryRegion *mr, Widths w, hwaddr pos,
                             unsigned left, hwaddr *start)
{
    unsigned size = w.max;

    while (size > left || (!mr->ops->impl.unaligned && (pos & (size - 1)))) {
        size /= 2;
    }
    *start = pos;
    if (size < w.min) {
        size = w.min;
        while (!access_inside(mr, pos & -(hwaddr)size, size)) {
            size /= 2;
        }
        *start = pos & -(hwaddr)size;
    }
    return size;
}

/* One callback of a split access: which it is, and which bytes count. */
typedef struct Piece {
    hwaddr start;
    unsigned width;
    unsigned skip;  /* bytes of it before the first that counts */
    unsigned taken; /* bytes that count */
} Piece;

/* The piece behind the first @done of @size bytes at @addr; false where the
 * region ends before, because a callback shrank it. */
static bool next_piece(const MemoryRegion *mr, Widths w, hwaddr addr,
                       unsigned size, unsigned done, Piece *p)
{
    hwaddr pos = addr + done;

    if (unlikely(!access_inside(mr, pos, size - done))) {
        return false;
    }
    p->width = access_piece(mr, w, pos, size - done, &p->start);
    p->skip = (unsigned)(pos - p->start);
    p->taken = MIN(p->width - p->skip, size - done);
    return true;
}

static MemTxResult split_read(const MemoryRegion *mr, hwaddr addr,
                              uint64_t *image, unsigned size, MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    bool modern = ops->read_with_attrs || ops->read;
    bool old_mmio = !modern && has_old_mmio(ops, false);
    Widths w = access_widths(ops, old_mmio);
    MemTxResult result = MEMTX_OK;
    Piece p;

    *image = all_ones(size);
    if (!modern && !old_mmio) {
        return ops->old_portio ? portio_read(mr, addr, image, size)
                               : MEMTX_DECODE_ERROR;
    }
    for (unsigned done = 0; done < size; done += p.taken) {
        uint64_t value;

        if (!next_piece(mr, w, addr, size, done, &p)) {
            return result | MEMTX_DECODE_ERROR;
        }
        result |= call_read(mr, p.start, &value, p.width, attrs);
        *image &= ~(all_ones(p.taken) << (8 * done));
        *image |= (value >> (8 * p.skip) & all_ones(p.taken)) << (8 * done);
    }
    return result;
}

static MemTxResult split_write(const MemoryRegion *mr, hwaddr addr,
                               uint64_t image, unsigned size, MemTxAttrs attrs)
{
    const MemoryRegionOps *ops = mr->ops;
    bool modern = ops->write_with_attrs || ops->write;
    bool old_mmio = !modern && has_old_mmio(ops, true);
    Widths w = access_widths(ops, old_mmio);
    MemTxResult result = MEMTX_OK;
    Piece p;

    if (!modern && !old_mmio) {
        return ops->old_portio ? portio_write(mr, addr, image, size)
                               : MEMTX_DECODE_ERROR;
    }
    for (unsigned done = 0; done < size; done += p.taken) {
        if (!next_piece(mr, w, addr, size, done, &p)) {
            return result | MEMTX_DECODE_ERROR;
        }
        result |= call_write(mr, p.start,
                             (image >> (8 * done) & all_ones(p.taken))
                                 << (8 * p.skip), p.width, attrs);
    }
    return result;
}

/* Whether one plain callback of this very size is all there is to do. */
static inline bool callback_fits(const MemoryRegionOps *ops, hwaddr addr,
                                 unsigned size)
{
    unsigned max = ops->impl.max_access_size ? ops->impl.max_access_size : 4;

    return size >= ops->impl.min_access_size && size <= max &&
           (!(addr & (size - 1)) || ops->impl.unaligned);
}

/* Whether the guest may make aligned accesses of @size bytes, and each is one
 * callback. */
static bool size_is_direct(const MemoryRegionOps *ops, unsigned size)
{
    unsigned max = ops->valid.max_access_size;

    return ops->endianness != DEVICE_BIG_ENDIAN && !ops->valid.accepts &&
           size >= ops->valid.min_access_size && (!max || size <= max) &&
           callback_fits(ops, 0, size);
}

void memory_region_init_access(MemoryRegion *mr)
{
    const MemoryRegionOps *ops = mr->ops;
    unsigned sizes = 0;

    for (unsigned size = 1; ops && size <= ACCESS_MAX; size *= 2) {
        sizes |= size_is_direct(ops, size) ? size : 0;
    }
    mr->direct = 0;
    if (sizes && ops->read && !ops->read_with_attrs) {
        mr->direct |= sizes;
    }
    if (sizes && ops->write && !ops->write_with_attrs) {
        mr->direct |= sizes << DIRECT_WRITE_SHIFT;
    }
}

/* ---- doorbells ----------------------------------------------------------- */

/* Nothing else is asked first: an accelerator that knows the doorbell would not
 * ask us either. */
bool memory_region_ring(const MemoryRegion *mr, hwaddr addr, uint64_t image,
                        unsigned size)
{
    const MemoryEventfds *list = __atomic_load_n(&mr->eventfds,
                                                 __ATOMIC_ACQUIRE);
    unsigned lo = 0, hi = list && mr->ops ? list->nr : 0;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (list->e[mid].addr < addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; list && mr->ops && lo < list->nr && list->e[lo].addr == addr; lo++) {
        const MemoryEventfd *fd = &list->e[lo];

        if ((!fd->size || fd->size == size) &&
            (!fd->match_data || fd->data == swap_for(mr->ops, image, size))) {
            event_notifier_set(fd->e);
            return true;
        }
    }
    return false;
}

/* ---- the entries --------------------------------------------------------- */

MemTxResult memory_region_read_checked(MemoryRegion *mr, hwaddr addr,
                                       uint64_t *image, unsigned size,
                                       MemTxAttrs attrs)
{
    MemTxResult result = access_check(mr, addr, size, false);

    if (unlikely(result != MEMTX_OK)) {
        *image = all_ones(size);
        return result;
    }
    if (likely(mr->ops->read || mr->ops->read_with_attrs) &&
        likely(callback_fits(mr->ops, addr, size))) {
        return call_read(mr, addr, image, size, attrs);
    }
    return split_read(mr, addr, image, size, attrs);
}

MemTxResult memory_region_write_checked(MemoryRegion *mr, hwaddr addr,
                                        uint64_t image, unsigned size,
                                        MemTxAttrs attrs)
{
    MemTxResult result = access_check(mr, addr, size, true);

    if (unlikely(result != MEMTX_OK)) {
        return result;
    }
    if (likely(mr->ops->write || mr->ops->write_with_attrs) &&
        likely(callback_fits(mr->ops, addr, size))) {
        return call_write(mr, addr, image, size, attrs);
    }
    return split_write(mr, addr, image, size, attrs);
}

MemTxResult memory_region_read_entered(MemoryRegion *mr, hwaddr addr,
                                       uint64_t *image, unsigned size,
                                       MemTxAttrs attrs)
{
    bool locked = access_lock(mr);
    MemTxResult result = memory_region_read_checked(mr, addr, image, size,
                                                    attrs);

    access_unlock(locked);
    access_leave();
    return result;
}

MemTxResult memory_region_write_entered(MemoryRegion *mr, hwaddr addr,
                                        uint64_t image, unsigned size,
                                        MemTxAttrs attrs)
{
    bool locked = access_lock(mr);
    MemTxResult result = memory_region_write_checked(mr, addr, image, size,
                                                     attrs);

    access_unlock(locked);
    access_leave();
    return result;
}

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *image, unsigned size,
                                        MemTxAttrs attrs)
{
    if (!memory_region_enter(mr)) {
        *image = all_ones(size);
        return MEMTX_ACCESS_ERROR;
    }
    return memory_region_read_entered(mr, addr, image, size, attrs);
}

MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t image, unsigned size,
                                         MemTxAttrs attrs)
{
    bool rung;

    memory_rcu_enter();
    rung = memory_region_ring(mr, addr, image, size);
    memory_rcu_exit();
    if (rung) {
        return MEMTX_OK;
    }
    if (!memory_region_enter(mr)) {
        return MEMTX_ACCESS_ERROR;
    }
    return memory_region_write_entered(mr, addr, image, size, attrs);
}
