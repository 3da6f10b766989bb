/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-serial: registers, interrupts, FIFOs, loopback, and a peer that does not
 * take what it is sent.
 */
#include "tests/device-util.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

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

#define in(reg) port_in(reg, 1)
#define out(reg, value) port_out(reg, value, 1)

static const int com1[] = { COM1 };
static int peer = -1; /* the other end of the line */

/* A UART with a socket on the line, of which @peer is the other end. */
static Device *serial_with_peer(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char *spec;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    Device *dev;

    test_machine_init();
    g_snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/line", test_folder());
    unlink(addr.sun_path);
    expect(bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0, "bind");
    expect(listen(listener, 1) == 0, "listen");
    spec = g_strconcat("unix:", addr.sun_path, NULL);
    test_chardev("line", spec);
    peer = accept(listener, NULL, NULL);
    close(listener);
    g_free(spec);
    dev = test_device("isa-serial", com1, "chardev", "line", NULL);
    return dev;
}

static void serial_end(void)
{
    test_machine_free();
    if (peer >= 0) {
        close(peer);
        peer = -1;
    }
}

static void serial_alone(void)
{
    test_machine_init();
    test_device("isa-serial", com1, NULL);
}

static void peer_send(const void *buf, size_t len)
{
    expect(write(peer, buf, len) == (ssize_t)len, "send");
}

/* Exactly @len bytes have come, and no more. */
static void peer_expect(const void *wanted, size_t len)
{
    uint8_t buf[4096];
    ssize_t n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);

    expect(n == (ssize_t)len && memcmp(buf, wanted, len) == 0,
           "%zd bytes came, not %zu", n, len);
}

/* ---- registers -------------------------------------------------------------------- */

START_TEST(after_reset)
{
    serial_alone();
    expect_hex(in(IER), 0);
    expect_hex(in(IIR), 0x01);
    expect_hex(in(LCR), 0);
    expect_hex(in(MCR), 0);
    expect_hex(in(LSR), 0x60);
    expect_hex(in(MSR), 0xb0);
    expect_hex(in(SCR), 0);
    expect_hex(in(DATA), 0);
    out(LCR, 0x80);
    expect_hex(in(DATA), 12);
    expect_hex(in(IER), 0);
    expect(!test_wire.rises, "an interrupt");
    serial_end();
}
END_TEST

START_TEST(every_value_of_every_register)
{
    serial_alone();
    for (unsigned v = 0; v < 256; v++) {
        out(SCR, v);
        out(LCR, v & 0x7f);
        out(IER, v);
        out(MCR, v & ~0x10);
        expect_hex(in(SCR), v);
        expect_hex(in(LCR), v & 0x7f);
        expect_hex(in(IER), v & 0x0f);
        expect_hex(in(MCR), v & 0x0f);
        out(LSR, v);
        out(MSR, v);
        expect_hex(in(LSR), 0x60);
        expect_hex(in(MSR), 0xb0);
        out(LCR, v | 0x80);
        out(DATA, v);
        out(IER, v ^ 0x55);
        expect_hex(in(DATA), v);
        expect_hex(in(IER), v ^ 0x55);
        expect_hex(in(LCR), v | 0x80);
        out(LCR, 0);
        expect_hex(in(IER), v & 0x0f);
        out(FCR, v);
        expect_hex(in(IIR) & 0xc0, v & 1 ? 0xc0 : 0);
    }
    serial_end();
}
END_TEST

/* A wider access is one to each register it covers. */
START_TEST(widths)
{
    uint32_t beyond = 0;

    serial_with_peer();
    port_out(IER, 0x0f | 0x01 << 8 | 0x03 << 16 | 0x0b << 24, 4);
    expect_hex(in(IER), 0x0f);
    expect_hex(in(LCR), 0x03);
    expect_hex(in(MCR), 0x0b);
    expect_hex(port_in(LCR, 2), 0x0b03);
    expect_hex(port_in(LCR, 4), 0xb0600b03);
    port_out(LCR, 0x80, 1);
    port_out(DATA, 0x1234, 2);
    expect_hex(port_in(DATA, 2), 0x1234);
    port_out(LCR, 0x00, 1);
    port_out(DATA, 0x0041, 2);
    test_loop();
    peer_expect("A", 1);
    expect_hex(in(IER), 0);
    /* Past the end: only what is there. */
    out(SCR, 0x77);
    expect(port_access(SCR, &beyond, 2, false) == MEMTX_DECODE_ERROR, "past");
    expect_hex(beyond & 0xff, 0x77);
    serial_end();
}
END_TEST

START_TEST(modem_lines)
{
    serial_alone();
    for (unsigned v = 0; v < 16; v++) {
        unsigned lines = (v & 2 ? 0x10 : 0) | (v & 1 ? 0x20 : 0) |
                         (v & 4 ? 0x40 : 0) | (v & 8 ? 0x80 : 0);
        unsigned deltas = (0xb0 ^ lines) >> 4;

        in(MSR);
        if (lines & 0x40) {
            deltas &= ~0x04;
        }
        out(MCR, 0x10 | v);
        expect_hex(in(MSR), lines | deltas);
        expect_hex(in(MSR), lines);
        out(MCR, v);
        in(MSR);
    }
    /* TERI: the ring ends. */
    out(MCR, 0x1f);
    in(MSR);
    out(MCR, 0x1b);
    expect_hex(in(MSR), 0xb4);
    expect_hex(in(MSR), 0xb0);
    serial_end();
}
END_TEST

/* ---- interrupts ----------------------------------------------------------------------- */

START_TEST(thre_edges)
{
    serial_with_peer();
    out(IER, 0x02);
    expect(test_wire.level && test_wire.rises == 1, "on enabling");
    out(IER, 0x02);
    expect_hex(in(IIR), 0x02);
    expect(!test_wire.level, "reading IIR acknowledges");
    expect_hex(in(IIR), 0x01);
    out(IER, 0x02);
    expect(!test_wire.level, "enabling what is enabled");
    out(DATA, 'a');
    expect(test_wire.level && test_wire.rises == 2, "on being sent");
    out(DATA, 'b');
    expect(test_wire.level && test_wire.rises == 3, "an edge for each");
    out(IER, 0x00);
    expect(!test_wire.level, "disabled");
    expect_hex(in(IIR), 0x01);
    out(IER, 0x02);
    expect(test_wire.level && test_wire.rises == 4, "re-armed");
    expect_hex(in(IIR), 0x02);
    peer_expect("ab", 2);
    /* So does clearing that FIFO, and switching both on or off. */
    in(IIR);
    out(FCR, 0x01);
    expect_hex(in(IIR), 0xc2);
    expect_hex(in(IIR), 0xc1);
    out(FCR, 0x01);
    expect_hex(in(IIR), 0xc1);
    out(FCR, 0x03);
    expect_hex(in(IIR), 0xc1);
    out(FCR, 0x05);
    expect_hex(in(IIR), 0xc2);
    out(FCR, 0x00);
    expect_hex(in(IIR), 0x02);
    out(FCR, 0x04); /* without FIFOs */
    expect_hex(in(IIR), 0x01);
    serial_end();
}
END_TEST

/* All five at once are reported in the order of their priority. */
START_TEST(priorities)
{
    serial_alone();
    out(FCR, 0x00);
    out(MCR, 0x10); /* loopback: the lines change */
    out(IER, 0x0f);
    out(DATA, 'x');
    out(DATA, 'y'); /* overrun */
    expect_hex(in(IIR), 0x06);
    expect_hex(in(IIR), 0x06);
    expect_hex(in(LSR), 0x63);
    expect_hex(in(LSR), 0x61);
    expect_hex(in(IIR), 0x04);
    expect_hex(in(IIR), 0x04);
    expect_hex(in(DATA), 'y'); /* without a FIFO the last one stays */
    expect_hex(in(IIR), 0x02);
    expect_hex(in(IIR), 0x00);
    expect_hex(in(IIR), 0x00);
    expect(test_wire.level, "modem status is pending");
    expect_hex(in(MSR), 0x0b);
    expect_hex(in(IIR), 0x01);
    expect(!test_wire.level && test_wire.rises >= 1, "all done");
    serial_end();
}
END_TEST

/* Each source reaches the wire by its own enable bit only. */
START_TEST(enables)
{
    for (unsigned ier = 0; ier < 16; ier++) {
        serial_alone();
        out(IER, ier);
        in(IIR); /* the THRE that enabling gives */
        out(MCR, 0x10);
        expect(test_wire.level == !!(ier & 8), "modem, IER 0x%x", ier);
        in(MSR);
        out(DATA, 'x');
        expect(test_wire.level == !!(ier & 3), "data, IER 0x%x", ier);
        in(DATA);
        in(IIR);
        out(DATA, 'x');
        in(IIR);
        out(DATA, 'y');
        in(DATA);
        in(IIR);
        expect(test_wire.level == !!(ier & 4), "overrun, IER 0x%x", ier);
        serial_end();
    }
}
END_TEST

/* A burst of characters is one write and one interrupt. */
START_TEST(bursts)
{
    serial_with_peer();
    out(FCR, 0x01);
    out(IER, 0x02);
    in(IIR);
    test_wire.rises = 0;
    for (unsigned i = 0; i < 15; i++) {
        out(DATA, 'a' + i);
    }
    expect(!test_wire.level, "sent before the FIFO is full");
    out(DATA, 'p');
    expect(test_wire.level && test_wire.rises == 1, "sent when it is full");
    peer_expect("abcdefghijklmnop", 16);
    expect_hex(in(IIR), 0xc2);
    out(DATA, 'q');
    out(DATA, 'r');
    test_loop_until(test_wire.level);
    expect(test_wire.rises == 2, "%u edges", test_wire.rises);
    peer_expect("qr", 2);
    out(DATA, 's');
    expect_hex(in(LSR), 0x60); /* looking is enough */
    peer_expect("s", 1);
    out(DATA, 't');
    expect_hex(in(IIR), 0xc2);
    peer_expect("t", 1);
    out(DATA, 'u');
    test_machine_free(); /* and so is the end */
    peer_expect("u", 1);
    close(peer);
    peer = -1;
}
END_TEST

/* ---- receiving ----------------------------------------------------------------------- */

START_TEST(one_character)
{
    serial_with_peer();
    out(IER, 0x01);
    peer_send("abc", 3);
    test_loop();
    expect(test_wire.level && test_wire.rises == 1, "no interrupt");
    expect_hex(in(LSR), 0x61);
    expect_hex(in(IIR), 0x04);
    expect_hex(in(DATA), 'a');
    expect(!test_wire.level, "read");
    expect_hex(in(LSR), 0x60);
    test_loop();
    expect(test_wire.level && test_wire.rises == 2, "the next");
    expect_hex(in(DATA), 'b');
    test_loop();
    expect_hex(in(DATA), 'c');
    test_loop();
    expect_hex(in(LSR), 0x60);
    expect(!test_wire.level && test_wire.rises == 3, "all");
    serial_end();
}
END_TEST

START_TEST(trigger_levels)
{
    static const unsigned levels[] = { 1, 4, 8, 14 };

    for (unsigned i = 0; i < 4; i++) {
        serial_with_peer();
        out(FCR, 0x01 | i << 6);
        out(IER, 0x01);
        for (unsigned n = 1; n <= 16; n++) {
            uint8_t byte = 0x40 + n;

            peer_send(&byte, 1);
            test_loop();
            /* Below the level it is the time-out that tells. */
            expect_hex(in(IIR), n >= levels[i] ? 0xc4 : 0xcc);
            expect(test_wire.level, "no interrupt at %u", n);
        }
        expect(test_wire.rises == 1, "%u edges", test_wire.rises);
        for (unsigned n = 16; n >= levels[i]; n--) {
            expect_hex(in(IIR), 0xc4);
            expect_hex(in(DATA), 0x40 + 17 - n);
        }
        expect_hex(in(IIR), 0xc1);
        expect(!test_wire.level, "below level %u", levels[i]);
        if (levels[i] > 1) {
            test_loop_until(test_wire.level);
            expect_hex(in(IIR), 0xcc);
            expect(test_wire.rises == 2, "the time-out is an edge");
            while (in(LSR) & 1) {
                in(DATA);
            }
            expect(!test_wire.level, "empty");
        }
        serial_end();
    }
}
END_TEST

/* A guest that takes one character at each edge gets them all. */
START_TEST(one_by_one)
{
    unsigned taken = 0;

    serial_with_peer();
    out(FCR, 0xc1);
    out(IER, 0x01);
    peer_send("abcdefg", 7);
    for (unsigned edges = 0; taken < 7; taken++) {
        test_loop_until(test_wire.rises > edges);
        edges = test_wire.rises;
        expect_hex(in(DATA), 'a' + taken);
    }
    expect_hex(in(LSR), 0x60);
    serial_end();
}
END_TEST

START_TEST(enabled_late)
{
    serial_with_peer();
    out(FCR, 0xc1);
    peer_send("ab", 2);
    test_loop();
    in(DATA);
    expect(!test_wire.rises, "not enabled");
    out(IER, 0x01);
    expect(test_wire.level, "what is there already");
    expect_hex(in(IIR), 0xcc);
    serial_end();
}
END_TEST

START_TEST(clearing)
{
    serial_with_peer();
    out(FCR, 0x01);
    out(IER, 0x01);
    peer_send("abcd", 4);
    test_loop();
    out(FCR, 0x03);
    expect_hex(in(LSR), 0x60);
    expect(!test_wire.level, "cleared");
    peer_send("ef", 2);
    test_loop();
    expect_hex(in(DATA), 'e');
    out(FCR, 0x00); /* a change of mode clears, too */
    expect_hex(in(LSR), 0x60);
    expect_hex(in(IIR), 0x01);
    out(FCR, 0xc2); /* without the enable bit the others do nothing */
    expect_hex(in(IIR), 0x01);
    serial_end();
}
END_TEST

/* Much more than the FIFO holds arrives whole, however the guest takes it. */
START_TEST(much_input)
{
    enum { TOTAL = 100000 };
    uint8_t *sent = g_malloc(TOTAL);
    unsigned offset = 0, taken = 0;

    for (unsigned i = 0; i < TOTAL; i++) {
        sent[i] = content_byte(1, i);
    }
    serial_with_peer();
    fcntl(peer, F_SETFL, O_NONBLOCK);
    out(FCR, 0x81);
    while (taken < TOTAL) {
        if (offset < TOTAL) {
            ssize_t n = write(peer, sent + offset, TOTAL - offset);

            offset += MAX(n, 0);
        }
        test_loop();
        expect_hex(in(LSR), 0x61); /* data, never an overrun */
        for (unsigned n = 1 + taken % 19; n && (in(LSR) & 1); n--) {
            expect_hex(in(DATA), sent[taken]);
            taken++;
        }
    }
    test_loop();
    expect_hex(in(LSR), 0x60);
    g_free(sent);
    serial_end();
}
END_TEST

/* ---- loopback ------------------------------------------------------------------------- */

/* Ctrl-A b at the other end: a zero byte with an indication of its own. */
START_TEST(breaks)
{
    serial_with_peer();
    chardev_set_mux(chardev_find("line"), true);
    out(IER, 0x05); /* received data, line status */
    out(FCR, 0x01);
    peer_send("a\001bc", 4);
    test_loop();
    expect(test_wire.level, "no interrupt");
    expect_hex(in(IIR), 0xc4); /* the break is not the next character */
    expect_hex(in(LSR), 0xe1); /* but one of those in the FIFO */
    expect_hex(in(DATA), 'a');
    expect_hex(in(IIR), 0xc6);
    expect_hex(in(LSR), 0xf1);
    expect_hex(in(IIR), 0xc4);
    expect_hex(in(LSR), 0x61); /* told once */
    expect_hex(in(DATA), 0);
    expect_hex(in(DATA), 'c');
    expect_hex(in(LSR), 0x60);

    /* Without FIFOs, and bit 7 is theirs. */
    out(FCR, 0);
    peer_send("\001b", 2);
    test_loop();
    expect_hex(in(IIR), 0x06);
    expect_hex(in(LSR), 0x71);
    expect_hex(in(DATA), 0);

    /* Not in loopback, where the line is cut. */
    out(MCR, 0x10);
    peer_send("\001b", 2);
    test_loop();
    expect_hex(in(LSR), 0x60);
    out(MCR, 0);

    /* One too many is an overrun like any other character. */
    peer_send("\001b\001b", 4);
    test_loop();
    expect_hex(in(LSR), 0x73);
    expect_hex(in(LSR), 0x61);
    serial_end();
}
END_TEST

START_TEST(loopback)
{
    uint8_t byte = 0;

    serial_with_peer();
    out(FCR, 0x01);
    out(MCR, 0x1b);
    expect_hex(in(MSR) & 0xf0, 0xb0);
    peer_send("outside", 7);
    for (unsigned i = 0; i < 16; i++) {
        out(DATA, 0x80 + i);
        expect_hex(in(LSR), 0x61);
    }
    out(DATA, 0xff); /* one too many: it is lost, the FIFO stays */
    expect_hex(in(LSR), 0x63);
    expect_hex(in(LSR), 0x61);
    test_loop();
    for (unsigned i = 0; i < 16; i++) {
        expect_hex(in(DATA), 0x80 + i);
    }
    test_loop();
    expect_hex(in(LSR), 0x60);
    expect(recv(peer, &byte, 1, MSG_DONTWAIT) < 0, "0x%x went out", byte);
    out(MCR, 0x0b);
    test_loop();
    for (unsigned i = 0; i < 7; i++) {
        expect_hex(in(DATA), "outside"[i]);
    }
    out(DATA, 'o');
    test_loop();
    peer_expect("o", 1);
    serial_end();
}
END_TEST

/* ---- a peer that does not take it --------------------------------------------------------- */

static unsigned pattern; /* what was sent, counted */

static uint8_t pattern_byte(unsigned i)
{
    return content_byte(2, i);
}

/* Send while the guest may. */
static void send_until_held(void)
{
    while (in(LSR) & 0x20) {
        out(DATA, pattern_byte(pattern++));
        expect(pattern < 10000000, "it takes everything");
    }
}

/* Read what there is; returns the bytes, which continue the pattern. */
static unsigned pipe_read(int fd, unsigned from)
{
    uint8_t buf[4096];
    ssize_t n;
    unsigned total = 0;

    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            expect_hex(buf[i], pattern_byte(from + total + i));
        }
        total += n;
    }
    return total;
}

/* After the first @got, all that was sent, and nothing else. */
static void pipe_expect_all(int fd, unsigned got)
{
    while (got < pattern) {
        test_loop();
        got += pipe_read(fd, got);
    }
    test_loop();
    got += pipe_read(fd, got);
    expect(got == pattern, "%u bytes of %u", got, pattern);
}

static int pipe_with_serial(void)
{
    char *path = g_build_filename(test_folder(), "pipe", NULL);
    char *spec = g_strconcat("file:", path, NULL);
    int fd;

    pattern = 0;
    test_machine_init();
    unlink(path);
    expect(mkfifo(path, 0600) == 0, "mkfifo");
    fd = open(path, O_RDONLY | O_NONBLOCK);
    fcntl(fd, F_SETPIPE_SZ, 4096);
    test_chardev("line", spec);
    test_device("isa-serial", com1, "chardev", "line", NULL);
    g_free(path);
    g_free(spec);
    return fd;
}

START_TEST(full_pipe)
{
    int fd = pipe_with_serial();
    unsigned got = 0;

    out(FCR, 0x01);
    out(IER, 0x02);
    in(IIR);
    for (unsigned round = 0; round < 20; round++) {
        send_until_held();
        test_loop();
        expect_hex(in(LSR), 0x00);
        in(IIR);
        expect(!test_wire.level, "THRE while characters are held");
        test_wire.rises = 0;
        got += pipe_read(fd, got);
        test_loop_until(in(LSR) == 0x60);
        expect(test_wire.level && test_wire.rises == 1, "no THRE when drained");
        expect_hex(in(IIR), 0xc2);
    }
    pipe_expect_all(fd, got);
    test_machine_free();
    close(fd);
}
END_TEST

/* What a guest cannot get rid of survives its clearing, a reset, the end. */
START_TEST(held_is_not_lost)
{
    int fd = pipe_with_serial();
    Device *dev = g_ptr_array_index(test_machine.devices, 0);
    unsigned got;

    out(FCR, 0x01);
    send_until_held();
    for (unsigned i = 0; i < 15; i++) {
        out(DATA, pattern_byte(pattern++)); /* the rest of the FIFO */
    }
    out(DATA, 0); /* for this one there was no room: the guest was told */
    expect_hex(in(LSR), 0x00);
    out(FCR, 0x05);
    expect_hex(in(LSR), 0x00);
    out(FCR, 0x00);
    out(MCR, 0x10);
    out(DATA, 'l'); /* loops, all the same */
    expect_hex(in(DATA), 'l');
    expect_hex(in(LSR), 0x00);
    device_reset(dev);
    expect_hex(in(LSR), 0x00);
    got = pipe_read(fd, 0);
    test_loop_until(in(LSR) == 0x60);
    pipe_expect_all(fd, got);
    test_machine_free();
    close(fd);
}
END_TEST

/* At the end what is held goes out, as far as there is room. */
START_TEST(end_while_held)
{
    int fd = pipe_with_serial();
    unsigned got;

    out(FCR, 0x01);
    send_until_held();
    got = pipe_read(fd, 0); /* room in the pipe; the main loop does not run */
    test_machine_free();
    got += pipe_read(fd, got);
    expect(got + 16 >= pattern && got >= 4096, "%u bytes of %u", got, pattern);
    close(fd);
}
END_TEST

START_TEST(peer_goes)
{
    int fd = pipe_with_serial();

    send_until_held();
    close(fd);
    test_loop_until(in(LSR) == 0x60);
    for (unsigned i = 0; i < 10000; i++) {
        out(DATA, 'x');
        expect_hex(in(LSR), 0x60);
    }
    test_machine_free();
}
END_TEST

START_TEST(input_ends)
{
    serial_with_peer();
    peer_send("z", 1);
    close(peer);
    peer = -1;
    test_loop();
    expect_hex(in(LSR), 0x61);
    expect_hex(in(DATA), 'z');
    test_loop();
    out(DATA, 'x');
    expect_hex(in(LSR), 0x60);
    test_loop();
    expect(!g_main_context_iteration(NULL, FALSE), "something spins");
    serial_end();
}
END_TEST

START_TEST(chardev_taken)
{
    Device *second;
    GError *err = NULL;

    serial_with_peer();
    second = device_new(device_type_find("isa-serial", NULL), "second");
    second->machine = &test_machine;
    expect(device_set(second, "chardev", "line", NULL), "set");
    expect(!device_realize(second, &err), "both have it");
    expect_error(err, "device 'isa-serial' (id 'second')", "'line'", "in use",
                 NULL);
    device_free(second);
    serial_end();
}
END_TEST

/* Any sequence of accesses leaves a UART that works. */
START_TEST(hostile)
{
    GRand *rand = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 4711));

    serial_with_peer();
    fcntl(peer, F_SETFL, O_NONBLOCK);
    for (unsigned i = 0; i < 100000; i++) {
        unsigned reg = g_rand_int_range(rand, 0, 8);
        unsigned size = 1 << g_rand_int_range(rand, 0, 3);
        uint32_t value = g_rand_int(rand);
        uint8_t buf[256];

        port_access(COM1 + reg, &value, size, g_rand_boolean(rand));
        if (i % 16 == 0) {
            (void)!write(peer, &value, 1 + value % 4);
            (void)!read(peer, buf, sizeof(buf));
            test_loop();
        }
    }
    device_reset(g_ptr_array_index(test_machine.devices, 0));
    out(FCR, 0x03);
    out(DATA, '!');
    test_loop();
    expect_hex(in(LSR) & 0x60, 0x60);
    g_rand_free(rand);
    serial_end();
}
END_TEST

TEST_MAIN("serial", after_reset, every_value_of_every_register, widths,
          modem_lines, thre_edges, bursts, priorities, enables, one_character,
          trigger_levels, one_by_one, enabled_late, clearing, much_input,
          breaks, loopback, full_pipe, held_is_not_lost, end_while_held, peer_goes,
          input_ends, chardev_taken, hostile)
