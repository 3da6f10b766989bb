/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of ACPI tables that boards share. ACPI specification 6.4, chapter 5.2;
 * everything is little-endian, as is the host.
 */
#ifndef HW_I386_ACPI_TABLE_H
#define HW_I386_ACPI_TABLE_H

#include <glib.h>
#include <stdint.h>

#define ACPI_OEM_ID "FLATVW"

typedef struct __attribute__((packed)) ACPIHeader {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} ACPIHeader;

/* Generic address structure */
typedef struct __attribute__((packed)) ACPIAddress {
    uint8_t space;
    uint8_t width; /* bits */
    uint8_t offset;
    uint8_t access;
    uint64_t address;
} ACPIAddress;

/* Root pointer: of revision 0 the first 20 bytes. */
typedef struct __attribute__((packed)) ACPIRSDP {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} ACPIRSDP;

#define ACPI_RSDP_REVISION0_SIZE 20

typedef struct __attribute__((packed)) ACPIFADT {
    ACPIHeader header;
    uint32_t firmware_ctrl;
    uint32_t dsdt;
    uint8_t model;
    uint8_t preferred_profile;
    uint16_t sci_int;
    uint32_t smi_cmd;
    uint8_t acpi_enable, acpi_disable;
    uint8_t s4bios_req, pstate_cnt;
    uint32_t pm1a_evt_blk, pm1b_evt_blk;
    uint32_t pm1a_cnt_blk, pm1b_cnt_blk;
    uint32_t pm2_cnt_blk;
    uint32_t pm_tmr_blk;
    uint32_t gpe0_blk, gpe1_blk;
    uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
    uint8_t gpe0_blk_len, gpe1_blk_len, gpe1_base;
    uint8_t cst_cnt;
    uint16_t p_lvl2_lat, p_lvl3_lat;
    uint16_t flush_size, flush_stride;
    uint8_t duty_offset, duty_width;
    uint8_t day_alrm, mon_alrm, century;
    uint16_t boot_arch;
    uint8_t reserved;
    uint32_t flags;
    ACPIAddress reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_revision;
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    ACPIAddress x_pm1a_evt_blk, x_pm1b_evt_blk;
    ACPIAddress x_pm1a_cnt_blk, x_pm1b_cnt_blk;
    ACPIAddress x_pm2_cnt_blk;
    ACPIAddress x_pm_tmr_blk;
    ACPIAddress x_gpe0_blk, x_gpe1_blk;
    /* Of revision 5 and later */
    ACPIAddress sleep_control, sleep_status;
    uint64_t hypervisor;
} ACPIFADT;

#define ACPI_FADT_REVISION3_SIZE 244

/* FADT */
#define ACPI_PROFILE_ENTERPRISE_SERVER 4
#define ACPI_BOOT_LEGACY_DEVICES (1u << 0)
#define ACPI_BOOT_8042 (1u << 1)
#define ACPI_BOOT_NO_VGA (1u << 2)
#define ACPI_FADT_WBINVD (1u << 0)
#define ACPI_FADT_PROC_C1 (1u << 2)
#define ACPI_FADT_NO_PWR_BUTTON (1u << 4) /* no fixed one */
#define ACPI_FADT_NO_SLP_BUTTON (1u << 5) /* no fixed one */
#define ACPI_FADT_NO_FIX_RTC (1u << 6)    /* the clock wakes nobody that way */
#define ACPI_FADT_RESET_REG_SUP (1u << 10)
#define ACPI_FADT_HEADLESS (1u << 12)
#define ACPI_FADT_PLATFORM_CLOCK (1u << 15)
#define ACPI_FADT_HW_REDUCED (1u << 20)

/* What makes the bytes add up to 0 where it stands in for a 0 among them. */
uint8_t acpi_checksum(const void *data, size_t len);

/* The header of a table of this project; @oem_table_id has 8 characters. */
ACPIHeader acpi_header(const char *signature, uint8_t revision, uint32_t length,
                       const char *oem_table_id);

/* @bytes (1, 2, 4) of port space at @address, accessed whole. */
ACPIAddress acpi_port(uint16_t address, unsigned bytes);

/* A MADT without entries: header and the two fields after it. Entries: the local APIC
 * @id of processor @uid; the I/O APIC at X86_IOAPIC_BASE, whose inputs start at 0;
 * where ISA's interrupt @irq goes, with MPS INTI flags; NMI, which is LINT1 of every
 * processor. The caller fills in the length at the end. */
void acpi_madt_start(GByteArray *madt, const char *oem_table_id);
void acpi_madt_lapic(GByteArray *madt, uint8_t uid, uint8_t id);
void acpi_madt_ioapic(GByteArray *madt);
void acpi_madt_override(GByteArray *madt, uint8_t irq, uint32_t gsi, uint16_t flags);
void acpi_madt_nmi(GByteArray *madt);
#define ACPI_MADT_CONFORMS 0x0
#define ACPI_MADT_LEVEL_HIGH 0xd

/* Give the integer called @name (4 characters), 4 or 8 bytes wide in the compiled
 * table, its value: it is there once. */
void acpi_set_integer(uint8_t *aml, uint32_t len, const char *name, unsigned width,
                      uint64_t value);

/* Opcodes of AML: chapter 20.2 */
#define AML_NAME 0x08
#define AML_BYTE 0x0a
#define AML_WORD 0x0b
#define AML_DWORD 0x0c
#define AML_STRING 0x0d
#define AML_QWORD 0x0e
#define AML_SCOPE 0x10
#define AML_PACKAGE 0x12 /* its package: how many elements, and they */
#define AML_METHOD 0x14 /* its package: name, number of arguments, body */
#define AML_DUAL_NAME 0x2e
#define AML_MULTI_NAME 0x2f /* then the number of names */
#define AML_EXT 0x5b
#define AML_EXT_DEVICE 0x82
#define AML_ARG0 0x68
#define AML_ARG1 0x69
#define AML_AND 0x7b
#define AML_NOTIFY 0x86
#define AML_IF 0xa0

/* Append @body to @out as AML's package: its length, which counts itself, and then its
 * bytes. The opcode comes before it. */
void acpi_aml_package(GByteArray *out, const GByteArray *body);

#endif
