/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HPET of the board pc through qtest: its place, its wires, and that it takes those
 * of the interval timer and the real-time clock. tests/test-hpet.c has it against a
 * model.
 */
#include "tests/qtest/qvm.h"

#include <string.h>

#define BASE 0xfed00000
#define CONFIG (BASE + 0x10)
#define COUNTER (BASE + 0xf0)
#define TIMER(n) (BASE + 0x100 + 0x20 * (n))

static QVM *vm;

static void start(const char *options)
{
    vm = qvm_start("-M pc%s -nodefaults -m 16 -rtc clock=vm", options);
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
}

START_TEST(place)
{
    start("");
    expect_hex(qvm_load(vm, BASE, 8), 0x009896808086a201);
    for (unsigned n = 0; n < 3; n++) {
        expect_hex(qvm_load(vm, TIMER(n), 8), 0x400000030);
        expect_hex(qvm_load(vm, TIMER(n) + 8, 8), UINT64_MAX);
    }
    expect_hex(qvm_load(vm, COUNTER, 8), 0);
    qvm_end(vm);
    start(",hpet=off");
    expect(qvm_load(vm, BASE, 8) != 0x009896808086a201, "there is one");
    qvm_end(vm);
}
END_TEST

/* To the nanosecond, and beside the real-time clock's interrupt. */
START_TEST(wires)
{
    start("");
    qvm_store(vm, TIMER(0), 0x0006 | 2 << 9, 4); /* a level at 2 */
    qvm_store(vm, TIMER(0) + 8, 123457, 8);
    qvm_store(vm, CONFIG, 1, 8);
    qvm_clock_step(vm, 1234569);
    expect(!qvm_irq(vm, 2), "early");
    expect_hex(qvm_load(vm, COUNTER, 8), 123456);
    qvm_clock_step(vm, 1);
    expect(qvm_irq(vm, 2), "late");
    expect_hex(qvm_load(vm, BASE + 0x20, 8), 1);
    qvm_store(vm, BASE + 0x20, 1, 4);
    expect(!qvm_irq(vm, 2), "still");
    /* The clock's updates come to 8. */
    qvm_out(vm, 0x70, 0x120b, 2);
    qvm_clock_step(vm, 1000000000);
    expect(qvm_irq(vm, 8), "no update");
    qvm_end(vm);
}
END_TEST

START_TEST(legacy)
{
    start("");
    qvm_store(vm, TIMER(0), 0x14c, 4); /* periodic, 32 bits, first time first */
    qvm_store(vm, TIMER(0) + 8, 1000, 4);
    qvm_store(vm, TIMER(0) + 8, 100, 4);
    qvm_store(vm, TIMER(1), 0x104, 4);
    qvm_store(vm, TIMER(1) + 8, 1500, 4);
    qvm_store(vm, CONFIG, 3, 4);
    vm->raises[0] = vm->raises[8] = 0;
    qvm_clock_step(vm, 9999);
    qvm_irq(vm, 0);
    expect(vm->raises[0] == 0, "early");
    qvm_clock_step(vm, 1);
    qvm_irq(vm, 0);
    expect(vm->raises[0] == 1, "late");
    qvm_clock_step(vm, 10000);
    qvm_irq(vm, 0);
    expect(vm->raises[0] == 11 && vm->raises[8] == 1, "%u and %u", vm->raises[0],
           vm->raises[8]);
    /* Not the clock's. */
    qvm_out(vm, 0x70, 0x120b, 2);
    qvm_clock_step(vm, 1000000000);
    expect(!qvm_irq(vm, 8) && vm->raises[8] == 1, "an update");
    qvm_store(vm, CONFIG, 1, 4);
    expect(qvm_irq(vm, 8), "no update");
    qvm_end(vm);
}
END_TEST

START_TEST(reset)
{
    start("");
    qvm_store(vm, TIMER(2), 0x4, 4);
    qvm_store(vm, CONFIG, 3, 4);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(qvm_load(vm, CONFIG, 8) == 0);
    expect_hex(qvm_load(vm, TIMER(2), 8), 0x400000030);
    expect_hex(qvm_load(vm, COUNTER, 8), 0);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-hpet", place, wires, legacy, reset)
