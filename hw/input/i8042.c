/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i8042: the keyboard controller of a PC, with nothing plugged in. See the
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary
 * Device Controller".
 *
 * It is there for software that probes it and for the reset line it drives.
 * Every command is answered at once, so the input buffer is never full; a byte
 * sent to a device is answered as the controller does when none takes it.
 * Region 0 is the data port, region 1 the command and status port; output 0
 * the keyboard's interrupt. There is no auxiliary port and no A20 gate.
 */
#include "hw/core/device.h"
#include "sysemu.h"

/* Status register */
#define STATUS_OBF 0x01      /* a byte waits in the data port */
#define STATUS_SYS 0x04      /* passed its self test */
#define STATUS_CMD 0x08      /* last written was a command */
#define STATUS_UNLOCKED 0x10 /* keyboard not inhibited */
#define STATUS_AUX 0x20      /* the byte is of the auxiliary port */
#define STATUS_TIMEOUT 0x40  /* the device did not answer */

/* Configuration, byte 0 of the controller's memory */
#define CONFIG_KBD_INT 0x01
#define CONFIG_SYS 0x04
#define CONFIG_KBD_OFF 0x10
#define CONFIG_AUX_OFF 0x20
#define CONFIG_RESERVED 0x88 /* always 0 */

/* Commands */
#define CMD_READ_MEM 0x20  /* to 0x3f */
#define CMD_WRITE_MEM 0x60 /* to 0x7f */
#define CMD_AUX_OFF 0xa7
#define CMD_AUX_ON 0xa8
#define CMD_AUX_TEST 0xa9
#define CMD_SELF_TEST 0xaa
#define CMD_KBD_TEST 0xab
#define CMD_KBD_OFF 0xad
#define CMD_KBD_ON 0xae
#define CMD_READ_INPUT 0xc0
#define CMD_READ_OUTPUT 0xd0
#define CMD_WRITE_OUTPUT 0xd1
#define CMD_WRITE_KBD_OBF 0xd2
#define CMD_WRITE_AUX_OBF 0xd3
#define CMD_WRITE_AUX 0xd4
#define CMD_TEST_INPUTS 0xe0
#define CMD_PULSE 0xf0 /* to 0xff: the lines whose bits are 0 */

#define MEM_MASK 0x1f
#define OUTPUT_NOT_RESET 0x01 /* output port: the reset line, active low */
#define OUTPUT_DEFAULT 0xcf
#define NO_DEVICE 0xfe        /* what comes back instead of a device's answer */

typedef struct I8042 {
    Device dev;
    MemoryRegion data_port;
    MemoryRegion command_port;
    uint8_t status;
    uint8_t out;     /* the output buffer */
    uint8_t pending; /* the command that waits for a data byte; 0: none */
    uint8_t mem[MEM_MASK + 1];
} I8042;

static void i8042_update_irq(I8042 *s)
{
    device_set_irq(&s->dev, 0, (s->status & STATUS_OBF) &&
                               !(s->status & STATUS_AUX) &&
                               (s->mem[0] & CONFIG_KBD_INT));
}

static void i8042_answer(I8042 *s, uint8_t byte, uint8_t flags)
{
    s->out = byte;
    s->status &= ~(STATUS_AUX | STATUS_TIMEOUT);
    s->status |= STATUS_OBF | flags;
    i8042_update_irq(s);
}

static void i8042_write_mem(I8042 *s, unsigned index, uint8_t byte)
{
    if (index == 0) {
        byte &= ~CONFIG_RESERVED;
        s->status = (s->status & ~STATUS_SYS) |
                    (byte & CONFIG_SYS ? STATUS_SYS : 0);
    }
    s->mem[index] = byte;
    i8042_update_irq(s);
}

static void i8042_command(I8042 *s, uint8_t cmd)
{
    s->pending = 0;
    switch (cmd) {
    case CMD_READ_MEM ... CMD_READ_MEM + MEM_MASK:
        i8042_answer(s, s->mem[cmd & MEM_MASK], 0);
        break;
    case CMD_WRITE_MEM ... CMD_WRITE_MEM + MEM_MASK:
    case CMD_WRITE_OUTPUT ... CMD_WRITE_AUX:
        s->pending = cmd;
        break;
    case CMD_AUX_OFF:
        s->mem[0] |= CONFIG_AUX_OFF;
        break;
    case CMD_AUX_ON:
        s->mem[0] &= ~CONFIG_AUX_OFF;
        break;
    case CMD_AUX_TEST:
        i8042_answer(s, 0x01, 0); /* clock line stuck: no such port */
        break;
    case CMD_SELF_TEST:
        i8042_write_mem(s, 0, s->mem[0] | CONFIG_SYS);
        i8042_answer(s, 0x55, 0); /* passed */
        break;
    case CMD_KBD_TEST:
        i8042_answer(s, 0x00, 0); /* both lines work */
        break;
    case CMD_KBD_OFF:
        s->mem[0] |= CONFIG_KBD_OFF;
        break;
    case CMD_KBD_ON:
        s->mem[0] &= ~CONFIG_KBD_OFF;
        break;
    case CMD_READ_INPUT:
        i8042_answer(s, 0x80, 0); /* not inhibited */
        break;
    case CMD_READ_OUTPUT:
        i8042_answer(s, OUTPUT_DEFAULT, 0);
        break;
    case CMD_TEST_INPUTS:
        i8042_answer(s, 0x00, 0);
        break;
    case CMD_PULSE ... 0xff:
        if (!(cmd & OUTPUT_NOT_RESET)) {
            vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        }
        break;
    }
}

static void i8042_data(I8042 *s, uint8_t byte)
{
    uint8_t cmd = s->pending;

    s->pending = 0;
    switch (cmd) {
    case CMD_WRITE_MEM ... CMD_WRITE_MEM + MEM_MASK:
        i8042_write_mem(s, cmd & MEM_MASK, byte);
        break;
    case CMD_WRITE_OUTPUT:
        if (!(byte & OUTPUT_NOT_RESET)) {
            vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        }
        break;
    case CMD_WRITE_KBD_OBF:
    case CMD_WRITE_AUX_OBF: /* not marked as such: there is no such port */
        i8042_answer(s, byte, 0);
        break;
    case CMD_WRITE_AUX:
        i8042_answer(s, NO_DEVICE, STATUS_AUX | STATUS_TIMEOUT);
        break;
    default:
        /* To the keyboard, which opens its port. */
        s->mem[0] &= ~CONFIG_KBD_OFF;
        i8042_answer(s, NO_DEVICE, STATUS_TIMEOUT);
        break;
    }
}

static uint64_t i8042_data_read(void *opaque, hwaddr addr, unsigned size)
{
    I8042 *s = opaque;

    s->status &= ~(STATUS_OBF | STATUS_AUX | STATUS_TIMEOUT);
    i8042_update_irq(s);
    return s->out;
}

static void i8042_data_write(void *opaque, hwaddr addr, uint64_t data,
                             unsigned size)
{
    I8042 *s = opaque;

    s->status &= ~STATUS_CMD;
    i8042_data(s, data);
}

static uint64_t i8042_status_read(void *opaque, hwaddr addr, unsigned size)
{
    return ((I8042 *)opaque)->status;
}

static void i8042_command_write(void *opaque, hwaddr addr, uint64_t data,
                                unsigned size)
{
    I8042 *s = opaque;

    s->status |= STATUS_CMD;
    i8042_command(s, data);
}

static const MemoryRegionOps i8042_data_ops = {
    .read = i8042_data_read,
    .write = i8042_data_write,
    .impl.max_access_size = 1,
};

static const MemoryRegionOps i8042_command_ops = {
    .read = i8042_status_read,
    .write = i8042_command_write,
    .impl.max_access_size = 1,
};

static bool i8042_realize(Device *dev, GError **err)
{
    I8042 *s = (I8042 *)dev;

    memory_region_init_io(&s->data_port, &i8042_data_ops, s, "i8042-data", 1);
    device_add_region(dev, &s->data_port);
    memory_region_init_io(&s->command_port, &i8042_command_ops, s,
                          "i8042-command", 1);
    device_add_region(dev, &s->command_port);
    return true;
}

static void i8042_reset(Device *dev)
{
    I8042 *s = (I8042 *)dev;

    s->status = STATUS_UNLOCKED;
    s->out = 0;
    s->pending = 0;
    for (unsigned i = 0; i <= MEM_MASK; i++) {
        s->mem[i] = 0;
    }
    s->mem[0] = CONFIG_KBD_OFF | CONFIG_AUX_OFF;
    i8042_update_irq(s);
}

const DeviceType i8042_type = {
    .name = "i8042",
    .description = "keyboard controller without a keyboard",
    .size = sizeof(I8042),
    .realize = i8042_realize,
    .reset = i8042_reset,
};
