/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flash on the board pc: where it is, what it shows, what stays in its file over a
 * restart of the program, and command lines that are refused.
 */
#include "tests/qtest/qvm.h"

#include <string.h>
#include <unistd.h>

#include "tests/device-util.h"

#define KIB 1024u
#define UNIT0 (128 * KIB + 64 * KIB)
#define UNIT1 (64 * KIB)
#define BASE0 (0x100000000 - UNIT0)
#define BASE1 (BASE0 - UNIT1)

static QVM *vm;
static char *code, *vars;

static char *make(const char *name, unsigned id, size_t len)
{
    char *path = g_build_filename(test_folder(), name, NULL);
    g_autofree uint8_t *bytes = g_malloc(len);

    content_fill(bytes, id, 0, len);
    expect(g_file_set_contents(path, (char *)bytes, len, NULL), "%s", path);
    return path;
}

static void start(void)
{
    vm = qvm_start("-M pc -m 64 -nodefaults "
                   "-drive if=pflash,format=raw,readonly=on,file='%s' "
                   "-drive if=pflash,format=raw,unit=1,file='%s'", code, vars);
}

static void make_both(void)
{
    code = make("code", 1, UNIT0);
    vars = make("vars", 2, UNIT1);
}

static void expect_map(const char *line, bool there)
{
    g_autofree char *map = qvm_hmp(vm, "info mtree -f");

    expect(!strstr(map, line) == !there, "'%s' is %sthere in\n%s", line,
           there ? "not " : "", map);
}

#define ROMD0 "00000000fffd0000-00000000ffffffff (romd): system.flash0 @0000000000000000"
#define LOW0 "00000000000e0000-00000000000fffff (romd): system.flash0 @0000000000010000"
#define ROMD1 "00000000fffc0000-00000000fffcffff (romd): system.flash1 @0000000000000000"
#define IO1 "00000000fffc0000-00000000fffcffff (i/o): system.flash1 @0000000000000000"
#define IO0 "00000000fffd0000-00000000ffffffff (i/o): system.flash0 @0000000000000000"

START_TEST(places)
{
    make_both();
    start();
    expect_map(ROMD0, true);
    expect_map(LOW0, true);
    expect_map(ROMD1, true);
    expect_hex(qvm_load(vm, BASE0, 8), content_value(1, 0, 8));
    expect_hex(qvm_load(vm, 0xfffffff8, 8), content_value(1, UNIT0 - 8, 8));
    expect_hex(qvm_load(vm, 0xe0000, 8), content_value(1, UNIT0 - 128 * KIB, 8));
    expect_hex(qvm_load(vm, 0xffff8, 8), content_value(1, UNIT0 - 8, 8));
    expect_hex(qvm_load(vm, BASE1, 8), content_value(2, 0, 8));
    qvm_end(vm);
    /* One alone, smaller than what fits below 1 MiB; units in any order. */
    vm = qvm_start("-M pc -m 64 -nodefaults -pflash '%s'", vars);
    expect_map("00000000ffff0000-00000000ffffffff (romd): system.flash0", true);
    expect_map("00000000000f0000-00000000000fffff (romd): system.flash0", true);
    qvm_end(vm);
    vm = qvm_start("-M pc -m 64 -nodefaults -drive if=pflash,unit=1,file='%s' "
                   "-drive if=pflash,unit=0,file='%s'", vars, code);
    expect_map(ROMD0, true);
    expect_map(ROMD1, true);
    qvm_end(vm);
}
END_TEST

START_TEST(direct_reads)
{
    static const uint8_t leave[] = { 0x70, 0x90, 0x98, 0x40, 0x20, 0xe8, 0x60 };

    make_both();
    start();
    for (unsigned i = 0; i < G_N_ELEMENTS(leave); i++) {
        qvm_store(vm, BASE1, leave[i], 1);
        expect_map(ROMD1, false);
        expect_map(IO1, true);
        expect_map(ROMD0, true);
        qvm_store(vm, BASE1, 0xff, 1);
        if (leave[i] == 0x40 || leave[i] == 0xe8) { /* 0xff was its data */
            expect_map(IO1, true);
            qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
            g_free(qvm_event(vm, "RESET"));
        }
        expect_map(ROMD1, true);
    }
    /* The place below 1 MiB is the same flash. */
    qvm_store(vm, 0xe0000, 0x98, 1);
    expect_map(IO0, true);
    expect_hex(qvm_load(vm, BASE0 + 0x10, 1), 'Q');
    expect_hex(qvm_load(vm, 0xe0011, 1), 'R');
    expect_hex(qvm_load(vm, BASE0 + 0x27, 1), 17); /* 192 KiB: between 2^17 and 2^18 */
    expect_hex(qvm_load(vm, BASE0 + 0x2d, 4), 0x0010002f); /* 48 blocks of 4 KiB */
    qvm_store(vm, BASE0, 0xff, 1);
    expect_map(LOW0, true);
    qvm_end(vm);
}
END_TEST

static void program(uint64_t addr, uint8_t value)
{
    qvm_store(vm, addr, 0x40, 1);
    qvm_store(vm, addr, value, 1);
    expect_hex(qvm_load(vm, addr, 1), 0x80);
}

START_TEST(persistence)
{
    g_autofree char *bytes = NULL;
    gsize len;

    make_both();
    start();
    program(BASE1 + 0x100, 0);
    qvm_store(vm, BASE1 + 0x2000, 0x20, 1);
    qvm_store(vm, BASE1 + 0x2000, 0xd0, 1);
    program(BASE1 + 0x2004, 0x5a);
    qvm_store(vm, BASE1 + 0x3000, 0x20, 1);
    qvm_store(vm, BASE1 + 0x3000, 0xd0, 1);
    qvm_store(vm, BASE1 + 0x3000, 0xe8, 1);
    qvm_store(vm, BASE1 + 0x3000, 3, 1);
    qvm_store(vm, BASE1 + 0x3010, 0x44332211, 4);
    qvm_store(vm, BASE1 + 0x3000, 0xd0, 1);
    expect_hex(qvm_load(vm, BASE1, 1), 0x80);
    qvm_store(vm, BASE1, 0xff, 1);
    expect_hex(qvm_load(vm, BASE1 + 0x2000, 8), 0xffffff5affffffff);
    /* In the file while the machine is there, so that it may end as it likes. */
    expect(g_file_get_contents(vars, &bytes, &len, NULL), "%s", vars);
    expect(bytes[0x100] == 0 && bytes[0x2004] == 0x5a && bytes[0x3012] == 0x33, "file");
    qvm_end(vm);

    start();
    expect_hex(qvm_load(vm, BASE1 + 0xff, 2), content_byte(2, 0xff));
    expect_hex(qvm_load(vm, BASE1 + 0x2000, 8), 0xffffff5affffffff);
    expect_hex(qvm_load(vm, BASE1 + 0x3010, 8), 0xffffffff44332211);
    expect_hex(qvm_load(vm, BASE1 + 0x4000, 8), content_value(2, 0x4000, 8));
    /* What is read only stays. */
    qvm_store(vm, BASE0, 0x20, 1);
    qvm_store(vm, BASE0, 0xd0, 1);
    expect_hex(qvm_load(vm, BASE0, 1), 0xa0);
    qvm_store(vm, BASE0, 0xff, 1);
    expect_hex(qvm_load(vm, BASE0, 8), content_value(1, 0, 8));
    qvm_end(vm);
}
END_TEST

START_TEST(errors)
{
    g_autofree char *odd = make("odd", 3, 5000);
    g_autofree char *big = make("big", 3, 8 * KIB * KIB + 4096);
    g_autofree char *most = make("most", 3, 8 * KIB * KIB - 4096);
    g_autofree char *empty = make("empty", 3, 0);

    make_both();
    qvm_refused("odd': its size of 5000 bytes is no multiple of 4096",
                "-pflash '%s'", odd);
    qvm_refused("big': its 8196 KiB are more than the 8192 KiB", "-pflash '%s'", big);
    qvm_refused("vars': its 64 KiB and those of unit 0 are more than",
                "-pflash '%s' -pflash '%s'", most, vars);
    qvm_refused("empty': is empty", "-pflash '%s'", empty);
    qvm_refused("'/nonexistent/f': cannot be opened", "-pflash /nonexistent/f");
    qvm_refused("is not a regular file", "-pflash /dev/full");
    qvm_refused("is not a regular file", "-pflash '%s'", test_folder());
    qvm_refused("vars': it is unit 1, and there is no unit 0",
                "-drive if=pflash,unit=1,file='%s'", vars);
    qvm_refused("code': another one is this unit", "-drive if=pflash,unit=0,file='%s' "
                "-drive if=pflash,unit=0,file='%s'", vars, code);
    qvm_refused("code': there are two units", "-pflash '%s' -pflash '%s' -pflash '%s'",
                vars, vars, code);
    qvm_refused("exclude each other", "-bios '%s' -pflash '%s'", code, vars);
    qvm_refused("vars': another machine uses it",
                "-pflash '%s' -pflash '%s'", vars, vars);
    vm = qvm_start("-M pc -m 64 -nodefaults -pflash '%s'", vars);
    qvm_refused("vars': another machine uses it", "-pflash '%s'", vars);
    qvm_end(vm);
}
END_TEST

/* The type's name has a dot in it. */
START_TEST(properties)
{
    make_both();
    vm = qvm_start("-M pc -m 64 -nodefaults -global cfi.pflash01.id1=0x34 "
                   "-global driver=cfi.pflash01,property=id3,value=0x56 -pflash '%s'",
                   code);
    qvm_store(vm, BASE0, 0x90, 1);
    expect_hex(qvm_load(vm, BASE0, 2), 0x5634);
    qvm_end(vm);
}
END_TEST

/* Any bytes to any of its places, and the machine lives; the file stays what the guest
 * sees. */
START_TEST(hostile)
{
    uint64_t seed = test_number("FLATVIEW_SEED", time(NULL));
    GRand *random = g_rand_new_with_seed(seed);
    g_autofree uint8_t *shown = g_malloc(UNIT1);
    g_autofree char *bytes = NULL;
    gsize len;

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
               seed);
    make_both();
    start();
    for (unsigned i = 0; i < 3000; i++) {
        static const uint8_t commands[] = { 0x40, 0x20, 0xd0, 0xe8, 0xd0, 0xff, 3 };
        uint64_t addr = BASE1 - 8 + g_rand_int_range(random, 0, UNIT1 + 16);
        unsigned size = 1 << g_rand_int_range(random, 0, 4);
        uint64_t value = g_rand_int(random);

        if (value & 0x100) {
            addr -= addr % size;
        }
        if (value % 4) {
            value = commands[value % G_N_ELEMENTS(commands)];
        }
        if (value % 3) {
            qvm_store(vm, addr, value, size);
        } else {
            qvm_load(vm, addr, size);
        }
    }
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_map(ROMD1, true);
    qvm_read(vm, BASE1, shown, UNIT1);
    expect(g_file_get_contents(vars, &bytes, &len, NULL) && len == UNIT1, "size");
    expect(memcmp(bytes, shown, UNIT1) == 0, "the file has something else");
    g_rand_free(random);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-pflash", places, direct_reads, persistence, errors, properties,
          hostile)
