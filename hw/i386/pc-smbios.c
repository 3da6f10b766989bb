/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBIOS tables of the board pc.
 */
#include "hw/i386/pc-smbios.h"

#include "hw/i386/pc-map.h"
#include "hw/smbios/smbios.h"

/* Bytes below BOOT_RESTART_ADDR */
#define ROOM (BOOT_RESTART_ADDR - PC_SMBIOS_ADDR)

/* One file of -smbios file=; NULL with @err. */
static GByteArray *read_structure(PCMachine *s, const char *path, GError **err)
{
    LoaderFile *file = loader_open_any(s->loader, path, "-smbios file", err);
    g_autoptr(GByteArray) data = NULL;
    uint8_t *bytes;
    size_t len;

    bytes = file ? loader_file_read_all(file, SMBIOS_TABLES_MAX, &len, err) : NULL;
    if (!bytes) {
        return NULL;
    }
    data = g_byte_array_new_take(bytes, len);
    if (!smbios_check_structure(data, err)) {
        g_prefix_error(err, "-smbios file '%s': ", path);
        return NULL;
    }
    if (s->machine.smbios->given[*bytes]) {
        loader_file_error(file, err, "it says all of type %u, and so does type=%u with "
                          "its keys; leave one of them out", *bytes, *bytes);
        return NULL;
    }
    return g_steal_pointer(&data);
}

static void free_structure(void *data)
{
    g_byte_array_unref(data);
}

/* What the board is; @structures gets what -smbios names. False with @err. */
static bool describe(PCMachine *s, bool bios, GPtrArray *structures, SMBIOSConfig *config,
                     GError **err)
{
    const SMBIOSSettings *settings = s->machine.smbios;

    *config = (SMBIOSConfig){
        .product = s->machine.type->name,
        .uuid = s->machine.uuid,
        .topology = s->machine.topology,
        .lomem_size = s->lomem_size,
        .himem_size = s->himem_size,
        .bios = bios,
        .settings = settings,
        .structures = structures,
    };
    for (guint i = 0; settings && i < settings->files->len; i++) {
        GByteArray *data = read_structure(s, settings->files->pdata[i], err);

        if (!data) {
            return false;
        }
        g_ptr_array_add(structures, data);
    }
    return true;
}

bool pc_smbios_add_files(PCMachine *s, GError **err)
{
    g_autoptr(GPtrArray) structures = g_ptr_array_new_with_free_func(free_structure);
    g_autoptr(GByteArray) tables = NULL;
    g_autoptr(GByteArray) anchor = NULL;
    SMBIOSConfig config;

    if (!describe(s, false, structures, &config, err)) {
        return false;
    }
    tables = smbios_tables(&config, err);
    if (!tables) {
        return false;
    }
    anchor = smbios_anchor(tables, 0);
    return fw_cfg_add_file(s->fw_cfg, SMBIOS_FILE_TABLES, tables->data, tables->len,
                           err) &&
           fw_cfg_add_file(s->fw_cfg, SMBIOS_FILE_ANCHOR, anchor->data, anchor->len,
                           err);
}

bool pc_smbios_load(PCMachine *s, GError **err)
{
    g_autoptr(GPtrArray) structures = g_ptr_array_new_with_free_func(free_structure);
    g_autoptr(GByteArray) block = NULL;
    SMBIOSConfig config;

    if (!describe(s, true, structures, &config, err)) {
        return false;
    }
    block = smbios_link(&config, PC_SMBIOS_ADDR, err);
    if (!block) {
        return false;
    }
    if (block->len > ROOM) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-smbios: all structures have %u bytes; without firmware %u fit",
                    block->len, ROOM);
        return false;
    }
    loader_add_data(s->loader, block->data, block->len, PC_SMBIOS_ADDR);
    return true;
}
