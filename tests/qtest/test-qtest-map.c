/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of microvm, as a user of the monitor sees it: as it starts, and after
 * each change.
 */
#include "tests/qtest/qvm.h"

#include <string.h>

static QVM *vm;

static bool map_has(const char *text)
{
    g_autofree char *map = qvm_hmp(vm, "info mtree");
    g_autofree char *flat = qvm_hmp(vm, "info mtree -f");

    expect(!strstr(map, text) == !strstr(flat, text),
           "'%s' is in one of the tree and the flat views only", text);
    return strstr(flat, text) != NULL;
}

START_TEST(at_start)
{
    static const char *const there[] = {
        "0000000000000060-0000000000000060", "i8042-data",
        "0000000000000064-0000000000000064", "i8042-command",
        "0000000000000070-0000000000000071", "mc146818rtc",
        "00000000000003f8-00000000000003ff", "isa-serial",
        "0000000000000600-0000000000000603", "acpi-pm",
        "0000000000000000-0000000000ffffff", "ram",
        "00000000fec00000-00000000fec00fff", "ioapic",
        "00000000fee00000-00000000fee00fff", "lapic",
    };
    g_autofree char *flat = NULL;

    vm = qvm_start("-m 16 -serial null");
    flat = qvm_hmp(vm, "info mtree -f");
    for (unsigned i = 0; i < G_N_ELEMENTS(there); i++) {
        expect(strstr(flat, there[i]), "there is no '%s' in\n%s", there[i], flat);
    }
    expect(!strstr(flat, "00000000000002f8"), "a second serial port in\n%s", flat);
    qvm_end(vm);
}
END_TEST

START_TEST(more_memory)
{
    g_autofree char *flat = NULL;

    vm = qvm_start("-m 3584 -nodefaults");
    flat = qvm_hmp(vm, "info mtree -f");
    expect(strstr(flat, "0000000000000000-00000000bfffffff"), "%s", flat);
    expect(strstr(flat, "0000000100000000-000000011fffffff"), "%s", flat);
    /* The two are different memory, without what lies between. */
    qvm_store(vm, 0xbffffffc, 0x11223344, 4);
    qvm_store(vm, 0x100000000, 0x55667788, 4);
    qvm_expect(vm, "OK 0x44332211ffffffff", "read 0xbffffffc 8");
    qvm_expect(vm, "OK 0xffffffff88776655", "read 0xfffffffc 8");
    qvm_expect(vm, "OK 0x00000000ffffffff", "read 0x11ffffffc 8");
    qvm_end(vm);
}
END_TEST

START_TEST(devices_come_and_go)
{
    g_autofree char *before = NULL, *after = NULL, *reply = NULL;

    vm = qvm_start("-m 16 -nodefaults");
    before = qvm_hmp(vm, "info mtree -f");
    expect(!map_has("isa-debug-exit"), "it is there before");
    expect_hex(qvm_in(vm, 0x501, 1), 0xff);
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {"
               "'driver': 'isa-debug-exit', 'id': 'x', 'iobase': 1281}}");
    expect(map_has("isa-debug-exit") && map_has("0000000000000501-0000000000000502"),
           "it is not there");
    expect_hex(qvm_in(vm, 0x501, 1), 0);
    /* Where it is no other can be. */
    reply = qvm_qmp(vm, "{'execute': 'device_add', 'arguments': {"
                    "'driver': 'isa-debug-exit', 'id': 'y', 'iobase': 1282}}");
    expect(strstr(reply, "\"error\"") && strstr(reply, "0x502"), "%s", reply);
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {"
               "'driver': 'isa-debug-exit', 'id': 'y', 'iobase': 1283}}");
    expect(map_has("0000000000000503-0000000000000504"), "it is not there");
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': 'x'}}");
    free(qvm_event(vm, "DEVICE_DELETED"));
    expect(!map_has("0000000000000501-0000000000000502"), "it stays");
    expect(map_has("0000000000000503-0000000000000504"), "the other went, too");
    expect_hex(qvm_in(vm, 0x501, 1), 0xff);
    expect_hex(qvm_in(vm, 0x503, 1), 0);
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': 'y'}}");
    free(qvm_event(vm, "DEVICE_DELETED"));
    after = qvm_hmp(vm, "info mtree -f");
    ck_assert_str_eq(before, after);
    qvm_end(vm);
}
END_TEST

/* The same as JSON, which changes with each. */
START_TEST(as_json)
{
    g_autofree char *before = NULL, *with = NULL, *after = NULL;

    vm = qvm_start("-m 16 -nodefaults");
    before = qvm_qmp(vm, "{'execute': 'x-query-mtree'}");
    expect(strstr(before, "\"return\"") && strstr(before, "mc146818rtc"), "%s",
           before);
    qvm_qmp_ok(vm, "{'execute': 'device_add', 'arguments': {"
               "'driver': 'isa-debug-exit', 'id': 'x'}}");
    with = qvm_qmp(vm, "{'execute': 'x-query-mtree'}");
    expect(strstr(with, "isa-debug-exit"), "%s", with);
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': 'x'}}");
    after = qvm_qmp(vm, "{'execute': 'x-query-mtree'}");
    ck_assert_str_eq(before, after);
    qvm_end(vm);
}
END_TEST

/* A wire that is listened to goes away with its device. */
START_TEST(intercepted_device_goes)
{
    vm = qvm_start("-m 16 -nodefaults -device isa-debug-exit,id=x");
    qvm_expect(vm, "OK", "irq_intercept_out x");
    qvm_expect(vm, "FAIL IRQ intercept already enabled", "irq_intercept_out rtc");
    qvm_qmp_ok(vm, "{'execute': 'device_del', 'arguments': {'id': 'x'}}");
    free(qvm_event(vm, "DEVICE_DELETED"));
    qvm_expect(vm, "FAIL Unknown device", "irq_intercept_out x");
    qvm_expect(vm, "OK", "irq_intercept_out rtc");
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-map", at_start, more_memory, devices_come_and_go, as_json,
          intercepted_device_goes)
