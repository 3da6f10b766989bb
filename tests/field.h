/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of what a commit costs: a map of as many regions as wanted, what
 * listeners heard of it in short, and what the core keeps.
 */
#ifndef FIELD_H
#define FIELD_H

#include "baseline.h"
#include "test-util.h"

/* Sanitizers make everything ten times slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECKED 1
#endif
#endif
#ifndef CHECKED
#define CHECKED 0
#endif

#define PITCH 0x1000
#define WIDTH 0x100

/* Regions named "io", WIDTH bytes each, one at the start of each PITCH. */
typedef struct Field {
    MemoryRegion root;
    AddressSpace as;
    MemoryRegion *io;
    unsigned nr;
} Field;

void field_init(Field *f, unsigned nr);
void field_destroy(Field *f);

/* A listener that hears what changes from now on. */
BaselineListener *follow(AddressSpace *as);
void unfollow(BaselineListener *l);

/* Exactly these lines since the last look: add|del|log_start|log_stop NAME
 * FIRST-LAST @OFFSET[ ro], bell_add|bell_del NAME ADDR/SIZE, zone_add|zone_del
 * NAME FIRST-LAST. */
void expect_heard(BaselineListener *l, ...) __attribute__((sentinel));

/* The core shows what @b renders now. */
void expect_baseline(Baseline *b);

/* Bytes of all views, when nothing waits for readers. */
size_t live_bytes(void);

/* All spaces are gone, and nothing is kept of them. */
void expect_nothing_left(void);

#endif
