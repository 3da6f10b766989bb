/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PIIX4's SMBus host controller: see smbus.h. Intel 82371AB datasheet, chapters 7.3
 * (SMBus I/O registers) and 11.5. A transfer ends at once, by an error of the device
 * that it is for, as there is none.
 */
#include "hw/acpi/smbus.h"

#include <string.h>

enum {
    REG_STATUS = 0x0,
    REG_CONTROL = 0x2,
    REG_COMMAND = 0x3,
    REG_ADDRESS = 0x4,
    REG_DATA0 = 0x5,
    REG_DATA1 = 0x6,
    REG_BLOCK = 0x7, /* one byte after the other; reading CONTROL starts anew */
};

#define STATUS_INTERRUPT 0x02
#define STATUS_DEVICE_ERROR 0x04
#define STATUS_BUS_ERROR 0x08
#define STATUS_FAILED 0x10 /* killed */
#define STATUS_ENDS                                                              \
    (STATUS_INTERRUPT | STATUS_DEVICE_ERROR | STATUS_BUS_ERROR | STATUS_FAILED)

#define CONTROL_INTERRUPT_EN 0x01
#define CONTROL_KILL 0x02
#define CONTROL_PROTOCOL 0x1c
#define CONTROL_START 0x40 /* reads as 0 */
#define CONTROL_KEPT (CONTROL_INTERRUPT_EN | CONTROL_KILL | CONTROL_PROTOCOL)

static uint64_t smbus_read(void *opaque, hwaddr addr, unsigned size)
{
    SMBusHost *s = opaque;

    switch (addr) {
    case REG_STATUS:
        return s->status;
    case REG_CONTROL:
        s->at = 0;
        return s->control;
    case REG_COMMAND:
        return s->command;
    case REG_ADDRESS:
        return s->address;
    case REG_DATA0:
    case REG_DATA1:
        return s->data[addr - REG_DATA0];
    case REG_BLOCK:
        return s->block[s->at++ % SMBUS_BLOCK];
    default:
        return 0; /* being a slave: never addressed */
    }
}

static void smbus_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    SMBusHost *s = opaque;

    switch (addr) {
    case REG_STATUS:
        s->status &= ~(data & STATUS_ENDS);
        break;
    case REG_CONTROL:
        s->control = data & CONTROL_KEPT;
        if (data & CONTROL_KILL) {
            s->status |= STATUS_FAILED;
        } else if (data & CONTROL_START) {
            s->status |= STATUS_DEVICE_ERROR;
        }
        break;
    case REG_COMMAND:
        s->command = data;
        break;
    case REG_ADDRESS:
        s->address = data;
        break;
    case REG_DATA0:
    case REG_DATA1:
        s->data[addr - REG_DATA0] = data;
        break;
    case REG_BLOCK:
        s->block[s->at++ % SMBUS_BLOCK] = data;
        break;
    }
    s->changed(s->opaque);
}

static const MemoryRegionOps smbus_ops = {
    .read = smbus_read,
    .write = smbus_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

void smbus_init(SMBusHost *s)
{
    memory_region_init_io(&s->mr, &smbus_ops, s, "pm-smbus", SMBUS_SIZE);
}

void smbus_reset(SMBusHost *s)
{
    s->status = s->control = s->command = s->address = s->at = 0;
    memset(s->data, 0, sizeof(s->data));
    memset(s->block, 0, sizeof(s->block));
    s->changed(s->opaque);
}

bool smbus_interrupt(const SMBusHost *s)
{
    return (s->control & CONTROL_INTERRUPT_EN) && (s->status & STATUS_ENDS);
}
