/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands about the protocol itself.
 *
 * Specification: QEMU docs/interop/qmp-spec.
 */
#include "monitor/qmp.h"
#include "options.h"

#include <stdio.h>

/* ---- qmp_capabilities ------------------------------------------------------------ */

static const char *const capabilities[] = { "oob", NULL };

static const QType capability = {
    .kind = Q_ENUM, .name = "QMPCapability", .values = capabilities,
    .doc = "What a client may enable. oob: commands out of band.",
};

static const QType capability_list = { .kind = Q_ARRAY, .element = &capability };

static const QMember capabilities_args[] = {
    { "enable", &capability_list, true, "What to enable of the greeting's list." },
    { 0 },
};

static bool run_capabilities(const QMPCall *call, JsonObject *args,
                             JsonNode **result, GError **err)
{
    JsonNode *enable = json_object_get_member(args, "enable");

    /* There is only the one. */
    qmp_negotiated(call->monitor,
                   enable && json_array_get_length(json_node_get_array(enable)));
    return true;
}

/* ---- query-version ----------------------------------------------------------------- */

static const QMember version_triple_members[] = {
    { "major", &q_int, false, "Of 1.2.3, the 1." },
    { "minor", &q_int, false, "The 2." },
    { "micro", &q_int, false, "The 3." },
    { 0 },
};

static const QType version_triple = {
    .kind = Q_OBJECT, .name = "VersionTriple",
    .members = version_triple_members, .doc = "A version number.",
};

static const QMember version_members[] = {
    { "qemu", &version_triple, false, "The version of this program." },
    { "package", &q_string, false, "Its name and version in words." },
    { 0 },
};

static const QType version_info = {
    .kind = Q_OBJECT, .name = "VersionInfo", .members = version_members,
    .doc = "Which program this is.",
};

JsonNode *qmp_version(void)
{
    JsonObject *info = json_object_new(), *qemu = json_object_new();
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    int major = 0, minor = 0, micro = 0;

    sscanf(FLATVIEW_VERSION, "%d.%d.%d", &major, &minor, &micro);
    json_object_set_int_member(qemu, "micro", micro);
    json_object_set_int_member(qemu, "minor", minor);
    json_object_set_int_member(qemu, "major", major);
    json_object_set_object_member(info, "qemu", qemu);
    json_object_set_string_member(info, "package", "flatview " FLATVIEW_VERSION);
    json_node_take_object(node, info);
    return node;
}

static bool run_version(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err)
{
    *result = qmp_version();
    return true;
}

/* ---- query-commands, query-events ---------------------------------------------------- */

static const QMember name_members[] = {
    { "name", &q_string, false, "Its name." },
    { 0 },
};

static const QType command_info = {
    .kind = Q_OBJECT, .name = "CommandInfo", .members = name_members,
    .doc = "A command that there is.",
};

static const QType event_info = {
    .kind = Q_OBJECT, .name = "EventInfo", .members = name_members,
    .doc = "An event that there is.",
};

static const QType command_infos = { .kind = Q_ARRAY, .element = &command_info };
static const QType event_infos = { .kind = Q_ARRAY, .element = &event_info };

static void add_name(JsonArray *array, const char *name)
{
    JsonObject *object = json_object_new();

    json_object_set_string_member(object, "name", name);
    json_array_add_object_element(array, object);
}

static bool run_commands(const QMPCall *call, JsonObject *args,
                         JsonNode **result, GError **err)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; qmp_command_groups[i]; i++) {
        for (const QMPCommand *c = qmp_command_groups[i]; c->name; c++) {
            add_name(array, c->name);
        }
    }
    *result = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(*result, array);
    return true;
}

static bool run_events(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    JsonArray *array = json_array_new();

    for (const QMPEventType *event = qmp_event_types; event->name; event++) {
        add_name(array, event->name);
    }
    *result = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(*result, array);
    return true;
}

/* ---- query-qmp-schema -------------------------------------------------------------------- */

static const QType string_list = { .kind = Q_ARRAY, .element = &q_string };

static const char *const meta_types[] = {
    "builtin", "enum", "array", "object", "alternate", "command", "event", NULL,
};

static const QType meta_type = {
    .kind = Q_ENUM, .name = "SchemaMetaType", .values = meta_types,
    .doc = "What an entity of the schema is.",
};

static const char *const json_types[] = {
    "string", "number", "int", "boolean", "null", "object", "array", "value",
    NULL,
};

static const QType json_type = {
    .kind = Q_ENUM, .name = "JSONType", .values = json_types,
    .doc = "A kind of JSON. int: a number without fraction; value: any.",
};

static const QMember builtin_members[] = {
    { "json-type", &json_type, false, "The JSON that it is." },
    { 0 },
};

static const QType builtin_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoBuiltin", .members = builtin_members,
    .doc = "A type that is not made of others.",
};

static const QMember enum_value_members[] = {
    { "name", &q_string, false, "The value." },
    { 0 },
};

static const QType enum_value = {
    .kind = Q_OBJECT, .name = "SchemaInfoEnumMember",
    .members = enum_value_members, .doc = "A value of an enumeration.",
};

static const QType enum_values = { .kind = Q_ARRAY, .element = &enum_value };

static const QMember enum_members[] = {
    { "members", &enum_values, false, "The values." },
    { "values", &string_list, false, "The same in the old form." },
    { 0 },
};

static const QType enum_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoEnum", .members = enum_members,
    .doc = "An enumeration.",
};

static const QMember array_members[] = {
    { "element-type", &q_string, false, "The name of the elements' type." },
    { 0 },
};

static const QType array_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoArray", .members = array_members,
    .doc = "An array.",
};

static const QMember member_members[] = {
    { "name", &q_string, false, "Its name." },
    { "type", &q_string, false, "The name of its type." },
    { "default", &q_any, true, "It is optional. The value, null, says nothing." },
    { 0 },
};

static const QType member_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoObjectMember",
    .members = member_members, .doc = "A member of an object.",
};

static const QType member_infos = { .kind = Q_ARRAY, .element = &member_info };

static const QMember variant_members[] = {
    { "case", &q_string, false, "The value of the tag." },
    { "type", &q_string, false, "The type whose members it adds." },
    { 0 },
};

static const QType variant_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoObjectVariant",
    .members = variant_members, .doc = "What a value of the tag adds.",
};

static const QType variant_infos = { .kind = Q_ARRAY, .element = &variant_info };

static const QMember object_members[] = {
    { "members", &member_infos, false, "The members that it always has." },
    { "tag", &q_string, true, "The member that chooses a variant." },
    { "variants", &variant_infos, true, "The variants." },
    { 0 },
};

static const QType object_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoObject", .members = object_members,
    .doc = "An object.",
};

static const QMember choice_members[] = {
    { "type", &q_string, false, "The name of a type that it may be." },
    { 0 },
};

static const QType choice_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoAlternateMember",
    .members = choice_members, .doc = "One of the types of an alternate.",
};

static const QType choice_infos = { .kind = Q_ARRAY, .element = &choice_info };

static const QMember alternate_members[] = {
    { "members", &choice_infos, false, "What it may be." },
    { 0 },
};

static const QType alternate_info = {
    .kind = Q_OBJECT, .name = "SchemaInfoAlternate",
    .members = alternate_members, .doc = "One of several types.",
};

static const QMember command_members[] = {
    { "arg-type", &q_string, false, "The object of its arguments." },
    { "ret-type", &q_string, false, "The type of its result." },
    { "allow-oob", &q_bool, true, "Whether it may be executed out of band." },
    { 0 },
};

static const QType command_schema = {
    .kind = Q_OBJECT, .name = "SchemaInfoCommand", .members = command_members,
    .doc = "A command.",
};

static const QMember event_members[] = {
    { "arg-type", &q_string, false, "The object of its data." },
    { 0 },
};

static const QType event_schema = {
    .kind = Q_OBJECT, .name = "SchemaInfoEvent", .members = event_members,
    .doc = "An event.",
};

static const QMember schema_members[] = {
    { "name", &q_string, false, "Its name; that of a type says nothing." },
    { "meta-type", &meta_type, false, "What it is." },
    { "features", &string_list, true,
      "\"deprecated\": clients should not use it any more." },
    { 0 },
};

static const QVariant schema_variants[] = {
    { "builtin", &builtin_info }, { "enum", &enum_info },
    { "array", &array_info },     { "object", &object_info },
    { "alternate", &alternate_info }, { "command", &command_schema },
    { "event", &event_schema },   { 0 },
};

static const QType schema_info = {
    .kind = Q_OBJECT, .name = "SchemaInfo", .members = schema_members,
    .tag = "meta-type", .variants = schema_variants,
    .doc = "An entity of the schema.",
};

static const QType schema_infos = { .kind = Q_ARRAY, .element = &schema_info };

static bool run_schema(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    *result = qapi_schema();
    return true;
}

const QMPCommand qmp_core_commands[] = {
    {
        .name = "qmp_capabilities",
        .doc = "Ends the negotiation: from now on there are the other commands, "
               "and events are sent.",
        .args = capabilities_args,
        .run = run_capabilities,
    },
    {
        .name = "query-commands",
        .doc = "All commands.",
        .result = &command_infos,
        .run = run_commands,
    },
    {
        .name = "query-events",
        .doc = "All events.",
        .result = &event_infos,
        .deprecated = true,
        .run = run_events,
    },
    {
        .name = "query-qmp-schema",
        .doc = "All commands, events and types.",
        .result = &schema_infos,
        .run = run_schema,
    },
    {
        .name = "query-version",
        .doc = "The version of the program.",
        .result = &version_info,
        .run = run_version,
    },
    { 0 },
};
