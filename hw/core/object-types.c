/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every type of object there is, from the tables of devices, machines and user
 * objects, and what an object of each would have.
 */
#include <string.h>

#include "hw/core/machine.h"
#include "hw/core/user-object.h"

static void add_type(GArray *types, const char *name, const char *parent,
                     bool abstract)
{
    ObjectTypeInfo info = { name, parent, abstract };

    for (guint i = 0; i < types->len; i++) {
        if (strcmp(g_array_index(types, ObjectTypeInfo, i).name, name) == 0) {
            return;
        }
    }
    g_array_append_val(types, info);
}

static GArray *make_types(void)
{
    GArray *types = g_array_new(FALSE, FALSE, sizeof(ObjectTypeInfo));

    add_type(types, "object", NULL, true);
    add_type(types, "container", "object", false);
    add_type(types, "device", "object", true);
    add_type(types, "cpu", "device", true);
    for (size_t i = 0; device_types[i]; i++) {
        add_type(types, device_types[i]->name, "device", false);
    }
    add_type(types, "machine", "object", true);
    for (size_t i = 0; machine_types[i]; i++) {
        add_type(types, machine_object_type(machine_types[i]), "machine", false);
        add_type(types, machine_types[i]->cpu_type, "cpu", false);
    }
    add_type(types, "chardev", "object", true);
    for (const char *const *name = chardev_backends(); *name; name++) {
        g_autofree char *type = g_strconcat("chardev-", *name, NULL);

        add_type(types, g_intern_string(type), "chardev", false);
    }
    add_type(types, "user-creatable", "object", true);
    add_type(types, "memory-backend", "user-creatable", true);
    for (size_t i = 0; user_object_types[i]; i++) {
        add_type(types, user_object_types[i]->name,
                 user_object_types[i]->parent, false);
    }
    return types;
}

GArray *object_types(void)
{
    static gsize types;

    if (g_once_init_enter(&types)) {
        g_once_init_leave(&types, (gsize)make_types());
    }
    return g_array_ref((GArray *)types);
}

static const ObjectTypeInfo *type_find(const char *name)
{
    g_autoptr(GArray) types = object_types();

    for (guint i = 0; name && i < types->len; i++) {
        const ObjectTypeInfo *info = &g_array_index(types, ObjectTypeInfo, i);

        if (strcmp(info->name, name) == 0) {
            return info;
        }
    }
    return NULL;
}

bool object_type_is(const char *type, const char *ancestor)
{
    const ObjectTypeInfo *info = type_find(type);

    while (info && strcmp(info->name, ancestor) != 0) {
        info = type_find(info->parent);
    }
    return info != NULL;
}

/* ---- properties -------------------------------------------------------------------- */

/* Append what objects of @type have but "type"; *@tables gets where the settings
 * among them are from. */
static void list_properties(const char *type, GArray *list,
                            const Property *tables[2])
{
    for (size_t i = 0; device_types[i]; i++) {
        if (strcmp(device_types[i]->name, type) == 0) {
            tables[0] = device_types[i]->properties;
            device_type_list(device_types[i], list);
            return;
        }
    }
    for (size_t i = 0; machine_types[i]; i++) {
        if (strcmp(machine_object_type(machine_types[i]), type) == 0) {
            tables[0] = machine_common_properties;
            tables[1] = machine_types[i]->properties;
            machine_type_list(machine_types[i], true, list);
            return;
        }
    }
    for (size_t i = 0; user_object_types[i]; i++) {
        if (strcmp(user_object_types[i]->name, type) == 0) {
            tables[0] = user_object_types[i]->properties;
            user_object_type_list(user_object_types[i], true, list);
            return;
        }
    }
    if (object_type_is(type, "cpu")) {
        cpu_type_list(list);
    } else if (object_type_is(type, "device")) {
        device_properties_list(list);
    } else if (object_type_is(type, "chardev")) {
        chardev_type_list(list);
    }
}

static void value_free(void *value)
{
    if (value) {
        g_variant_unref(value);
    }
}

GArray *object_type_properties(const char *type, GPtrArray **defaults,
                               GError **err)
{
    const Property *tables[2] = { NULL, NULL };
    ObjectProperty property = { "type", "string", NULL, false };
    GArray *list;

    if (!type_find(type)) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                    "Class '%s' not found", type);
        return NULL;
    }
    list = g_array_new(FALSE, FALSE, sizeof(ObjectProperty));
    g_array_append_val(list, property);
    list_properties(type, list, tables);
    if (!defaults) {
        return list;
    }
    *defaults = g_ptr_array_new_with_free_func(value_free);
    for (guint i = 0; i < list->len; i++) {
        const char *name = g_array_index(list, ObjectProperty, i).name;
        const Property *prop = property_find(tables[0], name);
        GVariant *value;

        prop = prop ? prop : property_find(tables[1], name);
        value = prop ? property_default(prop) : NULL;
        g_ptr_array_add(*defaults, value ? g_variant_ref_sink(value) : NULL);
    }
    return list;
}
