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
 * again (both in exec.c), a doorbell takes a write, the guard refuses re-entry,
 * the region's valid rules refuse what they must, and the callbacks run.
 */
#include "memory-internal.h"

#define unlikely(x) __builtin_expect(!!(x), 0)
#define likely(x) __builtin_expect(!!(x), 1)

#define ACCESS_MAX 8u /* bytes of the widest access */

/* The callbacks that this thread is inside of, innermost first. */
typedef struct AccessFrame {
    const MemoryRegion *mr;
    const MemoryReentrancyGuard *guard;
    const struct AccessFrame *outer;
} AccessFrame;

static __thread const AccessFrame *innermost;

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

bool memory_region_in_callback(const MemoryRegion *mr)
{
    for (const AccessFrame *f = innermost; f; f = f->outer) {
        if (f->mr == mr) {
            return true;
        }
    }
    return false;
}

bool memory_region_is_busy(const MemoryRegion *mr)
{
    for (const AccessFrame *f = innermost; f; f = f->outer) {
        if (f->guard == mr->guard) {
            return true;
        }
    }
    return false;
}

/* Enter @mr; false if its device is inside already. */
static inline bool frame_push(AccessFrame *frame, const MemoryRegion *mr)
{
    if (unlikely(innermost != NULL) && memory_region_is_busy(mr)) {
        return false;
    }
    *frame = (AccessFrame){ .mr = mr, .guard = mr->guard, .outer = innermost };
    innermost = frame;
    return true;
}

static inline void frame_pop(const AccessFrame *frame)
{
    innermost = frame->outer;
}

/* ---- what the guest may do ----------------------------------------------- */

/* Whether the @size bytes at @addr are inside the region as it is now. */
static inline bool access_inside(const MemoryRegion *mr, hwaddr addr,
                                 unsigned size)
{
    return (unsigned __int128)addr + size <= mr->size;
}

/* Nobody serves a region without ops; for a reservation that is our bug. */
static MemTxResult access_unserved(MemoryRegion *mr, hwaddr addr, bool is_write)
{
    if (mr->kind == MEMORY_REGION_RESERVATION && !mr->reported) {
        mr->reported = true;
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
static inline bool access_is_direct(const MemoryRegionOps *ops, hwaddr addr,
                                    unsigned size)
{
    unsigned max = ops->impl.max_access_size ? ops->impl.max_access_size : 4;

    return size >= ops->impl.min_access_size && size <= max &&
           (!(addr & (size - 1)) || ops->impl.unaligned);
}

/* ---- doorbells ----------------------------------------------------------- */

/* Ring the doorbell that this write matches, if any. Nothing else is asked
 * first: an accelerator that knows the doorbell would not ask us either. */
static bool doorbell_ring(const MemoryRegion *mr, hwaddr addr, uint64_t image,
                          unsigned size)
{
    for (unsigned i = 0; i < mr->eventfd_nb; i++) {
        const MemoryEventfd *fd = &mr->eventfds[i];

        if (fd->addr == addr && (!fd->size || fd->size == size) &&
            (!fd->match_data || fd->data == swap_for(mr->ops, image, size))) {
            event_notifier_set(fd->e);
            return true;
        }
    }
    return false;
}

/* ---- the two entries ----------------------------------------------------- */

/* Only the outermost access flushes: whatever brought the thread here flushed
 * before, and a put-off write delivered now could find its device busy. */
bool memory_region_flush(const MemoryRegion *mr)
{
    if (!mr->flush_coalesced || innermost) {
        return false;
    }
    memory_flush_coalesced();
    return true;
}

MemTxResult memory_region_dispatch_read(MemoryRegion *mr, hwaddr addr,
                                        uint64_t *image, unsigned size,
                                        MemTxAttrs attrs)
{
    AccessFrame frame;
    MemTxResult result;

    if (unlikely(!frame_push(&frame, mr))) {
        *image = all_ones(size);
        return MEMTX_ACCESS_ERROR;
    }
    result = access_check(mr, addr, size, false);
    if (unlikely(result != MEMTX_OK)) {
        *image = all_ones(size);
    } else if (likely(mr->ops->read || mr->ops->read_with_attrs) &&
               likely(access_is_direct(mr->ops, addr, size))) {
        result = call_read(mr, addr, image, size, attrs);
    } else {
        result = split_read(mr, addr, image, size, attrs);
    }
    frame_pop(&frame);
    return result;
}

MemTxResult memory_region_dispatch_write(MemoryRegion *mr, hwaddr addr,
                                         uint64_t image, unsigned size,
                                         MemTxAttrs attrs)
{
    AccessFrame frame;
    MemTxResult result;

    if (unlikely(mr->eventfd_nb) && mr->ops &&
        doorbell_ring(mr, addr, image, size)) {
        return MEMTX_OK;
    }
    if (unlikely(!frame_push(&frame, mr))) {
        return MEMTX_ACCESS_ERROR;
    }
    result = access_check(mr, addr, size, true);
    if (unlikely(result != MEMTX_OK)) {
        /* dropped */
    } else if (likely(mr->ops->write || mr->ops->write_with_attrs) &&
               likely(access_is_direct(mr->ops, addr, size))) {
        result = call_write(mr, addr, image, size, attrs);
    } else {
        result = split_write(mr, addr, image, size, attrs);
    }
    frame_pop(&frame);
    return result;
}
