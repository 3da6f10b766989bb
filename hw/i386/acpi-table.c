/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of ACPI tables that boards share: see acpi-table.h.
 */
#include "hw/i386/acpi-table.h"

#include <assert.h>
#include <string.h>

#include "target-i386/cpu.h"

#define CREATOR_ID "FLTV"
#define GAS_SYSTEM_IO 1

/* MADT */
#define MADT_PCAT_COMPAT 1
#define MADT_LAPIC 0
#define MADT_IOAPIC 1
#define MADT_OVERRIDE 2
#define MADT_LAPIC_NMI 4
#define MADT_LAPIC_ENABLED 1
#define MADT_ISA 0
#define ALL_CPUS 0xff

G_STATIC_ASSERT(sizeof(ACPIRSDP) == 36);
G_STATIC_ASSERT(sizeof(ACPIFADT) == 276);
G_STATIC_ASSERT(offsetof(ACPIFADT, pm1a_evt_blk) == 56);
G_STATIC_ASSERT(offsetof(ACPIFADT, century) == 108);
G_STATIC_ASSERT(offsetof(ACPIFADT, x_pm1a_evt_blk) == 148);
G_STATIC_ASSERT(offsetof(ACPIFADT, sleep_control) == ACPI_FADT_REVISION3_SIZE);

uint8_t acpi_checksum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint8_t sum = 0;

    while (len--) {
        sum += *p++;
    }
    return -sum;
}

ACPIHeader acpi_header(const char *signature, uint8_t revision, uint32_t length,
                       const char *oem_table_id)
{
    ACPIHeader h = { .length = length, .revision = revision, .oem_revision = 1,
                     .creator_revision = 1 };

    memcpy(h.signature, signature, sizeof(h.signature));
    memcpy(h.oem_id, ACPI_OEM_ID, sizeof(h.oem_id));
    memcpy(h.oem_table_id, oem_table_id, sizeof(h.oem_table_id));
    memcpy(h.creator_id, CREATOR_ID, sizeof(h.creator_id));
    return h;
}

ACPIAddress acpi_port(uint16_t address, unsigned bytes)
{
    return (ACPIAddress){ GAS_SYSTEM_IO, bytes * 8, 0,
                          bytes == 4 ? 3 : bytes, address };
}

void acpi_madt_start(GByteArray *madt, const char *oem_table_id)
{
    const uint32_t fields[] = { X86_LAPIC_BASE, MADT_PCAT_COMPAT };
    ACPIHeader h = acpi_header("APIC", 5, 0, oem_table_id);

    g_byte_array_append(madt, (uint8_t *)&h, sizeof(h));
    g_byte_array_append(madt, (uint8_t *)fields, sizeof(fields));
}

void acpi_madt_lapic(GByteArray *madt, uint8_t uid, uint8_t id)
{
    const uint8_t entry[] = { MADT_LAPIC, 8, uid, id, MADT_LAPIC_ENABLED, 0, 0, 0 };

    g_byte_array_append(madt, entry, sizeof(entry));
}

void acpi_madt_ioapic(GByteArray *madt)
{
    const uint8_t entry[] = { MADT_IOAPIC, 12, 0 /* id */, 0 };
    const uint32_t fields[] = { X86_IOAPIC_BASE, 0 /* first input */ };

    g_byte_array_append(madt, entry, sizeof(entry));
    g_byte_array_append(madt, (uint8_t *)fields, sizeof(fields));
}

void acpi_madt_override(GByteArray *madt, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    const uint8_t entry[] = { MADT_OVERRIDE, 10, MADT_ISA, irq };

    g_byte_array_append(madt, entry, sizeof(entry));
    g_byte_array_append(madt, (uint8_t *)&gsi, sizeof(gsi));
    g_byte_array_append(madt, (uint8_t *)&flags, sizeof(flags));
}

void acpi_madt_nmi(GByteArray *madt)
{
    const uint8_t entry[] = { MADT_LAPIC_NMI, 6, ALL_CPUS, 0, 0, 1 /* LINT1 */ };

    g_byte_array_append(madt, entry, sizeof(entry));
}

void acpi_set_integer(uint8_t *aml, uint32_t len, const char *name, unsigned width,
                      uint64_t value)
{
    const char pattern[] = { AML_NAME, name[0], name[1], name[2], name[3],
                             width == 8 ? AML_QWORD : AML_DWORD };
    uint8_t *found = memmem(aml, len, pattern, sizeof(pattern));

    assert(found && (width == 4 || width == 8));
    memcpy(found + sizeof(pattern), &value, width);
}

void acpi_aml_package(GByteArray *out, const GByteArray *body)
{
    unsigned len = body->len + 1, more = 0;
    uint8_t lead[3];

    if (len > 0x3f) {
        more = ++len > 0xfff ? 2 : 1;
        len += more - 1;
    }
    assert(len < 1u << 20);
    lead[0] = more ? more << 6 | (len & 0xf) : len;
    lead[1] = len >> 4;
    lead[2] = len >> 12;
    g_byte_array_append(out, lead, 1 + more);
    g_byte_array_append(out, body->data, body->len);
}
