/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the memory core share; see test-util.h.
 */
#include "test-util.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- failing, and running ---------------------------------------------------- */

char test_context[256];

void test_fail_at(const char *file, int line, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    _ck_assert_failed(file, line, "Failed", "%s%s", test_context, text);
    abort();
}

int test_run(const char *name, const TTest *const *tests, unsigned nr)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    unsigned i;
    int failed;

    for (i = 0; i < nr; i++) {
        TCase *tcase = tcase_create(tests[i]->name);

        tcase_set_timeout(tcase, 0);
        tcase_add_test(tcase, tests[i]);
        suite_add_tcase(suite, tcase);
    }
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

uint64_t test_number(const char *variable, uint64_t n)
{
    const char *text = getenv(variable);

    return text ? g_ascii_strtoull(text, NULL, 0) : n;
}

/* ---- programming errors -------------------------------------------------------- */

static unsigned errors_nr;
static char errors_text[1024];

static void errors_handler(const char *message, void *opaque)
{
    errors_nr++;
    g_strlcpy(errors_text, message, sizeof(errors_text));
}

void errors_begin(void)
{
    errors_nr = 0;
    memory_set_error_handler(errors_handler, NULL);
}

void errors_end(const char *statement, const char *name1, const char *name2)
{
    memory_set_error_handler(NULL, NULL);
    expect(errors_nr == 1, "%s: reported %u errors, not one", statement,
           errors_nr);
    expect(!name1 || strstr(errors_text, name1), "%s: no '%s' in: %s",
           statement, name1, errors_text);
    expect(!name2 || strstr(errors_text, name2), "%s: no '%s' in: %s",
           statement, name2, errors_text);
    expect(!strchr(errors_text, '\n'), "%s: a newline in: %s", statement,
           errors_text);
}

/* ---- recognisable content --------------------------------------------------------- */

uint64_t content_value(unsigned id, hwaddr offset, unsigned size)
{
    uint64_t value = 0;
    unsigned i;

    for (i = 0; i < size; i++) {
        value |= (uint64_t)content_byte(id, offset + i) << 8 * i;
    }
    return value;
}

void content_fill(void *memory, unsigned id, hwaddr offset, size_t len)
{
    uint8_t *p = memory;
    size_t i;

    for (i = 0; i < len; i++) {
        p[i] = content_byte(id, offset + i);
    }
}

/* ---- a device that records -------------------------------------------------------- */

static void io_device_record(IoDevice *dev, IoCall call)
{
    expect(!dev->dead, "region %u called after its end", dev->id);
    expect(memory_lock_held(), "callback without the memory lock");
    if (dev->nr_calls < IO_CALLS_MAX) {
        dev->calls[dev->nr_calls] = call;
    }
    dev->nr_calls++;
    if (dev->hook) {
        dev->hook(dev, &call);
    }
}

MemTxResult io_device_read(void *opaque, hwaddr addr, uint64_t *data,
                           unsigned size, MemTxAttrs attrs)
{
    IoDevice *dev = opaque;

    *data = content_value(dev->id, addr, size);
    io_device_record(dev, (IoCall){ false, addr, *data, size, attrs });
    return dev->result;
}

MemTxResult io_device_write(void *opaque, hwaddr addr, uint64_t data,
                            unsigned size, MemTxAttrs attrs)
{
    IoDevice *dev = opaque;

    io_device_record(dev, (IoCall){ true, addr, data, size, attrs });
    return dev->result;
}

const MemoryRegionOps io_device_ops = {
    .read_with_attrs = io_device_read,
    .write_with_attrs = io_device_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static uint64_t io_plain_read(void *opaque, hwaddr addr, unsigned size)
{
    uint64_t data;

    io_device_read(opaque, addr, &data, size, (MemTxAttrs){ 0 });
    return data;
}

static void io_plain_write(void *opaque, hwaddr addr, uint64_t data,
                           unsigned size)
{
    io_device_write(opaque, addr, data, size, (MemTxAttrs){ 0 });
}

const MemoryRegionOps io_plain_ops = {
    .read = io_plain_read,
    .write = io_plain_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

void io_device_init(IoDevice *dev, unsigned id, const char *name, uint64_t size)
{
    memset(dev, 0, sizeof(*dev));
    dev->id = id;
    memory_region_init_io(&dev->mr, &io_device_ops, dev, name, size);
}

/* ---- comparing lines --------------------------------------------------------------- */

/* @lines against the arguments; a difference shows all of both. */
static void expect_lines(const char *what, GPtrArray *lines, va_list ap)
{
    GString *wanted = g_string_new(NULL);
    GString *got = g_string_new(NULL);
    const char *line;
    unsigned i;

    while ((line = va_arg(ap, const char *))) {
        g_string_append_printf(wanted, "    %s\n", line);
    }
    for (i = 0; i < lines->len; i++) {
        g_string_append_printf(got, "    %s\n", (char *)lines->pdata[i]);
    }
    expect(g_str_equal(wanted->str, got->str), "%s: wanted\n%sgot\n%s", what,
           wanted->str, got->str);
    g_string_free(wanted, TRUE);
    g_string_free(got, TRUE);
}

void io_expect(IoDevice *dev, ...)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    va_list ap;
    unsigned i;

    expect(dev->nr_calls <= IO_CALLS_MAX, "%u calls", dev->nr_calls);
    for (i = 0; i < dev->nr_calls; i++) {
        const IoCall *call = &dev->calls[i];
        char *line = call->is_write
            ? g_strdup_printf("w %" PRIx64 "/%u=%" PRIx64, call->addr,
                              call->size, call->data)
            : g_strdup_printf("r %" PRIx64 "/%u", call->addr, call->size);

        g_ptr_array_add(lines, line);
    }
    dev->nr_calls = 0;
    va_start(ap, dev);
    expect_lines("calls", lines, ap);
    va_end(ap);
    g_ptr_array_free(lines, TRUE);
}

/* ---- a listener that records ------------------------------------------------------- */

hwaddr section_last(const MemoryRegionSection *section)
{
    unsigned __int128 size =
        (unsigned __int128)section->last_within_address_space -
        section->offset_within_address_space + 1;

    expect(section->last_within_address_space >=
               section->offset_within_address_space,
           "section ends at 0x%" PRIx64 ", before its start",
           section->last_within_address_space);
    expect(section->size == (size >> 64 ? UINT64_MAX : (uint64_t)size),
           "section's size 0x%" PRIx64 " and last byte 0x%" PRIx64 " differ",
           section->size, section->last_within_address_space);
    expect(section->offset_within_region + (hwaddr)(size - 1) >=
               section->offset_within_region,
           "section at 0x%" PRIx64 " goes past the end of any region",
           section->offset_within_address_space);
    return section->last_within_address_space;
}

static char *section_line(const char *what, const MemoryRegionSection *s)
{
    return g_strdup_printf("%s%s%s %" PRIx64 "-%" PRIx64 " @%" PRIx64 "%s", what,
                           *what ? " " : "", memory_region_name(s->mr),
                           s->offset_within_address_space, section_last(s),
                           s->offset_within_region, s->readonly ? " ro" : "");
}

static void recorder_line(Recorder *r, char *line)
{
    g_ptr_array_add(r->log, g_strconcat(r->tag, line, NULL));
    g_free(line);
}

static void recorder_section_line(Recorder *r, const char *what,
                                  const MemoryRegionSection *s)
{
    if (r->log) {
        recorder_line(r, section_line(what, s));
    }
}

static Recorder *recorder_of(MemoryListener *listener)
{
    Recorder *r = (Recorder *)listener;

    expect(memory_lock_held(), "listener called without the memory lock");
    return r;
}

static void recorder_change(Recorder *r, bool addition)
{
    expect(r->inside, "change outside begin and commit");
    expect(addition || !r->adding, "deletion after an addition in one commit");
    r->adding |= addition;
}

static bool section_equal(const MemoryRegionSection *a,
                          const MemoryRegionSection *b)
{
    return a->mr == b->mr && a->as == b->as &&
           a->address_space == b->address_space &&
           a->offset_within_region == b->offset_within_region &&
           a->offset_within_address_space == b->offset_within_address_space &&
           a->last_within_address_space == b->last_within_address_space &&
           a->size == b->size && a->readonly == b->readonly;
}

static RecordedSection *recorder_find(Recorder *r, const MemoryRegionSection *s)
{
    unsigned i;

    for (i = 0; i < r->sections->len; i++) {
        RecordedSection *have = &g_array_index(r->sections, RecordedSection, i);

        if (section_equal(&have->s, s)) {
            return have;
        }
    }
    return NULL;
}

/* Whether a present section of @mr shows all of @addr to @last. */
static bool recorder_shows(Recorder *r, AddressSpace *as, MemoryRegion *mr,
                           hwaddr addr, hwaddr last)
{
    unsigned i;

    for (i = 0; i < r->sections->len; i++) {
        MemoryRegionSection *s = &g_array_index(r->sections, RecordedSection, i).s;

        if (s->mr == mr && s->as == as &&
            s->offset_within_address_space <= addr &&
            s->last_within_address_space >= last) {
            return true;
        }
    }
    return false;
}

static void recorder_begin(MemoryListener *listener)
{
    Recorder *r = recorder_of(listener);

    expect(!r->inside, "begin inside begin");
    r->inside = true;
    r->adding = false;
    if (r->log) {
        recorder_line(r, g_strdup("begin"));
    }
}

static int section_order(gconstpointer a, gconstpointer b)
{
    const RecordedSection *x = a, *y = b;

    if (x->s.as != y->s.as) {
        return x->s.as < y->s.as ? -1 : 1;
    }
    return x->s.offset_within_address_space < y->s.offset_within_address_space
               ? -1
               : x->s.offset_within_address_space !=
                     y->s.offset_within_address_space;
}

/* Each doorbell and zone lies in a section that shows its region. */
static void recorder_check_inside(Recorder *r)
{
    unsigned i;

    for (i = 0; i < r->doorbells->len; i++) {
        RecordedDoorbell *d = &g_array_index(r->doorbells, RecordedDoorbell, i);

        expect(recorder_shows(r, d->as, d->mr, d->addr,
                              d->addr + (d->size ? d->size - 1 : 0)),
               "a doorbell at 0x%" PRIx64 " is left behind", d->addr);
    }
    for (i = 0; i < r->zones->len; i++) {
        RecordedZone *z = &g_array_index(r->zones, RecordedZone, i);

        expect(recorder_shows(r, z->as, z->mr, z->addr, z->addr + (z->len - 1)),
               "a zone at 0x%" PRIx64 " is left behind", z->addr);
    }
}

static void recorder_commit(MemoryListener *listener)
{
    Recorder *r = recorder_of(listener);
    unsigned i;

    expect(r->inside, "commit without begin");
    r->inside = false;
    r->commits++;
    g_array_sort(r->sections, section_order);
    for (i = 1; i < r->sections->len; i++) {
        const MemoryRegionSection *a =
            &g_array_index(r->sections, RecordedSection, i - 1).s;
        const MemoryRegionSection *b =
            &g_array_index(r->sections, RecordedSection, i).s;

        if (a->as == b->as && a->mr == b->mr && a->readonly == b->readonly &&
            a->last_within_address_space + 1 == b->offset_within_address_space &&
            a->offset_within_region < b->offset_within_region &&
            a->offset_within_region + a->size == b->offset_within_region) {
            test_fail("%s and %s are not merged", section_line("", a),
                      section_line("", b));
        }
    }
    recorder_check_inside(r);
    if (r->log) {
        recorder_line(r, g_strdup("commit"));
    }
}

static void recorder_region_add(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);
    RecordedSection added = { .s = *s };
    hwaddr last = section_last(s);
    unsigned i;

    recorder_change(r, true);
    expect(s->as && (!r->filter || s->as == r->filter), "section's space");
    expect(s->address_space == s->as->root, "section's root");
    for (i = 0; i < r->sections->len; i++) {
        MemoryRegionSection *have =
            &g_array_index(r->sections, RecordedSection, i).s;

        expect(have->as != s->as ||
                   have->offset_within_address_space > last ||
                   have->last_within_address_space <
                       s->offset_within_address_space,
               "%s added over %s", section_line("", s), section_line("", have));
    }
    g_array_append_val(r->sections, added);
    recorder_section_line(r, "add", s);
}

static void recorder_region_del(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);
    RecordedSection *have = recorder_find(r, s);

    recorder_change(r, false);
    expect(have, "%s deleted but never added", section_line("", s));
    expect(!have->logging, "%s deleted while logging", section_line("", s));
    g_array_remove_index_fast(
        r->sections, have - &g_array_index(r->sections, RecordedSection, 0));
    recorder_section_line(r, "del", s);
}

static void recorder_region_nop(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);

    expect(r->inside, "nop outside begin and commit");
    expect(recorder_find(r, s), "nop for %s, which is not there",
           section_line("", s));
    recorder_section_line(r, "nop", s);
}

static void recorder_log_start(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);
    RecordedSection *have = recorder_find(r, s);

    recorder_change(r, true);
    expect(have, "log_start for %s, which is not there", section_line("", s));
    expect(!have->logging, "log_start twice for %s", section_line("", s));
    have->logging = true;
    recorder_section_line(r, "log_start", s);
}

static void recorder_log_stop(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);
    RecordedSection *have = recorder_find(r, s);

    recorder_change(r, false);
    expect(have, "log_stop for %s, which is not there", section_line("", s));
    expect(have->logging, "log_stop without start for %s", section_line("", s));
    have->logging = false;
    recorder_section_line(r, "log_stop", s);
}

static void recorder_log_sync(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);

    expect(recorder_shows(r, s->as, s->mr, s->offset_within_address_space,
                          section_last(s)),
           "log_sync for %s, which is not there", section_line("", s));
    recorder_section_line(r, "log_sync", s);
}

static void recorder_log_clear(MemoryListener *listener, MemoryRegionSection *s)
{
    Recorder *r = recorder_of(listener);

    expect(recorder_shows(r, s->as, s->mr, s->offset_within_address_space,
                          section_last(s)),
           "log_clear for %s, which is not there", section_line("", s));
    recorder_section_line(r, "log_clear", s);
}

static void recorder_log_global_start(MemoryListener *listener)
{
    Recorder *r = recorder_of(listener);

    r->global_log++;
    if (r->log) {
        recorder_line(r, g_strdup("log_global_start"));
    }
}

static void recorder_log_global_stop(MemoryListener *listener)
{
    Recorder *r = recorder_of(listener);

    expect(r->global_log > 0, "log_global_stop without start");
    r->global_log--;
    if (r->log) {
        recorder_line(r, g_strdup("log_global_stop"));
    }
}

static char *doorbell_line(const char *what, const RecordedDoorbell *d)
{
    char *data = d->match_data ? g_strdup_printf("=%" PRIx64, d->data)
                               : g_strdup("");
    char *line = g_strdup_printf("%s%s%s %" PRIx64 "/%" PRIu64 "%s", what,
                                 *what ? " " : "", memory_region_name(d->mr),
                                 d->addr, d->size, data);

    g_free(data);
    return line;
}

static RecordedDoorbell doorbell_of(Recorder *r, MemoryRegionSection *s,
                                    bool match_data, uint64_t data,
                                    EventNotifier *e)
{
    RecordedDoorbell d = {
        .as = s->as,
        .mr = s->mr,
        .addr = s->offset_within_address_space,
        .size = s->size,
        .match_data = match_data,
        .data = data,
        .e = e,
    };

    expect(recorder_shows(r, s->as, s->mr, d.addr,
                          d.addr + (d.size ? d.size - 1 : 0)),
           "no section shows %s", doorbell_line("", &d));
    return d;
}

static void recorder_eventfd_add(MemoryListener *listener,
                                 MemoryRegionSection *s, bool match_data,
                                 uint64_t data, EventNotifier *e)
{
    Recorder *r = recorder_of(listener);
    RecordedDoorbell d = doorbell_of(r, s, match_data, data, e);

    recorder_change(r, true);
    g_array_append_val(r->doorbells, d);
    if (r->log) {
        recorder_line(r, doorbell_line("eventfd_add", &d));
    }
}

static void recorder_eventfd_del(MemoryListener *listener,
                                 MemoryRegionSection *s, bool match_data,
                                 uint64_t data, EventNotifier *e)
{
    Recorder *r = recorder_of(listener);
    RecordedDoorbell d = doorbell_of(r, s, match_data, data, e);
    unsigned i;

    recorder_change(r, false);
    for (i = 0; i < r->doorbells->len; i++) {
        RecordedDoorbell *have =
            &g_array_index(r->doorbells, RecordedDoorbell, i);

        if (have->as == d.as && have->mr == d.mr && have->addr == d.addr &&
            have->size == d.size && have->match_data == d.match_data &&
            (!d.match_data || have->data == d.data) && have->e == d.e) {
            g_array_remove_index_fast(r->doorbells, i);
            if (r->log) {
                recorder_line(r, doorbell_line("eventfd_del", &d));
            }
            return;
        }
    }
    test_fail("%s deleted but never added", doorbell_line("", &d));
}

static char *zone_line(const char *what, const RecordedZone *z)
{
    return g_strdup_printf("%s%s%s %" PRIx64 "-%" PRIx64, what,
                           *what ? " " : "", memory_region_name(z->mr), z->addr,
                           z->addr + z->len - 1);
}

static RecordedZone zone_of(Recorder *r, MemoryRegionSection *s, hwaddr addr,
                            hwaddr len)
{
    RecordedZone z = { .as = s->as, .mr = s->mr, .addr = addr, .len = len };

    expect(len && recorder_find(r, s) &&
               addr >= s->offset_within_address_space &&
               addr + (len - 1) <= section_last(s),
           "zone %s outside its section, %s", zone_line("", &z),
           section_line("", s));
    return z;
}

static void recorder_coalesced_add(MemoryListener *listener,
                                   MemoryRegionSection *s, hwaddr addr,
                                   hwaddr len)
{
    Recorder *r = recorder_of(listener);
    RecordedZone z = zone_of(r, s, addr, len);

    recorder_change(r, true);
    g_array_append_val(r->zones, z);
    if (r->log) {
        recorder_line(r, zone_line("coalesced_add", &z));
    }
}

static void recorder_coalesced_del(MemoryListener *listener,
                                   MemoryRegionSection *s, hwaddr addr,
                                   hwaddr len)
{
    Recorder *r = recorder_of(listener);
    RecordedZone z = zone_of(r, s, addr, len);
    unsigned i;

    recorder_change(r, false);
    for (i = 0; i < r->zones->len; i++) {
        RecordedZone *have = &g_array_index(r->zones, RecordedZone, i);

        if (have->as == z.as && have->mr == z.mr && have->addr == z.addr &&
            have->len == z.len) {
            g_array_remove_index_fast(r->zones, i);
            if (r->log) {
                recorder_line(r, zone_line("coalesced_del", &z));
            }
            return;
        }
    }
    test_fail("zone %s deleted but never added", zone_line("", &z));
}

static void recorder_flush(MemoryListener *listener)
{
    recorder_of(listener)->flushes++;
}

static Recorder *recorder_make(AddressSpace *filter, unsigned priority,
                               GPtrArray *log, const char *tag)
{
    Recorder *r = g_new0(Recorder, 1);

    r->listener = (MemoryListener){
        .begin = recorder_begin,
        .commit = recorder_commit,
        .region_add = recorder_region_add,
        .region_del = recorder_region_del,
        .log_start = recorder_log_start,
        .log_stop = recorder_log_stop,
        .log_sync = recorder_log_sync,
        .log_clear = recorder_log_clear,
        .log_global_start = recorder_log_global_start,
        .log_global_stop = recorder_log_global_stop,
        .eventfd_add = recorder_eventfd_add,
        .eventfd_del = recorder_eventfd_del,
        .coalesced_mmio_add = recorder_coalesced_add,
        .coalesced_mmio_del = recorder_coalesced_del,
        .flush_coalesced = recorder_flush,
        .priority = priority,
    };
    r->filter = filter;
    r->tag = tag;
    r->log = log;
    r->sections = g_array_new(FALSE, TRUE, sizeof(RecordedSection));
    r->doorbells = g_array_new(FALSE, TRUE, sizeof(RecordedDoorbell));
    r->zones = g_array_new(FALSE, TRUE, sizeof(RecordedZone));
    memory_listener_register(&r->listener, filter);
    return r;
}

Recorder *recorder_new(AddressSpace *filter, unsigned priority, bool with_log)
{
    return recorder_make(
        filter, priority,
        with_log ? g_ptr_array_new_with_free_func(g_free) : NULL, "");
}

Recorder *recorder_new_beside(Recorder *other, AddressSpace *filter,
                              unsigned priority, const char *tag)
{
    return recorder_make(filter, priority, g_ptr_array_ref(other->log), tag);
}

void recorder_free(Recorder *r)
{
    memory_listener_unregister(&r->listener);
    expect(r->sections->len == 0, "%u sections were not withdrawn",
           r->sections->len);
    expect(r->doorbells->len == 0, "%u doorbells were not withdrawn",
           r->doorbells->len);
    expect(r->zones->len == 0, "%u zones were not withdrawn", r->zones->len);
    expect(!r->inside, "begin without commit");
    g_array_free(r->sections, TRUE);
    g_array_free(r->doorbells, TRUE);
    g_array_free(r->zones, TRUE);
    if (r->log) {
        g_ptr_array_unref(r->log);
    }
    g_free(r);
}

void recorder_hear_nop(Recorder *r)
{
    r->listener.region_nop = recorder_region_nop;
}

void recorder_clear_log(Recorder *r)
{
    g_ptr_array_set_size(r->log, 0);
}

void recorder_expect_log(Recorder *r, ...)
{
    va_list ap;

    va_start(ap, r);
    expect_lines("log", r->log, ap);
    va_end(ap);
    recorder_clear_log(r);
}

void recorder_expect_map(Recorder *r, ...)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    va_list ap;
    unsigned i;

    g_array_sort(r->sections, section_order);
    for (i = 0; i < r->sections->len; i++) {
        RecordedSection *s = &g_array_index(r->sections, RecordedSection, i);
        char *line = section_line("", &s->s);

        g_ptr_array_add(lines, g_strconcat(line, s->logging ? " log" : "", NULL));
        g_free(line);
    }
    va_start(ap, r);
    expect_lines("map", lines, ap);
    va_end(ap);
    g_ptr_array_free(lines, TRUE);
}

static int doorbell_order(gconstpointer a, gconstpointer b)
{
    const RecordedDoorbell *x = a, *y = b;

    if (x->addr != y->addr) {
        return x->addr < y->addr ? -1 : 1;
    }
    if (x->size != y->size) {
        return x->size < y->size ? -1 : 1;
    }
    return x->data < y->data ? -1 : x->data != y->data;
}

void recorder_expect_doorbells(Recorder *r, ...)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    va_list ap;
    unsigned i;

    g_array_sort(r->doorbells, doorbell_order);
    for (i = 0; i < r->doorbells->len; i++) {
        g_ptr_array_add(lines,
                        doorbell_line("", &g_array_index(r->doorbells,
                                                         RecordedDoorbell, i)));
    }
    va_start(ap, r);
    expect_lines("doorbells", lines, ap);
    va_end(ap);
    g_ptr_array_free(lines, TRUE);
}

static int zone_order(gconstpointer a, gconstpointer b)
{
    const RecordedZone *x = a, *y = b;

    return x->addr < y->addr ? -1 : x->addr != y->addr;
}

void recorder_expect_zones(Recorder *r, ...)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    va_list ap;
    unsigned i;

    g_array_sort(r->zones, zone_order);
    for (i = 0; i < r->zones->len; i++) {
        g_ptr_array_add(lines,
                        zone_line("", &g_array_index(r->zones, RecordedZone, i)));
    }
    va_start(ap, r);
    expect_lines("zones", lines, ap);
    va_end(ap);
    g_ptr_array_free(lines, TRUE);
}

/* ---- a small world ------------------------------------------------------------------- */

void world_init(World *w)
{
    memory_region_init(&w->root, "root", UINT64_MAX);
    address_space_init(&w->as, &w->root);
    w->r = recorder_new(&w->as, 0, true);
    recorder_clear_log(w->r);
}

void world_destroy(World *w)
{
    recorder_free(w->r);
    address_space_destroy(&w->as);
    memory_region_destroy(&w->root);
}

/* ---- shorthands ---------------------------------------------------------------------- */

uint64_t load(AddressSpace *as, hwaddr addr, unsigned size, MemTxResult result)
{
    MemTxAttrs attrs = { 0 };
    MemTxResult got = ~0u;
    uint64_t value = 0;

    switch (size) {
    case 1:
        value = address_space_ldub(as, addr, attrs, &got);
        break;
    case 2:
        value = address_space_lduw_le(as, addr, attrs, &got);
        break;
    case 4:
        value = address_space_ldl_le(as, addr, attrs, &got);
        break;
    case 8:
        value = address_space_ldq_le(as, addr, attrs, &got);
        break;
    default:
        test_fail("load of %u bytes", size);
    }
    expect(got == result, "load of %u bytes at 0x%" PRIx64 ": result %u, not %u",
           size, addr, got, result);
    return value;
}

void store(AddressSpace *as, hwaddr addr, unsigned size, uint64_t value,
           MemTxResult result)
{
    MemTxAttrs attrs = { 0 };
    MemTxResult got = ~0u;

    switch (size) {
    case 1:
        address_space_stb(as, addr, value, attrs, &got);
        break;
    case 2:
        address_space_stw_le(as, addr, value, attrs, &got);
        break;
    case 4:
        address_space_stl_le(as, addr, value, attrs, &got);
        break;
    case 8:
        address_space_stq_le(as, addr, value, attrs, &got);
        break;
    default:
        test_fail("store of %u bytes", size);
    }
    expect(got == result,
           "store of %u bytes at 0x%" PRIx64 ": result %u, not %u", size, addr,
           got, result);
}

void expect_found(MemoryRegion *root, hwaddr addr, MemoryRegion *mr,
                  hwaddr offset)
{
    MemoryRegionSection s;

    memory_lock();
    s = memory_region_find(root, addr, 1);
    memory_unlock();
    expect(s.mr == mr, "0x%" PRIx64 " is answered by %s, not %s", addr,
           s.mr ? memory_region_name(s.mr) : "nothing",
           mr ? memory_region_name(mr) : "nothing");
    expect(s.size == (mr ? 1 : 0), "size 0x%" PRIx64, s.size);
    if (mr) {
        expect(s.offset_within_region == offset &&
                   s.offset_within_address_space == addr,
               "0x%" PRIx64 " is at 0x%" PRIx64 ", not 0x%" PRIx64, addr,
               s.offset_within_region, offset);
    }
}
