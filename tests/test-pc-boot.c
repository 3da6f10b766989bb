/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel on the board pc, without a CPU: what is in memory and in the chips when a
 * kernel starts without firmware, and again after a reset; what fw_cfg has for firmware
 * that starts one, and its option ROM.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/core/machine.h"
#include "hw/i386/linuxboot.h"
#include "hw/i386/pc-map.h"
#include "hw/i386/pc.h"
#include "sysemu.h"
#include "tests/kernel-image.h"
#include "tests/test-util.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static char *dir;
static Machine *machine;
static GError *err;

static char *write_file(const char *name, const void *data, size_t len)
{
    char *path = g_build_filename(dir, name, NULL);

    expect(g_file_set_contents(path, data, len, NULL), "no file %s", path);
    return path;
}

/* A machine that the test may change before board_init(), with a kernel to start. */
static void board_new(uint64_t ram_size)
{
    g_autofree uint8_t *image = bzimage_new();

    dir = g_dir_make_tmp("flatview-pc-boot-XXXXXX", NULL);
    machine = machine_new(machine_type_find("pc", NULL));
    machine->ram_size = ram_size;
    machine->kernel = write_file("kernel", image, BZIMAGE_SIZE);
}

/* With firmware, too, which nobody runs. */
static void board_with_bios(uint64_t ram_size)
{
    g_autofree uint8_t *bios = g_malloc0(64 * KIB);

    board_new(ram_size);
    machine->bios = write_file("bios", bios, 64 * KIB);
}

static void board_init(void)
{
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
}

static void board_plug(const char *text)
{
    expect(machine_plug(machine, text, &err), "%s: %s", text, err ? err->message : "?");
}

static void board_reset(void)
{
    memory_lock();
    machine_reset(machine);
    memory_unlock();
}

static void board_start(void)
{
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
    board_reset();
}

static void board_free(void)
{
    static const char *const names[] = { "kernel", "bios", "initrd" };

    machine_free(machine);
    chardev_close_all();
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);

        unlink(path);
    }
    rmdir(dir);
    g_free(dir);
    g_clear_error(&err);
}

static void expect_failure(bool ok, const char *word1, const char *word2)
{
    expect(!ok, "accepted, where '%s' was to be said", word1);
    expect(strstr(err->message, word1) && strstr(err->message, word2),
           "'%s' lacks '%s' or '%s'", err->message, word1, word2);
    g_clear_error(&err);
}

static uint64_t guest(hwaddr addr, unsigned size)
{
    return load(&machine->memory, addr, size, MEMTX_OK);
}

static uint32_t config(unsigned devfn, unsigned addr, unsigned size)
{
    uint32_t value;

    memory_lock();
    value = pci_host_read(machine->pci, 0, devfn, addr, size);
    memory_unlock();
    return value;
}

/* ---- without firmware ------------------------------------------------------------------- */

/* What each start must find. */
static void expect_started(void)
{
    expect_hex(guest(0x1000000, 8), content_value(1, 0, 8));
    expect_hex(guest(0x7000 + 0x250, 8), 0); /* no list of what there is not */
    expect_hex(guest(0x7000 + 0x1e8, 1), 4);
    expect_hex(guest(0x7000 + 0x2d0 + 20, 8), 0x9fc00);
    /* The root pointer, where the kernel is told that it is. */
    expect_hex(guest(guest(0x7000 + 0x70, 8), 8), 0x2052545020445352);
    expect_hex(guest(0xffff0, 8), 0x06b0ee02b00cf9ba);
    /* Whoever calls the BIOS is told that it has no such function. */
    for (hwaddr addr = 0; addr < 0x400; addr += 4) {
        expect_hex(guest(addr, 4), addr / 4 == 0x12 ? 0x4fb : 0x4f0);
    }
    expect_hex(guest(0x4f0, 8), 0x5d01064e80e58955);
    expect_hex(guest(0x4f8, 8), 0x00cf027fb8cf86b4); /* 0x27f KiB of base memory */
    expect_hex(guest(0x40e, 2), 0x9fc0);
    expect_hex(guest(0x413, 2), 639);
    expect_hex(guest(0x9fc00, 1), 1);
    /* RAM can be written up to 1 MiB. */
    for (hwaddr addr = 0xc0000; addr < MIB; addr += 0x4000) {
        uint64_t old = guest(addr, 8);

        store(&machine->memory, addr, 8, ~old, MEMTX_OK);
        expect_hex(guest(addr, 8), ~old);
        store(&machine->memory, addr, 8, old, MEMTX_OK);
    }
    expect_hex(config(PC_PIIX3_DEVFN, PC_PIRQ_ROUTES, 4), 0x0b0b0a0a);
    expect_hex(load(&machine->ports, PC_ELCR_PORT, 1, MEMTX_OK), 0);
    expect_hex(load(&machine->ports, PC_ELCR_PORT + 1, 1, MEMTX_OK), 0x0c);
    expect_hex(config(PC_PIIX4_PM_DEVFN, 0x40, 4), PC_PM_PORT | 1);
    expect_hex(config(PC_PIIX4_PM_DEVFN, 0x90, 4), PC_SMBUS_PORT | 1);
    expect_hex(config(PC_PIIX4_PM_DEVFN, PCI_INTERRUPT_LINE, 1), PC_SCI_IRQ);
    load(&machine->ports, PC_PM_PORT + 8, 4, MEMTX_OK); /* the timer answers */
    load(&machine->ports, PC_SMBUS_PORT, 1, MEMTX_OK);
    /* The keyboard's codes are translated, as SeaBIOS leaves it. */
    store(&machine->ports, PC_I8042_COMMAND_PORT, 1, 0x20, MEMTX_OK);
    expect_hex(load(&machine->ports, PC_I8042_DATA_PORT, 1, MEMTX_OK), 0x61);
}

START_TEST(start)
{
    board_new(64 * MIB);
    board_init();
    board_start();
    expect_started();
    /* A guest that spoils it, and a reset. */
    address_space_write(&machine->memory, 0xe0000, (const uint8_t *)"12345678", 8);
    for (hwaddr addr = 0; addr < 0xa0000; addr += 8) {
        store(&machine->memory, addr, 8, UINT64_MAX, MEMTX_OK);
    }
    for (hwaddr addr = 0xc0000; addr < MIB; addr += 8) {
        store(&machine->memory, addr, 8, UINT64_MAX, MEMTX_OK);
    }
    store(&machine->memory, 0x1000000, 8, 0, MEMTX_OK);
    store(&machine->ports, PC_I8042_COMMAND_PORT, 1, 0x60, MEMTX_OK);
    store(&machine->ports, PC_I8042_DATA_PORT, 1, 0x03, MEMTX_OK);
    store(&machine->ports, PC_I8042_COMMAND_PORT, 1, 0xd1, MEMTX_OK); /* unfinished */
    memory_lock();
    for (unsigned addr = 0x40; addr < 0x100; addr++) {
        pci_host_write(machine->pci, 0, PC_PIIX3_DEVFN, addr, 0xff, 1);
        pci_host_write(machine->pci, 0, PC_PIIX4_PM_DEVFN, addr, 0xff, 1);
    }
    for (unsigned addr = 0x59; addr < 0x60; addr++) {
        pci_host_write(machine->pci, 0, PC_I440FX_DEVFN, addr, 0x11, 1);
    }
    memory_unlock();
    board_reset();
    expect_started();
    board_free();
}
END_TEST

/* What was loaded once cannot be again: the machine ends, rather than to start half. */
START_TEST(lost_kernel)
{
    g_autofree char *path = NULL;

    board_new(64 * MIB);
    path = g_strdup(machine->kernel);
    board_init();
    board_start();
    board_reset();
    expect(!vm_shutdown_requested(), "before");
    expect(truncate(path, BZIMAGE_SIZE / 2) == 0, "%s", path);
    board_reset();
    expect(vm_shutdown_requested(), "it goes on");
    board_free();
}
END_TEST

START_TEST(serial_ports)
{
    board_new(64 * MIB);
    g_ptr_array_add(machine->serials, chardev_open("a", "null", NULL));
    g_ptr_array_add(machine->serials, NULL);
    g_ptr_array_add(machine->serials, chardev_open("c", "null", NULL));
    board_init();
    board_start();
    expect_hex(guest(0x400, 8), 0x000003e8000003f8);
    expect_hex(guest(0x410, 2), 2 << 9);
    board_free();
}
END_TEST

START_TEST(without_tables)
{
    board_new(64 * MIB);
    expect(machine_set(machine, "acpi", "off", &err), "acpi");
    board_init();
    board_start();
    expect_hex(guest(0x7000 + 0x70, 8), 0);
    expect_hex(guest(0xe0000, 8), 0);
    board_free();
}
END_TEST

/* ---- PCI's resources ---------------------------------------------------------------------- */

typedef struct Taken {
    bool ports;
    uint64_t first, last;
    const char *name;
} Taken;

/* Where functions may be. */
typedef struct Windows {
    uint64_t memory_first, memory_last;
    uint64_t ports_first, ports_last;
} Windows;

static void take(GArray *all, const Windows *w, const Taken *one)
{
    expect(one->ports ? one->first >= w->ports_first && one->last <= w->ports_last
                      : (one->first >= w->memory_first && one->last <= w->memory_last) ||
                            one->first >= 4 * GIB,
           "%s at %" PRIx64 "-%" PRIx64 " is outside its bus's window", one->name,
           one->first, one->last);
    for (unsigned i = 0; i < all->len; i++) {
        const Taken *other = &g_array_index(all, Taken, i);

        expect(one->ports != other->ports || one->last < other->first ||
                   one->first > other->last,
               "%s and %s overlap at %" PRIx64, one->name, other->name, one->first);
    }
    g_array_append_vals(all, one, 1);
}

/* Every function has what it asks for, and answers; returns how many BARs. */
static unsigned check_bus(PCIBus *bus, GArray *all, const Windows *w)
{
    unsigned bars = 0;

    for (unsigned devfn = 0; devfn < PCI_DEVFNS; devfn++) {
        PCIDevice *dev = bus->devices[devfn];
        PCIBus *behind = dev ? pci_bridge_bus(dev) : NULL;

        for (unsigned n = 0; dev && n < PCI_BARS; n++) {
            const PCIBar *bar = &dev->bars[n];

            if (bar->mr) {
                expect(bar->addr != PCI_BAR_UNMAPPED, "BAR %u of %s is nowhere", n,
                       dev->device.type->name);
                expect(bar->addr % bar->size == 0, "not aligned");
                take(all, w, &(Taken){ bar->type & PCI_BASE_ADDRESS_SPACE_IO, bar->addr,
                                       bar->addr + bar->size - 1,
                                       dev->device.type->name });
                bars++;
            }
        }
        if (behind) {
            const uint8_t *c = dev->config;
            Windows inner = {
                (uint32_t)pci_get_word(c + PCI_MEMORY_BASE) << 16,
                (uint32_t)pci_get_word(c + PCI_MEMORY_LIMIT) << 16 | 0xfffff,
                (c[PCI_IO_BASE] & 0xf0) << 8, (c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff,
            };
            GArray *own = g_array_new(FALSE, FALSE, sizeof(Taken));

            expect_hex(c[PCI_PRIMARY_BUS], pci_bus_number(bus));
            expect(c[PCI_SECONDARY_BUS] > pci_bus_number(bus) &&
                       c[PCI_SUBORDINATE_BUS] >= c[PCI_SECONDARY_BUS], "bus numbers");
            bars += check_bus(behind, own, &inner);
            g_array_free(own, TRUE);
            if (inner.memory_first < inner.memory_last) {
                take(all, w, &(Taken){ false, inner.memory_first, inner.memory_last,
                                       "a window of memory" });
            }
            if (inner.ports_first < inner.ports_last) {
                take(all, w, &(Taken){ true, inner.ports_first, inner.ports_last,
                                       "a window of ports" });
            }
        }
    }
    return bars;
}

static unsigned check_pci(void)
{
    PCMachine *s = (PCMachine *)machine;
    Windows w = { MAX(3 * GIB, s->lomem_size), PC_PCI_HOLE_END, 0xc000, 0xffff };
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Taken));
    unsigned bars;

    memory_lock();
    bars = check_bus(machine->pci, all, &w);
    memory_unlock();
    g_array_free(all, TRUE);
    return bars;
}

/* A bridge for what comes later has 2 MiB and 4 KiB of ports, also with one behind it;
 * more of them than there are ports leave them to functions that are there. */
START_TEST(spare)
{
    board_new(64 * MIB);
    board_init();
    for (unsigned i = 2; i < 12; i++) {
        g_autofree char *bridge = g_strdup_printf("pci-bridge,id=b%u,addr=%x,"
                                                  "chassis_nr=%u", i, i, i);

        board_plug(bridge);
    }
    board_plug("pci-bridge,id=inner,bus=b2,addr=1,chassis_nr=20");
    board_plug("pci-testdev,bus=b11,addr=1");
    board_start();
    expect_hex(check_pci(), 2);
    expect_hex(config(PCI_DEVFN(2, 0), PCI_MEMORY_BASE, 4), 0xc030c000);
    expect_hex(config(PCI_DEVFN(2, 0), PCI_IO_BASE, 2), 0xc0c0);
    expect_hex(config(PCI_DEVFN(3, 0), PCI_MEMORY_BASE, 4), 0xc050c040);
    expect_hex(config(PCI_DEVFN(3, 0), PCI_IO_BASE, 2), 0xd0d0);
    expect(config(PCI_DEVFN(4, 0), PCI_IO_BASE, 1) >
               config(PCI_DEVFN(4, 0), PCI_IO_LIMIT, 1), "a window of ports");
    expect_hex(config(PCI_DEVFN(11, 0), PCI_IO_BASE, 2), 0xe0e0);
    memory_lock();
    expect_hex(pci_host_read(machine->pci, 2, PCI_DEVFN(0, 0), 0, 4), UINT32_MAX);
    expect_hex(pci_host_read(machine->pci, 1, PCI_DEVFN(1, 0), PCI_MEMORY_BASE, 4),
               0xc010c000);
    memory_unlock();
    board_free();
}
END_TEST

START_TEST(resources)
{
    for (unsigned i = 0; i < 2; i++) {
        board_new(i ? 6 * GIB : 64 * MIB);
        board_init();
        board_plug("edu,addr=5");
        board_plug("pci-testdev,addr=3");
        board_plug("pci-bridge,id=near,addr=6,chassis_nr=1");
        board_plug("pci-testdev,bus=near,addr=1");
        board_plug("edu,bus=near,addr=2");
        board_plug("pci-bridge,id=far,bus=near,addr=3,chassis_nr=2");
        board_plug("edu,bus=far,addr=1");
        board_plug("edu,bus=near,addr=5");
        board_plug("pci-bridge,id=ports,addr=7,chassis_nr=3");
        board_plug("pci-testdev,bus=ports,addr=1");
        board_plug("pci-bridge,id=bare,addr=8,chassis_nr=4");
        board_start();
        expect(check_pci() >= 7, "%u BARs", check_pci());
        /* edu's pin A leads from slot 5 to PIRQA, from slot 2 of the bridge in slot
         * 6 to its pin C, PIRQD, and so on. */
        expect_hex(config(PCI_DEVFN(5, 0), PCI_INTERRUPT_LINE, 1), 10);
        /* The largest comes first: there are no gaps. */
        expect_hex(config(PCI_DEVFN(5, 0), PCI_BASE_ADDRESS_0, 4), 0xc0000000);
        /* Numbers in the order of slots, each bridge as far as what is behind it. */
        expect_hex(config(PCI_DEVFN(6, 0), PCI_PRIMARY_BUS, 4) & 0xffffff, 0x020100);
        expect_hex(config(PCI_DEVFN(7, 0), PCI_PRIMARY_BUS, 4) & 0xffffff, 0x030300);
        expect_hex(config(PCI_DEVFN(8, 0), PCI_PRIMARY_BUS, 4) & 0xffffff, 0x040400);
        /* Memory for what comes later; no ports where others need them. */
        expect_hex(config(PCI_DEVFN(8, 0), PCI_MEMORY_LIMIT, 2) -
                       config(PCI_DEVFN(8, 0), PCI_MEMORY_BASE, 2), 0x10);
        expect(config(PCI_DEVFN(8, 0), PCI_IO_BASE, 1) >
                   config(PCI_DEVFN(8, 0), PCI_IO_LIMIT, 1), "a window of ports");
        memory_lock();
        expect_hex(pci_host_read(machine->pci, 1, PCI_DEVFN(2, 0), PCI_INTERRUPT_LINE, 1),
                   11);
        expect_hex(pci_host_read(machine->pci, 1, PCI_DEVFN(5, 0), PCI_INTERRUPT_LINE, 1),
                   11);
        expect_hex(pci_host_read(machine->pci, 2, PCI_DEVFN(1, 0), PCI_INTERRUPT_LINE, 1),
                   10);
        expect_hex(pci_host_read(machine->pci, 2, PCI_DEVFN(1, 0), PCI_VENDOR_ID, 2),
                   0x1234);
        memory_unlock();
        board_reset();
        check_pci();
        board_free();
    }
}
END_TEST

/* What does not fit below 4 GiB goes above, if it can. */
START_TEST(large_bars)
{
    board_new(6 * GIB);
    board_init();
    board_plug("pci-testdev,addr=3,membar=2G");
    board_plug("pci-testdev,addr=4,membar=128M");
    board_start();
    check_pci();
    expect_hex((uint64_t)config(PCI_DEVFN(3, 0), PCI_BASE_ADDRESS_2 + 4, 4), 2);
    expect_hex(config(PCI_DEVFN(4, 0), PCI_BASE_ADDRESS_2 + 4, 4), 0);
    board_free();

    /* Not right behind RAM, which ends at 4.5 GiB, but where ACPI says that BARs are. */
    board_new(3584 * MIB);
    board_init();
    board_plug("pci-testdev,addr=3,membar=512M");
    board_plug("pci-testdev,addr=4,membar=512M");
    board_start();
    expect_hex(config(PCI_DEVFN(3, 0), PCI_BASE_ADDRESS_2 + 4, 4), 0);
    expect_hex(config(PCI_DEVFN(4, 0), PCI_BASE_ADDRESS_2, 4) & ~0xfu, 1 * GIB);
    expect_hex(config(PCI_DEVFN(4, 0), PCI_BASE_ADDRESS_2 + 4, 4), 1);
    board_free();

    /* Nowhere: it does not answer. */
    board_new(64 * MIB);
    board_init();
    board_plug("pci-testdev,addr=3,membar=1048576T");
    board_start();
    expect_hex(config(PCI_DEVFN(3, 0), PCI_BASE_ADDRESS_2, 4) & ~0xfu, 0);
    expect_hex(config(PCI_DEVFN(3, 0), PCI_COMMAND, 2) & 3, 1);
    board_free();
}
END_TEST

/* ---- with firmware --------------------------------------------------------------------------- */

/* @size bytes of item @key. */
static uint64_t item(unsigned key, unsigned skip, unsigned size)
{
    uint64_t value = 0;

    store(&machine->ports, PC_FW_CFG_PORT, 2, key, MEMTX_OK);
    for (unsigned i = 0; i < skip; i++) {
        load(&machine->ports, PC_FW_CFG_PORT + 1, 1, MEMTX_OK);
    }
    for (unsigned i = 0; i < size; i++) {
        value |= load(&machine->ports, PC_FW_CFG_PORT + 1, 1, MEMTX_OK) << 8 * i;
    }
    return value;
}

static void expect_order(PCMachine *s, const char *text)
{
    size_t len;
    const uint8_t *order = fw_cfg_get_file(s->fw_cfg, "bootorder", &len);

    expect(len == strlen(text) + 1 && memcmp(order, text, len) == 0, "'%.*s'", (int)len,
           (const char *)order);
}

START_TEST(firmware_linux)
{
    PCMachine *s;
    size_t len;

    board_with_bios(64 * MIB);
    machine->initrd = write_file("initrd", "0123456789", 10);
    machine->append = g_strdup("quiet");
    board_init();
    board_start();
    s = (PCMachine *)machine;
    /* Nothing is set up, nothing is loaded. */
    expect_hex(guest(0x1000000, 8), 0);
    expect_hex(config(PC_PIIX4_PM_DEVFN, 0x40, 4), 1);
    /* The setup code as it is in the file. */
    expect_hex(item(FW_CFG_SETUP_ADDR, 0, 4), 0x10000);
    expect_hex(item(FW_CFG_SETUP_SIZE, 0, 4), BZIMAGE_SETUP_SIZE);
    expect_hex(item(FW_CFG_SETUP_DATA, 0x202, 4), 0x53726448);
    expect_hex(item(FW_CFG_SETUP_DATA, 0x210, 2), 0x0100);
    expect_hex(item(FW_CFG_SETUP_DATA, 0x218, 8), 0);
    expect_hex(item(FW_CFG_KERNEL_ADDR, 0, 4), MIB);
    expect_hex(item(FW_CFG_KERNEL_SIZE, 0, 4), BZIMAGE_CODE_SIZE);
    expect_hex(item(FW_CFG_KERNEL_DATA, 0, 8), content_value(1, 0, 8));
    expect_hex(item(FW_CFG_KERNEL_ENTRY, 0, 4), 0);
    expect_hex(item(FW_CFG_INITRD_ADDR, 0, 4), 63 * MIB - 4096);
    expect_hex(item(FW_CFG_INITRD_SIZE, 0, 4), 10);
    expect_hex(item(FW_CFG_INITRD_DATA, 2, 8), 0x3938373635343332);
    expect_hex(item(FW_CFG_CMDLINE_ADDR, 0, 4), 0x20000);
    expect_hex(item(FW_CFG_CMDLINE_SIZE, 0, 4), 6);
    expect_hex(item(FW_CFG_CMDLINE_DATA, 0, 6), 0x7465697571);
    expect_order(s, "/rom@genroms/linuxboot.bin");
    expect(fw_cfg_get_file(s->fw_cfg, "genroms/linuxboot.bin", &len) &&
               len == LINUXBOOT_SIZE, "the ROM");
    board_free();
}
END_TEST

/* And nothing else. */
START_TEST(firmware_strict)
{
    board_with_bios(64 * MIB);
    machine->boot.strict = true;
    board_init();
    board_start();
    expect_order((PCMachine *)machine, "/rom@genroms/linuxboot.bin\nHALT");
    board_free();
}
END_TEST

static void change_kernel(unsigned offset, uint64_t value, unsigned size)
{
    g_autofree uint8_t *image = bzimage_new();

    image_put(image, offset, value, size);
    g_free(write_file("kernel", image, BZIMAGE_SIZE));
}

/* The ROM has what the setup code is to do about the screen; the file's bytes stay. */
START_TEST(firmware_vga)
{
    size_t len;
    const uint8_t *rom;

    board_with_bios(64 * MIB);
    machine->append = g_strdup("quiet vga=0x318 mem=32M");
    machine->initrd = write_file("initrd", "0123456789", 10);
    board_init();
    board_start();
    rom = fw_cfg_get_file(((PCMachine *)machine)->fw_cfg, "genroms/linuxboot.bin", &len);
    expect_hex(rom[LINUXBOOT_VID_MODE] | rom[LINUXBOOT_VID_MODE + 1] << 8, 0x318);
    expect_hex(item(FW_CFG_SETUP_DATA, 0x1fa, 2), 0);
    expect_hex(item(FW_CFG_INITRD_ADDR, 0, 4), 32 * MIB - 4096);
    board_free();

    board_with_bios(64 * MIB);
    machine->append = g_strdup("vga=large");
    board_init();
    expect_failure(machine_prepare(machine, &err), "-append", "vga=large");
    board_free();
}
END_TEST

/* Of older protocols, which have less in their headers, and what is refused. */
START_TEST(firmware_versions)
{
    static const struct {
        unsigned offset, size;
        uint64_t value;
        const char *word1, *word2;
    } cases[] = {
        { 0x206, 2, 0x201, "version", "2.02" },
        { 0x211, 1, 0, "loadflags", "zImage" },
        { 0x1f1, 1, 65, "setup_sects", "64" },
        { 0x1fe, 2, 0, "boot_flag", "0x0000" },
        { 0x22c, 4, 0x100000, "initrd", "initrd_addr_max" },
        { 0x260, 4, 0x7fffffff, "initrd", "end of low memory" },
        { 0x258, 8, UINT64_MAX, "initrd", "end of low memory" },
        { 0x238, 4, 4, "cmdline_size", "5 bytes" },
    };
    unsigned i;

    board_with_bios(64 * MIB);
    machine->initrd = write_file("initrd", "0123456789", 10);
    machine->append = g_strdup("quiet");
    change_kernel(0x206, 0x202, 2);
    board_init();
    board_start();
    expect_hex(item(FW_CFG_INITRD_ADDR, 0, 4), 0x38000000 < 63 * MIB
                                                   ? 0x38000000 : 63 * MIB - 4096);
    board_free();

    /* One that does not say what initramfs it takes, but what command line. */
    for (i = 0; i < 2; i++) {
        g_autofree uint8_t *image = bzimage_new();

        board_with_bios(64 * MIB);
        machine->initrd = write_file("initrd", "0123456789", 10);
        machine->append = g_strnfill(255 + i, 'x');
        image_put(image, 0x206, 0x202, 2);
        image_put(image, 0x22c, 0x100000, 4); /* initrd_addr_max, */
        image_put(image, 0x238, 4, 4);        /* cmdline_size: not in this version */
        g_free(write_file("kernel", image, BZIMAGE_SIZE));
        board_init();
        if (i) {
            expect_failure(machine_prepare(machine, &err), "256 bytes", "allows 255");
        } else {
            board_start();
            expect_hex(item(FW_CFG_INITRD_ADDR, 0, 4), 63 * MIB - 4096);
        }
        board_free();
    }

    /* One whose field syssize cannot be trusted, and is not looked at. */
    board_with_bios(64 * MIB);
    {
        g_autofree uint8_t *image = bzimage_new();

        image_put(image, 0x206, 0x203, 2);
        image_put(image, 0x1f4, 0, 4);
        g_free(write_file("kernel", image, BZIMAGE_SIZE));
    }
    board_init();
    board_start();
    expect_hex(item(FW_CFG_KERNEL_SIZE, 0, 4), BZIMAGE_CODE_SIZE);
    board_free();

    /* What is behind the code goes with it, and no initramfs over it. */
    for (i = 0; i < 2; i++) {
        board_with_bios(64 * MIB);
        change_kernel(0x258, MIB, 8);
        machine->initrd = write_file("initrd", "0123456789", 10);
        expect(truncate(machine->kernel, 20 * MIB + BZIMAGE_SETUP_SIZE) == 0 &&
                   truncate(machine->initrd, 42 * MIB + i) == 0, "truncate");
        board_init();
        if (i) {
            expect_failure(machine_prepare(machine, &err), "initramfs", "0x1500000");
        } else {
            board_start();
            expect_hex(item(FW_CFG_KERNEL_SIZE, 0, 4), 20 * MIB);
            expect_hex(item(FW_CFG_INITRD_ADDR, 0, 4), 21 * MIB);
        }
        board_free();
    }

    /* Up to what is firmware's, and no byte more. */
    for (i = 0; i < 2; i++) {
        board_with_bios(64 * MIB);
        expect(truncate(machine->kernel, 62 * MIB + BZIMAGE_SETUP_SIZE + i) == 0,
               "truncate");
        board_init();
        if (i) {
            expect_failure(machine_prepare(machine, &err), "do not fit", "-m");
        } else {
            board_start();
        }
        board_free();
    }

    /* No 64-bit entry point is needed. */
    board_with_bios(64 * MIB);
    change_kernel(0x236, 0, 2);
    board_init();
    board_start();
    board_free();

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        board_with_bios(64 * MIB);
        machine->initrd = write_file("initrd", "0123456789", 10);
        machine->append = g_strdup("quiet");
        if (cases[i].offset == 0x1f1) { /* so much is there */
            g_autofree uint8_t *image = g_malloc0(0x10000);
            g_autofree uint8_t *start = bzimage_new();

            memcpy(image, start, BZIMAGE_SIZE);
            image[0x1f1] = 65;
            g_free(write_file("kernel", image, 0x10000));
        } else {
            change_kernel(cases[i].offset, cases[i].value, cases[i].size);
        }
        board_init();
        expect_failure(machine_prepare(machine, &err), cases[i].word1, cases[i].word2);
        board_free();
    }

    board_with_bios(1 * MIB);
    board_init();
    expect_failure(machine_prepare(machine, &err), "-m", "memory");
    board_free();
}
END_TEST

/* A kernel of 32 bits is one image with its modules. */
START_TEST(firmware_multiboot)
{
    enum { SIZE = 0x1000, AT = 0x200000 };
    g_autofree uint8_t *image = g_malloc0(SIZE);
    const uint32_t header[] = { 0x1badb002, 0x10000, -(0x1badb002 + 0x10000), AT, AT, 0,
                                AT + 2 * SIZE, AT + 0x100 };

    board_with_bios(64 * MIB);
    content_fill(image, 5, 0, SIZE);
    memcpy(image, header, sizeof(header));
    g_free(write_file("kernel", image, SIZE));
    machine->initrd = write_file("initrd", "0123456789", 10);
    board_init();
    board_start();
    expect_hex(item(FW_CFG_SETUP_SIZE, 0, 4), 0);
    expect_hex(item(FW_CFG_CMDLINE_SIZE, 0, 4), 0);
    expect_hex(item(FW_CFG_KERNEL_ENTRY, 0, 4), AT + 0x100);
    expect_hex(item(FW_CFG_KERNEL_ADDR, 0, 4), AT);
    expect_hex(item(FW_CFG_KERNEL_SIZE, 0, 4), 2 * SIZE + 10);
    expect_hex(item(FW_CFG_KERNEL_DATA, 0, 4), 0x1badb002);
    expect_hex(item(FW_CFG_KERNEL_DATA, SIZE - 8, 8), content_value(5, SIZE - 8, 8));
    expect_hex(item(FW_CFG_KERNEL_DATA, SIZE, 8), 0);
    expect_hex(item(FW_CFG_KERNEL_DATA, 2 * SIZE, 8), 0x3736353433323130);
    expect_hex(item(FW_CFG_INITRD_ADDR, 0, 4), BOOT_MULTIBOOT_ADDR);
    expect_hex(item(FW_CFG_INITRD_DATA, 0, 4), 0x24d);
    expect_hex(item(FW_CFG_INITRD_DATA, 20, 4), 1);
    board_free();
}
END_TEST

/* Headers and checksums are such that firmware takes it for a ROM to boot from. */
START_TEST(option_rom)
{
    g_autofree uint8_t *rom = linuxboot_rom(0xfffd);
    const uint8_t *pnp = rom + (rom[0x1a] | rom[0x1b] << 8);
    uint8_t sum = 0;

    expect_hex(rom[0] | rom[1] << 8, 0xaa55);
    expect_hex(rom[2] * 512, LINUXBOOT_SIZE);
    for (unsigned i = 0; i < LINUXBOOT_SIZE; i++) {
        sum += rom[i];
    }
    expect_hex(sum, 0);
    expect(memcmp(pnp, "$PnP", 4) == 0, "no expansion header");
    for (unsigned i = 0; i < pnp[5] * 16u; i++) {
        sum += pnp[i];
    }
    expect_hex(sum, 0);
    expect(pnp[0x1a] | pnp[0x1b], "no boot entry vector");
    expect_hex(rom[LINUXBOOT_VID_MODE] | rom[LINUXBOOT_VID_MODE + 1] << 8, 0xfffd);
}
END_TEST

TEST_MAIN("pc-boot", start, lost_kernel, serial_ports, without_tables, resources, spare,
          large_bars, firmware_linux, firmware_strict, firmware_vga, firmware_versions,
          firmware_multiboot, option_rom)
