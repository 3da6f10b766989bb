/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 vCPUs for boards: the states a vCPU can be started in, and the addresses
 * that KVM needs for itself. Specifications: Intel SDM volume 3 chapter 9
 * (reset state), Linux Documentation/arch/x86/boot.rst (64-bit protocol), Xen
 * docs/misc/pvh.pandoc (PVH).
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include <stdio.h>

#include "cpus.h"

/* Guest addresses that KVM uses itself on some hosts (a page table and a TSS
 * for real mode). The board keeps them free of RAM and devices, and tells the
 * guest that they are reserved. */
#define X86_KVM_RESERVED_BASE 0xfeffc000u
#define X86_KVM_RESERVED_SIZE 0x4000u

/* Where the in-kernel interrupt chips answer. */
#define X86_IOAPIC_BASE 0xfec00000u
#define X86_IOAPIC_SIZE 0x1000u
#define X86_LAPIC_BASE 0xfee00000u
#define X86_LAPIC_SIZE 0x1000u

/* Selectors in x86_boot_gdt64 and x86_boot_gdt32, as the boot protocol of Linux wants
 * them. */
#define X86_BOOT_CS 0x10
#define X86_BOOT_DS 0x18

/* Four descriptors: two null, flat code of 64 or 32 bits, flat data. The board copies
 * them into guest memory, 8-byte aligned, for x86_cpu_set_linux64() or
 * x86_cpu_set_linux32(). */
#define X86_BOOT_GDT_SIZE 32
extern const uint64_t x86_boot_gdt64[4], x86_boot_gdt32[4];

/*
 * The following are for reset hooks: the vCPU is stopped and in the
 * architecture's reset state. They make it runnable, whatever its index. A
 * refusal by KVM is kept for kvm_check() or pauses the machine.
 */

/* 64-bit mode with interrupts off at @entry, RSI = @boot_params, over the
 * page tables at @cr3 (4 levels, identity, covering what is used), with a copy
 * of x86_boot_gdt64 at guest address @gdt. Memory types: all write-back. */
void x86_cpu_set_linux64(CPUState *cpu, uint64_t entry, uint64_t boot_params,
                         uint64_t cr3, uint64_t gdt);

/* 32-bit protected mode, paging and interrupts off, flat segments, at @entry,
 * ESI = @boot_params, with a copy of x86_boot_gdt32 at guest address @gdt. Memory
 * types: all write-back. */
void x86_cpu_set_linux32(CPUState *cpu, uint32_t entry, uint32_t boot_params,
                         uint32_t gdt);

/* 32-bit protected mode, paging and interrupts off, flat segments, at @entry,
 * EBX = @start_info. Memory types: all write-back. */
void x86_cpu_set_pvh(CPUState *cpu, uint32_t entry, uint32_t start_info);

/* The same for multiboot: EAX tells that, EBX = @info. */
void x86_cpu_set_multiboot(CPUState *cpu, uint32_t entry, uint32_t info);

/* Real mode at @cs:@ip, with data and stack segments 0 and SP 0. */
void x86_cpu_set_real(CPUState *cpu, uint16_t cs, uint16_t ip);

/* A vCPU's type as an object. */
#define X86_CPU_TYPE "x86_64-cpu"

/* The models that -cpu knows; ends with NULL. None without KVM built in. */
const char *const *x86_cpu_models(void);

/* For -cpu help: the models and the names of features. */
void x86_cpu_print_models(FILE *out);

#endif
