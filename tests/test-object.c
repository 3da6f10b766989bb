/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of objects: paths, properties of every kind of object, types.
 */
#include <string.h>

#include "cpus.h"
#include "hw/core/machine.h"
#include "hw/i386/ioapic.h"
#include "tests/test-util.h"

static GError *err;

/* All of the words are in the message. */
static void expect_message(const char *word1, const char *word2)
{
    expect(err, "no error, where '%s' was to be said", word1);
    expect(strstr(err->message, word1) && strstr(err->message, word2),
           "'%s' lacks '%s' or '%s'", err->message, word1, word2);
    g_clear_error(&err);
}

static void expect_error_text(const char *text)
{
    expect(err, "no error, where '%s' was to be said", text);
    ck_assert_str_eq(err->message, text);
    g_clear_error(&err);
}

static void expect_path(const Object *obj, const char *path)
{
    g_autofree char *found = object_path(obj);

    ck_assert_str_eq(found, path);
}

/* The value as text: what GVariant prints for it. */
static void expect_value(Object *obj, const char *name, const char *text)
{
    g_autoptr(GVariant) value = object_get(obj, name, &err);
    g_autofree char *found = NULL;

    expect(value, "%s: %s", name, err->message);
    g_variant_ref_sink(value);
    found = g_variant_print(value, TRUE);
    ck_assert_str_eq(found, text);
}

/* Names and types, "name:type " each; "+" before those that can be written. */
static char *list_text(GArray *list)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        ObjectProperty *p = &g_array_index(list, ObjectProperty, i);

        g_string_append_printf(text, "%s%s:%s ", p->writable ? "+" : "",
                               p->name, p->type);
    }
    g_array_unref(list);
    return g_string_free(text, FALSE);
}

static void expect_list(Object *obj, const char *text)
{
    g_autofree char *found = list_text(object_properties(obj));

    ck_assert_str_eq(found, text);
}

/* ---- the tree ------------------------------------------------------------------ */

START_TEST(paths)
{
    Object a = { .type = "thing" }, b = { .type = "thing" },
           c = { .type = "thing" };
    bool ambiguous;

    object_add(&a, "/top/left", "a");
    object_add(&b, "/top/right", "b");
    object_add(&c, "/top/right", "a");
    expect_path(object_root(), "/");
    expect_path(&a, "/top/left/a");

    expect(object_resolve("/", NULL) == object_root(), "/");
    expect(object_resolve("/top/left/a", NULL) == &a, "absolute");
    expect(object_resolve("//top///left/a/", NULL) == &a, "empty steps");
    expect(!object_resolve("/top/left/b", NULL), "what is elsewhere");
    expect(!object_resolve("/left/a", NULL), "an absolute end of a path");
    expect(!object_resolve("/top/left/a/b", NULL), "below a leaf");

    expect(object_resolve("b", &ambiguous) == &b && !ambiguous, "an end");
    expect(object_resolve("left/a", &ambiguous) == &a && !ambiguous, "two");
    expect(object_resolve("top/right/a", NULL) == &c, "three");
    expect(!object_resolve("a", &ambiguous) && ambiguous, "one of two");
    expect(!object_resolve("a", NULL), "one of two, and nobody asks");
    expect(!object_resolve("x", &ambiguous) && !ambiguous, "none");
    expect(!object_resolve("", &ambiguous) && !ambiguous, "nothing");

    object_remove(&c);
    expect(object_resolve("a", &ambiguous) == &a && !ambiguous, "the other one");
    expect(!c.parent && !c.name, "not out");
    object_remove(&c);
    expect_path(&c, "");
    object_add(&c, "/", "c");
    expect_path(&c, "/c");

    object_remove(&a);
    object_remove(&b);
    object_remove(&c);
    expect(object_resolve("/top/left", NULL), "a container stays");
}
END_TEST

/* Whoever goes takes the containers below along. */
START_TEST(removing_containers)
{
    Object top = { .type = "thing" }, leaf = { .type = "thing" };

    object_add(&top, "/", "pile");
    expect(object_make_container("/pile/x/y") ==
           object_make_container("/pile/x/y/"), "made twice");
    object_add(&leaf, "/pile/x", "leaf");
    object_remove(&leaf);
    object_remove(&top);
    expect(!object_resolve("/pile", NULL) && !object_resolve("y", NULL) &&
           !top.children, "something is left");
}
END_TEST

START_TEST(ids)
{
    static const char *const good[] = { "a", "Z9", "a-b.c_d", "serial0" };
    static const char *const bad[] = { "", "0", "_a", "a b", "a/b", "a\n",
                                       "\xc3\xa4", "a\xff", "#block1", "a," };

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        expect(object_id_check(good[i], &err), "%s", good[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        expect(!object_id_check(bad[i], &err), "'%s' is taken", bad[i]);
        expect_message("Parameter 'id' expects an identifier", bad[i]);
    }
}
END_TEST

START_TEST(container_properties)
{
    Object a = { .type = "thing" };
    Object *box = object_make_container("/box");

    object_add(&a, "/box", "a");
    expect_list(box, "type:string a:child<thing> ");
    expect_value(box, "type", "'container'");
    expect_value(box, "a", "'/box/a'");
    expect(!object_get(box, "b", &err), "b");
    expect_error_text("Property 'container.b' not found");
    expect(!object_set(box, "b", g_variant_new_string(""), &err), "set b");
    expect_error_text("Property 'container.b' not found");
    expect(!object_set(box, "type", g_variant_new_string(""), &err), "type");
    expect_error_text("Property 'container.type' is not writable");
    expect(!object_set(box, "a", g_variant_new_string(""), &err), "a");
    expect_error_text("Property 'container.a' is not writable");
    object_remove(&a);
}
END_TEST

/* ---- properties of each kind --------------------------------------------------- */

typedef struct Probe {
    Device dev;
    bool on;
    uint8_t byte;
    uint16_t word;
    uint32_t dword;
    uint64_t qword;
    uint64_t room;
    char *text;
    Chardev *chr;
} Probe;

#define FIELD(name) offsetof(Probe, name)

static const Property probe_properties[] = {
    { "on", PROP_BOOL, FIELD(on), "on", "a switch", 0 },
    { "byte", PROP_UINT8, FIELD(byte), "255", NULL, 0 },
    { "word", PROP_UINT16, FIELD(word), "0xffff", NULL, 0 },
    { "dword", PROP_UINT32, FIELD(dword), "0xffffffff", NULL, 0 },
    { "qword", PROP_UINT64, FIELD(qword), "0xffffffffffffffff", NULL, 0 },
    { "room", PROP_SIZE, FIELD(room), "2M", NULL, 0 },
    { "text", PROP_STRING, FIELD(text), NULL, NULL, 0 },
    { "chardev", PROP_CHARDEV, FIELD(chr), NULL, NULL, 0 },
    { 0 },
};

static const DeviceType probe_type = {
    .name = "probe", .size = sizeof(Probe), .properties = probe_properties,
};

static Probe *probe_new(const char *id)
{
    Probe *s = (Probe *)device_new(&probe_type, id);

    expect(device_realize(&s->dev, &err), "realize");
    object_add(&s->dev.object, "/probes", id ? id : "anonymous");
    return s;
}

START_TEST(device_properties)
{
    Probe *s = probe_new("p0");
    Object *obj = object_resolve("p0", NULL);

    expect(obj && object_device(obj) == &s->dev, "not found, or no device");
    expect(!object_device(object_root()), "the root is no device");
    expect_list(obj, "type:string realized:bool hotplugged:bool "
                "hotpluggable:bool on:bool byte:uint8 word:uint16 dword:uint32 "
                "qword:uint64 room:size text:str chardev:str ");
    expect_value(obj, "type", "'probe'");
    expect_value(obj, "realized", "true");
    expect_value(obj, "hotplugged", "false");
    expect_value(obj, "hotpluggable", "false");
    expect_value(obj, "on", "true");
    expect_value(obj, "byte", "uint64 255");
    expect_value(obj, "word", "uint64 65535");
    expect_value(obj, "dword", "uint64 4294967295");
    expect_value(obj, "qword", "uint64 18446744073709551615");
    expect_value(obj, "room", "uint64 2097152");
    expect_value(obj, "text", "''");
    expect_value(obj, "chardev", "''");
    s->on = false;
    expect_value(obj, "on", "false");
    s->text = g_strdup("a\xffz"); /* no text, though a file may be called so */
    expect_value(obj, "text", "'a\xef\xbf\xbdz'");
    s->chr = chardev_open("c0", "null", &err);
    chardev_hold(s->chr);
    expect_value(obj, "chardev", "'c0'");
    device_free(&s->dev);
    expect(chardev_remove("c0", &err), "%s", err ? err->message : "?");
    expect(!object_resolve("p0", NULL), "freed, and in the tree");
}
END_TEST

START_TEST(realized_devices_stay_as_they_are)
{
    static const char *const own[] = { "realized", "hotplugged",
                                       "hotpluggable", "type" };
    Probe *named = probe_new("p0"), *nameless = probe_new(NULL);

    expect(!object_set(&named->dev.object, "byte", g_variant_new_uint64(1),
                       &err), "set");
    expect_error_text("Attempt to set property 'byte' on device 'p0' (type "
                      "'probe') after it was realized");
    expect(!object_set(&nameless->dev.object, "byte", g_variant_new_uint64(1),
                       &err), "set");
    expect_error_text("Attempt to set property 'byte' on anonymous device (type "
                      "'probe') after it was realized");
    expect(named->byte == 255 && nameless->byte == 255, "changed");
    for (unsigned i = 0; i < G_N_ELEMENTS(own); i++) {
        expect(!object_set(&named->dev.object, own[i],
                           g_variant_new_boolean(FALSE), &err), "%s", own[i]);
        expect_message("Property 'probe.", "is not writable");
    }
    device_free(&named->dev);
    device_free(&nameless->dev);
}
END_TEST

START_TEST(values_of_the_wrong_type)
{
    static const struct {
        const char *name, *value, *error; /* NULL: it is taken */
    } cases[] = {
        { "on", "false", NULL },
        { "on", "'on'", "expected: boolean" },
        { "on", "uint64 1", "expected: boolean" },
        { "byte", "uint64 7", NULL },
        { "byte", "int64 7", NULL },
        { "byte", "int64 -7", "cannot be '-7'" },
        { "byte", "uint64 256", "cannot be '256'" },
        { "byte", "'7'", "expected: integer" },
        { "byte", "true", "expected: integer" },
        { "byte", "7.5", "expected: integer" },
        { "room", "uint64 18446744073709551615", NULL },
        { "room", "'1M'", "expected: integer" },
        { "text", "'x'", NULL },
        { "text", "uint64 1", "expected: string" },
        { "text", "@a{sv} {}", "expected: string" },
        { "chardev", "true", "expected: string" },
        { "chardev", "'nobody'", "no character device" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Probe *s = (Probe *)device_new(&probe_type, NULL);
        const Property *prop = property_find(probe_properties, cases[i].name);
        g_autoptr(GVariant) value =
            g_variant_parse(NULL, cases[i].value, NULL, NULL, NULL);
        g_autofree char *expected = NULL, *found = NULL;

        if (property_set_variant(prop, s, NULL, "it", value, &err)) {
            g_autoptr(GVariant) now = g_variant_ref_sink(property_get(prop, s));

            expect(!cases[i].error, "%s = %s is taken", cases[i].name,
                   cases[i].value);
            expected = g_variant_print(value, FALSE);
            found = g_variant_print(now, FALSE);
            ck_assert_str_eq(found, expected);
        } else {
            expect(cases[i].error, "%s = %s: %s", cases[i].name,
                   cases[i].value, err->message);
            expect_message(cases[i].error, cases[i].name);
        }
        device_free(&s->dev);
    }
}
END_TEST

/* ---- a machine ----------------------------------------------------------------- */

static Machine *machine_make(const char *name)
{
    Machine *machine = machine_new(machine_type_find(name, &err));

    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
    return machine;
}

/* Everything below @obj can be looked at and is of the type it says. */
/* The type has every property that the object has, but for objects below it. */
static void expect_of_type(Object *obj)
{
    g_autoptr(GString) own = g_string_new(NULL);
    g_autoptr(GArray) list = object_properties(obj);
    GArray *of_type = object_type_properties(obj->type, NULL, &err);
    g_autofree char *wanted = NULL;

    expect(of_type, "%s: %s", obj->type, err->message);
    for (guint i = 0; i < of_type->len; i++) {
        g_array_index(of_type, ObjectProperty, i).writable = false;
    }
    wanted = list_text(of_type);
    for (guint i = 0; i < list->len; i++) {
        ObjectProperty *p = &g_array_index(list, ObjectProperty, i);

        if (!g_str_has_prefix(p->type, "child<")) {
            g_string_append_printf(own, "%s:%s ", p->name, p->type);
        }
    }
    ck_assert_str_eq(own->str, wanted);
}

static void look_at_all(Object *obj, unsigned *count)
{
    GArray *list = object_properties(obj);

    expect_of_type(obj);
    for (guint i = 0; i < list->len; i++) {
        ObjectProperty *p = &g_array_index(list, ObjectProperty, i);
        g_autoptr(GVariant) value = object_get(obj, p->name, &err);

        expect(value, "%s: %s", p->name, err->message);
        g_variant_ref_sink(value);
        if (strcmp(p->type, "bool") == 0) {
            expect(g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN), "%s",
                   p->name);
        } else if (g_str_has_prefix(p->type, "uint") ||
                   strcmp(p->type, "size") == 0) {
            expect(g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64), "%s",
                   p->name);
        } else if (g_str_has_suffix(p->type, "Configuration")) {
            expect(g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT), "%s",
                   p->name);
        } else {
            expect(g_variant_is_of_type(value, G_VARIANT_TYPE_STRING), "%s: %s",
                   p->name, p->type);
        }
        expect(object_type_is(obj->type, "object"), "%s is no type", obj->type);
        ++*count;
    }
    g_array_unref(list);
    for (guint i = 0; obj->children && i < obj->children->len; i++) {
        look_at_all(g_ptr_array_index(obj->children, i), count);
    }
}

START_TEST(machine_in_the_tree)
{
    Machine *machine = machine_new(machine_type_find("microvm", &err));
    unsigned count = 0;

    /* Clients look there before anything was added. */
    expect_list(object_resolve("/objects", NULL), "type:string ");
    expect(object_resolve("/chardevs", NULL), "no /chardevs");
    machine->append = g_strdup("quiet");
    machine->cpus = 3;
    g_ptr_array_add(machine->serials, NULL);
    g_ptr_array_add(machine->serials, chardev_open("s1", "null", &err));
    expect(machine_init(machine, &err) && machine_prepare(machine, &err), "%s",
           err ? err->message : "?");
    expect_list(&machine->object,
                "type:string memory:MemorySizeConfiguration "
                "smp:SMPConfiguration kernel:string initrd:string "
                "append:string firmware:string accel:str memory-backend:str "
                "dumpdtb:str "
                "peripheral:child<container> peripheral-anon:child<container> "
                "unattached:child<container> ioapic:child<ioapic> "
                "i8042:child<i8042> rtc:child<mc146818rtc> "
                "serial2:child<isa-serial> acpi-pm:child<acpi-pm> ");
    expect(object_resolve("/machine", NULL) == &machine->object, "/machine");
    expect_value(&machine->object, "type", "'microvm-machine'");
    expect_value(&machine->object, "memory", "{'size': <uint64 134217728>}");
    expect_value(&machine->object, "smp", "{'cpus': <uint64 3>, 'maxcpus': "
                 "<uint64 3>, 'sockets': <uint64 1>, 'dies': <uint64 1>, "
                 "'cores': <uint64 3>, 'threads': <uint64 1>}");
    expect_value(&machine->object, "append", "'quiet'");
    expect_value(&machine->object, "kernel", "''");
    expect_value(&machine->object, "accel", "'kvm'");
    expect(!object_set(&machine->object, "accel", g_variant_new_string("tcg"),
                       &err), "accel");
    expect_error_text("Property 'microvm-machine.accel' is not writable");
    expect_value(object_resolve("serial2", NULL), "chardev", "'s1'");
    expect_value(object_resolve("rtc", NULL), "hotpluggable", "false");
    look_at_all(object_root(), &count);
    expect(count > 40, "only %u properties", count);
    machine_free(machine);
    chardev_close_all();
    expect(!object_resolve("/machine", NULL), "the machine is still there");
}
END_TEST

/* Each device's interrupt arrives at the ioapic, and a tap sees it there. */
static unsigned tapped[24];

static void tap(void *opaque, int n, int level)
{
    tapped[n] += level ? 0x10001 : 1; /* how many changes, and rises above */
}

START_TEST(interrupts_meet_in_the_ioapic)
{
    Machine *machine = machine_make("microvm");
    Device *ioapic = object_device(object_resolve("ioapic", NULL));
    Device *rtc = object_device(object_resolve("rtc", NULL));
    Device *i8042 = object_device(object_resolve("i8042", NULL));

    expect(machine->interrupts == ioapic && ioapic->type->inputs_nr == 24,
           "the board's");
    device_set_irq(rtc, 0, true); /* leads nowhere, as there is no KVM */
    ioapic_connect(ioapic, 8, (IRQLine){ tap, NULL, 23 });
    device_set_irq(rtc, 0, false);
    expect_hex(tapped[23], 1);
    tapped[23] = 0;
    expect(device_intercept(ioapic, false, (IRQLine){ tap, NULL, 0 }), "tap");
    expect(!device_intercept(ioapic, false, (IRQLine){ tap, NULL, 0 }), "twice");
    device_set_irq(rtc, 0, true);
    device_set_irq(rtc, 0, true);
    device_set_irq(rtc, 0, false);
    device_set_irq(i8042, 0, true);
    for (unsigned n = 0; n < 24; n++) {
        expect_hex(tapped[n], n == 8 ? 0x10002 : n == 1 ? 0x10001 : 0);
    }
    machine_free(machine);
}
END_TEST

START_TEST(empty_machine)
{
    Machine *machine = machine_make("none");

    expect(machine->devices->len == 0 && machine->cpus == 0 &&
           machine->ram_size == 0, "there is something");
    machine_reset(machine);
    expect_value(&machine->object, "memory", "{'size': <uint64 0>}");
    expect(!machine_power_button(machine), "it has a power button");
    machine_free(machine);

    machine = machine_new(machine_type_find("none", NULL));
    machine->ram_size = 1 << 20;
    machine->cpus = 1;
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
    address_space_stl(&machine->memory, 0xffffc, 7, MEMTXATTRS_UNSPECIFIED,
                      NULL);
    expect_hex(address_space_ldl(&machine->memory, 0xffffc,
                                 MEMTXATTRS_UNSPECIFIED, NULL), 7);
    machine_free(machine);

    machine = machine_new(machine_type_find("none", NULL));
    machine->bios = g_strdup("/dev/null");
    machine->ram_size = 1 << 20;
    expect(!machine_init(machine, &err), "firmware");
    expect_message("machine 'none'", "-bios");
    machine_free(machine);

    machine = machine_new(machine_type_find("none", NULL));
    machine->cpus = 2;
    expect(!machine_init(machine, &err), "two CPUs");
    expect_message("machine 'none'", "0 to 1 CPUs, not 2");
    machine_free(machine);
}
END_TEST

/* ---- types --------------------------------------------------------------------- */

START_TEST(types)
{
    GArray *types = object_types();
    static const char *const chains[][2] = {
        { "isa-serial", "device" }, { "isa-serial", "object" },
        { "isa-serial", "isa-serial" }, { "x86_64-cpu", "cpu" },
        { "x86_64-cpu", "device" }, { "microvm-machine", "machine" },
        { "none-machine", "machine" }, { "iothread", "user-creatable" },
        { "memory-backend-ram", "memory-backend" },
        { "memory-backend-file", "user-creatable" }, { "container", "object" },
        { "chardev-null", "chardev" }, { "chardev-socket", "object" },
    };
    static const char *const no_chains[][2] = {
        { "device", "isa-serial" }, { "iothread", "memory-backend" },
        { "isa-serial", "machine" }, { "nothing", "object" },
        { "object", "nothing" }, { "nothing", "nothing" },
    };

    for (guint i = 0; i < types->len; i++) {
        const ObjectTypeInfo *info = &g_array_index(types, ObjectTypeInfo, i);

        expect(object_type_is(info->name, "object"), "%s", info->name);
        for (guint n = i + 1; n < types->len; n++) {
            expect(strcmp(info->name,
                          g_array_index(types, ObjectTypeInfo, n).name),
                   "%s twice", info->name);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(chains); i++) {
        expect(object_type_is(chains[i][0], chains[i][1]), "%s is no %s",
               chains[i][0], chains[i][1]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(no_chains); i++) {
        expect(!object_type_is(no_chains[i][0], no_chains[i][1]), "%s is a %s",
               no_chains[i][0], no_chains[i][1]);
    }
    g_array_unref(types);
}
END_TEST

static void expect_type(const char *type, const char *list,
                        const char *default_values)
{
    GPtrArray *defaults;
    GArray *properties = object_type_properties(type, &defaults, &err);
    g_autofree char *found = NULL;
    g_autoptr(GString) values = g_string_new(NULL);

    expect(properties, "%s: %s", type, err->message);
    expect(defaults->len == properties->len, "defaults of %s", type);
    for (guint i = 0; i < defaults->len; i++) {
        GVariant *value = defaults->pdata[i];
        g_autofree char *text = value ? g_variant_print(value, FALSE)
                                      : g_strdup("-");

        g_string_append_printf(values, "%s ", text);
    }
    found = list_text(properties);
    ck_assert_str_eq(found, list);
    ck_assert_str_eq(values->str, default_values);
    g_ptr_array_unref(defaults);
}

START_TEST(type_properties)
{
    GArray *types = object_types();

    expect_type("object", "type:string ", "- ");
    expect_type("isa-debug-exit",
                "type:string realized:bool hotplugged:bool hotpluggable:bool "
                "+iobase:uint32 +iosize:uint32 ", "- - - - 1281 2 ");
    expect_type("memory-backend-ram",
                "type:string +size:size +prealloc:bool +merge:bool +dump:bool "
                "+share:bool ", "- 0 false false true false ");
    expect_type("iothread", "type:string thread-id:int ", "- - ");
    expect_type("none-machine",
                "type:string memory:MemorySizeConfiguration "
                "smp:SMPConfiguration kernel:string initrd:string "
                "append:string firmware:string +accel:str +memory-backend:str "
                "+dumpdtb:str ", "- - - - - - - 'kvm' - - ");
    for (guint i = 0; i < types->len; i++) {
        const char *name = g_array_index(types, ObjectTypeInfo, i).name;
        GArray *list = object_type_properties(name, NULL, &err);

        expect(list, "%s", name);
        g_array_unref(list);
    }
    g_array_unref(types);
    expect(!object_type_properties("nope", NULL, &err), "nope");
    expect(err->code == FLATVIEW_ERROR_NOT_FOUND, "code %d", err->code);
    expect_error_text("Class 'nope' not found");
}
END_TEST

TEST_MAIN("object", paths, removing_containers, ids, container_properties,
          device_properties, realized_devices_stay_as_they_are,
          values_of_the_wrong_type, machine_in_the_tree,
          interrupts_meet_in_the_ioapic, empty_machine, types, type_properties)
