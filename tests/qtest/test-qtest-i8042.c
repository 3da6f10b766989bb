/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller of microvm through qtest: what software that probes it
 * is told, its interrupt, and the reset line.
 */
#include "tests/qtest/qvm.h"

#include <string.h>

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64
#define KEYBOARD_IRQ 1

#define in(port) qvm_in(vm, port, 1)
#define out(port, value) qvm_out(vm, port, value, 1)
#define irq() qvm_irq(vm, KEYBOARD_IRQ)

static QVM *vm;

static void start(void)
{
    vm = qvm_start("-nodefaults -m 16");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
}

/* A command with one byte of answer. */
static uint8_t ask(uint8_t command, uint8_t status)
{
    uint8_t answer;

    out(COMMAND, command);
    expect_hex(in(STATUS), status);
    answer = in(DATA);
    expect_hex(in(STATUS) & 0x63, 0);
    return answer;
}

static void command_with(uint8_t command, uint8_t byte)
{
    out(COMMAND, command);
    expect_hex(in(STATUS) & 0x0a, 0x08);
    out(DATA, byte);
}

START_TEST(after_reset)
{
    start();
    expect_hex(in(STATUS), 0x10);
    expect_hex(in(DATA), 0);
    /* Ports of one byte each: their neighbours are other devices'. */
    expect_hex(qvm_in(vm, STATUS, 2), 0xff10);
    expect_hex(qvm_in(vm, STATUS, 4), 0xffffff10);
    expect_hex(qvm_in(vm, STATUS - 1, 2), 0x10ff);
    expect_hex(qvm_in(vm, STATUS - 3, 4) & 0xff000000, 0x10000000);
    expect_hex(qvm_in(vm, DATA, 2) & 0xff, 0);
    expect_hex(ask(0x20, 0x19), 0x30);
    qvm_end(vm);
}
END_TEST

START_TEST(answers)
{
    start();
    expect_hex(ask(0xaa, 0x1d), 0x55); /* and the system flag from now on */
    expect_hex(ask(0x20, 0x1d), 0x34);
    expect_hex(ask(0xab, 0x1d), 0x00);
    expect_hex(ask(0xa9, 0x1d), 0x01);
    expect_hex(ask(0xc0, 0x1d), 0x80);
    expect_hex(ask(0xd0, 0x1d), 0xcf);
    expect_hex(ask(0xe0, 0x1d), 0x00);
    expect(!irq() && !vm->raises[KEYBOARD_IRQ], "an interrupt, though disabled");
    qvm_end(vm);
}
END_TEST

START_TEST(configuration)
{
    start();
    for (unsigned v = 0; v < 256; v++) {
        command_with(0x60, v);
        expect_hex(in(STATUS), v & 4 ? 0x14 : 0x10);
        expect_hex(ask(0x20, v & 4 ? 0x1d : 0x19), v);
    }
    command_with(0x60, 0x00);
    out(COMMAND, 0xad);
    expect_hex(ask(0x20, 0x19), 0x10);
    out(COMMAND, 0xa7);
    expect_hex(ask(0x20, 0x19), 0x30);
    out(COMMAND, 0xae);
    expect_hex(ask(0x20, 0x19), 0x20);
    out(COMMAND, 0xa8);
    expect_hex(ask(0x20, 0x19), 0x00);
    for (unsigned i = 1; i < 32; i++) {
        command_with(0x60 + i, 0xc0 + i);
    }
    for (unsigned i = 1; i < 32; i++) {
        expect_hex(ask(0x20 + i, 0x19), 0xc0 + i);
    }
    qvm_end(vm);
}
END_TEST

/* Bytes to devices come back as from none, with an interrupt where enabled. */
START_TEST(interrupt)
{
    start();
    command_with(0x60, 0x11);
    out(DATA, 0xff);
    expect_hex(in(STATUS), 0x51);
    expect(irq(), "no interrupt");
    expect_hex(in(DATA), 0xfe);
    expect(!irq(), "it stays");
    expect_hex(in(STATUS), 0x10);
    command_with(0xd4, 0xf2); /* to the auxiliary port, which is not there */
    expect_hex(in(STATUS), 0x71);
    expect(!irq(), "for the auxiliary port");
    expect_hex(in(DATA), 0xfe);
    command_with(0xd2, 0x5a);
    expect_hex(in(STATUS), 0x11);
    expect(irq(), "as from the keyboard");
    expect_hex(in(DATA), 0x5a);
    command_with(0x60, 0x10);
    out(DATA, 0xed);
    expect(!irq(), "though disabled");
    command_with(0x60, 0x01);
    expect(irq(), "enabled with a byte waiting");
    qvm_end(vm);
}
END_TEST

/* Each command that drives the line resets the machine, and no other does. */
START_TEST(reset_line)
{
    start();
    for (unsigned c = 0xe1; c < 256; c++) {
        out(0x70, 0x40);
        command_with(0x60, 0x47);
        out(COMMAND, c);
        if (c >= 0xf0 && !(c & 1)) {
            g_autofree char *event = qvm_event(vm, "RESET");

            expect(strstr(event, "\"guest-reset\""), "%s", event);
            qvm_wait_until(in(STATUS) == 0x10);
        } else {
            expect_hex(in(STATUS), 0x1c);
        }
    }
    command_with(0xd1, 0x01);
    expect_hex(in(STATUS), 0x14);
    command_with(0x60, 0x04);
    command_with(0xd1, 0xfe);
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(in(STATUS) == 0x10);
    expect_hex(ask(0x20, 0x19), 0x30);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-i8042", after_reset, answers, configuration, interrupt,
          reset_line)
