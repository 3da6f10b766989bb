/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI over qtest; see qpci.h.
 */
#include "tests/qtest/qpci.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc

static void point_at(const QPCI *f, unsigned addr)
{
    qvm_out(f->vm, CONFIG_ADDRESS,
            0x80000000 | f->bus << 16 | f->devfn << 8 | (addr & 0xfc), 4);
}

uint32_t qpci_read(const QPCI *f, unsigned addr, unsigned size)
{
    point_at(f, addr);
    return qvm_in(f->vm, CONFIG_DATA + addr % 4, size);
}

void qpci_write(const QPCI *f, unsigned addr, uint32_t value, unsigned size)
{
    point_at(f, addr);
    qvm_out(f->vm, CONFIG_DATA + addr % 4, value, size);
}

bool qpci_is_there(QVM *vm, unsigned bus, unsigned slot, unsigned function)
{
    QPCI f = { vm, bus, slot << 3 | function };

    return qpci_read(&f, PCI_VENDOR_ID, 2) != 0xffff;
}

QPCI qpci_function(QVM *vm, unsigned bus, unsigned slot, unsigned function)
{
    expect(qpci_is_there(vm, bus, slot, function), "nothing is at %u:%x.%u", bus, slot,
           function);
    return (QPCI){ vm, bus, slot << 3 | function };
}

void qpci_enable(const QPCI *f, unsigned bits)
{
    qpci_write(f, PCI_COMMAND, qpci_read(f, PCI_COMMAND, 2) | bits, 2);
}

void qpci_disable(const QPCI *f, unsigned bits)
{
    qpci_write(f, PCI_COMMAND, qpci_read(f, PCI_COMMAND, 2) & ~bits, 2);
}

unsigned qpci_find_capability(const QPCI *f, uint8_t id)
{
    bool met[256] = { false };
    unsigned at = 0, found = 0;

    if (qpci_read(f, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST) {
        at = qpci_read(f, PCI_CAPABILITY_LIST, 1);
    }
    while (at) {
        expect(at >= PCI_STD_HEADER_SIZEOF && at % 4 == 0 && !met[at],
               "the list of capabilities goes on at 0x%x", at);
        met[at] = true;
        if (!found && qpci_read(f, at + PCI_CAP_LIST_ID, 1) == id) {
            found = at;
        }
        at = qpci_read(f, at + PCI_CAP_LIST_NEXT, 1);
    }
    return found;
}

/* ---- base address registers ----------------------------------------------------- */

static unsigned bar_register(const QPCI *f, unsigned n)
{
    bool bridge = qpci_read(f, PCI_HEADER_TYPE, 1) & 1;

    return n < QPCI_ROM ? PCI_BASE_ADDRESS_0 + 4 * n
                        : bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
}

/* What is left of all ones; the register is as before. */
static uint32_t ask(const QPCI *f, unsigned reg, uint32_t ones)
{
    uint32_t before = qpci_read(f, reg, 4), left;

    qpci_write(f, reg, ones, 4);
    left = qpci_read(f, reg, 4);
    qpci_write(f, reg, before, 4);
    return left;
}

QPCIBar qpci_bar(const QPCI *f, unsigned n)
{
    QPCIBar bar = { .n = n };
    unsigned reg = bar_register(f, n);
    /* The switch of the ROM stays off meanwhile. */
    uint32_t low = ask(f, reg, n == QPCI_ROM ? ~1u : UINT32_MAX);
    uint64_t mask;

    if (!low) {
        return bar;
    }
    bar.io = n != QPCI_ROM && (low & PCI_BASE_ADDRESS_SPACE_IO);
    bar.wide = !bar.io && (low & PCI_BASE_ADDRESS_MEM_TYPE_64);
    bar.prefetch = !bar.io && (low & PCI_BASE_ADDRESS_MEM_PREFETCH);
    mask = low & (bar.io ? ~UINT32_C(3) : ~UINT32_C(15));
    mask |= (uint64_t)(bar.wide ? ask(f, reg + 4, UINT32_MAX) : UINT32_MAX) << 32;
    bar.size = -mask;
    expect((bar.size & (bar.size - 1)) == 0, "BAR %u has %" PRIu64 " bytes", n,
           bar.size);
    return bar;
}

void qpci_map(const QPCI *f, const QPCIBar *bar, uint64_t addr)
{
    unsigned reg = bar_register(f, bar->n);

    expect(bar->size && addr % bar->size == 0, "BAR %u cannot be at 0x%" PRIx64, bar->n,
           addr);
    qpci_write(f, reg, addr | (bar->n == QPCI_ROM), 4);
    if (bar->wide) {
        qpci_write(f, reg + 4, addr >> 32, 4);
    }
    qpci_enable(f, bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* ---- bridges -------------------------------------------------------------------- */

void qpci_set_bridge(const QPCI *f, unsigned secondary, uint32_t memory_base,
                     uint32_t memory_size, uint16_t io_base, uint32_t io_size)
{
    uint32_t memory_last = memory_base + memory_size - 1;
    uint32_t io_last = io_base + io_size - 1;

    qpci_write(f, PCI_PRIMARY_BUS, f->bus, 1);
    qpci_write(f, PCI_SECONDARY_BUS, secondary, 1);
    qpci_write(f, PCI_SUBORDINATE_BUS, secondary, 1);
    qpci_write(f, PCI_MEMORY_BASE, memory_base >> 16, 2);
    qpci_write(f, PCI_MEMORY_LIMIT, memory_last >> 16, 2);
    qpci_write(f, PCI_IO_BASE, io_base >> 8, 1);
    qpci_write(f, PCI_IO_LIMIT, io_last >> 8, 1);
    qpci_enable(f, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}
