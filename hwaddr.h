/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Basic types of the memory API: addresses, access attributes and results.
 */
#ifndef HWADDR_H
#define HWADDR_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A guest bus address. 64 bits wide whatever the bus. */
typedef uint64_t hwaddr;

#define HWADDR_MAX UINT64_MAX
#define HWADDR_PRIx PRIx64
#define HWADDR_PRIX PRIX64
#define HWADDR_PRId PRId64
#define HWADDR_PRIu PRIu64

/* A position in the space of all RAM blocks; see memory_region_get_ram_addr(). */
typedef uint64_t ram_addr_t;

#define RAM_ADDR_FMT "%" PRIx64
#define RAM_ADDR_INVALID ((ram_addr_t)-1)

/* The unit of dirty tracking and of KVM's memory slots, in bytes. */
#define TARGET_PAGE_BITS 12
#define TARGET_PAGE_SIZE ((hwaddr)1 << TARGET_PAGE_BITS)
#define TARGET_PAGE_MASK (~(TARGET_PAGE_SIZE - 1))

/* A printf-like sink: mtree_info() calls it with its own FILE pointer or any
 * other stream that the function understands. Returns characters written. */
typedef int (*fprintf_function)(FILE *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Byte order of a device's registers. Native is that of the guest (little). */
enum device_endian {
    DEVICE_NATIVE_ENDIAN,
    DEVICE_BIG_ENDIAN,
    DEVICE_LITTLE_ENDIAN,
};

/* Who makes an access. All-zero means: known, not secure, not user, id 0. */
typedef struct MemTxAttrs {
    unsigned unspecified : 1;   /* the initiator did not say */
    unsigned secure : 1;        /* secure world (arm), SMM (x86) */
    unsigned user : 1;          /* unprivileged */
    unsigned requester_id : 16; /* bus master, e.g. PCI bus/device/function */
} MemTxAttrs;

#define MEMTXATTRS_UNSPECIFIED ((MemTxAttrs){ .unspecified = 1 })

/* How an access ended; several failures of one transfer are or-ed. */
typedef uint32_t MemTxResult;

#define MEMTX_OK 0u
#define MEMTX_ERROR (1u << 0)        /* the device reports an error */
#define MEMTX_DECODE_ERROR (1u << 1) /* nothing there, or the region does not
                                        take this width or alignment */
#define MEMTX_ACCESS_ERROR (1u << 2) /* refused: valid.accepts said no, a write
                                        to read-only memory, or a device
                                        reaching itself */

#endif
