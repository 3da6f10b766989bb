/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables: see smbios.h. DMTF DSP0134 (SMBIOS reference specification) 2.8,
 * chapter 5.2.1 for the entry point and 7 for the structures.
 */
#include "hw/smbios/smbios.h"

#include <assert.h>
#include <cpuid.h>
#include <string.h>

#include "hw/core/device.h"

#define MANUFACTURER "flatview"
#define RELEASE_DATE "01/01/2026" /* guests take this for the age of the platform */

#define MIB (1024 * 1024ull)
#define GIB (1024 * MIB)
#define HIMEM_BASE (4 * GIB)
#define ANCHOR_ROOM 32 /* the entry point, and up to a multiple of 16 */

/* Memory modules have this size, or larger ones where there would be more of them. */
#define MODULE_SIZE (16 * GIB)
#define MODULES_MAX 64

enum {
    TYPE_BIOS = 0,
    TYPE_SYSTEM = 1,
    TYPE_BOARD = 2,
    TYPE_CHASSIS = 3,
    TYPE_PROCESSOR = 4,
    TYPE_OEM_STRINGS = 11,
    TYPE_MEMORY_ARRAY = 16,
    TYPE_MEMORY_DEVICE = 17,
    TYPE_MEMORY_MAPPED = 19,
    TYPE_BOOT = 32,
    TYPE_END = 127,
};

/* A structure's handle: its type, and which of them it is. */
#define HANDLE(type, n) ((type) << 8 | (n))
#define NO_HANDLE 0xffff
#define NO_ERROR_HANDLE 0xfffe

#define BIOS_UNSUPPORTED 0x08      /* characteristics: not given */
#define BIOS_EXT2_UEFI 0x08
#define BIOS_EXT2_VIRTUAL 0x10     /* in a virtual machine */
#define BOARD_HOSTS 0x01           /* it is what the machine runs on */
#define BOARD_MOTHERBOARD 0x0a
#define WAKE_UP_POWER_SWITCH 6
#define CHASSIS_OTHER 1
#define STATE_SAFE 3
#define SECURITY_NONE 3
#define PROCESSOR_CENTRAL 3
#define PROCESSOR_ENABLED 0x41     /* and its socket populated */
#define FAMILY_OTHER 1
#define UPGRADE_OTHER 1
#define SPEED_MHZ 2000             /* nobody knows; what others say, too */
#define PROCESSOR_64BIT 0x04
#define ARRAY_ON_BOARD 3
#define ARRAY_SYSTEM_MEMORY 3
#define ARRAY_NO_CORRECTION 3
#define WIDTH_UNKNOWN 0xffff
#define FORM_DIMM 9
#define MEMORY_RAM 7
#define MEMORY_DETAIL_OTHER 2
#define SIZE_EXTENDED 0x7fff       /* MiB: look at the other field */
#define CAPACITY_EXTENDED 0x80000000u /* KiB: look at the other field */
#define ADDRESS_EXTENDED 0xffffffffu  /* KiB: look at the other fields */

typedef struct __attribute__((packed)) Header {
    uint8_t type, length;
    uint16_t handle;
} Header;

typedef struct __attribute__((packed)) Bios {
    Header header;
    uint8_t vendor, version;
    uint16_t segment;
    uint8_t date, rom_size;
    uint64_t characteristics;
    uint8_t extension1, extension2;
    uint8_t major, minor, ec_major, ec_minor;
} Bios;

typedef struct __attribute__((packed)) System {
    Header header;
    uint8_t manufacturer, product, version, serial;
    uint8_t uuid[16];
    uint8_t wake_up, sku, family;
} System;

typedef struct __attribute__((packed)) Board {
    Header header;
    uint8_t manufacturer, product, version, serial, asset;
    uint8_t features, location;
    uint16_t chassis;
    uint8_t kind, contained;
} Board;

typedef struct __attribute__((packed)) Chassis {
    Header header;
    uint8_t manufacturer, kind, version, serial, asset;
    uint8_t boot_state, power_state, thermal_state, security;
    uint32_t oem;
    uint8_t height, cords, elements, element_length, sku;
} Chassis;

typedef struct __attribute__((packed)) Processor {
    Header header;
    uint8_t socket, kind, family, manufacturer;
    uint32_t id[2];
    uint8_t version, voltage;
    uint16_t clock, max_speed, speed;
    uint8_t status, upgrade;
    uint16_t caches[3];
    uint8_t serial, asset, part, cores, cores_enabled, threads;
    uint16_t characteristics, family2;
} Processor;

typedef struct __attribute__((packed)) OEMStrings {
    Header header;
    uint8_t count;
} OEMStrings;

typedef struct __attribute__((packed)) MemoryArray {
    Header header;
    uint8_t location, use, correction;
    uint32_t capacity_kib;
    uint16_t error_handle, devices;
    uint64_t capacity;
} MemoryArray;

typedef struct __attribute__((packed)) MemoryDevice {
    Header header;
    uint16_t array, error_handle, total_width, data_width, size_mib;
    uint8_t form, set, locator, bank, kind;
    uint16_t detail, speed;
    uint8_t manufacturer, serial, asset, part, attributes;
    uint32_t extended_size_mib;
    uint16_t configured_speed, voltages[3];
} MemoryDevice;

typedef struct __attribute__((packed)) MemoryMapped {
    Header header;
    uint32_t first_kib, last_kib;
    uint16_t array;
    uint8_t width;
    uint64_t first, last;
} MemoryMapped;

typedef struct __attribute__((packed)) Boot {
    Header header;
    uint8_t reserved[6], status;
} Boot;

typedef struct __attribute__((packed)) Anchor {
    char anchor[4];
    uint8_t checksum, length, major, minor;
    uint16_t largest;
    uint8_t revision, formatted[5];
    char intermediate[5];
    uint8_t intermediate_checksum;
    uint16_t tables_length;
    uint32_t tables;
    uint16_t structures;
    uint8_t bcd_revision;
} Anchor;

G_STATIC_ASSERT(sizeof(Bios) == 0x18);
G_STATIC_ASSERT(sizeof(System) == 0x1b);
G_STATIC_ASSERT(sizeof(Board) == 0x0f);
G_STATIC_ASSERT(sizeof(Chassis) == 0x16);
G_STATIC_ASSERT(sizeof(Processor) == 0x2a);
G_STATIC_ASSERT(sizeof(OEMStrings) == 0x05);
G_STATIC_ASSERT(sizeof(MemoryArray) == 0x17);
G_STATIC_ASSERT(sizeof(MemoryDevice) == 0x28);
G_STATIC_ASSERT(sizeof(MemoryMapped) == 0x1f);
G_STATIC_ASSERT(sizeof(Boot) == 0x0b);
G_STATIC_ASSERT(sizeof(Anchor) == 0x1f);

/* ---- structures ------------------------------------------------------------------- */

/* What is built, and from what. */
typedef struct Builder {
    GByteArray *out;
    const SMBIOSConfig *config;
    const SMBIOSSettings *settings;
    /* Strings of the structure at hand, which its fields number from 1. */
    GByteArray *strings;
    uint8_t strings_nr;
} Builder;

static Header header(uint8_t type, unsigned n, size_t length)
{
    return (Header){ type, length, HANDLE(type, n) };
}

/* Add a string to the structure at hand; its number, 0 where there is no text. */
static uint8_t string(Builder *b, const char *text)
{
    if (!text || !*text) {
        return 0;
    }
    g_byte_array_append(b->strings, (const uint8_t *)text, strlen(text) + 1);
    return ++b->strings_nr;
}

/* The same with @text or, if that was not given, @otherwise. */
static uint8_t string_or(Builder *b, const char *text, const char *otherwise)
{
    return string(b, text ? text : otherwise);
}

/* Append the structure at hand with its strings, or two zeros where it has none. */
static void append(Builder *b, const void *structure)
{
    const Header *h = structure;

    g_byte_array_append(b->out, structure, h->length);
    if (!b->strings_nr) {
        g_byte_array_append(b->strings, (const uint8_t *)"", 1);
    }
    g_byte_array_append(b->strings, (const uint8_t *)"", 1);
    g_byte_array_append(b->out, b->strings->data, b->strings->len);
    g_byte_array_set_size(b->strings, 0);
    b->strings_nr = 0;
}

static void append_bios(Builder *b)
{
    const SMBIOSSettings *set = b->settings;
    uint8_t release[2] = { 0, 0 };
    Bios bios = {
        .header = header(TYPE_BIOS, 0, sizeof(bios)),
        .characteristics = BIOS_UNSUPPORTED,
        .extension2 = BIOS_EXT2_VIRTUAL | (set->bios.uefi ? BIOS_EXT2_UEFI : 0),
        .major = 0xff, .minor = 0xff,
        .ec_major = 0xff, .ec_minor = 0xff,
    };

    if (!b->config->bios && !set->given[TYPE_BIOS]) {
        return;
    }
    bios.vendor = string_or(b, set->bios.vendor, MANUFACTURER);
    bios.version = string_or(b, set->bios.version, b->config->bios ? "no firmware" : NULL);
    bios.date = string_or(b, set->bios.date, RELEASE_DATE);
    if (set->bios.release && smbios_parse_release(set->bios.release, release)) {
        bios.major = release[0];
        bios.minor = release[1];
    }
    append(b, &bios);
}

/* Its first three fields are numbers, and little-endian. */
static void parse_uuid(const char *text, uint8_t uuid[16])
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6,
                                       8, 9, 10, 11, 12, 13, 14, 15 };

    for (unsigned n = 0; text && *text && n < 32; text++) {
        int digit = g_ascii_xdigit_value(*text);

        if (digit >= 0) {
            uuid[order[n / 2]] |= n % 2 ? digit : digit << 4;
            n++;
        }
    }
}

static void append_system(Builder *b)
{
    const SMBIOSSettings *set = b->settings;
    System system = {
        .header = header(TYPE_SYSTEM, 0, sizeof(system)),
        .wake_up = WAKE_UP_POWER_SWITCH,
    };

    parse_uuid(set->system.uuid ? set->system.uuid : b->config->uuid, system.uuid);
    system.manufacturer = string_or(b, set->system.manufacturer, MANUFACTURER);
    system.product = string_or(b, set->system.product, b->config->product);
    system.version = string(b, set->system.version);
    system.serial = string(b, set->system.serial);
    system.sku = string(b, set->system.sku);
    system.family = string(b, set->system.family);
    append(b, &system);
}

static void append_board(Builder *b)
{
    const SMBIOSSettings *set = b->settings;
    Board board = {
        .header = header(TYPE_BOARD, 0, sizeof(board)),
        .features = BOARD_HOSTS, .chassis = HANDLE(TYPE_CHASSIS, 0),
        .kind = BOARD_MOTHERBOARD,
    };

    if (!set->given[TYPE_BOARD]) {
        return;
    }
    board.manufacturer = string_or(b, set->board.manufacturer, MANUFACTURER);
    board.product = string_or(b, set->board.product, b->config->product);
    board.version = string(b, set->board.version);
    board.serial = string(b, set->board.serial);
    board.asset = string(b, set->board.asset);
    board.location = string(b, set->board.location);
    append(b, &board);
}

static void append_chassis(Builder *b)
{
    const SMBIOSSettings *set = b->settings;
    Chassis chassis = {
        .header = header(TYPE_CHASSIS, 0, sizeof(chassis)),
        .kind = CHASSIS_OTHER,
        .boot_state = STATE_SAFE, .power_state = STATE_SAFE,
        .thermal_state = STATE_SAFE, .security = SECURITY_NONE,
    };

    chassis.manufacturer = string_or(b, set->chassis.manufacturer, MANUFACTURER);
    chassis.version = string(b, set->chassis.version);
    chassis.serial = string(b, set->chassis.serial);
    chassis.asset = string(b, set->chassis.asset);
    chassis.sku = string(b, set->chassis.sku);
    append(b, &chassis);
}

static void append_processor(Builder *b, unsigned n)
{
    const CPUTopology *topology = &b->config->topology;
    const SMBIOSSettings *set = b->settings;
    const char *prefix = set->processor.socket_prefix;
    g_autofree char *socket = g_strdup_printf("%s %u", prefix ? prefix : "CPU", n);
    unsigned cores = topology->dies * topology->cores, eax = 0, ebx, ecx, edx = 0;
    Processor processor = {
        .header = header(TYPE_PROCESSOR, n, sizeof(processor)),
        .kind = PROCESSOR_CENTRAL, .family = FAMILY_OTHER,
        .max_speed = set->processor.max_speed ? set->processor.max_speed : SPEED_MHZ,
        .speed = set->processor.speed ? set->processor.speed : SPEED_MHZ,
        .status = PROCESSOR_ENABLED, .upgrade = UPGRADE_OTHER,
        .caches = { NO_HANDLE, NO_HANDLE, NO_HANDLE },
        .cores = MIN(cores, 0xff), .cores_enabled = MIN(cores, 0xff),
        .threads = MIN(cores * topology->threads, 0xff),
        .characteristics = PROCESSOR_64BIT, .family2 = FAMILY_OTHER,
    };

    if (set->processor.id) {
        eax = set->processor.id;
        edx = set->processor.id >> 32;
    } else {
        __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    }
    processor.id[0] = eax;
    processor.id[1] = edx;
    processor.socket = string(b, socket);
    processor.manufacturer = string_or(b, set->processor.manufacturer, MANUFACTURER);
    processor.version = string(b, set->processor.version);
    processor.serial = string(b, set->processor.serial);
    processor.asset = string(b, set->processor.asset);
    processor.part = string(b, set->processor.part);
    append(b, &processor);
}

static void append_processors(Builder *b)
{
    for (unsigned n = 0; n < b->config->topology.sockets; n++) {
        append_processor(b, n);
    }
}

static void append_oem_strings(Builder *b)
{
    const GPtrArray *strings = b->settings->oem_strings;
    OEMStrings oem = { .header = header(TYPE_OEM_STRINGS, 0, sizeof(oem)) };

    for (guint i = 0; strings && i < strings->len; i++) {
        oem.count = string(b, strings->pdata[i]);
    }
    if (oem.count) {
        append(b, &oem);
    }
}

/* What modules there are: their number, and how many bytes each has; the last, less. */
static unsigned module_size(const SMBIOSConfig *config, uint64_t *module)
{
    uint64_t size = config->lomem_size + config->himem_size;

    *module = MODULE_SIZE;
    while ((size + *module - 1) / *module > MODULES_MAX) {
        *module *= 2;
    }
    return (size + *module - 1) / *module;
}

static void append_memory_array(Builder *b)
{
    uint64_t size = b->config->lomem_size + b->config->himem_size, module;
    MemoryArray array = {
        .header = header(TYPE_MEMORY_ARRAY, 0, sizeof(array)),
        .location = ARRAY_ON_BOARD, .use = ARRAY_SYSTEM_MEMORY,
        .correction = ARRAY_NO_CORRECTION,
        .error_handle = NO_ERROR_HANDLE,
        .devices = module_size(b->config, &module),
    };

    if (size / 1024 < CAPACITY_EXTENDED) {
        array.capacity_kib = size / 1024;
    } else {
        array.capacity_kib = CAPACITY_EXTENDED;
        array.capacity = size;
    }
    append(b, &array);
}

static void append_memory_devices(Builder *b)
{
    uint64_t size = b->config->lomem_size + b->config->himem_size, module;
    unsigned count = module_size(b->config, &module);
    const SMBIOSSettings *set = b->settings;
    const char *prefix = set->memory.locator_prefix;

    for (unsigned n = 0; n < count; n++) {
        g_autofree char *locator = g_strdup_printf("%s %u", prefix ? prefix : "DIMM", n);
        uint64_t mib = (MIN(module, size - n * module) + MIB - 1) / MIB;
        MemoryDevice device = {
            .header = header(TYPE_MEMORY_DEVICE, n, sizeof(device)),
            .array = HANDLE(TYPE_MEMORY_ARRAY, 0), .error_handle = NO_ERROR_HANDLE,
            .total_width = WIDTH_UNKNOWN, .data_width = WIDTH_UNKNOWN,
            .size_mib = MIN(mib, SIZE_EXTENDED),
            .form = FORM_DIMM, .kind = MEMORY_RAM,
            .detail = MEMORY_DETAIL_OTHER,
            .speed = set->memory.speed, .configured_speed = set->memory.speed,
            .extended_size_mib = mib < SIZE_EXTENDED ? 0 : mib,
        };

        device.locator = string(b, locator);
        device.bank = string(b, set->memory.bank);
        device.manufacturer = string_or(b, set->memory.manufacturer, MANUFACTURER);
        device.serial = string(b, set->memory.serial);
        device.asset = string(b, set->memory.asset);
        device.part = string(b, set->memory.part);
        append(b, &device);
    }
}

static void append_mapped(Builder *b, unsigned n, uint64_t first, uint64_t size)
{
    uint64_t last = first + size - 1;
    MemoryMapped mapped = {
        .header = header(TYPE_MEMORY_MAPPED, n, sizeof(mapped)),
        .array = HANDLE(TYPE_MEMORY_ARRAY, 0), .width = 1,
    };

    if (last / 1024 < ADDRESS_EXTENDED) {
        mapped.first_kib = first / 1024;
        mapped.last_kib = last / 1024;
    } else {
        mapped.first_kib = mapped.last_kib = ADDRESS_EXTENDED;
        mapped.first = first;
        mapped.last = last;
    }
    append(b, &mapped);
}

static void append_all_mapped(Builder *b)
{
    append_mapped(b, 0, 0, b->config->lomem_size);
    if (b->config->himem_size) {
        append_mapped(b, 1, HIMEM_BASE, b->config->himem_size);
    }
}

static void append_boot(Builder *b)
{
    const Boot boot = { .header = header(TYPE_BOOT, 0, sizeof(boot)) };

    append(b, &boot);
}

static void append_end(Builder *b)
{
    const Header end = header(TYPE_END, 0, sizeof(end));

    append(b, &end);
}

/* Append those of @type that a user brings; whether there are some. */
static bool append_users(Builder *b, uint8_t type)
{
    const GPtrArray *all = b->config->structures;
    bool found = false;

    for (guint i = 0; all && i < all->len; i++) {
        const GByteArray *one = all->pdata[i];

        if (one->data[0] == type) {
            g_byte_array_append(b->out, one->data, one->len);
            found = true;
        }
    }
    return found;
}

GByteArray *smbios_tables(const SMBIOSConfig *config, GError **err)
{
    static void (*const own[])(Builder *) = {
        [TYPE_BIOS] = append_bios, [TYPE_SYSTEM] = append_system,
        [TYPE_BOARD] = append_board, [TYPE_CHASSIS] = append_chassis,
        [TYPE_PROCESSOR] = append_processors, [TYPE_OEM_STRINGS] = append_oem_strings,
        [TYPE_MEMORY_ARRAY] = append_memory_array,
        [TYPE_MEMORY_DEVICE] = append_memory_devices,
        [TYPE_MEMORY_MAPPED] = append_all_mapped, [TYPE_BOOT] = append_boot,
    };
    static const SMBIOSSettings nothing;
    Builder b = {
        .out = g_byte_array_new(), .strings = g_byte_array_new(), .config = config,
        .settings = config->settings ? config->settings : &nothing,
    };

    for (unsigned type = 0; type <= UINT8_MAX; type++) {
        if (!append_users(&b, type) && type < G_N_ELEMENTS(own) && own[type]) {
            own[type](&b);
        }
    }
    append_end(&b);
    g_byte_array_unref(b.strings);
    if (b.out->len > SMBIOS_TABLES_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-smbios: all structures have %u bytes; at most %u fit", b.out->len,
                    SMBIOS_TABLES_MAX);
        g_byte_array_unref(b.out);
        return NULL;
    }
    return b.out;
}

/* ---- the entry point ---------------------------------------------------------------- */

/* Bytes of the structure at @p, with its strings; 0: it does not end within @len. */
static size_t structure_size(const uint8_t *p, size_t len)
{
    size_t at = ((const Header *)p)->length;

    while (at + 2 <= len && (p[at] || p[at + 1])) {
        at++;
    }
    return at + 2 <= len ? at + 2 : 0;
}

bool smbios_check_structure(const GByteArray *data, GError **err)
{
    const Header *h = (const Header *)data->data;
    size_t size;

    if (data->len < sizeof(*h) || h->length < sizeof(*h)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "it is no structure: type, length from %zu on, handle", sizeof(*h));
        return false;
    }
    if (h->type == TYPE_END) {
        g_set_error(err, FLATVIEW_ERROR, 0, "type %u ends the tables, and is there",
                    TYPE_END);
        return false;
    }
    size = structure_size(data->data, data->len);
    if (size != data->len) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "its type %u has a length of %u, and strings that two zeros end: "
                    "that is not all of %u bytes", h->type, h->length, data->len);
        return false;
    }
    return true;
}

static uint8_t checksum(const void *data, size_t len)
{
    uint8_t sum = 0;

    for (const uint8_t *p = data; len--; p++) {
        sum += *p;
    }
    return -sum;
}

GByteArray *smbios_anchor(const GByteArray *tables, uint32_t address)
{
    GByteArray *out = g_byte_array_new();
    Anchor anchor = { .length = sizeof(anchor), .major = 2, .minor = 8,
                      .tables_length = tables->len, .tables = address,
                      .bcd_revision = 0x28 };

    assert(tables->len <= SMBIOS_TABLES_MAX);
    memcpy(anchor.anchor, "_SM_", sizeof(anchor.anchor));
    memcpy(anchor.intermediate, "_DMI_", sizeof(anchor.intermediate));
    for (unsigned at = 0, size; at < tables->len; at += size) {
        size = structure_size(tables->data + at, tables->len - at);
        anchor.largest = MAX(anchor.largest, size);
        anchor.structures++;
    }
    anchor.intermediate_checksum =
        checksum(anchor.intermediate,
                 sizeof(anchor) - offsetof(Anchor, intermediate));
    anchor.checksum = checksum(&anchor, sizeof(anchor));
    g_byte_array_append(out, (uint8_t *)&anchor, sizeof(anchor));
    return out;
}

GByteArray *smbios_link(const SMBIOSConfig *config, uint32_t base, GError **err)
{
    g_autoptr(GByteArray) tables = smbios_tables(config, err);
    static const uint8_t zeros[ANCHOR_ROOM - sizeof(Anchor)];
    GByteArray *out;

    if (!tables) {
        return NULL;
    }
    out = smbios_anchor(tables, base + ANCHOR_ROOM);
    g_byte_array_append(out, zeros, sizeof(zeros));
    g_byte_array_append(out, tables->data, tables->len);
    return out;
}
