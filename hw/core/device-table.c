/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every device this program knows. A new device joins with one line here:
 * TYPE(name) stands for the descriptor that its file defines as
 * `const DeviceType name_type`.
 */
#include "hw/core/device.h"

#define DEVICE_TYPES     \
    TYPE(acpi_pm)        \
    TYPE(apic_msi)       \
    TYPE(bochs_display)  \
    TYPE(edu)            \
    TYPE(fw_cfg_io)      \
    TYPE(pflash_cfi01)   \
    TYPE(hpet)           \
    TYPE(i440fx)         \
    TYPE(i440fx_pcihost) \
    TYPE(i8042)          \
    TYPE(ioapic)         \
    TYPE(isa_debug_exit) \
    TYPE(isa_debugcon)   \
    TYPE(isa_irqs)       \
    TYPE(isa_pit)        \
    TYPE(isa_serial)     \
    TYPE(mc146818rtc)    \
    TYPE(piix4_pm)       \
    TYPE(piix3)          \
    TYPE(port92)         \
    TYPE(pc_testdev)     \
    TYPE(pci_bridge)     \
    TYPE(pci_testdev)    \
    TYPE(pvpanic)        \
    TYPE(ramfb)          \
    TYPE(vga_pci)

#define TYPE(name) extern const DeviceType name##_type;
DEVICE_TYPES
#undef TYPE

#define TYPE(name) &name##_type,
const DeviceType *const device_types[] = { DEVICE_TYPES NULL };
#undef TYPE
