/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files and data into guest memory; see loader.h.
 */
#include "hw/core/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hw/core/device.h"

/* One piece: from a file, from data, or zeros where there is neither. */
typedef struct Piece {
    const LoaderFile *file;
    uint64_t offset; /* in the file */
    void *data;
    uint64_t len;
    hwaddr addr;
} Piece;

struct Loader {
    AddressSpace *as;
    GPtrArray *files; /* LoaderFile * */
    GArray *pieces;   /* Piece */
};

static void file_close(void *opaque)
{
    LoaderFile *file = opaque;

    close(file->fd);
    g_free(file->path);
    g_free(file);
}

static void piece_clear(void *opaque)
{
    g_free(((Piece *)opaque)->data);
}

Loader *loader_new(AddressSpace *as)
{
    Loader *loader = g_new0(Loader, 1);

    loader->as = as;
    loader->files = g_ptr_array_new_with_free_func(file_close);
    loader->pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    g_array_set_clear_func(loader->pieces, piece_clear);
    return loader;
}

void loader_free(Loader *loader)
{
    if (loader) {
        g_array_free(loader->pieces, TRUE);
        g_ptr_array_free(loader->files, TRUE);
        g_free(loader);
    }
}

bool loader_file_error(const LoaderFile *file, GError **err, const char *fmt,
                       ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(err, FLATVIEW_ERROR, 0, "%s '%s': %s", file->role, file->path,
                text);
    return false;
}

LoaderFile *loader_open_any(Loader *loader, const char *path, const char *role,
                            GError **err)
{
    LoaderFile *file = g_new0(LoaderFile, 1);
    struct stat st;

    file->path = g_strdup(path);
    file->role = role;
    /* Non-blocking: a FIFO is to be refused, not waited for. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0 || fstat(file->fd, &st) < 0) {
        loader_file_error(file, err, "cannot be opened: %s", g_strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        loader_file_error(file, err, "is not a regular file");
    } else {
        file->size = st.st_size;
        g_ptr_array_add(loader->files, file);
        return file;
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    g_free(file->path);
    g_free(file);
    return NULL;
}

LoaderFile *loader_open(Loader *loader, const char *path, const char *role,
                        GError **err)
{
    LoaderFile *file = loader_open_any(loader, path, role, err);

    if (file && file->size == 0) {
        loader_file_error(file, err, "is empty");
        g_ptr_array_remove(loader->files, file);
        return NULL;
    }
    return file;
}

/* pread() of all of it; the cause of a failure in errno, 0 at the file's end. */
static bool pread_all(int fd, void *buf, uint64_t len, uint64_t offset)
{
    uint64_t done = 0;

    while (done < len) {
        ssize_t n = pread(fd, (char *)buf + done, len - done, offset + done);

        if (n == 0) {
            errno = 0;
            return false;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += MAX(n, 0);
    }
    return true;
}

bool loader_file_read(const LoaderFile *file, uint64_t offset, void *buf,
                      size_t len, const char *field, GError **err)
{
    if (offset > file->size || len > file->size - offset) {
        return loader_file_error(
            file, err,
            "truncated: %s needs %zu bytes at offset %" PRIu64
            ", the file has %" PRIu64, field, len, offset, file->size);
    }
    if (!pread_all(file->fd, buf, len, offset)) {
        return loader_file_error(file, err, "%s cannot be read: %s", field,
                                 errno ? g_strerror(errno) : "it shrank");
    }
    return true;
}

uint8_t *loader_file_read_all(const LoaderFile *file, uint64_t max, size_t *len,
                              GError **err)
{
    /* One byte more shows that the end is there. */
    uint64_t room = MIN(file->size, max) + 1;
    uint8_t *bytes = file->size <= max ? g_try_malloc(room) : NULL, *more = bytes;
    ssize_t n;

    *len = 0;
    while (more) {
        bytes = more;
        n = pread(file->fd, bytes + *len, room - *len, *len);
        if (n == 0) {
            return bytes;
        }
        if (n < 0 && errno != EINTR) {
            loader_file_error(file, err, "cannot be read: %s", g_strerror(errno));
            break;
        }
        *len += MAX(n, 0);
        if (*len > max) {
            break;
        }
        if (*len == room) {
            room = MIN(2 * room, max + 1);
            more = g_try_realloc(bytes, room);
        }
    }
    if (file->size > max || *len > max) {
        loader_file_error(file, err, "is larger than %" PRIu64 " bytes", max);
    } else if (!more) {
        loader_file_error(file, err, "there is no memory for its %" PRIu64 " bytes; a "
                          "smaller file, or more memory for this program (ulimit -v)",
                          MAX(file->size, room));
    }
    g_free(bytes);
    return NULL;
}

void loader_add_file(Loader *loader, const LoaderFile *file, uint64_t offset,
                     uint64_t len, hwaddr addr)
{
    Piece piece = { .file = file, .offset = offset, .len = len, .addr = addr };

    g_array_append_val(loader->pieces, piece);
}

void loader_add_data(Loader *loader, const void *data, size_t len, hwaddr addr)
{
    Piece piece = { .data = g_memdup2(data, len), .len = len, .addr = addr };

    g_array_append_val(loader->pieces, piece);
}

void loader_add_zero(Loader *loader, uint64_t len, hwaddr addr)
{
    Piece piece = { .len = len, .addr = addr };

    g_array_append_val(loader->pieces, piece);
}

/* @done bytes of @piece are there; the next @len go to @host. */
static bool piece_copy(const Piece *piece, uint64_t done, void *host,
                       uint64_t len, GError **err)
{
    if (!piece->file) {
        if (piece->data) {
            memcpy(host, (char *)piece->data + done, len);
        } else {
            memset(host, 0, len);
        }
        return true;
    }
    if (!pread_all(piece->file->fd, host, len, piece->offset + done)) {
        return loader_file_error(piece->file, err, "cannot be read: %s",
                                 errno ? g_strerror(errno) : "it shrank");
    }
    return true;
}

static bool is_ram(AddressSpace *as, hwaddr addr)
{
    MemoryRegionSection section;
    bool ram;

    memory_lock();
    section = memory_region_find(as->root, addr, 1);
    ram = section.mr && memory_region_is_ram(section.mr) && !section.readonly;
    memory_unlock();
    return ram;
}

static bool piece_load(AddressSpace *as, const Piece *piece, GError **err)
{
    uint64_t done = 0;

    while (done < piece->len) {
        hwaddr addr = piece->addr + done;
        hwaddr len = piece->len - done;
        void *host;
        bool ok;

        if (!is_ram(as, addr)) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "%s '%s' does not fit: no guest memory at 0x%" PRIx64,
                        piece->file ? piece->file->role : "boot data",
                        piece->file ? piece->file->path : "", addr);
            return false;
        }
        host = address_space_map(as, addr, &len, true);
        if (!host) {
            g_set_error(err, FLATVIEW_ERROR, 0,
                        "the guest memory at 0x%" PRIx64 " cannot be mapped",
                        addr);
            return false;
        }
        ok = piece_copy(piece, done, host, len, err);
        address_space_unmap(as, host, len, true, ok ? len : 0);
        if (!ok) {
            return false;
        }
        done += len;
    }
    return true;
}

bool loader_load(Loader *loader, bool fresh, GError **err)
{
    unsigned i;

    for (i = 0; i < loader->pieces->len; i++) {
        const Piece *piece = &g_array_index(loader->pieces, Piece, i);

        /* Memory that was never touched is zero, and best left untouched. */
        if (fresh && !piece->file && !piece->data) {
            continue;
        }
        if (!piece_load(loader->as, piece, err)) {
            return false;
        }
    }
    return true;
}

static bool image_error(const char *what, GError **err)
{
    g_set_error(err, FLATVIEW_ERROR, 0, "the image for the firmware cannot be made: %s",
                what);
    return false;
}

/* Zeros at @offset of @file, of which they take no memory. */
static bool image_zero(const LoaderFile *file, uint64_t offset, uint64_t len, GError **err)
{
    return len == 0 ||
           fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len) == 0 ||
           image_error(g_strerror(errno), err);
}

/* Make the file, and copy the pieces that begin from @base to @last. */
static bool image_fill(const Loader *loader, const LoaderFile *file, hwaddr base,
                       hwaddr last, GError **err)
{
    uint8_t *host;
    bool ok = true;

    if (ftruncate(file->fd, file->size) != 0) {
        return image_error(g_strerror(errno), err);
    }
    host = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (host == MAP_FAILED) {
        return image_error(g_strerror(errno), err);
    }
    for (unsigned i = 0; ok && i < loader->pieces->len; i++) {
        const Piece *piece = &g_array_index(loader->pieces, Piece, i);

        if (piece->addr < base || piece->addr > last) {
            continue;
        }
        ok = piece->file || piece->data
                 ? piece_copy(piece, 0, host + (piece->addr - base), piece->len, err)
                 : image_zero(file, piece->addr - base, piece->len, err);
    }
    munmap(host, file->size);
    return ok;
}

LoaderFile *loader_image(Loader *loader, hwaddr first, hwaddr last, hwaddr *base,
                         GError **err)
{
    hwaddr end = 0;
    LoaderFile *file;

    *base = UINT64_MAX;
    for (unsigned i = 0; i < loader->pieces->len; i++) {
        const Piece *piece = &g_array_index(loader->pieces, Piece, i);

        if (piece->len && piece->addr >= first && piece->addr <= last) {
            *base = MIN(*base, piece->addr);
            end = MAX(end, piece->addr + piece->len);
        }
    }
    if (!end) {
        image_error("there is nothing in it", err);
        return NULL;
    }
    file = g_new0(LoaderFile, 1);
    *file = (LoaderFile){ .path = g_strdup("image"), .role = "image", .size = end - *base,
                          .fd = memfd_create("boot-image", MFD_CLOEXEC) };
    g_ptr_array_add(loader->files, file);
    return image_fill(loader, file, *base, last, err) ? file : NULL;
}
