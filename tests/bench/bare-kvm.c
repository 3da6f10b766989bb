/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor for starting and ending a guest: what KVM itself costs. Makes the
 * calls that flatview-x86_64 makes for a one-vCPU guest in 128 MiB that exits
 * with its first port access, and nothing else.
 *
 *   bare-kvm IMAGE     of whole pages, for the reset vector
 *
 * Exits with 0 when the guest got that far, 77 without /dev/kvm, else 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM_SIZE (128u << 20)
#define LOW_IMAGE_MAX (128u << 10) /* so much of it is seen below 1 MiB, too */
#define KVM_RESERVED 0xfeffc000u
#define CPUID_MAX 256


static void fail(const char *what)
{
    fprintf(stderr, "bare-kvm: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int call(const char *what, int fd, unsigned long request, void *arg)
{
    int result = ioctl(fd, request, arg);

    if (result < 0) {
        fail(what);
    }
    return result;
}

static void *map(size_t size, int flags, int fd)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    if (memory == MAP_FAILED) {
        fail("mmap");
    }
    return memory;
}

static void set_slot(int vm, unsigned slot, unsigned flags, uint64_t address,
                     uint64_t size, void *memory)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot,
        .flags = flags,
        .guest_phys_addr = address,
        .memory_size = size,
        .userspace_addr = (uintptr_t)memory,
    };

    call("memory slot", vm, KVM_SET_USER_MEMORY_REGION, &region);
}

static void *load_image(const char *path, size_t *size)
{
    struct stat st;
    void *image;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0) {
        fail(path);
    }
    if (st.st_size == 0 || st.st_size % 4096 != 0 || st.st_size > 16 << 20) {
        errno = EINVAL;
        fail(path);
    }
    image = map(st.st_size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (read(fd, image, st.st_size) != st.st_size) {
        fail(path);
    }
    close(fd);
    *size = st.st_size;
    return image;
}

static void set_cpuid(int kvm, int vcpu)
{
    struct kvm_cpuid2 *cpuid =
        calloc(1, sizeof(*cpuid) + CPUID_MAX * sizeof(cpuid->entries[0]));

    if (!cpuid) {
        fail("calloc");
    }
    cpuid->nent = CPUID_MAX;
    call("supported CPUID", kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
    call("CPUID", vcpu, KVM_SET_CPUID2, cpuid);
    free(cpuid);
}

/* What the program asks KVM for, and switches on where it is there. */
static void check_extensions(int vm)
{
    static const long asked[] = {
        KVM_CAP_NR_MEMSLOTS, KVM_CAP_READONLY_MEM, KVM_CAP_COALESCED_MMIO,
        KVM_CAP_COALESCED_PIO, KVM_CAP_IOEVENTFD, KVM_CAP_IOEVENTFD_ANY_LENGTH,
        KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_CAP_TSC_DEADLINE_TIMER,
        KVM_CAP_MAX_VCPUS,
    };
    struct kvm_enable_cap manual_clear = {
        .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
        .args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE },
    };
    size_t i;

    for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        call("extension", vm, KVM_CHECK_EXTENSION, (void *)asked[i]);
    }
    ioctl(vm, KVM_ENABLE_CAP, &manual_clear); /* an old kernel may refuse */
}

/* The outputs of devices, in their reset state. */
static void lower_wires(int vm)
{
    static const unsigned wires[] = { 4, 8, 1 };
    size_t i;

    for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
        struct kvm_irq_level irq = { .irq = wires[i] };

        call("interrupt", vm, KVM_IRQ_LINE, &irq);
    }
}

int main(int argc, char **argv)
{
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
    uint64_t identity_map = KVM_RESERVED;
    struct kvm_run *run;
    size_t run_size, image_size, low;
    char *image;
    void *ram;
    int kvm, vm, vcpu;

    if (argc != 2) {
        fprintf(stderr, "usage: bare-kvm IMAGE\n");
        return 1;
    }
    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        printf("SKIP: /dev/kvm: %s\n", strerror(errno));
        return 77;
    }
    call("version", kvm, KVM_GET_API_VERSION, NULL);
    run_size = call("map size", kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
    vm = call("VM", kvm, KVM_CREATE_VM, NULL);
    check_extensions(vm);
    call("identity map", vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
    call("TSS", vm, KVM_SET_TSS_ADDR, (void *)(long)(KVM_RESERVED + 0x1000));
    call("interrupt chips", vm, KVM_CREATE_IRQCHIP, NULL);
    call("PIT", vm, KVM_CREATE_PIT2, &pit);

    ram = map(RAM_SIZE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    image = load_image(argv[1], &image_size);
    vcpu = call("vCPU", vm, KVM_CREATE_VCPU, NULL);
    run = map(run_size, MAP_SHARED, vcpu);
    set_cpuid(kvm, vcpu);
    low = image_size < LOW_IMAGE_MAX ? image_size : LOW_IMAGE_MAX;
    set_slot(vm, 0, 0, 0, (1 << 20) - low, ram);
    set_slot(vm, 1, KVM_MEM_READONLY, (1 << 20) - low, low,
             image + image_size - low);
    set_slot(vm, 2, 0, 1 << 20, RAM_SIZE - (1 << 20), (char *)ram + (1 << 20));
    set_slot(vm, 3, KVM_MEM_READONLY, (1ull << 32) - image_size, image_size,
             image);
    lower_wires(vm);

    call("run", vcpu, KVM_RUN, NULL);
    if (run->exit_reason != KVM_EXIT_IO) {
        fprintf(stderr, "bare-kvm: the guest ended with exit %u, not with a"
                " port access\n", run->exit_reason);
        return 1;
    }
    run->immediate_exit = 1; /* have KVM finish the access */
    if (ioctl(vcpu, KVM_RUN, NULL) == 0 || errno != EINTR) {
        fail("run");
    }
    munmap(run, run_size);
    close(vcpu);
    close(vm);
    close(kvm);
    munmap(image, image_size);
    munmap(ram, RAM_SIZE);
    return 0;
}
