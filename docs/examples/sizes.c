/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What callbacks see of accesses of other widths, and byte order. See docs/memory.txt. */
#include "memory.h"

/* A device of 32-bit registers only; each shows its own offset. */
static uint64_t reg_read(void *opaque, hwaddr addr, unsigned size)
{
    printf("  read  %u at %u\n", size, (unsigned)addr);
    return 0x11223300 + addr;
}

static void reg_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    printf("  write %u at %u: 0x%08x\n", size, (unsigned)addr, (unsigned)data);
}

#define REGISTERS(order)                                                       \
    {                                                                          \
        .read = reg_read,                                                      \
        .write = reg_write,                                                    \
        .endianness = order,                                                   \
        .valid = { .min_access_size = 1, .max_access_size = 8 },               \
        .impl = { .min_access_size = 4, .max_access_size = 4 },                \
    }

static const MemoryRegionOps little = REGISTERS(DEVICE_LITTLE_ENDIAN);
static const MemoryRegionOps big = REGISTERS(DEVICE_BIG_ENDIAN);

int main(void)
{
    static MemoryRegion root, a, b;
    static AddressSpace as;
    MemTxAttrs who = MEMTXATTRS_UNSPECIFIED;
    MemTxResult result;
    uint64_t value;

    memory_region_init(&root, "root", 0x1000);
    memory_region_init_io(&a, &little, NULL, "little", 16);
    memory_region_init_io(&b, &big, NULL, "big", 16);
    memory_region_add_subregion(&root, 0x000, &a);
    memory_region_add_subregion(&root, 0x100, &b);
    address_space_init(&as, &root);

    printf("8 bytes at 0: two registers\n");
    value = address_space_ldq(&as, 0, who, &result);
    printf("  = 0x%016" PRIx64 "\n", value);

    printf("1 byte at 5: the second byte of a register\n");
    value = address_space_ldub(&as, 5, who, &result);
    printf("  = 0x%02x\n", (unsigned)value);

    printf("the same, written: zeros around it\n");
    address_space_stb(&as, 5, 0xab, who, &result);

    printf("the same, read from the big-endian device\n");
    value = address_space_ldub(&as, 0x105, who, &result);
    printf("  = 0x%02x\n", (unsigned)value);

    printf("4 bytes at 2: unaligned, which the device does not allow\n");
    value = address_space_ldl(&as, 2, who, &result);
    printf("  = 0x%08x, %s\n", (unsigned)value,
           result == MEMTX_DECODE_ERROR ? "MEMTX_DECODE_ERROR" : "?");
    return 0;
}
