/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command of the protocol. A new group of them is a line here.
 */
#include "monitor/qapi.h"

extern const QMPCommand qmp_core_commands[];
extern const QMPCommand qmp_mtree_commands[];

const QMPCommand *const qmp_command_groups[] = {
    qmp_core_commands, /* qmp-core.c: the protocol itself */
    qmp_mtree_commands, /* qmp-mtree.c: x-query-mtree */
    NULL,
};
