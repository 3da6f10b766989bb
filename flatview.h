/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an address space shows: flat ranges, and the views that hold them. Part
 * of memory-internal.h: for the files of the memory core.
 */
#ifndef FLATVIEW_H
#define FLATVIEW_H

#include "memory.h"

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

/* Append @range; a neighbour that continues the last one is merged with it. */
void flat_ranges_append(FlatRanges *list, const FlatRange *range);

/* From @start the list holds a part up to @mid and a part behind it, each
 * ordered and disjoint: replace both by one that shows the second part where
 * it has something and the first elsewhere. */
void flat_ranges_overlay(FlatRanges *list, unsigned start, unsigned mid);

/* Whether two ranges differ in nothing but the dirty mask. */
bool flat_range_equal(const FlatRange *a, const FlatRange *b);

/* @range without what is before @first, or behind @last, which lie in it. */
FlatRange flat_range_part(const FlatRange *range, hwaddr first, hwaddr last);

/*
 * A version of a view is a B+ tree. Its nodes never change once it is
 * published; the next version shares all but those on the way to what differs.
 * So a change costs O(log n), and so does a look-up, which follows one path.
 */
#define FLAT_FANOUT 15 /* entries of a node */

typedef struct FlatNode FlatNode;

struct FlatNode {
    union { /* no reader looks at either */
        uint64_t version;   /* that made it: may change until it is published */
        FlatNode *replaced; /* once it was: the next of those to be retired */
    };
    uint16_t nr;      /* entries in use: from half of all, but for the root */
    uint16_t height;  /* 0: a FlatLeaf, else a FlatInner */
    /* The last address of each entry. Those not in use, and one more, are
     * HWADDR_MAX, so that a search needs no other end. */
    hwaddr last[FLAT_FANOUT + 1];
};

typedef struct FlatInner {
    FlatNode node;
    FlatNode *child[FLAT_FANOUT];
} FlatInner;

typedef struct FlatLeaf {
    FlatNode node;
    FlatRange range[FLAT_FANOUT];
} FlatLeaf;

/* What a region shows, for one or more address spaces. */
struct FlatView {
    FlatNode *root; /* the present version; readers load it in a read side */

    /* Under the memory lock: */
    FlatNode *next;   /* the coming version; equals @root if nothing changed */
    uint64_t version; /* of @next */
    FlatNode *replaced; /* nodes of @root that @next does without */
    size_t nr;        /* ranges in @next */
    unsigned refs;    /* address spaces that show it */
    unsigned leaving; /* those that this commit gives another one */
    MemoryRegion *region;
    /* Of memory-map.c: */
    GPtrArray *followed; /* AddressSpace: those with listeners, oldest first */
    GArray *damage;      /* Interval: what may have changed */
    unsigned damage_limit; /* of its length, before it is put in order */
    bool too_much;       /* it shows nothing, as it cannot be drawn */
};

/* An empty view, with no reference. */
FlatView *flatview_new(MemoryRegion *region);

/* Free @view and its nodes after the readers that may hold them have left. Its
 * ranges are shown no longer. */
void flatview_retire(FlatView *view);

/* Add a range to the coming version, which shows nothing there; take out the
 * one that starts at @first; set the dirty mask of one that starts there. */
void flatview_insert(FlatView *view, const FlatRange *range);
void flatview_remove(FlatView *view, hwaddr first);
void flatview_set_log_mask(FlatView *view, hwaddr first, uint8_t mask);

/* Make the coming version the present one; the nodes that it replaces are
 * retired. */
void flatview_publish(FlatView *view);

/* Views that were not retired; and the bytes of them, of their nodes, and of
 * all that waits in rcu.c. Under the memory lock. */
unsigned flatview_live_count(void);
size_t flatview_live_bytes(void);

/* What the tree of the present version is made of. Under the memory lock. */
typedef struct FlatTreeSum {
    size_t ranges, nodes, bytes;
} FlatTreeSum;

FlatTreeSum flatview_tree_sum(const FlatView *view);

/* Print it. Under the memory lock. */
void flatview_print_dispatch(const FlatView *view, fprintf_function print,
                             void *f);

/* The entry that @addr belongs to: the first that ends there or behind it. The
 * choice of a half is a branch, hence two loops: what the processor foresees it
 * need not wait for. */
static inline unsigned flat_node_search(const FlatNode *node, hwaddr addr)
{
    unsigned i;

    if (node->last[FLAT_FANOUT / 2] < addr) {
        for (i = FLAT_FANOUT / 2 + 1; node->last[i] < addr;) {
            i++;
        }
    } else {
        for (i = 0; node->last[i] < addr;) {
            i++;
        }
    }
    return i;
}

/* The first range of the version @node that ends at @addr or behind it; NULL
 * if none. It stays while the read side, or the memory lock without a commit,
 * is held. */
static inline const FlatRange *flat_node_find(const FlatNode *node, hwaddr addr)
{
    unsigned i = flat_node_search(node, addr);

    if (__builtin_expect(i >= node->nr, 0)) {
        return NULL;
    }
    while (node->height) {
        node = ((const FlatInner *)node)->child[i];
        i = flat_node_search(node, addr);
    }
    return &((const FlatLeaf *)node)->range[i];
}

/* The range that answers @addr, or NULL. */
static inline const FlatRange *flat_node_lookup(const FlatNode *node,
                                                hwaddr addr)
{
    const FlatRange *range = flat_node_find(node, addr);

    return range && range->first <= addr ? range : NULL;
}

/* The present version, in a read side or under the memory lock. */
static inline const FlatNode *flatview_root(const FlatView *view)
{
    return __atomic_load_n(&view->root, __ATOMIC_ACQUIRE);
}

static inline const FlatNode *address_space_root(const AddressSpace *as)
{
    return flatview_root(__atomic_load_n(&as->view, __ATOMIC_ACQUIRE));
}

/* The range behind @range, or NULL. */
static inline const FlatRange *flat_node_next(const FlatNode *node,
                                              const FlatRange *range)
{
    return range->last == HWADDR_MAX ? NULL
                                     : flat_node_find(node, range->last + 1);
}

#endif
