/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random graphs and random changes of them, the core against the reference
 * model: after each commit every address space is compared by its sections,
 * doorbells and zones as listeners got them, by look-ups, and by reads and
 * writes of content that tells which byte of which region it is.
 *
 * FLATVIEW_SEED=n runs sequence n alone, FLATVIEW_SEQUENCES=n the first n.
 */
#include <stdlib.h>
#include <string.h>

#include "random-graph.h"

#define SEQUENCES 20000
#define CHUNKS 20 /* forked tests that share them */

static Recorder *everything; /* follows all spaces */

/* ---- comparing ---------------------------------------------------------------------- */

static char *segment_text(const ModelSegment *s)
{
    return g_strdup_printf("%" PRIx64 "-%" PRIx64 " node-%u @%" PRIx64 "%s",
                           s->first, s->last, s->answer.region->id,
                           s->answer.offset, s->answer.readonly ? " ro" : "");
}

static char *map_text(const ModelMap *map)
{
    GString *text = g_string_new("the model shows");
    unsigned i;

    for (i = 0; i < map->nr; i++) {
        g_string_append_printf(text, "\n    %s", segment_text(&map->segments[i]));
    }
    return text->str;
}

static bool doorbell_shown(const ModelSegment *s, const ModelDoorbell *d)
{
    unsigned width = d->size ? d->size : 1;

    return d->addr >= s->answer.offset &&
           d->addr - s->answer.offset <= s->last - s->first &&
           s->last - s->first - (d->addr - s->answer.offset) >= width - 1;
}

/* How many doorbells of the model show in @s; each is in @r. */
static unsigned check_doorbells(Recorder *r, AddressSpace *as,
                                const ModelSegment *s)
{
    ModelRegion *m = s->answer.region;
    unsigned shown = 0;
    unsigned i, k;

    for (i = 0; i < m->nr_doorbells; i++) {
        ModelDoorbell *d = &m->doorbells[i];
        bool found = false;

        if (!doorbell_shown(s, d)) {
            continue;
        }
        shown++;
        for (k = 0; k < r->doorbells->len; k++) {
            RecordedDoorbell *have =
                &g_array_index(r->doorbells, RecordedDoorbell, k);

            found |= have->as == as && have->mr == &node_of(m)->mr &&
                     have->addr == s->first + (d->addr - s->answer.offset) &&
                     have->size == d->size && have->match_data == d->match_data &&
                     (!d->match_data || have->data == d->data) &&
                     have->e == &bell;
        }
        expect(found, "no doorbell %" PRIx64 "/%u of %s", d->addr, d->size,
               segment_text(s));
    }
    return shown;
}

/* How many zones of the model show in @s; each is in @r. */
static unsigned check_zones(Recorder *r, AddressSpace *as, const ModelSegment *s)
{
    ModelRegion *m = s->answer.region;
    model_size start = s->answer.offset;
    model_size end = start + (s->last - s->first) + 1;
    unsigned shown = 0;
    unsigned i, k;

    for (i = 0; i < m->nr_zones; i++) {
        model_size from = MAX(start, m->zones[i].offset);
        model_size to =
            m->zones[i].size == UINT64_MAX /* the whole region */
                ? end
                : MIN(end, (model_size)m->zones[i].offset + m->zones[i].size);
        bool found = false;

        if (from >= to) {
            continue;
        }
        shown++;
        for (k = 0; k < r->zones->len; k++) {
            RecordedZone *have = &g_array_index(r->zones, RecordedZone, k);

            found |= have->as == as && have->mr == &node_of(m)->mr &&
                     have->addr == s->first + (hwaddr)(from - start) &&
                     have->len == MIN(to - from, UINT64_MAX);
        }
        expect(found, "no zone %" PRIx64 " of %s", m->zones[i].offset,
               segment_text(s));
    }
    return shown;
}

static unsigned count_of(const GArray *array, size_t size, size_t as_offset,
                         const AddressSpace *as)
{
    unsigned nr = 0;
    unsigned i;

    for (i = 0; i < array->len; i++) {
        nr += *(AddressSpace **)(array->data + i * size + as_offset) == as;
    }
    return nr;
}

#define COUNT_OF(array, type, as)                                              \
    count_of(array, sizeof(type), G_STRUCT_OFFSET(type, as), as)

/* What @r has of @space is what the model shows. */
static void check_recorder(Recorder *r, Space *space)
{
    const ModelMap *map = &space->map;
    AddressSpace *as = &space->as;
    unsigned doorbells = 0, zones = 0;
    unsigned sections = 0;
    unsigned i, k;

    for (i = 0; i < r->sections->len; i++) {
        sections += g_array_index(r->sections, RecordedSection, i).s.as == as;
    }
    expect(sections == map->nr, "%u sections, not %u: %s", sections, map->nr,
           map_text(map));
    for (i = 0; i < map->nr; i++) {
        const ModelSegment *s = &map->segments[i];
        Node *node = node_of(s->answer.region);
        bool found = false;

        for (k = 0; k < r->sections->len; k++) {
            RecordedSection *have =
                &g_array_index(r->sections, RecordedSection, k);

            if (have->s.as == as &&
                have->s.offset_within_address_space == s->first) {
                expect(have->s.mr == &node->mr &&
                           have->s.offset_within_region == s->answer.offset &&
                           have->s.last_within_address_space == s->last,
                       "section differs from %s; %s", segment_text(s),
                       map_text(map));
                expect(node->m.kind != MODEL_RAM ||
                           have->s.readonly == s->answer.readonly,
                       "readonly differs from %s", segment_text(s));
                expect(have->logging == (node->m.log_mask != 0),
                       "logging of %s is %d", segment_text(s), have->logging);
                found = true;
            }
        }
        expect(found, "no section %s; %s", segment_text(s), map_text(map));
        doorbells += check_doorbells(r, as, s);
        zones += check_zones(r, as, s);
    }
    expect(COUNT_OF(r->doorbells, RecordedDoorbell, as) == doorbells,
           "%u doorbells, not %u; %s",
           COUNT_OF(r->doorbells, RecordedDoorbell, as), doorbells,
           map_text(map));
    expect(COUNT_OF(r->zones, RecordedZone, as) == zones,
           "%u zones, not %u; %s", COUNT_OF(r->zones, RecordedZone, as), zones,
           map_text(map));
}

static bool calls_back(const ModelAnswer *a, bool is_write)
{
    return a->region->kind == MODEL_IO ||
           (a->region->kind == MODEL_ROM_DEVICE && (is_write || !a->region->romd));
}

/* The byte that a read of @a gives. */
static uint8_t byte_of(const ModelAnswer *a)
{
    if (!a->region || a->region->kind == MODEL_RESERVATION) {
        return 0xff;
    }
    return content_byte(a->region->id + (a->region->kind == MODEL_ROM_DEVICE &&
                                                 !a->region->romd
                                             ? ROMD_ID
                                             : 0),
                        a->offset);
}

static void check_read(Space *space, hwaddr addr, const ModelAnswer *a)
{
    uint8_t byte = 0;
    unsigned calls = last_call.nr;
    MemTxResult result = address_space_read(&space->as, addr, &byte, 1);

    expect(byte == byte_of(a), "0x%" PRIx64 " reads %02x, not %02x; %s", addr,
           byte, byte_of(a), map_text(&space->map));
    if (!a->region) {
        expect(result == MEMTX_DECODE_ERROR, "0x%" PRIx64 ": result %u", addr,
               result);
    } else if (a->region->kind == MODEL_RESERVATION) {
        expect(result != MEMTX_OK, "0x%" PRIx64 ": result %u", addr, result);
    } else {
        expect(result == MEMTX_OK, "0x%" PRIx64 ": result %u", addr, result);
        if (calls_back(a, false)) {
            expect(last_call.nr == calls + 1 && !last_call.is_write &&
                       last_call.node == node_of(a->region) &&
                       last_call.addr == a->offset && last_call.size == 1,
                   "0x%" PRIx64 ": wrong call", addr);
            calls++;
        }
    }
    expect(last_call.nr == calls, "0x%" PRIx64 ": a call too many", addr);
}

static bool rings(const ModelAnswer *a, uint8_t byte)
{
    unsigned i;

    for (i = 0; i < a->region->nr_doorbells; i++) {
        ModelDoorbell *d = &a->region->doorbells[i];

        if (d->addr == a->offset && d->size <= 1 &&
            (!d->match_data || d->data == byte)) {
            return true;
        }
    }
    return false;
}

static void check_write(Space *space, hwaddr addr, const ModelAnswer *a)
{
    uint8_t byte = below(4);
    unsigned calls = last_call.nr;
    MemTxResult result = address_space_write(&space->as, addr, &byte, 1);
    MemTxResult wanted = MEMTX_OK;

    if (!a->region) {
        wanted = MEMTX_DECODE_ERROR;
    } else if (a->region->kind == MODEL_RESERVATION) {
        wanted = result ? result : MEMTX_ERROR;
    } else if (a->region->kind == MODEL_RAM) {
        uint8_t *p = ram_of(node_of(a->region)) + a->offset;
        uint8_t was = content_byte(a->region->id, a->offset);

        wanted = a->readonly ? MEMTX_ACCESS_ERROR : MEMTX_OK;
        expect(*p == (a->readonly ? was : byte), "0x%" PRIx64 ": wrote %02x",
               addr, *p);
        *p = was;
    } else if (rings(a, byte)) {
        expect(event_notifier_test_and_clear(&bell),
               "0x%" PRIx64 ": the doorbell was not rung", addr);
    } else {
        expect(last_call.nr == calls + 1 && last_call.is_write &&
                   last_call.node == node_of(a->region) &&
                   last_call.addr == a->offset && last_call.size == 1 &&
                   last_call.data == byte,
               "0x%" PRIx64 ": wrong call", addr);
        calls++;
    }
    expect(result == wanted, "0x%" PRIx64 ": result %u, not %u", addr, result,
           wanted);
    expect(last_call.nr == calls, "0x%" PRIx64 ": a call too many", addr);
}

/* A look-up of the range finds the first segment of the model in it. */
static void check_find(Space *space, hwaddr addr, uint64_t size)
{
    hwaddr last = size - 1 > HWADDR_MAX - addr ? HWADDR_MAX : addr + (size - 1);
    const ModelSegment *wanted = NULL;
    MemoryRegionSection got;
    unsigned i;

    for (i = 0; i < space->map.nr && !wanted; i++) {
        if (space->map.segments[i].last >= addr &&
            space->map.segments[i].first <= last) {
            wanted = &space->map.segments[i];
        }
    }
    got = memory_region_find(&space->root->mr, addr, size);
    if (!wanted) {
        expect(!got.mr && !got.size, "0x%" PRIx64 "+0x%" PRIx64 " finds %s", addr,
               size, got.mr ? memory_region_name(got.mr) : "a size");
        return;
    }
    expect(got.mr == &node_of(wanted->answer.region)->mr &&
               got.offset_within_address_space == MAX(wanted->first, addr) &&
               got.last_within_address_space == MIN(wanted->last, last) &&
               got.offset_within_region ==
                   wanted->answer.offset +
                       (got.offset_within_address_space - wanted->first),
           "0x%" PRIx64 "+0x%" PRIx64 " does not find %s but %s %" PRIx64
           "-%" PRIx64,
           addr, size, segment_text(wanted),
           got.mr ? memory_region_name(got.mr) : "nothing",
           got.offset_within_address_space, got.last_within_address_space);
    section_last(&got);
}

static void check_point(Space *space, hwaddr addr)
{
    ModelAnswer a = model_resolve(&space->root->m, addr);

    check_read(space, addr, &a);
    check_write(space, addr, &a);
    if (!space->root->m.parent) {
        check_find(space, addr, 1);
    }
}

/* A block gives the bytes that single reads would. */
static void check_block(Space *space, hwaddr addr)
{
    uint8_t bytes[40];
    unsigned len = 1 + below(sizeof(bytes));
    bool nothing = false;
    MemTxResult result;
    unsigned i;

    result = address_space_read(&space->as, addr, bytes, len);
    for (i = 0; i < len; i++) {
        ModelAnswer a = model_resolve(&space->root->m, addr + i);

        expect(bytes[i] == byte_of(&a),
               "byte %u of %u at 0x%" PRIx64 " is %02x, not %02x; %s", i, len,
               addr, bytes[i], byte_of(&a), map_text(&space->map));
        nothing |= byte_of(&a) == 0xff;
    }
    expect(nothing == (result != MEMTX_OK), "%u bytes at 0x%" PRIx64 ": result %u",
           len, addr, result);
}

static void check_space(Space *space)
{
    unsigned i;

    if (!model_map(&space->root->m, &space->map)) {
        test_fail("too many pieces for the model");
    }
    check_recorder(everything, space);
    if (space->recorder) {
        check_recorder(space->recorder, space);
    }
    for (i = 0; i < space->map.nr; i++) {
        const ModelSegment *s = &space->map.segments[i];

        check_point(space, s->first - 1);
        check_point(space, s->first);
        check_point(space, s->last);
        check_point(space, s->last + 1);
        if (one_in(4)) {
            check_block(space, s->last - below(40));
        }
    }
    for (i = 0; i < 6; i++) {
        check_point(space, some_offset() + below(64));
        check_block(space, some_offset());
        if (!space->root->m.parent) {
            check_find(space, some_offset(), 1 + any_number() / 2);
        }
    }
    if (scale == SCALE_BYTES) {
        for (i = 0; i < 100; i++) {
            check_point(space, i);
        }
    }
}

static void check_all(void)
{
    unsigned i;

    memory_lock();
    for (i = 0; i < SPACES_MAX; i++) {
        if (spaces[i].live) {
            check_space(&spaces[i]);
        }
    }
    memory_unlock();
}

/* Inside a transaction, what shows is what did before it. */
static void check_unchanged(void)
{
    Space *space = &spaces[below(SPACES_MAX)];
    unsigned i;

    if (!space->live) {
        return;
    }
    for (i = 0; i < space->map.nr; i++) {
        const ModelSegment *s = &space->map.segments[i];

        if (s->answer.region->kind == MODEL_RAM) {
            uint8_t byte = 0;

            address_space_read(&space->as, s->last, &byte, 1);
            expect(byte == content_byte(s->answer.region->id,
                                        s->answer.offset + (s->last - s->first)),
                   "%s shows already", segment_text(s));
        }
    }
}

/* ---- sequences ------------------------------------------------------------------------ */

static void transaction(void)
{
    unsigned nr = 1 + below(6);
    unsigned i;

    memory_region_transaction_begin();
    transaction_depth++;
    for (i = 0; i < nr; i++) {
        if (one_in(8) && transaction_depth < 4) {
            transaction();
        } else if (one_in(10)) {
            graph_change_space();
        } else {
            graph_change();
        }
        check_unchanged();
    }
    transaction_depth--;
    memory_region_transaction_commit();
}

static void sequence(uint64_t seed)
{
    unsigned steps, i;

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
             seed);
    chance_seed(seed);
    scale = below(SCALES);
    everything = recorder_new(NULL, 1, false);
    graph_make();
    check_all();
    steps = 8 + below(20);
    for (i = 0; i < steps; i++) {
        switch (below(8)) {
        case 0:
            graph_change_space();
            break;
        case 1:
        case 2:
        case 3:
            transaction();
            break;
        default:
            graph_change();
            break;
        }
        check_all();
    }
    graph_destroy_spaces();
    recorder_free(everything);
    graph_destroy_nodes();
}

/* Reservations are reported each; that is not this test's. */
static void be_silent(const char *domain, GLogLevelFlags level,
                      const char *message, void *opaque)
{
}

static void sequences(uint64_t first, uint64_t last)
{
    uint64_t seed;

    g_log_set_default_handler(be_silent, NULL);
    graph_init();
    for (seed = first; seed <= last; seed++) {
        sequence(seed);
    }
    graph_cleanup();
}

START_TEST(test_chunk)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 0);
    uint64_t all = test_number("FLATVIEW_SEQUENCES", SEQUENCES);

    if (seed) {
        sequences(seed, seed);
    } else {
        sequences(1 + all * _i / CHUNKS, all * (_i + 1) / CHUNKS);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = tcase_create("sequences");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 0);
    tcase_add_loop_test(tcase, test_chunk, 0, getenv("FLATVIEW_SEED") ? 1 : CHUNKS);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
