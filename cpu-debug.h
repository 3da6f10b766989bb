/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into a vCPU from outside: for monitors and the debugger. Memory is
 * cpu-debug.c's, the rest that of target-<arch>/debug.c. Every vCPU is stopped
 * (cpus_stop()), and the caller the main loop's thread; or it is the vCPU's own
 * thread, outside the guest. No lock is held.
 */
#ifndef CPU_DEBUG_H
#define CPU_DEBUG_H

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

/* The same by guest-physical address, in the vCPU's address space. */
size_t cpu_physical_rw(CPUState *cpu, hwaddr paddr, void *buf, size_t len,
                       bool is_write);

/* Non-maskable interrupt. vCPUs may run, and are stopped for a moment. False with
 * @err. */
bool cpu_inject_nmi(CPUState *cpu, GError **err);

#endif
