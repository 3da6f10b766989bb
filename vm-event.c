/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling listeners what happens to the machine.
 *
 * The mutex is held while they are called, so that one who is taken off is not
 * running. It comes after every other lock.
 */
#include "vm-event.h"

#include <glib.h>
#include <pthread.h>

typedef struct Listener {
    VMEventFunction *fn;
    void *opaque;
} Listener;

static struct {
    pthread_mutex_t mutex;
    GArray *listeners; /* Listener; NULL: none */
} events = { .mutex = PTHREAD_MUTEX_INITIALIZER };

const char *shutdown_cause_name(ShutdownCause cause)
{
    static const char *const names[] = {
        [SHUTDOWN_CAUSE_NONE] = "none",
        [SHUTDOWN_CAUSE_HOST_ERROR] = "host-error",
        [SHUTDOWN_CAUSE_HOST_QMP_QUIT] = "host-qmp-quit",
        [SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
        [SHUTDOWN_CAUSE_HOST_SIGNAL] = "host-signal",
        [SHUTDOWN_CAUSE_HOST_UI] = "host-ui",
        [SHUTDOWN_CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
        [SHUTDOWN_CAUSE_GUEST_RESET] = "guest-reset",
        [SHUTDOWN_CAUSE_GUEST_PANIC] = "guest-panic",
        [SHUTDOWN_CAUSE_SUBSYSTEM_RESET] = "subsystem-reset",
    };

    return names[cause];
}

bool shutdown_cause_is_guest(ShutdownCause cause)
{
    return cause == SHUTDOWN_CAUSE_GUEST_SHUTDOWN ||
           cause == SHUTDOWN_CAUSE_GUEST_RESET ||
           cause == SHUTDOWN_CAUSE_GUEST_PANIC;
}

void vm_event_send(const VMEvent *event)
{
    unsigned i;

    pthread_mutex_lock(&events.mutex);
    for (i = 0; events.listeners && i < events.listeners->len; i++) {
        Listener *l = &g_array_index(events.listeners, Listener, i);

        l->fn(event, l->opaque);
    }
    pthread_mutex_unlock(&events.mutex);
}

void vm_event_listen(VMEventFunction *fn, void *opaque)
{
    Listener l = { fn, opaque };

    pthread_mutex_lock(&events.mutex);
    if (!events.listeners) {
        events.listeners = g_array_new(FALSE, FALSE, sizeof(Listener));
    }
    g_array_append_val(events.listeners, l);
    pthread_mutex_unlock(&events.mutex);
}

void vm_event_unlisten(VMEventFunction *fn, void *opaque)
{
    unsigned i;

    pthread_mutex_lock(&events.mutex);
    for (i = 0; events.listeners && i < events.listeners->len; i++) {
        Listener *l = &g_array_index(events.listeners, Listener, i);

        if (l->fn == fn && l->opaque == opaque) {
            g_array_remove_index(events.listeners, i);
            break;
        }
    }
    if (events.listeners && events.listeners->len == 0) {
        g_array_free(events.listeners, TRUE);
        events.listeners = NULL;
    }
    pthread_mutex_unlock(&events.mutex);
}
