/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking into an x86 vCPU: its state in words, and its page tables.
 * Specification: Intel SDM volume 3, chapter 4 (paging).
 *
 * The tables are walked here, not by KVM_TRANSLATE, which some hosts refuse and
 * which knows no vCPU without KVM. Access rights do not matter to a debugger.
 */
#include <linux/kvm.h>

#include "cpu-debug.h"
#include "target-i386/arch.h"

#define CR0_PG (1u << 31)
#define CR4_PSE (1u << 4)
#define CR4_PAE (1u << 5)
#define CR4_LA57 (1u << 12)
#define EFER_LMA (1u << 10)

#define ENTRY_PRESENT (1u << 0)
#define ENTRY_LARGE (1u << 7)
#define ENTRY_ADDRESS 0x000ffffffffff000u /* of entries of 8 bytes */

/* ---- page tables --------------------------------------------------------- */

static bool read_entry(CPUState *cpu, hwaddr addr, void *entry, unsigned size)
{
    return cpu_physical_rw(cpu, addr, entry, size, false) == size;
}

/* Tables of 512 entries of 8 bytes: @levels of them below the one at @table. The
 * lowest two know large pages, so does the third of long mode. */
static bool walk_wide(CPUState *cpu, hwaddr table, unsigned levels,
                      bool long_mode, uint64_t vaddr, hwaddr *paddr)
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
        if (level == 1 || (level <= (long_mode ? 3 : 2) &&
                           (entry & ENTRY_LARGE))) {
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
    return walk_wide(cpu, entry & ENTRY_ADDRESS, 2, false, vaddr, paddr);
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
               walk_wide(cpu, sregs->cr3 & ENTRY_ADDRESS, levels, true, vaddr,
                         paddr);
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
            "  efer %llx  cr8 %llx  apic base %llx\n",
            r.rip, r.rflags, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rsp,
            r.rbp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, s.cr0,
            s.cr2, s.cr3, s.cr4, s.efer, s.cr8, s.apic_base);
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
