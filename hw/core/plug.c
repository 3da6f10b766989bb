/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that a user adds to a machine and takes out again, before it runs and
 * while it does, and the defaults that a user gives to every device of a type.
 */
#include "hw/core/machine.h"

#include <string.h>

#include "opts.h"
#include "vm-event.h"

/* ---- in ------------------------------------------------------------------------ */

static bool type_check(const Machine *machine, const DeviceType *type,
                       GError **err)
{
    if (!type->user_creatable) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Parameter 'driver' expects a pluggable device type: '%s' is "
                    "a part of the board and cannot be added; '-device help' "
                    "lists what can", type->name);
        return false;
    }
    if (machine->prepared && !type->hotpluggable) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Device '%s' does not support hotplugging: add it with "
                    "-device", type->name);
        return false;
    }
    return true;
}

/* Owns @dev. */
static bool plug(Machine *machine, Device *dev, GError **err)
{
    if (!machine_realize_device(machine, dev, err)) {
        return false;
    }
    if (dev->type->plug && !dev->type->plug(dev, machine, err)) {
        machine_remove_device(machine, dev);
        return false;
    }
    if (dev->hotplugged) {
        device_reset(dev);
    }
    return true;
}

static bool plug_locked(Machine *machine, const char *type_name, const char *id,
                        GHashTable *settings, GError **err)
{
    Device *dev = machine_new_device(machine, type_name, id, err);
    GHashTableIter iter;
    void *name, *value;

    if (!dev) {
        return false;
    }
    if (!type_check(machine, dev->type, err)) {
        device_free(dev);
        return false;
    }
    g_hash_table_iter_init(&iter, settings);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        if (!device_set(dev, name, value, err)) {
            device_free(dev);
            return false;
        }
    }
    return plug(machine, dev, err);
}

bool machine_plug_settings(Machine *machine, const char *type_name,
                           const char *id, GHashTable *settings, GError **err)
{
    bool ok;

    memory_lock();
    ok = plug_locked(machine, type_name, id, settings, err);
    memory_unlock();
    return ok;
}

bool machine_plug(Machine *machine, const char *text, GError **err)
{
    g_autoptr(GHashTable) settings = NULL;
    g_autofree char *driver = NULL, *id = NULL;

    settings = opts_to_settings(text, "driver", &driver, &id, err);
    if (settings && !driver) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Parameter 'driver' is missing: the name of a device comes "
                    "first");
    }
    return settings && driver &&
           machine_plug_settings(machine, driver, id, settings, err);
}

/* ---- out ----------------------------------------------------------------------- */

static Device *find_device(const char *id_or_path, GError **err)
{
    g_autofree char *path = id_or_path[0] == '/'
        ? g_strdup(id_or_path)
        : g_strconcat("/machine/peripheral/", id_or_path, NULL);
    Object *obj = object_resolve(path, NULL);
    Device *dev = obj ? object_device(obj) : NULL;

    if (!obj) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                    "Device '%s' not found", id_or_path);
    } else if (!dev) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s is not a hotpluggable device",
                    id_or_path);
    }
    return dev;
}

void machine_unplug_finish(Machine *machine, Device *dev)
{
    g_autofree char *path = object_path(&dev->object), *id = g_strdup(dev->id);

    machine_remove_device(machine, dev);
    vm_event_send(&(VMEvent){ .kind = VM_EVENT_DEVICE_DELETED, .device = id,
                              .path = path });
}

static bool unplug_locked(Machine *machine, const char *id_or_path,
                          GError **err)
{
    g_autofree char *path = NULL;
    Device *dev = find_device(id_or_path, err);

    if (!dev) {
        return false;
    }
    path = object_path(&dev->object);
    if (!device_is_hotpluggable(dev)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Device '%s' does not support hotplugging: %s stays",
                    dev->type->name, path);
        return false;
    }
    if (dev->type->unplug_request) {
        return dev->type->unplug_request(dev, err);
    }
    machine_unplug_finish(machine, dev);
    return true;
}

bool machine_unplug(Machine *machine, const char *id_or_path, GError **err)
{
    bool ok;

    memory_lock();
    ok = unplug_locked(machine, id_or_path, err);
    memory_unlock();
    return ok;
}

/* ---- globals ------------------------------------------------------------------- */

typedef struct Global {
    char *type, *property, *value;
    bool met;
} Global;

static GArray *globals; /* in the order given: the last one wins */

bool device_add_global(const char *text, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(text, NULL);
    const char *equals = strchr(text, '=');
    /* The last one: a type may have one in its name. */
    const char *dot = equals ? g_strrstr_len(text, equals - text, ".") : NULL;
    Global global = { 0 };

    if (dot) {
        global.type = g_strndup(text, dot - text);
        global.property = g_strndup(dot + 1, equals - dot - 1);
        global.value = g_strdup(equals + 1);
    } else {
        for (guint i = 0; i < opts->len; i++) {
            Opt *opt = opts->pdata[i];
            char **field = strcmp(opt->key, "driver") == 0 ? &global.type
                         : strcmp(opt->key, "property") == 0 ? &global.property
                         : strcmp(opt->key, "value") == 0 ? &global.value
                         : NULL;

            if (field) {
                g_free(*field);
                *field = g_strdup(opt->value);
            } else {
                g_clear_pointer(&global.type, g_free);
                break;
            }
        }
    }
    if (!global.type || !global.property || !global.value) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "'%s' is not of the form TYPE.PROPERTY=VALUE or "
                    "driver=TYPE,property=PROPERTY,value=VALUE", text);
        g_free(global.type);
        g_free(global.property);
        g_free(global.value);
        return false;
    }
    if (!globals) {
        globals = g_array_new(FALSE, FALSE, sizeof(Global));
    }
    g_array_append_val(globals, global);
    return true;
}

bool device_apply_globals(Device *dev, GError **err)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        Global *global = &g_array_index(globals, Global, i);

        if (strcmp(global->type, dev->type->name) != 0) {
            continue;
        }
        global->met = true;
        if (!device_set(dev, global->property, global->value, err)) {
            g_prefix_error(err, "-global %s.%s=%s: ", global->type,
                           global->property, global->value);
            return false;
        }
    }
    return true;
}

void device_globals_check(FILE *out)
{
    for (guint i = 0; globals && i < globals->len; i++) {
        const Global *global = &g_array_index(globals, Global, i);

        if (!global->met) {
            fprintf(out, "warning: -global %s.%s=%s: %s\n", global->type,
                    global->property, global->value,
                    device_type_find(global->type, NULL)
                        ? "there is no such device on this machine"
                        : "there is no device of that type");
        }
    }
}
