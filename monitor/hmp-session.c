/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A human at a character device: greeting, prompt, lines. On a terminal these
 * come out of a line editor; elsewhere they are what is between two ends of
 * lines, and nothing is echoed.
 */
#include <string.h>

#include "monitor/editor.h"
#include "monitor/hmp.h"
#include "monitor/monitor-internal.h"
#include "options.h"
#include "sysemu.h"

static const char prompt[] = "(flatview) ";
static const char greeting[] = "flatview " FLATVIEW_VERSION
                               " monitor - type 'help' for more information\r\n";

typedef struct Session {
    Monitor *mon;
    Editor *editor;   /* NULL: plain lines */
    bool has_greeted; /* this client */
    char *line;       /* to be run; NULL: none */
    GString *partial; /* plain lines: what came of the next one */
    bool after_cr;    /* a \n that comes now belongs to a \r */
} Session;

/* ---- lines --------------------------------------------------------------------- */

/* One byte of plain text. Whatever is no text is left out, and so is what makes
 * a line longer than the longest by more than it takes to refuse it. */
static void plain_byte(Session *s, uint8_t byte)
{
    bool ends = byte == '\r' || (byte == '\n' && !s->after_cr);

    s->after_cr = byte == '\r';
    if (ends) {
        s->line = g_strdup(s->partial->str);
        g_string_truncate(s->partial, 0);
    } else if ((byte >= ' ' || byte == '\t') && byte != 0x7f &&
               s->partial->len <= HMP_LINE_MAX) {
        g_string_append_c(s->partial, (char)byte);
    }
}

static size_t session_input(Monitor *mon, const uint8_t *buf, size_t len)
{
    Session *s = mon->session;
    size_t taken = 0;

    while (taken < len && !s->line) {
        if (s->editor) {
            taken += editor_feed(s->editor, buf + taken, len - taken, &s->line);
        } else {
            plain_byte(s, buf[taken++]);
        }
    }
    return taken;
}

static void session_prompt(Session *s)
{
    if (s->editor) {
        editor_prompt(s->editor);
    } else {
        monitor_write(s->mon, prompt, strlen(prompt));
    }
}

static bool session_run(Monitor *mon)
{
    Session *s = mon->session;
    g_autofree char *line = g_steal_pointer(&s->line);
    g_autofree char *output = NULL;

    if (line) {
        output = hmp_execute(mon, line);
        monitor_write(mon, output, strlen(output));
        if (!vm_shutdown_requested()) {
            session_prompt(s);
        }
    }
    return false;
}

/* ---- clients --------------------------------------------------------------------- */

static void session_greet(Session *s)
{
    s->has_greeted = true;
    monitor_write(s->mon, greeting, strlen(greeting));
    session_prompt(s);
}

/* Where a console has the terminal, the greeting waits. */
static void session_opened(Monitor *mon)
{
    bool has_focus;

    memory_lock();
    has_focus = chardev_has_focus(mon->chr, mon);
    memory_unlock();
    if (has_focus) {
        session_greet(mon->session);
    }
}

static void session_focus_in(Monitor *mon)
{
    Session *s = mon->session;

    monitor_write(mon, "\r\n", 2);
    if (s->has_greeted) {
        session_prompt(s);
    } else {
        session_greet(s);
    }
}

static void session_closed(Monitor *mon)
{
    Session *s = mon->session;

    s->has_greeted = s->after_cr = false;
    g_string_truncate(s->partial, 0);
}

static void editor_write(void *opaque, const char *text, size_t len)
{
    Session *s = opaque;

    monitor_write(s->mon, text, len);
}

static GPtrArray *editor_complete(void *opaque, const char *line, size_t end,
                                  size_t *start)
{
    return hmp_complete(line, end, start);
}

static void *session_attach(Monitor *mon)
{
    static const EditorOps ops = { editor_write, editor_complete };
    Session *s = g_new0(Session, 1);

    s->mon = mon;
    s->partial = g_string_new(NULL);
    if (chardev_is_terminal(mon->chr)) {
        s->editor = editor_new(&ops, s, prompt, HMP_LINE_MAX);
    }
    return s;
}

static void session_detach(Monitor *mon)
{
    Session *s = mon->session;

    editor_free(s->editor);
    g_string_free(s->partial, TRUE);
    g_free(s->line);
    g_free(s);
}

const MonitorOps hmp_ops = {
    .attach = session_attach,
    .detach = session_detach,
    .opened = session_opened,
    .closed = session_closed,
    .input = session_input,
    .run = session_run,
    .focus_in = session_focus_in,
};
