/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * info: the state of the machine in words, mostly from what QMP answers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cpu-debug.h"
#include "hw/pci/pci.h"
#include "monitor/hmp-commands.h"
#include "monitor/qmp-types.h"
#include "mtree.h"

static const char *string_of(JsonObject *object, const char *name)
{
    return json_object_get_string_member_with_default(object, name, "");
}

/* ---- one answer, one line ------------------------------------------------------- */

bool hmp_info_status(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonObject *info;
    const char *status;
    bool running;

    if (!hmp_qmp(call, "query-status", NULL, &result, err)) {
        return false;
    }
    info = json_node_get_object(result);
    status = string_of(info, "status");
    running = json_object_get_boolean_member_with_default(info, "running", FALSE);
    if (running || strcmp(status, "paused") == 0) {
        hmp_printf(call, "VM status: %s\n", running ? "running" : "paused");
    } else {
        hmp_printf(call, "VM status: paused (%s)\n", status);
    }
    return true;
}

bool hmp_info_version(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;

    if (!hmp_qmp(call, "query-version", NULL, &result, err)) {
        return false;
    }
    hmp_printf(call, "%s\n", string_of(json_node_get_object(result), "package"));
    return true;
}

/* Without a name there is nothing to print. */
bool hmp_info_name(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    const char *name;

    if (!hmp_qmp(call, "query-name", NULL, &result, err)) {
        return false;
    }
    name = string_of(json_node_get_object(result), "name");
    if (*name) {
        hmp_printf(call, "%s\n", name);
    }
    return true;
}

bool hmp_info_uuid(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;

    if (!hmp_qmp(call, "query-uuid", NULL, &result, err)) {
        return false;
    }
    hmp_printf(call, "%s\n", string_of(json_node_get_object(result), "UUID"));
    return true;
}

bool hmp_info_kvm(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonObject *info;

    if (!hmp_qmp(call, "query-kvm", NULL, &result, err)) {
        return false;
    }
    info = json_node_get_object(result);
    hmp_printf(call, "kvm support: %s\n",
               !json_object_get_boolean_member_with_default(info, "present", FALSE)
               ? "not compiled"
               : json_object_get_boolean_member_with_default(info, "enabled", FALSE)
               ? "enabled" : "disabled");
    return true;
}

/* ---- lists ---------------------------------------------------------------------- */

/* The array that the QMP command @name returns, to be freed by way of
 * @result. */
static JsonArray *list_of(const HMPCall *call, const char *name,
                          JsonNode **result, GError **err)
{
    return hmp_qmp(call, name, NULL, result, err) ? json_node_get_array(*result)
                                                  : NULL;
}

bool hmp_info_cpus(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonArray *list = list_of(call, "query-cpus-fast", &result, err);

    for (unsigned i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *cpu = json_array_get_object_element(list, i);
        int64_t index = json_object_get_int_member(cpu, "cpu-index");

        hmp_printf(call, "%c CPU #%" PRId64 ": thread_id=%" PRId64 "\n",
                   index == monitor_cpu_index(call->mon) ? '*' : ' ', index,
                   (int64_t)json_object_get_int_member(cpu, "thread-id"));
    }
    return list != NULL;
}

bool hmp_info_chardev(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonArray *list = list_of(call, "query-chardev", &result, err);

    for (unsigned i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *chr = json_array_get_object_element(list, i);

        hmp_printf(call, "%s: filename=%s\n", string_of(chr, "label"),
                   string_of(chr, "filename"));
    }
    return list != NULL;
}

bool hmp_info_iothreads(const HMPCall *call, GError **err)
{
    g_autoptr(JsonNode) result = NULL;
    JsonArray *list = list_of(call, "query-iothreads", &result, err);

    for (unsigned i = 0; list && i < json_array_get_length(list); i++) {
        JsonObject *thread = json_array_get_object_element(list, i);

        hmp_printf(call, "%s: thread_id=%" PRId64 "\n", string_of(thread, "id"),
                   (int64_t)json_object_get_int_member(thread, "thread-id"));
    }
    return list != NULL;
}

/* ---- registers ------------------------------------------------------------------ */

static void print_registers(const HMPCall *call, CPUState *cpu)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out) {
        return;
    }
    cpu_print(cpu, out);
    fclose(out);
    hmp_printf(call, "\nCPU#%u\n%s", cpu->index, text);
    free(text);
}

bool hmp_info_registers(const HMPCall *call, GError **err)
{
    CPUState *cpu = hmp_cpu(call, err);

    if (!cpu) {
        return false;
    }
    cpus_stop();
    if (hmp_flag(call, "-a")) {
        for (unsigned i = 0; i < cpus_count(); i++) {
            print_registers(call, cpus_get(i));
        }
    } else {
        print_registers(call, cpu);
    }
    cpus_go_on();
    return true;
}

/* ---- the map -------------------------------------------------------------------- */

static int print_to_call(FILE *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* An fprintf_function whose stream is an HMPCall. */
static int print_to_call(FILE *call, const char *fmt, ...)
{
    va_list ap;
    int ret;

    va_start(ap, fmt);
    ret = hmp_vprintf((const HMPCall *)call, fmt, ap);
    va_end(ap);
    return ret;
}

bool hmp_info_mtree(const HMPCall *call, GError **err)
{
    unsigned flags = (hmp_flag(call, "-f") ? MTREE_FLAT : 0) |
                     (hmp_flag(call, "-d") ? MTREE_DISPATCH : 0);

    flags = flags ? flags : MTREE_TREE;
    mtree_info_flags(print_to_call, (void *)call,
                     flags | (hmp_flag(call, "-o") ? MTREE_OWNER : 0));
    return true;
}

/* ---- objects -------------------------------------------------------------------- */

static void print_objects(const HMPCall *call, const Object *obj, unsigned depth)
{
    hmp_printf(call, "%*s/%s (%s)\n", (int)depth * 2, "",
               obj->name ? obj->name : "", obj->type);
    for (guint i = 0; obj->children && i < obj->children->len; i++) {
        print_objects(call, obj->children->pdata[i], depth + 1);
    }
}

bool hmp_info_qom_tree(const HMPCall *call, GError **err)
{
    const char *path = hmp_text(call, "path");
    bool ambiguous = false;
    Object *obj;

    path = path ? path : "/machine";
    memory_lock();
    obj = strcmp(path, "/") == 0 ? object_root()
                                 : object_resolve(path, &ambiguous);
    if (obj) {
        print_objects(call, obj, 0);
    } else {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                    ambiguous ? "Path '%s' is the end of several"
                              : "Path '%s' could not be resolved", path);
    }
    memory_unlock();
    return obj != NULL;
}

/* A value as in the settings of a device. */
static void print_value(const HMPCall *call, GVariant *value)
{
    uint64_t number;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        hmp_printf(call, "\"%s\"", g_variant_get_string(value, NULL));
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)) {
        hmp_printf(call, "%s", g_variant_get_boolean(value) ? "true" : "false");
    } else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64)) {
        number = g_variant_get_uint64(value);
        hmp_printf(call, "%" PRIu64 " (0x%" PRIx64 ")", number, number);
    } else {
        g_autofree char *text = g_variant_print(value, FALSE);

        hmp_printf(call, "%s", text);
    }
}

/* One "NAME = VALUE" for each property that can be read, but for children. */
static void print_properties(const HMPCall *call, Object *obj, int indent)
{
    g_autoptr(GArray) properties = object_properties(obj);

    for (guint i = 0; i < properties->len; i++) {
        const ObjectProperty *p = &g_array_index(properties, ObjectProperty, i);
        g_autoptr(GVariant) value = NULL;

        if (strcmp(p->name, "type") == 0 || g_str_has_prefix(p->type, "child<")) {
            continue;
        }
        value = object_get(obj, p->name, NULL);
        if (value) {
            g_variant_ref_sink(value);
            hmp_printf(call, "%*s%s = ", indent, "", p->name);
            print_value(call, value);
            hmp_printf(call, "\n");
        }
    }
}

bool hmp_info_memdev(const HMPCall *call, GError **err)
{
    Object *objects;

    memory_lock();
    objects = object_resolve("/objects", NULL);
    for (guint i = 0; objects && objects->children &&
         i < objects->children->len; i++) {
        Object *obj = objects->children->pdata[i];

        if (object_type_is(obj->type, "memory-backend")) {
            hmp_printf(call, "memory backend: %s\n", obj->name);
            print_properties(call, obj, 2);
        }
    }
    memory_unlock();
    return true;
}

/* ---- devices -------------------------------------------------------------------- */

/* Where regions are, counted from the top of their trees: MtreeRange by region. */
static void note_place(const MtreeRegion *region, void *opaque)
{
    MtreeRange *range = g_new(MtreeRange, 1);

    *range = region->range;
    g_hash_table_insert(opaque, (gpointer)region->mr, range);
}

static void print_regions(const HMPCall *call, Device *dev, GHashTable *places,
                          int indent)
{
    for (unsigned i = 0; i < dev->regions_nr; i++) {
        MemoryRegion *mr = dev->regions[i];
        const MtreeRange *range = g_hash_table_lookup(places, mr);
        bool is_port = dev->containers[i] == &monitor_machine()->ports_root;

        hmp_printf(call, "%*s", indent, "");
        if (range && dev->containers[i] && range->extent == MTREE_BYTES) {
            hmp_printf(call, "%s %0*" PRIx64 "/%0*" PRIx64 " %s\n",
                       is_port ? "port" : "mmio", is_port ? 4 : 16, range->first,
                       is_port ? 4 : 16, memory_region_size(mr),
                       memory_region_name(mr));
        } else {
            hmp_printf(call, "not mapped: %s\n", memory_region_name(mr));
        }
    }
}

static void print_function(const HMPCall *call, const PCIDevice *dev, int indent)
{
    const uint8_t *config = dev->config;
    bool bridge = dev->device.type->pci->bridge;
    unsigned class = pci_get_word(config + PCI_CLASS_DEVICE);
    const char *name = qmp_pci_class_name(class);
    g_autofree char *number = g_strdup_printf("Class %04x", class);

    hmp_printf(call, "%*sclass %s, addr %02x:%02x.%x, pci id %04x:%04x (sub "
               "%04x:%04x)\n", indent, "", name ? name : number,
               pci_bus_number(dev->bus), PCI_SLOT(dev->devfn), PCI_FUNC(dev->devfn),
               pci_get_word(config + PCI_VENDOR_ID),
               pci_get_word(config + PCI_DEVICE_ID),
               bridge ? 0 : pci_get_word(config + PCI_SUBSYSTEM_VENDOR_ID),
               bridge ? 0 : pci_get_word(config + PCI_SUBSYSTEM_ID));
    for (unsigned n = 0; n <= PCI_ROM_SLOT; n++) {
        const PCIBar *bar = &dev->bars[n];

        if (bar->mr) {
            hmp_printf(call, "%*sbar %u: %s at 0x%" PRIx64 " [0x%" PRIx64 "]\n", indent,
                       "", n, bar->type & PCI_BASE_ADDRESS_SPACE_IO ? "i/o" : "mem",
                       bar->addr, bar->addr + bar->size - 1);
        }
    }
}

static void print_bus(const HMPCall *call, PCIBus *bus, GHashTable *places, int indent);

/* And what is below it. */
static void print_device(const HMPCall *call, Device *dev, GHashTable *places,
                         int indent)
{
    PCIBus *root = monitor_machine()->pci;
    PCIDevice *function = device_pci(dev);

    hmp_printf(call, "%*sdev: %s, id \"%s\"\n", indent, "", dev->type->name,
               dev->id ? dev->id : "");
    print_properties(call, &dev->object, indent + 2);
    print_regions(call, dev, places, indent + 2);
    if (function) {
        print_function(call, function, indent + 2);
        if (pci_bridge_bus(function)) {
            print_bus(call, pci_bridge_bus(function), places, indent + 2);
        }
    } else if (root && root->object.parent == &dev->object) {
        print_bus(call, root, places, indent + 2);
    }
}

static void print_bus(const HMPCall *call, PCIBus *bus, GHashTable *places, int indent)
{
    hmp_printf(call, "%*sbus: %s\n%*s  type PCI\n", indent, "", bus->name, indent, "");
    for (unsigned devfn = 0; devfn < PCI_DEVFNS; devfn++) {
        if (bus->devices[devfn]) {
            print_device(call, &bus->devices[devfn]->device, places, indent + 2);
        }
    }
}

bool hmp_info_qtree(const HMPCall *call, GError **err)
{
    static const MtreeVisitor visitor = { .region = note_place };
    g_autoptr(GHashTable) places =
        g_hash_table_new_full(NULL, NULL, NULL, g_free);
    Machine *machine = monitor_machine();

    memory_lock();
    mtree_walk(MTREE_TREE, &visitor, places);
    hmp_printf(call, "bus: main-system-bus\n  type System\n");
    for (guint i = 0; i < machine->devices->len; i++) {
        Device *dev = machine->devices->pdata[i];

        if (!device_pci(dev)) {
            print_device(call, dev, places, 2);
        }
    }
    memory_unlock();
    return true;
}
