/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of commands and events agrees with itself, and docs/qmp.md with it.
 */
#include "monitor/qapi.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test-util.h"

static GHashTable *names; /* of commands, events and types: what has the name */

/* Nothing else has that name. */
static void check_name(const char *name, const void *owner)
{
    const void *other = g_hash_table_lookup(names, name);

    expect(*name, "an empty name");
    expect(!other || other == owner, "two are called %s", name);
    g_hash_table_insert(names, (char *)name, (void *)owner);
}

static void check_doc(const char *what, const char *doc)
{
    expect(doc && *doc && g_str_has_suffix(doc, "."), "%s: no sentence says what "
           "it is", what);
    expect(g_utf8_validate(doc, -1, NULL) && !strchr(doc, '\n'), "%s", what);
}

static void check_type(const QType *type);

static const QMember *find(const QMember *members, const char *name)
{
    for (; members && members->name; members++) {
        if (strcmp(members->name, name) == 0) {
            return members;
        }
    }
    return NULL;
}

static void check_members(const char *of, const QMember *members)
{
    for (const QMember *m = members; m && m->name; m++) {
        expect(find(members, m->name) == m, "%s has %s twice", of, m->name);
        expect(m->type, "%s.%s has no type", of, m->name);
        check_doc(m->name, m->doc);
        check_type(m->type);
    }
}

static void check_variants(const QType *type)
{
    const QMember *tag = type->tag ? find(type->members, type->tag) : NULL;

    expect(tag && tag->type->kind == Q_ENUM && !tag->optional,
           "%s: variants without a tag", type->name);
    for (const QVariant *v = type->variants; v->value; v++) {
        expect(g_strv_contains(tag->type->values, v->value),
               "%s: the tag never is %s", type->name, v->value);
        if (v->type) {
            expect(v->type->kind == Q_OBJECT && !v->type->variants,
                   "%s: %s", type->name, v->value);
            check_type(v->type);
            for (const QMember *m = v->type->members; m && m->name; m++) {
                expect(!find(type->members, m->name), "%s: %s has %s again",
                       type->name, v->value, m->name);
            }
        }
    }
}

static void check_type(const QType *type)
{
    if (type->kind == Q_ARRAY) {
        expect(type->element && !type->name, "an array");
        check_type(type->element);
        return;
    }
    if (g_hash_table_lookup(names, type->name) == type) {
        return;
    }
    check_name(type->name, type);
    if (type->kind <= Q_ANY) {
        return;
    }
    expect(g_ascii_isupper(*type->name), "%s: a type in lower case", type->name);
    check_doc(type->name, type->doc);
    if (type->kind == Q_ENUM) {
        expect(type->values && *type->values, "%s: no values", type->name);
        for (const char *const *v = type->values; *v; v++) {
            expect(!g_strv_contains(v + 1, *v), "%s: %s twice", type->name, *v);
        }
        return;
    }
    check_members(type->name, type->members);
    if (type->variants) {
        check_variants(type);
    }
}

START_TEST(consistent)
{
    names = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; qmp_command_groups[i]; i++) {
        for (const QMPCommand *c = qmp_command_groups[i]; c->name; c++) {
            check_name(c->name, c);
            check_doc(c->name, c->doc);
            expect(c->run, "%s does nothing", c->name);
            expect(!c->args || c->args->name, "%s: none, not empty", c->name);
            check_members(c->name, c->args);
            if (c->result) {
                check_type(c->result);
            }
            expect(qmp_command_find(c->name) == c, "%s is not found", c->name);
        }
    }
    for (const QMPEventType *event = qmp_event_types; event->name; event++) {
        check_name(event->name, event);
        check_doc(event->name, event->doc);
        check_members(event->name, event->data);
    }
    expect(!qmp_command_find("no-such"), "found");
    g_hash_table_unref(names);
}
END_TEST

/* Each name in the schema is that of one entity, each reference leads to one. */
START_TEST(schema_is_closed)
{
    static const char *const references[] = {
        "arg-type", "ret-type", "element-type",
    };
    JsonNode *schema = qapi_schema();
    JsonArray *array = json_node_get_array(schema);
    GHashTable *known = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        JsonObject *entity = json_array_get_object_element(array, i);

        expect(g_hash_table_add(known, (char *)json_object_get_string_member(
               entity, "name")), "%s twice",
               json_object_get_string_member(entity, "name"));
    }
    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        JsonObject *entity = json_array_get_object_element(array, i);

        for (unsigned j = 0; j < G_N_ELEMENTS(references); j++) {
            expect(!json_object_has_member(entity, references[j]) ||
                   g_hash_table_contains(known, json_object_get_string_member(
                   entity, references[j])), "no such %s", references[j]);
        }
    }
    g_hash_table_unref(known);
    json_node_unref(schema);
}
END_TEST

START_TEST(document_is_current)
{
    const char *source = getenv("SRC_PATH");
    char *path, *text, *wanted = qapi_document();

    expect(source, "the environment has no SRC_PATH");
    path = g_build_filename(source, "docs", "qmp.md", NULL);
    expect(g_file_get_contents(path, &text, NULL, NULL), "no %s", path);
    expect(strcmp(text, wanted) == 0, "%s is not what the table says: "
           "flatview-x86_64 -qmp help >docs/qmp.md", path);
    g_free(path);
    g_free(text);
    g_free(wanted);
}
END_TEST

TEST_MAIN("qmp-table", consistent, schema_is_closed, document_is_current)
