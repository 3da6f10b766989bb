/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The classic way: each commit renders the whole map of a root again, compares
 * it with the whole map before, and makes its page descriptors anew. The core
 * must show, and tell listeners, exactly what comes out here; and benchmarks
 * put its times beside these. Reads the graph of the core and nothing else of
 * it. Needs no Check.
 */
#ifndef BASELINE_H
#define BASELINE_H

#include "memory-internal.h"

typedef enum BaselineEventType {
    BASELINE_REGION_ADD,
    BASELINE_REGION_DEL,
    BASELINE_LOG_START,
    BASELINE_LOG_STOP,
    BASELINE_EVENTFD_ADD,
    BASELINE_EVENTFD_DEL,
    BASELINE_COALESCED_ADD,
    BASELINE_COALESCED_DEL,
} BaselineEventType;

/* A call of a listener's, with its arguments; those it has not are zero. */
typedef struct BaselineEvent {
    BaselineEventType type;
    MemoryRegionSection section;
    bool match_data;
    uint64_t data;
    EventNotifier *e;
    hwaddr addr; /* of the zone */
    hwaddr len;
} BaselineEvent;

bool baseline_event_equal(const BaselineEvent *a, const BaselineEvent *b);

/* The event in words; free it. */
char *baseline_event_text(const BaselineEvent *event);

/* All of the following are to be called under the memory lock, or while no
 * other thread changes the graph. */

typedef struct Baseline Baseline;

/* Follow what @root shows, from an empty map on. @as: what sections name; may
 * be NULL. */
Baseline *baseline_new(MemoryRegion *root, AddressSpace *as);
void baseline_free(Baseline *b);

/* Render, compare with the last time, rebuild the descriptors. */
void baseline_commit(Baseline *b);

/* Show nothing any more. */
void baseline_withdraw(Baseline *b);

/* What the last commit, or the withdrawal, tells, in order; BaselineEvent. The
 * deletions of all address spaces go before the additions of any. They belong
 * to @b and stay until the next. */
const GArray *baseline_deletions(const Baseline *b);
const GArray *baseline_additions(const Baseline *b);

/* How many ranges the last commit left as they were. */
unsigned baseline_unchanged(const Baseline *b);

/* Append what a listener that registers, or unregisters, now is told. */
void baseline_replay(const Baseline *b, bool deletions, GArray *out);

/* The present map, by address, and the range that answers @addr (or NULL). */
const FlatRange *baseline_ranges(const Baseline *b, unsigned *nr);
const FlatRange *baseline_lookup(const Baseline *b, hwaddr addr);

/* Bytes of the present map and its descriptors. */
size_t baseline_bytes(const Baseline *b);

/* How the core's view of the address space differs, to be freed; NULL: it does
 * not. Looks at the form of its tree, too. */
char *baseline_difference(const Baseline *b);

/* ---- what a listener heard, in the same words ------------------------------------ */

typedef struct BaselineListener {
    MemoryListener listener; /* not registered at first */
    GArray *events;          /* BaselineEvent */
    unsigned begins, commits, nops;
} BaselineListener;

BaselineListener *baseline_listener_new(void);
void baseline_listener_free(BaselineListener *l);

/* Have it count region_nop, too; before it is registered. */
void baseline_listener_hear_nop(BaselineListener *l);

#endif
