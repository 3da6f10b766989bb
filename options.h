/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: the table of options, and what a user has set by them.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/core/machine.h"
#include "kvm.h"
#include "sysemu.h"

#define PROGRAM "flatview-x86_64"
#define DEFAULT_MACHINE "microvm"
#ifndef FLATVIEW_VERSION
#define FLATVIEW_VERSION "0.1"
#endif

/* After -smp was taken in, sockets * dies * cores * threads are cpus, and
 * clusters are counted in cores. */
typedef struct Smp {
    uint32_t cpus, maxcpus, sockets, dies, clusters, cores, threads;
} Smp;

/* A monitor: -monitor, -qmp, -qmp-pretty, -mon. Strings are owned. */
typedef struct MonitorSetting {
    const char *option; /* NULL: -mon, and @chardev is an id */
    char *id;
    char *chardev; /* else what chardev_open() takes */
    char *mode;    /* "readline" or "control" */
    bool pretty;
} MonitorSetting;

/* What the command line says; strings are owned. */
typedef struct Settings {
    GPtrArray *machine; /* Opt *, of every -machine */
    GPtrArray *accels;  /* char *, those of -accel, the best first */
    KVMOptions kvm;
    uint32_t dirty_ring_size;
    char *cpu;
    uint64_t ram_size; /* 0: the machine's default */
    Smp smp;
    char *kernel, *initrd, *append, *bios, *mem_path, *name;
    char *debugcon;
    GPtrArray *serials;  /* char *, as after -serial */
    GPtrArray *devices;  /* char *, as after -device */
    GPtrArray *chardevs; /* char *, as after -chardev */
    GPtrArray *objects;  /* char *, as after -object */
    GPtrArray *monitors; /* MonitorSetting * */
    bool no_monitor;     /* -monitor none: not even by default */
    char *qtest, *qtest_log;
    char *gdb;
    RTCSettings rtc;
    BootSettings boot;
    GPtrArray *fw_cfg;   /* FWCfgSetting * */
    GPtrArray *option_roms; /* OptionROMSetting * */
    GPtrArray *flash;    /* FlashSetting * */
    SMBIOSSettings *smbios; /* NULL: nothing was said */
    char *uuid;
    RunOptions run;
    GPtrArray *displays; /* those asked for; private to options-display.c */
    bool display_chosen; /* -display or -vnc was given: none opens by itself */
    bool nographic;
    bool terminal_taken; /* by -display curses */
    char *vga;           /* -vga; NULL: not given */
    char *keyboard;      /* -k; NULL: not given */
    bool daemonize;
    char *pidfile;
    bool debug_threads; /* without effect: they have names anyway */
    bool nodefaults;
    unsigned trace_mask;
    char *trace_path;
    bool done; /* help was asked for and given */
} Settings;

/* An option as it is seen from outside. */
typedef struct OptionInfo {
    const char *name;     /* without the dash */
    const char *argument; /* NULL: takes none */
    const char *help;
    const Property *properties; /* what its argument sets; NULL: no such list */
} OptionInfo;

/* Call @fn for every option there is, in the order of the help. */
void options_describe(void (*fn)(const OptionInfo *info, void *opaque),
                      void *opaque);

/* Nothing set. */
void settings_init(Settings *s);

/* Take the command line in. False with @err naming the option. Help that was
 * asked for is printed, and @s->done set. */
bool settings_parse(Settings *s, int argc, char **argv, GError **err);

void settings_clear(Settings *s);

/* Give @machine what -boot, -fw_cfg, -option-rom, -drive and -smbios say. */
void settings_move_boot(Settings *s, Machine *machine);

/* The first of @names (char *, the best first) that can be used here: "kvm" or
 * "qtest", static. NULL with @err: none. */
const char *accel_choose(GPtrArray *names, GError **err);

#endif
