/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UART of microvm through qtest: registers at every width, FIFOs, interrupts
 * on the virtual clock, loopback, and characters through -chardev socket.
 */
#include "tests/qtest/qvm.h"

#include <string.h>
#include <sys/socket.h>

#define COM1 0x3f8
#define DATA (COM1 + 0)
#define IER (COM1 + 1)
#define IIR (COM1 + 2)
#define FCR (COM1 + 2)
#define LCR (COM1 + 3)
#define MCR (COM1 + 4)
#define LSR (COM1 + 5)
#define MSR (COM1 + 6)
#define SCR (COM1 + 7)
#define COM1_IRQ 4

#define in(reg) qvm_in(vm, reg, 1)
#define out(reg, value) qvm_out(vm, reg, value, 1)
#define irq() qvm_irq(vm, COM1_IRQ)

static QVM *vm;

static void start(void)
{
    vm = qvm_start_serial("-m 16");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
}

static void line_send(const char *text)
{
    expect(send(vm->serial_fd, text, strlen(text), 0) == (ssize_t)strlen(text),
           "send");
}

/* This comes out of the line, when the program gets to it, and nothing else. */
static void line_expect(const char *wanted)
{
    GString *got = g_string_new(NULL);
    char buf[4096];
    ssize_t n;

    for (unsigned i = 0; i < 1000 * QVM_WAIT_S; i++) {
        n = recv(vm->serial_fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n > 0) {
            g_string_append_len(got, buf, n);
        } else if (got->len >= strlen(wanted)) {
            break;
        } else {
            g_usleep(1000);
        }
    }
    ck_assert_str_eq(got->str, wanted);
    g_string_free(got, TRUE);
}

/* ---- registers --------------------------------------------------------------------- */

static const uint8_t reset_values[8] = { 0, 0, 0x01, 0, 0, 0x60, 0xb0, 0 };

/* What @size bytes at @port read when each register shows @values. */
static uint32_t composed(const uint8_t *values, unsigned port, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        unsigned reg = port + i - COM1;

        value |= (uint32_t)(reg < 8 ? values[reg] : 0xff) << 8 * i;
    }
    return value;
}

static void expect_reset_values(void)
{
    for (unsigned size = 1; size <= 4; size *= 2) {
        for (unsigned port = COM1 - 4; port < COM1 + 10; port++) {
            uint32_t value = qvm_in(vm, port, size);

            expect(value == composed(reset_values, port, size),
                   "0x%x at port 0x%x, width %u", value, port, size);
        }
    }
    out(LCR, 0x80);
    expect_hex(in(DATA), 12);
    expect_hex(in(IER), 0);
    expect_hex(qvm_in(vm, DATA, 2), 12);
    out(LCR, 0);
    expect(!irq(), "an interrupt");
}

START_TEST(after_reset)
{
    start();
    expect_reset_values();
    /* Change all there is, and reset. */
    out(LCR, 0x80);
    out(DATA, 0x55);
    out(IER, 0x66);
    out(LCR, 0x03);
    out(IER, 0x0f);
    out(FCR, 0xc1);
    out(MCR, 0x1f);
    out(SCR, 0x77);
    out(DATA, 'x');
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    qvm_wait_until(in(SCR) == 0);
    expect_reset_values();
    qvm_end(vm);
}
END_TEST

START_TEST(every_register_at_every_width)
{
    uint8_t values[8];

    start();
    for (unsigned round = 0; round < 32; round++) {
        uint8_t v = content_byte(1, round);

        out(FCR, 0);
        qvm_out(vm, LCR, (v & 0x0f) << 8 | (v & 0x7f), 2);
        out(SCR, v);
        memcpy(values, reset_values, 8);
        values[3] = v & 0x7f;
        values[4] = v & 0x0f;
        values[7] = v;
        for (unsigned size = 1; size <= 4; size *= 2) {
            for (unsigned port = COM1 - 3; port < COM1 + 8; port++) {
                uint32_t value = qvm_in(vm, port, size);

                expect(value == composed(values, port, size),
                       "0x%x at port 0x%x, width %u", value, port, size);
            }
        }
    }
    /* IER and FCR, LCR and MCR in one write, off their natural places. */
    qvm_out(vm, IER, 0x0302c104, 4);
    expect_hex(in(IER), 0x04);
    expect_hex(in(IIR), 0xc1);
    expect_hex(in(LCR), 0x02);
    expect_hex(in(MCR), 0x03);
    qvm_out(vm, MSR, 0x5aff, 2); /* MSR is not written, SCR is */
    expect_hex(in(MSR), 0xb0);
    expect_hex(in(SCR), 0x5a);
    qvm_out(vm, MSR, 0x12345aff, 4); /* the rest meets nobody */
    expect_hex(in(SCR), 0x5a);
    qvm_out(vm, LSR, 0, 1);
    expect_hex(in(LSR), 0x60);
    /* Below the first port: only what is in the UART arrives. */
    qvm_out(vm, COM1 - 1, 0x00070000, 4);
    expect_hex(in(IER), 0x07);
    qvm_end(vm);
}
END_TEST

START_TEST(divisor)
{
    start();
    out(IER, 0x05);
    for (unsigned i = 0; i < 16; i++) {
        out(LCR, 0x83);
        qvm_out(vm, DATA, 0x1234 + 0x1111 * i, 2);
        expect_hex(qvm_in(vm, DATA, 2), (0x1234 + 0x1111 * i) & 0xffff);
        expect_hex(in(IER), (0x1234 + 0x1111 * i) >> 8 & 0xff);
        out(LCR, 0x03);
        expect_hex(in(IER), 0x05);
        expect_hex(in(DATA), 0);
    }
    qvm_clock_step(vm, 1000000);
    out(DATA, '.');
    line_expect("."); /* and nothing before */
    qvm_end(vm);
}
END_TEST

/* ---- sending ------------------------------------------------------------------------ */

START_TEST(characters_out)
{
    start();
    out(DATA, 'a'); /* the FIFO is off: at once */
    line_expect("a");
    expect_hex(in(LSR), 0x60);
    out(FCR, 0x01);
    for (const char *p = "0123456789abcdefghijk"; *p; p++) {
        out(DATA, *p);
    }
    line_expect("0123456789abcdefghijk");
    /* Many in one piece: the FIFO goes out when it is full. */
    for (unsigned i = 0; i < 20; i++) {
        qvm_send(vm, "outb 0x3f8 0x78\n", 16);
    }
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_str_eq(qvm_reply(vm), "OK");
    }
    line_expect("xxxxxxxxxxxxxxxxxxxx");
    expect_hex(in(LSR), 0x60);
    qvm_end(vm);
}
END_TEST

START_TEST(interrupt_of_thre)
{
    unsigned raises;

    start();
    out(IER, 0x02);
    expect(irq(), "no interrupt when enabled");
    expect_hex(in(IIR), 0x02);
    expect(!irq(), "it stays");
    expect_hex(in(IIR), 0x01);
    out(FCR, 0x01);
    raises = vm->raises[COM1_IRQ];
    out(DATA, 'a');
    qvm_wait_until(irq());
    line_expect("a");
    out(DATA, 'b'); /* writing ends it, and sending raises it again */
    qvm_wait_until(irq() && vm->raises[COM1_IRQ] == raises + 2);
    expect_hex(in(IIR), 0xc2);
    expect_hex(in(IIR), 0xc1);
    expect(!irq(), "it stays");
    out(IER, 0);
    out(IER, 0x02);
    expect(irq(), "no interrupt when enabled again");
    out(IER, 0);
    expect(!irq(), "though disabled");
    line_expect("b");
    qvm_end(vm);
}
END_TEST

/* The other end takes nothing: the UART is not empty, and says so when it is. */
START_TEST(line_full)
{
    unsigned sent = 0, got = 0;
    char buf[4096];

    start();
    out(FCR, 0x01);
    out(IER, 0x02);
    while (in(LSR) & 0x20) {
        expect(sent < 10000000, "it takes all");
        for (unsigned i = 0; i < 16; i++, sent++) {
            out(DATA, 'a' + sent % 26);
        }
    }
    qvm_clock_step(vm, 1000000000);
    expect(!irq(), "it is empty");
    expect_hex(in(LSR), 0);
    while (got < sent) {
        ssize_t n = recv(vm->serial_fd, buf, sizeof(buf), 0);

        expect(n > 0, "recv");
        for (ssize_t i = 0; i < n; i++, got++) {
            expect(buf[i] == (char)('a' + got % 26), "character %u", got);
        }
    }
    qvm_wait_until(irq());
    expect_hex(in(LSR), 0x60);
    expect_hex(in(IIR), 0xc2);
    qvm_end(vm);
}
END_TEST

/* ---- receiving ------------------------------------------------------------------------ */

START_TEST(characters_in)
{
    start();
    line_send("abc");
    for (const char *p = "abc"; *p; p++) { /* one at a time without the FIFO */
        qvm_wait_until(in(LSR) & 0x01);
        expect_hex(in(DATA), (uint8_t)*p);
    }
    expect_hex(in(LSR), 0x60);
    expect_hex(in(DATA), 0);
    out(FCR, 0x01);
    line_send("0123456789");
    for (const char *p = "0123456789"; *p; p++) {
        qvm_wait_until(in(LSR) & 0x01);
        expect_hex(in(DATA), (uint8_t)*p);
    }
    /* Clearing the FIFO drops what is there, and takes in more. */
    line_send("xyz");
    qvm_wait_until(in(LSR) & 0x01);
    out(FCR, 0x03);
    expect_hex(in(LSR), 0x60);
    expect(!irq(), "an interrupt");
    qvm_end(vm);
}
END_TEST

START_TEST(levels)
{
    static const unsigned triggers[] = { 1, 4, 8, 14 };

    start();
    out(IER, 0x01);
    for (unsigned i = 0; i < 4; i++) {
        unsigned n = triggers[i];

        out(FCR, 0x07 | i << 6);
        expect_hex(in(IIR), 0xc1);
        /* As many as it takes, and one more: none is lost. */
        line_send("abcdefghijklmnopqrst");
        qvm_wait_until(in(IIR) == 0xc4);
        expect(irq(), "no interrupt of data");
        /* The 20 characters: those beyond 16 come when half has been read. */
        for (unsigned k = 0; k < 20; k++) {
            qvm_wait_until(in(LSR) & 0x01);
            expect_hex(in(DATA), 'a' + k);
        }
        expect(!irq(), "it stays");
        /* Fewer than the level: the time-out has it. */
        if (n > 1) {
            line_send("uvw");
            qvm_wait_until(in(IIR) == 0xcc);
            expect(irq(), "no interrupt of the time-out");
            while (in(LSR) & 0x01) {
                in(DATA);
            }
            expect(!irq(), "it stays");
        }
    }
    qvm_end(vm);
}
END_TEST

START_TEST(time_out)
{
    start();
    out(FCR, 0xc1);
    out(IER, 0x01);
    line_send("abc");
    qvm_wait_until(irq());
    qvm_wait_until(in(IIR) == 0xcc);
    expect_hex(in(DATA), 'a');
    expect(!irq(), "a read does not end it");
    qvm_clock_step(vm, 900000);
    expect(!irq(), "early");
    qvm_clock_step(vm, 200000);
    expect(irq(), "it does not come again");
    expect_hex(in(IIR), 0xcc);
    expect_hex(in(DATA), 'b');
    expect_hex(in(DATA), 'c');
    qvm_clock_step(vm, 10000000);
    expect(!irq(), "of an empty FIFO");
    qvm_end(vm);
}
END_TEST

/* ---- loopback, line status, modem lines ---------------------------------------------------- */

START_TEST(loopback)
{
    start();
    out(MCR, 0x10);
    out(IER, 0x01);
    for (unsigned v = 0; v < 256; v++) {
        out(DATA, v);
        expect(irq(), "no interrupt");
        expect_hex(in(IIR), 0x04);
        expect_hex(in(LSR), 0x61);
        expect_hex(in(DATA), v);
        expect(!irq(), "it stays");
    }
    out(FCR, 0xc1);
    for (unsigned i = 0; i < 14; i++) {
        expect_hex(in(IIR) & 0x0f, i ? 0x0c : 0x01);
        out(DATA, i);
    }
    expect_hex(in(IIR), 0xc4);
    for (unsigned i = 0; i < 14; i++) {
        expect_hex(in(DATA), i);
    }
    /* What comes over the line waits until the loop is open. */
    line_send("q");
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect_hex(in(LSR), 0x60);
    out(MCR, 0);
    qvm_wait_until(in(LSR) & 0x01);
    expect_hex(in(DATA), 'q');
    out(DATA, '.');
    line_expect("."); /* and nothing of what was looped */
    qvm_end(vm);
}
END_TEST

START_TEST(line_status)
{
    start();
    out(MCR, 0x10);
    out(IER, 0x05);
    out(FCR, 0x41);
    for (unsigned i = 0; i < 17; i++) {
        out(DATA, i);
    }
    expect_hex(in(IIR), 0xc6); /* before those of received data */
    expect(irq(), "no interrupt");
    expect_hex(in(LSR), 0x63);
    expect_hex(in(LSR), 0x61); /* read once */
    expect_hex(in(IIR), 0xc4);
    for (unsigned i = 0; i < 16; i++) {
        expect_hex(in(DATA), i);
    }
    expect(!irq(), "it stays");
    out(FCR, 0); /* without the FIFO the last one stays */
    out(DATA, 1);
    out(DATA, 2);
    expect_hex(in(IIR), 0x06);
    expect_hex(in(LSR), 0x63);
    expect_hex(in(DATA), 2);
    qvm_end(vm);
}
END_TEST

START_TEST(modem_status)
{
    static const struct {
        uint8_t mcr, msr;
    } lines[] = {
        { 0x01, 0x20 }, { 0x02, 0x10 }, { 0x04, 0x40 }, { 0x08, 0x80 },
    };

    start();
    expect_hex(in(MSR), 0xb0);
    out(IER, 0x08);
    out(MCR, 0x10);
    expect(irq(), "no interrupt");
    expect_hex(in(IIR), 0x00);
    expect_hex(in(MSR), 0x0b); /* CTS, DSR and DCD went */
    expect(!irq(), "it stays");
    for (unsigned i = 0; i < 4; i++) {
        uint8_t msr = lines[i].msr;

        out(MCR, 0x10 | lines[i].mcr);
        expect(irq() == (msr != 0x40), "line 0x%02x goes up", msr);
        expect_hex(in(MSR), msr | (msr == 0x40 ? 0 : msr >> 4));
        expect_hex(in(MSR), msr);
        out(MCR, 0x10);
        expect(irq(), "line 0x%02x goes down", msr);
        expect_hex(in(IIR), 0x00);
        expect_hex(in(MSR), msr >> 4);
        expect(!irq(), "it stays");
    }
    out(MCR, 0);
    expect_hex(in(MSR), 0xbb);
    qvm_end(vm);
}
END_TEST

START_TEST(priorities)
{
    start();
    out(MCR, 0x10);
    in(MSR);
    out(FCR, 0);
    out(IER, 0x0f);
    expect_hex(in(IIR), 0x02);
    out(DATA, 1);
    out(DATA, 2); /* overrun, data, THRE */
    out(MCR, 0x11);
    expect_hex(in(IIR), 0x06);
    in(LSR);
    expect_hex(in(IIR), 0x04);
    in(DATA);
    expect_hex(in(IIR), 0x02);
    expect_hex(in(IIR), 0x00);
    in(MSR);
    expect_hex(in(IIR), 0x01);
    expect(!irq(), "it stays");
    qvm_end(vm);
}
END_TEST

/* The other ports have places and wires of their own. */
START_TEST(four_ports)
{
    static const struct {
        unsigned port, irq;
    } ports[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 5 }, { 0x2e8, 7 } };

    vm = qvm_start("-m 16 -serial null -serial null -serial null -serial null");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    for (unsigned i = 0; i < 4; i++) {
        qvm_out(vm, ports[i].port + 7, 0x10 + i, 1);
    }
    for (unsigned i = 0; i < 4; i++) {
        expect_hex(qvm_in(vm, ports[i].port + 7, 1), 0x10 + i);
        qvm_out(vm, ports[i].port + 1, 0x02, 1);
        for (unsigned k = 0; k < QVM_IRQS; k++) {
            expect(qvm_irq(vm, 0) == false && vm->irqs[k] == (k == ports[i].irq),
                   "input %u for port %u", k, i);
        }
        qvm_out(vm, ports[i].port + 1, 0, 1);
    }
    qvm_end(vm);
    vm = qvm_start("-m 16 -nodefaults");
    for (unsigned i = 0; i < 4; i++) {
        expect_hex(qvm_in(vm, ports[i].port + 7, 1), 0xff);
    }
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-serial", after_reset, every_register_at_every_width, divisor,
          characters_out, interrupt_of_thre, line_full, characters_in, levels,
          time_out, loopback, line_status, modem_status, priorities, four_ports)
