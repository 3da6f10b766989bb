/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-query-mtree: the region graph and the flat views, one state of the map, as
 * JSON. Each region is there once, however many aliases lead to it; twice where it is
 * inside another and the root of an address space, too.
 */
#include <inttypes.h>

#include "monitor/qapi.h"
#include "mtree.h"

/* ---- declarations ------------------------------------------------------------- */

static const char *const kind_values[] = {
    [MTREE_KIND_CONTAINER] = "container",
    [MTREE_KIND_IO] = "io",
    [MTREE_KIND_RAM] = "ram",
    [MTREE_KIND_ROM] = "rom",
    [MTREE_KIND_ROMD] = "romd",
    [MTREE_KIND_ALIAS] = "alias",
    [MTREE_KIND_RESERVATION] = "reservation",
    NULL,
};

static const QType kind_type = {
    .kind = Q_ENUM, .name = "MtreeKind", .values = kind_values,
    .doc = "What a memory region is.",
};

static const QMember space_members[] = {
    { "name", &q_string, false, "Its name." },
    { "root", &q_int, false, "The id of the region that it shows." },
    { 0 },
};

static const QType space_type = {
    .kind = Q_OBJECT, .name = "MtreeSpace", .members = space_members,
    .doc = "An address space.",
};

static const QType spaces_type = { .kind = Q_ARRAY, .element = &space_type };

static const QMember range_members[] = {
    { "first", &q_string, false, "The first address, 0x and hexadecimal digits." },
    { "last", &q_string, false, "The last address." },
    { 0 },
};

static const QType range_type = {
    .kind = Q_OBJECT, .name = "MtreeRange", .members = range_members,
    .doc = "Addresses; as text, as numbers of 64 bits are not exact in every "
           "client.",
};

static const QMember alias_members[] = {
    { "target", &q_int, false, "The id of the region that it shows a part of." },
    { "offset", &q_string, false, "Where in the target the part begins." },
    { 0 },
};

static const QType alias_type = {
    .kind = Q_OBJECT, .name = "MtreeAlias", .members = alias_members,
    .doc = "What an alias shows: as many bytes of its target as it has itself.",
};

static const QMember region_members[] = {
    { "id", &q_int, false, "Its number, in this answer alone." },
    { "name", &q_string, false, "Its name, not unique." },
    { "kind", &kind_type, false, "What it is." },
    { "owner", &q_string, true, "The device it belongs to, where known." },
    { "parent", &q_int, true, "The id of the region it is in, none at the top." },
    { "addr", &q_string, false, "Its first address in the parent." },
    { "size", &q_string, false, "In bytes, up to 0x10000000000000000." },
    { "place", &range_type, true, "Where it is, counted from the top of its "
      "tree; none for what is empty or past the last address." },
    { "priority", &q_int, false, "Among siblings the higher hides the lower." },
    { "order", &q_int, false, "Among siblings of one priority the same." },
    { "enabled", &q_bool, false, "Whether it is as if it were not there." },
    { "readonly", &q_bool, false, "Whether RAM seen through it is ROM." },
    { "alias", &alias_type, true, "Of an alias." },
    { 0 },
};

static const QType region_type = {
    .kind = Q_OBJECT, .name = "MtreeRegion", .members = region_members,
    .doc = "A memory region.",
};

static const QType regions_type = { .kind = Q_ARRAY, .element = &region_type };

static const QMember flat_members[] = {
    { "first", &q_string, false, "The first address." },
    { "last", &q_string, false, "The last address." },
    { "region", &q_int, false, "The id of the region that answers." },
    { "offset", &q_string, false, "Where in the region the first address is." },
    { "kind", &kind_type, false, "What it is as seen here: ROM for RAM that "
      "cannot be written, io for a ROM device that is not read directly." },
    { 0 },
};

static const QType flat_type = {
    .kind = Q_OBJECT, .name = "MtreeFlatRange", .members = flat_members,
    .doc = "Addresses that one region answers.",
};

static const QType flats_type = { .kind = Q_ARRAY, .element = &flat_type };
static const QType names_type = { .kind = Q_ARRAY, .element = &q_string };

static const QMember view_members[] = {
    { "root", &q_int, false, "The id of the region shown." },
    { "spaces", &names_type, false, "The names of the address spaces." },
    { "ranges", &flats_type, false, "By address." },
    { "nodes", &q_int, false, "Nodes of the tree that look-ups go down." },
    { "height", &q_int, false, "Its levels above the lowest." },
    { "bytes", &q_int, false, "The memory that it takes." },
    { 0 },
};

static const QType view_type = {
    .kind = Q_OBJECT, .name = "MtreeView", .members = view_members,
    .doc = "What answers where, as address spaces of one root see it.",
};

static const QType views_type = { .kind = Q_ARRAY, .element = &view_type };

static const QMember mtree_members[] = {
    { "spaces", &spaces_type, false, "All address spaces." },
    { "regions", &regions_type, false, "All regions that they or aliases lead "
      "to: parents before children, siblings by address." },
    { "views", &views_type, false, "All flat views." },
    { 0 },
};

static const QType mtree_type = {
    .kind = Q_OBJECT, .name = "MtreeInfo", .members = mtree_members,
    .doc = "The map of the machine's memory, one state of it.",
};

/* ---- the walk --------------------------------------------------------------------- */

typedef struct Answer {
    JsonArray *spaces, *regions, *views;
    const GPtrArray *names; /* of the tree that has begun, until its top comes */
    JsonArray *ranges;      /* of the present view */
} Answer;

static void set_hex(JsonObject *object, const char *name,
                    unsigned __int128 number)
{
    char text[24];

    if (number >> 64) {
        g_snprintf(text, sizeof(text), "0x%" PRIx64 "%016" PRIx64,
                   (uint64_t)(number >> 64), (uint64_t)number);
    } else {
        g_snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)number);
    }
    json_object_set_string_member(object, name, text);
}

static void answer_tree(const GPtrArray *spaces, void *opaque)
{
    Answer *a = opaque;

    a->names = spaces;
}

static void answer_spaces(Answer *a, unsigned root)
{
    for (guint i = 0; a->names && i < a->names->len; i++) {
        JsonObject *space = json_object_new();

        json_object_set_string_member(space, "name", a->names->pdata[i]);
        json_object_set_int_member(space, "root", root);
        json_array_add_object_element(a->spaces, space);
    }
    a->names = NULL;
}

static void answer_region(const MtreeRegion *region, void *opaque)
{
    Answer *a = opaque;
    JsonObject *object = json_object_new();

    answer_spaces(a, region->id);
    json_object_set_int_member(object, "id", region->id);
    json_object_set_string_member(object, "name", region->name);
    json_object_set_string_member(object, "kind", kind_values[region->kind]);
    if (region->owner) {
        json_object_set_string_member(object, "owner", region->owner);
    }
    if (region->parent != MTREE_NONE) {
        json_object_set_int_member(object, "parent", region->parent);
    }
    set_hex(object, "addr", region->addr);
    set_hex(object, "size", region->size);
    if (region->range.extent == MTREE_BYTES) {
        JsonObject *place = json_object_new();

        set_hex(place, "first", region->range.first);
        set_hex(place, "last", region->range.last);
        json_object_set_object_member(object, "place", place);
    }
    json_object_set_int_member(object, "priority", region->priority);
    json_object_set_int_member(object, "order", (int64_t)region->order);
    json_object_set_boolean_member(object, "enabled", region->enabled);
    json_object_set_boolean_member(object, "readonly", region->readonly);
    if (region->target != MTREE_NONE) {
        JsonObject *alias = json_object_new();

        json_object_set_int_member(alias, "target", region->target);
        set_hex(alias, "offset", region->offset);
        json_object_set_object_member(object, "alias", alias);
    }
    json_array_add_object_element(a->regions, object);
}

static void answer_view(const MtreeView *view, void *opaque)
{
    Answer *a = opaque;
    JsonObject *object = json_object_new();
    JsonArray *names = json_array_new();

    for (guint i = 0; i < view->spaces->len; i++) {
        json_array_add_string_element(names, view->spaces->pdata[i]);
    }
    a->ranges = json_array_new();
    json_object_set_int_member(object, "root", view->root);
    json_object_set_array_member(object, "spaces", names);
    json_object_set_array_member(object, "ranges", a->ranges);
    json_object_set_int_member(object, "nodes", (int64_t)view->nodes);
    json_object_set_int_member(object, "height", view->height);
    json_object_set_int_member(object, "bytes", (int64_t)view->bytes);
    json_array_add_object_element(a->views, object);
}

static void answer_range(const MtreeFlatRange *range, void *opaque)
{
    Answer *a = opaque;
    JsonObject *object = json_object_new();

    set_hex(object, "first", range->first);
    set_hex(object, "last", range->last);
    json_object_set_int_member(object, "region", range->region);
    set_hex(object, "offset", range->offset);
    json_object_set_string_member(object, "kind", kind_values[range->kind]);
    json_array_add_object_element(a->ranges, object);
}

static bool query_mtree(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err)
{
    static const MtreeVisitor visitor = {
        .tree = answer_tree,
        .region = answer_region,
        .view = answer_view,
        .range = answer_range,
    };
    Answer a = {
        .spaces = json_array_new(),
        .regions = json_array_new(),
        .views = json_array_new(),
    };
    JsonObject *info = json_object_new();

    mtree_walk(MTREE_TREE | MTREE_FLAT | MTREE_OWNER, &visitor, &a);
    json_object_set_array_member(info, "spaces", a.spaces);
    json_object_set_array_member(info, "regions", a.regions);
    json_object_set_array_member(info, "views", a.views);
    *result = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(*result, info);
    return true;
}

const QMPCommand qmp_mtree_commands[] = {
    {
        .name = "x-query-mtree",
        .doc = "The memory map: the graph of regions below each address space, "
               "and the flat views that result.",
        .result = &mtree_type,
        .run = query_mtree,
    },
    { 0 },
};
