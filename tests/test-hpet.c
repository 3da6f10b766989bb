/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The high precision event timer against a model that counts each tick, by programs
 * of chance; its registers; and times that no model counts through.
 */
#include "tests/device-util.h"

#include <string.h>

#include "hw/core/clock.h"
#include "hw/timer/hpet.h"

#define BASE 0x1000 /* among the ports, as there is no other space here */
#define TICK 10     /* ns */
#define CONFIG 0x10
#define STATUS 0x20
#define COUNTER 0xf0
#define TN_CONFIG(n) (0x100 + 0x20 * (n))
#define TN_COMPARATOR(n) (0x108 + 0x20 * (n))
#define TN_FSB(n) (0x110 + 0x20 * (n))
#define LEVEL 0x2
#define ENABLE 0x4
#define PERIODIC 0x8
#define SET_VALUE 0x40
#define BITS_32 0x100
#define FSB 0x4000
#define ROUTE(n) ((n) << 9)

static const int ports[] = { BASE };
static Device *hpet;
static bool wires[32];
static unsigned rises[32];

static void wire_changed(void *opaque, int n, int level)
{
    expect(n < 32 && wires[n] != level, "output %d twice at %d", n, level);
    wires[n] = level;
    rises[n] += level;
}

static uint64_t get(unsigned reg, unsigned size)
{
    uint64_t value = 0;

    expect(port_access(BASE + reg, &value, size, false) == MEMTX_OK, "read");
    return value;
}

static void set(unsigned reg, uint64_t value, unsigned size)
{
    expect(port_access(BASE + reg, &value, size, true) == MEMTX_OK, "write");
}

static void run(int64_t ns)
{
    expect(clock_virtual_advance_to(clock_virtual_ns() + ns), "more than can be");
}

static void start(const char *property, const char *value)
{
    clock_virtual_set_manual();
    test_machine_init();
    memset(wires, 0, sizeof(wires));
    memset(rises, 0, sizeof(rises));
    hpet = test_device("hpet", ports, property, value, NULL);
    device_intercept(hpet, true, (IRQLine){ wire_changed, NULL, 0 });
}

/* ---- registers ------------------------------------------------------------------------ */

START_TEST(after_reset)
{
    start(NULL, NULL);
    for (unsigned reg = 0; reg < 0x400; reg += 8) {
        uint64_t wanted = reg == 0 ? 0x009896808086a201
                          : reg == 0x100 || reg == 0x120 || reg == 0x140
                              ? 0x0000000400000030
                          : reg == 0x108 || reg == 0x128 || reg == 0x148 ? ~0ull
                                                                         : 0;

        expect_hex(get(reg, 8), wanted);
        expect_hex(get(reg, 4), wanted & 0xffffffff);
        expect_hex(get(reg + 4, 4), wanted >> 32);
    }
    expect(clock_virtual_deadline_ns() == INT64_MAX, "it wakes somebody");
    test_machine_free();
}
END_TEST

START_TEST(what_can_be_written)
{
    uint32_t word = 0;
    uint16_t half = 0;

    start(NULL, NULL);
    /* Route 31 is not there, and neither are messages nor bits that say what is. */
    set(TN_CONFIG(0), ~0ull, 8);
    expect_hex(get(TN_CONFIG(0), 8), 0x40000017e);
    set(TN_CONFIG(0), ROUTE(2), 4);
    expect_hex(get(TN_CONFIG(0), 8), 0x400000430);
    set(TN_CONFIG(0), ROUTE(3), 4); /* is not there: reads back as before */
    expect_hex(get(TN_CONFIG(0), 8), 0x400000430);
    set(TN_CONFIG(0) + 4, ~0ull, 4);
    expect_hex(get(TN_CONFIG(0), 8), 0x400000430);
    set(TN_COMPARATOR(1), 0x1122334455667788, 8);
    set(TN_COMPARATOR(1) + 4, 0xaabbccdd, 4);
    expect_hex(get(TN_COMPARATOR(1), 8), 0xaabbccdd55667788);
    set(TN_CONFIG(1), BITS_32, 4);
    expect_hex(get(TN_COMPARATOR(1), 8), 0x55667788);
    set(TN_COMPARATOR(1) + 4, 1, 4);
    expect_hex(get(TN_COMPARATOR(1), 8), 0x55667788);
    set(COUNTER, 0x123456789a, 8);
    set(COUNTER + 4, 0xff, 4);
    expect_hex(get(COUNTER, 8), 0xff3456789a);
    set(CONFIG, ~0ull, 8);
    expect_hex(get(CONFIG, 8), 3);
    set(COUNTER, 0, 8); /* it runs */
    expect_hex(get(COUNTER, 8), 0xff3456789a);
    set(0, ~0ull, 8);
    expect_hex(get(0, 8), 0x009896808086a201);
    set(STATUS, ~0ull, 8);
    expect_hex(get(STATUS, 8), 0);
    set(TN_CONFIG(3), ~0ull, 8); /* there are three */
    expect_hex(get(TN_CONFIG(3), 8), 0);
    set(TN_FSB(2), 0x1122334455667788, 8);
    set(TN_FSB(2), 0x99aabbcc, 4);
    expect_hex(get(TN_FSB(2), 8), 0x1122334499aabbcc);
    /* Nothing narrower than 4 bytes, nor across registers. */
    expect(port_access(BASE, &half, 2, false) != MEMTX_OK, "2 bytes");
    expect(port_access(BASE + 2, &word, 4, false) != MEMTX_OK, "unaligned");
    test_machine_free();
}
END_TEST

START_TEST(wrong_routes)
{
    for (unsigned i = 0; i < 2; i++) {
        Device *dev = device_new(device_type_find("hpet", NULL), NULL);
        GError *err = NULL;

        expect(device_set(dev, "hpet-intcap", i ? "0x1000000" : "0", &err), "set");
        expect(!device_realize(dev, &err), "realized");
        expect_error(err, "hpet-intcap", "between 0 and 23", NULL);
        device_free(dev);
    }
}
END_TEST

/* ---- counting ---------------------------------------------------------------------- */

START_TEST(counter)
{
    start(NULL, NULL);
    run(12345);
    set(CONFIG, 1, 4);
    expect_hex(get(COUNTER, 8), 0);
    run(9);
    expect_hex(get(COUNTER, 8), 0);
    run(1);
    expect_hex(get(COUNTER, 8), 1);
    run(1000000000);
    expect_hex(get(COUNTER, 8), 100000001);
    set(CONFIG, 0, 4);
    run(1000);
    expect_hex(get(COUNTER, 8), 100000001);
    set(COUNTER, ~0ull, 8);
    set(CONFIG, 1, 4);
    run(30);
    expect_hex(get(COUNTER, 8), 2);
    device_reset(hpet);
    expect_hex(get(CONFIG, 8), 0);
    expect_hex(get(COUNTER, 8), 0);
    test_machine_free();
}
END_TEST

/* Two timers ahead, each at its nanosecond, once; the third when it wraps. */
START_TEST(one_shot)
{
    start("hpet-intcap", "0xff0004");
    set(TN_CONFIG(0), ENABLE | ROUTE(2), 4);
    set(TN_CONFIG(1), ENABLE | ROUTE(20) | LEVEL, 4);
    set(TN_CONFIG(2), ENABLE | ROUTE(23) | BITS_32, 4);
    set(TN_COMPARATOR(0), 1000000, 8);
    set(TN_COMPARATOR(1), 1000001, 8);
    set(TN_COMPARATOR(2), 5, 4);
    run(77);
    set(CONFIG, 1, 4);
    run(50);
    expect(rises[23] == 1 && !wires[23], "the third");
    run(10000000 - 51);
    expect(rises[2] == 0, "early");
    run(1);
    expect(rises[2] == 1 && !wires[2], "no edge");
    expect_hex(get(STATUS, 4), 0);
    run(9);
    expect(!wires[20], "early");
    run(1);
    expect(wires[20], "no level");
    expect_hex(get(STATUS, 4), 2);
    set(STATUS, 5, 4);
    expect(wires[20], "another's bit");
    set(STATUS, 2, 4);
    expect(!wires[20] && get(STATUS, 4) == 0, "still high");
    run((int64_t)TICK << 32); /* 32 bits wrap, 64 do not */
    expect(rises[23] == 2 && rises[2] == 1 && rises[20] == 1, "%u %u %u",
           rises[23], rises[2], rises[20]);
    expect(clock_virtual_deadline_ns() < clock_virtual_ns() + ((int64_t)TICK << 32),
           "no next");
    test_machine_free();
}
END_TEST

/* What is set late comes at once, but a round of the counter is not late. */
START_TEST(late)
{
    start(NULL, NULL);
    set(TN_CONFIG(0), ENABLE | ROUTE(2), 4);
    set(TN_CONFIG(1), ENABLE | ROUTE(2) | BITS_32, 4);
    set(COUNTER, 0x500000000, 8);
    set(CONFIG, 1, 4);
    run(1000);
    set(TN_COMPARATOR(0), get(COUNTER, 8) - 1, 8);
    expect(rises[2] == 1, "late by 1");
    set(TN_COMPARATOR(0), get(COUNTER, 8) - 0x7fffffff, 8);
    expect(rises[2] == 2, "late by 20 s");
    set(TN_COMPARATOR(0), get(COUNTER, 8) - 0x80000000, 8);
    expect(rises[2] == 2, "not late");
    set(TN_COMPARATOR(0), 0x400000000, 8);
    expect(rises[2] == 2, "not late");
    set(TN_COMPARATOR(1), 0xfffffff0, 4); /* that is before 0 */
    expect(rises[2] == 3, "late before a round");
    set(TN_COMPARATOR(1), get(COUNTER, 4) + 0x80000000, 4);
    expect(rises[2] == 3, "not late");
    run(1000000);
    expect(rises[2] == 3, "again");
    /* A period goes on from there, without those that would have been. */
    set(TN_CONFIG(0), ENABLE | PERIODIC | SET_VALUE | ROUTE(2), 4);
    set(TN_COMPARATOR(0), get(COUNTER, 8) - 30, 8);
    run(500);
    expect(rises[2] == 3, "before the period is known");
    set(TN_COMPARATOR(0), 100, 8);
    expect(rises[2] == 4, "a late first time");
    expect_hex(get(TN_COMPARATOR(0), 8), get(COUNTER, 8) + 20);
    run(200);
    expect(rises[2] == 5, "the second time");
    test_machine_free();
}
END_TEST

START_TEST(periodic)
{
    start(NULL, NULL);
    set(CONFIG, 1, 4);
    run(10000);
    set(TN_CONFIG(0), PERIODIC | SET_VALUE | ENABLE | ROUTE(2), 4);
    set(TN_COMPARATOR(0), 1500, 4); /* the first time, */
    set(TN_COMPARATOR(0), 200, 4);  /* and then each */
    expect_hex(get(TN_CONFIG(0), 4), PERIODIC | ENABLE | ROUTE(2) | 0x30);
    set(TN_CONFIG(0), PERIODIC | ENABLE | ROUTE(2) | BITS_32, 4);
    run(4999);
    expect(rises[2] == 0, "early");
    run(1);
    expect(rises[2] == 1, "the first time");
    expect_hex(get(TN_COMPARATOR(0), 8), 1700);
    run(2000 * 1000 - 1);
    expect(rises[2] == 1000, "%u", rises[2]);
    run(1);
    expect(rises[2] == 1001, "%u", rises[2]);
    /* The period alone: from the next time on. */
    set(TN_COMPARATOR(0), 7, 4);
    run(2000);
    expect(rises[2] == 1002, "%u", rises[2]);
    run(70);
    expect(rises[2] == 1003, "%u", rises[2]);
    /* One write with the bit sets both. */
    set(TN_CONFIG(0), PERIODIC | SET_VALUE | ENABLE | ROUTE(2), 4);
    set(TN_COMPARATOR(0), get(COUNTER, 8) + 300000, 8);
    run(3000000);
    expect(rises[2] == 1004, "%u", rises[2]);
    /* Without interrupts it goes on, and nobody is woken. */
    set(TN_CONFIG(0), PERIODIC | SET_VALUE | LEVEL, 4);
    set(TN_COMPARATOR(0), get(COUNTER, 8) + 10, 8);
    set(TN_COMPARATOR(0), 10, 8);
    expect(clock_virtual_deadline_ns() == INT64_MAX, "somebody is woken");
    run(400 * 86400ll * 1000000000);
    expect_hex(get(STATUS, 4), 1);
    expect_hex(get(TN_COMPARATOR(0), 8), get(COUNTER, 8) + 10);
    expect(rises[2] == 1004, "%u", rises[2]);
    set(TN_CONFIG(0), PERIODIC | LEVEL | ENABLE, 4);
    expect(wires[2], "no level");
    set(CONFIG, 0, 4);
    expect(!wires[2], "though all is off");
    test_machine_free();
}
END_TEST

/* ---- legacy replacement ------------------------------------------------------------- */

START_TEST(legacy)
{
    IRQLine rtc;

    start(NULL, NULL);
    rtc = device_irq_in(hpet, HPET_IN_RTC);
    irq_set(&rtc, 1);
    expect(wires[8], "the clock's interrupt goes through");
    set(CONFIG, 2, 4); /* not while it stands */
    expect(!wires[HPET_OUT_PIT_OFF] && wires[8], "replaced");
    set(TN_CONFIG(0), ENABLE | LEVEL, 4);
    set(TN_CONFIG(1), ENABLE | ROUTE(2), 4);
    set(TN_CONFIG(2), ENABLE | ROUTE(2), 4);
    for (unsigned n = 0; n < 3; n++) {
        set(TN_COMPARATOR(n), 100 + n, 4);
        set(TN_COMPARATOR(n) + 4, 0, 4);
    }
    set(CONFIG, 3, 4);
    expect(wires[HPET_OUT_PIT_OFF] && !wires[8], "not replaced");
    irq_set(&rtc, 0);
    irq_set(&rtc, 1);
    expect(rises[8] == 1 && !wires[8], "the clock's interrupt");
    run(1000);
    expect(wires[0] && rises[0] == 1, "timer 0");
    run(10);
    expect(rises[8] == 2 && !wires[8], "timer 1");
    run(10);
    expect(rises[2] == 1, "timer 2");
    set(CONFIG, 1, 4);
    expect(!wires[0] && !wires[HPET_OUT_PIT_OFF] && wires[8], "still replaced");
    expect_hex(get(STATUS, 4), 1);
    set(CONFIG, 3, 4);
    expect(wires[0] && wires[HPET_OUT_PIT_OFF], "not replaced again");
    device_reset(hpet);
    expect(!wires[0] && !wires[HPET_OUT_PIT_OFF] && wires[8], "by a reset");
    expect_hex(get(STATUS, 4), 0);
    test_machine_free();
}
END_TEST

/* ---- messages ------------------------------------------------------------------------- */

START_TEST(messages)
{
    static MemoryRegion root;
    IoDevice dev;

    io_device_init(&dev, 1, "messages", 0x1000);
    start("msi", "on");
    memory_region_init(&root, "memory", UINT64_MAX);
    address_space_init(&test_machine.memory, &root);
    memory_region_add_subregion(&root, 0xfee00000, &dev.mr);
    expect_hex(get(TN_CONFIG(2), 4), 0x8030);
    set(TN_CONFIG(2), ENABLE | FSB | LEVEL | ROUTE(2), 4);
    expect_hex(get(TN_CONFIG(2), 4), 0x8030 | ENABLE | FSB | LEVEL | ROUTE(2));
    set(TN_FSB(2), 0xfee0001000004123, 8);
    set(TN_COMPARATOR(2), 10, 8);
    set(CONFIG, 1, 4);
    io_expect(&dev, NULL);
    run(100);
    io_expect(&dev, "w 10/4=4123", NULL);
    expect(!rises[2] && !get(STATUS, 4), "an interrupt, too");
    set(TN_CONFIG(2), FSB, 4);
    set(TN_COMPARATOR(2), 20, 8);
    run(100);
    io_expect(&dev, NULL);
    memory_region_del_subregion(&root, &dev.mr);
    address_space_destroy(&test_machine.memory);
    memory_region_destroy(&root);
    memory_region_destroy(&dev.mr);
    test_machine_free();
}
END_TEST

/* ---- the model -------------------------------------------------------------------------- */

#define TIMERS 3
#define ROUTES 0xff0104u

typedef struct ModelTimer {
    uint32_t config;
    uint64_t comparator, period;
} ModelTimer;

static struct {
    uint64_t counter;
    int64_t into;    /* ns into this tick */
    unsigned config, status, rises[32];
    bool rtc;
    ModelTimer timers[TIMERS];
} model;

static uint64_t model_mask(const ModelTimer *t)
{
    return t->config & BITS_32 ? 0xffffffff : ~0ull;
}

static int model_wire(unsigned n)
{
    int route = model.timers[n].config >> 9 & 31;

    if (model.config == 3 && n < 2) {
        return n * 8;
    }
    return ROUTES >> route & 1 ? route : -1;
}

static bool model_level(int wire)
{
    bool level = wire == 8 && model.rtc && model.config != 3;

    for (unsigned n = 0; n < TIMERS; n++) {
        level = level || (model_wire(n) == wire && (model.config & 1) &&
                          (model.timers[n].config & ENABLE) &&
                          (model.status >> n & 1));
    }
    return level;
}

static bool levels[24];

static void model_settle(void)
{
    for (int wire = 0; wire < 24; wire++) {
        bool level = model_level(wire);

        model.rises[wire] += level && !levels[wire];
        levels[wire] = level;
    }
}

static void model_match(unsigned n)
{
    ModelTimer *t = &model.timers[n];
    uint64_t mask = model_mask(t), left;

    if ((t->config & PERIODIC) && (t->period & mask)) {
        do { /* until it is ahead: at once, but for one that was set late */
            left = (model.counter - t->comparator) & mask;
            t->comparator = (t->comparator + (t->period & mask)) & mask;
        } while (left >= (t->period & mask));
    }
    if (t->config & LEVEL) {
        model.status |= 1u << n;
    } else if ((t->config & ENABLE) && model_wire(n) >= 0 &&
               !levels[model_wire(n)]) {
        model.rises[model_wire(n)]++;
    }
    model_settle();
}

static void model_compare(unsigned n)
{
    const ModelTimer *t = &model.timers[n];

    if (((model.counter ^ t->comparator) & model_mask(t)) == 0) {
        model_match(n);
    }
}

static void model_run(int64_t ns)
{
    if (!(model.config & 1)) {
        return;
    }
    for (model.into += ns; model.into >= TICK; model.into -= TICK) {
        model.counter++;
        for (unsigned n = 0; n < TIMERS; n++) {
            model_compare(n);
        }
    }
}

static void model_set_config(unsigned config)
{
    bool starts = config & ~model.config & 1;

    /* Half a tick is lost where it is written to. */
    model.into = 0;
    model.config = config;
    for (unsigned n = 0; starts && n < TIMERS; n++) {
        model_compare(n);
    }
    model_settle();
}

static void set_timer(GRand *rand, unsigned n)
{
    static const unsigned routes[] = { 2, 8, 16, 23, 5 };
    ModelTimer *t = &model.timers[n];
    uint32_t config = g_rand_int(rand) & (LEVEL | ENABLE | PERIODIC | BITS_32);
    unsigned route = routes[g_rand_int_range(rand, 0, G_N_ELEMENTS(routes))];

    config |= config & PERIODIC && g_rand_boolean(rand) ? SET_VALUE : 0;
    set(TN_CONFIG(n), config | ROUTE(route), 4);
    if (ROUTES >> route & 1) {
        t->config = ROUTE(route);
    }
    t->config = (t->config & 0x3e00) | config;
    if (!(config & LEVEL)) {
        model.status &= ~(1u << n);
    }
    t->comparator &= model_mask(t);
    model_settle();
}

static void set_comparator(GRand *rand, unsigned n)
{
    ModelTimer *t = &model.timers[n];
    uint64_t mask = model_mask(t);
    uint64_t value = g_rand_int_range(rand, 1, 300);
    bool first = t->config & SET_VALUE;

    if (!(t->config & PERIODIC) || (t->config & SET_VALUE)) {
        value += model.counter - g_rand_int_range(rand, 0, 20);
    }
    value &= mask;
    set(TN_COMPARATOR(n), value, 8);
    if (t->config & PERIODIC) {
        t->period = (t->period & ~mask) | value;
    }
    if (!(t->config & PERIODIC) || (t->config & SET_VALUE)) {
        t->config &= ~SET_VALUE;
        t->comparator = value;
    }
    if (!(model.config & 1)) {
        return;
    }
    if (first) {
        model_compare(n);
    } else if (((model.counter - t->comparator) & mask) < 1ull << 31) {
        model_match(n); /* now, or late */
    }
}

static void model_step(GRand *rand)
{
    unsigned n = g_rand_int_range(rand, 0, TIMERS);
    IRQLine rtc = device_irq_in(hpet, HPET_IN_RTC);
    int64_t ns;

    switch (g_rand_int_range(rand, 0, 10)) {
    case 0:
        set_timer(rand, n);
        break;
    case 1:
        set_comparator(rand, n);
        break;
    case 2:
        n = g_rand_int_range(rand, 0, 4);
        set(CONFIG, n, 4);
        model_set_config(n);
        break;
    case 3: /* near where 32 or 64 bits end */
        if (!(model.config & 1)) {
            model.counter = g_rand_boolean(rand) ? ~0ull : 0xffffffff;
            model.counter -= g_rand_int_range(rand, 0, 1000);
            set(COUNTER, model.counter, 8);
        }
        break;
    case 4:
        n = g_rand_int_range(rand, 0, 8);
        set(STATUS, n, 4);
        model.status &= ~n;
        model_settle();
        break;
    case 5:
        model.rtc = g_rand_boolean(rand);
        irq_set(&rtc, model.rtc);
        model_settle();
        break;
    default:
        ns = g_rand_int_range(rand, 0, g_rand_boolean(rand) ? 100 : 20000);
        run(ns);
        model_run(ns);
        break;
    }
    expect_hex(get(COUNTER, 8), model.counter);
    expect_hex(get(STATUS, 8), model.status);
    for (n = 0; n < TIMERS; n++) {
        expect_hex(get(TN_CONFIG(n), 4), model.timers[n].config | 0x30);
        expect_hex(get(TN_COMPARATOR(n), 8), model.timers[n].comparator);
    }
    for (n = 0; n < 24; n++) {
        expect(wires[n] == levels[n], "wire %u is %u", n, wires[n]);
        expect(rises[n] == model.rises[n], "wire %u rose %u times, not %u", n,
               rises[n], model.rises[n]);
    }
    expect(wires[HPET_OUT_PIT_OFF] == (model.config == 3), "the timer's wire");
}

START_TEST(against_model)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 8086);
    uint64_t steps = test_number("FLATVIEW_STEPS", 40000);
    GRand *rand = g_rand_new_with_seed(seed);

    start("hpet-intcap", "0xff0104");
    memset(&model, 0, sizeof(model));
    memset(levels, 0, sizeof(levels));
    for (unsigned n = 0; n < TIMERS; n++) {
        model.timers[n].comparator = ~0ull;
    }
    for (uint64_t i = 0; i < steps; i++) {
        g_snprintf(test_context, sizeof(test_context), "seed %" PRIu64 ", step %"
                   PRIu64 ": ", seed, i);
        model_step(rand);
    }
    g_rand_free(rand);
    test_machine_free();
}
END_TEST

/* Anything anywhere, and then much time. */
START_TEST(hostile)
{
    GRand *rand = g_rand_new_with_seed(test_number("FLATVIEW_SEED", 4711));

    start(NULL, NULL);
    for (unsigned i = 0; i < 100000; i++) {
        unsigned size = g_rand_boolean(rand) ? 4 : 8;
        uint64_t value = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
        unsigned reg = g_rand_int_range(rand, 0, 0x180) & -size;

        if (g_rand_int_range(rand, 0, 4) == 0) {
            get(reg, size);
        } else {
            set(reg, g_rand_boolean(rand) ? value : value % 5, size);
        }
        /* Periods of one tick are among them. */
        clock_virtual_advance_to(clock_virtual_ns() + g_rand_int_range(rand, 0, 3000));
    }
    set(TN_CONFIG(0), 0, 4);
    set(TN_CONFIG(1), 0, 4);
    set(TN_CONFIG(2), 0, 4);
    set(CONFIG, 1, 4);
    clock_virtual_advance_to(CLOCK_NS_MAX);
    get(COUNTER, 8);
    g_rand_free(rand);
    test_machine_free();
}
END_TEST

TEST_MAIN("hpet", after_reset, what_can_be_written, wrong_routes, counter, one_shot,
          late, periodic, legacy, messages, against_model, hostile)
