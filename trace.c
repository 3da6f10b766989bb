/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traces of the memory map; see trace.h. A line of `map` or `unassigned` is
 * one write to the stream, so lines of several threads do not mix.
 */
#include "trace.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "hw/core/chardev.h"
#include "hw/core/device.h"

enum {
    TRACE_MAP = 1u << 0,
    TRACE_UNASSIGNED = 1u << 1,
    TRACE_EXIT_MAP = 1u << 2,
};

static const struct {
    const char *name;
    unsigned bit;
    const char *description;
} items[] = {
    { "map", TRACE_MAP, "each section that joins or leaves a flat memory map" },
    { "unassigned", TRACE_UNASSIGNED, "each access that nothing answers" },
    { "exit-map", TRACE_EXIT_MAP, "the flat memory maps, when the run ends" },
};

struct Trace {
    unsigned mask;
    FILE *out;
    MemoryListener listener;
};

void trace_print_items(FILE *out)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(items); i++) {
        fprintf(out, "%-16s %s\n", items[i].name, items[i].description);
    }
}

static bool item_parse(const char *name, unsigned *mask, GError **err)
{
    const char *names[G_N_ELEMENTS(items) + 1];
    const char *nearest;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(items); i++) {
        if (strcmp(items[i].name, name) == 0) {
            *mask |= items[i].bit;
            return true;
        }
        names[i] = items[i].name;
    }
    names[i] = NULL;
    nearest = nearest_name(name, names);
    if (nearest) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "there is no '%s' to trace; did you mean '%s'?", name,
                    nearest);
    } else {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "there is no '%s' to trace; '-d help' lists what there is",
                    name);
    }
    return false;
}

bool trace_parse(const char *list, unsigned *mask, GError **err)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);
    char **name;

    *mask = 0;
    for (name = names; *name; name++) {
        if (!item_parse(*name, mask, err)) {
            return false;
        }
    }
    return true;
}

static void map_changed(MemoryListener *listener, MemoryRegionSection *section,
                        const char *verb)
{
    Trace *trace = (Trace *)((char *)listener - offsetof(Trace, listener));

    fprintf(trace->out, "map %s %s 0x%016" PRIx64 "-0x%016" PRIx64 " %s%s\n",
            verb, section->as->name, section->offset_within_address_space,
            section->last_within_address_space, memory_region_name(section->mr),
            section->readonly ? " read-only" : "");
}

static void map_add(MemoryListener *listener, MemoryRegionSection *section)
{
    map_changed(listener, section, "add");
}

static void map_del(MemoryListener *listener, MemoryRegionSection *section)
{
    map_changed(listener, section, "del");
}

static void unassigned(AddressSpace *as, hwaddr addr, unsigned size,
                       bool is_write, void *opaque)
{
    Trace *trace = opaque;

    fprintf(trace->out, "unassigned %s %s 0x%" PRIx64 " size %u\n",
            is_write ? "write" : "read", as->name, addr, size);
}

Trace *trace_new(unsigned mask, const char *path, GError **err)
{
    Trace *trace;
    FILE *out = stderr;

    if (path) {
        out = output_stream_open(path);
        if (!out) {
            g_set_error(err, FLATVIEW_ERROR, 0, "-D: cannot write '%s': %s",
                        path, output_stream_error(errno));
            return NULL;
        }
        setvbuf(out, NULL, _IOLBF, 0);
    }
    trace = g_new0(Trace, 1);
    trace->mask = mask;
    trace->out = out;
    if (mask & TRACE_UNASSIGNED) {
        memory_set_unassigned_handler(unassigned, trace);
    }
    if (mask & TRACE_MAP) {
        trace->listener.region_add = map_add;
        trace->listener.region_del = map_del;
        memory_listener_register(&trace->listener, NULL);
    }
    return trace;
}

void trace_free(Trace *trace)
{
    if (!trace) {
        return;
    }
    if (trace->mask & TRACE_MAP) {
        /* Not the end of the map, only of the trace: say nothing of it. */
        trace->listener.region_del = NULL;
        memory_listener_unregister(&trace->listener);
    }
    if (trace->mask & TRACE_UNASSIGNED) {
        memory_set_unassigned_handler(NULL, NULL);
    }
    if (trace->mask & TRACE_EXIT_MAP) {
        mtree_info_flags(fprintf, trace->out, MTREE_FLAT);
    }
    if (trace->out != stderr) {
        fclose(trace->out);
    }
    g_free(trace);
}
