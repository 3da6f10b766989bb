/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fixed hardware of ACPI, as a chipset has it inside: power management 1 event
 * and control registers, the power management timer, and a block of general-purpose
 * events. ACPI specification 6.4, chapter 4.8.
 *
 * Everything under the memory lock, or before the machine runs.
 */
#ifndef HW_ACPI_FIXED_H
#define HW_ACPI_FIXED_H

#include "hw/core/timer.h"
#include "memory.h"

/* Sizes of the four regions, in bytes; these are the lengths in the FADT. */
#define ACPI_PM1_EVENT_SIZE 4 /* status, then enable, 2 bytes each */
#define ACPI_PM1_CONTROL_SIZE 2
#define ACPI_PM_TIMER_SIZE 4
#define ACPI_GPE_SIZE 4 /* status of 16 events, then enable */

/* Bits of the status and enable registers */
#define ACPI_PM1_TIMER 0x0001
#define ACPI_PM1_GLOBAL 0x0020
#define ACPI_PM1_POWER_BUTTON 0x0100
#define ACPI_PM1_RTC 0x0400
#define ACPI_PM1_WAKE 0x8000 /* a status only */

/* Bits of the control register */
#define ACPI_PM1_SCI_EN 0x0001
#define ACPI_PM1_SLP_TYP_SHIFT 10
#define ACPI_PM1_SLP_TYP_MASK 7u
#define ACPI_PM1_SLP_EN 0x2000 /* reads as 0 */

/* The timer counts 24 bits up. */
#define ACPI_PM_TIMER_HZ 3579545
#define ACPI_PM_TIMER_MASK 0xffffffu

typedef struct ACPIFixed {
    /* Set before acpi_fixed_init(): the interrupt's level may have changed; and the
     * guest wants to sleep, in the way that @type stands for. */
    void (*sci_changed)(void *opaque);
    void (*sleep)(void *opaque, unsigned type);
    void *opaque;

    uint16_t pm1_status, pm1_enable, pm1_control;
    uint16_t gpe_status, gpe_enable;
    int64_t overflow; /* ticks: the next change of the counter's top bit, which
                       * sets the status; looked at by whoever reads it */
    Timer timer;      /* armed while that would interrupt */
    MemoryRegion event, control, counter, gpe;
} ACPIFixed;

/* Make the regions "acpi-evt", "acpi-cnt", "acpi-tmr" and "acpi-gpe0", which the
 * caller maps and destroys. The callbacks are set, the rest is zero. */
void acpi_fixed_init(ACPIFixed *s);

/* All registers 0; the timer counts on. */
void acpi_fixed_reset(ACPIFixed *s);

/* Nothing is due any more. */
void acpi_fixed_cleanup(ACPIFixed *s);

/* Whether the system control interrupt is asserted; it never is while SCI_EN says that
 * the machine is not in ACPI mode. */
bool acpi_fixed_sci(ACPIFixed *s);

/* Bits of the status register, and general-purpose event @n, have happened. */
void acpi_fixed_event(ACPIFixed *s, uint16_t bits);
void acpi_fixed_gpe(ACPIFixed *s, unsigned n);

/* Go into ACPI mode, or out of it. */
void acpi_fixed_set_sci_en(ACPIFixed *s, bool on);

#endif
