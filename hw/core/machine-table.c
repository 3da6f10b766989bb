/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every board this program knows. A new one joins with one line here: TYPE(name)
 * stands for the descriptor that its file defines as
 * `const MachineType name_machine_type`.
 */
#include "hw/core/machine.h"

#define MACHINE_TYPES \
    TYPE(microvm)     \
    TYPE(pc)          \
    TYPE(null)

#define TYPE(name) extern const MachineType name##_machine_type;
MACHINE_TYPES
#undef TYPE

#define TYPE(name) &name##_machine_type,
const MachineType *const machine_types[] = { MACHINE_TYPES NULL };
#undef TYPE
