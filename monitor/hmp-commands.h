/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the table of human monitor commands refers to: handlers, each after its
 * command's name, and what completes arguments.
 */
#ifndef MONITOR_HMP_COMMANDS_H
#define MONITOR_HMP_COMMANDS_H

#include "monitor/hmp.h"

/* hmp-info.c */
HMPHandler hmp_info_chardev, hmp_info_cpus, hmp_info_iothreads, hmp_info_kvm,
           hmp_info_memdev, hmp_info_mtree, hmp_info_name, hmp_info_qom_tree,
           hmp_info_qtree, hmp_info_registers, hmp_info_status, hmp_info_uuid,
           hmp_info_version;

/* hmp-pci.c */
HMPHandler hmp_info_pci;

/* hmp-display.c */
HMPHandler hmp_change, hmp_expire_password, hmp_info_vnc, hmp_set_password;
HMPCompleter complete_display_protocol, complete_expiry, complete_password_word,
             complete_vnc;

/* hmp-input.c */
HMPHandler hmp_info_mice, hmp_mouse_button, hmp_mouse_move, hmp_mouse_set, hmp_sendkey;
HMPCompleter complete_keys, complete_mouse;

/* hmp-memory.c */
HMPHandler hmp_gva2gpa, hmp_memsave, hmp_pmemsave, hmp_port_in, hmp_port_out,
           hmp_print, hmp_sum, hmp_x, hmp_xp;

/* hmp-machine.c */
HMPHandler hmp_chardev_add, hmp_chardev_remove, hmp_cont, hmp_cpu_command,
           hmp_device_add, hmp_device_del, hmp_nmi, hmp_object_add,
           hmp_object_del, hmp_qom_get, hmp_qom_list, hmp_qom_set, hmp_quit,
           hmp_screendump, hmp_stop, hmp_system_powerdown, hmp_system_reset, hmp_system_wakeup;

/* hmp-help.c */
HMPHandler hmp_help;

/* hmp-complete.c */
HMPCompleter complete_chardev, complete_chardev_backend, complete_command,
             complete_device, complete_device_type, complete_file,
             complete_image_format, complete_info, complete_object, complete_object_type,
             complete_qom_path;

#endif
