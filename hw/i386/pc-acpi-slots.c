/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AML of the board pc that depends on which PCI-to-PCI bridges there are: their slots,
 * which come and go as those of the root bus in pc.dsl, whose methods do the work; and
 * the event of hot plug, which has to look at every bus. ACPI specification 6.4,
 * chapters 5.6.4, 6.3 and 20.2.
 *
 * A bridge is the device of its slot on the bus before it; one that is not function 0
 * has a device of its own there.
 */
#include "hw/i386/pc-acpi.h"

#include "hw/acpi/pcihp.h"
#include "hw/acpi/piix4.h"
#include "hw/i386/pc-map.h"

/* Values of a notification */
#define NOTIFY_DEVICE_CHECK 1
#define NOTIFY_EJECT 3

#define SEGMENT 4 /* characters of a name */

static void append(GByteArray *out, const void *data, unsigned len)
{
    g_byte_array_append(out, data, len);
}

static void append_byte(GByteArray *out, uint8_t byte)
{
    append(out, &byte, 1);
}

static void append_name(GByteArray *out, const char *name)
{
    append(out, name, SEGMENT);
}

static void append_dword(GByteArray *out, uint32_t value)
{
    append_byte(out, AML_DWORD);
    append(out, &value, sizeof(value));
}

/* An opcode, and what is in its package. */
static void append_block(GByteArray *out, uint8_t opcode, const GByteArray *body)
{
    append_byte(out, opcode);
    acpi_aml_package(out, body);
}

/* ---- names ----------------------------------------------------------------------- */

static void append_slot_name(GByteArray *out, unsigned slot)
{
    char name[SEGMENT + 1];

    g_snprintf(name, sizeof(name), "S%03X", slot);
    append_name(out, name);
}

/* That of the device that is the function, in the bus's scope. */
static void append_function_name(GByteArray *out, uint8_t devfn)
{
    char name[SEGMENT + 1];

    if (PCI_FUNC(devfn) == 0) {
        append_slot_name(out, PCI_SLOT(devfn));
    } else {
        g_snprintf(name, sizeof(name), "F%03X", devfn);
        append_name(out, name);
    }
}

static void append_segments(GByteArray *out, const PCIBus *bus)
{
    if (bus->parent) {
        append_segments(out, bus->parent->bus);
        append_function_name(out, bus->parent->devfn);
    } else {
        append_name(out, "_SB_");
        append_name(out, "PCI0");
    }
}

/* The scope of @bus; @name: something in it, or NULL. */
static void append_path(GByteArray *out, const PCIBus *bus, const char *name)
{
    g_autoptr(GByteArray) segments = g_byte_array_new();

    append_segments(segments, bus);
    if (name) {
        append_name(segments, name);
    }
    append_byte(out, '\\');
    if (segments->len == 2 * SEGMENT) {
        append_byte(out, AML_DUAL_NAME);
    } else {
        append_byte(out, AML_MULTI_NAME);
        append_byte(out, segments->len / SEGMENT);
    }
    append(out, segments->data, segments->len);
}

/* ---- slots ------------------------------------------------------------------------ */

static void append_adr(GByteArray *out, uint8_t devfn)
{
    append_byte(out, AML_NAME);
    append_name(out, "_ADR");
    append_dword(out, (uint32_t)PCI_SLOT(devfn) << 16 | PCI_FUNC(devfn));
}

/* Device (Sxxx) { _ADR, _SUN, Method (_EJ0, 1) { GIVE (bus, slot) } } */
static void append_slot(GByteArray *out, unsigned number, unsigned slot)
{
    g_autoptr(GByteArray) body = g_byte_array_new(), method = g_byte_array_new();
    uint16_t user_number = number * PCI_SLOTS + slot;

    append_slot_name(body, slot);
    append_adr(body, PCI_DEVFN(slot, 0));
    append_byte(body, AML_NAME);
    append_name(body, "_SUN");
    append_byte(body, AML_WORD);
    append(body, &user_number, sizeof(user_number));
    append_name(method, "_EJ0");
    append_byte(method, 1);
    append_name(method, "GIVE");
    append(method, (uint8_t[]){ AML_BYTE, number, AML_BYTE, slot }, 4);
    append_block(body, AML_METHOD, method);
    append_byte(out, AML_EXT);
    append_block(out, AML_EXT_DEVICE, body);
}

/* If (Arg0 & (1 << slot)) { Notify (Sxxx, Arg1) } */
static void append_tell(GByteArray *out, unsigned slot)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    append(body, (uint8_t[]){ AML_AND, AML_ARG0 }, 2);
    append_dword(body, UINT32_C(1) << slot);
    append(body, (uint8_t[]){ 0 /* nowhere else */, AML_NOTIFY }, 2);
    append_slot_name(body, slot);
    append_byte(body, AML_ARG1);
    append_block(out, AML_IF, body);
}

/* The device of a bridge that is not its slot's. */
static void append_function(GByteArray *out, const PCIDevice *bridge)
{
    g_autoptr(GByteArray) scope = g_byte_array_new(), body = g_byte_array_new();

    append_function_name(body, bridge->devfn);
    append_adr(body, bridge->devfn);
    append_path(scope, bridge->bus, NULL);
    append_byte(scope, AML_EXT);
    append_block(scope, AML_EXT_DEVICE, body);
    append_block(out, AML_SCOPE, scope);
}

static void append_bus(GByteArray *out, const PCIBus *bus, unsigned number)
{
    g_autoptr(GByteArray) scope = g_byte_array_new(), all = g_byte_array_new();

    append_path(scope, bus, NULL);
    append_name(all, "ALL_");
    append_byte(all, 2);
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        append_slot(scope, number, slot);
        append_tell(all, slot);
    }
    append_block(scope, AML_METHOD, all);
    append_block(out, AML_SCOPE, scope);
}

/* ---- the event -------------------------------------------------------------------- */

/* ALL (what (number), value), of @bus; what it is called with is the root's. */
static void append_look(GByteArray *out, PCIDevice *pm, unsigned number,
                        const char *what, uint8_t value)
{
    append_path(out, piix4_pm_hotplug_bus(pm, number), "ALL_");
    append_path(out, pm->bus, what);
    append(out, (uint8_t[]){ AML_BYTE, number, AML_BYTE, value }, 4);
}

void pc_acpi_append_slots(GByteArray *out, PCIDevice *pm)
{
    g_autoptr(GByteArray) scope = g_byte_array_new(), event = g_byte_array_new();

    G_STATIC_ASSERT(PC_GPE_PCI_HOTPLUG == 1);
    append_name(event, "_E01");
    append_byte(event, 0);
    for (unsigned n = 0; n < PCIHP_BUSES; n++) {
        const PCIBus *bus = piix4_pm_hotplug_bus(pm, n);

        if (!bus) {
            continue;
        }
        if (bus->parent && PCI_FUNC(bus->parent->devfn) != 0) {
            append_function(out, bus->parent);
        }
        if (bus->parent) {
            append_bus(out, bus, n);
        }
        append_look(event, pm, n, "CAME", NOTIFY_DEVICE_CHECK);
        append_look(event, pm, n, "GOES", NOTIFY_EJECT);
    }
    append(scope, "\\_GPE", 1 + SEGMENT);
    append_block(scope, AML_METHOD, event);
    append_block(out, AML_SCOPE, scope);
}
