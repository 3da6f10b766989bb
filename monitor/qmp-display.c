/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays that people reach from elsewhere: where they are, who is there, and the
 * passwords that they ask for.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, User interface.
 */
#include "monitor/qmp-types.h"

#include <string.h>

#include "ui/display.h"

/* ---- types -------------------------------------------------------------------------- */

static const char *const families[] = { "ipv4", "ipv6", "unix", NULL };

static const QType family = {
    .kind = Q_ENUM, .name = "NetworkAddressFamily", .values = families,
    .doc = "A kind of network address.",
};

static const char *const auths[] = { "none", "vnc", NULL };

static const QType auth = {
    .kind = Q_ENUM, .name = "VncPrimaryAuth", .values = auths,
    .doc = "How a client proves who it is: not at all, or by a password.",
};

#define END_MEMBERS                                                           \
    { "host", &q_string, false, "The address; of a UNIX socket \"\"." },      \
    { "service", &q_string, false, "The port; of a UNIX socket its path." },  \
    { "family", &family, false, "What kind of address it is." },              \
    { "websocket", &q_bool, false, "Whether it is a WebSocket: no." }

static const QMember client_members[] = {
    END_MEMBERS,
    { 0 },
};

const QType qmp_vnc_client = {
    .kind = Q_OBJECT, .name = "VncClientInfo", .members = client_members,
    .doc = "A client of a VNC server.",
};

static const QType clients = { .kind = Q_ARRAY, .element = &qmp_vnc_client };

static const QMember event_server_members[] = {
    END_MEMBERS,
    { "auth", &q_string, true, "How clients prove who they are." },
    { 0 },
};

const QType qmp_vnc_event_server = {
    .kind = Q_OBJECT, .name = "VncServerInfo", .members = event_server_members,
    .doc = "Where a client came in.",
};

static const QMember server_members[] = {
    END_MEMBERS,
    { "auth", &auth, false, "How clients prove who they are." },
    { 0 },
};

static const QType server = {
    .kind = Q_OBJECT, .name = "VncServerInfo2", .members = server_members,
    .doc = "Where a VNC server is reached.",
};

static const QType servers = { .kind = Q_ARRAY, .element = &server };

static const QMember vnc_members[] = {
    { "enabled", &q_bool, false, "Whether there is one; otherwise that is all." },
    { "host", &q_string, true, "Its address; of a UNIX socket \"\"." },
    { "service", &q_string, true, "Its port; of a UNIX socket its path." },
    { "family", &family, true, "What kind of address it is." },
    { "auth", &q_string, true, "How clients prove who they are: none or vnc." },
    { "clients", &clients, true, "Who is connected." },
    { 0 },
};

static const QType vnc = {
    .kind = Q_OBJECT, .name = "VncInfo", .members = vnc_members,
    .doc = "A VNC server, and its first address.",
};

static const QMember display_members[] = {
    { "id", &q_string, false, "Its id; \"default\" without." },
    { "server", &servers, false, "Where it is reached." },
    { "clients", &clients, false, "Who is connected." },
    { "auth", &auth, false, "How clients prove who they are." },
    { 0 },
};

static const QType display = {
    .kind = Q_OBJECT, .name = "VncInfo2", .members = display_members,
    .doc = "A VNC server.",
};

static const QType displays = { .kind = Q_ARRAY, .element = &display };

/* ---- what there is --------------------------------------------------------------------- */

JsonObject *qmp_display_end(const DisplayClient *end)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "host", end->host);
    json_object_set_string_member(object, "service", end->service);
    json_object_set_string_member(object, "family", end->family);
    json_object_set_boolean_member(object, "websocket", FALSE);
    return object;
}

/* With @auth in each, unless that is NULL. */
static JsonArray *ends(const GPtrArray *list, const char *auth)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < list->len; i++) {
        JsonObject *end = qmp_display_end(list->pdata[i]);

        if (auth) {
            json_object_set_string_member(end, "auth", auth);
        }
        json_array_add_object_element(array, end);
    }
    return array;
}

static bool run_query_vnc(const QMPCall *call, JsonObject *args, JsonNode **result,
                          GError **err)
{
    Display *first = display_find("vnc", NULL, NULL);
    DisplayInfo *info = first ? first->type->info(first) : NULL;
    bool enabled = info && info->servers->len;
    JsonObject *object = json_object_new();

    json_object_set_boolean_member(object, "enabled", enabled);
    if (enabled) {
        const DisplayClient *end = info->servers->pdata[0];

        json_object_set_string_member(object, "host", end->host);
        json_object_set_string_member(object, "service", end->service);
        json_object_set_string_member(object, "family", end->family);
        json_object_set_string_member(object, "auth", info->auth);
        json_object_set_array_member(object, "clients", ends(info->clients, NULL));
    }
    display_info_free(info);
    *result = qmp_object(object);
    return true;
}

static void add_display(Display *display, void *array)
{
    DisplayInfo *info = display->type->info(display);
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "id", info->id);
    json_object_set_array_member(object, "server", ends(info->servers, info->auth));
    json_object_set_array_member(object, "clients", ends(info->clients, NULL));
    json_object_set_string_member(object, "auth", info->auth);
    json_array_add_object_element(array, object);
    display_info_free(info);
}

static bool run_query_servers(const QMPCall *call, JsonObject *args, JsonNode **result,
                              GError **err)
{
    JsonArray *array = json_array_new();

    displays_foreach("vnc", add_display, array);
    *result = qmp_array(array);
    return true;
}

/* ---- passwords ---------------------------------------------------------------------------- */

static const char *const protocols[] = { "vnc", "spice", NULL };

static const QType protocol = {
    .kind = Q_ENUM, .name = "DisplayProtocol", .values = protocols,
    .doc = "How displays are reached. There is no spice.",
};

static const char *const actions[] = { "keep", "fail", "disconnect", NULL };

static const QType action = {
    .kind = Q_ENUM, .name = "SetPasswordAction", .values = actions,
    .doc = "What becomes of clients that are connected.",
};

static const QMember set_args[] = {
    { "protocol", &protocol, false, "vnc." },
    { "password", &q_string, false,
      "The password; VNC looks at 8 bytes. With \"\" nobody gets in." },
    { "connected", &action, true, "keep, which is all that VNC has." },
    { "display", &q_string, true, "The id of the server; without, the first one." },
    { 0 },
};

static const QMember expire_args[] = {
    { "protocol", &protocol, false, "vnc." },
    { "time", &q_string, false,
      "now, never, +N: in so many seconds, or N: so many after 1970 began." },
    { "display", &q_string, true, "The id of the server; without, the first one." },
    { 0 },
};

static const QMember change_args[] = {
    { "password", &q_string, false, "As of set_password." },
    { 0 },
};

/* The server that @args name, which may be missing or of another protocol. */
static Display *find_server(JsonObject *args, GError **err)
{
    if (g_strcmp0(qmp_arg_string(args, "protocol"), "spice") == 0) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_DEVICE_NOT_ACTIVE, "SPICE is not in use");
        return NULL;
    }
    return display_find("vnc", qmp_arg_string(args, "display"), err);
}

static bool run_set_password(const QMPCall *call, JsonObject *args, JsonNode **result,
                             GError **err)
{
    const char *connected = qmp_arg_string(args, "connected");
    Display *server = find_server(args, err);

    if (!server) {
        return false;
    }
    if (connected && strcmp(connected, "keep") != 0) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'connected' expects 'keep' where the protocol is vnc: "
                    "clients stay");
        return false;
    }
    return server->type->set_password(server, qmp_arg_string(args, "password"), err);
}

static bool parse_time(const char *text, int64_t *when, GError **err)
{
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    bool relative = *text == '+';
    gint64 number;

    if (strcmp(text, "now") == 0) {
        *when = now;
        return true;
    }
    if (strcmp(text, "never") == 0) {
        *when = INT64_MAX;
        return true;
    }
    if (!g_ascii_isdigit(text[relative]) ||
        !g_ascii_string_to_signed(text + relative, 10, 0, INT64_MAX - now, &number,
                                  NULL)) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'time' is '%s': it is now, never, +SECONDS, or seconds "
                    "since 1970", text);
        return false;
    }
    *when = relative ? now + number : number;
    return true;
}

static bool run_expire_password(const QMPCall *call, JsonObject *args,
                                JsonNode **result, GError **err)
{
    Display *server = find_server(args, err);
    int64_t when;

    return server && parse_time(qmp_arg_string(args, "time"), &when, err) &&
           server->type->expire_password(server, when, err);
}

const QMPCommand qmp_display_commands[] = {
    {
        .name = "query-vnc",
        .doc = "The first VNC server.",
        .result = &vnc,
        .run = run_query_vnc,
    },
    {
        .name = "query-vnc-servers",
        .doc = "All VNC servers.",
        .result = &displays,
        .run = run_query_servers,
    },
    {
        .name = "set_password",
        .doc = "Sets the password of a server that was opened with password=on. "
               "Clients that are connected stay.",
        .args = set_args,
        .run = run_set_password,
    },
    {
        .name = "expire_password",
        .doc = "Says when the password lets nobody in any more. Clients that are "
               "connected stay.",
        .args = expire_args,
        .run = run_expire_password,
    },
    {
        .name = "change-vnc-password",
        .doc = "The same as set_password of the first VNC server.",
        .args = change_args,
        .run = run_set_password,
    },
    { 0 },
};
