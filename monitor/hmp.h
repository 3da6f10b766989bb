/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Human monitor commands: what declares them, and what they are given. One
 * entry of the tables in hmp-table.c is all there is to a command: how its line
 * is taken apart, its usage in errors, help, and completion come from it.
 */
#ifndef MONITOR_HMP_H
#define MONITOR_HMP_H

#include "monitor/monitor.h"
#include "monitor/qapi.h"

/* The longest line, in bytes. */
#define HMP_LINE_MAX 4096

typedef enum HMPArgKind {
    HMP_FLAG,   /* -f; before all others, in any order, also as in -fd */
    HMP_OPTION, /* -f VALUE, a word; between any others. After HMP_FLAGs, if any */
    HMP_WORD,   /* up to a space, or between " " */
    HMP_REST,   /* to the end of the line, or between " " */
    HMP_NUMBER, /* an expression, see expression.h */
    HMP_SIZE,   /* the same, may end in K, M, G or T */
    HMP_FORMAT, /* /fmt: a count, a letter of FORMATS, a size of b h w g */
} HMPArgKind;

/* Add to @names what may stand for the word that begins with @word, as strings
 * to be freed. What does not begin so is left out by the caller. */
typedef void HMPCompleter(const char *word, GPtrArray *names);

/* An argument. Those that are not optional come before those that are. */
typedef struct HMPArg {
    const char *name; /* of a flag: "-f"; of an option: "-f value" */
    HMPArgKind kind;
    bool optional;    /* flags, options and formats are in any case */
    HMPCompleter *complete; /* NULL: nothing to propose */
} HMPArg;

#define HMP_ARGS_MAX 4

typedef struct HMPFormat {
    uint64_t count;  /* 1 without */
    char letter;     /* x without */
    unsigned size;   /* bytes; 4 without, 1 for c */
} HMPFormat;

typedef struct HMPValue {
    bool given;
    char *text;      /* option, word, rest */
    uint64_t number; /* number, size */
    HMPFormat format;
} HMPValue;

typedef struct HMPCommand HMPCommand;

/* What a line prints. */
typedef struct HMPOutput {
    GString *text;
    bool is_full; /* there was more than MONITOR_OUTPUT_MAX */
} HMPOutput;

typedef struct HMPCall {
    Monitor *mon;
    HMPOutput *output;
    const HMPCommand *command;
    HMPValue values[HMP_ARGS_MAX];
} HMPCall;

/* Carry out a command; it prints with hmp_printf(). False with @err: printed
 * after "Error: ". In the main loop, no lock held. */
typedef bool HMPHandler(const HMPCall *call, GError **err);

struct HMPCommand {
    const char *name;     /* with other names: "stop|s" */
    HMPArg args[HMP_ARGS_MAX + 1]; /* ends with an all-zero one */
    const char *help;     /* one line */
    HMPHandler *run;
    const HMPCommand *sub; /* the first word chooses one of these; NULL: none.
                            * Nothing behind the name: they are listed */
};

extern const HMPCommand hmp_commands[]; /* ends with an all-zero one */
extern const HMPCommand hmp_info_commands[];

/* "x [/fmt] addr"; to be freed. @prefix: "info " or "". */
char *hmp_usage(const HMPCommand *command, const char *prefix);

/* ---- for handlers ------------------------------------------------------------- */

int hmp_printf(const HMPCall *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

int hmp_vprintf(const HMPCall *call, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* The output is full: more is not worth making. */
bool hmp_is_full(const HMPCall *call);

/* The value of the argument @name, which the command declares. */
const HMPValue *hmp_value(const HMPCall *call, const char *name);

/* Its text or NULL; whether a flag is there. */
const char *hmp_text(const HMPCall *call, const char *name);
bool hmp_flag(const HMPCall *call, const char *name);

/* The vCPU that the monitor looks at; NULL with @err where there is none. */
struct CPUState *hmp_cpu(const HMPCall *call, GError **err);

/* Execute a QMP command with @args, which are taken (NULL: none). *@result
 * (NULL: it has none) is to be freed with json_node_unref(). False with @err. */
bool hmp_qmp(const HMPCall *call, const char *name, JsonObject *args,
             JsonNode **result, GError **err);

/* ---- for the other files of the human monitor ------------------------------------- */

/* Carry out @line for @mon, whose cpu_index it uses and may set. What it prints,
 * with \r\n, nothing in it that a terminal would obey, valid UTF-8; to be
 * freed. */
char *hmp_execute(Monitor *mon, const char *line);

/* The command called @name, @len characters, in @table; NULL: none. */
const HMPCommand *hmp_find(const HMPCommand *table, const char *name,
                           size_t len);

/* The option of @command whose letter is at @p, as "-f" before a space or the end; NULL:
 * it is none. */
const HMPArg *hmp_option_at(const HMPCommand *command, const char *p);

/* Complete the word of @line that ends at byte @end: the whole words that it may
 * become, sorted, char *, to be freed with g_ptr_array_unref(); *@start: where
 * it begins. */
GPtrArray *hmp_complete(const char *line, size_t end, size_t *start);

/* Print usage and help of all of @table. */
void hmp_list(const HMPCall *call, const HMPCommand *table, const char *prefix);

/* All commands in Markdown: the list of docs/monitor.md. */
char *hmp_document(void);

#endif
