/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map in words: the graph below each address space, the flat views, and
 * the page descriptors over them.
 *
 * Subregions make trees, aliases point from tree to tree. Each tree is printed
 * once and an alias only names its target, so the output is never larger than
 * the graph.
 */
#include "memory-internal.h"

typedef unsigned __int128 uint128;

#define ADDRESS_MAX (((uint128)1 << 64) - 1)

typedef struct Printer {
    fprintf_function print;
    void *f;
    GPtrArray *spaces;   /* AddressSpace, those not yet printed */
    GHashTable *printed; /* the tops of the trees that were */
    GPtrArray *targets;  /* of the aliases met on the way */
} Printer;

/* "first-last" of @size bytes; @text has room for RANGE_MAX characters. */
#define RANGE_MAX 48
static void format_range(char *text, uint128 first, uint128 size)
{
    uint128 last = first + size - 1;

    if (first > ADDRESS_MAX) {
        g_snprintf(text, RANGE_MAX, "%-33s", "past the last address");
    } else if (!size) {
        g_snprintf(text, RANGE_MAX, "%016" PRIx64 "-%-16s", (uint64_t)first,
                   "empty");
    } else {
        g_snprintf(text, RANGE_MAX, "%016" PRIx64 "-%016" PRIx64,
                   (uint64_t)first, (uint64_t)MIN(last, ADDRESS_MAX));
    }
}

static const char *kind_name(const MemoryRegion *mr)
{
    switch (mr->kind) {
    case MEMORY_REGION_IO:
        return "i/o";
    case MEMORY_REGION_RAM:
        return mr->readonly ? "rom" : "ram";
    case MEMORY_REGION_ROM_DEVICE:
        return "romd";
    case MEMORY_REGION_ALIAS:
        return "alias";
    case MEMORY_REGION_RESERVATION:
        return "reservation";
    default:
        return "container";
    }
}

/* What only some regions have. */
static const char *region_notes(const MemoryRegion *mr)
{
    bool readonly = mr->readonly && (mr->kind == MEMORY_REGION_CONTAINER ||
                                     mr->kind == MEMORY_REGION_ALIAS);

    return mr->enabled ? readonly ? " [read-only]" : ""
                       : readonly ? " [read-only] [disabled]" : " [disabled]";
}

/* By address; among equals the one on top first. */
static gint region_compare(gconstpointer a, gconstpointer b)
{
    const MemoryRegion *x = *(MemoryRegion *const *)a;
    const MemoryRegion *y = *(MemoryRegion *const *)b;

    return (x->addr > y->addr) - (x->addr < y->addr);
}

static void print_region(Printer *p, MemoryRegion *mr, uint128 base,
                         int depth)
{
    char range[RANGE_MAX], window[RANGE_MAX];

    format_range(range, base, mr->size);
    p->print(p->f, "%*s%s (prio %d, %s): ", depth * 2, "", range, mr->priority,
             kind_name(mr));
    if (mr->alias) {
        format_range(window, mr->alias_offset, mr->size);
        p->print(p->f, "alias %s @%s %s%s\n", mr->name, mr->alias->name,
                 window, region_notes(mr));
        g_ptr_array_add(p->targets, mr->alias);
    } else {
        p->print(p->f, "%s%s\n", mr->name, region_notes(mr));
    }
    if (!mr->subregions) {
        return;
    }

    GPtrArray *sorted = g_ptr_array_sized_new(mr->subregions->len);

    for (guint i = mr->subregions->len; i; i--) { /* kept bottommost first */
        g_ptr_array_add(sorted, g_ptr_array_index(mr->subregions, i - 1));
    }
    g_ptr_array_sort(sorted, region_compare); /* stable */
    for (guint i = 0; i < sorted->len; i++) {
        MemoryRegion *sub = g_ptr_array_index(sorted, i);

        print_region(p, sub, base + sub->addr, depth + 1);
    }
    g_ptr_array_unref(sorted);
}

/* The names of @first and of the spaces from index @behind that have the same
 * root, and so the same tree and an equal view; these are done then. */
static void print_names(Printer *p, const char *what,
                        const AddressSpace *first, guint behind)
{
    p->print(p->f, "%s: %s", what, first->name);
    for (guint i = behind; i < p->spaces->len;) {
        const AddressSpace *as = g_ptr_array_index(p->spaces, i);

        if (as->root == first->root) {
            p->print(p->f, ", %s", as->name);
            g_ptr_array_remove_index(p->spaces, i);
        } else {
            i++;
        }
    }
    p->print(p->f, "\n");
}

static void collect_space(AddressSpace *as, void *opaque)
{
    g_ptr_array_add(opaque, as);
}

static void print_trees(Printer *p)
{
    for (guint i = 0; i < p->spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(p->spaces, i);

        print_names(p, "address-space", as, i + 1);
        g_hash_table_add(p->printed, as->root);
        print_region(p, as->root, 0, 1);
        p->print(p->f, "\n");
    }
    /* The list grows as the trees printed here have aliases, too. */
    for (guint i = 0; i < p->targets->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(p->targets, i);

        while (mr->parent && !g_hash_table_contains(p->printed, mr)) {
            mr = mr->parent;
        }
        if (g_hash_table_add(p->printed, mr)) {
            p->print(p->f, "memory-region: %s\n", mr->name);
            print_region(p, mr, 0, 1);
            p->print(p->f, "\n");
        }
    }
}

static void print_flat_range(Printer *p, const FlatRange *range)
{
    const char *kind = kind_name(range->mr);

    if (range->mr->kind == MEMORY_REGION_RAM) {
        kind = range->readonly ? "rom" : "ram";
    } else if (range->mr->kind == MEMORY_REGION_ROM_DEVICE) {
        kind = range->romd ? "romd" : "i/o";
    }
    p->print(p->f, "  %016" PRIx64 "-%016" PRIx64 " (%s): %s @%016" PRIx64 "\n",
             range->first, range->last, kind, range->mr->name, range->offset);
}

static void print_views(Printer *p, unsigned flags)
{
    for (guint i = 0; i < p->spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(p->spaces, i);
        const FlatView *view = address_space_view(as);

        print_names(p, "flat-view", as, i + 1);
        for (unsigned r = 0; flags & MTREE_FLAT && r < view->nr; r++) {
            print_flat_range(p, &view->ranges[r]);
        }
        if (flags & MTREE_FLAT && !view->nr) {
            p->print(p->f, "  nothing\n");
        }
        if (flags & MTREE_DISPATCH) {
            flatview_print_dispatch(view, p->print, p->f);
        }
        p->print(p->f, "\n");
    }
}

void mtree_info_flags(fprintf_function mon_printf, void *f, unsigned flags)
{
    Printer p = {
        .print = mon_printf,
        .f = f,
        .spaces = g_ptr_array_new(),
        .printed = g_hash_table_new(NULL, NULL),
        .targets = g_ptr_array_new(),
    };

    memory_lock();
    if (flags & MTREE_TREE) {
        memory_for_each_address_space(collect_space, p.spaces);
        print_trees(&p);
        g_ptr_array_set_size(p.spaces, 0);
    }
    if (flags & (MTREE_FLAT | MTREE_DISPATCH)) {
        memory_for_each_address_space(collect_space, p.spaces);
        print_views(&p, flags);
    }
    memory_unlock();
    g_ptr_array_unref(p.spaces);
    g_hash_table_destroy(p.printed);
    g_ptr_array_unref(p.targets);
}

void mtree_info(fprintf_function mon_printf, void *f)
{
    mtree_info_flags(mon_printf, f, MTREE_TREE);
}
