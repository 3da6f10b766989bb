/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The figures of speed and size: `make bench`. Prints a table, or with --json
 * one object. docs/performance.md says what each figure means, and has those
 * of a known machine.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

uint64_t bench_thread_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
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

/* Three digits are as much as a median is worth. */
static const char *number(char *buf, size_t size, double value)
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

    snprintf(buf, size, "%.*f", decimals, value);
    return buf;
}

static void print_table(const GArray *figures)
{
    const Figure *calibration = &g_array_index(figures, Figure, 0);

    printf("%-42s %9s    %17s %9s  %s\n", "figure", "median", "least .. most",
           "relative", "QEMU 7.2");
    for (unsigned i = 0; i < figures->len; i++) {
        const Figure *f = &g_array_index(figures, Figure, i);
        char median[32], least[32], most[32], relative[32] = "";

        if (f->skip) {
            printf("%-42s SKIP: %s\n", f->text, f->skip);
            continue;
        }
        if (!strcmp(f->unit, calibration->unit)) {
            number(relative, sizeof(relative),
                   f->median / calibration->median);
        }
        printf("%-42s %9s %-2s %7s .. %6s %9s  %s\n", f->text,
               number(median, sizeof(median), f->median), f->unit,
               number(least, sizeof(least), f->least),
               number(most, sizeof(most), f->most), relative,
               f->peer ? f->peer : "");
    }
    printf("\nrelative: to the first line. QEMU 7.2: measured on another day "
           "on a machine of this\nkind; where QEMU is installed it also has "
           "lines of its own.\n");
}

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
    putchar('"');
}

static void print_json(const GArray *figures)
{
    printf("{\"figures\": [");
    for (unsigned i = 0; i < figures->len; i++) {
        const Figure *f = &g_array_index(figures, Figure, i);

        printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", ", i ? "," : "",
               f->key, f->unit);
        if (f->skip) {
            printf("\"skipped\": ");
            print_json_string(f->skip);
            putchar('}');
        } else {
            printf("\"median\": %.4g, \"least\": %.4g, \"most\": %.4g}",
                   f->median, f->least, f->most);
        }
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
    double samples[BENCH_RUNS];

    for (unsigned run = 0; run < BENCH_RUNS; run++) {
        uint64_t start = bench_thread_time();

        for (unsigned i = 0; i < CALLS; i++) {
            function(&cached);
        }
        samples[run] = (double)(bench_thread_time() - start) / CALLS;
    }
    figure_set(&f, samples, BENCH_RUNS);
    g_array_append_val(figures, f);
}

int main(int argc, char **argv)
{
    GArray *figures = g_array_new(FALSE, FALSE, sizeof(Figure));
    bool json = argc == 2 && !strcmp(argv[1], "--json");

    if (argc > 1 && !json) {
        fprintf(stderr, "usage: bench [--json]\n");
        return 2;
    }
    bench_calibration(figures);
    /* A child's peak memory counts its parent's at the fork: while we are
     * small, the programs; then the core. */
    bench_start(figures);
    bench_core(figures);
    if (json) {
        print_json(figures);
    } else {
        print_table(figures);
    }
    g_array_unref(figures);
    return 0;
}
