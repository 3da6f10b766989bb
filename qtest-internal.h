/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of qtest share:
 *
 *   qtest.c           the connection: its life, lines in, replies out
 *   qtest-commands.c  what a line asks for: arguments, memory, ports, the clock
 *   qtest-wires.c     interrupt wires, listened to and driven
 *
 * All of it runs in the main loop under the memory lock.
 */
#ifndef QTEST_INTERNAL_H
#define QTEST_INTERNAL_H

#include "qtest.h"

#define QTEST_IRQS_NR 256
#define QTEST_WORDS_MAX 6
#define QTEST_ECHO_MAX 64 /* of what was sent, in a reply */

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
    bool running;    /* a command is carried out: its qtest_reply follows */

    char *intercepted; /* path of the device whose wires we listen to, or NULL */
    bool levels[QTEST_IRQS_NR];
    bool told[QTEST_IRQS_NR];
    bool untold; /* some differ from levels */
};

/* A part of a line. */
typedef struct QTestSpan {
    const char *text;
    size_t len;
} QTestSpan;

typedef struct QTestCommand QTestCommand;

/* A line taken apart. */
typedef struct QTestLine {
    const QTestCommand *command;
    QTestSpan words[QTEST_WORDS_MAX]; /* the last has the rest of the line */
    unsigned words_nr;
} QTestLine;

struct QTestCommand {
    const char *name;
    unsigned size; /* of an access, in bytes */
    void (*run)(QTest *q, const QTestLine *line);
};

/* What a client sent, fit to be shown: short, and without surprises. */
typedef struct QTestEcho {
    char text[QTEST_ECHO_MAX + sizeof("...")];
} QTestEcho;

/* ---- qtest.c: output -------------------------------------------------------- */

/* Hand over what the peer takes. */
void qtest_out_flush(QTest *q);

/* Append a line, which is logged, too. */
void qtest_out_line(QTest *q, const char *text, size_t len);

/* The same with a short line as of printf(), "OK", or "OK 0x" and @value in at
 * least @digits digits. */
G_GNUC_PRINTF(2, 3)
void qtest_reply(QTest *q, const char *fmt, ...);
void qtest_reply_ok(QTest *q);
void qtest_reply_value(QTest *q, uint64_t value, unsigned digits);

/* ---- qtest-commands.c --------------------------------------------------------- */

/* The command with this name; NULL: none. */
const QTestCommand *qtest_command_find(QTestSpan name);

bool qtest_span_is(QTestSpan span, const char *text);
QTestEcho qtest_span_echo(QTestSpan span);

/* Word @n, called @name, or its number. False, and the reply is sent, where there
 * is none. */
bool qtest_line_word(QTest *q, const QTestLine *line, unsigned n,
                     const char *name, QTestSpan *word);
bool qtest_line_number(QTest *q, const QTestLine *line, unsigned n,
                       const char *name, uint64_t *value);

/* ---- qtest-wires.c ------------------------------------------------------------ */

/* Append the changes that had no line yet. */
void qtest_irqs_tell(QTest *q);

/* Forget what the wires are like: for a new listener. */
void qtest_irqs_forget(QTest *q);

/* Listen no more. */
void qtest_intercept_end(QTest *q);

/* Commands. */
void qtest_run_intercept_in(QTest *q, const QTestLine *line);
void qtest_run_intercept_out(QTest *q, const QTestLine *line);
void qtest_run_intercept_out_named(QTest *q, const QTestLine *line);
void qtest_run_set_irq_in(QTest *q, const QTestLine *line);

#endif
