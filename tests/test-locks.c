/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is locked around callbacks: the memory lock, a device's own or nothing;
 * who waits for whom, who is refused, and that nobody is inside any more when
 * memory_region_destroy() returns. For the thread sanitizer, too.
 * FLATVIEW_ROUNDS changes how long the races run.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access.h"
#include "test-util.h"

#define ROUNDS 20000
#define PATIENCE 20 /* seconds until something that should happen has failed to */

/* ---- devices and threads --------------------------------------------------------- */

typedef struct Device Device;

struct Device {
    MemoryRegion mr;
    pthread_mutex_t own;
    pthread_mutex_t *lock; /* what @mr names; NULL: another kind */
    void (*hook)(Device *dev);
    void *opaque;
    unsigned long calls;   /* plain: for what is locked */
    int inside, most;      /* threads at a time; atomic */
    bool memory_locked;    /* the last call was under the memory lock */
};

static int load_int(const int *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store_int(int *p, int value)
{
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static void device_call(Device *dev)
{
    int now = __atomic_add_fetch(&dev->inside, 1, __ATOMIC_RELAXED);

    if (now > __atomic_load_n(&dev->most, __ATOMIC_RELAXED)) {
        __atomic_store_n(&dev->most, now, __ATOMIC_RELAXED);
    }
    if (dev->hook) {
        dev->hook(dev);
    }
    __atomic_sub_fetch(&dev->inside, 1, __ATOMIC_RELAXED);
}

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    device_call(opaque);
    return 0x11111111;
}

static void device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    device_call(opaque);
}

static const MemoryRegionOps device_ops = {
    .read = device_read,
    .write = device_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static void device_init(Device *dev, const char *name, MemoryRegionLocking kind)
{
    memset(dev, 0, sizeof(*dev));
    pthread_mutex_init(&dev->own, NULL);
    memory_region_init_io(&dev->mr, &device_ops, dev, name, 0x100);
    if (kind == MEMORY_LOCKING_OWN) {
        dev->lock = &dev->own;
        memory_region_set_lock(&dev->mr, dev->lock);
    } else if (kind == MEMORY_LOCKING_NONE) {
        memory_region_clear_global_locking(&dev->mr);
    }
}

/* @dev in @w at @at. */
static void device_add(World *w, Device *dev, const char *name, hwaddr at,
                       MemoryRegionLocking kind)
{
    device_init(dev, name, kind);
    memory_region_add_subregion(&w->root, at, &dev->mr);
}

static void device_remove(World *w, Device *dev)
{
    memory_region_del_subregion(&w->root, &dev->mr);
    memory_region_destroy(&dev->mr);
    pthread_mutex_destroy(&dev->own);
}

/* Until @condition or for long enough; whether it came. */
#define wait_for(condition)                                                    \
    ({                                                                         \
        time_t end_ = time(NULL) + PATIENCE;                                   \
        bool met_;                                                             \
        while (!(met_ = (condition)) && time(NULL) < end_) {                   \
            sched_yield();                                                     \
        }                                                                      \
        met_;                                                                  \
    })

static void sleep_ms(unsigned ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

/* Something done by another thread. */
typedef struct Job {
    void (*run)(struct Job *job);
    AddressSpace *as;
    hwaddr at;
    unsigned long rounds;
    MemTxResult result;
    uint32_t value;
    MemoryRegion *mr;
    int done; /* atomic */
    pthread_t thread;
} Job;

static void *job_thread(void *opaque)
{
    Job *job = opaque;

    job->run(job);
    store_int(&job->done, 1);
    return NULL;
}

static void job_start(Job *job)
{
    ck_assert_int_eq(pthread_create(&job->thread, NULL, job_thread, job), 0);
}

static void job_read(Job *job)
{
    for (unsigned long i = 0; i < MAX(job->rounds, 1); i++) {
        job->value = address_space_ldl_le(job->as, job->at,
                                          MEMTXATTRS_UNSPECIFIED, &job->result);
    }
}

static void job_write(Job *job)
{
    for (unsigned long i = 0; i < MAX(job->rounds, 1); i++) {
        address_space_stl_le(job->as, job->at, 1, MEMTXATTRS_UNSPECIFIED,
                             &job->result);
    }
}

static void job_destroy(Job *job)
{
    memory_region_destroy(job->mr);
}

static unsigned long rounds(void)
{
    return test_number("FLATVIEW_ROUNDS", ROUNDS);
}

/* ---- at the same time -------------------------------------------------------------- */

/* Callbacks that stay until two of them are inside. */
static int meeting, met;

static void hook_meet(Device *dev)
{
    __atomic_add_fetch(&meeting, 1, __ATOMIC_RELAXED);
    if (wait_for(load_int(&meeting) >= 2)) {
        __atomic_add_fetch(&met, 1, __ATOMIC_RELAXED);
    }
}

/* Two threads go to @a and to @b. */
static void expect_meeting(World *w, hwaddr a, hwaddr b)
{
    Job job = { .run = job_read, .as = &w->as, .at = a };

    meeting = met = 0;
    job_start(&job);
    store(&w->as, b, 4, 1, MEMTX_OK);
    pthread_join(job.thread, NULL);
    expect(met == 2, "one waited for the other");
    expect_hex(job.value, 0x11111111);
    expect(job.result == MEMTX_OK, "failed");
}

START_TEST(two_devices)
{
    static Device a, b, c;
    World w;

    world_init(&w);
    device_add(&w, &a, "a", 0x1000, MEMORY_LOCKING_OWN);
    device_add(&w, &b, "b", 0x2000, MEMORY_LOCKING_OWN);
    device_add(&w, &c, "c", 0x3000, MEMORY_LOCKING_GLOBAL);
    a.hook = b.hook = c.hook = hook_meet;
    expect_meeting(&w, 0x1000, 0x2000);
    expect_meeting(&w, 0x1000, 0x3000); /* one own, one under the memory lock */
    device_remove(&w, &a);
    device_remove(&w, &b);
    device_remove(&w, &c);
    world_destroy(&w);
}
END_TEST

START_TEST(lock_free)
{
    static Device a;
    World w;

    world_init(&w);
    device_add(&w, &a, "a", 0x1000, MEMORY_LOCKING_NONE);
    a.hook = hook_meet;
    expect_meeting(&w, 0x1000, 0x1004);
    expect(a.most == 2, "not at once");
    device_remove(&w, &a);
    world_destroy(&w);
}
END_TEST

/* ---- one after the other ------------------------------------------------------------ */

static unsigned long shared_calls; /* plain */

static void hook_count(Device *dev)
{
    dev->calls++;
    shared_calls++;
}

/* Accesses by two threads to @a and @b never overlap. */
static void expect_serial(World *w, hwaddr a, hwaddr b)
{
    Job jobs[] = {
        { .run = job_read, .as = &w->as, .at = a, .rounds = rounds() },
        { .run = job_write, .as = &w->as, .at = b, .rounds = rounds() },
    };

    shared_calls = 0;
    job_start(&jobs[0]);
    job_start(&jobs[1]);
    pthread_join(jobs[0].thread, NULL);
    pthread_join(jobs[1].thread, NULL);
    expect(shared_calls == 2 * rounds(), "%lu calls", shared_calls);
    expect(jobs[0].result == MEMTX_OK && jobs[1].result == MEMTX_OK, "failed");
}

START_TEST(own_lock_serialises)
{
    static Device a, b;
    World w;

    world_init(&w);
    device_add(&w, &a, "a", 0x1000, MEMORY_LOCKING_OWN);
    device_init(&b, "b", MEMORY_LOCKING_GLOBAL);
    memory_region_set_lock(&b.mr, &a.own); /* two regions of one device */
    memory_region_add_subregion(&w.root, 0x2000, &b.mr);
    a.hook = b.hook = hook_count;
    expect_serial(&w, 0x1000, 0x1010);
    expect(a.most == 1, "%d at once", a.most);
    expect_serial(&w, 0x1000, 0x2000);
    device_remove(&w, &b);
    device_remove(&w, &a);
    world_destroy(&w);
}
END_TEST

START_TEST(memory_lock_serialises)
{
    static Device a, b;
    World w;

    world_init(&w);
    device_add(&w, &a, "a", 0x1000, MEMORY_LOCKING_GLOBAL);
    device_add(&w, &b, "b", 0x2000, MEMORY_LOCKING_GLOBAL);
    a.hook = b.hook = hook_count;
    expect_serial(&w, 0x1000, 0x2000);
    device_remove(&w, &a);
    device_remove(&w, &b);
    world_destroy(&w);
}
END_TEST

/* More threads than processors, some of which are asleep when it is free. */
static void take_and_release(Job *job)
{
    for (unsigned long i = 0; i < job->rounds; i++) {
        memory_lock();
        shared_calls++;
        if (i % 64 == job->at) {
            sched_yield();
        }
        memory_lock();
        memory_unlock();
        memory_unlock();
    }
}

START_TEST(memory_lock_wakes)
{
    Job jobs[6];

    shared_calls = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs); i++) {
        jobs[i] = (Job){ .run = take_and_release, .at = i * 8,
                         .rounds = rounds() };
        job_start(&jobs[i]);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs); i++) {
        expect(wait_for(load_int(&jobs[i].done)), "nobody woke it up");
        pthread_join(jobs[i].thread, NULL);
    }
    expect(shared_calls == G_N_ELEMENTS(jobs) * rounds(), "%lu", shared_calls);
    expect(!memory_lock_held(), "held");
}
END_TEST

/* ---- what is held, and who is refused ----------------------------------------------- */

/* A device that accesses others from its callback, and notes how it went. */
typedef struct Reach {
    AddressSpace *as;
    hwaddr at;
    MemTxResult read, write;
    uint32_t value;
    MemTxResult block;
    uint8_t bytes[3];
} Reach;

static void hook_reach(Device *dev)
{
    Reach *r = dev->opaque;

    dev->calls++;
    dev->memory_locked = memory_lock_held();
    if (dev->lock) {
        expect(pthread_mutex_trylock(dev->lock) != 0, "lock not taken");
    }
    expect(memory_device_lock_held() == !!access_thread.held, "which lock");
    if (r) {
        r->value = address_space_ldl_le(r->as, r->at, MEMTXATTRS_UNSPECIFIED,
                                        &r->read);
        address_space_stl_le(r->as, r->at, 0, MEMTXATTRS_UNSPECIFIED,
                             &r->write);
        memset(r->bytes, 0, sizeof(r->bytes));
        r->block = address_space_read(r->as, r->at + 4, r->bytes, 3);
    }
}

/* From inside @from, which is at @from_at, @to at @to_at can be reached or not. */
static void expect_reach(World *w, Device *from, hwaddr from_at, Device *to,
                         hwaddr to_at, bool allowed)
{
    Reach reach = { .as = &w->as, .at = to_at };
    MemTxResult wanted = allowed ? MEMTX_OK : MEMTX_ACCESS_ERROR;
    unsigned long before = to ? to->calls : 0;

    from->opaque = &reach;
    store(&w->as, from_at, 4, 1, MEMTX_OK);
    from->opaque = NULL;
    expect(reach.read == wanted && reach.write == wanted &&
           reach.block == wanted, "from '%s' to '%s': %u %u %u",
           from->mr.name, to ? to->mr.name : "memory", reach.read, reach.write,
           reach.block);
    expect(!allowed || reach.value != UINT32_MAX, "no value");
    expect(allowed || (reach.value == UINT32_MAX && reach.bytes[0] == 0xff &&
                       reach.bytes[2] == 0xff), "0x%x", reach.value);
    if (to) {
        expect((to->calls > before + (from == to)) == allowed,
               "'%s' called", to->mr.name);
        expect(!allowed || !!to->memory_locked ==
                               (to->mr.locking == MEMORY_LOCKING_GLOBAL ||
                                memory_lock_held() || from->memory_locked),
               "'%s': memory lock", to->mr.name);
    }
}

START_TEST(who_reaches_whom)
{
    static Device global[2], own[3], none[2];
    enum { GLOBAL = 0x1000, OWN = 0x2000, NONE = 0x3000, RAM = 0x8000 };
    MemoryRegion ram;
    World w;

    world_init(&w);
    memory_region_init_ram(&ram, "ram", 0x1000);
    memory_region_add_subregion(&w.root, RAM, &ram);
    for (unsigned i = 0; i < 2; i++) {
        device_add(&w, &global[i], i ? "global 1" : "global 0",
                   GLOBAL + i * 0x100, MEMORY_LOCKING_GLOBAL);
        device_add(&w, &own[i], i ? "own 1" : "own 0", OWN + i * 0x100,
                   MEMORY_LOCKING_OWN);
        device_add(&w, &none[i], i ? "none 1" : "none 0", NONE + i * 0x100,
                   MEMORY_LOCKING_NONE);
    }
    device_init(&own[2], "beside own 0", MEMORY_LOCKING_GLOBAL);
    memory_region_set_lock(&own[2].mr, &own[0].own);
    own[2].lock = &own[0].own;
    memory_region_add_subregion(&w.root, OWN + 0x200, &own[2].mr);
    for (unsigned i = 0; i < 3; i++) {
        own[i].hook = hook_reach;
        global[i % 2].hook = none[i % 2].hook = hook_reach;
    }

    /* The same with the memory lock held further out. */
    for (int locked = 0; locked < 2; locked++) {
        if (locked) {
            memory_lock();
        }
        expect_reach(&w, &own[0], OWN, NULL, RAM, true);
        expect_reach(&w, &own[0], OWN, &own[2], OWN + 0x200, true);
        expect_reach(&w, &own[0], OWN, &none[0], NONE, true);
        expect_reach(&w, &own[0], OWN, &global[0], GLOBAL, false);
        expect_reach(&w, &own[0], OWN, &own[1], OWN + 0x100, false);
        expect_reach(&w, &own[0], OWN, &own[0], OWN + 0x10, false); /* itself */

        expect_reach(&w, &none[0], NONE, NULL, RAM, true);
        expect_reach(&w, &none[0], NONE, &own[0], OWN, true);
        expect_reach(&w, &none[0], NONE, &none[1], NONE + 0x100, true);
        expect_reach(&w, &none[0], NONE, &global[0], GLOBAL, true);
        expect_reach(&w, &none[0], NONE, &none[0], NONE + 8, false);

        expect_reach(&w, &global[0], GLOBAL, NULL, RAM, true);
        expect_reach(&w, &global[0], GLOBAL, &own[0], OWN, true);
        expect_reach(&w, &global[0], GLOBAL, &none[0], NONE, true);
        expect_reach(&w, &global[0], GLOBAL, &global[1], GLOBAL + 0x100, true);
        expect_reach(&w, &global[0], GLOBAL, &global[0], GLOBAL + 8, false);
        if (locked) {
            memory_unlock();
        }
    }

    /* Further in: what is held counts, not what called last. */
    Reach outer = { .as = &w.as, .at = NONE };
    Reach inner = { .as = &w.as, .at = GLOBAL };

    own[0].opaque = &outer;
    none[0].opaque = &inner;
    store(&w.as, OWN, 4, 1, MEMTX_OK);
    expect(outer.read == MEMTX_OK && inner.read == MEMTX_ACCESS_ERROR,
           "through a lock-free one: %u %u", outer.read, inner.read);
    inner.at = OWN + 0x200;
    store(&w.as, OWN, 4, 1, MEMTX_OK);
    expect(outer.read == MEMTX_OK && inner.read == MEMTX_OK, "the same lock");
    own[0].opaque = none[0].opaque = NULL;
    expect(!memory_device_lock_held() && !memory_lock_held(), "left held");
    expect(!pthread_mutex_trylock(&own[0].own), "own lock left held");
    pthread_mutex_unlock(&own[0].own);

    for (unsigned i = 0; i < 2; i++) {
        device_remove(&w, &global[i]);
        device_remove(&w, &none[i]);
        device_remove(&w, &own[2 - i]);
    }
    device_remove(&w, &own[0]);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

static void hook_memory_lock(Device *dev)
{
    memory_lock();
    memory_unlock();
}

static void hook_pass_on(Device *dev)
{
    store(dev->opaque, 0x2000, 4, 1, MEMTX_OK);
}

START_TEST(memory_lock_inside)
{
    static Device own, none;
    World w;

    world_init(&w);
    device_add(&w, &own, "own", 0x1000, MEMORY_LOCKING_OWN);
    device_add(&w, &none, "none", 0x2000, MEMORY_LOCKING_NONE);
    none.hook = own.hook = hook_memory_lock;
    store(&w.as, 0x2000, 4, 1, MEMTX_OK);
    EXPECT_ERROR(store(&w.as, 0x1000, 4, 1, MEMTX_OK), "memory lock", NULL);
    own.hook = hook_pass_on;
    own.opaque = &w.as;
    EXPECT_ERROR(store(&w.as, 0x1000, 4, 1, MEMTX_OK), "memory lock", NULL);
    device_remove(&w, &own);
    device_remove(&w, &none);
    world_destroy(&w);
}
END_TEST

/* More devices than fit, each of which accesses the next. */
enum { CHAIN = 40 };

typedef struct Chain {
    World w;
    Device dev[CHAIN];
    unsigned called;
    MemTxResult last; /* of the access that was refused */
} Chain;

static void hook_next(Device *dev)
{
    Chain *chain = dev->opaque;
    unsigned next = (unsigned)(dev - chain->dev) + 1;
    MemTxResult result;

    chain->called++;
    if (next < CHAIN) {
        address_space_ldl_le(&chain->w.as, next * 0x100, MEMTXATTRS_UNSPECIFIED,
                             &result);
        chain->last |= result;
    }
}

START_TEST(too_deep)
{
    static Chain chain;

    for (MemoryRegionLocking kind = MEMORY_LOCKING_GLOBAL;
         kind <= MEMORY_LOCKING_NONE; kind++) {
        world_init(&chain.w);
        for (unsigned i = 0; i < CHAIN; i++) {
            device_init(&chain.dev[i], "link", kind);
            if (kind == MEMORY_LOCKING_OWN) {
                memory_region_set_lock(&chain.dev[i].mr, &chain.dev[0].own);
            }
            memory_region_add_subregion(&chain.w.root, i * 0x100,
                                        &chain.dev[i].mr);
            chain.dev[i].hook = hook_next;
            chain.dev[i].opaque = &chain;
        }
        for (unsigned again = 0; again < 2; again++) {
            chain.called = chain.last = 0;
            load(&chain.w.as, 0, 4, MEMTX_OK);
            expect(chain.called == ACCESS_DEPTH_MAX, "%u deep", chain.called);
            expect(chain.last == MEMTX_ACCESS_ERROR, "result %u", chain.last);
        }
        for (unsigned i = 0; i < CHAIN; i++) {
            device_remove(&chain.w, &chain.dev[i]);
        }
        world_destroy(&chain.w);
    }
}
END_TEST

/* ---- destroy -------------------------------------------------------------------------- */

static int go_on; /* atomic */

static void hook_stay(Device *dev)
{
    if (!wait_for(load_int(&go_on))) {
        abort();
    }
    dev->calls++; /* whoever destroys the region sees it */
}

/* Destroying @dev in another thread takes until @go, and no longer. */
static void expect_destroy_waits(World *w, Device *dev, void (*go)(Device *dev))
{
    Job destroyer = { .run = job_destroy, .mr = &dev->mr };

    memory_region_del_subregion(&w->root, &dev->mr);
    job_start(&destroyer);
    sleep_ms(50);
    expect(!load_int(&destroyer.done), "destroyed with somebody inside");
    go(dev);
    pthread_join(destroyer.thread, NULL);
    expect(dev->calls == 1, "%lu calls", dev->calls);
}

static void let_go_on(Device *dev)
{
    store_int(&go_on, 1);
}

static void unlock_device(Device *dev)
{
    pthread_mutex_unlock(&dev->own);
}

START_TEST(destroy_waits)
{
    static Device dev, outer;
    World w;

    world_init(&w);
    for (MemoryRegionLocking kind = MEMORY_LOCKING_GLOBAL;
         kind <= MEMORY_LOCKING_NONE; kind++) {
        Job job = { .run = job_read, .as = &w.as, .at = 0x2000 };

        if (kind == MEMORY_LOCKING_GLOBAL) {
            continue; /* the memory lock is waited for */
        }
        go_on = 0;
        device_add(&w, &dev, "dev", 0x2000, kind);
        dev.hook = hook_stay;
        job_start(&job);
        expect(wait_for(load_int(&dev.inside)), "not inside");
        expect_destroy_waits(&w, &dev, let_go_on);
        pthread_join(job.thread, NULL);

        /* Inside through another one. */
        go_on = 0;
        device_add(&w, &outer, "outer", 0x1000, MEMORY_LOCKING_NONE);
        device_add(&w, &dev, "dev", 0x2000, kind);
        outer.hook = hook_pass_on;
        outer.opaque = &w.as;
        dev.hook = hook_stay;
        job.at = 0x1000;
        job_start(&job);
        expect(wait_for(load_int(&dev.inside)), "not inside");
        expect_destroy_waits(&w, &dev, let_go_on);
        pthread_join(job.thread, NULL);
        device_remove(&w, &outer);
    }

    /* On the way in: the device's lock is not had yet. */
    Job job = { .run = job_write, .as = &w.as, .at = 0x2000 };

    device_add(&w, &dev, "dev", 0x2000, MEMORY_LOCKING_OWN);
    dev.hook = hook_stay;
    pthread_mutex_lock(&dev.own);
    job_start(&job);
    sleep_ms(50);
    expect(!dev.inside, "inside without the lock");
    expect_destroy_waits(&w, &dev, unlock_device);
    pthread_join(job.thread, NULL);
    world_destroy(&w);
}
END_TEST

/* Its memory is freed when the region is destroyed: a call later is seen by the
 * sanitizers, and by its magic number. */
typedef struct ShortLived {
    Device dev;
    int magic;
} ShortLived;

static void hook_magic(Device *dev)
{
    if (((ShortLived *)dev)->magic != 0x600d) {
        abort();
    }
}

typedef struct Racer {
    Job job;
    int *stop;
    unsigned long answered, missed;
} Racer;

static void race(Job *job)
{
    Racer *racer = (Racer *)job;
    MemTxResult result;
    uint8_t block[24];

    while (!load_int(racer->stop)) {
        uint32_t value = address_space_ldl_le(job->as, 0x1000,
                                              MEMTXATTRS_UNSPECIFIED, &result);

        if (value != (result == MEMTX_OK ? 0x11111111 : UINT32_MAX)) {
            abort();
        }
        racer->answered += result == MEMTX_OK;
        racer->missed += result != MEMTX_OK;
        address_space_stw_le(job->as, 0x1002, 1, MEMTXATTRS_UNSPECIFIED, NULL);
        address_space_read(job->as, 0x0ffc, block, sizeof(block));
    }
}

START_TEST(destroy_race)
{
    Racer racers[2];
    int stop = 0;
    World w;

    world_init(&w);
    for (unsigned i = 0; i < 2; i++) {
        racers[i] = (Racer){ .job = { .run = race, .as = &w.as },
                             .stop = &stop };
        job_start(&racers[i].job);
    }
    for (unsigned long n = 0; n < rounds() / 4; n++) {
        ShortLived *s = g_new0(ShortLived, 1);

        s->magic = 0x600d;
        device_init(&s->dev, "short-lived", n % 3);
        s->dev.hook = hook_magic;
        memory_region_add_subregion(&w.root, 0x1000, &s->dev.mr);
        if (n % 8 == 0) {
            sched_yield();
        }
        device_remove(&w, &s->dev);
        s->magic = 0;
        g_free(s);
    }
    store_int(&stop, 1);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(racers[i].job.thread, NULL);
        expect(racers[i].missed, "never missed");
    }
    world_destroy(&w);
}
END_TEST

/* A thread that found a region under the memory lock, and waits for that lock,
 * finds one with a lock of its own when it has it. */
static void hook_no_memory_lock(Device *dev)
{
    dev->memory_locked = memory_lock_held();
    dev->calls++;
}

START_TEST(kind_changes_meanwhile)
{
    static Device global, own;
    Job job = { .run = job_write, .at = 0x1000 };
    World w;

    world_init(&w);
    job.as = &w.as;
    device_add(&w, &global, "global", 0x1000, MEMORY_LOCKING_GLOBAL);
    device_init(&own, "own", MEMORY_LOCKING_OWN);
    own.hook = hook_no_memory_lock;
    memory_lock();
    job_start(&job);
    sleep_ms(50);
    memory_region_transaction_begin();
    memory_region_del_subregion(&w.root, &global.mr);
    memory_region_add_subregion(&w.root, 0x1000, &own.mr);
    memory_region_transaction_commit();
    memory_unlock();
    pthread_join(job.thread, NULL);
    expect(job.result == MEMTX_OK && own.calls == 1, "not called");
    expect(!own.memory_locked, "under the memory lock");
    device_remove(&w, &own);
    memory_region_destroy(&global.mr);
    world_destroy(&w);
}
END_TEST

/* ---- doorbells, and put-off writes ----------------------------------------------------- */

static void write_on(Job *job)
{
    Racer *racer = (Racer *)job;

    while (!load_int(racer->stop)) {
        address_space_stl_le(job->as, job->at, 7, MEMTXATTRS_UNSPECIFIED, NULL);
        racer->answered++;
    }
}

/* A size and a flush rule that change under accesses. */
START_TEST(size_changes_meanwhile)
{
    static Device dev;
    int stop = 0;
    Racer racer = { .job = { .run = write_on, .at = 0x107c }, .stop = &stop };
    World w;

    world_init(&w);
    racer.job.as = &w.as;
    device_add(&w, &dev, "dev", 0x1000, MEMORY_LOCKING_NONE);
    job_start(&racer.job);
    for (unsigned long n = 0; n < rounds() / 40; n++) {
        memory_region_set_size(&dev.mr, n % 2 ? 0x100 : 0x40);
        memory_region_set_flush_coalesced(&dev.mr);
        sched_yield();
        memory_region_clear_flush_coalesced(&dev.mr);
    }
    store_int(&stop, 1);
    pthread_join(racer.job.thread, NULL);
    device_remove(&w, &dev);
    world_destroy(&w);
}
END_TEST

/* Doorbells come and go under a thread that writes to them; one that is gone
 * does not ring any more. */
START_TEST(doorbells)
{
    static Device dev;
    World w;

    world_init(&w);
    for (MemoryRegionLocking kind = MEMORY_LOCKING_GLOBAL;
         kind <= MEMORY_LOCKING_NONE; kind++) {
        int stop = 0;
        Racer racer = { .job = { .run = write_on, .as = &w.as, .at = 0x1008 },
                        .stop = &stop };
        EventNotifier bell, other;

        event_notifier_init(&bell, 0);
        event_notifier_init(&other, 0);
        device_add(&w, &dev, "dev", 0x1000, kind);
        memory_region_add_eventfd(&dev.mr, 0, 4, false, 0, &other);
        memory_region_add_eventfd(&dev.mr, 8, 4, true, 8, &other);
        memory_region_add_eventfd(&dev.mr, 12, 4, false, 0, &other);
        job_start(&racer.job);
        for (unsigned long n = 0; n < rounds() / 20; n++) {
            memory_region_add_eventfd(&dev.mr, 8, n % 2 ? 0 : 4, n % 4 > 1,
                                      n % 4 > 1 ? 7 : 0, &bell);
            if (n % 64 == 0) {
                expect(wait_for(event_notifier_test_and_clear(&bell)),
                       "not rung");
            }
            memory_region_del_eventfd(&dev.mr, 8, n % 2 ? 0 : 4, n % 4 > 1,
                                      n % 4 > 1 ? 7 : 0, &bell);
            event_notifier_test_and_clear(&bell); /* rung before it went */
            if (n % 16 == 0) {
                sched_yield();
            }
            expect(!event_notifier_test_and_clear(&bell),
                   "rung after it was removed");
        }
        store_int(&stop, 1);
        pthread_join(racer.job.thread, NULL);
        expect(!event_notifier_test_and_clear(&other), "the wrong one rung");
        memory_region_del_eventfd(&dev.mr, 0, 4, false, 0, &other);
        memory_region_del_eventfd(&dev.mr, 8, 4, true, 8, &other);
        memory_region_del_eventfd(&dev.mr, 12, 4, false, 0, &other);
        device_remove(&w, &dev);
        event_notifier_cleanup(&bell);
        event_notifier_cleanup(&other);
    }
    world_destroy(&w);
}
END_TEST

/* A doorbell rings where the access itself would be refused. */
START_TEST(doorbell_from_inside)
{
    static Device own, global;
    Reach reach = { .at = 0x2000 };
    EventNotifier bell;
    World w;

    world_init(&w);
    event_notifier_init(&bell, 0);
    device_add(&w, &own, "own", 0x1000, MEMORY_LOCKING_OWN);
    device_add(&w, &global, "global", 0x2000, MEMORY_LOCKING_GLOBAL);
    memory_region_add_eventfd(&global.mr, 0, 4, true, 0, &bell);
    reach.as = &w.as;
    own.opaque = &reach;
    own.hook = hook_reach;
    store(&w.as, 0x1000, 4, 1, MEMTX_OK);
    expect(reach.write == MEMTX_OK && event_notifier_test_and_clear(&bell),
           "not rung");
    expect(reach.read == MEMTX_ACCESS_ERROR, "not refused");
    memory_region_del_eventfd(&global.mr, 0, 4, true, 0, &bell);
    device_remove(&w, &own);
    device_remove(&w, &global);
    event_notifier_cleanup(&bell);
    world_destroy(&w);
}
END_TEST

typedef struct Flusher {
    MemoryListener listener;
    unsigned flushes;
    bool locked, busy;
    Device *dev;
} Flusher;

static void flusher_flush(MemoryListener *listener)
{
    Flusher *f = (Flusher *)listener;

    f->flushes++;
    f->locked = memory_lock_held() && !memory_device_lock_held();
    f->busy = memory_region_is_busy(&f->dev->mr);
}

/* How often an access of @size bytes to @at flushes. */
static unsigned flushes_of(World *w, Flusher *f, hwaddr at, unsigned size)
{
    uint8_t bytes[16];

    f->flushes = 0;
    f->locked = true;
    f->busy = false;
    expect(address_space_read(&w->as, at, bytes, size) == MEMTX_OK, "failed");
    expect(f->locked && !f->busy, "flushed from inside");
    return f->flushes;
}

START_TEST(flush)
{
    static Device dev, outer;
    Flusher f = { .listener.flush_coalesced = flusher_flush, .dev = &dev };
    Reach reach = { .at = 0x1000 };
    World w;

    world_init(&w);
    reach.as = &w.as;
    memory_listener_register(&f.listener, NULL);
    for (MemoryRegionLocking kind = MEMORY_LOCKING_GLOBAL;
         kind <= MEMORY_LOCKING_NONE; kind++) {
        device_add(&w, &dev, "dev", 0x1000, kind);
        device_add(&w, &outer, "outer", 0x2000, MEMORY_LOCKING_NONE);
        outer.hook = hook_reach;
        outer.opaque = &reach;
        expect(flushes_of(&w, &f, 0x1000, 4) == 0, "flushed unasked");
        memory_region_set_flush_coalesced(&dev.mr);
        expect(flushes_of(&w, &f, 0x1000, 4) == 1, "one: %u", f.flushes);
        expect(flushes_of(&w, &f, 0x1002, 1) == 1, "byte: %u", f.flushes);
        expect(flushes_of(&w, &f, 0x1000, 12) == 2, "block: %u", f.flushes);
        expect(flushes_of(&w, &f, 0x2000, 4) == 0, "nested: %u", f.flushes);
        expect(reach.read == MEMTX_OK, "nested");
        memory_region_clear_flush_coalesced(&dev.mr);
        expect(flushes_of(&w, &f, 0x1000, 4) == 0, "flushed after all");
        device_remove(&w, &dev);
        device_remove(&w, &outer);
    }
    memory_listener_unregister(&f.listener);
    world_destroy(&w);
}
END_TEST

/* ---- threads come and go ------------------------------------------------------------------ */

START_TEST(threads)
{
    static Device own, global;
    unsigned before;
    World w;

    world_init(&w);
    device_add(&w, &own, "own", 0x1000, MEMORY_LOCKING_OWN);
    device_add(&w, &global, "global", 0x2000, MEMORY_LOCKING_GLOBAL);
    load(&w.as, 0x1000, 4, MEMTX_OK);
    before = access_threads_count();
    for (unsigned i = 0; i < 1000; i += 4) {
        Job jobs[4];

        for (unsigned k = 0; k < 4; k++) {
            jobs[k] = (Job){ .run = k % 2 ? job_write : job_read, .as = &w.as,
                             .at = k / 2 ? 0x1000 : 0x2000 };
            job_start(&jobs[k]);
        }
        for (unsigned k = 0; k < 4; k++) {
            pthread_join(jobs[k].thread, NULL);
            expect(jobs[k].result == MEMTX_OK, "failed");
        }
    }
    expect(access_threads_count() == before, "%u threads, not %u",
           access_threads_count(), before);
    device_remove(&w, &own);
    device_remove(&w, &global);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("locks", two_devices, lock_free, own_lock_serialises,
          memory_lock_serialises, memory_lock_wakes, who_reaches_whom,
          memory_lock_inside, too_deep, destroy_waits, destroy_race,
          kind_changes_meanwhile, size_changes_meanwhile, doorbells,
          doorbell_from_inside, flush, threads)
