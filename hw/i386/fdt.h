/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device tree of a board, from its table.
 */
#ifndef HW_I386_FDT_H
#define HW_I386_FDT_H

#include "hw/i386/board.h"

typedef struct FDTConfig {
    const Machine *machine;
    const BoardEntry *table;
    unsigned table_nr;
    unsigned devices_nr; /* how many of the machine's devices the table made */
    const E820 *e820;
    uint64_t lomem, himem; /* bytes of RAM from 0, and from 4 GiB */
    uint64_t initrd_addr, initrd_size; /* size 0: none */
} FDTConfig;

/* The tree, its size in *@size; to be freed with g_free(). */
void *board_fdt_build(const FDTConfig *config, uint32_t *size);

#endif
