/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions that come and go on the board pc: the user's part by QMP, the guest's by
 * the ports that its ACPI tables use.
 */
#include "tests/qtest/qvm.h"

#include <stdio.h>
#include <string.h>

#define UP 0xae00
#define DOWN 0xae04
#define EJECT 0xae08
#define REMOVABLE 0xae0c
#define SELECT 0xae10
#define GPE_STATUS 0xafe0
#define GPE_ENABLE 0xafe2
#define GPE_HOTPLUG 0x0002
#define APM 0xb2
#define SCI 9

#define get(port) qvm_in(vm, port, 4)
#define set(port, value) qvm_out(vm, port, value, 4)
#define gpe() qvm_in(vm, GPE_STATUS, 2)

static QVM *vm;

static void start(const char *options)
{
    vm = qvm_start("-M pc -nodefaults -m 16 %s", options);
    qvm_expect(vm, "OK", "irq_intercept_in ioapic");
    qvm_out(vm, APM, 0xf1, 1);
    qvm_out(vm, GPE_ENABLE, GPE_HOTPLUG, 2);
}

/* Whether the guest finds a function there. */
static bool is_there(unsigned slot, unsigned function)
{
    qvm_out(vm, 0xcf8, 0x80000000 | slot << 11 | function << 8, 4);
    return qvm_in(vm, 0xcfc, 4) != UINT32_MAX;
}

static void add(const char *id, const char *addr, const char *more)
{
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {'driver': 'pci-testdev', "
               "'id': '%s', 'addr': '%s'%s}}", id, addr, more);
}

static void ask(const char *id)
{
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': '%s'}}", id);
}

/* The event that tells of the end of @id. */
static void expect_deleted(const char *id)
{
    g_autofree char *wanted = g_strdup_printf("\"%s\"", id);
    char *event = qvm_event(vm, "DEVICE_DELETED");

    expect(strstr(event, wanted), "not %s: %s", id, event);
    free(event);
}

/* What the guest's handler does: clear the status, then look. */
static void handled(void)
{
    expect(qvm_irq(vm, SCI), "no interrupt");
    expect_hex(gpe(), GPE_HOTPLUG);
    qvm_out(vm, GPE_STATUS + 1, 0xff, 1); /* the other byte */
    expect_hex(gpe(), GPE_HOTPLUG);
    qvm_out(vm, GPE_STATUS, GPE_HOTPLUG, 2);
    expect(!qvm_irq(vm, SCI), "not cleared");
}

static void expect_nothing(void)
{
    expect(!qvm_irq(vm, SCI), "an interrupt");
    expect_hex(gpe(), 0);
    expect_hex(get(UP), 0);
    expect_hex(get(DOWN), 0);
    expect_hex(get(EJECT), 0);
}

START_TEST(comes_and_goes)
{
    start("");
    expect_nothing();
    add("e0", "5", "");
    expect(is_there(5, 0), "not there");
    handled();
    expect_hex(get(UP), 1u << 5);
    expect_hex(get(UP), 0); /* seen */
    expect_hex(get(DOWN), 0);
    ask("e0");
    expect(is_there(5, 0), "gone without the guest");
    handled();
    expect_hex(get(DOWN), 1u << 5);
    expect_hex(get(DOWN), 1u << 5); /* until it is given up */
    expect_hex(get(UP), 0);
    set(EJECT, 1u << 5);
    expect_deleted("e0");
    expect(!is_there(5, 0), "still there");
    expect_nothing();
    add("e0", "5", ""); /* the slot and the name are free again */
    expect(is_there(5, 0), "not there");
    expect_hex(get(UP), 1u << 5);
    qvm_end(vm);
}
END_TEST

/* A guest that does not answer may be asked again, and one that gives a slot up
 * without being asked is right, too. */
START_TEST(asking)
{
    start("-device pci-testdev,id=c0,addr=1f");
    expect_nothing(); /* it was there from the start */
    ask("c0");
    handled();
    ask("c0");
    handled();
    expect_hex(get(DOWN), 1u << 31);
    set(EJECT, 1u << 31);
    expect_deleted("c0");
    add("e0", "3", "");
    handled();
    set(EJECT, 1u << 3);
    expect_deleted("e0");
    expect_nothing(); /* what it has not seen come is not to be looked for */
    qvm_end(vm);
}
END_TEST

START_TEST(functions)
{
    start("");
    add("f1", "6.1", "");
    handled();
    expect_hex(get(UP), 1u << 6);
    expect(!is_there(6, 1), "found before function 0 is there");
    add("f0", "6.0", ", 'multifunction': true");
    handled();
    expect_hex(get(UP), 1u << 6);
    expect(is_there(6, 0) && is_there(6, 1), "not there");
    ask("f1");
    handled();
    expect_hex(get(DOWN), 1u << 6);
    set(EJECT, 1u << 6); /* the slot as a whole */
    expect_deleted("f0");
    expect_deleted("f1");
    expect(!is_there(6, 0) && !is_there(6, 1), "still there");
    expect_nothing();
    qvm_end(vm);
}
END_TEST

/* Several at once. */
START_TEST(many)
{
    start("");
    for (unsigned slot = 2; slot < 32; slot++) {
        g_autofree char *id = g_strdup_printf("e%u", slot);
        g_autofree char *addr = g_strdup_printf("%x", slot);

        add(id, addr, "");
    }
    handled();
    expect_hex(get(UP), 0xfffffffc);
    for (unsigned slot = 2; slot < 32; slot++) {
        g_autofree char *id = g_strdup_printf("e%u", slot);

        ask(id);
    }
    handled();
    expect_hex(get(DOWN), 0xfffffffc);
    set(EJECT, 0xffffffff);
    for (unsigned slot = 2; slot < 32; slot++) {
        free(qvm_event(vm, "DEVICE_DELETED"));
        /* In the order of slots, which no client relies on. */
    }
    for (unsigned slot = 2; slot < 32; slot++) {
        expect(!is_there(slot, 0), "slot %u is not empty", slot);
    }
    expect_nothing();
    qvm_end(vm);
}
END_TEST

/* The board's own stay, whatever the guest writes. */
START_TEST(what_stays)
{
    char *reply;

    start("");
    expect_hex(get(REMOVABLE), 0xfffffffc);
    set(REMOVABLE, 0);
    set(UP, 0xffffffff);
    set(DOWN, 0xffffffff);
    set(EJECT, 0xffffffff);
    set(SELECT + 4, 0xffffffff);
    expect_hex(get(REMOVABLE), 0xfffffffc);
    expect_hex(get(SELECT + 4), 0);
    expect_nothing();
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect(is_there(0, 0) && is_there(1, 0) && is_there(1, 3), "the board is gone");
    reply = qvm_qmp(vm, "{'execute': 'device_del', 'arguments': "
                    "{'id': '/machine/pm'}}");
    expect(strstr(reply, "does not support hotplugging"), "%s", reply);
    free(reply);
    /* Where there are no bridges there is one bus; others have nothing. */
    add("e0", "4", "");
    handled();
    set(SELECT, 1);
    expect_hex(get(SELECT), 1);
    expect_hex(get(UP), 0);
    expect_hex(get(REMOVABLE), 0);
    set(EJECT, 0xffffffff);
    set(SELECT, 0);
    expect(is_there(4, 0), "given up on another bus");
    expect_hex(get(UP), 1u << 4);
    /* Registers are accessed whole. */
    ask("e0");
    expect_hex(qvm_in(vm, DOWN, 1), 0xff);
    expect_hex(qvm_in(vm, DOWN, 2), 0xffff);
    qvm_out(vm, EJECT, 0x10, 1);
    qvm_out(vm, EJECT, 0x10, 2);
    expect_hex(get(EJECT), 0);
    expect(is_there(4, 0), "given up by a part of a register");
    qvm_end(vm);
}
END_TEST

/* A guest that is gone cannot be asked, so what it was asked for goes. */
START_TEST(reset)
{
    start("");
    add("e0", "4", "");
    add("e1", "5", "");
    handled();
    ask("e1");
    set(SELECT, 7);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    expect_deleted("e1");
    qvm_wait_until(get(SELECT) == 0);
    expect(is_there(4, 0) && !is_there(5, 0), "the wrong one");
    expect_nothing();
    expect_hex(qvm_in(vm, GPE_ENABLE, 2), 0);
    /* Not twice. */
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    free(qvm_event(vm, "RESET"));
    expect(is_there(4, 0), "gone");
    qvm_end(vm);
}
END_TEST

/* ---- behind bridges --------------------------------------------------------------- */

/* Registers of bus @number. */
#define get_of(number, port) (set(SELECT, number), get(port))
#define set_of(number, port, value) (set(SELECT, number), set(port, value))

/* Bus 2 is behind b, which is behind a, bus 1; bus 3 behind c. */
#define BRIDGES "-device pci-bridge,id=c,chassis_nr=3,addr=9 " \
                "-device pci-bridge,id=a,chassis_nr=1,addr=4 " \
                "-device pci-bridge,id=b,chassis_nr=2,bus=a,addr=0.0 "

static void expect_idle(unsigned buses)
{
    for (unsigned n = 0; n < buses; n++) {
        expect_hex(get_of(n, UP), 0);
        expect_hex(get_of(n, DOWN), 0);
        expect_hex(get_of(n, EJECT), 0);
    }
    expect(!qvm_irq(vm, SCI), "an interrupt");
}

START_TEST(behind)
{
    static const char *const ids[] = { "e0", "e1", "e2", "e3" };

    start(BRIDGES "-device pci-testdev,id=old,bus=b,addr=1f");
    expect_idle(5);
    expect_hex(get_of(0, REMOVABLE), 0xfffffffc);
    for (unsigned n = 1; n <= 3; n++) {
        expect_hex(get_of(n, REMOVABLE), 0xffffffff);
    }
    expect_hex(get_of(4, REMOVABLE), 0);
    add("e0", "5", "");
    add("e1", "6", ", 'bus': 'a'");
    add("e2", "7", ", 'bus': 'b'");
    add("e3", "0", ", 'bus': 'c'");
    handled();
    expect_hex(get_of(3, UP), 1u << 0);
    expect_hex(get_of(2, UP), 1u << 7);
    expect_hex(get_of(1, UP), 1u << 6);
    expect_hex(get_of(0, UP), 1u << 5);
    expect_idle(4);
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++) {
        ask(ids[i]);
    }
    ask("old");
    handled();
    expect_hex(get_of(0, DOWN), 1u << 5);
    expect_hex(get_of(1, DOWN), 1u << 6);
    expect_hex(get_of(2, DOWN), 1u << 7 | 1u << 31);
    expect_hex(get_of(3, DOWN), 1u << 0);
    /* Given up on the bus that is selected, on no other. */
    set_of(1, EJECT, 1u << 7 | 1u << 5);
    set_of(4, EJECT, UINT32_MAX);
    set_of(UINT32_MAX, EJECT, UINT32_MAX);
    set_of(2, EJECT, 1u << 31);
    expect_deleted("old");
    expect_hex(get_of(2, DOWN), 1u << 7);
    set_of(2, EJECT, 1u << 7);
    set_of(3, EJECT, 1u << 0);
    set_of(0, EJECT, 1u << 5);
    for (unsigned i = 0; i < 3; i++) {
        free(qvm_event(vm, "DEVICE_DELETED")); /* in any order */
    }
    expect_hex(get_of(1, DOWN), 1u << 6);
    set_of(1, EJECT, 1u << 6);
    expect_deleted("e1");
    expect_idle(4);
    add("e2", "7", ", 'bus': 'b'");
    expect_hex(get_of(2, UP), 1u << 7);
    qvm_end(vm);
}
END_TEST

/* Bridges go with what is behind them, whatever that was about to do; their numbers are
 * not given again. */
START_TEST(bridge_goes)
{
    char *reply;

    start(BRIDGES "-device pci-testdev,id=old,bus=b,addr=3");
    add("e1", "6", ", 'bus': 'a'");
    ask("old");
    ask("a");
    handled();
    set_of(2, EJECT, 1u << 3);
    set_of(1, EJECT, 1u << 0 | 1u << 6);
    set_of(0, EJECT, 1u << 4);
    for (unsigned i = 0; i < 4; i++) {
        free(qvm_event(vm, "DEVICE_DELETED"));
    }
    expect(!is_there(4, 0) && is_there(9, 0), "which bridge is gone?");
    expect_idle(4);
    expect_hex(get_of(1, REMOVABLE), 0);
    expect_hex(get_of(2, REMOVABLE), 0);
    expect_hex(get_of(3, REMOVABLE), 0xffffffff);
    set_of(1, EJECT, UINT32_MAX);
    set_of(2, EJECT, UINT32_MAX);
    /* The guest's tables do not have the bus of a bridge that comes. */
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {'driver': 'pci-bridge', "
               "'id': 'a', 'addr': '4', 'chassis_nr': 9}}");
    handled();
    expect_hex(get_of(0, UP), 1u << 4);
    reply = qvm_qmp(vm, "{'execute': 'device_add', 'arguments': {'driver': "
                    "'pci-testdev', 'bus': 'a'}}");
    expect(strstr(reply, "Bus 'a' does not support hotplugging"), "%s", reply);
    free(reply);
    expect_hex(get_of(1, REMOVABLE), 0);
    add("e3", "1", ", 'bus': 'c'");
    handled();
    expect_hex(get_of(3, UP), 1u << 1);
    /* One that goes is no more to be asked by its number. */
    set_of(0, EJECT, 1u << 9);
    free(qvm_event(vm, "DEVICE_DELETED"));
    expect_deleted("c");
    expect_idle(4);
    qvm_end(vm);
}
END_TEST

START_TEST(reset_behind)
{
    start(BRIDGES "-device pci-testdev,id=old,bus=b,addr=3 "
          "-device pci-testdev,id=stays,bus=c,addr=3");
    add("e1", "6", ", 'bus': 'a'");
    ask("b");
    ask("old");
    set(SELECT, 2);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    expect_deleted("old");
    expect_deleted("b");
    qvm_wait_until(get(SELECT) == 0);
    expect_idle(4);
    expect_hex(get_of(2, REMOVABLE), 0);
    set_of(1, EJECT, 1u << 6);
    expect_deleted("e1");
    set_of(3, EJECT, 1u << 3);
    expect_deleted("stays");
    qvm_end(vm);
}
END_TEST

/* More bridges than there are numbers. */
START_TEST(numbers)
{
    g_autoptr(GString) options = g_string_new(NULL);
    char *reply;

    for (unsigned i = 2; i < 20; i++) {
        g_string_append_printf(options, "-device pci-bridge,id=b%u,chassis_nr=%u,"
                               "addr=%x ", i, i, i);
    }
    start(options->str);
    expect_hex(get_of(15, REMOVABLE), 0xffffffff);
    expect_hex(get_of(16, REMOVABLE), 0);
    add("last", "4", ", 'bus': 'b16'");
    expect_hex(get_of(15, UP), 1u << 4);
    reply = qvm_qmp(vm, "{'execute': 'device_add', 'arguments': {'driver': "
                    "'pci-testdev', 'bus': 'b17'}}");
    expect(strstr(reply, "Bus 'b17' does not support hotplugging"), "%s", reply);
    free(reply);
    set_of(16, EJECT, UINT32_MAX);
    set_of(UINT32_MAX, EJECT, UINT32_MAX);
    qvm_end(vm);
}
END_TEST

/* A guest and a user who do anything in any order. */
START_TEST(hostile)
{
    uint32_t seed = test_number("FLATVIEW_SEED", g_random_int());
    GRand *rand = g_rand_new_with_seed(seed);
    static const char *const buses[] = { "pci.0", "pci.0", "a", "b", "c" };

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start(BRIDGES);
    for (unsigned i = 0; i < 2000; i++) {
        unsigned slot = g_rand_int_range(rand, 0, 32);
        const char *bus = buses[g_rand_int_range(rand, 0, G_N_ELEMENTS(buses))];

        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
            free(qvm_qmp(vm, "{'execute': 'device_add', 'arguments': {'driver': "
                         "'pci-testdev', 'id': 'e%u', 'addr': '%x.%u', "
                         "'multifunction': true, 'bus': '%s'}}", slot, slot,
                         g_rand_int_range(rand, 0, 3), bus));
            break;
        case 1:
            free(qvm_qmp(vm, "{'execute': 'device_del', 'arguments': {'id': 'e%u'}}",
                         slot));
            break;
        case 2:
            if (g_rand_int_range(rand, 0, 50) == 0) {
                qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
            }
            break;
        case 3:
            set(EJECT, 1u << slot);
            break;
        case 4:
            get(UP + 4 * g_rand_int_range(rand, 0, 6));
            break;
        case 5:
            set(UP + 4 * g_rand_int_range(rand, 0, 6),
                g_rand_boolean(rand) ? g_rand_int(rand) & g_rand_int(rand)
                                     : 1u << slot);
            set(SELECT, g_rand_int_range(rand, 0, 5));
            break;
        }
    }
    qvm_qmp_ok(vm, "{'execute': 'query-status'}");
    expect(is_there(1, 3), "the board is gone");
    qvm_end(vm);
    g_rand_free(rand);
    test_context[0] = 0;
}
END_TEST

TEST_MAIN("qtest-pcihp", comes_and_goes, asking, functions, many, what_stays, reset,
          behind, bridge_goes, reset_behind, numbers, hostile)
