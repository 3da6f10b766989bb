/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small devices: isa-debug-exit, isa-debugcon, acpi-pm, pvpanic.
 */
#include "hw/acpi/button.h"
#include "hw/acpi/pm.h"
#include "tests/device-util.h"

#include <string.h>

#define PM 0x600

START_TEST(debug_exit_statuses)
{
    static const struct {
        unsigned size;
        uint32_t value;
        int status;
    } cases[] = {
        { 1, 0x00, 1 },    { 1, 0x10, 0x21 },   { 1, 0x7f, 0xff },
        { 1, 0x80, 1 },    { 1, 0xff, 0xff },   { 2, 0x0010, 0x21 },
        { 2, 0x1234, 0x69 }, { 2, 0xffff, 0xff },
    };

    test_machine_init();
    test_device("isa-debug-exit", NULL, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        port_out(0x501, cases[i].value, cases[i].size);
        expect(requests.shutdowns == i + 1, "no request of case %u", i);
        expect(requests.status == cases[i].status, "case %u gives %d", i,
               requests.status);
    }
    expect_hex(port_in(0x501, 1), 0);
    expect_hex(port_in(0x501, 2), 0);
    expect_hex(port_in(0x502, 1), 0);
    port_out(0x502, 3, 1);
    expect(requests.status == 7, "the second port counts, too");
    test_machine_free();
}
END_TEST

START_TEST(debug_exit_elsewhere)
{
    uint8_t byte = 0;

    test_machine_init();
    test_device("isa-debug-exit", NULL, "iobase", "0xf4", "iosize", "4", NULL);
    port_out(0xf4, 0x12345603, 4);
    expect(requests.shutdowns == 1 && requests.status == 7, "status %d",
           requests.status);
    expect(port_access(0x501, &byte, 1, true) != MEMTX_OK, "at both places");
    expect(requests.shutdowns == 1, "a stray request");
    test_machine_free();
}
END_TEST

static GError *plug_error(const char *iobase, const char *iosize)
{
    Device *dev = device_new(device_type_find("isa-debug-exit", NULL), "x1");
    GError *err = NULL;

    expect(device_set(dev, "iobase", iobase, NULL), "iobase %s", iobase);
    expect(device_set(dev, "iosize", iosize, NULL), "iosize %s", iosize);
    if (device_realize(dev, &err) &&
        dev->type->plug(dev, &test_machine, &err)) {
        expect(!err, "an error, and success");
    }
    device_free(dev);
    return err;
}

START_TEST(places_that_are_taken)
{
    test_machine_init();
    test_device("isa-debugcon", NULL, NULL);
    expect_error(plug_error("0xe8", "2"), "isa-debug-exit", "x1", "0xe8",
                 "0xe9", "isa-debugcon", NULL);
    expect_error(plug_error("0xe9", "1"), "isa-debugcon", NULL);
    expect_error(plug_error("0xffff", "2"), "0xffff", "0x10000", NULL);
    expect_error(plug_error("0x100", "0"), "isa-debug-exit", "iosize", NULL);
    expect(!plug_error("0xe8", "1"), "just below");
    expect(!plug_error("0xea", "4"), "just above");
    expect(!plug_error("0xfffc", "4"), "the last four");
    test_machine_free();
}
END_TEST

static char *file_of(const char *name)
{
    return g_build_filename(test_folder(), name, NULL);
}

START_TEST(debugcon_bytes)
{
    char *path = file_of("debugcon"), *spec = g_strconcat("file:", path, NULL);
    char *text;
    gsize len;

    test_machine_init();
    test_chardev("con", spec);
    test_device("isa-debugcon", NULL, "chardev", "con", NULL);
    for (unsigned i = 0; i < 256; i++) {
        port_out(0xe9, i, 1);
    }
    expect_hex(port_in(0xe9, 1), 0xe9);
    expect(g_file_get_contents(path, &text, &len, NULL), "no file");
    expect(len == 256, "%zu bytes", len);
    for (unsigned i = 0; i < 256; i++) {
        expect_hex((uint8_t)text[i], i);
    }
    test_machine_free();
    g_free(text);
    g_free(path);
    g_free(spec);
}
END_TEST

START_TEST(debugcon_alone)
{
    uint16_t word = 0;

    test_machine_init();
    test_device("isa-debugcon", NULL, "iobase", "0x402", NULL);
    port_out(0x402, 'x', 1);
    expect_hex(port_in(0x402, 1), 0xe9);
    /* One port: the rest of a wider access meets nothing. */
    expect(port_access(0x402, &word, 2, false) == MEMTX_DECODE_ERROR, "wide");
    expect_hex(word, 0xffe9);
    test_machine_free();
    test_machine_init();
    test_device("isa-debugcon", NULL, "readback", "0x5a", NULL);
    expect_hex(port_in(0xe9, 1), 0x5a);
    test_machine_free();
}
END_TEST

START_TEST(pm_every_value)
{
    static const int ports[] = { PM };

    test_machine_init();
    test_device("acpi-pm", ports, NULL);
    for (unsigned v = 0; v < 256; v++) {
        bool off = (v & 0x20) && (v >> 2 & 7) == 5;

        memset(&requests, 0, sizeof(requests));
        port_out(PM + ACPI_PM_SLEEP_CONTROL, v, 1);
        expect(requests.shutdowns == off, "sleep control 0x%x", v);
        expect(!off || requests.status == EXIT_GUEST_OFF, "status");
        expect_hex(port_in(PM + ACPI_PM_SLEEP_CONTROL, 1), v & 0x1c);
        port_out(PM + ACPI_PM_SLEEP_STATUS, v, 1);
        expect_hex(port_in(PM + ACPI_PM_SLEEP_STATUS, 1), 0);
        expect(requests.resets == 0, "a reset from a sleep register");
        port_out(PM + ACPI_PM_RESET, v, 1);
        expect(requests.resets == (v == 0x42), "reset register 0x%x", v);
        expect_hex(port_in(PM + ACPI_PM_RESET, 1), 0);
        expect(requests.shutdowns == off, "a shutdown from another register");
    }
    test_machine_free();
}
END_TEST

START_TEST(pm_reset_and_widths)
{
    static const int ports[] = { PM };
    Device *dev;

    test_machine_init();
    dev = test_device("acpi-pm", ports, NULL);
    port_out(PM, 0x0c, 2); /* control, then status */
    expect_hex(port_in(PM, 2), 0x000c);
    port_out(PM + 1, 0x4200, 2);
    expect(requests.resets == 1, "the high byte reaches the reset register");
    device_reset(dev);
    expect_hex(port_in(PM, 1), 0);
    expect(requests.resets == 1 && requests.shutdowns == 0, "by a reset");
    test_machine_free();
}
END_TEST

/* The interrupt is up until the guest has taken note. */
START_TEST(pm_button)
{
    static const int ports[] = { PM };
    Device *dev;

    test_machine_init();
    dev = test_device("acpi-pm", ports, NULL);
    expect_hex(port_in(PM + ACPI_PM_EVENT, 1), 0);
    port_out(PM + ACPI_PM_EVENT, 0xff, 1); /* only clears */
    expect(port_in(PM + ACPI_PM_EVENT, 1) == 0 && !test_wire.rises, "set");
    acpi_pm_press_button(dev);
    expect_hex(port_in(PM + ACPI_PM_EVENT, 1), ACPI_PM_EVENT_BUTTON);
    expect(test_wire.level && test_wire.rises == 1, "no interrupt");
    acpi_pm_press_button(dev); /* once is enough */
    port_out(PM + ACPI_PM_EVENT, 0xfe, 1);
    expect_hex(port_in(PM + ACPI_PM_EVENT, 1), ACPI_PM_EVENT_BUTTON);
    expect(test_wire.level && test_wire.rises == 1, "another interrupt");
    port_out(PM + ACPI_PM_EVENT, ACPI_PM_EVENT_BUTTON, 1);
    expect_hex(port_in(PM + ACPI_PM_EVENT, 1), 0);
    expect(!test_wire.level, "not acknowledged");
    acpi_pm_press_button(dev);
    expect(test_wire.level && test_wire.rises == 2, "the second time");
    device_reset(dev);
    expect_hex(port_in(PM + ACPI_PM_EVENT, 1), 0);
    expect(!test_wire.level, "after a reset");
    expect(requests.shutdowns + requests.resets == 0, "it is only told");
    test_machine_free();
}
END_TEST

static unsigned crashloaded;

static void count_crashloaded(const VMEvent *event, void *opaque)
{
    ck_assert_int_eq(event->kind, VM_EVENT_GUEST_CRASHLOADED);
    ck_assert_str_eq(event->action, "run");
    crashloaded++;
}

/* Which events each setting tells of, and what each write reports. */
START_TEST(panic_events)
{
    static const char *const settings[] = { "0", "1", "2", "3" };

    vm_event_listen(count_crashloaded, NULL);
    for (unsigned events = 0; events < 4; events++) {
        test_machine_init();
        test_device("pvpanic", NULL, "events", settings[events], NULL);
        for (unsigned v = 0; v < 256; v++) {
            unsigned reports = v & events;

            requests.panics = crashloaded = 0;
            expect_hex(port_in(0x505, 1), events);
            port_out(0x505, v, 1);
            ck_assert_uint_eq(requests.panics, reports & 1);
            ck_assert_uint_eq(crashloaded, reports == 2);
        }
        test_machine_free();
    }
    vm_event_unlisten(count_crashloaded, NULL);
}
END_TEST

START_TEST(panic_elsewhere)
{
    Device *dev;
    GError *err = NULL;
    uint8_t byte = 1;

    test_machine_init();
    test_device("pvpanic", NULL, "ioport", "0x600", NULL);
    expect_hex(port_in(0x600, 1), 3);
    expect(port_access(0x505, &byte, 1, true) != MEMTX_OK, "at both places");
    dev = device_new(device_type_find("pvpanic", NULL), "p2");
    dev->machine = &test_machine;
    expect(device_set(dev, "ioport", "0x600", &err), "ioport");
    expect(device_realize(dev, &err), "realize");
    expect(!dev->type->plug(dev, &test_machine, &err), "in the same place");
    expect_error(err, "pvpanic", "0x600", "choose another ioport", NULL);
    device_free(dev);
    test_machine_free();
}
END_TEST

TEST_MAIN("misc-devices", debug_exit_statuses, debug_exit_elsewhere,
          places_that_are_taken, debugcon_bytes, debugcon_alone,
          pm_every_value, pm_reset_and_widths, pm_button, panic_events,
          panic_elsewhere)
