/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBus host controller of PIIX4, on a bus where nobody is.
 */
#ifndef HW_ACPI_SMBUS_H
#define HW_ACPI_SMBUS_H

#include "memory.h"

#define SMBUS_SIZE 16
#define SMBUS_BLOCK 32 /* bytes of a block transfer */

typedef struct SMBusHost {
    /* Set before smbus_init(): smbus_interrupt() may have changed. */
    void (*changed)(void *opaque);
    void *opaque;

    uint8_t status, control, command, address, data[2];
    uint8_t block[SMBUS_BLOCK], at; /* where the next byte of it goes */
    MemoryRegion mr;
} SMBusHost;

/* Make the region "pm-smbus", which the caller maps and destroys. */
void smbus_init(SMBusHost *s);
void smbus_reset(SMBusHost *s);

/* Whether it wants to interrupt. */
bool smbus_interrupt(const SMBusHost *s);

#endif
