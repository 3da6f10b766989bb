/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA on the board pc, as firmware and drivers find it: on PCI, in memory and at
 * ports, before a bridge and behind one; and what its properties do. Registers by
 * themselves are in tests/test-vga.c, beside QEMU's in tests/compare-vga.py.
 */
#include <string.h>
#include <unistd.h>

#include "hw/display/bochs-vbe.h"
#include "tests/qtest/qpci.h"

#define VRAM 0xe0000000u
#define REGISTERS 0xf0000000u
#define WINDOW 0xa0000u

static QVM *vm;

static void start(const char *options)
{
    vm = qvm_start("-M pc -m 32 -nodefaults %s", options);
}

static void set(unsigned port, unsigned index, unsigned value)
{
    qvm_out(vm, port, value << 8 | index, 2);
}

static unsigned get(unsigned port, unsigned index)
{
    qvm_out(vm, port, index, 1);
    return qvm_in(vm, port + 1, 1);
}

static QPCI card(unsigned slot)
{
    QPCI f = qpci_function(vm, 0, slot, 0);
    QPCIBar vram = qpci_bar(&f, 0);
    QPCIBar registers = qpci_bar(&f, 2);

    qpci_map(&f, &vram, VRAM);
    if (registers.size) {
        qpci_map(&f, &registers, REGISTERS);
    }
    return f;
}

static unsigned vbe_get(unsigned index)
{
    return qvm_load(vm, REGISTERS + BOCHS_MMIO_VBE + index * 2, 2);
}

static void vbe_set(unsigned index, unsigned value)
{
    qvm_store(vm, REGISTERS + BOCHS_MMIO_VBE + index * 2, value, 2);
}

START_TEST(on_pci)
{
    QPCIBar bar;
    QPCI f;

    start("-device VGA,addr=4");
    f = qpci_function(vm, 0, 4, 0);
    expect_hex(qpci_read(&f, PCI_VENDOR_ID, 4), 0x11111234);
    expect_hex(qpci_read(&f, PCI_CLASS_REVISION, 4), 0x03000002);
    expect_hex(qpci_read(&f, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    expect_hex(qpci_read(&f, PCI_INTERRUPT_PIN, 1), 0);
    expect_hex(qpci_read(&f, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, 0);
    bar = qpci_bar(&f, 0);
    expect(bar.size == 16 << 20 && !bar.io && !bar.wide && bar.prefetch, "video memory");
    bar = qpci_bar(&f, 2);
    expect(bar.size == 4096 && !bar.io && !bar.wide && !bar.prefetch, "registers");
    for (unsigned n = 0; n < 6; n++) {
        expect(n == 0 || n == 2 || !qpci_bar(&f, n).size, "BAR %u", n);
    }
    /* Its firmware, for itself. */
    bar = qpci_bar(&f, QPCI_ROM);
    expect(bar.size >= 0x8000, "no firmware");
    qpci_write(&f, PCI_ROM_ADDRESS, 0xe8000001, 4);
    qpci_enable(&f, PCI_COMMAND_MEMORY);
    expect_hex(qvm_load(vm, 0xe8000000, 2), 0xaa55);
    expect_hex(qvm_load(vm, 0xe8000000 + qvm_load(vm, 0xe8000018, 2) + 4, 4), 0x11111234);
    /* Nobody needs to switch ports and window on. */
    qpci_disable(&f, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    set(0x3c4, 2, 0xf);
    expect_hex(get(0x3c4, 2), 0xf);
    set(0x3ce, 8, 0xff);
    qvm_store(vm, WINDOW + 0x10, 0x5a, 1);
    expect_hex(qvm_load(vm, WINDOW + 0x10, 1), 0x5a);
    qvm_end(vm);
}
END_TEST

START_TEST(memory_bars)
{
    uint8_t edid[EDID_SIZE], sum = 0;

    start("-device VGA,addr=4,vgamem_mb=4");
    card(4);
    /* The planes are bytes of VRAM. */
    set(0x3c4, 2, 0xa);
    set(0x3ce, 8, 0xff);
    qvm_store(vm, WINDOW + 3, 0x77, 1);
    expect_hex(qvm_load(vm, VRAM + 12, 4), 0x77007700);
    qvm_store(vm, VRAM + (4 << 20) - 4, 0x12345678, 4);
    expect_hex(qvm_load(vm, VRAM + (4 << 20) - 4, 4), 0x12345678);
    /* The same registers at ports and in memory. */
    set(0x3c4, 4, 0xe);
    qvm_store(vm, REGISTERS + BOCHS_MMIO_VGA + 4, 4, 1);
    expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_VGA + 5, 1), 0xe);
    expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_VGA + 4, 2), 0xe04);
    qvm_store(vm, REGISTERS + BOCHS_MMIO_VGA + 2, 1, 1); /* colour */
    expect_hex(qvm_in(vm, 0x3cc, 1), 1);
    qvm_store(vm, REGISTERS + BOCHS_MMIO_VGA + 0x14, 0x330e, 2);
    expect_hex(get(0x3d4, 0xe), 0x33);
    vbe_set(VBE_BANK, 2);
    qvm_out(vm, 0x1ce, VBE_BANK, 2);
    expect_hex(qvm_in(vm, 0x1cf, 2), 2);
    expect_hex(vbe_get(VBE_ID), VBE_ID_MAX);
    expect_hex(vbe_get(VBE_VIDEO_MEMORY_64K), 64);
    /* As the window is in them: in the bank. */
    set(0x3c4, 2, 0xf);
    set(0x3ce, 6, 1 << 2);
    qvm_store(vm, VRAM + 0x21234, 0xfeedface, 4);
    expect_hex(qvm_load(vm, WINDOW + 0x1234, 4), 0xfeedface);
    /* EDID */
    qvm_read(vm, REGISTERS + BOCHS_MMIO_EDID, edid, EDID_SIZE);
    expect(!memcmp(edid, "\0\xff\xff\xff\xff\xff\xff", 8), "no EDID");
    for (unsigned i = 0; i < 128; i++) {
        sum += edid[i];
    }
    expect_hex(sum, 0);
    /* Byte order of the frame buffer, until the next reset. */
    expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_EXTENDED, 4), 8);
    expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_EXTENDED + 4, 4), 0x1e1e1e1e);
    qvm_store(vm, REGISTERS + BOCHS_MMIO_EXTENDED + 4, 0xbebebebe, 4);
    expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_EXTENDED + 4, 4), 0xbebebebe);
    qvm_qmp_ok(vm, "{'execute':'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    card(4);
    expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_EXTENDED + 4, 4), 0x1e1e1e1e);
    expect_hex(vbe_get(VBE_BANK), 0);
    expect_hex(qvm_in(vm, 0x3cc, 1), 0);
    expect_hex(qvm_load(vm, VRAM + 0x21234, 4), 0xfeedface);
    qvm_end(vm);
}
END_TEST

/* A mode as a driver sets it, seen on the screen. */
START_TEST(a_screen)
{
    g_autofree char *file = NULL, *picture = NULL;
    const char *head = "P6\n64 32\n255\n";
    gsize size;
    int fd = g_file_open_tmp("flatview-vga-XXXXXX", &file, NULL);

    expect(fd >= 0, "no file");
    close(fd);
    start("-device VGA,addr=4,id=screen");
    card(4);
    qvm_out(vm, 0x3c0, 0x20, 1); /* the picture is on */
    vbe_set(VBE_XRES, 64);
    vbe_set(VBE_YRES, 32);
    vbe_set(VBE_BPP, 32);
    vbe_set(VBE_ENABLE, VBE_ENABLED | VBE_LFB_ENABLED);
    qvm_store(vm, VRAM + 4 * (64 * 31 + 63), 0x123456, 4); /* the last pixel */
    qvm_qmp_ok(vm, "{'execute':'screendump','arguments':{'filename':'%s',"
               "'device':'screen'}}", file);
    expect(g_file_get_contents(file, &picture, &size, NULL), "no picture");
    expect(size == strlen(head) + 64 * 32 * 3 && !memcmp(picture, head, strlen(head)),
           "%zu bytes", (size_t)size);
    expect(!memcmp(picture + size - 6, "\0\0\0\x12\x34\x56", 6), "another pixel");
    unlink(file);
    qvm_end(vm);
}
END_TEST

START_TEST(properties)
{
    static const struct { const char *text; unsigned mib; } sizes[] = {
        { "1", 1 }, { "3", 4 }, { "32", 32 }, { "129", 256 },
    };
    uint8_t edid[EDID_SIZE];
    QPCI f;

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *device = g_strdup_printf("-device VGA,addr=4,vgamem_mb=%s",
                                                  sizes[i].text);

        start(device);
        f = card(4);
        expect_hex(qpci_bar(&f, 0).size, sizes[i].mib * 0x100000ull);
        expect_hex(vbe_get(VBE_VIDEO_MEMORY_64K), sizes[i].mib * 16);
        qvm_end(vm);
    }
    start("-device VGA,addr=4,edid=off");
    card(4);
    for (unsigned i = 0; i < EDID_SIZE; i += 4) {
        expect_hex(qvm_load(vm, REGISTERS + BOCHS_MMIO_EDID + i, 4), 0xffffffff);
    }
    expect_hex(vbe_get(VBE_ID), VBE_ID_MAX);
    qvm_end(vm);

    start("-device VGA,addr=4,xres=1024,yres=768");
    card(4);
    qvm_read(vm, REGISTERS + BOCHS_MMIO_EDID, edid, EDID_SIZE);
    expect_hex(edid[56] | edid[58] >> 4 << 8, 1024); /* the preferred mode */
    expect_hex(edid[59] | edid[61] >> 4 << 8, 768);
    qvm_end(vm);

    start("-device VGA,addr=4,mmio=off,romfile=");
    f = card(4);
    expect_hex(qpci_bar(&f, 2).size, 0);
    expect_hex(qpci_bar(&f, QPCI_ROM).size, 0);
    expect_hex(get(0x3c4, 2), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(refused)
{
    qvm_refused("takes a number from 0 to 512", "-device VGA,vgamem_mb=513");
    qvm_refused("video memory has 1 to 512 MiB", "-device VGA,vgamem_mb=0");
    qvm_refused("port 0x1ce is already taken by 'vbe'; there is one VGA at most on a bus, "
                "and another screen is a bochs-display", "-device VGA -device VGA");
    qvm_refused("port 0x1ce is already taken by 'vbe'", "-vga std -device VGA");
    qvm_refused("port 0x3c4 is already taken by 'isa-debugcon'",
                "-device isa-debugcon,iobase=0x3c4 -device VGA");
    qvm_refused("ports 0x3c4 to 0x3c4 are not free: 'vga' is at 0x3c4",
                "-device VGA -device isa-debugcon,iobase=0x3c4");
    qvm_refused("romfile=", "-device VGA,romfile=there-is-none.bin");
}
END_TEST

/* The board has one, unless it is in the command line. */
START_TEST(of_the_board)
{
    vm = qvm_start("-M pc -m 32 -serial none -monitor none");
    expect(qpci_is_there(vm, 0, 2, 0), "none");
    expect_hex(get(0x3c4, 0), 0);
    qvm_end(vm);
    vm = qvm_start("-M pc -m 32 -serial none -monitor none -device VGA,addr=9");
    expect(qpci_is_there(vm, 0, 9, 0) && !qpci_is_there(vm, 0, 2, 0), "not that one alone");
    expect_hex(get(0x3c4, 0), 0);
    qvm_end(vm);
}
END_TEST

START_TEST(stays_while_the_machine_runs)
{
    g_autofree char *gone = NULL, *more = NULL;

    start("-device VGA,addr=4,id=v");
    gone = qvm_qmp(vm, "{'execute':'device_del','arguments':{'id':'v'}}");
    expect(strstr(gone, "hotplug"), "%s", gone);
    more = qvm_qmp(vm, "{'execute':'device_add','arguments':{'driver':'VGA','addr':'5'}}");
    expect(strstr(more, "hotplug"), "%s", more);
    set(0x3c4, 2, 0xf);
    expect_hex(get(0x3c4, 2), 0xf);
    qvm_end(vm);
}
END_TEST

/* Two of them, one where the bridge leads to. */
START_TEST(behind_a_bridge)
{
    QPCI bridge;

    start("-device pci-bridge,addr=5,id=b,chassis_nr=1 -device VGA,addr=4,bus=b");
    bridge = qpci_function(vm, 0, 5, 0);
    expect_hex(qvm_in(vm, 0x3c4, 1), 0xff);
    qpci_set_bridge(&bridge, 1, 0xe0000000, 0x1000000, 0xc000, 0x1000);
    qpci_enable(&bridge, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    expect_hex(qvm_in(vm, 0x3c4, 1), 0xff);
    qpci_write(&bridge, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_VGA, 2);
    set(0x3c4, 2, 0xf);
    expect_hex(get(0x3c4, 2), 0xf);
    set(0x3ce, 8, 0xff);
    qvm_store(vm, WINDOW + 7, 0x99, 1);
    expect_hex(qvm_load(vm, WINDOW + 7, 1), 0x99);
    set(0x3c4, 4, 0xe);
    expect_hex(qvm_load(vm, WINDOW + 28, 4), 0x99999999);
    qpci_write(&bridge, PCI_BRIDGE_CONTROL, 0, 2);
    expect_hex(qvm_in(vm, 0x3c4, 1), 0xff);
    qvm_end(vm);

    start("-device pci-bridge,addr=5,id=b,chassis_nr=1 -device VGA,addr=4,bus=b "
          "-device VGA,addr=6");
    set(0x3c4, 2, 0xf);
    expect_hex(get(0x3c4, 2), 0xf);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-vga", on_pci, memory_bars, a_screen, properties, refused,
          of_the_board, stays_while_the_machine_runs, behind_a_bridge)
