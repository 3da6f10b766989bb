/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtest: a machine whose CPUs do not run, driven from outside by lines of text.
 * The protocol is that of QEMU's qtest; docs/qtest.md lists the commands.
 */
#ifndef QTEST_H
#define QTEST_H

#include <stdio.h>

#include "hw/core/machine.h"

typedef struct QTest QTest;

/* Serve @machine, which runs no vCPUs, on @chr; @log (NULL: none) gets every
 * line with its time, and is the caller's. Commands run in the main loop under the
 * memory lock. NULL with @err where @chr is in use. */
QTest *qtest_new(Machine *machine, Chardev *chr, FILE *log, GError **err);
void qtest_free(QTest *qtest); /* NULL: nothing */

#endif
