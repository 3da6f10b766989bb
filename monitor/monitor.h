/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Monitors: a control (JSON) or a human one on a character device.
 *
 *   monitor.c      what both share: the output that a client takes slowly
 *   json-stream.c  from bytes to JSON texts of bounded size and depth
 *   qmp.c          the protocol: greeting, negotiation, ids, events
 *   qapi.c         declarations, checks, schema, documentation
 *   qmp-*.c        the commands
 *   hmp.c          lines, arguments, help; hmp-*.c the commands
 *   editor.c       line editing and completion on a terminal
 *
 * Input arrives in the main loop under the memory lock; commands run from a
 * source of the main loop of their own, without any lock, one for each turn of
 * the loop, so that a busy client does not keep others waiting.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "hw/core/machine.h"

typedef struct Monitor Monitor;

typedef enum MonitorMode {
    MONITOR_HUMAN,   /* "readline" */
    MONITOR_CONTROL, /* "control": JSON */
} MonitorMode;

/* The machine that monitors are about, before the first is made. NULL again
 * before it is freed. */
void monitor_set_machine(Machine *machine);
Machine *monitor_machine(void);

/* Serve on @chr, which must outlive the monitor. @pretty: JSON in many lines.
 * In the main loop's thread. NULL with @err where @chr is in use. */
Monitor *monitor_new(Chardev *chr, MonitorMode mode, bool pretty,
                     GError **err);

/* Sends what is left, as far as the client takes it. NULL: nothing. */
void monitor_free(Monitor *mon);

/* ---- for commands ------------------------------------------------------------------- */

/* The most that one command of a human monitor prints, in bytes; what is beyond
 * is cut, and said so. */
#define MONITOR_OUTPUT_MAX (64 * 1024 * 1024)

/* The vCPU that x, info registers and others mean; 0 at first. */
unsigned monitor_cpu_index(const Monitor *mon);
void monitor_set_cpu_index(Monitor *mon, unsigned index);

/* Run @line as a human would and return what it prints, to be freed: for
 * human-monitor-command. @cpu_index: see above. */
char *hmp_run(const char *line, unsigned cpu_index);

#endif
