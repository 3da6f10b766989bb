/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that writes anything to the configuration space of a few functions, beside a
 * model of its own: what registers hold, which region has to be mapped where, which
 * wires are up, who is a master. FLATVIEW_SEED replays, FLATVIEW_STEPS says how long.
 */
#include <string.h>
#include <time.h>

#include "tests/pci-world.h"

#define FUNCTIONS 4
#define NONE UINT64_MAX

/* BARs of all functions; the third of a 64-bit one is its upper half. */
static const FuncBar layouts[FUNCTIONS][PCI_BARS] = {
    { { 0x1000, 0 }, { 0x20, 1 }, { 0x4000, 4 }, { 0, 0 }, { 0x100, 1 }, { 16, 8 } },
    { { UINT64_C(1) << 33, 0xc }, { 0, 0 }, { 0x80000000, 0 }, { 4, 1 } },
    { { 0x1000, 0 }, { 0x2000, 0 }, { 0x1000, 4 }, { 0, 0 }, { 0x1000, 4 }, { 0, 0 } },
    { { 0 } },
};

/* What the specification makes of what was written, and nothing of the code's. */
typedef struct Model {
    PCIDevice *dev;
    uint8_t bytes[PCI_CONFIG_SIZE];
    bool pin;
    uint64_t at[PCI_BARS]; /* NONE: not mapped */
} Model;

static Model models[FUNCTIONS];
static uint64_t seed;

static uint64_t dice(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20 ^ seed >> 45;
}

static unsigned devfn_of(unsigned i)
{
    return PCI_DEVFN(i + 1, 0);
}

/* ---- the model ------------------------------------------------------------------ */

static const FuncBar *layout(const Model *m)
{
    return layouts[m - models];
}

static bool is_wide(const FuncBar *bar)
{
    return bar->size && !(bar->type & 1) && (bar->type & 4);
}

/* Bits of byte @addr that a write changes. */
static uint8_t writable(const Model *m, unsigned addr)
{
    const FuncBar *bars = layout(m);
    unsigned n = (addr - 0x10) / 4, byte = addr % 4;

    switch (addr) {
    case 0x04:
        return 0x47; /* I/O, memory, master; parity */
    case 0x05:
        return 0x05; /* SERR#, interrupts off */
    case 0x0c:
    case 0x3c:
        return 0xff;
    }
    if (addr < 0x10 || addr >= 0x28) {
        return 0;
    }
    if (n && is_wide(&bars[n - 1])) {
        return ~(bars[n - 1].size - 1) >> (32 + 8 * byte);
    }
    return bars[n].size ? ~(bars[n].size - 1) >> (8 * byte) : 0;
}

static uint32_t model_long(const Model *m, unsigned addr)
{
    return m->bytes[addr] | m->bytes[addr + 1] << 8 | m->bytes[addr + 2] << 16 |
           (uint32_t)m->bytes[addr + 3] << 24;
}

static uint64_t model_place(const Model *m, unsigned n)
{
    const FuncBar *bar = &layout(m)[n];
    uint64_t addr = model_long(m, 0x10 + 4 * n);

    if (!bar->size) {
        return NONE;
    }
    if (bar->type & 1) {
        addr &= ~UINT64_C(3);
        return (m->bytes[4] & 1) && addr && addr < 0x10000 &&
               addr + bar->size <= 0x10000 ? addr : NONE;
    }
    addr &= ~UINT64_C(15);
    if (!(m->bytes[4] & 2)) {
        return NONE;
    }
    if (is_wide(bar)) {
        addr |= (uint64_t)model_long(m, 0x14 + 4 * n) << 32;
        return addr && addr <= UINT64_MAX - bar->size ? addr : NONE;
    }
    return addr && addr + bar->size < UINT64_C(1) << 32 ? addr : NONE;
}

static void model_update(Model *m)
{
    for (unsigned n = 0; n < PCI_BARS; n++) {
        m->at[n] = model_place(m, n);
    }
    m->bytes[6] = m->pin ? 8 : 0;
}

static void model_write(Model *m, unsigned addr, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size && addr + i < PCI_CONFIG_SIZE; i++) {
        uint8_t mask = writable(m, addr + i), *byte = &m->bytes[addr + i];

        *byte = (*byte & ~mask) | ((value >> (8 * i)) & mask);
    }
    model_update(m);
}

/* ---- what there is -------------------------------------------------------------- */

static bool is_here(uint64_t at, uint64_t size, uint64_t addr)
{
    return at != NONE && addr >= at && addr - at < size;
}

/* Whether one of the BARs of the models may have answered @addr with @value. */
static bool is_explained(uint64_t addr, bool io, uint32_t value)
{
    bool covered = false;

    for (unsigned i = 0; i < FUNCTIONS; i++) {
        for (unsigned n = 0; n < PCI_BARS; n++) {
            const FuncBar *bar = &layouts[i][n];

            if (bar->size && (bar->type & 1) == io &&
                is_here(models[i].at[n], bar->size, addr)) {
                covered = true;
                if (value == bar_value(devfn_of(i), n, addr - models[i].at[n])) {
                    return true;
                }
            }
        }
    }
    return !covered && value == UINT32_MAX;
}

static void check_address(uint64_t addr, bool io)
{
    uint32_t value;

    addr &= ~UINT64_C(3);
    if (io ? addr > 0xfffc : addr < HOST_RAM_SIZE || addr > UINT64_MAX - 8) {
        return;
    }
    value = io ? ports_in(addr) : memory_in(addr);
    expect(is_explained(addr, io, value), "0x%x at 0x%" PRIx64, value, addr);
}

static void check(Model *m)
{
    static const uint8_t pins[FUNCTIONS] = { 1, 2, 3, 4 };
    unsigned wires = 0;
    uint32_t dma = 0;

    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
        uint8_t byte = config_in(m->dev->devfn, i, 1);

        expect(byte == m->bytes[i], "register 0x%x is 0x%x, not 0x%x", i, byte,
               m->bytes[i]);
    }
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const FuncBar *bar = &layout(m)[n];

        expect(m->dev->bars[n].addr == m->at[n],
               "BAR %u at 0x%" PRIx64 ", not 0x%" PRIx64, n, m->dev->bars[n].addr,
               m->at[n]);
        if (m->at[n] != NONE) {
            check_address(m->at[n], bar->type & 1);
            check_address(m->at[n] + bar->size - 4, bar->type & 1);
            check_address(m->at[n] + bar->size, bar->type & 1);
            check_address(m->at[n] - 4, bar->type & 1);
        }
    }
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        bool disabled = models[i].bytes[5] & 4;

        wires |= (models[i].pin && !disabled) << ((i + 1 + pins[i] - 1) % 4);
    }
    for (unsigned wire = 0; wire < PCI_PINS; wire++) {
        expect((host_wires[wire] & 1) == (wires >> wire & 1), "wire %u", wire);
    }
    expect((pci_dma_read(m->dev, 0, &dma, 4) == MEMTX_OK) == !!(m->bytes[4] & 4),
           "master");
}

/* ---- the guest ------------------------------------------------------------------ */

/* What is likely to hit something. */
static uint32_t any_value(void)
{
    static const uint32_t often[] = {
        0, UINT32_MAX, 0xf0000000, 0xfffff000, 0xffffe000, 0x80000000, 0x1000, 0x10000,
        0xc000, 0xffe0, 0xc020, 0x2000, 1, 2, 7, 0x407, 0xf0001000, 0xf0002000,
    };

    return dice() % 4 ? often[dice() % G_N_ELEMENTS(often)] : dice();
}

static void step(Model *m)
{
    unsigned size = 1 + dice() % 4, addr = dice() % 4 ? 4 + dice() % 0x24 : dice() % 260;
    uint32_t value = any_value();

    switch (dice() % 16) {
    case 0:
        m->pin = dice() % 2;
        pci_set_irq(m->dev, m->pin);
        model_update(m);
        break;
    case 1:
        if (dice() % 16 == 0) {
            for (unsigned i = 4; i < 0x40; i++) {
                m->bytes[i] &= ~writable(m, i);
            }
            m->pin = false;
            model_update(m);
            device_reset(&m->dev->device);
        }
        break;
    case 2:
    case 3: /* what a driver does */
        addr = PCI_COMMAND;
        size = 2;
        value = dice() % 2 ? 7 : dice() & 0x407;
        /* fall through */
    default:
        if (dice() % 2 && size != 2) {
            size = 4;
            addr &= ~3u;
        }
        config_out(m->dev->devfn, addr, value, size);
        model_write(m, addr, value, size);
    }
}

START_TEST(a_hostile_guest)
{
    uint64_t steps = test_number("FLATVIEW_STEPS", 100000);

    seed = test_number("FLATVIEW_SEED", time(NULL));
    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    host_init();
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        g_autofree char *text = g_strdup_printf("func,addr=%u", i + 1);

        memcpy(func_recipe.bars, layouts[i], sizeof(layouts[i]));
        func_recipe.pin = i + 1;
        models[i] = (Model){ .dev = host_plug(text) };
        for (unsigned at = 0; at < PCI_CONFIG_SIZE; at++) {
            models[i].bytes[at] = config_in(devfn_of(i), at, 1);
        }
        model_update(&models[i]);
    }
    for (uint64_t n = 0; n < steps; n++) {
        Model *m = &models[dice() % FUNCTIONS];

        step(m);
        check(m);
        check_address(any_value(), dice() % 2);
    }
    host_free();
}
END_TEST

TEST_MAIN("pci-random", a_hostile_guest)
