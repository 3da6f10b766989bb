/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables for firmware, and linking them without: see acpi-loader.h. The form of
 * the commands is a public interface of QEMU, which SeaBIOS and OVMF implement.
 */
#include "hw/i386/acpi-loader.h"

#include <assert.h>
#include <string.h>

#define NAME_SIZE 56
#define TABLES_ALIGN 64 /* as much as a FACS needs */
#define RSDP_ALIGN 16
#define RSDT_FIELD 16   /* in the root pointer */
#define CHECKSUM_FIELD 8

enum {
    COMMAND_ALLOCATE = 1,
    COMMAND_ADD_POINTER = 2,
    COMMAND_ADD_CHECKSUM = 3,
};

enum {
    ZONE_HIGH = 1, /* anywhere below 4 GiB */
    ZONE_FSEG = 2, /* where the root pointer is looked for */
};

typedef struct __attribute__((packed)) Command {
    uint32_t command;
    union {
        struct __attribute__((packed)) {
            char file[NAME_SIZE];
            uint32_t align;
            uint8_t zone;
        } allocate;
        struct __attribute__((packed)) {
            char file[NAME_SIZE], to[NAME_SIZE];
            uint32_t offset;
            uint8_t size;
        } pointer;
        struct __attribute__((packed)) {
            char file[NAME_SIZE];
            uint32_t offset, start, len;
        } checksum;
        uint8_t size[124];
    };
} Command;

G_STATIC_ASSERT(sizeof(Command) == 128);

static void append_command(ACPIFiles *files, const Command *command)
{
    g_byte_array_append(files->loader, (const uint8_t *)command, sizeof(*command));
}

static void allocate(ACPIFiles *files, const char *file, uint32_t align, uint8_t zone)
{
    Command c = { .command = COMMAND_ALLOCATE,
                  .allocate = { .align = align, .zone = zone } };

    strcpy(c.allocate.file, file);
    append_command(files, &c);
}

void acpi_files_init(ACPIFiles *files)
{
    files->rsdp = g_byte_array_new();
    files->tables = g_byte_array_new();
    files->loader = g_byte_array_new();
    allocate(files, ACPI_FILE_RSDP, RSDP_ALIGN, ZONE_FSEG);
    allocate(files, ACPI_FILE_TABLES, TABLES_ALIGN, ZONE_HIGH);
}

void acpi_files_clear(ACPIFiles *files)
{
    g_byte_array_unref(files->rsdp);
    g_byte_array_unref(files->tables);
    g_byte_array_unref(files->loader);
}

static GByteArray *find(const ACPIFiles *files, const char *name)
{
    return strcmp(name, ACPI_FILE_RSDP) == 0 ? files->rsdp : files->tables;
}

static void pad(GByteArray *out, uint32_t align)
{
    static const uint8_t zeros[TABLES_ALIGN];

    assert(align <= TABLES_ALIGN);
    g_byte_array_append(out, zeros, -out->len & (align - 1));
}

uint32_t acpi_files_add(ACPIFiles *files, const void *table, uint32_t len,
                        uint32_t align)
{
    uint32_t offset;

    pad(files->tables, align);
    offset = files->tables->len;
    g_byte_array_append(files->tables, table, len);
    return offset;
}

void acpi_files_point(ACPIFiles *files, const char *file, uint32_t offset,
                      unsigned size, uint32_t to)
{
    Command c = { .command = COMMAND_ADD_POINTER,
                  .pointer = { .offset = offset, .size = size } };

    assert(offset + size <= find(files, file)->len && to < files->tables->len);
    memcpy(find(files, file)->data + offset, &to, sizeof(to));
    strcpy(c.pointer.file, file);
    strcpy(c.pointer.to, ACPI_FILE_TABLES);
    append_command(files, &c);
}

void acpi_files_sum(ACPIFiles *files, const char *file, uint32_t start, uint32_t len,
                    uint32_t offset)
{
    Command c = { .command = COMMAND_ADD_CHECKSUM,
                  .checksum = { .offset = offset, .start = start, .len = len } };

    assert(start + len <= find(files, file)->len);
    find(files, file)->data[offset] = 0;
    strcpy(c.checksum.file, file);
    append_command(files, &c);
}

void acpi_files_sum_table(ACPIFiles *files, uint32_t start)
{
    ACPIHeader h;

    memcpy(&h, files->tables->data + start, sizeof(h));
    acpi_files_sum(files, ACPI_FILE_TABLES, start, h.length,
                   start + offsetof(ACPIHeader, checksum));
}

void acpi_files_finish(ACPIFiles *files, uint32_t rsdt)
{
    ACPIRSDP rsdp = { .revision = 0 };

    memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
    memcpy(rsdp.oem_id, ACPI_OEM_ID, sizeof(rsdp.oem_id));
    g_byte_array_append(files->rsdp, (uint8_t *)&rsdp, ACPI_RSDP_REVISION0_SIZE);
    acpi_files_point(files, ACPI_FILE_RSDP, RSDT_FIELD, sizeof(rsdp.rsdt), rsdt);
    acpi_files_sum(files, ACPI_FILE_RSDP, 0, ACPI_RSDP_REVISION0_SIZE,
                   CHECKSUM_FIELD);
}

GByteArray *acpi_files_link(const ACPIFiles *files, uint32_t base)
{
    GByteArray *out = g_byte_array_new();
    const Command *commands = (const Command *)files->loader->data;
    uint32_t tables;

    assert(base % TABLES_ALIGN == 0);
    g_byte_array_append(out, files->rsdp->data, files->rsdp->len);
    pad(out, TABLES_ALIGN);
    tables = out->len;
    assert(tables == ACPI_LINKED_TABLES);
    g_byte_array_append(out, files->tables->data, files->tables->len);

    for (unsigned i = 0; i < files->loader->len / sizeof(*commands); i++) {
        const Command *c = &commands[i];
        uint32_t at = find(files, c->allocate.file) == files->rsdp ? 0 : tables;
        uint32_t value;

        if (c->command == COMMAND_ADD_POINTER) {
            at += c->pointer.offset;
            memcpy(&value, out->data + at, sizeof(value));
            value += base + tables;
            memcpy(out->data + at, &value, sizeof(value));
        } else if (c->command == COMMAND_ADD_CHECKSUM) {
            out->data[at + c->checksum.offset] =
                acpi_checksum(out->data + at + c->checksum.start, c->checksum.len);
        }
    }
    return out;
}
