/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest's processors say of themselves: CPUID as KVM supports it on
 * this host, less or more what -cpu says, and each vCPU's place among the
 * others. Specifications: Intel SDM volume 2, CPUID, and volume 3, 9.9; AMD APM
 * volume 3, appendix E; Linux Documentation/virt/kvm/x86/cpuid.rst.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "hw/core/device.h" /* nearest_name() */
#include "target-i386/arch.h"
#include "target-i386/cpu.h"
#include "target-i386/topology.h"

/* Room for entries that set_topology() adds. */
#define EXTRA_ENTRIES 7
#define MAX_ENTRIES 1024

#define ECX1_X2APIC (1u << 21)
#define ECX1_TSC_DEADLINE (1u << 24)
#define ECX1_HYPERVISOR (1u << 31)
#define EDX1_HTT (1u << 28)
#define ECX_AMD_CMP_LEGACY (1u << 1)
#define ECX_AMD_TOPOEXT (1u << 22)

struct KVMArch {
    struct kvm_cpuid2 cpuid; /* and its entries; the same for all vCPUs */
};

enum { EAX, EBX, ECX, EDX };

typedef struct Feature {
    const char *name;
    uint32_t leaf;
    uint8_t subleaf;
    uint8_t reg;
    uint8_t bit;
} Feature;

static const Feature features[] = {
    { "fpu", 1, 0, EDX, 0 },
    { "vme", 1, 0, EDX, 1 },
    { "de", 1, 0, EDX, 2 },
    { "pse", 1, 0, EDX, 3 },
    { "tsc", 1, 0, EDX, 4 },
    { "msr", 1, 0, EDX, 5 },
    { "pae", 1, 0, EDX, 6 },
    { "mce", 1, 0, EDX, 7 },
    { "cx8", 1, 0, EDX, 8 },
    { "apic", 1, 0, EDX, 9 },
    { "sep", 1, 0, EDX, 11 },
    { "mtrr", 1, 0, EDX, 12 },
    { "pge", 1, 0, EDX, 13 },
    { "mca", 1, 0, EDX, 14 },
    { "cmov", 1, 0, EDX, 15 },
    { "pat", 1, 0, EDX, 16 },
    { "pse36", 1, 0, EDX, 17 },
    { "clflush", 1, 0, EDX, 19 },
    { "mmx", 1, 0, EDX, 23 },
    { "fxsr", 1, 0, EDX, 24 },
    { "sse", 1, 0, EDX, 25 },
    { "sse2", 1, 0, EDX, 26 },
    { "ss", 1, 0, EDX, 27 },
    { "sse3", 1, 0, ECX, 0 },
    { "pni", 1, 0, ECX, 0 },
    { "pclmulqdq", 1, 0, ECX, 1 },
    { "monitor", 1, 0, ECX, 3 },
    { "vmx", 1, 0, ECX, 5 },
    { "ssse3", 1, 0, ECX, 9 },
    { "fma", 1, 0, ECX, 12 },
    { "cx16", 1, 0, ECX, 13 },
    { "pcid", 1, 0, ECX, 17 },
    { "sse4.1", 1, 0, ECX, 19 },
    { "sse4.2", 1, 0, ECX, 20 },
    { "x2apic", 1, 0, ECX, 21 },
    { "movbe", 1, 0, ECX, 22 },
    { "popcnt", 1, 0, ECX, 23 },
    { "tsc-deadline", 1, 0, ECX, 24 },
    { "aes", 1, 0, ECX, 25 },
    { "xsave", 1, 0, ECX, 26 },
    { "avx", 1, 0, ECX, 28 },
    { "f16c", 1, 0, ECX, 29 },
    { "rdrand", 1, 0, ECX, 30 },
    { "hypervisor", 1, 0, ECX, 31 },
    { "arat", 6, 0, EAX, 2 },
    { "fsgsbase", 7, 0, EBX, 0 },
    { "tsc-adjust", 7, 0, EBX, 1 },
    { "bmi1", 7, 0, EBX, 3 },
    { "hle", 7, 0, EBX, 4 },
    { "avx2", 7, 0, EBX, 5 },
    { "smep", 7, 0, EBX, 7 },
    { "bmi2", 7, 0, EBX, 8 },
    { "erms", 7, 0, EBX, 9 },
    { "invpcid", 7, 0, EBX, 10 },
    { "rtm", 7, 0, EBX, 11 },
    { "avx512f", 7, 0, EBX, 16 },
    { "avx512dq", 7, 0, EBX, 17 },
    { "rdseed", 7, 0, EBX, 18 },
    { "adx", 7, 0, EBX, 19 },
    { "smap", 7, 0, EBX, 20 },
    { "avx512ifma", 7, 0, EBX, 21 },
    { "clflushopt", 7, 0, EBX, 23 },
    { "clwb", 7, 0, EBX, 24 },
    { "avx512cd", 7, 0, EBX, 28 },
    { "sha-ni", 7, 0, EBX, 29 },
    { "avx512bw", 7, 0, EBX, 30 },
    { "avx512vl", 7, 0, EBX, 31 },
    { "avx512vbmi", 7, 0, ECX, 1 },
    { "umip", 7, 0, ECX, 2 },
    { "pku", 7, 0, ECX, 3 },
    { "avx512-vbmi2", 7, 0, ECX, 6 },
    { "gfni", 7, 0, ECX, 8 },
    { "vaes", 7, 0, ECX, 9 },
    { "vpclmulqdq", 7, 0, ECX, 10 },
    { "avx512-vnni", 7, 0, ECX, 11 },
    { "avx512-bitalg", 7, 0, ECX, 12 },
    { "avx512-vpopcntdq", 7, 0, ECX, 14 },
    { "la57", 7, 0, ECX, 16 },
    { "rdpid", 7, 0, ECX, 22 },
    { "fsrm", 7, 0, EDX, 4 },
    { "md-clear", 7, 0, EDX, 10 },
    { "serialize", 7, 0, EDX, 14 },
    { "spec-ctrl", 7, 0, EDX, 26 },
    { "stibp", 7, 0, EDX, 27 },
    { "arch-capabilities", 7, 0, EDX, 29 },
    { "ssbd", 7, 0, EDX, 31 },
    { "xsaveopt", 0xd, 1, EAX, 0 },
    { "xsavec", 0xd, 1, EAX, 1 },
    { "xgetbv1", 0xd, 1, EAX, 2 },
    { "xsaves", 0xd, 1, EAX, 3 },
    { "kvmclock", 0x40000001, 0, EAX, 3 },
    { "kvm-nopiodelay", 0x40000001, 0, EAX, 1 },
    { "kvm-asyncpf", 0x40000001, 0, EAX, 4 },
    { "kvm-steal-time", 0x40000001, 0, EAX, 5 },
    { "kvm-pv-eoi", 0x40000001, 0, EAX, 6 },
    { "kvm-pv-unhalt", 0x40000001, 0, EAX, 7 },
    { "kvm-pv-tlb-flush", 0x40000001, 0, EAX, 9 },
    { "kvm-pv-ipi", 0x40000001, 0, EAX, 11 },
    { "kvm-poll-control", 0x40000001, 0, EAX, 12 },
    { "kvm-pv-sched-yield", 0x40000001, 0, EAX, 13 },
    { "kvm-asyncpf-int", 0x40000001, 0, EAX, 14 },
    { "kvmclock-stable-bit", 0x40000001, 0, EAX, 24 },
    { "syscall", 0x80000001, 0, EDX, 11 },
    { "nx", 0x80000001, 0, EDX, 20 },
    { "mmxext", 0x80000001, 0, EDX, 22 },
    { "fxsr-opt", 0x80000001, 0, EDX, 25 },
    { "pdpe1gb", 0x80000001, 0, EDX, 26 },
    { "rdtscp", 0x80000001, 0, EDX, 27 },
    { "lm", 0x80000001, 0, EDX, 29 },
    { "lahf-lm", 0x80000001, 0, ECX, 0 },
    { "svm", 0x80000001, 0, ECX, 2 },
    { "cr8legacy", 0x80000001, 0, ECX, 4 },
    { "abm", 0x80000001, 0, ECX, 5 },
    { "sse4a", 0x80000001, 0, ECX, 6 },
    { "misalignsse", 0x80000001, 0, ECX, 7 },
    { "3dnowprefetch", 0x80000001, 0, ECX, 8 },
    { "osvw", 0x80000001, 0, ECX, 9 },
    { "xop", 0x80000001, 0, ECX, 11 },
    { "fma4", 0x80000001, 0, ECX, 16 },
    { "tbm", 0x80000001, 0, ECX, 21 },
    { "topoext", 0x80000001, 0, ECX, 22 },
    { "perfctr-core", 0x80000001, 0, ECX, 23 },
    { "invtsc", 0x80000007, 0, EDX, 8 },
    { "clzero", 0x80000008, 0, EBX, 0 },
    { "xsaveerptr", 0x80000008, 0, EBX, 2 },
    { "wbnoinvd", 0x80000008, 0, EBX, 9 },
    { "ibpb", 0x80000008, 0, EBX, 12 },
    { "ibrs", 0x80000008, 0, EBX, 14 },
    { "amd-stibp", 0x80000008, 0, EBX, 15 },
    { "amd-ssbd", 0x80000008, 0, EBX, 24 },
    { "virt-ssbd", 0x80000008, 0, EBX, 25 },
};

static const char *const models[] = { "host", "max", NULL };

/* ---- entries ------------------------------------------------------------- */

static struct kvm_cpuid_entry2 *find_entry(struct kvm_cpuid2 *cpuid,
                                           uint32_t leaf, uint32_t subleaf)
{
    unsigned i;

    for (i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        if (entry->function == leaf &&
            (entry->index == subleaf ||
             !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX))) {
            return entry;
        }
    }
    return NULL;
}

static uint32_t *entry_reg(struct kvm_cpuid_entry2 *entry, unsigned reg)
{
    switch (reg) {
    case EAX:
        return &entry->eax;
    case EBX:
        return &entry->ebx;
    case ECX:
        return &entry->ecx;
    default:
        return &entry->edx;
    }
}

static void remove_leaf(struct kvm_cpuid2 *cpuid, uint32_t leaf)
{
    unsigned kept = 0;
    unsigned i;

    for (i = 0; i < cpuid->nent; i++) {
        if (cpuid->entries[i].function != leaf) {
            cpuid->entries[kept++] = cpuid->entries[i];
        }
    }
    cpuid->nent = kept;
}

static size_t cpuid_size(unsigned entries)
{
    return sizeof(struct kvm_cpuid2) +
           entries * sizeof(struct kvm_cpuid_entry2);
}

/* ---- -cpu ---------------------------------------------------------------- */

static const Feature *find_feature(const char *name)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(features); i++) {
        if (!strcmp(features[i].name, name)) {
            return &features[i];
        }
    }
    return NULL;
}

static bool unknown_feature(const char *name, GError **err)
{
    const char *names[G_N_ELEMENTS(features) + 1] = { NULL };
    const char *nearest;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(features); i++) {
        names[i] = features[i].name;
    }
    nearest = nearest_name(name, names);
    g_set_error(err, KVM_ERROR, 0,
                "-cpu: unknown feature '%s'%s%s%s; -cpu help lists them", name,
                nearest ? ": did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
    return false;
}

static bool set_feature(struct kvm_cpuid2 *cpuid, const char *text, bool on,
                        GError **err)
{
    g_autofree char *name = g_strdelimit(g_strdup(text), "_", '-');
    const Feature *feature = find_feature(name);
    struct kvm_cpuid_entry2 *entry;
    uint32_t bit;

    if (!feature) {
        return unknown_feature(text, err);
    }
    bit = 1u << feature->bit;
    entry = find_entry(cpuid, feature->leaf, feature->subleaf);
    if (on && !(entry && *entry_reg(entry, feature->reg) & bit)) {
        g_set_error(err, KVM_ERROR, 0,
                    "-cpu: this host's KVM cannot give the guest '%s': leave"
                    " +%s out", name, name);
        return false;
    }
    if (!on && entry) {
        *entry_reg(entry, feature->reg) &= ~bit;
    }
    return true;
}

/* "+name", "-name", "name=on", "name=off" */
static bool parse_setting(struct kvm_cpuid2 *cpuid, const char *setting,
                          GError **err)
{
    const char *equals = strchr(setting, '=');
    g_autofree char *name = NULL;

    if (*setting == '+' || *setting == '-') {
        return set_feature(cpuid, setting + 1, *setting == '+', err);
    }
    if (equals && (!strcmp(equals, "=on") || !strcmp(equals, "=off"))) {
        name = g_strndup(setting, equals - setting);
        return set_feature(cpuid, name, !strcmp(equals, "=on"), err);
    }
    g_set_error(err, KVM_ERROR, 0,
                "-cpu: '%s': write +feature or -feature", setting);
    return false;
}

static bool parse_model(struct kvm_cpuid2 *cpuid, const char *model,
                        GError **err)
{
    g_auto(GStrv) parts = g_strsplit(model, ",", -1);
    unsigned i;

    if (!parts[0] || !g_strv_contains(models, parts[0])) {
        g_set_error(err, KVM_ERROR, 0,
                    "-cpu: unknown model '%s': there are host and max",
                    parts[0] ? parts[0] : "");
        return false;
    }
    for (i = 1; parts[i]; i++) {
        if (!parse_setting(cpuid, parts[i], err)) {
            return false;
        }
    }
    return true;
}

const char *const *x86_cpu_models(void)
{
    return models;
}

void x86_cpu_print_models(FILE *out)
{
    unsigned i;

    fprintf(out, "Models, each followed by any number of ,+feature and"
                 " ,-feature:\n"
                 "  host  what this host's processor and KVM can do (default)\n"
                 "  max   the same\n"
                 "Features:");
    for (i = 0; i < G_N_ELEMENTS(features); i++) {
        fprintf(out, "%s%s", i % 6 ? " " : "\n  ", features[i].name);
    }
    fprintf(out, "\n");
}

/* What holds for every guest, before the user's wishes. */
static void adjust(KVMState *kvm, struct kvm_cpuid2 *cpuid)
{
    struct kvm_cpuid_entry2 *entry = find_entry(cpuid, 1, 0);

    if (entry) {
        entry->ecx |= ECX1_HYPERVISOR;
        if (kvm->irqchip && kvm->tsc_deadline) {
            entry->ecx |= ECX1_TSC_DEADLINE;
        } else {
            entry->ecx &= ~ECX1_TSC_DEADLINE;
        }
        if (!kvm->irqchip) {
            entry->ecx &= ~ECX1_X2APIC;
        }
    }
}

bool x86_cpuid_init(KVMState *kvm, const char *model, GError **err)
{
    unsigned room = 80;
    int result;

    for (;;) {
        kvm->arch = g_malloc0(cpuid_size(room + EXTRA_ENTRIES));
        kvm->arch->cpuid.nent = room;
        result = kvm_ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &kvm->arch->cpuid);
        if (result != -E2BIG || room >= MAX_ENTRIES) {
            break;
        }
        g_clear_pointer(&kvm->arch, g_free);
        room *= 2;
    }
    if (result < 0) {
        g_set_error(err, KVM_ERROR, 0, "KVM refuses to tell its CPUID: %s",
                    g_strerror(-result));
        return false;
    }
    adjust(kvm, &kvm->arch->cpuid);
    return parse_model(&kvm->arch->cpuid, model ? model : "host", err);
}

/* ---- one vCPU ------------------------------------------------------------ */

uint32_t x86_cpuid_signature(KVMState *kvm)
{
    struct kvm_cpuid_entry2 *entry = find_entry(&kvm->arch->cpuid, 1, 0);

    return entry ? entry->eax : 0;
}

static bool is_amd(struct kvm_cpuid2 *cpuid)
{
    struct kvm_cpuid_entry2 *entry = find_entry(cpuid, 0, 0);

    /* AuthenticAMD, HygonGenuine */
    return entry && (entry->ebx == 0x68747541 || entry->ebx == 0x6f677948);
}

/* A vCPU's place: its APIC id, the fields of that, and how many logical processors
 * there are in a core, a die and a socket. */
typedef struct Place {
    unsigned id;
    X86APICFields at;
    unsigned dies, core, die, socket;
} Place;

static Place place_of(CPUState *cpu)
{
    CPUTopology t = cpu->kvm->topology;
    Place place = { .id = cpu->arch_id };

    if (!t.cores) {
        t = (CPUTopology){ .dies = 1, .cores = cpus_count(), .threads = 1 };
    }
    place.at = x86_apic_fields(&t);
    place.dies = t.dies;
    place.core = t.threads;
    place.die = t.cores * place.core;
    place.socket = t.dies * place.die;
    return place;
}

/* How many APIC ids share each cache: the last level is a die's, any other a core's. */
static void set_caches(struct kvm_cpuid2 *cpuid, uint32_t leaf, const Place *place)
{
    unsigned core_ids = 1u << (place->at.socket - place->at.core);
    unsigned i;

    for (i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];
        unsigned level = entry->eax >> 5 & 7;
        unsigned sharing = 1u << (level >= 3 ? place->at.die : place->at.core);

        if (entry->function != leaf || !(entry->eax & 0x1f)) {
            continue;
        }
        entry->eax &= ~(0xfffu << 14);
        entry->eax |= (MIN(sharing, 0x1000) - 1) << 14;
        if (leaf == 4) {
            entry->eax &= ~(0x3fu << 26);
            entry->eax |= (MIN(core_ids, 64) - 1) << 26;
        }
    }
}

enum { LEVEL_END, LEVEL_THREAD, LEVEL_CORE, LEVEL_DIE = 5 };

static void add_level(struct kvm_cpuid2 *cpuid, uint32_t leaf, unsigned level,
                      unsigned type, unsigned shift, unsigned processors, unsigned id)
{
    cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){
        .function = leaf,
        .index = level,
        .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
        .eax = shift,
        .ebx = processors,
        .ecx = level | type << 8,
        .edx = id,
    };
}

/* The levels of the extended topology. Leaf 0xb has no dies: its cores are the
 * socket's. */
static void set_levels(struct kvm_cpuid2 *cpuid, const Place *place)
{
    struct kvm_cpuid_entry2 *entry = find_entry(cpuid, 0, 0);
    const X86APICFields *at = &place->at;
    bool dies = place->dies > 1 && !is_amd(cpuid);

    remove_leaf(cpuid, 0xb);
    remove_leaf(cpuid, 0x1f);
    remove_leaf(cpuid, 0x80000026);
    if (!entry || entry->eax < 0xb) {
        return;
    }
    add_level(cpuid, 0xb, 0, LEVEL_THREAD, at->core, place->core, place->id);
    add_level(cpuid, 0xb, 1, LEVEL_CORE, at->socket, place->socket, place->id);
    add_level(cpuid, 0xb, 2, LEVEL_END, 0, 0, place->id);
    if (dies) {
        entry = find_entry(cpuid, 0, 0);
        entry->eax = MAX(entry->eax, 0x1f);
        add_level(cpuid, 0x1f, 0, LEVEL_THREAD, at->core, place->core, place->id);
        add_level(cpuid, 0x1f, 1, LEVEL_CORE, at->die, place->die, place->id);
        add_level(cpuid, 0x1f, 2, LEVEL_DIE, at->socket, place->socket, place->id);
        add_level(cpuid, 0x1f, 3, LEVEL_END, 0, 0, place->id);
    }
}

static void set_amd_topology(struct kvm_cpuid2 *cpuid, const Place *place)
{
    unsigned core = place->id & ((1u << place->at.socket) - 1);
    struct kvm_cpuid_entry2 *entry;

    entry = find_entry(cpuid, 0x80000001, 0);
    if (entry) {
        entry->ecx &= ~ECX_AMD_CMP_LEGACY;
        entry->ecx |= place->socket > 1 ? ECX_AMD_CMP_LEGACY : 0;
    }
    entry = find_entry(cpuid, 0x80000008, 0);
    if (entry) {
        entry->ecx &= ~0xf0ffu;
        entry->ecx |= (place->socket - 1) | place->at.socket << 12;
    }
    set_caches(cpuid, 0x8000001d, place);
    entry = find_entry(cpuid, 0x8000001e, 0);
    if (entry) {
        entry->eax = place->id;
        entry->ebx = core >> place->at.core | (place->core - 1) << 8;
        /* A die is a node. */
        entry->ecx = place->id >> place->at.die | (place->dies - 1) << 8;
    }
}

/* AMD's processors tell of threads and dies in leaves that come with topoext. */
static void check_topology(struct kvm_cpuid2 *cpuid, const Place *place)
{
    struct kvm_cpuid_entry2 *entry = find_entry(cpuid, 0x80000001, 0);

    if (is_amd(cpuid) && (place->core > 1 || place->dies > 1) &&
        !(entry && entry->ecx & ECX_AMD_TOPOEXT)) {
        g_printerr("flatview: -smp: processors of this host tell guests nothing of"
                   " threads and dies (they have no topoext): guests see cores\n");
    }
}

static void set_topology(struct kvm_cpuid2 *cpuid, const Place *place)
{
    struct kvm_cpuid_entry2 *entry = find_entry(cpuid, 1, 0);

    if (entry) {
        entry->ebx &= 0xffff;
        entry->ebx |= place->id << 24 | MIN(place->socket, 255) << 16;
        entry->edx &= ~EDX1_HTT;
        entry->edx |= place->socket > 1 ? EDX1_HTT : 0;
    }
    set_caches(cpuid, 4, place);
    set_levels(cpuid, place);
    if (is_amd(cpuid)) {
        set_amd_topology(cpuid, place);
    }
}

int x86_cpuid_set(CPUState *cpu)
{
    const struct kvm_cpuid2 *common = &cpu->kvm->arch->cpuid;
    size_t size = cpuid_size(common->nent);
    Place place = place_of(cpu);
    g_autofree struct kvm_cpuid2 *cpuid =
        g_malloc0(cpuid_size(common->nent + EXTRA_ENTRIES));

    memcpy(cpuid, common, size);
    if (!cpu->index) {
        check_topology(cpuid, &place);
    }
    set_topology(cpuid, &place);
    return kvm_vcpu_ioctl(cpu, KVM_SET_CPUID2, cpuid);
}
