/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What machine this is, and which others, options and kinds of devices this
 * program has.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref.
 */
#include "monitor/qmp-types.h"

#include <string.h>

#include "hw/core/machine.h"
#include "monitor/monitor.h"
#include "options.h"

/* ---- this machine -------------------------------------------------------------------- */

static const QMember name_members[] = {
    { "name", &q_string, true, "As after -name." },
    { 0 },
};

static const QType name_info = {
    .kind = Q_OBJECT, .name = "NameInfo", .members = name_members,
    .doc = "The name of the guest.",
};

static bool run_name(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    JsonObject *info = json_object_new();

    if (monitor_machine()->name) {
        json_object_set_string_member(info, "name", monitor_machine()->name);
    }
    *result = qmp_object(info);
    return true;
}

static const QMember uuid_members[] = {
    { "UUID", &q_string, false, "As after -uuid; zeroes where there was none." },
    { 0 },
};

static const QType uuid_info = {
    .kind = Q_OBJECT, .name = "UuidInfo", .members = uuid_members,
    .doc = "The guest's UUID.",
};

static bool run_uuid(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    const char *uuid = monitor_machine()->uuid;
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "UUID", uuid ? uuid :
                                  "00000000-0000-0000-0000-000000000000");
    *result = qmp_object(info);
    return true;
}

static const QMember kvm_members[] = {
    { "enabled", &q_bool, false, "This machine runs in KVM." },
    { "present", &q_bool, false, "Machines can run in KVM on this host." },
    { 0 },
};

static const QType kvm_info = {
    .kind = Q_OBJECT, .name = "KvmInfo", .members = kvm_members,
    .doc = "Whether KVM is there and used.",
};

static bool run_kvm(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    bool enabled = monitor_machine()->kvm != NULL;
    JsonObject *info = json_object_new();

    json_object_set_boolean_member(info, "enabled", enabled);
    json_object_set_boolean_member(info, "present",
                                   enabled || kvm_available(NULL));
    *result = qmp_object(info);
    return true;
}

static const QMember target_members[] = {
    { "arch", &qmp_target, false, "That of the vCPUs." },
    { 0 },
};

static const QType target_info = {
    .kind = Q_OBJECT, .name = "TargetInfo", .members = target_members,
    .doc = "For which architecture this program is.",
};

static bool run_target(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "arch", QMP_TARGET_NAME);
    *result = qmp_object(info);
    return true;
}

static const QMember current_machine_members[] = {
    { "wakeup-suspend-support", &q_bool, false,
      "Whether it can be suspended and woken up." },
    { 0 },
};

static const QType current_machine = {
    .kind = Q_OBJECT, .name = "CurrentMachineParams",
    .members = current_machine_members, .doc = "What this machine can do.",
};

static bool run_current_machine(const QMPCall *call, JsonObject *args,
                                JsonNode **result, GError **err)
{
    JsonObject *info = json_object_new();

    json_object_set_boolean_member(info, "wakeup-suspend-support",
                                    machine_can_suspend(monitor_machine()));
    *result = qmp_object(info);
    return true;
}

/* ---- machines ----------------------------------------------------------------------------- */

static const QMember machine_members[] = {
    { "name", &q_string, false, "As after -machine." },
    { "is-default", &q_bool, true, "It is what there is without -machine." },
    { "cpu-max", &q_int, false, "The most vCPUs that it can have." },
    { "hotpluggable-cpus", &q_bool, false,
      "Whether vCPUs can be added while it runs." },
    { "numa-mem-supported", &q_bool, false,
      "Whether memory can be given to nodes by size." },
    { "deprecated", &q_bool, false, "It will go in some later version." },
    { "default-cpu-type", &q_string, true, "The type of its vCPUs." },
    { 0 },
};

static const QType machine_info = {
    .kind = Q_OBJECT, .name = "MachineInfo", .members = machine_members,
    .doc = "A machine that this program can be.",
};

static const QType machine_list = { .kind = Q_ARRAY, .element = &machine_info };

static bool run_machines(const QMPCall *call, JsonObject *args,
                         JsonNode **result, GError **err)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; machine_types[i]; i++) {
        const MachineType *type = machine_types[i];
        JsonObject *info = json_object_new();

        json_object_set_string_member(info, "name", type->name);
        if (strcmp(type->name, DEFAULT_MACHINE) == 0) {
            json_object_set_boolean_member(info, "is-default", TRUE);
        }
        json_object_set_int_member(info, "cpu-max", type->max_cpus);
        json_object_set_boolean_member(info, "hotpluggable-cpus", FALSE);
        json_object_set_boolean_member(info, "numa-mem-supported", FALSE);
        json_object_set_boolean_member(info, "deprecated", FALSE);
        if (type->min_cpus) {
            json_object_set_string_member(info, "default-cpu-type",
                                          type->cpu_type);
        }
        json_array_add_object_element(array, info);
    }
    *result = qmp_array(array);
    return true;
}

/* ---- options ------------------------------------------------------------------------------ */

static const QMember option_args[] = {
    { "option", &q_string, true, "Only this one." },
    { 0 },
};

static const char *const parameter_types[] = {
    "string", "boolean", "number", "size", NULL,
};

static const QType parameter_type = {
    .kind = Q_ENUM, .name = "CommandLineParameterType",
    .values = parameter_types,
    .doc = "What a value is. size: a number with a suffix such as M.",
};

static const QMember parameter_members[] = {
    { "name", &q_string, false, "Its name." },
    { "type", &parameter_type, false, "What its value is." },
    { "help", &q_string, true, "What it is for." },
    { "default", &q_string, true, "What it is unless it is given." },
    { 0 },
};

static const QType parameter_info = {
    .kind = Q_OBJECT, .name = "CommandLineParameterInfo",
    .members = parameter_members, .doc = "A NAME=VALUE of an option.",
};

static const QType parameter_list = {
    .kind = Q_ARRAY, .element = &parameter_info,
};

static const QMember option_members[] = {
    { "option", &q_string, false,
      "Its name, without the dash; memory for -m, smp-opts for -smp." },
    { "parameters", &parameter_list, false,
      "What may follow; empty where that depends on the first of them." },
    { 0 },
};

static const QType option_info = {
    .kind = Q_OBJECT, .name = "CommandLineOptionInfo",
    .members = option_members, .doc = "An option of the command line.",
};

static const QType option_list = { .kind = Q_ARRAY, .element = &option_info };

/* What clients call an option that has another name on the command line. */
static const char *option_name(const char *name)
{
    return strcmp(name, "m") == 0 ? "memory" :
           strcmp(name, "smp") == 0 ? "smp-opts" : name;
}

static void add_parameters(JsonArray *array, const Property *property)
{
    static const char *const types[] = {
        [PROP_BOOL] = "boolean",  [PROP_UINT8] = "number",
        [PROP_UINT16] = "number", [PROP_UINT32] = "number",
        [PROP_UINT64] = "number", [PROP_SIZE] = "size",
        [PROP_STRING] = "string", [PROP_CHARDEV] = "string",
    };

    for (; property && property->name; property++) {
        JsonObject *info = json_object_new();

        json_object_set_string_member(info, "name", property->name);
        json_object_set_string_member(info, "type", types[property->kind]);
        json_object_set_string_member(info, "help", property->description);
        if (property->default_text) {
            json_object_set_string_member(info, "default",
                                          property->default_text);
        }
        json_array_add_object_element(array, info);
    }
}

typedef struct OptionQuery {
    const char *name; /* NULL: all */
    JsonArray *array;
} OptionQuery;

static void add_option(const OptionInfo *option, void *opaque)
{
    const char *name = option_name(option->name);
    OptionQuery *query = opaque;
    JsonArray *parameters;
    JsonObject *info;

    if (!option->argument || strcmp(name, "M") == 0 ||
        (query->name && strcmp(query->name, name) != 0)) {
        return;
    }
    parameters = json_array_new();
    if (strcmp(name, "machine") == 0) {
        add_parameters(parameters, machine_common_properties);
    } else {
        add_parameters(parameters, option->properties);
    }
    info = json_object_new();
    json_object_set_string_member(info, "option", name);
    json_object_set_array_member(info, "parameters", parameters);
    json_array_add_object_element(query->array, info);
}

static bool run_options(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err)
{
    OptionQuery query = { qmp_arg_string(args, "option"), json_array_new() };

    options_describe(add_option, &query);
    if (query.name && !json_array_get_length(query.array)) {
        json_array_unref(query.array);
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC, "invalid option name: %s",
                    query.name);
        return false;
    }
    *result = qmp_array(query.array);
    return true;
}

const QMPCommand qmp_machine_commands[] = {
    {
        .name = "query-name",
        .doc = "The name of the guest.",
        .result = &name_info,
        .run = run_name,
    },
    {
        .name = "query-uuid",
        .doc = "The guest's UUID.",
        .result = &uuid_info,
        .run = run_uuid,
    },
    {
        .name = "query-kvm",
        .doc = "Whether KVM is there and used.",
        .result = &kvm_info,
        .run = run_kvm,
    },
    {
        .name = "query-target",
        .doc = "For which architecture this program is.",
        .result = &target_info,
        .run = run_target,
    },
    {
        .name = "query-current-machine",
        .doc = "What this machine can do.",
        .result = &current_machine,
        .run = run_current_machine,
    },
    {
        .name = "query-machines",
        .doc = "The machines that this program can be.",
        .result = &machine_list,
        .run = run_machines,
    },
    {
        .name = "query-command-line-options",
        .doc = "The options of the command line that something follows.",
        .args = option_args, .result = &option_list,
        .run = run_options,
    },
    { 0 },
};
