/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of a vCPU in gdb's numbering and form. Implemented by
 * target-<arch>/gdb.c. Every vCPU is stopped; the main loop's thread, no lock
 * held.
 */
#ifndef CPU_GDB_H
#define CPU_GDB_H

#include "cpus.h"

/* They are numbered from 0. */
unsigned cpu_gdb_registers(void);

/* Which of them is the program counter. */
unsigned cpu_gdb_pc_register(void);

/* Of register @n, in bytes. */
unsigned cpu_gdb_register_size(unsigned n);

#define CPU_GDB_REGISTER_MAX 16 /* bytes of one */

/* The target description: XML, to be freed. */
char *cpu_gdb_description(void);

/* Read or write @nr registers from @first on, one after the other in @buf, in
 * the guest's byte order. False where there is no accelerator or it refuses;
 * then some may have been written. */
bool cpu_gdb_read(CPUState *cpu, unsigned first, unsigned nr, uint8_t *buf);
bool cpu_gdb_write(CPUState *cpu, unsigned first, unsigned nr,
                   const uint8_t *buf);

/* Have the vCPU go on at @pc, as register rip. */
bool cpu_gdb_set_pc(CPUState *cpu, uint64_t pc);

#endif
