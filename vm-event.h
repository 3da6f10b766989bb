/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the machine, told to whoever wants to know: monitors send it
 * to their clients, the debugger stub learns that the machine stopped. The
 * machine knows none of them.
 */
#ifndef VM_EVENT_H
#define VM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

/* Why the machine is reset or ends. The names that clients see are those of
 * the QEMU Machine Protocol's ShutdownCause. */
typedef enum ShutdownCause {
    SHUTDOWN_CAUSE_NONE,
    SHUTDOWN_CAUSE_HOST_ERROR,
    SHUTDOWN_CAUSE_HOST_QMP_QUIT,
    SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET,
    SHUTDOWN_CAUSE_HOST_SIGNAL,
    SHUTDOWN_CAUSE_HOST_UI,
    SHUTDOWN_CAUSE_GUEST_SHUTDOWN,
    SHUTDOWN_CAUSE_GUEST_RESET,
    SHUTDOWN_CAUSE_GUEST_PANIC,
    SHUTDOWN_CAUSE_SUBSYSTEM_RESET,
} ShutdownCause;

/* "host-qmp-quit" and so on; static. */
const char *shutdown_cause_name(ShutdownCause cause);

/* Whether the guest itself asked for it. */
bool shutdown_cause_is_guest(ShutdownCause cause);

typedef enum VMEventKind {
    VM_EVENT_STOP,           /* vCPUs are at rest; vm_run_state() says why */
    VM_EVENT_RESUME,
    VM_EVENT_RESET,          /* cause */
    VM_EVENT_SHUTDOWN,       /* cause */
    VM_EVENT_POWERDOWN,      /* the power button was pressed */
    VM_EVENT_SUSPEND,        /* the guest sleeps */
    VM_EVENT_SUSPEND_DISK,   /* it has saved itself, and is about to be off */
    VM_EVENT_WAKEUP,
    VM_EVENT_GUEST_PANICKED, /* action */
    VM_EVENT_GUEST_CRASHLOADED, /* action: it panicked and deals with it itself */
    VM_EVENT_DEVICE_DELETED, /* device (id, may be NULL), path */
    VM_EVENT_RTC_CHANGE,     /* offset, path */
    VM_EVENT_VNC_CONNECTED,  /* server, client, auth */
    VM_EVENT_VNC_INITIALIZED,  /* the same: it was let in */
    VM_EVENT_VNC_DISCONNECTED, /* the same */
} VMEventKind;

typedef struct VMEvent {
    VMEventKind kind;
    ShutdownCause cause;
    const char *action; /* "pause", "poweroff", "run" */
    const char *device;
    const char *path;   /* of the object, see hw/core/object.h */
    int64_t offset;     /* seconds from the host's clock */
    const struct DisplayClient *server, *client; /* ends of a connection; ui/display.h */
    const char *auth;   /* "none", "vnc" */
} VMEvent;

/* Tell the listeners, in the order in which they came. From any thread, under
 * any lock. What @event points to is the caller's. */
void vm_event_send(const VMEvent *event);

typedef void VMEventFunction(const VMEvent *event, void *opaque);

/* @fn is called in the sender's thread, under the sender's locks (perhaps the
 * memory lock, perhaps not): it notes what it needs and wakes somebody up. It
 * must not send, listen or unlisten itself. */
void vm_event_listen(VMEventFunction *fn, void *opaque);

/* Once this returns, @fn is not running and will not be called. */
void vm_event_unlisten(VMEventFunction *fn, void *opaque);

#endif
