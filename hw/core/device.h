/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device: a const descriptor and a state struct that starts with a Device.
 *
 * Life: device_new() allocates zeroed state and gives properties their
 * defaults; device_set() changes them; device_realize() calls ->realize, which
 * makes the regions and publishes them with device_add_region(); the board or
 * the bus then maps these: no device knows its base address. device_reset()
 * puts it into its power-on state, also once before the machine first runs.
 * device_free() unmaps and destroys the regions, so that no callback runs any
 * more, then calls ->unrealize and frees. All under the memory lock or before
 * the machine runs.
 */
#ifndef HW_CORE_DEVICE_H
#define HW_CORE_DEVICE_H

#include "hw/core/object.h"
#include "irq.h"
#include "memory.h"

typedef struct Device Device;
typedef struct Machine Machine;

typedef enum PropertyKind {
    PROP_BOOL,   /* bool: on, off */
    PROP_UINT8,
    PROP_UINT16,
    PROP_UINT32,
    PROP_UINT64, /* numbers in decimal, or hexadecimal after 0x */
    PROP_SIZE,   /* uint64_t, with suffixes K, M, G, T */
    PROP_STRING, /* char *, owned by the device */
    PROP_CHARDEV, /* Chardev *, given by its id; the machine owns it */
} PropertyKind;

/* One setting of a device or machine. Lists end with an all-zero entry. */
typedef struct Property {
    const char *name;
    PropertyKind kind;
    size_t offset;           /* of the field in the state struct */
    const char *default_text; /* as a user would write it; NULL: zero */
    const char *description; /* one line for help */
    uint64_t max;            /* largest number allowed; 0: what the kind holds */
} Property;

typedef struct DeviceType {
    const char *name;        /* as after -device */
    const char *description; /* one line for help */
    size_t size;             /* of the state struct */
    const Property *properties; /* NULL: none */
    const char *compatible;  /* in a device tree; NULL: "flatview,NAME" */
    bool user_creatable;     /* by -device */
    /* A device of one block of registers needs no more than these: the core
     * makes a region of @ops_size bytes, called with the state as opaque, and
     * publishes it before ->realize. NULL: realize makes what there is. */
    const MemoryRegionOps *ops;
    uint64_t ops_size;
    /* NULL: nothing to do. On failure it leaves nothing behind but published
     * regions, and @err without the device's name, which the caller adds. */
    bool (*realize)(Device *dev, GError **err);
    /* Undoes realize, but for the published regions; NULL: nothing. */
    void (*unrealize)(Device *dev);
    void (*reset)(Device *dev);     /* to the power-on state; NULL: nothing */
    /* Called when -device made one: map it into the machine. NULL: device has
     * nothing to map. Sets @err and returns false when the place is taken. */
    bool (*plug)(Device *dev, Machine *machine, GError **err);
    /* device_del works, and device_add while the machine runs. */
    bool hotpluggable;
    /* device_del asks the guest to give it up, which then calls
     * machine_unplug_finish(); NULL: it goes at once. False and @err: it cannot be
     * asked. */
    bool (*unplug_request)(Device *dev, GError **err);
    const struct PCIInfo *pci; /* what a function on a PCI bus adds; NULL: is none */
    unsigned inputs_nr; /* interrupt inputs */
    void (*set_input)(Device *dev, unsigned n, bool level);
} DeviceType;

#define DEVICE_MAX_REGIONS 8
#define DEVICE_MAX_IRQS 32

struct Device {
    Object object;
    const DeviceType *type;
    char *id;          /* from the user; NULL without */
    Machine *machine;  /* set before realize; NULL in unit tests */
    bool realized;
    bool hotplugged;   /* made when the machine was complete */
    unsigned regions_nr;
    MemoryRegion *regions[DEVICE_MAX_REGIONS]; /* in the order published */
    MemoryRegion *containers[DEVICE_MAX_REGIONS]; /* where mapped, or NULL */
    IRQLine irqs[DEVICE_MAX_IRQS]; /* outputs; the board connects them */
    bool irq_levels[DEVICE_MAX_IRQS]; /* what they are at */
    IRQLine tap_in, tap_out; /* see device_intercept() */
    MemoryReentrancyGuard guard;   /* shared by all its regions */
    MemoryRegion ops_region;       /* of type->ops */
};

/* Every known type; ends with NULL. The one table a new device joins. */
extern const DeviceType *const device_types[];

/* The type called @name, or NULL with an @err that names the nearest one. */
const DeviceType *device_type_find(const char *name, GError **err);

/* The device that @obj is, or NULL. */
Device *object_device(Object *obj);

/* Append what every device and vCPU has on top of its type's table: "realized"
 * and so on, to @out of ObjectProperty. */
void device_properties_list(GArray *out);

/* Append what a device of @type has but "type", settings as they are before
 * realize. */
void device_type_list(const DeviceType *type, GArray *out);

/* Whether device_del may take it away: no part of the board can. */
bool device_is_hotpluggable(const Device *dev);

Device *device_new(const DeviceType *type, const char *id);

/* Set a property from text. Before realize. False with @err naming device and
 * property, the value and what is allowed, or the nearest property. */
bool device_set(Device *dev, const char *property, const char *value,
                GError **err);

bool device_realize(Device *dev, GError **err);
void device_reset(Device *dev);
void device_free(Device *dev); /* NULL: nothing */

/* For realize: publish a region the device has initialised; shares the guard,
 * and device_free() destroys it. */
void device_add_region(Device *dev, MemoryRegion *mr);

/* The same for a region that the device, or its bus, unmaps and destroys itself. */
void device_own_region(Device *dev, MemoryRegion *mr);

/* Input @n of @dev as a wire. */
IRQLine device_irq_in(Device *dev, unsigned n);

/* For tests: from now on each change of an input (@out: output) goes to @tap,
 * which gets its number, in place of the device (of whom it is connected to).
 * False: that was done already. */
bool device_intercept(Device *dev, bool out, IRQLine tap);

/* For devices: drive output @n. Only a change goes out. */
void device_set_irq(Device *dev, unsigned n, bool level);

/* For boards: put the device's @n-th region at @addr of @container, higher
 * @priority on top. */
void device_map(Device *dev, unsigned n, MemoryRegion *container, hwaddr addr,
                int priority);

/* A ->plug: put region 0 at the port in the device's property "iobase", or
 * "ioport", and connect output 0 to the board's interrupt in its property "irq",
 * if it has one. False with @err naming the device and what is taken, or beyond
 * the last. */
bool device_plug_iobase(Device *dev, Machine *machine, GError **err);

/* For boards: connect output @n. */
void device_connect_irq(Device *dev, unsigned n, IRQLine irq);

/* Print the types a user may create, or the properties of one; for help. */
void device_print_types(FILE *out);
void device_print_properties(const DeviceType *type, FILE *out);

/* ---- properties alone, for machines and others ------------------------------ */

/* Give every property of @list in @object its default. */
void properties_init(const Property *list, void *object);

/* Set one; @what names the object in errors ("machine 'microvm'"). PROP_CHARDEV
 * is looked up in @machine. @value NULL, the name alone, turns PROP_BOOL on; any
 * other kind needs a value. */
bool property_set(const Property *list, void *object, Machine *machine,
                  const char *what, const char *name, const char *value,
                  GError **err);

/* The value of a number; it exists, or that is a bug of the caller. */
uint64_t property_number(const Property *list, const void *object,
                         const char *name);

/* Print one line for each: name, kind, description, default. */
void properties_print(const Property *list, FILE *out);

/* The same from outside, for an Object's properties: append them to @out, of
 * ObjectProperty; get a value; set one of the right type. */
void properties_list(const Property *list, bool writable, GArray *out);
GVariant *property_get(const Property *prop, const void *object); /* floating */
GVariant *property_default(const Property *prop); /* floating; NULL: nothing */
bool property_set_variant(const Property *prop, void *object, Machine *machine,
                          const char *what, GVariant *value, GError **err);

/* The entry called @name, or NULL. */
const Property *property_find(const Property *list, const char *name);

/* Free what property_set() allocated. */
void properties_clear(const Property *list, void *object);

/* The entry of the NULL-terminated @names nearest to @wrong, or NULL if none
 * comes close: for "did you mean". */
const char *nearest_name(const char *wrong, const char *const *names);

/* Domain of this project's GErrors that a person reads. */
#define FLATVIEW_ERROR flatview_error_quark()
GQuark flatview_error_quark(void);
enum {
    FLATVIEW_ERROR_GENERIC = 0,
    FLATVIEW_ERROR_NOT_FOUND = 1, /* no such device or object: QMP's class
                                   * DeviceNotFound */
};

#endif
