/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map in words: what mtree_info() prints.
 */
#include "memory-internal.h"
#include "mtree.h"

typedef struct Printer {
    fprintf_function print;
    void *f;
    unsigned flags;
    bool tree_named; /* the tree's first line was printed */
    const FlatView *view; /* the present one */
} Printer;

/* @text has room for RANGE_MAX characters. */
#define RANGE_MAX 48
static void format_range(char *text, const MtreeRange *range)
{
    switch (range->extent) {
    case MTREE_BYTES:
        g_snprintf(text, RANGE_MAX, "%016" PRIx64 "-%016" PRIx64, range->first,
                   range->last);
        break;
    case MTREE_EMPTY:
        g_snprintf(text, RANGE_MAX, "%016" PRIx64 "-%-16s", range->first,
                   "empty");
        break;
    case MTREE_BEYOND:
        g_snprintf(text, RANGE_MAX, "%-33s", "past the last address");
        break;
    }
}

static void print_names(const Printer *p, const char *what,
                        const GPtrArray *names)
{
    p->print(p->f, "%s: ", what);
    for (guint i = 0; i < names->len; i++) {
        p->print(p->f, "%s%s", i ? ", " : "",
                 (const char *)g_ptr_array_index(names, i));
    }
    p->print(p->f, "\n");
}

static void print_owner(const Printer *p, const char *owner)
{
    if (owner) {
        p->print(p->f, " owner:{%s}", owner);
    }
}

static void text_tree(const GPtrArray *spaces, void *opaque)
{
    Printer *p = opaque;

    p->tree_named = spaces->len > 0;
    if (p->tree_named) {
        print_names(p, "address-space", spaces);
    }
}

/* Deeper levels are printed, but no further to the right. */
#define INDENT_MAX 64

static void text_region(const MtreeRegion *region, void *opaque)
{
    Printer *p = opaque;
    char range[RANGE_MAX], window[RANGE_MAX];
    /* Of others the kind says it. */
    bool readonly = region->readonly && (region->kind == MTREE_KIND_CONTAINER ||
                                         region->kind == MTREE_KIND_ALIAS);

    if (!p->tree_named) {
        p->print(p->f, "memory-region: %s\n", region->name);
        p->tree_named = true;
    }
    format_range(range, &region->range);
    p->print(p->f, "%*s%s (prio %d, %s): ",
             (int)MIN(region->depth + 1, INDENT_MAX) * 2, "", range,
             region->priority, mtree_kind_name(region->kind));
    if (region->target == MTREE_NONE) {
        p->print(p->f, "%s", region->name);
    } else {
        format_range(window, &region->window);
        p->print(p->f, "alias %s @%s %s", region->name, region->target_name,
                 window);
    }
    p->print(p->f, "%s%s", readonly ? " [read-only]" : "",
             region->enabled ? "" : " [disabled]");
    print_owner(p, region->owner);
    p->print(p->f, "\n");
}

static void text_tree_end(void *opaque)
{
    Printer *p = opaque;

    p->print(p->f, "\n");
}

static void text_view(const MtreeView *view, void *opaque)
{
    Printer *p = opaque;

    p->view = view->view;
    print_names(p, "flat-view", view->spaces);
    if (p->flags & MTREE_FLAT && !view->ranges) {
        p->print(p->f, "  nothing\n");
    }
}

static void text_range(const MtreeFlatRange *range, void *opaque)
{
    Printer *p = opaque;

    p->print(p->f, "  %016" PRIx64 "-%016" PRIx64 " (%s): %s @%016" PRIx64,
             range->first, range->last, mtree_kind_name(range->kind),
             range->name, range->offset);
    print_owner(p, range->owner);
    p->print(p->f, "\n");
}

static void text_view_end(void *opaque)
{
    Printer *p = opaque;

    if (p->flags & MTREE_DISPATCH) {
        flatview_print_dispatch(p->view, p->print, p->f);
    }
    p->print(p->f, "\n");
}

void mtree_info_flags(fprintf_function mon_printf, void *f, unsigned flags)
{
    static const MtreeVisitor visitor = {
        .tree = text_tree,
        .region = text_region,
        .tree_end = text_tree_end,
        .view = text_view,
        .range = text_range,
        .view_end = text_view_end,
    };
    Printer p = { .print = mon_printf, .f = f, .flags = flags };

    mtree_walk(flags, &visitor, &p);
}

void mtree_info(fprintf_function mon_printf, void *f)
{
    mtree_info_flags(mon_printf, f, MTREE_TREE);
}
