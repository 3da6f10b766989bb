/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel on the board pc. Without firmware the board sets up what firmware would have,
 * before the kernel starts and again at each reset; with firmware, an option ROM starts
 * the kernel.
 */
#ifndef HW_I386_PC_BOOT_H
#define HW_I386_PC_BOOT_H

#include "hw/i386/pc.h"

/* In prepare, after pc_fill_fw_cfg(): get ready what -kernel names. False with @err. */
bool pc_boot_prepare(PCMachine *s, GError **err);

/* At each reset, after the devices' own; one to wake the guest, s->waking, leads where it
 * has left its waking vector, and RAM stays as it is. Without firmware and vector it is
 * none: s->waking becomes false. Under the memory lock. */
void pc_boot_reset(PCMachine *s);

/* pc-setup.c: what SeaBIOS leaves behind. RAM from 768 KiB to 1 MiB, interrupt routes,
 * bases of the chips. Before anything is loaded, and at each reset. */
void pc_setup_chips(PCMachine *s);

/* Reset the machine, but who answers below 1 MiB: what wakes the guest is in RAM there.
 * All of it where s->waking ends thereby. */
void pc_reset_keeping_shadow(PCMachine *s);

/* Bus numbers, addresses and interrupt lines of all functions; then they answer. At each
 * reset. */
void pc_setup_pci(PCMachine *s);

/* ISA's interrupts that PCI's lead to: they are of levels. */
#define PC_PCI_IRQS ((1u << 10) | (1u << 11))

#endif
