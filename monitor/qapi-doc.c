/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The declarations of commands and events in Markdown: docs/qmp.md.
 */
#include "monitor/qapi.h"

#include <string.h>

typedef struct Document {
    GString *text;
    GPtrArray *types; /* const QType *, in the order of their use */
} Document;

/* Named types are described once, at the end; @type's turn comes, too. */
static void document_type_later(Document *doc, const QType *type)
{
    for (unsigned i = 0; i < doc->types->len; i++) {
        const QType *other = doc->types->pdata[i];

        if (strcmp(other->name, type->name) == 0) {
            return;
        }
    }
    g_ptr_array_add(doc->types, (void *)type);
}

static void append_type(Document *doc, const QType *type)
{
    static const char *const words[] = {
        [Q_STRING] = "string", [Q_INT] = "integer", [Q_NUMBER] = "number",
        [Q_BOOL] = "boolean",  [Q_NULL] = "null",   [Q_ANY] = "any JSON",
    };

    if (type->kind == Q_ARRAY) {
        g_string_append(doc->text, "array of ");
        append_type(doc, type->element);
    } else if (words[MIN(type->kind, Q_ANY)] && type->kind <= Q_ANY) {
        g_string_append(doc->text, words[type->kind]);
    } else {
        g_string_append_printf(doc->text, "`%s`", type->name);
        document_type_later(doc, type);
    }
}

static void append_members(Document *doc, const QMember *members)
{
    for (; members && members->name; members++) {
        g_string_append_printf(doc->text, "- `%s` (", members->name);
        append_type(doc, members->type);
        g_string_append_printf(doc->text, "%s)%s%s\n",
                               members->optional ? ", optional" : "",
                               members->doc ? ": " : "",
                               members->doc ? members->doc : "");
    }
}

static void append_command(Document *doc, const QMPCommand *command)
{
    g_string_append_printf(doc->text, "\n### %s\n\n%s\n", command->name,
                           command->doc);
    if (command->deprecated) {
        g_string_append(doc->text, "\nDeprecated.\n");
    }
    if (command->oob) {
        g_string_append(doc->text, "\nMay be executed out of band.\n");
    }
    if (command->args || command->more_args) {
        g_string_append(doc->text, "\nArguments:\n\n");
        append_members(doc, command->args);
        if (command->more_args) {
            g_string_append(doc->text, "- any others that the type of what is "
                            "made or set has\n");
        }
    }
    if (command->result) {
        g_string_append(doc->text, "\nReturns: ");
        append_type(doc, command->result);
        g_string_append(doc->text, "\n");
    }
}

static void append_event(Document *doc, const QMPEventType *event)
{
    g_string_append_printf(doc->text, "\n### %s\n\n%s\n", event->name,
                           event->doc);
    if (event->interval_ms) {
        g_string_append_printf(doc->text, "\nAt most one in %u ms; the last one "
                               "wins.\n", event->interval_ms);
    }
    if (event->data) {
        g_string_append(doc->text, "\nData:\n\n");
        append_members(doc, event->data);
    }
}

static void append_values(Document *doc, const QType *type)
{
    g_string_append(doc->text, "\nOne of");
    for (const char *const *value = type->values; *value; value++) {
        g_string_append_printf(doc->text, "%s `%s`",
                               value == type->values ? "" : ",", *value);
    }
    g_string_append(doc->text, "\n");
}

static void append_choices(Document *doc, const QType *type)
{
    g_string_append(doc->text, "\n");
    for (const QMember *m = type->members; m->name; m++) {
        g_string_append(doc->text, m == type->members ? "Either " : ", or ");
        append_type(doc, m->type);
    }
    g_string_append(doc->text, "\n");
}

static void append_variants(Document *doc, const QType *type)
{
    for (const QVariant *v = type->variants; v && v->value; v++) {
        if (v->type) {
            g_string_append_printf(doc->text, "\nWhere `%s` is `%s`, the members "
                                   "of ", type->tag, v->value);
            append_type(doc, v->type);
            g_string_append(doc->text, ", too\n");
        }
    }
}

static void append_definition(Document *doc, const QType *type)
{
    g_string_append_printf(doc->text, "\n### %s\n", type->name);
    if (type->doc) {
        g_string_append_printf(doc->text, "\n%s\n", type->doc);
    }
    if (type->kind == Q_ENUM) {
        append_values(doc, type);
    } else if (type->kind == Q_ALTERNATE) {
        append_choices(doc, type);
    } else {
        if (type->members && type->members->name) {
            g_string_append(doc->text, "\n");
            append_members(doc, type->members);
        }
        append_variants(doc, type);
    }
}

static int compare_commands(const void *a, const void *b)
{
    const QMPCommand *const *first = a, *const *second = b;

    return strcmp((*first)->name, (*second)->name);
}

static int compare_types(const void *a, const void *b)
{
    const QType *const *first = a, *const *second = b;

    return strcmp((*first)->name, (*second)->name);
}

static void append_commands(Document *doc)
{
    GPtrArray *commands = g_ptr_array_new();

    for (unsigned i = 0; qmp_command_groups[i]; i++) {
        for (const QMPCommand *c = qmp_command_groups[i]; c->name; c++) {
            g_ptr_array_add(commands, (void *)c);
        }
    }
    g_ptr_array_sort(commands, compare_commands);
    for (unsigned i = 0; i < commands->len; i++) {
        append_command(doc, commands->pdata[i]);
    }
    g_ptr_array_unref(commands);
}

/* What describes a type may name more of them. */
static void append_definitions(Document *doc)
{
    GString *text = doc->text;

    doc->text = g_string_new(NULL);
    for (unsigned i = 0; i < doc->types->len; i++) {
        append_definition(doc, doc->types->pdata[i]);
    }
    g_string_free(doc->text, TRUE);
    doc->text = text;
    g_ptr_array_sort(doc->types, compare_types);
    for (unsigned i = 0; i < doc->types->len; i++) {
        append_definition(doc, doc->types->pdata[i]);
    }
}

static const char head[] =
    "# Commands and events of the QEMU Machine Protocol\n"
    "\n"
    "What a client can send over `-qmp` and `-mon mode=control`, and what it is\n"
    "told. Written by the program itself, from the table that it checks arguments\n"
    "with: `flatview-x86_64 -qmp help` prints it, `query-qmp-schema` returns the\n"
    "same for programs.\n"
    "\n"
    "A client that connects is greeted, sends `qmp_capabilities` first, and then\n"
    "commands. Each gets one reply, in this order:\n"
    "\n"
    "    <- {\"QMP\": {\"version\": ..., \"capabilities\": [\"oob\"]}}\n"
    "    -> {\"execute\": \"qmp_capabilities\"}\n"
    "    <- {\"return\": {}}\n"
    "    -> {\"execute\": \"query-version\", \"id\": 1}\n"
    "    <- {\"return\": {\"qemu\": ..., \"package\": ...}, \"id\": 1}\n"
    "    -> {\"execute\": \"stop\", \"id\": 2}\n"
    "    <- {\"timestamp\": {\"seconds\": ..., \"microseconds\": ...}, \"event\": \"STOP\"}\n"
    "    <- {\"return\": {}, \"id\": 2}\n"
    "    -> {\"execute\": \"device_del\", \"arguments\": {\"id\": \"x\"}, \"id\": 3}\n"
    "    <- {\"id\": 3, \"error\": {\"class\": \"DeviceNotFound\", \"desc\": ...}}\n"
    "\n"
    "Events come at any time, but those that a command makes happen come before\n"
    "its reply.\n"
    "\n"
    "`id` may be any JSON and comes back with the reply. A client that has enabled\n"
    "`oob` with `qmp_capabilities` may send `exec-oob` in place of `execute`, for\n"
    "commands that say so below: such a command is executed as soon\n"
    "as it is read, before others that wait. 8 commands may wait; no more is read until\n"
    "one of them is done. Clients that send something else than JSON get an error; the\n"
    "byte 0xff has the next byte taken as the first of a new message. A message may\n"
    "have 4 MiB, 65536 tokens and 1024 levels. To a client that does not read,\n"
    "replies wait, and it is not listened to any more; of events the last 256 are\n"
    "kept for it. A client of a socket that closes its sending side gets the\n"
    "replies to what it has sent, then the end.\n";

char *qapi_document(void)
{
    Document doc = {
        .text = g_string_new(head),
        .types = g_ptr_array_new(),
    };

    g_string_append(doc.text, "\n## Commands\n");
    append_commands(&doc);
    g_string_append(doc.text, "\n## Events\n");
    for (const QMPEventType *event = qmp_event_types; event->name; event++) {
        append_event(&doc, event);
    }
    g_string_append(doc.text, "\n## Types\n");
    append_definitions(&doc);
    g_ptr_array_unref(doc.types);
    return g_string_free(doc.text, FALSE);
}
