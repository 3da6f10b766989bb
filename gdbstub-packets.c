/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the packets of gdb's remote serial protocol ask for. Specification:
 * "Debugging with GDB", appendix "GDB Remote Serial Protocol"; the packets with
 * qemu in their names as clients of that program use them.
 */
#include "gdbstub-internal.h"

#include <errno.h>
#include <string.h>

#include "cpu-gdb.h"
#include "monitor/monitor.h"
#include "sysemu.h"

/* Bytes of memory in one packet, as hex digits. */
#define MEMORY_MAX (GDB_PACKET_MAX / 2 - 32)

void gdb_send_reply(GDBStub *stub)
{
    gdb_wire_send(&stub->wire, stub->reply->str, stub->reply->len);
}

void gdb_send_error(GDBStub *stub, int error)
{
    g_string_printf(stub->reply, "E%02x", error & 0xff);
    gdb_send_reply(stub);
}

/* The answer is "OK", or the error. */
static void reply_result(GDBStub *stub, int error)
{
    if (error) {
        g_string_printf(stub->reply, "E%02x", error & 0xff);
    } else {
        g_string_assign(stub->reply, "OK");
    }
}

static CPUState *current_cpu(GDBStub *stub)
{
    return cpus_get(stub->cpu);
}

/* Move *@text behind @c; false if there is something else. */
static bool skip(const char **text, char c)
{
    if (**text != c) {
        return false;
    }
    (*text)++;
    return true;
}

/* ---- threads: vCPU n is thread n + 1 ------------------------------------------ */

/* A thread's number: a vCPU's index, or GDB_ALL_CPUS; 0 for any is @any. */
static bool get_thread(const char **text, int any, int *cpu)
{
    uint64_t number;

    if (g_str_has_prefix(*text, "-1")) {
        *text += 2;
        *cpu = GDB_ALL_CPUS;
        return true;
    }
    if (!gdb_hex_number(text, &number) || number > cpus_count()) {
        return false;
    }
    *cpu = number ? (int)number - 1 : any;
    return true;
}

static bool set_thread(GDBStub *stub, const char *args)
{
    char purpose = *args++;
    int cpu;

    if ((purpose != 'g' && purpose != 'c') ||
        !get_thread(&args, purpose == 'g' ? (int)stub->cpu : GDB_ALL_CPUS,
                    &cpu) ||
        *args || (purpose == 'g' && cpu == GDB_ALL_CPUS)) {
        reply_result(stub, EINVAL);
        return true;
    }
    if (purpose == 'g') {
        stub->cpu = cpu;
    } else {
        stub->resume_cpu = cpu;
    }
    reply_result(stub, 0);
    return true;
}

static bool is_alive(GDBStub *stub, const char *args)
{
    int cpu;

    reply_result(stub, get_thread(&args, 0, &cpu) && !*args ? 0 : ESRCH);
    return true;
}

static bool current_thread(GDBStub *stub, const char *args)
{
    g_string_printf(stub->reply, "QC%02x", stub->cpu + 1);
    return true;
}

/* As many as an answer holds, the rest on the next question. */
static bool more_threads(GDBStub *stub, const char *args)
{
    while (stub->next_thread < cpus_count() &&
           stub->reply->len < GDB_PACKET_MAX - 16) {
        g_string_append_printf(stub->reply, "%c%02x",
                               stub->reply->len ? ',' : 'm',
                               ++stub->next_thread);
    }
    if (!stub->reply->len) {
        g_string_assign(stub->reply, "l");
    }
    return true;
}

static bool first_threads(GDBStub *stub, const char *args)
{
    stub->next_thread = 0;
    return more_threads(stub, args);
}

static bool thread_extra_info(GDBStub *stub, const char *args)
{
    g_autofree char *words = NULL;
    int cpu;

    if (!get_thread(&args, 0, &cpu) || *args || cpu == GDB_ALL_CPUS) {
        reply_result(stub, EINVAL);
        return true;
    }
    words = g_strdup_printf("vCPU %d", cpu);
    gdb_hex_append(stub->reply, words, strlen(words));
    return true;
}

/* ---- registers ------------------------------------------------------------------- */

static size_t registers_size(unsigned first, unsigned nr)
{
    size_t size = 0;

    while (nr--) {
        size += cpu_gdb_register_size(first + nr);
    }
    return size;
}

/* What cannot be read is "not available", a row of x; but for the program
 * counter, without which gdb would not connect. */
static void append_unavailable(GDBStub *stub, unsigned n)
{
    const char *byte = n == cpu_gdb_pc_register() ? "00" : "xx";
    unsigned size = cpu_gdb_register_size(n);

    while (size--) {
        g_string_append(stub->reply, byte);
    }
}

/* @nr registers from @first on. */
static void reply_registers(GDBStub *stub, unsigned first, unsigned nr)
{
    size_t size = registers_size(first, nr);
    g_autofree uint8_t *buf = g_malloc(size);
    unsigned n;

    if (cpu_gdb_read(current_cpu(stub), first, nr, buf)) {
        gdb_hex_append(stub->reply, buf, size);
        return;
    }
    for (n = first; n < first + nr; n++) {
        append_unavailable(stub, n);
    }
}

static int write_registers(GDBStub *stub, unsigned first, unsigned nr,
                           const char *args)
{
    size_t size = registers_size(first, nr);
    g_autofree uint8_t *buf = g_malloc(size);

    if (gdb_hex_bytes(&args, buf, size) != (ssize_t)size || *args) {
        return EINVAL;
    }
    return cpu_gdb_write(current_cpu(stub), first, nr, buf) ? 0 : EIO;
}

static bool read_all_registers(GDBStub *stub, const char *args)
{
    reply_registers(stub, 0, cpu_gdb_registers());
    return true;
}

static bool write_all_registers(GDBStub *stub, const char *args)
{
    reply_result(stub, write_registers(stub, 0, cpu_gdb_registers(), args));
    return true;
}

static bool read_register(GDBStub *stub, const char *args)
{
    uint64_t n;

    if (!gdb_hex_number(&args, &n) || *args || n >= cpu_gdb_registers()) {
        reply_result(stub, EINVAL);
    } else {
        reply_registers(stub, n, 1);
    }
    return true;
}

static bool write_register(GDBStub *stub, const char *args)
{
    uint64_t n;

    if (!gdb_hex_number(&args, &n) || n >= cpu_gdb_registers() ||
        !skip(&args, '=')) {
        reply_result(stub, EINVAL);
    } else {
        reply_result(stub, write_registers(stub, n, 1, args));
    }
    return true;
}

/* ---- memory ---------------------------------------------------------------------- */

/* "ADDR,LENGTH" */
static bool get_range(const char **args, uint64_t *addr, uint64_t *len)
{
    return gdb_hex_number(args, addr) && skip(args, ',') &&
           gdb_hex_number(args, len);
}

static size_t access_memory(GDBStub *stub, uint64_t addr, void *buf, size_t len,
                            bool is_write)
{
    return gdb_memory_rw(&stub->breaks, current_cpu(stub), addr, buf, len,
                         is_write, stub->physical);
}

static bool read_memory(GDBStub *stub, const char *args)
{
    uint8_t buf[MEMORY_MAX];
    uint64_t addr, len;
    size_t done;

    if (!get_range(&args, &addr, &len) || *args) {
        reply_result(stub, EINVAL);
        return true;
    }
    len = MIN(len, sizeof(buf)); /* gdb asks again for what is left */
    done = access_memory(stub, addr, buf, len, false);
    if (len && !done) {
        reply_result(stub, EFAULT);
    } else {
        gdb_hex_append(stub->reply, buf, done);
    }
    return true;
}

static bool write_memory(GDBStub *stub, const char *args)
{
    uint8_t buf[GDB_PACKET_MAX / 2];
    uint64_t addr, len;
    ssize_t n;

    if (!get_range(&args, &addr, &len) || !skip(&args, ':') ||
        (n = gdb_hex_bytes(&args, buf, sizeof(buf))) < 0 ||
        (uint64_t)n != len || *args) {
        reply_result(stub, EINVAL);
        return true;
    }
    reply_result(stub,
                 access_memory(stub, addr, buf, n, true) == len ? 0 : EFAULT);
    return true;
}

static bool write_memory_binary(GDBStub *stub, const char *args)
{
    const char *end = stub->wire.packet + stub->wire.packet_len;
    uint64_t addr, len;

    if (!get_range(&args, &addr, &len) || !skip(&args, ':') ||
        (uint64_t)(end - args) != len) {
        reply_result(stub, EINVAL);
        return true;
    }
    reply_result(stub, access_memory(stub, addr, (char *)args, len, true) == len
                           ? 0 : EFAULT);
    return true;
}

/* ---- break and watch points --------------------------------------------------------- */

/* "TYPE,ADDR,KIND", with conditions and commands that were not offered. */
static bool change_point(GDBStub *stub, const char *args, bool insert)
{
    static const CPUStopKind kinds[] = {
        CPU_STOP_BREAKPOINT, CPU_STOP_HARDWARE, CPU_STOP_WATCH_WRITE,
        CPU_STOP_NONE, /* reads alone: gdb then watches accesses */
        CPU_STOP_WATCH_ACCESS,
    };
    uint64_t type, addr, len;
    int result;

    if (!gdb_hex_number(&args, &type) || !skip(&args, ',') ||
        !get_range(&args, &addr, &len)) {
        reply_result(stub, EINVAL);
        return true;
    }
    if (!current_cpu(stub)->accel || type >= G_N_ELEMENTS(kinds) ||
        kinds[type] == CPU_STOP_NONE ||
        (kinds[type] != CPU_STOP_BREAKPOINT && !cpu_debug_has_points())) {
        return true; /* an empty answer: not known here */
    }
    if (kinds[type] == CPU_STOP_BREAKPOINT) {
        result = insert ? gdb_trap_insert(&stub->breaks, current_cpu(stub), addr,
                                          stub->physical)
                        : gdb_trap_remove(&stub->breaks, current_cpu(stub),
                                          addr);
    } else {
        result = (insert ? gdb_point_insert : gdb_point_remove)(
            &stub->breaks, kinds[type], addr, len);
    }
    gdb_points_changed(stub);
    reply_result(stub, -result);
    return true;
}

static bool insert_point(GDBStub *stub, const char *args)
{
    return change_point(stub, args, true);
}

static bool remove_point(GDBStub *stub, const char *args)
{
    return change_point(stub, args, false);
}

/* ---- going on -------------------------------------------------------------------------- */

/* Do what ->actions say; an answer only if that is refused. */
static bool resume(GDBStub *stub)
{
    int error = gdb_resume(stub);

    if (error) {
        reply_result(stub, error);
    }
    return error != 0;
}

/* "[ADDR]": of c and s. @step: one vCPU does a step, the others rest. */
static bool resume_at(GDBStub *stub, const char *args, bool step)
{
    int only = stub->resume_cpu;
    bool moves = *args != 0;
    uint64_t pc = 0;
    unsigned i;

    if (step && only == GDB_ALL_CPUS) {
        only = stub->cpu;
    }
    if (moves && (!gdb_hex_number(&args, &pc) || *args)) {
        reply_result(stub, EINVAL);
        return true;
    }
    if (moves && !cpu_gdb_set_pc(only == GDB_ALL_CPUS ? current_cpu(stub)
                                                      : cpus_get(only), pc)) {
        reply_result(stub, EIO);
        return true;
    }
    for (i = 0; i < cpus_count(); i++) {
        stub->actions[i] = only != GDB_ALL_CPUS && only != (int)i ? GDB_HOLD :
                           step ? GDB_STEP : GDB_RUN;
    }
    return resume(stub);
}

static bool go_on(GDBStub *stub, const char *args)
{
    return resume_at(stub, args, false);
}

static bool step(GDBStub *stub, const char *args)
{
    return resume_at(stub, args, true);
}

/* "SIGNAL[;ADDR]": a machine takes no signals. */
static bool resume_signal(GDBStub *stub, const char *args, bool step)
{
    uint64_t signal;

    if (!gdb_hex_number(&args, &signal) || (*args && !skip(&args, ';'))) {
        reply_result(stub, EINVAL);
        return true;
    }
    return resume_at(stub, args, step);
}

static bool go_on_signal(GDBStub *stub, const char *args)
{
    return resume_signal(stub, args, false);
}

static bool step_signal(GDBStub *stub, const char *args)
{
    return resume_signal(stub, args, true);
}

/* One ";ACTION[:THREAD]" of vCont, for those vCPUs that none before named. */
static bool get_action(GDBStub *stub, const char **args, bool *named)
{
    GDBAction action;
    uint64_t signal;
    int cpu = GDB_ALL_CPUS;
    unsigned i;

    if (!skip(args, ';')) {
        return false;
    }
    switch (*(*args)++) {
    case 'c':
        action = GDB_RUN;
        break;
    case 's':
        action = GDB_STEP;
        break;
    case 'C':
    case 'S':
        action = (*args)[-1] == 'C' ? GDB_RUN : GDB_STEP;
        if (!gdb_hex_number(args, &signal)) {
            return false;
        }
        break;
    default:
        return false;
    }
    if (skip(args, ':') && !get_thread(args, stub->cpu, &cpu)) {
        return false;
    }
    for (i = 0; i < cpus_count(); i++) {
        if (!named[i] && (cpu == GDB_ALL_CPUS || cpu == (int)i)) {
            named[i] = true;
            stub->actions[i] = action;
        }
    }
    return true;
}

static bool resume_actions(GDBStub *stub, const char *args)
{
    g_autofree bool *named = g_new0(bool, cpus_count());
    unsigned i;

    do {
        if (!*args || !get_action(stub, &args, named)) {
            reply_result(stub, EINVAL);
            return true;
        }
    } while (*args);
    for (i = 0; i < cpus_count(); i++) {
        if (!named[i]) {
            stub->actions[i] = GDB_HOLD;
        }
    }
    return resume(stub);
}

static bool known_actions(GDBStub *stub, const char *args)
{
    g_string_assign(stub->reply, "vCont;c;C;s;S");
    return true;
}

static bool why_stopped(GDBStub *stub, const char *args)
{
    g_string_assign(stub->reply, stub->stop_reply->str);
    return true;
}

/* The answer goes first: the machine may end, or say something itself. */
static bool detach(GDBStub *stub, const char *args)
{
    reply_result(stub, 0);
    gdb_send_reply(stub);
    gdb_detach(stub);
    return false;
}

static bool kill_machine(GDBStub *stub, const char *args)
{
    vm_request_shutdown(SHUTDOWN_CAUSE_HOST_SIGNAL, EXIT_GUEST_OFF);
    return false;
}

static bool kill_process(GDBStub *stub, const char *args)
{
    kill_machine(stub, args);
    reply_result(stub, 0);
    return true;
}

/* ---- what can be done here ----------------------------------------------------------------- */

/* "[:FEATURE;...]" */
static bool supported(GDBStub *stub, const char *args)
{
    g_auto(GStrv) features = g_strsplit(*args ? args + 1 : args, ";", -1);

    stub->knows_swbreak = g_strv_contains((const char *const *)features,
                                          "swbreak+");
    stub->knows_hwbreak = g_strv_contains((const char *const *)features,
                                          "hwbreak+");
    g_string_printf(stub->reply,
                    "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;"
                    "vContSupported+;swbreak+;hwbreak+", GDB_PACKET_MAX);
    return true;
}

static bool start_no_ack(GDBStub *stub, const char *args)
{
    stub->wire.no_ack = true;
    reply_result(stub, 0);
    return true;
}

/* "target.xml:OFFSET,LENGTH" */
static bool read_features(GDBStub *stub, const char *args)
{
    size_t size = strlen(stub->description);
    uint64_t offset, len;

    if (!g_str_has_prefix(args, "target.xml:")) {
        g_string_assign(stub->reply, "E00"); /* no such file */
        return true;
    }
    args += strlen("target.xml:");
    if (!get_range(&args, &offset, &len) || *args || offset > size) {
        reply_result(stub, EINVAL);
        return true;
    }
    len = MIN(len, MIN(size - offset, GDB_PACKET_MAX - 1));
    g_string_assign(stub->reply, offset + len < size ? "m" : "l");
    g_string_append_len(stub->reply, stub->description + offset, len);
    return true;
}

static bool is_attached(GDBStub *stub, const char *args)
{
    g_string_assign(stub->reply, "1"); /* to quit is to detach */
    return true;
}

/* A monitor ends its lines as for a terminal, gdb's console does not. */
static void drop_returns(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text != '\r') {
            *to++ = *text;
        }
    }
    *to = 0;
}

static bool run_monitor_command(GDBStub *stub, const char *args)
{
    uint8_t line[GDB_PACKET_MAX / 2 + 1];
    ssize_t n = gdb_hex_bytes(&args, line, sizeof(line) - 1);

    if (n < 0 || *args) {
        reply_result(stub, EINVAL);
        return true;
    }
    line[n] = 0;
    stub->console = hmp_run((const char *)line, stub->cpu);
    drop_returns(stub->console);
    stub->console_sent = 0;
    return false;
}

static bool physical_mode(GDBStub *stub, const char *args)
{
    g_string_assign(stub->reply, stub->physical ? "1" : "0");
    return true;
}

static bool set_physical_mode(GDBStub *stub, const char *args)
{
    bool known = (*args == '0' || *args == '1') && !args[1];

    if (known) {
        stub->physical = *args == '1';
    }
    reply_result(stub, known ? 0 : EINVAL);
    return true;
}

static unsigned known_step_flags(GDBStub *stub)
{
    return GDB_STEP_ENABLE |
           (cpu_debug_can_block(current_cpu(stub)) ? GDB_STEP_NO_IRQ : 0);
}

static bool step_flags_known(GDBStub *stub, const char *args)
{
    g_string_printf(stub->reply, "ENABLE=%x", GDB_STEP_ENABLE);
    if (known_step_flags(stub) & GDB_STEP_NO_IRQ) {
        g_string_append_printf(stub->reply, ",NOIRQ=%x", GDB_STEP_NO_IRQ);
    }
    return true;
}

static bool step_flags(GDBStub *stub, const char *args)
{
    g_string_printf(stub->reply, "0x%x",
                    stub->step_flags & known_step_flags(stub));
    return true;
}

static bool set_step_flags(GDBStub *stub, const char *args)
{
    uint64_t flags;

    if (g_str_has_prefix(args, "0x")) {
        args += 2;
    }
    if (!gdb_hex_number(&args, &flags) || *args ||
        (flags & ~(uint64_t)known_step_flags(stub))) {
        reply_result(stub, EINVAL);
        return true;
    }
    stub->step_flags = flags;
    reply_result(stub, 0);
    return true;
}

static bool qemu_packets(GDBStub *stub, const char *args)
{
    g_string_assign(stub->reply, "sstepbits;sstep;PhyMemMode");
    return true;
}

/* ---- the table ----------------------------------------------------------------------------- */

/* Answers what follows the packet's name. True: ->reply is to be sent, empty for
 * what is not known here. */
typedef bool PacketFunction(GDBStub *stub, const char *args);

static const struct {
    const char *name;
    bool whole; /* nothing may follow the name */
    PacketFunction *function;
} packets[] = {
    { "qSupported", false, supported },
    { "QStartNoAckMode", true, start_no_ack },
    { "qXfer:features:read:", false, read_features },
    { "qAttached", false, is_attached },
    { "qfThreadInfo", true, first_threads },
    { "qsThreadInfo", true, more_threads },
    { "qThreadExtraInfo,", false, thread_extra_info },
    { "qC", true, current_thread },
    { "qRcmd,", false, run_monitor_command },
    { "qqemu.Supported", true, qemu_packets },
    { "qqemu.PhyMemMode", true, physical_mode },
    { "Qqemu.PhyMemMode:", false, set_physical_mode },
    { "qqemu.sstepbits", true, step_flags_known },
    { "qqemu.sstep", true, step_flags },
    { "Qqemu.sstep=", false, set_step_flags },
    { "vCont?", true, known_actions },
    { "vCont", false, resume_actions },
    { "vKill;", false, kill_process },
    { "?", true, why_stopped },
    { "H", false, set_thread },
    { "T", false, is_alive },
    { "g", true, read_all_registers },
    { "G", false, write_all_registers },
    { "p", false, read_register },
    { "P", false, write_register },
    { "m", false, read_memory },
    { "M", false, write_memory },
    { "X", false, write_memory_binary },
    { "Z", false, insert_point },
    { "z", false, remove_point },
    { "c", false, go_on },
    { "C", false, go_on_signal },
    { "s", false, step },
    { "S", false, step_signal },
    { "D", false, detach },
    { "k", true, kill_machine },
};

void gdb_handle_packet(GDBStub *stub)
{
    const char *packet = stub->wire.packet;
    unsigned i;

    g_string_truncate(stub->reply, 0);
    for (i = 0; i < G_N_ELEMENTS(packets); i++) {
        size_t len = strlen(packets[i].name);

        if (strncmp(packet, packets[i].name, len) == 0 &&
            (!packets[i].whole || !packet[len])) {
            if (packets[i].function(stub, packet + len)) {
                gdb_send_reply(stub);
            }
            return;
        }
    }
    gdb_send_reply(stub);
}
