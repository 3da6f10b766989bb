/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random graphs and random changes of them. After each commit the core must
 * show what the classic way shows, range by range, and must have told listeners
 * what that tells, call by call. And each address space is compared with the
 * reference model by its sections, doorbells and zones as listeners got them, by
 * look-ups, and by reads and writes of content that tells which byte of which
 * region it is.
 *
 * FLATVIEW_SEED=n runs sequence n alone, FLATVIEW_SEQUENCES=n the first n.
 */
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "random-graph.h"

#define SEQUENCES 20000
#define CHUNKS 20 /* forked tests that share them */
#define SPACES_MAX 6

typedef struct Space {
    AddressSpace as;
    Node *root;
    uint64_t age; /* the lower the older */
    Baseline *baseline;
    Recorder *recorder; /* these two follow it, or none */
    BaselineListener *listener;
    ModelMap map; /* as of the last commit */
    bool modelled; /* @map could hold it */
    bool live;
} Space;

static Space spaces[SPACES_MAX];
static uint64_t spaces_made;

/* These follow all spaces, if the sequence is to have such listeners. */
static Recorder *everything;
static BaselineListener *all_heard;

static GArray *wanted; /* BaselineEvent */

/* ---- comparing with the classic way ------------------------------------------------- */

/* The live spaces, oldest first. Returns how many. */
static unsigned spaces_by_age(Space **out)
{
    unsigned nr = 0;
    unsigned i, k;

    for (i = 0; i < SPACES_MAX; i++) {
        if (spaces[i].live) {
            for (k = nr++; k && out[k - 1]->age > spaces[i].age; k--) {
                out[k] = out[k - 1];
            }
            out[k] = &spaces[i];
        }
    }
    return nr;
}

static char *events_text(const GArray *events)
{
    GString *text = g_string_new(NULL);
    unsigned i;

    for (i = 0; i < events->len; i++) {
        g_string_append_printf(
            text, "\n    %s",
            baseline_event_text(&g_array_index(events, BaselineEvent, i)));
    }
    return text->str;
}

/* @l heard exactly what is in @wanted, which is empty then. */
static void check_heard(BaselineListener *l)
{
    unsigned nr = MIN(l->events->len, wanted->len);
    unsigned i;

    for (i = 0; i < nr; i++) {
        if (!baseline_event_equal(
                &g_array_index(l->events, BaselineEvent, i),
                &g_array_index(wanted, BaselineEvent, i))) {
            break;
        }
    }
    expect(i == l->events->len && i == wanted->len,
           "listeners hear%s\n  but should%s\n  the first difference is number %u",
           events_text(l->events), events_text(wanted), i);
    expect(l->begins == l->commits, "%u begins, %u commits", l->begins,
           l->commits);
    g_array_set_size(l->events, 0);
    g_array_set_size(wanted, 0);
    l->begins = l->commits = l->nops = 0;
}

static void want(const GArray *events)
{
    g_array_append_vals(wanted, events->data, events->len);
}

static void check_view(const Space *space)
{
    char *difference = baseline_difference(space->baseline);

    if (difference && getenv("FLATVIEW_SEED")) {
        mtree_info_flags((fprintf_function)fprintf, stderr,
                         MTREE_TREE | MTREE_FLAT);
    }
    expect(!difference, "%s", difference);
}

/* Look-ups, down the tree and by page descriptors. */
static void check_lookups(const Space *space)
{
    const FlatNode *root = address_space_root(&space->as);
    unsigned i, nr;
    const FlatRange *ranges = baseline_ranges(space->baseline, &nr);

    for (i = 0; i < 8; i++) {
        hwaddr addr = nr && one_in(2) ? ranges[below(nr)].last + below(2)
                                      : some_offset();
        const FlatRange *a = flat_node_lookup(root, addr);
        const FlatRange *b = baseline_lookup(space->baseline, addr);

        expect(!a == !b && (!a || (a->first == b->first && a->mr == b->mr)),
               "a look-up of 0x%" PRIx64 " finds %s, not %s", addr,
               a ? a->mr->name : "nothing", b ? b->mr->name : "nothing");
    }
}

/* After each commit. */
static void check_with_baseline(void)
{
    Space *by_age[SPACES_MAX];
    unsigned nr = spaces_by_age(by_age);
    unsigned unchanged = 0;
    unsigned i;

    for (i = 0; i < nr; i++) {
        baseline_commit(by_age[i]->baseline);
        check_view(by_age[i]);
        check_lookups(by_age[i]);
        unchanged += baseline_unchanged(by_age[i]->baseline);
        if (by_age[i]->listener) {
            want(baseline_deletions(by_age[i]->baseline));
            want(baseline_additions(by_age[i]->baseline));
            check_heard(by_age[i]->listener);
        }
    }
    if (all_heard) {
        for (i = 0; i < nr; i++) {
            want(baseline_deletions(by_age[i]->baseline));
        }
        for (i = 0; i < nr; i++) {
            want(baseline_additions(by_age[i]->baseline));
        }
        expect(!all_heard->listener.region_nop || all_heard->begins != 1 ||
                   all_heard->nops == unchanged,
               "%u unchanged sections, not %u", all_heard->nops, unchanged);
        check_heard(all_heard);
    }
}

/* ---- comparing with the model ---------------------------------------------------------------------- */

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

    space->modelled = model_map(&space->root->m, &space->map);
    if (!space->modelled) {
        return;
    }
    if (everything) {
        check_recorder(everything, space);
    }
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
    check_with_baseline();
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
    check_view(space);
    for (i = 0; space->modelled && i < space->map.nr; i++) {
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

/* ---- address spaces and listeners ---------------------------------------------------- */

static bool is_root(const Node *node)
{
    unsigned i;

    for (i = 0; i < SPACES_MAX; i++) {
        if (spaces[i].live && spaces[i].root == node) {
            return true;
        }
    }
    return false;
}

static bool is_shown(const Node *node)
{
    unsigned i, k, nr;

    for (i = 0; i < SPACES_MAX; i++) {
        if (spaces[i].live) {
            const FlatRange *r = baseline_ranges(spaces[i].baseline, &nr);

            for (k = 0; k < nr; k++) {
                if (r[k].mr == &node->mr) {
                    return true;
                }
            }
        }
    }
    return false;
}

static void space_init(Space *space, Node *root)
{
    if (root) {
        space->root = root;
        space->live = true;
        space->map.nr = 0;
        space->modelled = false;
        space->age = spaces_made++;
        space->baseline = baseline_new(&root->mr, &space->as);
        address_space_init(&space->as, &root->mr);
    }
}

static Node *some_root(void)
{
    const Space *other = &spaces[below(SPACES_MAX)];

    if (other->live && one_in(2)) {
        return one_in(3) ? other->root : master_make(other->root);
    }
    return one_in(6) ? master_make(some_holder()) : some_holder();
}

static void space_follow(Space *space)
{
    memory_lock();
    if (space->recorder) {
        recorder_free(space->recorder);
        space->recorder = NULL;
        memory_listener_unregister(&space->listener->listener);
        baseline_replay(space->baseline, true, wanted);
        check_heard(space->listener);
        g_clear_pointer(&space->listener, baseline_listener_free);
    } else {
        space->recorder = recorder_new(&space->as, below(3), false);
        space->listener = baseline_listener_new();
        space->listener->listener.priority = below(3);
        memory_listener_register(&space->listener->listener, &space->as);
        baseline_replay(space->baseline, false, wanted);
        check_heard(space->listener);
    }
    memory_unlock();
}

static void space_destroy(Space *space)
{
    /* Nobody may follow it any more, but those who follow all. */
    if (space->recorder) {
        space_follow(space);
    }
    address_space_destroy(&space->as);
    baseline_withdraw(space->baseline);
    if (all_heard) {
        want(baseline_deletions(space->baseline));
        check_heard(all_heard);
    }
    baseline_free(space->baseline);
    space->live = false;
}

/* One made, destroyed, switched on or off, followed or not. */
static void change_space(void)
{
    Space *space = &spaces[below(SPACES_MAX)];

    if (!space->live) {
        /* Its root may take commits of its own, if not much changes by them. */
        Node *root = some_root();

        if (!transaction_depth) {
            check_with_baseline();
        }
        space_init(space, root);
    } else if (one_in(3)) {
        master_change(space->root);
    } else if (one_in(3)) {
        space_destroy(space);
    } else {
        space_follow(space);
    }
}

/* Some sequences have nobody who follows all spaces, so that there are spaces
 * that nobody follows. */
static void follow_everything(void)
{
    unsigned how = below(3);

    everything = how ? recorder_new(NULL, 1, false) : NULL;
    all_heard = NULL;
    if (how) {
        all_heard = baseline_listener_new();
        all_heard->listener.priority = below(3);
        if (how == 1 && one_in(2)) {
            baseline_listener_hear_nop(all_heard);
        }
        memory_listener_register(&all_heard->listener, NULL);
        check_heard(all_heard);
    }
}

static void unfollow_everything(void)
{
    if (everything) {
        recorder_free(everything);
        memory_listener_unregister(&all_heard->listener);
        check_heard(all_heard);
        baseline_listener_free(all_heard);
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
            change_space();
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
    follow_everything();
    graph_make();
    space_init(&spaces[0], &nodes[0]);
    check_all();
    for (i = below(3); i; i--) {
        change_space();
        check_all();
    }
    steps = 8 + below(20);
    for (i = 0; i < steps; i++) {
        switch (below(8)) {
        case 0:
            change_space();
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
    for (i = 0; i < SPACES_MAX; i++) {
        if (spaces[i].live) {
            space_destroy(&spaces[i]);
        }
    }
    unfollow_everything();
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
    graph_committed = check_with_baseline;
    node_is_root = is_root;
    node_is_shown = is_shown;
    wanted = g_array_new(FALSE, FALSE, sizeof(BaselineEvent));
    for (seed = first; seed <= last; seed++) {
        sequence(seed);
    }
    g_array_unref(wanted);
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
