/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 440FX: the bridge between processor, RAM and PCI. Datasheet of the 82441FX,
 * chapter 3. What its registers of DRAM timing and row boundaries say has no effect:
 * firmware learns from fw_cfg how much RAM there is.
 *
 * RAM at 0xa0000 to 0xbffff is system management RAM: PCI, that is the screen, hides
 * it, but while the register SMRAM opens it, or from a processor in that mode where
 * SMRAM enables it. D_CLS of SMRAM, which would hide it there from all but instructions,
 * has no effect: accesses and instructions go through the same map. The register FDHC
 * can make one more hole in RAM, for cards of ISA that have memory there.
 */
#include "hw/pci-host/i440fx.h"
#include "hw/pci-host/pam.h"

#define SMRAM_BASE 0xa0000
#define SMRAM_SIZE 0x20000
#define FDHC 0x68
#define FDHC_MASK 0xc0
#define HOLES 2

static const struct {
    uint8_t value; /* of FDHC */
    hwaddr base;
    uint64_t size;
} holes[HOLES] = {
    { 0x40, 0x80000, 0x20000 },
    { 0x80, 0xf00000, 0x100000 },
};

#define SMRAM_GUEST (I440FX_SMRAM_OPEN | I440FX_SMRAM_CLOSED | I440FX_SMRAM_LOCK | \
                     I440FX_SMRAM_ENABLE)

/* Registers that do nothing here, but keep what is written. */
#define PMCCFG 0x50
#define DBC 0x53
#define AXC 0x54
#define DRT 0x55   /* two bytes */
#define DRAMC 0x57 /* at reset how much RAM there is, as firmware knows from QEMU */
#define DRAMC_UNIT (8ull << 20)
#define DRAMT 0x58
#define DRB 0x60   /* eight bytes */
#define MTT 0x70
#define CLT 0x71
#define ERRCMD 0x90

/* ---- the host ---------------------------------------------------------------------- */

typedef struct I440FXHost {
    Device dev;
    PCIHost ports;
    PCIBus bus;
    I440FXSpaces spaces;
    uint64_t hole64_size; /* property */
} I440FXHost;

void i440fx_host_set_spaces(Device *host, const I440FXSpaces *spaces)
{
    ((I440FXHost *)host)->spaces = *spaces;
}

PCIBus *i440fx_host_bus(Device *host)
{
    return &((I440FXHost *)host)->bus;
}

PCIHost *i440fx_host_ports(Device *host)
{
    return &((I440FXHost *)host)->ports;
}

uint64_t i440fx_host_hole64_size(const Device *host)
{
    return ((const I440FXHost *)host)->hole64_size;
}

/* The wires are those of the slots of a PC's board, which the PCI BIOS tells. */
static unsigned host_map_irq(void *opaque, const PCIDevice *dev, unsigned pin)
{
    return (PCI_SLOT(dev->devfn) + pin + PCI_PINS - 1) % PCI_PINS;
}

static void host_set_irq(void *opaque, unsigned wire, bool level)
{
    device_set_irq(opaque, wire, level);
}

static const PCIBusOps host_bus_ops = {
    .map_irq = host_map_irq,
    .set_irq = host_set_irq,
};

static bool host_realize(Device *dev, GError **err)
{
    I440FXHost *s = (I440FXHost *)dev;

    pci_bus_init(&s->bus, "pci.0", NULL, &host_bus_ops, dev, s->spaces.pci,
                 s->spaces.ports, s->spaces.memory);
    pci_host_init(&s->ports, &s->bus);
    device_add_region(dev, &s->ports.address_region);
    device_add_region(dev, &s->ports.data_region);
    return true;
}

static void host_unrealize(Device *dev)
{
    pci_bus_cleanup(&((I440FXHost *)dev)->bus);
}

static void host_reset(Device *dev)
{
    ((I440FXHost *)dev)->ports.address = 0;
}

static const Property host_properties[] = {
    { "pci-hole64-size", PROP_SIZE, offsetof(I440FXHost, hole64_size), "0",
      "room for BARs that there must be above RAM", 0 },
    { 0 },
};

const DeviceType i440fx_pcihost_type = {
    .name = "i440FX-pcihost",
    .description = "i440FX host bridge: the root bus and its ports",
    .size = sizeof(I440FXHost),
    .properties = host_properties,
    .realize = host_realize,
    .unrealize = host_unrealize,
    .reset = host_reset,
};

/* ---- the function ------------------------------------------------------------------ */

typedef struct I440FX {
    PCIDevice pci;
    I440FXHost *host;
    PAM pam;
    MemoryRegion holes[HOLES]; /* hide the RAM there, */
    MemoryRegion smram_pci;    /* and there */
    MemoryRegion smram_ram;    /* shows it in system management mode */
} I440FX;

static unsigned pam_bits(const PCIDevice *dev, unsigned segment)
{
    unsigned half = segment + 1; /* segment 0 is the second one's */

    return dev->config[I440FX_PAM + half / 2] >> (half % 2 * 4) &
           (PAM_READ_RAM | PAM_WRITE_RAM);
}

/* All of the map as the registers say. */
static void update_map(I440FX *s)
{
    uint8_t smram = s->pci.config[I440FX_SMRAM];

    memory_region_transaction_begin();
    for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
        pam_set(&s->pam, n, pam_bits(&s->pci, n));
    }
    for (unsigned n = 0; n < HOLES; n++) {
        memory_region_set_enabled(&s->holes[n], s->pci.config[FDHC] == holes[n].value);
    }
    memory_region_set_enabled(&s->smram_pci, !(smram & I440FX_SMRAM_OPEN));
    memory_region_set_enabled(&s->smram_ram, smram & I440FX_SMRAM_ENABLE);
    memory_region_transaction_commit();
}

static void lock_smram(PCIDevice *dev)
{
    if (dev->config[I440FX_SMRAM] & I440FX_SMRAM_LOCK) {
        dev->config[I440FX_SMRAM] &= ~I440FX_SMRAM_OPEN;
        dev->wmask[I440FX_SMRAM] = I440FX_SMRAM_CLOSED;
    }
}

static void i440fx_config_write(PCIDevice *dev, unsigned addr, uint32_t value,
                                unsigned size)
{
    pci_config_write(dev, addr, value, size);
    if (addr + size > I440FX_PAM && addr <= I440FX_SMRAM) {
        lock_smram(dev);
        update_map((I440FX *)dev);
    }
}

static void i440fx_reset(PCIDevice *dev)
{
    dev->wmask[I440FX_SMRAM] = SMRAM_GUEST;
    update_map((I440FX *)dev);
}

static void init_registers(PCIDevice *dev, uint64_t ram_size)
{
    static const struct {
        uint8_t reg, count, mask;
    } writable[] = {
        { PMCCFG, 2, 0xff }, { DBC, 1, 0xff }, { AXC, 1, 0xff }, { DRT, 2, 0xff },
        { DRAMC, 1, 0xff }, { DRAMT, 1, 0xff }, { DRB, 8, 0xff }, { MTT, 1, 0xff },
        { CLT, 1, 0xff }, { ERRCMD, 1, 0xff },
        { I440FX_PAM, 1, 0x30 }, { I440FX_PAM + 1, 6, 0x33 },
        { FDHC, 1, FDHC_MASK }, { I440FX_SMRAM, 1, SMRAM_GUEST },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(writable); i++) {
        for (unsigned n = 0; n < writable[i].count; n++) {
            dev->wmask[writable[i].reg + n] = writable[i].mask;
        }
    }
    dev->config[DRAMC] = MIN(ram_size / DRAMC_UNIT, 0xff);
    dev->config[I440FX_SMRAM] = I440FX_SMRAM_BASE;
}

/* @mr on top of the RAM at @base shows PCI there. */
static void add_hole(MemoryRegion *mr, const char *name, const I440FXSpaces *spaces,
                     hwaddr base, uint64_t size)
{
    memory_region_init_alias(mr, name, spaces->pci, base, size);
    memory_region_set_enabled(mr, false);
    memory_region_add_subregion_overlap(spaces->memory, base, mr, 1);
}

static void remove_region(MemoryRegion *parent, MemoryRegion *mr)
{
    memory_region_del_subregion(parent, mr);
    memory_region_destroy(mr);
}

static bool i440fx_realize(PCIDevice *dev, GError **err)
{
    I440FX *s = (I440FX *)dev;
    const I440FXSpaces *spaces;

    s->host = dev->bus->opaque;
    spaces = &s->host->spaces;
    init_registers(dev, memory_region_size(spaces->ram));
    pam_init(&s->pam, spaces->memory, spaces->ram, spaces->pci);
    for (unsigned n = 0; n < HOLES; n++) {
        add_hole(&s->holes[n], "isa-hole", spaces, holes[n].base, holes[n].size);
    }
    add_hole(&s->smram_pci, "smram-region", spaces, SMRAM_BASE, SMRAM_SIZE);
    memory_region_init_alias(&s->smram_ram, "smram-low", spaces->ram, SMRAM_BASE,
                             SMRAM_SIZE);
    memory_region_set_enabled(&s->smram_ram, false);
    memory_region_add_subregion(spaces->smram, SMRAM_BASE, &s->smram_ram);
    return true;
}

static void i440fx_unrealize(PCIDevice *dev)
{
    I440FX *s = (I440FX *)dev;
    const I440FXSpaces *spaces = &s->host->spaces;

    remove_region(spaces->smram, &s->smram_ram);
    remove_region(spaces->memory, &s->smram_pci);
    for (unsigned n = 0; n < HOLES; n++) {
        remove_region(spaces->memory, &s->holes[n]);
    }
    pam_finish(&s->pam);
}

void i440fx_add_rom(PCIDevice *i440fx, hwaddr addr, uint64_t size, void *host)
{
    pam_add_rom(&((I440FX *)i440fx)->pam, addr, size, host);
}

static const Property i440fx_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { 0 },
};

static const PCIInfo i440fx_info = {
    .vendor_id = 0x8086,
    .device_id = 0x1237,
    .revision = 2,
    .class_code = 0x060000,
    .realize = i440fx_realize,
    .unrealize = i440fx_unrealize,
    .reset = i440fx_reset,
    .config_write = i440fx_config_write,
};

const DeviceType i440fx_type = {
    .name = "i440FX",
    .description = "i440FX host bridge: what is RAM and what is PCI",
    .size = sizeof(I440FX),
    .properties = i440fx_properties,
    PCI_DEVICE_TYPE,
    .pci = &i440fx_info,
};
