/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of a board without firmware. ACPI specification 6.4, chapter
 * 5.2. The platform is hardware-reduced: no fixed registers but sleep control,
 * sleep status and reset.
 */
#include "hw/i386/acpi.h"

#include <assert.h>
#include <string.h>

#include "hw/acpi/pm.h"
#include "hw/rtc/mc146818.h"
#include "target-i386/cpu.h"

#define OEM_ID "FLATVW"
#define OEM_TABLE_ID "MICROVM "
#define CREATOR_ID "FLTV"

/* Generic address structure */
#define GAS_SYSTEM_IO 1
#define GAS_BYTE_ACCESS 1

/* FADT */
#define FADT_PROFILE_ENTERPRISE_SERVER 4
#define FADT_LEGACY_DEVICES (1u << 0)
#define FADT_8042 (1u << 1)
#define FADT_NO_VGA (1u << 2)
#define FADT_WBINVD (1u << 0)
#define FADT_PWR_BUTTON (1u << 4) /* no fixed power button */
#define FADT_SLP_BUTTON (1u << 5) /* no fixed sleep button */
#define FADT_RESET_REG_SUP (1u << 10)
#define FADT_HEADLESS (1u << 12)
#define FADT_HW_REDUCED (1u << 20)

/* MADT */
#define MADT_PCAT_COMPAT 1
#define MADT_LAPIC 0
#define MADT_IOAPIC 1
#define MADT_LAPIC_NMI 4
#define MADT_LAPIC_ENABLED 1
#define ALL_CPUS 0xff

typedef struct __attribute__((packed)) Header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} Header;

typedef struct __attribute__((packed)) Address {
    uint8_t space;
    uint8_t width; /* bits */
    uint8_t offset;
    uint8_t access;
    uint64_t address;
} Address;

typedef struct __attribute__((packed)) RSDP {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} RSDP;

typedef struct __attribute__((packed)) FADT {
    Header header;
    uint32_t firmware_ctrl;
    uint32_t dsdt;
    uint8_t reserved0;
    uint8_t preferred_profile;
    uint16_t sci_int;
    uint8_t fixed_hardware0[60]; /* offsets 48 to 107: all zero */
    uint8_t century;
    uint16_t boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    Address reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_revision;
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    Address fixed_hardware1[8]; /* all zero */
    Address sleep_control;
    Address sleep_status;
    uint64_t hypervisor;
} FADT;

typedef struct __attribute__((packed)) XSDT {
    Header header;
    uint64_t tables[2];
} XSDT;

G_STATIC_ASSERT(sizeof(FADT) == 276);
G_STATIC_ASSERT(offsetof(FADT, century) == 108);
G_STATIC_ASSERT(sizeof(RSDP) == 36);

static uint8_t checksum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint8_t sum = 0;

    while (len--) {
        sum += *p++;
    }
    return -sum;
}

static Header header(const char *signature, uint8_t revision, uint32_t length)
{
    Header h = { .length = length, .revision = revision, .oem_revision = 1,
                 .creator_revision = 1 };

    memcpy(h.signature, signature, sizeof(h.signature));
    memcpy(h.oem_id, OEM_ID, sizeof(h.oem_id));
    memcpy(h.oem_table_id, OEM_TABLE_ID, sizeof(h.oem_table_id));
    memcpy(h.creator_id, CREATOR_ID, sizeof(h.creator_id));
    return h;
}

static Address port(uint16_t address)
{
    return (Address){ GAS_SYSTEM_IO, 8, 0, GAS_BYTE_ACCESS, address };
}

/* Append a table, whose checksum is made right, and return its offset. */
static uint32_t append(GByteArray *out, const void *table, size_t len)
{
    static const uint8_t zeros[16];
    uint32_t offset = out->len;
    Header *h;

    g_byte_array_append(out, table, len);
    h = (Header *)(out->data + offset);
    h->checksum = 0;
    h->checksum = checksum(h, len);
    g_byte_array_append(out, zeros, -out->len & 15);
    return offset;
}

/* Give the four-byte integer DEVS its value: its name, then a DWordPrefix. */
static void set_devices(uint8_t *dsdt, uint32_t len, uint32_t value)
{
    static const char pattern[] = "\bDEVS\f";
    uint8_t *found = memmem(dsdt, len, pattern, sizeof(pattern) - 1);

    assert(found);
    memcpy(found + sizeof(pattern) - 1, &value, sizeof(value));
}

static uint32_t append_dsdt(GByteArray *out, const ACPIConfig *config)
{
    uint32_t len = ((const Header *)config->dsdt)->length;
    g_autofree uint8_t *dsdt = g_memdup2(config->dsdt, len);

    set_devices(dsdt, len, config->devices);
    return append(out, dsdt, len);
}

static uint32_t append_fadt(GByteArray *out, const ACPIConfig *config,
                            uint32_t dsdt)
{
    FADT fadt = {
        .header = header("FACP", 6, sizeof(fadt)),
        .dsdt = dsdt,
        .x_dsdt = dsdt,
        .preferred_profile = FADT_PROFILE_ENTERPRISE_SERVER,
        .century = MC146818_CENTURY,
        .boot_arch = FADT_LEGACY_DEVICES | FADT_8042 | FADT_NO_VGA,
        .flags = FADT_WBINVD | FADT_PWR_BUTTON | FADT_SLP_BUTTON |
                 FADT_RESET_REG_SUP | FADT_HEADLESS | FADT_HW_REDUCED,
        .reset_reg = port(config->pm_port + ACPI_PM_RESET),
        .reset_value = ACPI_PM_RESET_VALUE,
        .minor_revision = 4,
        .sleep_control = port(config->pm_port + ACPI_PM_SLEEP_CONTROL),
        .sleep_status = port(config->pm_port + ACPI_PM_SLEEP_STATUS),
    };

    return append(out, &fadt, sizeof(fadt));
}

/* KVM takes each ISA interrupt to the IOAPIC input of the same number, the
 * timer's too: no override is needed. */
static uint32_t append_madt(GByteArray *out, const ACPIConfig *config)
{
    g_autoptr(GByteArray) madt = g_byte_array_new();
    const uint32_t fields[] = { X86_LAPIC_BASE, MADT_PCAT_COMPAT };
    const uint32_t ioapic[] = { X86_IOAPIC_BASE, 0 /* first input */ };
    const uint8_t ioapic_start[] = { MADT_IOAPIC, 12, 0 /* id */, 0 };
    const uint8_t nmi[] = { MADT_LAPIC_NMI, 6, ALL_CPUS, 0, 0, 1 /* LINT1 */ };
    Header h = header("APIC", 5, 0);
    unsigned i;

    g_byte_array_append(madt, (uint8_t *)&h, sizeof(h));
    g_byte_array_append(madt, (uint8_t *)fields, sizeof(fields));
    for (i = 0; i < config->cpus; i++) {
        const uint8_t lapic[] = { MADT_LAPIC, 8, i, i, MADT_LAPIC_ENABLED,
                                  0, 0, 0 };

        g_byte_array_append(madt, lapic, sizeof(lapic));
    }
    g_byte_array_append(madt, ioapic_start, sizeof(ioapic_start));
    g_byte_array_append(madt, (uint8_t *)ioapic, sizeof(ioapic));
    g_byte_array_append(madt, nmi, sizeof(nmi));
    ((Header *)madt->data)->length = madt->len;
    return append(out, madt->data, madt->len);
}

GByteArray *acpi_build(const ACPIConfig *config, uint32_t base)
{
    GByteArray *out = g_byte_array_new();
    XSDT xsdt = { .header = header("XSDT", 1, sizeof(xsdt)) };
    RSDP rsdp = { .revision = 2, .length = sizeof(rsdp) };
    uint32_t dsdt;

    /* The root pointer's place, and its padding; filled in at the end. */
    g_byte_array_set_size(out, (sizeof(rsdp) + 15) & ~15);
    memset(out->data, 0, out->len);
    dsdt = base + append_dsdt(out, config);
    xsdt.tables[0] = base + append_fadt(out, config, dsdt);
    xsdt.tables[1] = base + append_madt(out, config);

    memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
    memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
    rsdp.xsdt = base + append(out, &xsdt, sizeof(xsdt));
    rsdp.checksum = checksum(&rsdp, 20);
    rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
    memcpy(out->data, &rsdp, sizeof(rsdp));
    return out;
}
