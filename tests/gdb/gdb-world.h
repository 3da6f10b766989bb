/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for tests of the debugger stub: vCPUs over the stand-in for KVM
 * that walk through RAM in steps of a byte, as an instruction set of five:
 *
 *   90  do nothing
 *   a2  write the low byte of rax, then one more than it, to the address in rdi
 *   cc  trap: the debugger's, or the guest's own, which is counted
 *   e6  write al to the port in the next byte
 *   eb  go on at the address in rsi
 *
 * Anything else halts there. Addresses are linear and not translated by the
 * vCPU, which has debug registers and single steps as the processor has them.
 */
#ifndef TESTS_GDB_WORLD_H
#define TESTS_GDB_WORLD_H

#include "gdbstub.h"
#include "sysemu.h"
#include "target-i386/cpu.h"
#include "tests/gdb/gdb-client.h"
#include "tests/kvm-fake.h"

#define GW_RAM_SIZE 0x40000  /* at 0 */
#define GW_ROM 0x80000       /* a page */
#define GW_DEVICE 0x90000    /* a page: fails the test when it is accessed */
#define GW_LOOP 0x1000       /* where vCPU n walks: in page n from here on, */
#define GW_LOOP_END 0x10     /* from its start to this byte, and again */

typedef struct GDBWorld {
    FakeKVM fake;
    KVMState *kvm; /* NULL: no accelerator */
    MemoryRegion root, ports_root, ram, rom, device;
    AddressSpace memory, ports;
    uint8_t *host;        /* of RAM */
    char *path;           /* of the stub's socket */
    bool cannot_trap;     /* KVM's emulator knows no trap instruction */
    unsigned own_traps;   /* atomic: of the guest's own */
    unsigned rounds[FAKE_CPUS_MAX]; /* atomic */
    unsigned resets;
    bool killed;          /* the script has ended the machine by itself */
    int status;
    void (*script)(struct GDBWorld *w, GDBClient *c);
} GDBWorld;

/* Run @script with a client in a thread beside the main loop of a machine of
 * @cpus vCPUs, until it has returned or the machine has ended. Then the machine
 * must end with status 0 and leave nothing behind. */
void gdb_world_run(unsigned cpus, bool start_paused,
                   void (*script)(GDBWorld *w, GDBClient *c));

/* The same without an accelerator. */
void gdb_world_run_qtest(void (*script)(GDBWorld *w, GDBClient *c));

/* For scripts. Wait until vCPU @cpu has walked around @n more times. */
void gdb_world_wait_rounds(GDBWorld *w, unsigned cpu, unsigned n);

/* Take the client's connection away, and make a new one. */
void gdb_world_reconnect(GDBWorld *w, GDBClient *c);

/* Sleep until @condition holds. */
#define gdb_world_until(condition)                                             \
    while (!(condition)) {                                                     \
        g_usleep(100);                                                         \
    }

#endif
