/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chipset of the board pc as its guest sees it: registers of i440FX and PIIX3 at
 * reset and written, every state of every PAM segment through guest memory, SMRAM over
 * a BAR, BARs in and out of the holes, interrupt routes, and what resets the machine.
 */
#include "tests/qtest/qvm.h"

#include <string.h>
#include <unistd.h>

#define I440FX 0x00
#define PIIX3 0x08
#define SLOT4 0x20

#define COMMAND 0x04
#define BAR0 0x10
#define PAM 0x59
#define SMRAM 0x72
#define PIRQ_ROUTES 0x60
#define RESET_CONTROL 0xcf9
#define PORT92 0x92

#define EDU_ID 0x010000ed /* its register 0 */

#define BIOS_SIZE 0x40000
#define BIOS_ID 7

static QVM *vm;
static char *bios;

static uint32_t config_get(unsigned devfn, unsigned reg, unsigned size)
{
    qvm_out(vm, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    return qvm_in(vm, 0xcfc + reg % 4, size);
}

static void config_set(unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
    qvm_out(vm, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    qvm_out(vm, 0xcfc + reg % 4, value, size);
}

/* A machine whose firmware is recognisable bytes. */
static void start(const char *options)
{
    g_autofree char *image = g_malloc(BIOS_SIZE);
    int fd = g_file_open_tmp("flatview-bios-XXXXXX", &bios, NULL);

    expect(fd >= 0, "no file");
    close(fd);
    content_fill(image, BIOS_ID, 0, BIOS_SIZE);
    expect(g_file_set_contents(bios, image, BIOS_SIZE, NULL), "%s", bios);
    vm = qvm_start("-M pc -nodefaults -bios %s %s", bios, options);
}

static void end(void)
{
    qvm_end(vm);
    unlink(bios);
    g_clear_pointer(&bios, g_free);
}

static void reset(void)
{
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
}

/* ---- registers ------------------------------------------------------------------- */

typedef struct Register {
    uint8_t reg, value, mask; /* at reset; what can be written */
} Register;

/* All that is not 0, or can be written, from the end of the header on, with 16 MiB. */
static const Register i440fx_registers[] = {
    { 0x50, 0, 0xff }, { 0x51, 0, 0xff }, { 0x53, 0, 0xff }, { 0x54, 0, 0xff },
    { 0x55, 0, 0xff }, { 0x56, 0, 0xff }, { 0x57, 2, 0xff }, { 0x58, 0, 0xff },
    { 0x59, 0, 0x30 }, { 0x5a, 0, 0x33 }, { 0x5b, 0, 0x33 }, { 0x5c, 0, 0x33 },
    { 0x5d, 0, 0x33 }, { 0x5e, 0, 0x33 }, { 0x5f, 0, 0x33 },
    { 0x60, 0, 0xff }, { 0x61, 0, 0xff }, { 0x62, 0, 0xff }, { 0x63, 0, 0xff },
    { 0x64, 0, 0xff }, { 0x65, 0, 0xff }, { 0x66, 0, 0xff }, { 0x67, 0, 0xff },
    { 0x68, 0, 0xc0 }, { 0x70, 0, 0xff }, { 0x71, 0, 0xff }, { 0x72, 0x02, 0x68 },
    { 0x90, 0, 0xff },
    { 0 },
};

static const Register piix3_registers[] = {
    { 0x4c, 0x4d, 0xff }, { 0x4e, 0x03, 0xff }, { 0x4f, 0, 0xff },
    { 0x60, 0x80, 0x8f }, { 0x61, 0x80, 0x8f }, { 0x62, 0x80, 0x8f },
    { 0x63, 0x80, 0x8f }, { 0x69, 0x02, 0xff }, { 0x70, 0x80, 0xff },
    { 0x76, 0x0c, 0xff }, { 0x77, 0x0c, 0xff }, { 0x78, 0x02, 0xff },
    { 0x79, 0, 0xff }, { 0x80, 0, 0xff }, { 0x82, 0, 0xff }, { 0xa0, 0x08, 0xff },
    { 0xa2, 0, 0xff }, { 0xa3, 0, 0xff }, { 0xa4, 0, 0xff }, { 0xa5, 0, 0xff },
    { 0xa6, 0, 0xff }, { 0xa7, 0, 0xff }, { 0xa8, 0x0f, 0xff }, { 0xaa, 0, 0xff },
    { 0xab, 0, 0xff }, { 0xac, 0, 0xff }, { 0xae, 0, 0xff },
    { 0 },
};

static void expect_at_reset(unsigned devfn, const Register *registers)
{
    for (unsigned reg = 0x40; reg < 0x100; reg++) {
        bool listed = registers->reg == reg;

        expect_hex(config_get(devfn, reg, 1), listed ? registers->value : 0);
        registers += listed;
    }
}

/* Everything written with 1s and with 0s, but for the lock of SMRAM. */
static void expect_writable(unsigned devfn, const Register *registers)
{
    for (unsigned reg = 0x40; reg < 0x100; reg++) {
        bool listed = registers->reg == reg;
        bool smram = devfn == I440FX && reg == SMRAM;
        uint8_t mask = listed ? registers->mask : 0;
        uint8_t fixed = listed ? registers->value & ~mask : 0;

        config_set(devfn, reg, smram ? 0xef : 0xff, 1);
        expect_hex(config_get(devfn, reg, 1), mask | fixed);
        config_set(devfn, reg, 0, 1);
        expect_hex(config_get(devfn, reg, 1), fixed);
        config_set(devfn, reg, smram ? 0xef : 0xff, 1);
        registers += listed;
    }
}

START_TEST(reset_values)
{
    start("-m 16");
    for (unsigned i = 0; i < 2; i++) {
        expect_hex(config_get(I440FX, 0x00, 4), 0x12378086);
        expect_hex(config_get(I440FX, 0x04, 4), 0);
        expect_hex(config_get(I440FX, 0x08, 4), 0x06000002);
        expect_hex(config_get(I440FX, 0x0c, 4), 0);
        expect_hex(config_get(I440FX, 0x2c, 4), 0x11001af4);
        expect_at_reset(I440FX, i440fx_registers);
        expect_hex(config_get(PIIX3, 0x00, 4), 0x70008086);
        expect_hex(config_get(PIIX3, 0x04, 4), 0x02000000);
        expect_hex(config_get(PIIX3, 0x08, 4), 0x06010000);
        expect_hex(config_get(PIIX3, 0x0c, 4), 0x00800000);
        expect_hex(config_get(PIIX3, 0x2c, 4), 0x11001af4);
        expect_at_reset(PIIX3, piix3_registers);
        expect_writable(I440FX, i440fx_registers);
        expect_writable(PIIX3, piix3_registers);
        reset();
    }
    end();
}
END_TEST

/* ---- PAM ------------------------------------------------------------------------- */

#define PAM_FIRST 0xc0000
#define PAM_END 0x100000
#define PAM_SIZE (PAM_END - PAM_FIRST)

static uint8_t ram[PAM_SIZE]; /* as it should be */
static unsigned states[13];

static unsigned segment_of(uint64_t addr)
{
    return addr >= 0xf0000 ? 0 : 1 + (addr - PAM_FIRST) / 0x4000;
}

static void set_state(unsigned segment, unsigned state)
{
    unsigned reg = PAM + (segment + 1) / 2, other, value;

    states[segment] = state;
    other = segment == 0 ? 0 : segment % 2 ? segment + 1 : segment - 1;
    value = segment == 0 ? state << 4
          : segment % 2  ? state | states[other] << 4
                         : state << 4 | states[other];
    config_set(I440FX, reg, value, 1);
    expect_hex(config_get(I440FX, reg, 1), value);
}

/* The option ROM is empty, the firmware's end follows. */
static uint8_t shown(uint64_t addr)
{
    return states[segment_of(addr)] & 1 ? ram[addr - PAM_FIRST]
         : addr < 0xe0000 ? 0
         : content_byte(BIOS_ID, BIOS_SIZE - 0x100000 + addr);
}

static void expect_block(uint64_t addr, size_t size)
{
    g_autofree uint8_t *data = g_malloc(size);

    qvm_read(vm, addr, data, size);
    for (size_t i = 0; i < size; i++) {
        expect(data[i] == shown(addr + i), "0x%" PRIx64 ": %02x, not %02x in state %u",
               addr + i, data[i], shown(addr + i), states[segment_of(addr + i)]);
    }
}

/* Across whatever is there: each byte goes its way. */
static void write_block(uint64_t addr, unsigned id, size_t size)
{
    g_autofree uint8_t *data = g_malloc(size);

    content_fill(data, id, addr, size);
    qvm_write(vm, addr, data, size);
    for (size_t i = 0; i < size; i++) {
        if (states[segment_of(addr + i)] & 2) {
            ram[addr + i - PAM_FIRST] = data[i];
        }
    }
}

static void pam_start(void)
{
    start("-m 16");
    memset(ram, 0, sizeof(ram));
    memset(states, 0, sizeof(states));
}

START_TEST(pam_states)
{
    static const unsigned order[] = { 3, 0, 2, 1, 0, 1, 3, 2, 0 };

    pam_start();
    for (unsigned segment = 0; segment < 13; segment++) {
        uint64_t base = segment ? PAM_FIRST + (segment - 1) * 0x4000 : 0xf0000;
        uint64_t size = segment ? 0x4000 : 0x10000;

        for (unsigned i = 0; i < G_N_ELEMENTS(order); i++) {
            set_state(segment, order[i]);
            expect_block(base, size);
            write_block(base, 20 + i, size);
            expect_block(base, size);
            write_block(base + size / 2 - 3, 40 + i, 7);
            expect_block(base + size / 2 - 8, 16);
        }
        expect_block(PAM_FIRST, PAM_SIZE);
    }
    end();
}
END_TEST

START_TEST(pam_by_chance)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 440);
    g_autoptr(GRand) rnd = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    pam_start();
    for (unsigned step = 0; step < 400; step++) {
        unsigned from = g_rand_int_range(rnd, 0, PAM_SIZE - 1);
        unsigned size = g_rand_int_range(rnd, 1, MIN(PAM_SIZE - from, 40000) + 1);

        set_state(g_rand_int_range(rnd, 0, 13), g_rand_int_range(rnd, 0, 4));
        write_block(PAM_FIRST + from, step, size);
        expect_block(PAM_FIRST + from, size);
        if (step % 100 == 99) {
            reset();
            memset(states, 0, sizeof(states));
            expect_block(PAM_FIRST, PAM_SIZE);
        }
    }
    for (unsigned segment = 0; segment < 13; segment++) {
        set_state(segment, 3);
    }
    expect_block(PAM_FIRST, PAM_SIZE);
    end();
    test_context[0] = 0;
}
END_TEST

/* Several registers at once, the first of them another. */
START_TEST(pam_by_wide_writes)
{
    pam_start();
    config_set(I440FX, 0x58, 0x33333000, 4);
    for (unsigned n = 0; n < 5; n++) {
        states[n] = 3;
    }
    write_block(PAM_FIRST, 60, PAM_SIZE);
    expect_block(PAM_FIRST, PAM_SIZE);
    config_set(I440FX, 0x5c, 0x13131313, 4);
    for (unsigned n = 5; n < 13; n++) {
        states[n] = n % 2 ? 3 : 1;
    }
    config_set(I440FX, 0x5a, 0x0000, 2);
    for (unsigned n = 1; n < 5; n++) {
        states[n] = 0;
    }
    write_block(PAM_FIRST, 61, PAM_SIZE);
    expect_block(PAM_FIRST, PAM_SIZE);
    end();
}
END_TEST

/* ---- BARs, and what is on top of them ---------------------------------------------- */

#define MIB 0x100000ull
#define GIB (1024 * MIB)

static void bar_at(uint32_t addr)
{
    config_set(SLOT4, BAR0, addr, 4);
    config_set(SLOT4, COMMAND, 2, 2);
    expect_hex(config_get(SLOT4, BAR0, 4), addr);
}

START_TEST(bars_and_holes)
{
    static const struct {
        uint64_t addr;
        bool shown;
    } places[] = {
        { 0x00200000, false }, { 0xbff00000, false }, { 0xc0000000, true },
        { 0xd0000000, true }, { 0xfeb00000, true }, { 0xfee00000, false },
        { 0xfef00000, true }, { 0xe0000000, true },
    };

    start("-m 3584 -device edu,addr=4");
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        bar_at(places[i].addr);
        expect((qvm_load(vm, places[i].addr, 4) == EDU_ID) == places[i].shown,
               "at 0x%" PRIx64, places[i].addr);
        config_set(SLOT4, COMMAND, 0, 2);
        expect(qvm_load(vm, places[i].addr, 4) != EDU_ID, "it stays at 0x%" PRIx64,
               places[i].addr);
    }
    /* Over the I/O APIC, and what KVM keeps, only around these. */
    bar_at(0xfec00000);
    expect_hex(qvm_load(vm, 0xfec80000, 4), 0xffffffff);
    end();
}
END_TEST

/* A BAR of 4 KiB, which says "mmio" at 0x10 and counts writes of 0xfa to 0x800. */
static void testdev_start(void)
{
    start("-m 16 -device pci-testdev,addr=4");
    bar_at(0xfea00000);
    qvm_store(vm, 0xfea00000, 0, 1);
}

#define MMIO 0x6f696d6d

/* Under the first MiB RAM hides it, but where SMRAM and PAM say PCI. */
START_TEST(bar_below_640k)
{
    testdev_start();
    expect_hex(qvm_load(vm, 0xfea00010, 4), MMIO);
    bar_at(0x9f000);
    qvm_store(vm, 0x9f010, 0x12345678, 4);
    expect_hex(qvm_load(vm, 0x9f010, 4), 0x12345678);
    end();
}
END_TEST

START_TEST(bar_over_smram)
{
    testdev_start();
    bar_at(0xa0000);
    expect_hex(qvm_load(vm, 0xa0010, 4), MMIO);
    config_set(I440FX, SMRAM, 0x4a, 1); /* open */
    expect_hex(qvm_load(vm, 0xa0010, 4), 0);
    qvm_store(vm, 0xa0010, 0x11223344, 4);
    expect_hex(qvm_load(vm, 0xa0010, 4), 0x11223344);
    config_set(I440FX, SMRAM - 2, 0x0a0000, 4); /* closed */
    expect_hex(qvm_load(vm, 0xa0010, 4), MMIO);
    config_set(I440FX, SMRAM, 0x4a, 1);
    expect_hex(qvm_load(vm, 0xa0010, 4), 0x11223344);
    config_set(I440FX, SMRAM, 0x5a, 1); /* locked */
    expect_hex(qvm_load(vm, 0xa0010, 4), MMIO);
    config_set(I440FX, SMRAM, 0x4a, 1);
    expect_hex(config_get(I440FX, SMRAM, 1), 0x1a);
    expect_hex(qvm_load(vm, 0xa0010, 4), MMIO);
    reset();
    config_set(I440FX, SMRAM, 0x4a, 1);
    expect_hex(qvm_load(vm, 0xa0010, 4), 0x11223344);
    end();
}
END_TEST

START_TEST(bar_under_pam)
{
    testdev_start();
    bar_at(0xd0000);
    expect_hex(qvm_load(vm, 0xd0010, 4), MMIO);
    set_state(5, 1); /* reads are RAM's, writes the BAR's */
    expect_hex(qvm_load(vm, 0xd0010, 4), 0);
    for (unsigned i = 0; i < 3; i++) {
        qvm_store(vm, 0xd0800, 0xfa, 1);
    }
    expect_hex(qvm_load(vm, 0xd0800, 1), 0);
    set_state(5, 0);
    expect_hex(qvm_load(vm, 0xd000c, 4), 3);
    set_state(5, 2); /* writes are RAM's */
    qvm_store(vm, 0xd0800, 0xfa, 1);
    set_state(5, 3);
    expect_hex(qvm_load(vm, 0xd0800, 1), 0xfa);
    qvm_store(vm, 0xd0800, 0xfb, 1);
    set_state(5, 0);
    expect_hex(qvm_load(vm, 0xd000c, 4), 3);
    end();
}
END_TEST

/* Holes for cards of ISA. */
START_TEST(isa_holes)
{
    static const struct {
        uint32_t addr;
        uint8_t fdhc;
    } ends[] = {
        { 0x80000, 0x40 }, { 0x9f000, 0x40 }, { 0xf00000, 0x80 }, { 0xfff000, 0x80 },
        { 0x7f000, 0 }, { 0xeff000, 0 },
    };

    testdev_start();
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        bar_at(ends[i].addr);
        for (unsigned value = 0; value < 0x100; value += 0x40) {
            config_set(I440FX, 0x68, value, 1);
            expect_hex(qvm_load(vm, ends[i].addr + 0x10, 4),
                       value && value == ends[i].fdhc ? MMIO : 0);
        }
    }
    config_set(I440FX, 0x68, 0x80, 1);
    bar_at(0xf00000);
    expect_hex(qvm_load(vm, 0xf00010, 4), MMIO);
    reset();
    bar_at(0xf00000);
    expect_hex(qvm_load(vm, 0xf00010, 4), 0);
    end();
}
END_TEST

/* In system management mode there is another map. */
START_TEST(smm_map)
{
    static const char ram_there[] =
        "  0000000000000000-00000000000bffff (ram): ram @0000000000000000";
    g_autofree char *closed = NULL, *enabled = NULL, *none = NULL;
    const char *smm;

    testdev_start();
    bar_at(0xa0000);
    closed = qvm_hmp(vm, "info mtree -f");
    config_set(I440FX, SMRAM, 0x0a, 1);
    enabled = qvm_hmp(vm, "info mtree -f");
    smm = strstr(closed, "flat-view: smm-memory");
    expect(smm && !strstr(smm, ram_there), "SMRAM shows in\n%s", closed);
    smm = strstr(enabled, "flat-view: smm-memory");
    expect(smm && strstr(smm, ram_there), "SMRAM does not show in\n%s", enabled);
    *(char *)smm = 0;
    expect(!strstr(enabled, ram_there), "SMRAM shows in\n%s", enabled);
    end();

    start("-m 16 -M smm=off");
    none = qvm_hmp(vm, "info mtree -f");
    expect(!strstr(none, "smm-memory"), "there is such a map in\n%s", none);
    end();
}
END_TEST

/* ---- interrupts -------------------------------------------------------------------- */

static void pirq(unsigned n, unsigned level)
{
    qvm_expect(vm, "OK", "set_irq_in piix3 unnamed-gpio-in %u %u", n, level);
}

static void expect_irqs(unsigned levels)
{
    for (unsigned n = 0; n < 24; n++) {
        expect(qvm_irq(vm, n) == (levels >> n & 1), "interrupt %u", n);
    }
}

START_TEST(pirq_routes)
{
    start("-m 16");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    config_set(PIIX3, PIRQ_ROUTES, 0x0b0b0a85, 4);
    pirq(0, 1);
    expect_irqs(0);
    pirq(1, 1);
    expect_irqs(1 << 10);
    pirq(2, 1);
    pirq(3, 1);
    expect_irqs(3 << 10);
    pirq(3, 0);
    expect_irqs(3 << 10);
    config_set(PIIX3, PIRQ_ROUTES, 0x05, 1);
    expect_irqs(3 << 10 | 1 << 5);
    config_set(PIIX3, PIRQ_ROUTES, 0x0d, 1); /* reserved */
    expect_irqs(3 << 10);
    config_set(PIIX3, PIRQ_ROUTES + 1, 0x0b, 1);
    expect_irqs(1 << 11);
    pirq(1, 0);
    expect_irqs(1 << 11);
    pirq(2, 0);
    expect_irqs(0);
    reset();
    expect_hex(config_get(PIIX3, PIRQ_ROUTES, 4), 0x80808080);
    end();
}
END_TEST

/* A function's pin comes out at the wire of its slot: (slot + pin - 1) % 4. */
START_TEST(slots_and_wires)
{
    for (unsigned slot = 3; slot < 8; slot++) {
        g_autofree char *options = g_strdup_printf("-m 16 -device edu,addr=%x", slot);

        start(options);
        qvm_expect(vm, "OK", "irq_intercept_in ioapic");
        config_set(PIIX3, PIRQ_ROUTES, 0x0b0a0905, 4); /* A: 5, B: 9, C: 10, D: 11 */
        config_set(slot << 3, BAR0, 0xfea00000, 4);
        config_set(slot << 3, COMMAND, 2, 2);
        qvm_store(vm, 0xfea00060, 1, 4);
        expect_irqs(1u << (const unsigned[]){ 5, 9, 10, 11 }[(slot - 1) % 4]);
        qvm_store(vm, 0xfea00064, 1, 4);
        expect_irqs(0);
        end();
    }
}
END_TEST

/* Management programs say how much room for BARs there must be. */
START_TEST(high_hole)
{
    start("-m 16 -global i440FX-pcihost.pci-hole64-size=1048576K");
    end();
    qvm_refused("'pci-hole64-size': this processor addresses no more than",
                "-global i440FX-pcihost.pci-hole64-size=8589934591G");
    qvm_refused("pci-hole64-size", "-global i440FX-pcihost.pci-hole64-size=-1");
}
END_TEST

/* ---- resets ------------------------------------------------------------------------- */

START_TEST(guest_resets)
{
    g_autofree char *event = NULL, *event92 = NULL;

    start("-m 16");
    config_set(I440FX, PAM, 0x30, 1);
    qvm_out(vm, RESET_CONTROL, 0x02, 1);
    expect_hex(qvm_in(vm, RESET_CONTROL, 1), 0x02);
    expect_hex(config_get(I440FX, PAM, 1), 0x30);
    qvm_out(vm, RESET_CONTROL, 0x06, 1);
    event = qvm_event(vm, "RESET");
    expect(strstr(event, "guest-reset"), "%s", event);
    qvm_wait_until(config_get(I440FX, PAM, 1) == 0);
    expect_hex(qvm_in(vm, RESET_CONTROL, 1), 0);

    config_set(I440FX, PAM, 0x30, 1);
    qvm_out(vm, PORT92, 0x02, 1);
    expect_hex(config_get(I440FX, PAM, 1), 0x30);
    qvm_out(vm, PORT92, 0x01, 1);
    event92 = qvm_event(vm, "RESET");
    expect(strstr(event92, "guest-reset"), "%s", event92);
    qvm_wait_until(config_get(I440FX, PAM, 1) == 0);
    expect_hex(qvm_in(vm, PORT92, 1), 0);
    end();
}
END_TEST

TEST_MAIN("qtest-i440fx", reset_values, pam_states, pam_by_chance, pam_by_wide_writes,
          bars_and_holes, bar_below_640k, bar_over_smram, bar_under_pam, isa_holes,
          smm_map, pirq_routes, slots_and_wires, high_hole, guest_resets)
