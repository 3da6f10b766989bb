/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine "none": no devices, and neither memory nor CPUs unless they are
 * asked for. Programs that manage machines start it to learn what this program
 * can do.
 */
#include "hw/core/machine.h"

static bool null_init(Machine *machine, GError **err)
{
    if (machine->ram_size) {
        memory_region_add_subregion(&machine->memory_root, 0, &machine->ram);
    }
    if (machine->kernel || machine->bios) {
        g_set_error(err, FLATVIEW_ERROR, 0,
                    "machine 'none' starts nothing: leave -kernel and -bios out, "
                    "or choose another machine");
        return false;
    }
    return true;
}

static void null_finish(Machine *machine)
{
    if (machine->ram_size) {
        memory_region_del_subregion(&machine->memory_root, &machine->ram);
    }
}

const MachineType null_machine_type = {
    .name = "none",
    .description = "an empty machine, to ask what this program can do",
    .size = sizeof(Machine),
    .max_cpus = 1,
    .cpu_type = "cpu",
    .init = null_init,
    .finish = null_finish,
};
