/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Human monitor commands about memory and ports: dumps, checksums, files.
 */
#include <inttypes.h>
#include <string.h>

#include "cpu-debug.h"
#include "monitor/hmp-commands.h"

/* Items of one dump: at some eleven characters each that is a long text. */
#define DUMP_MAX (1u << 20)

static bool fail(GError **err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(GError **err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    *err = g_error_new_valist(FLATVIEW_ERROR, 0, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- dumps ---------------------------------------------------------------------- */

static uint64_t load_le(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = size; i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

static int64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;

    return (int64_t)(value << shift) >> shift;
}

static void print_character(const HMPCall *call, uint8_t c)
{
    static const char letters[] = "nrt\\'", meant[] = "\n\r\t\\'";
    const char *special = c ? strchr(meant, c) : NULL;

    if (special) {
        hmp_printf(call, "'\\%c'", letters[special - meant]);
    } else if (g_ascii_isprint(c)) {
        hmp_printf(call, "'%c'", c);
    } else {
        hmp_printf(call, "'\\x%02x'", c);
    }
}

/* As wide as the widest of its size. */
static void print_value(const HMPCall *call, const HMPFormat *format,
                        uint64_t value)
{
    static const int octal[] = { 0, 3, 6, 0, 11, 0, 0, 0, 22 };
    static const int decimal[] = { 0, 3, 5, 0, 10, 0, 0, 0, 20 };
    unsigned size = format->size;

    switch (format->letter) {
    case 'x':
        hmp_printf(call, "0x%0*" PRIx64, (int)size * 2, value);
        break;
    case 'o':
        hmp_printf(call, "%#*" PRIo64, octal[size], value);
        break;
    case 'u':
        hmp_printf(call, "%*" PRIu64, decimal[size], value);
        break;
    case 'd':
        hmp_printf(call, "%*" PRId64, decimal[size], sign_extend(value, size));
        break;
    default:
        for (unsigned i = 0; i < size; i++) {
            if (i) {
                hmp_printf(call, " ");
            }
            print_character(call, value >> (8 * i));
        }
    }
}

/* Read @len bytes; false: not all are memory. */
typedef bool ReadMemory(void *opaque, uint64_t addr, uint8_t *buf, size_t len);

static bool dump(const HMPCall *call, ReadMemory *read, void *opaque,
                 GError **err)
{
    const HMPFormat *format = &hmp_value(call, "fmt")->format;
    uint64_t addr = hmp_value(call, "addr")->number;
    unsigned line = format->size == 1 ? 8 : 16;

    if (format->count > DUMP_MAX) {
        return fail(err, "a count of %" PRIu64 " is more than %u",
                    format->count, DUMP_MAX);
    }
    for (uint64_t i = 0; i < format->count && !hmp_is_full(call); i++) {
        uint64_t offset = i * format->size;
        uint8_t bytes[8];

        if (!read(opaque, addr + offset, bytes, format->size)) {
            hmp_printf(call, "%s%016" PRIx64 ": Cannot access memory\n",
                       offset % line ? "\n" : "", addr + offset);
            return true;
        }
        if (offset % line == 0) {
            hmp_printf(call, "%016" PRIx64 ":", addr + offset);
        }
        hmp_printf(call, " ");
        print_value(call, format, load_le(bytes, format->size));
        if ((offset + format->size) % line == 0 || i + 1 == format->count) {
            hmp_printf(call, "\n");
        }
    }
    return true;
}

static bool read_virtual(void *opaque, uint64_t addr, uint8_t *buf, size_t len)
{
    return cpu_memory_rw(opaque, addr, buf, len, false) == len;
}

bool hmp_x(const HMPCall *call, GError **err)
{
    CPUState *cpu = hmp_cpu(call, err);
    bool ok;

    if (!cpu) {
        return false;
    }
    cpus_stop();
    ok = dump(call, read_virtual, cpu, err);
    cpus_go_on();
    return ok;
}

/* Each item is one access, so that registers of devices can be looked at. */
static bool read_physical(void *opaque, uint64_t addr, uint8_t *buf, size_t len)
{
    return address_space_rw_attrs(opaque, addr, MEMTXATTRS_UNSPECIFIED, buf, len,
                                  false) == MEMTX_OK;
}

bool hmp_xp(const HMPCall *call, GError **err)
{
    return dump(call, read_physical, &monitor_machine()->memory, err);
}

bool hmp_gva2gpa(const HMPCall *call, GError **err)
{
    CPUState *cpu = hmp_cpu(call, err);
    hwaddr paddr;
    bool ok;

    if (!cpu) {
        return false;
    }
    cpus_stop();
    ok = cpu_translate(cpu, hmp_value(call, "addr")->number, &paddr);
    cpus_go_on();
    if (ok) {
        hmp_printf(call, "gpa: 0x%" PRIx64 "\n", paddr);
    } else {
        hmp_printf(call, "Unmapped\n");
    }
    return true;
}

/* A 16-bit sum that turns right by one before each byte: that of sum -r. */
bool hmp_sum(const HMPCall *call, GError **err)
{
    uint64_t addr = hmp_value(call, "addr")->number;
    uint64_t left = hmp_value(call, "size")->number;
    AddressSpace *as = &monitor_machine()->memory;
    uint16_t sum = 0;
    uint8_t buf[4096];

    while (left) {
        size_t len = MIN(left, sizeof(buf));

        if (address_space_rw_attrs(as, addr, MEMTXATTRS_UNSPECIFIED, buf, len,
                                   false) != MEMTX_OK) {
            return fail(err, "Cannot access memory from 0x%" PRIx64 " to 0x%"
                        PRIx64, addr, addr + len - 1);
        }
        for (size_t i = 0; i < len; i++) {
            sum = (uint16_t)((sum >> 1 | sum << 15) + buf[i]);
        }
        addr += len;
        left -= len;
    }
    hmp_printf(call, "%05u\n", sum);
    return true;
}

bool hmp_print(const HMPCall *call, GError **err)
{
    HMPFormat format = hmp_value(call, "fmt")->format;
    uint64_t value = hmp_value(call, "value")->number;

    switch (format.letter) {
    case 'x':
        hmp_printf(call, "0x%" PRIx64 "\n", value);
        break;
    case 'o':
        hmp_printf(call, "%#" PRIo64 "\n", value);
        break;
    case 'u':
        hmp_printf(call, "%" PRIu64 "\n", value);
        break;
    case 'd':
        hmp_printf(call, "%" PRId64 "\n", value);
        break;
    default:
        print_character(call, value);
        hmp_printf(call, "\n");
    }
    return true;
}

/* ---- ports ------------------------------------------------------------------------- */

/* The port and the width that the user asks for: b h w. */
static bool take_port(const HMPCall *call, hwaddr *port, unsigned *size,
                      GError **err)
{
    const HMPValue *fmt = hmp_value(call, "fmt");

    *port = hmp_value(call, "port")->number;
    *size = fmt->given ? fmt->format.size : 1;
    if (*port > 0xffff) {
        return fail(err, "there is no port 0x%" PRIx64 "; the last is 0xffff",
                    *port);
    }
    if (*size > 4) {
        return fail(err, "a port has 1, 2 or 4 bytes: /b, /h or /w");
    }
    return true;
}

/* 'b', 'w' and 'l': what the processor calls these widths. */
static char width_letter(unsigned size)
{
    return "?bw?l"[size];
}

bool hmp_port_in(const HMPCall *call, GError **err)
{
    AddressSpace *as = &monitor_machine()->ports;
    uint8_t bytes[4];
    unsigned size;
    hwaddr port;

    if (!take_port(call, &port, &size, err)) {
        return false;
    }
    /* Where nothing answers, all bits are set, as the processor sees it. */
    address_space_rw_attrs(as, port, MEMTXATTRS_UNSPECIFIED, bytes, size, false);
    hmp_printf(call, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", width_letter(size),
               (unsigned)port, (int)size * 2, load_le(bytes, size));
    return true;
}

bool hmp_port_out(const HMPCall *call, GError **err)
{
    AddressSpace *as = &monitor_machine()->ports;
    uint64_t value = hmp_value(call, "value")->number;
    uint8_t bytes[4];
    unsigned size;
    hwaddr port;

    if (!take_port(call, &port, &size, err)) {
        return false;
    }
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = value >> (8 * i);
    }
    address_space_rw_attrs(as, port, MEMTXATTRS_UNSPECIFIED, bytes, size, true);
    return true;
}

/* ---- files --------------------------------------------------------------------------- */

static bool save(const HMPCall *call, const char *command, bool of_cpu,
                 GError **err)
{
    uint64_t addr = hmp_value(call, "addr")->number;
    uint64_t size = hmp_value(call, "size")->number;
    JsonObject *args = json_object_new();

    /* JSON's numbers here have a sign; more is not there to be saved. */
    if (size > INT64_MAX) {
        json_object_unref(args);
        return fail(err, "a size of %" PRIu64 " is too large", size);
    }
    json_object_set_int_member(args, "val", (int64_t)addr);
    json_object_set_int_member(args, "size", (int64_t)size);
    json_object_set_string_member(args, "filename", hmp_text(call, "file"));
    if (of_cpu) {
        json_object_set_int_member(args, "cpu-index",
                                   monitor_cpu_index(call->mon));
    }
    return hmp_qmp(call, command, args, NULL, err);
}

bool hmp_memsave(const HMPCall *call, GError **err)
{
    return save(call, "memsave", true, err);
}

bool hmp_pmemsave(const HMPCall *call, GError **err)
{
    return save(call, "pmemsave", false, err);
}
