/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board's table: each thing at a fixed place, once. The regions, the e820
 * map, the device tree and, through the numbers they share, the ACPI tables
 * all come from it.
 */
#ifndef HW_I386_BOARD_H
#define HW_I386_BOARD_H

#include "hw/core/machine.h"
#include "hw/i386/e820.h"

typedef enum BoardSpace { BOARD_MEMORY, BOARD_PORTS } BoardSpace;

/* One range. A device of several ranges has one entry after the other, and
 * only the first names the device. */
typedef struct BoardEntry {
    const char *name;   /* of the reservation, or of the device below /machine */
    BoardSpace space;
    uint64_t base;
    uint64_t size;
    /* The rest is for the first entry of a device: */
    int irq;            /* input of the interrupt controllers; -1: none */
    const char *device; /* its type; NULL: served by KVM, or by nothing */
    int serial;         /* which of the serial ports it is; -1: it is none */
    uint32_t acpi_bit;  /* in DEVS of the DSDT; 0: always there */
    const char *node;   /* name in the device tree; NULL: not there */
    const char *compatible;
    bool reserved;      /* tell the guest to keep out (e820) */
    bool more;          /* another range of the entry before */
} BoardEntry;

/* Whether @entry, or the device it belongs to, is on this machine. */
bool board_has(const Machine *machine, const BoardEntry *entry);

#endif
