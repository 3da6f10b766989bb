/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the QEMU Machine Protocol for tests. See qmp-client.h.
 */
#include "tests/qmp/qmp-client.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/json-text.h"

struct QMPClient {
    int fd;
    GSource *source;  /* reads; NULL: does not now, or the end was reached */
    bool ended;
    GString *input;
    size_t scanned;   /* bytes of the input that hold no whole message */
    GQueue events;    /* JsonNode *, kept */
    JsonNode *last;   /* what the last call returned, or is in it */
    char *text;       /* the same */
    GHashTable *schema; /* JsonObject * by name; NULL: not checked */
    JsonNode *schema_root;
    pid_t pid;        /* of a program; 0: none */
    Monitor *monitor; /* inside; NULL: none */
    Chardev *chr;     /* its */
    unsigned next_id;
};

/* ---- life ---------------------------------------------------------------------- */

static gboolean on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    QMPClient *client = opaque;
    char buf[65536];
    ssize_t n = read(fd, buf, sizeof(buf));

    if (n > 0) {
        g_string_append_len(client->input, buf, n);
        return G_SOURCE_CONTINUE;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    client->ended = true;
    g_clear_pointer(&client->source, g_source_unref);
    return G_SOURCE_REMOVE;
}

void qmp_client_set_reading(QMPClient *client, bool reading)
{
    if (!reading && client->source) {
        g_source_destroy(client->source);
        g_clear_pointer(&client->source, g_source_unref);
    } else if (reading && !client->source && !client->ended) {
        client->source = g_unix_fd_source_new(client->fd, G_IO_IN | G_IO_HUP);
        g_source_set_callback(client->source, G_SOURCE_FUNC(on_readable),
                              client, NULL);
        g_source_attach(client->source, NULL);
    }
}

QMPClient *qmp_client_new_fd(int fd)
{
    QMPClient *client = g_new0(QMPClient, 1);

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    client->fd = fd;
    client->input = g_string_new(NULL);
    qmp_client_set_reading(client, true);
    return client;
}

QMPClient *qmp_client_new_inside(bool pretty)
{
    static unsigned number;
    QMPClient *client;
    GError *err = NULL;
    char *spec;
    int fds[2];

    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0,
           "socketpair: %m");
    client = qmp_client_new_fd(fds[0]);
    spec = g_strdup_printf("socket,id=qmp-client%u,fd=%d", number++, fds[1]);
    client->chr = chardev_open_opts(spec, &err);
    expect(client->chr, "%s: %s", spec, err ? err->message : "");
    g_free(spec);
    client->monitor = monitor_new(client->chr, MONITOR_CONTROL, pretty, &err);
    expect(client->monitor, "%s", err ? err->message : "no monitor");
    return client;
}

Monitor *qmp_client_monitor(QMPClient *client)
{
    return client->monitor;
}

void qmp_client_free_monitor(QMPClient *client)
{
    g_clear_pointer(&client->monitor, monitor_free);
    g_clear_pointer(&client->chr, chardev_close);
}

QMPClient *qmp_client_spawn_argv(const char *const *args)
{
    const char *program = getenv("FLATVIEW");
    GPtrArray *argv = g_ptr_array_new();
    QMPClient *client;
    char *chardev;
    int fds[2];
    pid_t pid;

    expect(program, "the environment has no FLATVIEW");
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair: %m");
    chardev = g_strdup_printf("socket,id=qmp-client,fd=%d", fds[1]);
    g_ptr_array_add(argv, (char *)program);
    while (*args) {
        g_ptr_array_add(argv, (char *)*args++);
    }
    g_ptr_array_add(argv, "-chardev");
    g_ptr_array_add(argv, chardev);
    g_ptr_array_add(argv, "-mon");
    g_ptr_array_add(argv, "chardev=qmp-client,mode=control");
    g_ptr_array_add(argv, NULL);
    client = qmp_client_new_fd(fds[0]);
    pid = fork();
    if (pid == 0) {
        execv(program, (char **)argv->pdata);
        _exit(127);
    }
    expect(pid > 0, "fork: %m");
    close(fds[1]);
    client->pid = pid;
    g_ptr_array_unref(argv);
    g_free(chardev);
    qmp_client_negotiate(client, false);
    qmp_client_check_schema(client);
    return client;
}

QMPClient *qmp_client_spawn(const char *arg, ...)
{
    GPtrArray *args = g_ptr_array_new();
    QMPClient *client;
    va_list list;

    va_start(list, arg);
    for (; arg; arg = va_arg(list, const char *)) {
        g_ptr_array_add(args, (char *)arg);
    }
    va_end(list);
    g_ptr_array_add(args, NULL);
    client = qmp_client_spawn_argv((const char *const *)args->pdata);
    g_ptr_array_unref(args);
    return client;
}

int qmp_client_wait_exit(QMPClient *client)
{
    int status = 0;

    expect(waitpid(client->pid, &status, 0) == client->pid, "waitpid: %m");
    client->pid = 0;
    return status;
}

void qmp_client_free(QMPClient *client)
{
    int status;

    if (client->pid) {
        qmp_client_say(client, "{\"execute\": \"quit\"}\n");
        status = qmp_client_wait_exit(client);
        expect(status == 0, "the program ends with status 0x%x", status);
    }
    qmp_client_free_monitor(client);
    qmp_client_set_reading(client, false);
    close(client->fd);
    g_string_free(client->input, TRUE);
    g_queue_clear_full(&client->events, (GDestroyNotify)json_node_unref);
    g_clear_pointer(&client->last, json_node_unref);
    g_free(client->text);
    g_clear_pointer(&client->schema, g_hash_table_unref);
    g_clear_pointer(&client->schema_root, json_node_unref);
    g_free(client);
}

/* ---- sending --------------------------------------------------------------------- */

void qmp_client_send(QMPClient *client, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = send(client->fd, p, len, MSG_NOSIGNAL);

        if (n >= 0) {
            p += n;
            len -= n;
            continue;
        }
        expect(errno == EAGAIN, "send: %m");
        if (client->monitor) {
            g_main_context_iteration(NULL, FALSE);
        } else {
            g_usleep(100);
            while (g_main_context_iteration(NULL, FALSE)) {
            }
        }
    }
}

void qmp_client_say(QMPClient *client, const char *fmt, ...)
{
    va_list args;
    char *text;

    va_start(args, fmt);
    text = g_strdup_vprintf(fmt, args);
    va_end(args);
    qmp_client_send(client, text, strlen(text));
    g_free(text);
}

/* ---- receiving --------------------------------------------------------------------- */

/* The length of the first message in the input; 0: there is no whole one. Where it
 * has many lines, only the first, "{", and the last, "}", are not indented. */
static size_t message_length(QMPClient *client)
{
    const char *start = client->input->str, *line, *end;

    while ((end = strchr(start + client->scanned, '\n'))) {
        line = start + client->scanned;
        client->scanned = end + 1 - start;
        if (*line != ' ' && strncmp(line, "{\r\n", 3) != 0) {
            return client->scanned;
        }
    }
    return 0;
}

static void check_message(QMPClient *client, JsonObject *message);

/* The next message, to be freed; NULL: the end. */
static JsonNode *receive(QMPClient *client)
{
    JsonParser *parser;
    GError *err = NULL;
    JsonNode *root;
    size_t len;

    g_clear_pointer(&client->last, json_node_unref);
    g_clear_pointer(&client->text, g_free);
    while (!(len = message_length(client))) {
        if (client->ended) {
            expect(client->input->len == 0, "half a message: %s",
                   client->input->str);
            return NULL;
        }
        g_main_context_iteration(NULL, TRUE);
    }
    parser = json_parser_new();
    expect(json_parser_load_from_data(parser, client->input->str, len, &err),
           "%.*s: %s", (int)MIN(len, 200), client->input->str,
           err ? err->message : "");
    root = json_node_copy(json_parser_get_root(parser));
    g_object_unref(parser);
    g_string_erase(client->input, 0, len);
    client->scanned = 0;
    expect(JSON_NODE_HOLDS_OBJECT(root), "a message that is no object");
    check_message(client, json_node_get_object(root));
    return root;
}

JsonObject *qmp_client_receive(QMPClient *client)
{
    JsonNode *next = g_queue_pop_head(&client->events);

    if (!next) {
        next = receive(client);
    }
    g_clear_pointer(&client->last, json_node_unref);
    client->last = next;
    return next ? json_node_get_object(next) : NULL;
}

const char *qmp_client_receive_text(QMPClient *client)
{
    GString *text = g_string_new(NULL);

    expect(qmp_client_receive(client), "the connection was closed");
    json_text_append(text, client->last, false, 0);
    g_free(client->text);
    client->text = g_string_free(text, FALSE);
    return client->text;
}

JsonObject *qmp_client_receive_reply(QMPClient *client)
{
    JsonNode *node;

    while ((node = receive(client)) &&
           json_object_has_member(json_node_get_object(node), "event")) {
        g_queue_push_tail(&client->events, node);
    }
    expect(node, "the connection was closed");
    client->last = node;
    return json_node_get_object(node);
}

/* ---- commands ------------------------------------------------------------------------- */

static JsonObject *run(QMPClient *client, const char *command, const char *fmt,
                       va_list args)
{
    char *text = fmt ? g_strdup_vprintf(fmt, args) : NULL;
    unsigned id = ++client->next_id;
    JsonObject *reply;

    qmp_client_say(client, "{\"execute\": \"%s\", \"id\": %u%s%s}\n", command, id,
                   text ? ", \"arguments\": " : "", text ? text : "");
    reply = qmp_client_receive_reply(client);
    expect(json_object_has_member(reply, "id") &&
           json_object_get_int_member(reply, "id") == id,
           "%s: a reply with another id", command);
    g_free(text);
    return reply;
}

static void check_result(QMPClient *client, const char *command,
                         JsonNode *result)
{
    JsonObject *entity;
    char *why;

    if (!client->schema) {
        return;
    }
    entity = qmp_schema_find(client, command);
    expect(entity, "%s is not in the schema", command);
    why = qmp_schema_check(client,
                           json_object_get_string_member(entity, "ret-type"),
                           result);
    expect(!why, "result of %s: %s", command, why);
}

JsonNode *qmp_run(QMPClient *client, const char *command, const char *fmt, ...)
{
    JsonObject *reply;
    JsonNode *result;
    va_list args;

    va_start(args, fmt);
    reply = run(client, command, fmt, args);
    va_end(args);
    if (json_object_has_member(reply, "error")) {
        test_fail("%s: %s", command, json_object_get_string_member(
                  json_object_get_object_member(reply, "error"), "desc"));
    }
    result = json_object_get_member(reply, "return");
    check_result(client, command, result);
    return result;
}

const char *qmp_run_error(QMPClient *client, const char *command,
                          const char *fmt, ...)
{
    JsonObject *reply, *error;
    va_list args;

    va_start(args, fmt);
    reply = run(client, command, fmt, args);
    va_end(args);
    expect(json_object_has_member(reply, "error"), "%s succeeds", command);
    error = json_object_get_object_member(reply, "error");
    g_free(client->text);
    client->text = g_strconcat(json_object_get_string_member(error, "class"),
                               ": ",
                               json_object_get_string_member(error, "desc"),
                               NULL);
    return client->text;
}

void qmp_client_negotiate(QMPClient *client, bool oob)
{
    JsonObject *greeting = qmp_client_receive_reply(client);

    expect(json_object_has_member(greeting, "QMP"), "no greeting");
    qmp_run(client, "qmp_capabilities", oob ? "{\"enable\": [\"oob\"]}" : NULL);
}

JsonObject *qmp_wait_event(QMPClient *client, const char *name)
{
    JsonObject *event;

    do {
        event = qmp_client_receive(client);
        expect(event, "no event %s until the connection was closed", name);
    } while (!json_object_has_member(event, "event") ||
             strcmp(json_object_get_string_member(event, "event"), name) != 0);
    if (!json_object_has_member(event, "data")) {
        json_object_set_object_member(event, "data", json_object_new());
    }
    return json_object_get_object_member(event, "data");
}

GQueue *qmp_client_events(QMPClient *client)
{
    return &client->events;
}

/* ---- what is received is as the protocol has it ------------------------------------------ */

static void check_event(QMPClient *client, JsonObject *message)
{
    const char *name = json_object_get_string_member(message, "event");
    JsonObject *time = json_object_get_object_member(message, "timestamp"), *entity;
    JsonNode *data = json_object_get_member(message, "data"), *none = NULL;
    char *why;

    expect(time && json_object_get_int_member(time, "seconds") > 0 &&
           json_object_get_int_member(time, "microseconds") < 1000000,
           "the time of %s", name);
    if (!client->schema) {
        return;
    }
    entity = qmp_schema_find(client, name);
    expect(entity, "%s is not in the schema", name);
    if (!data) {
        data = none = json_node_new(JSON_NODE_OBJECT);
        json_node_take_object(none, json_object_new());
    }
    why = qmp_schema_check(client,
                           json_object_get_string_member(entity, "arg-type"),
                           data);
    expect(!why, "data of %s: %s", name, why);
    g_clear_pointer(&none, json_node_unref);
}

static void check_message(QMPClient *client, JsonObject *message)
{
    static const char *const classes[] = {
        "GenericError", "CommandNotFound", "DeviceNotActive", "DeviceNotFound",
        "KVMMissingCap", NULL,
    };
    JsonObject *error;

    if (json_object_has_member(message, "event")) {
        check_event(client, message);
    } else if (json_object_has_member(message, "error")) {
        error = json_object_get_object_member(message, "error");
        expect(error && g_strv_contains(classes,
               json_object_get_string_member(error, "class")) &&
               *json_object_get_string_member(error, "desc"), "an odd error");
        expect(!json_object_has_member(message, "return"), "two replies in one");
    } else {
        expect(json_object_has_member(message, "return") !=
               json_object_has_member(message, "QMP"), "an odd message");
    }
}

/* ---- the schema ------------------------------------------------------------------------------ */

void qmp_client_check_schema(QMPClient *client)
{
    JsonNode *root = json_node_copy(qmp_run(client, "query-qmp-schema", NULL));
    JsonArray *array = json_node_get_array(root);

    client->schema_root = root;
    client->schema = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        JsonObject *entity = json_array_get_object_element(array, i);

        g_hash_table_insert(client->schema, (char *)
                            json_object_get_string_member(entity, "name"),
                            entity);
    }
    check_result(client, "query-qmp-schema", root);
}

JsonObject *qmp_schema_find(QMPClient *client, const char *name)
{
    return g_hash_table_lookup(client->schema, name);
}

static char *check_builtin(JsonObject *type, JsonNode *node)
{
    const char *wanted = json_object_get_string_member(type, "json-type");
    GType value = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node)
                                              : G_TYPE_INVALID;
    bool ok = strcmp(wanted, "value") == 0 ||
        (strcmp(wanted, "string") == 0 && value == G_TYPE_STRING) ||
        (strcmp(wanted, "int") == 0 && value == G_TYPE_INT64) ||
        (strcmp(wanted, "number") == 0 &&
         (value == G_TYPE_INT64 || value == G_TYPE_DOUBLE)) ||
        (strcmp(wanted, "boolean") == 0 && value == G_TYPE_BOOLEAN) ||
        (strcmp(wanted, "null") == 0 && JSON_NODE_HOLDS_NULL(node));

    return ok ? NULL : g_strdup_printf("not of JSON's kind %s", wanted);
}

static char *check_enum(JsonObject *type, JsonNode *node)
{
    JsonArray *members = json_object_get_array_member(type, "members");

    if (JSON_NODE_HOLDS_VALUE(node) &&
        json_node_get_value_type(node) == G_TYPE_STRING) {
        for (unsigned i = 0; i < json_array_get_length(members); i++) {
            if (strcmp(json_object_get_string_member(
                       json_array_get_object_element(members, i), "name"),
                       json_node_get_string(node)) == 0) {
                return NULL;
            }
        }
        return g_strdup_printf("no value '%s'", json_node_get_string(node));
    }
    return g_strdup("no string");
}

/* Check the members of @type in @object, and take them out of @left. */
static char *check_members(QMPClient *client, JsonObject *type,
                           JsonObject *object, GHashTable *left)
{
    JsonArray *members = json_object_get_array_member(type, "members");

    for (unsigned i = 0; i < json_array_get_length(members); i++) {
        JsonObject *member = json_array_get_object_element(members, i);
        const char *name = json_object_get_string_member(member, "name");
        JsonNode *value = json_object_get_member(object, name);
        char *why, *message;

        if (!value) {
            if (!json_object_has_member(member, "default")) {
                return g_strdup_printf("%s is missing", name);
            }
            continue;
        }
        why = qmp_schema_check(client, json_object_get_string_member(member,
                               "type"), value);
        if (why) {
            message = g_strdup_printf("%s: %s", name, why);
            g_free(why);
            return message;
        }
        g_hash_table_remove(left, name);
    }
    return NULL;
}

static char *check_variant(QMPClient *client, JsonObject *type,
                           JsonObject *object, GHashTable *left)
{
    JsonArray *variants = json_object_get_array_member(type, "variants");
    const char *tag = json_object_get_string_member(type, "tag");
    const char *value = json_object_get_string_member(object, tag);

    for (unsigned i = 0; i < json_array_get_length(variants); i++) {
        JsonObject *variant = json_array_get_object_element(variants, i);

        if (strcmp(json_object_get_string_member(variant, "case"), value) == 0) {
            return check_members(client, qmp_schema_find(client,
                                 json_object_get_string_member(variant, "type")),
                                 object, left);
        }
    }
    return NULL;
}

static char *check_object(QMPClient *client, JsonObject *type, JsonNode *node)
{
    GHashTable *left = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    JsonObjectIter members;
    JsonObject *object;
    const char *name;
    void *extra;
    char *why;

    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        g_hash_table_unref(left);
        return g_strdup("no object");
    }
    object = json_node_get_object(node);
    json_object_iter_init(&members, object);
    while (json_object_iter_next(&members, &name, NULL)) {
        g_hash_table_add(left, (char *)name);
    }
    why = check_members(client, type, object, left);
    if (!why && json_object_has_member(type, "tag")) {
        why = check_variant(client, type, object, left);
    }
    g_hash_table_iter_init(&iter, left);
    if (!why && g_hash_table_iter_next(&iter, &extra, NULL)) {
        why = g_strdup_printf("%s is not in the schema", (char *)extra);
    }
    g_hash_table_unref(left);
    return why;
}

static char *check_array(QMPClient *client, JsonObject *type, JsonNode *node)
{
    char *why = NULL, *message;
    JsonArray *array;

    if (!JSON_NODE_HOLDS_ARRAY(node)) {
        return g_strdup("no array");
    }
    array = json_node_get_array(node);
    for (unsigned i = 0; !why && i < json_array_get_length(array); i++) {
        why = qmp_schema_check(client, json_object_get_string_member(type,
                               "element-type"),
                               json_array_get_element(array, i));
        if (why) {
            message = g_strdup_printf("[%u]: %s", i, why);
            g_free(why);
            why = message;
        }
    }
    return why;
}

static char *check_alternate(QMPClient *client, JsonObject *type,
                             JsonNode *node)
{
    JsonArray *members = json_object_get_array_member(type, "members");
    char *why = NULL;

    for (unsigned i = 0; i < json_array_get_length(members); i++) {
        g_free(why);
        why = qmp_schema_check(client, json_object_get_string_member(
                               json_array_get_object_element(members, i),
                               "type"), node);
        if (!why) {
            return NULL;
        }
    }
    return why;
}

char *qmp_schema_check(QMPClient *client, const char *name, JsonNode *node)
{
    JsonObject *type = qmp_schema_find(client, name);
    const char *meta;

    if (!type) {
        return g_strdup_printf("the schema has no type %s", name);
    }
    meta = json_object_get_string_member(type, "meta-type");
    if (strcmp(meta, "builtin") == 0) {
        return check_builtin(type, node);
    }
    if (strcmp(meta, "enum") == 0) {
        return check_enum(type, node);
    }
    if (strcmp(meta, "array") == 0) {
        return check_array(client, type, node);
    }
    if (strcmp(meta, "alternate") == 0) {
        return check_alternate(client, type, node);
    }
    return check_object(client, type, node);
}

/* ---- looking into results --------------------------------------------------------------------- */

JsonNode *json_at(JsonNode *root, const char *path)
{
    const char *p = path;

    while (root && *p) {
        if (*p == '[') {
            char *end;
            unsigned long index = strtoul(p + 1, &end, 10);

            expect(JSON_NODE_HOLDS_ARRAY(root) &&
                   index < json_array_get_length(json_node_get_array(root)),
                   "%s: no array, or too short", path);
            root = json_array_get_element(json_node_get_array(root), index);
            p = end + 1;
        } else {
            size_t len = strcspn(p += *p == '.', ".[");
            char *name = g_strndup(p, len);

            expect(JSON_NODE_HOLDS_OBJECT(root), "%s: no object", path);
            root = json_object_get_member(json_node_get_object(root), name);
            expect(root, "%s: no %s", path, name);
            g_free(name);
            p += len;
        }
    }
    return root;
}

const char *json_string_at(JsonNode *root, const char *path)
{
    return json_node_get_string(json_at(root, path));
}

int64_t json_int_at(JsonNode *root, const char *path)
{
    return json_node_get_int(json_at(root, path));
}

bool json_bool_at(JsonNode *root, const char *path)
{
    return json_node_get_boolean(json_at(root, path));
}

JsonObject *json_find(JsonNode *root, const char *key, const char *value)
{
    JsonArray *array = json_node_get_array(root);

    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        JsonObject *object = json_array_get_object_element(array, i);

        if (json_object_has_member(object, key) &&
            strcmp(json_object_get_string_member(object, key), value) == 0) {
            return object;
        }
    }
    return NULL;
}
