/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pc: a PC with Intel's 440FX and PIIX3. Here is which devices it has, at which ports
 * and interrupts, and how it starts; its memory is in pc-memory.c. See docs/pc.md.
 */
#include "hw/i386/pc.h"

#include <stdarg.h>
#include <string.h>

#include "cpus.h"
#include "hw/acpi/piix4.h"
#include "hw/i386/ioapic.h"
#include "hw/i386/pc-acpi.h"
#include "hw/i386/pc-boot.h"
#include "hw/i386/pc-firmware.h"
#include "hw/i386/pc-map.h"
#include "hw/i386/pc-smbios.h"
#include "hw/isa/isa-irqs.h"
#include "hw/isa/piix3.h"
#include "hw/pci-host/i440fx.h"
#include "hw/rtc/mc146818.h"
#include "hw/timer/hpet.h"
#include "sysemu.h"
#include "target-i386/cpu.h"

#define MIB (1024 * 1024ull)
#define SERIALS 4
/* APIC ids are 8 bits, and the last one stands for all. */
#define CPUS_MAX 255

/* What KVM serves in the kernel. */
typedef struct Reservation {
    const char *name;
    uint64_t base, size;
    bool ports; /* else memory */
    bool kvm;   /* without KVM a device is there */
} Reservation;

static const Reservation reservations[] = {
    { "pic0", PC_PIC0_PORT, 2, true, false },
    { "pic1", PC_PIC1_PORT, 2, true, false },
    { "elcr", PC_ELCR_PORT, 2, true, true },
    { "pit", PC_PIT_PORT, 4, true, true },
    { "speaker", PC_SPEAKER_PORT, 1, true, true },
    { "kvm-pages", X86_KVM_RESERVED_BASE, X86_KVM_RESERVED_SIZE, false, false },
};
_Static_assert(G_N_ELEMENTS(reservations) <= PC_RESERVATIONS_MAX, "room for all");

/* A serial port. Of two that have one interrupt, the second shares it. */
static const struct {
    uint16_t port;
    uint8_t irq;
    bool shared;
} serial_ports[SERIALS] = {
    { PC_COM1_PORT, PC_COM1_IRQ, false },
    { PC_COM2_PORT, PC_COM2_IRQ, false },
    { PC_COM3_PORT, PC_COM3_IRQ, true },
    { PC_COM4_PORT, PC_COM4_IRQ, true },
};

/* ---- devices --------------------------------------------------------------------- */

/* A device of the board called @name; then its properties and their values, and NULL.
 * NULL with @err. */
static Device *add_device(PCMachine *s, const char *type, const char *name,
                          GError **err, ...)
{
    Device *dev = machine_new_device(&s->machine, type, NULL, err);
    const char *property;
    bool ok = dev != NULL;
    va_list list;

    va_start(list, err);
    while (ok && (property = va_arg(list, const char *))) {
        ok = device_set(dev, property, va_arg(list, const char *), err);
    }
    va_end(list);
    if (!ok) {
        device_free(dev);
        return NULL;
    }
    object_add(&dev->object, "/machine", name);
    return machine_realize_device(&s->machine, dev, err) ? dev : NULL;
}

/* The same with one region at @port, and output 0 at interrupt @irq. */
static Device *add_isa_device(PCMachine *s, const char *type, const char *name,
                              uint16_t port, unsigned irq, GError **err)
{
    Device *dev = add_device(s, type, name, err, NULL);

    if (dev) {
        device_connect_irq(dev, 0, device_irq_in(s->irqs, irq));
        device_map(dev, 0, &s->machine.ports_root, port, 0);
    }
    return dev;
}

static bool add_interrupts(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;

    s->ioapic = add_device(s, "ioapic", "ioapic", err, NULL);
    s->irqs = s->ioapic ? add_device(s, "isa-irqs", "irqs", err, NULL) : NULL;
    if (!s->irqs) {
        return false;
    }
    device_map(s->ioapic, 0, &m->memory_root, PC_IOAPIC_BASE, 0);
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        isa_irqs_connect(s->irqs, n, device_irq_in(s->ioapic, n));
        if (m->kvm) {
            ioapic_connect(s->ioapic, n, kvm_irq_line(m->kvm, n));
        }
    }
    m->interrupts = s->irqs;
    return !m->kvm || kvm_route_pc_timer(m->kvm, err);
}

static bool add_serials(PCMachine *s, GError **err)
{
    GPtrArray *serials = s->machine.serials;

    for (unsigned n = 0; n < serials->len; n++) {
        g_autofree char *name = g_strdup_printf("serial%u", n + 1);
        g_autofree char *iobase = g_strdup_printf("%u", serial_ports[n].port);
        g_autofree char *irq = g_strdup_printf("%u", serial_ports[n].irq);
        Device *dev;

        if (!serials->pdata[n]) {
            continue;
        }
        dev = add_device(s, "isa-serial", name, err, "iobase", iobase, "irq", irq,
                         "chardev", chardev_id(serials->pdata[n]), NULL);
        if (!dev) {
            return false;
        }
        device_connect_irq(dev, 0, serial_ports[n].shared
            ? isa_irqs_share(s->irqs, serial_ports[n].irq)
            : device_irq_in(s->irqs, serial_ports[n].irq));
        device_map(dev, 0, &s->machine.ports_root, serial_ports[n].port, 0);
    }
    return true;
}

static bool add_i8042(PCMachine *s, GError **err)
{
    s->i8042_dev = add_device(s, "i8042", "i8042", err, "keyboard", "on", "mouse", "on",
                              NULL);
    if (!s->i8042_dev) {
        return false;
    }
    device_connect_irq(s->i8042_dev, 0, device_irq_in(s->irqs, PC_KEYBOARD_IRQ));
    device_connect_irq(s->i8042_dev, 1, device_irq_in(s->irqs, PC_MOUSE_IRQ));
    device_map(s->i8042_dev, 0, &s->machine.ports_root, PC_I8042_DATA_PORT, 0);
    device_map(s->i8042_dev, 1, &s->machine.ports_root, PC_I8042_COMMAND_PORT, 0);
    return true;
}

/* Where KVM does not serve it. */
static bool add_pit(PCMachine *s, GError **err)
{
    s->pit = add_isa_device(s, "isa-pit", "pit", PC_PIT_PORT, PC_PIT_IRQ, err);
    if (!s->pit) {
        return false;
    }
    device_map(s->pit, 1, &s->machine.ports_root, PC_SPEAKER_PORT, 0);
    return true;
}

static void set_kvm_pit_off(void *opaque, int n, int level)
{
    kvm_pit_enable(opaque, !level);
}

/* Its wires share those of other devices; the clock's interrupt goes through it. */
static bool add_hpet(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;

    s->hpet_dev = add_device(s, "hpet", "hpet", err, NULL);
    if (!s->hpet_dev) {
        return false;
    }
    device_map(s->hpet_dev, 0, &m->memory_root, PC_HPET_BASE, 0);
    for (unsigned n = 0; n < HPET_WIRES_NR; n++) {
        device_connect_irq(s->hpet_dev, n, n == PC_RTC_IRQ
            ? device_irq_in(s->irqs, n)
            : isa_irqs_share(s->irqs, n));
    }
    device_connect_irq(s->hpet_dev, HPET_OUT_PIT_OFF, m->kvm
        ? (IRQLine){ set_kvm_pit_off, m->kvm, 0 }
        : device_irq_in(s->pit, 0));
    device_connect_irq(s->rtc, 0, device_irq_in(s->hpet_dev, HPET_IN_RTC));
    return true;
}

/* A function of the board at @addr, "SLOT.FUNCTION". */
static PCIDevice *add_function(PCMachine *s, const char *type, const char *name,
                               const char *addr, bool multifunction, GError **err)
{
    return (PCIDevice *)add_device(s, type, name, err, "addr", addr, "multifunction",
                                   multifunction ? "on" : "off", NULL);
}

/* All that the processor can address is there; what is asked for is but a part. */
static bool check_high_hole(PCMachine *s, GError **err)
{
    uint64_t first, last, there;

    pc_get_high_hole(s, &first, &last);
    there = last ? last - first + 1 : 0;
    if (i440fx_host_hole64_size(s->host) > there) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "device 'i440FX-pcihost': property 'pci-hole64-size': this "
                    "processor addresses no more than %" PRIu64 " MiB above RAM",
                    there >> 20);
        return false;
    }
    return true;
}

/* The host bridge, and its bus. */
static bool add_host(PCMachine *s, GError **err)
{
    Machine *m = &s->machine;

    s->host = machine_new_device(m, "i440FX-pcihost", NULL, err);
    if (!s->host) {
        return false;
    }
    i440fx_host_set_spaces(s->host, &(I440FXSpaces){
        .memory = &m->memory_root, .ram = &m->ram, .pci = &s->pci_memory,
        .ports = &m->ports_root, .smram = &s->smram });
    object_add(&s->host->object, "/machine", "i440fx");
    if (!machine_realize_device(m, s->host, err) || !check_high_hole(s, err)) {
        return false;
    }
    m->pci = i440fx_host_bus(s->host);
    object_add(&m->pci->object, "/machine/i440fx", m->pci->name);
    device_map(s->host, 0, &m->ports_root, PC_PCI_CONFIG_ADDRESS, 0);
    device_map(s->host, 1, &m->ports_root, PC_PCI_CONFIG_DATA, 0);
    s->i440fx = add_function(s, "i440FX", "pci-host", "0.0", false, err);
    return s->i440fx;
}

/* The ISA bridge, and with it the ways of PCI's interrupts. */
static bool add_piix3(PCMachine *s, GError **err)
{
    s->piix3 = add_function(s, "PIIX3", "piix3", "1.0", true, err);
    if (!s->piix3) {
        return false;
    }
    piix3_connect_host(s->piix3, i440fx_host_ports(s->host));
    for (unsigned n = 0; n < PCI_PINS; n++) {
        device_connect_irq(s->host, n, device_irq_in(&s->piix3->device, n));
    }
    for (unsigned n = 0; n < PIIX3_IRQS; n++) {
        piix3_connect_irq(s->piix3, n, isa_irqs_share(s->irqs, n));
    }
    if (!s->machine.kvm) {
        device_map(&s->piix3->device, 0, &s->machine.ports_root, PC_ELCR_PORT, 0);
    }
    return true;
}

/* Power management, the other function of the south bridge that there is. */
static bool add_pm(PCMachine *s, GError **err)
{
    MemoryRegion *ports = &s->machine.ports_root;
    Device *dev;

    s->pm = add_function(s, "PIIX4_PM", "pm", "1.3", false, err);
    if (!s->pm) {
        return false;
    }
    dev = &s->pm->device;
    device_map(dev, PIIX4_REGION_APM, ports, PC_APM_PORT, 0);
    device_map(dev, PIIX4_REGION_GPE, ports, PC_GPE0_PORT, 0);
    device_map(dev, PIIX4_REGION_HOTPLUG, ports, PC_PCI_HOTPLUG_PORT, 0);
    device_connect_irq(dev, PIIX4_OUT_SCI, device_irq_in(s->irqs, PC_SCI_IRQ));
    if (s->has_smm && s->machine.kvm) {
        device_connect_irq(dev, PIIX4_OUT_SMI, kvm_smi_line(s->machine.kvm));
    }
    return true;
}

static bool add_port92(PCMachine *s, GError **err)
{
    Device *dev = add_device(s, "port92", "port92", err, NULL);

    if (!dev) {
        return false;
    }
    device_map(dev, 0, &s->machine.ports_root, PC_PORT92, 0);
    return true;
}

static bool add_msi(PCMachine *s, GError **err)
{
    Device *dev = add_device(s, "apic-msi", "apic-msi", err, NULL);

    if (!dev) {
        return false;
    }
    /* On top of whatever a BAR puts there. */
    device_map(dev, 0, &s->machine.memory_root, PC_MSI_BASE, 4096);
    return true;
}

static bool add_devices(PCMachine *s, GError **err)
{
    if (!add_interrupts(s, err) || !add_host(s, err) || !add_piix3(s, err) ||
        !add_pm(s, err) || !add_port92(s, err) || !add_msi(s, err) ||
        (s->i8042 && !add_i8042(s, err)) ||
        (!s->machine.kvm && !add_pit(s, err))) {
        return false;
    }
    s->rtc = add_isa_device(s, "mc146818rtc", "rtc", PC_RTC_PORT, PC_RTC_IRQ, err);
    return s->rtc && pc_cmos_init(s, err) && (!s->hpet || add_hpet(s, err)) &&
           add_serials(s, err);
}

/* ---- the board ------------------------------------------------------------------- */

static MemoryRegion *reservation_space(PCMachine *s, unsigned i)
{
    return reservations[i].ports ? &s->machine.ports_root : &s->machine.memory_root;
}

static void add_reservations(PCMachine *s)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(reservations); i++) {
        if (reservations[i].kvm && !s->machine.kvm) {
            continue;
        }
        memory_region_init_reservation(&s->reservations[i], reservations[i].name,
                                       reservations[i].size);
        memory_region_add_subregion(reservation_space(s, i), reservations[i].base,
                                    &s->reservations[i]);
    }
}

static bool add_vga(PCMachine *s, GError **err)
{
    return g_strcmp0(s->machine.vga, "std") != 0 ||
           add_function(s, "VGA", "vga", "2.0", false, err);
}

static bool check_smm(PCMachine *s, GError **err)
{
    KVMState *kvm = s->machine.kvm;

    /* Without KVM no vCPU runs, and a test can look. */
    s->has_smm = strcmp(s->smm, "off") != 0 && (!kvm || kvm_has_smm(kvm));
    if (strcmp(s->smm, "on") != 0 && strcmp(s->smm, "off") != 0 &&
        strcmp(s->smm, "auto") != 0) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-machine: machine 'pc': property 'smm' is on, off or auto, "
                    "not '%s'", s->smm);
        return false;
    }
    if (strcmp(s->smm, "on") == 0 && !s->has_smm) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-machine: machine 'pc': property 'smm': this host's KVM has no "
                    "system management mode; leave it out, or set it to auto");
        return false;
    }
    return true;
}

static bool pc_init(Machine *machine, GError **err)
{
    PCMachine *s = (PCMachine *)machine;

    if (machine->serials->len > SERIALS) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-serial: machine 'pc' has %u serial ports, not %u", SERIALS,
                    machine->serials->len);
        return false;
    }
    if (!check_smm(s, err) || !pc_check_ram(s, err)) {
        return false;
    }
    s->loader = loader_new(&machine->memory);
    pc_map_ram(s);
    add_reservations(s);
    return (s->late_ticks || !machine->kvm ||
            kvm_pit_set_reinject(machine->kvm, false, err)) &&
           add_devices(s, err) && add_vga(s, err) && pc_add_fw_cfg(s, err) &&
           pc_add_firmware(s, err);
}

static void pc_finish(Machine *machine)
{
    PCMachine *s = (PCMachine *)machine;

    for (unsigned i = 0; i < G_N_ELEMENTS(reservations); i++) {
        if (memory_region_name(&s->reservations[i])) {
            memory_region_del_subregion(reservation_space(s, i), &s->reservations[i]);
            memory_region_destroy(&s->reservations[i]);
        }
    }
    pc_unmap_memory(s);
    loader_free(s->loader);
}

/* ---- the start ------------------------------------------------------------------- */

static bool pc_prepare(Machine *machine, GError **err)
{
    PCMachine *s = (PCMachine *)machine;

    if (machine->dumpdtb) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "dumpdtb: machine 'pc' has no device tree; microvm has one");
        return false;
    }
    piix4_pm_add_bridges(s->pm);
    return pc_fill_fw_cfg(s, err) && pc_smbios_add_files(s, err) &&
           (!s->acpi || pc_acpi_add_files(s, err)) &&
           pc_boot_prepare(s, err) && pc_add_user_files(s, err);
}

static void pc_reset(Machine *machine)
{
    PCMachine *s = (PCMachine *)machine;

    pc_cmos_reset(s);
    pc_boot_reset(s);
    if (s->asleep && !s->waking) {
        /* Firmware is not to wake it: it was reset, and starts afresh. */
        mc146818_set_cmos(s->rtc, PC_CMOS_SHUTDOWN, 0);
    }
    s->asleep = false;
}

static void pc_power_button(Machine *machine)
{
    piix4_pm_press_button(((PCMachine *)machine)->pm);
}

static void pc_suspend(Machine *machine)
{
    PCMachine *s = (PCMachine *)machine;

    s->asleep = true;
    mc146818_set_cmos(s->rtc, PC_CMOS_SHUTDOWN, PC_CMOS_SHUTDOWN_WAKE);
}

static void pc_wakeup(Machine *machine, WakeupReason reason)
{
    PCMachine *s = (PCMachine *)machine;

    s->waking = true;
    pc_reset_keeping_shadow(s);
    if (s->waking) {
        piix4_pm_wake(s->pm, reason);
    }
    s->waking = false;
}

static const Property pc_properties[] = {
    { "hpet", PROP_BOOL, offsetof(PCMachine, hpet), "on",
      "there is a high precision event timer", 0 },
    { "i8042", PROP_BOOL, offsetof(PCMachine, i8042), "on",
      "there is a keyboard controller", 0 },
    { "late-ticks", PROP_BOOL, offsetof(PCMachine, late_ticks), "on",
      "ticks of the timer that the guest missed come later", 0 },
    { "acpi", PROP_BOOL, offsetof(PCMachine, acpi), "on",
      "there are ACPI tables", 0 },
    { "graphics", PROP_BOOL, offsetof(PCMachine, graphics), "on",
      "off: the firmware's screen is the first serial port", 0 },
    { "max-ram-below-4g", PROP_SIZE, offsetof(PCMachine, max_ram_below_4g), "0",
      "where RAM below 4 GiB ends at most; 0: 3 GiB, or 3.5 if all fits", 0 },
    { "smm", PROP_STRING, offsetof(PCMachine, smm), "auto",
      "system management mode: on, off, or auto: on where KVM has it", 0 },
    { 0 },
};

const MachineType pc_machine_type = {
    .name = "pc",
    .description = "a PC with an i440FX and PIIX3, PCI and firmware",
    .size = sizeof(PCMachine),
    .properties = pc_properties,
    .min_cpus = 1,
    .max_cpus = CPUS_MAX,
    .cpu_type = X86_CPU_TYPE,
    .default_ram_size = 128 * MIB,
    .has_firmware = true,
    .has_vga = true,
    .init = pc_init,
    .prepare = pc_prepare,
    .reset = pc_reset,
    .power_button = pc_power_button,
    .suspend = pc_suspend,
    .wakeup = pc_wakeup,
    .finish = pc_finish,
};
