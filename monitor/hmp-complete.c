/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion: what the word before the cursor may become.
 */
#include <string.h>

#include "monitor/hmp-commands.h"

/* ---- what there is of each kind ---------------------------------------------------- */

static void add(GPtrArray *names, const char *name)
{
    g_ptr_array_add(names, g_strdup(name));
}

/* Of what cannot be without an id. */
static void add_with_id(GPtrArray *names, const char *type)
{
    g_ptr_array_add(names, g_strconcat(type, ",id=", NULL));
}

static void add_commands(const HMPCommand *table, GPtrArray *names)
{
    for (const HMPCommand *c = table; c->name; c++) {
        g_auto(GStrv) parts = g_strsplit(c->name, "|", 0);

        for (char **part = parts; *part; part++) {
            add(names, *part);
        }
    }
}

void complete_command(const char *word, GPtrArray *names)
{
    add_commands(hmp_commands, names);
}

void complete_info(const char *word, GPtrArray *names)
{
    add_commands(hmp_info_commands, names);
}

void complete_chardev(const char *word, GPtrArray *names)
{
    g_autoptr(GPtrArray) list = NULL;

    memory_lock();
    list = chardev_list();
    for (guint i = 0; i < list->len; i++) {
        add(names, chardev_id(list->pdata[i]));
    }
    memory_unlock();
}

void complete_chardev_backend(const char *word, GPtrArray *names)
{
    for (const char *const *name = chardev_backends(); *name; name++) {
        add_with_id(names, *name);
    }
}

/* In "TYPE,PROP=VALUE,PR", the word after the last comma becomes a property of
 * the type. */
static void add_properties(const char *word, GPtrArray *names)
{
    const char *comma = strrchr(word, ',');
    g_autofree char *type = g_strndup(word, strcspn(word, ","));
    g_autoptr(GArray) properties = object_type_properties(type, NULL, NULL);

    g_ptr_array_add(names, g_strdup_printf("%.*s,id=", (int)(comma - word), word));
    for (guint i = 0; properties && i < properties->len; i++) {
        const ObjectProperty *p = &g_array_index(properties, ObjectProperty, i);

        if (strcmp(p->name, "type") != 0 && p->writable) {
            g_ptr_array_add(names, g_strdup_printf("%.*s,%s=",
                                                   (int)(comma - word), word,
                                                   p->name));
        }
    }
}

void complete_device_type(const char *word, GPtrArray *names)
{
    if (strchr(word, ',')) {
        add_properties(word, names);
        return;
    }
    for (unsigned i = 0; device_types[i]; i++) {
        if (device_types[i]->user_creatable) {
            add(names, device_types[i]->name);
        }
    }
}

void complete_object_type(const char *word, GPtrArray *names)
{
    g_autoptr(GArray) types = NULL;

    if (strchr(word, ',')) {
        add_properties(word, names);
        return;
    }
    types = object_types();
    for (guint i = 0; i < types->len; i++) {
        const ObjectTypeInfo *t = &g_array_index(types, ObjectTypeInfo, i);

        if (!t->abstract && object_type_is(t->name, "user-creatable")) {
            add_with_id(names, t->name);
        }
    }
}

static void add_children(const char *path, GPtrArray *names)
{
    Object *obj;

    memory_lock();
    obj = object_resolve(path, NULL);
    for (guint i = 0; obj && obj->children && i < obj->children->len; i++) {
        add(names, ((Object *)obj->children->pdata[i])->name);
    }
    memory_unlock();
}

/* Those that a user added have an id. */
void complete_device(const char *word, GPtrArray *names)
{
    add_children("/machine/peripheral", names);
}

void complete_image_format(const char *word, GPtrArray *names)
{
    add(names, "png");
    add(names, "ppm");
}

void complete_object(const char *word, GPtrArray *names)
{
    add_children("/objects", names);
}

/* The children of what is before the last slash. */
void complete_qom_path(const char *word, GPtrArray *names)
{
    const char *slash = strrchr(word, '/');
    g_autofree char *parent = g_strndup(word, slash ? slash - word : 0);
    Object *obj;

    if (*word && *word != '/') {
        return;
    }
    memory_lock();
    obj = *parent ? object_resolve(parent, NULL) : object_root();
    for (guint i = 0; obj && obj->children && i < obj->children->len; i++) {
        Object *child = obj->children->pdata[i];

        g_ptr_array_add(names, g_strdup_printf("%s/%s%s", parent, child->name,
                                               child->children &&
                                               child->children->len ? "/" : ""));
    }
    memory_unlock();
}

void complete_file(const char *word, GPtrArray *names)
{
    const char *slash = strrchr(word, '/');
    g_autofree char *folder = g_strndup(word, slash ? slash + 1 - word : 0);
    g_autoptr(GDir) dir = g_dir_open(*folder ? folder : ".", 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_strconcat(folder, name, NULL);

        g_ptr_array_add(names,
                        g_strconcat(path, g_file_test(path, G_FILE_TEST_IS_DIR)
                                    ? "/" : NULL, NULL));
    }
}

/* ---- which kind it is -------------------------------------------------------------------- */

/* The argument that the @index-th word after a command is, counted without those
 * that begin with - or /. */
static const HMPArg *argument_at(const HMPCommand *command, unsigned index)
{
    for (const HMPArg *arg = command->args; arg->name; arg++) {
        if (arg->kind == HMP_FLAG || arg->kind == HMP_OPTION ||
            arg->kind == HMP_FORMAT) {
            continue;
        }
        if (index == 0) {
            return arg;
        }
        index--;
    }
    return NULL;
}

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " \t");
}

/* What completes the word that begins at @word of @line. */
static HMPCompleter *completer_at(const char *line, const char *word)
{
    const HMPCommand *command = NULL;
    const HMPArg *arg, *option = NULL; /* that the word before was */
    unsigned index = 0;

    for (const char *p = skip_spaces(line); p < word; p = skip_spaces(p)) {
        size_t len = strcspn(p, " \t");

        if (option) {
            option = NULL; /* its value */
        } else if (!command || command->sub) {
            command = hmp_find(command ? command->sub : hmp_commands, p, len);
            if (!command) {
                return NULL;
            }
        } else if ((option = hmp_option_at(command, p))) {
            /* Its value is the next word. */
        } else if (*p != '-' && *p != '/') {
            index++;
        } else if (*p == '/' && command->args[0].kind != HMP_FORMAT) {
            index++; /* a path */
        }
        p += len;
    }
    if (!command) {
        return complete_command;
    }
    if (option) {
        return option->complete;
    }
    arg = argument_at(command, index);
    return arg ? arg->complete : NULL;
}

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *hmp_complete(const char *line, size_t end, size_t *start)
{
    g_autofree char *before = g_strndup(line, end);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    GPtrArray *fitting = g_ptr_array_new_with_free_func(g_free);
    HMPCompleter *complete;

    for (*start = end; *start && !strchr(" \t", before[*start - 1]); --*start) {
    }
    complete = completer_at(before, before + *start);
    if (complete) {
        complete(before + *start, names);
    }
    for (guint i = 0; i < names->len; i++) {
        if (g_str_has_prefix(names->pdata[i], before + *start)) {
            g_ptr_array_add(fitting, g_strdup(names->pdata[i]));
        }
    }
    g_ptr_array_sort(fitting, compare);
    return fitting;
}
