/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * microvm: RAM, the chips that KVM serves, a few devices on ports, and no
 * firmware of its own. See docs/microvm.md.
 */
#include <assert.h>
#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include "cpus.h"
#include "hw/acpi/button.h"
#include "hw/acpi/pm.h"
#include "hw/i386/acpi.h"
#include "hw/i386/board.h"
#include "hw/i386/fdt.h"
#include "hw/i386/ioapic.h"
#include "hw/i386/microvm-map.h"
#include "hw/i386/microvm.hex.h"
#include "hw/i386/x86-boot.h"
#include "sysemu.h"
#include "target-i386/cpu.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define LOMEM_MAX (3 * GIB)
#define HIMEM_BASE (4 * GIB)
#define RAM_MIN (1 * MIB)
#define BIOS_END (4 * GIB)
/* What lies between here and the end is free. */
#define BIOS_MAX (BIOS_END - X86_KVM_RESERVED_BASE - X86_KVM_RESERVED_SIZE)
#define BIOS_LOW_MAX (128 * KIB) /* its end is also seen below 1 MiB */
#define SERIALS 4

#define MEM .space = BOARD_MEMORY, .irq = -1, .serial = -1
#define PORT .space = BOARD_PORTS, .irq = -1, .serial = -1
#define PORT_IRQ(n) .space = BOARD_PORTS, .irq = (n), .serial = -1
#define MORE .space = BOARD_PORTS, .irq = -1, .serial = -1, .more = true
#define COM(n)                                                               \
    { "serial" #n, .space = BOARD_PORTS, .base = MICROVM_COM##n##_PORT,      \
      .size = 8, .irq = MICROVM_COM##n##_IRQ, .serial = n - 1,               \
      .device = "isa-serial", .acpi_bit = MICROVM_HAS_COM##n,                \
      .node = "serial", .compatible = "ns16550a" }

static const BoardEntry microvm_table[] = {
    /* First: the others' interrupts lead there. */
    { "ioapic", MEM, .base = X86_IOAPIC_BASE, .size = X86_IOAPIC_SIZE,
      .device = "ioapic", .node = "interrupt-controller",
      .compatible = "intel,ce4100-ioapic" },
    { "lapic", MEM, .base = X86_LAPIC_BASE, .size = X86_LAPIC_SIZE,
      .node = "lapic", .compatible = "intel,ce4100-lapic" },
    { "kvm-pages", MEM, .base = X86_KVM_RESERVED_BASE,
      .size = X86_KVM_RESERVED_SIZE, .reserved = true },

    { "pic0", PORT, .base = MICROVM_PIC0_PORT, .size = 2, .node = "pic",
      .compatible = "intel,i8259" },
    { "pic1", MORE, .base = MICROVM_PIC1_PORT, .size = 2 },
    { "elcr", MORE, .base = MICROVM_ELCR_PORT, .size = 2 },
    { "pit", PORT_IRQ(MICROVM_PIT_IRQ), .base = MICROVM_PIT_PORT, .size = 4,
      .node = "timer", .compatible = "intel,i8254" },
    { "speaker", PORT, .base = MICROVM_SPEAKER_PORT, .size = 1,
      .node = "speaker", .compatible = "pnpPNP,800" },
    { "i8042", PORT_IRQ(MICROVM_I8042_IRQ),
      .base = MICROVM_I8042_DATA_PORT, .size = 1, .device = "i8042",
      .node = "keyboard", .compatible = "pnpPNP,303" },
    { "i8042-command", MORE, .base = MICROVM_I8042_COMMAND_PORT, .size = 1 },
    { "rtc", PORT_IRQ(MICROVM_RTC_IRQ), .base = MICROVM_RTC_PORT, .size = 2,
      .device = "mc146818rtc", .node = "rtc",
      .compatible = "motorola,mc146818" },
    COM(1),
    COM(2),
    COM(3),
    COM(4),
    { "acpi-pm", PORT_IRQ(MICROVM_ACPI_PM_IRQ),
      .base = MICROVM_ACPI_PM_PORT, .size = ACPI_PM_SIZE,
      .device = "acpi-pm", .node = "power",
      .compatible = "flatview,acpi-pm" },
};

#define TABLE_NR G_N_ELEMENTS(microvm_table)

typedef struct MicroVM {
    Machine machine;
    uint64_t lomem_size, himem_size;
    MemoryRegion lomem, himem;
    MemoryRegion bios, bios_low; /* bios has a name only with -bios */
    MemoryRegion reservations[TABLE_NR]; /* named where the entry is one */
    unsigned devices_nr; /* made from the table */
    Loader *loader;
    X86Boot boot;
    bool loaded; /* for the reset to come */
} MicroVM;

bool board_has(const Machine *machine, const BoardEntry *entry)
{
    unsigned n = entry->serial;

    return entry->serial < 0 ||
           (n < machine->serials->len && machine->serials->pdata[n]);
}

/* ---- regions and devices ------------------------------------------------------ */

static bool check_ram(const Machine *machine, GError **err)
{
    uint64_t end = machine->ram_size <= LOMEM_MAX
                       ? machine->ram_size
                       : machine->ram_size - LOMEM_MAX + HIMEM_BASE;
    unsigned eax = 0, ebx, ecx, edx;

    if (machine->ram_size < RAM_MIN) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-m: machine 'microvm' has at least 1 MiB of memory");
        return false;
    }
    /* The processor's number of physical address bits */
    if (__get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx) &&
        (eax & 0xff) < 64 && (end - 1) >> (eax & 0xff)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-m: %" PRIu64 " MiB of memory reach beyond the %u address "
                    "bits of this processor", machine->ram_size >> 20,
                    eax & 0xff);
        return false;
    }
    return true;
}

static void map_ram(MicroVM *s)
{
    Machine *m = &s->machine;

    s->lomem_size = MIN(m->ram_size, LOMEM_MAX);
    s->himem_size = m->ram_size - s->lomem_size;
    memory_region_init_alias(&s->lomem, "lomem", &m->ram, 0, s->lomem_size);
    memory_region_add_subregion(&m->memory_root, 0, &s->lomem);
    if (s->himem_size) {
        memory_region_init_alias(&s->himem, "himem", &m->ram, LOMEM_MAX,
                                 s->himem_size);
        memory_region_add_subregion(&m->memory_root, HIMEM_BASE, &s->himem);
    }
}

/* The image ends where the address space of a 32-bit CPU does. */
static bool map_bios(MicroVM *s, GError **err)
{
    Machine *m = &s->machine;
    LoaderFile *file = loader_open(s->loader, m->bios, "firmware", err);
    uint64_t size, low;
    uint8_t *host;

    if (!file) {
        return false;
    }
    if (file->size > BIOS_MAX) {
        return loader_file_error(file, err, "its size of %" PRIu64 " bytes is "
                                 "more than the %llu that fit below 4 GiB",
                                 file->size, BIOS_MAX);
    }
    size = (file->size + TARGET_PAGE_SIZE - 1) & TARGET_PAGE_MASK;
    low = MIN(size, BIOS_LOW_MAX);
    memory_region_init_rom(&s->bios, "bios", size);
    memory_region_add_subregion(&m->memory_root, BIOS_END - size, &s->bios);
    memory_region_init_alias(&s->bios_low, "bios-low", &s->bios, size - low,
                             low);
    memory_region_add_subregion_overlap(&m->memory_root, MIB - low,
                                        &s->bios_low, 1);
    host = memory_region_get_ram_ptr(&s->bios);
    return loader_file_read(file, 0, host + size - file->size, file->size,
                            "the image", err);
}

static MemoryRegion *space_root(Machine *machine, BoardSpace space)
{
    return space == BOARD_PORTS ? &machine->ports_root : &machine->memory_root;
}

/* Devices that a user may add, too, say where they are in properties. */
static bool set_place(Device *dev, const char *property, uint64_t number,
                      GError **err)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, number);

    return !property_find(dev->type->properties, property) ||
           device_set(dev, property, text, err);
}

/* Make the device of entry @i and put its regions where that entry and the
 * ones that belong to it say. */
static bool add_device(MicroVM *s, unsigned i, GError **err)
{
    const BoardEntry *e = &microvm_table[i];
    Machine *m = &s->machine;
    Device *dev = machine_new_device(m, e->device, NULL, err);
    unsigned n;

    if (!dev) {
        return false;
    }
    if (!set_place(dev, "iobase", e->base, err) ||
        !set_place(dev, "irq", e->irq, err) ||
        (e->serial >= 0 &&
         !device_set(dev, "chardev", chardev_id(m->serials->pdata[e->serial]),
                     err))) {
        device_free(dev);
        return false;
    }
    if (e->irq >= 0) {
        device_connect_irq(dev, 0, device_irq_in(m->interrupts, e->irq));
    }
    object_add(&dev->object, "/machine", e->name);
    if (!machine_realize_device(m, dev, err)) {
        return false;
    }
    for (n = 0; n < dev->regions_nr; n++) {
        const BoardEntry *range = &microvm_table[i + n];

        assert(n == 0 || range->more);
        assert(memory_region_size(dev->regions[n]) == range->size);
        device_map(dev, n, space_root(m, range->space), range->base, 0);
    }
    return true;
}

/* The inputs of the ioapic, the first entry, are those of KVM. */
static void connect_ioapic(Machine *m)
{
    m->interrupts = m->devices->pdata[0];
    for (unsigned n = 0; m->kvm && n < IOAPIC_INPUTS; n++) {
        ioapic_connect(m->interrupts, n, kvm_irq_line(m->kvm, n));
    }
}

static bool map_table(MicroVM *s, GError **err)
{
    bool device = false; /* the entry is a device, or belongs to one */
    unsigned i;

    for (i = 0; i < TABLE_NR; i++) {
        const BoardEntry *e = &microvm_table[i];
        MemoryRegion *mr = &s->reservations[i];

        if (!board_has(&s->machine, e)) {
            continue;
        }
        if (!e->more) {
            device = e->device != NULL;
        }
        if (!device) {
            memory_region_init_reservation(mr, e->name, e->size);
            memory_region_add_subregion(space_root(&s->machine, e->space),
                                        e->base, mr);
        } else if (!e->more && !add_device(s, i, err)) {
            return false;
        }
        if (i == 0) {
            connect_ioapic(&s->machine);
        }
    }
    s->devices_nr = s->machine.devices->len;
    return true;
}

static bool microvm_init(Machine *machine, GError **err)
{
    MicroVM *s = (MicroVM *)machine;

    if (machine->serials->len > SERIALS) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "-serial: machine 'microvm' has %u serial ports, not %u",
                    SERIALS, machine->serials->len);
        return false;
    }
    if (!check_ram(machine, err)) {
        return false;
    }
    s->loader = loader_new(&machine->memory);
    map_ram(s);
    return map_table(s, err) && (!machine->bios || map_bios(s, err));
}

static void remove_region(MemoryRegion *parent, MemoryRegion *mr)
{
    if (memory_region_name(mr)) {
        memory_region_del_subregion(parent, mr);
        memory_region_destroy(mr);
    }
}

static void microvm_finish(Machine *machine)
{
    MicroVM *s = (MicroVM *)machine;
    unsigned i;

    for (i = 0; i < TABLE_NR; i++) {
        remove_region(space_root(machine, microvm_table[i].space),
                      &s->reservations[i]);
    }
    remove_region(&machine->memory_root, &s->bios_low);
    remove_region(&machine->memory_root, &s->bios);
    remove_region(&machine->memory_root, &s->himem);
    remove_region(&machine->memory_root, &s->lomem);
    loader_free(s->loader);
}

/* ---- what the guest finds ------------------------------------------------------- */

static void fill_e820(MicroVM *s)
{
    E820 *map = &s->boot.e820;
    unsigned i;

    e820_add(map, 0, BOOT_LOW_END, E820_RAM);
    e820_add(map, BOOT_LOW_END, BOOT_HIGH_ADDR - BOOT_LOW_END, E820_RESERVED);
    e820_add(map, BOOT_HIGH_ADDR, s->lomem_size - BOOT_HIGH_ADDR, E820_RAM);
    e820_add(map, HIMEM_BASE, s->himem_size, E820_RAM);
    for (i = 0; i < TABLE_NR; i++) {
        const BoardEntry *e = &microvm_table[i];

        if (e->reserved) {
            e820_add(map, e->base, e->size, E820_RESERVED);
        }
    }
}

/* Bits of what the user added, where ACPI can describe it. */
static uint32_t added_devices(const Machine *machine)
{
    uint32_t bits = 0;
    unsigned i;

    for (i = 0; i < machine->devices->len; i++) {
        const Device *dev = machine->devices->pdata[i];

        if (strcmp(dev->type->name, "pvpanic") == 0 &&
            property_number(dev->type->properties, dev, "ioport") ==
                MICROVM_PVPANIC_PORT) {
            bits |= MICROVM_HAS_PVPANIC;
        }
    }
    return bits;
}

static void load_acpi(MicroVM *s)
{
    ACPIConfig config = {
        .dsdt = microvm_aml_code,
        .cpus = s->machine.cpus,
        .pm_port = MICROVM_ACPI_PM_PORT,
        .devices = added_devices(&s->machine),
        .topology = &s->machine.topology,
    };
    g_autoptr(GByteArray) tables = NULL;
    unsigned i;

    for (i = 0; i < TABLE_NR; i++) {
        if (board_has(&s->machine, &microvm_table[i])) {
            config.devices |= microvm_table[i].acpi_bit;
        }
    }
    tables = acpi_build(&config, BOOT_ACPI_ADDR);
    assert(tables->len <= BOOT_ACPI_MAX);
    loader_add_data(s->loader, tables->data, tables->len, BOOT_ACPI_ADDR);
    s->boot.rsdp_addr = BOOT_ACPI_ADDR;
}

/* Where there is no firmware to jump to: code that resets the machine. Linux
 * restarts that way when ACPI is hardware-reduced and EFI is not there. */
static void load_restart(MicroVM *s)
{
    static const uint8_t code[] = {
        0xba, (MICROVM_ACPI_PM_PORT + ACPI_PM_RESET) & 0xff,
        (MICROVM_ACPI_PM_PORT + ACPI_PM_RESET) >> 8, /* mov $port, %dx */
        0xb0, ACPI_PM_RESET_VALUE,                   /* mov $value, %al */
        0xee,                                        /* out %al, %dx */
        0xf4, 0xeb, 0xfd,                            /* 1: hlt; jmp 1b */
    };

    loader_add_data(s->loader, code, sizeof(code), BOOT_RESTART_ADDR);
}

static void *build_fdt(MicroVM *s, uint32_t *size)
{
    FDTConfig config = {
        .machine = &s->machine,
        .table = microvm_table,
        .table_nr = TABLE_NR,
        .devices_nr = s->devices_nr,
        .e820 = &s->boot.e820,
        .lomem = s->lomem_size,
        .himem = s->himem_size,
        .initrd_addr = s->boot.initrd_addr,
        .initrd_size = s->boot.initrd_size,
    };

    return board_fdt_build(&config, size);
}

/* In place, as a shell's redirection does it: the file may be a device, and is
 * not to be replaced by another. */
static bool dump_fdt(const char *path, const void *fdt, uint32_t size,
                     GError **err)
{
    FILE *out = output_stream_open(path);
    bool ok = out && fwrite(fdt, size, 1, out) == 1;
    int error = errno;

    if (out && fclose(out) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (!ok) {
        g_set_error(err, FLATVIEW_ERROR, 0, "dumpdtb: cannot write '%s': %s",
                    path, output_stream_error(error));
    }
    return ok;
}

static bool load_kernel(MicroVM *s, GError **err)
{
    Machine *m = &s->machine;

    s->boot.loader = s->loader;
    s->boot.ram_end = s->lomem_size;
    s->boot.cmdline = m->append ? m->append : "";
    s->boot.initrd = m->initrd;
    s->boot.device_tree = true;
    load_acpi(s);
    load_restart(s);
    return x86_boot_load_kernel(&s->boot, m->kernel, err);
}

static bool microvm_prepare(Machine *machine, GError **err)
{
    MicroVM *s = (MicroVM *)machine;
    g_autofree void *fdt = NULL;
    uint32_t fdt_size;

    fill_e820(s);
    if (machine->kernel && !load_kernel(s, err)) {
        return false;
    }
    if (machine->dumpdtb) {
        fdt = build_fdt(s, &fdt_size);
        return dump_fdt(machine->dumpdtb, fdt, fdt_size, err);
    }
    if (!machine->kernel) {
        if (!machine->bios && machine->kvm) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "there is nothing to run: give -kernel or -bios");
            return false;
        }
        return true;
    }
    if (s->boot.protocol == X86_BOOT_LINUX64 ||
        s->boot.protocol == X86_BOOT_LINUX32) {
        fdt = build_fdt(s, &fdt_size);
        if (fdt_size > BOOT_DEVICE_TREE_MAX) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "-device, -append: the device tree that the kernel gets has %u "
                        "bytes, %u is the most; give fewer devices", fdt_size,
                        BOOT_DEVICE_TREE_MAX);
            return false;
        }
        linux_load_device_tree(&s->boot, fdt, fdt_size);
    }
    if (cpus_count()) {
        cpus_get(0)->reset_hook = x86_boot_reset_cpu;
        cpus_get(0)->reset_opaque = &s->boot;
    }
    s->loaded = loader_load(s->loader, !machine->mem_path && !machine->ram_backend,
                            err);
    return s->loaded;
}

/* The guest has written over what was loaded. */
static void microvm_reset(Machine *machine)
{
    MicroVM *s = (MicroVM *)machine;
    g_autoptr(GError) err = NULL;

    if (!s->loaded && !loader_load(s->loader, false, &err)) {
        fprintf(stderr, "reset: %s\n", err->message);
        vm_request_shutdown(SHUTDOWN_CAUSE_HOST_ERROR, EXIT_USAGE);
    }
    s->loaded = false;
}

static void microvm_power_button(Machine *machine)
{
    acpi_pm_press_button((Device *)object_resolve("/machine/acpi-pm", NULL));
}

const MachineType microvm_machine_type = {
    .name = "microvm",
    .description = "RAM, serial ports, a clock; starts kernels directly",
    .size = sizeof(MicroVM),
    .min_cpus = 1,
    .max_cpus = 64,
    .cpu_type = X86_CPU_TYPE,
    .default_ram_size = 128 * MIB,
    .init = microvm_init,
    .prepare = microvm_prepare,
    .reset = microvm_reset,
    .power_button = microvm_power_button,
    .finish = microvm_finish,
};
