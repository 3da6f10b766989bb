/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each exit of a vCPU leads to, and vCPU threads that are kicked, paused,
 * stopped and reset all the time, over a stand-in for KVM. The same with real
 * guests is in test-kvm-exits.c; this also has what no guest can bring about.
 */
#include <errno.h>
#include <string.h>

#include "sysemu.h"
#include "target-i386/cpu.h"
#include "tests/kvm-fake.h"

#define PAGE TARGET_PAGE_SIZE
#define DEVICE 0x80000000u
#define PORT 0x100
#define END_PORT 0xf4

static FakeKVM fake;
static KVMState *kvm;
static MemoryRegion root, ports_root, ram, end_mr;
static AddressSpace memory, ports;
static IoDevice dev, port_dev;
static unsigned resets;
static char *messages;

/* ---- a machine and its script -------------------------------------------- */

/* What vCPU 0 exits with, one after the other; at the end, it powers off. */
typedef struct Exit {
    int result; /* of KVM_RUN */
    unsigned reason;
    void (*fill)(struct kvm_run *run);
    void (*check)(struct kvm_run *run); /* when the vCPU comes back */
} Exit;

static const Exit *script;
static unsigned script_len;
static unsigned script_at; /* vCPU 0's thread */

static int scripted_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    const Exit *e;

    if (cpu) {
        return FAKE_IDLE;
    }
    if (script_at && script_at <= script_len && script[script_at - 1].check) {
        script[script_at - 1].check(run);
    }
    if (script_at >= script_len) {
        run->exit_reason = KVM_EXIT_IO;
        run->io.direction = KVM_EXIT_IO_OUT;
        run->io.port = END_PORT;
        run->io.size = 1;
        run->io.count = 1;
        run->io.data_offset = PAGE;
        script_at++;
        return 0;
    }
    e = &script[script_at++];
    memset(&run->exit_reason, 0, 4);
    run->exit_reason = e->reason;
    if (e->fill) {
        e->fill(run);
    }
    return e->result;
}

static void end_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
}

static const MemoryRegionOps end_ops = { .write = end_write };

static void machine_make(const KVMOptions *options, unsigned n)
{
    GError *err = NULL;

    fake_init(&fake);
    fake.guest = scripted_guest;
    kvm = fake_kvm_new(&fake, options, &err);
    expect(kvm, "kvm_new: %s", err ? err->message : "");
    memory_region_init(&root, "memory", UINT64_MAX);
    memory_region_init(&ports_root, "ports", 0x10000);
    memory_region_init_ram(&ram, "ram", 16 * PAGE);
    memory_region_add_subregion(&root, 0, &ram);
    io_device_init(&dev, 1, "dev", PAGE);
    memory_region_add_subregion(&root, DEVICE, &dev.mr);
    io_device_init(&port_dev, 2, "port-dev", 16);
    memory_region_add_subregion(&ports_root, PORT, &port_dev.mr);
    memory_region_init_io(&end_mr, &end_ops, NULL, "end", 1);
    memory_region_add_subregion(&ports_root, END_PORT, &end_mr);
    address_space_init(&memory, &root);
    address_space_init(&ports, &ports_root);
    expect(cpus_create(kvm, n, &memory, &ports, &err), "cpus_create: %s",
           err ? err->message : "");
    expect(kvm_attach(kvm, &memory, &ports, &err), "kvm_attach: %s",
           err ? err->message : "");
    script_at = resets = 0;
    g_main_context_default(); /* made before any other thread */
}

static void reset_machine(void *opaque)
{
    resets++;
    ck_assert(memory_lock_held());
}

static int machine_run(bool no_reboot)
{
    GError *err = NULL;
    int status;

    fake_messages_begin();
    expect(cpus_start(&err), "cpus_start: %s", err ? err->message : "");
    status = vm_main_loop(&(RunOptions){ .no_reboot = no_reboot },
                          &(RunMachine){ .reset = reset_machine });
    messages = fake_messages_end();
    return status;
}

static void machine_destroy(void)
{
    cpus_destroy();
    kvm_free(kvm);
    address_space_destroy(&ports);
    address_space_destroy(&memory);
    memory_region_del_subregion(&ports_root, &end_mr);
    memory_region_destroy(&end_mr);
    memory_region_del_subregion(&ports_root, &port_dev.mr);
    memory_region_destroy(&port_dev.mr);
    memory_region_del_subregion(&root, &dev.mr);
    memory_region_destroy(&dev.mr);
    memory_region_del_subregion(&root, &ram);
    memory_region_destroy(&ram);
    memory_region_destroy(&ports_root);
    memory_region_destroy(&root);
    fake_destroy(&fake);
    g_clear_pointer(&messages, g_free);
}

static int run_script(const Exit *exits, unsigned n, bool no_reboot)
{
    int status;

    script = exits;
    script_len = n;
    machine_make(&(KVMOptions){ 0 }, 2);
    status = machine_run(no_reboot);
    return status;
}

#define RUN(exits) run_script(exits, G_N_ELEMENTS(exits), false)

/* ---- accesses ------------------------------------------------------------ */

static void set_io(struct kvm_run *run, unsigned direction, unsigned size,
                   unsigned count)
{
    run->io.direction = direction;
    run->io.port = PORT + 4;
    run->io.size = size;
    run->io.count = count;
    run->io.data_offset = PAGE;
}

static void out_three_words(struct kvm_run *run)
{
    set_io(run, KVM_EXIT_IO_OUT, 2, 3);
    memcpy((char *)run + PAGE, "\x01\x02\x03\x04\x05\x06\xee", 7);
}

static void in_two_longs(struct kvm_run *run)
{
    set_io(run, KVM_EXIT_IO_IN, 4, 2);
    memset((char *)run + PAGE, 0xee, 12);
}

static void check_two_longs(struct kvm_run *run)
{
    uint32_t got[3];

    memcpy(got, (char *)run + PAGE, sizeof(got));
    expect_hex(got[0], content_value(2, 4, 4));
    expect_hex(got[1], content_value(2, 4, 4));
    expect_hex(got[2], 0xeeeeeeee);
}

START_TEST(test_port_repeats)
{
    const Exit exits[] = {
        { 0, KVM_EXIT_IO, out_three_words, NULL },
        { 0, KVM_EXIT_IO, in_two_longs, check_two_longs },
    };

    ck_assert_int_eq(RUN(exits), EXIT_GUEST_OFF);
    io_expect(&port_dev, "w 4/2=201", "w 4/2=403", "w 4/2=605", "r 4/4", "r 4/4",
              NULL);
    machine_destroy();
}
END_TEST

static unsigned mmio_width;

static void mmio_write(struct kvm_run *run)
{
    unsigned i;

    mmio_width++;
    run->mmio.phys_addr = DEVICE + 0x10;
    run->mmio.len = mmio_width;
    run->mmio.is_write = true;
    for (i = 0; i < 8; i++) {
        run->mmio.data[i] = i + 1;
    }
}

static void mmio_read(struct kvm_run *run)
{
    run->mmio.phys_addr = DEVICE + 0x10;
    run->mmio.len = mmio_width;
    run->mmio.is_write = false;
    memset(run->mmio.data, 0xee, 8);
}

static void check_mmio_read(struct kvm_run *run)
{
    unsigned i;

    for (i = 0; i < 8; i++) {
        expect_hex(run->mmio.data[i],
                   i < mmio_width ? content_byte(1, 0x10 + i) : 0xee);
    }
}

static void mmio_to_nothing(struct kvm_run *run)
{
    mmio_read(run);
    run->mmio.phys_addr = 0x40000000;
    run->mmio.len = 8;
}

static void check_nothing(struct kvm_run *run)
{
    uint64_t value;

    memcpy(&value, run->mmio.data, sizeof(value));
    expect_hex(value, UINT64_MAX);
}

START_TEST(test_mmio_widths)
{
    Exit exits[17];
    unsigned i;

    for (i = 0; i < 8; i++) {
        exits[2 * i] = (Exit){ 0, KVM_EXIT_MMIO, mmio_write, NULL };
        exits[2 * i + 1] = (Exit){ 0, KVM_EXIT_MMIO, mmio_read,
                                   check_mmio_read };
    }
    exits[16] = (Exit){ 0, KVM_EXIT_MMIO, mmio_to_nothing, check_nothing };
    mmio_width = 0;
    ck_assert_int_eq(RUN(exits), EXIT_GUEST_OFF);
    io_expect(&dev, "w 10/1=1", "r 10/1", "w 10/2=201", "r 10/2", "w 10/2=201",
              "w 12/1=3", "r 10/2", "r 12/1", "w 10/4=4030201", "r 10/4",
              "w 10/4=4030201", "w 14/1=5", "r 10/4", "r 14/1",
              "w 10/4=4030201", "w 14/2=605", "r 10/4", "r 14/2",
              "w 10/4=4030201", "w 14/2=605", "w 16/1=7", "r 10/4", "r 14/2",
              "r 16/1", "w 10/8=807060504030201", "r 10/8", NULL);
    machine_destroy();
}
END_TEST

/* ---- put-off writes ------------------------------------------------------ */

static bool put_off_port = true;

static void put_off_three(struct kvm_run *run)
{
    unsigned i;

    for (i = 0; i < 3; i++) {
        ck_assert(fake_guest_write(&fake, 0, false, DEVICE + 0x800 + 4 * i, i, 4));
    }
    ck_assert(fake_guest_write(&fake, 0, true, PORT + 8, 9, 1) == put_off_port);
    mmio_width = 4;
    mmio_read(run);
}

static void put_off_until_full(struct kvm_run *run)
{
    while (fake_guest_write(&fake, 0, false, DEVICE + 0x800, 7, 1)) {
    }
    mmio_read(run);
}

START_TEST(test_put_off_writes_come_first)
{
    const Exit exits[] = {
        { 0, KVM_EXIT_MMIO, put_off_three, NULL },
        { 0, KVM_EXIT_MMIO, put_off_until_full, NULL },
        { 0, KVM_EXIT_MMIO, put_off_three, NULL },
    };
    unsigned per_page = (PAGE - sizeof(struct kvm_coalesced_mmio_ring)) /
                        sizeof(struct kvm_coalesced_mmio);

    script = exits;
    script_len = G_N_ELEMENTS(exits);
    machine_make(&(KVMOptions){ 0 }, 1);
    memory_region_add_coalescing(&dev.mr, 0x800, 0x100);
    memory_region_add_coalescing(&port_dev.mr, 8, 1);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    expect_hex(dev.nr_calls, 4 + per_page - 1 + 1 + 4);
    expect(dev.calls[0].is_write && dev.calls[0].addr == 0x800, "first");
    expect(dev.calls[1].is_write && dev.calls[1].addr == 0x804, "second");
    expect(dev.calls[2].is_write && dev.calls[2].addr == 0x808, "third");
    expect(!dev.calls[3].is_write && dev.calls[3].addr == 0x10, "the exit");
    expect(dev.calls[4].is_write && dev.calls[4].data == 7, "the flood");
    io_expect(&port_dev, "w 8/1=9", "w 8/1=9", NULL);
    machine_destroy();
}
END_TEST

static void expect_dev_has_three(IoDevice *d, const IoCall *call)
{
    ck_assert_uint_eq(dev.nr_calls, 3);
}

static void put_off_then_port(struct kvm_run *run)
{
    put_off_three(run);
    set_io(run, KVM_EXIT_IO_OUT, 1, 1);
}

/* Also those to other devices than the one that the exit is for. */
START_TEST(test_put_off_writes_come_before_all_else)
{
    const Exit exits[] = { { 0, KVM_EXIT_IO, put_off_then_port, NULL } };

    script = exits;
    script_len = 1;
    machine_make(&(KVMOptions){ 0 }, 1);
    put_off_port = false;
    memory_region_add_coalescing(&dev.mr, 0x800, 0x100);
    port_dev.hook = expect_dev_has_three;
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    ck_assert_uint_eq(port_dev.nr_calls, 1);
    put_off_port = true;
    machine_destroy();
}
END_TEST

/* A device that is given a put-off write changes the map, which asks for the
 * others: they keep their order. */
static void change_map(IoDevice *d, const IoCall *call)
{
    memory_region_set_enabled(&port_dev.mr, call->data & 1);
    memory_region_set_flush_coalesced(&dev.mr);
}

START_TEST(test_put_off_writes_stay_in_order)
{
    const Exit exits[] = { { 0, KVM_EXIT_MMIO, put_off_three, NULL } };

    script = exits;
    script_len = 1;
    machine_make(&(KVMOptions){ 0 }, 1);
    dev.hook = change_map;
    memory_region_add_coalescing(&dev.mr, 0x800, 0x100);
    memory_region_add_coalescing(&port_dev.mr, 8, 1);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    dev.hook = NULL;
    io_expect(&dev, "w 800/4=0", "w 804/4=1", "w 808/4=2", "r 10/4", NULL);
    machine_destroy();
}
END_TEST

static void end_at_second(IoDevice *d, const IoCall *call)
{
    if (call->data == 2) {
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    }
}

static int one_put_off_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    static unsigned done;

    if (!done++) {
        fake_guest_write(f, 0, false, DEVICE + 0x800, 1, 4);
        fake_guest_write(f, 0, false, DEVICE + 0x800, 2, 4);
    }
    return FAKE_IDLE;
}

START_TEST(test_put_off_writes_of_a_silent_guest)
{
    machine_make(&(KVMOptions){ 0 }, 1);
    fake.guest = one_put_off_guest;
    dev.hook = end_at_second;
    memory_region_add_coalescing(&dev.mr, 0x800, 0x100);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    dev.hook = NULL;
    io_expect(&dev, "w 800/4=1", "w 800/4=2", NULL);
    machine_destroy();
}
END_TEST

/* ---- ends ---------------------------------------------------------------- */

static void shutdown_event(struct kvm_run *run)
{
    run->system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
}

static void reset_event(struct kvm_run *run)
{
    run->system_event.type = KVM_SYSTEM_EVENT_RESET;
}

static void crash_event(struct kvm_run *run)
{
    run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
}

static void unknown_event(struct kvm_run *run)
{
    run->system_event.type = 77;
}

static void fail_entry(struct kvm_run *run)
{
    run->fail_entry.hardware_entry_failure_reason = 0x80000021;
}

static void unknown_exit(struct kvm_run *run)
{
    run->hw.hardware_exit_reason = 0x55;
}

static void emulation_failure(struct kvm_run *run)
{
    run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
    run->emulation_failure.ndata = 4;
    run->emulation_failure.flags =
        KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
    run->emulation_failure.insn_size = 3;
    memcpy(run->emulation_failure.insn_bytes, "\x0f\xc7\x0e", 3);
    fake.cpus[0].regs.rip = 0x1ffe; /* for the dump: across a page's end */
    fake.cpus[0].regs.rax = 0x1122334455667788;
}

static void second_exception(struct kvm_run *run)
{
    run->internal.suberror = KVM_INTERNAL_ERROR_SIMUL_EX;
}

static void delivery(struct kvm_run *run)
{
    run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
}

static void other_error(struct kvm_run *run)
{
    run->internal.suberror = 9;
    run->internal.ndata = 2;
    run->internal.data[0] = 0xabc;
    run->internal.data[1] = 0xdef;
}

/* More data than there is room for. */
static void lying_error(struct kvm_run *run)
{
    other_error(run);
    run->internal.ndata = 1u << 31;
}

static const struct {
    Exit exit;
    int status;
    const char *message; /* NULL: none */
} ends[] = {
    { { 0, KVM_EXIT_SYSTEM_EVENT, shutdown_event, NULL }, EXIT_GUEST_OFF, NULL },
    { { 0, KVM_EXIT_SYSTEM_EVENT, crash_event, NULL }, EXIT_GUEST_OFF,
      "vCPU 0: the guest reports that it has crashed\n" },
    { { 0, KVM_EXIT_SYSTEM_EVENT, unknown_event, NULL }, EXIT_KVM_INTERNAL,
      "unknown system event 77 of KVM\n" },
    { { 0, KVM_EXIT_FAIL_ENTRY, fail_entry, NULL }, EXIT_KVM_INTERNAL,
      "the host's processor refused to enter the guest, hardware reason"
      " 0x80000021: " },
    { { 0, KVM_EXIT_UNKNOWN, unknown_exit, NULL }, EXIT_KVM_INTERNAL,
      "for a reason that KVM does not know, 0x55\n" },
    { { 0, 999, NULL, NULL }, EXIT_KVM_INTERNAL,
      "exit 999 of KVM is not known here\n" },
    { { 0, KVM_EXIT_INTERNAL_ERROR, emulation_failure, NULL }, EXIT_KVM_INTERNAL,
      "the host's KVM could not emulate this instruction: 0f c7 0e." },
    { { 0, KVM_EXIT_INTERNAL_ERROR, second_exception, NULL }, EXIT_KVM_INTERNAL,
      "(KVM internal error 2)\n" },
    { { 0, KVM_EXIT_INTERNAL_ERROR, delivery, NULL }, EXIT_KVM_INTERNAL,
      "(KVM internal error 3)\n" },
    { { 0, KVM_EXIT_INTERNAL_ERROR, other_error, NULL }, EXIT_KVM_INTERNAL,
      "KVM internal error 9, data 0xabc 0xdef\n" },
    { { 0, KVM_EXIT_INTERNAL_ERROR, lying_error, NULL }, EXIT_KVM_INTERNAL,
      "KVM internal error 9, data 0xabc 0xdef 0x0" },
    { { -EFAULT, 0, NULL, NULL }, EXIT_KVM_INTERNAL,
      "the host cannot provide a page of guest memory (Bad address)" },
    { { -EINVAL, 0, NULL, NULL }, EXIT_KVM_INTERNAL,
      "KVM refuses to run it: Invalid argument\n" },
    { { -ENOMEM, 0, NULL, NULL }, EXIT_KVM_INTERNAL,
      "KVM refuses to run it: Cannot allocate memory\n" },
};

START_TEST(test_ends)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(ends); i++) {
        int status = run_script(&ends[i].exit, 1, false);

        expect(status == ends[i].status, "%u: status %d", i, status);
        if (ends[i].message) {
            expect(strstr(messages, ends[i].message), "%u: %s", i, messages);
            expect(strstr(messages, "\n  rip 0") && strstr(messages, "\n  cs  "),
                   "%u has no state: %s", i, messages);
        } else {
            expect(!*messages, "%u: %s", i, messages);
        }
        expect(script_at == 1, "%u: it ran on after its end", i);
        expect(resets == 0, "%u: reset", i);
        machine_destroy();
    }
}
END_TEST

START_TEST(test_code_in_the_message)
{
    const Exit exit = { 0, KVM_EXIT_INTERNAL_ERROR, emulation_failure, NULL };

    script = &exit;
    script_len = 1;
    machine_make(&(KVMOptions){ 0 }, 1);
    memset(memory_region_get_ram_ptr(&ram), 0xaa, 16 * PAGE);
    ck_assert_int_eq(machine_run(false), EXIT_KVM_INTERNAL);
    ck_assert_ptr_nonnull(strstr(messages, "rip 0000000000001ffe"));
    ck_assert_ptr_nonnull(strstr(messages, "rax 1122334455667788"));
    ck_assert_ptr_nonnull(strstr(messages, "code at 0000000000001ffe: aa aa aa aa"
                                           " aa aa aa aa aa aa aa aa aa aa aa aa"
                                           "\n"));
    machine_destroy();
}
END_TEST

START_TEST(test_harmless_exits)
{
    const Exit exits[] = {
        { -EAGAIN, 0, NULL, NULL },
        { -EINTR, 0, NULL, NULL },
        { 0, KVM_EXIT_INTR, NULL, NULL },
        { 0, KVM_EXIT_IRQ_WINDOW_OPEN, NULL, NULL },
    };

    ck_assert_int_eq(RUN(exits), EXIT_GUEST_OFF);
    ck_assert_str_eq(messages, "");
    machine_destroy();
}
END_TEST

/* ---- resets -------------------------------------------------------------- */

START_TEST(test_reset)
{
    const Exit exits[] = {
        { 0, KVM_EXIT_SHUTDOWN, NULL, NULL },
        { 0, KVM_EXIT_SYSTEM_EVENT, reset_event, NULL },
    };

    ck_assert_int_eq(RUN(exits), EXIT_GUEST_OFF);
    ck_assert_uint_eq(resets, 2);
    ck_assert_uint_eq(script_at, 3);
    expect_hex(fake.cpus[0].regs.rip, 0xfff0);
    expect_hex(fake.cpus[0].regs.rdx, 0x306c3);
    expect_hex(fake.cpus[0].sregs.cs.base, 0xffff0000);
    expect_hex(fake.cpus[0].sregs.cs.selector, 0xf000);
    expect_hex(fake.cpus[0].sregs.cr0, 0x60000010);
    expect_hex(fake.cpus[0].sregs.apic_base, 0xfee00900);
    expect_hex(fake.cpus[0].mp_state, KVM_MP_STATE_RUNNABLE);
    expect_hex(fake.cpus[1].sregs.apic_base, 0xfee00800);
    expect_hex(fake.cpus[1].mp_state, KVM_MP_STATE_UNINITIALIZED);
    machine_destroy();
}
END_TEST

START_TEST(test_no_reboot)
{
    const Exit exits[] = { { 0, KVM_EXIT_SHUTDOWN, NULL, NULL } };

    ck_assert_int_eq(run_script(exits, 1, true), EXIT_GUEST_OFF);
    ck_assert_uint_eq(resets, 0);
    ck_assert_uint_eq(script_at, 1);
    machine_destroy();
}
END_TEST

/* ---- threads that are never left alone ----------------------------------- */

#define THREADS 4
#define ROUNDS 300

static IoDevice *mover;
static MemoryRegion moving;

/* Each vCPU in its own rhythm: inside, or to a device and back. */
static int noisy_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    unsigned n = __atomic_load_n(&f->cpus[cpu].entries, __ATOMIC_SEQ_CST);

    if (n % (cpu + 3) == 0) {
        return FAKE_IDLE;
    }
    if (n % (cpu + 3) == 1) {
        return -EAGAIN;
    }
    run->exit_reason = KVM_EXIT_MMIO;
    run->mmio.phys_addr = DEVICE + 8 * cpu;
    run->mmio.len = 4;
    run->mmio.is_write = true;
    return 0;
}

/* A vCPU in a callback replaces a slot, so it pauses the others, of which some
 * wait for the lock that it holds. */
static void move_in_callback(IoDevice *d, const IoCall *call)
{
    static unsigned moves;

    memory_region_set_address(&moving, 0x1000000 + moves++ % 3 * 0x100000);
    if (moves == ROUNDS) {
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    }
}

/* Those that stay inside are brought out now and then. */
static gboolean move_from_outside(void *opaque)
{
    memory_region_set_readonly(&moving, !moving.readonly);
    return G_SOURCE_CONTINUE;
}

START_TEST(test_slots_replaced_in_callbacks)
{
    unsigned source;

    machine_make(&(KVMOptions){ 0 }, THREADS);
    fake.guest = noisy_guest;
    memory_region_init_ram(&moving, "moving", 4 * PAGE);
    memory_region_add_subregion(&root, 0x1000000, &moving);
    mover = &dev;
    mover->hook = move_in_callback;
    source = g_timeout_add(1, move_from_outside, NULL);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    g_source_remove(source);
    mover->hook = NULL;
    memory_region_del_subregion(&root, &moving);
    memory_region_destroy(&moving);
    machine_destroy();
}
END_TEST

static unsigned resets_now(void)
{
    unsigned n;

    memory_lock();
    n = resets;
    memory_unlock();
    return n;
}

static void *nagging_thread(void *opaque)
{
    unsigned i;

    for (i = 0; i < ROUNDS; i++) {
        memory_lock();
        cpus_pause_all();
        cpus_pause_all();
        cpus_resume_all();
        cpus_resume_all();
        memory_unlock();
        if (i % 3 == 0) {
            unsigned before = resets_now();

            vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
            while (resets_now() == before) {
                sched_yield();
            }
        }
    }
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    return NULL;
}

START_TEST(test_no_kick_is_lost)
{
    pthread_t nag;

    machine_make(&(KVMOptions){ 0 }, THREADS);
    fake.guest = noisy_guest;
    pthread_create(&nag, NULL, nagging_thread, NULL);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    pthread_join(nag, NULL);
    ck_assert_uint_eq(resets, ROUNDS / 3);
    machine_destroy();
}
END_TEST

START_TEST(test_paused_means_outside)
{
    GError *err = NULL;
    unsigned before[THREADS];
    unsigned i, round;

    machine_make(&(KVMOptions){ 0 }, THREADS);
    fake.guest = noisy_guest;
    expect(cpus_start(&err), "cpus_start: %s", err ? err->message : "");
    ck_assert(vm_start(&err));
    for (round = 0; round < 50; round++) {
        memory_lock();
        cpus_pause_all();
        for (i = 0; i < THREADS; i++) {
            before[i] = __atomic_load_n(&fake.cpus[i].entries, __ATOMIC_SEQ_CST);
            ck_assert(!__atomic_load_n(&fake.cpus[i].in_run, __ATOMIC_SEQ_CST));
        }
        sched_yield();
        for (i = 0; i < THREADS; i++) {
            ck_assert_uint_eq(__atomic_load_n(&fake.cpus[i].entries,
                                              __ATOMIC_SEQ_CST), before[i]);
        }
        cpus_resume_all();
        memory_unlock();
    }
    vm_stop(RUN_STATE_PAUSED);
    machine_destroy();
}
END_TEST

/* ---- the first request for an end wins, and a failed machine says so ----- */

static gboolean two_ends(void *opaque)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 7);
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, 8);
    return G_SOURCE_REMOVE;
}

START_TEST(test_first_end_wins)
{
    machine_make(&(KVMOptions){ 0 }, 1);
    fake.guest = noisy_guest;
    g_idle_add(two_ends, NULL);
    ck_assert_int_eq(machine_run(false), 7);
    machine_destroy();
}
END_TEST

static gboolean end_soon(void *opaque)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    return G_SOURCE_REMOVE;
}

static int halting_guest(FakeKVM *f, unsigned cpu, struct kvm_run *run)
{
    ck_assert_uint_eq(cpu, 0);
    run->exit_reason = KVM_EXIT_HLT;
    return 0;
}

START_TEST(test_halt_without_chips)
{
    machine_make(&(KVMOptions){ .no_irqchip = true }, 2);
    fake.guest = halting_guest;
    g_timeout_add(20, end_soon, NULL);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    ck_assert_uint_eq(fake.cpus[0].entries, 1);
    ck_assert_uint_eq(fake.cpus[1].entries, 0);
    machine_destroy();
}
END_TEST

static void full_ring(struct kvm_run *run)
{
    unsigned i;

    for (i = 0; i < 8; i++) {
        ck_assert(fake_guest_write(&fake, 0, false, i * PAGE, 1, 1));
    }
}

START_TEST(test_full_dirty_ring)
{
    const Exit exits[] = { { 0, KVM_EXIT_DIRTY_RING_FULL, full_ring, NULL } };

    script = exits;
    script_len = 1;
    machine_make(&(KVMOptions){ .dirty_ring_size = 256 }, 1);
    memory_region_set_log(&ram, true, DIRTY_MEMORY_VGA);
    ck_assert_int_eq(machine_run(false), EXIT_GUEST_OFF);
    ck_assert_uint_eq(fake.ring_resets, 1);
    /* What was in the ring is known without a further look at it. */
    for (unsigned i = 0; i < 8; i++) {
        ck_assert(memory_region_get_dirty(&ram, i * PAGE, PAGE,
                                          DIRTY_MEMORY_VGA));
    }
    ck_assert(!memory_region_get_dirty(&ram, 8 * PAGE, PAGE, DIRTY_MEMORY_VGA));
    /* What is still in it needs one. */
    ck_assert(fake_guest_write(&fake, 0, false, 9 * PAGE, 1, 1));
    ck_assert(!memory_region_get_dirty(&ram, 9 * PAGE, PAGE, DIRTY_MEMORY_VGA));
    memory_region_sync_dirty_bitmap(&ram);
    ck_assert(memory_region_get_dirty(&ram, 9 * PAGE, PAGE, DIRTY_MEMORY_VGA));
    ck_assert(memory_region_get_dirty(&ram, 7 * PAGE, PAGE, DIRTY_MEMORY_VGA));
    ck_assert(!memory_region_get_dirty(&ram, 8 * PAGE, PAGE, DIRTY_MEMORY_VGA));
    machine_destroy();
}
END_TEST

START_TEST(test_how_many_vcpus)
{
    static const struct {
        unsigned n;
        const char *message;
    } wrong[] = {
        { 0, "0 vCPUs: this host's KVM allows 1 to 8" },
        { 9, "9 vCPUs: this host's KVM allows 1 to 8" },
    };
    GError *err = NULL;
    unsigned i;

    fake_init(&fake);
    kvm = fake_kvm_new(&fake, &(KVMOptions){ 0 }, &err);
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        ck_assert(!cpus_create(kvm, wrong[i].n, &memory, &ports, &err));
        ck_assert_str_eq(err->message, wrong[i].message);
        ck_assert_uint_eq(cpus_count(), 0);
        g_clear_error(&err);
    }
    kvm_free(kvm);
    fake_destroy(&fake);
}
END_TEST

TEST_MAIN("kvm-run", test_port_repeats, test_mmio_widths,
          test_put_off_writes_come_first,
          test_put_off_writes_come_before_all_else,
          test_put_off_writes_stay_in_order,
          test_put_off_writes_of_a_silent_guest, test_ends,
          test_code_in_the_message, test_harmless_exits, test_reset,
          test_no_reboot, test_slots_replaced_in_callbacks, test_no_kick_is_lost,
          test_paused_means_outside, test_first_end_wins, test_halt_without_chips,
          test_full_dirty_ring, test_how_many_vcpus)
