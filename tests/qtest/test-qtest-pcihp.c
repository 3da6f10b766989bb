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
    expect_nothing(); /* not found before function 0 is there */
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
    /* There is one bus; others have nothing. */
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

/* A guest and a user who do anything in any order. */
START_TEST(hostile)
{
    uint32_t seed = test_number("FLATVIEW_SEED", g_random_int());
    GRand *rand = g_rand_new_with_seed(seed);

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%u: ", seed);
    start("");
    for (unsigned i = 0; i < 2000; i++) {
        unsigned slot = g_rand_int_range(rand, 0, 32);

        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
            free(qvm_qmp(vm, "{'execute': 'device_add', 'arguments': {'driver': "
                         "'pci-testdev', 'id': 'e%u', 'addr': '%x.%u', "
                         "'multifunction': true}}", slot, slot,
                         g_rand_int_range(rand, 0, 3)));
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
            set(UP + 4 * g_rand_int_range(rand, 0, 6), g_rand_int(rand));
            set(SELECT, 0);
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
          hostile)
