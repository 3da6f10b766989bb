/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci-testdev: a function for test programs, above all those of kvm-unit-tests, which
 * measure what writes cost that a callback takes, or a doorbell. Its registers are
 * public: QEMU's docs/specs/pci-testdev; names, offsets and data are established there.
 *
 * BAR 0, of memory, and BAR 1, of ports, begin with the same header. Writing a number
 * to its first byte starts that test of this BAR, one at a time, and the header then
 * says what to write, and where, and counts the writes that a callback saw. BAR 2 has
 * an address and nothing else.
 */
#include <string.h>

#include "hw/pci/pci.h"

#define MMIO_SIZE 4096
#define PORTS_SIZE 256

/* The header: bytes, and little-endian words of 4. */
#define HEADER_TEST 0x0
#define HEADER_WIDTH 0x1
#define HEADER_OFFSET 0x4
#define HEADER_DATA 0x8
#define HEADER_COUNT 0xc
#define HEADER_NAME 0x10
#define HEADER_SIZE 0x40

typedef struct Test {
    const char *name;
    bool is_port;
    uint32_t offset; /* in its BAR */
    uint8_t data;
    bool has_doorbell;
    unsigned doorbell_size; /* 0: of any width */
    bool match;      /* it rings for this data only */
} Test;

#define BAR_TESTS 3

static const Test tests[2 * BAR_TESTS] = {
    { "mmio-no-eventfd", false, 0x800, 0xfa, false, 0, false },
    { "mmio-wildcard-eventfd", false, 0x801, 0xce, true, 0, false },
    { "mmio-datamatch-eventfd", false, 0x802, 0xfa, true, 1, true },
    { "portio-no-eventfd", true, 0x83, 0xfa, false, 0, false },
    { "portio-wildcard-eventfd", true, 0x84, 0xce, true, 1, false },
    { "portio-datamatch-eventfd", true, 0x85, 0xfa, true, 1, true },
};

typedef struct PCITestDev {
    PCIDevice dev;
    uint64_t membar_size; /* property */
    MemoryRegion mmio, ports, membar;
    EventNotifier doorbell; /* nobody waits: to ring is all */
    const Test *test;       /* NULL: none */
    uint8_t header[HEADER_SIZE]; /* of it, or zeros */
} PCITestDev;

static MemoryRegion *test_bar(PCITestDev *s)
{
    return s->test->is_port ? &s->ports : &s->mmio;
}

static void test_stop(PCITestDev *s)
{
    if (s->test && s->test->has_doorbell) {
        memory_region_del_eventfd(test_bar(s), s->test->offset,
                                  s->test->doorbell_size, s->test->match,
                                  s->test->data, &s->doorbell);
    }
    s->test = NULL;
    memset(s->header, 0, HEADER_SIZE);
}

static void test_start(PCITestDev *s, const Test *test)
{
    test_stop(s);
    s->test = test;
    s->header[HEADER_TEST] = test - tests;
    s->header[HEADER_WIDTH] = 1;
    pci_set_long(s->header + HEADER_OFFSET, test->offset);
    pci_set_long(s->header + HEADER_DATA, test->data);
    memcpy(s->header + HEADER_NAME, test->name, strlen(test->name));
    if (test->has_doorbell) {
        memory_region_add_eventfd(test_bar(s), test->offset, test->doorbell_size,
                                  test->match, test->data, &s->doorbell);
    }
}

/* ---- accesses ------------------------------------------------------------------ */

static uint64_t testdev_read(void *opaque, hwaddr addr, unsigned size)
{
    const PCITestDev *s = opaque;

    return addr < HEADER_SIZE ? s->header[addr] : 0;
}

/* @first: of the BAR's tests. */
static void testdev_write(PCITestDev *s, unsigned first, hwaddr addr, uint8_t data)
{
    uint8_t *count = s->header + HEADER_COUNT;

    if (addr == HEADER_TEST && data < BAR_TESTS) {
        test_start(s, &tests[first + data]);
    } else if (addr == HEADER_TEST) {
        test_stop(s);
    } else if (s->test && addr == s->test->offset &&
               (data == s->test->data || (s->test->has_doorbell && !s->test->match))) {
        pci_set_long(count, pci_get_long(count) + 1);
    }
}

static void mmio_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    testdev_write(opaque, 0, addr, data);
}

static void ports_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    testdev_write(opaque, BAR_TESTS, addr, data);
}

static const MemoryRegionOps mmio_ops = {
    .read = testdev_read,
    .write = mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

static const MemoryRegionOps ports_ops = {
    .read = testdev_read,
    .write = ports_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.unaligned = true,
    .impl.max_access_size = 1,
};

/* ---- life ---------------------------------------------------------------------- */

static bool testdev_realize(PCIDevice *dev, GError **err)
{
    PCITestDev *s = (PCITestDev *)dev;
    int ret;

    if (s->membar_size && (s->membar_size < MMIO_SIZE ||
                           (s->membar_size & (s->membar_size - 1)))) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "property 'membar' must be a power of two from 4096, or 0, not "
                    "%" PRIu64, s->membar_size);
        return false;
    }
    ret = event_notifier_init(&s->doorbell, false);
    if (ret < 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "no eventfd: %s", g_strerror(-ret));
        return false;
    }
    memory_region_init_io(&s->mmio, &mmio_ops, s, "pci-testdev-mmio", MMIO_SIZE);
    pci_add_bar(dev, 0, PCI_BASE_ADDRESS_SPACE_MEMORY, &s->mmio);
    memory_region_init_io(&s->ports, &ports_ops, s, "pci-testdev-portio", PORTS_SIZE);
    pci_add_bar(dev, 1, PCI_BASE_ADDRESS_SPACE_IO, &s->ports);
    if (s->membar_size) {
        memory_region_init(&s->membar, "pci-testdev-membar", s->membar_size);
        pci_add_bar(dev, 2, PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
                    &s->membar);
    }
    return true;
}

static void testdev_unrealize(PCIDevice *dev)
{
    PCITestDev *s = (PCITestDev *)dev;

    test_stop(s);
    event_notifier_cleanup(&s->doorbell);
}

static void testdev_reset(PCIDevice *dev)
{
    test_stop((PCITestDev *)dev);
}

static const Property testdev_properties[] = {
    PCI_DEVICE_PROPERTIES,
    { "membar", PROP_SIZE, offsetof(PCITestDev, membar_size), "0",
      "size of BAR 2, 64-bit memory where nothing answers; 0: there is none", 0 },
    { 0 },
};

const DeviceType pci_testdev_type = {
    .name = "pci-testdev",
    .description = "PCI function for test programs",
    .size = sizeof(PCITestDev),
    .properties = testdev_properties,
    .user_creatable = true,
    .hotpluggable = true,
    PCI_DEVICE_TYPE,
    .pci = &(const PCIInfo){ .vendor_id = 0x1b36, .device_id = 0x0005,
                             .class_code = 0x00ff00, .realize = testdev_realize,
                             .unrealize = testdev_unrealize, .reset = testdev_reset },
};
