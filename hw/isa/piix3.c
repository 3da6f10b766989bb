/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX3, function 0: the bridge to ISA, which leads the interrupt wires of PCI to
 * interrupts of ISA, and has the reset control register. Intel 82371SB datasheet,
 * chapters 3.1 (registers), 3.2.5 (edge and level), 3.4.1 (reset control).
 *
 * Whether an interrupt is one of levels is what the interrupt controllers want to know.
 * Where KVM has them it has these two registers, too; without, they only keep what is
 * written.
 */
#include "hw/isa/piix3.h"

#include <assert.h>

#include "sysemu.h"

/* Configuration registers that do nothing here, but keep what is written. */
#define IORT 0x4c
#define XBCS 0x4e    /* two bytes */
#define TOM 0x69
#define MBIRQ0 0x70
#define MBDMA 0x76   /* two bytes */
#define PCSC 0x78    /* two bytes */
#define APICBASE 0x80
#define DLC 0x82
#define SMICNTL 0xa0
#define SMIEN 0xa2   /* two bytes */
#define SEE 0xa4     /* four bytes */
#define FTMR 0xa8
#define SMIREQ 0xaa  /* two bytes */
#define CTLTMR 0xac
#define CTHTMR 0xae

#define ROUTE_MASK (PIIX3_PIRQ_OFF | 0x0f)
/* Interrupts that no PIRQ can have: 0, 1, 2, 8 and 13. */
#define IRQS_RESERVED 0x2107u

/* Of the reset control register */
#define RESET_HARD 0x02
#define RESET_NOW 0x04

/* Interrupts 0, 1, 2, 8 and 13 are always of edges. */
static const uint8_t elcr_masks[2] = { 0xf8, 0xde };

typedef struct PIIX3 {
    PCIDevice pci;
    MemoryRegion elcr_ports;
    uint8_t elcr[2];
    uint8_t reset_control;
    uint8_t pirqs;   /* levels of the four */
    uint16_t driven; /* levels of ISA's interrupts, as far as PIRQs make them */
    IRQLine isa[PIIX3_IRQS];
    PCIHost *host;   /* NULL: not connected */
} PIIX3;

/* ---- interrupts ---------------------------------------------------------------------- */

static void update_irqs(PIIX3 *s)
{
    uint16_t levels = 0, changed;

    for (unsigned pirq = 0; pirq < PCI_PINS; pirq++) {
        uint8_t route = s->pci.config[PIIX3_PIRQ_ROUTES + pirq];

        if ((s->pirqs >> pirq & 1) && !(route & PIIX3_PIRQ_OFF)) {
            levels |= 1u << (route & 0xf);
        }
    }
    levels &= ~IRQS_RESERVED;
    changed = levels ^ s->driven;
    s->driven = levels;
    for (unsigned n = 0; n < PIIX3_IRQS; n++) {
        if (changed >> n & 1) {
            irq_set(&s->isa[n], levels >> n & 1);
        }
    }
}

static void piix3_set_input(Device *dev, unsigned n, bool level)
{
    PIIX3 *s = (PIIX3 *)dev;

    s->pirqs &= ~(1u << n);
    s->pirqs |= level << n;
    update_irqs(s);
}

void piix3_connect_irq(PCIDevice *piix3, unsigned n, IRQLine irq)
{
    assert(n < PIIX3_IRQS);
    ((PIIX3 *)piix3)->isa[n] = irq;
}

static void piix3_config_write(PCIDevice *dev, unsigned addr, uint32_t value,
                               unsigned size)
{
    pci_config_write(dev, addr, value, size);
    if (addr + size > PIIX3_PIRQ_ROUTES && addr < PIIX3_PIRQ_ROUTES + PCI_PINS) {
        update_irqs((PIIX3 *)dev);
    }
}

/* ---- ports --------------------------------------------------------------------------- */

static uint64_t elcr_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((PIIX3 *)opaque)->elcr[addr];
}

static void elcr_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    ((PIIX3 *)opaque)->elcr[addr] = data & elcr_masks[addr];
}

static const MemoryRegionOps elcr_ops = {
    .read = elcr_read,
    .write = elcr_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static uint8_t reset_control_read(void *opaque)
{
    return ((PIIX3 *)opaque)->reset_control;
}

static void reset_control_write(void *opaque, uint8_t value)
{
    ((PIIX3 *)opaque)->reset_control = value & RESET_HARD;
    if (value & RESET_NOW) {
        vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
    }
}

void piix3_connect_host(PCIDevice *piix3, PCIHost *host)
{
    host->reset_control_read = reset_control_read;
    host->reset_control_write = reset_control_write;
    host->reset_control_opaque = piix3;
    ((PIIX3 *)piix3)->host = host;
}

/* ---- the function -------------------------------------------------------------------- */

static void piix3_reset(PCIDevice *dev)
{
    PIIX3 *s = (PIIX3 *)dev;

    s->elcr[0] = s->elcr[1] = 0;
    s->reset_control = 0;
    update_irqs(s);
}

static bool piix3_realize(PCIDevice *dev, GError **err)
{
    static const struct {
        uint8_t reg, count, mask;
        uint16_t reset;
    } registers[] = {
        { PCI_STATUS, 0, 0, PCI_STATUS_DEVSEL_MEDIUM },
        { IORT, 1, 0xff, 0x4d }, { XBCS, 2, 0xff, 0x0003 },
        { PIIX3_PIRQ_ROUTES, 1, ROUTE_MASK, PIIX3_PIRQ_OFF },
        { PIIX3_PIRQ_ROUTES + 1, 1, ROUTE_MASK, PIIX3_PIRQ_OFF },
        { PIIX3_PIRQ_ROUTES + 2, 1, ROUTE_MASK, PIIX3_PIRQ_OFF },
        { PIIX3_PIRQ_ROUTES + 3, 1, ROUTE_MASK, PIIX3_PIRQ_OFF },
        { TOM, 1, 0xff, 0x02 }, { MBIRQ0, 1, 0xff, 0x80 }, { MBDMA, 2, 0xff, 0x0c0c },
        { PCSC, 2, 0xff, 0x0002 }, { APICBASE, 1, 0xff, 0 }, { DLC, 1, 0xff, 0 },
        { SMICNTL, 1, 0xff, 0x08 }, { SMIEN, 2, 0xff, 0 }, { SEE, 4, 0xff, 0 },
        { FTMR, 1, 0xff, 0x0f }, { SMIREQ, 2, 0xff, 0 }, { CTLTMR, 1, 0xff, 0 },
        { CTHTMR, 1, 0xff, 0 },
    };
    PIIX3 *s = (PIIX3 *)dev;

    for (unsigned i = 0; i < G_N_ELEMENTS(registers); i++) {
        for (unsigned n = 0; n < registers[i].count; n++) {
            dev->wmask[registers[i].reg + n] = registers[i].mask;
        }
        dev->config[registers[i].reg] = registers[i].reset & 0xff;
        if (registers[i].reset > 0xff || registers[i].count == 2) {
            dev->config[registers[i].reg + 1] = registers[i].reset >> 8;
        }
    }
    memory_region_init_io(&s->elcr_ports, &elcr_ops, s, "elcr", sizeof(s->elcr));
    device_add_region(&dev->device, &s->elcr_ports);
    return true;
}

static void piix3_unrealize(PCIDevice *dev)
{
    PCIHost *host = ((PIIX3 *)dev)->host;

    if (host) {
        host->reset_control_read = NULL;
        host->reset_control_write = NULL;
    }
}

static const Property piix3_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { 0 },
};

static const PCIInfo piix3_info = {
    .vendor_id = 0x8086,
    .device_id = 0x7000,
    .class_code = 0x060100,
    .realize = piix3_realize,
    .unrealize = piix3_unrealize,
    .reset = piix3_reset,
    .config_write = piix3_config_write,
};

const DeviceType piix3_type = {
    .name = "PIIX3",
    .description = "PIIX3 ISA bridge: interrupt routes, reset control",
    .size = sizeof(PIIX3),
    .properties = piix3_properties,
    PCI_DEVICE_TYPE,
    .pci = &piix3_info,
    .inputs_nr = PCI_PINS,
    .set_input = piix3_set_input,
};
