/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Built instead of kvm-*.c and target-<arch>/ with --disable-kvm: there is no
 * VM and so no vCPU, which everything else is told by kvm_new().
 */
#include <errno.h>

#include "cpu-debug.h"
#include "kvm-internal.h"
#include "target-i386/cpu.h"

G_DEFINE_QUARK(kvm-error-quark, kvm_error)

const uint64_t x86_boot_gdt64[4], x86_boot_gdt32[4];

bool kvm_available(GError **err)
{
    g_set_error(err, KVM_ERROR, 0,
                "this program was built without KVM: build it again without"
                " --disable-kvm");
    return false;
}

KVMState *kvm_new(const KVMOptions *options, GError **err)
{
    kvm_available(err);
    return NULL;
}

bool kvm_attach(KVMState *kvm, AddressSpace *memory, AddressSpace *ports,
                GError **err)
{
    return kvm_available(err);
}

bool kvm_has_smm(KVMState *kvm)
{
    return false;
}

bool kvm_attach_smm(KVMState *kvm, AddressSpace *memory, GError **err)
{
    return kvm_available(err);
}

IRQLine kvm_smi_line(KVMState *kvm)
{
    return (IRQLine){ 0 };
}

bool kvm_check(KVMState *kvm, GError **err)
{
    return kvm_available(err);
}

void kvm_free(KVMState *kvm)
{
}

IRQLine kvm_irq_line(KVMState *kvm, int gsi)
{
    return (IRQLine){ 0 };
}

bool kvm_send_msi(KVMState *kvm, uint64_t addr, uint32_t data)
{
    return false;
}

bool kvm_route_pc_timer(KVMState *kvm, GError **err)
{
    return kvm_available(err);
}

void kvm_set_level_irqs(KVMState *kvm, uint16_t irqs)
{
}

void kvm_pit_enable(KVMState *kvm, bool on)
{
}

bool kvm_pit_set_reinject(KVMState *kvm, bool on, GError **err)
{
    return true;
}

int kvm_add_irqfd(KVMState *kvm, EventNotifier *e, EventNotifier *resample,
                  int gsi)
{
    return -ENODEV;
}

int kvm_remove_irqfd(KVMState *kvm, EventNotifier *e, int gsi)
{
    return -ENODEV;
}

bool kvm_check_cpus(KVMState *kvm, unsigned n, GError **err)
{
    return kvm_available(err);
}

bool kvm_cpu_init(CPUState *cpu, GError **err)
{
    return kvm_available(err);
}

/* ---- without vCPUs, never called ----------------------------------------- */

void kvm_set_started(KVMState *kvm)
{
}

void kvm_cpu_destroy(CPUState *cpu)
{
}

int kvm_cpu_run(CPUState *cpu)
{
    return -ENODEV;
}

void kvm_cpu_exit_request(CPUState *cpu)
{
}

void kvm_cpu_handle_exit(CPUState *cpu, int result)
{
}

bool kvm_cpu_is_halted(CPUState *cpu)
{
    return true;
}

bool kvm_cpu_in_smm(CPUState *cpu)
{
    return false;
}

AddressSpace *kvm_cpu_memory(CPUState *cpu)
{
    return cpu->memory;
}

int kvm_vcpu_ioctl(CPUState *cpu, unsigned long request, void *arg)
{
    return -ENODEV;
}

int kvm_extension(KVMState *kvm, long capability)
{
    return 0;
}

void kvm_refused(KVMState *kvm, const char *fmt, ...)
{
}

void kvm_coalesced_drain(KVMState *kvm)
{
}

bool kvm_coalesced_pending(KVMState *kvm)
{
    return false;
}

void kvm_arch_reset_vm(KVMState *kvm)
{
}

void kvm_arch_reset_cpu(CPUState *cpu)
{
}

void x86_cpu_set_linux64(CPUState *cpu, uint64_t entry, uint64_t boot_params,
                         uint64_t cr3, uint64_t gdt)
{
}

void x86_cpu_set_linux32(CPUState *cpu, uint32_t entry, uint32_t boot_params,
                         uint32_t gdt)
{
}

void x86_cpu_set_pvh(CPUState *cpu, uint32_t entry, uint32_t start_info)
{
}

void x86_cpu_set_multiboot(CPUState *cpu, uint32_t entry, uint32_t info)
{
}

void x86_cpu_set_real(CPUState *cpu, uint16_t cs, uint16_t ip)
{
}

const char *const *x86_cpu_models(void)
{
    static const char *const none[] = { NULL };

    return none;
}

void x86_cpu_print_models(FILE *out)
{
    fprintf(out, "None: built without KVM\n");
}

bool cpu_inject_nmi(CPUState *cpu, GError **err)
{
    g_set_error(err, KVM_ERROR, 0,
                "vCPU %u does not run: it takes no interrupts", cpu->index);
    return false;
}
