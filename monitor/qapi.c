/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What follows from the declarations of commands and events: finding a command,
 * the check of arguments, the schema. See qapi.h.
 */
#include "monitor/qapi.h"

#include <string.h>

const QType q_string = { .kind = Q_STRING, .name = "str" };
const QType q_int = { .kind = Q_INT, .name = "int" };
const QType q_number = { .kind = Q_NUMBER, .name = "number" };
const QType q_bool = { .kind = Q_BOOL, .name = "bool" };
const QType q_null = { .kind = Q_NULL, .name = "null" };
const QType q_any = { .kind = Q_ANY, .name = "any" };

G_DEFINE_QUARK(qmp-error, qmp_error)

const QMPCommand *qmp_command_find(const char *name)
{
    static GHashTable *commands; /* never freed */

    if (!commands) {
        commands = g_hash_table_new(g_str_hash, g_str_equal);
        for (unsigned i = 0; qmp_command_groups[i]; i++) {
            for (const QMPCommand *c = qmp_command_groups[i]; c->name; c++) {
                g_hash_table_insert(commands, (char *)c->name, (void *)c);
            }
        }
    }
    return g_hash_table_lookup(commands, name);
}

/* ---- the check of arguments ------------------------------------------------------ */

/* Where a value is: a member of what is at @parent, or an element. */
typedef struct Place {
    const struct Place *parent; /* NULL: the arguments themselves */
    const char *name;           /* NULL: the element @index */
    unsigned index;
} Place;

static void place_append(GString *text, const Place *place)
{
    if (place->parent) {
        place_append(text, place->parent);
    }
    if (!place->name) {
        g_string_append_printf(text, "[%u]", place->index);
    } else {
        g_string_append_printf(text, "%s%s", text->len ? "." : "", place->name);
    }
}

/* An error: @before, the place in full, such as backend.data.path, @after. */
static bool place_error(const Place *place, GError **err, const char *before,
                        const char *after)
{
    GString *text = g_string_new(NULL);

    place_append(text, place);
    g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC, "%s'%s'%s", before,
                text->str, after);
    g_string_free(text, TRUE);
    return false;
}

static bool wrong_kind(const Place *place, const char *expected, GError **err)
{
    char *after = g_strconcat(", expected: ", expected, NULL);

    place_error(place, err, "Invalid parameter type for ", after);
    g_free(after);
    return false;
}

static bool check_value(const QType *type, JsonNode *node, const Place *place,
                        GError **err);

static const QMember *member_find(const QMember *members, const char *name)
{
    for (; members && members->name; members++) {
        if (strcmp(members->name, name) == 0) {
            return members;
        }
    }
    return NULL;
}

/* Those of @members that there are, and must be. */
static bool check_members(const QMember *members, JsonObject *object,
                          const Place *parent, GError **err)
{
    for (; members && members->name; members++) {
        Place place = { .parent = parent, .name = members->name };
        JsonNode *node = json_object_get_member(object, members->name);

        if (node ? !check_value(members->type, node, &place, err)
                 : !members->optional &&
                   !place_error(&place, err, "Parameter ", " is missing")) {
            return false;
        }
    }
    return true;
}

/* That all members of @object are among @members or @more. */
static bool check_no_others(const QMember *members, const QMember *more,
                            JsonObject *object, const Place *parent,
                            GError **err)
{
    JsonObjectIter iter;
    const char *name;

    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, NULL)) {
        Place place = { .parent = parent, .name = name };

        if (!member_find(members, name) && !member_find(more, name)) {
            return place_error(&place, err, "Parameter ", " is unexpected");
        }
    }
    return true;
}

static bool check_object(const QType *type, JsonObject *object,
                         const Place *place, GError **err)
{
    const QMember *more = NULL;

    if (!check_members(type->members, object, place, err)) {
        return false;
    }
    if (type->variants && json_object_has_member(object, type->tag)) {
        const char *value = json_object_get_string_member(object, type->tag);

        for (const QVariant *v = type->variants; v->value; v++) {
            if (strcmp(v->value, value) == 0 && v->type) {
                more = v->type->members;
            }
        }
    }
    return check_members(more, object, place, err) &&
           check_no_others(type->members, more, object, place, err);
}

static bool check_enum(const QType *type, JsonNode *node, const Place *place,
                       GError **err)
{
    const char *value = json_node_get_string(node);
    Place last = *place;
    char *after;

    if (g_strv_contains(type->values, value)) {
        return true;
    }
    if (last.name) {
        last.parent = NULL; /* the established words name no more than this */
    }
    after = g_strdup_printf(" does not accept value '%s'", value);
    place_error(&last, err, "Parameter ", after);
    g_free(after);
    return false;
}

/* Whether @node is JSON of @kind. */
static bool node_is(JsonNode *node, QKind kind)
{
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node)
                                             : G_TYPE_INVALID;

    switch (kind) {
    case Q_STRING:
    case Q_ENUM:
        return type == G_TYPE_STRING;
    case Q_INT:
        return type == G_TYPE_INT64;
    case Q_NUMBER:
        return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
    case Q_BOOL:
        return type == G_TYPE_BOOLEAN;
    case Q_NULL:
        return JSON_NODE_HOLDS_NULL(node);
    case Q_OBJECT:
        return JSON_NODE_HOLDS_OBJECT(node);
    case Q_ARRAY:
        return JSON_NODE_HOLDS_ARRAY(node);
    default:
        return true;
    }
}

static bool check_value(const QType *type, JsonNode *node, const Place *place,
                        GError **err)
{
    static const char *const words[] = {
        [Q_STRING] = "string", [Q_INT] = "integer", [Q_NUMBER] = "number",
        [Q_BOOL] = "boolean",  [Q_NULL] = "null",   [Q_ENUM] = "string",
        [Q_OBJECT] = "object", [Q_ARRAY] = "array",
    };

    if (!node_is(node, type->kind)) {
        return wrong_kind(place, words[type->kind], err);
    }
    switch (type->kind) {
    case Q_ENUM:
        return check_enum(type, node, place, err);
    case Q_OBJECT:
        return check_object(type, json_node_get_object(node), place, err);
    case Q_ARRAY: {
        JsonArray *array = json_node_get_array(node);

        for (unsigned i = 0; i < json_array_get_length(array); i++) {
            Place element = { .parent = place, .index = i };

            if (!check_value(type->element, json_array_get_element(array, i),
                             &element, err)) {
                return false;
            }
        }
        return true;
    }
    case Q_ALTERNATE:
        for (const QMember *m = type->members; m->name; m++) {
            if (node_is(node, m->type->kind)) {
                return check_value(m->type, node, place, err);
            }
        }
        return wrong_kind(place, type->name, err);
    default:
        return true;
    }
}

bool qapi_check(const QMPCommand *command, JsonObject *args, GError **err)
{
    return check_members(command->args, args, NULL, err) &&
           (command->more_args ||
            check_no_others(command->args, NULL, args, NULL, err));
}

/* ---- the schema -------------------------------------------------------------------- */

#define NO_MEMBERS "q_empty" /* the name of the object without members */

typedef struct Schema {
    JsonArray *entities;
    GHashTable *names; /* of what is in there; char *, owned */
} Schema;

static char *type_name(const QType *type)
{
    char *element, *name;

    if (type->kind != Q_ARRAY) {
        return g_strdup(type->name);
    }
    element = type_name(type->element);
    name = g_strdup_printf("[%s]", element);
    g_free(element);
    return name;
}

/* A new entity, or NULL where there is one of that name. Takes @name. */
static JsonObject *schema_add(Schema *schema, char *name, const char *meta_type)
{
    JsonObject *entity;

    if (g_hash_table_contains(schema->names, name)) {
        g_free(name);
        return NULL;
    }
    entity = json_object_new();
    json_object_set_string_member(entity, "name", name);
    json_object_set_string_member(entity, "meta-type", meta_type);
    json_array_add_object_element(schema->entities, entity);
    g_hash_table_add(schema->names, name);
    return entity;
}

static void schema_add_type(Schema *schema, const QType *type);

/* Set the member @key of @object to the name of @type, which joins the schema. */
static void set_type(Schema *schema, JsonObject *object, const char *key,
                     const QType *type)
{
    static const QType empty = { .kind = Q_OBJECT, .name = NO_MEMBERS };
    char *name = type_name(type ? type : &empty);

    json_object_set_string_member(object, key, name);
    g_free(name);
    schema_add_type(schema, type ? type : &empty);
}

static void add_members(Schema *schema, JsonObject *entity,
                        const QMember *members, bool named)
{
    JsonArray *array = json_array_new();

    json_object_set_array_member(entity, "members", array);
    for (; members && members->name; members++) {
        JsonObject *member = json_object_new();

        if (named) {
            json_object_set_string_member(member, "name", members->name);
        }
        set_type(schema, member, "type", members->type);
        if (members->optional) {
            json_object_set_null_member(member, "default");
        }
        json_array_add_object_element(array, member);
    }
}

static void add_variants(Schema *schema, JsonObject *entity, const QType *type)
{
    JsonArray *array = json_array_new();

    json_object_set_string_member(entity, "tag", type->tag);
    json_object_set_array_member(entity, "variants", array);
    for (const QVariant *v = type->variants; v->value; v++) {
        JsonObject *variant = json_object_new();

        json_object_set_string_member(variant, "case", v->value);
        set_type(schema, variant, "type", v->type);
        json_array_add_object_element(array, variant);
    }
}

static void add_values(JsonObject *entity, const QType *type)
{
    JsonArray *members = json_array_new(), *values = json_array_new();

    for (const char *const *value = type->values; *value; value++) {
        JsonObject *member = json_object_new();

        json_object_set_string_member(member, "name", *value);
        json_array_add_object_element(members, member);
        json_array_add_string_element(values, *value);
    }
    json_object_set_array_member(entity, "members", members);
    json_object_set_array_member(entity, "values", values);
}

static void schema_add_type(Schema *schema, const QType *type)
{
    static const struct {
        const char *meta_type, *json_type;
    } kinds[] = {
        [Q_STRING] = { "builtin", "string" }, [Q_INT] = { "builtin", "int" },
        [Q_NUMBER] = { "builtin", "number" }, [Q_BOOL] = { "builtin", "boolean" },
        [Q_NULL] = { "builtin", "null" },     [Q_ANY] = { "builtin", "value" },
        [Q_ENUM] = { "enum", NULL },          [Q_OBJECT] = { "object", NULL },
        [Q_ARRAY] = { "array", NULL },        [Q_ALTERNATE] = { "alternate", NULL },
    };
    JsonObject *entity = schema_add(schema, type_name(type),
                                    kinds[type->kind].meta_type);

    if (!entity) {
        return;
    }
    if (kinds[type->kind].json_type) {
        json_object_set_string_member(entity, "json-type",
                                      kinds[type->kind].json_type);
    } else if (type->kind == Q_ENUM) {
        add_values(entity, type);
    } else if (type->kind == Q_ARRAY) {
        set_type(schema, entity, "element-type", type->element);
    } else {
        add_members(schema, entity, type->members, type->kind == Q_OBJECT);
        if (type->variants) {
            add_variants(schema, entity, type);
        }
    }
}

/* The arguments of a command or event @name: an object called "NAME-arg". */
static void set_arguments(Schema *schema, JsonObject *entity, const char *name,
                          const QMember *members)
{
    char *type = g_strdup_printf("%s-arg", name);
    QType object = { .kind = Q_OBJECT, .name = type, .members = members };

    set_type(schema, entity, "arg-type", members ? &object : NULL);
    g_free(type);
}

static void schema_add_command(Schema *schema, const QMPCommand *command)
{
    JsonObject *entity = schema_add(schema, g_strdup(command->name), "command");
    JsonArray *features;

    set_arguments(schema, entity, command->name, command->args);
    set_type(schema, entity, "ret-type", command->result);
    if (command->oob) {
        json_object_set_boolean_member(entity, "allow-oob", true);
    }
    if (command->deprecated) {
        features = json_array_new();
        json_array_add_string_element(features, "deprecated");
        json_object_set_array_member(entity, "features", features);
    }
}

JsonNode *qapi_schema(void)
{
    JsonNode *node;
    Schema schema = {
        .entities = json_array_new(),
        .names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
    };

    for (unsigned i = 0; qmp_command_groups[i]; i++) {
        for (const QMPCommand *c = qmp_command_groups[i]; c->name; c++) {
            schema_add_command(&schema, c);
        }
    }
    for (const QMPEventType *event = qmp_event_types; event->name; event++) {
        JsonObject *entity = schema_add(&schema, g_strdup(event->name), "event");

        set_arguments(&schema, entity, event->name, event->data);
    }
    g_hash_table_unref(schema.names);
    node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, schema.entities);
    return node;
}
