/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: a board's const descriptor and the state common to all boards.
 *
 * Life: machine_new(); machine_set() for the user's settings; machine_init()
 * makes address spaces, RAM and the board; more devices may join; then
 * machine_prepare() loads the guest and describes what it will find.
 * machine_reset() before the first run and at each reset; machine_free().
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include "cpus.h"
#include "hw/core/chardev.h"
#include "hw/core/device.h"
#include "hw/core/user-object.h"
#include "hw/smbios/smbios-settings.h"
#include "kvm.h"
#include "sysemu.h"

/* -rtc: what the guest's clock shows. */
typedef struct RTCSettings {
    enum {
        RTC_CLOCK_HOST, /* the host's time of day, also while stopped */
        RTC_CLOCK_RT,   /* the host's monotonic clock */
        RTC_CLOCK_VM,   /* the virtual clock, which stands with the machine */
    } clock;
    /* The guest's time at the start, */
    bool dated;
    int64_t date;      /* if dated: seconds since 1970, UTC, */
    int64_t offset_us; /* or if not: its offset from the host's in UTC */
} RTCSettings;

/* -boot; strings are owned. */
typedef struct BootSettings {
    char *order;  /* letters of drives; NULL: the firmware's */
    char *once;   /* the same for the first boot; NULL: as always */
    bool menu;
    bool strict;  /* what is not in the order is not tried */
    int32_t splash_time;    /* ms that the menu's prompt stays; -1: as firmware does */
    int32_t reboot_timeout; /* ms from failing to boot until a reset; -1: never */
} BootSettings;

/* -fw_cfg: a file for the guest's firmware; strings are owned. */
typedef struct FWCfgSetting {
    char *name;
    char *file, *string; /* one of the two: where its bytes are, or they themselves */
} FWCfgSetting;

/* -option-rom; strings are owned. */
typedef struct OptionROMSetting {
    char *file;
    uint32_t bootindex; /* firmware starts the lowest first; BOOTINDEX_NONE: it has no
                         * place in the order */
} OptionROMSetting;
#define BOOTINDEX_NONE UINT32_MAX

/* -drive if=pflash; strings are owned. */
typedef struct FlashSetting {
    int unit; /* 0, or 1 below it; -1: the next one */
    char *file;
    bool readonly;
} FlashSetting;

typedef struct MachineType {
    const char *name;        /* as after -machine */
    const char *description; /* one line for help */
    size_t size;             /* of the state struct, which starts with Machine */
    const Property *properties; /* beyond the common ones; NULL: none */
    unsigned max_cpus;
    unsigned min_cpus;       /* 0: it can do without */
    bool has_firmware;       /* uses boot, fw_cfg, option_roms, flash and smbios of
                              * Machine, and bios also with a kernel */
    bool has_vga;            /* uses vga and headless of Machine */
    const char *cpu_type;    /* of a vCPU as an object: "x86_64-cpu" */
    uint64_t default_ram_size;
    /* Build the board: regions and devices. False and @err where it cannot. */
    bool (*init)(Machine *machine, GError **err);
    /* Load what the user named, describe the machine for the guest, set vCPU
     * reset hooks. Files and limits that do not fit: false and @err. */
    bool (*prepare)(Machine *machine, GError **err);
    void (*reset)(Machine *machine);  /* NULL: the devices' resets only */
    void (*power_button)(Machine *machine); /* NULL: there is none */
    /* It can sleep and keep its RAM: it goes to sleep; and it is reset as far as that
     * goes, and wakes up. Both or none. */
    void (*suspend)(Machine *machine);
    void (*wakeup)(Machine *machine, WakeupReason reason);
    void (*finish)(Machine *machine); /* undo init; NULL: nothing */
} MachineType;

struct Machine {
    Object object;
    const MachineType *type;
    /* What the user asked for, set before init: */
    char *name;
    uint64_t ram_size; /* bytes, whole pages; 0: as much as memory_backend has, or
                        * the default; 0 after init: no RAM */
    unsigned cpus;
    char *mem_path;    /* NULL: anonymous */
    char *kernel, *initrd, *append, *bios, *dumpdtb; /* NULL: not given */
    char *accel;
    char *memory_backend; /* id of a user object that is all RAM; NULL: none */
    RTCSettings rtc;
    CPUTopology topology; /* -smp; all zero until machine_init(): one socket of all */
    BootSettings boot;
    GPtrArray *fw_cfg; /* FWCfgSetting * */
    GPtrArray *option_roms; /* OptionROMSetting * */
    GPtrArray *flash;  /* FlashSetting * */
    SMBIOSSettings *smbios; /* owned; NULL: nothing was said */
    char *vga;          /* -vga: "std", "none"; NULL: none */
    bool headless;      /* nobody sees the screen, so firmware also speaks elsewhere */
    char *uuid;         /* as "6ba7b810-9dad-11d1-80b4-00c04fd430c8"; NULL: none */
    GPtrArray *serials; /* Chardev *, not owned; NULL: none */

    /* Common to all boards, made by the core of hw/ before init: */
    KVMState *kvm; /* NULL where the machine runs no CPUs */
    MemoryRegion memory_root, ports_root;
    AddressSpace memory, ports;
    MemoryRegion ram; /* all guest RAM; boards show it through aliases */
    GPtrArray *devices; /* Device *, owned, in the order of reset */

    struct PCIBus *pci; /* the root bus; NULL: there is none */
    /* What vCPUs see in system management mode, made by the board; NULL: there is no
     * such mode. */
    AddressSpace *smm_memory;
    Device *interrupts; /* the board's device whose inputs they are; NULL: none */
    UserObject *ram_backend; /* of memory_backend; NULL: none */
    GPtrArray *cpu_objects;  /* vCPUs in the tree, owned */

    bool initialised; /* machine_init() succeeded as far as the address spaces */
    bool prepared;    /* machine_prepare() succeeded: what comes is hot-plugged */
};

/* Every known board; ends with NULL. The one table a new board joins. */
extern const MachineType *const machine_types[];
extern const MachineType null_machine_type; /* "none", one of them */

const MachineType *machine_type_find(const char *name, GError **err);

/* What can be set on every machine. */
extern const Property machine_common_properties[];

/* Allocate with defaults, as /machine: one at a time. */
Machine *machine_new(const MachineType *type);

/* Set a property, common or the board's. Before init. False with @err. */
bool machine_set(Machine *machine, const char *property, const char *value,
                 GError **err);

/* Print the boards, or the properties of one; for help. */
void machine_print_types(FILE *out);
void machine_print_properties(const MachineType *type, FILE *out);

/* "NAME-machine", static: its type as an object. */
const char *machine_object_type(const MachineType *type);

/* Append what a machine of @type has but "type" to @out, of ObjectProperty.
 * @settable: as before init. */
void machine_type_list(const MachineType *type, bool settable, GArray *out);

/* Make address spaces and RAM, and call the board. */
bool machine_init(Machine *machine, GError **err);

/* After all devices are there, and the vCPUs; before the first reset. */
bool machine_prepare(Machine *machine, GError **err);

/* Put the vCPUs that there are into the tree; machine_prepare() does. */
void machine_add_cpu_objects(Machine *machine);

/* Append what a vCPU has but "type" to @out, of ObjectProperty. */
void cpu_type_list(GArray *out);

/* Reset all devices, then the board. Every vCPU stopped. */
void machine_reset(Machine *machine);

/* Frees the devices, regions and character devices. KVM must not follow the
 * address spaces any more. NULL: nothing. */
void machine_free(Machine *machine);

/* A device of @machine that is not yet realized: set its properties, then
 * hand it to machine_realize_device(). @id: from the user. NULL with @err. */
Device *machine_new_device(Machine *machine, const char *type_name,
                           const char *id, GError **err);

/* Realize and own; on failure @dev is freed, false and @err. A part of the board
 * is in the tree of objects already; any other device gets its place there, by
 * its id or a number. */
bool machine_realize_device(Machine *machine, Device *dev, GError **err);

/* What -device and device_add do: make one from "TYPE,id=ID,PROP=VALUE..." or
 * from names and values (char *), realize and plug it. At any time, under the
 * memory lock once the machine runs. False with @err. */
bool machine_plug(Machine *machine, const char *text, GError **err);
bool machine_plug_settings(Machine *machine, const char *type_name,
                           const char *id, GHashTable *settings, GError **err);

/* What device_del does: unplug and free the device of that id, or at that path,
 * and send VM_EVENT_DEVICE_DELETED, or ask the guest to give it up first. False with
 * @err: not found (code FLATVIEW_ERROR_NOT_FOUND), or it cannot be unplugged. */
bool machine_unplug(Machine *machine, const char *id_or_path, GError **err);

/* The guest has given it up: free it, and send VM_EVENT_DEVICE_DELETED. Under the
 * memory lock, and not from a callback of @dev. */
void machine_unplug_finish(Machine *machine, Device *dev);

/* -global: "TYPE.PROP=VALUE" or "driver=,property=,value="; a default for every
 * device of that type made from now on. False with @err. */
bool device_add_global(const char *text, GError **err);

/* Give @dev, which is new, what globals say of its type. */
bool device_apply_globals(Device *dev, GError **err);

/* A line on @out for each global that no device has met. */
void device_globals_check(FILE *out);

/* False where the machine has no power button. */
bool machine_power_button(Machine *machine);

/* Whether the guest can sleep and keep its RAM. */
bool machine_can_suspend(const Machine *machine);

/* The two in one, for a device without settings; the board then maps it. */
Device *machine_add_device(Machine *machine, const char *type_name,
                           const char *id, GError **err);

/* Undo machine_realize_device(): take @dev out of the machine, and free it. */
void machine_remove_device(Machine *machine, Device *dev);

#endif
