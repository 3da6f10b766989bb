/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPUs in the tree of objects: one wrapper each, which the machine owns. What
 * runs them (cpus.c) does not know of it.
 */
#include <string.h>

#include "cpus.h"
#include "hw/core/machine.h"

typedef struct CPUObject {
    Object object;
    unsigned index;
} CPUObject;

void cpu_type_list(GArray *out)
{
    static const ObjectProperty index = {
        "cpu-index", "uint32", "its number, from 0", false,
    };

    device_properties_list(out);
    g_array_append_val(out, index);
}

static void cpu_list(Object *obj, GArray *list)
{
    cpu_type_list(list);
}

static GVariant *cpu_get(Object *obj, const char *name, GError **err)
{
    if (strcmp(name, "cpu-index") == 0) {
        return g_variant_new_uint64(((CPUObject *)obj)->index);
    }
    return g_variant_new_boolean(strcmp(name, "realized") == 0);
}

static const ObjectOps cpu_object_ops = {
    .list = cpu_list,
    .get = cpu_get,
};

static void cpu_object_free(void *opaque)
{
    CPUObject *cpu = opaque;

    object_remove(&cpu->object);
    g_free(cpu);
}

void machine_add_cpu_objects(Machine *machine)
{
    machine->cpu_objects = g_ptr_array_new_with_free_func(cpu_object_free);
    for (unsigned i = 0; i < cpus_count(); i++) {
        g_autofree char *name = g_strdup_printf("cpu[%u]", i);
        CPUObject *cpu = g_new0(CPUObject, 1);

        cpu->object.type = machine->type->cpu_type;
        cpu->object.ops = &cpu_object_ops;
        cpu->index = i;
        object_add(&cpu->object, "/machine/unattached", name);
        g_ptr_array_add(machine->cpu_objects, cpu);
    }
}
