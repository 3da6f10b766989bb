/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The debugger's break and watch points.
 *
 * A trap is known by the address at which it was set and by the bytes of guest
 * memory that it replaces, which were found when it was set: who looks at them
 * by any other address sees what was there, and whoever executes them stops.
 * They are of one page, and no other trap's unless all of them are.
 */
#include "gdbstub-break.h"

#include <errno.h>
#include <string.h>

typedef struct Trap {
    uint64_t addr;
    hwaddr paddr;
    uint8_t hidden[CPU_TRAP_LEN_MAX]; /* what the guest has there */
} Trap;

/* What the client asked for; takes one or more of the processor's points. */
typedef struct Point {
    CPUStopKind kind;
    uint64_t addr;
    uint64_t len;
} Point;

#define trap_index(breaks, i) (&g_array_index((breaks)->traps, Trap, i))
#define point_index(breaks, i) (&g_array_index((breaks)->points, Point, i))

void gdb_breaks_init(GDBBreaks *breaks)
{
    breaks->traps = g_array_new(FALSE, FALSE, sizeof(Trap));
    breaks->points = g_array_new(FALSE, FALSE, sizeof(Point));
}

void gdb_breaks_free(GDBBreaks *breaks)
{
    g_array_unref(breaks->traps);
    g_array_unref(breaks->points);
}

/* ---- trap instructions ------------------------------------------------------- */

/* The first at physical address @paddr, but for @other. */
static Trap *trap_at_paddr(const GDBBreaks *breaks, hwaddr paddr,
                           const Trap *other)
{
    unsigned i;

    for (i = 0; i < breaks->traps->len; i++) {
        Trap *trap = trap_index(breaks, i);

        if (trap->paddr == paddr && trap != other) {
            return trap;
        }
    }
    return NULL;
}

static Trap *trap_at(const GDBBreaks *breaks, uint64_t addr)
{
    unsigned i;

    for (i = 0; i < breaks->traps->len; i++) {
        if (trap_index(breaks, i)->addr == addr) {
            return trap_index(breaks, i);
        }
    }
    return NULL;
}

bool gdb_trap_at(const GDBBreaks *breaks, uint64_t addr)
{
    return trap_at(breaks, addr) != NULL;
}

static bool write_bytes(CPUState *cpu, const Trap *trap, const uint8_t *bytes)
{
    size_t len = cpu_trap()->len;

    return cpu_physical_rw(cpu, trap->paddr, (uint8_t *)bytes, len, true) ==
           len;
}

/* Whether the guest, or a reset, has not put something else there since. */
static bool is_there(CPUState *cpu, const Trap *trap, const uint8_t *wanted)
{
    size_t len = cpu_trap()->len;
    uint8_t bytes[CPU_TRAP_LEN_MAX];

    return cpu_physical_rw(cpu, trap->paddr, bytes, len, false) == len &&
           memcmp(bytes, wanted, len) == 0;
}

/* Whether a trap at @paddr, in place of an instruction that begins with @first,
 * would have some bytes with another one in common, but not all, be of two pages,
 * or reach into the next instruction. */
static bool does_not_fit(const GDBBreaks *breaks, hwaddr paddr, uint8_t first)
{
    unsigned len = cpu_trap()->len;
    unsigned i;

    for (i = 1; i < len; i++) {
        if (trap_at_paddr(breaks, paddr + i, NULL) ||
            trap_at_paddr(breaks, paddr - i, NULL)) {
            return true;
        }
    }
    return paddr % TARGET_PAGE_SIZE + len > TARGET_PAGE_SIZE ||
           !cpu_trap_fits(first);
}

int gdb_trap_insert(GDBBreaks *breaks, CPUState *cpu, uint64_t addr,
                    bool physical)
{
    Trap trap = { .addr = addr, .paddr = addr };
    const Trap *same;

    if (gdb_trap_at(breaks, addr)) {
        return 0;
    }
    if (breaks->traps->len == GDB_TRAPS_MAX) {
        return -ENOSPC;
    }
    if ((!physical && !cpu_translate(cpu, addr, &trap.paddr)) ||
        cpu_physical_rw(cpu, trap.paddr, trap.hidden, cpu_trap()->len, false) !=
            cpu_trap()->len) {
        return -EFAULT;
    }
    same = trap_at_paddr(breaks, trap.paddr, NULL);
    if (same) {
        memcpy(trap.hidden, same->hidden, sizeof(trap.hidden));
    } else if (does_not_fit(breaks, trap.paddr, trap.hidden[0])) {
        return -EBUSY;
    }
    if (!write_bytes(cpu, &trap, cpu_trap()->bytes)) {
        return -EFAULT;
    }
    g_array_append_val(breaks->traps, trap);
    return 0;
}

static void uncover(GDBBreaks *breaks, CPUState *cpu, const Trap *trap)
{
    if (!trap_at_paddr(breaks, trap->paddr, trap) &&
        is_there(cpu, trap, cpu_trap()->bytes)) {
        write_bytes(cpu, trap, trap->hidden);
    }
}

int gdb_trap_remove(GDBBreaks *breaks, CPUState *cpu, uint64_t addr)
{
    Trap *trap = trap_at(breaks, addr);

    if (!trap) {
        return -ENOENT;
    }
    uncover(breaks, cpu, trap);
    g_array_remove_index(breaks->traps, trap - trap_index(breaks, 0));
    return 0;
}

void gdb_trap_lift(GDBBreaks *breaks, CPUState *cpu, uint64_t addr, bool lift)
{
    const Trap *trap = trap_at(breaks, addr);

    if (!trap) {
        return;
    }
    if (lift && is_there(cpu, trap, cpu_trap()->bytes)) {
        write_bytes(cpu, trap, trap->hidden);
    } else if (!lift && is_there(cpu, trap, trap->hidden)) {
        write_bytes(cpu, trap, cpu_trap()->bytes);
    }
}

/* From a vCPU's thread: the traps change only while all of them are stopped. */
static bool owns_trap(hwaddr paddr, void *opaque)
{
    return trap_at_paddr(opaque, paddr, NULL) != NULL;
}

/* ---- points of the processor --------------------------------------------------- */

/* The longest piece of @len bytes at @addr that one point can watch. */
static unsigned piece_length(uint64_t addr, uint64_t len)
{
    unsigned piece = 8;

    while (piece > len || addr % piece) {
        piece /= 2;
    }
    return piece;
}

/* How many of the processor's points @point takes; they go to @pieces, if that
 * is not NULL, of which there are enough. More than there can be: too many. */
static unsigned cut(const Point *point, CPUPoint *pieces)
{
    uint64_t addr = point->addr;
    uint64_t left = point->kind == CPU_STOP_HARDWARE ? 1 : point->len;
    unsigned n;

    for (n = 0; left && n <= CPU_POINTS_MAX; n++) {
        unsigned len = piece_length(addr, left);

        if (pieces) {
            pieces[n] = (CPUPoint){ point->kind, addr, len };
        }
        addr += len;
        left -= len;
    }
    return n;
}

static int find_point(const GDBBreaks *breaks, const Point *wanted)
{
    unsigned i;

    for (i = 0; i < breaks->points->len; i++) {
        const Point *point = point_index(breaks, i);

        if (point->kind == wanted->kind && point->addr == wanted->addr &&
            point->len == wanted->len) {
            return i;
        }
    }
    return -1;
}

int gdb_point_insert(GDBBreaks *breaks, CPUStopKind kind, uint64_t addr,
                     uint64_t len)
{
    Point point = { kind, addr, len };
    unsigned taken = cut(&point, NULL);
    unsigned i;

    if (!taken) {
        return -EINVAL;
    }
    if (find_point(breaks, &point) >= 0) {
        return 0;
    }
    for (i = 0; i < breaks->points->len; i++) {
        taken += cut(point_index(breaks, i), NULL);
    }
    if (taken > CPU_POINTS_MAX) {
        return -ENOSPC;
    }
    g_array_append_val(breaks->points, point);
    return 0;
}

int gdb_point_remove(GDBBreaks *breaks, CPUStopKind kind, uint64_t addr,
                     uint64_t len)
{
    int i = find_point(breaks, &(Point){ kind, addr, len });

    if (i < 0) {
        return -ENOENT;
    }
    g_array_remove_index(breaks->points, i);
    return 0;
}

/* ---- both ------------------------------------------------------------------------ */

void gdb_breaks_remove_all(GDBBreaks *breaks, CPUState *cpu)
{
    while (breaks->traps->len) {
        gdb_trap_remove(breaks, cpu, trap_index(breaks, 0)->addr);
    }
    g_array_set_size(breaks->points, 0);
}

void gdb_breaks_settings(GDBBreaks *breaks, CPUDebug *debug)
{
    unsigned i;

    debug->traps = breaks->traps->len > 0;
    debug->owns_trap = owns_trap;
    debug->opaque = breaks;
    debug->nr_points = 0;
    for (i = 0; i < breaks->points->len; i++) {
        debug->nr_points += cut(point_index(breaks, i),
                                debug->points + debug->nr_points);
    }
}

/* ---- memory ------------------------------------------------------------------------ */

/* @buf has what was read from, or written to, @paddr: the @i-th byte of @trap
 * among them is what it hides. */
static void hide_byte(CPUState *cpu, Trap *trap, unsigned i, hwaddr paddr,
                      uint8_t *buf, size_t len, bool is_write)
{
    hwaddr offset = trap->paddr + i - paddr;
    uint8_t byte = cpu_trap()->bytes[i];

    if (offset >= len) {
        return;
    }
    if (is_write) {
        trap->hidden[i] = buf[offset];
        cpu_physical_rw(cpu, trap->paddr + i, &byte, 1, true);
    } else if (buf[offset] == byte) {
        buf[offset] = trap->hidden[i];
    }
}

/* Bytes that are one after the other in physical memory, too. */
static size_t physical_rw(GDBBreaks *breaks, CPUState *cpu, hwaddr paddr,
                          uint8_t *buf, size_t len, bool is_write)
{
    size_t done = cpu_physical_rw(cpu, paddr, buf, len, is_write);
    unsigned i, j;

    for (i = 0; i < breaks->traps->len; i++) {
        for (j = 0; j < cpu_trap()->len; j++) {
            hide_byte(cpu, trap_index(breaks, i), j, paddr, buf, done,
                      is_write);
        }
    }
    return done;
}

size_t gdb_memory_rw(GDBBreaks *breaks, CPUState *cpu, uint64_t addr, void *buf,
                     size_t len, bool is_write, bool physical)
{
    uint8_t *bytes = buf;
    size_t done = 0;

    while (done < len) {
        uint64_t at = addr + done;
        size_t n = MIN(len - done, TARGET_PAGE_SIZE - at % TARGET_PAGE_SIZE);
        hwaddr paddr = at;
        size_t got;

        if (!physical && !cpu_translate(cpu, at, &paddr)) {
            break;
        }
        got = physical_rw(breaks, cpu, paddr, bytes + done, n, is_write);
        done += got;
        if (got < n || at + n == 0) {
            break;
        }
    }
    return done;
}
