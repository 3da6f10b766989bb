/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run state of the machine: who may ask it to stop, reset or end, and what
 * then happens. Requests come from any thread and are carried out by the main
 * loop, in cpus.c.
 */
#ifndef SYSEMU_H
#define SYSEMU_H

#include <glib.h>
#include <stdbool.h>

/* Exit statuses of the program, documented in the man page. */
enum {
    EXIT_GUEST_OFF = 0,       /* power-off, or reset with -no-reboot */
    EXIT_USAGE = 1,           /* options, files, the host refused something */
    EXIT_KVM_INTERNAL = 2,    /* KVM could not run the guest further */
};

/* End the program with @status, once vCPUs have stopped. The first request
 * wins. @cause: a static text for the trace. */
void vm_request_shutdown(const char *cause, int status);

/* Whether that was asked for. For waiting in the main loop before it runs the
 * machine. */
bool vm_shutdown_requested(void);

/* Reset every device and vCPU, or end as for power-off under -no-reboot. */
void vm_request_reset(const char *cause);

/* Pause with a message for the user: what failed, and why. It stays paused
 * until ended; with -nographic stdio, Ctrl-A x does that. */
void vm_request_pause(const char *message);

/* Whether vCPUs run. */
bool vm_is_running(void);

#endif
