/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The KVM accelerator: opening it, the VM, vCPUs, interrupt wires, and what
 * becomes of a refusal. Specification: Linux Documentation/virt/kvm/api.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm-internal.h"
#include "sysemu.h"

#define KVM_PATH "/dev/kvm"

G_DEFINE_QUARK(kvm-error-quark, kvm_error)

/* ---- the kernel's calls -------------------------------------------------- */

static int host_open(void *opaque, const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int host_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
    int result = ioctl(fd, request, arg);

    return result < 0 ? -errno : result;
}

static void *host_map(void *opaque, int fd, size_t size, off_t offset)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                        offset);

    return memory == MAP_FAILED ? NULL : memory;
}

static void host_unmap(void *opaque, void *memory, size_t size)
{
    munmap(memory, size);
}

static void host_close(void *opaque, int fd)
{
    close(fd);
}

static const KVMCalls host_calls = {
    .open = host_open,
    .ioctl = host_ioctl,
    .map = host_map,
    .unmap = host_unmap,
    .close = host_close,
};

static int retry_ioctl(KVMState *kvm, int fd, unsigned long request, void *arg)
{
    int result;

    do {
        result = kvm->calls->ioctl(kvm->calls_opaque, fd, request, arg);
    } while (result == -EINTR);
    return result;
}

int kvm_ioctl(KVMState *kvm, unsigned long request, void *arg)
{
    return retry_ioctl(kvm, kvm->fd, request, arg);
}

int kvm_vm_ioctl(KVMState *kvm, unsigned long request, void *arg)
{
    return retry_ioctl(kvm, kvm->vm_fd, request, arg);
}

int kvm_vcpu_ioctl(CPUState *cpu, unsigned long request, void *arg)
{
    KVMState *kvm = cpu->kvm;

    if (request == KVM_RUN) {
        return kvm->calls->ioctl(kvm->calls_opaque, cpu->accel->fd, request,
                                 arg);
    }
    return retry_ioctl(kvm, cpu->accel->fd, request, arg);
}

int kvm_extension(KVMState *kvm, long capability)
{
    int result = kvm_vm_ioctl(kvm, KVM_CHECK_EXTENSION, (void *)capability);

    return MAX(result, 0);
}

/* ---- refusals ------------------------------------------------------------ */

void kvm_refused(KVMState *kvm, const char *fmt, ...)
{
    va_list args;
    char *message;
    char *none = NULL;

    va_start(args, fmt);
    message = g_strdup_vprintf(fmt, args);
    va_end(args);
    if (__atomic_load_n(&kvm->started, __ATOMIC_ACQUIRE)) {
        vm_request_pause(message);
        g_free(message);
    } else if (!__atomic_compare_exchange_n(&kvm->refusal, &none, message,
                                            false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE)) {
        g_free(message);
    }
}

bool kvm_check(KVMState *kvm, GError **err)
{
    const char *refusal = __atomic_load_n(&kvm->refusal, __ATOMIC_ACQUIRE);

    if (refusal) {
        g_set_error_literal(err, KVM_ERROR, 0, refusal);
    }
    return !refusal;
}

void kvm_set_started(KVMState *kvm)
{
    __atomic_store_n(&kvm->started, true, __ATOMIC_RELEASE);
}

/* ---- the VM -------------------------------------------------------------- */

static void set_open_error(GError **err, int error)
{
    switch (-error) {
    case ENOENT:
        g_set_error(err, KVM_ERROR, 0,
                    KVM_PATH " does not exist: load the kernel module kvm_intel"
                    " or kvm_amd, enable virtualisation in the firmware, or,"
                    " in a virtual machine, nested virtualisation outside");
        break;
    case EACCES:
    case EPERM:
        g_set_error(err, KVM_ERROR, 0,
                    KVM_PATH ": %s: add your user to the group that owns it"
                    " (usually kvm) and log in again", g_strerror(-error));
        break;
    default:
        g_set_error(err, KVM_ERROR, 0, KVM_PATH ": %s", g_strerror(-error));
    }
}

static bool check_version(int version, GError **err)
{
    if (version == KVM_API_VERSION) {
        return true;
    }
    if (version < 0) {
        g_set_error(err, KVM_ERROR, 0, KVM_PATH " is not KVM: %s",
                    g_strerror(-version));
    } else {
        g_set_error(err, KVM_ERROR, 0,
                    KVM_PATH " speaks version %d, but %d is needed: use a newer"
                    " kernel", version, KVM_API_VERSION);
    }
    return false;
}

bool kvm_available(GError **err)
{
    int fd = host_open(NULL, KVM_PATH);
    bool ok;

    if (fd < 0) {
        set_open_error(err, fd);
        return false;
    }
    ok = check_version(host_ioctl(NULL, fd, KVM_GET_API_VERSION, NULL), err);
    close(fd);
    return ok;
}

/* Refusals of the steps of kvm_new(), by what was asked for. */
static bool set_step_error(GError **err, const char *step, int error)
{
    g_set_error(err, KVM_ERROR, 0, "KVM refuses %s: %s", step,
                g_strerror(-error));
    return false;
}

static bool make_vm(KVMState *kvm, GError **err)
{
    int result;

    kvm->fd = kvm->calls->open(kvm->calls_opaque, KVM_PATH);
    if (kvm->fd < 0) {
        set_open_error(err, kvm->fd);
        return false;
    }
    result = kvm_ioctl(kvm, KVM_GET_API_VERSION, NULL);
    if (!check_version(result, err)) {
        return false;
    }
    result = kvm_ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
    if (result < 0) {
        return set_step_error(err, "the size of a vCPU's map", result);
    }
    kvm->run_size = result;
    kvm->vm_fd = kvm_ioctl(kvm, KVM_CREATE_VM, NULL);
    if (kvm->vm_fd < 0) {
        return set_step_error(err, "to make a virtual machine", kvm->vm_fd);
    }
    return true;
}

KVMState *kvm_new_calls(const KVMCalls *calls, void *opaque,
                        const KVMOptions *options, GError **err)
{
    KVMState *kvm = g_new0(KVMState, 1);

    kvm->calls = calls;
    kvm->calls_opaque = opaque;
    kvm->fd = kvm->vm_fd = -1;
    kvm->irqchip = !options->no_irqchip;
    if (options->dies || options->cores || options->threads) {
        kvm->topology = (CPUTopology){
            .dies = MAX(options->dies, 1),
            .cores = MAX(options->cores, 1),
            .threads = MAX(options->threads, 1),
        };
    }
    kvm_space_init(kvm, &kvm->memory, 0);
    kvm_space_init(kvm, &kvm->smm, 1);
    if (!make_vm(kvm, err)) {
        goto fail;
    }
    kvm->max_slots = kvm_extension(kvm, KVM_CAP_NR_MEMSLOTS);
    if (!kvm->max_slots) {
        kvm->max_slots = 32; /* what api.rst promises where it is not told */
    }
    kvm->readonly_memory = kvm_extension(kvm, KVM_CAP_READONLY_MEM);
    kvm->has_smm = kvm_extension(kvm, KVM_CAP_X86_SMM) &&
                   kvm_extension(kvm, KVM_CAP_MULTI_ADDRESS_SPACE) > 1;
    kvm_doorbell_init(kvm);
    if (!kvm_dirty_init(kvm, options->dirty_ring_size, err) ||
        !kvm_arch_init(kvm, options, err)) {
        goto fail;
    }
    return kvm;

fail:
    kvm_free(kvm);
    return NULL;
}

KVMState *kvm_new(const KVMOptions *options, GError **err)
{
    return kvm_new_calls(&host_calls, NULL, options, err);
}

/* Under the memory lock. */
static void follow(KVMSpace *space, AddressSpace *as)
{
    space->as = as;
    kvm_slots_listen(&space->listener);
    kvm_dirty_listen(&space->listener);
    memory_listener_register(&space->listener, as);
}

bool kvm_attach(KVMState *kvm, AddressSpace *memory, AddressSpace *ports,
                GError **err)
{
    kvm->ports = ports;
    kvm_doorbell_listen_memory(&kvm->memory.listener);
    kvm_doorbell_listen_ports(&kvm->ports_listener);
    memory_lock();
    follow(&kvm->memory, memory);
    memory_listener_register(&kvm->ports_listener, ports);
    memory_unlock();
    return kvm_check(kvm, err);
}

bool kvm_attach_smm(KVMState *kvm, AddressSpace *memory, GError **err)
{
    if (!kvm->has_smm) {
        g_set_error(err, KVM_ERROR, 0,
                    "this host's KVM has no system management mode: use a host"
                    " whose kernel has it (CONFIG_KVM_SMM), or do without");
        return false;
    }
    memory_lock();
    follow(&kvm->smm, memory);
    memory_unlock();
    return kvm_check(kvm, err);
}

bool kvm_has_smm(KVMState *kvm)
{
    return kvm->has_smm;
}

void kvm_free(KVMState *kvm)
{
    if (!kvm) {
        return;
    }
    memory_lock();
    kvm->closing = true;
    if (kvm->smm.as) {
        memory_listener_unregister(&kvm->smm.listener);
    }
    if (kvm->memory.as) {
        memory_listener_unregister(&kvm->ports_listener);
        memory_listener_unregister(&kvm->memory.listener);
    }
    memory_unlock();
    kvm_doorbell_free(kvm);
    kvm_space_free(&kvm->smm);
    kvm_space_free(&kvm->memory);
    kvm_arch_free(kvm);
    if (kvm->vm_fd >= 0) {
        kvm->calls->close(kvm->calls_opaque, kvm->vm_fd);
    }
    if (kvm->fd >= 0) {
        kvm->calls->close(kvm->calls_opaque, kvm->fd);
    }
    g_free(kvm->refusal);
    g_free(kvm);
}

/* ---- vCPUs --------------------------------------------------------------- */

bool kvm_check_cpus(KVMState *kvm, unsigned n, GError **err)
{
    unsigned max = kvm_extension(kvm, KVM_CAP_MAX_VCPUS);
    unsigned ids = kvm_extension(kvm, KVM_CAP_MAX_VCPU_ID);
    unsigned i;

    if (!max) {
        max = 4; /* what api.rst promises where it is not told */
    }
    if (n < 1 || n > max) {
        g_set_error(err, KVM_ERROR, 0,
                    "%u vCPUs: this host's KVM allows 1 to %u", n, max);
        return false;
    }
    ids = MIN(ids ? ids : max, kvm_arch_cpu_ids(kvm));
    for (i = 0; i < n; i++) {
        if (kvm_arch_cpu_id(kvm, i) >= ids) {
            g_set_error(err, KVM_ERROR, 0,
                        "-smp: CPU %u would be number %u of the processors, but %u is"
                        " the last that KVM can have here: use fewer CPUs, or numbers"
                        " of dies, cores and threads that are powers of two",
                        i, kvm_arch_cpu_id(kvm, i), ids - 1);
            return false;
        }
    }
    return true;
}

bool kvm_cpu_init(CPUState *cpu, GError **err)
{
    KVMState *kvm = cpu->kvm;
    struct KVMCPU *accel = g_new0(struct KVMCPU, 1);
    int result;

    cpu->accel = accel;
    cpu->arch_id = kvm_arch_cpu_id(kvm, cpu->index);
    accel->fresh = true;
    accel->fd = kvm_vm_ioctl(kvm, KVM_CREATE_VCPU, (void *)(long)cpu->arch_id);
    if (accel->fd < 0) {
        set_step_error(err, "to make a vCPU", accel->fd);
        goto fail;
    }
    accel->run = kvm->calls->map(kvm->calls_opaque, accel->fd, kvm->run_size, 0);
    if (!accel->run) {
        set_step_error(err, "to map a vCPU", -errno);
        goto fail;
    }
    if (!kvm->ring && kvm->ring_page &&
        (kvm->ring_page + 1) * TARGET_PAGE_SIZE <= kvm->run_size) {
        kvm->ring = (void *)((char *)accel->run +
                             kvm->ring_page * TARGET_PAGE_SIZE);
    }
    if (!kvm_dirty_ring_map(cpu, err)) {
        goto fail;
    }
    result = kvm_arch_init_cpu(cpu);
    if (result < 0) {
        set_step_error(err, "the CPU model", result);
        goto fail;
    }
    return true;

fail:
    kvm_cpu_destroy(cpu);
    return false;
}

void kvm_cpu_destroy(CPUState *cpu)
{
    KVMState *kvm = cpu->kvm;
    struct KVMCPU *accel = cpu->accel;

    if (!accel) {
        return;
    }
    kvm_dirty_ring_unmap(cpu);
    if (accel->run) {
        /* The ring is in vCPU 0's map, and with it goes its last reader. */
        if ((char *)kvm->ring > (char *)accel->run &&
            (char *)kvm->ring < (char *)accel->run + kvm->run_size) {
            memory_lock();
            kvm_coalesced_drain(kvm);
            kvm->ring = NULL;
            memory_unlock();
        }
        kvm->calls->unmap(kvm->calls_opaque, accel->run, kvm->run_size);
    }
    if (accel->fd >= 0) {
        kvm->calls->close(kvm->calls_opaque, accel->fd);
    }
    g_free(accel);
    cpu->accel = NULL;
}

/* ---- interrupt wires ----------------------------------------------------- */

static void set_irq(void *opaque, int gsi, int level)
{
    KVMState *kvm = opaque;
    struct kvm_irq_level irq = { .irq = gsi, .level = level };
    int result = kvm_vm_ioctl(kvm, KVM_IRQ_LINE, &irq);

    if (result < 0) {
        kvm_refused(kvm, "KVM refuses interrupt %d: %s", gsi,
                    g_strerror(-result));
    }
}

IRQLine kvm_irq_line(KVMState *kvm, int gsi)
{
    if (!kvm->irqchip) {
        return (IRQLine){ 0 };
    }
    return (IRQLine){ .set = set_irq, .opaque = kvm, .n = gsi };
}

/* Any thread, so also one that KVM would make wait: the vCPU's own tells it. */
static void set_smi(void *opaque, int n, int level)
{
    CPUState *cpu = cpus_count() ? cpus_get(0) : NULL;

    if (level && cpu) {
        __atomic_store_n(&cpu->accel->smi, true, __ATOMIC_SEQ_CST);
        cpu_kick(cpu);
    }
}

IRQLine kvm_smi_line(KVMState *kvm)
{
    return (IRQLine){ .set = kvm->has_smm ? set_smi : NULL, .opaque = kvm };
}

/* What KVM refuses is what no vCPU could take, which is the guest's affair. */
bool kvm_send_msi(KVMState *kvm, uint64_t addr, uint32_t data)
{
    struct kvm_msi msi = {
        .address_lo = addr, .address_hi = addr >> 32, .data = data,
    };

    return kvm->irqchip && kvm_vm_ioctl(kvm, KVM_SIGNAL_MSI, &msi) > 0;
}
