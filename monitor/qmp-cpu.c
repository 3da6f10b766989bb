/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs: which there are, and what models -cpu knows.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, Machines.
 */
#include "monitor/qmp-types.h"

#include "cpus.h"
#include "hw/core/machine.h"
#include "monitor/monitor.h"
#include "target-i386/cpu.h"

static char *cpu_path(unsigned index)
{
    return g_strdup_printf("/machine/unattached/cpu[%u]", index);
}

static const QMember cpu_members[] = {
    { "cpu-index", &q_int, false, "Its number, from 0." },
    { "qom-path", &q_string, false, "Where it is among the objects." },
    { "thread-id", &q_int, false,
      "The host's number of its thread; the program's own where it has none." },
    { "props", &qmp_cpu_place, true, "Where it is among the others." },
    { "target", &qmp_target, false, "Its architecture." },
    { 0 },
};

static const QType cpu_info = {
    .kind = Q_OBJECT, .name = "CpuInfoFast", .members = cpu_members,
    .doc = "A vCPU.",
};

static const QType cpu_list = { .kind = Q_ARRAY, .element = &cpu_info };

static bool run_cpus(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < cpus_count(); i++) {
        g_autofree char *path = cpu_path(i);
        JsonObject *info = json_object_new();

        json_object_set_int_member(info, "thread-id",
                                   cpu_thread_id(cpus_get(i)));
        json_object_set_object_member(info, "props", qmp_cpu_place_new(i));
        json_object_set_string_member(info, "qom-path", path);
        json_object_set_int_member(info, "cpu-index", i);
        json_object_set_string_member(info, "target", QMP_TARGET_NAME);
        json_array_add_object_element(array, info);
    }
    *result = qmp_array(array);
    return true;
}

static const QMember slot_members[] = {
    { "type", &q_string, false, "The type of the vCPU." },
    { "vcpus-count", &q_int, false, "How many there are in one." },
    { "props", &qmp_cpu_place, false, "Where it is among the others." },
    { "qom-path", &q_string, true, "It is there, and this is its object." },
    { 0 },
};

static const QType slot_info = {
    .kind = Q_OBJECT, .name = "HotpluggableCPU", .members = slot_members,
    .doc = "A place for a vCPU.",
};

static const QType slot_list = { .kind = Q_ARRAY, .element = &slot_info };

static bool run_slots(const QMPCall *call, JsonObject *args, JsonNode **result,
                      GError **err)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < cpus_count(); i++) {
        g_autofree char *path = cpu_path(i);
        JsonObject *info = json_object_new();

        json_object_set_object_member(info, "props", qmp_cpu_place_new(i));
        json_object_set_int_member(info, "vcpus-count", 1);
        json_object_set_string_member(info, "qom-path", path);
        json_object_set_string_member(info, "type",
                                      monitor_machine()->type->cpu_type);
        json_array_add_object_element(array, info);
    }
    *result = qmp_array(array);
    return true;
}

static const QMember model_members[] = {
    { "name", &q_string, false, "As after -cpu." },
    { "migration-safe", &q_bool, true,
      "It is the same on every host, so a guest can move between them." },
    { "static", &q_bool, false, "It is the same in every version." },
    { "unavailable-features", &qmp_string_list, true,
      "What this host lacks for it." },
    { "typename", &q_string, false, "The type of such a vCPU as an object." },
    { "deprecated", &q_bool, false, "It will go in some later version." },
    { 0 },
};

static const QType model_info = {
    .kind = Q_OBJECT, .name = "CpuDefinitionInfo", .members = model_members,
    .doc = "A model of vCPUs.",
};

static const QType model_list = { .kind = Q_ARRAY, .element = &model_info };

static bool run_models(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    JsonArray *array = json_array_new();

    for (const char *const *name = x86_cpu_models(); *name; name++) {
        JsonObject *info = json_object_new();

        json_object_set_string_member(info, "name", *name);
        json_object_set_string_member(info, "typename", X86_CPU_TYPE);
        json_object_set_array_member(info, "unavailable-features",
                                     json_array_new());
        json_object_set_boolean_member(info, "static", FALSE);
        json_object_set_boolean_member(info, "migration-safe", FALSE);
        json_object_set_boolean_member(info, "deprecated", FALSE);
        json_array_add_object_element(array, info);
    }
    *result = qmp_array(array);
    return true;
}

const QMPCommand qmp_cpu_commands[] = {
    {
        .name = "query-cpus-fast",
        .doc = "The vCPUs. Does not disturb them.",
        .result = &cpu_list,
        .run = run_cpus,
    },
    {
        .name = "query-hotpluggable-cpus",
        .doc = "The places for vCPUs. All have one, and none can be taken away: "
               "see hotpluggable-cpus in query-machines.",
        .result = &slot_list,
        .run = run_slots,
    },
    {
        .name = "query-cpu-definitions",
        .doc = "The models that -cpu knows. They are what this host's KVM can do.",
        .result = &model_list,
        .run = run_models,
    },
    { 0 },
};
