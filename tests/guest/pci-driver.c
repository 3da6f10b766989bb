/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A multiboot image that does with PCI what firmware and drivers do: numbers buses,
 * places BARs and opens windows, and then drives edu (MSI, INTA, DMA), pci-testdev and
 * pc-testdev, where they are. It prints on the first serial port what came of it, and
 * writes to the port of isa-debug-exit: 0, or 1 where something went wrong.
 *
 * 32-bit protected mode; PICs at vectors 0x20 and 0x28, MSI at 0x51.
 */
#include <stdbool.h>
#include <stdint.h>

#define COM1 0x3f8
#define EXIT_PORT 0x501
#define PIC0 0x20
#define PIC1 0xa0
#define ELCR1 0x4d1

#define LAPIC 0xfee00000u
#define LAPIC_EOI 0xb0
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_LINT0 0x350

#define VECTOR_PIC 0x20
#define VECTOR_MSI 0x51
#define PIN_IRQ 11 /* where all PIRQs lead */
#define TEST_IRQ 14 /* what pc-testdev raises */

#define MEMORY_BASE 0xf0000000u
#define PORTS_BASE 0xc000u
#define PIECE 0x200000u /* of RAM, for DMA */

/* ---- the start ----------------------------------------------------------------- */

__asm__(".section .start, \"ax\"\n"
        "header:\n"
        "    .long 0x1badb002, 0x00010003, -(0x1badb002 + 0x00010003)\n"
        "    .long header, header, 0, end, start\n"
        "start:\n"
        "    cld\n"
        "    mov $stack_end, %esp\n"
        "    lgdt gdt_pointer\n"
        "    ljmp $8, $1f\n"
        "1:  mov $16, %eax\n"
        "    mov %eax, %ds\n"
        "    mov %eax, %es\n"
        "    mov %eax, %ss\n"
        "    call run\n"
        ".text\n"
        "    .balign 8\n"
        "gdt:\n"
        "    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff\n"
        "gdt_pointer:\n"
        "    .word . - gdt - 1\n"
        "    .long gdt\n"
        ".bss\n"
        "    .balign 16\n"
        "    .skip 8192\n"
        "stack_end:\n"
        ".text\n");

static struct {
    uint16_t low, selector, flags, high;
} __attribute__((packed)) idt[256];

/* ---- ports and memory ---------------------------------------------------------- */

static void outb(unsigned port, uint8_t value)
{
    __asm__ volatile("outb %0, %w1" : : "a"(value), "Nd"(port));
}

static void outl(unsigned port, uint32_t value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "Nd"(port));
}

static uint8_t inb(unsigned port)
{
    uint8_t value;

    __asm__ volatile("inb %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint32_t inl(unsigned port)
{
    uint32_t value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint32_t get(uint32_t addr)
{
    return *(volatile uint32_t *)addr;
}

static void set(uint32_t addr, uint32_t value)
{
    *(volatile uint32_t *)addr = value;
}

/* ---- what it says -------------------------------------------------------------- */

static bool failed;

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(inb(COM1 + 5) & 0x20)) {
        }
        outb(COM1, *text);
    }
}

static void print_hex(uint32_t value)
{
    char text[9] = { 0 };
    unsigned at = 8;

    do {
        text[--at] = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    } while (value);
    print(text + at);
}

static void check(const char *what, uint32_t value, uint32_t wanted)
{
    print(what);
    print(value == wanted ? ": " : ": WRONG: ");
    print_hex(value);
    print("\n");
    failed |= value != wanted;
}

/* ---- interrupts ---------------------------------------------------------------- */

static volatile unsigned messages, pins, test_irqs, others;
static uint32_t edu; /* its registers; 0: there is none */

#define EDU_ID 0x00
#define EDU_INVERT 0x04
#define EDU_FACTORIAL 0x08
#define EDU_STATUS 0x20
#define EDU_IRQ_STATUS 0x24
#define EDU_RAISE 0x60
#define EDU_ACK 0x64
#define EDU_SOURCE 0x80
#define EDU_DESTINATION 0x88
#define EDU_COUNT 0x90
#define EDU_COMMAND 0x98
#define EDU_BUFFER 0x40000

/*
 * entry_NAME calls on_NAME and goes back. Without IRET, which KVM's emulator does not
 * know in protected mode: where a host runs all code through it, interrupts must work,
 * too. On the stack are EIP, CS, EFLAGS.
 */
#define ENTRY(name)                                                                  \
    void entry_##name(void);                                                         \
    __attribute__((used)) static void on_##name(void);                               \
    __asm__("entry_" #name ":\n"                                                     \
            "    pusha\n"                                                            \
            "    call on_" #name "\n"                                                \
            "    mov 32(%esp), %eax\n"                                               \
            "    mov 40(%esp), %ecx\n"                                               \
            "    mov %ecx, 36(%esp)\n"                                               \
            "    mov %eax, 40(%esp)\n"                                               \
            "    popa\n"                                                             \
            "    add $4, %esp\n"                                                     \
            "    popf\n"                                                             \
            "    ret\n");

static void edu_ack(void)
{
    set(edu + EDU_ACK, get(edu + EDU_IRQ_STATUS));
}

ENTRY(message)
static void on_message(void)
{
    messages++;
    edu_ack();
    set(LAPIC + LAPIC_EOI, 0);
}

static void pic_eoi(void)
{
    outb(PIC1, 0x20);
    outb(PIC0, 0x20);
}

ENTRY(pin)
static void on_pin(void)
{
    pins++;
    edu_ack();
    pic_eoi();
}

ENTRY(test_irq)
static void on_test_irq(void)
{
    test_irqs++;
    pic_eoi();
}

ENTRY(other)
static void on_other(void)
{
    others++;
}

static void set_vector(unsigned n, void (*entry)(void))
{
    uint32_t addr = (uint32_t)entry;

    idt[n].low = addr;
    idt[n].selector = 8;
    idt[n].flags = 0x8e00;
    idt[n].high = addr >> 16;
}

static void set_up_interrupts(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint32_t)idt };
    static const uint8_t words[] = { 0x11, VECTOR_PIC, 0x04, 0x01 };
    unsigned i;

    for (i = VECTOR_PIC; i < 256; i++) {
        set_vector(i, entry_other);
    }
    set_vector(VECTOR_MSI, entry_message);
    set_vector(VECTOR_PIC + PIN_IRQ, entry_pin);
    set_vector(VECTOR_PIC + TEST_IRQ, entry_test_irq);
    __asm__ volatile("lidt %0" : : "m"(pointer));
    for (i = 0; i < 4; i++) {
        outb(PIC0 + (i > 0), words[i]);
        outb(PIC1 + (i > 0), i == 1 ? VECTOR_PIC + 8 : i == 2 ? 2 : words[i]);
    }
    outb(PIC0 + 1, 0xfb);
    outb(PIC1 + 1, 0xff & ~(1 << (PIN_IRQ - 8)) & ~(1 << (TEST_IRQ - 8)));
    outb(ELCR1, 1 << (PIN_IRQ - 8));
    set(LAPIC + LAPIC_SPURIOUS, 0x1ff);
    set(LAPIC + LAPIC_LINT0, 0x700);
}

/* Sleep until @count is not what it was. */
static void wait_for(volatile unsigned *count, unsigned before)
{
    __asm__ volatile("cli");
    while (*count == before) {
        __asm__ volatile("sti; hlt; cli");
    }
}

/* ---- configuration ------------------------------------------------------------- */

typedef struct Function {
    unsigned bus, slot;
} Function;

static void point_at(Function f, unsigned reg)
{
    outl(0xcf8, 0x80000000 | f.bus << 16 | f.slot << 11 | reg);
}

static uint32_t config(Function f, unsigned reg)
{
    point_at(f, reg);
    return inl(0xcfc);
}

static void set_config(Function f, unsigned reg, uint32_t value)
{
    point_at(f, reg);
    outl(0xcfc, value);
}

static uint32_t next_memory = MEMORY_BASE, next_port = PORTS_BASE;
static unsigned last_bus;
static Function edu_at;
static uint32_t testdev_memory, testdev_port;

static void say_found(const char *what, Function f)
{
    print(what);
    print(" at ");
    print_hex(f.bus);
    print(":");
    print_hex(f.slot);
    print("\n");
}

static uint32_t take(uint32_t *next, uint32_t size)
{
    uint32_t at = (*next + size - 1) & -size;

    *next = at + size;
    return at;
}

static void scan(unsigned bus);

static void set_up_bridge(Function f)
{
    uint32_t base = take(&next_memory, 0x100000), port = take(&next_port, 0x1000);

    say_found("bridge", f);
    next_memory = base;
    next_port = port;
    last_bus++;
    set_config(f, 0x18, 0xff << 16 | last_bus << 8 | f.bus);
    scan(last_bus);
    set_config(f, 0x18, last_bus << 16 | (config(f, 0x18) & 0xffff));
    take(&next_memory, 0x100000);
    take(&next_port, 0x1000);
    next_memory -= 0x100000;
    next_port -= 0x1000;
    set_config(f, 0x20, ((next_memory - 1) & 0xfff00000) | base >> 16);
    set_config(f, 0x1c, ((next_port - 1) & 0xf000) | port >> 8);
    set_config(f, 0x04, 7);
}

static void scan(unsigned bus)
{
    Function f = { bus, 0 };

    for (f.slot = 0; f.slot < 32; f.slot++) {
        switch (config(f, 0)) {
        case 0x00011b36:
            set_up_bridge(f);
            break;
        case 0x11e81234:
            say_found("edu", f);
            edu_at = f;
            edu = take(&next_memory, 0x100000);
            set_config(f, 0x10, edu);
            set_config(f, 0x04, 6);
            break;
        case 0x00051b36:
            say_found("pci-testdev", f);
            testdev_memory = take(&next_memory, 0x1000);
            testdev_port = take(&next_port, 0x100);
            set_config(f, 0x10, testdev_memory);
            set_config(f, 0x14, testdev_port);
            set_config(f, 0x04, 3);
            break;
        }
    }
}

/* ---- drivers ------------------------------------------------------------------- */

static void copy(uint32_t source, uint32_t destination, unsigned count, unsigned command)
{
    set(edu + EDU_SOURCE, source);
    set(edu + EDU_DESTINATION, destination);
    set(edu + EDU_COUNT, count);
    set(edu + EDU_COMMAND, command);
}

static void drive_edu(void)
{
    unsigned before;

    check("id", get(edu + EDU_ID), 0x010000ed);
    set(edu + EDU_INVERT, 0x12345678);
    check("inverted", get(edu + EDU_INVERT), 0xedcba987);

    /* Its pin */
    before = pins;
    set(edu + EDU_RAISE, 1);
    wait_for(&pins, before);
    check("pin", pins - before, 1);

    /* MSI, of its factorial */
    set_config(edu_at, 0x44, LAPIC);
    set_config(edu_at, 0x48, 0);
    set_config(edu_at, 0x4c, VECTOR_MSI);
    set_config(edu_at, 0x40, 1 << 16);
    before = messages;
    set(edu + EDU_STATUS, 0x80);
    set(edu + EDU_FACTORIAL, 10);
    wait_for(&messages, before);
    check("10!", get(edu + EDU_FACTORIAL), 3628800);
    check("messages", messages - before, 1);

    /* DMA, there and back, then MSI */
    for (unsigned i = 0; i < 4096; i += 4) {
        set(PIECE + i, i * 0x01010101);
        set(PIECE + 4096 + i, 0);
    }
    before = messages;
    copy(PIECE, EDU_BUFFER, 4096, 1 | 4);
    wait_for(&messages, before);
    copy(EDU_BUFFER, PIECE + 4096, 4096, 1 | 2 | 4);
    wait_for(&messages, before + 1);
    check("messages", messages - before, 2);
    before = 0;
    for (unsigned i = 0; i < 4096; i += 4) {
        before += get(PIECE + 4096 + i) != i * 0x01010101;
    }
    check("bytes that differ", before, 0);
    check("pins", pins, 1);
}

static uint32_t testdev_get(bool ports, unsigned offset)
{
    return ports ? inl(testdev_port + offset) : get(testdev_memory + offset);
}

static void testdev_set(bool ports, unsigned offset, uint8_t value)
{
    if (ports) {
        outb(testdev_port + offset, value);
    } else {
        *(volatile uint8_t *)(testdev_memory + offset) = value;
    }
}

static void drive_testdev(void)
{
    for (unsigned test = 0; test < 6; test++) {
        bool ports = test >= 3;
        char name[32] = { 0 };

        testdev_set(ports, 0, test % 3);
        for (unsigned i = 0; i < 28; i += 4) {
            *(uint32_t *)(name + i) = testdev_get(ports, 16 + i);
        }
        for (unsigned i = 0; i < 16; i++) {
            testdev_set(ports, testdev_get(ports, 4), testdev_get(ports, 8));
        }
        check(name, testdev_get(ports, 12), test % 3 ? 0 : 16);
    }
}

static void drive_pc_testdev(void)
{
    unsigned before = test_irqs;

    outl(0xe0, 0x11223344);
    outb(0xe9, 0x99);
    check("word", inl(0xe0), 0x11229944);
    outb(0x2000 + TEST_IRQ, 1);
    wait_for(&test_irqs, before);
    outb(0x2000 + TEST_IRQ, 0);
    check("interrupts of pc-testdev", test_irqs - before, 1);
    set(PIECE, 0x55);
    outl(0xe4, PIECE);
    check("page after it was flushed", get(PIECE), 0x55);
    set(PIECE, 0x66);
    outl(0xe4, PIECE);
    set(PIECE + 4, 0x77);
    check("and again", get(PIECE) << 8 | get(PIECE + 4), 0x6677);
    set(0xff00fffc, 0x12345678);
    check("memory behind callbacks", get(0xff00fffc), 0x12345678);
}

__attribute__((used)) void run(void)
{
    Function piix3 = { 0, 1 };

    set_up_interrupts();
    scan(0);
    set_config(piix3, 0x60, PIN_IRQ * 0x01010101);
    if (edu) {
        drive_edu();
    }
    if (testdev_memory) {
        drive_testdev();
    }
    outl(0xe0, 0x5aa5);
    if (inl(0xe0) == 0x5aa5) {
        drive_pc_testdev();
    }
    check("interrupts nobody wanted", others, 0);
    outb(EXIT_PORT, failed);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
