/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the benchmark program share: a list of figures, and how a
 * median is taken.
 */
#ifndef BENCH_H
#define BENCH_H

#include <glib.h>
#include <stdint.h>

#define BENCH_RUNS 11    /* of each figure of the core; the median counts */
#define BENCH_STARTS 60  /* of each program */

/* One line of the table. Strings are constant or owned by nobody. */
typedef struct Figure {
    const char *key;  /* in JSON */
    const char *text; /* in the table */
    const char *unit;
    double median, least, most;
    const char *peer; /* the same measured for QEMU 7.2; NULL: not known */
    const char *skip; /* why it was not measured; NULL: it was */
} Figure;

/* Fill in median, least and most from @nr @samples, which are sorted. */
void figure_set(Figure *figure, double *samples, unsigned nr);

/* Nanoseconds that this thread has run. What else a busy machine does is not in
 * them, so this is for figures of what never sleeps. */
uint64_t bench_thread_time(void);

/* Each appends its figures, in the order of the table. */
void bench_core(GArray *figures);
void bench_start(GArray *figures);

#endif
