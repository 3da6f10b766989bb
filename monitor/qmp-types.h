/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the groups of commands share: types that several of them use, and the
 * ways between JSON, GVariant and settings as text.
 */
#ifndef MONITOR_QMP_TYPES_H
#define MONITOR_QMP_TYPES_H

#include "monitor/qapi.h"

/* ---- types ----------------------------------------------------------------------- */

extern const QType qmp_string_list;

/* SysEmuTarget: the architecture; the name of this program's. */
extern const QType qmp_target;
#define QMP_TARGET_NAME "x86_64"

/* CpuInstanceProperties: where a vCPU is; and those of vCPU @index. */
extern const QType qmp_cpu_place;
JsonObject *qmp_cpu_place_new(unsigned index);

/* A client of a VNC server, and that server as an event has it; the members of both for
 * an end of a connection. */
struct DisplayClient;
extern const QType qmp_vnc_client, qmp_vnc_event_server;
JsonObject *qmp_display_end(const struct DisplayClient *end);

/* What clients call a class of PCI functions; NULL: they have no name for it. */
const char *qmp_pci_class_name(unsigned class);

/* ---- replies: nodes that take over what they are made of ------------------------- */

JsonNode *qmp_array(JsonArray *array);
JsonNode *qmp_object(JsonObject *object);
JsonNode *qmp_string(const char *text);

/* A value of an object's property as JSON; @value is sunk and freed. */
JsonNode *qmp_from_variant(GVariant *value);

/* ---- arguments ------------------------------------------------------------------------ */

/* The member @name of @args, or NULL where it is missing. */
const char *qmp_arg_string(JsonObject *args, const char *name);

/* The same for a number and a truth value; @otherwise where it is missing. */
int64_t qmp_arg_int(JsonObject *args, const char *name, int64_t otherwise);
bool qmp_arg_bool(JsonObject *args, const char *name, bool otherwise);

/* A JSON value as that of a property, floating; NULL with @err where it is an
 * array, null, or an object with such in it. @name: for errors. */
GVariant *qmp_to_variant(JsonNode *node, const char *name, GError **err);

/* Put the members of @args but those in @except (NULL: none) into @settings, as
 * a user would write them (char *, owned). False with @err where one is no
 * string, number or truth value. */
bool qmp_settings_add(GHashTable *settings, JsonObject *args,
                      const QMember *except, GError **err);

/* For qmp_settings_add(). */
GHashTable *qmp_settings_new(void);

/* Give *@err the class DeviceNotFound where it says that there is no such
 * device, object or type. Returns @ok, for the end of a handler. */
bool qmp_finish(bool ok, GError **err);

#endif
