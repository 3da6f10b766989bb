/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX4_PM: power management of Intel's 82371AB (PIIX4), its function 3: ACPI's fixed
 * hardware, the ports of advanced power management, an SMBus host controller. Intel
 * 82371AB datasheet, chapters 7 and 11. What hot plug needs is not Intel's, but
 * established by QEMU: a block of general-purpose events, and pcihp.h.
 *
 * Registers of devices that PIIX4 has on real boards keep what is written, and do
 * nothing. There is one kind of sleep, to RAM: a guest that has saved itself to a disk is
 * switched off. Which number stands for which is QEMU's choice, too.
 */
#include "hw/acpi/piix4.h"

#include <string.h>

#include "hw/acpi/fixed.h"
#include "hw/acpi/pcihp.h"
#include "hw/acpi/smbus.h"
#include "hw/core/machine.h"
#include "sysemu.h"

#define GPE_PCI_HOTPLUG 1

/* Configuration space */
#define BASE_MASK_PM 0xffc0
#define BASE_MASK_SMBUS 0xfff0
#define BASE_IO 0x01 /* says that it is a base of ports */
#define DEVACTB 0x58
#define DEVACTB_APMC_EN 0x02 /* in its last byte: APM's port raises SMI */
#define DEVRESA 0x5c
#define DEVRESB 0x60
#define DEVRESC 0x64
#define PMIOSE 0x01
#define SMB_HST_EN 0x01
#define SMB_INTERRUPT_MASK 0x0e
#define SMB_INTERRUPT_IRQ9 0x08

/* Decoders of the serial ports, in the last byte of DEVRESC; others' bits are as on
 * the established board, which has them on. */
#define COM1_DECODED 0x08
#define COM2_DECODED 0x90

#define SMBUS_BASE_AT_RESET 0xb100

#define APM_SIZE 2
#define APM_CONTROL 0

typedef struct PIIX4PM {
    PCIDevice pci;
    uint8_t disable_s3, disable_s4, s4_val; /* properties */
    uint8_t apm[APM_SIZE];
    ACPIFixed fixed;
    PCIHotplug hotplug;
    SMBusHost smbus;
    MemoryRegion apm_region;
    MemoryRegion pm;   /* container of the fixed registers */
    bool pm_mapped, smbus_mapped;
} PIIX4PM;

/* ---- interrupts ---------------------------------------------------------------- */

static void update_sci(void *opaque)
{
    PIIX4PM *s = opaque;
    bool irq9 = (s->pci.config[PIIX4_SMBHSTCFG] & SMB_INTERRUPT_MASK) ==
                SMB_INTERRUPT_IRQ9;

    device_set_irq(&s->pci.device, PIIX4_OUT_SCI,
                   acpi_fixed_sci(&s->fixed) ||
                       (irq9 && smbus_interrupt(&s->smbus)));
}

static void sleep_wanted(void *opaque, unsigned type)
{
    PIIX4PM *s = opaque;

    if (type == PIIX4_SLP_TYP_SOFT_OFF) {
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    } else if (type == PIIX4_SLP_TYP_TO_RAM) {
        vm_request_suspend();
    } else if (type == s->s4_val) {
        vm_event_send(&(VMEvent){ .kind = VM_EVENT_SUSPEND_DISK });
        vm_request_shutdown(SHUTDOWN_CAUSE_GUEST_SHUTDOWN, EXIT_GUEST_OFF);
    }
}

static void hotplug_notify(void *opaque)
{
    acpi_fixed_gpe(&((PIIX4PM *)opaque)->fixed, GPE_PCI_HOTPLUG);
}

void piix4_pm_press_button(PCIDevice *pm)
{
    acpi_fixed_event(&((PIIX4PM *)pm)->fixed, ACPI_PM1_POWER_BUTTON);
}

void piix4_pm_wake(PCIDevice *pm, WakeupReason reason)
{
    acpi_fixed_event(&((PIIX4PM *)pm)->fixed, ACPI_PM1_WAKE |
                     (reason == WAKEUP_RTC ? ACPI_PM1_RTC : ACPI_PM1_POWER_BUTTON));
}

bool piix4_pm_has_s3(const PCIDevice *pm)
{
    return !((const PIIX4PM *)pm)->disable_s3;
}

bool piix4_pm_has_s4(const PCIDevice *pm)
{
    return !((const PIIX4PM *)pm)->disable_s4;
}

uint8_t piix4_pm_s4_type(const PCIDevice *pm)
{
    return ((const PIIX4PM *)pm)->s4_val;
}

void piix4_pm_add_bridges(PCIDevice *pm)
{
    pcihp_add_bridges(&((PIIX4PM *)pm)->hotplug);
}

PCIBus *piix4_pm_hotplug_bus(PCIDevice *pm, unsigned n)
{
    return ((PIIX4PM *)pm)->hotplug.buses[n].bus;
}

/* ---- APM ------------------------------------------------------------------------- */

static uint64_t apm_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((PIIX4PM *)opaque)->apm[addr];
}

/* Firmware in system management mode would go into ACPI mode and out of it when it is
 * asked to; what firmware there is leaves that to the board. */
static void apm_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PIIX4PM *s = opaque;

    s->apm[addr] = data;
    if (addr != APM_CONTROL) {
        return;
    }
    if (data == PIIX4_ACPI_ENABLE || data == PIIX4_ACPI_DISABLE) {
        acpi_fixed_set_sci_en(&s->fixed, data == PIIX4_ACPI_ENABLE);
    } else if (s->pci.config[DEVACTB + 3] & DEVACTB_APMC_EN) {
        device_set_irq(&s->pci.device, PIIX4_OUT_SMI, true);
        device_set_irq(&s->pci.device, PIIX4_OUT_SMI, false);
    }
}

static const MemoryRegionOps apm_ops = {
    .read = apm_read,
    .write = apm_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

/* ---- configuration space ----------------------------------------------------------- */

/* Guests may put them on top of other devices, so anything may be there. */
static void place(PIIX4PM *s, MemoryRegion *mr, bool *mapped, bool wanted,
                  uint16_t base)
{
    if (*mapped) {
        memory_region_del_subregion(s->pci.bus->io, mr);
    }
    if (wanted) {
        memory_region_add_subregion_overlap(s->pci.bus->io, base, mr, 0);
    }
    *mapped = wanted;
}

static uint16_t pm_base(const PCIDevice *dev)
{
    return pci_get_word(dev->config + PIIX4_PMBA) & BASE_MASK_PM;
}

uint16_t piix4_pm_port(const PCIDevice *pm)
{
    return pm->config[PIIX4_PMREGMISC] & PMIOSE ? pm_base(pm) : 0;
}

static void update_mapping(PIIX4PM *s)
{
    const uint8_t *config = s->pci.config;

    memory_region_transaction_begin();
    place(s, &s->pm, &s->pm_mapped, config[PIIX4_PMREGMISC] & PMIOSE,
          pm_base(&s->pci));
    place(s, &s->smbus.mr, &s->smbus_mapped, config[PIIX4_SMBHSTCFG] & SMB_HST_EN,
          pci_get_word(config + PIIX4_SMBBA) & BASE_MASK_SMBUS);
    memory_region_transaction_commit();
}

static void piix4_config_write(PCIDevice *dev, unsigned addr, uint32_t value,
                               unsigned size)
{
    PIIX4PM *s = (PIIX4PM *)dev;
    unsigned reg = addr & ~3u;

    pci_config_write(dev, addr, value, size);
    if (reg == PIIX4_PMBA || reg == PIIX4_PMREGMISC || reg == PIIX4_SMBBA ||
        reg == (PIIX4_SMBHSTCFG & ~3u)) {
        update_mapping(s);
        update_sci(s);
    }
}

static void init_config(PIIX4PM *s)
{
    uint8_t *config = s->pci.config, *wmask = s->pci.wmask;

    pci_set_word(config + PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    config[PCI_INTERRUPT_PIN] = 1;
    config[PIIX4_PMBA] = BASE_IO;
    config[DEVRESA + 3] = 0x10;
    config[DEVRESB + 3] = 0x60;
    pci_set_word(config + PIIX4_SMBBA, SMBUS_BASE_AT_RESET | BASE_IO);
    config[PIIX4_SMBHSTCFG] = SMB_HST_EN | SMB_INTERRUPT_IRQ9;

    memset(wmask + PCI_STD_HEADER_SIZEOF, 0xff,
           PCI_CONFIG_SIZE - PCI_STD_HEADER_SIZEOF);
    pci_set_long(wmask + PIIX4_PMBA, BASE_MASK_PM);
    pci_set_long(wmask + PIIX4_SMBBA, BASE_MASK_SMBUS);
}

/* What follows from the machine, which is not complete when this function is made. */
static void reset_config(PIIX4PM *s)
{
    const Machine *machine = s->pci.device.machine;
    const GPtrArray *serials = machine->serials;
    uint8_t *config = s->pci.config;

    if (serials && serials->len > 0 && serials->pdata[0]) {
        config[DEVRESC + 3] |= COM1_DECODED;
    }
    if (serials && serials->len > 1 && serials->pdata[1]) {
        config[DEVRESC + 3] |= COM2_DECODED;
    }
    /* Firmware finds system management mode set up already where there is none. */
    if (!machine->smm_memory) {
        config[DEVACTB + 3] |= DEVACTB_APMC_EN;
    }
}

/* ---- life ------------------------------------------------------------------------- */

static bool piix4_realize(PCIDevice *dev, GError **err)
{
    PIIX4PM *s = (PIIX4PM *)dev;

    init_config(s);
    memory_region_init_io(&s->apm_region, &apm_ops, s, "apm-io", APM_SIZE);
    s->fixed.sci_changed = update_sci;
    s->fixed.sleep = sleep_wanted;
    s->fixed.opaque = s;
    acpi_fixed_init(&s->fixed);
    s->hotplug.notify = hotplug_notify;
    s->hotplug.opaque = s;
    pcihp_init(&s->hotplug, dev->bus);
    s->smbus.changed = update_sci;
    s->smbus.opaque = s;
    smbus_init(&s->smbus);

    device_add_region(&dev->device, &s->apm_region);
    device_add_region(&dev->device, &s->fixed.gpe);
    device_add_region(&dev->device, &s->hotplug.mr);
    device_own_region(&dev->device, &s->fixed.event);
    device_own_region(&dev->device, &s->fixed.control);
    device_own_region(&dev->device, &s->fixed.counter);
    device_own_region(&dev->device, &s->smbus.mr);

    memory_region_init(&s->pm, "piix4-pm", PIIX4_PM_SIZE);
    memory_region_add_subregion(&s->pm, PIIX4_PM_EVENT, &s->fixed.event);
    memory_region_add_subregion(&s->pm, PIIX4_PM_CONTROL, &s->fixed.control);
    memory_region_add_subregion(&s->pm, PIIX4_PM_TIMER, &s->fixed.counter);
    return true;
}

static void piix4_unrealize(PCIDevice *dev)
{
    PIIX4PM *s = (PIIX4PM *)dev;
    MemoryRegion *const parts[] = { &s->fixed.event, &s->fixed.control,
                                    &s->fixed.counter };

    place(s, &s->pm, &s->pm_mapped, false, 0);
    place(s, &s->smbus.mr, &s->smbus_mapped, false, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
        memory_region_del_subregion(&s->pm, parts[i]);
        memory_region_destroy(parts[i]);
    }
    memory_region_destroy(&s->pm);
    memory_region_destroy(&s->smbus.mr);
    pcihp_cleanup(&s->hotplug);
    acpi_fixed_cleanup(&s->fixed);
}

static void piix4_reset(PCIDevice *dev)
{
    PIIX4PM *s = (PIIX4PM *)dev;

    reset_config(s);
    update_mapping(s);
    memset(s->apm, 0, sizeof(s->apm));
    smbus_reset(&s->smbus);
    acpi_fixed_reset(&s->fixed);
    pcihp_reset(&s->hotplug);
}

static const Property piix4_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { "disable_s3", PROP_UINT8, offsetof(PIIX4PM, disable_s3), "0",
      "1: guests are not told of suspend to RAM", .max = 1 },
    { "disable_s4", PROP_UINT8, offsetof(PIIX4PM, disable_s4), "0",
      "1: guests are not told of suspend to disk", .max = 1 },
    { "s4_val", PROP_UINT8, offsetof(PIIX4PM, s4_val),
      G_STRINGIFY(PIIX4_SLP_TYP_TO_DISK), "what they write for suspend to disk",
      .max = ACPI_PM1_SLP_TYP_MASK },
    { 0 },
};

const DeviceType piix4_pm_type = {
    .name = "PIIX4_PM",
    .description = "PIIX4 power management: ACPI registers, SMBus, hot plug",
    .size = sizeof(PIIX4PM),
    .properties = piix4_properties,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){
        .vendor_id = 0x8086, .device_id = 0x7113, .revision = 3,
        .class_code = 0x068000,
        .realize = piix4_realize, .unrealize = piix4_unrealize,
        .reset = piix4_reset, .config_write = piix4_config_write,
    },
};
