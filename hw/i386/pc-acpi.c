/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the board pc. ACPI specification 6.4, chapter 5.2; HPET: IA-PC
 * HPET specification 1.0a, chapter 3.2.4; WAET: Windows ACPI Emulated Devices Table.
 * What the devices are is in pc.dsl; here is what is known when the machine is
 * complete: how much memory, how many processors, which devices.
 */
#include "hw/i386/pc-acpi.h"

#include <assert.h>
#include <cpuid.h>
#include <string.h>

#include "hw/acpi/fixed.h"
#include "hw/acpi/piix4.h"
#include "hw/i386/pc-map.h"
#include "hw/i386/pc.hex.h"
#include "hw/rtc/mc146818.h"
#include "target-i386/topology.h"

#define OEM_TABLE_ID "PC      "
#define GIB (1024 * 1024 * 1024ull)
#define HIMEM_BASE (4 * GIB)

#define TABLE_ALIGN 16
#define FACS_ALIGN 64
#define TABLES_MAX 8

#define RESET_VALUE 0x06 /* of the reset control register: everything */
#define NO_C2 0xfff      /* latencies that say that there is no such state */
#define NO_C3 0xfff

#define HPET_ID 0x8086a201 /* as in its capabilities register */
#define WAET_PM_TIMER_GOOD 2 /* one read of the timer is enough */

typedef struct __attribute__((packed)) FACS {
    char signature[4];
    uint32_t length;
    uint32_t hardware_signature, waking_vector, global_lock, flags;
    uint8_t reserved[40];
} FACS;

typedef struct __attribute__((packed)) HPETTable {
    ACPIHeader header;
    uint32_t id;
    ACPIAddress address;
    uint8_t number;
    uint16_t min_tick;
    uint8_t page_protection;
} HPETTable;

typedef struct __attribute__((packed)) WAET {
    ACPIHeader header;
    uint32_t flags;
} WAET;

G_STATIC_ASSERT(sizeof(FACS) == 64);
G_STATIC_ASSERT(sizeof(HPETTable) == 56);

/* Tables, and the list of those that the RSDT names. */
typedef struct Tables {
    ACPIFiles *files;
    uint32_t listed[TABLES_MAX];
    unsigned listed_nr;
} Tables;

/* Add one that is complete, and list it. */
static void add_listed(Tables *t, const void *table, uint32_t len)
{
    uint32_t offset = acpi_files_add(t->files, table, len, TABLE_ALIGN);

    acpi_files_sum_table(t->files, offset);
    assert(t->listed_nr < TABLES_MAX);
    t->listed[t->listed_nr++] = offset;
}

/* ---- DSDT ---------------------------------------------------------------------- */

static bool has_pvpanic(const Machine *m)
{
    for (unsigned i = 0; i < m->devices->len; i++) {
        const Device *dev = m->devices->pdata[i];

        if (strcmp(dev->type->name, "pvpanic") == 0 &&
            property_number(dev->type->properties, dev, "ioport") ==
                PC_PVPANIC_PORT) {
            return true;
        }
    }
    return false;
}

static uint32_t devices_there(const PCMachine *s)
{
    const Machine *m = &s->machine;
    uint32_t bits = 0;

    for (unsigned i = 0; i < m->serials->len; i++) {
        bits |= m->serials->pdata[i] ? PC_HAS_COM1 << i : 0;
    }
    bits |= has_pvpanic(m) ? PC_HAS_PVPANIC : 0;
    bits |= s->i8042_dev ? PC_HAS_I8042 : 0;
    bits |= s->hpet_dev ? PC_HAS_HPET : 0;
    return bits;
}

static uint32_t add_dsdt(const PCMachine *s, ACPIFiles *files)
{
    uint32_t len = ((const ACPIHeader *)pc_aml_code)->length, offset;
    g_autofree uint8_t *dsdt = g_memdup2(pc_aml_code, len);
    uint64_t first, last;

    pc_get_high_hole(s, &first, &last);
    acpi_set_integer(dsdt, len, "DEVS", 4, devices_there(s));
    acpi_set_integer(dsdt, len, "P0S_", 4, s->lomem_size);
    acpi_set_integer(dsdt, len, "P1S_", 8, first);
    acpi_set_integer(dsdt, len, "P1E_", 8, last);
    offset = acpi_files_add(files, dsdt, len, TABLE_ALIGN);
    acpi_files_sum_table(files, offset);
    return offset;
}

/* ---- processors ------------------------------------------------------------------- */

static void append_processor(GByteArray *out, unsigned uid)
{
    static const uint8_t start[] = { AML_EXT, AML_EXT_DEVICE };
    g_autoptr(GByteArray) body = g_byte_array_new();
    const uint8_t uid_bytes[] = { AML_NAME, '_', 'U', 'I', 'D', AML_BYTE, uid };
    const uint8_t hid_start[] = { AML_NAME, '_', 'H', 'I', 'D', AML_STRING };
    char name[5];

    g_snprintf(name, sizeof(name), "C%03X", uid);
    g_byte_array_append(body, (uint8_t *)name, 4);
    g_byte_array_append(body, hid_start, sizeof(hid_start));
    g_byte_array_append(body, (const uint8_t *)"ACPI0007", sizeof("ACPI0007"));
    g_byte_array_append(body, uid_bytes, sizeof(uid_bytes));
    g_byte_array_append(out, start, sizeof(start));
    acpi_aml_package(out, body);
}

static void append_processors(GByteArray *out, const PCMachine *s)
{
    static const uint8_t scope = AML_SCOPE;
    g_autoptr(GByteArray) body = g_byte_array_new();

    g_byte_array_append(body, (const uint8_t *)"\\_SB_", 5);
    for (unsigned i = 0; i < s->machine.cpus; i++) {
        append_processor(body, i);
    }
    g_byte_array_append(out, &scope, 1);
    acpi_aml_package(out, body);
}

/* ---- sleep states ---------------------------------------------------------------- */

/* \_S@n: what the guest writes to go there. */
static void append_sleep_state(GByteArray *out, unsigned n, uint8_t type)
{
    const uint8_t start[] = { AML_NAME, '\\', '_', 'S', '0' + n, '_', AML_PACKAGE };
    const uint8_t elements[] = { 4, AML_BYTE, type, AML_BYTE, type, 0, 0 };
    g_autoptr(GByteArray) body = g_byte_array_new();

    g_byte_array_append(body, elements, sizeof(elements));
    g_byte_array_append(out, start, sizeof(start));
    acpi_aml_package(out, body);
}

/* Soft off is in the DSDT. */
static void append_sleep_states(GByteArray *out, const PCMachine *s)
{
    if (piix4_pm_has_s3(s->pm)) {
        append_sleep_state(out, 3, PIIX4_SLP_TYP_TO_RAM);
    }
    if (piix4_pm_has_s4(s->pm)) {
        append_sleep_state(out, 4, piix4_pm_s4_type(s->pm));
    }
}

/* What is there in numbers that the DSDT's compiler does not know. */
static void add_ssdt(const PCMachine *s, Tables *t)
{
    g_autoptr(GByteArray) ssdt = g_byte_array_new();
    ACPIHeader h = acpi_header("SSDT", 2, 0, OEM_TABLE_ID);

    g_byte_array_append(ssdt, (uint8_t *)&h, sizeof(h));
    append_sleep_states(ssdt, s);
    append_processors(ssdt, s);
    pc_acpi_append_slots(ssdt, s->pm);
    ((ACPIHeader *)ssdt->data)->length = ssdt->len;
    add_listed(t, ssdt->data, ssdt->len);
}

/* Interrupts that PCI's links can lead to, and the system control interrupt, are not
 * as on ISA. */
static void add_madt(const PCMachine *s, Tables *t)
{
    static const uint8_t shared[] = { 5, PC_SCI_IRQ, 10, 11 };
    g_autoptr(GByteArray) madt = g_byte_array_new();

    acpi_madt_start(madt, OEM_TABLE_ID);
    for (unsigned i = 0; i < s->machine.cpus; i++) {
        acpi_madt_lapic(madt, i, x86_apic_id(&s->machine.topology, i));
    }
    acpi_madt_ioapic(madt);
    acpi_madt_override(madt, PC_PIT_IRQ, 2, ACPI_MADT_CONFORMS);
    for (unsigned i = 0; i < sizeof(shared); i++) {
        acpi_madt_override(madt, shared[i], shared[i], ACPI_MADT_LEVEL_HIGH);
    }
    acpi_madt_nmi(madt);
    ((ACPIHeader *)madt->data)->length = madt->len;
    add_listed(t, madt->data, madt->len);
}

/* ---- the others ----------------------------------------------------------------- */

/* The first table: pc_acpi_waking_vector() knows where it is. */
static uint32_t add_facs(ACPIFiles *files)
{
    FACS facs = { .signature = "FACS", .length = sizeof(facs) };

    return acpi_files_add(files, &facs, sizeof(facs), FACS_ALIGN);
}

/* Where the fixed registers are: firmware chooses, and reads the tables afterwards. */
static uint16_t pm_port(const PCMachine *s)
{
    uint16_t port = piix4_pm_port(s->pm);

    return port ? port : PC_PM_PORT;
}

static void add_fadt(const PCMachine *s, Tables *t, uint32_t facs, uint32_t dsdt)
{
    const uint16_t pm = pm_port(s);
    const ACPIFADT fadt = {
        .header = acpi_header("FACP", 3, ACPI_FADT_REVISION3_SIZE, OEM_TABLE_ID),
        .model = 1,
        .sci_int = PC_SCI_IRQ,
        .smi_cmd = PC_APM_PORT,
        .acpi_enable = PIIX4_ACPI_ENABLE,
        .acpi_disable = PIIX4_ACPI_DISABLE,
        .pm1a_evt_blk = pm + PIIX4_PM_EVENT,
        .pm1a_cnt_blk = pm + PIIX4_PM_CONTROL,
        .pm_tmr_blk = pm + PIIX4_PM_TIMER,
        .gpe0_blk = PC_GPE0_PORT,
        .pm1_evt_len = ACPI_PM1_EVENT_SIZE,
        .pm1_cnt_len = ACPI_PM1_CONTROL_SIZE,
        .pm_tmr_len = ACPI_PM_TIMER_SIZE,
        .gpe0_blk_len = PC_GPE0_SIZE,
        .p_lvl2_lat = NO_C2,
        .p_lvl3_lat = NO_C3,
        .century = MC146818_CENTURY,
        .boot_arch = ACPI_BOOT_LEGACY_DEVICES | (s->i8042_dev ? ACPI_BOOT_8042 : 0),
        .flags = ACPI_FADT_WBINVD | ACPI_FADT_PROC_C1 | ACPI_FADT_NO_SLP_BUTTON |
                 ACPI_FADT_RESET_REG_SUP | ACPI_FADT_PLATFORM_CLOCK,
        .reset_reg = acpi_port(PC_RESET_CONTROL, 1),
        .reset_value = RESET_VALUE,
        .x_pm1a_evt_blk = acpi_port(pm + PIIX4_PM_EVENT, ACPI_PM1_EVENT_SIZE),
        .x_pm1a_cnt_blk = acpi_port(pm + PIIX4_PM_CONTROL,
                                    ACPI_PM1_CONTROL_SIZE),
        .x_pm_tmr_blk = acpi_port(pm + PIIX4_PM_TIMER, ACPI_PM_TIMER_SIZE),
        .x_gpe0_blk = acpi_port(PC_GPE0_PORT, PC_GPE0_SIZE),
    };
    uint32_t offset = acpi_files_add(t->files, &fadt, ACPI_FADT_REVISION3_SIZE,
                                     TABLE_ALIGN);

    acpi_files_point(t->files, ACPI_FILE_TABLES,
                     offset + offsetof(ACPIFADT, firmware_ctrl), 4, facs);
    acpi_files_point(t->files, ACPI_FILE_TABLES, offset + offsetof(ACPIFADT, dsdt), 4,
                     dsdt);
    acpi_files_point(t->files, ACPI_FILE_TABLES, offset + offsetof(ACPIFADT, x_dsdt),
                     8, dsdt);
    acpi_files_sum_table(t->files, offset);
    t->listed[t->listed_nr++] = offset;
}

static void add_hpet(Tables *t)
{
    const HPETTable hpet = {
        .header = acpi_header("HPET", 1, sizeof(hpet), OEM_TABLE_ID),
        .id = HPET_ID,
        .address.address = PC_HPET_BASE,
    };

    add_listed(t, &hpet, sizeof(hpet));
}

static void add_waet(Tables *t)
{
    const WAET waet = {
        .header = acpi_header("WAET", 1, sizeof(waet), OEM_TABLE_ID),
        .flags = WAET_PM_TIMER_GOOD,
    };

    add_listed(t, &waet, sizeof(waet));
}

static uint32_t add_rsdt(const Tables *t)
{
    uint32_t len = sizeof(ACPIHeader) + 4 * t->listed_nr, offset;
    g_autofree uint8_t *rsdt = g_malloc0(len);
    ACPIHeader h = acpi_header("RSDT", 1, len, OEM_TABLE_ID);

    memcpy(rsdt, &h, sizeof(h));
    offset = acpi_files_add(t->files, rsdt, len, TABLE_ALIGN);
    for (unsigned i = 0; i < t->listed_nr; i++) {
        acpi_files_point(t->files, ACPI_FILE_TABLES, offset + sizeof(h) + 4 * i, 4,
                         t->listed[i]);
    }
    acpi_files_sum_table(t->files, offset);
    return offset;
}

void pc_acpi_build(const PCMachine *s, ACPIFiles *files)
{
    Tables t = { .files = files };
    uint32_t facs, dsdt;

    acpi_files_init(files);
    facs = add_facs(files);
    dsdt = add_dsdt(s, files);
    add_fadt(s, &t, facs, dsdt);
    add_ssdt(s, &t);
    add_madt(s, &t);
    if (s->hpet_dev) {
        add_hpet(&t);
    }
    add_waet(&t);
    acpi_files_finish(files, add_rsdt(&t));
}

/* Firmware selects a file: are the tables still right? */
static void refresh_files(void *opaque)
{
    PCMachine *s = opaque;
    ACPIFiles files;

    if (pm_port(s) == s->acpi_pm_port) {
        return;
    }
    s->acpi_pm_port = pm_port(s);
    pc_acpi_build(s, &files);
    fw_cfg_set_file(s->fw_cfg, ACPI_FILE_RSDP, files.rsdp->data, files.rsdp->len);
    fw_cfg_set_file(s->fw_cfg, ACPI_FILE_TABLES, files.tables->data,
                    files.tables->len);
    fw_cfg_set_file(s->fw_cfg, ACPI_FILE_LOADER, files.loader->data,
                    files.loader->len);
    acpi_files_clear(&files);
}

static bool add_file(PCMachine *s, const char *name, const GByteArray *bytes,
                     GError **err)
{
    return fw_cfg_add_file_rw(s->fw_cfg, name, bytes->data, bytes->len, false,
                              refresh_files, NULL, s, err);
}

bool pc_acpi_add_files(PCMachine *s, GError **err)
{
    ACPIFiles files;
    bool ok;

    s->acpi_pm_port = pm_port(s);
    pc_acpi_build(s, &files);
    ok = add_file(s, ACPI_FILE_RSDP, files.rsdp, err) &&
         add_file(s, ACPI_FILE_TABLES, files.tables, err) &&
         add_file(s, ACPI_FILE_LOADER, files.loader, err);
    acpi_files_clear(&files);
    return ok;
}

void pc_acpi_load(PCMachine *s)
{
    g_autoptr(GByteArray) block = NULL;
    ACPIFiles files;

    pc_acpi_build(s, &files);
    block = acpi_files_link(&files, BOOT_ACPI_ADDR);
    acpi_files_clear(&files);
    assert(memcmp(block->data + ACPI_LINKED_TABLES, "FACS", 4) == 0);
    assert(block->len <= PC_SMBIOS_ADDR - BOOT_ACPI_ADDR);
    loader_add_data(s->loader, block->data, block->len, BOOT_ACPI_ADDR);
    s->boot.rsdp_addr = BOOT_ACPI_ADDR;
}

uint32_t pc_acpi_waking_vector(PCMachine *s)
{
    uint32_t vector = 0;

    if (s->acpi) {
        vector = address_space_ldl(&s->machine.memory, BOOT_ACPI_ADDR +
                                   ACPI_LINKED_TABLES + offsetof(FACS, waking_vector),
                                   MEMTXATTRS_UNSPECIFIED, NULL);
    }
    return vector < BOOT_HIGH_ADDR ? vector : 0;
}
