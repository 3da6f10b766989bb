/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses through an address space: read, write, load and store.
 *
 * The way of an access. In a read side the address is looked up in the present
 * version of the view. Memory is copied there and then. For a region with
 * callbacks there are two ways, as it runs them:
 *
 * - Under the memory lock. With it the map stays as it is, so look again if it
 *   was not the same any more when the lock was got.
 * - Under a lock of its own, or none. The thread is written down as being on
 *   its way in, and the region cannot be destroyed from there on; see access.c.
 *
 * Either way the read side is left before the callback, which may change the
 * map and wait for readers. What most accesses are (a register, or as much
 * memory, inside one range) is done by address_space_rw_attrs() and what it
 * calls inline; access_any() does all, and what those come upon in the middle.
 */
#include <pthread.h>
#include <string.h>

#include "access.h"
#include "memory-lock.h"
#include "rcu.h"

#define fast_path inline __attribute__((always_inline))
#define slow_path __attribute__((noinline, cold))
#define outlined __attribute__((noinline)) /* its caller is without a frame */

static MemoryUnassignedHandler *unassigned_handler;
static void *unassigned_opaque;

void memory_set_unassigned_handler(MemoryUnassignedHandler *handler,
                                   void *opaque)
{
    unassigned_handler = handler;
    unassigned_opaque = opaque;
}

/* ---- one piece of an access ------------------------------------------------------ */

/* Read-only RAM: nobody hears of a write. A ROM device's callback does. */
static inline bool range_drops_writes(const FlatRange *range)
{
    return range->mr->kind == MEMORY_REGION_RAM && range->readonly;
}

/* Copy from and to guest memory, with aligned 1, 2, 4 and 8 bytes as one
 * access: guests share memory with devices without locks. */
#define COPY_CASES(COPY)                                                       \
    COPY(uint32_t)                                                             \
    COPY(uint64_t)                                                             \
    COPY(uint8_t)                                                              \
    COPY(uint16_t)

static inline void copy_from_memory(void *to, const void *from, hwaddr len)
{
    switch ((uintptr_t)from & (len - 1) ? 0 : len) {
#define COPY(type)                                                             \
    case sizeof(type): {                                                       \
        type value = __atomic_load_n((const type *)from, __ATOMIC_RELAXED);    \
        memcpy(to, &value, sizeof(type));                                      \
        return;                                                                \
    }
    COPY_CASES(COPY)
#undef COPY
    }
    memcpy(to, from, len);
}

static inline void copy_to_memory(void *to, const void *from, hwaddr len)
{
    switch ((uintptr_t)to & (len - 1) ? 0 : len) {
#define COPY(type)                                                             \
    case sizeof(type): {                                                       \
        type value;                                                            \
        memcpy(&value, from, sizeof(type));                                    \
        __atomic_store_n((type *)to, value, __ATOMIC_RELAXED);                 \
        return;                                                                \
    }
    COPY_CASES(COPY)
#undef COPY
    }
    memcpy(to, from, len);
}

/* @size (1, 2, 4, 8) bytes as an image: the lowest address in the lowest bits. */
static inline uint64_t image_get(const void *buf, unsigned size)
{
    uint64_t image = 0;

    switch (size) {
#define COPY(type)                                                             \
    case sizeof(type):                                                         \
        memcpy(&image, buf, sizeof(type));                                     \
        break;
    COPY_CASES(COPY)
#undef COPY
    }
    return GUINT64_FROM_LE(image);
}

static inline void image_put(void *buf, uint64_t image, unsigned size)
{
    image = GUINT64_TO_LE(image);
    switch (size) {
#define COPY(type)                                                             \
    case sizeof(type):                                                         \
        memcpy(buf, &image, sizeof(type));                                     \
        break;
    COPY_CASES(COPY)
#undef COPY
    }
}

/* Mark what was written to @range's memory, after it was. */
static inline void mark_written(const FlatRange *range, hwaddr addr, hwaddr len)
{
    RAMBlock *block = range->mr->ram_block;
    unsigned clients = ram_block_dirty_clients(block);

    if (clients) {
        ram_block_mark_dirty(block, range->offset + (addr - range->first), len,
                             clients);
    }
}

/* An access on its way. Advances from piece to piece. */
typedef struct Access {
    AddressSpace *as;
    hwaddr addr;
    uint8_t *buf;
    hwaddr len;
    MemTxAttrs attrs;
    bool is_write;
    bool whole;      /* it has the width of a register, and nothing is done */
    bool flushed;    /* put-off writes, for this piece */
    bool unassigned; /* nothing answered this piece */
    MemTxResult result;
} Access;

/* The part of the access to @range that needs no callback: returns its length,
 * 0 if @range has callbacks. @range NULL: nothing there. In a read side of
 * @root or under the memory lock. */
static hwaddr access_memory(Access *a, const FlatNode *root,
                            const FlatRange *range)
{
    hwaddr n;

    if (!range) {
        n = piece_length(a->addr, gap_last(root, a->addr), a->len);
        a->result |= MEMTX_DECODE_ERROR;
    } else {
        n = piece_length(a->addr, range->last, a->len);
        if (a->is_write ? range_writes_memory(range)
                        : range_reads_memory(range)) {
            uint8_t *host = range->host + (a->addr - range->first);

            if (a->is_write) {
                copy_to_memory(host, a->buf, n);
                mark_written(range, a->addr, n);
            } else {
                copy_from_memory(a->buf, host, n);
            }
            return n;
        }
        if (!a->is_write || !range_drops_writes(range)) {
            return 0;
        }
        a->result |= MEMTX_ACCESS_ERROR;
    }
    if (!a->is_write) {
        memset(a->buf, 0xff, n);
    }
    return n;
}

static void access_advance(Access *a, hwaddr n)
{
    a->whole = a->whole && n == a->len;
    a->flushed = false;
    a->addr += n;
    a->buf += n;
    a->len -= n;
}

/* As much as @root has memory for from here on: a transfer sees one map. */
static void access_more_memory(Access *a, const FlatNode *root)
{
    while (a->len) {
        const FlatRange *range = flat_node_lookup(root, a->addr);
        hwaddr n = range ? access_memory(a, root, range) : 0;

        if (!n) {
            break;
        }
        access_advance(a, n);
    }
}

/* The first callback-sized part of an access to a range, or all of it. */
typedef struct Register {
    MemoryRegion *mr;
    hwaddr offset;
    unsigned size;
    uint64_t image; /* of a write */
} Register;

static Register access_register(const Access *a, const FlatRange *range)
{
    hwaddr n = piece_length(a->addr, range->last, a->len);
    Register r = {
        .mr = range->mr,
        .offset = range->offset + (a->addr - range->first),
    };

    if (!a->whole || n < a->len) {
        n = memory_region_access_width(r.mr, r.offset, n);
    }
    r.size = (unsigned)n;
    if (a->is_write) {
        r.image = image_get(a->buf, r.size);
    }
    return r;
}

/* Do it, entered or not; the callback may change the map. */
static void access_dispatch(Access *a, const Register *r, bool entered)
{
    uint64_t image = UINT64_MAX;

    if (!entered) {
        a->result |= MEMTX_ACCESS_ERROR;
    } else if (a->is_write) {
        a->result |= memory_region_write_entered(r->mr, r->offset, r->image,
                                                 r->size, a->attrs);
    } else {
        a->result |= memory_region_read_entered(r->mr, r->offset, &image,
                                                r->size, a->attrs);
    }
    if (!a->is_write) {
        image_put(a->buf, image, r->size);
    }
}

/* One piece with the present map, under the memory lock: returns its length, 0
 * where it is of a region that does not want this lock. */
static hwaddr access_locked(Access *a)
{
    for (;;) {
        const FlatNode *root = address_space_root(a->as);
        const FlatRange *range = flat_node_lookup(root, a->addr);
        hwaddr n = access_memory(a, root, range);
        Register r;

        if (n) {
            a->unassigned = !range;
            return n;
        }
        if (range->mr->locking != MEMORY_LOCKING_GLOBAL) {
            return 0;
        }
        if (!a->flushed && memory_region_wants_flush(range->mr)) {
            a->flushed = true;
            memory_flush_coalesced(); /* which may change the map */
            continue;
        }
        r = access_register(a, range);
        access_dispatch(a, &r, memory_region_enter(r.mr));
        return r.size;
    }
}

/* A piece of a region with callbacks, in a read side that is left. Returns its
 * length, 0 where it is to be looked up again. */
static hwaddr access_device(Access *a, const FlatRange *range)
{
    MemoryRegion *mr = range->mr;
    bool refused = false, entered = false;
    Register r;
    hwaddr n;

    if (!a->flushed && memory_region_wants_flush(mr)) {
        memory_rcu_exit();
        memory_lock();
        memory_flush_coalesced();
        memory_unlock();
        a->flushed = true;
        return 0;
    }
    r = access_register(a, range);
    if (a->is_write && unlikely(__atomic_load_n(&mr->eventfds,
                                                __ATOMIC_RELAXED) != NULL) &&
        memory_region_ring(mr, r.offset, r.image, r.size)) {
        memory_rcu_exit();
        return r.size;
    }
    if (mr->locking == MEMORY_LOCKING_GLOBAL) {
        refused = memory_device_lock_held();
    } else {
        entered = memory_region_enter(mr);
        refused = !entered;
    }
    memory_rcu_exit();
    if (refused || entered) {
        access_dispatch(a, &r, entered);
        return r.size;
    }
    memory_lock();
    n = access_locked(a);
    memory_unlock();
    return n;
}

static void report_unassigned(const Access *a, hwaddr addr, hwaddr len)
{
    if (unassigned_handler) {
        unassigned_handler(a->as, addr, MIN(len, 8), a->is_write,
                           unassigned_opaque);
    }
}

static MemTxResult access_any(AddressSpace *as, hwaddr addr, MemTxAttrs attrs,
                              void *buf, hwaddr len, bool is_write)
{
    Access a = {
        .as = as,
        .addr = addr,
        .buf = buf,
        .len = len,
        .attrs = attrs,
        .is_write = is_write,
        .whole = len == 1 || len == 2 || len == 4 || len == 8,
    };

    while (a.len) {
        memory_rcu_enter();

        const FlatNode *root = address_space_root(as);
        const FlatRange *range = flat_node_lookup(root, a.addr);
        hwaddr piece = a.addr, n = access_memory(&a, root, range);

        a.unassigned = !range;
        if (n) {
            access_advance(&a, n);
            if (range) {
                access_more_memory(&a, root);
            }
            memory_rcu_exit();
        } else {
            n = access_device(&a, range);
            if (!n) {
                continue;
            }
            access_advance(&a, n);
        }
        if (unlikely(a.unassigned)) {
            report_unassigned(&a, piece, n);
        }
    }
    return a.result;
}

/* ---- one register, or as much memory, inside one range ----------------------------- */

/* Who makes an access of how many bytes: one register of the host. */
typedef struct AccessKind {
    MemTxAttrs attrs;
    unsigned size;
} AccessKind;

/* What a read gives: an image, and how it went. Two registers. */
typedef struct Value {
    uint64_t image;
    MemTxResult result;
} Value;

static slow_path Value read_any(AddressSpace *as, hwaddr addr, AccessKind kind)
{
    Value value = { 0 };

    value.result = access_any(as, addr, kind.attrs, &value.image, kind.size,
                              false);
    value.image = GUINT64_FROM_LE(value.image);
    return value;
}

static slow_path MemTxResult write_any(AddressSpace *as, hwaddr addr,
                                       AccessKind kind, uint64_t image)
{
    image = GUINT64_TO_LE(image);
    return access_any(as, addr, kind.attrs, &image, kind.size, true);
}

/*
 * Go into @mr, in a read side of @root, which is left; there are two ways, as
 * its callbacks run under the memory lock or not. False, and nothing done, if
 * this is no outermost access, or something is to be done before.
 */
static inline bool enter_global(AccessThread *thread, AddressSpace *as,
                                const FlatNode *root, MemoryRegion *mr)
{
    bool locked = likely(thread->depth == 0) && memory_trylock();

    memory_rcu_exit();
    if (unlikely(!locked)) {
        return false;
    }
    if (unlikely(address_space_root(as) != root) ||
        unlikely(mr->flush_coalesced)) {
        memory_unlock_held();
        return false;
    }
    access_enter_first(thread, mr);
    return true;
}

static inline void leave_global(AccessThread *thread)
{
    access_leave_first(thread);
    memory_unlock_held();
}

static inline bool enter_own(AccessThread *thread, MemoryRegion *mr,
                             pthread_mutex_t *lock)
{
    if (unlikely(thread->depth != 0) || memory_region_wants_flush(mr)) {
        memory_rcu_exit();
        return false;
    }
    access_enter_first(thread, mr);
    memory_rcu_exit();
    if (lock) {
        pthread_mutex_lock(lock);
        thread->held = lock;
    }
    return true;
}

static inline void leave_own(AccessThread *thread, pthread_mutex_t *lock)
{
    if (lock) {
        thread->held = NULL;
        pthread_mutex_unlock(lock);
    }
    access_leave_first(thread); /* from here on, the region may go */
}

/* Inside of @mr, under its lock. */
static outlined Value read_checked(MemoryRegion *mr, hwaddr addr,
                                   AccessKind kind)
{
    Value value;

    value.result = memory_region_read_checked(mr, addr, &value.image, kind.size,
                                              kind.attrs);
    return value;
}

static inline Value callback_read(MemoryRegion *mr, hwaddr addr,
                                  AccessKind kind)
{
    if (access_is_direct(mr, kind.size, addr, kind.size)) {
        return (Value){ mr->ops->read(mr->opaque, addr, kind.size), MEMTX_OK };
    }
    return read_checked(mr, addr, kind);
}

static inline MemTxResult callback_write(MemoryRegion *mr, hwaddr addr,
                                         AccessKind kind, uint64_t image)
{
    if (access_is_direct(mr, kind.size << DIRECT_WRITE_SHIFT, addr,
                         kind.size)) {
        mr->ops->write(mr->opaque, addr, image, kind.size);
        return MEMTX_OK;
    }
    return memory_region_write_checked(mr, addr, image, kind.size, kind.attrs);
}

/* Read what @range has at @addr, in a read side of @root, which is left. */
static fast_path Value device_read(AddressSpace *as, const FlatNode *root,
                                   const FlatRange *range, hwaddr addr,
                                   AccessKind kind)
{
    AccessThread *thread = &access_thread;
    MemoryRegion *mr = range->mr;
    hwaddr offset = range->offset + (addr - range->first);
    pthread_mutex_t *lock;
    Value value;

    if (mr->locking == MEMORY_LOCKING_GLOBAL) {
        if (likely(enter_global(thread, as, root, mr))) {
            value = callback_read(mr, offset, kind);
            leave_global(thread);
            return value;
        }
    } else {
        lock = mr->lock;
        if (likely(enter_own(thread, mr, lock))) {
            value = callback_read(mr, offset, kind);
            leave_own(thread, lock);
            return value;
        }
    }
    return read_any(as, addr, kind);
}

static outlined MemTxResult device_read_into(AddressSpace *as,
                                             const FlatNode *root,
                                             const FlatRange *range,
                                             hwaddr addr, AccessKind kind,
                                             void *buf)
{
    Value value = device_read(as, root, range, addr, kind);

    image_put(buf, value.image, kind.size);
    return value.result;
}

/* As loads say it: all-ones also where only a part could not be read. */
static inline uint64_t load_done(Value value, MemTxResult *result)
{
    if (result) {
        *result = value.result;
    }
    return likely(value.result == MEMTX_OK) ? value.image : UINT64_MAX;
}

static outlined uint64_t device_load(AddressSpace *as, const FlatNode *root,
                                     const FlatRange *range, hwaddr addr,
                                     AccessKind kind, MemTxResult *result)
{
    return load_done(device_read(as, root, range, addr, kind), result);
}

static slow_path uint64_t load_any(AddressSpace *as, hwaddr addr,
                                   AccessKind kind, MemTxResult *result)
{
    return load_done(read_any(as, addr, kind), result);
}

static outlined MemTxResult device_write(AddressSpace *as, const FlatNode *root,
                                         const FlatRange *range, hwaddr addr,
                                         AccessKind kind, uint64_t image)
{
    AccessThread *thread = &access_thread;
    MemoryRegion *mr = range->mr;
    hwaddr offset = range->offset + (addr - range->first);
    pthread_mutex_t *lock;
    MemTxResult result;

    if (unlikely(__atomic_load_n(&mr->eventfds, __ATOMIC_RELAXED) != NULL)) {
        memory_rcu_exit();
    } else if (mr->locking == MEMORY_LOCKING_GLOBAL) {
        if (likely(enter_global(thread, as, root, mr))) {
            result = callback_write(mr, offset, kind, image);
            leave_global(thread);
            return result;
        }
    } else {
        lock = mr->lock;
        if (likely(enter_own(thread, mr, lock))) {
            result = callback_write(mr, offset, kind, image);
            leave_own(thread, lock);
            return result;
        }
    }
    return write_any(as, addr, kind, image);
}

/* Whether @range, the first that ends at @addr or behind it, has all of the
 * @size bytes there. */
static inline bool range_has(const FlatRange *range, hwaddr addr, unsigned size)
{
    return likely(range != NULL) && likely(range->first <= addr) &&
           likely(range->last - addr >= size - 1);
}

static fast_path MemTxResult read_sized(AddressSpace *as, hwaddr addr,
                                        MemTxAttrs attrs, void *buf,
                                        unsigned size)
{
    if (likely(memory_rcu_ready())) {
        memory_rcu_enter();

        const FlatNode *root = address_space_root(as);
        const FlatRange *range = flat_node_find(root, addr);

        if (range_has(range, addr, size)) {
            if (!range_reads_memory(range)) {
                return device_read_into(as, root, range, addr,
                                        (AccessKind){ attrs, size }, buf);
            }
            copy_from_memory(buf, range->host + (addr - range->first), size);
            memory_rcu_exit();
            return MEMTX_OK;
        }
        memory_rcu_exit();
    }
    return access_any(as, addr, attrs, buf, size, false);
}

static fast_path MemTxResult write_sized(AddressSpace *as, hwaddr addr,
                                         MemTxAttrs attrs, const void *buf,
                                         unsigned size)
{
    if (likely(memory_rcu_ready())) {
        memory_rcu_enter();

        const FlatNode *root = address_space_root(as);
        const FlatRange *range = flat_node_find(root, addr);

        if (range_has(range, addr, size)) {
            if (range_writes_memory(range)) {
                copy_to_memory(range->host + (addr - range->first), buf, size);
                mark_written(range, addr, size);
                memory_rcu_exit();
                return MEMTX_OK;
            }
            if (!range_drops_writes(range)) {
                return device_write(as, root, range, addr,
                                    (AccessKind){ attrs, size },
                                    image_get(buf, size));
            }
        }
        memory_rcu_exit();
    }
    return access_any(as, addr, attrs, (void *)buf, size, true);
}

/* One function for each width and direction: none needs a frame. */
#define DEFINE_SIZED(size)                                                     \
    static outlined MemTxResult read_##size(AddressSpace *as, hwaddr addr,     \
                                            MemTxAttrs attrs, void *buf)       \
    {                                                                          \
        return read_sized(as, addr, attrs, buf, size);                         \
    }                                                                          \
    static outlined MemTxResult write_##size(AddressSpace *as, hwaddr addr,    \
                                             MemTxAttrs attrs,                 \
                                             const void *buf)                  \
    {                                                                          \
        return write_sized(as, addr, attrs, buf, size);                        \
    }

DEFINE_SIZED(1)
DEFINE_SIZED(2)
DEFINE_SIZED(4)
DEFINE_SIZED(8)

static inline MemTxResult space_rw(AddressSpace *as, hwaddr addr,
                                   MemTxAttrs attrs, void *buf, hwaddr len,
                                   bool is_write)
{
    switch (len) {
    case 4:
        return is_write ? write_4(as, addr, attrs, buf)
                        : read_4(as, addr, attrs, buf);
    case 1:
        return is_write ? write_1(as, addr, attrs, buf)
                        : read_1(as, addr, attrs, buf);
    case 2:
        return is_write ? write_2(as, addr, attrs, buf)
                        : read_2(as, addr, attrs, buf);
    case 8:
        return is_write ? write_8(as, addr, attrs, buf)
                        : read_8(as, addr, attrs, buf);
    default:
        return access_any(as, addr, attrs, buf, len, is_write);
    }
}

MemTxResult address_space_rw_attrs(AddressSpace *as, hwaddr addr,
                                   MemTxAttrs attrs, void *buf, hwaddr len,
                                   bool is_write)
{
    return space_rw(as, addr, attrs, buf, len, is_write);
}

MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, uint8_t *buf,
                             int len, bool is_write)
{
    if (len <= 0) {
        return MEMTX_OK;
    }
    return space_rw(as, addr, MEMTXATTRS_UNSPECIFIED, buf, len, is_write);
}

MemTxResult address_space_write(AddressSpace *as, hwaddr addr,
                                const uint8_t *buf, int len)
{
    return address_space_rw(as, addr, (uint8_t *)buf, len, true);
}

MemTxResult address_space_read(AddressSpace *as, hwaddr addr, uint8_t *buf,
                               int len)
{
    return address_space_rw(as, addr, buf, len, false);
}

MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr,
                                    const void *buffer, hwaddr len)
{
    MemTxResult result = MEMTX_OK;
    const uint8_t *buf = buffer;

    while (len) {
        hwaddr n;

        memory_rcu_enter();

        const FlatNode *root = address_space_root(as);
        const FlatRange *range = flat_node_lookup(root, addr);

        if (range && range->mr->ram_block) {
            RAMBlock *block = range->mr->ram_block;

            n = piece_length(addr, range->last, len);
            memcpy(block->host + range->offset + (addr - range->first), buf, n);
            mark_written(range, addr, n);
        } else {
            n = piece_length(addr, range ? range->last : gap_last(root, addr),
                             len);
            result |= MEMTX_DECODE_ERROR;
        }
        memory_rcu_exit();
        addr += n;
        buf += n;
        len -= n;
    }
    return result;
}

/* ---- loads and stores -------------------------------------------------------------- */

/* @size bytes at @addr as an image. */
static fast_path uint64_t load_image(AddressSpace *as, hwaddr addr, unsigned size,
                                  MemTxAttrs attrs, MemTxResult *result)
{
    AccessKind kind = { .attrs = attrs, .size = size };

    if (unlikely(!memory_rcu_ready())) {
        return load_any(as, addr, kind, result);
    }
    memory_rcu_enter();

    const FlatNode *root = address_space_root(as);
    const FlatRange *range = flat_node_find(root, addr);

    if (!range_has(range, addr, size)) {
        memory_rcu_exit();
        return load_any(as, addr, kind, result);
    }
    if (!likely(range_reads_memory(range))) {
        return device_load(as, root, range, addr, kind, result);
    }

    uint64_t bytes = 0;

    copy_from_memory(&bytes, range->host + (addr - range->first), size);
    memory_rcu_exit();
    if (result) {
        *result = MEMTX_OK;
    }
    return GUINT64_FROM_LE(bytes);
}

static fast_path void store_image(AddressSpace *as, hwaddr addr, unsigned size,
                               uint64_t image, MemTxAttrs attrs,
                               MemTxResult *result)
{
    AccessKind kind = { .attrs = attrs, .size = size };
    MemTxResult r = MEMTX_OK;

    memory_rcu_enter();

    const FlatNode *root = address_space_root(as);
    const FlatRange *range = flat_node_find(root, addr);

    if (range_has(range, addr, size) && likely(range_writes_memory(range))) {
        uint64_t bytes = GUINT64_TO_LE(image);

        copy_to_memory(range->host + (addr - range->first), &bytes, size);
        mark_written(range, addr, size);
        memory_rcu_exit();
    } else if (range_has(range, addr, size) && !range_drops_writes(range)) {
        r = device_write(as, root, range, addr, kind, image);
    } else {
        memory_rcu_exit();
        r = write_any(as, addr, kind, image);
    }
    if (result) {
        *result = r;
    }
}

#define DEFINE_LD(name, type, convert)                                         \
    ADDRESS_SPACE_LD(name, type)                                               \
    {                                                                          \
        return convert((type)load_image(as, addr, sizeof(type), attrs, result)); \
    }
#define DEFINE_ST(name, type, convert)                                         \
    ADDRESS_SPACE_ST(name, type)                                               \
    {                                                                          \
        store_image(as, addr, sizeof(type), convert(val), attrs, result);      \
    }
#define AS_IS(value) (value)

DEFINE_LD(ldub, uint8_t, AS_IS)
DEFINE_LD(lduw, uint16_t, AS_IS)
DEFINE_LD(lduw_le, uint16_t, AS_IS)
DEFINE_LD(lduw_be, uint16_t, GUINT16_SWAP_LE_BE)
DEFINE_LD(ldl, uint32_t, AS_IS)
DEFINE_LD(ldl_le, uint32_t, AS_IS)
DEFINE_LD(ldl_be, uint32_t, GUINT32_SWAP_LE_BE)
DEFINE_LD(ldq, uint64_t, AS_IS)
DEFINE_LD(ldq_le, uint64_t, AS_IS)
DEFINE_LD(ldq_be, uint64_t, GUINT64_SWAP_LE_BE)
DEFINE_ST(stb, uint8_t, AS_IS)
DEFINE_ST(stw, uint16_t, AS_IS)
DEFINE_ST(stw_le, uint16_t, AS_IS)
DEFINE_ST(stw_be, uint16_t, GUINT16_SWAP_LE_BE)
DEFINE_ST(stl, uint32_t, AS_IS)
DEFINE_ST(stl_le, uint32_t, AS_IS)
DEFINE_ST(stl_be, uint32_t, GUINT32_SWAP_LE_BE)
DEFINE_ST(stq, uint64_t, AS_IS)
DEFINE_ST(stq_le, uint64_t, AS_IS)
DEFINE_ST(stq_be, uint64_t, GUINT64_SWAP_LE_BE)
