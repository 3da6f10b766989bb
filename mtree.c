/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over the map: which trees there are, and what is in them and in the
 * views. mtree-text.c has the words.
 */
#include "mtree.h"

#include "memory-internal.h"

typedef unsigned __int128 uint128;

#define ADDRESS_MAX (((uint128)1 << 64) - 1)

typedef struct Walk {
    const MtreeVisitor *visitor;
    void *opaque;
    unsigned flags;
    GPtrArray *spaces;   /* AddressSpace, those not yet walked */
    GHashTable *walked;  /* the tops of the trees that were */
    GPtrArray *targets;  /* of the aliases met on the way */
    GHashTable *ids;     /* of regions */
} Walk;

const char *mtree_kind_name(MtreeKind kind)
{
    static const char *const names[] = {
        [MTREE_KIND_CONTAINER] = "container",
        [MTREE_KIND_IO] = "i/o",
        [MTREE_KIND_RAM] = "ram",
        [MTREE_KIND_ROM] = "rom",
        [MTREE_KIND_ROMD] = "romd",
        [MTREE_KIND_ALIAS] = "alias",
        [MTREE_KIND_RESERVATION] = "reservation",
    };

    return names[kind];
}

void memory_region_set_owner(MemoryRegion *mr, char *(*describe)(void *owner),
                             void *owner)
{
    memory_lock();
    mr->describe_owner = describe;
    mr->owner = owner;
    memory_unlock();
}

static MtreeKind region_kind(const MemoryRegion *mr)
{
    switch (mr->kind) {
    case MEMORY_REGION_IO:
        return MTREE_KIND_IO;
    case MEMORY_REGION_RAM:
        return mr->readonly ? MTREE_KIND_ROM : MTREE_KIND_RAM;
    case MEMORY_REGION_ROM_DEVICE:
        return MTREE_KIND_ROMD;
    case MEMORY_REGION_ALIAS:
        return MTREE_KIND_ALIAS;
    case MEMORY_REGION_RESERVATION:
        return MTREE_KIND_RESERVATION;
    default:
        return MTREE_KIND_CONTAINER;
    }
}

static MtreeRange range_of(uint128 first, uint128 size)
{
    uint128 last = first + size - 1;

    if (first > ADDRESS_MAX) {
        return (MtreeRange){ .extent = MTREE_BEYOND };
    }
    if (!size) {
        return (MtreeRange){ .extent = MTREE_EMPTY, .first = first };
    }
    return (MtreeRange){
        .extent = MTREE_BYTES,
        .first = first,
        .last = MIN(last, ADDRESS_MAX),
    };
}

static unsigned region_id(Walk *w, const MemoryRegion *mr)
{
    gpointer id = g_hash_table_lookup(w->ids, mr);

    if (!id) { /* stored with 1 added: NULL is none */
        id = GUINT_TO_POINTER(g_hash_table_size(w->ids) + 1);
        g_hash_table_insert(w->ids, (gpointer)mr, id);
    }
    return GPOINTER_TO_UINT(id) - 1;
}

static char *region_owner(const Walk *w, const MemoryRegion *mr)
{
    return w->flags & MTREE_OWNER && mr->describe_owner
           ? mr->describe_owner(mr->owner) : NULL;
}

static void visit_region(Walk *w, MemoryRegion *mr, uint128 base,
                         unsigned depth)
{
    g_autofree char *owner = region_owner(w, mr);
    MtreeRegion region = {
        .mr = mr,
        .id = region_id(w, mr),
        .parent = depth ? region_id(w, mr->parent) : MTREE_NONE,
        .depth = depth,
        .name = mr->name,
        .owner = owner,
        .kind = region_kind(mr),
        .enabled = mr->enabled,
        .readonly = mr->readonly,
        .priority = mr->priority,
        .order = mr->link.order,
        .addr = mr->addr,
        .size = mr->size,
        .range = range_of(base, mr->size),
        .target = MTREE_NONE,
    };

    if (mr->alias) {
        region.target = region_id(w, mr->alias);
        region.target_name = mr->alias->name;
        region.offset = mr->alias_offset;
        region.window = range_of(mr->alias_offset, mr->size);
        g_ptr_array_add(w->targets, mr->alias);
    }
    if (w->visitor->region) {
        w->visitor->region(&region, w->opaque);
    }
}

/* A region that was visited, and whose subregions are being visited. */
typedef struct Level {
    uint128 base;
    GPtrArray *subs;
    guint next;
} Level;

/* The tree below @mr. A loop, as guests may nest more than a stack holds. */
static void walk_tree(Walk *w, MemoryRegion *mr)
{
    GArray *levels = g_array_new(FALSE, FALSE, sizeof(Level));
    uint128 base = 0;

    while (mr) {
        Level level = { .base = base };

        visit_region(w, mr, base, levels->len);
        level.subs = region_subregions(mr);
        g_array_append_val(levels, level);
        for (mr = NULL; levels->len && !mr;) {
            Level *l = &g_array_index(levels, Level, levels->len - 1);

            if (l->next < l->subs->len) {
                mr = g_ptr_array_index(l->subs, l->next++);
                base = l->base + mr->addr;
            } else {
                g_ptr_array_unref(l->subs);
                g_array_set_size(levels, levels->len - 1);
            }
        }
    }
    g_array_unref(levels);
}

static void walk_whole_tree(Walk *w, MemoryRegion *top, const GPtrArray *names)
{
    if (w->visitor->tree) {
        w->visitor->tree(names, w->opaque);
    }
    walk_tree(w, top);
    if (w->visitor->tree_end) {
        w->visitor->tree_end(w->opaque);
    }
}

/* The names of the space at index @i and of those behind it that have the same
 * root, and so the same tree and an equal view; these are done then. */
static GPtrArray *take_names(Walk *w, guint i)
{
    const AddressSpace *first = g_ptr_array_index(w->spaces, i);
    GPtrArray *names = g_ptr_array_new();

    g_ptr_array_add(names, first->name);
    for (i++; i < w->spaces->len;) {
        const AddressSpace *as = g_ptr_array_index(w->spaces, i);

        if (as->root == first->root) {
            g_ptr_array_add(names, as->name);
            g_ptr_array_remove_index(w->spaces, i);
        } else {
            i++;
        }
    }
    return names;
}

static void collect_space(AddressSpace *as, void *opaque)
{
    g_ptr_array_add(opaque, as);
}

static void collect_spaces(Walk *w)
{
    g_ptr_array_set_size(w->spaces, 0);
    memory_for_each_address_space(collect_space, w->spaces);
}

static void walk_trees(Walk *w)
{
    g_autoptr(GPtrArray) nobody = g_ptr_array_new();

    collect_spaces(w);
    for (guint i = 0; i < w->spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(w->spaces, i);
        g_autoptr(GPtrArray) names = take_names(w, i);

        g_hash_table_add(w->walked, as->root);
        walk_whole_tree(w, as->root, names);
    }
    /* The list grows as the trees walked here have aliases, too. */
    for (guint i = 0; i < w->targets->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(w->targets, i);

        while (mr->parent && !g_hash_table_contains(w->walked, mr)) {
            mr = mr->parent;
        }
        if (g_hash_table_add(w->walked, mr)) {
            walk_whole_tree(w, mr, nobody);
        }
    }
}

static void visit_range(Walk *w, const FlatRange *flat)
{
    g_autofree char *owner = region_owner(w, flat->mr);
    MtreeFlatRange range = {
        .first = flat->first,
        .last = flat->last,
        .offset = flat->offset,
        .region = region_id(w, flat->mr),
        .name = flat->mr->name,
        .owner = owner,
        .kind = region_kind(flat->mr),
    };

    if (flat->mr->kind == MEMORY_REGION_RAM) {
        range.kind = flat->readonly ? MTREE_KIND_ROM : MTREE_KIND_RAM;
    } else if (flat->mr->kind == MEMORY_REGION_ROM_DEVICE) {
        range.kind = flat->romd ? MTREE_KIND_ROMD : MTREE_KIND_IO;
    }
    w->visitor->range(&range, w->opaque);
}

static void walk_view(Walk *w, const AddressSpace *as, const GPtrArray *names)
{
    const FlatNode *root = address_space_root(as);
    FlatTreeSum sum = flatview_tree_sum(as->view);
    MtreeView view = {
        .view = as->view,
        .root = region_id(w, as->root),
        .spaces = names,
        .ranges = sum.ranges,
        .nodes = sum.nodes,
        .bytes = sum.bytes,
        .height = root->height,
    };

    if (w->visitor->view) {
        w->visitor->view(&view, w->opaque);
    }
    if (w->flags & MTREE_FLAT && w->visitor->range) {
        for (const FlatRange *range = flat_node_find(root, 0); range;
             range = flat_node_next(root, range)) {
            visit_range(w, range);
        }
    }
    if (w->visitor->view_end) {
        w->visitor->view_end(w->opaque);
    }
}

static void walk_views(Walk *w)
{
    collect_spaces(w);
    for (guint i = 0; i < w->spaces->len; i++) {
        const AddressSpace *as = g_ptr_array_index(w->spaces, i);
        g_autoptr(GPtrArray) names = take_names(w, i);

        walk_view(w, as, names);
    }
}

void mtree_walk(unsigned flags, const MtreeVisitor *visitor, void *opaque)
{
    Walk w = {
        .visitor = visitor,
        .opaque = opaque,
        .flags = flags,
        .spaces = g_ptr_array_new(),
        .walked = g_hash_table_new(NULL, NULL),
        .targets = g_ptr_array_new(),
        .ids = g_hash_table_new(NULL, NULL),
    };

    memory_lock();
    if (flags & MTREE_TREE) {
        walk_trees(&w);
    }
    if (flags & (MTREE_FLAT | MTREE_DISPATCH)) {
        walk_views(&w);
    }
    memory_unlock();
    g_ptr_array_unref(w.spaces);
    g_hash_table_destroy(w.walked);
    g_ptr_array_unref(w.targets);
    g_hash_table_destroy(w.ids);
}
