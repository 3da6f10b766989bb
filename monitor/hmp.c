/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line for the human monitor: from its words to the arguments that the table
 * declares, the call, and what it prints.
 */
#include "monitor/hmp.h"

#include <assert.h>
#include <string.h>

#include "cpu-debug.h"
#include "monitor/expression.h"
#include "monitor/monitor-internal.h"

/* ---- output ------------------------------------------------------------------- */

int hmp_printf(const HMPCall *call, const char *fmt, ...)
{
    int ret;
    va_list ap;

    va_start(ap, fmt);
    ret = hmp_vprintf(call, fmt, ap);
    va_end(ap);
    return ret;
}

int hmp_vprintf(const HMPCall *call, const char *fmt, va_list ap)
{
    HMPOutput *output = call->output;
    size_t before = output->text->len;

    if (output->is_full) {
        return 0;
    }
    g_string_append_vprintf(output->text, fmt, ap);
    if (output->text->len > MONITOR_OUTPUT_MAX) {
        g_string_truncate(output->text, MONITOR_OUTPUT_MAX);
        output->is_full = true;
    }
    return (int)(output->text->len - before);
}

bool hmp_is_full(const HMPCall *call)
{
    return call->output->is_full;
}

/* Lines as a terminal wants them. Names come from users, and guests: nothing but
 * text goes out. */
static char *output_finish(HMPOutput *output)
{
    GString *out = g_string_sized_new(output->text->len + 64);
    char *valid;

    for (const char *p = output->text->str;
         p < output->text->str + output->text->len; p++) {
        if (*p == '\n') {
            g_string_append(out, "\r\n");
        } else {
            g_string_append_c(out, g_ascii_iscntrl(*p) && *p != '\t' ? '?' : *p);
        }
    }
    if (output->is_full) {
        g_string_append_printf(out, "\r\n[more than %u bytes: cut here]\r\n",
                               MONITOR_OUTPUT_MAX);
    }
    g_string_free(output->text, TRUE);
    valid = g_utf8_make_valid(out->str, out->len);
    g_string_free(out, TRUE);
    return valid;
}

/* ---- names, usage -------------------------------------------------------------- */

const HMPCommand *hmp_find(const HMPCommand *table, const char *name,
                           size_t len)
{
    for (const HMPCommand *c = table; c->name; c++) {
        g_auto(GStrv) names = g_strsplit(c->name, "|", 0);

        for (char **n = names; *n; n++) {
            if (strlen(*n) == len && strncmp(*n, name, len) == 0) {
                return c;
            }
        }
    }
    return NULL;
}

char *hmp_usage(const HMPCommand *command, const char *prefix)
{
    GString *s = g_string_new(prefix);

    g_string_append(s, command->name);
    for (const HMPArg *arg = command->args; arg->name; arg++) {
        bool optional = arg->optional || arg->kind == HMP_FLAG ||
                        arg->kind == HMP_OPTION || arg->kind == HMP_FORMAT;

        g_string_append_printf(s, optional ? " [%s%s]" : " %s%s",
                               arg->kind == HMP_FORMAT ? "/" : "", arg->name);
    }
    return g_string_free(s, FALSE);
}

static const char *nearest_command(const HMPCommand *table, const char *wrong)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *nearest;

    for (const HMPCommand *c = table; c->name; c++) {
        g_auto(GStrv) parts = g_strsplit(c->name, "|", 0);

        for (char **n = parts; *n; n++) {
            g_ptr_array_add(names, (gpointer)g_intern_string(*n));
        }
    }
    g_ptr_array_add(names, NULL);
    nearest = nearest_name(wrong, (const char *const *)names->pdata);
    return nearest;
}

/* ---- arguments --------------------------------------------------------------------- */

static bool fail(GError **err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(GError **err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (err) {
        *err = g_error_new_valist(FLATVIEW_ERROR, 0, fmt, ap);
    }
    va_end(ap);
    return false;
}

static const char *skip_spaces(const char *p)
{
    return p + strspn(p, " \t");
}

/* A text between " ", with \" \\ \n \r \t inside; *@p is at the first ". */
static bool take_quoted(const char **p, char **text, GError **err)
{
    GString *s = g_string_new(NULL);
    const char *from;

    for (from = *p + 1; *from && *from != '"'; from++) {
        static const char letters[] = "\"\\nrt", meant[] = "\"\\\n\r\t";
        const char *letter;

        if (*from != '\\') {
            g_string_append_c(s, *from);
            continue;
        }
        from++;
        letter = *from ? strchr(letters, *from) : NULL;
        if (!letter) {
            g_string_free(s, TRUE);
            return fail(err, "'\\' stands before \" \\ n r or t only");
        }
        g_string_append_c(s, meant[letter - letters]);
    }
    if (!*from) {
        g_string_free(s, TRUE);
        return fail(err, "the closing \" is missing");
    }
    *text = g_string_free(s, FALSE);
    *p = from + 1;
    return true;
}

static bool take_text(const char **p, bool rest, char **text, GError **err)
{
    size_t len;

    if (**p == '"') {
        return take_quoted(p, text, err);
    }
    len = rest ? strlen(*p) : strcspn(*p, " \t");
    *text = g_strchomp(g_strndup(*p, len));
    *p += len;
    return true;
}

static bool register_value(void *opaque, const char *name, size_t len,
                           uint64_t *value)
{
    CPUState *cpu = opaque;
    bool known = (len == 2 && strncmp(name, "pc", 2) == 0) ||
                 (len == 3 && strncmp(name, "rip", 3) == 0) ||
                 (len == 3 && strncmp(name, "eip", 3) == 0);
    bool ok;

    if (!known || !cpu) {
        return false;
    }
    cpus_stop();
    ok = cpu_get_pc(cpu, value);
    cpus_go_on();
    return ok;
}

static bool take_number(const HMPCall *call, const char **p, uint64_t *number,
                        GError **err)
{
    unsigned index = monitor_cpu_index(call->mon);
    CPUState *cpu = index < cpus_count() ? cpus_get(index) : NULL;

    return expression_parse(p, register_value, cpu, number, err);
}

static bool take_size(const HMPCall *call, const char **p, uint64_t *number,
                      GError **err)
{
    static const char units[] = "kmgt";
    const char *unit;
    unsigned shift;

    if (!take_number(call, p, number, err)) {
        return false;
    }
    unit = **p ? strchr(units, g_ascii_tolower(**p)) : NULL;
    if (!unit) {
        return true;
    }
    shift = 10 * (unsigned)(unit - units + 1);
    if (*number > UINT64_MAX >> shift) {
        return fail(err, "number too large");
    }
    *number <<= shift;
    (*p)++;
    return true;
}

/* The letters of x and the others that dump or access. */
#define FORMATS "xduoc"

static bool take_format(const char **p, HMPFormat *format, GError **err)
{
    static const char sizes[] = "bhwg";
    const char *from = *p + 1;
    bool has_size = false;

    format->count = 1;
    if (g_ascii_isdigit(*from)) {
        char *end;

        format->count = g_ascii_strtoull(from, &end, 10); /* or UINT64_MAX */
        from = end;
    }
    for (; *from && *from != ' ' && *from != '\t'; from++) {
        if (strchr(FORMATS, *from)) {
            format->letter = *from;
        } else if (strchr(sizes, *from)) {
            format->size = 1u << (strchr(sizes, *from) - sizes);
            has_size = true;
        } else if (*from == 'i') {
            return fail(err, "instructions (i) need a disassembler, which is "
                        "not built in; bytes: /%" PRIu64 "xb", format->count);
        } else {
            return fail(err, "'%c' is neither a format (of %s) nor a size (of "
                        "%s)", *from, FORMATS, sizes);
        }
    }
    if (!has_size && format->letter == 'c') {
        format->size = 1;
    }
    *p = from;
    return true;
}

/* Words such as -f or -fd, as long as there are some. @err without an argument's
 * name. */
static bool take_flags(HMPCall *call, const char **p, GError **err)
{
    const HMPCommand *command = call->command;

    if (command->args[0].kind != HMP_FLAG || !command->args[0].name) {
        return true;
    }
    while (**p == '-') {
        const char *letter;

        for (letter = *p + 1; *letter && !strchr(" \t", *letter); letter++) {
            unsigned i = 0;

            while (command->args[i].name &&
                   (command->args[i].kind != HMP_FLAG ||
                    command->args[i].name[1] != *letter)) {
                i++;
            }
            if (!command->args[i].name) {
                return fail(err, "unsupported option -%c", *letter);
            }
            call->values[i].given = true;
        }
        if (letter == *p + 1) {
            return fail(err, "a letter is missing after '-'");
        }
        *p = skip_spaces(letter);
    }
    return true;
}

const HMPArg *hmp_option_at(const HMPCommand *command, const char *p)
{
    if (*p != '-' || !p[1] || !strchr(" \t", p[2])) {
        return NULL;
    }
    for (const HMPArg *arg = command->args; arg->name; arg++) {
        if (arg->kind == HMP_OPTION && arg->name[1] == p[1]) {
            return arg;
        }
    }
    return NULL;
}

/* Options, as long as there are some. */
static bool take_options(HMPCall *call, const char **p, GError **err)
{
    const HMPArg *arg;

    while ((arg = hmp_option_at(call->command, *p))) {
        HMPValue *value = &call->values[arg - call->command->args];

        *p = skip_spaces(*p + 2);
        if (!**p) {
            return fail(err, "argument '%s': the value is missing", arg->name);
        }
        g_clear_pointer(&value->text, g_free);
        if (!take_text(p, false, &value->text, err)) {
            g_prefix_error(err, "argument '%s': ", arg->name);
            return false;
        }
        value->given = true;
        *p = skip_spaces(*p);
    }
    return true;
}

static bool take_value(const HMPCall *call, const HMPArg *arg, HMPValue *value,
                       const char **p, GError **err)
{
    switch (arg->kind) {
    case HMP_NUMBER:
        return take_number(call, p, &value->number, err);
    case HMP_SIZE:
        return take_size(call, p, &value->number, err);
    case HMP_FORMAT:
        return take_format(p, &value->format, err);
    default:
        return take_text(p, arg->kind == HMP_REST, &value->text, err);
    }
}

static bool take_arguments(HMPCall *call, const char *p, GError **err)
{
    p = skip_spaces(p);
    if (!take_flags(call, &p, err)) {
        return false;
    }
    for (unsigned i = 0; call->command->args[i].name; i++) {
        const HMPArg *arg = &call->command->args[i];
        HMPValue *value = &call->values[i];

        value->format = (HMPFormat){ .count = 1, .letter = 'x', .size = 4 };
        if (!take_options(call, &p, err)) {
            return false;
        }
        if (arg->kind == HMP_FLAG || arg->kind == HMP_OPTION ||
            (arg->kind == HMP_FORMAT && *p != '/')) {
            continue;
        }
        if (!*p) {
            if (arg->optional) {
                continue;
            }
            return fail(err, "argument '%s' is missing", arg->name);
        }
        if (!take_value(call, arg, value, &p, err)) {
            g_prefix_error(err, "argument '%s': ", arg->name);
            return false;
        }
        value->given = true;
        p = skip_spaces(p);
    }
    if (!take_options(call, &p, err)) {
        return false;
    }
    return !*p || fail(err, "nothing more is expected at '%.32s'", p);
}

/* ---- what handlers ask for ----------------------------------------------------------- */

const HMPValue *hmp_value(const HMPCall *call, const char *name)
{
    unsigned i = 0;

    while (strcmp(call->command->args[i].name, name) != 0) {
        i++;
        assert(call->command->args[i].name);
    }
    return &call->values[i];
}

const char *hmp_text(const HMPCall *call, const char *name)
{
    return hmp_value(call, name)->text;
}

bool hmp_flag(const HMPCall *call, const char *name)
{
    return hmp_value(call, name)->given;
}

CPUState *hmp_cpu(const HMPCall *call, GError **err)
{
    unsigned index = monitor_cpu_index(call->mon);

    if (index >= cpus_count()) {
        fail(err, cpus_count() ? "there is no CPU %u; info cpus lists them"
                               : "this machine has no CPU (%u)", index);
        return NULL;
    }
    return cpus_get(index);
}

bool hmp_qmp(const HMPCall *call, const char *name, JsonObject *args,
             JsonNode **result, GError **err)
{
    const QMPCommand *command = qmp_command_find(name);
    QMPCall qmp_call = { .monitor = call->mon };
    JsonObject *given = args ? args : json_object_new();
    JsonNode *ignored = NULL;
    bool ok;

    if (command) {
        ok = qapi_check(command, given, err) &&
             command->run(&qmp_call, given, result ? result : &ignored, err);
        g_clear_pointer(&ignored, json_node_unref);
    } else {
        ok = fail(err, "The command %s has not been found", name);
    }
    json_object_unref(given);
    return ok;
}

/* ---- a line --------------------------------------------------------------------------- */

/* @p: what follows the command's name. */
static void run_command(HMPCall *call, const char *prefix, const char *p)
{
    g_autoptr(GError) error = NULL;

    if (!take_arguments(call, p, &error)) {
        g_autofree char *usage = hmp_usage(call->command, prefix);

        hmp_printf(call, "%s%.*s: %s\nUsage: %s\n", prefix,
                   (int)strcspn(call->command->name, "|"), call->command->name,
                   error->message, usage);
    } else if (!call->command->run(call, &error)) {
        hmp_printf(call, "Error: %s\n", error->message);
    }
    for (unsigned i = 0; i < HMP_ARGS_MAX; i++) {
        g_free(call->values[i].text);
    }
}

static void run_line(HMPCall *call, const HMPCommand *table, const char *prefix,
                     const char *line)
{
    const char *name = skip_spaces(line);
    /* x/4xw is x /4xw, as in debuggers. */
    size_t len = strcspn(name, " \t/");
    const HMPCommand *command = hmp_find(table, name, len);

    if (!command) {
        g_autofree char *wrong = g_strndup(name, MIN(strcspn(name, " \t"), 64));
        const char *near = nearest_command(table, wrong);

        hmp_printf(call, "unknown command: '%s%s'%s%s%s%s\n", prefix, wrong,
                   near ? "; did you mean '" : "", near ? prefix : "",
                   near ? near : "", near ? "'?" : "");
        return;
    }
    call->command = command;
    if (!command->sub) {
        run_command(call, prefix, name + len);
    } else if (*skip_spaces(name + len)) {
        run_line(call, command->sub, "info ", name + len);
    } else {
        hmp_list(call, command->sub, "info ");
    }
}

char *hmp_execute(Monitor *mon, const char *line)
{
    HMPOutput output = { .text = g_string_new(NULL) };
    HMPCall call = { .mon = mon, .output = &output };

    if (strlen(line) > HMP_LINE_MAX) {
        hmp_printf(&call, "The line is longer than %u bytes\n", HMP_LINE_MAX);
    } else if (*skip_spaces(line)) {
        run_line(&call, hmp_commands, "", line);
    }
    return output_finish(&output);
}

char *hmp_run(const char *line, unsigned cpu_index)
{
    Monitor mon = { .mode = MONITOR_HUMAN, .cpu_index = cpu_index };

    return hmp_execute(&mon, line);
}
