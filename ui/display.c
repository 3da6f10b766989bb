/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Displays: finding and loading their modules, and which are open; see ui/display.h.
 */
#include "ui/display.h"

#include <dlfcn.h>
#include <string.h>

#include "opts.h"

#define MODULE_PREFIX "ui-"
#define MODULE_SUFFIX ".so"

static GPtrArray *displays; /* Display *, in the order opened; NULL: none yet */

/* ---- modules ------------------------------------------------------------------------ */

/* Where modules are: beside the program, as it is built, and where it is installed. */
static GStrv module_folders(void)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *beside = program ? g_path_get_dirname(program) : NULL;
    GStrv folders = g_new0(char *, 3);
    unsigned n = 0;

    if (beside) {
        folders[n++] = g_steal_pointer(&beside);
    }
    folders[n] = g_strdup(PREFIX "/lib/flatview");
    return folders;
}

/* The name of the display that the file @file is the module of, to be freed; NULL: it
 * is none. */
static char *module_name(const char *file)
{
    size_t len = strlen(file), around = strlen(MODULE_PREFIX MODULE_SUFFIX);

    return len > around && g_str_has_prefix(file, MODULE_PREFIX) &&
                   g_str_has_suffix(file, MODULE_SUFFIX)
               ? g_strndup(file + strlen(MODULE_PREFIX), len - around)
               : NULL;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of all modules, sorted; ends with NULL. */
static GStrv module_names(void)
{
    g_auto(GStrv) folders = module_folders();
    g_autoptr(GPtrArray) names = g_ptr_array_new();

    for (unsigned i = 0; folders[i]; i++) {
        g_autoptr(GDir) dir = g_dir_open(folders[i], 0, NULL);
        const char *file;

        while (dir && (file = g_dir_read_name(dir))) {
            char *name = module_name(file);

            if (!name || g_ptr_array_find_with_equal_func(names, name, g_str_equal,
                                                          NULL)) {
                g_free(name);
            } else {
                g_ptr_array_add(names, name);
            }
        }
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}

/* The file of the module, to be freed; NULL with @err that says which there are. */
static char *module_path(const char *name, GError **err)
{
    g_auto(GStrv) folders = module_folders();
    g_auto(GStrv) names = NULL;
    g_autofree char *where = NULL, *list = NULL;
    const char *nearest;

    for (unsigned i = 0; folders[i]; i++) {
        g_autofree char *path = g_strconcat(folders[i], "/" MODULE_PREFIX, name,
                                            MODULE_SUFFIX, NULL);

        if (g_file_test(path, G_FILE_TEST_EXISTS)) {
            return g_steal_pointer(&path);
        }
    }
    names = module_names();
    nearest = nearest_name(name, (const char *const *)names);
    where = g_strjoinv(" or ", folders);
    list = g_strjoinv(", ", names);
    g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                "there is no display '%s': its module " MODULE_PREFIX "%s"
                MODULE_SUFFIX " is not in %s; there are: %s%s%s%s", name, name, where,
                names[0] ? list : "none", nearest ? "; did you mean '" : "",
                nearest ? nearest : "", nearest ? "'?" : "");
    return NULL;
}

/* The type in the module @name, which stays loaded: libraries leave threads and
 * handlers behind that cannot be unloaded. */
static const DisplayType *module_load(const char *name, GError **err)
{
    g_autofree char *path = module_path(name, err);
    const DisplayType *type;
    void *handle;

    if (!path) {
        return NULL;
    }
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                    "display '%s': cannot load its module: %s", name, dlerror());
        return NULL;
    }
    type = dlsym(handle, DISPLAY_MODULE_SYMBOL);
    if (!type || strcmp(type->name, name) != 0) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                    "display '%s': %s is no module of this program; 'make install' "
                    "replaces it", name, path);
        dlclose(handle);
        return NULL;
    }
    return type;
}

bool display_available(const char *name)
{
    return module_load(name, NULL) != NULL;
}

/* ---- which are open ----------------------------------------------------------------- */

/* The first one of @type, of @id unless that is NULL; NULL: none. */
static Display *find_open(const char *type, const char *id)
{
    for (unsigned i = 0; displays && i < displays->len; i++) {
        Display *display = displays->pdata[i];

        if (strcmp(display->type->name, type) == 0 &&
            (!id || strcmp(display->id, id) == 0)) {
            return display;
        }
    }
    return NULL;
}

/* "default" for the first of its kind, then "vnc2", "vnc3", ...; to be freed. */
static char *free_id(const DisplayType *type)
{
    char *id = g_strdup("default");

    for (unsigned n = 2; find_open(type->name, id); n++) {
        g_free(id);
        id = g_strdup_printf("%s%u", type->name, n);
    }
    return id;
}

static void display_free(Display *display)
{
    properties_clear(display->type->properties, display);
    g_free(display->id);
    g_free(display);
}

/* Give it the @settings that follow its name. */
static bool display_configure(Display *display, const char *settings, GError **err)
{
    const DisplayType *type = display->type;
    g_autoptr(GPtrArray) opts = opts_parse(settings, type->implied);
    g_autofree char *what = g_strdup_printf("display '%s'", type->name);

    for (unsigned i = 0; i < opts->len; i++) {
        const Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, "id") == 0 && opt->value) {
            if (!object_id_check(opt->value, err)) {
                return false;
            }
            g_free(display->id);
            display->id = g_strdup(opt->value);
        } else if (!property_set(type->properties, display, NULL, what, opt->key,
                                 opt->value, err)) {
            return false;
        }
    }
    if (!display->id) {
        display->id = free_id(type);
    } else if (find_open(type->name, display->id)) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_GENERIC,
                    "%s: there is one with id '%s' already: choose another id", what,
                    display->id);
        return false;
    }
    return true;
}

bool display_open(const char *text, const char *keyboard, GError **err)
{
    size_t name_len = strcspn(text, ",");
    g_autofree char *name = g_strndup(text, name_len);
    const DisplayType *type = module_load(name, err);
    Display *display;

    if (!type) {
        return false;
    }
    display = g_malloc0(type->size);
    display->type = type;
    display->keyboard = keyboard ? g_intern_string(keyboard) : NULL;
    properties_init(type->properties, display);
    if (!display_configure(display, text + name_len + (text[name_len] == ','), err)) {
        display_free(display);
        return false;
    }
    if (!type->open(display, err)) {
        g_prefix_error(err, "display '%s': ", name);
        display_free(display);
        return false;
    }
    if (!displays) {
        displays = g_ptr_array_new();
    }
    g_ptr_array_add(displays, display);
    return true;
}

void displays_close(void)
{
    while (displays && displays->len) {
        Display *display = g_ptr_array_steal_index(displays, displays->len - 1);

        display->type->close(display);
        display_free(display);
    }
}

void displays_foreach(const char *type, void (*fn)(Display *display, void *opaque),
                      void *opaque)
{
    for (unsigned i = 0; displays && i < displays->len; i++) {
        Display *display = displays->pdata[i];

        if (!type || strcmp(display->type->name, type) == 0) {
            fn(display, opaque);
        }
    }
}

Display *display_find(const char *type, const char *id, GError **err)
{
    Display *display = find_open(type, id);

    if (display) {
        return display;
    }
    if (id) {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                    "no display '%s' with id '%s' is open", type, id);
    } else {
        g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                    "no display '%s' is open; -display %s opens one", type, type);
    }
    return NULL;
}

void display_client_free(DisplayClient *client)
{
    g_free(client->host);
    g_free(client->service);
    g_free(client->family);
    g_free(client);
}

void display_info_free(DisplayInfo *info)
{
    if (info) {
        g_ptr_array_unref(info->servers);
        g_ptr_array_unref(info->clients);
        g_free(info->id);
        g_free(info);
    }
}

/* ---- help --------------------------------------------------------------------------- */

void display_print_types(FILE *out)
{
    g_auto(GStrv) names = module_names();

    for (unsigned i = 0; names[i]; i++) {
        g_autoptr(GError) err = NULL;
        const DisplayType *type = module_load(names[i], &err);

        fprintf(out, "%-22s %s\n", names[i], type ? type->description : err->message);
    }
}

bool display_print_properties(const char *name, FILE *out, GError **err)
{
    const DisplayType *type = module_load(name, err);

    if (!type) {
        return false;
    }
    fprintf(out, "%s: %s\n", type->name, type->description);
    properties_print(type->properties, out);
    return true;
}
