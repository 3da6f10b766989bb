/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the board pc tells firmware by fw_cfg. Names and layouts of items are those
 * that SeaBIOS and OVMF read.
 */
#include "hw/i386/pc-firmware.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

#include "cpus.h"
#include "hw/acpi/piix4.h"
#include "hw/core/data-file.h"
#include "hw/i386/pc-map.h"
#include "target-i386/cpu.h"
#include "target-i386/topology.h"

#define GIB (1024 * 1024 * 1024ull)
#define HIMEM_BASE (4 * GIB)
#define CLASS_DISPLAY 0x03 /* base class of PCI functions with a screen */

/* Where firmware looks for option ROMs, of how many bytes at most */
#define ROM_FOLDER "genroms/"
#define ROM_SIZE_MAX PC_OPTION_ROM_SIZE

/* An entry of etc/e820; little-endian. */
typedef struct __attribute__((packed)) E820File {
    uint64_t addr, size;
    uint32_t type;
} E820File;

bool pc_add_fw_cfg(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;
    Device *dev = machine_new_device(m, "fw_cfg_io", NULL, err);

    if (!dev) {
        return false;
    }
    object_add(&dev->object, "/machine", "fw_cfg");
    if (!machine_realize_device(m, dev, err)) {
        return false;
    }
    device_map(dev, 0, &m->ports_root, PC_FW_CFG_PORT, 0);
    if (dev->regions_nr > 1) {
        device_map(dev, 1, &m->ports_root, PC_FW_CFG_DMA_PORT, 0);
    }
    s->fw_cfg = (FWCfg *)dev;
    return true;
}

static void add_uuid(PCMachine *s)
{
    g_autofree char *digits = NULL;
    g_auto(GStrv) parts = NULL;
    uint8_t uuid[16] = { 0 };

    if (s->machine.uuid) {
        parts = g_strsplit(s->machine.uuid, "-", -1);
        digits = g_strjoinv("", parts);
        for (unsigned i = 0; i < sizeof(uuid); i++) {
            uuid[i] = g_ascii_xdigit_value(digits[2 * i]) << 4 |
                      g_ascii_xdigit_value(digits[2 * i + 1]);
        }
    }
    fw_cfg_add_bytes(s->fw_cfg, FW_CFG_UUID, uuid, sizeof(uuid));
}

static bool add_number(PCMachine *s, const char *name, uint64_t value, size_t size,
                       GError **err)
{
    value = htole64(value);
    return fw_cfg_add_file(s->fw_cfg, name, &value, size, err);
}

/* All RAM, for firmware to take from what it needs. */
static bool add_e820(PCMachine *s, GError **err)
{
    E820 map = { 0 };
    E820File file[E820_MAX];

    e820_add(&map, 0, s->lomem_size, E820_RAM);
    e820_add(&map, X86_KVM_RESERVED_BASE, X86_KVM_RESERVED_SIZE, E820_RESERVED);
    e820_add(&map, HIMEM_BASE, s->himem_size, E820_RAM);
    for (unsigned i = 0; i < map.nr; i++) {
        file[i] = (E820File){ htole64(map.entries[i].addr),
                              htole64(map.entries[i].size),
                              htole32(map.entries[i].type) };
    }
    return fw_cfg_add_file(s->fw_cfg, "etc/e820", file, map.nr * sizeof(*file), err);
}

static gint by_bootindex(gconstpointer a, gconstpointer b)
{
    const OptionROMSetting *one = *(OptionROMSetting *const *)a;
    const OptionROMSetting *other = *(OptionROMSetting *const *)b;

    return (one->bootindex > other->bootindex) - (one->bootindex < other->bootindex);
}

/* Tell firmware where to start from: @first, if that is not NULL, before all else. As
 * with others who write this file, the order is strict only where there is one. */
static void set_boot_order(PCMachine *s, const char *first)
{
    GPtrArray *roms = s->machine.option_roms;
    g_autoptr(GString) order = g_string_new(first);

    g_ptr_array_sort(roms, by_bootindex);
    for (guint i = 0; i < roms->len; i++) {
        const OptionROMSetting *rom = roms->pdata[i];
        g_autofree char *name = g_path_get_basename(rom->file);

        if (rom->bootindex != BOOTINDEX_NONE) {
            g_string_append_printf(order, "%s/rom@" ROM_FOLDER "%s",
                                   order->len ? "\n" : "", name);
        }
    }
    if (order->len) {
        g_string_append(order, s->machine.boot.strict ? "\nHALT" : "");
        fw_cfg_set_file(s->fw_cfg, "bootorder", order->str, order->len + 1);
    }
}

static bool add_boot(PCMachine *s, GError **err)
{
    const BootSettings *boot = &s->machine.boot;

    fw_cfg_add_u16(s->fw_cfg, FW_CFG_BOOT_MENU, boot->menu);
    if (!fw_cfg_add_file(s->fw_cfg, "bootorder", NULL, 0, err)) {
        return false;
    }
    set_boot_order(s, NULL);
    return (boot->splash_time < 0 ||
            add_number(s, "etc/boot-menu-wait", boot->splash_time, 2, err)) &&
           add_number(s, "etc/boot-fail-wait", boot->reboot_timeout, 4, err);
}

static bool has_screen(const Machine *m)
{
    for (guint i = 0; i < m->devices->len; i++) {
        const Device *dev = m->devices->pdata[i];

        if (dev->type->pci && dev->type->pci->class_code >> 16 ==
                              CLASS_DISPLAY) {
            return true;
        }
    }
    return false;
}

/* A byte for each of ACPI's sleep states from 0 to 5: whether it is there, and the
 * number to write for it. */
static bool add_sleep_states(PCMachine *s, GError **err)
{
    const uint8_t there = 0x80;
    const uint8_t states[] = {
        there, 0, 0, (piix4_pm_has_s3(s->pm) ? there : 0) | PIIX4_SLP_TYP_TO_RAM,
        (piix4_pm_has_s4(s->pm) ? there : 0) | piix4_pm_s4_type(s->pm),
        there | PIIX4_SLP_TYP_SOFT_OFF,
    };

    return fw_cfg_add_file(s->fw_cfg, "etc/system-states", states, sizeof(states), err);
}

/* Where there is nothing to look at, firmware talks on the serial port. */
static bool add_screen(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;
    bool screen = s->graphics && !m->headless && has_screen(m);

    fw_cfg_add_u16(s->fw_cfg, FW_CFG_NOGRAPHIC, !screen);
    return screen || !m->serials->len || !m->serials->pdata[0] ||
           add_number(s, "etc/sercon-port", PC_COM1_PORT, 2, err);
}

/* The file @path, of at most @max bytes, as fw_cfg's file @name. */
static bool add_host_file(PCMachine *s, const char *name, const char *path,
                          const char *role, uint64_t max, GError **err)
{
    LoaderFile *file = loader_open_any(s->loader, path, role, err);
    uint8_t *bytes;
    size_t len;

    bytes = file ? loader_file_read_all(file, max, &len, err) : NULL;
    return bytes && fw_cfg_take_file(s->fw_cfg, name, bytes, len, err);
}

static bool add_option_roms(PCMachine *s, GError **err)
{
    const GPtrArray *roms = s->machine.option_roms;

    for (guint i = 0; i < roms->len; i++) {
        const OptionROMSetting *rom = roms->pdata[i];
        g_autofree char *path = data_file_path(rom->file, err);
        g_autofree char *base = g_path_get_basename(rom->file);
        g_autofree char *name = g_strconcat(ROM_FOLDER, base, NULL);

        if (!path || !add_host_file(s, name, path, "option ROM", ROM_SIZE_MAX, err)) {
            g_prefix_error(err, "-option-rom: ");
            return false;
        }
    }
    return true;
}

static bool add_user_file(PCMachine *s, const FWCfgSetting *setting, GError **err)
{
    if (!g_str_has_prefix(setting->name, "opt/")) {
        fprintf(stderr, "warning: -fw_cfg name=%s: names of users' files begin with "
                "\"opt/\"\n", setting->name);
    }
    if (setting->string) {
        return fw_cfg_add_file(s->fw_cfg, setting->name, setting->string,
                               strlen(setting->string), err);
    }
    return add_host_file(s, setting->name, setting->file, "file", UINT32_MAX, err);
}

bool pc_add_user_files(PCMachine *s, GError **err)
{
    const GPtrArray *settings = s->machine.fw_cfg;

    for (guint i = 0; i < settings->len; i++) {
        if (!add_user_file(s, settings->pdata[i], err)) {
            g_prefix_error(err, "-fw_cfg: ");
            return false;
        }
    }
    return true;
}

bool pc_fill_fw_cfg(PCMachine *s, GError **err)
{
    const Machine *m = &s->machine;
    FWCfg *f = s->fw_cfg;
    uint64_t end = HIMEM_BASE + s->himem_size;

    fw_cfg_add_u64(f, FW_CFG_RAM_SIZE, m->ram_size);
    fw_cfg_add_u16(f, FW_CFG_NB_CPUS, m->cpus);
    /* One more than the largest APIC id: that is what it is read as. */
    fw_cfg_add_u16(f, FW_CFG_MAX_CPUS, x86_apic_id(&m->topology, m->cpus - 1) + 1);
    fw_cfg_add_u32(f, FW_CFG_IRQ0_OVERRIDE, 1);
    add_uuid(s);
    return add_e820(s, err) && add_boot(s, err) && add_option_roms(s, err) &&
           add_sleep_states(s, err) && add_screen(s, err) &&
           add_number(s, "etc/reserved-memory-end", (end + GIB - 1) / GIB * GIB, 8,
                      err);
}

void pc_boot_first(PCMachine *s, const char *path)
{
    set_boot_order(s, path);
}
