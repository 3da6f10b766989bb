/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses through an address space: page descriptors that find the range of
 * an address, and read, write, load, store and map on top of them.
 *
 * Page descriptors. A descriptor is a 32-bit word for a block of addresses. It
 * is the index of the first of at most SCAN_MAX ranges that the block shows, or,
 * with DESC_NODE set, the position of a node that has one descriptor for each
 * of the 64 equal parts of the smallest block around those ranges. Blocks go
 * down to pages, and below a page where it holds many regions (the sub-page
 * case); the upper levels that hold one part only are left out.
 */
#include <pthread.h>
#include <string.h>

#include "memory-internal.h"
#include "rcu.h"

#define DESC_NODE (1u << 31)
#define NODE_BITS 6
#define NODE_SIZE (1u << NODE_BITS)
#define NODE_WORDS (1 + NODE_SIZE) /* the shift of its parts, and descriptors */
#define SCAN_MAX 4

#define unlikely(x) __builtin_expect(!!(x), 0)

static MemoryUnassignedHandler *unassigned_handler;
static void *unassigned_opaque;

void memory_set_unassigned_handler(MemoryUnassignedHandler *handler,
                                   void *opaque)
{
    unassigned_handler = handler;
    unassigned_opaque = opaque;
}

/* ---- page descriptors ---------------------------------------------------------- */

typedef struct DispatchBuilder {
    const FlatRange *ranges;
    GArray *words;
} DispatchBuilder;

/* The descriptor of a block, addresses @first to @last, that shows a part of
 * the ranges @lo to @hi - 1 and of no others. */
static uint32_t build_descriptor(DispatchBuilder *b, unsigned lo, unsigned hi,
                                 hwaddr first, hwaddr last)
{
    if (hi - lo <= SCAN_MAX) {
        return lo;
    }

    unsigned shift = 0;
    size_t node = b->words->len;

    first = MAX(first, b->ranges[lo].first);
    last = MIN(last, b->ranges[hi - 1].last);
    while (shift + NODE_BITS < 64 &&
           first >> (shift + NODE_BITS) != last >> (shift + NODE_BITS)) {
        shift += NODE_BITS;
    }
    g_array_set_size(b->words, node + NODE_WORDS);
    g_array_index(b->words, uint32_t, node) = shift;

    hwaddr part_mask = ((hwaddr)1 << shift) - 1;
    hwaddr block = shift + NODE_BITS < 64
                       ? first & ~(((hwaddr)1 << (shift + NODE_BITS)) - 1)
                       : 0;

    for (unsigned i = 0; i < NODE_SIZE; i++) {
        hwaddr part_first = block | (hwaddr)i << shift;
        hwaddr part_last = part_first | part_mask;
        unsigned end;

        if (shift + NODE_BITS > 64 && i >> (64 - shift)) {
            break; /* behind 2^64: no look-up comes here */
        }
        while (lo < hi && b->ranges[lo].last < part_first) {
            lo++;
        }
        for (end = lo; end < hi && b->ranges[end].first <= part_last;) {
            end++;
        }

        uint32_t desc = build_descriptor(b, lo, end, part_first, part_last);

        g_array_index(b->words, uint32_t, node + 1 + i) = desc;
    }
    return DESC_NODE | (uint32_t)node;
}

void flatview_build_dispatch(FlatView *view)
{
    DispatchBuilder b = {
        .ranges = view->ranges,
        .words = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
    };

    view->root = build_descriptor(&b, 0, view->nr, 0, HWADDR_MAX);
    view->nodes_len = b.words->len;
    view->nodes = g_memdup2(b.words->data, b.words->len * sizeof(uint32_t));
    g_array_free(b.words, TRUE);
}

const FlatRange *flatview_lookup(const FlatView *view, hwaddr addr)
{
    uint32_t desc = view->root;

    while (desc & DESC_NODE) {
        const uint32_t *node = view->nodes + (desc & ~DESC_NODE);

        desc = node[1 + ((addr >> node[0]) & (NODE_SIZE - 1))];
    }

    const FlatRange *range = view->ranges + desc;

    for (unsigned i = 0; i < SCAN_MAX; i++, range++) {
        if (addr <= range->last) {
            return addr >= range->first && range->mr ? range : NULL;
        }
    }
    return NULL;
}

static void print_descriptor(const FlatView *view, uint32_t desc,
                             unsigned depth, fprintf_function print, void *f)
{
    const uint32_t *node = view->nodes + (desc & ~DESC_NODE);
    uint32_t previous = DESC_NODE;

    print(f, "  %*snode %u: parts of 2^%u bytes\n", (int)depth * 2, "",
          (unsigned)((desc & ~DESC_NODE) / NODE_WORDS), (unsigned)node[0]);
    for (unsigned i = 0; i < NODE_SIZE; i++) {
        uint32_t part = node[1 + i];

        if (part & DESC_NODE) {
            print_descriptor(view, part, depth + 1, print, f);
        } else if (part != previous && part < view->nr) {
            print(f, "  %*spart %2u: from range %u\n", (int)depth * 2 + 2, "",
                  i, (unsigned)part);
        }
        previous = part;
    }
}

void flatview_print_dispatch(const FlatView *view, fprintf_function print,
                             void *f)
{
    print(f, "  page descriptors: %u ranges, %zu nodes\n", view->nr,
          view->nodes_len / NODE_WORDS);
    if (view->root & DESC_NODE) {
        print_descriptor(view, view->root, 0, print, f);
    }
}

/* ---- one piece of an access ------------------------------------------------------ */

static inline bool range_reads_memory(const FlatRange *range)
{
    return range->host;
}

static inline bool range_writes_memory(const FlatRange *range)
{
    return range->host && !range->readonly && !range->romd;
}

/* Read-only RAM: nobody hears of a write. A ROM device's callback does. */
static inline bool range_drops_writes(const FlatRange *range)
{
    return range->mr->kind == MEMORY_REGION_RAM && range->readonly;
}

/* The bytes from @addr to the end of [.., @last], at most @len. */
static inline hwaddr piece_length(hwaddr addr, hwaddr last, hwaddr len)
{
    return last - addr < len - 1 ? last - addr + 1 : len;
}

/* The last address that shows nothing from @addr on, which shows nothing. */
static hwaddr gap_last(const FlatView *view, hwaddr addr)
{
    unsigned next = flatview_find(view, addr);

    return next < view->nr ? view->ranges[next].first - 1 : HWADDR_MAX;
}

/* Copy, with aligned 1, 2, 4 and 8 bytes as one access: guests share memory
 * with devices without locks. */
static inline void copy_memory(void *to, const void *from, hwaddr len)
{
    uintptr_t both = (uintptr_t)to | (uintptr_t)from;

    switch (len) {
    case 1:
        __atomic_store_n((uint8_t *)to,
                         __atomic_load_n((const uint8_t *)from,
                                         __ATOMIC_RELAXED), __ATOMIC_RELAXED);
        return;
#define COPY_AS(type)                                                          \
    case sizeof(type):                                                         \
        if (!(both & (sizeof(type) - 1))) {                                    \
            __atomic_store_n((type *)to,                                       \
                             __atomic_load_n((const type *)from,               \
                                             __ATOMIC_RELAXED),                \
                             __ATOMIC_RELAXED);                                \
            return;                                                            \
        }                                                                      \
        break;
    COPY_AS(uint16_t)
    COPY_AS(uint32_t)
    COPY_AS(uint64_t)
#undef COPY_AS
    }
    memcpy(to, from, len);
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

/* The part of an access at @addr that needs no callback: returns its length, 0
 * if @range has callbacks. @range NULL: nothing there. */
static hwaddr access_memory(const FlatView *view, const FlatRange *range,
                            hwaddr addr, uint8_t *buf, hwaddr len,
                            bool is_write, MemTxResult *result)
{
    hwaddr n;

    if (!range) {
        n = piece_length(addr, gap_last(view, addr), len);
        *result |= MEMTX_DECODE_ERROR;
    } else {
        n = piece_length(addr, range->last, len);
        if (is_write ? range_writes_memory(range) : range_reads_memory(range)) {
            uint8_t *host = range->host + (addr - range->first);

            if (is_write) {
                copy_memory(host, buf, n);
                mark_written(range, addr, n);
            } else {
                copy_memory(buf, host, n);
            }
            return n;
        }
        if (!is_write || !range_drops_writes(range)) {
            return 0;
        }
        *result |= MEMTX_ACCESS_ERROR;
    }
    if (!is_write) {
        memset(buf, 0xff, n);
    }
    return n;
}

/* The same with the present map, under the memory lock. */
static hwaddr access_again(AddressSpace *as, const FlatRange **range,
                           hwaddr addr, uint8_t *buf, hwaddr len,
                           bool is_write, MemTxResult *result)
{
    const FlatView *view = address_space_view(as);

    *range = flatview_lookup(view, addr);
    return access_memory(view, *range, addr, buf, len, is_write, result);
}

/* The same as far as @view has memory, from the piece behind the first on: a
 * transfer sees one map. Returns the length done. */
static hwaddr access_more_memory(const FlatView *view, hwaddr addr, uint8_t *buf,
                                 hwaddr len, bool is_write, MemTxResult *result)
{
    hwaddr done = 0;

    while (done < len) {
        const FlatRange *range = flatview_lookup(view, addr + done);
        hwaddr n = range ? access_memory(view, range, addr + done, buf + done,
                                         len - done, is_write, result)
                         : 0;

        if (!n) {
            break;
        }
        done += n;
    }
    return done;
}

/* The first callback-sized part of an access at @addr to @range, under the
 * memory lock; @whole: the access has a register's width. Returns its length.
 * The callback may change the map: @range is not valid afterwards. */
static hwaddr access_device(const FlatRange *range, hwaddr addr,
                            MemTxAttrs attrs, uint8_t *buf, hwaddr len,
                            bool whole, bool is_write, MemTxResult *result)
{
    MemoryRegion *mr = range->mr;
    hwaddr offset = range->offset + (addr - range->first);
    hwaddr n = piece_length(addr, range->last, len);
    uint64_t image = 0;

    if (!whole || n < len) {
        n = memory_region_access_width(mr, offset, n);
    }
    if (is_write) {
        copy_memory(&image, buf, n);
        image = GUINT64_FROM_LE(image);
        *result |= memory_region_dispatch_write(mr, offset, image, n, attrs);
    } else {
        *result |= memory_region_dispatch_read(mr, offset, &image, n, attrs);
        image = GUINT64_TO_LE(image);
        copy_memory(buf, &image, n);
    }
    return n;
}

static void report_unassigned(AddressSpace *as, hwaddr addr, hwaddr len,
                              bool is_write)
{
    if (unassigned_handler) {
        unassigned_handler(as, addr, MIN(len, 8), is_write, unassigned_opaque);
    }
}

MemTxResult address_space_rw_attrs(AddressSpace *as, hwaddr addr,
                                   MemTxAttrs attrs, void *buffer, hwaddr len,
                                   bool is_write)
{
    bool whole = len == 1 || len == 2 || len == 4 || len == 8;
    MemTxResult result = MEMTX_OK;
    uint8_t *buf = buffer;

    while (len) {
        memory_rcu_enter();

        const FlatView *view = address_space_view(as);
        const FlatRange *range = flatview_lookup(view, addr);
        bool assigned = range;
        hwaddr n = access_memory(view, range, addr, buf, len, is_write,
                                 &result);

        if (n) {
            if (unlikely(n < len) && assigned) {
                n += access_more_memory(view, addr + n, buf + n, len - n,
                                        is_write, &result);
            }
            memory_rcu_exit();
        } else {
            /* A callback runs under the lock and outside the read side. With
             * the lock the map stays; look again if it had changed by then. */
            bool locked = memory_trylock();

            memory_rcu_exit();
            if (!locked) {
                memory_lock();
            }
            if (unlikely(!locked || address_space_view(as) != view)) {
                n = access_again(as, &range, addr, buf, len, is_write,
                                 &result);
            }
            if (!n && unlikely(range->mr->flush_coalesced) &&
                memory_region_flush(range->mr)) {
                n = access_again(as, &range, addr, buf, len, is_write,
                                 &result);
            }
            assigned = range;
            if (!n) {
                n = access_device(range, addr, attrs, buf, len, whole,
                                  is_write, &result);
            }
            memory_unlock();
        }
        if (unlikely(!assigned)) {
            report_unassigned(as, addr, n, is_write);
        }
        whole = whole && n == len;
        addr += n;
        buf += n;
        len -= n;
    }
    return result;
}

MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, uint8_t *buf,
                             int len, bool is_write)
{
    if (len <= 0) {
        return MEMTX_OK;
    }
    return address_space_rw_attrs(as, addr, MEMTXATTRS_UNSPECIFIED, buf, len,
                                  is_write);
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

        const FlatView *view = address_space_view(as);
        const FlatRange *range = flatview_lookup(view, addr);

        if (range && range->mr->ram_block) {
            RAMBlock *block = range->mr->ram_block;

            n = piece_length(addr, range->last, len);
            memcpy(block->host + range->offset + (addr - range->first), buf, n);
            mark_written(range, addr, n);
        } else {
            n = piece_length(addr, range ? range->last : gap_last(view, addr),
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

/* @size bytes at @addr as an image: the lowest address in the lowest bits. */
static inline uint64_t load_image(AddressSpace *as, hwaddr addr, unsigned size,
                                  MemTxAttrs attrs, MemTxResult *result)
{
    MemTxResult r = MEMTX_OK;
    uint64_t image = 0;
    bool done = false;

    memory_rcu_enter();

    const FlatRange *range = flatview_lookup(address_space_view(as), addr);

    if (range && range_reads_memory(range) && range->last - addr >= size - 1) {
        copy_memory(&image, range->host + (addr - range->first), size);
        done = true;
    }
    memory_rcu_exit();
    if (!done) {
        r = address_space_rw_attrs(as, addr, attrs, &image, size, false);
        if (r != MEMTX_OK) {
            image = UINT64_MAX; /* also where only a part could not be read */
        }
    }
    if (result) {
        *result = r;
    }
    return GUINT64_FROM_LE(image);
}

static inline void store_image(AddressSpace *as, hwaddr addr, unsigned size,
                               uint64_t image, MemTxAttrs attrs,
                               MemTxResult *result)
{
    MemTxResult r = MEMTX_OK;
    bool done = false;

    image = GUINT64_TO_LE(image);
    memory_rcu_enter();

    const FlatRange *range = flatview_lookup(address_space_view(as), addr);

    if (range && range_writes_memory(range) && range->last - addr >= size - 1) {
        copy_memory(range->host + (addr - range->first), &image, size);
        mark_written(range, addr, size);
        done = true;
    }
    memory_rcu_exit();
    if (!done) {
        r = address_space_rw_attrs(as, addr, attrs, &image, size, true);
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

/* ---- map and unmap ------------------------------------------------------------------- */

/* What one address_space_map() gave out: a piece of a RAM block, of which it
 * holds a reference, or a bounce buffer, its own data. */
typedef struct Mapping {
    struct Mapping *same; /* another one of the same host address */
    AddressSpace *as;
    hwaddr addr;
    hwaddr len;
    RAMBlock *block; /* NULL: a bounce buffer */
    uint64_t offset; /* in the block */
    uint8_t data[];
} Mapping;

typedef struct MapClient {
    void (*callback)(void *opaque);
    void *opaque;
} MapClient;

/* Everything here, and bounce_bytes of each address space. A leaf lock. */
static pthread_mutex_t map_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *mappings; /* of Mapping, by its host address */
static unsigned bounces_nr;  /* bounce buffers among them */
static GSList *map_clients;  /* of MapClient */

/* Under the lock. */
static void mapping_insert(Mapping *mapping, void *host)
{
    if (!mappings) {
        mappings = g_hash_table_new(NULL, NULL);
    }
    mapping->same = g_hash_table_lookup(mappings, host);
    g_hash_table_insert(mappings, host, mapping);
}

/* Take the mapping of @host that was made over @as, or else any, out of the
 * table; NULL if there is none. */
static Mapping *mapping_take(AddressSpace *as, void *host)
{
    Mapping *first, *mapping = NULL;

    pthread_mutex_lock(&map_lock);
    first = mappings ? g_hash_table_lookup(mappings, host) : NULL;
    if (first) {
        Mapping **link = &first;

        while ((*link)->as != as && (*link)->same) {
            link = &(*link)->same;
        }
        mapping = *link;
        *link = mapping->same;
        if (first) {
            g_hash_table_insert(mappings, host, first);
        } else {
            g_hash_table_remove(mappings, host);
        }
        if (!g_hash_table_size(mappings)) {
            g_clear_pointer(&mappings, g_hash_table_destroy);
        }
    }
    pthread_mutex_unlock(&map_lock);
    return mapping;
}

static void *map_bounce(AddressSpace *as, hwaddr addr, hwaddr *plen,
                        bool is_write)
{
    Mapping *bounce = NULL;
    hwaddr len;

    pthread_mutex_lock(&map_lock);
    len = MIN(*plen, ADDRESS_SPACE_BOUNCE_MAX - as->bounce_bytes);
    if (len) {
        bounce = g_malloc0(sizeof(*bounce) + len);
        bounce->as = as;
        bounce->addr = addr;
        bounce->len = len;
        as->bounce_bytes += len;
        bounces_nr++;
        mapping_insert(bounce, bounce->data);
    }
    pthread_mutex_unlock(&map_lock);

    *plen = len;
    if (!bounce) {
        return NULL;
    }
    if (!is_write) {
        address_space_rw_attrs(as, addr, MEMTXATTRS_UNSPECIFIED, bounce->data,
                               len, false);
    }
    return bounce->data;
}

/* The memory at @addr that @range shows, and what goes on from there in the
 * same block: its length up to @len. In a read side. */
static hwaddr contiguous_memory(const FlatRange *range, hwaddr addr, hwaddr len,
                                bool is_write)
{
    const uint8_t *host = range->host + (addr - range->first);
    hwaddr n = piece_length(addr, range->last, len);

    for (const FlatRange *next = range + 1;
         n < len && next->mr == range->mr && next->host == host + n &&
         next->first == addr + n && (!is_write || range_writes_memory(next));
         next++) {
        n += piece_length(next->first, next->last, len - n);
    }
    return n;
}

void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                        bool is_write)
{
    Mapping *mapping = NULL;
    uint8_t *host = NULL;

    if (!*plen) {
        return NULL;
    }
    memory_rcu_enter();

    const FlatView *view = address_space_view(as);
    const FlatRange *range = flatview_lookup(view, addr);
    hwaddr border = 0;

    if (range && (is_write ? range_writes_memory(range)
                           : range_reads_memory(range))) {
        mapping = g_new0(Mapping, 1);
        mapping->as = as;
        mapping->addr = addr;
        mapping->len = contiguous_memory(range, addr, *plen, is_write);
        mapping->block = range->mr->ram_block;
        mapping->offset = range->offset + (addr - range->first);
        ram_block_ref(mapping->block);
        host = range->host + (addr - range->first);
        *plen = mapping->len;
    } else {
        border = range ? range->last : gap_last(view, addr);
    }
    memory_rcu_exit();

    if (!mapping) {
        *plen = piece_length(addr, border, *plen);
        return map_bounce(as, addr, plen, is_write);
    }
    pthread_mutex_lock(&map_lock);
    mapping_insert(mapping, host);
    pthread_mutex_unlock(&map_lock);
    return host;
}

/* Tell the clients that a buffer is free; each once. */
static void wake_map_clients(void)
{
    GSList *clients;

    pthread_mutex_lock(&map_lock);
    clients = g_slist_reverse(map_clients);
    map_clients = NULL;
    pthread_mutex_unlock(&map_lock);

    while (clients) {
        MapClient *client = clients->data;

        clients = g_slist_delete_link(clients, clients);
        client->callback(client->opaque);
        g_free(client);
    }
}

static void unmap_bounce(Mapping *bounce, bool is_write, hwaddr access_len)
{
    if (is_write && access_len) {
        address_space_rw_attrs(bounce->as, bounce->addr,
                               MEMTXATTRS_UNSPECIFIED, bounce->data,
                               access_len, true);
    }
    pthread_mutex_lock(&map_lock);
    bounce->as->bounce_bytes -= bounce->len;
    bounces_nr--;
    pthread_mutex_unlock(&map_lock);
    wake_map_clients();
}

void address_space_unmap(AddressSpace *as, void *buffer, hwaddr len,
                         int is_write, hwaddr access_len)
{
    Mapping *mapping = mapping_take(as, buffer);

    if (!mapping) {
        memory_error("address space '%s': unmap of %p, which is not mapped",
                     as->name, buffer);
        return;
    }
    access_len = MIN(access_len, MIN(len, mapping->len));
    if (!mapping->block) {
        unmap_bounce(mapping, is_write, access_len);
    } else {
        unsigned clients = ram_block_dirty_clients(mapping->block);

        if (is_write && access_len && clients) {
            ram_block_mark_dirty(mapping->block, mapping->offset, access_len,
                                 clients);
        }
        ram_block_unref(mapping->block);
    }
    g_free(mapping);
}

void *cpu_register_map_client(void *opaque, void (*callback)(void *opaque))
{
    MapClient *client = g_new(MapClient, 1);
    bool free_now;

    client->callback = callback;
    client->opaque = opaque;
    pthread_mutex_lock(&map_lock);
    map_clients = g_slist_prepend(map_clients, client);
    free_now = !bounces_nr;
    pthread_mutex_unlock(&map_lock);
    if (free_now) {
        wake_map_clients();
    }
    return client;
}

void cpu_unregister_map_client(void *client)
{
    pthread_mutex_lock(&map_lock);
    if (g_slist_find(map_clients, client)) {
        map_clients = g_slist_remove(map_clients, client);
        g_free(client);
    }
    pthread_mutex_unlock(&map_lock);
}
