/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pc-testdev: what the programs of kvm-unit-tests use to see how KVM emulates
 * accesses. Its interface is established by QEMU and those programs:
 *
 *   ports 0xe0-0xe3      a word of 4 bytes, kept; any width, not aligned too
 *   ports 0xe4-0xe7      write: the accelerator forgets its mapping of the guest's page
 *                        at that address, and has to make it again
 *   ports 0xe8-0xeb      the word of 0xe0 again, through callbacks of single bytes
 *   ports 0x2000-0x2017  write: the level of the board's interrupt input 0, 1, ... 23
 *   0xff000000, 64 KiB   memory behind callbacks
 */
#include <string.h>
#include <sys/mman.h>

#include "hw/core/machine.h"
#include "hw/pci/pci.h"

#define WORD_PORT 0xe0
#define FLUSH_PORT 0xe4
#define BYTES_PORT 0xe8
#define WORD_SIZE 4
#define IRQ_PORT 0x2000
#define IRQS 24
#define MEMORY_BASE 0xff000000
#define MEMORY_SIZE 0x10000

#define PAGE_SIZE 4096

typedef struct PCTestDev {
    Device dev;
    MemoryRegion word_mr, flush_mr, bytes_mr, irqs_mr, memory_mr;
    uint8_t word[WORD_SIZE];
    uint8_t memory[MEMORY_SIZE];
    bool levels[IRQS]; /* of interrupts, as the guest set them */
} PCTestDev;

/* ---- bytes that are kept ------------------------------------------------------- */

static uint64_t bytes_get(const uint8_t *bytes, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static void bytes_set(uint8_t *bytes, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = value >> (8 * i);
    }
}

static uint64_t word_read(void *opaque, hwaddr addr, unsigned size)
{
    return bytes_get(((PCTestDev *)opaque)->word + addr, size);
}

static void word_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    bytes_set(((PCTestDev *)opaque)->word + addr, data, size);
}

static uint64_t memory_read(void *opaque, hwaddr addr, unsigned size)
{
    return bytes_get(((PCTestDev *)opaque)->memory + addr, size);
}

static void memory_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    bytes_set(((PCTestDev *)opaque)->memory + addr, data, size);
}

/* ---- the page to be forgotten -------------------------------------------------- */

/* A change of the host's mapping makes KVM drop its own. The page stays readable and
 * writable: other threads may be using it. What the host refuses is not done. */
static void flush_page(Machine *machine, hwaddr addr)
{
    MemoryRegionSection section;
    uint8_t *page;

    section = memory_region_find(&machine->memory_root, addr & ~(PAGE_SIZE - 1ull),
                                 PAGE_SIZE);
    if (!section.mr || !memory_region_is_ram(section.mr) ||
        memory_region_is_rom(section.mr) || section.size < PAGE_SIZE) {
        return;
    }
    page = (uint8_t *)memory_region_get_ram_ptr(section.mr) +
           section.offset_within_region;
    if ((uintptr_t)page % PAGE_SIZE == 0 &&
        mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) {
        mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE);
    }
}

static uint64_t flush_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void flush_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    flush_page(((PCTestDev *)opaque)->dev.machine, data);
}

/* ---- interrupts ---------------------------------------------------------------- */

static void set_level(PCTestDev *s, unsigned n, bool level)
{
    Device *inputs;

    if (s->levels[n] == level) {
        return;
    }
    inputs = s->dev.machine->interrupts;
    if (inputs && n < inputs->type->inputs_nr) {
        IRQLine line = device_irq_in(inputs, n);

        s->levels[n] = level;
        irq_set(&line, level);
    }
}

static void irqs_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    set_level(opaque, addr, data);
}

/* ---- regions ------------------------------------------------------------------- */

static const MemoryRegionOps word_ops = {
    .read = word_read,
    .write = word_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
};

static const MemoryRegionOps flush_ops = {
    .read = flush_read,
    .write = flush_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.min_access_size = 4,
};

static const MemoryRegionOps bytes_ops = {
    .read = word_read,
    .write = word_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static const MemoryRegionOps irqs_ops = {
    .read = flush_read,
    .write = irqs_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static const MemoryRegionOps memory_ops = {
    .read = memory_read,
    .write = memory_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 8,
};

static void add_region(PCTestDev *s, MemoryRegion *mr, const MemoryRegionOps *ops,
                       const char *name, uint64_t size)
{
    memory_region_init_io(mr, ops, s, name, size);
    device_add_region(&s->dev, mr);
}

static bool pc_testdev_realize(Device *dev, GError **err)
{
    PCTestDev *s = (PCTestDev *)dev;

    add_region(s, &s->word_mr, &word_ops, "pc-testdev-ioport", WORD_SIZE);
    add_region(s, &s->flush_mr, &flush_ops, "pc-testdev-flush-page", WORD_SIZE);
    add_region(s, &s->bytes_mr, &bytes_ops, "pc-testdev-ioport-byte", WORD_SIZE);
    add_region(s, &s->irqs_mr, &irqs_ops, "pc-testdev-irq-line", IRQS);
    add_region(s, &s->memory_mr, &memory_ops, "pc-testdev-iomem", MEMORY_SIZE);
    return true;
}

static void pc_testdev_reset(Device *dev)
{
    PCTestDev *s = (PCTestDev *)dev;

    memset(s->word, 0, sizeof(s->word));
    memset(s->memory, 0, sizeof(s->memory));
    for (unsigned n = 0; n < IRQS; n++) {
        set_level(s, n, false);
    }
}

/* Region @n at @base of @container, which must be free there. */
static bool map(Device *dev, unsigned n, MemoryRegion *container, hwaddr base,
                GError **err)
{
    uint64_t size = memory_region_size(dev->regions[n]);
    MemoryRegionSection taken = memory_region_find(container, base, size);

    if (taken.mr) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "device 'pc-testdev': '%s' is where its '%s' has to be, at 0x%"
                    PRIx64 "; there can be one of it",
                    memory_region_name(taken.mr),
                    memory_region_name(dev->regions[n]), base);
        return false;
    }
    device_map(dev, n, container, base, 0);
    return true;
}

static bool pc_testdev_plug(Device *dev, Machine *machine, GError **err)
{
    MemoryRegion *memory = machine->pci ? machine->pci->memory : &machine->memory_root;
    MemoryRegion *ports = &machine->ports_root;

    return map(dev, 0, ports, WORD_PORT, err) && map(dev, 1, ports, FLUSH_PORT, err) &&
           map(dev, 2, ports, BYTES_PORT, err) && map(dev, 3, ports, IRQ_PORT, err) &&
           map(dev, 4, memory, MEMORY_BASE, err);
}

const DeviceType pc_testdev_type = {
    .name = "pc-testdev",
    .description = "ports, memory and interrupts for kvm-unit-tests",
    .size = sizeof(PCTestDev),
    .user_creatable = true,
    .realize = pc_testdev_realize,
    .reset = pc_testdev_reset,
    .plug = pc_testdev_plug,
};
