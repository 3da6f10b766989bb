/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: what they are, and their way from whoever sends them, in any thread,
 * to the main loop, which writes them to the monitors.
 *
 * Of an event with an interval the first is sent at once; of those that follow
 * in this time only the last is sent, when it is over.
 */
#include "monitor/qmp-types.h"
#include "monitor/qmp.h"
#include "vm-event.h"

#include <pthread.h>

/* More than that are not kept for a main loop that is busy: the last. */
#define WAITING_MAX 1024

static const char *const shutdown_causes[] = {
    "none", "host-error", "host-qmp-quit", "host-qmp-system-reset",
    "host-signal", "host-ui", "guest-shutdown", "guest-reset", "guest-panic",
    "subsystem-reset", NULL,
};

static const QType shutdown_cause = {
    .kind = Q_ENUM, .name = "ShutdownCause", .values = shutdown_causes,
    .doc = "Why a machine ends or is reset.",
};

static const char *const panic_actions[] = { "pause", "poweroff", "run", NULL };

static const QType panic_action = {
    .kind = Q_ENUM, .name = "GuestPanicAction", .values = panic_actions,
    .doc = "What was done about it.",
};

static const QMember reset_data[] = {
    { "guest", &q_bool, false, "Whether the guest itself asked for it." },
    { "reason", &shutdown_cause, false, "Why." },
    { 0 },
};

static const QMember panic_data[] = {
    { "action", &panic_action, false, "What was done about it." },
    { 0 },
};

static const QMember device_data[] = {
    { "device", &q_string, true, "The id of the device, if it had one." },
    { "path", &q_string, false, "Where it was in the tree of objects." },
    { 0 },
};

static const QMember vnc_data[] = {
    { "server", &qmp_vnc_event_server, false, "Where it came in." },
    { "client", &qmp_vnc_client, false, "Where it is." },
    { 0 },
};

static const QMember rtc_data[] = {
    { "offset", &q_int, false,
      "Seconds that the guest's clock is ahead of the host's." },
    { "qom-path", &q_string, false, "The clock in the tree of objects." },
    { 0 },
};

const QMPEventType qmp_event_types[] = {
    [VM_EVENT_STOP] = { "STOP", "The machine stands.", NULL, 0 },
    [VM_EVENT_RESUME] = { "RESUME", "It runs on.", NULL, 0 },
    [VM_EVENT_RESET] = { "RESET", "It was reset.", reset_data, 0 },
    [VM_EVENT_SHUTDOWN] = {
        "SHUTDOWN", "It is off. The program ends, unless it was started with "
        "-no-shutdown.", reset_data, 0
    },
    [VM_EVENT_POWERDOWN] = {
        "POWERDOWN", "Its power button was pressed.", NULL, 0
    },
    [VM_EVENT_SUSPEND] = {
        "SUSPEND", "The guest sleeps, and keeps its memory.", NULL, 0
    },
    [VM_EVENT_SUSPEND_DISK] = {
        "SUSPEND_DISK", "It has saved itself to a disk; SHUTDOWN follows.", NULL, 0
    },
    [VM_EVENT_WAKEUP] = { "WAKEUP", "It has been woken up.", NULL, 0 },
    [VM_EVENT_GUEST_PANICKED] = {
        "GUEST_PANICKED", "The guest says that it can not go on.", panic_data, 0
    },
    [VM_EVENT_GUEST_CRASHLOADED] = {
        "GUEST_CRASHLOADED", "The guest panicked, and deals with it itself.",
        panic_data, 0
    },
    [VM_EVENT_DEVICE_DELETED] = {
        "DEVICE_DELETED", "A device has gone; its id is free.", device_data, 0
    },
    [VM_EVENT_RTC_CHANGE] = {
        "RTC_CHANGE", "The guest has set its clock.", rtc_data, 1000
    },
    [VM_EVENT_VNC_CONNECTED] = {
        "VNC_CONNECTED", "A VNC client has connected; who it is has to be seen.",
        vnc_data, 0
    },
    [VM_EVENT_VNC_INITIALIZED] = {
        "VNC_INITIALIZED", "A VNC client was let in.", vnc_data, 0
    },
    [VM_EVENT_VNC_DISCONNECTED] = {
        "VNC_DISCONNECTED", "A VNC client has gone.", vnc_data, 0
    },
    { 0 },
};

#define EVENT_KINDS (G_N_ELEMENTS(qmp_event_types) - 1)

typedef struct Happening {
    unsigned kind;    /* index in qmp_event_types */
    JsonObject *data; /* or NULL */
    int64_t time_us;  /* since 1970 */
} Happening;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GQueue waiting; /* Happening *, under the lock */

/* The rest is the main loop's. */
static unsigned listeners;
static GSource *source; /* sends what is waiting */
static struct {
    GSource *timer;  /* the interval is not over; NULL: it is */
    Happening *last; /* to be sent then, or NULL */
} limits[EVENT_KINDS];

static void happening_free(void *opaque)
{
    Happening *h = opaque;

    if (h) {
        g_clear_pointer(&h->data, json_object_unref);
        g_free(h);
    }
}

/* ---- any thread ------------------------------------------------------------------ */

static JsonObject *event_data(const VMEvent *event)
{
    JsonObject *data = json_object_new(), *server;

    switch (event->kind) {
    case VM_EVENT_RESET:
    case VM_EVENT_SHUTDOWN:
        json_object_set_boolean_member(data, "guest",
                                       shutdown_cause_is_guest(event->cause));
        json_object_set_string_member(data, "reason",
                                      shutdown_cause_name(event->cause));
        break;
    case VM_EVENT_GUEST_PANICKED:
    case VM_EVENT_GUEST_CRASHLOADED:
        json_object_set_string_member(data, "action", event->action);
        break;
    case VM_EVENT_DEVICE_DELETED:
        if (event->device) {
            json_object_set_string_member(data, "device", event->device);
        }
        json_object_set_string_member(data, "path", event->path);
        break;
    case VM_EVENT_RTC_CHANGE:
        json_object_set_int_member(data, "offset", event->offset);
        json_object_set_string_member(data, "qom-path", event->path);
        break;
    case VM_EVENT_VNC_CONNECTED:
    case VM_EVENT_VNC_INITIALIZED:
    case VM_EVENT_VNC_DISCONNECTED:
        server = qmp_display_end(event->server);
        json_object_set_string_member(server, "auth", event->auth);
        json_object_set_object_member(data, "server", server);
        json_object_set_object_member(data, "client", qmp_display_end(event->client));
        break;
    default:
        json_object_unref(data);
        return NULL;
    }
    return data;
}

static void on_event(const VMEvent *event, void *opaque)
{
    Happening *h = g_new0(Happening, 1), *oldest = NULL;

    h->kind = event->kind;
    h->data = event_data(event);
    h->time_us = g_get_real_time();
    pthread_mutex_lock(&lock);
    if (waiting.length == WAITING_MAX) {
        oldest = g_queue_pop_head(&waiting);
    }
    g_queue_push_tail(&waiting, h);
    pthread_mutex_unlock(&lock);
    happening_free(oldest);
    g_source_set_ready_time(source, 0);
}

/* ---- the main loop ----------------------------------------------------------------- */

static void happening_send(Happening *h)
{
    qmp_broadcast(qmp_event_types[h->kind].name, h->data, h->time_us);
    happening_free(h);
}

static gboolean on_interval(void *opaque)
{
    unsigned kind = GPOINTER_TO_UINT(opaque);
    Happening *h = limits[kind].last;

    limits[kind].last = NULL;
    if (h) {
        happening_send(h);
        return G_SOURCE_CONTINUE;
    }
    g_clear_pointer(&limits[kind].timer, g_source_unref);
    return G_SOURCE_REMOVE;
}

/* Send @h now, or in time. */
static void happening_limit(Happening *h)
{
    unsigned interval = qmp_event_types[h->kind].interval_ms;

    if (!interval) {
        happening_send(h);
    } else if (limits[h->kind].timer) {
        happening_free(limits[h->kind].last);
        limits[h->kind].last = h;
    } else {
        limits[h->kind].timer = g_timeout_source_new(interval);
        g_source_set_callback(limits[h->kind].timer, on_interval,
                              GUINT_TO_POINTER(h->kind), NULL);
        g_source_attach(limits[h->kind].timer, NULL);
        happening_send(h);
    }
}

void qmp_events_send(void)
{
    GQueue now;

    pthread_mutex_lock(&lock);
    now = waiting;
    g_queue_init(&waiting);
    pthread_mutex_unlock(&lock);
    while (now.length) {
        happening_limit(g_queue_pop_head(&now));
    }
}

static gboolean on_waiting(GSource *of, GSourceFunc callback, gpointer opaque)
{
    g_source_set_ready_time(of, -1);
    qmp_events_send();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs waiting_source = {
    .dispatch = on_waiting,
};

void qmp_events_listen(void)
{
    if (listeners++ == 0) {
        source = g_source_new(&waiting_source, sizeof(GSource));
        g_source_set_ready_time(source, -1);
        g_source_attach(source, NULL);
        vm_event_listen(on_event, NULL);
    }
}

void qmp_events_unlisten(void)
{
    if (--listeners > 0) {
        return;
    }
    vm_event_unlisten(on_event, NULL);
    g_source_destroy(source);
    g_clear_pointer(&source, g_source_unref);
    g_queue_clear_full(&waiting, happening_free);
    for (unsigned i = 0; i < EVENT_KINDS; i++) {
        if (limits[i].timer) {
            g_source_destroy(limits[i].timer);
            g_clear_pointer(&limits[i].timer, g_source_unref);
        }
        g_clear_pointer(&limits[i].last, happening_free);
    }
}
