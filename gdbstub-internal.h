/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the debugger stub share:
 *
 *   gdbstub.c          its life, stopping and going on, whose turn it is
 *   gdbstub-packets.c  what each packet asks for
 *   gdbstub-wire.c     from bytes to packets and back
 *   gdbstub-break.c    break and watch points, memory without them
 *
 * All of it runs in the main loop's thread, without the memory lock, from a
 * GSource of the stub's own: the character device only leaves bytes, and who
 * stops the machine only wakes it up.
 */
#ifndef GDBSTUB_INTERNAL_H
#define GDBSTUB_INTERNAL_H

#include "gdbstub.h"
#include "gdbstub-break.h"
#include "gdbstub-wire.h"

/* What a vCPU is to do when the machine goes on. */
typedef enum GDBAction {
    GDB_HOLD,
    GDB_RUN,
    GDB_STEP,
} GDBAction;

/* Single steps: as qemu.sstep numbers it. */
enum {
    GDB_STEP_ENABLE = 1,
    GDB_STEP_NO_IRQ = 2,
};

#define GDB_ALL_CPUS (-1)

struct GDBStub {
    GDBWire wire;
    GSource *source;
    int work;       /* atomic: something may be to do */
    bool opened;    /* a client has come, and was not yet dealt with */
    bool closed;    /* it has gone, the same; no more input until it is */

    bool attached;  /* a client has the machine in its hands */
    bool running;   /* it let the machine go on, and waits to hear of a stop */
    bool untouched; /* it found the machine at rest, and has left it so */

    /* What the client has chosen. */
    bool physical; /* addresses are physical ones */
    bool knows_swbreak, knows_hwbreak;
    unsigned step_flags;
    unsigned cpu;   /* for registers and memory */
    int resume_cpu; /* for c and s; or GDB_ALL_CPUS */
    unsigned next_thread; /* to be listed */
    GDBBreaks breaks;

    GDBAction *actions;      /* one for each vCPU */
    CPUState *trapped;       /* at the trap that the client heard of last, */
    uint64_t trapped_pc;     /* which is here; or NULL */
    CPUState *stepping_over; /* it does one step without that trap; or NULL */
    GString *stop_reply;     /* the last one */

    char *description; /* target.xml */
    GString *reply;
    char *console;       /* output of a monitor command; NULL: none */
    size_t console_sent; /* bytes */
};

/* ---- gdbstub.c ------------------------------------------------------------ */

/* Carry out ->actions. 0 or a positive errno; the answer comes with the next
 * stop. */
int gdb_resume(GDBStub *stub);

/* The vCPUs hear at once what stops them, as anybody may let them go on. */
void gdb_points_changed(GDBStub *stub);

/* The client lets go: take back what it set, and let the machine run. */
void gdb_detach(GDBStub *stub);

/* ---- gdbstub-packets.c ------------------------------------------------------ */

/* Do what the packet in ->wire asks for, and answer. The machine is at rest. */
void gdb_handle_packet(GDBStub *stub);

/* "E" and a number of two digits as the answer. */
void gdb_send_error(GDBStub *stub, int error);

/* Send ->reply, empty for what is not known here. */
void gdb_send_reply(GDBStub *stub);

#endif
