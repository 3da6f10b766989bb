/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of target-i386/ share.
 */
#ifndef TARGET_I386_ARCH_H
#define TARGET_I386_ARCH_H

#include "kvm-internal.h"

/* Make the in-kernel interrupt chips and timer, if they are wanted. */
bool x86_chips_init(KVMState *kvm, GError **err);

/* Ask KVM what it can show a guest, and parse @model ("host", "max", each with
 * ",+feature" and ",-feature"; NULL: host) against it. */
bool x86_cpuid_init(KVMState *kvm, const char *model, GError **err);

/* Give @cpu its CPUID, with its place among the others. 0 or -errno. */
int x86_cpuid_set(CPUState *cpu);

/* Family, model and stepping, as leaf 1 and EDX after reset have them. */
uint32_t x86_cpuid_signature(KVMState *kvm);

#endif
