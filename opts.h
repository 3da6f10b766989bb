/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text after an option: "first,key=value,flag", a comma inside a value
 * written twice.
 */
#ifndef OPTS_H
#define OPTS_H

#include <glib.h>

#include "hw/core/device.h"

typedef struct Opt {
    char *key;
    char *value; /* NULL for a key alone */
} Opt;

/* Split @text. Where the first item is a value alone, @first becomes its key;
 * with @first NULL it is a key alone. Returns Opt *; the array owns them. */
GPtrArray *opts_parse(const char *text, const char *first);

/* Split @text and set the properties of @object, which @what names in errors. */
bool opts_set(const char *text, const char *first, const Property *properties,
              void *object, const char *what, GError **err);

#endif
