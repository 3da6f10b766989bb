/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User objects: the table of their types, making and deleting them.
 */
#include "hw/core/user-object.h"

#include <assert.h>
#include <string.h>

#include "opts.h"

#define OBJECTS "/objects"

#define TYPES                   \
    TYPE(iothread)              \
    TYPE(memory_backend_file)   \
    TYPE(memory_backend_memfd)  \
    TYPE(memory_backend_ram)

#define TYPE(name) extern const UserObjectType name##_type;
TYPES
#undef TYPE

#define TYPE(name) &name##_type,
const UserObjectType *const user_object_types[] = { TYPES NULL };
#undef TYPE

const UserObjectType *user_object_type_find(const char *name, GError **err)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    for (size_t i = 0; user_object_types[i]; i++) {
        if (strcmp(user_object_types[i]->name, name) == 0) {
            return user_object_types[i];
        }
        g_ptr_array_add(names, (char *)user_object_types[i]->name);
    }
    g_ptr_array_add(names, NULL);
    nearest = nearest_name(name, (const char *const *)names->pdata);
    g_set_error(err, FLATVIEW_ERROR, 0, "invalid object type: %s; %s%s%s", name,
                nearest ? "did you mean '" : "see -object help",
                nearest ? nearest : "", nearest ? "'?" : "");
    return NULL;
}

/* ---- as an object ---------------------------------------------------------------- */

static char *user_object_title(const UserObject *obj)
{
    return g_strdup_printf("object '%s' (%s)", obj->id, obj->type->name);
}

static bool is_updatable(const UserObjectType *type, const char *name)
{
    return type->updatable && g_strv_contains(type->updatable, name);
}

void user_object_type_list(const UserObjectType *type, bool settable,
                           GArray *out)
{
    guint first = out->len;

    properties_list(type->properties, settable, out);
    for (guint i = first; i < out->len; i++) {
        ObjectProperty *property = &g_array_index(out, ObjectProperty, i);

        property->writable |= is_updatable(type, property->name);
    }
    for (const ObjectProperty *fact = type->facts; fact && fact->name; fact++) {
        g_array_append_vals(out, fact, 1);
    }
}

static void user_object_list(Object *object, GArray *list)
{
    user_object_type_list(((UserObject *)object)->type, false, list);
}

static GVariant *user_object_get(Object *object, const char *name, GError **err)
{
    UserObject *obj = (UserObject *)object;
    const Property *prop = property_find(obj->type->properties, name);

    return prop ? property_get(prop, obj) : obj->type->fact(obj, name);
}

static bool user_object_set(Object *object, const char *name, GVariant *value,
                            GError **err)
{
    UserObject *obj = (UserObject *)object;
    const Property *prop = property_find(obj->type->properties, name);
    g_autofree char *what = user_object_title(obj);
    g_autoptr(GVariant) before = NULL;

    if (!prop || !is_updatable(obj->type, name)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "cannot change property %s of %s",
                    name, obj->type->name);
        return false;
    }
    before = g_variant_ref_sink(property_get(prop, obj));
    if (!property_set_variant(prop, obj, NULL, what, value, err)) {
        return false;
    }
    if (!obj->type->update(obj, prop, err)) {
        property_set_variant(prop, obj, NULL, what, before, NULL);
        g_prefix_error(err, "%s: ", what);
        return false;
    }
    return true;
}

static const ObjectOps user_object_ops = {
    .list = user_object_list,
    .get = user_object_get,
    .set = user_object_set,
};

/* ---- life ------------------------------------------------------------------------ */

static void user_object_free(UserObject *obj)
{
    properties_clear(obj->type->properties, obj);
    g_free(obj->id);
    g_free(obj);
}

static UserObject *user_object_new(const UserObjectType *type, const char *id)
{
    UserObject *obj = g_malloc0(type->size);

    obj->object.type = type->name;
    obj->object.ops = &user_object_ops;
    obj->type = type;
    obj->id = g_strdup(id);
    properties_init(type->properties, obj);
    return obj;
}

static bool user_object_complete(UserObject *obj, GHashTable *settings,
                                 GError **err)
{
    g_autofree char *what = user_object_title(obj);
    GHashTableIter iter;
    void *name, *value;

    g_hash_table_iter_init(&iter, settings);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (!property_set(obj->type->properties, obj, NULL, what, name, value,
                          err)) {
            return false;
        }
    }
    if (!obj->type->complete(obj, err)) {
        g_prefix_error(err, "%s: ", what);
        return false;
    }
    return true;
}

bool user_object_add_settings(const char *type_name, const char *id,
                              GHashTable *settings, GError **err)
{
    const UserObjectType *type = user_object_type_find(type_name, err);
    g_autofree char *path = g_strconcat(OBJECTS "/", id, NULL);
    UserObject *obj;

    if (!type || !object_id_check(id, err)) {
        return false;
    }
    if (object_resolve(path, NULL)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "attempt to add duplicate property '%s' to object (type "
                    "'container'): choose another id", id);
        return false;
    }
    obj = user_object_new(type, id);
    if (!user_object_complete(obj, settings, err)) {
        user_object_free(obj);
        return false;
    }
    object_add(&obj->object, OBJECTS, id);
    return true;
}

bool user_object_add(const char *text, GError **err)
{
    g_autoptr(GHashTable) settings = NULL;
    g_autofree char *type = NULL, *id = NULL;

    settings = opts_to_settings(text, "qom-type", &type, &id, err);
    if (!settings) {
        return false;
    }
    if (!type || !id) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Parameter '%s' is missing",
                    type ? "id" : "qom-type");
        return false;
    }
    return user_object_add_settings(type, id, settings, err);
}

static void user_object_delete(UserObject *obj)
{
    object_remove(&obj->object);
    obj->type->finish(obj);
    user_object_free(obj);
}

UserObject *user_object_find(const char *id, const char *type, GError **err)
{
    const Object *objects = object_make_container(OBJECTS);

    for (guint i = 0; objects->children && i < objects->children->len; i++) {
        UserObject *obj = g_ptr_array_index(objects->children, i);

        if (strcmp(obj->id, id) == 0) {
            if (object_type_is(obj->type->name, type)) {
                return obj;
            }
            g_set_error(err, FLATVIEW_ERROR, 0, "object '%s' is a '%s', not a "
                        "'%s'", id, obj->type->name, type);
            return NULL;
        }
    }
    g_set_error(err, FLATVIEW_ERROR, 0, "object '%s' not found", id);
    return NULL;
}

bool user_object_del(const char *id, GError **err)
{
    UserObject *obj = user_object_find(id, "user-creatable", err);

    if (obj && obj->users) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "object '%s' is in use, can not be deleted", id);
        return false;
    }
    if (obj) {
        user_object_delete(obj);
    }
    return obj != NULL;
}

void user_objects_free(void)
{
    Object *objects = object_make_container(OBJECTS);

    while (objects->children && objects->children->len) {
        UserObject *obj = g_ptr_array_index(objects->children,
                                            objects->children->len - 1);

        assert(!obj->users);
        user_object_delete(obj);
    }
}

void user_object_ref(UserObject *obj)
{
    obj->users++;
}

void user_object_unref(UserObject *obj)
{
    assert(obj->users);
    obj->users--;
}

void user_object_foreach(const char *type,
                         void (*fn)(UserObject *obj, void *opaque),
                         void *opaque)
{
    const Object *objects = object_make_container(OBJECTS);

    for (guint i = 0; objects->children && i < objects->children->len; i++) {
        UserObject *obj = g_ptr_array_index(objects->children, i);

        if (object_type_is(obj->type->name, type)) {
            fn(obj, opaque);
        }
    }
}

/* ---- help ------------------------------------------------------------------------ */

void user_object_print_types(FILE *out)
{
    for (size_t i = 0; user_object_types[i]; i++) {
        fprintf(out, "%-22s %s\n", user_object_types[i]->name,
                user_object_types[i]->description);
    }
}

bool user_object_print_properties(const char *type_name, FILE *out,
                                  GError **err)
{
    const UserObjectType *type = user_object_type_find(type_name, err);

    if (type) {
        fprintf(out, "%s: %s\n", type->name, type->description);
        properties_print(type->properties, out);
    }
    return type != NULL;
}
