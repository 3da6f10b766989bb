/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 under KVM: what it needs for itself, the reset state of a vCPU, the states
 * in which boards start vCPUs. Specifications: Intel SDM volume 3, table 9-1
 * (reset state) and section 10.4.7.1 (local APIC); Linux
 * Documentation/virt/kvm/api.rst.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <string.h>

#include "cpu-debug.h"
#include "kvm-internal.h"
#include "target-i386/arch.h"
#include "target-i386/cpu.h"
#include "target-i386/topology.h"

#define CR0_PE (1u << 0)
#define CR0_ET (1u << 4)
#define CR0_NE (1u << 5)
#define CR0_NW (1u << 29)
#define CR0_CD (1u << 30)
#define CR0_PG (1u << 31)
#define CR4_PAE (1u << 5)
#define EFER_LME (1u << 8)
#define EFER_LMA (1u << 10)
#define RFLAGS_FIXED 2u
#define APIC_BASE_BSP (1u << 8)
#define APIC_BASE_ENABLE (1u << 11)
#define MTRR_DEF_TYPE_ENABLE (1u << 11)
#define MTRR_WRITE_BACK 6u

#define MULTIBOOT_LOADER_MAGIC 0x2badb002

#define MSR_TSC 0x10
#define MSR_SMI_COUNT 0x34
#define MSR_FEATURE_CONTROL 0x3a
#define MSR_TSC_ADJUST 0x3b
#define MSR_SPEC_CTRL 0x48
#define MSR_SMBASE 0x9e
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_MCG_STATUS 0x17a
#define MSR_PERF_EVENT_0 0x186
#define MSR_MISC_ENABLE 0x1a0
#define MISC_ENABLE_FAST_STRINGS 0x1u
#define MISC_ENABLE_READ_ONLY 0x1800u /* which counters there are not */
#define MSR_DEBUG_CONTROL 0x1d9
#define MSR_MTRR_PHYS_BASE_0 0x200
#define MSR_MTRR_FIX_64K 0x250
#define MSR_MTRR_FIX_16K_0 0x258
#define MSR_MTRR_FIX_16K_1 0x259
#define MSR_MTRR_FIX_4K_0 0x268
#define MSR_PAT 0x277
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_PERF_FIXED_CONTROL 0x38d
#define MSR_PERF_GLOBAL_CONTROL 0x38f
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_XSS 0xda0
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103
#define MSR_AMD_PERF_EVENT_0 0xc0010000
#define MSR_AMD_PERF_EVENT_EXT_0 0xc0010200
#define MSR_KVM_WALL_CLOCK 0x4b564d00
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define MSR_KVM_ASYNC_PF_EN 0x4b564d02
#define MSR_KVM_STEAL_TIME 0x4b564d03
#define MSR_KVM_PV_EOI 0x4b564d04
#define MSR_KVM_POLL_CONTROL 0x4b564d05
#define MSR_KVM_ASYNC_PF_INT 0x4b564d06

const uint64_t x86_boot_gdt64[4] = {
    0, 0,
    0x00af9b000000ffff, /* X86_BOOT_CS: 64-bit code, accessed, 0 to 4 GiB */
    0x00cf93000000ffff, /* X86_BOOT_DS: data, accessed, 0 to 4 GiB */
};

const uint64_t x86_boot_gdt32[4] = {
    0, 0,
    0x00cf9b000000ffff, /* the same, 32-bit code */
    0x00cf93000000ffff,
};

G_STATIC_ASSERT(sizeof(x86_boot_gdt64) == X86_BOOT_GDT_SIZE);

static void cpu_refused(CPUState *cpu, const char *what, int error)
{
    kvm_refused(cpu->kvm, "KVM refuses %s of vCPU %u: %s", what, cpu->index,
                g_strerror(-error));
}

/* An ioctl that sets @what of the vCPU. */
static void cpu_set(CPUState *cpu, unsigned long request, void *arg,
                    const char *what)
{
    int result = kvm_vcpu_ioctl(cpu, request, arg);

    if (result < 0) {
        cpu_refused(cpu, what, result);
    }
}

/* ---- the VM -------------------------------------------------------------- */

bool kvm_arch_init(KVMState *kvm, const KVMOptions *options, GError **err)
{
    uint64_t identity_map = X86_KVM_RESERVED_BASE;
    unsigned long tss = X86_KVM_RESERVED_BASE + TARGET_PAGE_SIZE;
    const char *step;
    int result;

    step = "a page table for real mode";
    result = kvm_vm_ioctl(kvm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    if (result < 0) {
        goto refused;
    }
    step = "a TSS for real mode";
    result = kvm_vm_ioctl(kvm, KVM_SET_TSS_ADDR, (void *)tss);
    if (result < 0) {
        goto refused;
    }
    return x86_chips_init(kvm, err) &&
           x86_cpuid_init(kvm, options->cpu_model, err);

refused:
    g_set_error(err, KVM_ERROR, 0, "KVM refuses %s: %s", step,
                g_strerror(-result));
    return false;
}

void kvm_arch_free(KVMState *kvm)
{
    g_clear_pointer(&kvm->arch, g_free);
}

unsigned kvm_arch_cpu_id(KVMState *kvm, unsigned index)
{
    return x86_apic_id(&kvm->topology, index);
}

unsigned kvm_arch_cpu_ids(KVMState *kvm)
{
    return X86_APIC_ID_MAX + 1;
}

int kvm_arch_init_cpu(CPUState *cpu)
{
    return x86_cpuid_set(cpu);
}

/* ---- reset of a vCPU ----------------------------------------------------- */

/* 0 where there is no such register. */
static uint64_t get_msr(CPUState *cpu, uint32_t index)
{
    g_autofree struct kvm_msrs *msrs =
        g_malloc0(sizeof(*msrs) + sizeof(msrs->entries[0]));

    msrs->nmsrs = 1;
    msrs->entries[0].index = index;
    cpu_set(cpu, KVM_GET_MSRS, msrs, "a model-specific register");
    return msrs->entries[0].data;
}

static void set_msr(CPUState *cpu, uint32_t index, uint64_t value)
{
    g_autofree struct kvm_msrs *msrs =
        g_malloc0(sizeof(*msrs) + sizeof(msrs->entries[0]));

    msrs->nmsrs = 1;
    msrs->entries[0].index = index;
    msrs->entries[0].data = value;
    /* 0 set: the vCPU has no such register, so it needs no value. */
    cpu_set(cpu, KVM_SET_MSRS, msrs, "a model-specific register");
}

static void reset_msrs(CPUState *cpu)
{
    static const uint32_t zero[] = {
        MSR_TSC, MSR_SMI_COUNT, MSR_SPEC_CTRL, MSR_SYSENTER_CS, MSR_SYSENTER_ESP,
        MSR_SYSENTER_EIP, MSR_MCG_STATUS, MSR_MTRR_DEF_TYPE, MSR_MTRR_FIX_64K,
        MSR_MTRR_FIX_16K_0, MSR_MTRR_FIX_16K_1, MSR_TSC_DEADLINE, MSR_XSS,
        MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE,
        MSR_TSC_AUX, MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME,
        MSR_KVM_ASYNC_PF_EN, MSR_KVM_STEAL_TIME, MSR_KVM_PV_EOI,
        MSR_KVM_ASYNC_PF_INT, MSR_TSC_ADJUST, MSR_PERF_GLOBAL_CONTROL,
        MSR_PERF_FIXED_CONTROL,
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(zero); i++) {
        set_msr(cpu, zero[i], 0);
    }
    for (i = 0; i < 16; i++) {
        set_msr(cpu, MSR_MTRR_PHYS_BASE_0 + i, 0);
    }
    for (i = 0; i < 8; i++) {
        set_msr(cpu, MSR_MTRR_FIX_4K_0 + i, 0);
    }
    /* Counters that go on are what the next kernel takes for firmware's own. */
    for (i = 0; i < 8; i++) {
        set_msr(cpu, MSR_PERF_EVENT_0 + i, 0);
    }
    for (i = 0; i < 4; i++) {
        set_msr(cpu, MSR_AMD_PERF_EVENT_0 + i, 0);
    }
    for (i = 0; i < 6; i++) {
        set_msr(cpu, MSR_AMD_PERF_EVENT_EXT_0 + 2 * i, 0);
    }
    /* Where a host's processor does not share it, KVM writes to the host's log that
     * somebody sets it, to 0 as well. */
    if (get_msr(cpu, MSR_DEBUG_CONTROL)) {
        set_msr(cpu, MSR_DEBUG_CONTROL, 0);
    }
    set_msr(cpu, MSR_SMBASE, 0x30000);
    set_msr(cpu, MSR_PAT, 0x0007040600070406);
    /* A guest that wakes up writes what it found, and must not change the rest. */
    set_msr(cpu, MSR_MISC_ENABLE, MISC_ENABLE_FAST_STRINGS |
            (get_msr(cpu, MSR_MISC_ENABLE) & MISC_ENABLE_READ_ONLY));
    set_msr(cpu, MSR_KVM_POLL_CONTROL, 1);
}

static void lapic_set(struct kvm_lapic_state *lapic, unsigned offset,
                      uint32_t value)
{
    memcpy(lapic->regs + offset, &value, sizeof(value));
}

static void reset_lapic(CPUState *cpu)
{
    struct kvm_lapic_state lapic;
    uint32_t version;
    unsigned offset;
    int result = kvm_vcpu_ioctl(cpu, KVM_GET_LAPIC, &lapic);

    if (result < 0) {
        cpu_refused(cpu, "the local APIC", result);
        return;
    }
    memcpy(&version, lapic.regs + 0x30, sizeof(version));
    memset(&lapic, 0, sizeof(lapic));
    lapic_set(&lapic, 0x20, cpu->arch_id << 24); /* ID */
    lapic_set(&lapic, 0x30, version);
    lapic_set(&lapic, 0xe0, 0xffffffff); /* destination format */
    lapic_set(&lapic, 0xf0, 0xff); /* spurious vector: APIC disabled */
    for (offset = 0x320; offset <= 0x370; offset += 0x10) {
        lapic_set(&lapic, offset, 1u << 16); /* masked */
    }
    cpu_set(cpu, KVM_SET_LAPIC, &lapic, "the local APIC");
}

static struct kvm_segment flat_segment(unsigned selector, uint64_t base,
                                       uint32_t limit, unsigned type)
{
    return (struct kvm_segment){
        .selector = selector, .base = base, .limit = limit, .type = type,
        .present = 1, .s = 1,
    };
}

static struct kvm_segment system_segment(uint32_t limit, unsigned type)
{
    return (struct kvm_segment){ .limit = limit, .type = type, .present = 1 };
}

enum { SEGMENT_DATA = 3, SEGMENT_CODE = 11, SEGMENT_LDT = 2, SEGMENT_TSS = 11 };

static void set_data_segments(struct kvm_sregs *sregs, struct kvm_segment data)
{
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
}

static void reset_sregs(CPUState *cpu)
{
    struct kvm_sregs sregs = {
        .cs = flat_segment(0xf000, 0xffff0000, 0xffff, SEGMENT_CODE),
        .ldt = system_segment(0xffff, SEGMENT_LDT),
        .tr = system_segment(0xffff, SEGMENT_TSS),
        .gdt = { .limit = 0xffff },
        .idt = { .limit = 0xffff },
        .cr0 = CR0_CD | CR0_NW | CR0_ET,
        .apic_base = X86_LAPIC_BASE | APIC_BASE_ENABLE |
                     (cpu->index ? 0 : APIC_BASE_BSP),
    };

    set_data_segments(&sregs, flat_segment(0, 0, 0xffff, SEGMENT_DATA));
    /* On AMD, a shutdown (triple fault) makes KVM lose the root of its page
     * tables, which it only sets again when CR0 changes: by way of PE. */
    sregs.cr0 |= CR0_PE;
    cpu_set(cpu, KVM_SET_SREGS, &sregs, "segments and control registers");
    sregs.cr0 &= ~(uint64_t)CR0_PE;
    cpu_set(cpu, KVM_SET_SREGS, &sregs, "segments and control registers");
}

static void reset_fpu(CPUState *cpu)
{
    struct kvm_xcrs xcrs = { .nr_xcrs = 1 };
    /* An area without a component: all of them take their initial values. */
    struct kvm_xsave xsave = { .region = { 0 } };

    xsave.region[0] = 0x37f;  /* control word; status word 0 */
    xsave.region[6] = 0x1f80; /* MXCSR */
    cpu_set(cpu, KVM_SET_XSAVE, &xsave, "floating-point registers");
    xcrs.xcrs[0].value = 1;
    if (kvm_extension(cpu->kvm, KVM_CAP_XCRS)) {
        cpu_set(cpu, KVM_SET_XCRS, &xcrs, "XCR0");
    }
}

static void set_mp_state(CPUState *cpu, unsigned state)
{
    struct kvm_mp_state mp_state = { .mp_state = state };

    if (cpu->kvm->irqchip) {
        cpu_set(cpu, KVM_SET_MP_STATE, &mp_state, "the run state");
    }
}

void kvm_arch_reset_cpu(CPUState *cpu)
{
    struct kvm_regs regs = { .rip = 0xfff0, .rflags = RFLAGS_FIXED };
    struct kvm_debugregs debug = { .dr6 = 0xffff0ff0, .dr7 = 0x400 };
    struct kvm_vcpu_events events = {
        .flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
                 KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SHADOW |
                 (cpu->kvm->has_smm ? KVM_VCPUEVENT_VALID_SMM : 0),
    };

    /* Without in-kernel chips nothing could start another vCPU. */
    cpu->accel->halted = cpu->index && !cpu->kvm->irqchip;
    if (cpu->accel->fresh) {
        /* KVM counts the vCPU made last among those that interrupts, and so
         * the one that starts it, can reach, only when its APIC was set. */
        if (cpu->kvm->irqchip && cpu->index &&
            cpu->index == cpus_count() - 1) {
            reset_lapic(cpu);
        }
        return;
    }
    __atomic_store_n(&cpu->accel->smi, false, __ATOMIC_SEQ_CST);
    cpu->accel->run->flags = 0; /* which say what mode it is in */
    cpu_set(cpu, KVM_SET_VCPU_EVENTS, &events, "pending events");
    /* This also makes KVM leave virtual machines of the guest's own on Intel, in which
     * it refuses control registers as a reset has them. On AMD, those end them. */
    set_msr(cpu, MSR_FEATURE_CONTROL, 0);
    reset_sregs(cpu);
    regs.rdx = x86_cpuid_signature(cpu->kvm);
    cpu_set(cpu, KVM_SET_REGS, &regs, "general registers");
    reset_fpu(cpu);
    cpu_set(cpu, KVM_SET_DEBUGREGS, &debug, "debug registers");
    reset_msrs(cpu);
    if (cpu->kvm->irqchip) {
        reset_lapic(cpu);
    }
    set_mp_state(cpu, cpu->index ? KVM_MP_STATE_UNINITIALIZED :
                                   KVM_MP_STATE_RUNNABLE);
    cpu->accel->fresh = true;
}

/* ---- states to start in -------------------------------------------------- */

/* Caches and memory types as firmware leaves them: the same on every vCPU. */
static void enable_write_back(void)
{
    unsigned i;

    for (i = 0; i < cpus_count(); i++) {
        set_msr(cpus_get(i), MSR_MTRR_DEF_TYPE,
                MTRR_DEF_TYPE_ENABLE | MTRR_WRITE_BACK);
    }
}

static void set_state(CPUState *cpu, struct kvm_sregs *sregs,
                      struct kvm_regs *regs)
{
    regs->rflags = RFLAGS_FIXED;
    cpu_set(cpu, KVM_SET_SREGS, sregs, "segments and control registers");
    cpu_set(cpu, KVM_SET_REGS, regs, "general registers");
    cpu->accel->fresh = false;
    cpu->accel->halted = false;
    if (cpu->index) {
        set_mp_state(cpu, KVM_MP_STATE_RUNNABLE);
    }
}

/* What is the same in every start state. */
static struct kvm_sregs start_sregs(CPUState *cpu)
{
    return (struct kvm_sregs){
        .ldt = system_segment(0xffff, SEGMENT_LDT),
        .tr = system_segment(0xffff, SEGMENT_TSS),
        .idt = { .limit = 0xffff },
        .apic_base = X86_LAPIC_BASE | APIC_BASE_ENABLE |
                     (cpu->index ? 0 : APIC_BASE_BSP),
    };
}

void x86_cpu_set_linux64(CPUState *cpu, uint64_t entry, uint64_t boot_params,
                         uint64_t cr3, uint64_t gdt)
{
    struct kvm_sregs sregs = start_sregs(cpu);
    struct kvm_regs regs = { .rip = entry, .rsi = boot_params };
    struct kvm_segment data =
        flat_segment(X86_BOOT_DS, 0, 0xffffffff, SEGMENT_DATA);

    data.g = data.db = 1;
    set_data_segments(&sregs, data);
    sregs.cs = flat_segment(X86_BOOT_CS, 0, 0xffffffff, SEGMENT_CODE);
    sregs.cs.g = sregs.cs.l = 1;
    sregs.gdt.base = gdt;
    sregs.gdt.limit = X86_BOOT_GDT_SIZE - 1;
    sregs.cr0 = CR0_PG | CR0_NE | CR0_ET | CR0_PE;
    sregs.cr3 = cr3;
    sregs.cr4 = CR4_PAE;
    sregs.efer = EFER_LMA | EFER_LME;
    enable_write_back();
    set_state(cpu, &sregs, &regs);
}

/* 32-bit protected mode, flat segments, paging off; @gdt 0: no descriptors. */
static void set_flat32(CPUState *cpu, struct kvm_regs regs, uint32_t gdt)
{
    struct kvm_sregs sregs = start_sregs(cpu);
    struct kvm_segment data =
        flat_segment(X86_BOOT_DS, 0, 0xffffffff, SEGMENT_DATA);

    data.g = data.db = 1;
    set_data_segments(&sregs, data);
    sregs.cs = flat_segment(X86_BOOT_CS, 0, 0xffffffff, SEGMENT_CODE);
    sregs.cs.g = sregs.cs.db = 1;
    sregs.tr.limit = 0x67;
    if (gdt) {
        sregs.gdt.base = gdt;
        sregs.gdt.limit = X86_BOOT_GDT_SIZE - 1;
    }
    sregs.cr0 = CR0_ET | CR0_PE;
    enable_write_back();
    set_state(cpu, &sregs, &regs);
}

void x86_cpu_set_linux32(CPUState *cpu, uint32_t entry, uint32_t boot_params,
                         uint32_t gdt)
{
    set_flat32(cpu, (struct kvm_regs){ .rip = entry, .rsi = boot_params }, gdt);
}

void x86_cpu_set_pvh(CPUState *cpu, uint32_t entry, uint32_t start_info)
{
    set_flat32(cpu, (struct kvm_regs){ .rip = entry, .rbx = start_info }, 0);
}

void x86_cpu_set_multiboot(CPUState *cpu, uint32_t entry, uint32_t info)
{
    set_flat32(cpu, (struct kvm_regs){ .rip = entry, .rbx = info,
                                       .rax = MULTIBOOT_LOADER_MAGIC }, 0);
}

void x86_cpu_set_real(CPUState *cpu, uint16_t cs, uint16_t ip)
{
    struct kvm_sregs sregs = start_sregs(cpu);
    struct kvm_regs regs = { .rip = ip };

    set_data_segments(&sregs, flat_segment(0, 0, 0xffff, SEGMENT_DATA));
    sregs.cs = flat_segment(cs, (uint64_t)cs << 4, 0xffff, SEGMENT_CODE);
    sregs.gdt.limit = 0xffff;
    sregs.cr0 = CR0_CD | CR0_NW | CR0_ET;
    set_state(cpu, &sregs, &regs);
}

/* KVM would wait for a vCPU that is in the guest. */
bool cpu_inject_nmi(CPUState *cpu, GError **err)
{
    int result;

    if (!cpu->kvm) {
        g_set_error(err, KVM_ERROR, 0,
                    "vCPU %u does not run: it takes no interrupts", cpu->index);
        return false;
    }
    cpus_stop();
    result = kvm_vcpu_ioctl(cpu, KVM_NMI, NULL);
    cpus_go_on();
    if (result < 0) {
        g_set_error(err, KVM_ERROR, 0, "KVM_NMI of vCPU %u: %s", cpu->index,
                    g_strerror(-result));
    }
    return result >= 0;
}
