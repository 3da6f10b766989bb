/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i8042: the keyboard controller of a PC. See the IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboard and Auxiliary Device Controller".
 *
 * A board has a keyboard and a mouse plugged in, or leaves it bare: then it is there
 * for software that probes it and for the reset line it drives, there is no A20 gate,
 * and a byte sent to a device is answered as the controller does when none takes it.
 *
 * Every command is answered at once, so the input buffer is never full. An answer
 * waits for a byte of a device that was there before, but not for another answer.
 *
 * Region 0 is the data port, region 1 the command and status port; outputs 0 and 1
 * are the interrupts of keyboard and mouse, output 2 the A20 gate, high: open.
 */
#include "hw/core/device.h"
#include "hw/input/ps2.h"
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
#define CONFIG_AUX_INT 0x02
#define CONFIG_SYS 0x04
#define CONFIG_KBD_OFF 0x10
#define CONFIG_AUX_OFF 0x20
#define CONFIG_TRANSLATE 0x40 /* the keyboard's set 2 to set 1 */

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
#define CMD_A20_OFF 0xdd
#define CMD_A20_ON 0xdf
#define CMD_TEST_INPUTS 0xe0
#define CMD_PULSE 0xf0 /* to 0xff: the lines whose bits are 0 */

#define MEM_MASK 0x1f
#define OUTPUT_NOT_RESET 0x01 /* output port: the reset line, active low */
#define OUTPUT_A20 0x02
#define OUTPUT_KBD_OBF 0x10
#define OUTPUT_AUX_OBF 0x20
#define OUTPUT_DEFAULT 0xcf
#define NO_DEVICE 0xfe        /* what comes back instead of a device's answer */
#define RELEASE 0xf0          /* in set 2: the next code is of a release */

#define IRQ_KBD 0 /* outputs */
#define IRQ_AUX 1
#define LINE_A20 2

typedef struct I8042 {
    Device dev;
    MemoryRegion data_port;
    MemoryRegion command_port;
    bool has_keyboard, has_mouse; /* properties */
    PS2Keyboard kbd;
    PS2Mouse mouse;
    uint8_t status;
    uint8_t out;      /* the output buffer, */
    bool of_device;   /* filled by a device */
    bool answered;    /* then this comes next: */
    uint8_t answer, answer_flags;
    uint8_t release;  /* 0x80 after RELEASE from the keyboard */
    uint8_t pending;  /* the command that waits for a data byte; 0: none */
    uint8_t output;   /* the output port */
    uint8_t mem[MEM_MASK + 1];
} I8042;

static bool i8042_is_bare(const I8042 *s)
{
    return !s->has_keyboard && !s->has_mouse;
}

static void i8042_update_irq(I8042 *s)
{
    bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX;

    /* Who switches the keyboard off to ask the controller something reads the answer
     * itself, and has no use for an interrupt. */
    device_set_irq(&s->dev, IRQ_KBD, full && !aux && (s->mem[0] & CONFIG_KBD_INT) &&
                                     !(s->mem[0] & CONFIG_KBD_OFF));
    device_set_irq(&s->dev, IRQ_AUX, full && aux && s->has_mouse &&
                                     (s->mem[0] & CONFIG_AUX_INT));
}

static void i8042_fill(I8042 *s, uint8_t byte, uint8_t flags)
{
    s->out = byte;
    s->status &= ~(STATUS_AUX | STATUS_TIMEOUT);
    s->status |= STATUS_OBF | flags;
    i8042_update_irq(s);
}

static void i8042_answer(I8042 *s, uint8_t byte, uint8_t flags)
{
    if ((s->status & STATUS_OBF) && s->of_device) {
        s->answered = true;
        s->answer = byte;
        s->answer_flags = flags;
    } else {
        s->of_device = false;
        i8042_fill(s, byte, flags);
    }
}

static bool i8042_takes_keyboard(const I8042 *s)
{
    return s->has_keyboard && !(s->mem[0] & CONFIG_KBD_OFF) &&
           ps2_has_byte(&s->kbd.out);
}

static void i8042_fill_from_keyboard(I8042 *s)
{
    uint8_t byte = ps2_keyboard_read(&s->kbd);

    if (s->mem[0] & CONFIG_TRANSLATE) {
        if (byte == RELEASE) {
            s->release = 0x80; /* in the code to come */
            return;
        }
        byte = ps2_set1(byte) | s->release;
        s->release = 0;
    }
    s->of_device = true;
    i8042_fill(s, byte, 0);
}

/* Where there is room, take what comes next. */
static void i8042_fetch(void *opaque)
{
    I8042 *s = opaque;

    while (!(s->status & STATUS_OBF)) {
        if (s->answered) {
            s->answered = s->of_device = false;
            i8042_fill(s, s->answer, s->answer_flags);
        } else if (i8042_takes_keyboard(s)) {
            i8042_fill_from_keyboard(s);
        } else if (s->has_mouse && !(s->mem[0] & CONFIG_AUX_OFF) &&
                   ps2_has_byte(&s->mouse.out)) {
            s->of_device = true;
            i8042_fill(s, ps2_mouse_read(&s->mouse), STATUS_AUX);
        } else {
            return;
        }
    }
}

static void i8042_write_mem(I8042 *s, unsigned index, uint8_t byte)
{
    if (index == 0) {
        s->status = (s->status & ~STATUS_SYS) |
                    (byte & CONFIG_SYS ? STATUS_SYS : 0);
    }
    s->mem[index] = byte;
    i8042_update_irq(s);
    i8042_fetch(s);
}

static void i8042_set_config(I8042 *s, uint8_t set, uint8_t clear)
{
    s->mem[0] = (s->mem[0] | set) & ~clear;
    i8042_update_irq(s);
    i8042_fetch(s);
}

static uint8_t i8042_output(const I8042 *s)
{
    bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX;

    if (i8042_is_bare(s)) {
        return OUTPUT_DEFAULT;
    }
    return s->output | (full && s->of_device && !aux ? OUTPUT_KBD_OBF : 0) |
           (full && s->of_device && aux ? OUTPUT_AUX_OBF : 0);
}

static void i8042_set_output(I8042 *s, uint8_t byte)
{
    s->output = byte & ~(OUTPUT_KBD_OBF | OUTPUT_AUX_OBF);
    device_set_irq(&s->dev, LINE_A20, !i8042_is_bare(s) && (byte & OUTPUT_A20));
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
        i8042_set_config(s, CONFIG_AUX_OFF, 0);
        break;
    case CMD_AUX_ON:
        i8042_set_config(s, 0, CONFIG_AUX_OFF);
        break;
    case CMD_AUX_TEST:
        /* Both lines work, or the clock's is stuck: no such port. */
        i8042_answer(s, s->has_mouse ? 0x00 : 0x01, 0);
        break;
    case CMD_SELF_TEST:
        i8042_write_mem(s, 0, s->mem[0] | CONFIG_SYS);
        i8042_answer(s, 0x55, 0); /* passed */
        break;
    case CMD_KBD_TEST:
        i8042_answer(s, 0x00, 0); /* both lines work */
        break;
    case CMD_KBD_OFF:
        i8042_set_config(s, CONFIG_KBD_OFF, 0);
        break;
    case CMD_KBD_ON:
        i8042_set_config(s, 0, CONFIG_KBD_OFF);
        break;
    case CMD_READ_INPUT:
        i8042_answer(s, 0x80, 0); /* not inhibited */
        break;
    case CMD_READ_OUTPUT:
        i8042_answer(s, i8042_output(s), 0);
        break;
    case CMD_TEST_INPUTS:
        i8042_answer(s, 0x00, 0);
        break;
    case CMD_A20_OFF:
        i8042_set_output(s, s->output & ~OUTPUT_A20);
        break;
    case CMD_A20_ON:
        i8042_set_output(s, s->output | OUTPUT_A20);
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
        i8042_set_output(s, byte);
        if (!(byte & OUTPUT_NOT_RESET)) {
            vm_request_reset(SHUTDOWN_CAUSE_GUEST_RESET);
        }
        break;
    case CMD_WRITE_KBD_OBF:
        i8042_answer(s, byte, 0);
        break;
    case CMD_WRITE_AUX_OBF: /* marked as such if there is such a port */
        i8042_answer(s, byte, s->has_mouse ? STATUS_AUX : 0);
        break;
    case CMD_WRITE_AUX:
        if (s->has_mouse) {
            i8042_set_config(s, 0, CONFIG_AUX_OFF);
            ps2_mouse_write(&s->mouse, byte);
        } else {
            i8042_answer(s, NO_DEVICE, STATUS_AUX | STATUS_TIMEOUT);
        }
        break;
    default:
        /* To the keyboard, which opens its port. */
        i8042_set_config(s, 0, CONFIG_KBD_OFF);
        if (s->has_keyboard) {
            ps2_keyboard_write(&s->kbd, byte);
        } else {
            i8042_answer(s, NO_DEVICE, STATUS_TIMEOUT);
        }
        break;
    }
}

static uint64_t i8042_data_read(void *opaque, hwaddr addr, unsigned size)
{
    I8042 *s = opaque;
    uint8_t byte = s->out;

    /* Down even where another byte follows at once: each is an edge. */
    s->status &= ~(STATUS_OBF | STATUS_AUX | STATUS_TIMEOUT);
    i8042_update_irq(s);
    i8042_fetch(s);
    if (s->has_keyboard) {
        input_feed(&s->kbd.input);
    }
    if (s->has_mouse) {
        input_feed(&s->mouse.input);
    }
    return byte;
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

    if (s->has_keyboard) {
        ps2_keyboard_init(&s->kbd, i8042_fetch, s);
    }
    if (s->has_mouse) {
        ps2_mouse_init(&s->mouse, i8042_fetch, s);
    }
    memory_region_init_io(&s->data_port, &i8042_data_ops, s, "i8042-data", 1);
    device_add_region(dev, &s->data_port);
    memory_region_init_io(&s->command_port, &i8042_command_ops, s,
                          "i8042-command", 1);
    device_add_region(dev, &s->command_port);
    return true;
}

static void i8042_unrealize(Device *dev)
{
    I8042 *s = (I8042 *)dev;

    if (s->has_keyboard) {
        ps2_keyboard_end(&s->kbd);
    }
    if (s->has_mouse) {
        ps2_mouse_end(&s->mouse);
    }
}

static void i8042_reset(Device *dev)
{
    I8042 *s = (I8042 *)dev;

    if (s->has_keyboard) {
        ps2_keyboard_reset(&s->kbd);
    }
    if (s->has_mouse) {
        ps2_mouse_reset(&s->mouse);
    }
    s->status = STATUS_UNLOCKED | (i8042_is_bare(s) ? 0 : STATUS_CMD);
    s->out = s->release = 0;
    s->of_device = s->answered = false;
    s->pending = 0;
    for (unsigned i = 0; i <= MEM_MASK; i++) {
        s->mem[i] = 0;
    }
    s->mem[0] = (s->has_keyboard ? CONFIG_KBD_INT : CONFIG_KBD_OFF) |
                (s->has_mouse ? CONFIG_AUX_INT : CONFIG_AUX_OFF);
    i8042_set_output(s, OUTPUT_DEFAULT);
    i8042_update_irq(s);
}

static const Property i8042_properties[] = {
    { "keyboard", PROP_BOOL, offsetof(I8042, has_keyboard), "off",
      "a keyboard is plugged in", 0 },
    { "mouse", PROP_BOOL, offsetof(I8042, has_mouse), "off",
      "a mouse is plugged in", 0 },
    { 0 },
};

const DeviceType i8042_type = {
    .name = "i8042",
    .description = "keyboard controller",
    .size = sizeof(I8042),
    .properties = i8042_properties,
    .realize = i8042_realize,
    .unrealize = i8042_unrealize,
    .reset = i8042_reset,
};
