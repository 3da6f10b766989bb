/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port lists, and the in and out instructions.
 *
 * A list becomes one I/O region that is the whole port space, never shown as
 * such, and an alias of it for each run of ports that the entries cover. So
 * the callbacks get absolute port numbers, and neighbouring windows are one
 * range in the flat view. Adding and taking out only moves the aliases, so a
 * callback may do either.
 */
#include <stdlib.h>
#include <string.h>

#include "ioport.h"
#include "memory-internal.h"

typedef struct PortioWindow {
    MemoryRegion *alias;
    uint32_t first; /* offset from where the list is added */
    int priority;
} PortioWindow;

static int portio_compare(const void *a, const void *b)
{
    const MemoryRegionPortio *x = a, *y = b;

    return (x->offset > y->offset) - (x->offset < y->offset);
}

static void portio_window(PortioList *list, uint64_t first, uint64_t end,
                          int priority)
{
    PortioWindow w = { g_new(MemoryRegion, 1), (uint32_t)first, priority };

    memory_region_init_alias(w.alias, list->region.name,
                             &list->region, first, end - first);
    g_array_append_val(list->windows, w);
}

void portio_list_init(PortioList *list, const MemoryRegionPortio *callbacks,
                      void *opaque, const char *name)
{
    MemoryRegionPortio *p;
    unsigned n = 0;

    while (callbacks[n].size) {
        n++;
    }
    memset(list, 0, sizeof(*list));
    list->ports_nr = n;
    list->ports = g_new0(MemoryRegionPortio, n + 1);
    if (n) {
        memcpy(list->ports, callbacks, n * sizeof(*callbacks));
        qsort(list->ports, n, sizeof(*callbacks), portio_compare);
    }
    list->ops = g_new0(MemoryRegionOps, 1);
    list->ops->old_portio = list->ports;
    list->ops->valid.unaligned = true;
    memory_region_init_io(&list->region, list->ops, opaque, name, IOPORTS);

    list->windows = g_array_new(FALSE, FALSE, sizeof(PortioWindow));
    for (p = list->ports; p->size;) {
        uint64_t first = p->offset;
        uint64_t end = first;   /* of the ports at which an access starts */
        uint64_t reach = first; /* of those that such an access touches */

        for (; p->size && p->offset <= end; p++) {
            if (p->len) {
                end = MAX(end, (uint64_t)p->offset + p->len);
                reach = MAX(reach, (uint64_t)p->offset + p->len - 1 + p->size);
            }
        }
        if (end > first) {
            portio_window(list, first, end, 0);
        }
        if (reach > end) {
            /* The rest of a wide port belongs to whoever has it, but a wide
             * access stays in one piece where that is nobody. */
            portio_window(list, end, reach, -1);
        }
    }
}

void portio_list_destroy(PortioList *list)
{
    portio_list_del(list);
    for (guint i = 0; i < list->windows->len; i++) {
        PortioWindow *w = &g_array_index(list->windows, PortioWindow, i);

        memory_region_destroy(w->alias);
        g_free(w->alias);
    }
    memory_region_destroy(&list->region);
    g_clear_pointer(&list->windows, g_array_unref);
    g_clear_pointer(&list->ops, g_free);
    g_clear_pointer(&list->ports, g_free);
}

/* Whether every port of @list is in the port space when added at @addr. */
static bool portio_fits(const PortioList *list,
                        const MemoryRegion *address_space, uint32_t addr)
{
    for (unsigned i = 0; i < list->ports_nr; i++) {
        const MemoryRegionPortio *p = &list->ports[i];
        uint64_t first = (uint64_t)addr + (p->offset - list->addr);

        if (first + p->len > IOPORTS) {
            memory_error("port list '%s' added to '%s': %u ports from 0x%" PRIx64
                         " are not among the %u of the port space",
                         list->region.name, address_space->name, p->len, first,
                         IOPORTS);
            return false;
        }
    }
    return true;
}

void portio_list_add(PortioList *list, MemoryRegion *address_space,
                     uint32_t addr)
{
    memory_region_transaction_begin();
    if (list->address_space) {
        memory_error("port list '%s' added to '%s' while it is in '%s'",
                     list->region.name, address_space->name,
                     list->address_space->name);
        goto out;
    }
    if (!portio_fits(list, address_space, addr)) {
        goto out;
    }
    list->address_space = address_space;
    for (unsigned i = 0; i < list->ports_nr; i++) {
        list->ports[i].offset += addr - list->addr;
    }
    list->addr = addr;
    for (guint i = 0; i < list->windows->len; i++) {
        PortioWindow *w = &g_array_index(list->windows, PortioWindow, i);

        memory_region_set_alias_offset(w->alias, addr + w->first);
        if (w->priority) {
            memory_region_add_subregion_overlap(address_space, addr + w->first,
                                                w->alias, w->priority);
        } else {
            memory_region_add_subregion(address_space, addr + w->first,
                                        w->alias);
        }
        if (!w->alias->parent) { /* refused: these ports are another's */
            while (i-- > 0) {
                w = &g_array_index(list->windows, PortioWindow, i);
                memory_region_del_subregion(address_space, w->alias);
            }
            list->address_space = NULL;
            break;
        }
    }
out:
    memory_region_transaction_commit();
}

void portio_list_del(PortioList *list)
{
    memory_region_transaction_begin();
    for (guint i = 0; list->address_space && i < list->windows->len; i++) {
        PortioWindow *w = &g_array_index(list->windows, PortioWindow, i);

        memory_region_del_subregion(list->address_space, w->alias);
    }
    list->address_space = NULL;
    memory_region_transaction_commit();
}

/* ---- in and out ---------------------------------------------------------- */

uint8_t cpu_inb(AddressSpace *ports, uint32_t port)
{
    uint8_t value;

    address_space_read(ports, port, &value, sizeof(value));
    return value;
}

uint16_t cpu_inw(AddressSpace *ports, uint32_t port)
{
    uint16_t value;

    address_space_read(ports, port, (uint8_t *)&value, sizeof(value));
    return GUINT16_FROM_LE(value);
}

uint32_t cpu_inl(AddressSpace *ports, uint32_t port)
{
    uint32_t value;

    address_space_read(ports, port, (uint8_t *)&value, sizeof(value));
    return GUINT32_FROM_LE(value);
}

void cpu_outb(AddressSpace *ports, uint32_t port, uint8_t value)
{
    address_space_write(ports, port, &value, sizeof(value));
}

void cpu_outw(AddressSpace *ports, uint32_t port, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    address_space_write(ports, port, (uint8_t *)&value, sizeof(value));
}

void cpu_outl(AddressSpace *ports, uint32_t port, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    address_space_write(ports, port, (uint8_t *)&value, sizeof(value));
}
