/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What qmp.c, its commands in qmp-core.c and qmp-event.c share.
 */
#ifndef MONITOR_QMP_H
#define MONITOR_QMP_H

#include "monitor/monitor-internal.h"
#include "monitor/qapi.h"

/* ---- qmp.c --------------------------------------------------------------------- */

/* The end of the negotiation. @oob: commands out of band, too. */
void qmp_negotiated(Monitor *mon, bool oob);

/* qmp-core.c: what query-version returns, and the greeting says. */
JsonNode *qmp_version(void);

/* Send to every client that has negotiated. @data NULL: none; @time_us: since
 * 1970. In the main loop's thread. */
void qmp_broadcast(const char *event, JsonObject *data, int64_t time_us);

/* ---- qmp-event.c ----------------------------------------------------------------- */

/* Follow what happens to the machine, from the first to the last monitor. */
void qmp_events_listen(void);
void qmp_events_unlisten(void);

/* Send what has happened up to now, so that it comes before what is written
 * next. In the main loop's thread. */
void qmp_events_send(void);

#endif
