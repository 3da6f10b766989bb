/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI for tests of a whole machine: what firmware does by ports 0xcf8 and 0xcfc, over
 * qtest (qvm.h). What goes wrong ends the test.
 */
#ifndef TESTS_QPCI_H
#define TESTS_QPCI_H

#include <linux/pci_regs.h>

#include "tests/qtest/qvm.h"

/* A function by where it is, which may change with the numbers of buses. */
typedef struct QPCI {
    QVM *vm;
    uint8_t bus, devfn;
} QPCI;

#define QPCI_ROM 6 /* the expansion ROM among the BARs */

typedef struct QPCIBar {
    unsigned n;
    bool io, wide, prefetch; /* ports; of 64 bits */
    uint64_t size;           /* 0: there is none */
} QPCIBar;

/* The function in that place, which must be there; @slot and @function of @bus. */
QPCI qpci_function(QVM *vm, unsigned bus, unsigned slot, unsigned function);

/* Whether there is one. */
bool qpci_is_there(QVM *vm, unsigned bus, unsigned slot, unsigned function);

/* Configuration space, 1, 2 or 4 bytes inside a dword. */
uint32_t qpci_read(const QPCI *f, unsigned addr, unsigned size);
void qpci_write(const QPCI *f, unsigned addr, uint32_t value, unsigned size);

/* Switch bits of the command register on, and off. */
void qpci_enable(const QPCI *f, unsigned bits);
void qpci_disable(const QPCI *f, unsigned bits);

/* Offset of the first capability @id; 0: there is none. The list ends, and has each
 * capability once. */
unsigned qpci_find_capability(const QPCI *f, uint8_t id);

/* Ask for the size of BAR @n; the address is left as it was. */
QPCIBar qpci_bar(const QPCI *f, unsigned n);

/* Put it at @addr, a multiple of its size, and enable ports or memory. */
void qpci_map(const QPCI *f, const QPCIBar *bar, uint64_t addr);

/* Give the bus behind the bridge @f the number @secondary, with none behind it, and
 * open a window of memory, of whole MiB, and one of ports, of whole 4 KiB. */
void qpci_set_bridge(const QPCI *f, unsigned secondary, uint32_t memory_base,
                     uint32_t memory_size, uint16_t io_base, uint32_t io_size);

#endif
