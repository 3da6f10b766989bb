/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apic-msi: where writes of PCI functions become interrupts: a message signalled
 * interrupt is a write of 4 bytes to 0xfee00000 and up, the processor that it is for in
 * the address. Intel SDM volume 3, chapter 11.11. Without KVM nobody takes it; then
 * reads tell a test how many there were, and the last one's data and offset.
 */
#include "hw/core/machine.h"
#include "hw/i386/pc-map.h"

/* Registers without KVM */
#define TEST_COUNT 0
#define TEST_DATA 4
#define TEST_OFFSET 8

typedef struct APICMSI {
    Device dev;
    uint32_t count, data, offset;
} APICMSI;

static uint64_t apic_msi_read(void *opaque, hwaddr addr, unsigned size)
{
    const APICMSI *s = opaque;

    if (s->dev.machine->kvm) {
        return UINT32_MAX;
    }
    return addr == TEST_COUNT ? s->count
         : addr == TEST_DATA  ? s->data
         : addr == TEST_OFFSET ? s->offset : UINT32_MAX;
}

static void apic_msi_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    APICMSI *s = opaque;

    if (s->dev.machine->kvm) {
        kvm_send_msi(s->dev.machine->kvm, PC_MSI_BASE + addr, data);
        return;
    }
    s->count++;
    s->data = data;
    s->offset = addr;
}

static const MemoryRegionOps apic_msi_ops = {
    .read = apic_msi_read,
    .write = apic_msi_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
    .impl.min_access_size = 4,
};

static void apic_msi_reset(Device *dev)
{
    APICMSI *s = (APICMSI *)dev;

    s->count = s->data = s->offset = 0;
}

const DeviceType apic_msi_type = {
    .name = "apic-msi",
    .description = "takes message signalled interrupts",
    .size = sizeof(APICMSI),
    .ops = &apic_msi_ops,
    .ops_size = PC_MSI_SIZE,
    .reset = apic_msi_reset,
};
