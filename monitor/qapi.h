/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands and events of the QEMU Machine Protocol, declared as data. One
 * table entry is all there is to a command: query-qmp-schema, the check of its
 * arguments before the handler sees them, and docs/qmp.md come from it.
 *
 * Specification: QEMU docs/interop/qmp-spec and docs/devel/qapi-code-gen
 * (introspection).
 */
#ifndef MONITOR_QAPI_H
#define MONITOR_QAPI_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

typedef struct QType QType;
typedef struct QMember QMember;
typedef struct Monitor Monitor;

typedef enum QKind {
    Q_STRING,
    Q_INT,    /* 64 bits; from -2^63 to 2^64-1 where it is an argument */
    Q_NUMBER,
    Q_BOOL,
    Q_NULL,
    Q_ANY,    /* whatever JSON there is */
    Q_ENUM,
    Q_OBJECT,
    Q_ARRAY,
    Q_ALTERNATE, /* one of several kinds: told apart by the kind of JSON */
} QKind;

/* What a variant of an object adds, chosen by the value of its tag member. */
typedef struct QVariant {
    const char *value; /* of the tag, one of its enum */
    const QType *type; /* Q_OBJECT; NULL: adds nothing */
} QVariant;

struct QType {
    QKind kind;
    const char *name; /* CamelCase, unique; NULL for arrays */
    const char *doc;  /* one sentence */
    const char *const *values; /* Q_ENUM: ends with NULL */
    const QMember *members;    /* Q_OBJECT, Q_ALTERNATE: ends with an all-zero one */
    const char *tag;           /* Q_OBJECT with variants: the name of a member */
    const QVariant *variants;  /* ends with an all-zero one; NULL: none */
    const QType *element;      /* Q_ARRAY */
};

struct QMember {
    const char *name;
    const QType *type;
    bool optional;
    const char *doc;
};

/* The built-in types. */
extern const QType q_string, q_int, q_number, q_bool, q_null, q_any;

/* Where a command runs: in the main loop, no lock held, unless it says
 * otherwise. */
typedef struct QMPCall {
    Monitor *monitor;
} QMPCall;

/*
 * Carry out a command. @args has been checked: required members are there, all
 * are of their types, and there are no others. Put the result into *@result,
 * where the command has one. False with @err: the class is that of QMP_ERROR's
 * code, or GenericError for any other domain.
 */
typedef bool QMPHandler(const QMPCall *call, JsonObject *args,
                        JsonNode **result, GError **err);

typedef struct QMPCommand {
    const char *name;
    const char *doc;      /* sentences */
    const QMember *args;  /* NULL: none */
    const QType *result;  /* NULL: nothing but success */
    bool more_args;       /* members beyond @args are the handler's to check */
    bool oob;             /* may be executed out of band */
    bool deprecated;
    QMPHandler *run;
} QMPCommand;

typedef struct QMPEventType {
    const char *name;
    const char *doc;
    const QMember *data;   /* NULL: none */
    unsigned interval_ms;  /* at most one in this time, the last one wins; 0: all */
} QMPEventType;

/* Every command; groups, each ends with an all-zero one; the list with NULL.
 * The one table a new group joins. */
extern const QMPCommand *const qmp_command_groups[];
extern const QMPEventType qmp_event_types[]; /* ends with an all-zero one */

const QMPCommand *qmp_command_find(const char *name);

/* Check @args against the declaration, in the established words: "Parameter
 * 'val' is missing", "Parameter 'x' is unexpected", "Invalid parameter type for
 * 'val', expected: integer". */
bool qapi_check(const QMPCommand *command, JsonObject *args, GError **err);

/* The array that query-qmp-schema returns. */
JsonNode *qapi_schema(void);

/* All commands and events in Markdown: docs/qmp.md. */
char *qapi_document(void);

#define QMP_ERROR qmp_error_quark()
GQuark qmp_error_quark(void);
enum {
    QMP_ERROR_GENERIC,
    QMP_ERROR_COMMAND_NOT_FOUND,
    QMP_ERROR_DEVICE_NOT_ACTIVE,
    QMP_ERROR_DEVICE_NOT_FOUND,
    QMP_ERROR_KVM_MISSING_CAP,
};

#endif
