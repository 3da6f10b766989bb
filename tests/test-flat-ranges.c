/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of ranges while a view is drawn: parts, neighbours that are merged, and
 * a layer over another.
 */
#include <string.h>

#include "memory-internal.h"
#include "test-util.h"

static MemoryRegion regions[4];

START_TEST(part)
{
    uint8_t memory[64];
    FlatRange whole = { .first = 0x100, .last = 0x13f, .offset = 0x1000,
                        .mr = regions, .host = memory, .romd = true };
    FlatRange some = flat_range_part(&whole, 0x110, 0x11f);

    expect_hex(some.first, 0x110);
    expect_hex(some.last, 0x11f);
    expect_hex(some.offset, 0x1010);
    ck_assert_ptr_eq(some.host, memory + 16);
    expect(some.romd && some.mr == regions, "no part of it");
    whole.host = NULL;
    some = flat_range_part(&whole, 0x100, 0x13f);
    expect(flat_range_equal(&some, &whole) && !some.host, "not the whole");
}
END_TEST

/* What a list shows at each of a few addresses. */
#define SMALL 40

static void paint(const FlatRange *range, uint64_t *picture)
{
    for (hwaddr a = range->first; a <= range->last; a++) {
        picture[a] = (uint64_t)(range->mr - regions + 1) << 32 |
                     (uint64_t)range->readonly << 48 |
                     (uint64_t)range->romd << 49 |
                     (uint64_t)range->dirty_log_mask << 50 |
                     (range->offset + (a - range->first));
    }
}

static void random_layer(GRand *rand, FlatRanges *list, uint64_t *picture)
{
    unsigned start = list->len;
    hwaddr a = (hwaddr)g_rand_int_range(rand, 0, SMALL);
    hwaddr end = a + (hwaddr)g_rand_int_range(rand, 0, SMALL);

    while (a < MIN(end, SMALL)) {
        FlatRange range = { .first = a, .mr = regions };

        range.last = a + (hwaddr)g_rand_int_range(rand, 0, 9);
        range.last = MIN(range.last, SMALL - 1);
        range.mr += g_rand_int_range(rand, 0, 2);
        range.offset = g_rand_int_range(rand, 0, 4) ? a : 100;
        range.readonly = !g_rand_int_range(rand, 0, 8);
        range.romd = !g_rand_int_range(rand, 0, 8);
        range.dirty_log_mask = !g_rand_int_range(rand, 0, 8);
        if (list->len == start) {
            g_array_append_val(list, range); /* a part of its own */
        } else {
            flat_ranges_append(list, &range);
        }
        paint(&range, picture);
        a = range.last + 1 + (hwaddr)g_rand_int_range(rand, 0, 4);
    }
}

START_TEST(overlay)
{
    GRand *rand = g_rand_new_with_seed(3);

    for (unsigned i = 0; i < 20000; i++) {
        FlatRanges *list = g_array_new(FALSE, FALSE, sizeof(FlatRange));
        FlatRange before = { .first = 900, .last = 900, .mr = &regions[3] };
        uint64_t picture[SMALL] = { 0 }, shown[SMALL] = { 0 };
        unsigned mid;

        g_snprintf(test_context, sizeof(test_context), "round %u: ", i);
        flat_ranges_append(list, &before); /* not concerned */
        random_layer(rand, list, picture);
        mid = list->len;
        random_layer(rand, list, picture);
        flat_ranges_overlay(list, 1, mid);
        expect(flat_range_equal(&g_array_index(list, FlatRange, 0), &before),
               "what was before has changed");
        for (unsigned r = 1; r < list->len; r++) {
            const FlatRange *range = &g_array_index(list, FlatRange, r);

            expect(range->first <= range->last, "an empty range");
            expect(r == 1 || range[-1].last < range->first, "no order");
            expect(r == 1 || range[-1].last + 1 != range->first ||
                       range[-1].mr != range->mr ||
                       range[-1].offset - range[-1].first !=
                           range->offset - range->first ||
                       range[-1].readonly != range->readonly ||
                       range[-1].romd != range->romd ||
                       range[-1].dirty_log_mask != range->dirty_log_mask,
                   "two ranges that are one");
            paint(range, shown);
        }
        expect(!memcmp(picture, shown, sizeof(picture)), "another picture");
        g_array_free(list, TRUE);
    }
    test_context[0] = '\0';
    g_rand_free(rand);
}
END_TEST

TEST_MAIN("flat-ranges", part, overlay)
