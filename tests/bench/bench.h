/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the benchmark program share: a list of figures, how time is
 * taken, and a listener that counts.
 */
#ifndef BENCH_H
#define BENCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define BENCH_RUNS 11    /* of each figure of the core; the median counts */
#define BENCH_STARTS 60  /* of each program */

/* One line of the table. Strings are constant or owned by nobody. 0, or NULL,
 * stands for what is not there. */
typedef struct Figure {
    const char *key;  /* in JSON */
    const char *text; /* in the table */
    const char *unit; /* ns, us, ms; "x" for a ratio; else a size */
    double median, least, most;
    double wall;         /* the median by the clock on the wall */
    double target;       /* must be no more than this */
    double target_times; /* must be so many times faster than the baseline */
    double baseline;     /* what the classic way takes: a median */
    unsigned baseline_runs; /* that it is the median of */
    const char *peer;    /* the same measured for QEMU 7.2 */
    const char *skip;    /* why it was not measured */
} Figure;

/* Whether the figure @key was asked for. */
bool bench_wanted(const char *key);

/* Fill in median, least and most from @nr @samples, which are sorted. */
void figure_set(Figure *figure, double *samples, unsigned nr);

/* Nanoseconds that this thread has run. What else a busy machine does is not in
 * them, so this is for figures of what never sleeps. */
uint64_t bench_thread_time(void);

/* Times of some runs of one thing, by both clocks. */
typedef struct Samples {
    uint64_t thread_start, wall_start;
    unsigned nr;
    double thread[BENCH_RUNS], wall[BENCH_RUNS];
} Samples;

/* A run starts; it ends, and took @units of what a sample counts, in ns. */
void samples_start(Samples *s);
void samples_stop(Samples *s, double units);

/* Set a figure of time; it becomes the time of the thread, and wall the other. */
void figure_set_samples(Figure *figure, Samples *s);

/* A figure's own check found something wrong: say so, and exit with 1. */
G_GNUC_PRINTF(2, 3) G_GNUC_NORETURN
void bench_wrong(const Figure *figure, const char *fmt, ...);

/* Counts the sections of the address space that it follows. */
typedef struct Follower {
    MemoryListener listener;
    unsigned sections;
    hwaddr added_at; /* the address of the last one */
} Follower;

void follower_start(Follower *follower, AddressSpace *as);
void follower_stop(Follower *follower);

/* bench_wrong() unless there are @sections. */
void follower_check(const Follower *follower, const Figure *figure,
                    unsigned sections);

/* Registers of a device that does next to nothing; opaque is a uint32_t. Reads
 * give it plus the address, writes set it. */
extern const MemoryRegionOps bench_reg_ops;

/* Numbers that look random, the same each time; @state starts as anything. */
static inline uint32_t bench_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Each appends its figures, in the order of the table. */
void bench_core(GArray *figures);
void bench_topology(GArray *figures);
void bench_dirty(GArray *figures);
void bench_start(GArray *figures);
void bench_firmware(GArray *figures);
void bench_control(GArray *figures);
void bench_display(GArray *figures);
void bench_vnc(GArray *figures); /* where a VNC client can be built */

#endif
