/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: what one master sees, and how it reads and writes it.
 * Part of memory.h, whose rules hold here too.
 *
 * Accesses take no lock for memory. For a region with callbacks they take the
 * lock that the region names, by default the memory lock, around the callback.
 * A transfer of 1, 2, 4 or 8 bytes inside one region is one access of that
 * width, and fails as a whole if the region does not take it; any other length
 * is a block, cut into the widest aligned pieces the region takes. A transfer
 * across regions is cut at the borders. All pieces are tried; their results are
 * or-ed, and what could not be read is all-ones. Addresses wrap at 2^64.
 */
#ifndef ADDRESS_SPACE_H
#define ADDRESS_SPACE_H

#include "memory.h"

/* Embed it; every field is private to the core. */
struct AddressSpace {
    FlatView *view; /* readers load it inside a read side; may be shared */
    MemoryRegion *root;
    char *name;
    uint64_t serial;      /* older spaces have lower ones */
    AddressSpace *next;   /* of the same root */
    GPtrArray *listeners; /* that follow it, lowest priority first */
    uint64_t bounce_bytes; /* in use; under the lock of all bounce buffers */
};

/* Show @root, which must outlive the address space. The space may be used,
 * and listeners hear of it, at once. */
void address_space_init(AddressSpace *as, MemoryRegion *root);

/* The same with a name for mtree_info() (default: the root's name). */
void address_space_init_named(AddressSpace *as, MemoryRegion *root,
                              const char *name);

/* Listeners see everything withdrawn. No access or map may be under way. */
void address_space_destroy(AddressSpace *as);

/* Read or write @len bytes. */
MemTxResult address_space_rw(AddressSpace *as, hwaddr addr, uint8_t *buf,
                             int len, bool is_write);
MemTxResult address_space_write(AddressSpace *as, hwaddr addr,
                                const uint8_t *buf, int len);
MemTxResult address_space_read(AddressSpace *as, hwaddr addr, uint8_t *buf,
                               int len);

/* The same, saying who accesses, with a length of 64 bits. */
MemTxResult address_space_rw_attrs(AddressSpace *as, hwaddr addr,
                                   MemTxAttrs attrs, void *buf, hwaddr len,
                                   bool is_write);

/* For loaders: write RAM, and ROM as if it were RAM; what has no memory of
 * its own is skipped with MEMTX_DECODE_ERROR. */
MemTxResult address_space_write_rom(AddressSpace *as, hwaddr addr,
                                    const void *buf, hwaddr len);

/*
 * A host pointer to guest memory at @addr. *@plen is the length wanted, and on
 * return the length there is (never more). What is not RAM is read into, or
 * later written from, a bounce buffer. NULL and *@plen 0 when bounce buffers
 * are used up (register a map client and try again). The memory stays valid
 * until address_space_unmap() even if the region goes away meanwhile.
 */
void *address_space_map(AddressSpace *as, hwaddr addr, hwaddr *plen,
                        bool is_write);

/* Give back what address_space_map() returned, with its length and direction;
 * the first @access_len bytes were used. */
void address_space_unmap(AddressSpace *as, void *buffer, hwaddr len,
                         int is_write, hwaddr access_len);

/* Bytes that bounce buffers of one address space may take at a time. */
#define ADDRESS_SPACE_BOUNCE_MAX (64 * 1024)

/* Have @callback called once, in a thread that gives a bounce buffer of any
 * address space back and under the locks that it holds there, or at once if none
 * is in use. It is for waking somebody up. Returns a handle for unregistering
 * before that happened. */
void *cpu_register_map_client(void *opaque, void (*callback)(void *opaque));
void cpu_unregister_map_client(void *client);

/*
 * Loads and stores of 1, 2, 4 and 8 bytes. A value read by a failed load is
 * all-ones. @result may be NULL. Plain: the guest's byte order; _le and _be:
 * that order.
 */
#define ADDRESS_SPACE_LD(name, type)                                           \
    type address_space_##name(AddressSpace *as, hwaddr addr, MemTxAttrs attrs, \
                              MemTxResult *result)
#define ADDRESS_SPACE_ST(name, type)                                           \
    void address_space_##name(AddressSpace *as, hwaddr addr, type val,         \
                              MemTxAttrs attrs, MemTxResult *result)

ADDRESS_SPACE_LD(ldub, uint8_t);
ADDRESS_SPACE_LD(lduw, uint16_t);
ADDRESS_SPACE_LD(lduw_le, uint16_t);
ADDRESS_SPACE_LD(lduw_be, uint16_t);
ADDRESS_SPACE_LD(ldl, uint32_t);
ADDRESS_SPACE_LD(ldl_le, uint32_t);
ADDRESS_SPACE_LD(ldl_be, uint32_t);
ADDRESS_SPACE_LD(ldq, uint64_t);
ADDRESS_SPACE_LD(ldq_le, uint64_t);
ADDRESS_SPACE_LD(ldq_be, uint64_t);
ADDRESS_SPACE_ST(stb, uint8_t);
ADDRESS_SPACE_ST(stw, uint16_t);
ADDRESS_SPACE_ST(stw_le, uint16_t);
ADDRESS_SPACE_ST(stw_be, uint16_t);
ADDRESS_SPACE_ST(stl, uint32_t);
ADDRESS_SPACE_ST(stl_le, uint32_t);
ADDRESS_SPACE_ST(stl_be, uint32_t);
ADDRESS_SPACE_ST(stq, uint64_t);
ADDRESS_SPACE_ST(stq_le, uint64_t);
ADDRESS_SPACE_ST(stq_be, uint64_t);

/* Called, without locks, for each access that nothing answers; for traces.
 * @size: bytes, up to 8. */
typedef void MemoryUnassignedHandler(AddressSpace *as, hwaddr addr,
                                     unsigned size, bool is_write,
                                     void *opaque);

/* Install @handler, or none with NULL. Before other threads use the API. */
void memory_set_unassigned_handler(MemoryUnassignedHandler *handler,
                                   void *opaque);

#endif
