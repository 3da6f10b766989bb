/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding files that packages bring; see data-file.h.
 */
#include "hw/core/data-file.h"

#include <string.h>
#include <unistd.h>

char *data_file_path(const char *name, GError **err)
{
    g_auto(GStrv) folders = g_strsplit(FIRMWARE_PATH, ":", -1);

    if (strchr(name, '/') || access(name, F_OK) == 0) {
        return g_strdup(name);
    }
    for (unsigned i = 0; folders[i]; i++) {
        char *path = g_build_filename(folders[i], name, NULL);

        if (access(path, F_OK) == 0) {
            return path;
        }
        g_free(path);
    }
    g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                "there is no '%s' here or in " FIRMWARE_PATH, name);
    return NULL;
}
