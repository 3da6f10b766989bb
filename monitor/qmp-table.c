/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every command of the protocol. A new group of them is a line here.
 */
#include "monitor/qapi.h"

extern const QMPCommand qmp_core_commands[];
extern const QMPCommand qmp_run_commands[];
extern const QMPCommand qmp_machine_commands[];
extern const QMPCommand qmp_cpu_commands[];
extern const QMPCommand qmp_memory_commands[];
extern const QMPCommand qmp_pci_commands[];
extern const QMPCommand qmp_qom_commands[];
extern const QMPCommand qmp_device_commands[];
extern const QMPCommand qmp_chardev_commands[];
extern const QMPCommand qmp_screen_commands[];
extern const QMPCommand qmp_display_commands[];
extern const QMPCommand qmp_input_commands[];
extern const QMPCommand qmp_misc_commands[];
extern const QMPCommand qmp_hmp_commands[];
extern const QMPCommand qmp_mtree_commands[];

const QMPCommand *const qmp_command_groups[] = {
    qmp_core_commands,    /* qmp-core.c: the protocol itself */
    qmp_run_commands,     /* qmp-run.c: whether the machine runs */
    qmp_machine_commands, /* qmp-machine.c: what it is */
    qmp_cpu_commands,     /* qmp-cpu.c */
    qmp_memory_commands,  /* qmp-memory.c */
    qmp_pci_commands,     /* qmp-pci.c */
    qmp_qom_commands,     /* qmp-qom.c: objects, properties, types */
    qmp_device_commands,  /* qmp-device.c: what is added and taken away */
    qmp_chardev_commands, /* qmp-chardev.c */
    qmp_screen_commands,  /* qmp-screen.c: screendump */
    qmp_display_commands, /* qmp-display.c: VNC servers */
    qmp_input_commands,   /* qmp-input.c: keys and pointers */
    qmp_misc_commands,    /* qmp-misc.c: what there is none of */
    qmp_hmp_commands,     /* qmp-hmp.c: the human monitor */
    qmp_mtree_commands,   /* qmp-mtree.c: x-query-mtree */
    NULL,
};
