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
#include "daemon.h"
#include "gdbstub.h"
#include "hw/core/clock.h"
#include "hw/core/machine.h"
#include "monitor/monitor.h"
#include "options-display.h"
#include "opts.h"
#include "qtest.h"
#include "sysemu.h"
#include "trace.h"
#include "ui/display.h"

/* ---- from settings to a machine ---------------------------------------------------- */

/* The character device for @spec, which other options may have opened already
 * ("chardev:ID"). */
static Chardev *open_chardev(const char *option, const char *id,
                             const char *spec, GError **err)
{
    Chardev *chr = chardev_open(id, spec, err);

    if (!chr) {
        g_prefix_error(err, "-%s %s: ", option, spec);
    }
    return chr;
}

static bool open_chardevs(const Settings *s, GError **err)
{
    unsigned i;

    for (i = 0; i < s->chardevs->len; i++) {
        const char *text = s->chardevs->pdata[i];

        if (!chardev_open_opts(text, err)) {
            g_prefix_error(err, "-chardev %s: ", text);
            return false;
        }
    }
    return true;
}

/* The character device on standard input and output; NULL: none as yet. */
static Chardev *find_stdio(void)
{
    g_autoptr(GPtrArray) list = chardev_list();
    unsigned i;

    for (i = 0; i < list->len; i++) {
        g_autofree char *name = chardev_filename(list->pdata[i]);

        if (strcmp(name, "stdio") == 0) {
            return list->pdata[i];
        }
    }
    return NULL;
}

/* A process in the background has no terminal and no standard streams. */
static bool check_streams(const Settings *s, GError **err)
{
    Chardev *chr = s->daemonize || s->terminal_taken ? find_stdio() : NULL;

    if (chr && s->terminal_taken) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-display curses: character device '%s' is on the terminal that "
                    "the screen is to be shown in; use a file, a socket or a pty",
                    chardev_id(chr));
        return false;
    }

    if (chr) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-daemonize: character device '%s' is on standard input and "
                    "output, which are not there in the background; use a file, "
                    "a socket or a pty", chardev_id(chr));
    }
    return !chr;
}

/* Where the first serial port leads if nobody says: to the user, unless that is
 * taken, or the process is in the background or a test's. */
static void add_default_serial(Settings *s)
{
    bool stdio = !s->daemonize && !s->qtest && !s->terminal_taken && !find_stdio();

    if (s->serials->len == 0 && !s->nodefaults) {
        g_ptr_array_add(s->serials, g_strdup(stdio ? "stdio" : "null"));
    }
}

/* An empty place among the serial ports, for "none", keeps its number. */
static bool open_serials(Machine *machine, Settings *s, GError **err)
{
    unsigned i;

    add_default_serial(s);
    for (i = 0; i < s->serials->len; i++) {
        const char *spec = s->serials->pdata[i];
        g_autofree char *id = g_strdup_printf("serial%u", i);
        Chardev *chr = NULL;

        if (strcmp(spec, "none") != 0) {
            chr = open_chardev("serial", id, machine->dumpdtb ? "null" : spec,
                               err);
            if (!chr) {
                return false;
            }
            chardev_set_mux(chr, false);
        }
        g_ptr_array_add(machine->serials, chr);
    }
    return true;
}

static bool plug_devices(Machine *machine, const Settings *s, GError **err)
{
    unsigned i;

    if (s->debugcon) {
        g_autofree char *text = NULL;
        Chardev *chr = open_chardev("debugcon", "debugcon", s->debugcon, err);

        if (!chr) {
            return false;
        }
        text = g_strdup_printf("isa-debugcon,chardev=%s", chardev_id(chr));
        if (!machine_plug(machine, text, err)) {
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

static bool choose_accel(Machine *machine, Settings *s, GError **err)
{
    g_auto(GStrv) names = g_strsplit(machine->accel, ":", -1);
    const char *accel;
    unsigned i;

    if (s->accels->len == 0) {
        for (i = 0; names[i]; i++) {
            g_ptr_array_add(s->accels, g_strdup(names[i]));
        }
    }
    accel = accel_choose(s->accels, err);
    if (!accel) {
        g_prefix_error(err, "-machine: accel: ");
        return false;
    }
    if (s->qtest && strcmp(accel, "qtest") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "-qtest needs -accel qtest");
        return false;
    }
    g_free(machine->accel);
    machine->accel = g_strdup(accel);
    return true;
}

/* @type knows no firmware but an image that it starts in place of a kernel. */
static bool check_no_firmware(const Settings *s, const MachineType *type,
                              GError **err)
{
    const char *option = s->fw_cfg->len ? "-fw_cfg"
                       : s->flash->len  ? "-drive"
                       : s->smbios      ? "-smbios"
                       : s->option_roms->len ? "-option-rom" : NULL;

    if (s->kernel && s->bios) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-kernel and -bios exclude each other on machine '%s': a "
                    "kernel starts without firmware there", type->name);
        return false;
    }
    if (option) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s: machine '%s' has no firmware that this is for; "
                    "machine 'pc' has", option, type->name);
    }
    return !option;
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
    if (!choose_accel(machine, s, err)) {
        goto fail;
    }
    if (!s->kernel && (s->initrd || s->append)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s needs -kernel",
                    s->initrd ? "-initrd" : "-append");
        goto fail;
    }
    if (!type->has_firmware && !check_no_firmware(s, type, err)) {
        goto fail;
    }
    if (s->ram_size) {
        machine->ram_size = s->ram_size;
    }
    if (s->smp.cpus) {
        machine->cpus = s->smp.cpus;
        machine->topology = (CPUTopology){ s->smp.sockets, s->smp.dies,
                                           s->smp.cores, s->smp.threads };
    }
    if (!settings_finish_displays(s, machine, err)) {
        goto fail;
    }
    settings_move_boot(s, machine);
    machine->name = g_steal_pointer(&s->name);
    machine->mem_path = g_steal_pointer(&s->mem_path);
    machine->kernel = g_steal_pointer(&s->kernel);
    machine->initrd = g_steal_pointer(&s->initrd);
    machine->append = g_steal_pointer(&s->append);
    machine->bios = g_steal_pointer(&s->bios);
    machine->rtc = s->rtc;
    if (s->uuid) {
        machine->uuid = g_steal_pointer(&s->uuid);
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

static void machine_suspend_opaque(void *opaque)
{
    Machine *machine = opaque;

    if (machine->type->suspend) {
        machine->type->suspend(machine);
    }
}

static void machine_wakeup_opaque(void *opaque, WakeupReason reason)
{
    Machine *machine = opaque;

    if (machine->type->wakeup) {
        machine->type->wakeup(machine, reason);
    }
}

static void machine_reset_locked(Machine *machine)
{
    memory_lock();
    machine_reset(machine);
    memory_unlock();
}

/* ---- who controls it --------------------------------------------------------------- */

/* What serves those outside; all NULL where nobody asked. */
typedef struct Control {
    Chardev *qtest_chardev, *gdb_chardev;
    FILE *qtest_log;
    QTest *qtest;
    GDBStub *gdb;
    GPtrArray *chardevs; /* Chardev *, of each monitor setting */
    GPtrArray *monitors; /* Monitor *, owned */
} Control;

/* Open what may have to wait for a peer, before there is a machine that could
 * be told anything. */
static bool control_open(Control *c, const Settings *s, GError **err)
{
    unsigned i;

    c->chardevs = g_ptr_array_new();
    c->monitors = g_ptr_array_new_with_free_func((GDestroyNotify)monitor_free);
    if (s->qtest_log) {
        c->qtest_log = output_stream_open(s->qtest_log);
        if (!c->qtest_log) {
            g_set_error(err, FLATVIEW_ERROR, 0, "-qtest-log: cannot write '%s': %s",
                        s->qtest_log, output_stream_error(errno));
            return false;
        }
    }
    if (s->qtest) {
        c->qtest_chardev = open_chardev("qtest", "qtest", s->qtest, err);
        if (!c->qtest_chardev) {
            return false;
        }
    }
    if (s->gdb && strcmp(s->gdb, "none") != 0) {
        g_autofree char *spec =
            g_str_has_prefix(s->gdb, "tcp:") && !strchr(s->gdb, ',')
                ? g_strconcat(s->gdb, ",server=on,wait=off", NULL)
                : g_strdup(s->gdb);

        c->gdb_chardev = open_chardev("gdb", "gdb", spec, err);
        if (!c->gdb_chardev) {
            return false;
        }
    }
    for (i = 0; i < s->monitors->len; i++) {
        const MonitorSetting *m = s->monitors->pdata[i];
        g_autofree char *id = g_strdup_printf("compat_monitor%u", i);
        Chardev *chr = m->option ? open_chardev(m->option, id, m->chardev, err)
                                 : chardev_find(m->chardev);

        if (!chr) {
            if (!m->option) {
                g_set_error(err, FLATVIEW_ERROR, FLATVIEW_ERROR_NOT_FOUND,
                            "-mon: there is no character device '%s'; "
                            "-chardev makes one", m->chardev);
            }
            return false;
        }
        g_ptr_array_add(c->chardevs, chr);
    }
    return true;
}

static bool control_add_monitor(Control *c, Chardev *chr, MonitorMode mode,
                                bool pretty, GError **err)
{
    Monitor *mon = monitor_new(chr, mode, pretty, err);

    if (mon) {
        g_ptr_array_add(c->monitors, mon);
    }
    return mon != NULL;
}

/* Whether a person at serial port @spec, on @chr, is to have a monitor there:
 * asked for ("mon:"), or because it is a terminal that has none by -mon. */
static bool serial_has_monitor(const Control *c, const Settings *s,
                               const char *spec, Chardev *chr)
{
    if (!chr) {
        return false;
    }
    if (g_str_has_prefix(spec, "mon:")) {
        return true;
    }
    if (!chardev_is_terminal(chr) || g_ptr_array_find(c->chardevs, chr, NULL)) {
        return false;
    }
    return !s->nodefaults && !s->no_monitor;
}

/* Begin to serve. The machine is ready to run. */
static bool control_start(Control *c, Machine *machine, const Settings *s,
                          GError **err)
{
    unsigned i;

    for (i = 0; i < s->monitors->len; i++) {
        const MonitorSetting *m = s->monitors->pdata[i];

        if (!control_add_monitor(c, c->chardevs->pdata[i],
                                 strcmp(m->mode, "control") == 0
                                     ? MONITOR_CONTROL : MONITOR_HUMAN,
                                 m->pretty, err)) {
            return false;
        }
    }
    for (i = 0; i < machine->serials->len; i++) {
        Chardev *chr = machine->serials->pdata[i];

        if (serial_has_monitor(c, s, s->serials->pdata[i], chr) &&
            !control_add_monitor(c, chr, MONITOR_HUMAN, false, err)) {
            return false;
        }
    }
    if (c->qtest_chardev) {
        c->qtest = qtest_new(machine, c->qtest_chardev, c->qtest_log, err);
        if (!c->qtest) {
            return false;
        }
    }
    if (c->gdb_chardev) {
        c->gdb = gdbstub_new(c->gdb_chardev, err);
    }
    return !c->gdb_chardev || c->gdb;
}

static void control_end(Control *c)
{
    gdbstub_free(c->gdb);
    qtest_free(c->qtest);
    if (c->monitors) {
        g_ptr_array_free(c->monitors, TRUE);
        g_ptr_array_free(c->chardevs, TRUE);
    }
    if (c->qtest_log) {
        fclose(c->qtest_log);
    }
    *c = (Control){ 0 };
}

/* ---- the run ----------------------------------------------------------------------- */

static bool add_objects(const Settings *s, GError **err)
{
    unsigned i;

    for (i = 0; i < s->objects->len; i++) {
        const char *text = s->objects->pdata[i];

        if (!user_object_add(text, err)) {
            g_prefix_error(err, "-object %s: ", text);
            return false;
        }
    }
    return true;
}

/* Make the accelerator, or what stands in for it. */
static bool accel_start(Machine *machine, Settings *s, GError **err)
{
    if (strcmp(machine->accel, "qtest") == 0) {
        clock_virtual_set_manual();
        return true;
    }
    s->kvm.dirty_ring_size = s->dirty_ring_size;
    s->kvm.cpu_model = s->cpu;
    s->kvm.dies = machine->topology.dies;
    s->kvm.cores = machine->topology.cores;
    s->kvm.threads = machine->topology.threads;
    if (!machine->dumpdtb) {
        machine->kvm = kvm_new(&s->kvm, err);
    }
    return machine->dumpdtb || machine->kvm;
}

/* Build and run. Returns the exit status; -1 with @err. */
static int machine_run(Machine *machine, Settings *s, GError **err)
{
    Control control = { 0 };
    Trace *trace = NULL;
    int status = -1;

    if (!accel_start(machine, s, err)) {
        return -1;
    }
    if (!open_chardevs(s, err) || !control_open(&control, s, err) ||
        !open_serials(machine, s, err) || !check_streams(s, err) ||
        !add_objects(s, err) ||
        !machine_init(machine, err)) {
        goto out;
    }
    if (s->trace_mask) {
        trace = trace_new(s->trace_mask, s->trace_path, err);
        if (!trace) {
            goto out;
        }
    }
    if (!plug_devices(machine, s, err)) {
        goto out;
    }
    device_globals_check(stderr);
    if (machine->dumpdtb) {
        status = machine_prepare(machine, err) ? 0 : -1;
        goto out;
    }
    if (machine->cpus && !cpus_create(machine->kvm, machine->cpus,
                                      &machine->memory, &machine->ports, err)) {
        goto out;
    }
    if (!machine_prepare(machine, err) ||
        (machine->kvm &&
         !kvm_attach(machine->kvm, &machine->memory, &machine->ports, err)) ||
        (machine->kvm && machine->smm_memory &&
         !kvm_attach_smm(machine->kvm, machine->smm_memory, err))) {
        goto out_cpus;
    }
    monitor_set_machine(machine);
    machine_reset_locked(machine);
    if (!settings_open_displays(s, err) ||
        !control_start(&control, machine, s, err) || !cpus_start(err)) {
        goto out_cpus;
    }
    daemon_ready();
    status = vm_main_loop(&s->run, &(RunMachine){
        .reset = machine_reset_opaque, .power_button = machine_power_button_opaque,
        .suspend = machine_suspend_opaque, .wakeup = machine_wakeup_opaque,
        .opaque = machine });
out_cpus:
    displays_close();
    control_end(&control);
    monitor_set_machine(NULL);
    cpus_destroy();
out:
    control_end(&control);
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
    if (settings.daemonize && !daemon_start(&error)) {
        goto out;
    }
    if (settings.pidfile && !pidfile_write(settings.pidfile, &error)) {
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
    user_objects_free();
    chardev_close_all();
    if (signals >= 0) {
        close(signals);
    }
out:
    pidfile_remove();
    settings_clear(&settings);
    if (status < 0) {
        fprintf(stderr, PROGRAM ": %s\n", error->message);
        g_error_free(error);
        return EXIT_USAGE;
    }
    return status;
}
