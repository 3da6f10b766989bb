/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and pointer movements from QMP and the human monitor, as the guest of a board pc
 * reads them at its keyboard controller.
 */
#include "tests/qtest/qvm.h"

#include <string.h>

#define DATA 0x60
#define STATUS 0x64
#define COMMAND 0x64

#define MS 1000000ll

static QVM *vm;

/* What waits in the controller: "1e 9e", bytes of the pointer as "m08 m01 m00". */
static void expect_bytes(const char *wanted)
{
    g_autoptr(GString) bytes = g_string_new(NULL);

    for (;;) {
        uint8_t status = qvm_in(vm, STATUS, 1);

        if (!(status & 0x01)) {
            break;
        }
        g_string_append_printf(bytes, "%s%s%02x", bytes->len ? " " : "",
                               status & 0x20 ? "m" : "", qvm_in(vm, DATA, 1));
    }
    expect(!strcmp(bytes->str, wanted), "read \"%s\", not \"%s\"", bytes->str, wanted);
}

static void mouse_command(uint8_t byte)
{
    qvm_out(vm, COMMAND, 0xd4, 1);
    qvm_out(vm, DATA, byte, 1);
    expect_bytes("mfa");
}

/* The pointer sends, with a wheel and five buttons. */
static void start(void)
{
    static const uint8_t rates[] = { 200, 100, 80, 200, 200, 80 };

    vm = qvm_start("-M pc -nodefaults -m 16");
    qvm_out(vm, COMMAND, 0x60, 1);
    qvm_out(vm, DATA, 0x40, 1); /* scan codes of set 1 */
    for (unsigned i = 0; i < sizeof(rates); i++) {
        mouse_command(0xf3);
        mouse_command(rates[i]);
    }
    mouse_command(0xf4);
}

static void expect_reply(const char *command, const char *wanted)
{
    g_autofree char *reply = qvm_qmp(vm, "%s", command);

    expect(strstr(reply, wanted), "%s: %s, not %s", command, reply, wanted);
}

static void expect_hmp(const char *line, const char *wanted)
{
    g_autofree char *text = qvm_hmp(vm, line);

    expect(g_pattern_match_simple(wanted, text), "%s: \"%s\", not \"%s\"", line, text,
           wanted);
}

#define QCODE(name) "{'type':'qcode','data':'" name "'}"
#define NUMBER(number) "{'type':'number','data':" number "}"
#define SEND_KEY(rest) "{'execute':'send-key','arguments':{'keys':" rest "}}"

START_TEST(send_key)
{
    start();
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("ctrl") "," QCODE("alt") "," QCODE("delete") "]"));
    expect_bytes("1d"); /* the first at once */
    qvm_clock_step(vm, 10 * MS - 1);
    expect_bytes("");
    qvm_clock_step(vm, 1);
    expect_bytes("38");
    qvm_clock_step(vm, 10 * MS);
    expect_bytes("e0 53");
    qvm_clock_step(vm, 10 * MS);
    expect_bytes("e0 d3"); /* the last one is released first */
    qvm_clock_step(vm, 10 * MS);
    expect_bytes("b8");
    qvm_clock_step(vm, 10 * MS);
    expect_bytes("9d");
    /* What comes meanwhile waits for its turn. */
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("a") "],'hold-time':300"));
    qvm_qmp_ok(vm, SEND_KEY("[" NUMBER("48") "],'hold-time':0"));
    expect_bytes("");
    qvm_clock_step(vm, 10 * MS);
    expect_bytes("1e");
    qvm_clock_step(vm, 299 * MS);
    expect_bytes("");
    qvm_clock_step(vm, MS);
    expect_bytes("9e");
    qvm_clock_step(vm, 300 * MS);
    expect_bytes("30");
    qvm_clock_step(vm, 10 * MS);
    expect_bytes("b0");
    qvm_clock_step(vm, 10 * MS);
    /* No keys, and keys that there are none of, take their time. */
    qvm_qmp_ok(vm, SEND_KEY("[]"));
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("unmapped") "," NUMBER("4096") "," NUMBER("-1") ","
                            NUMBER("57") "]"));
    expect_bytes("");
    qvm_clock_step(vm, 29 * MS);
    expect_bytes("");
    qvm_clock_step(vm, MS);
    expect_bytes("39");
    qvm_clock_step(vm, 100 * MS);
    expect_bytes("b9");
    qvm_end(vm);
}
END_TEST

START_TEST(send_key_refused)
{
    g_autoptr(GString) many = g_string_new(NULL);

    start();
    expect_reply(SEND_KEY("[" QCODE("a") "],'hold-time':-1"), "Parameter 'hold-time'");
    expect_reply(SEND_KEY("[" QCODE("a") "],'hold-time':2147483648"),
                 "Parameter 'hold-time'");
    expect_reply(SEND_KEY("[" QCODE("nope") "]"), "'nope'");
    expect_bytes("");
    for (unsigned i = 0; i < 512; i++) {
        g_string_append_printf(many, "%s" QCODE("a"), i ? "," : "");
    }
    qvm_qmp_ok(vm, SEND_KEY("[%s]"), many->str);
    qvm_clock_step(vm, 10 * MS); /* two are gone, and one waits too many */
    expect_reply(SEND_KEY("[" QCODE("b") "," QCODE("b") "]"), "too many keys: 1022 ");
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("b") "]"));
    qvm_clock_step(vm, 20000 * MS);
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("b") "]"));
    qvm_end(vm);
}
END_TEST

/* While the machine stands, nothing is taken, and what waits stays. */
START_TEST(stopped)
{
    start();
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("a") "]"));
    expect_bytes("1e");
    qvm_qmp_ok(vm, "{'execute':'stop'}");
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("b") "]"));
    expect_hmp("sendkey c", "");
    expect_reply("{'execute':'input-send-event','arguments':{'events':[]}}",
                 "VM not running");
    expect_hmp("mouse_move 1 1", "Error: VM not running*");
    qvm_qmp_ok(vm, "{'execute':'cont'}");
    expect_bytes("");
    qvm_clock_step(vm, 100 * MS);
    expect_bytes("9e");
    qvm_end(vm);
}
END_TEST

#define SEND(events) \
    "{'execute':'input-send-event','arguments':{'events':[" events "]}}"
#define SEND_TO(events, rest) \
    "{'execute':'input-send-event','arguments':{'events':[" events "]," rest "}}"
#define KEY(name, down) "{'type':'key','data':{'key':" name ",'down':" down "}}"
#define BUTTON(name, down) "{'type':'btn','data':{'button':'" name "','down':" down "}}"
#define MOVE(axis, by) "{'type':'rel','data':{'axis':'" axis "','value':" by "}}"

START_TEST(events)
{
    start();
    qvm_qmp_ok(vm, SEND(""));
    qvm_qmp_ok(vm, SEND(KEY(QCODE("up"), "true") "," KEY(NUMBER("200"), "false")));
    expect_bytes("e0 48 e0 c8");
    qvm_qmp_ok(vm, SEND(KEY(QCODE("unmapped"), "true")));
    expect_bytes("");
    qvm_qmp_ok(vm, SEND(MOVE("x", "5") "," MOVE("y", "3") "," MOVE("x", "-1")));
    expect_bytes("m28 m04 mfd m00"); /* one movement; up is positive on this wire */
    qvm_qmp_ok(vm, SEND(MOVE("x", "9223372036854775807") "," MOVE("x", "-65536") ","
                        MOVE("y", "-9223372036854775808") "," MOVE("y", "65534")));
    expect_bytes("m08 m00 m02 m00");
    qvm_qmp_ok(vm, SEND(BUTTON("left", "true") "," MOVE("x", "1") ","
                        BUTTON("left", "false")));
    expect_bytes("m09 m00 m00 m00 m09 m01 m00 m00 m08 m00 m00 m00");
    qvm_qmp_ok(vm, SEND(BUTTON("middle", "true") "," BUTTON("right", "true")));
    expect_bytes("m0c m00 m00 m00 m0e m00 m00 m00");
    qvm_qmp_ok(vm, SEND(BUTTON("middle", "false") "," BUTTON("right", "false")));
    expect_bytes("m0a m00 m00 m00 m08 m00 m00 m00");
    qvm_qmp_ok(vm, SEND(BUTTON("side", "true")));
    qvm_qmp_ok(vm, SEND(BUTTON("extra", "true")));
    expect_bytes("m08 m00 m00 m10 m08 m00 m00 m30");
    qvm_qmp_ok(vm, SEND(BUTTON("side", "false")));
    qvm_qmp_ok(vm, SEND(BUTTON("extra", "false")));
    expect_bytes("m08 m00 m00 m20 m08 m00 m00 m00");
    qvm_qmp_ok(vm, SEND(BUTTON("wheel-up", "true") "," BUTTON("wheel-up", "false")));
    expect_bytes("m08 m00 m00 m0f");
    qvm_qmp_ok(vm, SEND(BUTTON("wheel-down", "true") "," BUTTON("wheel-down", "false")));
    expect_bytes("m08 m00 m00 m01");
    qvm_qmp_ok(vm, SEND(BUTTON("wheel-left", "true") "," BUTTON("wheel-right", "true")));
    expect_bytes("");
    qvm_end(vm);
}
END_TEST

/* Where one of the events is refused, none happens. */
START_TEST(events_refused)
{
    start();
    expect_reply(SEND(KEY(QCODE("a"), "true") ",{'type':'abs','data':{'axis':'x',"
                      "'value':5}}"), "Input handler not found for event type abs");
    expect_reply(SEND_TO(KEY(QCODE("a"), "true"), "'device':'nope'"), "DeviceNotFound");
    expect_reply(SEND_TO(KEY(QCODE("a"), "true"), "'device':'/machine/i8042'"),
                 "no console of head 0");
    expect_bytes("");
    qvm_end(vm);

    vm = qvm_start("-M pc -nodefaults -m 16 -device bochs-display,id=screen");
    qvm_qmp_ok(vm, SEND_TO("", "'device':'screen'"));
    qvm_qmp_ok(vm, SEND_TO("", "'device':'screen','head':0"));
    expect_reply(SEND_TO("", "'device':'screen','head':1"), "no console of head 1");
    expect_reply(SEND_TO("", "'device':'screen','head':-1"), "no console of head");
    qvm_end(vm);

    vm = qvm_start("-M none"); /* which has neither */
    expect_reply(SEND(KEY(QCODE("a"), "true")),
                 "Input handler not found for event type key");
    expect_reply(SEND(BUTTON("left", "true")),
                 "Input handler not found for event type btn");
    expect_reply(SEND(MOVE("x", "1")), "Input handler not found for event type rel");
    expect_reply("{'execute':'query-mice'}", "\"return\": []");
    expect_hmp("info mice", "No mouse devices connected\r\n");
    qvm_qmp_ok(vm, SEND_KEY("[" QCODE("a") "]"));
    qvm_end(vm);
}
END_TEST

START_TEST(mice)
{
    g_autofree char *text = NULL;

    start();
    expect_reply("{'execute':'query-mice'}", "\"name\": \"QEMU PS/2 Mouse\"");
    expect_reply("{'execute':'query-mice'}", "\"index\": 2");
    expect_reply("{'execute':'query-mice'}", "\"current\": true");
    expect_reply("{'execute':'query-mice'}", "\"absolute\": false");
    text = qvm_hmp(vm, "info mice");
    ck_assert_str_eq(text, "* Mouse #2: QEMU PS/2 Mouse\r\n");
    expect_hmp("mouse_set 2", "");
    expect_hmp("mouse_set 1", "Error: Mouse at index '1' not found; info mice*");
    expect_hmp("mouse_set 0x100000002", "Error: Mouse at index '4294967298' not found*");
    expect_hmp("mouse_set", "mouse_set: argument 'index' is missing*");
    qvm_end(vm);
}
END_TEST

START_TEST(monitor_pointer)
{
    start();
    expect_hmp("mouse_move 3 4", "");
    expect_bytes("m28 m03 mfc m00");
    expect_hmp("mouse_move -3 -0x4", "");
    expect_bytes("m18 mfd m04 m00");
    expect_hmp("mouse_move 0 0 1", "");
    expect_bytes("m08 m00 m00 m0f");
    expect_hmp("mouse_move 1 0 -1", "");
    expect_bytes("m08 m01 m00 m00 m08 m00 m00 m01");
    expect_hmp("mouse_button 1", "");
    expect_hmp("mouse_button 1", "");
    expect_bytes("m09 m00 m00 m00");
    expect_hmp("mouse_button 6", "");
    expect_bytes("m08 m00 m00 m00 m0a m00 m00 m00 m0e m00 m00 m00");
    expect_hmp("mouse_button 0", "");
    expect_bytes("m0c m00 m00 m00 m08 m00 m00 m00");
    expect_hmp("mouse_button 8", "Error: there is no button for 8:*");
    expect_hmp("mouse_move 1", "mouse_move: argument 'dy' is missing*");
    expect_hmp("mouse_move x 1", "Error: 'x' for dx is no number*");
    expect_hmp("mouse_move 1 1.5", "Error: '1.5' for dy is no number*");
    expect_hmp("mouse_move 1 1 99999999999999999999",
               "Error: '99999999999999999999' for dz is no number*");
    expect_bytes("");
    qvm_end(vm);
}
END_TEST

START_TEST(monitor_keys)
{
    start();
    expect_hmp("sendkey ctrl-<-0x1e 5", "");
    expect_bytes("1d");
    qvm_clock_step(vm, 25 * MS);
    expect_bytes("56 1e 9e d6 9d");
    qvm_clock_step(vm, 5 * MS);
    expect_hmp("sendkey minus", "");
    expect_bytes("0c");
    expect_hmp("sendkey", "sendkey: argument 'keys' is missing*");
    expect_hmp("sendkey foo", "Error: there is no key 'foo';*");
    expect_hmp("sendkey a-", "Error: there is no key '';*");
    expect_hmp("sendkey A", "Error: there is no key 'A';*");
    expect_hmp("sendkey 30", "Error: there is no key '30';*");
    expect_hmp("sendkey 0x", "Error: there is no key '0x';*");
    expect_hmp("sendkey a -1", "Error: Parameter 'hold-time'*");
    qvm_end(vm);
}
END_TEST

TEST_MAIN("input through monitors", send_key, send_key_refused, stopped, events,
          events_refused, mice, monitor_pointer, monitor_keys)
