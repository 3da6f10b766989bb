/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks: every way to make one, every way that making one fails, the
 * space of all RAM, and looking blocks up by host address.
 *
 * The calls that make blocks are wrapped by the linker; see the Makefile.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "memory-internal.h"
#include "test-util.h"

#define PAGE TARGET_PAGE_SIZE
#define MiB ((uint64_t)1 << 20)
#define ROUND_UP(n, unit) (((n) + (unit) - 1) / (unit) * (unit))

/* ---- failing calls ------------------------------------------------------- */

enum {
    CALL_MMAP,
    CALL_FTRUNCATE,
    CALL_FSTAT,
    CALL_FSTATFS,
    CALL_MEMFD_CREATE,
    CALL_FCNTL,
    CALLS_NR,
};

static int fail_at[CALLS_NR]; /* the call that fails; 0: none */
static int fail_with;
static int calls[CALLS_NR];
static struct statfs *fake_statfs;
static size_t mapped;    /* bytes */
static int mapped_flags; /* of the last large or shared mapping */

static bool call_fails(int which)
{
    calls[which]++;
    if (fail_at[which] && calls[which] == fail_at[which]) {
        errno = fail_with;
        return true;
    }
    return false;
}

/* From now on, call @nr of kind @which fails with @error. */
static void arm(int which, int nr, int error)
{
    memset(calls, 0, sizeof(calls));
    memset(fail_at, 0, sizeof(fail_at));
    fail_at[which] = nr;
    fail_with = error;
}

static void disarm(void)
{
    memset(fail_at, 0, sizeof(fail_at));
}

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd,
                  off_t offset);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd,
                  off_t offset)
{
    void *area = call_fails(CALL_MMAP)
                     ? MAP_FAILED
                     : __real_mmap(addr, len, prot, flags, fd, offset);

    if (area != MAP_FAILED && !(flags & MAP_FIXED)) {
        mapped += ROUND_UP(len, PAGE);
    }
    if (flags & (MAP_FIXED | MAP_SHARED)) {
        mapped_flags = flags;
    }
    return area;
}

int __real_munmap(void *, size_t);
int __wrap_munmap(void *addr, size_t len);
int __wrap_munmap(void *addr, size_t len)
{
    int result = __real_munmap(addr, len);

    expect(!result, "munmap");
    mapped -= ROUND_UP(len, PAGE);
    return result;
}

int __real_ftruncate(int, off_t);
int __wrap_ftruncate(int fd, off_t length);
int __wrap_ftruncate(int fd, off_t length)
{
    return call_fails(CALL_FTRUNCATE) ? -1 : __real_ftruncate(fd, length);
}

int __real_fstat(int, struct stat *);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
    return call_fails(CALL_FSTAT) ? -1 : __real_fstat(fd, st);
}

int __real_fstatfs(int, struct statfs *);
int __wrap_fstatfs(int fd, struct statfs *fs);
int __wrap_fstatfs(int fd, struct statfs *fs)
{
    if (call_fails(CALL_FSTATFS)) {
        return -1;
    }
    if (fake_statfs) {
        *fs = *fake_statfs;
        return 0;
    }
    return __real_fstatfs(fd, fs);
}

int __real_memfd_create(const char *, unsigned);
int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags)
{
    return call_fails(CALL_MEMFD_CREATE) ? -1
                                         : __real_memfd_create(name, flags);
}

int __real_fcntl(int, int, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list ap;
    long arg;

    va_start(ap, command);
    arg = va_arg(ap, long);
    va_end(ap);
    return call_fails(CALL_FCNTL) ? -1 : __real_fcntl(fd, command, arg);
}

/* ---- helpers ------------------------------------------------------------- */

static char *directory; /* an empty one of ours, per test */

static void directory_setup(void)
{
    directory = g_dir_make_tmp("flatview-test-ram-XXXXXX", NULL);
    expect(directory, "no directory for tests");
}

static unsigned directory_entries(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

/* Which must be all that is left. */
static void directory_teardown(const char *file)
{
    if (file) {
        expect(!unlink(file), "unlink");
    }
    expect(!directory_entries(directory), "something was left behind");
    expect(!rmdir(directory), "rmdir");
    g_clear_pointer(&directory, g_free);
}

static char *in_directory(const char *name)
{
    return g_build_filename(directory, name, NULL);
}

/* Open descriptors and mapped bytes: nothing may leak. */
typedef struct Usage {
    unsigned fds;
    size_t mapped;
} Usage;

static Usage usage(void)
{
    return (Usage){ directory_entries("/proc/self/fd"), mapped };
}

static void expect_usage(Usage before)
{
    Usage now = usage();

    expect(now.fds == before.fds, "%u descriptors, not %u", now.fds,
           before.fds);
    expect(now.mapped == before.mapped, "%zu bytes mapped, not %zu", now.mapped,
           before.mapped);
}

/* @err is set, is about all of the words, and is freed. */
static void expect_error(GError *err, ...)
{
    const char *word;
    va_list ap;

    expect(err, "no error set");
    expect(err->domain == G_FILE_ERROR, "another domain");
    va_start(ap, err);
    while ((word = va_arg(ap, const char *))) {
        expect(strstr(err->message, word), "no '%s' in: %s", word,
               err->message);
    }
    va_end(ap);
    expect(strchr(err->message, ';'), "no way out in: %s", err->message);
    expect(!strchr(err->message, '\n'), "a newline in: %s", err->message);
    g_error_free(err);
}

static void expect_ok(const RAMBlock *block, const GError *err)
{
    expect(!err, "%s", err->message);
    expect(block, "no block");
}

static bool all_zero(const uint8_t *p, size_t n)
{
    return !*p && !memcmp(p, p + 1, n - 1);
}

/* ---- anonymous memory ---------------------------------------------------- */

START_TEST(anonymous)
{
    static const uint64_t sizes[] = { 1, PAGE - 1, PAGE, PAGE + 1, 2 * MiB,
                                      2 * MiB + 1, 5 * MiB };

    Usage before = usage();

    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint64_t size = sizes[i];
        GError *err = NULL;
        RAMBlock *block = ram_block_new(size, &err);

        expect_ok(block, err);
        expect(block->size == size && block->mapped >= size, "size");
        expect(block->fd == -1 && !block->shared && block->refs == 1, "fields");
        expect(!((uintptr_t)block->host % PAGE), "unaligned");
        expect(size < 2 * MiB || !((uintptr_t)block->host % (2 * MiB)),
               "no place for huge pages");
        expect(all_zero(block->host, block->mapped), "not zeroed");
        memset(block->host, 0xaa, block->mapped);
        expect(size < 2 * MiB || mapped_flags & MAP_NORESERVE, "reserved");
        expect((mapped - before.mapped > ROUND_UP(size, PAGE)) ==
                   (size > 2 * MiB), "bitmaps with or without a mapping");
        ram_block_unref(block);
    }
    expect_usage(before);
}
END_TEST

/* Nothing is populated: more than most hosts have, and bitmaps to match.
 * FLATVIEW_SPARSE_SIZE: bytes, for tools that leave less address space. */
START_TEST(sparse)
{
    GError *err = NULL;
    uint64_t size = test_number("FLATVIEW_SPARSE_SIZE", (uint64_t)1 << 38);
    RAMBlock *block;

    block = ram_block_new(size, &err);
    expect_ok(block, err);
    block->host[0] = 1;
    block->host[size - 1] = 2;
    ram_block_mark_dirty(block, size - 1, 1, 1);
    expect(block->dirty[0][(size - 1) / PAGE / 64] ==
               (uint64_t)1 << (size - 1) / PAGE % 64, "last page");
    ram_block_unref(block);
}
END_TEST

START_TEST(anonymous_failures)
{
    GError *err = NULL;
    Usage before = usage();

    expect(!ram_block_new(0, &err), "size 0");
    expect_error(g_steal_pointer(&err), "0 bytes", NULL);
    expect(!ram_block_new(UINT64_MAX, &err), "2^64");
    expect_error(g_steal_pointer(&err), "18446744073709551615", NULL);
    expect(!ram_block_new(-2 * PAGE, &err), "nearly 2^64");
    expect_error(g_steal_pointer(&err), "18446744073709543424",
                 "annot allocate memory", NULL);
    expect(!ram_block_new((uint64_t)1 << 63, &err), "2^63");
    expect_error(g_steal_pointer(&err), "9223372036854775808", NULL);
    expect(!ram_block_new((uint64_t)1 << 62, &err), "2^62");
    expect_error(g_steal_pointer(&err), "4611686018427387904", "ask for less",
                 NULL);

    /* A small block: its memory, with the bitmaps behind the block. */
    arm(CALL_MMAP, 1, ENOMEM);
    expect(!ram_block_new(PAGE, &err), "mmap");
    expect_error(g_steal_pointer(&err), "annot allocate memory", "4096", NULL);
    /* A large one: the reservation, the memory in it, the bitmaps. */
    for (int nr = 1; nr <= 3; nr++) {
        arm(CALL_MMAP, nr, ENOMEM);
        expect(!ram_block_new(4 * MiB, &err), "mmap %d", nr);
        expect_error(g_steal_pointer(&err), "annot allocate memory", "4194304",
                     NULL);
    }
    disarm();
    expect_usage(before);

    /* Through the public call, and the region needs no destroy. */
    MemoryRegion mr;

    arm(CALL_MMAP, 1, ENOMEM);
    expect(!memory_region_try_init_ram(&mr, "ram", PAGE, &err), "no failure");
    expect_error(g_steal_pointer(&err), "annot allocate memory", NULL);
    disarm();
    expect(memory_region_try_init_ram(&mr, "ram", PAGE, &err), "failure");
    memory_region_destroy(&mr);
}
END_TEST

/* The call that cannot tell exits with status 1, and says why. */
START_TEST(init_ram_exits)
{
    MemoryRegion mr;

    arm(CALL_MMAP, 1, ENOMEM);
    memory_region_init_ram(&mr, "ram", PAGE);
    test_fail("returned");
}
END_TEST

START_TEST(callers_memory)
{
    GError *err = NULL;
    uint8_t *memory = g_malloc(3 * PAGE);
    RAMBlock *block = ram_block_new_ptr(2 * PAGE + 5, memory, &err);

    expect_ok(block, err);
    expect(block->host == memory && !block->mapped && block->fd == -1,
           "fields");
    ram_block_unref(block);
    memset(memory, 1, 3 * PAGE); /* still the caller's */
    g_free(memory);

    expect(!ram_block_new_ptr(PAGE, NULL, &err), "NULL");
    expect_error(g_steal_pointer(&err), "4096", NULL);
    expect(!ram_block_new_ptr(0, &err, &err), "size 0");
    expect_error(g_steal_pointer(&err), "0 bytes", NULL);
    expect(!ram_block_new_ptr(UINT64_MAX, &err, &err), "past the end");
    expect_error(g_steal_pointer(&err), "18446744073709551615", NULL);
}
END_TEST

/* ---- the space of all RAM, and looking up -------------------------------- */

#define BLOCKS 40

/* Live blocks never overlap, start at pages, one behind the other. */
START_TEST(offsets)
{
    uint64_t seed = test_number("FLATVIEW_SEED", (uint64_t)g_get_real_time());
    GRand *rand = g_rand_new_with_seed((guint32)seed);
    RAMBlock *blocks[BLOCKS] = { NULL };

    g_snprintf(test_context, sizeof(test_context), "FLATVIEW_SEED=%" PRIu64
               ": ", seed);
    for (unsigned step = 0; step < 4000; step++) {
        unsigned i = (unsigned)g_rand_int_range(rand, 0, BLOCKS);

        if (blocks[i]) {
            ram_block_unref(blocks[i]);
            blocks[i] = NULL;
            continue;
        }

        uint64_t size = (uint64_t)g_rand_int_range(rand, 1, 5 * (gint)PAGE);
        uint64_t wanted = 0;
        GError *err = NULL;

        for (unsigned j = 0; j < BLOCKS; j++) {
            if (blocks[j]) {
                wanted = MAX(wanted, blocks[j]->offset +
                                         ROUND_UP(blocks[j]->size, PAGE));
            }
        }
        blocks[i] = ram_block_new(size, &err);
        expect_ok(blocks[i], err);
        expect_hex(blocks[i]->offset, wanted);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (blocks[i]) {
            ram_block_unref(blocks[i]);
        }
    }
    g_rand_free(rand);
    test_context[0] = '\0';
}
END_TEST

/* Blocks of nearly 2^64 bytes, which no host has: pretend that one is there. */
START_TEST(offsets_run_out)
{
    GError *err = NULL;
    RAMBlock *a = ram_block_new(PAGE, &err), *b;
    size_t before = mapped;

    expect_ok(a, err);
    a->size = -10 * PAGE;
    expect(!ram_block_new(10 * PAGE, &err), "the last page was given away");
    expect_error(g_steal_pointer(&err), "no gap of 40960 bytes", NULL);
    expect(mapped == before, "a leak");
    b = ram_block_new(9 * PAGE, &err);
    expect_ok(b, err);
    expect_hex(b->offset, -10 * PAGE);
    expect(!ram_block_new(1, &err), "full");
    expect_error(g_steal_pointer(&err), "no gap of 1 bytes", NULL);
    ram_block_unref(b);
    a->size = PAGE;

    /* Nothing is left behind the last: the lowest gap that is large enough. */
    RAMBlock *c[4];

    for (unsigned i = 0; i < 4; i++) {
        c[i] = ram_block_new(2 * PAGE, &err);
        expect_ok(c[i], err);
    }
    c[3]->size = -8 * PAGE;
    ram_block_unref(a);
    ram_block_unref(c[1]);
    for (unsigned i = 0; i < 2; i++) {
        b = ram_block_new(2 * PAGE - i * PAGE, &err);
        expect_ok(b, err);
        expect_hex(b->offset, i ? 0 : 3 * PAGE);
        *(i ? &a : &c[1]) = b;
    }
    expect(!ram_block_new(1, &err), "full again");
    expect_error(g_steal_pointer(&err), "no gap of 1 bytes", NULL);
    c[3]->size = 2 * PAGE;
    ram_block_unref(a);
    for (unsigned i = 0; i < 4; i++) {
        ram_block_unref(c[i]);
    }
}
END_TEST

/* Host addresses in the space of all RAM, seen from outside. */
START_TEST(ram_addr)
{
    MemoryRegion a, b, alias, io;

    memory_region_init_ram(&a, "a", 2 * PAGE);
    memory_region_init_ram(&b, "b", PAGE);
    memory_region_init_alias(&alias, "alias", &b, 16, 16);
    memory_region_init(&io, "container", PAGE);
    expect_hex(memory_region_get_ram_addr(&b),
               memory_region_get_ram_addr(&a) + 2 * PAGE);
    expect_hex(memory_region_get_ram_addr(&alias),
               memory_region_get_ram_addr(&b) + 16);
    expect_hex(memory_region_get_ram_addr(&io), RAM_ADDR_INVALID);
    expect((uint8_t *)memory_region_get_ram_ptr(&b) + 16 ==
               memory_region_get_ram_ptr(&alias), "pointer");
    memory_region_destroy(&alias);
    memory_region_destroy(&a);
    memory_region_destroy(&b);
    memory_region_destroy(&io);
}
END_TEST

/* ---- descriptors --------------------------------------------------------- */

START_TEST(memfd)
{
    GError *err = NULL;
    Usage before = usage();
    RAMBlock *block = ram_block_new_fd(PAGE + 1, 0, -1, 0, &err);
    uint8_t byte;

    expect_ok(block, err);
    expect(block->fd >= 0 && block->shared, "fields");
    expect(fcntl(block->fd, F_GETFD) & FD_CLOEXEC, "inherited by programs");
    block->host[PAGE] = 0x5a;
    expect(pread(block->fd, &byte, 1, PAGE) == 1 && byte == 0x5a, "not shared");
    expect(__real_ftruncate(block->fd, 0) < 0 && errno == EPERM,
           "can be taken away under us");
    ram_block_unref(block);

    arm(CALL_MEMFD_CREATE, 1, EMFILE);
    expect(!ram_block_new_fd(PAGE, 0, -1, 0, &err), "memfd_create");
    expect_error(g_steal_pointer(&err), "Too many open files", "memfd", NULL);
    arm(CALL_FTRUNCATE, 1, ENOSPC);
    expect(!ram_block_new_fd(PAGE, 0, -1, 0, &err), "ftruncate");
    expect_error(g_steal_pointer(&err), "No space left", "4096", NULL);
    arm(CALL_FCNTL, 1, EPERM);
    expect(!ram_block_new_fd(PAGE, 0, -1, 0, &err), "fcntl");
    expect_error(g_steal_pointer(&err), "not permitted", "4096", NULL);
    for (int nr = 1; nr <= 2; nr++) {
        arm(CALL_MMAP, nr, ENOMEM);
        expect(!ram_block_new_fd(3 * MiB, 0, -1, 0, &err), "mmap %d", nr);
        expect_error(g_steal_pointer(&err), "annot allocate memory", NULL);
    }
    disarm();
    expect(!ram_block_new_fd(0, 0, -1, 0, &err), "size 0");
    expect_error(g_steal_pointer(&err), "0 bytes", NULL);
    expect(!ram_block_new_fd(UINT64_MAX, 0, -1, 0, &err), "2^64");
    expect_error(g_steal_pointer(&err), "18446744073709551615", NULL);
    expect(!ram_block_new_fd((uint64_t)1 << 63, 0, -1, 0, &err), "2^63");
    expect_error(g_steal_pointer(&err), "9223372036854775808", NULL);
    expect_usage(before);
}
END_TEST

START_TEST(descriptor)
{
    GError *err = NULL;
    char *path;
    RAMBlock *block;
    uint8_t byte;
    int fd;

    directory_setup();
    path = in_directory("file");
    fd = open(path, O_RDWR | O_CREAT, 0600);
    expect(fd >= 0 && !__real_ftruncate(fd, 3 * PAGE), "file");
    expect(pwrite(fd, "x", 1, PAGE) == 1, "pwrite");

    /* Private: the file is read, and not written. */
    block = ram_block_new_fd(2 * PAGE, 0, dup(fd), PAGE, &err);
    expect_ok(block, err);
    expect(block->host[0] == 'x' && !block->shared, "content");
    block->host[0] = 'y';
    expect(pread(fd, &byte, 1, PAGE) == 1 && byte == 'x', "shared");
    ram_block_unref(block);

    block = ram_block_new_fd(2 * PAGE, RAM_SHARED, dup(fd), PAGE, &err);
    expect_ok(block, err);
    block->host[0] = 'z';
    expect(block->shared && pread(fd, &byte, 1, PAGE) == 1 && byte == 'z',
           "private");
    ram_block_unref(block);

    /* Failures leave the descriptor to the caller. */
    expect(!ram_block_new_fd(PAGE, 0, fd, 5, &err), "offset 5");
    expect_error(g_steal_pointer(&err), "offset 5", "4096", NULL);
    expect(!ram_block_new_fd(3 * PAGE, 0, fd, PAGE, &err), "too short");
    expect_error(g_steal_pointer(&err), "12288 bytes long", "from 4096", NULL);
    expect(!ram_block_new_fd(2 * PAGE, 0, fd, -2 * PAGE, &err), "overflow");
    expect_error(g_steal_pointer(&err), "too short", NULL);
    expect(!ram_block_new_fd(0, 0, fd, 0, &err), "size 0");
    expect_error(g_steal_pointer(&err), "0 bytes", NULL);
    arm(CALL_FSTAT, 1, EIO);
    expect(!ram_block_new_fd(PAGE, 0, fd, 0, &err), "fstat");
    expect_error(g_steal_pointer(&err), "Input/output error", "descriptor",
                 NULL);
    arm(CALL_FSTATFS, 1, EIO);
    expect(!ram_block_new_fd(PAGE, 0, fd, 0, &err), "fstatfs");
    expect_error(g_steal_pointer(&err), "Input/output error", NULL);
    arm(CALL_MMAP, 1, ENODEV);
    expect(!ram_block_new_fd(PAGE, 0, fd, 0, &err), "mmap");
    expect_error(g_steal_pointer(&err), "No such device", "descriptor", NULL);
    disarm();
    expect(fcntl(fd, F_GETFD) >= 0, "closed");
    expect(!close(fd), "close");
    expect(!ram_block_new_fd(PAGE, 0, fd, 0, &err), "closed descriptor");
    expect_error(g_steal_pointer(&err), "Bad file descriptor", NULL);

    int pipes[2];

    expect(!pipe(pipes), "pipe");
    expect(!ram_block_new_fd(PAGE, 0, pipes[0], 0, &err), "pipe");
    expect_error(g_steal_pointer(&err), "regular file", NULL);
    close(pipes[0]);
    close(pipes[1]);
    directory_teardown(path);
    g_free(path);
}
END_TEST

/* ---- files --------------------------------------------------------------- */

START_TEST(file)
{
    GError *err = NULL;
    Usage before = usage();
    RAMBlock *block;
    struct stat st;
    char *path;

    directory_setup();
    path = in_directory("ram");

    /* Made, whole pages long, closed to others, shared. */
    block = ram_block_new_file(PAGE + 1, 0, RAM_SHARED, path, &err);
    expect_ok(block, err);
    expect(block->shared && block->fd >= 0, "fields");
    expect(fcntl(block->fd, F_GETFD) & FD_CLOEXEC, "inherited by programs");
    memset(block->host, 0x77, PAGE + 1);
    expect(!stat(path, &st) && st.st_size == 2 * (off_t)PAGE &&
           (st.st_mode & 07777) == 0600, "file");
    ram_block_unref(block);

    /* Found again; private writes stay ours; never shortened. */
    block = ram_block_new_file(PAGE, 0, 0, path, &err);
    expect_ok(block, err);
    expect(block->host[0] == 0x77 && !block->shared, "content");
    block->host[0] = 1;
    ram_block_unref(block);
    expect(!stat(path, &st) && st.st_size == 2 * (off_t)PAGE, "shortened");

    /* Grown; the new part is zero. */
    block = ram_block_new_file(3 * PAGE, 16 * MiB, 0, path, &err);
    expect_ok(block, err);
    expect(!((uintptr_t)block->host % (16 * MiB)), "alignment");
    expect(block->host[0] == 0x77 && all_zero(block->host + 2 * PAGE, PAGE),
           "content");
    ram_block_unref(block);
    expect(!stat(path, &st) && st.st_size == 3 * (off_t)PAGE, "not grown");
    directory_teardown(path);
    g_free(path);
    expect_usage(before);
}
END_TEST

START_TEST(file_in_directory)
{
    GError *err = NULL;
    RAMBlock *a, *b;

    directory_setup();
    a = ram_block_new_file(PAGE, 0, RAM_SHARED, directory, &err);
    expect_ok(a, err);
    b = ram_block_new_file(PAGE, 0, RAM_SHARED, directory, &err);
    expect_ok(b, err);
    expect(!directory_entries(directory), "named");
    a->host[0] = 1;
    expect(!b->host[0], "one file for two blocks");
    ram_block_unref(a);
    ram_block_unref(b);
    directory_teardown(NULL);
}
END_TEST

/* Each of these fails, says why, and leaves nothing behind. */
START_TEST(file_failures)
{
    GError *err = NULL;
    Usage before = usage();
    char *path, *link, device[32];
    int fd;

    directory_setup();
    path = in_directory("ram");
    link = in_directory("link");

    expect(!ram_block_new_file(PAGE, 3, 0, path, &err), "alignment 3");
    expect_error(g_steal_pointer(&err), "alignment 3", path, NULL);
    expect(!ram_block_new_file(PAGE, (uint64_t)1 << 63, 0, path, &err),
           "alignment 2^63");
    expect_error(g_steal_pointer(&err), "annot allocate memory", path, NULL);
    expect(!ram_block_new_file(0, 0, 0, path, &err), "size 0");
    expect_error(g_steal_pointer(&err), "0 bytes", path, NULL);
    expect(!ram_block_new_file(UINT64_MAX, 0, 0, path, &err), "2^64");
    expect_error(g_steal_pointer(&err), path, NULL);
    expect(!ram_block_new_file(UINT64_MAX, 0, RAM_SHARED, path, &err), "2^64");
    expect_error(g_steal_pointer(&err), path, "No space left", NULL);
    expect(!ram_block_new_file((uint64_t)1 << 63, 0, 0, path, &err), "2^63");
    expect_error(g_steal_pointer(&err), path, NULL);
    expect(!directory_entries(directory), "made, and left behind");

    /* A device; by a name that a wrong cleanup could not remove. */
    fd = open("/dev/null", O_RDWR);
    g_snprintf(device, sizeof(device), "/proc/self/fd/%d", fd);
    expect(!ram_block_new_file(PAGE, 0, 0, device, &err), "/dev/null");
    expect_error(g_steal_pointer(&err), device, "regular file", NULL);
    expect(!close(fd), "close");
    expect(!ram_block_new_file(PAGE, 0, 0, "/nonexistent/ram", &err),
           "no such directory");
    expect_error(g_steal_pointer(&err), "/nonexistent/ram", "No such file",
                 NULL);
    expect(!ram_block_new_file(PAGE, 0, 0, "", &err), "empty name");
    expect_error(g_steal_pointer(&err), "No such file", NULL);
    expect(!ram_block_new_file(PAGE, 0, 0, "/proc/self", &err),
           "no files there");
    expect_error(g_steal_pointer(&err), "/proc/self", NULL);
    expect(!ram_block_new_file(PAGE, 0, 0, "/proc/version", &err), "/proc");
    expect_error(g_steal_pointer(&err), "/proc/version", NULL);

    expect(!mkfifo(path, 0600), "mkfifo");
    expect(!ram_block_new_file(PAGE, 0, 0, path, &err), "FIFO");
    expect_error(g_steal_pointer(&err), path, "regular file", NULL);
    expect(!unlink(path), "removed a file that is not ours");

    expect(!symlink("nowhere", link), "symlink");
    expect(!ram_block_new_file(PAGE, 0, 0, link, &err), "link to nowhere");
    expect_error(g_steal_pointer(&err), link, "No such file", NULL);
    expect(!unlink(link), "removed a file that is not ours");

    expect(!symlink("link", link), "symlink");
    expect(!ram_block_new_file(PAGE, 0, 0, link, &err), "link to itself");
    expect_error(g_steal_pointer(&err), link, NULL);
    expect(!unlink(link), "removed a file that is not ours");

    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    expect(!bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
    expect(!ram_block_new_file(PAGE, 0, 0, path, &err), "socket");
    expect_error(g_steal_pointer(&err), path, NULL);
    expect(!close(fd) && !unlink(path), "socket");

    if (getuid()) {
        expect(!chmod(directory, 0500), "chmod");
        expect(!ram_block_new_file(PAGE, 0, 0, directory, &err), "no right");
        expect_error(g_steal_pointer(&err), directory, "ermission denied",
                     NULL);
        expect(!chmod(directory, 0700), "chmod");
    }
    directory_teardown(NULL);
    g_free(path);
    g_free(link);
    expect_usage(before);
}
END_TEST

/* The same where a call fails half way; files that were there stay. */
START_TEST(file_calls_fail)
{
    static const struct {
        int call, nr, error;
        const char *word;
    } cases[] = {
        { CALL_FSTAT, 1, EIO, "Input/output error" },
        { CALL_FSTATFS, 1, EIO, "Input/output error" },
        { CALL_FTRUNCATE, 1, EFBIG, "File too large" },
        { CALL_FTRUNCATE, 1, ENOSPC, "No space left" },
        { CALL_MMAP, 1, ENOMEM, "annot allocate memory" },
        { CALL_MMAP, 1, ENODEV, "No such device" },
        { CALL_MMAP, 2, ENOMEM, "annot allocate memory" },
    };
    GError *err = NULL;
    Usage before = usage();
    char *path;

    directory_setup();
    path = in_directory("ram");
    for (unsigned there = 0; there < 2; there++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
            if (there) {
                expect(g_file_set_contents(path, "x", 1, NULL), "file");
            }
            arm(cases[i].call, cases[i].nr, cases[i].error);
            expect(!ram_block_new_file(3 * MiB, 0, RAM_SHARED, path, &err),
                   "case %u", i);
            expect_error(g_steal_pointer(&err), cases[i].word, path, NULL);
            disarm();
            expect((unlink(path) == 0) == there, there ? "removed" : "left behind");

            arm(cases[i].call, cases[i].nr, cases[i].error);
            expect(!ram_block_new_file(3 * MiB, 0, RAM_SHARED, directory,
                                       &err), "case %u", i);
            expect_error(g_steal_pointer(&err), cases[i].word, directory,
                         NULL);
            disarm();
            expect(!directory_entries(directory), "left behind");
        }
    }
    directory_teardown(NULL);
    g_free(path);
    expect_usage(before);
}
END_TEST

/* What a full file system, and huge pages, are like, without having them. */
START_TEST(file_systems)
{
    struct statfs fs = { .f_type = TMPFS_MAGIC, .f_bsize = 4096,
                         .f_blocks = 100, .f_bavail = 3 };
    GError *err = NULL;
    char *path, *word;
    RAMBlock *block;

    directory_setup();
    path = in_directory("ram");
    fake_statfs = &fs;

    /* A private file on tmpfs takes space for what is only read. */
    expect(!ram_block_new_file(4 * PAGE, 0, 0, path, &err), "full");
    expect_error(g_steal_pointer(&err), path, "16384", "12288",
                 "No space left", "free space", NULL);
    block = ram_block_new_file(3 * PAGE, 0, 0, path, &err);
    expect_ok(block, err);
    ram_block_unref(block);

    /* On a disk it does not. */
    fs.f_type = EXT4_SUPER_MAGIC;
    block = ram_block_new_file(8 * PAGE, 0, 0, path, &err);
    expect_ok(block, err);
    ram_block_unref(block);
    expect(!ram_block_new_file(16 * PAGE, 0, RAM_SHARED, path, &err), "full");
    expect_error(g_steal_pointer(&err), path, "No space left", NULL);

    /* What the file has already is not asked for again. */
    char *content = g_malloc0(8 * PAGE);

    expect(g_file_set_contents(path, content, 8 * PAGE, NULL), "file");
    g_free(content);
    int fd = open(path, O_RDWR);
    expect(fd >= 0 && !fsync(fd) && !close(fd), "fsync");
    fs.f_bavail = 0;
    block = ram_block_new_file(8 * PAGE, 0, RAM_SHARED, path, &err);
    expect_ok(block, err);
    ram_block_unref(block);
    expect(!unlink(path), "unlink");

    /* tmpfs without a limit. */
    fs = (struct statfs){ .f_type = TMPFS_MAGIC, .f_bsize = 4096 };
    block = ram_block_new_file(8 * PAGE, 0, RAM_SHARED, path, &err);
    expect_ok(block, err);
    ram_block_unref(block);
    expect(!unlink(path), "unlink");

    /* Huge pages: whole ones, at multiples of one. */
    fs = (struct statfs){ .f_type = HUGETLBFS_MAGIC, .f_bsize = 2 * MiB };
    block = ram_block_new_file(3 * MiB, 0, RAM_SHARED, path, &err);
    expect_ok(block, err);
    expect(block->page_size == 2 * MiB && block->mapped == 4 * MiB &&
           block->size == 3 * MiB && !((uintptr_t)block->host % (2 * MiB)),
           "huge pages");
    expect(!(mapped_flags & MAP_NORESERVE), "huge pages are not reserved");
    fd = dup(block->fd);
    ram_block_unref(block);
    expect(!ram_block_new_fd(MiB, 0, fd, MiB, &err), "offset");
    expect_error(g_steal_pointer(&err), "2097152", NULL);
    close(fd);
    arm(CALL_MMAP, 2, ENOMEM);
    expect(!ram_block_new_file(3 * MiB, 0, RAM_SHARED, path, &err), "mmap");
    disarm();
    word = g_strdup_printf("'%s'", path);
    expect_error(g_steal_pointer(&err), word, "huge pages", "3145728", NULL);
    g_free(word);
    fake_statfs = NULL;
    directory_teardown(path);
    g_free(path);
}
END_TEST

/* A file system that is really full, where we may make one. */
START_TEST(full_tmpfs)
{
    GError *err = NULL;
    RAMBlock *block;
    char path[32];
    int fd;

    directory_setup();
    if (mount("none", directory, "tmpfs", 0, "size=64k") < 0) {
        directory_teardown(NULL);
        return; /* file_systems has covered what can be without it */
    }
    /* Only the descriptor keeps it, so a failure leaves nothing mounted. */
    fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    expect(fd >= 0 && !umount2(directory, MNT_DETACH), "umount");
    directory_teardown(NULL);
    g_snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

    expect(!ram_block_new_file(128 * 1024, 0, 0, path, &err), "fits");
    expect_error(g_steal_pointer(&err), path, "131072", "No space left", NULL);
    block = ram_block_new_file(32 * 1024, 0, RAM_SHARED, path, &err);
    expect_ok(block, err);
    memset(block->host, 1, 32 * 1024);
    expect(!ram_block_new_file(64 * 1024, 0, RAM_SHARED, path, &err), "fits");
    expect_error(g_steal_pointer(&err), "65536", "32768", NULL);
    ram_block_unref(block);
    expect(!directory_entries(path) && !close(fd), "left behind");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ram");
    TCase *tcase = tcase_create("ram"), *exits = tcase_create("exits");
    const TTest *const tests[] = {
        anonymous, sparse, anonymous_failures, callers_memory, offsets,
        offsets_run_out, ram_addr, memfd, descriptor, file,
        file_in_directory, file_failures, file_calls_fail, file_systems,
        full_tmpfs,
    };
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        tcase_add_test(tcase, tests[i]);
    }
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    if (srunner_fork_status(runner) == CK_FORK) {
        tcase_add_exit_test(exits, init_ram_exits, 1);
    }
    suite_add_tcase(suite, exits);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
