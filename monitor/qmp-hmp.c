/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor's commands by way of this protocol.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, human-monitor-command.
 */
#include "monitor/qmp-types.h"

#include "cpus.h"
#include "monitor/monitor.h"

static const QMember line_args[] = {
    { "command-line", &q_string, false, "The line." },
    { "cpu-index", &q_int, true, "The vCPU that it is about, where it is: 0." },
    { 0 },
};

static bool run_line(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    int64_t index = qmp_arg_int(args, "cpu-index", 0);
    g_autofree char *output = NULL;

    if (json_object_has_member(args, "cpu-index") &&
        (index < 0 || index >= cpus_count())) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'cpu-index' expects a CPU number");
        return false;
    }
    output = hmp_run(qmp_arg_string(args, "command-line"), index);
    *result = qmp_string(output);
    return true;
}

const QMPCommand qmp_hmp_commands[] = {
    {
        .name = "human-monitor-command",
        .doc = "Carries out a line as the human monitor does, and returns what that "
               "prints, errors too. What it prints is for people and may change.",
        .args = line_args, .result = &q_string,
        .run = run_line,
    },
    { 0 },
};
