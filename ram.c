/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: the host memory behind RAM regions, where it lies among all RAM,
 * and which of its pages were written, for each client.
 *
 * Memory is reserved, not populated: the host gives pages as they are touched.
 * The dirty bitmaps of a block are one mapping of the same kind, made with the
 * block, so that marking a page never allocates and cannot fail; a bitmap in
 * which nothing was ever marked takes no memory, however often it is looked at.
 * Those of a small block lie behind it, as a page of the host for them would be
 * more than they need.
 *
 * A caller cannot be told on a later page fault that a file system is full, so
 * what can be known when a block is made is asked then: the free space of the
 * file system, or a reservation of huge pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "memory-internal.h"
#include "rcu.h"

/* All live blocks by ascending offset. A leaf lock; not one of glib's, which
 * the thread sanitizer cannot see. */
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *blocks;

static uint64_t host_page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Up to a multiple of @unit, a power of two; 0 where that is past 2^64. */
static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) & -unit;
}

static uint64_t dirty_pages(uint64_t size)
{
    return (size >> TARGET_PAGE_BITS) + !!(size & ~TARGET_PAGE_MASK);
}

/* The clients that exist. */
static const uint8_t dirty_clients[] = {
    DIRTY_MEMORY_VGA, DIRTY_MEMORY_CODE, DIRTY_MEMORY_MIGRATION
};

#define DIRTY_CLIENTS                                                          \
    (1u << DIRTY_MEMORY_VGA | 1u << DIRTY_MEMORY_CODE |                        \
     1u << DIRTY_MEMORY_MIGRATION)

/* Bytes of one client's bitmap: whole words. */
static uint64_t dirty_bytes(uint64_t size)
{
    return round_up(dirty_pages(size), 64) / 8;
}

/* Bytes of the mapping of all bitmaps; 0 where they lie behind the block. */
#define DIRTY_BEHIND 64 /* most bytes of a bitmap there: 2 MiB of memory */

static uint64_t dirty_mapped(uint64_t size)
{
    uint64_t bytes = dirty_bytes(size);

    return bytes <= DIRTY_BEHIND ? 0 : bytes * G_N_ELEMENTS(dirty_clients);
}

/* ---- errors -------------------------------------------------------------- */

/* "@what: cause of @error; @way_out". Always false. */
G_GNUC_PRINTF(4, 5)
static bool fail(GError **err, int error, const char *way_out,
                 const char *what, ...)
{
    va_list ap;
    char *text;

    va_start(ap, what);
    text = g_strdup_vprintf(what, ap);
    va_end(ap);
    g_set_error(err, G_FILE_ERROR, (gint)g_file_error_from_errno(error),
                "%s: %s; %s", text, g_strerror(error), way_out);
    g_free(text);
    return false;
}

/* A request that makes no sense, whatever the host says. Always false. */
G_GNUC_PRINTF(2, 3)
static bool fail_invalid(GError **err, const char *what, ...)
{
    va_list ap;
    char *text;

    va_start(ap, what);
    text = g_strdup_vprintf(what, ap);
    va_end(ap);
    g_set_error_literal(err, G_FILE_ERROR, G_FILE_ERROR_INVAL, text);
    g_free(text);
    return false;
}

/* ---- the space of all RAM ------------------------------------------------ */

static ram_addr_t block_end(const RAMBlock *block)
{
    return block->offset + (dirty_pages(block->size) << TARGET_PAGE_BITS);
}

/* The first gap before a live block that takes @length bytes: the index of that
 * block, and where the gap starts. All of them if none. */
static guint gap_find(uint64_t length, ram_addr_t *offset)
{
    guint i;

    *offset = 0;
    for (i = 0; i < blocks->len; i++) {
        const RAMBlock *next = g_ptr_array_index(blocks, i);

        if (next->offset - *offset >= length) {
            break;
        }
        *offset = block_end(next);
    }
    return i;
}

/* Give @block a place behind all others, or, where there is none left, in a gap
 * between them: false if there is none at all. */
static bool block_insert(RAMBlock *block)
{
    uint64_t length = dirty_pages(block->size) << TARGET_PAGE_BITS;
    ram_addr_t offset = 0;
    bool fits;
    guint i;

    pthread_mutex_lock(&blocks_lock);
    if (!blocks) {
        blocks = g_ptr_array_new();
    }
    i = blocks->len;
    if (i) {
        offset = block_end(g_ptr_array_index(blocks, i - 1));
    }
    /* The last page stays unused: RAM_ADDR_INVALID is in it. */
    if (length > TARGET_PAGE_MASK - offset) {
        i = gap_find(length, &offset);
    }
    fits = length && length <= TARGET_PAGE_MASK - offset;
    if (fits) {
        block->offset = offset;
        g_ptr_array_insert(blocks, (gint)i, block);
    }
    pthread_mutex_unlock(&blocks_lock);
    return fits;
}

static void block_remove(RAMBlock *block)
{
    guint low = 0, high;

    pthread_mutex_lock(&blocks_lock);
    high = blocks->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        const RAMBlock *other = g_ptr_array_index(blocks, middle);

        if (other->offset < block->offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    g_ptr_array_remove_index(blocks, low);
    if (!blocks->len) {
        g_clear_pointer(&blocks, g_ptr_array_unref);
    }
    pthread_mutex_unlock(&blocks_lock);
}

/* ---- making blocks ------------------------------------------------------- */

/* Map @size bytes at a multiple of @align; MAP_FAILED and errno on failure. */
static void *map_aligned(uint64_t size, uint64_t align, int flags, int fd,
                         uint64_t offset)
{
    uint64_t page = host_page_size();
    uint64_t spare = align > page ? align : 0;
    uint8_t *area, *start;
    int saved;

    if (spare + size < size || spare + size > (uint64_t)G_MAXSSIZE) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    if (!spare) {
        return mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd,
                    (off_t)offset);
    }
    area = mmap(NULL, size + spare, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED) {
        return MAP_FAILED;
    }
    start = (uint8_t *)round_up((uintptr_t)area, align);
    if (mmap(start, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd,
             (off_t)offset) == MAP_FAILED) {
        saved = errno;
        munmap(area, size + spare);
        errno = saved;
        return MAP_FAILED;
    }
    if (start > area) {
        munmap(area, (size_t)(start - area));
    }
    if (start + size < area + size + spare) {
        munmap(start + size, (size_t)(area + spare - start));
    }
    return start;
}

/* A block of @size bytes with clear bitmaps; NULL and errno on failure. */
static RAMBlock *block_alloc(uint64_t size)
{
    uint64_t mapped = dirty_mapped(size);
    uint64_t bytes = dirty_bytes(size);
    size_t behind = mapped ? 0 : bytes * G_N_ELEMENTS(dirty_clients);
    RAMBlock *block = g_malloc0(sizeof(*block) + behind);
    uint8_t *bitmaps = (uint8_t *)(block + 1);

    if (mapped) {
        bitmaps = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (bitmaps == MAP_FAILED) {
            g_free(block);
            return NULL;
        }
        /* Or one mark could take 2 MiB. A host without huge pages refuses. */
        madvise(bitmaps, mapped, MADV_NOHUGEPAGE);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(dirty_clients); i++) {
        block->dirty[dirty_clients[i]] = (uint64_t *)(bitmaps + i * bytes);
    }
    block->size = size;
    return block;
}

static void block_free(RAMBlock *block)
{
    uint64_t mapped = dirty_mapped(block->size);

    if (mapped) {
        munmap(block->dirty[dirty_clients[0]], mapped);
    }
    g_free(block);
}

/* A new block over @host, with bitmaps and a place among all RAM. */
static RAMBlock *block_new(uint64_t size, void *host, GError **err)
{
    RAMBlock *block = block_alloc(size);

    if (!block) {
        fail(err, errno, "make the memory smaller, or raise the limit (ulimit "
             "-v)", "dirty bitmaps of %" PRIu64 " bytes for %" PRIu64
             " bytes of memory", dirty_mapped(size), size);
        return NULL;
    }
    block->host = host;
    block->page_size = host_page_size();
    block->fd = -1;
    block->refs = 1;
    if (!block_insert(block)) {
        fail_invalid(err, "no gap of %" PRIu64 " bytes is left among the RAM "
                     "of 2^64 bytes; make the memory smaller", size);
        block_free(block);
        return NULL;
    }
    return block;
}

RAMBlock *ram_block_new_ptr(uint64_t size, void *ptr, GError **err)
{
    if (!size || !ptr || size - 1 > UINTPTR_MAX - (uintptr_t)ptr) {
        fail_invalid(err, "%" PRIu64 " bytes at %p are no memory; give the "
                     "address and size of what is there", size, ptr);
        return NULL;
    }
    return block_new(size, ptr, err);
}

/* What a block is mapped from. */
typedef struct Backing {
    const char *what; /* in messages */
    const char *way_out;
    int fd;
    int flags;
    uint64_t offset;
    uint64_t page_size;
    uint64_t align;
} Backing;

static RAMBlock *block_map(uint64_t size, const Backing *b, GError **err)
{
    uint64_t mapped = round_up(size, b->page_size);
    RAMBlock *block;
    void *host;

    if (!size) {
        fail_invalid(err, "%s of 0 bytes; give a size", b->what);
        return NULL;
    }
    if (!mapped) {
        fail(err, EFBIG, "give a smaller size", "%s of %" PRIu64 " bytes",
             b->what, size);
        return NULL;
    }
    host = map_aligned(mapped, MAX(b->align, b->page_size), b->flags, b->fd,
                       b->offset);
    if (host == MAP_FAILED) {
        fail(err, errno, b->way_out, "cannot map %s of %" PRIu64 " bytes",
             b->what, size);
        return NULL;
    }
    block = block_new(size, host, err);
    if (!block) {
        g_prefix_error(err, "%s: ", b->what);
        munmap(host, mapped);
        return NULL;
    }
    block->mapped = mapped;
    block->page_size = b->page_size;
    block->fd = b->fd;
    block->shared = b->flags & MAP_SHARED;
    return block;
}

/* Where the host can use a huge page for guest memory, let it. */
#define HUGE_ALIGN ((uint64_t)2 << 20)

RAMBlock *ram_block_new(uint64_t size, GError **err)
{
    const Backing b = {
        .what = "guest memory",
        .way_out = "ask for less memory, or raise the limit (ulimit -v, "
                   "vm.overcommit_memory)",
        .fd = -1,
        .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
        .page_size = host_page_size(),
        .align = size >= HUGE_ALIGN ? HUGE_ALIGN : 0,
    };

    return block_map(size, &b, err);
}

void ram_block_ref(RAMBlock *block)
{
    g_atomic_int_inc(&block->refs);
}

void ram_block_unref(RAMBlock *block)
{
    if (!g_atomic_int_dec_and_test(&block->refs)) {
        return;
    }
    block_remove(block);
    if (block->mapped) {
        munmap(block->host, block->mapped);
    }
    if (block->fd >= 0) {
        close(block->fd);
    }
    block_free(block);
}

/* ---- blocks over files --------------------------------------------------- */

/* Refuse what is no file to map, and learn its page size. @path is for
 * messages. */
static bool file_probe(int fd, const char *path, struct stat *st,
                       struct statfs *fs, GError **err)
{
    if (fstat(fd, st) < 0 || fstatfs(fd, fs) < 0) {
        return fail(err, errno, "give a file that can be examined",
                    "memory file '%s'", path);
    }
    if (!S_ISREG(st->st_mode)) {
        return fail_invalid(err, "memory file '%s' is neither a regular file "
                            "nor a directory; name one of these", path);
    }
    return true;
}

static uint64_t file_page_size(const struct statfs *fs)
{
    return fs->f_type == HUGETLBFS_MAGIC ? (uint64_t)fs->f_bsize
                                         : host_page_size();
}

/* Make @fd @size bytes long, and make sure that its file system could hold
 * what will be written. */
static bool file_grow(int fd, const char *path, uint64_t size, bool shared,
                      const struct stat *st, const struct statfs *fs,
                      GError **err)
{
    uint64_t present = (uint64_t)st->st_blocks * 512;
    uint64_t room = (uint64_t)fs->f_bavail * (uint64_t)fs->f_bsize;
    const char *way_out = "free space there, ask for less memory, or use "
                          "another directory";

    /* Only what is written to reaches a disk; on tmpfs reading fills, too.
     * Huge pages are reserved when they are mapped. A tmpfs without a limit
     * says that it has no blocks at all. */
    if (fs->f_type != HUGETLBFS_MAGIC && fs->f_blocks &&
        (shared || fs->f_type == TMPFS_MAGIC) && size > present &&
        size - present > room) {
        return fail(err, ENOSPC, way_out, "memory file '%s' needs %" PRIu64
                    " bytes and its file system has %" PRIu64 " free", path,
                    size - present, room);
    }
    if (size > (uint64_t)G_MAXINT64) {
        return fail(err, EFBIG, way_out, "memory file '%s' of %" PRIu64
                    " bytes", path, size);
    }
    if ((uint64_t)st->st_size < size && ftruncate(fd, (off_t)size) < 0) {
        return fail(err, errno, way_out, "memory file '%s' cannot be made %"
                    PRIu64 " bytes long", path, size);
    }
    return true;
}

static RAMBlock *file_map(uint64_t size, uint64_t align, uint32_t ram_flags,
                          int fd, uint64_t offset, uint64_t page_size,
                          const char *path, GError **err)
{
    /* Huge pages that the pool lacks must be missed now, not on a fault. */
    bool huge = page_size > host_page_size();
    char *what = g_strdup_printf("memory file '%s'", path);
    const Backing b = {
        .what = what,
        .way_out = huge ? "reserve more huge pages (vm.nr_hugepages), ask for "
                          "less memory, or use another directory"
                        : "ask for less memory, or raise the limit (ulimit -v)",
        .fd = fd,
        .flags = (ram_flags & RAM_SHARED ? MAP_SHARED : MAP_PRIVATE) |
                 (huge ? 0 : MAP_NORESERVE),
        .offset = offset,
        .page_size = page_size,
        .align = align,
    };
    RAMBlock *block = block_map(size, &b, err);

    g_free(what);
    return block;
}

/* An unnamed file of ours; sealed, so that nobody it is passed to can take the
 * pages away under us. */
static RAMBlock *block_new_memfd(uint64_t size, GError **err)
{
    const char *path = "memfd";
    const char *way_out = "ask for less memory";
    uint64_t length = round_up(size, host_page_size());
    RAMBlock *block;
    int fd = memfd_create("flatview-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        fail(err, errno, "raise the limit on open files (ulimit -n)",
             "memory file '%s' of %" PRIu64 " bytes cannot be made", path,
             size);
        return NULL;
    }
    if (length > (uint64_t)G_MAXINT64) {
        fail(err, EFBIG, way_out, "memory file '%s' of %" PRIu64 " bytes",
             path, size);
        goto fail;
    }
    if (ftruncate(fd, (off_t)length) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        fail(err, errno, way_out, "memory file '%s' cannot be made %" PRIu64
             " bytes long", path, length);
        goto fail;
    }
    block = file_map(size, 0, RAM_SHARED, fd, 0, host_page_size(), path, err);
    if (!block) {
        goto fail;
    }
    return block;

fail:
    close(fd);
    return NULL;
}

RAMBlock *ram_block_new_fd(uint64_t size, uint32_t ram_flags, int fd,
                           uint64_t offset, GError **err)
{
    struct stat st;
    struct statfs fs;
    uint64_t page_size, end;
    char path[32];

    if (fd < 0) {
        return block_new_memfd(size, err);
    }
    g_snprintf(path, sizeof(path), "descriptor %d", fd);
    if (!file_probe(fd, path, &st, &fs, err)) {
        return NULL;
    }
    page_size = file_page_size(&fs);
    if (offset & (page_size - 1)) {
        fail_invalid(err, "memory file '%s': offset %" PRIu64 " is no multiple "
                     "of its page size, %" PRIu64 "; round it", path, offset,
                     page_size);
        return NULL;
    }
    if (__builtin_add_overflow(offset, size, &end) ||
        end > (uint64_t)st.st_size) {
        fail_invalid(err, "memory file '%s' is %" PRIu64 " bytes long, too "
                     "short for %" PRIu64 " bytes from %" PRIu64 "; make it "
                     "longer", path, (uint64_t)st.st_size, size, offset);
        return NULL;
    }
    return file_map(size, 0, ram_flags, fd, offset, page_size, path, err);
}

/* Open the file @path, or make it; or, if it is a directory, an unnamed file
 * in it. *@made: the file was not there before. -1 and errno on failure. */
static int file_open(const char *path, bool *made)
{
    /* Neither a FIFO nor a terminal must hold us up or attach to us. */
    const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(path, flags);

    *made = false;
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, flags | O_CREAT | O_EXCL, 0600);
        *made = fd >= 0;
        if (fd < 0 && errno == EEXIST) { /* made by another meanwhile */
            fd = open(path, flags);
        }
    }
    if (fd < 0 && errno == EISDIR) {
        char *name = g_build_filename(path, "flatview-ram-XXXXXX", NULL);

        fd = g_mkstemp_full(name, flags, 0600);
        if (fd >= 0) {
            unlink(name);
        }
        g_free(name);
    }
    return fd;
}

RAMBlock *ram_block_new_file(uint64_t size, uint64_t align, uint32_t ram_flags,
                             const char *path, GError **err)
{
    RAMBlock *block = NULL;
    struct stat st;
    struct statfs fs;
    uint64_t page_size, length;
    bool made;
    int fd;

    if (align & (align - 1)) {
        fail_invalid(err, "memory file '%s': alignment %" PRIu64 " is no power "
                     "of two; choose one", path, align);
        return NULL;
    }
    fd = file_open(path, &made);
    if (fd < 0) {
        fail(err, errno, "name a file or directory that can be written",
             "memory file '%s' cannot be opened", path);
        return NULL;
    }
    if (file_probe(fd, path, &st, &fs, err)) {
        page_size = file_page_size(&fs);
        length = round_up(size, page_size);
        if (file_grow(fd, path, length ? length : size, ram_flags & RAM_SHARED,
                      &st, &fs, err)) {
            block = file_map(size, align, ram_flags, fd, 0, page_size, path,
                             err);
        }
    }
    if (!block) {
        close(fd);
        if (made) {
            unlink(path);
        }
    }
    return block;
}

/* ---- dirty pages --------------------------------------------------------- */

/* Pages @first to @end - 1, none of them past the bitmap. */
typedef struct PageRange {
    uint64_t first;
    uint64_t end;
} PageRange;

/* The pages of the part of @offset, @len that is inside @block. */
static PageRange block_pages(const RAMBlock *block, uint64_t offset,
                             uint64_t len)
{
    if (offset >= block->size || !len) {
        return (PageRange){ 0, 0 };
    }
    len = MIN(len, block->size - offset);
    return (PageRange){
        offset >> TARGET_PAGE_BITS,
        ((offset + len - 1) >> TARGET_PAGE_BITS) + 1,
    };
}

/* The word of a bitmap that is the first, and one behind the last, of @r. */
static inline uint64_t first_word(PageRange r)
{
    return r.first / 64;
}

static inline uint64_t end_word(PageRange r)
{
    return r.end / 64 + !!(r.end % 64);
}

/* The pages of @r that word @index of a bitmap is about. */
static inline uint64_t word_mask(PageRange r, uint64_t index)
{
    uint64_t mask = UINT64_MAX;

    if (index == r.first / 64) {
        mask &= UINT64_MAX << (r.first % 64);
    }
    if (index == (r.end - 1) / 64) {
        mask &= UINT64_MAX >> (63 - (r.end - 1) % 64);
    }
    return mask;
}

/* The first word from @index on that has a bit set; @end if none. A clean word
 * costs one load. */
static inline uint64_t skip_clean(const uint64_t *words, uint64_t index,
                                  uint64_t end)
{
    while (index < end && !__atomic_load_n(&words[index], __ATOMIC_RELAXED)) {
        index++;
    }
    return index;
}

/* Make sure that what was written to memory is seen by whoever clears a bit
 * that is found set here, and so is not set again. */
static inline void mark_barrier(void)
{
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
}

static inline void word_set(uint64_t *word, uint64_t mask)
{
    if (mask & ~__atomic_load_n(word, __ATOMIC_RELAXED)) {
        __atomic_fetch_or(word, mask, __ATOMIC_SEQ_CST);
    }
}

void ram_block_mark_dirty(RAMBlock *block, uint64_t offset, uint64_t len,
                          unsigned mask)
{
    PageRange r = block_pages(block, offset, len);

    if (r.first == r.end) {
        return;
    }
    mark_barrier();
    for (mask &= DIRTY_CLIENTS; mask; mask &= mask - 1) {
        uint64_t *words = block->dirty[__builtin_ctz(mask)];

        for (uint64_t i = first_word(r); i < end_word(r); i++) {
            word_set(&words[i], word_mask(r, i));
        }
    }
}

/* Bit i of @bitmap says that page @first + i was written; none of the @pages
 * is past the block. Both are gone through word by word, although a word of
 * one may be parts of two of the other. */
static void merge_pages(RAMBlock *block, uint64_t first,
                        const uint64_t *bitmap, uint64_t pages,
                        unsigned clients)
{
    uint64_t words = pages / 64 + !!(pages % 64);
    uint64_t target = first / 64;
    unsigned shift = first % 64;
    uint64_t carry = 0;

    for (uint64_t i = 0; i < words || carry; i++, target++) {
        uint64_t bits = i < words ? bitmap[i] : 0;
        uint64_t word;

        if (!(bits | carry)) {
            continue;
        }
        if (i == pages / 64) {
            bits &= ~(UINT64_MAX << (pages % 64));
        }
        word = bits << shift | carry;
        carry = bits >> 1 >> (63 - shift);
        for (unsigned left = clients; word && left; left &= left - 1) {
            word_set(&block->dirty[__builtin_ctz(left)][target], word);
        }
    }
}

void ram_wait_for_writers(void)
{
    memory_rcu_synchronize();
}

/* The region whose memory @mr shows, with @addr and @size made relative to it
 * and clipped on the way. NULL where nothing is left. */
static MemoryRegion *resolve(MemoryRegion *mr, hwaddr *addr, hwaddr *size)
{
    for (;;) {
        if (*addr >= mr->size || !*size) {
            return NULL;
        }
        if (*size > mr->size - *addr) {
            *size = (hwaddr)(mr->size - *addr);
        }
        if (!mr->alias) {
            return mr->ram_block ? mr : NULL;
        }
        if (__builtin_add_overflow(*addr, mr->alias_offset, addr)) {
            return NULL;
        }
        mr = mr->alias;
    }
}

/* The same for all memory of RAM, also what it has shown before it was made smaller:
 * what the guest wrote there is told when the slot goes, and may be shown again. */
static MemoryRegion *resolve_memory(MemoryRegion *mr, hwaddr *addr, hwaddr *size)
{
    if (!mr->ram_block) {
        return resolve(mr, addr, size);
    }
    if (*addr >= mr->ram_block->size || !*size) {
        return NULL;
    }
    *size = MIN(*size, (hwaddr)(mr->ram_block->size - *addr));
    return mr;
}

bool memory_client_check(const MemoryRegion *mr, unsigned client)
{
    if (client >= DIRTY_MEMORY_NUM || !(DIRTY_CLIENTS & 1u << client)) {
        memory_error("region '%s': there is no dirty memory client %u",
                     mr->name, client);
        return false;
    }
    return true;
}

bool memory_region_get_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size,
                             unsigned client)
{
    bool dirty = false;
    MemoryRegion *leaf;

    if (!memory_client_check(mr, client)) {
        return false;
    }
    memory_lock();
    leaf = resolve(mr, &addr, &size);
    if (leaf) {
        PageRange r = block_pages(leaf->ram_block, addr, size);
        const uint64_t *words = leaf->ram_block->dirty[client];
        uint64_t end = end_word(r);

        for (uint64_t i = skip_clean(words, first_word(r), end);
             i < end && !dirty; i = skip_clean(words, i + 1, end)) {
            dirty = __atomic_load_n(&words[i], __ATOMIC_SEQ_CST) &
                    word_mask(r, i);
        }
    }
    memory_unlock();
    return dirty;
}

void memory_region_set_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size)
{
    MemoryRegion *leaf;

    memory_lock();
    leaf = resolve(mr, &addr, &size);
    if (leaf) {
        ram_block_mark_dirty(leaf->ram_block, addr, size, DIRTY_CLIENTS);
    }
    memory_unlock();
}

/* Clear the pages of @r that are dirty for @client, and set them in @taken, if not NULL,
 * whose first word is that of page r.first; whether there were any. */
static bool take_pages(MemoryRegion *leaf, PageRange r, unsigned client,
                       uint64_t *taken)
{
    uint64_t *words = leaf->ram_block->dirty[client];
    uint64_t end = end_word(r);
    PageRange cleared = { 0, 0 };

    for (uint64_t i = skip_clean(words, first_word(r), end); i < end;
         i = skip_clean(words, i + 1, end)) {
        uint64_t mask = word_mask(r, i);
        uint64_t old = __atomic_load_n(&words[i], __ATOMIC_RELAXED) & mask;

        if (!old) {
            continue;
        }
        /* Others only set bits: these clear under the lock. */
        __atomic_fetch_and(&words[i], ~old, __ATOMIC_SEQ_CST);
        if (taken) {
            taken[i - first_word(r)] = old;
        }
        if (!cleared.end) {
            cleared.first = i * 64 + (unsigned)__builtin_ctzll(old);
        }
        cleared.end = i * 64 + 64 - (unsigned)__builtin_clzll(old);
    }
    if (cleared.end) {
        memory_region_log_clear(
            leaf, cleared.first << TARGET_PAGE_BITS,
            (cleared.end - cleared.first) << TARGET_PAGE_BITS);
    }
    return cleared.end;
}

bool memory_region_test_and_clear_dirty(MemoryRegion *mr, hwaddr addr,
                                        hwaddr size, unsigned client)
{
    MemoryRegion *leaf;
    bool dirty;

    if (!memory_client_check(mr, client)) {
        return false;
    }
    memory_lock();
    leaf = resolve(mr, &addr, &size);
    dirty = leaf && take_pages(leaf, block_pages(leaf->ram_block, addr, size),
                               client, NULL);
    memory_unlock();
    return dirty;
}

/* What was dirty of some pages of a block. */
struct DirtyBitmapSnapshot {
    const RAMBlock *block; /* only compared */
    PageRange pages;
    uint64_t words[]; /* as the block's, from the one of the first page on */
};

DirtyBitmapSnapshot *memory_region_snapshot_and_clear_dirty(MemoryRegion *mr,
                                                            hwaddr addr,
                                                            hwaddr size,
                                                            unsigned client)
{
    DirtyBitmapSnapshot *snap = NULL;
    MemoryRegion *leaf;

    if (!memory_client_check(mr, client)) {
        return NULL;
    }
    memory_lock();
    memory_region_sync_dirty_bitmap(mr);
    leaf = resolve(mr, &addr, &size);
    if (leaf) {
        PageRange r = block_pages(leaf->ram_block, addr, size);

        snap = g_malloc0(sizeof(*snap) +
                         (end_word(r) - first_word(r)) * sizeof(snap->words[0]));
        snap->block = leaf->ram_block;
        snap->pages = r;
        if (!take_pages(leaf, r, client, snap->words)) {
            g_clear_pointer(&snap, g_free);
        }
    }
    memory_unlock();
    return snap;
}

bool memory_region_snapshot_get_dirty(MemoryRegion *mr,
                                      const DirtyBitmapSnapshot *snap,
                                      hwaddr addr, hwaddr size)
{
    bool dirty = false;
    MemoryRegion *leaf;

    if (!snap) {
        return false;
    }
    memory_lock();
    leaf = resolve(mr, &addr, &size);
    if (leaf && leaf->ram_block == snap->block) {
        PageRange r = block_pages(snap->block, addr, size);

        r.first = MAX(r.first, snap->pages.first);
        r.end = MIN(r.end, snap->pages.end);
        for (uint64_t i = first_word(r); r.first < r.end && i < end_word(r) && !dirty;
             i++) {
            dirty = snap->words[i - first_word(snap->pages)] & word_mask(r, i);
        }
    }
    memory_unlock();
    return dirty;
}

void memory_region_reset_dirty(MemoryRegion *mr, hwaddr addr, hwaddr size,
                               unsigned client)
{
    memory_region_test_and_clear_dirty(mr, addr, size, client);
}

void memory_region_merge_dirty(MemoryRegion *mr, hwaddr offset,
                               const uint64_t *bitmap, uint64_t pages)
{
    hwaddr size = pages > UINT64_MAX >> TARGET_PAGE_BITS
                      ? UINT64_MAX : pages << TARGET_PAGE_BITS;
    MemoryRegion *leaf;

    memory_lock();
    leaf = resolve_memory(mr, &offset, &size);
    if (leaf) {
        RAMBlock *block = leaf->ram_block;
        unsigned clients = ram_block_dirty_clients(block) & DIRTY_CLIENTS;
        PageRange r = block_pages(block, offset, size);

        mark_barrier();
        merge_pages(block, r.first, bitmap, dirty_pages(size), clients);
        if (offset & ~TARGET_PAGE_MASK) {
            /* Seen through an alias a page may be parts of two. */
            merge_pages(block, r.first + 1, bitmap, r.end - r.first - 1,
                        clients);
        }
    }
    memory_unlock();
}
