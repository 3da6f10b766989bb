/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The board pc: what its parts share. Where things are is in pc-map.h, which the
 * ACPI compiler reads, too. docs/pc.md has it for users.
 */
#ifndef HW_I386_PC_H
#define HW_I386_PC_H

#include "hw/core/loader.h"
#include "hw/core/machine.h"
#include "hw/i386/e820.h"
#include "hw/i386/x86-boot.h"
#include "hw/nvram/fw_cfg.h"
#include "hw/pci/pci.h"

#define PC_RESERVATIONS_MAX 8

typedef struct PCMachine {
    Machine machine;
    /* Properties */
    bool hpet;       /* "hpet": there is one */
    bool i8042;      /* "i8042": there is one */
    bool late_ticks; /* "late-ticks": KVM's timer keeps ticks that come too early */
    bool acpi;       /* "acpi": there are ACPI tables */
    bool graphics;   /* "graphics": off: firmware's screen is the serial port */
    uint64_t max_ram_below_4g; /* "max-ram-below-4g"; 0: 3 GiB, or 3.5 if all fits */
    char *smm;       /* "smm": on, off, or auto: on where KVM has it */

    uint64_t lomem_size, himem_size; /* RAM below, and from 4 GiB */
    MemoryRegion lomem, himem;
    MemoryRegion reservations[PC_RESERVATIONS_MAX]; /* what KVM serves */
    /* The bus's memory: below all RAM, shows where nothing is on top of it. */
    MemoryRegion pci_memory;
    /* What the vCPU sees in system management mode: smram on top of the rest. */
    bool has_smm;
    MemoryRegion smram, smm_rest, smm_root;
    AddressSpace smm_memory;
    MemoryRegion option_rom; /* "pc.rom", 0xc0000 of pci_memory */
    MemoryRegion bios, bios_low;

    Device *host;       /* "i440FX-pcihost": 0xcf8, 0xcfc, root bus; function 0.0 */
    PCIDevice *i440fx;  /* 0.0, "i440FX" */
    PCIDevice *piix3;   /* 1.0, "PIIX3" */
    PCIDevice *pm;      /* 1.3, "PIIX4_PM" */
    uint16_t acpi_pm_port; /* that the ACPI tables of fw_cfg name */
    FWCfg *fw_cfg;
    Device *ioapic, *rtc, *i8042_dev;
    Device *hpet_dev, *pit; /* NULL: there is none; the timer is then KVM's */
    Device *irqs;       /* "isa-irqs": all interrupts, on their way to the ioapic */

    bool firmware;      /* -bios, pflash, or nothing else to start */
    Loader *loader;
    X86Boot boot;       /* where it is not */
    E820 e820;
    bool loaded;        /* for the reset to come */
    bool booted;        /* a reset for the first boot has been */
    bool asleep;        /* the guest has gone to sleep, and no reset has been since */
    bool waking;        /* the reset is one to wake the guest, which has a way to go on */
    uint32_t waking_vector; /* where the first vCPU starts, in real mode; 0: as ever */
} PCMachine;

/* Whether there are that much and such memory, and where the part below 4 GiB ends:
 * the first of what is made. False with @err. */
bool pc_check_ram(PCMachine *s, GError **err);

/* What there is for wide BARs above RAM: all that the processor can address, from a
 * multiple of 1 GiB on, as ACPI tells the guest. Both 0: nothing. */
void pc_get_high_hole(const PCMachine *s, uint64_t *first, uint64_t *last);

/* RAM, the bus's memory, and with has_smm the space in system management mode. */
void pc_map_ram(PCMachine *s);

/* The ROM that firmware copies option ROMs over. */
void pc_map_option_rom(PCMachine *s);

/* The same, and place the image @path below 4 GiB, and its end below 1 MiB. After the
 * host bridge is made. False with @err. */
bool pc_map_bios(PCMachine *s, const char *path, GError **err);

/* What the CMOS memory tells firmware. False with @err: there is no such drive to start
 * from. */
bool pc_cmos_init(PCMachine *s, GError **err);
/* At each reset: from where to start. */
void pc_cmos_reset(PCMachine *s);

/* Undo all of these; of what is not there, nothing. */
void pc_unmap_memory(PCMachine *s);

#endif
