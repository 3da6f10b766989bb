/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map as a PC's firmware tells it. ACPI specification 6.4, 15.1.
 */
#ifndef HW_I386_E820_H
#define HW_I386_E820_H

#include <stdint.h>

enum {
    E820_RAM = 1,
    E820_RESERVED = 2,
};

#define E820_MAX 16

typedef struct E820Entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
} E820Entry;

/* Ascending and disjoint. All-zero is empty. */
typedef struct E820 {
    unsigned nr;
    E820Entry entries[E820_MAX];
} E820;

/* Add a range; empty ones are left out. It must not overlap another, and there
 * must be room: boards know how many they have. */
void e820_add(E820 *map, uint64_t addr, uint64_t size, uint32_t type);

#endif
