/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qtest: lines come in, commands are carried out, replies go out.
 *
 * Specification: QEMU docs/devel/testing/qtest, "QTest Protocol". What makes
 * QEMU abort there (an argument that is missing or no number) gets a line that
 * starts with FAIL here, and the next line is read.
 *
 * Lines are parsed where they are, and nothing is allocated for one of the short
 * commands. What one client can make the program hold is bounded: by LINE_BYTES_MAX of
 * input, by the reply to one command, and by IRQS_MAX of interrupt lines. While
 * it does not take its replies, no more of its lines are read.
 */
#include "qtest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "hw/core/clock.h"
#include "ioport.h"

#define LINE_BYTES_MAX (16u << 20) /* of one line; hex takes two for each */
#define BLOCK_MAX (4u << 20)   /* bytes of one read, write, b64read, b64write */
#define MEMSET_MAX (256u << 20)
#define CHUNK_MAX (64u << 10)  /* bytes of input taken at a time */
#define IRQS_MAX (1u << 20)    /* bytes of output up to which each change of a
                                * level gets a line; then only the last one */
#define IRQS_NR 256
#define WORDS_MAX 6
#define ECHO_MAX 64 /* of what was sent, in a reply */

/* Names that the protocol gives to inputs and outputs. */
#define INPUTS_NAME "unnamed-gpio-in"
#define OUTPUTS_NAME "sysbus-irq"

struct QTest {
    Machine *machine;
    Chardev *chr;
    FILE *log; /* NULL: none */
    int64_t opened_us;

    GByteArray *in;    /* received and not yet carried out */
    size_t in_scanned; /* bytes of it without an end of line */
    bool skipping;     /* the rest of a line that was too long */

    GByteArray *out; /* replies, and */
    size_t out_pos;  /* what the peer has taken of them */
    bool blocked;    /* it takes no more now */
    bool running;    /* a command is carried out: its reply follows */

    char *intercepted; /* path of the device whose wires we listen to, or NULL */
    bool levels[IRQS_NR];
    bool told[IRQS_NR];
    bool untold; /* some differ from levels */
};

/* A part of a line. */
typedef struct Span {
    const char *text;
    size_t len;
} Span;

typedef struct Command Command;

/* A line taken apart. */
typedef struct Line {
    const Command *command;
    Span words[WORDS_MAX]; /* the last has the rest of the line */
    unsigned words_nr;
} Line;

struct Command {
    const char *name;
    unsigned size; /* of an access, in bytes */
    void (*run)(QTest *q, const Line *line);
};

/* ---- log -------------------------------------------------------------------------- */

static double qtest_seconds(const QTest *q)
{
    return (double)(g_get_monotonic_time() - q->opened_us) / G_USEC_PER_SEC;
}

static void log_line(QTest *q, char direction, const void *text, size_t len)
{
    if (q->log) {
        fprintf(q->log, "[%c +%.6f] ", direction, qtest_seconds(q));
        fwrite(text, 1, len, q->log);
        fputc('\n', q->log);
    }
}

/* ---- output ----------------------------------------------------------------------- */

static void irqs_tell(QTest *q);

/* Hand over what the peer takes. */
static void out_flush(QTest *q)
{
    if (q->blocked) {
        return;
    }
    do {
        while (q->out_pos < q->out->len) {
            size_t n = MIN(q->out->len - q->out_pos, CHARDEV_WRITE_MAX);

            if (!chardev_write(q->chr, q->out->data + q->out_pos, n)) {
                q->blocked = true;
                return;
            }
            q->out_pos += n;
        }
        g_byte_array_set_size(q->out, 0);
        q->out_pos = 0;
        irqs_tell(q);
    } while (q->out->len);
}

/* Append a line, which is logged, too. */
static void out_line(QTest *q, const char *text, size_t len)
{
    log_line(q, 'S', text, len);
    g_byte_array_append(q->out, (const uint8_t *)text, len);
    g_byte_array_append(q->out, (const uint8_t *)"\n", 1);
}

G_GNUC_PRINTF(2, 3)
static void reply(QTest *q, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    out_line(q, text, MIN((size_t)len, sizeof(text) - 1));
}

static void reply_ok(QTest *q)
{
    out_line(q, "OK", 2);
}

/* "OK 0x" and @value in at least @digits digits. */
static void reply_value(QTest *q, uint64_t value, unsigned digits)
{
    char text[5 + 16] = "OK 0x";
    unsigned i;

    while (digits < 16 && value >> (4 * digits)) {
        digits++;
    }
    for (i = digits; i-- > 0; value >>= 4) {
        text[5 + i] = "0123456789abcdef"[value & 0xf];
    }
    out_line(q, text, 5 + digits);
}

/* ---- arguments --------------------------------------------------------------------- */

/* What a client sent, fit to be shown: short, and without surprises. */
typedef struct Echo {
    char text[ECHO_MAX + sizeof("...")];
} Echo;

static Echo span_echo(Span span)
{
    size_t len = MIN(span.len, ECHO_MAX);
    Echo echo;
    size_t i;

    for (i = 0; i < len; i++) {
        echo.text[i] = g_ascii_isprint(span.text[i]) ? span.text[i] : '?';
    }
    strcpy(echo.text + len, span.len > len ? "..." : "");
    return echo;
}

static bool span_is(Span span, const char *text)
{
    return strlen(text) == span.len && memcmp(text, span.text, span.len) == 0;
}

static unsigned digit_value(char c)
{
    return g_ascii_isxdigit(c) ? (unsigned)g_ascii_xdigit_value(c) : UINT_MAX;
}

/* A number as in C: decimal, 0x or 0 in front; 64 bits, a sign makes it wrap. */
static bool span_number(Span span, uint64_t *value)
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

/* Word @n, called @name. False, and the reply is sent, where there is none. */
static bool line_word(QTest *q, const Line *line, unsigned n, const char *name,
                      Span *word)
{
    if (n >= line->words_nr) {
        reply(q, "FAIL %s: %s is missing", line->command->name, name);
        return false;
    }
    *word = line->words[n];
    return true;
}

static bool line_number(QTest *q, const Line *line, unsigned n,
                        const char *name, uint64_t *value)
{
    Span word;

    if (!line_word(q, line, n, name, &word)) {
        return false;
    }
    if (!span_number(word, value)) {
        reply(q, "FAIL %s: %s: '%s' is not a number of 64 bits",
              line->command->name, name, span_echo(word).text);
        return false;
    }
    return true;
}

/* The same, for a length. */
static bool line_size(QTest *q, const Line *line, unsigned n, uint64_t max,
                      uint64_t *size)
{
    if (!line_number(q, line, n, "SIZE", size)) {
        return false;
    }
    if (*size > max) {
        reply(q, "FAIL %s: SIZE: 0x%" PRIx64 " is more than 0x%" PRIx64 " bytes",
              line->command->name, *size, max);
        return false;
    }
    return true;
}

static bool line_port(QTest *q, const Line *line, uint32_t *port)
{
    uint64_t value;

    if (!line_number(q, line, 1, "ADDR", &value)) {
        return false;
    }
    if (value >= IOPORTS) {
        reply(q, "FAIL %s: ADDR: there is no port 0x%" PRIx64,
              line->command->name, value);
        return false;
    }
    *port = value;
    return true;
}

/* ---- ports and memory ---------------------------------------------------------------- */

static void run_in(QTest *q, const Line *line)
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
    reply_value(q, value, 4);
}

static void run_out(QTest *q, const Line *line)
{
    AddressSpace *ports = &q->machine->ports;
    uint64_t value;
    uint32_t port;

    if (!line_port(q, line, &port) ||
        !line_number(q, line, 2, "VALUE", &value)) {
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
    reply_ok(q);
}

static void run_read_value(QTest *q, const Line *line)
{
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    AddressSpace *as = &q->machine->memory;
    uint64_t addr, value;

    if (!line_number(q, line, 1, "ADDR", &addr)) {
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
    reply_value(q, value, 16);
}

static void run_write_value(QTest *q, const Line *line)
{
    const MemTxAttrs attrs = MEMTXATTRS_UNSPECIFIED;
    AddressSpace *as = &q->machine->memory;
    uint64_t addr, value;

    if (!line_number(q, line, 1, "ADDR", &addr) ||
        !line_number(q, line, 2, "VALUE", &value)) {
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
    reply_ok(q);
}

/* ---- blocks of memory ----------------------------------------------------------------- */

static void block_access(QTest *q, uint64_t addr, uint8_t *block, uint64_t size,
                         bool is_write)
{
    address_space_rw_attrs(&q->machine->memory, addr, MEMTXATTRS_UNSPECIFIED,
                           block, size, is_write);
}

static void run_read(QTest *q, const Line *line)
{
    g_autofree uint8_t *block = NULL;
    g_autofree char *text = NULL;
    uint64_t addr, size, i;

    if (!line_number(q, line, 1, "ADDR", &addr) ||
        !line_size(q, line, 2, BLOCK_MAX, &size)) {
        return;
    }
    if (size == 0) {
        reply(q, "FAIL read: SIZE is 0");
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
    out_line(q, text, 5 + 2 * size);
}

/* Address, size and data of a write. False, and the reply is sent, where they
 * do not do. */
static bool line_block(QTest *q, const Line *line, uint64_t *addr,
                       uint64_t *size, Span *data, size_t data_min)
{
    if (!line_number(q, line, 1, "ADDR", addr) ||
        !line_size(q, line, 2, BLOCK_MAX, size) ||
        !line_word(q, line, 3, "DATA", data)) {
        return false;
    }
    if (data->len < data_min) {
        reply(q, "ERR invalid argument size"); /* the protocol's words */
        return false;
    }
    if (*size == 0) {
        reply(q, "FAIL %s: SIZE is 0", line->command->name);
        return false;
    }
    return true;
}

/* Bytes beyond the data are zero, data beyond the size is not written. */
static void run_write(QTest *q, const Line *line)
{
    g_autofree uint8_t *block = NULL;
    uint64_t addr, size;
    Span data;
    size_t i;

    if (!line_block(q, line, &addr, &size, &data, 3)) {
        return;
    }
    if (data.text[0] != '0' || data.text[1] != 'x' || data.len % 2) {
        reply(q, "FAIL write: DATA: '%s' is not '0x' and two digits for each "
              "byte", span_echo(data).text);
        return;
    }
    block = g_malloc0(size);
    for (i = 2; i < data.len; i += 2) {
        unsigned high = digit_value(data.text[i]);
        unsigned low = digit_value(data.text[i + 1]);

        if (high > 15 || low > 15) {
            reply(q, "FAIL write: DATA has something other than hexadecimal "
                  "digits at byte %zu", i / 2 - 1);
            return;
        }
        if (i / 2 - 1 < size) {
            block[i / 2 - 1] = high << 4 | low;
        }
    }
    block_access(q, addr, block, size, true);
    reply_ok(q);
}

static void run_b64read(QTest *q, const Line *line)
{
    g_autofree uint8_t *block = NULL;
    g_autofree char *base64 = NULL, *text = NULL;
    uint64_t addr, size;

    if (!line_number(q, line, 1, "ADDR", &addr) ||
        !line_size(q, line, 2, BLOCK_MAX, &size)) {
        return;
    }
    block = g_malloc(size + 1);
    block_access(q, addr, block, size, false);
    base64 = g_base64_encode(block, size);
    text = g_strconcat("OK ", base64, NULL);
    out_line(q, text, strlen(text));
}

/* Not more than the data, nor than the size, is written. */
static void run_b64write(QTest *q, const Line *line)
{
    g_autofree uint8_t *block = NULL;
    uint64_t addr, size;
    size_t len;
    gint state = 0;
    guint save = 0;
    Span data;
    size_t i;

    if (!line_block(q, line, &addr, &size, &data, 4)) {
        return;
    }
    for (i = 0; i < data.len; i++) {
        char c = data.text[i];

        if (!g_ascii_isalnum(c) && c != '+' && c != '/' && c != '=') {
            reply(q, "FAIL b64write: DATA has something other than base64 at "
                  "character %zu", i);
            return;
        }
    }
    block = g_malloc(data.len / 4 * 3 + 3);
    len = g_base64_decode_step(data.text, data.len, block, &state, &save);
    block_access(q, addr, block, MIN(size, len), true);
    reply_ok(q);
}

static void run_memset(QTest *q, const Line *line)
{
    uint64_t addr, size, value, done;
    uint8_t block[4096];

    if (!line_number(q, line, 1, "ADDR", &addr) ||
        !line_size(q, line, 2, MEMSET_MAX, &size) ||
        !line_number(q, line, 3, "VALUE", &value)) {
        return;
    }
    memset(block, value & 0xff, sizeof(block));
    for (done = 0; done < size; done += sizeof(block)) {
        block_access(q, addr + done, block, MIN(size - done, sizeof(block)),
                     true);
    }
    reply_ok(q);
}

/* ---- the clock -------------------------------------------------------------------------- */

static void clock_move(QTest *q, const Line *line, int64_t ns)
{
    if (clock_virtual_advance_to(ns)) {
        reply(q, "OK %" PRId64, clock_virtual_ns());
    } else {
        reply(q, "FAIL %s: more than %u timers were due; the clock is at %"
              PRId64, line->command->name, CLOCK_FIRES_MAX, clock_virtual_ns());
    }
}

static void run_clock_step(QTest *q, const Line *line)
{
    int64_t now = clock_virtual_ns();
    int64_t deadline;
    uint64_t ns;

    if (line->words_nr == 1) {
        deadline = clock_virtual_deadline_ns();
        clock_move(q, line, deadline > CLOCK_NS_MAX ? now : deadline);
        return;
    }
    if (!line_number(q, line, 1, "NS", &ns)) {
        return;
    }
    if (ns > (uint64_t)(CLOCK_NS_MAX - now)) {
        reply(q, "FAIL clock_step: NS: the clock, at %" PRId64 ", cannot go on "
              "by %" PRIu64, now, ns);
        return;
    }
    clock_move(q, line, now + (int64_t)ns);
}

static void run_clock_set(QTest *q, const Line *line)
{
    uint64_t ns;

    if (!line_number(q, line, 1, "NS", &ns)) {
        return;
    }
    if (ns > CLOCK_NS_MAX) {
        reply(q, "FAIL clock_set: NS: the clock cannot go to %" PRIu64, ns);
        return;
    }
    clock_move(q, line, (int64_t)ns);
}

/* ---- interrupt wires ----------------------------------------------------------------------- */

static void irq_tell(QTest *q, unsigned n)
{
    q->told[n] = q->levels[n];
    reply(q, "IRQ %s %u", q->levels[n] ? "raise" : "lower", n);
}

/* The changes that had no line yet. */
static void irqs_tell(QTest *q)
{
    unsigned n;

    for (n = 0; n < IRQS_NR && q->untold; n++) {
        if (q->told[n] != q->levels[n]) {
            irq_tell(q, n);
        }
    }
    q->untold = false;
}

static void irq_changed(void *opaque, int n, int level)
{
    QTest *q = opaque;

    if (n < 0 || n >= IRQS_NR || q->levels[n] == (level != 0)) {
        return;
    }
    q->levels[n] = level != 0;
    if (q->out->len >= CHARDEV_WRITE_MAX) {
        out_flush(q);
    }
    if (q->out->len - q->out_pos > IRQS_MAX) {
        q->untold = true;
        return;
    }
    irq_tell(q, n);
    if (!q->running) {
        out_flush(q);
    }
}

static Device *device_at(const char *path)
{
    Object *obj = object_resolve(path, NULL);

    return obj ? object_device(obj) : NULL;
}

/* The device that word 1 names. NULL, and the reply is sent, without. */
static Device *line_device(QTest *q, const Line *line)
{
    g_autofree char *path = NULL;
    Device *dev;
    Span word;

    if (!line_word(q, line, 1, "PATH", &word)) {
        return NULL;
    }
    path = g_strndup(word.text, word.len);
    dev = device_at(path);
    if (!dev) {
        reply(q, "FAIL Unknown device");
    }
    return dev;
}

static bool is_our_tap(const QTest *q, const IRQLine *tap)
{
    return tap->set == irq_changed && tap->opaque == q;
}

/* The device whose wires we listen to, unless it has gone. */
static Device *intercepted_device(QTest *q)
{
    Device *dev = q->intercepted ? device_at(q->intercepted) : NULL;

    return dev && (is_our_tap(q, &dev->tap_in) || is_our_tap(q, &dev->tap_out))
               ? dev
               : NULL;
}

static void intercept(QTest *q, const Line *line, bool out, const char *name)
{
    IRQLine tap = { .set = irq_changed, .opaque = q };
    Device *dev = line_device(q, line);
    Device *before;
    Span word;

    if (!dev) {
        return;
    }
    if (!name && !out && line->words_nr > 2) {
        reply(q, "FAIL Interception of named in-GPIOs not yet supported");
        return;
    }
    if (name && !line_word(q, line, 2, "NAME", &word)) {
        return;
    }
    before = intercepted_device(q);
    if (before) {
        reply(q, before == dev ? "OK" : "FAIL IRQ intercept already enabled");
        return;
    }
    if ((name && !span_is(word, name)) ||
        (!out && dev->type->inputs_nr == 0) ||
        !device_intercept(dev, out, tap)) {
        reply(q, "FAIL No intercepts installed");
        return;
    }
    g_free(q->intercepted);
    q->intercepted = object_path(&dev->object);
    reply_ok(q);
}

static void run_intercept_in(QTest *q, const Line *line)
{
    intercept(q, line, false, NULL);
}

static void run_intercept_out(QTest *q, const Line *line)
{
    intercept(q, line, true, NULL);
}

static void run_intercept_out_named(QTest *q, const Line *line)
{
    intercept(q, line, true, OUTPUTS_NAME);
}

static void run_set_irq_in(QTest *q, const Line *line)
{
    Device *dev = line_device(q, line);
    uint64_t n, level;
    IRQLine irq;
    Span name;

    if (!dev || !line_word(q, line, 2, "NAME", &name) ||
        !line_number(q, line, 3, "NUM", &n) ||
        !line_number(q, line, 4, "LEVEL", &level)) {
        return;
    }
    if (!span_is(name, INPUTS_NAME)) {
        reply(q, "FAIL set_irq_in: NAME: '%s' has no inputs '%s'; there is '"
              INPUTS_NAME "'", dev->type->name, span_echo(name).text);
        return;
    }
    if (n >= dev->type->inputs_nr) {
        reply(q, "FAIL set_irq_in: NUM: '%s' has %u inputs, and none has the "
              "number %" PRIu64, dev->type->name, dev->type->inputs_nr, n);
        return;
    }
    irq = device_irq_in(dev, n);
    irq_set(&irq, level != 0);
    reply_ok(q);
}

/* ---- lines ------------------------------------------------------------------------------- */

static void run_endianness(QTest *q, const Line *line)
{
    reply(q, "OK little");
}

static const Command commands[] = {
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
    { "irq_intercept_in", 0, run_intercept_in },
    { "irq_intercept_out", 0, run_intercept_out },
    { "irq_intercept_out_named", 0, run_intercept_out_named },
    { "set_irq_in", 0, run_set_irq_in },
    { "endianness", 0, run_endianness },
};

static const Command *command_find(Span name)
{
    const Command *c;

    for (c = commands; c < commands + G_N_ELEMENTS(commands); c++) {
        if (span_is(name, c->name)) {
            return c;
        }
    }
    return NULL;
}

/* Words are parted by one space each; one at the end of the line parts nothing. */
static void line_split(Line *line, const char *text, size_t len)
{
    const char *end = text + len;

    line->words_nr = 0;
    do {
        const char *space = line->words_nr < WORDS_MAX - 1
                                ? memchr(text, ' ', end - text)
                                : NULL;
        Span word = { text, (space ? space : end) - text };

        line->words[line->words_nr++] = word;
        text = space ? space + 1 : end;
    } while (text < end);
}

static void line_run(QTest *q, const char *text, size_t len)
{
    Line line;

    log_line(q, 'R', text, len);
    line_split(&line, text, len);
    line.command = command_find(line.words[0]);
    if (!line.command) {
        reply(q, "FAIL Unknown command '%s'", span_echo(line.words[0]).text);
        return;
    }
    q->running = true;
    line.command->run(q, &line);
    q->running = false;
}

/* ---- input --------------------------------------------------------------------------------- */

/* Carry out the lines at @buf, whose first @scanned bytes have no end of line,
 * until one is not complete or replies are not taken. Returns the bytes done. */
static size_t lines_run(QTest *q, const char *buf, size_t len, size_t scanned)
{
    size_t done = 0;

    while (!q->blocked) {
        size_t from = MAX(done, scanned);
        const char *end = memchr(buf + from, '\n', len - from);

        if (!end) {
            break;
        }
        if (q->skipping) {
            q->skipping = false;
        } else {
            line_run(q, buf + done, end - (buf + done));
        }
        done = end + 1 - buf;
        if (q->out->len >= CHARDEV_WRITE_MAX) {
            out_flush(q);
        }
    }
    return done;
}

static void input_run(QTest *q)
{
    size_t done = lines_run(q, (char *)q->in->data, q->in->len, q->in_scanned);

    /* Less is left where the peer went meanwhile. */
    g_byte_array_remove_range(q->in, 0, MIN(done, q->in->len));
    if (q->blocked) {
        q->in_scanned = 0;
        return;
    }
    if (q->in->len > LINE_BYTES_MAX && !q->skipping) {
        reply(q, "FAIL a line is longer than %u bytes", LINE_BYTES_MAX);
        q->skipping = true;
    }
    if (q->skipping) {
        g_byte_array_set_size(q->in, 0);
    }
    q->in_scanned = q->in->len;
}

static size_t qtest_can_receive(void *opaque)
{
    QTest *q = opaque;

    return q->blocked ? 0 : CHUNK_MAX;
}

static void qtest_receive(void *opaque, const uint8_t *buf, size_t len)
{
    QTest *q = opaque;
    size_t done = 0;

    if (q->in->len == 0) {
        done = lines_run(q, (const char *)buf, len, 0);
    }
    if (done < len) {
        g_byte_array_append(q->in, buf + done, len - done);
        input_run(q);
    }
    out_flush(q);
    if (q->log) {
        fflush(q->log);
    }
}

static void qtest_writable(void *opaque)
{
    QTest *q = opaque;

    q->blocked = false;
    out_flush(q);
    while (!q->blocked && q->in->len) {
        size_t before = q->in->len;

        input_run(q);
        out_flush(q);
        if (q->in->len == before) {
            break;
        }
    }
    if (!q->blocked) {
        chardev_accept_input(q->chr);
    }
}

static void qtest_reset(QTest *q)
{
    g_byte_array_set_size(q->in, 0);
    g_byte_array_set_size(q->out, 0);
    q->in_scanned = q->out_pos = 0;
    q->skipping = q->blocked = q->untold = false;
    memset(q->levels, 0, sizeof(q->levels));
    memset(q->told, 0, sizeof(q->told));
}

static void qtest_event(void *opaque, ChardevEvent event)
{
    QTest *q = opaque;

    if (event == CHARDEV_OPENED) {
        qtest_reset(q);
        q->opened_us = g_get_monotonic_time();
    } else if (event == CHARDEV_CLOSED) {
        qtest_reset(q);
    } else {
        return;
    }
    if (q->log) {
        if (event == CHARDEV_OPENED) {
            fprintf(q->log, "[I %.6f] OPENED\n", 0.0);
        } else {
            fprintf(q->log, "[I +%.6f] CLOSED\n", qtest_seconds(q));
        }
        fflush(q->log);
    }
}

static const ChardevFrontend qtest_frontend = {
    .can_receive = qtest_can_receive,
    .receive = qtest_receive,
    .on_writable = qtest_writable,
    .event = qtest_event,
};

/* ---- life ---------------------------------------------------------------------------------- */

QTest *qtest_new(Machine *machine, Chardev *chr, FILE *log, GError **err)
{
    QTest *q = g_new0(QTest, 1);

    q->machine = machine;
    q->chr = chr;
    q->log = log;
    q->in = g_byte_array_new();
    q->out = g_byte_array_new();
    q->opened_us = g_get_monotonic_time();
    if (!chardev_attach(chr, &qtest_frontend, q, err)) {
        g_byte_array_unref(q->in);
        g_byte_array_unref(q->out);
        g_free(q);
        return NULL;
    }
    return q;
}

void qtest_free(QTest *q)
{
    Device *dev;

    if (!q) {
        return;
    }
    memory_lock();
    chardev_detach(q->chr, q);
    dev = intercepted_device(q);
    if (dev) {
        dev->tap_in = dev->tap_out = (IRQLine) { 0 };
    }
    memory_unlock();
    g_free(q->intercepted);
    g_byte_array_unref(q->in);
    g_byte_array_unref(q->out);
    g_free(q);
}
