/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all boards have in common: settings, address spaces, RAM, devices.
 */
#include "hw/core/machine.h"
#include "hw/core/memory-backend.h"

#include <string.h>

/* The port space of x86; a board without ports leaves it empty. */
#define PORTS_SIZE 0x10000

/* Where in the tree what the user added is, and vCPUs; clients count on them,
 * also while there is nothing in them. */
#define PERIPHERAL "/machine/peripheral"
#define PERIPHERAL_ANON "/machine/peripheral-anon"
#define UNATTACHED "/machine/unattached"

const Property machine_common_properties[] = {
    { "accel", PROP_STRING, offsetof(Machine, accel), "kvm",
      "what runs the vCPUs: kvm, or qtest: nothing does", 0 },
    { "memory-backend", PROP_STRING, offsetof(Machine, memory_backend), NULL,
      "id of a memory-backend object that is all RAM", 0 },
    { "dumpdtb", PROP_STRING, offsetof(Machine, dumpdtb), NULL,
      "write the machine's device tree to this file and exit", 0 },
    { 0 },
};

/* The common properties and those of @type in one list, to be freed. */
static Property *machine_properties(const MachineType *type)
{
    static const Property end = { 0 };
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Property));
    const Property *p;

    for (p = machine_common_properties; p->name; p++) {
        g_array_append_vals(all, p, 1);
    }
    for (p = type->properties; p && p->name; p++) {
        g_array_append_vals(all, p, 1);
    }
    g_array_append_vals(all, &end, 1);
    return (Property *)g_array_free(all, FALSE);
}

const MachineType *machine_type_find(const char *name, GError **err)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;
    unsigned i;

    for (i = 0; machine_types[i]; i++) {
        if (strcmp(machine_types[i]->name, name) == 0) {
            return machine_types[i];
        }
        g_ptr_array_add(names, (char *)machine_types[i]->name);
    }
    g_ptr_array_add(names, NULL);
    nearest = nearest_name(name, (const char *const *)names->pdata);
    g_set_error(err, FLATVIEW_ERROR, 0,
                nearest ? "no machine is called '%s'; did you mean '%s'?"
                        : "no machine is called '%s'; '-machine help' lists them",
                name, nearest);
    return NULL;
}

/* ---- as an object ---------------------------------------------------------------- */

/* What is not in the table. */
static const ObjectProperty machine_facts[] = {
    { "memory", "MemorySizeConfiguration", "the RAM: size, in bytes", false },
    { "smp", "SMPConfiguration", "how many vCPUs, in how many sockets", false },
    { "kernel", "string", "a kernel that is started directly", false },
    { "initrd", "string", "its initial file system", false },
    { "append", "string", "its command line", false },
    { "firmware", "string", "an image that is started in place of one", false },
    { 0 },
};

void machine_type_list(const MachineType *type, bool settable, GArray *out)
{
    for (const ObjectProperty *fact = machine_facts; fact->name; fact++) {
        g_array_append_vals(out, fact, 1);
    }
    properties_list(machine_common_properties, settable, out);
    properties_list(type->properties, settable, out);
}

static void machine_list(Object *obj, GArray *list)
{
    machine_type_list(((Machine *)obj)->type, false, list);
}

static GVariant *machine_smp(const Machine *machine)
{
    const CPUTopology *t = &machine->topology;

    return g_variant_new_parsed("{'cpus': <%t>, 'maxcpus': <%t>, "
                                "'sockets': <%t>, 'dies': <%t>, 'cores': <%t>, "
                                "'threads': <%t>}",
                                (uint64_t)machine->cpus, (uint64_t)machine->cpus,
                                (uint64_t)t->sockets, (uint64_t)t->dies,
                                (uint64_t)t->cores, (uint64_t)t->threads);
}

static GVariant *machine_memory(const Machine *machine)
{
    return g_variant_new_parsed("{'size': <%t>}", machine->ram_size);
}

static GVariant *machine_get(Object *obj, const char *name, GError **err)
{
    const Machine *machine = (Machine *)obj;
    const Property *prop = property_find(machine->type->properties, name);
    const char *text = NULL;

    prop = prop ? prop : property_find(machine_common_properties, name);
    if (prop) {
        return property_get(prop, machine);
    } else if (strcmp(name, "memory") == 0) {
        return machine_memory(machine);
    } else if (strcmp(name, "smp") == 0) {
        return machine_smp(machine);
    } else if (strcmp(name, "kernel") == 0) {
        text = machine->kernel;
    } else if (strcmp(name, "initrd") == 0) {
        text = machine->initrd;
    } else if (strcmp(name, "append") == 0) {
        text = machine->append;
    } else {
        text = machine->bios;
    }
    return g_variant_new_take_string(g_utf8_make_valid(text ? text : "", -1));
}

static const ObjectOps machine_object_ops = {
    .list = machine_list,
    .get = machine_get,
};

/* ---- life ---------------------------------------------------------------------- */

const char *machine_object_type(const MachineType *type)
{
    g_autofree char *name = g_strconcat(type->name, "-machine", NULL);

    return g_intern_string(name);
}

static void fw_cfg_setting_free(void *opaque)
{
    FWCfgSetting *setting = opaque;

    g_free(setting->name);
    g_free(setting->file);
    g_free(setting->string);
    g_free(setting);
}

static void option_rom_setting_free(void *opaque)
{
    OptionROMSetting *setting = opaque;

    g_free(setting->file);
    g_free(setting);
}

static void flash_setting_free(void *opaque)
{
    FlashSetting *setting = opaque;

    g_free(setting->file);
    g_free(setting);
}

Machine *machine_new(const MachineType *type)
{
    static const char *const containers[] = {
        PERIPHERAL, PERIPHERAL_ANON, UNATTACHED, "/objects", "/chardevs",
    };
    g_autofree Property *properties = machine_properties(type);
    Machine *machine = g_malloc0(type->size);

    machine->object.type = machine_object_type(type);
    machine->object.ops = &machine_object_ops;
    machine->type = type;
    machine->cpus = type->min_cpus;
    machine->serials = g_ptr_array_new();
    machine->fw_cfg = g_ptr_array_new_with_free_func(fw_cfg_setting_free);
    machine->option_roms = g_ptr_array_new_with_free_func(option_rom_setting_free);
    machine->flash = g_ptr_array_new_with_free_func(flash_setting_free);
    machine->boot.splash_time = machine->boot.reboot_timeout = -1;
    machine->devices = g_ptr_array_new();
    properties_init(properties, machine);
    object_add(&machine->object, "/", "machine");
    for (unsigned i = 0; i < G_N_ELEMENTS(containers); i++) {
        object_make_container(containers[i]);
    }
    return machine;
}

bool machine_set(Machine *machine, const char *property, const char *value,
                 GError **err)
{
    g_autofree Property *properties = machine_properties(machine->type);
    g_autofree char *what = g_strdup_printf("machine '%s'",
                                            machine->type->name);

    return property_set(properties, machine, machine, what, property, value,
                        err);
}

void machine_print_types(FILE *out)
{
    unsigned i;

    for (i = 0; machine_types[i]; i++) {
        fprintf(out, "%-16s %s\n", machine_types[i]->name,
                machine_types[i]->description);
    }
}

void machine_print_properties(const MachineType *type, FILE *out)
{
    g_autofree Property *properties = machine_properties(type);

    properties_print(properties, out);
}

/* All of a user's object is the RAM. */
static bool machine_take_backend(Machine *machine, GError **err)
{
    UserObject *obj = user_object_find(machine->memory_backend, "memory-backend",
                                       err);
    MemoryBackend *backend = (MemoryBackend *)obj;

    if (!obj) {
        return false;
    }
    if (machine->mem_path) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "it and -mem-path exclude each other: use "
                    "memory-backend-file");
        return false;
    }
    if (!machine->ram_size) {
        machine->ram_size = backend->size;
    }
    if (machine->ram_size != backend->size) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "its size of %" PRIu64 " bytes is not that of -m, %" PRIu64,
                    backend->size, machine->ram_size);
        return false;
    }
    memory_region_init_alias(&machine->ram, "ram", &backend->mr, 0,
                             backend->size);
    user_object_ref(obj);
    machine->ram_backend = obj;
    return true;
}

static bool machine_make_ram(Machine *machine, GError **err)
{
    if (machine->memory_backend) {
        return machine_take_backend(machine, err);
    }
    if (!machine->ram_size) {
        return true;
    }
    /* A file in a directory is nobody else's: shared, each page exists once. A
     * file that the user names keeps its content. */
    if (machine->mem_path) {
        return memory_region_init_ram_from_file(
            &machine->ram, "ram", machine->ram_size, 0,
            g_file_test(machine->mem_path, G_FILE_TEST_IS_DIR) ? RAM_SHARED : 0,
            machine->mem_path, err);
    }
    return memory_region_try_init_ram(&machine->ram, "ram", machine->ram_size,
                                      err);
}

static bool machine_init_ram(Machine *machine, GError **err)
{
    if (!machine->ram_size && !machine->memory_backend) {
        machine->ram_size = machine->type->default_ram_size;
    }
    if (machine_make_ram(machine, err)) {
        return true;
    }
    if (machine->memory_backend) {
        g_prefix_error(err, "memory-backend '%s': ", machine->memory_backend);
    } else {
        g_prefix_error(err, "%" PRIu64 " MiB of guest RAM: ",
                       machine->ram_size >> 20);
    }
    return false;
}

bool machine_power_button(Machine *machine)
{
    if (machine->type->power_button) {
        machine->type->power_button(machine);
    }
    return machine->type->power_button != NULL;
}

bool machine_can_suspend(const Machine *machine)
{
    return machine->type->wakeup != NULL;
}

bool machine_init(Machine *machine, GError **err)
{
    bool ok;

    if (machine->cpus < machine->type->min_cpus ||
        machine->cpus > machine->type->max_cpus) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "machine '%s' has %u to %u CPUs, not %u",
                    machine->type->name, machine->type->min_cpus,
                    machine->type->max_cpus, machine->cpus);
        return false;
    }
    if (!machine->topology.sockets) {
        machine->topology = (CPUTopology){ 1, 1, MAX(machine->cpus, 1), 1 };
    }
    if (!machine_init_ram(machine, err)) {
        return false;
    }
    memory_region_init(&machine->memory_root, "memory", UINT64_MAX);
    memory_region_init(&machine->ports_root, "ports", PORTS_SIZE);
    address_space_init(&machine->memory, &machine->memory_root);
    address_space_init(&machine->ports, &machine->ports_root);
    machine->initialised = true;

    memory_region_transaction_begin();
    ok = machine->type->init(machine, err);
    memory_region_transaction_commit();
    return ok;
}

bool machine_prepare(Machine *machine, GError **err)
{
    machine->prepared = !machine->type->prepare ||
                        machine->type->prepare(machine, err);
    if (machine->prepared) {
        machine_add_cpu_objects(machine);
    }
    return machine->prepared;
}

void machine_reset(Machine *machine)
{
    unsigned i;

    for (i = 0; i < machine->devices->len; i++) {
        device_reset(machine->devices->pdata[i]);
    }
    if (machine->type->reset) {
        machine->type->reset(machine);
    }
}

void machine_free(Machine *machine)
{
    g_autofree Property *properties = NULL;
    unsigned i;

    if (!machine) {
        return;
    }
    if (machine->initialised) {
        /* The views first: what is taken apart below is then seen by nobody. */
        address_space_destroy(&machine->ports);
        address_space_destroy(&machine->memory);
        for (i = machine->devices->len; i-- > 0;) {
            device_free(machine->devices->pdata[i]);
        }
        if (machine->type->finish) {
            machine->type->finish(machine);
        }
        memory_region_destroy(&machine->ports_root);
        memory_region_destroy(&machine->memory_root);
        if (machine->ram_size) {
            memory_region_destroy(&machine->ram);
        }
        if (machine->ram_backend) {
            user_object_unref(machine->ram_backend);
        }
    }
    g_clear_pointer(&machine->cpu_objects, g_ptr_array_unref);
    object_remove(&machine->object);
    g_ptr_array_free(machine->devices, TRUE);
    g_ptr_array_free(machine->serials, TRUE);
    g_ptr_array_free(machine->fw_cfg, TRUE);
    g_ptr_array_free(machine->option_roms, TRUE);
    g_ptr_array_free(machine->flash, TRUE);
    smbios_settings_free(machine->smbios);
    g_free(machine->vga);
    g_free(machine->boot.order);
    g_free(machine->boot.once);
    properties = machine_properties(machine->type);
    properties_clear(properties, machine);
    g_free(machine->name);
    g_free(machine->uuid);
    g_free(machine->mem_path);
    g_free(machine->kernel);
    g_free(machine->initrd);
    g_free(machine->append);
    g_free(machine->bios);
    g_free(machine);
}

/* ---- devices ---------------------------------------------------------------------- */

Device *machine_new_device(Machine *machine, const char *type_name,
                           const char *id, GError **err)
{
    const DeviceType *type = device_type_find(type_name, err);
    Device *dev;
    unsigned i;

    if (!type || (id && !object_id_check(id, err))) {
        return NULL;
    }
    for (i = 0; id && i < machine->devices->len; i++) {
        dev = machine->devices->pdata[i];
        if (g_strcmp0(dev->id, id) == 0) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "Duplicate device ID '%s': it is in use by device '%s'; "
                        "choose another", id, dev->type->name);
            return NULL;
        }
    }
    dev = device_new(type, id);
    dev->machine = machine;
    dev->hotplugged = machine->prepared;
    if (!device_apply_globals(dev, err)) {
        device_free(dev);
        return NULL;
    }
    return dev;
}

static void device_add_anonymous(Device *dev)
{
    Object *parent = object_make_container(PERIPHERAL_ANON);
    unsigned n = parent->children ? parent->children->len : 0;
    g_autofree char *path = NULL, *name = NULL;

    /* The first number is free unless some have gone. */
    do {
        g_free(path);
        g_free(name);
        name = g_strdup_printf("device[%u]", n++);
        path = g_strconcat(PERIPHERAL_ANON "/", name, NULL);
    } while (object_resolve(path, NULL));
    object_add(&dev->object, PERIPHERAL_ANON, name);
}

bool machine_realize_device(Machine *machine, Device *dev, GError **err)
{
    if (!device_realize(dev, err)) {
        device_free(dev);
        return false;
    }
    if (dev->id) {
        object_add(&dev->object, PERIPHERAL, dev->id);
    } else if (!dev->object.parent) {
        device_add_anonymous(dev);
    }
    g_ptr_array_add(machine->devices, dev);
    return true;
}

Device *machine_add_device(Machine *machine, const char *type_name,
                           const char *id, GError **err)
{
    Device *dev = machine_new_device(machine, type_name, id, err);

    if (!dev || !machine_realize_device(machine, dev, err)) {
        return NULL;
    }
    return dev;
}

void machine_remove_device(Machine *machine, Device *dev)
{
    g_ptr_array_remove(machine->devices, dev);
    for (unsigned n = 0; n < DEVICE_MAX_IRQS; n++) {
        device_set_irq(dev, n, false);
    }
    device_free(dev);
}
