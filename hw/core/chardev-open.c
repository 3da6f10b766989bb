/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices by name: the table of backends, from what a user writes to
 * settings, and who has which id.
 */
#include "hw/core/chardev-internal.h"
#include "memory.h"
#include "opts.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The one table a new backend joins. */
static const ChardevBackend *const backends[] = {
    &chardev_file,
    &chardev_null,
    &chardev_pty,
    &chardev_ringbuf,
    &chardev_socket,
    &chardev_stdio,
    &chardev_testdev,
    NULL,
};

static const Property common_properties[] = {
    { "mux", PROP_BOOL, offsetof(Chardev, mux), "off",
      "several may use it; Ctrl-A c goes from one to the next", 0 },
    { "logfile", PROP_STRING, offsetof(Chardev, logfile), NULL,
      "a file that gets a copy of the output", 0 },
    { "logappend", PROP_BOOL, offsetof(Chardev, logappend), "off",
      "do not empty that file first", 0 },
    { 0 },
};

/* All that are open, in the order of opening. */
static GPtrArray *chardevs;

/* ---- who there is -------------------------------------------------------------- */

Chardev *chardev_find(const char *id)
{
    for (guint i = 0; chardevs && i < chardevs->len; i++) {
        if (strcmp(chardev_id(chardevs->pdata[i]), id) == 0) {
            return chardevs->pdata[i];
        }
    }
    return NULL;
}

GPtrArray *chardev_list(void)
{
    GPtrArray *list = g_ptr_array_new();

    if (chardevs) {
        g_ptr_array_extend(list, chardevs, NULL, NULL);
    }
    return list;
}

char *chardev_filename(const Chardev *chr)
{
    return chr->backend->filename ? chr->backend->filename(chr)
                                  : g_strdup(chr->backend->name);
}

/* ---- the backends -------------------------------------------------------------- */

const char *const *chardev_backends(void)
{
    static const char *names[G_N_ELEMENTS(backends)];

    for (unsigned i = 0; backends[i]; i++) {
        names[i] = backends[i]->name;
    }
    return names;
}

void chardev_print_backends(FILE *out)
{
    for (unsigned i = 0; backends[i]; i++) {
        fprintf(out, "%-10s %s\n", backends[i]->name, backends[i]->description);
    }
}

static const ChardevBackend *backend_find(const char *name)
{
    for (unsigned i = 0; backends[i]; i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}

/* "there is no kind 'NAME'; did you mean ..." among @names, or all of them. */
static void unknown_backend(const char *id, const char *name,
                            const char *const *names, GError **err)
{
    const char *nearest = nearest_name(name, names);
    g_autofree char *all = g_strjoinv(", ", (char **)names);

    g_set_error(err, FLATVIEW_ERROR, 0,
                "chardev '%s': there is no kind '%s'; %s%s%s", id, name,
                nearest ? "did you mean '" : "it can be ",
                nearest ? nearest : all, nearest ? "'?" : "");
}

bool chardev_print_keys(const char *backend, FILE *out, GError **err)
{
    const ChardevBackend *found = backend_find(backend);

    if (!found) {
        unknown_backend("", backend, chardev_backends(), err);
        return false;
    }
    properties_print(found->properties, out);
    properties_print(common_properties, out);
    return true;
}

/* ---- an object among others ---------------------------------------------------- */

void chardev_type_list(GArray *out)
{
    ObjectProperty property = { "connected", "bool",
                                "somebody hears what is written", false };

    g_array_append_val(out, property);
}

static void chardev_object_list(Object *obj, GArray *list)
{
    chardev_type_list(list);
}

static GVariant *chardev_object_get(Object *obj, const char *name, GError **err)
{
    return g_variant_new_boolean(((Chardev *)obj)->connected);
}

static const ObjectOps chardev_object_ops = {
    .list = chardev_object_list,
    .get = chardev_object_get,
};

/* ---- opening, from settings ---------------------------------------------------- */

bool chardev_open_failed(const Chardev *chr, const char *what, const char *path,
                         GError **err)
{
    g_set_error(err, FLATVIEW_ERROR, 0, "chardev '%s': %s %s: %s", chr->id,
                what, path, g_strerror(errno));
    return false;
}

static bool settings_apply(Chardev *chr, GHashTable *settings, GError **err)
{
    g_autofree char *what = g_strdup_printf("chardev '%s'", chr->id);
    GHashTableIter iter;
    gpointer name, value;

    properties_init(common_properties, chr);
    properties_init(chr->backend->properties, chr);
    g_hash_table_iter_init(&iter, settings);
    while (g_hash_table_iter_next(&iter, &name, &value)) {
        const Property *list = property_find(common_properties, name)
                                   ? common_properties
                                   : chr->backend->properties;

        if (!property_set(list, chr, NULL, what, name, value, err)) {
            return false;
        }
    }
    return true;
}

static bool log_open(Chardev *chr, GError **err)
{
    if (!chr->logfile) {
        return true;
    }
    chr->log_fd = output_open(chr->logfile, chr->logappend);
    return chr->log_fd >= 0 ||
           chardev_open_failed(chr, "cannot open the log", chr->logfile, err);
}

static void chardev_free(Chardev *chr)
{
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        queue_free(&chr->slots[i].pending);
    }
    queue_free(&chr->queue);
    watch_cleanup(&chr->soon);
    if (chr->log_fd >= 0) {
        close(chr->log_fd);
    }
    properties_clear(chr->backend->properties, chr);
    properties_clear(common_properties, chr);
    g_free(chr->id);
    g_free(chr);
}

static bool id_check(const char *id, GError **err)
{
    if (!object_id_check(id, err)) {
        return false;
    }
    if (chardev_find(id)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Chardev with id '%s' already exists",
                    id);
        return false;
    }
    return true;
}

static Chardev *chardev_make(const char *id, const ChardevBackend *backend,
                             GHashTable *settings, bool wait, GError **err)
{
    Chardev *chr;

    if (!id_check(id, err)) {
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that goes is an EPIPE */
    chr = g_malloc0(backend->size);
    chr->object.type = backend->type;
    chr->object.ops = &chardev_object_ops;
    chr->backend = backend;
    chr->id = g_strdup(id);
    chr->focus = &chr->slots[0];
    chr->log_fd = -1;
    if (!settings_apply(chr, settings, err) || !log_open(chr, err)) {
        chardev_free(chr);
        return NULL;
    }
    if (chr->backend->open && !chr->backend->open(chr, settings, wait, err)) {
        if (chr->backend->close) {
            chr->backend->close(chr);
        }
        chardev_free(chr);
        return NULL;
    }
    if (chr->mux) {
        chardev_set_mux(chr, true);
    }
    memory_lock();
    if (!chardevs) {
        chardevs = g_ptr_array_new();
    }
    g_ptr_array_add(chardevs, chr);
    object_add(&chr->object, "/chardevs", id);
    memory_unlock();
    return chr;
}

Chardev *chardev_open_settings(const char *id, const char *backend,
                               GHashTable *settings, GError **err)
{
    const ChardevBackend *found = backend_find(backend);

    if (!found) {
        unknown_backend(id, backend, chardev_backends(), err);
        return NULL;
    }
    return chardev_make(id, found, settings, false, err);
}

/* ---- opening, from texts ------------------------------------------------------- */

/* KEY=VALUE,... as settings; "nowait" is what "wait=off" was called. */
static GHashTable *settings_parse(const char *text, const char *first)
{
    GHashTable *settings = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                 g_free, g_free);
    g_autoptr(GPtrArray) opts = opts_parse(text, first);

    for (guint i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];
        bool nowait = !opt->value && strcmp(opt->key, "nowait") == 0;

        g_hash_table_replace(settings, g_strdup(nowait ? "wait" : opt->key),
                             g_strdup(nowait ? "off" : opt->value));
    }
    return settings;
}

Chardev *chardev_open_opts(const char *text, GError **err)
{
    g_autoptr(GHashTable) settings = settings_parse(text, "backend");
    g_autofree char *backend = g_strdup(g_hash_table_lookup(settings, "backend"));
    g_autofree char *id = g_strdup(g_hash_table_lookup(settings, "id"));
    const ChardevBackend *found = backend ? backend_find(backend) : NULL;

    g_hash_table_remove(settings, "backend");
    g_hash_table_remove(settings, "id");
    if (!id) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "a character device needs an id: %s,id=ID",
                    backend ? backend : "BACKEND");
        return NULL;
    }
    if (!found) {
        unknown_backend(id, backend ? backend : "", chardev_backends(), err);
        return NULL;
    }
    return chardev_make(id, found, settings, true, err);
}

/* "HOST:PORT,..." or "[HOST]:PORT,..." to settings. */
static bool tcp_split(const char *id, GHashTable *settings, GError **err)
{
    g_autofree char *text = g_strdup(g_hash_table_lookup(settings, "addr"));
    char *host = text;
    char *colon = strrchr(text, ':');

    g_hash_table_remove(settings, "addr");
    if (!colon || !colon[1] || (*host == '[' && colon[-1] != ']')) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev '%s': '%s' is not HOST:PORT, [HOST]:PORT or :PORT",
                    id, text);
        return false;
    }
    if (*host == '[') {
        host++;
        colon[-1] = '\0';
    }
    *colon = '\0';
    g_hash_table_replace(settings, g_strdup("host"), g_strdup(host));
    g_hash_table_replace(settings, g_strdup("port"), g_strdup(colon + 1));
    return true;
}

/* The backend that @spec names, and its settings; NULL with @err. */
static const ChardevBackend *spec_parse(const char *id, const char *spec,
                                        GHashTable **settings, GError **err)
{
    static const char *const forms[] = {
        "null", "stdio", "file:PATH", "pty", "unix:PATH", "tcp:HOST:PORT",
        "ringbuf", "chardev:ID", "mon:SPEC", NULL,
    };
    g_autofree char *name = g_strndup(spec, strcspn(spec, ":,"));
    const char *rest = spec + strlen(name);
    const ChardevBackend *found = backend_find(name);

    if (*rest == ':' && rest[1] && rest[1] != ',') {
        g_autofree char *text = NULL;

        rest++;
        if (strcmp(name, "file") == 0) { /* commas are the path's */
            *settings = settings_parse("", NULL);
            g_hash_table_replace(*settings, g_strdup("path"), g_strdup(rest));
            return found;
        }
        if (strcmp(name, "unix") == 0) {
            text = g_strconcat(g_str_has_prefix(rest, "path=") ? "" : "path=",
                               rest, NULL);
            *settings = settings_parse(text, NULL);
            return &chardev_socket;
        }
        if (strcmp(name, "tcp") == 0) {
            text = g_strconcat("addr=", rest, NULL);
            *settings = settings_parse(text, NULL);
            return tcp_split(id, *settings, err) ? &chardev_socket : NULL;
        }
    } else if (*rest != ':' && found && found != &chardev_file &&
               found != &chardev_socket) {
        *settings = settings_parse(*rest ? rest + 1 : "", NULL);
        return found;
    }
    unknown_backend(id, spec, forms, err);
    return NULL;
}

Chardev *chardev_open(const char *id, const char *spec, GError **err)
{
    g_autoptr(GHashTable) settings = NULL;
    const ChardevBackend *backend;
    Chardev *chr;

    if (g_str_has_prefix(spec, "mon:")) {
        chr = chardev_open(id, spec + strlen("mon:"), err);
        if (chr) {
            chardev_set_mux(chr, true);
        }
        return chr;
    }
    if (g_str_has_prefix(spec, "chardev:")) {
        chr = chardev_find(spec + strlen("chardev:"));
        if (!chr) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "chardev '%s' not found: -chardev BACKEND,id=%s makes "
                        "one", spec + strlen("chardev:"),
                        spec + strlen("chardev:"));
        }
        return chr;
    }
    backend = spec_parse(id, spec, &settings, err);
    return backend ? chardev_make(id, backend, settings, true, err) : NULL;
}

/* ---- closing ------------------------------------------------------------------- */

void chardev_close(Chardev *chr)
{
    if (!chr) {
        return;
    }
    memory_lock();
    for (unsigned i = 0; i < CHARDEV_FRONTENDS_MAX; i++) {
        chr->slots[i].frontend = NULL;
    }
    g_ptr_array_remove(chardevs, chr);
    object_remove(&chr->object);
    if (chr->backend->close) {
        chr->backend->close(chr);
    }
    chardev_free(chr);
    memory_unlock();
}

void chardev_close_all(void)
{
    while (chardevs && chardevs->len) {
        chardev_close(chardevs->pdata[chardevs->len - 1]);
    }
    g_clear_pointer(&chardevs, g_ptr_array_unref);
}

bool chardev_remove(const char *id, GError **err)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Chardev '%s' not found", id);
        return false;
    }
    if (chr->holds || chardev_has_frontend(chr)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Chardev '%s' is busy", id);
        return false;
    }
    chardev_close(chr);
    return true;
}
