/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The figures of speed and size: `make bench`. Prints a table, or with --json
 * one object. docs/performance.md says what each figure means, and has those
 * of a known machine.
 *
 * A figure that misses what it must reach is marked, and is no failure: the
 * status is 1 only where something measured did not do what it should.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

static char **wanted; /* beginnings of keys; none: all */

bool bench_wanted(const char *key)
{
    for (char **start = wanted; *start; start++) {
        if (g_str_has_prefix(key, *start)) {
            return true;
        }
    }
    return !*wanted;
}

/* ---- time ------------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_thread_time(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

void samples_start(Samples *s)
{
    s->wall_start = clock_ns(CLOCK_MONOTONIC);
    s->thread_start = bench_thread_time();
}

void samples_stop(Samples *s, double units)
{
    uint64_t thread = bench_thread_time() - s->thread_start;
    uint64_t wall = clock_ns(CLOCK_MONOTONIC) - s->wall_start;

    s->thread[s->nr] = (double)thread / units;
    s->wall[s->nr++] = (double)wall / units;
}

static int compare_doubles(const void *va, const void *vb)
{
    double a = *(const double *)va, b = *(const double *)vb;

    return (a > b) - (a < b);
}

void figure_set(Figure *figure, double *samples, unsigned nr)
{
    qsort(samples, nr, sizeof(*samples), compare_doubles);
    figure->least = samples[0];
    figure->median = samples[nr / 2];
    figure->most = samples[nr - 1];
}

/* Nanoseconds in a unit of time; 0 for any other unit. */
static double unit_ns(const char *unit)
{
    return !strcmp(unit, "ns")   ? 1
           : !strcmp(unit, "us") ? 1e3
           : !strcmp(unit, "ms") ? 1e6
                                 : 0;
}

void figure_set_samples(Figure *figure, Samples *s)
{
    double unit = unit_ns(figure->unit);

    for (unsigned i = 0; i < s->nr; i++) {
        s->thread[i] /= unit;
        s->wall[i] /= unit;
    }
    figure_set(figure, s->wall, s->nr);
    figure->wall = figure->median;
    figure_set(figure, s->thread, s->nr);
}

void bench_wrong(const Figure *figure, const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "bench: %s: ", figure->key);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* ---- a listener, and registers ------------------------------------------------------ */

static void follower_add(MemoryListener *listener, MemoryRegionSection *section)
{
    Follower *follower = (Follower *)listener;

    follower->sections++;
    follower->added_at = section->offset_within_address_space;
}

static void follower_del(MemoryListener *listener, MemoryRegionSection *section)
{
    ((Follower *)listener)->sections--;
}

void follower_start(Follower *follower, AddressSpace *as)
{
    *follower = (Follower) {
        .listener = { .region_add = follower_add, .region_del = follower_del },
    };
    memory_listener_register(&follower->listener, as);
}

void follower_stop(Follower *follower)
{
    memory_listener_unregister(&follower->listener);
}

void follower_check(const Follower *follower, const Figure *figure,
                    unsigned sections)
{
    if (follower->sections != sections) {
        bench_wrong(figure, "the listener knows %u sections of %u",
                    follower->sections, sections);
    }
}

static uint64_t reg_read(void *opaque, hwaddr addr, unsigned size)
{
    return *(uint32_t *)opaque + addr;
}

static void reg_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    *(uint32_t *)opaque = data;
}

const MemoryRegionOps bench_reg_ops = {
    .read = reg_read,
    .write = reg_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

/* ---- what is printed ------------------------------------------------------------------ */

/* Three digits are as much as a median is worth. */
static const char *number(char *buf, size_t size, double value)
{
    double limit, magnitude = value < 0 ? -value : value;
    int decimals = 2;

    if (magnitude >= 99999.5) {
        snprintf(buf, size, "%.3g", value);
        return buf;
    }
    for (limit = 9.995; magnitude >= limit && decimals; limit *= 10) {
        decimals--;
    }
    for (limit = 0.9995; magnitude < limit && decimals < 4; limit /= 10) {
        decimals++;
    }
    snprintf(buf, size, "%.*f", decimals, value);
    return buf;
}

/* The same, or nothing where there is nothing. */
static const char *number_or_blank(char *buf, size_t size, double value)
{
    return value > 0 ? number(buf, size, value) : "";
}

static double figure_relative(const Figure *f, const Figure *calibration)
{
    return f->median * unit_ns(f->unit) / calibration->median;
}

static double figure_times(const Figure *f)
{
    return unit_ns(f->unit) ? f->baseline / f->median : 0;
}

/* Whether @f is what it must be; NULL where it need not be anything. */
static const char *figure_reached(const Figure *f)
{
    if (!f->target && !f->target_times) {
        return NULL;
    }
    return (!f->target || f->median <= f->target) &&
                   (!f->target_times || figure_times(f) >= f->target_times)
               ? "yes"
               : "no";
}

static void print_table(const GArray *figures)
{
    const Figure *calibration = &g_array_index(figures, Figure, 0);

    printf("%-44s %8s    %17s %8s %8s %7s %-7s %9s %8s  %s\n", "figure",
           "median", "least .. most", "wall", "relative", "must be", "reached",
           "baseline", "faster", "QEMU 7.2");
    for (unsigned i = 0; i < figures->len; i++) {
        const Figure *f = &g_array_index(figures, Figure, i);
        char median[32], least[32], most[32], wall[32], relative[32];
        char target[32] = "", baseline[32], times[32];
        const char *reached = figure_reached(f);

        if (f->skip) {
            printf("%-44s SKIP: %s\n", f->text, f->skip);
            continue;
        }
        if (f->target) {
            snprintf(target, sizeof(target), "%g", f->target);
        } else if (f->target_times) {
            snprintf(target, sizeof(target), "%gx", f->target_times);
        }
        printf("%-44s %8s %-3s%7s .. %6s %8s %8s %7s %-7s %9s %8s  %s\n",
               f->text, number(median, sizeof(median), f->median),
               strcmp(f->unit, "x") ? f->unit : "",
               number(least, sizeof(least), f->least),
               number(most, sizeof(most), f->most),
               number_or_blank(wall, sizeof(wall), f->wall),
               number_or_blank(relative, sizeof(relative),
                               figure_relative(f, calibration)),
               target, reached ? reached : "",
               number_or_blank(baseline, sizeof(baseline), f->baseline),
               number_or_blank(times, sizeof(times), figure_times(f)),
               f->peer ? f->peer : "");
    }
    printf("\n"
           "median: of %u runs, of time that the thread ran; wall: the same by "
           "the clock on the wall.\n"
           "relative: to the first line. must be: at most this, or so many "
           "times faster than the\n"
           "baseline: the same the classic way, in the unit of the line, fewer "
           "runs where it takes\n"
           "long (JSON says how many). faster: than the baseline, times. QEMU "
           "7.2: measured on\n"
           "another day on a machine of this kind; where QEMU is installed it "
           "also has lines of\n"
           "its own.\n", BENCH_RUNS);
}

static void print_json_string(const char *key, const char *text)
{
    printf(", \"%s\": ", key);
    if (!text) {
        printf("null");
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
    putchar('"');
}

static void print_json_number(const char *key, double value)
{
    if (value > 0) {
        printf(", \"%s\": %.4g", key, value);
    } else {
        printf(", \"%s\": null", key);
    }
}

static void print_json(const GArray *figures)
{
    const Figure *calibration = &g_array_index(figures, Figure, 0);

    printf("{\"figures\": [");
    for (unsigned i = 0; i < figures->len; i++) {
        const Figure *f = &g_array_index(figures, Figure, i);

        printf("%s\n  {\"name\": \"%s\"", i ? "," : "", f->key);
        print_json_string("unit", f->unit);
        if (f->skip) {
            print_json_string("skipped", f->skip);
            putchar('}');
            continue;
        }
        printf(", \"median\": %.4g, \"least\": %.4g, \"most\": %.4g",
               f->median, f->least, f->most);
        print_json_number("wall", f->wall);
        print_json_number("relative", figure_relative(f, calibration));
        print_json_number("target", f->target);
        print_json_number("target_times_faster", f->target_times);
        print_json_string("reached", figure_reached(f));
        print_json_number("baseline", f->baseline);
        print_json_number("baseline_runs", f->baseline_runs);
        print_json_number("times_faster", figure_times(f));
        print_json_string("qemu_7_2", f->peer);
        putchar('}');
    }
    printf("\n]}\n");
}

/* ---- what the machine is worth ------------------------------------------------ */

static uint32_t cached = 1;

__attribute__((noinline)) static uint32_t load_cached(uint32_t *p)
{
    return *(volatile uint32_t *)p;
}

/* An indirect call and a cached load: what an access could cost at the least. */
static void bench_calibration(GArray *figures)
{
    Figure f = { .key = "calibration", .unit = "ns",
                 .text = "an indirect call and a cached load" };
    uint32_t (*volatile function)(uint32_t *p) = load_cached;
    enum { CALLS = 10 * 1000 * 1000 };
    Samples s = { 0 };

    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        samples_start(&s);
        for (unsigned i = 0; i < CALLS; i++) {
            function(&cached);
        }
        samples_stop(&s, CALLS);
    }
    figure_set_samples(&f, &s);
    g_array_append_val(figures, f);
}

int main(int argc, char **argv)
{
    GArray *figures = g_array_new(FALSE, FALSE, sizeof(Figure));
    bool json = argc > 1 && !strcmp(argv[1], "--json");

    wanted = argv + 1 + json;
    if (*wanted && **wanted == '-') {
        fprintf(stderr, "usage: bench [--json] [KEY...]\n"
                        "Only figures with a key (in JSON, the name) that "
                        "starts as one of those given.\n");
        return 2;
    }
    bench_calibration(figures);
    /* A child's peak memory counts its parent's at the fork: while we are
     * small, the programs; then the core. */
    if (bench_wanted("start") || bench_wanted("peak")) {
        bench_start(figures);
    }
    if (bench_wanted("firmware")) {
        bench_firmware(figures);
    }
    bench_control(figures);
    bench_core(figures);
    bench_topology(figures);
    bench_dirty(figures);
    bench_display(figures);
#ifdef BENCH_VNC
    bench_vnc(figures);
#endif
    if (json) {
        print_json(figures);
    } else {
        print_table(figures);
    }
    g_array_unref(figures);
    return 0;
}
