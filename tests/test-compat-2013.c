/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code in the manner of 2013, which must go on compiling: each function of the
 * contract's list of signatures is assigned to a pointer of exactly that type,
 * and a small board with a device is written with them.
 */
#include <stdarg.h>
#include <string.h>

#include "test-util.h"

/* ---- every signature ------------------------------------------------------------ */

/* The access functions of 2013 returned nothing; a result may be added. */
#define SAME_BUT_FOR_RESULT(function, type)                                    \
    _Static_assert(__builtin_types_compatible_p(__typeof__(&function),         \
                                                void type) ||                  \
                       __builtin_types_compatible_p(__typeof__(&function),     \
                                                    MemTxResult type),         \
                   #function)

SAME_BUT_FOR_RESULT(address_space_rw,
                    (*)(AddressSpace *, hwaddr, uint8_t *, int, bool));
SAME_BUT_FOR_RESULT(address_space_write,
                    (*)(AddressSpace *, hwaddr, const uint8_t *, int));
SAME_BUT_FOR_RESULT(address_space_read,
                    (*)(AddressSpace *, hwaddr, uint8_t *, int));

START_TEST(test_signatures)
{
    void (*init)(MemoryRegion *, const char *, uint64_t) = memory_region_init;
    void (*init_io)(MemoryRegion *, const MemoryRegionOps *, void *,
                    const char *, uint64_t) = memory_region_init_io;
    void (*init_ram)(MemoryRegion *, const char *, uint64_t) =
        memory_region_init_ram;
    void (*init_ram_ptr)(MemoryRegion *, const char *, uint64_t, void *) =
        memory_region_init_ram_ptr;
    void (*init_alias)(MemoryRegion *, const char *, MemoryRegion *, hwaddr,
                       uint64_t) = memory_region_init_alias;
    void (*init_rom_device)(MemoryRegion *, const MemoryRegionOps *, void *,
                            const char *, uint64_t) =
        memory_region_init_rom_device;
    void (*init_reservation)(MemoryRegion *, const char *, uint64_t) =
        memory_region_init_reservation;
    void (*destroy)(MemoryRegion *) = memory_region_destroy;
    uint64_t (*size)(MemoryRegion *) = memory_region_size;
    bool (*is_ram)(MemoryRegion *) = memory_region_is_ram;
    bool (*is_romd)(MemoryRegion *) = memory_region_is_romd;
    bool (*is_rom)(MemoryRegion *) = memory_region_is_rom;
    const char *(*name)(MemoryRegion *) = memory_region_name;
    bool (*is_logging)(MemoryRegion *) = memory_region_is_logging;
    void *(*get_ram_ptr)(MemoryRegion *) = memory_region_get_ram_ptr;
    ram_addr_t (*get_ram_addr)(MemoryRegion *) = memory_region_get_ram_addr;
    void (*set_log)(MemoryRegion *, bool, unsigned) = memory_region_set_log;
    bool (*get_dirty)(MemoryRegion *, hwaddr, hwaddr, unsigned) =
        memory_region_get_dirty;
    void (*set_dirty)(MemoryRegion *, hwaddr, hwaddr) = memory_region_set_dirty;
    bool (*test_and_clear_dirty)(MemoryRegion *, hwaddr, hwaddr, unsigned) =
        memory_region_test_and_clear_dirty;
    void (*sync_dirty_bitmap)(MemoryRegion *) = memory_region_sync_dirty_bitmap;
    void (*reset_dirty)(MemoryRegion *, hwaddr, hwaddr, unsigned) =
        memory_region_reset_dirty;
    void (*set_readonly)(MemoryRegion *, bool) = memory_region_set_readonly;
    void (*set_readable)(MemoryRegion *, bool) =
        memory_region_rom_device_set_readable;
    void (*set_coalescing)(MemoryRegion *) = memory_region_set_coalescing;
    void (*add_coalescing)(MemoryRegion *, hwaddr, uint64_t) =
        memory_region_add_coalescing;
    void (*clear_coalescing)(MemoryRegion *) = memory_region_clear_coalescing;
    void (*set_flush_coalesced)(MemoryRegion *) =
        memory_region_set_flush_coalesced;
    void (*clear_flush_coalesced)(MemoryRegion *) =
        memory_region_clear_flush_coalesced;
    void (*add_eventfd)(MemoryRegion *, hwaddr, unsigned, bool, uint64_t,
                        EventNotifier *) = memory_region_add_eventfd;
    void (*del_eventfd)(MemoryRegion *, hwaddr, unsigned, bool, uint64_t,
                        EventNotifier *) = memory_region_del_eventfd;
    void (*add_subregion)(MemoryRegion *, hwaddr, MemoryRegion *) =
        memory_region_add_subregion;
    void (*add_subregion_overlap)(MemoryRegion *, hwaddr, MemoryRegion *, int) =
        memory_region_add_subregion_overlap;
    void (*del_subregion)(MemoryRegion *, MemoryRegion *) =
        memory_region_del_subregion;
    void (*set_enabled)(MemoryRegion *, bool) = memory_region_set_enabled;
    void (*set_address)(MemoryRegion *, hwaddr) = memory_region_set_address;
    void (*set_alias_offset)(MemoryRegion *, hwaddr) =
        memory_region_set_alias_offset;
    MemoryRegionSection (*find)(MemoryRegion *, hwaddr, uint64_t) =
        memory_region_find;
    hwaddr (*section_addr)(MemoryRegionSection *, hwaddr) =
        memory_region_section_addr;
    void (*global_sync)(MemoryRegion *) = memory_global_sync_dirty_bitmap;
    void (*begin)(void) = memory_region_transaction_begin;
    void (*commit)(void) = memory_region_transaction_commit;
    void (*listener_register)(MemoryListener *, AddressSpace *) =
        memory_listener_register;
    void (*listener_unregister)(MemoryListener *) = memory_listener_unregister;
    void (*log_start)(void) = memory_global_dirty_log_start;
    void (*log_stop)(void) = memory_global_dirty_log_stop;
    void (*info)(fprintf_function, void *) = mtree_info;
    void (*as_init)(AddressSpace *, MemoryRegion *) = address_space_init;
    void (*as_destroy)(AddressSpace *) = address_space_destroy;
    void *(*map)(AddressSpace *, hwaddr, hwaddr *, bool) = address_space_map;
    void (*unmap)(AddressSpace *, void *, hwaddr, int, hwaddr) =
        address_space_unmap;
    void *(*register_client)(void *, void (*)(void *)) = cpu_register_map_client;
    void (*unregister_client)(void *) = cpu_unregister_map_client;
    bool (*present)(MemoryRegion *, hwaddr) = memory_region_present;

    ck_assert(init && init_io && init_ram && init_ram_ptr && init_alias &&
              init_rom_device && init_reservation && destroy && size && is_ram &&
              is_romd && is_rom && name && is_logging && get_ram_ptr &&
              get_ram_addr && set_log && get_dirty && set_dirty &&
              test_and_clear_dirty && sync_dirty_bitmap && reset_dirty);
    ck_assert(set_readonly && set_readable && set_coalescing && add_coalescing &&
              clear_coalescing && set_flush_coalesced && clear_flush_coalesced &&
              add_eventfd && del_eventfd && add_subregion &&
              add_subregion_overlap && del_subregion && set_enabled &&
              set_address && set_alias_offset && find && section_addr);
    ck_assert(global_sync && begin && commit && listener_register &&
              listener_unregister && log_start && log_stop && info && as_init &&
              as_destroy && map && unmap && register_client &&
              unregister_client && present);
}
END_TEST

/* ---- a device of the time -------------------------------------------------------------- */

/* A timer chip with a control byte and a 32-bit count, ported half: registers
 * by ops, its older twin by old_mmio, its ports by a list. */
typedef struct TimerState {
    MemoryRegion iomem;
    MemoryRegion legacy;
    MemoryRegion ports;
    uint32_t count;
    uint8_t control;
} TimerState;

static uint64_t timer_read(void *opaque, hwaddr addr, unsigned size)
{
    TimerState *s = opaque;

    switch (addr) {
    case 0:
        return s->control;
    case 4:
        return s->count;
    default:
        return 0;
    }
}

static void timer_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    TimerState *s = opaque;

    switch (addr) {
    case 0:
        s->control = data;
        break;
    case 4:
        s->count = data;
        break;
    }
}

static const MemoryRegionOps timer_ops = {
    .read = timer_read,
    .write = timer_write,
    .endianness = DEVICE_NATIVE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 4,
    },
    .impl.min_access_size = 4,
};

static uint32_t legacy_readb(void *opaque, hwaddr addr)
{
    return 0xb0 + addr;
}

static uint32_t legacy_readw(void *opaque, hwaddr addr)
{
    return 0xa000 + addr;
}

static uint32_t legacy_readl(void *opaque, hwaddr addr)
{
    return timer_read(opaque, addr, 4);
}

static void legacy_writel(void *opaque, hwaddr addr, uint32_t value)
{
    timer_write(opaque, addr, value, 4);
}

static const MemoryRegionOps legacy_ops = {
    .old_mmio = {
        .read = { legacy_readb, legacy_readw, legacy_readl },
        .write = { legacy_writel, legacy_writel, legacy_writel },
    },
    .endianness = DEVICE_NATIVE_ENDIAN,
};

static uint32_t port_readb(void *opaque, uint32_t addr)
{
    return timer_read(opaque, 0, 1);
}

static void port_writeb(void *opaque, uint32_t addr, uint32_t data)
{
    timer_write(opaque, 0, data, 1);
}

static const MemoryRegionPortio timer_portio[] = {
    { 0x02, 1, 1, .read = port_readb, .write = port_writeb },
    { 0x03, 1, 1, .write = port_writeb },
    PORTIO_END_OF_LIST(),
};

static const MemoryRegionOps timer_port_ops = {
    .old_portio = timer_portio,
    .endianness = DEVICE_LITTLE_ENDIAN,
};

static void timer_init(TimerState *s, MemoryRegion *memory, MemoryRegion *io)
{
    memory_region_init_io(&s->iomem, &timer_ops, s, "timer", 0x1000);
    memory_region_init_io(&s->legacy, &legacy_ops, s, "timer-old", 0x100);
    memory_region_init_io(&s->ports, &timer_port_ops, s, "timer-io", 8);
    memory_region_add_subregion(memory, 0xfed00000, &s->iomem);
    memory_region_add_subregion(memory, 0xfec00000, &s->legacy);
    memory_region_add_subregion(io, 0x40, &s->ports);
}

static void timer_exit(TimerState *s, MemoryRegion *memory, MemoryRegion *io)
{
    memory_region_del_subregion(memory, &s->iomem);
    memory_region_del_subregion(memory, &s->legacy);
    memory_region_del_subregion(io, &s->ports);
    memory_region_destroy(&s->iomem);
    memory_region_destroy(&s->legacy);
    memory_region_destroy(&s->ports);
}

/* ---- a board, a listener ------------------------------------------------------------------- */

typedef struct PCState {
    MemoryRegion memory, io, ram, ram_below_4g, ram_above_4g, bios;
    AddressSpace as_memory, as_io;
    TimerState timer;
} PCState;

static void pc_init(PCState *pc, ram_addr_t below, ram_addr_t above)
{
    memory_region_init(&pc->memory, "system", INT64_MAX);
    memory_region_init(&pc->io, "io", 65536);
    address_space_init(&pc->as_memory, &pc->memory);
    address_space_init(&pc->as_io, &pc->io);
    memory_region_init_ram(&pc->ram, "pc.ram", below + above);
    memory_region_init_alias(&pc->ram_below_4g, "ram-below-4g", &pc->ram, 0,
                             below);
    memory_region_add_subregion(&pc->memory, 0, &pc->ram_below_4g);
    memory_region_init_alias(&pc->ram_above_4g, "ram-above-4g", &pc->ram, below,
                             above);
    memory_region_add_subregion(&pc->memory, 0x100000000ULL, &pc->ram_above_4g);
    memory_region_init_ram(&pc->bios, "pc.bios", 0x10000);
    memory_region_set_readonly(&pc->bios, true);
    memory_region_add_subregion_overlap(&pc->memory, 0xf0000, &pc->bios, 1);
    timer_init(&pc->timer, &pc->memory, &pc->io);
}

static void pc_exit(PCState *pc)
{
    timer_exit(&pc->timer, &pc->memory, &pc->io);
    memory_region_del_subregion(&pc->memory, &pc->ram_below_4g);
    memory_region_del_subregion(&pc->memory, &pc->ram_above_4g);
    memory_region_del_subregion(&pc->memory, &pc->bios);
    address_space_destroy(&pc->as_memory);
    address_space_destroy(&pc->as_io);
    memory_region_destroy(&pc->ram_below_4g);
    memory_region_destroy(&pc->ram_above_4g);
    memory_region_destroy(&pc->ram);
    memory_region_destroy(&pc->bios);
    memory_region_destroy(&pc->memory);
    memory_region_destroy(&pc->io);
}

static unsigned sections;

static void count_add(MemoryListener *listener, MemoryRegionSection *section)
{
    sections += memory_region_is_ram(section->mr) && section->size > 0 &&
                section->offset_within_region + section->size <=
                    memory_region_size(section->mr);
}

static void count_del(MemoryListener *listener, MemoryRegionSection *section)
{
    sections -= memory_region_is_ram(section->mr);
}

static int print(FILE *f, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vfprintf(f, fmt, ap);
    va_end(ap);
    return n;
}

START_TEST(test_board)
{
    MemoryListener counter = {
        .region_add = count_add,
        .region_del = count_del,
        .priority = 10,
    };
    PCState pc = { 0 };
    uint8_t buf[8] = { 1, 2, 3, 4 };
    char *text = NULL;
    size_t length;
    FILE *f;

    pc_init(&pc, 0x1000000, 0x800000);
    memory_listener_register(&counter, &pc.as_memory);
    ck_assert_uint_eq(sections, 4);

    address_space_rw(&pc.as_memory, 0x1000, buf, 4, 1);
    address_space_write(&pc.as_memory, 0x100000000ULL, buf, 4);
    address_space_write(&pc.as_memory, 0xf0000, buf, 4);
    memset(buf, 0, 4);
    address_space_rw(&pc.as_memory, 0x1000, buf, 4, 0);
    ck_assert_uint_eq(buf[3], 4);
    address_space_read(&pc.as_memory, 0x100000000ULL, buf, 4);
    ck_assert_uint_eq(buf[2], 3);
    address_space_read(&pc.as_memory, 0xf0000, buf, 4);
    ck_assert_uint_eq(buf[0], 0);

    store(&pc.as_memory, 0xfed00004, 4, 0xcafe1234, MEMTX_OK);
    expect_hex(load(&pc.as_memory, 0xfed00004, 4, MEMTX_OK), 0xcafe1234);
    expect_hex(load(&pc.as_memory, 0xfed00006, 2, MEMTX_OK), 0xcafe);
    expect_hex(load(&pc.as_memory, 0xfed00005, 1, MEMTX_OK), 0x12);
    load(&pc.as_memory, 0xfed00000, 8, MEMTX_DECODE_ERROR);
    expect_hex(load(&pc.as_memory, 0xfec00004, 4, MEMTX_OK), 0xcafe1234);
    expect_hex(load(&pc.as_memory, 0xfec00002, 1, MEMTX_OK), 0xb2);
    expect_hex(load(&pc.as_memory, 0xfec00002, 2, MEMTX_OK), 0xa002);
    store(&pc.as_io, 0x42, 1, 0x36, MEMTX_OK);
    expect_hex(load(&pc.as_io, 0x42, 1, MEMTX_OK), 0x36);
    load(&pc.as_io, 0x43, 1, MEMTX_DECODE_ERROR);
    store(&pc.as_io, 0x43, 1, 0x37, MEMTX_OK);
    ck_assert_uint_eq(pc.timer.control, 0x37);

    f = open_memstream(&text, &length);
    mtree_info(print, f);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(text, "ram-below-4g"));
    ck_assert_ptr_nonnull(strstr(text, "timer-io"));
    free(text);

    memory_listener_unregister(&counter);
    ck_assert_uint_eq(sections, 0);
    pc_exit(&pc);
}
END_TEST

TEST_MAIN("compat-2013", test_signatures, test_board)
