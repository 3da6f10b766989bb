/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBIOS tables of the board pc.
 */
#include "hw/i386/pc-smbios.h"

#include <assert.h>

#include "hw/i386/pc-map.h"
#include "hw/smbios/smbios.h"

static SMBIOSConfig describe(const PCMachine *s, bool bios)
{
    return (SMBIOSConfig){
        .product = s->machine.type->name,
        .uuid = s->machine.uuid,
        .topology = s->machine.topology,
        .lomem_size = s->lomem_size,
        .himem_size = s->himem_size,
        .bios = bios,
    };
}

bool pc_smbios_add_files(PCMachine *s, GError **err)
{
    SMBIOSConfig config = describe(s, false);
    g_autoptr(GByteArray) tables = smbios_tables(&config);
    g_autoptr(GByteArray) anchor = smbios_anchor(tables, 0);

    return fw_cfg_add_file(s->fw_cfg, SMBIOS_FILE_TABLES, tables->data, tables->len,
                           err) &&
           fw_cfg_add_file(s->fw_cfg, SMBIOS_FILE_ANCHOR, anchor->data, anchor->len,
                           err);
}

void pc_smbios_load(PCMachine *s)
{
    SMBIOSConfig config = describe(s, true);
    g_autoptr(GByteArray) block = smbios_link(&config, PC_SMBIOS_ADDR);

    assert(block->len <= BOOT_RESTART_ADDR - PC_SMBIOS_ADDR);
    loader_add_data(s->loader, block->data, block->len, PC_SMBIOS_ADDR);
}
