/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of options, and how each is taken in; see options.h.
 */
#include "options.h"

#include <ctype.h>
#include <string.h>

#include "hw/core/machine.h"
#include "opts.h"
#include "target-i386/cpu.h"
#include "trace.h"

typedef struct Option {
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;
    /* Either of the two; neither: accepted, and without effect here. */
    bool (*set)(Settings *s, const char *value, GError **err);
    size_t string; /* offset of a string that the last use sets */
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

bool accel_check(const char *accel, GError **err)
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
    printf("\nIn a terminal: Ctrl-A x ends, Ctrl-A h lists the other keys. The man "
           "page says\nmore.\n");
    s->done = true;
    return true;
}

#define STRING(field) NULL, offsetof(Settings, field), NULL
#define CALL(function) function, 0, NULL
#define LIST(function, list) function, 0, list

static const Option options[] = {
    { "machine", "TYPE[,PROP=VALUE...]", "the board; 'help' and 'TYPE,help' list",
      CALL(set_machine) },
    { "M", "TYPE[,PROP=VALUE...]", "the same as -machine", CALL(set_machine) },
    { "accel", "kvm[,PROP=VALUE...]", "the accelerator; 'help' and 'kvm,help' list",
      LIST(set_accel, accel_properties) },
    { "cpu", "MODEL[,+FEATURE...]", "the vCPU model and features; 'help' lists",
      CALL(set_cpu) },
    { "smp", "N", "the number of vCPUs, 1 if not given", LIST(set_smp, smp_properties) },
    { "m", "SIZE", "guest memory in MiB, or with a suffix K, M, G, T",
      LIST(set_memory, memory_properties) },
    { "mem-path", "PATH", "memory from this file, or from a file in this directory",
      STRING(mem_path) },
    { "name", "NAME", "a name for the guest, also for ps and top", LIST(set_name, name_properties) },
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

void settings_init(Settings *s)
{
    *s = (Settings){ .machine = opts_parse("", NULL),
                     .serials = g_ptr_array_new_with_free_func(g_free),
                     .devices = g_ptr_array_new_with_free_func(g_free) };
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
    g_free(s->accel);
    g_free(s->cpu);
    g_free(s->name);
    g_ptr_array_free(s->serials, TRUE);
    g_ptr_array_free(s->devices, TRUE);
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
