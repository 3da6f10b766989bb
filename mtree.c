/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map in words: the graph below each address space, the flat views, and
 * the trees that look-ups go down.
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

/* Deeper levels are printed, but no further to the right. */
#define INDENT_MAX 64

/* One line; an alias's target is noted. */
static void print_line(Printer *p, MemoryRegion *mr, uint128 base,
                       unsigned depth)
{
    char range[RANGE_MAX], window[RANGE_MAX];

    format_range(range, base, mr->size);
    p->print(p->f, "%*s%s (prio %d, %s): ", (int)MIN(depth, INDENT_MAX) * 2, "",
             range, mr->priority, kind_name(mr));
    if (mr->alias) {
        format_range(window, mr->alias_offset, mr->size);
        p->print(p->f, "alias %s @%s %s%s\n", mr->name, mr->alias->name,
                 window, region_notes(mr));
        g_ptr_array_add(p->targets, mr->alias);
    } else {
        p->print(p->f, "%s%s\n", mr->name, region_notes(mr));
    }
}

/* A region whose line was printed, and whose subregions are being printed. */
typedef struct Level {
    uint128 base;
    GPtrArray *subs;
    guint next;
} Level;

/* The tree below @mr. A loop, as guests may nest more than a stack holds. */
static void print_tree(Printer *p, MemoryRegion *mr)
{
    GArray *levels = g_array_new(FALSE, FALSE, sizeof(Level));
    uint128 base = 0;

    while (mr) {
        Level level = { .base = base };

        print_line(p, mr, base, levels->len + 1);
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
        print_tree(p, as->root);
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
            print_tree(p, mr);
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

static void print_ranges(Printer *p, const FlatNode *root)
{
    const FlatRange *range = flat_node_find(root, 0);

    if (!range) {
        p->print(p->f, "  nothing\n");
    }
    for (; range; range = flat_node_next(root, range)) {
        print_flat_range(p, range);
    }
}

static void print_views(Printer *p, unsigned flags)
{
    for (guint i = 0; i < p->spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(p->spaces, i);

        print_names(p, "flat-view", as, i + 1);
        if (flags & MTREE_FLAT) {
            print_ranges(p, address_space_root(as));
        }
        if (flags & MTREE_DISPATCH) {
            flatview_print_dispatch(as->view, p->print, p->f);
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
