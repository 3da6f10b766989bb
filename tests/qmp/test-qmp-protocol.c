/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol: greeting, negotiation, ids, commands in and out of band, the
 * check of arguments, events, limits, clients that do not read, that go and come
 * back. With a table of commands of its own.
 */
#include "monitor/json-stream.h"
#include "monitor/qmp.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/qmp/qmp-client.h"
#include "vm-event.h"

/* ---- commands of this test ----------------------------------------------------- */

static GString *noted; /* the "n" of test-note and test-note-oob */

static const QMember note_args[] = { { "n", &q_int, false, "A number." }, { 0 } };

static bool run_note(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    g_string_append_printf(noted, " %d",
                           (int)json_object_get_int_member(args, "n"));
    return true;
}

static const QMember big_args[] = { { "size", &q_int, false, "Bytes." }, { 0 } };

static bool run_big(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    char *text = g_strnfill(json_object_get_int_member(args, "size"), 'x');

    g_string_append(noted, " big");
    *result = json_node_init_string(json_node_alloc(), text);
    g_free(text);
    return true;
}

static const QMember fail_args[] = { { "class", &q_int, false, "" }, { 0 } };

static bool run_fail(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    int class = json_object_get_int_member(args, "class");

    if (class < 0) {
        g_set_error(err, G_FILE_ERROR, G_FILE_ERROR_NOENT, "no such\n\"file\"");
    } else {
        g_set_error(err, QMP_ERROR, class, "class %d", class);
    }
    return false;
}

static bool run_stop(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    VMEvent event = { .kind = VM_EVENT_STOP };

    vm_event_send(&event);
    return true;
}

static const char *const colours[] = { "red", "green", NULL };
static const QType colour = { .kind = Q_ENUM, .name = "Colour", .values = colours };
static const QType colour_list = { .kind = Q_ARRAY, .element = &colour };
static const QMember point_members[] = {
    { "x", &q_int, false, "" }, { "y", &q_number, true, "" }, { 0 },
};
static const QType point = {
    .kind = Q_OBJECT, .name = "Point", .members = point_members,
};
static const QType point_list = { .kind = Q_ARRAY, .element = &point };
static const QMember circle_members[] = {
    { "at", &point, false, "" }, { "r", &q_int, false, "" }, { 0 },
};
static const QType circle = {
    .kind = Q_OBJECT, .name = "Circle", .members = circle_members,
};
static const char *const shape_kinds[] = { "circle", "nothing", NULL };
static const QType shape_kind = {
    .kind = Q_ENUM, .name = "ShapeKind", .values = shape_kinds,
};
static const QMember shape_members[] = { { "kind", &shape_kind, false, "" }, { 0 } };
static const QVariant shape_variants[] = {
    { "circle", &circle }, { "nothing", NULL }, { 0 },
};
static const QType shape = {
    .kind = Q_OBJECT, .name = "Shape", .members = shape_members, .tag = "kind",
    .variants = shape_variants,
};
static const QMember either_members[] = {
    { "name", &q_string, false, "" }, { "point", &point, false, "" },
    { "none", &q_null, false, "" },   { 0 },
};
static const QType either = {
    .kind = Q_ALTERNATE, .name = "StrOrPoint", .members = either_members,
};
static const QMember types_args[] = {
    { "string", &q_string, true, "" }, { "int", &q_int, true, "" },
    { "number", &q_number, true, "" }, { "bool", &q_bool, true, "" },
    { "null", &q_null, true, "" },     { "any", &q_any, true, "" },
    { "colour", &colour, true, "" },   { "colours", &colour_list, true, "" },
    { "point", &point, true, "" },     { "points", &point_list, true, "" },
    { "shape", &shape, true, "" },     { "either", &either, true, "" },
    { 0 },
};
static const QMember echo_args[] = { { "first", &q_string, false, "" }, { 0 } };

static bool run_echo(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    *result = json_node_new(JSON_NODE_OBJECT);
    json_node_set_object(*result, args);
    return true;
}

extern const QMPCommand qmp_core_commands[];

static const QMPCommand test_commands[] = {
    { .name = "test-note", .args = note_args, .run = run_note },
    { .name = "test-note-oob", .args = note_args, .run = run_note, .oob = true },
    { .name = "test-big", .args = big_args, .result = &q_string, .run = run_big },
    { .name = "test-fail", .args = fail_args, .run = run_fail },
    { .name = "test-stop", .run = run_stop, .deprecated = true },
    { .name = "test-types", .args = types_args, .result = &q_any, .run = run_echo },
    { .name = "test-more", .args = echo_args, .result = &q_any, .run = run_echo,
      .more_args = true },
    { 0 },
};

const QMPCommand *const qmp_command_groups[] = {
    qmp_core_commands, test_commands, NULL,
};

/* ---- shorthands -------------------------------------------------------------------- */

static QMPClient *start(bool oob)
{
    QMPClient *client = qmp_client_new_inside(false);

    noted = g_string_new(NULL);
    qmp_client_negotiate(client, oob);
    return client;
}

static void finish(QMPClient *client)
{
    qmp_client_free(client);
    g_string_free(noted, TRUE);
}

static void expect_next(QMPClient *client, const char *wanted)
{
    ck_assert_str_eq(qmp_client_receive_text(client), wanted);
}

static void expect_noted(const char *wanted)
{
    ck_assert_str_eq(noted->str, wanted);
    g_string_truncate(noted, 0);
}

static void send_event(VMEventKind kind)
{
    VMEvent event = {
        .kind = kind, .cause = SHUTDOWN_CAUSE_GUEST_RESET, .action = "pause",
        .path = "/machine/x",
    };

    vm_event_send(&event);
}

#define ERROR(class, desc)                                                     \
    "{\"error\": {\"class\": \"" class "\", \"desc\": \"" desc "\"}}"
#define ERROR_ID(id, class, desc)                                              \
    "{\"id\": " id ", \"error\": {\"class\": \"" class "\", \"desc\": \"" desc "\"}}"

/* ---- negotiation ------------------------------------------------------------------------ */

START_TEST(greeting)
{
    QMPClient *client = qmp_client_new_inside(false);

    expect_next(client, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, "
                "\"minor\": 1, \"major\": 0}, \"package\": \"flatview 0.1\"}, "
                "\"capabilities\": [\"oob\"]}}");
    qmp_client_free(client);
}
END_TEST

#define EXPECTING "Expecting capabilities negotiation with 'qmp_capabilities'"

START_TEST(negotiation)
{
    QMPClient *client = qmp_client_new_inside(false);

    qmp_client_receive(client);
    qmp_client_say(client, "{'execute':'query-version'}"
                   "{'execute':'no-such','id':1}"
                   "{'exec-oob':'qmp_capabilities','id':2}"
                   "{'execute':'qmp_capabilities','arguments':{'enable':['x']}}"
                   "{'execute':'qmp_capabilities','arguments':{'enable':'oob'}}");
    expect_next(client, ERROR("CommandNotFound", EXPECTING));
    expect_next(client, ERROR_ID("1", "CommandNotFound", EXPECTING));
    expect_next(client, ERROR_ID("2", "GenericError", "QMP input member "
                                 "'exec-oob' is unexpected"));
    expect_next(client, ERROR("GenericError", "Parameter 'enable[0]' does not "
                              "accept value 'x'"));
    expect_next(client, ERROR("GenericError", "Invalid parameter type for "
                              "'enable', expected: array"));
    qmp_client_say(client, "{'execute':'qmp_capabilities', 'arguments': {'enable':"
                   "[]}}{'execute':'qmp_capabilities','id':'x'}");
    expect_next(client, "{\"return\": {}}");
    expect_next(client, ERROR_ID("\"x\"", "CommandNotFound", "Capabilities "
                                 "negotiation is already complete, command "
                                 "ignored"));
    qmp_client_say(client, "{'exec-oob':'test-note-oob'}");
    expect_next(client, ERROR("GenericError",
                              "QMP input member 'exec-oob' is unexpected"));
    qmp_client_free(client);
}
END_TEST

/* ---- requests ------------------------------------------------------------------------------- */

/* Not as a parser of JSON sees them: as bytes. */
START_TEST(ids)
{
    static const char *const values[] = {
        "1", "\"x\"", "null", "true", "-1.5", "18446744073709551615", "1e3",
        "[]", "{}", "[1, {\"a\": [null]}]", "\"\\u00E7\\\"\"",
    };
    QMPClient *client = start(false);
    Monitor *mon = qmp_client_monitor(client);
    Chardev *chr = mon->chr;

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        char *wanted = g_strdup_printf("{\"return\": {}, \"id\": %s}\r\n",
                                       values[i]);

        mon->chr = NULL; /* keeps its output */
        qmp_client_say(client, "{'id':%s,'execute':'test-note','arguments':"
                       "{'n':1}}", values[i]);
        while (!mon->output->len) {
            g_main_context_iteration(NULL, TRUE);
        }
        ck_assert_str_eq(mon->output->str, wanted);
        g_string_truncate(mon->output, 0);
        mon->chr = chr;
        g_free(wanted);
    }
    finish(client);
}
END_TEST

static const struct {
    const char *sent, *wanted;
} requests_and_replies[] = {
    { "[1]", ERROR("GenericError", "QMP input must be a JSON object") },
    { "1 ", ERROR("GenericError", "QMP input must be a JSON object") },
    { "null ", ERROR("GenericError", "QMP input must be a JSON object") },
    { "'x'", ERROR("GenericError", "QMP input must be a JSON object") },
    { "{}", ERROR("GenericError", "QMP input lacks member 'execute'") },
    { "{'id':1}", ERROR_ID("1", "GenericError", "QMP input lacks member 'execute'") },
    { "{'arguments':{},'id':1}",
      ERROR_ID("1", "GenericError", "QMP input lacks member 'execute'") },
    { "{'execute':1,'id':2}",
      ERROR_ID("2", "GenericError", "QMP input member 'execute' must be a string") },
    { "{'execute':null}",
      ERROR("GenericError", "QMP input member 'execute' must be a string") },
    { "{'execute':['x']}",
      ERROR("GenericError", "QMP input member 'execute' must be a string") },
    { "{'execute':'query-version','arguments':1}",
      ERROR("GenericError", "QMP input member 'arguments' must be an object") },
    { "{'execute':'query-version','arguments':[]}",
      ERROR("GenericError", "QMP input member 'arguments' must be an object") },
    { "{'execute':'query-version','arguments':null}",
      ERROR("GenericError", "QMP input member 'arguments' must be an object") },
    { "{'execute':'query-version','foo':1,'id':3}",
      ERROR_ID("3", "GenericError", "QMP input member 'foo' is unexpected") },
    { "{'return':{}}",
      ERROR("GenericError", "QMP input member 'return' is unexpected") },
    { "{'execute':'foo','id':4}",
      ERROR_ID("4", "CommandNotFound", "The command foo has not been found") },
    { "{'execute':'','id':4}",
      ERROR_ID("4", "CommandNotFound", "The command  has not been found") },
    { "{'execute':'query-version','arguments':{'a':1},'id':5}",
      ERROR_ID("5", "GenericError", "Parameter 'a' is unexpected") },
    { "{'execute':'test-note','id':6}",
      ERROR_ID("6", "GenericError", "Parameter 'n' is missing") },
    { "{'execute':'test-note','arguments':{'n':1},'id':7}",
      "{\"return\": {}, \"id\": 7}" },
    { "{'execute' 'test-note'}",
      ERROR("GenericError", "JSON parse error, missing : in object pair") },
    { "{'execute':'test-note','id':1,'id':2}",
      ERROR("GenericError", "JSON parse error, duplicate key") },
    { "}", ERROR("GenericError", "JSON parse error, expecting value") },
    { "@ ", ERROR("GenericError", "JSON parse error, stray '@'") },
    { "\xff", ERROR("GenericError", "JSON parse error, stray '\\uFFFD'") },
    { "{'execute':'test-fail','arguments':{'class':0}}",
      ERROR("GenericError", "class 0") },
    { "{'execute':'test-fail','arguments':{'class':1}}",
      ERROR("CommandNotFound", "class 1") },
    { "{'execute':'test-fail','arguments':{'class':2}}",
      ERROR("DeviceNotActive", "class 2") },
    { "{'execute':'test-fail','arguments':{'class':3}}",
      ERROR("DeviceNotFound", "class 3") },
    { "{'execute':'test-fail','arguments':{'class':4}}",
      ERROR("KVMMissingCap", "class 4") },
    { "{'execute':'test-fail','arguments':{'class':-1},'id':'q'}",
      ERROR_ID("\"q\"", "GenericError", "no such\\n\\\"file\\\"") },
    { "{'execute':'test-more','arguments':{'first':'a','b':[1]}}",
      "{\"return\": {\"first\": \"a\", \"b\": [1]}}" },
    { "{'execute':'test-more','arguments':{'b':[1]}}",
      ERROR("GenericError", "Parameter 'first' is missing") },
    { "{'execute':'test-more','arguments':{'first':'a','e':{},'d':1e3,'c':-1}}",
      "{\"return\": {\"first\": \"a\", \"e\": {}, \"d\": 1000, \"c\": -1}}" },
};

START_TEST(request_forms)
{
    QMPClient *client = start(false);

    for (unsigned i = 0; i < G_N_ELEMENTS(requests_and_replies); i++) {
        qmp_client_say(client, "%s", requests_and_replies[i].sent);
        expect_next(client, requests_and_replies[i].wanted);
    }
    finish(client);
}
END_TEST

START_TEST(clashing_members)
{
    QMPClient *client = start(true);

    qmp_client_say(client, "{'execute':'test-note','exec-oob':'test-note','id':1}"
                   "{'exec-oob':'test-note','id':2}{'exec-oob':'foo','id':3}"
                   "{'exec-oob':4,'id':4}");
    /* The first is in band. */
    expect_next(client, ERROR_ID("2", "GenericError",
                                 "The command test-note does not support OOB"));
    expect_next(client, ERROR_ID("3", "CommandNotFound",
                                 "The command foo has not been found"));
    expect_next(client, ERROR_ID("4", "GenericError",
                                 "QMP input member 'exec-oob' must be a string"));
    expect_next(client, ERROR_ID("1", "GenericError", "QMP input member "
                                 "'execute' clashes with 'exec-oob'"));
    finish(client);
}
END_TEST

#define WRONG(name, kind) "Invalid parameter type for '" name "', expected: " kind

static const struct {
    const char *args, *error; /* NULL: fine */
} argument_cases[] = {
    { "{}", NULL },
    { "{\"string\": \"\"}", NULL },
    { "{\"string\": 1}", WRONG("string", "string") },
    { "{\"string\": null}", WRONG("string", "string") },
    { "{\"string\": []}", WRONG("string", "string") },
    { "{\"int\": -9223372036854775808}", NULL },
    { "{\"int\": 18446744073709551615}", NULL },
    { "{\"int\": 18446744073709551616}", WRONG("int", "integer") },
    { "{\"int\": -9223372036854775809}", WRONG("int", "integer") },
    { "{\"int\": 1.0}", WRONG("int", "integer") },
    { "{\"int\": \"1\"}", WRONG("int", "integer") },
    { "{\"int\": true}", WRONG("int", "integer") },
    { "{\"number\": 1}", NULL },
    { "{\"number\": 1.5}", NULL },
    { "{\"number\": \"1\"}", WRONG("number", "number") },
    { "{\"bool\": false}", NULL },
    { "{\"bool\": 0}", WRONG("bool", "boolean") },
    { "{\"null\": null}", NULL },
    { "{\"null\": 0}", WRONG("null", "null") },
    { "{\"any\": null}", NULL },
    { "{\"any\": {\"a\": [1]}}", NULL },
    { "{\"colour\": \"red\"}", NULL },
    { "{\"colour\": \"blue\"}", "Parameter 'colour' does not accept value 'blue'" },
    { "{\"colour\": 1}", WRONG("colour", "string") },
    { "{\"colours\": []}", NULL },
    { "{\"colours\": [\"red\", \"green\", \"red\"]}", NULL },
    { "{\"colours\": [\"red\", 1]}", WRONG("colours[1]", "string") },
    { "{\"colours\": [\"red\", \"x\"]}",
      "Parameter 'colours[1]' does not accept value 'x'" },
    { "{\"colours\": {}}", WRONG("colours", "array") },
    { "{\"point\": {\"x\": 1}}", NULL },
    { "{\"point\": {\"x\": 1, \"y\": 2.5}}", NULL },
    { "{\"point\": {\"y\": 1}}", "Parameter 'point.x' is missing" },
    { "{\"point\": {\"x\": \"\"}}", WRONG("point.x", "integer") },
    { "{\"point\": {\"x\": 1, \"z\": 1}}", "Parameter 'point.z' is unexpected" },
    { "{\"point\": []}", WRONG("point", "object") },
    { "{\"points\": [{\"x\": 1}, {\"x\": 2}]}", NULL },
    { "{\"points\": [{\"x\": 1}, {}]}", "Parameter 'points[1].x' is missing" },
    { "{\"shape\": {\"kind\": \"nothing\"}}", NULL },
    { "{\"shape\": {\"kind\": \"nothing\", \"r\": 1}}",
      "Parameter 'shape.r' is unexpected" },
    { "{\"shape\": {\"kind\": \"circle\", \"r\": 1, \"at\": {\"x\": 1}}}", NULL },
    { "{\"shape\": {\"kind\": \"circle\", \"r\": 1, \"at\": {\"x\": true}}}",
      WRONG("shape.at.x", "integer") },
    { "{\"shape\": {\"kind\": \"circle\", \"r\": 1}}",
      "Parameter 'shape.at' is missing" },
    { "{\"shape\": {\"kind\": \"square\"}}",
      "Parameter 'kind' does not accept value 'square'" },
    { "{\"shape\": {\"r\": 1}}", "Parameter 'shape.kind' is missing" },
    { "{\"either\": \"x\"}", NULL },
    { "{\"either\": null}", NULL },
    { "{\"either\": {\"x\": 1}}", NULL },
    { "{\"either\": {\"y\": 1}}", "Parameter 'either.x' is missing" },
    { "{\"either\": 1}", WRONG("either", "StrOrPoint") },
    { "{\"other\": 1}", "Parameter 'other' is unexpected" },
};

START_TEST(arguments)
{
    QMPClient *client = start(false);

    for (unsigned i = 0; i < G_N_ELEMENTS(argument_cases); i++) {
        const char *args = argument_cases[i].args;

        if (argument_cases[i].error) {
            ck_assert_str_eq(qmp_run_error(client, "test-types", "%s", args) +
                             strlen("GenericError: "), argument_cases[i].error);
        } else {
            qmp_run(client, "test-types", "%s", args);
        }
    }
    finish(client);
}
END_TEST

START_TEST(schema)
{
    QMPClient *client = start(false);
    JsonObject *entity;
    JsonNode *node;
    char *why;

    qmp_client_check_schema(client);
    entity = qmp_schema_find(client, "test-note-oob");
    expect(json_object_get_boolean_member(entity, "allow-oob"), "oob");
    expect(!json_object_has_member(qmp_schema_find(client, "test-note"),
                                   "allow-oob"), "not oob");
    entity = qmp_schema_find(client, "test-stop");
    ck_assert_str_eq(json_array_get_string_element(
                     json_object_get_array_member(entity, "features"), 0),
                     "deprecated");
    ck_assert_str_eq(json_object_get_string_member(entity, "arg-type"),
                     json_object_get_string_member(entity, "ret-type"));
    for (unsigned i = 0; i < G_N_ELEMENTS(argument_cases); i++) {
        node = json_from_string(argument_cases[i].args, NULL);
        why = qmp_schema_check(client, json_object_get_string_member(
                               qmp_schema_find(client, "test-types"), "arg-type"),
                               node);
        /* The schema of a client agrees with the check of arguments, but for
         * numbers, which its parser reads in its own way. */
        if (!strstr(argument_cases[i].args, "922337203685477580") &&
            !strstr(argument_cases[i].args, "184467440737095516")) {
            expect(!why == !argument_cases[i].error, "%s: %s",
                   argument_cases[i].args, why);
        }
        g_free(why);
        json_node_unref(node);
    }
    finish(client);
}
END_TEST

/* ---- out of band, and queues ------------------------------------------------------------------ */

START_TEST(out_of_band)
{
    QMPClient *client = start(true);

    qmp_client_say(client, "{'execute':'test-note','arguments':{'n':1}}"
                   "{'execute':'test-note','arguments':{'n':2},'id':2}"
                   "{'execute':'test-note-oob','arguments':{'n':3},'id':3}"
                   "{'exec-oob':'test-note-oob','arguments':{'n':4},'id':4}"
                   "{'exec-oob':'test-note-oob','arguments':{'n':5}}");
    expect_next(client, "{\"return\": {}, \"id\": 4}");
    expect_next(client, "{\"return\": {}}");
    expect_next(client, "{\"return\": {}}");
    expect_next(client, "{\"return\": {}, \"id\": 2}");
    expect_next(client, "{\"return\": {}, \"id\": 3}");
    expect_noted(" 4 5 1 2 3");
    finish(client);
}
END_TEST

/* What is behind the eighth in band is not read, not even what is out of band. */
START_TEST(queue_is_bounded)
{
    QMPClient *client = start(true);

    for (int i = 1; i <= 10; i++) {
        qmp_client_say(client, "{'execute':'test-note','arguments':{'n':%d}}", i);
    }
    qmp_client_say(client, "{'exec-oob':'test-note-oob','arguments':{'n':20}}");
    for (int i = 0; i < 11; i++) {
        expect_next(client, "{\"return\": {}}");
    }
    expect_noted(" 1 2 3 20 4 5 6 7 8 9 10");
    finish(client);
}
END_TEST

START_TEST(many_at_once)
{
    enum { NR = 5000 };
    QMPClient *client = start(false);

    for (int i = 0; i < NR; i++) {
        qmp_client_say(client, "{'execute':'test-note','arguments':{'n':%d},"
                       "'id':%d}%s", i, i, i % 3 ? "" : "\n");
    }
    for (int i = 0; i < NR; i++) {
        JsonObject *reply = qmp_client_receive(client);

        expect(json_object_get_int_member(reply, "id") == i, "not in order");
    }
    finish(client);
}
END_TEST

/* ---- clients that do not read ---------------------------------------------------------------------- */

static void loop_some(void)
{
    for (int i = 0; i < 1000 && g_main_context_iteration(NULL, FALSE); i++) {
    }
}

START_TEST(slow_client)
{
    enum { SIZE = 100000, NR = 50 };
    QMPClient *client = start(false), *other = qmp_client_new_inside(false);
    Monitor *mon = qmp_client_monitor(client);
    unsigned events = 0, done;
    uint64_t last = 0;
    JsonObject *message;

    qmp_client_negotiate(other, false);
    qmp_client_set_reading(client, false);
    for (int i = 0; i < NR; i++) {
        qmp_client_say(client, "{'execute':'test-big','arguments':{'size':%d}}",
                       SIZE);
    }
    loop_some();
    done = noted->len / strlen(" big");
    expect(done > 0 && done < NR - 8, "%u were done", done);
    expect(mon->output->len < MONITOR_OUTPUT_BLOCKS + 2 * SIZE,
           "%zu bytes wait", mon->output->len);
    for (int i = 1; i <= 1000; i++) {
        VMEvent event = {
            .kind = VM_EVENT_DEVICE_DELETED, .path = g_strdup_printf("/%d", i),
        };

        vm_event_send(&event);
        g_free((char *)event.path);
        loop_some();
    }
    expect(mon->output->len < MONITOR_OUTPUT_BLOCKS + 2 * SIZE,
           "%zu bytes wait", mon->output->len);
    qmp_run(other, "test-note", "{\"n\": 5}"); /* others are served */
    expect(qmp_client_events(other)->length == 1000, "%u events for another",
           qmp_client_events(other)->length);
    expect(noted->len == done * 4 + 2, "more was done meanwhile");

    qmp_client_set_reading(client, true);
    for (int replies = 0; replies < NR;) {
        message = qmp_client_receive(client);
        if (!json_object_has_member(message, "event")) {
            replies++;
            continue;
        }
        last = strtoul(json_object_get_string_member(
                       json_object_get_object_member(message, "data"), "path") +
                       1, NULL, 10);
        events++;
    }
    expect(events == 256 && last == 1000, "%u events, the last is %u", events,
           (unsigned)last);
    qmp_client_free(other);
    finish(client);
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------------- */

START_TEST(huge_messages)
{
    QMPClient *client = start(false);
    char *filler = g_strnfill(1 << 20, 'x'), *brackets = g_strnfill(100000, '[');

    qmp_client_say(client, "{'execute':'");
    for (int i = 0; i < 20; i++) {
        qmp_client_send(client, filler, 1 << 20);
    }
    expect_next(client, ERROR("GenericError", "JSON token size limit exceeded"));
    qmp_client_say(client, "'}{'execute':'test-note','arguments':{'n':1}}");
    expect_next(client, "{\"return\": {}}");

    qmp_client_send(client, brackets, 100000);
    expect_next(client, ERROR("GenericError", "JSON nesting depth limit exceeded"));
    qmp_client_say(client, "\xff{'execute':'test-note','arguments':{'n':1}}");
    expect_next(client, ERROR("GenericError", "JSON parse error, stray '\\uFFFD'"));
    expect_next(client, "{\"return\": {}}");

    qmp_client_say(client, "[0");
    for (int i = 0; i < 70000; i++) {
        qmp_client_send(client, ",0", 2);
    }
    expect_next(client, ERROR("GenericError", "JSON token count limit exceeded"));
    qmp_client_say(client, "]{'execute':'test-note','arguments':{'n':1}}");
    expect_next(client, "{\"return\": {}}");

    /* Depth that is allowed, in an id and in an argument. */
    brackets[1000] = '\0';
    qmp_client_say(client, "{'execute':'test-types','id':%s%s,'arguments':{'any':"
                   "%s%s}}", brackets, filler, brackets, filler);
    qmp_client_receive(client); /* "x" is no JSON: an error */
    g_free(filler);
    filler = g_strnfill(1000, ']');
    qmp_client_say(client, "\xff{'execute':'test-types','id':%s%s,'arguments':"
                   "{'any':%s%s}}", brackets, filler, brackets, filler);
    while (!json_object_has_member(qmp_client_receive(client), "return")) {
    }
    g_free(filler);
    g_free(brackets);
    finish(client);
}
END_TEST

/* ---- events ---------------------------------------------------------------------------------------------- */

START_TEST(events)
{
    QMPClient *client = qmp_client_new_inside(false), *pretty;
    JsonObject *data;
    VMEvent event = { .kind = VM_EVENT_SHUTDOWN,
                      .cause = SHUTDOWN_CAUSE_HOST_QMP_QUIT };

    noted = g_string_new(NULL);
    send_event(VM_EVENT_RESUME); /* before the negotiation: not sent */
    qmp_client_negotiate(client, false);
    qmp_client_check_schema(client);
    pretty = qmp_client_new_inside(true);
    qmp_client_negotiate(pretty, false);
    send_event(VM_EVENT_STOP);
    expect(!json_object_get_size(qmp_wait_event(pretty, "STOP")), "data");
    qmp_run(client, "test-note", "{\"n\": 1}");
    expect(qmp_client_events(client)->length == 1, "an early event");
    expect(!json_object_get_size(qmp_wait_event(client, "STOP")), "data");

    vm_event_send(&event);
    data = qmp_wait_event(client, "SHUTDOWN");
    ck_assert_str_eq(json_object_get_string_member(data, "reason"),
                     "host-qmp-quit");
    expect(!json_object_get_boolean_member(data, "guest"), "guest");
    send_event(VM_EVENT_RESET);
    data = qmp_wait_event(client, "RESET");
    ck_assert_str_eq(json_object_get_string_member(data, "reason"), "guest-reset");
    expect(json_object_get_boolean_member(data, "guest"), "not the guest");
    send_event(VM_EVENT_POWERDOWN);
    qmp_wait_event(client, "POWERDOWN");
    send_event(VM_EVENT_GUEST_CRASHLOADED);
    send_event(VM_EVENT_GUEST_PANICKED);
    data = qmp_wait_event(client, "GUEST_PANICKED");
    ck_assert_str_eq(json_object_get_string_member(data, "action"), "pause");
    send_event(VM_EVENT_DEVICE_DELETED);
    data = qmp_wait_event(client, "DEVICE_DELETED");
    expect(!json_object_has_member(data, "device"), "an id");
    ck_assert_str_eq(json_object_get_string_member(data, "path"), "/machine/x");
    event = (VMEvent){ .kind = VM_EVENT_DEVICE_DELETED, .device = "d0",
                       .path = "/machine/peripheral/d0" };
    vm_event_send(&event);
    data = qmp_wait_event(client, "DEVICE_DELETED");
    ck_assert_str_eq(json_object_get_string_member(data, "device"), "d0");
    qmp_wait_event(pretty, "GUEST_PANICKED");
    qmp_client_free(pretty);
    finish(client);
}
END_TEST

/* However early something happens, the reply to qmp_capabilities is the first
 * message after the greeting. */
START_TEST(no_event_before_negotiation)
{
    QMPClient *client = qmp_client_new_inside(false);

    qmp_client_receive(client);
    qmp_client_say(client, "{'execute':'qmp_capabilities'}");
    for (int i = 0; i < 20; i++) {
        send_event(VM_EVENT_STOP);
        g_main_context_iteration(NULL, FALSE);
    }
    expect_next(client, "{\"return\": {}}");
    qmp_wait_event(client, "STOP");
    qmp_client_free(client);
}
END_TEST

START_TEST(event_before_reply)
{
    QMPClient *client = start(false);

    qmp_client_say(client, "{'execute':'test-stop'}");
    ck_assert_str_eq(json_object_get_string_member(qmp_client_receive(client),
                                                   "event"), "STOP");
    expect_next(client, "{\"return\": {}}");
    finish(client);
}
END_TEST

/* The last one of those in the interval is sent when it is over. */
START_TEST(rate_limit)
{
    QMPClient *client = start(false);
    VMEvent event = { .kind = VM_EVENT_RTC_CHANGE, .path = "/machine/rtc" };
    JsonObject *data;

    for (int i = 1; i <= 5; i++) {
        event.offset = i;
        vm_event_send(&event);
    }
    data = qmp_wait_event(client, "RTC_CHANGE");
    expect(json_object_get_int_member(data, "offset") == 1, "not the first");
    qmp_run(client, "test-note", "{\"n\": 1}");
    expect(!qmp_client_events(client)->length, "more than one");
    data = qmp_wait_event(client, "RTC_CHANGE");
    expect(json_object_get_int_member(data, "offset") == 5, "not the last");
    event.offset = 6; /* still less than an interval after that */
    vm_event_send(&event);
    qmp_run(client, "test-note", "{\"n\": 1}");
    expect(!qmp_client_events(client)->length, "more than one");
    send_event(VM_EVENT_STOP); /* has none */
    data = qmp_wait_event(client, "RTC_CHANGE");
    expect(json_object_get_int_member(data, "offset") == 6, "not that");
    event.offset = 7;
    vm_event_send(&event); /* and the monitor goes with one pending */
    finish(client);
}
END_TEST

static void *event_thread(void *opaque)
{
    for (int i = 0; i < 500; i++) {
        send_event(VM_EVENT_STOP);
    }
    return NULL;
}

START_TEST(events_from_threads)
{
    QMPClient *client = start(false);
    pthread_t threads[4];

    for (int i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, event_thread, NULL);
    }
    for (int i = 0; i < 1000; i++) {
        qmp_wait_event(client, "STOP");
        if (i % 10 == 0) {
            qmp_run(client, "test-note", "{\"n\": 1}");
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    /* The loop does not run: what is kept is bounded. */
    for (int i = 0; i < 4; i++) {
        event_thread(NULL);
    }
    for (int i = 0; i < 1024; i++) {
        qmp_wait_event(client, "STOP");
    }
    qmp_run(client, "test-note", "{\"n\": 1}");
    expect(!qmp_client_events(client)->length, "more than are kept");
    finish(client);
}
END_TEST

/* ---- clients go and come -------------------------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    expect(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "%s: %m",
           path);
    return fd;
}

START_TEST(reconnect)
{
    char *folder = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    char *path = g_build_filename(folder, "qmp", NULL);
    char *spec = g_strdup_printf("unix:%s,server=on,wait=off", path);
    GError *err = NULL;
    Chardev *chr = chardev_open("m0", spec, &err);
    Monitor *mon, *second;
    QMPClient *client;

    expect(chr, "%s", err->message);
    mon = monitor_new(chr, MONITOR_CONTROL, false, &err);
    expect(mon, "%s", err->message);
    second = monitor_new(chr, MONITOR_CONTROL, false, &err);
    expect(!second && err, "two on one");
    g_clear_error(&err);
    noted = g_string_new(NULL);

    client = qmp_client_new_fd(connect_to(path));
    qmp_client_negotiate(client, true);
    qmp_client_say(client, "{\"execute\": [ \"half of"); /* and it goes */
    qmp_client_free(client);

    client = qmp_client_new_fd(connect_to(path));
    expect(json_object_has_member(qmp_client_receive(client), "QMP"),
           "no greeting");
    qmp_expect_error(client, "query-version", "{}", "CommandNotFound: " EXPECTING);
    qmp_client_free(client);

    client = qmp_client_new_fd(connect_to(path));
    qmp_client_negotiate(client, false);
    send_event(VM_EVENT_STOP);
    qmp_wait_event(client, "STOP");
    /* What it has sent is carried out, though it does not wait for it. */
    for (int i = 0; i < 20; i++) {
        qmp_client_say(client, "{'execute':'test-note','arguments':{'n':%d}}", i);
    }
    qmp_client_free(client);
    while (!strstr(noted->str, "19")) {
        g_main_context_iteration(NULL, TRUE);
    }
    send_event(VM_EVENT_STOP); /* nobody hears it */

    client = qmp_client_new_fd(connect_to(path));
    qmp_client_negotiate(client, false);
    qmp_run(client, "test-note", "{\"n\": 1}");
    expect(!qmp_client_events(client)->length, "an old event");
    qmp_client_free(client);
    monitor_free(mon);
    monitor_free(NULL);
    chardev_close(chr);
    g_string_free(noted, TRUE);
    unlink(path);
    rmdir(folder);
    g_free(folder);
    g_free(path);
    g_free(spec);
}
END_TEST

/* A client that sends no more hears all replies, then the end, if nobody else
 * can use its device. */
static void expect_answers(const char *opts, int (*dial)(Chardev *chr), bool ends)
{
    GError *err = NULL;
    Chardev *chr = chardev_open_opts(opts, &err);
    Monitor *mon = chr ? monitor_new(chr, MONITOR_CONTROL, false, &err) : NULL;
    QMPClient *client;
    int fd;

    expect(mon, "%s: %s", opts, err ? err->message : "?");
    fd = dial(chr);
    client = qmp_client_new_fd(fd);
    qmp_client_negotiate(client, false);
    for (int i = 0; i < 20; i++) {
        qmp_client_say(client, "{'execute':'test-big','arguments':{'size':"
                       "100000}}");
    }
    qmp_client_say(client, "{'execute':'test-stop','id':1}");
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 20; i++) {
        expect(qmp_client_receive(client), "%s: the end after %d", opts, i);
    }
    qmp_wait_event(client, "STOP");
    expect_next(client, "{\"return\": {}, \"id\": 1}");
    for (int i = 0; i < 20; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    if (ends) {
        expect(!qmp_client_receive(client), "%s: more than the end", opts);
    } else {
        send_event(VM_EVENT_RESUME);
        qmp_wait_event(client, "RESUME");
    }
    qmp_client_free(client);
    monitor_free(mon);
    chardev_close(chr);
}

/* The last number in its name is the port. */
static int dial_tcp(Chardev *chr)
{
    g_autofree char *name = chardev_filename(chr);
    struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(atoi(strrchr(name, ':') + 1)),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    expect(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "%s: %m",
           name);
    return fd;
}

static char *half_closed_path;

static int dial_unix(Chardev *chr)
{
    return connect_to(half_closed_path);
}

START_TEST(half_closed)
{
    g_autofree char *folder = g_dir_make_tmp("flatview-qmp-XXXXXX", NULL);
    g_autofree char *opts = NULL, *mux = NULL;

    half_closed_path = g_build_filename(folder, "qmp", NULL);
    opts = g_strdup_printf("socket,id=m0,path=%s,server=on,wait=off",
                           half_closed_path);
    mux = g_strconcat(opts, ",mux=on", NULL);
    noted = g_string_new(NULL);
    expect_answers(opts, dial_unix, true);
    unlink(half_closed_path);
    expect_answers(mux, dial_unix, false);
    unlink(half_closed_path);
    expect_answers("socket,id=m0,host=127.0.0.1,port=0,server=on,wait=off",
                   dial_tcp, true);
    g_string_free(noted, TRUE);
    rmdir(folder);
    g_free(half_closed_path);
}
END_TEST

START_TEST(pretty)
{
    QMPClient *client = qmp_client_new_inside(true);
    static const char wanted[] =
        "{\r\n    \"return\": {\r\n        \"qemu\": {\r\n"
        "            \"micro\": 0,\r\n            \"minor\": 1,\r\n"
        "            \"major\": 0\r\n        },\r\n"
        "        \"package\": \"flatview 0.1\"\r\n    },\r\n    \"id\": 1\r\n}\r\n"
        "{\r\n    \"id\": 2,\r\n    \"error\": {\r\n"
        "        \"class\": \"CommandNotFound\",\r\n"
        "        \"desc\": \"The command x has not been found\"\r\n    }\r\n}\r\n"
        "{\r\n    \"error\": {\r\n        \"class\": \"GenericError\",\r\n"
        "        \"desc\": \"QMP input must be a JSON object\"\r\n    }\r\n}\r\n";
    Monitor *mon = qmp_client_monitor(client);
    Chardev *chr = mon->chr;

    qmp_client_negotiate(client, false);
    mon->chr = NULL; /* keeps its output */
    qmp_client_say(client, "{'execute':'query-version','id':1}"
                   "{'execute':'x','id':2}[]");
    while (!strstr(mon->output->str, "must be a JSON object")) {
        g_main_context_iteration(NULL, TRUE);
    }
    ck_assert_str_eq(mon->output->str, wanted);
    g_string_truncate(mon->output, 0);
    mon->chr = chr;
    qmp_client_free(client);
}
END_TEST

TEST_MAIN("qmp-protocol", greeting, negotiation, ids, request_forms,
          clashing_members, arguments, schema, out_of_band, queue_is_bounded,
          many_at_once, slow_client, huge_messages, events,
          no_event_before_negotiation, event_before_reply, rate_limit,
          events_from_threads, reconnect, half_closed, pretty)
