/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of objects and the types: qom-list, qom-get, qom-set, qom-list-types,
 * qom-list-properties, device-list-properties.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, QEMU Object Model.
 */
#include "monitor/qmp-types.h"

#include <string.h>

#include "hw/core/device.h"
#include "hw/core/object.h"

/* ---- properties as JSON ---------------------------------------------------------- */

static const QMember property_members[] = {
    { "name", &q_string, false, "Its name." },
    { "type", &q_string, false,
      "Of its value; child<TYPE> for an object below this one." },
    { "description", &q_string, true, "What it is for." },
    { "default-value", &q_any, true, "What it is unless it is set." },
    { 0 },
};

static const QType property_info = {
    .kind = Q_OBJECT, .name = "ObjectPropertyInfo", .members = property_members,
    .doc = "A property of an object, or of objects of a type.",
};

static const QType property_list = {
    .kind = Q_ARRAY, .element = &property_info,
};

static void add_property(JsonArray *array, const ObjectProperty *property,
                         GVariant *value)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", property->name);
    json_object_set_string_member(info, "type", property->type);
    if (property->description) {
        json_object_set_string_member(info, "description",
                                      property->description);
    }
    if (value) {
        json_object_set_member(info, "default-value", qmp_from_variant(value));
    }
    json_array_add_object_element(array, info);
}

/* ---- objects ----------------------------------------------------------------------- */

static Object *find_object(JsonObject *args, GError **err)
{
    const char *path = qmp_arg_string(args, "path");
    bool ambiguous = false;
    Object *obj = object_resolve(path, &ambiguous);

    if (!obj && ambiguous) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC, "Path '%s' is ambiguous",
                    path);
    } else if (!obj) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_DEVICE_NOT_FOUND,
                    "Device '%s' not found", path);
    }
    return obj;
}

static const QMember list_args[] = {
    { "path", &q_string, false,
      "Of the object: \"/machine/rtc\", or the end of a path that fits only one." },
    { 0 },
};

static JsonNode *list_object(Object *obj)
{
    GArray *properties = object_properties(obj);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < properties->len; i++) {
        add_property(array, &g_array_index(properties, ObjectProperty, i), NULL);
    }
    g_array_unref(properties);
    return qmp_array(array);
}

static bool run_list(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    Object *obj;

    memory_lock();
    obj = find_object(args, err);
    if (obj) {
        *result = list_object(obj);
    }
    memory_unlock();
    return obj != NULL;
}

static const QMember get_args[] = {
    { "path", &q_string, false, "Of the object, as for qom-list." },
    { "property", &q_string, false, "The name of the property." },
    { 0 },
};

static bool run_get(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    GVariant *value = NULL;
    Object *obj;

    memory_lock();
    obj = find_object(args, err);
    if (obj) {
        value = object_get(obj, qmp_arg_string(args, "property"), err);
    }
    if (value) {
        *result = qmp_from_variant(value);
    }
    memory_unlock();
    return value != NULL;
}

static const QMember set_args[] = {
    { "path", &q_string, false, "Of the object, as for qom-list." },
    { "property", &q_string, false, "The name of the property." },
    { "value", &q_any, false, "Of the property's type." },
    { 0 },
};

static bool run_set(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    const char *property = qmp_arg_string(args, "property");
    GVariant *value;
    Object *obj;
    bool ok;

    memory_lock();
    obj = find_object(args, err);
    value = obj ? qmp_to_variant(json_object_get_member(args, "value"), property,
                                 err)
                : NULL;
    if (value) {
        g_variant_ref_sink(value);
    }
    ok = value && object_set(obj, property, value, err);
    memory_unlock();
    g_clear_pointer(&value, g_variant_unref);
    return ok;
}

/* ---- types --------------------------------------------------------------------------- */

static const QMember types_args[] = {
    { "implements", &q_string, true, "Only what descends from this type." },
    { "abstract", &q_bool, true,
      "Whether to list types of which there are no objects; false." },
    { 0 },
};

static const QMember type_members[] = {
    { "name", &q_string, false, "Its name." },
    { "abstract", &q_bool, true, "There are no objects of just this type." },
    { "parent", &q_string, true, "What it descends from." },
    { 0 },
};

static const QType type_info = {
    .kind = Q_OBJECT, .name = "ObjectTypeInfo", .members = type_members,
    .doc = "A type of objects.",
};

static const QType type_list = { .kind = Q_ARRAY, .element = &type_info };

static void add_type(JsonArray *array, const ObjectTypeInfo *type)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "name", type->name);
    if (type->abstract) {
        json_object_set_boolean_member(info, "abstract", TRUE);
    }
    if (type->parent) {
        json_object_set_string_member(info, "parent", type->parent);
    }
    json_array_add_object_element(array, info);
}

static bool run_list_types(const QMPCall *call, JsonObject *args,
                           JsonNode **result, GError **err)
{
    const char *ancestor = qmp_arg_string(args, "implements");
    bool abstract = qmp_arg_bool(args, "abstract", false);
    GArray *types = object_types();
    JsonArray *array = json_array_new();

    for (guint i = 0; i < types->len; i++) {
        const ObjectTypeInfo *type = &g_array_index(types, ObjectTypeInfo, i);

        if ((abstract || !type->abstract) &&
            (!ancestor || object_type_is(type->name, ancestor))) {
            add_type(array, type);
        }
    }
    g_array_unref(types);
    *result = qmp_array(array);
    return true;
}

static const QMember type_args[] = {
    { "typename", &q_string, false, "Of the type." },
    { 0 },
};

/* What objects of type @name have; without "type" and, unless @all, without what
 * a user cannot set. */
static bool list_type(const char *name, bool all, JsonNode **result, GError **err)
{
    GPtrArray *defaults = NULL;
    GArray *properties = object_type_properties(name, &defaults, err);
    JsonArray *array;

    if (!properties) {
        return false;
    }
    array = json_array_new();
    for (guint i = 0; i < properties->len; i++) {
        const ObjectProperty *p = &g_array_index(properties, ObjectProperty, i);
        GVariant *value = defaults->pdata[i];

        if (all || p->writable) {
            add_property(array, p, all || !value ? NULL : g_variant_ref(value));
        }
    }
    g_array_unref(properties);
    g_ptr_array_unref(defaults);
    *result = qmp_array(array);
    return true;
}

static bool run_list_properties(const QMPCall *call, JsonObject *args,
                                JsonNode **result, GError **err)
{
    bool ok;

    memory_lock();
    ok = list_type(qmp_arg_string(args, "typename"), true, result, err);
    memory_unlock();
    return qmp_finish(ok, err);
}

static bool type_is_abstract(const char *name)
{
    GArray *types = object_types();
    bool abstract = false;

    for (guint i = 0; i < types->len; i++) {
        const ObjectTypeInfo *type = &g_array_index(types, ObjectTypeInfo, i);

        abstract |= type->abstract && strcmp(type->name, name) == 0;
    }
    g_array_unref(types);
    return abstract;
}

static bool run_device_properties(const QMPCall *call, JsonObject *args,
                                  JsonNode **result, GError **err)
{
    const char *name = qmp_arg_string(args, "typename");
    bool ok;

    if (!object_type_is(name, "object")) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_DEVICE_NOT_FOUND,
                    "Device '%s' not found", name);
        return false;
    }
    if (!object_type_is(name, "device") || type_is_abstract(name)) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'typename' expects a non-abstract device type");
        return false;
    }
    memory_lock();
    ok = list_type(name, false, result, err);
    memory_unlock();
    return qmp_finish(ok, err);
}

const QMPCommand qmp_qom_commands[] = {
    {
        .name = "qom-list",
        .doc = "The properties of an object, and with them the objects below it.",
        .args = list_args, .result = &property_list,
        .run = run_list,
    },
    {
        .name = "qom-get",
        .doc = "The value of a property; for an object below, its path.",
        .args = get_args, .result = &q_any,
        .run = run_get,
    },
    {
        .name = "qom-set",
        .doc = "Changes a property, where that can be changed.",
        .args = set_args,
        .run = run_set,
    },
    {
        .name = "qom-list-types",
        .doc = "The types of objects.",
        .args = types_args, .result = &type_list,
        .run = run_list_types,
    },
    {
        .name = "qom-list-properties",
        .doc = "What objects of a type have.",
        .args = type_args, .result = &property_list,
        .run = run_list_properties,
    },
    {
        .name = "device-list-properties",
        .doc = "What can be set on a device of a type when it is added.",
        .args = type_args, .result = &property_list,
        .run = run_device_properties,
    },
    { 0 },
};
