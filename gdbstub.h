/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stub for gdb's remote serial protocol: gdb sees each vCPU as a thread of
 * one process. Specification: "Debugging with GDB", appendix "GDB Remote
 * Serial Protocol".
 */
#ifndef GDBSTUB_H
#define GDBSTUB_H

#include "hw/core/chardev.h"

typedef struct GDBStub GDBStub;

/* Serve on @chr the vCPUs there are (cpus.h). In the thread of the main loop,
 * once they are made. NULL with @err. */
GDBStub *gdbstub_new(Chardev *chr, GError **err);

/* Takes its breakpoints back. Before cpus_destroy(). NULL: nothing. */
void gdbstub_free(GDBStub *stub);

#endif
