/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of what a machine is made of, for whoever looks at it from outside
 * (qom-list, info qom-tree, irq_intercept_in):
 *
 *   /machine               the machine
 *   /machine/NAME          a device of the board, e.g. /machine/rtc
 *   /machine/peripheral/ID a device that the user added, with an id
 *   /machine/peripheral-anon/device[N]   and without
 *   /machine/unattached/cpu[N]           a vCPU
 *   /objects/ID            an object that the user added (-object)
 *   /chardevs/ID           a character device
 *
 * An Object is the first member of whatever is in the tree. All functions
 * under the memory lock, or before the machine runs.
 */
#ifndef HW_CORE_OBJECT_H
#define HW_CORE_OBJECT_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct Object Object;

/* A property as it is seen from outside; on top of the Property of a device's
 * or machine's table there are such as "type" and "realized". */
typedef struct ObjectProperty {
    const char *name;
    const char *type;        /* "bool", "uint32", "str", "child<isa-serial>" */
    const char *description; /* NULL: none */
    bool writable;           /* now */
} ObjectProperty;

struct Object {
    const char *type;   /* static: the name of the device type, ... */
    char *name;         /* below its parent; owned */
    Object *parent;     /* NULL: not in the tree */
    GPtrArray *children; /* Object *, in the order in which they came; not owned; NULL:
                          * none */
    GHashTable *by_name; /* the same by their names; NULL: none */
    const struct ObjectOps *ops; /* NULL: a container */
};

/* What a kind of object (device, machine, ...) can do. @name is in the list. */
typedef struct ObjectOps {
    /* Append to @list (of ObjectProperty) all but "type" and children. */
    void (*list)(Object *obj, GArray *list);
    /* The value, floating; NULL with @err. "b", "t", "x", "s", "d" or a
     * dictionary "a{sv}". */
    GVariant *(*get)(Object *obj, const char *name, GError **err);
    /* Also called for what is not writable, to say why. NULL: nothing is. */
    bool (*set)(Object *obj, const char *name, GVariant *value, GError **err);
} ObjectOps;

Object *object_root(void);

/* Whether @id may be that of something a user adds: a letter, then letters,
 * digits, '-', '.' and '_'. False with @err. */
bool object_id_check(const char *id, GError **err);

/* Put @obj below @parent_path; what does not exist of that yet becomes a
 * container ("/machine/peripheral"). The name is copied and must be free there. */
void object_add(Object *obj, const char *parent_path, const char *name);

/* The object at the absolute @path, which becomes a container if there is none. */
Object *object_make_container(const char *path);

/* Take it out, and what is below it; containers among that are freed. Nothing
 * where it is not in the tree. */
void object_remove(Object *obj);

/* The object at @path: absolute ("/machine/rtc"), or the end of one ("rtc",
 * "peripheral/net0"). NULL: none, or, with *@ambiguous (may be NULL), several. */
Object *object_resolve(const char *path, bool *ambiguous);

/* Absolute; to be freed. */
char *object_path(const Object *obj);

/* "obj path=PATH", to be freed: for memory_region_set_owner(). */
char *object_describe(void *obj);

/* All of its properties, "type" first and each child as "child<TYPE>". To be
 * freed with g_array_unref(); names are valid while the object is. */
GArray *object_properties(Object *obj);

/* Value of one, floating; a child's is its path. NULL with @err in the
 * established words: "Property 'TYPE.NAME' not found". */
GVariant *object_get(Object *obj, const char *name, GError **err);

/* Set one; false with @err also where it cannot be set (any more). A floating
 * @value is taken, any other stays the caller's. */
bool object_set(Object *obj, const char *name, GVariant *value, GError **err);

/* ---- types --------------------------------------------------------------------- */

/* Every type there is: abstract ones ("object", "device", "machine",
 * "chardev", "user-creatable", ...) and those of devices, machines ("NAME-machine"),
 * character devices ("chardev-KIND") and user objects. */
typedef struct ObjectTypeInfo {
    const char *name;
    const char *parent; /* NULL: the root of all */
    bool abstract;
} ObjectTypeInfo;

/* GArray of ObjectTypeInfo, to be freed with g_array_unref(). */
GArray *object_types(void);

/* Whether @type is @ancestor or descends from it. */
bool object_type_is(const char *type, const char *ancestor);

/* The properties of a type, before there is an object of it, to be freed with
 * g_array_unref(); default_value in @defaults (GPtrArray of GVariant * or NULL,
 * in the same order) where @defaults is not NULL. NULL with @err: no such type. */
GArray *object_type_properties(const char *type, GPtrArray **defaults,
                               GError **err);

/* ---- objects that a user adds: -object, object-add --------------------------------- */

/* Make one from "TYPE,id=ID,PROP=VALUE...". False with @err. */
bool user_object_add(const char *text, GError **err);

/* The same from names and values as text (key and value char *). */
bool user_object_add_settings(const char *type, const char *id,
                              GHashTable *settings, GError **err);

/* False with @err: none of that id ("object 'ID' not found"), or in use. */
bool user_object_del(const char *id, GError **err);

/* All of them, at the end. */
void user_objects_free(void);

/* For help. */
void user_object_print_types(FILE *out);
bool user_object_print_properties(const char *type, FILE *out, GError **err);

#endif
