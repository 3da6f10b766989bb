/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory lock. It is taken and let go around most callbacks of devices,
 * nearly always without anybody waiting, and a mutex of the C library would be
 * a third of the time of an access. This one takes one atomic instruction.
 *
 * What an unlock would need a second one for is to see that somebody waits: its
 * store of "free" must be visible before it looks for that, or it misses one
 * that has just found the lock taken. Here the one that waits, which takes long
 * anyhow, pays for both: having said that it is about to sleep, it has the
 * kernel run a fence in all running threads of the process (membarrier). An
 * unlock that looked before that fence has also stored "free" before it, which
 * is then seen; one that looks after it sees somebody asleep.
 *
 * An unlock takes "asleep" back before it wakes one, so that the next ones need
 * not; who is woken says it again, if there are more, when it has the lock, or
 * before it goes back to sleep. Who was about to sleep meanwhile does not, as
 * the futex is not what it expects any more.
 */
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory-lock.h"

#define SPINS 100 /* most callbacks are shorter than going to sleep */

MemoryLock memory_lock_word;
__thread unsigned memory_lock_depth;
int memory_lock_fenced;

static bool membarrier(int command)
{
    return !syscall(SYS_membarrier, command, 0, 0);
}

/* Before any thread waits. Without membarrier each unlock has a fence. */
static void __attribute__((constructor)) memory_lock_init(void)
{
    memory_lock_fenced =
        !membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) ||
        !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}

static void fence_everywhere(void)
{
    if (!memory_lock_fenced && !membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) {
        /* A process forked off has to say it again. */
        membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    }
}

static void futex(int operation, int value)
{
    syscall(SYS_futex, &memory_lock_word.asleep, operation | FUTEX_PRIVATE_FLAG,
            value, NULL, NULL, 0);
}

void memory_lock_wake(void)
{
    __atomic_store_n(&memory_lock_word.asleep, 0, __ATOMIC_SEQ_CST);
    futex(FUTEX_WAKE, 1);
}

static bool memory_lock_spin(void)
{
    for (unsigned i = 0; i < SPINS; i++) {
        if (!__atomic_load_n(&memory_lock_word.locked, __ATOMIC_RELAXED) &&
            memory_lock_grab()) {
            return true;
        }
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }
    return false;
}

static void say_asleep(void)
{
    __atomic_store_n(&memory_lock_word.asleep, 1, __ATOMIC_SEQ_CST);
}

static void memory_lock_wait(void)
{
    if (memory_lock_spin()) {
        return;
    }
    __atomic_add_fetch(&memory_lock_word.waiters, 1, __ATOMIC_SEQ_CST);
    do {
        say_asleep();
        fence_everywhere();
        if (memory_lock_grab()) {
            break;
        }
        futex(FUTEX_WAIT, 1);
    } while (!memory_lock_spin());
    if (__atomic_sub_fetch(&memory_lock_word.waiters, 1, __ATOMIC_SEQ_CST)) {
        say_asleep();
    }
}

void memory_lock(void)
{
    if (memory_lock_depth++) {
        return;
    }
    if (memory_device_lock_held()) {
        memory_error("memory lock taken in a callback that runs under the "
                     "device's own lock, which comes after it");
    }
    if (!memory_lock_grab()) {
        memory_lock_wait();
    }
}

void memory_unlock(void)
{
    if (!memory_lock_depth) {
        memory_error("memory_unlock() without a memory_lock()");
        return;
    }
    memory_unlock_held();
}

bool memory_lock_held(void)
{
    return memory_lock_depth;
}
