/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of qtest: every command, every error, and what no client should send.
 */
#include "tests/qtest/qvm.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/device-util.h"

#define MIB (1024 * 1024)

static QVM *vm;

static void start(void)
{
    vm = qvm_start("-nodefaults -m 16 -rtc clock=vm");
}

static void end(void)
{
    qvm_end(vm);
}

/* ---- commands ------------------------------------------------------------------------ */

START_TEST(values)
{
    start();
    qvm_expect(vm, "OK little", "endianness");
    qvm_expect(vm, "OK", "writeq 0x1000 0x1122334455667788");
    qvm_expect(vm, "OK 0x1122334455667788", "readq 0x1000");
    qvm_expect(vm, "OK 0x0000000055667788", "readl 0x1000");
    qvm_expect(vm, "OK 0x0000000000007788", "readw 0x1000");
    qvm_expect(vm, "OK 0x0000000000000088", "readb 0x1000");
    qvm_expect(vm, "OK 0x0000112233445566", "readq 0x1002");
    qvm_expect(vm, "OK", "writeb 0x1001 0x1ab"); /* what is too much is cut */
    qvm_expect(vm, "OK", "writew 0x1003 0x12345");
    qvm_expect(vm, "OK", "writel 0x1005 0x1fedcba98");
    qvm_expect(vm, "OK 0xdcba98234566ab88", "readq 0x1000");
    qvm_expect(vm, "OK 0x00000000000000fe", "readb 0x1008");
    /* Nobody answers. */
    qvm_expect(vm, "OK 0x00000000000000ff", "readb 0xc0000000");
    qvm_expect(vm, "OK 0x000000000000ffff", "readw 0xc0000000");
    qvm_expect(vm, "OK 0x00000000ffffffff", "readl 0xc0000000");
    qvm_expect(vm, "OK 0xffffffffffffffff", "readq 0xc0000000");
    qvm_expect(vm, "OK", "writeq 0xc0000000 1");
    qvm_expect(vm, "OK 0x00ff", "inb 0x1234");
    qvm_expect(vm, "OK 0xffff", "inw 0x1234");
    qvm_expect(vm, "OK 0xffffffff", "inl 0x1234");
    qvm_expect(vm, "OK", "outb 0x1234 1");
    qvm_expect(vm, "OK", "outw 0x1234 1");
    qvm_expect(vm, "OK", "outl 0xffff 1");
    /* Each width, at ports that answer: the index, and CMOS. */
    qvm_expect(vm, "OK", "outb 0x70 0x20");
    qvm_expect(vm, "OK", "outb 0x71 0x5a");
    qvm_expect(vm, "OK 0x005a", "inb 0x71");
    qvm_expect(vm, "OK 0x5aff", "inw 0x70");
    qvm_expect(vm, "OK 0xffff5aff", "inl 0x70");
    qvm_expect(vm, "OK", "outw 0x70 0xa521");
    qvm_expect(vm, "OK 0x00a5", "inb 0x71");
    end();
}
END_TEST

START_TEST(numbers)
{
    static const struct {
        const char *text;
        const char *shown;
    } good[] = {
        { "0", "0000000000000000" },
        { "10", "000000000000000a" },
        { "010", "0000000000000008" },
        { "0x10", "0000000000000010" },
        { "0XaBcDeF", "0000000000abcdef" },
        { "+7", "0000000000000007" },
        { "-1", "ffffffffffffffff" },
        { "-0x10", "fffffffffffffff0" },
        { "18446744073709551615", "ffffffffffffffff" },
        { "0xffffffffffffffff", "ffffffffffffffff" },
        { "0x0000000000000000000000001", "0000000000000001" },
        { "01777777777777777777777", "ffffffffffffffff" },
    };
    static const char *const bad[] = {
        "-", "+", "0x", "0xg", "08", "1a", "x", "1.5", "--1", "0x-1", "\t1",
        "18446744073709551616", "0x10000000000000000", "02000000000000000000000",
        "1\r", "",
    };

    start();
    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *wanted = g_strconcat("OK 0x", good[i].shown, NULL);

        qvm_expect(vm, "OK", "writeq 0x2000 %s", good[i].text);
        qvm_expect(vm, wanted, "readq 0x2000");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *wanted = NULL;
        g_autofree char *echo = g_strdup(bad[i]);

        g_strdelimit(echo, "\t\r", '?');
        wanted = g_strdup_printf("FAIL writeq: VALUE: '%s' is not a number of 64 "
                                 "bits", echo);
        /* The word that follows is not looked at, but lets this one be empty. */
        qvm_expect(vm, wanted, "writeq 0x2000 %s more", bad[i]);
    }
    qvm_expect(vm, "OK 0xffffffffffffffff", "readq 0x2000 ");
    qvm_expect(vm, "OK 0xffffffffffffffff", "readq 0x2000 what follows");
    end();
}
END_TEST

START_TEST(blocks)
{
    start();
    qvm_expect(vm, "OK", "write 0x1000 4 0x01020304");
    qvm_expect(vm, "OK 0x0102030400", "read 0x1000 5");
    qvm_expect(vm, "OK", "write 0x1000 8 0xAbcD"); /* the rest is zero */
    qvm_expect(vm, "OK 0xabcd000000000000", "read 0x1000 8");
    qvm_expect(vm, "OK", "write 0x1000 2 0x0a0b0c0d"); /* the rest is left out */
    qvm_expect(vm, "OK 0x0a0b000000000000", "read 0x1000 0x8");
    qvm_expect(vm, "OK", "write 0x1008 1 0x112233");
    qvm_expect(vm, "OK 0x1100", "read 0x1008 2");
    qvm_expect(vm, "OK", "b64write 0x1001 4 AAECAw==");
    qvm_expect(vm, "OK 0x0a00010203000000", "read 0x1000 8");
    qvm_expect(vm, "OK", "b64write 0x1000 2 //8=");
    qvm_expect(vm, "OK", "b64write 0x1003 1 //8=");
    qvm_expect(vm, "OK", "b64write 0x1007 9 ERI="); /* not more than there is */
    qvm_expect(vm, "OK 0xffff01ff030000111200", "read 0x1000 10");
    qvm_expect(vm, "OK //8B/wM=", "b64read 0x1000 5");
    qvm_expect(vm, "OK ", "b64read 0x1000 0");
    qvm_expect(vm, "OK", "memset 0x1001 3 0x1cd");
    qvm_expect(vm, "OK 0xffcdcdcd0300", "read 0x1000 6");
    qvm_expect(vm, "OK", "memset 0x1000 0 1");
    qvm_expect(vm, "OK 0xff", "read 0x1000 1");
    qvm_expect(vm, "OK", "memset 0x100000 0x300001 0x77");
    qvm_expect(vm, "OK 0x0077", "read 0xfffff 2");
    qvm_expect(vm, "OK 0x7700", "read 0x400000 2");
    /* Where nobody answers, and around the end. */
    qvm_expect(vm, "OK 0xffffffff", "read 0xfffffffffffffff0 4");
    qvm_expect(vm, "OK", "writel 0 0x04030201");
    qvm_expect(vm, "OK 0xffff0102", "read 0xfffffffffffffffe 4");
    qvm_expect(vm, "OK", "write 0xffffffffffffffff 3 0x112233");
    qvm_expect(vm, "OK 0x2233", "read 0 2");
    qvm_expect(vm, "OK", "memset 0xfffffffffffff000 0x1001 0x99");
    qvm_expect(vm, "OK 0x9933", "read 0 2");
    end();
}
END_TEST

START_TEST(large_blocks)
{
    g_autofree uint8_t *data = g_malloc(4 * MIB), *back = g_malloc(4 * MIB);
    g_autofree char *base64 = NULL;

    start();
    content_fill(data, 1, 0, 4 * MIB);
    qvm_write(vm, 0x200123, data, 4 * MIB);
    qvm_read(vm, 0x200123, back, 4 * MIB);
    expect(memcmp(data, back, 4 * MIB) == 0, "what is read is not what was written");
    content_fill(data, 2, 0, 4 * MIB);
    base64 = g_base64_encode(data, 4 * MIB);
    qvm_expect(vm, "OK", "b64write 0x200123 0x400000 %s", base64);
    ck_assert_str_eq(qvm_command(vm, "b64read 0x200123 0x400000") + 3, base64);
    qvm_expect(vm, "OK", "memset 0x1000 0x10000000 0x5a");
    qvm_expect(vm, "OK 0x5affff", "read 0xffffff 3");
    end();
}
END_TEST

START_TEST(clock_moves)
{
    start();
    qvm_expect(vm, "OK 0", "clock_set 0");
    qvm_expect(vm, "OK 100", "clock_step 100");
    qvm_expect(vm, "OK 100", "clock_step 0");
    qvm_expect(vm, "OK 5000", "clock_set 5000");
    qvm_expect(vm, "OK 5000", "clock_set 100"); /* it has passed */
    qvm_expect(vm, "OK 5000", "clock_step");    /* there is no deadline */
    /* The periodic interrupt of 2 Hz is one. */
    qvm_out(vm, 0x70, 0x8b0a, 1);
    qvm_out(vm, 0x71, 0x2f, 1);
    qvm_out(vm, 0x70, 0x0b, 1);
    qvm_out(vm, 0x71, 0x42, 1);
    expect(qvm_clock_next(vm) > 5000, "the deadline was missed");
    qvm_expect(vm, "OK 4611686018427387903", "clock_set 0x3fffffffffffffff");
    qvm_expect(vm, "FAIL clock_step: NS: the clock, at 4611686018427387903, cannot "
               "go on by 1", "clock_step 1");
    qvm_expect(vm, "FAIL clock_set: NS: the clock cannot go to "
               "4611686018427387904", "clock_set 0x4000000000000000");
    qvm_expect(vm, "FAIL clock_step: NS: the clock, at 4611686018427387903, cannot "
               "go on by 18446744073709551615", "clock_step -1");
    end();
}
END_TEST

START_TEST(interrupts)
{
    start();
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    qvm_expect(vm, "OK", "irq_intercept_in /machine/ioapic");
    qvm_expect(vm, "OK", "irq_intercept_out ioapic");
    qvm_expect(vm, "FAIL IRQ intercept already enabled", "irq_intercept_in rtc");
    qvm_expect(vm, "FAIL IRQ intercept already enabled", "irq_intercept_out rtc");
    /* The line is before the reply. */
    qvm_send(vm, "set_irq_in ioapic unnamed-gpio-in 4 1\n", 38);
    ck_assert_str_eq(qvm_receive(vm), "IRQ raise 4");
    ck_assert_str_eq(qvm_receive(vm), "OK");
    qvm_send(vm, "set_irq_in ioapic unnamed-gpio-in 4 7\n", 38);
    ck_assert_str_eq(qvm_receive(vm), "OK");
    qvm_send(vm, "set_irq_in ioapic unnamed-gpio-in 4 0\n", 38);
    ck_assert_str_eq(qvm_receive(vm), "IRQ lower 4");
    ck_assert_str_eq(qvm_receive(vm), "OK");
    for (unsigned n = 0; n < 24; n++) {
        qvm_expect(vm, "OK", "set_irq_in ioapic unnamed-gpio-in %u -1", n);
        expect(vm->irqs[n], "input %u is not seen", n);
        qvm_expect(vm, "OK", "set_irq_in ioapic unnamed-gpio-in %u 0", n);
        expect(!vm->irqs[n], "input %u is not seen", n);
    }
    qvm_expect(vm, "FAIL set_irq_in: NUM: 'ioapic' has 24 inputs, and none has the "
               "number 24", "set_irq_in ioapic unnamed-gpio-in 24 1");
    end();
}
END_TEST

START_TEST(interrupts_out)
{
    start();
    qvm_expect(vm, "FAIL No intercepts installed",
               "irq_intercept_out_named rtc nonesuch");
    qvm_expect(vm, "OK", "irq_intercept_out_named rtc sysbus-irq");
    /* The update-ended interrupt. */
    qvm_out(vm, 0x70, 0x0b, 1);
    qvm_out(vm, 0x71, 0x12, 1);
    expect(!qvm_irq(vm, 0), "early");
    qvm_clock_step(vm, 1100000000);
    expect(qvm_irq(vm, 0), "missing");
    qvm_out(vm, 0x70, 0x0c, 1);
    qvm_in(vm, 0x71, 1);
    expect(!qvm_irq(vm, 0), "it stays");
    end();
}
END_TEST

/* ---- what is wrong ----------------------------------------------------------------------- */

START_TEST(errors)
{
    static const char *const words[][2] = {
        { "", "FAIL Unknown command ''" },
        { " readl 0", "FAIL Unknown command ''" },
        { "READL 0", "FAIL Unknown command 'READL'" },
        { "read", "FAIL read: ADDR is missing" },
        { "rea", "FAIL Unknown command 'rea'" },
        { "readll 0", "FAIL Unknown command 'readll'" },
        { "module_load a b", "FAIL Unknown command 'module_load'" },
        { "rtas a 1 2 3 4", "FAIL Unknown command 'rtas'" },
        { "\x01\x7f\xff\xc3", "FAIL Unknown command '\?\?\?\?'" },
        { "inb", "FAIL inb: ADDR is missing" },
        { "inb 0x10000", "FAIL inb: ADDR: there is no port 0x10000" },
        { "inl -1", "FAIL inl: ADDR: there is no port 0xffffffffffffffff" },
        { "inw x", "FAIL inw: ADDR: 'x' is not a number of 64 bits" },
        { "outw", "FAIL outw: ADDR is missing" },
        { "outb 0x70", "FAIL outb: VALUE is missing" },
        { "outl 65536 1", "FAIL outl: ADDR: there is no port 0x10000" },
        { "readb", "FAIL readb: ADDR is missing" },
        { "readb ", "FAIL readb: ADDR is missing" },
        { "readb  0", "FAIL readb: ADDR: '' is not a number of 64 bits" },
        { "readq 0x1_", "FAIL readq: ADDR: '0x1_' is not a number of 64 bits" },
        { "writew 0", "FAIL writew: VALUE is missing" },
        { "writel 0 z", "FAIL writel: VALUE: 'z' is not a number of 64 bits" },
        { "read 0", "FAIL read: SIZE is missing" },
        { "read 0 0", "FAIL read: SIZE is 0" },
        { "read 0 0x400001",
          "FAIL read: SIZE: 0x400001 is more than 0x400000 bytes" },
        { "read 0 -1",
          "FAIL read: SIZE: 0xffffffffffffffff is more than 0x400000 bytes" },
        { "b64read 0", "FAIL b64read: SIZE is missing" },
        { "b64read x 1", "FAIL b64read: ADDR: 'x' is not a number of 64 bits" },
        { "b64read 0 0x400001",
          "FAIL b64read: SIZE: 0x400001 is more than 0x400000 bytes" },
        { "write 0 1", "FAIL write: DATA is missing" },
        { "write 0 1 0x", "ERR invalid argument size" },
        { "write 0 0 0x11", "FAIL write: SIZE is 0" },
        { "write 0 0x400001 0x11",
          "FAIL write: SIZE: 0x400001 is more than 0x400000 bytes" },
        { "write 0 1 1111",
          "FAIL write: DATA: '1111' is not '0x' and two digits for each byte" },
        { "write 0 1 0x1",
          "FAIL write: DATA: '0x1' is not '0x' and two digits for each byte" },
        { "write 0 2 0x00g0",
          "FAIL write: DATA has something other than hexadecimal digits at byte 1" },
        { "write 0 1 0x000g",
          "FAIL write: DATA has something other than hexadecimal digits at byte 1" },
        { "b64write 0 1", "FAIL b64write: DATA is missing" },
        { "b64write 0 1 AA=", "ERR invalid argument size" },
        { "b64write 0 0 AAAA", "FAIL b64write: SIZE is 0" },
        { "b64write 0 0x400001 AAAA",
          "FAIL b64write: SIZE: 0x400001 is more than 0x400000 bytes" },
        { "b64write 0 3 AA-A",
          "FAIL b64write: DATA has something other than base64 at character 2" },
        { "memset 0 1", "FAIL memset: VALUE is missing" },
        { "memset 0 0x10000001 1",
          "FAIL memset: SIZE: 0x10000001 is more than 0x10000000 bytes" },
        { "clock_step x", "FAIL clock_step: NS: 'x' is not a number of 64 bits" },
        { "clock_set", "FAIL clock_set: NS is missing" },
        { "irq_intercept_in", "FAIL irq_intercept_in: PATH is missing" },
        { "irq_intercept_in /machine/none", "FAIL Unknown device" },
        { "irq_intercept_in /machine", "FAIL Unknown device" },
        { "irq_intercept_in /", "FAIL Unknown device" },
        { "irq_intercept_in rtc", "FAIL No intercepts installed" },
        { "irq_intercept_in ioapic name",
          "FAIL Interception of named in-GPIOs not yet supported" },
        { "irq_intercept_out nothing", "FAIL Unknown device" },
        { "irq_intercept_out_named rtc",
          "FAIL irq_intercept_out_named: NAME is missing" },
        { "set_irq_in", "FAIL set_irq_in: PATH is missing" },
        { "set_irq_in nothing unnamed-gpio-in 0 1", "FAIL Unknown device" },
        { "set_irq_in ioapic", "FAIL set_irq_in: NAME is missing" },
        { "set_irq_in ioapic unnamed-gpio-in", "FAIL set_irq_in: NUM is missing" },
        { "set_irq_in ioapic unnamed-gpio-in 1",
          "FAIL set_irq_in: LEVEL is missing" },
        { "set_irq_in ioapic unnamed-gpio-in 1 up",
          "FAIL set_irq_in: LEVEL: 'up' is not a number of 64 bits" },
        { "set_irq_in ioapic other 1 1",
          "FAIL set_irq_in: NAME: 'ioapic' has no inputs 'other'; there is "
          "'unnamed-gpio-in'" },
        { "set_irq_in rtc unnamed-gpio-in 0 1",
          "FAIL set_irq_in: NUM: 'mc146818rtc' has 0 inputs, and none has the "
          "number 0" },
    };

    start();
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        qvm_expect(vm, words[i][1], "%s", words[i][0]);
    }
    qvm_expect(vm, "OK 0x0000000000000000", "readq 0"); /* none was carried out */
    end();
}
END_TEST

/* Without a machine, ports and memory are there, and nothing in them. */
START_TEST(no_machine)
{
    vm = qvm_start("-machine none");
    qvm_expect(vm, "OK little", "endianness");
    qvm_expect(vm, "OK 0x00000000ffffffff", "readl 0");
    qvm_expect(vm, "OK 0xffffffff", "inl 0x70");
    qvm_expect(vm, "OK", "outb 0x70 1");
    qvm_expect(vm, "OK", "writeq 0 1");
    qvm_expect(vm, "OK 0xffffffff", "read 0xfffffffffffffffc 4");
    qvm_expect(vm, "FAIL Unknown device", "irq_intercept_in ioapic");
    qvm_expect(vm, "OK 7", "clock_step 7");
    qvm_expect(vm, "OK 7", "clock_step");
    qvm_end(vm);
}
END_TEST

/* ---- how lines arrive --------------------------------------------------------------------- */

START_TEST(lines_in_pieces)
{
    static const char line[] = "readl 0x1000\n";
    GString *many = g_string_new(NULL);

    start();
    for (const char *p = line; *p; p++) {
        struct pollfd quiet = { .fd = vm->fd, .events = POLLIN };

        expect(p[0] == '\n' || poll(&quiet, 1, 2) == 0, "an early reply");
        qvm_send(vm, p, 1);
    }
    ck_assert_str_eq(qvm_reply(vm), "OK 0x0000000000000000");
    for (unsigned i = 0; i < 1000; i++) {
        g_string_append_printf(many, "writel 0x%x 0x%x\nreadl 0x%x\n", 4 * i, i,
                               4 * i);
    }
    for (size_t at = 0, n = 1; at < many->len; at += n, n = n % 97 + 1) {
        qvm_send(vm, many->str + at, MIN(n, many->len - at));
    }
    for (unsigned i = 0; i < 1000; i++) {
        g_autofree char *wanted = g_strdup_printf("OK 0x%016x", i);

        ck_assert_str_eq(qvm_reply(vm), "OK");
        ck_assert_str_eq(qvm_reply(vm), wanted);
    }
    g_string_free(many, TRUE);
    end();
}
END_TEST

START_TEST(hostile_lines)
{
    static const char nul[] = "readl\0 0\nreadl 0\0\n\0\nreadl 0\n";
    g_autofree char *name = g_strnfill(100, 'x');
    g_autofree char *wanted = g_strdup_printf("FAIL Unknown command '%.64s...'", name);
    g_autofree char *random = g_malloc(MIB);
    unsigned lines = 0;

    start();
    qvm_send(vm, nul, sizeof(nul) - 1);
    ck_assert_str_eq(qvm_reply(vm), "FAIL Unknown command 'readl?'");
    ck_assert_str_eq(qvm_reply(vm),
                     "FAIL readl: ADDR: '0?' is not a number of 64 bits");
    ck_assert_str_eq(qvm_reply(vm), "FAIL Unknown command '?'");
    ck_assert_str_eq(qvm_reply(vm), "OK 0x0000000000000000");
    qvm_expect(vm, wanted, "%s", name);
    content_fill(random, 1, 0, MIB);
    for (unsigned i = 0; i < MIB; i++) {
        lines += random[i] == '\n';
    }
    /* Replies are read meanwhile: what is sent and not taken is bounded. */
    for (unsigned i = 0, got = 0; i < MIB; i += 1024) {
        qvm_send(vm, random + i, 1024);
        for (const char *p = random + i; p < random + i + 1024; p++) {
            if (*p == '\n') {
                expect(g_str_has_prefix(qvm_reply(vm), "FAIL "), "%s",
                       vm->line->str);
                got++;
            }
        }
        expect(got <= lines, "more replies than lines");
    }
    qvm_send(vm, "\n", 1);
    qvm_reply(vm);
    qvm_expect(vm, "OK 0x0000000000000000", "readl 0");
    end();
}
END_TEST

static size_t resident_kib(void)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)vm->pid);
    g_autofree char *text = NULL;

    expect(g_file_get_contents(path, &text, NULL, NULL), "%s", path);
    return g_ascii_strtoull(strstr(text, "VmRSS:") + 6, NULL, 10);
}

/* What the program may grow by: with sanitizers, what was freed is kept a while. */
static size_t resident_max(void)
{
    return g_getenv("SANITIZERS") && *g_getenv("SANITIZERS") ? 512 * 1024
                                                             : 64 * 1024;
}

START_TEST(endless_line)
{
    g_autofree char *piece = g_strnfill(MIB, '0');
    size_t before;

    start();
    before = resident_kib();
    qvm_send(vm, "readl ", 6);
    for (unsigned i = 0; i < 200; i++) {
        qvm_send(vm, piece, MIB);
    }
    ck_assert_str_eq(qvm_reply(vm), "FAIL a line is longer than 16777216 bytes");
    expect(resident_kib() < before + resident_max(), "it holds all of the line");
    qvm_send(vm, "0\nreadl 0\n", 10);
    ck_assert_str_eq(qvm_reply(vm), "OK 0x0000000000000000");
    /* The longest that is one. */
    qvm_send(vm, "writel ", 7);
    for (unsigned i = 0; i < 16; i++) {
        qvm_send(vm, piece, i < 15 ? MIB : MIB - 9);
    }
    qvm_send(vm, " 1\n", 3);
    ck_assert_str_eq(qvm_reply(vm), "OK");
    qvm_expect(vm, "OK 0x0000000000000001", "readl 0");
    end();
}
END_TEST

/* A client that sends and does not read: the program waits for it. */
START_TEST(replies_not_taken)
{
    static const char line[] = "read 0 0x40000\n", quick[] = "endianness \n";
    GString *many = g_string_new(NULL), *more = g_string_new(NULL);
    const unsigned lines = 200;
    size_t before, sent = 0;

    start();
    before = resident_kib();
    for (unsigned i = 0; i < lines; i++) {
        g_string_append(many, line);
        g_string_append(more, quick);
    }
    qvm_send(vm, many->str, many->len); /* in one piece */
    while (sent < 200 * MIB) {
        struct pollfd p = { .fd = vm->fd, .events = POLLOUT };
        size_t at = sent % more->len;
        ssize_t n = poll(&p, 1, 300) ? send(vm->fd, more->str + at,
                                            more->len - at, MSG_DONTWAIT) : 0;

        if (n <= 0) {
            break;
        }
        sent += n;
    }
    /* QMP is served all the time. */
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect(resident_kib() < before + resident_max(), "it holds all replies");
    for (unsigned i = 0; i < lines; i++) {
        expect(strlen(qvm_reply(vm)) == 5 + MIB / 2, "a reply is cut");
    }
    for (size_t i = 0; i < sent / strlen(quick); i++) {
        ck_assert_str_eq(qvm_reply(vm), "OK little");
    }
    g_string_free(more, TRUE);
    g_string_free(many, TRUE);
    end();
}
END_TEST

/* ---- connections, and the log ---------------------------------------------------------------- */

/* The machine outlives its clients, and who comes next finds nothing of who was
 * there before but the machine. */
START_TEST(clients_come_and_go)
{
    static const char half[] = "writel 0x1000 7\nirq_intercept_in ioapic\n"
                               "set_irq_in ioapic unnamed-gpio-in 3 1\nwritel 0x10";
    g_autofree char *piece = g_strnfill(MIB, '0');

    vm = qvm_start_as(NULL, QVM_SERVER, "-nodefaults -m 16");
    qvm_connect(vm);
    qvm_send(vm, half, sizeof(half) - 1);
    ck_assert_str_eq(qvm_reply(vm), "OK");
    ck_assert_str_eq(qvm_reply(vm), "OK");
    ck_assert_str_eq(qvm_reply(vm), "OK");
    qvm_connect(vm);
    qvm_expect(vm, "OK 0x0000000000000007", "readl 0x1000");
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    /* Levels start as low for each. */
    qvm_send(vm, "set_irq_in ioapic unnamed-gpio-in 3 1\n", 38);
    ck_assert_str_eq(qvm_receive(vm), "IRQ raise 3");
    ck_assert_str_eq(qvm_receive(vm), "OK");
    /* One that goes with much unsaid. */
    for (unsigned i = 0; i < 10; i++) {
        qvm_send(vm, "read 0 0x100000\n", 16);
    }
    qvm_connect(vm);
    qvm_expect(vm, "OK little", "endianness");
    /* One that goes in a line that is too long. */
    for (unsigned i = 0; i < 17; i++) {
        qvm_send(vm, piece, MIB);
    }
    ck_assert_str_eq(qvm_reply(vm), "FAIL a line is longer than 16777216 bytes");
    qvm_connect(vm);
    qvm_expect(vm, "OK little", "endianness");
    close(vm->fd);
    vm->fd = -1;
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    qvm_end(vm);
}
END_TEST

/* The same where the program has connected, and finds no other. */
START_TEST(client_goes)
{
    start();
    close(vm->fd);
    vm->fd = -1;
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    qvm_end(vm);
}
END_TEST

START_TEST(log_of_all)
{
    static const char *const wanted[] = {
        "[I 0.000000] OPENED", "[R +T] readl 0x0", "[S +T] OK 0x0000000000000000",
        "[R +T] irq_intercept_in ioapic", "[S +T] OK",
        "[R +T] set_irq_in ioapic unnamed-gpio-in 2 1", "[S +T] IRQ raise 2",
        "[S +T] OK", "[R +T] what", "[S +T] FAIL Unknown command 'what'",
        "[I +T] CLOSED", "",
    };
    g_autoptr(GRegex) time = g_regex_new("\\+[0-9]+\\.[0-9]{6}\\]", 0, 0, NULL);
    g_autofree char *text = NULL, *shown = NULL;
    g_auto(GStrv) lines = NULL;

    start();
    qvm_command(vm, "readl 0x0");
    qvm_command(vm, "irq_intercept_in ioapic");
    qvm_command(vm, "set_irq_in ioapic unnamed-gpio-in 2 1");
    qvm_command(vm, "what");
    shutdown(vm->fd, SHUT_RDWR);
    for (;;) {
        g_clear_pointer(&text, g_free);
        g_file_get_contents(vm->log, &text, NULL, NULL);
        if (text && strstr(text, "CLOSED")) {
            break;
        }
        qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    }
    shown = g_regex_replace(time, text, -1, 0, "+T]", 0, NULL);
    lines = g_strsplit(shown, "\n", 0);
    expect(g_strv_length(lines) == G_N_ELEMENTS(wanted), "the log is\n%s", text);
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++) {
        ck_assert_str_eq(lines[i], wanted[i]);
    }
    qvm_end(vm);
}
END_TEST

/* ---- docs/qtest.md ----------------------------------------------------------------------------- */

/* Every example says what is so, and every command has one. */
START_TEST(documentation)
{
    static const char *const commands[] = {
        "inb", "outb", "readq", "writel", "read", "write", "b64read", "b64write",
        "memset", "clock_step", "clock_set", "irq_intercept_in",
        "irq_intercept_out", "set_irq_in", "endianness",
    };
    g_autofree char *text = qvm_follow_text("qtest.md");

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *use = g_strdup_printf("\n    > %s", commands[i]);

        expect(strstr(text, use), "no example of %s", commands[i]);
    }
}
END_TEST

TEST_MAIN("qtest-protocol", values, numbers, blocks, large_blocks, clock_moves,
          interrupts, interrupts_out, errors, no_machine, lines_in_pieces,
          hostile_lines, endless_line, replies_not_taken, clients_come_and_go,
          client_goes, log_of_all, documentation)
