/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into a vCPU from outside: for monitors and the debugger. Memory is
 * cpu-debug.c's, the rest that of target-<arch>/debug.c. Every vCPU is stopped
 * (cpus_stop()), and the caller the main loop's thread; or it is the vCPU's own
 * thread, outside the guest. No lock is held.
 */
#ifndef CPU_DEBUG_H
#define CPU_DEBUG_H

#include <stdbool.h>
#include <stdio.h>

#include "cpus.h"

/* Registers in words: info registers. Without an accelerator, a line that
 * says so. */
void cpu_print(CPUState *cpu, FILE *out);

/* The linear address of the next instruction; false without an accelerator. */
bool cpu_get_pc(CPUState *cpu, uint64_t *pc);

/* The guest-physical address of the linear address @vaddr through the vCPU's
 * page tables, whatever their access rights; false: not mapped. Without an
 * accelerator they are the same. */
bool cpu_translate(CPUState *cpu, uint64_t vaddr, hwaddr *paddr);

/* Read or write @len bytes at linear address @vaddr, page by page, RAM and ROM
 * alike (ROM is written, for breakpoints); device registers are refused. The
 * bytes done before something was not mapped, or no memory. */
size_t cpu_memory_rw(CPUState *cpu, uint64_t vaddr, void *buf, size_t len,
                     bool is_write);

/* The same by guest-physical address, in what the vCPU sees in the mode it is in. */
size_t cpu_physical_rw(CPUState *cpu, hwaddr paddr, void *buf, size_t len,
                       bool is_write);

/* ---- for the debugger ----------------------------------------------------- */

typedef enum CPUStopKind {
    CPU_STOP_NONE,
    CPU_STOP_STEP,         /* one instruction is done */
    CPU_STOP_BREAKPOINT,   /* before a trap instruction of the debugger */
    CPU_STOP_HARDWARE,     /* before an instruction that a point watches */
    CPU_STOP_WATCH_WRITE,  /* after an access that a point watches */
    CPU_STOP_WATCH_ACCESS,
} CPUStopKind;

/* Why a vCPU stopped, and the linear address: of the instruction, or of what
 * was accessed (the point's). */
typedef struct CPUStop {
    CPUStopKind kind;
    uint64_t addr;
} CPUStop;

/* One of the processor's own break and watch points. */
typedef struct CPUPoint {
    CPUStopKind kind; /* HARDWARE or WATCH_ */
    uint64_t addr;    /* linear, a multiple of @len */
    unsigned len;     /* bytes: 1, 2, 4, 8; of HARDWARE 1 */
} CPUPoint;

#define CPU_POINTS_MAX 4

/* The instruction that a debugger puts into memory to stop who executes it. */
typedef struct CPUTrap {
    uint8_t bytes[2];
    unsigned len;
} CPUTrap;

/* The one that works on this host, whatever its processor does with breakpoints
 * in guests; the same one always. */
const CPUTrap *cpu_trap(void);

#define CPU_TRAP_LEN_MAX 2

/* Whether it can stand in for an instruction that begins with @first: it must not
 * be the longer one. */
bool cpu_trap_fits(uint8_t first);

/* Whether the processor's own points work in guests on this host. */
bool cpu_debug_has_points(void);

/* For tests: as if on a host that keeps breakpoints from guests. */
void cpu_debug_assume_crippled(bool crippled);

/* What the debugger wants of one vCPU; all-zero: nothing. */
typedef struct CPUDebug {
    bool traps;      /* trap instructions stop it */
    bool step;       /* stop after one instruction */
    bool block_irqs; /* and let no interrupt in before: cpu_debug_can_block() */
    unsigned nr_points;
    CPUPoint points[CPU_POINTS_MAX];
    /* Whether the trap instruction at @paddr is the debugger's and not the
     * guest's own, which the guest then gets. From the vCPU's thread, under no
     * lock. */
    bool (*owns_trap)(hwaddr paddr, void *opaque);
    void *opaque;
} CPUDebug;

/* Have @cpu stop so from now on, until other settings. When it does, the machine
 * stops in RUN_STATE_DEBUG. 0 or -errno: -ENODEV without an accelerator. */
int cpu_debug_set(CPUState *cpu, const CPUDebug *debug);

/* Whether interrupts can be kept out of a step. */
bool cpu_debug_can_block(CPUState *cpu);

/* Why @cpu stopped since this was forgotten; .kind NONE: it did not. */
CPUStop cpu_debug_stop(CPUState *cpu);
void cpu_debug_forget_stop(CPUState *cpu);

/* Non-maskable interrupt. vCPUs may run, and are stopped for a moment. False with
 * @err. */
bool cpu_inject_nmi(CPUState *cpu, GError **err);

#endif
