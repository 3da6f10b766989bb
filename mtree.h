/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map, walked piece by piece: the region graph below each address space and
 * the flat views, for whoever shows them. mtree_info() in memory.h puts the same
 * into words.
 *
 * Subregions make trees, aliases point from tree to tree. Each tree is walked
 * once and an alias only names its target, so a walk is never longer than the
 * graph, and the views, are large.
 */
#ifndef MTREE_H
#define MTREE_H

#include "memory.h"

/* As a region was made, but for RAM that is read-only, which is ROM. */
typedef enum MtreeKind {
    MTREE_KIND_CONTAINER,
    MTREE_KIND_IO,
    MTREE_KIND_RAM,
    MTREE_KIND_ROM,
    MTREE_KIND_ROMD,
    MTREE_KIND_ALIAS,
    MTREE_KIND_RESERVATION,
} MtreeKind;

typedef enum MtreeExtent {
    MTREE_BYTES,  /* from first to last */
    MTREE_EMPTY,  /* a place without a size: first alone counts */
    MTREE_BEYOND, /* past the last address there is */
} MtreeExtent;

typedef struct MtreeRange {
    MtreeExtent extent;
    hwaddr first;
    hwaddr last;
} MtreeRange;

#define MTREE_NONE UINT_MAX /* no region */

/* A region; what it points to is valid during the call. */
typedef struct MtreeRegion {
    const MemoryRegion *mr; /* which one it is */
    unsigned id;     /* of the region in this walk, from 0 */
    unsigned parent; /* its id; MTREE_NONE at the top of a tree */
    unsigned depth;  /* 0 there */
    const char *name;
    const char *owner; /* see memory_region_set_owner(); NULL: not known */
    MtreeKind kind;
    bool enabled;
    bool readonly;
    int priority;
    uint64_t order; /* among siblings of one priority the higher is on top */
    hwaddr addr;             /* in its parent */
    unsigned __int128 size;  /* in bytes, up to 2^64 */
    MtreeRange range;        /* where it is, counted from the top of the tree */
    unsigned target;         /* of an alias; MTREE_NONE: it is none */
    const char *target_name;
    hwaddr offset;           /* in the target, from where on it shows that */
    MtreeRange window;       /* the same with its end */
} MtreeRegion;

/* A view, which all address spaces of one root have; names as above. */
typedef struct MtreeView {
    const FlatView *view;
    unsigned root; /* id */
    const GPtrArray *spaces; /* names, const char * */
    /* Of the tree that look-ups go down: */
    size_t ranges;
    size_t nodes;
    size_t bytes;
    unsigned height; /* 0: one node */
} MtreeView;

/* Addresses @first to @last show @region from @offset on. */
typedef struct MtreeFlatRange {
    hwaddr first;
    hwaddr last;
    hwaddr offset;
    unsigned region; /* id */
    const char *name;
    const char *owner;
    MtreeKind kind; /* as seen here: ROM through a read-only alias; IO for a ROM
                     * device that is not read directly */
} MtreeFlatRange;

/* What is met on the way, in this order; NULL: does not care. */
typedef struct MtreeVisitor {
    /* A tree begins: that of address spaces with the names @spaces, or one that
     * only aliases lead to, where there are none. */
    void (*tree)(const GPtrArray *spaces, void *opaque);
    /* Parents before children; these by address, among equals the topmost
     * first. The first of a tree is its top. */
    void (*region)(const MtreeRegion *region, void *opaque);
    void (*tree_end)(void *opaque);
    void (*view)(const MtreeView *view, void *opaque);
    void (*range)(const MtreeFlatRange *range, void *opaque);
    void (*view_end)(void *opaque);
} MtreeVisitor;

/* Walk what @flags, MTREE_ of memory.h, ask for: the trees with MTREE_TREE, then
 * the views with MTREE_FLAT or MTREE_DISPATCH, their ranges with the first; owners
 * with MTREE_OWNER. Under the memory lock from end to end: it is one state of the
 * map. @visitor must not change it. */
void mtree_walk(unsigned flags, const MtreeVisitor *visitor, void *opaque);

/* "i/o", "ram" and so on; static. */
const char *mtree_kind_name(MtreeKind kind);

#endif
