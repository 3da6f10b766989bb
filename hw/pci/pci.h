/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI: buses, and the functions on them. PCI Local Bus Specification 3.0; names of
 * registers are those of <linux/pci_regs.h>.
 *
 * A type of function is a DeviceType with PCI_DEVICE_TYPE and a PCIInfo; its state
 * starts with a PCIDevice. Its ->realize, of the PCIInfo, finds the header filled in
 * and the function on its bus; there it adds its BARs and capabilities. What is in
 * configuration space when it returns is what a reset brings back.
 *
 * Everything here under the memory lock, or before the machine runs.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include <linux/pci_regs.h>

#include "hw/core/device.h"

typedef struct PCIBus PCIBus;
typedef struct PCIDevice PCIDevice;

#define PCI_SLOTS 32
#define PCI_FUNCTIONS 8
#define PCI_DEVFNS (PCI_SLOTS * PCI_FUNCTIONS)
#define PCI_DEVFN(slot, function) ((slot) * PCI_FUNCTIONS + (function))
#define PCI_SLOT(devfn) ((devfn) / PCI_FUNCTIONS)
#define PCI_FUNC(devfn) ((devfn) % PCI_FUNCTIONS)
#define PCI_CONFIG_SIZE 256u
#define PCI_BARS 6
#define PCI_ROM_SLOT 6 /* the expansion ROM among the bars */
#define PCI_PINS 4     /* INTA to INTD, 0 to 3 */

/* What a function's type says to the bus: DeviceType.pci. */
typedef struct PCIInfo {
    uint16_t vendor_id, device_id;
    uint16_t subsystem_vendor_id, subsystem_id; /* 0, 0: 1af4:1100 */
    uint32_t class_code; /* 24 bits: class, subclass, programming interface */
    uint8_t revision;
    bool bridge;         /* the header is of type 1 */
    const char *romfile; /* expansion ROM where the user names none; or NULL */
    /* As in DeviceType; NULL: nothing. On failure realize leaves nothing behind but
     * BARs and capabilities. */
    bool (*realize)(PCIDevice *dev, GError **err);
    /* The function is off its bus and its BARs are unmapped; their regions are
     * destroyed afterwards: here the function's own parts and aliases of them go. */
    void (*unrealize)(PCIDevice *dev);
    void (*reset)(PCIDevice *dev); /* after configuration space and MSI */
    /* An access to configuration space of 1, 2 or 4 bytes, aligned to its size and
     * within; NULL: pci_config_read() and pci_config_write(), which these call for
     * what is not their own. */
    uint32_t (*config_read)(PCIDevice *dev, unsigned addr, unsigned size);
    void (*config_write)(PCIDevice *dev, unsigned addr, uint32_t value,
                         unsigned size);
} PCIInfo;

/* A BAR, or the expansion ROM. */
typedef struct PCIBar {
    MemoryRegion *mr; /* NULL: there is none */
    uint8_t type;     /* PCI_BASE_ADDRESS_SPACE_IO, _MEM_TYPE_64, _MEM_PREFETCH */
    uint64_t size;    /* a power of two */
    uint64_t addr;    /* where it is mapped now; PCI_BAR_UNMAPPED: nowhere */
} PCIBar;

#define PCI_BAR_UNMAPPED UINT64_MAX

struct PCIDevice {
    Device device;
    /* Properties; PCI_DEVICE_PROPERTIES. Once realized, where it is. */
    char *addr_text;    /* "addr": SLOT or SLOT.FUNCTION, hexadecimal; NULL: free slot */
    char *bus_name;     /* "bus": "pci.0", or the id of a bridge; NULL: the root's */
    char *romfile;      /* NULL: the type's; "": none */
    uint32_t rom_bar;   /* "rombar"; 0: no */
    bool multifunction; /* says so in its header */

    PCIBus *bus;
    uint8_t devfn;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t wmask[PCI_CONFIG_SIZE];   /* bits that the guest can write */
    uint8_t w1cmask[PCI_CONFIG_SIZE]; /* bits that writing 1 clears */
    uint8_t reset_values[PCI_CONFIG_SIZE]; /* as realize left config[] */
    uint8_t used[PCI_CONFIG_SIZE];    /* for capabilities: taken bytes */
    PCIBar bars[PCI_BARS + 1];
    bool intx_level;    /* what the function wants of its one pin, */
    bool intx_asserted; /* and what its wire on the bus has of it */
    MemoryRegion rom;   /* of romfile */
    PCIBus *secondary;  /* the bus behind this bridge; NULL: it is none */

    /* What it sees as a master: the bus's memory while the command register says
     * PCI_COMMAND_MASTER, nothing else. */
    MemoryRegion dma_root, dma_window;
    AddressSpace dma;

    struct MSIState *msi;   /* msi.h; NULL: none */
    struct MSIXState *msix;
};

#define PCI_DEVICE_PROPERTIES                                                     \
    { "addr", PROP_STRING, offsetof(PCIDevice, addr_text), NULL,                  \
      "SLOT or SLOT.FUNCTION, in hexadecimal; otherwise a free slot", 0 },        \
    { "bus", PROP_STRING, offsetof(PCIDevice, bus_name), NULL,                    \
      "the bus it is on: pci.0, or the id of a bridge", 0 },                      \
    { "multifunction", PROP_BOOL, offsetof(PCIDevice, multifunction), "off",      \
      "other functions share its slot", 0 },                                      \
    { "romfile", PROP_STRING, offsetof(PCIDevice, romfile), NULL,                 \
      "an expansion ROM; empty: none", 0 },                                       \
    { "rombar", PROP_UINT32, offsetof(PCIDevice, rom_bar), "1",                   \
      "1: the expansion ROM is seen through a BAR; 0: not at all", 0 }

/* In the DeviceType of every function. */
#define PCI_DEVICE_TYPE                                                           \
    .realize = pci_device_realize, .unrealize = pci_device_unrealize,             \
    .reset = pci_device_reset, .plug = pci_device_plug,                           \
    .unplug_request = pci_device_unplug_request

bool pci_device_realize(Device *dev, GError **err);
void pci_device_unrealize(Device *dev);
void pci_device_reset(Device *dev);
bool pci_device_plug(Device *dev, Machine *machine, GError **err);
bool pci_device_unplug_request(Device *dev, GError **err);

/* The function that @dev is, or NULL. */
PCIDevice *device_pci(Device *dev);

/* ---- for functions -------------------------------------------------------------- */

/* In realize: BAR @n is @mr, a region that the function has initialised; from here on
 * PCI maps it, and destroys it at the end: device_add_region() is not for it. Its size
 * is a power of two, at least 16 bytes of memory or 4 of ports, at most 2 GiB but for
 * a 64-bit BAR; @type: see PCIBar. A 64-bit one takes @n + 1, too. */
void pci_add_bar(PCIDevice *dev, unsigned n, uint8_t type, MemoryRegion *mr);

/* In realize: a capability @id of @size bytes at @offset, or 0: where there is room.
 * Its offset in config[], the first two bytes filled in, the others 0 and not the
 * guest's to write; 0 with @err: no room there. It becomes the first of the list. */
unsigned pci_add_capability(PCIDevice *dev, uint8_t id, unsigned offset,
                            unsigned size, GError **err);

/* Offset of the first capability @id; 0: none. */
unsigned pci_find_capability(const PCIDevice *dev, uint8_t id);

/* The interrupt pin that the header names (PCI_INTERRUPT_PIN must not be 0): the level
 * that the function wants of it. It reaches the bus while the command register does
 * not disable it. While messages (msi.h) are enabled in its place it is false, and what
 * is asked for is forgotten: enabling them lowers the pin, disabling them leaves it so. */
void pci_set_irq(PCIDevice *dev, bool level);

/* What every function does with its configuration space: writes change the bits of
 * wmask and clear those of w1cmask, and BARs, pin and master follow. */
uint32_t pci_config_read(PCIDevice *dev, unsigned addr, unsigned size);
void pci_config_write(PCIDevice *dev, unsigned addr, uint32_t value, unsigned size);

/* As master: result as of address_space_rw(); MEMTX_DECODE_ERROR while the function
 * is none. */
MemTxResult pci_dma_read(PCIDevice *dev, uint64_t addr, void *buf, uint64_t len);
MemTxResult pci_dma_write(PCIDevice *dev, uint64_t addr, const void *buf,
                          uint64_t len);

/* Little-endian fields of configuration space. */
uint16_t pci_get_word(const uint8_t *config);
uint32_t pci_get_long(const uint8_t *config);
void pci_set_word(uint8_t *config, uint16_t value);
void pci_set_long(uint8_t *config, uint32_t value);

/* ---- buses: for host bridges and PCI-to-PCI bridges ----------------------------- */

/* Where interrupts go and what hot plug does; @opaque is the bus's. */
typedef struct PCIBusOps {
    /* Which of the bus's wires the pin of a function leads to; NULL: the
     * (slot + pin) % 4 of a bridge. */
    unsigned (*map_irq)(void *opaque, const PCIDevice *dev, unsigned pin);
    /* One of the wires has changed: the level is the OR of all that lead there. */
    void (*set_irq)(void *opaque, unsigned wire, bool level);
} PCIBusOps;

/* Hot plug, by the device that tells the guest (ACPI). NULL ops: the bus has none. */
typedef struct PCIHotplugOps {
    /* @dev has come while the machine runs. */
    void (*plugged)(void *opaque, PCIDevice *dev);
    /* Ask the guest to give it up: pci_device_unplug() when it has. False with @err
     * where it cannot be asked. */
    bool (*unplug_request)(void *opaque, PCIDevice *dev, GError **err);
    /* @dev is being taken away, or the machine freed. */
    void (*unplugged)(void *opaque, PCIDevice *dev);
} PCIHotplugOps;

struct PCIBus {
    Object object;        /* "pci.0" below its host, ID of its bridge below that; who
                           * has made a root bus puts it there with object_add() */
    char *name;
    PCIDevice *parent;    /* the bridge; NULL: a root bus */
    PCIDevice *devices[PCI_DEVFNS]; /* NULL: nothing there */
    MemoryRegion *memory, *io; /* BARs are put in these */
    MemoryRegion *dma;    /* what masters see */
    const PCIBusOps *ops;
    void *opaque;
    unsigned irq_counts[PCI_PINS]; /* of functions that assert each wire */
    const PCIHotplugOps *hotplug; /* who gives them takes them back before it goes */
    void *hotplug_opaque;
};

/* Make @bus of no functions. The regions are the caller's and outlive it. With
 * @parent it is the bus behind that bridge, @ops may be NULL, and its wires lead to
 * the bridge's pins. */
void pci_bus_init(PCIBus *bus, const char *name, PCIDevice *parent,
                  const PCIBusOps *ops, void *opaque, MemoryRegion *memory,
                  MemoryRegion *io, MemoryRegion *dma);
void pci_bus_cleanup(PCIBus *bus); /* no functions on it any more */

/* The root bus's own number is 0; a bridge's is in its register. */
unsigned pci_bus_number(const PCIBus *bus);

/* The bus called @name (NULL: the root) below @root; NULL with @err that lists them. */
PCIBus *pci_bus_find(PCIBus *root, const char *name, GError **err);

/* The function that configuration accesses to @number and @devfn reach from @root,
 * through bridges; NULL: none, reads are all-ones. One that has come while the machine
 * runs is not there before function 0 of its slot is. */
PCIDevice *pci_find_function(PCIBus *root, unsigned number, unsigned devfn);

/* A configuration access as a host bridge makes it, of 1 to 4 bytes: @addr may be
 * anything; what is not aligned is cut. Where nothing is, all-ones. */
uint32_t pci_host_read(PCIBus *root, unsigned number, unsigned devfn, unsigned addr,
                       unsigned size);
void pci_host_write(PCIBus *root, unsigned number, unsigned devfn, unsigned addr,
                    uint32_t value, unsigned size);

/* Call @fn for every function on @bus, in the order of devfn. Not those behind
 * bridges. */
void pci_bus_foreach(PCIBus *bus, void (*fn)(PCIDevice *dev, void *opaque),
                     void *opaque);

/* The bus behind the bridge @dev; NULL: it is none. */
PCIBus *pci_bridge_bus(PCIDevice *dev);

/* Map the BARs of @dev again, as its registers say; after a change that is not a
 * write to its own configuration space. */
void pci_update_mappings(PCIDevice *dev);

/* The guest has given up @dev, or it needs not be asked: take out its slot, all of its
 * functions and first what is behind bridges among them, free them, and tell listeners
 * (VM_EVENT_DEVICE_DELETED). Not from a callback of theirs. */
void pci_device_unplug(PCIDevice *dev);

#endif
