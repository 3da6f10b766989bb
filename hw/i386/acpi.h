/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of a board without firmware.
 */
#ifndef HW_I386_ACPI_H
#define HW_I386_ACPI_H

#include <glib.h>
#include <stdint.h>

#include "cpus.h"

typedef struct ACPIConfig {
    const uint8_t *dsdt; /* as the compiler made it */
    unsigned cpus;
    uint32_t devices;    /* value of DEVS in the DSDT */
    uint16_t pm_port;    /* of the device acpi-pm */
    const CPUTopology *topology; /* which APIC ids they have; NULL: 0 to @cpus - 1 */
} ACPIConfig;

/* All tables as one block for guest address @base, a multiple of 16. The root
 * pointer is the first thing in it. */
GByteArray *acpi_build(const ACPIConfig *config, uint32_t base);

#endif
