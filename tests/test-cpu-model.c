/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -cpu, and what CPUID says to each vCPU, over a stand-in for KVM.
 */
#include <string.h>

#include "target-i386/cpu.h"
#include "target-i386/topology.h"
#include "tests/kvm-fake.h"

static FakeKVM fake;
static KVMState *kvm;

static void refused(const char *model, const char *message)
{
    GError *err = NULL;

    fake_init(&fake);
    kvm = fake_kvm_new(&fake, &(KVMOptions){ .cpu_model = model }, &err);
    expect(!kvm, "'%s' is taken", model);
    ck_assert_str_eq(err->message, message);
    g_error_free(err);
    fake_destroy(&fake);
}

START_TEST(test_wrong_models)
{
    refused("", "-cpu: unknown model '': there are host and max");
    refused("hots", "-cpu: unknown model 'hots': there are host and max");
    refused("host,sse2", "-cpu: 'sse2': write +feature or -feature");
    refused("host,sse2=maybe",
            "-cpu: 'sse2=maybe': write +feature or -feature");
    refused("host,", "-cpu: '': write +feature or -feature");
    refused("host,-hypervizor",
            "-cpu: unknown feature 'hypervizor': did you mean 'hypervisor'?; -cpu"
            " help lists them");
    refused("host,+sse2,+avx2",
            "-cpu: this host's KVM cannot give the guest 'avx2': leave +avx2"
            " out");
    refused("max,avx2=on",
            "-cpu: this host's KVM cannot give the guest 'avx2': leave +avx2"
            " out");
}
END_TEST

static struct kvm_cpuid_entry2 *leaf(unsigned cpu, uint32_t function,
                                     uint32_t index)
{
    static struct kvm_cpuid_entry2 none;
    unsigned i;

    for (i = 0; i < fake.cpus[cpu].nr_cpuid; i++) {
        struct kvm_cpuid_entry2 *entry = &fake.cpus[cpu].cpuid[i];

        if (entry->function == function && entry->index == index) {
            return entry;
        }
    }
    memset(&none, 0, sizeof(none));
    return &none;
}

static void make_vendor(const KVMOptions *options, unsigned n, bool amd)
{
    GError *err = NULL;

    fake_init(&fake);
    fake.amd = amd;
    kvm = fake_kvm_new(&fake, options, &err);
    expect(kvm, "kvm_new: %s", err ? err->message : "");
    expect(cpus_create(kvm, n, NULL, NULL, &err), "cpus_create: %s",
           err ? err->message : "");
}

static void make(const KVMOptions *options, unsigned n)
{
    make_vendor(options, n, false);
}

static void destroy(void)
{
    cpus_destroy();
    kvm_free(kvm);
    fake_destroy(&fake);
}

START_TEST(test_features)
{
    make(&(KVMOptions){ 0 }, 1);
    ck_assert(leaf(0, 1, 0)->edx & 1u << 26);  /* sse2 */
    ck_assert(leaf(0, 1, 0)->ecx & 1u << 31);  /* hypervisor */
    ck_assert(leaf(0, 1, 0)->ecx & 1u << 24);  /* tsc-deadline */
    ck_assert(leaf(0, 1, 0)->ecx & 1u << 21);  /* x2apic */
    destroy();
    make(&(KVMOptions){ .cpu_model = "max,-sse2,tsc_deadline=off,+sse" }, 1);
    ck_assert(!(leaf(0, 1, 0)->edx & 1u << 26));
    ck_assert(leaf(0, 1, 0)->edx & 1u << 25);
    ck_assert(!(leaf(0, 1, 0)->ecx & 1u << 24));
    destroy();
    make(&(KVMOptions){ .no_irqchip = true }, 1);
    ck_assert(!(leaf(0, 1, 0)->ecx & (1u << 24 | 1u << 21)));
    destroy();
}
END_TEST

START_TEST(test_one_cpu)
{
    make(&(KVMOptions){ 0 }, 1);
    expect_hex(leaf(0, 1, 0)->ebx >> 16, 0x0001);
    ck_assert(!(leaf(0, 1, 0)->edx & 1u << 28));
    expect_hex(leaf(0, 0xb, 1)->eax, 0);
    expect_hex(leaf(0, 0xb, 1)->ebx, 1);
    destroy();
}
END_TEST

START_TEST(test_six_cpus)
{
    unsigned i;

    make(&(KVMOptions){ 0 }, 6);
    for (i = 0; i < 6; i++) {
        expect_hex(leaf(i, 1, 0)->ebx, i << 24 | 6 << 16);
        ck_assert(leaf(i, 1, 0)->edx & 1u << 28);
        /* One thread a core, 3 bits of the APIC id for 6 cores. */
        expect_hex(leaf(i, 0xb, 0)->eax, 0);
        expect_hex(leaf(i, 0xb, 0)->ebx, 1);
        expect_hex(leaf(i, 0xb, 0)->ecx, 0x100);
        expect_hex(leaf(i, 0xb, 1)->eax, 3);
        expect_hex(leaf(i, 0xb, 1)->ebx, 6);
        expect_hex(leaf(i, 0xb, 1)->ecx, 0x201);
        expect_hex(leaf(i, 0xb, 2)->ecx, 2);
        expect_hex(leaf(i, 0xb, 0)->edx, i);
        expect_hex(leaf(i, 0xb, 1)->edx, i);
        /* Level 1 is a core's own, level 3 everybody's. */
        expect_hex(leaf(i, 4, 0)->eax, 0x121 | 7u << 26);
        expect_hex(leaf(i, 4, 1)->eax, 0x163 | 7u << 14 | 7u << 26);
        expect_hex(leaf(i, 4, 2)->eax, 0);
    }
    destroy();
}
END_TEST

/* ---- topologies ---------------------------------------------------------------- */

typedef struct Example {
    CPUTopology topology;
    unsigned ids[8];          /* as established by QEMU 7.2 */
    X86APICFields at;
    unsigned core, die, socket; /* processors in each */
} Example;

static const Example examples[] = {
    { { 1, 1, 6, 1 }, { 0, 1, 2, 3, 4, 5 }, { 0, 3, 3 }, 1, 6, 6 },
    { { 2, 1, 2, 2 }, { 0, 1, 2, 3, 4, 5, 6, 7 }, { 1, 2, 2 }, 2, 4, 4 },
    { { 1, 1, 3, 2 }, { 0, 1, 2, 3, 4, 5 }, { 1, 3, 3 }, 2, 6, 6 },
    { { 2, 1, 3, 1 }, { 0, 1, 2, 4, 5, 6 }, { 0, 2, 2 }, 1, 3, 3 },
    { { 1, 2, 3, 1 }, { 0, 1, 2, 4, 5, 6 }, { 0, 2, 3 }, 1, 3, 6 },
    { { 2, 2, 1, 2 }, { 0, 1, 2, 3, 4, 5, 6, 7 }, { 1, 1, 2 }, 2, 2, 4 },
    { { 1, 3, 1, 2 }, { 0, 1, 2, 3, 4, 5 }, { 1, 1, 3 }, 2, 2, 6 },
    { { 2, 1, 1, 3 }, { 0, 1, 2, 4, 5, 6 }, { 2, 2, 2 }, 3, 3, 3 },
    { { 3, 1, 1, 1 }, { 0, 1, 2 }, { 0, 0, 0 }, 1, 1, 1 },
};

static unsigned count(const CPUTopology *t)
{
    return t->sockets * t->dies * t->cores * t->threads;
}

static void make_example(const Example *e, bool amd)
{
    const CPUTopology *t = &e->topology;

    snprintf(test_context, sizeof(test_context), "%u sockets, %u dies, %u cores,"
             " %u threads: ", t->sockets, t->dies, t->cores, t->threads);
    make_vendor(&(KVMOptions){ .dies = t->dies, .cores = t->cores,
                               .threads = t->threads }, count(t), amd);
}

START_TEST(test_apic_ids)
{
    const CPUTopology large = { 2, 3, 5, 3 };
    unsigned i, k;

    for (i = 0; i < G_N_ELEMENTS(examples); i++) {
        const Example *e = &examples[i];

        make_example(e, false);
        for (k = 0; k < count(&e->topology); k++) {
            ck_assert_uint_eq(x86_apic_id(&e->topology, k), e->ids[k]);
            ck_assert_uint_eq(cpus_get(k)->arch_id, e->ids[k]);
            ck_assert_uint_eq(fake.cpus[k].id, e->ids[k]);
            /* The registers that say so agree after a reset, too. */
            cpus_get(k)->accel->fresh = false;
            kvm_arch_reset_cpu(cpus_get(k));
            expect_hex(fake.cpus[k].lapic_id, e->ids[k] << 24);
        }
        destroy();
    }
    ck_assert_uint_eq(x86_apic_id(&large, 14), 18);
    ck_assert_uint_eq(x86_apic_id(&large, 15), 32);
    ck_assert_uint_eq(x86_apic_id(&large, 45), 128);
    ck_assert_uint_eq(x86_apic_id(&large, 89), 210);
    ck_assert_uint_eq(x86_apic_id(&(CPUTopology){ 0 }, 77), 77);
}
END_TEST

/* The table of docs/processors.md. */
START_TEST(test_documented_ids)
{
    const char *source = g_getenv("SRC_PATH");
    g_autofree char *path = g_build_filename(source ? source : ".", "docs",
                                             "processors.md", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned found = 0;
    unsigned i, k;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i]; i++) {
        g_autoptr(GString) row = g_string_new(NULL);
        CPUTopology t;

        if (sscanf(lines[i], "| %u | %u | %u | %u |", &t.sockets, &t.dies, &t.cores,
                   &t.threads) != 4) {
            continue;
        }
        g_string_printf(row, "| %u | %u | %u | %u |", t.sockets, t.dies, t.cores,
                        t.threads);
        for (k = 0; k < count(&t); k++) {
            g_string_append_printf(row, " %u", x86_apic_id(&t, k));
        }
        g_string_append(row, " |");
        ck_assert_str_eq(lines[i], row->str);
        found++;
    }
    ck_assert_uint_eq(found, 5);
}
END_TEST

static void expect_level(unsigned cpu, uint32_t function, unsigned level,
                         unsigned type, unsigned shift, unsigned processors)
{
    const struct kvm_cpuid_entry2 *entry = leaf(cpu, function, level);

    expect_hex(entry->eax, shift);
    expect_hex(entry->ebx, processors);
    expect_hex(entry->ecx, type << 8 | level);
    expect_hex(entry->edx, cpus_get(cpu)->arch_id);
}

START_TEST(test_intel_topology)
{
    unsigned i, k;

    for (i = 0; i < G_N_ELEMENTS(examples); i++) {
        const Example *e = &examples[i];
        bool dies = e->topology.dies > 1;

        make_example(e, false);
        for (k = 0; k < count(&e->topology); k++) {
            expect_hex(leaf(k, 1, 0)->ebx, e->ids[k] << 24 | e->socket << 16);
            expect_hex(leaf(k, 1, 0)->edx >> 28 & 1, e->socket > 1);
            expect_hex(leaf(k, 0, 0)->eax, dies ? 0x1f : 0xd);
            expect_level(k, 0xb, 0, 1, e->at.core, e->core);
            expect_level(k, 0xb, 1, 2, e->at.socket, e->socket);
            expect_level(k, 0xb, 2, 0, 0, 0);
            if (dies) {
                expect_level(k, 0x1f, 0, 1, e->at.core, e->core);
                expect_level(k, 0x1f, 1, 2, e->at.die, e->die);
                expect_level(k, 0x1f, 2, 5, e->at.socket, e->socket);
                expect_level(k, 0x1f, 3, 0, 0, 0);
            } else {
                ck_assert_uint_eq(leaf(k, 0x1f, 0)->function, 0);
            }
            /* The first level is a core's, the third a die's; APIC ids count. */
            expect_hex(leaf(k, 4, 0)->eax,
                       0x121 | ((1u << e->at.core) - 1) << 14 |
                           ((1u << (e->at.socket - e->at.core)) - 1) << 26);
            expect_hex(leaf(k, 4, 1)->eax,
                       0x163 | ((1u << e->at.die) - 1) << 14 |
                           ((1u << (e->at.socket - e->at.core)) - 1) << 26);
            expect_hex(leaf(k, 4, 2)->eax, 0);
        }
        destroy();
    }
}
END_TEST

START_TEST(test_amd_topology)
{
    unsigned i, k;

    for (i = 0; i < G_N_ELEMENTS(examples); i++) {
        const Example *e = &examples[i];

        make_example(e, true);
        for (k = 0; k < count(&e->topology); k++) {
            unsigned id = e->ids[k];
            unsigned in_socket = id & ((1u << e->at.socket) - 1);

            expect_hex(leaf(k, 1, 0)->ebx, id << 24 | e->socket << 16);
            expect_hex(leaf(k, 0, 0)->eax, 0xd); /* 0x1f is Intel's */
            ck_assert_uint_eq(leaf(k, 0x1f, 0)->function, 0);
            expect_level(k, 0xb, 0, 1, e->at.core, e->core);
            expect_level(k, 0xb, 1, 2, e->at.socket, e->socket);
            expect_hex(leaf(k, 0x80000001, 0)->ecx,
                       1u << 22 | (e->socket > 1 ? 1u << 1 : 0));
            expect_hex(leaf(k, 0x80000008, 0)->ecx,
                       (e->socket - 1) | e->at.socket << 12);
            expect_hex(leaf(k, 0x8000001d, 0)->eax,
                       0x121 | ((1u << e->at.core) - 1) << 14);
            expect_hex(leaf(k, 0x8000001d, 1)->eax,
                       0x163 | ((1u << e->at.die) - 1) << 14);
            expect_hex(leaf(k, 0x8000001e, 0)->eax, id);
            expect_hex(leaf(k, 0x8000001e, 0)->ebx,
                       in_socket >> e->at.core | (e->core - 1) << 8);
            expect_hex(leaf(k, 0x8000001e, 0)->ecx,
                       id >> e->at.die | (e->topology.dies - 1) << 8);
        }
        destroy();
    }
}
END_TEST

/* Where AMD's processors cannot say it, the user is told, once. */
START_TEST(test_amd_without_topoext)
{
    const KVMOptions threads = { .cores = 2, .threads = 2, .cpu_model = "host,-topoext" };
    const KVMOptions dies = { .dies = 2, .cores = 2, .cpu_model = "host,-topoext" };
    const KVMOptions cores = { .cores = 4, .cpu_model = "host,-topoext" };
    g_autofree char *first = NULL, *second = NULL, *third = NULL;

    fake_messages_begin();
    make_vendor(&threads, 4, true);
    destroy();
    first = fake_messages_end();
    ck_assert_str_eq(first, "flatview: -smp: processors of this host tell guests"
                            " nothing of threads and dies (they have no topoext):"
                            " guests see cores\n");
    fake_messages_begin();
    make_vendor(&dies, 4, true);
    destroy();
    second = fake_messages_end();
    ck_assert_str_eq(first, second);
    fake_messages_begin();
    make_vendor(&cores, 4, true);
    destroy();
    third = fake_messages_end();
    ck_assert_str_eq(third, "");
}
END_TEST

/* Ids with gaps end earlier than vCPUs do. */
static void ids_run_out(unsigned max_ids, unsigned n, bool fits)
{
    GError *err = NULL;

    fake_init(&fake);
    fake.max_ids = max_ids; /* 0: KVM does not say, and then 8 as it has vCPUs */
    kvm = fake_kvm_new(&fake, &(KVMOptions){ .cores = 5 }, &err);
    ck_assert(cpus_create(kvm, n, NULL, NULL, &err) == fits);
    if (!fits) {
        ck_assert_str_eq(err->message,
                         "-smp: CPU 5 would be number 8 of the processors, but 7 is the"
                         " last that KVM can have here: use fewer CPUs, or numbers of"
                         " dies, cores and threads that are powers of two");
        ck_assert_uint_eq(cpus_count(), 0);
        g_error_free(err);
    }
    ck_assert_uint_eq(kvm_arch_cpu_ids(kvm), 255); /* 8 bits, one of them all */
    destroy();
}

START_TEST(test_ids_run_out)
{
    ids_run_out(8, 5, true);
    ids_run_out(8, 6, false);
    ids_run_out(0, 5, true);
    ids_run_out(0, 6, false);
}
END_TEST

START_TEST(test_help)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    x86_cpu_print_models(out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "\n  host "));
    ck_assert_ptr_nonnull(strstr(text, " hypervisor "));
    free(text);
}
END_TEST

TEST_MAIN("cpu-model", test_wrong_models, test_features, test_one_cpu,
          test_six_cpus, test_apic_ids, test_documented_ids, test_intel_topology,
          test_amd_topology, test_amd_without_topoext, test_ids_run_out, test_help)
