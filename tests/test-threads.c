/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers on other threads while the map changes: each access sees the map
 * before a commit or after it, never a mixture; what a reader holds stays
 * valid; a destroyed region is not called any more. For the thread sanitizer,
 * too. FLATVIEW_COMMITS changes how many commits are made.
 *
 *   0x0000  two pages of RAM, "left" and "right", swapped in one transaction
 *   0x4000  one of two pages of RAM, or both disabled
 *   0x8000  device A or, in the same commit, device B; the other one at 0x9000
 *   0xc000  a device made and destroyed again and again
 *   0x20000 RAM that stays, one page for each reader to write to
 *   0x100000 RAM made and destroyed again and again
 */
#include <pthread.h>
#include <string.h>

#include "test-util.h"

#define COMMITS 100000
#define READERS 3
#define PAGE 0x1000
#define SHORT_AT 0x100000
#define SHORT_SIZE 0x40000 /* its first and last page have content */
#define SHORT_SPARE PAGE   /* behind them: each reader writes to a word */

enum { LEFT = 1, RIGHT, THIS, THAT, DEVICE_A, DEVICE_B, SHORT_LIVED, SHORT_RAM };

typedef struct Machine {
    MemoryRegion root, left, right, this, that, scratch, ram;
    IoDevice a, b, device;
    AddressSpace as;
    int stop;   /* atomic */
    int failed; /* atomic */
} Machine;

typedef struct Reader {
    Machine *m;
    unsigned index;
    pthread_t thread;
    unsigned long rounds;
    unsigned long seen[16]; /* how often each outcome was seen */
    uint8_t copy[SHORT_SIZE];
} Reader;

static uint8_t pages[8][PAGE] __attribute__((aligned(4096)));

/* Not test_fail(): Check's functions are for the main thread. */
#define reader_expect(r, condition)                                            \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);    \
            __atomic_store_n(&(r)->m->failed, 1, __ATOMIC_RELAXED);            \
        }                                                                      \
    } while (0)

/* ---- the device's side: callbacks run under the lock ------------------------------ */

static uint64_t device_read(void *opaque, hwaddr addr, unsigned size)
{
    IoDevice *dev = opaque;

    if (dev->dead || !memory_lock_held()) {
        abort(); /* called after memory_region_destroy() returned */
    }
    dev->nr_calls++;
    return content_value(dev->id, addr, size);
}

static void device_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    device_read(opaque, addr, size);
}

static const MemoryRegionOps device_ops = {
    .read = device_read,
    .write = device_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl.max_access_size = 8,
};

static void device_init(IoDevice *dev, unsigned id, const char *name)
{
    memset(dev, 0, sizeof(*dev));
    dev->id = id;
    memory_region_init_io(&dev->mr, &device_ops, dev, name, 0x100);
}

/* ---- readers ------------------------------------------------------------------------ */

/* Eight bytes across the border of the two pages are of one map. */
static void read_swapped(Reader *r)
{
    uint64_t before = content_value(LEFT, PAGE - 4, 4) |
                      content_value(RIGHT, 0, 4) << 32;
    uint64_t after = content_value(RIGHT, PAGE - 4, 4) |
                     content_value(LEFT, 0, 4) << 32;
    uint64_t got;
    MemTxResult result;
    uint8_t block[64];

    got = address_space_ldq_le(&r->m->as, PAGE - 4, (MemTxAttrs){ 0 }, &result);
    reader_expect(r, result == MEMTX_OK);
    reader_expect(r, got == before || got == after);
    r->seen[got == before]++;

    result = address_space_read(&r->m->as, PAGE - 32, block, 64);
    reader_expect(r, result == MEMTX_OK);
    reader_expect(r, (block[31] == content_byte(LEFT, PAGE - 1) &&
                      block[32] == content_byte(RIGHT, 0)) ||
                         (block[31] == content_byte(RIGHT, PAGE - 1) &&
                          block[32] == content_byte(LEFT, 0)));
}

static void read_toggled(Reader *r)
{
    MemTxResult result;
    uint32_t got = address_space_ldl_le(&r->m->as, 0x4010, (MemTxAttrs){ 0 },
                                        &result);

    reader_expect(r, (result == MEMTX_OK && got == content_value(THIS, 0x10, 4)) ||
                         (result == MEMTX_OK &&
                          got == content_value(THAT, 0x10, 4)) ||
                         (result == MEMTX_DECODE_ERROR && got == UINT32_MAX));
    r->seen[2 + (result != MEMTX_OK)]++;
}

/* One of the devices is at each place. */
static void read_devices(Reader *r)
{
    static const hwaddr at[] = { 0x8000, 0x9000 };
    unsigned i;

    for (i = 0; i < 2; i++) {
        MemTxResult result;
        uint64_t got = address_space_ldq_le(&r->m->as, at[i] + 8,
                                            (MemTxAttrs){ 0 }, &result);

        reader_expect(r, result == MEMTX_OK);
        reader_expect(r, got == content_value(DEVICE_A, 8, 8) ||
                             got == content_value(DEVICE_B, 8, 8));
        r->seen[4 + (got == content_value(DEVICE_A, 8, 8))]++;
    }
    address_space_stl_le(&r->m->as, at[0], 1, (MemTxAttrs){ 0 }, NULL);
}

static void read_short_lived(Reader *r)
{
    MemTxResult result;
    uint32_t got = address_space_ldl_le(&r->m->as, 0xc004, (MemTxAttrs){ 0 },
                                        &result);

    reader_expect(r, result == MEMTX_OK
                         ? got == content_value(SHORT_LIVED, 4, 4)
                         : got == UINT32_MAX);
    r->seen[6 + (result == MEMTX_OK)]++;
}

static bool short_ram_at(const uint8_t *p, hwaddr offset)
{
    return *p == content_byte(SHORT_RAM, offset);
}

static void map_short_lived(Reader *r)
{
    hwaddr len = SHORT_SIZE - 0x80;
    uint8_t *p = address_space_map(&r->m->as, SHORT_AT + 0x80, &len, false);
    bool direct = len == SHORT_SIZE - 0x80;

    if (!p) {
        reader_expect(r, len == 0);
        return;
    }
    if (direct) {
        reader_expect(r, short_ram_at(p, 0x80));
        reader_expect(r, short_ram_at(p + len - 1, SHORT_SIZE - 1));
    } else {
        /* A buffer for what was a hole; RAM may be there when it is read. */
        reader_expect(r, len <= ADDRESS_SPACE_BOUNCE_MAX);
        reader_expect(r, short_ram_at(p, 0x80) || p[0] == 0xff);
    }
    r->seen[8 + direct]++;
    address_space_unmap(&r->m->as, p, len, false, len);
}

/* A copy that takes long enough to be overtaken. */
static void read_short_ram(Reader *r)
{
    MemTxResult result = address_space_read(&r->m->as, SHORT_AT, r->copy,
                                            SHORT_SIZE);

    reader_expect(r, result == MEMTX_OK
                         ? short_ram_at(r->copy, 0) &&
                               short_ram_at(r->copy + SHORT_SIZE - 1,
                                            SHORT_SIZE - 1)
                         : r->copy[0] == 0xff && r->copy[SHORT_SIZE - 1] == 0xff);
    r->seen[12 + (result == MEMTX_OK)]++;
    address_space_stl_le(&r->m->as, SHORT_AT + SHORT_SIZE + 8 * r->index, 1,
                         (MemTxAttrs){ 0 }, NULL);
}

/* The whole map at one time, under the lock. */
static void find_all(Reader *r)
{
    MemoryRegionSection s;
    bool first_left;

    memory_lock();
    s = memory_region_find(&r->m->root, 0, 1);
    first_left = s.mr == &r->m->left;
    reader_expect(r, first_left || s.mr == &r->m->right);
    s = memory_region_find(&r->m->root, PAGE, 1);
    reader_expect(r, s.mr == (first_left ? &r->m->right : &r->m->left));
    s = memory_region_find(&r->m->root, 0x8000, 1);
    reader_expect(r, s.mr == &r->m->a.mr || s.mr == &r->m->b.mr);
    s = memory_region_find(&r->m->root, 0xc000, 1);
    reader_expect(r, !s.mr || (s.mr == &r->m->device.mr && s.size == 1));
    memory_unlock();
    r->seen[10 + first_left]++;
}

/* A page of its own, of RAM that stays. */
static void write_own(Reader *r)
{
    hwaddr at = 0x20000 + r->index * PAGE;
    MemTxResult result;

    address_space_stq_le(&r->m->as, at, r->rounds, (MemTxAttrs){ 0 }, &result);
    reader_expect(r, result == MEMTX_OK);
    reader_expect(r, address_space_ldq_le(&r->m->as, at, (MemTxAttrs){ 0 },
                                          NULL) == r->rounds);
}

static void *reader_run(void *opaque)
{
    Reader *r = opaque;

    while (!__atomic_load_n(&r->m->stop, __ATOMIC_RELAXED)) {
        read_swapped(r);
        read_toggled(r);
        write_own(r);
        switch (r->rounds++ % 5) {
        case 0:
            read_devices(r);
            break;
        case 1:
            read_short_lived(r);
            break;
        case 2:
            map_short_lived(r);
            break;
        case 3:
            read_short_ram(r);
            break;
        default:
            find_all(r);
            break;
        }
    }
    return NULL;
}

/* ---- the changes ----------------------------------------------------------------------- */

static void swap(MemoryRegion *a, hwaddr at_a, MemoryRegion *b, hwaddr at_b)
{
    memory_region_transaction_begin();
    memory_region_set_address(a, at_a);
    memory_region_set_address(b, at_b);
    memory_region_transaction_commit();
}

static void toggle(Machine *m, unsigned n)
{
    memory_region_transaction_begin();
    memory_region_set_enabled(&m->this, n == 0);
    memory_region_set_enabled(&m->that, n == 1);
    memory_region_transaction_commit();
}

static void device_come_or_go(Machine *m, bool come)
{
    if (come) {
        device_init(&m->device, SHORT_LIVED, "short-lived");
        memory_region_add_subregion(&m->root, 0xc000, &m->device.mr);
    } else {
        memory_region_del_subregion(&m->root, &m->device.mr);
        memory_region_destroy(&m->device.mr);
        m->device.dead = true;
    }
}

static void ram_come_or_go(Machine *m, bool come)
{
    if (come) {
        uint8_t *p;

        memory_region_init_ram(&m->ram, "short-lived-ram",
                               SHORT_SIZE + SHORT_SPARE);
        p = memory_region_get_ram_ptr(&m->ram);
        content_fill(p, SHORT_RAM, 0, PAGE);
        content_fill(p + SHORT_SIZE - PAGE, SHORT_RAM, SHORT_SIZE - PAGE, PAGE);
        memory_region_add_subregion(&m->root, SHORT_AT, &m->ram);
    } else {
        memory_region_del_subregion(&m->root, &m->ram);
        memory_region_destroy(&m->ram);
    }
}

/* Commit number @n: many cheap ones, few that make and destroy. */
static void change(Machine *m, unsigned long n)
{
    switch (n % 8) {
    case 0:
    case 4:
        swap(&m->left, n % 8 ? 0 : PAGE, &m->right, n % 8 ? PAGE : 0);
        break;
    case 2:
        swap(&m->a.mr, 0x9000, &m->b.mr, 0x8000);
        break;
    case 6:
        swap(&m->a.mr, 0x8000, &m->b.mr, 0x9000);
        break;
    case 7:
        switch (n / 8 % 16) {
        case 3:
            device_come_or_go(m, false);
            break;
        case 5:
            device_come_or_go(m, true);
            break;
        case 11:
            ram_come_or_go(m, false);
            break;
        case 13:
            ram_come_or_go(m, true);
            break;
        default:
            toggle(m, n / 8 % 3);
            break;
        }
        break;
    default:
        toggle(m, n / 2 % 3);
        break;
    }
}

static void machine_init(Machine *m)
{
    unsigned i;

    memset(m, 0, sizeof(*m));
    for (i = LEFT; i <= THAT; i++) {
        content_fill(pages[i - 1], i, 0, PAGE);
    }
    memory_region_init(&m->root, "root", UINT64_MAX);
    memory_region_init_ram_ptr(&m->left, "left", PAGE, pages[LEFT - 1]);
    memory_region_init_ram_ptr(&m->right, "right", PAGE, pages[RIGHT - 1]);
    memory_region_init_ram_ptr(&m->this, "this", PAGE, pages[THIS - 1]);
    memory_region_init_ram_ptr(&m->that, "that", PAGE, pages[THAT - 1]);
    memory_region_init_ram(&m->scratch, "scratch", READERS * PAGE);
    memory_region_set_log(&m->scratch, true, DIRTY_MEMORY_VGA);
    device_init(&m->a, DEVICE_A, "a");
    device_init(&m->b, DEVICE_B, "b");
    memory_region_add_subregion_overlap(&m->root, 0, &m->left, 0);
    memory_region_add_subregion_overlap(&m->root, PAGE, &m->right, 0);
    memory_region_add_subregion_overlap(&m->root, 0x4000, &m->this, 1);
    memory_region_add_subregion_overlap(&m->root, 0x4000, &m->that, 0);
    memory_region_add_subregion_overlap(&m->root, 0x8000, &m->a.mr, 0);
    memory_region_add_subregion_overlap(&m->root, 0x9000, &m->b.mr, 0);
    memory_region_add_subregion(&m->root, 0x20000, &m->scratch);
    device_come_or_go(m, true);
    ram_come_or_go(m, true);
    address_space_init(&m->as, &m->root);
}

static void machine_destroy(Machine *m)
{
    MemoryRegion *regions[] = { &m->left, &m->right, &m->this, &m->that,
                                &m->scratch, &m->a.mr, &m->b.mr };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(regions); i++) {
        memory_region_del_subregion(&m->root, regions[i]);
        memory_region_destroy(regions[i]);
    }
    address_space_destroy(&m->as);
    memory_region_destroy(&m->root);
}

START_TEST(test_readers)
{
    /* 128 commits bring everything back to where it was. */
    unsigned long commits = test_number("FLATVIEW_COMMITS", COMMITS) / 128 * 128;
    static Machine machine;
    static Reader readers[READERS];
    unsigned long n, seen[16] = { 0 };
    unsigned i, k;

    machine_init(&machine);
    for (i = 0; i < READERS; i++) {
        readers[i].m = &machine;
        readers[i].index = i;
        ck_assert_int_eq(pthread_create(&readers[i].thread, NULL, reader_run,
                                        &readers[i]), 0);
    }
    for (n = 0; n < commits; n++) {
        change(&machine, n);
        if (__atomic_load_n(&machine.failed, __ATOMIC_RELAXED)) {
            break;
        }
    }
    __atomic_store_n(&machine.stop, 1, __ATOMIC_RELAXED);
    for (i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        for (k = 0; k < G_N_ELEMENTS(seen); k++) {
            seen[k] += readers[i].seen[k];
        }
    }
    expect(!machine.failed, "a reader saw a mixture, see above");
    if (g_getenv("FLATVIEW_VERBOSE")) {
        for (k = 0; k < 14; k++) {
            fprintf(stderr, "# outcome %u: %lu\n", k, seen[k]);
        }
    }
    device_come_or_go(&machine, false);
    ram_come_or_go(&machine, false);
    machine_destroy(&machine);
}
END_TEST

/* Several threads change the map, each its own part. */

typedef struct Writer {
    MemoryRegion *root;
    AddressSpace *as;
    unsigned index;
    unsigned long commits;
    unsigned failures;
    pthread_t thread;
} Writer;

static void *writer_run(void *opaque)
{
    Writer *w = opaque;
    hwaddr at = 0x1000 * (1 + w->index);
    unsigned long n;

    for (n = 0; n < w->commits; n++) {
        IoDevice dev;
        MemTxResult result;

        device_init(&dev, w->index, "writer");
        memory_region_add_subregion(w->root, at, &dev.mr);
        if (address_space_ldl_le(w->as, at + 4, (MemTxAttrs){ 0 }, &result) !=
                content_value(w->index, 4, 4) || result) {
            w->failures++;
        }
        memory_region_del_subregion(w->root, &dev.mr);
        memory_region_destroy(&dev.mr);
        dev.dead = true;
        address_space_ldl_le(w->as, at + 4, (MemTxAttrs){ 0 }, &result);
        if (result != MEMTX_DECODE_ERROR) {
            w->failures++;
        }
    }
    return NULL;
}

START_TEST(test_writers)
{
    Writer writers[3];
    World w;
    unsigned i;

    world_init(&w);
    for (i = 0; i < G_N_ELEMENTS(writers); i++) {
        writers[i] = (Writer){
            .root = &w.root,
            .as = &w.as,
            .index = i,
            .commits = test_number("FLATVIEW_COMMITS", COMMITS) / 100,
        };
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, writer_run,
                                        &writers[i]), 0);
    }
    for (i = 0; i < G_N_ELEMENTS(writers); i++) {
        pthread_join(writers[i].thread, NULL);
        ck_assert_uint_eq(writers[i].failures, 0);
    }
    recorder_expect_map(w.r, NULL);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("threads", test_readers, test_writers)
