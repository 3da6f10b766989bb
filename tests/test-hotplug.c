/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that come and go: before the machine is complete, when it is, and
 * while others access what goes. Defaults for a type of device.
 */
#include <pthread.h>
#include <string.h>

#include "hw/core/machine.h"
#include "hw/i386/microvm-map.h"
#include "tests/test-util.h"
#include "vm-event.h"

static Machine *machine;
static GError *err;

static void expect_refused(bool ok, const char *word1, const char *word2)
{
    expect(!ok, "accepted, where '%s' was to be said", word1);
    expect(strstr(err->message, word1) && strstr(err->message, word2),
           "'%s' lacks '%s' or '%s'", err->message, word1, word2);
    g_clear_error(&err);
}

static void board_init(void)
{
    machine = machine_new(machine_type_find("microvm", NULL));
    machine->ram_size = 1 << 20;
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
}

static void board_make(void)
{
    board_init();
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
}

static void board_free(void)
{
    machine_free(machine);
    chardev_close_all();
}

static void plug(const char *text)
{
    expect(machine_plug(machine, text, &err), "%s: %s", text, err->message);
}

static void unplug(const char *id)
{
    expect(machine_unplug(machine, id, &err), "%s: %s", id, err->message);
}

/* ---- types of the test's own --------------------------------------------------- */

/* Added before the start, or never. */
static const DeviceType fixed_type = {
    .name = "fixed", .description = "stays", .size = sizeof(Device),
    .user_creatable = true,
};

static unsigned resets;

static void count_reset(Device *dev)
{
    resets++;
}

static const DeviceType resettable_type = {
    .name = "resettable", .description = "counts", .size = sizeof(Device),
    .user_creatable = true, .hotpluggable = true, .reset = count_reset,
};

#define TYPE(name) extern const DeviceType name##_type;
TYPE(acpi_pm) TYPE(i8042) TYPE(ioapic) TYPE(isa_debug_exit) TYPE(isa_debugcon)
TYPE(isa_serial) TYPE(mc146818rtc)
#undef TYPE

/* In place of hw/core/device-table.c. */
const DeviceType *const device_types[] = {
    &acpi_pm_type, &i8042_type, &ioapic_type, &isa_debug_exit_type,
    &isa_debugcon_type, &isa_serial_type, &mc146818rtc_type, &fixed_type,
    &resettable_type, NULL,
};

/* What a guest reads at @port; -1: nobody answers. */
static int port(unsigned port)
{
    uint8_t value;

    return address_space_read(&machine->ports, port, &value, 1) == MEMTX_OK
           ? value : -1;
}

static Device *device_at(const char *path)
{
    Object *obj = object_resolve(path, NULL);

    expect(obj && object_device(obj), "no device at %s", path);
    return object_device(obj);
}

/* ---- in ------------------------------------------------------------------------ */

START_TEST(before_and_after)
{
    board_init();
    plug("isa-debugcon,id=early");
    expect(machine_prepare(machine, &err), "prepare");
    plug("isa-debugcon,id=late,iobase=0x300");
    plug("isa-debugcon,iobase=0x301");
    plug("driver=isa-debugcon,iobase=0x302,iobase=0x303"); /* the last one */
    expect(port(0xe9) == 0xe9 && port(0x300) == 0xe9 && port(0x301) == 0xe9 &&
           port(0x302) == -1 && port(0x303) == 0xe9, "the ports");
    expect(!device_at("/machine/peripheral/early")->hotplugged &&
           device_at("/machine/peripheral/late")->hotplugged, "hotplugged");
    expect(device_at("/machine/peripheral-anon/device[1]") ==
           g_ptr_array_index(machine->devices, machine->devices->len - 1),
           "the last one");
    unplug("/machine/peripheral-anon/device[0]");
    expect(port(0x301) == -1, "still there");
    plug("isa-debugcon,iobase=0x304");
    expect(device_at("/machine/peripheral-anon/device[2]"), "a free name");
    machine_reset(machine);
    board_free();
}
END_TEST

START_TEST(settings_as_a_table)
{
    GHashTable *settings = g_hash_table_new(g_str_hash, g_str_equal);

    board_make();
    g_hash_table_insert(settings, "iobase", "0x310");
    expect(machine_plug_settings(machine, "isa-debugcon", "d0", settings, &err),
           "%s", err ? err->message : "?");
    expect(port(0x310) == 0xe9, "0x310");
    g_hash_table_insert(settings, "iobase", NULL);
    expect_refused(machine_plug_settings(machine, "isa-debugcon", NULL, settings,
                                         &err),
                   "'iobase' needs a value", "isa-debugcon");
    g_hash_table_unref(settings);
    board_free();
}
END_TEST

/* What cannot be added leaves the machine as it was. */
START_TEST(refusals)
{
    static const struct {
        const char *text, *word1, *word2;
    } cases[] = {
        { "", "Parameter 'driver' is missing", "" },
        { "id=a", "Parameter 'driver' is missing", "" },
        { "isa-debugcon,id", "'id' needs a value", "" },
        { "isa-debugcom", "'isa-debugcom' is not a valid device model name",
          "did you mean 'isa-debugcon'?" },
        { "i8042,id=a", "Parameter 'driver' expects a pluggable device type",
          "'i8042' is a part of the board" },
        { "isa-debugcon,id=d0,iobase=0x400", "Duplicate device ID 'd0'",
          "isa-debugcon" },
        { "isa-debugcon,id=0", "Parameter 'id' expects an identifier", "" },
        { "isa-debugcon,id=a/b", "Parameter 'id' expects an identifier", "" },
        { "isa-debugcon,id=a,iobasse=4", "no property 'iobasse'", "'iobase'" },
        { "isa-debugcon,id=a,iobase=x", "'iobase' cannot be 'x'", "(id 'a')" },
        { "isa-debugcon,id=a,chardev=nobody", "'nobody'", "character device" },
        { "isa-debugcon,id=a,iobase=0xe9", "'isa-debugcon' is at 0xe9",
          "(id 'a')" },
        { "isa-debug-exit,id=a,iobase=0xffff", "below port 0x10000", "" },
        { "isa-debug-exit,id=a,iosize=0", "must be 1 to 4", "" },
        { "isa-serial,id=a,irq=8", "irq 8 is that of '/machine/rtc'", "(id 'a')" },
        { "isa-serial,id=a,irq=24", "irq 24 is not there", "24 interrupts" },
    };
    guint before;

    board_make();
    plug("isa-debugcon,id=d0");
    before = machine->devices->len;
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        expect_refused(machine_plug(machine, cases[i].text, &err),
                       cases[i].word1, cases[i].word2);
        expect(machine->devices->len == before && !object_resolve("a", NULL),
               "'%s' leaves something behind", cases[i].text);
    }
    expect(port(0x3f8) == -1, "a port that was refused answers");
    board_free();
}
END_TEST

/* ---- out ----------------------------------------------------------------------- */

static GString *events;

static void note_event(const VMEvent *event, void *opaque)
{
    if (event->kind == VM_EVENT_DEVICE_DELETED) {
        g_string_append_printf(opaque, "%s %s;", event->device ? event->device
                                                                : "-",
                               event->path);
    }
}

START_TEST(unplugging)
{
    events = g_string_new(NULL);
    vm_event_listen(note_event, events);
    board_make();
    plug("isa-debug-exit,id=x0");
    plug("isa-debug-exit,iobase=0x700");
    expect(port(0x501) == 0 && port(0x700) == 0, "not there");

    expect_refused(machine_unplug(machine, "x1", &err), "Device 'x1' not found",
                   "");
    expect(!machine_unplug(machine, "/machine/x0", &err) &&
           err->code == FLATVIEW_ERROR_NOT_FOUND, "code %d", err->code);
    g_clear_error(&err);
    expect_refused(machine_unplug(machine, "/machine", &err),
                   "/machine is not a hotpluggable device", "");
    expect_refused(machine_unplug(machine, "", &err),
                   " is not a hotpluggable device", "");
    expect_refused(machine_unplug(machine, "../rtc", &err), "not found", "");
    expect_refused(machine_unplug(machine, "/machine/rtc", &err),
                   "Device 'mc146818rtc' does not support hotplugging",
                   "/machine/rtc stays");
    ck_assert_str_eq(events->str, "");

    unplug("x0");
    expect(port(0x501) == -1 && port(0x700) == 0, "the wrong one");
    unplug("/machine/peripheral-anon/device[0]");
    expect(port(0x700) == -1, "still there");
    ck_assert_str_eq(events->str, "x0 /machine/peripheral/x0;"
                     "- /machine/peripheral-anon/device[0];");
    expect_refused(machine_unplug(machine, "x0", &err), "not found", "x0");
    plug("isa-debug-exit,id=x0");
    unplug("/machine/peripheral/x0");
    board_free();
    vm_event_unlisten(note_event, events);
    g_string_free(events, TRUE);
}
END_TEST

/* Some devices can only be there from the start, and then for good. */
START_TEST(not_hotpluggable)
{
    board_init();
    plug("fixed,id=f0");
    plug("resettable,id=r0");
    expect(resets == 0, "reset before the machine is");
    expect(machine_prepare(machine, &err), "prepare");
    expect_refused(machine_plug(machine, "fixed,id=f1", &err),
                   "Device 'fixed' does not support hotplugging", "-device");
    expect_refused(machine_unplug(machine, "f0", &err),
                   "Device 'fixed' does not support hotplugging",
                   "/machine/peripheral/f0 stays");
    plug("resettable,id=r1");
    expect(resets == 1, "%u resets of a new device", resets);
    unplug("r0");
    unplug("r1");
    board_free();
}
END_TEST

/* The board's own serial port stays, though a user may add one. */
START_TEST(board_devices_stay)
{
    board_init();
    machine_free(machine);
    machine = machine_new(machine_type_find("microvm", NULL));
    g_ptr_array_add(machine->serials, chardev_open("s0", "null", &err));
    expect(machine_init(machine, &err) && machine_prepare(machine, &err), "%s",
           err ? err->message : "?");
    expect_refused(machine_unplug(machine, "/machine/serial1", &err),
                   "'isa-serial' does not support hotplugging", "serial1");
    expect_refused(machine_plug(machine, "isa-serial,index=0", &err),
                   "'isa-serial' is at 0x3f8", "iobase");
    expect_refused(machine_plug(machine, "isa-serial,iobase=0x2f8,irq=4", &err),
                   "irq 4 is that of '/machine/serial1'", "another irq");
    expect_refused(machine_plug(machine, "isa-serial,index=2", &err),
                   "irq 4 is that of '/machine/serial1'", "another irq");
    expect_refused(machine_plug(machine, "isa-serial,index=4", &err), "'index'",
                   "0 to 3, not 4");
    expect(port(0x2f8) == -1 && port(0x3e8) == -1, "half of it is there");
    plug("isa-serial,id=s1"); /* the first that is free */
    expect(port(0x2fd) == 0x60, "no UART at 0x2f8");
    plug("isa-serial,index=3,irq=10,id=s3");
    expect(port(0x2ed) == 0x60, "no UART at 0x2e8");
    expect(machine_unplug(machine, "s1", &err), "%s", err ? err->message : "?");
    plug("isa-serial,iobase=0x2f8,id=s1"); /* with COM2's interrupt */
    expect_refused(machine_plug(machine, "isa-debugcon,iobase=0x2f9", &err),
                   "'isa-serial' is at 0x2f9", "iobase");
    board_free();
}
END_TEST

static unsigned level, changes;

static void tap(void *opaque, int n, int new_level)
{
    if (n == 11) {
        level = new_level;
        changes++;
    }
}

/* A device that goes lets its interrupt go, gives its chardev back, and no
 * timer of it fires any more. */
START_TEST(serial_comes_and_goes)
{
    Chardev *chr = chardev_open("c0", "null", &err);

    board_make();
    device_intercept(machine->interrupts, false, (IRQLine){ tap, NULL, 0 });
    plug("isa-serial,id=u0,iobase=0x300,irq=11,chardev=c0");
    expect(chardev_has_frontend(chr), "not attached");
    expect_refused(chardev_remove("c0", &err), "c0", "");
    /* THR empty, and its interrupt enabled; a character not yet sent */
    address_space_write(&machine->ports, 0x301, (const uint8_t *)"\x02", 1);
    expect(level == 1 && changes == 1, "no interrupt");
    address_space_write(&machine->ports, 0x300, (const uint8_t *)"a", 1);
    address_space_write(&machine->ports, 0x301, (const uint8_t *)"\x02", 1);
    level = 1;
    unplug("u0");
    expect(!level, "the interrupt stays");
    expect(!chardev_has_frontend(chr), "still attached");
    for (unsigned i = 0; i < 10; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    plug("isa-serial,id=u0,iobase=0x300,irq=11,chardev=c0");
    unplug("u0");
    expect(chardev_remove("c0", &err), "%s", err ? err->message : "?");
    board_free();
}
END_TEST

START_TEST(debugcon_holds_its_chardev)
{
    chardev_open("c0", "null", &err);
    board_make();
    plug("isa-debugcon,id=d0,chardev=c0");
    expect_refused(chardev_remove("c0", &err), "c0", "");
    unplug("d0");
    expect(chardev_remove("c0", &err), "%s", err ? err->message : "?");
    board_free();
}
END_TEST

/* ---- while it is used ---------------------------------------------------------- */

static bool stop;

static void *hammer(void *opaque)
{
    unsigned *answers = opaque;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        uint8_t byte = 'x';
        int value = port(0x300);

        expect(value == 0xe9 || value == -1, "0x%x", value);
        *answers += value == 0xe9;
        address_space_write(&machine->ports, 0x300, &byte, 1);
    }
    return NULL;
}

START_TEST(under_fire)
{
    pthread_t threads[2];
    unsigned answers[2] = { 0 };

    chardev_open("c0", "null", &err);
    board_make();
    for (unsigned i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, hammer, &answers[i]);
    }
    for (unsigned i = 0; i < 200; i++) {
        plug("isa-debugcon,id=d0,iobase=0x300,chardev=c0");
        expect(port(0x300) == 0xe9, "not there");
        unplug("d0");
        expect(port(0x300) == -1, "still there");
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    board_free();
}
END_TEST

/* ---- defaults for a type ------------------------------------------------------- */

static char *warnings(void)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    device_globals_check(out);
    fclose(out);
    return text;
}

START_TEST(globals)
{
    char *text;

    expect(device_add_global("isa-debugcon.iobase=0x320", &err), "global");
    expect(device_add_global("isa-debugcon.iobase=0x321", &err), "global");
    expect(device_add_global("driver=isa-debug-exit,property=iosize,value=4",
                             &err), "global");
    expect(device_add_global("isa-debug-exot.iosize=4", &err), "global");
    expect(device_add_global("isa-serial.irq=9", &err), "global");
    board_make();
    plug("isa-debugcon");
    expect(port(0x321) == 0xe9 && port(0x320) == -1, "the last one wins");
    plug("isa-debugcon,iobase=0x322");
    expect(port(0x322) == 0xe9, "the device's own setting wins");

    text = warnings();
    ck_assert_str_eq(text,
        "warning: -global isa-debug-exit.iosize=4: there is no such device on "
        "this machine\n"
        "warning: -global isa-debug-exot.iosize=4: there is no device of that "
        "type\n"
        "warning: -global isa-serial.irq=9: there is no such device on this "
        "machine\n");
    free(text);
    plug("isa-debug-exit");
    expect(port(0x504) == 0, "4 ports");
    text = warnings();
    expect(!strstr(text, "isa-debug-exit"), "%s", text);
    free(text);

    expect(device_add_global("isa-debugcon.iobasse=1", &err), "global");
    expect_refused(machine_plug(machine, "isa-debugcon,iobase=0x323", &err),
                   "-global isa-debugcon.iobasse=1: ", "'iobase'");
    board_free();
}
END_TEST

START_TEST(globals_that_are_none)
{
    static const char *const bad[] = {
        "", "isa-debugcon", "isa-debugcon.iobase", "iobase=4",
        "driver=isa-debugcon", "driver=isa-debugcon,property=iobase",
        "driver=a,property=b,value", "driver=a,property=b,value=c,more=d",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        expect_refused(device_add_global(bad[i], &err), bad[i],
                       "TYPE.PROPERTY=VALUE");
    }
}
END_TEST

TEST_MAIN("hotplug", before_and_after, settings_as_a_table, refusals, unplugging,
          not_hotpluggable, board_devices_stay, serial_comes_and_goes,
          debugcon_holds_its_chardev, under_fire, globals, globals_that_are_none)
