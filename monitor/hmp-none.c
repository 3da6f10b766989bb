/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands where the human monitor will be: takes what is typed. */
#include "monitor/monitor-internal.h"

static void *none_attach(Monitor *mon)
{
    return NULL;
}

static void none_detach(Monitor *mon)
{
}

static size_t none_input(Monitor *mon, const uint8_t *buf, size_t len)
{
    return len;
}

static bool none_run(Monitor *mon)
{
    return false;
}

const MonitorOps hmp_ops = { .attach = none_attach,
                             .detach = none_detach,
                             .opened = none_detach,
                             .closed = none_detach,
                             .input = none_input,
                             .run = none_run };
