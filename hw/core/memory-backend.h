/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-backend-ram, -file and -memfd: memory that a user sets up, for the
 * machine to take as its RAM.
 */
#ifndef HW_CORE_MEMORY_BACKEND_H
#define HW_CORE_MEMORY_BACKEND_H

#include "hw/core/user-object.h"

typedef struct MemoryBackend {
    UserObject user;
    MemoryRegion mr; /* named by the id */
    uint64_t size;   /* bytes */
    char *mem_path;
    uint64_t align;
    bool share;    /* writes reach the file, or others that have the descriptor */
    bool prealloc; /* every page is there from the start */
    bool merge;    /* the host may keep equal pages once */
    bool dump;     /* it is part of a core file of this program */
} MemoryBackend;

#endif
