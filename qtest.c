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
 * input, by the reply to one command, and by what qtest-wires.c says of interrupts.
 * While it does not take its replies, no more of its lines are read.
 */
#include <stdarg.h>
#include <string.h>

#include "qtest-internal.h"

#define LINE_BYTES_MAX (16u << 20) /* of one line; hex takes two for each */
#define CHUNK_MAX (64u << 10)      /* bytes of input taken at a time */

/* ---- log ---------------------------------------------------------------- */

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

/* ---- output ------------------------------------------------------------- */

void qtest_out_flush(QTest *q)
{
    if (q->blocked) {
        return;
    }
    do {
        while (q->out_pos < q->out->len) {
            size_t n = MIN(q->out->len - q->out_pos, CHARDEV_WRITE_MAX);

            if (!chardev_write(q->chr, q->out->data + q->out_pos, n)) {
                g_byte_array_remove_range(q->out, 0, q->out_pos);
                q->out_pos = 0;
                q->blocked = true;
                return;
            }
            q->out_pos += n;
        }
        g_byte_array_set_size(q->out, 0);
        q->out_pos = 0;
        qtest_irqs_tell(q);
    } while (q->out->len);
}

void qtest_out_line(QTest *q, const char *text, size_t len)
{
    log_line(q, 'S', text, len);
    g_byte_array_append(q->out, (const uint8_t *)text, len);
    g_byte_array_append(q->out, (const uint8_t *)"\n", 1);
}

void qtest_reply(QTest *q, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    qtest_out_line(q, text, MIN((size_t)len, sizeof(text) - 1));
}

void qtest_reply_ok(QTest *q)
{
    qtest_out_line(q, "OK", 2);
}

void qtest_reply_value(QTest *q, uint64_t value, unsigned digits)
{
    char text[5 + 16] = "OK 0x";
    unsigned i;

    while (digits < 16 && value >> (4 * digits)) {
        digits++;
    }
    for (i = digits; i-- > 0; value >>= 4) {
        text[5 + i] = "0123456789abcdef"[value & 0xf];
    }
    qtest_out_line(q, text, 5 + digits);
}

/* ---- lines -------------------------------------------------------------- */

/* Words are parted by one space each; one at the end of the line parts nothing. */
static void line_split(QTestLine *line, const char *text, size_t len)
{
    const char *end = text + len;

    line->words_nr = 0;
    do {
        const char *space = line->words_nr < QTEST_WORDS_MAX - 1
                                ? memchr(text, ' ', end - text)
                                : NULL;
        QTestSpan word = { text, (space ? space : end) - text };

        line->words[line->words_nr++] = word;
        text = space ? space + 1 : end;
    } while (text < end);
}

static void line_run(QTest *q, const char *text, size_t len)
{
    QTestLine line;

    log_line(q, 'R', text, len);
    line_split(&line, text, len);
    line.command = qtest_command_find(line.words[0]);
    if (!line.command) {
        qtest_reply(q, "FAIL Unknown command '%s'", qtest_span_echo(line.words[0]).text);
        return;
    }
    q->running = true;
    line.command->run(q, &line);
    q->running = false;
}

/* ---- input -------------------------------------------------------------- */

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
            qtest_out_flush(q);
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
        qtest_reply(q, "FAIL a line is longer than %u bytes", LINE_BYTES_MAX);
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
    qtest_out_flush(q);
    if (q->log) {
        fflush(q->log);
    }
}

static void qtest_writable(void *opaque)
{
    QTest *q = opaque;

    q->blocked = false;
    qtest_out_flush(q);
    while (!q->blocked && q->in->len) {
        size_t before = q->in->len;

        input_run(q);
        qtest_out_flush(q);
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
    q->skipping = q->blocked = false;
    qtest_irqs_forget(q);
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

/* ---- life --------------------------------------------------------------- */

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
    if (!q) {
        return;
    }
    memory_lock();
    chardev_detach(q->chr, q);
    qtest_intercept_end(q);
    memory_unlock();
    g_byte_array_unref(q->in);
    g_byte_array_unref(q->out);
    g_free(q);
}
