/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes and goes while the machine runs: device_add, device_del,
 * object-add, object-del; and the user objects that have a list of their own.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, Device infrastructure, QEMU
 * Object Model.
 */
#include "monitor/qmp-types.h"

#include <string.h>

#include "hw/core/machine.h"
#include "monitor/monitor.h"

/* ---- devices ------------------------------------------------------------------------ */

static const QMember device_add_args[] = {
    { "driver", &q_string, false, "The type of the device." },
    { "bus", &q_string, true, "Where it is attached: a PCI bus; other devices have none." },
    { "id", &q_string, true,
      "What to call it. Without one only its path leads to it." },
    { 0 },
};

static bool run_device_add(const QMPCall *call, JsonObject *args,
                           JsonNode **result, GError **err)
{
    const char *driver = qmp_arg_string(args, "driver");
    const char *bus = qmp_arg_string(args, "bus");
    GHashTable *settings = qmp_settings_new();
    const DeviceType *type = device_type_find(driver, NULL);
    bool ok = false;

    if (bus) {
        g_hash_table_insert(settings, g_strdup("bus"), g_strdup(bus));
    }
    if (bus && type && !property_find(type->properties, "bus")) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Bus '%s' not found: device '%s' is on none", bus, driver);
    } else if (qmp_settings_add(settings, args, device_add_args, err)) {
        memory_lock();
        ok = machine_plug_settings(monitor_machine(), driver,
                                   qmp_arg_string(args, "id"), settings, err);
        memory_unlock();
    }
    g_hash_table_unref(settings);
    /* Not even a type that is not there is DeviceNotFound here. */
    return ok;
}

static const QMember device_del_args[] = {
    { "id", &q_string, false, "Its id, or its path among the objects." },
    { 0 },
};

static bool run_device_del(const QMPCall *call, JsonObject *args,
                           JsonNode **result, GError **err)
{
    bool ok;

    memory_lock();
    ok = machine_unplug(monitor_machine(), qmp_arg_string(args, "id"), err);
    memory_unlock();
    return qmp_finish(ok, err);
}

/* ---- user objects -------------------------------------------------------------------- */

/* One for each type, in the order of the names; a test compares them with
 * qom-list-types. */
static const char *const object_type_names[] = {
    "iothread", "memory-backend-file", "memory-backend-memfd",
    "memory-backend-ram", NULL,
};

static const QType object_type = {
    .kind = Q_ENUM, .name = "ObjectType", .values = object_type_names,
    .doc = "A type of objects that a user can add.",
};

static const QMember object_add_args[] = {
    { "qom-type", &object_type, false, "The type of the object." },
    { "id", &q_string, false, "What to call it." },
    { 0 },
};

static bool run_object_add(const QMPCall *call, JsonObject *args,
                           JsonNode **result, GError **err)
{
    GHashTable *settings = qmp_settings_new();
    bool ok = qmp_settings_add(settings, args, object_add_args, err);

    if (ok) {
        memory_lock();
        ok = user_object_add_settings(qmp_arg_string(args, "qom-type"),
                                      qmp_arg_string(args, "id"), settings, err);
        memory_unlock();
    }
    g_hash_table_unref(settings);
    return ok;
}

static const QMember object_del_args[] = {
    { "id", &q_string, false, "Its id." },
    { 0 },
};

static bool run_object_del(const QMPCall *call, JsonObject *args,
                           JsonNode **result, GError **err)
{
    bool ok;

    memory_lock();
    ok = user_object_del(qmp_arg_string(args, "id"), err);
    memory_unlock();
    return ok;
}

static const QMember iothread_members[] = {
    { "id", &q_string, false, "Its id." },
    { "thread-id", &q_int, false, "The host's number of the thread." },
    { "poll-max-ns", &q_int, false,
      "How long it looks for events before it sleeps: always 0." },
    { "poll-grow", &q_int, false, "Always 0." },
    { "poll-shrink", &q_int, false, "Always 0." },
    { "aio-max-batch", &q_int, false, "Always 0: no bound." },
    { 0 },
};

static const QType iothread_info = {
    .kind = Q_OBJECT, .name = "IOThreadInfo", .members = iothread_members,
    .doc = "A thread with an event loop of its own.",
};

static const QType iothread_list = { .kind = Q_ARRAY, .element = &iothread_info };

static void add_iothread(UserObject *obj, void *opaque)
{
    JsonObject *info = json_object_new();
    GVariant *id = g_variant_ref_sink(object_get(&obj->object, "thread-id",
                                                 NULL));

    json_object_set_string_member(info, "id", obj->id);
    json_object_set_int_member(info, "thread-id", g_variant_get_int64(id));
    json_object_set_int_member(info, "poll-max-ns", 0);
    json_object_set_int_member(info, "poll-grow", 0);
    json_object_set_int_member(info, "poll-shrink", 0);
    json_object_set_int_member(info, "aio-max-batch", 0);
    json_array_add_object_element(opaque, info);
    g_variant_unref(id);
}

static bool run_iothreads(const QMPCall *call, JsonObject *args,
                          JsonNode **result, GError **err)
{
    JsonArray *array = json_array_new();

    memory_lock();
    user_object_foreach("iothread", add_iothread, array);
    memory_unlock();
    *result = qmp_array(array);
    return true;
}

const QMPCommand qmp_device_commands[] = {
    {
        .name = "device_add",
        .doc = "Adds a device. Further arguments are its settings, see "
               "device-list-properties: strings, numbers, truth values.",
        .args = device_add_args, .more_args = true,
        .run = run_device_add,
    },
    {
        .name = "device_del",
        .doc = "Takes away a device that was added. The event DEVICE_DELETED says "
               "that it is gone.",
        .args = device_del_args,
        .run = run_device_del,
    },
    {
        .name = "object-add",
        .doc = "Adds an object for devices or the machine to use. Further arguments "
               "are its settings, see qom-list-properties.",
        .args = object_add_args, .more_args = true,
        .run = run_object_add,
    },
    {
        .name = "object-del",
        .doc = "Takes away an object that was added and is not in use.",
        .args = object_del_args,
        .run = run_object_del,
    },
    {
        .name = "query-iothreads",
        .doc = "The threads that were added with object-add or -object.",
        .result = &iothread_list,
        .run = run_iothreads,
    },
    { 0 },
};
