/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugger stub's protocol: framing, damage, bounds, registers, memory, and
 * clients that come and go.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cpu-gdb.h"
#include "tests/gdb/gdb-world.h"

#define E_FAULT "E0e"
#define E_INVAL "E16"

/* ---- packets --------------------------------------------------------------------- */

static void framing(GDBWorld *w, GDBClient *c)
{
    g_autofree char *long_packet = g_strnfill(100000, 'a');

    gdb_client_expect(c, "T05thread:01;", "?");
    gdb_client_expect(c, "", "what is this");
    gdb_client_expect(c, "", "vMustReplyEmpty");
    gdb_client_expect(c, "", "gx");

    /* Damaged: asked for again. */
    gdb_client_raw(c, "$?#00", 5);
    ck_assert_int_eq(gdb_client_byte(c), '-');
    gdb_client_raw(c, "$?#zz", 5);
    ck_assert_int_eq(gdb_client_byte(c), '-');
    gdb_client_raw(c, "noise$?$?#3f", 12);
    ck_assert_int_eq(gdb_client_byte(c), '+');
    ck_assert_str_eq(gdb_client_receive(c), "T05thread:01;");

    /* Damaged on the way here: sent again, but only for as long as nobody has
     * acknowledged it. */
    gdb_client_raw(c, "$qC#b4", 6);
    ck_assert_int_eq(gdb_client_byte(c), '+');
    c->no_ack = true;
    ck_assert_str_eq(gdb_client_receive(c), "QC01");
    gdb_client_raw(c, "-", 1);
    ck_assert_str_eq(gdb_client_receive(c), "QC01");
    gdb_client_raw(c, "--", 2);
    ck_assert_str_eq(gdb_client_receive(c), "QC01");
    ck_assert_str_eq(gdb_client_receive(c), "QC01");
    gdb_client_raw(c, "+-", 2);
    c->no_ack = false;
    gdb_client_expect(c, "QC01", "qC");

    /* Endless. */
    gdb_client_send(c, long_packet, 100000);
    ck_assert_str_eq(gdb_client_receive(c), E_INVAL);
    gdb_client_expect(c, "QC01", "qC");
    gdb_client_send(c, long_packet, 0x4000); /* the most that is taken */
    ck_assert_str_eq(gdb_client_receive(c), "");
    gdb_client_send(c, long_packet, 0x4001);
    ck_assert_str_eq(gdb_client_receive(c), E_INVAL);

    gdb_client_expect(c, "OK", "QStartNoAckMode");
    c->no_ack = true;
    gdb_client_expect(c, "QC01", "qC");
    gdb_client_raw(c, "$qC#00", 6);
    ck_assert_str_eq(gdb_client_receive(c), E_INVAL);
    gdb_client_send(c, long_packet, 100000);
    ck_assert_str_eq(gdb_client_receive(c), E_INVAL);
    gdb_client_expect(c, "QC01", "qC");
}

START_TEST(test_framing)
{
    gdb_world_run(1, false, framing);
}
END_TEST

/* Fetch target.xml in pieces of @piece bytes. */
static char *fetch_description(GDBClient *c, unsigned piece)
{
    GString *xml = g_string_new(NULL);
    const char *answer;

    do {
        answer = gdb_client_ask(c, "qXfer:features:read:target.xml:%zx,%x",
                                xml->len, piece);
        ck_assert(answer[0] == 'm' || answer[0] == 'l');
        ck_assert_uint_le(c->packet->len - 1, piece);
        g_string_append(xml, answer + 1);
    } while (answer[0] == 'm');
    return g_string_free(xml, FALSE);
}

static void features(GDBWorld *w, GDBClient *c)
{
    g_autofree char *wanted = cpu_gdb_description();
    g_autofree char *small = fetch_description(c, 100);
    g_autofree char *big = fetch_description(c, 0xffffff);
    const char *answer = gdb_client_ask(c, "qSupported:swbreak+;xmlRegisters=i386");

    ck_assert_str_eq(small, wanted);
    ck_assert_str_eq(big, wanted);
    ck_assert_ptr_nonnull(strstr(answer, "PacketSize=4000"));
    ck_assert_ptr_nonnull(strstr(answer, "qXfer:features:read+"));
    gdb_client_expect(c, "E00", "qXfer:features:read:other.xml:0,10");
    gdb_client_expect(c, E_INVAL, "qXfer:features:read:target.xml:fffffff,10");
    gdb_client_expect(c, E_INVAL, "qXfer:features:read:target.xml:0;10");
    gdb_client_expect(c, "l", "qXfer:features:read:target.xml:%zx,10",
                      strlen(wanted));
    gdb_client_expect(c, "1", "qAttached");
    gdb_client_expect(c, "vCont;c;C;s;S", "vCont?");
    gdb_client_expect(c, "sstepbits;sstep;PhyMemMode", "qqemu.Supported");
    gdb_client_expect(c, "ENABLE=1,NOIRQ=2", "qqemu.sstepbits");
    gdb_client_expect(c, "0x3", "qqemu.sstep");
    gdb_client_expect(c, "OK", "Qqemu.sstep=0x1");
    gdb_client_expect(c, "0x1", "qqemu.sstep");
    gdb_client_expect(c, E_INVAL, "Qqemu.sstep=8");
    gdb_client_expect(c, E_INVAL, "Qqemu.sstep=");
}

START_TEST(test_features)
{
    gdb_world_run(1, false, features);
}
END_TEST

static void threads(GDBWorld *w, GDBClient *c)
{
    gdb_client_expect(c, "m01,02,03", "qfThreadInfo");
    gdb_client_expect(c, "l", "qsThreadInfo");
    gdb_client_expect(c, "764350552032", "qThreadExtraInfo,3");
    gdb_client_expect(c, E_INVAL, "qThreadExtraInfo,4");
    gdb_client_expect(c, "OK", "T3");
    gdb_client_expect(c, "E03", "T4");
    gdb_client_expect(c, "E03", "T");
    gdb_client_expect(c, "OK", "Hg2");
    gdb_client_expect(c, "QC02", "qC");
    gdb_client_expect(c, "OK", "Hg0");
    gdb_client_expect(c, "QC02", "qC");
    gdb_client_expect(c, "OK", "Hc-1");
    gdb_client_expect(c, "OK", "Hc0");
    gdb_client_expect(c, E_INVAL, "Hg-1");
    gdb_client_expect(c, E_INVAL, "Hg4");
    gdb_client_expect(c, E_INVAL, "Hx1");
    gdb_client_expect(c, E_INVAL, "H");
    gdb_client_expect(c, E_INVAL, "Hg1x");
    gdb_client_expect(c, E_INVAL, "Hg11111111111111111");
}

START_TEST(test_threads)
{
    gdb_world_run(3, false, threads);
}
END_TEST

/* ---- registers ------------------------------------------------------------------- */

static size_t registers_size(void)
{
    size_t size = 0;
    unsigned n;

    for (n = 0; n < cpu_gdb_registers(); n++) {
        size += cpu_gdb_register_size(n);
    }
    return size;
}

/* Content for register @n that it can hold. */
static char *register_content(unsigned n)
{
    GString *hex = g_string_new(NULL);
    unsigned size = cpu_gdb_register_size(n);
    unsigned i;

    for (i = 0; i < size; i++) {
        /* 16 bits of the x87 unit's and of selectors, shown in 32. The tag word
         * follows from what is in the registers. */
        bool zero = (size == 4 && n >= 18 && n < 40 && i >= 2) || n == 34;

        g_string_append_printf(hex, "%02x",
                               zero ? 0 : content_byte(n, i) & 0x3f);
    }
    return g_string_free(hex, FALSE);
}

static void registers(GDBWorld *w, GDBClient *c)
{
    g_autofree char *all = NULL;
    g_autoptr(GString) wanted = g_string_new(NULL);
    unsigned n;

    ck_assert_uint_eq(strlen(gdb_client_ask(c, "g")), 2 * registers_size());
    for (n = 0; n < cpu_gdb_registers(); n++) {
        g_autofree char *content = register_content(n);

        gdb_client_expect(c, "OK", "P%x=%s", n, content);
    }
    for (n = 0; n < cpu_gdb_registers(); n++) {
        g_autofree char *content = register_content(n);

        if (n != 34) {
            gdb_client_expect(c, content, "p%x", n);
        }
        g_string_append(wanted, gdb_client_ask(c, "p%x", n));
    }
    gdb_client_expect(c, wanted->str, "g");
    ck_assert_uint_eq(w->fake.cpus[0].regs.rbx & 0xff, content_byte(1, 0) & 0x3f);
    ck_assert_uint_eq(w->fake.cpus[0].sregs.cr3 & 0xff,
                      content_byte(62, 0) & 0x3f);

    /* All at once, to another vCPU. */
    all = g_strdup(gdb_client_ask(c, "g"));
    gdb_client_expect(c, "OK", "Hg2");
    gdb_client_expect(c, "OK", "G%s", all);
    gdb_client_expect(c, all, "g");

    gdb_client_expect(c, E_INVAL, "G%.*s", (int)strlen(all) - 2, all);
    gdb_client_expect(c, E_INVAL, "G%s00", all);
    gdb_client_expect(c, E_INVAL, "Gzz");
    gdb_client_expect(c, E_INVAL, "p%x", cpu_gdb_registers());
    gdb_client_expect(c, E_INVAL, "p");
    gdb_client_expect(c, E_INVAL, "pffffffffffffffff");
    gdb_client_expect(c, E_INVAL, "P0");
    gdb_client_expect(c, E_INVAL, "P0=1");
    gdb_client_expect(c, E_INVAL, "P0=00000000000000000");
    gdb_client_expect(c, E_INVAL, "P%x=00", cpu_gdb_registers());
    gdb_client_expect(c, all, "g");

    w->fake.fail_errno = EIO;
    w->fake.fail_request = KVM_GET_SREGS;
    gdb_client_expect(c, "xxxxxxxxxxxxxxxx", "p3c");
    w->fake.fail_request = KVM_SET_SREGS;
    gdb_client_expect(c, "E05", "P3c=0000000000000000");
    w->fake.fail_request = 0;
}

START_TEST(test_registers)
{
    gdb_world_run(2, false, registers);
}
END_TEST

/* The full tag word, from what KVM keeps: which physical register is in use. */
static void tags(GDBWorld *w, GDBClient *c)
{
    struct kvm_fpu *fpu = &w->fake.cpus[0].fpu;

    memset(fpu, 0, sizeof(*fpu));
    gdb_client_expect(c, "ffff0000", "p22");
    fpu->fsw = 6 << 11; /* the top is physical register 6 */
    fpu->ftwx = 0xc1;   /* 6, 7 and 0 are in use: st0, st1, st2 */
    fpu->fpr[0][9] = 0x3f; /* valid: 1.0 */
    fpu->fpr[0][8] = 0xff;
    fpu->fpr[0][7] = 0x80;
    fpu->fpr[2][9] = 0x7f; /* special: infinite */
    fpu->fpr[2][8] = 0xff;
    fpu->fpr[2][7] = 0x80;
    gdb_client_expect(c, "fe4f0000", "p22");
    fpu->fpr[1][0] = 1; /* special: no longer zero */
    gdb_client_expect(c, "fe8f0000", "p22");
    gdb_client_expect(c, "OK", "P22=3fff0000");
    ck_assert_uint_eq(fpu->ftwx, 1 << 3);
}

START_TEST(test_tags)
{
    gdb_world_run(1, false, tags);
}
END_TEST

/* In real mode a selector brings its base along. */
static void selectors(GDBWorld *w, GDBClient *c)
{
    struct kvm_sregs *sregs = &w->fake.cpus[0].sregs;

    sregs->ds.base = 0x1234567;
    gdb_client_expect(c, "OK", "P14=34120000");
    ck_assert_uint_eq(sregs->ds.selector, 0x1234);
    ck_assert_uint_eq(sregs->ds.base, 0x1234567);
    sregs->cr0 &= ~1ull;
    gdb_client_expect(c, "OK", "P14=34120000"); /* no change: keeps its base */
    ck_assert_uint_eq(sregs->ds.base, 0x1234567);
    gdb_client_expect(c, "OK", "P14=00f00000");
    ck_assert_uint_eq(sregs->ds.base, 0xf0000);
}

START_TEST(test_selectors)
{
    gdb_world_run(1, false, selectors);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

static void memory(GDBWorld *w, GDBClient *c)
{
    g_autofree char *zeros = g_strnfill(2 * 0x2000 - 64, '0');

    gdb_client_expect(c, "OK", "M20ffe,4:01020304");
    ck_assert_mem_eq(w->host + 0x20ffe, "\1\2\3\4", 4);
    gdb_client_expect(c, "0102030400", "m20ffe,5");
    gdb_client_send(c, "X21000,5:#$}*\0", 14);
    ck_assert_str_eq(gdb_client_receive(c), "OK");
    ck_assert_mem_eq(w->host + 0x21000, "#$}*\0", 5);
    gdb_client_expect(c, "OK", "X0,0:");
    gdb_client_expect(c, "", "m20ffe,0");

    /* ROM is written, a device is left alone, nothing is an error. */
    gdb_client_expect(c, "OK", "M%x,1:5a", GW_ROM);
    gdb_client_expect(c, "5a00", "m%x,2", GW_ROM);
    gdb_client_expect(c, E_FAULT, "m%x,4", GW_DEVICE);
    gdb_client_expect(c, E_FAULT, "M%x,1:00", GW_DEVICE);
    gdb_client_expect(c, E_FAULT, "m10000000,4");
    gdb_client_expect(c, E_FAULT, "mffffffffffffffff,4");

    /* What is there of it, and no more than an answer holds. */
    gdb_client_expect(c, "0000", "m%x,8", GW_RAM_SIZE - 2);
    gdb_client_expect(c, E_FAULT, "M%x,3:010203", GW_RAM_SIZE - 2);
    gdb_client_expect(c, zeros, "m30000,ffffffffffffffff");

    gdb_client_expect(c, E_INVAL, "m");
    gdb_client_expect(c, E_INVAL, "m1000");
    gdb_client_expect(c, E_INVAL, "m1000,");
    gdb_client_expect(c, E_INVAL, "m1000,1,");
    gdb_client_expect(c, E_INVAL, "mxyz,1");
    gdb_client_expect(c, E_INVAL, "m11111111111111111,1");
    gdb_client_expect(c, E_INVAL, "M1000,2:01");
    gdb_client_expect(c, E_INVAL, "M1000,1:0102");
    gdb_client_expect(c, E_INVAL, "M1000,1:0");
    gdb_client_expect(c, E_INVAL, "M1000,1:zz");
    gdb_client_expect(c, E_INVAL, "M1000,1");
    gdb_client_expect(c, E_INVAL, "X1000,2:a");
    gdb_client_expect(c, E_INVAL, "X1000,ffffffffffffffff:a");
    ck_assert_uint_eq(w->host[0x1000], 0x90);
}

START_TEST(test_memory)
{
    gdb_world_run(1, false, memory);
}
END_TEST

/* Four levels of tables that show page 0x21 at 0xffff800000005000. */
static void paging(GDBWorld *w, GDBClient *c)
{
    struct kvm_sregs *sregs = &w->fake.cpus[0].sregs;
    uint64_t *tables = (uint64_t *)(w->host + 0x30000);

    tables[256] = 0x31003;
    tables[512] = 0x32003;
    tables[1024] = 0x33003;
    tables[1536 + 5] = 0x21003;
    strcpy((char *)w->host + 0x21000, "there");
    sregs->cr3 = 0x30000;
    sregs->cr0 |= 1u << 31;
    sregs->cr4 |= 1u << 5;
    sregs->efer = 0x500;
    gdb_client_expect(c, "7468657265", "mffff800000005000,5");
    gdb_client_expect(c, "00", "mffff800000005fff,5"); /* then not mapped */
    gdb_client_expect(c, E_FAULT, "m21000,5");
    gdb_client_expect(c, "OK", "Mffff800000005000,1:54");
    gdb_client_expect(c, "0", "qqemu.PhyMemMode");
    gdb_client_expect(c, "OK", "Qqemu.PhyMemMode:1");
    gdb_client_expect(c, "1", "qqemu.PhyMemMode");
    gdb_client_expect(c, "5468657265", "m21000,5");
    gdb_client_expect(c, E_FAULT, "mffff800000005000,5");
    gdb_client_expect(c, E_INVAL, "Qqemu.PhyMemMode:2");
    gdb_client_expect(c, E_INVAL, "Qqemu.PhyMemMode:");
    gdb_client_expect(c, E_INVAL, "Qqemu.PhyMemMode:11");
    gdb_client_expect(c, "OK", "Qqemu.PhyMemMode:0");
    gdb_client_expect(c, E_FAULT, "m21000,5");
}

START_TEST(test_paging)
{
    gdb_world_run(1, false, paging);
}
END_TEST

/* The other ways of paging, each over tables at 0x30000. */
static void page_sizes(GDBWorld *w, GDBClient *c)
{
    struct kvm_sregs *sregs = &w->fake.cpus[0].sregs;
    uint64_t *wide = (uint64_t *)(w->host + 0x30000);
    uint32_t *narrow = (uint32_t *)(w->host + 0x30000);

    strcpy((char *)w->host + 0x21000, "there");
    sregs->cr3 = 0x30000;
    sregs->cr0 |= 1u << 31;

    /* Five levels, then 1 GiB and 2 MiB pages. */
    sregs->cr4 = 1u << 5 | 1u << 12;
    sregs->efer = 0x500;
    wide[256] = 0x31003;
    wide[512 + 1] = 0x32003;
    wide[1024 + 2] = 0x83;
    wide[1024 + 3] = 0x33003;
    wide[1536 + 4] = 0x83;
    wide[1536 + 5] = 0x34003;
    wide[2048 + 6] = 0x8000000000021003;
    gdb_client_expect(c, "7468657265", "mff00008080021000,5");
    gdb_client_expect(c, "7468657265", "mff000080c0821000,5");
    gdb_client_expect(c, "7468657265", "mff000080c0a06000,5");
    gdb_client_expect(c, E_FAULT, "mff000080c0a07000,5");
    gdb_client_expect(c, E_FAULT, "mff000080c0c00000,5");
    gdb_client_expect(c, E_FAULT, "m7f00008080021000,5"); /* not canonical */

    /* Four levels. */
    sregs->cr3 = 0x31000;
    sregs->cr4 = 1u << 5;
    gdb_client_expect(c, "7468657265", "m8080021000,5");
    gdb_client_expect(c, E_FAULT, "mffff008080021000,5"); /* nor this one */

    /* PAE: 2 MiB and 4 KiB; the third level has no large pages. */
    sregs->efer = 0;
    sregs->cr3 = 0x32000;
    wide[1024 + 2] = 0x33001;
    gdb_client_expect(c, "7468657265", "m80821000,5");
    gdb_client_expect(c, "7468657265", "m80a06000,5");
    gdb_client_expect(c, E_FAULT, "m40000000,5");
    wide[1024 + 2] = 0x33081;
    gdb_client_expect(c, "7468657265", "m80821000,5");

    /* Two levels: 4 KiB; 4 MiB with PSE, above 4 GiB, too. */
    memset(narrow, 0, 0x5000);
    sregs->cr3 = 0x30000;
    sregs->cr4 = 0;
    narrow[1] = 0x83;
    narrow[2] = 0x31003;
    narrow[3] = 0x2083; /* bit 13: 4 GiB */
    narrow[1024 + 5] = 0x21003;
    gdb_client_expect(c, "7468657265", "m805000,5");
    gdb_client_expect(c, E_FAULT, "m806000,5");
    gdb_client_expect(c, E_FAULT, "m421000,5"); /* a table at 0, and none there */
    sregs->cr4 = 1u << 4;
    gdb_client_expect(c, "7468657265", "m421000,5");
    gdb_client_expect(c, E_FAULT, "mc21000,5");

    /* None: 32 bits count. */
    sregs->cr0 &= ~(1ull << 31);
    gdb_client_expect(c, "7468657265", "m100021000,5");
}

START_TEST(test_page_sizes)
{
    gdb_world_run(1, false, page_sizes);
}
END_TEST

/* ---- monitor commands ---------------------------------------------------------------- */

/* All that @command prints, in hex. */
static char *monitor_output(GDBClient *c, const char *command)
{
    GString *output = g_string_new(NULL);
    g_autoptr(GString) packet = g_string_new("qRcmd,");
    const char *answer;

    for (; *command; command++) {
        g_string_append_printf(packet, "%02x", (uint8_t)*command);
    }
    gdb_client_send(c, packet->str, packet->len);
    while ((answer = gdb_client_receive(c))[0] == 'O' && answer[1] != 'K') {
        g_string_append(output, answer + 1);
    }
    ck_assert_str_eq(answer, "OK");
    return g_string_free(output, FALSE);
}

static void monitor(GDBWorld *w, GDBClient *c)
{
    g_autofree char *status = monitor_output(c, "info status");
    g_autofree char *help = monitor_output(c, "help");
    g_autofree char *nothing = monitor_output(c, "");

    ck_assert_ptr_nonnull(strstr(status, "564d20737461747573")); /* VM status */
    ck_assert_uint_gt(strlen(help), 2 * 1024); /* more than one packet */
    ck_assert_str_eq(nothing, "");
    gdb_client_expect(c, E_INVAL, "qRcmd,5");
    gdb_client_expect(c, E_INVAL, "qRcmd,zz");
    gdb_client_expect(c, "OK", "QStartNoAckMode");
    c->no_ack = true;
    g_free(help);
    help = monitor_output(c, "help");
    ck_assert_uint_gt(strlen(help), 2 * 1024);
}

START_TEST(test_monitor)
{
    gdb_world_run(1, false, monitor);
}
END_TEST

/* ---- damage ---------------------------------------------------------------------------- */

static const char *const samples[] = {
    "?", "g", "p10", "P3=0102030405060708", "m1000,40", "M20000,4:01020304",
    "X20000,4:abcd", "Z0,1003,1", "z0,1003,1", "Z1,1005,1", "z1,1005,1",
    "Z2,8000,8", "z2,8000,8", "Z4,8000,2", "vCont?", "vCont;s:1",
    "vCont;c:2;s:1", "Hg1", "Hc-1", "T1", "qC", "qfThreadInfo", "qsThreadInfo",
    "qThreadExtraInfo,1", "qSupported:swbreak+;hwbreak+", "qAttached", "D",
    "qXfer:features:read:target.xml:0,ff", "qRcmd,696e666f20737461747573",
    "Qqemu.PhyMemMode:1", "qqemu.sstepbits", "Qqemu.sstep=1", "s", "c", "S05",
    "C05;1000", "\x03",
};

/* Ends the machine, as it should. */
static bool is_deadly(const GString *packet)
{
    return strstr(packet->str, "$k#") || strstr(packet->str, "vKill") ||
           strstr(packet->str, "$R") || strstr(packet->str, "qRcmd,");
}

static void damage(GString *packet, GRand *rand)
{
    unsigned n = g_rand_int_range(rand, 0, 4);

    while (n--) {
        unsigned at = g_rand_int_range(rand, 0, packet->len);

        switch (g_rand_int_range(rand, 0, 4)) {
        case 0:
            packet->str[at] = g_rand_int_range(rand, 0, 256);
            break;
        case 1:
            g_string_insert_c(packet, at, "0123456789abcdef,;:-$#}*"[
                g_rand_int_range(rand, 0, 24)]);
            break;
        case 2:
            g_string_erase(packet, at, packet->len > 1 ? 1 : 0);
            break;
        default:
            packet->str[at] = "0f,;:xZzm"[g_rand_int_range(rand, 0, 9)];
        }
    }
}

static void mutations(GDBWorld *w, GDBClient *c)
{
    uint64_t seed = test_number("FLATVIEW_SEED", 20);
    uint64_t count = test_number("FLATVIEW_MUTATIONS", 20000);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    uint64_t i;
    char sink[4096];

    snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64 ": ",
             seed);
    for (i = 0; i < count; i++) {
        g_autoptr(GString) packet = g_string_new(
            samples[g_rand_int_range(rand, 0, G_N_ELEMENTS(samples))]);
        uint8_t sum = 0;
        unsigned at;

        damage(packet, rand);
        for (at = 0; at < packet->len; at++) {
            sum += packet->str[at];
        }
        g_string_prepend_c(packet, '$');
        g_string_append_printf(packet, "#%02x", sum);
        if (g_rand_int_range(rand, 0, 10) == 0) {
            damage(packet, rand);
        }
        if (is_deadly(packet)) {
            continue;
        }
        gdb_client_raw(c, packet->str, packet->len);
        while (recv(c->fd, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
        }
        if (i % 1000 == 999) {
            gdb_world_reconnect(w, c);
        }
    }
    /* Whatever was set is forgotten, and the stub serves the next one. */
    gdb_world_reconnect(w, c);
    ck_assert_str_eq(gdb_client_ask(c, "?"), "T05thread:01;");
}

START_TEST(test_mutations)
{
    gdb_world_run(2, false, mutations);
}
END_TEST

/* ---- without an accelerator --------------------------------------------------------------- */

static void no_accelerator(GDBWorld *w, GDBClient *c)
{
    const char *answer = gdb_client_ask(c, "g");

    ck_assert_uint_eq(strlen(answer), 2 * registers_size());
    ck_assert(g_str_has_prefix(answer, "xxxxxxxxxxxxxxxx"));
    gdb_client_expect(c, "0000000000000000", "p10"); /* rip */
    gdb_client_expect(c, "xxxxxxxx", "p11");
    gdb_client_expect(c, "E05", "P0=0000000000000000");
    gdb_client_expect(c, "m01", "qfThreadInfo");
    gdb_client_expect(c, "9090", "m1000,2");
    gdb_client_expect(c, "OK", "Qqemu.PhyMemMode:1");
    gdb_client_expect(c, "OK", "M1000,2:0102");
    gdb_client_expect(c, "0102", "m1000,2");
    gdb_client_expect(c, "", "Z0,1000,1");
    gdb_client_expect(c, "", "Z1,1000,1");
    gdb_client_expect(c, "E13", "s");
    gdb_client_send(c, "c", 1);
    gdb_client_raw(c, "\x03", 1);
    ck_assert_str_eq(gdb_client_receive(c), "T02thread:01;");
}

START_TEST(test_no_accelerator)
{
    gdb_world_run_qtest(no_accelerator);
}
END_TEST

TEST_MAIN("gdb-protocol", test_framing, test_features, test_threads,
          test_registers, test_tags, test_selectors, test_memory, test_paging,
          test_page_sizes, test_monitor, test_mutations, test_no_accelerator)
