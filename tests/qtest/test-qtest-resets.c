/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What resets the board pc, and what a reset does: all that a guest has set, wherever on
 * the board, is then as at power-on: registers, the map, wires of interrupts. RAM and the
 * clock's memory keep what they have.
 */
#include "tests/qtest/qpci.h"
#include "tests/qtest/qvm.h"

#include <string.h>

#define PM_PORT 0x600
#define SMBUS 0xb100
#define HPET 0xfed00000
#define EDU_BAR 0xf0000000
#define EDU_RAISE 0x60

static QVM *vm;

static const struct {
    unsigned slot, function;
} functions[] = { { 0, 0 }, { 1, 0 }, { 1, 3 }, { 2, 0 }, { 4, 0 }, { 5, 0 } };

/* Registers whose reading does nothing. */
static const struct {
    uint16_t port;
    uint8_t size, count;
} ports[] = {
    { 0xcf8, 4, 1 }, { 0xcf9, 1, 1 }, { 0x92, 1, 1 }, { 0xb2, 1, 2 }, { 0x4d0, 1, 2 },
    { 0xafe0, 1, 4 }, { SMBUS, 1, 7 }, { 0xae04, 4, 1 }, { 0xae0c, 4, 1 },
    { 0xae10, 4, 1 }, { 0x61, 1, 1 }, { 0x64, 1, 1 }, { 0x3f9, 1, 1 },
    { 0x3fb, 1, 3 }, { 0x3cc, 1, 1 }, { 0x1ce, 2, 1 },
};

static const uint16_t hpet_registers[] = { 0x10, 0x20, 0xf0, 0x100, 0x108, 0x120, 0x128,
                                           0x140, 0x148 };

static uint8_t indexed(unsigned port, unsigned index)
{
    qvm_out(vm, port, index, 1);
    return qvm_in(vm, port + 1, 1);
}

/* All that can be seen, in words. */
static char *snapshot(void)
{
    GString *text = g_string_new(NULL);
    g_autofree char *map = qvm_hmp(vm, "info mtree -f");

    for (unsigned i = 0; i < G_N_ELEMENTS(ports); i++) {
        for (unsigned n = 0; n < ports[i].count; n++) {
            unsigned port = ports[i].port + n * ports[i].size;

            g_string_append_printf(text, "port %x: %x\n", port,
                                   qvm_in(vm, port, ports[i].size));
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(functions); i++) {
        QPCI f = qpci_function(vm, 0, functions[i].slot, functions[i].function);

        for (unsigned reg = 0; reg < 256; reg += 4) {
            g_string_append_printf(text, "%u.%u %02x: %08x\n", functions[i].slot,
                                   functions[i].function, reg, qpci_read(&f, reg, 4));
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(hpet_registers); i++) {
        g_string_append_printf(text, "hpet %x: %" PRIx64 "\n", hpet_registers[i],
                               qvm_load(vm, HPET + hpet_registers[i], 8));
    }
    for (unsigned counter = 0; counter < 3; counter++) {
        qvm_out(vm, 0x43, 0xe0 | 2 << counter, 1); /* its state */
        g_string_append_printf(text, "pit %u: %x\n", counter,
                               qvm_in(vm, 0x40 + counter, 1));
    }
    for (unsigned reg = 0; reg < 5; reg++) {
        g_string_append_printf(text, "vga: %x %x\n", indexed(0x3c4, reg),
                               indexed(0x3ce, reg));
    }
    g_string_append_printf(text, "clock: %x\n", indexed(0x70, 0x0b));
    qvm_out(vm, 0x64, 0x20, 1);
    g_string_append_printf(text, "i8042: %x\n", qvm_in(vm, 0x60, 1));
    /* But for the timer's, which rises before anybody looks. */
    for (unsigned n = 1; n < 24; n++) {
        g_string_append_printf(text, "interrupt %u: %u\n", n, qvm_irq(vm, n));
    }
    g_string_append(text, map);
    return g_string_free(text, FALSE);
}

/* Power management's registers, once they are somewhere. */
static void expect_no_events(void)
{
    QPCI pm = qpci_function(vm, 0, 1, 3);

    qpci_write(&pm, 0x40, PM_PORT, 4);
    qpci_write(&pm, 0x80, 1, 1);
    expect_hex(qvm_in(vm, PM_PORT, 4), 0);
    expect_hex(qvm_in(vm, PM_PORT + 4, 2), 0);
}

/* A device that interrupts, and the button's event that would. */
static void interrupt(void)
{
    QPCI edu = qpci_function(vm, 0, 4, 0);

    qpci_write(&edu, 0x10, EDU_BAR, 4);
    qpci_write(&edu, 0x04, 6, 2);
    qvm_store(vm, EDU_BAR + EDU_RAISE, 1, 4);
    qvm_out(vm, PM_PORT + 2, 0x0521, 2);
    qvm_out(vm, PM_PORT + 4, 0x1c01, 2);
    qvm_qmp_ok(vm, "{'execute': 'system_powerdown'}");
    free(qvm_event(vm, "POWERDOWN"));
    qvm_wait_until(qvm_in(vm, PM_PORT, 2) == 0x100);
}

/* What a guest would hardly do. */
static void change_everything(void)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } writes[] = {
        { 0xcf9, 0x02 }, { 0x92, 0xfe }, { 0xb2, 0xf1 }, { 0xb3, 0x55 }, { 0x4d0, 0xff },
        { 0x4d1, 0xff }, { 0xafe2, 0xff }, { 0xafe3, 0xff }, { SMBUS + 3, 1 },
        { SMBUS + 4, 2 }, { SMBUS + 5, 3 }, { SMBUS + 6, 4 }, { SMBUS + 2, 0x5d },
        { 0xae10, 3 }, { 0x61, 0x03 }, { 0x3f9, 0x0f }, { 0x3fb, 0x1b }, { 0x3fc, 0x1f },
        { 0x43, 0x36 }, { 0x40, 0x34 }, { 0x40, 0x12 }, { 0x43, 0x76 }, { 0x43, 0xb6 },
        { 0x3c2, 0x67 }, { 0x3c4, 2 }, { 0x3c5, 0x0f }, { 0x3ce, 3 }, { 0x3cf, 0x1f },
        { 0x70, 0x0b }, { 0x71, 0x72 }, { 0x64, 0x60 }, { 0x60, 0x03 }, { 0x64, 0xad },
    };

    interrupt();
    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++) {
        qvm_out(vm, writes[i].port, writes[i].value, 1);
    }
    qvm_out(vm, 0x1ce, 4, 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(hpet_registers); i++) {
        qvm_store(vm, HPET + hpet_registers[i], 0x207, 4);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(functions); i++) {
        QPCI f = qpci_function(vm, 0, functions[i].slot, functions[i].function);

        for (unsigned reg = 4; reg < 256; reg++) {
            qpci_write(&f, reg, 0xff, 1);
        }
    }
    qvm_out(vm, 0xcf8, 0x80001234, 4);
}

/* ---- what resets -------------------------------------------------------------------- */

static const struct {
    const char *name, *qmp;
    uint16_t port;
    uint8_t size;
    uint16_t value;
    const char *reason;
} resets[] = {
    { "system_reset", "{'execute': 'system_reset'}", 0, 0, 0, "host-qmp-system-reset" },
    { "ACPI's", NULL, 0xcf9, 1, 0x06, "guest-reset" },
    { "soft", NULL, 0xcf9, 1, 0x04, "guest-reset" },
    { "full", NULL, 0xcf9, 1, 0x0e, "guest-reset" },
    { "by a word", NULL, 0xcf9, 2, 0x0006, "guest-reset" },
    { "port 0x92", NULL, 0x92, 1, 0xff, "guest-reset" },
    { "the keyboard controller", NULL, 0x64, 1, 0xfe, "guest-reset" },
};

static void do_reset(unsigned i)
{
    g_autofree char *event = NULL;

    if (resets[i].qmp) {
        qvm_qmp_ok(vm, "%s", resets[i].qmp);
    } else {
        qvm_out(vm, resets[i].port, resets[i].value, resets[i].size);
    }
    event = qvm_event(vm, "RESET");
    expect(strstr(event, resets[i].reason), "%s: %s", resets[i].name, event);
}

static void expect_same(const char *name, const char *before, const char *after)
{
    g_auto(GStrv) a = g_strsplit(before, "\n", 0);
    g_auto(GStrv) b = g_strsplit(after, "\n", 0);

    for (unsigned i = 0; a[i] && b[i]; i++) {
        expect(strcmp(a[i], b[i]) == 0, "%s: '%s' was '%s'", name, b[i], a[i]);
    }
    expect(strcmp(before, after) == 0, "%s: more\n%s", name, after);
}

static unsigned lines_changed(const char *before, const char *after)
{
    g_auto(GStrv) a = g_strsplit(before, "\n", 0);
    g_auto(GStrv) b = g_strsplit(after, "\n", 0);
    unsigned n = 0;

    for (unsigned i = 0; a[i] && b[i]; i++) {
        n += strcmp(a[i], b[i]) != 0;
    }
    return n;
}

START_TEST(everything_is_reset)
{
    g_autofree char *fresh = NULL;

    vm = qvm_start("-M pc -nodefaults -m 16 -serial null -device VGA,addr=2 "
                   "-device edu,addr=4 -device pci-bridge,addr=5,chassis_nr=1");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    fresh = snapshot();
    expect_no_events();
    for (unsigned i = 0; i < G_N_ELEMENTS(resets); i++) {
        g_autofree char *changed = NULL, *after = NULL;

        if (i) {
            expect_no_events();
        }
        qvm_store(vm, 0x123450, 0x1122334455667788, 8);
        change_everything();
        changed = snapshot();
        expect(lines_changed(fresh, changed) > 100, "nothing changed: %u lines\n%s",
               lines_changed(fresh, changed), changed);
        do_reset(i);
        after = snapshot();
        expect_same(resets[i].name, fresh, after);
        expect_hex(qvm_load(vm, 0x123450, 8), 0x1122334455667788);
    }
    qvm_end(vm);
}
END_TEST

/* RAM that PAM and SMRAM hide is kept, too, and so is the clock's memory. */
START_TEST(memory_is_kept)
{
    QPCI bridge;
    uint8_t data[0x60000], after[sizeof(data)];

    content_fill(data, 1, 0, sizeof(data));
    vm = qvm_start("-M pc -nodefaults -m 16");
    bridge = qpci_function(vm, 0, 0, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(resets); i++) {
        for (unsigned reg = 0x59; reg < 0x60; reg++) {
            qpci_write(&bridge, reg, reg > 0x59 ? 0x33 : 0x30, 1);
        }
        qpci_write(&bridge, 0x72, 0x4a, 1);
        if (i == 0) {
            qvm_write(vm, 0xa0000, data, sizeof(data));
            qvm_out(vm, 0x70, 0x40, 1);
            qvm_out(vm, 0x71, 0xa5, 1);
        }
        qvm_read(vm, 0xa0000, after, sizeof(after));
        expect(memcmp(data, after, sizeof(data)) == 0, "before reset %u", i);
        expect_hex(indexed(0x70, 0x40), 0xa5);
        do_reset(i);
        expect_hex(qpci_read(&bridge, 0x72, 1), 0x02);
    }
    qvm_end(vm);
}
END_TEST

/* What looks like one, and is none. */
START_TEST(no_reset)
{
    static const struct {
        uint16_t port, value;
        uint8_t size;
    } writes[] = {
        { 0xcf9, 0x02, 1 }, { 0xcf9, 0x08, 1 }, { 0xcf9, 0xfb, 1 }, { 0xcf9, 0x0600, 2 },
        { 0xcf8, 0x0606, 2 }, { 0xcfa, 0x0606, 2 }, { 0x92, 0xfe, 1 }, { 0x93, 0x01, 1 },
        { 0x64, 0xff, 1 }, { 0xb2, 0x06, 1 },
    };

    vm = qvm_start("-M pc -nodefaults -m 16");
    for (unsigned i = 0; i < G_N_ELEMENTS(writes); i++) {
        qvm_out(vm, 0xb3, 0x5a, 1);
        qvm_out(vm, writes[i].port, writes[i].value, writes[i].size);
        qvm_qmp_ok(vm, "{'execute': 'query-status'}");
        expect(qvm_in(vm, 0xb3, 1) == 0x5a, "port 0x%x, 0x%x", writes[i].port,
               writes[i].value);
    }
    qvm_out(vm, 0xcf8, 0x06060606, 4);
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect_hex(qvm_in(vm, 0xb3, 1), 0x5a);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-resets", everything_is_reset, memory_is_kept, no_reset)
