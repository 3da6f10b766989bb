/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of qtest and QMP for tests of a whole machine: starts the program
 * that the environment variable FLATVIEW names, which connects to two sockets,
 * and drives it. What goes wrong ends the test.
 */
#ifndef TESTS_QVM_H
#define TESTS_QVM_H

#include "tests/test-util.h"

#define QVM_IRQS 256
#define QVM_WAIT_S 50 /* for a reply, a connection or the end */

typedef struct QVM {
    pid_t pid;        /* 0: it has ended */
    int fd, qmp_fd;   /* -1: closed */
    int serial_fd;    /* of qvm_start_serial(), or -1 */
    GString *rx, *qmp_rx;
    GString *line;    /* the last reply */
    GPtrArray *events; /* char *, QMP's, not asked for yet */
    bool irqs[QVM_IRQS];
    unsigned raises[QVM_IRQS]; /* how often it went up */
    char *errors;     /* path of what the program wrote to standard error */
    char *log;        /* path of qtest's log */
    char *path;       /* of the socket for qtest */
} QVM;

/* Start it with more options after those that select qtest; they are parted as
 * a shell does it. Both connections are made, QMP has negotiated. */
QVM *qvm_start(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

typedef enum QVMFlags {
    QVM_GREETING = 1, /* QMP is left at its greeting */
    QVM_SERVER = 2,   /* the program listens for qtest: see qvm_connect() */
} QVMFlags;

/* The same with another program (NULL: the usual one), in another way. */
QVM *qvm_start_as(const char *program, QVMFlags flags, const char *options);

/* Of QVM_SERVER: connect, after hanging up where there is a connection. */
void qvm_connect(QVM *vm);

/* The same with a serial port whose line is serial_fd. */
QVM *qvm_start_serial(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* End it by SIGTERM; its status must be 0. */
void qvm_end(QVM *vm);

/* Wait for it to end by itself; returns its status. Free with qvm_free(). */
int qvm_wait(QVM *vm);
void qvm_free(QVM *vm);

/* On the board pc, with these options, the program does not start, and says these
 * words. */
void qvm_refused(const char *words, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Whether it runs still. */
bool qvm_is_alive(QVM *vm);

/* What it has written to standard error so far, to be freed. */
char *qvm_errors(QVM *vm);

/* ---- qtest ------------------------------------------------------------------------- */

/* Send bytes as they are. */
void qvm_send(QVM *vm, const void *data, size_t len);

/* The next line from the program, without its end, which may be one about an
 * interrupt. Valid until the next call. */
const char *qvm_receive(QVM *vm);

/* Send a line; the reply, lines about interrupts being noted and left out. Valid
 * until the next call. */
const char *qvm_command(QVM *vm, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* The reply to lines sent by qvm_send(). */
const char *qvm_reply(QVM *vm);

/* Send a line whose reply must be @wanted. */
#define qvm_expect(vm, wanted, ...)                                            \
    ck_assert_str_eq(qvm_command(vm, __VA_ARGS__), wanted)

/* Reads and writes of @size bytes: 1, 2, 4, for memory also 8. */
uint32_t qvm_in(QVM *vm, unsigned port, unsigned size);
void qvm_out(QVM *vm, unsigned port, uint32_t value, unsigned size);
uint64_t qvm_load(QVM *vm, uint64_t addr, unsigned size);
void qvm_store(QVM *vm, uint64_t addr, uint64_t value, unsigned size);

/* Blocks, by "read" and "write". */
void qvm_read(QVM *vm, uint64_t addr, void *data, size_t size);
void qvm_write(QVM *vm, uint64_t addr, const void *data, size_t size);

/* Move the clock on; returns what it then shows. */
int64_t qvm_clock_step(QVM *vm, int64_t ns);
int64_t qvm_clock_next(QVM *vm); /* to the next deadline */

/* The level of wire @n of the device that irq_intercept_in or _out names, now. */
bool qvm_irq(QVM *vm, unsigned n);

/* Wait until @condition holds: for what the program does when it comes to it. */
#define qvm_wait_until(condition)                                              \
    do {                                                                       \
        for (unsigned i_ = 0; !(condition); i_++) {                            \
            expect(i_ < 1000 * QVM_WAIT_S, "not in time: %s", #condition);     \
            g_usleep(1000);                                                    \
        }                                                                      \
    } while (0)

/* Do what the text docs/@name says: lines of it that begin with "    $ " start a
 * machine, "    > " are sent, and "    < " is what comes back. The text, to be freed. */
char *qvm_follow_text(const char *name);

/* ---- QMP ------------------------------------------------------------------------------ */

/* The next line from QMP, to be freed. */
char *qvm_qmp_receive(QVM *vm);

/* Send a text and take the reply, to be freed; events are kept. ' stands for ". */
char *qvm_qmp(QVM *vm, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* The same; the reply must be no error. */
void qvm_qmp_ok(QVM *vm, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* Wait for the event of this name; earlier ones are dropped. To be freed. */
char *qvm_event(QVM *vm, const char *name);

/* What a command of the human monitor prints, to be freed. */
char *qvm_hmp(QVM *vm, const char *line);

#endif
