/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A -bios image that comes to an instruction which KVM cannot run: where nothing
 * answers, accesses are emulated, and its emulator does not know FLD.
 */
#include "tests/guest/board.h"

#define NOTHING 0xd0000000

    .code16
    start_at start
start:
    enter_protected_mode
    mov     $0x12345678, %ebx
    fldl    NOTHING
    power_off
