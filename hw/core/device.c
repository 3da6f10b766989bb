/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a device: made from its descriptor, set, realized, mapped, reset
 * and freed.
 */
#include "hw/core/machine.h"

#include <assert.h>
#include <string.h>

static char *device_title(const Device *dev)
{
    return dev->id ? g_strdup_printf("device '%s' (id '%s')", dev->type->name,
                                     dev->id)
                   : g_strdup_printf("device '%s'", dev->type->name);
}

const DeviceType *device_type_find(const char *name, GError **err)
{
    GPtrArray *names = g_ptr_array_new();
    const DeviceType *found = NULL;
    const char *nearest;

    for (size_t i = 0; device_types[i] && !found; i++) {
        g_ptr_array_add(names, (char *)device_types[i]->name);
        if (strcmp(device_types[i]->name, name) == 0) {
            found = device_types[i];
        }
    }
    if (!found) {
        g_ptr_array_add(names, NULL);
        nearest = nearest_name(name, (const char *const *)names->pdata);
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "'%s' is not a valid device model name; %s%s%s", name,
                    nearest ? "did you mean '" : "see -device help",
                    nearest ? nearest : "", nearest ? "'?" : "");
    }
    g_ptr_array_free(names, TRUE);
    return found;
}

/* ---- as an object -------------------------------------------------------------- */

static Device *device_of(Object *obj)
{
    return (Device *)obj;
}

void device_properties_list(GArray *out)
{
    static const ObjectProperty all[] = {
        { "realized", "bool", "it is complete and can be used", false },
        { "hotplugged", "bool", "it came when the machine was complete", false },
        { "hotpluggable", "bool", "device_del can take it away", false },
    };

    g_array_append_vals(out, all, G_N_ELEMENTS(all));
}

void device_type_list(const DeviceType *type, GArray *out)
{
    device_properties_list(out);
    properties_list(type->properties, true, out);
}

bool device_is_hotpluggable(const Device *dev)
{
    return dev->type->hotpluggable && dev->machine &&
           dev->object.parent != &dev->machine->object;
}

static void device_list(Object *obj, GArray *list)
{
    device_properties_list(list);
    properties_list(device_of(obj)->type->properties, false, list);
}

static GVariant *device_get(Object *obj, const char *name, GError **err)
{
    const Device *dev = device_of(obj);
    const Property *prop = property_find(dev->type->properties, name);

    if (prop) {
        return property_get(prop, dev);
    }
    return g_variant_new_boolean(
        strcmp(name, "realized") == 0 ? dev->realized
        : strcmp(name, "hotplugged") == 0 ? dev->hotplugged
                                          : device_is_hotpluggable(dev));
}

/* What is in the tree is realized. */
static bool device_set_variant(Object *obj, const char *name, GVariant *value,
                               GError **err)
{
    const Device *dev = device_of(obj);

    if (!property_find(dev->type->properties, name)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Property '%s.%s' is not writable",
                    obj->type, name);
    } else if (dev->id) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Attempt to set property '%s' on device '%s' (type '%s') "
                    "after it was realized", name, dev->id, obj->type);
    } else {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "Attempt to set property '%s' on anonymous device (type "
                    "'%s') after it was realized", name, obj->type);
    }
    return false;
}

static const ObjectOps device_object_ops = {
    .list = device_list,
    .get = device_get,
    .set = device_set_variant,
};

Device *object_device(Object *obj)
{
    return obj->ops == &device_object_ops ? device_of(obj) : NULL;
}

/* ---- life ------------------------------------------------------------------------ */

Device *device_new(const DeviceType *type, const char *id)
{
    Device *dev;

    assert(type->size >= sizeof(Device));
    dev = g_malloc0(type->size);
    dev->object.type = type->name;
    dev->object.ops = &device_object_ops;
    dev->type = type;
    dev->id = g_strdup(id);
    properties_init(type->properties, dev);
    return dev;
}

bool device_set(Device *dev, const char *property, const char *value,
                GError **err)
{
    char *what = device_title(dev);
    bool ok;

    assert(!dev->realized);
    ok = property_set(dev->type->properties, dev, dev->machine, what, property,
                      value, err);
    g_free(what);
    return ok;
}

bool device_realize(Device *dev, GError **err)
{
    char *what;

    assert(!dev->realized);
    if (dev->type->ops) {
        memory_region_init_io(&dev->ops_region, dev->type->ops, dev,
                              dev->type->name, dev->type->ops_size);
        device_add_region(dev, &dev->ops_region);
    }
    if (dev->type->realize && !dev->type->realize(dev, err)) {
        what = device_title(dev);
        g_prefix_error(err, "%s: ", what);
        g_free(what);
        return false;
    }
    dev->realized = true;
    return true;
}

void device_reset(Device *dev)
{
    if (dev->type->reset) {
        dev->type->reset(dev);
    }
}

void device_free(Device *dev)
{
    if (!dev) {
        return;
    }
    object_remove(&dev->object);
    for (unsigned n = 0; n < dev->regions_nr; n++) {
        if (dev->containers[n]) {
            memory_region_del_subregion(dev->containers[n], dev->regions[n]);
        }
    }
    for (unsigned n = 0; n < dev->regions_nr; n++) {
        memory_region_destroy(dev->regions[n]);
    }
    if (dev->realized && dev->type->unrealize) {
        dev->type->unrealize(dev);
    }
    properties_clear(dev->type->properties, dev);
    g_free(dev->id);
    g_free(dev);
}

static char *device_describe(void *opaque)
{
    const Device *dev = opaque;
    g_autofree char *path = object_path(&dev->object);

    return dev->id ? g_strdup_printf("dev id=%s", dev->id)
                   : g_strdup_printf("dev path=%s", path);
}

void device_own_region(Device *dev, MemoryRegion *mr)
{
    memory_region_set_owner(mr, device_describe, dev);
    memory_region_set_guard(mr, &dev->guard);
}

void device_add_region(Device *dev, MemoryRegion *mr)
{
    assert(dev->regions_nr < DEVICE_MAX_REGIONS);
    device_own_region(dev, mr);
    dev->regions[dev->regions_nr++] = mr;
}

void device_map(Device *dev, unsigned n, MemoryRegion *container, hwaddr addr,
                int priority)
{
    assert(n < dev->regions_nr && !dev->containers[n]);
    dev->containers[n] = container;
    if (priority == 0) {
        memory_region_add_subregion(container, addr, dev->regions[n]);
    } else {
        memory_region_add_subregion_overlap(container, addr, dev->regions[n],
                                            priority);
    }
}

static bool plug_ports(Device *dev, Machine *machine, GError **err)
{
    uint64_t size = memory_region_size(dev->regions[0]);
    /* Clients know some by the second name. */
    const char *property =
        property_find(dev->type->properties, "iobase") ? "iobase" : "ioport";
    hwaddr port = property_number(dev->type->properties, dev, property);
    MemoryRegionSection taken;

    if (port > 0xffff || size > 0x10000 - port) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "its %" PRIu64 " ports from 0x%" PRIx64 " do not fit "
                    "below port 0x10000", size, port);
        return false;
    }
    taken = memory_region_find(&machine->ports_root, port, size);
    if (taken.mr) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "ports 0x%" PRIx64 " to 0x%" PRIx64 " are not free: "
                    "'%s' is at 0x%" PRIx64 "; choose another %s", port,
                    port + size - 1, memory_region_name(taken.mr),
                    taken.offset_within_address_space, property);
        return false;
    }
    device_map(dev, 0, &machine->ports_root, port, 0);
    return true;
}

static bool is_connected_to(const Device *dev, const IRQLine *line)
{
    for (unsigned n = 0; n < DEVICE_MAX_IRQS; n++) {
        if (dev->irqs[n].set == line->set && dev->irqs[n].n == line->n &&
            dev->irqs[n].opaque == line->opaque) {
            return true;
        }
    }
    return false;
}

static bool plug_interrupt(Device *dev, Machine *machine, GError **err)
{
    uint64_t irq = property_number(dev->type->properties, dev, "irq");
    Device *inputs = machine->interrupts;
    IRQLine line;

    if (!inputs || irq >= inputs->type->inputs_nr) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "irq %" PRIu64 " is not there: machine '%s' has %u "
                    "interrupts", irq, machine->type->name,
                    inputs ? inputs->type->inputs_nr : 0);
        return false;
    }
    line = device_irq_in(inputs, irq);
    for (guint i = 0; i < machine->devices->len; i++) {
        Device *other = machine->devices->pdata[i];

        if (is_connected_to(other, &line)) {
            g_autofree char *path = object_path(&other->object);

            /* Inputs that react to edges cannot be shared. */
            g_set_error(err, FLATVIEW_ERROR, 0, "irq %" PRIu64 " is that of "
                        "'%s'; choose another irq", irq, path);
            return false;
        }
    }
    device_connect_irq(dev, 0, line);
    return true;
}

bool device_plug_iobase(Device *dev, Machine *machine, GError **err)
{
    bool ok;

    memory_lock();
    ok = plug_ports(dev, machine, err) &&
         (!property_find(dev->type->properties, "irq") ||
          plug_interrupt(dev, machine, err));
    memory_unlock();
    if (!ok) {
        g_autofree char *what = device_title(dev);

        g_prefix_error(err, "%s: ", what);
    }
    return ok;
}

/* ---- interrupts ------------------------------------------------------------------- */

void device_set_irq(Device *dev, unsigned n, bool level)
{
    assert(n < DEVICE_MAX_IRQS);
    if (dev->irq_levels[n] == level) {
        return;
    }
    dev->irq_levels[n] = level;
    if (dev->tap_out.set) {
        dev->tap_out.set(dev->tap_out.opaque, n, level);
    } else {
        irq_set(&dev->irqs[n], level);
    }
}

void device_connect_irq(Device *dev, unsigned n, IRQLine irq)
{
    assert(n < DEVICE_MAX_IRQS);
    dev->irqs[n] = irq;
}

static void device_input_set(void *opaque, int n, int level)
{
    Device *dev = opaque;

    if (dev->tap_in.set) {
        dev->tap_in.set(dev->tap_in.opaque, n, level);
    } else {
        dev->type->set_input(dev, n, level);
    }
}

IRQLine device_irq_in(Device *dev, unsigned n)
{
    assert(n < dev->type->inputs_nr);
    return (IRQLine){ device_input_set, dev, n };
}

bool device_intercept(Device *dev, bool out, IRQLine tap)
{
    IRQLine *place = out ? &dev->tap_out : &dev->tap_in;

    if (place->set) {
        return false;
    }
    *place = tap;
    return true;
}

/* ---- help ------------------------------------------------------------------------- */

void device_print_types(FILE *out)
{
    for (size_t i = 0; device_types[i]; i++) {
        if (device_types[i]->user_creatable) {
            fprintf(out, "%-16s %s\n", device_types[i]->name,
                    device_types[i]->description);
        }
    }
}

void device_print_properties(const DeviceType *type, FILE *out)
{
    fprintf(out, "%s: %s\n", type->name, type->description);
    properties_print(type->properties, out);
}
