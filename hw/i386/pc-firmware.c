/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the firmware of the board pc comes from.
 */
#include "hw/i386/pc-firmware.h"

#include <string.h>

#include "hw/core/data-file.h"
#include "hw/i386/pc-map.h"
#include "hw/pci-host/i440fx.h"

#define BIOS_DEFAULT "bios-256k.bin"

#define MIB (1024 * 1024ull)
#define FLASH_END (4096 * MIB)
#define FLASH_MAX (8 * MIB) /* of both together */
#define FLASH_BLOCK 4096
#define FLASH_UNITS 2

/* ---- an image ------------------------------------------------------------------ */

static bool add_bios(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;
    g_autofree char *path = data_file_path(m->bios ? m->bios : BIOS_DEFAULT, err);

    if (!path && !m->bios && !m->kvm) {
        g_clear_error(err); /* there is no CPU to miss it */
        return true;
    }
    if (!path) {
        g_prefix_error(err, "firmware (SeaBIOS is in the Debian package seabios; "
                       "-bios names another): ");
        return false;
    }
    s->firmware = true;
    return pc_map_bios(s, path, err);
}

/* ---- flash ---------------------------------------------------------------------- */

/* Who is which unit: one that says nothing is the next after the one before. */
static bool find_units(const PCMachine *s, const FlashSetting **units, GError **err)
{
    const GPtrArray *flash = s->machine.flash;
    int next = 0;

    for (guint i = 0; i < flash->len; i++) {
        const FlashSetting *setting = flash->pdata[i];
        int unit = setting->unit < 0 ? next : setting->unit;

        if (unit >= FLASH_UNITS || units[unit]) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "flash '%s': %s", setting->file, unit >= FLASH_UNITS
                        ? "there are two units, 0 and 1"
                        : "another one is this unit; give them unit=0 and unit=1");
            return false;
        }
        units[unit] = setting;
        next = unit + 1;
    }
    if (!units[0]) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "flash '%s': it is unit 1, and there is no unit 0, from which "
                    "the machine starts", units[1]->file);
        return false;
    }
    return true;
}

static Device *make_flash(PCMachine *s, const FlashSetting *setting, unsigned unit,
                          uint64_t size, GError **err)
{
    g_autofree char *name = g_strdup_printf("system.flash%u", unit);
    g_autofree char *blocks = g_strdup_printf("%" PRIu64, size / FLASH_BLOCK);
    Device *dev = machine_new_device(&s->machine, "cfi.pflash01", NULL, err);

    if (!dev || !device_set(dev, "name", name, err) ||
        !device_set(dev, "file", setting->file, err) ||
        !device_set(dev, "readonly", setting->readonly ? "on" : "off", err) ||
        !device_set(dev, "sector-length", G_STRINGIFY(FLASH_BLOCK), err) ||
        !device_set(dev, "num-blocks", blocks, err)) {
        device_free(dev);
        return NULL;
    }
    object_add(&dev->object, "/machine", name);
    return machine_realize_device(&s->machine, dev, err) ? dev : NULL;
}

/* Place a unit so that it ends where *@end is, which then is where it begins. */
static bool add_unit(PCMachine *s, const FlashSetting *setting, unsigned unit,
                     uint64_t *end, GError **err)
{
    LoaderFile *file = loader_open(s->loader, setting->file, "flash", err);
    Device *dev;

    if (!file) {
        return false;
    }
    if (file->size % FLASH_BLOCK) {
        return loader_file_error(file, err, "its size of %" PRIu64 " bytes is no "
                                 "multiple of %u", file->size, FLASH_BLOCK);
    }
    if (file->size > FLASH_MAX - (FLASH_END - *end)) {
        return loader_file_error(file, err, "its %" PRIu64 " KiB%s are more than "
                                 "the %llu KiB that there can be", file->size / 1024,
                                 unit ? " and those of unit 0" : "",
                                 FLASH_MAX / 1024);
    }
    dev = make_flash(s, setting, unit, file->size, err);
    if (!dev) {
        return false;
    }
    *end -= file->size;
    device_map(dev, 1, &s->pci_memory, *end, 0);
    if (unit == 0) {
        uint64_t low = memory_region_size(dev->regions[0]);
        char *host = memory_region_get_ram_ptr(dev->regions[1]);

        device_map(dev, 0, &s->pci_memory, MIB - low, 1);
        i440fx_add_rom(s->i440fx, MIB - low, low, host + file->size - low);
    }
    return true;
}

static bool add_flash(PCMachine *s, GError **err)
{
    const FlashSetting *units[FLASH_UNITS] = { NULL };
    uint64_t end = FLASH_END;

    if (s->machine.bios) {
        g_set_error(err, FLATVIEW_ERROR, 0, "-bios '%s' and flash exclude each "
                    "other: either is where the machine starts", s->machine.bios);
        return false;
    }
    if (!find_units(s, units, err)) {
        return false;
    }
    for (unsigned i = 0; i < FLASH_UNITS; i++) {
        if (units[i] && !add_unit(s, units[i], i, &end, err)) {
            return false;
        }
    }
    pc_map_option_rom(s);
    s->firmware = true;
    return true;
}

bool pc_add_firmware(PCMachine *s, GError **err)
{
    if (s->machine.flash->len) {
        return add_flash(s, err);
    }
    return (s->machine.kernel && !s->machine.bios) || add_bios(s, err);
}
