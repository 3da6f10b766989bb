/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX4's power management on the board pc, as a guest sees it: configuration space,
 * fixed registers where firmware puts them, the timer exact to the tick, the system
 * control interrupt, the power button, soft off, APM, SMBus.
 */
#include "tests/qtest/qvm.h"

#include <stdio.h>
#include <string.h>

#define DEVFN 0x0b /* 1.3 */
#define PMBA 0x40
#define DEVACTB3 0x5b
#define PMREGMISC 0x80
#define SMBBA 0x90
#define SMBHSTCFG 0xd2

#define PM 0x600
#define STATUS (PM + 0)
#define ENABLE (PM + 2)
#define CONTROL (PM + 4)
#define TIMER (PM + 8)
#define TMR 0x0001
#define BUTTON 0x0100
#define SCI_EN 0x0001
#define SLP_EN 0x2000
#define GPE 0xafe0
#define APM 0xb2
#define SMB 0x700
#define SCI 9

#define HZ 3579545ull
#define S 1000000000ull
#define HALF 0x800000ull /* ticks until the top bit changes */

/* The first moment at which the timer shows @ticks. */
#define NS(ticks) ((int64_t)(((unsigned __int128)(ticks) * S + HZ - 1) / HZ))

static QVM *vm;
static int64_t now; /* of the clock, where step_to() moves it */

static void address(unsigned reg)
{
    qvm_out(vm, 0xcf8, 0x80000000 | DEVFN << 8 | (reg & 0xfc), 4);
}

static uint32_t conf(unsigned reg, unsigned size)
{
    address(reg);
    return qvm_in(vm, 0xcfc + reg % 4, size);
}

static void set_conf(unsigned reg, uint32_t value, unsigned size)
{
    address(reg);
    qvm_out(vm, 0xcfc + reg % 4, value, size);
}

#define in8(port) qvm_in(vm, port, 1)
#define in16(port) qvm_in(vm, port, 2)
#define in32(port) qvm_in(vm, port, 4)
#define out8(port, value) qvm_out(vm, port, value, 1)
#define out16(port, value) qvm_out(vm, port, value, 2)
#define sci() qvm_irq(vm, SCI)

/* As firmware does it. */
static void place(void)
{
    set_conf(PMBA, PM | 1, 4);
    set_conf(PMREGMISC, 1, 1);
}

static void start(const char *options)
{
    vm = qvm_start("-M pc -nodefaults -m 16 %s", options);
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    place();
    now = 0;
}

static void reset(void)
{
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(conf(PMREGMISC, 1) == 0);
}

/* ---- configuration space -------------------------------------------------------------- */

/* What another machine of this kind shows; bytes that are not here are 0. */
static const struct {
    uint8_t at, value;
} after_reset[] = {
    { 0x00, 0x86 }, { 0x01, 0x80 }, { 0x02, 0x13 }, { 0x03, 0x71 },
    { 0x06, 0x80 }, { 0x07, 0x02 }, { 0x08, 0x03 }, { 0x0a, 0x80 },
    { 0x0b, 0x06 }, { 0x2c, 0xf4 }, { 0x2d, 0x1a }, { 0x2f, 0x11 },
    { 0x3d, 0x01 }, { 0x40, 0x01 }, { 0x5f, 0x10 }, { 0x63, 0x60 },
    { 0x90, 0x01 }, { 0x91, 0xb1 }, { 0xd2, 0x09 },
};

static void expect_reset_values(uint8_t devactb, uint8_t serials)
{
    uint8_t wanted[256] = { 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(after_reset); i++) {
        wanted[after_reset[i].at] = after_reset[i].value;
    }
    wanted[DEVACTB3] = devactb;
    wanted[0x67] = serials;
    for (unsigned reg = 0; reg < 256; reg++) {
        expect(conf(reg, 1) == wanted[reg], "register 0x%02x is 0x%02x, not 0x%02x",
               reg, conf(reg, 1), wanted[reg]);
    }
}

START_TEST(reset_values)
{
    vm = qvm_start("-M pc,smm=off -nodefaults -m 16");
    expect_reset_values(0x02, 0);
    for (unsigned reg = 0x40; reg < 0x100; reg += 4) {
        set_conf(reg, UINT32_MAX, 4);
        expect_hex(conf(reg, 4), reg == PMBA    ? 0x0000ffc1
                                 : reg == SMBBA ? 0x0000fff1
                                                : UINT32_MAX);
    }
    set_conf(0, 0x12345678, 4);
    set_conf(0x3c, 0xffff, 2);
    expect_hex(conf(0, 4), 0x71138086);
    expect_hex(conf(0x3c, 2), 0x01ff);
    reset();
    expect_reset_values(0x02, 0);
    qvm_end(vm);

    /* There is system management mode: it is for firmware to set it up. */
    vm = qvm_start("-M pc,smm=on -nodefaults -m 16 -serial null");
    expect_reset_values(0x00, 0x08);
    qvm_end(vm);
    vm = qvm_start("-M pc,smm=on -nodefaults -m 16 -serial null -serial null");
    expect_reset_values(0x00, 0x98);
    qvm_end(vm);
    vm = qvm_start("-M pc,smm=on -nodefaults -m 16 -serial none -serial null");
    expect_reset_values(0x00, 0x90);
    qvm_end(vm);
}
END_TEST

/* Whether the registers are at @base: which shows in the timer. */
static bool is_at(unsigned base)
{
    return in16(base + 6) == 0xffff && in16(base) == 0 && in32(base + 8) <= 0xffffff;
}

START_TEST(moves)
{
    vm = qvm_start("-M pc -nodefaults -m 16");
    expect_hex(in32(PM), UINT32_MAX);
    set_conf(PMBA, 0x4000, 4);
    expect_hex(in32(0x4000), UINT32_MAX); /* not enabled */
    set_conf(PMREGMISC, 1, 1);
    expect(is_at(0x4000), "not at 0x4000");
    set_conf(PMBA + 1, 0x50, 1); /* byte by byte */
    expect(is_at(0x5000) && !is_at(0x4000), "not moved");
    set_conf(PMBA, 0x5fff, 4); /* 64 bytes, aligned */
    expect(is_at(0x5fc0) && !is_at(0x5000), "not at 0x5fc0");
    expect_hex(in32(0x5fcc), UINT32_MAX);
    set_conf(PMBA, 0xffffffff, 4);
    expect(is_at(0xffc0), "not at the end");
    set_conf(PMREGMISC, 0xfe, 1);
    expect(!is_at(0xffc0), "not gone");
    /* On top of others, of itself, of the other block: nothing breaks. */
    set_conf(PMREGMISC, 1, 1);
    for (unsigned base = 0; base < 0x10000; base += 0x40) {
        set_conf(PMBA, base, 2);
        set_conf(SMBBA, base, 2);
    }
    set_conf(PMBA, PM, 2);
    expect(is_at(PM), "lost");
    reset();
    expect(!is_at(PM), "still there after a reset");
    qvm_end(vm);
}
END_TEST

/* ---- fixed registers -------------------------------------------------------------------- */

START_TEST(registers)
{
    start("");
    expect_hex(in32(PM), 0);
    expect_hex(in32(CONTROL), 0xffff0000); /* nothing is at 6 */
    out16(ENABLE, 0xffff);
    expect_hex(in16(ENABLE), 0x0521);
    out8(ENABLE, 0x01); /* a byte of it */
    expect_hex(in16(ENABLE), 0x0501);
    out8(ENABLE + 1, 0);
    expect_hex(in16(ENABLE), 0x0001);
    out16(ENABLE, 0);
    /* Without SLP_EN types are only kept. */
    out16(CONTROL, 0xdfff);
    expect_hex(in16(CONTROL), 0x1c03);
    expect_hex(in8(CONTROL), 0x03);
    expect_hex(in8(CONTROL + 1), 0x1c);
    out8(CONTROL, 0);
    expect_hex(in16(CONTROL), 0x1c00);
    /* Sleep states that there are not. */
    for (unsigned type = 3; type < 8; type++) {
        out16(CONTROL, SLP_EN | type << 10);
        expect_hex(in16(CONTROL), type << 10);
    }
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    out16(PM + 6, 0x1234);
    qvm_out(vm, TIMER, 0x1234, 4);
    expect_hex(in32(TIMER), 0);
    out16(GPE + 2, 0xffff);
    expect_hex(in32(GPE), 0xffff0000);
    out8(GPE + 2, 0x55);
    expect_hex(in32(GPE), 0xff550000);
    out16(GPE, 0xffff);
    expect_hex(in32(GPE), 0xff550000);
    reset();
    place();
    expect_hex(in32(PM), 0);
    expect_hex(in16(CONTROL), 0);
    expect_hex(in32(GPE), 0);
    qvm_end(vm);
}
END_TEST

static void step_to(int64_t ns)
{
    ck_assert_int_lt(now, ns);
    now = qvm_clock_step(vm, ns - now);
    ck_assert_int_eq(now, ns);
}

START_TEST(timer)
{
    static const uint64_t ticks[] = { 1, 2, 3, 1000, 3579545, 0x7ffffe, 0x800000,
                                      0xfffffe };

    start("");
    for (unsigned i = 0; i < G_N_ELEMENTS(ticks); i++) {
        step_to(NS(ticks[i]) - 1);
        expect_hex(in32(TIMER), ticks[i] - 1);
        step_to(NS(ticks[i]) + 1);
        expect_hex(in32(TIMER), ticks[i]);
    }
    expect_hex(in8(TIMER), 0xfe); /* narrower: a part of it */
    expect_hex(in8(TIMER + 2), 0xff);
    expect_hex(in8(TIMER + 3), 0);
    expect_hex(in16(TIMER + 1), 0xffff);
    step_to(NS(0x1000000));
    expect_hex(in32(TIMER), 0); /* 24 bits */
    step_to(NS(86400 * HZ + 0x123) + 1);
    expect_hex(in32(TIMER), (86400 * HZ + 0x123) & 0xffffff);
    qvm_end(vm);
}
END_TEST

START_TEST(timer_overflow)
{
    start("");
    /* Noticed though nobody waits for it, */
    step_to(NS(HALF) - 1);
    expect_hex(in16(STATUS), 0);
    step_to(NS(HALF) + 1);
    expect_hex(in16(STATUS), TMR);
    out16(STATUS, TMR);
    expect_hex(in16(STATUS), 0);
    /* and an interrupt for who does, in the very tick. */
    out16(CONTROL, SCI_EN);
    out16(ENABLE, TMR);
    expect(!sci(), "early");
    step_to(NS(2 * HALF) - 1);
    expect(!sci(), "early");
    step_to(NS(2 * HALF));
    expect(sci(), "late");
    expect_hex(in16(STATUS), TMR);
    out16(STATUS, ~TMR & 0xffff);
    expect(sci(), "cleared by a 0");
    out8(STATUS, TMR);
    expect(!sci(), "not cleared");
    /* Each change of the top bit: down, up; one that was missed counts once. */
    step_to(NS(5 * HALF) + 1);
    expect(sci(), "not again");
    out16(STATUS, TMR);
    expect(!sci(), "not cleared");
    expect_hex(in16(STATUS), 0);
    step_to(NS(6 * HALF));
    expect(sci(), "not at the deadline");
    /* Status without enable, enable without status. */
    out16(ENABLE, 0);
    expect(!sci(), "not enabled");
    out16(ENABLE, TMR);
    expect(sci(), "enabled late");
    out16(CONTROL, 0);
    expect(!sci(), "an interrupt out of ACPI mode");
    out16(CONTROL, SCI_EN);
    expect(sci(), "none in ACPI mode");
    reset();
    expect(!sci(), "a reset keeps it");
    qvm_end(vm);
}
END_TEST

START_TEST(power_button)
{
    start("");
    out16(CONTROL, SCI_EN);
    out16(ENABLE, BUTTON);
    expect(!sci(), "early");
    qvm_qmp_ok(vm, "{'execute': 'system_powerdown'}");
    free(qvm_event(vm, "POWERDOWN"));
    qvm_wait_until(in16(STATUS) == BUTTON);
    expect(sci(), "no interrupt");
    out8(STATUS, 0xff);
    expect(sci(), "cleared by the other byte");
    out8(STATUS + 1, 0x01);
    expect_hex(in16(STATUS), 0);
    expect(!sci(), "not cleared");
    /* Not enabled: only noted. */
    out16(ENABLE, 0);
    qvm_qmp_ok(vm, "{'execute': 'system_powerdown'}");
    qvm_wait_until(in16(STATUS) == BUTTON);
    expect(!sci(), "an interrupt");
    reset();
    place();
    expect_hex(in16(STATUS), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(soft_off)
{
    char *event;

    start("");
    out16(CONTROL, SCI_EN);
    out8(CONTROL + 1, SLP_EN >> 8);
    event = qvm_event(vm, "SHUTDOWN");
    expect(strstr(event, "guest-shutdown"), "%s", event);
    free(event);
    ck_assert_int_eq(qvm_wait(vm), 0);
    qvm_free(vm);
}
END_TEST

START_TEST(apm)
{
    start("");
    expect_hex(in16(APM), 0);
    out16(APM, 0x1234);
    expect_hex(in16(APM), 0x1234);
    expect_hex(in16(CONTROL), 0);
    out8(APM, 0xf1);
    expect_hex(in16(CONTROL), SCI_EN);
    expect_hex(in16(APM), 0x12f1);
    out8(APM + 1, 0xf0); /* only data */
    expect_hex(in16(CONTROL), SCI_EN);
    out16(CONTROL, SCI_EN | 0x1400);
    out8(APM, 0xf0);
    expect_hex(in16(CONTROL), 0x1400);
    reset();
    expect_hex(in16(APM), 0);
    qvm_end(vm);
}
END_TEST

/* The other output: only when configuration space says so. */
START_TEST(smi)
{
    vm = qvm_start("-M pc,smm=on -nodefaults -m 16");
    qvm_expect(vm, "OK", "irq_intercept_out /machine/pm");
    out8(APM, 0x10);
    qvm_irq(vm, 1);
    expect(vm->raises[1] == 0, "an SMI though it is off");
    set_conf(DEVACTB3, 0x02, 1);
    out8(APM, 0x10);
    expect(!qvm_irq(vm, 1), "it stays");
    expect(vm->raises[1] == 1, "%u SMIs", vm->raises[1]);
    out8(APM + 1, 0x10);
    out8(APM, 0xf1); /* the board's own */
    qvm_irq(vm, 1);
    expect(vm->raises[1] == 1, "%u SMIs", vm->raises[1]);
    qvm_end(vm);
}
END_TEST

/* ---- SMBus --------------------------------------------------------------------------------- */

START_TEST(smbus)
{
    start("");
    for (unsigned reg = 0; reg < 16; reg++) {
        expect_hex(in8(0xb100 + reg), 0);
    }
    expect_hex(in8(0xb110), 0xff);
    set_conf(SMBBA, SMB | 1, 2);
    expect_hex(in8(0xb100), 0xff);
    for (unsigned reg = 3; reg < 7; reg++) {
        out8(SMB + reg, 0xa0 + reg);
    }
    expect_hex(in32(SMB + 3), 0xa6a5a4a3);
    for (unsigned protocol = 0; protocol < 8; protocol++) {
        out8(SMB + 2, 0x40 | protocol << 2);
        expect_hex(in8(SMB + 2), protocol << 2);
        expect_hex(in8(SMB), 0x04); /* nobody is there */
        out8(SMB, 0x01);
        expect_hex(in8(SMB), 0x04);
        out8(SMB, 0xff);
        expect_hex(in8(SMB), 0);
    }
    out8(SMB + 2, 0x42);
    expect_hex(in8(SMB), 0x10); /* killed */
    out8(SMB, 0x10);
    /* The block's buffer goes round, and starts anew when CONTROL is read. */
    in8(SMB + 2);
    for (unsigned i = 0; i < 33; i++) {
        out8(SMB + 7, i);
    }
    in8(SMB + 2);
    expect_hex(in8(SMB + 7), 32);
    expect_hex(in8(SMB + 7), 1);
    /* The end of a transfer interrupts, by IRQ 9 alone. */
    out8(SMB + 2, 0x40);
    expect(!sci(), "not enabled");
    out8(SMB + 2, 0x41);
    expect(sci(), "no interrupt");
    set_conf(SMBHSTCFG, 0x01, 1);
    expect(!sci(), "IRQ 9, though SMI is set");
    set_conf(SMBHSTCFG, 0x09, 1);
    expect(sci(), "no interrupt");
    out8(SMB, 0x04);
    expect(!sci(), "not cleared");
    set_conf(SMBHSTCFG, 0x08, 1);
    expect_hex(in8(SMB + 3), 0xff);
    reset();
    expect_hex(in8(0xb103), 0);
    qvm_end(vm);
}
END_TEST

/* ---- settings --------------------------------------------------------------------------------- */

START_TEST(settings)
{
    vm = qvm_start("-M pc -nodefaults -m 16 -global PIIX4_PM.disable_s3=1 "
                   "-global PIIX4_PM.disable_s4=1");
    qvm_end(vm);
}
END_TEST

/* A guest that writes anything anywhere. */
START_TEST(hostile)
{
    static const unsigned bases[] = { PM, GPE, APM, SMB, 0xae00, 0xb100 };
    uint32_t seed = test_number("FLATVIEW_SEED", g_random_int());
    GRand *rand = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start("");
    for (unsigned i = 0; i < 20000; i++) {
        unsigned size = 1u << g_rand_int_range(rand, 0, 3);
        unsigned port = bases[g_rand_int_range(rand, 0, G_N_ELEMENTS(bases))] +
                        g_rand_int_range(rand, 0, 0x44);
        uint32_t value = g_rand_int(rand);

        if (g_rand_int_range(rand, 0, 8) == 0) {
            set_conf(g_rand_int_range(rand, 0, 256), value, 1);
        } else if (g_rand_int_range(rand, 0, 8) == 0) {
            qvm_clock_step(vm, value);
        } else if (g_rand_boolean(rand)) {
            /* It may not turn itself off. */
            qvm_out(vm, port, value & ~0x20202020, size);
        } else {
            qvm_in(vm, port, size);
        }
    }
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    qvm_end(vm);
    g_rand_free(rand);
    test_context[0] = 0;
}
END_TEST

TEST_MAIN("qtest-piix4", reset_values, moves, registers, timer, timer_overflow,
          power_button, soft_off, apm, smi, smbus, settings, hostile)
