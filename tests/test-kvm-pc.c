/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a PC asks of KVM, over a stand-in for it: the timer's route, message
 * signalled interrupts, an HPET in place of the timer chip, and system management
 * mode with its own memory.
 */
#include <errno.h>
#include <string.h>

#include "sysemu.h"
#include "tests/kvm-world.h"

#define PAGE TARGET_PAGE_SIZE
#define DEVICE 0x80000000u

/* ---- interrupts ---------------------------------------------------------- */

START_TEST(test_routes)
{
    GError *err = NULL;
    unsigned gsi;

    world_make(&(KVMOptions){ 0 });
    expect(kvm_route_pc_timer(kvm, &err), "%s", err ? err->message : "");
    for (gsi = 0; gsi < FAKE_GSIS; gsi++) {
        uint32_t *route = fake.routes[gsi];

        expect_hex(route[KVM_IRQCHIP_PIC_MASTER],
                   gsi < 8 && gsi != 2 ? 1u << gsi : 0);
        expect_hex(route[KVM_IRQCHIP_PIC_SLAVE],
                   gsi >= 8 && gsi < 16 ? 1u << (gsi - 8) : 0);
        expect_hex(route[KVM_IRQCHIP_IOAPIC],
                   gsi == 0 ? 1u << 2 : 1u << gsi);
    }
    world_free();
}
END_TEST

START_TEST(test_routes_refused)
{
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    fake.fail_request = KVM_SET_GSI_ROUTING;
    fake.fail_errno = EINVAL;
    ck_assert(!kvm_route_pc_timer(kvm, &err));
    ck_assert_str_eq(err->message,
                     "KVM refuses to wire interrupts as on a PC: Invalid argument");
    g_clear_error(&err);
    world_free();
    world_make(&(KVMOptions){ .no_irqchip = true });
    fake.fail_request = KVM_SET_GSI_ROUTING;
    ck_assert(kvm_route_pc_timer(kvm, &err));
    world_free();
}
END_TEST

START_TEST(test_msi)
{
    world_make(&(KVMOptions){ 0 });
    ck_assert(kvm_send_msi(kvm, 0xfee01004, 0x4031));
    expect_hex(fake.msi.address_lo, 0xfee01004);
    expect_hex(fake.msi.address_hi, 0);
    expect_hex(fake.msi.data, 0x4031);
    expect_hex(fake.msi.flags, 0);
    /* What a guest gets wrong is no reason to stop its machine. */
    ck_assert(!kvm_send_msi(kvm, 0x12345678fee00000, 0xffffffff));
    expect_hex(fake.msi.address_hi, 0x12345678);
    fake.fail_request = KVM_SIGNAL_MSI;
    fake.fail_errno = EINVAL;
    ck_assert(!kvm_send_msi(kvm, 0xfee00000, 0));
    ck_assert(kvm_check(kvm, NULL));
    world_free();
    world_make(&(KVMOptions){ .no_irqchip = true });
    ck_assert(!kvm_send_msi(kvm, 0xfee01000, 0x31));
    expect_hex(fake.msi.address_lo, 0);
    world_free();
}
END_TEST

static void pit_enable(bool on)
{
    memory_lock();
    kvm_pit_enable(kvm, on);
    memory_unlock();
}

START_TEST(test_pit)
{
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    fake.pit.channels[0].count = 1234;
    fake.pit.flags = KVM_PIT_FLAGS_SPEAKER_DATA_ON;
    /* Setting starts the counts anew: only where there is a change. */
    pit_enable(true);
    ck_assert_uint_eq(fake.pit_sets, 0);
    pit_enable(false);
    pit_enable(false);
    ck_assert_uint_eq(fake.pit_sets, 1);
    expect_hex(fake.pit.flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON | KVM_PIT_FLAGS_HPET_LEGACY);
    ck_assert_uint_eq(fake.pit.channels[0].count, 1234);
    pit_enable(true);
    pit_enable(true);
    ck_assert_uint_eq(fake.pit_sets, 2);
    expect_hex(fake.pit.flags, KVM_PIT_FLAGS_SPEAKER_DATA_ON);
    /* A reset undoes it. */
    pit_enable(false);
    kvm_arch_reset_vm(kvm);
    expect_hex(fake.pit.flags, 0);
    ck_assert(kvm_check(kvm, NULL));
    fake.fail_request = KVM_GET_PIT2;
    fake.fail_errno = EINVAL;
    pit_enable(false);
    ck_assert(!kvm_check(kvm, &err));
    ck_assert_str_eq(err->message,
                     "KVM refuses to tell the state of the PIT: Invalid argument");
    g_clear_error(&err);
    world_free();

    world_make(&(KVMOptions){ 0 });
    fake.fail_request = KVM_SET_PIT2;
    fake.fail_errno = EINVAL;
    pit_enable(false);
    ck_assert(!kvm_check(kvm, &err));
    ck_assert_str_eq(err->message, "KVM refuses to let the HPET replace the PIT, or"
                                   " undo that: Invalid argument");
    g_clear_error(&err);
    world_free();

    world_make(&(KVMOptions){ .no_irqchip = true });
    fake.fail_request = KVM_GET_PIT2;
    pit_enable(false);
    ck_assert(kvm_check(kvm, NULL));
    world_free();
}
END_TEST

START_TEST(test_levels)
{
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    kvm_arch_reset_vm(kvm);
    fake.pics[1].imr = 0xa5;
    /* 0, 1, 2, 8 and 13 never are. */
    kvm_set_level_irqs(kvm, 0xffff);
    expect_hex(fake.pics[0].elcr, 0xf8);
    expect_hex(fake.pics[1].elcr, 0xde);
    expect_hex(fake.pics[1].imr, 0xa5);
    kvm_set_level_irqs(kvm, 0x0c20);
    expect_hex(fake.pics[0].elcr, 0x20);
    expect_hex(fake.pics[1].elcr, 0x0c);
    kvm_arch_reset_vm(kvm);
    expect_hex(fake.pics[0].elcr, 0);
    expect_hex(fake.pics[1].elcr, 0);
    ck_assert(kvm_check(kvm, NULL));
    /* Of what is not known nothing is set. */
    fake.pics[0].imr = 0x5a;
    fake.fail_request = KVM_GET_IRQCHIP;
    fake.fail_errno = EINVAL;
    kvm_set_level_irqs(kvm, 0x0c20);
    expect_hex(fake.pics[0].imr, 0x5a);
    ck_assert(!kvm_check(kvm, &err));
    ck_assert_str_eq(err->message,
                     "KVM refuses to tell the state of a PIC: Invalid argument");
    g_clear_error(&err);
    world_free();

    world_make(&(KVMOptions){ 0 });
    fake.fail_request = KVM_SET_IRQCHIP;
    fake.fail_errno = EINVAL;
    kvm_set_level_irqs(kvm, 0x0c20);
    ck_assert(!kvm_check(kvm, &err));
    ck_assert_str_eq(err->message, "KVM refuses to set which interrupts are of"
                                   " levels: Invalid argument");
    g_clear_error(&err);
    world_free();

    world_make(&(KVMOptions){ .no_irqchip = true });
    fake.fail_request = KVM_GET_IRQCHIP;
    kvm_set_level_irqs(kvm, 0x0c20);
    ck_assert(kvm_check(kvm, NULL));
    world_free();
}
END_TEST

START_TEST(test_late_ticks)
{
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    fake.pit_late.pit_reinject = 7;
    ck_assert(kvm_pit_set_reinject(kvm, false, &err));
    ck_assert_uint_eq(fake.pit_late.pit_reinject, 0);
    ck_assert(kvm_pit_set_reinject(kvm, true, &err));
    ck_assert_uint_eq(fake.pit_late.pit_reinject, 1);
    fake.fail_request = KVM_REINJECT_CONTROL;
    fake.fail_errno = EINVAL;
    ck_assert(!kvm_pit_set_reinject(kvm, false, &err));
    ck_assert_str_eq(err->message, "KVM refuses to drop the timer's late ticks: "
                                   "Invalid argument");
    g_clear_error(&err);
    world_free();
    world_make(&(KVMOptions){ .no_irqchip = true });
    fake.fail_request = KVM_REINJECT_CONTROL;
    ck_assert(kvm_pit_set_reinject(kvm, false, &err));
    world_free();
}
END_TEST

/* ---- memory of system management mode ------------------------------------ */

static MemoryRegion smm_root, smm_memory_alias, smram;
static AddressSpace smm;

/* As a board makes it: all memory, and on top what nobody else sees. */
static void smm_make(void)
{
    memory_region_init(&smm_root, "smm", UINT64_MAX);
    memory_region_init_alias(&smm_memory_alias, "smm-memory", &root, 0, UINT64_MAX);
    memory_region_add_subregion_overlap(&smm_root, 0, &smm_memory_alias, 0);
    memory_region_init_ram(&smram, "smram", 2 * PAGE);
    memory_region_add_subregion_overlap(&smm_root, 0x100000, &smram, 1);
    address_space_init(&smm, &smm_root);
}

static void smm_free(void)
{
    address_space_destroy(&smm);
    memory_region_del_subregion(&smm_root, &smram);
    memory_region_destroy(&smram);
    memory_region_del_subregion(&smm_root, &smm_memory_alias);
    memory_region_destroy(&smm_memory_alias);
    memory_region_destroy(&smm_root);
}

static void smm_attach(void)
{
    GError *err = NULL;

    expect(kvm_attach_smm(kvm, &smm, &err), "%s", err ? err->message : "");
}

static void *host_at(FakeSlot *slot, hwaddr addr)
{
    ck_assert_ptr_nonnull(slot);
    return slot->host + (addr - slot->first);
}

START_TEST(test_smm_slots)
{
    MemoryRegion ram;
    char *ram_host, *smram_host;

    world_make(&(KVMOptions){ 0 });
    ck_assert(kvm_has_smm(kvm));
    smm_make();
    add_ram(&ram, "ram", 0, 0x200000);
    ram_host = memory_region_get_ram_ptr(&ram);
    smram_host = memory_region_get_ram_ptr(&smram);
    world_attach(1);
    ck_assert_uint_eq(fake_slots_present(&fake), 1);
    smm_attach();
    ck_assert_uint_eq(fake_slots_present(&fake), 4);
    ck_assert_ptr_eq(host_at(fake_slot_at(&fake, 0x100000), 0x100000),
                     ram_host + 0x100000);
    ck_assert_ptr_eq(host_at(fake_smm_slot_at(&fake, 0x100000), 0x100000), smram_host);
    ck_assert_ptr_eq(host_at(fake_smm_slot_at(&fake, 0x102000), 0x102000),
                     ram_host + 0x102000);
    /* Numbers begin anew. */
    ck_assert_ptr_eq(fake_smm_slot_at(&fake, 0), &fake.slots[fake.max_slots]);

    /* Writes of both modes are seen. */
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&smram, true, DIRTY_MEMORY_VGA);
    ck_assert(fake_guest_write(&fake, 0, false, 0x100000, 1, 1));
    fake.cpus[0].run->flags = FAKE_RUN_SMM;
    ck_assert(fake_guest_write(&fake, 0, false, 0x3000, 1, 1));
    ck_assert(fake_guest_write(&fake, 0, false, 0x101000, 1, 1));
    memory_region_sync_dirty_bitmap(&ram);
    memory_region_sync_dirty_bitmap(&smram);
    ck_assert(memory_region_get_dirty(&ram, 0x100000, PAGE, DIRTY_MEMORY_VGA));
    ck_assert(memory_region_get_dirty(&ram, 0x3000, PAGE, DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&ram, 0x101000, PAGE, DIRTY_MEMORY_VGA));
    ck_assert(memory_region_get_dirty(&smram, PAGE, PAGE, DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&smram, 0, PAGE, DIRTY_MEMORY_VGA));

    /* What changes in one only is told of that. */
    fake.slot_calls = 0;
    memory_region_set_enabled(&smram, false);
    ck_assert_uint_eq(fake.slot_calls, 4);
    ck_assert_ptr_eq(host_at(fake_smm_slot_at(&fake, 0x100000), 0x100000),
                     ram_host + 0x100000);
    ck_assert(kvm_check(kvm, NULL));
    drop(&ram);
    smm_free();
    world_free();
}
END_TEST

static char *printed(CPUState *cpu)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cpu_print(cpu, out);
    fclose(out);
    return text;
}

static void look(bool in_smm, char shown)
{
    CPUState *cpu = cpus_get(0);
    g_autofree char *text = NULL;
    char got[2];

    cpu->accel->run->flags = in_smm ? FAKE_RUN_SMM : 0;
    text = printed(cpu);
    ck_assert(!!strstr(text, "  in system management mode\n") == in_smm);
    ck_assert_uint_eq(cpu_physical_rw(cpu, 0x100000, got, 2, false), 2);
    ck_assert_int_eq(got[1], shown);
}

/* Monitors and the debugger see what the vCPU sees. */
START_TEST(test_smm_from_outside)
{
    MemoryRegion ram;

    world_make(&(KVMOptions){ 0 });
    smm_make();
    add_ram(&ram, "ram", 0, 0x200000);
    memset((char *)memory_region_get_ram_ptr(&ram) + 0x100000, 'r', PAGE);
    memset(memory_region_get_ram_ptr(&smram), 's', PAGE);
    world_attach(1);
    look(true, 'r'); /* the mode has no memory of its own yet */
    smm_attach();
    look(false, 'r');
    look(true, 's');
    cpus_get(0)->accel->fresh = false;
    kvm_arch_reset_cpu(cpus_get(0));
    ck_assert(!kvm_cpu_in_smm(cpus_get(0)));
    drop(&ram);
    smm_free();
    world_free();
}
END_TEST

START_TEST(test_smm_missing)
{
    static const long missing[] = { KVM_CAP_X86_SMM, KVM_CAP_MULTI_ADDRESS_SPACE };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(missing); i++) {
        GError *err = NULL;

        fake_init(&fake);
        fake.missing[0] = missing[i];
        kvm = fake_kvm_new(&fake, &(KVMOptions){ 0 }, &err);
        ck_assert(!kvm_has_smm(kvm));
        ck_assert_ptr_null(kvm_smi_line(kvm).set);
        ck_assert(!kvm_attach_smm(kvm, NULL, &err));
        ck_assert_str_eq(err->message,
                         "this host's KVM has no system management mode: use a host"
                         " whose kernel has it (CONFIG_KVM_SMM), or do without");
        g_clear_error(&err);
        kvm_free(kvm);
        fake_destroy(&fake);
    }
}
END_TEST

START_TEST(test_smm_refused)
{
    MemoryRegion ram;
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    smm_make();
    add_ram(&ram, "ram", 0, 0x100000);
    world_attach(1);
    fake.fail_request = KVM_SET_USER_MEMORY_REGION;
    fake.fail_errno = EEXIST;
    ck_assert(!kvm_attach_smm(kvm, &smm, &err));
    ck_assert_str_eq(err->message,
                     "KVM refuses to make the memory slot of region 'ram' at"
                     " 0x0-0xfffff of system management mode (RAM, offset 0x0): File"
                     " exists");
    g_clear_error(&err);
    fake.fail_request = 0;
    drop(&ram);
    smm_free();
    world_free();
}
END_TEST

/* ---- in the mode --------------------------------------------------------- */

enum { STEPS = 6 };
static unsigned step;
static unsigned smis[STEPS]; /* that KVM knew when the guest ran */
static IoDevice dev, smm_dev, apm;

static void mmio(struct kvm_run *run, bool is_smm)
{
    run->exit_reason = KVM_EXIT_MMIO;
    run->flags = is_smm ? FAKE_RUN_SMM : 0;
    run->mmio.phys_addr = DEVICE;
    run->mmio.len = 4;
    run->mmio.is_write = true;
    memset(run->mmio.data, is_smm, 4);
}

static void out(struct kvm_run *run, unsigned port)
{
    run->exit_reason = KVM_EXIT_IO;
    run->io.direction = KVM_EXIT_IO_OUT;
    run->io.port = port;
    run->io.size = 1;
    run->io.count = 1;
    run->io.data_offset = PAGE;
    ((uint8_t *)run)[PAGE] = 1;
}

/* vCPU 1 asks for the interrupt of vCPU 0 once; vCPU 0 asks itself, too. */
static int smm_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    static bool asked;

    if (cpu) {
        if (__atomic_load_n(&step, __ATOMIC_SEQ_CST) == 3 && !asked) {
            asked = true;
            out(run, 0xb2);
            return 0;
        }
        g_usleep(100);
        return -EINTR;
    }
    if (step == 3 && f->cpus[0].smis < 2) {
        return FAKE_IDLE; /* until it is kicked for vCPU 1's */
    }
    smis[step] = f->cpus[0].smis;
    switch (__atomic_fetch_add(&step, 1, __ATOMIC_SEQ_CST)) {
    case 0:
        mmio(run, false);
        return 0;
    case 1:
        out(run, 0xb2);
        return 0;
    case 2:
        mmio(run, true);
        return 0;
    case 3:
        mmio(run, true);
        return 0;
    case 4:
        mmio(run, false);
        return 0;
    default:
        run->flags = 0;
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
        __atomic_store_n(&step, STEPS - 1, __ATOMIC_SEQ_CST);
        return FAKE_IDLE;
    }
}

static void apm_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    IRQLine smi = kvm_smi_line(kvm);

    irq_pulse(&smi);
}

static const MemoryRegionOps apm_ops = { .write = apm_write };

static void reset_machine(void *opaque)
{
}

START_TEST(test_smm_accesses)
{
    GError *err = NULL;

    world_make(&(KVMOptions){ 0 });
    smm_make();
    fake.guest = smm_guest;
    step = 0;
    io_device_init(&dev, 1, "dev", PAGE);
    io_device_init(&smm_dev, 2, "smm-dev", PAGE);
    memory_region_add_subregion(&root, DEVICE, &dev.mr);
    memory_region_add_subregion_overlap(&smm_root, DEVICE, &smm_dev.mr, 1);
    memory_region_init_io(&apm.mr, &apm_ops, NULL, "apm", 1);
    memory_region_add_subregion(&ports_root, 0xb2, &apm.mr);
    world_attach(2);
    smm_attach();
    expect(cpus_start(&err), "%s", err ? err->message : "");
    ck_assert_int_eq(vm_main_loop(&(RunOptions){ 0 },
                                  &(RunMachine){ .reset = reset_machine }),
                     EXIT_GUEST_OFF);
    io_expect(&dev, "w 0/4=0", "w 0/4=0", NULL);
    io_expect(&smm_dev, "w 0/4=1010101", "w 0/4=1010101", NULL);
    /* The interrupt is there before the next instruction. */
    ck_assert_uint_eq(smis[1], 0);
    ck_assert_uint_eq(smis[2], 1);
    ck_assert_uint_eq(smis[3], 2);
    ck_assert_uint_eq(smis[4], 2);
    ck_assert_uint_eq(fake.cpus[1].smis, 0);
    memory_region_del_subregion(&ports_root, &apm.mr);
    memory_region_destroy(&apm.mr);
    memory_region_del_subregion(&smm_root, &smm_dev.mr);
    memory_region_destroy(&smm_dev.mr);
    memory_region_del_subregion(&root, &dev.mr);
    memory_region_destroy(&dev.mr);
    smm_free();
    world_free();
}
END_TEST

/* A reset ends the mode, and what was asked for before it. */
static void reset_after_smi(bool smm_there)
{
    struct kvm_vcpu_events *events = &fake.cpus[0].events;
    IRQLine smi;

    fake_init(&fake);
    fake.missing[0] = smm_there ? 0 : KVM_CAP_X86_SMM;
    kvm = fake_kvm_new(&fake, &(KVMOptions){ 0 }, NULL);
    ck_assert(cpus_create(kvm, 1, NULL, NULL, NULL));
    cpus_get(0)->accel->fresh = false;
    smi = kvm_smi_line(kvm);
    irq_set(&smi, 1);
    ck_assert(cpus_get(0)->accel->smi == smm_there);
    kvm_arch_reset_cpu(cpus_get(0));
    ck_assert(!cpus_get(0)->accel->smi);
    ck_assert(!!(events->flags & KVM_VCPUEVENT_VALID_SMM) == smm_there);
    ck_assert(!events->smi.smm && !events->smi.pending);
    ck_assert(kvm_check(kvm, NULL));
    cpus_destroy();
    kvm_free(kvm);
    fake_destroy(&fake);
}

START_TEST(test_smm_reset)
{
    reset_after_smi(true);
    reset_after_smi(false);
}
END_TEST

static uint64_t msr(uint32_t index, bool set, uint64_t value)
{
    g_autofree struct kvm_msrs *msrs =
        g_malloc0(sizeof(*msrs) + sizeof(msrs->entries[0]));

    msrs->nmsrs = 1;
    msrs->entries[0].index = index;
    msrs->entries[0].data = value;
    expect(kvm_vcpu_ioctl(cpus_get(0), set ? KVM_SET_MSRS : KVM_GET_MSRS, msrs) == 1,
           "register 0x%x", index);
    return msrs->entries[0].data;
}

/* What a guest has left going: counters, a trace, a virtual machine of its own. */
START_TEST(test_reset_of_cpu)
{
    static const uint32_t zero[] = { 0x3a, 0x3b, 0x186, 0x18d, 0x1d9, 0x38d, 0x38f,
                                     0xc0010000, 0xc0010003, 0xc0010200, 0xc001020a };

    world_make(&(KVMOptions){ 0 });
    world_attach(1);
    for (unsigned i = 0; i < G_N_ELEMENTS(zero); i++) {
        msr(zero[i], true, 5);
        ck_assert_int_eq(msr(zero[i], false, 0), 5);
    }
    fake.cpus[0].vmx = true;
    cpus_get(0)->accel->fresh = false;
    kvm_arch_reset_cpu(cpus_get(0));
    for (unsigned i = 0; i < G_N_ELEMENTS(zero); i++) {
        expect(msr(zero[i], false, 0) == 0, "register 0x%x is kept", zero[i]);
    }
    ck_assert(!fake.cpus[0].vmx);
    ck_assert_int_eq(fake.cpus[0].sregs.cs.selector, 0xf000);
    ck_assert(kvm_check(kvm, NULL));
    world_free();
}
END_TEST

START_TEST(test_smi_refused)
{
    GError *err = NULL;
    IRQLine smi;

    world_make(&(KVMOptions){ 0 });
    smi = kvm_smi_line(kvm);
    irq_set(&smi, 1); /* no vCPU yet */
    world_attach(1);
    irq_set(&smi, 0);
    ck_assert(!cpus_get(0)->accel->smi);
    irq_set(&smi, 1);
    fake.fail_request = KVM_SMI;
    fake.fail_errno = EINVAL;
    kvm_cpu_exit_request(cpus_get(0));
    kvm_cpu_run(cpus_get(0));
    ck_assert(!kvm_check(kvm, &err));
    ck_assert_str_eq(err->message, "KVM refuses a system management interrupt of vCPU"
                                   " 0: Invalid argument");
    g_clear_error(&err);
    world_free();
}
END_TEST

TEST_MAIN("kvm-pc", test_routes, test_routes_refused, test_msi, test_pit, test_levels,
          test_late_ticks, test_smm_slots, test_smm_from_outside, test_smm_missing,
          test_smm_refused, test_smm_accesses, test_smm_reset, test_reset_of_cpu,
          test_smi_refused)
