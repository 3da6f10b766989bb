/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text after an option; see opts.h.
 */
#include "opts.h"

#include <string.h>

static void opt_free(void *opaque)
{
    Opt *opt = opaque;

    g_free(opt->key);
    g_free(opt->value);
    g_free(opt);
}

/* The text up to a comma that is not doubled, and *@rest behind that comma, or
 * NULL at the end. */
static char *item_next(const char *text, const char **rest)
{
    GString *item = g_string_new(NULL);

    for (; *text; text++) {
        if (*text == ',') {
            if (text[1] != ',') {
                *rest = text + 1;
                return g_string_free(item, FALSE);
            }
            text++;
        }
        g_string_append_c(item, *text);
    }
    *rest = NULL;
    return g_string_free(item, FALSE);
}

GPtrArray *opts_parse(const char *text, const char *first)
{
    GPtrArray *opts = g_ptr_array_new_with_free_func(opt_free);
    const char *rest = text;

    while (rest && *rest) {
        g_autofree char *item = item_next(rest, &rest);
        char *equals = strchr(item, '=');
        Opt *opt = g_new(Opt, 1);

        if (equals) {
            opt->key = g_strndup(item, equals - item);
            opt->value = g_strdup(equals + 1);
        } else if (first && opts->len == 0) {
            opt->key = g_strdup(first);
            opt->value = g_strdup(item);
        } else {
            opt->key = g_strdup(item);
            opt->value = NULL;
        }
        g_ptr_array_add(opts, opt);
    }
    return opts;
}

GHashTable *opts_to_settings(const char *text, const char *first, char **type,
                             char **id, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(text, first);
    GHashTable *settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                 g_free);

    for (unsigned i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];
        char **named = strcmp(opt->key, first) == 0 ? type
                     : strcmp(opt->key, "id") == 0 ? id : NULL;

        if (!named) {
            g_hash_table_replace(settings, g_steal_pointer(&opt->key),
                                 g_steal_pointer(&opt->value));
        } else if (opt->value) {
            g_free(*named);
            *named = g_steal_pointer(&opt->value);
        } else {
            g_set_error(err, FLATVIEW_ERROR, 0, "'%s' needs a value: %s=...",
                        opt->key, opt->key);
            g_hash_table_unref(settings);
            return NULL;
        }
    }
    return settings;
}

bool opts_set(const char *text, const char *first, const Property *properties,
              void *object, const char *what, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(text, first);
    unsigned i;

    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];

        if (!property_set(properties, object, NULL, what, opt->key, opt->value,
                          err)) {
            return false;
        }
    }
    return true;
}
