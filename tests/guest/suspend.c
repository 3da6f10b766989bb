/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A multiboot image that goes to sleep by ACPI (specification 6.4, 16.1: sleeping and
 * waking), keeping its RAM, and tells on the first serial port what it finds when it is
 * woken up: first by its clock, then by whoever tests it. Without a waking vector it
 * then starts from the beginning; the second time it switches itself off.
 *
 * 32-bit protected mode, no interrupts; it wakes up in real mode.
 */
#include <stdbool.h>
#include <stdint.h>

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define LINE_EMPTY 0x20
#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define PM_FUNCTION 0x80000b00

/* The clock's registers, and an alarm in every second */
#define RTC_B 0x0b
#define RTC_C 0x0c
#define RTC_B_ALARM 0x22 /* with the hours up to 24 */
#define ALARM_ALWAYS 0xc0
#define SHUTDOWN 0x0f

#define VECTOR 0x8000 /* of the code that wakes up */
#define PATTERN ((volatile u32 *)0x400000) /* RAM that must stay */
#define PATTERN_WORDS 0x10000
#define SEEN ((volatile u32 *)0x800000) /* nothing is loaded there: how many times */
#define SEEN_MAGIC 0x5ee45e00

#define WAKE 0x8000
#define RTC 0x0400
#define BUTTON 0x0100
#define SLP_EN 0x2000

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;

static u32 tables[3]; /* FADT, FACS, and how many sleeps there were: in RAM */
#define fadt tables[0]
#define facs tables[1]
#define sleeps tables[2]

__asm__(".section .start, \"ax\"\n"
        "header:\n"
        "    .long 0x1badb002, 0x00010003, -(0x1badb002 + 0x00010003)\n"
        "    .long header, header, 0, end, start\n"
        "start:\n"
        "    cli\n"
        "    cld\n"
        "    mov $stack_end, %esp\n"
        "    call run\n"
        /* In real mode at VECTOR, where this is copied to. */
        ".global waking, waking_end\n"
        "    .code16\n"
        "waking:\n"
        "    cli\n"
        "    cld\n"
        "    mov %cs, %ax\n"
        "    mov %ax, %ds\n"
        "    lgdtl gdt_pointer - waking\n"
        "    mov %cr0, %eax\n"
        "    or $1, %al\n"
        "    mov %eax, %cr0\n"
        "    ljmpl $8, $awake32\n"
        "    .balign 8\n"
        "gdt:\n"
        "    .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n"
        "gdt_pointer:\n"
        "    .word 23\n"
        "    .long gdt - waking + 0x8000\n"
        "waking_end:\n"
        "    .code32\n"
        "awake32:\n"
        "    mov $16, %ax\n"
        "    mov %ax, %ds\n"
        "    mov %ax, %es\n"
        "    mov %ax, %ss\n"
        "    mov $stack_end, %esp\n"
        "    call awake\n"
        ".bss\n"
        "    .balign 16\n"
        "    .skip 8192\n"
        "stack_end:\n"
        ".text\n");

extern u8 waking[], waking_end[];

/* ---- ports --------------------------------------------------------------------- */

static void outb(unsigned port, u8 value)
{
    __asm__ volatile("outb %0, %w1" : : "a"(value), "Nd"(port));
}

static void outw(unsigned port, u16 value)
{
    __asm__ volatile("outw %0, %w1" : : "a"(value), "Nd"(port));
}

static void outl(unsigned port, u32 value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

static u8 inb(unsigned port)
{
    u8 value;

    __asm__ volatile("inb %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static u16 inw(unsigned port)
{
    u16 value;

    __asm__ volatile("inw %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static u32 inl(unsigned port)
{
    u32 value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(inb(LINE_STATUS) & LINE_EMPTY)) {
        }
        outb(COM1, *text);
    }
}

/* "@what 0123abcd". */
static void tell(const char *what, u32 value)
{
    char text[] = " 00000000\n";

    for (unsigned i = 8; i; i--, value >>= 4) {
        text[i] = "0123456789abcdef"[value & 0xf];
    }
    print(what);
    print(text);
}

static u8 cmos(u8 reg)
{
    outb(CMOS_INDEX, reg);
    return inb(CMOS_DATA);
}

static void set_cmos(u8 reg, u8 value)
{
    outb(CMOS_INDEX, reg);
    outb(CMOS_DATA, value);
}

/* ---- ACPI ---------------------------------------------------------------------- */

static u32 word(u32 address)
{
    return *(volatile u32 *)address;
}

static u16 events(void)
{
    return word(fadt + 56);
}

static u16 control(void)
{
    return word(fadt + 64);
}

static void find_tables(void)
{
    u32 rsdp = 0xe0000;

    while (word(rsdp) != 0x20445352 || word(rsdp + 4) != 0x20525450) { /* "RSD PTR " */
        rsdp += 16;
    }
    for (u32 entry = word(rsdp + 16) + 36; !fadt; entry += 4) {
        if (word(word(entry)) == 0x50434146) { /* "FACP" */
            fadt = word(entry);
        }
    }
    facs = word(fadt + 36);
}

static void __attribute__((noreturn)) sleep_now(u16 type)
{
    outw(control(), type << 10 | SLP_EN);
    for (;;) {
        __asm__ volatile("hlt");
    }
}

/* ---- the story ------------------------------------------------------------------- */

static u32 expected(u32 i)
{
    return i * 0x9e3779b9 + 1;
}

static void __attribute__((noreturn)) go_to_sleep(bool alarm, bool vector)
{
    *(volatile u32 *)(facs + 12) = vector ? VECTOR : 0;
    outw(events(), 0xffff);
    outw(events() + 2, alarm ? RTC : 0);
    for (u8 reg = 1; reg <= 5; reg += 2) {
        set_cmos(reg, ALARM_ALWAYS);
    }
    cmos(RTC_C);
    set_cmos(RTC_B, alarm ? RTC_B_ALARM : 0x02);
    sleeps++;
    print(alarm ? "sleeps until its alarm\n" : vector ? "sleeps\n" : "sleeps for good\n");
    sleep_now(1);
}

void awake(void)
{
    u32 wrong = 0;

    tell("awake", sleeps);
    tell("status", inw(events()) & ~1); /* but for the timer, which is there at any time */
    tell("enable", inw(events() + 2));
    tell("control", inw(control()) & 1);
    outl(CONFIG_ADDRESS, PM_FUNCTION | 0x40);
    tell("base", inl(CONFIG_DATA));
    for (u32 i = 0; i < PATTERN_WORDS; i++) {
        wrong += PATTERN[i] != expected(i);
    }
    tell("wrong", wrong);
    go_to_sleep(false, sleeps == 1);
}

void run(void)
{
    u8 *to = (u8 *)VECTOR;

    *SEEN = (*SEEN & ~0xffu) == SEEN_MAGIC ? *SEEN + 1 : SEEN_MAGIC;
    tell("starts", *SEEN & 0xff);
    tell("sleeps", sleeps);
    tell("shutdown", cmos(SHUTDOWN));
    find_tables();
    if (*SEEN & 0xff) {
        print("off\n");
        sleep_now(0);
    }
    for (u8 *from = waking; from < waking_end; from++) {
        *to++ = *from;
    }
    for (u32 i = 0; i < PATTERN_WORDS; i++) {
        PATTERN[i] = expected(i);
    }
    go_to_sleep(true, true);
}
