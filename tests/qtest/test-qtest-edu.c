/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edu on the board pc: its registers, interrupts of both kinds, DMA to everywhere, and
 * a driver that writes anything. FLATVIEW_SEED replays, FLATVIEW_STEPS says how long.
 */
#include <string.h>
#include <time.h>

#include "tests/qtest/qpci.h"

#define MMIO 0xf0000000u
#define RAM 0x100000u /* what DMA goes to */
#define IRQ 11
#define MS 1000000ll

/* Registers */
#define ID 0x00
#define INVERT 0x04
#define FACTORIAL 0x08
#define STATUS 0x20
#define IRQ_STATUS 0x24
#define RAISE 0x60
#define ACK 0x64
#define SOURCE 0x80
#define DESTINATION 0x88
#define COUNT 0x90
#define COMMAND 0x98

#define BUFFER 0x40000
#define RUN 1
#define FROM_BUFFER 2
#define INTERRUPT 4

static QVM *vm;
static QPCI edu;
static unsigned msi;

/* edu in slot 4; all PIRQs lead to IRQ. */
static void start(const char *more)
{
    QPCI piix3;
    QPCIBar bar;

    vm = qvm_start("-M pc -m 300 -nodefaults -device edu,id=e,addr=4%s", more);
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    piix3 = qpci_function(vm, 0, 1, 0);
    qpci_write(&piix3, 0x60, IRQ * 0x01010101u, 4);
    edu = qpci_function(vm, 0, 4, 0);
    bar = qpci_bar(&edu, 0);
    expect_hex(bar.size, 0x100000);
    expect(!bar.io && !bar.wide && !bar.prefetch, "not a BAR of memory");
    qpci_map(&edu, &bar, MMIO);
    qpci_enable(&edu, PCI_COMMAND_MASTER);
    msi = qpci_find_capability(&edu, PCI_CAP_ID_MSI);
    expect_hex(msi, 0x40);
}

static uint32_t get(unsigned reg)
{
    return qvm_load(vm, MMIO + reg, 4);
}

static void set(unsigned reg, uint32_t value)
{
    qvm_store(vm, MMIO + reg, value, 4);
}

static void set_wide(unsigned reg, uint64_t value)
{
    qvm_store(vm, MMIO + reg, value, 8);
}

static void set_msi(uint64_t address, uint16_t data)
{
    qpci_write(&edu, msi + PCI_MSI_ADDRESS_LO, address, 4);
    qpci_write(&edu, msi + PCI_MSI_ADDRESS_HI, address >> 32, 4);
    qpci_write(&edu, msi + PCI_MSI_DATA_64, data, 2);
    qpci_write(&edu, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE, 2);
}

static void start_dma(uint64_t source, uint64_t destination, uint64_t count,
                      unsigned command)
{
    set_wide(SOURCE, source);
    set_wide(DESTINATION, destination);
    set_wide(COUNT, count);
    set_wide(COMMAND, command | RUN);
}

static void run_dma(uint64_t source, uint64_t destination, uint64_t count,
                    unsigned command)
{
    start_dma(source, destination, count, command);
    qvm_clock_step(vm, 100 * MS);
    expect_hex(get(COMMAND), command);
}

/* ---- registers ----------------------------------------------------------------- */

START_TEST(identity)
{
    start("");
    expect_hex(qpci_read(&edu, PCI_VENDOR_ID, 4), 0x11e81234);
    expect_hex(qpci_read(&edu, PCI_CLASS_REVISION, 4), 0x00ff0010);
    expect_hex(qpci_read(&edu, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    expect_hex(qpci_read(&edu, PCI_INTERRUPT_PIN, 1), 1);
    expect_hex(qpci_read(&edu, msi, 4), 0x00800005);
    expect_hex(get(ID), 0x010000ed);
    set(ID, 0);
    expect_hex(get(ID), 0x010000ed);
    set(INVERT, 0x12345678);
    expect_hex(get(INVERT), ~0x12345678u);
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    qpci_map(&edu, &(QPCIBar){ .size = 0x100000 }, MMIO);
    expect_hex(get(INVERT), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(widths)
{
    static const unsigned none[] = { 0x0c, 0x10, 0x1c, 0x28, 0x5c, RAISE, ACK, 0x68, 0xa0,
                                     0x84, BUFFER, BUFFER + 0xffc, 0xffffc };

    start("");
    for (unsigned i = 0; i < G_N_ELEMENTS(none); i++) {
        expect_hex(get(none[i]), UINT32_MAX);
    }
    set(INVERT, 0);
    for (unsigned reg = 0; reg < 0xa0; reg += 4) {
        expect_hex(qvm_load(vm, MMIO + reg, 1), 0xff);
        expect_hex(qvm_load(vm, MMIO + reg, 2), 0xffff);
        qvm_store(vm, MMIO + reg, 0x55, 1);
        qvm_store(vm, MMIO + reg, 0x5555, 2);
    }
    for (unsigned reg = 0; reg < SOURCE; reg += 8) {
        expect_hex(qvm_load(vm, MMIO + reg, 8), UINT64_MAX);
        qvm_store(vm, MMIO + reg, 0x5555, 8);
    }
    expect_hex(get(INVERT), UINT32_MAX);
    expect_hex(get(FACTORIAL), 0);
    expect_hex(get(IRQ_STATUS), 0);
    set_wide(SOURCE, 0x1122334455667788);
    expect_hex(qvm_load(vm, MMIO + SOURCE, 8), 0x1122334455667788);
    expect_hex(get(SOURCE), 0x55667788);
    set(SOURCE + 4, 0xabcd);
    expect_hex(qvm_load(vm, MMIO + SOURCE, 8), 0x1122334455667788);
    set(SOURCE, 0x99);
    expect_hex(qvm_load(vm, MMIO + SOURCE, 8), 0x99);
    qvm_end(vm);
}
END_TEST

START_TEST(factorial)
{
    uint32_t product = 1;

    start("");
    for (unsigned n = 0; n < 40; n++) {
        product *= n ? n : 1;
        set(FACTORIAL, n);
        expect_hex(get(STATUS), 1);
        set(FACTORIAL, 3); /* it is at work */
        qvm_clock_step(vm, MS);
        expect_hex(get(STATUS), 0);
        expect_hex(get(FACTORIAL), product);
    }
    set(FACTORIAL, UINT32_MAX);
    qvm_clock_step(vm, MS);
    expect_hex(get(FACTORIAL), 0);
    expect(!qvm_irq(vm, IRQ), "an interrupt nobody asked for");
    set(STATUS, UINT32_MAX);
    expect_hex(get(STATUS), 0x80);
    set(FACTORIAL, 12);
    expect_hex(get(STATUS), 0x81);
    qvm_clock_step(vm, MS);
    expect_hex(get(FACTORIAL), 479001600);
    expect_hex(get(STATUS), 0x80);
    expect_hex(get(IRQ_STATUS), 1);
    expect(qvm_irq(vm, IRQ), "no interrupt");
    /* A reset ends it. */
    set(FACTORIAL, 5);
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    qvm_clock_step(vm, 10 * MS);
    qpci_map(&edu, &(QPCIBar){ .size = 0x100000 }, MMIO);
    expect_hex(get(STATUS), 0);
    expect_hex(get(FACTORIAL), 0);
    expect(!qvm_irq(vm, IRQ), "an interrupt is left");
    qvm_end(vm);
}
END_TEST

/* ---- interrupts ---------------------------------------------------------------- */

START_TEST(pin)
{
    start("");
    set(RAISE, 0);
    expect(!qvm_irq(vm, IRQ), "for no reason");
    set(RAISE, 5);
    expect_hex(get(IRQ_STATUS), 5);
    expect(qvm_irq(vm, IRQ), "no interrupt");
    expect_hex(qpci_read(&edu, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
               PCI_STATUS_INTERRUPT);
    set(ACK, 1);
    expect_hex(get(IRQ_STATUS), 4);
    expect(qvm_irq(vm, IRQ), "lowered too early");
    qpci_enable(&edu, PCI_COMMAND_INTX_DISABLE);
    expect(!qvm_irq(vm, IRQ), "disabled");
    qpci_disable(&edu, PCI_COMMAND_INTX_DISABLE);
    expect(qvm_irq(vm, IRQ), "enabled again");
    set(ACK, UINT32_MAX);
    expect_hex(get(IRQ_STATUS), 0);
    expect(!qvm_irq(vm, IRQ), "not lowered");
    qvm_end(vm);
}
END_TEST

START_TEST(messages)
{
    start("");
    set(RAISE, 1);
    expect(qvm_irq(vm, IRQ), "no interrupt");
    set_msi(RAM, 0x4321);
    expect(!qvm_irq(vm, IRQ), "both at once");
    qvm_store(vm, RAM, UINT64_MAX, 8);
    set(RAISE, 2);
    expect_hex(qvm_load(vm, RAM, 8), 0xffffffff00004321);
    expect_hex(get(IRQ_STATUS), 3);
    qvm_store(vm, RAM, 0, 4);
    set(ACK, 3);
    expect_hex(qvm_load(vm, RAM, 4), 0);
    set(STATUS, 0x80);
    set(FACTORIAL, 3);
    qvm_clock_step(vm, MS);
    expect_hex(qvm_load(vm, RAM, 4), 0x4321);
    qvm_store(vm, RAM, 0, 4);
    run_dma(RAM, BUFFER, 4, INTERRUPT);
    expect_hex(qvm_load(vm, RAM, 4), 0x4321);
    expect_hex(get(IRQ_STATUS), 0x101);
    /* Where the board takes them. */
    set_msi(0xfee00000, 0x0041);
    set(RAISE, 1);
    /* No master, no message. */
    set_msi(RAM, 0x5678);
    qpci_disable(&edu, PCI_COMMAND_MASTER);
    set(RAISE, 1);
    expect_hex(qvm_load(vm, RAM, 4), 0x4321);
    /* What messages were for is nothing for the pin, but for what comes anew. */
    qpci_write(&edu, msi + PCI_MSI_FLAGS, 0, 2);
    expect(!qvm_irq(vm, IRQ), "the pin is up");
    set(ACK, 1);
    expect_hex(get(IRQ_STATUS), 0x100);
    expect(!qvm_irq(vm, IRQ), "the pin is up");
    set(RAISE, 0);
    expect(qvm_irq(vm, IRQ), "the pin is down");
    qvm_end(vm);
}
END_TEST

#define TABLE 0xf1000000u /* BAR 1 */
#define VECTORS 4u
#define PENDING (TABLE + 0x800)

static void set_vector(unsigned n, uint64_t address, uint32_t data, uint32_t control)
{
    qvm_store(vm, TABLE + 16 * n, address, 8);
    qvm_store(vm, TABLE + 16 * n + PCI_MSIX_ENTRY_DATA, data, 4);
    qvm_store(vm, TABLE + 16 * n + PCI_MSIX_ENTRY_VECTOR_CTRL, control, 4);
}

/* What came to the place of vector @n, which is then empty again. */
static uint32_t received(unsigned n)
{
    uint32_t data = qvm_load(vm, RAM + 8 * n, 4);

    qvm_store(vm, RAM + 8 * n, 0, 4);
    return data;
}

START_TEST(many_vectors)
{
    unsigned msix, pba;
    QPCIBar bar;

    start(",msix-vectors=4");
    msix = qpci_find_capability(&edu, PCI_CAP_ID_MSIX);
    expect(msix, "no MSI-X");
    expect_hex(qpci_read(&edu, msix + PCI_MSIX_FLAGS, 2), VECTORS - 1);
    expect_hex(qpci_read(&edu, msix + PCI_MSIX_TABLE, 4), 1); /* BAR 1, at 0 */
    pba = qpci_read(&edu, msix + PCI_MSIX_PBA, 4);
    bar = qpci_bar(&edu, 1);
    expect_hex(bar.size, 4096);
    expect_hex(pba, 0x801);
    qpci_map(&edu, &bar, TABLE);
    for (unsigned n = 0; n < VECTORS; n++) {
        expect_hex(qvm_load(vm, TABLE + 16 * n + PCI_MSIX_ENTRY_VECTOR_CTRL, 4),
                   PCI_MSIX_ENTRY_CTRL_MASKBIT);
        set_vector(n, RAM + 8 * n, 0x1000 + n, 0);
        expect_hex(qvm_load(vm, TABLE + 16 * n, 8), RAM + 8 * n);
        qvm_store(vm, RAM + 8 * n, 0, 8);
    }
    /* Not enabled: the pin. Enabled: no pin, and each bit's own vector. */
    set(RAISE, 1);
    expect(qvm_irq(vm, IRQ), "no interrupt");
    expect_hex(received(0), 0);
    qpci_write(&edu, msix + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    expect(!qvm_irq(vm, IRQ), "both at once");
    for (unsigned bit = 0; bit < 32; bit++) {
        set(RAISE, 1u << bit);
        for (unsigned n = 0; n < VECTORS; n++) {
            expect_hex(received(n), n == bit % VECTORS ? 0x1000 + n : 0);
        }
    }
    set(RAISE, 0);
    expect_hex(received(0), 0);

    /* A masked vector waits, and so do all while the function is masked. */
    set_vector(2, RAM + 16, 0x2002, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    set(RAISE, 4);
    expect_hex(received(2), 0);
    expect_hex(qvm_load(vm, PENDING, 8), 4);
    qvm_store(vm, PENDING, 0, 8); /* cannot be written */
    qpci_write(&edu, msix + PCI_MSIX_FLAGS,
               PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2);
    set(RAISE, 2);
    expect_hex(qvm_load(vm, PENDING, 8), 6);
    set_vector(2, RAM + 16, 0x2002, 0);
    expect_hex(received(2), 0);
    qpci_write(&edu, msix + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
    expect_hex(received(1), 0x1001);
    expect_hex(received(2), 0x2002);
    expect_hex(qvm_load(vm, PENDING, 8), 0);

    /* A reset: disabled, each vector masked. */
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_hex(qpci_read(&edu, msix + PCI_MSIX_FLAGS, 2), VECTORS - 1);
    qpci_map(&edu, &bar, TABLE);
    expect_hex(qvm_load(vm, TABLE, 8), 0);
    expect_hex(qvm_load(vm, TABLE + PCI_MSIX_ENTRY_VECTOR_CTRL, 4),
               PCI_MSIX_ENTRY_CTRL_MASKBIT);
    qvm_end(vm);
}
END_TEST

/* ---- DMA ----------------------------------------------------------------------- */

static void check_ram(uint64_t addr, unsigned id, uint64_t offset, unsigned size)
{
    uint8_t got[4096], wanted[4096];

    qvm_read(vm, addr, got, size);
    content_fill(wanted, id, offset, size);
    expect(memcmp(got, wanted, size) == 0, "0x%" PRIx64 " has something else", addr);
}

static void fill_ram(uint64_t addr, unsigned id, unsigned size)
{
    uint8_t bytes[4096];

    content_fill(bytes, id, 0, size);
    qvm_write(vm, addr, bytes, size);
}

START_TEST(copies)
{
    start("");
    fill_ram(RAM, 1, 4096);
    start_dma(RAM, BUFFER, 4096, 0);
    /* Not before its time, and nothing changes until then. */
    qvm_clock_step(vm, 99 * MS);
    expect_hex(get(COMMAND), RUN);
    set_wide(SOURCE, 0x1234);
    set_wide(COUNT, 1);
    set_wide(COMMAND, RUN | FROM_BUFFER);
    expect_hex(get(SOURCE), RAM);
    expect_hex(get(COUNT), 4096);
    qvm_clock_step(vm, MS);
    expect_hex(get(COMMAND), 0);
    set_wide(COMMAND, FROM_BUFFER); /* does not run */
    expect_hex(get(COMMAND), 0);
    run_dma(BUFFER, RAM + 0x2000, 4096, FROM_BUFFER);
    check_ram(RAM + 0x2000, 1, 0, 4096);
    /* Parts, at no boundary. */
    run_dma(BUFFER + 0x123, RAM + 0x4007, 0x55, FROM_BUFFER);
    check_ram(RAM + 0x4007, 1, 0x123, 0x55);
    expect_hex(qvm_load(vm, RAM + 0x4007 + 0x55, 1), 0);
    expect_hex(qvm_load(vm, RAM + 0x4006, 1), 0);
    run_dma(RAM + 1, BUFFER + 4095, 1, 0);
    run_dma(BUFFER, RAM + 0x5000, 4096, FROM_BUFFER);
    check_ram(RAM + 0x5000, 1, 0, 4095);
    check_ram(RAM + 0x5fff, 1, 1, 1);
    expect(!qvm_irq(vm, IRQ), "nobody asked");
    run_dma(RAM, BUFFER, 0, INTERRUPT);
    expect(qvm_irq(vm, IRQ), "no interrupt");
    expect_hex(get(IRQ_STATUS), 0x100);
    qvm_end(vm);
}
END_TEST

START_TEST(beyond_the_buffer)
{
    static const struct {
        uint64_t buffer, count;
    } cases[] = {
        { BUFFER, 4097 },         { BUFFER + 1, 4096 },     { BUFFER - 1, 1 },
        { BUFFER - 1, 4096 },     { BUFFER + 4096, 0 },     { BUFFER + 4096, 1 },
        { BUFFER, UINT64_MAX },   { BUFFER + 0xfff, UINT64_MAX },
        { BUFFER + 0xfff, 2 },    { 0, 16 },                { UINT64_MAX, 16 },
        { BUFFER, UINT64_C(1) << 63 }, { BUFFER - UINT64_C(16), UINT64_C(0x1000) },
        { UINT64_C(0x100000000) + BUFFER, 16 },
    };

    start("");
    fill_ram(RAM, 1, 4096);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        run_dma(RAM, cases[i].buffer, cases[i].count, INTERRUPT);
        expect_hex(get(IRQ_STATUS), 0x100); /* it ends all the same */
        set(ACK, 0x100);
        run_dma(cases[i].buffer, RAM, cases[i].count, FROM_BUFFER);
    }
    check_ram(RAM, 1, 0, 4096);
    run_dma(BUFFER, RAM, 4096, FROM_BUFFER);
    for (unsigned i = 0; i < 4096; i += 8) {
        expect_hex(qvm_load(vm, RAM + i, 8), 0);
    }
    qvm_end(vm);
}
END_TEST

START_TEST(masks_and_masters)
{
    start("");
    qvm_store(vm, 0x10001000, 0x1111, 8);
    qvm_store(vm, 0x00001000, 0x2222, 8);
    run_dma(0x10001000, BUFFER, 8, 0);
    run_dma(BUFFER, UINT64_C(0xfff0000000000000) | RAM, 8, FROM_BUFFER);
    expect_hex(qvm_load(vm, RAM, 8), 0x2222);
    qpci_disable(&edu, PCI_COMMAND_MASTER);
    run_dma(BUFFER, RAM + 8, 8, FROM_BUFFER);
    expect_hex(qvm_load(vm, RAM + 8, 8), 0);
    qvm_end(vm);

    start(",dma_mask=0xffffffffffffffff");
    qvm_store(vm, 0x10001000, 0x1111, 8);
    run_dma(0x10001000, BUFFER, 8, 0);
    run_dma(BUFFER, RAM, 8, FROM_BUFFER);
    expect_hex(qvm_load(vm, RAM, 8), 0x1111);
    qvm_end(vm);
}
END_TEST

/* ---- to itself, to others, to nobody ------------------------------------------- */

#define OTHER 0xf0100000u

START_TEST(re_entry)
{
    QPCI other;

    start(",dma_mask=0xffffffffffffffff -device edu,addr=5");
    other = qpci_function(vm, 0, 5, 0);
    qpci_map(&other, &(QPCIBar){ .size = 0x100000 }, OTHER);
    /* A message to its own register, from inside a callback: refused. */
    set_msi(MMIO + RAISE, 0x0f);
    set(RAISE, 0x10);
    expect_hex(get(IRQ_STATUS), 0x10);
    /* From outside it gets in, and the next one does not. */
    set(STATUS, 0x80);
    set(FACTORIAL, 3);
    qvm_clock_step(vm, MS);
    expect_hex(get(IRQ_STATUS), 0x1f);
    /* To the other's. */
    set_msi(OTHER + RAISE, 0x77);
    set(RAISE, 1);
    expect_hex(qvm_load(vm, OTHER + IRQ_STATUS, 4), 0x77);
    qpci_write(&edu, msi + PCI_MSI_FLAGS, 0, 2);
    set(ACK, UINT32_MAX);
    set(STATUS, 0);

    /* DMA over its own registers: reads of all of them, and writes. */
    run_dma(MMIO, BUFFER, 4096, 0);
    run_dma(BUFFER, RAM, 0x100, FROM_BUFFER);
    expect_hex(qvm_load(vm, RAM + ID, 4), 0xffffffff); /* 8 bytes wide */
    expect_hex(qvm_load(vm, RAM + SOURCE, 8), MMIO);
    run_dma(RAM, BUFFER, 4096, 0);
    for (unsigned i = 0; i < 4096; i += 8) {
        qvm_store(vm, RAM + i, UINT64_MAX, 8);
    }
    run_dma(RAM, BUFFER, 4096, 0);
    run_dma(BUFFER, MMIO, 4096, FROM_BUFFER);
    expect_hex(qvm_load(vm, MMIO + DESTINATION, 8), MMIO);
    expect_hex(get(STATUS), 0);
    run_dma(BUFFER, MMIO + RAISE, 4, FROM_BUFFER);
    expect_hex(get(IRQ_STATUS), UINT32_MAX);
    run_dma(BUFFER, OTHER, 4096, FROM_BUFFER);
    expect_hex(qvm_load(vm, OTHER + COMMAND, 8), UINT64_MAX);
    qvm_clock_step(vm, 200 * MS);
    expect_hex(qvm_load(vm, OTHER + COMMAND, 8), UINT64_MAX - RUN);

    /* Where nothing is, over the ends of RAM and of all. */
    run_dma(0xe0000000, BUFFER, 4096, 0);
    run_dma(BUFFER, 0xe0000000, 4096, FROM_BUFFER);
    run_dma(BUFFER, 300 * 0x100000 - 7, 4096, FROM_BUFFER);
    run_dma(300 * 0x100000 - 7, BUFFER, 4096, 0);
    run_dma(BUFFER, UINT64_MAX - 100, 4096, FROM_BUFFER);
    run_dma(UINT64_MAX, BUFFER, 4096, 0);
    run_dma(BUFFER, 0xfee00000, 4096, FROM_BUFFER);
    run_dma(BUFFER, 0xfffff000, 4096, FROM_BUFFER);
    expect_hex(get(ID), 0x010000ed);
    qvm_end(vm);
}
END_TEST

/* In the middle of everything: what it had begun is not done any more. */
START_TEST(taken_away)
{
    start("");
    for (unsigned i = 0; i < 3; i++) {
        set(RAISE, 1);
        expect(qvm_irq(vm, IRQ), "no interrupt");
        fill_ram(RAM, 1, 16);
        set(FACTORIAL, 5);
        start_dma(BUFFER, RAM, 16, FROM_BUFFER | INTERRUPT);
        qvm_qmp_ok(vm, "{'execute':'device_del','arguments':{'id':'e'}}");
        qvm_out(vm, 0xae08, 1 << 4, 4); /* the guest gives slot 4 up */
        free(qvm_event(vm, "DEVICE_DELETED"));
        expect(!qpci_is_there(vm, 0, 4, 0), "it is there");
        expect(!qvm_irq(vm, IRQ), "its interrupt is there");
        qvm_clock_step(vm, 1000 * MS);
        check_ram(RAM, 1, 0, 16);
        expect(qvm_load(vm, MMIO + ID, 4) != 0x010000ed, "its registers are there");
        qvm_qmp_ok(vm, "{'execute':'device_add','arguments':{'driver':'edu','id':'e',"
                       "'addr':'4'}}");
        edu = qpci_function(vm, 0, 4, 0);
        qpci_map(&edu, &(QPCIBar){ .size = 0x100000 }, MMIO);
        qpci_enable(&edu, PCI_COMMAND_MASTER);
        expect_hex(get(COMMAND), 0);
    }
    qvm_end(vm);
}
END_TEST

/* Addresses and values that do something. */
static uint64_t any(GRand *rand)
{
    static const uint64_t often[] = {
        0, 1, 3, 5, 7, 16, 4096, BUFFER, BUFFER + 0xff0, RAM, MMIO, MMIO + RAISE,
        MMIO + COMMAND, MMIO + SOURCE, OTHER + COMMAND, OTHER + FACTORIAL, 0xfee00000,
        UINT64_MAX, 0x80,
    };

    return g_rand_boolean(rand) ? often[g_rand_int(rand) % G_N_ELEMENTS(often)]
                                : (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

START_TEST(by_chance)
{
    uint64_t steps = test_number("FLATVIEW_STEPS", 4000);
    uint64_t seed = test_number("FLATVIEW_SEED", time(NULL));
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    QPCI functions[2];

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    start(",dma_mask=0xffffffff -device edu,addr=5,dma_mask=0xffffffff");
    functions[0] = edu;
    functions[1] = qpci_function(vm, 0, 5, 0);
    qpci_map(&functions[1], &(QPCIBar){ .size = 0x100000 }, OTHER);
    for (uint64_t i = 0; i < steps; i++) {
        QPCI *f = &functions[g_rand_int(rand) % 2];
        uint64_t base = f == functions ? MMIO : OTHER;
        unsigned offset = g_rand_int(rand) % (g_rand_int(rand) % 8 ? 0xa0 : 0x100000);
        unsigned size = 1 << g_rand_int(rand) % 4;

        switch (g_rand_int(rand) % 8) {
        case 0:
            qvm_clock_step(vm, g_rand_int(rand) % 50 * MS);
            break;
        case 1:
            qvm_load(vm, base + offset, size);
            break;
        case 2: /* registers of MSI, and the command register as it should be */
            qpci_write(f, 0x40 + (g_rand_int(rand) % 4) * 4, any(rand), 4);
            qpci_write(f, PCI_COMMAND, PCI_COMMAND_MEMORY | g_rand_int(rand) % 8, 2);
            break;
        case 3: /* off the bytes */
            qvm_store(vm, base + offset, any(rand), size);
            break;
        default:
            qvm_store(vm, base + (offset & ~7u), any(rand), offset < SOURCE ? 4 : 8);
        }
    }
    expect(qvm_is_alive(vm), "it has ended");
    for (unsigned i = 0; i < 2; i++) {
        qpci_write(&functions[i], PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    }
    expect_hex(get(ID), 0x010000ed);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-edu", identity, widths, factorial, pin, messages, many_vectors, copies,
          beyond_the_buffer, masks_and_masters, re_entry, taken_away,
          by_chance)
