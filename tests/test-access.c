/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access to one I/O region: the matrix of sizes, alignments, bounds, byte
 * orders and region ends against a device that is an array of bytes. What else
 * happens to an access is tested in test-access-rules.c.
 */
#include <string.h>

#include "memory-internal.h"
#include "test-util.h"

/* ---- the matrix ---------------------------------------------------------- */

#define STORE_SIZE 32
#define CALLS_MAX 32

typedef struct Call {
    hwaddr addr;
    unsigned size;
    bool is_write;
} Call;

/* Registers that are bytes: a wider access is several of them at once. */
typedef struct ByteDevice {
    MemoryRegion mr;
    MemoryRegionOps ops;
    uint8_t bytes[STORE_SIZE];
    Call calls[CALLS_MAX];
    unsigned nr_calls;
} ByteDevice;

static void byte_device_note(ByteDevice *d, hwaddr addr, unsigned size,
                             bool is_write)
{
    expect(d->nr_calls < CALLS_MAX, "too many callbacks");
    expect(size == 1 || size == 2 || size == 4 || size == 8,
           "callback of %u bytes", size);
    expect(addr + size <= d->mr.size,
           "callback of %u bytes at %" PRIu64 " is past the end", size, addr);
    d->calls[d->nr_calls++] = (Call){ addr, size, is_write };
}

/* The place of byte @i of a value of @size bytes. */
static unsigned byte_shift(const ByteDevice *d, unsigned size, unsigned i)
{
    return 8 * (d->ops.endianness == DEVICE_BIG_ENDIAN ? size - 1 - i : i);
}

static uint64_t byte_device_read(void *opaque, hwaddr addr, unsigned size)
{
    ByteDevice *d = opaque;
    uint64_t value = size < 8 ? UINT64_MAX << (8 * size) : 0; /* to ignore */

    byte_device_note(d, addr, size, false);
    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)d->bytes[addr + i] << byte_shift(d, size, i);
    }
    return value;
}

static void byte_device_write(void *opaque, hwaddr addr, uint64_t data,
                              unsigned size)
{
    ByteDevice *d = opaque;

    byte_device_note(d, addr, size, true);
    expect(size == 8 || !(data >> (8 * size)), "bits above the value");
    for (unsigned i = 0; i < size; i++) {
        d->bytes[addr + i] = (uint8_t)(data >> byte_shift(d, size, i));
    }
}

static MemTxResult byte_device_read_attrs(void *opaque, hwaddr addr,
                                          uint64_t *data, unsigned size,
                                          MemTxAttrs attrs)
{
    expect(attrs.requester_id == 0x1234, "attributes lost");
    *data = byte_device_read(opaque, addr, size);
    return MEMTX_OK;
}

static MemTxResult byte_device_write_attrs(void *opaque, hwaddr addr,
                                           uint64_t data, unsigned size,
                                           MemTxAttrs attrs)
{
    expect(attrs.requester_id == 0x1234, "attributes lost");
    byte_device_write(opaque, addr, data, size);
    return MEMTX_OK;
}

/* What the ops mean, worked out apart from access.c. */
typedef struct Bounds {
    unsigned valid_min, valid_max, impl_min, impl_max;
} Bounds;

static Bounds bounds_of(const MemoryRegionOps *ops)
{
    Bounds b = {
        .valid_min = ops->valid.min_access_size,
        .valid_max = ops->valid.max_access_size ?: 8,
        .impl_min = ops->impl.min_access_size ?: 1,
        .impl_max = ops->impl.max_access_size ?: 4,
    };

    if (b.impl_max < b.impl_min) {
        b.impl_max = b.impl_min;
    }
    return b;
}

/* Every rule about the callbacks of one access, which was allowed. */
static void check_calls(const ByteDevice *d, hwaddr addr, unsigned size,
                        bool is_write)
{
    Bounds b = bounds_of(&d->ops);
    bool aligned = addr % size == 0;
    bool touched[STORE_SIZE] = { false };
    hwaddr next = 0;

    for (unsigned i = 0; i < d->nr_calls; i++) {
        const Call *c = &d->calls[i];
        bool wide_enough = c->size >= b.impl_min;
        hwaddr window = c->addr / b.impl_min * b.impl_min;

        expect(c->is_write == is_write, "callback of the other direction");
        expect(c->size <= b.impl_max, "%u bytes are wider than impl.max",
               c->size);
        /* Narrower than the device implements only where its registers end
         * inside one of them, and then as wide as goes. */
        expect(wide_enough || window + b.impl_min > d->mr.size,
               "%u bytes at %" PRIu64 " are narrower than impl.min", c->size,
               c->addr);
        expect(wide_enough ||
                   c->addr / (2 * c->size) * (2 * c->size) + 2 * c->size >
                       d->mr.size,
               "%u bytes at %" PRIu64 " are narrower than need be", c->size,
               c->addr);
        expect(c->addr % c->size == 0 || d->ops.impl.unaligned,
               "%u bytes at %" PRIu64 " are unaligned", c->size, c->addr);
        expect(c->addr >= next, "callbacks descend or overlap");
        next = c->addr + c->size;
        expect(c->addr < addr + size && next > addr,
               "a callback beside the access");
        memset(touched + c->addr, true, c->size);
    }
    for (unsigned i = 0; i < size; i++) {
        expect(touched[addr + i], "byte %u was left out", i);
    }

    /* How many there are is fixed in the plain cases. */
    if (size >= b.impl_min && size <= b.impl_max &&
        (aligned || d->ops.impl.unaligned)) {
        expect(d->nr_calls == 1, "%u callbacks, not one", d->nr_calls);
    } else if (size > b.impl_max && (aligned || d->ops.impl.unaligned)) {
        expect(d->nr_calls == size / b.impl_max, "%u callbacks, not %u",
               d->nr_calls, size / b.impl_max);
    } else if (size < b.impl_min && addr / b.impl_min ==
                                    (addr + size - 1) / b.impl_min &&
               (addr / b.impl_min + 1) * b.impl_min <= d->mr.size) {
        expect(d->nr_calls == 1, "%u callbacks, not one wide one", d->nr_calls);
    }
}

static MemTxResult expected_result(const ByteDevice *d, hwaddr addr,
                                   unsigned size)
{
    Bounds b = bounds_of(&d->ops);

    return size < b.valid_min || size > b.valid_max ||
           (addr % size && !d->ops.valid.unaligned) ? MEMTX_DECODE_ERROR
                                                    : MEMTX_OK;
}

static const MemTxAttrs some_attrs = { .requester_id = 0x1234 };

static void check_read(ByteDevice *d, hwaddr addr, unsigned size)
{
    MemTxResult wanted = expected_result(d, addr, size), result;
    uint64_t image = 0x5555555555555555, model = 0;

    content_fill(d->bytes, size, 0, STORE_SIZE);
    for (unsigned i = 0; i < size; i++) {
        model |= (uint64_t)(wanted ? 0xff : d->bytes[addr + i]) << (8 * i);
    }
    d->nr_calls = 0;
    result = memory_region_dispatch_read(&d->mr, addr, &image, size,
                                         some_attrs);
    expect(result == wanted, "result %u, not %u", result, wanted);
    expect_hex(image, model);
    if (wanted) {
        expect(!d->nr_calls, "callback in spite of a refusal");
    } else {
        check_calls(d, addr, size, false);
    }
}

static void check_write(ByteDevice *d, hwaddr addr, unsigned size)
{
    MemTxResult wanted = expected_result(d, addr, size), result;
    uint64_t image = content_value(99, addr, size);
    uint8_t model[STORE_SIZE];

    content_fill(d->bytes, size, 0, STORE_SIZE);
    memcpy(model, d->bytes, STORE_SIZE);
    d->nr_calls = 0;
    result = memory_region_dispatch_write(&d->mr, addr, image, size,
                                          some_attrs);
    expect(result == wanted, "result %u, not %u", result, wanted);
    if (wanted) {
        expect(!d->nr_calls, "callback in spite of a refusal");
    } else {
        check_calls(d, addr, size, true);
        for (unsigned i = 0; i < d->nr_calls; i++) {
            memset(model + d->calls[i].addr, 0, d->calls[i].size);
        }
        for (unsigned i = 0; i < size; i++) {
            model[addr + i] = (uint8_t)(image >> (8 * i));
        }
    }
    expect(!memcmp(model, d->bytes, STORE_SIZE), "wrong bytes written");
}

/* All sizes and places in regions of 1 to 17 bytes, with @d's ops. */
static void check_places(ByteDevice *d, unsigned region_step)
{
    for (unsigned length = 17; length >= 1;
         length -= MIN(length, region_step)) {
        d->mr.size = length;
        for (unsigned size = 1; size <= MIN(8, length); size *= 2) {
            for (hwaddr addr = 0; addr + size <= length; addr++) {
                g_snprintf(test_context, sizeof(test_context),
                           "region of %u, %u bytes at %u, valid %u-%u%s impl "
                           "%u-%u%s %s: ", length, size, (unsigned)addr,
                           d->ops.valid.min_access_size,
                           d->ops.valid.max_access_size,
                           d->ops.valid.unaligned ? " unaligned" : "",
                           d->ops.impl.min_access_size,
                           d->ops.impl.max_access_size,
                           d->ops.impl.unaligned ? " unaligned" : "",
                           d->ops.endianness == DEVICE_BIG_ENDIAN ? "be" : "le");
                check_read(d, addr, size);
                check_write(d, addr, size);
            }
        }
    }
    test_context[0] = '\0';
}

static void byte_device_init(ByteDevice *d, bool with_attrs)
{
    memset(d, 0, sizeof(*d));
    if (with_attrs) {
        d->ops.read_with_attrs = byte_device_read_attrs;
        d->ops.write_with_attrs = byte_device_write_attrs;
    } else {
        d->ops.read = byte_device_read;
        d->ops.write = byte_device_write;
    }
    memory_region_init_io(&d->mr, &d->ops, d, "bytes", STORE_SIZE);
}

static const unsigned bounds[] = { 0, 1, 2, 4, 8 };

/* Combination @n of valid and impl bounds; false where there is none. */
static bool set_bounds(MemoryRegionOps *ops, unsigned n)
{
    ops->valid.min_access_size = bounds[n % 5];
    ops->valid.max_access_size = bounds[n / 5 % 5];
    ops->impl.min_access_size = bounds[n / 25 % 5];
    ops->impl.max_access_size = bounds[n / 125 % 5];
    return n < 625;
}

/* FLATVIEW_MATRIX_STEP: the distance of the regions' sizes, 1 for all of them;
 * slow tools may take more. */
static void matrix(enum device_endian endianness, bool with_attrs)
{
    unsigned step = (unsigned)test_number("FLATVIEW_MATRIX_STEP", 1);
    ByteDevice d;

    byte_device_init(&d, with_attrs);
    d.ops.endianness = endianness;
    memory_lock();
    for (unsigned flags = 0; flags < 4; flags++) {
        d.ops.valid.unaligned = flags & 1;
        d.ops.impl.unaligned = flags & 2;
        for (unsigned n = 0; set_bounds(&d.ops, n); n++) {
            check_places(&d, step);
        }
    }
    memory_unlock();
    memory_region_destroy(&d.mr);
}

START_TEST(matrix_little)
{
    matrix(DEVICE_LITTLE_ENDIAN, false);
}
END_TEST

START_TEST(matrix_big)
{
    matrix(DEVICE_BIG_ENDIAN, false);
}
END_TEST

START_TEST(matrix_native_attrs)
{
    matrix(DEVICE_NATIVE_ENDIAN, true);
}
END_TEST

/* Examples by hand, so that the model above is not the only judge. */
START_TEST(examples)
{
    ByteDevice d;
    uint64_t image;

    byte_device_init(&d, false);
    memory_lock();
    for (unsigned i = 0; i < STORE_SIZE; i++) {
        d.bytes[i] = (uint8_t)i;
    }
    d.ops.valid.unaligned = true;

    /* Wider than 4, the default of impl.max: two, lowest first. */
    memory_region_dispatch_read(&d.mr, 8, &image, 8, some_attrs);
    expect_hex(image, 0x0f0e0d0c0b0a0908);
    expect(d.nr_calls == 2 && d.calls[0].addr == 8 && d.calls[0].size == 4 &&
           d.calls[1].addr == 12 && d.calls[1].size == 4, "8 bytes at 8");

    /* Unaligned: the aligned pieces 1, 2, 1. */
    d.nr_calls = 0;
    memory_region_dispatch_read(&d.mr, 1, &image, 4, some_attrs);
    expect_hex(image, 0x04030201);
    expect(d.nr_calls == 3 && d.calls[0].addr == 1 && d.calls[0].size == 1 &&
           d.calls[1].addr == 2 && d.calls[1].size == 2 &&
           d.calls[2].addr == 4 && d.calls[2].size == 1, "4 bytes at 1");

    /* Narrower than impl.min: one aligned access around it. */
    d.ops.impl.min_access_size = 4;
    d.nr_calls = 0;
    memory_region_dispatch_read(&d.mr, 6, &image, 1, some_attrs);
    expect_hex(image, 6);
    expect(d.nr_calls == 1 && d.calls[0].addr == 4 && d.calls[0].size == 4,
           "1 byte at 6");
    d.nr_calls = 0;
    memory_region_dispatch_write(&d.mr, 6, 0xee, 1, some_attrs);
    expect(d.nr_calls == 1 && d.calls[0].addr == 4 && d.calls[0].size == 4,
           "1 byte written to 6");
    expect(!memcmp(d.bytes + 3, "\3\0\0\xee\0\x8", 6), "zeros around it");

    /* Big-endian: the value's first byte is the highest. */
    d.ops.endianness = DEVICE_BIG_ENDIAN;
    d.bytes[8] = 0x12;
    d.bytes[9] = 0x34;
    memory_region_dispatch_read(&d.mr, 8, &image, 2, some_attrs);
    expect_hex(image, 0x3412);

    /* The region ends inside its narrowest register. */
    d.mr.size = 7;
    d.nr_calls = 0;
    d.bytes[5] = 0x55;
    d.bytes[6] = 0x66;
    memory_region_dispatch_read(&d.mr, 5, &image, 2, some_attrs);
    expect_hex(image, 0x6655);
    expect(d.nr_calls == 2 && d.calls[0].addr == 4 && d.calls[0].size == 2 &&
           d.calls[1].addr == 6 && d.calls[1].size == 1, "2 bytes at 5 of 7");
    memory_unlock();
    memory_region_destroy(&d.mr);
}
END_TEST

/* Bounds that make no sense: no hang, no access past the end, no wrong byte. */
START_TEST(nonsense_bounds)
{
    static const unsigned odd[] = { 0, 3, 5, 6, 7, 8, 9, 16, 1000, 1u << 31,
                                    UINT_MAX };
    ByteDevice d;

    byte_device_init(&d, false);
    memory_lock();
    for (unsigned n = 0; n < G_N_ELEMENTS(odd) * G_N_ELEMENTS(odd) * 2; n++) {
        unsigned low = odd[n / 2 % G_N_ELEMENTS(odd)];
        unsigned high = odd[n / 2 / G_N_ELEMENTS(odd)];

        d.ops.impl.unaligned = n % 2;
        d.ops.impl.min_access_size = low;
        d.ops.impl.max_access_size = high;
        d.ops.valid.unaligned = true;
        for (unsigned length = 1; length <= 17; length++) {
            d.mr.size = length;
            for (unsigned size = 1; size <= MIN(8, length); size *= 2) {
                for (hwaddr addr = 0; addr + size <= length; addr++) {
                    uint64_t image;

                    g_snprintf(test_context, sizeof(test_context),
                               "impl %u-%u, %u at %u of %u: ", low, high, size,
                               (unsigned)addr, length);
                    content_fill(d.bytes, 1, 0, STORE_SIZE);
                    d.nr_calls = 0;
                    memory_region_dispatch_read(&d.mr, addr, &image, size,
                                                some_attrs);
                    expect_hex(image, content_value(1, addr, size));
                    memory_region_dispatch_write(&d.mr, addr, ~image, size,
                                                 some_attrs);
                    for (unsigned i = 0; i < size; i++) {
                        expect(d.bytes[addr + i] ==
                                   (uint8_t)~(image >> (8 * i)),
                               "byte %u not written", i);
                    }
                }
            }
        }
    }
    test_context[0] = '\0';

    /* valid bounds that exclude each other allow nothing. */
    d.ops.valid.min_access_size = 4;
    d.ops.valid.max_access_size = 2;
    d.mr.size = STORE_SIZE;
    for (unsigned size = 1; size <= 8; size *= 2) {
        uint64_t image;

        d.nr_calls = 0;
        expect(memory_region_dispatch_read(&d.mr, 0, &image, size, some_attrs)
                   == MEMTX_DECODE_ERROR, "allowed");
        expect(!d.nr_calls, "called");
    }
    memory_unlock();
    memory_region_destroy(&d.mr);
}
END_TEST

/* The last bytes of 2^64, and an access that is not inside the region. */
START_TEST(space_end)
{
    IoDevice dev;
    MemoryRegionOps ops = { .read = io_plain_ops.read,
                            .write = io_plain_ops.write };
    uint64_t image;

    ops.valid.unaligned = true;
    ops.impl.min_access_size = 4;
    io_device_init(&dev, 1, "dev", UINT64_MAX);
    dev.mr.ops = &ops;
    memory_lock();
    expect(!memory_region_dispatch_read(&dev.mr, UINT64_MAX, &image, 1,
                                        some_attrs), "last byte");
    expect_hex(image, content_byte(1, UINT64_MAX));
    io_expect(&dev, "r fffffffffffffffc/4", NULL);
    expect(!memory_region_dispatch_read(&dev.mr, UINT64_MAX - 4, &image, 4,
                                        some_attrs), "4 bytes near the end");
    expect_hex(image, content_value(1, UINT64_MAX - 4, 4));
    io_expect(&dev, "r fffffffffffffff8/4", "r fffffffffffffffc/4", NULL);
    expect(memory_region_dispatch_read(&dev.mr, UINT64_MAX, &image, 2,
                                       some_attrs) == MEMTX_DECODE_ERROR,
           "across the end");
    expect_hex(image, 0xffff);
    dev.mr.size = UINT64_MAX; /* the whole space but for its last byte */
    expect(memory_region_dispatch_write(&dev.mr, UINT64_MAX, 0, 1, some_attrs)
               == MEMTX_DECODE_ERROR, "behind the end");
    expect(memory_region_dispatch_read(&dev.mr, UINT64_MAX - 1, &image, 1,
                                       some_attrs) == MEMTX_OK, "new end");
    io_expect(&dev, "r fffffffffffffffe/1", NULL);
    memory_unlock();
    dev.mr.size = 0;
    memory_lock();
    expect(memory_region_dispatch_read(&dev.mr, 0, &image, 1, some_attrs) ==
               MEMTX_DECODE_ERROR, "empty region");
    memory_unlock();
    memory_region_destroy(&dev.mr);
}
END_TEST

START_TEST(access_width)
{
    MemoryRegionOps ops = { .read = NULL };
    MemoryRegion mr;

    memory_region_init_io(&mr, &ops, NULL, "mr", 64);
    for (unsigned max = 0; max <= 9; max++) {
        ops.valid.max_access_size = max;
        for (hwaddr addr = 0; addr < 16; addr++) {
            for (hwaddr len = 1; len <= 17; len++) {
                unsigned width = memory_region_access_width(&mr, addr, len);
                unsigned wanted = 8;

                while (wanted > 1 && (wanted > len || addr % wanted ||
                                      (max && wanted > max))) {
                    wanted /= 2;
                }
                expect(width == wanted, "%u, not %u", width, wanted);
            }
        }
    }
    expect(memory_region_access_width(&mr, 0, UINT64_MAX) == 8, "long");
    memory_region_destroy(&mr);
    memory_region_init_reservation(&mr, "no ops", 64);
    expect(memory_region_access_width(&mr, 4, 64) == 4, "without ops");
    memory_region_destroy(&mr);
}
END_TEST

TEST_MAIN("access", matrix_little, matrix_big, matrix_native_attrs, examples,
          nonsense_bounds, space_end, access_width)
