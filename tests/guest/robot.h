/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The robot: a guest that does what the host tells it, one operation after the
 * other, on each of its vCPUs. What the two sides share; read by C on both
 * and by the assembler. See tests/kvm-robot.h for the host's side.
 *
 * Loaded at ROBOT_BASE and started there in real mode. Each vCPU goes to long
 * mode, where the first ROBOT_MAPPED bytes are mapped one to one, and then
 * polls its mailbox: it carries out operations from ->done on for as long as
 * that is not ->posted, modulo ROBOT_OPS.
 */
#ifndef TESTS_GUEST_ROBOT_H
#define TESTS_GUEST_ROBOT_H

#define ROBOT_BASE 0x8000 /* also where a start-up interrupt leads: page 8 */
#define ROBOT_MAILBOXES 0x20000 /* 4 KiB for each vCPU */
#define ROBOT_STACKS 0x30000    /* the same */
#define ROBOT_CPUS_MAX 16
#define ROBOT_FREE 0x40000 /* RAM from here on is the test's */
#define ROBOT_MAPPED 0x200000000

/* Vectors from 0x20 are interrupts: of the PICs up to 0x2f, else of the APIC. */
#define ROBOT_VECTOR_IRQ 0x20
#define ROBOT_VECTOR_APIC 0x30
#define ROBOT_VECTORS 0x40

#define ROBOT_OPS 40
#define ROBOT_RUN_ALWAYS 0

#ifndef __ASSEMBLER__

typedef enum RobotCode {
    ROBOT_READ,      /* result = what is at addr; size 1, 2, 4, 8 */
    ROBOT_WRITE,     /* value to addr */
    ROBOT_READ_REP,  /* rep movs: count elements from addr to value */
    ROBOT_WRITE_REP, /* rep stos: count elements, each value, to addr */
    ROBOT_ADD,       /* read, modify and write addr in one instruction */
    ROBOT_IN,        /* result = port addr; size 1, 2, 4 */
    ROBOT_OUT,       /* value to port addr */
    ROBOT_IN_REP,    /* rep ins: count elements from port addr to value */
    ROBOT_OUT_REP,   /* rep outs: count elements from value to port addr */
    ROBOT_STRIDE,    /* count writes of value, each value2 bytes further */
    ROBOT_HAMMER,    /* read addr; result counts what is not value or value2 */
    ROBOT_COUNT_UP,  /* write 1, 2, ... to addr, read each back; result counts
                      * what differs, value is the last number written */
    ROBOT_STI,       /* let interrupts in */
    ROBOT_CLI,
    ROBOT_WAIT_IRQ,  /* sti, hlt; cli, when vector value was seen count times */
    ROBOT_CPUID,     /* leaf addr, subleaf value: value = EAX and EBX, result = ECX
                      * and EDX, the first in the lower half */
    ROBOT_HALT,      /* cli, hlt: for ever */
    ROBOT_CALL,      /* result = what the code at addr returns */
    ROBOT_TRIPLE_FAULT,
    ROBOT_CANNOT_EMULATE, /* cmpxchg16b at addr, in RSI: not for KVM's emulator */
} RobotCode;

/* HAMMER and COUNT_UP end after count rounds, or never for ROBOT_RUN_ALWAYS, or
 * when the host sets ->stop. */
typedef struct RobotOp {
    unsigned code; /* RobotCode */
    unsigned size;
    unsigned long long addr, value, value2, count, result;
} RobotOp;

typedef struct RobotMailbox {
    unsigned posted;   /* by the host */
    unsigned done;     /* by the guest */
    unsigned stop;     /* by the host */
    unsigned alive;    /* by the guest: it polls; counts starts */
    unsigned fault;    /* by the guest: 0x100 + the vector of an exception */
    unsigned progress; /* by the guest: rounds of HAMMER, COUNT_UP */
    unsigned long long fault_rip, bad; /* the last value that was not legal */
    unsigned irqs[ROBOT_VECTORS];      /* by the guest: how many came */
    RobotOp ops[ROBOT_OPS];
} RobotMailbox;

_Static_assert(sizeof(RobotMailbox) <= 4096, "a mailbox is a page");

#endif
#endif
