/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory: how much there is, where it is from, and copies of it in files.
 *
 * Specification: QEMU docs/interop/qemu-qmp-ref, Machines.
 */
#include "monitor/qmp-types.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "cpu-debug.h"
#include "hw/core/machine.h"
#include "hw/core/memory-backend.h"
#include "monitor/monitor.h"

/* ---- how much there is ------------------------------------------------------------------ */

static const QMember size_members[] = {
    { "base-memory", &q_int, false, "Bytes that were there at the start." },
    { "plugged-memory", &q_int, true, "Bytes that were added since: always 0." },
    { 0 },
};

static const QType size_info = {
    .kind = Q_OBJECT, .name = "MemoryInfo", .members = size_members,
    .doc = "The amount of memory.",
};

static bool run_size(const QMPCall *call, JsonObject *args, JsonNode **result,
                     GError **err)
{
    JsonObject *info = json_object_new();

    json_object_set_int_member(info, "base-memory", monitor_machine()->ram_size);
    json_object_set_int_member(info, "plugged-memory", 0);
    *result = qmp_object(info);
    return true;
}

static const char *const no_kinds[] = { "dimm", NULL };

static const QType device_kind = {
    .kind = Q_ENUM, .name = "MemoryDeviceInfoKind", .values = no_kinds,
    .doc = "A kind of memory device.",
};

static const QMember device_members[] = {
    { "type", &device_kind, false, "Its kind." },
    { 0 },
};

static const QType device_info = {
    .kind = Q_OBJECT, .name = "MemoryDeviceInfo", .members = device_members,
    .doc = "A device that is memory.",
};

static const QType device_list = { .kind = Q_ARRAY, .element = &device_info };

static bool run_devices(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err)
{
    *result = qmp_array(json_array_new());
    return true;
}

/* ---- where it is from ----------------------------------------------------------------- */

static const QType int_list = { .kind = Q_ARRAY, .element = &q_int };

static const char *const policies[] = { "default", NULL };

static const QType policy = {
    .kind = Q_ENUM, .name = "HostMemPolicy", .values = policies,
    .doc = "On which of the host's nodes memory is. default: the host decides.",
};

static const QMember memdev_members[] = {
    { "id", &q_string, true, "Of the object; the machine's own RAM has none." },
    { "size", &q_int, false, "Bytes." },
    { "merge", &q_bool, false, "The host may keep equal pages once." },
    { "dump", &q_bool, false, "It is part of a core file of this program." },
    { "prealloc", &q_bool, false, "Every page was there from the start." },
    { "share", &q_bool, false, "Other processes may see what is written." },
    { "host-nodes", &int_list, false, "The host's nodes: none given." },
    { "policy", &policy, false, "How these are used." },
    { 0 },
};

static const QType memdev_info = {
    .kind = Q_OBJECT, .name = "Memdev", .members = memdev_members,
    .doc = "Memory of the host that is, or can be, RAM of the machine.",
};

static const QType memdev_list = { .kind = Q_ARRAY, .element = &memdev_info };

static JsonObject *add_memdev(JsonArray *array, uint64_t size, bool share)
{
    JsonObject *info = json_object_new();

    json_object_set_int_member(info, "size", size);
    json_object_set_boolean_member(info, "merge", FALSE);
    json_object_set_boolean_member(info, "dump", TRUE);
    json_object_set_boolean_member(info, "prealloc", FALSE);
    json_object_set_boolean_member(info, "share", share);
    json_object_set_array_member(info, "host-nodes", json_array_new());
    json_object_set_string_member(info, "policy", "default");
    json_array_add_object_element(array, info);
    return info;
}

static void add_backend(UserObject *obj, void *opaque)
{
    MemoryBackend *backend = (MemoryBackend *)obj;
    JsonObject *info = add_memdev(opaque, backend->size, backend->share);

    json_object_set_string_member(info, "id", obj->id);
    json_object_set_boolean_member(info, "merge", backend->merge);
    json_object_set_boolean_member(info, "dump", backend->dump);
    json_object_set_boolean_member(info, "prealloc", backend->prealloc);
}

static bool run_memdevs(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err)
{
    const Machine *machine = monitor_machine();
    JsonArray *array = json_array_new();

    memory_lock();
    user_object_foreach("memory-backend", add_backend, array);
    if (machine->ram_size && !machine->ram_backend) {
        add_memdev(array, machine->ram_size, false);
    }
    memory_unlock();
    *result = qmp_array(array);
    return true;
}

/* ---- copies in files -------------------------------------------------------------------- */

#define PIECE 65536

typedef size_t ReadFunction(CPUState *cpu, uint64_t addr, void *buf, size_t len,
                            bool is_write);

static bool save_pieces(CPUState *cpu, ReadFunction *read, uint64_t addr,
                        int64_t size, int fd, const char *filename, GError **err)
{
    g_autofree uint8_t *piece = g_malloc(PIECE);

    for (int64_t left = size; left;) {
        size_t len = MIN(left, PIECE);
        size_t n = read(cpu, addr, piece, len, false);
        int error = output_write(fd, piece, n);

        if (error) {
            g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                        "Could not write to '%s': %s", filename,
                        g_strerror(error));
            return false;
        }
        addr += n;
        left -= n;
        if (n < len) {
            g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                        "Invalid addr 0x%016" PRIx64 "/size %" PRId64
                        " specified: no memory there; '%s' has the %" PRId64
                        " bytes before", addr, left, filename, size - left);
            return false;
        }
    }
    return true;
}

/* Copy @size bytes that vCPU @index sees at @addr into a file. */
static bool save(JsonObject *args, int64_t index, ReadFunction *read,
                 GError **err)
{
    const char *filename = qmp_arg_string(args, "filename");
    int64_t size = qmp_arg_int(args, "size", 0);
    int fd;
    bool ok;

    if (index < 0 || index >= cpus_count()) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'cpu-index' expects a CPU number");
        return false;
    }
    if (size < 0) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Parameter 'size' expects a size of at most %" PRId64
                    " bytes", INT64_MAX);
        return false;
    }
    fd = output_open(filename, false);
    if (fd < 0) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Could not open '%s': %s", filename,
                    output_stream_error(errno));
        return false;
    }
    cpus_stop();
    ok = save_pieces(cpus_get(index), read, qmp_arg_int(args, "val", 0), size,
                     fd, filename, err);
    cpus_go_on();
    if (close(fd) != 0 && ok) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "Could not write to '%s': %s", filename, g_strerror(errno));
        return false;
    }
    return ok;
}

static const QMember memsave_args[] = {
    { "val", &q_int, false, "The address." },
    { "size", &q_int, false, "Bytes." },
    { "filename", &q_string, false, "The file, which is emptied first, or made." },
    { "cpu-index", &q_int, true, "Whose page tables: vCPU 0." },
    { 0 },
};

static bool run_memsave(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err)
{
    return save(args, qmp_arg_int(args, "cpu-index", 0), cpu_memory_rw, err);
}

static const QMember pmemsave_args[] = {
    { "val", &q_int, false, "The address." },
    { "size", &q_int, false, "Bytes." },
    { "filename", &q_string, false, "The file, which is emptied first, or made." },
    { 0 },
};

static bool run_pmemsave(const QMPCall *call, JsonObject *args,
                         JsonNode **result, GError **err)
{
    if (!cpus_count()) {
        g_set_error(err, QMP_ERROR, QMP_ERROR_GENERIC,
                    "the machine has no vCPU that sees memory");
        return false;
    }
    return save(args, 0, cpu_physical_rw, err);
}

const QMPCommand qmp_memory_commands[] = {
    {
        .name = "query-memory-size-summary",
        .doc = "How much memory the machine has.",
        .result = &size_info,
        .run = run_size,
    },
    {
        .name = "query-memory-devices",
        .doc = "The devices that are memory: there are none.",
        .result = &device_list,
        .run = run_devices,
    },
    {
        .name = "query-memdev",
        .doc = "Memory of the host that is, or can be, RAM of the machine.",
        .result = &memdev_list,
        .run = run_memdevs,
    },
    {
        .name = "memsave",
        .doc = "Writes memory that a vCPU sees into a file. Registers of devices "
               "are not read. Where there is no memory it ends with an error; "
               "the file has what comes before.",
        .args = memsave_args,
        .run = run_memsave,
    },
    {
        .name = "pmemsave",
        .doc = "The same by physical address.",
        .args = pmemsave_args,
        .run = run_pmemsave,
    },
    { 0 },
};
