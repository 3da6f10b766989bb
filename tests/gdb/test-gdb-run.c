/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugger stub stops the machine and lets it go on: breakpoints,
 * watchpoints, steps, vCPUs one by one, and clients that leave.
 */
#include <errno.h>
#include <string.h>

#include "tests/gdb/gdb-world.h"

#define LOAD(variable) __atomic_load_n(&(variable), __ATOMIC_SEQ_CST)

/* What is answered when the machine has stopped. */
static const char *next_stop(GDBClient *c)
{
    const char *answer = gdb_client_receive(c);

    expect(answer, "the connection was closed instead of a stop");
    return answer;
}

#define expect_stop(c, answer) ck_assert_str_eq(next_stop(c), answer)

static void go(GDBClient *c, const char *packet)
{
    gdb_client_send(c, packet, strlen(packet));
}

static void expect_pc(GDBClient *c, uint64_t pc)
{
    g_autofree char *hex = g_strdup_printf("%016" PRIx64,
                                           GUINT64_SWAP_LE_BE(pc));

    gdb_client_expect(c, hex, "p10");
}

/* ---- breakpoints -------------------------------------------------------------------- */

static void traps(GDBWorld *w, GDBClient *c)
{
    gdb_client_ask(c, "qSupported:swbreak+;hwbreak+");
    gdb_client_expect(c, "OK", "Z0,1003,1");
    gdb_client_expect(c, "OK", "Z0,1003,1"); /* again: the same one */
    ck_assert_uint_eq(w->host[0x1003], 0xcc);
    gdb_client_expect(c, "90909090a290", "m1000,6");
    go(c, "c");
    expect_stop(c, "T05thread:01;swbreak:;");
    expect_pc(c, 0x1003);
    gdb_client_expect(c, "T05thread:01;swbreak:;", "?");

    /* As gdb does it: out, a step, in again. */
    gdb_client_expect(c, "OK", "z0,1003,1");
    ck_assert_uint_eq(w->host[0x1003], 0x90);
    go(c, "vCont;s:1");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1004);
    gdb_client_expect(c, "OK", "Z0,1003,1");
    go(c, "vCont;c");
    expect_stop(c, "T05thread:01;swbreak:;");
    expect_pc(c, 0x1003);

    /* Without that: it is stepped over, and met again a round later. */
    go(c, "c");
    expect_stop(c, "T05thread:01;swbreak:;");
    expect_pc(c, 0x1003);
    ck_assert_uint_eq(w->host[0x1003], 0xcc);
    go(c, "s");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1004);
    ck_assert_uint_eq(w->host[0x1003], 0xcc);

    /* What is written over it appears when it goes; what the guest has put
     * there instead stays. */
    gdb_client_expect(c, "OK", "M1002,3:90eb90");
    ck_assert_uint_eq(w->host[0x1003], 0xcc);
    gdb_client_expect(c, "90eb90", "m1002,3");
    gdb_client_expect(c, "OK", "z0,1003,1");
    ck_assert_uint_eq(w->host[0x1003], 0xeb);
    gdb_client_expect(c, "OK", "Z0,1003,1");
    w->host[0x1003] = 0x90;
    gdb_client_expect(c, "909090", "m1002,3");
    gdb_client_expect(c, "OK", "z0,1003,1");
    ck_assert_uint_eq(w->host[0x1003], 0x90);

    /* So does what an instruction puts in its own place while it is stepped
     * over. */
    w->host[0x1004] = 0xa2;
    gdb_client_expect(c, "OK", "Z0,1004,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;swbreak:;");
    gdb_client_expect(c, "OK", "P5=0410000000000000");
    gdb_client_expect(c, "OK", "P0=7700000000000000");
    go(c, "s");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1005);
    ck_assert_uint_eq(w->host[0x1004], 0x77);
    gdb_client_expect(c, "OK", "z0,1004,1");
    ck_assert_uint_eq(w->host[0x1004], 0x77);

    gdb_client_expect(c, "E02", "z0,1003,1");
    gdb_client_expect(c, "E0e", "Z0,90000,1"); /* a device */
    gdb_client_expect(c, "E16", "Z0,1003");
    gdb_client_expect(c, "E16", "Z");
    gdb_client_expect(c, "", "Z5,1003,1");
}

START_TEST(test_traps)
{
    gdb_world_run(1, true, traps);
}
END_TEST

/* A trap that is where the guest already was, and one that it only comes to: only
 * the one that the client heard of is stepped over. */
static void trap_under_foot(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,1000,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;"); /* not supported: no swbreak */
    expect_pc(c, 0x1000);
    gdb_client_expect(c, "OK", "P10=0210000000000000");
    gdb_client_expect(c, "OK", "Z0,1002,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1002);
    gdb_client_expect(c, "OK", "z0,1002,1");
    go(c, "c1000");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1000);
}

START_TEST(test_trap_under_foot)
{
    gdb_world_run(1, true, trap_under_foot);
}
END_TEST

/* The guest's own trap instructions reach it, also while there are others. */
static void own_traps(GDBWorld *w, GDBClient *c)
{
    w->host[0x1005] = 0xcc;
    gdb_client_expect(c, "OK", "Z0,1007,1");
    gdb_client_expect(c, "cc", "m1005,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1007);
    ck_assert_uint_eq(LOAD(w->own_traps), 1);
}

START_TEST(test_own_traps)
{
    gdb_world_run(1, true, own_traps);
}
END_TEST

/* A KVM that emulates the guest, but not that instruction. */
static void emulated_traps(GDBWorld *w, GDBClient *c)
{
    w->cannot_trap = true;
    gdb_client_expect(c, "OK", "Z0,1007,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1007);
    go(c, "c");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1007);
    ck_assert_uint_eq(LOAD(w->rounds[0]), 1);
}

START_TEST(test_emulated_traps)
{
    gdb_world_run(1, true, emulated_traps);
}
END_TEST

/* A processor that keeps breakpoints from guests: the trap is an output. */
static void port_traps(GDBWorld *w, GDBClient *c)
{
    gdb_client_ask(c, "qSupported:swbreak+");
    memcpy(w->host + 0x1007, "\xe6\x11", 2);
    gdb_client_expect(c, "OK", "Z0,1007,1");
    ck_assert_mem_eq(w->host + 0x1007, "\xe6\x80", 2);
    gdb_client_expect(c, "90e61190", "m1006,4");
    gdb_client_expect(c, "11", "m1008,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;swbreak:;");
    expect_pc(c, 0x1007);
    go(c, "c");
    expect_stop(c, "T05thread:01;swbreak:;");
    expect_pc(c, 0x1007);
    ck_assert_uint_eq(LOAD(w->rounds[0]), 1);
    go(c, "s");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1009);
    ck_assert_mem_eq(w->host + 0x1007, "\xe6\x80", 2);

    /* It takes two bytes, of one page and one instruction, which are nobody
     * else's. */
    gdb_client_expect(c, "E10", "Z0,1009,1");
    memcpy(w->host + 0x1009, "\xe6\x22\xe6\x80", 4);
    gdb_client_expect(c, "E10", "Z0,1008,1");
    memcpy(w->host + 0x1fff, "\xe6\x22", 2);
    gdb_client_expect(c, "E10", "Z0,1fff,1");
    gdb_client_expect(c, "OK", "Z0,1009,1");
    gdb_client_expect(c, "OK", "M1008,2:33e6");
    ck_assert_mem_eq(w->host + 0x1007, "\xe6\x80\xe6\x80", 4);
    gdb_client_expect(c, "e633e622", "m1007,4");
    gdb_client_expect(c, "OK", "z0,1009,1");
    gdb_client_expect(c, "OK", "z0,1007,1");
    ck_assert_mem_eq(w->host + 0x1007, "\xe6\x33\xe6\x22", 4);
    gdb_client_expect(c, "", "Z1,1007,1"); /* never hit there */
    gdb_client_expect(c, "", "Z2,1007,1");

    /* The guest's own outputs are done, and are no traps, also beside one. */
    memcpy(w->host + 0x100d, "\xe6\x44", 2);
    gdb_client_expect(c, "OK", "Z0,100d,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;swbreak:;");
    expect_pc(c, 0x100d);
}

START_TEST(test_port_traps)
{
    cpu_debug_assume_crippled(true);
    gdb_world_run(1, true, port_traps);
    cpu_debug_assume_crippled(false);
}
END_TEST

/* Two addresses of the same byte: without paging, 32 bits of them count. */
static void same_byte(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,1004,1");
    gdb_client_expect(c, "OK", "Z0,100001004,1");
    gdb_client_expect(c, "a2", "m1004,1");
    gdb_client_expect(c, "OK", "z0,1004,1");
    ck_assert_uint_eq(w->host[0x1004], 0xcc);
    gdb_client_expect(c, "a2", "m1004,1");
    gdb_client_expect(c, "OK", "z0,100001004,1");
    ck_assert_uint_eq(w->host[0x1004], 0xa2);
}

START_TEST(test_same_byte)
{
    gdb_world_run(1, true, same_byte);
}
END_TEST

static void many_traps(GDBWorld *w, GDBClient *c)
{
    unsigned i;

    for (i = 0; i < 1024; i++) {
        gdb_client_expect(c, "OK", "Z0,%x,1", 0x20000 + i);
    }
    gdb_client_expect(c, "E1c", "Z0,%x,1", 0x20000 + i);
    gdb_client_expect(c, "OK", "D");
    gdb_world_wait_rounds(w, 0, 2);
    for (i = 0; i < 1024; i++) {
        ck_assert_uint_eq(w->host[0x20000 + i], 0);
    }
}

START_TEST(test_many_traps)
{
    gdb_world_run(1, true, many_traps);
}
END_TEST

/* ---- the processor's points ----------------------------------------------------------- */

static void points(GDBWorld *w, GDBClient *c)
{
    struct kvm_guest_debug *debug = &w->fake.cpus[0].debug;

    gdb_client_ask(c, "qSupported:hwbreak+");
    gdb_client_expect(c, "OK", "Z1,1006,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;hwbreak:;");
    expect_pc(c, 0x1006);
    ck_assert_uint_eq(w->host[0x1006], 0x90);
    gdb_client_expect(c, "OK", "z1,1006,1");

    /* After the write; the address is that of the point. */
    gdb_client_expect(c, "OK", "Z2,8000,4");
    go(c, "c");
    expect_stop(c, "T05thread:01;watch:8000;");
    expect_pc(c, 0x1005);
    ck_assert_uint_eq(debug->arch.debugreg[0], 0x8000);
    ck_assert_uint_eq(debug->arch.debugreg[7], 0xd0402);
    gdb_client_expect(c, "OK", "z2,8000,4");
    gdb_client_expect(c, "OK", "Z4,7fff,2");
    go(c, "c");
    expect_stop(c, "T05thread:01;awatch:8000;");
    ck_assert_uint_eq(debug->arch.debugreg[0], 0x7fff);
    ck_assert_uint_eq(debug->arch.debugreg[1], 0x8000);
    ck_assert_uint_eq(debug->arch.debugreg[7], 0x33040a);
    gdb_client_expect(c, "OK", "z4,7fff,2");

    /* Eight bytes at an odd place take four of them. */
    gdb_client_expect(c, "OK", "Z2,8001,8");
    gdb_client_expect(c, "E1c", "Z1,1000,1");
    gdb_client_expect(c, "OK", "z2,8001,8");
    gdb_client_expect(c, "OK", "Z2,8000,20");
    gdb_client_expect(c, "E1c", "Z2,9000,1");
    gdb_client_expect(c, "OK", "z2,8000,20");
    gdb_client_expect(c, "E1c", "Z2,8000,21");
    gdb_client_expect(c, "E1c", "Z2,8000,ffffffffffffffff");
    gdb_client_expect(c, "E16", "Z2,8000,0");
    gdb_client_expect(c, "E02", "z2,8000,4");
    gdb_client_expect(c, "", "Z3,8000,4"); /* gdb then asks for accesses */
}

START_TEST(test_points)
{
    gdb_world_run(1, true, points);
}
END_TEST

/* Where several vCPUs meet what is watched at once, the client hears of each. */
static void watches_at_once(GDBWorld *w, GDBClient *c)
{
    unsigned stops[2] = { 0, 0 };
    unsigned i;

    gdb_client_expect(c, "OK", "Z2,8000,1");
    gdb_client_expect(c, "OK", "Z2,9000,1");
    for (i = 0; i < 200; i++) {
        const char *stop;

        go(c, "vCont;c");
        stop = next_stop(c);
        if (strcmp(stop, "T05thread:01;watch:8000;") == 0) {
            stops[0]++;
        } else {
            ck_assert_str_eq(stop, "T05thread:02;watch:9000;");
            stops[1]++;
        }
    }
    for (i = 0; i < 2; i++) {
        uint64_t writes = w->fake.cpus[i].regs.rax;

        /* One may not have been told yet. */
        ck_assert_uint_ge(writes, stops[i]);
        ck_assert_uint_le(writes, stops[i] + 1);
    }
}

START_TEST(test_watches_at_once)
{
    gdb_world_run(2, true, watches_at_once);
}
END_TEST

/* A reset of the machine leaves the processor's points. */
static void reset(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z1,1006,1");
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    gdb_world_until(LOAD(w->resets));
    gdb_world_until(w->fake.cpus[0].regs.rip == 0x1000);
    go(c, "c");
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1006);
}

START_TEST(test_reset)
{
    gdb_world_run(1, true, reset);
}
END_TEST

/* One in the middle of a step begins it anew. */
static void reset_in_step(GDBWorld *w, GDBClient *c)
{
    w->host[0x1003] = 0xf4; /* it waits there */
    gdb_client_expect(c, "OK", "P10=0310000000000000");
    go(c, "s");
    gdb_world_until(LOAD(w->fake.cpus[0].in_run));
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1001);
}

START_TEST(test_reset_in_step)
{
    gdb_world_run(1, true, reset_in_step);
}
END_TEST

/* One that steps over a trap, while the others are held, has left it: all go on,
 * and what the reset has put there stays. */
static void reset_in_step_over(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,1003,1");
    go(c, "vCont;c:1");
    expect_stop(c, "T05thread:01;");
    gdb_client_expect(c, "OK", "M1003,1:f4");
    go(c, "vCont;c");
    gdb_world_until(LOAD(w->host[0x1003]) == 0xf4);
    gdb_world_until(LOAD(w->fake.cpus[0].in_run));
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    gdb_world_wait_rounds(w, 0, 2);
    gdb_world_wait_rounds(w, 1, 2);
    gdb_client_raw(c, "\x03", 1);
    expect_stop(c, "T02thread:01;");
    gdb_client_expect(c, "OK", "z0,1003,1");
    ck_assert_uint_eq(w->host[0x1003], 0x90);
}

START_TEST(test_reset_in_step_over)
{
    gdb_world_run(2, true, reset_in_step_over);
}
END_TEST

/* ---- sleep ------------------------------------------------------------------------------- */

static void sleep_now(void)
{
    vm_request_suspend();
    gdb_world_until(vm_run_state() == RUN_STATE_SUSPENDED);
}

static void wake_up(GDBWorld *w)
{
    unsigned before = LOAD(w->resets);

    vm_request_wakeup(WAKEUP_OTHER);
    gdb_world_until(LOAD(w->resets) > before);
}

/* To wake up is a reset: a step begins anew. */
static void wake_in_step(GDBWorld *w, GDBClient *c)
{
    w->host[0x1003] = 0xf4;
    gdb_client_expect(c, "OK", "P10=0310000000000000");
    go(c, "s");
    gdb_world_until(LOAD(w->fake.cpus[0].in_run));
    sleep_now();
    wake_up(w);
    expect_stop(c, "T05thread:01;");
    expect_pc(c, 0x1001);
}

START_TEST(test_wake_in_step)
{
    gdb_world_run(1, true, wake_in_step);
}
END_TEST

/* And nobody stays held for a step over a trap. */
static void wake_in_step_over(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,1003,1");
    go(c, "vCont;c:1");
    expect_stop(c, "T05thread:01;");
    gdb_client_expect(c, "OK", "M1003,1:f4");
    go(c, "vCont;c");
    gdb_world_until(LOAD(w->host[0x1003]) == 0xf4);
    gdb_world_until(LOAD(w->fake.cpus[0].in_run));
    sleep_now();
    wake_up(w);
    gdb_world_wait_rounds(w, 0, 2);
    gdb_world_wait_rounds(w, 1, 2);
    gdb_client_raw(c, "\x03", 1);
    expect_stop(c, "T02thread:01;");
    gdb_client_expect(c, "OK", "z0,1003,1");
    ck_assert_uint_eq(w->host[0x1003], 0x90);
}

START_TEST(test_wake_in_step_over)
{
    gdb_world_run(2, true, wake_in_step_over);
}
END_TEST

/* Whoever interrupts one that sleeps is told; it goes on to sleep. A client that waits
 * hears of a reset. */
static void stopped_asleep(GDBWorld *w, GDBClient *c)
{
    go(c, "c");
    gdb_world_wait_rounds(w, 0, 2);
    sleep_now();
    gdb_client_raw(c, "\x03", 1);
    expect_stop(c, "T02thread:01;");
    ck_assert_int_eq(vm_run_state(), RUN_STATE_SUSPENDED);
    go(c, "c");
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    expect_stop(c, "T05thread:01;");
    ck_assert_int_eq(vm_run_state(), RUN_STATE_PRELAUNCH);
}

START_TEST(test_stopped_asleep)
{
    gdb_world_run(1, true, stopped_asleep);
}
END_TEST

/* ---- vCPUs ------------------------------------------------------------------------------- */

static uint64_t rip(GDBWorld *w, unsigned cpu)
{
    return w->fake.cpus[cpu].regs.rip;
}

static void one_by_one(GDBWorld *w, GDBClient *c)
{
    unsigned i;

    for (i = 1; i <= 3; i++) {
        go(c, "vCont;s:2");
        expect_stop(c, "T05thread:02;");
        ck_assert_uint_eq(rip(w, 0), 0x1000);
        ck_assert_uint_eq(rip(w, 1), 0x2000 + i);
    }
    gdb_client_expect(c, "QC02", "qC");

    /* One steps, the other runs. */
    i = LOAD(w->rounds[0]);
    go(c, "vCont;s:2;c");
    expect_stop(c, "T05thread:02;");
    ck_assert_uint_eq(rip(w, 1), 0x2004);
    gdb_client_expect(c, "OK", "Hc1");
    go(c, "s");
    expect_stop(c, "T05thread:01;");
    ck_assert_uint_eq(rip(w, 1), 0x2004);

    /* One alone, until it is told to stop. */
    go(c, "vCont;c:1");
    gdb_world_wait_rounds(w, 0, 3);
    gdb_client_raw(c, "\x03", 1);
    expect_stop(c, "T02thread:01;");
    ck_assert_uint_eq(rip(w, 1), 0x2004);
    ck_assert(!cpus_get(1)->held);

    gdb_client_expect(c, "E16", "vCont");
    gdb_client_expect(c, "E16", "vCont;");
    gdb_client_expect(c, "E16", "vCont;t");
    gdb_client_expect(c, "E16", "vCont;c:9");
    gdb_client_expect(c, "E16", "vCont;C");
    gdb_client_expect(c, "E16", "vCont;c:1x");
    gdb_client_expect(c, "E16", "cx");
    gdb_client_expect(c, "E16", "C");
    go(c, "vCont;S05:2");
    expect_stop(c, "T05thread:02;");
    go(c, "S05;2003");
    expect_stop(c, "T05thread:02;");
    ck_assert_uint_eq(rip(w, 1), 0x2004);
    gdb_client_expect(c, "OK", "Hc0");
    go(c, "C05");
    gdb_world_wait_rounds(w, 0, 3);
    gdb_world_wait_rounds(w, 1, 3);
    gdb_client_raw(c, "\x03", 1);
    expect_stop(c, "T02thread:02;");
}

START_TEST(test_one_by_one)
{
    gdb_world_run(2, true, one_by_one);
}
END_TEST

/* Interrupts stay outside during a step, unless they are asked for. */
static void blocked_interrupts(GDBWorld *w, GDBClient *c)
{
    FakeCPU *cpu = &w->fake.cpus[0];

    cpu->mp_state = KVM_MP_STATE_HALTED; /* nothing else would wake it */
    go(c, "vCont;s:1");
    expect_stop(c, "T05thread:01;");
    ck_assert_uint_eq(cpu->debug_controls & KVM_GUESTDBG_BLOCKIRQ, 0);
    cpu->mp_state = KVM_MP_STATE_RUNNABLE;
    go(c, "vCont;s:1");
    expect_stop(c, "T05thread:01;");
    ck_assert_uint_ne(cpu->debug_controls & KVM_GUESTDBG_BLOCKIRQ, 0);
    ck_assert_uint_eq(cpu->debug.control, 0); /* the step is forgotten */
    gdb_client_expect(c, "OK", "Qqemu.sstep=1");
    cpu->debug_controls = 0;
    go(c, "vCont;s:1");
    expect_stop(c, "T05thread:01;");
    ck_assert_uint_eq(cpu->debug_controls & KVM_GUESTDBG_BLOCKIRQ, 0);
    w->fake.fail_errno = EINVAL;
    w->fake.fail_request = KVM_SET_GUEST_DEBUG;
    gdb_client_expect(c, "E16", "vCont;s:1");
    w->fake.fail_request = 0;
    go(c, "vCont;s:1");
    expect_stop(c, "T05thread:01;");
}

START_TEST(test_blocked_interrupts)
{
    gdb_world_run(1, true, blocked_interrupts);
}
END_TEST

/* ---- the machine, whoever stops it ---------------------------------------------------------- */

static void stopped_by_others(GDBWorld *w, GDBClient *c)
{
    ck_assert(!vm_is_running() || gdb_client_ask(c, "?"));
    ck_assert(!vm_is_running());
    go(c, "c");
    gdb_world_wait_rounds(w, 0, 2);
    vm_request_stop(RUN_STATE_PAUSED);
    expect_stop(c, "T02thread:01;");
    go(c, "c");
    gdb_world_wait_rounds(w, 0, 2);
    fake_messages_begin();
    vm_request_pause("something failed");
    expect_stop(c, "T06thread:01;");
    g_free(fake_messages_end());
    gdb_client_expect(c, "E10", "c");
    gdb_client_expect(c, "E10", "s");

    /* Whoever asks for something while it runs stops it. */
    vm_request_reset(SHUTDOWN_CAUSE_HOST_QMP_SYSTEM_RESET);
    gdb_world_until(vm_run_state() == RUN_STATE_PRELAUNCH);
    go(c, "c");
    gdb_world_wait_rounds(w, 0, 2);
    go(c, "qC");
    expect_stop(c, "T02thread:01;");
    ck_assert_str_eq(gdb_client_receive(c), "QC01");
    ck_assert(!vm_is_running());
}

START_TEST(test_stopped_by_others)
{
    gdb_world_run(1, false, stopped_by_others);
}
END_TEST

/* A monitor lets it go on behind the client's back: traps set since it stopped
 * are the debugger's, not the guest's own. */
static void continued_by_others(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,1003,1");
    gdb_client_expect(c, "OK", "qRcmd,636f6e74"); /* cont */
    gdb_world_until(vm_run_state() == RUN_STATE_DEBUG);
    expect_pc(c, 0x1003);
    ck_assert_uint_eq(LOAD(w->own_traps), 0);
}

START_TEST(test_continued_by_others)
{
    gdb_world_run(1, true, continued_by_others);
}
END_TEST

static void detach(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,100f,1");
    gdb_client_expect(c, "OK", "D");
    gdb_world_wait_rounds(w, 0, 2);
    ck_assert_uint_eq(w->host[0x100f], 0x90);

    /* Whoever says something again has it again. */
    gdb_client_expect(c, "T05thread:01;", "?");
    ck_assert(!vm_is_running());
    gdb_client_expect(c, "OK", "Z0,100f,1");
    go(c, "c");
    expect_stop(c, "T05thread:01;");

    /* A lost connection is a detach, */
    gdb_world_reconnect(w, c);
    gdb_client_expect(c, "T05thread:01;", "?");
    ck_assert_uint_eq(w->host[0x100f], 0x90);
    gdb_client_close(c);
    gdb_world_wait_rounds(w, 0, 2);

    /* also while it runs. */
    gdb_client_open(c, w->path);
    gdb_client_expect(c, "OK", "Z0,20000,1");
    go(c, "c");
    gdb_world_wait_rounds(w, 0, 2);
    gdb_client_close(c);
    gdb_world_until(LOAD(w->host[0x20000]) == 0);
    gdb_world_wait_rounds(w, 0, 2);
    gdb_client_open(c, w->path);
}

START_TEST(test_detach)
{
    gdb_world_run(1, false, detach);
}
END_TEST

/* What one asked and did not wait for is not told to the next. */
static void left_behind(GDBWorld *w, GDBClient *c)
{
    for (unsigned i = 0; i < 20; i++) {
        memory_lock(); /* the stub meets all of it at once */
        for (unsigned n = 0; n < 100; n++) {
            gdb_client_raw(c, "$g#67", 5);
        }
        gdb_world_reconnect(w, c);
        memory_unlock();
        gdb_client_expect(c, "T05thread:01;", "?");
    }
}

START_TEST(test_left_behind)
{
    gdb_world_run(1, true, left_behind);
}
END_TEST

/* Who only looks at a machine that was at rest leaves it so. */
static void look(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "OK", "Z0,1001,1");
    gdb_client_close(c);
    gdb_world_until(LOAD(w->host[0x1001]) == 0x90);
    gdb_client_open(c, w->path);
    gdb_client_expect(c, "T05thread:01;", "?");
    ck_assert_uint_eq(LOAD(w->rounds[0]), 0);
    ck_assert_uint_eq(rip(w, 0), 0x1000);
    ck_assert_int_eq(vm_run_state(), RUN_STATE_PRELAUNCH);
}

START_TEST(test_look)
{
    gdb_world_run(1, true, look);
}
END_TEST

static void killed(GDBWorld *w, GDBClient *c)
{
    go(c, "k");
    w->killed = true;
    c->no_ack = true; /* nobody is left to hear it */
    ck_assert_str_eq(next_stop(c), "W00");
}

static void killed_process(GDBWorld *w, GDBClient *c)
{
    go(c, "vKill;1");
    w->killed = true;
    c->no_ack = true;
    ck_assert_str_eq(next_stop(c), "OK");
    ck_assert_str_eq(next_stop(c), "W00");
}

START_TEST(test_kill)
{
    gdb_world_run(1, false, killed);
}
END_TEST

START_TEST(test_kill_process)
{
    gdb_world_run(1, false, killed_process);
}
END_TEST

TEST_MAIN("gdb-run", test_reset_in_step, test_reset_in_step_over, test_traps,
          test_trap_under_foot, test_own_traps, test_emulated_traps,
          test_port_traps, test_same_byte, test_many_traps, test_points, test_watches_at_once,
          test_reset, test_wake_in_step, test_wake_in_step_over, test_stopped_asleep,
          test_one_by_one, test_blocked_interrupts, test_stopped_by_others,
          test_continued_by_others, test_detach, test_left_behind, test_look,
          test_kill, test_kill_process)
