/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function that copies guest memory: the example of docs/writing-a-device.md,
 * and no real one.
 */
#include "hw/pci/pci.h"

/* Registers, 4 bytes each. */
#define REG_FROM 0x0   /* guest-physical addresses */
#define REG_TO 0x4
#define REG_LENGTH 0x8 /* write: copy as many bytes, at most LENGTH_MAX */
#define REG_STATUS 0xc /* STATUS_ bits; write: clear those that are 1 */
#define REGS_SIZE 0x10

#define LENGTH_MAX 0x1000
#define STATUS_DONE 0x1  /* drives the interrupt, as the next one */
#define STATUS_ERROR 0x2 /* there was no memory, or the function is no master */

typedef struct PCICopier {
    PCIDevice dev; /* first, always */
    MemoryRegion regs;
    uint32_t from, to, status;
} PCICopier;

static void copier_copy(PCICopier *s, uint32_t length)
{
    uint8_t buf[LENGTH_MAX];

    if (length > LENGTH_MAX || pci_dma_read(&s->dev, s->from, buf, length) != MEMTX_OK ||
        pci_dma_write(&s->dev, s->to, buf, length) != MEMTX_OK) {
        s->status |= STATUS_ERROR;
    } else {
        s->status |= STATUS_DONE;
    }
}

static uint64_t copier_read(void *opaque, hwaddr addr, unsigned size)
{
    PCICopier *s = opaque;

    return addr == REG_FROM ? s->from : addr == REG_TO ? s->to
         : addr == REG_STATUS ? s->status : 0;
}

static void copier_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    PCICopier *s = opaque;

    switch (addr) {
    case REG_FROM:
        s->from = data;
        break;
    case REG_TO:
        s->to = data;
        break;
    case REG_LENGTH:
        copier_copy(s, data);
        break;
    case REG_STATUS:
        s->status &= ~data;
        break;
    }
    pci_set_irq(&s->dev, s->status);
}

static const MemoryRegionOps copier_ops = {
    .read = copier_read,
    .write = copier_write,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

static bool copier_realize(PCIDevice *dev, GError **err)
{
    PCICopier *s = (PCICopier *)dev;

    dev->config[PCI_INTERRUPT_PIN] = 1; /* INTA */
    memory_region_init_io(&s->regs, &copier_ops, s, "pci-copier", REGS_SIZE);
    pci_add_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->regs);
    return true;
}

static void copier_reset(PCIDevice *dev)
{
    PCICopier *s = (PCICopier *)dev;

    s->from = s->to = s->status = 0;
}

static const Property copier_properties[] = { PCI_DEVICE_PROPERTIES, { 0 } };

const DeviceType pci_copier_type = {
    .name = "pci-copier",
    .description = "copies memory and interrupts when it has",
    .size = sizeof(PCICopier),
    .properties = copier_properties,
    .user_creatable = true,
    .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){
        .vendor_id = 0x1234, .device_id = 0xc0b1, .class_code = 0xff0000,
        .realize = copier_realize, .reset = copier_reset,
    },
};
