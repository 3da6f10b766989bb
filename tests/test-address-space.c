/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses through an address space: transfers, loads and stores, results and
 * attributes, what is not there, and devices that reach themselves. Mapping is
 * in tests/test-map.c, the matrix of widths in tests/test-access.c.
 */
#include <string.h>

#include "memory-internal.h"
#include "test-util.h"

#define ATTRS ((MemTxAttrs){ 0 })

static uint8_t memory[8 * 4096] __attribute__((aligned(4096)));

static const MemoryRegionOps words_ops = {
    .read_with_attrs = io_device_read,
    .write_with_attrs = io_device_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* RAM at 0x1000-0x2fff, ROM at 0x3000, a device at 0x4000-0x40ff, nothing up
 * to 0x5000, then a device of 4-byte registers only. */
typedef struct Bus {
    World w;
    MemoryRegion ram, rom;
    IoDevice dev, words;
} Bus;

static void bus_init(Bus *b)
{
    world_init(&b->w);
    content_fill(memory, 1, 0, sizeof(memory));
    memory_region_init_ram_ptr(&b->ram, "ram", 0x2000, memory);
    memory_region_init_rom(&b->rom, "rom", 0x1000);
    content_fill(memory_region_get_ram_ptr(&b->rom), 2, 0, 0x1000);
    io_device_init(&b->dev, 3, "dev", 0x100);
    b->words = (IoDevice){ .id = 4 };
    memory_region_init_io(&b->words.mr, &words_ops, &b->words, "words", 0x100);
    memory_region_add_subregion(&b->w.root, 0x1000, &b->ram);
    memory_region_add_subregion(&b->w.root, 0x3000, &b->rom);
    memory_region_add_subregion(&b->w.root, 0x4000, &b->dev.mr);
    memory_region_add_subregion(&b->w.root, 0x5000, &b->words.mr);
}

static void bus_destroy(Bus *b)
{
    memory_region_del_subregion(&b->w.root, &b->ram);
    memory_region_del_subregion(&b->w.root, &b->rom);
    memory_region_del_subregion(&b->w.root, &b->dev.mr);
    memory_region_del_subregion(&b->w.root, &b->words.mr);
    memory_region_destroy(&b->ram);
    memory_region_destroy(&b->rom);
    memory_region_destroy(&b->dev.mr);
    memory_region_destroy(&b->words.mr);
    world_destroy(&b->w);
}

static void expect_content(const uint8_t *buf, unsigned id, hwaddr offset,
                           size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        expect(buf[i] == content_byte(id, offset + i),
               "byte %zu is %02x, not that of %u at 0x%" PRIx64, i, buf[i], id,
               offset + i);
    }
}

static void expect_ones(const uint8_t *buf, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        expect(buf[i] == 0xff, "byte %zu is %02x", i, buf[i]);
    }
}

/* ---- transfers ------------------------------------------------------------------ */

START_TEST(test_ram)
{
    Bus b;
    uint8_t buf[0x2000], data[300];
    unsigned len;

    bus_init(&b);
    for (len = 0; len < 100; len++) {
        memset(buf, 0, sizeof(buf));
        ck_assert_uint_eq(address_space_read(&b.w.as, 0x1003, buf, len),
                          MEMTX_OK);
        expect_content(buf, 1, 3, len);
        expect(buf[len] == 0, "%u bytes read too many", len);
    }
    ck_assert_uint_eq(address_space_rw(&b.w.as, 0x1000, buf, 0x2000, false),
                      MEMTX_OK);
    expect_content(buf, 1, 0, 0x2000);
    memset(data, 0xaa, sizeof(data));
    ck_assert_uint_eq(address_space_write(&b.w.as, 0x1f80, data, 257), MEMTX_OK);
    expect_content(memory, 1, 0, 0xf80);
    ck_assert_mem_eq(memory + 0xf80, data, 257);
    expect_content(memory + 0xf80 + 257, 1, 0xf80 + 257, 0x1000 - 257 + 0x80);
    memset(data, 0xbb, sizeof(data));
    ck_assert_uint_eq(address_space_rw(&b.w.as, 0x1000, data, 3, true), MEMTX_OK);
    ck_assert_mem_eq(memory, data, 3);
    ck_assert_uint_eq(memory[3], content_byte(1, 3));
    bus_destroy(&b);
}
END_TEST

/* Not one byte more is touched, whatever the length says. */
START_TEST(test_no_length)
{
    Bus b;
    uint8_t byte = 0x5a;

    bus_init(&b);
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x9000, &byte, 0), MEMTX_OK);
    ck_assert_uint_eq(address_space_write(&b.w.as, 0x1000, &byte, 0), MEMTX_OK);
    ck_assert_uint_eq(address_space_rw(&b.w.as, 0x1000, &byte, -1, false),
                      MEMTX_OK);
    ck_assert_uint_eq(byte, 0x5a);
    ck_assert_uint_eq(memory[0], content_byte(1, 0));
    bus_destroy(&b);
}
END_TEST

/* Cut at the borders; every piece is tried, the results are or-ed. */
START_TEST(test_across_regions)
{
    Bus b;
    uint8_t buf[0x4200];

    bus_init(&b);
    memset(buf, 0, sizeof(buf));
    ck_assert_uint_eq(address_space_read(&b.w.as, 0xf00, buf, 0x4200),
                      MEMTX_DECODE_ERROR);
    expect_ones(buf, 0x100);
    expect_content(buf + 0x100, 1, 0, 0x2000);
    expect_content(buf + 0x2100, 2, 0, 0x1000);
    expect_content(buf + 0x3100, 3, 0, 0x100);
    expect_ones(buf + 0x3200, 0xf00);
    expect_content(buf + 0x4100, 4, 0, 0x100);
    b.dev.nr_calls = b.words.nr_calls = 0;

    memset(buf, 0x11, sizeof(buf));
    ck_assert_uint_eq(address_space_write(&b.w.as, 0x2ffe, buf, 0x1010),
                      MEMTX_ACCESS_ERROR);
    ck_assert_uint_eq(memory[0x1ffe], 0x11);
    ck_assert_uint_eq(memory[0x1fff], 0x11);
    expect_content(memory_region_get_ram_ptr(&b.rom), 2, 0, 0x1000);
    io_expect(&b.dev, "w 0/8=1111111111111111", "w 8/4=11111111", "w c/2=1111",
              NULL);
    ck_assert_uint_eq(address_space_write(&b.w.as, 0x3ffc, buf, 0x1004),
                      MEMTX_ACCESS_ERROR | MEMTX_DECODE_ERROR);
    io_expect(&b.words, NULL);
    bus_destroy(&b);
}
END_TEST

/* Two bytes on each side of a border. */
START_TEST(test_word_across_regions)
{
    Bus b;

    bus_init(&b);
    expect_hex(load(&b.w.as, 0x2ffe, 4, MEMTX_OK),
               content_value(1, 0x1ffe, 2) | content_value(2, 0, 2) << 16);
    expect_hex(load(&b.w.as, 0x3ffe, 4, MEMTX_OK),
               content_value(2, 0xffe, 2) | content_value(3, 0, 2) << 16);
    io_expect(&b.dev, "r 0/2", NULL);
    /* Failed in part: of no value at all. */
    expect_hex(load(&b.w.as, 0x40fd, 8, MEMTX_DECODE_ERROR), UINT64_MAX);
    io_expect(&b.dev, "r fd/1", "r fe/2", NULL);
    store(&b.w.as, 0x3ffd, 8, 0x8877665544332211, MEMTX_ACCESS_ERROR);
    io_expect(&b.dev, "w 0/4=77665544", "w 4/1=88", NULL);
    store(&b.w.as, 0xffd, 4, 0x44332211, MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(memory[0], 0x44);
    ck_assert_uint_eq(memory[1], content_byte(1, 1));
    bus_destroy(&b);
}
END_TEST

/* A transfer of a register's width is one access, or fails as a whole; any
 * other length is cut into the widest aligned pieces. */
START_TEST(test_blocks)
{
    Bus b;
    uint8_t buf[32];

    bus_init(&b);
    memset(buf, 0x22, sizeof(buf));
    address_space_read(&b.w.as, 0x4001, buf, 8);
    address_space_read(&b.w.as, 0x4001, buf, 4);
    address_space_read(&b.w.as, 0x4003, buf, 2);
    io_expect(&b.dev, "r 1/8", "r 1/4", "r 3/2", NULL);
    address_space_read(&b.w.as, 0x4001, buf, 7);
    io_expect(&b.dev, "r 1/1", "r 2/2", "r 4/4", NULL);
    expect_content(buf, 3, 1, 7);
    address_space_read(&b.w.as, 0x4004, buf, 23);
    io_expect(&b.dev, "r 4/4", "r 8/8", "r 10/8", "r 18/2", "r 1a/1", NULL);
    expect_content(buf, 3, 4, 23);
    address_space_write(&b.w.as, 0x4000, buf, 3);
    ck_assert_uint_eq(b.dev.nr_calls, 2);
    b.dev.nr_calls = 0;

    ck_assert_uint_eq(address_space_read(&b.w.as, 0x5000, buf, 8),
                      MEMTX_DECODE_ERROR);
    expect_ones(buf, 8);
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x5000, buf, 2),
                      MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x5002, buf, 4),
                      MEMTX_DECODE_ERROR);
    io_expect(&b.words, NULL);
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x5004, buf, 12), MEMTX_OK);
    io_expect(&b.words, "r 4/4", "r 8/4", "r c/4", NULL);
    expect_content(buf, 4, 4, 12);
    /* The ragged end is tried, and fails, by itself. */
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x5004, buf, 6),
                      MEMTX_DECODE_ERROR);
    io_expect(&b.words, "r 4/4", NULL);
    expect_content(buf, 4, 4, 4);
    expect_ones(buf + 4, 2);
    bus_destroy(&b);
}
END_TEST

START_TEST(test_wrap)
{
    World w;
    IoDevice low, high;
    MemoryRegion ram;
    uint8_t buf[16];

    world_init(&w);
    io_device_init(&low, 1, "low", 0x10);
    io_device_init(&high, 2, "high", 0x10);
    memory_region_add_subregion(&w.root, 0, &low.mr);
    memory_region_add_subregion(&w.root, -(hwaddr)0x10, &high.mr);
    ck_assert_uint_eq(address_space_read(&w.as, -(hwaddr)3, buf, 8), MEMTX_OK);
    expect_content(buf, 2, 0xd, 3);
    expect_content(buf + 3, 1, 0, 5);
    expect_hex(load(&w.as, UINT64_MAX, 2, MEMTX_OK),
               content_byte(2, 0xf) | content_byte(1, 0) << 8);
    low.nr_calls = high.nr_calls = 0;
    store(&w.as, UINT64_MAX - 1, 4, 0x44332211, MEMTX_OK);
    io_expect(&high, "w e/2=2211", NULL);
    io_expect(&low, "w 0/2=4433", NULL);
    memory_region_del_subregion(&w.root, &low.mr);
    memory_region_del_subregion(&w.root, &high.mr);

    memory_region_init_ram_ptr(&ram, "ram", 8, memory);
    memory_region_add_subregion(&w.root, -(hwaddr)8, &ram);
    content_fill(memory, 1, 0, 8);
    ck_assert_uint_eq(address_space_read(&w.as, -(hwaddr)9, buf, 10),
                      MEMTX_DECODE_ERROR);
    expect_ones(buf, 1);
    expect_content(buf + 1, 1, 0, 8);
    expect_ones(buf + 9, 1);
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    memory_region_destroy(&low.mr);
    memory_region_destroy(&high.mr);
    world_destroy(&w);
}
END_TEST

/* ---- loads and stores ------------------------------------------------------------------ */

START_TEST(test_ld_st)
{
    static const uint8_t bytes[] = { 0x11, 0x22, 0x33, 0x44,
                                     0x55, 0x66, 0x77, 0x88 };
    Bus b;
    AddressSpace *as = &b.w.as;
    MemTxResult result;

    bus_init(&b);
    memcpy(memory + 1, bytes, 8);
#define EXPECT_LD(name, value)                                                 \
    do {                                                                       \
        result = ~0u;                                                          \
        expect_hex(address_space_##name(as, 0x1001, ATTRS, &result), value);   \
        ck_assert_uint_eq(result, MEMTX_OK);                                   \
        expect_hex(address_space_##name(as, 0x1001, ATTRS, NULL), value);      \
    } while (0)
    EXPECT_LD(ldub, 0x11);
    EXPECT_LD(lduw, 0x2211);
    EXPECT_LD(lduw_le, 0x2211);
    EXPECT_LD(lduw_be, 0x1122);
    EXPECT_LD(ldl, 0x44332211);
    EXPECT_LD(ldl_le, 0x44332211);
    EXPECT_LD(ldl_be, 0x11223344);
    EXPECT_LD(ldq, 0x8877665544332211);
    EXPECT_LD(ldq_le, 0x8877665544332211);
    EXPECT_LD(ldq_be, 0x1122334455667788);

#define EXPECT_ST(name, size, value, ...)                                      \
    do {                                                                       \
        static const uint8_t wanted[] = { __VA_ARGS__ };                       \
        memset(memory, 0, 16);                                                 \
        result = ~0u;                                                          \
        address_space_##name(as, 0x1003, value, ATTRS, &result);               \
        ck_assert_uint_eq(result, MEMTX_OK);                                   \
        ck_assert_mem_eq(memory + 3, wanted, size);                            \
        ck_assert_uint_eq(memory[2], 0);                                       \
        ck_assert_uint_eq(memory[3 + size], 0);                                \
        address_space_##name(as, 0x1003, value, ATTRS, NULL);                  \
    } while (0)
    EXPECT_ST(stb, 1, 0x11, 0x11);
    EXPECT_ST(stw, 2, 0x2211, 0x11, 0x22);
    EXPECT_ST(stw_le, 2, 0x2211, 0x11, 0x22);
    EXPECT_ST(stw_be, 2, 0x2211, 0x22, 0x11);
    EXPECT_ST(stl, 4, 0x44332211, 0x11, 0x22, 0x33, 0x44);
    EXPECT_ST(stl_le, 4, 0x44332211, 0x11, 0x22, 0x33, 0x44);
    EXPECT_ST(stl_be, 4, 0x44332211, 0x44, 0x33, 0x22, 0x11);
    EXPECT_ST(stq, 8, 0x8877665544332211, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
              0x77, 0x88);
    EXPECT_ST(stq_le, 8, 0x8877665544332211, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
              0x77, 0x88);
    EXPECT_ST(stq_be, 8, 0x8877665544332211, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33,
              0x22, 0x11);

    /* To a device the value in its byte order. */
    address_space_stl_be(as, 0x4008, 0x11223344, ATTRS, NULL);
    address_space_stw_le(as, 0x4008, 0x1122, ATTRS, NULL);
    io_expect(&b.dev, "w 8/4=44332211", "w 8/2=1122", NULL);
    expect_hex(address_space_ldl_be(as, 0x4008, ATTRS, NULL),
               GUINT32_SWAP_LE_BE((uint32_t)content_value(3, 8, 4)));
    bus_destroy(&b);
}
END_TEST

START_TEST(test_failed_loads)
{
    static const hwaddr bad[] = { 0x8000, 0x5002 };
    Bus b;
    AddressSpace *as = &b.w.as;
    MemTxResult result;
    unsigned i;

    bus_init(&b);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
#define EXPECT_FAILED(name, value)                                             \
        do {                                                                   \
            result = MEMTX_OK;                                                 \
            expect_hex(address_space_##name(as, bad[i], ATTRS, &result),       \
                       value);                                                 \
            ck_assert_uint_eq(result, MEMTX_DECODE_ERROR);                     \
        } while (0)
        EXPECT_FAILED(ldub, UINT8_MAX);
        EXPECT_FAILED(lduw_be, UINT16_MAX);
        EXPECT_FAILED(lduw, UINT16_MAX);
        EXPECT_FAILED(ldl, UINT32_MAX);
        EXPECT_FAILED(ldl_be, UINT32_MAX);
        EXPECT_FAILED(ldq_le, UINT64_MAX);
        EXPECT_FAILED(ldq_be, UINT64_MAX);
    }
    result = MEMTX_OK;
    address_space_stl(as, 0x8000, 1, ATTRS, &result);
    ck_assert_uint_eq(result, MEMTX_DECODE_ERROR);
    address_space_stl(as, 0x3000, 1, ATTRS, &result);
    ck_assert_uint_eq(result, MEMTX_ACCESS_ERROR);
    address_space_stl(as, 0x1000, 1, ATTRS, &result);
    ck_assert_uint_eq(result, MEMTX_OK);
    bus_destroy(&b);
}
END_TEST

/* ---- attributes and results ---------------------------------------------------------------- */

START_TEST(test_attributes)
{
    MemTxAttrs attrs = { .secure = 1, .user = 1, .requester_id = 0xbdf0 };
    Bus b;
    uint32_t value = 0;
    unsigned i;

    bus_init(&b);
    address_space_rw_attrs(&b.w.as, 0x4000, attrs, &value, 4, true);
    address_space_rw_attrs(&b.w.as, 0x4000, attrs, &value, 4, false);
    address_space_stw(&b.w.as, 0x4000, 1, attrs, NULL);
    address_space_ldq(&b.w.as, 0x4000, attrs, NULL);
    address_space_rw_attrs(&b.w.as, 0x4001, attrs, &value, 3, false);
    ck_assert_uint_eq(b.dev.nr_calls, 6);
    for (i = 0; i < b.dev.nr_calls; i++) {
        MemTxAttrs *got = &b.dev.calls[i].attrs;

        ck_assert(got->secure && got->user && !got->unspecified);
        ck_assert_uint_eq(got->requester_id, 0xbdf0);
    }
    b.dev.nr_calls = 0;
    address_space_ldl(&b.w.as, 0x4000, ATTRS, NULL);
    ck_assert(!b.dev.calls[0].attrs.secure && !b.dev.calls[0].attrs.user &&
              !b.dev.calls[0].attrs.unspecified &&
              !b.dev.calls[0].attrs.requester_id);
    bus_destroy(&b);
}
END_TEST

START_TEST(test_device_error)
{
    Bus b;
    uint8_t buf[12];

    bus_init(&b);
    b.dev.result = MEMTX_ERROR;
    expect_hex(load(&b.w.as, 0x4000, 4, MEMTX_ERROR), UINT32_MAX);
    store(&b.w.as, 0x4000, 4, 1, MEMTX_ERROR);
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x40f8, buf, 12),
                      MEMTX_ERROR | MEMTX_DECODE_ERROR);
    expect_ones(buf, 12);
    io_expect(&b.dev, "r 0/4", "w 0/4=1", "r f8/8", NULL);
    bus_destroy(&b);
}
END_TEST

START_TEST(test_rom)
{
    Bus b;

    bus_init(&b);
    expect_hex(load(&b.w.as, 0x3010, 8, MEMTX_OK), content_value(2, 0x10, 8));
    store(&b.w.as, 0x3010, 1, 0, MEMTX_ACCESS_ERROR);
    store(&b.w.as, 0x3010, 2, 0, MEMTX_ACCESS_ERROR);
    store(&b.w.as, 0x3010, 4, 0, MEMTX_ACCESS_ERROR);
    store(&b.w.as, 0x3010, 8, 0, MEMTX_ACCESS_ERROR);
    expect_hex(load(&b.w.as, 0x3010, 8, MEMTX_OK), content_value(2, 0x10, 8));
    bus_destroy(&b);
}
END_TEST

START_TEST(test_write_rom)
{
    Bus b;
    IoDevice romd_dev = { .id = 6 };
    MemoryRegion romd;
    uint8_t data[0x1200];

    bus_init(&b);
    memory_region_init_rom_device(&romd, &io_device_ops, &romd_dev, "romd",
                                  0x100);
    memory_region_add_subregion(&b.w.root, 0x4f00, &romd);
    content_fill(data, 9, 0, sizeof(data));
    ck_assert_uint_eq(address_space_write_rom(&b.w.as, 0x2f00, data, 0x1100),
                      MEMTX_OK);
    expect_content(memory + 0x1f00, 9, 0, 0x100);
    expect_content(memory_region_get_ram_ptr(&b.rom), 9, 0x100, 0x1000);
    /* Past what has no memory of its own, and no device is bothered. */
    ck_assert_uint_eq(address_space_write_rom(&b.w.as, 0x3ff8, data, 0x1100),
                      MEMTX_DECODE_ERROR);
    expect_content((uint8_t *)memory_region_get_ram_ptr(&b.rom) + 0xff8, 9, 0, 8);
    expect_content(memory_region_get_ram_ptr(&romd), 9, 0xf08, 0x100);
    io_expect(&b.dev, NULL);
    io_expect(&b.words, NULL);
    io_expect(&romd_dev, NULL);
    memory_region_rom_device_set_readable(&romd, false);
    ck_assert_uint_eq(address_space_write_rom(&b.w.as, 0x4f00, data, 0x100),
                      MEMTX_OK);
    expect_content(memory_region_get_ram_ptr(&romd), 9, 0, 0x100);
    io_expect(&romd_dev, NULL);
    ck_assert_uint_eq(address_space_write_rom(&b.w.as, UINT64_MAX, data, 2),
                      MEMTX_DECODE_ERROR);
    memory_region_del_subregion(&b.w.root, &romd);
    memory_region_destroy(&romd);
    bus_destroy(&b);
}
END_TEST

/* ---- what is not there ------------------------------------------------------------------------ */

typedef struct Unassigned {
    unsigned nr;
    AddressSpace *as;
    hwaddr addr;
    unsigned size;
    bool is_write;
    bool locked;
} Unassigned;

static void on_unassigned(AddressSpace *as, hwaddr addr, unsigned size,
                          bool is_write, void *opaque)
{
    Unassigned *u = opaque;

    *u = (Unassigned){ u->nr + 1, as, addr, size, is_write, memory_lock_held() };
}

START_TEST(test_unassigned)
{
    Bus b;
    Unassigned u = { 0 };
    uint8_t buf[64];

    bus_init(&b);
    memory_set_unassigned_handler(on_unassigned, &u);
    expect_hex(load(&b.w.as, 0x8004, 2, MEMTX_DECODE_ERROR), UINT16_MAX);
    ck_assert_uint_eq(u.nr, 1);
    ck_assert_ptr_eq(u.as, &b.w.as);
    expect_hex(u.addr, 0x8004);
    ck_assert_uint_eq(u.size, 2);
    ck_assert(!u.is_write && !u.locked);
    store(&b.w.as, UINT64_MAX, 1, 3, MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(u.nr, 2);
    expect_hex(u.addr, UINT64_MAX);
    ck_assert_uint_eq(u.size, 1);
    ck_assert(u.is_write);
    address_space_read(&b.w.as, 0x8000, buf, 64);
    ck_assert_uint_eq(u.size, 8);
    expect_ones(buf, 64);
    /* The part of an access that meets nothing. */
    u.nr = 0;
    address_space_read(&b.w.as, 0xffc, buf, 8);
    ck_assert_uint_eq(u.nr, 1);
    expect_hex(u.addr, 0xffc);
    ck_assert_uint_eq(u.size, 4);
    /* Nothing of what answers, even if it fails. */
    u.nr = 0;
    load(&b.w.as, 0x1000, 8, MEMTX_OK);
    load(&b.w.as, 0x5002, 4, MEMTX_DECODE_ERROR);
    store(&b.w.as, 0x3000, 4, 0, MEMTX_ACCESS_ERROR);
    ck_assert_uint_eq(u.nr, 0);
    memory_set_unassigned_handler(NULL, NULL);
    load(&b.w.as, 0x8004, 2, MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(u.nr, 0);
    bus_destroy(&b);
}
END_TEST

static unsigned reports;
static char report[200];

static void on_log(const char *domain, GLogLevelFlags level, const char *message,
                   void *opaque)
{
    reports++;
    g_strlcpy(report, message, sizeof(report));
}

/* Reported once, with the name; never fatal. */
START_TEST(test_reservation)
{
    World w;
    MemoryRegion reservation, below;

    world_init(&w);
    g_log_set_default_handler(on_log, NULL);
    memory_region_init_reservation(&reservation, "apic-page", 0x1000);
    memory_region_init_ram_ptr(&below, "ram", 0x1000, memory);
    memory_region_add_subregion(&w.root, 0, &below);
    memory_region_add_subregion_overlap(&w.root, 0, &reservation, 1);
    recorder_expect_map(w.r, "apic-page 0-fff @0", NULL);
    expect_hex(load(&w.as, 0x20, 4, MEMTX_DECODE_ERROR), UINT32_MAX);
    ck_assert_uint_eq(reports, 1);
    ck_assert_ptr_nonnull(strstr(report, "apic-page"));
    store(&w.as, 0x20, 4, 1, MEMTX_DECODE_ERROR);
    load(&w.as, 0x24, 1, MEMTX_DECODE_ERROR);
    ck_assert_uint_eq(reports, 1);
    memory_region_del_subregion(&w.root, &reservation);
    memory_region_del_subregion(&w.root, &below);
    memory_region_destroy(&reservation);
    memory_region_destroy(&below);
    world_destroy(&w);
}
END_TEST

/* ---- devices that reach themselves ---------------------------------------------------------------- */

typedef struct Dma {
    AddressSpace *as;
    hwaddr addr;
    bool is_write;
    MemTxResult result;
    uint32_t value;
    unsigned depth, deepest;
} Dma;

static void do_dma(IoDevice *dev, const IoCall *call)
{
    Dma *dma = dev->hook_opaque;

    dma->depth++;
    dma->deepest = MAX(dma->deepest, dma->depth);
    expect(dma->depth < 5, "endless recursion");
    dma->result = address_space_rw(dma->as, dma->addr, (uint8_t *)&dma->value, 4,
                                   dma->is_write);
    dma->depth--;
}

START_TEST(test_reentry)
{
    Bus b;
    Dma dma = { .is_write = true };

    bus_init(&b);
    dma.as = &b.w.as;
    b.dev.hook = do_dma;
    b.dev.hook_opaque = &dma;

    dma.addr = 0x4010;
    store(&b.w.as, 0x4000, 4, 1, MEMTX_OK);
    ck_assert_uint_eq(dma.result, MEMTX_ACCESS_ERROR);
    ck_assert_uint_eq(dma.deepest, 1);
    io_expect(&b.dev, "w 0/4=1", NULL);

    dma.is_write = false;
    load(&b.w.as, 0x4000, 4, MEMTX_OK);
    ck_assert_uint_eq(dma.result, MEMTX_ACCESS_ERROR);
    expect_hex(dma.value, UINT32_MAX);
    io_expect(&b.dev, "r 0/4", NULL);

    /* RAM, ROM and other devices it may reach. */
    dma.addr = 0x1000;
    load(&b.w.as, 0x4000, 4, MEMTX_OK);
    ck_assert_uint_eq(dma.result, MEMTX_OK);
    expect_hex(dma.value, content_value(1, 0, 4));
    dma.addr = 0x3000;
    load(&b.w.as, 0x4000, 4, MEMTX_OK);
    ck_assert_uint_eq(dma.result, MEMTX_OK);
    dma.addr = 0x5000;
    load(&b.w.as, 0x4000, 4, MEMTX_OK);
    ck_assert_uint_eq(dma.result, MEMTX_OK);
    expect_hex(dma.value, content_value(4, 0, 4));
    dma.addr = 0x8000;
    load(&b.w.as, 0x4000, 4, MEMTX_OK);
    ck_assert_uint_eq(dma.result, MEMTX_DECODE_ERROR);
    /* And it is not locked out afterwards. */
    b.dev.hook = NULL;
    load(&b.w.as, 0x4010, 4, MEMTX_OK);
    bus_destroy(&b);
}
END_TEST

/* By way of another device, and with a guard shared by two regions. */
START_TEST(test_reentry_around)
{
    MemoryReentrancyGuard guard = { 0 };
    Bus b;
    Dma there, back;
    IoDevice sibling;

    bus_init(&b);
    there = (Dma){ .as = &b.w.as, .addr = 0x5000, .is_write = true };
    back = (Dma){ .as = &b.w.as, .addr = 0x4020, .is_write = true };
    b.dev.hook = do_dma;
    b.dev.hook_opaque = &there;
    b.words.hook = do_dma;
    b.words.hook_opaque = &back;
    store(&b.w.as, 0x4000, 4, 1, MEMTX_OK);
    ck_assert_uint_eq(there.result, MEMTX_OK);
    ck_assert_uint_eq(back.result, MEMTX_ACCESS_ERROR);
    ck_assert_uint_eq(b.dev.nr_calls, 1);
    ck_assert_uint_eq(b.words.nr_calls, 1);
    b.words.hook = NULL;
    b.dev.hook = NULL;

    io_device_init(&sibling, 8, "sibling", 0x100);
    memory_region_set_guard(&sibling.mr, &guard);
    memory_region_add_subregion(&b.w.root, 0x6000, &sibling.mr);
    sibling.hook = do_dma;
    sibling.hook_opaque = &there;
    there.addr = 0x6010;
    store(&b.w.as, 0x6000, 4, 1, MEMTX_OK);
    ck_assert_uint_eq(there.result, MEMTX_ACCESS_ERROR);
    there.addr = 0x4000;
    store(&b.w.as, 0x6000, 4, 1, MEMTX_OK);
    ck_assert_uint_eq(there.result, MEMTX_OK);
    memory_region_del_subregion(&b.w.root, &b.dev.mr);
    memory_region_set_guard(&b.dev.mr, &guard);
    memory_region_add_subregion(&b.w.root, 0x4000, &b.dev.mr);
    store(&b.w.as, 0x6000, 4, 1, MEMTX_OK);
    ck_assert_uint_eq(there.result, MEMTX_ACCESS_ERROR);
    memory_region_del_subregion(&b.w.root, &sibling.mr);
    memory_region_destroy(&sibling.mr);
    bus_destroy(&b);
}
END_TEST

/* A callback that moves its own region away, in the middle of a block. */
static void move_away(IoDevice *dev, const IoCall *call)
{
    memory_region_set_address(&dev->mr, 0x8000);
}

START_TEST(test_map_changed_by_callback)
{
    Bus b;
    uint8_t buf[32];

    bus_init(&b);
    b.dev.hook = move_away;
    ck_assert_uint_eq(address_space_read(&b.w.as, 0x4000, buf, 24),
                      MEMTX_DECODE_ERROR);
    io_expect(&b.dev, "r 0/8", NULL);
    expect_content(buf, 3, 0, 8);
    expect_ones(buf + 8, 16);
    expect_hex(load(&b.w.as, 0x8000, 4, MEMTX_OK), content_value(3, 0, 4));
    bus_destroy(&b);
}
END_TEST

/* ---- several address spaces ------------------------------------------------------------------------- */

/* A CPU's own view: its APIC page over what all share. */
START_TEST(test_per_cpu_views)
{
    World w;
    MemoryRegion ram, shared[2], root[2];
    AddressSpace cpu[2];
    IoDevice apic[2];
    unsigned i;

    world_init(&w);
    memory_region_init_ram_ptr(&ram, "ram", 0x4000, memory);
    memory_region_add_subregion(&w.root, 0, &ram);
    content_fill(memory, 1, 0, 0x4000);
    for (i = 0; i < 2; i++) {
        memory_region_init(&root[i], "cpu", UINT64_MAX);
        memory_region_init_alias(&shared[i], "shared", &w.root, 0, UINT64_MAX);
        io_device_init(&apic[i], 10 + i, "apic", 0x1000);
        memory_region_add_subregion_overlap(&root[i], 0, &shared[i], 0);
        memory_region_add_subregion_overlap(&root[i], 0x1000, &apic[i].mr, 1);
        address_space_init(&cpu[i], &root[i]);
    }
    for (i = 0; i < 2; i++) {
        expect_hex(load(&cpu[i], 0x1000, 4, MEMTX_OK),
                   content_value(10 + i, 0, 4));
        expect_hex(load(&cpu[i], 0x2000, 4, MEMTX_OK),
                   content_value(1, 0x2000, 4));
    }
    expect_hex(load(&w.as, 0x1000, 4, MEMTX_OK), content_value(1, 0x1000, 4));
    memory_region_set_enabled(&apic[0].mr, false);
    expect_hex(load(&cpu[0], 0x1000, 4, MEMTX_OK), content_value(1, 0x1000, 4));
    expect_hex(load(&cpu[1], 0x1000, 4, MEMTX_OK), content_value(11, 0, 4));
    memory_region_set_address(&ram, 0x10000);
    for (i = 0; i < 2; i++) {
        load(&cpu[i], 0x2000, 4, MEMTX_DECODE_ERROR);
        expect_hex(load(&cpu[i], 0x12000, 4, MEMTX_OK),
                   content_value(1, 0x2000, 4));
        address_space_destroy(&cpu[i]);
        memory_region_del_subregion(&root[i], &shared[i]);
        memory_region_del_subregion(&root[i], &apic[i].mr);
        memory_region_destroy(&shared[i]);
        memory_region_destroy(&apic[i].mr);
        memory_region_destroy(&root[i]);
    }
    memory_region_del_subregion(&w.root, &ram);
    memory_region_destroy(&ram);
    world_destroy(&w);
}
END_TEST

START_TEST(test_any_root)
{
    MemoryRegion ram, alias;
    AddressSpace as, as_alias;

    content_fill(memory, 1, 0, 0x1000);
    memory_region_init_ram_ptr(&ram, "ram", 0x1000, memory);
    memory_region_init_alias(&alias, "alias", &ram, 0x800, 0x100);
    address_space_init_named(&as, &ram, "bare");
    address_space_init(&as_alias, &alias);
    expect_hex(load(&as, 0xffc, 4, MEMTX_OK), content_value(1, 0xffc, 4));
    load(&as, 0x1000, 1, MEMTX_DECODE_ERROR);
    expect_hex(load(&as_alias, 0xfc, 4, MEMTX_OK), content_value(1, 0x8fc, 4));
    load(&as_alias, 0x100, 1, MEMTX_DECODE_ERROR);
    address_space_destroy(&as_alias);
    address_space_destroy(&as);
    memory_region_destroy(&alias);
    memory_region_destroy(&ram);
}
END_TEST

/* ---- the short way, and the long one ---------------------------------------------- */

static bool accepts_low(void *opaque, hwaddr addr, unsigned size, bool is_write)
{
    return addr < 8;
}

/* Rules number @n of a device; false if there are no more. */
static bool rules(MemoryRegionOps *ops, unsigned n)
{
    static const unsigned bounds[] = { 0, 1, 2, 4, 8 };

    memset(ops, 0, sizeof(*ops));
    ops->valid.min_access_size = bounds[n % 5];
    ops->valid.max_access_size = bounds[n / 5 % 5];
    ops->impl.min_access_size = bounds[n / 25 % 5];
    ops->impl.max_access_size = bounds[n / 125 % 5];
    n /= 625;
    ops->endianness = n % 3;
    n /= 3;
    ops->valid.unaligned = n & 1;
    ops->impl.unaligned = n & 1;
    ops->valid.accepts = n & 2 ? accepts_low : NULL;
    if (n & 4) {
        ops->read_with_attrs = io_device_read;
        ops->write_with_attrs = io_device_write;
    }
    ops->read = n & 8 ? io_plain_ops.read : NULL;
    ops->write = n & 16 ? io_plain_ops.write : NULL;
    return n < 32;
}

/* What an access came to, and the calls that it was made of. */
typedef struct Outcome {
    MemTxResult result;
    uint64_t image;
    unsigned nr_calls;
    IoCall calls[8];
} Outcome;

static void outcome_take(Outcome *o, IoDevice *dev)
{
    o->nr_calls = MIN(dev->nr_calls, G_N_ELEMENTS(o->calls));
    for (unsigned i = 0; i < o->nr_calls; i++) {
        o->calls[i] = dev->calls[i];
    }
    dev->nr_calls = 0;
}

static bool outcome_equal(const Outcome *a, const Outcome *b)
{
    bool equal = a->result == b->result && a->image == b->image &&
                 a->nr_calls == b->nr_calls;

    for (unsigned i = 0; equal && i < a->nr_calls; i++) {
        equal = a->calls[i].addr == b->calls[i].addr &&
                a->calls[i].size == b->calls[i].size &&
                a->calls[i].data == b->calls[i].data &&
                a->calls[i].is_write == b->calls[i].is_write;
    }
    return equal;
}

/* What the core knows of a region beforehand changes nothing: each access comes
 * to what the rules alone make of it. */
START_TEST(test_short_way)
{
    unsigned step = (unsigned)test_number("FLATVIEW_RULES_STEP", 7);
    MemoryRegionOps ops;
    unsigned direct = 0;
    World w;

    world_init(&w);
    for (unsigned n = 0; rules(&ops, n); n += step) {
        IoDevice dev = { .id = 1 };

        memory_region_init_io(&dev.mr, &ops, &dev, "dev", 0x1e);
        memory_region_init_access(&dev.mr);
        direct += dev.mr.direct != 0;
        memory_region_add_subregion(&w.root, 0x1000, &dev.mr);
        for (unsigned k = 0; k < 0x1e * 8; k++) {
            unsigned size = 1u << k % 4, at = k / 8;
            Outcome got = { 0 }, wanted = { 0 };
            uint8_t bytes[8] = { 0 };

            if (at + size > 0x1e) {
                continue;
            }
            memory_lock();
            if (k & 4) {
                got.result = address_space_rw(&w.as, 0x1000 + at,
                                              (uint8_t *)"\1\2\3\4\5\6\7\10",
                                              size, true);
                outcome_take(&got, &dev);
                wanted.result = memory_region_dispatch_write(
                    &dev.mr, at, 0x0807060504030201 & UINT64_MAX >> (64 - 8 * size),
                    size, MEMTXATTRS_UNSPECIFIED);
            } else {
                got.result = address_space_rw(&w.as, 0x1000 + at, bytes, size,
                                              false);
                for (unsigned i = size; i-- > 0;) {
                    got.image = got.image << 8 | bytes[i];
                }
                outcome_take(&got, &dev);
                wanted.result = memory_region_dispatch_read(
                    &dev.mr, at, &wanted.image, size, MEMTXATTRS_UNSPECIFIED);
            }
            memory_unlock();
            outcome_take(&wanted, &dev);
            expect(outcome_equal(&got, &wanted), "rules %u: %s of %u at %u",
                   n, k & 4 ? "write" : "read", size, at);
        }
        memory_region_del_subregion(&w.root, &dev.mr);
        memory_region_destroy(&dev.mr);
    }
    expect(direct, "no rules with a short way");
    world_destroy(&w);
}
END_TEST

/* The map still shows what is behind the end of a region that was shrunk in a
 * transaction; its device does not hear of it. */
START_TEST(test_shrunk)
{
    IoDevice dev = { .id = 1 };
    World w;

    world_init(&w);
    memory_region_init_io(&dev.mr, &io_plain_ops, &dev, "dev", 0x10);
    memory_region_init_access(&dev.mr);
    memory_region_add_subregion(&w.root, 0, &dev.mr);
    memory_region_transaction_begin();
    memory_region_set_size(&dev.mr, 8);
    load(&w.as, 8, 4, MEMTX_DECODE_ERROR);
    store(&w.as, 8, 4, 1, MEMTX_DECODE_ERROR);
    io_expect(&dev, NULL);
    load(&w.as, 4, 4, MEMTX_OK);
    io_expect(&dev, "r 4/4", NULL);
    memory_region_transaction_commit();
    memory_region_del_subregion(&w.root, &dev.mr);
    memory_region_destroy(&dev.mr);
    world_destroy(&w);
}
END_TEST

TEST_MAIN("address-space", test_ram, test_no_length, test_across_regions,
          test_word_across_regions, test_blocks, test_wrap, test_ld_st,
          test_failed_loads, test_attributes, test_device_error, test_rom,
          test_write_rom, test_unassigned, test_reservation, test_reentry,
          test_reentry_around, test_map_changed_by_callback, test_per_cpu_views,
          test_any_root, test_short_way, test_shrunk)
