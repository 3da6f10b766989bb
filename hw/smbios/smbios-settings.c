/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The argument of -smbios; see smbios-settings.h. Keys have the names that they have in
 * QEMU.
 */
#include "hw/smbios/smbios-settings.h"

#include <errno.h>
#include <string.h>

#include "opts.h"

/* Strings of a structure have 8 bits for their number; and all structures together
 * less than 64 KiB. */
#define STRINGS_MAX 255
#define STRING_SIZE_MAX 65535

#define TYPE_OEM_STRINGS 11

#define TEXT(key, field, help) \
    { key, PROP_STRING, offsetof(SMBIOSSettings, field), NULL, help, 0 }
#define NUMBER16(key, field, help) \
    { key, PROP_UINT16, offsetof(SMBIOSSettings, field), NULL, help, UINT16_MAX }

static const Property bios_properties[] = {
    TEXT("vendor", bios.vendor, "who made the firmware"),
    TEXT("version", bios.version, "its version"),
    TEXT("date", bios.date, "when it was made, MM/DD/YYYY"),
    TEXT("release", bios.release, "its release, MAJOR.MINOR"),
    { "uefi", PROP_BOOL, offsetof(SMBIOSSettings, bios.uefi), NULL, "it is UEFI", 0 },
    { 0 },
};

static const Property system_properties[] = {
    TEXT("manufacturer", system.manufacturer, "who made the machine"),
    TEXT("product", system.product, "what it is"),
    TEXT("version", system.version, "its version"),
    TEXT("serial", system.serial, "its serial number"),
    TEXT("uuid", system.uuid, "its UUID, in place of that of -uuid"),
    TEXT("sku", system.sku, "its number in a catalogue"),
    TEXT("family", system.family, "its family"),
    { 0 },
};

static const Property board_properties[] = {
    TEXT("manufacturer", board.manufacturer, "who made the mainboard"),
    TEXT("product", board.product, "what it is"),
    TEXT("version", board.version, "its version"),
    TEXT("serial", board.serial, "its serial number"),
    TEXT("asset", board.asset, "its asset tag"),
    TEXT("location", board.location, "where in the chassis it is"),
    { 0 },
};

static const Property chassis_properties[] = {
    TEXT("manufacturer", chassis.manufacturer, "who made the chassis"),
    TEXT("version", chassis.version, "its version"),
    TEXT("serial", chassis.serial, "its serial number"),
    TEXT("asset", chassis.asset, "its asset tag"),
    TEXT("sku", chassis.sku, "its number in a catalogue"),
    { 0 },
};

static const Property processor_properties[] = {
    TEXT("sock_pfx", processor.socket_prefix, "what a socket is called before its number"),
    TEXT("manufacturer", processor.manufacturer, "who made the processor"),
    TEXT("version", processor.version, "what it is"),
    TEXT("serial", processor.serial, "its serial number"),
    TEXT("asset", processor.asset, "its asset tag"),
    TEXT("part", processor.part, "its part number"),
    NUMBER16("max-speed", processor.max_speed, "MHz at most"),
    NUMBER16("current-speed", processor.speed, "MHz now"),
    { "processor-id", PROP_UINT64, offsetof(SMBIOSSettings, processor.id), NULL,
      "EDX and EAX of CPUID leaf 1, in place of the host's", UINT64_MAX },
    { 0 },
};

static const Property memory_properties[] = {
    TEXT("loc_pfx", memory.locator_prefix, "what a module is called before its number"),
    TEXT("bank", memory.bank, "its bank"),
    TEXT("manufacturer", memory.manufacturer, "who made the module"),
    TEXT("serial", memory.serial, "its serial number"),
    TEXT("asset", memory.asset, "its asset tag"),
    TEXT("part", memory.part, "its part number"),
    NUMBER16("speed", memory.speed, "MT/s"),
    { 0 },
};

static const struct {
    uint8_t type;
    const char *what;
    const Property *properties;
} kinds[] = {
    { 0, "the firmware", bios_properties },
    { 1, "the machine", system_properties },
    { 2, "the mainboard", board_properties },
    { 3, "the chassis", chassis_properties },
    { 4, "the processors", processor_properties },
    { 17, "the memory modules", memory_properties },
};

SMBIOSSettings *smbios_settings_new(void)
{
    SMBIOSSettings *settings = g_new0(SMBIOSSettings, 1);

    settings->oem_strings = g_ptr_array_new_with_free_func(g_free);
    settings->files = g_ptr_array_new_with_free_func(g_free);
    return settings;
}

void smbios_settings_free(SMBIOSSettings *settings)
{
    if (!settings) {
        return;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        properties_clear(kinds[i].properties, settings);
    }
    g_ptr_array_free(settings->oem_strings, TRUE);
    g_ptr_array_free(settings->files, TRUE);
    g_free(settings);
}

bool smbios_parse_release(const char *text, uint8_t release[2])
{
    g_auto(GStrv) words = g_strsplit(text, ".", 3);

    for (unsigned i = 0; i < 2; i++) {
        guint64 value;

        if (!words[0] || !words[i] ||
            !g_ascii_string_to_unsigned(words[i], 10, 0, UINT8_MAX, &value, NULL)) {
            return false;
        }
        release[i] = value;
    }
    return !words[2];
}

/* What Property cannot check. */
static bool check_value(const char *key, const char *value, GError **err)
{
    uint8_t release[2];

    if (strcmp(key, "release") == 0 && !smbios_parse_release(value, release)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "release=%s: it is MAJOR.MINOR, each from 0 to 255", value);
        return false;
    }
    if (strcmp(key, "uuid") == 0 && !g_uuid_string_is_valid(value)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "uuid=%s: it is no UUID: 32 hexadecimal digits, as in "
                    "6ba7b810-9dad-11d1-80b4-00c04fd430c8", value);
        return false;
    }
    return true;
}

/* What is in @path, a text; NULL with @err. */
static char *read_text(const char *path, GError **err)
{
    FILE *in = fopen(path, "r");
    char *text = g_malloc(STRING_SIZE_MAX + 1);
    size_t len = in ? fread(text, 1, STRING_SIZE_MAX + 1, in) : 0;

    if (!in || ferror(in)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "path=%s: cannot be read: %s", path,
                    g_strerror(errno));
    } else if (len > STRING_SIZE_MAX || memchr(text, 0, len)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "path=%s: a string has %u bytes at most, and no zero among them",
                    path, STRING_SIZE_MAX);
    } else {
        text[len] = 0;
        fclose(in);
        return text;
    }
    if (in) {
        fclose(in);
    }
    g_free(text);
    return NULL;
}

static bool add_oem_string(SMBIOSSettings *settings, const Opt *opt, GError **err)
{
    const char *value = opt->value ? opt->value : "";
    g_autofree char *text = NULL;

    if (strcmp(opt->key, "value") == 0) {
        text = g_strdup(value);
    } else if (strcmp(opt->key, "path") == 0) {
        text = read_text(value, err);
        if (!text) {
            return false;
        }
    } else {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "type 11 has no '%s'; there are value= and path=", opt->key);
        return false;
    }
    if (!*text) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s=%s: a string is not empty", opt->key,
                    value);
        return false;
    }
    if (settings->oem_strings->len == STRINGS_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0, "type 11 has %u strings at most",
                    STRINGS_MAX);
        return false;
    }
    g_ptr_array_add(settings->oem_strings, g_steal_pointer(&text));
    return true;
}

/* The value of the first @key among @opts, or NULL. */
static const char *find(const GPtrArray *opts, const char *key)
{
    for (guint i = 0; i < opts->len; i++) {
        const Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, key) == 0) {
            return opt->value ? opt->value : "";
        }
    }
    return NULL;
}

/* What sets things of @type; NULL: nothing does. */
static const Property *properties_of(guint64 type)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type == type) {
            return kinds[i].properties;
        }
    }
    return NULL;
}

static bool set_one(SMBIOSSettings *settings, guint64 type, const Opt *opt, GError **err)
{
    g_autofree char *what = NULL;

    if (type == TYPE_OEM_STRINGS) {
        return add_oem_string(settings, opt, err);
    }
    what = g_strdup_printf("type %u", (unsigned)type);
    return check_value(opt->key, opt->value ? opt->value : "", err) &&
           property_set(properties_of(type), settings, NULL, what, opt->key, opt->value,
                        err);
}

bool smbios_settings_add(SMBIOSSettings *settings, const char *text, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(text, NULL);
    const char *file = find(opts, "file"), *type_text = find(opts, "type");
    guint64 type;

    if (file) {
        if (opts->len > 1) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "file= stands alone: the file says all, its type, too");
            return false;
        }
        g_ptr_array_add(settings->files, g_strdup(file));
        return true;
    }
    if (!type_text ||
        !g_ascii_string_to_unsigned(type_text, 10, 0, UINT8_MAX, &type, NULL) ||
        (!properties_of(type) && type != TYPE_OEM_STRINGS)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "it wants file=FILE, or type= with 0, 1, 2, 3, 4, 11 or 17; 'help' "
                    "lists what each has");
        return false;
    }
    settings->given[type] = true;
    for (guint i = 0; i < opts->len; i++) {
        const Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, "type") != 0) {
            if (!set_one(settings, type, opt, err)) {
                return false;
            }
        } else if (opt->value != type_text) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "type=%s and another type=; -smbios can be given for each",
                        type_text);
            return false;
        }
    }
    return true;
}

void smbios_settings_print(FILE *out)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        fprintf(out, "type=%u, %s:\n", kinds[i].type, kinds[i].what);
        properties_print(kinds[i].properties, out);
    }
    fprintf(out, "type=11, strings for whom it concerns:\n"
                 "  value=<text>  one of them; it can be given again\n"
                 "  path=<text>  one, which is in this file\n"
                 "file=<text>  a whole structure, which is in this file\n");
}
