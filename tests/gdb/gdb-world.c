/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine for tests of the debugger stub; see gdb-world.h.
 */
#include "tests/gdb/gdb-world.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hw/core/chardev.h"

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)
#define ADD(variable) __atomic_add_fetch(&(variable), 1, __ATOMIC_SEQ_CST)

/* ---- the processor -------------------------------------------------------------- */

static int debug_exit(struct kvm_run *run, const FakeCPU *cpu,
                      unsigned exception, uint64_t dr6)
{
    run->exit_reason = KVM_EXIT_DEBUG;
    run->debug.arch = (struct kvm_debug_exit_arch){
        .exception = exception, .pc = cpu->regs.rip, .dr6 = 0xffff0ff0 | dr6,
        .dr7 = cpu->debug.arch.debugreg[7],
    };
    return 0;
}

/* Which debug registers of @type watch @addr: bits of DR6. */
static uint64_t watched(const FakeCPU *cpu, unsigned type, uint64_t addr)
{
    static const unsigned lengths[] = { 1, 2, 8, 4 };
    uint64_t dr7 = cpu->debug.arch.debugreg[7];
    uint64_t dr6 = 0;
    unsigned i;

    if (!(cpu->debug.control & KVM_GUESTDBG_USE_HW_BP)) {
        return 0;
    }
    for (i = 0; i < 4; i++) {
        unsigned settings = dr7 >> (16 + 4 * i) & 15;
        uint64_t base = cpu->debug.arch.debugreg[i];

        if ((dr7 >> (2 * i) & 3) && (settings & 3 & type) == (settings & 3) &&
            (type != 0) == ((settings & 3) != 0) && addr >= base &&
            addr < base + lengths[settings >> 2]) {
            dr6 |= 1u << i;
        }
    }
    return dr6;
}

/* One instruction; the exit that it leads to, or -1. */
static int execute(GDBWorld *w, unsigned index, FakeCPU *cpu,
                   struct kvm_run *run)
{
    uint64_t rip = cpu->regs.rip;
    uint64_t hit = watched(cpu, 0, rip);

    if (hit) {
        return debug_exit(run, cpu, 1, hit);
    }
    if (rip >= GW_RAM_SIZE) {
        return FAKE_IDLE;
    }
    switch (w->host[rip]) {
    case 0x90:
        cpu->regs.rip++;
        break;
    case 0xa2:
        w->host[cpu->regs.rdi % GW_RAM_SIZE] = cpu->regs.rax++;
        cpu->regs.rip++;
        hit = watched(cpu, 3, cpu->regs.rdi);
        break;
    case 0xcc:
        if (w->cannot_trap) {
            run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
            run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
            run->internal.ndata = 0;
            return 0;
        }
        if (!(cpu->debug.control & KVM_GUESTDBG_USE_SW_BP) && !cpu->injected) {
            ADD(w->own_traps);
            cpu->regs.rip++;
            break;
        }
        return debug_exit(run, cpu, 3, 0);
    case 0xe6:
        run->exit_reason = KVM_EXIT_IO;
        run->io.direction = KVM_EXIT_IO_OUT;
        run->io.size = 1;
        run->io.port = w->host[rip + 1];
        run->io.count = 1;
        run->io.data_offset = 4096;
        cpu->output_rip = rip;
        cpu->output_len = 2;
        return 0;
    case 0xeb:
        cpu->regs.rip = cpu->regs.rsi;
        ADD(w->rounds[index]);
        break;
    default:
        return FAKE_IDLE;
    }
    if (cpu->debug.control & KVM_GUESTDBG_SINGLESTEP) {
        hit |= 1u << 14;
    }
    return hit ? debug_exit(run, cpu, 1, hit) : -1;
}

static int guest(FakeKVM *fake, unsigned index, struct kvm_run *run)
{
    GDBWorld *w = fake->guest_opaque;
    FakeCPU *cpu = &fake->cpus[index];
    int result = -1;
    unsigned i;

    if (cpu->injected) {
        /* What it gets back: it deals with it and goes on behind. */
        ADD(w->own_traps);
        if (cpu->injected == KVM_GUESTDBG_INJECT_BP) {
            cpu->regs.rip++;
        }
        cpu->injected = 0;
    }
    if (cpu->output_done) {
        cpu->output_done = false;
        if (cpu->debug.control & KVM_GUESTDBG_SINGLESTEP) {
            return debug_exit(run, cpu, 1, 1u << 14);
        }
    }
    for (i = 0; i < 100 && result < 0 && !LOAD(run->immediate_exit); i++) {
        result = execute(w, index, cpu, run);
    }
    if (result < 0) {
        g_usleep(10);
        run->exit_reason = KVM_EXIT_INTR;
        result = 0;
    }
    return result;
}

/* ---- the machine ------------------------------------------------------------------ */

static void reset_hook(CPUState *cpu, void *opaque)
{
    GDBWorld *w = opaque;
    FakeCPU *fake = &w->fake.cpus[cpu->index];

    x86_cpu_set_pvh(cpu, GW_LOOP + cpu->index * 0x1000, 0);
    fake->regs.rsi = fake->regs.rip;
    fake->regs.rdi = 0x8000 + cpu->index * 0x1000;
}

static void load_loops(GDBWorld *w, unsigned cpus)
{
    unsigned i;

    for (i = 0; i < cpus; i++) {
        uint8_t *page = w->host + GW_LOOP + i * 0x1000;

        memset(page, 0x90, GW_LOOP_END);
        page[4] = 0xa2;
        page[GW_LOOP_END] = 0xeb;
    }
}

static void reset_machine(void *opaque)
{
    GDBWorld *w = opaque;

    load_loops(w, cpus_count());
    ADD(w->resets);
}

static void wake_machine(void *opaque, WakeupReason reason)
{
    reset_machine(opaque);
}

static void *script_thread(void *opaque)
{
    GDBWorld *w = opaque;
    GDBClient c;

    gdb_client_open(&c, w->path);
    w->script(w, &c);
    if (!w->killed) {
        vm_request_shutdown(SHUTDOWN_CAUSE_HOST_SIGNAL, 0);
    }
    gdb_client_close(&c);
    return NULL;
}

static MemTxResult device_read(void *opaque, hwaddr addr, uint64_t *data,
                               unsigned size, MemTxAttrs attrs)
{
    test_fail("the debugger reads a device's register");
}

static MemTxResult device_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size, MemTxAttrs attrs)
{
    test_fail("the debugger writes a device's register");
}

static const MemoryRegionOps device_ops = {
    .read_with_attrs = device_read,
    .write_with_attrs = device_write,
};

static void make_memory(GDBWorld *w, unsigned cpus)
{
    memory_region_init(&w->root, "memory", UINT64_MAX);
    memory_region_init(&w->ports_root, "ports", 0x10000);
    memory_region_init_ram(&w->ram, "ram", GW_RAM_SIZE);
    memory_region_init_rom(&w->rom, "rom", 0x1000);
    memory_region_init_io(&w->device, &device_ops, w, "device", 0x1000);
    memory_region_add_subregion(&w->root, 0, &w->ram);
    memory_region_add_subregion(&w->root, GW_ROM, &w->rom);
    memory_region_add_subregion(&w->root, GW_DEVICE, &w->device);
    address_space_init(&w->memory, &w->root);
    address_space_init(&w->ports, &w->ports_root);
    w->host = memory_region_get_ram_ptr(&w->ram);
    load_loops(w, cpus);
}

static void drop_memory(GDBWorld *w)
{
    address_space_destroy(&w->ports);
    address_space_destroy(&w->memory);
    memory_region_del_subregion(&w->root, &w->device);
    memory_region_del_subregion(&w->root, &w->rom);
    memory_region_del_subregion(&w->root, &w->ram);
    memory_region_destroy(&w->device);
    memory_region_destroy(&w->rom);
    memory_region_destroy(&w->ram);
    memory_region_destroy(&w->ports_root);
    memory_region_destroy(&w->root);
}

static void run(GDBWorld *w, unsigned cpus, bool start_paused)
{
    RunOptions options = { .start_paused = start_paused };
    g_autofree char *spec = NULL;
    GError *err = NULL;
    GDBStub *stub;
    Chardev *chr;
    GThread *thread;
    unsigned i;

    make_memory(w, cpus);
    ck_assert(cpus_create(w->kvm, cpus, &w->memory, &w->ports, &err));
    for (i = 0; i < cpus; i++) {
        cpus_get(i)->reset_hook = w->kvm ? reset_hook : NULL;
        cpus_get(i)->reset_opaque = w;
    }
    ck_assert(!w->kvm || kvm_attach(w->kvm, &w->memory, &w->ports, &err));
    w->path = g_strdup_printf("%s/gdb-test-%d", g_get_tmp_dir(), getpid());
    spec = g_strdup_printf("unix:%s,server=on,wait=off", w->path);
    chr = chardev_open("gdb", spec, &err);
    expect(chr, "%s", err ? err->message : "");
    stub = gdbstub_new(chr, &err);
    expect(stub, "%s", err ? err->message : "");
    ck_assert(cpus_start(&err));
    thread = g_thread_new("script", script_thread, w);
    w->status = vm_main_loop(&options,
                             &(RunMachine){ .reset = reset_machine, .wakeup = wake_machine,
                                             .opaque = w });
    gdbstub_free(stub);
    chardev_close(chr);
    g_thread_join(thread);
    cpus_destroy();
    kvm_free(w->kvm);
    drop_memory(w);
    unlink(w->path);
    g_free(w->path);
    ck_assert_int_eq(w->status, 0);
}

void gdb_world_run(unsigned cpus, bool start_paused,
                   void (*script)(GDBWorld *w, GDBClient *c))
{
    GDBWorld w = { .script = script };
    GError *err = NULL;

    fake_init(&w.fake);
    w.fake.guest = guest;
    w.fake.guest_opaque = &w;
    w.kvm = fake_kvm_new(&w.fake, &(KVMOptions){ 0 }, &err);
    expect(w.kvm, "%s", err ? err->message : "");
    run(&w, cpus, start_paused);
    fake_destroy(&w.fake);
}

void gdb_world_run_qtest(void (*script)(GDBWorld *w, GDBClient *c))
{
    GDBWorld w = { .script = script };

    run(&w, 1, false);
}

/* ---- for scripts -------------------------------------------------------------------- */

void gdb_world_wait_rounds(GDBWorld *w, unsigned cpu, unsigned n)
{
    unsigned start = LOAD(w->rounds[cpu]);

    gdb_world_until(LOAD(w->rounds[cpu]) - start >= n);
}

void gdb_world_reconnect(GDBWorld *w, GDBClient *c)
{
    gdb_client_close(c);
    gdb_client_open(c, w->path);
}
