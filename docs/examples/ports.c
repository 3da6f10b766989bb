/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of ports, in the port space. See docs/memory.txt. */
#include "ioport.h"

static uint32_t index_register;

static void index_write(void *opaque, uint32_t port, uint32_t value)
{
    index_register = value;
}

static uint32_t data_read(void *opaque, uint32_t port)
{
    printf("  data register %u, port 0x%x\n", index_register, port);
    return 0x40 + index_register;
}

/* Offset, count, width, callbacks. Between 1 and 4 there is room for others. */
static const MemoryRegionPortio ports[] = {
    { 0, 1, 1, .write = index_write },
    { 4, 1, 1, .read = data_read },
    PORTIO_END_OF_LIST(),
};

int main(void)
{
    static MemoryRegion root;
    static AddressSpace io;
    static PortioList list;

    memory_region_init(&root, "io", IOPORTS);
    address_space_init(&io, &root);
    portio_list_init(&list, ports, NULL, "old-device");
    portio_list_add(&list, &root, 0x3b0);

    cpu_outb(&io, 0x3b0, 7);
    printf("0x%x\n", cpu_inb(&io, 0x3b4));
    printf("0x%x\n", cpu_inb(&io, 0x3b2)); /* nobody */
    portio_list_destroy(&list);
    return 0;
}
