/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small devices of microvm through qtest: power management, debug console,
 * debug exit, the panic port, and the inputs of the interrupt controller.
 */
#include "tests/qtest/qvm.h"

#include <string.h>
#include <sys/socket.h>

#include "tests/chardev-util.h"

#define SLEEP_CONTROL 0x600
#define SLEEP_STATUS 0x601
#define RESET_REG 0x602
#define EVENT_STATUS 0x603
#define PM_IRQ 9

#define in(port) qvm_in(vm, port, 1)
#define out(port, value) qvm_out(vm, port, value, 1)

static QVM *vm;

/* ---- acpi-pm --------------------------------------------------------------------------- */

START_TEST(pm_registers)
{
    vm = qvm_start("-nodefaults -m 16");
    for (unsigned size = 1; size <= 4; size *= 2) {
        for (unsigned port = SLEEP_CONTROL - 3; port <= EVENT_STATUS; port++) {
            uint32_t wanted = 0;

            for (unsigned i = 0; i < size; i++) {
                wanted |= (port + i - SLEEP_CONTROL < 4 ? 0u : 0xffu) << 8 * i;
            }
            expect_hex(qvm_in(vm, port, size), wanted);
        }
    }
    for (unsigned v = 0; v < 0x20; v++) { /* without SLP_EN only the type stays */
        out(SLEEP_CONTROL, v);
        expect_hex(in(SLEEP_CONTROL), v & 0x1c);
        qvm_out(vm, SLEEP_CONTROL - 1, v << 8, 2);
        expect_hex(qvm_in(vm, SLEEP_CONTROL - 1, 2), (v & 0x1c) << 8 | 0xff);
    }
    for (unsigned v = 0; v < 8; v++) { /* to enter a state that is not there */
        if (v != 5) {
            out(SLEEP_CONTROL, 0x20 | v << 2);
            expect_hex(in(SLEEP_CONTROL), v << 2);
        }
    }
    for (unsigned v = 0; v < 256; v++) {
        if (v != 0x42) {
            out(RESET_REG, v);
            out(SLEEP_STATUS, v);
            out(EVENT_STATUS, v);
        }
    }
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect_hex(in(SLEEP_CONTROL), 0x1c); /* no reset came */
    expect_hex(in(SLEEP_STATUS), 0);
    expect_hex(in(EVENT_STATUS), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(pm_button)
{
    vm = qvm_start("-nodefaults -m 16");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    for (unsigned i = 0; i < 3; i++) {
        qvm_qmp_ok(vm, "{'execute': 'system_powerdown'}");
        free(qvm_event(vm, "POWERDOWN"));
        qvm_wait_until(qvm_irq(vm, PM_IRQ));
        expect_hex(in(EVENT_STATUS), 0x01);
        expect_hex(qvm_in(vm, SLEEP_CONTROL, 4), 0x01000000);
        out(EVENT_STATUS, 0xfe); /* what is not 1 stays */
        expect(qvm_irq(vm, PM_IRQ), "it went");
        out(EVENT_STATUS, 0x01);
        expect(!qvm_irq(vm, PM_IRQ), "it stays");
        expect_hex(in(EVENT_STATUS), 0);
    }
    qvm_qmp_ok(vm, "{'execute': 'system_powerdown'}");
    qvm_wait_until(qvm_irq(vm, PM_IRQ));
    out(RESET_REG, 0x42);
    qvm_wait_until(!qvm_irq(vm, PM_IRQ));
    expect_hex(in(EVENT_STATUS), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(pm_reset)
{
    g_autofree char *event = NULL;

    vm = qvm_start("-nodefaults -m 16");
    out(SLEEP_CONTROL, 0x14);
    out(RESET_REG, 0x42);
    event = qvm_event(vm, "RESET");
    expect(strstr(event, "\"guest-reset\""), "%s", event);
    qvm_wait_until(in(SLEEP_CONTROL) == 0);
    qvm_end(vm);
}
END_TEST

START_TEST(pm_off)
{
    g_autofree char *event = NULL;

    vm = qvm_start("-nodefaults -m 16");
    out(SLEEP_CONTROL, 0x34);
    event = qvm_event(vm, "SHUTDOWN");
    expect(strstr(event, "\"guest-shutdown\""), "%s", event);
    expect_hex(qvm_wait(vm), 0);
    qvm_free(vm);
}
END_TEST

/* -no-shutdown keeps the machine for who looks at it. */
START_TEST(pm_off_and_kept)
{
    g_autofree char *status = NULL;

    vm = qvm_start("-nodefaults -m 16 -no-shutdown");
    out(SLEEP_CONTROL, 0x34);
    free(qvm_event(vm, "SHUTDOWN"));
    free(qvm_event(vm, "STOP"));
    status = qvm_qmp(vm, "{'execute': 'query-status'}");
    expect(strstr(status, "\"shutdown\""), "%s", status);
    expect_hex(in(SLEEP_CONTROL), 0x14);
    qvm_end(vm);
}
END_TEST

/* ---- debug console ------------------------------------------------------------------------ */

START_TEST(debugcon)
{
    g_autofree char *path = path_of("out");

    vm = qvm_start("-nodefaults -m 16 -debugcon file:%s", path);
    expect_hex(in(0xe9), 0xe9);
    expect_hex(qvm_in(vm, 0xe9, 2), 0xffe9);
    expect_hex(qvm_in(vm, 0xe8, 2), 0xe9ff);
    expect_hex(qvm_in(vm, 0xe9, 4), 0xffffffe9);
    for (const char *p = "hello"; *p; p++) {
        out(0xe9, *p);
    }
    qvm_out(vm, 0xe8, 0x4241, 2);
    qvm_out(vm, 0xe9, 0x44434241, 4);
    qvm_end(vm);
    expect_file(path, "helloBA");
}
END_TEST

START_TEST(debugcon_elsewhere)
{
    g_autofree char *path = path_of("out");

    vm = qvm_start("-nodefaults -m 16 -chardev file,id=f,path=%s "
                   "-device isa-debugcon,iobase=0x402,chardev=f", path);
    expect_hex(in(0x402), 0xe9);
    expect_hex(in(0xe9), 0xff);
    out(0x402, '!');
    qvm_end(vm);
    expect_file(path, "!");
}
END_TEST

/* ---- debug exit ----------------------------------------------------------------------------- */

START_TEST(debug_exit)
{
    static const struct {
        unsigned port, size;
        uint32_t value;
        int status;
    } cases[] = {
        { 0x501, 1, 0, 1 }, { 0x501, 1, 0x21, 0x43 }, { 0x501, 2, 0x121, 0x43 },
        { 0x502, 1, 0x7f, 0xff }, { 0x500, 2, 0x3000, 0x61 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        vm = qvm_start("-nodefaults -m 16 -device isa-debug-exit");
        expect_hex(in(0x501), 0);
        expect_hex(qvm_in(vm, 0x501, 2), 0);
        expect_hex(qvm_in(vm, 0x501, 4), 0xffff0000);
        qvm_out(vm, cases[i].port, cases[i].value, cases[i].size);
        expect(qvm_wait(vm) == cases[i].status, "case %u", i);
        qvm_free(vm);
    }
}
END_TEST

/* ---- panic port ------------------------------------------------------------------------------ */

START_TEST(panic_port)
{
    g_autofree char *event = NULL;

    vm = qvm_start("-nodefaults -m 16 -device pvpanic");
    expect_hex(in(0x505), 0x03);
    expect_hex(qvm_in(vm, 0x505, 2), 0xff03);
    expect_hex(qvm_in(vm, 0x504, 4), 0xffff03ff);
    out(0x505, 0xfc); /* nothing that there is */
    qvm_out(vm, 0x504, 0x0201, 2);
    event = qvm_event(vm, "GUEST_CRASHLOADED");
    expect(strstr(event, "\"run\""), "%s", event);
    expect_hex(in(0x505), 0x03);
    qvm_end(vm);
}
END_TEST

START_TEST(panic)
{
    g_autofree char *event = NULL, *end = NULL;

    vm = qvm_start("-nodefaults -m 16 -device pvpanic,ioport=0x600a,events=1");
    expect_hex(in(0x600a), 0x01);
    out(0x600a, 0x02);
    out(0x600a, 0x01);
    event = qvm_event(vm, "GUEST_PANICKED");
    expect(strstr(event, "\"poweroff\""), "%s", event);
    end = qvm_event(vm, "SHUTDOWN");
    expect(strstr(end, "\"guest-panic\""), "%s", end);
    expect_hex(qvm_wait(vm), 0);
    qvm_free(vm);
}
END_TEST

START_TEST(panic_and_kept)
{
    g_autofree char *event = NULL, *status = NULL;

    vm = qvm_start("-nodefaults -m 16 -device pvpanic -no-shutdown");
    out(0x505, 0x01);
    event = qvm_event(vm, "GUEST_PANICKED");
    expect(strstr(event, "\"pause\""), "%s", event);
    free(qvm_event(vm, "STOP"));
    status = qvm_qmp(vm, "{'execute': 'query-status'}");
    expect(strstr(status, "\"guest-panicked\""), "%s", status);
    expect_hex(in(0x505), 0x03);
    qvm_end(vm);
}
END_TEST

/* ---- ioapic ------------------------------------------------------------------------------- */

/* Its page is taken, and nothing answers there but KVM. */
START_TEST(ioapic_page)
{
    vm = qvm_start("-nodefaults -m 16");
    for (unsigned size = 1; size <= 8; size *= 2) {
        uint64_t ones = UINT64_MAX >> (64 - 8 * size);

        for (unsigned at = 0; at < 0x20; at++) {
            expect_hex(qvm_load(vm, 0xfec00000 + at, size), ones);
            qvm_store(vm, 0xfec00000 + at, 0x55, size);
        }
        expect_hex(qvm_load(vm, 0xfec00fff, size), ones);
        expect_hex(qvm_load(vm, 0xfee00000, size), ones);
    }
    qvm_end(vm);
}
END_TEST

/* Wires are seen where they start, too. */
START_TEST(wires)
{
    vm = qvm_start("-m 16 -serial null");
    qvm_expect(vm, "OK", "irq_intercept_out serial1");
    qvm_out(vm, 0x3f9, 0x02, 1);
    expect(qvm_irq(vm, 0), "no interrupt at the output");
    qvm_expect(vm, "OK", "set_irq_in ioapic unnamed-gpio-in 3 1");
    qvm_out(vm, 0x3f9, 0, 1);
    expect(!qvm_irq(vm, 0) && !vm->irqs[3], "it stays");
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-misc", pm_registers, pm_button, pm_reset, pm_off, pm_off_and_kept, debugcon,
          debugcon_elsewhere, debug_exit, panic_port,
          panic, panic_and_kept, ioapic_page, wires)
