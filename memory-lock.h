/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the memory lock that exec.c has inline: taking it when it is free,
 * and letting it go when nobody waits. See memory-lock.c.
 */
#ifndef MEMORY_LOCK_H
#define MEMORY_LOCK_H

#include <stdbool.h>

#include "memory-internal.h"

/* A line of the cache for itself: what accesses read without the lock must not
 * lie beside it, or they wait for whoever takes it. */
typedef struct MemoryLock {
    int locked;
    int asleep;  /* futex: somebody sleeps, or is about to, and is to be woken */
    int waiters; /* threads that do, or have just been woken */
} __attribute__((aligned(64))) MemoryLock;

G_STATIC_ASSERT(sizeof(MemoryLock) == 64);

extern MemoryLock memory_lock_word;
extern __thread unsigned memory_lock_depth;
extern int memory_lock_fenced; /* letting go needs a fence of its own */

/* Wake one of those that wait. */
void memory_lock_wake(void);

static inline bool memory_lock_grab(void)
{
    int is_free = 0;

    return __atomic_compare_exchange_n(&memory_lock_word.locked, &is_free, 1,
                                       false, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED);
}

/* Take the memory lock if that needs no wait; false if it does. */
static inline bool memory_trylock(void)
{
    if (!memory_lock_depth && __builtin_expect(!memory_lock_grab(), 0)) {
        return false;
    }
    memory_lock_depth++;
    return true;
}

/* What memory_unlock() does where the lock is known to be held. */
static inline void memory_unlock_held(void)
{
    if (--memory_lock_depth) {
        return;
    }
    if (__builtin_expect(memory_lock_fenced, 0)) {
        __atomic_exchange_n(&memory_lock_word.locked, 0, __ATOMIC_SEQ_CST);
    } else {
        __atomic_store_n(&memory_lock_word.locked, 0, __ATOMIC_RELEASE);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* the rest: memory-lock.c */
    }
    if (__builtin_expect(__atomic_load_n(&memory_lock_word.asleep,
                                         __ATOMIC_RELAXED) != 0, 0)) {
        memory_lock_wake();
    }
}

#endif
