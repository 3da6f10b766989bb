/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of microvm: well-formed, and what iasl reads in them is the
 * board's map.
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/acpi/pm.h"
#include "hw/i386/acpi.h"
#include "hw/i386/microvm-map.h"
#include "hw/i386/microvm.hex.h"
#include "target-i386/cpu.h"
#include "tests/test-util.h"

#define BASE 0xe0000

static GByteArray *block;

static uint64_t get(uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    expect(addr >= BASE && addr + size <= BASE + block->len,
           "0x%" PRIx64 " is outside the tables", addr);
    memcpy(&value, block->data + (addr - BASE), size);
    return value;
}

static unsigned sum(uint64_t addr, unsigned len)
{
    uint8_t total = 0;

    while (len--) {
        total += get(addr++, 1);
    }
    return total;
}

static void build(unsigned cpus, uint32_t devices)
{
    ACPIConfig config = { microvm_aml_code, cpus, devices,
                          MICROVM_ACPI_PM_PORT, NULL };

    block = acpi_build(&config, BASE);
}

/* Table @n that the XSDT names, after checking its header. */
static uint64_t table(unsigned n, const char *signature)
{
    uint64_t xsdt = get(BASE + 24, 8);
    uint64_t addr = get(xsdt + 36 + 8 * n, 8);
    uint32_t wanted = 0;

    memcpy(&wanted, signature, 4);
    expect_hex(get(addr, 4), wanted);
    expect_hex(sum(addr, get(addr + 4, 4)), 0);
    return addr;
}

START_TEST(root_pointer)
{
    build(1, 1);
    expect_hex(get(BASE, 8), 0x2052545020445352); /* "RSD PTR " */
    expect_hex(sum(BASE, 20), 0);
    expect_hex(sum(BASE, 36), 0);
    expect_hex(get(BASE + 15, 1), 2);
    expect_hex(get(BASE + 20, 4), 36);
    expect_hex(get(get(BASE + 24, 8), 4), 0x54445358); /* "XSDT" */
    expect_hex(get(get(BASE + 24, 8) + 4, 4), 36 + 2 * 8);
    expect_hex(sum(get(BASE + 24, 8), 36 + 2 * 8), 0);
    g_byte_array_free(block, TRUE);
}
END_TEST

START_TEST(fixed_table)
{
    uint64_t fadt;

    build(1, 1);
    fadt = table(0, "FACP");
    expect_hex(get(fadt + 4, 4), 276);
    expect_hex(get(fadt + 8, 1), 6);
    expect_hex(get(fadt + 40, 4), get(fadt + 140, 8));
    expect_hex(get(get(fadt + 140, 8), 4), 0x54445344); /* "DSDT" */
    /* Hardware-reduced, with a reset register. */
    expect_hex(get(fadt + 112, 4) & (1u << 20 | 1u << 10), 1u << 20 | 1u << 10);
    expect_hex(get(fadt + 116, 2), 0x0801); /* a byte of port space */
    expect_hex(get(fadt + 120, 8), MICROVM_ACPI_PM_PORT + ACPI_PM_RESET);
    expect_hex(get(fadt + 128, 1), ACPI_PM_RESET_VALUE);
    expect_hex(get(fadt + 248, 8),
               MICROVM_ACPI_PM_PORT + ACPI_PM_SLEEP_CONTROL);
    expect_hex(get(fadt + 260, 8), MICROVM_ACPI_PM_PORT + ACPI_PM_SLEEP_STATUS);
    g_byte_array_free(block, TRUE);
}
END_TEST

static void check_madt(unsigned cpus)
{
    uint64_t madt, at, end;
    unsigned seen = 0, ioapics = 0;

    build(cpus, 1);
    madt = table(1, "APIC");
    expect_hex(get(madt + 36, 4), X86_LAPIC_BASE);
    expect_hex(get(madt + 40, 4), 1);
    end = madt + get(madt + 4, 4);
    for (at = madt + 44; at < end; at += get(at + 1, 1)) {
        expect(get(at + 1, 1) >= 6, "an entry of %u bytes",
               (unsigned)get(at + 1, 1));
        switch (get(at, 1)) {
        case 0:
            expect_hex(get(at + 3, 1), seen);
            expect_hex(get(at + 4, 4), 1);
            seen++;
            break;
        case 1:
            expect_hex(get(at + 4, 4), X86_IOAPIC_BASE);
            expect_hex(get(at + 8, 4), 0);
            ioapics++;
            break;
        case 4:
            expect_hex(get(at + 2, 1), 0xff);
            break;
        default:
            expect(false, "an entry of type %u", (unsigned)get(at, 1));
        }
    }
    expect(at == end, "the last entry reaches beyond the table");
    expect(seen == cpus && ioapics == 1, "%u CPUs, %u IOAPICs", seen, ioapics);
    g_byte_array_free(block, TRUE);
}

START_TEST(interrupt_table)
{
    check_madt(1);
    check_madt(4);
    check_madt(64);
}
END_TEST

/* ---- through iasl ------------------------------------------------------------- */

/* What iasl makes of a table; it must have nothing to complain about. */
static char *disassemble(const char *dir, const char *name, uint64_t addr)
{
    g_autofree char *aml = g_strdup_printf("%s/%s.aml", dir, name);
    g_autofree char *dsl = g_strdup_printf("%s/%s.dsl", dir, name);
    const char *const down[] = { "iasl", "-d", aml, NULL };
    const char *const up[] = { "iasl", "-we", "-p", aml, dsl, NULL };
    g_autofree char *out = NULL;
    g_autofree char *errors = NULL;
    char *text = NULL;
    int status;

    expect(g_file_set_contents(aml, (char *)block->data + (addr - BASE),
                               get(addr + 4, 4), NULL), "no file %s", aml);
    expect(g_spawn_sync(NULL, (char **)down, NULL, G_SPAWN_SEARCH_PATH, NULL,
                        NULL, &out, &errors, &status, NULL) && status == 0,
           "iasl -d: %s%s", out, errors);
    expect(!strstr(errors, "Warning") && !strstr(errors, "Error") &&
               !strstr(errors, "Invalid"), "iasl -d %s: %s", name, errors);
    g_clear_pointer(&out, g_free);
    g_clear_pointer(&errors, g_free);
    /* And what it prints compiles again, warnings being errors. */
    expect(g_spawn_sync(NULL, (char **)up, NULL, G_SPAWN_SEARCH_PATH, NULL,
                        NULL, &out, &errors, &status, NULL) && status == 0,
           "iasl %s: %s%s", name, out, errors);
    expect(g_file_get_contents(dsl, &text, NULL, NULL), "no file %s", dsl);
    unlink(aml);
    unlink(dsl);
    return text;
}

/* The text of one device, to the start of the next. */
static char *device_text(const char *dsl, const char *name)
{
    g_autofree char *start = g_strdup_printf("Device (%s)", name);
    const char *at = strstr(dsl, start);
    const char *end;

    expect(at, "no %s in %s", start, dsl);
    end = strstr(at + 1, "Device (");
    return end ? g_strndup(at, end - at) : g_strdup(at);
}

static void expect_word(const char *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void expect_word(const char *text, const char *fmt, ...)
{
    g_autofree char *word = NULL;
    va_list ap;

    va_start(ap, fmt);
    word = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    expect(strstr(text, word), "no '%s' in %s", word, text);
}

START_TEST(disassembled)
{
    static const struct {
        const char *name, *id;
        unsigned ports[3];
        int irq;
    } devices[] = {
        { "PIC", "PNP0000", { 0x20, 0xa0, 0x4d0 }, 2 },
        { "PIT", "PNP0100", { 0x40 }, 0 },
        { "SPKR", "PNP0800", { 0x61 }, -1 },
        { "KBD", "PNP0303", { 0x60, 0x64 }, 1 },
        { "RTC", "PNP0B00", { 0x70 }, 8 },
        { "COM1", "PNP0501", { 0x3f8 }, 4 },
        { "COM2", "PNP0501", { 0x2f8 }, 3 },
        { "COM3", "PNP0501", { 0x3e8 }, 5 },
        { "COM4", "PNP0501", { 0x2e8 }, 7 },
        { "PMIO", "PNP0C02", { 0x600 }, -1 },
        { "PEVT", NULL, { 0x505 }, -1 },
        { "PWRB", "PNP0C0C", { 0 }, -1 },
    };
    g_autofree char *dir = g_dir_make_tmp("flatview-acpi-XXXXXX", NULL);
    g_autofree char *dsdt = NULL;
    unsigned i, n;

    build(4, MICROVM_HAS_COM1 | MICROVM_HAS_COM3);
    g_free(disassemble(dir, "facp", table(0, "FACP")));
    g_free(disassemble(dir, "apic", table(1, "APIC")));
    g_free(disassemble(dir, "xsdt", get(BASE + 24, 8)));
    dsdt = disassemble(dir, "dsdt", get(table(0, "FACP") + 140, 8));
    for (i = 0; i < G_N_ELEMENTS(devices); i++) {
        g_autofree char *text = device_text(dsdt, devices[i].name);

        if (devices[i].id) {
            expect_word(text, "EisaId (\"%s\")", devices[i].id);
        }
        for (n = 0; n < 3 && devices[i].ports[n]; n++) {
            expect_word(text, "0x%04X,             // Range Minimum",
                        devices[i].ports[n]);
        }
        if (devices[i].irq >= 0) {
            expect_word(text, "IRQNoFlags ()\n                    {%d}",
                        devices[i].irq);
        } else {
            expect(!strstr(text, "IRQ"), "an interrupt in %s", text);
        }
    }
    {
        g_autofree char *ged = device_text(dsdt, "GED");

        expect_word(ged, "Name (_HID, \"ACPI0013\"");
        expect_word(ged, "Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive");
        expect_word(ged, "0x%08X,", 9u);
        expect_word(ged, "OperationRegion (EVST, SystemIO, 0x%04X, One)", 0x603u);
        expect_word(ged, "Notify (PWRB, 0x80)");
    }
    expect_word(dsdt, "Name (_HID, \"QEMU0001\"");
    expect_word(dsdt, "Name (DEVS, 0x%08X)", 5u);
    expect_word(dsdt, "Name (_S5, Package (0x04)");
    g_byte_array_free(block, TRUE);
    rmdir(dir);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = { root_pointer, fixed_table, interrupt_table,
                                   disassembled };
    g_autofree char *iasl = g_find_program_in_path("iasl");

    if (!iasl) {
        printf("SKIP: no iasl (Debian package acpica-tools)\n");
        return 77;
    }
    return test_run("acpi", tests, G_N_ELEMENTS(tests));
}
