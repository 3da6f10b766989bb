/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The robot in long mode; see robot.h. Each operation is one instruction, or
 * one with a repeat count, so that the host knows exactly what a device sees.
 */
#include "tests/guest/robot.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define PIC0_COMMAND 0x20
#define PIC1_COMMAND 0xa0
#define PIC_EOI 0x20
#define APIC_EOI 0xfee000b0ull

extern struct { u16 limit; u64 base; } __attribute__((packed)) idt_pointer;

static RobotMailbox *mailbox_of(unsigned cpu)
{
    return (RobotMailbox *)(u64)(ROBOT_MAILBOXES + cpu * 4096);
}

static u64 read_memory(u64 addr, unsigned size)
{
    u64 value = 0;

    switch (size) {
    case 1:
        asm volatile("movb (%1), %b0" : "=q"(value) : "r"(addr) : "memory");
        return (u8)value;
    case 2:
        asm volatile("movw (%1), %w0" : "=r"(value) : "r"(addr) : "memory");
        return (u16)value;
    case 4:
        asm volatile("movl (%1), %k0" : "=r"(value) : "r"(addr) : "memory");
        return (u32)value;
    default:
        asm volatile("movq (%1), %0" : "=r"(value) : "r"(addr) : "memory");
        return value;
    }
}

static void write_memory(u64 addr, unsigned size, u64 value)
{
    switch (size) {
    case 1:
        asm volatile("movb %b0, (%1)" :: "q"(value), "r"(addr) : "memory");
        break;
    case 2:
        asm volatile("movw %w0, (%1)" :: "r"(value), "r"(addr) : "memory");
        break;
    case 4:
        asm volatile("movl %k0, (%1)" :: "r"(value), "r"(addr) : "memory");
        break;
    default:
        asm volatile("movq %0, (%1)" :: "r"(value), "r"(addr) : "memory");
        break;
    }
}

static void add_memory(u64 addr, unsigned size, u64 value)
{
    switch (size) {
    case 1:
        asm volatile("addb %b0, (%1)" :: "q"(value), "r"(addr) : "memory", "cc");
        break;
    case 2:
        asm volatile("addw %w0, (%1)" :: "r"(value), "r"(addr) : "memory", "cc");
        break;
    case 4:
        asm volatile("addl %k0, (%1)" :: "r"(value), "r"(addr) : "memory", "cc");
        break;
    default:
        asm volatile("addq %0, (%1)" :: "r"(value), "r"(addr) : "memory", "cc");
        break;
    }
}

static void read_rep(const RobotOp *op)
{
    u64 from = op->addr, to = op->value, count = op->count;

    switch (op->size) {
    case 1:
        asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count) :: "memory");
        break;
    case 2:
        asm volatile("rep movsw" : "+S"(from), "+D"(to), "+c"(count) :: "memory");
        break;
    case 4:
        asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(count) :: "memory");
        break;
    default:
        asm volatile("rep movsq" : "+S"(from), "+D"(to), "+c"(count) :: "memory");
        break;
    }
}

static void write_rep(const RobotOp *op)
{
    u64 to = op->addr, count = op->count;

    switch (op->size) {
    case 1:
        asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(op->value)
                     : "memory");
        break;
    case 2:
        asm volatile("rep stosw" : "+D"(to), "+c"(count) : "a"(op->value)
                     : "memory");
        break;
    case 4:
        asm volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(op->value)
                     : "memory");
        break;
    default:
        asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(op->value)
                     : "memory");
        break;
    }
}

static u32 read_port(u16 port, unsigned size)
{
    u32 value = 0;

    switch (size) {
    case 1:
        asm volatile("inb %1, %b0" : "+a"(value) : "d"(port));
        break;
    case 2:
        asm volatile("inw %1, %w0" : "+a"(value) : "d"(port));
        break;
    default:
        asm volatile("inl %1, %0" : "+a"(value) : "d"(port));
        break;
    }
    return value;
}

static void write_port(u16 port, unsigned size, u32 value)
{
    switch (size) {
    case 1:
        asm volatile("outb %b0, %1" :: "a"(value), "d"(port));
        break;
    case 2:
        asm volatile("outw %w0, %1" :: "a"(value), "d"(port));
        break;
    default:
        asm volatile("outl %0, %1" :: "a"(value), "d"(port));
        break;
    }
}

static void in_rep(const RobotOp *op)
{
    u64 to = op->value, count = op->count;
    u16 port = op->addr;

    switch (op->size) {
    case 1:
        asm volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port) : "memory");
        break;
    case 2:
        asm volatile("rep insw" : "+D"(to), "+c"(count) : "d"(port) : "memory");
        break;
    default:
        asm volatile("rep insl" : "+D"(to), "+c"(count) : "d"(port) : "memory");
        break;
    }
}

static void out_rep(const RobotOp *op)
{
    u64 from = op->value, count = op->count;
    u16 port = op->addr;

    switch (op->size) {
    case 1:
        asm volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(port) : "memory");
        break;
    case 2:
        asm volatile("rep outsw" : "+S"(from), "+c"(count) : "d"(port) : "memory");
        break;
    default:
        asm volatile("rep outsl" : "+S"(from), "+c"(count) : "d"(port) : "memory");
        break;
    }
}

static void stride(const RobotOp *op)
{
    u64 i;

    for (i = 0; i < op->count; i++) {
        write_memory(op->addr + i * op->value2, op->size, op->value);
    }
}

static int go_on(volatile RobotMailbox *mailbox, const RobotOp *op, u64 round)
{
    mailbox->progress = round;
    return !mailbox->stop && (op->count == ROBOT_RUN_ALWAYS || round < op->count);
}

static void hammer(volatile RobotMailbox *mailbox, RobotOp *op)
{
    u64 round, value;

    op->result = 0;
    for (round = 0; go_on(mailbox, op, round); round++) {
        value = read_memory(op->addr, op->size);
        if (value != op->value && value != op->value2) {
            mailbox->bad = value;
            op->result++;
        }
    }
}

static void count_up(volatile RobotMailbox *mailbox, RobotOp *op)
{
    u64 round, value;

    op->result = 0;
    for (round = 0; go_on(mailbox, op, round); round++) {
        op->value = round + 1;
        write_memory(op->addr, op->size, op->value);
        value = read_memory(op->addr, op->size);
        if (value != op->value) {
            mailbox->bad = value;
            op->result++;
        }
    }
}

static void wait_irq(volatile RobotMailbox *mailbox, const RobotOp *op)
{
    /* No interrupt comes between STI and the instruction after it, so none is
     * missed between the look and HLT. */
    while (mailbox->irqs[op->value] < op->count) {
        asm volatile("sti; hlt; cli" ::: "memory");
    }
}

static void cpuid(RobotOp *op)
{
    u32 a = op->addr, b, c = op->value, d;

    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    op->value = (u64)b << 32 | a;
    op->result = (u64)d << 32 | c;
}

static void triple_fault(void)
{
    idt_pointer.limit = 0;
    asm volatile("lidt %0; ud2" :: "m"(idt_pointer));
}

static void cannot_emulate(const RobotOp *op)
{
    u64 low = 0, high = 0;

    asm volatile("lock cmpxchg16b (%%rsi)" : "+a"(low), "+d"(high)
                 : "S"(op->addr), "b"(0ull), "c"(0ull) : "memory", "cc");
}

static void carry_out(volatile RobotMailbox *mailbox, RobotOp *op)
{
    switch (op->code) {
    case ROBOT_READ:
        op->result = read_memory(op->addr, op->size);
        break;
    case ROBOT_WRITE:
        write_memory(op->addr, op->size, op->value);
        break;
    case ROBOT_READ_REP:
        read_rep(op);
        break;
    case ROBOT_WRITE_REP:
        write_rep(op);
        break;
    case ROBOT_ADD:
        add_memory(op->addr, op->size, op->value);
        break;
    case ROBOT_IN:
        op->result = read_port(op->addr, op->size);
        break;
    case ROBOT_OUT:
        write_port(op->addr, op->size, op->value);
        break;
    case ROBOT_IN_REP:
        in_rep(op);
        break;
    case ROBOT_OUT_REP:
        out_rep(op);
        break;
    case ROBOT_STRIDE:
        stride(op);
        break;
    case ROBOT_HAMMER:
        hammer(mailbox, op);
        break;
    case ROBOT_COUNT_UP:
        count_up(mailbox, op);
        break;
    case ROBOT_STI:
        asm volatile("sti");
        break;
    case ROBOT_CLI:
        asm volatile("cli");
        break;
    case ROBOT_WAIT_IRQ:
        wait_irq(mailbox, op);
        break;
    case ROBOT_CPUID:
        cpuid(op);
        break;
    case ROBOT_HALT:
        for (;;) {
            asm volatile("cli; hlt");
        }
    case ROBOT_CALL:
        op->result = ((u64 (*)(void))op->addr)();
        break;
    case ROBOT_TRIPLE_FAULT:
        triple_fault();
        break;
    case ROBOT_CANNOT_EMULATE:
        cannot_emulate(op);
        break;
    }
}

/* From the gates: an interrupt is counted, an exception is the end. */
void robot_trap(u64 vector, u64 rip)
{
    u64 stack = (u64)&vector;
    volatile RobotMailbox *mailbox = mailbox_of((stack - ROBOT_STACKS) / 4096);

    if (vector < ROBOT_VECTOR_IRQ) {
        mailbox->fault_rip = rip;
        mailbox->fault = 0x100 + vector;
        for (;;) {
            asm volatile("cli; hlt");
        }
    }
    mailbox->irqs[vector]++;
    if (vector >= ROBOT_VECTOR_APIC) {
        write_memory(APIC_EOI, 4, 0);
        return;
    }
    if (vector >= ROBOT_VECTOR_IRQ + 8) {
        write_port(PIC1_COMMAND, 1, PIC_EOI);
    }
    write_port(PIC0_COMMAND, 1, PIC_EOI);
}

__attribute__((noreturn)) void robot_main(unsigned cpu)
{
    volatile RobotMailbox *mailbox = mailbox_of(cpu);

    mailbox->alive++;
    for (;;) {
        while (mailbox->posted == mailbox->done) {
            asm volatile("pause");
        }
        carry_out(mailbox, (RobotOp *)&mailbox->ops[mailbox->done % ROBOT_OPS]);
        mailbox->done++;
    }
}
