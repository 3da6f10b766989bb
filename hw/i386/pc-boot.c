/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -kernel on the board pc; see pc-boot.h.
 */
#include "hw/i386/pc-boot.h"

#include <string.h>

#include "cpus.h"
#include "hw/acpi/piix4.h"
#include "hw/i386/linuxboot.h"
#include "hw/i386/pc-acpi.h"
#include "hw/i386/pc-firmware.h"
#include "hw/i386/pc-map.h"
#include "hw/i386/pc-smbios.h"
#include "sysemu.h"
#include "target-i386/cpu.h"

#define MIB (1024 * 1024ull)

/* At the end of RAM below 4 GiB, where firmware has its own tables. */
#define FIRMWARE_HIGH_SIZE MIB

#define REAL_MODE_VECTORS 256
#define BASE_MEMORY_CALL 0x12 /* of the BIOS: int $0x12 */

/* The BIOS data area, as far as kernels look at it */
#define BDA_ADDR 0x400
#define BDA_SIZE 0x100
#define BDA_COM1 0x00
#define BDA_EBDA_SEGMENT 0x0e
#define BDA_EQUIPMENT 0x10
#define BDA_BASE_MEMORY 0x13
#define BASE_MEMORY (BOOT_LOW_END >> 10) /* KiB */
#define BDA_OF_PROGRAMS 0xf0 /* 16 bytes that BIOSes leave alone: our code */
#define EQUIPMENT_SERIALS_SHIFT 9

static void fill_e820(PCMachine *s)
{
    E820 *map = &s->e820;

    e820_add(map, 0, BOOT_LOW_END, E820_RAM);
    e820_add(map, BOOT_LOW_END, BOOT_HIGH_ADDR - BOOT_LOW_END, E820_RESERVED);
    e820_add(map, BOOT_HIGH_ADDR, s->lomem_size - BOOT_HIGH_ADDR, E820_RAM);
    e820_add(map, X86_KVM_RESERVED_BASE, X86_KVM_RESERVED_SIZE, E820_RESERVED);
    e820_add(map, 1ull << 32, s->himem_size, E820_RAM);
}

/* Some kernels (Xen) call the BIOS. Each call returns that there is no such function; that
 * for base memory, which cannot fail, how much there is. */
static void load_vectors(PCMachine *s, uint8_t *bda)
{
    static const uint8_t code[] = {
        0x55, 0x89, 0xe5,       /* push %bp; mov %sp, %bp */
        0x80, 0x4e, 0x06, 0x01, /* orb $1, 6(%bp): the caller's carry flag */
        0x5d, 0xb4, 0x86, 0xcf, /* pop %bp; mov $0x86, %ah; iret */
        0xb8, BASE_MEMORY & 0xff, BASE_MEMORY >> 8, 0xcf, /* mov $BASE_MEMORY, %ax; iret */
    };
    const unsigned base_memory_code = sizeof(code) - 4; /* the last line */
    uint32_t vectors[REAL_MODE_VECTORS];

    memcpy(bda + BDA_OF_PROGRAMS, code, sizeof(code));
    for (unsigned i = 0; i < REAL_MODE_VECTORS; i++) {
        vectors[i] = BDA_ADDR + BDA_OF_PROGRAMS;
    }
    vectors[BASE_MEMORY_CALL] += base_memory_code;
    loader_add_data(s->loader, vectors, sizeof(vectors), 0);
}

static void load_bios_areas(PCMachine *s)
{
    static const uint16_t ports[] = { PC_COM1_PORT, PC_COM2_PORT, PC_COM3_PORT,
                                      PC_COM4_PORT };
    const GPtrArray *serials = s->machine.serials;
    uint8_t bda[BDA_SIZE] = { 0 };
    uint16_t equipment = 0;

    for (unsigned n = 0; n < MIN(serials->len, G_N_ELEMENTS(ports)); n++) {
        if (serials->pdata[n]) {
            pci_set_word(bda + BDA_COM1 + 2 * n, ports[n]);
            equipment += 1 << EQUIPMENT_SERIALS_SHIFT;
        }
    }
    pci_set_word(bda + BDA_EQUIPMENT, equipment);
    pci_set_word(bda + BDA_EBDA_SEGMENT, BOOT_LOW_END >> 4);
    pci_set_word(bda + BDA_BASE_MEMORY, BASE_MEMORY);
    load_vectors(s, bda);
    loader_add_data(s->loader, bda, sizeof(bda), BDA_ADDR);
    /* The extended area's size, in KiB. */
    loader_add_data(s->loader, &(uint8_t){ 1 }, 1, BOOT_LOW_END);
}

/* Where there is no firmware to jump to: code that resets the machine. */
static void load_restart(PCMachine *s)
{
    static const uint8_t code[] = {
        0xba, PC_RESET_CONTROL & 0xff, PC_RESET_CONTROL >> 8, /* mov $port, %dx */
        0xb0, 0x02, 0xee,       /* mov $2, %al; out %al, %dx: a hard reset, */
        0xb0, 0x06, 0xee,       /* mov $6, %al; out %al, %dx: now */
        0xf4, 0xeb, 0xfd,       /* 1: hlt; jmp 1b */
    };

    loader_add_data(s->loader, code, sizeof(code), BOOT_RESTART_ADDR);
}

static void reset_cpu(CPUState *cpu, void *opaque)
{
    PCMachine *s = opaque;

    if (s->machine.kvm) {
        kvm_set_level_irqs(s->machine.kvm, PC_PCI_IRQS);
    }
    if (s->waking_vector) {
        x86_cpu_set_real(cpu, s->waking_vector >> 4, s->waking_vector & 0xf);
    } else {
        x86_boot_reset_cpu(cpu, &s->boot);
    }
}

static bool prepare_without(PCMachine *s, GError **err)
{
    const Machine *m = &s->machine;

    s->boot.ram_end = s->lomem_size;
    s->boot.e820 = s->e820;
    if (!pc_smbios_load(s, err)) {
        return false;
    }
    if (s->acpi) {
        pc_acpi_load(s);
    }
    load_bios_areas(s);
    load_restart(s);
    if (!x86_boot_load_kernel(&s->boot, m->kernel, err)) {
        return false;
    }
    if (cpus_count()) {
        cpus_get(0)->reset_hook = reset_cpu;
        cpus_get(0)->reset_opaque = s;
    }
    pc_setup_chips(s); /* memory to load into */
    s->loaded = loader_load(s->loader, !m->mem_path && !m->ram_backend, err);
    return s->loaded;
}

static bool prepare_with(PCMachine *s, GError **err)
{
    if (s->lomem_size < 2 * FIRMWARE_HIGH_SIZE) {
        g_set_error(err, FLATVIEW_ERROR, 0, "-m: firmware that starts a kernel needs 2 MiB of "
                    "memory at least");
        return false;
    }
    s->boot.ram_end = s->lomem_size - FIRMWARE_HIGH_SIZE;
    if (!linuxboot_add(&s->boot, s->fw_cfg, s->machine.kernel, err)) {
        return false;
    }
    pc_boot_first(s, LINUXBOOT_PATH);
    return true;
}

bool pc_boot_prepare(PCMachine *s, GError **err)
{
    const Machine *m = &s->machine;

    fill_e820(s);
    if (!m->kernel) {
        return true;
    }
    s->boot.loader = s->loader;
    s->boot.cmdline = m->append ? m->append : "";
    s->boot.initrd = m->initrd;
    return s->firmware ? prepare_with(s, err) : prepare_without(s, err);
}

/* The guest has written over what was loaded. */
void pc_boot_reset(PCMachine *s)
{
    g_autoptr(GError) err = NULL;

    if (!s->machine.kernel || s->firmware) {
        return;
    }
    pc_setup_chips(s);
    s->waking_vector = s->waking ? pc_acpi_waking_vector(s) : 0;
    s->waking = s->waking_vector != 0;
    if (s->waking) {
        /* Firmware leaves ACPI mode on to a guest that it wakes, and functions to it: it
         * puts them where they were, and what came meanwhile must not be there. */
        address_space_stb(&s->machine.ports, PC_APM_PORT, PIIX4_ACPI_ENABLE,
                          MEMTXATTRS_UNSPECIFIED, NULL);
        return;
    }
    pc_setup_pci(s);
    if (!s->loaded && !loader_load(s->loader, false, &err)) {
        fprintf(stderr, "reset: %s\n", err->message);
        vm_request_shutdown(SHUTDOWN_CAUSE_HOST_ERROR, EXIT_USAGE);
    }
    s->loaded = false;
}
