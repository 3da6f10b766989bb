/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads. When they run is for runstate.c to say.
 *
 * Locks, in the order in which they may be taken:
 *
 *   1. the memory lock (memory_lock()): changes of the map, device callbacks.
 *      Every thread takes it for those, and only for those: a vCPU runs guest
 *      code, accesses RAM and looks up what answers an address without it.
 *   2. cpus.mutex, below: for sleeping and waking. Nothing is called with it
 *      held, so it can be taken anywhere, also under the memory lock.
 *
 * There are two ways to hold vCPUs, for two purposes:
 *
 *   Pause (cpus_pause_all) keeps vCPUs out of the guest, so that a memory slot
 *   can be replaced. The caller has the memory lock, so it must not wait for a
 *   vCPU to finish an access, which may need that lock: it only waits until no
 *   in_guest flag is set. A vCPU sets its flag, then looks at the pause
 *   count; the pauser raises the count, then looks at the flags: whichever is
 *   second sees the other. A vCPU that finds a pause takes its flag back and
 *   sleeps before the guest's door; one that is in a callback, or waits for the
 *   memory lock, is outside already, be it the pauser itself.
 *
 *   Stop (cpus_stop) brings the threads to rest between two instructions of the
 *   guest: for a reset, the end, a machine that does not run, and for whoever
 *   looks at registers. Only the main loop's thread does it, without the memory
 *   lock, and waits until every thread has parked. A parking vCPU first lets KVM
 *   finish the instruction whose access it has just served. A vCPU that a
 *   debugger holds stays parked when the others go on.
 *
 * A kick makes KVM_RUN return: it sets immediate_exit, which KVM looks at after
 * it has blocked signals, then sends one. The reason for a kick is always
 * stored before it, and a vCPU clears immediate_exit before it looks at the
 * reasons, so none is lost; at worst a KVM_RUN returns once for nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cpus.h"
#include "kvm-internal.h"

#define SIGNAL_KICK SIGUSR1

/* Commits of a deep map, by a callback, need some: see memory-render.c. */
#define THREAD_STACK_SIZE (2 * 1024 * 1024)

struct CPUThread {
    pthread_t thread;
    bool created;
    bool in_guest; /* atomic: in KVM_RUN, or about to be */
    bool parked;   /* cpus.mutex: at rest, and will stay so while stopped */
    int id;        /* cpus.mutex: the host's number; 0: not known yet */
};

static struct {
    CPUState *cpu; /* array */
    unsigned count;
    KVMState *kvm;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* of anything below, or an in_guest flag */
    unsigned pauses; /* atomic; written under mutex */
    unsigned stops;  /* mutex; one is the run state's, as at the start */
    bool held_back;  /* mutex */
    bool stop;       /* atomic; written under mutex: park, for either reason */
    bool quit;       /* mutex: and end the thread */
} cpus = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .stops = 1,
    .stop = true,
};

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define STORE(variable, value) \
    __atomic_store_n(&(variable), value, __ATOMIC_SEQ_CST)

static void lock(void)
{
    pthread_mutex_lock(&cpus.mutex);
}

static void unlock(void)
{
    pthread_mutex_unlock(&cpus.mutex);
}

/* Sleep until something changed. Under the mutex. */
static void wait_change(void)
{
    pthread_cond_wait(&cpus.changed, &cpus.mutex);
}

static void announce_change(void)
{
    pthread_cond_broadcast(&cpus.changed);
}

static void kick(CPUState *cpu)
{
    kvm_cpu_exit_request(cpu);
    pthread_kill(cpu->thread->thread, SIGNAL_KICK);
}

void cpu_kick(CPUState *cpu)
{
    if (cpu->thread->created &&
        !pthread_equal(cpu->thread->thread, pthread_self())) {
        kick(cpu);
    }
}

/* ---- a vCPU's thread ----------------------------------------------------- */

static void enter_guest(struct CPUThread *thread)
{
    for (;;) {
        STORE(thread->in_guest, true);
        if (!LOAD(cpus.pauses)) {
            return;
        }
        lock();
        STORE(thread->in_guest, false);
        announce_change();
        while (cpus.pauses) {
            wait_change();
        }
        unlock();
    }
}

static void leave_guest(struct CPUThread *thread)
{
    STORE(thread->in_guest, false);
    if (LOAD(cpus.pauses)) {
        lock();
        announce_change();
        unlock();
    }
}

/* Rest until the machine goes on; false: end the thread. */
static bool park(CPUState *cpu)
{
    struct CPUThread *thread = cpu->thread;
    bool quit;

    lock();
    thread->parked = true;
    announce_change();
    while ((cpus.stop || cpu->held) && !cpus.quit) {
        wait_change();
    }
    thread->parked = false;
    quit = cpus.quit;
    unlock();
    return !quit;
}

static void sleep_until_stop(void)
{
    lock();
    while (!cpus.stop) {
        wait_change();
    }
    unlock();
}

static void *cpu_thread(void *opaque)
{
    CPUState *cpu = opaque;
    struct CPUThread *thread = cpu->thread;

    lock();
    thread->id = gettid();
    announce_change();
    unlock();
    for (;;) {
        bool stopping = LOAD(cpus.stop);
        int result;

        if (kvm_cpu_is_halted(cpu)) {
            sleep_until_stop();
            if (!park(cpu)) {
                return NULL;
            }
            continue;
        }
        if (stopping) {
            kvm_cpu_exit_request(cpu);
        }
        enter_guest(thread);
        result = kvm_cpu_run(cpu);
        leave_guest(thread);
        if (!stopping || result >= 0) {
            kvm_cpu_handle_exit(cpu, result);
        } else if (!park(cpu)) {
            return NULL;
        }
    }
}

/* ---- pause --------------------------------------------------------------- */

void cpus_pause_all(void)
{
    unsigned i;

    lock();
    STORE(cpus.pauses, cpus.pauses + 1);
    for (i = 0; i < cpus.count; i++) {
        if (LOAD(cpus.cpu[i].thread->in_guest)) {
            kick(&cpus.cpu[i]);
        }
    }
    for (i = 0; i < cpus.count; i++) {
        while (LOAD(cpus.cpu[i].thread->in_guest)) {
            wait_change();
        }
    }
    unlock();
}

void cpus_resume_all(void)
{
    lock();
    STORE(cpus.pauses, cpus.pauses - 1);
    announce_change();
    unlock();
}

/* ---- stop ---------------------------------------------------------------- */

/* Have every vCPU that runs stop, and wait until it has. Under the mutex. */
static void stop_all(void)
{
    unsigned i;

    STORE(cpus.stop, true);
    announce_change();
    for (i = 0; i < cpus.count; i++) {
        if (cpus.cpu[i].thread->created && !cpus.cpu[i].thread->parked) {
            kick(&cpus.cpu[i]);
        }
    }
    for (i = 0; i < cpus.count; i++) {
        while (cpus.cpu[i].thread->created && !cpus.cpu[i].thread->parked) {
            wait_change();
        }
    }
}

static void update_stop(void)
{
    STORE(cpus.stop, cpus.stops || cpus.held_back);
    announce_change();
}

void cpus_stop(void)
{
    lock();
    cpus.stops++;
    stop_all();
    unlock();
    if (cpus.kvm && kvm_coalesced_pending(cpus.kvm)) {
        memory_lock();
        kvm_coalesced_drain(cpus.kvm);
        memory_unlock();
    }
}

void cpus_go_on(void)
{
    lock();
    cpus.stops--;
    update_stop();
    unlock();
}

void cpus_hold_back(bool hold)
{
    lock();
    cpus.held_back = hold;
    update_stop();
    unlock();
}

/* ---- life ---------------------------------------------------------------- */

bool cpus_create(KVMState *kvm, unsigned n, AddressSpace *memory,
                 AddressSpace *ports, GError **err)
{
    unsigned i;

    if (kvm && !kvm_check_cpus(kvm, n, err)) {
        return false;
    }
    cpus.cpu = g_new0(CPUState, n);
    cpus.count = n;
    for (i = 0; i < n; i++) {
        CPUState *cpu = &cpus.cpu[i];

        cpu->index = i;
        cpu->kvm = kvm;
        cpu->memory = memory;
        cpu->ports = ports;
        cpu->thread = g_new0(struct CPUThread, 1);
    }
    for (i = 0; kvm && i < n; i++) {
        if (!kvm_cpu_init(&cpus.cpu[i], err)) {
            cpus_destroy();
            return false;
        }
    }
    return true;
}

unsigned cpus_count(void)
{
    return cpus.count;
}

CPUState *cpus_get(unsigned index)
{
    return &cpus.cpu[index];
}

/* Every vCPU into its reset state. None runs. */
static void reset_cpus(void)
{
    unsigned i;

    for (i = 0; i < cpus.count; i++) {
        kvm_arch_reset_cpu(&cpus.cpu[i]);
    }
    for (i = 0; i < cpus.count; i++) {
        CPUState *cpu = &cpus.cpu[i];

        if (cpu->reset_hook) {
            cpu->reset_hook(cpu, cpu->reset_opaque);
        }
    }
}

void cpus_reset(void)
{
    if (cpus.kvm) {
        kvm_arch_reset_vm(cpus.kvm);
        reset_cpus();
    }
}

static void ignore_signal(int number)
{
}

/* A thread of its own for @cpu, which takes no signal but the kick: those
 * that end the program are the main loop's. */
static int create_thread(CPUState *cpu)
{
    sigset_t all;
    sigset_t old;
    pthread_attr_t attr;
    int error;

    sigfillset(&all);
    sigdelset(&all, SIGNAL_KICK);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&cpu->thread->thread, &attr, cpu_thread, cpu);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    cpu->thread->created = !error;
    if (!error) {
        char name[16]; /* for ps and top; no more fits */

        snprintf(name, sizeof(name), "CPU %u/KVM", cpu->index);
        pthread_setname_np(cpu->thread->thread, name);
    }
    return error;
}

bool cpus_start(GError **err)
{
    struct sigaction action = { .sa_handler = ignore_signal };
    KVMState *kvm = cpus.count ? cpus.cpu[0].kvm : NULL;
    unsigned i;

    if (!kvm) {
        return true;
    }
    reset_cpus();
    if (!kvm_check(kvm, err)) {
        return false;
    }
    sigaction(SIGNAL_KICK, &action, NULL);
    g_main_context_default(); /* made before threads that will wake it up */
    for (i = 0; i < cpus.count; i++) {
        int error = create_thread(&cpus.cpu[i]);

        if (error) {
            g_set_error(err, KVM_ERROR, 0,
                        "no thread for vCPU %u: %s: raise the limit on"
                        " processes (ulimit -u), or use a smaller -smp",
                        i, g_strerror(error));
            return false;
        }
    }
    kvm_set_started(kvm);
    cpus.kvm = kvm;
    return true;
}

int cpu_thread_id(const CPUState *cpu)
{
    int id;

    if (!cpu->thread->created) {
        return getpid();
    }
    lock();
    while (!cpu->thread->id) {
        wait_change();
    }
    id = cpu->thread->id;
    unlock();
    return id;
}

void cpus_destroy(void)
{
    unsigned i;

    if (!cpus.cpu) {
        return;
    }
    lock();
    stop_all();
    cpus.quit = true;
    announce_change();
    unlock();
    for (i = 0; i < cpus.count; i++) {
        if (cpus.cpu[i].thread->created) {
            pthread_join(cpus.cpu[i].thread->thread, NULL);
        }
    }
    for (i = 0; i < cpus.count; i++) {
        if (cpus.cpu[i].kvm) {
            kvm_cpu_destroy(&cpus.cpu[i]);
        }
        g_free(cpus.cpu[i].thread);
    }
    g_clear_pointer(&cpus.cpu, g_free);
    lock();
    cpus.count = 0;
    cpus.kvm = NULL;
    cpus.quit = false;
    update_stop();
    unlock();
}
