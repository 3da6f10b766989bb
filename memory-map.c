/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views that follow the graph. A change of a region is followed upwards,
 * through parents and through aliases, to the parts of views that may show it:
 * their damage. A commit draws only the damage again, compares it with what is
 * there, and patches the difference into the next version of the view.
 *
 * Each region that address spaces look at has one view, however many they are.
 * A space whose root shows nothing but a whole alias of another region looks at
 * that region's view instead (a bus master that sees all of system memory), so
 * what changes there is drawn once. The alias is then bypassed, as is one that
 * is disabled: changes need not be followed through it.
 */
#include <stdlib.h>
#include <string.h>

#include "memory-internal.h"

/* Steps up the graph before every view above is taken for damaged as a
 * whole. */
#define CLIMB_MAX 65536

/* Lists that one commit made longer than this are not kept for the next. */
#define KEEP_MAX 10000

/* Damage is put in order when it has this many intervals, or has doubled. */
#define DAMAGE_MIN 1024

/* What a space shows before its first commit. */
static FlatLeaf nothing_leaf = {
    .node.last = { [0 ... FLAT_FANOUT] = HWADDR_MAX },
};
static FlatView nothing = { .root = &nothing_leaf.node };

static struct {
    GPtrArray *views;     /* FlatView, all */
    GPtrArray *damaged;   /* FlatView */
    GPtrArray *resolving; /* MemoryRegion with resolve_pending */
    unsigned fresh;       /* address spaces that still show nothing */
    GPtrArray *bells;     /* MemoryRegion with doorbells_pending */
    GArray *climb;        /* Climb: regions still to visit */
    unsigned spaces_nr;

    /* Of the present commit: */
    GPtrArray *changes; /* ViewChanges; the first changes_nr are in use */
    unsigned changes_nr;
    GArray *switches; /* Switch */
    GArray *told;     /* SpaceChanges */
    FlatRanges *old, *new;
} map;

/* ---- damage -------------------------------------------------------------- */

static int compare_intervals(const void *va, const void *vb)
{
    const Interval *a = va, *b = vb;

    return (a->first > b->first) - (a->first < b->first);
}

/* Put intervals in order; those that overlap or touch become one. */
static void intervals_normalise(GArray *list)
{
    Interval *at = (Interval *)list->data;
    unsigned nr = 0;

    if (list->len < 2) {
        return;
    }
    qsort(at, list->len, sizeof(*at), compare_intervals);
    for (unsigned i = 1; i < list->len; i++) {
        if (at[nr].last == HWADDR_MAX) {
            break;
        }
        if (at[i].first <= at[nr].last + 1) {
            at[nr].last = MAX(at[nr].last, at[i].last);
        } else {
            at[++nr] = at[i];
        }
    }
    g_array_set_size(list, nr + 1);
}

static void view_damage(FlatView *view, hwaddr first, hwaddr last)
{
    Interval interval = { first, last };

    if (!view->damage->len) {
        g_ptr_array_add(map.damaged, view);
        view->damage_limit = DAMAGE_MIN;
    } else {
        Interval *end = &g_array_index(view->damage, Interval,
                                       view->damage->len - 1);

        if (first >= end->first && last <= end->last) {
            return; /* as after the change what was before it */
        }
    }
    g_array_append_val(view->damage, interval);
    if (view->damage->len >= view->damage_limit) {
        intervals_normalise(view->damage);
        view->damage_limit = MAX(DAMAGE_MIN, 2 * view->damage->len);
    }
}

/* ---- upwards --------------------------------------------------------------- */

/* What is seen of a region, in its own addresses. */
typedef struct Climb {
    MemoryRegion *mr;
    Interval seen;
} Climb;

typedef void ReachFn(FlatView *view, hwaddr first, hwaddr last);

/* What the alias @mr shows of the bytes *@i of its target; false if nothing. */
static bool interval_into_alias(const MemoryRegion *mr, Interval *i)
{
    if (i->last < mr->alias_offset) {
        return false;
    }
    i->first = MAX(i->first, mr->alias_offset) - mr->alias_offset;
    i->last -= mr->alias_offset;
    return true;
}

static void climb_through_aliases(const MemoryRegion *mr, Interval seen)
{
    unsigned nr = mr->aliases ? mr->aliases->len - mr->bypassed : 0;

    for (unsigned i = 0; i < nr; i++) {
        Climb next = { g_ptr_array_index(mr->aliases, i), seen };

        if (interval_into_alias(next.mr, &next.seen)) {
            g_array_append_val(map.climb, next);
        }
    }
}

/* Call @fn for each view above @mr, with the whole of it. */
static void reach_all(MemoryRegion *mr, ReachFn *fn)
{
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    GPtrArray *todo = g_ptr_array_new();

    g_ptr_array_add(todo, mr);
    while (todo->len) {
        mr = g_ptr_array_steal_index_fast(todo, todo->len - 1);
        if (!mr || !g_hash_table_add(seen, mr)) {
            continue;
        }
        if (mr->view) {
            fn(mr->view, 0, HWADDR_MAX);
        }
        g_ptr_array_add(todo, mr->parent);
        for (unsigned i = 0; mr->aliases && i < mr->aliases->len; i++) {
            g_ptr_array_add(todo, g_ptr_array_index(mr->aliases, i));
        }
    }
    g_ptr_array_unref(todo);
    g_hash_table_destroy(seen);
}

/* Call @fn for each part of a view that may show bytes @first to @last of @mr,
 * if what lies above them lets them be seen. */
static void reach(MemoryRegion *start, hwaddr first, hwaddr last, ReachFn *fn)
{
    Climb at = { start, { first, last } };
    unsigned steps = 0;

    if (!map.climb) {
        return; /* nobody looks at anything */
    }
    for (;;) {
        MemoryRegion *mr = at.mr;
        bool seen = mr->enabled && at.seen.first < mr->size;

        if (++steps > CLIMB_MAX) {
            g_array_set_size(map.climb, 0);
            reach_all(start, fn);
            return;
        }
        if (seen) {
            if (at.seen.last >= mr->size) {
                at.seen.last = (hwaddr)(mr->size - 1);
            }
            if (mr->view) {
                fn(mr->view, at.seen.first, at.seen.last);
            }
            if (mr->aliases) {
                climb_through_aliases(mr, at.seen);
            }
            seen = mr->parent && !__builtin_add_overflow(
                                     at.seen.first, mr->addr, &at.seen.first);
        }
        if (seen) {
            if (__builtin_add_overflow(at.seen.last, mr->addr,
                                       &at.seen.last)) {
                at.seen.last = HWADDR_MAX;
            }
            at.mr = mr->parent;
        } else if (map.climb->len) {
            at = g_array_index(map.climb, Climb, map.climb->len - 1);
            g_array_set_size(map.climb, map.climb->len - 1);
        } else {
            return;
        }
    }
}

/* ---- which view a space looks at ------------------------------------------- */

/* The whole alias that is all that @root shows; NULL if it shows other things
 * or changes what it shows. */
static MemoryRegion *whole_alias(const MemoryRegion *root)
{
    MemoryRegion *sub = root->subregions[true];

    if (root->kind != MEMORY_REGION_CONTAINER || !root->enabled ||
        root->readonly || !sub || sub->link.left || sub->link.right ||
        !sub->alias || sub->subregions[true] || sub->readonly || sub->addr ||
        sub->alias_offset || sub->size < sub->alias->size ||
        root->size < sub->alias->size) {
        return NULL;
    }
    return sub;
}

/* Where nobody else looks through the alias, damage need not, either. */
static void root_start_bypass(MemoryRegion *root)
{
    MemoryRegion *alias = whole_alias(root);

    if (alias && !root->bypass && !root->parent && !root->view &&
        !root->aliases && !alias->spaces && !alias->view && !alias->aliases) {
        alias_set_bypassed(alias, true);
        root->bypass = alias;
    }
}

static void root_stop_bypass(MemoryRegion *root)
{
    if (root->bypass) {
        alias_set_bypassed(root->bypass, false);
        root->bypass = NULL;
    }
}

/* What @root, of address spaces, is shown by is about to change, or has. */
static void resolve_later(MemoryRegion *root)
{
    root_stop_bypass(root);
    if (!root->resolve_pending) {
        root->resolve_pending = true;
        g_ptr_array_add(map.resolving, root);
    }
}

/* Somebody else comes to look at @mr, a root or what a root shows. */
static void stop_bypass_near(MemoryRegion *mr)
{
    root_stop_bypass(mr);
    if (mr->parent) {
        root_stop_bypass(mr->parent);
    }
}

void memory_region_aliased(MemoryRegion *mr)
{
    stop_bypass_near(mr);
}

void memory_region_resized(MemoryRegion *mr)
{
    for (unsigned i = 0; mr->aliases && i < mr->aliases->len; i++) {
        const MemoryRegion *alias = g_ptr_array_index(mr->aliases, i);

        if (alias->parent && alias->parent->spaces) {
            resolve_later(alias->parent);
        }
    }
}

static FlatView *view_of(MemoryRegion *mr)
{
    if (!mr->view) {
        mr->view = flatview_new(mr);
        mr->view->followed = g_ptr_array_new();
        mr->view->damage = g_array_new(FALSE, FALSE, sizeof(Interval));
        g_ptr_array_add(map.views, mr->view);
        view_damage(mr->view, 0, HWADDR_MAX);
    }
    return mr->view;
}

static void view_unref(FlatView *view)
{
    if (view == &nothing || --view->refs) {
        return;
    }
    view->region->view = NULL;
    g_ptr_array_remove_fast(map.views, view);
    g_ptr_array_remove_fast(map.damaged, view);
    g_clear_pointer(&view->followed, g_ptr_array_unref);
    g_clear_pointer(&view->damage, g_array_unref);
    flatview_retire(view);
}

/* A followed space that comes to look at another view. */
typedef struct Switch {
    AddressSpace *as;
    FlatView *from, *to;
    FlatRanges *old; /* what it showed; NULL: nobody wants to know */
} Switch;

static void copy_ranges(const FlatView *view, FlatRanges *out)
{
    const FlatNode *root = flatview_root(view);
    const FlatRange *r;

    for (r = flat_node_find(root, 0); r; r = flat_node_next(root, r)) {
        g_array_append_val(out, *r);
    }
}

static void space_switch(AddressSpace *as, FlatView *to)
{
    Switch s = { .as = as, .from = as->view, .to = to };

    to->refs++;
    s.from->leaving++;
    if (as->listeners->len) {
        s.old = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        copy_ranges(s.from, s.old);
        if (s.from != &nothing) {
            g_ptr_array_remove(s.from->followed, as);
        }
    }
    g_array_append_val(map.switches, s);
}

static void root_resolve(MemoryRegion *root)
{
    MemoryRegion *alias = whole_alias(root);
    FlatView *view = view_of(alias ? alias->alias : root);

    root->resolve_pending = false;
    root_start_bypass(root);
    /* They all look at one view, but for new ones, which look at nothing. */
    if (!map.fresh && root->spaces->view == view) {
        return;
    }
    for (AddressSpace *as = root->spaces; as; as = as->next) {
        if (as->view != view) {
            space_switch(as, view);
        }
    }
}

static void view_follow(FlatView *view, AddressSpace *as)
{
    unsigned i = view->followed->len;

    while (i && ((AddressSpace *)g_ptr_array_index(view->followed, i - 1))
                        ->serial > as->serial) {
        i--;
    }
    g_ptr_array_insert(view->followed, (int)i, as);
}

void memory_map_follow(AddressSpace *as, bool followed)
{
    if (as->view == &nothing) {
        return; /* its first commit sees to it */
    }
    if (followed) {
        view_follow(as->view, as);
    } else {
        g_ptr_array_remove(as->view->followed, as);
    }
}

static void changes_free(void *pointer);

void memory_map_attach(AddressSpace *as)
{
    AddressSpace **link = &as->root->spaces;

    if (!map.spaces_nr++) {
        map.views = g_ptr_array_new();
        map.damaged = g_ptr_array_new();
        map.resolving = g_ptr_array_new();
        map.bells = g_ptr_array_new();
        map.climb = g_array_new(FALSE, FALSE, sizeof(Climb));
        map.changes = g_ptr_array_new_with_free_func(changes_free);
        map.switches = g_array_new(FALSE, FALSE, sizeof(Switch));
        map.told = g_array_new(FALSE, FALSE, sizeof(SpaceChanges));
        map.old = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        map.new = g_array_new(FALSE, FALSE, sizeof(FlatRange));
    }
    while (*link) {
        link = &(*link)->next;
    }
    *link = as;
    as->view = &nothing;
    map.fresh++;
    stop_bypass_near(as->root);
    resolve_later(as->root);
}

/* What listeners were told is what is now. */
static void bells_told(void)
{
    for (unsigned i = 0; i < map.bells->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(map.bells, i);

        mr->doorbells_pending = false;
        memory_region_doorbells_told(mr);
    }
    g_ptr_array_set_size(map.bells, 0);
}

void memory_map_detach(AddressSpace *as)
{
    MemoryRegion *root = as->root;
    AddressSpace **link = &root->spaces;

    if (root->spaces == as && !as->next) {
        root_stop_bypass(root);
        if (root->resolve_pending) {
            root->resolve_pending = false;
            g_ptr_array_remove_fast(map.resolving, root);
        }
    }
    while (*link != as) {
        link = &(*link)->next;
    }
    *link = as->next;
    if (as->view != &nothing && as->listeners->len) {
        g_ptr_array_remove(as->view->followed, as);
    }
    map.fresh -= as->view == &nothing;
    view_unref(as->view);
    if (!--map.spaces_nr) {
        bells_told();
        g_ptr_array_unref(map.views);
        g_ptr_array_unref(map.damaged);
        g_ptr_array_unref(map.resolving);
        g_ptr_array_unref(map.bells);
        g_array_unref(map.climb);
        g_ptr_array_unref(map.changes);
        g_array_unref(map.switches);
        g_array_unref(map.told);
        g_array_unref(map.old);
        g_array_unref(map.new);
        memset(&map, 0, sizeof(map));
    }
}

/* ---- what changed ------------------------------------------------------------ */

void memory_topology_changed(MemoryRegion *mr, hwaddr first, hwaddr last)
{
    const MemoryRegion *alias = mr->parent && mr->parent->alias ? mr->parent
                                                                : mr;

    if (mr->spaces) {
        resolve_later(mr);
    }
    if (mr->parent && mr->parent->spaces) {
        resolve_later(mr->parent);
    }
    if (alias != mr && alias->parent && alias->parent->spaces) {
        resolve_later(alias->parent); /* its alias shows more than its target */
    }
    reach(mr, first, last, view_damage);
}

void memory_topology_changed_all(MemoryRegion *mr)
{
    memory_topology_changed(mr, 0, HWADDR_MAX);
}

void memory_doorbells_changed(MemoryRegion *mr, hwaddr first, hwaddr last)
{
    reach(mr, first, last, view_damage);
    if (mr->doorbells_pending) {
        return;
    }
    if (mr->shown) {
        mr->doorbells_pending = true;
        g_ptr_array_add(map.bells, mr);
        return;
    }
    /* Nobody was told; whoever shows it next tells what is now. */
    memory_region_doorbells_told(mr);
}

void memory_map_forget(MemoryRegion *mr)
{
    if (mr->doorbells_pending) {
        g_ptr_array_remove_fast(map.bells, mr);
    }
}

bool memory_map_pending(void)
{
    return map.spaces_nr &&
           (map.damaged->len || map.resolving->len || map.bells->len);
}

/* ---- the difference ------------------------------------------------------------- */

static ViewChanges *changes_new(FlatView *view)
{
    ViewChanges *c;

    if (map.changes_nr == map.changes->len) {
        c = g_new(ViewChanges, 1);
        c->deleted = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        c->added = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        c->log_started = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        c->log_stopped = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        c->relogged = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        c->old_bells = g_array_new(FALSE, FALSE, sizeof(FlatDoorbell));
        c->new_bells = g_array_new(FALSE, FALSE, sizeof(FlatDoorbell));
        c->old_zones = g_array_new(FALSE, FALSE, sizeof(FlatZone));
        c->new_zones = g_array_new(FALSE, FALSE, sizeof(FlatZone));
        g_ptr_array_add(map.changes, c);
    }
    c = g_ptr_array_index(map.changes, map.changes_nr++);
    c->view = view;
    return c;
}

/* Empty *@list; the memory of a long one is given back. */
static void list_clear(GArray **list)
{
    if ((*list)->len > KEEP_MAX) {
        guint size = g_array_get_element_size(*list);

        g_array_unref(*list);
        *list = g_array_new(FALSE, FALSE, size);
    } else {
        g_array_set_size(*list, 0);
    }
}

static void changes_clear(ViewChanges *c)
{
    list_clear(&c->deleted);
    list_clear(&c->added);
    list_clear(&c->log_started);
    list_clear(&c->log_stopped);
    list_clear(&c->relogged);
    list_clear(&c->old_bells);
    list_clear(&c->new_bells);
    list_clear(&c->old_zones);
    list_clear(&c->new_zones);
}

static void changes_free(void *pointer)
{
    ViewChanges *c = pointer;

    g_array_unref(c->deleted);
    g_array_unref(c->added);
    g_array_unref(c->log_started);
    g_array_unref(c->log_stopped);
    g_array_unref(c->relogged);
    g_array_unref(c->old_bells);
    g_array_unref(c->new_bells);
    g_array_unref(c->old_zones);
    g_array_unref(c->new_zones);
    g_free(c);
}

/* A range that stays but for its dirty mask and its region's doorbells. */
static void diff_kept(ViewChanges *c, const FlatRange *old,
                      const FlatRange *new)
{
    if (old->dirty_log_mask != new->dirty_log_mask) {
        g_array_append_val(c->relogged, *new);
        if (!old->dirty_log_mask) {
            g_array_append_val(c->log_started, *new);
        } else if (!new->dirty_log_mask) {
            g_array_append_val(c->log_stopped, *new);
        }
    }
    if (new->mr->doorbells_pending) {
        flat_range_collect_zones(old, true, c->old_zones);
        flat_range_collect_zones(new, false, c->new_zones);
    }
}

/* Add to @c what @new has that @old has not, and the other way round. */
static void diff_ranges(ViewChanges *c, const FlatRanges *old_list,
                        const FlatRanges *new_list)
{
    const FlatRange *old = (const FlatRange *)old_list->data;
    const FlatRange *new = (const FlatRange *)new_list->data;
    unsigned i = 0, j = 0;

    while (i < old_list->len || j < new_list->len) {
        if (i < old_list->len && j < new_list->len &&
            flat_range_equal(&old[i], &new[j])) {
            diff_kept(c, &old[i++], &new[j++]);
        } else if (j == new_list->len ||
                   (i < old_list->len && old[i].first <= new[j].first)) {
            flat_range_collect_zones(&old[i], true, c->old_zones);
            g_array_append_val(c->deleted, old[i++]);
        } else {
            flat_range_collect_zones(&new[j], false, c->new_zones);
            g_array_append_val(c->added, new[j++]);
        }
    }
}

static void collect_bells(const FlatRanges *list, bool told, Interval within,
                          GArray *bells)
{
    for (unsigned i = 0; i < list->len; i++) {
        flat_range_collect_bells(&g_array_index(list, FlatRange, i), told,
                                 within.first, within.last, bells);
    }
}

/* ---- one view ----------------------------------------------------------------------- */

/* In map.old, the ranges of @view that touch the intervals from number @i on,
 * or their borders, as far as they hang together. Returns the number of the
 * first interval behind them. */
static unsigned collect_slice(const FlatView *view, unsigned i)
{
    const Interval *at = (const Interval *)view->damage->data;
    const FlatNode *root = view->next;
    const FlatRange *r = flat_node_find(root, at[i].first - !!at[i].first);
    hwaddr end = 0;

    list_clear(&map.old);
    do {
        hwaddr last = at[i].last + (at[i].last != HWADDR_MAX);

        for (; r && r->first <= last; r = flat_node_next(root, r)) {
            g_array_append_val(map.old, *r);
            end = r->last;
        }
        i++;
    } while (i < view->damage->len && map.old->len && end >= at[i].first - 1);
    return i;
}

/* In map.new, what is to be where map.old was: the intervals @i to @end - 1
 * drawn again, and the rest as it is. False where it cannot be drawn. */
static bool draw_slice(const FlatView *view, unsigned i, unsigned end)
{
    const FlatRange *old = (const FlatRange *)map.old->data;
    hwaddr from = 0; /* nothing in front of it is still to be kept */
    unsigned o = 0;

    list_clear(&map.new);
    for (; i < end; i++) {
        Interval at = g_array_index(view->damage, Interval, i);

        for (; o < map.old->len && old[o].first < at.first; o++) {
            hwaddr first = MAX(old[o].first, from);
            hwaddr last = MIN(old[o].last, at.first - 1);

            if (first <= last) {
                FlatRange part = flat_range_part(&old[o], first, last);

                flat_ranges_append(map.new, &part);
            }
            if (old[o].last >= at.first) {
                break;
            }
        }
        if (!memory_region_render(view->region, at.first, at.last, map.new)) {
            return false;
        }
        while (o < map.old->len && old[o].last <= at.last) {
            o++;
        }
        from = at.last + 1; /* 0 only behind the last address */
    }
    for (; o < map.old->len; o++) {
        FlatRange part = flat_range_part(&old[o], MAX(old[o].first, from),
                                         old[o].last);

        flat_ranges_append(map.new, &part);
    }
    return true;
}

/* What cannot be drawn shows nothing; told when it comes to that. */
static void view_give_up(FlatView *view, ViewChanges *c)
{
    Interval all = { 0, HWADDR_MAX };

    if (!view->too_much) {
        memory_error("region '%s': its aliases show the same in so many ways "
                     "that it would take more than %u steps to draw it, or it "
                     "is nested too deep; its address spaces show nothing "
                     "until it is simpler", view->region->name,
                     RENDER_STEPS_MAX);
    }
    changes_clear(c);
    list_clear(&map.old);
    list_clear(&map.new);
    copy_ranges(view, map.old);
    diff_ranges(c, map.old, map.new);
    collect_bells(map.old, true, all, c->old_bells);
}

/* Patch the damage of @view; NULL if nothing has changed there. */
static ViewChanges *view_update(FlatView *view)
{
    ViewChanges *c = changes_new(view);
    GArray *damage = view->damage;
    bool drawn = true;

    intervals_normalise(damage);
    if (view->too_much) { /* it shows nothing of what it should */
        Interval all = { 0, HWADDR_MAX };

        g_array_set_size(damage, 0);
        g_array_append_val(damage, all);
    }
    for (unsigned i = 0, end; i < damage->len; i = end) {
        end = collect_slice(view, i);
        drawn = draw_slice(view, i, end);
        if (!drawn) {
            view_give_up(view, c);
            break;
        }
        diff_ranges(c, map.old, map.new);
        for (; i < end; i++) {
            Interval at = g_array_index(damage, Interval, i);

            collect_bells(map.old, true, at, c->old_bells);
            collect_bells(map.new, false, at, c->new_bells);
        }
    }
    if (view->damage_limit > KEEP_MAX) {
        g_array_unref(damage);
        view->damage = g_array_new(FALSE, FALSE, sizeof(Interval));
    } else {
        g_array_set_size(damage, 0);
    }
    view->too_much = !drawn;

    for (unsigned i = 0; i < c->deleted->len; i++) {
        flatview_remove(view, g_array_index(c->deleted, FlatRange, i).first);
    }
    for (unsigned i = 0; i < c->added->len; i++) {
        flatview_insert(view, &g_array_index(c->added, FlatRange, i));
    }
    for (unsigned i = 0; i < c->relogged->len; i++) {
        const FlatRange *r = &g_array_index(c->relogged, FlatRange, i);

        flatview_set_log_mask(view, r->first, r->dirty_log_mask);
    }
    if (c->deleted->len || c->added->len || c->relogged->len) {
        flatview_publish(view);
    } else if (!c->old_bells->len && !c->new_bells->len &&
               !c->old_zones->len && !c->new_zones->len) {
        map.changes_nr--;
        return NULL;
    }
    return c;
}

/* ---- commits -------------------------------------------------------------------------- */

static void tell(AddressSpace *as, const ViewChanges *changes)
{
    SpaceChanges told = { as, changes };

    g_array_append_val(map.told, told);
}

/* Everything that a space showed, against everything that it shows now. */
static void tell_switch(const Switch *s)
{
    Interval all = { 0, HWADDR_MAX };
    ViewChanges *c = changes_new(s->to);

    list_clear(&map.new);
    copy_ranges(s->to, map.new);
    diff_ranges(c, s->old, map.new);
    collect_bells(s->old, true, all, c->old_bells);
    collect_bells(map.new, false, all, c->new_bells);
    tell(s->as, c);
}

static int compare_told(const void *va, const void *vb)
{
    const SpaceChanges *a = va, *b = vb;

    return (a->as->serial > b->as->serial) - (a->as->serial < b->as->serial);
}

const GArray *memory_map_update(void)
{
    for (unsigned i = 0; i < map.resolving->len; i++) {
        root_resolve(g_ptr_array_index(map.resolving, i));
    }
    g_ptr_array_set_size(map.resolving, 0);
    map.fresh = 0;
    for (unsigned i = 0; i < map.damaged->len; i++) {
        FlatView *view = g_ptr_array_index(map.damaged, i);
        const ViewChanges *c;

        if (view->leaving == view->refs) { /* nobody will look at it */
            g_array_set_size(view->damage, 0);
            continue;
        }
        c = view_update(view);
        for (unsigned k = 0; c && k < view->followed->len; k++) {
            tell(g_ptr_array_index(view->followed, k), c);
        }
    }
    g_ptr_array_set_size(map.damaged, 0);
    for (unsigned i = 0; i < map.switches->len; i++) {
        const Switch *s = &g_array_index(map.switches, Switch, i);

        __atomic_store_n(&s->as->view, s->to, __ATOMIC_RELEASE);
        if (s->old) {
            tell_switch(s);
            view_follow(s->to, s->as);
        }
    }
    if (map.told->len > 1) {
        g_array_sort(map.told, compare_told);
    }
    return map.told;
}

void memory_map_settle(void)
{
    bells_told();
    for (unsigned i = 0; i < map.switches->len; i++) {
        const Switch *s = &g_array_index(map.switches, Switch, i);

        s->from->leaving--;
        view_unref(s->from);
        root_start_bypass(s->as->root);
        if (s->old) {
            g_array_unref(s->old);
        }
    }
    g_array_set_size(map.switches, 0);
    g_array_set_size(map.told, 0);
    for (unsigned i = 0; i < map.changes_nr; i++) {
        changes_clear(g_ptr_array_index(map.changes, i));
    }
    map.changes_nr = 0;
    list_clear(&map.old);
    list_clear(&map.new);
}

/* ---- looking at views ------------------------------------------------------------------ */

/* Parts of views that may show what is asked for. */
typedef struct Reached {
    FlatView *view;
    Interval part;
} Reached;

static GArray *reached; /* where reached_add() puts them */

static void reached_add(FlatView *view, hwaddr first, hwaddr last)
{
    Reached r = { view, { first, last } };

    g_array_append_val(reached, r);
}

static int compare_reached(const void *va, const void *vb)
{
    const Reached *a = va, *b = vb;

    if (a->view != b->view) {
        return a->view < b->view ? -1 : 1;
    }
    return compare_intervals(&a->part, &b->part);
}

void memory_region_for_each_shown(MemoryRegion *mr, hwaddr first, hwaddr last,
                                  ShownFn *fn, void *opaque)
{
    hwaddr last_seen = 0;
    GArray *parts;

    if (!mr->shown) {
        return;
    }
    parts = reached = g_array_new(FALSE, FALSE, sizeof(Reached));
    if (memory_map_pending()) {
        /* The views are not those that the graph would give. */
        for (unsigned i = 0; i < map.views->len; i++) {
            reached_add(g_ptr_array_index(map.views, i), 0, HWADDR_MAX);
        }
    } else {
        reach(mr, first, last, reached_add);
    }
    g_array_sort(parts, compare_reached);
    /* From here on @fn may search as well. */
    for (unsigned i = 0; i < parts->len; i++) {
        const Reached *at = &g_array_index(parts, Reached, i);
        const FlatNode *root = flatview_root(at->view);
        hwaddr from = at->part.first;
        const FlatRange *r;

        if (i && at[-1].view == at->view && last_seen >= from) {
            if (last_seen >= at->part.last) {
                continue;
            }
            from = last_seen + 1;
        }
        last_seen = at->part.last;
        for (r = flat_node_find(root, from); r && r->first <= at->part.last;
             r = flat_node_next(root, r)) {
            last_seen = MAX(last_seen, r->last);
            if (r->mr == mr && r->offset <= last &&
                r->offset + (r->last - r->first) >= first) {
                fn(at->view, r, opaque);
            }
        }
    }
    g_array_unref(parts);
}
