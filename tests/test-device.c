/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device core: the life of a device, properties of every kind, errors that
 * name the way out.
 */
#include "tests/device-util.h"

#include <string.h>

/* ---- a device with one property of each kind ----------------------------------- */

typedef struct Probe {
    Device dev;
    MemoryRegion regions[2];
    bool on;
    uint8_t byte;
    uint16_t word;
    uint32_t dword;
    uint64_t qword;
    uint64_t room;
    uint16_t small;
    char *text;
    Chardev *chr;
} Probe;

static GString *calls; /* what the core called, in order */

static bool probe_realize(Device *dev, GError **err)
{
    Probe *s = (Probe *)dev;

    g_string_append(calls, "realize ");
    if (s->byte == 13) {
        g_set_error(err, FLATVIEW_ERROR, 0, "bad luck");
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        memory_region_init(&s->regions[i], i ? "probe-1" : "probe-0", 0x10);
        device_add_region(dev, &s->regions[i]);
    }
    return true;
}

static void probe_unrealize(Device *dev)
{
    g_string_append(calls, "unrealize ");
}

static void probe_reset(Device *dev)
{
    g_string_append(calls, "reset ");
}

#define FIELD(name) offsetof(Probe, name)

static const Property probe_properties[] = {
    { "on", PROP_BOOL, FIELD(on), "on", "a switch", 0 },
    { "byte", PROP_UINT8, FIELD(byte), "7", NULL, 0 },
    { "word", PROP_UINT16, FIELD(word), "0xBeef", NULL, 0 },
    { "dword", PROP_UINT32, FIELD(dword), NULL, NULL, 0 },
    { "qword", PROP_UINT64, FIELD(qword), NULL, NULL, 0 },
    { "room", PROP_SIZE, FIELD(room), "2M", "how much", 0 },
    { "small", PROP_UINT16, FIELD(small), "1", NULL, 10 },
    { "text", PROP_STRING, FIELD(text), "hello", NULL, 0 },
    { "chardev", PROP_CHARDEV, FIELD(chr), NULL, NULL, 0 },
    { 0 },
};

static const DeviceType probe_type = {
    .name = "probe",
    .description = "a device to look at",
    .size = sizeof(Probe),
    .properties = probe_properties,
    .realize = probe_realize,
    .unrealize = probe_unrealize,
    .reset = probe_reset,
};

static Probe *probe_new(const char *id)
{
    return (Probe *)device_new(&probe_type, id);
}

START_TEST(defaults)
{
    Probe *s = probe_new(NULL);

    expect(s->on && s->byte == 7 && s->word == 0xbeef && s->dword == 0 &&
           s->qword == 0 && s->room == 2 << 20 && s->small == 1 && !s->chr,
           "a default is wrong");
    ck_assert_str_eq(s->text, "hello");
    expect(!s->dev.id && s->dev.type == &probe_type, "the device");
    device_free(&s->dev);
}
END_TEST

/* Everything a user may write, and what it becomes; NULL: an error. */
START_TEST(property_matrix)
{
    static const struct {
        const char *name, *value, *shown;
    } cases[] = {
        { "on", "on", "1" },          { "on", "off", "0" },
        { "on", "yes", NULL },        { "on", "ON", NULL },
        { "on", "", NULL },           { "on", "1", NULL },
        { "byte", "0", "0" },         { "byte", "255", "255" },
        { "byte", "0xff", "255" },    { "byte", "0XfF", "255" },
        { "byte", "256", NULL },      { "byte", "0x100", NULL },
        { "byte", "", NULL },         { "byte", "0x", NULL },
        { "byte", "x", NULL },        { "byte", "-1", NULL },
        { "byte", "+1", NULL },       { "byte", " 1", NULL },
        { "byte", "1 ", NULL },       { "byte", "1k", NULL },
        { "byte", "1a", NULL },       { "byte", "007", "7" },
        { "byte", "0x1g", NULL },     { "byte", "1.5", NULL },
        { "word", "65535", "65535" }, { "word", "65536", NULL },
        { "dword", "4294967295", "4294967295" },
        { "dword", "4294967296", NULL },
        { "qword", "18446744073709551615", "18446744073709551615" },
        { "qword", "0xffffffffffffffff", "18446744073709551615" },
        { "qword", "18446744073709551616", NULL },
        { "qword", "0x10000000000000000", NULL },
        { "qword", "99999999999999999999999999", NULL },
        { "small", "10", "10" },      { "small", "11", NULL },
        { "small", "0xa", "10" },     { "small", "65536", NULL },
        { "room", "0", "0" },         { "room", "512", "512" },
        { "room", "1K", "1024" },     { "room", "1k", "1024" },
        { "room", "3M", "3145728" },  { "room", "3m", "3145728" },
        { "room", "4G", "4294967296" }, { "room", "4g", "4294967296" },
        { "room", "2T", "2199023255552" }, { "room", "2t", "2199023255552" },
        { "room", "0x10K", "16384" }, { "room", "16777215T",
                                        "18446742974197923840" },
        { "room", "16777216T", NULL }, { "room", "1P", NULL },
        { "room", "K", NULL },        { "room", "1KB", NULL },
        { "room", "1 K", NULL },      { "room", "", NULL },
        { "text", "", "" },           { "text", "a,b=c", "a,b=c" },
        { "chardev", "", NULL },      { "chardev", "nobody", NULL },
        { "chardev", "here", "here" },
    };

    test_machine_init();
    test_chardev("here", "null");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Probe *s = probe_new(NULL);
        const char *name = cases[i].name;
        GError *err = NULL;
        char *shown;

        s->dev.machine = &test_machine;
        if (!device_set(&s->dev, name, cases[i].value, &err)) {
            expect(!cases[i].shown, "%s", err->message);
            expect_error(err, "device 'probe'", name, cases[i].value, NULL);
        } else if (strcmp(name, "text") == 0) {
            ck_assert_str_eq(s->text, cases[i].shown);
        } else if (strcmp(name, "chardev") == 0) {
            ck_assert_str_eq(chardev_id(s->chr), cases[i].shown);
        } else {
            shown = strcmp(name, "on")
                ? g_strdup_printf("%" PRIu64, property_number(probe_properties,
                                                              s, name))
                : g_strdup(s->on ? "1" : "0");
            expect(cases[i].shown, "%s=%s is taken, as %s", name,
                   cases[i].value, shown);
            ck_assert_str_eq(shown, cases[i].shown);
            g_free(shown);
        }
        device_free(&s->dev);
    }
    test_machine_free();
}
END_TEST

/* A value that is refused leaves the one before. */
START_TEST(refused_leaves_alone)
{
    Probe *s = probe_new("p0");
    GError *err = NULL;

    expect(!device_set(&s->dev, "byte", "300", &err), "300 in a byte");
    expect_error(err, "device 'probe' (id 'p0')", "'byte'", "'300'", "255",
                 NULL);
    expect(s->byte == 7, "changed to %u", s->byte);
    expect(device_set(&s->dev, "text", "one", NULL) &&
           device_set(&s->dev, "text", "two", NULL), "text");
    ck_assert_str_eq(s->text, "two");
    device_free(&s->dev);
}
END_TEST

START_TEST(wrong_names)
{
    Probe *s = probe_new(NULL);
    GError *err = NULL;

    expect(!device_set(&s->dev, "chardv", "x", &err), "chardv");
    expect_error(err, "'chardv'", "did you mean 'chardev'?", NULL);
    err = NULL;
    expect(!device_set(&s->dev, "zzzzzz", "x", &err), "zzzzzz");
    expect(!strstr(err->message, "did you mean"), "%s", err->message);
    expect_error(err, "device 'probe' has no property 'zzzzzz'", NULL);
    device_free(&s->dev);

    err = NULL;
    expect(!device_type_find("isa-debug-exti", &err), "exti");
    expect_error(err, "'isa-debug-exti'", "did you mean 'isa-debug-exit'?",
                 NULL);
    err = NULL;
    expect(!device_type_find("floppotron", &err), "floppotron");
    expect_error(err, "'floppotron'", "-device help", NULL);
    expect(device_type_find("i8042", NULL), "i8042");
}
END_TEST

START_TEST(nearest)
{
    static const char *const names[] = { "serial", "Kernel", "initrd", "m",
                                         "nographic", "append", NULL };
    static const struct {
        const char *wrong, *nearest;
    } cases[] = {
        { "serail", "serial" },   { "kernel", "Kernel" }, { "kernal", "Kernel" },
        { "initr", "initrd" },    { "intird", "initrd" }, { "nogr", "nographic" },
        { "apend", "append" },    { "appendd", "append" }, { "x", NULL },
        { "", NULL },             { "qqqqqqqqq", NULL },  { "se", NULL },
        { "serialserialserial", NULL },
    };
    char endless[100000];

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *nearest = nearest_name(cases[i].wrong, names);

        expect(g_strcmp0(nearest, cases[i].nearest) == 0, "'%s' gives '%s'",
               cases[i].wrong, nearest ? nearest : "nothing");
    }
    memset(endless, 's', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    expect(!nearest_name(endless, names), "an endless name is near something");
    expect(!nearest_name("serial", (const char *const[]){ endless, NULL }),
           "near an endless name");
    expect(!nearest_name("serial", (const char *const[]){ NULL }), "of none");
}
END_TEST

/* ---- life ---------------------------------------------------------------------- */

START_TEST(order_of_calls)
{
    MemoryRegion a, b;
    Probe *s;

    calls = g_string_new(NULL);
    memory_region_init(&a, "a", 0x1000);
    memory_region_init(&b, "b", 0x1000);
    s = probe_new("life");
    ck_assert_str_eq(calls->str, "");
    expect(device_realize(&s->dev, NULL), "realize");
    device_reset(&s->dev);
    device_map(&s->dev, 0, &a, 0x100, 0);
    device_map(&s->dev, 1, &b, 0x200, 3);
    expect(memory_region_present(&a, 0x100) == false, "a container answers");
    device_free(&s->dev);
    ck_assert_str_eq(calls->str, "realize reset unrealize ");
    /* Nothing is left in them, or this is an error. */
    memory_region_destroy(&a);
    memory_region_destroy(&b);

    g_string_set_size(calls, 0);
    device_free(&probe_new("never realized")->dev);
    ck_assert_str_eq(calls->str, "");
    device_free(NULL);
    g_string_free(calls, TRUE);
}
END_TEST

START_TEST(realize_fails)
{
    Probe *s = probe_new("unlucky");
    GError *err = NULL;

    calls = g_string_new(NULL);
    expect(device_set(&s->dev, "byte", "13", NULL), "13");
    expect(!device_realize(&s->dev, &err), "good luck");
    expect_error(err, "device 'probe' (id 'unlucky'): bad luck", NULL);
    device_free(&s->dev);
    ck_assert_str_eq(calls->str, "realize ");
    g_string_free(calls, TRUE);
}
END_TEST

static uint64_t echo_read(void *opaque, hwaddr addr, unsigned size)
{
    return addr + ((Device *)opaque)->regions_nr;
}

static const MemoryRegionOps echo_ops = { .read = echo_read };

/* A device of one block needs neither realize nor reset. */
START_TEST(block_of_registers)
{
    static const DeviceType echo_type = {
        .name = "echo", .size = sizeof(Device), .ops = &echo_ops, .ops_size = 4,
    };
    Device *dev = device_new(&echo_type, NULL);

    test_machine_init();
    expect(device_realize(dev, NULL), "realize");
    device_reset(dev);
    device_map(dev, 0, &test_machine.ports_root, 0x40, 0);
    expect_hex(port_in(0x43, 1), 4);
    expect(strcmp(memory_region_name(dev->regions[0]), "echo") == 0, "name");
    device_free(dev);
    test_machine_free();
}
END_TEST

START_TEST(priorities)
{
    static const int ports[] = { 0x300 };
    Device *top;

    test_machine_init();
    test_device("isa-debugcon", ports, NULL);
    top = device_new(device_type_find("acpi-pm", NULL), NULL);
    expect(device_realize(top, NULL), "realize");
    device_map(top, 0, &test_machine.ports_root, 0x2ff, 1);
    expect_hex(port_in(0x300, 1), 0);
    device_free(top);
    expect_hex(port_in(0x300, 1), 0xe9);
    test_machine_free();
}
END_TEST

/* ---- the table, and help ------------------------------------------------------- */

static char *printed(void (*print)(FILE *out, const void *arg), const void *arg)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    print(f, arg);
    fclose(f);
    return text;
}

static void print_types(FILE *out, const void *arg)
{
    device_print_types(out);
}

static void print_type(FILE *out, const void *arg)
{
    device_print_properties(arg, out);
}

START_TEST(table)
{
    char *text = printed(print_types, NULL);

    for (unsigned i = 0; device_types[i]; i++) {
        const DeviceType *type = device_types[i];

        expect(device_type_find(type->name, NULL) == type, "%s is there twice",
               type->name);
        expect(type->description && type->size >= sizeof(Device), "%s",
               type->name);
        /* Its place is in fw_cfg. */
        expect(!type->user_creatable || type->plug || strcmp(type->name, "ramfb") == 0,
               "%s cannot be placed", type->name);
        expect(!!strstr(text, type->name) == type->user_creatable,
               "%s in help:\n%s", type->name, text);
    }
    free(text);
}
END_TEST

START_TEST(help)
{
    char *text = printed(print_type, &probe_type);

    expect(strstr(text, "probe: a device to look at\n"), "%s", text);
    expect(strstr(text, "  on=<on|off>  a switch (default on)\n"), "%s", text);
    expect(strstr(text, "  room=<size>  how much (default 2M)\n"), "%s", text);
    expect(strstr(text, "  dword=<number>\n"), "%s", text);
    expect(strstr(text, "  chardev=<chardev id>\n"), "%s", text);
    free(text);
}
END_TEST

/* Every type that is on no bus can be made, without a machine or a setting, and taken
 * apart. */
START_TEST(make_every_type)
{
    for (unsigned i = 0; device_types[i]; i++) {
        Device *dev = device_new(device_types[i], "x");
        GError *err = NULL;

        if (device_types[i]->pci) {
            device_free(dev);
            continue;
        }
        if (strcmp(device_types[i]->name, "ramfb") == 0) {
            expect(!device_realize(dev, &err) && strstr(err->message, "has no fw_cfg"),
                   "ramfb without fw_cfg");
            g_clear_error(&err);
            device_free(dev);
            continue;
        }
        expect(device_realize(dev, &err), "%s", err->message);
        device_reset(dev);
        device_reset(dev);
        device_free(dev);
    }
}
END_TEST

/* And functions on the bus of a board, where its own are. */
START_TEST(make_every_function)
{
    Machine *machine = machine_new(machine_type_find("pc", NULL));
    unsigned made = 0;
    GError *err = NULL;

    machine->ram_size = 16 << 20;
    expect(machine_init(machine, &err), "%s", err->message);
    for (unsigned i = 0; device_types[i]; i++) {
        const DeviceType *type = device_types[i];
        const char *needed = property_find(type->properties, "chassis_nr")
                                 ? ",chassis_nr=1" : "";
        g_autofree char *text = g_strconcat(type->name, needed, NULL);

        if (type->pci && type->user_creatable) {
            expect(machine_plug(machine, text, &err), "%s", err->message);
            made++;
        }
    }
    expect(made >= 3, "%u", made);
    machine_reset(machine);
    machine_reset(machine);
    machine_free(machine);
}
END_TEST

/* ---- interrupts ---------------------------------------------------------------- */

static void probe_set_input(Device *dev, unsigned n, bool level)
{
    g_string_append_printf(calls, "in%u=%d ", n, level);
}

static void note_wire(void *opaque, int n, int level)
{
    g_string_append_printf(calls, "%s%d=%d ", (const char *)opaque, n, level);
}

/* From an output to another device's input; a tap takes a wire's place. */
START_TEST(wires)
{
    static const DeviceType chip_type = {
        .name = "chip", .size = sizeof(Device), .inputs_nr = 3,
        .set_input = probe_set_input,
    };
    Device *chip = device_new(&chip_type, NULL);
    Probe *s = probe_new(NULL);
    IRQLine in = device_irq_in(chip, 2);

    calls = g_string_new(NULL);
    device_set_irq(&s->dev, 1, true); /* not connected */
    device_connect_irq(&s->dev, 0, in);
    device_set_irq(&s->dev, 0, true);
    device_set_irq(&s->dev, 0, true);
    device_set_irq(&s->dev, 0, false);
    irq_set(&in, 1);
    ck_assert_str_eq(calls->str, "in2=1 in2=0 in2=1 ");
    g_string_set_size(calls, 0);

    expect(device_intercept(chip, false, (IRQLine){ note_wire, "tap-in", 9 }),
           "in");
    device_set_irq(&s->dev, 0, true);
    expect(device_intercept(&s->dev, true, (IRQLine){ note_wire, "out", 9 }),
           "out");
    device_set_irq(&s->dev, 0, false);
    device_set_irq(&s->dev, 3, true);
    irq_set(&in, 0);
    ck_assert_str_eq(calls->str, "tap-in2=1 out0=0 out3=1 tap-in2=0 ");
    expect(!device_intercept(chip, false, (IRQLine){ note_wire, "x", 0 }) &&
           !device_intercept(&s->dev, true, (IRQLine){ note_wire, "x", 0 }),
           "twice");
    device_free(&s->dev);
    device_free(chip);
    g_string_free(calls, TRUE);
}
END_TEST

TEST_MAIN("device", defaults, property_matrix, refused_leaves_alone,
          wrong_names, nearest, order_of_calls, realize_fails,
          block_of_registers, priorities, table, help, make_every_type,
          make_every_function, wires)
