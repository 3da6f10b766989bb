/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtest inside this process: wires that change much faster than the client reads,
 * and a client that goes in the middle of it.
 */
#include "qtest.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hw/core/clock.h"
#include "hw/core/machine.h"
#include "tests/test-util.h"

#define CHANGES 400000

static Machine *machine;
static QTest *qtest;
static Chardev *chr;
static int client;
static Device *ioapic;

static void start(void)
{
    g_autofree char *spec = NULL;
    GError *err = NULL;
    int fds[2];

    clock_virtual_set_manual();
    expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0,
           "socketpair");
    client = fds[1];
    machine = machine_new(machine_type_find("microvm", NULL));
    machine->ram_size = 16 << 20;
    expect(machine_set(machine, "accel", "qtest", &err), "%s", err->message);
    memory_lock();
    expect(machine_init(machine, &err), "%s", err->message);
    machine_reset(machine);
    memory_unlock();
    spec = g_strdup_printf("socket,id=q,fd=%d", fds[0]);
    chr = chardev_open_opts(spec, &err);
    expect(chr, "%s", err->message);
    qtest = qtest_new(machine, chr, NULL, &err);
    expect(qtest, "%s", err->message);
    expect(!qtest_new(machine, chr, NULL, &err), "two on one chardev");
    g_clear_error(&err);
    ioapic = object_device(object_resolve("/machine/ioapic", NULL));
}

static void end(void)
{
    qtest_free(qtest);
    expect(!ioapic->tap_in.set, "it still listens");
    close(client);
    chardev_close(chr);
    machine_free(machine);
}

static void say(const char *line)
{
    expect(send(client, line, strlen(line), 0) == (ssize_t)strlen(line), "send");
}

static void drive(unsigned n, int level)
{
    IRQLine irq = device_irq_in(ioapic, n);

    memory_lock();
    irq_set(&irq, level);
    memory_unlock();
}

/* Everything that comes until @last does, which is a line. */
static GString *hear_until(const char *last)
{
    GString *text = g_string_new(NULL);
    char buf[65536];

    while (!g_str_has_suffix(text->str, last)) {
        ssize_t n = recv(client, buf, sizeof(buf), 0);

        if (n > 0) {
            g_string_append_len(text, buf, n);
        } else {
            g_main_context_iteration(NULL, FALSE);
        }
    }
    return text;
}

static void expect_heard(const char *text)
{
    GString *heard = hear_until(text);

    ck_assert_str_eq(heard->str, text);
    g_string_free(heard, TRUE);
}

START_TEST(between_commands)
{
    start();
    say("irq_intercept_in ioapic\n");
    expect_heard("OK\n");
    drive(3, 1);
    drive(3, 1);
    drive(4, 1);
    drive(3, 0);
    expect_heard("IRQ raise 3\nIRQ raise 4\nIRQ lower 3\n"); /* without being asked */
    end();
}
END_TEST

/* What is not read is bounded; in the end the client knows how things are. */
START_TEST(faster_than_read)
{
    bool level[24] = { false };
    unsigned lines = 0;
    GString *text;

    start();
    say("irq_intercept_in ioapic\n");
    expect_heard("OK\n");
    for (unsigned i = 0; i < CHANGES; i++) {
        drive(5, i % 2 == 0);
    }
    drive(5, 1);
    drive(7, 1);
    drive(6, 1);
    drive(6, 0);
    say("endianness\n");
    text = hear_until("OK little\n");
    for (char *p = text->str; strncmp(p, "OK", 2) != 0; p = strchr(p, '\n') + 1) {
        char word[8];
        unsigned n;

        expect(sscanf(p, "IRQ %7s %u\n", word, &n) == 2 && n < 24, "%.20s", p);
        expect(level[n] == (strcmp(word, "lower") == 0), "twice: %.20s", p);
        level[n] = !level[n];
        lines++;
    }
    expect(level[5] && level[7] && !level[6], "not as it is");
    expect(lines > 1000 && text->len < 2 << 20, "%u lines, %zu bytes", lines,
           text->len);
    g_string_free(text, TRUE);
    /* And from now on each change again. */
    drive(6, 1);
    drive(6, 0);
    expect_heard("IRQ raise 6\nIRQ lower 6\n");
    end();
}
END_TEST

/* The peer goes while there is much unsaid, and lines of it are left. */
START_TEST(peer_goes)
{
    start();
    say("irq_intercept_in ioapic\n");
    expect_heard("OK\n");
    for (unsigned i = 0; i < 100; i++) {
        say("read 0 0x400000\n");
    }
    say("readl ");
    for (unsigned i = 0; i < 10; i++) {
        g_main_context_iteration(NULL, FALSE);
    }
    close(client);
    while (chardev_is_connected(chr)) {
        g_main_context_iteration(NULL, FALSE);
    }
    for (unsigned i = 0; i < CHANGES; i++) {
        drive(5, i % 2 == 0);
    }
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    client = -1;
    end();
}
END_TEST

static void plug_serial(void)
{
    GError *err = NULL;
    bool ok;

    memory_lock();
    ok = machine_plug(machine, "isa-serial,iobase=0x2f8,irq=3,id=s1", &err);
    memory_unlock();
    expect(ok, "%s", err->message);
}

static void unplug_serial(void)
{
    GError *err = NULL;
    bool ok;

    memory_lock();
    ok = machine_unplug(machine, "s1", &err);
    memory_unlock();
    expect(ok, "%s", err->message);
}

/* What is listened to goes while its wire is high, which ends then. One in its
 * place, or another, can be listened to. */
START_TEST(device_goes)
{
    start();
    plug_serial();
    say("irq_intercept_out s1\n");
    expect_heard("OK\n");
    for (unsigned i = 0; i < 3; i++) {
        say("outb 0x2fc 8\noutb 0x2f9 2\n");
        expect_heard("OK\nIRQ raise 0\nOK\n");
        unplug_serial();
        expect_heard("IRQ lower 0\n");
        say("irq_intercept_out s1\n");
        expect_heard("FAIL Unknown device\n");
        plug_serial();
        say("irq_intercept_out s1\n");
        expect_heard("OK\n");
    }
    unplug_serial();
    say("irq_intercept_in ioapic\n");
    expect_heard("OK\n");
    drive(0, 1);
    expect_heard("IRQ raise 0\n");
    end();
}
END_TEST

TEST_MAIN("qtest-wires", between_commands, faster_than_read, peer_goes,
          device_goes)
