/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options, and how each is taken in; see options.h.
 */
#include "options.h"

#include <ctype.h>
#include <string.h>

#include "hw/rtc/rtc-options.h"
#include "monitor/qapi.h"
#include "options-boot.h"
#include "options-display.h"
#include "opts.h"
#include "readconfig.h"
#include "target-i386/cpu.h"
#include "trace.h"

typedef struct Option {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
    /* One of the three; none: accepted, and without effect here. */
    bool (*set)(Settings *s, const char *value, GError **err);
    size_t string; /* offset of a string that the last use sets */
    size_t flag;   /* offset of a bool that it turns on */
    const Property *properties; /* what its argument sets; NULL: no such list */
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
      "clusters in a die; counted in cores", 0 },
    { "cores", PROP_UINT32, offsetof(Smp, cores), NULL, "cores in a cluster",
      0 },
    { "threads", PROP_UINT32, offsetof(Smp, threads), NULL, "threads in a core",
      0 },
    { 0 },
};

typedef struct AccelSetting {
    char *accel;
    uint32_t dirty_ring_size;
} AccelSetting;

static const Property accel_properties[] = {
    { "accel", PROP_STRING, offsetof(AccelSetting, accel), NULL,
      "kvm, or qtest", 0 },
    { "dirty-ring-size", PROP_UINT32, offsetof(AccelSetting, dirty_ring_size),
      "0", "kvm: entries of each vCPU's dirty ring, a power of two; 0: a bitmap",
      65536 },
    { 0 },
};

static const Property name_properties[] = {
    { "guest", PROP_STRING, offsetof(Settings, name), NULL, "the guest's name",
      0 },
    { "debug-threads", PROP_BOOL, offsetof(Settings, debug_threads), NULL,
      "accepted; threads of vCPUs have names anyway", 0 },
    { 0 },
};

static const Property monitor_properties[] = {
    { "id", PROP_STRING, offsetof(MonitorSetting, id), NULL,
      "its name; nothing refers to it", 0 },
    { "chardev", PROP_STRING, offsetof(MonitorSetting, chardev), NULL,
      "the id of the character device", 0 },
    { "mode", PROP_STRING, offsetof(MonitorSetting, mode), "readline",
      "readline for a person, control for QMP", 0 },
    { "pretty", PROP_BOOL, offsetof(MonitorSetting, pretty), "off",
      "QMP in many lines", 0 },
    { 0 },
};

/* ---- the accelerator ------------------------------------------------------------- */

static const char *const accel_names[] = { "kvm", "qtest", NULL };

const char *accel_choose(GPtrArray *names, GError **err)
{
    unsigned i;

    for (i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        bool last = i + 1 == names->len;

        /* What KVM lacks is told by kvm_new(), unless there is another. */
        if (strcmp(name, "qtest") == 0) {
            return "qtest";
        }
        if (strcmp(name, "kvm") == 0 && (last || kvm_available(NULL))) {
            return "kvm";
        }
        if (last) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "no accelerator is called '%s'; there are 'kvm' and "
                        "'qtest'", name);
        }
    }
    return NULL;
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
    AccelSetting accel = { 0 };
    const char *nearest;
    bool ok;

    if (strcmp(value, "help") == 0) {
        printf("kvm\nqtest\n");
        s->done = true;
        return true;
    }
    if (strcmp(value, "kvm,help") == 0) {
        properties_print(accel_properties + 1, stdout);
        s->done = true;
        return true;
    }
    properties_init(accel_properties, &accel);
    ok = opts_set(value, "accel", accel_properties, &accel, "-accel", err);
    if (ok && accel.accel && !g_strv_contains(accel_names, accel.accel)) {
        nearest = nearest_name(accel.accel, accel_names);
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "no accelerator is called '%s'; there are 'kvm' and "
                    "'qtest'%s%s%s", accel.accel,
                    nearest ? "; did you mean '" : "", nearest ? nearest : "",
                    nearest ? "'?" : "");
        ok = false;
    }
    if (ok) {
        g_ptr_array_add(s->accels, g_strdup(accel.accel ? accel.accel : "kvm"));
        s->dirty_ring_size = accel.dirty_ring_size;
    }
    properties_clear(accel_properties, &accel);
    return ok;
}

static bool enable_kvm(Settings *s, const char *value, GError **err)
{
    return set_accel(s, "kvm", err);
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

    *smp = (Smp){ .cpus = UINT32_MAX };
    if (!opts_set(value, "cpus", smp_properties, smp, "-smp", err)) {
        return false;
    }
    smp->dies = MAX(smp->dies, 1);
    smp->threads = MAX(smp->threads, 1);
    product = (unsigned __int128)smp->dies * smp->threads * MAX(smp->clusters, 1);
    product *= (uint64_t)MAX(smp->sockets, 1) * MAX(smp->cores, 1);
    if (smp->cpus == UINT32_MAX) {
        smp->cpus = MIN(smp->maxcpus ? smp->maxcpus : product, UINT32_MAX);
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
    /* What is not said: cores, rather than sockets. */
    if (!smp->cores) {
        smp->cores = smp->cpus / product;
    } else if (!smp->sockets) {
        smp->sockets = smp->cpus / product;
    }
    smp->sockets = MAX(smp->sockets, 1);
    smp->cores *= MAX(smp->clusters, 1);
    return true;
}

/* ---- and so on --------------------------------------------------------------------- */

static bool add_serial(Settings *s, const char *value, GError **err)
{
    g_ptr_array_add(s->serials, g_strdup(value));
    return true;
}

/* Help for "TYPE,help" and "help"; *@given says whether it was that. */
static bool type_help(Settings *s, const char *value, const char *key,
                      void (*print_types)(FILE *out),
                      bool (*print_properties)(const char *type, FILE *out,
                                               GError **err),
                      GError **err)
{
    g_autoptr(GPtrArray) opts = opts_parse(value, key);
    const char *type = NULL;
    bool help = false;
    unsigned i;

    for (i = 0; i < opts->len; i++) {
        Opt *opt = opts->pdata[i];

        if (strcmp(opt->key, key) == 0) {
            type = opt->value;
        }
        help |= strcmp(opt->key, "help") == 0;
    }
    if (!type) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "what it is is missing: '%s=...'; 'help' lists what there "
                    "is", key);
        return false;
    }
    if (strcmp(type, "help") == 0) {
        s->done = true;
        print_types(stdout);
    } else if (help) {
        s->done = true;
        return print_properties(type, stdout, err);
    }
    return true;
}

static bool device_help(const char *name, FILE *out, GError **err)
{
    const DeviceType *type = device_type_find(name, err);

    if (type) {
        device_print_properties(type, out);
    }
    return type != NULL;
}

static bool add_device(Settings *s, const char *value, GError **err)
{
    g_ptr_array_add(s->devices, g_strdup(value));
    return type_help(s, value, "driver", device_print_types, device_help, err);
}

static bool add_object(Settings *s, const char *value, GError **err)
{
    g_ptr_array_add(s->objects, g_strdup(value));
    return type_help(s, value, "qom-type", user_object_print_types,
                     user_object_print_properties, err);
}

static bool add_global(Settings *s, const char *value, GError **err)
{
    return device_add_global(value, err);
}

static bool add_chardev(Settings *s, const char *value, GError **err)
{
    g_ptr_array_add(s->chardevs, g_strdup(value));
    return type_help(s, value, "backend", chardev_print_backends,
                     chardev_print_keys, err);
}

/* ---- monitors ---------------------------------------------------------------------- */

static void monitor_setting_free(void *opaque)
{
    MonitorSetting *m = opaque;

    properties_clear(monitor_properties, m);
    g_free(m);
}

static MonitorSetting *monitor_setting_add(Settings *s)
{
    MonitorSetting *m = g_new0(MonitorSetting, 1);

    properties_init(monitor_properties, m);
    g_ptr_array_add(s->monitors, m);
    return m;
}

static bool add_monitor_on(Settings *s, const char *option, const char *chardev,
                           const char *mode, bool pretty)
{
    MonitorSetting *m = monitor_setting_add(s);

    m->option = option;
    m->chardev = g_strdup(chardev);
    g_free(m->mode);
    m->mode = g_strdup(mode);
    m->pretty = pretty;
    return true;
}

static bool add_monitor(Settings *s, const char *value, GError **err)
{
    s->no_monitor = strcmp(value, "none") == 0;
    return s->no_monitor || add_monitor_on(s, "monitor", value, "readline",
                                            false);
}

static bool print_qmp(Settings *s)
{
    g_autofree char *text = qapi_document();

    fputs(text, stdout);
    s->done = true;
    return true;
}

static bool add_qmp(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        return print_qmp(s);
    }
    return strcmp(value, "none") == 0 ||
           add_monitor_on(s, "qmp", value, "control", false);
}

static bool add_qmp_pretty(Settings *s, const char *value, GError **err)
{
    return add_monitor_on(s, "qmp-pretty", value, "control", true);
}

static bool add_mon(Settings *s, const char *value, GError **err)
{
    MonitorSetting *m = monitor_setting_add(s);

    if (!opts_set(value, "chardev", monitor_properties, m, "-mon", err)) {
        return false;
    }
    if (!m->chardev) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "chardev=ID is missing: the one that the monitor is on");
        return false;
    }
    if (strcmp(m->mode, "readline") && strcmp(m->mode, "control")) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "mode is 'readline' or 'control', not '%s'", m->mode);
        return false;
    }
    return true;
}

/* ---- and so on --------------------------------------------------------------------- */

static bool set_name(Settings *s, const char *value, GError **err)
{
    return opts_set(value, "guest", name_properties, s, "-name", err);
}

/* Sound: there is none, so only that can be asked for. */
static bool accept_none(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        printf("none\n");
        s->done = true;
    } else if (strcmp(value, "none") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "'%s' cannot be chosen; there is "
                    "'none'", value);
        return false;
    }
    return true;
}

static bool set_gdb_default(Settings *s, const char *value, GError **err)
{
    g_free(s->gdb);
    s->gdb = g_strdup("tcp::1234");
    return true;
}

/* What others call by options of their own. */
static bool set_no_acpi(Settings *s, const char *value, GError **err)
{
    return set_machine(s, "acpi=off", err);
}

static bool set_no_hpet(Settings *s, const char *value, GError **err)
{
    return set_machine(s, "hpet=off", err);
}

static bool set_rtc(Settings *s, const char *value, GError **err)
{
    if (strcmp(value, "help") == 0) {
        printf("%s\n", rtc_options_help);
        s->done = true;
        return true;
    }
    return rtc_options_parse(value, &s->rtc, err);
}

static bool set_uuid(Settings *s, const char *value, GError **err)
{
    if (!g_uuid_string_is_valid(value)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "'%s' is no UUID: 32 hexadecimal digits, as in "
                    "6ba7b810-9dad-11d1-80b4-00c04fd430c8", value);
        return false;
    }
    g_free(s->uuid);
    s->uuid = g_ascii_strdown(value, -1);
    return true;
}

static bool read_group(const char *group, const char *text, void *opaque,
                       GError **err);

static bool read_config(Settings *s, const char *value, GError **err)
{
    return readconfig(value, read_group, s, err);
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
    printf("\nIn a terminal: Ctrl-A x ends, Ctrl-A c goes to the monitor and "
           "back, Ctrl-A h\nlists more. The man page says more.\n");
    s->done = true;
    return true;
}

#define STRING(field) .string = offsetof(Settings, field)
#define FLAG(field) .flag = offsetof(Settings, field)
#define CALL(function) .set = function
#define LIST(function, list) .set = function, .properties = list

#define BACKEND "BACKEND"

static const Option options[] = {
    { "machine", "TYPE[,PROP=VALUE...]",
      "the board; 'help' and 'TYPE,help' list", CALL(set_machine) },
    { "M", "TYPE[,PROP=VALUE...]", "the same as -machine", CALL(set_machine) },
    { "accel", "kvm|qtest[,PROP=VALUE...]",
      "what runs the vCPUs; 'help' and 'kvm,help' list",
      LIST(set_accel, accel_properties) },
    { "enable-kvm", NULL, "the same as -accel kvm", CALL(enable_kvm) },
    { "cpu", "MODEL[,+FEATURE...]", "the vCPU model and features; 'help' lists",
      CALL(set_cpu) },
    { "smp", "N", "the number of vCPUs, 1 if not given",
      LIST(set_smp, smp_properties) },
    { "m", "SIZE", "guest memory in MiB, or with a suffix K, M, G, T",
      LIST(set_memory, memory_properties) },
    { "mem-path", "PATH", "memory from this file, or from a file in this directory",
      STRING(mem_path) },
    { "name", "NAME", "a name for the guest, also for ps and top",
      LIST(set_name, name_properties) },
    { "uuid", "UUID", "the machine's UUID, as monitors show it",
      CALL(set_uuid) },
    { "rtc", "[base=TIME][,clock=CLOCK]",
      "what the guest's clock shows; 'help' lists", CALL(set_rtc) },
    { "kernel", "FILE",
      "a Linux bzImage, a multiboot image, or an ELF kernel with a PVH entry",
      STRING(kernel) },
    { "initrd", "FILE", "its initramfs, or its modules, parted by commas",
      STRING(initrd) },
    { "append", "TEXT", "the kernel's command line", STRING(append) },
    { "bios", "FILE", "firmware, or any raw image that ends at 4 GiB and starts there",
      STRING(bios) },
    { "boot", "[order=]DRIVES[,menu=on][,PROP=VALUE...]",
      "what firmware starts from, and whether it asks",
      LIST(option_set_boot, boot_properties) },
    { "fw_cfg", "[name=]NAME,file=FILE|string=TEXT", "a file for the firmware",
      LIST(option_add_fw_cfg, fw_cfg_properties) },
    { "option-rom", "[romfile=]FILE[,bootindex=N]",
      "an option ROM that firmware runs, and may start from",
      LIST(option_add_option_rom, option_rom_properties) },
    { "smbios", "type=N[,KEY=VALUE...] or file=FILE",
      "what the machine says that it is; 'help' lists", CALL(option_add_smbios) },
    { "drive", "if=pflash,file=FILE[,PROP=VALUE...]",
      "flash memory that holds firmware, or its variables",
      LIST(option_add_drive, drive_properties) },
    { "pflash", "FILE", "the same as -drive if=pflash,file=FILE",
      CALL(option_add_pflash) },
    { "chardev", "KIND,id=ID[,KEY=VALUE...]",
      "a character device, to be named by others; 'help' lists",
      CALL(add_chardev) },
    { "serial", BACKEND,
      "a serial port: stdio, null, none, file:PATH, pty, unix:PATH, "
      "tcp:HOST:PORT, chardev:ID, mon:BACKEND", CALL(add_serial) },
    { "debugcon", BACKEND, "a debug console at port 0xe9", STRING(debugcon) },
    { "monitor", BACKEND, "a monitor for a person, or none", CALL(add_monitor) },
    { "qmp", BACKEND,
      "a monitor for programs (QMP); 'help' prints all commands", CALL(add_qmp) },
    { "qmp-pretty", BACKEND, "the same, in many lines", CALL(add_qmp_pretty) },
    { "mon", "ID[,mode=readline|control][,pretty=on]",
      "a monitor on the character device ID", LIST(add_mon, monitor_properties) },
    { "gdb", BACKEND, "serve gdb, e.g. on tcp::1234", STRING(gdb) },
    { "s", NULL, "the same as -gdb tcp::1234", CALL(set_gdb_default) },
    { "qtest", BACKEND, "with -accel qtest: serve a test's commands",
      STRING(qtest) },
    { "qtest-log", "FILE", "write what is said there to this file",
      STRING(qtest_log) },
    { "device", "NAME[,PROP=VALUE...]", "add a device; 'help' and 'NAME,help' list",
      CALL(add_device) },
    { "object", "TYPE,id=ID[,PROP=VALUE...]",
      "add an object; 'help' and 'TYPE,help' list", CALL(add_object) },
    { "global", "TYPE.PROP=VALUE", "a default for every device of that type",
      CALL(add_global) },
    { "readconfig", "FILE", "read options from this file", CALL(read_config) },
    { "no-acpi", NULL, "the same as -machine acpi=off", CALL(set_no_acpi) },
    { "no-hpet", NULL, "the same as -machine hpet=off", CALL(set_no_hpet) },
    { "nodefaults", NULL, "no serial port, monitor, card or window unless asked for",
      FLAG(nodefaults) },
    { "no-user-config", NULL, "accepted; only -readconfig reads files",
      CALL(NULL) },
    { "vga", "std|none", "the display card; 'help' lists", CALL(option_set_vga) },
    { "display", "KIND[,PROP=VALUE...]",
      "a window, or where else the screen is seen; 'help' and 'KIND,help' list",
      CALL(option_set_display) },
    { "vnc", "HOST:DISPLAY[,PROP=VALUE...]",
      "serve the screen by VNC, or none; 'help' lists", CALL(option_add_vnc) },
    { "k", "LAYOUT", "the keyboard of who types there, as XKB names it: us, de, fr",
      STRING(keyboard) },
    { "nographic", NULL,
      "no display card and no display; serial port and monitor are on the terminal",
      FLAG(nographic) },
    { "audio", "none", "accepted; there is no sound", CALL(accept_none) },
    { "S", NULL, "do not run the vCPUs before a monitor says so",
      FLAG(run.start_paused) },
    { "no-reboot", NULL, "end where the guest would restart",
      FLAG(run.no_reboot) },
    { "no-shutdown", NULL, "stop, and do not end, where the guest powers off",
      FLAG(run.no_shutdown) },
    { "daemonize", NULL, "go to the background once the machine is ready",
      FLAG(daemonize) },
    { "pidfile", "FILE", "write the process id to this file", STRING(pidfile) },
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

/* @text is the option as the user wrote it, @value NULL where it takes none. */
static bool option_apply(Settings *s, const Option *o, const char *text,
                         const char *value, GError **err)
{
    /* A command line may be empty, anything else is a slip. */
    if (value && !*value && o->string != offsetof(Settings, append)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "%s: what follows is empty: %s",
                    text, o->argument);
        return false;
    }
    if (o->string) {
        char **string = (char **)((char *)s + o->string);

        g_free(*string);
        *string = g_strdup(value);
    } else if (o->flag) {
        *(bool *)((char *)s + o->flag) = true;
    } else if (o->set && !o->set(s, value, err)) {
        if (!g_str_has_prefix((*err)->message, text)) {
            g_prefix_error(err, "%s%s%s: ", text, value ? " " : "",
                           value ? value : "");
        }
        return false;
    }
    return true;
}

/* Groups of a file of settings that are not called as the option. */
static const char *group_option(const char *group)
{
    return strcmp(group, "memory") == 0     ? "m"
           : strcmp(group, "smp-opts") == 0 ? "smp"
                                            : group;
}

static bool read_group(const char *group, const char *text, void *opaque,
                       GError **err)
{
    const Option *o = option_find(group_option(group), err);

    if (!o) {
        return false;
    }
    if (!o->argument || o->string || o->set == read_config) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "the option '-%s' has no settings; it belongs on the "
                    "command line", o->name);
        return false;
    }
    return !*text || option_apply(opaque, o, o->name, text, err);
}

bool settings_parse(Settings *s, int argc, char **argv, GError **err)
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
        }
        if (!option_apply(s, o, text, value, err)) {
            return false;
        }
    }
    return true;
}

void settings_init(Settings *s)
{
    *s = (Settings){ .machine = opts_parse("", NULL),
                     .accels = g_ptr_array_new_with_free_func(g_free),
                     .serials = g_ptr_array_new_with_free_func(g_free),
                     .devices = g_ptr_array_new_with_free_func(g_free),
                     .chardevs = g_ptr_array_new_with_free_func(g_free),
                     .objects = g_ptr_array_new_with_free_func(g_free),
                     .monitors = g_ptr_array_new_with_free_func(
                         monitor_setting_free) };
    settings_init_boot(s);
    settings_init_displays(s);
}

void settings_clear(Settings *s)
{
    const Option *o;

    for (o = options; o->name; o++) {
        if (o->string) {
            g_free(*(char **)((char *)s + o->string));
        }
    }
    g_ptr_array_free(s->machine, TRUE);
    g_ptr_array_free(s->accels, TRUE);
    g_ptr_array_free(s->serials, TRUE);
    g_ptr_array_free(s->devices, TRUE);
    g_ptr_array_free(s->chardevs, TRUE);
    g_ptr_array_free(s->objects, TRUE);
    g_ptr_array_free(s->monitors, TRUE);
    settings_clear_boot(s);
    settings_clear_displays(s);
    g_free(s->cpu);
    g_free(s->name);
    g_free(s->uuid);
}

void options_describe(void (*fn)(const OptionInfo *info, void *opaque),
                      void *opaque)
{
    const Option *o;

    for (o = options; o->name; o++) {
        OptionInfo info = { o->name, o->argument, o->help, o->properties };

        fn(&info, opaque);
    }
}
