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

/* Files of the established form in which firmware takes them from fw_cfg */
#define SMBIOS_FILE_ANCHOR "etc/smbios/smbios-anchor"
#define SMBIOS_FILE_TABLES "etc/smbios/smbios-tables"

typedef struct SMBIOSConfig {
    const char *product;  /* name of the board */
    const char *uuid;     /* as in Machine; NULL: none */
    CPUTopology topology;
    uint64_t lomem_size;  /* bytes from 0 */
    uint64_t himem_size;  /* bytes from 4 GiB */
    bool bios;            /* also say that there is no firmware; otherwise it is for the
                           * firmware to say what it is */
} SMBIOSConfig;

/* The structures, in the order of their types, and the entry point ("anchor") to them
 * at guest address @address; 0: firmware puts it in. */
GByteArray *smbios_tables(const SMBIOSConfig *config);
GByteArray *smbios_anchor(const GByteArray *tables, uint32_t address);

/* Both as one block for guest address @base, a multiple of 16, below 1 MiB and not
 * below 0xf0000: the entry point first. */
GByteArray *smbios_link(const SMBIOSConfig *config, uint32_t base);

#endif
