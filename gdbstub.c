/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugger stub: who is connected, and the machine stopping and going on.
 *
 * A client that connects finds the machine stopped. It lets it go on and then
 * waits; whatever stops it, a breakpoint, the client's Ctrl-C or a monitor, is
 * told by a stop reply. Anything else that the client says meanwhile stops the
 * machine, too, and so does a client that speaks after a monitor has let the
 * machine run behind its back.
 *
 * A client that goes on at the very trap it was told of, which is still set,
 * means to leave it: that vCPU first does one step alone, with the instruction
 * that the trap hides.
 */
#include "gdbstub-internal.h"

#include <errno.h>
#include <string.h>

#include "cpu-gdb.h"
#include "hw/core/device.h"
#include "memory.h"
#include "sysemu.h"

/* gdb's own numbers of signals. */
enum {
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_TRAP = 5,
    SIGNAL_ABORT = 6,
};

static void wake(GDBStub *stub)
{
    g_atomic_int_set(&stub->work, 1);
    g_main_context_wakeup(NULL);
}

/* ---- stopping --------------------------------------------------------------- */

static int signal_of_state(RunState state)
{
    switch (state) {
    case RUN_STATE_PAUSED:
    case RUN_STATE_SUSPENDED: /* it goes on to sleep, whoever looks */
        return SIGNAL_INT;
    case RUN_STATE_SHUTDOWN:
        return SIGNAL_QUIT;
    case RUN_STATE_INTERNAL_ERROR:
    case RUN_STATE_GUEST_PANICKED:
        return SIGNAL_ABORT;
    default:
        return SIGNAL_TRAP;
    }
}

/* The reply that says: vCPU stub->cpu got @signal, because of @stop. */
static void make_stop_reply(GDBStub *stub, int signal, CPUStop stop)
{
    g_string_printf(stub->stop_reply, "T%02xthread:%02x;", signal,
                    stub->cpu + 1);
    switch (stop.kind) {
    case CPU_STOP_BREAKPOINT:
        if (stub->knows_swbreak) {
            g_string_append(stub->stop_reply, "swbreak:;");
        }
        break;
    case CPU_STOP_HARDWARE:
        if (stub->knows_hwbreak) {
            g_string_append(stub->stop_reply, "hwbreak:;");
        }
        break;
    case CPU_STOP_WATCH_WRITE:
    case CPU_STOP_WATCH_ACCESS:
        g_string_append_printf(stub->stop_reply, "%s:%" PRIx64 ";",
                               stop.kind == CPU_STOP_WATCH_WRITE ? "watch"
                                                                 : "awatch",
                               stop.addr);
        break;
    default:
        break;
    }
}

/* Tell the client that the machine stopped: @cpu by @stop, or NULL for a reason
 * that is no vCPU's. */
static void report(GDBStub *stub, CPUState *cpu, int signal)
{
    CPUStop stop = { CPU_STOP_NONE, 0 };

    stub->running = false;
    stub->trapped = NULL;
    if (cpu) {
        stop = cpu_debug_stop(cpu);
        cpu_debug_forget_stop(cpu);
        stub->cpu = cpu->index;
        stub->resume_cpu = cpu->index;
        if (stop.kind == CPU_STOP_BREAKPOINT) {
            stub->trapped = cpu;
            stub->trapped_pc = stop.addr;
        }
    }
    make_stop_reply(stub, signal, stop);
    gdb_wire_send(&stub->wire, stub->stop_reply->str, stub->stop_reply->len);
}

/* The first vCPU, from the client's own on, that stopped for the debugger. */
static CPUState *find_stopped(GDBStub *stub)
{
    unsigned i;

    for (i = 0; i < cpus_count(); i++) {
        CPUState *cpu = cpus_get((stub->cpu + i) % cpus_count());

        if (cpu_debug_stop(cpu).kind != CPU_STOP_NONE) {
            return cpu;
        }
    }
    return NULL;
}

/* Nothing of how the machine was to go on is left for somebody else who lets it
 * go on: no steps, no vCPU held. Break and watch points stay. */
static void forget_actions(GDBStub *stub)
{
    unsigned i;

    for (i = 0; i < cpus_count(); i++) {
        CPUState *cpu = cpus_get(i);
        CPUDebug debug = { .step = false };

        gdb_breaks_settings(&stub->breaks, &debug);
        cpu->held = false;
        cpu_debug_set(cpu, &debug);
    }
}

void gdb_points_changed(GDBStub *stub)
{
    forget_actions(stub); /* the machine rests: there are none */
}

/* ---- going on --------------------------------------------------------------- */

/* How each vCPU is to go on. @over: only this one does, by a step. NULL: what
 * ->actions say. 0 or a positive errno, and then none has any of it. */
static int set_actions(GDBStub *stub, CPUState *over)
{
    unsigned i;
    int result;

    for (i = 0; i < cpus_count(); i++) {
        CPUState *cpu = cpus_get(i);
        GDBAction action = !over ? stub->actions[i] :
                           cpu == over ? GDB_STEP : GDB_HOLD;
        CPUDebug debug = { .step = action == GDB_STEP };

        debug.block_irqs = (stub->step_flags & GDB_STEP_NO_IRQ) &&
                           cpu_debug_can_block(cpu);
        gdb_breaks_settings(&stub->breaks, &debug);
        result = cpu_debug_set(cpu, &debug);
        if (result < 0 && (debug.step || debug.traps || debug.nr_points)) {
            forget_actions(stub);
            return -result;
        }
        /* What is there to be watched is told later, breakpoints are met
         * again. */
        if (cpu_debug_stop(cpu).kind < CPU_STOP_WATCH_WRITE) {
            cpu_debug_forget_stop(cpu);
        }
        cpu->held = action == GDB_HOLD;
    }
    return 0;
}

/* Let them: as above. */
static int start(GDBStub *stub, CPUState *over)
{
    int error = set_actions(stub, over);

    if (error) {
        return error;
    }
    if (!vm_start(NULL)) {
        forget_actions(stub);
        return EBUSY;
    }
    stub->running = true;
    stub->untouched = false;
    return 0;
}

/* Whether the client is about to go on where it was told of a trap. */
static bool is_at_trap(GDBStub *stub)
{
    uint64_t pc;

    return stub->trapped && stub->actions[stub->trapped->index] != GDB_HOLD &&
           cpu_get_pc(stub->trapped, &pc) && pc == stub->trapped_pc &&
           gdb_trap_at(&stub->breaks, pc);
}

int gdb_resume(GDBStub *stub)
{
    CPUState *over = is_at_trap(stub) ? stub->trapped : NULL;
    unsigned i;
    int error;

    /* A watched access that another one's stop came before. */
    for (i = 0; i < cpus_count(); i++) {
        CPUState *cpu = cpus_get(i);

        if (stub->actions[i] != GDB_HOLD &&
            cpu_debug_stop(cpu).kind >= CPU_STOP_WATCH_WRITE) {
            report(stub, cpu, SIGNAL_TRAP);
            return 0;
        }
    }
    stub->trapped = NULL;
    if (over) {
        gdb_trap_lift(&stub->breaks, over, stub->trapped_pc, true);
    }
    error = start(stub, over);
    if (over && error) {
        gdb_trap_lift(&stub->breaks, over, stub->trapped_pc, false);
        over = NULL;
    }
    stub->stepping_over = over;
    return error;
}

/* The trap that was stepped over comes back. True: that was all, and the machine
 * has gone on as the client wants it. */
static bool finish_step_over(GDBStub *stub, CPUState *stopped)
{
    CPUState *cpu = stub->stepping_over;

    stub->stepping_over = NULL;
    gdb_trap_lift(&stub->breaks, cpu, stub->trapped_pc, false);
    return stopped == cpu && cpu_debug_stop(cpu).kind == CPU_STOP_STEP &&
           stub->actions[cpu->index] != GDB_STEP && start(stub, NULL) == 0;
}

/* A vCPU forgets a step when it is reset, and the trap that one was to step over
 * is behind it. */
static void serve_reset(GDBStub *stub)
{
    if (stub->stepping_over) {
        gdb_trap_lift(&stub->breaks, stub->stepping_over, stub->trapped_pc,
                      false);
        stub->stepping_over = NULL;
    }
    set_actions(stub, NULL);
}

/* The machine has come to rest while the client waits for that. */
static void serve_stop(GDBStub *stub)
{
    RunState state = vm_run_state();
    CPUState *stopped = NULL;

    if (state == RUN_STATE_DEBUG) {
        stopped = find_stopped(stub);
        if (!stopped) {
            vm_start(NULL); /* a late request, whose cause was dealt with */
            return;
        }
    }
    if (stub->stepping_over && finish_step_over(stub, stopped)) {
        return;
    }
    forget_actions(stub);
    report(stub, stopped, signal_of_state(state));
}

/* ---- clients that come and go -------------------------------------------------- */

static void attach(GDBStub *stub)
{
    stub->attached = true;
    stub->untouched = !vm_is_running();
    stub->running = false;
    stub->physical = stub->knows_swbreak = stub->knows_hwbreak = false;
    stub->step_flags = GDB_STEP_ENABLE | GDB_STEP_NO_IRQ;
    stub->cpu = 0;
    stub->resume_cpu = GDB_ALL_CPUS;
    stub->trapped = NULL;
    vm_stop(RUN_STATE_PAUSED);
    make_stop_reply(stub, SIGNAL_TRAP, (CPUStop){ CPU_STOP_NONE, 0 });
}

static void take_back(GDBStub *stub)
{
    unsigned i;

    cpus_stop();
    stub->stepping_over = NULL;
    gdb_breaks_remove_all(&stub->breaks, cpus_get(0));
    forget_actions(stub);
    for (i = 0; i < cpus_count(); i++) {
        cpu_debug_forget_stop(cpus_get(i));
    }
    cpus_go_on();
    stub->attached = stub->running = false;
    g_clear_pointer(&stub->console, g_free);
}

void gdb_detach(GDBStub *stub)
{
    take_back(stub);
    vm_start(NULL); /* where only a reset helps, it stays as it is */
}

/* The connection is gone, perhaps without a word. */
static void lost(GDBStub *stub)
{
    if (stub->attached && stub->untouched) {
        take_back(stub);
    } else if (stub->attached) {
        gdb_detach(stub);
    }
    gdb_wire_reset(&stub->wire);
}

/* ---- the loop ------------------------------------------------------------------- */

/* Bytes of a monitor command's output in one packet. */
#define CONSOLE_PIECE 1024

/* Send the next piece, or the end, of what a monitor command printed. */
static void send_console(GDBStub *stub)
{
    size_t left = strlen(stub->console + stub->console_sent);
    size_t n = MIN(left, CONSOLE_PIECE);

    if (n) {
        g_string_assign(stub->reply, "O");
        gdb_hex_append(stub->reply, stub->console + stub->console_sent, n);
        stub->console_sent += n;
    } else {
        g_clear_pointer(&stub->console, g_free);
        g_string_assign(stub->reply, "OK");
    }
    gdb_send_reply(stub);
}

static void serve_input(GDBStub *stub, GDBWireInput input)
{
    if (input == GDB_WIRE_NOTHING) {
        return;
    }
    if (!stub->attached) {
        attach(stub); /* after a detach */
    }
    vm_stop(RUN_STATE_PAUSED);
    if (stub->running) {
        serve_stop(stub);
    }
    if (input == GDB_WIRE_INTERRUPT) {
        return;
    }
    g_clear_pointer(&stub->console, g_free); /* who asks on has given it up */
    if (input == GDB_WIRE_BAD) {
        gdb_send_error(stub, EINVAL);
    } else {
        gdb_handle_packet(stub);
    }
}

static bool has_work(const GDBStub *stub)
{
    return stub->opened || stub->closed ||
           (!stub->wire.out->len && gdb_wire_has_input(&stub->wire)) ||
           (stub->console && gdb_wire_is_idle(&stub->wire));
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
    GDBStub *stub = opaque;

    g_atomic_int_set(&stub->work, 0);
    if (stub->opened && !stub->closed) {
        stub->opened = false;
        attach(stub); /* what the client has sent already stays */
    }
    if (stub->running && !vm_is_running() && vm_run_state() != RUN_STATE_SUSPENDED) {
        serve_stop(stub);
    } else if (!stub->attached && vm_run_state() == RUN_STATE_DEBUG) {
        vm_start(NULL); /* a late request of a client that has gone */
    }
    if (gdb_wire_flush(&stub->wire)) {
        serve_input(stub, gdb_wire_next(&stub->wire));
    }
    if (stub->console && gdb_wire_is_idle(&stub->wire)) {
        send_console(stub);
    }
    gdb_wire_flush(&stub->wire);
    if (stub->closed && !gdb_wire_has_input(&stub->wire)) {
        stub->closed = false;
        lost(stub);
    }
    memory_lock();
    chardev_accept_input(stub->wire.chr);
    memory_unlock();
    if (has_work(stub)) {
        g_atomic_int_set(&stub->work, 1);
    }
    return G_SOURCE_CONTINUE;
}

/* ---- who tells it something ------------------------------------------------------- */

/* They only wake it up, but for a reset, also that of waking from sleep, which finds
 * every vCPU at rest. */

static size_t can_receive(void *opaque)
{
    GDBStub *stub = opaque;

    return stub->closed ? 0 : gdb_wire_room(&stub->wire);
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    GDBStub *stub = opaque;

    gdb_wire_take(&stub->wire, buf, len);
    wake(stub);
}

static void on_writable(void *opaque)
{
    wake(opaque);
}

static void on_chardev_event(void *opaque, ChardevEvent event)
{
    GDBStub *stub = opaque;

    if (event == CHARDEV_OPENED) {
        stub->opened = true;
        wake(stub);
    } else if (event == CHARDEV_CLOSED) {
        stub->closed = true;
        wake(stub);
    }
}

static void on_vm_event(const VMEvent *event, void *opaque)
{
    GDBStub *stub = opaque;

    switch (event->kind) {
    case VM_EVENT_STOP:
    case VM_EVENT_SHUTDOWN:
        wake(stub);
        break;
    case VM_EVENT_RESET:
    case VM_EVENT_WAKEUP:
        if (stub->running && vm_is_running()) {
            serve_reset(stub);
        } else {
            wake(stub); /* from sleep to a state in which it stands */
        }
        break;
    default:
        break;
    }
}

/* ---- life ---------------------------------------------------------------------------- */

typedef struct StubSource {
    GSource source;
    GDBStub *stub;
} StubSource;

static gboolean check(GSource *source)
{
    return g_atomic_int_get(&((StubSource *)source)->stub->work);
}

static gboolean prepare(GSource *source, int *timeout)
{
    *timeout = -1;
    return check(source);
}

GDBStub *gdbstub_new(Chardev *chr, GError **err)
{
    static const ChardevFrontend frontend = {
        .can_receive = can_receive,
        .receive = receive,
        .on_writable = on_writable,
        .event = on_chardev_event,
    };
    static GSourceFuncs functions = {
        .prepare = prepare,
        .check = check,
        .dispatch = dispatch,
    };
    GDBStub *stub;
    bool ok;

    if (!cpus_count()) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "%s: this machine has no CPU to debug", chardev_id(chr));
        return NULL;
    }
    stub = g_new0(GDBStub, 1);
    gdb_wire_init(&stub->wire, chr);
    gdb_breaks_init(&stub->breaks);
    stub->actions = g_new0(GDBAction, cpus_count());
    stub->stop_reply = g_string_new(NULL);
    stub->reply = g_string_new(NULL);
    stub->description = cpu_gdb_description();
    stub->source = g_source_new(&functions, sizeof(StubSource));
    ((StubSource *)stub->source)->stub = stub;
    g_source_set_callback(stub->source, NULL, stub, NULL);
    vm_event_listen(on_vm_event, stub);
    memory_lock();
    ok = chardev_attach(chr, &frontend, stub, err);
    memory_unlock();
    if (!ok) {
        stub->wire.chr = NULL;
        gdbstub_free(stub);
        return NULL;
    }
    g_source_attach(stub->source, NULL);
    return stub;
}

void gdbstub_free(GDBStub *stub)
{
    if (!stub) {
        return;
    }
    vm_event_unlisten(on_vm_event, stub);
    if (stub->attached) {
        take_back(stub);
        gdb_wire_send(&stub->wire, "W00", 3);
        gdb_wire_flush(&stub->wire);
    }
    if (stub->wire.chr) {
        memory_lock();
        chardev_detach(stub->wire.chr, stub);
        memory_unlock();
    }
    g_source_destroy(stub->source);
    g_source_unref(stub->source);
    gdb_wire_free(&stub->wire);
    gdb_breaks_free(&stub->breaks);
    g_string_free(stub->stop_reply, TRUE);
    g_string_free(stub->reply, TRUE);
    g_free(stub->description);
    g_free(stub->console);
    g_free(stub->actions);
    g_free(stub);
}
