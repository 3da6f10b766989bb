/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options about firmware; see options-boot.h.
 */
#include "options-boot.h"

#include <string.h>

#include "opts.h"

/* Most milliseconds that firmware is told to wait: it has 16 bits for them. */
#define BOOT_TIME_MAX 65535

typedef struct BootText {
    BootSettings boot;
    char *splash_time, *reboot_timeout;
} BootText;

const Property boot_properties[] = {
    { "order", PROP_STRING, offsetof(BootText, boot.order), NULL,
      "letters: a, b floppies, c first disk, d first CD-ROM, n to p networks", 0 },
    { "once", PROP_STRING, offsetof(BootText, boot.once), NULL,
      "the same for the first start only", 0 },
    { "menu", PROP_BOOL, offsetof(BootText, boot.menu), "off",
      "firmware offers its boot menu", 0 },
    { "strict", PROP_BOOL, offsetof(BootText, boot.strict), "off",
      "firmware starts from nothing that has no place in the order", 0 },
    { "splash-time", PROP_STRING, offsetof(BootText, splash_time), NULL,
      "ms that the menu waits for a key; -1: as firmware does", 0 },
    { "reboot-timeout", PROP_STRING, offsetof(BootText, reboot_timeout), NULL,
      "ms until firmware that found nothing starts again; -1: never", 0 },
    { 0 },
};

const Property fw_cfg_properties[] = {
    { "name", PROP_STRING, offsetof(FWCfgSetting, name), NULL,
      "the file's name for the guest: opt/...", 0 },
    { "file", PROP_STRING, offsetof(FWCfgSetting, file), NULL,
      "where its bytes are", 0 },
    { "string", PROP_STRING, offsetof(FWCfgSetting, string), NULL,
      "or the bytes themselves, without a zero at the end", 0 },
    { 0 },
};

const Property option_rom_properties[] = {
    { "romfile", PROP_STRING, offsetof(OptionROMSetting, file), NULL, "the image", 0 },
    { "bootindex", PROP_UINT32, offsetof(OptionROMSetting, bootindex), NULL,
      "its place in the order of what firmware starts from; the lowest is first",
      BOOTINDEX_NONE - 1 },
    { 0 },
};

typedef struct DriveSetting {
    char *interface, *format, *file, *id;
    uint32_t unit;
    bool readonly;
} DriveSetting;

#define UNIT_NEXT UINT32_MAX

const Property drive_properties[] = {
    { "if", PROP_STRING, offsetof(DriveSetting, interface), NULL,
      "what it is connected to: pflash", 0 },
    { "format", PROP_STRING, offsetof(DriveSetting, format), "raw", "raw", 0 },
    { "unit", PROP_UINT32, offsetof(DriveSetting, unit), NULL,
      "0 ends at 4 GiB, 1 lies below it; the next one if not given", 1 },
    { "readonly", PROP_BOOL, offsetof(DriveSetting, readonly), "off",
      "the guest cannot change it", 0 },
    { "file", PROP_STRING, offsetof(DriveSetting, file), NULL, "the image", 0 },
    { "id", PROP_STRING, offsetof(DriveSetting, id), NULL,
      "its name; nothing refers to it", 0 },
    { 0 },
};

static bool boot_time(const char *name, const char *text, int32_t *time,
                      GError **err)
{
    int64_t value;

    if (!text) {
        return true;
    }
    if (!g_ascii_string_to_signed(text, 10, -1, BOOT_TIME_MAX, &value, NULL)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s: '%s' is no number of milliseconds from -1 to %d", name,
                    text, BOOT_TIME_MAX);
        return false;
    }
    *time = value;
    return true;
}

static bool boot_order(const char *name, const char *order, GError **err)
{
    for (const char *p = order; p && *p; p++) {
        if (*p < 'a' || *p > 'p' || strchr(p + 1, *p)) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "%s: '%s' are not letters from a to p, each once", name,
                        order);
            return false;
        }
    }
    return true;
}

bool option_set_boot(Settings *s, const char *value, GError **err)
{
    BootText text = { .boot = s->boot };
    bool ok = opts_set(value, "order", boot_properties, &text, "-boot", err) &&
              boot_order("order", text.boot.order, err) &&
              boot_order("once", text.boot.once, err) &&
              boot_time("splash-time", text.splash_time, &text.boot.splash_time,
                        err) &&
              boot_time("reboot-timeout", text.reboot_timeout,
                        &text.boot.reboot_timeout, err);

    s->boot = text.boot;
    g_free(text.splash_time);
    g_free(text.reboot_timeout);
    return ok;
}

static void boot_clear(BootSettings *boot)
{
    g_free(boot->order);
    g_free(boot->once);
    *boot = (BootSettings){ .splash_time = -1, .reboot_timeout = -1 };
}

static void fw_cfg_setting_free(void *opaque)
{
    FWCfgSetting *setting = opaque;

    properties_clear(fw_cfg_properties, setting);
    g_free(setting);
}

bool option_add_fw_cfg(Settings *s, const char *value, GError **err)
{
    FWCfgSetting *setting = g_new0(FWCfgSetting, 1);

    g_ptr_array_add(s->fw_cfg, setting);
    if (!opts_set(value, "name", fw_cfg_properties, setting, "-fw_cfg", err)) {
        return false;
    }
    if (!setting->name || !setting->file == !setting->string) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "it wants name=NAME, and one of file=FILE and string=TEXT");
        return false;
    }
    return true;
}

static void option_rom_setting_free(void *opaque)
{
    OptionROMSetting *setting = opaque;

    properties_clear(option_rom_properties, setting);
    g_free(setting);
}

bool option_add_option_rom(Settings *s, const char *value, GError **err)
{
    OptionROMSetting *setting = g_new0(OptionROMSetting, 1);

    setting->bootindex = BOOTINDEX_NONE;
    g_ptr_array_add(s->option_roms, setting);
    if (!opts_set(value, "romfile", option_rom_properties, setting, "-option-rom", err)) {
        return false;
    }
    if (!setting->file) {
        g_set_error(err, FLATVIEW_ERROR, 0, "romfile=FILE is missing: the image");
        return false;
    }
    for (guint i = 0; i < s->option_roms->len - 1; i++) {
        const OptionROMSetting *other = s->option_roms->pdata[i];
        g_autofree char *name = g_path_get_basename(setting->file);
        g_autofree char *other_name = g_path_get_basename(other->file);

        if (strcmp(name, other_name) == 0) {
            g_set_error(err, FLATVIEW_ERROR, 0, "without its folder its name is that of "
                        "'%s', and firmware knows it by that; copy one to another name",
                        other->file);
            return false;
        }
        if (setting->bootindex != BOOTINDEX_NONE &&
            setting->bootindex == other->bootindex) {
            g_set_error(err, FLATVIEW_ERROR, 0, "bootindex=%u is that of '%s', too",
                        setting->bootindex, other->file);
            return false;
        }
    }
    return true;
}

static void flash_setting_free(void *opaque)
{
    FlashSetting *setting = opaque;

    g_free(setting->file);
    g_free(setting);
}

static void add_flash(Settings *s, char *file, int unit, bool readonly)
{
    FlashSetting *setting = g_new(FlashSetting, 1);

    *setting = (FlashSetting){ .file = file, .unit = unit, .readonly = readonly };
    g_ptr_array_add(s->flash, setting);
}

bool option_add_pflash(Settings *s, const char *value, GError **err)
{
    add_flash(s, g_strdup(value), -1, false);
    return true;
}

bool option_add_drive(Settings *s, const char *value, GError **err)
{
    DriveSetting drive = { 0 };
    bool ok = false;

    properties_init(drive_properties, &drive);
    drive.unit = UNIT_NEXT;
    if (!opts_set(value, NULL, drive_properties, &drive, "-drive", err)) {
        /* said already */
    } else if (g_strcmp0(drive.interface, "pflash") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "if=%s: only if=pflash is there",
                    drive.interface ? drive.interface : "");
    } else if (strcmp(drive.format, "raw") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "format=%s: only raw files are known",
                    drive.format);
    } else if (!drive.file || !*drive.file) {
        g_set_error(err, FLATVIEW_ERROR, 0, "file=FILE is missing: the image");
    } else {
        add_flash(s, g_steal_pointer(&drive.file),
                  drive.unit == UNIT_NEXT ? -1 : (int)drive.unit, drive.readonly);
        ok = true;
    }
    properties_clear(drive_properties, &drive);
    return ok;
}

bool option_add_smbios(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        smbios_settings_print(stdout);
        s->done = true;
        return true;
    }
    if (!s->smbios) {
        s->smbios = smbios_settings_new();
    }
    return smbios_settings_add(s->smbios, value, err);
}

void settings_init_boot(Settings *s)
{
    s->smbios = NULL;
    boot_clear(&s->boot);
    s->fw_cfg = g_ptr_array_new_with_free_func(fw_cfg_setting_free);
    s->option_roms = g_ptr_array_new_with_free_func(option_rom_setting_free);
    s->flash = g_ptr_array_new_with_free_func(flash_setting_free);
}

void settings_clear_boot(Settings *s)
{
    boot_clear(&s->boot);
    g_ptr_array_free(s->fw_cfg, TRUE);
    g_ptr_array_free(s->option_roms, TRUE);
    g_ptr_array_free(s->flash, TRUE);
    smbios_settings_free(s->smbios);
}

void settings_move_boot(Settings *s, Machine *machine)
{
    machine->boot = s->boot;
    machine->boot.order = g_steal_pointer(&s->boot.order);
    machine->boot.once = g_steal_pointer(&s->boot.once);
    g_ptr_array_extend_and_steal(machine->fw_cfg, s->fw_cfg);
    g_ptr_array_extend_and_steal(machine->option_roms, s->option_roms);
    g_ptr_array_extend_and_steal(machine->flash, s->flash);
    machine->smbios = s->smbios;
    settings_init_boot(s);
}
