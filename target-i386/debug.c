/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into an x86 vCPU: its state in words, its page tables, and stopping it
 * for a debugger. Specifications: Intel SDM volume 3, chapters 4 (paging) and 17
 * (debugging); Linux Documentation/virt/kvm/api.rst, KVM_SET_GUEST_DEBUG.
 *
 * The tables are walked here, not by KVM_TRANSLATE, which some hosts refuse and
 * which knows no vCPU without KVM. Access rights do not matter to a debugger.
 */
#include <cpuid.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <string.h>

#include "cpu-debug.h"
#include "sysemu.h"
#include "target-i386/arch.h"

#define CR0_PG (1u << 31)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_LA57 (1u << 12)
#define EFER_LMA (1u << 10)

#define DR6_STEP (1u << 14)
#define DR7_FIXED (1u << 10)
#define EXCEPTION_DEBUG 1
#define EXCEPTION_TRAP 3

#define ENTRY_PRESENT (1u << 0)
#define ENTRY_LARGE (1u << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000u /* of entries of 8 bytes */

/* ---- page tables --------------------------------------------------------- */

static bool read_entry(CPUState *cpu, hwaddr addr, void *entry, unsigned size)
{
    return cpu_physical_rw(cpu, addr, entry, size, false) == size;
}

/* @levels of tables of 512 entries of 8 bytes, the topmost at @table. The lowest
 * three may end in large pages. */
static bool walk_wide(CPUState *cpu, hwaddr table, unsigned levels,
                      uint64_t vaddr, hwaddr *paddr)
{
    unsigned level;

    for (level = levels; level > 0; level--) {
        unsigned shift = 12 + 9 * (level - 1);
        uint64_t page_mask = ((uint64_t)1 << shift) - 1;
        uint64_t entry;

        if (!read_entry(cpu, table + (vaddr >> shift & 511) * 8, &entry, 8) ||
            !(entry & ENTRY_PRESENT)) {
            return false;
        }
        if (level == 1 || (level <= 3 && (entry & ENTRY_LARGE))) {
            *paddr = (entry & ENTRY_ADDRESS & ~page_mask) | (vaddr & page_mask);
            return true;
        }
        table = entry & ENTRY_ADDRESS;
    }
    return false;
}

/* Two levels of 1024 entries of 4 bytes; large pages have 4 MiB, and bits 13 to
 * 20 of their entries are bits 32 to 39 of the address. */
static bool walk_narrow(CPUState *cpu, const struct kvm_sregs *sregs,
                        uint32_t vaddr, hwaddr *paddr)
{
    uint32_t entry;

    if (!read_entry(cpu, (sregs->cr3 & 0xfffff000) + (vaddr >> 22) * 4, &entry,
                    4) ||
        !(entry & ENTRY_PRESENT)) {
        return false;
    }
    if ((entry & ENTRY_LARGE) && (sregs->cr4 & CR4_PSE)) {
        *paddr = (hwaddr)(entry >> 13 & 0xff) << 32 | (entry & 0xffc00000) |
                 (vaddr & 0x3fffff);
        return true;
    }
    if (!read_entry(cpu, (entry & 0xfffff000) + (vaddr >> 12 & 1023) * 4,
                    &entry, 4) ||
        !(entry & ENTRY_PRESENT)) {
        return false;
    }
    *paddr = (entry & 0xfffff000) | (vaddr & 0xfff);
    return true;
}

/* The four entries above PAE's tables lie within 32 bytes. */
static bool walk_pae(CPUState *cpu, const struct kvm_sregs *sregs,
                     uint32_t vaddr, hwaddr *paddr)
{
    uint64_t entry;

    if (!read_entry(cpu, (sregs->cr3 & 0xffffffe0) + (vaddr >> 30) * 8, &entry,
                    8) ||
        !(entry & ENTRY_PRESENT)) {
        return false;
    }
    return walk_wide(cpu, entry & ENTRY_ADDRESS, 2, vaddr, paddr);
}

static bool walk(CPUState *cpu, const struct kvm_sregs *sregs, uint64_t vaddr,
                 hwaddr *paddr)
{
    unsigned levels = sregs->cr4 & CR4_LA57 ? 5 : 4;
    unsigned unused = 64 - (12 + 9 * levels);

    if (!(sregs->cr0 & CR0_PG)) {
        *paddr = (uint32_t)vaddr;
        return true;
    }
    if (sregs->efer & EFER_LMA) {
        /* Bits above those that are looked up repeat the topmost of them. */
        return (uint64_t)((int64_t)(vaddr << unused) >> unused) == vaddr &&
               walk_wide(cpu, sregs->cr3 & ENTRY_ADDRESS, levels, vaddr, paddr);
    }
    if (sregs->cr4 & CR4_PAE) {
        return walk_pae(cpu, sregs, vaddr, paddr);
    }
    return walk_narrow(cpu, sregs, vaddr, paddr);
}

bool cpu_translate(CPUState *cpu, uint64_t vaddr, hwaddr *paddr)
{
    struct kvm_sregs sregs;

    if (!cpu->accel) {
        *paddr = vaddr;
        return true;
    }
    return kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &sregs) >= 0 &&
           walk(cpu, &sregs, vaddr, paddr);
}

bool cpu_get_pc(CPUState *cpu, uint64_t *pc)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    if (!cpu->accel || kvm_vcpu_ioctl(cpu, KVM_GET_REGS, &regs) < 0 ||
        kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &sregs) < 0) {
        return false;
    }
    *pc = sregs.cs.base + regs.rip;
    return true;
}

/* ---- for the debugger ---------------------------------------------------- */

/*
 * INT3, which KVM intercepts for us. QEMU's emulation of a processor with AMD's
 * virtualisation, as in a Linux that runs in QEMU without KVM, hands it to the
 * guest instead, and ignores the debug registers of guests. There the trap is an
 * output to a port that no chip of KVM's has and that harms nobody, the one for
 * POST codes: it leaves the guest whenever the kernel executes it, but raises an
 * exception in a user's program.
 */
#define TRAP_PORT 0x80

static const CPUTrap int3 = { { 0xcc }, 1 };
static const CPUTrap out_port = { { 0xe6, TRAP_PORT }, 2 };

static bool is_crippled;
static pthread_once_t crippled_once = PTHREAD_ONCE_INIT;

static void crippled_find(void)
{
    char name[12];
    unsigned eax, ebx, ecx = 0, edx;

    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & 1u << 31)) {
        return; /* no hypervisor below this host */
    }
    __cpuid(0x40000000, eax, ebx, ecx, edx);
    memcpy(name, &ebx, 4);
    memcpy(name + 4, &ecx, 4);
    memcpy(name + 8, &edx, 4);
    is_crippled = memcmp(name, "TCGTCGTCGTCG", sizeof(name)) == 0;
}

void cpu_debug_assume_crippled(bool crippled)
{
    pthread_once(&crippled_once, crippled_find);
    is_crippled = crippled;
}

bool cpu_debug_has_points(void)
{
    pthread_once(&crippled_once, crippled_find);
    return !is_crippled;
}

const CPUTrap *cpu_trap(void)
{
    return cpu_debug_has_points() ? &int3 : &out_port;
}

/* Intel SDM volume 2, appendix A: opcodes without anything behind them, but for
 * 40 to 4f, which are prefixes in 64-bit mode. */
static bool is_one_byte(uint8_t opcode)
{
    static const char more[] = "\x06\x07\x0e\x16\x17\x1e\x1f\x27\x2f\x37\x3f"
                               "\x60\x61\xc3\xc9\xcb\xcc\xce\xcf\xd6\xd7\xf1"
                               "\xf4\xf5\xf8\xf9\xfa\xfb\xfc\xfd";

    return (opcode >= 0x50 && opcode <= 0x5f) ||
           (opcode >= 0x6c && opcode <= 0x6f) ||
           (opcode >= 0x90 && opcode <= 0x9f && opcode != 0x9a) ||
           (opcode >= 0xa4 && opcode <= 0xa7) ||
           (opcode >= 0xaa && opcode <= 0xaf) ||
           (opcode >= 0xec && opcode <= 0xef) ||
           memchr(more, opcode, sizeof(more) - 1);
}

bool cpu_trap_fits(uint8_t first)
{
    return cpu_trap()->len == 1 || !is_one_byte(first);
}

/* What the registers DR0 to DR3 and DR7 say of the points. */
static void set_points(struct kvm_guest_debug *control, const CPUDebug *debug)
{
    /* By length: 1, 2, 4, 8. */
    static const uint8_t lengths[] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };
    static const uint8_t types[] = {
        [CPU_STOP_HARDWARE] = 0,
        [CPU_STOP_WATCH_WRITE] = 1,
        [CPU_STOP_WATCH_ACCESS] = 3,
    };
    uint64_t dr7 = DR7_FIXED;
    unsigned i;

    for (i = 0; i < debug->nr_points; i++) {
        const CPUPoint *point = &debug->points[i];

        control->arch.debugreg[i] = point->addr;
        dr7 |= (uint64_t)2 << (2 * i); /* enabled, whatever the task */
        dr7 |= (uint64_t)(types[point->kind] | lengths[point->len] << 2)
               << (16 + 4 * i);
    }
    control->arch.debugreg[7] = dr7;
    control->control |= KVM_GUESTDBG_USE_HW_BP;
}

/* Whether only an interrupt lets it go on. */
static bool is_halted(CPUState *cpu)
{
    struct kvm_mp_state state;

    return kvm_vcpu_ioctl(cpu, KVM_GET_MP_STATE, &state) >= 0 &&
           state.mp_state == KVM_MP_STATE_HALTED;
}

/* Tell KVM the settings; @inject: KVM_GUESTDBG_INJECT_ or 0. */
static int set_guest_debug(CPUState *cpu, const CPUDebug *debug,
                           uint32_t inject)
{
    struct kvm_guest_debug control = { .control = inject };

    if (debug->traps) {
        control.control |= KVM_GUESTDBG_USE_SW_BP;
    }
    if (debug->step) {
        control.control |= KVM_GUESTDBG_SINGLESTEP;
        if (debug->block_irqs && !is_halted(cpu)) {
            control.control |= KVM_GUESTDBG_BLOCKIRQ;
        }
    }
    if (debug->nr_points) {
        set_points(&control, debug);
    }
    if (control.control) {
        control.control |= KVM_GUESTDBG_ENABLE;
    }
    return kvm_vcpu_ioctl(cpu, KVM_SET_GUEST_DEBUG, &control);
}

int cpu_debug_set(CPUState *cpu, const CPUDebug *debug)
{
    if (!cpu->accel) {
        return -ENODEV;
    }
    cpu->accel->debug = *debug;
    return MIN(set_guest_debug(cpu, debug, 0), 0);
}

bool cpu_debug_can_block(CPUState *cpu)
{
    return cpu->accel &&
           (kvm_extension(cpu->kvm, KVM_CAP_SET_GUEST_DEBUG2) &
            KVM_GUESTDBG_BLOCKIRQ);
}

CPUStop cpu_debug_stop(CPUState *cpu)
{
    return cpu->accel ? cpu->accel->debug_stop : (CPUStop){ CPU_STOP_NONE, 0 };
}

void cpu_debug_forget_stop(CPUState *cpu)
{
    if (cpu->accel) {
        cpu->accel->debug_stop.kind = CPU_STOP_NONE;
    }
}

/* What of the debugger's settings the exit is about. */
static CPUStop find_stop(CPUState *cpu, const struct kvm_debug_exit_arch *exit)
{
    const CPUDebug *debug = &cpu->accel->debug;
    hwaddr paddr;
    unsigned i;

    if (exit->exception == EXCEPTION_TRAP) {
        if (debug->traps && cpu_translate(cpu, exit->pc, &paddr) &&
            debug->owns_trap(paddr, debug->opaque)) {
            return (CPUStop){ CPU_STOP_BREAKPOINT, exit->pc };
        }
        return (CPUStop){ CPU_STOP_NONE, 0 };
    }
    /* An access that is watched matters more than the step that made it. */
    for (i = 0; i < debug->nr_points; i++) {
        if (exit->dr6 & (1u << i)) {
            return (CPUStop){ debug->points[i].kind, debug->points[i].addr };
        }
    }
    if (debug->step && (exit->dr6 & DR6_STEP)) {
        return (CPUStop){ CPU_STOP_STEP, exit->pc };
    }
    return (CPUStop){ CPU_STOP_NONE, 0 };
}

/* The guest's own trap or debug exception, which it gets after all. */
static int give_back(CPUState *cpu, const struct kvm_debug_exit_arch *exit)
{
    struct kvm_debugregs registers;
    int result;

    if (exit->exception == EXCEPTION_TRAP) {
        return set_guest_debug(cpu, &cpu->accel->debug,
                               KVM_GUESTDBG_INJECT_BP);
    }
    result = kvm_vcpu_ioctl(cpu, KVM_GET_DEBUGREGS, &registers);
    if (result < 0) {
        return result;
    }
    registers.dr6 |= exit->dr6;
    result = kvm_vcpu_ioctl(cpu, KVM_SET_DEBUGREGS, &registers);
    if (result < 0) {
        return result;
    }
    return set_guest_debug(cpu, &cpu->accel->debug, KVM_GUESTDBG_INJECT_DB);
}

/* Stop the machine because of @stop, if there is one. */
static bool stop_for(CPUState *cpu, CPUStop stop)
{
    if (stop.kind == CPU_STOP_NONE) {
        return false;
    }
    cpu->accel->debug_stop = stop;
    vm_request_stop(RUN_STATE_DEBUG);
    return true;
}

bool kvm_arch_is_debugger_trap(CPUState *cpu)
{
    struct kvm_debug_exit_arch exit = { .exception = EXCEPTION_TRAP };
    uint64_t pc;

    if (!cpu->accel->debug.traps || !cpu_get_pc(cpu, &pc)) {
        return false;
    }
    exit.pc = pc;
    return stop_for(cpu, find_stop(cpu, &exit));
}

/* KVM finishes an output by going on behind it, unless the vCPU is elsewhere by
 * then: which it is for the moment in which KVM does so. */
static int take_back_output(CPUState *cpu)
{
    struct kvm_regs regs;
    int result = kvm_vcpu_ioctl(cpu, KVM_GET_REGS, &regs);

    if (result < 0) {
        return result;
    }
    regs.rip++;
    result = kvm_vcpu_ioctl(cpu, KVM_SET_REGS, &regs);
    if (result < 0) {
        return result;
    }
    kvm_cpu_exit_request(cpu);
    kvm_cpu_run(cpu);
    regs.rip--;
    return kvm_vcpu_ioctl(cpu, KVM_SET_REGS, &regs);
}

bool kvm_arch_is_debugger_port(CPUState *cpu)
{
    const struct kvm_run *run = cpu->accel->run;
    int result;

    if (!cpu->accel->debug.traps || cpu_debug_has_points() ||
        run->io.port != TRAP_PORT || run->io.direction != KVM_EXIT_IO_OUT ||
        !kvm_arch_is_debugger_trap(cpu)) {
        return false;
    }
    result = take_back_output(cpu);
    if (result < 0) {
        kvm_refused(cpu->kvm, "KVM refuses to put vCPU %u back to a breakpoint:"
                    " %s", cpu->index, g_strerror(-result));
    }
    return true;
}

void kvm_arch_handle_debug(CPUState *cpu)
{
    const struct kvm_debug_exit_arch *exit = &cpu->accel->run->debug.arch;
    int result;

    if (stop_for(cpu, find_stop(cpu, exit))) {
        return;
    }
    result = give_back(cpu, exit);
    if (result < 0) {
        kvm_refused(cpu->kvm, "KVM refuses a debug exception of the guest's own"
                    " on vCPU %u: %s", cpu->index, g_strerror(-result));
    }
}

/* ---- for a person -------------------------------------------------------- */

static void print_segment(FILE *out, const char *name,
                          const struct kvm_segment *s)
{
    fprintf(out, "  %-3s %04x base %016llx limit %08x type %x%s\n", name,
            s->selector, s->base, s->limit, s->type,
            s->unusable ? " unusable" : s->l ? " 64-bit" : s->db ? " 32-bit" :
                                                               "");
}

/* The bytes at linear address @linear, through the guest's page tables. */
static void print_code(CPUState *cpu, FILE *out, uint64_t linear)
{
    uint8_t code[16];
    size_t n = cpu_memory_rw(cpu, linear, code, sizeof(code), false);
    size_t i;

    fprintf(out, "  code at %016" PRIx64 ":", linear);
    for (i = 0; i < n; i++) {
        fprintf(out, " %02x", code[i]);
    }
    fprintf(out, n == sizeof(code) ? "\n" :
                 n ? " (then not mapped)\n" : " not mapped, or not memory\n");
}

void cpu_print(CPUState *cpu, FILE *out)
{
    struct kvm_regs r;
    struct kvm_sregs s;

    if (!cpu->accel) {
        fprintf(out, "  (no registers: this vCPU has no accelerator)\n");
        return;
    }
    if (kvm_vcpu_ioctl(cpu, KVM_GET_REGS, &r) < 0 ||
        kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &s) < 0) {
        fprintf(out, "  (its registers cannot be read)\n");
        return;
    }
    fprintf(out,
            "  rip %016llx  rflags %016llx\n"
            "  rax %016llx  rbx %016llx  rcx %016llx  rdx %016llx\n"
            "  rsi %016llx  rdi %016llx  rsp %016llx  rbp %016llx\n"
            "  r8  %016llx  r9  %016llx  r10 %016llx  r11 %016llx\n"
            "  r12 %016llx  r13 %016llx  r14 %016llx  r15 %016llx\n"
            "  cr0 %016llx  cr2 %016llx  cr3 %016llx  cr4 %016llx\n"
            "  efer %llx  cr8 %llx  apic base %llx%s\n",
            r.rip, r.rflags, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rsp,
            r.rbp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, s.cr0,
            s.cr2, s.cr3, s.cr4, s.efer, s.cr8, s.apic_base,
            kvm_cpu_in_smm(cpu) ? "  in system management mode" : "");
    print_segment(out, "cs", &s.cs);
    print_segment(out, "ds", &s.ds);
    print_segment(out, "es", &s.es);
    print_segment(out, "ss", &s.ss);
    print_segment(out, "fs", &s.fs);
    print_segment(out, "gs", &s.gs);
    print_segment(out, "tr", &s.tr);
    print_segment(out, "ldt", &s.ldt);
    fprintf(out, "  gdt base %016llx limit %04x  idt base %016llx limit %04x\n",
            s.gdt.base, s.gdt.limit, s.idt.base, s.idt.limit);
    print_code(cpu, out, s.cs.base + r.rip);
}
