/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACPI tables for firmware, which decides where they are: two files of tables and one
 * that says how to place and link them, of the established form in which QEMU's fw_cfg
 * has them ("etc/table-loader"). Where there is no firmware the board links them.
 */
#ifndef HW_I386_ACPI_LOADER_H
#define HW_I386_ACPI_LOADER_H

#include "hw/i386/acpi-table.h"

#define ACPI_FILE_RSDP "etc/acpi/rsdp"
#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_LOADER "etc/table-loader"

typedef struct ACPIFiles {
    GByteArray *rsdp, *tables, *loader;
} ACPIFiles;

/* Make the three; ACPI_FILE_TABLES is empty. */
void acpi_files_init(ACPIFiles *files);
void acpi_files_clear(ACPIFiles *files);

/* Append a table, and return its offset in ACPI_FILE_TABLES, a multiple of @align. */
uint32_t acpi_files_add(ACPIFiles *files, const void *table, uint32_t len,
                        uint32_t align);

/* The @size bytes (4 or 8) at @offset of @file, one of the two of tables, which are 0:
 * make them point to @to in ACPI_FILE_TABLES. */
void acpi_files_point(ACPIFiles *files, const char *file, uint32_t offset,
                      unsigned size, uint32_t to);

/* Make @len bytes at @start of @file add up to 0 by the byte at @offset, which is 0.
 * After all pointers in them. */
void acpi_files_sum(ACPIFiles *files, const char *file, uint32_t start, uint32_t len,
                    uint32_t offset);

/* The same for the table at @start of ACPI_FILE_TABLES, whose header says how long it
 * is. */
void acpi_files_sum_table(ACPIFiles *files, uint32_t start);

/* Add the root pointer to the RSDT at @rsdt, whose checksum is made: last of all. */
void acpi_files_finish(ACPIFiles *files, uint32_t rsdt);

/* Both files of tables, linked, as one block for guest address @base, a multiple of
 * 64. The root pointer is the first thing in it, ACPI_FILE_TABLES begins at
 * ACPI_LINKED_TABLES. */
#define ACPI_LINKED_TABLES 64
GByteArray *acpi_files_link(const ACPIFiles *files, uint32_t base);

#endif
