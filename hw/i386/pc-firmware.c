/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the firmware of the board pc comes from.
 */
#include "hw/i386/pc-firmware.h"

#include "hw/core/data-file.h"

#define BIOS_DEFAULT "bios-256k.bin"

bool pc_add_firmware(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;
    g_autofree char *path = NULL;

    if (m->kernel && !m->bios) {
        return true;
    }
    path = data_file_path(m->bios ? m->bios : BIOS_DEFAULT, err);
    if (!path && !m->bios && !m->kvm) {
        g_clear_error(err); /* no CPU misses it */
        return true;
    }
    if (!path) {
        g_prefix_error(err, "firmware (SeaBIOS is in the Debian package seabios; "
                       "-bios names another): ");
        return false;
    }
    s->firmware = true;
    return pc_map_bios(s, path, err);
}
