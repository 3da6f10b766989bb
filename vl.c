/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main(): from what the command line says to a machine, and its run.
 */
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
#include "options.h"
#include "opts.h"
#include "sysemu.h"
#include "trace.h"

#define DEFAULT_MACHINE "microvm"

/* ---- from settings to a machine ---------------------------------------------------- */

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
            chr = chardev_open(id, machine->dumpdtb ? "null" : spec, err);
            if (!chr) {
                g_prefix_error(err, "-serial %s: ", spec);
                return false;
            }
            chardev_set_mux(chr, false);
        }
        g_ptr_array_add(machine->serials, chr);
    }
    return true;
}

static bool machine_plug_devices(Machine *machine, const Settings *s,
                                 GError **err)
{
    unsigned i;

    if (s->debugcon) {
        if (!chardev_open("debugcon", s->debugcon, err) ||
            !machine_plug(machine, "isa-debugcon,chardev=debugcon", err)) {
            g_prefix_error(err, "-debugcon %s: ", s->debugcon);
            return false;
        }
    }
    for (i = 0; i < s->devices->len; i++) {
        const char *text = s->devices->pdata[i];

        if (!machine_plug(machine, text, err)) {
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
        vm_request_shutdown(SHUTDOWN_CAUSE_HOST_SIGNAL, EXIT_GUEST_OFF);
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

static void machine_power_button_opaque(void *opaque)
{
    machine_power_button(opaque);
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
    status = vm_main_loop(&(RunOptions){ .no_reboot = s->no_reboot },
                          machine_reset_opaque, machine_power_button_opaque,
                          machine);
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
    Settings settings;
    GError *error = NULL;
    Machine *machine = NULL;
    int status = -1;
    int signals = -1;

    streams_init();
    settings_init(&settings);
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
    chardev_close_all();
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
