/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entering the guest, and what each of its exits asks for. Specification: Linux
 * Documentation/virt/kvm/api.rst, KVM_RUN and section 5, the kvm_run structure.
 *
 * Nothing here holds a lock while the guest runs or RAM is accessed; the access
 * functions of the memory core take the memory lock around a device's callback.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "cpu-debug.h"
#include "kvm-internal.h"
#include "sysemu.h"

/* The layout of kvm_run.flags on x86; linux/kvm.h has it from 5.10 on. */
#define RUN_FLAG_SMM (1u << 0)

static void take_smi(CPUState *cpu)
{
    int result;

    __atomic_store_n(&cpu->accel->smi, false, __ATOMIC_SEQ_CST);
    result = kvm_vcpu_ioctl(cpu, KVM_SMI, NULL);
    if (result < 0) {
        kvm_refused(cpu->kvm,
                    "KVM refuses a system management interrupt of vCPU %u: %s",
                    cpu->index, g_strerror(-result));
    }
}

int kvm_cpu_run(CPUState *cpu)
{
    struct kvm_run *run = cpu->accel->run;
    int result;

    if (__atomic_load_n(&cpu->accel->smi, __ATOMIC_SEQ_CST)) {
        take_smi(cpu);
    }
    result = kvm_vcpu_ioctl(cpu, KVM_RUN, NULL);
    __atomic_store_n(&run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    cpu->accel->fresh = false;
    return MIN(result, 0);
}

void kvm_cpu_exit_request(CPUState *cpu)
{
    __atomic_store_n(&cpu->accel->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

bool kvm_cpu_is_halted(CPUState *cpu)
{
    return cpu->accel->halted;
}

/* ---- accesses ------------------------------------------------------------ */

bool kvm_cpu_in_smm(CPUState *cpu)
{
    return cpu->accel && cpu->accel->run->flags & RUN_FLAG_SMM;
}

AddressSpace *kvm_cpu_memory(CPUState *cpu)
{
    return kvm_cpu_in_smm(cpu) && cpu->kvm->smm.as ? cpu->kvm->smm.as : cpu->memory;
}

static MemTxAttrs access_attrs(CPUState *cpu)
{
    return (MemTxAttrs){ .secure = kvm_cpu_in_smm(cpu) };
}

/* One instruction's accesses to a port: more than one for string I/O. */
static void handle_io(CPUState *cpu, struct kvm_run *run)
{
    uint8_t *data = (uint8_t *)run + run->io.data_offset;
    unsigned i;

    for (i = 0; i < run->io.count; i++) {
        address_space_rw_attrs(cpu->ports, run->io.port, access_attrs(cpu),
                               data, run->io.size,
                               run->io.direction == KVM_EXIT_IO_OUT);
        data += run->io.size;
    }
}

static void handle_mmio(CPUState *cpu, struct kvm_run *run)
{
    address_space_rw_attrs(kvm_cpu_memory(cpu), run->mmio.phys_addr,
                           access_attrs(cpu), run->mmio.data,
                           MIN(run->mmio.len, sizeof(run->mmio.data)),
                           run->mmio.is_write);
}

/* ---- failures ------------------------------------------------------------ */

/* @text, with the vCPU's state. */
static void report(CPUState *cpu, const char *text)
{
    size_t size = 0;
    char *state = NULL;
    FILE *out = open_memstream(&state, &size);

    if (out) {
        cpu_print(cpu, out);
        fclose(out);
    }
    /* One write: other vCPUs may fail at the same time. */
    g_printerr("flatview: vCPU %u%s\n%s", cpu->index, text, state ? state : "");
    free(state);
}

/* The vCPU cannot go on: say why, and end the program. */
static void G_GNUC_PRINTF(2, 3) fail(CPUState *cpu, const char *fmt, ...)
{
    g_autofree char *why = NULL;
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, fmt);
    why = g_strdup_vprintf(fmt, args);
    va_end(args);
    text = g_strconcat(" cannot go on: ", why, NULL);
    report(cpu, text);
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_ERROR, EXIT_KVM_INTERNAL);
}

static void fail_internal(CPUState *cpu, struct kvm_run *run)
{
    GString *data = g_string_new(NULL);
    unsigned i;

    switch (run->internal.suberror) {
    case KVM_INTERNAL_ERROR_EMULATION:
        if (run->emulation_failure.ndata >= 1 &&
            run->emulation_failure.flags &
                KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) {
            unsigned n = MIN(run->emulation_failure.insn_size,
                             sizeof(run->emulation_failure.insn_bytes));

            for (i = 0; i < n; i++) {
                g_string_append_printf(data, " %02x",
                                       run->emulation_failure.insn_bytes[i]);
            }
        }
        fail(cpu, "the host's KVM could not emulate this instruction%s%s."
             " The guest needs a host whose processor runs it by itself"
             " (KVM internal error 1: emulation failure)",
             data->len ? ":" : "", data->str);
        break;
    case KVM_INTERNAL_ERROR_SIMUL_EX:
        fail(cpu, "an exception came while another was being delivered, and"
             " the host's KVM could not continue (KVM internal error 2)");
        break;
    case KVM_INTERNAL_ERROR_DELIVERY_EV:
        fail(cpu, "the host's processor left the guest while an interrupt or"
             " exception was being delivered, e.g. because the guest's"
             " interrupt table or stack is not in RAM (KVM internal error 3)");
        break;
    default:
        for (i = 0; i < MIN(run->internal.ndata,
                            G_N_ELEMENTS(run->internal.data)); i++) {
            g_string_append_printf(data, " 0x%llx", run->internal.data[i]);
        }
        fail(cpu, "KVM internal error %u, data%s", run->internal.suberror,
             data->len ? data->str : " none");
    }
    g_string_free(data, TRUE);
}

static void handle_system_event(CPUState *cpu, struct kvm_run *run)
{
    switch (run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
        break;
    case KVM_SYSTEM_EVENT_RESET:
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case KVM_SYSTEM_EVENT_CRASH:
        report(cpu, ": the guest reports that it has crashed");
        vm_request_panic();
        break;
    default:
        fail(cpu, "unknown system event %u of KVM", run->system_event.type);
    }
}

/* KVM_RUN itself failed. */
static void handle_error(CPUState *cpu, int error)
{
    switch (error) {
    case -EINTR:
    case -EAGAIN:
        break;
    case -EFAULT:
        fail(cpu, "the host cannot provide a page of guest memory (%s): is its"
             " file, given with -mem-path, too small, or the host out of"
             " memory or huge pages?", g_strerror(-error));
        break;
    default:
        fail(cpu, "KVM refuses to run it: %s", g_strerror(-error));
    }
}

void kvm_cpu_handle_exit(CPUState *cpu, int result)
{
    struct kvm_run *run = cpu->accel->run;
    KVMState *kvm = cpu->kvm;

    if (kvm_coalesced_pending(kvm)) {
        memory_lock();
        kvm_coalesced_drain(kvm);
        memory_unlock();
    }
    if (result < 0) {
        handle_error(cpu, result);
        return;
    }
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        if (!kvm_arch_is_debugger_port(cpu)) {
            handle_io(cpu, run);
        }
        break;
    case KVM_EXIT_MMIO:
        handle_mmio(cpu, run);
        break;
    case KVM_EXIT_HLT:
        /* Only without in-kernel chips; then there are no interrupts. */
        cpu->accel->halted = true;
        break;
    case KVM_EXIT_SHUTDOWN:
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        break;
    case KVM_EXIT_SYSTEM_EVENT:
        handle_system_event(cpu, run);
        break;
    case KVM_EXIT_DIRTY_RING_FULL:
        memory_lock();
        kvm_dirty_ring_reap(kvm);
        memory_unlock();
        break;
    case KVM_EXIT_DEBUG:
        kvm_arch_handle_debug(cpu);
        break;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        break;
    case KVM_EXIT_FAIL_ENTRY:
        fail(cpu, "the host's processor refused to enter the guest, hardware"
             " reason 0x%llx: its state is not one that the processor allows",
             run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION &&
            kvm_arch_is_debugger_trap(cpu)) {
            break;
        }
        fail_internal(cpu, run);
        break;
    case KVM_EXIT_UNKNOWN:
        fail(cpu, "the host's processor left the guest for a reason that KVM"
             " does not know, 0x%llx", run->hw.hardware_exit_reason);
        break;
    default:
        fail(cpu, "exit %u of KVM is not known here", run->exit_reason);
    }
}
