/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What management programs ask at the start about kinds of devices that the
 * machines here do not have: the answer is that there are none.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref.
 */
#include "monitor/qmp-types.h"

static bool run_none(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    *result = qmp_array(json_array_new());
    return true;
}

static const QMember block_members[] = {
    { "device", &q_string, false, "Its name." },
    { "qdev", &q_string, true, "The path of the device that shows it." },
    { "type", &q_string, false, "Says nothing." },
    { "removable", &q_bool, false, "Whether a medium can be taken out." },
    { "locked", &q_bool, false, "Whether the guest forbids that." },
    { 0 },
};

static const QType block_info = {
    .kind = Q_OBJECT, .name = "BlockInfo", .members = block_members,
    .doc = "A block device.",
};

static const QType block_list = { .kind = Q_ARRAY, .element = &block_info };

static const char *const tpm_models[] = { "tpm-tis", "tpm-crb", NULL };
static const char *const tpm_types[] = { "passthrough", "emulator", NULL };

static const QType tpm_model = {
    .kind = Q_ENUM, .name = "TpmModel", .values = tpm_models,
    .doc = "How a guest sees a TPM.",
};

static const QType tpm_type = {
    .kind = Q_ENUM, .name = "TpmType", .values = tpm_types,
    .doc = "Where a TPM is from.",
};

static const QType tpm_model_list = { .kind = Q_ARRAY, .element = &tpm_model };
static const QType tpm_type_list = { .kind = Q_ARRAY, .element = &tpm_type };

const QMPCommand qmp_misc_commands[] = {
    {
        .name = "query-block",
        .doc = "The block devices: there are none.",
        .result = &block_list,
        .run = run_none,
    },
    {
        .name = "query-tpm-models",
        .doc = "How guests can see a TPM: not at all.",
        .result = &tpm_model_list,
        .run = run_none,
    },
    {
        .name = "query-tpm-types",
        .doc = "Where a TPM can be from: there are none.",
        .result = &tpm_type_list,
        .run = run_none,
    },
    { 0 },
};
