/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever KVM refuses: one life of a machine, from opening KVM over changes of
 * the map, dirty logging and a reset to the end, is lived again and again over
 * a stand-in for KVM, with each of its calls failing in turn, in four ways. An
 * interrupted call is made again; any other failure has the outcome that the
 * table below says, with a message that names what it is about; never an abort,
 * a hang or a leak.
 */
#include <errno.h>
#include <string.h>

#include "sysemu.h"
#include "target-i386/cpu.h"
#include "tests/kvm-fake.h"

#define PAGE TARGET_PAGE_SIZE
#define RAM_PAGES 128

typedef enum Phase { NEW, CPUS, ATTACH, BUILD, START, RUN, END, PHASES } Phase;

/* How a life ended. */
typedef struct Life {
    Phase failed;   /* END: it did not fail */
    char *error;    /* of the phase that failed */
    char *messages; /* on the way */
    int status;
    unsigned resets;
    unsigned calls;
    unsigned phase_end[PHASES]; /* calls made by then */
    unsigned long request;      /* that failed */
} Life;

static FakeKVM fake;
static KVMState *kvm;
static MemoryRegion root, ports_root, ram, rom, flash, late;
static MemoryRegion smm_root, smm_alias, smram;
static AddressSpace memory, ports, smm;
static IoDevice dev, port_dev;
static EventNotifier bell, bell2;
static Life *life;

/* ---- one life ------------------------------------------------------------ */

static const MemoryRegionOps flash_ops = { .endianness = DEVICE_LITTLE_ENDIAN };

static void machine_make(void)
{
    memory_region_init(&root, "memory", UINT64_MAX);
    memory_region_init(&ports_root, "ports", 0x10000);
    memory_region_init_ram(&ram, "ram", RAM_PAGES * PAGE);
    memory_region_add_subregion(&root, 0, &ram);
    memory_region_init_rom(&rom, "rom", 4 * PAGE);
    memory_region_add_subregion(&root, 0x1000000, &rom);
    memory_region_init_rom_device(&flash, &flash_ops, NULL, "flash", 4 * PAGE);
    memory_region_add_subregion(&root, 0x2000000, &flash);
    memory_region_init_ram(&late, "late", 4 * PAGE);
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_add_subregion(&root, 0x3000000, &dev.mr);
    io_device_init(&port_dev, 2, "port-dev", 16);
    memory_region_add_subregion(&ports_root, 0x100, &port_dev.mr);
    event_notifier_init(&bell, 0);
    event_notifier_init(&bell2, 0);
    memory_region_add_eventfd(&dev.mr, 0, 4, true, 1, &bell);
    memory_region_add_eventfd(&port_dev.mr, 4, 0, false, 0, &bell);
    memory_region_add_coalescing(&dev.mr, 0x100, 0x100);
    memory_region_add_coalescing(&port_dev.mr, 8, 4);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    address_space_init(&memory, &root);
    address_space_init(&ports, &ports_root);
    memory_region_init(&smm_root, "smm", UINT64_MAX);
    memory_region_init_alias(&smm_alias, "smm-alias", &root, 0, UINT64_MAX);
    memory_region_add_subregion(&smm_root, 0, &smm_alias);
    memory_region_init_ram(&smram, "smram", PAGE);
    memory_region_add_subregion_overlap(&smm_root, 8 * PAGE, &smram, 1);
    address_space_init(&smm, &smm_root);
}

static void machine_destroy(void)
{
    address_space_destroy(&smm);
    memory_region_del_subregion(&smm_root, &smram);
    memory_region_destroy(&smram);
    memory_region_del_subregion(&smm_root, &smm_alias);
    memory_region_destroy(&smm_alias);
    memory_region_destroy(&smm_root);
    if (late.parent) {
        memory_region_del_subregion(&root, &late);
    }
    memory_region_destroy(&late);
    memory_region_del_subregion(&root, &ram);
    memory_region_destroy(&ram);
    memory_region_del_subregion(&root, &rom);
    memory_region_destroy(&rom);
    memory_region_del_subregion(&root, &flash);
    memory_region_destroy(&flash);
    memory_region_del_eventfd(&dev.mr, 0, 4, true, 1, &bell);
    memory_region_del_eventfd(&port_dev.mr, 4, 0, false, 0, &bell);
    memory_region_del_subregion(&root, &dev.mr);
    memory_region_destroy(&dev.mr);
    memory_region_del_subregion(&ports_root, &port_dev.mr);
    memory_region_destroy(&port_dev.mr);
    event_notifier_cleanup(&bell);
    event_notifier_cleanup(&bell2);
    address_space_destroy(&ports);
    address_space_destroy(&memory);
    memory_region_destroy(&ports_root);
    memory_region_destroy(&root);
}

/* What happens while vCPUs run, one step for each turn of the main loop. */
static void step_move(void)
{
    memory_region_set_address(&late, 0x5000000);
}

static void step_replace(void)
{
    memory_region_set_readonly(&late, true);
    memory_region_rom_device_set_readable(&flash, false);
    memory_region_rom_device_set_readable(&flash, true);
}

static void step_dirty(void)
{
    fake_guest_write(&fake, 0, false, 7 * PAGE, 1, 1);
    memory_region_sync_dirty_bitmap(&ram);
    ck_assert(memory_region_get_dirty(&ram, 7 * PAGE, 1, DIRTY_MEMORY_VGA));
    memory_region_reset_dirty(&ram, 0, RAM_PAGES * PAGE, DIRTY_MEMORY_VGA);
}

static void step_replace_dirty(void)
{
    fake_guest_write(&fake, 0, false, 9 * PAGE, 1, 1);
    memory_region_set_address(&ram, 0x6000000);
    /* Nothing that was written is lost, whatever fails. */
    if (!life->request || life->request == KVM_GET_DIRTY_LOG) {
        ck_assert(memory_region_get_dirty(&ram, 9 * PAGE, 1, DIRTY_MEMORY_VGA));
    }
    memory_region_set_address(&ram, 0);
}

static void step_logging(void)
{
    memory_global_dirty_log_start();
    memory_global_dirty_log_stop();
    memory_region_set_log(&ram, false, DIRTY_MEMORY_VGA);
}

static void step_doorbells(void)
{
    memory_region_add_eventfd(&dev.mr, 8, 8, false, 0, &bell2);
    memory_region_add_coalescing(&dev.mr, 0x400, 0x100);
    memory_region_del_eventfd(&dev.mr, 8, 8, false, 0, &bell2);
    memory_region_clear_coalescing(&dev.mr);
}

static void step_interrupt(void)
{
    IRQLine irq = kvm_irq_line(kvm, 5);

    irq_set(&irq, 1);
    irq_set(&irq, 0);
}

static void step_msi(void)
{
    kvm_send_msi(kvm, 0xfee00000, 0x31);
}

static void step_pit(void)
{
    kvm_pit_enable(kvm, false);
}

/* The memory of system management mode alone changes. */
static void step_smm(void)
{
    memory_region_set_enabled(&smram, false);
    memory_region_set_enabled(&smram, true);
}

static void step_smi(void)
{
    IRQLine smi = kvm_smi_line(kvm);

    irq_pulse(&smi);
}

static void step_reset(void)
{
    vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
}

static void step_end(void)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
}

static void (*const steps[])(void) = {
    step_move, step_replace, step_dirty, step_replace_dirty, step_logging,
    step_doorbells, step_interrupt, step_msi, step_pit, step_smm, step_smi,
    step_reset, step_end,
};

static gboolean next_step(void *opaque)
{
    unsigned *step = opaque;

    /* A vCPU that runs tells KVM of the interrupt first. */
    if (__atomic_load_n(&cpus_get(0)->accel->smi, __ATOMIC_SEQ_CST) &&
        vm_is_running()) {
        return G_SOURCE_CONTINUE;
    }
    steps[*step]();
    return ++*step < G_N_ELEMENTS(steps) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void reset_hook(CPUState *cpu, void *opaque)
{
    x86_cpu_set_linux64(cpu, 0x1000, 0x2000, 0x3000, 0x4000);
}

static void reset_machine(void *opaque)
{
    life->resets++;
}

static bool live_through(GError **err)
{
    static unsigned step;

    kvm = fake_kvm_new(&fake, &(KVMOptions){ 0 }, err);
    life->failed = NEW;
    if (!kvm || !kvm_route_pc_timer(kvm, err)) {
        return false;
    }
    life->phase_end[NEW] = fake.calls;
    life->failed = CPUS;
    if (!cpus_create(kvm, 2, &memory, &ports, err)) {
        return false;
    }
    cpus_get(0)->reset_hook = reset_hook;
    life->phase_end[CPUS] = fake.calls;
    life->failed = ATTACH;
    if (!kvm_attach(kvm, &memory, &ports, err) ||
        (kvm_has_smm(kvm) && !kvm_attach_smm(kvm, &smm, err))) {
        return false;
    }
    life->phase_end[ATTACH] = fake.calls;
    memory_region_add_subregion(&root, 0x4000000, &late);
    life->phase_end[BUILD] = fake.calls;
    life->failed = START;
    if (!cpus_start(err)) {
        return false;
    }
    life->phase_end[START] = fake.calls;
    step = 0;
    g_idle_add(next_step, &step);
    life->status = vm_main_loop(&(RunOptions){ 0 },
                                &(RunMachine){ .reset = reset_machine });
    life->phase_end[RUN] = fake.calls;
    life->failed = END;
    return true;
}

/* Live with the call @fail_at failing (0: none). */
static void live(Life *l, unsigned fail_at, int error)
{
    GError *err = NULL;

    memset(l, 0, sizeof(*l));
    life = l;
    fake_init(&fake);
    fake.fail_at = fail_at;
    fake.fail_errno = error;
    machine_make();
    fake_messages_begin();
    if (!live_through(&err)) {
        l->error = g_strdup(err->message);
        g_error_free(err);
    }
    cpus_destroy();
    kvm_free(kvm);
    kvm = NULL;
    l->messages = fake_messages_end();
    l->calls = fake.calls;
    l->request = fake.failed_request;
    machine_destroy();
    fake_destroy(&fake);
}

static void life_clear(Life *l)
{
    g_free(l->error);
    g_free(l->messages);
}

/* ---- what must come of it ------------------------------------------------ */

typedef enum Outcome {
    HARMLESS, /* as if nothing had happened, or with a word on being slower */
    FATAL,    /* the phase fails, with this in its error */
    PAUSED,   /* with this in its message */
} Outcome;

typedef struct Rule {
    unsigned long request;
    Outcome starting, running;
    const char *text;
} Rule;

static const Rule rules[] = {
    { KVM_GET_API_VERSION, FATAL, 0, "/dev/kvm is not KVM: " },
    { KVM_GET_VCPU_MMAP_SIZE, FATAL, 0, "KVM refuses the size of a vCPU's map: " },
    { KVM_CREATE_VM, FATAL, 0, "KVM refuses to make a virtual machine: " },
    { KVM_CHECK_EXTENSION, HARMLESS, HARMLESS, "" },
    { KVM_ENABLE_CAP, HARMLESS, 0, "" },
    { KVM_SET_IDENTITY_MAP_ADDR, FATAL, 0, "a page table for real mode: " },
    { KVM_SET_TSS_ADDR, FATAL, 0, "a TSS for real mode: " },
    { KVM_CREATE_IRQCHIP, FATAL, 0, "in-kernel interrupt chips" },
    { KVM_CREATE_PIT2, FATAL, 0, "in-kernel timer chip" },
    { KVM_GET_SUPPORTED_CPUID, FATAL, 0, "KVM refuses to tell its CPUID: " },
    { KVM_CREATE_VCPU, FATAL, 0, "KVM refuses to make a vCPU: " },
    { KVM_SET_CPUID2, FATAL, 0, "KVM refuses the CPU model: " },
    { KVM_SET_USER_MEMORY_REGION, FATAL, PAUSED, " memory slot of region '" },
    { KVM_REGISTER_COALESCED_MMIO, HARMLESS, HARMLESS,
      "KVM refuses to coalesce writes to region '" },
    { KVM_UNREGISTER_COALESCED_MMIO, FATAL, PAUSED,
      "KVM refuses to stop coalescing writes to region 'dev'" },
    { KVM_GET_DIRTY_LOG, FATAL, PAUSED, "fetch the dirty log of region 'ram'" },
    { KVM_CLEAR_DIRTY_LOG, FATAL, PAUSED, "clear the dirty log of region 'ram'" },
    { KVM_IRQ_LINE, FATAL, PAUSED, "KVM refuses interrupt 5: " },
    { KVM_SET_IRQCHIP, FATAL, PAUSED, "KVM refuses to reset the " },
    { KVM_GET_PIT2, 0, PAUSED, "KVM refuses to tell the state of the PIT: " },
    { KVM_SIGNAL_MSI, 0, HARMLESS, "" },
    { KVM_SMI, 0, PAUSED, "KVM refuses a system management interrupt of vCPU 0: " },
    { KVM_SET_GSI_ROUTING, FATAL, 0, "KVM refuses to wire interrupts as on a PC" },
    { KVM_SET_SREGS, FATAL, PAUSED, "segments and control registers of vCPU" },
    { KVM_SET_REGS, FATAL, PAUSED, "general registers of vCPU" },
    { KVM_GET_MSRS, FATAL, PAUSED, "a model-specific register of vCPU" },
    { KVM_SET_MSRS, FATAL, PAUSED, "a model-specific register of vCPU" },
    { KVM_SET_XSAVE, FATAL, PAUSED, "floating-point registers of vCPU" },
    { KVM_SET_XCRS, FATAL, PAUSED, "XCR0 of vCPU" },
    { KVM_SET_DEBUGREGS, FATAL, PAUSED, "debug registers of vCPU" },
    { KVM_SET_VCPU_EVENTS, FATAL, PAUSED, "pending events of vCPU" },
    { KVM_GET_LAPIC, FATAL, PAUSED, "the local APIC of vCPU" },
    { KVM_SET_LAPIC, FATAL, PAUSED, "the local APIC of vCPU" },
    { KVM_SET_MP_STATE, FATAL, PAUSED, "the run state of vCPU" },
};

/* A doorbell that is refused is harmless, one that does not go is not. */
static const Rule doorbell_added = {
    KVM_IOEVENTFD, HARMLESS, HARMLESS, "KVM refuses a doorbell of region '"
};
static const Rule doorbell_removed = {
    KVM_IOEVENTFD, FATAL, PAUSED, "KVM refuses to remove a doorbell of region 'dev'"
};

static const Rule pit_replaced = {
    KVM_SET_PIT2, 0, PAUSED, "KVM refuses to let the HPET replace the PIT"
};
static const Rule pit_reset = {
    KVM_SET_PIT2, FATAL, PAUSED, "KVM refuses to reset the PIT: "
};

static const Rule *rule_for(const Life *l)
{
    unsigned i;

    if (l->request == KVM_SET_PIT2) {
        return strstr(l->messages, "HPET") ? &pit_replaced : &pit_reset;
    }
    if (l->request == KVM_IOEVENTFD) {
        return strstr(l->messages, "to remove") ? &doorbell_removed :
                                                  &doorbell_added;
    }
    for (i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i].request == l->request) {
            return &rules[i];
        }
    }
    test_fail("no rule for request 0x%lx", l->request);
}

static void expect_good_life(const Life *l)
{
    expect(l->failed == END, "it failed: %s", l->error);
    expect(l->status == EXIT_GUEST_OFF, "status %d", l->status);
    expect(l->resets == 1, "%u resets", l->resets);
}

static Phase phase_of(const Life *good, unsigned call)
{
    Phase phase = NEW;

    while (phase < END && call > good->phase_end[phase]) {
        phase++;
    }
    return phase;
}

static void expect_outcome(const Life *good, const Life *l, unsigned call,
                           int error)
{
    const Rule *rule = rule_for(l);
    Phase phase = phase_of(good, call);
    Outcome outcome = phase < RUN ? rule->starting : rule->running;

    switch (outcome) {
    case HARMLESS:
        expect_good_life(l);
        expect(strstr(l->messages, rule->text), "messages: %s", l->messages);
        break;
    case FATAL:
        /* The build cannot fail: its refusals are told by the start. */
        expect(l->failed == (phase == BUILD ? START : phase),
               "it ended in phase %d, not %d", l->failed, phase);
        expect(strstr(l->error, rule->text) &&
                   strstr(l->error, g_strerror(error)),
               "error: %s", l->error);
        break;
    default:
        expect(l->failed == END && l->status == EXIT_USAGE,
               "phase %d, status %d", l->failed, l->status);
        expect(strstr(l->messages, rule->text) &&
                   strstr(l->messages, g_strerror(error)) &&
                   strstr(l->messages, "the machine is paused"),
               "messages: %s", l->messages);
    }
}

static void fail_each(int error)
{
    Life good, l;
    unsigned call;

    live(&good, 0, 0);
    expect_good_life(&good);
    ck_assert_str_eq(good.messages, "");
    ck_assert_uint_gt(good.phase_end[RUN], good.phase_end[START]);
    for (call = 1; call <= good.phase_end[RUN]; call++) {
        live(&l, call, error);
        snprintf(test_context, sizeof(test_context),
                 "call %u, request 0x%lx, %s: ", call, l.request,
                 g_strerror(error));
        if (error == EINTR) {
            expect_good_life(&l);
            expect(l.calls == good.calls + 1, "%u calls, not %u", l.calls,
                   good.calls + 1);
        } else {
            expect_outcome(&good, &l, call, error);
        }
        life_clear(&l);
    }
    life_clear(&good);
}

START_TEST(test_out_of_memory)
{
    fail_each(ENOMEM);
}
END_TEST

START_TEST(test_invalid)
{
    fail_each(EINVAL);
}
END_TEST

START_TEST(test_no_space)
{
    fail_each(ENOSPC);
}
END_TEST

START_TEST(test_interrupted)
{
    fail_each(EINTR);
}
END_TEST

START_TEST(test_cannot_open)
{
    static const struct {
        int error;
        const char *message;
    } cases[] = {
        { ENOENT, "/dev/kvm does not exist: load the kernel module kvm_intel or"
                  " kvm_amd, enable virtualisation in the firmware, or, in a"
                  " virtual machine, nested virtualisation outside" },
        { EACCES, "/dev/kvm: Permission denied: add your user to the group that"
                  " owns it (usually kvm) and log in again" },
        { EMFILE, "/dev/kvm: Too many open files" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *err = NULL;

        fake_init(&fake);
        fake.fail_open = cases[i].error;
        ck_assert_ptr_null(fake_kvm_new(&fake, &(KVMOptions){ 0 }, &err));
        ck_assert_str_eq(err->message, cases[i].message);
        g_error_free(err);
        fake_destroy(&fake);
    }
}
END_TEST

START_TEST(test_cannot_map)
{
    unsigned at;

    /* Two maps for each of two vCPUs: kvm_run and the dirty ring. */
    for (at = 1; at <= 4; at++) {
        GError *err = NULL;

        fake_init(&fake);
        fake.fail_map_at = at;
        fake.fail_errno = ENOMEM;
        machine_make();
        kvm = fake_kvm_new(&fake, &(KVMOptions){ .dirty_ring_size = 256 }, &err);
        ck_assert_ptr_nonnull(kvm);
        ck_assert(!cpus_create(kvm, 2, &memory, &ports, &err));
        ck_assert_ptr_nonnull(strstr(err->message, at % 2 ? "to map a vCPU" :
                                                            "dirty ring of vCPU"));
        ck_assert_ptr_nonnull(strstr(err->message, g_strerror(ENOMEM)));
        ck_assert_uint_eq(cpus_count(), 0);
        g_error_free(err);
        kvm_free(kvm);
        kvm = NULL;
        machine_destroy();
        fake_destroy(&fake);
    }
}
END_TEST

TEST_MAIN("kvm-failures", test_out_of_memory, test_invalid, test_no_space,
          test_interrupted, test_cannot_open, test_cannot_map)
