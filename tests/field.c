/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A map of many regions; see field.h.
 */
#include "field.h"
#include "rcu.h"

#include <stdarg.h>

/* ---- what listeners heard ----------------------------------------------------------- */

BaselineListener *follow(AddressSpace *as)
{
    BaselineListener *l = baseline_listener_new();

    memory_listener_register(&l->listener, as);
    g_array_set_size(l->events, 0);
    return l;
}

void unfollow(BaselineListener *l)
{
    memory_listener_unregister(&l->listener);
    baseline_listener_free(l);
}

static char *event_line(const BaselineEvent *event)
{
    static const char *const names[] = {
        "add", "del", "log_start", "log_stop", "bell_add", "bell_del",
        "zone_add", "zone_del",
    };
    const MemoryRegionSection *s = &event->section;

    if (event->len) {
        return g_strdup_printf("%s %s %" PRIx64 "-%" PRIx64,
                               names[event->type], memory_region_name(s->mr),
                               event->addr, event->addr + (event->len - 1));
    }
    if (event->e) {
        return g_strdup_printf("%s %s %" PRIx64 "/%" PRIx64, names[event->type],
                               memory_region_name(s->mr),
                               s->offset_within_address_space, s->size);
    }
    return g_strdup_printf("%s %s %" PRIx64 "-%" PRIx64 " @%" PRIx64 "%s",
                           names[event->type], memory_region_name(s->mr),
                           s->offset_within_address_space, section_last(s),
                           s->offset_within_region, s->readonly ? " ro" : "");
}

void expect_heard(BaselineListener *l, ...)
{
    GString *wanted = g_string_new(NULL), *got = g_string_new(NULL);
    const char *line;
    va_list ap;
    unsigned i;

    va_start(ap, l);
    while ((line = va_arg(ap, const char *))) {
        g_string_append_printf(wanted, "    %s\n", line);
    }
    va_end(ap);
    for (i = 0; i < MIN(l->events->len, 50); i++) {
        char *text = event_line(&g_array_index(l->events, BaselineEvent, i));

        g_string_append_printf(got, "    %s\n", text);
        g_free(text);
    }
    expect(i == l->events->len && g_str_equal(wanted->str, got->str),
           "wanted\n%sgot %u:\n%s", wanted->str, l->events->len, got->str);
    g_string_free(wanted, TRUE);
    g_string_free(got, TRUE);
    g_array_set_size(l->events, 0);
}

void expect_baseline(Baseline *b)
{
    char *difference;

    baseline_commit(b);
    difference = baseline_difference(b);
    expect(!difference, "%s", difference);
}

/* ---- a field of regions --------------------------------------------------------------- */

void field_init(Field *f, unsigned nr)
{
    memory_region_transaction_begin();
    f->nr = nr;
    f->io = g_new0(MemoryRegion, nr);
    memory_region_init(&f->root, "field", UINT64_MAX);
    for (unsigned i = 0; i < nr; i++) {
        memory_region_init_io(&f->io[i], &io_plain_ops, NULL, "io", WIDTH);
        memory_region_add_subregion(&f->root, (hwaddr)i * PITCH, &f->io[i]);
    }
    address_space_init(&f->as, &f->root);
    memory_region_transaction_commit();
}

void field_destroy(Field *f)
{
    address_space_destroy(&f->as);
    for (unsigned i = 0; i < f->nr; i++) {
        memory_region_del_subregion(&f->root, &f->io[i]);
        memory_region_destroy(&f->io[i]);
    }
    memory_region_destroy(&f->root);
    g_free(f->io);
}

void expect_nothing_left(void)
{
    memory_lock();
    rcu_reclaim();
    ck_assert_uint_eq(rcu_retired_count(), 0);
    ck_assert_uint_eq(flatview_live_count(), 0);
    ck_assert_uint_eq(flatview_live_bytes(), 0);
    memory_unlock();
}

size_t live_bytes(void)
{
    size_t bytes;

    memory_lock();
    rcu_reclaim();
    bytes = flatview_live_bytes();
    memory_unlock();
    return bytes;
}
