/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that names the RCU library. Readers of a flat view hold the
 * read side only for a look-up or a copy, never across a device callback, so a
 * callback may change the map and wait for readers.
 */
#ifndef RCU_H
#define RCU_H

/* The read side inline, which this project's licence allows; called where a
 * sanitizer checks alignment, as the library's own records lack theirs. */
#if !defined(_LGPL_SOURCE) && !defined(RCU_CALLS)
#define _LGPL_SOURCE
#endif
#include <stdbool.h>
#include <stdbool.h>
#include <stddef.h>
#include <urcu-bp.h>

#if defined(__SANITIZE_THREAD__)
#define RCU_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RCU_TSAN 1
#endif
#endif

#ifdef RCU_TSAN
/* The library is not instrumented: tell the thread sanitizer that everything
 * a read side did happens before the end of a later grace period. */
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
extern char memory_rcu_token;
#define RCU_RELEASE() __tsan_release(&memory_rcu_token)
#define RCU_ACQUIRE() __tsan_acquire(&memory_rcu_token)
#else
#define RCU_RELEASE() ((void)0)
#define RCU_ACQUIRE() ((void)0)
#endif

/* Enter a read side: views loaded afterwards stay valid until memory_rcu_exit().
 * Nests. No lock needed; any thread, unregistered. */
static inline void memory_rcu_enter(void)
{
    rcu_read_lock();
}

/* Whether memory_rcu_enter() is known to call nothing: a caller that looks at
 * this first has no need to keep its registers from a call. */
static inline bool memory_rcu_ready(void)
{
#ifdef RCU_CALLS
    return true;
#else
    return URCU_TLS(urcu_bp_reader) != NULL;
#endif
}

static inline void memory_rcu_exit(void)
{
    RCU_RELEASE();
    rcu_read_unlock();
}

/* Wait until every read side entered before this call was left. Must not be
 * called inside a read side. */
static inline void memory_rcu_synchronize(void)
{
    synchronize_rcu();
    RCU_ACQUIRE();
}

/* ---- what readers may still hold: rcu.c ------------------------------------ */

#define RCU_BATCH 256 /* blocks at most that wait */

/* Free @block, of @size bytes from g_malloc(), after the readers that may hold
 * it have left; may wait for them and for others before it. Under the memory
 * lock, outside any read side. */
void rcu_retire(void *block, size_t size);

/* The same, with @free instead of g_free(), which retires nothing. */
void rcu_retire_to(void *block, size_t size, void (*free)(void *block));

/* Have no reader left that may see anything retired: waits for them, and frees
 * it. Free of cost when nothing was retired since the last call. Under the
 * memory lock, outside any read side. */
void rcu_reclaim(void);

/* Blocks that wait to be freed, and their bytes. Under the memory lock. */
unsigned rcu_retired_count(void);
size_t rcu_retired_bytes(void);

#endif
