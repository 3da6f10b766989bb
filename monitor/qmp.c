/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QEMU Machine Protocol: greeting, negotiation, requests in and out of band,
 * replies.
 *
 * What a client sends waits in two queues, one of them for what is to be executed
 * out of band. A turn of the main loop sends the reply to the last command and
 * executes the next one. So a reply comes after all that its command made the
 * main loop do: when "system_reset" returns, the machine has been reset.
 *
 * Specification: QEMU docs/interop/qmp-spec.
 */
#include "monitor/qmp.h"

#include "monitor/json-stream.h"
#include "monitor/json-text.h"

#include <string.h>

/* While that many requests wait, no more are read. */
#define REQUESTS_MAX 8

/* Of events for a client that does not read, that many are kept: the last. */
#define EVENTS_MAX 256

typedef struct QMPSession {
    JSONStream *stream;
    GQueue requests;      /* JSONText *: in band, errors among them */
    GQueue requests_oob;  /* JSONText * */
    GQueue events;        /* char *: what waits while the monitor is blocked */
    GString *reply;       /* to the last command, not sent yet; or NULL */
    bool negotiated;
    bool oob;
} QMPSession;

/* ---- sending ------------------------------------------------------------------- */

static void text_end(GString *text)
{
    g_string_append(text, "\r\n");
}

/* Send one, unless others wait or the client has to read first. Takes @text. */
static void event_post(Monitor *mon, char *text)
{
    QMPSession *s = mon->session;

    if (s->events.length == 0 && !monitor_is_blocked(mon)) {
        monitor_write(mon, text, strlen(text));
        g_free(text);
        return;
    }
    if (s->events.length == EVENTS_MAX) {
        g_free(g_queue_pop_head(&s->events));
    }
    g_queue_push_tail(&s->events, text);
}

static void qmp_unblocked(Monitor *mon)
{
    QMPSession *s = mon->session;
    char *text;

    while (s->events.length && !monitor_is_blocked(mon)) {
        text = g_queue_pop_head(&s->events);
        monitor_write(mon, text, strlen(text));
        g_free(text);
    }
}

/* The next member of an object; append_end() follows the last one. */
static void append_key(GString *text, bool pretty, bool first, const char *key)
{
    g_string_append(text, first ? "{" : ",");
    g_string_append(text, pretty ? "\r\n    " : first ? "" : " ");
    g_string_append_printf(text, "\"%s\": ", key);
}

static void append_end(GString *text, bool pretty)
{
    g_string_append(text, pretty ? "\r\n}" : "}");
    text_end(text);
}

typedef struct Broadcast {
    JsonNode *event;
    char *texts[2]; /* for plain and pretty monitors; NULL: not needed yet */
} Broadcast;

static void broadcast_to(Monitor *mon, void *opaque)
{
    Broadcast *broadcast = opaque;
    QMPSession *s = mon->session;
    GString *text;

    if (!s || !s->negotiated) {
        return;
    }
    if (!broadcast->texts[mon->pretty]) {
        text = g_string_new(NULL);
        json_text_append(text, broadcast->event, mon->pretty, 0);
        text_end(text);
        broadcast->texts[mon->pretty] = g_string_free(text, FALSE);
    }
    event_post(mon, g_strdup(broadcast->texts[mon->pretty]));
}

void qmp_broadcast(const char *event, JsonObject *data, int64_t time_us)
{
    JsonObject *object = json_object_new(), *timestamp = json_object_new();
    Broadcast broadcast = { .event = json_node_new(JSON_NODE_OBJECT) };

    json_object_set_int_member(timestamp, "seconds", time_us / G_USEC_PER_SEC);
    json_object_set_int_member(timestamp, "microseconds",
                               time_us % G_USEC_PER_SEC);
    json_object_set_object_member(object, "timestamp", timestamp);
    json_object_set_string_member(object, "event", event);
    if (data) {
        json_object_set_object_member(object, "data", json_object_ref(data));
    }
    json_node_take_object(broadcast.event, object);
    monitor_for_each(MONITOR_CONTROL, broadcast_to, &broadcast);
    g_free(broadcast.texts[false]);
    g_free(broadcast.texts[true]);
    json_node_unref(broadcast.event);
}

/* ---- replies ------------------------------------------------------------------------ */

static const char *error_class(const GError *err)
{
    static const char *const names[] = {
        [QMP_ERROR_GENERIC] = "GenericError",
        [QMP_ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
        [QMP_ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [QMP_ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
        [QMP_ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
    };

    return names[err->domain == QMP_ERROR ? err->code : QMP_ERROR_GENERIC];
}

/* The reply of one that failed. Takes @err. */
static GString *reply_error(Monitor *mon, const char *id, GError *err)
{
    GString *text = g_string_new(NULL);
    JsonObject *object = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    json_object_set_string_member(object, "class", error_class(err));
    json_object_set_string_member(object, "desc", err->message);
    json_node_take_object(node, object);
    if (id) {
        append_key(text, mon->pretty, true, "id");
        g_string_append(text, id);
    }
    append_key(text, mon->pretty, !id, "error");
    json_text_append(text, node, mon->pretty, 1);
    append_end(text, mon->pretty);
    json_node_unref(node);
    g_error_free(err);
    return text;
}

/* @result NULL: an empty object. */
static GString *reply_success(Monitor *mon, const char *id, JsonNode *result)
{
    GString *text = g_string_new(NULL);

    append_key(text, mon->pretty, true, "return");
    if (result) {
        json_text_append(text, result, mon->pretty, 1);
    } else {
        g_string_append(text, "{}");
    }
    if (id) {
        append_key(text, mon->pretty, false, "id");
        g_string_append(text, id);
    }
    append_end(text, mon->pretty);
    return text;
}

/* ---- executing ----------------------------------------------------------------------- */

typedef struct Request {
    const char *command;
    JsonObject *args; /* NULL: none */
    bool oob;
} Request;

static bool __attribute__((format(printf, 2, 3)))
    request_error(GError **err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    *err = g_error_new_valist(QMP_ERROR, QMP_ERROR_GENERIC, fmt, args);
    va_end(args);
    return false;
}

static bool request_member(QMPSession *s, Request *request, const char *name,
                           JsonNode *value, GError **err)
{
    bool oob = strcmp(name, "exec-oob") == 0;

    if (strcmp(name, "execute") == 0 || (oob && s->oob)) {
        if (!JSON_NODE_HOLDS_VALUE(value) ||
            json_node_get_value_type(value) != G_TYPE_STRING) {
            return request_error(err, "QMP input member '%s' must be a string",
                                 name);
        }
        if (request->command) {
            return request_error(err, "QMP input member '%s' clashes with '%s'",
                                 "execute", "exec-oob");
        }
        request->command = json_node_get_string(value);
        request->oob = oob;
    } else if (strcmp(name, "arguments") == 0) {
        if (!JSON_NODE_HOLDS_OBJECT(value)) {
            return request_error(err, "QMP input member 'arguments' must be an "
                                 "object");
        }
        request->args = json_node_get_object(value);
    } else if (strcmp(name, "id") != 0) {
        return request_error(err, "QMP input member '%s' is unexpected", name);
    }
    return true;
}

static bool request_read(QMPSession *s, Request *request, JsonNode *root,
                         GError **err)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (!JSON_NODE_HOLDS_OBJECT(root)) {
        return request_error(err, "QMP input must be a JSON object");
    }
    json_object_iter_init_ordered(&iter, json_node_get_object(root));
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        if (!request_member(s, request, name, value, err)) {
            return false;
        }
    }
    if (!request->command) {
        return request_error(err, "QMP input lacks member 'execute'");
    }
    return true;
}

static bool not_found(GError **err, const char *message)
{
    g_set_error_literal(err, QMP_ERROR, QMP_ERROR_COMMAND_NOT_FOUND, message);
    return false;
}

/* Whether the client may use @command now. */
static bool command_allowed(QMPSession *s, const QMPCommand *command,
                            const Request *request, GError **err)
{
    bool negotiates = strcmp(request->command, "qmp_capabilities") == 0;
    char *message;

    if (!s->negotiated && !negotiates) {
        return not_found(err, "Expecting capabilities negotiation with "
                         "'qmp_capabilities'");
    }
    if (s->negotiated && negotiates) {
        return not_found(err, "Capabilities negotiation is already complete, "
                         "command ignored");
    }
    if (!command) {
        message = g_strdup_printf("The command %s has not been found",
                                  request->command);
        not_found(err, message);
        g_free(message);
        return false;
    }
    if (request->oob && !command->oob) {
        return request_error(err, "The command %s does not support OOB",
                             command->name);
    }
    return true;
}

static bool execute(Monitor *mon, JsonNode *root, JsonNode **result,
                    GError **err)
{
    QMPSession *s = mon->session;
    QMPCall call = { .monitor = mon };
    Request request = { 0 };
    const QMPCommand *command;
    JsonObject *args;
    bool ok;

    if (!request_read(s, &request, root, err)) {
        return false;
    }
    command = qmp_command_find(request.command);
    if (!command_allowed(s, command, &request, err)) {
        return false;
    }
    args = request.args ? json_object_ref(request.args) : json_object_new();
    ok = qapi_check(command, args, err) &&
         command->run(&call, args, result, err);
    json_object_unref(args);
    return ok;
}

/* The reply to @request. */
static GString *reply_to(Monitor *mon, JSONText *request)
{
    JsonNode *result = NULL;
    GError *err = NULL;
    GString *reply;

    if (!request->root) {
        request_error(&err, "%s", request->error);
        return reply_error(mon, NULL, err);
    }
    if (execute(mon, request->root, &result, &err)) {
        reply = reply_success(mon, request->id, result);
    } else {
        reply = reply_error(mon, request->id, err);
    }
    g_clear_pointer(&result, json_node_unref);
    return reply;
}

/* ---- a session ------------------------------------------------------------------------- */

static void request_free(void *opaque)
{
    JSONText *request = opaque;

    json_text_clear(request);
    g_free(request);
}

static void write_reply(Monitor *mon)
{
    QMPSession *s = mon->session;

    monitor_write(mon, s->reply->str, s->reply->len);
    g_string_free(s->reply, TRUE);
    s->reply = NULL;
}

/* What happened comes before the reply to the command that made it happen. */
static void send_reply(Monitor *mon)
{
    QMPSession *s = mon->session;

    if (s->reply) {
        qmp_events_send();
        write_reply(mon);
    }
}

static bool qmp_run(Monitor *mon)
{
    QMPSession *s = mon->session;
    JSONText *request;
    bool was_negotiated;

    send_reply(mon);
    if (monitor_is_blocked(mon)) {
        return s->requests.length || s->requests_oob.length;
    }
    request = g_queue_pop_head(&s->requests_oob);
    if (!request) {
        request = g_queue_pop_head(&s->requests);
    }
    if (!request) {
        return false;
    }
    was_negotiated = s->negotiated;
    s->reply = reply_to(mon, request);
    request_free(request);
    if (s->negotiated && !was_negotiated) {
        write_reply(mon); /* clients count on no event before this one */
    }
    return true;
}

static bool is_oob(const JSONText *request)
{
    JsonObject *object = request->root && JSON_NODE_HOLDS_OBJECT(request->root)
                         ? json_node_get_object(request->root) : NULL;

    return object && json_object_has_member(object, "exec-oob") &&
           !json_object_has_member(object, "execute");
}

static size_t qmp_input(Monitor *mon, const uint8_t *buf, size_t len)
{
    QMPSession *s = mon->session;
    size_t taken = 0;
    JSONText text, *request;

    while (taken < len && s->requests.length < REQUESTS_MAX &&
           s->requests_oob.length < REQUESTS_MAX) {
        taken += json_stream_take(s->stream, buf + taken, len - taken, &text);
        if (text.root || text.error) {
            request = g_memdup2(&text, sizeof(text));
            g_queue_push_tail(s->oob && is_oob(request) ? &s->requests_oob
                                                        : &s->requests, request);
        }
    }
    return taken;
}

static void qmp_opened(Monitor *mon)
{
    GString *text = g_string_new(NULL);
    JsonBuilder *builder = json_builder_new();
    JsonNode *greeting;

    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "QMP");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "version");
    json_builder_add_value(builder, qmp_version());
    json_builder_set_member_name(builder, "capabilities");
    json_builder_begin_array(builder);
    json_builder_add_string_value(builder, "oob");
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    greeting = json_builder_get_root(builder);
    json_text_append(text, greeting, mon->pretty, 0);
    text_end(text);
    monitor_write(mon, text->str, text->len);
    json_node_unref(greeting);
    g_object_unref(builder);
    g_string_free(text, TRUE);
}

static void qmp_closed(Monitor *mon)
{
    QMPSession *s = mon->session;

    json_stream_reset(s->stream);
    g_queue_clear_full(&s->requests, request_free);
    g_queue_clear_full(&s->requests_oob, request_free);
    g_queue_clear_full(&s->events, g_free);
    s->negotiated = s->oob = false;
}

void qmp_negotiated(Monitor *mon, bool oob)
{
    QMPSession *s = mon->session;

    qmp_events_send(); /* what was before is not for this client */
    s->negotiated = true;
    s->oob = oob;
}

static void *qmp_attach(Monitor *mon)
{
    QMPSession *s = g_new0(QMPSession, 1);

    s->stream = json_stream_new();
    qmp_events_listen();
    return s;
}

static void qmp_detach(Monitor *mon)
{
    QMPSession *s = mon->session;

    qmp_events_send();
    send_reply(mon);
    qmp_events_unlisten();
    qmp_closed(mon);
    json_stream_free(s->stream);
    g_free(s);
    mon->session = NULL;
}

const MonitorOps qmp_ops = {
    .attach = qmp_attach,
    .detach = qmp_detach,
    .opened = qmp_opened,
    .closed = qmp_closed,
    .input = qmp_input,
    .run = qmp_run,
    .unblocked = qmp_unblocked,
};
