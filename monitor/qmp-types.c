/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the groups of commands share; see qmp-types.h.
 */
#include "monitor/qmp-types.h"

#include <string.h>

#include "hw/core/device.h"

const QType qmp_string_list = { .kind = Q_ARRAY, .element = &q_string };

static const char *const targets[] = { QMP_TARGET_NAME, NULL };

const QType qmp_target = {
    .kind = Q_ENUM, .name = "SysEmuTarget", .values = targets,
    .doc = "An architecture.",
};

static const QMember cpu_place_members[] = {
    { "socket-id", &q_int, true, "The package." },
    { "core-id", &q_int, true, "The core in it." },
    { "thread-id", &q_int, true, "The thread of the core." },
    { 0 },
};

const QType qmp_cpu_place = {
    .kind = Q_OBJECT, .name = "CpuInstanceProperties",
    .members = cpu_place_members, .doc = "Where a vCPU is among the others.",
};

JsonObject *qmp_cpu_place_new(unsigned index)
{
    JsonObject *place = json_object_new();

    json_object_set_int_member(place, "socket-id", 0);
    json_object_set_int_member(place, "core-id", index);
    json_object_set_int_member(place, "thread-id", 0);
    return place;
}

/* ---- replies --------------------------------------------------------------------- */

JsonNode *qmp_array(JsonArray *array)
{
    JsonNode *node = json_node_new(JSON_NODE_ARRAY);

    json_node_take_array(node, array);
    return node;
}

JsonNode *qmp_object(JsonObject *object)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_node_take_object(node, object);
    return node;
}

JsonNode *qmp_string(const char *text)
{
    return json_node_init_string(json_node_alloc(), text);
}

JsonNode *qmp_from_variant(GVariant *value)
{
    GVariant *owned = g_variant_ref_sink(value);
    JsonNode *node = json_gvariant_serialize(owned);

    g_variant_unref(owned);
    return node;
}

/* ---- arguments ---------------------------------------------------------------------- */

const char *qmp_arg_string(JsonObject *args, const char *name)
{
    return json_object_has_member(args, name)
               ? json_object_get_string_member(args, name)
               : NULL;
}

int64_t qmp_arg_int(JsonObject *args, const char *name, int64_t otherwise)
{
    return json_object_has_member(args, name)
               ? json_object_get_int_member(args, name)
               : otherwise;
}

bool qmp_arg_bool(JsonObject *args, const char *name, bool otherwise)
{
    return json_object_has_member(args, name)
               ? json_object_get_boolean_member(args, name)
               : otherwise;
}

static bool value_refused(const char *name, GError **err)
{
    g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                "Invalid parameter type for '%s', expected: string, number or "
                "boolean", name);
    return false;
}

static GVariant *dictionary_to_variant(JsonObject *object, GError **err)
{
    GVariantBuilder builder;
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &node)) {
        GVariant *value = qmp_to_variant(node, name, err);

        if (!value) {
            g_variant_builder_clear(&builder);
            return NULL;
        }
        g_variant_builder_add(&builder, "{sv}", name, value);
    }
    return g_variant_builder_end(&builder);
}

GVariant *qmp_to_variant(JsonNode *node, const char *name, GError **err)
{
    if (JSON_NODE_HOLDS_OBJECT(node)) {
        return dictionary_to_variant(json_node_get_object(node), err);
    }
    if (!JSON_NODE_HOLDS_VALUE(node)) {
        value_refused(name, err);
        return NULL;
    }
    switch (json_node_get_value_type(node)) {
    case G_TYPE_BOOLEAN:
        return g_variant_new_boolean(json_node_get_boolean(node));
    case G_TYPE_INT64:
        return g_variant_new_int64(json_node_get_int(node));
    case G_TYPE_DOUBLE:
        return g_variant_new_double(json_node_get_double(node));
    default:
        return g_variant_new_string(json_node_get_string(node));
    }
}

/* As a user would write it; NULL: there is no such way. */
static char *value_text(JsonNode *node)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    if (!JSON_NODE_HOLDS_VALUE(node)) {
        return NULL;
    }
    switch (json_node_get_value_type(node)) {
    case G_TYPE_BOOLEAN:
        return g_strdup(json_node_get_boolean(node) ? "on" : "off");
    case G_TYPE_INT64:
        return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(node));
    case G_TYPE_DOUBLE:
        return g_strdup(g_ascii_dtostr(number, sizeof(number),
                                       json_node_get_double(node)));
    default:
        return g_strdup(json_node_get_string(node));
    }
}

static bool has_member(const QMember *members, const char *name)
{
    for (; members && members->name; members++) {
        if (strcmp(members->name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool qmp_settings_add(GHashTable *settings, JsonObject *args,
                      const QMember *except, GError **err)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    json_object_iter_init(&iter, args);
    while (json_object_iter_next(&iter, &name, &node)) {
        char *text;

        if (has_member(except, name)) {
            continue;
        }
        text = value_text(node);
        if (!text) {
            return value_refused(name, err);
        }
        g_hash_table_replace(settings, g_strdup(name), text);
    }
    return true;
}

GHashTable *qmp_settings_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

bool qmp_finish(bool ok, GError **err)
{
    if (!ok && err && g_error_matches(*err, FLATVIEW_ERROR,
                                      FLATVIEW_ERROR_NOT_FOUND)) {
        (*err)->domain = QMP_ERROR;
        (*err)->code = QMP_ERROR_DEVICE_NOT_FOUND;
    }
    return ok;
}
