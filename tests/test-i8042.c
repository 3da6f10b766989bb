/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i8042: what software that probes it is told, and the reset line.
 */
#include "tests/device-util.h"

#include <string.h>

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64

#define in(port) port_in(port, 1)
#define out(port, value) port_out(port, value, 1)

static const int ports[] = { DATA, COMMAND };

static Device *start(void)
{
    test_machine_init();
    return test_device("i8042", ports, NULL);
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

START_TEST(answers)
{
    start();
    expect_hex(in(STATUS), 0x10);
    expect_hex(ask(0x20, 0x19), 0x30);
    expect_hex(ask(0xaa, 0x1d), 0x55); /* and the system flag from now on */
    expect_hex(ask(0x20, 0x1d), 0x34);
    expect_hex(ask(0xab, 0x1d), 0x00);
    expect_hex(ask(0xa9, 0x1d), 0x01);
    expect_hex(ask(0xc0, 0x1d), 0x80);
    expect_hex(ask(0xd0, 0x1d), 0xcf);
    expect_hex(ask(0xe0, 0x1d), 0x00);
    expect(!requests.resets && !test_wire.rises, "by an answer");
    test_machine_free();
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
    test_machine_free();
}
END_TEST

/* Bytes to devices come back as from none, at once. */
START_TEST(nobody_there)
{
    start();
    command_with(0x60, 0x11);
    out(DATA, 0xff);
    expect_hex(in(STATUS), 0x51);
    expect(test_wire.level, "no keyboard interrupt");
    expect_hex(in(DATA), 0xfe);
    expect(!test_wire.level && test_wire.rises == 1, "taken");
    expect_hex(in(STATUS), 0x10);
    expect_hex(ask(0x20, 0x19), 0x01); /* the port was opened */
    expect(test_wire.rises == 2, "answers interrupt, too");

    command_with(0xd4, 0xf2);
    expect_hex(in(STATUS), 0x71);
    expect(test_wire.rises == 2, "for the auxiliary port");
    expect_hex(in(DATA), 0xfe);

    command_with(0xd2, 0x5a);
    expect_hex(in(STATUS), 0x11);
    expect(test_wire.level, "as from the keyboard");
    expect_hex(in(DATA), 0x5a);
    command_with(0xd3, 0xa5);
    expect_hex(in(STATUS), 0x11); /* not marked: there is no such port */
    expect_hex(in(DATA), 0xa5);

    command_with(0x60, 0x10);
    out(DATA, 0xed);
    expect(!test_wire.level, "although disabled");
    command_with(0x60, 0x11);
    expect_hex(in(STATUS), 0x51);
    expect(!test_wire.level, "while the keyboard's port is off");
    out(COMMAND, 0xae);
    expect(test_wire.level, "opened with a byte waiting");
    out(COMMAND, 0xad);
    expect(!test_wire.level, "off again");
    command_with(0x60, 0x00);
    expect(!test_wire.level, "on, but without interrupts");
    command_with(0x60, 0x01);
    expect(test_wire.level, "enabled with a byte waiting");
    test_machine_free();
}
END_TEST

START_TEST(reset_line)
{
    start();
    for (unsigned c = 0; c < 256; c++) {
        memset(&requests, 0, sizeof(requests));
        out(COMMAND, c);
        expect(requests.resets == (c >= 0xf0 && !(c & 1)), "command 0x%x", c);
    }
    for (unsigned v = 0; v < 256; v++) {
        memset(&requests, 0, sizeof(requests));
        command_with(0xd1, v);
        expect(requests.resets == !(v & 1), "output port 0x%x", v);
    }
    expect(!requests.shutdowns, "a shutdown");
    test_machine_free();
}
END_TEST

/* The byte after a command belongs to it; another command cancels that. */
START_TEST(pending)
{
    start();
    out(COMMAND, 0xd1);
    out(COMMAND, 0xaa);
    expect_hex(in(DATA), 0x55);
    out(DATA, 0x00);
    expect(!requests.resets, "a byte for a command that was given up");
    expect_hex(in(DATA), 0xfe);
    test_machine_free();
}
END_TEST

START_TEST(reset_and_widths)
{
    Device *dev = start();
    uint16_t word = 0;

    ask(0xaa, 0x1d);
    command_with(0x60, 0x47);
    out(DATA, 0xff);
    out(COMMAND, 0xd1);
    device_reset(dev);
    expect(!test_wire.level, "after a reset");
    expect_hex(in(STATUS), 0x10);
    expect_hex(ask(0x20, 0x19), 0x30);
    out(DATA, 0x00);
    expect(!requests.resets, "a command from before");
    expect(port_access(STATUS, &word, 2, false) == MEMTX_DECODE_ERROR, "wide");
    expect_hex(word & 0xff, in(STATUS));
    test_machine_free();
}
END_TEST

START_TEST(hostile)
{
    GRand *rand = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 4711));

    start();
    for (unsigned i = 0; i < 200000; i++) {
        unsigned port = g_rand_boolean(rand) ? DATA : STATUS;

        if (g_rand_boolean(rand)) {
            out(port, g_rand_int(rand) & 0xff);
        } else {
            in(port);
        }
        expect(!(in(STATUS) & 0x02), "it keeps the guest waiting");
    }
    expect_hex(ask(0xaa, 0x1d), 0x55);
    g_rand_free(rand);
    test_machine_free();
}
END_TEST

TEST_MAIN("i8042", answers, configuration, nobody_there, reset_line, pending,
          reset_and_widths, hostile)
