/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * isa-serial: a 16550A UART. See the National Semiconductor PC16550D data
 * sheet.
 *
 * The line has no speed. What is written goes out when the transmit FIFO is
 * full, when the guest looks whether it is empty, or else as soon as the main
 * loop comes to it, so that one system call and one interrupt serve many
 * characters. The receive time-out expires at once. When the chardev is full,
 * characters stay in the transmit FIFO, with THRE and TEMT clear, until it takes
 * them; nothing but that puts characters there, so neither clearing the FIFO nor
 * a reset throws them away: as far as the guest can tell they were sent long ago.
 * Input is taken only as the receive FIFO has room; a break comes at any time.
 * Region 0 is the 8 ports, output 0 the interrupt, which OUT2 does not gate.
 */
#include "hw/core/chardev.h"
#include "hw/core/machine.h"
#include "hw/core/timer.h"

#include <string.h>

/* Registers; the first two are the divisor's bytes while LCR_DLAB is set. */
enum {
    REG_DATA, /* RBR, THR */
    REG_IER,
    REG_IIR, /* FCR when written */
    REG_LCR,
    REG_MCR,
    REG_LSR,
    REG_MSR,
    REG_SCR,
    REG_COUNT,
};

#define IER_RDI 0x01  /* received data */
#define IER_THRI 0x02 /* transmitter holding register empty */
#define IER_RLSI 0x04 /* line status */
#define IER_MSI 0x08  /* modem status */
#define IER_MASK 0x0f

#define IIR_NONE 0x01
#define IIR_RLSI 0x06 /* in falling priority */
#define IIR_RDI 0x04
#define IIR_TIMEOUT 0x0c
#define IIR_THRI 0x02
#define IIR_MSI 0x00
#define IIR_FIFOS 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_TRIGGER_SHIFT 6

#define LCR_DLAB 0x80

#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_MASK 0x1f

#define LSR_DR 0x01
#define LSR_OE 0x02
#define LSR_BI 0x10
#define LSR_THRE 0x20
#define LSR_TEMT 0x40
#define LSR_FIFO_ERROR 0x80

#define MSR_DELTA 0x0f /* DCTS, DDSR, TERI, DDCD */
#define MSR_TERI 0x04
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80
#define MSR_DELTA_SHIFT 4 /* from a line to its delta bit */

#define FIFO_SIZE 16
#define DIVISOR_9600 12
#define TIMEOUT_US 1000 /* of a guest that reads a part and waits for more */

#define INDEX_ANY 255

typedef struct Serial {
    Device dev;
    Chardev *chr;
    uint8_t index;      /* of com_ports, or INDEX_ANY */
    uint16_t iobase;
    uint8_t irq;

    uint8_t rx[FIFO_SIZE]; /* oldest first */
    bool rx_break[FIFO_SIZE]; /* this zero byte stands for a break */
    unsigned rx_count;
    uint8_t tx[FIFO_SIZE];
    unsigned tx_count;
    bool rx_timeout;   /* characters wait, and have not been looked at since */
    bool thr_pending;  /* THRE interrupt: an edge, unlike the others */
    bool overrun;
    Timer timeout;

    uint16_t divisor;
    uint8_t ier;
    uint8_t fcr;
    uint8_t lcr;
    uint8_t mcr;
    uint8_t msr;
    uint8_t scr;
} Serial;

static const uint8_t triggers[] = { 1, 4, 8, 14 };

static unsigned serial_depth(const Serial *s)
{
    return s->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

static unsigned serial_trigger(const Serial *s)
{
    return s->fcr & FCR_ENABLE ? triggers[s->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* An error belongs to its character, and shows when that is the next one. */
static uint8_t serial_errors(const Serial *s)
{
    return (s->overrun ? LSR_OE : 0) |
           (s->rx_count && s->rx_break[0] ? LSR_BI : 0);
}

/* The pending interrupt of the highest priority. */
static uint8_t serial_source(const Serial *s)
{
    if ((s->ier & IER_RLSI) && serial_errors(s)) {
        return IIR_RLSI;
    } else if ((s->ier & IER_RDI) && s->rx_count >= serial_trigger(s)) {
        return IIR_RDI;
    } else if ((s->ier & IER_RDI) && s->rx_timeout) {
        return IIR_TIMEOUT;
    } else if ((s->ier & IER_THRI) && s->thr_pending) {
        return IIR_THRI;
    } else if ((s->ier & IER_MSI) && (s->msr & MSR_DELTA)) {
        return IIR_MSI;
    }
    return IIR_NONE;
}

static void serial_update_irq(Serial *s)
{
    device_set_irq(&s->dev, 0, serial_source(s) != IIR_NONE);
}

/* ---- receiving ------------------------------------------------------------------ */

static void serial_rx_push(Serial *s, uint8_t byte, bool is_break)
{
    unsigned depth = serial_depth(s);
    bool full = s->rx_count == depth;

    if (full) {
        s->overrun = true;
    } else {
        s->rx_count++;
    }
    if (!full || depth == 1) {
        s->rx[s->rx_count - 1] = byte;
        s->rx_break[s->rx_count - 1] = is_break;
    }
    s->rx_timeout = s->fcr & FCR_ENABLE;
}

static void serial_rx_clear(Serial *s)
{
    s->rx_count = 0;
    s->rx_timeout = false;
    chardev_accept_input(s->chr);
}

static void serial_timeout(void *opaque)
{
    Serial *s = opaque;

    s->rx_timeout = (s->fcr & FCR_ENABLE) && s->rx_count;
    serial_update_irq(s);
}

static uint8_t serial_rx_pop(Serial *s)
{
    uint8_t byte = s->rx[0];

    if (s->rx_count == 0) {
        return 0;
    }
    s->rx_count--;
    memmove(s->rx, s->rx + 1, s->rx_count);
    memmove(s->rx_break, s->rx_break + 1, s->rx_count * sizeof(s->rx_break[0]));
    /* A time-out is over with the first read. One that leaves characters
     * behind starts another, which a guest that waits for edges needs. */
    s->rx_timeout = false;
    if (s->rx_count && (s->ier & IER_RDI) && !timer_is_armed(&s->timeout)) {
        timer_arm(&s->timeout, TIMEOUT_US);
    }
    serial_update_irq(s);
    if (s->rx_count <= serial_depth(s) / 2) {
        chardev_accept_input(s->chr);
    }
    return byte;
}

static size_t serial_can_receive(void *opaque)
{
    Serial *s = opaque;

    return s->mcr & MCR_LOOP ? 0 : serial_depth(s) - s->rx_count;
}

static void serial_receive(void *opaque, const uint8_t *buf, size_t len)
{
    Serial *s = opaque;

    for (size_t i = 0; i < len; i++) {
        serial_rx_push(s, buf[i], false);
    }
    serial_update_irq(s);
}

static void serial_event(void *opaque, ChardevEvent event)
{
    Serial *s = opaque;

    if (event == CHARDEV_BREAK && !(s->mcr & MCR_LOOP)) {
        serial_rx_push(s, 0, true);
        serial_update_irq(s);
    }
}

/* ---- sending -------------------------------------------------------------------- */

static void serial_tx_drain(void *opaque)
{
    Serial *s = opaque;

    if (s->tx_count && chardev_write(s->chr, s->tx, s->tx_count)) {
        s->tx_count = 0;
        s->thr_pending = true;
    }
    serial_update_irq(s);
}

/* What is left of a FIFO's worth goes when the main loop comes to it. */
static void serial_tx_push(Serial *s, uint8_t byte)
{
    s->thr_pending = false;
    serial_update_irq(s);
    if (s->mcr & MCR_LOOP) {
        serial_rx_push(s, byte, false);
        s->thr_pending = s->tx_count == 0;
    } else if (s->tx_count < FIFO_SIZE) {
        s->tx[s->tx_count++] = byte;
    }
    if (s->tx_count >= serial_depth(s) || !s->chr) {
        serial_tx_drain(s);
    } else if (s->tx_count == 1) {
        chardev_write_soon(s->chr);
    }
}

/* ---- modem lines ------------------------------------------------------------------- */

/* In loopback the outputs arrive as inputs; otherwise the peer is ready. */
static void serial_update_msr(Serial *s)
{
    uint8_t lines = MSR_CTS | MSR_DSR | MSR_DCD, changed;

    if (s->mcr & MCR_LOOP) {
        lines = (s->mcr & MCR_RTS ? MSR_CTS : 0) |
                (s->mcr & MCR_DTR ? MSR_DSR : 0) |
                (s->mcr & MCR_OUT1 ? MSR_RI : 0) |
                (s->mcr & MCR_OUT2 ? MSR_DCD : 0);
    }
    changed = (s->msr ^ lines) >> MSR_DELTA_SHIFT;
    if (lines & MSR_RI) {
        changed &= ~MSR_TERI; /* the end of a ring counts, not its start */
    }
    s->msr = lines | (s->msr & MSR_DELTA) | changed;
}

/* ---- registers ---------------------------------------------------------------------- */

static void serial_write_ier(Serial *s, uint8_t value)
{
    uint8_t enabled = value & ~s->ier;

    s->ier = value & IER_MASK;
    if (enabled & IER_THRI) {
        s->thr_pending = s->tx_count == 0;
    }
    if (enabled & IER_RDI) {
        s->rx_timeout = (s->fcr & FCR_ENABLE) && s->rx_count;
    }
}

static void serial_write_fcr(Serial *s, uint8_t value)
{
    bool toggled = (value ^ s->fcr) & FCR_ENABLE;

    s->fcr = value & FCR_ENABLE ? value : 0;
    if (toggled || (s->fcr & FCR_CLEAR_RX)) {
        serial_rx_clear(s);
    }
    /* There is room, and guests are used to being told so. */
    if (toggled || (s->fcr & FCR_CLEAR_TX)) {
        s->thr_pending = s->tx_count == 0;
    }
}

static void serial_write_mcr(Serial *s, uint8_t value)
{
    s->mcr = value & MCR_MASK;
    serial_update_msr(s);
    chardev_accept_input(s->chr);
}

static void serial_write(void *opaque, hwaddr addr, uint64_t data,
                         unsigned size)
{
    Serial *s = opaque;

    switch (addr) {
    case REG_DATA:
        if (s->lcr & LCR_DLAB) {
            s->divisor = (s->divisor & 0xff00) | data;
        } else {
            serial_tx_push(s, data);
        }
        break;
    case REG_IER:
        if (s->lcr & LCR_DLAB) {
            s->divisor = (s->divisor & 0xff) | data << 8;
        } else {
            serial_write_ier(s, data);
        }
        break;
    case REG_IIR:
        serial_write_fcr(s, data);
        break;
    case REG_LCR:
        s->lcr = data;
        break;
    case REG_MCR:
        serial_write_mcr(s, data);
        break;
    case REG_SCR:
        s->scr = data;
        break;
    }
    serial_update_irq(s);
}

static uint8_t serial_read_iir(Serial *s)
{
    uint8_t source;

    serial_tx_drain(s);
    source = serial_source(s);
    if (source == IIR_THRI) {
        s->thr_pending = false;
    }
    return source | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t serial_read_lsr(Serial *s)
{
    uint8_t lsr;

    serial_tx_drain(s);
    lsr = (s->rx_count ? LSR_DR : 0) | serial_errors(s) |
          (s->tx_count ? 0 : LSR_THRE | LSR_TEMT);
    for (unsigned i = 0; (s->fcr & FCR_ENABLE) && i < s->rx_count; i++) {
        lsr |= s->rx_break[i] ? LSR_FIFO_ERROR : 0;
    }
    s->overrun = false;
    s->rx_break[0] = false;
    return lsr;
}

static uint8_t serial_read_msr(Serial *s)
{
    uint8_t msr = s->msr;

    s->msr &= ~MSR_DELTA;
    return msr;
}

static uint8_t serial_read_register(Serial *s, hwaddr addr)
{
    switch (addr) {
    case REG_DATA:
        return s->lcr & LCR_DLAB ? s->divisor & 0xff : serial_rx_pop(s);
    case REG_IER:
        return s->lcr & LCR_DLAB ? s->divisor >> 8 : s->ier;
    case REG_IIR:
        return serial_read_iir(s);
    case REG_LCR:
        return s->lcr;
    case REG_MCR:
        return s->mcr;
    case REG_LSR:
        return serial_read_lsr(s);
    case REG_MSR:
        return serial_read_msr(s);
    default:
        return s->scr;
    }
}

static uint64_t serial_read(void *opaque, hwaddr addr, unsigned size)
{
    Serial *s = opaque;
    uint8_t value = serial_read_register(s, addr);

    serial_update_irq(s);
    return value;
}

static const MemoryRegionOps serial_ops = {
    .read = serial_read,
    .write = serial_write,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

/* ---- life ---------------------------------------------------------------------------- */

static const ChardevFrontend serial_frontend = {
    .can_receive = serial_can_receive,
    .receive = serial_receive,
    .on_writable = serial_tx_drain,
    .event = serial_event,
    .is_line = true,
};

/* The places of the four that a PC has, as its firmware and kernels know them. */
static const struct {
    uint16_t iobase;
    uint8_t irq;
} com_ports[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

/* Which of them: the one whose ports these are, or the first whose ports are free; the
 * first of all where that is no help. */
static unsigned serial_find_index(const Serial *s)
{
    Machine *machine = s->dev.machine;
    unsigned n;

    for (n = 0; machine && n < G_N_ELEMENTS(com_ports); n++) {
        uint16_t iobase = com_ports[n].iobase;

        if (s->iobase ? s->iobase == iobase
                      : !memory_region_find(&machine->ports_root, iobase,
                                            REG_COUNT).mr) {
            return n;
        }
    }
    return 0;
}

/* What the user has left open. */
static bool serial_choose_place(Serial *s, GError **err)
{
    if (s->index == INDEX_ANY) {
        s->index = serial_find_index(s);
    } else if (s->index >= G_N_ELEMENTS(com_ports)) {
        g_set_error(err, FLATVIEW_ERROR, 0, "property 'index' must be 0 to %zu, not %u; "
                    "elsewhere it is with iobase and irq",
                    G_N_ELEMENTS(com_ports) - 1, s->index);
        return false;
    }
    s->iobase = s->iobase ? s->iobase : com_ports[s->index].iobase;
    s->irq = s->irq ? s->irq : com_ports[s->index].irq;
    return true;
}

static bool serial_realize(Device *dev, GError **err)
{
    Serial *s = (Serial *)dev;

    if (!serial_choose_place(s, err)) {
        return false;
    }
    if (!chardev_attach(s->chr, &serial_frontend, s, err)) {
        return false;
    }
    timer_init(&s->timeout, serial_timeout, s);
    return true;
}

static void serial_unrealize(Device *dev)
{
    Serial *s = (Serial *)dev;

    timer_cleanup(&s->timeout);
    chardev_detach(s->chr, s);
    chardev_write(s->chr, s->tx, s->tx_count);
}

static void serial_reset(Device *dev)
{
    Serial *s = (Serial *)dev;

    s->divisor = DIVISOR_9600;
    s->ier = s->fcr = s->lcr = s->mcr = s->scr = 0;
    s->msr = MSR_CTS | MSR_DSR | MSR_DCD;
    s->overrun = false;
    s->thr_pending = false;
    timer_cancel(&s->timeout);
    serial_rx_clear(s);
    serial_update_irq(s);
}

static const Property serial_properties[] = {
    { "chardev", PROP_CHARDEV, offsetof(Serial, chr), NULL,
      "the line's other end", 0 },
    { "index", PROP_UINT8, offsetof(Serial, index), "255",
      "which COM port, 0 to 3; 255: the first that is free", 0 },
    { "iobase", PROP_UINT16, offsetof(Serial, iobase), NULL,
      "the first port; that of the COM port if not given", 0 },
    { "irq", PROP_UINT8, offsetof(Serial, irq), NULL, "its interrupt; likewise", 0 },
    { 0 },
};

const DeviceType isa_serial_type = {
    .name = "isa-serial",
    .description = "16550A UART",
    .size = sizeof(Serial),
    .properties = serial_properties,
    .compatible = "ns16550a",
    .user_creatable = true,
    .hotpluggable = true,
    .ops = &serial_ops,
    .ops_size = REG_COUNT,
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .reset = serial_reset,
    .plug = device_plug_iobase,
};
