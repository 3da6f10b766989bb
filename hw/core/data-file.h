/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that packages bring: firmware, ROMs of cards. Any thread, no lock.
 */
#ifndef HW_CORE_DATA_FILE_H
#define HW_CORE_DATA_FILE_H

#include "hw/core/device.h"

/* The path of @name, to be freed: @name itself if there is such a file, or if it
 * has a slash in it; otherwise where it is among the folders that configure was told
 * (--firmware-path). NULL with @err, which names them: it is nowhere. */
char *data_file_path(const char *name, GError **err);

#endif
