/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: a board's const descriptor and the state common to all boards.
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include "hw/core/chardev.h"
#include "hw/core/device.h"
#include "kvm.h"

typedef struct MachineType {
    const char *name;        /* as after -machine */
    const char *description; /* one line for help */
    size_t size;             /* of the state struct, which starts with Machine */
    const Property *properties; /* beyond the common ones; NULL: none */
    unsigned max_cpus;
    uint64_t default_ram_size;
    /* Build the board: regions, devices, what is loaded, vCPU reset hooks. Files
     * and limits that do not fit: false and @err. */
    bool (*init)(Machine *machine, GError **err);
    void (*reset)(Machine *machine);  /* NULL: the devices' resets only */
    void (*finish)(Machine *machine); /* undo init; NULL: nothing */
} MachineType;

struct Machine {
    const MachineType *type;
    /* What the user asked for, set before init: */
    char *name;
    uint64_t ram_size; /* bytes, whole pages */
    unsigned cpus;
    char *mem_path;    /* NULL: anonymous */
    char *kernel, *initrd, *append, *bios, *dumpdtb; /* NULL: not given */
    GPtrArray *serials; /* Chardev *, owned by chardevs */
    GPtrArray *chardevs; /* Chardev *, owned */

    /* Common to all boards, made by the core of hw/ before init: */
    KVMState *kvm; /* NULL where the machine runs no CPUs */
    MemoryRegion memory_root, ports_root;
    AddressSpace memory, ports;
    MemoryRegion ram; /* all guest RAM; boards show it through aliases */
    GPtrArray *devices; /* Device *, owned, in the order of reset */
};

/* Every known board; ends with NULL. */
extern const MachineType *const machine_types[];

const MachineType *machine_type_find(const char *name, GError **err);

/* Allocate with defaults; then the user's settings; then machine_init(), which
 * makes address spaces and RAM and calls the board. */
Machine *machine_new(const MachineType *type);
bool machine_set(Machine *machine, const char *property, const char *value,
                 GError **err);
bool machine_init(Machine *machine, GError **err);

/* Reset all devices, then the board. Every vCPU stopped. */
void machine_reset(Machine *machine);
void machine_free(Machine *machine);

/* Make, realize and own a device; the board then maps it. NULL with @err. */
Device *machine_add_device(Machine *machine, const char *type_name,
                           const char *id, GError **err);

#endif
