/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What control and human monitors share: when the functions of MonitorOps are
 * called, and output that a client takes slowly. See monitor-internal.h.
 */
#include "monitor/monitor-internal.h"

#include <string.h>

static Machine *the_machine;
static GPtrArray *monitors; /* Monitor *, not owned; NULL: none */

void monitor_set_machine(Machine *machine)
{
    the_machine = machine;
}

Machine *monitor_machine(void)
{
    return the_machine;
}

unsigned monitor_cpu_index(const Monitor *mon)
{
    return mon->cpu_index;
}

void monitor_set_cpu_index(Monitor *mon, unsigned index)
{
    mon->cpu_index = index;
}

void monitor_schedule(Monitor *mon)
{
    g_source_set_ready_time(mon->source, 0);
}

void monitor_for_each(MonitorMode mode, void (*fn)(Monitor *mon, void *opaque),
                      void *opaque)
{
    for (unsigned i = 0; monitors && i < monitors->len; i++) {
        Monitor *mon = monitors->pdata[i];

        if (mon->mode == mode) {
            fn(mon, opaque);
        }
    }
}

/* ---- output ------------------------------------------------------------------ */

bool monitor_is_blocked(const Monitor *mon)
{
    return mon->output->len - mon->output_sent > MONITOR_OUTPUT_BLOCKS;
}

/* Hand on what the client takes. */
static void monitor_flush(Monitor *mon)
{
    GString *output = mon->output;

    if (!mon->chr) {
        return;
    }
    memory_lock();
    while (mon->output_sent < output->len) {
        size_t len = MIN(output->len - mon->output_sent, CHARDEV_WRITE_MAX);

        if (!chardev_write(mon->chr, (uint8_t *)output->str + mon->output_sent,
                           len)) {
            break;
        }
        mon->output_sent += len;
    }
    memory_unlock();
    if (mon->output_sent < output->len) {
        mon->was_blocked = mon->was_blocked || monitor_is_blocked(mon);
        /* What was sent goes when it is the larger part: each byte is moved
         * once on average. */
        if (mon->output_sent > output->len / 2) {
            g_string_erase(output, 0, mon->output_sent);
            mon->output_sent = 0;
        }
        return;
    }
    mon->output_sent = 0;
    if (output->allocated_len > MONITOR_OUTPUT_BLOCKS) {
        g_string_free(output, TRUE);
        mon->output = g_string_new(NULL);
    } else {
        g_string_truncate(output, 0);
    }
}

/* Whether what is written is for a client that has gone, while the next one is
 * there already. */
static bool is_for_nobody(const Monitor *mon)
{
    return mon->has_closed && mon->has_opened;
}

void monitor_write(Monitor *mon, const char *text, size_t len)
{
    if (is_for_nobody(mon)) {
        return;
    }
    g_string_append_len(mon->output, text, len);
    monitor_flush(mon);
}

/* ---- what the character device calls, under the memory lock -------------------- */

static size_t monitor_can_receive(void *opaque)
{
    Monitor *mon = opaque;

    mon->is_deaf = mon->input_len || mon->has_closed || monitor_is_blocked(mon);
    return mon->is_deaf ? 0 : sizeof(mon->input);
}

static void monitor_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Monitor *mon = opaque;

    memcpy(mon->input + mon->input_len, buf, len);
    mon->input_len += len;
    monitor_schedule(mon);
}

static void monitor_writable(void *opaque)
{
    Monitor *mon = opaque;

    if (mon->is_ending && !mon->output->len) {
        mon->is_ending = false;
        chardev_disconnect(mon->chr);
    }
    monitor_schedule(mon);
}

static void monitor_event(void *opaque, ChardevEvent event)
{
    Monitor *mon = opaque;

    if (event == CHARDEV_OPENED) {
        mon->has_opened = true;
        if (is_for_nobody(mon)) {
            g_string_truncate(mon->output, 0);
            mon->output_sent = 0;
        }
    } else if (event == CHARDEV_CLOSED) {
        mon->has_ended = mon->is_ending = false;
        mon->has_closed = mon->is_open || mon->has_opened;
        if (!mon->is_open) {
            mon->has_opened = mon->has_closed = false;
        }
    } else if (event == CHARDEV_FOCUS_IN) {
        mon->has_focus_in = true;
    } else if (event == CHARDEV_INPUT_ENDED) {
        mon->has_ended = !chardev_is_mux(mon->chr);
    }
    monitor_schedule(mon);
}

static const ChardevFrontend monitor_frontend = {
    .can_receive = monitor_can_receive,
    .receive = monitor_receive,
    .on_writable = monitor_writable,
    .event = monitor_event,
    .answers = true,
};

/* ---- the source of the main loop ------------------------------------------------- */

static gboolean monitor_dispatch(GSource *source, GSourceFunc callback,
                                 gpointer opaque)
{
    Monitor *mon = opaque;
    bool more = false;
    size_t taken;

    g_source_set_ready_time(source, -1);
    monitor_flush(mon);
    if (monitor_is_blocked(mon)) {
        return G_SOURCE_CONTINUE; /* monitor_writable() comes back to it */
    }
    if (mon->was_blocked) {
        mon->was_blocked = false;
        if (mon->ops->unblocked) {
            mon->ops->unblocked(mon);
        }
    }
    if (mon->has_opened && !mon->is_open) {
        mon->has_opened = false;
        mon->is_open = true;
        mon->ops->opened(mon);
    }
    if (mon->has_focus_in && mon->is_open) {
        mon->has_focus_in = false;
        if (mon->ops->focus_in) {
            mon->ops->focus_in(mon);
        }
    }
    if (mon->input_len) {
        taken = mon->ops->input(mon, mon->input, mon->input_len);
        mon->input_len -= taken;
        memmove(mon->input, mon->input + taken, mon->input_len);
    }
    more = mon->ops->run(mon) || mon->input_len;
    if (mon->has_ended && !more && !mon->output->len) {
        /* It got an answer to all that it will ever say. */
        mon->has_ended = false;
        mon->is_ending = true;
        memory_lock();
        chardev_write_soon(mon->chr);
        memory_unlock();
    }
    if (mon->has_closed && !more) {
        mon->has_closed = mon->is_open = false;
        mon->ops->closed(mon);
        more = mon->has_opened;
    }
    if (more) {
        monitor_schedule(mon);
    }
    if (mon->is_deaf && !mon->input_len) {
        memory_lock();
        chardev_accept_input(mon->chr);
        memory_unlock();
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs monitor_source = {
    .dispatch = monitor_dispatch,
};

/* ---- life ------------------------------------------------------------------------ */

static Monitor *monitor_alloc(MonitorMode mode)
{
    Monitor *mon = g_new0(Monitor, 1);

    mon->mode = mode;
    mon->ops = mode == MONITOR_CONTROL ? &qmp_ops : &hmp_ops;
    mon->output = g_string_new(NULL);
    return mon;
}

Monitor *monitor_new(Chardev *chr, MonitorMode mode, bool pretty,
                     GError **err)
{
    Monitor *mon = monitor_alloc(mode);
    bool ok;

    mon->chr = chr;
    mon->pretty = pretty;
    mon->source = g_source_new(&monitor_source, sizeof(GSource));
    g_source_set_callback(mon->source, NULL, mon, NULL);
    g_source_set_ready_time(mon->source, -1);
    g_source_attach(mon->source, NULL);
    if (!monitors) {
        monitors = g_ptr_array_new();
    }
    g_ptr_array_add(monitors, mon);
    mon->session = mon->ops->attach(mon);
    memory_lock();
    ok = chardev_attach(chr, &monitor_frontend, mon, err);
    memory_unlock();
    if (!ok) {
        mon->chr = NULL;
        monitor_free(mon);
        return NULL;
    }
    return mon;
}

void monitor_free(Monitor *mon)
{
    if (!mon) {
        return;
    }
    if (mon->source) {
        mon->ops->detach(mon);
        g_ptr_array_remove(monitors, mon);
        if (!monitors->len) {
            g_clear_pointer(&monitors, g_ptr_array_unref);
        }
        g_source_destroy(mon->source);
        g_source_unref(mon->source);
    }
    monitor_flush(mon);
    if (mon->chr) {
        memory_lock();
        chardev_detach(mon->chr, mon);
        memory_unlock();
    }
    g_string_free(mon->output, TRUE);
    g_free(mon);
}
