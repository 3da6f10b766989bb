/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Human monitor commands that change something: the run of the machine, its
 * devices, character devices and objects. Where there is a QMP command for the
 * same, that does it.
 */
#include <string.h>

#include "cpus.h"
#include "monitor/hmp-commands.h"
#include "opts.h"

/* A QMP command without arguments, and without anything to show. */
static bool simple(const HMPCall *call, const char *name, GError **err)
{
    return hmp_qmp(call, name, NULL, NULL, err);
}

/* One whose argument is our "id". */
static bool by_id(const HMPCall *call, const char *name, GError **err)
{
    JsonObject *args = json_object_new();

    json_object_set_string_member(args, "id", hmp_text(call, "id"));
    return hmp_qmp(call, name, args, NULL, err);
}

/* ---- the run ---------------------------------------------------------------------- */

bool hmp_stop(const HMPCall *call, GError **err)
{
    return simple(call, "stop", err);
}

bool hmp_cont(const HMPCall *call, GError **err)
{
    return simple(call, "cont", err);
}

bool hmp_quit(const HMPCall *call, GError **err)
{
    return simple(call, "quit", err);
}

bool hmp_system_reset(const HMPCall *call, GError **err)
{
    return simple(call, "system_reset", err);
}

bool hmp_system_powerdown(const HMPCall *call, GError **err)
{
    return simple(call, "system_powerdown", err);
}

bool hmp_system_wakeup(const HMPCall *call, GError **err)
{
    return simple(call, "system_wakeup", err);
}

bool hmp_nmi(const HMPCall *call, GError **err)
{
    return simple(call, "inject-nmi", err);
}

bool hmp_cpu_command(const HMPCall *call, GError **err)
{
    uint64_t index = hmp_value(call, "index")->number;

    if (index >= cpus_count()) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "invalid CPU index %" PRIu64 "; info cpus lists them", index);
        return false;
    }
    monitor_set_cpu_index(call->mon, (unsigned)index);
    return true;
}

/* ---- devices and objects ------------------------------------------------------------- */

bool hmp_device_add(const HMPCall *call, GError **err)
{
    const char *text =
        hmp_text(call, "type[,id=ID][,property=value...]");

    return machine_plug(monitor_machine(), text, err);
}

bool hmp_device_del(const HMPCall *call, GError **err)
{
    return by_id(call, "device_del", err);
}

bool hmp_object_add(const HMPCall *call, GError **err)
{
    bool ok;

    memory_lock();
    ok = user_object_add(hmp_text(call, "type,id=ID[,property=value...]"), err);
    memory_unlock();
    return ok;
}

bool hmp_object_del(const HMPCall *call, GError **err)
{
    return by_id(call, "object-del", err);
}

/* ---- character devices --------------------------------------------------------------- */

/* Not chardev_open_opts(), which may wait for somebody to connect. */
bool hmp_chardev_add(const HMPCall *call, GError **err)
{
    const char *text = hmp_text(call, "backend,id=ID[,key=value...]");
    g_autofree char *backend = NULL, *id = NULL;
    g_autoptr(GHashTable) settings =
        opts_to_settings(text, "backend", &backend, &id, err);
    bool ok;

    if (!settings) {
        return false;
    }
    if (!backend || !id) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Parameter '%s' is missing",
                    backend ? "id" : "backend");
        return false;
    }
    memory_lock();
    ok = chardev_open_settings(id, backend, settings, err) != NULL;
    memory_unlock();
    return ok;
}

bool hmp_chardev_remove(const HMPCall *call, GError **err)
{
    return by_id(call, "chardev-remove", err);
}

/* ---- the screen -------------------------------------------------------------------------- */

bool hmp_screendump(const HMPCall *call, GError **err)
{
    static const char *const members[][2] = {
        { "filename", "filename" }, { "format", "-f format" }, { "device", "device" },
    };
    JsonObject *args = json_object_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(members); i++) {
        if (hmp_text(call, members[i][1])) {
            json_object_set_string_member(args, members[i][0],
                                          hmp_text(call, members[i][1]));
        }
    }
    if (hmp_value(call, "head")->given) {
        json_object_set_int_member(args, "head", hmp_value(call, "head")->number);
    }
    return hmp_qmp(call, "screendump", args, NULL, err);
}

/* ---- properties ------------------------------------------------------------------------ */

bool hmp_qom_list(const HMPCall *call, GError **err)
{
    const char *path = hmp_text(call, "path");
    g_autoptr(JsonNode) result = NULL;
    JsonObject *args = json_object_new();
    JsonArray *list;

    json_object_set_string_member(args, "path", path ? path : "/");
    if (!hmp_qmp(call, "qom-list", args, &result, err)) {
        return false;
    }
    list = json_node_get_array(result);
    for (unsigned i = 0; i < json_array_get_length(list); i++) {
        JsonObject *property = json_array_get_object_element(list, i);

        hmp_printf(call, "%s (%s)\n",
                   json_object_get_string_member(property, "name"),
                   json_object_get_string_member(property, "type"));
    }
    return true;
}

static JsonObject *path_and_property(const HMPCall *call)
{
    JsonObject *args = json_object_new();

    json_object_set_string_member(args, "path", hmp_text(call, "path"));
    json_object_set_string_member(args, "property", hmp_text(call, "property"));
    return args;
}

bool hmp_qom_get(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    g_autofree char *text = NULL;

    if (!hmp_qmp(call, "qom-get", path_and_property(call), &result, err)) {
        return false;
    }
    text = json_to_string(result, TRUE);
    hmp_printf(call, "%s\n", text);
    return true;
}

bool hmp_qom_set(const HMPCall *call, GError **err)
{
    const char *text = hmp_text(call, "value");
    JsonObject *args = path_and_property(call);
    JsonNode *value = json_from_string(text, NULL);

    if (!value) {
        value = json_node_init_string(json_node_alloc(), text);
    }
    json_object_set_member(args, "value", value);
    return hmp_qmp(call, "qom-set", args, NULL, err);
}
