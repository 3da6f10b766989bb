/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMBIOS tables: what the machine says that it is, for people and inventories.
 */
#ifndef HW_SMBIOS_SMBIOS_H
#define HW_SMBIOS_SMBIOS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"
#include "hw/smbios/smbios-settings.h"

/* Files of the established form in which firmware takes them from fw_cfg */
#define SMBIOS_FILE_ANCHOR "etc/smbios/smbios-anchor"
#define SMBIOS_FILE_TABLES "etc/smbios/smbios-tables"

/* Bytes that all structures can have together: the entry point has 16 bits for them. */
#define SMBIOS_TABLES_MAX UINT16_MAX

typedef struct SMBIOSConfig {
    const char *product;  /* name of the board */
    const char *uuid;     /* as in Machine; NULL: none */
    CPUTopology topology;
    uint64_t lomem_size;  /* bytes from 0 */
    uint64_t himem_size;  /* bytes from 4 GiB */
    bool bios;            /* also say that there is no firmware; otherwise it is for the
                           * firmware to say what it is, unless @settings do */
    const SMBIOSSettings *settings; /* what a user says instead; NULL: nothing */
    /* Whole structures that take the place of those of their types: GByteArray *, each
     * of which smbios_check_structure() has passed; NULL: none. */
    const GPtrArray *structures;
} SMBIOSConfig;

/* Whether @data is one structure, with its strings, and nothing else; and not the one
 * that ends the tables. False with @err, which says what is wrong with it. */
bool smbios_check_structure(const GByteArray *data, GError **err);

/* The structures, in the order of their types, and the entry point ("anchor") to them
 * at guest address @address; 0: firmware puts it in. Tables are not larger than
 * SMBIOS_TABLES_MAX: NULL with @err, only where settings or structures make them so. */
GByteArray *smbios_tables(const SMBIOSConfig *config, GError **err);
GByteArray *smbios_anchor(const GByteArray *tables, uint32_t address);

/* Both as one block for guest address @base, a multiple of 16, below 1 MiB and not
 * below 0xf0000: the entry point first. NULL with @err: as above. */
GByteArray *smbios_link(const SMBIOSConfig *config, uint32_t base, GError **err);

#endif
