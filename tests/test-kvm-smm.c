/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode: a guest enters it by an interrupt that a port asks for,
 * sees memory there that nobody else sees, and comes back. Needs a KVM that has it.
 */
#include <string.h>

#include "tests/kvm-robot.h"

/* On an interrupt a vCPU begins at SMBASE + 0x8000, which is 0x38000, in a kind of
 * real mode that reaches 4 GiB, over RAM that nobody else sees. Intel SDM volume 3,
 * chapter 32. */
#define SMRAM 0x38000
#define SMRAM_SIZE 0x8000
#define ENTERED (SMRAM + 0x1000) /* how often, */
#define SECRET (SMRAM + 0x1004)  /* to be told, */
#define STAY (SMRAM + 0x1008)    /* not to come back: in SMRAM */
#define TOLD 0x50000             /* in RAM that everybody sees */
#define DEVICE 0xd0000000
#define APM_PORT 0xb2
#define QUOTE(text) #text
#define STRING(text) QUOTE(text)

__asm__(".section .rodata\n"
        "smm_code:\n"
        ".code16\n"
        "movl $" STRING(SMRAM) " + 0x1000, %ecx\n"
        "incl (%ecx)\n"
        "movl 4(%ecx), %eax\n"
        "movl $" STRING(TOLD) ", %ebx\n"
        "movl %eax, (%ebx)\n"
        "movl $" STRING(DEVICE) ", %ebx\n"
        "movl %eax, (%ebx)\n"
        "1: cmpl $0, 8(%ecx)\n"
        "jne 1b\n"
        "rsm\n"
        ".code64\n"
        "smm_code_end: .byte 0\n"
        ".previous\n");
extern const char smm_code[], smm_code_end[];

static struct {
    MemoryRegion root, alias, smram, open, apm;
    AddressSpace as;
    IoDevice dev, outside; /* the same place in and outside of the mode */
    uint8_t *host;         /* of smram */
} smm;

static void set_word(hwaddr addr, uint32_t value)
{
    memcpy(smm.host + (addr - SMRAM), &value, sizeof(value));
}

static uint32_t word(hwaddr addr)
{
    return __atomic_load_n((uint32_t *)(smm.host + (addr - SMRAM)), __ATOMIC_ACQUIRE);
}

static void apm_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    IRQLine smi = kvm_smi_line(((Robot *)opaque)->kvm);

    irq_pulse(&smi);
}

static const MemoryRegionOps apm_ops = { .write = apm_write };

static void smm_make(Robot *r)
{
    memory_region_init(&smm.root, "smm", UINT64_MAX);
    memory_region_init_alias(&smm.alias, "smm-memory", &r->memory_root, 0, UINT64_MAX);
    memory_region_add_subregion(&smm.root, 0, &smm.alias);
    memory_region_init_ram(&smm.smram, "smram", SMRAM_SIZE);
    smm.host = memory_region_get_ram_ptr(&smm.smram);
    memcpy(smm.host, smm_code, smm_code_end - smm_code);
    set_word(SECRET, 0x5ec4e7);
    memory_region_add_subregion_overlap(&smm.root, SMRAM, &smm.smram, 1);
    memory_region_init_alias(&smm.open, "smram-open", &smm.smram, 0, SMRAM_SIZE);
    memory_region_set_enabled(&smm.open, false);
    memory_region_add_subregion_overlap(&r->memory_root, SMRAM, &smm.open, 1);
    io_device_init(&smm.dev, 1, "dev", 4);
    memory_region_add_subregion_overlap(&smm.root, DEVICE, &smm.dev.mr, 1);
    io_device_init(&smm.outside, 2, "outside", 4);
    memory_region_add_subregion(&r->memory_root, DEVICE, &smm.outside.mr);
    memory_region_init_io(&smm.apm, &apm_ops, r, "apm", 1);
    memory_region_add_subregion(&r->ports_root, APM_PORT, &smm.apm);
    address_space_init(&smm.as, &smm.root);
}

static void smm_free(Robot *r)
{
    address_space_destroy(&smm.as);
    memory_region_del_subregion(&r->ports_root, &smm.apm);
    memory_region_destroy(&smm.apm);
    memory_region_del_subregion(&r->memory_root, &smm.outside.mr);
    memory_region_destroy(&smm.outside.mr);
    memory_region_del_subregion(&smm.root, &smm.dev.mr);
    memory_region_destroy(&smm.dev.mr);
    memory_region_del_subregion(&r->memory_root, &smm.open);
    memory_region_destroy(&smm.open);
    memory_region_del_subregion(&smm.root, &smm.smram);
    memory_region_destroy(&smm.smram);
    memory_region_del_subregion(&smm.root, &smm.alias);
    memory_region_destroy(&smm.alias);
    memory_region_destroy(&smm.root);
}

static void smm_attach(Robot *r)
{
    GError *err = NULL;

    expect(kvm_attach_smm(r->kvm, &smm.as, &err), "%s", err ? err->message : "");
}

static void smm_test(const KVMOptions *options, unsigned cpus,
                     void (*script)(Robot *r))
{
    Robot r;

    robot_init(&r);
    smm_make(&r);
    r.options = *options;
    r.cpus = cpus;
    r.set_up = smm_attach;
    ck_assert_int_eq(robot_run(&r, script), 0);
    smm_free(&r);
    robot_destroy(&r);
}

static void open_smram(bool open)
{
    memory_lock();
    memory_region_set_enabled(&smm.open, open);
    memory_unlock();
}

/* The mode begins and ends between two instructions of the guest. What it sees
 * there, it sees nowhere else. */
static void in_and_out(Robot *r)
{
    unsigned i;

    robot_write(r, SECRET, 4, 0x0b5e57);
    for (i = 1; i <= 20; i++) {
        g_autofree char *call = g_strdup_printf("w 0/4=%x", i);

        set_word(SECRET, i);
        robot_out(r, APM_PORT, 1, 0);
        expect_hex(word(ENTERED), i);
        expect_hex(robot_read(r, TOLD, 4), i);
        expect_hex(robot_read(r, SECRET, 4), 0x0b5e57);
        robot_expect(&smm.dev, call, NULL);
        robot_write(r, DEVICE, 4, i);
        robot_expect(&smm.outside, call, NULL);
    }
    robot_expect(&smm.dev, NULL);
}

START_TEST(test_in_and_out)
{
    smm_test(&(KVMOptions){ 0 }, 1, in_and_out);
}
END_TEST

/* The memory comes and goes outside of the mode, which does not care. */
static void opened_and_closed(Robot *r)
{
    unsigned i;

    robot_write(r, SECRET, 4, 0x0b5e57);
    for (i = 1; i <= 10; i++) {
        open_smram(true);
        expect_hex(robot_read(r, SECRET, 4), i == 1 ? 0x5ec4e7 : i - 1);
        robot_write(r, SECRET, 4, i);
        robot_out(r, APM_PORT, 1, 0);
        expect_hex(robot_read(r, TOLD, 4), i);
        open_smram(false);
        expect_hex(robot_read(r, SECRET, 4), 0x0b5e57);
        robot_out(r, APM_PORT, 1, 0);
        expect_hex(robot_read(r, TOLD, 4), i);
        expect_hex(word(ENTERED), 2 * i);
    }
}

START_TEST(test_opened_and_closed)
{
    smm_test(&(KVMOptions){ 0 }, 1, opened_and_closed);
}
END_TEST

static bool take_dirty(MemoryRegion *mr, hwaddr offset)
{
    bool dirty;

    memory_lock();
    memory_region_sync_dirty_bitmap(mr);
    dirty = memory_region_test_and_clear_dirty(mr, offset, TARGET_PAGE_SIZE,
                                               DIRTY_MEMORY_VGA);
    memory_unlock();
    return dirty;
}

/* What is written in the mode is seen, in RAM of its own and of all. */
static void dirty(Robot *r)
{
    unsigned i;

    memory_lock();
    memory_region_set_log(&r->ram, true, DIRTY_MEMORY_VGA);
    memory_region_set_log(&smm.smram, true, DIRTY_MEMORY_VGA);
    memory_unlock();
    take_dirty(&r->ram, TOLD);
    take_dirty(&smm.smram, ENTERED - SMRAM);
    for (i = 0; i < 5; i++) {
        ck_assert(!take_dirty(&r->ram, TOLD));
        ck_assert(!take_dirty(&smm.smram, ENTERED - SMRAM));
        robot_out(r, APM_PORT, 1, 0);
        ck_assert(take_dirty(&r->ram, TOLD));
        ck_assert(take_dirty(&smm.smram, ENTERED - SMRAM));
        ck_assert(!take_dirty(&r->ram, SECRET & TARGET_PAGE_MASK));
    }
    memory_lock();
    memory_region_set_log(&r->ram, false, DIRTY_MEMORY_VGA);
    memory_region_set_log(&smm.smram, false, DIRTY_MEMORY_VGA);
    memory_unlock();
}

START_TEST(test_dirty)
{
    smm_test(&(KVMOptions){ 0 }, 1, dirty);
    smm_test(&(KVMOptions){ .dirty_ring_size = 1024 }, 1, dirty);
}
END_TEST

/* Another vCPU asks for it: vCPU 0 enters the mode, and only that. */
static void from_another(Robot *r)
{
    unsigned i;

    robot_wait_alive(r, 0);
    robot_start_cpu(r, 1);
    for (i = 1; i <= 10; i++) {
        set_word(SECRET, i);
        robot_do_op(r, 1, .code = ROBOT_OUT, .addr = APM_PORT, .size = 1);
        robot_until(word(ENTERED) == i);
        expect_hex(robot_read(r, TOLD, 4), i);
    }
    expect_hex(word(ENTERED), i - 1);
}

START_TEST(test_from_another)
{
    smm_test(&(KVMOptions){ 0 }, 2, from_another);
}
END_TEST

/* A reset ends the mode, and the vCPU enters it again as at first. */
static void reset_inside(Robot *r)
{
    unsigned resets;

    for (resets = 1; resets <= 3; resets++) {
        unsigned entered = word(ENTERED);

        set_word(STAY, 1);
        robot_post(r, 0, (RobotOp){ .code = ROBOT_OUT, .addr = APM_PORT, .size = 1 });
        robot_until(word(ENTERED) == entered + 1);
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        robot_until(__atomic_load_n(&r->resets, __ATOMIC_ACQUIRE) == resets);
        set_word(STAY, 0);
        robot_wait_alive(r, 0);
        robot_write(r, SECRET, 4, 0x0b5e57);
        expect_hex(robot_read(r, SECRET, 4), 0x0b5e57);
        robot_out(r, APM_PORT, 1, 0);
        expect_hex(word(ENTERED), entered + 2);
    }
}

START_TEST(test_reset_inside)
{
    smm_test(&(KVMOptions){ 0 }, 1, reset_inside);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_in_and_out, test_opened_and_closed, test_dirty, test_from_another,
        test_reset_inside,
    };
    KVMState *kvm = kvm_new(&(KVMOptions){ 0 }, NULL);

    if (kvm && !kvm_has_smm(kvm)) {
        printf("SKIP: this host's KVM has no system management mode: needs the rig\n");
        kvm_free(kvm);
        return 77;
    }
    kvm_free(kvm);
    return robot_main("kvm-smm", tests, G_N_ELEMENTS(tests));
}
