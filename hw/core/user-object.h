/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user object: something that a user adds beside the machine (-object,
 * object-add), for devices or the machine to use. A const descriptor and a state
 * struct that starts with a UserObject. hw/core/object.h has what monitors call.
 *
 * All functions under the memory lock, or before the machine runs.
 */
#ifndef HW_CORE_USER_OBJECT_H
#define HW_CORE_USER_OBJECT_H

#include "hw/core/device.h"

typedef struct UserObject UserObject;

typedef struct UserObjectType {
    const char *name;        /* as after -object */
    const char *parent;      /* abstract: "user-creatable", "memory-backend" */
    const char *description; /* one line for help */
    size_t size;             /* of the state struct */
    const Property *properties;
    /* Called when the properties are set. False with @err leaves nothing behind;
     * the caller adds the object's name. */
    bool (*complete)(UserObject *obj, GError **err);
    void (*finish)(UserObject *obj); /* undoes complete */
    /* Some properties can be set again later; called when that one was, and
     * false with @err puts the value before back. NULL: none can. */
    bool (*update)(UserObject *obj, const Property *prop, GError **err);
    const char *const *updatable; /* their names; ends with NULL */
    /* What there is to read beyond properties; NULL: nothing. Ends all-zero. */
    const ObjectProperty *facts;
    GVariant *(*fact)(UserObject *obj, const char *name); /* floating */
} UserObjectType;

struct UserObject {
    Object object;
    const UserObjectType *type;
    char *id;
    unsigned users; /* who would miss it; see user_object_ref() */
};

/* Every known type; ends with NULL. The one table a new one joins. */
extern const UserObjectType *const user_object_types[];

/* The type called @name, or NULL with an @err that names the nearest one. */
const UserObjectType *user_object_type_find(const char *name, GError **err);

/* Append what one of @type has but "type" to @out, of ObjectProperty. @settable:
 * as before it is complete. */
void user_object_type_list(const UserObjectType *type, bool settable,
                           GArray *out);

/* The one of that id, if it is of @type or descends from it; or NULL with
 * @err. */
UserObject *user_object_find(const char *id, const char *type, GError **err);

/* Somebody uses it, so it cannot be deleted, until he no longer does. */
void user_object_ref(UserObject *obj);
void user_object_unref(UserObject *obj);

/* Call @fn for each of @type, or what descends from it, in the order in which
 * they were made. */
void user_object_foreach(const char *type,
                         void (*fn)(UserObject *obj, void *opaque),
                         void *opaque);

#endif
