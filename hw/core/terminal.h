/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal the program was started on, in raw mode while a guest has it.
 */
#ifndef HW_CORE_TERMINAL_H
#define HW_CORE_TERMINAL_H

#include <stdbool.h>

/* Put @fd, a terminal, into raw mode, to be undone by terminal_restore(), at
 * exit and before a fatal signal ends the program. Output is still translated,
 * so that our own messages stay readable. @signals: Ctrl-C and the like are
 * still signals. 0 or -errno: -EBUSY if somebody has it in that mode already. */
int terminal_make_raw(int fd, bool signals);

/* Undo it. Idempotent. */
void terminal_restore(void);

#endif
