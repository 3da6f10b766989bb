/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads, the run state of the machine, and the main loop.
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
 *   Stop (machine reset, shutdown, a paused machine) brings the threads to rest
 *   between two instructions of the guest. Only the main loop does it, without
 *   the memory lock, and waits until every thread has parked. A parking vCPU
 *   first lets KVM finish the instruction whose access it has just served.
 *
 * A kick makes KVM_RUN return: it sets immediate_exit, which KVM looks at after
 * it has blocked signals, then sends one. The reason for a kick is always
 * stored before it, and a vCPU clears immediate_exit before it looks at the
 * reasons, so none is lost; at worst a KVM_RUN returns once for nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "cpus.h"
#include "kvm-internal.h"
#include "sysemu.h"

#define SIGNAL_KICK SIGUSR1

/* Commits of a deep map, by a callback, need some: see memory-render.c. */
#define THREAD_STACK_SIZE (2 * 1024 * 1024)

struct CPUThread {
    pthread_t thread;
    bool created;
    bool in_guest; /* atomic: in KVM_RUN, or about to be */
    bool parked;   /* cpus.mutex: at rest, and will stay so while stopped */
};

static struct {
    CPUState *cpu; /* array */
    unsigned count;
    KVMState *kvm;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* of anything below, or an in_guest flag */
    unsigned pauses; /* atomic; written under mutex */
    bool stop;       /* atomic; written under mutex: park */
    bool quit;       /* mutex: and end the thread */

    /* What was asked of the main loop; mutex. */
    bool request; /* atomic; any of: */
    bool shutdown;
    int status;
    bool reset;
    char *pause_message;
    bool paused; /* for good, because of a failure */
} cpus = {
    .mutex = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
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
static bool park(struct CPUThread *thread)
{
    bool quit;

    lock();
    thread->parked = true;
    announce_change();
    while (cpus.stop && !cpus.quit) {
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

    for (;;) {
        bool stopping = LOAD(cpus.stop);
        int result;

        if (kvm_cpu_is_halted(cpu)) {
            sleep_until_stop();
            if (!park(thread)) {
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
        } else if (!park(thread)) {
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

static void stop_all(void)
{
    unsigned i;

    lock();
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
    unlock();
}

/* Let parked vCPUs run, unless something was asked for meanwhile. */
static void go_on(void)
{
    lock();
    if (!cpus.paused && !cpus.request) {
        STORE(cpus.stop, false);
        announce_change();
    }
    unlock();
}

/* ---- requests: any thread ------------------------------------------------ */

/* The asking vCPU, if it is one, goes no further: it parks when it has served
 * its exit. The main loop stops the others. Under the mutex. */
static void request_made(void)
{
    STORE(cpus.request, true);
    STORE(cpus.stop, true);
    announce_change();
    g_main_context_wakeup(NULL);
}

void vm_request_shutdown(const char *cause, int status)
{
    lock();
    if (!cpus.shutdown) {
        cpus.shutdown = true;
        cpus.status = status;
        g_debug("shutdown: %s", cause);
        request_made();
    }
    unlock();
}

bool vm_shutdown_requested(void)
{
    bool requested;

    lock();
    requested = cpus.shutdown;
    unlock();
    return requested;
}

void vm_request_reset(const char *cause)
{
    lock();
    if (!cpus.reset) {
        cpus.reset = true;
        g_debug("reset: %s", cause);
        request_made();
    }
    unlock();
}

void vm_request_pause(const char *message)
{
    lock();
    if (!cpus.pause_message && !cpus.paused) {
        cpus.pause_message = g_strdup(message);
        request_made();
    }
    unlock();
}

bool vm_is_running(void)
{
    return cpus.kvm && !LOAD(cpus.stop);
}

/* ---- life ---------------------------------------------------------------- */

bool cpus_create(KVMState *kvm, unsigned n, AddressSpace *memory,
                 AddressSpace *ports, GError **err)
{
    unsigned max = kvm_max_cpus(kvm);
    unsigned i;

    if (n < 1 || n > max) {
        g_set_error(err, KVM_ERROR, 0,
                    "%u vCPUs: this host's KVM allows 1 to %u", n, max);
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
    for (i = 0; i < n; i++) {
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
    return error;
}

bool cpus_start(GError **err)
{
    struct sigaction action = { .sa_handler = ignore_signal };
    KVMState *kvm = cpus.cpu[0].kvm;
    unsigned i;

    reset_cpus();
    if (!kvm_check(kvm, err)) {
        return false;
    }
    sigaction(SIGNAL_KICK, &action, NULL);
    g_main_context_default(); /* made before threads that will wake it up */
    STORE(cpus.stop, true);
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
    go_on();
    return true;
}

void cpus_destroy(void)
{
    unsigned i;

    if (!cpus.cpu) {
        return;
    }
    stop_all();
    lock();
    cpus.quit = true;
    announce_change();
    unlock();
    for (i = 0; i < cpus.count; i++) {
        if (cpus.cpu[i].thread->created) {
            pthread_join(cpus.cpu[i].thread->thread, NULL);
        }
    }
    for (i = 0; i < cpus.count; i++) {
        kvm_cpu_destroy(&cpus.cpu[i]);
        g_free(cpus.cpu[i].thread);
    }
    g_clear_pointer(&cpus.cpu, g_free);
    g_clear_pointer(&cpus.pause_message, g_free);
    cpus.count = 0;
    cpus.kvm = NULL;
    cpus.stop = cpus.quit = false;
    cpus.request = cpus.shutdown = cpus.reset = cpus.paused = false;
    cpus.status = 0;
}

/* ---- the main loop ------------------------------------------------------- */

static void reset_all(void (*reset_machine)(void *opaque), void *opaque)
{
    memory_lock();
    if (cpus.kvm) {
        kvm_coalesced_drain(cpus.kvm);
    }
    if (reset_machine) {
        reset_machine(opaque);
    }
    if (cpus.kvm) {
        kvm_arch_reset_vm(cpus.kvm);
    }
    reset_cpus();
    memory_unlock();
}

/* Do what was asked for, every vCPU being stopped. False: the end. */
static bool serve_requests(void (*reset_machine)(void *opaque), void *opaque,
                           bool no_reboot)
{
    bool shutdown;
    bool reset;
    g_autofree char *message = NULL;

    lock();
    STORE(cpus.request, false);
    if (cpus.reset && no_reboot) {
        cpus.shutdown = true;
    }
    shutdown = cpus.shutdown;
    message = g_steal_pointer(&cpus.pause_message);
    cpus.paused |= !!message;
    reset = cpus.reset && !cpus.paused;
    cpus.reset = false;
    unlock();
    if (message) {
        g_printerr("flatview: %s\nflatview: the machine is paused; end it with"
                   " SIGINT or SIGTERM, or Ctrl-A x on its terminal\n",
                   message);
    }
    if (reset && !shutdown) {
        reset_all(reset_machine, opaque);
    }
    return !shutdown;
}

int cpus_main_loop(void (*reset_machine)(void *opaque), void *opaque,
                   bool no_reboot)
{
    int status;

    for (;;) {
        while (!LOAD(cpus.request)) {
            g_main_context_iteration(NULL, TRUE);
        }
        stop_all();
        if (!serve_requests(reset_machine, opaque, no_reboot)) {
            break;
        }
        go_on();
    }
    lock();
    status = cpus.status;
    if (status == EXIT_GUEST_OFF && cpus.paused) {
        status = EXIT_USAGE;
    }
    unlock();
    return status;
}
