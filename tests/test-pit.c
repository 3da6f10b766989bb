/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interval timer against a model that does one tick after the other, by programs
 * of chance; and what no program of chance is likely to meet. tests/qtest/
 * test-qtest-pit.c has each mode's wave forms.
 */
#include "tests/device-util.h"

#include <string.h>

#include "hw/core/clock.h"

#define HZ 1193182
#define S 1000000000ll

#define in(port) port_in(port, 1)
#define out(port, value) port_out(port, value, 1)

static const int ports[] = { 0x40, 0x61 };

/* ---- the model -------------------------------------------------------------------- */

/* One counter, as figure 5 of the data sheet has it: the counting element, the count
 * register, and what latches. */
typedef struct Counter {
    unsigned mode, rw, base;
    int element, reg;
    bool out, gate, null;
    enum { NOT_LOADED, LOAD_NEXT, LOADED } state;
    bool has_count;  /* since the control word */
    bool strobe_due; /* modes 4 and 5 */
    int odd_tick;    /* mode 3: one tick more of the high half */
    bool half_written, half_read;
    unsigned half;
    int latch[2], latched; /* bytes, in the order in which they are read */
    int status;            /* -1: none latched */
} Counter;

typedef struct Model {
    Counter counters[3];
    uint64_t ticks;
    bool speaker;
    unsigned rises; /* of output 0 */
} Model;

static void counter_take(Counter *c)
{
    c->element = c->reg;
    c->null = false;
    c->state = LOADED;
    c->strobe_due = true;
    c->odd_tick = 0;
    if (c->mode == 3 && c->reg % 2) {
        c->element--;
        c->odd_tick = c->out;
    }
}

static void counter_down(Counter *c, int by)
{
    c->element -= by;
    if (c->element < 0) {
        c->element += c->base;
    }
}

static void counter_tick(Counter *c)
{
    bool triggered = c->mode == 1 || c->mode == 5;

    if (c->state == LOAD_NEXT) {
        c->out = c->mode > 1;
        counter_take(c);
        return;
    }
    if (c->mode >= 4 && !c->out) {
        c->out = true; /* the strobe is over */
    }
    if (c->state == NOT_LOADED || (!c->gate && !triggered)) {
        return;
    }
    switch (c->mode) {
    case 0:
    case 1:
        counter_down(c, 1);
        if (c->element == 0) {
            c->out = true;
        }
        break;
    case 2:
        if (c->element == 1) {
            c->out = true;
            counter_take(c);
        } else {
            counter_down(c, 1);
            c->out = c->element != 1;
        }
        break;
    case 3:
        if (c->element == 0 && c->odd_tick) {
            c->out = false;
            counter_take(c);
        } else {
            counter_down(c, 2);
            if (c->element == 0 && !c->odd_tick) {
                c->out = !c->out;
                counter_take(c);
            }
        }
        break;
    default:
        counter_down(c, 1);
        if (c->element == 0 && c->strobe_due) {
            c->out = false;
            c->strobe_due = false;
        }
        break;
    }
}

static void counter_gate(Counter *c, bool level)
{
    bool rise = level && !c->gate;

    c->gate = level;
    if (!level && (c->mode == 2 || c->mode == 3)) {
        c->out = true;
    }
    if (rise && c->has_count && c->mode % 4 != 0) {
        c->state = LOAD_NEXT;
    }
}

static void counter_control(Counter *c, unsigned word)
{
    c->mode = (word >> 1) % 8;
    if (c->mode >= 6) {
        c->mode -= 4;
    }
    c->rw = word >> 4 & 3;
    c->base = word & 1 ? 10000 : 65536;
    c->element %= (int)c->base;
    c->out = c->mode != 0;
    c->null = true;
    c->state = NOT_LOADED;
    c->has_count = c->half_written = c->half_read = false;
    c->latched = 0;
    c->status = -1;
}

static int counter_decimal(unsigned packed)
{
    return packed % 16 + packed / 16 % 16 * 10 + packed / 256 % 16 * 100 +
           packed / 4096 * 1000;
}

static void counter_count(Counter *c, unsigned value)
{
    /* All zero is the largest: the element starts at 0 then and goes down. */
    c->reg = c->base == 10000 ? counter_decimal(value) : (int)value;
    c->null = c->has_count = true;
    if (c->mode == 0) {
        c->out = false;
    }
    if (c->mode % 4 == 0 || (c->state == NOT_LOADED && c->mode % 4 >= 2)) {
        c->state = LOAD_NEXT;
    }
}

static void counter_write(Counter *c, unsigned byte)
{
    if (c->rw == 1) {
        counter_count(c, byte);
    } else if (c->rw == 2) {
        counter_count(c, byte * 256);
    } else if (!c->half_written) {
        c->half_written = true;
        c->half = byte;
        if (c->mode == 0) {
            c->out = false;
            c->state = NOT_LOADED;
        }
    } else {
        c->half_written = false;
        counter_count(c, byte * 256 + c->half);
    }
}

static unsigned counter_packed(const Counter *c)
{
    unsigned e = c->element;

    return c->base == 65536 ? e
                            : e / 1000 * 4096 + e / 100 % 10 * 256 +
                                  e / 10 % 10 * 16 + e % 10;
}

static void counter_latch(Counter *c)
{
    unsigned value = counter_packed(c);

    if (c->latched) {
        return;
    }
    if (c->rw != 2) {
        c->latch[c->latched++] = value & 0xff;
    }
    if (c->rw != 1) {
        c->latch[c->latched++] = value >> 8;
    }
}

static unsigned counter_read(Counter *c)
{
    unsigned value = counter_packed(c), result;

    if (c->status >= 0) {
        result = c->status;
        c->status = -1;
        return result;
    }
    if (c->latched) {
        result = c->latch[0];
        c->latch[0] = c->latch[1];
        c->latched--;
        return result;
    }
    if (c->rw == 1) {
        return value & 0xff;
    }
    if (c->rw == 2) {
        return value >> 8;
    }
    c->half_read = !c->half_read;
    return c->half_read ? value & 0xff : value >> 8;
}

static void model_init(Model *m)
{
    memset(m, 0, sizeof(*m));
    for (unsigned n = 0; n < 3; n++) {
        Counter *c = &m->counters[n];

        counter_control(c, 0x36);
        c->gate = n != 2;
        counter_count(c, 0);
        counter_take(c);
    }
}

static void model_run(Model *m, uint64_t ticks)
{
    for (; m->ticks < ticks; m->ticks++) {
        for (unsigned n = 0; n < 3; n++) {
            bool before = m->counters[n].out;

            counter_tick(&m->counters[n]);
            m->rises += n == 0 && m->counters[n].out && !before;
        }
    }
}

static void model_control(Model *m, unsigned word)
{
    Counter *c;

    if (word >> 6 < 3) {
        c = &m->counters[word >> 6];
        if (word & 0x30) {
            bool before = c->out;

            counter_control(c, word);
            m->rises += word >> 6 == 0 && c->out && !before;
        } else {
            counter_latch(c);
        }
        return;
    }
    for (unsigned n = 0; n < 3; n++) {
        c = &m->counters[n];
        if (!(word >> n & 2)) {
            continue;
        }
        if (!(word & 0x20)) {
            counter_latch(c);
        }
        if (!(word & 0x10) && c->status < 0) {
            c->status = c->out << 7 | c->null << 6 | c->rw << 4 | c->mode << 1 |
                        (c->base == 10000);
        }
    }
}

/* ---- programs of chance ------------------------------------------------------------ */

static Model model;

/* Not 1, which the chip does not allow in some modes. */
static unsigned some_count(GRand *rand, unsigned base)
{
    unsigned large = g_rand_int_range(rand, 0, base - 1);
    unsigned n = g_rand_boolean(rand) ? large : large % 40;

    n = n == 1 ? 2 : n;
    return base == 65536 ? n : n / 1000 << 12 | n / 100 % 10 << 8 |
                               n / 10 % 10 << 4 | n % 10;
}

static void write_count(GRand *rand, unsigned n)
{
    Counter *c = &model.counters[n];
    unsigned count = some_count(rand, c->base);
    unsigned bytes[2] = { count & 0xff, count >> 8 }, nr = 2, first = 0;

    if (c->rw == 1) {
        bytes[0] += bytes[0] == 1;
        nr = 1;
    } else if (c->rw == 2) {
        nr = first = 1;
    } else if (c->half_written) { /* the other half is known */
        first = 1;
        nr = 1;
        bytes[1] |= c->half == 1;
    } else if (g_rand_int_range(rand, 0, 8) == 0) {
        nr = 1; /* to be continued */
    }
    for (unsigned i = 0; i < nr; i++) {
        out(0x40 + n, bytes[first + i]);
        counter_write(c, bytes[first + i]);
    }
}

static void step(GRand *rand)
{
    static const int most[] = { 2, 20, 300, 70000 };
    int ticks = g_rand_int_range(rand, 0, most[g_rand_int_range(rand, 0, 4)] + 1);
    int64_t ns = ((__int128)(model.ticks + ticks) * S + HZ - 1) / HZ;

    ns += g_rand_int_range(rand, 0, 838); /* somewhere in that tick */
    expect(clock_virtual_advance_to(ns), "more than can be");
    model_run(&model, (__int128)ns * HZ / S);
}

static void one_step(GRand *rand)
{
    unsigned n = g_rand_int_range(rand, 0, 3), value;

    switch (g_rand_int_range(rand, 0, 10)) {
    case 0:
        value = n << 6 | g_rand_int_range(rand, 1, 4) << 4 |
                g_rand_int_range(rand, 0, 16);
        out(0x43, value);
        model_control(&model, value);
        write_count(rand, n);
        break;
    case 1:
        write_count(rand, n);
        break;
    case 2: /* latch one, or read back */
        value = g_rand_boolean(rand) ? n << 6
                                      : 0xc0u | g_rand_int_range(rand, 0, 64);
        out(0x43, value);
        model_control(&model, value);
        break;
    case 3:
    case 4:
        expect_hex(in(0x40 + n), counter_read(&model.counters[n]));
        break;
    case 5:
        value = g_rand_int_range(rand, 0, 4);
        out(0x61, value);
        counter_gate(&model.counters[2], value & 1);
        model.speaker = value & 2;
        break;
    case 6:
        expect_hex(in(0x61) & 0x2f, model.counters[2].gate | model.speaker << 1 |
                                        model.counters[2].out << 5);
        break;
    default:
        step(rand);
        break;
    }
    expect(test_wire.level == model.counters[0].out, "output 0 is %u",
           test_wire.level);
    expect(test_wire.rises == model.rises, "output 0 rose %u times, not %u",
           test_wire.rises, model.rises);
}

START_TEST(against_model)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 8254);
    uint64_t steps = test_number("FLATVIEW_STEPS", 40000);
    GRand *rand = g_rand_new_with_seed(seed);

    clock_virtual_set_manual();
    test_machine_init();
    test_device("isa-pit", ports, NULL);
    model_init(&model);
    model.rises = test_wire.rises;
    for (uint64_t i = 0; i < steps; i++) {
        g_snprintf(test_context, sizeof(test_context), "seed %" PRIu64 ", step %"
                   PRIu64 ": ", seed, i);
        one_step(rand);
    }
    g_rand_free(rand);
    test_machine_free();
}
END_TEST

/* Longer than anybody waits, in no time, in every mode, whatever the count. */
START_TEST(long_times)
{
    int64_t now = 0;

    clock_virtual_set_manual();
    test_machine_init();
    test_device("isa-pit", ports, NULL);
    out(0x43, 0x30); /* channel 0 does nothing that wakes anybody */
    out(0x61, 1);
    for (unsigned i = 0; i < 6 * 2 * 8; i++) {
        unsigned mode = i % 6, bcd = i / 6 % 2, count = i / 12;

        out(0x43, 0xb0 | mode << 1 | bcd);
        out(0x42, count);
        out(0x42, 0);
        out(0x61, 0);
        out(0x61, 1);
        now += 400 * 86400 * S;
        clock_virtual_advance_to(now);
        in(0x42);
        in(0x42);
        in(0x61);
    }
    test_machine_free();
}
END_TEST

/* One tick a period: the chip cannot, and the output stays high. */
START_TEST(count_of_one)
{
    clock_virtual_set_manual();
    test_machine_init();
    test_device("isa-pit", ports, NULL);
    for (unsigned mode = 2; mode < 4; mode++) {
        unsigned rises = test_wire.rises;

        out(0x43, 0x10 | mode << 1);
        out(0x40, 1);
        clock_virtual_advance_to(clock_virtual_ns() + 100 * S);
        expect(test_wire.level && test_wire.rises == rises, "mode %u", mode);
        out(0x43, 0xc2 | 0x20);
        expect_hex(in(0x40), 0x90 | mode << 1);
        out(0x40, 4); /* goes on with another */
        clock_virtual_advance_to(clock_virtual_ns() + S / 1000);
        expect(test_wire.rises > rises + 100, "mode %u does not go on", mode);
    }
    test_machine_free();
}
END_TEST

/* Where the main loop comes late, there is an edge nevertheless. */
START_TEST(late)
{
    unsigned rises;

    test_machine_init();
    test_device("isa-pit", ports, NULL);
    out(0x43, 0x34);
    out(0x40, 0xa9);
    out(0x40, 0x04);
    for (unsigned i = 0; i < 5; i++) {
        rises = test_wire.rises;
        g_usleep(10000); /* ten periods */
        in(0x40);
        expect(test_wire.rises == rises + 1, "%u edges", test_wire.rises - rises);
    }
    rises = test_wire.rises;
    test_loop_until(test_wire.rises >= rises + 3);
    test_machine_free();
}
END_TEST

/* An HPET has taken over: output 0 is low, and all else goes on. */
START_TEST(replaced)
{
    IRQLine off;
    Device *dev;

    clock_virtual_set_manual();
    test_machine_init();
    dev = test_device("isa-pit", ports, NULL);
    off = device_irq_in(dev, 0);
    out(0x43, 0x16);
    out(0x40, 100);
    clock_virtual_advance_to(1000);
    expect(test_wire.level, "low");
    irq_set(&off, 1);
    expect(!test_wire.level, "still high");
    test_wire.rises = 0;
    clock_virtual_advance_to(10 * S);
    expect(test_wire.rises == 0, "%u edges", test_wire.rises);
    expect(clock_virtual_deadline_ns() == INT64_MAX, "it wakes somebody");
    out(0x43, 0xd2);
    expect(in(0x40) <= 100, "it has not gone on");
    irq_set(&off, 0);
    clock_virtual_advance_to(11 * S);
    expect(test_wire.rises >= 11930 && test_wire.rises <= 11933, "%u edges",
           test_wire.rises);
    irq_set(&off, 1);
    device_reset(dev); /* which does not change a wire that leads here */
    expect(!test_wire.level, "by a reset");
    test_machine_free();
}
END_TEST

START_TEST(widths)
{
    clock_virtual_set_manual();
    test_machine_init();
    test_device("isa-pit", ports, NULL);
    expect_hex(port_in(0x43, 1), 0);
    port_out(0x42, 0xb005, 2); /* channel 2, then the control port */
    port_out(0x42, 0x1234, 1);
    expect_hex(port_in(0x40, 4) >> 24, 0);
    port_out(0x61, 0xff, 1);
    expect_hex(port_in(0x61, 1) & 0xcc, 0);
    expect_hex(port_in(0x61, 1) & 3, 3);
    /* The refresh bit, which old programs wait by, toggles every 15 us. */
    clock_virtual_advance_to(10 * 15085 - 1);
    expect_hex(port_in(0x61, 1) & 0x10, 0x10);
    clock_virtual_advance_to(10 * 15085);
    expect_hex(port_in(0x61, 1) & 0x10, 0);
    test_machine_free();
}
END_TEST

TEST_MAIN("pit", against_model, long_times, count_of_one, late, replaced, widths)
