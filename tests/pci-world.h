/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine of a PCI bus and RAM, whose host bridge is the test, and functions made
 * to measure. In place of hw/core/device-table.c: it has "func", "other-func",
 * "fixed-func" (not hot-pluggable), "test-bridge", the real "pci-bridge", and
 * "pci-copier" (tests/pci-copier.c).
 */
#ifndef PCI_WORLD_H
#define PCI_WORLD_H

#include "hw/core/machine.h"
#include "hw/pci/pci.h"
#include "tests/test-util.h"

#define HOST_RAM_SIZE 0x10000 /* at 0, above the bus's memory */

/* How the next functions are made; zeroed by host_init(). */
typedef struct FuncBar {
    uint64_t size; /* 0: none */
    uint8_t type;
} FuncBar;

typedef struct FuncRecipe {
    FuncBar bars[PCI_BARS];
    unsigned pin;      /* PCI_INTERRUPT_PIN */
    bool fails;        /* realize does, after all else */
    void (*more)(PCIDevice *dev); /* at the end of realize; NULL: nothing */
} FuncRecipe;

extern FuncRecipe func_recipe;

typedef struct Func Func;

typedef struct FuncRegion {
    Func *func;
    unsigned n;
    MemoryRegion mr;
} FuncRegion;

struct Func {
    PCIDevice dev;
    FuncRegion bars[PCI_BARS];
    unsigned resets;
    MemTxResult fetched; /* from the address that was written to a BAR */
};

extern Machine *machine;
extern PCIBus host_bus;     /* "pci.0" */
extern MemoryRegion host_memory; /* its memory */
extern unsigned host_wires[PCI_PINS]; /* level; counted up by 16 at each change */
extern unsigned host_unrealized;      /* functions that got so far */

void host_init(void);
void host_prepare(void); /* what comes now is hot-plugged */
void host_free(void);

/* Like -device TEXT. */
PCIDevice *host_plug(const char *text);

/* TEXT is refused, in these words. */
void host_refuse(const char *text, const char *first, ...)
    __attribute__((sentinel));

/* Configuration space of bus 0. */
uint32_t config_in(unsigned devfn, unsigned addr, unsigned size);
void config_out(unsigned devfn, unsigned addr, uint32_t value, unsigned size);

/* What a read of BAR @n of @devfn at @offset gives. */
uint32_t bar_value(unsigned devfn, unsigned n, unsigned offset);

/* What answers 4 bytes at @addr, 0xffffffff for nothing. */
uint32_t memory_in(uint64_t addr);
uint32_t ports_in(uint64_t addr);

#endif
