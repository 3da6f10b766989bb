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

/* Split "TYPE,id=ID,KEY=VALUE..." into *@type and *@id, to be freed (NULL: none was
 * given), and a table of the rest, char * both; a key alone has the value NULL.
 * @first: the key of TYPE. NULL with @err. */
GHashTable *opts_to_settings(const char *text, const char *first, char **type,
                             char **id, GError **err);

/* Split @text and set the properties of @object, which @what names in errors. */
bool opts_set(const char *text, const char *first, const Property *properties,
              void *object, const char *what, GError **err);

#endif
