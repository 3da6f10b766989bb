/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x-query-mtree: it agrees with the schema, all numbers in it refer to what is
 * there, and info mtree can be written from it, letter by letter.
 */
#include <string.h>

#include "memory.h"
#include "monitor/qapi.h"
#include "tests/qmp/qmp-client.h"

/* ---- the text, from the JSON alone -------------------------------------------------- */

typedef struct Map {
    JsonNode *node;
    JsonArray *spaces, *regions, *views;
    GString *text;
} Map;

static JsonObject *region_of(const Map *m, int64_t id)
{
    for (guint i = 0; i < json_array_get_length(m->regions); i++) {
        JsonObject *region = json_array_get_object_element(m->regions, i);

        if (json_object_get_int_member(region, "id") == id) {
            return region;
        }
    }
    test_fail("no region %d", (int)id);
}

/* Up to 2^64. */
static unsigned __int128 hex(JsonObject *object, const char *name)
{
    const char *text = json_object_get_string_member(object, name);
    unsigned __int128 value = 0;

    expect(g_str_has_prefix(text, "0x") && text[2], "%s is %s", name, text);
    for (const char *p = text + 2; *p; p++) {
        expect(g_ascii_isxdigit(*p) && !g_ascii_isupper(*p), "%s is %s", name,
               text);
        value = value * 16 + (unsigned)g_ascii_xdigit_value(*p);
    }
    return value;
}

static const char *kind_text(JsonObject *object)
{
    const char *kind = json_object_get_string_member(object, "kind");

    return strcmp(kind, "io") == 0 ? "i/o" : kind;
}

static unsigned depth_of(const Map *m, JsonObject *region)
{
    unsigned depth = 0;

    while (json_object_has_member(region, "parent")) {
        region = region_of(m, json_object_get_int_member(region, "parent"));
        depth++;
    }
    return depth;
}

static void append_range(const Map *m, unsigned __int128 first,
                         unsigned __int128 size)
{
    unsigned __int128 last = first + size - 1;

    if (!size) {
        g_string_append_printf(m->text, "%016" PRIx64 "-empty           ",
                               (uint64_t)first);
        return;
    }
    g_string_append_printf(m->text, "%016" PRIx64 "-%016" PRIx64, (uint64_t)first,
                           last >> 64 ? UINT64_MAX : (uint64_t)last);
}

static void append_place(const Map *m, JsonObject *region)
{
    JsonObject *place, *parent;
    unsigned __int128 first = hex(region, "addr");

    if (json_object_has_member(region, "place")) {
        place = json_object_get_object_member(region, "place");
        append_range(m, hex(place, "first"),
                     hex(place, "last") - hex(place, "first") + 1);
        return;
    }
    for (parent = region; json_object_has_member(parent, "parent");) {
        parent = region_of(m, json_object_get_int_member(parent, "parent"));
        first += hex(parent, "addr");
    }
    if (first >> 64) {
        g_string_append_printf(m->text, "%-33s", "past the last address");
    } else {
        append_range(m, first, 0);
    }
}

static void append_region(const Map *m, JsonObject *region)
{
    const char *name = json_object_get_string_member(region, "name");
    const char *kind = kind_text(region);

    g_string_append_printf(m->text, "%*s", (int)(depth_of(m, region) + 1) * 2, "");
    append_place(m, region);
    g_string_append_printf(m->text, " (prio %d, %s): ",
                           (int)json_object_get_int_member(region, "priority"),
                           kind);
    if (json_object_has_member(region, "alias")) {
        JsonObject *alias = json_object_get_object_member(region, "alias");
        JsonObject *target =
            region_of(m, json_object_get_int_member(alias, "target"));

        g_string_append_printf(m->text, "alias %s @%s ", name,
                               json_object_get_string_member(target, "name"));
        append_range(m, hex(alias, "offset"), hex(region, "size"));
    } else {
        g_string_append(m->text, name);
    }
    if (json_object_get_boolean_member(region, "readonly") &&
        (strcmp(kind, "container") == 0 || strcmp(kind, "alias") == 0)) {
        g_string_append(m->text, " [read-only]");
    }
    if (!json_object_get_boolean_member(region, "enabled")) {
        g_string_append(m->text, " [disabled]");
    }
    if (json_object_has_member(region, "owner")) {
        g_string_append_printf(m->text, " owner:{%s}",
                               json_object_get_string_member(region, "owner"));
    }
    g_string_append_c(m->text, '\n');
}

/* The names of the spaces with this root, or that of the region itself. */
static void append_title(const Map *m, JsonObject *region)
{
    int64_t id = json_object_get_int_member(region, "id");
    unsigned names = 0;

    for (guint i = 0; i < json_array_get_length(m->spaces); i++) {
        JsonObject *space = json_array_get_object_element(m->spaces, i);

        if (json_object_get_int_member(space, "root") == id) {
            g_string_append_printf(m->text, "%s%s",
                                   names++ ? ", " : "address-space: ",
                                   json_object_get_string_member(space, "name"));
        }
    }
    if (!names) {
        g_string_append_printf(m->text, "memory-region: %s",
                               json_object_get_string_member(region, "name"));
    }
    g_string_append_c(m->text, '\n');
}

static void append_trees(const Map *m)
{
    for (guint i = 0; i < json_array_get_length(m->regions); i++) {
        JsonObject *region = json_array_get_object_element(m->regions, i);

        if (!json_object_has_member(region, "parent")) {
            g_string_append(m->text, i ? "\n" : "");
            append_title(m, region);
        }
        append_region(m, region);
    }
    g_string_append_c(m->text, '\n');
}

static void append_views(const Map *m)
{
    for (guint i = 0; i < json_array_get_length(m->views); i++) {
        JsonObject *view = json_array_get_object_element(m->views, i);
        JsonArray *names = json_object_get_array_member(view, "spaces");
        JsonArray *ranges = json_object_get_array_member(view, "ranges");

        region_of(m, json_object_get_int_member(view, "root"));
        g_string_append(m->text, "flat-view: ");
        for (guint j = 0; j < json_array_get_length(names); j++) {
            g_string_append_printf(m->text, "%s%s", j ? ", " : "",
                                   json_array_get_string_element(names, j));
        }
        g_string_append_c(m->text, '\n');
        if (!json_array_get_length(ranges)) {
            g_string_append(m->text, "  nothing\n");
        }
        for (guint j = 0; j < json_array_get_length(ranges); j++) {
            JsonObject *range = json_array_get_object_element(ranges, j);
            JsonObject *region =
                region_of(m, json_object_get_int_member(range, "region"));

            g_string_append(m->text, "  ");
            append_range(m, hex(range, "first"),
                         hex(range, "last") - hex(range, "first") + 1);
            g_string_append_printf(m->text, " (%s): %s @%016" PRIx64,
                                   kind_text(range),
                                   json_object_get_string_member(region, "name"),
                                   (uint64_t)hex(range, "offset"));
            if (json_object_has_member(region, "owner")) {
                g_string_append_printf(
                    m->text, " owner:{%s}",
                    json_object_get_string_member(region, "owner"));
            }
            g_string_append_c(m->text, '\n');
        }
        g_string_append_c(m->text, '\n');
    }
}

/* @node is an answer of x-query-mtree. */
static char *text_of(JsonNode *node)
{
    JsonObject *info = json_node_get_object(node);
    Map m = {
        .node = node,
        .spaces = json_object_get_array_member(info, "spaces"),
        .regions = json_object_get_array_member(info, "regions"),
        .views = json_object_get_array_member(info, "views"),
        .text = g_string_new(NULL),
    };

    append_trees(&m);
    append_views(&m);
    return g_string_free(m.text, FALSE);
}

/* ---- of a map made here ----------------------------------------------------------------- */

static char *describe(void *owner)
{
    return g_strdup(owner);
}

START_TEST(all_kinds)
{
    static MemoryRegion root, ram, low, high, rom, flash, pci, hole, empty, beyond,
                        off, hidden;
    static IoDevice uart;
    MemoryRegion *subs[] = { &high, &low, &hole, &rom, &flash, &uart.mr, &empty,
                             &off, &hidden };
    const QMPCommand *command = qmp_command_find("x-query-mtree");
    g_autoptr(JsonNode) node = NULL;
    g_autofree char *text = NULL;
    AddressSpace memory, dma, other;
    char *wanted = NULL;
    size_t size;
    FILE *f = open_memstream(&wanted, &size);
    GError *err = NULL;

    memory_region_init(&root, "root", UINT64_MAX);
    memory_region_init(&pci, "pci", UINT64_MAX);
    memory_region_init_ram(&ram, "ram", 0x4000);
    memory_region_init_alias(&low, "low", &ram, 0, 0x2000);
    memory_region_init_alias(&high, "high", &ram, 0x2000, 0x2000);
    memory_region_init_alias(&hole, "hole", &pci, 0x8000000000000000, 0x10000);
    memory_region_init_rom(&rom, "rom", 0x1000);
    io_device_init(&uart, 1, "uart", 8);
    memory_region_init_rom_device(&flash, &io_device_ops, &uart, "flash", 0x1000);
    memory_region_init(&empty, "empty", 0);
    memory_region_init(&off, "off", 0x100);
    memory_region_init_reservation(&hidden, "hidden", 0x100);
    memory_region_init_reservation(&beyond, "beyond", 0x100);
    memory_region_set_owner(&uart.mr, describe, "dev id=u");
    memory_region_add_subregion(&root, 0x100000000, &high);
    memory_region_add_subregion(&root, 0, &low);
    memory_region_add_subregion_overlap(&root, 0xe0000000, &hole, -1);
    memory_region_add_subregion_overlap(&root, 0x1000, &rom, 2);
    memory_region_add_subregion(&root, 0xf0000000, &flash);
    memory_region_add_subregion(&root, 0xf8000000, &uart.mr);
    memory_region_add_subregion_overlap(&root, 0x5000, &empty, 0);
    memory_region_add_subregion(&root, 0x6000, &off);
    memory_region_add_subregion_overlap(&root, 0x1000, &hidden, 1);
    memory_region_add_subregion(&pci, 0x8000000000000100, &beyond);
    memory_region_set_readonly(&low, true);
    memory_region_set_enabled(&off, false);
    memory_region_rom_device_set_readable(&flash, false);
    address_space_init_named(&memory, &root, "memory");
    address_space_init_named(&dma, &root, "dma");
    address_space_init(&other, &off);

    expect(command->run(&(QMPCall){ 0 }, NULL, &node, &err), "it fails");
    text = text_of(node);
    mtree_info_flags(fprintf, f, MTREE_TREE | MTREE_FLAT | MTREE_OWNER);
    fclose(f);
    expect(strcmp(text, wanted) == 0, "%.1500s\nand not\n%.1500s", text, wanted);
    /* 2^64 bytes are that many. */
    ck_assert_str_eq(json_string_at(node, "regions[0].size"),
                     "0x10000000000000000");
    ck_assert_str_eq(json_string_at(node, "regions[0].place.last"),
                     "0xffffffffffffffff");
    ck_assert_int_eq(json_int_at(node, "views[0].nodes"), 1);
    ck_assert_int_eq(json_int_at(node, "views[0].height"), 0);
    expect(json_int_at(node, "views[0].bytes") > 0, "bytes");
    free(wanted);

    address_space_destroy(&memory);
    address_space_destroy(&dma);
    address_space_destroy(&other);
    memory_region_del_subregion(&pci, &beyond);
    memory_region_destroy(&beyond);
    for (unsigned i = 0; i < G_N_ELEMENTS(subs); i++) {
        memory_region_del_subregion(&root, subs[i]);
        memory_region_destroy(subs[i]);
    }
    memory_region_destroy(&pci);
    memory_region_destroy(&ram);
    memory_region_destroy(&root);
}
END_TEST

/* Siblings of one priority: the one with the higher order is on top. */
START_TEST(order)
{
    static MemoryRegion root, a, b;
    const QMPCommand *command = qmp_command_find("x-query-mtree");
    AddressSpace as;

    memory_region_init(&root, "root", 0x1000);
    memory_region_init_reservation(&a, "a", 0x100);
    memory_region_init_reservation(&b, "b", 0x100);
    memory_region_add_subregion_overlap(&root, 0x80, &a, 0);
    memory_region_add_subregion_overlap(&root, 0, &b, 0);
    address_space_init(&as, &root);
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(JsonNode) node = NULL;
        JsonObject *above;
        GError *err = NULL;

        expect(command->run(&(QMPCall){ 0 }, NULL, &node, &err), "it fails");
        /* By address: b, a. */
        above = json_node_get_object(json_at(
            node, json_int_at(node, "regions[1].order") >
                  json_int_at(node, "regions[2].order") ? "regions[1]"
                                                        : "regions[2]"));
        ck_assert_str_eq(json_object_get_string_member(above, "name"),
                         i ? "a" : "b");
        ck_assert_str_eq(json_string_at(node, "views[0].ranges[0].last"),
                         i ? "0x7f" : "0xff");
        memory_region_del_subregion(&root, &a);
        memory_region_add_subregion_overlap(&root, 0x80, &a, 0);
    }
    address_space_destroy(&as);
    memory_region_del_subregion(&root, &a);
    memory_region_del_subregion(&root, &b);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&root);
}
END_TEST

/* Each alias of a chain has two aliases to the next one: 2^24 paths, but 49
 * regions. */
#define LEVELS 24

START_TEST(bounded)
{
    static MemoryRegion containers[LEVELS + 1], aliases[LEVELS][2];
    const QMPCommand *command = qmp_command_find("x-query-mtree");
    g_autoptr(JsonNode) node = NULL;
    GError *err = NULL;
    AddressSpace as;

    for (unsigned i = 0; i <= LEVELS; i++) {
        memory_region_init(&containers[i], "c", 0x1000);
    }
    memory_region_set_enabled(&containers[0], false); /* nothing is drawn */
    for (unsigned i = 0; i < LEVELS; i++) {
        for (unsigned j = 0; j < 2; j++) {
            memory_region_init_alias(&aliases[i][j], "a", &containers[i + 1], 0,
                                     0x800);
            memory_region_add_subregion(&containers[i], j * 0x800,
                                        &aliases[i][j]);
        }
    }
    address_space_init(&as, &containers[0]);
    expect(command->run(&(QMPCall){ 0 }, NULL, &node, &err), "it fails");
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(
                          json_at(node, "regions"))), 3 * LEVELS + 1);
    address_space_destroy(&as);
    for (unsigned i = 0; i < LEVELS; i++) {
        for (unsigned j = 0; j < 2; j++) {
            memory_region_del_subregion(&containers[i], &aliases[i][j]);
            memory_region_destroy(&aliases[i][j]);
        }
    }
    for (unsigned i = 0; i <= LEVELS; i++) {
        memory_region_destroy(&containers[i]);
    }
}
END_TEST

/* ---- of the board, through the program ------------------------------------------------- */

static char *hmp(QMPClient *client, const char *line)
{
    JsonNode *node = qmp_run(client, "human-monitor-command",
                             "{'command-line':'%s'}", line);
    g_auto(GStrv) lines = g_strsplit(json_node_get_string(node), "\r\n", 0);

    return g_strjoinv("\n", lines);
}

START_TEST(board)
{
    QMPClient *client = qmp_client_spawn("-M", "microvm", "-m", "16M", "-accel",
                                         "qtest", "-S", NULL);
    g_autofree char *tree = hmp(client, "info mtree -o");
    g_autofree char *flat = hmp(client, "info mtree -fo");
    g_autofree char *wanted = g_strconcat(tree, flat, NULL);
    g_autofree char *text = text_of(qmp_run(client, "x-query-mtree", NULL));

    expect(strcmp(text, wanted) == 0, "%.1500s\nand not\n%.1500s", text, wanted);
    expect(strstr(text, "owner:{dev path=/machine/rtc}"), "%.1500s", text);
    qmp_client_free(client);
}
END_TEST

TEST_MAIN("query-mtree", all_kinds, order, bounded, board)
