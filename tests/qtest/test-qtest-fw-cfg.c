/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware reads on the board pc: fw_cfg by its ports and by DMA, for many
 * command lines; and command lines that are refused.
 */
#include "tests/qtest/qvm.h"

#include <endian.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hw/acpi/piix4.h"
#include "hw/i386/pc-map.h"
#include "hw/nvram/fw_cfg.h"
#include "tests/device-util.h"

#define MIB (1024 * 1024ull)
#define GIB (1024 * MIB)
#define ERROR 1
#define READ 2
#define SELECT 8

#define REQUEST 0x8000
#define PAM_C0000 0x5a /* of the host bridge's configuration */

static QVM *vm;

static void select_key(uint16_t key)
{
    qvm_out(vm, FW_CFG_PORT, key, 2);
}

static uint64_t get(unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)qvm_in(vm, FW_CFG_PORT + 1, 1) << 8 * i;
    }
    return value;
}

static uint64_t item(uint16_t key, unsigned size)
{
    select_key(key);
    return get(size);
}

/* The control word in the end. */
static uint32_t dma(uint32_t control, uint32_t len, uint64_t addr)
{
    uint32_t words[4] = { htobe32(control), htobe32(len), htobe32(addr >> 32),
                          htobe32(addr) };

    qvm_write(vm, REQUEST, words, sizeof(words));
    qvm_out(vm, FW_CFG_DMA_PORT, 0, 4);
    qvm_out(vm, FW_CFG_DMA_PORT + 4, htobe32(REQUEST), 4);
    qvm_read(vm, REQUEST, words, 4);
    return be32toh(words[0]);
}

/* The key of a file; its size. 0: it is not there. The directory is sorted. */
static uint16_t file_key(const char *name, uint32_t *size)
{
    char entry[64], last[56] = "";
    uint16_t key = 0;
    uint32_t count;

    expect_hex(dma(FW_CFG_FILE_DIR << 16 | SELECT | READ, 4, 0x9000), 0);
    qvm_read(vm, 0x9000, &count, 4);
    count = be32toh(count);
    for (unsigned i = 0; i < count; i++) {
        expect_hex(dma(READ, sizeof(entry), 0x9000), 0);
        qvm_read(vm, 0x9000, entry, sizeof(entry));
        expect(strcmp(last, entry + 8) < 0, "%s is before %s", last, entry + 8);
        memcpy(last, entry + 8, sizeof(last));
        if (strcmp(entry + 8, name) == 0) {
            key = (uint8_t)entry[4] << 8 | (uint8_t)entry[5];
            memcpy(size, entry, 4);
            *size = be32toh(*size);
        }
    }
    return key;
}

/* The file, with a zero after it, to be freed; NULL: it is not there. */
static char *file(const char *name, uint32_t *size)
{
    uint16_t key = file_key(name, size);
    char *bytes;

    if (!key) {
        return NULL;
    }
    bytes = g_malloc0(*size + 1);
    expect_hex(dma((uint32_t)key << 16 | SELECT | READ, *size, 0x20000), 0);
    if (*size) {
        qvm_read(vm, 0x20000, bytes, *size);
    }
    return bytes;
}

static void expect_file(const char *name, const void *bytes, uint32_t len)
{
    uint32_t size = 0;
    g_autofree char *there = file(name, &size);

    expect(there, "no file '%s'", name);
    expect(size == len, "'%s' has %u bytes, not %u", name, size, len);
    expect(memcmp(there, bytes, len) == 0, "'%s' has something else", name);
}

static void expect_no_file(const char *name)
{
    uint32_t size;

    expect(file_key(name, &size) == 0, "there is '%s'", name);
}

/* ---- the machine ----------------------------------------------------------------------- */

START_TEST(identity)
{
    static const uint8_t uuid[16] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                                      0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

    vm = qvm_start("-M pc -m 64 -nodefaults -smp 3,cores=3 "
                   "-uuid 6BA7B810-9dad-11d1-80b4-00c04fd430c8");
    expect_hex(item(FW_CFG_SIGNATURE, 4), 0x554d4551);
    expect_hex(item(FW_CFG_ID, 4), 3);
    expect_hex(item(FW_CFG_RAM_SIZE, 8), 64 * MIB);
    expect_hex(item(FW_CFG_NB_CPUS, 2), 3);
    expect_hex(item(FW_CFG_MAX_CPUS, 2), 3);
    expect_hex(item(FW_CFG_IRQ0_OVERRIDE, 4), 1);
    select_key(FW_CFG_UUID);
    for (unsigned i = 0; i < sizeof(uuid); i++) {
        expect_hex(get(1), uuid[i]);
    }
    qvm_end(vm);
    /* APIC ids have gaps where a number is no power of two: 0 to 2, 4 to 6. */
    vm = qvm_start("-M pc -m 64 -nodefaults -smp 6,sockets=2,cores=3");
    expect_hex(item(FW_CFG_NB_CPUS, 2), 6);
    expect_hex(item(FW_CFG_MAX_CPUS, 2), 7);
    expect_hex(item(FW_CFG_UUID, 8), 0);
    qvm_end(vm);
}
END_TEST

static void expect_e820(const char *memory, unsigned nr, const uint64_t ranges[][3],
                        uint64_t reserved_end)
{
    uint8_t bytes[20 * 4];

    vm = qvm_start("-M pc -nodefaults -m %s", memory);
    for (unsigned i = 0; i < nr; i++) {
        uint32_t type = ranges[i][2];

        memcpy(bytes + 20 * i, ranges[i], 16);
        memcpy(bytes + 20 * i + 16, &type, 4);
    }
    expect_file("etc/e820", bytes, 20 * nr);
    expect_file("etc/reserved-memory-end", &reserved_end, 8);
    qvm_end(vm);
}

START_TEST(memory_map)
{
    static const uint64_t small[][3] = { { 0, 64 * MIB, 1 },
                                         { 0xfeffc000, 0x4000, 2 } };
    static const uint64_t big[][3] = { { 0, 3 * GIB, 1 }, { 0xfeffc000, 0x4000, 2 },
                                       { 4 * GIB, 3 * GIB / 2, 1 } };

    expect_e820("64", 2, small, 4 * GIB);
    expect_e820("4608", 3, big, 6 * GIB);
}
END_TEST

START_TEST(boot)
{
    vm = qvm_start("-M pc -m 64 -nodefaults");
    expect_hex(item(FW_CFG_BOOT_MENU, 2), 0);
    expect_file("bootorder", "", 0);
    expect_file("etc/boot-fail-wait", "\xff\xff\xff\xff", 4);
    expect_no_file("etc/boot-menu-wait");
    expect_file("etc/system-states", "\x80\0\0\x81\x82\x80", 6);
    qvm_end(vm);
    vm = qvm_start("-M pc -m 64 -nodefaults -global PIIX4_PM.disable_s3=1 "
                   "-global PIIX4_PM.s4_val=7");
    expect_file("etc/system-states", "\x80\0\0\1\x87\x80", 6);
    qvm_end(vm);
    vm = qvm_start("-M pc -m 64 -nodefaults -global PIIX4_PM.disable_s4=1");
    expect_file("etc/system-states", "\x80\0\0\x81\2\x80", 6);
    qvm_end(vm);
    vm = qvm_start("-M pc -m 64 -nodefaults -boot menu=on,strict=on,splash-time=3000,"
                   "reboot-timeout=1000");
    expect_hex(item(FW_CFG_BOOT_MENU, 2), 1);
    expect_file("bootorder", "", 0); /* nothing has a place: all is tried */
    expect_file("etc/boot-menu-wait", "\xb8\x0b", 2);
    expect_file("etc/boot-fail-wait", "\xe8\x03\0\0", 4);
    qvm_end(vm);
}
END_TEST

START_TEST(screen)
{
    static const char *const lines[] = { "", "-machine graphics=off" };

    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++) {
        vm = qvm_start("-M pc -m 64 -nodefaults -serial null %s", lines[i]);
        expect_file("etc/sercon-port", "\xf8\x03", 2);
        expect_hex(item(FW_CFG_NOGRAPHIC, 2), 1);
        qvm_end(vm);
    }
    vm = qvm_start("-M pc -m 64 -nodefaults -serial none -serial null");
    expect_no_file("etc/sercon-port");
    qvm_end(vm);
}
END_TEST

/* ---- users' files ------------------------------------------------------------------------- */

static char *user_file(const char *name, const void *bytes, size_t len)
{
    char *path = g_build_filename(test_folder(), name, NULL);

    expect(g_file_set_contents(path, bytes, len, NULL), "%s", path);
    return path;
}

START_TEST(option_roms)
{
    static const char order[] = "/rom@genroms/c.rom\n/rom@genroms/b.rom";
    g_autofree char *one = user_file("a.rom", "AAAA", 4);
    g_autofree char *two = user_file("b.rom", "BB", 2);
    g_autofree char *three = user_file("c.rom", "C", 1);

    vm = qvm_start("-M pc -m 64 -nodefaults -option-rom '%s' "
                   "-option-rom '%s',bootindex=3 -option-rom romfile='%s',bootindex=1",
                   one, two, three);
    expect_file("genroms/a.rom", "AAAA", 4);
    expect_file("genroms/b.rom", "BB", 2);
    expect_file("genroms/c.rom", "C", 1);
    expect_file("bootorder", order, sizeof(order));
    qvm_end(vm);
    vm = qvm_start("-M pc -m 64 -nodefaults -option-rom '%s',bootindex=0 "
                   "-boot strict=on", one);
    expect_file("bootorder", "/rom@genroms/a.rom\nHALT", 24);
    qvm_end(vm);
}
END_TEST

START_TEST(user_files)
{
    g_autofree char *path = user_file("blob", "\0\1\2\3", 4);
    g_autofree char *empty = user_file("empty", "", 0);
    g_autofree char *text = NULL;

    vm = qvm_start("-M pc -m 64 -nodefaults -fw_cfg name=opt/b,file='%s' "
                   "-fw_cfg name=opt/a,string=words -fw_cfg opt/e,string= "
                   "-fw_cfg name=opt/n,file='%s' -fw_cfg name=other,string=x", path,
                   empty);
    expect_file("opt/a", "words", 5); /* without a zero */
    expect_file("opt/b", "\0\1\2\3", 4);
    expect_file("opt/e", "", 0);
    expect_file("opt/n", "", 0);
    expect_file("other", "x", 1);
    text = qvm_errors(vm);
    expect(strstr(text, "warning: ") && strstr(text, "name=other") &&
           strstr(text, "opt/"), "%s", text);
    expect(!strstr(text, "name=opt/"), "%s", text);
    /* They are what they were, whatever is done to the file. */
    expect(g_file_set_contents(path, "", 0, NULL), "%s", path);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_file("opt/b", "\0\1\2\3", 4);
    qvm_end(vm);
}
END_TEST

START_TEST(user_errors)
{
    char name[58];

    memset(name, 'n', sizeof(name));
    memcpy(name, "opt/", 4);
    name[56] = 0;
    qvm_refused("longer than 55 bytes", "-fw_cfg name=%s,string=x", name);
    qvm_refused("'opt/a': there is a file of this name",
                "-fw_cfg name=opt/a,string=x -fw_cfg name=opt/a,string=y");
    qvm_refused("-fw_cfg: fw_cfg file 'etc/e820': there is a file of this name",
                "-fw_cfg name=etc/e820,string=x");
    qvm_refused("-fw_cfg: fw_cfg file 'etc/acpi/tables': there is a file of this name",
                "-fw_cfg name=etc/acpi/tables,string=x");
    qvm_refused("'/nonexistent': cannot be opened",
                "-fw_cfg name=opt/a,file=/nonexistent");
    qvm_refused("is not a regular file", "-fw_cfg name=opt/a,file=/dev/zero");
    qvm_refused("is not a regular file", "-fw_cfg name=opt/a,file=%s", test_folder());
    qvm_refused("package seabios", "-bios nowhere.bin");
    qvm_refused("'/nonexistent/x': cannot be opened", "-bios /nonexistent/x");
}
END_TEST

/* Less than the host would need: sanitizers need all of the address space. */
START_TEST(no_memory)
{
    g_autofree char *path = user_file("large", "", 0), *errors = NULL, *line = NULL;
    const char *sanitizers = g_getenv("SANITIZERS");
    int status = 0;

    if (sanitizers && *sanitizers) {
        return;
    }
    expect(truncate(path, 3 * GIB) == 0, "%s", path);
    line = g_strdup_printf("sh -c \"ulimit -v 3000000; exec '%s' -M pc -accel qtest "
                           "-display none -m 16 -fw_cfg name=opt/a,file='%s'\"",
                           g_getenv("FLATVIEW"), path);
    expect(g_spawn_command_line_sync(line, NULL, &errors, &status, NULL), "%s", line);
    expect(g_unlink(path) == 0, "%s", path);
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "0x%x: %s", status, errors);
    expect(strstr(errors, "-fw_cfg: file '") && strstr(errors, "no memory for its"), "%s",
           errors);
}
END_TEST

START_TEST(bios_by_name)
{
    g_autofree char *map = NULL;

    if (!g_file_test("/usr/share/seabios/bios.bin", G_FILE_TEST_EXISTS)) {
        return;
    }
    vm = qvm_start("-M pc -m 64 -nodefaults -bios bios.bin");
    map = qvm_hmp(vm, "info mtree -f");
    expect(strstr(map, "00000000fffe0000-00000000ffffffff (rom)"), "%s", map);
    qvm_end(vm);
}
END_TEST

/* ---- DMA and the map ------------------------------------------------------------------------ */

static void set_config_of(unsigned devfn, unsigned reg, uint8_t value)
{
    qvm_out(vm, 0xcf8, 0x80000000 | devfn << 8 | (reg & ~3), 4);
    qvm_out(vm, 0xcfc + (reg & 3), value, 1);
}

static void set_config(unsigned reg, uint8_t value)
{
    set_config_of(0, reg, value);
}

/* Into the memory below a ROM: where the chipset lets it, and nowhere else. */
START_TEST(dma_and_shadow)
{
    vm = qvm_start("-M pc -m 64 -nodefaults");
    expect_hex(dma(FW_CFG_SIGNATURE << 16 | SELECT | READ, 4, 0xc0000), ERROR);
    set_config(PAM_C0000, 0x33);
    expect_hex(dma(FW_CFG_SIGNATURE << 16 | SELECT | READ, 4, 0xc0000), 0);
    expect_hex(qvm_load(vm, 0xc0000, 4), 0x554d4551);
    set_config(PAM_C0000, 0x11);
    expect_hex(dma(FW_CFG_SIGNATURE << 16 | SELECT | READ, 4, 0xc0000), ERROR);
    /* The I/O APIC and its neighbours are no memory. */
    expect_hex(dma(FW_CFG_SIGNATURE << 16 | SELECT | READ, 4, 0xfec00000), ERROR);
    expect_hex(dma(FW_CFG_SIGNATURE << 16 | SELECT | READ, 4, 0xfed00000), ERROR);
    /* 4 GiB of zeros: up to the end of memory. */
    qvm_store(vm, 64 * MIB - 8, 0x1122334455667788, 8);
    qvm_store(vm, 2 * MIB - 8, 0x1122334455667788, 8);
    expect_hex(dma(0x3fff << 16 | SELECT | READ, UINT32_MAX, 2 * MIB), ERROR);
    expect_hex(qvm_load(vm, 64 * MIB - 8, 8), 0);
    expect_hex(qvm_load(vm, 2 * MIB - 8, 8), 0x1122334455667788);
    qvm_end(vm);
}
END_TEST

/* The port of the fixed registers in the FADT, and in its wide field. */
static void expect_fadt(uint16_t port)
{
    uint32_t size, at = 0, narrow;
    uint64_t wide;
    g_autofree char *tables = file("etc/acpi/tables", &size);

    while (at + 244 <= size && memcmp(tables + at, "FACP", 4) != 0) {
        at += 4;
    }
    expect(at + 244 <= size, "no FADT");
    memcpy(&narrow, tables + at + 56, 4);
    memcpy(&wide, tables + at + 148 + 4, 8);
    expect_hex(narrow, port);
    expect_hex(wide, port);
}

/* Firmware moves the fixed registers, then reads the tables; at a reset all is as it
 * was. */
START_TEST(tables_follow)
{
    vm = qvm_start("-M pc -m 64 -nodefaults");
    expect_fadt(PC_PM_PORT);
    set_config_of(PC_PIIX4_PM_DEVFN, PIIX4_PMBA + 1, 0xb0);
    expect_fadt(PC_PM_PORT); /* not there yet */
    set_config_of(PC_PIIX4_PM_DEVFN, PIIX4_PMREGMISC, 1);
    expect_fadt(0xb000);
    set_config_of(PC_PIIX4_PM_DEVFN, PIIX4_PMBA, 0x40);
    expect_fadt(0xb040);
    qvm_qmp_ok(vm, "{'execute': 'system_reset'}");
    g_free(qvm_event(vm, "RESET"));
    expect_fadt(PC_PM_PORT);
    qvm_end(vm);
}
END_TEST

START_TEST(without_dma)
{
    vm = qvm_start("-M pc -m 64 -nodefaults -global fw_cfg_io.dma_enabled=off");
    expect_hex(item(FW_CFG_ID, 4), 1);
    expect_hex(qvm_in(vm, FW_CFG_DMA_PORT, 4), 0xffffffff);
    qvm_end(vm);
}
END_TEST

TEST_MAIN("qtest-fw-cfg", identity, memory_map, boot, screen, option_roms, user_files, user_errors,
          no_memory, bios_by_name, dma_and_shadow, tables_follow, without_dma)
