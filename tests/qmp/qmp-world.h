/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine in this process that runs no CPUs, for tests and fuzzers which send
 * it anything at all; and valid messages for every command to begin with.
 */
#ifndef QMP_WORLD_H
#define QMP_WORLD_H

#include "hw/core/machine.h"

/* The machine, and what protects the host from commands that write files: the
 * process goes to an empty folder, and to a user without rights where it was
 * root. */
Machine *qmp_world_new(void);

/* Free the machine and all that commands have added, for the next
 * qmp_world_new(). Monitors are gone already. */
void qmp_world_free(Machine *machine);

/* One valid message or more for each command; ends with NULL. */
extern const char *const qmp_corpus[];

#endif
