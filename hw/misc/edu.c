/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edu: a device to learn writing drivers on. Its registers are public: QEMU's
 * docs/specs/edu. It inverts a word, computes a factorial, copies between memory and a
 * buffer of 4096 bytes, and interrupts by MSI or INTA. What takes time is done by the
 * virtual clock, so the guest can watch it being done.
 *
 * Beyond that, for who learns MSI-X: with msix-vectors=N, what raises bit n of the
 * interrupt status sends vector n modulo N, where the guest has enabled MSI-X.
 *
 * A transfer that is not within the buffer moves nothing, but ends like any other.
 */
#include <string.h>

#include "hw/core/timer.h"
#include "hw/pci/msi.h"

/* Registers: up to 0x80 of 4 bytes, from there on of 8, which can be accessed as 4. */
#define REG_ID 0x00
#define REG_INVERT 0x04
#define REG_FACTORIAL 0x08
#define REG_STATUS 0x20
#define REG_IRQ_STATUS 0x24
#define REG_IRQ_RAISE 0x60
#define REG_IRQ_ACK 0x64
#define REG_DMA_SOURCE 0x80
#define REG_DMA_DESTINATION 0x88
#define REG_DMA_COUNT 0x90
#define REG_DMA_COMMAND 0x98

#define ID 0x010000ed /* version 1.0 */
#define MMIO_SIZE 0x100000
#define MSIX_BAR 1
#define MSIX_VECTORS_MAX 32 /* one for each bit of the interrupt status */

#define STATUS_COMPUTING 0x01
#define STATUS_IRQ 0x80 /* interrupt when the factorial is there */

#define IRQ_FACTORIAL 0x001
#define IRQ_DMA 0x100

#define COMMAND_RUN 0x1
#define COMMAND_FROM_BUFFER 0x2
#define COMMAND_IRQ 0x4

#define BUFFER_ADDRESS 0x40000 /* what the DMA engine calls it */
#define BUFFER_SIZE 4096

/* A factorial of more than this is a multiple of 2^32. */
#define FACTORIAL_MAX 33

#define FACTORIAL_US 1000
#define DMA_US 100000

typedef struct Edu {
    PCIDevice dev;
    uint64_t dma_mask;     /* properties */
    uint32_t msix_vectors;
    MemoryRegion mmio;
    Timer factorial_timer, dma_timer;
    uint32_t inverted, factorial, status, irq_status;
    uint64_t dma_source, dma_destination, dma_count, dma_command;
    uint8_t buffer[BUFFER_SIZE];
} Edu;

static void edu_raise(Edu *s, uint32_t bits)
{
    s->irq_status |= bits;
    if (s->irq_status) {
        pci_set_irq(&s->dev, true);
        msi_notify(&s->dev, 0);
    }
    if (s->msix_vectors && bits) {
        msix_notify(&s->dev, __builtin_ctz(bits) % s->msix_vectors);
    }
}

/* ---- what takes time ----------------------------------------------------------- */

static void edu_factorial_done(void *opaque)
{
    Edu *s = opaque;
    uint32_t n = s->factorial, product = n <= FACTORIAL_MAX;

    for (; n > 1 && product; n--) {
        product *= n;
    }
    s->factorial = product;
    s->status &= ~STATUS_COMPUTING;
    if (s->status & STATUS_IRQ) {
        edu_raise(s, IRQ_FACTORIAL);
    }
}

/* The @count bytes of the buffer that the engine calls @address; NULL: they are not all
 * there. */
static uint8_t *edu_buffer(Edu *s, uint64_t address, uint64_t count)
{
    uint64_t offset = address - BUFFER_ADDRESS;

    return offset < BUFFER_SIZE && count <= BUFFER_SIZE - offset ? s->buffer + offset
                                                                 : NULL;
}

static void edu_dma_done(void *opaque)
{
    Edu *s = opaque;
    bool from = s->dma_command & COMMAND_FROM_BUFFER;
    uint8_t *buffer = edu_buffer(s, from ? s->dma_source : s->dma_destination,
                                 s->dma_count);

    /* It is running still: should it reach its own registers, these stay. */
    if (buffer && from) {
        pci_dma_write(&s->dev, s->dma_destination & s->dma_mask, buffer, s->dma_count);
    } else if (buffer) {
        pci_dma_read(&s->dev, s->dma_source & s->dma_mask, buffer, s->dma_count);
    }
    s->dma_command &= ~(uint64_t)COMMAND_RUN;
    if (s->dma_command & COMMAND_IRQ) {
        edu_raise(s, IRQ_DMA);
    }
}

/* ---- registers ----------------------------------------------------------------- */

static uint64_t edu_read(void *opaque, hwaddr addr, unsigned size)
{
    const Edu *s = opaque;

    if (addr < REG_DMA_SOURCE && size != 4) {
        return UINT64_MAX;
    }
    switch (addr) {
    case REG_ID:
        return ID;
    case REG_INVERT:
        return s->inverted;
    case REG_FACTORIAL:
        return s->factorial;
    case REG_STATUS:
        return s->status;
    case REG_IRQ_STATUS:
        return s->irq_status;
    case REG_DMA_SOURCE:
        return s->dma_source;
    case REG_DMA_DESTINATION:
        return s->dma_destination;
    case REG_DMA_COUNT:
        return s->dma_count;
    case REG_DMA_COMMAND:
        return s->dma_command;
    default:
        return UINT64_MAX;
    }
}

static void edu_write_dma(Edu *s, hwaddr addr, uint64_t data)
{
    if (s->dma_command & COMMAND_RUN) {
        return;
    }
    switch (addr) {
    case REG_DMA_SOURCE:
        s->dma_source = data;
        break;
    case REG_DMA_DESTINATION:
        s->dma_destination = data;
        break;
    case REG_DMA_COUNT:
        s->dma_count = data;
        break;
    case REG_DMA_COMMAND:
        if (data & COMMAND_RUN) {
            s->dma_command = data;
            timer_arm(&s->dma_timer, DMA_US);
        }
        break;
    }
}

static void edu_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    Edu *s = opaque;

    if (addr >= REG_DMA_SOURCE) {
        edu_write_dma(s, addr, data);
        return;
    }
    if (size != 4) {
        return;
    }
    switch (addr) {
    case REG_INVERT:
        s->inverted = ~data;
        break;
    case REG_FACTORIAL:
        if (!(s->status & STATUS_COMPUTING)) {
            s->factorial = data;
            s->status |= STATUS_COMPUTING;
            timer_arm(&s->factorial_timer, FACTORIAL_US);
        }
        break;
    case REG_STATUS:
        s->status = (s->status & ~STATUS_IRQ) | (data & STATUS_IRQ);
        break;
    case REG_IRQ_RAISE:
        edu_raise(s, data);
        break;
    case REG_IRQ_ACK:
        s->irq_status &= ~data;
        if (!s->irq_status) {
            pci_set_irq(&s->dev, false);
        }
        break;
    }
}

static const MemoryRegionOps edu_ops = {
    .read = edu_read,
    .write = edu_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 8,
    .impl.min_access_size = 4,
    .impl.max_access_size = 8,
};

/* ---- life ---------------------------------------------------------------------- */

static bool edu_realize(PCIDevice *dev, GError **err)
{
    Edu *s = (Edu *)dev;

    if (!msi_add(dev, 0, 1, true, false, err) ||
        (s->msix_vectors &&
         !msix_add_exclusive_bar(dev, s->msix_vectors, MSIX_BAR, err))) {
        return false;
    }
    dev->config[PCI_INTERRUPT_PIN] = 1;
    memory_region_init_io(&s->mmio, &edu_ops, s, "edu-mmio", MMIO_SIZE);
    pci_add_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    timer_init(&s->factorial_timer, edu_factorial_done, s);
    timer_init(&s->dma_timer, edu_dma_done, s);
    return true;
}

static void edu_unrealize(PCIDevice *dev)
{
    Edu *s = (Edu *)dev;

    timer_cleanup(&s->factorial_timer);
    timer_cleanup(&s->dma_timer);
}

static void edu_reset(PCIDevice *dev)
{
    Edu *s = (Edu *)dev;

    timer_cancel(&s->factorial_timer);
    timer_cancel(&s->dma_timer);
    s->inverted = s->factorial = s->status = s->irq_status = 0;
    s->dma_source = s->dma_destination = s->dma_count = s->dma_command = 0;
    memset(s->buffer, 0, BUFFER_SIZE);
}

static const Property edu_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { "dma_mask", PROP_UINT64, offsetof(Edu, dma_mask), "0xfffffff",
      "address bits that its DMA has: others are taken as 0", 0 },
    { "msix-vectors", PROP_UINT32, offsetof(Edu, msix_vectors), "0",
      "vectors of MSI-X, whose table is BAR 1; 0: it has none", MSIX_VECTORS_MAX },
    { 0 },
};

const DeviceType edu_type = {
    .name = "edu",
    .description = "PCI device to learn writing drivers on",
    .size = sizeof(Edu),
    .properties = edu_properties,
    .user_creatable = true,
    .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1234, .device_id = 0x11e8,
                             .class_code = 0x00ff00, .revision = 0x10,
                             .realize = edu_realize, .unrealize = edu_unrealize,
                             .reset = edu_reset },
};
