/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory API: buses as a graph of regions, address spaces that show what
 * a master sees of it, listeners that follow what changes.
 *
 * Rules that hold for every declaration here, unless it says otherwise:
 *
 * - Lock. Any thread may call. Whatever changes the graph takes the memory
 *   lock (memory_lock()) itself; the lock is recursive, so a caller that needs
 *   several calls to be one step holds it, or a transaction, around them.
 *   Device callbacks run under it. Accesses to RAM take no lock.
 * - Ownership. The caller owns each MemoryRegion, AddressSpace and
 *   MemoryListener and keeps it at its place from init to destroy. Names are
 *   copied; ops, opaque and EventNotifiers are referenced.
 * - Sizes are bytes; UINT64_MAX as a size means the whole space of 2^64 bytes.
 * - A programming error (a cycle, a second parent, destroying what is in use)
 *   is found at the call, reported with the regions' names through the handler
 *   of memory_set_error_handler(), and the call then has no effect.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <glib.h>
#include <pthread.h>

#include "event-notifier.h"
#include "hwaddr.h"

typedef struct AddressSpace AddressSpace;
typedef struct FlatView FlatView;
typedef struct MemoryRegion MemoryRegion;
typedef struct MemoryListener MemoryListener;
typedef struct RAMBlock RAMBlock;

#define DIRTY_MEMORY_VGA 0
#define DIRTY_MEMORY_CODE 1
#define DIRTY_MEMORY_MIGRATION 3
#define DIRTY_MEMORY_NUM 4 /* one more than the highest client */

/* ---- callbacks of a device ------------------------------------------------ */

typedef uint32_t CPUReadMemoryFunc(void *opaque, hwaddr addr);
typedef void CPUWriteMemoryFunc(void *opaque, hwaddr addr, uint32_t value);
typedef uint32_t IOPortReadFunc(void *opaque, uint32_t address);
typedef void IOPortWriteFunc(void *opaque, uint32_t address, uint32_t data);

/* Callbacks of 1, 2 and 4 bytes, in this order, of a device not yet ported. */
typedef struct MemoryRegionMmio {
    CPUReadMemoryFunc *read[3];
    CPUWriteMemoryFunc *write[3];
} MemoryRegionMmio;

/* Ports @offset to @offset + @len - 1 of a region answer accesses of @size
 * bytes. Lists end with PORTIO_END_OF_LIST(). */
typedef struct MemoryRegionPortio {
    uint32_t offset;
    uint32_t len;
    unsigned size;
    IOPortReadFunc *read;
    IOPortWriteFunc *write;
} MemoryRegionPortio;

#define PORTIO_END_OF_LIST() { 0 }

/*
 * What an I/O region does. A missing read gives all-ones, a missing write is
 * dropped, both with MEMTX_DECODE_ERROR. @addr is relative to the region. The
 * first kind present is used: _with_attrs, plain, old_mmio, old_portio.
 */
typedef struct MemoryRegionOps {
    /* Returns the value; bits above @size bytes are ignored. */
    uint64_t (*read)(void *opaque, hwaddr addr, unsigned size);
    void (*write)(void *opaque, hwaddr addr, uint64_t data, unsigned size);

    /* The same with the initiator's attributes and a result of their own. */
    MemTxResult (*read_with_attrs)(void *opaque, hwaddr addr, uint64_t *data,
                                   unsigned size, MemTxAttrs attrs);
    MemTxResult (*write_with_attrs)(void *opaque, hwaddr addr, uint64_t data,
                                    unsigned size, MemTxAttrs attrs);

    enum device_endian endianness;

    /* What the guest may do; anything else fails. */
    struct {
        unsigned min_access_size; /* bytes; 0: any */
        unsigned max_access_size; /* bytes; 0: any (that is, 8) */
        bool unaligned;           /* not naturally aligned accesses allowed */
        /* Last word, if set: refusal gives MEMTX_ACCESS_ERROR. */
        bool (*accepts)(void *opaque, hwaddr addr, unsigned size,
                        bool is_write);
    } valid;

    /* What the callbacks implement; the core splits and widens to fit. */
    struct {
        unsigned min_access_size; /* bytes; 0: 1 */
        unsigned max_access_size; /* bytes; 0: 4 */
        bool unaligned;           /* callbacks take unaligned addresses */
    } impl;

    const MemoryRegionPortio *old_portio;
    const MemoryRegionMmio old_mmio;
} MemoryRegionOps;

/* ---- the objects ----------------------------------------------------------- */

typedef enum MemoryRegionKind {
    MEMORY_REGION_CONTAINER,
    MEMORY_REGION_IO,
    MEMORY_REGION_RAM, /* also ROM: read-only RAM */
    MEMORY_REGION_ROM_DEVICE,
    MEMORY_REGION_ALIAS,
    MEMORY_REGION_RESERVATION,
} MemoryRegionKind;

/* What is locked around a region's callbacks. */
typedef enum MemoryRegionLocking {
    MEMORY_LOCKING_GLOBAL, /* the memory lock: the default */
    MEMORY_LOCKING_OWN,    /* a lock of the device's */
    MEMORY_LOCKING_NONE,   /* nothing: the device sees to it */
} MemoryRegionLocking;

/* One device that must not be entered again from its own callbacks. All-zero
 * is valid. Devices of several regions share one between them. */
typedef struct MemoryReentrancyGuard {
    char unused;
} MemoryReentrancyGuard;

/* A region's place among its siblings; see memory-index.c. */
typedef struct MemoryRegionLink {
    MemoryRegion *left, *right;
    uint64_t order;    /* among equals in priority: the higher is on top */
    hwaddr last_below; /* the highest last address from here down */
} MemoryRegionLink;

/* A node of the graph. Embed it; every field is private to the core. */
struct MemoryRegion {
    /* What an access looks at: one line of the cache. */
    const MemoryRegionOps *ops;
    void *opaque;
    MemoryReentrancyGuard *guard;
    pthread_mutex_t *lock; /* of the callbacks, with MEMORY_LOCKING_OWN */
    struct MemoryEventfds *eventfds; /* doorbells; NULL: none */
    uint8_t kind;    /* MemoryRegionKind */
    uint8_t locking; /* MemoryRegionLocking */
    bool enabled;
    bool readonly;
    bool romd_mode;
    bool flush_coalesced;
    uint8_t direct;  /* accesses that are one plain call; see access.h */
    bool reported; /* an access to a reservation was told about */
    unsigned __int128 size;

    RAMBlock *ram_block;
    char *name;
    uint8_t dirty_log_mask;
    bool visible; /* some view of the present or the past holds it */
    bool may_overlap;
    bool doorbells_pending; /* they differ from what listeners were told */
    int priority;
    unsigned shown; /* ranges of present views that show it */

    MemoryRegion *parent;
    hwaddr addr;
    MemoryRegionLink link;
    MemoryRegion *subregions[2]; /* indexes of the disabled and the enabled */

    MemoryRegion *alias;
    hwaddr alias_offset;
    unsigned alias_index; /* in alias->aliases */
    unsigned bypassed;    /* the last of @aliases: see memory-map.c */
    GPtrArray *aliases;   /* regions whose alias is this one; NULL: none */

    AddressSpace *spaces; /* those with this root, oldest first */
    bool resolve_pending; /* they may have to look at another view */
    MemoryRegion *bypass; /* the subregion that they look past; NULL: none */
    FlatView *view;       /* of what this region shows; NULL: nobody looks */

    GArray *coalesced;
    struct MemoryEventfds *told_eventfds; /* as listeners know them */
    GArray *told_coalesced;
    MemoryReentrancyGuard own_guard;
    char *(*describe_owner)(void *owner); /* NULL: nobody said who it is */
    void *owner;
};

/* A piece of a region as an address space shows it. */
typedef struct MemoryRegionSection {
    MemoryRegion *mr;
    MemoryRegion *address_space; /* the root */
    hwaddr offset_within_region;
    uint64_t size; /* bytes; UINT64_MAX also stands for 2^64 */
    hwaddr offset_within_address_space;
    bool readonly;                 /* RAM that must not be written here */
    hwaddr last_within_address_space; /* its last byte: exact for any size */
    AddressSpace *as;              /* NULL from a find outside any space */
} MemoryRegionSection;

/* ---- construction and life -------------------------------------------------- */

/* A pure container of @size bytes; transparent where nothing inside answers. */
void memory_region_init(MemoryRegion *mr, const char *name, uint64_t size);

/* Registers: accesses call @ops with @opaque. @ops must outlive the region, and
 * stay as it is from here on. */
void memory_region_init_io(MemoryRegion *mr, const MemoryRegionOps *ops,
                           void *opaque, const char *name, uint64_t size);

/* RAM owned by the core, zeroed, populated on demand. @name identifies it in a
 * migration stream: unique and stable. Where the host refuses, reports and
 * exits with status 1; memory_region_try_init_ram() returns instead. */
void memory_region_init_ram(MemoryRegion *mr, const char *name, uint64_t size);

/* The same; false and @err set on failure, @mr then needs no destroy. */
bool memory_region_try_init_ram(MemoryRegion *mr, const char *name,
                                uint64_t size, GError **err);

/* RAM over @size bytes at @ptr, which the caller owns and keeps until
 * memory_region_destroy() returned and no address_space_map() of it is held. */
void memory_region_init_ram_ptr(MemoryRegion *mr, const char *name,
                                uint64_t size, void *ptr);

/* How RAM from a file or descriptor is shared. */
#define RAM_SHARED (1u << 0) /* writes reach the file (otherwise private) */

/* RAM over @path: a file (created and grown as needed), or a directory, in
 * which an unlinked file is made (hugetlbfs among them). @align: power of two
 * or 0 for the file's own page size. False and @err set on failure. */
bool memory_region_init_ram_from_file(MemoryRegion *mr, const char *name,
                                      uint64_t size, uint64_t align,
                                      uint32_t ram_flags, const char *path,
                                      GError **err);

/* RAM over @size bytes of @fd from @offset. @fd is owned by the region from a
 * successful call on. A negative @fd: an own memfd, always shared. */
bool memory_region_init_ram_from_fd(MemoryRegion *mr, const char *name,
                                    uint64_t size, uint32_t ram_flags, int fd,
                                    uint64_t offset, GError **err);

/* RAM that the guest cannot write; filled through memory_region_get_ram_ptr()
 * or address_space_write_rom(). */
void memory_region_init_rom(MemoryRegion *mr, const char *name, uint64_t size);

/* A window of @size bytes onto @orig from @offset. Lives no longer than
 * @orig. What lies beyond @orig's end answers nothing. */
void memory_region_init_alias(MemoryRegion *mr, const char *name,
                              MemoryRegion *orig, hwaddr offset,
                              uint64_t size);

/* Reads straight from memory of its own, writes go to @ops->write; see
 * memory_region_rom_device_set_readable(). */
void memory_region_init_rom_device(MemoryRegion *mr,
                                   const MemoryRegionOps *ops, void *opaque,
                                   const char *name, uint64_t size);

/* The same over @size bytes at @ptr, as memory_region_init_ram_ptr() has them; they
 * may be those of another region. */
void memory_region_init_rom_device_ptr(MemoryRegion *mr,
                                       const MemoryRegionOps *ops, void *opaque,
                                       const char *name, uint64_t size, void *ptr);

/* Claims space that another component serves, e.g. an in-kernel device. An
 * access that gets here fails and is reported once with the name. */
void memory_region_init_reservation(MemoryRegion *mr, const char *name,
                                    uint64_t size);

/* Undo any of the above. No subregions, no parent, no alias to it, not from
 * its own callback, nor in the transaction that takes it out of sight. On
 * return no callback of it runs or will run: waits for those that do, so the
 * caller holds neither the region's own lock nor another that they want. */
void memory_region_destroy(MemoryRegion *mr);

/* Let the regions of one device share @guard instead of each having its own.
 * Before the region is visible. */
void memory_region_set_guard(MemoryRegion *mr, MemoryReentrancyGuard *guard);

/*
 * Have the callbacks of @mr run under @lock, an ordinary mutex of the caller's,
 * instead of the memory lock, so that accesses to other devices do not wait for
 * this one. Regions of one device share its lock. In such a callback the memory
 * lock must not be taken, so the map must not be changed; and an access from it
 * reaches memory, regions of the same lock and regions that need none, while
 * any other gets MEMTX_ACCESS_ERROR. Whoever destroys @mr does not hold @lock.
 * Before the region is visible. docs/locking.md has the whole rule.
 */
void memory_region_set_lock(MemoryRegion *mr, pthread_mutex_t *lock);

/* Have the callbacks of @mr run under no lock at all, by several threads at
 * once. They may take the memory lock themselves unless they were called from
 * under a device's own lock; then whoever destroys @mr must not hold it.
 * Before the region is visible. */
void memory_region_clear_global_locking(MemoryRegion *mr);

/* For mtree_info(): @describe gives the name of @owner, to whom @mr belongs, in
 * a string to be freed. Called under the memory lock until destroy. */
void memory_region_set_owner(MemoryRegion *mr, char *(*describe)(void *owner),
                             void *owner);

/* Whether this thread is inside a callback of a region with the guard of @mr:
 * an access to @mr would be refused. */
bool memory_region_is_busy(const MemoryRegion *mr);

/* ---- queries ------------------------------------------------------------------ */

uint64_t memory_region_size(MemoryRegion *mr); /* bytes; UINT64_MAX: 2^64 */
const char *memory_region_name(MemoryRegion *mr); /* valid until destroy */
bool memory_region_is_ram(MemoryRegion *mr);  /* ROM too */
bool memory_region_is_rom(MemoryRegion *mr);  /* RAM set read-only */
bool memory_region_is_romd(MemoryRegion *mr); /* ROM device read directly */
bool memory_region_is_logging(MemoryRegion *mr);

/* The byte order of an I/O region or ROM device; native for any other. */
enum device_endian memory_region_endianness(MemoryRegion *mr);

/* Host address of the first byte; NULL where the region has no memory. Valid
 * until destroy. An alias gives its target's, moved by the alias's offset. */
void *memory_region_get_ram_ptr(MemoryRegion *mr);

/* Where the memory starts among all RAM; RAM_ADDR_INVALID where there is
 * none. */
ram_addr_t memory_region_get_ram_addr(MemoryRegion *mr);

/* The descriptor behind the RAM, owned by the region; -1 where there is
 * none. */
int memory_region_get_fd(MemoryRegion *mr);

/* The first section that overlaps @size bytes from @addr bytes into the region
 * @address_space, as the address space shows them that has it, or the nearest
 * parent, for its root (or as that region by itself would, if there is none).
 * Size 0 and mr NULL when nothing answers there. @size 0: one byte. Hold the
 * memory lock for as long as the section is used. */
MemoryRegionSection memory_region_find(MemoryRegion *address_space, hwaddr addr,
                                       uint64_t size);

/* Whether something other than @container itself answers at its @addr. */
bool memory_region_present(MemoryRegion *container, hwaddr addr);

/* The offset in the section's region for @addr of its address space. */
hwaddr memory_region_section_addr(MemoryRegionSection *section, hwaddr addr);

#define MTREE_TREE 1u     /* the graph below each address space */
#define MTREE_FLAT 2u     /* the flat views */
#define MTREE_DISPATCH 4u /* and the trees that hold them */
#define MTREE_OWNER 8u    /* with each region its owner, where it is known */

/* The graph of every address space in words. */
void mtree_info(fprintf_function mon_printf, void *f);

/* The same for a choice of MTREE_ flags. */
void mtree_info_flags(fprintf_function mon_printf, void *f, unsigned flags);

/* ---- the graph ------------------------------------------------------------------ */

/* Place @sub at @offset in @mr. Must not overlap another subregion placed
 * so. */
void memory_region_add_subregion(MemoryRegion *mr, hwaddr offset,
                                 MemoryRegion *sub);

/* Place @sub where it may overlap: higher priority hides lower, plain
 * subregions have 0, among equals the one added last is on top. */
void memory_region_add_subregion_overlap(MemoryRegion *mr, hwaddr offset,
                                         MemoryRegion *sub, int priority);

/* Take @sub out of @mr; it is a programming error if it is not there. */
void memory_region_del_subregion(MemoryRegion *mr, MemoryRegion *sub);

/* A disabled region is as if it were not there: it hides nothing. */
void memory_region_set_enabled(MemoryRegion *mr, bool enabled);

/* Move inside the parent; order among equals stays. To come to overlap a plain
 * subregion is no error here: guests move things. */
void memory_region_set_address(MemoryRegion *mr, hwaddr addr);

/* Move an alias's window. */
void memory_region_set_alias_offset(MemoryRegion *mr, hwaddr offset);

/* Resize a container, I/O region, alias or reservation; RAM only below what
 * it was made with. */
void memory_region_set_size(MemoryRegion *mr, uint64_t size);

/* RAM: becomes ROM and back. Container, alias: all RAM seen through it.
 * I/O callbacks see writes all the same. */
void memory_region_set_readonly(MemoryRegion *mr, bool readonly);

/* ROM device: off sends reads to ops->read too. */
void memory_region_rom_device_set_readable(MemoryRegion *mr, bool readable);

/* Nestable; holds the memory lock. Nothing becomes visible before the
 * outermost commit, then all of it at once. */
void memory_region_transaction_begin(void);
void memory_region_transaction_commit(void);

/* ---- dirty memory: which pages were written, for each client ------------------- */

/* Writes to @mr are recorded for @client (DIRTY_MEMORY_*) while @log is on, by
 * whatever way they reach it. Of an alias: those to its target. */
void memory_region_set_log(MemoryRegion *mr, bool log, unsigned client);

/* Whether a page that overlaps the range is dirty for @client. Ranges are
 * clipped to the region. */
bool memory_region_get_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size,
                             unsigned client);

/* Mark the range's pages for every client, logging or not. */
void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size);

/* Return what get_dirty would and clear, page by page atomically. */
bool memory_region_test_and_clear_dirty(MemoryRegion *mr, hwaddr addr,
                                        hwaddr size, unsigned client);

void memory_region_reset_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size,
                               unsigned client);

/* Take what is dirty in the range for @client, writes that listeners recorded among it,
 * and clear it, page by page atomically: a write is in this snapshot, or dirty again. Free
 * with g_free(). NULL: the range has nothing dirty. */
typedef struct DirtyBitmapSnapshot DirtyBitmapSnapshot;
DirtyBitmapSnapshot *memory_region_snapshot_and_clear_dirty(MemoryRegion *mr, hwaddr addr,
                                                            hwaddr size, unsigned client);

/* Whether a page that overlaps the range was dirty in it; outside of it: no. NULL: no. */
bool memory_region_snapshot_get_dirty(MemoryRegion *mr, const DirtyBitmapSnapshot *snap,
                                      hwaddr addr, hwaddr size);

/* Collect writes that listeners (KVM) recorded, for each view of @mr, or of the
 * target of an alias. */
void memory_region_sync_dirty_bitmap(MemoryRegion *mr);

/* The same for all RAM of the address space with root @address_space. */
void memory_global_sync_dirty_bitmap(MemoryRegion *address_space);

/* Record writes to all RAM for DIRTY_MEMORY_MIGRATION. Nests. */
void memory_global_dirty_log_start(void);
void memory_global_dirty_log_stop(void);

/* For log_sync: bit i of @bitmap says that page @offset / TARGET_PAGE_SIZE + i
 * of @mr was written; merged for each client that is logging. @offset is a
 * multiple of the page size. */
void memory_region_merge_dirty(MemoryRegion *mr, hwaddr offset,
                               const uint64_t *bitmap, uint64_t pages);

/* ---- doorbells and coalescing ---------------------------------------------------- */

/* Both are for regions with callbacks: set on a container or an alias they do
 * nothing for what is seen through it. */

/* Writes to the whole region, or to a part, may be put off and delivered
 * later in order. Sets the flush rule on the region. */
void memory_region_set_coalescing(MemoryRegion *mr);
void memory_region_add_coalescing(MemoryRegion *mr, hwaddr offset,
                                  uint64_t size);
void memory_region_clear_coalescing(MemoryRegion *mr);

/* Deliver all put-off writes before any access to the region. */
void memory_region_set_flush_coalesced(MemoryRegion *mr);
void memory_region_clear_flush_coalesced(MemoryRegion *mr);

/* Deliver all put-off writes now, to whichever region: for who looks at a device's state
 * without an access to it. Under the memory lock; not in a region's callback. */
void memory_flush_coalesced(void);

/* A write of @size bytes (0: any; otherwise 1, 2, 4, 8) at @addr, and with
 * @match_data only one of the value @data, signals @e instead of calling the
 * region. Listeners hear of it where a section shows all its bytes; on an alias
 * or container it never rings. A doorbell twice the same is a programming
 * error. @e must stay as it is until the removal is committed. */
void memory_region_add_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e);
/* All arguments as they were added. */
void memory_region_del_eventfd(MemoryRegion *mr, hwaddr addr, unsigned size,
                               bool match_data, uint64_t data,
                               EventNotifier *e);

/* ---- the lock, errors ----------------------------------------------------------------- */

/* The memory lock: changes of the graph and device callbacks. Recursive.
 * Never take it with a lock held that a callback may want. To unlock what this
 * thread has not locked is a programming error. */
void memory_lock(void);
void memory_unlock(void);
bool memory_lock_held(void); /* by this thread */

/* Called with one line, no newline, for each programming error. The default
 * prints it and aborts; when the handler returns, the call has no effect. It
 * may run inside a commit, so it must not change the graph. */
typedef void MemoryErrorHandler(const char *message, void *opaque);

/* Install @handler (NULL: the default). Before other threads use the API. */
void memory_set_error_handler(MemoryErrorHandler *handler, void *opaque);

#include "address-space.h"
#include "memory-listener.h"

#endif
