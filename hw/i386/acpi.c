/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of a board without firmware. ACPI specification 6.4, chapter
 * 5.2. The platform is hardware-reduced: no fixed registers but sleep control,
 * sleep status and reset.
 */
#include "hw/i386/acpi.h"

#include <string.h>

#include "hw/acpi/pm.h"
#include "hw/i386/acpi-table.h"
#include "hw/rtc/mc146818.h"
#include "target-i386/topology.h"

#define OEM_TABLE_ID "MICROVM "

typedef struct __attribute__((packed)) XSDT {
    ACPIHeader header;
    uint64_t tables[2];
} XSDT;

/* Append a table, whose checksum is made right, and return its offset. */
static uint32_t append(GByteArray *out, const void *table, size_t len)
{
    static const uint8_t zeros[16];
    uint32_t offset = out->len;
    ACPIHeader *h;

    g_byte_array_append(out, table, len);
    h = (ACPIHeader *)(out->data + offset);
    h->checksum = 0;
    h->checksum = acpi_checksum(h, len);
    g_byte_array_append(out, zeros, -out->len & 15);
    return offset;
}

static uint32_t append_dsdt(GByteArray *out, const ACPIConfig *config)
{
    uint32_t len = ((const ACPIHeader *)config->dsdt)->length;
    g_autofree uint8_t *dsdt = g_memdup2(config->dsdt, len);

    acpi_set_integer(dsdt, len, "DEVS", 4, config->devices);
    return append(out, dsdt, len);
}

static uint32_t append_fadt(GByteArray *out, const ACPIConfig *config,
                            uint32_t dsdt)
{
    ACPIFADT fadt = {
        .header = acpi_header("FACP", 6, sizeof(fadt), OEM_TABLE_ID),
        .dsdt = dsdt,
        .x_dsdt = dsdt,
        .preferred_profile = ACPI_PROFILE_ENTERPRISE_SERVER,
        .century = MC146818_CENTURY,
        .boot_arch = ACPI_BOOT_LEGACY_DEVICES | ACPI_BOOT_8042 | ACPI_BOOT_NO_VGA,
        .flags = ACPI_FADT_WBINVD | ACPI_FADT_NO_PWR_BUTTON |
                 ACPI_FADT_NO_SLP_BUTTON | ACPI_FADT_RESET_REG_SUP |
                 ACPI_FADT_HEADLESS | ACPI_FADT_HW_REDUCED,
        .reset_reg = acpi_port(config->pm_port + ACPI_PM_RESET, 1),
        .reset_value = ACPI_PM_RESET_VALUE,
        .minor_revision = 4,
        .sleep_control = acpi_port(config->pm_port + ACPI_PM_SLEEP_CONTROL, 1),
        .sleep_status = acpi_port(config->pm_port + ACPI_PM_SLEEP_STATUS, 1),
    };

    return append(out, &fadt, sizeof(fadt));
}

/* KVM takes each ISA interrupt to the IOAPIC input of the same number, the
 * timer's too: no override is needed. */
static uint32_t append_madt(GByteArray *out, const ACPIConfig *config)
{
    g_autoptr(GByteArray) madt = g_byte_array_new();

    acpi_madt_start(madt, OEM_TABLE_ID);
    for (unsigned i = 0; i < config->cpus; i++) {
        acpi_madt_lapic(madt, i,
                        config->topology ? x86_apic_id(config->topology, i) : i);
    }
    acpi_madt_ioapic(madt);
    acpi_madt_nmi(madt);
    ((ACPIHeader *)madt->data)->length = madt->len;
    return append(out, madt->data, madt->len);
}

GByteArray *acpi_build(const ACPIConfig *config, uint32_t base)
{
    GByteArray *out = g_byte_array_new();
    XSDT xsdt = { .header = acpi_header("XSDT", 1, sizeof(xsdt), OEM_TABLE_ID) };
    ACPIRSDP rsdp = { .revision = 2, .length = sizeof(rsdp) };
    uint32_t dsdt;

    /* The root pointer's place, and its padding; filled in at the end. */
    g_byte_array_set_size(out, (sizeof(rsdp) + 15) & ~15);
    memset(out->data, 0, out->len);
    dsdt = base + append_dsdt(out, config);
    xsdt.tables[0] = base + append_fadt(out, config, dsdt);
    xsdt.tables[1] = base + append_madt(out, config);

    memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
    memcpy(rsdp.oem_id, ACPI_OEM_ID, sizeof(rsdp.oem_id));
    rsdp.xsdt = base + append(out, &xsdt, sizeof(xsdt));
    rsdp.checksum = acpi_checksum(&rsdp, 20);
    rsdp.extended_checksum = acpi_checksum(&rsdp, sizeof(rsdp));
    memcpy(out->data, &rsdp, sizeof(rsdp));
    return out;
}
