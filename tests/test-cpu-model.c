/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -cpu, and what CPUID says to each vCPU, over a stand-in for KVM.
 */
#include <string.h>

#include "target-i386/cpu.h"
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

static void make(const KVMOptions *options, unsigned n)
{
    GError *err = NULL;

    fake_init(&fake);
    kvm = fake_kvm_new(&fake, options, &err);
    expect(kvm, "kvm_new: %s", err ? err->message : "");
    expect(cpus_create(kvm, n, NULL, NULL, &err), "cpus_create: %s",
           err ? err->message : "");
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
          test_six_cpus, test_help)
