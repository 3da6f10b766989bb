/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running in the background (-daemonize), and saying under which process id
 * (-pidfile).
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <glib.h>
#include <stdbool.h>

/* Go on in a child in a session of its own; the parent waits until the child
 * calls daemon_ready(), and then exits with status 0, or with the child's
 * status if that ends before; a parent that is ended meanwhile takes the child
 * with it. Before other threads start. False with @err. */
bool daemon_start(GError **err);

/* Standard input, output and error are /dev/null from now on, the working
 * directory is /, and the parent exits. Nothing without daemon_start(). */
void daemon_ready(void);

/* Write our process id to @path and keep the file locked while we run. False
 * with @err, also where another process keeps it so. */
bool pidfile_write(const char *path, GError **err);

/* Remove it. Nothing where none was written. */
void pidfile_remove(void);

#endif
