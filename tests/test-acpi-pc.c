/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the board pc: as files that a firmware of the test's own links by
 * the loader's commands, and as the board links them without one. Every table is
 * walked, taken apart by ACPICA's compiler, and its methods are run by ACPICA's
 * interpreter.
 */
#include <cpuid.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "hw/i386/pc-acpi.h"
#include "hw/i386/pc-map.h"
#include "target-i386/topology.h"
#include "tests/test-util.h"

#define MIB (1024 * 1024ull)
#define GIB (1024 * MIB)

static char *dir;
static Machine *machine;
static PCMachine *pc;
static GError *err;

/* ---- a machine ------------------------------------------------------------------ */

static void board_new(uint64_t ram_size)
{
    g_autofree char *bios = NULL;
    static const char zeros[65536];

    dir = g_dir_make_tmp("flatview-acpi-XXXXXX", NULL);
    bios = g_build_filename(dir, "bios", NULL);
    expect(g_file_set_contents(bios, zeros, sizeof(zeros), NULL), "no %s", bios);
    machine = machine_new(machine_type_find("pc", NULL));
    machine->ram_size = ram_size;
    machine->bios = g_strdup(bios);
    pc = (PCMachine *)machine;
}

static void board_prepare(void)
{
    expect(machine_init(machine, &err) && machine_prepare(machine, &err), "%s",
           err ? err->message : "?");
}

static void board_free(void)
{
    g_autofree char *bios = g_build_filename(dir, "bios", NULL);

    machine_free(machine);
    chardev_close_all();
    unlink(bios);
    rmdir(dir);
    g_free(dir);
}

/* ---- firmware -------------------------------------------------------------------- */

/* What is in the guest's memory, in pieces. */
typedef struct Piece {
    char name[56];
    uint64_t addr;
    size_t len;
    uint8_t *data;
} Piece;

static Piece pieces[4];
static unsigned pieces_nr;

static void forget_pieces(void)
{
    while (pieces_nr) {
        g_free(pieces[--pieces_nr].data);
    }
}

static Piece *piece_called(const uint8_t *name)
{
    expect(memchr(name, 0, 56), "a name without an end");
    for (unsigned i = 0; i < pieces_nr; i++) {
        if (strcmp(pieces[i].name, (const char *)name) == 0) {
            return &pieces[i];
        }
    }
    test_fail("'%s' is used before it is allocated", name);
}

static uint64_t number(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)p[i] << 8 * i;
    }
    return value;
}

static void expect_zeros(const uint8_t *p, unsigned from)
{
    for (; from < 128; from++) {
        expect(!p[from], "byte %u of a command is 0x%02x", from, p[from]);
    }
}

/* Command 1: FILE[56], alignment (4), zone (1). */
static void do_allocate(const uint8_t *p)
{
    Piece *piece = &pieces[pieces_nr];
    uint64_t align = number(p + 60, 4);
    const uint8_t *file;

    expect(pieces_nr < G_N_ELEMENTS(pieces), "too many files");
    expect(memchr(p + 4, 0, 56), "a name without an end");
    strcpy(piece->name, (const char *)p + 4);
    file = fw_cfg_get_file(pc->fw_cfg, piece->name, &piece->len);
    expect(file, "there is no file '%s'", piece->name);
    expect(align && (align & (align - 1)) == 0 && align <= 4096, "alignment %u",
           (unsigned)align);
    expect(p[64] == 1 || p[64] == 2, "zone %u", p[64]);
    /* As unaligned as it may be */
    piece->addr = p[64] == 2 ? 0xf5000 + align : 0x7ff0000 + align;
    piece->data = g_memdup2(file, piece->len);
    pieces_nr++;
    expect_zeros(p, 65);
}

/* Command 2: FILE[56] gets the address of another[56] added at an offset (4), of 1 to 8
 * bytes (1). */
static void do_pointer(const uint8_t *p)
{
    Piece *piece = piece_called(p + 4), *to = piece_called(p + 60);
    uint64_t offset = number(p + 116, 4), value;
    unsigned size = p[120];

    expect(size == 1 || size == 2 || size == 4 || size == 8, "%u bytes", size);
    expect(offset + size <= piece->len, "a pointer beyond '%s'", piece->name);
    value = number(piece->data + offset, size);
    expect(value < to->len, "it points beyond '%s'", to->name);
    value += to->addr;
    memcpy(piece->data + offset, &value, size);
    expect_zeros(p, 121);
}

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t total = 0;

    while (len--) {
        total += *p++;
    }
    return total;
}

/* Command 3: in FILE[56], at an offset (4), for what is at (4) with a length (4). */
static void do_checksum(const uint8_t *p)
{
    Piece *piece = piece_called(p + 4);
    uint64_t offset = number(p + 60, 4), start = number(p + 64, 4);
    uint64_t len = number(p + 68, 4);

    expect(start + len <= piece->len && offset >= start && offset < start + len,
           "a checksum beyond '%s'", piece->name);
    piece->data[offset] -= sum(piece->data + start, len);
    expect_zeros(p, 72);
}

static void link_as_firmware(void)
{
    size_t len;
    const uint8_t *script = fw_cfg_get_file(pc->fw_cfg, "etc/table-loader", &len);

    expect(script && len % 128 == 0, "a script of %zu bytes", len);
    for (; len; len -= 128, script += 128) {
        switch (number(script, 4)) {
        case 1:
            do_allocate(script);
            break;
        case 2:
            do_pointer(script);
            break;
        case 3:
            do_checksum(script);
            break;
        default:
            test_fail("command %u", (unsigned)number(script, 4));
        }
    }
}

static void link_as_board(uint32_t base)
{
    ACPIFiles files;
    GByteArray *block;

    pc_acpi_build(pc, &files);
    block = acpi_files_link(&files, base);
    acpi_files_clear(&files);
    pieces[0] = (Piece){ "", base, block->len, g_byte_array_free(block, FALSE) };
    pieces_nr = 1;
}

/* ---- a guest -------------------------------------------------------------------- */

static const uint8_t *at(uint64_t addr, size_t len)
{
    for (unsigned i = 0; i < pieces_nr; i++) {
        if (addr >= pieces[i].addr && addr + len <= pieces[i].addr + pieces[i].len) {
            return pieces[i].data + (addr - pieces[i].addr);
        }
    }
    test_fail("nothing is at 0x%" PRIx64, addr);
}

#define get(addr, size) number(at(addr, size), size)

static uint64_t find_rsdp(void)
{
    uint64_t found = 0;

    for (unsigned i = 0; i < pieces_nr; i++) {
        for (uint64_t n = -pieces[i].addr & 15; n + 20 <= pieces[i].len; n += 16) {
            if (memcmp(pieces[i].data + n, "RSD PTR ", 8) == 0) {
                expect(!found, "two root pointers");
                found = pieces[i].addr + n;
            }
        }
    }
    expect(found >= 0xe0000 && found < 0x100000, "no root pointer is to be found");
    expect_hex(sum(at(found, 20), 20), 0);
    expect_hex(get(found + 15, 1), 0);
    return found;
}

/* A table with a header. */
static uint64_t check_table(uint64_t addr, const char *signature)
{
    size_t len = get(addr + 4, 4);

    expect(memcmp(at(addr, 4), signature, 4) == 0, "no %s", signature);
    expect(len >= 36, "a table of %zu bytes", len);
    expect_hex(sum(at(addr, len), len), 0);
    expect(memcmp(at(addr + 10, 6), "FLATVW", 6) == 0, "whose is it?");
    return addr;
}

/* The table that the RSDT names; 0: it names none. */
static uint64_t table(const char *signature)
{
    uint64_t rsdt = check_table(get(find_rsdp() + 16, 4), "RSDT"), found = 0;

    for (size_t n = 36; n < get(rsdt + 4, 4); n += 4) {
        uint64_t addr = get(rsdt + n, 4);

        if (memcmp(at(addr, 4), signature, 4) == 0) {
            expect(!found, "two %s", signature);
            found = check_table(addr, signature);
        }
    }
    return found;
}

static uint64_t dsdt(void)
{
    return check_table(get(table("FACP") + 40, 4), "DSDT");
}

/* ---- tables, linked in both ways --------------------------------------------------- */

static void check_fadt(bool i8042)
{
    static const struct {
        unsigned offset, size;
        uint64_t value;
    } fields[] = {
        { 4, 4, 244 }, { 8, 1, 3 }, { 46, 2, 9 }, { 48, 4, 0xb2 }, { 52, 1, 0xf1 },
        { 53, 1, 0xf0 }, { 56, 4, 0x600 }, { 60, 4, 0 }, { 64, 4, 0x604 },
        { 76, 4, 0x608 }, { 80, 4, 0xafe0 }, { 84, 4, 0 }, { 88, 1, 4 }, { 89, 1, 2 },
        { 91, 1, 4 }, { 92, 1, 4 }, { 93, 1, 0 }, { 96, 2, 0xfff }, { 98, 2, 0xfff },
        { 108, 1, 0x32 }, { 116, 4, 0x01000801 }, { 120, 8, 0xcf9 }, { 128, 1, 6 },
        /* The same as addresses: port space, bits, width of access */
        { 148, 4, 0x03002001 }, { 152, 8, 0x600 }, { 160, 4, 0 }, { 164, 8, 0 },
        { 172, 4, 0x02001001 }, { 176, 8, 0x604 }, { 208, 4, 0x03002001 },
        { 212, 8, 0x608 }, { 220, 4, 0x03002001 }, { 224, 8, 0xafe0 },
    };
    uint64_t fadt = table("FACP"), facs = get(fadt + 36, 4);

    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        uint64_t value = get(fadt + fields[i].offset, fields[i].size);

        expect(value == fields[i].value, "at %u: 0x%" PRIx64 ", not 0x%" PRIx64,
               fields[i].offset, value, fields[i].value);
    }
    expect_hex(get(fadt + 109, 2), i8042 ? 3 : 1);
    /* Fixed power button, no sleep button, a reset register, a timer of 24 bits */
    expect_hex(get(fadt + 112, 4) & 0x0010053f, 0x425);
    expect_hex(get(fadt + 140, 8), get(fadt + 40, 4));
    expect(facs % 64 == 0 && memcmp(at(facs, 4), "FACS", 4) == 0, "FACS at 0x%x",
           (unsigned)facs);
    expect_hex(get(facs + 4, 4), 64);
}

static void check_madt(void)
{
    static const uint8_t overrides[][4] = { { 0, 2, 0 }, { 5, 5, 13 }, { 9, 9, 13 },
                                            { 10, 10, 13 }, { 11, 11, 13 } };
    uint64_t madt = table("APIC"), end = madt + get(madt + 4, 4), p;
    unsigned cpus = 0, ioapics = 0, nmis = 0, routes = 0;

    expect_hex(get(madt + 36, 4), 0xfee00000);
    expect_hex(get(madt + 40, 4), 1);
    for (p = madt + 44; p < end; p += get(p + 1, 1)) {
        switch (get(p, 1)) {
        case 0:
            expect_hex(get(p + 1, 1), 8);
            expect_hex(get(p + 2, 1), cpus);
            expect_hex(get(p + 3, 1), x86_apic_id(&machine->topology, cpus));
            expect_hex(get(p + 4, 4), 1);
            cpus++;
            break;
        case 1:
            expect_hex(get(p + 1, 1), 12);
            expect_hex(get(p + 4, 4), PC_IOAPIC_BASE);
            expect_hex(get(p + 8, 4), 0);
            ioapics++;
            break;
        case 2:
            expect(routes < G_N_ELEMENTS(overrides), "too many overrides");
            expect_hex(get(p + 1, 1), 10);
            expect_hex(get(p + 2, 1), 0);
            expect_hex(get(p + 3, 1), overrides[routes][0]);
            expect_hex(get(p + 4, 4), overrides[routes][1]);
            expect_hex(get(p + 8, 2), overrides[routes][2]);
            routes++;
            break;
        case 4:
            expect_hex(get(p, 6), 0x010000ff0604);
            nmis++;
            break;
        default:
            test_fail("an entry of type %u", (unsigned)get(p, 1));
        }
    }
    expect(p == end, "the last entry reaches beyond the table");
    expect(cpus == machine->cpus && ioapics == 1 && nmis == 1 && routes == 5,
           "%u CPUs, %u, %u, %u", cpus, ioapics, nmis, routes);
}

static void check_others(bool hpet)
{
    uint64_t addr = table("HPET");

    expect(!addr == !hpet, "HPET: %d", !!addr);
    if (hpet) {
        expect_hex(get(addr + 4, 4), 56);
        expect_hex(get(addr + 36, 4), 0x8086a201);
        expect_hex(get(addr + 40, 4), 0);
        expect_hex(get(addr + 44, 8), PC_HPET_BASE);
        expect_hex(get(addr + 52, 4), 0);
    }
    addr = table("WAET");
    expect_hex(get(addr + 4, 4), 40);
    expect_hex(get(addr + 36, 4), 2);
}

static void check_all(bool hpet, bool i8042)
{
    check_fadt(i8042);
    check_madt();
    check_others(hpet);
    dsdt();
    table("SSDT");
}

START_TEST(linked)
{
    static const struct {
        unsigned sockets, cores, threads;
    } cpus[] = { { 1, 1, 1 }, { 1, 2, 1 }, { 2, 3, 2 }, { 7, 5, 3 }, { 254, 1, 1 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(cpus); i++) {
        bool small = i % 2;

        board_new(64 * MIB);
        machine->topology = (CPUTopology){ .sockets = cpus[i].sockets, .dies = 1,
                                           .cores = cpus[i].cores,
                                           .threads = cpus[i].threads };
        machine->cpus = cpus[i].sockets * cpus[i].cores * cpus[i].threads;
        if (small) {
            expect(machine_set(machine, "hpet", "off", &err) &&
                   machine_set(machine, "i8042", "off", &err), "%s", err->message);
        }
        board_prepare();
        link_as_firmware();
        expect(pieces_nr == 2, "%u files", pieces_nr);
        check_all(!small, !small);
        forget_pieces();
        for (uint32_t base = 0xe0000; base < 0xe0200; base += 0x40) {
            link_as_board(base);
            expect_hex(find_rsdp(), base);
            check_all(!small, !small);
            expect(pieces[0].len <= PC_SMBIOS_ADDR - 0xe0000, "%zu bytes",
                   pieces[0].len);
            forget_pieces();
        }
        board_free();
    }
}
END_TEST

START_TEST(without)
{
    size_t len;

    board_new(64 * MIB);
    expect(machine_set(machine, "acpi", "off", &err), "%s", err->message);
    board_prepare();
    expect(!fw_cfg_get_file(pc->fw_cfg, "etc/table-loader", &len) &&
           !fw_cfg_get_file(pc->fw_cfg, "etc/acpi/rsdp", &len) &&
           !fw_cfg_get_file(pc->fw_cfg, "etc/acpi/tables", &len), "tables");
    board_free();
}
END_TEST

/* ---- ACPICA ------------------------------------------------------------------------- */

static char *write_table(const char *name, uint64_t addr)
{
    g_autofree char *file = g_strconcat(name, ".aml", NULL);
    char *path = g_build_filename(dir, file, NULL);
    size_t len = get(addr + 4, 4);

    expect(g_file_set_contents(path, (const char *)at(addr, len), len, NULL),
           "no file %s", path);
    return path;
}

static void run_iasl(const char *const *args)
{
    g_autofree char *out = NULL, *errors = NULL;
    int status;

    expect(g_spawn_sync(NULL, (char **)args, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                        &out, &errors, &status, NULL) && status == 0,
           "%s %s: %s%s", args[0], args[1], out, errors);
    expect(!strstr(errors, "Warning") && !strstr(errors, "Error") &&
               !strstr(errors, "Invalid"), "%s %s: %s", args[0], args[1], errors);
}

/* What iasl makes of a table compiles again, warnings being errors. It is told of the
 * methods in the DSDT that others call. */
static char *disassemble(const char *name, uint64_t addr)
{
    g_autofree char *aml = write_table(name, addr);
    g_autofree char *dsl = g_strdup_printf("%s/%s.dsl", dir, name);
    g_autofree char *methods = write_table("methods", dsdt());
    char *text = NULL;

    if (strcmp(name, "ssdt") != 0) {
        run_iasl((const char *const[]){ "iasl", "-d", aml, NULL });
    } else {
        run_iasl((const char *const[]){ "iasl", "-e", methods, "-d", aml, NULL });
    }
    unlink(methods);
    run_iasl((const char *const[]){ "iasl", "-we", "-p", aml, dsl, NULL });
    expect(g_file_get_contents(dsl, &text, NULL, NULL), "no file %s", dsl);
    unlink(aml);
    unlink(dsl);
    return text;
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (; (text = strstr(text, word)); text++) {
        n++;
    }
    return n;
}

/* The length of AML's package at @addr. */
static uint64_t package_length(uint64_t addr)
{
    unsigned lead = get(addr, 1), more = lead >> 6;

    return more ? (lead & 15) | get(addr + 1, more) << 4 : lead;
}

/* Sleep states of the root and then scopes follow each other, to the end of the table. */
static void check_scopes(uint64_t addr)
{
    uint64_t end = addr + get(addr + 4, 4);

    for (addr += 36; get(addr, 1) == 0x08; addr += 1 + package_length(addr + 1)) {
        addr += 6;
        expect_hex(get(addr, 1), 0x12);
    }
    for (; addr < end; addr += 1 + package_length(addr + 1)) {
        expect_hex(get(addr, 1), 0x10);
    }
    expect(addr == end, "a scope reaches beyond the table");
}

START_TEST(taken_apart)
{
    static const unsigned cpus[] = { 1, 4, 5, 150, 170, 190, 254 };

    for (unsigned i = 0; i < G_N_ELEMENTS(cpus); i++) {
        g_autofree char *text = NULL, *last = NULL, *ssdt = NULL;

        board_new(64 * MIB);
        machine->cpus = cpus[i];
        board_prepare();
        link_as_firmware();
        ssdt = disassemble("ssdt", table("SSDT"));
        expect(count(ssdt, "\"ACPI0007\"") == cpus[i], "%u processors of %u",
               count(ssdt, "\"ACPI0007\""), cpus[i]);
        last = g_strdup_printf("Device (C%03X)", cpus[i] - 1);
        expect(strstr(ssdt, last), "no %s", last);
        expect(strstr(ssdt, "Scope (\\_SB)"), "where are they?");
        expect(count(ssdt, "Method (_E01") == 1, "no event");
        check_scopes(table("SSDT"));
        if (i == 0) {
            g_free(disassemble("facp", table("FACP")));
            g_free(disassemble("apic", table("APIC")));
            g_free(disassemble("hpet", table("HPET")));
            g_free(disassemble("waet", table("WAET")));
            g_free(disassemble("facs", get(table("FACP") + 36, 4)));
            g_free(disassemble("rsdt", get(find_rsdp() + 16, 4)));
            text = disassemble("dsdt", dsdt());
            expect(count(text, "Method (_EJ0") == 30, "%u slots",
                   count(text, "Method (_EJ0"));
            expect(count(text, "Name (_SUN") == 30, "%u numbers",
                   count(text, "Name (_SUN"));
            expect(count(text, "Notify (") == 30, "%u notifications",
                   count(text, "Notify ("));
            expect(strstr(text, "Name (_S5, Package (0x04)"), "no soft off");
        }
        forget_pieces();
        board_free();
    }
}
END_TEST

/* Which there are, and what is written for them, is as the chipset is told. */
START_TEST(sleep_states)
{
    static const struct {
        const char *globals[3];    /* the last of each counts; NULL: no more */
        const char *to_ram, *to_disk; /* NULL: is not there */
    } cases[] = {
        { { NULL }, "0x01", "0x02" },
        { { "disable_s3=1" }, NULL, "0x02" },
        { { "disable_s3=0", "disable_s4=1" }, "0x01", NULL },
        { { "disable_s4=0", "s4_val=6" }, "0x01", "0x06" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;

        for (unsigned n = 0; cases[i].globals[n]; n++) {
            g_autofree char *global = g_strdup_printf("PIIX4_PM.%s",
                                                      cases[i].globals[n]);

            expect(device_add_global(global, &err), "refused");
        }
        board_new(64 * MIB);
        board_prepare();
        link_as_firmware();
        text = disassemble("ssdt", table("SSDT"));
        for (unsigned state = 3; state <= 4; state++) {
            const char *type = state == 3 ? cases[i].to_ram : cases[i].to_disk;
            g_autofree char *name = g_strdup_printf("Name (\\_S%u, Package (0x04)",
                                                    state);
            const char *at = strstr(text, name), *next;

            expect(!at == !type, "%s: %s", name, text);
            for (unsigned n = 0; type && n < 2; n++) {
                next = strstr(at + 1, type);
                expect(next && next < strchr(at, '}'), "not %s: %s", type, at);
                at = next;
            }
        }
        check_scopes(table("SSDT"));
        expect(!(get(table("FACP") + 112, 4) & ACPI_FADT_NO_FIX_RTC),
               "the clock wakes nobody");
        forget_pieces();
        board_free();
    }
}
END_TEST

/* What ACPICA's interpreter says to evaluating @object. */
static char *evaluate(const char *object)
{
    g_autofree char *aml = write_table("run", dsdt());
    g_autofree char *ssdt = write_table("run-ssdt", table("SSDT"));
    g_autofree char *command = g_strdup_printf(strchr(object, ' ') ? "%s" : "execute %s",
                                               object);
    g_autofree char *errors = NULL, *out = NULL;
    const char *const args[] = { "acpiexec", "-b", command, aml, ssdt, NULL };
    char *result;
    int status;

    expect(g_spawn_sync(NULL, (char **)args, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                        &out, &errors, &status, NULL), "acpiexec does not start");
    unlink(aml);
    unlink(ssdt);
    expect(!strstr(out, "Warning") && !strstr(out, "Error"), "%s: %s", object, out);
    result = strstr(out, "valuation of \\"); /* also where nothing is returned */
    expect(result, "%s: %s%s", object, out, errors);
    return g_strdup(result);
}

/* The bytes of the buffer that it returns. */
static GByteArray *evaluate_buffer(const char *object)
{
    g_autofree char *text = evaluate(object);
    GByteArray *bytes = g_byte_array_new();
    const char *p = strstr(text, "[Buffer]");

    expect(p, "%s: no buffer: %s", object, text);
    while ((p = strstr(p, ": "))) {
        for (p += 2; g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1]) && p[2] == ' ';
             p += 3) {
            uint8_t byte = g_ascii_xdigit_value(p[0]) << 4 |
                           g_ascii_xdigit_value(p[1]);

            g_byte_array_append(bytes, &byte, 1);
        }
    }
    return bytes;
}

/* A range among the resources: descriptor, kind, then size, minimum and maximum. */
static bool has_range(const GByteArray *r, uint8_t tag, uint8_t kind, unsigned width,
                      uint64_t min, uint64_t max)
{
    for (unsigned i = 0; i + 6 + 5 * width <= r->len;) {
        const uint8_t *p = r->data + i;
        unsigned len = p[0] & 0x80 ? 3u + number(p + 1, 2) : 1u + (p[0] & 7);

        if (p[0] == tag && p[3] == kind && number(p + 6 + width, width) == min) {
            expect_hex(number(p + 6 + 2 * width, width), max);
            expect_hex(number(p + 6 + 4 * width, width), max - min + 1);
            return true;
        }
        i += len;
    }
    return false;
}

static unsigned address_bits(void)
{
    unsigned eax, ebx, ecx, edx;

    expect(__get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx), "an old processor");
    return eax & 0xff;
}

START_TEST(windows)
{
    static const struct {
        uint64_t ram, low, high;
    } cases[] = {
        { 1 * MIB, 1 * MIB, 4 * GIB },
        { 128 * MIB, 128 * MIB, 4 * GIB },
        { 3584 * MIB - 4096, 3584 * MIB - 4096, 4 * GIB },
        { 4 * GIB, 3 * GIB, 5 * GIB },
        { 5 * GIB + 4096, 3 * GIB, 7 * GIB },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) crs = NULL;

        board_new(cases[i].ram);
        board_prepare();
        link_as_firmware();
        crs = evaluate_buffer("\\_SB.PCI0._CRS");
        expect(has_range(crs, 0x88, 2, 2, 0, 255), "no buses");
        expect(has_range(crs, 0x88, 1, 2, 0, 0xcf7), "no ports");
        expect(has_range(crs, 0x88, 1, 2, 0xd00, 0xffff), "no ports");
        expect(has_range(crs, 0x87, 0, 4, 0xa0000, 0xbffff), "no VGA");
        expect(has_range(crs, 0x87, 0, 4, cases[i].low, 0xfebfffff), "no hole");
        expect(has_range(crs, 0x8a, 0, 8, cases[i].high, (1ull << address_bits()) - 1),
               "no wide hole");
        forget_pieces();
        board_free();
    }
}
END_TEST

/* The number that iasl writes at *@text, which goes past it. */
static unsigned dsl_number(const char **text)
{
    static const char *const words[] = { "Zero", "One" };
    char *end;
    unsigned value;

    *text += strspn(*text, " \n\r,{");
    for (value = 0; value < G_N_ELEMENTS(words); value++) {
        if (g_str_has_prefix(*text, words[value])) {
            *text += strlen(words[value]);
            return value;
        }
    }
    value = strtoul(*text, &end, 0);
    expect(end != *text, "no number: %.20s", *text);
    *text = end;
    return value;
}

START_TEST(interrupts)
{
    static const char *const links[] = { "LNKA", "LNKB", "LNKC", "LNKD" };
    g_autofree char *text = NULL;
    const char *p;

    board_new(64 * MIB);
    board_prepare();
    link_as_firmware();
    text = disassemble("dsdt", dsdt());
    p = strstr(text, "Name (_PRT, Package (0x80)");
    expect(p, "no 128 routes");
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            const char *link = slot == 1 && pin == 0 ? "LNKS"
                                                     : links[(slot + pin + 3) % 4];

            p = strstr(p, "Package (0x04)");
            expect(p, "slot %u pin %u is not there", slot, pin);
            p = strchr(p, '{');
            expect_hex(dsl_number(&p), slot << 16 | 0xffff);
            expect_hex(dsl_number(&p), pin);
            p += strspn(p, " \n\r,");
            expect(g_str_has_prefix(p, link), "slot %u pin %u: %.4s", slot, pin, p);
            p += 4;
            expect_hex(dsl_number(&p), 0);
        }
    }
    forget_pieces();
    board_free();
}
END_TEST

/* Methods that the interpreter can run without the hardware: what absent devices say,
 * and what happens to an event. */
START_TEST(methods)
{
    static const struct {
        const char *object;
        bool there;
    } cases[] = {
        { "\\_SB.PCI0.ISA.COM1._STA", true }, { "\\_SB.PCI0.ISA.COM2._STA", false },
        { "\\_SB.PCI0.ISA.COM3._STA", true }, { "\\_SB.PCI0.ISA.COM4._STA", false },
        { "\\_SB.PCI0.ISA.KBD._STA", true }, { "\\_SB.PCI0.ISA.MOU._STA", true },
        { "\\_SB.PCI0.ISA.PEVT._STA", true }, { "\\_SB.HPET._STA", true },
    };

    board_new(64 * MIB);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *id = g_strdup_printf("s%u", i);

        g_ptr_array_add(machine->serials, i == 1 ? NULL
                                                 : chardev_open(id, "null", NULL));
    }
    expect(machine_init(machine, &err) &&
           machine_plug(machine, "pvpanic", &err) &&
           machine_prepare(machine, &err), "%s", err ? err->message : "?");
    link_as_firmware();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = evaluate(cases[i].object);

        expect(strstr(text, cases[i].there ? "= 000000000000000F"
                                           : "= 0000000000000000"),
               "%s: %s", cases[i].object, text);
    }
    forget_pieces();
    board_free();

    board_new(64 * MIB);
    expect(machine_set(machine, "hpet", "off", &err) &&
           machine_set(machine, "i8042", "off", &err), "%s", err->message);
    board_prepare();
    link_as_firmware();
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = evaluate(cases[i].object);

        expect(strstr(text, "= 0000000000000000"), "%s: %s", cases[i].object, text);
    }
    forget_pieces();
    board_free();
}
END_TEST

/* A board with hot plug behind bridges at any depth, more of them than it serves. */
static void board_with_bridges(void)
{
    static const char *const bridges[] = {
        "pci-bridge,id=b1,chassis_nr=1,addr=5",
        "pci-bridge,id=b2,chassis_nr=1,addr=1f,bus=b1",
        "pci-bridge,id=b3,chassis_nr=1,addr=3.2,bus=b2",
        "pci-bridge,id=b4,chassis_nr=1,addr=1.7",
    };

    board_new(64 * MIB);
    expect(machine_init(machine, &err), "%s", err ? err->message : "?");
    for (unsigned i = 0; i < G_N_ELEMENTS(bridges); i++) {
        expect(machine_plug(machine, bridges[i], &err), "%s", err->message);
    }
}

START_TEST(behind_bridges)
{
    static const char *const paths[] = {
        "Scope (\\_SB.PCI0.F00F)", "Scope (\\_SB.PCI0.S005)",
        "Scope (\\_SB.PCI0.S005.S01F)", "Scope (\\_SB.PCI0.S005.S01F.F01A)",
    };
    g_autofree char *text = NULL;

    board_with_bridges();
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
    link_as_firmware();
    text = disassemble("ssdt", table("SSDT"));
    for (unsigned i = 0; i < G_N_ELEMENTS(paths); i++) {
        expect(strstr(text, paths[i]), "no %s", paths[i]);
    }
    expect(count(text, "Name (_ADR, 0x00010007)") == 1, "where is 1.7?");
    expect(count(text, "Name (_ADR, 0x00030002)") == 1, "where is 3.2?");
    expect(count(text, "Name (_ADR, 0x001F0000)") == 4, "slots");
    expect(count(text, "Method (_EJ0") == 4 * 32, "slots");
    expect(count(text, "Notify (") == 4 * 32, "notifications");
    for (unsigned bus = 1; bus <= 4; bus++) {
        for (unsigned slot = 0; slot < 32; slot++) {
            g_autofree char *name = g_strdup_printf("Name (_SUN, 0x%04X)",
                                                    bus * 32 + slot);

            expect(count(text, name) == 1, "no %s", name);
        }
        for (unsigned slot = 2; slot < 32; slot++) {
            g_autofree char *give = g_strdup_printf("GIVE (0x%02X, 0x%02X)", bus, slot);

            expect(count(text, give) == 1, "no %s", give);
        }
    }
    /* What is called is there: the interpreter finds nothing that is not. */
    g_free(evaluate("\\_GPE._E01"));
    g_free(evaluate("execute \\_SB.PCI0.S005.S01F.F01A.S01F._EJ0 1"));
    g_free(evaluate("execute \\_SB.PCI0.S005.S01F.ALL 0xffffffff 1"));
    forget_pieces();
    board_free();
}
END_TEST

/* With as many processors and bridges as there can be, a start without firmware has
 * room for the tables. */
START_TEST(room)
{
    g_autofree char *text = NULL;

    board_with_bridges();
    for (unsigned i = 6; i < 32; i++) {
        g_autofree char *bridge = g_strdup_printf("pci-bridge,chassis_nr=1,bus=b3,"
                                                  "addr=%x", i);

        expect(machine_plug(machine, bridge, &err), "%s", err->message);
    }
    machine->cpus = 254;
    expect(machine_prepare(machine, &err), "%s", err ? err->message : "?");
    link_as_firmware();
    text = disassemble("ssdt", table("SSDT"));
    expect(count(text, "Method (_EJ0") == 15 * 32, "%u", count(text, "Method (_EJ0"));
    expect(count(text, "_SUN, 0x01FF)") == 1, "not the last bus");
    forget_pieces();
    link_as_board(0xe0000);
    expect(pieces[0].len <= PC_SMBIOS_ADDR - 0xe0000, "%zu bytes", pieces[0].len);
    forget_pieces();
    board_free();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { linked, without, taken_apart, sleep_states, windows,
                                   interrupts, methods, behind_bridges, room };
    g_autofree char *iasl = g_find_program_in_path("iasl");
    g_autofree char *acpiexec = g_find_program_in_path("acpiexec");

    if (!iasl || !acpiexec) {
        printf("SKIP: no iasl and acpiexec (Debian package acpica-tools)\n");
        return 77;
    }
    return test_run("acpi-pc", tests, G_N_ELEMENTS(tests));
}
