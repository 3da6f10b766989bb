/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a board connects the device "hpet", and what ACPI tells of it.
 */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

/* Outputs 0 to 23 are wires to inputs of the interrupt controllers of the same
 * numbers; where there is an HPET, nothing else is connected to 8. */
#define HPET_WIRES_NR 24
/* High while the HPET stands in for the interval timer at input 0, and for the
 * real-time clock at input 8: then the interval timer must leave its wire low. */
#define HPET_OUT_PIT_OFF 24

/* Input 0: the real-time clock's interrupt, which goes on to output 8. */
#define HPET_IN_RTC 0

/* The low half of its first register, as ACPI's table HPET has it, too. */
#define HPET_BLOCK_ID 0x8086a201

#endif
