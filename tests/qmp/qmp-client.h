/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the QEMU Machine Protocol for tests: of a monitor in this process,
 * or of the program. What it receives must be JSON and as the protocol has it,
 * and, once qmp_client_check_schema() was called, agree with the schema; the test
 * fails otherwise. A test that waits for what never comes ends by Check's timeout.
 */
#ifndef QMP_CLIENT_H
#define QMP_CLIENT_H

#include <json-glib/json-glib.h>

#include "monitor/monitor.h"
#include "tests/test-util.h"

typedef struct QMPClient QMPClient;

/* Beside a new control monitor of this process, which qmp_client_free() frees,
 * or without one where it was freed meanwhile (see qmp_client_monitor()). The
 * main loop runs while the client waits. Not negotiated yet. */
QMPClient *qmp_client_new_inside(bool pretty);

/* The monitor of a client inside; qmp_client_free_monitor() before the machine is
 * freed, for what is then sent. */
Monitor *qmp_client_monitor(QMPClient *client);
void qmp_client_free_monitor(QMPClient *client);

/* Start $FLATVIEW with the arguments, ended by NULL, and a control monitor.
 * Negotiated, with the schema. */
QMPClient *qmp_client_spawn(const char *arg, ...) __attribute__((sentinel));

/* The same for a list of arguments that ends with NULL. */
QMPClient *qmp_client_spawn_argv(const char *const *args);

/* On a connected socket, which is closed in the end; not negotiated yet. */
QMPClient *qmp_client_new_fd(int fd);

/* Close the connection. A program that was started gets "quit", and must end
 * with status 0. */
void qmp_client_free(QMPClient *client);

/* Wait until a program that was started ends; its status as waitpid() has it. */
int qmp_client_wait_exit(QMPClient *client);

/* Take the greeting, and negotiate. @oob: enable that. */
void qmp_client_negotiate(QMPClient *client, bool oob);

/* From now on, all that is received must agree with the schema. */
void qmp_client_check_schema(QMPClient *client);

/* Send bytes, or text, as they are. */
void qmp_client_send(QMPClient *client, const void *data, size_t len);
void qmp_client_say(QMPClient *client, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Do not read / read again what arrives; at first it reads. */
void qmp_client_set_reading(QMPClient *client, bool reading);

/* The next message, whatever it is; NULL: the connection was closed. Valid until
 * the next call with this client. */
JsonObject *qmp_client_receive(QMPClient *client);

/* The same as a text in QEMU's form, without the end of the line. */
const char *qmp_client_receive_text(QMPClient *client);

/* The next message that is no event; events are kept. */
JsonObject *qmp_client_receive_reply(QMPClient *client);

/* Run @command with @args, a JSON object in a format of printf(), or NULL:
 * none. Its result, valid until the next call with this client. */
JsonNode *qmp_run(QMPClient *client, const char *command, const char *args, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for a command that fails: "CLASS: DESC". */
const char *qmp_run_error(QMPClient *client, const char *command,
                          const char *args, ...)
    __attribute__((format(printf, 3, 4)));

/* The same text is expected. */
#define qmp_expect_error(client, command, args, error)                         \
    ck_assert_str_eq(qmp_run_error(client, command, "%s", args), error)

/* The next event @name, kept or to come; those before it are dropped. Its data,
 * an empty object where it has none; valid until the next call. */
JsonObject *qmp_wait_event(QMPClient *client, const char *name);

/* Events that are kept; each is the whole message. Not to be freed. */
GQueue *qmp_client_events(QMPClient *client);

/* Whether @node agrees with the type of that name in the schema; else why not,
 * to be freed. */
char *qmp_schema_check(QMPClient *client, const char *type, JsonNode *node);

/* The entity of that name in the schema, or NULL. */
JsonObject *qmp_schema_find(QMPClient *client, const char *name);

/* ---- looking into results ------------------------------------------------------------ */

/* What is at @path, e.g. "a.b[2].c" or "[0]"; must be there. */
JsonNode *json_at(JsonNode *root, const char *path);
const char *json_string_at(JsonNode *root, const char *path);
int64_t json_int_at(JsonNode *root, const char *path);
bool json_bool_at(JsonNode *root, const char *path);

/* The element of the array @root whose member @key is the string @value, or
 * NULL. */
JsonObject *json_find(JsonNode *root, const char *key, const char *value);

#endif
