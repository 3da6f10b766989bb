/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reference model of the region graph; see model.h.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define WHOLE ((model_size)1 << 64)

model_size model_size_of(uint64_t size)
{
    return size == UINT64_MAX ? WHOLE : size;
}

void model_init(ModelRegion *r, ModelKind kind, unsigned id, uint64_t size)
{
    memset(r, 0, sizeof(*r));
    r->kind = kind;
    r->id = id;
    r->size = model_size_of(size);
    r->enabled = true;
    r->romd = kind == MODEL_ROM_DEVICE;
}

void model_init_alias(ModelRegion *r, unsigned id, ModelRegion *target,
                      hwaddr offset, uint64_t size)
{
    model_init(r, MODEL_ALIAS, id, size);
    r->target = target;
    r->alias_offset = offset;
    target->nr_aliases++;
}

void model_add(ModelRegion *parent, hwaddr addr, ModelRegion *sub,
               bool may_overlap, int priority)
{
    unsigned at = 0;
    unsigned i;

    sub->parent = parent;
    sub->addr = addr;
    sub->may_overlap = may_overlap;
    sub->priority = may_overlap ? priority : 0;
    while (at < parent->nr_subs && parent->subs[at]->priority > sub->priority) {
        at++;
    }
    for (i = parent->nr_subs; i > at; i--) {
        parent->subs[i] = parent->subs[i - 1];
    }
    parent->subs[at] = sub;
    parent->nr_subs++;
}

void model_del(ModelRegion *sub)
{
    ModelRegion *parent = sub->parent;
    unsigned at = 0;

    while (parent->subs[at] != sub) {
        at++;
    }
    for (; at + 1 < parent->nr_subs; at++) {
        parent->subs[at] = parent->subs[at + 1];
    }
    parent->nr_subs--;
    sub->parent = NULL;
}

bool model_reaches(const ModelRegion *from, const ModelRegion *to)
{
    unsigned i;

    if (from == to) {
        return true;
    }
    if (from->target && model_reaches(from->target, to)) {
        return true;
    }
    for (i = 0; i < from->nr_subs; i++) {
        if (model_reaches(from->subs[i], to)) {
            return true;
        }
    }
    return false;
}

bool model_overlaps(const ModelRegion *parent, const ModelRegion *sub,
                    hwaddr addr)
{
    unsigned i;

    for (i = 0; i < parent->nr_subs; i++) {
        const ModelRegion *other = parent->subs[i];

        if (other != sub && !other->may_overlap &&
            addr < other->addr + other->size && other->addr < addr + sub->size) {
            return true;
        }
    }
    return false;
}

/* ---- which region answers an address ------------------------------------------ */

static ModelAnswer resolve(ModelRegion *r, hwaddr addr, bool readonly)
{
    ModelAnswer nothing = { NULL, 0, false };
    unsigned i;

    if (!r->enabled || addr >= r->size) {
        return nothing;
    }
    readonly |= r->readonly;
    if (r->kind == MODEL_ALIAS) {
        model_size in_target = (model_size)addr + r->alias_offset;

        return in_target < WHOLE ? resolve(r->target, in_target, readonly)
                                 : nothing;
    }
    for (i = 0; i < r->nr_subs; i++) {
        ModelRegion *sub = r->subs[i];

        if (addr >= sub->addr) {
            ModelAnswer answer = resolve(sub, addr - sub->addr, readonly);

            if (answer.region) {
                return answer;
            }
        }
    }
    if (r->kind == MODEL_CONTAINER) {
        return nothing;
    }
    /* Callbacks see writes whatever the way to them. */
    return (ModelAnswer){ r, addr, readonly && r->kind == MODEL_RAM };
}

ModelAnswer model_resolve(ModelRegion *root, hwaddr addr)
{
    return resolve(root, addr, false);
}

/* ---- the whole map ---------------------------------------------------------------- */

#define EDGES_MAX 4096

typedef struct Edges {
    hwaddr at[EDGES_MAX];
    unsigned nr;
} Edges;

/* Note @edge, unless it is outside the space. */
static void edge_add(Edges *edges, __int128 edge)
{
    if (edge >= 0 && edge < (__int128)WHOLE && edges->nr < EDGES_MAX) {
        edges->at[edges->nr++] = edge;
    }
}

/* Every address at which what @r shows may change, @r starting at @base. */
static void edges_of(const ModelRegion *r, __int128 base, Edges *edges)
{
    unsigned i;

    if (edges->nr == EDGES_MAX) {
        return;
    }
    edge_add(edges, base);
    edge_add(edges, base + r->size);
    if (r->target) {
        edges_of(r->target, base - r->alias_offset, edges);
    }
    for (i = 0; i < r->nr_subs; i++) {
        edges_of(r->subs[i], base + r->subs[i]->addr, edges);
    }
}

static int edge_order(const void *a, const void *b)
{
    hwaddr x = *(const hwaddr *)a, y = *(const hwaddr *)b;

    return x < y ? -1 : x > y;
}

/* Whether @next continues @segment, which ends just before it. */
static bool continues(const ModelSegment *segment, ModelAnswer next)
{
    return segment->answer.region == next.region &&
           segment->answer.readonly == next.readonly &&
           segment->answer.offset < next.offset &&
           segment->answer.offset + (segment->last - segment->first) + 1 ==
               next.offset;
}

bool model_map(ModelRegion *root, ModelMap *map)
{
    Edges edges;
    unsigned i;

    edges.nr = 0;
    edge_add(&edges, 0);
    edges_of(root, 0, &edges);
    map->nr = 0;
    if (edges.nr == EDGES_MAX) {
        return false;
    }
    qsort(edges.at, edges.nr, sizeof(edges.at[0]), edge_order);
    for (i = 0; i < edges.nr; i++) {
        hwaddr first = edges.at[i];
        hwaddr last = i + 1 < edges.nr ? edges.at[i + 1] - 1 : HWADDR_MAX;
        ModelSegment *before = map->nr ? &map->segments[map->nr - 1] : NULL;
        ModelAnswer answer;

        if (i + 1 < edges.nr && edges.at[i + 1] == first) {
            continue;
        }
        answer = model_resolve(root, first);
        if (!answer.region) {
            continue;
        }
        if (before && before->last + 1 == first && continues(before, answer)) {
            before->last = last;
        } else if (map->nr == MODEL_SEGMENTS_MAX) {
            return false;
        } else {
            map->segments[map->nr++] = (ModelSegment){ first, last, answer };
        }
    }
    return true;
}
