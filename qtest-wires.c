/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt wires of qtest: one device's are listened to, every device's inputs
 * can be driven.
 */
#include <inttypes.h>
#include <string.h>

#include "qtest-internal.h"

#define IRQS_MAX (1u << 20)    /* bytes of output up to which each change of a
                                * level gets a line; then only the last one */

/* Names that the protocol gives to inputs and outputs. */
#define INPUTS_NAME "unnamed-gpio-in"
#define OUTPUTS_NAME "sysbus-irq"

static void irq_tell(QTest *q, unsigned n)
{
    q->told[n] = q->levels[n];
    qtest_reply(q, "IRQ %s %u", q->levels[n] ? "raise" : "lower", n);
}

void qtest_irqs_tell(QTest *q)
{
    unsigned n;

    for (n = 0; n < QTEST_IRQS_NR && q->untold; n++) {
        if (q->told[n] != q->levels[n]) {
            irq_tell(q, n);
        }
    }
    q->untold = false;
}

void qtest_irqs_forget(QTest *q)
{
    memset(q->levels, 0, sizeof(q->levels));
    memset(q->told, 0, sizeof(q->told));
    q->untold = false;
}

static void irq_changed(void *opaque, int n, int level)
{
    QTest *q = opaque;

    if (n < 0 || n >= QTEST_IRQS_NR || q->levels[n] == (level != 0)) {
        return;
    }
    q->levels[n] = level != 0;
    if (q->out->len >= CHARDEV_WRITE_MAX) {
        qtest_out_flush(q);
    }
    if (q->out->len - q->out_pos > IRQS_MAX) {
        q->untold = true;
        return;
    }
    irq_tell(q, n);
    if (!q->running) {
        qtest_out_flush(q);
    }
}

static Device *device_at(const char *path)
{
    Object *obj = object_resolve(path, NULL);

    return obj ? object_device(obj) : NULL;
}

/* The device that word 1 names. NULL, and the reply is sent, without. */
static Device *line_device(QTest *q, const QTestLine *line)
{
    g_autofree char *path = NULL;
    Device *dev;
    QTestSpan word;

    if (!qtest_line_word(q, line, 1, "PATH", &word)) {
        return NULL;
    }
    path = g_strndup(word.text, word.len);
    dev = device_at(path);
    if (!dev) {
        qtest_reply(q, "FAIL Unknown device");
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

static void intercept(QTest *q, const QTestLine *line, bool out, const char *name)
{
    IRQLine tap = { .set = irq_changed, .opaque = q };
    Device *dev = line_device(q, line);
    Device *before;
    QTestSpan word;

    if (!dev) {
        return;
    }
    if (!name && !out && line->words_nr > 2) {
        qtest_reply(q, "FAIL Interception of named in-GPIOs not yet supported");
        return;
    }
    if (name && !qtest_line_word(q, line, 2, "NAME", &word)) {
        return;
    }
    before = intercepted_device(q);
    if (before) {
        qtest_reply(q, before == dev ? "OK" : "FAIL IRQ intercept already enabled");
        return;
    }
    if ((name && !qtest_span_is(word, name)) ||
        (!out && dev->type->inputs_nr == 0) ||
        !device_intercept(dev, out, tap)) {
        qtest_reply(q, "FAIL No intercepts installed");
        return;
    }
    g_free(q->intercepted);
    q->intercepted = object_path(&dev->object);
    qtest_reply_ok(q);
}

void qtest_intercept_end(QTest *q)
{
    Device *dev = intercepted_device(q);

    if (dev) {
        dev->tap_in = dev->tap_out = (IRQLine) { 0 };
    }
    g_clear_pointer(&q->intercepted, g_free);
}

void qtest_run_intercept_in(QTest *q, const QTestLine *line)
{
    intercept(q, line, false, NULL);
}

void qtest_run_intercept_out(QTest *q, const QTestLine *line)
{
    intercept(q, line, true, NULL);
}

void qtest_run_intercept_out_named(QTest *q, const QTestLine *line)
{
    intercept(q, line, true, OUTPUTS_NAME);
}

void qtest_run_set_irq_in(QTest *q, const QTestLine *line)
{
    Device *dev = line_device(q, line);
    uint64_t n, level;
    IRQLine irq;
    QTestSpan name;

    if (!dev || !qtest_line_word(q, line, 2, "NAME", &name) ||
        !qtest_line_number(q, line, 3, "NUM", &n) ||
        !qtest_line_number(q, line, 4, "LEVEL", &level)) {
        return;
    }
    if (!qtest_span_is(name, INPUTS_NAME)) {
        qtest_reply(q, "FAIL set_irq_in: NAME: '%s' has no inputs '%s'; there is '"
                    INPUTS_NAME "'", dev->type->name, qtest_span_echo(name).text);
        return;
    }
    if (n >= dev->type->inputs_nr) {
        qtest_reply(q, "FAIL set_irq_in: NUM: '%s' has %u inputs, and none has the "
                    "number %" PRIu64, dev->type->name, dev->type->inputs_nr, n);
        return;
    }
    irq = device_irq_in(dev, n);
    irq_set(&irq, level != 0);
    qtest_reply_ok(q);
}
