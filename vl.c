/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line and main().
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cpus.h"
#include "hw/core/machine.h"
#include "kvm.h"
#include "opts.h"
#include "sysemu.h"
#include "target-i386/cpu.h"
#include "trace.h"

#define PROGRAM "flatview-x86_64"
#ifndef FLATVIEW_VERSION
#define FLATVIEW_VERSION "0.1"
#endif
#define DEFAULT_MACHINE "microvm"

typedef struct Smp {
    uint32_t cpus, maxcpus, sockets, dies, clusters, cores, threads;
} Smp;

/* What the command line says; strings are owned. */
typedef struct Settings {
    GPtrArray *machine; /* Opt *, of every -machine */
    KVMOptions kvm;
    uint32_t dirty_ring_size;
    char *accel;
    char *cpu;
    uint64_t ram_size; /* 0: the machine's default */
    Smp smp;
    char *kernel, *initrd, *append, *bios, *mem_path, *name;
    char *debugcon;
    GPtrArray *serials; /* char *, as after -serial */
    GPtrArray *devices; /* char *, as after -device */
    bool nodefaults;
    bool no_reboot;
    unsigned trace_mask;
    char *trace_path;
    bool done; /* help was asked for and given */
} Settings;

typedef struct Option {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
    /* Either of the two; neither: accepted, and without effect here. */
    bool (*set)(Settings *s, const char *value, GError **err);
    size_t string; /* offset of a string that the last use sets */
} Option;

static const Option options[];

/* ---- settings that have settings ------------------------------------------------ */

static const Property memory_properties[] = {
    { "size", PROP_SIZE, offsetof(Settings, ram_size), NULL,
      "guest memory; a plain number counts MiB", 0 },
    { 0 },
};

static const Property smp_properties[] = {
    { "cpus", PROP_UINT32, offsetof(Smp, cpus), NULL, "vCPUs", 0 },
    { "maxcpus", PROP_UINT32, offsetof(Smp, maxcpus), NULL,
      "the same number again: none can be added later", 0 },
    { "sockets", PROP_UINT32, offsetof(Smp, sockets), NULL, "packages", 0 },
    { "dies", PROP_UINT32, offsetof(Smp, dies), NULL, "dies in a package", 0 },
    { "clusters", PROP_UINT32, offsetof(Smp, clusters), NULL,
      "clusters in a die", 0 },
    { "cores", PROP_UINT32, offsetof(Smp, cores), NULL, "cores in a cluster",
      0 },
    { "threads", PROP_UINT32, offsetof(Smp, threads), NULL, "threads in a core",
      0 },
    { 0 },
};

static const Property accel_properties[] = {
    { "accel", PROP_STRING, offsetof(Settings, accel), NULL, "kvm", 0 },
    { "dirty-ring-size", PROP_UINT32, offsetof(Settings, dirty_ring_size), "0",
      "entries of each vCPU's dirty ring, a power of two; 0: a bitmap", 65536 },
    { 0 },
};

static const Property name_properties[] = {
    { "guest", PROP_STRING, offsetof(Settings, name), NULL, "the guest's name",
      0 },
    { 0 },
};

static bool accel_check(const char *accel, GError **err)
{
    if (strcmp(accel, "kvm") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "no accelerator is called '%s'; there is 'kvm'", accel);
        return false;
    }
    return true;
}

/* ---- one function per option that needs one ---------------------------------------- */

static bool set_machine(Settings *s, const char *value, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(value, "type");
    Opt *first = opts->len ? opts->pdata[0] : NULL;
    Opt *last = opts->len ? opts->pdata[opts->len - 1] : NULL;
    const MachineType *type;

    if (opts->len == 1 && strcmp(last->value, "help") == 0) {
        machine_print_types(stdout);
        s->done = true;
    } else if (opts->len == 2 && strcmp(last->key, "help") == 0) {
        type = machine_type_find(first->value, err);
        if (!type) {
            return false;
        }
        machine_print_properties(type, stdout);
        s->done = true;
    }
    g_ptr_array_extend_and_steal(s->machine, g_steal_pointer(&opts));
    return true;
}

static bool set_accel(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        printf("kvm\n");
        s->done = true;
        return true;
    }
    if (strcmp(value, "kvm,help") == 0) {
        properties_print(accel_properties + 1, stdout);
        s->done = true;
        return true;
    }
    return opts_set(value, "accel", accel_properties, s, "-accel", err) &&
           (!s->accel || accel_check(s->accel, err));
}

static bool set_cpu(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        x86_cpu_print_models(stdout);
        s->done = true;
        return true;
    }
    g_free(s->cpu);
    s->cpu = g_strdup(value);
    return true;
}

static bool set_memory(Settings *s, const char *value, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(value, "size");
    unsigned i;

    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];
        size_t len = opt->value ? strlen(opt->value) : 0;
        g_autofree char *size =
            len && isdigit((unsigned char)opt->value[len - 1])
                ? g_strconcat(opt->value, "M", NULL)
                : g_strdup(opt->value);

        if (!property_set(memory_properties, s, NULL, "-m", opt->key, size,
                          err)) {
            return false;
        }
    }
    if (s->ram_size == 0 || s->ram_size > INT64_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0, "'%s' is no size for memory",
                    value);
        return false;
    }
    s->ram_size = (s->ram_size + TARGET_PAGE_SIZE - 1) & TARGET_PAGE_MASK;
    return true;
}

static bool set_smp(Settings *s, const char *value, GError **err)
{
    Smp *smp = &s->smp;
    unsigned __int128 product;

    smp->cpus = UINT32_MAX;
    if (!opts_set(value, "cpus", smp_properties, smp, "-smp", err)) {
        return false;
    }
    product = (unsigned __int128)MAX(smp->sockets, 1) * MAX(smp->dies, 1) *
              MAX(smp->clusters, 1);
    product *= (uint64_t)MAX(smp->cores, 1) * MAX(smp->threads, 1);
    if (smp->cpus == UINT32_MAX) {
        smp->cpus = MIN(product, UINT32_MAX);
    }
    if (smp->cpus == 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "a machine has at least one vCPU");
        return false;
    }
    if (smp->maxcpus && smp->maxcpus != smp->cpus) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "maxcpus=%u differs from cpus=%u: vCPUs cannot be added "
                    "to a running machine", smp->maxcpus, smp->cpus);
        return false;
    }
    if (smp->cores && smp->sockets ? smp->cpus != product
                                   : smp->cpus % product != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "sockets, dies, clusters, cores and threads make a number "
                    "other than cpus=%u", smp->cpus);
        return false;
    }
    return true;
}

static bool add_serial(Settings *s, const char *value, GError **err)
{
    g_ptr_array_add(s->serials, g_strdup(value));
    return true;
}

static bool add_device(Settings *s, const char *value, GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(value, "driver");
    Opt *first = opts->len ? opts->pdata[0] : NULL;
    Opt *second = opts->len > 1 ? opts->pdata[1] : NULL;

    if (!first || strcmp(first->key, "driver") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "the name of a device comes first; '-device help' lists "
                    "them");
        return false;
    }
    if (strcmp(first->value, "help") == 0) {
        device_print_types(stdout);
        s->done = true;
    } else if (second && strcmp(second->key, "help") == 0) {
        const DeviceType *type = device_type_find(first->value, err);

        if (!type) {
            return false;
        }
        device_print_properties(type, stdout);
        s->done = true;
    }
    g_ptr_array_add(s->devices, g_strdup(value));
    return true;
}

static bool set_name(Settings *s, const char *value, GError **err)
{
    return opts_set(value, "guest", name_properties, s, "-name", err);
}

static bool set_display(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        printf("none\n");
        s->done = true;
        return true;
    }
    if (strcmp(value, "none") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "there is no display '%s'; there is 'none'", value);
        return false;
    }
    return true;
}

static bool set_nodefaults(Settings *s, const char *value, GError **err)
{
    s->nodefaults = true;
    return true;
}

static bool set_no_reboot(Settings *s, const char *value, GError **err)
{
    s->no_reboot = true;
    return true;
}

static bool set_trace(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        trace_print_items(stdout);
        s->done = true;
        return true;
    }
    return trace_parse(value, &s->trace_mask, err);
}

static bool print_version(Settings *s, const char *value, GError **err)
{
    printf(PROGRAM " version " FLATVIEW_VERSION "\n");
    s->done = true;
    return true;
}

static bool print_help(Settings *s, const char *value, GError **err)
{
    const Option *o;

    printf("usage: " PROGRAM " [OPTION...]\n\n");
    for (o = options; o->name; o++) {
        g_autofree char *left =
            g_strdup_printf("-%s %s", o->name, o->argument ? o->argument : "");

        printf(strlen(left) < 28 ? "%-28s %s\n" : "%s\n%29s%s\n", left,
               strlen(left) < 28 ? o->help : "", o->help);
    }
    printf("\nIn a terminal: Ctrl-A x ends, Ctrl-A c prints the memory map, "
           "Ctrl-A Ctrl-A\nsends Ctrl-A. The man page says more.\n");
    s->done = true;
    return true;
}

#define STRING(field) NULL, offsetof(Settings, field)
#define CALL(function) function, 0

static const Option options[] = {
    { "machine", "TYPE[,PROP=VALUE...]", "the board; 'help' and 'TYPE,help' list",
      CALL(set_machine) },
    { "M", "TYPE[,PROP=VALUE...]", "the same as -machine", CALL(set_machine) },
    { "accel", "kvm[,PROP=VALUE...]", "the accelerator; 'help' and 'kvm,help' list",
      CALL(set_accel) },
    { "cpu", "MODEL[,+FEATURE...]", "the vCPU model and features; 'help' lists",
      CALL(set_cpu) },
    { "smp", "N", "the number of vCPUs, 1 if not given", CALL(set_smp) },
    { "m", "SIZE", "guest memory in MiB, or with a suffix K, M, G, T",
      CALL(set_memory) },
    { "mem-path", "PATH", "memory from this file, or from a file in this directory",
      STRING(mem_path) },
    { "name", "NAME", "a name for the guest, also for ps and top", CALL(set_name) },
    { "kernel", "FILE", "a Linux bzImage, or an ELF kernel with a PVH entry",
      STRING(kernel) },
    { "initrd", "FILE", "the kernel's initramfs", STRING(initrd) },
    { "append", "TEXT", "the kernel's command line", STRING(append) },
    { "bios", "FILE", "a raw image that ends at 4 GiB, in place of a kernel",
      STRING(bios) },
    { "serial", "BACKEND",
      "a serial port: stdio, null, none, file:PATH, unix:PATH[,server=on], pty",
      CALL(add_serial) },
    { "debugcon", "BACKEND", "a debug console at port 0xe9", STRING(debugcon) },
    { "device", "NAME[,PROP=VALUE...]", "add a device; 'help' and 'NAME,help' list",
      CALL(add_device) },
    { "nodefaults", NULL, "no serial port unless asked for",
      CALL(set_nodefaults) },
    { "no-user-config", NULL, "accepted; there are no configuration files",
      CALL(NULL) },
    { "nographic", NULL, "accepted; the serial port is on the terminal anyway",
      CALL(NULL) },
    { "display", "none", "accepted; there is no display", CALL(set_display) },
    { "no-reboot", NULL, "end where the guest would restart",
      CALL(set_no_reboot) },
    { "d", "ITEM[,ITEM...]", "trace these; 'help' lists", CALL(set_trace) },
    { "D", "FILE", "write traces to this file, not to standard error",
      STRING(trace_path) },
    { "version", NULL, "print the version and exit", CALL(print_version) },
    { "help", NULL, "print this and exit; also -h", CALL(print_help) },
    { 0 },
};

/* ---- parsing ------------------------------------------------------------------- */

static const Option *option_find(const char *name, GError **err)
{
    const char *names[G_N_ELEMENTS(options)];
    const char *nearest;
    unsigned i;

    if (strcmp(name, "h") == 0) {
        name = "help";
    }
    for (i = 0; options[i].name; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
        names[i] = options[i].name;
    }
    names[i] = NULL;
    nearest = nearest_name(name, names);
    if (nearest) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "there is no such option; did you mean '-%s'?", nearest);
    } else {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "there is no such option; '-help' lists what there is");
    }
    return NULL;
}

static bool settings_parse(Settings *s, int argc, char **argv, GError **err)
{
    int i;

    for (i = 1; i < argc && !s->done; i++) {
        const char *text = argv[i];
        const char *value = NULL;
        const Option *o;

        if (text[0] != '-' || !text[1]) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "'%s' is no option; options start with '-'", text);
            return false;
        }
        o = option_find(text + (text[1] == '-' ? 2 : 1), err);
        if (!o) {
            g_prefix_error(err, "%s: ", text);
            return false;
        }
        if (o->argument) {
            if (++i == argc) {
                g_set_error(err, FLATVIEW_ERROR, 0,
                            "%s: what follows is missing: %s", text,
                            o->argument);
                return false;
            }
            value = argv[i];
            /* A command line may be empty, anything else is a slip. */
            if (!*value && o->string != offsetof(Settings, append)) {
                g_set_error(err, FLATVIEW_ERROR, 0,
                            "%s: what follows is empty: %s", text, o->argument);
                return false;
            }
        }
        if (o->string) {
            char **string = (char **)((char *)s + o->string);

            g_free(*string);
            *string = g_strdup(value);
        } else if (o->set && !o->set(s, value, err)) {
            if (!g_str_has_prefix((*err)->message, text)) {
                g_prefix_error(err, "%s %s: ", text, value);
            }
            return false;
        }
    }
    return true;
}

static void settings_clear(Settings *s)
{
    const Option *o;

    for (o = options; o->name; o++) {
        if (o->string) {
            g_free(*(char **)((char *)s + o->string));
        }
    }
    g_ptr_array_free(s->machine, TRUE);
    g_free(s->accel);
    g_free(s->cpu);
    g_free(s->name);
    g_ptr_array_free(s->serials, TRUE);
    g_ptr_array_free(s->devices, TRUE);
}

/* ---- from settings to a machine ---------------------------------------------------- */

static void escape_key(char key, void *opaque)
{
    if (key == 'x') {
        vm_request_shutdown("Ctrl-A x", EXIT_GUEST_OFF);
    } else if (key == 'c') {
        mtree_info_flags(fprintf, stdout, MTREE_TREE | MTREE_FLAT);
        fflush(stdout);
    }
}

static Chardev *machine_open_chardev(Machine *machine, const char *id,
                                     const char *spec, GError **err)
{
    Chardev *chr = chardev_open(id, spec, err);

    if (chr) {
        g_ptr_array_add(machine->chardevs, chr);
        chardev_set_escape(chr, escape_key, NULL);
    }
    return chr;
}

/* An empty place among the serial ports, for "none", keeps its number. */
static bool machine_open_serials(Machine *machine, const Settings *s,
                                 GError **err)
{
    unsigned i;

    for (i = 0; i < s->serials->len; i++) {
        const char *spec = s->serials->pdata[i];
        g_autofree char *id = g_strdup_printf("serial%u", i);
        Chardev *chr = NULL;

        if (strcmp(spec, "none") != 0) {
            chr = machine_open_chardev(machine, id,
                                       machine->dumpdtb ? "null" : spec, err);
            if (!chr) {
                g_prefix_error(err, "-serial %s: ", spec);
                return false;
            }
        }
        g_ptr_array_add(machine->serials, chr);
    }
    return true;
}

static bool machine_plug_device(Machine *machine, const char *text,
                                GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(text, "driver");
    const char *driver = NULL, *id = NULL;
    Device *dev;
    unsigned i;

    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];

        bool is_id = strcmp(opt->key, "id") == 0;

        if (!is_id && strcmp(opt->key, "driver") != 0) {
            continue;
        }
        if (!opt->value) {
            g_set_error(err, FLATVIEW_ERROR, 0, "'%s' needs a value: %s=...",
                        opt->key, opt->key);
            return false;
        }
        *(is_id ? &id : &driver) = opt->value;
    }
    dev = machine_new_device(machine, driver, id, err);
    if (!dev) {
        return false;
    }
    if (!dev->type->user_creatable) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "'%s' is a part of the board and cannot be added; "
                    "'-device help' lists what can", driver);
        device_free(dev);
        return false;
    }
    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, "driver") == 0 || strcmp(opt->key, "id") == 0) {
            continue;
        }
        if (!device_set(dev, opt->key, opt->value, err)) {
            device_free(dev);
            return false;
        }
    }
    return machine_realize_device(machine, dev, err) &&
           (!dev->type->plug || dev->type->plug(dev, machine, err));
}

static bool machine_plug_devices(Machine *machine, const Settings *s,
                                 GError **err)
{
    unsigned i;

    if (s->debugcon) {
        if (!machine_open_chardev(machine, "debugcon", s->debugcon, err) ||
            !machine_plug_device(machine, "isa-debugcon,chardev=debugcon",
                                 err)) {
            g_prefix_error(err, "-debugcon %s: ", s->debugcon);
            return false;
        }
    }
    for (i = 0; i < s->devices->len; i++) {
        const char *text = s->devices->pdata[i];

        if (!machine_plug_device(machine, text, err)) {
            g_prefix_error(err, "-device %s: ", text);
            return false;
        }
    }
    return true;
}

/* A machine as the settings describe it, not yet built. */
static Machine *machine_from_settings(Settings *s, GError **err)
{
    GPtrArray *opts = s->machine;
    const char *name = DEFAULT_MACHINE;
    const MachineType *type;
    Machine *machine;
    unsigned i;

    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, "type") == 0) {
            name = opt->value ? opt->value : "";
        }
    }
    type = machine_type_find(name, err);
    if (!type) {
        g_prefix_error(err, "-machine: ");
        return NULL;
    }
    machine = machine_new(type);
    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, "type") != 0 &&
            !machine_set(machine, opt->key, opt->value, err)) {
            g_prefix_error(err, "-machine: ");
            goto fail;
        }
    }
    if (!accel_check(machine->accel, err)) {
        g_prefix_error(err, "-machine: ");
        goto fail;
    }
    if (!s->kernel && (s->initrd || s->append)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s needs -kernel",
                    s->initrd ? "-initrd" : "-append");
        goto fail;
    }
    if (s->kernel && s->bios) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-kernel and -bios exclude each other: a kernel starts "
                    "without firmware");
        goto fail;
    }
    if (s->ram_size) {
        machine->ram_size = s->ram_size;
    }
    if (s->smp.cpus) {
        machine->cpus = s->smp.cpus;
    }
    machine->name = g_steal_pointer(&s->name);
    machine->mem_path = g_steal_pointer(&s->mem_path);
    machine->kernel = g_steal_pointer(&s->kernel);
    machine->initrd = g_steal_pointer(&s->initrd);
    machine->append = g_steal_pointer(&s->append);
    machine->bios = g_steal_pointer(&s->bios);
    if (s->serials->len == 0 && !s->nodefaults) {
        g_ptr_array_add(s->serials, g_strdup("stdio"));
    }
    return machine;

fail:
    machine_free(machine);
    return NULL;
}

/* ---- the run ----------------------------------------------------------------------- */

static gboolean signal_arrived(gint fd, GIOCondition condition, gpointer opaque)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof(info)) == sizeof(info)) {
        vm_request_shutdown("signal", EXIT_GUEST_OFF);
    }
    return G_SOURCE_CONTINUE;
}

/* Signals that ask a program to end become a shutdown of the machine. Before
 * other threads start, so that they inherit the mask. */
static int signals_init(void)
{
    sigset_t set;
    int fd;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd >= 0) {
        sigprocmask(SIG_BLOCK, &set, NULL);
        g_unix_fd_add(fd, G_IO_IN, signal_arrived, NULL);
    }
    return fd;
}

static void machine_reset_opaque(void *opaque)
{
    machine_reset(opaque);
}

static void machine_reset_locked(Machine *machine)
{
    memory_lock();
    machine_reset(machine);
    memory_unlock();
}

/* Build and run. Returns the exit status; -1 with @err. */
static int machine_run(Machine *machine, Settings *s, GError **err)
{
    Trace *trace = NULL;
    int status = -1;

    s->kvm.dirty_ring_size = s->dirty_ring_size;
    s->kvm.cpu_model = s->cpu;
    if (!machine->dumpdtb) {
        machine->kvm = kvm_new(&s->kvm, err);
        if (!machine->kvm) {
            return -1;
        }
    }
    if (!machine_open_serials(machine, s, err) || !machine_init(machine, err)) {
        goto out;
    }
    if (s->trace_mask) {
        trace = trace_new(s->trace_mask, s->trace_path, err);
        if (!trace) {
            goto out;
        }
    }
    if (!machine_plug_devices(machine, s, err)) {
        goto out;
    }
    if (machine->dumpdtb) {
        status = machine_prepare(machine, err) ? 0 : -1;
        goto out;
    }
    if (!cpus_create(machine->kvm, machine->cpus, &machine->memory,
                     &machine->ports, err)) {
        goto out;
    }
    if (!machine_prepare(machine, err) ||
        !kvm_attach(machine->kvm, &machine->memory, &machine->ports, err)) {
        goto out_cpus;
    }
    machine_reset_locked(machine);
    if (!cpus_start(err)) {
        goto out_cpus;
    }
    status = cpus_main_loop(machine_reset_opaque, machine, s->no_reboot);
out_cpus:
    cpus_destroy();
out:
    trace_free(trace);
    kvm_free(machine->kvm);
    machine->kvm = NULL;
    return status;
}

/* The number of a standard stream that is closed would be given to the next
 * file opened, which then would pass for that stream. */
static void streams_init(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

int main(int argc, char **argv)
{
    Settings settings = { .machine = opts_parse("", NULL),
                          .serials = g_ptr_array_new_with_free_func(g_free),
                          .devices = g_ptr_array_new_with_free_func(g_free) };
    GError *error = NULL;
    Machine *machine = NULL;
    int status = -1;
    int signals = -1;

    streams_init();
    if (!settings_parse(&settings, argc, argv, &error)) {
        goto out;
    }
    if (settings.done) {
        status = 0;
        goto out;
    }
    machine = machine_from_settings(&settings, &error);
    if (!machine) {
        goto out;
    }
    if (machine->name) {
        prctl(PR_SET_NAME, machine->name);
    }
    signals = signals_init();
    status = machine_run(machine, &settings, &error);
    machine_free(machine);
    if (signals >= 0) {
        close(signals);
    }
out:
    settings_clear(&settings);
    if (status < 0) {
        fprintf(stderr, PROGRAM ": %s\n", error->message);
        g_error_free(error);
        return EXIT_USAGE;
    }
    return status;
}
