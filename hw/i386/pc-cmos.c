/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware finds in the CMOS memory of a PC: how much RAM there is, what it has,
 * and from where to start. Where things are is from the IBM PC AT Technical Reference,
 * "Real-Time Clock/CMOS RAM Information"; from 0x34 on, and the order of starting,
 * from what SeaBIOS reads of QEMU's pc.
 */
#include <string.h>

#include "hw/i386/pc.h"
#include "hw/rtc/mc146818.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

#define CMOS_EQUIPMENT 0x14
#define CMOS_BASE_KIB 0x15     /* each two bytes, the low one first */
#define CMOS_EXTENDED_KIB 0x17 /* from 1 MiB on, as configured, */
#define CMOS_FOUND_KIB 0x30    /* and as found */
#define CMOS_FROM_16M 0x34     /* in pieces of 64 KiB, below 4 GiB */
#define CMOS_BOOT_3 0x38       /* the third drive, in the high half */
#define CMOS_BOOT_1_2 0x3d     /* the first, and in the high half the second */
#define CMOS_FROM_4G 0x5b      /* three bytes, in pieces of 64 KiB */
#define CMOS_CPUS 0x5f         /* besides the first */

#define EQUIPMENT_FPU 0x02
#define EQUIPMENT_MOUSE 0x04
#define BASE_KIB 640

#define BOOTS_MAX 3
#define BOOT_DEFAULT "cad"
/* At a letter's place: how the firmware knows it; a and b are both the floppy. */
static const char boot_letters[] = "abcdn";
static const uint8_t boot_codes[] = { 1, 1, 2, 3, 4 };

static void set(PCMachine *s, unsigned index, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        mc146818_set_cmos(s->rtc, index + i, value >> 8 * i);
    }
}

static uint64_t pieces(uint64_t size, uint64_t above, uint64_t piece)
{
    return size > above ? (size - above) / piece : 0;
}

static void set_boot_order(PCMachine *s, const char *order)
{
    unsigned codes = 0;

    for (unsigned i = 0; order[i]; i++) {
        codes |= boot_codes[strchr(boot_letters, order[i]) - boot_letters] << 4 * i;
    }
    set(s, CMOS_BOOT_1_2, codes, 1);
    set(s, CMOS_BOOT_3, codes >> 8 << 4, 1);
}

static bool check_boot_order(const char *order, GError **err)
{
    size_t good = order ? strspn(order, boot_letters) : 0;

    if (order && order[good]) {
        g_set_error(err, FLATVIEW_ERROR, 0, "-boot: there is no drive '%c' on machine "
                    "'pc'; there are a and b (floppy), c (hard disk), d (CD-ROM) and n "
                    "(network)", order[good]);
        return false;
    }
    if (good > BOOTS_MAX) {
        g_set_error(err, FLATVIEW_ERROR, 0, "-boot: machine 'pc' tries %u drives at "
                    "most, not the %zu of '%s'", BOOTS_MAX, good, order);
        return false;
    }
    return true;
}

bool pc_cmos_init(PCMachine *s, GError **err)
{
    const Machine *m = &s->machine;
    uint64_t extended = MIN(pieces(s->lomem_size, 1 * MIB, KIB), UINT16_MAX);

    if (!check_boot_order(m->boot.order, err) || !check_boot_order(m->boot.once, err)) {
        return false;
    }
    set(s, CMOS_EQUIPMENT, EQUIPMENT_FPU | (s->i8042 ? EQUIPMENT_MOUSE : 0), 1);
    set(s, CMOS_BASE_KIB, MIN(s->lomem_size / KIB, BASE_KIB), 2);
    set(s, CMOS_EXTENDED_KIB, extended, 2);
    set(s, CMOS_FOUND_KIB, extended, 2);
    set(s, CMOS_FROM_16M, pieces(s->lomem_size, 16 * MIB, 64 * KIB), 2);
    set(s, CMOS_FROM_4G, s->himem_size / (64 * KIB), 3);
    set(s, CMOS_CPUS, m->cpus - 1, 1);
    return true;
}

void pc_cmos_reset(PCMachine *s)
{
    const BootSettings *boot = &s->machine.boot;
    const char *order = boot->order ? boot->order : BOOT_DEFAULT;

    set_boot_order(s, boot->once && !s->booted ? boot->once : order);
    s->booted = true;
}
