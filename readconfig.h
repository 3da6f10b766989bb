/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration files (-readconfig): groups of settings, each of which says what
 * one option would.
 *
 *   # a comment
 *   [device "debug"]
 *     driver = "isa-debugcon"
 *     chardev = "log"
 */
#ifndef READCONFIG_H
#define READCONFIG_H

#include <glib.h>
#include <stdbool.h>

/* One group: the text that would stand after the option @group,
 * "driver=isa-debugcon,chardev=log,id=debug". */
typedef bool ReadconfigGroup(const char *group, const char *text, void *opaque,
                             GError **err);

/* Read @path ("-": standard input) and call @fn for each group, in order. False
 * with @err, which names file and line, also where @fn returns false. */
bool readconfig(const char *path, ReadconfigGroup *fn, void *opaque,
                GError **err);

#endif
