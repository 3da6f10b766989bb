/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of objects: paths, and properties as they are seen from outside.
 */
#include "hw/core/object.h"

#include <assert.h>
#include <string.h>

#include "hw/core/device.h"

static const char container_type[] = "container";

static Object root = { .type = container_type };

Object *object_root(void)
{
    return &root;
}

bool object_id_check(const char *id, GError **err)
{
    bool ok = g_ascii_isalpha(id[0]);

    for (const char *p = id; ok && *p; p++) {
        ok = g_ascii_isalnum(*p) || strchr("-._", *p);
    }
    if (!ok) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Parameter 'id' expects an identifier: a letter, then "
                    "letters, digits, '-', '.' and '_'; not '%s'", id);
    }
    return ok;
}

/* ---- the tree ------------------------------------------------------------------ */

static Object *child_find(const Object *obj, const char *name)
{
    return obj->by_name ? g_hash_table_lookup(obj->by_name, name) : NULL;
}

static void child_add(Object *parent, Object *obj, const char *name)
{
    assert(!obj->parent && !child_find(parent, name));
    if (!parent->children) {
        parent->children = g_ptr_array_new();
        parent->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    }
    g_ptr_array_add(parent->children, obj);
    obj->parent = parent;
    obj->name = g_strdup(name);
    g_hash_table_insert(parent->by_name, obj->name, obj);
}

/* Containers are nobody's but the tree's. */
Object *object_make_container(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", 0);
    Object *obj = &root;

    for (char **part = parts; *part; part++) {
        Object *child = **part ? child_find(obj, *part) : obj;

        if (!child) {
            child = g_new0(Object, 1);
            child->type = container_type;
            child_add(obj, child, *part);
        }
        obj = child;
    }
    return obj;
}

void object_add(Object *obj, const char *parent_path, const char *name)
{
    child_add(object_make_container(parent_path), obj, name);
}

void object_remove(Object *obj)
{
    if (!obj->parent) {
        return;
    }
    while (obj->children && obj->children->len) {
        Object *child = g_ptr_array_index(obj->children, 0);

        object_remove(child);
        if (child->type == container_type) {
            g_free(child);
        }
    }
    g_clear_pointer(&obj->children, g_ptr_array_unref);
    g_clear_pointer(&obj->by_name, g_hash_table_unref);
    g_ptr_array_remove(obj->parent->children, obj);
    g_hash_table_remove(obj->parent->by_name, obj->name);
    obj->parent = NULL;
    g_clear_pointer(&obj->name, g_free);
}

static Object *resolve_from(Object *obj, char **parts)
{
    for (; obj && *parts; parts++) {
        if (**parts) {
            obj = child_find(obj, *parts);
        }
    }
    return obj;
}

/* Every object at whose path, or the end of it, @parts are. */
static void resolve_anywhere(Object *from, char **parts, GPtrArray *found)
{
    Object *obj = resolve_from(from, parts);

    if (obj) {
        g_ptr_array_add(found, obj);
    }
    for (guint i = 0; from->children && i < from->children->len; i++) {
        resolve_anywhere(g_ptr_array_index(from->children, i), parts, found);
    }
}

Object *object_resolve(const char *path, bool *ambiguous)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", 0);
    g_autoptr(GPtrArray) found = g_ptr_array_new();

    if (ambiguous) {
        *ambiguous = false;
    }
    if (path[0] == '/') {
        return resolve_from(&root, parts);
    }
    if (path[0]) {
        resolve_anywhere(&root, parts, found);
    }
    if (ambiguous) {
        *ambiguous = found->len > 1;
    }
    return found->len == 1 ? g_ptr_array_index(found, 0) : NULL;
}

char *object_path(const Object *obj)
{
    GString *path = g_string_new(obj == &root ? "/" : NULL);

    for (; obj->parent; obj = obj->parent) {
        g_string_prepend(path, obj->name);
        g_string_prepend_c(path, '/');
    }
    return g_string_free(path, FALSE);
}

char *object_describe(void *obj)
{
    g_autofree char *path = object_path(obj);

    return g_strdup_printf("obj path=%s", path);
}

/* ---- properties ------------------------------------------------------------------ */

static bool is_child_property(const ObjectProperty *property)
{
    return g_str_has_prefix(property->type, "child<");
}

GArray *object_properties(Object *obj)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(ObjectProperty));
    ObjectProperty property = { "type", "string", NULL, false };

    g_array_append_val(list, property);
    if (obj->ops) {
        obj->ops->list(obj, list);
    }
    for (guint i = 0; obj->children && i < obj->children->len; i++) {
        const Object *child = g_ptr_array_index(obj->children, i);
        g_autofree char *type = g_strdup_printf("child<%s>", child->type);

        property.name = child->name;
        property.type = g_intern_string(type);
        g_array_append_val(list, property);
    }
    return list;
}

/* Returns its place in *@list, which the caller frees; NULL with @err. */
static const ObjectProperty *object_property_find(Object *obj,
                                                  const char *name,
                                                  GArray **list, GError **err)
{
    *list = object_properties(obj);
    for (guint i = 0; i < (*list)->len; i++) {
        const ObjectProperty *p = &g_array_index(*list, ObjectProperty, i);

        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    g_set_error(err, FLATVIEW_ERROR, 0, "Property '%s.%s' not found", obj->type,
                name);
    return NULL;
}

GVariant *object_get(Object *obj, const char *name, GError **err)
{
    g_autoptr(GArray) list = NULL;
    const ObjectProperty *property = object_property_find(obj, name, &list,
                                                          err);

    if (!property) {
        return NULL;
    }
    if (property == &g_array_index(list, ObjectProperty, 0)) {
        return g_variant_new_string(obj->type);
    }
    if (is_child_property(property)) {
        return g_variant_new_take_string(object_path(child_find(obj, name)));
    }
    return obj->ops->get(obj, name, err);
}

static bool set_if_writable(Object *obj, const char *name, GVariant *value,
                            GError **err)
{
    g_autoptr(GArray) list = NULL;
    const ObjectProperty *property = object_property_find(obj, name, &list,
                                                          err);

    if (!property) {
        return false;
    }
    if (property == &g_array_index(list, ObjectProperty, 0) ||
        is_child_property(property) || !obj->ops->set) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Property '%s.%s' is not writable",
                    obj->type, name);
        return false;
    }
    return obj->ops->set(obj, name, value, err);
}

bool object_set(Object *obj, const char *name, GVariant *value, GError **err)
{
    bool ok;

    g_variant_ref_sink(value);
    ok = set_if_writable(obj, name, value, err);
    g_variant_unref(value);
    return ok;
}
