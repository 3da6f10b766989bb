/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What monitor.c and the two kinds of monitors, qmp.c and hmp.c, share, and
 * nobody else includes.
 *
 * All of a monitor happens in the main loop's thread. The character device only
 * leaves bytes and news behind, under the memory lock; a source of the main loop
 * then calls the functions of MonitorOps, without any lock, in each turn as long
 * as there is something to do.
 */
#ifndef MONITOR_MONITOR_INTERNAL_H
#define MONITOR_MONITOR_INTERNAL_H

#include "monitor/monitor.h"

/* One kind of monitors. No lock is held in any of these. */
typedef struct MonitorOps {
    /* A monitor comes and goes; what it returns is mon->session. */
    void *(*attach)(Monitor *mon);
    void (*detach)(Monitor *mon);
    /* A client is there: greet it. It has gone, and all that it sent has been
     * taken by input() and run(): forget it. In turns, opened() first. */
    void (*opened)(Monitor *mon);
    void (*closed)(Monitor *mon);
    /* Take what came in. Returns how much of it: less than @len where something
     * has to be done first, the rest comes again when run() has been called.
     * Not called while output waits (see monitor_is_blocked()). */
    size_t (*input)(Monitor *mon, const uint8_t *buf, size_t len);
    /* Carry out one command, if there is one. Returns whether there is more to
     * do, in the next turn of the loop. Not called while output waits. */
    bool (*run)(Monitor *mon);
    /* Output waited, and now does so no more; NULL: does not care. */
    void (*unblocked)(Monitor *mon);
    /* Of several frontends of its device, it is this one now that the user types
     * to; NULL: does not care. Not before opened(). */
    void (*focus_in)(Monitor *mon);
} MonitorOps;

extern const MonitorOps hmp_ops; /* hmp-session.c */
extern const MonitorOps qmp_ops; /* qmp.c */

struct Monitor {
    Chardev *chr;
    MonitorMode mode;
    bool pretty;
    const MonitorOps *ops;
    void *session;      /* what ops->attach() returned */
    unsigned cpu_index; /* see monitor_cpu_index() */

    GString *output;    /* what the client has not taken yet */
    size_t output_sent; /* of that, bytes which it has */

    /* monitor.c's: */
    GSource *source;
    uint8_t input[1024];
    size_t input_len;
    bool is_open;    /* ops->opened() was called */
    bool has_opened; /* news: a client came, */
    bool has_closed; /* a client went; before has_opened, if there are both */
    bool has_focus_in; /* news: see ops->focus_in */
    bool has_ended;  /* news: the client sends no more, */
    bool is_ending;  /* and goes when it has heard all */
    bool was_blocked;
    bool is_deaf;    /* the device may hold input back */
};

/* Where more than this waits for the client to read, it is not listened to and
 * nothing is done for it until it has read, in bytes. */
#define MONITOR_OUTPUT_BLOCKS (256 * 1024)

/* Send @len bytes of @text, or keep what the client does not take yet. */
void monitor_write(Monitor *mon, const char *text, size_t len);

/* Whether it has to read first. */
bool monitor_is_blocked(const Monitor *mon);

/* There is something to do for ops->run(). */
void monitor_schedule(Monitor *mon);

/* Call @fn for each monitor of @mode; it frees none. */
void monitor_for_each(MonitorMode mode, void (*fn)(Monitor *mon, void *opaque),
                      void *opaque);

#endif
