/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tables of commands say to people: help, docs/monitor.md.
 */
#include <string.h>

#include "monitor/hmp-commands.h"

typedef void Line(void *opaque, const char *usage, const char *help);

static void for_each(const HMPCommand *table, const char *prefix, Line *line,
                     void *opaque)
{
    for (const HMPCommand *c = table; c->name; c++) {
        g_autofree char *usage = hmp_usage(c, prefix);

        line(opaque, usage, c->help);
    }
}

static void print_line(void *opaque, const char *usage, const char *help)
{
    hmp_printf(opaque, "%s -- %s\n", usage, help);
}

void hmp_list(const HMPCall *call, const HMPCommand *table, const char *prefix)
{
    for_each(table, prefix, print_line, (void *)call);
}

bool hmp_help(const HMPCall *call, GError **err)
{
    const char *name = hmp_text(call, "command");
    const HMPCommand *table = hmp_commands, *command = NULL;
    g_auto(GStrv) words = NULL;
    unsigned depth = 0;

    if (!name) {
        hmp_list(call, hmp_commands, "");
        return true;
    }
    words = g_strsplit_set(name, " \t", 0);
    for (char **word = words; *word; word++) {
        if (**word) {
            command = table ? hmp_find(table, *word, strlen(*word)) : NULL;
            if (!command) {
                g_set_error(err, FLATVIEW_ERROR, 0,
                            "there is no command '%s'; help lists them", name);
                return false;
            }
            table = command->sub;
            depth++;
        }
    }
    if (table) {
        hmp_list(call, table, depth ? "info " : "");
    } else {
        g_autofree char *usage = hmp_usage(command, depth > 1 ? "info " : "");

        print_line((void *)call, usage, command->help);
    }
    return true;
}

static void append_row(void *opaque, const char *usage, const char *help)
{
    g_auto(GStrv) parts = g_strsplit(usage, "|", 0);
    g_autofree char *escaped = g_strjoinv("\\|", parts);

    g_string_append_printf(opaque, "| `%s` | %s |\n", escaped, help);
}

char *hmp_document(void)
{
    GString *s = g_string_new("| command | |\n|---|---|\n");

    for_each(hmp_commands, "", append_row, s);
    for_each(hmp_info_commands, "info ", append_row, s);
    return g_string_free(s, FALSE);
}
