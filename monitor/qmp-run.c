/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the machine runs: query-status, stop, cont, reset, power, quit.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, VM run state.
 */
#include "monitor/qmp-types.h"

#include "cpu-debug.h"
#include "hw/core/machine.h"
#include "monitor/monitor.h"
#include "sysemu.h"

static const char *const run_states[] = {
    "prelaunch", "running", "paused", "debug", "shutdown", "internal-error",
    "guest-panicked", "suspended", NULL,
};

static const QType run_state = {
    .kind = Q_ENUM, .name = "RunState", .values = run_states,
    .doc = "Whether the machine runs, or why not. prelaunch: it has not begun to. "
           "suspended: the guest sleeps until something wakes it, or a reset. "
           "From internal-error and shutdown only a reset leads on.",
};

static const QMember status_members[] = {
    { "running", &q_bool, false, "Whether vCPUs run." },
    { "singlestep", &q_bool, false, "Always false." },
    { "status", &run_state, false, "The same in detail." },
    { 0 },
};

static const QType status_info = {
    .kind = Q_OBJECT, .name = "StatusInfo", .members = status_members,
    .doc = "Whether the machine runs.",
};

static bool run_status(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    JsonObject *info = json_object_new();

    json_object_set_string_member(info, "status",
                                  run_state_name(vm_run_state()));
    json_object_set_boolean_member(info, "singlestep", FALSE);
    json_object_set_boolean_member(info, "running", vm_is_running());
    *result = qmp_object(info);
    return true;
}

static bool run_stop(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    vm_stop(RUN_STATE_PAUSED);
    return true;
}

static bool run_cont(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    return vm_start(err);
}

static bool run_reset(const QMPCall *call, JsonObject *args, JsonNode **result,
                      GError **err)
{
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    return true;
}

static bool run_powerdown(const QMPCall *call, JsonObject *args,
                          JsonNode **result, GError **err)
{
    vm_request_powerdown();
    return true;
}

static bool run_wakeup(const QMPCall *call, JsonObject *args, JsonNode **result,
                       GError **err)
{
    if (!machine_can_suspend(monitor_machine())) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "wake-up from suspend is not supported by this guest");
        return false;
    }
    return vm_wakeup(err);
}

static bool run_quit(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_QMP_QUIT, EXIT_GUEST_OFF);
    return true;
}

static bool run_nmi(const QMPCall *call, JsonObject *args, JsonNode **result,
                    GError **err)
{
    if (!cpus_count()) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "the machine has no vCPU");
        return false;
    }
    for (unsigned i = 0; i < cpus_count(); i++) {
        if (!cpu_inject_nmi(cpus_get(i), err)) {
            return false;
        }
    }
    return true;
}

const QMPCommand qmp_run_commands[] = {
    {
        .name = "query-status",
        .doc = "Whether the machine runs.",
        .result = &status_info,
        .oob = true,
        .run = run_status,
    },
    {
        .name = "stop",
        .doc = "Brings every vCPU to rest. The event STOP comes before the reply. "
               "Nothing where the guest sleeps.",
        .oob = true,
        .run = run_stop,
    },
    {
        .name = "cont",
        .doc = "Lets the machine run. The event RESUME comes before the reply. Does "
               "not wake a guest that sleeps.",
        .run = run_cont,
    },
    {
        .name = "system_reset",
        .doc = "Resets the machine. The event RESET says that it is done.",
        .run = run_reset,
    },
    {
        .name = "system_powerdown",
        .doc = "Presses the power button. What follows is for the guest to do.",
        .run = run_powerdown,
    },
    {
        .name = "system_wakeup",
        .doc = "Wakes a suspended guest. The event WAKEUP comes before the reply.",
        .run = run_wakeup,
    },
    {
        .name = "inject-nmi",
        .doc = "A non-maskable interrupt for every vCPU.",
        .run = run_nmi,
    },
    {
        .name = "quit",
        .doc = "Ends the program. The reply, and the event SHUTDOWN, come before.",
        .oob = true,
        .run = run_quit,
    },
    { 0 },
};
