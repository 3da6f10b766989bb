/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86-64 registers as gdb numbers them. Specification: "Debugging with GDB",
 * appendix "Target Descriptions", section "i386 Features"; Intel SDM volume 1,
 * section 8.1 (x87).
 */
#include "cpu-gdb.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "target-i386/arch.h"

#define CR0_PE (1u << 0)
#define MSR_KERNEL_GS_BASE 0xc0000102

/* ---- what gdb is told ------------------------------------------------------- */

typedef struct Register {
    const char *name;
    unsigned bits;
    const char *type;
    const char *feature; /* of this register and those after it; NULL: the same */
} Register;

#define FEATURE_CORE "org.gnu.gdb.i386.core"
#define FEATURE_SSE "org.gnu.gdb.i386.sse"
#define FEATURE_SEGMENTS "org.gnu.gdb.i386.segments"
#define FEATURE_CONTROL "flatview.i386.control"

/* gdb's numbers are the places in this table. */
enum {
    GDB_REG_RIP = 16,
    GDB_REG_EFLAGS,
    GDB_REG_CS,
    GDB_REG_ST0 = 24,
    GDB_REG_FCTRL = 32,
    GDB_REG_FSTAT,
    GDB_REG_FTAG,
    GDB_REG_FISEG,
    GDB_REG_FIOFF,
    GDB_REG_FOSEG,
    GDB_REG_FOOFF,
    GDB_REG_FOP,
    GDB_REG_XMM0,
    GDB_REG_MXCSR = 56,
    GDB_REG_FS_BASE,
    GDB_REG_GS_BASE,
    GDB_REG_K_GS_BASE,
    GDB_REG_CR0,
    GDB_REG_CR2,
    GDB_REG_CR3,
    GDB_REG_CR4,
    GDB_REG_CR8,
    GDB_REG_EFER,
};

static const Register registers[] = {
    { "rax", 64, "int64", FEATURE_CORE },
    { "rbx", 64, "int64", NULL },
    { "rcx", 64, "int64", NULL },
    { "rdx", 64, "int64", NULL },
    { "rsi", 64, "int64", NULL },
    { "rdi", 64, "int64", NULL },
    { "rbp", 64, "data_ptr", NULL },
    { "rsp", 64, "data_ptr", NULL },
    { "r8", 64, "int64", NULL },
    { "r9", 64, "int64", NULL },
    { "r10", 64, "int64", NULL },
    { "r11", 64, "int64", NULL },
    { "r12", 64, "int64", NULL },
    { "r13", 64, "int64", NULL },
    { "r14", 64, "int64", NULL },
    { "r15", 64, "int64", NULL },
    { "rip", 64, "code_ptr", NULL },
    { "eflags", 32, "eflags", NULL },
    { "cs", 32, "int32", NULL },
    { "ss", 32, "int32", NULL },
    { "ds", 32, "int32", NULL },
    { "es", 32, "int32", NULL },
    { "fs", 32, "int32", NULL },
    { "gs", 32, "int32", NULL },
    { "st0", 80, "i387_ext", NULL },
    { "st1", 80, "i387_ext", NULL },
    { "st2", 80, "i387_ext", NULL },
    { "st3", 80, "i387_ext", NULL },
    { "st4", 80, "i387_ext", NULL },
    { "st5", 80, "i387_ext", NULL },
    { "st6", 80, "i387_ext", NULL },
    { "st7", 80, "i387_ext", NULL },
    { "fctrl", 32, "int", NULL },
    { "fstat", 32, "int", NULL },
    { "ftag", 32, "int", NULL },
    { "fiseg", 32, "int", NULL },
    { "fioff", 32, "int", NULL },
    { "foseg", 32, "int", NULL },
    { "fooff", 32, "int", NULL },
    { "fop", 32, "int", NULL },
    { "xmm0", 128, "vec128", FEATURE_SSE },
    { "xmm1", 128, "vec128", NULL },
    { "xmm2", 128, "vec128", NULL },
    { "xmm3", 128, "vec128", NULL },
    { "xmm4", 128, "vec128", NULL },
    { "xmm5", 128, "vec128", NULL },
    { "xmm6", 128, "vec128", NULL },
    { "xmm7", 128, "vec128", NULL },
    { "xmm8", 128, "vec128", NULL },
    { "xmm9", 128, "vec128", NULL },
    { "xmm10", 128, "vec128", NULL },
    { "xmm11", 128, "vec128", NULL },
    { "xmm12", 128, "vec128", NULL },
    { "xmm13", 128, "vec128", NULL },
    { "xmm14", 128, "vec128", NULL },
    { "xmm15", 128, "vec128", NULL },
    { "mxcsr", 32, "mxcsr", NULL },
    { "fs_base", 64, "int64", FEATURE_SEGMENTS },
    { "gs_base", 64, "int64", NULL },
    { "k_gs_base", 64, "int64", FEATURE_CONTROL },
    { "cr0", 64, "cr0", NULL },
    { "cr2", 64, "int64", NULL },
    { "cr3", 64, "int64", NULL },
    { "cr4", 64, "cr4", NULL },
    { "cr8", 64, "int64", NULL },
    { "efer", 64, "efer", NULL },
};

unsigned cpu_gdb_registers(void)
{
    return G_N_ELEMENTS(registers);
}

unsigned cpu_gdb_pc_register(void)
{
    return GDB_REG_RIP;
}

unsigned cpu_gdb_register_size(unsigned n)
{
    return registers[n].bits / 8;
}

typedef struct Flag {
    unsigned bit;
    const char *name;
} Flag;

static void describe_flags(GString *xml, const char *id, unsigned size,
                           const Flag *flags, size_t nr)
{
    size_t i;

    g_string_append_printf(xml, "    <flags id=\"%s\" size=\"%u\">\n", id, size);
    for (i = 0; i < nr; i++) {
        g_string_append_printf(xml, "      <field name=\"%s\" start=\"%u\""
                                    " end=\"%u\"/>\n",
                               flags[i].name, flags[i].bit, flags[i].bit);
    }
    g_string_append(xml, "    </flags>\n");
}

/* The types that the registers of a feature refer to. */
static void describe_types(GString *xml, const char *feature)
{
    static const Flag eflags[] = {
        { 0, "CF" }, { 2, "PF" }, { 4, "AF" }, { 6, "ZF" }, { 7, "SF" },
        { 8, "TF" }, { 9, "IF" }, { 10, "DF" }, { 11, "OF" }, { 14, "NT" },
        { 16, "RF" }, { 17, "VM" }, { 18, "AC" }, { 19, "VIF" },
        { 20, "VIP" }, { 21, "ID" },
    };
    static const Flag mxcsr[] = {
        { 0, "IE" }, { 1, "DE" }, { 2, "ZE" }, { 3, "OE" }, { 4, "UE" },
        { 5, "PE" }, { 6, "DAZ" }, { 7, "IM" }, { 8, "DM" }, { 9, "ZM" },
        { 10, "OM" }, { 11, "UM" }, { 12, "PM" }, { 15, "FZ" },
    };
    static const Flag cr0[] = {
        { 0, "PE" }, { 1, "MP" }, { 2, "EM" }, { 3, "TS" }, { 4, "ET" },
        { 5, "NE" }, { 16, "WP" }, { 18, "AM" }, { 29, "NW" }, { 30, "CD" },
        { 31, "PG" },
    };
    static const Flag cr4[] = {
        { 0, "VME" }, { 1, "PVI" }, { 2, "TSD" }, { 3, "DE" }, { 4, "PSE" },
        { 5, "PAE" }, { 6, "MCE" }, { 7, "PGE" }, { 8, "PCE" },
        { 9, "OSFXSR" }, { 10, "OSXMMEXCPT" }, { 11, "UMIP" }, { 12, "LA57" },
        { 13, "VMXE" }, { 14, "SMXE" }, { 16, "FSGSBASE" }, { 17, "PCIDE" },
        { 18, "OSXSAVE" }, { 20, "SMEP" }, { 21, "SMAP" }, { 22, "PKE" },
        { 23, "CET" }, { 24, "PKS" },
    };
    static const Flag efer[] = {
        { 0, "SCE" }, { 8, "LME" }, { 10, "LMA" }, { 11, "NXE" },
        { 12, "SVME" }, { 14, "FFXSR" },
    };
    static const char *const elements[][3] = {
        { "v4f", "ieee_single", "4" },
        { "v2d", "ieee_double", "2" },
        { "v16b", "int8", "16" },
        { "v8w", "int16", "8" },
        { "v4l", "int32", "4" },
        { "v2q", "int64", "2" },
    };
    size_t i;

    if (!strcmp(feature, FEATURE_CORE)) {
        describe_flags(xml, "eflags", 4, eflags, G_N_ELEMENTS(eflags));
    } else if (!strcmp(feature, FEATURE_SSE)) {
        for (i = 0; i < G_N_ELEMENTS(elements); i++) {
            g_string_append_printf(xml, "    <vector id=\"%s\" type=\"%s\""
                                        " count=\"%s\"/>\n", elements[i][0],
                                   elements[i][1], elements[i][2]);
        }
        g_string_append(xml, "    <union id=\"vec128\">\n");
        for (i = 0; i < G_N_ELEMENTS(elements); i++) {
            g_string_append_printf(xml, "      <field name=\"%s\" type=\"%s\""
                                        "/>\n", elements[i][0], elements[i][0]);
        }
        g_string_append(xml, "      <field name=\"uint128\" type=\"uint128\"/>\n"
                             "    </union>\n");
        describe_flags(xml, "mxcsr", 4, mxcsr, G_N_ELEMENTS(mxcsr));
    } else if (!strcmp(feature, FEATURE_CONTROL)) {
        describe_flags(xml, "cr0", 8, cr0, G_N_ELEMENTS(cr0));
        describe_flags(xml, "cr4", 8, cr4, G_N_ELEMENTS(cr4));
        describe_flags(xml, "efer", 8, efer, G_N_ELEMENTS(efer));
    }
}

char *cpu_gdb_description(void)
{
    GString *xml = g_string_new("<?xml version=\"1.0\"?>\n"
                                "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                                "<target version=\"1.0\">\n"
                                "  <architecture>i386:x86-64</architecture>\n");
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(registers); i++) {
        const Register *reg = &registers[i];

        if (reg->feature) {
            g_string_append_printf(xml, "%s  <feature name=\"%s\">\n",
                                   i ? "  </feature>\n" : "", reg->feature);
            describe_types(xml, reg->feature);
        }
        g_string_append_printf(xml, "    <reg name=\"%s\" bitsize=\"%u\""
                                    " type=\"%s\" regnum=\"%zu\"/>\n",
                               reg->name, reg->bits, reg->type, i);
    }
    g_string_append(xml, "  </feature>\n</target>\n");
    return g_string_free(xml, FALSE);
}

/* ---- what KVM knows --------------------------------------------------------- */

/* All that registers[] covers. */
typedef struct State {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_fpu fpu;
    uint64_t kernel_gs_base;
} State;

/* Which of it a range of registers concerns: the bits of a set. */
enum {
    PART_REGS = 1,
    PART_SREGS = 2,
    PART_FPU = 4,
    PART_MSR = 8,
};

static unsigned part_of(unsigned n)
{
    return n <= GDB_REG_EFLAGS ? PART_REGS :
           n < GDB_REG_ST0 ? PART_SREGS :
           n <= GDB_REG_MXCSR ? PART_FPU :
           n == GDB_REG_K_GS_BASE ? PART_MSR : PART_SREGS;
}

static unsigned parts_of(unsigned first, unsigned nr)
{
    unsigned parts = 0;

    while (nr--) {
        parts |= part_of(first + nr);
    }
    return parts;
}

static bool access_msr(CPUState *cpu, unsigned long request, uint64_t *value)
{
    g_autofree struct kvm_msrs *msrs =
        g_malloc0(sizeof(*msrs) + sizeof(msrs->entries[0]));

    msrs->nmsrs = 1;
    msrs->entries[0].index = MSR_KERNEL_GS_BASE;
    msrs->entries[0].data = *value;
    if (kvm_vcpu_ioctl(cpu, request, msrs) != 1) {
        return false;
    }
    *value = msrs->entries[0].data;
    return true;
}

static bool get_state(CPUState *cpu, unsigned parts, State *state)
{
    memset(state, 0, sizeof(*state));
    return cpu->accel &&
           (!(parts & PART_REGS) ||
            kvm_vcpu_ioctl(cpu, KVM_GET_REGS, &state->regs) >= 0) &&
           (!(parts & PART_SREGS) ||
            kvm_vcpu_ioctl(cpu, KVM_GET_SREGS, &state->sregs) >= 0) &&
           (!(parts & PART_FPU) ||
            kvm_vcpu_ioctl(cpu, KVM_GET_FPU, &state->fpu) >= 0) &&
           (!(parts & PART_MSR) ||
            access_msr(cpu, KVM_GET_MSRS, &state->kernel_gs_base));
}

static bool set_state(CPUState *cpu, unsigned parts, State *state)
{
    return (!(parts & PART_SREGS) ||
            kvm_vcpu_ioctl(cpu, KVM_SET_SREGS, &state->sregs) >= 0) &&
           (!(parts & PART_REGS) ||
            kvm_vcpu_ioctl(cpu, KVM_SET_REGS, &state->regs) >= 0) &&
           (!(parts & PART_FPU) ||
            kvm_vcpu_ioctl(cpu, KVM_SET_FPU, &state->fpu) >= 0) &&
           (!(parts & PART_MSR) ||
            access_msr(cpu, KVM_SET_MSRS, &state->kernel_gs_base));
}

/* ---- the tag word ------------------------------------------------------------- */

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

/* What the x87 unit itself would say of a register's content. */
static unsigned classify(const uint8_t *st)
{
    uint64_t mantissa;
    uint16_t exponent;

    memcpy(&mantissa, st, 8);
    memcpy(&exponent, st + 8, 2);
    exponent &= 0x7fff;
    if (exponent == 0) {
        return mantissa ? TAG_SPECIAL : TAG_ZERO;
    }
    return exponent == 0x7fff || !(mantissa >> 63) ? TAG_SPECIAL : TAG_VALID;
}

/* KVM has one bit for each physical register, set if it is in use; gdb has two.
 * Registers in @fpu->fpr count from the top of the stack. */
static uint16_t full_tag_word(const struct kvm_fpu *fpu)
{
    unsigned top = fpu->fsw >> 11 & 7;
    uint16_t word = 0;
    unsigned i;

    for (i = 0; i < 8; i++) {
        unsigned tag = fpu->ftwx & (1u << i) ? classify(fpu->fpr[(i - top) & 7])
                                             : TAG_EMPTY;

        word |= tag << (2 * i);
    }
    return word;
}

static uint8_t short_tag_word(uint16_t word)
{
    uint8_t bits = 0;
    unsigned i;

    for (i = 0; i < 8; i++) {
        if ((word >> (2 * i) & 3) != TAG_EMPTY) {
            bits |= 1u << i;
        }
    }
    return bits;
}

/* ---- one register --------------------------------------------------------------- */

static __u64 *general_register(struct kvm_regs *regs, unsigned n)
{
    __u64 *const order[] = {
        &regs->rax, &regs->rbx, &regs->rcx, &regs->rdx, &regs->rsi, &regs->rdi,
        &regs->rbp, &regs->rsp, &regs->r8, &regs->r9, &regs->r10, &regs->r11,
        &regs->r12, &regs->r13, &regs->r14, &regs->r15, &regs->rip,
        &regs->rflags,
    };

    return order[n];
}

static struct kvm_segment *segment_register(struct kvm_sregs *sregs, unsigned n)
{
    struct kvm_segment *const order[] = {
        &sregs->cs, &sregs->ss, &sregs->ds, &sregs->es, &sregs->fs, &sregs->gs,
    };

    return order[n - GDB_REG_CS];
}

/* A register of the x87 unit's, which gdb shows in 32 bits. KVM keeps offsets
 * of 64 bits, whose upper half is the selector for a guest that saved it so. */
static uint32_t get_x87(const struct kvm_fpu *fpu, unsigned n)
{
    switch (n) {
    case GDB_REG_FCTRL:
        return fpu->fcw;
    case GDB_REG_FSTAT:
        return fpu->fsw;
    case GDB_REG_FTAG:
        return full_tag_word(fpu);
    case GDB_REG_FISEG:
        return fpu->last_ip >> 32 & 0xffff;
    case GDB_REG_FIOFF:
        return fpu->last_ip;
    case GDB_REG_FOSEG:
        return fpu->last_dp >> 32 & 0xffff;
    case GDB_REG_FOOFF:
        return fpu->last_dp;
    default:
        return fpu->last_opcode;
    }
}

static void set_x87(struct kvm_fpu *fpu, unsigned n, uint32_t value)
{
    switch (n) {
    case GDB_REG_FCTRL:
        fpu->fcw = value;
        break;
    case GDB_REG_FSTAT:
        fpu->fsw = value;
        break;
    case GDB_REG_FTAG:
        fpu->ftwx = short_tag_word(value);
        break;
    case GDB_REG_FISEG:
        fpu->last_ip = (uint32_t)fpu->last_ip | (uint64_t)(uint16_t)value << 32;
        break;
    case GDB_REG_FIOFF:
        fpu->last_ip = (fpu->last_ip & ~(uint64_t)UINT32_MAX) | value;
        break;
    case GDB_REG_FOSEG:
        fpu->last_dp = (uint32_t)fpu->last_dp | (uint64_t)(uint16_t)value << 32;
        break;
    case GDB_REG_FOOFF:
        fpu->last_dp = (fpu->last_dp & ~(uint64_t)UINT32_MAX) | value;
        break;
    default:
        fpu->last_opcode = value;
    }
}

static __u64 *system_register(State *state, unsigned n)
{
    switch (n) {
    case GDB_REG_FS_BASE:
        return &state->sregs.fs.base;
    case GDB_REG_GS_BASE:
        return &state->sregs.gs.base;
    case GDB_REG_K_GS_BASE:
        return (__u64 *)&state->kernel_gs_base;
    case GDB_REG_CR0:
        return &state->sregs.cr0;
    case GDB_REG_CR2:
        return &state->sregs.cr2;
    case GDB_REG_CR3:
        return &state->sregs.cr3;
    case GDB_REG_CR4:
        return &state->sregs.cr4;
    case GDB_REG_CR8:
        return &state->sregs.cr8;
    default:
        return &state->sregs.efer;
    }
}

static void get_register(State *state, unsigned n, uint8_t *buf)
{
    unsigned size = cpu_gdb_register_size(n);
    uint32_t value;

    if (n <= GDB_REG_EFLAGS) {
        memcpy(buf, general_register(&state->regs, n), size);
    } else if (n < GDB_REG_ST0) {
        value = segment_register(&state->sregs, n)->selector;
        memcpy(buf, &value, size);
    } else if (n < GDB_REG_FCTRL) {
        memcpy(buf, state->fpu.fpr[n - GDB_REG_ST0], size);
    } else if (n < GDB_REG_XMM0) {
        value = get_x87(&state->fpu, n);
        memcpy(buf, &value, size);
    } else if (n < GDB_REG_MXCSR) {
        memcpy(buf, state->fpu.xmm[n - GDB_REG_XMM0], size);
    } else if (n == GDB_REG_MXCSR) {
        memcpy(buf, &state->fpu.mxcsr, size);
    } else {
        memcpy(buf, system_register(state, n), size);
    }
}

/* In real mode a selector means its base; elsewhere its descriptor, which is
 * not looked up for a debugger: only the number changes. */
static void set_segment(struct kvm_sregs *sregs, unsigned n, uint16_t selector)
{
    struct kvm_segment *segment = segment_register(sregs, n);

    segment->selector = selector;
    if (!(sregs->cr0 & CR0_PE)) {
        segment->base = (uint32_t)selector << 4;
    }
}

static void set_register(State *state, unsigned n, const uint8_t *buf)
{
    unsigned size = cpu_gdb_register_size(n);
    uint32_t value = 0;

    memcpy(&value, buf, sizeof(value));
    if (n < GDB_REG_EFLAGS) {
        memcpy(general_register(&state->regs, n), buf, size);
    } else if (n == GDB_REG_EFLAGS) {
        state->regs.rflags = value;
    } else if (n < GDB_REG_ST0) {
        /* What does not change keeps a base that has nothing to do with it. */
        if ((uint16_t)value != segment_register(&state->sregs, n)->selector) {
            set_segment(&state->sregs, n, value);
        }
    } else if (n < GDB_REG_FCTRL) {
        memcpy(state->fpu.fpr[n - GDB_REG_ST0], buf, size);
    } else if (n < GDB_REG_XMM0) {
        set_x87(&state->fpu, n, value);
    } else if (n < GDB_REG_MXCSR) {
        memcpy(state->fpu.xmm[n - GDB_REG_XMM0], buf, size);
    } else if (n == GDB_REG_MXCSR) {
        state->fpu.mxcsr = value;
    } else {
        memcpy(system_register(state, n), buf, size);
    }
}

bool cpu_gdb_read(CPUState *cpu, unsigned first, unsigned nr, uint8_t *buf)
{
    State state;
    unsigned n;

    if (!get_state(cpu, parts_of(first, nr), &state)) {
        return false;
    }
    for (n = first; n < first + nr; n++) {
        get_register(&state, n, buf);
        buf += cpu_gdb_register_size(n);
    }
    return true;
}

bool cpu_gdb_write(CPUState *cpu, unsigned first, unsigned nr,
                   const uint8_t *buf)
{
    unsigned parts = parts_of(first, nr);
    State state;
    unsigned n;

    if (!get_state(cpu, parts, &state)) {
        return false;
    }
    for (n = first; n < first + nr; n++) {
        set_register(&state, n, buf);
        buf += cpu_gdb_register_size(n);
    }
    return set_state(cpu, parts, &state);
}

bool cpu_gdb_set_pc(CPUState *cpu, uint64_t pc)
{
    return cpu_gdb_write(cpu, GDB_REG_RIP, 1, (const uint8_t *)&pc);
}
