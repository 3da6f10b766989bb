/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-testdev and pc-testdev on the board pc, used as kvm-unit-tests use them.
 */
#include <string.h>
#include <time.h>

#include "tests/qtest/qpci.h"

static QVM *vm;

/* ---- pci-testdev --------------------------------------------------------------- */

#define MMIO 0xf0000000u
#define PORTS 0xc000u
#define MEMBAR UINT64_C(0x8000000000)

/* The header */
#define TEST 0
#define WIDTH 1
#define OFFSET 4
#define DATA 8
#define COUNT 12
#define NAME 16

static bool ports; /* which BAR is meant */

static uint32_t get(unsigned offset, unsigned size)
{
    return ports ? qvm_in(vm, PORTS + offset, size) : qvm_load(vm, MMIO + offset, size);
}

static void set(unsigned offset, uint32_t value, unsigned size)
{
    if (ports) {
        qvm_out(vm, PORTS + offset, value, size);
    } else {
        qvm_store(vm, MMIO + offset, value, size);
    }
}

static void map_all(void)
{
    QPCI f = qpci_function(vm, 0, 4, 0);
    QPCIBar bars[] = { qpci_bar(&f, 0), qpci_bar(&f, 1) };

    expect_hex(bars[0].size, 4096);
    expect(!bars[0].io && !bars[0].wide, "BAR 0 is not of memory");
    expect_hex(bars[1].size, 256);
    expect(bars[1].io, "BAR 1 is not of ports");
    qpci_map(&f, &bars[0], MMIO);
    qpci_map(&f, &bars[1], PORTS);
}

START_TEST(header)
{
    static const struct {
        bool ports;
        const char *name;
        uint32_t offset, data;
    } tests[] = {
        { false, "mmio-no-eventfd", 0x800, 0xfa },
        { false, "mmio-wildcard-eventfd", 0x801, 0xce },
        { false, "mmio-datamatch-eventfd", 0x802, 0xfa },
        { true, "portio-no-eventfd", 0x83, 0xfa },
        { true, "portio-wildcard-eventfd", 0x84, 0xce },
        { true, "portio-datamatch-eventfd", 0x85, 0xfa },
    };
    QPCI f;

    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-testdev,addr=4");
    f = qpci_function(vm, 0, 4, 0);
    expect_hex(qpci_read(&f, PCI_VENDOR_ID, 4), 0x00051b36);
    expect_hex(qpci_read(&f, PCI_CLASS_REVISION, 4), 0x00ff0000);
    expect_hex(qpci_read(&f, PCI_INTERRUPT_PIN, 1), 0);
    expect_hex(qpci_bar(&f, 2).size, 0);
    map_all();
    for (unsigned i = 0; i < 0x40; i++) {
        expect_hex(get(i, 1), 0);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        unsigned len = strlen(tests[i].name);

        ports = tests[i].ports;
        set(TEST, i % 3, 1);
        for (unsigned bar = 0; bar < 2; bar++) {
            ports = bar;
            expect_hex(get(TEST, 1), i);
            expect_hex(get(WIDTH, 1), 1);
            expect_hex(get(0, 4), 0x100 | i);
            expect_hex(get(OFFSET, 4), tests[i].offset);
            expect_hex(get(DATA, 4), tests[i].data);
            expect_hex(get(COUNT, 4), 0);
            for (unsigned n = 0; n <= len; n++) {
                expect_hex(get(NAME + n, 1), (uint8_t)tests[i].name[n]);
            }
            expect_hex(get(0x7c, 4), 0);
        }
        expect_hex(get(0xfe, 4) & 0xffff, 0); /* the last two */
    }
    for (unsigned bar = 0; bar < 2; bar++) {
        ports = bar;
        for (unsigned test = 3; test < 0x100; test += 63) {
            set(TEST, 0, 1);
            expect_hex(get(WIDTH, 1), 1);
            set(TEST, test, 1);
            expect_hex(get(WIDTH, 1), 0);
            expect_hex(get(NAME, 4), 0);
        }
    }
    /* A reset stops the test. */
    set(TEST, 1, 1);
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    map_all();
    expect_hex(get(0, 4), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(counts)
{
    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-testdev,addr=4");
    map_all();
    for (unsigned bar = 0; bar < 2; bar++) {
        ports = bar;
        for (unsigned test = 0; test < 3; test++) {
            uint32_t offset, data, unseen = test ? 0 : 1;

            set(TEST, test, 1);
            offset = get(OFFSET, 4);
            data = get(DATA, 4);
            for (unsigned i = 0; i < 16; i++) {
                set(offset, data, 1);
            }
            /* Doorbells are rung, and no callback hears of it. */
            expect_hex(get(COUNT, 4), 16 * unseen);
            set(offset, data ^ 0xff, 1);
            set(offset + 1, data, 1);
            set(offset - 1, data, 1);
            set(NAME, data, 1);
            set(COUNT, 0x55, 4);
            set(OFFSET, 0x55, 4);
            expect_hex(get(COUNT, 4), 16 * unseen);
            expect_hex(get(OFFSET, 4), offset);
            if (test == 2 && !bar) {
                set(offset, data, 2); /* of another width it does not ring */
                expect_hex(get(COUNT, 4), 1);
            }
            if (test == 1) {
                set(offset - 1, 0x5555, 2); /* past the doorbell: any data counts */
                expect_hex(get(COUNT, 4), 1);
            }
            set(TEST, test, 1);
            expect_hex(get(COUNT, 4), 0);
        }
        /* No test, nothing to count. */
        set(TEST, 3, 1);
        set(bar ? 0x83 : 0x800, 0xfa, 1);
        expect_hex(get(COUNT, 4), 0);
    }
    qvm_end(vm);
}
END_TEST

START_TEST(membar)
{
    QPCIBar bar;
    char *reply;
    QPCI f;

    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-testdev,addr=4,membar=64G");
    f = qpci_function(vm, 0, 4, 0);
    bar = qpci_bar(&f, 2);
    expect_hex(bar.size, UINT64_C(64) << 30);
    expect(bar.wide && bar.prefetch, "not of 64 bits");
    qpci_map(&f, &bar, MEMBAR);
    qvm_store(vm, MEMBAR, 0x55, 4);
    expect(qvm_load(vm, MEMBAR, 4) != 0x55, "it is memory");
    for (unsigned i = 0; i < 2; i++) {
        reply = qvm_qmp(vm, "{'execute':'device_add','arguments':{"
                            "'driver':'pci-testdev','membar':%s}}", i ? "2048" : "12288");
        expect(strstr(reply, "membar") && strstr(reply, "power of two"), "%s", reply);
        free(reply);
    }
    qvm_end(vm);
}
END_TEST

START_TEST(by_chance)
{
    uint64_t steps = test_number("FLATVIEW_STEPS", 3000);
    uint64_t seed = test_number("FLATVIEW_SEED", time(NULL));
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    vm = qvm_start("-M pc -m 16 -nodefaults -device pci-testdev,addr=4");
    map_all();
    for (uint64_t i = 0; i < steps; i++) {
        unsigned size = 1 << g_rand_int(rand) % 3;
        unsigned offset = g_rand_int(rand) % 4 ? g_rand_int(rand) % 0x20
                                               : 0x80 + g_rand_int(rand) % 8;
        static const uint8_t data[] = { 0, 1, 2, 3, 0xfa, 0xce, 0xff };

        ports = g_rand_boolean(rand);
        if (!ports && offset >= 0x80) {
            offset += 0x780;
        }
        if (g_rand_boolean(rand)) {
            set(offset, data[g_rand_int(rand) % G_N_ELEMENTS(data)], size);
        } else {
            get(offset, size);
        }
    }
    ports = false;
    set(TEST, 0, 1);
    set(0x800, 0xfa, 1);
    expect_hex(get(COUNT, 4), 1);
    qvm_end(vm);
}
END_TEST

/* ---- pc-testdev ---------------------------------------------------------------- */

#define WORD 0xe0
#define FLUSH 0xe4
#define BYTES 0xe8
#define IRQS 0x2000
#define MEMORY 0xff000000u

START_TEST(word)
{
    static const char string[] = "abcdefghijklmnop";

    vm = qvm_start("-M pc -m 16 -nodefaults -device pc-testdev");
    expect_hex(qvm_in(vm, WORD, 4), 0);
    qvm_out(vm, WORD, 0x11223344, 4);
    for (unsigned i = 0; i < 4; i++) {
        expect_hex(qvm_in(vm, WORD + i, 1), 0x44 - 0x11 * i);
        expect_hex(qvm_in(vm, BYTES + i, 1), 0x44 - 0x11 * i);
    }
    expect_hex(qvm_in(vm, WORD + 1, 2), 0x2233);
    expect_hex(qvm_in(vm, BYTES + 1, 2), 0x2233);
    qvm_out(vm, WORD, 0xab, 1);
    qvm_out(vm, WORD + 2, 0xcdef, 2);
    expect_hex(qvm_in(vm, BYTES, 4), 0xcdef33ab);
    qvm_out(vm, BYTES, 0x55667788, 4);
    expect_hex(qvm_in(vm, WORD, 4), 0x55667788);
    qvm_out(vm, BYTES + 1, 0x99, 1);
    expect_hex(qvm_in(vm, WORD, 4), 0x55669988);
    for (unsigned i = 0; string[i]; i++) { /* as "rep outsb" does it */
        qvm_out(vm, WORD, string[i], 1);
        expect_hex(qvm_in(vm, WORD, 1), string[i]);
    }
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_hex(qvm_in(vm, WORD, 4), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(memory)
{
    vm = qvm_start("-M pc -m 16 -nodefaults -device pc-testdev");
    for (unsigned i = 0; i < 0x10000; i += 0xff8) {
        expect_hex(qvm_load(vm, MEMORY + i, 8), 0);
        qvm_store(vm, MEMORY + i, content_value(1, i, 8), 8);
    }
    for (unsigned i = 0; i < 0x10000; i += 0xff8) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            expect_hex(qvm_load(vm, MEMORY + i, size), content_value(1, i, size));
        }
        expect_hex(qvm_load(vm, MEMORY + i + 1, 4), content_value(1, i + 1, 4));
    }
    qvm_store(vm, MEMORY + 0x11, 0xbbcc, 2);
    expect_hex(qvm_load(vm, MEMORY + 0x10, 4), 0x00bbcc00);
    qvm_store(vm, MEMORY + 0xfffe, 0x01020304, 4); /* over its end */
    expect_hex(qvm_load(vm, MEMORY + 0xfffe, 2), 0x0304);
    qvm_end(vm);
}
END_TEST

START_TEST(interrupts)
{
    vm = qvm_start("-M pc -m 16 -nodefaults -device pc-testdev");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    /* The interval timer holds up 0. */
    for (unsigned n = 1; n < 24; n++) {
        qvm_out(vm, IRQS + n, 1, 1);
        expect(qvm_irq(vm, n), "interrupt %u is down", n);
        qvm_out(vm, IRQS + n, 0x80, 1);
        expect(qvm_irq(vm, n), "interrupt %u is down", n);
        expect_hex(vm->raises[n], 1);
        expect_hex(qvm_in(vm, IRQS + n, 1), 0);
        qvm_out(vm, IRQS + n, 0, 1);
        expect(!qvm_irq(vm, n), "interrupt %u is up", n);
    }
    qvm_out(vm, IRQS + 20, 0x01000100, 4);
    expect(qvm_irq(vm, 21) && qvm_irq(vm, 23), "two are not up");
    expect(!qvm_irq(vm, 20) && !qvm_irq(vm, 22), "all are up");
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect(!qvm_irq(vm, 21) && !qvm_irq(vm, 23), "up after a reset");
    qvm_end(vm);
}
END_TEST

/* What is in a page stays there; no address does harm. */
START_TEST(flush)
{
    static const uint32_t addresses[] = { 0, 1, 0x1000, 0x9ffff, 0xa0000, 0xc0000,
                                          0xf0000, 0xfff000, 0xffffff, 0x1000000, MEMORY,
                                          0xfffff000, UINT32_MAX };

    vm = qvm_start("-M pc -m 16 -nodefaults -device pc-testdev");
    for (unsigned i = 0; i < G_N_ELEMENTS(addresses); i++) {
        uint64_t before = qvm_load(vm, addresses[i], 1);

        qvm_out(vm, FLUSH, addresses[i], 4);
        expect_hex(qvm_load(vm, addresses[i], 1), before);
    }
    qvm_store(vm, 0x1234, 0x55, 1);
    qvm_out(vm, FLUSH, 0x1000, 4);
    expect_hex(qvm_load(vm, 0x1234, 1), 0x55);
    qvm_store(vm, 0x1234, 0x66, 1);
    expect_hex(qvm_load(vm, 0x1234, 1), 0x66);
    expect_hex(qvm_in(vm, FLUSH, 4), 0);
    /* Parts of an address are one. */
    for (unsigned size = 1; size <= 2; size++) {
        for (unsigned port = FLUSH; port < FLUSH + 4; port += size) {
            qvm_out(vm, port, 0x10, size);
            expect_hex(qvm_in(vm, port, size), 0);
        }
    }
    expect_hex(qvm_load(vm, 0x1234, 1), 0x66);
    qvm_end(vm);
}
END_TEST

/* There is no PCI on microvm; pc-testdev needs none. */
START_TEST(elsewhere)
{
    vm = qvm_start("-M microvm -m 16 -nodefaults -device pc-testdev");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    qvm_store(vm, MEMORY, 0x1234, 2);
    expect_hex(qvm_load(vm, MEMORY, 2), 0x1234);
    qvm_out(vm, IRQS + 14, 1, 1);
    expect(qvm_irq(vm, 14), "interrupt 14 is down");
    qvm_end(vm);
}
END_TEST

/* ---- docs/pci-devices.md ------------------------------------------------------- */

START_TEST(documentation)
{
    free(qvm_follow_text("pci-devices.md"));
}
END_TEST

TEST_MAIN("qtest-testdevs", header, counts, membar, by_chance, word, memory, interrupts,
          flush, elsewhere, documentation)
