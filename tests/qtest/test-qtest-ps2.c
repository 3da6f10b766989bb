/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller of the board pc through qtest: both devices are there, each
 * with its interrupt, and a reset forgets what was set. tests/test-ps2.c has what
 * keys and movements become.
 */
#include "tests/qtest/qvm.h"

#include <string.h>

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64
#define KEYBOARD_IRQ 1
#define MOUSE_IRQ 12

#define in(port) qvm_in(vm, port, 1)
#define out(port, value) qvm_out(vm, port, value, 1)

static QVM *vm;

static void start(void)
{
    vm = qvm_start("-M pc -nodefaults -m 16");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
}

static void expect_byte(uint8_t byte, uint8_t status)
{
    expect_hex(in(STATUS) & 0x21, status);
    expect_hex(in(DATA), byte);
}

START_TEST(after_reset)
{
    start();
    expect_hex(in(STATUS), 0x18);
    out(COMMAND, 0x20);
    expect_byte(0x03, 0x01);
    out(COMMAND, 0xd0);
    expect_byte(0xcf, 0x01);
    out(COMMAND, 0xa9);
    expect_byte(0x00, 0x01);
    qvm_end(vm);
}
END_TEST

START_TEST(devices)
{
    start();
    vm->raises[KEYBOARD_IRQ] = 0;
    out(DATA, 0xf2);
    for (unsigned i = 0; i < 3; i++) {
        expect(qvm_irq(vm, KEYBOARD_IRQ), "no interrupt");
        expect_byte((const uint8_t[]){ 0xfa, 0xab, 0x83 }[i], 0x01);
    }
    expect(!qvm_irq(vm, KEYBOARD_IRQ) && vm->raises[KEYBOARD_IRQ] == 3, "%u edges",
           vm->raises[KEYBOARD_IRQ]);
    out(COMMAND, 0xd4);
    out(DATA, 0xff);
    for (unsigned i = 0; i < 3; i++) {
        expect(qvm_irq(vm, MOUSE_IRQ), "no interrupt");
        expect_byte((const uint8_t[]){ 0xfa, 0xaa, 0x00 }[i], 0x21);
    }
    expect(!qvm_irq(vm, MOUSE_IRQ) && vm->raises[MOUSE_IRQ] == 3, "%u edges",
           vm->raises[MOUSE_IRQ]);
    qvm_end(vm);
}
END_TEST

START_TEST(reset)
{
    start();
    out(COMMAND, 0x60);
    out(DATA, 0x74);
    out(DATA, 0xf0); /* set 3 */
    out(DATA, 0x03);
    out(COMMAND, 0xdd);
    out(COMMAND, 0xfe);
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(in(STATUS) == 0x18);
    out(COMMAND, 0xd0);
    expect_byte(0xcf, 0x01);
    out(DATA, 0xf0);
    expect_byte(0xfa, 0x01);
    out(DATA, 0x00);
    expect_byte(0xfa, 0x01);
    expect_byte(0x02, 0x01);
    qvm_end(vm);
    /* No controller at all. */
    vm = qvm_start("-M pc,i8042=off -nodefaults -m 16");
    expect_hex(in(STATUS), 0xff);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-ps2", after_reset, devices, reset)
