/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VNC servers in words, and their passwords, through what QMP has for that.
 */
#include <string.h>

#include "monitor/hmp-commands.h"
#include "ui/display.h"

/* @title, and where that end of a connection is. */
static void print_end(const HMPCall *call, const char *title, JsonObject *end)
{
    hmp_printf(call, "  %s: %s:%s (%s)\n", title,
               json_object_get_string_member(end, "host"),
               json_object_get_string_member(end, "service"),
               json_object_get_string_member(end, "family"));
}

static void print_server(const HMPCall *call, JsonObject *info)
{
    JsonArray *servers = json_object_get_array_member(info, "server");
    JsonArray *clients = json_object_get_array_member(info, "clients");

    hmp_printf(call, "%s:\n", json_object_get_string_member(info, "id"));
    for (unsigned i = 0; i < json_array_get_length(servers); i++) {
        JsonObject *server = json_array_get_object_element(servers, i);

        print_end(call, "Server", server);
        hmp_printf(call, "    Auth: %s (Sub: none)\n",
                   json_object_get_string_member(server, "auth"));
    }
    for (unsigned i = 0; i < json_array_get_length(clients); i++) {
        print_end(call, "Client", json_array_get_object_element(clients, i));
    }
    if (!json_array_get_length(servers)) {
        hmp_printf(call, "  Auth: %s (Sub: none)\n",
                   json_object_get_string_member(info, "auth"));
    }
}

bool hmp_info_vnc(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonArray *list;

    if (!hmp_qmp(call, "query-vnc-servers", NULL, &result, err)) {
        return false;
    }
    list = json_node_get_array(result);
    for (unsigned i = 0; i < json_array_get_length(list); i++) {
        print_server(call, json_array_get_object_element(list, i));
    }
    if (!json_array_get_length(list)) {
        hmp_printf(call, "None\n");
    }
    return true;
}

/* The member @name from the argument @arg, if that is there. */
static void take(const HMPCall *call, const char *arg, JsonObject *args, const char *name)
{
    if (hmp_text(call, arg)) {
        json_object_set_string_member(args, name, hmp_text(call, arg));
    }
}

bool hmp_set_password(const HMPCall *call, GError **err)
{
    JsonObject *args = json_object_new();

    take(call, "protocol", args, "protocol");
    take(call, "password", args, "password");
    take(call, "-d display", args, "display");
    take(call, "action-if-connected", args, "connected");
    return hmp_qmp(call, "set_password", args, NULL, err);
}

bool hmp_expire_password(const HMPCall *call, GError **err)
{
    JsonObject *args = json_object_new();

    take(call, "protocol", args, "protocol");
    take(call, "time", args, "time");
    take(call, "-d display", args, "display");
    return hmp_qmp(call, "expire_password", args, NULL, err);
}

bool hmp_change(const HMPCall *call, GError **err)
{
    JsonObject *args;

    if (strcmp(hmp_text(call, "device"), "vnc") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "device '%s' has no medium to change; 'change vnc password PASSWORD' "
                    "changes a password", hmp_text(call, "device"));
        return false;
    }
    if (strcmp(hmp_text(call, "what"), "password") != 0 ||
        !hmp_text(call, "password")) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "of vnc there is the password: change vnc password PASSWORD");
        return false;
    }
    args = json_object_new();
    take(call, "password", args, "password");
    return hmp_qmp(call, "change-vnc-password", args, NULL, err);
}

static void add_names(GPtrArray *names, const char *const *list)
{
    for (; *list; list++) {
        g_ptr_array_add(names, g_strdup(*list));
    }
}

void complete_display_protocol(const char *word, GPtrArray *names)
{
    add_names(names, (const char *const[]){ "vnc", NULL });
}

void complete_expiry(const char *word, GPtrArray *names)
{
    add_names(names, (const char *const[]){ "now", "never", NULL });
}

static void add_display_id(Display *display, void *names)
{
    g_ptr_array_add(names, g_strdup(display->id));
}

void complete_vnc(const char *word, GPtrArray *names)
{
    displays_foreach("vnc", add_display_id, names);
}

void complete_password_word(const char *word, GPtrArray *names)
{
    add_names(names, (const char *const[]){ "password", NULL });
}
