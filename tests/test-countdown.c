/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The example of docs/writing-a-device.md, tested as it says there.
 */
#include "tests/device-util.h"

extern const DeviceType isa_countdown_type;

START_TEST(counts_and_interrupts)
{
    test_machine_init();
    test_device_of(&isa_countdown_type, NULL, NULL);
    port_out(0x220, 2, 4);
    port_out(0x224, 0, 4);
    expect_hex(port_in(0x220, 4), 1);
    expect(!test_wire.level, "an interrupt before zero");
    port_out(0x224, 0, 4);
    expect_hex(port_in(0x220, 4), 0);
    expect_hex(port_in(0x228, 4), 1);
    expect(test_wire.level && test_wire.rises == 1, "no interrupt at zero");
    port_out(0x224, 0, 4); /* zero stays zero */
    expect_hex(port_in(0x220, 4), 0);
    port_out(0x228, 1, 4);
    expect_hex(port_in(0x228, 4), 0);
    expect(!test_wire.level, "not cleared");
    test_machine_free();
}
END_TEST

START_TEST(settings_and_reset)
{
    Device *dev;

    test_machine_init();
    dev = test_device_of(&isa_countdown_type, NULL, "iobase", "0x300",
                         "limit", "5", NULL);
    port_out(0x300, 100, 4);
    expect_hex(port_in(0x300, 4), 5);
    expect_hex(port_in(0x300, 1), 5); /* narrower: the core cuts it out */
    device_reset(dev);
    expect_hex(port_in(0x300, 4), 0);
    test_machine_free();
}
END_TEST

TEST_MAIN("countdown", counts_and_interrupts, settings_and_reset)
