/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core of PCI: configuration space, base address registers, expansion ROMs,
 * capabilities, interrupt wires, masters.
 */
#include <string.h>

#include "hw/pci/pci-host.h"
#include "tests/pci-world.h"

#define AT PCI_DEVFN(3, 0) /* where most tests have theirs */
#define BAR(n) (PCI_BASE_ADDRESS_0 + 4 * (n))
#define NOTHING 0xffffffffu
#define IO PCI_BASE_ADDRESS_SPACE_IO
#define MEM64 PCI_BASE_ADDRESS_MEM_TYPE_64
#define PREFETCH PCI_BASE_ADDRESS_MEM_PREFETCH

static void bar_set(unsigned n, uint8_t type, uint64_t size)
{
    func_recipe.bars[n] = (FuncBar){ size, type };
}

static void command(unsigned devfn, unsigned bits)
{
    config_out(devfn, PCI_COMMAND, bits, 2);
}

/* A file of @size bytes of content 7 in a folder of its own; to be freed. */
static char *rom_file(unsigned size)
{
    g_autofree uint8_t *bytes = g_malloc(size + 1);
    char *path = g_strdup("/tmp/flatview-rom-XXXXXX");
    int fd = g_mkstemp(path);

    content_fill(bytes, 7, 0, size);
    expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size, "%s", path);
    close(fd);
    return path;
}

/* ---- the header ----------------------------------------------------------------- */

START_TEST(header)
{
    host_init();
    host_plug("func,addr=3,multifunction=on");
    host_plug("other-func,addr=4,romfile=");
    host_plug("test-bridge,addr=5");
    expect_hex(config_in(AT, PCI_VENDOR_ID, 4), 0x56781234);
    expect_hex(config_in(AT, PCI_CLASS_REVISION, 4), 0x0c033042);
    expect_hex(config_in(AT, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    expect_hex(config_in(AT, PCI_HEADER_TYPE, 1), 0x80);
    expect_hex(config_in(AT, PCI_STATUS, 2), 0);
    expect_hex(config_in(0x20, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x44443333);
    expect_hex(config_in(0x20, PCI_HEADER_TYPE, 1), 0);
    expect_hex(config_in(0x28, PCI_HEADER_TYPE, 1), 1);
    expect_hex(config_in(0x28, 0x2c, 4), 0); /* not of type 1's */
    host_free();
}
END_TEST

START_TEST(widths)
{
    PCIDevice *dev;

    host_init();
    dev = host_plug("func,addr=3");
    for (unsigned i = 0x40; i < PCI_CONFIG_SIZE; i++) {
        dev->config[i] = i;
        dev->wmask[i] = 0xff;
    }
    expect_hex(config_in(AT, 0x44, 4), 0x47464544);
    expect_hex(config_in(AT, 0x45, 4), 0x48474645); /* across dwords */
    expect_hex(config_in(AT, 0x47, 2), 0x4847);
    expect_hex(config_in(AT, 0x45, 2), 0x4645);
    expect_hex(config_in(AT, 0x46, 3), 0x484746);
    expect_hex(config_in(AT, 0x47, 1), 0x47);
    expect_hex(config_in(AT, 0xfe, 4), 0xfffffffe); /* beyond: ones */
    expect_hex(config_in(AT, 0x1000, 2), 0xffff);
    expect_hex(config_in(AT + 1, 0, 1), 0xff); /* nobody */
    expect_hex(config_in(AT + 8, 0, 2), 0xffff);
    expect_hex(pci_host_read(&host_bus, 0, 256, 0, 4), NOTHING);
    expect_hex(pci_host_read(&host_bus, 1, AT, 0, 4), NOTHING);
    config_out(AT, 0x45, 0xa3a2a1a0, 4);
    expect_hex(config_in(AT, 0x44, 4), 0xa2a1a044);
    expect_hex(config_in(AT, 0x48, 4), 0x4b4a49a3);
    config_out(AT, 0x4d, 0xb1b0, 2);
    expect_hex(config_in(AT, 0x4c, 4), 0x4fb1b04c);
    config_out(AT, 0xfe, 0xc3c2c1c0, 4);
    expect_hex(config_in(AT, 0xfc, 4), 0xc1c0fdfc);
    config_out(AT, 0x100, 0, 4);
    config_out(AT + 1, 0x44, 0, 4);
    pci_host_write(&host_bus, 7, AT, 0x44, 0, 4);
    expect_hex(config_in(AT, 0x44, 4), 0xa2a1a044);
    host_free();
}
END_TEST

/* A function's own callbacks see aligned pieces, of no more than a dword. */
static GString *pieces;

static uint32_t note_read(PCIDevice *dev, unsigned addr, unsigned size)
{
    g_string_append_printf(pieces, "r%x/%u ", addr, size);
    return 0xfedcba98 + pci_config_read(dev, addr, size);
}

static void note_write(PCIDevice *dev, unsigned addr, uint32_t value, unsigned size)
{
    g_string_append_printf(pieces, "w%x/%u=%x ", addr, size, value);
}

START_TEST(own_callbacks)
{
    PCIDevice *dev;
    DeviceType type;
    PCIInfo info;

    host_init();
    dev = host_plug("func,addr=3");
    type = *dev->device.type;
    info = *type.pci;
    info.config_read = note_read;
    info.config_write = note_write;
    type.pci = &info;
    dev->device.type = &type;
    pieces = g_string_new(NULL);
    expect_hex(config_in(AT, 0xf0, 1), 0x98); /* no more than was asked for */
    expect_hex(config_in(AT, 0xf3, 2), 0x9898);
    config_in(AT, 0xf1, 4);
    config_in(AT, 0xff, 4);
    config_out(AT, 0xf1, 0x44332211, 4);
    config_out(AT, 0xf2, 0x44332211, 2);
    config_out(AT, 0xff, 0x2211, 2);
    expect(strcmp(pieces->str,
                  "rf0/1 rf3/1 rf4/1 rf1/1 rf2/2 rf4/1 rff/1 "
                  "wf1/1=11 wf2/2=3322 wf4/1=44 wf2/2=2211 wff/1=11 ") == 0,
           "%s", pieces->str);
    g_string_free(pieces, TRUE);
    host_free();
}
END_TEST

static void masks(PCIDevice *dev)
{
    dev->config[0x40] = 0xff;
    dev->wmask[0x41] = 0x0f;
    dev->config[0x42] = 0xff;
    dev->w1cmask[0x42] = 0xf0;
}

START_TEST(what_can_be_written)
{
    static const struct {
        uint8_t at, ones, zeros;
    } want[] = {
        { PCI_VENDOR_ID, 0x34, 0x34 }, { PCI_DEVICE_ID + 1, 0x56, 0x56 },
        { PCI_COMMAND, 0x47, 0 }, { PCI_COMMAND + 1, 0x05, 0 },
        { PCI_STATUS, 0, 0 }, { PCI_REVISION_ID, 0x42, 0x42 },
        { PCI_CACHE_LINE_SIZE, 0xff, 0 }, { PCI_HEADER_TYPE, 0, 0 },
        { PCI_BASE_ADDRESS_0, 0, 0 }, { PCI_SUBSYSTEM_ID, 0, 0 },
        { PCI_ROM_ADDRESS, 0, 0 }, { PCI_CAPABILITY_LIST, 0, 0 },
        { PCI_INTERRUPT_LINE, 0xff, 0 }, { PCI_INTERRUPT_PIN, 1, 1 },
        { 0x40, 0xff, 0xff }, { 0x41, 0x0f, 0 }, { 0x42, 0x0f, 0x0f }, { 0xff, 0, 0 },
    };

    host_init();
    func_recipe.pin = 1;
    func_recipe.more = masks;
    host_plug("func,addr=3");
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        config_out(AT, want[i].at, 0xff, 1);
        expect(config_in(AT, want[i].at, 1) == want[i].ones,
               "0x%x: %x after ones", want[i].at, config_in(AT, want[i].at, 1));
        config_out(AT, want[i].at, 0, 1);
        expect(config_in(AT, want[i].at, 1) == want[i].zeros,
               "0x%x: %x after zeros", want[i].at, config_in(AT, want[i].at, 1));
    }
    host_free();
}
END_TEST

START_TEST(reset)
{
    PCIDevice *dev;

    host_init();
    func_recipe.pin = 2;
    func_recipe.more = masks;
    bar_set(0, 0, 0x1000);
    dev = host_plug("func,addr=3");
    config_out(AT, BAR(0), 0xf0000000, 4);
    command(AT, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    config_out(AT, 0x41, 0xff, 1);
    config_out(AT, 0x42, 0xff, 1);
    config_out(AT, PCI_INTERRUPT_LINE, 11, 1);
    pci_set_irq(dev, true);
    expect_hex(host_wires[0], 16 + 1); /* slot 3, INTB */
    expect_hex(memory_in(0xf0000000), bar_value(AT, 0, 0));
    device_reset(&dev->device);
    expect_hex(((Func *)dev)->resets, 1);
    expect_hex(config_in(AT, PCI_COMMAND, 4), 0);
    expect_hex(config_in(AT, BAR(0), 4), 0);
    expect_hex(config_in(AT, 0x40, 4), 0xff00ff);
    expect_hex(config_in(AT, PCI_INTERRUPT_LINE, 2), 0x200);
    expect_hex(memory_in(0xf0000000), NOTHING);
    expect_hex(host_wires[0], 32);
    expect(pci_dma_read(dev, 0, &(uint32_t){ 0 }, 4) == MEMTX_DECODE_ERROR, "a master");
    host_free();
}
END_TEST

/* ---- base address registers ----------------------------------------------------- */

START_TEST(sizing)
{
    static const struct {
        uint8_t type;
        uint64_t size, ones;
    } want[] = {
        { 0, 16, 0xfffffff0 }, { 0, 0x1000, 0xfffff000 },
        { PREFETCH, 0x100000, 0xfff00008 }, { 0, 0x80000000, 0x80000000 },
        { MEM64, 0x4000, 0xffffffffffffc004 },
        { MEM64 | PREFETCH, 0x100000000, 0xffffffff0000000c },
        { MEM64 | PREFETCH, UINT64_C(1) << 40, 0xffffff000000000c },
        { IO, 4, 0xfffffffd }, { IO, 0x100, 0xffffff01 }, { IO, 0x10000, 0xffff0001 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        bool wide = want[i].type & MEM64;

        for (unsigned n = 0; n + wide < PCI_BARS; n++) {
            uint64_t value;

            host_init();
            bar_set(n, want[i].type, want[i].size);
            host_plug("func,addr=3");
            expect_hex(config_in(AT, BAR(n), 4), want[i].type);
            command(AT, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
            for (unsigned m = 0; m < PCI_BARS; m++) {
                config_out(AT, BAR(m), NOTHING, 4);
            }
            value = config_in(AT, BAR(n), 4);
            if (wide) {
                value |= (uint64_t)config_in(AT, BAR(n + 1), 4) << 32;
            }
            expect_hex(value, want[i].ones);
            expect(!wide || !memory_region_present(&host_memory, value), "mapped");
            for (unsigned m = 0; m < PCI_BARS; m++) {
                expect(m == n || (wide && m == n + 1) || !config_in(AT, BAR(m), 4),
                       "BAR %u", m);
            }
            config_out(AT, BAR(n), 0, 4);
            expect_hex(config_in(AT, BAR(n), 4), want[i].type);
            host_free();
        }
    }
}
END_TEST

START_TEST(enabled_by_command)
{
    host_init();
    bar_set(0, 0, 0x1000);
    bar_set(1, IO, 0x20);
    bar_set(2, MEM64, 0x2000);
    host_plug("func,addr=3");
    config_out(AT, BAR(0), 0xf0000000, 4);
    config_out(AT, BAR(1), 0xc000, 4);
    config_out(AT, BAR(2), 0, 4);
    config_out(AT, BAR(3), 0x12, 4);
    for (unsigned bits = 0; bits < 4; bits++) {
        bool io = bits & PCI_COMMAND_IO, memory = bits & PCI_COMMAND_MEMORY;

        command(AT, bits);
        expect_hex(memory_in(0xf0000ffc), memory ? bar_value(AT, 0, 0xffc) : NOTHING);
        expect_hex(memory_in(0x1200001000), memory ? bar_value(AT, 2, 0x1000) : NOTHING);
        expect_hex(ports_in(0xc01c), io ? bar_value(AT, 1, 0x1c) : NOTHING);
        expect_hex(memory_in(0xf0001000), NOTHING);
        expect_hex(ports_in(0xc020), NOTHING);
        expect_hex(ports_in(0xbffc), NOTHING);
        expect_hex(memory_in(0xc000), 0); /* RAM, not ports */
    }
    host_free();
}
END_TEST

/* BAR 0 of @type and @size at @addr: mapped or not. */
static void place(uint8_t type, uint64_t size, uint64_t addr, bool mapped)
{
    PCIDevice *dev;

    host_init();
    bar_set(0, type, size);
    dev = host_plug("func,addr=3");
    command(AT, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    config_out(AT, BAR(0), addr, 4);
    config_out(AT, BAR(1), addr >> 32, 4);
    expect((dev->bars[0].addr != PCI_BAR_UNMAPPED) == mapped,
           "type %u of 0x%" PRIx64 " at 0x%" PRIx64 " %s", type, size, addr,
           mapped ? "is not mapped" : "is mapped");
    if (mapped) {
        uint64_t first = dev->bars[0].addr, last = first + size - 4;

        expect_hex(first, (type & MEM64 ? addr : (uint32_t)addr) & ~(size - 1));
        expect_hex(type & IO ? ports_in(last) : memory_in(last),
                   bar_value(AT, 0, size - 4));
    }
    host_free();
}

START_TEST(where_it_cannot_be)
{
    place(0, 0x1000, 0, false);
    place(0, 0x1000, 0xfff, false);
    place(0, 0x1000, 0x123456, true); /* low bits do not count */
    place(0, 0x1000, 0xfffff000, false);
    place(0, 0x1000, 0xffffe000, true);
    place(0, 0x80000000, 0x80000000, false); /* up to the last byte */
    place(0, 0x1000, 0x1f0000000, true); /* there is no upper half: 0xf0000000 */
    place(MEM64, 0x1000, 0, false);
    place(MEM64, 0x1000, 0xfffff000, true);
    place(MEM64, 0x1000, 0x100000000, true);
    place(MEM64, UINT64_C(1) << 63, UINT64_C(1) << 63, false);
    place(MEM64, 0x1000, 0xfffffffffffff000, false);
    place(MEM64, 0x1000, 0xffffffffffffe000, true);
    place(MEM64, UINT64_C(1) << 40, UINT64_C(5) << 40, true);
    place(IO, 4, 0, false);
    place(IO, 0x20, 0x1f, false);
    place(IO, 0x20, 0x400, true);
    place(IO, 0x20, 0xffe0, true);
    place(IO, 0x20, 0x10000, false);
    place(IO, 0x20, 0x1c000, false);
    place(IO, 0x20, 0xffffffe0, false);
    place(IO, 0x10000, 0, false);
}
END_TEST

START_TEST(moves_and_overlaps)
{
    host_init();
    bar_set(0, 0, 0x1000);
    bar_set(1, 0, 0x4000);
    host_plug("func,addr=3");
    command(AT, PCI_COMMAND_MEMORY);
    config_out(AT, BAR(0), 0xf0001000, 4);
    config_out(AT, BAR(1), 0xf0000000, 4);
    /* The one that came last is on top, */
    expect_hex(memory_in(0xf0001000), bar_value(AT, 1, 0x1000));
    config_out(AT, BAR(0), 0xf0002000, 4);
    expect_hex(memory_in(0xf0001000), bar_value(AT, 1, 0x1000));
    expect_hex(memory_in(0xf0002000), bar_value(AT, 0, 0));
    expect_hex(memory_in(0xf0003000), bar_value(AT, 1, 0x3000));
    /* what is written again does not move, */
    config_out(AT, BAR(1), 0xf0000000, 4);
    expect_hex(memory_in(0xf0002000), bar_value(AT, 0, 0));
    /* and what was hidden is there when it has gone. */
    config_out(AT, BAR(0), 0xf0100000, 4);
    expect_hex(memory_in(0xf0002000), bar_value(AT, 1, 0x2000));
    expect_hex(memory_in(0xf0100000), bar_value(AT, 0, 0));
    config_out(AT, BAR(0), 0x8000, 4); /* below RAM */
    expect_hex(memory_in(0x8000), 0);
    expect_hex(memory_in(0xf0100000), NOTHING);
    config_out(AT, BAR(0), HOST_RAM_SIZE, 4);
    expect_hex(memory_in(HOST_RAM_SIZE), bar_value(AT, 0, 0));
    /* One byte of the register is enough to move it. */
    config_out(AT, BAR(0) + 3, 0xd0, 1);
    expect_hex(memory_in(0xd0000000 + HOST_RAM_SIZE), bar_value(AT, 0, 0));
    host_free();
}
END_TEST

/* What a board shows on the bus by itself is below them. */
START_TEST(over_the_board)
{
    MemoryRegion mr;

    host_init();
    memory_region_init_ram(&mr, "of the board", 0x2000);
    memory_region_add_subregion(&host_memory, 0xf0000000, &mr);
    bar_set(0, 0, 0x1000);
    host_plug("func,addr=3");
    command(AT, PCI_COMMAND_MEMORY);
    config_out(AT, BAR(0), 0xf0000000, 4);
    expect_hex(memory_in(0xf0000000), bar_value(AT, 0, 0));
    expect_hex(memory_in(0xf0001000), 0);
    command(AT, 0);
    expect_hex(memory_in(0xf0000000), 0);
    memory_region_del_subregion(&host_memory, &mr);
    memory_region_destroy(&mr);
    host_free();
}
END_TEST

/* A write to the BAR of one function does not move another's. */
START_TEST(two_functions)
{
    PCIDevice *dev;

    host_init();
    bar_set(0, 0, 0x1000);
    host_plug("func,addr=3");
    dev = host_plug("func,addr=4");
    command(AT, PCI_COMMAND_MEMORY);
    command(0x20, PCI_COMMAND_MEMORY);
    config_out(AT, BAR(0), 0xf0000000, 4);
    config_out(0x20, BAR(0), 0xf0000000, 4);
    expect_hex(memory_in(0xf0000000), bar_value(0x20, 0, 0));
    command(0x20, 0);
    expect_hex(memory_in(0xf0000000), bar_value(AT, 0, 0));
    /* A change behind the core's back, told to it. */
    pci_set_word(dev->config + PCI_COMMAND, PCI_COMMAND_MEMORY);
    expect_hex(memory_in(0xf0000000), bar_value(AT, 0, 0));
    pci_update_mappings(dev);
    expect_hex(memory_in(0xf0000000), bar_value(0x20, 0, 0));
    host_free();
}
END_TEST

/* ---- expansion ROMs ------------------------------------------------------------- */

START_TEST(rom)
{
    static const unsigned sizes[] = { 1, 2047, 2048, 2049, 100000 };

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        unsigned size = sizes[i], rounded = 2048;
        g_autofree char *path = rom_file(size);
        g_autofree char *text = g_strdup_printf("func,addr=3,romfile=%s", path);

        for (; rounded < size; rounded *= 2) {
        }
        host_init();
        host_plug(text);
        command(AT, PCI_COMMAND_MEMORY);
        config_out(AT, PCI_ROM_ADDRESS, NOTHING, 4);
        expect_hex(config_in(AT, PCI_ROM_ADDRESS, 4), -rounded | 1);
        config_out(AT, PCI_ROM_ADDRESS, 0xf0000000, 4);
        expect_hex(memory_in(0xf0000000), NOTHING); /* not enabled */
        config_out(AT, PCI_ROM_ADDRESS, 0xf0000001, 4);
        expect_hex(memory_in(0xf0000000) & 0xff, content_byte(7, 0));
        expect_hex(memory_in(0xf0000000 + size - 1) & 0xff, content_byte(7, size - 1));
        expect_hex(memory_in(0xf0000000 + rounded - 4) >> 24,
                   size == rounded ? content_byte(7, size - 1) : 0);
        expect_hex(memory_in(0xf0000000 + rounded), NOTHING);
        address_space_write(&machine->memory, 0xf0000000, (uint8_t[]){ 0 }, 1);
        expect_hex(memory_in(0xf0000000) & 0xff, content_byte(7, 0));
        command(AT, PCI_COMMAND_IO);
        expect_hex(memory_in(0xf0000000), NOTHING);
        host_free();
        unlink(path);
    }
}
END_TEST

START_TEST(rom_of_a_bridge)
{
    g_autofree char *path = rom_file(2048);
    g_autofree char *text = g_strdup_printf("test-bridge,addr=3,romfile=%s", path);

    host_init();
    host_plug(text);
    command(AT, PCI_COMMAND_MEMORY);
    config_out(AT, PCI_ROM_ADDRESS, NOTHING, 4); /* a window's register there */
    expect_hex(config_in(AT, PCI_ROM_ADDRESS, 4), 0);
    config_out(AT, PCI_ROM_ADDRESS1, 0xf0000001, 4);
    expect_hex(memory_in(0xf0000000) & 0xff, content_byte(7, 0));
    host_free();
    unlink(path);
}
END_TEST

START_TEST(rom_or_not)
{
    g_autofree char *path = rom_file(10);
    g_autofree char *none = g_strdup_printf("func,rombar=0,romfile=%s", path);

    host_init();
    host_plug(none);
    host_plug("func,romfile=");
    host_plug("other-func,romfile=");
    host_plug("other-func,rombar=0");
    for (unsigned slot = 0; slot < 4; slot++) {
        config_out(slot << 3, PCI_ROM_ADDRESS, NOTHING, 4);
        expect_hex(config_in(slot << 3, PCI_ROM_ADDRESS, 4), 0);
    }
    host_free();
    unlink(path);
}
END_TEST

START_TEST(rom_refused)
{
    g_autofree char *empty = rom_file(0), *large = rom_file(1);
    g_autofree char *text = g_strdup_printf("func,romfile=%s", empty);
    g_autofree char *large_text = g_strdup_printf("func,romfile=%s", large);

    host_init();
    expect(truncate(large, (INT64_C(2) << 30) + 1) == 0, "%s", large);
    host_refuse("func,romfile=/nonexistent/rom", "failed to find romfile "
                 "\"/nonexistent/rom\"", "No such file", NULL);
    host_refuse("other-func", "device 'other-func'", "default.rom", NULL);
    host_refuse("func,romfile=/tmp", "romfile \"/tmp\"", "no regular file", NULL);
    host_refuse("func,romfile=/dev/zero", "\"/dev/zero\"", "no regular file", NULL);
    host_refuse(text, "romfile", empty, "is empty", NULL);
    host_refuse(large_text, "romfile", large, "too large", NULL);
    /* It says that it has a page, and has less. */
    host_refuse("func,romfile=/sys/devices/system/cpu/online", "romfile \"/sys/",
                "No data", NULL);
    expect_hex(host_unrealized, 7);
    expect(!host_bus.devices[0], "its place is not free");
    host_free();
    unlink(empty);
    unlink(large);
}
END_TEST

/* ---- capabilities --------------------------------------------------------------- */

START_TEST(capabilities)
{
    GError *err = NULL;
    PCIDevice *dev;
    unsigned at, n;

    host_init();
    dev = host_plug("func,addr=3");
    expect_hex(pci_find_capability(dev, 0x05), 0);
    memset(dev->wmask + 0x40, 0xff, 0xc0);
    expect_hex(pci_add_capability(dev, 0x09, 0x48, 7, &err), 0x48);
    expect_hex(pci_add_capability(dev, 0x05, 0, 8, &err), 0x40);
    expect_hex(pci_add_capability(dev, 0x10, 0, 10, &err), 0x50); /* byte 0x4f is free */
    expect_hex(config_in(AT, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
    expect_hex(config_in(AT, PCI_CAPABILITY_LIST, 1), 0x50);
    expect_hex(config_in(AT, 0x50, 4), 0x4010);
    expect_hex(config_in(AT, 0x40, 4), 0x4805);
    expect_hex(config_in(AT, 0x48, 4), 0x0009);
    config_out(AT, 0x50, NOTHING, 4);
    config_out(AT, 0x58, 0x1111, 2);
    expect_hex(config_in(AT, 0x50, 4), 0x4010);
    expect_hex(config_in(AT, 0x58, 4), 0);
    config_out(AT, 0x4f, 0x11, 1);
    expect_hex(config_in(AT, 0x4f, 1), 0x11);
    expect_hex(pci_find_capability(dev, 0x05), 0x40);
    expect_hex(pci_find_capability(dev, 0x09), 0x48);
    expect_hex(pci_find_capability(dev, 0x11), 0);
    /* Not where something is, nor past the end. */
    expect(!pci_add_capability(dev, 0x11, 0x4c, 12, &err) &&
           strstr(err->message, "12 bytes") && strstr(err->message, "0x11") &&
           strstr(err->message, "where it has to be"), "0x4c");
    g_clear_error(&err);
    expect(!pci_add_capability(dev, 0x11, 0xf8, 12, &err), "past the end");
    g_clear_error(&err);
    expect(!pci_add_capability(dev, 0x11, 0x30, 4, &err), "the header");
    g_clear_error(&err);
    expect_hex(config_in(AT, PCI_CAPABILITY_LIST, 1), 0x50);
    /* 0x5c to 0xff: 41 dwords, and no more. */
    for (n = 0; (at = pci_add_capability(dev, 0x12, 0, 4, &err)); n++) {
        expect(at >= 0x5c && at % 4 == 0, "at 0x%x", at);
    }
    expect(n == 41, "%u", n);
    expect(strstr(err->message, "no room for the 4 bytes of capability 0x12"), "%s",
           err->message);
    g_clear_error(&err);
    host_free();
}
END_TEST

/* ---- interrupts ----------------------------------------------------------------- */

START_TEST(wires_are_shared)
{
    PCIDevice *a, *b;

    host_init();
    func_recipe.pin = 1;
    a = host_plug("func,addr=2");
    func_recipe.pin = 3;
    b = host_plug("func,addr=0");
    pci_set_irq(a, true);
    expect_hex(host_wires[2], 16 + 1);
    pci_set_irq(a, true); /* a level: no second count */
    pci_set_irq(b, true);
    expect_hex(config_in(0x10, PCI_STATUS, 2), PCI_STATUS_INTERRUPT);
    pci_set_irq(a, false);
    expect_hex(config_in(0x10, PCI_STATUS, 2), 0);
    expect_hex(host_wires[2], 16 + 1);
    command(0, PCI_COMMAND_INTX_DISABLE);
    expect_hex(host_wires[2], 32);
    expect_hex(config_in(0, PCI_STATUS, 2), PCI_STATUS_INTERRUPT); /* it wants to */
    config_out(0, PCI_COMMAND + 1, 0, 1);
    expect_hex(host_wires[2], 48 + 1);
    command(0, PCI_COMMAND_INTX_DISABLE);
    pci_set_irq(b, false);
    command(0, 0);
    expect_hex(host_wires[2], 64);
    pci_set_irq(b, true);
    expect_hex(host_wires[2], 80 + 1);
    expect_hex(host_wires[0] + host_wires[1] + host_wires[3], 0);
    host_free(); /* takes the level away */
    expect_hex(host_wires[2], 96);
}
END_TEST

/* A bridge in slot 1 with one in slot 2 behind it, and each pin of slot 3 there. */
START_TEST(wires_through_bridges)
{
    host_init();
    host_plug("test-bridge,id=b1,addr=1");
    host_plug("test-bridge,id=b2,addr=2,bus=b1");
    for (unsigned pin = 1; pin <= PCI_PINS; pin++) {
        g_autofree char *text =
            g_strdup_printf("func,bus=b2,addr=3.%u,multifunction=on", pin - 1);
        unsigned wire = ((((pin - 1 + 3) % 4) + 2) % 4 + 1) % 4;
        PCIDevice *dev;

        func_recipe.pin = pin;
        dev = host_plug(text);
        pci_set_irq(dev, true);
        expect_hex(host_wires[wire], 16 + 1);
        pci_set_irq(dev, false);
        expect_hex(host_wires[wire], 32);
        pci_set_irq(dev, true); /* until the end */
    }
    for (unsigned wire = 0; wire < PCI_PINS; wire++) {
        expect_hex(host_wires[wire], 48 + 1);
    }
    host_free();
    for (unsigned wire = 0; wire < PCI_PINS; wire++) {
        expect_hex(host_wires[wire], 64);
    }
}
END_TEST

/* ---- masters -------------------------------------------------------------------- */

START_TEST(masters)
{
    static IoDevice target;
    PCIDevice *dev, *behind, *bridge;
    uint32_t value = 0x12345678;

    host_init();
    io_device_init(&target, 1, "target", 0x100);
    memory_region_add_subregion(&machine->memory_root, 0x20000, &target.mr);
    dev = host_plug("func,addr=3");
    bridge = host_plug("test-bridge,addr=4,id=b");
    behind = host_plug("func,addr=1f.7,bus=b");
    expect_hex(pci_dma_write(dev, 0x100, &value, 4), MEMTX_DECODE_ERROR);
    expect_hex(pci_dma_read(dev, 0x100, &value, 4), MEMTX_DECODE_ERROR);
    expect_hex(value, NOTHING);
    command(AT, PCI_COMMAND_MASTER);
    value = 0x12345678;
    expect_hex(pci_dma_write(dev, 0x101, &value, 4), MEMTX_OK);
    expect_hex(memory_in(0x101), 0x12345678);
    expect_hex(pci_dma_read(dev, 0x103, &value, 2), MEMTX_OK);
    expect_hex(value, 0x12341234);
    expect_hex(pci_dma_read(dev, 0x103, &value, 0), MEMTX_OK);
    expect_hex(pci_dma_read(dev, 0x30000, &value, 4), MEMTX_DECODE_ERROR);
    expect_hex(pci_dma_read(dev, 0x20000, &value, 4), MEMTX_OK);
    expect_hex(target.calls[0].attrs.requester_id, AT);
    expect(!target.calls[0].attrs.unspecified, "it is known who it is");
    target.result = MEMTX_ERROR;
    expect_hex(pci_dma_write(dev, 0x20000, &value, 4), MEMTX_ERROR);
    target.result = MEMTX_OK;
    bridge->config[PCI_SECONDARY_BUS] = 5;
    pci_host_write(&host_bus, 5, 0xff, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    expect_hex(pci_dma_read(behind, 0x20000, &value, 4), MEMTX_OK);
    expect_hex(target.calls[2].attrs.requester_id, 0x5ff);
    command(AT, 0);
    expect_hex(pci_dma_read(dev, 0x100, &value, 4), MEMTX_DECODE_ERROR);
    memory_region_del_subregion(&machine->memory_root, &target.mr);
    memory_region_destroy(&target.mr);
    host_free();
}
END_TEST

/* A function that has itself as target gets an error, and does not recurse. */
START_TEST(master_of_itself)
{
    PCIDevice *dev;
    Func *f;

    host_init();
    bar_set(0, 0, 0x1000);
    dev = host_plug("func,addr=3");
    f = (Func *)dev;
    config_out(AT, BAR(0), 0xf0000000, 4);
    command(AT, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    address_space_write(&machine->memory, 0xf0000000, (uint8_t[4]){ 0, 1 }, 4);
    expect_hex(f->fetched, MEMTX_OK); /* RAM */
    address_space_write(&machine->memory, 0xf0000000, (uint8_t[4]){ 0, 0, 0, 0xf0 }, 4);
    expect_hex(f->fetched, MEMTX_ACCESS_ERROR);
    host_free();
}
END_TEST

TEST_MAIN("pci", header, widths, own_callbacks, what_can_be_written, reset, sizing,
          enabled_by_command, where_it_cannot_be, moves_and_overlaps, over_the_board,
          two_functions, rom, rom_of_a_bridge, rom_or_not, rom_refused, capabilities,
          wires_are_shared, wires_through_bridges, masters, master_of_itself)
