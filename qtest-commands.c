/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the lines of qtest ask for: their arguments, and all commands but those
 * about wires.
 */
#include <inttypes.h>
#include <string.h>

#include "hw/core/clock.h"
#include "ioport.h"
#include "qtest-internal.h"

#define BLOCK_MAX (4u << 20) /* bytes of one read, write, b64read, b64write */
#define MEMSET_MAX (256u << 20)

/* ---- arguments ---------------------------------------------------------- */

QTestEcho qtest_span_echo(QTestSpan span)
{
    size_t len = MIN(span.len, QTEST_ECHO_MAX);
    QTestEcho echo;
    size_t i;

    for (i = 0; i < len; i++) {
        echo.text[i] = g_ascii_isprint(span.text[i]) ? span.text[i] : '?';
    }
    strcpy(echo.text + len, span.len > len ? "..." : "");
    return echo;
}

bool qtest_span_is(QTestSpan span, const char *text)
{
    return strlen(text) == span.len && memcmp(text, span.text, span.len) == 0;
}

static unsigned digit_value(char c)
{
    return g_ascii_isxdigit(c) ? (unsigned)g_ascii_xdigit_value(c) : UINT_MAX;
}

/* A number as in C: decimal, 0x or 0 in front; 64 bits, a sign makes it wrap. */
static bool span_number(QTestSpan span, uint64_t *value)
{
    const char *p = span.text, *end = p + span.len;
    bool negative = false;
    unsigned base = 10;

    *value = 0;
    if (p < end && (*p == '-' || *p == '+')) {
        negative = *p++ == '-';
    }
    if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    } else if (end - p > 1 && p[0] == '0') {
        base = 8;
        p++;
    }
    if (p == end) {
        return false;
    }
    for (; p < end; p++) {
        unsigned digit = digit_value(*p);

        if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, digit, value)) {
            return false;
        }
    }
    *value = negative ? -*value : *value;
    return true;
}

bool qtest_line_word(QTest *q, const QTestLine *line, unsigned n, const char *name,
                     QTestSpan *word)
{
    if (n >= line->words_nr) {
        qtest_reply(q, "FAIL %s: %s is missing", line->command->name, name);
        return false;
    }
    *word = line->words[n];
    return true;
}

bool qtest_line_number(QTest *q, const QTestLine *line, unsigned n,
                       const char *name, uint64_t *value)
{
    QTestSpan word;

    if (!qtest_line_word(q, line, n, name, &word)) {
        return false;
    }
    if (!span_number(word, value)) {
        qtest_reply(q, "FAIL %s: %s: '%s' is not a number of 64 bits",
                    line->command->name, name, qtest_span_echo(word).text);
        return false;
    }
    return true;
}

/* The same, for a length. */
static bool line_size(QTest *q, const QTestLine *line, unsigned n, uint64_t max,
                      uint64_t *size)
{
    if (!qtest_line_number(q, line, n, "SIZE", size)) {
        return false;
    }
    if (*size > max) {
        qtest_reply(q, "FAIL %s: SIZE: 0x%" PRIx64 " is more than 0x%" PRIx64 " bytes",
                    line->command->name, *size, max);
        return false;
    }
    return true;
}

static bool line_port(QTest *q, const QTestLine *line, uint32_t *port)
{
    uint64_t value;

    if (!qtest_line_number(q, line, 1, "ADDR", &value)) {
        return false;
    }
    if (value >= IOPORTS) {
        qtest_reply(q, "FAIL %s: ADDR: there is no port 0x%" PRIx64,
                    line->command->name, value);
        return false;
    }
    *port = value;
    return true;
}

/* ---- ports and memory --------------------------------------------------- */

static void run_in(QTest *q, const QTestLine *line)
{
    AddressSpace *ports = &q->machine->ports;
    uint32_t port, value;

    if (!line_port(q, line, &port)) {
        return;
    }
    switch (line->command->size) {
    case 1:
        value = cpu_inb(ports, port);
        break;
    case 2:
        value = cpu_inw(ports, port);
        break;
    default:
        value = cpu_inl(ports, port);
        break;
    }
    qtest_reply_value(q, value, 4);
}

static void run_out(QTest *q, const QTestLine *line)
{
    AddressSpace *ports = &q->machine->ports;
    uint64_t value;
    uint32_t port;

    if (!line_port(q, line, &port) ||
        !qtest_line_number(q, line, 2, "VALUE", &value)) {
        return;
    }
    switch (line->command->size) {
    case 1:
        cpu_outb(ports, port, value);
        break;
    case 2:
        cpu_outw(ports, port, value);
        break;
    default:
        cpu_outl(ports, port, value);
        break;
    }
    qtest_reply_ok(q);
}

static void run_read_value(QTest *q, const QTestLine *line)
{
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    AddressSpace *as = &q->machine->memory;
    uint64_t addr, value;

    if (!qtest_line_number(q, line, 1, "ADDR", &addr)) {
        return;
    }
    switch (line->command->size) {
    case 1:
        value = address_space_ldub(as, addr, attrs, NULL);
        break;
    case 2:
        value = address_space_lduw(as, addr, attrs, NULL);
        break;
    case 4:
        value = address_space_ldl(as, addr, attrs, NULL);
        break;
    default:
        value = address_space_ldq(as, addr, attrs, NULL);
        break;
    }
    qtest_reply_value(q, value, 16);
}

static void run_write_value(QTest *q, const QTestLine *line)
{
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    AddressSpace *as = &q->machine->memory;
    uint64_t addr, value;

    if (!qtest_line_number(q, line, 1, "ADDR", &addr) ||
        !qtest_line_number(q, line, 2, "VALUE", &value)) {
        return;
    }
    switch (line->command->size) {
    case 1:
        address_space_stb(as, addr, value, attrs, NULL);
        break;
    case 2:
        address_space_stw(as, addr, value, attrs, NULL);
        break;
    case 4:
        address_space_stl(as, addr, value, attrs, NULL);
        break;
    default:
        address_space_stq(as, addr, value, attrs, NULL);
        break;
    }
    qtest_reply_ok(q);
}

/* ---- blocks of memory --------------------------------------------------- */

static void block_access(QTest *q, uint64_t addr, uint8_t *block, uint64_t size,
                         bool is_write)
{
    address_space_rw_attrs(&q->machine->memory, addr, MEMTXATTRS_UNSPECIFIED,
                           block, size, is_write);
}

static void run_read(QTest *q, const QTestLine *line)
{
    g_autofree uint8_t *block = NULL;
    g_autofree char *text = NULL;
    uint64_t addr, size, i;

    if (!qtest_line_number(q, line, 1, "ADDR", &addr) ||
        !line_size(q, line, 2, BLOCK_MAX, &size)) {
        return;
    }
    if (size == 0) {
        qtest_reply(q, "FAIL read: SIZE is 0");
        return;
    }
    block = g_malloc(size);
    block_access(q, addr, block, size, false);
    text = g_malloc(5 + 2 * size);
    memcpy(text, "OK 0x", 5);
    for (i = 0; i < size; i++) {
        text[5 + 2 * i] = "0123456789abcdef"[block[i] >> 4];
        text[6 + 2 * i] = "0123456789abcdef"[block[i] & 0xf];
    }
    qtest_out_line(q, text, 5 + 2 * size);
}

/* Address, size and data of a write. False, and the reply is sent, where they
 * do not do. */
static bool line_block(QTest *q, const QTestLine *line, uint64_t *addr,
                       uint64_t *size, QTestSpan *data, size_t data_min)
{
    if (!qtest_line_number(q, line, 1, "ADDR", addr) ||
        !line_size(q, line, 2, BLOCK_MAX, size) ||
        !qtest_line_word(q, line, 3, "DATA", data)) {
        return false;
    }
    if (data->len < data_min) {
        qtest_reply(q, "ERR invalid argument size"); /* the protocol's words */
        return false;
    }
    if (*size == 0) {
        qtest_reply(q, "FAIL %s: SIZE is 0", line->command->name);
        return false;
    }
    return true;
}

/* Bytes beyond the data are zero, data beyond the size is not written. */
static void run_write(QTest *q, const QTestLine *line)
{
    g_autofree uint8_t *block = NULL;
    uint64_t addr, size;
    QTestSpan data;
    size_t i;

    if (!line_block(q, line, &addr, &size, &data, 3)) {
        return;
    }
    if (data.text[0] != '0' || data.text[1] != 'x' || data.len % 2) {
        qtest_reply(q, "FAIL write: DATA: '%s' is not '0x' and two digits for each "
                    "byte", qtest_span_echo(data).text);
        return;
    }
    block = g_malloc0(size);
    for (i = 2; i < data.len; i += 2) {
        unsigned high = digit_value(data.text[i]);
        unsigned low = digit_value(data.text[i + 1]);

        if (high > 15 || low > 15) {
            qtest_reply(q, "FAIL write: DATA has something other than hexadecimal "
                        "digits at byte %zu", i / 2 - 1);
            return;
        }
        if (i / 2 - 1 < size) {
            block[i / 2 - 1] = high << 4 | low;
        }
    }
    block_access(q, addr, block, size, true);
    qtest_reply_ok(q);
}

static void run_b64read(QTest *q, const QTestLine *line)
{
    g_autofree uint8_t *block = NULL;
    g_autofree char *base64 = NULL, *text = NULL;
    uint64_t addr, size;

    if (!qtest_line_number(q, line, 1, "ADDR", &addr) ||
        !line_size(q, line, 2, BLOCK_MAX, &size)) {
        return;
    }
    block = g_malloc(size + 1);
    block_access(q, addr, block, size, false);
    base64 = g_base64_encode(block, size);
    text = g_strconcat("OK ", base64, NULL);
    qtest_out_line(q, text, strlen(text));
}

/* Not more than the data, nor than the size, is written. */
static void run_b64write(QTest *q, const QTestLine *line)
{
    g_autofree uint8_t *block = NULL;
    uint64_t addr, size;
    size_t len;
    gint state = 0;
    guint save = 0;
    QTestSpan data;
    size_t i;

    if (!line_block(q, line, &addr, &size, &data, 4)) {
        return;
    }
    for (i = 0; i < data.len; i++) {
        char c = data.text[i];

        if (!g_ascii_isalnum(c) && c != '+' && c != '/' && c != '=') {
            qtest_reply(q, "FAIL b64write: DATA has something other than base64 at "
                        "character %zu", i);
            return;
        }
    }
    block = g_malloc(data.len / 4 * 3 + 3);
    len = g_base64_decode_step(data.text, data.len, block, &state, &save);
    block_access(q, addr, block, MIN(size, len), true);
    qtest_reply_ok(q);
}

static void run_memset(QTest *q, const QTestLine *line)
{
    uint64_t addr, size, value, done;
    uint8_t block[4096];

    if (!qtest_line_number(q, line, 1, "ADDR", &addr) ||
        !line_size(q, line, 2, MEMSET_MAX, &size) ||
        !qtest_line_number(q, line, 3, "VALUE", &value)) {
        return;
    }
    memset(block, value & 0xff, sizeof(block));
    for (done = 0; done < size; done += sizeof(block)) {
        block_access(q, addr + done, block, MIN(size - done, sizeof(block)),
                     true);
    }
    qtest_reply_ok(q);
}

/* ---- the clock ---------------------------------------------------------- */

static void clock_move(QTest *q, const QTestLine *line, int64_t ns)
{
    if (clock_virtual_advance_to(ns)) {
        qtest_reply(q, "OK %" PRId64, clock_virtual_ns());
    } else {
        qtest_reply(q, "FAIL %s: more than %u timers were due; the clock is at %"
                    PRId64, line->command->name, CLOCK_FIRES_MAX, clock_virtual_ns());
    }
}

static void run_clock_step(QTest *q, const QTestLine *line)
{
    int64_t now = clock_virtual_ns();
    int64_t deadline;
    uint64_t ns;

    if (line->words_nr == 1) {
        deadline = clock_virtual_deadline_ns();
        clock_move(q, line, deadline > CLOCK_NS_MAX ? now : deadline);
        return;
    }
    if (!qtest_line_number(q, line, 1, "NS", &ns)) {
        return;
    }
    if (ns > (uint64_t)(CLOCK_NS_MAX - now)) {
        qtest_reply(q, "FAIL clock_step: NS: the clock, at %" PRId64 ", cannot go on "
                    "by %" PRIu64, now, ns);
        return;
    }
    clock_move(q, line, now + (int64_t)ns);
}

static void run_clock_set(QTest *q, const QTestLine *line)
{
    uint64_t ns;

    if (!qtest_line_number(q, line, 1, "NS", &ns)) {
        return;
    }
    if (ns > CLOCK_NS_MAX) {
        qtest_reply(q, "FAIL clock_set: NS: the clock cannot go to %" PRIu64, ns);
        return;
    }
    clock_move(q, line, (int64_t)ns);
}

/* ---- the table ---------------------------------------------------------- */

static void run_endianness(QTest *q, const QTestLine *line)
{
    qtest_reply(q, "OK little");
}

static const QTestCommand commands[] = {
    { "readb", 1, run_read_value },
    { "readw", 2, run_read_value },
    { "readl", 4, run_read_value },
    { "readq", 8, run_read_value },
    { "writeb", 1, run_write_value },
    { "writew", 2, run_write_value },
    { "writel", 4, run_write_value },
    { "writeq", 8, run_write_value },
    { "inb", 1, run_in },
    { "inw", 2, run_in },
    { "inl", 4, run_in },
    { "outb", 1, run_out },
    { "outw", 2, run_out },
    { "outl", 4, run_out },
    { "read", 0, run_read },
    { "write", 0, run_write },
    { "b64read", 0, run_b64read },
    { "b64write", 0, run_b64write },
    { "memset", 0, run_memset },
    { "clock_step", 0, run_clock_step },
    { "clock_set", 0, run_clock_set },
    { "irq_intercept_in", 0, qtest_run_intercept_in },
    { "irq_intercept_out", 0, qtest_run_intercept_out },
    { "irq_intercept_out_named", 0, qtest_run_intercept_out_named },
    { "set_irq_in", 0, qtest_run_set_irq_in },
    { "endianness", 0, run_endianness },
};

const QTestCommand *qtest_command_find(QTestSpan name)
{
    const QTestCommand *c;

    for (c = commands; c < commands + G_N_ELEMENTS(commands); c++) {
        if (qtest_span_is(name, c->name)) {
            return c;
        }
    }
    return NULL;
}

