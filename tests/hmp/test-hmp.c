/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The human monitor's commands, good and bad, over hmp_run() in a machine
 * without KVM; numbers, completion, the table against docs/monitor.md, and lines
 * that make no sense.
 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "cpus.h"
#include "hw/core/machine.h"
#include "monitor/expression.h"
#include "monitor/hmp.h"
#include "sysemu.h"
#include "tests/test-util.h"

static Machine *machine;
static GError *err;

/* What is in memory at 0x1000. */
static const uint8_t content[] = {
    'H', 'e', 'l', 'l', 'o', ',', ' ', 'w', 'o', 'r', 'l', 'd', '\n',
    0x00, 0xff, 0x80, 0xfe, 0xff, 0xff, 0xff, 0x78, 0x56, 0x34, 0x12,
};

static void machine_start(void)
{
    machine = machine_new(machine_type_find("microvm", NULL));
    machine->ram_size = 2 << 20;
    machine->cpus = 2;
    machine->name = g_strdup("box");
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
    expect(cpus_create(NULL, 2, &machine->memory, &machine->ports, &err), "%s",
           err ? err->message : "?");
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
    address_space_write(&machine->memory, 0x1000, content, sizeof(content));
    monitor_set_machine(machine);
}

static void machine_end(void)
{
    monitor_set_machine(NULL);
    cpus_destroy();
    machine_free(machine);
    user_objects_free();
    chardev_close_all();
}

/* ---- commands --------------------------------------------------------------------- */

/* A line and what it prints; a * there is any text. */
typedef struct Case {
    const char *line;
    const char *output;
} Case;

static bool fits(const char *output, const char *wanted)
{
    return strchr(wanted, '*') ? g_pattern_match_simple(wanted, output)
                               : strcmp(output, wanted) == 0;
}

static const Case cases[] = {
    { "", "" },
    { " \t ", "" },
    { "nosuch", "unknown command: 'nosuch'\r\n" },
    { "inof", "unknown command: 'inof'; did you mean 'info'?\r\n" },
    { "info nosuch", "unknown command: 'info nosuch'\r\n" },
    { "info statsu",
      "unknown command: 'info statsu'; did you mean 'info status'?\r\n" },
    { "\033[31m", "unknown command: '?[31m'\r\n" },

    /* x and xp, every format and size, and where memory ends. */
    { "x /4xw 0x1000",
      "0000000000001000: 0x6c6c6548 0x77202c6f 0x646c726f 0x80ff000a\r\n" },
    { "xp /4xw 0x1000",
      "0000000000001000: 0x6c6c6548 0x77202c6f 0x646c726f 0x80ff000a\r\n" },
    { "xp/2xg 0x1000",
      "0000000000001000: 0x77202c6f6c6c6548 0x80ff000a646c726f\r\n" },
    { "xp /9xb 0x1000",
      "0000000000001000: 0x48 0x65 0x6c 0x6c 0x6f 0x2c 0x20 0x77\r\n"
      "0000000000001008: 0x6f\r\n" },
    { "xp /9xh 0x1000",
      "0000000000001000: 0x6548 0x6c6c 0x2c6f 0x7720 0x726f 0x646c 0x000a "
      "0x80ff\r\n0000000000001010: 0xfffe\r\n" },
    { "xp 0x1014", "0000000000001014: 0x12345678\r\n" },
    { "xp /d 0x1010", "0000000000001010:         -2\r\n" },
    { "xp /u 0x1010", "0000000000001010: 4294967294\r\n" },
    { "xp /o 0x1010", "0000000000001010: 037777777776\r\n" },
    { "xp /2db 0x100e", "000000000000100e:  -1 -128\r\n" },
    { "xp /2ub 0x100d", "000000000000100d:   0 255\r\n" },
    { "xp /2ob 0x100d", "000000000000100d:   0 0377\r\n" },
    { "xp /dh 0x1010", "0000000000001010:    -2\r\n" },
    { "xp /oh 0x1010", "0000000000001010: 0177776\r\n" },
    { "xp /dg 0x1010", "0000000000001010:  1311768469162688510\r\n" },
    { "xp /og 0x1018", "0000000000001018:                      0\r\n" },
    { "xp /6c 0x100a", "000000000000100a: 'l' 'd' '\\n' '\\x00' '\\xff' "
                       "'\\x80'\r\n" },
    { "xp /2cw 0x1000",
      "0000000000001000: 'H' 'e' 'l' 'l' 'o' ',' ' ' 'w'\r\n" },
    { "xp /0x 0x1000", "" },
    { "xp /4xb 0x1ffffe",
      "00000000001ffffe: 0x00 0x00\r\n0000000000200000: Cannot access "
      "memory\r\n" },
    { "xp /xw ~0", "ffffffffffffffff: Cannot access memory\r\n" },
    { "x /xw ~0", "ffffffffffffffff: Cannot access memory\r\n" },
    { "x 0x1fffff", "00000000001fffff: Cannot access memory\r\n" },
    { "x /1048577b 0", "Error: a count of 1048577 is more than 1048576\r\n" },
    { "xp /99999999999999999999x 0", "Error: a count of 18446744073709551615*" },
    { "xp /4iw 0", "xp: argument 'fmt': instructions (i) need a disassembler*" },
    { "xp /s 0", "xp: argument 'fmt': 's' is neither a format (of xduoc) nor a "
                 "size (of bhwg)\r\nUsage: xp [/fmt] addr\r\n" },
    { "xp /-1x 0", "xp: argument 'fmt': '-' is*" },
    { "xp", "xp: argument 'addr' is missing\r\nUsage: xp [/fmt] addr\r\n" },
    { "x /4xw", "x: argument 'addr' is missing\r\nUsage: x [/fmt] addr\r\n" },
    { "x 0 0", "x: nothing more is expected at '0'\r\nUsage: x [/fmt] addr\r\n" },
    { "xp 0x", "xp: argument 'addr': digits are missing after 0x*" },
    { "xp $nosuch", "xp: argument 'addr': there is no register '$nosuch'*" },
    { "xp $pc", "xp: argument 'addr': there is no register '$pc'*" },

    { "print 1 + 2*3", "0x7\r\n" },
    { "p /d -1", "-1\r\n" },
    { "p /u -1", "18446744073709551615\r\n" },
    { "p /o 8", "010\r\n" },
    { "p /c 65", "'A'\r\n" },
    { "p /c '\\'", "'\\\\'\r\n" },
    { "p 1/0", "print: argument 'value': division by zero\r\n"
               "Usage: print|p [/fmt] value\r\n" },

    /* The test of what is at these ports is elsewhere. */
    { "i /b 0x70", "portb[0x0070] = 0x*" },
    { "i 0x5555", "portb[0x5555] = 0xff\r\n" },
    { "i /h 0x5555", "portw[0x5555] = 0xffff\r\n" },
    { "i/w 0x5555", "portl[0x5555] = 0xffffffff\r\n" },
    { "i /g 0x70", "Error: a port has 1, 2 or 4 bytes: /b, /h or /w\r\n" },
    { "i 0x10000", "Error: there is no port 0x10000; the last is 0xffff\r\n" },
    { "i", "i: argument 'port' is missing\r\nUsage: i [/fmt] port\r\n" },
    { "o /b 0x70 0x0f", "" },
    { "o /b 0x71 0xa5", "" },
    { "o 0x70", "o: argument 'value' is missing\r\n"
                "Usage: o [/fmt] port value\r\n" },
    { "o 0x12345 1", "Error: there is no port 0x12345; the last is 0xffff\r\n" },

    { "sum 0x1000 13", "37265\r\n" }, /* sum -r says the same */
    { "sum 0 0", "00000\r\n" },
    { "sum 0x1ff000 8K", "Error: Cannot access memory from 0x200000 to "
                         "0x200fff\r\n" },
    { "sum 0x1000", "sum: argument 'size' is missing\r\n"
                    "Usage: sum addr size\r\n" },
    { "sum 0 0x1000000000T", "sum: argument 'size': number too large*" },
    { "sum 0 1Q", "sum: nothing more is expected at 'Q'*" },

    { "gva2gpa 0x1234", "gpa: 0x1234\r\n" },
    { "gva2gpa", "gva2gpa: argument 'addr' is missing*" },

    { "cpu 1", "" },
    { "cpu 2", "Error: invalid CPU index 2; info cpus lists them\r\n" },
    { "cpu -1", "Error: invalid CPU index 18446744073709551615;*" },
    { "cpu zero", "cpu: argument 'index': 'zero' is no number\r\n"
                  "Usage: cpu index\r\n" },

    { "help cont", "cont|c -- let the machine run\r\n" },
    { "help c", "cont|c -- let the machine run\r\n" },
    { "? x", "x [/fmt] addr -- dump memory at a virtual address*" },
    { "help info mtree", "info mtree [-f] [-d] [-o] -- memory regions;*" },
    { "help", "change device what [password] -- change vnc password PASSWORD: *"
              "\r\nchardev-add backend,id=ID[,key=value...] -- make a character "
              "device\r\n*" },
    { "help \"\"", "change *" },
    { "help info", "info chardev -- character devices*" },
    { "help nosuch", "Error: there is no command 'nosuch'; help lists them\r\n" },
    { "help info nosuch", "Error: there is no command 'info nosuch'*" },
    { "help x y", "Error: there is no command 'x y'; help lists them\r\n" },

    { "info", "info chardev -- character devices*" },
    { "info status", "VM status: *" },
    { "info status now", "info status: nothing more is expected at 'now'\r\n"
                         "Usage: info status\r\n" },
    { "info version", "flatview *" },
    { "info name", "box\r\n" },
    { "info pci", "" }, /* there is none */
    { "info pci 1", "info pci: nothing more is expected at '1'*" },
    { "info uuid", "00000000-0000-0000-0000-000000000000\r\n" },
    { "info kvm", "kvm support: *" },
    { "info cpus", "* CPU #0: thread_id=*" },
    { "info cpus", "*\r\n  CPU #1: thread_id=*" },
    { "info iothreads", "" },
    { "info registers", "\r\nCPU#0\r\n*" },
    { "info registers -a", "*\r\nCPU#1\r\n*" },
    { "info registers -x", "info registers: unsupported option -x\r\n"
                           "Usage: info registers [-a]\r\n" },
    { "info registers -", "info registers: a letter is missing after '-'*" },
    { "info mtree", "address-space: memory\r\n  0000000000000000-*" },
    { "info mtree -f", "flat-view: memory\r\n  0000000000000000-00000000001fffff "
                       "(ram): ram @0000000000000000\r\n*" },
    { "info mtree -o", "* mc146818rtc owner:{dev path=/machine/rtc}\r\n*" },
    { "info mtree -fo", "* @0000000000000000 owner:{dev path=/machine/rtc}\r\n"
                        "*" },
    { "info mtree -d -f", "* nodes of up to 15 entries, height *" },
    { "info mtree -x", "info mtree: unsupported option -x*" },
    { "info mtree x", "info mtree: nothing more is expected at 'x'*" },
    { "info qom-tree", "/machine (microvm-machine)\r\n*" },
    { "info qom-tree", "*\r\n  /rtc (mc146818rtc)\r\n*" },
    { "info qom-tree /", "/ (container)\r\n  /machine (microvm-machine)\r\n*" },
    { "info qom-tree rtc", "/rtc (mc146818rtc)\r\n*" },
    { "info qom-tree /machine/no",
      "Error: Path '/machine/no' could not be resolved\r\n" },
    { "info qtree", "bus: main-system-bus\r\n  type System\r\n  dev: *" },
    { "info qtree", "*    port 0070/0002 mc146818rtc\r\n*" },
    { "info qtree", "*    mmio 00000000fec00000/0000000000001000 ioapic\r\n*" },

    { "chardev-add ringbuf,id=ring,size=64", "" },
    { "info chardev", "*ring: filename=ringbuf\r\n*" },
    { "chardev-add ringbuf,id=ring", "Error: *" },
    { "chardev-add ringbuf", "Error: *id*" },
    { "chardev-add nosuch,id=x", "Error: *" },
    { "chardev-add", "chardev-add: argument 'backend,id=ID[,key=value...]' is "
                     "missing*" },

    { "device_add isa-debug-exit,id=e,iobase=0x501", "" },
    { "info qtree", "*  dev: isa-debug-exit, id \"e\"\r\n*" },
    { "info qtree", "*    iobase = 1281 (0x501)\r\n*" },
    { "device_add isa-debug-exit,iobase=0x501", "Error: *0x501*" },
    { "device_add isa-debug-exti", "Error: 'isa-debug-exti' is not a valid "
                                   "device model name*" },
    { "device_add", "device_add: argument 'type[,id=ID][,property=value...]' is "
                    "missing*" },
    { "qom-list /machine/peripheral/e", "type (string)\r\n*" },
    { "qom-list", "type (string)\r\n*" },
    { "qom-list /no", "Error: *'/no' not found\r\n" },
    { "qom-get /machine/peripheral/e iobase", "1281\r\n" },
    { "qom-get /machine type", "\"microvm-machine\"\r\n" },
    { "qom-get /machine no", "Error: Property 'microvm-machine.no' not "
                             "found\r\n" },
    { "qom-get /machine", "qom-get: argument 'property' is missing*" },
    { "qom-set /machine type 1", "Error: *type*" },
    { "qom-set /machine type \"a text\"", "Error: *type*" },
    { "qom-set /machine", "qom-set: argument 'property' is missing*" },
    { "qom-set /machine type \"open",
      "qom-set: argument 'value': the closing \" is missing*" },
    { "qom-set /machine type \"\\q\"",
      "qom-set: argument 'value': '\\' stands before*" },
    { "device_del e", "" },
    { "device_del e", "Error: *'e' not found\r\n" },
    { "device_del", "device_del: argument 'id' is missing*" },
    { "chardev-remove ring", "" },
    { "chardev-remove ring", "Error: Chardev 'ring' not found\r\n" },
    { "chardev-remove", "chardev-remove: argument 'id' is missing*" },

    { "object_add memory-backend-ram,id=m,size=1M", "" },
    { "info memdev", "memory backend: m\r\n*" },
    { "info memdev", "*\r\n  size = 1048576 (0x100000)\r\n*" },
    { "object_add memory-backend-ram,id=m,size=1M", "Error: *m*" },
    { "object_add", "object_add: argument 'type,id=ID[,property=value...]' is "
                    "missing*" },
    { "object_del m", "" },
    { "object_del m", "Error: object 'm' not found\r\n" },
    { "object_del", "object_del: argument 'id' is missing*" },
    { "info memdev", "" },

    /* What it writes is looked at in tests/test-console.c. */
    { "info vnc", "None\r\n" },
    { "set_password", "set_password: argument 'protocol' is missing*" },
    { "set_password vnc x", "Error: no display 'vnc' is open; *" },
    { "set_password vnc x -d nosuch", "Error: no display 'vnc' with id 'nosuch' *" },
    { "set_password -d nosuch vnc x keep", "Error: no display 'vnc' with id *" },
    { "set_password spice x", "Error: SPICE is not in use\r\n" },
    { "set_password rdp x", "Error: Parameter 'protocol' does not accept *" },
    { "expire_password vnc", "expire_password: argument 'time' is missing*" },
    { "expire_password vnc never", "Error: no display 'vnc' is open; *" },
    { "expire_password -d nosuch vnc now", "Error: no display 'vnc' with id *" },
    { "change", "change: argument 'device' is missing*" },
    { "change vnc password", "Error: of vnc there is the password: *" },
    { "change vnc 127.0.0.1:1", "Error: of vnc there is the password: *" },
    { "change vnc password x", "Error: no display 'vnc' is open; *" },
    { "change ide1-cd0 file", "Error: device 'ide1-cd0' has no medium *" },
    { "screendump", "screendump: argument 'filename' is missing\r\n"
                    "Usage: screendump filename [-f format] [device] [head]\r\n" },
    { "screendump f", "Error: the machine has no screen: *" },
    { "screendump -f", "screendump: argument '-f format': the value is missing*" },
    { "screendump f -f", "screendump: argument '-f format': the value is missing*" },
    { "screendump -f \"p", "screendump: argument '-f format': the closing*" },
    { "screendump -f gif f", "Error: Parameter 'format' does not accept value "
                             "'gif'\r\n" },
    { "screendump f -f gif", "Error: *'gif'\r\n" },
    { "screendump f -f png -f gif", "Error: *'gif'\r\n" },
    { "screendump f nosuch -f png", "Error: Device 'nosuch' not found\r\n" },
    { "screendump f -f png rtc 1", "Error: device 'rtc' has no console of head 1; "
                                   "consoles: none\r\n" },
    { "screendump f rtc -1", "Error: device 'rtc' has no console of head 4294967295;*" },
    { "screendump f rtc x", "screendump: argument 'head': 'x' is no number*" },
    { "screendump f rtc 0 0", "screendump: nothing more is expected at '0'*" },
    { "screendump -x", "Error: the machine has no screen: *" }, /* a name of a file */

    /* Requests, which the main loop would carry out. */
    { "stop", "" },
    { "s please", "stop: nothing more is expected at 'please'\r\n"
                  "Usage: stop|s\r\n" },
    { "cont", "" },
    { "c please", "cont: nothing more is expected at 'please'*" },
    { "stop", "" },
    { "info status", "VM status: paused\r\n" },
    { "nmi", "Error: *" },
    { "sendkey ctrl-alt-f1", "" },
    { "sendkey 0x1e 100", "" },
    { "sendkey ctrl-nope", "Error: there is no key 'nope'; keys are joined by '-', *" },
    { "sendkey a b", "sendkey: argument 'hold_ms': *" },
    { "info mice", "No mouse devices connected\r\n" },
    { "info mice x", "info mice: nothing more is expected at 'x'*" },
    { "mouse_set 2", "Error: Mouse at index '2' not found; info mice lists them\r\n" },
    { "mouse_move 1 y", "Error: 'y' for dy is no number: *" },
    { "mouse_button 9", "Error: there is no button for 9: *" },
    { "nmi 1", "nmi: nothing more is expected at '1'*" },
    { "system_wakeup", "Error: *" },
    { "system_wakeup 1", "system_wakeup: nothing more is expected at '1'*" },
    { "system_reset", "" },
    { "system_reset 1", "system_reset: nothing more is expected at '1'*" },
    { "system_powerdown", "" },
    { "system_powerdown 1", "system_powerdown: nothing more is expected*" },
    { "quit now", "quit: nothing more is expected at 'now'*" },
    { "q", "" },
};

START_TEST(commands)
{
    machine_start();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *output = hmp_run(cases[i].line, 0);

        expect(fits(output, cases[i].output), "%s\nprints\n%s\nand not\n%s",
               cases[i].line, output, cases[i].output);
    }
    machine_end();
}
END_TEST

/* Whether some case runs @command, @prefix before its name, and ends @well. */
static bool has_case(const HMPCommand *command, const char *prefix, bool well)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *line = cases[i].line;
        bool is_error = strstr(cases[i].output, "Error") ||
                        strstr(cases[i].output, ": argument") ||
                        strstr(cases[i].output, ": nothing more") ||
                        strstr(cases[i].output, ": unsupported");

        if (g_str_has_prefix(line, prefix)) {
            line += strlen(prefix);
            if (hmp_find(command, line, strcspn(line, " /")) == command &&
                is_error != well) {
                return true;
            }
        }
    }
    return false;
}

/* No command is without a case that works, nor without one that fails. */
START_TEST(all_commands)
{
    static const char *const work_elsewhere[] = { "memsave", "pmemsave", "nmi",
                                                  "qom-set", "screendump",
                                                  "change", "expire_password",
                                                  "set_password",
                                                  "mouse_button", "mouse_move",
                                                  "mouse_set", "system_wakeup",
                                                  NULL };

    for (const HMPCommand *c = hmp_commands; c->name; c++) {
        bool saves = g_str_has_suffix(c->name, "memsave");

        expect(has_case(c, "", true) || g_strv_contains(work_elsewhere, c->name),
               "no good case of %s", c->name);
        expect(saves || c->sub || strstr(c->name, "print") ||
               has_case(c, "", false), "no bad case of %s", c->name);
    }
    for (const HMPCommand *c = hmp_info_commands; c->name; c++) {
        expect(has_case(c, "info ", true), "no case of info %s", c->name);
    }
}
END_TEST

START_TEST(files)
{
    g_autofree char *dir = g_dir_make_tmp("flatview-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "a file", NULL);
    static const char *const commands[] = { "memsave", "pmemsave" };

    machine_start();
    for (unsigned i = 0; i < 2; i++) {
        g_autofree char *line = g_strdup_printf("%s 0x1000 0x10+8 \"%s\"",
                                                commands[i], path);
        g_autofree char *plain = g_strdup_printf("%s 0x1000 1K %s", commands[i],
                                                 path);
        g_autofree char *bad = g_strdup_printf("%s 0x1000 16 %s/no/file",
                                               commands[i], dir);
        g_autofree char *beyond = g_strdup_printf("%s 0x1ffff0 32 %s",
                                                  commands[i], path);
        g_autofree char *huge = g_strdup_printf("%s 0 ~0 %s", commands[i], path);
        g_autofree char *output = hmp_run(line, 1), *data = NULL;
        gsize len;

        expect(!*output, "%s prints %s", line, output);
        expect(g_file_get_contents(path, &data, &len, NULL) &&
               len == sizeof(content) && memcmp(data, content, len) == 0,
               "%s", line);
        g_free(data);
        g_free(output);
        output = hmp_run(plain, 0);
        expect(!*output, "%s prints %s", plain, output);
        expect(g_file_get_contents(path, &data, &len, NULL) && len == 1024, "1K");
        for (const char *const *b = (const char *const[]){ bad, beyond, huge, NULL };
             *b; b++) {
            g_free(output);
            output = hmp_run(*b, 0);
            expect(g_str_has_prefix(output, "Error: "), "%s prints %s", *b,
                   output);
        }
        g_free(output);
        output = hmp_run(commands[i], 0);
        expect(strstr(output, "argument 'addr' is missing"), "%s", output);
        g_unlink(path);
    }
    machine_end();
    g_rmdir(dir);
}
END_TEST

/* What a command does is seen in the machine, too. */
START_TEST(effects)
{
    g_autofree char *out = NULL;
    uint8_t value;

    machine_start();
    g_free(hmp_run("o /b 0x70 0x0f", 0)); /* a byte of the RTC's memory */
    g_free(hmp_run("o /b 0x71 0x12a5", 0));
    address_space_read(&machine->ports, 0x71, &value, 1);
    expect_hex(value, 0xa5);
    out = hmp_run("i /b 0x71", 0);
    ck_assert_str_eq(out, "portb[0x0071] = 0xa5\r\n");
    g_free(out);
    out = hmp_run("info cpus", 1);
    expect(strstr(out, "  CPU #0") && strstr(out, "* CPU #1"), "%s", out);
    g_free(out);
    out = hmp_run("info registers", 1);
    expect(strstr(out, "CPU#1") && !strstr(out, "CPU#0"), "%s", out);
    g_free(out);
    out = hmp_run("x 0", 7);
    ck_assert_str_eq(out, "Error: there is no CPU 7; info cpus lists them\r\n");
    machine_end();
}
END_TEST

/* ---- numbers -------------------------------------------------------------------------- */

static bool test_register(void *opaque, const char *name, size_t len,
                          uint64_t *value)
{
    *value = 0xfff0;
    return len == 2 && strncmp(name, "pc", 2) == 0;
}

START_TEST(expressions)
{
    static const struct {
        const char *text;
        uint64_t value;
        const char *left;
    } good[] = {
        { "0", 0, "" }, { " 12 x", 12, "x" }, { "0x1F", 31, "" },
        { "0XfF", 255, "" }, { "08", 8, "" }, { "1+2*3", 7, "" },
        { "(1+2)*3", 9, "" }, { "10-2-3", 5, "" }, { "100/10/5", 2, "" },
        { "17%5", 2, "" }, { "-1", UINT64_MAX, "" }, { "~0", UINT64_MAX, "" },
        { "~~5", 5, "" }, { "- - 3", 3, "" }, { "+3", 3, "" },
        { "1|2^3&2", 1 | (2 ^ (3 & 2)), "" }, { "1+2|8", 11, "" },
        { "6 & 3 + 1", 6 & 4, "" }, { "'a'", 97, "" }, { "'''", 39, "" },
        { "$pc+1", 0xfff1, "" }, { "2*$pc", 0x1ffe0, "" },
        { "0xffffffffffffffff", UINT64_MAX, "" },
        { "18446744073709551615", UINT64_MAX, "" },
        { "-0x8000000000000000", 1ull << 63, "" },
        { "0xffffffff * 0x100000001", UINT64_MAX, "" },
        { "-9/2", (uint64_t)-4, "" }, { "1 2", 1, "2" }, { "7k", 7, "k" },
        { "8 /x", 8, "/x" }, { "8 /./x", 8, "/./x" }, { "8 / 2", 4, "" },
        { "8 /2", 4, "" },
        { "-1 & 0xff", 0xff, "" }, { "~0xff & 0xffff", 0xff00, "" },
    };
    static const struct {
        const char *text, *error;
    } bad[] = {
        { "", "unexpected end of the expression" },
        { "1+", "unexpected end of the expression" },
        { "(1", "')' expected" },
        { "()", "')' is no number" },
        { "0x", "digits are missing after 0x" },
        { "0xg", "digits are missing after 0x" },
        { "''", "one character between ' and ' expected" },
        { "'ab'", "one character between ' and ' expected" },
        { "1/0", "division by zero" }, { "1%0", "division by zero" },
        { "1/(2-2)", "division by zero" },
        { "0x10000000000000000", "number too large" },
        { "18446744073709551616", "number too large" },
        { "~0+1", "the result does not fit in 64 bits" },
        { "-0x8000000000000001", "the result does not fit in 64 bits" },
        { "-0x8000000000000000-1", "the result does not fit in 64 bits" },
        { "~0*~0", "the result does not fit in 64 bits" },
        { "(-0x8000000000000000)*~0", "the result does not fit in 64 bits" },
        { "0xffffffffffffffff*2-1", "the result does not fit in 64 bits" },
        { "$sp", "there is no register '$sp'" },
        { "$", "there is no register '$'" },
        { "8/x", "'x' is no number" }, { "/x", "'/x' is no number" },
        { "what now", "'what' is no number" },
        { "1 + * 2", "'*' is no number" },
    };
    g_autofree char *nest = g_strnfill(2000, '('), *signs = g_strnfill(2000, '-');
    g_autofree char *few = g_strconcat(nest + 1950, "1", NULL);
    const char *deep[] = { nest, signs };
    uint64_t value;
    const char *p;

    for (unsigned i = 0; i < G_N_ELEMENTS(good); i++) {
        p = good[i].text;
        expect(expression_parse(&p, test_register, NULL, &value, &err), "%s: %s",
               good[i].text, err->message);
        expect(value == good[i].value, "%s is 0x%" PRIx64, good[i].text, value);
        ck_assert_str_eq(p, good[i].left);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        p = bad[i].text;
        expect(!expression_parse(&p, test_register, NULL, &value, &err), "%s",
               bad[i].text);
        ck_assert_str_eq(err->message, bad[i].error);
        g_clear_error(&err);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(deep); i++) {
        p = deep[i];
        expect(!expression_parse(&p, NULL, NULL, &value, &err), "too deep");
        expect(strstr(err->message, "more than 100 levels"), "%s", err->message);
        g_clear_error(&err);
    }
    p = few; /* 50 levels are not too many, but not closed */
    expect(!expression_parse(&p, NULL, NULL, &value, &err), "not closed");
    ck_assert_str_eq(err->message, "')' expected");
    g_clear_error(&err);
}
END_TEST

/* ---- completion ----------------------------------------------------------------------- */

static void expect_completion(const char *line, const char *wanted)
{
    size_t start;
    g_autoptr(GPtrArray) words = hmp_complete(line, strlen(line), &start);
    g_autofree char *text = NULL;

    g_ptr_array_add(words, NULL);
    text = g_strjoinv(" ", (char **)words->pdata);
    expect(start <= strlen(line), "start");
    expect(!strcmp(text, wanted), "%s becomes: %s\nand not: %s", line, text,
           wanted);
}

START_TEST(completion)
{
    g_autofree char *dir = g_dir_make_tmp("flatview-XXXXXX", NULL);
    g_autofree char *sub = g_build_filename(dir, "sub", NULL);
    g_autofree char *line = g_strdup_printf("memsave 0 16 %s/s", dir);
    g_autofree char *wanted = g_strconcat(sub, "/", NULL);
    size_t start;

    machine_start();
    g_free(hmp_run("device_add isa-debug-exit,id=exit0", 0));
    g_free(hmp_run("object_add memory-backend-ram,id=mem0,size=1M", 0));
    g_free(hmp_run("chardev-add null,id=nobody", 0));
    expect_completion("sys", "system_powerdown system_reset system_wakeup");
    expect_completion("  sto", "stop");
    expect_completion("nosuch", "");
    expect_completion("nosuch x", "");
    expect_completion("info q", "qom-tree qtree");
    expect_completion("info mtree ", "");
    expect_completion("info qom-tree /machine/rt", "/machine/rtc");
    expect_completion("help dev", "device_add device_del");
    expect_completion("device_add isa-debug", "isa-debug-exit isa-debugcon");
    expect_completion("device_add isa-debug-exit,", "isa-debug-exit,id= "
                      "isa-debug-exit,iobase= isa-debug-exit,iosize=");
    expect_completion("device_add isa-debug-exit,id=x,iob",
                      "isa-debug-exit,id=x,iobase=");
    expect_completion("device_add nosuch,i", "nosuch,id=");
    expect_completion("device_del ", "exit0");
    expect_completion("object_add memory-backend-r", "memory-backend-ram,id=");
    expect_completion("object_del m", "mem0");
    expect_completion("chardev-add ringb", "ringbuf,id=");
    expect_completion("chardev-remove nob", "nobody");
    expect_completion("qom-get /mach", "/machine/");
    expect_completion("qom-get /machine/peripheral/", "/machine/peripheral/exit0");
    expect_completion("qom-get rtc", "");
    expect_completion("qom-get /no/such/", "");
    expect_completion("x /4xw ", "");
    expect_completion("screendump f -f pn", "png");
    expect_completion("sendkey caps", "caps_lock");
    expect_completion("sendkey ctrl-alt-dele", "ctrl-alt-delete");
    expect_completion("screendump -f ppm f ex", "exit0");
    expect_completion("screendump f -f ppm ex", "exit0");
    g_mkdir(sub, 0700);
    expect_completion(line, wanted);
    g_rmdir(sub);
    g_rmdir(dir);
    /* Only what is before the cursor counts. */
    g_autoptr(GPtrArray) words = hmp_complete("info sttus", 7, &start);
    ck_assert_uint_eq(start, 5);
    ck_assert_uint_eq(words->len, 1);
    machine_end();
}
END_TEST

/* ---- bounds ------------------------------------------------------------------------------ */

START_TEST(long_lines)
{
    g_autofree char *spaces = g_strnfill(HMP_LINE_MAX - 4, ' ');
    g_autofree char *line = g_strconcat(spaces, "help", NULL);
    g_autofree char *longer = g_strconcat(line, " ", NULL);
    g_autofree char *word = g_strnfill(HMP_LINE_MAX, 'w');
    g_autofree char *good = NULL, *refused = NULL, *unknown = NULL;

    machine_start();
    good = hmp_run(line, 0);
    expect(strstr(good, "quit|q"), "%s", good);
    refused = hmp_run(longer, 0);
    ck_assert_str_eq(refused, "The line is longer than 4096 bytes\r\n");
    unknown = hmp_run(word, 0);
    expect(strlen(unknown) < 100, "%s", unknown);
    machine_end();
}
END_TEST

START_TEST(long_output)
{
    g_autofree char *output = NULL;

    machine_start();
    output = hmp_run("xp /1048576xb 0", 0);
    expect(g_str_has_suffix(output, "\r\n"), "the last line");
    ck_assert_uint_eq(strlen(output), (1u << 20) * 5 + (1u << 17) * 19);
    machine_end();
}
END_TEST

/* Nothing that is typed ends the program, and what comes back is text. */
START_TEST(random_lines)
{
    static const char *const words[] = {
        "x", "xp", "/", "/4xw", "/99999999999c", "i", "o", "sum", "print", "info",
        "mtree", "-fdo", "-", "registers", "-a", "qtree", "qom-tree", "/machine",
        "help", "0", "0x1000", "-1", "~0", "(", ")", "*", "/", "+", "'", "\"", "\\",
        "$pc", "cpu", "qom-list", "qom-get", "type", "gva2gpa", "device_add",
        "isa-debug-exit,iobase=", ",", "=", "chardev-add", "null,id=a",
        "chardev-remove", "a", "object_add", "memory-backend-ram,size=1,id=", "1K",
    };
    uint64_t seed = test_number("FLATVIEW_SEED", 4711);
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)seed);
    unsigned lines = (unsigned)test_number("FLATVIEW_LINES", 20000);

    machine_start();
    for (unsigned i = 0; i < lines; i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        g_autoptr(GPtrArray) completed = NULL;
        g_autofree char *output = NULL;
        size_t start;

        g_snprintf(test_context, sizeof(test_context), "seed %" PRIu64
                   ", line %u: ", seed, i);
        for (int n = g_rand_int_range(rand, 1, 8); n > 0; n--) {
            int kind = g_rand_int_range(rand, 0, 10);

            if (kind < 8) {
                g_string_append(line, words[g_rand_int_range(
                                          rand, 0, G_N_ELEMENTS(words))]);
            } else if (kind == 8) {
                g_string_append_c(line, (char)g_rand_int_range(rand, 1, 256));
            }
            if (kind < 7) {
                g_string_append_c(line, ' ');
            }
        }
        output = hmp_run(line->str, (unsigned)g_rand_int_range(rand, 0, 3));
        expect(g_utf8_validate(output, -1, NULL), "%s", line->str);
        for (const char *p = output; *p; p++) {
            expect(!g_ascii_iscntrl(*p) || strchr("\t\r\n", *p), "%s prints %s",
                   line->str, output);
        }
        completed = hmp_complete(line->str, line->len, &start);
        expect(start <= line->len, "%s", line->str);
    }
    machine_end();
}
END_TEST

/* ---- docs/monitor.md --------------------------------------------------------------------- */

START_TEST(document)
{
    const char *source = g_getenv("SRC_PATH");
    g_autofree char *path = g_build_filename(source ? source : ".",
                                             "docs/monitor.md", NULL);
    g_autofree char *text = NULL, *list = hmp_document();

    expect(g_file_get_contents(path, &text, NULL, &err), "%s",
           err ? err->message : "");
    expect(strstr(text, list), "%s does not have this list:\n%s", path, list);
}
END_TEST

TEST_MAIN("hmp", commands, all_commands, files, effects, expressions, completion,
          long_lines, long_output, random_lines, document)
