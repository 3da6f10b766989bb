/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sleep on the board pc, as a guest and a management program see it: to RAM, what wakes
 * it, what is lost and kept on the way; to disk; and what a monitor does meanwhile.
 */
#include "tests/qtest/qvm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/i386/pc-map.h"

#define PM_DEVFN 0x0b
#define HOST_DEVFN 0x00
#define PM 0x600
#define STATUS (PM + 0)
#define ENABLE (PM + 2)
#define CONTROL (PM + 4)
#define BUTTON 0x0100
#define RTC 0x0400
#define WAKE 0x8000
#define TO_RAM 0x2400
#define S 1000000000ll

#define KEY_A "{'type': 'key', 'data': {'down': true, 'key': {'type': 'qcode', " \
              "'data': 'a'}}}"
#define LEFT "{'type': 'btn', 'data': {'button': 'left', 'down': true}}"
#define LEFT_UP "{'type': 'btn', 'data': {'button': 'left', 'down': false}}"
#define MOVE "{'type': 'rel', 'data': {'axis': 'x', 'value': 5}}"

static QVM *vm;

static uint32_t conf(unsigned devfn, unsigned reg, unsigned size)
{
    qvm_out(vm, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    return qvm_in(vm, 0xcfc + reg % 4, size);
}

static void set_conf(unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
    qvm_out(vm, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    qvm_out(vm, 0xcfc + reg % 4, value, size);
}

static uint8_t cmos(unsigned reg)
{
    qvm_out(vm, PC_RTC_PORT, reg, 1);
    return qvm_in(vm, PC_RTC_PORT + 1, 1);
}

static void set_cmos(unsigned reg, uint8_t value)
{
    qvm_out(vm, PC_RTC_PORT, reg, 1);
    qvm_out(vm, PC_RTC_PORT + 1, value, 1);
}

/* As firmware does it, also when it wakes the guest. */
static void place(void)
{
    set_conf(PM_DEVFN, 0x40, PM | 1, 4);
    set_conf(PM_DEVFN, 0x80, 1, 1);
}

static void start(const char *options)
{
    vm = qvm_start("-M pc -nodefaults -m 16 -rtc base=2026-01-02T03:04:05,clock=vm %s",
                   options);
    place();
}

static void expect_state(const char *state)
{
    g_autofree char *reply = qvm_qmp(vm, "{'execute': 'query-status'}");
    g_autofree char *wanted = g_strdup_printf("\"status\": \"%s\"", state);

    expect(strstr(reply, wanted), "not %s: %s", state, reply);
    expect((strstr(reply, "\"running\": true") != NULL) == !strcmp(state, "running"),
           "%s", reply);
}

/* The next event is @name. */
static void expect_event(const char *name)
{
    g_autofree char *text = vm->events->len
        ? g_ptr_array_steal_index(vm->events, 0) : qvm_qmp_receive(vm);
    g_autofree char *wanted = g_strdup_printf("\"event\": \"%s\"", name);

    expect(strstr(text, wanted), "not %s: %s", name, text);
}

static void expect_no_event(void)
{
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect(vm->events->len == 0, "%s", (char *)vm->events->pdata[0]);
}

static void go_to_sleep(void)
{
    qvm_out(vm, CONTROL, TO_RAM, 2);
    expect_event("SUSPEND");
    expect_state("suspended");
}

static void wake(void)
{
    qvm_qmp_ok(vm, "{'execute': 'system_wakeup'}");
    expect_state("running");
    expect_event("WAKEUP");
}

static void expect_refused(const char *command, const char *words)
{
    g_autofree char *reply = qvm_qmp(vm, "{'execute': '%s'}", command);

    expect(strstr(reply, "\"error\"") && strstr(reply, words), "%s", reply);
}

static void send(const char *event)
{
    qvm_qmp_ok(vm, "{'execute': 'input-send-event', 'arguments': {'events': [%s]}}",
               event);
}

/* ---- sleep and waking up -------------------------------------------------------------- */

START_TEST(asleep_and_awake)
{
    g_autofree char *reply = NULL;

    start("-device edu,addr=5");
    reply = qvm_qmp(vm, "{'execute': 'query-current-machine'}");
    expect(strstr(reply, "\"wakeup-suspend-support\": true"), "%s", reply);
    expect_refused("system_wakeup", "guest is not in suspended state");
    qvm_store(vm, 0x1000, 0x12345678, 4);
    set_conf(HOST_DEVFN, 0x59, 0x30, 1);
    set_conf(HOST_DEVFN, 0x5a, 0x13, 1);
    qvm_store(vm, 0xf1000, 0xabcd, 4);
    qvm_store(vm, 0xc0000, 0x1234, 4);
    set_conf(0x28, 0x10, 0xe0000000, 4);
    set_conf(0x28, 0x04, 7, 2);
    qvm_out(vm, ENABLE, BUTTON, 2);
    qvm_out(vm, 0xafe2, 2, 1);
    set_cmos(0x40, 0x5a);
    expect_hex(cmos(0x0f), 0);
    expect_no_event();

    go_to_sleep();
    expect_hex(cmos(0x0f), 0xfe);
    expect_hex(qvm_in(vm, CONTROL, 2), 0x0400);
    expect_hex(qvm_in(vm, ENABLE, 2), BUTTON); /* not reset yet */

    wake();
    expect_hex(conf(PM_DEVFN, 0x80, 1), 0);
    place();
    expect_hex(qvm_in(vm, STATUS, 2), WAKE | BUTTON);
    expect_hex(qvm_in(vm, ENABLE, 2), 0);
    expect_hex(qvm_in(vm, CONTROL, 2), 0);
    expect_hex(qvm_in(vm, 0xafe2, 1), 0);
    expect_hex(cmos(0x0f), 0xfe);
    expect_hex(cmos(0x40), 0x5a);
    /* RAM is there, and seen where firmware runs in it; functions are reset. */
    expect_hex(qvm_load(vm, 0x1000, 4), 0x12345678);
    expect_hex(conf(HOST_DEVFN, 0x59, 1), 0x30);
    expect_hex(conf(HOST_DEVFN, 0x5a, 1), 0x13);
    expect_hex(qvm_load(vm, 0xf1000, 4), 0xabcd);
    expect_hex(qvm_load(vm, 0xc0000, 4), 0x1234);
    expect_hex(conf(0x28, 0x10, 4), 0);
    expect_hex(conf(0x28, 0x04, 2), 0);
    qvm_out(vm, STATUS, WAKE | BUTTON, 2);
    expect_hex(qvm_in(vm, STATUS, 2), 0);

    go_to_sleep();
    wake();
    expect_refused("system_wakeup", "guest is not in suspended state");
    expect_no_event();
    qvm_end(vm);

    vm = qvm_start("-M microvm -nodefaults -m 16");
    expect_refused("system_wakeup", "wake-up from suspend is not supported by this guest");
    g_free(reply);
    reply = qvm_qmp(vm, "{'execute': 'query-current-machine'}");
    expect(strstr(reply, "\"wakeup-suspend-support\": false"), "%s", reply);
    qvm_end(vm);
}
END_TEST

static void set_alarm(uint8_t control)
{
    for (unsigned reg = 1; reg <= 5; reg += 2) {
        set_cmos(reg, 0xc0);
    }
    set_cmos(0x0b, 0x02);
    cmos(0x0c);
    set_cmos(0x0b, control);
}

START_TEST(the_clock)
{
    start("");
    /* The interrupt of an alarm, but the guest has not said that it may. */
    set_alarm(0x22);
    go_to_sleep();
    qvm_clock_step(vm, 2 * S);
    expect_state("suspended");
    /* It may, but there is no alarm; or it is not to interrupt. */
    cmos(0x0c);
    qvm_out(vm, ENABLE, RTC, 2);
    set_cmos(0x0b, 0x52); /* periodic, and of each update */
    qvm_clock_step(vm, 2 * S);
    expect_state("suspended");
    set_alarm(0x02);
    qvm_clock_step(vm, 2 * S);
    cmos(0x0c);
    expect_state("suspended");
    expect_no_event();
    set_alarm(0x22);
    qvm_clock_step(vm, 2 * S);
    expect_event("WAKEUP");
    expect_state("running");
    place();
    expect_hex(qvm_in(vm, STATUS, 2), WAKE | RTC);
    expect_hex(qvm_in(vm, ENABLE, 2), 0);
    /* The battery keeps it, and the interrupt is off. */
    expect_hex(cmos(0x0b), 0x02);

    /* A reset has taken that back. */
    set_alarm(0x22);
    go_to_sleep();
    qvm_clock_step(vm, 2 * S);
    expect_state("suspended");
    wake();
    place();

    /* Enabled once, and then not any more. */
    qvm_out(vm, STATUS, 0xffff, 2);
    qvm_out(vm, ENABLE, RTC, 2);
    qvm_out(vm, ENABLE, 0, 2);
    set_alarm(0x22);
    go_to_sleep();
    qvm_clock_step(vm, 2 * S);
    expect_state("suspended");
    wake();
    /* Awake, the alarm is an interrupt, and no event. */
    place();
    qvm_out(vm, STATUS, 0xffff, 2);
    qvm_out(vm, ENABLE, RTC, 2);
    set_alarm(0x22);
    qvm_clock_step(vm, 2 * S);
    expect_hex(qvm_in(vm, STATUS, 2) & RTC, 0);
    expect_no_event();
    qvm_end(vm);
}
END_TEST

/* What a timer of ACPI's does is no reason. */
START_TEST(no_timer)
{
    start("");
    qvm_out(vm, ENABLE, 1, 2);
    go_to_sleep();
    qvm_clock_step(vm, 10 * S);
    expect_state("suspended");
    expect_hex(qvm_in(vm, STATUS, 2), 1);
    wake();
    qvm_end(vm);
}
END_TEST

START_TEST(keys_and_buttons)
{
    start("");
    go_to_sleep();
    send(KEY_A);
    expect_event("WAKEUP");
    expect_state("running");
    place();
    expect_hex(qvm_in(vm, STATUS, 2), WAKE | BUTTON);
    expect_no_event();

    /* With the keyboard off, too. */
    qvm_out(vm, 0x64, 0xad, 1);
    go_to_sleep();
    qvm_qmp_ok(vm, "{'execute': 'send-key', 'arguments': {'keys': [{'type': 'qcode', "
                   "'data': 'b'}]}}");
    expect_event("WAKEUP");

    /* A mouse that the guest has not turned on does not, one that is moves in vain. */
    place();
    go_to_sleep();
    send(MOVE);
    send(LEFT);
    send(LEFT_UP);
    expect_state("suspended");
    expect_no_event();
    wake();
    place();
    qvm_out(vm, 0x64, 0xd4, 1);
    qvm_out(vm, 0x60, 0xf4, 1);
    go_to_sleep();
    send(MOVE);
    send(LEFT_UP);
    expect_state("suspended");
    expect_no_event();
    send(LEFT);
    expect_event("WAKEUP");
    expect_state("running");
    qvm_end(vm);
}
END_TEST

/* ---- meanwhile ------------------------------------------------------------------------- */

START_TEST(monitors)
{
    g_autofree char *status = NULL;

    start("");
    go_to_sleep();
    qvm_qmp_ok(vm, "{'execute': 'stop'}");
    expect_state("suspended");
    qvm_qmp_ok(vm, "{'execute': 'cont'}");
    expect_state("suspended");
    status = qvm_hmp(vm, "info status");
    expect(strstr(status, "VM status: paused (suspended)"), "%s", status);
    expect_no_event();

    /* The button is noted, as it is enabled. */
    qvm_out(vm, ENABLE, BUTTON, 2);
    qvm_qmp_ok(vm, "{'execute': 'system_powerdown'}");
    expect_event("POWERDOWN");
    expect_state("suspended");
    expect_hex(qvm_in(vm, STATUS, 2), BUTTON);

    /* What comes is there when the guest wakes up, which is not told of it. */
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {'driver': 'edu', 'id': 'e', "
                   "'addr': '5'}}");
    expect_hex(qvm_in(vm, PC_PCI_HOTPLUG_PORT, 4), 1 << 5);
    expect_hex(qvm_in(vm, PC_GPE0_PORT, 2), 2);
    wake();
    expect_hex(qvm_in(vm, PC_PCI_HOTPLUG_PORT, 4), 0);
    expect_hex(qvm_in(vm, PC_GPE0_PORT, 2), 0);
    expect_hex(conf(0x28, 0, 4), 0x11e81234);

    /* What is to go has gone. */
    place();
    go_to_sleep();
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': 'e'}}");
    qvm_qmp_ok(vm, "{'execute': 'system_wakeup'}");
    expect_event("DEVICE_DELETED");
    expect_event("WAKEUP");
    expect_hex(conf(0x28, 0, 4), 0xffffffff);

    /* By a person. */
    place();
    go_to_sleep();
    g_free(qvm_hmp(vm, "system_wakeup"));
    expect_event("WAKEUP");
    qvm_end(vm);
}
END_TEST

START_TEST(resets_and_ends)
{
    start("");
    qvm_store(vm, 0x1000, 0x12345678, 4);
    go_to_sleep();
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    expect_event("RESET");
    expect_state("prelaunch");
    place();
    expect_hex(qvm_in(vm, STATUS, 2), 0);
    expect_refused("system_wakeup", "guest is not in suspended state");
    qvm_qmp_ok(vm, "{'execute': 'cont'}");
    expect_event("RESUME");
    expect_state("running");

    /* By the chipset, as a device may do it. */
    expect_hex(cmos(0x0f), 0); /* no order to wake it */
    set_cmos(0x0f, 0xfe);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    expect_event("RESET");
    expect_hex(cmos(0x0f), 0xfe); /* the guest's own */
    place();
    go_to_sleep();
    qvm_out(vm, 0xcf9, 2, 1);
    qvm_out(vm, 0xcf9, 6, 1);
    expect_event("RESET");
    expect_state("prelaunch");
    qvm_qmp_ok(vm, "{'execute': 'cont'}");
    expect_event("RESUME");

    /* The user was faster. */
    place();
    qvm_qmp_ok(vm, "{'execute': 'stop'}");
    expect_event("STOP");
    qvm_out(vm, CONTROL, TO_RAM, 2);
    expect_state("paused");
    qvm_qmp_ok(vm, "{'execute': 'cont'}");
    expect_event("RESUME");
    expect_event("SUSPEND");
    expect_state("suspended");
    qvm_qmp_ok(vm, "{'execute': 'quit'}");
    expect_event("SHUTDOWN");
    ck_assert_int_eq(qvm_wait(vm), 0);
    qvm_free(vm);
}
END_TEST

/* ---- without firmware ---------------------------------------------------------------------- */

#define EDU_DEVFN(slot) ((slot) << 3)
#define VECTOR 0xe004c /* in the FACS, the first table behind the root pointer */

/* A multiboot image of nothing. */
static char *make_kernel(void)
{
    const uint32_t header[16] = {
        0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100020,
    };
    char *path = g_strdup_printf("%s/suspend-kernel-%d", g_get_tmp_dir(), getpid());

    ck_assert(g_file_set_contents(path, (const char *)header, sizeof(header), NULL));
    return path;
}

START_TEST(without_firmware)
{
    g_autofree char *path = make_kernel();
    g_autofree char *options = g_strdup_printf("-kernel %s -device edu,addr=5", path);
    uint32_t bar;

    start(options);
    bar = conf(EDU_DEVFN(5), 0x10, 4);
    expect(bar, "not placed");
    qvm_store(vm, VECTOR, 0x8000, 4);
    qvm_store(vm, 0x100000, 0x12345678, 4);

    /* What comes meanwhile is not where the guest puts what it had. */
    go_to_sleep();
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {'driver': 'edu', 'id': 'e', "
                   "'addr': '3'}}");
    wake();
    expect_hex(qvm_in(vm, STATUS, 2), WAKE | BUTTON);
    expect_hex(qvm_in(vm, CONTROL, 2), 1);
    expect_hex(qvm_load(vm, 0x100000, 4), 0x12345678);
    expect_hex(conf(EDU_DEVFN(3), 0, 4), 0x11e81234);
    expect_hex(conf(EDU_DEVFN(3), 0x10, 4), 0);
    expect_hex(conf(EDU_DEVFN(3), 0x04, 2), 0);
    set_conf(EDU_DEVFN(5), 0x10, bar, 4);
    set_conf(EDU_DEVFN(5), 0x04, 2, 2);
    expect_hex(qvm_load(vm, bar, 4), 0x010000ed);

    /* Without a vector, or with one that real mode cannot reach, all is as at the start. */
    for (uint32_t vector = 0; vector <= 0x100000; vector += 0x100000) {
        qvm_store(vm, VECTOR, vector, 4);
        set_conf(HOST_DEVFN, 0x5e, 0, 1);
        go_to_sleep();
        wake();
        expect_hex(conf(HOST_DEVFN, 0x5e, 1), 0x33);
        expect_hex(qvm_in(vm, STATUS, 2), 0);
        expect_hex(qvm_in(vm, CONTROL, 2), 0);
        expect_hex(cmos(0x0f), 0);
        expect_hex(qvm_load(vm, 0x100000, 4), 0x1badb002);
        expect_hex(conf(EDU_DEVFN(3), 0x04, 2), 3);
    }
    qvm_end(vm);
    remove(path);
}
END_TEST

/* ---- to disk ------------------------------------------------------------------------------ */

static void expect_off(const char *options, unsigned type, bool to_disk)
{
    start(options);
    qvm_out(vm, CONTROL, type << 10 | 0x2000, 2);
    if (to_disk) {
        expect_event("SUSPEND_DISK");
    }
    expect_event("SHUTDOWN");
    ck_assert_int_eq(qvm_wait(vm), 0);
    qvm_free(vm);
}

START_TEST(to_disk)
{
    expect_off("", 2, true);
    expect_off("-global PIIX4_PM.s4_val=5", 5, true);
    expect_off("-global PIIX4_PM.disable_s4=1", 2, true);
    expect_off("-global PIIX4_PM.s4_val=0", 0, false);
    start("-global PIIX4_PM.s4_val=5");
    for (unsigned type = 2; type < 8; type++) {
        if (type != 5) {
            qvm_out(vm, CONTROL, type << 10 | 0x2000, 2);
            expect_hex(qvm_in(vm, CONTROL, 2), type << 10);
        }
    }
    /* Without the enable bit there is none. */
    qvm_out(vm, CONTROL, TO_RAM & ~0x2000, 2);
    qvm_out(vm, CONTROL, 0, 2);
    expect_state("running");
    expect_no_event();
    qvm_end(vm);
    qvm_refused("s4_val", "-M pc -nodefaults -global PIIX4_PM.s4_val=8");
    qvm_refused("disable_s3", "-M pc -nodefaults -global PIIX4_PM.disable_s3=2");
}
END_TEST

/* A guest that sleeps at any time, and a user who does anything. */
START_TEST(hostile)
{
    uint32_t seed = test_number("FLATVIEW_SEED", g_random_int());
    GRand *rand = g_rand_new_with_seed(seed);
    static const char *const commands[] = {
        "system_wakeup", "stop", "cont", "system_reset", "system_powerdown",
    };

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start("-global PIIX4_PM.s4_val=1 -no-shutdown");
    for (unsigned i = 0; i < 400; i++) {
        switch (g_rand_int_range(rand, 0, 4)) {
        case 0:
            place();
            break;
        case 1:
            qvm_out(vm, PM + g_rand_int_range(rand, 0, 6), g_rand_int(rand) | TO_RAM,
                    2);
            break;
        case 2:
            qvm_clock_step(vm, g_rand_int_range(rand, 0, 1000000000));
            set_alarm(0x22);
            break;
        default:
            g_free(qvm_qmp(vm, "{'execute': '%s'}",
                           commands[g_rand_int_range(rand, 0, G_N_ELEMENTS(commands))]));
        }
        while (vm->events->len) {
            g_ptr_array_set_size(vm->events, 0);
        }
    }
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    qvm_end(vm);
    g_rand_free(rand);
    test_context[0] = 0;
}
END_TEST

TEST_MAIN("qtest-suspend", asleep_and_awake, the_clock, no_timer, keys_and_buttons,
          monitors, resets_and_ends, without_firmware, to_disk, hostile)
