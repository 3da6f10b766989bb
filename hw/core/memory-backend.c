/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that a user sets up. See madvise(2) for what merge, dump and prealloc
 * ask of the host.
 */
#include "hw/core/memory-backend.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older C libraries lack the name */
#endif

static bool advise(MemoryBackend *s, int advice, const char *what,
                   const char *way_out, GError **err)
{
    void *host = memory_region_get_ram_ptr(&s->mr);

    if (madvise(host, s->size, advice) == 0) {
        return true;
    }
    g_set_error(err, FLATVIEW_ERROR, 0, "%s: %s; %s", what, g_strerror(errno),
                way_out);
    return false;
}

static bool apply_merge(MemoryBackend *s, GError **err)
{
    return advise(s, s->merge ? MADV_MERGEABLE : MADV_UNMERGEABLE,
                  "property 'merge' cannot be set",
                  "this takes a host kernel with KSM", err);
}

static bool apply_dump(MemoryBackend *s, GError **err)
{
    return advise(s, s->dump ? MADV_DODUMP : MADV_DONTDUMP,
                  "property 'dump' cannot be set",
                  "huge pages are always dumped", err);
}

/* Defaults are what the host does by itself, so nothing is asked for then. */
static bool apply_all(MemoryBackend *s, GError **err)
{
    return (!s->merge || apply_merge(s, err)) &&
           (s->dump || apply_dump(s, err)) &&
           (!s->prealloc ||
            advise(s, MADV_POPULATE_WRITE, "memory cannot be allocated now",
                   "ask for less, or leave prealloc off", err));
}

static bool check_size(const MemoryBackend *s, GError **err)
{
    if (s->size == 0) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Parameter 'size' is missing");
    } else if (s->size & (TARGET_PAGE_SIZE - 1)) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "property 'size' cannot be %" PRIu64 ": it takes whole "
                    "pages of %u bytes", s->size, (unsigned)TARGET_PAGE_SIZE);
        return false;
    }
    return s->size != 0;
}

/* Once the region is there. */
static bool backend_ready(MemoryBackend *s, GError **err)
{
    memory_region_set_owner(&s->mr, object_describe, &s->user.object);
    if (!apply_all(s, err)) {
        memory_region_destroy(&s->mr);
        return false;
    }
    return true;
}

static bool ram_complete(UserObject *obj, GError **err)
{
    MemoryBackend *s = (MemoryBackend *)obj;

    return check_size(s, err) &&
           (s->share ? memory_region_init_ram_from_fd(&s->mr, obj->id, s->size,
                                                      RAM_SHARED, -1, 0, err)
                     : memory_region_try_init_ram(&s->mr, obj->id, s->size,
                                                  err)) &&
           backend_ready(s, err);
}

static bool memfd_complete(UserObject *obj, GError **err)
{
    MemoryBackend *s = (MemoryBackend *)obj;

    if (!s->share) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "property 'share' cannot be off: memory-backend-ram is "
                    "what is not shared");
        return false;
    }
    return ram_complete(obj, err);
}

static bool file_complete(UserObject *obj, GError **err)
{
    MemoryBackend *s = (MemoryBackend *)obj;

    if (!s->mem_path || !*s->mem_path) {
        g_set_error(err, FLATVIEW_ERROR, 0, "Parameter 'mem-path' is missing");
        return false;
    }
    return check_size(s, err) &&
           memory_region_init_ram_from_file(&s->mr, obj->id, s->size, s->align,
                                            s->share ? RAM_SHARED : 0,
                                            s->mem_path, err) &&
           backend_ready(s, err);
}

static void backend_finish(UserObject *obj)
{
    memory_region_destroy(&((MemoryBackend *)obj)->mr);
}

static bool backend_update(UserObject *obj, const Property *prop, GError **err)
{
    MemoryBackend *s = (MemoryBackend *)obj;

    return prop->offset == offsetof(MemoryBackend, merge) ? apply_merge(s, err)
                                                          : apply_dump(s, err);
}

static const char *const updatable[] = { "merge", "dump", NULL };

#define FIELD(name) offsetof(MemoryBackend, name)

#define COMMON                                                              \
    { "size", PROP_SIZE, FIELD(size), NULL, "bytes, whole pages", 0 },      \
    { "prealloc", PROP_BOOL, FIELD(prealloc), "off",                        \
      "take all of it from the host at once", 0 },                          \
    { "merge", PROP_BOOL, FIELD(merge), "off",                              \
      "the host may keep equal pages once", 0 },                            \
    { "dump", PROP_BOOL, FIELD(dump), "on",                                 \
      "it is part of a core file of this program", 0 }

static const Property ram_properties[] = {
    COMMON,
    { "share", PROP_BOOL, FIELD(share), "off",
      "other processes may be given it", 0 },
    { 0 },
};

static const Property memfd_properties[] = {
    COMMON,
    { "share", PROP_BOOL, FIELD(share), "on", "always on", 0 },
    { 0 },
};

static const Property file_properties[] = {
    COMMON,
    { "mem-path", PROP_STRING, FIELD(mem_path), NULL,
      "a file, made or grown as needed, or a directory for an unnamed one", 0 },
    { "share", PROP_BOOL, FIELD(share), "off", "writes reach the file", 0 },
    { "align", PROP_SIZE, FIELD(align), NULL,
      "of its address here, a power of two", 0 },
    { 0 },
};

#define BACKEND                                                  \
    .parent = "memory-backend", .size = sizeof(MemoryBackend),   \
    .finish = backend_finish, .update = backend_update,          \
    .updatable = updatable

const UserObjectType memory_backend_ram_type = {
    .name = "memory-backend-ram",
    .description = "anonymous memory",
    BACKEND,
    .properties = ram_properties,
    .complete = ram_complete,
};

const UserObjectType memory_backend_memfd_type = {
    .name = "memory-backend-memfd",
    .description = "an unnamed file in memory, sealed",
    BACKEND,
    .properties = memfd_properties,
    .complete = memfd_complete,
};

const UserObjectType memory_backend_file_type = {
    .name = "memory-backend-file",
    .description = "a file, huge pages (hugetlbfs) among them",
    BACKEND,
    .properties = file_properties,
    .complete = file_complete,
};
