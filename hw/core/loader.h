/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loader: what to put into guest memory before the guest runs, and again at
 * each reset. Pieces of files are read straight into guest memory, so that
 * they cost no memory of ours; small things made here are kept as copies.
 */
#ifndef HW_CORE_LOADER_H
#define HW_CORE_LOADER_H

#include "memory.h"

typedef struct Loader Loader;

/* An open file. Owned by the loader that opened it. */
typedef struct LoaderFile {
    char *path;
    const char *role; /* "kernel", for errors */
    int fd;
    uint64_t size;
} LoaderFile;

/* Loads into the RAM of @as, which must outlive the loader. */
Loader *loader_new(AddressSpace *as);
void loader_free(Loader *loader); /* NULL: nothing */

/* Open the regular file @path, which is not empty. @role is a static text. NULL with
 * @err. */
LoaderFile *loader_open(Loader *loader, const char *path, const char *role,
                        GError **err);

/* The same; it may be empty. */
LoaderFile *loader_open_any(Loader *loader, const char *path, const char *role,
                            GError **err);

/* Read @len bytes at @offset of @file into @buf. Where the file ends before,
 * false, and an @err that says @field was to be there. */
bool loader_file_read(const LoaderFile *file, uint64_t offset, void *buf,
                      size_t len, const char *field, GError **err);

/* All of @file, read to its end: where that is is not known before of files of /proc and
 * /sys, and others can change. *@len bytes, to be freed; not NULL, even of none. NULL with
 * @err: they are more than @max, there is no memory for them, or they cannot be read. */
uint8_t *loader_file_read_all(const LoaderFile *file, uint64_t max, size_t *len,
                              GError **err);

/* Set @err: "ROLE 'PATH': " and then what @fmt says. Returns false. */
bool loader_file_error(const LoaderFile *file, GError **err, const char *fmt,
                       ...) __attribute__((format(printf, 3, 4)));

/* Put @len bytes at @offset of @file, which the caller checked, at @addr. */
void loader_add_file(Loader *loader, const LoaderFile *file, uint64_t offset,
                     uint64_t len, hwaddr addr);

/* Put a copy of @len bytes of @data at @addr. */
void loader_add_data(Loader *loader, const void *data, size_t len, hwaddr addr);

/* Put @len zero bytes at @addr. */
void loader_add_zero(Loader *loader, uint64_t len, hwaddr addr);

/* Do it, in the order of adding. @fresh: memory is all zero as yet. False and
 * @err where a file changed meanwhile, or there is no memory at an address. */
bool loader_load(Loader *loader, bool fresh, GError **err);

/* What loading puts at @first and above, up to @last, as a file of its own without a
 * name: *@base is the address of its first byte. Where there is nothing, or it cannot be
 * made: NULL with @err. Owned by @loader. */
LoaderFile *loader_image(Loader *loader, hwaddr first, hwaddr last, hwaddr *base,
                         GError **err);

#endif
