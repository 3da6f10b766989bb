/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugger's break and watch points, and guest memory as if its trap
 * instructions were not in it. Every vCPU is stopped; the main loop's thread,
 * no lock held.
 */
#ifndef GDBSTUB_BREAK_H
#define GDBSTUB_BREAK_H

#include "cpu-debug.h"

/* More than any person sets; bounds what a client can have us keep. */
#define GDB_TRAPS_MAX 1024

typedef struct GDBBreaks {
    GArray *traps;  /* see gdbstub-break.c */
    GArray *points; /* the same */
} GDBBreaks;

void gdb_breaks_init(GDBBreaks *breaks);
void gdb_breaks_free(GDBBreaks *breaks);

/* Put a trap instruction at @addr of @cpu, linear or @physical. 0 also where it
 * is there already; -EFAULT: no memory there; -ENOSPC; -EBUSY: the instruction does
 * not fit in place of a shorter one, beside another trap or at the end of the
 * page. */
int gdb_trap_insert(GDBBreaks *breaks, CPUState *cpu, uint64_t addr,
                    bool physical);

/* Take it out again; -ENOENT: there is none. */
int gdb_trap_remove(GDBBreaks *breaks, CPUState *cpu, uint64_t addr);

/* Whether there is one for the linear address @addr. */
bool gdb_trap_at(const GDBBreaks *breaks, uint64_t addr);

/* Take the instruction itself out, or put it back, while the trap stays set. */
void gdb_trap_lift(GDBBreaks *breaks, CPUState *cpu, uint64_t addr, bool lift);

/* Points of the processor, @len bytes: cut into what it can watch. 0 also where
 * it is there already; -ENOSPC: it has no more; -EINVAL: a length of 0;
 * -ENOENT: there is none to remove. */
int gdb_point_insert(GDBBreaks *breaks, CPUStopKind kind, uint64_t addr,
                     uint64_t len);
int gdb_point_remove(GDBBreaks *breaks, CPUStopKind kind, uint64_t addr,
                     uint64_t len);

/* Take all of them out. */
void gdb_breaks_remove_all(GDBBreaks *breaks, CPUState *cpu);

/* Fill in traps and points. */
void gdb_breaks_settings(GDBBreaks *breaks, CPUDebug *debug);

/* Memory from @addr on, linear or @physical, in which what a trap hides is read
 * and written. The bytes done before something was not mapped, or no memory. */
size_t gdb_memory_rw(GDBBreaks *breaks, CPUState *cpu, uint64_t addr, void *buf,
                     size_t len, bool is_write, bool physical);

#endif
