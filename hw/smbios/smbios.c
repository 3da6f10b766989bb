/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables: see smbios.h. DMTF DSP0134 (SMBIOS reference specification) 2.8,
 * chapter 5.2.1 for the entry point and 7 for the structures.
 */
#include "hw/smbios/smbios.h"

#include <assert.h>
#include <cpuid.h>
#include <string.h>

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
    TYPE_CHASSIS = 3,
    TYPE_PROCESSOR = 4,
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
#define BIOS_EXT2_VIRTUAL 0x10     /* in a virtual machine */
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
G_STATIC_ASSERT(sizeof(Chassis) == 0x16);
G_STATIC_ASSERT(sizeof(Processor) == 0x2a);
G_STATIC_ASSERT(sizeof(MemoryArray) == 0x17);
G_STATIC_ASSERT(sizeof(MemoryDevice) == 0x28);
G_STATIC_ASSERT(sizeof(MemoryMapped) == 0x1f);
G_STATIC_ASSERT(sizeof(Boot) == 0x0b);
G_STATIC_ASSERT(sizeof(Anchor) == 0x1f);

/* ---- structures ------------------------------------------------------------------- */

static Header header(uint8_t type, unsigned n, size_t length)
{
    return (Header){ type, length, HANDLE(type, n) };
}

/* Append a structure and its strings, which its fields number from 1; ended by NULL. */
static void append(GByteArray *out, const void *structure, const char *const *strings)
{
    const Header *h = structure;

    g_byte_array_append(out, structure, h->length);
    for (; *strings; strings++) {
        g_byte_array_append(out, (const uint8_t *)*strings, strlen(*strings) + 1);
    }
    g_byte_array_append(out, (const uint8_t *)"\0", 1);
}

#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* Two zeros end a structure that has no strings. */
#define NO_STRINGS STRINGS("")

static void append_bios(GByteArray *out)
{
    const Bios bios = {
        .header = header(TYPE_BIOS, 0, sizeof(bios)),
        .vendor = 1, .version = 2, .date = 3,
        .characteristics = BIOS_UNSUPPORTED,
        .extension2 = BIOS_EXT2_VIRTUAL,
        .ec_major = 0xff, .ec_minor = 0xff,
    };

    append(out, &bios, STRINGS(MANUFACTURER, "no firmware", RELEASE_DATE));
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

static void append_system(GByteArray *out, const SMBIOSConfig *config)
{
    System system = {
        .header = header(TYPE_SYSTEM, 0, sizeof(system)),
        .manufacturer = 1, .product = 2,
        .wake_up = WAKE_UP_POWER_SWITCH,
    };

    parse_uuid(config->uuid, system.uuid);
    append(out, &system, STRINGS(MANUFACTURER, config->product));
}

static void append_chassis(GByteArray *out)
{
    const Chassis chassis = {
        .header = header(TYPE_CHASSIS, 0, sizeof(chassis)),
        .manufacturer = 1, .kind = CHASSIS_OTHER,
        .boot_state = STATE_SAFE, .power_state = STATE_SAFE,
        .thermal_state = STATE_SAFE, .security = SECURITY_NONE,
    };

    append(out, &chassis, STRINGS(MANUFACTURER));
}

static void append_processor(GByteArray *out, const CPUTopology *topology, unsigned n)
{
    g_autofree char *socket = g_strdup_printf("CPU %u", n);
    unsigned cores = topology->dies * topology->cores, eax = 0, ebx, ecx, edx = 0;
    Processor processor = {
        .header = header(TYPE_PROCESSOR, n, sizeof(processor)),
        .socket = 1, .kind = PROCESSOR_CENTRAL, .family = FAMILY_OTHER,
        .manufacturer = 2,
        .max_speed = SPEED_MHZ, .speed = SPEED_MHZ,
        .status = PROCESSOR_ENABLED, .upgrade = UPGRADE_OTHER,
        .caches = { NO_HANDLE, NO_HANDLE, NO_HANDLE },
        .cores = MIN(cores, 0xff), .cores_enabled = MIN(cores, 0xff),
        .threads = MIN(cores * topology->threads, 0xff),
        .characteristics = PROCESSOR_64BIT, .family2 = FAMILY_OTHER,
    };

    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    processor.id[0] = eax;
    processor.id[1] = edx;
    append(out, &processor, STRINGS(socket, MANUFACTURER));
}

static void append_memory(GByteArray *out, const SMBIOSConfig *config)
{
    uint64_t size = config->lomem_size + config->himem_size, module = MODULE_SIZE;
    MemoryArray array = {
        .header = header(TYPE_MEMORY_ARRAY, 0, sizeof(array)),
        .location = ARRAY_ON_BOARD, .use = ARRAY_SYSTEM_MEMORY,
        .correction = ARRAY_NO_CORRECTION,
        .error_handle = NO_ERROR_HANDLE,
    };

    while ((size + module - 1) / module > MODULES_MAX) {
        module *= 2;
    }
    array.devices = (size + module - 1) / module;
    if (size / 1024 < CAPACITY_EXTENDED) {
        array.capacity_kib = size / 1024;
    } else {
        array.capacity_kib = CAPACITY_EXTENDED;
        array.capacity = size;
    }
    append(out, &array, NO_STRINGS);

    for (unsigned n = 0; n < array.devices; n++) {
        g_autofree char *locator = g_strdup_printf("DIMM %u", n);
        uint64_t mib = (MIN(module, size - n * module) + MIB - 1) / MIB;
        MemoryDevice device = {
            .header = header(TYPE_MEMORY_DEVICE, n, sizeof(device)),
            .array = HANDLE(TYPE_MEMORY_ARRAY, 0), .error_handle = NO_ERROR_HANDLE,
            .total_width = WIDTH_UNKNOWN, .data_width = WIDTH_UNKNOWN,
            .size_mib = MIN(mib, SIZE_EXTENDED),
            .form = FORM_DIMM, .locator = 1, .kind = MEMORY_RAM,
            .detail = MEMORY_DETAIL_OTHER, .manufacturer = 2,
            .extended_size_mib = mib < SIZE_EXTENDED ? 0 : mib,
        };

        append(out, &device, STRINGS(locator, MANUFACTURER));
    }
}

static void append_mapped(GByteArray *out, unsigned n, uint64_t first, uint64_t size)
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
    append(out, &mapped, NO_STRINGS);
}

static void append_boot_and_end(GByteArray *out)
{
    const Boot boot = { .header = header(TYPE_BOOT, 0, sizeof(boot)) };
    const Header end = header(TYPE_END, 0, sizeof(end));

    append(out, &boot, NO_STRINGS);
    append(out, &end, NO_STRINGS);
}

GByteArray *smbios_tables(const SMBIOSConfig *config)
{
    GByteArray *out = g_byte_array_new();

    if (config->bios) {
        append_bios(out);
    }
    append_system(out, config);
    append_chassis(out);
    for (unsigned n = 0; n < config->topology.sockets; n++) {
        append_processor(out, &config->topology, n);
    }
    append_memory(out, config);
    append_mapped(out, 0, 0, config->lomem_size);
    if (config->himem_size) {
        append_mapped(out, 1, HIMEM_BASE, config->himem_size);
    }
    append_boot_and_end(out);
    return out;
}

/* ---- the entry point ---------------------------------------------------------------- */

/* Bytes of the structure at @p, with its strings. */
static unsigned structure_size(const uint8_t *p)
{
    unsigned at = ((const Header *)p)->length;

    while (p[at] || p[at + 1]) {
        at++;
    }
    return at + 2;
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

    assert(tables->len <= UINT16_MAX);
    memcpy(anchor.anchor, "_SM_", sizeof(anchor.anchor));
    memcpy(anchor.intermediate, "_DMI_", sizeof(anchor.intermediate));
    for (unsigned at = 0, size; at < tables->len; at += size) {
        size = structure_size(tables->data + at);
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

GByteArray *smbios_link(const SMBIOSConfig *config, uint32_t base)
{
    g_autoptr(GByteArray) tables = smbios_tables(config);
    GByteArray *out = smbios_anchor(tables, base + ANCHOR_ROOM);
    static const uint8_t zeros[ANCHOR_ROOM - sizeof(Anchor)];

    g_byte_array_append(out, zeros, sizeof(zeros));
    g_byte_array_append(out, tables->data, tables->len);
    return out;
}
