/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory as the host's, for devices that move much at a time: map and
 * unmap. What is no memory gets a bounce buffer, read when it is mapped and
 * written when it is given back.
 */
#include <pthread.h>

#include "access.h"
#include "rcu.h"

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
static hwaddr contiguous_memory(const FlatNode *root, const FlatRange *range,
                                hwaddr addr, hwaddr len, bool is_write)
{
    const uint8_t *host = range->host + (addr - range->first);
    hwaddr n = piece_length(addr, range->last, len);

    while (n < len) {
        const FlatRange *next = flat_node_next(root, range);

        if (!next || next->mr != range->mr || next->host != host + n ||
            next->first != addr + n ||
            (is_write && !range_writes_memory(next))) {
            break;
        }
        n += piece_length(next->first, next->last, len - n);
        range = next;
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

    const FlatNode *root = address_space_root(as);
    const FlatRange *range = flat_node_lookup(root, addr);
    hwaddr border = 0;

    if (range && (is_write ? range_writes_memory(range)
                           : range_reads_memory(range))) {
        mapping = g_new0(Mapping, 1);
        mapping->as = as;
        mapping->addr = addr;
        mapping->len = contiguous_memory(root, range, addr, *plen, is_write);
        mapping->block = range->mr->ram_block;
        mapping->offset = range->offset + (addr - range->first);
        ram_block_ref(mapping->block);
        host = range->host + (addr - range->first);
        *plen = mapping->len;
    } else {
        border = range ? range->last : gap_last(root, addr);
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

/* In a read side: who starts to record waits for those that asked before what
 * to mark, and then sees what they wrote. */
static void mark_mapping(const Mapping *mapping, hwaddr len)
{
    unsigned clients;

    memory_rcu_enter();
    clients = ram_block_dirty_clients(mapping->block);
    if (clients) {
        ram_block_mark_dirty(mapping->block, mapping->offset, len, clients);
    }
    memory_rcu_exit();
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
        if (is_write && access_len) {
            mark_mapping(mapping, access_len);
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
