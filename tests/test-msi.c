/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI and MSI-X: every form of the capability, messages and where they go, masks and
 * pending bits, and a guest that writes anything into the registers beside a model of
 * its own. FLATVIEW_SEED replays, FLATVIEW_STEPS says how long.
 */
#include <string.h>
#include <time.h>

#include "hw/pci/msi.h"
#include "tests/pci-world.h"

#define SINK 0xfee00000
#define SINK_SIZE 0x1000
#define SLOT PCI_DEVFN(1, 0)
#define WIRE 1 /* of INTA in slot 1 */
#define BAR 0xf0000000
#define MASTER (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

static IoDevice sink; /* whom messages are for */
static PCIDevice *dev;
static unsigned at; /* the capability */

/* What the next function gets. */
static struct {
    unsigned vectors;
    bool address64, masks;
    uint32_t table, pba;
    unsigned pba_bar;
    bool exclusive;
} wanted;

static void start(void)
{
    host_init();
    io_device_init(&sink, 1, "sink", SINK_SIZE);
    memory_region_add_subregion(&host_memory, SINK, &sink.mr);
    func_recipe.pin = 1;
}

static void finish(void)
{
    memory_region_del_subregion(&host_memory, &sink.mr);
    memory_region_destroy(&sink.mr);
    host_free();
}

static uint32_t reg(unsigned offset, unsigned size)
{
    return config_in(SLOT, at + offset, size);
}

static void set_reg(unsigned offset, uint32_t value, unsigned size)
{
    config_out(SLOT, at + offset, value, size);
}

/* ---- MSI ----------------------------------------------------------------------- */

static void add_msi(PCIDevice *pci)
{
    GError *err = NULL;

    expect(msi_add(pci, 0, wanted.vectors, wanted.address64, wanted.masks, &err), "%s",
           err->message);
}

static void plug_msi(unsigned vectors, bool address64, bool masks)
{
    wanted.vectors = vectors;
    wanted.address64 = address64;
    wanted.masks = masks;
    func_recipe.more = add_msi;
    dev = host_plug("func,addr=1");
    at = pci_find_capability(dev, PCI_CAP_ID_MSI);
    config_out(SLOT, PCI_COMMAND, MASTER, 2);
}

static unsigned data_at(void)
{
    return wanted.address64 ? 0xc : 0x8;
}

static unsigned mask_at(void)
{
    return wanted.address64 ? 0x10 : 0xc;
}

static unsigned pending_at(void)
{
    return mask_at() + 4;
}

static void enable_msi(unsigned log2, uint64_t address, uint16_t data)
{
    set_reg(4, address, 4);
    if (wanted.address64) {
        set_reg(8, address >> 32, 4);
    }
    set_reg(data_at(), data, 2);
    set_reg(2, log2 << 4 | 1, 2);
}

/* Every bit of every register, of each of the 24 forms. */
START_TEST(msi_registers)
{
    for (unsigned form = 0; form < 4 * 6; form++) {
        unsigned log2 = form / 4, size;
        uint32_t flags, all = UINT32_MAX >> (32 - (1u << log2));

        start();
        plug_msi(1u << log2, form & 1, form & 2);
        size = wanted.masks ? pending_at() + 4 : data_at() + 2;
        flags = log2 << 1 | wanted.address64 << 7 | wanted.masks << 8;
        expect_hex(reg(0, 4), 5 | flags << 16);
        for (unsigned i = 4; i < size; i++) {
            expect_hex(reg(i, 1), 0);
        }
        for (unsigned i = 0; i < size; i++) {
            set_reg(i, 0xff, 1);
        }
        /* More vectors than there are cannot be given, or not for long. */
        expect_hex(reg(0, 4), 5 | (flags | log2 << 4 | 1) << 16);
        for (unsigned given = 0; given < 8; given++) {
            set_reg(2, given << 4, 2);
            expect_hex(reg(2, 2), flags | given << 4);
            set_reg(2, given << 4 | 1, 2);
            expect_hex(reg(2, 2), flags | MIN(given, log2) << 4 | 1);
        }
        set_reg(2, 0xff, 2);
        expect_hex(reg(4, 4), 0xfffffffc);
        if (wanted.address64) {
            expect_hex(reg(8, 4), 0xffffffff);
        }
        expect_hex(reg(data_at(), 2), 0xffff);
        if (wanted.masks) {
            expect_hex(reg(data_at() + 2, 2), 0);
            expect_hex(reg(mask_at(), 4), all);
            expect_hex(reg(pending_at(), 4), 0);
        }
        /* The next capability would begin there. */
        set_reg(size, 0xff, 1);
        expect_hex(reg(size, 1), 0);
        device_reset(&dev->device);
        expect_hex(reg(0, 4), 5 | flags << 16);
        for (unsigned i = 4; i < size; i++) {
            expect_hex(reg(i, 1), 0);
        }
        finish();
    }
}
END_TEST

START_TEST(msi_messages)
{
    start();
    plug_msi(8, true, false);
    expect(!msi_is_enabled(dev), "enabled");
    msi_notify(dev, 0);
    io_expect(&sink, NULL);
    for (unsigned log2 = 0; log2 <= 3; log2++) {
        enable_msi(log2, SINK + 0x10, 0xabca);
        expect(msi_is_enabled(dev), "not enabled");
        for (unsigned n = 0; n < 8; n++) {
            unsigned low = (1u << log2) - 1;
            char call[32];

            g_snprintf(call, sizeof(call), "w 10/4=%x",
                       (0xabca & ~low) | (n & low));
            msi_notify(dev, n);
            io_expect(&sink, call, NULL);
        }
    }
    expect_hex(sink.calls[0].attrs.requester_id, SLOT);
    /* High half; RAM takes a message, too, and bits 16 to 31 of it are 0. */
    enable_msi(0, 0x8000, 0x1234);
    store(&machine->memory, 0x8000, 8, UINT64_MAX, MEMTX_OK);
    msi_notify(dev, 0);
    expect_hex(load(&machine->memory, 0x8000, 8, MEMTX_OK), 0xffffffff00001234);
    enable_msi(0, UINT64_C(0x100000000) | SINK, 0x1234);
    msi_notify(dev, 0);
    io_expect(&sink, NULL);
    /* No master, no message, and none later. */
    enable_msi(0, SINK, 0x1234);
    config_out(SLOT, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    msi_notify(dev, 0);
    config_out(SLOT, PCI_COMMAND, MASTER, 2);
    io_expect(&sink, NULL);
    msi_notify(dev, 0);
    io_expect(&sink, "w 0/4=1234", NULL);
    set_reg(2, 0, 2);
    msi_notify(dev, 0);
    io_expect(&sink, NULL);
    finish();

    start();
    plug_msi(1, false, false);
    enable_msi(0, SINK + 4, 0x7777);
    msi_notify(dev, 0);
    io_expect(&sink, "w 4/4=7777", NULL);
    finish();
}
END_TEST

START_TEST(msi_masks)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        start();
        plug_msi(32, wide, true);
        enable_msi(5, SINK, 0xff00);
        set_reg(mask_at(), 0x80000011, 4);
        for (unsigned n = 0; n < 32; n += 4) {
            msi_notify(dev, n);
        }
        msi_notify(dev, 31);
        io_expect(&sink, "w 0/4=ff08", "w 0/4=ff0c", "w 0/4=ff10", "w 0/4=ff14",
                  "w 0/4=ff18", "w 0/4=ff1c", NULL);
        expect_hex(reg(pending_at(), 4), 0x80000011);
        set_reg(pending_at(), 0, 4);
        expect_hex(reg(pending_at(), 4), 0x80000011);
        /* Once, however often it was wanted. */
        msi_notify(dev, 31);
        set_reg(mask_at() + 3, 0, 1);
        io_expect(&sink, "w 0/4=ff1f", NULL);
        expect_hex(reg(pending_at(), 4), 0x11);
        /* While disabled nothing goes out; it does when it is enabled again. */
        set_reg(2, 5 << 4, 2);
        set_reg(mask_at(), 0x10, 4);
        msi_notify(dev, 8);
        io_expect(&sink, NULL);
        expect_hex(reg(pending_at(), 4), 0x11);
        set_reg(2, 5 << 4 | 1, 2);
        io_expect(&sink, "w 0/4=ff00", NULL);
        /* A reset forgets. */
        device_reset(&dev->device);
        config_out(SLOT, PCI_COMMAND, MASTER, 2);
        expect_hex(reg(pending_at(), 4), 0);
        expect_hex(reg(mask_at(), 4), 0);
        enable_msi(5, SINK, 0);
        io_expect(&sink, NULL);
        finish();
    }
}
END_TEST

START_TEST(msi_or_pin)
{
    start();
    plug_msi(1, true, false);
    pci_set_irq(dev, true);
    expect_hex(host_wires[WIRE], 16 + 1);
    set_reg(2, 1, 2);
    expect_hex(host_wires[WIRE], 32);
    pci_set_irq(dev, false);
    pci_set_irq(dev, true);
    expect_hex(host_wires[WIRE], 32);
    expect_hex(config_in(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 0);
    set_reg(2, 0, 2); /* what was then is forgotten */
    expect_hex(host_wires[WIRE], 32);
    pci_set_irq(dev, true);
    expect_hex(host_wires[WIRE], 48 + 1);
    set_reg(2, 1, 2);
    device_reset(&dev->device);
    expect_hex(host_wires[WIRE] & 1, 0);
    pci_set_irq(dev, true);
    expect_hex(host_wires[WIRE] & 1, 1);
    finish();
}
END_TEST

static GError *refusal;

static void add_msi_too_late(PCIDevice *pci)
{
    refusal = NULL;
    expect(pci_add_capability(pci, PCI_CAP_ID_VNDR, 0x40, 0xb8, NULL), "no room");
    expect(!msi_add(pci, 0, 1, true, false, &refusal), "there is room");
    expect(!pci->msi && !msi_is_enabled(pci), "it is there all the same");
    expect(!msix_add_exclusive_bar(pci, 1, 0, NULL), "there is room");
    expect(!pci->msix && !pci->bars[0].mr, "it is there all the same");
    expect(msi_add(pci, 0xf8, 1, false, false, NULL) == false, "beyond the end");
}

START_TEST(no_room)
{
    start();
    func_recipe.more = add_msi_too_late;
    host_plug("func,addr=1");
    expect(strstr(refusal->message, "no room for the 14 bytes"), "%s", refusal->message);
    g_error_free(refusal);
    finish();
}
END_TEST

/* ---- MSI-X --------------------------------------------------------------------- */

#define ENTRY(n) (BAR + wanted.table + 16 * (n))

static void add_msix(PCIDevice *pci)
{
    Func *f = (Func *)pci;
    GError *err = NULL;
    bool ok = wanted.exclusive
        ? msix_add_exclusive_bar(pci, wanted.vectors, 0, &err)
        : msix_add(pci, wanted.vectors, &f->bars[0].mr, 0, wanted.table,
                   &f->bars[wanted.pba_bar].mr, wanted.pba_bar, wanted.pba, &err);

    expect(ok, "%s", err->message);
}

/* In BAR 0 of 64 KiB, or one of its own. */
static void plug_msix(unsigned vectors, uint32_t table, unsigned pba_bar, uint32_t pba)
{
    wanted.vectors = vectors;
    wanted.table = table;
    wanted.pba_bar = pba_bar;
    wanted.pba = pba;
    wanted.exclusive = false;
    func_recipe.bars[0].size = 0x10000;
    func_recipe.bars[1].size = pba_bar ? 0x1000 : 0;
    func_recipe.more = add_msix;
    dev = host_plug("func,addr=1");
    at = pci_find_capability(dev, PCI_CAP_ID_MSIX);
    config_out(SLOT, PCI_BASE_ADDRESS_0, BAR, 4);
    config_out(SLOT, PCI_BASE_ADDRESS_1, BAR + 0x100000, 4);
    config_out(SLOT, PCI_COMMAND, MASTER, 2);
}

static uint64_t get(uint64_t addr, unsigned size)
{
    return load(&machine->memory, addr, size, MEMTX_OK);
}

static void set(uint64_t addr, uint64_t value, unsigned size)
{
    store(&machine->memory, addr, size, value, MEMTX_OK);
}

static void set_entry(unsigned n, uint64_t address, uint32_t data, bool masked)
{
    set(ENTRY(n), address, 8);
    set(ENTRY(n) + 8, (uint64_t)masked << 32 | data, 8);
}

static uint64_t pending_addr(void)
{
    return BAR + wanted.pba_bar * 0x100000 + wanted.pba;
}

START_TEST(msix_registers)
{
    start();
    plug_msix(65, 0x2000, 0, 0x3008);
    expect_hex(reg(0, 4), 0x00400011);
    expect_hex(reg(4, 4), 0x2000);
    expect_hex(reg(8, 4), 0x3008);
    for (unsigned i = 0; i < 12; i++) {
        set_reg(i, 0xff, 1);
    }
    expect_hex(reg(0, 4), 0xc0400011);
    expect_hex(reg(4, 4), 0x2000);
    expect_hex(reg(8, 4), 0x3008);

    /* What the table keeps, at each width, and what it refuses. */
    expect_hex(get(ENTRY(64) + 8, 8), UINT64_C(1) << 32);
    set(ENTRY(64), 0x0123456789abcdef, 8);
    set(ENTRY(64) + 8, 0xfffffffe87654321, 8);
    expect_hex(get(ENTRY(64), 4), 0x89abcdef);
    expect_hex(get(ENTRY(64) + 4, 4), 0x01234567);
    expect_hex(get(ENTRY(64) + 8, 4), 0x87654321);
    expect_hex(get(ENTRY(64) + 12, 4), 0xfffffffe);
    set(ENTRY(64) + 4, 0xaaaaaaaa, 4);
    expect_hex(get(ENTRY(64), 8), 0xaaaaaaaa89abcdef);
    for (unsigned size = 1; size <= 2; size++) {
        uint8_t bytes[2];

        expect(address_space_read(&machine->memory, ENTRY(64), bytes, size) != MEMTX_OK,
               "%u bytes read", size);
        expect(address_space_write(&machine->memory, ENTRY(64), bytes, size) != MEMTX_OK,
               "%u bytes written", size);
    }
    expect_hex(get(ENTRY(64), 8), 0xaaaaaaaa89abcdef);

    /* The pending bits are only to be read. */
    expect_hex(get(pending_addr(), 8), 0);
    set(pending_addr(), UINT64_MAX, 8);
    set(pending_addr() + 12, UINT32_MAX, 4);
    expect_hex(get(pending_addr(), 8), 0);
    expect_hex(get(pending_addr() + 8, 8), 0);

    /* Around both the function's own registers show. */
    expect_hex(get(ENTRY(0) - 4, 4), bar_value(SLOT, 0, 0x1ffc));
    expect_hex(get(ENTRY(65), 4), bar_value(SLOT, 0, 0x2410));
    expect_hex(get(pending_addr() - 4, 4), bar_value(SLOT, 0, 0x3004));
    expect_hex(get(pending_addr() + 16, 4), bar_value(SLOT, 0, 0x3018));

    msix_notify(dev, 0);
    msix_notify(dev, 64);
    expect_hex(get(pending_addr() + 8, 8), 1);
    device_reset(&dev->device);
    expect_hex(reg(0, 4), 0x00400011);
    config_out(SLOT, PCI_BASE_ADDRESS_0, BAR, 4);
    config_out(SLOT, PCI_COMMAND, MASTER, 2);
    expect_hex(get(pending_addr(), 8), 0);
    expect_hex(get(pending_addr() + 8, 8), 0);
    for (unsigned n = 0; n < 65; n++) {
        expect_hex(get(ENTRY(n), 8), 0);
        expect_hex(get(ENTRY(n) + 8, 8), UINT64_C(1) << 32);
    }
    finish();
}
END_TEST

START_TEST(msix_messages)
{
    start();
    plug_msix(70, 0, 1, 0x800);
    expect_hex(reg(8, 4), 0x801);
    expect(!msix_is_enabled(dev), "enabled");
    msix_notify(dev, 3);
    expect_hex(get(pending_addr(), 8), 0);
    set_entry(3, SINK + 0x30, 0x11223344, false);
    set_entry(4, UINT64_C(0x100000000) | SINK, 0x55, false);
    msix_notify(dev, 3);
    io_expect(&sink, NULL);
    set_reg(2, 0x8000, 2);
    expect(msix_is_enabled(dev), "not enabled");
    io_expect(&sink, NULL);
    msix_notify(dev, 3);
    io_expect(&sink, "w 30/4=11223344", NULL);
    msix_notify(dev, 4); /* nobody is there */
    io_expect(&sink, NULL);

    /* Masked alone. */
    set_entry(69, SINK, 0x99, true);
    msix_notify(dev, 69);
    msix_notify(dev, 69);
    io_expect(&sink, NULL);
    expect_hex(get(pending_addr() + 8, 8), 0x20);
    set(ENTRY(69) + 8, 0x98, 4);
    io_expect(&sink, NULL);
    set(ENTRY(69) + 12, 0, 4);
    io_expect(&sink, "w 0/4=98", NULL);
    expect_hex(get(pending_addr() + 8, 8), 0);

    /* All masked. */
    set_reg(3, 0xc0, 1);
    msix_notify(dev, 69);
    msix_notify(dev, 3);
    msix_notify(dev, 5);
    io_expect(&sink, NULL);
    expect_hex(get(pending_addr(), 8), 0x28);
    set(ENTRY(3) + 12, 0, 4);
    io_expect(&sink, NULL);
    set_reg(3, 0x80, 1);
    io_expect(&sink, "w 30/4=11223344", "w 0/4=98", NULL);
    expect_hex(get(pending_addr(), 8), 0x20); /* it is masked alone still */
    expect_hex(get(pending_addr() + 8, 8), 0);

    /* Disabled in between. */
    set_reg(2, 0, 2);
    set(ENTRY(5), SINK + 8, 8);
    set(ENTRY(5) + 8, 0x1234, 8);
    io_expect(&sink, NULL);
    set_reg(2, 0x8000, 2);
    io_expect(&sink, "w 8/4=1234", NULL);

    /* No master: lost. */
    config_out(SLOT, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    msix_notify(dev, 3);
    config_out(SLOT, PCI_COMMAND, MASTER, 2);
    io_expect(&sink, NULL);
    finish();
}
END_TEST

START_TEST(msix_or_pin)
{
    start();
    plug_msix(1, 0, 0, 0x800);
    pci_set_irq(dev, true);
    expect_hex(host_wires[WIRE], 16 + 1);
    set_reg(3, 0xc0, 1);
    expect_hex(host_wires[WIRE], 32);
    expect_hex(config_in(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 0);
    set_reg(3, 0x40, 1);
    expect_hex(host_wires[WIRE], 32);
    pci_set_irq(dev, true);
    expect_hex(host_wires[WIRE], 48 + 1);
    set_reg(3, 0x80, 1);
    expect_hex(host_wires[WIRE], 64);
    device_reset(&dev->device);
    expect_hex(host_wires[WIRE], 64);
    finish();
}
END_TEST

START_TEST(msix_own_bar)
{
    static const struct {
        unsigned vectors;
        uint32_t size, pba;
    } cases[] = {
        { 1, 0x1000, 0x800 },      { 128, 0x1000, 0x800 },
        { 129, 0x1000, 0x810 },    { 252, 0x1000, 0xfc0 },
        { 254, 0x1000, 0xfe0 },    { 255, 0x2000, 0xff0 },    { 2048, 0x10000, 0x8000 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned last = cases[i].vectors - 1;

        start();
        wanted.vectors = cases[i].vectors;
        wanted.exclusive = true;
        wanted.table = 0;
        func_recipe.more = add_msix;
        dev = host_plug("func,addr=1");
        at = pci_find_capability(dev, PCI_CAP_ID_MSIX);
        expect_hex(dev->bars[0].size, cases[i].size);
        expect_hex(reg(4, 4), 0);
        expect_hex(reg(8, 4), cases[i].pba);
        config_out(SLOT, PCI_BASE_ADDRESS_0, BAR, 4);
        config_out(SLOT, PCI_COMMAND, MASTER, 2);
        set_reg(2, 0x8000, 2);
        set_entry(last, SINK, 0xabc, true);
        msix_notify(dev, last);
        expect_hex(get(BAR + cases[i].pba + last / 64 * 8, 8),
                   UINT64_C(1) << last % 64);
        set(ENTRY(last) + 12, 0, 4);
        io_expect(&sink, "w 0/4=abc", NULL);
        finish();
    }
}
END_TEST

static const struct {
    unsigned vectors;
    uint32_t table, pba;
    const char *error;
} misfits[] = {
    { 16, 0xff8, 0, "do not fit" },     { 16, 0, 0x1000, "do not fit" },
    { 2048, 0, 0x800, "do not fit" },   { 16, 0xfffffff8, 0, "do not fit" },
    { 16, 0, 0xf8, "overlap" },         { 16, 0x100, 0x1f8, "overlap" },
};

static void add_misfits(PCIDevice *pci)
{
    MemoryRegion *mr = &((Func *)pci)->bars[0].mr;

    for (unsigned i = 0; i < G_N_ELEMENTS(misfits); i++) {
        GError *err = NULL;

        expect(!msix_add(pci, misfits[i].vectors, mr, 0, misfits[i].table, mr, 0,
                         misfits[i].pba, &err), "%u is added", i);
        expect(strstr(err->message, misfits[i].error), "%s", err->message);
        g_error_free(err);
        expect(!pci->msix && !pci_find_capability(pci, PCI_CAP_ID_MSIX), "left");
    }
    expect(msix_add(pci, 16, mr, 0, 0, mr, 0, 0x100, NULL), "they touch, no more");
}

static void add_behind_bits(PCIDevice *pci)
{
    MemoryRegion *mr = &((Func *)pci)->bars[0].mr;

    expect(msix_add(pci, 255, mr, 0, 0x10, mr, 0, 0xff0 + 0x10, NULL) == false, "beyond");
    expect(msix_add(pci, 65, mr, 0, 0x10, mr, 0, 0, NULL), "they touch, no more");
}

START_TEST(msix_misfits)
{
    start();
    func_recipe.bars[0].size = 0x1000;
    func_recipe.more = add_misfits;
    host_plug("func,addr=1");
    func_recipe.more = add_behind_bits;
    host_plug("func,addr=2");
    finish();
}
END_TEST

/* Messages to where messages come from. */
START_TEST(to_itself)
{
    start();
    plug_msix(4, 0, 0, 0x800);
    set_reg(2, 0x8000, 2);
    /* 0 unmasks 1, whose message goes to the table as well: refused, once inside. */
    set_entry(0, ENTRY(1) + 12, 0, false);
    set_entry(1, ENTRY(2) + 8, 0x77, true);
    msix_notify(dev, 1);
    msix_notify(dev, 0);
    expect_hex(get(ENTRY(1) + 12, 4), 0);
    expect_hex(get(ENTRY(2) + 8, 4), 0);
    expect_hex(get(pending_addr(), 8), 0);
    /* To its own vector control, to the pending bits, across their ends, to nothing. */
    set_entry(3, ENTRY(3) + 12, 1, false);
    msix_notify(dev, 3);
    expect_hex(get(ENTRY(3) + 12, 4), 1);
    for (unsigned i = 0; i < 16; i++) {
        set_entry(2, pending_addr() - 8 + i, UINT32_MAX, false);
        msix_notify(dev, 2);
        set_entry(2, ENTRY(4) - 8 + i, 1, false);
        msix_notify(dev, 2);
        set_entry(2, UINT64_MAX - i, 1, false);
        msix_notify(dev, 2);
        set_entry(2, HOST_RAM_SIZE - i, 1, false);
        msix_notify(dev, 2);
    }
    expect_hex(get(pending_addr(), 8), 0);
    io_expect(&sink, NULL);
    finish();
}
END_TEST

/* ---- by chance ----------------------------------------------------------------- */

#define VECTORS 67

static uint64_t seed;

static uint64_t dice(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 20 ^ seed >> 45;
}

/* What the specification says of a table; messages are counted by their data. */
static struct {
    uint64_t address[VECTORS];
    uint32_t data[VECTORS], control[VECTORS];
    bool pending[VECTORS];
    bool enabled, masked, master;
    unsigned sent;
    uint32_t sum;
} model;

static void model_settle(unsigned n)
{
    if (model.pending[n] && model.enabled && !model.masked && !(model.control[n] & 1)) {
        model.pending[n] = false;
        if (model.master && model.address[n] == SINK) {
            model.sent++;
            model.sum = model.sum * 31 + model.data[n];
        }
    }
}

static void sum_up(IoDevice *io, const IoCall *call)
{
    uint32_t *sum = io->hook_opaque;

    expect(call->is_write && call->size == 4, "not a message");
    *sum = *sum * 31 + call->data;
}

static void step(void)
{
    unsigned n = dice() % VECTORS;
    uint64_t value = dice();

    switch (dice() % 8) {
    case 0:
        model.enabled = value & 1;
        model.masked = value & 2;
        set_reg(2, (value & 1) << 15 | (value & 2) << 13, 2);
        for (unsigned i = 0; i < VECTORS; i++) {
            model_settle(i);
        }
        break;
    case 1:
        model.master = value % 8 != 0;
        config_out(SLOT, PCI_COMMAND, PCI_COMMAND_MEMORY | model.master << 2, 2);
        break;
    case 2:
        model.address[n] = value % 4 ? SINK : value << 32;
        set(ENTRY(n), model.address[n], 8);
        /* Any write of an entry is a look at it; it can change nothing then. */
        break;
    case 3:
        model.data[n] = value;
        set(ENTRY(n) + 8, model.data[n], 4);
        break;
    case 4:
        model.control[n] = value;
        set(ENTRY(n) + 12, model.control[n], 4);
        model_settle(n);
        break;
    case 5:
        model.data[n] = value;
        model.control[n] = value >> 8 & 3;
        set(ENTRY(n) + 8, (uint64_t)model.control[n] << 32 | model.data[n], 8);
        model_settle(n);
        break;
    default:
        if (model.enabled) {
            model.pending[n] = true;
            model_settle(n);
        }
        msix_notify(dev, n);
    }
}

START_TEST(by_chance)
{
    uint64_t steps = test_number("FLATVIEW_STEPS", 20000);
    uint32_t sum = 0;

    seed = test_number("FLATVIEW_SEED", time(NULL));
    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ", seed);
    start();
    plug_msix(VECTORS, 0x1000, 0, 0x2000);
    memset(&model, 0, sizeof(model));
    model.master = true;
    for (unsigned i = 0; i < VECTORS; i++) {
        model.control[i] = 1;
    }
    sink.hook = sum_up;
    sink.hook_opaque = &sum;
    for (uint64_t i = 0; i < steps; i++) {
        unsigned n = dice() % VECTORS;

        step();
        expect(sum == model.sum, "step %" PRIu64 ": messages", i);
        expect_hex(get(pending_addr() + n / 64 * 8, 8) >> n % 64 & 1, model.pending[n]);
        expect_hex(get(ENTRY(n) + 12, 4), model.control[n]);
    }
    expect(model.sent > steps / 100, "%u messages are no test", model.sent);
    sink.nr_calls = 0;
    finish();
}
END_TEST

TEST_MAIN("msi", msi_registers, msi_messages, msi_masks, msi_or_pin, no_room,
          msix_registers, msix_messages, msix_or_pin, msix_own_bar, msix_misfits,
          to_itself, by_chance)
