/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interval timer of the board pc through qtest: the wave form of each mode, to the
 * nanosecond. tests/test-pit.c has it against a model.
 */
#include "tests/qtest/qvm.h"

#include <string.h>

#define HZ 1193182
#define S 1000000000ll
#define IRQ 0

#define in(port) qvm_in(vm, port, 1)
#define out(port, value) qvm_out(vm, port, value, 1)

static QVM *vm;

/* When the tick begins. */
static int64_t tick_ns(int64_t tick)
{
    return ((__int128)tick * S + HZ - 1) / HZ;
}

static void start(void)
{
    vm = qvm_start("-M pc -nodefaults -m 16");
    qvm_expect(vm, "OK", "irq_intercept_out pit");
    out(0x43, 0x30); /* low, and nothing happens */
    expect(!qvm_irq(vm, IRQ), "not low");
}

/* The output changes at @tick, and at no time before. */
static void expect_change(int64_t tick, bool level)
{
    int64_t now = qvm_clock_step(vm, 0);

    expect(qvm_irq(vm, IRQ) != level, "%u before", level);
    qvm_clock_step(vm, tick_ns(tick) - 1 - now);
    expect(qvm_irq(vm, IRQ) != level, "%u before tick %" PRId64, level, tick);
    qvm_clock_step(vm, 1);
    expect(qvm_irq(vm, IRQ) == level, "not %u at tick %" PRId64, level, tick);
}

static void set(uint8_t control, uint16_t count)
{
    out(0x43, control);
    out(0x40, count & 0xff);
    out(0x40, count >> 8);
}

START_TEST(count_down)
{
    start();
    set(0x30, 1000); /* one tick to load it */
    expect_change(1001, true);
    qvm_clock_step(vm, S);
    expect(vm->raises[IRQ] == 1, "again");
    out(0x40, 0); /* a new one begins with its first byte */
    expect(!qvm_irq(vm, IRQ), "still high");
    qvm_end(vm);
}
END_TEST

START_TEST(rate)
{
    start();
    set(0x34, 1193);
    expect(qvm_irq(vm, IRQ), "low at first");
    for (unsigned i = 1; i < 20; i++) {
        expect_change(1193 * i, false);
        expect_change(1193 * i + 1, true);
    }
    qvm_end(vm);
}
END_TEST

START_TEST(square_wave)
{
    start();
    set(0x36, 7);
    for (unsigned i = 0; i < 10; i++) {
        expect_change(7 * i + 1 + 4, false);
        expect_change(7 * i + 1 + 7, true);
    }
    qvm_end(vm);
    start();
    set(0x36, 0);
    expect_change(32769, false);
    expect_change(65537, true);
    set(0x37, 0x1000); /* decimal */
    expect_change(65537 + 501, false);
    qvm_end(vm);
}
END_TEST

START_TEST(strobe)
{
    start();
    set(0x38, 500);
    expect_change(501, false);
    expect_change(502, true);
    qvm_clock_step(vm, S);
    expect(qvm_irq(vm, IRQ), "again");
    qvm_end(vm);
}
END_TEST

/* Channel 2 by port 0x61, as programs measure the processor's clock by it. */
START_TEST(speaker_port)
{
    start();
    out(0x61, 0);
    out(0x43, 0xb2); /* starts with the gate */
    out(0x42, 100);
    out(0x42, 0);
    qvm_clock_step(vm, S);
    expect_hex(in(0x61) & 0x2f, 0x20);
    out(0x61, 0x03);
    qvm_clock_step(vm, 2000);
    expect_hex(in(0x61) & 0x2f, 0x03);
    qvm_clock_step(vm, 83000);
    expect_hex(in(0x61) & 0x2f, 0x23);
    out(0x43, 0xe8); /* read back the status */
    expect_hex(in(0x42), 0xb2);
    qvm_end(vm);
}
END_TEST

/* An HPET that replaces it. */
START_TEST(replaced)
{
    start();
    set(0x34, 100);
    qvm_clock_step(vm, 100000);
    expect(vm->raises[IRQ] > 1, "not at all");
    qvm_store(vm, 0xfed00010, 3, 4);
    expect(!qvm_irq(vm, IRQ), "high");
    vm->raises[IRQ] = 0;
    qvm_clock_step(vm, S);
    expect(vm->raises[IRQ] == 0, "%u times", vm->raises[IRQ]);
    qvm_store(vm, 0xfed00010, 1, 4);
    qvm_clock_step(vm, 100000);
    expect(vm->raises[IRQ] > 1, "not again");
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-pit", count_down, rate, square_wave, strobe, speaker_port, replaced)
