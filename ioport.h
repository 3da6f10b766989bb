/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports. The port space of a CPU is an ordinary address space over a container
 * of 64 KiB; this adds lists of ports, as devices of the ISA age have them, and
 * the in and out instructions.
 */
#ifndef IOPORT_H
#define IOPORT_H

#include "memory.h"

#define IOPORTS 0x10000u

/*
 * The ports of one device: see MemoryRegionPortio. Callbacks get the port's
 * absolute number. An access of a width that no entry has at its port is made
 * of narrower ones, lowest port first; what none answers reads as all-ones.
 * The caller embeds it; every field is private.
 */
typedef struct PortioList {
    MemoryRegion *address_space; /* NULL while not added */
    uint32_t addr;
    unsigned ports_nr;
    MemoryRegionPortio *ports; /* by offset, which includes addr */
    MemoryRegionOps *ops;
    MemoryRegion region; /* the whole port space, as we answer it */
    GArray *windows;     /* the parts of it that are shown */
} PortioList;

/* Prepare @list from @callbacks, in any order and ended by
 * PORTIO_END_OF_LIST(); they are copied, as is @name. @opaque is handed to
 * them. */
void portio_list_init(PortioList *list, const MemoryRegionPortio *callbacks,
                      void *opaque, const char *name);

/* Undo portio_list_init(), and portio_list_add() if that is in force. The
 * rules of memory_region_destroy() hold: not from one of its callbacks, nor in
 * a transaction that removes it. */
void portio_list_destroy(PortioList *list);

/* Put the ports into the container @address_space, at @addr plus their
 * offsets. Ports between entries stay free for others. Ports past the last
 * one, or adding twice, are programming errors. */
void portio_list_add(PortioList *list, MemoryRegion *address_space,
                     uint32_t addr);

/* Take them out again, wherever called from; they may be added once more,
 * elsewhere. Does nothing where they are not added. */
void portio_list_del(PortioList *list);

/* The instructions, as an initiator that does not say who it is. */
uint8_t cpu_inb(AddressSpace *ports, uint32_t port);
uint16_t cpu_inw(AddressSpace *ports, uint32_t port);
uint32_t cpu_inl(AddressSpace *ports, uint32_t port);
void cpu_outb(AddressSpace *ports, uint32_t port, uint8_t value);
void cpu_outw(AddressSpace *ports, uint32_t port, uint16_t value);
void cpu_outl(AddressSpace *ports, uint32_t port, uint32_t value);

#endif
